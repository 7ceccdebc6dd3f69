"""Inference on a smooth function of means of dependent data: delta method with few cosine weights, and block bootstrap.

Notes
-----
Rows stand on their own dates: a missing row is a zero with weight zero, so that no gap is ever bridged. Everything a
resample needs are the sums of its blocks, because both the value and its own standard error are functions of sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.fft import dct

from analysis.stats.lagged import Floats

FEWEST_ROWS = 50
FEWEST_PERIODS = 12
_BLOCK_CELLS = 4_000_000

Curve = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class SmoothValue:
    """A function of means with its standard error.

    Attributes
    ----------
    value, error : float
    degrees : int
        Cosine weights averaged, the degrees of freedom of the t ratio.
    grid : ndarray of shape (n_dates, k + 1)
        The data from the first row in use to the last, zero where missing; the last column marks rows in use.
    influence : ndarray of shape (n_dates,)
        How much each date moves the value; zero where missing.
    nobs : int
        Rows in use.
    """

    value: float
    error: float
    degrees: int
    grid: Floats
    influence: Floats
    nobs: int

    def tail(self) -> float:
        """Return the two-sided p-value of the value being zero."""
        return float(2.0 * stats.t.sf(abs(self.value) / self.error, self.degrees))

    def interval(self, level: float) -> tuple[float, float]:
        """Return the t interval of the value."""
        half = float(stats.t.isf((1.0 - level) / 2.0, self.degrees)) * self.error
        return self.value - half, self.value + half


def cosine_weights(nobs: int) -> int:
    """Return how many cosine weights to average: 0.4 n^(2/3), at least two (Lazarus and others 2018)."""
    return max(2, int(0.4 * nobs ** (2.0 / 3.0)))


def default_block(nobs: int) -> int:
    """Return the length of a block of the bootstrap: 3 n^(1/3), about two months at ten years of sessions."""
    return max(2, int(3.0 * nobs ** (1.0 / 3.0)))


def smooth_value(data: Floats, curve: Curve, slope: Curve, *, fewest: int = FEWEST_ROWS) -> SmoothValue | str:
    """Estimate a function of the means of the columns; return a reason in words when the data do not allow it.

    Parameters
    ----------
    data : ndarray of shape (n, k)
        A row is used only when all of its values are present.
    curve : callable
        Maps means of shape (..., k) to values of shape (...).
    slope : callable
        Its gradient, shape (..., k).
    fewest : int
        Rows in use below which nothing is estimated.

    Notes
    -----
    The long-run variance is the average of squared cosine transforms at the lowest frequencies, which gives a t
    distribution in samples where a kernel with many autocovariances would reject too often.

    References
    ----------
    Lazarus, Lewis, Stock and Watson (2018), J. Business & Economic Statistics 36, 541-559.
    """
    used = np.asarray(np.isfinite(data).all(axis=1))
    nobs = int(used.sum())
    if nobs < fewest:
        return f"{nobs} usable rows or periods are too few; at least {fewest} are needed"
    rows = np.flatnonzero(used)
    inside = slice(int(rows[0]), int(rows[-1]) + 1)
    grid = np.column_stack([np.where(used[:, None], data, 0.0), used])[inside]
    means = grid[:, :-1].sum(axis=0) / nobs
    with np.errstate(divide="ignore", invalid="ignore"):
        value, gradient = float(curve(means)), slope(means)
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        return "a series is constant or zero throughout, so that the ratio does not exist"
    influence = (grid[:, :-1] - grid[:, -1:] * means) @ gradient
    degrees = cosine_weights(len(grid))
    waves = dct(influence, type=2, norm="ortho")[1 : degrees + 1]
    error = float(np.sqrt(np.mean(waves**2) * len(grid))) / nobs
    scale = float(np.sqrt(np.mean(((grid[:, :-1] - grid[:, -1:] * means) * gradient) ** 2)))
    if not error > 1e-12 * scale:
        return "both series vary alike, which leaves nothing to compare"
    return SmoothValue(value=value, error=error, degrees=degrees, grid=grid, influence=influence, nobs=nobs)


def block_draws(
    fit: SmoothValue, curve: Curve, slope: Curve, *, block: int, draws: int, rng: np.random.Generator
) -> Floats:
    """Return t ratios (draws,) of resamples around the estimate: blocks drawn from the dates laid in a circle.

    Notes
    -----
    Each resample is studentised by the variance of its own block sums, which makes the draws reflect how uncertain the
    standard error itself is. A resample in which the function does not exist counts as infinitely far.

    References
    ----------
    Götze and Künsch (1996), Annals of Statistics 24, 1914-1933; Ledoit and Wolf (2011), Wilmott 55, 86-89.
    """
    n = len(fit.grid)
    block = min(block, n)
    around = np.vstack([fit.grid, fit.grid[: block - 1]])
    running = np.vstack([np.zeros(around.shape[1]), np.cumsum(around, axis=0)])
    sums = running[block:] - running[:-block]
    count = -(-n // block)
    size = max(1, _BLOCK_CELLS // (count * sums.shape[1]))
    ratios = []
    for first in range(0, draws, size):
        picked = sums[rng.integers(0, n, size=(min(size, draws - first), count))]
        ratios.append(_ratios(picked, fit.value, curve, slope))
    return np.concatenate(ratios)


def _ratios(sums: Floats, centre: float, curve: Curve, slope: Curve) -> Floats:
    """Return the t ratios of resamples given the sums of their blocks, shape (draws, blocks, k + 1)."""
    total = sums.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = total[:, :-1] / total[:, -1:]
        moves = np.einsum("dbk,dk->db", sums[..., :-1] - sums[..., -1:] * means[:, None, :], slope(means))
        error = np.sqrt(np.square(moves).sum(axis=1)) / total[:, -1]
        ratios = np.abs(curve(means) - centre) / error
    return np.where(np.isfinite(ratios), ratios, np.inf)


def level_of(means: Floats) -> Floats:
    """Return the mean of the one column: the curve whose value is the mean itself."""
    return np.asarray(means[..., 0])


def unit_slope(means: Floats) -> Floats:
    """Return the gradient of `level_of`."""
    return np.ones_like(means)


def period_means(data: Floats, span: int) -> Floats:
    """Average consecutive rows by periods.

    Parameters
    ----------
    data : ndarray of shape (n, k)
        A row with a missing value is left out whole.
    span : int
        Rows a period. Periods are counted back from the last row: an incomplete one is the oldest and is left out.

    Returns
    -------
    ndarray of shape (n // span, k)
        NaN where fewer than half of the rows of a period are there.
    """
    count = len(data) // span
    blocks = data[len(data) - count * span :].reshape(count, span, data.shape[1])
    here = np.asarray(np.isfinite(blocks).all(axis=2))
    present = here.sum(axis=1)
    means = np.where(here[:, :, None], blocks, 0.0).sum(axis=1) / np.maximum(present, 1)[:, None]
    means[2 * present < span] = np.nan
    return np.asarray(means)
