"""`python -m benchmarks.reading` lists what can be run."""

from benchmarks._start import start

if __name__ == "__main__":
    start("reading")
