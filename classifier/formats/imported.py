"""What every importer returns, and the checks that all of them share."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.annotations import Annotation, AnnotationSet, annotation_table
from classifier.codebook import Codebook, read_codebook
from classifier.errors import DataError
from classifier.records import Article, Problem
from classifier.showing import frame_html, reasons

Found = Article | Annotation | Problem
"""What an importer yields, record by record."""

MAX_BYTES = 512 * 2**20
"""A larger file is refused: no annotation project reaches this, an attack may."""


@dataclass(frozen=True)
class Imported:
    """A foreign file as an annotation set, with everything that was repaired or refused."""

    annotation_set: AnnotationSet
    problems: tuple[Problem, ...]
    counts: Mapping[str, int]
    """Articles and annotations, other figures of the format, and problems by reason."""

    def to_frame(self) -> pd.DataFrame:
        """The annotations, a row each."""
        return self.annotation_set.to_frame()

    def __repr__(self) -> str:
        """What came in, and how much of it was repaired or refused."""
        return f"Imported {self.annotation_set!r}; {reasons(self.problems)}"

    def _repr_html_(self) -> str:
        named = ", ".join(f"{name}: {n}" for name, n in self.counts.items())
        return frame_html(self.to_frame().drop(columns=["unit"]), f"Imported {named};")


def shipped_codebook(name: str) -> Codebook:
    """The codebook of a published corpus, `classifier/formats/codebooks/<name>.toml`."""
    return read_codebook(Path(str(resources.files(__package__))) / "codebooks" / f"{name}.toml")


def imported(
    found: Iterable[Found], codebook: Codebook, counts: Mapping[str, int] | None = None
) -> Imported:
    """Put an import together and count it.

    A second row of one annotator on one mention is left out and listed.
    """
    articles: list[Article] = []
    annotations: dict[tuple[str, str], Annotation] = {}
    problems: list[Problem] = []
    for record in found:
        if isinstance(record, Article):
            articles.append(record)
        elif isinstance(record, Problem):
            problems.append(record)
        else:
            key = (record.unit, record.annotator)
            earlier = annotations.setdefault(key, record)
            if earlier is not record:
                problems.append(_repeat(record, earlier))
    table = annotation_table(annotations.values(), codebook)
    reasons = Counter(problem.reason for problem in problems)
    figures = {"articles": len(articles), "annotations": len(table), **(counts or {}), **reasons}
    return Imported(AnnotationSet(tuple(articles), table, codebook), tuple(problems), figures)


def _repeat(record: Annotation, earlier: Annotation) -> Problem:
    reason = "identical row, dropped" if record == earlier else "coded twice, first kept"
    detail = f"{record.annotator!r} coded this before as {dict(earlier.labels)}"
    return Problem(record.unit, reason, f"{detail}; left out: {dict(record.labels)}")


def text_id(text: str) -> str:
    """An id for an article that came without one; equal texts share it."""
    return f"text-{Article('-', text).sha256[:12]}"


def read_text(path: Path) -> str:
    """A UTF-8 file, line ends untouched; raises `DataError` where it is not there or is none."""
    if not path.is_file():
        raise DataError(f"{path}: a file was required there, none was found")
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"{path}: at most {MAX_BYTES} bytes are read, it has {path.stat().st_size}")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: UTF-8 was required: {error}; save it so") from None


def read_json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Place and object of every line of a file that is not blank; a broken line is a problem."""
    yield from json_lines(read_text(path), path.name)


def json_lines(text: str, name: str) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Place and object of every line that is not blank; a broken line is a problem."""
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{name}:{number}"
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield where, Problem(where, "broken JSON", str(error), "mend the line")
            continue
        if isinstance(record, dict):
            yield where, record
        else:
            yield where, Problem(where, "not an object", f"an object was required: {record!r:.80}")
