"""The sentences behind each figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.agreement import masi_distance
from classifier.annotations import AnnotationSet, gold_with_chances
from classifier.articles import find_zones
from classifier.codebook import Codebook, Variable, default_codebook
from classifier.intervals import Sampling
from classifier.mentions.voice import Report, find_reports, voice_at
from classifier.predictions import OK, Explanation, Word
from classifier.profiles import (
    ALL_VOICES,
    Profile,
    ProfileOptions,
    ProfileRow,
    describe_draw,
    estimated,
    gold_column,
    is_predicted,
    score_column,
    select_mentions,
    with_labels,
)
from classifier.records import Article, Estimate, Problem, Span, counted

AROUND = 240
"""Characters on each side of a mention where no passage is known."""
LONGEST = 2_400
"""A longer passage is cut to this many characters around the mention."""
_LONGEST_MENTION = 200


class Excerpts:
    """Collects excerpts row by row; positions count as JavaScript counts, in UTF-16 units."""

    def __init__(self, articles: Mapping[str, Article]) -> None:
        """Take the texts, by article id."""
        self._articles = articles
        self._reports: dict[str, Any] = {}
        self._place: dict[tuple[str, int, int], int] = {}
        self._texts: list[str] = []
        self._rows: list[tuple[int, Any, Any, Any, Any, Any]] = []

    def add(self, row: Mapping[str, Any], words: Sequence[Word] = ()) -> None:
        """Add the excerpt of a mention; without its text, the mention and speaker alone.

        `words` carry its score, where it was explained.
        """
        article = self._articles.get(row["article_id"])
        mention = _span(row.get("start"), row.get("end"))
        surface, speaker = str(row.get("surface") or ""), row.get("speaker")
        known = speaker if isinstance(speaker, str) else None
        if article is None or mention is None or not _fits(article.text, mention, surface):
            self._rows.append((-1, surface[:_LONGEST_MENTION], known, None, None, None))
            return
        window = _window(article.text, mention, _span(row["passage_start"], row["passage_end"]))
        report = self._report(article, mention)
        spans = (mention, report.speaker if report else None, report.cue if report else None)
        at, speaker_at, cue_at = (_inside(article.text, window, span) for span in spans)
        number, weights = self._number(article, window), _weights(article.text, window, words)
        self._rows.append((number, at, known, speaker_at, cue_at, weights))

    def columns(self) -> dict[str, Any]:
        """Texts; per row which text, mention, speaker, speaker's place, cue's, weighted words."""
        names = ("text", "mention", "speaker", "speaker_at", "cue_at", "words")
        columns = list(zip(*self._rows, strict=True)) or [()] * len(names)
        return {"texts": self._texts} | {
            name: list(column) for name, column in zip(names, columns, strict=True)
        }

    def _number(self, article: Article, window: Span) -> int:
        key = (article.article_id, window.start, window.end)
        if key not in self._place:
            self._place[key] = len(self._texts)
            self._texts.append(window.of(article.text))
        return self._place[key]

    def _report(self, article: Article, mention: Span) -> Report | None:
        name = article.article_id
        if name not in self._reports:
            self._reports[name] = find_reports(article.text, find_zones(article))
        return voice_at(self._reports[name], mention)


def _span(start: object, end: object) -> Span | None:
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    return Span(int(start), int(end)) if 0 <= start < end else None


def _fits(text: str, mention: Span, surface: str) -> bool:
    return text[mention.start : mention.end] == surface and mention.end <= len(text)


def _window(text: str, mention: Span, passage: Span | None) -> Span:
    """What to show: the passage that the model read, or the mention's surroundings."""
    end = min(mention.end, mention.start + _LONGEST_MENTION)
    if passage is not None and passage.contains(mention) and passage.end <= len(text):
        if passage.end - passage.start <= LONGEST:
            return passage
        half = LONGEST // 2
        return Span(max(passage.start, mention.start - half), min(passage.end, end + half))
    return Span(max(0, mention.start - AROUND), min(len(text), end + AROUND))


def _inside(text: str, window: Span, span: Span | None) -> list[int] | None:
    """Where a stretch lies in the window, in UTF-16 units; None where it is not wholly there."""
    if span is None:
        return None
    end = min(span.end, window.end)
    if span.start < window.start or end <= span.start:
        return None
    start = _units(text[window.start : span.start])
    return [start, start + _units(text[span.start : end])]


def _weights(text: str, window: Span, words: Sequence[Word]) -> list[list[float]] | None:
    """Start, end and weight of every word in the window that has a weight to speak of."""
    placed = [(_inside(text, window, word.span), round(word.weight, 3)) for word in words]
    return [[*at, weight] for at, weight in placed if at is not None and weight] or None


