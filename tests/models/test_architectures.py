"""Any base model by its folder: tiny ones of each kind, with tokenizers of their own kind."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    DebertaV2Config,
    DebertaV2Model,
    DebertaV2Tokenizer,
    GemmaTokenizer,
    ModernBertConfig,
    ModernBertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizer,
    XLMRobertaConfig,
    XLMRobertaModel,
    XLMRobertaTokenizer,
)

from classifier.annotations import AnnotationSet
from classifier.models import TrainOptions
from classifier.models._protocol import Adapter
from classifier.models.encoder._batches import encode_passages
from classifier.models.encoder._model import load_encoder, new_encoder, read_tokenizer
from classifier.records import Passage, PassageMention, Span
from classifier.score import load
from classifier.training import train

LINES = (
    "The council praised Turkey for its patience at the talks.",
    "The minister blamed Russia for the broken promise.",
    "A delegation from Ukraine arrived in the harbour on Monday.",
    "De raad prees Turkije om zijn geduld aan tafel; Oekraïne zweeg.",
    "Konsey, Türkiye'yi sabrından dolayı övdü. İstanbul ve Işık sessiz kaldı.",
    "Министр обвинил Россию в нарушении обещания, а Київ промолчал.",
    "Рада похвалила Україну за терпіння на переговорах.",
    "Российский флаг над «Россией» и Киевом.",
)
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
Tokens = dict[str, str]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
DEBERTA = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
GEMMA = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]


def learned(tokenizer: Tokenizer, trainer: Any) -> dict[str, Any]:  # noqa: ANN401
    """The model part of a tokenizer's file after learning from the lines."""
    tokenizer.train_from_iterator(LINES, trainer)
    content: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return content


def word_pieces() -> Any:  # noqa: ANN401
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=BERT, show_progress=False)
    return BertTokenizer(vocab=learned(tokenizer, trainer)["vocab"])


def cased_word_pieces() -> Any:  # noqa: ANN401
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=BERT, show_progress=False)
    return BertTokenizer(vocab=learned(tokenizer, trainer)["vocab"], do_lower_case=False)


def byte_pairs(special: list[str]) -> dict[str, Any]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    return learned(tokenizer, trainer)


def byte_pairs_of_roberta() -> Any:  # noqa: ANN401
    content = byte_pairs(ROBERTA)
    merges = [tuple(pair) for pair in content["merges"]]
    return RobertaTokenizer(vocab=content["vocab"], merges=merges)


def byte_pairs_of_modernbert() -> Any:  # noqa: ANN401
    """As ModernBERT has them: offsets that take in the space before a word."""
    content = byte_pairs(BERT)
    merges = [tuple(pair) for pair in content["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=content["vocab"], merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = ("pad", "unk", "cls", "sep", "mask")
    tokens = {f"{name}_token": token for name, token in zip(names, BERT, strict=True)}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **tokens)


def unigrams(special: list[str], unknown: str) -> list[tuple[str, float]]:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=special, unk_token=unknown, show_progress=False
    )
    return [(piece, score) for piece, score in learned(tokenizer, trainer)["vocab"]]


def unigrams_of_xlmr() -> Any:  # noqa: ANN401
    return XLMRobertaTokenizer(vocab=unigrams(ROBERTA, "<unk>"))


def unigrams_of_deberta() -> Any:  # noqa: ANN401
    return DebertaV2Tokenizer(vocab=unigrams(DEBERTA, "[UNK]"), unk_id=3)


def unigrams_of_deberta_split_at_punctuation() -> Any:  # noqa: ANN401
    return DebertaV2Tokenizer(vocab=unigrams(DEBERTA, "[UNK]"), unk_id=3, split_by_punct=True)


