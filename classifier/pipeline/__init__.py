"""The stages strung together, for one-call use and for the demo."""

from classifier.pipeline.agreeing import AgreementReport, measure_agreement
from classifier.pipeline.demonstrating import Demo, demonstrate
from classifier.pipeline.drawing import Drawn, DrawOptions, sample, write_sample
from classifier.pipeline.evaluating import evaluate, evaluate_predictions, restricted
from classifier.pipeline.planning import Extended, PlanOptions, extend
from classifier.pipeline.profiling import plan, profile
from classifier.pipeline.reporting import Reported, ReportInputs, bundle, report
from classifier.pipeline.training import train

__all__ = [
    "AgreementReport",
    "Demo",
    "DrawOptions",
    "Drawn",
    "Extended",
    "PlanOptions",
    "ReportInputs",
    "Reported",
    "bundle",
    "demonstrate",
    "evaluate",
    "evaluate_predictions",
    "extend",
    "measure_agreement",
    "plan",
    "profile",
    "report",
    "restricted",
    "sample",
    "train",
    "write_sample",
]
