"""Time and memory of importing a large Label Studio export, beside another build.

The export is made from the shipped sample: its tasks again and again under new ids. Each build
imports it in a process of its own. Prints one JSON object last.

    python benchmarks/importing.py [--megabytes 200] [--other FOLDER_OF_ANOTHER_BUILD]
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

_HERE = Path(__file__).resolve().parent.parent
_IMPORT = """
import json, resource, sys, time
from classifier.annotations.formats import import_annotations
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
    parser.add_argument("--other", type=Path, help="Folder of another build, measured first.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.json"
        made = {"megabytes": write_export(path, int(options.megabytes * 1e6)) / 1e6}
        print(made, flush=True)
        builds = {"other": options.other, "this": _HERE}
        result: dict[str, Any] = dict(made)
        for name, root in builds.items():
            if root is not None:
                result[name] = measured(root, path)
                print(name, result[name], flush=True)
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
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().split("\n")[-1:], "status": done.returncode}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
