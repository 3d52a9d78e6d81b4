"""Draw articles to annotate: at random with known probabilities, or those a model is unsure of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
_COLUMNS = ["article_id", "stratum", "sampling_probability"]


@dataclass(frozen=True)
class Sample:
    """Which articles were drawn, how, and from how many."""

    table: pd.DataFrame
    """`article_id, stratum, sampling_probability`; the probability is None unless the design is
    random."""
    design: Design
    n_population: int
    seed: int
    frame: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_COLUMNS))
    """The same columns for every article that could have been drawn."""

    @property
    def is_random(self) -> bool:
        """Whether estimates may rest on it."""
        return self.design == "random"

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

    By uncertainty: the `n` articles with the greatest mean entropy of the stance probabilities.
    These are for training. They are no random sample, and no estimate may rest on them.

    Args:
        population: mentions or predictions, a row each with `article_id` and the columns of `by`;
            or articles, for what `Article` knows.
        n: how many articles; all of them where there are fewer.
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
    if design == "uncertainty":
        drawn = _unsure(table, n, generator)
        everything = _without_chances(table["article_id"].unique())
        return Sample(drawn, design, n_population, seed, everything)
    strata = _strata(table, by)
    names, counts = np.unique(strata.to_numpy(dtype=str), return_counts=True)
    chances = dict(zip(names.tolist(), (_even_shares(counts, n) / counts).tolist(), strict=True))
    frame = _framed(strata, chances)
    return Sample(_drawn(frame, generator), design, n_population, seed, frame)


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
    """What `write_frame` wrote; None where there is none.

    Raises `DataError` where it is malformed.
    """
    path = folder / FRAME
    if not path.is_file():
        return None
    try:
        frame = pd.read_csv(path, dtype={"article_id": str, "stratum": str}, encoding="utf-8")
        frame["sampling_probability"] = frame["sampling_probability"].astype(float)
    except (ValueError, KeyError) as error:
        raise DataError(f"{path}: needs the columns {', '.join(_COLUMNS)}: {error}") from None
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
    for row in table[["article_id", *by]].to_dict("records"):
        values = strata.setdefault(row["article_id"], {name: set() for name in by})
        for name in by:
            value = "" if pd.isna(row[name]) else str(row[name])
            values[name].add(value if value.strip() else UNKNOWN)
    return pd.Series(
        {
            article_id: " / ".join("+".join(sorted(values[name])) for name in by)
            for article_id, values in strata.items()
        },
        dtype="object",
    )


def _framed(strata: pd.Series, probability: Mapping[str, float]) -> pd.DataFrame:
    """Every article with its stratum and its probability, by stratum."""
    rows = sorted(strata.items(), key=lambda item: str(item[1]))
    return _table_of([(name, stratum, float(probability[stratum])) for name, stratum in rows])


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


def _unsure(table: pd.DataFrame, n: int, generator: np.random.Generator) -> pd.DataFrame:
    columns = [name for name in table if str(name).startswith("p_stance_")]
    if not columns:
        raise DataError("uncertainty needs predictions with columns p_stance_<label>, got none")
    probabilities = table[columns].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(probabilities > 0, probabilities * np.log(probabilities), 0.0)
    entropy = pd.Series(-terms.sum(axis=1), index=table["article_id"].to_numpy())
    entropy = entropy[~np.isnan(probabilities).any(axis=1)].groupby(level=0).mean()
    if entropy.empty:
        raise DataError("uncertainty needs mentions with stance probabilities, all are missing")
    order = np.lexsort((generator.random(len(entropy)), -entropy.to_numpy()))[:n]
    return _without_chances(entropy.index[order])


def _without_chances(article_ids: Iterable[str]) -> pd.DataFrame:
    frame = pd.DataFrame({"article_id": list(article_ids)}, dtype="object")
    return frame.assign(stratum=None, sampling_probability=None)
