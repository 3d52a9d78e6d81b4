"""The report: what is known as one page, section by section."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from classifier.agreement import THRESHOLDS, agreement_words
from classifier.codebook import default_codebook
from classifier.evaluation import (
    GROUPS,
    MAJORITY,
    Evaluation,
    Row,
    annotator_test_words,
    majority_passes,
    quality_words,
    variables_judged,
)
from classifier.files import refuse_to_replace
from classifier.notebook_html import short
from classifier.predictions import OK, named
from classifier.profiles import (
    Profile,
)
from classifier.records import ALL, PROFILE_ZONES, UNKNOWN, Article, Estimate, Problem
from classifier.report._charts import (
    agreement_drawings,
    alpha_of,
    annotator_drawings,
    confusion_drawings,
    curve_drawings,
    is_overall,
    label_drawings,
    part_words,
    reliability_drawings,
)
from classifier.report._document import Document, Section, TableBlock, capital, write_document
from classifier.report._drawing import chart_rows
from classifier.report._evidence import Evidence, evidence_payload
from classifier.report._methods import methods_section, methods_text
from classifier.report._profiles import profile_section, time_drawings
from classifier.report._result import result_section

_SUMMARY = "How sources frame countries at every mention: the result, its figures, the evidence."


def write_report(  # noqa: PLR0913 - one for each choice of a user
    evaluation: Evaluation | None,
    profiles: Profile | Sequence[Profile],
    path: Path | str,
    *,
    agreement: pd.DataFrame | None = None,
    evidence: Evidence | None = None,
    about: Mapping[str, str] | None = None,
    force: bool = False,
) -> Path:
    """Write what is known as one page: HTML, or Markdown where the name ends in `.md`.

    The page needs no network and no other file.

    Args:
        evaluation: The model beside the annotators, if it was judged.
        profiles: Profiles of the sources; several groupings may be given. Mentions are sorted by
            their pull on the last one.
        path: Where to write.
        agreement: Agreement between annotators, as `AgreementReport.to_frame` has it.
        evidence: The predictions with their articles and human labels, for what was read and for
            the evidence browser.
        about: Title and value of what else a reader must know: model, data, versions.
        force: Whether a page that is there already is replaced.

    Returns:
        The path of the page.

    Raises:
        DataError: there is nothing to show, or the profiles do not fit the evidence.
        ReplaceError: a page is there, and `force` is not set.
    """
    refuse_to_replace(path, force=force)
    several = [profiles] if isinstance(profiles, Profile) else list(profiles)
    codebook = default_codebook() if evidence is None else evidence.codebook
    titles = {target.name: target.title for target in codebook.targets}
    result = result_section(several, evaluation, agreement, codebook)
    sections = [] if result is None else [result]
    sections += _told_once(profile_section(one, _title(one)) for one in several)
    if evidence is not None:
        through_time = time_section(evidence.predictions, titles)
        sections += [] if through_time is None else [through_time]
    after = max(len(sections) - 1, 0)
    sections += _further(evaluation, agreement, evidence, titles)
    sections.append(methods_section(methods_text(evaluation, several, agreement, evidence)))
    payload = None
    if evidence is not None and Path(path).suffix != ".md":
        payload = evidence_payload(evidence, several[-1] if several else None)
    document = Document(
        "Stance and framing", _SUMMARY, tuple(sections), about or {}, payload, after
    )
    return write_document(document, Path(path))


def _told_once(sections: Iterable[Section]) -> Iterator[Section]:
    """The sections without what an earlier one says already, but for what is estimated."""
    said = set[str]()
    for section in sections:
        first, *rest = section.paragraphs
        yield replace(section, paragraphs=(first, *(words for words in rest if words not in said)))
        said |= set(rest)


def _further(
    evaluation: Evaluation | None,
    agreement: pd.DataFrame | None,
    evidence: Evidence | None,
    titles: Mapping[str, str],
) -> Iterator[Section]:
    if agreement is not None:
        yield agreement_section(agreement, titles)
    if evaluation is not None:
        yield evaluation_section(evaluation)
        yield calibration_section(evaluation)
    if evidence is not None:
        yield coverage_section(evidence.predictions, evidence.articles, evidence.problems)


def _title(profile: Profile) -> str:
    groups = " and ".join(profile.rows[0].group) if profile.rows else "source"
    return f"Profiles by {groups}"


def agreement_section(frame: pd.DataFrame, titles: Mapping[str, str]) -> Section:
    """Agreement between annotators; columns as `AgreementReport.to_frame` has them.

    Args:
        frame: Alpha per variable and part.
        titles: What people read for the targets.
    """
    return Section(
        "Agreement between the annotators",
        (
            "Krippendorff's alpha: 1 is perfect agreement, 0 what chance would bring. From "
            f"{THRESHOLDS[1]} on, conclusions are usually called safe, from {THRESHOLDS[0]} on "
            "tentative (Krippendorff 2004).",
            " ".join(agreement_words(frame)),
        ),
        tables=(
            _alphas("Alpha over all mentions", frame[frame["part"] == ALL], titles),
            _alphas("Alpha by part", frame[frame["part"] != ALL], titles),
        ),
        charts=chart_rows(annotator_drawings(frame, titles)),
    )


def evaluation_section(evaluation: Evaluation) -> Section:
    """The model beside the annotators, the linear baseline and the majority class."""
    judged = variables_judged(evaluation)
    said = [quality_words(evaluation, name) for name in judged]
    said += [annotator_test_words(evaluation, name) for name in judged]
    return Section(
        "The model beside the annotators",
        (
            "On the same held-out mentions; intervals come from resampling articles.",
            *([f"{capital(evaluation.gold)}."] if evaluation.gold else []),
            *(capital(words) for words in said if words),
        ),
        tables=_filled(
            _overall("Against gold", evaluation, "accuracy"),
            _overall("Agreement", evaluation, "agreement"),
            _overall("Per label", evaluation, "labels"),
            _overall("Each annotator's place taken by the model", evaluation, "annotators"),
        ),
        charts=chart_rows(agreement_drawings(evaluation)),
        more=chart_rows(
            label_drawings(evaluation), confusion_drawings(evaluation), curve_drawings(evaluation)
        ),
    )


def calibration_section(evaluation: Evaluation) -> Section:
    """Whether the model's probabilities mean what they say."""
    return Section(
        "Calibration",
        (
            "A calibrated model is right in 70 % of the cases that it gives a probability of 0.7. "
            "ECE is the mean gap between the two.",
            *_gaps(evaluation),
        ),
        tables=_filled(_overall("Errors of the probabilities", evaluation, "calibration")),
        charts=chart_rows(reliability_drawings(evaluation)),
    )


