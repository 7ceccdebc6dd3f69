"""Products and squares of tick increments, summed by block of time: all that estimates, intervals and draws need."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.stats.ticks import Ticks

MINIMUM_INTERVALS = 20
LARGEST_POWER = 140  # of ten, of movements and of their products, whose squares a float holds


@dataclass(frozen=True, slots=True)
class BlockSums:
    """Sums by block of time: `products` of shape (L, B); `squares_x` and `squares_y` of shape (B,)."""

    products: np.ndarray
    squares_x: np.ndarray
    squares_y: np.ndarray
    nobs_x: int
    nobs_y: int
    nobs_lost: int
    shortest: float

    def correlation(self) -> np.ndarray:
        """Return the correlation at each lag, shape (L,)."""
        return self.products.sum(axis=1) / math.sqrt(self.squares_x.sum() * self.squares_y.sum())

    def t_statistics(self) -> np.ndarray:
        """Return the t statistic of a zero mean over blocks at each lag, with B - 1 degrees of freedom."""
        count = self.products.shape[1]
        return math.sqrt(count) * self.products.mean(axis=1) / self.products.std(axis=1, ddof=1)

    def interval(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the influence-function interval of each correlation on Fisher's scale."""
        rho, count = self.correlation()[:, None], self.products.shape[1]
        A, C = self.squares_x.sum(), self.squares_y.sum()
        influence = self.products / math.sqrt(A * C) - rho / 2.0 * (self.squares_x / A + self.squares_y / C)
        spread = np.sqrt(count / (count - 1.0) * (influence**2).sum(axis=1))
        inside = np.clip(rho[:, 0], -1 + 1e-12, 1 - 1e-12)
        half = stats.t.isf((1.0 - level) / 2.0, count - 1) * spread / (1.0 - inside**2)
        lower, upper = np.tanh(np.arctanh(inside) - half), np.tanh(np.arctanh(inside) + half)
        return np.minimum(lower, rho[:, 0]), np.maximum(upper, rho[:, 0])


def _kept(ticks: Ticks, max_gap: float | None, tolerance: float) -> np.ndarray:
    length = np.diff(ticks.times)
    return np.ones(length.size, dtype=bool) if max_gap is None else length <= max_gap + tolerance


def _meets(ticks: Ticks, other: Ticks, kept: np.ndarray, tolerance: float) -> np.ndarray:
    """Whether each interval overlaps an interval of the other series that is kept, by more than the tolerance."""
    counted = np.r_[0, np.cumsum(kept)]
    first = np.searchsorted(other.times[1:], ticks.times[:-1] + tolerance, side="right")
    last = np.searchsorted(other.times[:-1], ticks.times[1:] - tolerance, side="left")
    return (last > first) & (counted[np.maximum(last, first)] > counted[first])


def block_sums(
    x: Ticks, y: Ticks, lags: np.ndarray, max_gap: float | None, count: int | None, tolerance: float
) -> BlockSums | str:
    """Sum products at each lag and squares by block of time.

    Parameters
    ----------
    x, y : Ticks
    lags : ndarray of shape (L,)
        How much later y is read.
    max_gap : float or None
        Increments over a longer interval count as zero.
    count : int or None
        Number of blocks; by default the square root of the smaller number of intervals, between 20 and 100.
    tolerance : float
        Stamps no further apart than this are one instant, see `ticks.stamp_tolerance`.

    Returns
    -------
    BlockSums or str
        A text is the reason why there are none.
    """
    # Loaded here, for the compiler takes a second that other tests need not wait for.
    from analysis.stats.asynchronous_kernels import block_products

    if min(x.times.size, y.times.size) <= MINIMUM_INTERVALS:
        return f"a series has {min(x.times.size, y.times.size)} ticks, too few"
    kept_x, kept_y = _kept(x, max_gap, tolerance), _kept(y, max_gap, tolerance)
    used_x, used_y = kept_x & _meets(x, y, kept_y, tolerance), kept_y & _meets(y, x, kept_x, tolerance)
    fewest = int(min(used_x.sum(), used_y.sum()))
    if fewest < MINIMUM_INTERVALS:
        return f"a series has {fewest} intervals that overlap the other, fewer than {MINIMUM_INTERVALS}"
    B = count if count is not None else int(np.clip(math.isqrt(fewest), 20, 100))
    B = min(B, fewest // 2)
    steps_x, steps_y = (np.where(k, np.diff(s.values), 0.0) for k, s in ((kept_x, x), (kept_y, y)))
    powers = [math.log10(size) for steps in (steps_x, steps_y) if (size := float(np.abs(steps).max())) > 0]
    if max((abs(power) for power in (*powers, sum(powers))), default=0.0) > LARGEST_POWER:
        sizes = " and ".join(f"1e{round(power):+d}" for power in powers)
        return f"movements of about {sizes} cannot be squared: change the unit of the prices"
    ranks = np.cumsum(used_x) - used_x
    block = np.minimum(ranks * B // int(used_x.sum()), B - 1)
    edges = x.times[np.searchsorted(block, np.arange(1, B), side="left")]
    block_y = np.searchsorted(edges - tolerance, y.times[:-1], side="right")
    path_y = np.r_[0.0, np.cumsum(steps_y)]
    products = block_products(x.times, steps_x, y.times, path_y, lags, block, B, tolerance)
    squares_x = np.bincount(block, weights=np.where(used_x, steps_x, 0.0) ** 2, minlength=B)
    squares_y = np.bincount(block_y, weights=np.where(used_y, steps_y, 0.0) ** 2, minlength=B)
    if not squares_x.sum() > 0 or not squares_y.sum() > 0:
        return "a series does not move where the two overlap"
    if not (products.std(axis=1) > 1e-12 * np.abs(products).max(axis=1)).all():
        return "at some lag no two intervals with a movement overlap, or all blocks are alike"
    lost = x.dropped + y.dropped + int((~used_x).sum() + (~used_y).sum())
    lengths = np.diff(np.r_[x.times[0], edges, x.times[-1]])
    return BlockSums(products, squares_x, squares_y, int(used_x.sum()), int(used_y.sum()), lost, float(lengths.min()))
