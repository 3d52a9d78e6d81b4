"""The stages strung together, for one-call use and for the demo."""

from classifier.pipeline._checks import Explained, Swaps, explain, swap
from classifier.pipeline._demo import Demo, demo
from classifier.pipeline._evaluate import evaluate
from classifier.pipeline._labels import JudgedFiles, Reading, compare, evaluate_files, prompt
from classifier.pipeline._report import Reported, ReportInputs, bundle, report

__all__ = [
    "Demo",
    "Explained",
    "JudgedFiles",
    "Reading",
    "ReportInputs",
    "Reported",
    "Swaps",
    "bundle",
    "compare",
    "demo",
    "evaluate",
    "evaluate_files",
    "explain",
    "prompt",
    "report",
    "swap",
]
