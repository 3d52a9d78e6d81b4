"""Which texts a model may judge, and what to say where it judges them badly."""

from collections.abc import Mapping
from typing import Any

from classifier.languages import is_foreign
from classifier.records import UNDETERMINED, Article, Mention, Problem

BOUND = 0.6
"""A macro-F1 below this on held-out mentions is told beside every score in that language."""
FEW = 100
"""Fewer held-out mentions than this do not say how well a language is read."""
_UNSUPPORTED = "unsupported language: "


def languages_read(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The languages that a run's base reads or that it was trained on."""
    return tuple(sorted({*record["base_languages"], *record["training_languages"]}))


def refusal(article: Article, languages: tuple[str, ...]) -> str | None:
    """Why the article's language cannot be scored, if it cannot."""
    return None if article.language in languages else f"{_UNSUPPORTED}{article.language}"


def refusal_of(article: Article, mention: Mention, languages: tuple[str, ...]) -> str | None:
    """Why a mention cannot be scored: for its article, or for the paragraph it stands in.

    The language of a text of one paragraph is the article's, and is not asked again.
    """
    whole = refusal(article, languages)
    paragraph = _paragraph(article.text, mention)
    if whole or article.language is None or paragraph.strip() == article.text.strip():
        return whole
    return f"{_UNSUPPORTED}{UNDETERMINED}" if is_foreign(paragraph, article.language) else None


def language_warnings(record: Mapping[str, Any]) -> dict[str, str]:
    """What to say beside scores, by language; nothing where a language is read well enough.

    Told of is the first variable: the figures of all are in the record.
    """
    first = record["variables"][0]
    known = record.get("languages", {})
    warnings = {}
    for code in languages_read(record):
        said = _warning(first, known.get(code, {}))
        if said:
            warnings[code] = f"{code}, {said}"
    return warnings


def warning_problems(warnings: Mapping[str, int]) -> tuple[Problem, ...]:
    """One problem per warning, with how many mentions it holds for."""
    return tuple(
        Problem("scores", "language read badly", f"{warning} (mentions: {n})", _REMEDY)
        for warning, n in warnings.items()
    )


_REMEDY = "code some articles in this language, and train or correct profiles with them"


def _warning(variable: str, told: Mapping[str, Any]) -> str | None:
    figure = told.get("figures", {}).get(variable, {})
    value, n_mentions = figure.get("macro_f1"), figure.get("n_mentions", 0)
    trained = f"trained on {told.get('training_mentions', 0)} mentions in this language"
    if value is None or not n_mentions:
        return f"{variable}: no held-out mentions in this language to judge by; {trained}"
    if value >= BOUND and n_mentions >= FEW:
        return None
    only = " only" if n_mentions < FEW else ""
    return f"{variable}: macro-F1 {value:.2f} on{only} {n_mentions} held-out mentions; {trained}"


def _paragraph(text: str, mention: Mention) -> str:
    start = text.rfind("\n", 0, mention.span.start) + 1
    end = text.find("\n", mention.span.end)
    return text[start : end if end >= 0 else len(text)]
