"""Foreign annotation formats in and out."""

from collections.abc import Callable, Mapping
from pathlib import Path

from classifier.errors import DataError
from classifier.formats.imported import Imported
from classifier.formats.newsmtsc import read_newsmtsc
from classifier.formats.ruopinionne import read_ruopinionne
from classifier.formats.rusentne import read_rusentne

__all__ = ["IMPORTERS", "Imported", "import_annotations"]

IMPORTERS: Mapping[str, Callable[[Path], Imported]] = {
    "newsmtsc": read_newsmtsc,
    "rusentne": read_rusentne,
    "ruopinionne": read_ruopinionne,
}


def import_annotations(format_name: str, path: Path | str) -> Imported:
    """Read a foreign file or folder as an annotation set, with a list of everything not as it was.

    Raises:
        DataError: there is no such format, or nothing of it at `path`.
    """
    if format_name not in IMPORTERS:
        raise DataError(f"the formats are {', '.join(IMPORTERS)}; got {format_name!r}")
    return IMPORTERS[format_name](Path(path))
