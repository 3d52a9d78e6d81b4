"""The result: one chart, and who frames whom how, how sure, and what not to trust."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from classifier.agreement import THRESHOLDS, agreement_words
from classifier.codebook import Codebook, Variable
from classifier.evaluation import (
    Evaluation,
    Row,
    is_no_better,
    quality_words,
    variables_judged,
)
from classifier.notebook_html import short
from classifier.profiles import (
    ALL_VOICES,
    Profile,
    ProfileRow,
    Quantity,
    disagreement_words,
    disagrees,
    published,
)
from classifier.records import ALL, Estimate, counted
from classifier.report._charts import is_overall
from classifier.report._document import Section, capital
from classifier.report._drawing import chart_rows
from classifier.report._profiles import result_drawing

_MOST_NAMED = 5
_MOST_ROWS = 60
_ERRS = 0.05


class Mean(NamedTuple):
    """A mean in all voices, and what of it may be published."""

    row: ProfileRow
    quantity: Quantity
    figure: Estimate | None


def result_section(
    profiles: Sequence[Profile],
    evaluation: Evaluation | None,
    agreement: pd.DataFrame | None,
    codebook: Codebook,
) -> Section | None:
    """What a reader came for; None where there is no mean of an ordinal variable.

    The profile that parts most is shown as long as half of its means can be published.
    """
    shown = _chosen(profiles)
    if shown is None:
        return None
    profile, variable = shown
    drawing = result_drawing(profile, variable)
    means = _means(profile, variable)
    known = codebook.variable(variable) if codebook.has_variable(variable) else None
    points = (
        ("Who frames whom how", _framing(profile, means, known)),
        ("How sure", _certainty(means, evaluation, agreement, variable)),
        ("What not to trust", _doubts(profiles, means, evaluation, agreement, variable)),
    )
    return Section("The result", points=points, charts=chart_rows([drawing] if drawing else []))


def _chosen(profiles: Sequence[Profile]) -> tuple[Profile, str] | None:
    """The profile to show and its first ordinal variable."""
    known = [(one, name) for one in profiles if (name := _first_mean(one))]
    for profile, name in reversed(known):
        means = _means(profile, name)
        n_published = sum(mean.figure is not None for mean in means)
        if 2 * n_published >= len(means) and len(means) <= _MOST_ROWS:
            return profile, name
    return known[0] if known else None


def _first_mean(profile: Profile) -> str | None:
    names = (q.variable for row in profile for q in row.quantities if q.label is None)
    return next(names, None)


def _means(profile: Profile, variable: str) -> list[Mean]:
    return [
        Mean(row, quantity, published(row, quantity))
        for row in profile
        for quantity in row.quantities
        if row.voice == ALL_VOICES and (quantity.variable, quantity.label) == (variable, None)
    ]


def _framing(profile: Profile, means: Sequence[Mean], variable: Variable | None) -> str:
    """The groups whose interval leaves out 0, by side and target."""
    names = (variable.names[0], variable.names[-1]) if variable else ("below 0", "above 0")
    if not any(mean.figure for mean in means):
        return "Nobody can tell yet: no mean could be corrected for the model's errors."
    by_side: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for row, _, figure in means:
        if figure is None or figure.value is None or _side(figure) == 0:
            continue
        *outer, last = profile.names(row)
        side = names[0] if _side(figure) < 0 else names[1]
        place = (last, side) if outer else ("", side)
        entry = (figure.value, ", ".join(outer) or last)
        by_side.setdefault(place, []).append(entry)
    sentences = [_one_side(place, found) for place, found in by_side.items()]
    unclear = sum(1 for mean in means if mean.figure and _side(mean.figure) == 0)
    if unclear:
        sentences.append(
            f"In {unclear} of {counted(len(means), 'group')} the interval holds 0: no side is sure."
        )
    return " ".join(sentences)


def _one_side(place: tuple[str, str], found: list[tuple[float, str]]) -> str:
    target, side = place
    strongest = sorted(found, key=lambda one: -abs(one[0]))
    named = ", ".join(f"{name} ({short(value)})" for value, name in strongest[:_MOST_NAMED])
    rest = len(found) - _MOST_NAMED
    more = f" and {rest} more" if rest > 0 else ""
    head = f"{side[:1].upper()}{side[1:]}" + (f" to {target}" if target else "")
    return f"{head}: {named}{more}."


def _side(figure: Estimate) -> int:
    if figure.low is not None and figure.low > 0:
        return 1
    return -1 if figure.high is not None and figure.high < 0 else 0


def _certainty(
    means: Sequence[Mean],
    evaluation: Evaluation | None,
    agreement: pd.DataFrame | None,
    variable: str,
) -> str:
    sentences = []
    figures = [mean.figure for mean in means if mean.figure]
    widths = sorted(
        (f.high - f.low) / 2 for f in figures if f.low is not None and f.high is not None
    )
    if widths:
        coded = [figure.n_coded_articles for figure in figures]
        middle = short(widths[len(widths) // 2], sign=False)
        span = f"{min(coded)}" if min(coded) == max(coded) else f"{min(coded)} to {max(coded)}"
        sentences.append(
            f"{len(figures)} of {counted(len(means), 'mean')} can be published, each from {span} "
            f"coded articles; the middle interval is ± {middle} wide. By chance 1 interval in "
            f"{round(1 / _ERRS)} misses."
        )
    alphas = _alphas(evaluation, agreement, variable)
    if alphas:
        sentences.append(f"Krippendorff's alpha for {variable}, {alphas}.")
    return " ".join(sentences) or "No figure has an interval that allows for the model's errors."


def _alphas(evaluation: Evaluation | None, agreement: pd.DataFrame | None, variable: str) -> str:
    """Alpha between annotators, and of the model with them: side by side on the same mentions only.

    Where no mention has the model and two annotators, each figure says which mentions it is of.
    """
    parts = []
    for row in [] if evaluation is None else _overall(evaluation, variable):
        model, annotators = row["alpha_predictor"], row["alpha_annotators"]
        mentions, figure = counted(model.n_items, "mention"), short(model.value or 0.0, sign=False)
        if model.value is not None and annotators.value is not None:
            return (
                f"on the same {mentions}: annotators with each other "
                f"{short(annotators.value, sign=False)}, model with annotators {figure}"
            )
        if model.value is not None:
            parts.append(f"model with annotators on {mentions}: {figure}")
    if agreement is not None:
        is_it = (agreement["variable"] == variable) & (agreement["part"] == ALL)
        parts += [
            f"annotators with each other on {counted(int(n), 'mention')}: "
            f"{short(float(value), sign=False)}"
            for value, n in agreement.loc[is_it, ["alpha", "n_items"]].to_numpy()
            if not pd.isna(value)
        ]
    apart = " (other mentions: do not compare the two)" if len(parts) > 1 else ""
    return "; ".join(parts) + apart


def _overall(evaluation: Evaluation, variable: str) -> list[Row]:
    """The row of the predictor's agreement over all mentions, if there is one."""
    return [
        row
        for row in evaluation.table("agreement")
        if row.keys["variable"] == variable
        and row.keys["predictor"] == evaluation.options.predictor
        and is_overall(row)
    ]


