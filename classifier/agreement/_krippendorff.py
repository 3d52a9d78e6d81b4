"""Krippendorff's alpha of labels, and of where annotators mark: unitizing alpha.

Alpha comes from sums per article, so that resamples cost one matrix product. For unitizing see
Krippendorff 2004, "Content Analysis", 2nd edition, section 11.6, and 1995, "On the reliability of
unitizing contiguous data". Each label has its own continuum of units and gaps.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from classifier.agreement._coding import (
    DEFAULT_OPTIONS,
    AgreementOptions,
    Coding,
    Sums,
    estimate,
    not_estimable,
    per_article,
    read_coding,
)
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.intervals import FloatArray, Statistic, jackknife_error, t_quantile
from classifier.records import Estimate, counted

Level = Literal["nominal", "ordinal", "interval", "ratio", "masi", "jaccard"]
Weights = Literal["plain", "linear", "quadratic"]
SETS = ("masi", "jaccard")


def usual_level(variable: Variable) -> Level:
    """The level that a variable's kind calls for."""
    if variable.kind == "set":
        return "masi"
    return "ordinal" if variable.kind == "ordinal" else "nominal"


def check_level(level: Level, variable: Variable) -> None:
    """Refuse a level that the variable's labels do not have."""
    allowed: tuple[Level, ...] = ("nominal",)
    if variable.kind == "set":
        allowed = ("masi", "jaccard", "nominal")
    elif variable.kind == "ordinal":
        allowed = ("nominal", "ordinal", "interval", "ratio")
    if level not in allowed:
        raise DataError(
            f"variable {variable.name!r} is {variable.kind}: its level must be one of "
            f"{', '.join(allowed)}; got {level!r}"
        )
    if level == "ratio" and min(variable.numbers) < 0:
        raise DataError(
            f"the ratio level needs numbers from 0 up; variable {variable.name!r} has "
            f"{min(variable.numbers):g}: take interval"
        )


def masi_distance(a: frozenset[str], b: frozenset[str]) -> float:
    """1 - Jaccard x monotonicity (1 same, 2/3 nested, 1/3 crossing, 0 apart). Passonneau 2006.

    >>> masi_distance(frozenset("XY"), frozenset("YZ"))
    0.8888888888888888
    >>> masi_distance(frozenset(), frozenset())
    0.0
    """
    if a == b:
        return 0.0
    nested = a <= b or b <= a
    return 1 - len(a & b) / len(a | b) * (2 / 3 if nested else 1 / 3)


def jaccard_distance(a: frozenset[str], b: frozenset[str]) -> float:
    """1 - share of the union that both hold; 0 between two empty sets.

    >>> jaccard_distance(frozenset("XY"), frozenset("Y"))
    0.5
    """
    return 0.0 if a == b else 1 - len(a & b) / len(a | b)


def distances(values: tuple[Hashable, ...], level: Level, variable: Variable) -> FloatArray:
    """Squared differences in Krippendorff's sense between all pairs of values; not for ordinal."""
    if level in SETS:
        return _set_distances(values, level, variable)
    if level == "interval":
        numbers = np.array(variable.numbers)
        return np.asarray((numbers[:, None] - numbers[None, :]) ** 2, dtype=np.float64)
    if level == "ratio":
        numbers = np.array(variable.numbers)
        sums = numbers[:, None] + numbers
        return np.asarray(((numbers[:, None] - numbers) / np.where(sums > 0, sums, 1)) ** 2)
    return 1.0 - np.eye(len(values))


def _set_distances(values: tuple[Hashable, ...], level: Level, variable: Variable) -> FloatArray:
    """`masi_distance` or `jaccard_distance` of all pairs at once."""
    sets = [value for value in values if isinstance(value, frozenset)]
    holds = np.array([[name in value for name in variable.names] for value in sets], dtype=float)
    holds = holds.reshape(len(sets), len(variable.names))
    sizes = holds.sum(axis=1)
    shared = holds @ holds.T
    smaller = np.minimum(sizes[:, None], sizes)
    union = sizes[:, None] + sizes - shared
    weight = np.where(shared == smaller, 2 / 3, 1 / 3) if level == "masi" else 1.0
    apart = 1 - shared / np.maximum(union, 1) * weight
    np.fill_diagonal(apart, 0)
    return np.asarray(apart, dtype=np.float64)


def kappa_distances(n_labels: int, weights: Weights) -> FloatArray:
    """Disagreement between places in codebook order, scaled to 0..1."""
    place = np.arange(n_labels, dtype=np.float64)
    apart: FloatArray = np.abs(place[:, None] - place[None, :]) / max(1, n_labels - 1)
    if weights == "plain":
        return np.asarray(apart > 0, dtype=np.float64)
    return apart if weights == "linear" else np.asarray(apart**2, dtype=np.float64)


