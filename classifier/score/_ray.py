"""Scoring with Ray Data, on one machine or a cluster."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pandas as pd

from classifier.codebook import Codebook
from classifier.errors import ClassifierError, ModelError
from classifier.models import FoldedModel, Reader, RuntimeName, n_cores
from classifier.records import Article, Decider, Passage, Problem
from classifier.score._parts import Engine, Job, Part, find_each, judge_found, key_of, read_parts
from classifier.score._prepare import Found, Preparation
from classifier.score._scorer import Scorer, load


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
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
    here = {"num_cpus": n_cores(), "include_dashboard": False}
    where = {"address": address} if address else here
    try:
        ray.init(**where, logging_level=logging.ERROR, log_to_driver=False)
    except Exception as error:
        goal = f"reached at {address}" if address else "started here"
        raise ModelError(f"Ray could not be {goal}: {last_line(error)}") from error


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


def unwrapped(ray: Any, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """The rows; what stops Ray is one sentence with the error that did it."""
    try:
        yield from rows
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        words = f"{type(cause).__name__}: {cause}".partition("\n")[0] if cause else last_line(error)
        raise ModelError(f"Ray stopped: {words}") from error


def last_line(error: BaseException) -> str:
    """The last line of an error's message that holds anything."""
    return next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), "")


_Row: TypeAlias = pd.DataFrame
_COLUMN = "part"
_END = -1
"""Number of the batch that comes after the last part."""
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


def ray_engine(address: str | None = None, runtime: RuntimeName = "auto") -> Engine:
    """An engine for `score_to_file`: on the cluster at `address`, or on a Ray started here.

    Without an address, RAY_ADDRESS counts, which `ray job submit` sets. See `load` for `runtime`.
    """
    return partial(_judge_on_ray, address=address, runtime=runtime)


def _judge_on_ray(
    scorer: Scorer,
    job: Job,
    problems: list[Problem],
    *,
    address: str | None,
    runtime: RuntimeName,
) -> Iterator[Part]:
    run = _RunFiles.of(scorer, runtime)
    with connected(address) as ray:
        stages = _stages(ray, scorer.preparation, run, job)
        for row in unwrapped(ray, stages.iter_rows()):
            part, batch = row[_COLUMN]
            problems += batch.unread
            if batch.error is not None:
                raise batch.error
            if part is not None:
                yield part


def _stages(ray: Any, preparation: Preparation, run: "_RunFiles", job: Job) -> Any:  # noqa: ANN401
    """Read, find mentions, judge: a lazy Ray dataset with a row per part."""
    pool = plan_pool(ray.cluster_resources())
    read = ray.data.read_datasource(
        _source(ray, partial(_read, job)),
        num_cpus=0,
        override_num_blocks=1,
    )
    found = read.map_batches(
        partial(_find, _portable(preparation)),
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


@dataclass(frozen=True)
class _Batch:
    """A part on its way through the stages, each of which adds to it."""

    number: int
    key: str = ""
    n_articles: int = 0
    articles: Sequence[Article] = ()
    """Empty once mentions were found, and where the part was done before."""
    found: Sequence[Found] = ()
    failed: tuple[Problem, ...] = ()
    passages: Sequence[Passage] | None = None
    """None where the model is to make them itself."""
    unread: tuple[Problem, ...] = ()
    """What could not be read since the batch before."""
    error: ClassifierError | None = None
    """What ended the reading."""


def _read(job: Job) -> Iterator[_Row]:
    """A row per part; ends with one for what was wrong after the last part.

    An error of ours travels in it, since Ray would add words of its own to the message.
    """
    problems: list[Problem] = []
    error = None
    try:
        for number, articles in read_parts(job, problems):
            kept = [] if number in job.done else articles
            unread = tuple(problems)
            problems.clear()
            yield _row(_Batch(number, key_of(articles), len(articles), kept, unread=unread))
    except ClassifierError as raised:
        error = raised
    yield _row(_Batch(_END, unread=tuple(problems), error=error))


def _portable(preparation: Preparation) -> Preparation:
    """Without the whole model where that is what reads: then passages are made by the actors."""
    if isinstance(preparation.reader, Reader):
        return preparation
    return replace(preparation, reader=None)  # type: ignore[arg-type]


def _find(preparation: Preparation, row: _Row) -> _Row:
    batch: _Batch = row[_COLUMN].iloc[0]
    found, failed = find_each(preparation.find, batch.articles)
    passages = _passages(preparation, found)
    return _row(replace(batch, articles=(), found=found, failed=failed, passages=passages))


def _passages(preparation: Preparation, found: Sequence[Found]) -> Sequence[Passage] | None:
    """What the model reads; None if an actor has to see to it, and to which article fails."""
    if not isinstance(preparation.reader, Reader):
        return None
    try:
        return preparation.reader.encode(preparation.passages(found))
    except Exception:
        return None


class _Judge:
    """An actor: loads the run once, judges parts."""

    def __init__(self, run: Callable[[], "_RunFiles"]) -> None:
        self.place = TemporaryDirectory()
        self.scorer = run().load(Path(self.place.name))

    def __call__(self, row: _Row) -> _Row:
        batch: _Batch = row[_COLUMN].iloc[0]
        part = None if batch.number == _END else self.judge(batch)
        return _row((part, _Batch(batch.number, unread=batch.unread, error=batch.error)))

    def judge(self, batch: _Batch) -> Part:
        """The part, without a table where it was done before."""
        if not batch.found and not batch.failed:
            return Part(batch.number, batch.key, batch.n_articles, None)
        table, failed = judge_found(self.scorer, batch.found, batch.failed, batch.passages)
        runtime = self.scorer.trained.model.runtime
        return Part(batch.number, batch.key, batch.n_articles, table, failed, runtime)


def _row(content: object) -> _Row:
    """A block of one row that holds any Python object."""
    return pd.DataFrame({_COLUMN: [content]}, dtype=object)


@dataclass(frozen=True)
class _RunFiles:
    """A run folder as it travels."""

    name: str
    model_id: str
    has_folds: bool
    runtime: RuntimeName
    files: Mapping[str, bytes]
    scheme: str
    codebook: Codebook
    voice: Decider

    @classmethod
    def of(cls, scorer: Scorer, runtime: RuntimeName) -> "_RunFiles":
        """The files of a scorer that was loaded from a folder."""
        trained = scorer.trained
        if trained.folder is None:
            raise ModelError("Ray needs a scorer that was loaded from a run folder, got another")
        paths: Sequence[Path] = [path for path in trained.folder.rglob("*") if path.is_file()]
        return cls(
            trained.folder.resolve().name,
            trained.model_id,
            isinstance(trained.model, FoldedModel),
            runtime,
            {path.relative_to(trained.folder).as_posix(): path.read_bytes() for path in paths},
            trained.scheme,
            trained.codebook,
            "rules" if scorer.voices is None else "model",
        )

    def load(self, place: Path) -> Scorer:
        """The scorer, from a copy of the folder in `place`; its hashes are checked on the way."""
        folder = place / self.name
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        scorer = load(
            folder,
            folds=self.has_folds,
            runtime=self.runtime,
            scheme=self.scheme,
            codebook=self.codebook,
            voice=self.voice,
        )
        if scorer.trained.model_id != self.model_id:
            raise ModelError(f"the run folder of {self.model_id} changed while it was in use")
        return scorer
