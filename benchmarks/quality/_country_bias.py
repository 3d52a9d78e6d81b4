"""A trained model before its stance head is made blind to who is meant, and after."""

from dataclasses import dataclass
from typing import Any

from benchmarks.quality._bias import sample_items
from benchmarks.quality._data import STANCE, Corpus, examples, joined
from benchmarks.quality._judging import TESTS, frame, judged, tests, units_of
from benchmarks.quality._runs import Clock, Scope, swaps_of
from classifier.intervals import IntervalOptions
from classifier.models import Calibration, Examples, Limits, fit_calibration
from classifier.models.encoder._model import EncoderModel
from classifier.training import CALIBRATION, TRAIN
from classifier.training._record import languages_of
from recipes.country_bias import level_head


@dataclass(frozen=True)
class Levelled:
    """A model with temperatures of its own; a `shifts.Calibrated`."""

    model: EncoderModel
    calibration: Calibration


def level(model: EncoderModel, scope: Scope, context: int) -> dict[str, Any]:
    """Figures and shifts of a trained model before its stance head is levelled, and after."""
    clock = Clock()
    record: dict[str, Any] = {"run": "level"}
    items = sample_items(scope.corpus("sample"), TRAIN)
    for when in ("before", "after"):
        if when == "after":
            record["directions"] = level_head(model, "stance", items, context)
        reader = Levelled(model, _calibration(model, scope, context))
        record[when] = {
            "figures": _figures(reader, scope, context),
            "swaps": swaps_of(reader, scope, context),
        }
        clock.lap(when)
    return record | clock.record()


def _calibration(model: EncoderModel, scope: Scope, context: int) -> Calibration:
    names = ("newsmtsc", "rusentne", "sample")
    held = joined([_read(model, scope.corpus(n), CALIBRATION, context) for n in names])
    rows = {"stance": model.predict(held.passages)["stance"]}
    return fit_calibration(rows, held.labels, (STANCE,), languages_of(held))


def _read(model: EncoderModel, corpus: Corpus, part: str, context: int) -> Examples:
    limits = Limits(model.text_limit, context if corpus.name == "sample" else 0)
    return examples(corpus, part, (STANCE,), model.token_starts, limits)


def _figures(reader: Levelled, scope: Scope, context: int) -> dict[str, Any]:
    frames, figures = {}, {}
    for one in tests({name: scope.corpus(name) for name, _ in TESTS}):
        key = (one.corpus.name, one.part)
        if key not in frames:
            some = _read(reader.model, one.corpus, one.part, context)
            raw = {"stance": reader.model.predict(some.passages)["stance"]}
            rows = reader.calibration.apply(raw, (STANCE,), languages_of(some))
            frames[key] = {"model": frame(units_of(some.passages), rows, (STANCE,))}
        figures[one.name] = judged(one, frames[key], IntervalOptions(method="none"))["model"]
    return figures
