"""The public names of the package: one for every command, and what goes in and comes out."""

from . import agreement, mentions, report, score
from .annotations import check, read_annotations
from .annotations.formats import export, import_annotations
from .articles import read_articles
from .codebook import read_codebook
from .evaluation import EvaluationOptions
from .mentions import find_mentions
from .pipeline import demo, evaluate
from .profiles import ProfileOptions, plan, profile
from .report import chart, write_report
from .sampling import sample
from .score import load
from .training import TrainOptions, train

__all__ = [
    "EvaluationOptions",
    "ProfileOptions",
    "TrainOptions",
    "agreement",
    "chart",
    "check",
    "demo",
    "evaluate",
    "export",
    "find_mentions",
    "import_annotations",
    "load",
    "mentions",
    "plan",
    "profile",
    "read_annotations",
    "read_articles",
    "read_codebook",
    "report",
    "sample",
    "score",
    "train",
    "write_report",
]
