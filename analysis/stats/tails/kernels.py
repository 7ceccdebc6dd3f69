"""Compiled inner loops of the tail statistics: the profile likelihood of the t copula over weighted samples."""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats, Ints

TABLE_END = 5.0  # normal scores are tabulated between minus and plus this


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _quantile(score: float, table: Floats) -> float:
    """Read a t quantile at a normal score off a table on an even grid."""
    place = (score + TABLE_END) * (len(table) - 1) / (2.0 * TABLE_END)
    place = min(max(place, 0.0), len(table) - 1.000001)
    floor = int(place)
    return table[floor] + (place - floor) * (table[floor + 1] - table[floor])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _newton(a: Floats, b: Floats, w: Floats, rho: float, nu: float) -> float:
    """Return one Newton step of the correlation, kept inside (-1, 1)."""
    rest = 1.0 - rho * rho
    total = pull_sum = bend_sum = 0.0
    for i in range(len(a)):
        product = a[i] * b[i]
        scale = nu * rest + a[i] * a[i] + b[i] * b[i] - 2.0 * rho * product
        pull = (nu * rho + product) / scale
        total += w[i]
        pull_sum += w[i] * pull
        bend_sum += w[i] * (nu / scale + 2.0 * pull * pull)
    slope = -(nu + 1.0) * rho / rest + (nu + 2.0) * pull_sum / total
    bend = -(nu + 1.0) * (1.0 + rho * rho) / (rest * rest) + (nu + 2.0) * bend_sum / total
    step = -slope / bend if bend < 0.0 else 0.0
    return min(max(rho + min(max(step, -0.3), 0.3), -0.999), 0.999)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def profile_likelihood(
    first: Floats, second: Floats, weights: Ints, tables: Floats, nus: Floats, constants: Floats
) -> tuple[Floats, Floats]:
    """Return log-likelihood and best correlation (draws, grid) for each of the degrees of freedom `nus`.

    Parameters
    ----------
    first, second : ndarray of shape (draws, n)
        Normal scores of the ranks within each weighted sample.
    weights : ndarray of shape (draws, n)
    tables : ndarray of shape (grid, m)
        t quantiles at an even grid of normal scores.
    nus, constants : ndarray of shape (grid,)
        Degrees of freedom and the part of the log density that depends on them alone.
    """
    draws, n = weights.shape
    loglikelihood, rhos = np.empty((draws, len(nus))), np.empty((draws, len(nus)))
    a, b, w = np.empty(n), np.empty(n), np.empty(n)
    x, y = np.empty(n), np.empty(n)
    for draw in range(draws):
        m, xx, yy, xy, total = 0, 1e-300, 1e-300, 0.0, 0.0
        for i in range(n):
            if weights[draw, i] > 0:
                x[m], y[m], w[m] = first[draw, i], second[draw, i], weights[draw, i]
                xx += w[m] * x[m] * x[m]
                yy += w[m] * y[m] * y[m]
                xy += w[m] * x[m] * y[m]
                total += w[m]
                m += 1
        rho = min(max(xy / np.sqrt(xx * yy), -0.99), 0.99)
        for g in range(len(nus)):
            nu = nus[g]
            for i in range(m):
                a[i], b[i] = _quantile(x[i], tables[g]), _quantile(y[i], tables[g])
            for _ in range(2):
                rho = _newton(a[:m], b[:m], w[:m], rho, nu)
            rest = 1.0 - rho * rho
            value = total * (constants[g] - 0.5 * np.log(rest))
            for i in range(m):
                margins = (1.0 + a[i] * a[i] / nu) * (1.0 + b[i] * b[i] / nu)
                inner = (a[i] * a[i] + b[i] * b[i] - 2.0 * rho * a[i] * b[i]) / (nu * rest)
                value += 0.5 * w[i] * ((nu + 1.0) * np.log(margins) - (nu + 2.0) * np.log1p(inner))
            loglikelihood[draw, g], rhos[draw, g] = value, rho
    return loglikelihood, rhos
