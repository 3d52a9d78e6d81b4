"""Train the scorer that ships, measure it, and write its card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from classifier.files import write_text
from classifier.models.base import Progress
from classifier.models.folder import MODEL_CARD, RECORD
from classifier.pipeline.shipping.card import scorer_card
from classifier.pipeline.shipping.corpora import ShippingData
from classifier.pipeline.shipping.figures import measure
from classifier.score import load
from classifier.training import Run, TrainOptions, read_run_summary, train

OPTIONS = TrainOptions(
    variables=("stance", "roles", "voice"),
    test=0.0,
    adapter="separate",
    adapter_rank=48,
    adapter_from="difference",
    epochs=3,
    patience=3,
    batch_size=32,
    learning_rate=1e-4,
    head_learning_rate=1e-3,
    seed=1,
)


def make_scorer(
    data: ShippingData,
    out: Path,
    options: TrainOptions = OPTIONS,
    *,
    progress: Progress | None = None,
) -> Run:
    """Train on the corpora, judge on the tests, and write a run folder that says both.

    See `classifier.training.train` for what is raised.
    """
    run = train(data.corpora, options, out, progress=progress)
    figures, languages = measure(load(run.path), data.tests, progress=progress)
    record = {**run.record, "figures": figures, "languages": languages}
    write_text(out / RECORD, [_json(record)])
    write_text(out / MODEL_CARD, [scorer_card(out, record)])
    return read_run_summary(out)


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
