"""Compiled recursions of volatility and dynamic correlation; plain twins stand in the tests."""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def gjr_variance(residuals: Floats, omega: float, alpha: float, gamma: float, beta: float, start: float) -> Floats:
    """Return variances (n,) of a GJR-GARCH(1,1); gamma zero is a GARCH(1,1). `start` stands for all before row 0."""
    n = len(residuals)
    out = np.empty(n)
    value = omega + (alpha + 0.5 * gamma + beta) * start
    for t in range(n):
        out[t] = value
        square = residuals[t] * residuals[t]
        value = omega + alpha * square + beta * value
        if residuals[t] < 0.0:
            value += gamma * square
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def scaled_shocks(z: Floats, alpha: float, beta: float) -> Floats:
    """Return Aielli's shocks (n, k): each times the root of its own element of Q, which has a mean of one."""
    n, k = z.shape
    out = np.empty((n, k))
    for i in range(k):
        q = 1.0
        for t in range(n):
            out[t, i] = np.sqrt(q) * z[t, i]
            q = 1.0 - alpha - beta + alpha * out[t, i] * out[t, i] + beta * q
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def correlation_path(z: Floats, driver: Floats, target: Floats, alpha: float, beta: float) -> tuple[Floats, Floats]:
    """Return correlations (n, k, k) known one step ahead, and each row's log density less that of no correlation.

    `z` (n, k) are standardised shocks, `driver` those whose products move Q, `target` (k, k) the mean of Q. A row whose
    matrix is not positive definite gets minus infinity.
    """
    n, k = z.shape
    paths, terms = np.empty((n, k, k)), np.empty(n)
    q = target.copy()
    L, y = np.zeros((k, k)), np.empty(k)
    for t in range(n):
        for i in range(k):
            for j in range(i + 1):
                paths[t, i, j] = paths[t, j, i] = q[i, j] / np.sqrt(q[i, i] * q[j, j])
        total = 0.0
        for i in range(k):
            for j in range(i + 1):
                value = paths[t, i, j]
                for m in range(j):
                    value -= L[i, m] * L[j, m]
                if i > j:
                    L[i, j] = value / L[j, j]
                elif value > 1e-14:
                    L[i, i] = np.sqrt(value)
                else:
                    L[i, i] = 1.0
                    total = -np.inf
            value = z[t, i]
            for m in range(i):
                value -= L[i, m] * y[m]
            y[i] = value / L[i, i]
            total -= np.log(L[i, i]) + 0.5 * (y[i] * y[i] - z[t, i] * z[t, i])
        terms[t] = total
        for i in range(k):
            for j in range(i + 1):
                q[i, j] = (1.0 - alpha - beta) * target[i, j] + alpha * driver[t, i] * driver[t, j] + beta * q[i, j]
                q[j, i] = q[i, j]
    return paths, terms
