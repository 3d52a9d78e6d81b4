"""Models that were trained without one fold of the articles each, applied as one.

Every article is judged by one model that has not seen it. An article of a fold is judged by the
model that was trained without that fold. Any other is judged by one of the models, chosen by the
hash of its id. Then coded and other articles are judged alike, which is what a corrected mean rests
on. Zrnic and Candès (2024, "Cross-prediction-powered inference") average the models over the other
articles. One model each costs a fraction of that and covers as well, see
benchmarks/intervals/coverage.py. The model trained on all articles must not judge the others
instead: its mean error would not cancel.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from classifier.codebook import Variable
from classifier.errors import ModelError
from classifier.files import read_json, write_json
from classifier.models._calibration import Calibration
from classifier.models._folder import RECORD, Trained, read_run, sha256
from classifier.models._protocol import Probabilities, Progress, RuntimeName, TrainOptions
from classifier.records import FOLD_PART, Passage

FOLDS = "folds"
"""Folder in a run with a run per fold, named 1, 2, ..."""
OUT_OF_FOLD = "out_of_fold.parquet"
"""Predictions for the articles of the folds."""
_INDEX = "folds.json"


@dataclass
class FoldedModel:
    """One model per fold; a passage is judged by one that was trained without its article."""

    variables: tuple[Variable, ...]
    options: TrainOptions
    members: tuple[Trained, ...]
    fold_of: Mapping[str, int]
    """Article id -> number of its fold, from 0; for the articles that were trained on."""

    @property
    def runtime(self) -> str:
        """What computes the first model, and so all of them."""
        return self.members[0].model.runtime

    @property
    def text_limit(self) -> int:
        """Most tokens of text that one passage may hold."""
        return min(member.model.text_limit for member in self.members)

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Where the tokens of each text begin."""
        return self.members[0].model.token_starts(texts)

    def fold(self, article_id: str) -> int:
        """The model that judges an article, from 0."""
        known = self.fold_of.get(article_id)
        digest = hashlib.sha256(article_id.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % len(self.members) if known is None else known

    def predict(
        self, passages: Sequence[Passage], *, progress: Progress | None = None
    ) -> Probabilities:
        """Calibrated probabilities for every mention, each model's by its own calibration."""
        folds = [self.fold(passage.article_id) for passage in passages]
        owner = np.repeat(folds, [len(passage.mentions) for passage in passages])
        result = {v.name: np.full((len(owner), len(v.names)), np.nan) for v in self.variables}
        for number, member in enumerate(self.members):
            own = [p for p, fold in zip(passages, folds, strict=True) if fold == number]
            if not own:
                continue
            raw = member.model.predict(own, progress=progress)
            spoken = [passage.language for passage in own for _ in passage.mentions]
            for name, rows in member.calibration.apply(raw, self.variables, spoken).items():
                result[name][owner == number] = rows
        return result


def write_folds(run: Path, folds: Sequence[Sequence[str]]) -> None:
    """Note which articles are in which fold, beside the models, which must be there already."""
    index = {
        "run": sha256(run / RECORD),
        "models": [sha256(run / FOLDS / str(k + 1) / RECORD) for k in range(len(folds))],
        "articles": [list(fold) for fold in folds],
    }
    write_json(run / FOLDS / _INDEX, index)


def read_folds(run: Path, runtime: RuntimeName = "auto") -> Trained:
    """The models of a run's folds as one; `parts` names the fold of each of their articles.

    Raises `ModelError` if the run has no folds, or if one of its models was altered.
    """
    whole, place = read_run(run, runtime), run / FOLDS / _INDEX
    if not place.is_file():
        raise ModelError(f"{run} has no folds; train it with them (classifier train --folds K)")
    index = read_json(place)
    folders = [run / FOLDS / str(k + 1) for k in range(len(index["articles"]))]
    found = [sha256(folder / RECORD) for folder in folders if (folder / RECORD).is_file()]
    if [sha256(run / RECORD), *found] != [index["run"], *index["models"]]:
        raise ModelError(f"{run}: the folds are not those of this run; train again with --folds")
    members = tuple(read_run(folder, runtime) for folder in folders)
    fold_of = {name: k for k, names in enumerate(index["articles"]) for name in names}
    model = FoldedModel(whole.model.variables, whole.model.options, members, fold_of)
    parts = {name: f"{FOLD_PART}{k + 1} of {len(members)}" for name, k in fold_of.items()}
    # What its publisher keeps in one part shaped every model.
    published = {
        name: part
        for name, part in whole.parts.items()
        if all(name in member.parts for member in members)
    }
    return replace(
        whole,
        model=model,
        calibration=Calibration({}),
        model_id=f"{whole.model_id}, {len(members)} folds",
        parts=published | parts,
    )
