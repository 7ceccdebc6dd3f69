"""Compiled paths of score statistics over candidate break dates; every number has a plain twin in the tests."""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats, Ints


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _quadratic_form(score: Floats, V: Floats) -> float:
    """Return s'V^{-1}s by a Cholesky factorisation in place; -1 where V is singular."""
    q = len(score)
    total = 0.0
    for j in range(q):
        whole = V[j, j]
        for k in range(j):
            V[j, j] -= V[j, k] * V[j, k]
            score[j] -= V[j, k] * score[k]
        if not V[j, j] > 1e-12 * whole:
            return -1.0
        V[j, j] = np.sqrt(V[j, j])
        for i in range(j + 1, q):
            for k in range(j):
                V[i, j] -= V[i, k] * V[j, k]
            V[i, j] /= V[j, j]
        score[j] /= V[j, j]
        total += score[j] * score[j]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _meat(design: Floats, residual: Floats) -> Floats:
    """Return the sum of products of the rows (w, w), weighted by squared residuals."""
    n, w = design.shape
    out = np.zeros((w, w))
    for t in range(n):
        square = residual[t] * residual[t]
        for a in range(w):
            for b in range(a + 1):
                out[a, b] += design[t, a] * design[t, b] * square
    for a in range(w):
        for b in range(a):
            out[b, a] = out[a, b]
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _score_covariance(early: Floats, whole: Floats, slope: Floats, tested: Ints, middle: Floats, V: Floats) -> None:
    """Fill the covariance (q, q) of a score: tested columns before the split, less what the design explains of them."""
    w, q = early.shape
    for a in range(w):
        for b in range(q):
            value = -early[a, b]
            for k in range(w):
                value += whole[a, k] * slope[k, b]
            middle[a, b] = value
    for i in range(q):
        for j in range(q):
            value = early[tested[i], j]
            for k in range(w):
                value += slope[k, i] * middle[k, j] - early[k, i] * slope[k, j]
            V[i, j] = value


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def score_path(design: Floats, tested: Ints, splits: Ints, slopes: Floats, residual: Floats, path: Floats) -> float:
    """Fill the score statistic of every split and return the largest.

    Parameters
    ----------
    design : ndarray of shape (n, w)
    tested : ndarray of int of shape (q,)
        Columns whose coefficients may change.
    splits : ndarray of int of shape (m,)
        Rows before each candidate date, increasing.
    slopes : ndarray of shape (m, w, q)
        Coefficients of the tested columns, set to zero after the split, on the design.
    residual : ndarray of shape (n,)
        Least squares residuals of the regression without a break.
    path : ndarray of shape (m,)
        Receives -1 where the covariance of the score is singular.
    """
    w, q = design.shape[1], len(tested)
    score, early, whole = np.zeros(q), np.zeros((w, q)), _meat(design, residual)
    V, part, middle = np.empty((q, q)), np.empty(q), np.empty((w, q))
    largest, t = -1.0, 0
    for m in range(len(splits)):
        while t < splits[m]:
            square = residual[t] * residual[t]
            for b in range(q):
                column = design[t, tested[b]]
                score[b] += column * residual[t]
                for a in range(w):
                    early[a, b] += design[t, a] * column * square
            t += 1
        _score_covariance(early, whole, slopes[m], tested, middle, V)
        part[:] = score
        path[m] = _quadratic_form(part, V)
        largest = max(largest, path[m])
    return largest


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def score_draws(
    design: Floats, hat: Floats, tested: Ints, splits: Ints, slopes: Floats, residual: Floats, signs: Ints, out: Floats
) -> None:
    """Fill the largest statistic of every wild draw: row d of `signs` (draws, n) flips the residuals.

    `hat` of shape (w, n) maps a response to its coefficients on the design.
    """
    n, w = design.shape
    flipped, path = np.empty(n), np.empty(len(splits))
    for d in range(len(signs)):
        for t in range(n):
            flipped[t] = signs[d, t] * residual[t]
        b = np.zeros(w)
        for a in range(w):
            for t in range(n):
                b[a] += hat[a, t] * flipped[t]
        for t in range(n):
            for a in range(w):
                flipped[t] -= design[t, a] * b[a]
        out[d] = score_path(design, tested, splits, slopes, flipped, path)
