"""All windows of a lag regression at once: orthogonal row updates, several starting points side by side (compiled).

Notes
-----
A window that starts at `s` and grows by one observation gains one regression row, so its triangular factor follows
from the last one by planar rotations without square roots (Gentleman 1973, IMA Journal of Applied Mathematics 12).
The rows themselves are rotated and never their sums of products, so the accuracy is that of an orthogonal
factorisation of every window by itself and no difference of large sums is ever taken. Many starting points share
each row and fill the vector registers. In the factor of ``[kept, tested, response]`` the last pivot is the residual
sum of squares and the tested rows hold what the tested columns add.

The heteroskedasticity-robust form adds the covariance of `granger_windows_robust`.

This module imports the compiler; import it inside a function.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.granger_windows_robust import (
    ROBUST_LANES,
    accumulate,
    add_heads,
    contract,
    direct,
    inverse_columns,
    lost_digits,
    meat_from_moments,
    quadratics,
)
from analysis.stats.lagged import Bools, Floats

LANES = 32
RANK_FLOOR = 1e-22  # squared share of a column left unexplained that rounding alone can produce
DIGIT_LIMIT = 1e-9  # largest bound on the relative rounding error of the fourth-moment route
PIVOT_LIMIT = 1e-4  # smallest relative pivot of the robust covariance before its digits matter
_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_OPTIONS)
def _rotate(D, R, SS, row, weight, z, K):  # type: ignore[no-untyped-def]
    """Add one row with a weight a lane to the square-root-free factors D (K, L), R (K, K, L); z (K + 3, L): scratch."""
    w, keep, take = K, K + 1, K + 2  # rows of z: the weight that is left, and the shares of the old and of the new row
    for lane in range(D.shape[1]):
        z[w, lane] = weight[lane]
    for i in range(K):
        value = row[i]
        for lane in range(D.shape[1]):
            z[i, lane] = value
            SS[i, lane] += weight[lane] * value * value
    for i in range(K):
        for lane in range(D.shape[1]):
            x = z[i, lane]
            old = D[i, lane]
            new = old + z[w, lane] * x * x
            inverse = 1.0 / new if new > 0.0 else 0.0
            z[keep, lane] = old * inverse if new > 0.0 else 1.0
            z[take, lane] = z[w, lane] * x * inverse
            z[w, lane] *= z[keep, lane]
            D[i, lane] = new
        for j in range(i + 1, K):
            for lane in range(D.shape[1]):
                entry = R[i, j, lane]
                other = z[j, lane]
                z[j, lane] = other - z[i, lane] * entry
                R[i, j, lane] = z[keep, lane] * entry + z[take, lane] * other


@njit(**_OPTIONS)
def _valid(D, SS, lane, count, K):  # type: ignore[no-untyped-def]
    """Say whether the rows of a lane identify every coefficient and leave residual variation."""
    if count < K:
        return False
    fine = True
    for i in range(K):
        fine &= D[i, lane] > RANK_FLOOR * SS[i, lane]
    return fine


@njit(**_OPTIONS)
def _shift(rows, flags, shifted, reach):  # type: ignore[no-untyped-def]
    """Move the columns that allow it to start from zero in their first usable row."""
    for t in range(reach, len(rows)):
        if flags[t]:
            origin = rows[t].copy()
            for i in range(len(origin)):
                if shifted[i]:
                    rows[:, i] -= origin[i]
            return


@njit(**_OPTIONS)
def _plain_value(D, R, count, lane, n_kept, q, K):  # type: ignore[no-untyped-def]
    """Return the statistic with the residual variance divided by the number of rows."""
    gain = 0.0
    for k in range(n_kept, n_kept + q):
        gain += D[k, lane] * R[k, K - 1, lane] ** 2
    return count * gain / D[K - 1, lane]


@njit(**_OPTIONS)
def scan_block(  # type: ignore[no-untyped-def]  # noqa: C901 - one loop over rows, every branch a named step
    Z, usable, shifted, n_kept, q, reach, window, start, robust, digit_limit, forward, rolling, best
):
    """Compute the Wald statistics of all windows that start at the next points; return how many were recomputed.

    Parameters
    ----------
    Z : ndarray of shape (n, K)
        Columns kept, tested, response; row t is the regression row dated t (zeros where not usable).
    usable : bool ndarray of shape (n,)
    shifted : bool ndarray of shape (K,)
        Columns that may be moved by a constant because the kept columns hold one.
    n_kept, q, reach, window, start : int
        `reach` is the number of observations a window loses to lags.
    robust : bool
    digit_limit : float
    forward, rolling, best : ndarray of shape (n,)
        Filled by window end: windows from 0; of length `window`; the largest over the starts of this block.
    """
    n, K = Z.shape
    last = n - window
    lanes = ROBUST_LANES if robust else LANES
    D, SS = np.zeros((K, lanes)), np.zeros((K, lanes))
    R, C = np.zeros((K, K, lanes)), np.zeros((K, K, lanes))
    scratch, weight = np.empty((K + 3, lanes)), np.empty(lanes)
    counts = np.zeros(lanes, np.int64)
    rows, flags = Z[start:].copy(), usable[start:]
    _shift(rows, flags, shifted, reach)
    n_pairs = -(-K * (K + 1) // 2 // 4) * 4  # filled up with zeros
    moments = np.zeros((n_pairs, n_pairs)) if robust else np.zeros((1, 1))
    quartic_sums = np.zeros(K)
    quartic = quartic_sums
    pair_weights, sums, by_lane = np.zeros((n_pairs, lanes)), np.empty((n_pairs, lanes)), np.empty((lanes, n_pairs))
    meats, u, e, bound = np.zeros((q, q, lanes)), np.zeros((q + 1, lanes)), np.empty(lanes), np.empty(lanes)
    lost, least, robust_values = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    recomputed = 0
    for t in range(reach, n - start):
        if flags[t]:
            for lane in range(lanes):
                weight[lane] = 1.0 if t >= lane + reach else 0.0
                counts[lane] += t >= lane + reach
            _rotate(D, R, SS, rows[t], weight, scratch, K)
            if robust:
                accumulate(moments, quartic_sums, rows[t], t >= lanes - 1 + reach, K)
        if t + 1 < window:
            continue
        if robust:
            quartic = np.sqrt(np.sqrt(quartic_sums))
            inverse_columns(R, n_kept, C, K)
            contract(moments, C, K, pair_weights, by_lane, sums)
            meat_from_moments(meats, scratch, sums, C, n_kept, q, K)
            add_heads(rows, flags, C, meats, t, reach, n_kept, q, K, u)
            lost_digits(C, quartic, meats, n_kept, q, K, e, bound, lost)
            quadratics(meats, D, R, n_kept, q, K, u, least, robust_values)
        for lane in range(lanes):
            s = start + lane
            if s > last or t - lane + 1 < window:
                continue
            value = np.nan
            if _valid(D, SS, lane, counts[lane], K):
                if not robust:
                    value = _plain_value(D, R, counts[lane], lane, n_kept, q, K)
                elif lost[lane] > digit_limit or least[lane] < PIVOT_LIMIT:
                    value = direct(rows, flags, lane + reach, t, C, D, R, lane, n_kept, q, K)
                    recomputed += 1
                else:
                    value = robust_values[lane]
            end = start + t
            if s == 0:
                forward[end] = value
            if t - lane + 1 == window:
                rolling[end] = value
            if value > best[end] or (np.isnan(best[end]) and not np.isnan(value)):
                best[end] = value
    return recomputed


def scan(
    Z: Floats,
    usable: Bools,
    shifted: Bools,
    *,
    n_kept: int,
    n_tested: int,
    reach: int,
    window: int,
    starts: range,
    robust: bool,
    digit_limit: float = DIGIT_LIMIT,
) -> tuple[Floats, Floats, Floats, int]:
    """Return forward, rolling and recursive statistics (n,) over blocks of starting points, and windows recomputed.

    `starts` lists first starting points, multiples of `stride`; splitting the range over threads and taking maxima of
    the third array gives the same numbers.
    """
    forward, rolling, best = (np.full(len(Z), np.nan) for _ in range(3))
    recomputed = 0
    for start in starts:
        recomputed += scan_block(
            Z, usable, shifted, n_kept, n_tested, reach, window, start, robust, digit_limit, forward, rolling, best
        )
    return forward, rolling, best, recomputed


def stride(robust: bool) -> int:
    """Return how many starting points share a block."""
    return ROBUST_LANES if robust else LANES
