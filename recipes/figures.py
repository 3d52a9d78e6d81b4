"""How good the shipped scorer is, on articles that nothing was learnt from."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from classifier.annotations import AnnotationSet, adjudicate, recode, restricted
from classifier.codebook import Variable
from classifier.evaluation import Evaluation, EvaluationOptions, evaluate
from classifier.models import Progress
from classifier.records import Estimate
from classifier.score import Scorer
from recipes.corpora import SAMPLE, Test
from recipes.real import REAL

MODEL, LEARNT = "scorer", "learnt"
"""The scorer's answers; where rules find a variable too, what the model says of it."""
_OURS = (REAL, SAMPLE)
_PRECISION = 4
Figure = dict[str, Any]


def measure(
    scorer: Scorer, tests: Iterable[Test], *, progress: Progress | None = None
) -> tuple[list[Figure], dict[str, Any]]:
    """Figures per test, language, variable and predictor; and per language over our own tests.

    A published scheme means something else by its labels. So its tests say nothing of how well our
    labels are read in a language, unless there is no other test.
    """
    figures: list[Figure] = []
    answers: list[pd.DataFrame] = []
    others: list[pd.DataFrame] = []
    for test in tests:
        rows = scorer.score_annotations(test.annotation_set, progress=progress).to_frame()
        own, coded = _measured(test, rows, scorer)
        figures += own
        is_ours = test.name.partition(",")[0] in _OURS
        (answers if is_ours else others).append(coded)
    return figures, _by_language(pd.concat(answers or others, ignore_index=True), scorer)


def _measured(test: Test, rows: pd.DataFrame, scorer: Scorer) -> tuple[list[Figure], pd.DataFrame]:
    annotation_set = test.annotation_set
    if annotation_set.codebook != scorer.codebook:
        annotation_set = recode(annotation_set, scorer.codebook).annotation_set
    gold = adjudicate(annotation_set)
    names = [v.name for v in scorer.variables if v.name in gold and gold[v.name].notna().any()]
    figures = _figures(annotation_set, rows, names, scorer, test.name)
    languages = sorted({str(article.language) for article in annotation_set.articles})
    for language in languages if len(languages) > 1 else ():
        ids = {a.article_id for a in annotation_set.articles if a.language == language}
        part = restricted(annotation_set, ids)
        own = _figures(part, rows, names, scorer, test.name)
        figures += [{**figure, "language": language} for figure in own]
    ok = rows[rows["status"] == "ok"].rename(columns={n: f"said_{n}" for n in names})
    said = ok[["unit", "language", *(f"said_{n}" for n in names)]]
    return figures, gold[["unit", *names]].merge(said, on="unit")


def _figures(
    annotation_set: AnnotationSet,
    rows: pd.DataFrame,
    names: list[str],
    scorer: Scorer,
    test: str,
) -> list[Figure]:
    result = evaluate(
        annotation_set,
        rows,
        baselines=_learnt(rows, names, scorer),
        options=EvaluationOptions(variables=tuple(names), breakdowns=((),), predictor=MODEL),
    )
    variables = [scorer.codebook.variable(name) for name in names]
    return [figure for v in variables for figure in _of_variable(result, test, v)]


def _learnt(rows: pd.DataFrame, names: list[str], scorer: Scorer) -> dict[str, pd.DataFrame]:
    """What the model says of the voice, which the rows tell as the rules find it."""
    voice = next((v for v in scorer.variables if v.name == "voice" and v.name in names), None)
    if voice is None:
        return {}
    columns = list(voice.probability_columns)
    scored = rows[rows["status"] == "ok"]
    places = scored[columns].to_numpy().argmax(axis=1)
    said = scored[["unit"]].assign(**{voice.name: [voice.names[i] for i in places]})
    return {LEARNT: said}


def _of_variable(result: Evaluation, test: str, variable: Variable) -> list[Figure]:
    figures = []
    for row in result.table("accuracy"):
        if row.keys["variable"] != variable.name:
            continue
        predictor = row.keys["predictor"]
        figure = {
            "test": test,
            "language": None,
            "variable": variable.name,
            "predictor": predictor,
            "n_mentions": row.counts["n_judged"],
            "macro_f1": _ends(row["macro_f1"]),
        }
        if predictor == MODEL:
            figure |= _details(result, variable)
        figures.append(figure)
    return figures


def _details(result: Evaluation, variable: Variable) -> Figure:
    """F1 per label, their mean over the labels that are not neutral, and the calibration error."""
    by_label = {
        row.keys["label"]: row["f1"].value
        for row in result.table("labels")
        if row.keys["variable"] == variable.name and row.keys["predictor"] == MODEL
    }
    details: Figure = {"f1_by_label": {k: _rounded(v) for k, v in by_label.items()}}
    if variable.kind == "ordinal":
        pairs = zip(variable.names, variable.numbers, strict=True)
        polar = [by_label.get(name) or 0.0 for name, number in pairs if number]
        details["f1_polar"] = _rounded(sum(polar) / len(polar))
    for row in result.table("calibration"):
        if row.keys["variable"] == variable.name and row.keys["predictor"] == MODEL:
            details["ece"] = _rounded(row["ece_equal_width"].value)
            break
    return details


def _by_language(answers: pd.DataFrame, scorer: Scorer) -> dict[str, Any]:
    """Macro-F1 per variable over all tests in a language, with how many mentions it rests on."""
    trained: Mapping[str, int] = scorer.trained.record["training_languages"]
    return {
        code: {
            "training_mentions": trained.get(code, 0),
            "articles": "held-out",
            "figures": {
                v.name: _figure(answers[answers["language"] == code], v) for v in scorer.variables
            },
        }
        for code in scorer.languages
    }


def _figure(answers: pd.DataFrame, variable: Variable) -> Figure:
    name = variable.name
    if name not in answers:
        return {"macro_f1": None, "n_mentions": 0}
    coded = answers[answers[name].notna() & answers[f"said_{name}"].notna()]
    gold = [_labels(value) for value in coded[name]]
    said = [_labels(value) for value in coded[f"said_{name}"]]
    values = [_f1(label, gold, said) for label in variable.names]
    occurring = [value for value in values if value is not None]
    mean = _rounded(sum(occurring) / len(occurring)) if occurring else None
    return {"macro_f1": mean, "n_mentions": len(coded)}


def _f1(label: str, gold: list[set[str]], said: list[set[str]]) -> float | None:
    """F1 of one label; None if it does not occur in gold."""
    n_gold, n_said = sum(label in g for g in gold), sum(label in s for s in said)
    both = sum(label in g and label in s for g, s in zip(gold, said, strict=True))
    return 2 * both / (n_gold + n_said) if n_gold else None


def _labels(value: Any) -> set[str]:  # noqa: ANN401
    return {value} if isinstance(value, str) else set(value)


def _ends(estimate: Estimate) -> list[float | None]:
    return [_rounded(x) for x in (estimate.value, estimate.low, estimate.high)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), _PRECISION)
