"""Distillation, on a tiny teacher made on the spot; and the base that ships."""

import gzip
import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel

from classifier.distil import DistilOptions, distil, evaluate, read_pairs, split_pairs
from classifier.distil.corpus import Corpus
from classifier.distil.evaluation import embed, retrieval
from classifier.distil.passages import grouped, joined_links, joined_rows, varied
from classifier.distil.ragged import ragged
from classifier.distil.tokenizer import save_tokenizer, train_tokenizer
from classifier.errors import DataError, ModelError
from classifier.models.bases import SHIPPED

ENGLISH = """
king baker child teacher sailor nurse clerk
sees hears helps greets follows trusts
bridge garden mountain letter castle river window table
"""
FOREIGN = {
    "nl": """
koning bakker kind leraar zeeman zuster klerk
ziet hoort helpt groet volgt vertrouwt
brug tuin berg brief kasteel rivier raam tafel
""",
    "uk": """
король пекар дитина вчитель моряк сестра писар
бачить чує рятує вітає шукає любить
міст сад гору лист замок річку вікно стіл
""",
}


def sentences(language: str) -> list[tuple[str, str]]:
    """7 * 6 * 8 = 336 English sentences with their word-for-word translation."""
    lines = zip(ENGLISH.split("\n"), FOREIGN[language].split("\n"), strict=True)
    parts = [list(zip(e.split(), f.split(), strict=True)) for e, f in lines if e]
    return [
        (f"the {s} {v} the {o}.", f"{fs} {fv} {fo}.")
        for (s, fs), (v, fv), (o, fo) in itertools.product(*parts)
    ]


