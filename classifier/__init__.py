"""Stance and framing of countries in the news: annotate, train, score, agree, report.

    import classifier

    scorer = classifier.load()                 # the one that ships, or load("runs/mine")
    table = scorer.score_articles(classifier.read_articles("corpus/"))
    profile = classifier.profile(table, gold="coded")     # per source and target, corrected

With labels of your own in the folder `coded`:

    print(classifier.agreement("coded"))
    run = classifier.train("coded", classifier.TrainOptions(model="linear"), out="runs/mine")
    result = classifier.evaluate(run, "coded")
    classifier.write_report(result, profile, "report.html")

Every command of the program `classifier` is a function here. `demo` does all of it on the shipped
sample.
"""

import warnings

import lazy_loader

_find, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # the list is in __init__.pyi
_RENAMED = {"measure_agreement": "agreement", "demonstrate": "demo"}


def __getattr__(name: str) -> object:
    """Import a public name on its first use, so that `import classifier` takes no time."""
    if name in _RENAMED:
        new = _RENAMED[name]
        warnings.warn(
            f"classifier.{name} goes with the next version; use classifier.{new}",
            DeprecationWarning,
            stacklevel=2,
        )
        return _find(new)
    try:
        return _find(name)
    except ModuleNotFoundError as error:
        if (error.name or __name__).partition(".")[0] == __name__:
            raise
        raise ModuleNotFoundError(
            f"classifier.{name} needs the package {error.name}, which this installation leaves "
            "out: pip install stance-framing-classifier",
            name=error.name,
        ) from None
