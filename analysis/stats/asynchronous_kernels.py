"""Compiled linear merge of two tick series; plain twins stand in the tests."""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats, Ints


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def block_products(
    times_x: Floats,
    steps_x: Floats,
    times_y: Floats,
    path_y: Floats,
    lags: Floats,
    block: Ints,
    blocks: int,
    tolerance: float,
) -> Floats:
    """Return the sums over overlapping intervals of products of increments, shape (L, blocks).

    Parameters
    ----------
    times_x, steps_x : ndarray of shape (n + 1,) and (n,)
        Ticks of x and the increment over each interval between them.
    times_y, path_y : ndarray of shape (m + 1,)
        Ticks of y and the running sum of its increments, so that a stretch of intervals is one difference.
    lags : ndarray of shape (L,)
        How much later each tick of y is read.
    block : ndarray of shape (n,)
        Block of each interval of x.
    tolerance : float
        Intervals overlap only when each begins before the other ends by more than this.

    Notes
    -----
    The intervals of y that overlap an interval of x are neighbours, and both ends of the stretch only move forward: one
    pass over both series a lag.
    """
    n, m = len(steps_x), len(times_y) - 1
    out = np.zeros((len(lags), blocks))
    for k in range(len(lags)):
        first, last = 0, 0
        earliest, latest = lags[k] - tolerance, lags[k] + tolerance
        for i in range(n):
            start, end = times_x[i] - earliest, times_x[i + 1] - latest
            while first < m and times_y[first + 1] <= start:
                first += 1
            while last < m and times_y[last] < end:
                last += 1
            if last > first:
                out[k, block[i]] += steps_x[i] * (path_y[last] - path_y[first])
    return out
