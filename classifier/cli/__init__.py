"""The command line: one thin subcommand per stage, and the only place that prints."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand

from classifier.cli import _data as data
from classifier.cli import _judge as judge
from classifier.cli import _models as models
from classifier.cli import _profiles as profiles
from classifier.cli._import import import_command
from classifier.errors import LONGEST, ClassifierError, brief, in_words, shortened

app = typer.Typer(
    name="classifier",
    help="How news sources frame countries: annotate, agree, train, score, profile, report. "
    "Start with: classifier demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "import": import_command,
    "export": data.export_command,
    "check": data.check_command,
    "mentions": data.mentions_command,
    "sample": data.sample_command,
    "prompt": models.prompt_command,
    "agreement": judge.agreement_command,
    "train": models.train_command,
    "score": models.score_command,
    "evaluate": judge.evaluate_command,
    "compare": judge.compare_command,
    "swap": models.swap_command,
    "explain": models.explain_command,
    "profile": profiles.profile_command,
    "plan": profiles.plan_command,
    "regress": profiles.regress_command,
    "report": profiles.report_command,
    "demo": profiles.demo_command,
}
_GONE = {
    "train": {
        "--adapter": "--set adapter=merged",
        "--base-model": "--set base_model=FOLDER",
        "--batch-size": "--set batch_size=NUMBER",
        "--class-weights": "--set class_weights=NAME",
        "--epochs": "--set epochs=NUMBER",
        "--gradient-checkpointing": "--set gradient_checkpointing=true",
        "--learning-rate": "--set learning_rate=NUMBER",
        "--seed": "--set seed=NUMBER",
    },
    "compare": {"--epsilon": "EvaluationOptions(epsilon=NUMBER) of classifier.compare in Python"},
    "plan": {"--seed": "PlanOptions(seed=NUMBER) of classifier.profiles.extend in Python"},
    "profile": {"--compare-shares": "--set compare_shares=true"},
    "prompt": {
        "--input-price": "--price READ,WRITTEN",
        "--output-price": "--price READ,WRITTEN",
    },
    "report": {
        "--explain": "ReportInputs(explained=NUMBER) of classifier.pipeline.report in Python"
    },
    "sample": {"--design": "--by uncertainty, or nothing for an even draw"},
    "score": {"--address": "--engine ADDRESS"},
}
"""Options that were taken out, by command, and what to write in their place."""


class _Command(TyperCommand):
    """A command that tells of options that are gone, and repeats no long text of a user."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        with _brief_usage(args):
            _refuse_gone(args, _GONE.get(self.name or "", {}))
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        with _brief_usage(sys.argv):
            return super().invoke(ctx)


@contextmanager
def _brief_usage(args: Sequence[str]) -> Iterator[None]:
    """Cut long arguments in what is said of a wrong usage."""
    try:
        yield
    except Exception as error:
        if hasattr(error, "format_message"):  # typer brings its own copy of click's exceptions
            said = _without(args, str(getattr(error, "message", "")))
            setattr(error, "message", said)  # noqa: B010 - the type is not public
        raise


def _without(args: Sequence[str], message: str) -> str:
    """The message with long arguments cut."""
    for arg in args:
        if len(arg) > LONGEST:
            message = message.replace(arg, brief(arg))
    return shortened(message)


def _refuse_gone(args: Sequence[str], gone: Mapping[str, str]) -> None:
    """Raise `BadParameter` for an option that was taken out, with what to write in its place."""
    for arg in args:
        option = arg.partition("=")[0]
        if option in gone:
            raise typer.BadParameter(f"{option} was taken out: use {gone[option]}")


for name, command in COMMANDS.items():
    app.command(name, cls=_Command)(command)


@app.callback()
def _options(
    verbose: bool = typer.Option(False, "--verbose", help="Log what happens in detail."),
    quiet: bool = typer.Option(False, "--quiet", help="Show no progress, only results."),
) -> None:
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")


def main() -> None:
    """Run a command; bad input is one sentence and exit code 1, bad usage exit code 2."""
    try:
        app()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        raise SystemExit(130) from None
    except BrokenPipeError:
        raise SystemExit(0) from None
    except Exception as error:
        is_foreseen = isinstance(error, ClassifierError | OSError | ModuleNotFoundError)
        if not is_foreseen and logging.getLogger().isEnabledFor(logging.DEBUG):
            raise
        sys.stderr.write(f"error: {_without(sys.argv, _told(error))}\n")
        raise SystemExit(1) from None


def _told(error: Exception) -> str:
    """What a person is told of a fault."""
    if isinstance(error, ClassifierError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'file system'}: {in_words(error)}"
    package = getattr(error, "name", None) or "classifier"
    if isinstance(error, ModuleNotFoundError) and package.partition(".")[0] != "classifier":
        return (
            f"this needs the package {package}, which this installation leaves out: "
            "pip install stance-framing-classifier"
        )
    return (
        f"a fault that nobody foresaw ({type(error).__name__}: {in_words(error)}); "
        "classifier --verbose COMMAND shows where, please report it"
    )
