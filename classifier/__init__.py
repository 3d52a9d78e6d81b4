"""Stance and framing of countries in the news: annotate, train, score, agree, report.

    import classifier

    scorer = classifier.load()                 # the one that ships, or load("runs/mine")
    table = scorer.score_articles(classifier.read_articles("corpus/"))
    profile = classifier.profile(table, gold="coded")     # per source and target, corrected

With labels of your own in the folder `coded`:

    coded = classifier.read_annotations("coded")
    print(classifier.measure_agreement(coded))
    run = classifier.train(coded, classifier.TrainOptions(model="linear"), out="runs/mine")
    result = classifier.evaluate(run, coded)
    classifier.write_report(result, profile, "report.html")

`demonstrate` does all of it on the shipped sample; `find_mentions` finds where an article names the
targets of a codebook, which `read_codebook` reads.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifier.annotations import read_annotations
    from classifier.articles import read_articles
    from classifier.codebook import read_codebook
    from classifier.mentions import find_mentions
    from classifier.pipeline import demonstrate, evaluate, measure_agreement, profile, train
    from classifier.report import write_report
    from classifier.score import load
    from classifier.training import TrainOptions

_HOMES = {
    "TrainOptions": "training",
    "demonstrate": "pipeline",
    "evaluate": "pipeline",
    "find_mentions": "mentions",
    "load": "score",
    "measure_agreement": "pipeline",
    "profile": "pipeline",
    "read_annotations": "annotations",
    "read_articles": "articles",
    "read_codebook": "codebook",
    "train": "pipeline",
    "write_report": "report",
}

__all__ = [
    "TrainOptions",
    "demonstrate",
    "evaluate",
    "find_mentions",
    "load",
    "measure_agreement",
    "profile",
    "read_annotations",
    "read_articles",
    "read_codebook",
    "train",
    "write_report",
]


def __getattr__(name: str) -> object:
    """Import on first use, so that `import classifier` takes no time."""
    if name not in _HOMES:
        raise AttributeError(f"module 'classifier' has no attribute {name!r}")
    value = getattr(import_module(f"classifier.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return list(__all__)
