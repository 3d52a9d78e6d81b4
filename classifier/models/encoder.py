"""The transformer: one forward pass per passage judges all its mentions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer, set_seed

from classifier.codebook import Variable
from classifier.errors import ModelError
from classifier.models import encoder_adapter as adapters
from classifier.models.base import Probabilities, Progress
from classifier.models.bases import find_base
from classifier.models.encoder_batches import Frame, LabelledPassages
from classifier.models.encoder_fit import QUALITY, fit_network
from classifier.models.encoder_inputs import Encoded, collate, encode_passages, length_batches
from classifier.models.encoder_network import PassageEncoder, PassageEncoderConfig
from classifier.models.options import TrainOptions, suited
from classifier.models.quality import quality
from classifier.models.runtime import (
    attention_for,
    best_device,
    quiet_transformers,
    usable_attention,
    uses_bfloat16,
)
from classifier.passages import Examples
from classifier.records import Passage

_Part = TypeVar("_Part")
_TOKEN_BUDGET = 8192
_SLACK = 8
"""Tokens by which sentences read together may exceed the sum of their own."""


class EncoderModel:
    """A network with its tokenizer; see `models.base.Model`."""

    def __init__(
        self,
        network: PassageEncoder,
        tokenizer: Any,  # noqa: ANN401
        variables: Sequence[Variable],
        options: TrainOptions,
    ) -> None:
        """Put the network on the best device there is."""
        self.network = network
        self.tokenizer = tokenizer
        self.variables = tuple(variables)
        self.options = options
        self.device = best_device()
        self.network.to(self.device)
        self.network.eval()

    @property
    def position_limit(self) -> int:
        """Most tokens the encoder can tell apart, those around the text included."""
        config = self.network.encoder.config
        positions = getattr(config, "max_position_embeddings", None) or 8192
        if "roberta" in config.model_type or config.model_type in {"camembert", "mpnet"}:
            positions -= (config.pad_token_id or 0) + 1
        return int(min(positions, self.tokenizer.model_max_length, 8192))

    @property
    def text_limit(self) -> int:
        """Most tokens of text that one passage may hold."""
        around = self.tokenizer.num_special_tokens_to_add()
        limit = min(self.network.config.max_tokens, self.position_limit - _SLACK) - around
        return max(1, int(limit))

    @property
    def frame(self) -> Frame:
        """What the tokenizer puts around a text."""
        special = self.tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
        before = special.index(0)
        after = special[::-1].index(0)
        return Frame(self.tokenizer.pad_token_id, before, after)

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Where the tokens of each text begin."""
        output = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        return [[start for start, _ in offsets] for offsets in output["offset_mapping"]]

    def fit(
        self,
        training: Examples,
        development: Examples,
        *,
        progress: Progress | None = None,
        checkpoints: Path | None = None,
    ) -> Mapping[str, object]:
        """Fine-tune; the epoch with the best mean macro-F1 on development is kept."""

        def judge() -> Mapping[str, float]:
            probabilities = self.predict(development.passages)
            return {QUALITY: quality(probabilities, development.labels, self.variables)}

        encoded = self._encode(training.passages)
        passages = LabelledPassages(encoded, training.labels, training.weights)
        with TemporaryDirectory() as spare, quiet_transformers():
            history = fit_network(
                self.network,
                passages,
                replace(suited(self.options, len(passages)), max_tokens=self.text_limit),
                self.frame,
                judge,
                checkpoints=checkpoints or Path(spare),
                progress=progress,
            )
        adapters.finish(self.network, self.options)
        self.network.eval()
        return history

    def predict(
        self, passages: Sequence[Passage], *, progress: Progress | None = None
    ) -> Probabilities:
        """Probabilities for every mention; a passage that occurs twice is read once."""
        encoded = self._encode(passages)
        first: dict[Encoded, int] = {}
        for item in encoded:
            first.setdefault(item, len(first))
        distinct = list(first)
        judged = self._judge(distinct, progress)
        return {
            v.name: np.concatenate(
                [judged[first[item]][v.name] for item in encoded] or [np.empty((0, len(v.names)))]
            )
            for v in self.variables
        }

    def _encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        return encode_passages(passages, self.tokenizer, self.position_limit)

    def _judge(
        self, encoded: Sequence[Encoded], progress: Progress | None
    ) -> list[dict[str, NDArray[np.float64]]]:
        """Per passage and variable the probabilities of its mentions."""
        results: list[dict[str, NDArray[np.float64]]] = [{} for _ in encoded]
        done = 0
        for batch in length_batches([len(item) for item in encoded], _TOKEN_BUDGET):
            members = [encoded[i] for i in batch]
            logits = self._logits(collate(members, self.tokenizer.pad_token_id))
            edges = np.cumsum([len(item.ranges) for item in members])[:-1]
            for variable in self.variables:
                parts = np.split(_probabilities(logits[variable.name], variable), edges)
                for i, rows in zip(batch, parts, strict=True):
                    results[i][variable.name] = rows
            done += len(batch)
            if progress is not None:
                progress(done, len(encoded), "reading passages")
        return results

    def _logits(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        on_device = {name: tensor.to(self.device) for name, tensor in batch.items()}
        low = uses_bfloat16(self.options.precision, self.device)
        autocast = torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=low)
        with torch.inference_mode(), autocast:
            logits: dict[str, Tensor] = self.network(**on_device)
        return logits

    def save(self, folder: Path) -> None:
        """Write config, tokenizer and weights; of a separate adapter not the base's."""
        with quiet_transformers():
            if self.options.adapter == "separate":
                adapters.save(self.network, folder)
            else:
                self.tokenizer.save_pretrained(folder)
                self.network.save_pretrained(folder)


