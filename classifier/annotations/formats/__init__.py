"""Foreign annotation formats in and out."""

from classifier.annotations.formats._brat import annotation_conf
from classifier.annotations.formats._codes import NONE_CODED
from classifier.annotations.formats._csv import is_sheet
from classifier.annotations.formats._foreign import Imported
from classifier.annotations.formats._label_studio import labelling_config
from classifier.annotations.formats._refi import codebook_of, read_qdc
from classifier.annotations.formats._registry import (
    EXPORT_FORMATS,
    IMPORT_FORMATS,
    export,
    import_annotations,
)
from classifier.annotations.formats._understand import WITHOUT_LABEL

__all__ = [
    "EXPORT_FORMATS",
    "IMPORT_FORMATS",
    "NONE_CODED",
    "WITHOUT_LABEL",
    "Imported",
    "annotation_conf",
    "codebook_of",
    "export",
    "import_annotations",
    "is_sheet",
    "labelling_config",
    "read_qdc",
]
