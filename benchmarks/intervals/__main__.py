"""`python -m benchmarks.intervals` lists what can be run."""

from benchmarks._start import start

if __name__ == "__main__":
    start("intervals")
