"""Scoring throughput: ours, a pass per mention as in `transformers.pipeline`, and the bare encoder.

    python -m benchmarks.speed scoring --articles 2048 --peer-articles 24 --rounds 3

Articles are those of the annotated sample, cut after the sentence with the sixth mention, with a
number in every sentence, so that no passage occurs twice. Both sides read the same windows; the
pipeline gets them, and the mentions, for nothing, and answers one question where ours answers all
of the codebook's. Heads are random: what is measured does not depend on what the model has learnt.
What ours is compared with a peer is measured on the few articles that the peer can
read in time; from text to Parquet it takes many, since parts of a corpus are judged side by side.
All sides take turns, so that whatever else the machine does hits them alike. On a busy machine,
OMP_NUM_THREADS=1 with `--clock processor --readers 0` counts the time of one processor instead of
that on the wall. The last line is one JSON object; `ratios` are medians over the rounds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.speed._sides import make_articles, make_peer, make_run
from classifier.articles import article_record
from classifier.files import write_json_lines
from classifier.models._bases import MINILM
from classifier.models._protocol import Precision
from classifier.models.encoder._plain import BATCH_TOKENS
from classifier.models.encoder._tokens import length_batches
from classifier.models.runtime._torch import n_threads
from classifier.records import Article
from classifier.score import Scorer, load, local_engine, score_to_file
from classifier.score._scorer import BATCH_ARTICLES
from classifier.text import split_sentences

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
PRECISIONS: tuple[Precision, ...] = ("auto", "bfloat16", "float32")


@dataclass(frozen=True)
class Side:
    """A scorer with the articles it is to score."""

    scorer: Scorer
    articles: Sequence[Article]

    @cached_property
    def found(self) -> list[Any]:
        """The articles with their mentions."""
        return [self.scorer.find(article) for article in self.articles]

    @cached_property
    def n_mentions(self) -> int:
        """How many there are."""
        return sum(len(mentions) for _, mentions in self.found)

    @cached_property
    def batches(self) -> list[list[tuple[int, ...]]]:
        """The token ids of a run over these articles, batch by batch."""
        model: Any = self.scorer.trained.model
        batches = []
        for at in range(0, len(self.found), BATCH_ARTICLES):
            passages = self.scorer.preparation.passages(self.found[at : at + BATCH_ARTICLES])
            encoded = list(dict.fromkeys(model.reader.encoded(passages)))
            parts = length_batches([len(e) for e in encoded], BATCH_TOKENS)
            batches += [[encoded[i].token_ids for i in members] for members in parts]
        return batches

    @property
    def n_tokens(self) -> int:
        """Tokens in all batches."""
        return sum(len(ids) for batch in self.batches for ids in batch)

    def judge(self) -> None:
        """From mentions to rows."""
        self.scorer.judge(self.found)

    def run_encoder(self) -> None:
        """The encoder alone, over batches that are ready."""
        encoder = self.scorer.trained.model.encoder  # type: ignore[attr-defined]
        for _ in encoder.side_by_side(encoder, self.batches):
            pass

    def find(self) -> None:
        """Mentions, voice and sentences."""
        for article in self.articles:
            self.scorer.find(article)
            split_sentences(article.text, article.language)

    def score(self, folder: Path, n_readers: int | None) -> None:
        """From a file of texts to a Parquet file."""
        engine = local_engine(n_readers)
        score_to_file(
            self.scorer,
            folder / "articles.jsonl",
            folder / "out.parquet",
            engine=engine,
            force=True,
        )


CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def timed(work: Callable[[], None], clock: Callable[[], float]) -> float:
    """Seconds that it takes."""
    started = clock()
    work()
    return clock() - started


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", default=MINILM)
    parser.add_argument("--articles", type=int, default=2048)
    parser.add_argument("--peer-articles", type=int, default=96)
    parser.add_argument("--words", type=int, default=0, help="Length of the articles; 0: as is.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--readers", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        print(json.dumps(measure(arguments, Path(folder)), indent=2))


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Figures of all sides."""
    scorers = {
        precision: load(make_run(folder / precision, arguments.base, precision))
        for precision in PRECISIONS
    }
    best = scorers["auto"]
    articles = make_articles(best, arguments.articles, arguments.words)
    write_json_lines(folder / "articles.jsonl", map(article_record, articles))
    few = {
        key: Side(scorer, articles[: arguments.peer_articles]) for key, scorer in scorers.items()
    }
    for side in few.values():
        side.judge()
    whole, part = Side(best, articles), few["auto"]
    peer = partial(make_peer, part.scorer, part.found, arguments.base)
    work: dict[str, Callable[[], None]] = {
        **{f"peer {name}": peer(dtype) for name, dtype in DTYPES.items()},
        **{f"judge {precision}": side.judge for precision, side in few.items()},
        **{f"encoder {precision}": side.run_encoder for precision, side in few.items()},
        "whole encoder": whole.run_encoder,
        **{f"score readers={n}": partial(whole.score, folder, n) for n in arguments.readers},
        "find": whole.find,
    }
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(arguments.rounds):
        for name, run in work.items():
            seconds[name].append(timed(run, CLOCKS[arguments.clock]))
    return report(arguments, whole, part, seconds)


def report(
    arguments: argparse.Namespace, whole: Side, part: Side, seconds: dict[str, list[float]]
) -> dict[str, Any]:
    """What the seconds come to."""

    def ratio(slow: str, fast: str) -> float:
        pairs = zip(seconds[slow], seconds[fast], strict=True)
        return round(statistics.median(a / b for a, b in pairs), 3)

    median = {name: statistics.median(values) for name, values in seconds.items()}
    ways = [name for name in median if name.startswith("score")]
    ratios = {
        "pipeline_float32_to_ours": ratio("peer float32", "judge auto"),
        "same_precision_float32": ratio("peer float32", "judge float32"),
        "same_precision_bfloat16": ratio("peer bfloat16", "judge bfloat16"),
        "end_to_end_to_encoder": {way: ratio("whole encoder", way) for way in ways},
        "finding_of_wall_time": {way: ratio("find", way) for way in ways},
    }
    tokens, mentions = whole.n_tokens, whole.n_mentions
    sides = {name: whole if name in ("find", "whole encoder", *ways) else part for name in median}
    return {
        "base": arguments.base,
        "runtime": whole.scorer.trained.model.runtime,
        "threads": n_threads(),
        "clock": arguments.clock,
        "articles": len(whole.articles),
        "words_per_article": float(np.mean([len(a.text.split()) for a in whole.articles])),
        "mentions_per_article": mentions / len(whole.articles),
        "tokens_per_article": tokens / len(whole.articles),
        "mentions_per_second": {
            name: round(sides[name].n_mentions / value) for name, value in median.items()
        },
        "encoder_tokens_per_second": {
            name: round(sides[name].n_tokens / value)
            for name, value in median.items()
            if "encoder" in name
        },
        "seconds": {name: [round(v, 2) for v in values] for name, values in seconds.items()},
        "ratios": ratios,
    }
