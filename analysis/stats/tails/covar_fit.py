"""The quantile regression behind ΔCoVaR, ready to be repeated on many weighted samples at a tenth of the cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.stats.lagged import Floats, Ints
from analysis.stats.quantile.regression import fit_quantile, solve_quantile

# Rows this close to the fit, in units of the spread of residuals there, may change side in a resample.
_KEPT_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class TailFit:
    """One quantile regression, ready to be repeated on weighted samples.

    A resample changes the fit little, so a row far from it keeps its side. All such rows of one side enter a resample
    as their sum: the check loss of a sum is the sum of the losses while no sign changes. If one does, the resample is
    fitted in full.

    References: Portnoy and Koenker (1997), Statistical Science 12, section 5.
    """

    x: Floats
    X: Floats
    y: Floats
    tau: float
    kink: float | None
    order: Ints
    near: Ints
    above: Ints
    below: Ints

    @classmethod
    def of(cls, y: Floats, x: Floats, tau: float, slopes: str = "common") -> TailFit | str:
        """Fit a quantile of y on x and mark the rows near it; the reason in words when that cannot be done."""
        kink = float(np.median(x)) if slopes == "split" else None
        X = _design(x, kink)
        fit = fit_quantile(X, y, tau)
        if isinstance(fit, str):
            return fit
        distance = np.abs(fit.residuals) / _spread(X, fit.influence)
        edge = np.partition(distance, int(_KEPT_SHARE * x.size))[int(_KEPT_SHARE * x.size)]
        far = distance > edge
        return cls(
            x,
            X,
            y,
            tau,
            kink,
            np.argsort(x, kind="stable"),
            np.flatnonzero(~far),
            np.flatnonzero(far & (fit.residuals > 0)),
            np.flatnonzero(far & (fit.residuals < 0)),
        )

    def moves(self, weights: Ints) -> tuple[float, float, float, float]:
        """Return ΔCoVaR, slope, and the effect's quantile with the cause in its tail and at its median."""
        coefficients = self._coefficients(weights)
        if coefficients is None:
            return (np.nan,) * 4
        places = np.array([weighted_quantile(self.x, self.order, weights, level) for level in (self.tau, 0.5)])
        tail, median = _design(places, self.kink) @ coefficients
        slope = coefficients[1] if self.kink is None or self.tau < 0.5 else coefficients[2]
        return float(tail - median), float(slope), float(tail), float(median)

    def _coefficients(self, weights: Ints) -> Floats | None:
        rows = self.near[weights[self.near] > 0]
        w = weights[rows].astype(np.float64)
        sums = [
            (weights[side] @ self.X[side], float(weights[side] @ self.y[side])) for side in (self.above, self.below)
        ]
        X = np.vstack([self.X[rows] * w[:, None], *(item[0] for item in sums)])
        y = np.concatenate([self.y[rows] * w, [item[1] for item in sums]])
        solved = solve_quantile(X, y, self.tau)
        if solved is not None:
            residuals = self.y - self.X @ solved[0]
            moved = (residuals[self.above] <= 0) & (weights[self.above] > 0)
            if not moved.any() and not ((residuals[self.below] >= 0) & (weights[self.below] > 0)).any():
                return solved[0]
        rows = np.flatnonzero(weights)
        scale = weights[rows].astype(np.float64)
        solved = solve_quantile(self.X[rows] * scale[:, None], self.y[rows] * scale, self.tau)
        return None if solved is None else solved[0]


def _design(x: Floats, kink: float | None) -> Floats:
    """Return a constant and the cause, or a constant and how far the cause is below and above the kink."""
    one = np.ones(x.size)
    if kink is None:
        return np.column_stack([one, x])
    return np.column_stack([one, np.minimum(x - kink, 0.0), np.maximum(x - kink, 0.0)])


def _spread(X: Floats, influence: Floats) -> Floats:
    """Return the standard error of the fitted quantile at every row."""
    covariance = influence.T @ influence
    return np.sqrt(np.einsum("ij,jk,ik->i", X, covariance, X))


def weighted_quantile(values: Floats, order: Ints, weights: Ints, level: float) -> float:
    """Return the type 7 quantile of a sample in which every value has a number of copies."""
    running = np.cumsum(weights[order])
    place = (int(running[-1]) - 1) * level
    floor = int(place)
    places = np.searchsorted(running, [floor, min(floor + 1, int(running[-1]) - 1)], side="right")
    low, high = (float(item) for item in values[order[places]])
    return low + (place - floor) * (high - low)
