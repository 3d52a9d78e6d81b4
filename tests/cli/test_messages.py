"""What errors repeat of a user's text, and in whose words they speak."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import classifier
from classifier.errors import ClassifierError, DataError, brief, in_words, shortened
from classifier.intervals import numbers
from classifier.records import Problem

TEXT = "Kyiv won again; Moscow wept. " * 2_500
"""72,500 characters."""
WORD = "x" * 72_000
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    run_command: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Run:
    """Exit code of a command, and all that it says."""
    monkeypatch.chdir(tmp_path)

    def ran(*words: object) -> tuple[int, str]:
        code, out, err = run_command(*words)
        return code, out + err

    return ran


def longest_repeated(message: str, text: str) -> int:
    """Characters of the longest stretch of the message that repeats the text."""
    words = " ".join(message.split())
    n = 0
    for start in range(len(words)):
        while start + n < len(words) and words[start : start + n + 1] in text:
            n += 1
    return n


@pytest.mark.parametrize("text", [TEXT, WORD], ids=["words", "one word"])
@pytest.mark.parametrize(
    "command",
    [
        "mentions {}",
        "score {} --out p.parquet",
        "score {} corpus --out p.parquet",
        "sample {} --n 3 --out drawn",
        "sample corpus --n {} --out drawn",
        "import csv {} --out coded",
        "import {} a.csv --out coded",
        "export {} coded --out a",
        "agreement {}",
        "check {}",
        "train {} --out run",
        "train coded --out run --split-by {}",
        "train coded --out run --set {}",
        "evaluate {} coded",
        "compare coded --predictions {}",
        "swap {}",
        "explain {}",
        "profile {}",
        "plan {} --gold coded",
        "regress {} y~x --gold coded",
        "report {} coded --out page.html",
        "prompt {} --out p.jsonl",
        "{}",
        "mentions corpus --codebook {}",
    ],
)
def test_no_command_repeats_a_long_text(run: Run, command: str, text: str) -> None:
    code, told = run(*(text if word == "{}" else word for word in command.split()))
    assert code in (1, 2)
    assert longest_repeated(told, text) <= 80
    assert "Traceback" not in told


@pytest.mark.parametrize("text", [TEXT, WORD], ids=["words", "one word"])
@pytest.mark.parametrize(
    "call",
    [
        lambda text: classifier.read_articles(text),
        lambda text: classifier.load(text),
        lambda text: classifier.agreement(text),  # type: ignore[operator]
        lambda text: classifier.profile(text),
        lambda text: classifier.read_predictions(text),
        lambda text: classifier.import_annotations("csv", text),
        lambda text: classifier.import_annotations(text, "a.csv"),
    ],
)
def test_no_function_repeats_a_long_text(call: Callable[[str], object], text: str) -> None:
    with pytest.raises((ClassifierError, OSError)) as caught:
        call(text)
    if isinstance(caught.value, ClassifierError):
        assert longest_repeated(str(caught.value), text) <= 80


def test_a_quoted_text_is_cut_and_the_words_around_it_stay() -> None:
    message = str(DataError(f"a date was required, got {TEXT!r}; mend the model's column"))
    assert message.startswith("a date was required, got 'Kyiv won again; Moscow wept.")
    assert message.endswith("…'; mend the model's column")
    assert longest_repeated(message, TEXT) <= 80


def test_apostrophes_are_no_quotes() -> None:
    message = "the model's mean " + "and more words " * 8 + "of the annotators' labels"
    assert shortened(message) == message


def test_the_path_of_a_file_is_never_cut() -> None:
    path = "/home/ines/" + "deep/" * 30 + "articles.jsonl"
    assert brief(path) == path


def test_problems_are_cut_too() -> None:
    problem = Problem("a.csv:2", "malformed article", f"a date was required, got {TEXT!r}")
    assert longest_repeated(problem.detail, TEXT) <= 80


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "json", "csv"])
def test_a_broken_file_is_told_of_in_our_words(run: Run, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"labels.{ending}"
    path.write_bytes(b'{"unit": \xff\x00 broken')
    code, told = run("profile", path)
    assert code == 1
    for word in ("Arrow", "arrow", "pandas", "Parquet magic", "codec", "Traceback"):
        assert word not in told


def test_a_word_among_numbers_is_named() -> None:
    with pytest.raises(DataError, match="stance_score must be numbers, got 'high'"):
        numbers(pd.Series(["0.5", "high"]), "stance_score")


def test_words_of_other_libraries_stay_out() -> None:
    import pyarrow as pa

    assert in_words(pa.ArrowInvalid("Parquet magic bytes not found in footer")) == (
        "what it holds is damaged or of another kind"
    )


def test_a_fault_that_nobody_foresaw_is_no_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("tensor sizes differ")

    monkeypatch.setattr("classifier.articles.read_articles", broken)
    code, told = run("mentions", "corpus")
    assert code == 1
    assert "a fault that nobody foresaw (RuntimeError: tensor sizes differ)" in told
    assert "--verbose" in told
