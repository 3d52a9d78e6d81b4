"""Heads made blind to who is meant: directions along which a swap of countries moves the vectors.

For every ordered pair of countries and language, the mean difference between the vectors of a
mention and of the same mention after the swap is a direction that says who is meant and nothing
else. The head's weights are projected off the space of these directions, so that on the articles it
was measured on no swap moves the mean logit (cf. Bolukbasi et al., NeurIPS 2016; Ravfogel et al.,
ACL 2020). Nothing is trained again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from quality_bias import Named, copies_of, sample_items
from quality_data import STANCE, Corpus, examples, joined
from quality_judging import TESTS, frame, judged, tests, units_of
from quality_probes import vectors_of
from quality_runs import Clock, Scope, swaps_of

from classifier.annotations import unit_name
from classifier.calibration import Calibration, fit_calibration
from classifier.dataset import CALIBRATION, TRAIN
from classifier.models.encoder import EncoderModel
from classifier.passages import Examples, Limits, cut_passages
from classifier.resampling import IntervalOptions
from classifier.training_record import languages_of

_SMALLEST = 0.05
"""Directions weaker than this share of the strongest are noise."""


def level_heads(
    model: EncoderModel, items: Sequence[Named], context: int, names: Sequence[str]
) -> int:
    """Project the named heads, in place; returns how many directions were taken out."""
    basis = directions(model, items, context)
    keep = torch.from_numpy(np.eye(basis.shape[1]) - basis.T @ basis).float().to(model.device)
    with torch.no_grad():
        for name in names:
            head = model.network.heads[name]
            head.weight.copy_(head.weight @ keep)
    return len(basis)


def directions(model: EncoderModel, items: Sequence[Named], context: int) -> NDArray[np.float64]:
    """Orthonormal rows, the strongest first."""
    own = _vectors(model, items, context)
    differences: dict[tuple[str, str, str], list[NDArray[np.float64]]] = {}
    for item, before in zip(items, own, strict=True):
        copies = copies_of(item)
        for (pair, copy), after in zip(
            copies.items(), _vectors(model, list(copies.values()), context), strict=True
        ):
            for (_, target), a, b in zip(item.mentions, before, after, strict=True):
                if target == pair[0]:
                    key = (*pair, str(copy.article.language))
                    differences.setdefault(key, []).append(b - a)
    means = np.stack([np.mean(rows, axis=0) for rows in differences.values()])
    _, strengths, rows = np.linalg.svd(means, full_matrices=False)
    return np.asarray(rows[strengths > _SMALLEST * strengths[0]], dtype=np.float64)


def _vectors(
    model: EncoderModel, items: Sequence[Named], context: int
) -> list[NDArray[np.float64]]:
    """Per item a row per mention: mean of the mention beside mean of its sentence."""
    limits = Limits(model.text_limit, context)
    units = [
        [unit_name(i.article.article_id, s.start, s.end, t) for s, t in i.mentions] for i in items
    ]
    passages = [
        passage
        for item, names in zip(items, units, strict=True)
        for passage in cut_passages(
            item.article,
            {name: span for name, (span, _) in zip(names, item.mentions, strict=True)},
            model.token_starts,
            limits,
        )
    ]
    pooled = vectors_of(model, passages)
    rows = np.concatenate([pooled["mention"], pooled["sentence"]], axis=1)
    place = {unit: n for n, unit in enumerate(units_of(passages))}
    return [rows[[place[name] for name in names]].astype(np.float64) for names in units]


@dataclass(frozen=True)
class Levelled:
    """A model with temperatures of its own; a `quality_bias.Reader`."""

    model: EncoderModel
    calibration: Calibration


def level(model: EncoderModel, scope: Scope, context: int) -> dict[str, Any]:
    """Figures and shifts of a trained model before its stance head is levelled, and after."""
    clock = Clock()
    record: dict[str, Any] = {"run": "level"}
    items = sample_items(scope.corpus("sample"), TRAIN)
    for when in ("before", "after"):
        if when == "after":
            record["directions"] = level_heads(model, items, context, ("stance",))
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
