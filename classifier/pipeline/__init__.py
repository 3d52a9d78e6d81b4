"""The stages strung together, for one-call use and for the demo."""

from classifier.pipeline._checks import Explained, Swaps, explain, swap
from classifier.pipeline._evaluate import (
    JudgedFiles,
    Reading,
    compare,
    evaluate,
    evaluate_files,
    prompt,
)
from classifier.pipeline._report import Demo, Reported, ReportInputs, bundle, demo, report

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
