"""Train the scorer that ships, measure it, and write its card.

Three stages. First the published corpora are learnt, each under a head of its own. Then our labels
on real news and on the sample are learnt from there, with the published ones beside them, so that
they are not forgotten. The head of our stance begins as that of NewsMTSC. Last comes an epoch at
half the rate with copies of the articles in which the countries have changed places, and with
sentences that were written to show who is evaluated where several countries meet; then the
head of stance is projected off what tells the countries apart (`country_bias`). This is the large
scorer. The one that ships has half its layers and learns from it (`student`).

When labels were added, both can also go on from where they stand (`train_on`).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from classifier.annotations import adjudicate, restricted
from classifier.codebook import default_codebook
from classifier.files import read_json, refuse_to_replace, write_json, write_text
from classifier.models import (
    MODEL_CARD,
    RECORD,
    Limits,
    Model,
    Progress,
    TrainOptions,
    cut_all,
    read_run,
)
from classifier.models._bases import PACKED_FILE, SHIPPED, SHIPPED_BASES, SMALL_NAME, find_base
from classifier.models._folder import read_record
from classifier.models.encoder._model import EncoderModel, load_encoder
from classifier.models.runtime._torch import read_whole
from classifier.records import Passage, Span
from classifier.score import load
from classifier.swapping import Named, country_shifts, named_mentions
from classifier.training import TEST, TRAIN, Adjust, Corpus, Run, Split, fit_model, read_run_summary
from recipes.card import scorer_card
from recipes.corpora import FOLDERS, OPINIONS, SAMPLE, ShippingData, ids_of
from recipes.country_bias import level_head
from recipes.figures import measure
from recipes.prune import prune_run
from recipes.real import REAL
from recipes.student import make_base, make_student, named_passages, write_start

OPTIONS = TrainOptions(
    variables=("stance", "roles", "voice"),
    test=0.0,
    context=0,
    joined=0.0,
    adapter="separate",
    adapter_rank=128,
    adapter_from="difference",
    epochs=3,
    patience=3,
    batch_size=32,
    learning_rate=8e-5,
    head_learning_rate=2e-3,
    seed=1,
)
"""Of the second stage."""
_FIRST: dict[str, Any] = {"epochs": 2, "learning_rate": 1e-4, "head_learning_rate": 1e-3}
_LAST: dict[str, Any] = {"epochs": 1, "learning_rate": 4e-5, "head_learning_rate": 1e-3}

_FURTHER: dict[str, Any] = {"epochs": 1, "learning_rate": 4e-5, "head_learning_rate": 5e-4}
"""Of an epoch whose start has heads that know the labels: the small scorer's, and `train_on`."""
_OF_NAMED = 3
"""Of the sentences without labels, every third is asked about."""
SCORER, LARGE = "scorer", "large"
_MOST_NAMED = 500
"""Articles of a corpus that the projection is measured on."""
_STANCE = OPTIONS.variables[0]
KEPT_SCHEMES = ("newsmtsc", "rusentne")
"""Published schemes whose heads ship, for `classifier.load(scheme=NAME)`."""
_STORIES = f"{SAMPLE}, {TEST}"


def make_scorer(
    data: ShippingData,
    out: Path,
    options: TrainOptions = OPTIONS,
    *,
    progress: Progress | None = None,
) -> Run:
    """Train on the corpora, judge on the tests, and write the run folders `large` and `scorer`.

    The scorer is the small one, which learns from the large one. Its base is made too if the
    package lacks it.
    A linear model is written as the scorer alone.

    See `classifier.training.fit_model` for what is raised. An interrupted training goes on from its
    last epoch, and a finished stage is not trained again.
    """
    scorer, large = out / SCORER, out / LARGE
    if options.model == "linear":
        run = fit_model(data.corpora, options, scorer, progress=progress)
        return judged(run, data, progress=progress)
    for folder, make in ((large, _in_stages), (scorer, _small)):
        if not (folder / RECORD).is_file():
            make(data, folder, options, progress)
        if "figures" not in read_record(folder):
            judged(read_run_summary(folder), data, progress=progress)
    return read_run_summary(scorer)


def train_on(
    data: ShippingData,
    out: Path,
    options: TrainOptions = OPTIONS,
    *,
    progress: Progress | None = None,
) -> Run:
    """Train the scorers that ship for one more epoch of the last stage, and judge them.

    They learn what was added to the labels since, in minutes. Opinions of RuOpinionNE, whose head
    does not ship, are left out.

    See `make_scorer` for what is written and raised.
    """
    kept = (*options.variables, *KEPT_SCHEMES)
    corpora = tuple(one for one in data.corpora if one.name != OPINIONS)
    for name in (SCORER, LARGE):
        folder, start = out / name, SHIPPED.with_name(name)
        more = out / f"{LARGE}.stages" / f"{name}-more"
        if not (folder / RECORD).is_file():
            own = replace(options, variables=kept, start=str(start), base_model="", **_FURTHER)
            if not (more / RECORD).is_file():
                adjust = partial(without_country, data)
                _fit((*corpora, *data.late), own, more, progress, adjust)
            prune_run(more, options.variables, default_codebook(), folder, KEPT_SCHEMES)
            write_json(folder / RECORD, {**read_record(folder), "went_on": True})
        if "figures" not in read_record(folder):
            judged(read_run_summary(folder), data, progress=progress)
    return read_run_summary(out / SCORER)


