"""What every test shares: no network, ever."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from classifier.annotations import Annotation, AnnotationSet, Value, adjudicate, annotation_table
from classifier.articles import article_record
from classifier.codebook import default_codebook
from classifier.files import write_json_lines
from classifier.records import Article, Span

if TYPE_CHECKING:
    from classifier.evaluation import Evaluation
    from classifier.score import Scorer

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

LINES = (
    "The council praised Turkey for its patience at the talks.",
    "The minister blamed Russia for the broken promise.",
    "A delegation from Ukraine arrived in the harbour on Monday.",
    "De raad prees Turkije om zijn geduld aan tafel.",
    "De minister verweet Rusland de gebroken belofte.",
    "Een delegatie uit Oekraïne kwam maandag aan in de haven.",
    "Konsey, Türkiye'yi sabrından dolayı övdü.",
    "Министр обвинил Россию в нарушении обещания.",
    "Рада похвалила Україну за терпіння на переговорах.",
)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of random weights with a WordPiece tokenizer, saved to a folder."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        LINES,
        trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    config = BertConfig(**_SIZES, vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=96)
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    folder = tmp_path_factory.mktemp("bases") / "tiny-bert"
    return _saved(folder, BertModel, config, tokenizer, names)


@pytest.fixture(scope="session")
def tiny_xlmr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An XLM-RoBERTa of random weights with a Unigram tokenizer, saved to a folder."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import XLMRobertaConfig, XLMRobertaModel

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    config = XLMRobertaConfig(
        **_SIZES, vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=98, pad_token_id=1
    )
    names = {"bos": "<s>", "eos": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    names |= {"cls": "<s>", "sep": "</s>"}
    folder = tmp_path_factory.mktemp("bases") / "tiny-xlmr"
    return _saved(folder, XLMRobertaModel, config, tokenizer, names)


_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


def _saved(
    folder: Path,
    network: Any,  # noqa: ANN401
    config: Any,  # noqa: ANN401
    tokenizer: Any,  # noqa: ANN401
    names: dict[str, str],
) -> Path:
    import torch
    from transformers import PreTrainedTokenizerFast

    torch.manual_seed(0)
    network(config).save_pretrained(folder)
    tokens = {f"{role}_token": token for role, token in names.items()}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **tokens).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def toy_set() -> AnnotationSet:
    """Forty articles, half of them Dutch, whose verbs alone say how a mention is coded."""
    return make_toy_set(40)


@pytest.fixture(scope="session")
def linear_run(toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a linear model of the toy set; nobody may write to it."""
    from classifier.models import TrainOptions
    from classifier.training import train

    out = tmp_path_factory.mktemp("runs") / "linear"
    return train(toy_set, TrainOptions(model="linear"), out).path