def alpha(
    table: pd.DataFrame,
    variable: Variable,
    *,
    level: Level | None = None,
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Estimate:
    """Krippendorff's alpha = 1 - D_o / D_e among any number of annotators, with gaps.

    Krippendorff 2011, "Computing Krippendorff's alpha-reliability"; for sets with the MASI distance
    of Passonneau 2006. Units that one annotator coded are left out.

    Args:
        table: columns unit, article, annotator, label.
        variable: the question; its kind chooses the level unless one is given.
        level: nominal, ordinal, interval or ratio; masi, jaccard or nominal for sets.
        options: interval, cluster, unknown labels.

    >>> from classifier.codebook import default_codebook
    >>> stance = default_codebook().variable("stance")
    >>> low, middle, high = stance.names
    >>> table = pd.DataFrame({"unit": ["u1", "u1", "u2", "u2"], "article": ["a", "a", "b", "b"],
    ...     "annotator": ["x", "y", "x", "y"], "label": [low, low, middle, high]})
    >>> print(alpha(table, stance))
    0.833 (no interval: too few: 2 articles)
    """
    level = level or usual_level(variable)
    check_level(level, variable)
    coding = read_coding(table, variable, options)
    return alpha_of(coding, variable, level, options)


def alpha_of(
    coding: Coding, variable: Variable, level: Level, options: AgreementOptions
) -> Estimate:
    """Alpha of a table that was checked before."""
    method = f"Krippendorff's alpha, {level}"
    missing = not_estimable(coding, method, options)
    if missing is not None:
        return missing
    pairable = coding.pairable()
    totals, statistic = alpha_sums(pairable, variable, level)
    return estimate(pairable, Sums(totals, statistic, method), options)


def alpha_sums(coding: Coding, variable: Variable, level: Level) -> tuple[FloatArray, Statistic]:
    """Article totals of a coding, and alpha as a function of them."""
    counts = coding.counts
    counts[coding.n_labels < 2] = 0
    weights = 1 / np.maximum(counts.sum(axis=1) - 1, 1)
    if level == "ordinal":
        return per_article(_coincidences(counts, weights), coding), _ordinal_alpha
    apart = distances(coding.values, level, variable)
    observed = ((counts @ apart) * counts).sum(axis=1) * weights
    return per_article(np.column_stack([observed, counts]), coding), _fixed_alpha(apart)


def _coincidences(counts: FloatArray, weights: FloatArray) -> FloatArray:
    # o_ck = sum over units of (ordered pairs of labels c, k) / (labels in the unit - 1)
    pairs = counts[:, :, None] * counts[:, None, :]
    place = np.arange(counts.shape[1])
    pairs[:, place, place] -= counts
    pairs *= weights[:, None, None]
    return pairs.reshape(len(counts), -1)


def _fixed_alpha(apart: FloatArray) -> Statistic:
    def statistic(totals: FloatArray) -> FloatArray:
        observed, margins = totals[..., 0], totals[..., 1:]
        expected = ((margins @ apart) * margins).sum(axis=-1)
        return _alpha(observed, expected, margins.sum(axis=-1))

    return statistic


def _ordinal_alpha(totals: FloatArray) -> FloatArray:
    # The ordinal difference of two labels is that of their mid-ranks, which depend on the margins.
    n_values = round(totals.shape[-1] ** 0.5)
    pairs = totals.reshape(*totals.shape[:-1], n_values, n_values)
    margins = pairs.sum(axis=-1)
    ranks = np.cumsum(margins, axis=-1) - margins / 2
    apart = (ranks[..., :, None] - ranks[..., None, :]) ** 2
    observed = (pairs * apart).sum(axis=(-2, -1))
    expected = (margins[..., :, None] * margins[..., None, :] * apart).sum(axis=(-2, -1))
    return _alpha(observed, expected, margins.sum(axis=-1))


def _alpha(observed: FloatArray, expected: FloatArray, n: FloatArray) -> FloatArray:
    varies = expected > 1e-9 * np.maximum(n, 1)
    ratio = np.divide(observed, expected, out=np.full_like(observed, np.nan), where=varies)
    return np.asarray(1 - (n - 1) * ratio, dtype=np.float64)


COLUMNS = ("article", "annotator", "start", "end", "label")
_METHOD = "Krippendorff's unitizing alpha"


class Disagreement(NamedTuple):
    """Observed and expected disagreement of one label; alpha is 1 - observed / expected."""

    observed: float
    expected: float


@dataclass(frozen=True)
class _Continuum:
    """One article as its annotators cut it up, for one label."""

    length: int
    sections: tuple[FloatArray, ...]
    """Per annotator, rows of start, end, is a unit (1) or a gap (0); without holes."""


def unitizing_alpha(
    spans: pd.DataFrame,
    lengths: Mapping[str, int],
    annotators: Sequence[str],
    *,
    label: str | None = None,
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Estimate:
    """Unitizing alpha of one label, or 1 - sum(D_o) / sum(D_e) over all labels.

    Articles follow each other as one continuum, and all annotators have read all of them: one
    without a span found nothing there. The interval is by jackknife.

    Args:
        spans: columns article, annotator, start, end, label; half-open, and one annotator's spans
            of one label do not overlap, else `DataError`.
        lengths: characters of each article that was read.
        annotators: who read them; two or more.
        label: None for all labels together.
        options: confidence and fewest articles.
    """
    _check(spans, lengths, annotators)
    if len(annotators) < 2:
        return _none("not estimable: one annotator", options)
    if not lengths:
        return _none("not estimable: no articles", options)
    labels = sorted(spans["label"].unique()) if label is None else [label]
    continua = [_continua(spans[spans["label"] == name], lengths, annotators) for name in labels]
    value = _of_continua(continua)
    if value is None:
        return _none("undefined: no variation", options, len(lengths))
    low, high, status = _interval(continua, value, options)
    return Estimate(
        value,
        "ok",
        low,
        high,
        interval_status=status,
        n_items=int(spans["label"].isin(labels).sum()),
        n_articles=len(lengths),
        n_pairs=len(annotators) * (len(annotators) - 1) // 2,
        method=f"{_METHOD}; article jackknife, t",
        confidence=options.interval.confidence,
    )


def disagreement(
    spans: pd.DataFrame, lengths: Mapping[str, int], annotators: Sequence[str], label: str
) -> Disagreement | None:
    """What unitizing alpha is made of, for one label; None if nobody marked it."""
    _check(spans, lengths, annotators)
    return _disagreement(_continua(spans[spans["label"] == label], lengths, annotators))


def _of_continua(continua: Sequence[Sequence[_Continuum]]) -> float | None:
    parts = [part for part in map(_disagreement, continua) if part is not None]
    expected = sum(part.expected for part in parts)
    if expected <= 0:
        return None
    return 1 - sum(part.observed for part in parts) / expected


def _disagreement(continua: Sequence[_Continuum]) -> Disagreement | None:
    n_annotators = len(continua[0].sections) if continua else 0
    units, gaps = _units_and_gaps(continua)
    if not len(units) or n_annotators < 2:
        return None
    length = sum(continuum.length for continuum in continua)
    pairs = n_annotators * (n_annotators - 1)
    observed = sum(map(_observed, continua)) / (pairs * length**2)
    return Disagreement(observed, _expected(units, gaps, n_annotators, length))


def _units_and_gaps(continua: Sequence[_Continuum]) -> tuple[FloatArray, FloatArray]:
    """Lengths of all units and of all gaps; gaps that meet at the border of articles are one."""
    units: list[float] = []
    gaps: list[float] = []
    for annotator in range(len(continua[0].sections) if continua else 0):
        gap = 0.0
        for continuum in continua:
            for start, end, is_unit in continuum.sections[annotator]:
                if not is_unit:
                    gap += end - start
                    continue
                units.append(end - start)
                gaps += [gap] if gap else []
                gap = 0.0
        gaps += [gap] if gap else []
    return np.array(units), np.array(gaps)


def _expected(units: FloatArray, gaps: FloatArray, n_annotators: int, length: int) -> float:
    # D_e = 2/L sum_g [(N - 1)/3 (2 l^3 - 3 l^2 + l) + l^2 sum_h (l_h - l + 1 where l_h >= l)]
    #       / (mL (mL - 1) - sum_g l (l - 1))
    total = n_annotators * length
    among_units = (len(units) - 1) / 3 * (2 * units**3 - 3 * units**2 + units)
    room = np.maximum(gaps[None, :] - units[:, None] + 1, 0) * (gaps[None, :] >= units[:, None])
    in_gaps = units**2 * room.sum(axis=1)
    possible = total * (total - 1) - (units * (units - 1)).sum()
    return float(2 / length * (among_units + in_gaps).sum() / possible)


def _observed(continuum: _Continuum) -> float:
    """Sum of squared differences over ordered pairs of annotators."""
    total = 0.0
    for i, first in enumerate(continuum.sections):
        for second in continuum.sections[i + 1 :]:
            total += 2 * _between(first, second)
    return total


def _between(first: FloatArray, second: FloatArray) -> float:
    starts = first[:, None, 0] - second[None, :, 0]
    ends = first[:, None, 1] - second[None, :, 1]
    lengths = first[:, 1] - first[:, 0], second[:, 1] - second[:, 0]
    meets = (first[:, None, 0] < second[None, :, 1]) & (second[None, :, 0] < first[:, None, 1])
    is_unit = first[:, None, 2] > 0, second[None, :, 2] > 0
    both = meets & is_unit[0] & is_unit[1]
    first_in_gap = is_unit[0] & ~is_unit[1] & (starts >= 0) & (ends <= 0)
    second_in_gap = is_unit[1] & ~is_unit[0] & (starts <= 0) & (ends >= 0)
    apart = np.where(both, starts**2 + ends**2, 0)
    apart = apart + np.where(first_in_gap, lengths[0][:, None] ** 2, 0)
    return float((apart + np.where(second_in_gap, lengths[1][None, :] ** 2, 0)).sum())


def _interval(
    continua: Sequence[Sequence[_Continuum]], value: float, options: AgreementOptions
) -> tuple[float | None, float | None, str]:
    n = len(continua[0]) if continua else 0
    if options.interval.method == "none":
        return None, None, "not asked for"
    if n < options.interval.min_articles:
        return None, None, f"too few: {counted(n, 'article')}"
    without = [_of_continua([[*one[:i], *one[i + 1 :]] for one in continua]) for i in range(n)]
    known = np.array([v for v in without if v is not None])
    if len(known) < n:
        return None, None, f"undefined without {n - len(known)} of {n} articles"
    if np.ptp(known) <= 1e-12:
        return None, None, "undefined: no variation between articles"
    half = t_quantile(options.interval.confidence, n - 1) * float(jackknife_error(known))
    return value - half, min(1.0, value + half), "ok"


def _continua(
    spans: pd.DataFrame, lengths: Mapping[str, int], annotators: Sequence[str]
) -> list[_Continuum]:
    marked: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for article, annotator, start, end in spans[list(COLUMNS[:4])].itertuples(index=False):
        marked.setdefault((article, annotator), []).append((int(start), int(end)))
    return [
        _Continuum(
            length,
            tuple(_sections(marked.get((article, name), []), length, name) for name in annotators),
        )
        for article, length in lengths.items()
    ]


def _sections(units: Sequence[tuple[int, int]], length: int, annotator: str) -> FloatArray:
    rows: list[tuple[int, int, int]] = []
    place = 0
    for start, end in sorted(units):
        if start < place:
            raise DataError(
                f"one annotator's spans of one label may not overlap; {annotator!r} has one that "
                f"starts at {start} before the last ended at {place}"
            )
        if start > place:
            rows.append((place, start, 0))
        rows.append((start, end, 1))
        place = end
    if place < length:
        rows.append((place, length, 0))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _check(spans: pd.DataFrame, lengths: Mapping[str, int], annotators: Sequence[str]) -> None:
    absent = [column for column in COLUMNS if column not in spans.columns]
    if absent:
        raise DataError(f"spans need the columns {', '.join(COLUMNS)}; got no {', '.join(absent)}")
    strangers = sorted(set(spans["annotator"]) - set(annotators))
    if strangers or len(set(annotators)) < len(annotators):
        raise DataError(
            f"spans are by the annotators {', '.join(annotators)}, each once; got {strangers}"
        )
    _check_numbers(spans, lengths)
    limits = spans["article"].map(dict(lengths)).astype(float)
    outside = spans[~((spans["start"] >= 0) & (spans["start"] < spans["end"]))]
    n_unread, n_late = int(limits.isna().sum()), int((spans["end"] > limits).sum())
    if n_unread or n_late or len(outside):
        raise DataError(
            "every span needs 0 <= start < end <= length of its article; got "
            f"{n_unread} in articles without a length, {len(outside)} inverted, "
            f"{n_late} that end after the article"
        )


def _check_numbers(spans: pd.DataFrame, lengths: Mapping[str, int]) -> None:
    """Refuse offsets and lengths that count no characters, and spans without a label."""
    n_nameless = int(spans["label"].isna().sum())
    if n_nameless:
        raise DataError(f"every span needs a label; {n_nameless} have none")
    counts = [*spans["start"], *spans["end"], *lengths.values()]
    odd = [n for n in counts if not isinstance(n, Real) or n % 1 != 0 or n < 0]
    if odd:
        raise DataError(
            f"offsets and lengths count characters, whole numbers from 0; got {odd[0]!r}"
        )


def _none(status: str, options: AgreementOptions, n_articles: int = 0) -> Estimate:
    return Estimate(
        None,
        status,
        n_articles=n_articles,
        method=_METHOD,
        confidence=options.interval.confidence,
    )
