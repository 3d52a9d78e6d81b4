"""What commands take and print."""

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from classifier.paper import InPapers
from classifier.records import Estimate, Problem

if TYPE_CHECKING:
    from classifier.annotations import AnnotationSet

_ELSEWHERE = "Labels from elsewhere"
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace what is there, even if it took work.")
]
Voice = Annotated[
    Literal["rules", "model"],
    typer.Option(help="Who decides whose words a mention stands in: rules, or a labeller as well."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Another setting, as docs/api.md lists; may be repeated.",
    ),
]
CodebookFile = Annotated[Path | None, typer.Option(help="Your own codebook (TOML).")]
ArticlesPath = Annotated[
    Path,
    typer.Argument(
        help="Articles: a file or a folder; its metadata.csv (or .xlsx) names each article_id or "
        "file, and source, date, title. Publisher, outlet, newspaper, medium and domain are "
        "sources, too; published, published_at, publication_date and pubDate are dates; headline "
        "is a title."
    ),
]
SetFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Annotation set.")]
Adjudication = Annotated[
    str,
    typer.Option(
        metavar="RULE",
        help="How gold is made: majority, unanimous, annotator:NAME or priority:FIRST,SECOND. "
        "Curated labels go first under majority and unanimous; the other rules hear them only if "
        "named, as in priority:curated,anna.",
    ),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")]
NewRun = Annotated[Path, typer.Option(metavar="RUN", help="Run folder to write.")]

LabelMap = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="THEIRS=OURS",
        help="What a label means; * stands for any letters.",
        rich_help_panel=_ELSEWHERE,
    ),
]
AnswerField = Annotated[
    str | None,
    typer.Option(
        "--answer",
        metavar="FIELD",
        help="Field with a model's answer: JSON, fenced or not.",
        rich_help_panel=_ELSEWHERE,
    ),
]
ModelColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--models",
        metavar="COLUMN...",
        help="Models of a wide table: gpt,llama.",
        rich_help_panel=_ELSEWHERE,
    ),
]

SetAside = Annotated[
    bool,
    typer.Option(
        "--set-aside",
        help="Count labels that the codebook lacks instead of stopping.",
        rich_help_panel=_ELSEWHERE,
    ),
]
TableFile = Annotated[
    Path | None,
    typer.Option("--table", metavar="FILE", help="Also write it for a paper: .tex .md .xlsx .docx"),
]


MOST_PROBLEMS_SHOWN = 20
_EVERY, _MEASURED, _WORTH_SAYING = 60.0, 2.0, 20.0
"""Seconds: between two lines of progress, before a cost is believed, below which none is said."""
_THOUSAND, _ENOUGH = 1000, 30
"""Articles for which a cost is said where nobody knows how many there are; those that show it."""
_FILE_WIDTH = 200
"""Columns where the output is no terminal, so that tables in logs are not folded."""


@dataclass(frozen=True)
class Answer:
    """What a command has to say when it is done."""

    data: Mapping[str, Any]
    """Everything, for `--json`."""
    lines: Sequence[str | Table] = field(default_factory=tuple)
    """The same for people, briefly."""
    next_step: str = ""
    """What to do now, with the command for it."""
    failed: bool = False
    """Whether the command shall exit with 1 although it ran."""


def gold_set(folder: Path, rule: str) -> "AnnotationSet":
    """The annotation set in a folder, with gold made by this rule."""
    from classifier.annotations import read_annotations

    return replace(read_annotations(folder), adjudication=rule)


def gold_line(annotation_set: "AnnotationSet | None") -> list[str]:
    """Which rule made gold, and what it did; nothing where there is no gold."""
    from classifier.annotations import who_decided

    return [] if annotation_set is None else [who_decided(annotation_set)]


def show(answer: Answer, *, as_json: bool) -> None:
    """Print an answer to standard output; exits with 1 where it says so."""
    if as_json:
        sys.stdout.write(to_json(answer.data) + "\n")
    else:
        console = Console(highlight=False, markup=False)
        if not console.is_terminal:
            console = Console(highlight=False, markup=False, width=_FILE_WIDTH)
        for line in answer.lines:
            console.print(line, soft_wrap=isinstance(line, str))
        if answer.next_step:
            console.print(f"next: {answer.next_step}", soft_wrap=True)
    if answer.failed:
        raise SystemExit(1)


def to_json(data: object) -> str:
    """JSON without NaN: records become objects, paths strings, undefined numbers null."""
    return json.dumps(_plain(data), ensure_ascii=False, indent=2, allow_nan=False)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> Table:
    """A table for the terminal; None is shown as a dash, numbers stand right."""
    result = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for i, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[i], int | float | None) for row in rows)
        result.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        result.add_row(*(_cell(value) for value in row))
    return result


def problem_lines(problems: Sequence[Problem]) -> list[str | Table]:
    """Problems counted by reason, with the first of them in full."""
    if not problems:
        return []
    counts = Counter(problem.reason for problem in problems)
    lines: list[str | Table] = [table(["reason", "problems"], list(counts.items()))]
    for problem in problems[:MOST_PROBLEMS_SHOWN]:
        remedy = f" ({problem.remedy})" if problem.remedy else ""
        lines.append(f"{problem.where}: {problem.detail}{remedy}")
    rest = len(problems) - MOST_PROBLEMS_SHOWN
    if rest > 0:
        lines.append(f"... and {rest} more; --json lists them all")
    return lines


