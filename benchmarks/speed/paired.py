"""This tree beside another one: start, single calls, batches, memory; all take turns in one run.

    git worktree add ../old COMMIT
    python -m benchmarks.speed paired --other ../old [--rounds 5] [--articles 256] [--large 2500]

Each tree runs with the scorer that ships in it. Seconds are those of the processor, on one thread,
so that it matters little what else the machine does. Articles are those of `scoring`. `cold` is
`classifier score` on five articles, a process of its own each time; `large` is the same on many,
for the peak of its memory (RSS). Prints one JSON object: per figure and tree the median, the
minimum and the maximum, and the ratio of the medians, other by this.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.speed._sides import make_articles
from classifier.articles import article_record
from classifier.files import write_json_lines
from classifier.score import load

WORKER = Path(__file__).with_name("_paired_worker.py")
HERE = Path(__file__).parents[2]
FEW = 5
Figures = dict[str, dict[str, list[float]]]


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--other", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--articles", type=int, default=256)
    parser.add_argument("--large", type=int, default=0)
    parser.add_argument("--singles", type=int, default=30)
    parser.add_argument("--runtime", default="torch", help="Of the other tree.")
    arguments = parser.parse_args()
    trees = {"other": arguments.other.resolve(), "this": HERE}
    figures: Figures = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        n = max(arguments.articles, arguments.large)
        records = [article_record(a) for a in make_articles(load(), n, 0)]
        for size in {FEW, arguments.articles, arguments.large, n} - {0}:
            write_json_lines(folder / f"{size}.jsonl", records[:size])
        ask_workers(trees, folder / f"{n}.jsonl", arguments, figures)
        for size, rounds in ((FEW, arguments.rounds), (arguments.large, 1)):
            for _ in range(rounds if size else 0):
                for tree, place in trees.items():
                    note(figures, tree, run_command(place, folder, size))
    print(json.dumps({name: summary(by_tree) for name, by_tree in figures.items()}, indent=2))


def ask_workers(
    trees: Mapping[str, Path], articles: Path, given: argparse.Namespace, figures: Figures
) -> None:
    """Singles and batches, in turns."""
    with ExitStack() as stack:
        workers = {
            tree: stack.enter_context(
                worker(place, articles, given.runtime if tree == "other" else "auto")
            )
            for tree, place in trees.items()
        }
        for tree, process in workers.items():
            told = answer(process)
            print(tree, told["runtime"], file=sys.stderr)
            note(figures, tree, {f"{k}, seconds": v for k, v in told["seconds"].items()})
        for _ in range(given.rounds):
            for what, n in (("single", given.singles), ("batch", given.articles)):
                for tree, process in workers.items():
                    note(figures, tree, asked(process, what, n))


@contextmanager
def worker(place: Path, articles: Path, runtime: str) -> Iterator[subprocess.Popen[str]]:
    """A process with the package of a tree; it ends with the block."""
    command = [sys.executable, str(WORKER), str(articles), runtime]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(place)
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def environment(place: Path) -> dict[str, str]:
    """Variables with which Python finds the package of a tree."""
    return {**os.environ, "PYTHONPATH": str(place), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What the process says next."""
    if process.stdout is None or not (line := process.stdout.readline()):
        raise SystemExit("a process ended without an answer; its error stands above")
    told: dict[str, Any] = json.loads(line)
    return told


def asked(process: "subprocess.Popen[str]", what: str, n: int) -> dict[str, float]:
    """The figures of one question."""
    if process.stdin is not None:
        process.stdin.write(f"{what} {n}\n")
        process.stdin.flush()
    told = answer(process)
    if what == "single":
        return {"one sentence, milliseconds": told["seconds"] * 1000}
    return {"mentions a second": told["mentions"] / told["seconds"]}


def run_command(place: Path, folder: Path, n: int) -> dict[str, float]:
    """Processor seconds and peak memory of `classifier score` on so many articles."""
    out = folder / "out.parquet"
    command = [sys.executable, "-m", "classifier", "score", str(folder / f"{n}.jsonl")]
    command += ["--out", str(out)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment(place), cwd=folder, **quiet)  # type: ignore[call-overload]
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} with {place} failed with {status}")
    out.unlink()
    return {
        f"classifier score, {n} articles, seconds": usage.ru_utime + usage.ru_stime,
        f"classifier score, {n} articles, peak megabytes": usage.ru_maxrss / 1000,
    }


def note(figures: Figures, tree: str, told: Mapping[str, float]) -> None:
    """Keep some figures of a tree."""
    for name, value in told.items():
        figures.setdefault(name, {}).setdefault(tree, []).append(value)


def summary(by_tree: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Median, minimum and maximum per tree, and the ratio."""
    medians = {tree: statistics.median(values) for tree, values in by_tree.items()}
    spread = {
        tree: [round(v, 3) for v in (medians[tree], min(values), max(values))]
        for tree, values in by_tree.items()
    }
    return {**spread, "other_by_this": round(medians["other"] / medians["this"], 3)}