def _small(data: ShippingData, out: Path, options: TrainOptions, progress: Progress | None) -> None:
    """Make the scorer that ships: six layers that learn from the last stage of the large one."""
    refuse_to_replace(out, force=False)
    work = out.parent / f"{LARGE}.stages"
    start, last = work / "student", work / "small"
    if not (start / RECORD).is_file():
        known = read_run(work / "last").model
        teacher = load_encoder(work / "last", known.variables, known.options)
        if not (SHIPPED_BASES[SMALL_NAME] / PACKED_FILE).is_file():
            make_base(teacher, data.texts, SHIPPED_BASES[SMALL_NAME], progress=progress)
        base = read_whole(find_base(SMALL_NAME).folder, attn_implementation="eager")
        student = make_student(teacher, base, asked(data, teacher), progress=progress)
        write_start(student, work / "last", SMALL_NAME, start)
    if not (last / RECORD).is_file():
        own = replace(
            options, variables=_every(options), start=str(start), base_model="", **_FURTHER
        )
        adjust = partial(without_country, data)
        _fit((*data.corpora, *data.late), own, last, progress, adjust)
    prune_run(last, options.variables, default_codebook(), out, KEPT_SCHEMES)


def _every(options: TrainOptions) -> tuple[str, ...]:
    return (*options.variables, *FOLDERS)


def asked(data: ShippingData, teacher: Model) -> list[Passage]:
    """Passages with mentions that the large scorer is asked about: coded ones, and names."""
    limits = Limits(teacher.text_limit, 0)
    passages = named_passages(data.texts[::_OF_NAMED])
    for corpus in (*data.corpora, *data.late):
        ids = ids_of(corpus.annotation_set, None, TRAIN)
        coded = adjudicate(restricted(corpus.annotation_set, ids))
        articles = corpus.annotation_set.article_by_id
        units = [
            (articles[name], {r.unit: Span(int(r.start), int(r.end)) for r in rows.itertuples()})
            for name, rows in coded.groupby("article_id", sort=False)
        ]
        passages += cut_all(units, teacher.token_starts, limits)
    return passages


def judged(run: Run, data: ShippingData, *, progress: Progress | None = None) -> Run:
    """Write the figures on the tests into the record of a run, and its card."""
    scorer, out = load(run.path), run.path
    figures, languages = measure(scorer, data.tests, progress=progress)
    stories = next(test.annotation_set for test in data.tests if test.name == _STORIES)
    items = named_mentions(stories, _STANCE)
    shifts = country_shifts(scorer.trained, items, run.record["context"])
    schemes = _measured_schemes(run, data, progress)
    found = {
        "figures": figures,
        "languages": languages,
        "country_shifts": shifts,
        "schemes": schemes,
    }
    record = {**run.record, **found}
    write_json(out / RECORD, record)
    write_text(out / MODEL_CARD, [scorer_card(out, record)])
    return read_run_summary(out)


def _measured_schemes(
    run: Run, data: ShippingData, progress: Progress | None
) -> dict[str, dict[str, Any]]:
    """What the record says of the schemes, with figures on the tests of their own corpora."""
    told: dict[str, dict[str, Any]] = {}
    for name, known in run.record.get("schemes", {}).items():
        own = [test for test in data.tests if test.name.partition(",")[0] == name]
        figures, languages = measure(load(run.path, scheme=name), own, progress=progress)
        spoken = {code: one for code, one in languages.items() if code in known["languages"]}
        for code, one in spoken.items():
            one["training_mentions"] = known["languages"][code]["training_mentions"]
        told[name] = {**known, "figures": figures, "languages": spoken}
    return told


def _in_stages(
    data: ShippingData, out: Path, options: TrainOptions, progress: Progress | None
) -> None:
    """Make the large scorer."""
    refuse_to_replace(out, force=False)
    work = out.with_name(f"{out.name}.stages")
    first, second, last = work / "first", work / "second", work / "last"
    if not (first / RECORD).is_file():
        _fit(data.schemes, replace(options, variables=FOLDERS, **_FIRST), first, progress)
        copy_head(first, FOLDERS[0], _STANCE)
    every = replace(options, variables=_every(options), base_model="")
    if not (second / RECORD).is_file():
        _fit(data.corpora, replace(every, start=str(first)), second, progress)
    if not (last / RECORD).is_file():
        own = replace(every, start=str(second), **_LAST)
        _fit((*data.corpora, *data.late), own, last, progress, partial(without_country, data))
    prune_run(last, options.variables, default_codebook(), out, KEPT_SCHEMES)


def _fit(
    corpora: Sequence[Corpus],
    options: TrainOptions,
    out: Path,
    progress: Progress | None,
    adjust: Adjust | None = None,
) -> None:
    """Train a stage, or go on with it."""
    resume = out.with_name(f".{out.name}.training").is_dir()
    fit_model(tuple(corpora), options, out, resume=resume, adjust=adjust, progress=progress)


def without_country(data: ShippingData, model: Model, _: Split) -> None:
    """Project the head of stance off what tells the countries apart in our training articles."""
    if not isinstance(model, EncoderModel):
        return
    items: list[Named] = []
    for corpus in data.corpora:
        if corpus.name in (REAL, SAMPLE):
            ids = ids_of(corpus.annotation_set, None, TRAIN)
            found = named_mentions(restricted(corpus.annotation_set, ids), _STANCE)
            items += found[:: -(-len(found) // _MOST_NAMED) or 1]
    level_head(model, _STANCE, items, model.options.context)


def copy_head(run: Path, name: str, new: str) -> None:
    """Give the network of a run a second head, to be learnt on from where another stands.

    Training can start from the run, but it can no longer be applied: its files have changed.
    """
    config = read_json(run / "config.json")
    config["heads"][new] = config["heads"][name]
    write_json(run / "config.json", config)
    weights = load_file(run / "heads.safetensors")
    for part in ("weight", "bias"):
        weights[f"{new}.{part}"] = weights[f"{name}.{part}"].clone()
    save_file(weights, run / "heads.safetensors", metadata={"format": "pt"})
