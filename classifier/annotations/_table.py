"""The annotation table: one row per mention and annotator, one column per codebook variable."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from classifier._deprecated import DeprecatedChart
from classifier.codebook import Codebook
from classifier.notebook_html import frame_html
from classifier.records import Article, Mention, Span

CURATED = "curated"
"""The annotator of adjudicated labels: they are gold, and no annotator's in any agreement."""

Value = str | frozenset[str] | None
"""A label's name, for a set variable all names that apply, or None where it was not coded."""

_ROWS_SHOWN = 8
_BEFORE_LABELS = ("unit", "article_id", "start", "end", "target", "surface", "annotator")
_AFTER_LABELS = ("not_target", "comment", "speaker", "evidence_start", "evidence_end")


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one annotator decided about one mention."""

    article_id: str
    span: Span
    target: str
    surface: str
    annotator: str
    labels: Mapping[str, Value] = field(default_factory=dict)
    """Variable -> value; a variable that is not there was not coded."""
    not_target: bool = False
    """The span names no target after all: kept and counted, left out of every estimate."""
    comment: str | None = None
    speaker: str | None = None
    """Who holds or voices the evaluation, as the text names them."""
    evidence: Span | None = None
    """The words that carry the evaluation."""

    @property
    def unit(self) -> str:
        """Names what was coded, the same for all its annotators."""
        return unit_name(self.article_id, self.span.start, self.span.end, self.target)


@dataclass(frozen=True)
class AnnotationSet(DeprecatedChart):
    """Articles, what annotators said about them, and the codebook they said it by."""

    articles: tuple[Article, ...]
    table: pd.DataFrame
    """Columns as `table_columns` lists them."""
    codebook: Codebook
    adjudication: str = "majority"
    """The rule by which gold is made of the labels; see `adjudicate`."""
    folder: Path | None = field(default=None, compare=False)
    """Where it was read; the chances of articles that nobody coded may lie there."""
    suggested: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Per annotator: labels that a program had suggested, and how many stand unchanged."""

    @cached_property
    def article_by_id(self) -> Mapping[str, Article]:
        """The articles under their ids."""
        return {article.article_id: article for article in self.articles}

    @property
    def annotators(self) -> tuple[str, ...]:
        """Names of the annotators, sorted; curated labels are nobody's."""
        return tuple(sorted(set(self.table["annotator"].unique()) - {CURATED}))

    @property
    def n_curated(self) -> int:
        """How many mentions have curated labels."""
        return int((self.table["annotator"] == CURATED).sum())

    @property
    def suggestion_words(self) -> str:
        """What annotators accepted of a program's suggestions; empty if nothing was suggested."""
        told = [
            f"{who} left {unchanged} of {n} suggested labels unchanged ({unchanged / n:.0%})"
            for who, (n, unchanged) in sorted(self.suggested.items())
        ]
        warning = "annotators who see the same suggestions agree more than they would alone"
        return f"{'; '.join(told)}: {warning}" if told else ""

    def to_frame(self) -> pd.DataFrame:
        """The annotations, a row each."""
        return self.table

    def __repr__(self) -> str:
        """How much there is of what; the table says the rest."""
        people = ", ".join(self.annotators) or "nobody"
        mentions = self.table["unit"].nunique()
        return (
            f"AnnotationSet: {len(self.articles)} articles, {mentions} mentions, "
            f"{len(self.table) - self.n_curated} annotations by {people}"
            + (f", {self.n_curated} curated" if self.n_curated else "")
        )

    def _repr_html_(self) -> str:
        return frame_html(self.table.drop(columns=["unit"]), repr(self), _ROWS_SHOWN)


def unit_name(article_id: str, start: int, end: int, target: str) -> str:
    """Identifier of a mention of a target.

    >>> unit_name("a1", 0, 7, "RU")
    'a1:0-7:RU'
    """
    return f"{article_id}:{start}-{end}:{target}"


def mention_unit(article: Article, mention: Mention) -> str:
    """`unit_name` of a mention that was found in an article."""
    span = mention.span
    return unit_name(article.article_id, span.start, span.end, mention.target)


def table_columns(codebook: Codebook) -> tuple[str, ...]:
    """Column names of the table in their order."""
    variables = tuple(variable.name for variable in codebook.variables)
    return _BEFORE_LABELS + variables + _AFTER_LABELS


def annotation_table(annotations: Iterable[Annotation], codebook: Codebook) -> pd.DataFrame:
    """The annotations as a table, in their order.

    Text columns hold Python objects, None where missing: pandas' own strings would turn None into
    nan and cannot hold a lone surrogate.
    """
    variables = [variable.name for variable in codebook.variables]
    rows = [_row(annotation, variables) for annotation in annotations]
    columns = {
        name: pd.Series([row[i] for row in rows], dtype=_DTYPES.get(name, "object"))
        for i, name in enumerate(table_columns(codebook))
    }
    return pd.DataFrame(columns)


def table_annotations(annotation_set: AnnotationSet) -> Iterator[Annotation]:
    """The rows of the table as records, in their order."""
    variables = [variable.name for variable in annotation_set.codebook.variables]
    for row in annotation_set.table.to_dict("records"):
        has_evidence = not pd.isna(row["evidence_start"])
        yield Annotation(
            article_id=row["article_id"],
            span=Span(int(row["start"]), int(row["end"])),
            target=row["target"],
            surface=row["surface"],
            annotator=row["annotator"],
            labels={name: row[name] for name in variables},
            not_target=bool(row["not_target"]),
            comment=row["comment"],
            speaker=row["speaker"],
            evidence=Span(int(row["evidence_start"]), int(row["evidence_end"]))
            if has_evidence
            else None,
        )


_DTYPES = {
    "start": "int64",
    "end": "int64",
    "not_target": "bool",
    "evidence_start": "Int64",
    "evidence_end": "Int64",
}


def _row(annotation: Annotation, variables: list[str]) -> tuple[object, ...]:
    span, evidence = annotation.span, annotation.evidence
    return (
        annotation.unit,
        annotation.article_id,
        span.start,
        span.end,
        annotation.target,
        annotation.surface,
        annotation.annotator,
        *(annotation.labels.get(name) for name in variables),
        annotation.not_target,
        annotation.comment,
        annotation.speaker,
        evidence.start if evidence else None,
        evidence.end if evidence else None,
    )


def restricted(annotation_set: AnnotationSet, article_ids: Collection[str]) -> AnnotationSet:
    """The set with some of its articles only.

    Args:
        annotation_set: Articles with their annotations.
        article_ids: The articles to keep; an id that the set lacks has no effect.

    Returns:
        A set with the same codebook.
    """
    articles = tuple(a for a in annotation_set.articles if a.article_id in article_ids)
    table = annotation_set.table
    kept = table[table["article_id"].isin(article_ids)].reset_index(drop=True)
    return replace(annotation_set, articles=articles, table=kept)
