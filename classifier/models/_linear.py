"""The baseline: n-grams around the mention and logistic regression; any language, in seconds."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from classifier.codebook import Variable
from classifier.errors import ModelError
from classifier.models._passages import Examples
from classifier.models._protocol import Probabilities, Progress, TrainOptions, quality
from classifier.records import Passage, PassageMention, Span

_FILE = "linear.skops"
_TRUSTED = (
    "scipy.sparse._csr.csr_matrix",
    "scipy.sparse._dia.dia_matrix",
    "sklearn.feature_extraction.text.TfidfTransformer",
    "sklearn.linear_model._logistic.LogisticRegression",
)
_PLACEHOLDER = "xtargetx"
_PASSAGE_WORDS = 64
_NEAR_WORDS = 8
_NEAR_CHARACTERS = 60
_COLUMNS = 2**16
_WORD = re.compile(r"\w+")
_VECTORIZERS = (
    HashingVectorizer(n_features=_COLUMNS, alternate_sign=False, norm=None, ngram_range=(1, 2)),
    HashingVectorizer(
        n_features=_COLUMNS, alternate_sign=False, norm=None, token_pattern=r"\S+", lowercase=False
    ),
    *(
        HashingVectorizer(
            n_features=_COLUMNS,
            alternate_sign=False,
            norm=None,
            analyzer="char_wb",
            ngram_range=(3, 5),
        )
        for _ in range(2)
    ),
)


@dataclass(frozen=True)
class WordReader:
    """See `models.Reader`; n-grams are counted where the model is."""

    text_limit: int

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Where the words of each text begin."""
        return [[match.start() for match in _WORD.finditer(text)] for text in texts]

    def encode(self, passages: Sequence[Passage]) -> Sequence[Passage]:
        """The passages as they are."""
        return passages


