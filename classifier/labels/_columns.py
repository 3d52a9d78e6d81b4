"""What the columns of a stranger's table are: by their usual names."""

import re
from collections.abc import Mapping

import pandas as pd

from classifier.codebook import Codebook, Variable

USUAL: Mapping[str, tuple[str, ...]] = {
    "unit": ("unit", "unit_id", "mention_id", "custom_id"),
    "article_id": (
        *("article_id", "article", "articleid", "doc_id", "document_id", "document", "doc"),
        *("text_id", "id"),
    ),
    "start": ("start", "begin", "start_char", "char_start", "start_offset"),
    "end": ("end", "stop", "end_char", "char_end", "end_offset"),
    "target": ("target", "entity", "country", "target_name", "about"),
    "surface": ("surface", "mention", "quote", "mention_text", "quoted_mention", "phrase"),
    "occurrence": ("occurrence", "nth", "which", "occurrence_number"),
}
"""What names a mention. `occurrence` counts from 1."""
_LABEL = (
    *("label", "prediction", "predicted", "predicted_label", "answer", "class", "category"),
    *("sentiment", "polarity", "response", "output"),
)
"""What a table calls its labels where it does not name the variable."""


def plain(name: object) -> str:
    """A name without case, blanks and dashes.

    >>> plain(" Article-ID ")
    'article_id'
    """
    return re.sub(r"[\s\-.]+", "_", str(name).strip().casefold())


def known_names(frame: pd.DataFrame, codebook: Codebook) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rename the columns to our words.

    Args:
        frame: A stranger's table.
        codebook: Whose variables to look for.

    Returns:
        The table under our names, and a note for every name that had to be interpreted.
    """
    found: dict[str, str] = {}
    for column in frame.columns:
        found.setdefault(plain(column), column)
    names: dict[str, str] = {}
    for ours, usual in USUAL.items():
        given = next((found[name] for name in usual if name in found), None)
        if given is not None and given not in names:
            names[given] = ours
    notes = _variable_names(names, found, codebook)
    taken = set(names.values())
    for name, given in found.items():
        if given not in names and name not in taken:
            names[given] = name if name in _KEPT or given != given.strip() else given
    kept = [column for column in frame.columns if column in names]
    return frame[kept].rename(columns=names), notes


SPENT = ("cost", "seconds", "input_tokens", "output_tokens")
"""What a row took; shared among the mentions it stands for."""
_KEPT = ("source", "language", "date", "story_id", "zone", "kind", "voice", "speaker", "status")


def _variable_names(
    names: dict[str, str], found: Mapping[str, str], codebook: Codebook
) -> tuple[str, ...]:
    asked = []
    for variable in codebook.variables:
        name = plain(variable.name)
        if name in found:
            names[found[name]] = variable.name
            asked.append(variable.name)
        if plain(f"{variable.name}_score") in found:
            names[found[plain(f"{variable.name}_score")]] = f"{variable.name}_score"
        names |= _probability_names(variable, found, is_first=variable == codebook.variables[0])
    first = codebook.variables[0].name
    given = next((found[name] for name in _LABEL if name in found), None)
    if first in asked or given is None or given in names:
        return ()
    names[given] = first
    return (f"the column {given!r} was read as {first!r}",)


def _probability_names(
    variable: Variable, found: Mapping[str, str], *, is_first: bool
) -> dict[str, str]:
    """The columns of chances, where there is one for every label."""
    name = variable.name
    patterns = ["p_{name}_{label}", "prob_{name}_{label}", "{name}_{label}"]
    patterns += ["p_{label}", "prob_{label}"] if is_first else []
    for pattern in patterns:
        wanted = {
            plain(pattern.format(name=name, label=label)): f"p_{name}_{label}"
            for label in variable.names
        }
        if set(wanted) <= set(found):
            return {found[given]: ours for given, ours in wanted.items()}
    return {}
