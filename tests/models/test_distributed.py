"""Two processes that train one model, started by accelerate and by torchrun, on the processor."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from classifier.annotations import AnnotationSet, write_annotations
from classifier.errors import ModelError
from classifier.models import TrainOptions, broadcast, is_first, n_processes, rank
from classifier.models.encoder._batches import Frame, Share, TrainingBatches
from classifier.models.encoder._fit import _own_labels
from classifier.models.encoder._network import masked_loss
from classifier.models.encoder._tokens import Encoded
from classifier.training import train

FRAME = Frame(pad_id=0, before=1, after=1)
TWO = ("--nproc-per-node", "2", "--master-port", "29611")


def passages(n: int) -> list[tuple[Encoded, dict[str, np.ndarray]]]:
    """Passages of three tokens and a label each; the first has two mentions."""
    ranges = (((1, 2), (1, 4)),)
    items = []
    for i in range(n):
        own = ranges * 2 if i == 0 else ranges
        items.append((Encoded((2, i + 5, i + 6, i + 7, 3), own), {"stance": np.full(len(own), i)}))
    return items


def test_two_shares_make_up_a_batch() -> None:
    options = TrainOptions(joined=0)
    whole = TrainingBatches(FRAME, options)(passages(5))
    shares = [TrainingBatches(FRAME, options, Share(i, 2))(passages(5)) for i in range(2)]
    rows = torch.cat([share["input_ids"] for share in shares])
    assert torch.equal(rows, whole["input_ids"])
    assert all(torch.equal(s["labels_stance"], whole["labels_stance"]) for s in shares)
    # Two passages with three mentions, then three with one each.
    assert [share["own_mentions"].tolist() for share in shares] == [[0, 3], [3, 6]]


def test_an_empty_share_reads_a_passage_that_does_not_count() -> None:
    batch = TrainingBatches(FRAME, TrainOptions(joined=0), Share(0, 2))(passages(1))
    assert batch["input_ids"].shape == (1, 5)
    labels = _own_labels(batch["labels_stance"], batch["own_mentions"], n_mentions=2)
    assert labels.tolist() == [-1, -1]


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1.0, 2.0])])
def test_the_losses_of_the_shares_add_up(weights: torch.Tensor | None) -> None:
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 2, -1, 1, 1, -1])
    sets = torch.tensor([[1, 0, -1], [0, 0, 1], [-1, -1, -1], [1, 1, 0], [0, 1, 0], [1, -1, 1]])
    for among in (labels, sets):
        whole = masked_loss(logits, among, weights)
        parts = [masked_loss(logits[p], among[p], weights, 0.0, among) for p in SLICES]
        assert torch.stack(parts).sum().item() == pytest.approx(whole.item())


SLICES = (slice(0, 2), slice(2, 6))


def test_one_process_is_the_first_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "8")  # some job managers set it for programs of their own
    assert (rank(), n_processes(), is_first()) == (0, 1, True)
    assert broadcast("mine") == "mine"


def test_a_linear_model_is_trained_by_one_process(
    toy_set: AnnotationSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ModelError, match="a linear model is trained by one process, got 2"):
        train(toy_set, TrainOptions(model="linear"), tmp_path / "run")


def start(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    # One epoch: which of several is kept may hang on the last digit of a score.
    options = TrainOptions(
        base_model=str(tiny_bert), epochs=1, batch_size=8, max_tokens=256, learning_rate=1e-3
    )
    train(toy_set, options, tmp_path / "one")
    write_annotations(toy_set, tmp_path / "set")
    launch = ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--main_process_port", "29612", "-m", "classifier", "train", str(tmp_path / "set")]
    launch += [
        "--out",
        str(tmp_path / "two"),
        "--set",
        f"base_model={tiny_bert}",
        "--set",
        "epochs=1",
    ]
    done = start([*launch, "--set", "batch_size=8", "--set", "learning_rate=1e-3", "--json"])
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "set", "two"]
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    apart = torch.cat([(one[name] - two[name]).abs().flatten() for name in one])
    # Adam moves a weight by up to 1e-3 in each step, and the sign of a gradient near 0 hangs on the
    # order of sums in bfloat16: a few weights may go the other way, but no more than that.
    assert float((apart > 2e-4).float().mean()) < 0.01


_ONE_DIES = """
import os, signal, sys
from classifier.models import rank
from classifier.training import train
from classifier.training import TrainOptions
options = TrainOptions(base_model=sys.argv[2], epochs=1, batch_size=8)
def die(done, total, note):
    if rank() == 1 and done > total / 2:
        os.kill(os.getpid(), signal.SIGKILL)
train(sys.argv[1], options, sys.argv[3], progress=die)
"""


@pytest.mark.slow
def test_a_process_that_dies_ends_the_others_and_leaves_no_run(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    write_annotations(toy_set, tmp_path / "set")
    (tmp_path / "script.py").write_text(_ONE_DIES, encoding="utf-8")
    places = [str(tmp_path / "script.py"), str(tmp_path / "set"), str(tiny_bert)]
    done = start(["torch.distributed.run", *TWO, *places, str(tmp_path / "run")])
    assert done.returncode != 0
    assert "exitcode  : -9" in done.stderr
    assert not (tmp_path / "run").exists()
