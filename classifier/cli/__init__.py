"""The command line: one thin subcommand per stage, and the only place that prints."""

import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperCommand

from classifier.cli import _data as data
from classifier.cli import _judge as judge
from classifier.cli import _models as models
from classifier.cli import _profiles as profiles
from classifier.errors import ClassifierError

app = typer.Typer(
    name="classifier",
    help="How news sources frame countries: annotate, agree, train, score, profile, report. "
    "Start with: classifier demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "import": data.import_command,
    "export": data.export_command,
    "check": data.check_command,
    "mentions": data.mentions_command,
    "sample": data.sample_command,
    "prompt": judge.prompt_command,
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
_OUTDATED = {
    "train": {
        "--adapter": "adapter=merged",
        "--batch-size": "batch_size=",
        "--learning-rate": "learning_rate=",
        "--class-weights": "class_weights=",
        "--gradient-checkpointing": "gradient_checkpointing=true",
    },
    "profile": {"--compare-shares": "compare_shares=true"},
}
"""Options of the version before, by command, and what `--set` takes in their place.

Where that ends in "=", the option's value follows.
"""


class _Command(TyperCommand):
    """A command that still takes the options of the version before."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        return super().parse_args(ctx, _renewed(args, _OUTDATED.get(self.name or "", {})))


def _renewed(args: Sequence[str], outdated: dict[str, str]) -> list[str]:
    """The arguments with `--set` in place of outdated options; each of these is told of."""
    renewed: list[str] = []
    rest = iter(args)
    for arg in rest:
        option, _, value = arg.partition("=")
        setting = outdated.get(option)
        if setting is None:
            renewed.append(arg)
            continue
        if setting.endswith("="):
            setting += value or next(rest, "")
        renewed += ["--set", setting]
        told = f"{option} goes with the next version; use --set {setting}"
        warnings.warn(told, DeprecationWarning, stacklevel=2)
        sys.stderr.write(f"{told}\n")
    return renewed


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
    except ClassifierError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(1) from None
    except ModuleNotFoundError as error:
        if (error.name or "classifier").partition(".")[0] == "classifier":
            raise
        sys.stderr.write(
            f"error: this needs the package {error.name}, which this installation leaves out: "
            "pip install stance-framing-classifier\n"
        )
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        raise SystemExit(130) from None
    except BrokenPipeError:
        raise SystemExit(0) from None
    except OSError as error:
        sys.stderr.write(f"error: {error.filename or 'file system'}: {error.strerror}\n")
        raise SystemExit(1) from None
