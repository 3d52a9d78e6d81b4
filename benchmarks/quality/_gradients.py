"""Integrated gradients at the level of words: the rival that `explaining.py` judges.

Sundararajan, Taly and Yan (2017), "Axiomatic Attribution for Deep Networks": the gradient of the
score with respect to each token's embedding, averaged along the straight way from an embedding of
padding, times the way. A word's weight is the sum over its tokens.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifier.codebook import Variable
from classifier.models.encoder._batches import collate, encode_passages
from classifier.models.encoder._model import EncoderModel
from classifier.models.encoder._network import _means
from classifier.records import Passage, Span
from classifier.score import Scorer

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
