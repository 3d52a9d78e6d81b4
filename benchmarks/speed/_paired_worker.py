"""The process that `paired` asks: it is run by its path, with the package of one of both trees."""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

SENTENCE = "The president said that Russia had broken every promise it made to Ukraine."


def main() -> None:
    """Load the scorer that ships, and answer one line for each line that is asked."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    articles_file, runtime = sys.argv[1:]
    clock = Clock()
    import classifier

    steps = {"import": clock.lap()}
    scorer: Any = classifier.load(runtime=runtime)  # type: ignore[arg-type]
    steps["load"] = clock.lap()
    scorer.score(SENTENCE)
    steps["first call"] = clock.lap()
    say(answers, {"runtime": scorer.trained.model.runtime, "seconds": steps})
    with Path(articles_file).open(encoding="utf-8") as file:
        articles = [json.loads(line) for line in file]
    for line in sys.stdin:
        what, n = line.split()
        clock.lap()
        if what == "single":
            say(answers, {"seconds": single(scorer, int(n), clock)})
        else:
            n_mentions = len(scorer.score_articles(articles[: int(n)]))
            say(answers, {"seconds": clock.lap(), "mentions": n_mentions})


class Clock:
    """Seconds of this process's processors since the last lap."""

    def __init__(self) -> None:
        self.last = time.process_time()

    def lap(self) -> float:
        """Seconds since the last call."""
        before, self.last = self.last, time.process_time()
        return self.last - before


def single(scorer: Any, n: int, clock: Clock) -> float:  # noqa: ANN401
    """Median seconds of a call with one sentence; no sentence comes twice."""
    taken = []
    for i in range(n):
        scorer.score(SENTENCE.replace("every", f"every {i}"))
        taken.append(clock.lap())
    return sorted(taken)[n // 2]


def say(answers: Any, told: dict[str, Any]) -> None:  # noqa: ANN401
    """Answer, with the most memory held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    answers.write(json.dumps({**told, "peak_megabytes": round(peak)}) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
