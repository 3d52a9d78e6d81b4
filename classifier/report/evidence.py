"""What the evidence browser shows: every mention, its passage, the model's and people's labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from classifier.annotations import AnnotationSet, gold_with_chances
from classifier.codebook import Codebook, Variable, default_codebook
from classifier.explanations import Explanation
from classifier.predictions import OK
from classifier.profiles import Profile
from classifier.records import Article, Problem, counted
from classifier.report.excerpts import Excerpts
from classifier.report.human_labels import Label, Said, distances, human_labels, label_of
from classifier.report.influence import Pulls, pulls

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
        "facets": {name: _numbered(frame.get(name), units) for name in FACETS},
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


def _numbered(column: "pd.Series[Any] | None", units: Sequence[str]) -> dict[str, Any]:
    """The values that occur, sorted, and per row which one; -1 where there is none."""
    if column is None:
        return {"values": [], "codes": [-1] * len(units)}
    codes, values = pd.factorize(column, sort=True)
    return {"values": [str(value) for value in values], "codes": codes.tolist()}


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
