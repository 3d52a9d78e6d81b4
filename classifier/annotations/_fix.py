"""Mend what can be mended in an annotation set, into a new folder, and list all of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.annotations._folder import (
    IDENTICAL,
    OFFSET_REASONS,
    OLDER_LABEL,
    Row,
    Scheme,
    check_record,
    json_lines,
    load,
    without_repeats,
    write_annotations,
)
from classifier.annotations._table import (
    LOST,
    PROBLEMS,
    Annotation,
    AnnotationSet,
    annotation_table,
)
from classifier.codebook import Codebook
from classifier.errors import DataError
from classifier.files import refuse_to_replace, write_json_lines
from classifier.notebook_html import frame_html, reasons
from classifier.records import Problem
from classifier.text import CODE_POINTS, MarkedSpan, resolve_offsets


@dataclass(frozen=True)
class Fixed:
    """A mended annotation set, what was mended in it, and what had to be left out."""

    annotation_set: AnnotationSet
    mended: tuple[Problem, ...]
    left_out: tuple[Problem, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per change: what was done, where, why."""
        done = (("mended", self.mended), ("left out", self.left_out))
        rows = [{"what": what, **asdict(p)} for what, problems in done for p in problems]
        columns = ["what", *(field.name for field in fields(Problem))]
        return pd.DataFrame(rows, columns=columns).drop(columns=["remedy"])

    def __repr__(self) -> str:
        """What the set holds now, and how much was mended and left out."""
        mended, left_out = reasons(self.mended), reasons(self.left_out)
        return f"{self.annotation_set!r}; mended {mended}; left out {left_out}"

    def _repr_html_(self) -> str:
        return frame_html(self.to_frame(), repr(self))


def fix_annotations(
    folder: Path | str,
    out: Path | str,
    codebook: Codebook | None = None,
    *,
    force: bool = False,
) -> Fixed:
    """Write the mended set to `out`, with a line in problems.jsonl for every change.

    Offsets are mended by the way of counting under which all surfaces of an annotator in an
    article fit, or by the only place where a surface stands. Labels are renamed by the codebook's
    recode table. Rows that repeat another exactly are dropped. All else that is wrong is left out,
    and kept in problems.jsonl as it stood.

    Raises:
        DataError: there is no annotation set at `folder`, or `out` is the same folder.
        CodebookError: the codebook is malformed.
        ReplaceError: `out` holds something, and `force` is not set.
    """
    folder, out = Path(folder), Path(out)
    if out.resolve() == folder.resolve():
        raise DataError(f"{out}: the mended set needs a folder of its own, got the one it is from")
    refuse_to_replace(out, force=force)
    loaded = load(folder, codebook)
    scheme = loaded.scheme
    mended: list[Problem] = []
    # once recoded, the labels are of the codebook's own version
    current = replace(scheme, version=None)
    rows = [_recoded(row, scheme, current, mended) for row in loaded.rows]
    rows = _relocated(rows, current, mended)
    left_out = list(loaded.article_problems)
    kept: list[Annotation] = []
    for row in without_repeats(rows):
        if row.annotation is not None:
            kept.append(row.annotation)
        elif [problem.reason for problem in row.problems] == [IDENTICAL]:
            mended.append(replace(row.problems[0], reason="identical row dropped"))
        else:
            left_out += row.problems
    lost = {problem.where for problem in left_out}
    fixed = Fixed(
        AnnotationSet(loaded.articles, annotation_table(kept, scheme.codebook), scheme.codebook),
        tuple(problem for problem in mended if problem.where not in lost),
        tuple(left_out),
    )
    write_annotations(fixed.annotation_set, out, force=force)
    earlier = read_problems(folder)
    write_json_lines(out / PROBLEMS, [*earlier, *_listing(fixed, loaded.rows)])
    return fixed


def _listing(fixed: Fixed, rows: Iterable[Row]) -> list[dict[str, Any]]:
    records = {row.where: row.record for row in rows}
    return [
        {
            "what": what,
            "where": problem.where,
            "reason": problem.reason,
            "detail": problem.detail,
            "row": records.get(problem.where),
        }
        for what, problems in (("mended", fixed.mended), ("left out", fixed.left_out))
        for problem in problems
    ]


