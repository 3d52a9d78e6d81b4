"""Reading speed of two builds, side by side: each reads the sample's articles in turn.

    python benchmarks/reading/side_by_side.py OTHER [--rounds 7]

OTHER is a folder with another build of the project. Each round, each build reads all articles in a
process of its own that stays alive, one after the other, so that a busy machine slows both alike.
Processor time; prints one JSON object: seconds of each round, the fewest, and their ratio.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "annotations" / "sample" / "articles.jsonl"
WORKER = """
import sys, time
from dataclasses import replace
from classifier.articles import read_articles
from classifier.codebook import default_codebook
from classifier.mentions import find_mentions
articles = list(read_articles(sys.argv[1]).articles)
book = default_codebook()
for article in articles:
    find_mentions(article, book)
print("ready", flush=True)
for i, _ in enumerate(sys.stdin):
    # No build has seen these texts, so none has kept anything of them.
    fresh = [replace(a, text=a.text + "\\n" * (i + 1)) for a in articles]
    start = time.process_time()
    n = sum(len(find_mentions(article, book)) for article in fresh)
    print(time.process_time() - start, n, flush=True)
"""


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    builds = {"this": start(ROOT), "other": start(arguments.other)}
    seconds: dict[str, list[float]] = {name: [] for name in builds}
    mentions = {}
    for i in range(arguments.rounds):
        for name in list(builds) if i % 2 else list(builds)[::-1]:
            spent, found = ask(builds[name]).split()
            seconds[name].append(round(float(spent), 3))
            mentions[name] = int(found)
    for process in builds.values():
        process.communicate()
    fewest = {name: min(values) for name, values in seconds.items()}
    ratio = round(fewest["this"] / fewest["other"], 3)
    print(json.dumps({"seconds": seconds, "fewest": fewest, "ratio": ratio, "mentions": mentions}))


def start(folder: Path) -> "subprocess.Popen[str]":
    """A process that reads the articles with the build in that folder, once it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(SAMPLE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
        cwd=folder,
    )
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise SystemExit(f"the build in {folder} could not read the sample")
    return process


def ask(process: "subprocess.Popen[str]") -> str:
    """One round: seconds and mentions, as the process writes them."""
    if process.stdin is None or process.stdout is None:
        raise SystemExit("the process has no pipes")
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


if __name__ == "__main__":
    main()
