"""The model card of a run folder, written from its own record."""

from collections.abc import Mapping
from typing import Any

from classifier.codebook import Codebook
from classifier.report._document import Document, Section, TableBlock, to_markdown


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