@pytest.fixture(scope="session")
def encoder_run(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The run folder of a tiny encoder that read the toy set once; nobody may write to it."""
    from classifier.models import TrainOptions
    from classifier.training import train

    options = TrainOptions(base_model=str(tiny_bert), epochs=1, batch_size=8, max_tokens=32)
    return train(toy_set, options, tmp_path_factory.mktemp("runs") / "encoder").path


@pytest.fixture(scope="session")
def scorer(linear_run: Path) -> "Scorer":
    """That model, ready to be applied."""
    from classifier.score import load

    return load(linear_run)


@pytest.fixture(scope="session")
def corpus(toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The articles of the toy set in a file; nobody may write to it."""
    path = tmp_path_factory.mktemp("corpus") / "articles.jsonl"
    write_json_lines(path, [article_record(article) for article in toy_set.articles])
    return path


_TOY_VERBS = {
    "en": {"praised": "favourable", "blamed": "unfavourable", "visited": "neutral"},
    "nl": {"geprezen": "favourable", "berispt": "unfavourable", "bezocht": "neutral"},
}
_TOY_NAMES = {
    "en": {"Turkey": "TR", "Russia": "RU", "Ukraine": "UA"},
    "nl": {"Turkije": "TR", "Rusland": "RU", "Oekraïne": "UA"},
}
_TOY_ROLES = {"favourable": {"partner"}, "unfavourable": {"aggressor"}, "neutral": set[str]()}
_TOY_PLACES = ("harbour", "market", "school", "station", "library", "bridge", "mill")


def make_toy_set(n_articles: int) -> AnnotationSet:
    """Articles of three sentences, each with one mention; the place varies, the verb decides."""
    articles, annotations = [], []
    for i in range(n_articles):
        language = ("en", "nl")[i % 2]
        verbs, names = list(_TOY_VERBS[language].items()), list(_TOY_NAMES[language].items())
        text = ""
        for k in range(3):
            (name, target), (verb, stance) = names[(i + k) % 3], verbs[(i // 2 + 2 * k) % 3]
            place = _TOY_PLACES[(i + 3 * k) % 7]
            was, at = ("was", "at the") if language == "en" else ("werd", "bij")
            span = Span(len(text), len(text) + len(name))
            text += f"{name} {was} {verb} {at} {place} {i}. "
            labels: dict[str, Value] = {"stance": stance, "roles": frozenset(_TOY_ROLES[stance])}
            annotations.append(Annotation(f"t{i}", span, target, name, "ann", labels))
        source = ("De Vliet", "The Ferry Post", "Noordertij")[i % 3]
        date = f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}"
        articles.append(Article(f"t{i}", text, source, language, date, "day"))
    codebook = default_codebook()
    return AnnotationSet(tuple(articles), annotation_table(annotations, codebook), codebook)


@pytest.fixture(scope="session")
def toy_scores(toy_set: AnnotationSet) -> pd.DataFrame:
    """Predictions for the toy set as a scorer writes them; right in two of three mentions."""
    return make_scores(toy_set)


def make_scores(annotation_set: AnnotationSet) -> pd.DataFrame:
    """A row per annotated mention; every third label is the next one of the codebook."""
    codebook = annotation_set.codebook
    articles = annotation_set.article_by_id
    rows = []
    units = annotation_set.table.drop_duplicates("unit")
    for i, row in enumerate(units.to_dict("records")):
        article, scores = articles[row["article_id"]], dict[str, object]()
        for variable in (codebook.variable("stance"), codebook.variable("roles")):
            said = {row[variable.name]} if variable.kind == "ordinal" else row[variable.name]
            p = [0.8 - i % 5 / 10 if name in said else (i % 4) / 40 for name in variable.names]
            p = p[-1:] + p[:-1] if i % 3 == 2 else p
            p = [one / sum(p) for one in p] if variable.kind == "ordinal" else p
            scores |= {
                f"p_{variable.name}_{name}": q for name, q in zip(variable.names, p, strict=True)
            }
            if variable.kind == "ordinal":
                scores[variable.name] = variable.names[p.index(max(p))]
                pairs = zip(p, variable.numbers, strict=True)
                scores[f"{variable.name}_score"] = sum(q * number for q, number in pairs)
            else:
                names = zip(variable.names, p, strict=True)
                scores[variable.name] = [name for name, q in names if q >= 0.5]
        rows.append(
            {
                **{key: row[key] for key in ("unit", "article_id", "target", "surface")},
                **{key: row[key] for key in ("start", "end")},
                "source": article.source,
                "language": article.language,
                "date": article.date,
                "zone": "body",
                "voice": ("author", "quoted", "attributed")[i % 7 // 3],
                "speaker": "the harbour master" if i % 7 >= 3 else None,
                "passage_start": 0,
                "passage_end": len(article.text),
                "status": "ok",
                **scores,
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def evaluation(toy_set: AnnotationSet, toy_scores: pd.DataFrame) -> "Evaluation":
    """Those predictions beside the toy set's labels."""
    from classifier.evaluation import EvaluationOptions, evaluate
    from classifier.intervals import IntervalOptions

    options = EvaluationOptions(interval=IntervalOptions(n_draws=50))
    return evaluate(toy_set, toy_scores, options=options)


@pytest.fixture(scope="session")
def coded(toy_set: AnnotationSet) -> pd.DataFrame:
    """Gold of twenty-four of the forty articles."""
    gold = adjudicate(toy_set)
    return gold[gold["article_id"].isin([f"t{i}" for i in range(24)])].reset_index(drop=True)


@pytest.fixture
def run_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in this process: exit code, standard output and standard error."""
    from classifier.cli import main

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["classifier", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code: object = 0
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return int(str(code or 0)), out, err

    return run


@pytest.fixture
def ask(
    run_command: Callable[..., tuple[int, str, str]],
) -> Callable[..., tuple[int, str]]:
    """Runs a command: exit code and what it prints."""

    def run(*words: object) -> tuple[int, str]:
        code, out, _ = run_command(*words)
        return code, out

    return run
