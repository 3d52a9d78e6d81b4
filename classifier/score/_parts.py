"""A corpus in parts of a fixed number of articles: read, judged and written beside each other."""

import hashlib
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
from dataclasses import dataclass, field
from itertools import chain, cycle, islice, repeat
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, TypeAlias, TypeVar

import pyarrow as pa

from classifier.articles import stream_articles
from classifier.errors import DataError, in_words
from classifier.models import HasReader, n_cores
from classifier.predictions import Judged, prediction_table
from classifier.records import Article, Passage, Problem
from classifier.score._prepare import (
    Found,
    Preparation,
    Prepared,
    prepared,
    receive,
    send,
    unread_problems,
)
from classifier.score._scorer import Scorer, batches


@dataclass(frozen=True)
class Job:
    """What is to be scored."""

    path: Path
    batch_articles: int
    done: frozenset[int] = field(default_factory=frozenset)
    """Numbers of the parts that need no judging, because an interrupted run finished them."""


@dataclass(frozen=True)
class Part:
    """The articles of a part, judged."""

    number: int
    key: str
    """Hash of the articles' ids and texts."""
    n_articles: int
    table: pa.Table | None
    """A row per mention; None of a part that was done before."""
    problems: tuple[Problem, ...] = ()
    """Articles that failed, or that name no target in a language that is not read."""
    runtime: str = ""
    """What judged it; empty of a part that was done before."""


Engine = Callable[[Scorer, Job, list[Problem]], Iterator[Part]]
"""Judges the parts of a corpus, in any order; appends what could not be read to the list."""


def read_parts(job: Job, problems: list[Problem]) -> Iterator[tuple[int, list[Article]]]:
    """Numbered parts of the articles at the job's path."""
    yield from enumerate(batches(stream_articles(job.path, problems), job.batch_articles))


def key_of(articles: Sequence[Article]) -> str:
    """Hash of the ids and texts of some articles."""
    digest = hashlib.sha256()
    for article in articles:
        digest.update(f"{article.article_id}\n{article.sha256}\n".encode())
    return digest.hexdigest()


def judge_each(scorer: Scorer, articles: Sequence[Article]) -> tuple[pa.Table, tuple[Problem, ...]]:
    """Rows for the mentions of some articles; one that makes the scorer fail spoils no other.

    Its mentions have the error as their status. Where all fail, it is not for the articles, and the
    error is raised.
    """
    return judge_found(scorer, *find_each(scorer.find, articles))


def find_each(
    find: Callable[[Article], Found], articles: Sequence[Article]
) -> tuple[list[Found], tuple[Problem, ...]]:
    """The mentions of each article, and the articles that failed."""
    found: list[Found] = []
    errors: list[tuple[Article, Exception]] = []
    for article in articles:
        try:
            found.append(find(article))
        except Exception as error:
            errors.append((article, error))
    return found, _problems(errors, len(articles))


def judge_found(
    scorer: Scorer,
    found: Sequence[Found],
    failed: tuple[Problem, ...] = (),
    passages: Sequence[Passage] | None = None,
) -> tuple[pa.Table, tuple[Problem, ...]]:
    """Rows for some articles' mentions, judged together, or one by one where that fails.

    `passages` may hold those that were made ready elsewhere.
    """
    problems = failed + unread_problems(found, scorer.languages)
    try:
        return scorer.judge(found, passages), problems
    except Exception:
        tables, errors = [], []
        for one in found:
            try:
                tables.append(scorer.judge([one]))
            except Exception as error:
                tables.append(_unjudged(scorer, one, error))
                errors.append((one[0], error))
        return pa.concat_tables(tables), problems + _problems(errors, len(found))


def _problems(errors: list[tuple[Article, Exception]], n_articles: int) -> tuple[Problem, ...]:
    for _, error in errors:
        if isinstance(error, MemoryError | OSError) or len(errors) == n_articles > 1:
            raise error
    return tuple(
        Problem(article.article_id, "article failed", _words(error)) for article, error in errors
    )


def _unjudged(scorer: Scorer, found: Found, error: Exception) -> pa.Table:
    article, mentions = found
    status = f"failed: {_words(error)}"
    judged = [Judged(article, mention, status) for mention in mentions]
    trained = scorer.trained
    return prediction_table(
        judged, scorer.variables, scorer.codebook, trained.model_id, trained.parts
    )


def _words(error: Exception) -> str:
    return f"{in_words(error)}".partition("\n")[0]


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


Numbered: TypeAlias = tuple[int, list[Article]]
"""A part's number and its articles."""
_Answers: TypeAlias = Callable[[], list[Prepared | None]]
_Item = TypeVar("_Item")
_PROGRAM = "classifier.score._parts"
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


if __name__ == "__main__":
    main()
