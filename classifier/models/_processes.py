"""Processors that may be used, and processes that train one model together.

The processes are those that torchrun and accelerate launch start.
"""

import math
import os
from pathlib import Path
from typing import TypeVar

_GROUPS = Path("/proc/self/cgroup")
_ROOT = Path("/sys/fs/cgroup")


def n_cores() -> int:
    """Processors that this process may run on, within the quota of its container; at least 1."""
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    quota = _quota()
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def _quota() -> float | None:
    """Processors' worth of time that the control groups grant; None if they set no limit."""
    try:
        lines = _GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "cpu", "cpu,cpuacct"):
            found += [quota for quota in map(_granted, _folders(controllers, path)) if quota]
    return min(found, default=None)


def _folders(controllers: str, path: str) -> list[Path]:
    """The group's folder and those above it, whose limits hold as well."""
    root = _ROOT / controllers
    own = root / path.lstrip("/")
    return [own, *(parent for parent in own.parents if parent.is_relative_to(root))]


def _granted(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        return None if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError):
        return None


_T = TypeVar("_T")


def n_processes() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def rank() -> int:
    """The number of this process among them, from 0."""
    return int(os.environ["RANK"]) if n_processes() > 1 else 0


def is_first() -> bool:
    """Whether this process is the one that judges, writes and prints."""
    return rank() == 0


def take_own_device() -> None:
    """Let each process on a machine use a GPU of its own; without GPUs nothing is to be done."""
    if n_processes() > 1:
        import torch

        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))


def broadcast(value: _T) -> _T:
    """The first process's value, in every process; all wait here until it has one."""
    if n_processes() == 1:
        return value
    from torch import distributed

    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def close_process_group() -> None:
    """Close the group of processes, at the end of training."""
    if n_processes() > 1:
        from torch import distributed

        if distributed.is_initialized():
            distributed.destroy_process_group()