class LinearModel:
    """TF-IDF of word and character n-grams; see `models.Model`."""

    def __init__(self, variables: Sequence[Variable], options: TrainOptions) -> None:
        """A model that has learnt nothing yet."""
        self.variables = tuple(variables)
        self.options = options
        self.weighting: list[TfidfTransformer] = []
        self.heads: dict[str, list[Any]] = {}
        """Regressions, or a constant probability if a label never varied."""

    @property
    def reader(self) -> "WordReader":
        """Counts words."""
        return WordReader(self.text_limit)

    @property
    def runtime(self) -> str:
        """See `models.Model`."""
        return "scikit-learn"

    @property
    def text_limit(self) -> int:
        """Most words that one passage may hold: what it counts should be near the mention."""
        return min(self.options.max_tokens, _PASSAGE_WORDS)

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Where the words of each text begin."""
        return self.reader.token_starts(texts)

    def fit(
        self,
        training: Examples,
        development: Examples,
        *,
        progress: Progress | None = None,
        checkpoints: Path | None = None,
    ) -> Mapping[str, object]:
        """Fit one regression per variable, for a set one per label, on both sets of articles.

        Nothing here has to be stopped early, so development articles are learnt from as well.
        """
        passages = (*training.passages, *development.passages)
        counts = _counts(passages)
        self.weighting = [TfidfTransformer(sublinear_tf=True).fit(part) for part in counts]
        features = self._weighted(counts)
        both = {
            v.name: np.concatenate([training.labels[v.name], development.labels[v.name]])
            for v in self.variables
        }
        for done, variable in enumerate(self.variables):
            if progress is not None:
                progress(done, len(self.variables), f"fitting {variable.name}")
            labels = both[variable.name]
            self.heads[variable.name] = self._fit_heads(
                features, labels, _weights(training, labels)
            )
        fitted = quality(self.predict(passages), both, self.variables)
        return {"n_features": int(features.shape[1]), "quality_on_training": fitted}

    def _fit_heads(
        self,
        features: sparse.csr_matrix,
        labels: NDArray[np.int64],
        how_often: NDArray[np.float64],
    ) -> list[Any]:
        columns = [labels] if labels.ndim == 1 else list(labels.T)
        heads: list[Any] = []
        for column in columns:
            coded = column >= 0
            if len(np.unique(column[coded])) < 2:
                heads.append(float(column[coded].mean()) if coded.any() else 0.0)
                continue
            weights = None if self.options.class_weights == "none" else "balanced"
            head = LogisticRegression(C=2.0, max_iter=300, class_weight=weights)
            heads.append(head.fit(features[coded], column[coded], how_often[coded]))
        return heads

    def predict(
        self, passages: Sequence[Passage], *, progress: Progress | None = None
    ) -> Probabilities:
        """Probabilities for every mention."""
        if not self.heads:
            raise ModelError("a linear model must be fitted or loaded before it can predict")
        if not passages:
            return {v.name: np.empty((0, len(v.names))) for v in self.variables}
        features = self._weighted(_counts(passages))
        return {v.name: self._predict_variable(features, v) for v in self.variables}

    def _predict_variable(
        self, features: sparse.csr_matrix, variable: Variable
    ) -> NDArray[np.float64]:
        rows = np.zeros((features.shape[0], len(variable.names)))
        heads = self.heads[variable.name]
        if variable.kind != "set":
            rows[:, heads[0].classes_] = heads[0].predict_proba(features)
            return rows
        for column, head in enumerate(heads):
            constant = isinstance(head, float)
            rows[:, column] = head if constant else head.predict_proba(features)[:, 1]
        return rows

    def _weighted(self, counts: Iterable[sparse.csr_matrix]) -> sparse.csr_matrix:
        pairs = zip(self.weighting, counts, strict=True)
        return sparse.csr_matrix(sparse.hstack([w.transform(part) for w, part in pairs]))

    def save(self, folder: Path) -> None:
        """Write weights and regressions as skops, which holds no code."""
        skops.io.dump({"weighting": self.weighting, "heads": self.heads}, folder / _FILE)


def _weights(training: Examples, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """How often each mention counts: as its passage says, those for development once."""
    weights = np.ones(len(labels))
    if training.weights:
        n_mentions = [len(passage.mentions) for passage in training.passages]
        weights[: training.n_mentions] = np.repeat(training.weights, n_mentions)
    return weights


def load_linear(folder: Path, variables: Sequence[Variable], options: TrainOptions) -> LinearModel:
    """The model that `save` wrote; raises `ModelError` if the file holds anything else."""
    path = folder / _FILE
    unknown = set(skops.io.get_untrusted_types(file=path)) - set(_TRUSTED)
    if unknown:
        raise ModelError(f"{path} must hold a linear model only, got {', '.join(sorted(unknown))}")
    parts: dict[str, Any] = skops.io.load(path, trusted=list(_TRUSTED))
    model = LinearModel(variables, options)
    model.weighting, model.heads = parts["weighting"], parts["heads"]
    return model


def _counts(passages: Sequence[Passage]) -> list[sparse.csr_matrix]:
    """Counts of words, of words by side and distance, and of character sequences."""
    mentions = [(passage, mention) for passage in passages for mention in passage.mentions]
    sentences, near = [], []
    for passage, mention in mentions:
        start, end = mention.span.start - _NEAR_CHARACTERS, mention.span.end + _NEAR_CHARACTERS
        sentences.append(_masked(passage, mention, mention.sentence))
        near.append(_masked(passage, mention, Span(max(0, start), end)))
    texts = (sentences, [_sides(*one) for one in mentions], near, sentences)
    return [vec.transform(part) for vec, part in zip(_VECTORIZERS, texts, strict=True)]


def _masked(passage: Passage, mention: PassageMention, stretch: Span) -> str:
    """A stretch of the passage with the mention made anonymous."""
    before = passage.text[stretch.start : mention.span.start]
    after = passage.text[mention.span.end : stretch.end]
    return f"{before} {_PLACEHOLDER} {after}"


def _sides(passage: Passage, mention: PassageMention) -> str:
    """Words marked by their side, and near the mention by their distance."""
    before = _WORD.findall(passage.text[: mention.span.start].lower())[::-1]
    after = _WORD.findall(passage.text[mention.span.end :].lower())
    marked: list[str] = []
    for side, words in (("l", before), ("r", after)):
        near = words[:_NEAR_WORDS]
        marked += [f"{side}_{word}" for word in near]
        marked += [f"{side}{place}_{word}" for place, word in enumerate(words[:3])]
        marked += [f"{side}2_{a}_{b}" for a, b in pairwise(near)]
        marked += [f"{side}far_{word}" for word in words[_NEAR_WORDS:]]
    return " ".join(marked)
