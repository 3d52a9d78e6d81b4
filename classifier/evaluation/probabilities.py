"""What a predictor says of every label."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.records import counted
from classifier.resampling import FloatArray

_ROUNDING = 0.02
"""How far probabilities may miss 1 in sum: other tools round them."""


def read_probabilities(
    rows: pd.DataFrame, variable: Variable, ok: npt.NDArray[np.bool_], where: str
) -> FloatArray | None:
    """Rows x labels in codebook order, nan where not `ok`; None where there are none.

    Raises `DataError` where they are no probabilities, such as percentages.
    """
    columns = list(variable.probability_columns)
    if not set(columns) <= set(rows.columns):
        return None
    try:
        probabilities = rows[columns].to_numpy(dtype=np.float64, copy=True)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {', '.join(columns)} must be numbers: {error}") from None
    probabilities[~ok] = np.nan
    known = probabilities[~np.isnan(probabilities).any(axis=1)]
    is_off = (known < -_ROUNDING) | (known > 1 + _ROUNDING)
    if variable.kind != "set":
        is_off |= np.abs(known.sum(axis=1, keepdims=True) - 1) > _ROUNDING
    if is_off.any():
        first = ", ".join(f"{p:g}" for p in known[is_off.any(axis=1)][0])
        total = "" if variable.kind == "set" else " and sum to 1"
        raise DataError(
            f"{where}: {', '.join(columns)} must lie from 0 to 1{total}; "
            f"{counted(int(is_off.any(axis=1).sum()), 'row')} do not, such as {first}"
        )
    return probabilities if len(known) else None
