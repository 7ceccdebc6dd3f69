"""The result of a volatility model of one series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.results import Options, Result
from analysis.stats.lagged import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GarchResult(Result):
    """A fitted volatility model, in the unit of the returns given.

    Attributes
    ----------
    params : Mapping
        Estimate by name, in the order mu (or const and phi1..), omega, alpha, gamma, beta, nu, skew; those the model
        has. Gamma weighs falls: of the squared shock in "gjr", of the signed shock in "egarch".
    standard_errors : Mapping or None
        By the same names, robust to a wrong density of the shocks; None when the information matrix is singular.
    covariance : ndarray of shape (q, q) or None
    loglikelihood : float
    persistence : float
        Share of a surprise in the variance that is left after one step.
    persistence_interval : (float, float) or None
    half_life : float or None
        Steps until half of it is gone; None at or beyond a unit root.
    conditional_volatility, standardized : ndarray of shape (n,)
        On the rows given; NaN outside the rows used. The volatility of row t is known at t-1.
    first, last : int
        0-based first and last row of the stretch used.
    """

    method: str
    params: Mapping[str, float]
    standard_errors: Mapping[str, float] | None
    covariance: np.ndarray | None
    loglikelihood: float
    persistence: float
    persistence_interval: tuple[float, float] | None
    interval_level: float
    half_life: float | None
    conditional_volatility: Floats
    standardized: Floats
    first: int
    last: int
    nobs: int
    nobs_lost: int
    options: Mapping[str, Any] = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str

    def summary(self) -> str:
        """Return parameters with robust standard errors, likelihood and persistence as text."""
        lines = [self.method]
        for name, value in self.params.items():
            error = "" if self.standard_errors is None else f" (robust s.e. {self.standard_errors[name]:.4g})"
            lines.append(f"  {name} = {value:.6g}{error}")
        limits = ""
        if self.persistence_interval is not None:
            low, high = self.persistence_interval
            limits = f", {self.interval_level:.0%} interval [{low:.6g}, {high:.6g}]"
        lines.append(f"  persistence = {self.persistence:.6g}{limits}")
        lines.append(f"  log-likelihood = {self.loglikelihood:.6f}, n = {self.nobs} ({self.nobs_lost} lost)")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a parameter, then the persistence."""
        rows: list[dict[str, Any]] = []
        for name, value in self.params.items():
            error = None if self.standard_errors is None else self.standard_errors[name]
            rows.append({"parameter": name, "estimate": value, "standard_error": error, "lower": None, "upper": None})
        low, high = (None, None) if self.persistence_interval is None else self.persistence_interval
        rows.append(
            {
                "parameter": "persistence",
                "estimate": self.persistence,
                "standard_error": None,
                "lower": low,
                "upper": high,
            }
        )
        return pd.DataFrame(rows)
