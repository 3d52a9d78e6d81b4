"""Judge a corpus with Ray Data: on this machine, or on all machines of a cluster.

Articles are read, and the result is written, on the machine of the calling process; the others need
neither its disk nor the run folder, which travels through Ray's object store.
"""

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pandas as pd

from classifier.codebook import Codebook
from classifier.errors import ClassifierError, ModelError
from classifier.mentions import find_mentions
from classifier.models.folds import FoldedModel
from classifier.records import Article, Problem
from classifier.score.load import load
from classifier.score.parts import (
    Engine,
    Found,
    Job,
    Part,
    find_each,
    judge_found,
    key_of,
    read_parts,
)
from classifier.score.scorer import Scorer, with_language

_Row: TypeAlias = pd.DataFrame
_COLUMN = "part"
_END = -1
"""Number of the row that holds what the reader found wrong after the last part."""
_ACTOR_MEMORY = 1.5e9
"""Bytes that a process with torch and a small encoder needs."""


@dataclass(frozen=True)
class Pool:
    """What to ask of Ray."""

    n_actors: int
    actor_cpus: float
    actor_gpus: float
    finder_cpus: float
    """Per task that finds mentions."""


def plan_pool(resources: Mapping[str, float]) -> Pool:
    """An actor per GPU; without any, one per processor, as far as the memory goes.

    Finding mentions takes about a sixth of the time of a processor that also encodes, so that is
    what it leaves an actor of.

    >>> plan_pool({"CPU": 16, "GPU": 2, "memory": 64e9}).n_actors
    2
    >>> plan_pool({"CPU": 16, "memory": 6e9}).n_actors
    4
    """
    if n_gpus := int(resources.get("GPU", 0)):
        return Pool(n_gpus, actor_cpus=0.5, actor_gpus=1.0, finder_cpus=0.5)
    n_cpus = int(resources.get("CPU", 1))
    fitting = int(resources.get("memory", n_cpus * _ACTOR_MEMORY) / _ACTOR_MEMORY)
    return Pool(max(1, min(n_cpus, fitting)), actor_cpus=0.8, actor_gpus=0.0, finder_cpus=0.2)


def ray_engine(address: str | None = None) -> Engine:
    """An engine for `score_to_file`: on the cluster at `address`, or on a Ray started here.

    Without an address, RAY_ADDRESS counts, which `ray job submit` sets.
    """
    return partial(_judge_on_ray, address=address)


def _judge_on_ray(
    scorer: Scorer, job: Job, problems: list[Problem], *, address: str | None
) -> Iterator[Part]:
    run = _RunFiles.of(scorer)
    with _connected(address) as ray:
        stages = _stages(ray, scorer.targets, run, job)
        for row in _unwrapped(ray, stages.iter_rows()):
            part, unread = row[_COLUMN]
            problems += unread
            if part is not None:
                yield part


def _stages(ray: Any, targets: Codebook, run: "_RunFiles", job: Job) -> Any:  # noqa: ANN401
    """Read, find mentions, judge: a lazy Ray dataset with a row per part."""
    pool = plan_pool(ray.cluster_resources())
    read = ray.data.read_datasource(
        _source(ray, partial(_read, job)),
        num_cpus=0,
        override_num_blocks=1,
    )
    found = read.map_batches(
        partial(_find, targets),
        batch_size=1,
        batch_format="pandas",
        num_cpus=pool.finder_cpus,
    )
    return found.map_batches(
        _Judge,
        fn_constructor_args=(partial(ray.get, ray.put(run)),),
        batch_size=1,
        batch_format="pandas",
        compute=ray.data.ActorPoolStrategy(size=pool.n_actors),
        num_cpus=pool.actor_cpus,
        num_gpus=pool.actor_gpus or None,
    )


def _source(ray: Any, read: Callable[[], Iterator[Any]]) -> Any:  # noqa: ANN401
    """A source of one stream, which no other process reads a share of."""
    unknown = ray.data.block.BlockMetadata(
        num_rows=None, size_bytes=None, input_files=None, exec_stats=None
    )

    class Source(ray.data.Datasource):  # type: ignore[misc]
        supports_distributed_reads = False
        """So that Ray reads on the machine of the calling process."""

        def get_read_tasks(self, *_: object, **__: object) -> list[Any]:
            return [ray.data.ReadTask(read, unknown)]

        def estimate_inmemory_data_size(self) -> None:
            return None

    return Source()


