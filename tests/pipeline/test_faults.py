"""Kills at random moments and a full disk: whatever stops a run, going on ends as if nothing had.

The killed processes are forked from one that has imported and read all they need, so that a kill
falls into the work. A kill takes the process, not the machine: what the kernel has been given
stays written.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.annotations import AnnotationSet, write_annotations

_OPTIONS = {"epochs": 3, "patience": 3, "batch_size": 8, "max_tokens": 64}

_SCORE = """
from pathlib import Path
import classifier.models.encoder._model
from classifier.score import load, score_to_file
from classifier.score import _stream as streaming
streaming.BATCH_ARTICLES = 2
run, corpus = sys.argv[1:3]
scorer = load(run, runtime="torch")
scorer.score("Turkey was praised. Russia was blamed.", language="en")
scorer.score("Turkije werd geprezen. Rusland werd berispt.", language="nl")
def work(name):
    score_to_file(scorer, corpus, folder / f"{name}.parquet", resume=True, force=True)
"""

_TRAIN = """
import json
import classifier.models.encoder._fit
from classifier.annotations import read_annotations
from classifier.training import TrainOptions, train
annotation_set = read_annotations(sys.argv[1])
options = TrainOptions(**json.loads(sys.argv[2]))
def work(name):
    train(annotation_set, options, folder / name, resume=True, force=True)
"""

_KILL = """
import os, random, signal, sys, time
from pathlib import Path
folder, n_kills = Path(sys.argv[-2]), int(sys.argv[-1])
{work}
def start(name):
    child = os.fork()
    if child == 0:
        try:
            work(name)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return child
def end(child):
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit("a process failed instead of being killed")
    return os.WIFSIGNALED(status)
started = time.monotonic()
end(start("calm"))
whole = time.monotonic() - started
chance, killed = random.Random(0), 0
while killed < n_kills:
    child = start("killed")
    time.sleep(chance.random() * whole)
    os.kill(child, signal.SIGKILL)
    was_killed = end(child)
    killed += was_killed
    whole *= 1 if was_killed else 0.8
end(start("killed"))
print(killed)
"""

_FILL = """
import subprocess, sys
from pathlib import Path
from classifier.errors import ClassifierError
folder, size = Path(sys.argv[-2]), int(sys.argv[-1])
{work}
work("calm")
place = folder / "small"
place.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={{size}}k", "tmpfs", place], check=True)
calm, folder, n_refused = folder, place, 0
for room in range(0, size, size // 6):
    ballast = place / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes((size - room) * 1024 - 8192))
    try:
        work("filled")
    except ClassifierError as error:
        print(error)
        n_refused += 1
    ballast.unlink()
work("filled")
subprocess.run(["cp", "-r", place / NAME, calm / NAME], check=True)
print(n_refused)
"""


def drive(script: str, *arguments: object, prefix: tuple[str, ...] = ()) -> str:
    """What a process of one thread prints; a fork of more than one could wait forever."""
    command = [*prefix, sys.executable, "-c", script, *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_twenty_kills_while_scoring_lose_and_double_no_row(
    encoder_run: Path, corpus: Path, tmp_path: Path
) -> None:
    said = drive(_KILL.format(work=_SCORE), encoder_run, corpus, tmp_path, 20)
    assert said.split()[-1] == "20"
    assert (tmp_path / "killed.parquet").read_bytes() == (tmp_path / "calm.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calm.parquet", "killed.parquet"]


@pytest.mark.slow
def test_five_kills_while_training_change_no_weight(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    write_annotations(toy_set, tmp_path / "set")
    options = json.dumps({**_OPTIONS, "base_model": str(tiny_bert)})
    said = drive(_KILL.format(work=_TRAIN), tmp_path / "set", options, tmp_path, 5)
    assert said.split()[-1] == "5"
    assert_same_run(tmp_path / "killed", tmp_path / "calm")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calm", "killed", "set"]


def assert_same_run(one: Path, other: Path) -> None:
    weights = "model.safetensors"
    assert (one / weights).read_bytes() == (other / weights).read_bytes()
    records = [json.loads((run / "training.json").read_text("utf-8")) for run in (one, other)]
    assert records[0]["files"] == records[1]["files"]
    assert records[0]["history"] == records[1]["history"]


@pytest.fixture(scope="module")
def may_mount() -> tuple[str, ...]:
    """The command that lets a process mount a small disk of its own."""
    command = ("unshare", "--user", "--map-root-user", "--mount")
    if shutil.which("unshare") is None:
        pytest.skip("a disk to fill needs unshare")
    test = [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    if subprocess.run(test, check=False, capture_output=True).returncode:
        pytest.skip("a disk to fill needs the right to mount one")
    return command


@pytest.mark.slow
def test_a_full_disk_stops_scoring_with_advice_and_nothing_is_lost(
    encoder_run: Path, corpus: Path, tmp_path: Path, may_mount: tuple[str, ...]
) -> None:
    script = _FILL.replace("NAME", '"filled.parquet"').format(work=_SCORE)
    said = drive(script, encoder_run, corpus, tmp_path, 720, prefix=may_mount)
    assert (tmp_path / "filled.parquet").read_bytes() == (tmp_path / "calm.parquet").read_bytes()
    assert int(said.split()[-1]) >= 2
    assert said.count("make room and run it again with --resume") == int(said.split()[-1])


@pytest.mark.slow
def test_a_full_disk_stops_training_with_advice_and_nothing_is_lost(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path, may_mount: tuple[str, ...]
) -> None:
    write_annotations(toy_set, tmp_path / "set")
    options = json.dumps({**_OPTIONS, "base_model": str(tiny_bert)})
    script = _FILL.replace("NAME", '"filled"').format(work=_TRAIN)
    said = drive(script, tmp_path / "set", options, tmp_path, 2400, prefix=may_mount)
    assert_same_run(tmp_path / "filled", tmp_path / "calm")
    assert int(said.split()[-1]) >= 2
    assert said.count("make room and run it again with --resume") == int(said.split()[-1])
