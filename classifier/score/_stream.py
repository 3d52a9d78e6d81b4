"""Score a corpus of any size: constant memory, and after a kill it goes on where it was."""

import errno
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from classifier.errors import DataError, ModelError, in_words
from classifier.files import prepare_folder, refuse_to_replace, replacing
from classifier.models import Progress
from classifier.notebook_html import frame_html, reasons
from classifier.predictions import check_name, prediction_schema, write_json_rows
from classifier.records import Problem, counted
from classifier.score._parts import Engine, Job, Part, judge_locally
from classifier.score._prepare import refusal_problems, warning_problems
from classifier.score._scorer import BATCH_ARTICLES, Scorer

_MANIFEST = "manifest.json"
_KEY, _FAILED, _RUNTIME = b"classifier", b"failed", b"runtime"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Scored:
    """What became of a corpus."""

    path: Path
    n_articles: int
    n_with_mentions: int
    statuses: Mapping[str, int]
    """Mentions by status; those with "ok" were scored."""
    problems: tuple[Problem, ...]
    """Files and rows that could not be read, articles that failed, languages read badly."""

    def to_frame(self) -> pd.DataFrame:
        """One row per status; the mentions themselves are in the file, for `read_predictions`."""
        return pd.DataFrame(list(self.statuses.items()), columns=["status", "mentions"])

    def __repr__(self) -> str:
        """How much was scored and where it is."""
        return (
            f"Scored: {counted(sum(self.statuses.values()), 'mention')} in {self.n_with_mentions} "
            f"of {counted(self.n_articles, 'article')}, {reasons(self.problems)}; in {self.path}"
        )

    def _repr_html_(self) -> str:
        return frame_html(self.to_frame(), repr(self))


def score_to_file(  # noqa: PLR0913 - one for each choice of a user
    scorer: Scorer,
    path: Path | str,
    out: Path | str,
    *,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    engine: Engine = judge_locally,
) -> Scored:
    """Score the articles at `path` part by part into one file, Parquet or .jsonl.

    Parts lie in a hidden folder beside `out` until all are there; `resume` keeps those that an
    interrupted run finished. The result is the same bytes either way, and with any engine.

    Raises:
        DataError: `out` is neither, no article at `path`, no space to write, or the corpus changed
            since the interrupted run.
        ModelError: the interrupted run used another model, or computed it with something else.
        ReplaceError: `out` is there, or an interrupted run is, and `force` is not set.
    """
    path, out = Path(path), Path(out)
    check_name(out)
    parts = out.with_name(f".{out.name}.parts")
    if not (resume and (parts / _MANIFEST).is_file()):
        refuse_to_replace(out, force=force, rows="predictions")
    problems: list[Problem] = []
    tally = _Tally()
    with _room_for(out):
        wish = {
            "model_id": scorer.trained.model_id,
            "path": str(path.resolve()),
            "batch_articles": BATCH_ARTICLES,
            **({} if scorer.voices is None else {"voice": "model"}),
        }
        prepare_folder(parts / _MANIFEST, wish, resume=resume, force=force)
        done = frozenset(int(file.stem) for file in _finished(parts))
        known = [pq.read_schema(file).metadata or {} for file in _finished(parts)]
        runtimes = {metadata.get(_RUNTIME) for metadata in known}
        try:
            for part in engine(scorer, Job(path, BATCH_ARTICLES, done), problems):
                tally.add(part, *_kept(parts / f"{part.number:08d}.parquet", part, runtimes))
                if progress is not None:
                    progress(tally.n_articles, 0, f"{tally.statuses.total()} mentions")
        except DataError:
            if not any(_finished(parts)):
                shutil.rmtree(parts)
            raise
        if done - tally.failed.keys():
            raise _changed(min(done - tally.failed.keys()))
        _join(parts, out, scorer)
        shutil.rmtree(parts)
    problems += refusal_problems(tally.statuses, scorer.languages)
    problems += tally.problems()
    return Scored(out, tally.n_articles, tally.n_with_mentions, tally.statuses, tuple(problems))


@dataclass
class _Tally:
    """What the parts that are done come to."""

    n_articles: int = 0
    n_with_mentions: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[Problem]] = field(default_factory=dict)
    """Articles that failed, by the number of their part."""

    def add(self, part: Part, table: pa.Table, failed: list[Problem]) -> None:
        """Count one more part."""
        self.n_articles += part.n_articles
        self.n_with_mentions += len(table["article_id"].unique())
        self.statuses.update(table["status"].to_pylist())
        self.warnings.update(table["warning"].drop_null().to_pylist())
        self.failed[part.number] = failed

    def problems(self) -> list[Problem]:
        """What failed, in the order of the parts, and what was read badly."""
        failed = [problem for number in sorted(self.failed) for problem in self.failed[number]]
        return [*failed, *warning_problems(self.warnings)]


@contextmanager
def _room_for(out: Path) -> Iterator[None]:
    """Say what to do where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DataError(
            f"{error.filename or out} could not be written ({in_words(error)}); "
            "make room and run it again with --resume"
        ) from error


def _check_runtime(part: Part, runtimes: set[bytes | None]) -> None:
    """Refuse a part that was not computed as those of the interrupted run were, if any."""
    if runtimes and part.runtime.encode() not in runtimes:
        before = ", ".join(sorted((name or b"something else").decode() for name in runtimes))
        raise ModelError(
            f"resuming needs what the interrupted run computed with, {before}; this run computes "
            f"with {part.runtime}: choose the same --runtime, or run it again without resuming"
        )


def _kept(path: Path, part: Part, runtimes: set[bytes | None]) -> tuple[pa.Table, list[Problem]]:
    """The part's rows and failures, from the disk if they are there, or else written to it.

    `runtimes` judged what an interrupted run left on the disk.
    """
    if part.table is None:
        table = pq.read_table(path)
        known = table.schema.metadata or {}
        if known.get(_KEY) != part.key.encode():
            raise _changed(part.number)
        return table, [Problem(**fields) for fields in json.loads(known.get(_FAILED, b"[]"))]
    _check_runtime(part, runtimes)
    failed = json.dumps([asdict(problem) for problem in part.problems])
    metadata = {_KEY: part.key, _FAILED: failed, _RUNTIME: part.runtime}
    table = part.table.replace_schema_metadata(metadata)
    with replacing(path) as draft:
        pq.write_table(table, draft)
    return table, list(part.problems)


def _changed(number: int) -> DataError:
    return DataError(
        f"the articles are not those of the interrupted run (part {number}); "
        "run it again without resuming"
    )


def _join(parts: Path, out: Path, scorer: Scorer) -> None:
    schema = prediction_schema(scorer.variables)
    tables = (pq.read_table(path).replace_schema_metadata() for path in sorted(_finished(parts)))
    joined = parts / f"joined{out.suffix}"
    if out.suffix == ".jsonl":
        write_json_rows(joined, tables)
    else:
        with pq.ParquetWriter(joined, schema) as writer:
            for table in tables:
                writer.write_table(table)
    joined.replace(out)


def _finished(parts: Path) -> Iterator[Path]:
    return (path for path in parts.glob("*.parquet") if path.stem.isdigit())
