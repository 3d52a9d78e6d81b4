"""Finds mentions and makes passages ready, in a process of its own beside the encoder.

Started as `python -m classifier.score.reading_process` by `score.pipelined`, whose end of the pipe
it does not outlive. It reads pickles from standard input, first how to prepare articles and then
lots of articles, and answers each in order.
"""

import os
import pickle
import signal
import sys
import threading
from queue import SimpleQueue
from typing import IO, Any

from classifier.score.lots import prepared, receive, send
from classifier.score.preparing import Preparation


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