def _probabilities(logits: Tensor, variable: Variable) -> NDArray[np.float64]:
    rows = logits.double()
    rows = torch.sigmoid(rows) if variable.kind == "set" else torch.softmax(rows, dim=1)
    return rows.cpu().numpy()


def new_encoder(variables: Sequence[Variable], options: TrainOptions) -> EncoderModel:
    """An encoder with fresh heads, ready to be fitted; raises `ModelError` without a base."""
    base = find_base(options.base_model)
    set_seed(options.seed)
    encoder = _read_part(base.name, lambda: _read_encoder(base.folder, options))
    tokenizer = _read_part(base.name, lambda: read_tokenizer(base.folder))
    config = PassageEncoderConfig(
        encoder=_plain_config(encoder),
        heads={v.name: {"kind": v.kind, "labels": list(v.names)} for v in variables},
        base=adapters.identity(base),
        max_tokens=options.max_tokens,
        attn_implementation=attention_for(best_device()),
    )
    network = PassageEncoder(config, encoder)
    if options.adapter != "none":
        adapters.attach(network, options)
    if options.gradient_checkpointing:
        with quiet_transformers():
            network.encoder.gradient_checkpointing_enable()
    return EncoderModel(network, tokenizer, variables, options)


def load_encoder(
    folder: Path, variables: Sequence[Variable], options: TrainOptions
) -> EncoderModel:
    """The encoder that `save` wrote."""
    with quiet_transformers():
        if options.adapter == "separate":
            network, folder = adapters.load(folder)
        else:
            network = PassageEncoder.from_pretrained(
                folder, attn_implementation=attention_for(best_device()), dtype=torch.float32
            )
        tokenizer = read_tokenizer(folder)
    return EncoderModel(network, tokenizer, variables, options)


def read_tokenizer(folder: Path) -> Any:  # noqa: ANN401
    """A folder's tokenizer; raises `ModelError` unless it can say where its tokens lie."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not tokenizer.is_fast:
        raise ModelError(
            f"the tokenizer in {folder} must be a fast one (tokenizer.json), "
            f"got {type(tokenizer).__name__}; convert it or choose another base model"
        )
    return tokenizer


def _read_encoder(folder: Path, options: TrainOptions) -> Any:  # noqa: ANN401
    config = AutoConfig.from_pretrained(folder)
    for name, value in config.to_dict().items():
        if "dropout" in name and isinstance(value, float):
            setattr(config, name, options.dropout)
    with quiet_transformers():
        return AutoModel.from_pretrained(
            folder,
            config=config,
            attn_implementation=usable_attention(attention_for(best_device()), config),
            dtype=torch.float32,
            use_safetensors=True,
        )


def _plain_config(encoder: Any) -> dict[str, Any]:  # noqa: ANN401
    config = {**encoder.config.to_dict(), "model_type": encoder.config.model_type}
    return {key: value for key, value in config.items() if key not in {"_name_or_path", "dtype"}}


def _read_part(name: str, read: Callable[[], _Part]) -> _Part:
    try:
        return read()
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"base model {name!r} must be an encoder that transformers can read with its "
            f"tokenizer: {error}"
        ) from error
