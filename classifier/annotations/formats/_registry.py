"""Every foreign format, by name."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from classifier.annotations._table import AnnotationSet
from classifier.annotations.formats import _corpora, _inception, _lines, _records, _refi
from classifier.annotations.formats._brat import read_brat, write_brat
from classifier.annotations.formats._codes import NOT_TARGET, TARGET
from classifier.annotations.formats._csv import (
    TABLE_COLUMNS,
    is_sheet,
    read_csv,
    write_csv,
    write_sheet,
)
from classifier.annotations.formats._fields import Terms
from classifier.annotations.formats._foreign import Foreign, Imported
from classifier.annotations.formats._label_studio import write_label_studio
from classifier.annotations.formats._label_studio_in import read_label_studio
from classifier.annotations.formats._understand import understand
from classifier.articles import noted_names
from classifier.codebook import Codebook, default_codebook, read_codebook
from classifier.errors import DataError
from classifier.files import refuse_to_replace
from classifier.records import Article
from classifier.text import RULES, OffsetRule


@dataclass(frozen=True)
class _Tool:
    """A tool's format, whose labels a codebook has to explain."""

    read: Callable[[Path], Foreign]
    scheme: str
    rules: Sequence[OffsetRule] = RULES
    is_one_file: bool = False
    narrow: Callable[[Codebook], Codebook] | None = None
    """Makes the codebook fit a published corpus."""
    settle: Callable[[Foreign, Codebook], Foreign] | None = None
    """Tells by the codebook what the file leaves open."""


_CORPORA: Mapping[str, Callable[[Path], Imported]] = {
    "newsmtsc": _corpora.read_newsmtsc,
    "rusentne": _corpora.read_rusentne,
    "ruopinionne": _corpora.read_ruopinionne,
}
_TOOLS: Mapping[str, _Tool] = {
    "label-studio": _Tool(read_label_studio, "label-studio"),
    "label-studio-min": _Tool(_records.read_label_studio_min, "label-studio"),
    "argilla": _Tool(_records.read_argilla, "argilla", _records.ARGILLA_RULES),
    "potato": _Tool(_records.read_potato, "potato", _records.POTATO_RULES),
    "activetigger": _Tool(_records.read_activetigger, "activetigger", _records.ACTIVETIGGER_RULES),
    "refi-qda": _Tool(_refi.read_refi, "refi-qda", _refi.RULES, settle=_refi.settle),
    "doccano": _Tool(_lines.read_doccano, "doccano", _lines.DOCCANO_RULES, is_one_file=True),
    "inception": _Tool(_inception.read_inception, "inception", _inception.RULES),
    "brat": _Tool(read_brat, "brat"),
    "prodigy": _Tool(_lines.read_prodigy, "prodigy", _lines.PRODIGY_RULES),
    "csv": _Tool(read_csv, "csv"),
    "semeval2025-entity-framing": _Tool(
        _corpora.read_semeval2025,
        _corpora.SEMEVAL2025,
        _corpora.SEMEVAL_RULES,
        narrow=_corpora.semeval_codebook,
    ),
}
_WRITERS: Mapping[str, Callable[[AnnotationSet, Path, pd.DataFrame | None], None]] = {
    "label-studio": write_label_studio,
    "brat": write_brat,
    "csv": write_csv,
}
IMPORT_FORMATS = (*_CORPORA, *_TOOLS)
EXPORT_FORMATS = tuple(_WRITERS)


