"""The one start of a folder: `python -m benchmarks.FOLDER NAME [options]`."""

import sys
from importlib import import_module
from pathlib import Path


def start(folder: str) -> None:
    """Run the benchmark that the command line names, with the options after it.

    Every public module of the folder is a benchmark: it has a `main()` that reads `sys.argv`.

    Args:
        folder: a folder below `benchmarks/`.

    Raises:
        SystemExit: no benchmark of that name; the message lists them.
    """
    names = sorted(p.stem for p in (Path(__file__).parent / folder).glob("[!_]*.py"))
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in names:
        sys.exit(f"usage: python -m benchmarks.{folder} {{{','.join(names)}}} [options]")
    sys.argv[:2] = [f"python -m benchmarks.{folder} {name}"]
    import_module(f"benchmarks.{folder}.{name}").main()
