"""What does each start give for a question of one's own, after so many coded mentions?

The question is the sample's stance under another name (`tone`), so that no head of the shipped
scorer answers it. That scorer has learnt the sample's training stories, too, which flatters it; the
judged stories it has not seen. Articles are drawn until enough mentions are coded. Prints a row for
each training, and the means last.

    python -m benchmarks.quality curve [--sizes 50 100 200 400 800] [--seeds 5]
"""

import argparse
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from classifier.annotations import AnnotationSet, adjudicate, read_annotations, restricted
from classifier.codebook import Variable, shipped_annotations
from classifier.models import Limits, TrainOptions, cut_all, read_run
from classifier.records import Span
from classifier.training import TEST, TRAIN, train

NAME = "tone"
STARTS = {
    "shipped": TrainOptions(start="shipped"),
    "small base": TrainOptions(base_model="classifier/small"),
    "base": TrainOptions(base_model="classifier/base"),
    "linear": TrainOptions(model="linear"),
}
"""What the training begins with; the other options are those that a user gets."""


def main() -> None:
    """Train and judge every start at every size with every seed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 200, 400, 800])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=list(STARTS))
    given = parser.parse_args()
    whole = asked(read_annotations(shipped_annotations() / "sample"))
    found: dict[tuple[int, str], list[dict[str, float]]] = defaultdict(list)
    for size in given.sizes:
        for seed in range(1, given.seeds + 1):
            for start in given.starts:
                figures = judged(whole, drawn(whole, size, seed), start, seed)
                found[size, start].append(figures)
                print(size, seed, start, _told(figures), flush=True)
    for (size, start), runs in found.items():
        means = {part: float(np.mean([run[part] for run in runs])) for part in runs[0]}
        print(f"mean of {len(runs)}: {size} mentions, {start}: {_told(means)}")


def asked(sample: AnnotationSet) -> AnnotationSet:
    """The sample with its stance as the only variable, under a name that no scorer knows."""
    stance = sample.codebook.variable("stance")
    own = Variable(NAME, stance.kind, stance.definition, stance.labels)
    codebook = replace(sample.codebook, variables=(own,), recodes={})
    kept = sample.table.rename(columns={"stance": NAME}).drop(columns=["roles", "voice"])
    return AnnotationSet(sample.articles, kept, codebook)


def drawn(whole: AnnotationSet, size: int, seed: int) -> AnnotationSet:
    """Training articles in random order until they have so many mentions."""
    articles = [a.article_id for a in whole.articles if a.split in (None, TRAIN)]
    mentions = whole.table.groupby("article_id")["unit"].nunique()
    chosen: list[str] = []
    for name in np.random.default_rng(seed).permutation(articles):
        if sum(int(mentions.get(one, 0)) for one in chosen) >= size:
            break
        chosen.append(str(name))
    part = restricted(whole, set(chosen))
    return replace(part, articles=tuple(replace(a, split=None) for a in part.articles))


def judged(whole: AnnotationSet, coded: AnnotationSet, start: str, seed: int) -> dict[str, float]:
    """Macro-F1 on the held-out stories of a model that learnt the coded articles."""
    options = replace(STARTS[start], variables=(NAME,), test=0.0, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        run = train(coded, options, Path(folder) / "run")
        trained = read_run(run.path)
    held = {a.article_id for a in whole.articles if a.split == TEST}
    gold = adjudicate(restricted(whole, held))
    gold = gold[gold[NAME].notna()]
    articles = whole.article_by_id
    units = [
        (articles[name], {r.unit: Span(int(r.start), int(r.end)) for r in rows.itertuples()})
        for name, rows in gold.groupby("article_id", sort=False)
    ]
    model = trained.model
    limits = Limits(model.text_limit, model.options.context)
    passages = cut_all(units, model.token_starts, limits)
    languages = [p.language for p in passages for _ in p.mentions]
    raw = model.predict(passages)
    chances = trained.calibration.apply(raw, model.variables, languages)[NAME]
    label = dict(zip(gold["unit"], gold[NAME], strict=True))
    names = model.variables[0].names
    truth = np.array([names.index(label[m.unit]) for p in passages for m in p.mentions])
    return _figures(truth, chances.argmax(axis=1), np.array(languages))


def _figures(
    truth: NDArray[np.int64], said: NDArray[np.int64], languages: NDArray[np.str_]
) -> dict[str, float]:
    parts = {"all": np.ones(len(truth), bool)}
    parts |= {str(code): languages == code for code in sorted(set(languages))}
    return {
        part: float(f1_score(truth[own], said[own], average="macro")) for part, own in parts.items()
    }


def _told(figures: dict[str, float]) -> str:
    return " ".join(f"{part} {value:.3f}" for part, value in figures.items())


if __name__ == "__main__":
    main()
