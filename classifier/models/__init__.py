"""Models: probabilities from passages.

`_protocol` says what a model does, `_options` what can be chosen. `encoder/` and `_linear` are the
two kinds; `_folder` writes and reads a run.
"""

from classifier.models._bases import (
    PACKED,
    SCALES,
    SHIPPED_START,
    fetch,
    find_base,
    unpacked_folder,
)
from classifier.models._calibration import Calibration, fit_calibration
from classifier.models._folder import (
    CODEBOOK,
    MODEL_CARD,
    RECORD,
    SCHEMES,
    SPLIT,
    START_SPLIT,
    Trained,
    check_place,
    new_model,
    read_record,
    read_run,
    read_split,
    replacing_folder,
    write_run,
)
from classifier.models._folds import FOLDS, OUT_OF_FOLD, FoldedModel, read_folds, write_folds
from classifier.models._options import RuntimeName, TrainOptions
from classifier.models._passages import Examples, Labels, Limits, TokenStarts, cut_all, cut_passages
from classifier.models._processes import (
    broadcast,
    close_process_group,
    is_first,
    n_cores,
    n_processes,
    rank,
    take_own_device,
)
from classifier.models._protocol import (
    HasReader,
    Model,
    Probabilities,
    Progress,
    Reader,
    TextReader,
    macro_f1,
)
from classifier.models._starts import Start, find_start

__all__ = [
    "CODEBOOK",
    "FOLDS",
    "MODEL_CARD",
    "OUT_OF_FOLD",
    "PACKED",
    "RECORD",
    "SCALES",
    "SCHEMES",
    "SHIPPED_START",
    "SPLIT",
    "START_SPLIT",
    "Calibration",
    "Examples",
    "FoldedModel",
    "HasReader",
    "Labels",
    "Limits",
    "Model",
    "Probabilities",
    "Progress",
    "Reader",
    "RuntimeName",
    "Start",
    "TextReader",
    "TokenStarts",
    "TrainOptions",
    "Trained",
    "broadcast",
    "check_place",
    "close_process_group",
    "cut_all",
    "cut_passages",
    "fetch",
    "find_base",
    "find_start",
    "fit_calibration",
    "is_first",
    "macro_f1",
    "n_cores",
    "n_processes",
    "new_model",
    "rank",
    "read_folds",
    "read_record",
    "read_run",
    "read_split",
    "replacing_folder",
    "take_own_device",
    "unpacked_folder",
    "write_folds",
    "write_run",
]