def _recoded(row: Row, scheme: Scheme, current: Scheme, mended: list[Problem]) -> Row:
    """The row with the labels that its older ones became."""
    if all(problem.reason != OLDER_LABEL for problem in row.problems):
        return row
    record = dict(row.record)
    changes = []
    for variable in scheme.codebook.variables:
        value = record.get(variable.name)
        names = [n for n in (value if isinstance(value, list) else [value]) if isinstance(n, str)]
        renamed = {name: scheme.recode(variable, name) or name for name in names}
        changes += [f"{old} is {new}" for old, new in renamed.items() if old != new]
        if isinstance(value, list):
            record[variable.name] = list(dict.fromkeys(renamed[name] for name in names))
        elif isinstance(value, str):
            record[variable.name] = renamed[value]
    mended.append(Problem(row.where, "labels recoded", "; ".join(changes)))
    return check_record(record, row.where, current)


def _relocated(rows: list[Row], scheme: Scheme, mended: list[Problem]) -> list[Row]:
    """The rows with offsets that fit, if those of an annotator in an article did not."""
    layers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        if _is_placed(row.record, scheme):
            layers[row.record["article_id"], str(row.record.get("annotator"))].append(n)
    rows = list(rows)
    for members in layers.values():
        wrong = [n for n in members if any(p.reason in OFFSET_REASONS for p in rows[n].problems)]
        if not wrong:
            continue
        places = _places([rows[n] for n in members], scheme)
        for n, place in zip(members, places, strict=True):
            if place is None or (n not in wrong and place[:2] == _offsets(rows[n].record)):
                continue
            start, end, how = place
            row = rows[n]
            surface = scheme.articles[row.record["article_id"]].text[start:end]
            record = {**row.record, "start": start, "end": end, "surface": surface}
            rows[n] = check_record(record, row.where, scheme)
            detail = f"{_offsets(row.record)} became {(start, end)}: {how}"
            mended.append(Problem(row.where, "offsets repaired", detail))
    return rows


def _is_placed(record: Mapping[str, Any], scheme: Scheme) -> bool:
    """Whether the row names an article, whole numbers and a surface."""
    kinds = (("start", int), ("end", int), ("surface", str), ("article_id", str))
    is_typed = all(isinstance(record.get(key), kind) for key, kind in kinds)
    return is_typed and record["article_id"] in scheme.articles


def _offsets(record: Mapping[str, Any]) -> tuple[int, int]:
    return record["start"], record["end"]


_Place = tuple[int, int, str]


def _places(rows: list[Row], scheme: Scheme) -> list[_Place | None]:
    """Offsets that fit and how they were found; None if a row stays as it is."""
    text = scheme.articles[rows[0].record["article_id"]].text
    claims = [MarkedSpan(*_offsets(row.record), row.record["surface"]) for row in rows]
    try:
        rule, spans = resolve_offsets(text, claims)
    except DataError:
        return [_only_place(text, claim) for claim in claims]
    how = "as they are" if rule == CODE_POINTS else f"counted by {rule}"
    return [(span.start, span.end, how) for span in spans]


def _only_place(text: str, claim: MarkedSpan) -> _Place | None:
    """Where the surface stands, if it stands in one place only and not where it should."""
    surface = claim.surface or ""
    if not surface or text[claim.start : claim.end] == surface or text.count(surface) != 1:
        return None
    start = text.index(surface)
    return start, start + len(surface), "the only place where the surface stands"


def read_problems(folder: Path) -> list[dict[str, Any]]:
    """The lines of problems.jsonl; empty where there is none.

    Raises `DataError` if a line cannot be read.
    """
    path = folder / PROBLEMS
    records = []
    for where, record, problem in json_lines(path) if path.is_file() else ():
        if problem or not isinstance(record, dict):
            raise DataError(f"{folder}: an object was required in {where}; mend or delete the file")
        records.append(record)
    return records


def lost_labels(folder: Path | str) -> dict[str, int]:
    """Labels that import or `check --fix` could not keep, by reason."""
    lost: Counter[str] = Counter()
    for record in read_problems(Path(folder)):
        if record.get("what") == LOST:
            lost[str(record.get("reason"))] += int(record.get("labels", 1))
    return dict(lost)