def _read(job: Job) -> Iterator[_Row]:
    """One row each: number, key, articles, and what could not be read since the last."""
    problems: list[Problem] = []
    for number, articles in read_parts(job, problems):
        kept = [] if number in job.done else articles
        content = (number, key_of(articles), len(articles), kept, tuple(problems))
        yield _row(content)
        problems.clear()
    yield _row((_END, "", 0, [], tuple(problems)))


def _find(targets: Codebook, row: _Row) -> _Row:
    number, key, n_articles, articles, unread = row[_COLUMN].iloc[0]

    def find(article: Article) -> Found:
        article = with_language(article)
        return article, find_mentions(article, targets)

    return _row((number, key, n_articles, *find_each(find, articles), unread))


class _Judge:
    """An actor: loads the run once, judges parts."""

    def __init__(self, run: Callable[[], "_RunFiles"]) -> None:
        self.place = TemporaryDirectory()
        self.scorer = run().load(Path(self.place.name))

    def __call__(self, row: _Row) -> _Row:
        number, key, n_articles, found, failed, unread = row[_COLUMN].iloc[0]
        if number == _END:
            return _row((None, unread))
        if not found and not failed:
            return _row((Part(number, key, n_articles, None), unread))
        table, failed = judge_found(self.scorer, found, failed)
        return _row((Part(number, key, n_articles, table, failed), unread))


def _row(content: object) -> _Row:
    """A block of one row that holds any Python object."""
    return pd.DataFrame({_COLUMN: [content]}, dtype=object)


@dataclass(frozen=True)
class _RunFiles:
    """A run folder as it travels."""

    name: str
    model_id: str
    has_folds: bool
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, scorer: Scorer) -> "_RunFiles":
        """The files of a scorer that was loaded from a folder."""
        trained = scorer.trained
        if trained.folder is None:
            raise ModelError("Ray needs a scorer that was loaded from a run folder, got another")
        paths: Sequence[Path] = [path for path in trained.folder.rglob("*") if path.is_file()]
        return cls(
            trained.folder.resolve().name,
            trained.model_id,
            isinstance(trained.model, FoldedModel),
            {path.relative_to(trained.folder).as_posix(): path.read_bytes() for path in paths},
        )

    def load(self, place: Path) -> Scorer:
        """The scorer, from a copy of the folder in `place`; its hashes are checked on the way."""
        folder = place / self.name
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        scorer = load(folder, folds=self.has_folds)
        if scorer.trained.model_id != self.model_id:
            raise ModelError(f"the run folder of {self.model_id} changed while it was in use")
        return scorer


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """Ray as it is connected already, or else to the address, or else to a new one here."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise ModelError(
            "the engine ray needs Ray: pip install 'stance-framing-classifier[ray]'"
        ) from None
    was_connected = ray.is_initialized()
    if not was_connected:
        _connect(ray, address or os.environ.get("RAY_ADDRESS"))
    try:
        with _quiet(ray):
            yield ray
    finally:
        if not was_connected:
            ray.shutdown()


def _connect(ray: Any, address: str | None) -> None:  # noqa: ANN401
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")
    here = {"num_cpus": _n_cpus(), "include_dashboard": False}
    where = {"address": address} if address else here
    try:
        ray.init(**where, logging_level=logging.ERROR, log_to_driver=False)
    except Exception as error:
        goal = f"reached at {address}" if address else "started here"
        raise ModelError(f"Ray could not be {goal}: {_last_line(error)}") from error


@contextmanager
def _quiet(ray: Any) -> Iterator[None]:  # noqa: ANN401
    """Keep each part a block of its own, and Ray's reports off the terminal."""
    log = logging.getLogger("ray.data")
    level = log.level
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.target_max_block_size = 1
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), ray.data.DataContext.current(context):
            warnings.filterwarnings("ignore", "The minimum number of concurrent actors")
            yield
    finally:
        log.setLevel(level)


def _n_cpus() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _unwrapped(ray: Any, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """The rows, or our own error where one was raised in another process."""
    try:
        yield from rows
    except ray.exceptions.RayError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ClassifierError):
            cause = getattr(cause, "cause", None) or cause.__cause__
        if cause is None:
            raise ModelError(f"Ray stopped: {_last_line(error)}") from error
        raise cause from None


def _last_line(error: BaseException) -> str:
    return next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), "")
