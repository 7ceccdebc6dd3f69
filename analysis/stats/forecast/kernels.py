"""Forecasts of every nested regression from every window, updated recursively (compiled).

Notes
-----
A training row is rotated into a triangular factor without square roots (Gentleman 1973, IMA Journal of Applied
Mathematics 12), p² operations a row. In that factor the forecast of the regression on the first k columns is a partial
sum over orthogonal directions, and its residual sum of squares a tail sum, so one factor serves every lag order.

A window that moves forward never has a row taken out of it, which would lose digits. The rows form blocks as long as
the window; a window is the end of one block and the beginning of the next. The ends are factored backwards once a block
and joined with the growing beginning, p rotations for each forecast. Rows are rotated and never their sums of products:
every forecast is as accurate as an orthogonal factorisation of its window alone.

This module imports the compiler; import it inside a function.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats, Ints

# Squared share of a column left unexplained by those before it that rounding alone can produce.
RANK_FLOOR = 1e-22
_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_OPTIONS)
def _rotate(D, R, z, weight, first):  # type: ignore[no-untyped-def]
    """Add one weighted row z (K,), zero before `first`, to the factor D (K,), R (K, K); z is overwritten."""
    K = len(D)
    for i in range(first, K):
        x = z[i]
        if x == 0.0:
            continue
        old = D[i]
        new = old + weight * x * x
        if not new > 0.0:
            continue
        share = weight * x / new
        weight *= old / new
        D[i] = new
        for j in range(i + 1, K):
            left = z[j] - x * R[i, j]
            R[i, j] += share * left
            z[j] = left
        if weight == 0.0:
            return


@njit(**_OPTIONS)
def _join(D, R, D2, R2, z):  # type: ignore[no-untyped-def]
    """Add the rows behind the factor D2, R2 to the factor D, R."""
    K = len(D)
    for i in range(K):
        if D2[i] > 0.0:
            z[i] = 1.0
            for j in range(i + 1, K):
                z[j] = R2[i, j]
            _rotate(D, R, z, D2[i], i)


@njit(**_OPTIONS)
def _read(D, R, SS, x, floor, forecast, rss):  # type: ignore[no-untyped-def]
    """Fill forecast and rss (K,) of the regressions on the first 0..K-1 columns; NaN from a dependent column on."""
    K = len(D)
    rss[K - 1] = D[K - 1]
    for k in range(K - 2, -1, -1):
        rss[k] = rss[k + 1] + D[k] * R[k, K - 1] * R[k, K - 1]
    total, known = 0.0, True
    forecast[0] = 0.0
    q = np.empty(K - 1)
    for i in range(K - 1):
        known &= D[i] > floor * SS[i]
        q[i] = x[i]
        for j in range(i):
            q[i] -= R[j, i] * q[j]
        total += q[i] * R[i, K - 1]
        forecast[i + 1] = total if known else np.nan
        if not known:
            rss[i + 1] = np.nan


@njit(**_OPTIONS)
def _fill_ends(Z, rows, start, stop, D, R, SS, z):  # type: ignore[no-untyped-def]
    """Factor the ends of one block: entry j holds training rows start + j .. stop - 1."""
    K = D.shape[1]
    for j in range(stop - start - 1, -1, -1):
        if j == stop - start - 1:
            D[j], R[j], SS[j] = 0.0, 0.0, 0.0
        else:
            D[j], R[j], SS[j] = D[j + 1], R[j + 1], SS[j + 1]
        for i in range(K):
            z[i] = Z[rows[start + j], i]
            SS[j, i] += z[i] * z[i]
        _rotate(D[j], R[j], z, 1.0, 0)


@njit(**_OPTIONS)
def _run(Z, rows, origins, available, window, rolling, floor, forecast, rss):  # type: ignore[no-untyped-def]
    """Fill forecast and rss (m, K): origin m uses its `available[m]` training rows, or the last `window` of them."""
    K = Z.shape[1]
    D, R, SS, z = np.zeros(K), np.zeros((K, K)), np.zeros(K), np.empty(K)
    ends = window if rolling else 1
    endD, endR, endSS = np.zeros((ends, K)), np.zeros((ends, K, K)), np.zeros((ends, K))
    joinD, joinR = np.empty(K), np.empty((K, K))
    used = 0
    for m in range(len(origins)):
        while used < available[m]:
            for i in range(K):
                z[i] = Z[rows[used], i]
                SS[i] += z[i] * z[i]
            _rotate(D, R, z, 1.0, 0)
            used += 1
            if rolling and used % window == 0:
                _fill_ends(Z, rows, used - window, used, endD, endR, endSS, z)
                D[:], R[:], SS[:] = 0.0, 0.0, 0.0
        if used < window:
            continue
        x = Z[origins[m]]
        if not rolling:
            _read(D, R, SS, x, floor, forecast[m], rss[m])
            continue
        first = used % window
        joinD[:], joinR[:] = endD[first], endR[first]
        _join(joinD, joinR, D, R, z)
        _read(joinD, joinR, endSS[first] + SS if first else endSS[0], x, floor, forecast[m], rss[m])


def nested_forecasts(
    Z: Floats, rows: Ints, origins: Ints, available: Ints, *, window: int, rolling: bool, floor: float = RANK_FLOOR
) -> tuple[Floats, Floats]:
    """Forecast at every origin with the regressions on the first 0, 1, .. columns.

    Parameters
    ----------
    Z : ndarray of shape (n, K)
        Regressors in nesting order, then the response; the response of an origin is never read.
    rows : ndarray of shape (r,)
        Rows that may train, rising.
    origins : ndarray of shape (m,)
        Rows to forecast at, rising.
    available : ndarray of shape (m,)
        How many of `rows` have a response that is known at each origin.
    window : int
        Training rows: exactly the last so many when `rolling`, at least so many otherwise.

    Returns
    -------
    forecast, rss : ndarray of shape (m, K)
        Column k belongs to the regression on the first k columns; NaN with too few rows or dependent columns.
    """
    forecast, rss = np.full((len(origins), Z.shape[1]), np.nan), np.full((len(origins), Z.shape[1]), np.nan)
    _run(np.ascontiguousarray(Z), rows, origins, available, window, rolling, floor, forecast, rss)
    return forecast, rss
