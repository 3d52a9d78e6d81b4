"""Copies of texts with the countries swapped: a stance must not depend on who it is about.

A model that sees a country mostly praised or mostly blamed learns its name. Copies in which the
countries have changed places, labels and all, take that away. The names and their forms are in
`swapping.toml`.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from itertools import permutations
from typing import Any, Protocol

import numpy as np
import pandas as pd

from classifier.annotations import (
    Annotation,
    AnnotationSet,
    adjudicate,
    annotation_table,
    table_annotations,
    unit_name,
)
from classifier.intervals import IntervalOptions, article_totals, interval
from classifier.models import Calibration, Limits, Model, cut_all
from classifier.records import Article, Passage, Span

_NAMES = tomllib.loads(
    resources.files("classifier").joinpath("swapping.toml").read_text(encoding="utf-8")
)
FORMS: Mapping[str, Sequence[Mapping[str, str]]] = {
    code: tuple(own["forms"]) for code, own in _NAMES.items()
}
"""Per language its rows: target -> forms, aligned by case and separated by "|"."""
TARGETS = ("TR", "RU", "UA")
Places = Mapping[str, str]
"""Target -> the target that takes its place; whoever is not named stays."""
_BEFORE = re.compile(r"(\w+)\s+$")


@dataclass(frozen=True, slots=True)
class Place:
    """A form in a text: its country, its row and the cases it can stand for."""

    span: Span
    target: str
    senses: tuple[tuple[int, int], ...]
    """Row and case it may stand for, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """A text after a swap, and where what was swapped now stands."""

    text: str
    moved: Mapping[Span, Span]
    """Old span of a name -> its new one; a Turkish suffix is in neither."""

    def place(self, old: Span) -> Span | None:
        """Where a stretch of the text stands now; None if it cuts through a name."""
        if old in self.moved:
            return self.moved[old]
        shift = inside = 0
        for before, after in sorted(self.moved.items()):
            if before.end <= old.start:
                shift = after.end - before.end
            elif old.contains(before):
                inside += (after.end - after.start) - (before.end - before.start)
            elif before.overlaps(old):
                return None
        return Span(old.start + shift, old.end + shift + inside)


def pairs() -> list[tuple[str, str]]:
    """Every ordered pair of countries."""
    return list(permutations(TARGETS, 2))


def exchange(first: str, second: str) -> Places:
    """Each takes the other's place."""
    return {first: second, second: first}


@lru_cache(maxsize=8)
def _known(language: str) -> Mapping[str, tuple[str, tuple[tuple[int, int], ...]]]:
    """Form -> its target, and the rows and cases it stands for."""
    found: dict[str, tuple[str, list[tuple[int, int]]]] = {}
    for number, row in enumerate(FORMS[language]):
        for target, forms in row.items():
            for case, form in enumerate(forms.split("|")):
                found.setdefault(form, (target, []))[1].append((number, case))
    for alias, form in _NAMES[language]["aliases"].items():
        found[alias] = found[form]
    return {form: (target, tuple(places)) for form, (target, places) in found.items()}


@lru_cache(maxsize=8)
def _finder(language: str) -> re.Pattern[str]:
    """Every known form as a whole word, the longest first; any apostrophe, a capital or not."""
    forms = sorted({*_known(language)}, key=len, reverse=True)
    written = {f for form in forms for f in (form, form[0].upper() + form[1:])}
    options = "|".join(
        re.escape(form).replace("'", "['’]") for form in sorted(written, key=len, reverse=True)
    )
    return re.compile(rf"(?<![\w-])(?:{options})(?![\w-])")


def find_forms(text: str, language: str) -> Iterator[Place]:
    """The forms of a text, in its order."""
    known = _known(language)
    for match in _finder(language).finditer(text):
        form = match.group().replace("’", "'")
        form = form if form in known else form[0].lower() + form[1:]
        target, places = known[form]
        before = _BEFORE.search(text[: match.start()])
        word = before.group(1).lower() if before else ""
        yield Place(Span(*match.span()), target, _preferred(places, word, language))


def _preferred(
    places: tuple[tuple[int, int], ...], word: str, language: str
) -> tuple[tuple[int, int], ...]:
    words_before = _NAMES[language].get("before", {})
    asked = [int(case) for case, words in words_before.items() if word in words]
    return tuple(sorted(places, key=lambda place: place[1] not in asked))


