"""Memory and time as a corpus grows, and Ray beside the local engine.

    python -m benchmarks.speed scale [--articles 1000] [--times 20] [--model tiny]
    python -m benchmarks.speed scale --ray [--articles 8000]

Articles of 400 words are made from the sentences of the shipped sample, with a number in each, so
that no passage occurs twice. The model is one on the shipped base (`base`), on an encoder of the
same vocabulary but one layer (`tiny`: reading, finding and writing as before, little arithmetic) or
without one (`linear`), trained for a moment. Each measurement is a process of its own; memory is
the most that it and its children held together (RSS) after the model was loaded. A run on few
articles comes first, and its memory is told apart. Processor seconds
are given beside those of the clock, for a machine that is busy with other things. Ray is compared
by the articles per second after the first tenth, and with its start. Prints one JSON object.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil

from classifier.annotations import AnnotationSet, read_annotations
from classifier.files import write_json_lines
from classifier.models import TrainOptions, find_base
from classifier.score import load, local_engine, ray_engine, score_to_file
from classifier.text import split_sentences
from classifier.training import train

SAMPLE = Path(__file__).parents[2] / "annotations" / "sample"
WORDS = 400
LANGUAGES = ("en", "nl")
FEW = 50
"""Articles of the run that comes first."""
_FEW = 4
WARM = 0.1
"""Share of the articles whose time counts as starting up."""


def make_articles(n: int, seed: int) -> Iterator[dict[str, Any]]:
    """Articles in two languages: random sentences of the sample, seven to a paragraph."""
    rng = np.random.default_rng(seed)
    pools = {language: _sentences(language) for language in LANGUAGES}
    numbers = count(100_000)
    for i in range(n):
        language = LANGUAGES[i % len(LANGUAGES)]
        sentences: list[str] = []
        while sum(sentence.count(" ") + 1 for sentence in sentences) < WORDS:
            sentence = pools[language][rng.integers(len(pools[language]))]
            sentences.append(f"{next(numbers)} {sentence}")
        paragraphs = [" ".join(sentences[at : at + 7]) for at in range(0, len(sentences), 7)]
        text = "\n\n".join(paragraphs)
        yield {"article_id": f"a{i}", "source": "s", "language": language, "text": text}


def _sentences(language: str) -> list[str]:
    articles = [a for a in read_annotations(SAMPLE).articles if a.language == language]
    return [
        span.of(article.text).strip()
        for article in articles
        for span in split_sentences(article.text, language)
    ]


def make_run(kind: str, folder: Path) -> Path:
    """A run folder; how good its model is makes no difference here."""
    whole = read_annotations(SAMPLE)
    articles = tuple(a for a in whole.articles if a.language in LANGUAGES)[::4]
    ids = {article.article_id for article in articles}
    table = whole.table[whole.table["article_id"].isin(ids)]
    base = str(make_tiny_base(folder / "base")) if kind == "tiny" else ""
    model = "linear" if kind == "linear" else "encoder"
    options = TrainOptions(model=model, base_model=base, epochs=1, batch_size=16)  # type: ignore[arg-type]
    annotation_set = AnnotationSet(articles, table.reset_index(drop=True), whole.codebook)
    return train(annotation_set, options, folder / "run").path


def make_tiny_base(folder: Path) -> Path:
    """An encoder of one narrow layer with the tokenizer of the shipped base."""
    from transformers import AutoConfig, AutoModel

    shipped = find_base("").folder
    config = AutoConfig.from_pretrained(shipped)
    config.hidden_size, config.intermediate_size = 32, 64
    config.num_attention_heads, config.num_hidden_layers = 2, 1
    AutoModel.from_config(config).save_pretrained(folder)
    for path in shipped.glob("tokenizer*"):
        shutil.copy(path, folder)
    return folder


def measure(engine: str, run: Path, corpus: Path, out: Path) -> None:
    """Score, and print how many articles were done when; the process that is watched."""
    scorer = load(run)
    print(json.dumps({"loaded": True}), flush=True)
    started, computed = time.perf_counter(), sum(os.times()[:4])
    steps: list[tuple[float, int]] = []
    scored = score_to_file(
        scorer,
        corpus,
        out,
        engine=ray_engine() if engine == "ray" else local_engine(),
        progress=lambda done, *_: steps.append((time.perf_counter() - started, done)),
    )
    seconds = time.perf_counter() - started
    later = [step for step in steps if step[1] >= WARM * scored.n_articles]
    warm, last = later[0], later[-1]
    # Parts end two at a time: between a few of them lies no time that says anything.
    rate = (last[1] - warm[1]) / (last[0] - warm[0]) if len(later) > _FEW else None
    said = {
        "seconds": seconds,
        "processor_seconds": sum(os.times()[:4]) - computed,
        "articles_per_second": rate,
        "mentions": sum(scored.statuses.values()),
    }
    print(json.dumps(said))


def watched(engine: str, run: Path, corpus: Path, out: Path) -> dict[str, Any]:
    """What a process of `measure` says, and the most memory it held with its children."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.speed",
        "scale",
        "--measure",
        engine,
        *map(str, (run, corpus, out)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if process.stdout is None:
        raise SystemExit("the process has no output")
    process.stdout.readline()
    peak = 0
    while process.poll() is None:
        peak = max(peak, held_memory(process.pid))
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"the process failed with {process.returncode}")
    said = json.loads(process.stdout.read())
    return {**said, "peak_megabytes": round(peak / 1e6)}


