"""Variance decompositions of a vector autoregression over horizons and frequencies: the numbers of connectedness.

Notes
-----
Row i of a table is the series whose forecast error is explained, column j the series whose shocks explain it; shares
are in percent of the row. Horizon H adds the responses at steps 0 .. H-1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from analysis.stats.granger_strength import companion, var_radius
from analysis.stats.lagged import Floats

METHODS = ("generalized", "cholesky")


@dataclass(frozen=True, slots=True)
class Measures:
    """Of a table (k, k) or stack of them (..., k, k): total (...), to, from_, net (..., k); percent."""

    total: Floats
    to: Floats
    from_: Floats
    net: Floats


def measures(table: Floats) -> Measures:
    """Return the measures of tables in percent: off-diagonal column sums (to), row sums (from) and their mean."""
    off = table * (1.0 - np.eye(table.shape[-1]))
    to, from_ = off.sum(axis=-2), off.sum(axis=-1)
    return Measures(np.asarray(from_.mean(axis=-1)), to, from_, to - from_)


def responses(coefs: Floats, horizon: int) -> Floats:
    """Return moving average coefficients (horizon, k, k) of an autoregression with coefs (p, k, k); step 0 is one."""
    p, k, _ = coefs.shape
    out = np.zeros((horizon, k, k))
    out[0] = np.eye(k)
    for h in range(1, horizon):
        for lag in range(1, min(p, h) + 1):
            out[h] += coefs[lag - 1] @ out[h - lag]
    return out


def shock_responses(coefs: Floats, sigma: Floats, horizon: int, method: str) -> tuple[Floats, Floats]:
    """Return responses (H, k, k) to shocks of one standard deviation, and forecast error variances (k,).

    References
    ----------
    Pesaran and Shin (1998), Economics Letters 58, for the generalized responses, which need no order of the
    series; the Cholesky factor lets a series act within the period only on those after it.
    """
    psi = responses(coefs, horizon)
    impact = sigma / np.sqrt(np.diag(sigma)) if method == "generalized" else np.linalg.cholesky(sigma)
    return psi @ impact, np.einsum("hij,jk,hik->i", psi, sigma, psi)


def decomposition(coefs: Floats, sigma: Floats, horizon: int, method: str) -> Floats:
    """Return the table (k, k) in percent; rows sum to 100.

    References
    ----------
    Diebold and Yilmaz (2012), International Journal of Forecasting 28.
    """
    reaction, _ = shock_responses(coefs, sigma, horizon, method)
    table = np.sum(reaction**2, axis=0)
    return np.asarray(100.0 * table / table.sum(axis=1, keepdims=True))


def band_decomposition(coefs: Floats, sigma: Floats, horizon: int, method: str, edges: Floats) -> Floats:
    """Return tables (bands, k, k) in percent of the whole; they sum over bands to `decomposition`.

    Parameters
    ----------
    coefs : ndarray of shape (p, k, k)
    sigma : ndarray of shape (k, k)
    horizon : int
    method : {"generalized", "cholesky"}
    edges : ndarray of shape (bands + 1,)
        Frequencies in radians a step, rising from 0 to pi.

    Notes
    -----
    The squared gain of a response of finite length is a cosine polynomial, so its integral over a band is exact: no
    grid of frequencies.

    References
    ----------
    Baruník and Křehlík (2018), Journal of Financial Econometrics 16.
    """
    reaction, _ = shock_responses(coefs, sigma, horizon, method)
    products = np.stack([np.sum(reaction[d:] * reaction[: horizon - d], axis=0) for d in range(horizon)])
    steps = np.arange(1, horizon)
    level = np.diff(edges) / np.pi
    waves = 2.0 * np.diff(np.sin(np.outer(steps, edges)), axis=1) / (np.pi * steps[:, None])
    weights = np.vstack([level, waves])
    tables = np.einsum("hb,hij->bij", weights, products)
    # A share is an integral of a square; rounding may leave a speck below zero.
    return np.maximum(100.0 * tables / products[0].sum(axis=1)[:, None], 0.0)


def coefficient_bias(coefs: Floats, sigma: Floats) -> Floats:
    """Return n times the first-order small-sample bias of least squares coefs, shape (p, k, k).

    References
    ----------
    Pope (1990), Journal of Time Series Analysis 11.
    """
    p, k, _ = coefs.shape
    # In units of the errors' spread, so that series of very different size leave the equations well conditioned.
    unit = np.sqrt(np.diag(sigma))
    A = companion(coefs * unit / unit[:, None])
    m = p * k
    G = np.zeros((m, m))
    G[:k, :k] = sigma / np.outer(unit, unit)
    gamma = solve_discrete_lyapunov(A, G)
    identity, transposed = np.eye(m), A.T
    total = np.linalg.inv(identity - transposed) + transposed @ np.linalg.inv(identity - transposed @ transposed)
    for root in np.linalg.eigvals(A):
        total = total + root * np.linalg.inv(identity - root * transposed)
    bias = -np.real(G @ total @ np.linalg.inv(gamma))
    return np.asarray(bias[:k].reshape(k, p, k).transpose(1, 0, 2) * unit[:, None] / unit)


def unbiased(coefs: Floats, sigma: Floats, nobs: int) -> Floats:
    """Return coefs less their bias; the correction shrinks until the autoregression is stable (Kilian 1998)."""
    if var_radius(coefs) >= 1.0:
        return coefs
    bias = coefficient_bias(coefs, sigma) / nobs
    share = 1.0
    while share > 0.01:
        corrected = coefs - share * bias
        if var_radius(corrected) < 1.0:
            return np.asarray(corrected)
        share -= 0.01
    return coefs