def swap(text: str, language: str, places: Places) -> Swapped:
    """The text with every country in the place of another.

    >>> swap("Moscow blamed Turkey's army.", "en", exchange("TR", "RU")).text
    "Ankara blamed Russia's army."
    >>> swap("Ukrayna'nın ordusu", "tr", {"UA": "TR"}).text
    "Türkiye'nin ordusu"
    """
    parts: list[str] = []
    moved: dict[Span, Span] = {}
    length = at = 0
    for found in find_forms(text, language):
        old = found.span.of(text)
        new = _form(found, old, language, places)
        parts += [text[at : found.span.start], new]
        start = length + found.span.start - at
        length, at = start + len(new), found.span.end
        before, after = _name(old, language), _name(new, language)
        shift = found.span.start
        moved[before.shifted(shift)] = after.shifted(start)
    return Swapped("".join([*parts, text[at:]]), moved)


def _form(found: Place, old: str, language: str, places: Places) -> str:
    target = places.get(found.target, found.target)
    if target == found.target:
        return old
    number, case = found.senses[0]
    forms = FORMS[language][number][target].split("|")
    new = forms[case] if case < len(forms) else forms[0]
    mark = "’" if "’" in old else "'"
    new = new.replace("'", mark)
    return new[0].upper() + new[1:] if old[0].isupper() else new


def _name(form: str, language: str) -> Span:
    """The mention in a form: without article, genitive 's or Turkish suffix."""
    start = form.index(" ") + 1 if form.lower().startswith(("the ", "het ")) else 0
    end = re.search("['’]", form) if language in ("tr", "en", "nl") else None
    return Span(start, end.start() if end else len(form))


def swapped_article(article: Article, places: Places) -> tuple[Article, Swapped]:
    """The article with its countries swapped, under an id of its own."""
    done = swap(article.text, str(article.language), places)
    name = "".join(f"{a}{b}" for a, b in sorted(places.items()))
    return replace(article, article_id=f"{article.article_id}~{name}", text=done.text), done


def assignments() -> Sequence[Places]:
    """Every way to put three countries in the places of three."""
    return [dict(zip(TARGETS, order, strict=True)) for order in permutations(TARGETS)]


def names_in(article: Article) -> dict[Span, str]:
    """The names in an article as a swap moves them, with their targets."""
    language = article.language
    if language is None or language not in FORMS:
        return {}
    _, done = swapped_article(article, {})
    targets = (found.target for found in find_forms(article.text, language))
    return dict(zip(done.moved, targets, strict=True))


def swapped_copies(
    annotation_set: AnnotationSet, article_ids: Collection[str], rng: np.random.Generator
) -> AnnotationSet:
    """One copy of each of these articles that names a country, the countries in other places.

    Which takes whose place is drawn per article among all ways to mix three. Labels stay with their
    mentions; a mention that the swap cut through is left out. A copy has the story of its original.
    """
    mixed = [one for one in assignments() if any(one[target] != target for target in TARGETS)]
    copies: dict[str, tuple[Article, Swapped, Places]] = {}
    for article in annotation_set.articles:
        if article.article_id in article_ids and names_in(article):
            places = mixed[int(rng.integers(len(mixed)))]
            copies[article.article_id] = (*swapped_article(article, places), places)
    annotations = [
        moved
        for annotation in table_annotations(annotation_set)
        if annotation.article_id in copies
        for moved in _moved(annotation, *copies[annotation.article_id])
    ]
    articles = tuple(article for article, _, _ in copies.values())
    table = annotation_table(annotations, annotation_set.codebook)
    return AnnotationSet(articles, table, annotation_set.codebook)


def _moved(
    annotation: Annotation, copy: Article, done: Swapped, places: Places
) -> Iterator[Annotation]:
    """The annotation at its new place, if it still has one."""
    span = done.place(annotation.span)
    if span is not None:
        yield replace(
            annotation,
            article_id=copy.article_id,
            span=span,
            target=places.get(annotation.target, annotation.target),
            surface=span.of(copy.text),
            evidence=annotation.evidence and done.place(annotation.evidence),
        )


BOUND = 0.03
"""Wished bound of the mean shift of the stance score."""
EVERY = "all"


class Calibrated(Protocol):
    """A model with its calibration."""

    @property
    def model(self) -> Model:
        """The model."""

    @property
    def calibration(self) -> Calibration:
        """Its temperatures."""