def time_section(predictions: pd.DataFrame, titles: Mapping[str, str]) -> Section | None:
    """How the model's means move; None where there are no dates.

    Args:
        predictions: One row per mention.
        titles: What people read for the targets, in their order.
    """
    drawings = time_drawings(predictions, titles)
    if not drawings:
        return None
    text = (
        "These are means of the model's scores and not corrected for its errors: a change here may "
        "be a change in what the articles are about."
    )
    return Section("Through time", (text,), charts=chart_rows(drawings))


def _gaps(evaluation: Evaluation) -> list[str]:
    """The model's calibration error, flagged where few mentions alone would make one as large."""
    sentences = []
    for row in evaluation.table("calibration"):
        gap = row.estimates.get("ece_equal_mass")
        is_ours = row.keys["predictor"] == evaluation.options.predictor
        if not is_ours or not is_overall(row) or gap is None or gap.value is None:
            continue
        variable, n = row.keys["variable"], row.counts["n_forecasts"]
        by_chance = chance_ece(
            bin_row
            for bin_row in evaluation.table("reliability")
            if bin_row.keys["variable"] == variable
            and bin_row.keys["predictor"] == row.keys["predictor"]
            and bin_row.keys["bins"] == "equal mass"
        )
        words = f"{capital(variable)}: ECE {short(gap.value, sign=False)} from {n} forecasts"
        if gap.value < 2 * by_chance:
            words += (
                ", which is too high: with so few, a perfectly calibrated model shows about "
                f"{short(by_chance, sign=False)}"
            )
        sentences.append(f"{words}.")
    return sentences


def chance_ece(bins: Iterable[Row]) -> float:
    """The calibration error that a perfectly calibrated model shows by chance.

    In a bin of n forecasts with mean confidence c the share that comes true is off by sqrt(2 c
    (1 - c) / (π n)) on average (mean of a half-normal distribution, items independent).
    """
    total, gaps = 0, 0.0
    for row in bins:
        n, confidence = row.counts["n"], row["confidence"].value
        if n and confidence is not None:
            total += n
            gaps += n * math.sqrt(2 * confidence * (1 - confidence) / (math.pi * n))
    return gaps / total if total else 0.0


def _alphas(caption: str, frame: pd.DataFrame, titles: Mapping[str, str]) -> TableBlock:
    rows = tuple(
        (
            line["variable"],
            part_words(line["part"], titles),
            alpha_of(line),
            line["n_items"],
            line["n_articles"],
        )
        for line in frame.to_dict("records")
    )
    columns = ("variable", "part", "alpha", "mentions", "articles")
    return TableBlock(caption, columns, rows, is_folded=True)


