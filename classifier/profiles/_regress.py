"""Which sources, months and topics go with the stance: a regression that survives the model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.annotations import AnnotationSet, annotation_set_of, gold_with_chances
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.intervals import corrected_regression
from classifier.labels import Articles
from classifier.notebook_html import frame_html, frame_text
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.predictions import check_same_articles
from classifier.profiles._profile import Table, chances_of, frame_of, profiled_labels
from classifier.profiles._table import (
    IS_FALSE,
    TIMES,
    ProfileOptions,
    check_columns,
    check_gold,
    estimated,
    gold_column,
    is_predicted,
    labels_of,
    score_column,
    select_mentions,
    with_columns,
    with_labels,
)
from classifier.profiles._verdict import describe_draw
from classifier.records import Estimate, counted

INTERCEPT = "intercept"
_MOST_LEVELS = 60


@dataclass(frozen=True)
class Regression(InPapers):
    """Coefficients of a regression on human labels, most of which a model predicted."""

    formula: str
    coefficients: Mapping[str, Estimate]
    """By column: the intercept, "source: B" for a group against its reference, or a number."""
    references: Mapping[str, str]
    """Per column of groups the one that the others are compared with: the first by the alphabet."""
    n_mentions: int
    n_articles: int
    n_coded_articles: int
    n_coded_stories: int
    """Fewer than the coded articles if some are copies of one wire story."""
    model_weight: float
    """λ, 0 to 1: how far the scores were trusted beside the labels."""
    drawn: str
    """How the coded articles were drawn, in words."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Mentions that did not enter, counted by reason."""

    def __iter__(self) -> Iterator[tuple[str, Estimate]]:
        """Column by column."""
        return iter(self.coefficients.items())

    def to_frame(self) -> pd.DataFrame:
        """One row per coefficient; what is not known is missing."""
        rows = [
            {
                "coefficient": name,
                "value": e.value,
                "low": e.low,
                "high": e.high,
                "standard_error": e.standard_error,
                "degrees_of_freedom": e.degrees_of_freedom,
                "status": e.status,
            }
            for name, e in self.coefficients.items()
        ]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; undefined figures are null."""
        plain = {name: asdict(estimate) for name, estimate in self.coefficients.items()}
        rest = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {k: dict(v) if isinstance(v, Mapping) else v for k, v in rest.items()} | {
            "coefficients": plain
        }

    def __repr__(self) -> str:
        """The coefficients with their intervals."""
        return frame_text(self._brief(), self.caption)

    def _repr_html_(self) -> str:
        return frame_html(self._brief(), self.caption, len(self.coefficients))

    @property
    def caption(self) -> str:
        """What was regressed, and on how much it rests."""
        return (
            f"{self.formula}: {counted(self.n_mentions, 'mention')} in "
            f"{counted(self.n_articles, 'article')}, {self.n_coded_articles} coded"
        )

    def notes(self) -> tuple[str, ...]:
        """What a reader must know beside the figures."""
        against = (f"{column} is compared with {name}" for column, name in self.references.items())
        left = (f"left out: {n} mentions, {why}" for why, n in self.left_out.items())
        n, n_stories = self.n_coded_articles, self.n_coded_stories
        copies = (f"{n} coded articles are {n_stories} stories",) if n_stories < n else ()
        return (
            "least squares on labels, corrected for model error (DSL); errors clustered by article",
            *against,
            f"coded articles: {self.drawn}",
            *copies,
            f"weight of the model's scores: {self.model_weight:.2f}",
            *left,
        )

    def paper_table(self) -> PaperTable:
        """One row per coefficient."""
        records = [
            {"coefficient": name, "estimate": e, "SE": e.standard_error}
            for name, e in self.coefficients.items()
        ]
        return table_of_records(self.caption, records, self.notes())

    def _brief(self) -> pd.DataFrame:
        rows = [[name, str(estimate)] for name, estimate in self.coefficients.items()]
        return pd.DataFrame(rows, columns=["coefficient", "estimate"])


def regress(
    predictions: Table,
    gold: Path | str | AnnotationSet,
    formula: str,
    *,
    articles: Articles | None = None,
    mapping: Mapping[str, str] | None = None,
    options: ProfileOptions | None = None,
) -> Regression:
    """Regress stance on source, month or any other columns, corrected for the model's errors.

    Design-based supervised learning (Egami, Hinck, Stewart and Wei 2023): a coded mention enters
    with its label, and corrects the scores of the others by its known chance to be coded.

    Args:
        predictions: A table as scoring writes it, with columns of your own such as a topic; or
            labels as `read_predictions` takes them.
        gold: Annotations of some of the scored articles, drawn at random.
        formula: `outcome ~ column + column`, such as "stance ~ source + month". The outcome is an
            ordinal variable, or one label of a set: "roles=victim". A column of numbers enters as
            it is; any other parts groups, each compared with the first by the alphabet.
        articles: What was labelled, if labels of your own go beyond the articles of `gold`.
        mapping: Their label to ours, with `*` and `?` for any letters.
        options: Zones, estimand and confidence; `by` is what the formula names.

    Returns:
        A coefficient with its interval for the intercept and each column or group.

    Raises:
        DataError: a formula that cannot be read, columns that are not there, or coded articles
            that cannot tell the groups apart.
    """
    annotation_set, (outcome, terms) = annotation_set_of(gold), read_formula(formula)
    if isinstance(predictions, Path | str) or mapping or articles is not None:
        predictions = profiled_labels(
            predictions, articles=articles, gold=annotation_set, mapping=mapping
        )
    table = frame_of(predictions)
    check_same_articles(table, annotation_set)
    terms = with_columns(table, ProfileOptions(by=terms)).by
    variable, label = _outcome(outcome, annotation_set.codebook, table)
    numeric = [t for t in terms if t not in TIMES and _holds_numbers(table, t)]
    groups = tuple(t for t in terms if t not in numeric)
    # With numbers alone nothing parts groups; the target always stands in the table.
    options = replace(options or ProfileOptions(), by=groups or ("target",))
    members, left_out = _members(table, annotation_set, options)
    draw = describe_draw(members, [variable])
    if draw.problem:
        raise DataError(f"a regression needs coded articles drawn with known chances: {draw.words}")
    design, references = _design(members, terms, numeric)
    scores, coded = members[score_column(variable, label)], members[gold_column(variable, label)]
    ids, sampling = members["article_id"], draw.sampling(members)
    fit = corrected_regression(
        design, scores, coded, ids, sampling=sampling, options=options.inference
    )
    return Regression(
        " ".join(formula.split()),
        dict(zip(map(str, design.columns), fit.coefficients, strict=True)),
        references,
        int((~members[IS_FALSE]).sum()),
        int(ids.nunique()),
        int(ids[coded.notna() | members[IS_FALSE]].nunique()),
        fit.n_coded,
        fit.model_weight,
        draw.words,
        left_out,
    )


def _members(
    table: pd.DataFrame,
    annotation_set: AnnotationSet,
    options: ProfileOptions,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The mentions that enter, with their labels, and what was left out."""
    codebook, labels = annotation_set.codebook, gold_with_chances(annotation_set)
    check_columns(table, codebook, options)
    check_gold(table, labels)
    kept, left_out = select_mentions(table, codebook, labels, options)
    if kept.empty:
        raise DataError("a regression needs mentions, but all were left out; see the zones")
    folder = annotation_set.folder
    chances = None if folder is None else chances_of(folder)
    return with_labels(kept, codebook, labels, chances), left_out


