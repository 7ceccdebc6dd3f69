"""The result of a model of dynamic correlation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.results import Options, Result
from analysis.stats.lagged import Floats
from analysis.stats.volatility.result import GarchResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DynamicCorrelation(Result):
    """Correlations that move from day to day.

    Attributes
    ----------
    alpha, beta : float
        Weight of the last shocks, and of the last matrix.
    loglikelihood, constant_loglikelihood : float
        Of volatilities and correlations together; with the correlation held constant. Their difference is not tested
        by a chi-square, since beta does not exist under constancy: see `constant_correlation`.
    correlation : ndarray of shape (n, k, k)
        On the rows given; row t is known at t-1; NaN outside the rows used.
    target : ndarray of shape (k, k)
        Long-run mean of the matrix that is scaled to correlations.
    pairs : tuple of (str, str)
    correlation_interval : ndarray of shape (n, n_pairs, 2) or None
        Pointwise limits for the uncertainty of the parameters.
    alpha_error, beta_error : float or None
    persistence_interval : (float, float) or None
        Of alpha + beta, symmetric in the log of its distance from one.
    margins : tuple of GarchResult
        On the stretch used.
    """

    method: str
    names: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    alpha: float
    beta: float
    loglikelihood: float
    constant_loglikelihood: float
    correlation: Floats
    target: Floats
    margins: tuple[GarchResult, ...]
    correlation_interval: np.ndarray | None = None
    alpha_error: float | None = None
    beta_error: float | None = None
    persistence_interval: tuple[float, float] | None = None
    interval_level: float = 0.95
    nobs: int
    nobs_lost: int
    options: Mapping[str, Any] = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str

    @property
    def persistence(self) -> float:
        """Share of a surprise in the correlation that is left after one step."""
        return self.alpha + self.beta

    def path(self, pair: int = 0) -> Floats:
        """Return the correlation (n,) of a pair, by its place in `pairs`."""
        i, j = (self.names.index(name) for name in self.pairs[pair])
        return np.asarray(self.correlation[:, i, j])

    def summary(self) -> str:
        """Return the parameters and the range of each pair's correlation as text."""
        lines = [self.method]
        for name, value, error in (("alpha", self.alpha, self.alpha_error), ("beta", self.beta, self.beta_error)):
            lines.append(f"  {name} = {value:.6g}" + ("" if error is None else f" (s.e. {error:.4g})"))
        limits = ""
        if self.persistence_interval is not None:
            low, high = self.persistence_interval
            limits = f", {self.interval_level:.0%} interval [{low:.6g}, {high:.6g}]"
        lines.append(f"  persistence = {self.persistence:.6g}{limits}")
        for row in self.to_frame().itertuples():
            lines.append(
                f"  {row.first} and {row.second}: mean {row.mean:.4g}, from {row.lowest:.4g} to {row.highest:.4g}, "
                f"last {row.last:.4g}"
            )
        lines.append(
            f"  log-likelihood = {self.loglikelihood:.6f} (constant correlation {self.constant_loglikelihood:.6f}), "
            f"n = {self.nobs} ({self.nobs_lost} lost)"
        )
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a pair: mean, lowest, highest and last correlation, with the limits of the last."""
        rows = []
        for place, (first, second) in enumerate(self.pairs):
            path = self.path(place)
            known = np.flatnonzero(np.isfinite(path))
            ends = None if self.correlation_interval is None else self.correlation_interval[known[-1], place]
            rows.append(
                {
                    "first": first,
                    "second": second,
                    "mean": float(path[known].mean()),
                    "lowest": float(path[known].min()),
                    "highest": float(path[known].max()),
                    "last": float(path[known[-1]]),
                    "lower": None if ends is None else float(ends[0]),
                    "upper": None if ends is None else float(ends[1]),
                }
            )
        return pd.DataFrame(rows)
