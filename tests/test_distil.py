"""Distillation, on a tiny teacher made on the spot; and the base that ships."""

import gzip
import hashlib
import itertools
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel

from classifier.distil import DistilOptions, distil, evaluate, read_pairs, split_pairs
from classifier.distil.alignment import align, overlap_links
from classifier.distil.corpus import Corpus
from classifier.distil.evaluation import embed, retrieval
from classifier.distil.pairs import MINIMUM, Pair
from classifier.distil.passages import grouped, joined_links, joined_rows, varied
from classifier.distil.ragged import bounds_of, ragged
from classifier.distil.student import initial_embeddings
from classifier.distil.teacher import batches_by_length
from classifier.distil.tokenizer import (
    SPECIAL,
    balanced,
    most_used,
    save_tokenizer,
    train_tokenizer,
)
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


# Reading


def parallel_file(folder: Path, content: str | bytes, name: str = "en-nl.tsv") -> Path:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_read_takes_plain_and_gzipped_files_with_and_without_origin(tmp_path: Path) -> None:
    parallel_file(tmp_path, "\ufeffThe sea.\tDe zee.\r\nThe sky.\tDe lucht.\tmade\r\n")
    parallel_file(tmp_path, gzip.compress("The sea.\tМоре.\n".encode()), "en-uk.tsv.gz")
    assert read_pairs(tmp_path).pairs == (
        Pair("The sea.", "De zee.", "nl"),
        Pair("The sky.", "De lucht.", "nl", "made"),
        Pair("The sea.", "Море.", "uk"),
    )


def test_read_drops_and_counts_what_is_no_translation(tmp_path: Path) -> None:
    rows = ["The sea.\tDe zee.", "Oslo\tOslo", "No tab here", "Half\t", "The sea.\tDe zee."]
    read = read_pairs(parallel_file(tmp_path, "\n".join(rows)))
    assert read.pairs == (Pair("The sea.", "De zee.", "nl"),)
    assert [(p.where, p.reason) for p in read.problems] == [
        ("en-nl.tsv:2", "identical sides"),
        ("en-nl.tsv:3", "missing column"),
        ("en-nl.tsv:4", "empty side"),
        ("en-nl.tsv:5", "repeated pair"),
    ]


@pytest.mark.parametrize(
    ("english", "other", "found"),
    [
        (
            "The harbour was closed all morning because of the heavy storm.",
            "Порт был закрыт всё утро из-за сильного шторма, сообщили рыбаки.",
            "nl is required, py3langid finds ru",
        ),
        (
            "De haven was de hele ochtend gesloten vanwege de zware storm.",
            "De haven bleef de hele ochtend dicht vanwege de zware storm op zee.",
            "en is required, py3langid finds nl",
        ),
    ],
)
def test_read_drops_a_row_in_another_language(
    tmp_path: Path, english: str, other: str, found: str
) -> None:
    read = read_pairs(parallel_file(tmp_path, f"{english}\t{other}\n"))
    assert read.pairs == ()
    assert [(p.reason, p.detail) for p in read.problems] == [("another language", found)]


def test_read_refuses_a_file_without_a_second_column(tmp_path: Path) -> None:
    parallel_file(tmp_path, "one\ntwo\nthree\tdrie\n")
    with pytest.raises(DataError, match=r"separated by a tab; 2 of 3 rows have one column"):
        read_pairs(tmp_path)


def test_read_names_the_line_that_is_not_utf8(tmp_path: Path) -> None:
    parallel_file(tmp_path, b"The sea.\tDe zee.\nThe rain.\tDe r\xe9gen.\n")
    with pytest.raises(DataError, match=r"en-nl\.tsv:2: UTF-8 is required, got byte 0xe9"):
        read_pairs(tmp_path)


def test_read_refuses_a_broken_archive(tmp_path: Path) -> None:
    parallel_file(tmp_path, gzip.compress(b"a\tb\n" * 99)[:-12], "en-nl.tsv.gz")
    with pytest.raises(DataError, match="a readable file is required"):
        read_pairs(tmp_path)


def test_read_refuses_a_folder_without_pairs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"en-<language>\.tsv or \.tsv\.gz, none found"):
        read_pairs(tmp_path)


def test_a_language_unknown_to_py3langid_is_not_judged(tmp_path: Path) -> None:
    row = "The harbour was closed all morning because of the storm.\tquxly " + "blorb " * 10
    read = read_pairs(parallel_file(tmp_path, row, "en-qqq.tsv"))
    assert [pair.language for pair in read.pairs] == ["qqq"]


