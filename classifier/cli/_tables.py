"""Tables of results for the terminal."""

from typing import TYPE_CHECKING

from rich.table import Table

from classifier.cli._output import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from classifier.evaluation import Evaluation, Row
    from classifier.profiles import Borne, Profile, Ranked


_MOST_DIFFERENCES_SHOWN = 30
_AGREEMENT_FIGURES = (
    "alpha_predictor",
    "alpha_annotators",
    "alpha_difference",
    "winning_rate_clustered",
    "advantage_probability",
)
"""Those that a terminal has room for; --json has them all."""
_GLOSSARY = "words such as advantage probability: docs/glossary.md, and the end of a report"


def profile_table(result: "Profile") -> Table:
    """The means of ordinal variables; the shares are in the JSON and in the report."""
    from classifier.profiles import verdict_words

    rows = [
        [
            *result.names(row),
            row.voice,
            quantity.variable,
            row.n_mentions,
            quantity.corrected.n_coded_articles,
            quantity.naive,
            quantity.corrected,
            *([quantity.pooled or "–"] if result.is_pooled else []),
            verdict_words(result, row, quantity),
        ]
        for row in result
        for quantity in row.quantities
        if quantity.label is None
    ]
    groups = list(result.rows[0].group) if result.rows else []
    columns = [*groups, "voice", "variable", "mentions", "coded", "model only", "corrected"]
    pooled = ["pooled"] if result.is_pooled else []
    return table([*columns, *pooled, "verdict"], rows)


def borne_lines(found: "tuple[Borne, ...]") -> list[str | Table]:
    """What few coded articles can say, before what was asked; nothing where that has its means."""
    from classifier.profiles import best_borne

    if not found:
        return []
    lines: list[str | Table] = [
        f"means with an interval: {', '.join(map(str, found))} (8 coded articles are needed)"
    ]
    best = best_borne(found)
    if best is None:
        return [*lines, "The coded articles are too few for any of these; code more at random."]
    how = ",".join(best.by)
    return [*lines, f"what the coded articles can bear (--by {how}):", profile_table(best.profile)]


def withheld_line(result: "Profile", remedy: str) -> list[str]:
    """How many means cannot be told, where there are any, and what helps."""
    from classifier.profiles import ALL_VOICES

    means = [
        quantity.corrected
        for row in result
        if row.voice == ALL_VOICES
        for quantity in row.quantities
        if quantity.label is None
    ]
    withheld = sum(mean.value is None for mean in means)
    if not withheld:
        return []
    groups = " and ".join(result.rows[0].group)
    return [
        f"{withheld} of {len(means)} means by {groups} are withheld for want of labels; {remedy}"
    ]


def comparison_lines(result: "Profile") -> list[str | Table]:
    """Differences and ranks of means in all voices; --json has the author's own voice too."""
    from classifier.profiles import ALL_VOICES

    differences = [
        (", ".join(d.group.values()), d.variable, f"{d.first} minus {d.second}", d.estimate)
        for d in result.differences
        if d.voice == ALL_VOICES and d.label is None
    ]
    ranks = [
        (", ".join(r.group.values()), r.variable, e.name, _place(e), e.estimate)
        for r in result.rankings
        if r.voice == ALL_VOICES and r.label is None and len(r.entries) > 1
        for e in r.entries
    ]
    lines: list[str | Table] = []
    if differences:
        lines.append("corrected differences, each with an interval of its own:")
        columns = ["within", "variable", "difference", "value"]
        lines.append(table(columns, differences[:_MOST_DIFFERENCES_SHOWN]))
    if len(differences) > _MOST_DIFFERENCES_SHOWN:
        rest = len(differences) - _MOST_DIFFERENCES_SHOWN
        lines.append(f"... and {rest} more; --json lists them all")
    if ranks:
        lines.append("ranks, highest first, with intervals that hold for all sources at once:")
        lines.append(table(["within", "variable", "source", "rank", "corrected"], ranks))
    return lines


def _place(entry: "Ranked") -> str:
    return str(entry.rank) if entry.rank else f"none ({entry.best} to {entry.worst})"


def alpha_table(frame: "pd.DataFrame", title: str = "") -> Table:
    """Alpha per variable and part; the status says why there is no value, or no interval."""
    columns = ["variable", "part", "alpha", "low", "high", "n_items", "n_articles"]
    known = frame[columns].astype(object).where(frame[columns].notna(), None)
    rows = [
        [*row, _why(status, interval)]
        for row, status, interval in zip(
            known.to_numpy().tolist(), frame["status"], frame["interval_status"], strict=True
        )
    ]
    return table([*columns, "status"], rows, title)


def _why(status: str, interval_status: str) -> str:
    has_none = status == "ok" and interval_status != "ok"
    return f"no interval: {interval_status}" if has_none else status


def interval_lines(result: "Evaluation") -> list[str]:
    """Why figures against gold have no interval, where they have none."""
    reasons = {
        figure.interval_status
        for row in result.table("accuracy")
        for figure in row.estimates.values()
        if figure.value is not None and figure.low is None
    }
    return [f"some figures have no interval: {'; '.join(sorted(reasons))}"] if reasons else []


def accuracy_table(result: "Evaluation") -> Table:
    """Every predictor against gold."""
    return _estimate_table([*result.table("accuracy")])


def agreement_lines(result: "Evaluation") -> list[str | Table]:
    """Model-annotator agreement over all mentions; the parts are in the JSON and the report."""
    from classifier.evaluation import (
        GROUPS,
        annotator_test_words,
        majority_passes,
        quality_words,
        variables_judged,
    )
    from classifier.records import ALL

    rows = [
        row
        for row in result.table("agreement")
        if all(row.keys.get(group, ALL) == ALL for group in GROUPS)
    ]
    absent = {
        name: sorted({row.estimates[name].status for row in rows if name in row.estimates})
        for name in _AGREEMENT_FIGURES
        if all(name not in row.estimates or row.estimates[name].value is None for row in rows)
    }
    shown = [name for name in _AGREEMENT_FIGURES if name not in absent]
    reasons = [f"{name.replace('_', ' ')}: {'; '.join(why)}" for name, why in absent.items() if why]
    judged = variables_judged(result)
    if any(majority_passes(result, name) for name in judged):
        shown = [name for name in shown if not name.startswith("winning_rate")]
    said = [quality_words(result, name) for name in judged]
    said += [annotator_test_words(result, name) for name in judged]
    words = [line for line in said if line]
    return [
        *([_estimate_table(rows, shown)] if rows and shown else []),
        *reasons,
        *words,
        *([_GLOSSARY] if words else []),
    ]


def _estimate_table(rows: "Sequence[Row]", chosen: "Sequence[str]" = ()) -> Table:
    """Variable and predictor, then the chosen figures, or all that any of the rows has."""
    names = list(chosen or dict.fromkeys(name for row in rows for name in row.estimates))
    cells = [
        [row.keys["variable"], row.keys["predictor"], *(row.estimates.get(name) for name in names)]
        for row in rows
    ]
    return table(["variable", "predictor", *(name.replace("_", " ") for name in names)], cells)
