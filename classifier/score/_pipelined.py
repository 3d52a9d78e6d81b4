"""Reading, judging and writing beside each other."""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, cycle, islice, repeat
from queue import SimpleQueue
from typing import IO, Any, TypeAlias, TypeVar

from classifier.errors import DataError
from classifier.models import HasReader, n_cores
from classifier.records import Article, Problem
from classifier.score._parts import Engine, Job, Part, judge_each, judge_found, key_of, read_parts
from classifier.score._prepare import Preparation, Prepared, prepared, receive, send
from classifier.score._scorer import Scorer


def main() -> None:
    """Answer until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")

    # Whatever a library prints must not spoil the answers.
    os.dup2(2, 1)
    lots: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_take, args=(sys.stdin.buffer, lots), daemon=True).start()
    preparation: Preparation = lots.get()
    while True:
        send(answers, prepared(preparation, lots.get()))


def _take(pipe: IO[bytes], lots: "SimpleQueue[Any]") -> None:
    while (data := receive(pipe)) is not None:
        lots.put(pickle.loads(data))
    os._exit(0)


if __name__ == "__main__":
    main()


Numbered: TypeAlias = tuple[int, list[Article]]
"""A part's number and its articles."""
_Answers: TypeAlias = Callable[[], list[Prepared | None]]
_Item = TypeVar("_Item")
_PROGRAM = "classifier.score._pipelined"
_LOT = 32
"""Articles sent at a time."""
_AHEAD = 2
"""Parts that other processes read before the one that is judged."""
_AT_ONCE = 2
"""Parts that are judged side by side."""
_WORTH_IT = 4
"""Parts of a corpus that is large enough to start processes for."""
_TOO_FEW = 2
"""Processors beside the first, with which the encoder needs them all."""


def judge_locally(scorer: Scorer, job: Job, problems: list[Problem]) -> Iterator[Part]:
    """Judge on this machine, in this process."""
    yield from judge_beside(scorer, read_parts(job, problems), job.done, 0)


def local_engine(n_readers: int | None = None) -> Engine:
    """Judge on this machine, with so many processes that read beside the encoder.

    By default as many as pay, which is none for a small corpus or on few processors.
    """

    def judge(scorer: Scorer, job: Job, problems: list[Problem]) -> Iterator[Part]:
        wanted = best_n_readers(scorer) if n_readers is None else n_readers
        wanted = wanted if isinstance(scorer.trained.model, HasReader) else 0
        parts = read_parts(job, problems)
        first = list(islice(parts, _WORTH_IT))
        if len(first) < _WORTH_IT and n_readers is None:
            wanted = 0
        yield from judge_beside(scorer, chain(first, parts), job.done, wanted)

    return judge


def best_n_readers(scorer: Scorer) -> int:
    """Processes that keep the model busy: all processors but one beside an accelerator.

    Where the encoder runs on the same processors, reading takes about a seventh of them; on two or
    three this process reads beside the encoder by itself.
    """
    spare = n_cores() - 1
    if getattr(scorer.trained.model, "on_accelerator", False):
        return spare
    return round((spare + 1) / 7) if spare > _TOO_FEW else 0


def judge_beside(
    scorer: Scorer, parts: Iterable[Numbered], done: frozenset[int], n_readers: int
) -> Iterator[Part]:
    """Judge parts in order, two at a time: while one is read, the other one keeps the model busy.

    A model computes without Python, which is then free for what comes before and after it. The
    first parts are not asked of other processes, which take seconds to start.
    """
    with _reading(scorer, n_readers) as readers, _threads(_AT_ONCE) as pool:
        ask = readers.ask if readers is not None else _ask_nobody
        asks = chain(repeat(_ask_nobody, _AT_ONCE), repeat(ask))
        read = (
            _Read(number, articles, (_ask_nobody if number in done else ask)(articles))
            for (number, articles), ask in zip(parts, asks, strict=False)
        )
        judged = (
            pool.submit(_judged, scorer, part, part.answers(), done)
            for part in _ahead(read, _AHEAD if readers else 0)
        )
        for judging in _ahead(judged, _AT_ONCE):
            yield judging.result()


def _ahead(stream: Iterable[_Item], n: int) -> Iterator[_Item]:
    """What a stream holds, each when so many more were taken from it."""
    taken: deque[_Item] = deque()
    for item in stream:
        taken.append(item)
        if len(taken) > n:
            yield taken.popleft()
    yield from taken


@contextmanager
def _threads(n: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that end with the block, and do not begin what waits."""
    pool = ThreadPoolExecutor(n)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _Read:
    """A part that was read."""

    number: int
    articles: list[Article]
    answers: _Answers
    """Waits for what other processes made of it, lot by lot."""


def _ask_nobody(_: Sequence[Article]) -> _Answers:
    return lambda: [None]


def _judged(
    scorer: Scorer, part: _Read, answers: Sequence[Prepared | None], done: frozenset[int]
) -> Part:
    about = (part.number, key_of(part.articles), len(part.articles))
    if part.number in done:
        return Part(*about, None)
    prepared = [answer for answer in answers if answer is not None]
    if len(prepared) < len(answers):
        return Part(*about, *judge_each(scorer, part.articles), scorer.trained.model.runtime)
    found = [one for answer in prepared for one in answer[0]]
    passages = [one for answer in prepared for one in answer[1]]
    judged = judge_found(scorer, found, (), passages)
    return Part(*about, *judged, scorer.trained.model.runtime)


class _Readers:
    """Processes that prepare articles, asked in turn; each answers in the order it was asked."""

    def __init__(self, preparation: Preparation, n_readers: int) -> None:
        self._processes = [_Process(preparation) for _ in range(n_readers)]
        self._turn = cycle(self._processes)

    def ask(self, articles: Sequence[Article]) -> _Answers:
        """Send articles out; the answers are there when what is returned is called."""
        asked = [
            next(self._turn).ask(articles[at : at + _LOT]) for at in range(0, len(articles), _LOT)
        ]
        return lambda: [answer() for answer in asked]

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.close()


class _Process:
    def __init__(self, preparation: Preparation) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"TOKENIZERS_PARALLELISM": "false"},
        )
        self._answers: SimpleQueue[bytes | None] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._tell(preparation)

    def ask(self, articles: Sequence[Article]) -> Callable[[], Prepared | None]:
        self._tell(articles)
        return self._answer

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            # What an interruption left unsent cannot be sent any more.
            with suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()

    def _tell(self, content: object) -> None:
        try:
            if self._process.stdin is not None:
                send(self._process.stdin, content)
        except BrokenPipeError:
            self._answers.put(None)

    def _answer(self) -> Prepared | None:
        data = self._answers.get()
        if data is None:
            raise DataError(
                "a process that reads articles must not end before the corpus does, but one did "
                f"(exit status {self._process.wait()}); there may be too little memory: go on "
                "with --resume --readers 0"
            )
        answer: Prepared | None = pickle.loads(data)
        return answer

    def _listen(self) -> None:
        """Take answers off the pipe as they come, or the process would wait for the encoder."""
        pipe = self._process.stdout
        try:
            while pipe is not None and (data := receive(pipe)) is not None:
                self._answers.put(data)
        except ValueError:  # the pipe was closed on our side
            pass
        self._answers.put(None)


@contextmanager
def _reading(scorer: Scorer, n_readers: int) -> Iterator[_Readers | None]:
    """The processes, which end with the block; None where there are to be none."""
    if n_readers == 0:
        yield None
        return
    readers = _Readers(scorer.preparation, n_readers)
    try:
        yield readers
    finally:
        readers.close()
