"""Train by a recipe, judge on every test, and write down what it took."""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.quality._bias import frame_items, sample_items, with_swapped_copies
from benchmarks.quality._data import STANCE, Corpus, examples, joined, load_corpus
from benchmarks.quality._judging import Frames, Tested, frame, held_out, judged, tests, units_of
from benchmarks.quality._training import Recipe, VariantModel, new_variant
from classifier.codebook import default_codebook
from classifier.intervals import IntervalOptions
from classifier.models import Examples, Limits, find_base, fit_calibration
from classifier.models._bases import weights_sha256
from classifier.models.runtime._torch import best_device, quiet_transformers
from classifier.swapping import country_shifts
from classifier.training import CALIBRATION, TRAIN


@dataclass(frozen=True)
class Scope:
    """How much is trained and judged on, and where the figures go."""

    limit: int = 0
    """Most articles of each part; 0 for all."""
    share: float = 1.0
    """Share of the training articles of the published corpora; the sample is always whole."""
    log: Path | None = None
    """Run log, one JSON object a line."""
    only: str = ""
    """Of NewsMTSC only articles whose ids begin so."""

    def corpus(self, name: str) -> Corpus:
        """A corpus within the scope."""
        corpus = load_corpus(name)
        if name == "newsmtsc" and self.only:
            corpus = corpus.beginning(self.only)
        if name != "sample" and self.share < 1:
            corpus = corpus.thinned(self.share)
        return corpus.cut(self.limit) if self.limit else corpus


@dataclass(frozen=True)
class Trained:
    """A model that was trained by a recipe, with its calibration."""

    model: VariantModel
    recipe: Recipe
    calibration: Any
    n_mentions: Mapping[str, int]
    losses: tuple[float, ...]

    def frame(self, corpus: Corpus, part: str) -> Any:  # noqa: ANN401
        """Calibrated predictions for a part of a corpus."""
        own = stance_name(corpus.name, self.recipe)
        plain = default_codebook()
        read = examples(corpus, part, self.model.variables, *_reading(self.model), own)
        raw = self.model.predict(read.passages)
        languages = [p.language for p in read.passages for _ in p.mentions]
        rows = self.calibration.apply(raw, self.model.variables, languages)
        variables = [plain.variable(name) for name in self.recipe.variables]
        shown = {v.name: rows[own if v.name == "stance" else v.name] for v in variables}
        return frame(units_of(read.passages), shown, variables)


def stance_name(corpus: str, recipe: Recipe) -> str:
    """The head that judges a corpus' stance."""
    return f"stance_{corpus}" if corpus in recipe.own_heads else "stance"


def train(recipe: Recipe, scope: Scope) -> Trained:
    """Fit a fresh network, then a temperature per variable and language."""
    plain = default_codebook()
    heads = [replace(STANCE, name=stance_name(name, recipe)) for name in recipe.own_heads]
    variables = [*(plain.variable(name) for name in recipe.variables), *heads]
    corpora = [scope.corpus(name) for name in recipe.corpora]
    if recipe.swapped:
        corpora = [
            with_swapped_copies(one, TRAIN, recipe.options.seed) if one.name == "sample" else one
            for one in corpora
        ]
    with quiet_transformers():
        model = new_variant(variables, recipe)
        parts = [_read(model, corpus, TRAIN) for corpus in corpora]
        losses = model.learn(parts)
    held = joined([_read(model, c, CALIBRATION) for c in corpora if c.parts.get(CALIBRATION)])
    languages = [p.language for p in held.passages for _ in p.mentions]
    calibration = fit_calibration(model.predict(held.passages), held.labels, variables, languages)
    counts = {c.name: part.n_mentions for c, part in zip(corpora, parts, strict=True)}
    return Trained(model, recipe, calibration, counts, tuple(round(x, 4) for x in losses))


def _read(model: VariantModel, corpus: Corpus, part: str) -> Examples:
    own = stance_name(corpus.name, model.recipe)
    return examples(corpus, part, model.variables, *_reading(model), own)


