"""A predictor as one more annotator, beside those it is compared with."""

from collections.abc import Mapping

import pandas as pd

from classifier.agreement.coding import (
    AgreementOptions,
    Coding,
    coded_rows,
    is_missing,
    read_coding,
)
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.records import counted

PREDICTOR = "\x00predictor"
"""A name that no annotator has."""


def coding_with_predictor(
    table: pd.DataFrame,
    answers: Mapping[str, object],
    variable: Variable,
    options: AgreementOptions,
) -> Coding:
    """What annotators and the predictor said of the units that annotators coded.

    The predictor is the first column. Raises `DataError` where annotators coded something and the
    predictor answers none of it.
    """
    answers = {str(unit): label for unit, label in answers.items() if not is_missing(label)}
    rows = coded_rows(table, options)
    rows = rows.assign(unit=rows["unit"].astype(str))
    coding = read_coding(_joined(rows, answers), variable, options)
    if not coding.units:
        return coding
    if PREDICTOR not in coding.annotators:
        raise DataError(
            f"the predictor must answer units that annotators coded, such as {coding.units[0]!r}; "
            f"got {counted(len(answers), 'answer')}, "
            f"none of them to one of {counted(len(coding.units), 'unit')}"
        )
    first = coding.annotators.index(PREDICTOR)
    others = [i for i in range(len(coding.annotators)) if i != first]
    return coding.columns([first, *others])


def _joined(table: pd.DataFrame, answers: Mapping[str, object]) -> pd.DataFrame:
    """The table with the predictor as one more annotator."""
    rows = table[table["unit"].isin(answers.keys())].drop_duplicates("unit")
    own = rows.assign(
        annotator=PREDICTOR,
        label=pd.Series([answers[unit] for unit in rows["unit"]], index=rows.index, dtype=object),
    )
    return pd.concat([table.astype({"label": object}), own], ignore_index=True)