def _filled(*blocks: TableBlock) -> tuple[TableBlock, ...]:
    return tuple(block for block in blocks if block.rows)


def _overall(caption: str, evaluation: Evaluation, name: str) -> TableBlock:
    """A table of an evaluation over all mentions, folded; its parts are in the JSON.

    No winning rate stands where the majority class passes the test as well.
    """
    rows = [row for row in evaluation.table(name) if is_overall(row)]
    if not rows:
        return TableBlock(caption, (), ())
    keys = [key for key in rows[0].keys if key not in GROUPS]
    figures = list(dict.fromkeys(name for row in rows for name in row.estimates))
    numbers = list(dict.fromkeys(name for row in rows for name in row.numbers))
    lines = tuple(
        (
            *(row.keys[key] for key in keys),
            *(row.numbers.get(number) for number in numbers),
            *(_shown(evaluation, row, figure) for figure in figures),
        )
        for row in rows
    )
    columns = tuple(name.replace("_", " ") for name in (*keys, *numbers, *figures))
    return TableBlock(caption, columns, lines, is_folded=True)


def _shown(evaluation: Evaluation, row: Row, figure: str) -> Estimate | str | None:
    if figure.startswith("winning_rate") and majority_passes(evaluation, row.keys["variable"]):
        return f"says nothing: {MAJORITY} passes too"
    return row.estimates.get(figure)


def coverage_section(
    predictions: pd.DataFrame, articles: Sequence[Article] = (), problems: Sequence[Problem] = ()
) -> Section:
    """Counts of everything that came in, and of what entered no estimate."""
    tables = (
        _by_source(predictions, articles),
        _counts("Mentions by status", "status", predictions["status"]),
        _counts("Mentions by zone", "zone", predictions["zone"]),
        _counts("Mentions by language", "language", predictions["language"]),
        _counts("Mentions by voice", "voice", predictions["voice"]),
        _problems(problems),
    )
    return Section(
        "What was read, and what was not",
        (" ".join(_sentences(predictions, articles)),),
        tables=tuple(table for table in tables if table.rows),
    )


def _sentences(predictions: pd.DataFrame, articles: Sequence[Article]) -> Iterable[str]:
    mentioned = set(predictions["article_id"])
    unscored = int((predictions["status"] != OK).sum())
    yield (
        f"{len(predictions)} mentions of the targets were found in {len(mentioned)} articles; "
        f"{unscored} of them could not be scored."
    )
    silent = [a for a in articles if a.article_id not in mentioned]
    if articles:
        yield f"{len(articles)} articles were read; {len(silent)} of them name no target."
    if "story_id" in predictions:
        stories = predictions.drop_duplicates("article_id")["story_id"].replace("", None).dropna()
        copies = int(stories.duplicated().sum())
        yield (
            f"{copies} articles tell a story that another one tells too, such as wire copies; "
            "the intervals of the profiles count a story once."
        )
    zones = ", ".join(PROFILE_ZONES)
    yield f"Only mentions in {zones} enter the profiles."


def _by_source(predictions: pd.DataFrame, articles: Sequence[Article]) -> TableBlock:
    read = Counter(article.source or UNKNOWN for article in articles)
    found = predictions.assign(source=named(predictions["source"]))
    mentions = found["source"].value_counts().to_dict()
    scored = found.loc[found["status"] == OK, "source"].value_counts().to_dict()
    naming = found.groupby("source")["article_id"].nunique().to_dict()
    dates = found.groupby("source")["date"].agg(["min", "max"])
    rows = [
        (
            source,
            read[source] if articles else None,
            naming.get(source, 0),
            mentions.get(source, 0),
            scored.get(source, 0),
            *(_date(dates, source, end) for end in ("min", "max")),
        )
        for source in sorted({*read, *mentions}, key=lambda name: (name.casefold(), name))
    ]
    columns = ("source", "articles read", "naming a target", "mentions", "scored", "from", "to")
    return TableBlock("By source", columns, tuple(rows), is_folded=True)


def _problems(problems: Sequence[Problem]) -> TableBlock:
    counts = Counter(problem.reason for problem in problems)
    rows = tuple(counts.most_common())
    return TableBlock("Not read, or repaired on reading", ("reason", "n"), rows)


def _date(dates: pd.DataFrame, source: str, end: str) -> str | None:
    value = dates[end].get(source)
    return value if isinstance(value, str) else None


def _counts(caption: str, name: str, values: Iterable[object]) -> TableBlock:
    counts = Counter(value if isinstance(value, str) else UNKNOWN for value in values)
    return TableBlock(caption, (name, "n"), tuple(counts.most_common()), is_folded=True)
