"""The card of the shipped scorer: what it is, how good, from what, on which terms."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier.evaluation import MAJORITY
from classifier.models._bases import SMALL_NAME
from classifier.models._folder import sha256
from classifier.report._document import Document, Section, TableBlock, to_markdown
from classifier.score._prepare import BOUND, FEW
from classifier.swapping import BOUND as SHIFT
from classifier.swapping import EVERY
from recipes.figures import LEARNT, MODEL, Figure

_TERMS = (
    (
        "newsmtsc",
        "NewsMTSC, English news, stance towards people and groups",
        "Hamborg and Donnay, EACL 2021; MIT",
    ),
    (
        "rusentne",
        "RuSentNE-2023, Russian news, stance towards named entities",
        "Golubev, Rusnachenko and Loukachevitch, Dialogue 2023; MIT",
    ),
    (
        "real-swapped",
        "copies of the first, the countries in other places (last stage)",
        "as the first",
    ),
    (
        "sample-swapped",
        "copies of the sample, the countries in other places (last stage)",
        "as the sample",
    ),
    (
        "contrast",
        "written sentences in which several countries meet and one is evaluated (last stage)",
        "as the project",
    ),
    (
        "contrast-swapped",
        "copies of these, the countries in other places (last stage)",
        "as the project",
    ),
    (
        "ruopinionne",
        "RuOpinionNE-2024, Russian news, opinions of named entities",
        "Loukachevitch et al. 2025; MIT",
    ),
    (
        "real",
        "sentences of real news, five languages: stance, roles and voice by a language model",
        "labels as the project; texts from their publishers",
    ),
    (
        "sample",
        "the project's own sample, five languages: stance, roles and voice",
        "as the project",
    ),
)


_LEARNT = (
    "Its base has six layers, which learnt the hidden states of a former large scorer on 260,000 "
    "sentences without labels. On it the scorer learnt what the large one says of mentions, and "
    "last the labels themselves."
)


_WENT_ON = (
    " After all stages it went on with labels that had been added since (`--from-shipped`); the "
    "last training below is this one."
)


def scorer_card(folder: Path, record: Mapping[str, Any]) -> str:
    """The card as Markdown; every figure in it is in training.json too."""
    figures: list[Figure] = record["figures"]
    stance, *others = record["variables"]
    base = record["options"]["base_model"]
    small = base == SMALL_NAME
    loaded = "`classifier.load()`" if small else '`classifier.load("large")`'
    summary = (
        f"Scores how a passage frames a country at each mention "
        f"({', '.join(record['variables'])}): a LoRA adapter of mean rank "
        f"{record['options']['adapter_rank']} and heads on the base `{base}`. Loaded by "
        f"{loaded}. " + (_LEARNT if small else "The scorer that ships learns from it.")
    ) + (_WENT_ON if record.get("went_on") else "")
    sections = (
        Section("How good it is", _about(), (_whole(figures, stance), *_languages(figures))),
        Section("Labels of a set", (), tuple(_by_label(figures, name) for name in others)),
        Section("Countries swapped", _swapped(record), (_swaps(record),)),
        Section("What it reads", _reads(), (_read_table(record),)),
        Section("By the head of its own scheme", _schemes_told(record), _schemes(record)),
        Section("Data and terms", _data(record), (_corpora(record),)),
        Section("Limits", _limits()),
        Section("Made with", _made(record), (_settings(record), _hashes(folder))),
    )
    title = "The shipped scorer" if small else "The large scorer"
    return to_markdown(Document(title, summary, sections))


def _about() -> tuple[str, ...]:
    return (
        "On articles that nothing was learnt from, with 95 % intervals from "
        "resampling articles. F1(P,N) is the mean of the F1 of the two labels that are not "
        "neutral, ECE the expected calibration error over ten bins of equal width. The devtest "
        "files of NewsMTSC are judged whole; `rusentne, test` is a fifth of RuSentNE in blocks of "
        "neighbouring sentences.",
        "The recipe is one of several, chosen by development articles, but with these figures in "
        "sight: read them as slightly friendly. `make scorer` goes through its stages and writes "
        "this card. One seed was trained.",
    )


def _whole(figures: Sequence[Figure], stance: str) -> TableBlock:
    rows = [
        (
            f["test"],
            f["n_mentions"],
            _interval(f["macro_f1"]),
            _first(_beside(figures, f, MAJORITY)),
            f.get("f1_polar"),
            f.get("ece"),
        )
        for f in figures
        if f["variable"] == stance and f["predictor"] == MODEL and f["language"] is None
    ]
    columns = ("test", "mentions", "macro-F1", "majority", "F1(P,N)", "ECE")
    return TableBlock(stance, columns, tuple(rows))


def _languages(figures: Sequence[Figure]) -> list[TableBlock]:
    """One table per test with several languages."""
    tests = list(dict.fromkeys(f["test"] for f in figures))
    blocks = []
    for test in tests:
        own = [f for f in figures if f["test"] == test and f["predictor"] == MODEL]
        variables = {f["variable"] for f in own}
        if len(variables) < 2:
            continue
        rows = [
            (
                f["variable"],
                f["language"] or "all",
                f["n_mentions"],
                _interval(f["macro_f1"]),
                _first(_beside(figures, f, LEARNT)),
                _first(_beside(figures, f, MAJORITY)),
            )
            for f in own
        ]
        columns = ("variable", "language", "mentions", "macro-F1", "without rules", "majority")
        blocks.append(TableBlock(test, columns, tuple(rows)))
    return blocks


def _schemes_told(record: Mapping[str, Any]) -> tuple[str, ...]:
    names = ", ".join(f"`{name}`" for name in record.get("schemes", {}))
    if not names:
        return ("No head of a published scheme is kept.",)
    return (
        f"Published corpora do not call the same thing stance as we do. The heads of {names} are "
        "kept, each under the codebook of its scheme: `classifier.load(scheme=NAME)`, or "
        "`classifier score --scheme NAME`.",
    )


def _schemes(record: Mapping[str, Any]) -> tuple[TableBlock, ...]:
    return tuple(
        _whole(told["figures"], told["variables"][0])
        for told in record.get("schemes", {}).values()
        if told.get("figures")
    )


def _by_label(figures: Sequence[Figure], variable: str) -> TableBlock:
    rows = [
        (f["test"], label, value)
        for f in figures
        if f["variable"] == variable and "f1_by_label" in f and f["language"] is None
        for label, value in f["f1_by_label"].items()
    ]
    return TableBlock(variable, ("test", "label", "F1"), tuple(rows))


def _reads() -> tuple[str, ...]:
    return (
        "Mentions in text of other languages get the status “unsupported language” and no score. "
        f"Scores in a language whose macro-F1 for the first variable is below {BOUND} here, or "
        f"rests on fewer than {FEW} mentions, carry a warning with the figure.",
    )


def _read_table(record: Mapping[str, Any]) -> TableBlock:
    rows = []
    for code, told in record["languages"].items():
        for variable, figure in told["figures"].items():
            cells = (figure["macro_f1"], figure["n_mentions"])
            rows.append((code, told["training_mentions"], variable, *cells))
    columns = ("language", "mentions trained on", "variable", "macro-F1", "mentions held out")
    return TableBlock("over all tests in a language", columns, tuple(rows))


def _swapped(record: Mapping[str, Any]) -> tuple[str, ...]:
    largest = _largest_shift(record, whole=True)
    return (
        "The mean change of the stance score (-1 to 1) of a mention where nothing but the country "
        "changes: it and another have changed places throughout the article, in the annotated "
        f"mentions of the sample's test stories. The aim is a mean within {SHIFT}; the largest is "
        f"{largest:.3f}. Within one language the largest is "
        f"{_largest_shift(record, whole=False):.3f}: compare countries over all languages only.",
        "The head of the stance is projected off what a swap moves. In an earlier training this "
        "cost, on the development articles of real news, .001 of the AUC of unfavourable mentions "
        "and .004 of favourable ones; macro-F1 rose from .559 to .576.",
    )


def _largest_shift(record: Mapping[str, Any], *, whole: bool) -> float:
    found = (r["mean"] for r in record["country_shifts"] if (r["language"] == EVERY) == whole)
    return max(map(abs, found), default=0.0)


def _swaps(record: Mapping[str, Any]) -> TableBlock:
    rows = [
        (f"{r['from']} to {r['to']}", r["n"], _interval((r["mean"], *r["interval"])))
        for r in record["country_shifts"]
        if r["language"] == EVERY
    ]
    return TableBlock("", ("pair", "mentions", "mean shift"), tuple(rows))


def _data(record: Mapping[str, Any]) -> tuple[str, ...]:
    left = "; ".join(f"{n} articles, {why}" for why, n in record["left_out"].items())
    return (
        "No sentence of the published corpora is in this folder. Most sentences of RuSentNE stand "
        "in RuOpinionNE too: what is held out of one is not trained on in the other.",
        *((f"Left out: {left}.",) if left else ()),
    )


def _corpora(record: Mapping[str, Any]) -> TableBlock:
    about = {name: (what, terms) for name, what, terms in _TERMS}
    rows = [
        (
            corpus["name"],
            *about.get(corpus["name"], (None, None)),
            corpus["training_mentions"],
            corpus["weight"],
            corpus["sha256"][:16],
        )
        for corpus in record["corpora"]
    ]
    columns = ("corpus", "what", "source and terms", "mentions trained on", "weight", "sha256")
    return TableBlock("", columns, tuple(rows))


def _limits() -> tuple[str, ...]:
    return (
        "NewsMTSC keeps only mentions on which its coders agreed; on other news expect about 14 "
        "points of macro-F1 less. Roles were learnt from the sample and from real news, where a "
        "language model coded them: read them as a first sorting.",
        "A mean of scores is not a mean of stances: the model errs differently in every source. "
        "Give `classifier profile` labels of a random sample of the articles to correct for it.",
    )


def _made(record: Mapping[str, Any]) -> tuple[str, ...]:
    parts = ", ".join(f"{name} {n['articles']}" for name, n in record["parts"].items())
    return (
        f"Articles by part, copies included: {parts}. The last stage took "
        f"{record['seconds'] / 60:.0f} minutes. On more than one thread equal runs may differ in "
        "the last digits, and so in the figures.",
    )


def _settings(record: Mapping[str, Any]) -> TableBlock:
    rows = [*record["options"].items(), *record["versions"].items()]
    return TableBlock("", ("setting", "value"), tuple((name, str(value)) for name, value in rows))


def _hashes(folder: Path) -> TableBlock:
    rows = [
        (path.name, path.stat().st_size, sha256(path))
        for path in sorted(folder.glob("*"))
        if path.is_file() and path.suffix in {".safetensors", ".json", ".toml"}
    ]
    return TableBlock("", ("file", "bytes", "sha256"), tuple(rows))


def _beside(figures: Sequence[Figure], figure: Figure, predictor: str) -> Figure | None:
    same = ("test", "language", "variable")
    for other in figures:
        if other["predictor"] == predictor and all(other[k] == figure[k] for k in same):
            return other
    return None


def _first(figure: Figure | None) -> float | None:
    return None if figure is None else figure["macro_f1"][0]


def _interval(ends: Sequence[float | None]) -> str | None:
    value, low, high = ends
    if value is None or low is None or high is None:
        return None if value is None else f"{value:.3f}"
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"
