"""Temperature scaling: probabilities that mean what they say, fitted on articles of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.records import counted

ALL_LANGUAGES = "all"
MIN_MENTIONS = 50
"""Fewer coded mentions than this say too little about one parameter."""
_LIMITS = (0.05, 20.0)
_SMALLEST = 1e-12
_AT_LIMIT = 1e-3


@dataclass(frozen=True)
class Temperature:
    """One fitted temperature; above 1 it makes the model less sure, below 1 surer."""

    value: float
    status: str
    """"ok", or why the value is the neutral 1."""
    n_mentions: int
    loss_before: float | None = None
    loss_after: float | None = None
    """Mean negative log-likelihood on the articles it was fitted on."""


@dataclass(frozen=True)
class Calibration:
    """Temperatures per variable and language; "all" serves if a language has none."""

    temperatures: Mapping[str, Mapping[str, Temperature]]

    def apply(
        self,
        probabilities: Mapping[str, NDArray[np.float64]],
        variables: Sequence[Variable],
        languages: Sequence[str],
    ) -> dict[str, NDArray[np.float64]]:
        """Calibrated probabilities; `languages` has one entry per row."""
        calibrated = {}
        for variable in variables:
            known = self.temperatures.get(variable.name, {})
            general = known.get(ALL_LANGUAGES)
            neutral = 1.0 if general is None else general.value
            by_row = np.array(
                [known[code].value if code in known else neutral for code in languages]
            )
            rows = probabilities[variable.name]
            calibrated[variable.name] = scaled(rows, by_row.reshape(-1, 1), variable)
        return calibrated

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            variable: {language: vars(fitted) for language, fitted in by_language.items()}
            for variable, by_language in self.temperatures.items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Calibration":
        """The calibration that `to_dict` wrote."""
        return cls(
            {
                variable: {code: Temperature(**fitted) for code, fitted in by_language.items()}
                for variable, by_language in data.items()
            }
        )


def fit_calibration(
    probabilities: Mapping[str, NDArray[np.float64]],
    labels: Mapping[str, NDArray[np.int64]],
    variables: Sequence[Variable],
    languages: Sequence[str],
) -> Calibration:
    """Fit a temperature per variable, and one per language that has enough coded mentions."""
    spoken = np.array(languages, dtype=str)
    temperatures: dict[str, dict[str, Temperature]] = {}
    for variable in variables:
        rows, coded = probabilities[variable.name], labels[variable.name]
        fitted = {ALL_LANGUAGES: fit_temperature(rows, coded, variable)}
        codes = sorted(set(languages))
        for code in codes if len(codes) > 1 else ():
            own = fit_temperature(rows[spoken == code], coded[spoken == code], variable)
            if own.status == "ok":
                fitted[code] = own
        temperatures[variable.name] = fitted
    return Calibration(temperatures)


def fit_temperature(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], variable: Variable
) -> Temperature:
    """The temperature with the smallest negative log-likelihood (Guo et al., ICML 2017).

    Rows whose label is -1 are left out; a set is taken as one yes-or-no question per label. Where
    every answer is right the likelihood rises without end, and the temperature is the neutral 1.
    Raises `DataError` if a coded row lacks a probability.
    """
    is_coded = (labels if labels.ndim == 1 else labels.max(axis=1)) >= 0
    n_missing = int(np.isnan(probabilities[is_coded]).any(axis=1).sum())
    if n_missing:
        raise DataError(
            f"every coded mention needs its probabilities, {counted(n_missing, 'mention')} "
            f"of variable {variable.name!r} have none"
        )
    rows, coded = probabilities[is_coded], labels[is_coded]
    n_mentions = len(coded)
    if n_mentions < MIN_MENTIONS:
        return Temperature(1.0, f"too few: {n_mentions} coded mentions", n_mentions)

    def loss(log_temperature: float) -> float:
        return _loss(scaled(rows, np.exp(log_temperature), variable), coded)

    # Read only here: it takes a second, and scoring does without it.
    from scipy.optimize import minimize_scalar

    bounds = (float(np.log(_LIMITS[0])), float(np.log(_LIMITS[1])))
    best = minimize_scalar(loss, bounds=bounds, method="bounded")
    if best.x - bounds[0] < _AT_LIMIT:
        return Temperature(1.0, "undefined: no coded mention is answered wrong", n_mentions)
    return Temperature(float(np.exp(best.x)), "ok", n_mentions, loss(0.0), float(best.fun))


def scaled(
    probabilities: NDArray[np.float64],
    temperature: float | NDArray[np.float64],
    variable: Variable,
) -> NDArray[np.float64]:
    """Probabilities after their logits were divided by the temperature.

    >>> from classifier.codebook import Label
    >>> tone = Variable("tone", "nominal", "", (Label("cold", ""), Label("warm", "")))
    >>> scaled(np.array([[0.8, 0.2]]), 2.0, tone).round(3)  # odds 4 become 2
    array([[0.667, 0.333]])
    """
    kept = np.clip(probabilities, _SMALLEST, 1.0)
    if variable.kind == "set":
        odds = np.log(kept) - np.log(np.clip(1.0 - probabilities, _SMALLEST, 1.0))
        return np.asarray(1.0 / (1.0 + np.exp(-odds / temperature)))
    logits = np.log(kept) / temperature
    weights = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _loss(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    kept = np.clip(probabilities, _SMALLEST, 1.0)
    if labels.ndim == 1:
        return float(-np.log(kept[np.arange(len(labels)), labels]).mean())
    against = np.log(np.clip(1.0 - probabilities, _SMALLEST, 1.0))
    losses = -np.where(labels == 1, np.log(kept), against)
    return float(losses[labels >= 0].mean())
