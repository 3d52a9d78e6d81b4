"""The public names of the package: one for every command, and what goes in and comes out."""

from . import agreement, mentions, report, score
from .annotations import check, join_coders, read_annotations, restricted
from .annotations.formats import export, import_annotations
from .articles import read_articles
from .codebook import read_codebook
from .evaluation import EvaluationOptions
from .labels import LabelOptions, read_predictions
from .mentions import find_mentions
from .pipeline import Reading, compare, demo, evaluate, explain, prompt, swap
from .profiles import ProfileOptions, plan, profile, regress
from .prompts import PromptOptions
from .records import Article
from .report import Evidence, chart, write_report
from .sampling import DrawOptions, sample
from .score import load
from .training import TrainOptions, train

__all__ = [
    "Article",
    "DrawOptions",
    "EvaluationOptions",
    "Evidence",
    "LabelOptions",
    "ProfileOptions",
    "PromptOptions",
    "Reading",
    "TrainOptions",
    "agreement",
    "chart",
    "check",
    "compare",
    "demo",
    "evaluate",
    "explain",
    "export",
    "find_mentions",
    "import_annotations",
    "join_coders",
    "load",
    "mentions",
    "plan",
    "profile",
    "prompt",
    "read_annotations",
    "read_articles",
    "read_codebook",
    "read_predictions",
    "regress",
    "report",
    "restricted",
    "sample",
    "score",
    "swap",
    "train",
    "write_report",
]
