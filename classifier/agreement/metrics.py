"""The measures as an `evaluate.Metric`: lists of labels in, a figure with its interval out.

    from classifier.agreement import metrics

    kappa = evaluate.load(metrics.__file__, "cohen_kappa")  # no network is used
    kappa.compute(predictions=["a", "b"], references=["a", "a"], labels=["a", "b"])

`METRICS` lists the names. An undefined figure is None, and `status` says why.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import datasets
import evaluate
import pandas as pd

from classifier.agreement._coding import AgreementOptions, macro_f1_of_table
from classifier.agreement._kappas import fleiss_kappa, gwet, kappa, raw_agreement, scott_pi
from classifier.agreement._krippendorff import alpha
from classifier.codebook import Label, Variable, VariableKind
from classifier.errors import DataError
from classifier.intervals import IntervalOptions
from classifier.records import Estimate

References = Literal["one", "many", "sets", "either"]
"""Labels of one annotator, labels of many, sets of one, or labels or sets of one."""
_LABEL = datasets.Value("string")
_LABELS = datasets.Sequence(_LABEL)
_FEATURES = {
    "one": [(_LABEL, _LABEL)],
    "many": [(_LABEL, _LABELS)],
    "sets": [(_LABELS, _LABELS)],
    "either": [(_LABEL, _LABEL), (_LABELS, _LABELS)],
}
"""Of predictions and of references."""
_INPUTS = {
    "one": ("one label per item", "labels of one annotator, one per item"),
    "many": ("one label per item", "per item the labels of any number of other annotators"),
    "sets": ("one list of labels per item", "lists of labels of one annotator, one per item"),
    "either": (
        "one label, or one list of labels, per item",
        "the gold label, or list of labels, per item",
    ),
}


_ARGUMENTS = """
Args:
    predictions: {}.
    references: {}.
    labels: all labels of the codebook, in its order.
    articles: article of each item, for an interval that resamples articles.
"""


class _Kind(NamedTuple):
    """What one metric measures, of what, and how it is described."""

    measure: Callable[..., Estimate]
    references: References
    description: str
    citation: str = ""


METRICS = {
    "cohen_kappa": _Kind(
        kappa,
        "one",
        "Cohen's kappa; weights by distance in the order of the labels.",
        "Cohen 1960, A coefficient of agreement for nominal scales.",
    ),
    "fleiss_kappa": _Kind(
        fleiss_kappa,
        "many",
        "Fleiss' kappa of the predictions and the references together.",
        "Fleiss 1971, Measuring nominal scale agreement among many raters.",
    ),
    "gwet_ac": _Kind(
        gwet,
        "many",
        "Gwet's AC1 and AC2; the number of labels is that of the codebook.",
        "Gwet 2014, Handbook of inter-rater reliability.",
    ),
    "krippendorff_alpha": _Kind(
        alpha,
        "many",
        """Krippendorff's alpha, 1 - D_o / D_e.

Nominal, ordinal, or interval and ratio with labels numbered in their order from 0.
""",
        "Krippendorff 2011, Computing Krippendorff's alpha-reliability.",
    ),
    "macro_f1": _Kind(
        macro_f1_of_table,
        "either",
        """Mean F1 over the labels that occur in the references.

Labels that only the predictions use lower the others' precision and have no F1 of their own.
""",
    ),
    "masi_alpha": _Kind(
        alpha,
        "sets",
        """Krippendorff's alpha of sets of labels.

An empty set is an answer like any other.
""",
        "Passonneau 2006, Measuring agreement on set-valued items (MASI).",
    ),
    "raw_agreement": _Kind(
        raw_agreement,
        "many",
        "Raw agreement, not corrected for chance.",
    ),
    "scott_pi": _Kind(
        scott_pi,
        "one",
        "Scott's pi; both annotators share one pair of margins.",
        "Scott 1955, Reliability of content analysis.",
    ),
}


class Metric(evaluate.Metric):  # type: ignore[misc]  # `evaluate` ships no types
    """One measure, chosen by its name. `compute` passes `weights` and `level` on to it."""

    @property
    def name(self) -> str:
        """Name of the measure, and of its figure in the result."""
        return str(self.config_name)

    def _info(self) -> evaluate.MetricInfo:
        chosen = _chosen(self.config_name)
        features = [
            datasets.Features({"predictions": first, "references": second})
            for first, second in _FEATURES[chosen.references]
        ]
        return evaluate.MetricInfo(
            description=chosen.description,
            citation=chosen.citation,
            inputs_description=_ARGUMENTS.format(*_INPUTS[chosen.references]),
            features=features if len(features) > 1 else features[0],
        )

    def _compute(
        self,
        predictions: Sequence[Any],
        references: Sequence[Any],
        labels: Sequence[str] | None = None,
        articles: Sequence[str] | None = None,
        **options: str,
    ) -> dict[str, Any]:
        measure, given, *_ = _chosen(self.config_name)
        annotators = {"prediction": predictions}
        annotators |= _by_annotator(references) if given == "many" else {"reference": references}
        holds_sets = given == "either" and any(isinstance(label, list) for label in references)
        has_order = any(value not in ("plain", "nominal") for value in options.values())
        kind: VariableKind = "ordinal" if has_order else "nominal"
        if given == "sets" or holds_sets:
            kind = "set"
        method = IntervalOptions(method="none" if articles is None else "jackknife")
        table = _long_table(annotators, articles)
        figure = measure(
            table, _variable(labels, kind), options=AgreementOptions(method), **options
        )
        return {
            self.name: figure.value,
            "status": figure.status,
            "low": figure.low,
            "high": figure.high,
            "interval_status": figure.interval_status,
            "n_items": figure.n_items,
            "n_articles": figure.n_articles,
        }


def _chosen(name: str | None) -> _Kind:
    if name not in METRICS:
        raise DataError(f"the metrics are {', '.join(METRICS)}; got {name!r}")
    return METRICS[name]


def _variable(labels: Sequence[str] | None, kind: VariableKind) -> Variable:
    """A variable with these labels, in this order, numbered from 0 if they are ordinal."""
    if not labels:
        raise DataError(
            "a metric needs labels=[...], all labels of the codebook in its order: "
            "those in the data may be fewer"
        )
    if len(set(labels)) < len(labels):
        raise DataError(f"a metric needs every label once, got {', '.join(labels)}")
    numbered = [
        Label(name, name, float(i) if kind == "ordinal" else None) for i, name in enumerate(labels)
    ]
    return Variable("label", kind, "given to a metric", tuple(numbered))


def _by_annotator(references: Sequence[Sequence[str]]) -> dict[str, Sequence[str | None]]:
    """Labels per item, of any number of annotators, as labels per annotator."""
    most = max((len(labels) for labels in references), default=0)
    return {
        f"reference {place}": [
            labels[place] if place < len(labels) else None for labels in references
        ]
        for place in range(most)
    }


def _long_table(
    annotators: dict[str, Sequence[Any]], articles: Sequence[str] | None
) -> pd.DataFrame:
    frames = []
    for name, labels in annotators.items():
        if articles is not None and len(articles) != len(labels):
            raise DataError(
                f"one article per item was required: {len(labels)} items, {len(articles)} articles"
            )
        units = [str(i) for i in range(len(labels))]
        columns = {
            "unit": units,
            "article": units if articles is None else [str(a) for a in articles],
            "annotator": name,
            "label": pd.Series(list(labels), dtype=object),
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
