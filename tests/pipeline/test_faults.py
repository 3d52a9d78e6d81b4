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
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier.annotations import AnnotationSet, write_annotations

_OPTIONS = {"epochs": 3, "patience": 3, "batch_size": 16, "max_tokens": 32}

_WORK = """
import json, sys
from pathlib import Path
import classifier.models.encoder._fit
import classifier.models.encoder._model
from classifier.annotations import read_annotations
from classifier.score import load, score_to_file
from classifier.score import _stream as streaming
from classifier.training import TrainOptions, train
root, run, corpus, coded = map(Path, sys.argv[1:5])
options = TrainOptions(**json.loads(sys.argv[5]))
streaming.BATCH_ARTICLES = 1
scorer = load(run, runtime="torch")
scorer.score("Turkey was praised. Russia was blamed.", language="en")
scorer.score("Turkije werd geprezen. Rusland werd berispt.", language="nl")
annotation_set = read_annotations(coded)
def score(folder, name):
    score_to_file(scorer, corpus, folder / f"{name}.parquet", resume=True, force=True)
def learn(folder, name):
    train(annotation_set, options, folder / name, resume=True, force=True)
"""

_KILL = """
import os, random, signal, time
def start(name):
    child = os.fork()
    if child == 0:
        try:
            work(folder, name)
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
for work, n_kills in ((score, 20), (learn, 5)):
    folder = root / work.__name__
    folder.mkdir()
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
"""

_FILL = """
import subprocess
from classifier.errors import ClassifierError
refused = {}
for work, size in ((score, 720), (learn, 2400)):
    folder = root / work.__name__
    place = folder / "small"
    place.mkdir(parents=True)
    work(folder, "calm")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", place], check=True)
    told = refused[work.__name__] = []
    for room in range(0, size, size // 6):
        ballast = place / "ballast"
        with ballast.open("wb") as file:
            file.write(bytes((size - room) * 1024 - 8192))
        try:
            work(place, "filled")
        except ClassifierError as error:
            told.append(str(error))
        ballast.unlink()
    work(place, "filled")
    subprocess.run(["cp", "-r", *place.glob("filled*"), folder], check=True)
print(json.dumps(refused))
"""

Drive = Callable[..., str]


@pytest.fixture(scope="module")
def drive(
    toy_set: AnnotationSet,
    encoder_run: Path,
    corpus: Path,
    tiny_bert: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Drive:
    """Runs a script after `_WORK`, on half of the articles; returns what it prints.

    The process has one thread: a fork of more than one could wait forever.
    """
    place = tmp_path_factory.mktemp("work")
    few = place / "articles.jsonl"
    few.write_text("".join(corpus.read_text("utf-8").splitlines(True)[:20]), encoding="utf-8")
    write_annotations(toy_set, place / "set")
    options = json.dumps({**_OPTIONS, "base_model": str(tiny_bert)})
    given = [*map(str, (encoder_run, few, place / "set")), options]

    def run(script: str, root: Path, prefix: tuple[str, ...] = ()) -> str:
        command = [*prefix, sys.executable, "-c", _WORK + script, str(root), *given]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def killed(drive: Drive, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders `score` and `learn`, each with a calm piece of work and one killed often."""
    root = tmp_path_factory.mktemp("killed")
    drive(_KILL, root)
    return root


@pytest.mark.slow
def test_twenty_kills_while_scoring_lose_and_double_no_row(killed: Path) -> None:
    folder = killed / "score"
    assert (folder / "killed.parquet").read_bytes() == (folder / "calm.parquet").read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["calm.parquet", "killed.parquet"]


@pytest.mark.slow
def test_five_kills_while_training_change_no_weight(killed: Path) -> None:
    folder = killed / "learn"
    assert_same_run(folder / "killed", folder / "calm")
    assert sorted(path.name for path in folder.iterdir()) == ["calm", "killed"]


def assert_same_run(one: Path, other: Path) -> None:
    weights = "model.safetensors"
    assert (one / weights).read_bytes() == (other / weights).read_bytes()
    records = [json.loads((run / "training.json").read_text("utf-8")) for run in (one, other)]
    assert records[0]["files"] == records[1]["files"]
    assert records[0]["history"] == records[1]["history"]


@pytest.fixture(scope="module")
def filled(
    drive: Drive, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, list[str]]]:
    """The same folders with what was written to a small disk, and what was said when it was full.

    Skips where a process may not mount a small disk of its own.
    """
    command = ("unshare", "--user", "--map-root-user", "--mount")
    if shutil.which("unshare") is None:
        pytest.skip("a disk to fill needs unshare")
    test = [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    if subprocess.run(test, check=False, capture_output=True).returncode:
        pytest.skip("a disk to fill needs the right to mount one")
    root = tmp_path_factory.mktemp("filled")
    return root, json.loads(drive(_FILL, root, command))


def assert_advised(refused: list[str]) -> None:
    assert len(refused) >= 2
    assert all("make room and run it again with --resume" in told for told in refused)


@pytest.mark.slow
def test_a_full_disk_stops_scoring_with_advice_and_nothing_is_lost(
    filled: tuple[Path, dict[str, list[str]]],
) -> None:
    folder, refused = filled[0] / "score", filled[1]["score"]
    assert (folder / "filled.parquet").read_bytes() == (folder / "calm.parquet").read_bytes()
    assert_advised(refused)


@pytest.mark.slow
def test_a_full_disk_stops_training_with_advice_and_nothing_is_lost(
    filled: tuple[Path, dict[str, list[str]]],
) -> None:
    folder, refused = filled[0] / "learn", filled[1]["learn"]
    assert_same_run(folder / "filled", folder / "calm")
    assert_advised(refused)
