"""Processors that are really there: affinity and the quotas of control groups."""

import os
from pathlib import Path

import pytest

from classifier.models import _processes as cores


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(cores, "_ROOT", tmp_path)
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "own")
    return tmp_path


def test_without_control_groups_affinity_counts(machine: Path) -> None:
    assert cores.n_cores() == 8


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", 8), ("250000 100000", 3), ("50000 100000", 1), ("1600000 100000", 8)],
)
def test_the_quota_of_a_container_counts(quota: str, expected: int, machine: Path) -> None:
    # 250,000 of every 100,000 microseconds are two and a half processors: three threads.
    (machine / "own").write_text("0::/box\n")
    (machine / "box").mkdir()
    (machine / "box" / "cpu.max").write_text(quota + "\n")
    assert cores.n_cores() == expected


def test_a_limit_of_a_group_above_counts(machine: Path) -> None:
    (machine / "own").write_text("0::/outer/inner\n")
    (machine / "outer" / "inner").mkdir(parents=True)
    (machine / "outer" / "inner" / "cpu.max").write_text("max 100000\n")
    (machine / "outer" / "cpu.max").write_text("200000 100000\n")
    assert cores.n_cores() == 2


def test_old_control_groups_count_too(machine: Path) -> None:
    (machine / "own").write_text("4:memory:/box\n3:cpu,cpuacct:/box\n")
    folder = machine / "cpu,cpuacct" / "box"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("400000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    assert cores.n_cores() == 4


def test_what_cannot_be_read_sets_no_limit(machine: Path) -> None:
    (machine / "own").write_text("0::/box\n")
    (machine / "box").mkdir()
    (machine / "box" / "cpu.max").write_text("nonsense\n")
    assert cores.n_cores() == 8