def note(line: str) -> None:
    """One plain line about progress, to standard error so that `--json` stays one object."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[Callable[[int, int, str], None]]:
    """A function to call with steps done, steps in all and a word on how it goes.

    The first steps measure what the work costs on this machine, which is said before the rest. Then
    a bar with the time left on a terminal, a plain line a minute elsewhere; all of it on standard
    error, so that `--json` stays one object.
    """
    console = Console(stderr=True, highlight=False)
    if quiet:
        yield lambda _done, _total, _word: None
    elif console.is_terminal:
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, TextColumn("{task.fields[word]}"), console=console) as bar:
            task, pace = bar.add_task(title, total=None, word=""), Pace(title)

            def tell(done: int, total: int, word: str) -> None:
                cost = pace.cost(done, total)
                if cost:
                    bar.console.print(cost)
                said = word if total else ", ".join(filter(None, (word, pace.speed(done))))
                bar.update(task, completed=done, total=total or None, word=said)

            yield tell
    else:
        yield _plain_progress(Pace(title))


class Pace:
    """How fast some work goes: what it costs, and how long it still takes."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the clock; a test brings its own."""
        self._title, self._clock = title, clock
        self._begun, self._first, self._done, self._told = clock(), 0, 0, False
        self._latest: float | None = None

    def cost(self, done: int, total: int) -> str:
        """What all of it costs, once the first steps were measured; empty before and after.

        Where nobody knows how much there is (`total` is 0), what a thousand articles cost.
        """
        if done < self._done:  # another part of the work begins anew
            self._begun, self._first, self._told, self._latest = self._clock(), done, False, None
        self._done = done
        spent = self._clock() - self._begun
        if self._told or done <= self._first or spent < _MEASURED:
            return ""
        if not total and done < _ENOUGH:
            return ""
        self._told = True
        whole = spent / (done - self._first) * (total or _THOUSAND)
        if whole < _WORTH_SAYING:
            return ""
        measured = f"{done} of {total}" if total else f"{done}"
        what = "" if total else f" per {_THOUSAND:,} articles"
        return f"{self._title}: {about(whole)}{what} on this machine, by the first {measured}"

    def speed(self, done: int) -> str:
        """Articles a minute so far; empty until that was measured."""
        spent = self._clock() - self._begun
        if done <= self._first or spent < _MEASURED:
            return ""
        return f"{(done - self._first) / spent * 60:,.0f} articles a minute"

    def line(self, done: int, total: int, word: str) -> str:
        """How it goes, the first and last time and once a minute between; else empty."""
        now, is_last = self._clock(), bool(total) and done >= total
        is_due = self._latest is None or now - self._latest >= _EVERY
        if not (is_due or is_last):
            return ""
        self._latest = now
        if not total:
            parts = [f"{done:,} articles", word, self.speed(done)]
            return f"{self._title}: " + ", ".join(part for part in parts if part)
        left = ""
        if done > self._first and not is_last:
            each = (now - self._begun) / (done - self._first)
            left = f"; {about(each * (total - done))} left"
        return f"{self._title}: {done} of {total} {word}".rstrip() + left


def about(seconds: float) -> str:
    """A time as people say it.

    >>> about(20), about(95), about(240), about(9000)
    ('about 20 seconds', 'about 2 minutes', 'about 4 minutes', 'about 2.5 hours')
    """
    if seconds < 90:
        return f"about {max(1, round(seconds))} seconds"
    if seconds < 5400:
        return f"about {round(seconds / 60)} minutes"
    return f"about {seconds / 3600:.1f} hours"


def _plain_progress(pace: Pace) -> Callable[[int, int, str], None]:
    def tell(done: int, total: int, word: str) -> None:
        for line in (pace.cost(done, total), pace.line(done, total, word)):
            if line:
                note(line)

    return tell


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, Estimate):
        return _figure(value)
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def _figure(estimate: Estimate) -> str:
    """The value with its interval where there is one; else the value, or why there is none."""
    if estimate.value is not None and estimate.low is None:
        return f"{estimate.value:.3f}"
    return str(estimate)


def _plain(value: object) -> object:
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        items = [_plain(item) for item in value]
        return sorted(items, key=str) if isinstance(value, frozenset | set) else items
    return _plain_scalar(value)


def _plain_scalar(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def parsed(pairs: list[str] | None) -> dict[str, str]:
    """The pairs of `--map`."""
    from classifier.labels import parse_mapping

    return parse_mapping(pairs or [])


def listed(names: list[str] | None) -> tuple[str, ...]:
    """Names from an option that may be repeated and may have commas."""
    return tuple(name.strip() for part in names or [] for name in part.split(",") if name.strip())


def settings(pairs: list[str] | None, defaults: object) -> dict[str, Any]:
    """The pairs of `--set`, each value of the type that the setting has by default.

    >>> from classifier.models import TrainOptions
    >>> settings(["batch_size=8", "adapter=merged"], TrainOptions())
    {'batch_size': 8, 'adapter': 'merged'}
    """
    known: dict[str, type[Any]] = {
        name: type(value)
        for name, value in vars(defaults).items()
        if isinstance(value, bool | int | float | str)
    }
    found: dict[str, Any] = {}
    for pair in pairs or []:
        name, _, value = pair.partition("=")
        if name not in known or not value:
            raise typer.BadParameter(
                f"--set NAME=VALUE was required, with one of {', '.join(known)}; got {pair!r}"
            )
        found[name] = _of_kind(name, value, known[name])
    return found


def _of_kind(name: str, value: str, kind: type[Any]) -> object:
    try:
        return {"true": True, "false": False}[value.lower()] if kind is bool else kind(value)
    except (KeyError, ValueError):
        wanted = {bool: "true or false", int: "a whole number"}.get(kind, "a number")
        raise typer.BadParameter(f"--set {name} needs {wanted}, got {value!r}") from None


def write_table(result: InPapers, path: Path | None) -> list[str | Table]:
    """Write a result's table for a paper where it is asked for, and say so."""
    if path is None:
        return []
    result.paper_table().write(path)
    return [f"the table is in {path}"]
