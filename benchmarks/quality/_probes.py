"""The base as it is, frozen: vectors of every mention once, then a regression per question.

Costs one reading of the corpora and seconds per question, so that poolings, contexts, mixtures and
weights can be compared where there is no time to train. What holds here need not hold for an
encoder that learns.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.quality._bias import with_swapped_copies
from benchmarks.quality._data import NAMES, STANCE, Corpus, examples
from benchmarks.quality._judging import TESTS, Tested, frame, judged, tests, units_of
from benchmarks.quality._pooling import _ends, _largest, _mean
from benchmarks.quality._runs import Clock, Scope, base_record, swaps_of, write_line
from benchmarks.quality._training import Recipe
from classifier.intervals import IntervalOptions
from classifier.models import Calibration, Limits, fit_calibration
from classifier.models.encoder._batches import collate
from classifier.models.encoder._model import EncoderModel, new_encoder
from classifier.models.encoder._tokens import length_batches
from classifier.models.runtime._torch import quiet_transformers, uses_bfloat16
from classifier.records import Passage
from classifier.training import CALIBRATION, TRAIN

Vectors = Mapping[str, NDArray[np.float32]]
_BUDGET = 4096
_STEPS = 200
_STRENGTH = 0.01
"""Of the regression: small is cautious (scikit-learn's C)."""
_SWAPPED_IN = ("reference", "swapped copies", "sample only, context 0, swapped copies")
_POOLS = ("mention", "sentence", "window", "largest", "first", "last")


@dataclass(frozen=True)
class Read:
    """What a part of a corpus looks like to the frozen base."""

    units: tuple[str, ...]
    languages: tuple[str, ...]
    labels: NDArray[np.int64]
    vectors: Vectors
    """Per way of pooling one row per mention."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One regression: on which vectors, from which corpora, how weighted."""

    pools: tuple[str, ...] = ("mention", "sentence")
    corpora: tuple[str, ...] = NAMES
    weights: Mapping[str, float] | None = None
    """Per corpus; 1 if it is not named, None for the weights of the shipped scorer."""
    balanced: bool = False
    context: int = 1
    swapped: bool = False
    """Whether copies with the countries swapped are learnt from as well."""


_SHIPPED = {"sample": 3.0, "ruopinionne": 0.5}
QUESTIONS: Mapping[str, Question] = {
    "reference": Question(),
    "swapped copies": Question(swapped=True),
    "mention": Question(pools=("mention",)),
    "sentence": Question(pools=("sentence",)),
    "first and last token, sentence": Question(pools=("first", "last", "sentence")),
    "mention, largest": Question(pools=("mention", "largest")),
    "mention, sentence, window": Question(pools=("mention", "sentence", "window")),
    "mention, sentence, largest": Question(pools=("mention", "sentence", "largest")),
    "context 0": Question(context=0),
    "context 2": Question(context=2),
    "every corpus once": Question(weights={}),
    "without ruopinionne": Question(corpora=("newsmtsc", "rusentne", "sample")),
    "without newsmtsc": Question(corpora=("rusentne", "ruopinionne", "sample")),
    "without rusentne": Question(corpora=("newsmtsc", "sample")),
    "newsmtsc only": Question(corpora=("newsmtsc",)),
    "rusentne only": Question(corpora=("rusentne",)),
    "sample only": Question(corpora=("sample",)),
    "balanced class weights": Question(balanced=True),
    "sample only, context 0": Question(corpora=("sample",), context=0),
    "sample only, context 0, swapped copies": Question(
        corpora=("sample",), context=0, swapped=True
    ),
}


def probes(recipe: Recipe, scope: Scope, only: Sequence[str] = ()) -> dict[str, Any]:
    """Every question, on every test; each is recorded as soon as it is answered."""
    with quiet_transformers():
        model = new_encoder((STANCE,), replace(recipe.options, adapter="none"))
    found = tests({name: scope.corpus(name) for name, _ in TESTS})
    shelf = _Shelf(model, scope)
    records = []
    for name in only or QUESTIONS:
        clock, question = Clock(), QUESTIONS[name]
        probe = fit(question, shelf)
        record = {"run": "probe", "question": name, "share": scope.share, "limit": scope.limit}
        record["figures"] = _answer(probe, question, shelf, found)
        if name in _SWAPPED_IN:
            record["swaps"] = swaps_of(probe, scope, question.context)
        clock.lap("all")
        records.append(record | clock.record() | base_record(recipe.options.base_model))
        write_line(scope.log, records[-1])
        print(f"{name}: {clock.laps['all']} s", file=sys.stderr, flush=True)
    return {"probes": records}


class _Shelf:
    """Parts that were read, so that each is read once per context."""

    def __init__(self, model: EncoderModel, scope: Scope) -> None:
        self.model, self.scope = model, scope
        self.read: dict[tuple[str, str, int, bool], Read] = {}

    def part(self, corpus: str, part: str, question: Question) -> Read:
        """Only the sample has neighbours to read along."""
        context = question.context if corpus == "sample" else 0
        swapped = question.swapped and part == TRAIN
        key = (corpus, part, context, swapped)
        if key not in self.read:
            own = self.scope.corpus(corpus)
            own = with_swapped_copies(own, part, seed=1) if swapped else own
            self.read[key] = read(self.model, own, part, context)
        return self.read[key]


def read(model: EncoderModel, corpus: Corpus, part: str, context: int) -> Read:
    """Vectors of a part's mentions."""
    limits = Limits(model.text_limit, context)
    found = examples(corpus, part, (STANCE,), model.token_starts, limits)
    return Read(
        tuple(units_of(found.passages)),
        tuple(p.language for p in found.passages for _ in p.mentions),
        found.labels["stance"],
        vectors_of(model, found.passages),
    )


def vectors_of(model: EncoderModel, passages: Sequence[Passage]) -> Vectors:
    """Per way of pooling one row per mention, in passage order."""
    encoded = model._encode(passages)
    parts: list[Mapping[str, NDArray[np.float32]]] = [{} for _ in encoded]
    for batch in length_batches([len(item) for item in encoded], _BUDGET):
        members = [encoded[i] for i in batch]
        vectors = _pooled(model, collate(members, model.tokenizer.pad_token_id))
        edges = np.cumsum([len(item.ranges) for item in members])[:-1]
        split = {name: np.split(rows, edges) for name, rows in vectors.items()}
        for place, i in enumerate(batch):
            parts[i] = {name: rows[place] for name, rows in split.items()}
    return {name: np.concatenate([one[name] for one in parts]) for name in _POOLS}


def _pooled(
    model: EncoderModel, batch: Mapping[str, torch.Tensor]
) -> dict[str, NDArray[np.float32]]:
    on_device = {name: tensor.to(model.device) for name, tensor in batch.items()}
    mention, sentence = on_device.pop("mention_tokens"), on_device.pop("sentence_tokens")
    low = uses_bfloat16(model.options.precision, model.device)
    with (
        torch.inference_mode(),
        torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=low),
    ):
        hidden = model.network.encoder(**on_device)[0].float()
    tokens = hidden.reshape(-1, hidden.shape[-1])
    mask = on_device["attention_mask"].unsqueeze(2)
    windows = (hidden * mask).sum(1) / mask.sum(1)
    owners = torch.zeros(int(mention[0, -1]) + 1, dtype=torch.long, device=tokens.device)
    owners[mention[0]] = mention[1] // hidden.shape[1]
    first, last = _ends(tokens, mention)
    pooled = {
        "mention": _mean(tokens, mention),
        "sentence": _mean(tokens, sentence),
        "window": windows[owners],
        "largest": _largest(tokens, sentence),
        "first": first,
        "last": last,
    }
    return {name: rows.cpu().numpy() for name, rows in pooled.items()}


