"""Tables in Markdown from a run log, so that no figure is copied by hand."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_COLUMNS: Mapping[str, tuple[str, str]] = {
    "mt": ("newsmtsc/devtest_mt", "macro_f1"),
    "rw": ("newsmtsc/devtest_rw", "macro_f1"),
    "ru F1(P,N)": ("rusentne/test", "f1_pn"),
    "sample": ("sample/test", "macro_f1"),
    "new outlet": ("sample/source", "macro_f1"),
    "roles": ("sample/test", "roles_macro_f1"),
    "voice": ("sample/test", "voice_macro_f1"),
}
"""Test and figure of each column."""
_OTHERS = {"baselines", "transfer", "swap", "probe"}
_MEAN_OF = ("mt", "rw", "ru F1(P,N)", "sample")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The records of a run log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def variants_table(records: Iterable[Mapping[str, Any]]) -> str:
    """One line per variant: mean over the seeds, range where there are several, time, load.

    "development" is the mean of the stance macro-F1 over the corpora's development articles: what
    is chosen by it is not chosen by the tests.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        if record["run"] not in _OTHERS:
            groups.setdefault(record["run"], []).append(record)
    heads = ["variant", "seeds", "development", *_COLUMNS, "mean of four", "training s", "load"]
    return _markdown(heads, [_variant_row(name, runs) for name, runs in groups.items()])


def _variant_row(name: str, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    seeds = ", ".join(str(run["recipe"]["options"]["seed"]) for run in runs)
    values = {column: [_value(run, *place) for run in runs] for column, place in _COLUMNS.items()}
    means = [[v for c in _MEAN_OF if (v := values[c][i]) is not None] for i in range(len(runs))]
    four = [float(np.mean(own)) if len(own) == len(_MEAN_OF) else None for own in means]
    held = [_development(run) for run in runs]
    time = ", ".join(f"{run['seconds']['training']:.0f}" for run in runs)
    load = ", ".join(f"{max(run['load']):.0f}" for run in runs)
    spreads = [_spread(some) for some in (held, *values.values(), four)]
    return [name, seeds, *spreads, time, load]


def _development(run: Mapping[str, Any]) -> float | None:
    found = [figures["macro_f1"][0] for figures in run.get("development", {}).values()]
    return None if not found or None in found else float(np.mean(found))


def _value(run: Mapping[str, Any], test: str, figure: str) -> float | None:
    value = run["figures"].get(test, {}).get(figure)
    point: float | None = value[0] if isinstance(value, list) else value
    return point


def _spread(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    mean = _short(float(np.mean(known)))
    return mean if len(known) == 1 else f"{mean} ({_short(min(known))}–{_short(max(known))})"


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


def probes_table(records: Iterable[Mapping[str, Any]]) -> str:
    """One line per question put to the frozen base."""
    columns = {name: place for name, place in _COLUMNS.items() if name not in {"roles", "voice"}}
    lines = []
    for record in records:
        if record["run"] == "probe":
            values = [_value(record, *place) for place in columns.values()]
            size = "–" if record["share"] == 1 else f"{record['share']:g}"
            cells = [_spread([value]) for value in values]
            lines.append([record["question"], size, *cells])
    return _markdown(["question", "share", *columns], lines)


def judged_table(record: Mapping[str, Any], figure: str = "macro_f1") -> str:
    """Tests down, predictors across, of a record of baselines or transfer."""
    figures = record["figures"]
    is_transfer = record["run"] == "transfer"
    by_test = _turned(figures) if is_transfer else figures
    names = list(dict.fromkeys(name for rows in by_test.values() for name in rows))
    lines = []
    for test, rows in by_test.items():
        n = next(iter(rows.values()))["n"]
        lines.append([test, str(n), *(_cell(rows.get(name), figure) for name in names)])
    return _markdown(["test", "n", *names], lines)


def _turned(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    turned: dict[str, dict[str, Any]] = {}
    for name, tests in figures.items():
        for test, row in tests.items():
            turned.setdefault(test, {})[name] = row
    return turned


def _cell(row: Mapping[str, Any] | None, figure: str) -> str:
    value = (row or {}).get(figure)
    if isinstance(value, list):
        middle, low, high = value
        if middle is None:
            return "–"
        ends = "" if low is None or high is None else f" [{_short(low)}, {_short(high)}]"
        return _short(middle) + ends
    return "–" if value is None else _short(value)


def swap_table(figures: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Pairs down, items across, all languages together."""
    items = list(figures)
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for name, rows in figures.items():
        for row in rows:
            if row["language"] == "all":
                low, high = row["interval"]
                ends = "" if low is None else f" [{low:+.3f}, {high:+.3f}]"
                shown = f"{row['mean']:+.3f}{ends}, n {row['n']}"
                cells.setdefault((row["from"], row["to"]), {})[name] = shown
    lines = [
        [f"{a} → {b}", *(row.get(name, "–") for name in items)] for (a, b), row in cells.items()
    ]
    return _markdown(["pair", *items], lines)


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def report(path: Path) -> str:
    """All tables of a log."""
    records = read_log(path)
    parts = [variants_table(records), probes_table(records)]
    for record in records:
        if record["run"] in {"baselines", "transfer"}:
            parts += [record["run"], judged_table(record), judged_table(record, "f1_pn")]
        if record["run"] == "baselines":
            parts.append(judged_table(record, "ece"))
        if record["run"] == "swap":
            parts += [f"swap: {record.get('of', '')}", swap_table(record["figures"])]
        if "swaps" in record:
            parts += [f"swap: {record.get('question', record['run'])}", swap_table(record["swaps"])]
    return "\n\n".join(parts)
