"""`chart(result)` draws any result, for a notebook; what is drawn is registered by type.

So results need not know how they are drawn, and a type of your own can join:
`chart.register(MyResult)(my_function)`.
"""

from functools import singledispatch

import altair as alt
import pandas as pd

from classifier.errors import DataError
from classifier.evaluation import Evaluation
from classifier.explanations import Explanation
from classifier.predictions import Predictions
from classifier.profiles import Profile
from classifier.report.drawing import Chart, Drawing
from classifier.report.evaluation_charts import EVALUATION_CHARTS, annotator_drawings
from classifier.report.profile_charts import mean_drawings, share_drawings
from classifier.report.time_charts import time_drawings
from classifier.report.word_charts import word_drawings

_WIDTH = 420


@singledispatch
def chart(result: object, what: str = "") -> Chart:
    """The chart of a result.

    Args:
        result: A profile, an evaluation, predictions, an explanation, or a frame of agreement
            between annotators.
        what: Of a profile "means" or "shares"; of an evaluation "agreement", "labels",
            "reliability", "confusion" or "learning_curve".

    Raises:
        DataError: there is no such chart, or nothing to draw in it.
    """
    raise DataError(
        "a chart needs a Profile, an Evaluation, Predictions, an Explanation or a frame of "
        f"agreement, got {type(result).__name__}"
    )


@chart.register
def _(result: Profile, what: str = "means") -> Chart:
    makers = {"means": mean_drawings, "shares": share_drawings}
    _require(what, list(makers), "a profile")
    return _stacked(makers[what](result))


@chart.register
def _(result: Evaluation, what: str = "agreement") -> Chart:
    _require(what, list(EVALUATION_CHARTS), "an evaluation")
    return _stacked(EVALUATION_CHARTS[what](result))


@chart.register
def _(result: Predictions, what: str = "time") -> Chart:
    _require(what, ["time"], "predictions")
    return _stacked(time_drawings(result.to_frame()))


@chart.register
def _(result: Explanation, what: str = "words") -> Chart:
    _require(what, ["words"], "an explanation")
    return _stacked(word_drawings(result))


@chart.register
def _(result: pd.DataFrame, what: str = "agreement") -> Chart:
    _require(what, ["agreement"], "a frame of agreement")
    return _stacked(annotator_drawings(result))


def _require(what: str, known: list[str], whose: str) -> None:
    if what not in known:
        raise DataError(f"{whose} has the charts {', '.join(known)}; got {what!r}")


def _stacked(drawings: list[Drawing]) -> Chart:
    if not drawings:
        raise DataError("a chart needs figures, but this result has none of that kind")
    charts = [d.chart.properties(title=d.caption, width=_WIDTH) for d in drawings]
    return alt.vconcat(*charts).resolve_scale(color="independent", shape="independent")
