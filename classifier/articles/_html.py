"""Web pages, read in a process of their own that is ended when a page takes too long."""

import json
import queue
import subprocess
import sys
import tempfile
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
    _errors: IO[bytes] | None = field(default=None, init=False)
    _cannot: str = field(default="", init=False)

    def read(self, path: Path) -> dict[str, Any]:
        """Fields of the article on a page; raises `DataError` where there is none to be had."""
        limit = self.time_limit
        if self._process is None or self._process.poll() is not None:
            self._start()
            limit += _START_LIMIT
        self._ask(path)
        answer = self._answer(limit, "a page must be readable")
        if answer is None:
            reason = self._last_words()
            self.close()
            raise DataError(f"the page ended the process that read it{reason}")
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
        if self._errors is not None:
            self._errors.close()
        self._process = self._errors = None

    def _answer(self, limit: float, required: str) -> str | None:
        """The next line of the process; None where it has ended."""
        try:
            return self._answers.get(timeout=limit)
        except queue.Empty:
            self.close()
            raise DataError(f"{required} in {limit:.0f} s, this one is not") from None

    def _ask(self, path: Path) -> None:
        stdin = self._process.stdin if self._process else None
        try:
            if stdin is not None:
                stdin.write(json.dumps(str(path.resolve())) + "\n")
                stdin.flush()
        except BrokenPipeError:
            self._answers.put(None)

    def _start(self) -> None:
        """Start the process; raises `DataError` with its reason where it cannot read pages."""
        if self._cannot:
            raise DataError(self._cannot)
        self.close()
        self._answers = queue.Queue()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "classifier.articles._page"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )
        pipe = self._process.stdout
        threading.Thread(target=_pass_on, args=(pipe, self._answers), daemon=True).start()
        ready = self._answer(_START_LIMIT, "a process that reads pages must start")
        reason = json.loads(ready).get("error") if ready else self._last_words()
        if reason or ready is None:
            self.close()
            self._cannot = (
                "reading .html needs trafilatura, which cannot be imported here"
                f"{reason or ''}: pip install 'stance-framing-classifier[html]'"
            )
            raise DataError(self._cannot)

    def _last_words(self) -> str:
        """The last line that the process wrote about itself, behind a colon."""
        if self._errors is None:
            return ""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f" ({said[-1][:300]})" if said else ""


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
