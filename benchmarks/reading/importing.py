"""Time and memory of importing a large Label Studio export, beside another build.

The export is made from the shipped sample: its tasks again and again under new ids. In each round,
each build imports it in a process of its own, the other one first and then this one first. Prints
one JSON object last: of each build the round that took the fewest seconds of processor time.

    python -m benchmarks.reading importing [--megabytes 200] [--other FOLDER] [--rounds 3]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from classifier.annotations import read_annotations
from classifier.annotations.formats import export
from classifier.codebook import shipped_annotations

_HERE = Path(__file__).resolve().parents[2]
_IMPORT = """
import json, resource, sys, time
try:
    from classifier.annotations.formats import import_annotations
except ImportError:  # where older builds have it
    from classifier.formats import import_annotations
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start, busy = time.perf_counter(), time.process_time()
found = import_annotations("label-studio", sys.argv[1])
seconds, busy = time.perf_counter() - start, time.process_time() - busy
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({
    "articles": len(found.annotation_set.articles),
    "labels": len(found.annotation_set.table),
    "problems": len(found.problems),
    "seconds": round(seconds, 1),
    "processor_seconds": round(busy, 1),
    "megabytes_at_most": round(after * 1024 / 1e6),
    "megabytes_before": round(before * 1024 / 1e6),
}))
"""


def main() -> None:
    """Make the export, import it with each build, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=200.0)
    parser.add_argument("--other", type=Path, help="Folder of another build.")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    builds = {"this": _HERE} | ({"other": options.other} if options.other else {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.json"
        size = write_export(path, int(options.megabytes * 1e6)) / 1e6
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in builds}
        for number in range(options.rounds):
            for name in list(builds) if number % 2 else list(builds)[::-1]:
                runs[name].append(measured(builds[name], path))
                print(name, runs[name][-1], flush=True)
    least = {
        name: min(found, key=lambda run: run.get("processor_seconds", float("inf")))
        for name, found in runs.items()
    }
    result: dict[str, Any] = {"megabytes": round(size, 1), **least}
    if "processor_seconds" in least.get("other", {}):
        seconds = [least[name]["processor_seconds"] for name in ("other", "this")]
        result["times_as_fast"] = round(seconds[0] / seconds[1], 2)
    result["memory_to_file"] = round(least["this"]["megabytes_at_most"] / size, 2)
    print(json.dumps(result, indent=2))


def write_export(path: Path, size: int) -> int:
    """Write tasks until the file has this size; returns its bytes."""
    sample = path.with_name("sample.json")
    export("label-studio", read_annotations(shipped_annotations() / "sample"), sample)
    tasks = json.loads(sample.read_text(encoding="utf-8"))
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for turn in count():
            for task in tasks:
                data = task["data"] | {"article_id": f"{task['data']['article_id']}-{turn}"}
                line = json.dumps(task | {"data": data}, ensure_ascii=False)
                file.write(("[\n" if written == 0 else ",\n") + line)
                written += len(line.encode()) + 2
                if written >= size:
                    file.write("\n]\n")
                    return path.stat().st_size
    raise AssertionError("the tasks never end")


def measured(root: Path, path: Path) -> dict[str, Any]:
    """Import the export with the build in that folder."""
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _IMPORT, str(path)]
    # python -c looks for modules in the folder it is started in first
    done = subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"failed": done.stderr.strip().split("\n")[-1:], "status": done.returncode}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
