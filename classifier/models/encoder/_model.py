"""A fine-tuned transformer that judges all mentions of a passage in one pass."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoConfig, AutoTokenizer, BertModel, set_seed

from classifier.codebook import Variable
from classifier.errors import ModelError, in_words
from classifier.models._bases import find_base, identity
from classifier.models._folder import Start, check_heads, find_start
from classifier.models._passages import Examples
from classifier.models._protocol import Probabilities, Progress, TrainOptions, quality, suited
from classifier.models.encoder import _adapter as adapters
from classifier.models.encoder._batches import Frame, LabelledPassages, collate
from classifier.models.encoder._network import (
    PassageEncoder,
    PassageEncoderConfig,
    plain_weights,
    train_no_more,
    train_used_rows,
)
from classifier.models.encoder._plain import PlainModel
from classifier.models.encoder._tokens import (
    Encoded,
    TokenReader,
    length_batches,
    position_limit,
    predict_distinct,
    text_limit,
)
from classifier.models.runtime._fast import FastEncoder, kind_for
from classifier.models.runtime._numpy import is_bert
from classifier.models.runtime._torch import (
    ALONE,
    attention_for,
    best_device,
    quiet_transformers,
    read_whole,
    ready_encoder,
    token_budget,
    usable_attention,
    uses_bfloat16,
    with_encoder,
)
from classifier.records import Passage

_Part = TypeVar("_Part")


def read_tokenizer(folder: Path) -> Any:  # noqa: ANN401
    """A folder's tokenizer; raises `ModelError` unless it can say where its tokens lie."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not tokenizer.is_fast:
        raise ModelError(
            f"the tokenizer in {folder} must be a fast one (tokenizer.json), "
            f"got {type(tokenizer).__name__}; convert it or choose another base model"
        )
    return tokenizer


def read_encoder(folder: Path, options: TrainOptions) -> Any:  # noqa: ANN401
    """A folder's encoder, with the wished dropout and the attention to train with."""
    config = AutoConfig.from_pretrained(folder)
    for name, value in config.to_dict().items():
        if "dropout" in name and isinstance(value, float):
            setattr(config, name, options.dropout)
    attention = usable_attention(attention_for(best_device()), config)
    return read_whole(folder, config=config, attn_implementation=attention)


def plain_config(encoder: Any) -> dict[str, Any]:  # noqa: ANN401
    """What it takes to build the encoder again, without where it came from."""
    config = {**encoder.config.to_dict(), "model_type": encoder.config.model_type}
    return {key: value for key, value in config.items() if key not in {"_name_or_path", "dtype"}}


def read_part(name: str, read: Callable[[], _Part]) -> _Part:
    """What `read` returns; raises `ModelError` if the base `name` cannot be read."""
    try:
        return read()
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"base model {name!r} must be an encoder that transformers can read with its "
            f"tokenizer: {in_words(error)}"
        ) from error


_FEATURES = 512
"""Passages whose features are standardised by: their means and spreads hardly change after that."""