def held_memory(pid: int) -> int:
    """Bytes in memory of a process and its children."""
    total = 0
    try:
        process = psutil.Process(pid)
        members = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for member in members:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def growth(given: argparse.Namespace, run: Path, folder: Path) -> dict[str, Any]:
    """A corpus, and one that is some times as large."""
    sizes = (given.articles, given.articles * given.times)
    results = []
    for size in (FEW, *sizes):
        corpus = folder / f"{size}.jsonl"
        write_json_lines(corpus, make_articles(size, given.seed))
        results.append(watched("local", run, corpus, folder / f"{size}.parquet"))
    first, small, large = results
    return {
        "articles": list(sizes),
        "runs": [small, large],
        "first_use_peak_megabytes": first["peak_megabytes"],
        "ratios": {
            "memory": large["peak_megabytes"] / small["peak_megabytes"],
            **{
                f"{clock}_to_articles": large[clock] / small[clock] / given.times
                for clock in ("seconds", "processor_seconds")
            },
        },
    }


def against_ray(given: argparse.Namespace, run: Path, folder: Path) -> dict[str, Any]:
    """The same corpus with both engines."""
    corpus = folder / "corpus.jsonl"
    write_json_lines(corpus, make_articles(given.articles, given.seed))
    engines = ("local", "ray")
    local, ray = (watched(engine, run, corpus, folder / f"{engine}.parquet") for engine in engines)
    rates = [run["articles_per_second"] for run in (ray, local)]
    same = (folder / "local.parquet").read_bytes() == (folder / "ray.parquet").read_bytes()
    return {
        "articles": given.articles,
        "runs": {"local": local, "ray": ray},
        "same_bytes": same,
        "ratios": {
            "ray_to_local": rates[0] / rates[1] if all(rates) else None,
            "ray_to_local_with_start": local["seconds"] / ray["seconds"],
        },
    }


def main() -> None:
    """Make articles and a model, measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--model", choices=["base", "tiny", "linear"], default="tiny")
    parser.add_argument("--run", type=Path, help="A run folder, instead of training one.")
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="Where the corpora are made; kept.")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        engine, *places = given.measure
        measure(engine, *map(Path, places))
        return
    with TemporaryDirectory() as spare:
        folder = given.folder or Path(spare)
        run = given.run or make_run(given.model, folder)
        result = (against_ray if given.ray else growth)(given, run, folder)
    cores = len(psutil.Process().cpu_affinity() or ())
    about = {"model": "a run" if given.run else given.model, "words": WORDS, "cores": cores}
    print(json.dumps({**result, **about}))
