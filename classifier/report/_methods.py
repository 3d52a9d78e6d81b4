"""What was done, in words: the text on methods for a paper, and the model card of a run."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

import pandas as pd

from classifier.codebook import Codebook
from classifier.evaluation import Evaluation, annotator_test_words, variables_judged
from classifier.predictions import OK
from classifier.profiles import CROSS_FITTED, Profile
from classifier.records import ALL, Estimate
from classifier.report._charts import alpha_of, is_overall
from classifier.report._document import Document, Section, TableBlock, capital, to_markdown
from classifier.report._evidence import Evidence

CITATIONS = {
    "Krippendorff 2004": "krippendorff2004",
    "Passonneau 2006": "passonneau2006",
    "Calderon et al. 2025": "calderon2025",
    "Guo et al. 2017": "guo2017",
    "Angelopoulos et al. 2023": "angelopoulos2023",
    "Egami et al. 2023": "egami2023",
    "Zrnic and Candès 2024": "zrnic2024",
    "Li et al. 2016": "li2016",
}
"""How a work is called in the text, and its key in references.bib."""


_MOST_DRAWS = 3


def methods_section(text: str) -> Section:
    """The paragraph on the methods, and the works it rests on as BibTeX."""
    return Section(
        "Methods", (text,), bibtex=bibliography(text), fold="What was done, in words for a paper"
    )


def methods_text(
    evaluation: Evaluation | None,
    profiles: Sequence[Profile],
    agreement: pd.DataFrame | None,
    evidence: Evidence | None,
) -> str:
    """What was done, in one paragraph; it cites what it rests on and nothing else."""
    sentences: list[str] = []
    if evidence is not None:
        sentences += _texts(evidence)
    if agreement is not None:
        sentences += _agreed(agreement)
    if evaluation is not None:
        sentences += _evaluated(evaluation)
    if profiles:
        sentences += _estimated(profiles[-1])
    if evidence is not None and evidence.explanations:
        sentences += [
            "The words that carry a score were found by leaving each of them out (Li et al. 2016)."
        ]
    return " ".join(sentences)


def bibliography(text: str) -> str:
    """The works that a text cites as `CITATIONS` has it, as BibTeX."""
    everything = resources.files("classifier.report").joinpath("references.bib").read_text("utf-8")
    keys = {key for words, key in CITATIONS.items() if words in text}
    entries = re.split(r"^(?=@)", everything, flags=re.MULTILINE)
    return "".join(entry for entry in entries if _key(entry) in keys)


def _key(entry: str) -> str:
    """The key of a BibTeX entry.

    >>> _key("@book{krippendorff2004, ...")
    'krippendorff2004'
    """
    return entry.partition("{")[2].partition(",")[0]


def _texts(evidence: Evidence) -> Iterator[str]:
    frame = evidence.predictions
    sources, articles = frame["source"].nunique(), frame["article_id"].nunique()
    scored = int((frame["status"] == OK).sum())
    yield (
        f"We found {len(frame)} mentions of {_targets(evidence)} in {articles} "
        f"articles of {sources} sources, by lexicons on offset-mapped text, and scored {scored} of "
        f"them with the model {_listed(frame.get('model_id', pd.Series(dtype=str)).unique())}, "
        f"by the codebook “{evidence.codebook.name}”, version {evidence.codebook.version}."
    )
    if "voice" in frame:
        shares = frame["voice"].value_counts(normalize=True)
        named = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        yield f"Rules told whose words each mention stands in ({named})."


def _targets(evidence: Evidence) -> str:
    """The targets that occur, by their names, as the codebook has them."""
    found = set(evidence.predictions["target"].dropna())
    titles = [one.title for one in evidence.codebook.targets if one.name in found]
    return ", ".join(titles) or _listed(found)


def _agreed(agreement: pd.DataFrame) -> Iterator[str]:
    has_sets = "method" in agreement and agreement["method"].str.contains("masi").any()
    by_masi = " and, for sets of labels, Passonneau 2006" if has_sets else ""
    yield (
        f"Krippendorff's alpha (Krippendorff 2004{by_masi}) between annotators was "
        f"{_alphas_in_words(agreement)}."
    )


def _alphas_in_words(frame: pd.DataFrame) -> str:
    """Alpha over all mentions, variable by variable, in one line."""
    lines = frame[frame["part"] == ALL].to_dict("records")
    return "; ".join(f"{line['variable']} {alpha_of(line)}" for line in lines)


def _evaluated(evaluation: Evaluation) -> Iterator[str]:
    counts, found = evaluation.counts, _figures(evaluation, "accuracy", "macro_f1")
    figures = "; ".join(f"{variable} {figure}" for variable, figure in found.items())
    yield (
        f"On {counts['n_mentions']} mentions in {counts['n_articles']} articles that the model had "
        f"not seen, its macro-F1 against the adjudicated labels was {figures} "
        "(95 % intervals from resampling articles)."
    )
    if evaluation.gold:
        yield f"{capital(evaluation.gold)}."
    judged = {row.keys["predictor"] for row in evaluation.table("calibration")}
    if evaluation.options.uncalibrated in judged:
        yield "Temperature scaling calibrated its probabilities (Guo et al. 2017)."
    tests = [annotator_test_words(evaluation, name) for name in variables_judged(evaluation)]
    if any(tests):
        yield (
            "Whether it may stand in for an annotator was asked by the alternative annotator test "
            "(Calderon et al. 2025), with articles as clusters; the advantage is the chance that "
            "the model does at least as well as a random annotator. "
            f"{' '.join(capital(words) for words in tests if words)}"
        )


def _figures(evaluation: Evaluation, table: str, name: str) -> dict[str, Estimate]:
    """A figure of the model over all mentions, variable by variable."""
    return {
        row.keys["variable"]: row[name]
        for row in evaluation.table(table)
        if row.keys["predictor"] == evaluation.options.predictor
        and name in row.estimates
        and is_overall(row)
    }


def _estimated(profile: Profile) -> Iterator[str]:
    yield f"What is estimated: {profile.estimand[0].lower()}{profile.estimand[1:]}"
    coded = [row for row in profile if row.n_coded_articles]
    if not coded:
        yield "No labels corrected these figures for the model's errors."
        return
    corrected = [quantity.corrected for row in coded for quantity in row.quantities]
    methods = _methods(corrected)
    if not methods:
        yield "There were too few labels to correct these figures for the model's errors."
        return
    if profile.gold:
        yield f"For the profiles: {profile.gold}."
    further = "; Egami et al. 2023" if "Hájek" in methods else ""
    yield (
        f"Means and shares were corrected for the model's errors with labels of a sample of the "
        f"articles ({methods}; Angelopoulos et al. 2023{further})."
    )
    if CROSS_FITTED in methods:
        yield (
            "The labelled articles also trained the model, which was cross-fitted: models were "
            "trained without one fold of these articles each, and judged their own fold and a part "
            "of the other articles (Zrnic and Candès 2024)."
        )
    drawn = sorted({row.drawn for row in coded if row.drawn})
    if len(drawn) > _MOST_DRAWS:
        yield f"The labelled articles were drawn in {len(drawn)} ways; the table has them."
    elif drawn:
        yield f"The labelled articles were drawn as follows: {'; or '.join(drawn)}."


def _methods(figures: Iterable[Estimate]) -> str:
    """How figures that could be estimated were, each part of a way once."""
    ways = sorted({figure.method for figure in figures if figure.value is not None})
    return "; ".join(dict.fromkeys(part for way in ways for part in way.split("; ")))


def _listed(names: Iterable[object]) -> str:
    known = sorted(name for name in names if isinstance(name, str))
    return ", ".join(known) or "unknown"


def model_card(record: Mapping[str, Any], codebook: Codebook) -> str:
    """The card as Markdown: what was learned from what, how well, and what to mind.

    Args:
        record: The run's training.json.
        codebook: The codebook it was trained by.
    """
    options = record["options"]
    kind = options["base_model"] or "a linear model over words and characters"
    sections = (
        Section("Labels", tables=tuple(_labels(record, codebook))),
        Section("Data", _data(record), tables=(_parts(record),)),
        Section("Quality", (_caveat(),), tables=(_metrics(record),)),
        Section("Limits", _limits(record)),
        Section("Made with", tables=(_settings(record),)),
    )
    kind += _started(record)
    summary = (
        f"Scores how a passage frames a target at each mention ({', '.join(record['variables'])}), "
        f"from {kind}, by the codebook “{codebook.name}”, version {codebook.version}."
    )
    return to_markdown(Document("Model card", summary, sections))


def _started(record: Mapping[str, Any]) -> str:
    """What training started from, where that was a run."""
    start = record.get("start")
    if not start:
        return ""
    new = start["heads_new"]
    fresh = f"; its heads of {', '.join(new)} are new" if new else ""
    return f" (training started from the run “{start['name']}”, {start['model_id']}{fresh})"


def _labels(record: Mapping[str, Any], codebook: Codebook) -> list[TableBlock]:
    tables = []
    for name in record["variables"]:
        variable = codebook.variable(name)
        rows = tuple((label.name, label.definition.strip()) for label in variable.labels)
        tables.append(TableBlock(f"{name} ({variable.kind})", ("label", "definition"), rows))
    return tables


def _data(record: Mapping[str, Any]) -> tuple[str, ...]:
    data = record["data"]
    languages = ", ".join(f"{code} {n}" for code, n in record["training_languages"].items())
    lines = [
        f"{data['articles']} articles with {data['annotations']} annotations "
        f"(sha256 {data['sha256'][:16]}…). Training mentions per language: {languages}."
    ]
    lines += [f"Left out: {n} articles, {why}." for why, n in record["left_out"].items()]
    return tuple(lines)


def _parts(record: Mapping[str, Any]) -> TableBlock:
    rows = tuple((part, n["articles"], n["mentions"]) for part, n in record["parts"].items())
    return TableBlock("Parts", ("part", "articles", "mentions with gold"), rows)


def _metrics(record: Mapping[str, Any]) -> TableBlock:
    rows = tuple(
        (name, metric["macro_f1"], metric["n_mentions"])
        for name, metric in record["metrics"].items()
    )
    return TableBlock("On the calibration articles", ("variable", "macro-F1", "mentions"), rows)


def _caveat() -> str:
    return (
        "These articles also set the temperatures, so the figures are a first impression; "
        "`classifier evaluate RUN DIR` judges the model on held-out articles, beside annotators."
    )


def _limits(record: Mapping[str, Any]) -> tuple[str, ...]:
    languages = sorted({*record["base_languages"], *record["training_languages"]})
    return (
        f"Mentions in other languages than {', '.join(languages) or 'none'} get the status "
        "“unsupported language” and no score.",
        "A mean of scores is not a mean of stances: the model errs differently in every source. "
        "Give `classifier profile` labels of a random sample of the articles to correct for it.",
        "Text in quotation marks and reported speech is judged too; the column `voice` parts it "
        "from the author's own words.",
    )


def _settings(record: Mapping[str, Any]) -> TableBlock:
    rows = [*record["options"].items(), *record["versions"].items()]
    shown = tuple((name, str(value)) for name, value in rows)
    return TableBlock("", ("setting", "value"), shown)
