"""Results as tables, charts, a page with the evidence behind it, and a model card."""

from classifier._verbs import callable_as
from classifier.report._charts import chart, write_chart
from classifier.report._drawing import Chart
from classifier.report._evidence import Evidence, strongest_units
from classifier.report._methods import bibliography, methods_text, model_card
from classifier.report._sections import write_report

__all__ = [
    "Chart",
    "Evidence",
    "bibliography",
    "chart",
    "methods_text",
    "model_card",
    "strongest_units",
    "write_chart",
    "write_report",
]

callable_as(__name__, "classifier.pipeline:report")
