"""The result of pseudo-out-of-sample forecasting: several nested models' forecasts at the same origins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.results import Result
from analysis.stats.lagged import Floats

BENCHMARKS = ("mean", "own", "controls")
METHOD = "Pseudo-out-of-sample forecasts"
REFERENCE = (
    "West (2006), Handbook of Economic Forecasting 1, chapter 3; Clark and McCracken (2013), the same 2, chapter 20"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastPath(Result):
    """Forecasts of several nested models at the same origins.

    Attributes
    ----------
    origins : ndarray of shape (m,)
        Row whose end is the moment of the forecast: rows up to it are known, later ones are not.
    actual : ndarray of shape (m,)
        Sum of the effect over the `horizon` rows after the origin; NaN where it is not known yet.
    mean, own, controls, model : ndarray of shape (m,)
        Forecasts from a constant; with own lags; with the given series too; with the cause too.
    own_order, lag_order, training : ndarray of shape (m,)
        Lags of the effect and of the cause that were chosen, and rows they were estimated on.
    scheme : str
        ``"expanding"`` or ``"rolling"``.
    horizon, step, window : int
        Rows summed over, rows between two origins, and training rows (the first time when expanding).
    nobs_lost : int
        Origins with enough history but no forecast, since a value was missing or the columns were dependent.
    """

    method: str = METHOD
    origins: np.ndarray
    actual: np.ndarray
    mean: np.ndarray
    own: np.ndarray
    controls: np.ndarray
    model: np.ndarray
    own_order: np.ndarray
    lag_order: np.ndarray
    training: np.ndarray
    scheme: str
    horizon: int
    step: int
    window: int
    nobs_lost: int = 0
    options: Mapping[str, Any]
    reference: str = REFERENCE

    @property
    def nobs(self) -> int:
        """Forecasts whose outcome is known."""
        return int(np.isfinite(self.actual).sum())

    @property
    def overlap(self) -> int:
        """Rows of the path whose outcomes share a period: the horizon of a test on the path."""
        return math.ceil(self.horizon / self.step)

    def compared(self, benchmark: str = "mean") -> tuple[Floats, Floats, Floats]:
        """Return outcome, benchmark and model where the outcome is known; `benchmark` is mean, own or controls."""
        if benchmark not in BENCHMARKS:
            raise InputError("unknown benchmark", given=repr(benchmark), limit=", ".join(BENCHMARKS))
        known = np.isfinite(self.actual)
        return self.actual[known], getattr(self, benchmark)[known], self.model[known]

    def summary(self) -> str:
        """Return design and accuracy as plain text."""
        errors = {name: _rmse(*self.compared(name)[:2]) for name in BENCHMARKS}
        errors["model"] = _rmse(self.compared()[0], self.compared()[2])
        lines = [
            f"{self.method}, {self.scheme} window of {self.window} rows, horizon {self.horizon}, step {self.step}",
            f"  {len(self.origins)} forecasts, {self.nobs} with an outcome ({self.nobs_lost} origins lost)",
            "  root mean squared error: " + ", ".join(f"{name} {value:.6g}" for name, value in errors.items()),
            f"  median lags: own {np.median(self.own_order):g}, cause {np.median(self.lag_order):g}",
            f"  Reference: {self.reference}",
        ]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a forecast."""
        names = ("actual", "mean", "own", "controls", "model", "own_order", "lag_order", "training")
        return pd.DataFrame({"origin": self.origins} | {name: getattr(self, name) for name in names})


def _rmse(actual: Floats, forecast: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(actual - forecast))))