@dataclass(frozen=True)
class Probe:
    """The frozen base under a regression, with its temperatures; a `_bias.Reader`."""

    encoder: EncoderModel
    pools: tuple[str, ...]
    scale: StandardScaler
    head: LogisticRegression
    calibration: Calibration = field(default_factory=lambda: Calibration({}))

    variables = (STANCE,)

    @property
    def model(self) -> "Probe":
        """Itself."""
        return self

    @property
    def text_limit(self) -> int:
        """As the encoder."""
        return self.encoder.text_limit

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """As the encoder."""
        return self.encoder.token_starts(texts)

    def predict(self, passages: Sequence[Passage]) -> dict[str, NDArray[np.float64]]:
        """Probabilities for every mention."""
        return self.judge(vectors_of(self.encoder, passages))

    def judge(self, vectors: Vectors) -> dict[str, NDArray[np.float64]]:
        """Probabilities for every mention whose vectors are known."""
        rows = np.concatenate([vectors[name] for name in self.pools], axis=1)
        raw = np.zeros((len(rows), len(STANCE.names)))
        raw[:, self.head.classes_] = self.head.predict_proba(self.scale.transform(rows))
        return {"stance": raw}


def fit(question: Question, shelf: _Shelf) -> Probe:
    """Regression and temperatures."""
    training = [shelf.part(name, TRAIN, question) for name in question.corpora]
    weights = _SHIPPED if question.weights is None else question.weights
    every = [
        np.full(len(one.labels), weights.get(name, 1.0))
        for name, one in zip(question.corpora, training, strict=True)
    ]
    rows = np.concatenate([_features(one, question) for one in training])
    scale = StandardScaler().fit(rows)
    balance = "balanced" if question.balanced else None
    head = LogisticRegression(C=_STRENGTH, max_iter=_STEPS, class_weight=balance)
    labels = np.concatenate([one.labels for one in training])
    head.fit(scale.transform(rows), labels, sample_weight=np.concatenate(every))
    probe = Probe(shelf.model, question.pools, scale, head)
    held = [
        shelf.part(name, CALIBRATION, question)
        for name in question.corpora
        if shelf.scope.corpus(name).parts.get(CALIBRATION)
    ]
    calibration = fit_calibration(
        {"stance": np.concatenate([probe.judge(one.vectors)["stance"] for one in held])},
        {"stance": np.concatenate([one.labels for one in held])},
        (STANCE,),
        [language for one in held for language in one.languages],
    )
    return replace(probe, calibration=calibration)


def _answer(
    probe: Probe, question: Question, shelf: _Shelf, found: Sequence[Tested]
) -> dict[str, Any]:
    figures = {}
    for tested in found:
        one = shelf.part(tested.corpus.name, tested.part, question)
        scaled = probe.calibration.apply(probe.judge(one.vectors), (STANCE,), one.languages)
        frames = {"probe": frame(one.units, scaled, (STANCE,))}
        figures[tested.name] = judged(tested, frames, IntervalOptions(method="none"))["probe"]
    return figures


def _features(one: Read, question: Question) -> NDArray[np.float32]:
    return np.concatenate([one.vectors[name] for name in question.pools], axis=1)
