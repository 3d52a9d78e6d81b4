"""Names keep to the word list in CONTRIBUTING.md."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = ("leave_one_out", "LeaveOneOut", "leave_one_annotator_out")
"""Terms of statistics."""


def _forbidden() -> set[str]:
    """The words in the table under "Names that are taken out"."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("### Names that are taken out")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([a-z]+)` \|", section, flags=re.MULTILINE))


def _names() -> Iterator[tuple[Path, str]]:
    for room in ("classifier", "recipes"):
        for file in sorted((ROOT / room).rglob("*.py")):
            yield file, file.stem
            yield file, file.parent.name
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    yield file, node.name


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_a_name_is_cut_into_its_words() -> None:
    assert _words("_join_ranks") == {"join", "ranks"}
    assert _words("MentionContext") == {"mention", "context"}


def test_the_word_list_is_read() -> None:
    words = {"claim", "leave", "ranks", "levelling", "surroundings"}
    words |= {"showing", "lots", "guard", "joining"}
    assert words <= _forbidden()


def test_no_module_class_or_function_bears_a_forbidden_word() -> None:
    forbidden = _forbidden()
    bad = {
        f"{file.relative_to(ROOT)}: {name}"
        for file, name in _names()
        if name not in ALLOWED and _words(name) & forbidden
    }
    assert not bad


def _paragraphs(page: str) -> Iterator[str]:
    """The running text of a page, without code, tables and headings; an item of a list is one."""
    plain = re.sub(r"```.*?```", "\n\n", page, flags=re.DOTALL)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[*-]|\d+\.)\s)", plain):
        lines = [line.strip() for line in paragraph.splitlines() if not line.startswith("    ")]
        yield " ".join(line for line in lines if not line.startswith(("|", "#", "!", ":::")))


def _lengths(paragraphs: Iterable[str]) -> list[int]:
    """How many words each sentence has."""
    sentences = (s for text in paragraphs for s in re.split(r"(?<=[.!?:;])\s+(?=[A-Z`“(\d])", text))
    return [len(sentence.split()) for sentence in sentences if re.search("[a-z]", sentence)]


def _docstrings() -> Iterator[str]:
    for file in sorted((ROOT / "classifier").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
                text = (ast.get_docstring(node) or "").partition(">>> ")[0]
                parts = re.split(r"\n\s*\n|\n    \b", text)
                yield from (re.sub(r"\s+", " ", part) for part in parts)


def test_sentences_are_cut_where_they_end() -> None:
    page = "# Head\n\nOne two three. Four `five`.\n\n```\ncode here\n```\n\n* six seven\n* eight"
    assert _lengths(_paragraphs(page)) == [3, 2, 3, 2]


@pytest.mark.parametrize("kind", ["pages", "docstrings"])
def test_sentences_have_fifteen_words_on_average_at_most(kind: str) -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    texts = (text for page in pages for text in _paragraphs(page.read_text(encoding="utf-8")))
    lengths = _lengths(texts if kind == "pages" else _docstrings())
    assert len(lengths) > 300
    assert fmean(lengths) <= 15
