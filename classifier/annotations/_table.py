"""The annotation table: one row per mention and annotator; sets of several codebooks as one."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from classifier._verbs import DeprecatedChart
from classifier.codebook import Codebook, Label, Variable
from classifier.errors import DataError
from classifier.notebook_html import frame_html
from classifier.records import Article, Mention, Problem, Span

CURATED = "curated"
"""The annotator of adjudicated labels: they are gold, and no annotator's in any agreement."""

PROBLEMS = "problems.jsonl"
"""What import or `check --fix` mended, left out or told, a line each."""
LOST = "left out"
"""What a line of it says of labels that nobody meant to leave out."""
USUAL: Mapping[str, tuple[str, ...]] = {
    "unit": ("unit", "unit_id", "mention_id", "custom_id"),
    "article_id": (
        *("article_id", "article", "articleid", "doc_id", "document_id", "document", "doc"),
        *("text_id", "id"),
    ),
    "start": ("start", "begin", "start_char", "char_start", "start_offset"),
    "end": ("end", "stop", "end_char", "char_end", "end_offset"),
    "target": ("target", "entity", "country", "target_name", "about"),
    "surface": ("surface", "mention", "quote", "mention_text", "quoted_mention", "phrase"),
    "occurrence": ("occurrence", "nth", "which", "occurrence_number"),
}
"""What tables call that which names a mention. `occurrence` counts from 1."""

Value = str | frozenset[str] | None
"""A label's name, for a set variable all names that apply, or None if it was not coded."""

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
    def has_labels(self) -> bool:
        """Whether any mention has a label, or is marked as no mention of its target."""
        names = [variable.name for variable in self.codebook.variables]
        return bool(self.table[names].notna().any().any() or self.table["not_target"].any())

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

    Text columns hold Python objects, None if missing: pandas' own strings would turn None into
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


@dataclass(frozen=True)
class Recoded:
    """An annotation set in the words of another codebook."""

    annotation_set: AnnotationSet
    problems: tuple[Problem, ...]
    """Labels that the other codebook has no word for; where they stood is null now."""


def recode(annotation_set: AnnotationSet, codebook: Codebook) -> Recoded:
    """Say it in the words of another codebook.

    A variable is taken for the one of the same name and kind. A label is taken for the one of the
    same name, or else for the one that shares a counterpart with it or names it as one; see
    `Label.counterparts`.
    What the set does not ask is not coded. Targets stay as they are.
    """
    own = {variable.name: variable for variable in annotation_set.codebook.variables}
    table = annotation_set.table.copy()
    problems: list[Problem] = []
    for variable in codebook.variables:
        theirs = own.get(variable.name)
        if theirs is None or (theirs.kind == "set") != (variable.kind == "set"):
            table[variable.name] = pd.Series([None] * len(table), table.index, dtype="object")
            continue
        words = {label.name: _word(label, variable) for label in theirs.labels}
        problems += _unheard(table[variable.name], words, variable.name)
        translated = map(_translation(words), table[variable.name])
        table[variable.name] = pd.Series(list(translated), table.index, dtype="object")
    kept = table[list(table_columns(codebook))]
    return Recoded(AnnotationSet(annotation_set.articles, kept, codebook), tuple(problems))


def join_sets(sets: Sequence[AnnotationSet]) -> AnnotationSet:
    """Sets of one codebook as one set.

    Raises `DataError` if two of them have an article of the same id, or other codebooks.
    """
    if any(one.codebook != sets[0].codebook for one in sets):
        raise DataError("sets to be joined need one codebook; recode them first")
    articles = tuple(article for one in sets for article in one.articles)
    repeated = [name for name, n in Counter(a.article_id for a in articles).items() if n > 1]
    if repeated:
        raise DataError(
            f"sets to be joined need articles of different ids; {len(repeated)} stand in several, "
            f"such as {repeated[0]!r}: rename them"
        )
    table = pd.concat([one.table for one in sets], ignore_index=True)
    return replace(sets[0], articles=articles, table=table, suggested=_suggested(sets))


def fill_articles(annotation_set: AnnotationSet, known: Iterable[Article]) -> AnnotationSet:
    """Fill in what the set's articles do not say, such as the chance of being drawn.

    Args:
        annotation_set: Whose articles may lack source, date, language or chance.
        known: Articles as they were drawn; only those of the same id and text are used.

    Returns:
        The set with what was known in place of None; what it says itself is kept.
    """
    by_id = {article.article_id: article for article in known}
    articles = []
    for article in annotation_set.articles:
        drawn = by_id.get(article.article_id)
        if drawn is not None and drawn.text == article.text:
            names = [one.name for one in fields(article)]
            own = {name: getattr(article, name) for name in names}
            article = replace(drawn, **{k: v for k, v in own.items() if v is not None})
        articles.append(article)
    return replace(annotation_set, articles=tuple(articles))


