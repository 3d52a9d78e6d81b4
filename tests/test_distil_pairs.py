"""Reading parallel sentences, and aligning their words."""

import gzip
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from classifier.distil import read_pairs, split_pairs
from classifier.distil.alignment import align, overlap_links
from classifier.distil.pairs import MINIMUM, Pair
from classifier.distil.ragged import bounds_of, ragged
from classifier.distil.student import initial_embeddings
from classifier.distil.teacher import batches_by_length
from classifier.errors import DataError


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
    """336 pairs, whose English sides are the same in every language."""
    return [Pair(f"Sentence {n}.", f"{language} {n}.", language, "made") for n in range(336)]


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


def test_bounds_start_at_zero() -> None:
    assert bounds_of(np.array([], dtype=np.int64)).tolist() == [0]
