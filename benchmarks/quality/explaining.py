"""Are explanations faithful? Words that they call strong must move the score, others must not.

Of every mention the k words that are said to push hardest in one direction are taken out of its
passage, and k words drawn at random. An explanation is worth something where the former move the
score more. Words are taken out twice: deleted, which is how occlusion finds its weights, and with
an ellipsis in their place, which no method has seen. Intervals resample articles. Prints one JSON
object last.

The rival is integrated gradients (Sundararajan, Taly and Yan 2017, "Axiomatic Attribution for Deep
Networks"): the gradient of the score with respect to each token's embedding, averaged along the
straight way from an embedding of padding, times the way. A word's weight is the sum over its
tokens.

    python -m benchmarks.quality explaining [--run RUN] [--mentions 300] [--gradients]
    CLASSIFIER_DATA=data python -m benchmarks.quality explaining --data newsmtsc
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifier.annotations import AnnotationSet, read_annotations
from classifier.annotations.formats._corpora import read_newsmtsc
from classifier.codebook import Variable, shipped_annotations
from classifier.models.encoder._batches import collate, encode_passages
from classifier.models.encoder._model import EncoderModel, load_encoder
from classifier.models.encoder._network import _means
from classifier.predictions import Prediction
from classifier.records import Passage, Span
from classifier.score import FEWEST_WORDS, Moved, Scorer, load, moves, random_places, summarised
from classifier.score._explain import passage_of, probabilities_of, quantity, without, words_of

Weights = Callable[[Scorer, Passage, Sequence[Span], Variable], NDArray[np.float64]]


def main() -> None:
    """Explain a random draw of mentions and print what taking out words does."""
    arguments = _arguments()
    scorer = load(arguments.run)
    chosen = draw(scorer, arguments.data, arguments.mentions, arguments.seed)
    methods: dict[str, Weights] = {"occlusion": occlusion}
    if arguments.gradients:
        trained = scorer.trained
        if trained.folder is None:
            raise SystemExit("a run folder is needed")
        whole = load_encoder(trained.folder, trained.model.variables, trained.model.options)
        scorer = Scorer(replace(trained, model=whole))
        methods["integrated gradients"] = integrated_gradients
    rng = np.random.default_rng(arguments.seed)
    moved: list[tuple[str, Moved]] = []
    seconds = dict.fromkeys(methods, 0.0)
    for prediction in chosen:
        moved += judge(scorer, prediction, methods, seconds, rng)
    result = {
        "model": scorer.trained.model_id,
        "data": arguments.data,
        "mentions": len(chosen),
        "articles": len({one.row["article_id"] for one in chosen}),
        "seed": arguments.seed,
        "seconds_per_explanation": {k: round(v / len(chosen), 3) for k, v in seconds.items()},
        "moved": list(told(moved)),
    }
    print(json.dumps(result, indent=1, ensure_ascii=False))


def draw(scorer: Scorer, data: str, n_mentions: int, seed: int) -> list[Prediction]:
    """Random scored mentions, with enough words around them, of articles that nobody trained on."""
    annotation_set, names = _held_out(scorer, data)
    said = scorer.score_annotations(annotation_set, names)
    scored = [place for place, row in enumerate(said.table.to_pylist()) if row["status"] == "ok"]
    order = np.random.default_rng(seed).permutation(scored)
    chosen: list[Prediction] = []
    for place in order:
        prediction = said[int(place)]
        if len(words_of(passage_of(scorer.trained, prediction))) >= FEWEST_WORDS:
            chosen.append(prediction)
        if len(chosen) == n_mentions:
            break
    return chosen


def _held_out(scorer: Scorer, data: str) -> tuple[AnnotationSet, set[str]]:
    if data == "newsmtsc":
        root = Path(os.environ["CLASSIFIER_DATA"]) / "newsmtsc"
        annotation_set = read_newsmtsc(root).annotation_set
        articles = annotation_set.articles
        return annotation_set, {
            a.article_id for a in articles if (a.split or "").startswith("devtest")
        }
    folder = shipped_annotations() / "sample" if data == "sample" else Path(data)
    annotation_set = read_annotations(folder)
    parts = scorer.trained.parts
    known = set(annotation_set.article_by_id)
    tested = {name for name in known if parts.get(name) == "test"}
    return annotation_set, tested or known - set(parts)


def occlusion(
    scorer: Scorer, passage: Passage, spans: Sequence[Span], variable: Variable
) -> NDArray[np.float64]:
    """The weights that `scorer.explain` gives."""
    variants = [passage, *(without(passage, [span]) for span in spans)]
    values = quantity(probabilities_of(scorer.trained, variants, variable), variable, None)
    return np.asarray(values[0] - values[1:])


def judge(
    scorer: Scorer,
    prediction: Prediction,
    methods: Mapping[str, Weights],
    seconds: dict[str, float],
    rng: np.random.Generator,
) -> Iterator[tuple[str, Moved]]:
    """Every method, way and size for one mention; `seconds` is added to."""
    explained = scorer.explain(prediction)
    passage = passage_of(scorer.trained, prediction)
    spans, variable = words_of(passage), scorer.variables[0]
    by_random = random_places(len(spans), rng)
    for name, weigh in methods.items():
        started = time.perf_counter()
        weights = weigh(scorer, passage, spans, variable)
        seconds[name] += time.perf_counter() - started
        for one in moves(scorer.trained, explained, weights, by_random):
            yield name, one


def told(moved: Sequence[tuple[str, Moved]]) -> Iterator[dict[str, object]]:
    """Means per method, way and size, their difference with its interval."""
    for method in sorted({name for name, _ in moved}):
        for one in summarised([m for name, m in moved if name == method]):
            gain = one.difference
            yield {
                "method": method,
                "taken_out": one.way,
                "k": one.k,
                "by_top": round(one.by_top, 4),
                "by_random": round(one.by_random, 4),
                "difference": [round(float(x), 4) for x in (gain.value, gain.low, gain.high) if x],
                "top_moves_more": round(one.top_moves_more, 3),
            }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", default=None, help="a run folder; by default the shipped scorer")
    parser.add_argument("--data", default="sample", help="sample, newsmtsc or a folder")
    parser.add_argument("--mentions", type=int, default=300)
    parser.add_argument("--gradients", action="store_true", help="judge them too (encoders only)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


STEPS = 20


def integrated_gradients(
    scorer: Scorer, passage: Passage, spans: Sequence[Span], variable: Variable
) -> NDArray[np.float64]:
    """One weight per word for the expected value of an ordinal variable."""
    model = scorer.trained.model
    if not isinstance(model, EncoderModel):
        raise SystemExit("gradients need an encoder; this scorer is none")
    encoded = encode_passages([passage], model.tokenizer, model.position_limit)
    batch = collate(encoded, model.tokenizer.pad_token_id)
    weights = _token_weights(model, batch, variable)
    offsets = model.tokenizer(
        passage.text, truncation=True, max_length=model.position_limit, return_offsets_mapping=True
    )["offset_mapping"]
    own = [[i for i, (a, b) in enumerate(offsets) if a < s.end and s.start < b] for s in spans]
    return np.array([float(weights[places].sum()) for places in own])


def _token_weights(
    model: EncoderModel, batch: dict[str, Tensor], variable: Variable
) -> NDArray[np.float64]:
    network = model.network
    embed = network.encoder.get_input_embeddings()
    actual = embed(batch["input_ids"]).detach()
    baseline = embed(torch.full_like(batch["input_ids"], model.tokenizer.pad_token_id)).detach()
    special = torch.tensor(
        [id_ in model.tokenizer.all_special_ids for id_ in batch["input_ids"][0].tolist()]
    )
    baseline[0, special] = actual[0, special]
    alphas = (torch.arange(STEPS) + 0.5) / STEPS
    path = baseline + alphas[:, None, None] * (actual - baseline)
    path.requires_grad_()
    mask = batch["attention_mask"].expand(STEPS, -1)
    hidden = network.encoder(inputs_embeds=path, attention_mask=mask)[0].float()
    total = torch.zeros(())
    for states in hidden:
        means = [_means(states, batch[n], 1) for n in ("mention_tokens", "sentence_tokens")]
        logits = network.heads[variable.name](torch.cat(means, dim=1))
        total = total + torch.softmax(logits[0], 0) @ torch.tensor(variable.numbers)
    (gradients,) = torch.autograd.grad(total, path)
    weights: NDArray[np.float64] = (gradients.mean(0) * (actual - baseline)[0]).sum(1).numpy()
    return weights
