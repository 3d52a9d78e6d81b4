"""Draw articles to annotate: evenly by stratum, or more where a model is unsure."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from classifier.errors import DataError
from classifier.files import replacing
from classifier.intervals import seeded
from classifier.notebook_html import frame_html
from classifier.records import UNKNOWN, Article, counted

Design = Literal["random", "uncertainty"]
FRAME = "sampling.csv"
"""File beside a drawn set that has every article it was drawn from."""
EVEN = 0.2
"""Part of a chance by uncertainty that is the same for all articles."""
_DRAWN_OF_STRATUM = 3
_MOST_PARTS = 5
"""By uncertainty there are at most so many groups by reach, and in each so many by score."""
_COLUMNS = ["article_id", "stratum", "sampling_probability"]


@dataclass(frozen=True)
class Sample:
    """Which articles were drawn, how, and from how many."""

    table: pd.DataFrame
    """`article_id, stratum, sampling_probability`."""
    design: Design
    n_population: int
    seed: int
    frame: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_COLUMNS))
    """The columns of `table` for every article that could have been drawn."""

    def to_frame(self) -> pd.DataFrame:
        """One row per drawn article, with its stratum and its chance."""
        return self.table

    def __repr__(self) -> str:
        """How many were drawn of how many, and how."""
        return (
            f"Sample: {len(self.table)} of {counted(self.n_population, 'article')}, "
            f"design {self.design}, seed {self.seed}"
        )

    def _repr_html_(self) -> str:
        return frame_html(self.table, f"{self!r};")


def draw_sample(
    population: pd.DataFrame | Iterable[Article],
    n: int,
    *,
    by: Sequence[str] = ("source", "target"),
    design: Design = "random",
    seed: int = 0,
) -> Sample:
    """Draw articles to annotate.

    At random: an article's stratum is what it has in each column of `by`, with all its targets
    together. Strata share `n` as evenly as their sizes allow, and an article's probability is its
    stratum's share over its size. Broken shares are rounded at random so that it holds exactly
    (systematic rounding, Cochran 1977, section 8).

    By uncertainty: an article's reach is its mentions times the root of their mean entropy of the
    stance probabilities, which is how far the model's errors in it may reach. Strata are groups of
    like reach and, in each, of like mean score, so that about 3 articles are drawn from a stratum.
    Chances are the same in a stratum and grow with its mean reach (Neyman 1934); a fifth of a
    chance is the same for all, so that none vanishes. Estimates may rest on them if they weigh by
    the chance, as a profile does. benchmarks/intervals sets this beside other designs.

    Args:
        population: mentions or predictions, a row each with `article_id` and the columns of `by`;
            or articles, for what `Article` knows.
        n: how many articles; all of them if there are fewer.
        by: columns that make the strata.
        design: "random" or "uncertainty".
        seed: of the draw.

    Raises:
        DataError: a column, an id or every article is missing; `n`, seed or design is none.
    """
    if design not in get_args(Design):
        raise DataError(f"a design is one of {', '.join(get_args(Design))}; got {design!r}")
    table = population if isinstance(population, pd.DataFrame) else _table(population, by)
    _check(table, n, by if design == "random" else ())
    generator = seeded(seed)
    n_population = int(table["article_id"].nunique())
    frame = chances_by_size(table, by, design)(n)
    return Sample(_drawn(frame, generator), design, n_population, seed, frame)


def chances_by_size(
    table: pd.DataFrame, by: Sequence[str], design: Design
) -> Callable[[int], pd.DataFrame]:
    """From a number of articles to every article with its chance in a draw of so many."""
    if design == "uncertainty":
        articles = _unsure(table)
        return lambda n: _by_reach(articles, n)
    strata = _strata(table, by)
    names, index, counts = np.unique(
        strata.to_numpy(dtype=str), return_inverse=True, return_counts=True
    )

    def even(n: int) -> pd.DataFrame:
        each = _even_shares(counts, n) / counts
        rows = zip(strata.index, names[index].tolist(), each[index].tolist(), strict=True)
        return _table_of(sorted(rows, key=lambda row: row[1]))

    return even


def draw_further(
    frame: pd.DataFrame,
    drawn: Collection[str],
    chances: Mapping[str, float],
    *,
    seed: int = 0,
) -> Sample:
    """Draw more articles around those already drawn, and combine both draws' probabilities.

    An article comes into one of the draws with probability p1 + (1 - p1) p2, where p2 is its chance
    in the second draw if the first left it. With these probabilities estimates weight both draws
    together; they stay (nearly) unbiased although the p2 may be chosen after a look at the first.

    Args:
        frame: `article_id` and the `sampling_probability` that the draws so far gave it, for every
            article that could have been drawn.
        drawn: Ids of the articles already drawn.
        chances: Article id -> p2; what is not named gets 0. Articles of equal chances in both draws
            are a stratum.
        seed: Of the draw.

    Returns:
        The newly drawn articles, and the frame, all with combined probabilities.

    Raises:
        DataError: the chance of an article is not known or is none.
    """
    _check_frame(frame, chances)
    first = frame["sampling_probability"].astype(float)
    second = frame["article_id"].map(chances).fillna(0.0).astype(float)
    strata = "first " + first.map("{:.6g}".format) + ", then " + second.map("{:.6g}".format)
    left = frame.assign(stratum=strata, sampling_probability=second)[
        ~frame["article_id"].isin(set(drawn)) & (second > 0)
    ]
    new = _drawn(left, seeded(seed))
    combined = frame.assign(sampling_probability=first + (1 - first) * second)
    both = combined.set_index("article_id")["sampling_probability"]
    new = new.assign(sampling_probability=new["article_id"].map(both))
    return Sample(new, "random", len(frame), seed, combined[_COLUMNS])


def _check_frame(frame: pd.DataFrame, chances: Mapping[str, float]) -> None:
    probability = frame["sampling_probability"].astype(float)
    n_unknown = int((~(probability >= 0) | (probability > 1)).sum())
    if n_unknown:
        raise DataError(
            f"a further draw needs the chance that each article had so far; {n_unknown} of "
            f"{len(frame)} have none. Draw with classifier sample, which writes {FRAME}"
        )
    wrong = [name for name, chance in chances.items() if not 0 <= chance <= 1]
    if wrong:
        raise DataError(f"a chance must lie in [0, 1], got {chances[wrong[0]]} for {wrong[0]!r}")


def write_frame(frame: pd.DataFrame, folder: Path) -> None:
    """Write the articles that could have been drawn, with their probabilities, beside a set."""
    with replacing(folder / FRAME) as draft:
        frame[_COLUMNS].to_csv(draft, index=False, encoding="utf-8", lineterminator="\n")


def read_frame(folder: Path) -> pd.DataFrame | None:
    """What `write_frame` wrote; None if there is none.

    Raises `DataError` if it is malformed.
    """
    path = folder / FRAME
    if not path.is_file():
        return None
    try:
        frame = pd.read_csv(path, dtype={"article_id": str, "stratum": str}, encoding="utf-8")
        frame["sampling_probability"] = frame["sampling_probability"].astype(float)
    except (ValueError, KeyError):
        needed = ", ".join(_COLUMNS)
        raise DataError(
            f"{path}: the columns {needed} with numbers as chances were required; let `classifier "
            "sample` write it again"
        ) from None
    again = frame["article_id"][frame["article_id"].duplicated()]
    if len(again):
        raise DataError(
            f"{path}: one row per article was required, got {again.iloc[0]!r} again; keep one"
        )
    return frame


def _table(articles: Iterable[Article], by: Sequence[str]) -> pd.DataFrame:
    columns = [name for name in by if name in Article.__dataclass_fields__]
    rows = [[a.article_id, *(getattr(a, name) for name in columns)] for a in articles]
    return pd.DataFrame(rows, columns=["article_id", *columns], dtype="object")


def _check(table: pd.DataFrame, n: int, by: Sequence[str]) -> None:
    missing = [name for name in ("article_id", *by) if name not in table]
    if missing:
        raise DataError(
            f"to draw by {', '.join(by)}, a table with these columns was required; missing: "
            f"{missing}; draw by what they have, such as source or language; targets are in the "
            "mentions or predictions, not in the articles"
        )
    if n < 1:
        raise DataError(f"a sample needs at least one article, got n = {n}")
    if table.empty:
        raise DataError("a sample needs articles to draw from, got none")
    if table["article_id"].isna().any():
        raise DataError("every row needs its article_id")


def _strata(table: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """The stratum of every article."""
    strata: dict[str, dict[str, set[str]]] = {}
    for article_id, *row in zip(*(table[name] for name in ("article_id", *by)), strict=True):
        values = strata.setdefault(article_id, {name: set() for name in by})
        for name, found in zip(by, row, strict=True):
            value = "" if pd.isna(found) else str(found)
            values[name].add(value if value.strip() else UNKNOWN)
    return pd.Series(
        {
            article_id: " / ".join("+".join(sorted(values[name])) for name in by)
            for article_id, values in strata.items()
        },
        dtype="object",
    )


def _drawn(frame: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """A draw from each stratum; broken shares are rounded at random and so hold exactly."""
    groups: dict[str, list[str]] = {}
    chance: dict[str, float] = {}
    for row in frame.itertuples(index=False):
        groups.setdefault(row.stratum, []).append(row.article_id)
        chance[row.stratum] = row.sampling_probability
    names = sorted(groups)
    shares = [chance[name] * len(groups[name]) for name in names]
    edges = np.floor(np.round(np.cumsum(shares), 9) + generator.random())
    counts = np.diff(edges, prepend=0).astype(int)
    return _table_of(
        [
            (article_id, name, chance[name])
            for name, count in zip(names, counts, strict=True)
            for article_id in sorted(
                generator.choice(np.array(groups[name], object), count, replace=False)
            )
        ]
    )


def _table_of(rows: Sequence[tuple[str, str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=_COLUMNS)


def _even_shares(sizes: np.ndarray, n: int) -> np.ndarray:
    """Shares of `n` as equal as sizes allow; what a small stratum cannot take, others get."""
    shares = np.zeros(len(sizes))
    is_open = np.ones(len(sizes), bool)
    left = float(min(n, sizes.sum()))
    while left > 0 and is_open.any():
        each = left / is_open.sum()
        is_small = is_open & (sizes <= each)
        if not is_small.any():
            shares[is_open] = each
            break
        shares[is_small] = sizes[is_small]
        left -= sizes[is_small].sum()
        is_open &= ~is_small
    return shares


def _unsure(table: pd.DataFrame) -> pd.DataFrame:
    """Every article with its mentions' mean score and how far the model's errors may reach."""
    columns = [name for name in table if str(name).startswith("p_stance_")]
    if not columns:
        raise DataError("uncertainty needs predictions with columns p_stance_<label>, got none")
    probabilities = table[columns].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(probabilities > 0, probabilities * np.log(probabilities), 0.0)
    entropy = np.clip(-terms.sum(axis=1), 0, None)
    known = ~np.isnan(probabilities).any(axis=1)
    if not known.any():
        raise DataError("uncertainty needs mentions with stance probabilities, all are missing")
    # A mention without probabilities is as unsure as the others are on average.
    entropy[~known] = entropy[known].mean()
    score = table["stance_score"].to_numpy(float) if "stance_score" in table else 0 * entropy
    rows = pd.DataFrame({"article_id": table["article_id"], "entropy": entropy, "score": score})
    groups = rows.groupby("article_id")
    reach = groups.size() * np.sqrt(groups["entropy"].mean())
    return pd.DataFrame({"reach": reach, "score": groups["score"].mean()})


def _by_reach(articles: pd.DataFrame, n: int) -> pd.DataFrame:
    """Every article with its stratum, of like reach and like score, and its chance in a draw."""
    reach = articles["reach"].to_numpy()
    n_strata = max(min(n, len(reach)) // _DRAWN_OF_STRATUM, 1)
    n_groups = min(math.isqrt(n_strata), _MOST_PARTS)
    n_parts = min(n_strata // n_groups, _MOST_PARTS)
    group = _parts(reach, n_groups)
    part = np.zeros_like(group)
    for k in range(n_groups):
        part[group == k] = _parts(articles["score"].to_numpy()[group == k], n_parts)
    stratum = group * n_parts + part
    mean = (np.bincount(stratum, reach) / np.maximum(np.bincount(stratum), 1))[stratum]
    share = np.full(len(reach), 1 / len(reach))
    if mean.sum() > 0:
        share = EVEN * share + (1 - EVEN) * mean / mean.sum()
    names = [f"uncertainty {g + 1}, score {p + 1}" for g, p in zip(group, part, strict=True)]
    rows = zip(articles.index.astype(object), names, _chances_for(share, n), strict=True)
    return _table_of([(name, where, float(chance)) for name, where, chance in rows])


def _parts(values: np.ndarray, n: int) -> np.ndarray:
    """In which of n equally large parts each value lies, the lowest in the first."""
    place = np.empty(len(values), dtype=int)
    place[np.argsort(values, kind="stable")] = np.arange(len(values))
    return place * n // max(len(values), 1)


def _chances_for(share: np.ndarray, n: int) -> np.ndarray:
    """Chances in proportion to the shares that sum to n; what exceeds 1 goes to the others."""
    chances = np.zeros(len(share))
    is_certain = np.zeros(len(share), bool)
    n = min(n, len(share))
    while True:
        left = n - is_certain.sum()
        rest = share[~is_certain].sum()
        chances = np.where(is_certain, 1.0, left * share / rest if rest > 0 else 0.0)
        above = (chances >= 1) & ~is_certain
        if not above.any():
            return chances
        is_certain |= above
