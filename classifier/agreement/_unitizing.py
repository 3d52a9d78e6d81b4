"""Krippendorff's alpha for unitizing: do annotators mark the same stretches of the same texts?

Krippendorff 2004, "Content Analysis", 2nd edition, section 11.6, and 1995, "On the reliability of
unitizing contiguous data". Each label has its own continuum of units and gaps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd

from classifier.agreement._coding import DEFAULT_OPTIONS, AgreementOptions
from classifier.errors import DataError
from classifier.intervals import FloatArray, jackknife_error, t_quantile
from classifier.records import Estimate, counted

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
    value = _alpha(continua)
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
    """What unitizing alpha is made of, for one label; None where nobody marked it."""
    _check(spans, lengths, annotators)
    return _disagreement(_continua(spans[spans["label"] == label], lengths, annotators))


def _alpha(continua: Sequence[Sequence[_Continuum]]) -> float | None:
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
    without = [_alpha([[*one[:i], *one[i + 1 :]] for one in continua]) for i in range(n)]
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