def join_coders(sets: Sequence[AnnotationSet]) -> AnnotationSet:
    """Sets of several coders on the same articles, such as exports of several tools, as one set.

    Equal ids are the same article; its metadata are those of the first set that has it. So is an
    article whose id is new but whose text is that of one article before it: tools rename files.

    Args:
        sets: annotation sets of one codebook, the one whose metadata count first.

    Returns:
        One set with all articles and all annotators.

    Raises:
        DataError: the codebooks differ, an article has another text in two sets, or one annotator
            coded a mention in two sets.
    """
    if any(one.codebook != sets[0].codebook for one in sets):
        raise DataError("sets to be joined need one codebook; recode them first")
    articles: dict[str, Article] = {}
    named: list[AnnotationSet] = []
    for one in sets:
        named.append(_with_known_ids(one, articles))
        articles |= {a.article_id: a for a in named[-1].articles if a.article_id not in articles}
    for article in (article for one in named for article in one.articles):
        if articles.setdefault(article.article_id, article).text != article.text:
            raise DataError(
                f"coders to be joined need the same texts; {article.article_id!r} has another "
                "text in two sets: export both from the same articles"
            )
    table = pd.concat([one.table for one in named], ignore_index=True)
    again = table[table.duplicated(["unit", "annotator"])]
    if len(again):
        unit, annotator = again.iloc[0][["unit", "annotator"]]
        raise DataError(
            f"sets to be joined need each mention once per annotator; {annotator!r} coded {unit!r} "
            "in two of them: give people different names, or leave one set out"
        )
    joined = tuple(articles.values())
    return replace(sets[0], articles=joined, table=table, suggested=_suggested(sets))


def _suggested(sets: Sequence[AnnotationSet]) -> dict[str, tuple[int, int]]:
    """What was suggested to each annotator in all of them together."""
    found: dict[str, tuple[int, int]] = {}
    for who, (n, unchanged) in (pair for one in sets for pair in one.suggested.items()):
        earlier = found.get(who, (0, 0))
        found[who] = earlier[0] + n, earlier[1] + unchanged
    return found


def _with_known_ids(one: AnnotationSet, known: Mapping[str, Article]) -> AnnotationSet:
    """The set with the ids of earlier articles of the same text, if there is one such text."""
    own = Counter(article.sha256 for article in one.articles)
    by_text: dict[str, list[str]] = {}
    for article in known.values():
        by_text.setdefault(article.sha256, []).append(article.article_id)
    names = {
        article.article_id: by_text[article.sha256][0]
        for article in one.articles
        if article.article_id not in known
        and own[article.sha256] == 1
        and len(by_text.get(article.sha256, ())) == 1
    }
    if not names:
        return one
    articles = tuple(
        replace(a, article_id=names.get(a.article_id, a.article_id)) for a in one.articles
    )
    table = one.table.assign(article_id=one.table["article_id"].map(lambda x: names.get(x, x)))
    parts = zip(*(table[name] for name in ("article_id", "start", "end", "target")), strict=True)
    units = pd.Series([unit_name(*part) for part in parts], table.index, dtype="object")
    return replace(one, articles=articles, table=table.assign(unit=units))


def _word(label: Label, variable: Variable) -> str | None:
    """The variable's label that means the same; None if it has none."""
    if label.name in variable.names:
        return label.name
    for ours in variable.labels:
        if any(label.name in codes for codes in ours.counterparts.values()):
            return ours.name
        shared = set(ours.counterparts) & set(label.counterparts)
        if any(set(ours.counterparts[s]) & set(label.counterparts[s]) for s in shared):
            return ours.name
    return None


def _unheard(column: pd.Series, words: Mapping[str, str | None], name: str) -> list[Problem]:
    """One problem per label without a word of ours, with how often it stands there."""
    given = Counter(label for value in column for label in _given(value))
    return [
        Problem(name, "no counterpart, not coded", f"{label!r}, {given[label]} times")
        for label, word in words.items()
        if word is None and given[label]
    ]


def _given(value: Value) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else sorted(value)


def _translation(words: Mapping[str, str | None]) -> Callable[[Value], Value]:
    def translate(value: Value) -> Value:
        if value is None or isinstance(value, str):
            return None if value is None else words[value]
        said = [words[label] for label in value]
        return None if None in said else frozenset(word for word in said if word is not None)

    return translate
