"""Train the scorer that ships, measure it, and write its card."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from classifier.annotations import restricted
from classifier.files import write_text
from classifier.models import MODEL_CARD, RECORD, Model, Progress, TrainOptions
from classifier.score import load
from classifier.training import TEST, TRAIN, Run, Split, fit_model, read_run_summary
from recipes.card import scorer_card
from recipes.corpora import SAMPLE, ShippingData
from recipes.figures import measure
from recipes.shifts import country_shifts, named_mentions

OPTIONS = TrainOptions(
    variables=("stance", "roles", "voice"),
    test=0.0,
    context=0,
    adapter="separate",
    adapter_rank=58,
    adapter_from="difference",
    epochs=5,
    patience=5,
    batch_size=32,
    learning_rate=2e-4,
    head_learning_rate=1e-3,
    seed=1,
)

_STANCE = OPTIONS.variables[0]
_STORIES = f"{SAMPLE}, {TEST}"


def make_scorer(
    data: ShippingData,
    out: Path,
    options: TrainOptions = OPTIONS,
    *,
    progress: Progress | None = None,
) -> Run:
    """Train on the corpora, judge on the tests, and write a run folder that says both.

    See `classifier.training.fit_model` for what is raised.
    """
    run = fit_model(data.corpora, options, out, adjust=partial(_level, data), progress=progress)
    scorer = load(run.path)
    figures, languages = measure(scorer, data.tests, progress=progress)
    stories = next(test.annotation_set for test in data.tests if test.name == _STORIES)
    items = named_mentions(stories, _STANCE)
    shifts = country_shifts(scorer.trained, items, run.record["context"])
    found = {"figures": figures, "languages": languages, "country_shifts": shifts}
    record = {**run.record, **found}
    write_text(out / RECORD, [_json(record)])
    write_text(out / MODEL_CARD, [scorer_card(out, record)])
    return read_run_summary(out)


def _level(data: ShippingData, model: Model, split: Split) -> None:
    """Make the stance head of an encoder blind to which country is meant."""
    from classifier.models.encoder._model import EncoderModel
    from recipes.country_bias import level_head

    if not isinstance(model, EncoderModel):
        return
    sample = data.corpora[0].annotation_set
    items = named_mentions(restricted(sample, set(split.parts[TRAIN])), _STANCE)
    level_head(model, _STANCE, items, model.options.context)


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