def _doubts(
    profiles: Sequence[Profile],
    means: Sequence[Mean],
    evaluation: Evaluation | None,
    agreement: pd.DataFrame | None,
    variable: str,
) -> str:
    sentences = [*_model_doubts(profiles[0], variable), *_withheld(means)]
    if evaluation is not None:
        judged = [name for name in variables_judged(evaluation) if is_no_better(evaluation, name)]
        sentences += [capital(quality_words(evaluation, name)) for name in judged]
    if agreement is not None:
        is_low = agreement["alpha"] < THRESHOLDS[0]
        sentences += agreement_words(agreement[is_low])
    if not sentences:
        return (
            "No test speaks against these figures; a model's mean alone is never to be published."
        )
    return " ".join(sentences)


def _model_doubts(profile: Profile, variable: str) -> list[str]:
    """Where model and labels disagree in the profile that parts least, the widest gaps first."""
    apart = [mean for mean in _means(profile, variable) if disagrees(mean.quantity)]
    apart.sort(key=lambda mean: -_gap(mean.quantity))
    words = [disagreement_words(profile, row, quantity) for row, quantity, _ in apart]
    rest = len(words) - _MOST_NAMED
    more = [f"So they do in {rest} more groups."] if rest > 0 else []
    return words[:_MOST_NAMED] + more


def _gap(quantity: Quantity) -> float:
    return abs((quantity.naive.value or 0.0) - (quantity.labelled.value or 0.0))


def _withheld(means: Sequence[Mean]) -> list[str]:
    withheld = [m for m in means if m.quantity.corrected.value is None]
    refuted = [m for m in means if m.row.is_refuted and m.quantity.corrected.value is not None]
    words = []
    if withheld:
        words.append(
            f"{len(withheld)} of {counted(len(means), 'mean')} are withheld; the tables say why."
        )
    if refuted:
        words.append(
            f"In {counted(len(refuted), 'group')} the coded articles do not look like a random "
            "draw: do not use the corrected mean there. 1 honest draw in 20 fails this test too."
        )
    return words
