"""Variance decompositions of many vector autoregressions at once: every window in a few array operations."""

from __future__ import annotations

import numpy as np

from analysis.stats.granger_strength import STABILITY_LIMIT
from analysis.stats.lagged import Floats, lag_columns

_BLOCK_WINDOWS = 4096


def window_systems(data: Floats, lags: int, ends: np.ndarray, window: int) -> tuple[Floats, Floats, np.ndarray]:
    """Fit a vector autoregression with a constant in windows of rows, from running sums of products.

    Parameters
    ----------
    data : ndarray of shape (n, k)
        NaN marks a missing value; a row is used when it and its lags are whole. Lags may lie before the window, never
        in another gap.
    lags : int
    ends : int ndarray of shape (W,)
        0-based last row of each window; at least window - 1.
    window : int
        Rows of responses in each window.

    Returns
    -------
    coefs : ndarray of shape (W, p, k, k)
    sigma : ndarray of shape (W, k, k)
        Dividing by the rows used.
    nobs : int ndarray of shape (W,)
        Rows used; where they are too few or the products are singular, 0 and NaN numbers.
    """
    n, k = data.shape
    present = data[np.isfinite(data).all(axis=1)]
    center, spread = present.mean(axis=0), present.std(axis=0)
    scaled = (data - center) / np.where(spread > 0, spread, 1.0)
    rows = np.hstack([np.ones((n, 1)), lag_columns(scaled, range(1, lags + 1)), scaled])
    use = np.isfinite(rows).all(axis=1)
    rows = np.where(use[:, None], rows, 0.0)
    m = 1 + k * lags
    size = m + k
    sums = np.zeros((n + 1, size, size))
    np.cumsum(rows[:, :, None] * rows[:, None, :], axis=0, out=sums[1:])
    counts = np.r_[0, np.cumsum(use)]
    starts = ends + 1 - window
    gram = sums[ends + 1] - sums[starts]
    nobs = counts[ends + 1] - counts[starts]
    coefs = np.full((len(ends), lags, k, k), np.nan)
    sigma = np.full((len(ends), k, k), np.nan)
    good = np.zeros(len(ends), dtype=bool)
    for w in np.flatnonzero(nobs > m + k):
        block = gram[w, :m, :m]
        scale = np.sqrt(np.diag(block))
        if not (scale > 0).all() or np.linalg.cond(block / np.outer(scale, scale)) > 1e10:
            continue
        b = np.linalg.solve(block, gram[w, :m, m:])
        error = (gram[w, m:, m:] - b.T @ gram[w, :m, m:]) / nobs[w]
        level = np.sqrt(np.diag(error))
        if not (level > 1e-7).all() or np.linalg.cond(error / np.outer(level, level)) > 1e10:
            continue
        good[w] = True
        coefs[w] = b[1:].reshape(k, lags, k).transpose(1, 2, 0) * (spread[:, None] / spread)
        sigma[w] = error * np.outer(spread, spread)
    return coefs, sigma, np.where(good, nobs, 0)


def batch_decomposition(coefs: Floats, sigma: Floats, horizon: int, method: str) -> Floats:
    """Return tables (W, k, k) in percent of coefs (W, p, k, k) and sigma (W, k, k); as `decomposition` for each."""
    out = np.empty_like(sigma)
    for first in range(0, len(sigma), _BLOCK_WINDOWS):
        part = slice(first, first + _BLOCK_WINDOWS)
        out[part] = _tables(coefs[part], sigma[part], horizon, method)
    return out


def _tables(coefs: Floats, sigma: Floats, horizon: int, method: str) -> Floats:
    count, p, k, _ = coefs.shape
    diagonal = np.einsum("wii->wi", sigma)
    impact = sigma / np.sqrt(diagonal)[:, None, :] if method == "generalized" else np.linalg.cholesky(sigma)
    recent = [np.broadcast_to(np.eye(k), (count, k, k))]
    table = np.square(impact)
    for _ in range(1, horizon):
        psi = sum(coefs[:, lag] @ recent[lag] for lag in range(len(recent)))
        recent = [np.asarray(psi), *recent][:p]
        table = table + np.square(psi @ impact)
    return np.asarray(100.0 * table / table.sum(axis=2, keepdims=True))


def radii(coefs: Floats) -> Floats:
    """Return the largest root of each vector autoregression, shape (W,)."""
    count, p, k, _ = coefs.shape
    companions = np.zeros((count, p * k, p * k))
    companions[:, k:, :-k] = np.eye((p - 1) * k)
    companions[:, :k] = coefs.transpose(0, 2, 1, 3).reshape(count, k, p * k)
    return np.asarray(np.abs(np.linalg.eigvals(companions)).max(axis=1))


def stable(coefs: Floats) -> np.ndarray:
    """Say which of coefs (W, p, k, k) can be decomposed."""
    return radii(coefs) < STABILITY_LIMIT