def _reading(model: VariantModel) -> tuple[Any, Limits]:
    return model.token_starts, Limits(model.text_limit, model.options.context)


def run(
    name: str, recipe: Recipe, scope: Scope, judge_on: Sequence[str], *, swaps: bool = False
) -> dict[str, Any]:
    """Train, judge, record; with `swaps` also what swapping countries does."""
    clock = Clock()
    trained = train(recipe, scope)
    clock.lap("training")
    corpora = {corpus: scope.corpus(corpus) for corpus in judge_on}
    none = IntervalOptions(method="none")
    chosen_by = judge_all(held_out(corpora), {"model": trained}, none)
    figures = judge_all(tests(corpora), {"model": trained}, none)
    clock.lap("judging")
    record = {
        "run": name,
        "recipe": plain(recipe),
        "share": scope.share,
        "limit": scope.limit,
        "n_mentions": dict(trained.n_mentions),
        "losses": list(trained.losses),
        "development": {part: rows["model"] for part, rows in chosen_by.items()},
        "figures": {test: rows["model"] for test, rows in figures.items()},
        **({"swaps": swaps_of(trained, scope, recipe.options.context)} if swaps else {}),
        **clock.record(),
        **base_record(recipe.options.base_model),
    }
    write_line(scope.log, record)
    return record


def swaps_of(reader: Any, scope: Scope, context: int) -> dict[str, Any]:  # noqa: ANN401
    """Mean shift per pair of countries, in the sample and in sentences of our own."""
    items = {"sample/test": sample_items(scope.corpus("sample")), "frames": frame_items()}
    if scope.limit:
        items = {name: some[: scope.limit] for name, some in items.items()}
    return {name: country_shifts(reader, some, context) for name, some in items.items()}


def judge_all(
    found: Sequence[Tested],
    models: Mapping[str, Trained],
    interval: IntervalOptions | None = None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Test -> predictor -> figures; each part is predicted once."""
    frames: dict[tuple[str, str], Frames] = {}
    for one in found:
        key = (one.corpus.name, one.part)
        if key not in frames:
            frames[key] = {name: m.frame(one.corpus, one.part) for name, m in models.items()}
    made = interval or IntervalOptions()
    return {one.name: judged(one, frames[one.corpus.name, one.part], made) for one in found}


class Clock:
    """Wall time, processor time and the machine's load between start and end."""

    def __init__(self) -> None:
        """Start."""
        self.started = self.last = time.perf_counter()
        self.processor = time.process_time()
        self.loads = [os.getloadavg()[0]]
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Close a stretch."""
        now = time.perf_counter()
        self.laps[name] = round(now - self.last, 1)
        self.last = now
        self.loads.append(os.getloadavg()[0])

    def record(self) -> dict[str, Any]:
        """What to write down."""
        return {
            "seconds": self.laps,
            "processor_seconds": round(time.process_time() - self.processor, 1),
            "load": [round(load, 1) for load in self.loads],
            "threads": torch.get_num_threads(),
            "device": best_device().type,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }


def base_record(name: str) -> dict[str, str]:
    """Which encoder it was."""
    base = find_base(name)
    return {"base": base.name, "base_sha256": weights_sha256(base.folder)[:12]}


def plain(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain values."""
    values = {**asdict(recipe), "options": recipe.options.to_dict()}
    read: dict[str, Any] = json.loads(json.dumps(values))
    return read | {"id": _short(values)}


def _short(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:8]


def write_line(path: Path | None, record: Mapping[str, Any]) -> None:
    """Append to the run log."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="") as log:
            log.write(json.dumps(record, ensure_ascii=False) + "\n")


def done(path: Path | None) -> set[tuple[str, str]]:
    """Runs that the log already holds: name and recipe id."""
    if path is None or not path.exists():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines()
    records: Iterable[dict[str, Any]] = (json.loads(line) for line in lines)
    return {(r["run"], r["recipe"]["id"]) for r in records if "recipe" in r}
