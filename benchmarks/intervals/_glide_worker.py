"""What glide-py makes of corpora: run by its path, by a Python 3.12 that has glide-py.

Reads a table with a row per mention: corpus, article, label (nan if not coded), and a score of each
predictor. Writes a row per corpus: the interval from mentions, and the one from means of articles.
"""

import sys

import numpy as np
import numpy.typing as npt
from glide.estimators import MultiPPIMeanEstimator

Array = npt.NDArray[np.float64]


def main() -> None:
    """Read the table that is named first, and write the intervals to the file named second."""
    rows = np.load(sys.argv[1])
    starts = np.flatnonzero(np.diff(rows[:, 0]))
    made = []
    for corpus in np.split(rows, starts + 1):
        mentions = corpus[:, 2:]
        made.append([*ends(mentions), *ends(article_means(corpus[:, 1].astype(int), mentions))])
    np.save(sys.argv[2], np.array(made))


def article_means(article: npt.NDArray[np.int64], mentions: Array) -> Array:
    """Mean label and scores of each article."""
    size = np.bincount(article)
    return np.column_stack([np.bincount(article, column) / size for column in mentions.T])


def ends(rows: Array) -> tuple[float, float]:
    """The interval of the mean label, the first column, from the scores in the others."""
    made = MultiPPIMeanEstimator().estimate(rows[:, 0], rows[:, 1:]).confidence_interval
    return made.lower_bound, made.upper_bound


if __name__ == "__main__":
    main()
