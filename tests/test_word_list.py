"""Names keep to the word list in CONTRIBUTING.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

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