def pairs_with_byte_fallback() -> Any:  # noqa: ANN401
    """As Gemma has them, and mmBERT after it: spaces are letters, rare letters are bytes."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    words = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.Punctuation()])
    raw = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=[*GEMMA, *raw], show_progress=False
    )
    content = learned(tokenizer, trainer)
    merges = [tuple(pair) for pair in content["merges"]]
    made = GemmaTokenizer(vocab=content["vocab"], merges=merges)
    made.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>", special_tokens=[("<bos>", 2), ("<eos>", 1)]
    )
    return made


def deberta(version: int) -> Callable[[int], Any]:
    further: dict[str, Any] = {"position_biased_input": False, "share_att_key": True}
    further |= {"norm_rel_ebd": "layer_norm", "position_buckets": 16}
    if version == 2:
        further |= {"conv_kernel_size": 3, "conv_act": "gelu"}

    def make(size: int) -> Any:  # noqa: ANN401
        config = DebertaV2Config(
            **SIZES,
            vocab_size=size,
            max_position_embeddings=96,
            type_vocab_size=0,
            relative_attention=True,
            pos_att_type=["p2c", "c2p"],
            pad_token_id=0,
            **further,
        )
        return DebertaV2Model(config)

    return make


def bert(size: int) -> Any:  # noqa: ANN401
    return BertModel(BertConfig(**SIZES, vocab_size=size, max_position_embeddings=96))


def roberta(size: int) -> Any:  # noqa: ANN401
    config = RobertaConfig(
        **SIZES, vocab_size=size, max_position_embeddings=98, pad_token_id=1, type_vocab_size=1
    )
    return RobertaModel(config)


def xlm_roberta(size: int) -> Any:  # noqa: ANN401
    config = XLMRobertaConfig(
        **SIZES, vocab_size=size, max_position_embeddings=98, pad_token_id=1, type_vocab_size=1
    )
    return XLMRobertaModel(config)


def modernbert(tokens: list[str]) -> Callable[[int], Any]:
    def make(size: int) -> Any:  # noqa: ANN401
        config = ModernBertConfig(
            **SIZES,
            vocab_size=size,
            max_position_embeddings=128,
            local_attention=16,
            pad_token_id=0,
            bos_token_id=2,
            eos_token_id=tokens.index("<eos>") if "<eos>" in tokens else 3,
            cls_token_id=2,
            sep_token_id=3,
        )
        return ModernBertModel(config)

    return make


BASES: dict[str, tuple[Callable[[], Any], Callable[[int], Any]]] = {
    "bert": (word_pieces, bert),
    "bert-cased": (cased_word_pieces, bert),
    "roberta": (byte_pairs_of_roberta, roberta),
    "xlm-roberta": (unigrams_of_xlmr, xlm_roberta),
    "deberta-v2": (unigrams_of_deberta_split_at_punctuation, deberta(2)),
    "deberta-v3": (unigrams_of_deberta, deberta(3)),
    "modernbert": (byte_pairs_of_modernbert, modernbert(BERT)),
    "mmbert": (pairs_with_byte_fallback, modernbert(GEMMA)),
}


@pytest.fixture(scope="module", params=BASES)
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name: str = request.param
    make_tokenizer, make_network = BASES[name]
    folder = tmp_path_factory.mktemp("bases") / name
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    tokenizer.save_pretrained(folder)
    make_network(len(tokenizer)).save_pretrained(folder)
    return folder


TEXTS = {
    "The council of Türkiye met in İstanbul, not in Kyiv.": ("Türkiye", "İstanbul", "Kyiv", "The"),
    "Konsey, Türkiye'yi ve Işık'ı övdü; ‘Rusya’ sustu.": ("Türkiye'yi", "Işık'ı", "Rusya"),
    "De Oekraïense haven\nen het Kremlin\u00a0zwegen.": ("Oekraïense", "Kremlin", "zwegen"),
    # decomposed: the letter и with a breve, the letter i with a trema, the letter I with a dot
    "«Росси\u0438\u0306» и Укр\u0430\u0456\u0308на": (
        "Росси\u0438\u0306",
        "Укр\u0430\u0456\u0308на",
    ),
    "I\u0307stanbul zweeg 🇺🇦 Україна 🇹🇷": ("I\u0307stanbul", "Україна", "🇺🇦", "🇹🇷"),
    "Rusland\u00adbeleid, RUSLAND … rusland": ("Rusland\u00adbeleid", "RUSLAND", "rusland"),
}
CASES = [(text, surface) for text, surfaces in TEXTS.items() for surface in surfaces]


@pytest.fixture(scope="module")
def tokenizer(base: Path) -> Any:  # noqa: ANN401
    return read_tokenizer(base)


def covered(text: str, offsets: list[tuple[int, int]]) -> str:
    """What the tokens stand for; a mark that its letter has absorbed belongs to that letter."""
    end = max(end for _, end in offsets)
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return text[min(start for start, _ in offsets) : end].strip()


@pytest.mark.parametrize(("text", "surface"), CASES)
def test_the_tokens_of_a_mention_are_those_of_its_letters(
    text: str,
    surface: str,
    tokenizer: Any,  # noqa: ANN401
) -> None:
    span = Span(text.index(surface), text.index(surface) + len(surface))
    mention = PassageMention("u", span, Span(0, len(text)))
    passage = Passage("a", 0, text, "en", (mention,))
    (start, end), _ = encode_passages([passage], tokenizer, 200)[0].ranges[0]
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    shares_a_letter = [a < b and a < span.end and span.start < b for a, b in offsets]
    pooled = [start <= place < end for place in range(len(offsets))]
    # A byte-level tokenizer leaves tokens without an offset between others: those may be pooled.
    assert [p for p, (a, b) in zip(pooled, offsets, strict=True) if a < b] == [
        s for s, (a, b) in zip(shares_a_letter, offsets, strict=True) if a < b
    ]
    assert covered(text, [offsets[place] for place in range(start, end)]) == surface


@pytest.fixture(scope="module")
def run(base: Path, toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    options = replace(QUICK, base_model=str(base))
    return train(toy_set, options, tmp_path_factory.mktemp("runs") / base.name).path


QUICK = TrainOptions(epochs=1, patience=1, batch_size=16, max_tokens=64, variables=("stance",))


def test_a_run_on_it_scores_articles(run: Path) -> None:
    text = "Turkey was praised at the harbour. Nobody spoke. Russia was blamed at the market."
    rows = load(run).score(text).to_frame()
    assert list(rows["status"]) == ["ok", "ok"]
    assert np.isfinite(rows["stance_score"]).all()


def test_a_mention_is_judged_alike_alone_and_beside_others(run: Path) -> None:
    model = load(run).trained.model
    text = "Turkey was praised. Russia was blamed at the market."
    spans = (Span(0, 6), Span(20, 26))
    mentions = [PassageMention(f"u{i}", span, Span(0, 19)) for i, span in enumerate(spans)]
    long = Passage("b", 0, f"{text} {text} {text}", "en", (mentions[0],))
    together = Passage("a", 0, text, "en", tuple(mentions))
    apart = [Passage("a", 0, text, "en", (mention,)) for mention in mentions]
    both = model.predict([long, together])["stance"][1:]
    one_by_one = np.concatenate([model.predict([one])["stance"] for one in apart])
    np.testing.assert_allclose(both, one_by_one, atol=0.01)  # rounding in bfloat16


@pytest.mark.parametrize("adapter", ["none", "separate"])
def test_saving_and_loading_keeps_predictions(
    adapter: Adapter, base: Path, toy_set: AnnotationSet, tmp_path: Path
) -> None:
    options = replace(QUICK, base_model=str(base), adapter=adapter, adapter_rank=2)
    variables = (toy_set.codebook.variable("stance"),)
    model = new_encoder(variables, options)
    passages = [
        Passage("a", 0, line, "en", (PassageMention("u", Span(4, 11), Span(0, len(line))),))
        for line in LINES
    ]
    before = model.predict(passages)["stance"]
    model.save(tmp_path)
    after = load_encoder(tmp_path, variables, options).predict(passages)["stance"]
    np.testing.assert_allclose(after, before, atol=0 if adapter == "none" else 0.02)


@pytest.mark.parametrize("adapter", ["none", "separate"])
def test_it_can_be_read_as_on_an_accelerator(
    adapter: Adapter,
    base: Path,
    toy_set: AnnotationSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not every architecture has the attention that is fastest there."""
    for module in ("_model", "_adapter"):
        monkeypatch.setattr(f"classifier.models.encoder.{module}.attention_for", lambda _: "sdpa")
    options = replace(QUICK, base_model=str(base), adapter=adapter, adapter_rank=2)
    variables = (toy_set.codebook.variable("stance"),)
    new_encoder(variables, options).save(tmp_path)
    line = LINES[0]
    mention = PassageMention("u", Span(20, 26), Span(0, len(line)))
    model = load_encoder(tmp_path, variables, options)
    rows = model.predict([Passage("a", 0, line, "en", (mention,))])["stance"]
    assert rows.sum() == pytest.approx(1.0, abs=1e-6)
