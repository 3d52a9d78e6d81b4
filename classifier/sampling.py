"""Draw articles to annotate: at random with known probabilities, or those a model is unsure of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from classifier.errors import DataError
from classifier.records import Article

Design = Literal["random", "uncertainty"]
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sample:
    """Which articles were drawn, how, and from how many."""

    table: pd.DataFrame
    """`article_id, stratum, sampling_probability`; the probability is None unless the design is
    random."""
    design: Design
    n_population: int
    seed: int

    @property
    def is_random(self) -> bool:
        """Whether estimates may rest on it."""
        return self.design == "random"


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
    stratum's share over its size; broken shares are rounded at random so that it holds exactly
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
        DataError: a column is missing, `n` is not positive, or there is no article.
    """
    table = population if isinstance(population, pd.DataFrame) else _table(population, by)
    _check(table, n, by if design == "random" else ())
    generator = np.random.default_rng(seed)
    if design == "uncertainty":
        drawn = _unsure(table, n, generator)
    else:
        drawn = _stratified(_strata(table, by), n, generator)
    return Sample(drawn, design, int(table["article_id"].nunique()), seed)


def drawn_articles(articles: Iterable[Article], sample: Sample) -> tuple[Article, ...]:
    """The articles of a sample, each with its known probability."""
    probability = dict(
        zip(sample.table["article_id"], sample.table["sampling_probability"], strict=True)
    )
    return tuple(
        replace(article, sampling_probability=probability[article.article_id])
        for article in articles
        if article.article_id in probability
    )


def _table(articles: Iterable[Article], by: Sequence[str]) -> pd.DataFrame:
    columns = [name for name in by if name in Article.__dataclass_fields__]
    rows = [[a.article_id, *(getattr(a, name) for name in columns)] for a in articles]
    return pd.DataFrame(rows, columns=["article_id", *columns], dtype="object")


def _check(table: pd.DataFrame, n: int, by: Sequence[str]) -> None:
    missing = [name for name in ("article_id", *by) if name not in table]
    if missing:
        raise DataError(
            f"to draw by {', '.join(by)}, a table with these columns was required; missing: "
            f"{missing}; targets are in the mentions or predictions, not in the articles"
        )
    if n < 1:
        raise DataError(f"a sample needs at least one article, got n = {n}")
    if table.empty:
        raise DataError("a sample needs articles to draw from, got none")


def _strata(table: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """The stratum of every article."""
    strata: dict[str, dict[str, set[str]]] = {}
    for row in table[["article_id", *by]].to_dict("records"):
        values = strata.setdefault(row["article_id"], {name: set() for name in by})
        for name in by:
            values[name].add(_UNKNOWN if pd.isna(row[name]) else str(row[name]))
    return pd.Series(
        {
            article_id: " / ".join("+".join(sorted(values[name])) for name in by)
            for article_id, values in strata.items()
        },
        dtype="object",
    )


def _stratified(strata: pd.Series, n: int, generator: np.random.Generator) -> pd.DataFrame:
    groups = {name: list(group.index) for name, group in strata.groupby(strata, sort=True)}
    sizes = np.array([len(group) for group in groups.values()])
    shares = _even_shares(sizes, n)
    edges = np.floor(np.round(np.cumsum(shares), 9) + generator.random())
    counts = np.diff(edges, prepend=0).astype(int)
    rows = [
        (article_id, name, share / len(group))
        for (name, group), share, count in zip(groups.items(), shares, counts, strict=True)
        for article_id in sorted(generator.choice(np.array(group, object), count, replace=False))
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


_COLUMNS = ["article_id", "stratum", "sampling_probability"]


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
    order = np.lexsort((generator.random(len(entropy)), -entropy.to_numpy()))[:n]
    drawn = [str(article_id) for article_id in entropy.index[order]]
    table = pd.DataFrame({"article_id": drawn}, dtype="object")
    return table.assign(stratum=None, sampling_probability=None)
