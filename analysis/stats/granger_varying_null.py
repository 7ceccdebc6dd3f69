"""The model of no causality that bootstrap draws of time-varying tests come from, and the draws themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.stats.granger_bootstrap import rademacher
from analysis.stats.granger_design import Series
from analysis.stats.lagged import Floats, Ints, deterministic, lag_columns


@dataclass(frozen=True, slots=True)
class Plan:
    """What the windows are made of: orders, trend and shortest window."""

    lags: int
    extra_lags: int
    trend: str
    window: int
    robust: bool

    @property
    def reach(self) -> int:
        """Observations a window loses to lags."""
        return self.lags + self.extra_lags


@dataclass(frozen=True, slots=True)
class NullModel:
    """A vector autoregression in which the causes do not enter the effect.

    Attributes
    ----------
    trend_effects : ndarray of shape (d, K)
    lag_effects : ndarray of shape (reach, K, K)
        Entry (j, a, b): effect of series a at lag j + 1 on series b.
    residuals : ndarray of shape (n, K)
        Centered; rows without one hold zero.
    rows : ndarray of int
        Dates that have a residual.
    first : int
        First date of `reach` complete observations, which start every draw.
    """

    trend_effects: Floats
    lag_effects: Floats
    residuals: Floats
    rows: Ints
    first: int
    warning: str


def null_model(series: Series, plan: Plan) -> NullModel | str:
    """Estimate the model of the draws: the effect's equation without causes, the others with every series."""
    X, reach = series.joint, plan.reach
    n, K = X.shape
    causes = range(1, 1 + series.cause.shape[1])
    trend = deterministic(n, plan.trend)
    lagged = lag_columns(X, range(1, reach + 1))
    rows = np.flatnonzero(np.isfinite(np.hstack([X, lagged])).all(axis=1))
    d = trend.shape[1]
    Z = np.hstack([trend, lagged])[rows]
    coefficients = np.zeros((Z.shape[1], K))
    for k in range(K):
        barred = {d + c * reach + j for c in causes for j in range(reach)} if k == 0 else set()
        use = [item for item in range(Z.shape[1]) if item not in barred]
        scale = np.linalg.norm(Z[:, use], axis=0)
        if not (scale > 0).all():
            return "the model of the bootstrap cannot be estimated: a series is constant"
        coefficients[use, k] = np.linalg.lstsq(Z[:, use] / scale, X[rows, k], rcond=None)[0] / scale
    residuals = np.zeros((n, K))
    residuals[rows] = X[rows] - Z @ coefficients
    if plan.trend != "n":
        residuals[rows] -= residuals[rows].mean(axis=0)
    lag_effects = coefficients[d:].reshape(K, reach, K).transpose(1, 0, 2)
    radius = _radius(lag_effects)
    warning = ""
    if radius > 1.0:
        lag_effects = lag_effects / radius ** np.arange(1, reach + 1)[:, None, None]
        warning = f"the model of the bootstrap was explosive (root {radius:.4f}) and was moved to a unit root"
    return NullModel(coefficients[:d], lag_effects, residuals, rows, int(rows[0]) - reach, warning)


def _radius(lag_effects: Floats) -> float:
    """Return the largest modulus of the roots of a vector autoregression."""
    reach, K, _ = lag_effects.shape
    companion = np.eye(reach * K, k=-K)
    companion[:K] = np.hstack([item.T for item in lag_effects])
    return float(np.abs(np.linalg.eigvals(companion)).max())


def simulate_null(series: Series, plan: Plan, null: NullModel, errors: Floats) -> Floats:
    """Return draws (B, n, K) that start from the first complete observations of the sample; errors (B, n, K)."""
    n, reach = errors.shape[1], plan.reach
    path = deterministic(len(series), plan.trend)[:n] @ null.trend_effects + errors
    path[:, :reach] = series.joint[null.first : null.first + reach]
    for t in range(reach, n):
        for j in range(reach):
            path[:, t] += path[:, t - j - 1] @ null.lag_effects[j]
    return path


def null_errors(plan: Plan, null: NullModel, draws: int, rng: np.random.Generator, n: int) -> Floats:
    """Return errors (draws, n, K): resampled dates, or signs by date with resampled errors where the date has none."""
    signs = rademacher(rng, n, draws)
    picked = null.rows[rng.integers(0, len(null.rows), size=(draws, n))]
    if not plan.robust:
        return null.residuals[picked]
    known = null.rows[null.rows < n]
    picked[:, known] = known
    return null.residuals[picked] * signs.T[:, :, None]
