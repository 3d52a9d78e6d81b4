"""Connect to Ray, keep it quiet, and put what stops it into one sentence."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from classifier.errors import ModelError
from classifier.models.cores import n_cores


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
