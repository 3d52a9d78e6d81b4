"""What a report says, section by section, from finished results."""

from collections.abc import Mapping

import pandas as pd

from classifier.evaluation import Evaluation
from classifier.profiles import Profile, Quantity
from classifier.report.document import Section, TableBlock, table_block

_PARTS = ("target", "language", "source", "voice")
_EVERYTHING = "all"
_ESTIMATES = ("model only", "labels only", "corrected")


def agreement_section(frame: pd.DataFrame) -> Section:
    """Agreement between annotators; columns as `AgreementReport.to_frame` has them."""
    return Section(
        "Agreement between the annotators",
        (
            "Krippendorff's alpha, with 95 % intervals from resampling articles. From .80 on, "
            "conclusions are usually called safe, from .667 on tentative (Krippendorff 2004).",
        ),
        (table_block("", frame),),
    )


def evaluation_section(evaluation: Evaluation) -> Section:
    """The model beside the annotators, the linear baseline and the majority class."""
    return Section(
        "The model beside the annotators",
        (
            "All figures are for the same held-out mentions; intervals come from resampling "
            "articles. The agreement of the model with each annotator is set beside that of each "
            "annotator with the others.",
        ),
        tuple(
            block
            for block in (
                _overall("Against gold", evaluation, "accuracy"),
                _overall("Per label", evaluation, "labels"),
                _overall("Agreement", evaluation, "agreement"),
            )
            if block.rows
        ),
    )


def profile_section(profile: Profile, title: str = "Profiles of the sources") -> Section:
    """Means and shares per group; every withheld figure says why."""
    left_out = [f"Left out: {n} mentions, {reason}." for reason, n in profile.left_out.items()]
    return Section(
        title,
        (profile.estimand, _correction(profile), *left_out),
        (_means(profile), _shares(profile)),
    )


def reading_section(predictions: pd.DataFrame, problems: Mapping[str, int]) -> Section:
    """What was read and what was not."""
    status = predictions["status"].value_counts()
    rows = tuple((str(name), int(n)) for name, n in status.items())
    zones = predictions["zone"].value_counts()
    tables = [
        TableBlock("Mentions by status", ("status", "mentions"), rows),
        TableBlock(
            "Mentions by zone",
            ("zone", "mentions"),
            tuple((str(name), int(n)) for name, n in zones.items()),
        ),
    ]
    if problems:
        caption = "Not read, or repaired on reading"
        tables.append(TableBlock(caption, ("reason", "n"), tuple(problems.items())))
    articles = predictions["article_id"].nunique()
    text = f"{len(predictions)} mentions of the targets were found in {articles} articles."
    return Section("What was read", (text,), tuple(tables))


def _overall(caption: str, evaluation: Evaluation, name: str) -> TableBlock:
    """A table of an evaluation over all mentions; its parts are in the JSON."""
    rows = [
        row
        for row in evaluation.table(name)
        if all(row.keys.get(part, _EVERYTHING) == _EVERYTHING for part in _PARTS)
    ]
    if not rows:
        return TableBlock(caption, (), ())
    keys = [key for key in rows[0].keys if key not in _PARTS]
    figures = list(rows[0].estimates)
    lines = tuple(
        (*(row.keys[key] for key in keys), *map(str, row.estimates.values())) for row in rows
    )
    return TableBlock(caption, (*keys, *figures), lines)


def _correction(profile: Profile) -> str:
    if any(row.n_coded_articles for row in profile):
        return (
            "“Corrected” combines the model's scores for all articles with the annotators' labels "
            "for some (prediction-powered inference, clustered by article); it assumes that those "
            "articles were drawn at random. “Model only” is not corrected for model error."
        )
    return (
        "No annotated article was given, so these are the model's means and shares, not corrected "
        "for model error; their intervals say how sure the mean score is, not how sure the stance."
    )


def _means(profile: Profile) -> TableBlock:
    rows = [
        (
            *row.group.values(),
            row.voice,
            row.n_mentions,
            row.n_articles,
            row.n_coded_articles,
            quantity.variable,
            *_three(quantity),
        )
        for row in profile
        for quantity in row.quantities
        if quantity.label is None
    ]
    columns = (*_groups(profile), "voice", "mentions", "articles", "coded", "variable")
    return TableBlock("Means", (*columns, *_ESTIMATES), tuple(rows))


def _shares(profile: Profile) -> TableBlock:
    rows = [
        (
            *row.group.values(),
            row.voice,
            f"{quantity.variable}: {quantity.label}",
            *_three(quantity),
        )
        for row in profile
        for quantity in row.quantities
        if quantity.label is not None
    ]
    columns = (*_groups(profile), "voice", "share of", *_ESTIMATES)
    return TableBlock("Shares", columns, tuple(rows))


def _three(quantity: Quantity) -> tuple[str, str, str]:
    return str(quantity.naive), str(quantity.labelled), str(quantity.corrected)


def _groups(profile: Profile) -> tuple[str, ...]:
    return tuple(profile.rows[0].group) if profile.rows else ()