@dataclass(frozen=True, slots=True)
class Named:
    """An article with places where it names a country."""

    article: Article
    mentions: tuple[tuple[Span, str], ...]
    """Span and target."""

    @property
    def units(self) -> dict[str, Span]:
        """The mentions by their units' names."""
        name = self.article.article_id
        return {unit_name(name, s.start, s.end, target): s for s, target in self.mentions}

    def copies(self) -> dict[tuple[str, str], "Named"]:
        """The article once per ordered pair, with the two countries in each other's place."""
        copies = {}
        for first, second in pairs():
            places = exchange(first, second)
            article, done = swapped_article(self.article, places)
            article = replace(article, article_id=f"{article.article_id}~{first}")
            moved = [(done.moved[span], places.get(t, t)) for span, t in self.mentions]
            copies[first, second] = Named(article, tuple(moved))
        return copies


def named_mentions(annotation_set: AnnotationSet, variable: str) -> list[Named]:
    """Mentions with a settled label that stand in a form which a swap knows, by article."""
    gold = adjudicate(annotation_set)
    gold = gold[(gold[f"status_{variable}"] == "ok") & ~gold["not_target"]]
    items = []
    for article_id, rows in gold.groupby("article_id", sort=False):
        article = annotation_set.article_by_id[article_id]
        known = names_in(article)
        spans = [(Span(int(r.start), int(r.end)), r.target) for r in rows.itertuples()]
        own = tuple((span, target) for span, target in spans if known.get(span) == target)
        if own:
            items.append(Named(article, own))
    return items


def passages_of(items: Sequence[Named], model: Model, context: int) -> list[Passage]:
    """The passages around the mentions, article after article."""
    limits = Limits(model.text_limit, context)
    return cut_all([(item.article, item.units) for item in items], model.token_starts, limits)


def country_shifts(
    reader: Calibrated, items: Sequence[Named], context: int = 1
) -> list[dict[str, Any]]:
    """Mean shift of the stance score per ordered pair, over all languages and in each.

    The score is the expected stance, -1 to 1. Each row has `from`, `to`, `language`, `n`, `mean`,
    its 95 % `interval` by article, and `mean_size`, the mean of the shifts' sizes. None if no
    item names a country.
    """
    found = shifts(reader, items, context)
    rows: list[dict[str, Any]] = []
    for (first, second), group in found.groupby(["from", "to"], sort=False) if len(found) else ():
        parts = [(EVERY, group), *group.groupby("language")]
        rows += [{"from": first, "to": second, "language": k, **_mean(own)} for k, own in parts]
    return rows


def shifts(reader: Calibrated, items: Sequence[Named], context: int = 1) -> pd.DataFrame:
    """One row per mention and pair: from, to, language, article, and the change of its score."""
    copies = [item.copies() for item in items]
    both = [one for item, own in zip(items, copies, strict=True) for one in (item, *own.values())]
    scores = iter(stance_scores(reader, both, context))
    rows: list[dict[str, Any]] = []
    for item, own in zip(items, copies, strict=True):
        before = next(scores)
        for (first, second), after in zip(own, scores, strict=False):
            rows += [
                {
                    "from": first,
                    "to": second,
                    "language": item.article.language,
                    "article": item.article.article_id.partition("~")[0],
                    "shift": b - a,
                }
                for (_, target), a, b in zip(item.mentions, before, after, strict=True)
                if target == first
            ]
    return pd.DataFrame(rows)


def stance_scores(reader: Calibrated, items: Sequence[Named], context: int) -> list[list[float]]:
    """Expected stance, -1 to 1, of every mention of every article."""
    model = reader.model
    passages = passages_of(items, model, context)
    languages = [p.language for p in passages for _ in p.mentions]
    rows = reader.calibration.apply(model.predict(passages), model.variables, languages)
    stance = next(v for v in model.variables if v.kind == "ordinal")
    expected = rows[stance.name] @ np.array(stance.numbers, dtype=float)
    units = [mention.unit for passage in passages for mention in passage.mentions]
    by_unit = dict(zip(units, expected.tolist(), strict=True))
    return [[by_unit[unit] for unit in item.units] for item in items]


def _mean(group: pd.DataFrame) -> Mapping[str, Any]:
    codes, names = pd.factorize(group["article"])
    values = np.column_stack([group["shift"], np.ones(len(group))])
    totals = article_totals(values, codes, len(names))
    made = interval(totals, lambda t: t[..., 0] / t[..., 1], IntervalOptions())
    ends = [None if end is None else round(end, 4) for end in (made.low, made.high)]
    mean, size = float(group["shift"].mean()), float(group["shift"].abs().mean())
    return {
        "n": len(group),
        "mean": round(mean, 4),
        "interval": ends,
        "mean_size": round(size, 4),
        "within": abs(mean) < BOUND,
    }