def write_parallel(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for language in FOREIGN:
        rows = "".join(f"{english}\t{other}\tmade\n" for english, other in sentences(language))
        (folder / f"en-{language}.tsv.gz").write_bytes(gzip.compress(rows.encode()))
    (folder / "README.md").write_text("Prose.\n\n| origin | terms |\n|---|---|\n| `made` | CC0 |\n")
    return folder


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT with 2 layers of 32 numbers and random weights."""
    folder = tmp_path_factory.mktemp("teacher")
    english = [pair[0] for pair in sentences("nl")]
    tokenizer = train_tokenizer(english, 1000, cased=False)
    torch.manual_seed(0)
    model = BertModel(
        BertConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=128,
        )
    )
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder, 128)
    return folder


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory, teacher: Path) -> DistilOptions:
    root = tmp_path_factory.mktemp("distil")
    return DistilOptions(
        parallel=write_parallel(root / "parallel"),
        out=root / "base",
        teacher=str(teacher),
        vocabulary=1000,
        held_out=50,
        epochs=4,
        batch_tokens=512,
        warmup_steps=2,
        cooldown_steps=10,
        threads=1,
    )


@pytest.fixture(scope="module")
def base(options: DistilOptions) -> Path:
    return distil(options)


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_the_base_is_an_ordinary_folder(base: Path, options: DistilOptions) -> None:
    model, tokenizer = AutoModel.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    assert model.dtype == torch.bfloat16
    assert model.config.vocab_size == len(tokenizer) <= options.vocabulary
    read = tokenizer("Koning ziet brug.", return_offsets_mapping=True)["offset_mapping"]
    assert read[0] == read[-1] == (0, 0)
    assert sorted(path.name for path in base.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_the_student_learns(base: Path, options: DistilOptions, teacher: Path) -> None:
    start = distil(replace(options, out=options.out.with_name("start"), epochs=0))
    pairs = read_pairs(options.parallel).pairs
    split = split_pairs(pairs, 50, np.random.default_rng(options.seed), (), ("dictionary",))

    def loaded(folder: Path) -> tuple[BertModel, Tokenizer]:
        model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        return model, Tokenizer.from_file(str(folder / "tokenizer.json"))

    before, after = (
        evaluate(split.held_out, loaded(folder), loaded(teacher)) for folder in (start, base)
    )
    for first, last in zip(before, after, strict=True):
        assert last.foreign_cosine > first.foreign_cosine
        assert last.to_english > 10 / 50  # chance is 1 in 50


def test_the_card_carries_figures_terms_and_hashes(base: Path) -> None:
    card = (base / "README.md").read_text(encoding="utf-8")
    assert "| `made` | CC0 |" in card
    assert sha256(base) in card
    assert "| uk | 50 |" in card


def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(
    base: Path, options: DistilOptions
) -> None:
    def stop(line: str) -> None:
        if line.startswith("step 40"):
            raise KeyboardInterrupt

    other = replace(options, out=options.out.with_name("resumed"), checkpoint_minutes=0)
    with pytest.raises(KeyboardInterrupt):
        distil(other, stop)
    lines: list[str] = []
    distil(other, lines.append)
    assert any(line.startswith("resumed at step 40") for line in lines)
    assert sha256(other.out) == sha256(base)


def test_a_run_out_of_time_cools_down_and_finishes(options: DistilOptions) -> None:
    lines: list[str] = []
    short = replace(options, out=options.out.with_name("short"), epochs=99, max_minutes=0)
    distil(replace(short, cooldown_steps=20), lines.append)
    assert any(line.startswith("step 20 of 21") for line in lines)


def test_a_work_folder_of_another_run_is_refused(base: Path, options: DistilOptions) -> None:
    with pytest.raises(ModelError, match=r"seed was 1, is 2: use the same, or delete that folder"):
        distil(replace(options, seed=2))


def test_a_changed_file_is_noticed_beside_another_of_its_name(
    options: DistilOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("classifier.distil.run.load_teacher", stop)
    english = (tmp_path / "a" / "news.txt", tmp_path / "b" / "news.txt")
    for path in english:
        path.parent.mkdir()
        path.write_text("The harbour is shut.", encoding="utf-8")
    twice = replace(options, out=tmp_path / "base", english=english)
    with pytest.raises(KeyboardInterrupt):
        distil(twice)
    english[0].write_text("The harbour is open.", encoding="utf-8")
    with pytest.raises(ModelError, match="files differs: use the same, or delete that folder"):
        distil(twice)


def test_english_text_that_is_not_utf8_is_refused(options: DistilOptions, tmp_path: Path) -> None:
    (tmp_path / "news.txt").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"news\.txt: readable UTF-8 text is required"):
        distil(replace(options, english=(tmp_path / "news.txt",)))


def test_a_missing_teacher_is_refused(options: DistilOptions, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="lacks"):
        distil(replace(options, out=tmp_path / "out", teacher=str(tmp_path)))


def test_options_no_run_can_be_made_of_are_refused(options: DistilOptions) -> None:
    with pytest.raises(ModelError, match="at least 1000 tokens"):
        replace(options, vocabulary=10)
    with pytest.raises(ModelError, match=r"must lie in 8\.\.256"):
        replace(options, max_tokens=1000)
    with pytest.raises(ModelError, match="epochs of at least 0"):
        replace(options, epochs=-1)


def test_joined_rows_have_one_beginning_and_one_end() -> None:
    rows = ragged([[2, 7, 3], [2, 8, 9, 3], [2, 5, 3]])
    joined = joined_rows(rows, [np.array([1, 0]), np.array([2, 1])])
    assert [joined[n].tolist() for n in range(2)] == [[2, 8, 9, 7, 3], [2, 5, 8, 9, 3]]


def test_joined_links_move_with_what_stands_before() -> None:
    # Student lengths 4 and 3, teacher lengths 3 and 4: the second example's inner tokens move by
    # 4 - 2 = 2 on the student's side and 3 - 2 = 1 on the teacher's. Both end at inner + 1.
    links = ragged([[0, 0, 2, 1, 3, 2], [0, 0, 1, 1, 1, 2, 2, 3]], np.uint8)
    joined = joined_links(links, np.array([4, 3]), np.array([3, 4]), [np.array([0, 1])])
    assert joined[0].reshape(-1, 2).tolist() == [[0, 0], [2, 1], [3, 2], [3, 3], [4, 4]]


@settings(max_examples=50)
@given(st.lists(st.integers(3, 40), min_size=1, max_size=60), st.integers(0, 9))
def test_no_group_is_too_long_and_no_example_stands_in_two(lengths: list[int], seed: int) -> None:
    student, teacher = np.array(lengths), np.array(lengths[::-1])
    groups = grouped(student, teacher, (5, 50, 90), np.random.default_rng(seed))
    used = np.concatenate([*groups, np.empty(0, dtype=int)])
    assert len(groups) <= 5
    assert len(set(used)) == len(used)
    assert all((np.maximum(student, teacher)[g] - 2).sum() + 2 <= 90 for g in groups)


def test_varied_sentences_exchange_words_and_keep_the_rest() -> None:
    sentences = [f"One-2 apple{'s' * n}, please!" for n in range(40)]
    changed = varied(sentences, 40, np.random.default_rng(1))
    assert len(changed) == 40
    assert all(line.count(",") == 1 and line.endswith("!") and "-2 " in line for line in changed)
    assert 10 < sum(line not in sentences for line in changed) <= 40


def test_a_run_goes_on_from_a_finished_base_with_passages_and_varied_sentences(
    base: Path, options: DistilOptions
) -> None:
    more = replace(
        options,
        start=base,
        out=options.out.with_name("more"),
        epochs=1,
        varied=30,
        passages=5,
        passage_tokens=120,
    )
    distil(more)
    assert (more.out / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    assert "varied 30, passages 5" in (more.out / "README.md").read_text("utf-8")


def test_passages_hold_the_examples_of_their_sentences(options: DistilOptions, base: Path) -> None:
    out = options.out.with_name("passages")
    more = replace(options, start=base, out=out, epochs=0.01, passages=4, passage_tokens=120)
    distil(more)
    corpus = Corpus.load(more.work / "corpus.safetensors")
    lengths = corpus.teacher_ids.lengths
    # The English example of every row the teacher reads comes first, in the same order.
    assert corpus.target[: len(lengths)].tolist() == list(range(len(lengths)))
    long = np.flatnonzero(lengths > options.max_tokens)
    assert len(long) > 0
    for example in np.flatnonzero(np.isin(corpus.target, long)):
        links = corpus.links[int(example)].reshape(-1, 2)
        own = corpus.student_ids[int(example)]
        assert links[-1].tolist() == [len(own) - 1, lengths[corpus.target[example]] - 1]


def test_a_start_that_is_no_base_is_refused(options: DistilOptions, tmp_path: Path) -> None:
    nothing = replace(options, start=tmp_path, out=tmp_path / "out")
    with pytest.raises(ModelError, match=r"tokenizer.json: a finished base is required"):
        distil(nothing)


def test_retrieval_counts_rows_that_find_themselves() -> None:
    # Query 0 finds row 0; query 1 lies nearer to row 2.
    queries = np.array([[1, 0], [0, 1]], dtype=np.float32)
    candidates = np.array([[1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32)
    assert retrieval(queries, candidates) == 0.5


shipped = pytest.mark.skipif(
    not (SHIPPED / "config.json").exists(), reason="no base in classifier/weights/base"
)

SAME = {
    "en": ["The ferry did not sail today.", "Two painters opened a small school.",
           "The price of bread rose again.", "Nobody understood the old map."],
    "nl": ["De veerboot voer vandaag niet uit.", "Twee schilders openden een schooltje.",
           "De prijs van brood steeg opnieuw.", "Niemand begreep de oude kaart."],
    "tr": ["Feribot bugün sefere çıkmadı.", "İki ressam küçük bir okul açtı.",
           "Ekmek fiyatı yine arttı.", "Eski haritayı kimse anlamadı."],
    "ru": ["Паром сегодня не ходил.", "Два художника открыли небольшую школу.",
           "Цена на хлеб снова выросла.", "Никто не понял старую карту."],
    "uk": ["Пором сьогодні не ходив.", "Двоє художників відкрили невелику школу.",
           "Ціна на хліб знову зросла.", "Ніхто не зрозумів стару карту."],
}  # fmt: skip


@shipped
def test_the_shipped_base_is_small_and_has_a_card() -> None:
    size = sum(path.stat().st_size for path in SHIPPED.iterdir())
    assert size <= 46_000_000
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert sha256(SHIPPED) in card


@shipped
def test_the_shipped_base_puts_translations_together() -> None:
    model = AutoModel.from_pretrained(SHIPPED, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    vectors = {language: embed(model, tokenizer, texts, 96) for language, texts in SAME.items()}
    for language in ("nl", "tr", "ru", "uk"):
        assert retrieval(vectors[language], vectors["en"]) == 1.0
