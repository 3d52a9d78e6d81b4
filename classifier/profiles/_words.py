"""What a reader may do with a figure of a profile, as a sentence."""

from classifier.intervals import MINIMUM_CODED
from classifier.notebook_html import short
from classifier.profiles._results import VALID, Profile, ProfileRow, Quantity
from classifier.records import Estimate

_REFUTED = "not valid: "


def published(row: ProfileRow, quantity: Quantity) -> Estimate | None:
    """The figure that may be published; None where it is withheld or its draw failed the test."""
    return None if quantity.corrected.value is None or row.is_refuted else quantity.corrected


def is_few(figure: Estimate) -> bool:
    """Whether a figure rests on fewer articles than an estimate needs.

    Labelled articles count where there are labels, else all.
    """
    return (figure.n_coded_articles or figure.n_articles) < MINIMUM_CODED


def disagrees(quantity: Quantity) -> bool:
    """Whether the model's figure lies outside the interval that the labels alone give."""
    labelled, naive = quantity.labelled, quantity.naive.value
    if naive is None or labelled.low is None or labelled.high is None or is_few(labelled):
        return False
    return not labelled.low <= naive <= labelled.high


def disagreement_words(profile: Profile, row: ProfileRow, quantity: Quantity) -> str:
    """That model and labels disagree; empty where they do not.

    "Model and labels disagree about Russia (−.20 against +.02): do not use the model's mean."
    """
    model, labels = quantity.naive.value, quantity.labelled.value
    if model is None or labels is None or not disagrees(quantity):
        return ""
    figure = "mean" if quantity.label is None else "share"
    return (
        f"Model and labels disagree about {', '.join(profile.names(row))} "
        f"({short(model)} against {short(labels)}): do not use the model's {figure}."
    )


def verdict_words(profile: Profile, row: ProfileRow, quantity: Quantity) -> str:
    """What a reader may do with a quantity of a row.

    The number of coded articles that it names is that of the row, so that a row with one coded
    article never speaks of another number.

    Args:
        profile: Where the row comes from.
        row: A group in one voice.
        quantity: One of its means or shares.
    """
    if not quantity.corrected.n_coded_articles:
        return "Not corrected: no coded article."
    if quantity.corrected.value is None:
        return _sentence(quantity.corrected.status)
    if row.is_refuted:
        reason = row.verdict.removeprefix(_REFUTED)
        return f"{_sentence(reason).removesuffix('.')}: do not use the corrected figure."
    apart = disagreement_words(profile, row, quantity)
    if row.verdict == VALID:
        return apart or "Valid."
    return f"{_sentence(row.verdict)} {apart}".rstrip()


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
