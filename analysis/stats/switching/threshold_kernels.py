"""Compiled sums of the threshold test: everything a candidate split needs follows from its neighbour by one row."""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats, Ints


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def split_moments(X: Floats, Q: Floats, weight: Floats, ends: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    """Return running sums over the rows above each split; rows are sorted by the threshold variable.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Tested columns.
    Q : ndarray of shape (n, k)
        Kept columns.
    weight : ndarray of shape (n,)
        Squared residuals.
    ends : ndarray of shape (g,)
        Split i leaves rows ``ends[i]`` and later above.

    Returns
    -------
    tuple
        Sums of XX' (g, p, p) and XQ' (g, p, k), and the same weighted.
    """
    n, p = X.shape
    k, g = Q.shape[1], ends.size
    xx, xq = np.zeros((g, p, p)), np.zeros((g, p, k))
    wxx, wxq = np.zeros((g, p, p)), np.zeros((g, p, k))
    a, b = np.zeros((p, p)), np.zeros((p, k))
    c, d = np.zeros((p, p)), np.zeros((p, k))
    row = n - 1
    for i in range(g - 1, -1, -1):
        while row >= ends[i]:
            w = weight[row]
            for r in range(p):
                for s in range(p):
                    value = X[row, r] * X[row, s]
                    a[r, s] += value
                    c[r, s] += w * value
                for s in range(k):
                    value = X[row, r] * Q[row, s]
                    b[r, s] += value
                    d[r, s] += w * value
            row -= 1
        xx[i], xq[i], wxx[i], wxq[i] = a, b, c, d
    return xx, xq, wxx, wxq


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def split_statistics(X: Floats, Q: Floats, e: Floats, ends: Ints, projection: Floats, whitening: Floats) -> Floats:
    """Return the quadratic form of the scores at every split, for one vector of residuals.

    Parameters
    ----------
    X, Q, ends
        As in `split_moments`; the columns of Q are orthonormal.
    e : ndarray of shape (n,)
        Residuals, not necessarily orthogonal to Q.
    projection : ndarray of shape (g, p, k)
        Sums of XQ' above each split.
    whitening : ndarray of shape (g, p, p)
        Lower triangular; its product with the scores has unit covariance. Zero where a split cannot be judged.
    """
    n, p = X.shape
    k, g = Q.shape[1], ends.size
    along = np.zeros(k)
    for t in range(n):
        for s in range(k):
            along[s] += Q[t, s] * e[t]
    out, running, score = np.empty(g), np.zeros(p), np.empty(p)
    row = n - 1
    for i in range(g - 1, -1, -1):
        while row >= ends[i]:
            for r in range(p):
                running[r] += X[row, r] * e[row]
            row -= 1
        for r in range(p):
            value = running[r]
            for s in range(k):
                value -= projection[i, r, s] * along[s]
            score[r] = value
        total = 0.0
        for r in range(p):
            value = 0.0
            for s in range(r + 1):
                value += whitening[i, r, s] * score[s]
            total += value * value
        out[i] = total
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def bootstrap_functionals(
    X: Floats, Q: Floats, e: Floats, ends: Ints, projection: Floats, whitening: Floats, signs: Floats
) -> Floats:
    """Return sup, average and log-average-exponential (draws, 3) of the splits' statistics, one row of signs a draw."""
    draws = signs.shape[0]
    out = np.empty((draws, 3))
    for b in range(draws):
        path = split_statistics(X, Q, e * signs[b], ends, projection, whitening)
        top = path.max()
        out[b, 0] = top
        out[b, 1] = path.mean()
        out[b, 2] = 0.5 * top + np.log(np.mean(np.exp(0.5 * (path - top))))
    return out
