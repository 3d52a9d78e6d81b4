"""Encoders on integers of eight bits, by OpenVINO and nncf: measured, and not offered.

Why not is in runtimes.md.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from classifier.models.runtime._openvino import _Bare, _openvino
from classifier.models.runtime._torch import quiet_transformers

Batch = Mapping[str, Tensor]
_SECOND_PRODUCT = r".*encoder\.layer\.\d+\.output\.dense.*"
"""Of the two products behind the attention, the one with the widest range of values."""


@dataclass(frozen=True)
class Int8Way:
    """How weights and activations become integers."""

    weights: str = ""
    """How nncf compresses the weights alone; empty quantizes activations with fixed ranges too."""
    group: int = 0
    """Activations that share a range found while computing; 0 leaves them as they are."""
    precision: str = "f32"
    """In which all the rest is computed."""
    left_out: tuple[str, ...] = ()
    """Patterns of the operations that stay as they are."""


INT8_WAYS = {
    "int8 static": Int8Way(),
    "int8 static, bf16 beside": Int8Way(precision="bf16"),
    "int8 static but the second product": Int8Way(left_out=(_SECOND_PRODUCT,)),
    "int8 weights": Int8Way(weights="INT8_SYM"),
    "int8 dynamic 32": Int8Way(weights="INT8_SYM", group=32),
    "int8 dynamic 128": Int8Way(weights="INT8_SYM", group=128),
    "int8 dynamic 32, asymmetric": Int8Way(weights="INT8_ASYM", group=32),
    "int8 dynamic 128, asymmetric": Int8Way(weights="INT8_ASYM", group=128),
}


class Int8Encoder(nn.Module):
    """Gives hidden states as `models.runtime_openvino.OpenVinoEncoder` does."""

    n_streams = 1

    def __init__(self, compiled: Any, config: Any) -> None:  # noqa: ANN401
        """Run a compiled model."""
        super().__init__()
        self.config = config
        self._request = compiled.create_infer_request()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor]:
        """Hidden states, passages × tokens × width."""
        answer = self._request.infer(_inputs(input_ids, attention_mask))
        return (torch.from_numpy(answer[0].copy()),)


def int8_encoder(encoder: Any, batches: Sequence[Batch], way: Int8Way) -> Int8Encoder:  # noqa: ANN401
    """The encoder on integers; fixed ranges are those that the batches show."""
    openvino = _openvino()
    example = {"input_ids": batches[0]["input_ids"], "attention_mask": batches[0]["attention_mask"]}
    with quiet_transformers(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = openvino.convert_model(_Bare(encoder), example_input=example)
        made = _compressed(exported, way) if way.weights else _quantized(exported, batches, way)
    settings = {
        "INFERENCE_PRECISION_HINT": way.precision,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": way.group,
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": 1,
    }
    return Int8Encoder(openvino.Core().compile_model(made, "CPU", settings), encoder.config)


def _compressed(exported: Any, way: Int8Way) -> Any:  # noqa: ANN401
    import nncf

    return nncf.compress_weights(exported, mode=getattr(nncf.CompressWeightsMode, way.weights))


def _quantized(exported: Any, batches: Sequence[Batch], way: Int8Way) -> Any:  # noqa: ANN401
    import nncf

    given = [_inputs(batch["input_ids"], batch["attention_mask"]) for batch in batches]
    return nncf.quantize(
        exported,
        nncf.Dataset(given),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(given),
        ignored_scope=nncf.IgnoredScope(patterns=list(way.left_out)),
    )


def _inputs(input_ids: Tensor, attention_mask: Tensor) -> dict[str, Any]:
    return {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()}