def _units(text: str) -> int:
    return len(text) + sum(1 for character in text if character > "\uffff")


Label = str | list[str]


@dataclass(frozen=True)
class Said:
    """One annotator's answer at one mention."""

    annotator: str
    labels: Mapping[str, Label]
    """Per variable that was coded: a name, or the names of a set in codebook order."""
    is_not_target: bool
    comment: str | None


def human_labels(annotation_set: AnnotationSet) -> dict[str, list[Said]]:
    """Answers by unit, annotators in alphabetical order."""
    variables = [v for v in annotation_set.codebook.variables if v.name in annotation_set.table]
    said: dict[str, list[Said]] = {}
    for row in annotation_set.table.sort_values("annotator", kind="stable").to_dict("records"):
        labels = {
            v.name: label for v in variables if (label := label_of(row[v.name], v)) is not None
        }
        comment = row["comment"] if isinstance(row["comment"], str) else None
        flag = row["not_target"]
        one = Said(
            str(row["annotator"]), labels, bool(flag) if not pd.isna(flag) else False, comment
        )
        said.setdefault(row["unit"], []).append(one)
    return said


def distances(
    frame: pd.DataFrame, variable: Variable, said: Mapping[str, Sequence[Said]]
) -> list[float | None]:
    """Per mention the mean distance, 0 to 1, between the model's label and each annotator's.

    Of the scale for an ordinal variable, MASI for a set; None where nobody coded the mention.
    """
    return [
        _mean_distance(predicted, variable, said.get(unit, ()))
        for unit, predicted in zip(frame["unit"], frame[variable.name], strict=True)
    ]


def _mean_distance(predicted: object, variable: Variable, said: Sequence[Said]) -> float | None:
    ours = label_of(predicted, variable)
    theirs = [one.labels[variable.name] for one in said if variable.name in one.labels]
    if ours is None or not theirs:
        return None
    apart = [_distance(ours, label, variable) for label in theirs]
    return round(sum(apart) / len(apart), 4)


def _distance(a: Label, b: Label, variable: Variable) -> float:
    if variable.kind == "set":
        return masi_distance(frozenset(a), frozenset(b))
    if variable.kind == "ordinal":
        numbers = dict(zip(variable.names, variable.numbers, strict=True))
        return abs(numbers[str(a)] - numbers[str(b)]) / (
            max(numbers.values()) - min(numbers.values())
        )
    return float(a != b)


def label_of(value: object, variable: Variable) -> Label | None:
    """A label as plain values; None where not coded or not in the codebook."""
    if variable.kind != "set":
        return value if isinstance(value, str) and value in variable.names else None
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return None
    names = set(value)
    return [name for name in variable.names if name in names]


Array = NDArray[np.float64]
_SAME = 1e-6


class Pulls(NamedTuple):
    """What each mention adds to the mean of its group, by unit."""

    moves: dict[str, float]
    """Nan where these rows do not reproduce the estimate."""
    estimates: dict[str, str]
    """Which estimate of the group is pulled at."""


def pulls(
    predictions: pd.DataFrame, codebook: Codebook, profile: Profile, gold: pd.DataFrame | None
) -> Pulls:
    """The pull of every mention on the mean of its group in all voices.

    It is the mention's term in the linearised estimator: without the mention the estimate would
    move by about as much the other way. Where every article counts alike, whatever its number of
    mentions, there is none.

    Args:
        predictions: What the profile was made from.
        codebook: Its first ordinal variable is what is pulled at.
        profile: By whatever columns.
        gold: The labels that the profile was corrected with, if any.
    """
    variables = [v for v in estimated(codebook) if is_predicted(v, predictions)]
    variable = next((v for v in variables if v.kind == "ordinal"), None)
    found = Pulls({}, {})
    if variable is None or not profile.rows:
        return found
    by = list(profile.rows[0].group)
    kept, _ = select_mentions(predictions, codebook, gold, ProfileOptions(by=tuple(by)))
    table = with_labels(kept, codebook, gold)
    rows = {tuple(r.group.values()): r for r in profile if r.voice == ALL_VOICES}
    for key, members in table.groupby(by, sort=False):
        row = rows.get(tuple(map(str, key)))
        if row is not None:
            sampling = describe_draw(members, variables).sampling(members)
            kind, values = _of_group(row, members, variable, sampling)
            units = members["unit"].tolist()
            found.moves.update(zip(units, values.tolist(), strict=True))
            found.estimates.update(dict.fromkeys(units, kind))
    return found


