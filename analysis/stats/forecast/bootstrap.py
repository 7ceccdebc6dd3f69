"""Studentised stationary bootstrap of a smooth function of means, for intervals that survive heavy tails."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.stats.cross_quantilogram import stationary_indices
from analysis.stats.forecast.inputs import tail_probability
from analysis.stats.lagged import Floats
from analysis.stats.regression import as_series, require_generator

LEAST_DRAWS = 99
_CANCELLED = 1e-24
_BLOCK = 250  # draws whose row numbers are held at once


class Smooth(NamedTuple):
    """A function of means (.., k) and its gradient (.., k)."""

    value: Callable[[Floats], Floats]
    gradient: Callable[[Floats], Floats]


class Estimate(NamedTuple):
    """A point estimate, its standard error, interval, statistic, p-value and block."""

    value: float
    error: float
    interval: tuple[float, float]
    statistic: float
    pvalue: float
    block: float


def block_length(values: ArrayLike, *, bootstrap: str = "stationary") -> float:
    """Return the block length that suits the dependence of a series.

    Parameters
    ----------
    values : array of shape (n,)
        Without NaN.
    bootstrap : {"stationary", "circular"}

    Returns
    -------
    float
        At least 1; 1 for a series that does not vary.

    References
    ----------
    Politis and White (2004), Econometric Reviews 23; Patton, Politis and White (2009), Econometric Reviews 28.
    """
    from arch.bootstrap import optimal_block_length

    series = as_series("values", values)
    if bootstrap not in ("stationary", "circular"):
        raise InputError("unknown bootstrap", given=repr(bootstrap), limit="stationary, circular")
    if np.isnan(series).any():
        raise InputError("a block length needs every value", given=f"{int(np.isnan(series).sum())} missing")
    if series.size < 10 or not series.std() > 1e-14 * np.abs(series).max():
        return 1.0
    found = float(optimal_block_length(series)[bootstrap].iloc[0])
    return max(1.0, found) if math.isfinite(found) else 1.0


def check_draws(draws: int, rng: np.random.Generator | None) -> int:
    """Return the number of draws: none, or enough for a tail; raises InputError otherwise."""
    count = require_generator(draws, rng)
    if 0 < count < LEAST_DRAWS:
        raise InputError("too few bootstrap draws", given=count, limit=f"0 or at least {LEAST_DRAWS}")
    return count


def estimate(
    columns: Floats,
    function: Smooth,
    *,
    level: float,
    draws: int,
    rng: np.random.Generator | None,
    least_block: float = 1.0,
    against: float = 0.0,
    alternative: str = "greater",
) -> Estimate | str:
    """Estimate a smooth function of means of `columns` (n, k) with an interval.

    The p-value holds the estimate against a value; the two-sided one is at most 1 - level exactly when the interval
    leaves that value out.

    Notes
    -----
    Without draws: normal law and an error from the influence of each row with Bartlett weights over the block length.
    With draws: the same statistic divided by its own error in every sample, symmetric interval; both errors leave the
    dependence to the blocks.
    """
    n = len(columns)
    means = columns.mean(axis=0)
    centre = float(function.value(means))
    slope = function.gradient(means)
    influence = (columns - means) @ slope
    # Parts that cancel leave rounding, which is no sampling variation.
    parts = float(np.sum(slope**2 * columns.var(axis=0)))
    if not math.isfinite(centre) or not np.mean(influence**2) > _CANCELLED * parts:
        return "the estimate has no sampling variation"
    length = min(max(block_length(influence), least_block), n / 2)
    if not draws or rng is None:
        error = math.sqrt(_bartlett(influence, int(length)) / n)
        reach = float(stats.norm.isf((1.0 - level) / 2.0)) * error
        statistic = (centre - against) / error
        tail = tail_probability(stats.norm, statistic, alternative)
        return Estimate(centre, error, (centre - reach, centre + reach), statistic, tail, length)
    error = math.sqrt(float(np.mean(influence**2)) / n)
    t = _pivots(columns, function, centre, length, draws, rng)
    pivot = t[np.isfinite(t)]
    if pivot.size < 0.95 * draws:
        return "the estimate cannot be computed in more than one of twenty bootstrap samples"
    reach = float(np.quantile(np.abs(pivot), level)) * error
    statistic = (centre - against) / error
    if alternative == "two-sided":
        beyond = np.abs(pivot) >= abs(statistic)
    else:
        beyond = pivot >= statistic if alternative == "greater" else pivot <= statistic
    pvalue = (1.0 + int(beyond.sum()) + draws - pivot.size) / (1.0 + draws)
    return Estimate(centre, error, (centre - reach, centre + reach), statistic, pvalue, length)


def _bartlett(influence: Floats, lags: int) -> float:
    """Return the long-run variance of rows side by side."""
    total = float(influence @ influence)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(influence[lag:] @ influence[:-lag])
    return max(total / len(influence), 1e-300)


def _pivots(
    columns: Floats, function: Smooth, centre: float, length: float, draws: int, rng: np.random.Generator
) -> Floats:
    """Return (draws,) values of estimate less centre over its own standard error."""
    from analysis.stats.forecast.bootstrap_kernels import resampled_moments

    n, k = columns.shape
    shifted = np.ascontiguousarray(columns - columns.mean(axis=0))
    means, covariances = np.empty((draws, k)), np.empty((draws, k, k))
    for start in range(0, draws, _BLOCK):
        stop = min(start + _BLOCK, draws)
        index = stationary_indices(n, length, stop - start, rng)
        resampled_moments(shifted, index, means[start:stop], covariances[start:stop])
    means += columns.mean(axis=0)
    slope = function.gradient(means)
    variance = np.einsum("bi,bij,bj->b", slope, covariances, slope) / n
    with np.errstate(invalid="ignore", divide="ignore"):
        return (function.value(means) - centre) / np.sqrt(variance)
