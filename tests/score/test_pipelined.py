"""Processes that read beside the model: the same bytes, failures kept apart, and no orphans."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.errors import DataError
from classifier.records import Article
from classifier.score import Scorer, load, local_engine, score_to_file
from classifier.score import _parts as pipelined
from classifier.score import _stream as streaming
from classifier.score._parts import Job, best_n_readers, read_parts
from classifier.score._prepare import Preparation, prepared


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 7)
    monkeypatch.setattr(pipelined, "_LOT", 3)


def scored(scorer: Scorer, corpus: Path, out: Path, n_readers: int) -> bytes:
    score_to_file(scorer, corpus, out, engine=local_engine(n_readers))
    return out.read_bytes()


@pytest.mark.parametrize("kind", ["linear_run", "encoder_run"])
def test_the_bytes_are_those_of_one_process(
    kind: str, corpus: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    scorer = load(request.getfixturevalue(kind))
    alone = scored(scorer, corpus, tmp_path / "alone.parquet", 0)
    assert scored(scorer, corpus, tmp_path / "beside.parquet", 2) == alone


def test_parts_judged_side_by_side_have_the_rows_of_parts_judged_in_turn(
    encoder_run: Path, corpus: Path, tmp_path: Path
) -> None:
    scorer = load(encoder_run)
    scored(scorer, corpus, tmp_path / "out.parquet", 0)
    parts = read_parts(Job(corpus, 7), [])
    in_turn = [scorer.judge([scorer.find(a) for a in articles]) for _, articles in parts]
    assert pq.read_table(tmp_path / "out.parquet").equals(pa.concat_tables(in_turn))


def test_two_parts_are_judged_at_once(
    linear_run: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 20)  # of 40 articles
    judge, both = Scorer.judge, threading.Barrier(2, timeout=60)

    def judged(self: Scorer, *given: Any) -> pa.Table:  # noqa: ANN401
        both.wait()
        return judge(self, *given)

    monkeypatch.setattr(Scorer, "judge", judged)
    scored(load(linear_run), corpus, tmp_path / "out.parquet", 0)
    assert not both.broken


def test_parts_that_are_done_are_not_read_again(
    linear_run: Path, corpus: Path, tmp_path: Path
) -> None:
    scorer = load(linear_run)
    alone = scored(scorer, corpus, tmp_path / "alone.parquet", 0)
    out = tmp_path / "beside.parquet"

    def stop(done: int, *_: object) -> None:
        if done >= 21:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_to_file(scorer, corpus, out, progress=stop, engine=local_engine(2))
    score_to_file(scorer, corpus, out, resume=True, engine=local_engine(2))
    assert out.read_bytes() == alone


def test_an_article_that_fails_is_listed_and_spoils_no_other(
    linear_run: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Preparation.find

    def find(self: Preparation, article: Article) -> object:
        if article.article_id == "t9":
            raise ValueError("no way")
        return whole(self, article)

    monkeypatch.setattr(Preparation, "find", find)
    monkeypatch.setattr(pipelined._Process, "_answer", lambda _: None)
    out = tmp_path / "out.parquet"
    result = score_to_file(load(linear_run), corpus, out, engine=local_engine(1))
    assert [p.where for p in result.problems if p.reason == "article failed"] == ["t9"]
    assert result.n_articles == 40
    assert result.n_with_mentions == 39


def test_a_lot_that_fails_is_given_back_unprepared(linear_run: Path) -> None:
    preparation = load(linear_run).preparation
    good = Article("a", "Turkey was praised at the harbour.", language="en")
    answer = prepared(preparation, [good])
    assert answer is not None
    assert [len(mentions) for _, mentions in answer[0]] == [1]
    assert prepared(preparation, [good, None]) is None  # type: ignore[list-item]


def test_a_process_that_ends_early_is_an_error_that_says_what_to_do(
    linear_run: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelined, "_PROGRAM", "this")
    with pytest.raises(DataError, match=r"one did \(exit status 0\).*--resume --readers 0"):
        score_to_file(load(linear_run), corpus, tmp_path / "o.parquet", engine=local_engine(1))


def test_a_small_corpus_is_read_by_one_process(
    linear_run: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelined, "best_n_readers", lambda _: 3)
    monkeypatch.setattr(pipelined, "_Process", None)
    monkeypatch.setattr(streaming, "BATCH_ARTICLES", 20)
    score_to_file(load(linear_run), corpus, tmp_path / "o.parquet", engine=local_engine())


@pytest.mark.parametrize(("cores", "expected"), [(1, 0), (2, 0), (3, 0), (4, 1), (16, 2)])
def test_processes_are_as_many_as_pay(
    cores: int, expected: int, linear_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelined, "n_cores", lambda: cores)
    assert best_n_readers(load(linear_run)) == expected


_SCORE = """
import signal, sys, time
from classifier.score import _parts as pipelined
from classifier.score import _stream as streaming
from classifier.score import load, score_to_file
# What a shell starts in the background ignores Ctrl-C, and so do its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
streaming.BATCH_ARTICLES = 2
run, corpus, out = sys.argv[1:]
def tell(done, *_):
    print(done, flush=True)
    if done >= 10:
        time.sleep(3600)
score_to_file(load(run), corpus, out, progress=tell, engine=pipelined.local_engine(2))
"""


@pytest.fixture
def scoring(linear_run: Path, corpus: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that scores with two readers, stuck half-way; without a guard around its code."""
    script = tmp_path / "score.py"
    script.write_text(_SCORE, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script), str(linear_run), str(corpus), str(tmp_path / "o.parquet")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.stdout is not None and process.stdout.readline().strip() != "10":
        pass
    yield process
    process.kill()
    process.communicate()


def readers_of(process: "subprocess.Popen[str]") -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("this system does not tell a process's children")
    return [int(pid) for pid in children.read_text(encoding="ascii").split()]


def are_gone(pids: list[int], within: float = 120.0) -> bool:
    """Whether the processes end by themselves; those that wait to be reaped count as ended."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_reader_outlives_the_one_it_reads_for(
    how: signal.Signals, scoring: "subprocess.Popen[str]"
) -> None:
    readers = readers_of(scoring)
    assert len(readers) == 2
    if how == signal.SIGINT:
        os.killpg(scoring.pid, how)  # what Ctrl-C does
    else:
        scoring.kill()
    assert are_gone(readers)
    _, errors = scoring.communicate(timeout=120)
    assert errors.count("Traceback") == (how == signal.SIGINT)