class EncoderModel:
    """A network with its tokenizer; see `models.Model`."""

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
        self._ready: nn.Module | None = None
        self._fast: FastEncoder | None = None
        self._making = Lock()

    @cached_property
    def reader(self) -> TokenReader:
        """What makes passages ready; see `models.Reader`."""
        return TokenReader(self.tokenizer.backend_tokenizer, self.text_limit, self.position_limit)

    @property
    def runtime(self) -> str:
        """See `models.Model`."""
        if self._runs_plain:
            return f"torch {kind_for(self.options.precision)} cpu"
        low = uses_bfloat16(self.options.precision, self.device)
        return f"torch {'bfloat16' if low else 'float32'} {self.device.type}"

    @property
    def _runs_plain(self) -> bool:
        """Whether it is applied as a run on the processors is: then both give the same figures."""
        encoder = self.network.encoder
        is_bert_like = isinstance(encoder, BertModel) and is_bert(encoder.config.to_dict())
        is_own = isinstance(self.network, PassageEncoder)
        return is_own and is_bert_like and self.device.type == "cpu"

    @property
    def on_accelerator(self) -> bool:
        """Whether the processors are free for other work while it computes."""
        return self.device.type != "cpu"

    @property
    def position_limit(self) -> int:
        """Most tokens the encoder can tell apart, those around the text included."""
        config = self.network.encoder.config
        about = {"model_type": config.model_type, **config.to_dict()}
        return position_limit(about, self.tokenizer.model_max_length)

    @property
    def text_limit(self) -> int:
        """Most tokens of text that one passage may hold."""
        around = self.tokenizer.num_special_tokens_to_add()
        return text_limit(self.network.config.max_tokens, self.position_limit, around)

    @property
    def frame(self) -> Frame:
        """What the tokenizer puts around a text."""
        special = self.tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
        before = special.index(0)
        after = special[::-1].index(0)
        return Frame(self.tokenizer.pad_token_id, before, after)

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Where the tokens of each text begin."""
        return self.reader.token_starts(texts)

    def fit(
        self,
        training: Examples,
        development: Examples,
        *,
        progress: Progress | None = None,
        checkpoints: Path | None = None,
    ) -> Mapping[str, object]:
        """Fine-tune; the epoch with the best mean macro-F1 on development is kept."""
        # The trainer takes seconds to read, which applying a trained model need not wait for.
        from classifier.models.encoder._fit import QUALITY, Fit, fit_network, log_odds

        def judge() -> Mapping[str, float]:
            self._forget()
            probabilities = self.predict(development.passages)
            return {QUALITY: quality(probabilities, development.labels, self.variables)}

        encoded = self._encode(training.passages)
        passages = LabelledPassages(encoded, training.labels, training.weights)
        options = replace(suited(self.options, len(passages)), max_tokens=self.text_limit)
        fit = Fit(passages, options, self.frame, judge)
        sizes = {v.name: len(v.names) for v in self.variables}
        fresh = log_odds(passages.labels, options, sizes)
        for name in self.network.taken_over:
            fresh.pop(name)
        self.network.standardise(self.some_features(encoded), fresh)
        train_used_rows(self.network.encoder, (i for one in encoded for i in one.token_ids))
        with TemporaryDirectory() as spare, quiet_transformers():
            history = fit_network(self.network, fit, checkpoints or Path(spare), progress=progress)
        train_no_more(self.network.encoder)
        adapters.finish(self.network, self.options)
        self.network.fold()
        self.network.eval()
        self._forget()
        return history

    def predict(
        self, passages: Sequence[Passage], *, progress: Progress | None = None
    ) -> Probabilities:
        """Probabilities for every mention; a passage that occurs twice is read once."""
        if self._runs_plain:
            return self._made_plain().predict(passages, progress=progress)
        encoded = self._encode(passages)
        return predict_distinct(
            encoded, self.variables, lambda passages: self._judge(passages, progress)
        )

    def some_features(self, encoded: Sequence[Encoded]) -> Tensor:
        """What the heads read of the mentions of at most `_FEATURES` passages, evenly chosen."""
        chosen = encoded[:: -(-len(encoded) // _FEATURES)]
        rows = []
        self.network.eval()
        for batch in length_batches([len(e) for e in chosen], token_budget(self.device)):
            inputs = collate([chosen[i] for i in batch], self.tokenizer.pad_token_id)
            ids, mask, *places = (tensor.to(self.device) for tensor in inputs.values())
            with torch.inference_mode():
                rows.append(self.network.features(ids, mask, (places[0], places[1])))
        return torch.cat(rows).clone()

    def _encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        return self.reader.encoded(passages)

    def _judge(
        self, encoded: Sequence[Encoded], progress: Progress | None
    ) -> list[dict[str, NDArray[np.float64]]]:
        """Per passage and variable the probabilities of its mentions."""
        ready = self._made_ready()
        results: list[dict[str, NDArray[np.float64]]] = [{} for _ in encoded]
        done = 0
        batches = list(length_batches([len(e) for e in encoded], token_budget(self.device)))
        members = [[encoded[i] for i in batch] for batch in batches]
        for batch, judged in zip(
            batches, map(partial(self._judge_batch, ready), members), strict=True
        ):
            for i, rows in zip(batch, judged, strict=True):
                results[i] = rows
            done += len(batch)
            if progress is not None:
                progress(done, len(encoded), "reading passages")
        return results

    def _made_ready(self) -> nn.Module:
        with self._making:
            if self._ready is None:
                low = uses_bfloat16(self.options.precision, self.device)
                encoder = ready_encoder(self.network.encoder, bfloat16=low)
                self._ready = with_encoder(self.network, encoder)
            return self._ready

    def _made_plain(self) -> PlainModel:
        """The model as it is applied; its heads are those of this moment."""
        network = self.network
        with self._making:
            if self._fast is None:
                kind = kind_for(self.options.precision)
                config = network.encoder.config.to_dict()
                self._fast = FastEncoder(config, plain_weights(network.encoder), kind)
        about = (self.variables, self.options)
        return PlainModel(self._fast, self.reader, network.folded_heads(), about)

    def _forget(self) -> None:
        """Make ready anew what is applied: the weights have changed."""
        self._ready = self._fast = None

    def _judge_batch(
        self, network: nn.Module, members: Sequence[Encoded]
    ) -> list[dict[str, NDArray[np.float64]]]:
        batch = collate(members, self.tokenizer.pad_token_id)
        on_device = {name: tensor.to(self.device) for name, tensor in batch.items()}
        with ALONE, torch.inference_mode():
            logits = network(**on_device)
        edges = np.cumsum([len(item.ranges) for item in members])[:-1]
        parts = {v.name: np.split(_probabilities(logits[v.name], v), edges) for v in self.variables}
        return [{name: rows[i] for name, rows in parts.items()} for i in range(len(members))]

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
    """An encoder ready to be fitted, with fresh heads or those of the run it starts from.

    Raises `ModelError` without a base, or if the run has other labels or another base.
    """
    found = find_start(options)
    base = find_base(found.base["name"] if found else options.base_model)
    start = None
    if found is not None:
        check_heads(found, variables)
        start = load_start(found, identity(base))
    set_seed(options.seed)
    encoder = read_part(base.name, lambda: read_encoder(base.folder, options))
    tokenizer = read_part(base.name, lambda: read_tokenizer(base.folder))
    config = PassageEncoderConfig(
        encoder=plain_config(encoder),
        heads={v.name: {"kind": v.kind, "labels": list(v.names)} for v in variables},
        base=identity(base),
        max_tokens=options.max_tokens,
        attn_implementation=attention_for(best_device()),
    )
    network = PassageEncoder(config, encoder)
    if options.adapter != "none":
        adapters.attach(network, options)
    if start is not None:
        adapters.start_from(network, start, options)
    if options.gradient_checkpointing:
        with quiet_transformers():
            network.encoder.gradient_checkpointing_enable()
    return EncoderModel(network, tokenizer, variables, options)


def load_start(start: Start, base: Mapping[str, str]) -> PassageEncoder:
    """The network of the run that training starts from; `base` is what its base is here.

    Raises `ModelError` if the base is another one than it was trained on.
    """
    if start.record["options"]["adapter"] == "separate":
        return adapters.load(start.folder)[0]
    if start.base != base:
        raise ModelError(
            f"{start.name!r} was trained on a base {start.base['name']!r} with sha256 "
            f"{start.base['sha256'][:12]}…; the one here has {base['sha256'][:12]}…: install the "
            "version it was trained on, or leave --from (start) out"
        )
    with quiet_transformers():
        network: PassageEncoder = PassageEncoder.from_pretrained(start.folder, dtype=torch.float32)
    return network


def load_encoder(
    folder: Path,
    variables: Sequence[Variable],
    options: TrainOptions,
    heads: Mapping[str, str] | None = None,
) -> EncoderModel:
    """The encoder that `save` wrote, to go on with or to look into.

    `heads` names the head of a variable if that bears another name.
    """
    with quiet_transformers():
        if options.adapter == "separate":
            network, folder = adapters.load(folder)
        else:
            network = PassageEncoder.from_pretrained(
                folder, attn_implementation="sdpa", dtype=torch.float32
            )
        tokenizer = read_tokenizer(folder)
    kept = {v.name: network.heads[(heads or {}).get(v.name, v.name)] for v in variables}
    network.heads = nn.ModuleDict(kept)
    return EncoderModel(network, tokenizer, variables, options)
