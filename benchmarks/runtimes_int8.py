"""An encoder on integers of eight bits, by OpenVINO and nncf: measured, and not offered.

Where a processor computes bfloat16 it gains little by them; see benchmarks/runtimes.py.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from classifier.models.runtime import quiet_transformers
from classifier.models.runtime_openvino import _Bare, _openvino

Batch = Mapping[str, Tensor]


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


def int8_encoder(encoder: Any, batches: Sequence[Batch]) -> Int8Encoder:  # noqa: ANN401
    """Weights and activations as integers, their ranges those that the batches show."""
    openvino = _openvino()
    import nncf

    given = [_inputs(batch["input_ids"], batch["attention_mask"]) for batch in batches]
    example = {"input_ids": batches[0]["input_ids"], "attention_mask": batches[0]["attention_mask"]}
    with quiet_transformers(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = openvino.convert_model(_Bare(encoder), example_input=example)
        quantized = nncf.quantize(
            exported,
            nncf.Dataset(given),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(given),
        )
    settings = {"INFERENCE_PRECISION_HINT": "bf16", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}
    compiled = openvino.Core().compile_model(quantized, "CPU", settings)
    return Int8Encoder(compiled, encoder.config)


def _inputs(input_ids: Tensor, attention_mask: Tensor) -> dict[str, Any]:
    return {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()}
