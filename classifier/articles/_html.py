"""Web pages, read in a process of their own that is ended when a page takes too long."""

import importlib.util
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from classifier.errors import DataError

TIME_LIMIT = 20.0
"""Seconds for one page; the first also waits for the process to start."""
_START_LIMIT = 60.0


@dataclass
class PageReader:
    """A process that reads pages one after another; started at the first, and again if it dies."""

    time_limit: float = TIME_LIMIT
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _answers: "queue.Queue[str | None]" = field(default_factory=queue.Queue, init=False)

    def read(self, path: Path) -> dict[str, Any]:
        """Fields of the article on a page; raises `DataError` where there is none to be had."""
        limit = self.time_limit
        if self._process is None or self._process.poll() is not None:
            self._start()
            limit += _START_LIMIT
        try:
            self._ask(path)
            answer = self._answers.get(timeout=limit)
        except queue.Empty:
            self.close()
            raise DataError(f"a page must be readable in {limit:.0f} s, this one is not") from None
        if answer is None:
            self.close()
            raise DataError("the page ended the process that read it")
        result = json.loads(answer)
        if "error" in result:
            raise DataError(result["error"])
        values: dict[str, Any] = result["values"]
        return values

    def close(self) -> None:
        """End the process; the next page starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
        self._process = None

    def _ask(self, path: Path) -> None:
        stdin = self._process.stdin if self._process else None
        try:
            if stdin is not None:
                stdin.write(json.dumps(str(path.resolve())) + "\n")
                stdin.flush()
        except BrokenPipeError:
            self._answers.put(None)

    def _start(self) -> None:
        if importlib.util.find_spec("trafilatura") is None:
            raise DataError(
                "reading .html needs trafilatura: pip install 'stance-framing-classifier[html]'"
            )
        self.close()
        self._answers = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "classifier.articles._page"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        pipe = self._process.stdout
        threading.Thread(target=_pass_on, args=(pipe, self._answers), daemon=True).start()


def _pass_on(pipe: IO[str] | None, answers: "queue.Queue[str | None]") -> None:
    """Hand lines over as they come; None at the end."""
    try:
        for line in pipe or ():
            answers.put(line)
    except ValueError:  # the pipe was closed on our side
        pass
    answers.put(None)


@contextmanager
def page_reader(time_limit: float = TIME_LIMIT) -> Iterator[PageReader]:
    """A reader whose process ends with the block."""
    reader = PageReader(time_limit)
    try:
        yield reader
    finally:
        reader.close()