def pairs_of(language: str) -> list[Pair]:
    return [Pair(english, other, language, "made") for english, other in sentences(language)]


def test_held_out_sentences_are_in_no_training_pair_of_any_language() -> None:
    split = split_pairs([*pairs_of("nl"), *pairs_of("uk")], 40, np.random.default_rng(3))
    secret = {p.english for held in split.held_out.values() for p in held}
    assert {language: len(held) for language, held in split.held_out.items()} == {
        "nl": 40,
        "uk": 40,
    }
    assert not secret & {p.english for p in split.training}


def test_held_out_pairs_come_from_the_wished_origin_first() -> None:
    pairs = [replace(p, origin="news" if n < 60 else "made") for n, p in enumerate(pairs_of("nl"))]
    split = split_pairs(pairs, 50, np.random.default_rng(3), origins=("news",))
    assert {p.origin for p in split.held_out["nl"]} == {"news"}


def test_too_few_pairs_says_how_many_are_needed() -> None:
    with pytest.raises(DataError, match=rf"at least {100 + MINIMUM} usable .* got 60; bring more"):
        split_pairs(pairs_of("nl")[:60], 100, np.random.default_rng(0))


# Alignment


@given(st.lists(st.integers(1, 5), max_size=12), st.lists(st.integers(1, 5), max_size=12))
def test_overlap_links_are_the_pairs_that_share_a_character(s: list[int], t: list[int]) -> None:
    first, second = (
        list(itertools.pairwise(np.cumsum([0, *lengths]).tolist())) for lengths in (s, t)
    )
    expected = [
        (m, n)
        for (m, a), (n, b) in itertools.product(enumerate(first), enumerate(second))
        if a[0] < b[1] and b[0] < a[1]
    ]
    links = overlap_links(first, second)
    assert list(zip(links[::2], links[1::2], strict=True)) == expected


def test_ibm1_tells_words_apart_by_their_company() -> None:
    # 0 stands for [CLS]. "10 11" means "20 21" and "10" alone means "20": so 11 must mean 21.
    student = ragged([[0, 10, 11], [0, 10], [0, 10, 12]])
    teacher = ragged([[20, 21], [20], [22, 20]])
    aligned = align(student, teacher, iterations=20)
    assert [row.tolist() for row in (aligned.links[n] for n in range(3))] == [
        [1, 0, 2, 1],
        [1, 0],
        [2, 0, 1, 1],
    ]


def test_ibm1_first_step_spreads_each_teacher_token_evenly() -> None:
    # One step from equal chances: each of the 2 teacher tokens is shared by 0, 10 and 11.
    aligned = align(ragged([[0, 10, 11]]), ragged([[20, 21]]), iterations=1)
    assert aligned.weight.tolist() == pytest.approx([1 / 3] * 6)


def test_initial_embeddings_are_weighted_means_of_the_teachers_length() -> None:
    # Token 0 means both teacher tokens equally: direction (1, 1), length (1 + 3) / 2 = 2.
    counts = csr_array(np.array([[2.0, 2.0], [0.0, 5.0], [0.0, 0.0]], dtype=np.float32))
    table = initial_embeddings(counts, np.array([[1, 0], [0, 3]], dtype=np.float32))
    # The plain mean of token 0 is (0.5, 1.5), of length sqrt(2.5).
    expected = [[0.5 * 2 / 2.5**0.5, 1.5 * 2 / 2.5**0.5], [0.0, 3.0], [0.5, 1.5]]
    np.testing.assert_allclose(table, expected, rtol=1e-6)


@given(st.lists(st.lists(st.integers(0, 99), max_size=5), min_size=1, max_size=9), st.data())
def test_taking_rows_is_indexing_them(rows: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9))
    taken = ragged(rows).take(np.array(chosen, dtype=np.int64))
    assert [taken[n].tolist() for n in range(len(taken))] == [rows[n] for n in chosen]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(0, 9))
def test_batches_hold_every_row_once_and_stay_small(lengths: list[int], seed: int) -> None:
    own = np.array(lengths)
    batches = list(batches_by_length(own, 80, np.random.default_rng(seed)))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(own)))
    assert all(len(batch) * own[batch].max() <= 80 for batch in batches)


# Tokenizer

LINES = (
    "İstanbul'da ışık söndü, ağaçlar kıpırdadı.",
    "De zeeën en de ruïne, coördinatie in het vóórjaar.",
    "Подъезд, ёлка, который и мой.",
    "Їжак і ґанок, п'ять об'єктів.",
    "The naïve sailor's boat.",
)


