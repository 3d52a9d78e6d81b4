"""`chart(result)` draws any result, for a notebook; what is drawn is registered by type.

So results need not know how they are drawn, and a type of your own can join:
`chart.register(MyResult)(my_function)`.
"""

from functools import singledispatch

import altair as alt
import pandas as pd

from classifier.annotations import AnnotationSet
from classifier.errors import DataError
from classifier.evaluation import Evaluation
from classifier.explanations import Explanation
from classifier.predictions import Predictions
from classifier.profiles import Plan, Profile
from classifier.report.annotation_charts import label_count_drawings, source_count_drawings
from classifier.report.drawing import Chart, Drawing
from classifier.report.evaluation_charts import EVALUATION_CHARTS, annotator_drawings
from classifier.report.profile_charts import mean_drawings, plan_drawings, share_drawings
from classifier.report.time_charts import epoch_drawings, time_drawings
from classifier.report.word_charts import word_drawings

_WIDTH = 420


@singledispatch
def chart(result: object, what: str = "") -> Chart:
    """The chart of a result.

    Args:
        result: A profile, a plan, an evaluation, predictions, an explanation, an annotation set,
            or a frame: of agreement between annotators, or of the epochs of a training.
        what: Of a profile "means" or "shares"; of an evaluation "agreement", "labels",
            "reliability", "confusion" or "learning_curve"; of an annotation set "labels" or
            "sources"; of a frame "agreement" or "epochs".

    Raises:
        DataError: there is no such chart, or nothing to draw in it.
    """
    raise DataError(
        "a chart needs a Profile, a Plan, an Evaluation, Predictions, an Explanation, an "
        f"AnnotationSet or a frame of agreement or epochs, got {type(result).__name__}"
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
def _(result: Plan, what: str = "articles") -> Chart:
    _require(what, ["articles"], "a plan")
    return _stacked(plan_drawings(result))


@chart.register
def _(result: AnnotationSet, what: str = "labels") -> Chart:
    makers = {"labels": label_count_drawings, "sources": source_count_drawings}
    _require(what, list(makers), "an annotation set")
    return _stacked(makers[what](result))


@chart.register
def _(result: pd.DataFrame, what: str = "agreement") -> Chart:
    makers = {"agreement": annotator_drawings, "epochs": epoch_drawings}
    _require(what, list(makers), "a frame")
    return _stacked(makers[what](result))


def _require(what: str, known: list[str], whose: str) -> None:
    if what not in known:
        raise DataError(f"{whose} has the charts {', '.join(known)}; got {what!r}")


def _stacked(drawings: list[Drawing]) -> Chart:
    if not drawings:
        raise DataError("a chart needs figures, but this result has none of that kind")
    charts = [d.chart.properties(title=d.caption, width=_WIDTH) for d in drawings]
    return alt.vconcat(*charts).resolve_scale(color="independent", shape="independent")