def _of_group(
    row: ProfileRow, members: pd.DataFrame, variable: Variable, sampling: Sampling
) -> tuple[str, Array]:
    """The estimate that is pulled at, and a value per member."""
    quantity = row.quantity(variable.name)
    scores = members[score_column(variable, None)].to_numpy(dtype=np.float64)
    is_false = np.asarray(sampling.is_false, dtype=bool)
    if quantity.corrected.value is None:
        mean, terms = _mean_terms(scores, (~is_false).astype(np.float64))
        return "model only", _if_same(quantity.naive, mean, terms)
    labels = members[gold_column(variable, None)].to_numpy(dtype=np.float64)
    seen = ~np.isnan(labels) | is_false
    articles = members["article_id"]
    # In an article coded in part, the coded mentions stand for all of it.
    share = pd.Series(seen).groupby(articles.to_numpy()).transform("mean").to_numpy()
    chance = 1.0 if sampling.probability is None else np.asarray(sampling.probability)
    inflated = np.divide(seen, share * chance, out=np.zeros(len(seen)), where=seen)
    others = np.ones(len(seen)) if sampling.probability is not None else (share == 0) * 1.0
    label_mean, label_terms = _mean_terms(labels, np.where(np.isnan(labels), 0.0, inflated))
    score_mean, score_terms = _mean_terms(scores, inflated)
    other_mean, other_terms = _mean_terms(scores, others)
    weight = (quantity.corrected.model_weight or 0.0) * bool(others.any())
    theta = label_mean + weight * (other_mean - score_mean)
    terms = label_terms + weight * (other_terms - score_terms)
    return "corrected", _if_same(quantity.corrected, theta, terms)


def _mean_terms(values: Array, weights: Array) -> tuple[float, Array]:
    """A weighted mean and every value's term in it, w (x - mean) / Σw."""
    used = weights > 0
    total = weights.sum()
    if not total:
        return 0.0, np.zeros(len(values))
    mean = float((weights[used] * values[used]).sum() / total)
    return mean, np.where(used, weights * (np.where(used, values, mean) - mean) / total, 0.0)


def _if_same(figure: Estimate, theta: float, values: Array) -> Array:
    if figure.value is None or abs(theta - figure.value) > _SAME:
        return np.full(len(values), np.nan)
    return values


_DIGITS = 4
FACETS = ("source", "target", "language", "voice")


@dataclass(frozen=True)
class Evidence:
    """What lies behind a report's figures."""

    predictions: pd.DataFrame
    """The table the profiles were made from."""
    articles: Sequence[Article] = ()
    """The texts that were scored; a mention whose article is not here has no passage to read."""
    annotations: AnnotationSet | None = None
    """Human labels, to stand beside the model's."""
    coded: frozenset[str] | None = None
    """Articles whose labels corrected the profiles; by default all that are annotated."""
    problems: tuple[Problem, ...] = ()
    """What could not be read, or was repaired on reading."""
    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    """Of some mentions, by unit, the words that carry the score."""

    def __repr__(self) -> str:
        """How much of what there is."""
        return (
            f"Evidence: {counted(len(self.predictions), 'mention')} in "
            f"{counted(len(self.texts), 'article')}, {len(self.explanations)} explained"
        )

    @cached_property
    def codebook(self) -> Codebook:
        """The annotations' codebook, or the shipped one."""
        return default_codebook() if self.annotations is None else self.annotations.codebook

    @cached_property
    def texts(self) -> dict[str, Article]:
        """Articles by id; the annotated ones too."""
        annotated = self.annotations.articles if self.annotations else ()
        return {article.article_id: article for article in (*annotated, *self.articles)}

    @property
    def variables(self) -> list[Variable]:
        """What the model predicted, in codebook order."""
        columns = set(self.predictions.columns)
        return [v for v in self.codebook.variables if v.probability_columns[0] in columns]


def evidence_payload(evidence: Evidence, profile: Profile | None) -> dict[str, Any]:
    """Columns of equal length, one entry per mention; what repeats is given once and numbered."""
    frame = evidence.predictions.reset_index(drop=True)
    said = {} if evidence.annotations is None else human_labels(evidence.annotations)
    variables = evidence.variables
    shown = [v for v in variables if v.name not in FACETS]
    units = frame["unit"].tolist()
    pulled = _pulls(evidence, profile)
    excerpts = Excerpts(evidence.texts)
    for row in frame.to_dict("records"):
        explanation = evidence.explanations.get(row["unit"])
        excerpts.add(row, explanation.shaded() if explanation else ())
    return {
        "n": len(frame),
        "variables": [_variable(v) for v in shown],
        "facets": {
            name: _numbered(frame.get(name), units, _order(name, evidence.codebook))
            for name in FACETS
        },
        "titles": {target.name: target.title for target in evidence.codebook.targets},
        "articles": _articles(frame, evidence.texts),
        "excerpts": excerpts.columns(),
        "predicted": {v.name: _predicted(frame, v) for v in shown},
        "score": {v.name: _rounded(frame.get(f"{v.name}_score")) for v in shown},
        "status": _numbered(frame["status"], units),
        "humans": [_said(said.get(unit)) for unit in units],
        "distance": {v.name: distances(frame, v, said) for v in shown},
        "pull": [_number(pulled.moves.get(unit)) for unit in units],
        "explained": next((one.quantity for one in evidence.explanations.values()), None),
        "pulls_at": _numbered(
            pd.Series([pulled.estimates.get(unit) for unit in units], dtype=object), units
        ),
    }