@pytest.fixture(scope="module")
def small() -> Tokenizer:
    return train_tokenizer(LINES * 3, 1000, cased=False)


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    return [
        token.removeprefix("##")
        for token in tokenizer.encode(text, add_special_tokens=False).tokens
    ]


def test_the_vocabulary_starts_with_the_special_tokens(small: Tokenizer) -> None:
    assert [small.id_to_token(n) for n in range(5)] == list(SPECIAL)
    assert small.encode("ok").ids[0] == SPECIAL.index("[CLS]")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ağaçlar", "ağaçlar"),
        ("Ruïne", "ruïne"),
        ("Мой Їжак", "мойїжак"),
        ("Ёлка", "ёлка"),
        ("İstanbul IŞIK ılık", "istanbulişikılık"),
        ("\u0438\u0306 i\u0308", "йï"),
        ("об\u00adъезд", "объезд"),
        ("«п’ять» “п'ять”", '"п\'ять""п\'ять"'),
    ],
)
def test_letters_keep_their_accents(small: Tokenizer, text: str, read: str) -> None:
    assert "".join(pieces(small, text)) == read


def test_given_pieces_split_text_as_the_tokenizer_they_come_from() -> None:
    english = [e for e, _ in sentences("nl")]
    source = train_tokenizer(english, 400, cased=False)
    given = most_used(source, english, 60)
    # Sixty suffice for the few words there are; unused pieces and special ones are not given.
    assert len(given) < 60
    assert not set(given) & set(SPECIAL)
    foreign = [f for _, f in sentences("uk")]
    tokenizer = train_tokenizer(foreign, 700, cased=False, given=given)
    assert tokenizer.get_vocab_size() <= 700
    assert tokenizer.encode(english[5]).tokens == source.encode(english[5]).tokens


def test_cased_keeps_capitals() -> None:
    tokenizer = train_tokenizer(LINES * 3, 1000, cased=True)
    assert "".join(pieces(tokenizer, "İstanbul IŞIK")) == "İstanbulIŞIK"


ODD = st.text(
    st.sampled_from(
        "aZ iİıIğŞçéïйЙіїҐёё'’«»“”.,-0€\u0301\u0306\u0308\u00ad\u200b\ufe0f\t\n😀👍🏽ﬁ中"
    ),
    max_size=30,
)


def assert_offsets_exact(tokenizer: Tokenizer, text: str) -> None:
    """Tokens stand in order and read what stands there; no visible letter is left out."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    covered: set[int] = set()
    last = 0
    for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
        assert last <= start < end
        last = whole = end
        while whole < len(text) and (unicodedata.combining(text[whole]) or hidden(text[whole])):
            whole += 1  # a mark that was composed with the letter before it belongs to the letter
        covered |= set(range(start, end))
        if token != SPECIAL[1]:
            read = {tokenizer.normalizer.normalize_str(text[start:n]) for n in (end, whole)}
            assert token.removeprefix("##") in read
    visible = {n for n, c in enumerate(text) if not (c.isspace() or hidden(c))}
    first = {n for n in visible if unicodedata.combining(text[n])}
    assert visible - first <= covered


def hidden(character: str) -> bool:
    return character in "\u00ad\u200b\ufe0f"


@given(ODD)
@settings(max_examples=300)
def test_offsets_are_exact(text: str) -> None:
    assert_offsets_exact(SMALL, text)


SMALL = train_tokenizer(LINES * 3, 1000, cased=False)


def test_small_languages_are_read_more_than_once_for_the_vocabulary() -> None:
    texts = list(balanced({"ru": ["abcdefghij"], "uk": ["abcde"], "nl": ["a"]}))
    assert [texts.count(some) for some in ("abcdefghij", "abcde", "a")] == [1, 2, 4]


# The whole recipe


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
    with pytest.raises(DataError, match="delete the folder or choose another output folder"):
        distil(replace(options, seed=2))


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


def test_bounds_start_at_zero() -> None:
    assert bounds_of(np.array([], dtype=np.int64)).tolist() == [0]


# The base that ships

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


@shipped
def test_the_shipped_tokenizer_has_exact_offsets() -> None:
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED).backend_tokenizer

    @given(ODD)
    @settings(max_examples=200)
    def check(text: str) -> None:
        assert_offsets_exact(tokenizer, text)

    check()
