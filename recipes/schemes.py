"""Published corpora as labelling schemes: each has a head of its own over shared layers.

NewsMTSC, RuSentNE and RuOpinionNE do not call the same thing stance. So each of
them codes a variable of its own, beside the variables of our codebook.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from classifier.annotations import AnnotationSet, recode
from classifier.annotations.formats import import_annotations
from classifier.codebook import Codebook, Variable, default_codebook

SCHEMES = {
    "newsmtsc": "Sentiment towards a person or group in English news (Hamborg and Donnay 2021).",
    "rusentne": "Sentiment towards an entity in Russian news (Golubev et al. 2023).",
    "ruopinionne": "Opinion about an entity in Russian news (Loukachevitch et al. 2025).",
}
"""Name of each scheme, which is its variable and its folder, with what it asks."""


def scheme_codebook() -> Codebook:
    """The codebook that ships, with a variable for each scheme behind its own."""
    codebook = default_codebook()
    labels = tuple(replace(one, counterparts={}) for one in codebook.variable("stance").labels)
    schemes = tuple(Variable(name, "ordinal", text, labels) for name, text in SCHEMES.items())
    return replace(codebook, variables=(*codebook.variables, *schemes))


def read_scheme(name: str, folder: Path, codebook: Codebook) -> AnnotationSet:
    """One published corpus, coded for the variable of its scheme only.

    Args:
        name: One of `SCHEMES`.
        folder: As its publisher gives it.
        codebook: As `scheme_codebook` makes it.

    Raises:
        DataError: nothing of it is there.
    """
    given = recode(import_annotations(name, folder).annotation_set, codebook).annotation_set
    table = given.table.copy()
    table[name] = table["stance"]
    for variable in codebook.variables:
        if variable.name != name:
            table[variable.name] = pd.Series([None] * len(table), table.index, dtype="object")
    return replace(given, table=table)