def import_annotations(
    format_name: str,
    path: Path | str,
    codebook: Codebook | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    mapping: Mapping[str, str] | None = None,
    articles: Sequence[Article] = (),
) -> Imported:
    """Read a foreign file or folder as an annotation set, with a list of everything not as it was.

    Args:
        format_name: one of `IMPORT_FORMATS`.
        path: the file or folder as the tool or the publisher wrote it.
        codebook: what labels mean; by default the codebook that our own export laid beside the
            file, and without one the shipped codebook. A published corpus brings its own.
        columns: Their column or field to ours: a variable, target, annotator or another column of
            the format, such as `{"mood": "stance"}`.
        mapping: Their label to ours, as `read_predictions` takes it: `{"pro-*": "favourable"}`.
        articles: The texts of a CSV that holds none, such as a coding sheet.

    Returns:
        The annotation set, and what was repaired or refused.

    Raises:
        DataError: there is no such format, or nothing of it at `path`; a column or a label is to
            become one that we have not.
        CodebookError: the codebook is malformed.
    """
    path, columns = Path(path), columns or {}
    if format_name in _CORPORA:
        if columns or mapping:
            raise DataError(
                f"{format_name} is a published corpus: its columns and labels are known"
            )
        return _CORPORA[format_name](path)
    if format_name not in _TOOLS:
        raise DataError(f"the formats are {', '.join(IMPORT_FORMATS)}; got {format_name!r}")
    tool = _TOOLS[format_name]
    codebook = codebook or _codebook_beside(path) or default_codebook()
    if tool.narrow:
        codebook = tool.narrow(codebook)
    mapping = mapping or {}
    _check_names(columns, mapping, codebook)
    words = {**mapping, **{k: v for k, v in codebook.counterparts.items() if k not in mapping}}
    mapped = replace(codebook, counterparts=words)
    is_table = tool.read is read_csv
    terms = Terms(tool.scheme, mapped, tool.rules, tool.is_one_file, {} if is_table else columns)
    with noted_names() as names, _collector_paused():
        foreign = read_csv(path, columns, articles) if is_table else tool.read(path)
        imported = understand(tool.settle(foreign, codebook) if tool.settle else foreign, terms)
    taken = {name: ", ".join(found) for name, found in names.taken.items()}
    whole = replace(imported.annotation_set, codebook=codebook)
    inside = path.rglob("[!.]*") if path.is_dir() else (path,)
    n_files = sum(file.is_file() for file in inside)
    odd = tuple(dict.fromkeys(names.unread))
    counts = {**imported.counts, **Counter(problem.reason for problem in odd)}
    return replace(
        imported,
        annotation_set=whole,
        files=n_files,
        names_taken=taken,
        problems=(*imported.problems, *odd),
        counts=counts,
    )


def _check_names(
    columns: Mapping[str, str], mapping: Mapping[str, str], codebook: Codebook
) -> None:
    """Raise `DataError` for a column or label that leads to none of ours."""
    variables = [variable.name for variable in codebook.variables]
    asked = (*variables, TARGET, NOT_TARGET, *TABLE_COLUMNS)
    for theirs, ours in columns.items():
        if ours not in asked:
            raise DataError(f"{theirs}={ours} must lead to one of {', '.join(asked)}")
    labels = [name for variable in codebook.variables for name in variable.names]
    for theirs, ours in mapping.items():
        if ours not in labels:
            raise DataError(f"{theirs}={ours} must lead to one of {', '.join(labels)}")


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No cycles are made here, but the collector looks at all records again and again."""
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()


def export(
    format_name: str,
    annotation_set: AnnotationSet,
    path: Path | str,
    predictions: pd.DataFrame | None = None,
    *,
    annotator: str = "",
    force: bool = False,
) -> None:
    """Write an annotation set for another tool, so that importing it again gives it back.

    Args:
        format_name: one of `EXPORT_FORMATS`.
        annotation_set: articles that nobody annotated are written too, to be annotated.
        path: a .json file for Label Studio, a folder for brat and CSV. CSV to a .csv or .xlsx file
            is a coding sheet: the mentions are filled in, the labels are empty.
        predictions: a model's, shown as pre-annotations; in brat and CSV as an annotator that bears
            the model's name. A coding sheet takes the mentions from it and no label.
        annotator: who will fill in a coding sheet.
        force: Whether a project that is there already is replaced.

    Raises:
        DataError: there is no such format, a text cannot be written as UTF-8, or a coding sheet
            has no mention.
        ReplaceError: something is there, and `force` is not set.
    """
    if format_name not in _WRITERS:
        raise DataError(f"the formats to write are {', '.join(_WRITERS)}; got {format_name!r}")
    refuse_to_replace(path, force=force)
    path = Path(path)
    is_for_coding = format_name == "csv" and is_sheet(path)
    if annotator and not is_for_coding:
        raise DataError(
            f"an annotator is named in a coding sheet (csv to a .csv or .xlsx file), not in {path}"
        )
    try:
        if is_for_coding:
            write_sheet(annotation_set, path, predictions, annotator)
        else:
            _WRITERS[format_name](annotation_set, path, predictions)
    except UnicodeEncodeError as error:
        raise DataError(
            f"{path}: {format_name} needs texts without lone surrogates: {error}"
        ) from None


def _codebook_beside(path: Path) -> Codebook | None:
    beside = path / "codebook.toml" if path.is_dir() else path.with_suffix(".codebook.toml")
    return read_codebook(beside) if beside.is_file() else None
