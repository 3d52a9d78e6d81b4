"""Annotation sets of several codebooks as one."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import pandas as pd

from classifier.annotations._table import AnnotationSet, Value, table_columns, unit_name
from classifier.codebook import Codebook, Label, Variable
from classifier.errors import DataError
from classifier.records import Article, Problem


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

    Raises `DataError` where two of them have an article of the same id, or other codebooks.
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
    return replace(sets[0], articles=articles, table=table)


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
    return replace(sets[0], articles=tuple(articles.values()), table=table)


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
            names = [field.name for field in fields(article)]
            own = {name: getattr(article, name) for name in names}
            article = replace(drawn, **{k: v for k, v in own.items() if v is not None})
        articles.append(article)
    return replace(annotation_set, articles=tuple(articles))


def _with_known_ids(one: AnnotationSet, known: Mapping[str, Article]) -> AnnotationSet:
    """The set with the ids of earlier articles of the same text, where there is one such text."""
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
    """The variable's label that means the same; None where it has none."""
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
    given = Counter(label for value in column for label in _labels(value))
    return [
        Problem(name, "no counterpart, not coded", f"{label!r}, {given[label]} times")
        for label, word in words.items()
        if word is None and given[label]
    ]


def _labels(value: Value) -> list[str]:
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
