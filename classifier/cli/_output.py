"""What commands take and print."""

import json
import math
import shlex
import sys
import time
from collections import Counter, deque
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

from classifier.errors import shortened
from classifier.paper import InPapers
from classifier.records import Estimate, Problem

if TYPE_CHECKING:
    from classifier.annotations import AnnotationSet
    from classifier.codebook import Codebook

_ELSEWHERE = "Labels from elsewhere"


def ends_in(*endings: str) -> Callable[[Path | None], Path | None]:
    """A check of an option's file name, made before any work."""

    def checked(path: Path | None) -> Path | None:
        if path is not None and path.suffix.lower() not in endings:
            got = path.suffix or "no ending"
            raise typer.BadParameter(f"a name in {', '.join(endings)} was required, got {got}")
        return path

    return checked


def new_file(*endings: str) -> Callable[[Path | None], Path | None]:
    """As `ends_in`, of a file that must not be there: the command has no `--force`."""

    def checked(path: Path | None) -> Path | None:
        if path is not None and path.is_file() and path.stat().st_size:
            raise typer.BadParameter(
                f"the name of a new file was required, {path} is there: name another one, or "
                "remove it first"
            )
        return ends_in(*endings)(path)

    return checked


def free_place(out: Path | None, *, force: bool, resume: bool = False, rows: str = "lines") -> None:
    """Refuse a place that holds work, before any other is done."""
    from classifier.files import refuse_to_replace

    if out is not None and not resume:
        refuse_to_replace(out, force=force, rows=rows)


SELDOM, WRITTEN = "Seldom needed", "What is written"
"""Headings of the help, so that the options of most runs stand first."""
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel=WRITTEN)
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Replace what is there, even if it took work.", rich_help_panel=WRITTEN
    ),
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
        rich_help_panel=SELDOM,
    ),
]
CodebookFile = Annotated[
    Path | None,
    typer.Option(help="Your own codebook: TOML, or .qdc.", rich_help_panel=SELDOM),
]
ArticlesPath = Annotated[
    Path,
    typer.Argument(
        help="Articles: a file or a folder; its metadata.csv (or .xlsx) names each article_id or "
        "file, and source, date, title. Publisher, outlet, newspaper, medium and domain are "
        "sources, too; published, published_at, publication_date and pubDate are dates; headline "
        "is a title; lang and language_code are languages."
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
        rich_help_panel=SELDOM,
    ),
]


def shipped_or(run: Path) -> Path:
    """The run's folder; that of the scorer that ships for the word `shipped`."""
    from classifier.files import is_there
    from classifier.models import SHIPPED_SCORER, SHIPPED_START

    return SHIPPED_SCORER if str(run) == SHIPPED_START and not is_there(run) else run


RunFolder = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="Run folder; shipped is the scorer that ships.", callback=shipped_or
    ),
]
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
    typer.Option(
        "--table",
        metavar="FILE",
        help="Also write it for a paper: .tex .md .xlsx .docx",
        callback=new_file(".tex", ".md", ".xlsx", ".docx"),
        rich_help_panel=WRITTEN,
    ),
]


LABELS_LOST = 3
"""Exit code of a command that did its work, but not for all labels."""
MOST_PROBLEMS_SHOWN = 20
_EVERY, _MEASURED, _WORTH_SAYING = 60.0, 2.0, 20.0
"""Seconds: between two lines of progress, before a cost is believed, below which none is said."""
_THOUSAND, _ENOUGH, _FEW_STEPS = 1000, 30, 3
"""Articles for which a cost is said where nobody knows how many there are; those that show it;
steps that show it where the number of steps is known."""
_RECENT = 200
"""Steps by which the time left is told, so that it follows the work."""
_MAY_STOP_EARLY = ("train",)
"""What stops once it learns no more, so that its cost is an upper bound."""
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
    lost: Mapping[str, int] = field(default_factory=dict)
    """Labels that are not in what was written, by reason: the command exits with 3."""


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
    if answer.failed or answer.lost:
        raise SystemExit(1 if answer.failed else LABELS_LOST)


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
        lines.append(shortened(f"{problem.where}: {problem.detail}{remedy}"))
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

    Some steps measure what the work costs on this machine, which is said before the rest. Then
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
                cost = pace.cost(done, total, word)
                if cost:
                    bar.console.print(cost)
                said = word if total else ", ".join(filter(None, (word, pace.speed(done))))
                bar.update(task, completed=done, total=total or None, word=said)

            yield tell
    else:
        yield _plain_progress(Pace(title))


class Pace:
    """How fast some work goes: what it costs, and how long it still takes.

    The first step also loads and warms up, so that the clock starts where it ends.
    """

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Wait for the first step; a test brings its own clock."""
        self._title, self._clock = title, clock
        self._marks: deque[tuple[float, int]] = deque(maxlen=_RECENT)
        self._told, self._latest = False, -math.inf
        self._at_most = "at most " if title in _MAY_STOP_EARLY else ""

    def cost(self, done: int, total: int, word: str = "") -> str:
        """What all of it costs, once some steps were measured; empty before and after.

        Where nobody knows how much there is (`total` is 0), what a thousand articles cost.
        """
        each = self._each(done)
        if self._told or each is None:
            return ""
        measured = self._marks[-1][1] - self._marks[0][1]
        if measured < (_FEW_STEPS if total else _ENOUGH):
            return ""
        self._told = True
        whole = each * (total or _THOUSAND)
        if whole < _WORTH_SAYING:
            return ""
        what = f", {word}," if total and word else ""
        per = "" if total else f" per {_THOUSAND:,} articles"
        return (
            f"{self._title}{what} takes {self._at_most}{about(whole)}{per} on this machine, by "
            f"{measured} {'steps' if total else 'articles'}"
        )

    def speed(self, done: int) -> str:
        """Articles a minute of late; empty until that was measured."""
        each = self._each(done)
        return f"{60 / each:,.0f} articles a minute" if each else ""

    def line(self, done: int, total: int, word: str) -> str:
        """How it goes, the first and last time and once a minute between; else empty."""
        each, now = self._each(done), self._clock()
        is_last = bool(total) and done >= total
        if now - self._latest < _EVERY and not is_last:
            return ""
        self._latest = now
        if not total:
            parts = [f"{done:,} articles", word, self.speed(done)]
            return f"{self._title}: " + ", ".join(part for part in parts if part)
        left = ""
        if each is not None and not is_last:
            left = f"; {self._at_most}{about(each * (total - done))} left"
        return f"{self._title}: {done} of {total} {word}".rstrip() + left

    def _each(self, done: int) -> float | None:
        """Seconds that a step took of late; None until there is enough to go by."""
        if self._marks and done < self._marks[-1][1]:  # another part of the work begins anew
            self._marks.clear()
            self._told, self._latest = False, -math.inf
        if not self._marks or done > self._marks[-1][1]:
            self._marks.append((self._clock(), done))
        (begun, first), (ended, last) = self._marks[0], self._marks[-1]
        return (ended - begun) / (last - first) if ended - begun >= _MEASURED else None


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
        for line in (pace.cost(done, total, word), pace.line(done, total, word)):
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


def map_again(mapping: list[str] | None) -> str:
    """The pairs of `--map` as the next command needs them, too."""
    return "".join(f" --map {shlex.quote(pair)}" for pair in mapping or [])


def own_codebook(path: Path | None) -> "Codebook | None":
    """The codebook in a file, if one was named."""
    from classifier.annotations.formats import codebook_of

    return None if path is None else codebook_of(path)
