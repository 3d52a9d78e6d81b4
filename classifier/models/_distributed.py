"""Several processes that train one model together, as torchrun and accelerate launch start them."""

import os
from typing import TypeVar

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
