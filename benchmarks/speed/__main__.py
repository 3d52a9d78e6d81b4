"""`python -m benchmarks.speed` lists what can be run."""

from benchmarks._start import start

if __name__ == "__main__":
    start("speed")