def _holds_numbers(table: pd.DataFrame, column: str) -> bool:
    types = pd.api.types
    return (
        column in table
        and types.is_numeric_dtype(table[column])
        and not types.is_bool_dtype(table[column])
    )


def read_formula(formula: str) -> tuple[str, tuple[str, ...]]:
    """The outcome and the columns of a formula such as "stance ~ source + month".

    Raises `DataError` for anything else: an interaction, a power, a column named twice.
    """
    outcome, tilde, right = formula.partition("~")
    terms = tuple(term.strip() for term in right.split("+"))
    plain = all(term.replace("_", "a").replace(" ", "a").isalnum() for term in terms)
    if not tilde or not outcome.strip() or not plain or len(set(terms)) < len(terms):
        raise DataError(
            "a formula such as 'stance ~ source + month' was required, each column once and no "
            f"interaction; got {formula!r}. Make a column of both for an interaction"
        )
    return outcome.strip(), terms


def _outcome(outcome: str, codebook: Codebook, table: pd.DataFrame) -> tuple[Variable, str | None]:
    """The variable that is regressed, and which of its labels if it is a set."""
    name, _, wanted = (part.strip() for part in outcome.partition("="))
    known = {(v.name, label): v for v in estimated(codebook) for label in labels_of(v)}
    variable = known.get((name, wanted or None))
    if variable is None:
        shown = ", ".join(name if label is None else f"{name}={label}" for name, label in known)
        raise DataError(f"an outcome out of {shown} was required, got {outcome!r}")
    if not is_predicted(variable, table):
        raise DataError(f"the predictions have no {variable.name!r}; score again to get it")
    return variable, wanted or None


def _design(
    members: pd.DataFrame, terms: Sequence[str], numeric: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """A column per coefficient, and the group that the others of its column are compared with."""
    columns: dict[str, pd.Series] = {INTERCEPT: pd.Series(1.0, index=members.index)}
    references = {}
    for term in terms:
        if term in numeric:
            n_missing = int(members[term].isna().sum())
            if n_missing:
                raise DataError(
                    f"every mention needs a number in {term!r}, {n_missing} of {len(members)} have "
                    "none; fill them or leave those mentions out"
                )
            columns[term] = members[term].astype(float)
            continue
        values = members[term].astype(str)
        levels = sorted(values.unique(), key=lambda name: (name.casefold(), name))
        if not 1 < len(levels) <= _MOST_LEVELS:
            raise DataError(
                f"{term!r} must part 2 to {_MOST_LEVELS} groups, got {len(levels)}; "
                + ("leave it out" if len(levels) < 2 else "join some of them first")
            )
        references[term] = levels[0]
        columns |= {f"{term}: {name}": (values == name).astype(float) for name in levels[1:]}
    return pd.DataFrame(columns), references