def strongest_units(evidence: Evidence, profile: Profile, n: int) -> list[str]:
    """Units of the scored mentions that pull the profile's means most, strongest first."""
    frame = evidence.predictions
    scored = set(frame.loc[frame["status"] == OK, "unit"])
    moves = _pulls(evidence, profile).moves
    known = [unit for unit, move in moves.items() if unit in scored and move == move]
    return sorted(known, key=lambda unit: (-abs(moves[unit]), unit))[:n]


def _pulls(evidence: Evidence, profile: Profile | None) -> Pulls:
    if profile is None:
        return Pulls({}, {})
    gold = None
    if evidence.annotations is not None and any(row.n_coded_articles for row in profile):
        gold = gold_with_chances(evidence.annotations)
        if evidence.coded is not None:
            gold = gold[gold["article_id"].isin(evidence.coded)].reset_index(drop=True)
    return pulls(evidence.predictions, evidence.codebook, profile, gold)


def _variable(variable: Variable) -> dict[str, Any]:
    numbers = variable.numbers if variable.kind == "ordinal" else None
    return {
        "name": variable.name,
        "kind": variable.kind,
        "labels": list(variable.names),
        "numbers": None if numbers is None else list(numbers),
    }


def _order(name: str, codebook: Codebook) -> tuple[str, ...]:
    """What comes first among the values of a facet, in codebook order."""
    if name == "target":
        return codebook.target_names
    is_coded = name == "voice" and codebook.has_variable(name)
    return codebook.variable(name).names if is_coded else ()


def _numbered(
    column: "pd.Series[Any] | None", units: Sequence[str], order: Sequence[str] = ()
) -> dict[str, Any]:
    """The values that occur and per row which one; -1 where there is none.

    Those in `order` come first, the rest by the alphabet, whatever the case.
    """
    if column is None:
        return {"values": [], "codes": [-1] * len(units)}
    codes, found = pd.factorize(column)
    values = [str(value) for value in found]
    first = {name: place for place, name in enumerate(order)}
    wanted = sorted(values, key=lambda v: (first.get(v, len(first)), v.casefold(), v))
    place = {value: i for i, value in enumerate(wanted)}
    return {"values": wanted, "codes": [place[values[c]] if c >= 0 else -1 for c in codes]}


def _articles(frame: pd.DataFrame, texts: Mapping[str, Article]) -> dict[str, Any]:
    codes, ids = pd.factorize(frame["article_id"])
    dates = frame.drop_duplicates("article_id").set_index("article_id").get("date")
    described = []
    for name in ids:
        article = texts.get(name)
        date = None if dates is None or pd.isna(dates[name]) else str(dates[name])
        title = article.title if article else None
        described.append([str(name), title, date, _web_address(article)])
    return {"values": described, "codes": codes.tolist()}


def _web_address(article: Article | None) -> str | None:
    """Only addresses that a browser may follow without running anything."""
    url = article.url if article else None
    return url if url and url.lower().startswith(("https://", "http://")) else None


def _predicted(frame: pd.DataFrame, variable: Variable) -> dict[str, Any]:
    probabilities = frame[list(variable.probability_columns)].round(_DIGITS)
    rows = probabilities.to_numpy(dtype=object)
    known = probabilities.notna().all(axis=1).tolist()
    labels = [_places(label_of(value, variable), variable) for value in frame[variable.name]]
    return {
        "labels": labels,
        "p": [list(row) if ok else None for row, ok in zip(rows.tolist(), known, strict=True)],
    }


def _places(label: Label | None, variable: Variable) -> int | list[int] | None:
    """A label by its place in the codebook."""
    if label is None or isinstance(label, str):
        return None if label is None else variable.index(label)
    return [variable.index(name) for name in label]


def _rounded(column: "pd.Series[float] | None") -> list[float | None] | None:
    return None if column is None else [_number(value) for value in column.tolist()]


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else round(float(value), 6)


def _said(said: Sequence[Said] | None) -> list[list[object]] | None:
    if not said:
        return None
    return [[one.annotator, one.labels, one.is_not_target, one.comment] for one in said]
