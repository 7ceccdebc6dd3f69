"""Fixed-design wild bootstrap of Granger statistics with the null imposed, all draws as a few matrix products.

Notes
-----
A draw flips the signs of the restricted residuals by date and leaves every regressor as it was. Only the response
changes, so the design is factorised once and each draw costs two thin matrix products. Flips belong to dates and all
equations share them, which keeps the correlation across equations, and lets a family of tests share its draws.

References
----------
Gonçalves and Kilian (2004), Journal of Econometrics 123 (fixed design); Liu (1988), Annals of Statistics 16; Davidson
and Flachaire (2008), Journal of Econometrics 146 (Rademacher weights, null imposed).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import InputError
from analysis.stats.covariance import Partialled, row_weights
from analysis.stats.lagged import Floats

BLOCK_BYTES = 2**19  # one (rows, draws) array of a block; a handful of them stay in cache
BATCH = 1024  # draws whose covariances are held and factorised together
Signs = NDArray[np.int8]


def rademacher(rng: np.random.Generator, n_time: int, draws: int) -> Signs:
    """Return an (n_time, draws) array of independent fair signs, one row a date."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(
            "a bootstrap needs its random generator",
            given=type(rng).__name__,
            remedy="pass rng=np.random.default_rng(seed) so that the result can be reproduced",
        )
    count = n_time * draws
    bits = np.unpackbits(np.frombuffer(rng.bytes((count + 7) // 8), dtype=np.uint8), count=count)
    return (bits.view(np.int8) * np.int8(2) - np.int8(1)).reshape(n_time, draws)


def check_weights(weights: ArrayLike, n_time: int) -> Signs:
    """Return wild weights as signs; raises InputError unless every date has a row of -1 and +1."""
    array = np.asarray(weights)
    if array.ndim != 2 or array.shape[0] != n_time or array.shape[1] == 0:
        raise InputError(
            "weights need one row a date and one column a draw", given=array.shape, limit=f"({n_time}, draws)"
        )
    if not _are_signs(array):
        raise InputError("wild bootstrap weights must be -1 or +1", remedy="draw them with granger.rademacher")
    return array.astype(np.int8, copy=False)


def _are_signs(array: NDArray[Any]) -> bool:
    """Return whether all values are -1 or +1; whole numbers are looked at without a copy of their size."""
    if array.dtype.kind != "i":
        return bool((np.abs(array) == 1).all())
    return bool(array.min() >= -1 and array.max() <= 1) and np.count_nonzero(array) == array.size


def wild_wald(fit: Partialled, signs: Signs, cov: str, *, hac_lags: int = 0, dof_correction: bool = True) -> Floats:
    """Return the Wald statistic of every draw, shape (draws,).

    Parameters
    ----------
    fit : Partialled
    signs : int8 array of shape (n_time, draws)
        Aligned with time; the rows the fit uses are picked out here.
    cov, hac_lags, dof_correction
        As in `covariance.score_covariance`: each draw is studentised exactly like the statistic it is compared with.

    Notes
    -----
    A draw whose covariance is singular counts as infinite, which can only make the p-value larger.
    """
    if cov in ("HC0", "HC1", "HC3") and fit.residuals.shape[1] == 1:
        return quadratic_forms(*_white_draws(fit, signs, cov))
    draws = signs.shape[1]
    picked = signs[fit.rows[0] : fit.rows[-1] + 1] if _is_run(fit) else signs[fit.rows]
    out = np.empty(draws)
    for start in range(0, draws, BATCH):
        stop = min(draws, start + BATCH)
        scores, covariance = _batch(fit, picked[:, start:stop], cov, hac_lags, dof_correction)
        out[start:stop] = quadratic_forms(scores, covariance)
    return out


def _white_draws(fit: Partialled, signs: Signs, cov: str) -> tuple[Floats, Floats]:
    """Return the scores (q, draws) of one equation and their White covariance (q, q, draws), by compiled loops."""
    from analysis.stats import granger_bootstrap_kernels as kernels  # compiled code is loaded only by those who draw

    n, w, q = fit.nobs, fit.kept_basis.shape[1], fit.tested_basis.shape[1]
    i, j = np.triu_indices(q)
    full = n + -n % 4
    basis = np.zeros((full, w + q + -(w + q) % 4))
    basis[:n, :w], basis[:n, w : w + q] = fit.kept_basis, fit.tested_basis
    products = np.zeros((full, len(i) + -len(i) % 3))
    products[:n, : len(i)] = fit.tested_basis[:, i] * fit.tested_basis[:, j] * row_weights(fit, cov)[:, None]
    residual, places = np.zeros(full), np.zeros(full, dtype=np.int64)
    residual[:n], places[:n] = fit.restricted_residuals[:, 0], fit.rows
    projections, meats = np.empty((w + q, signs.shape[1])), np.empty((len(i), signs.shape[1]))
    kernels.white_draws(basis, residual, products, np.ascontiguousarray(signs), places, projections, meats)
    covariance = np.empty((q, q, signs.shape[1]))
    covariance[i, j] = covariance[j, i] = meats
    return projections[w:], covariance


def _is_run(fit: Partialled) -> bool:
    """Say whether the rows follow each other without a gap."""
    return int(fit.rows[-1] - fit.rows[0]) + 1 == fit.nobs


def _batch(fit: Partialled, signs: Signs, cov: str, hac_lags: int, dof_correction: bool) -> tuple[Floats, Floats]:
    """Return the scores (m q, draws) of a batch and their covariance (m q, m q, draws), block by block."""
    m, w = fit.residuals.shape[1], fit.kept_basis.shape[1]
    basis = np.hstack([fit.kept_basis, fit.tested_basis])
    signed = [np.ascontiguousarray((basis * fit.restricted_residuals[:, a, None]).T) for a in range(m)]
    products = _products(fit, cov)
    count, draws = fit.scores.size, signs.shape[1]
    scores, covariance = np.empty((count, draws)), np.empty((count, count, draws))
    step = max(1, BLOCK_BYTES // (8 * fit.nobs * (count if cov == "HAC" else 1)))
    for start in range(0, draws, step):
        part = slice(start, min(draws, start + step))
        flips = signs[:, part].astype(np.float64)
        projections = [row @ flips for row in signed]
        scores[:, part] = np.concatenate([projection[w:] for projection in projections])
        if cov == "nonrobust":
            covariance[:, :, part] = _error_covariance(fit, projections, dof_correction)
            continue
        residuals = [_flipped_residual(fit, a, basis, projections[a], flips) for a in range(m)]
        if cov == "HAC":
            covariance[:, :, part] = _hac_meats(fit, [flips * residual for residual in residuals], hac_lags)
        else:
            covariance[:, :, part] = _white_meats(residuals, products)
    return scores, covariance


def _flipped_residual(fit: Partialled, equation: int, basis: Floats, projection: Floats, flips: Floats) -> Floats:
    """Return the residuals of each draw times its signs: their squares and products are those of the residuals."""
    residual = basis @ projection
    residual *= flips
    return np.subtract(fit.restricted_residuals[:, equation, None], residual, out=residual)


def _products(fit: Partialled, cov: str) -> Floats:
    """Return the weighted products u_i u_j of the tested basis, i <= j, shape (q (q + 1) / 2, n)."""
    i, j = np.triu_indices(fit.tested_basis.shape[1])
    weighted = fit.tested_basis[:, i] * fit.tested_basis[:, j] * row_weights(fit, cov)[:, None]
    return np.ascontiguousarray(weighted.T)


def _error_covariance(fit: Partialled, projections: list[Floats], dof_correction: bool) -> Floats:
    """Return (m q, m q, draws): homoskedastic covariance; flipping signs keeps the restricted sums of products."""
    m, q = len(projections), fit.tested_basis.shape[1]
    divisor = fit.nobs - fit.n_parameters if dof_correction else fit.nobs
    total = fit.restricted_residuals.T @ fit.restricted_residuals
    out = np.zeros((m, q, m, q, projections[0].shape[1]))
    for a in range(m):
        for b in range(m):
            explained = (projections[a] * projections[b]).sum(axis=0)
            for i in range(q):
                out[a, i, b, i] = (total[a, b] - explained) / divisor
    return out.reshape(m * q, m * q, -1)


def _white_meats(residuals: list[Floats], products: Floats) -> Floats:
    """Return (m q, m q, draws): products u_i u_j against products of residuals."""
    m = len(residuals)
    q = int((np.sqrt(8 * len(products) + 1) - 1) / 2 + 0.5)
    i, j = np.triu_indices(q)
    out = np.empty((m, q, m, q, residuals[0].shape[1]))
    for a in range(m):
        for b in range(a, m):
            meat = products @ (residuals[a] * residuals[b])
            out[a, i, b, j] = out[a, j, b, i] = meat
            out[b, i, a, j] = out[b, j, a, i] = meat
    return out.reshape(m * q, m * q, -1)


def _hac_meats(fit: Partialled, residuals: list[Floats], lags: int) -> Floats:
    """Return (m q, m q, draws): outer products of box sums of the scores, as in `covariance.bartlett_meat`."""
    places = fit.rows - fit.rows[0] + lags + 1
    draws, q = residuals[0].shape[1], fit.tested_basis.shape[1]
    grid = np.zeros((draws, int(places[-1]) + 1 + lags, len(residuals) * q))
    for a, residual in enumerate(residuals):
        grid[:, places, a * q : (a + 1) * q] = residual.T[:, :, None] * fit.tested_basis
    running = np.cumsum(grid, axis=1)
    boxes = running[:, lags + 1 :] - running[:, : running.shape[1] - lags - 1]
    return np.moveaxis(boxes.transpose(0, 2, 1) @ boxes / (lags + 1), 0, -1)


def quadratic_forms(scores: Floats, covariance: Floats) -> Floats:
    """Return s'V^{-1}s along the last axis by one Cholesky recursion over all draws; infinite where V is singular.

    Parameters
    ----------
    scores : ndarray of shape (k, draws)
    covariance : ndarray of shape (k, k, draws)
    """
    k = len(scores)
    factor = np.zeros_like(covariance)
    solved = np.empty_like(scores)
    singular = np.zeros(scores.shape[1], dtype=bool)
    for j in range(k):
        pivot = covariance[j, j] - np.square(factor[j, :j]).sum(axis=0)
        bad = ~(pivot > 1e-13 * covariance[j, j])
        singular |= bad
        root = np.sqrt(np.where(bad, 1.0, pivot))
        factor[j, j] = root
        for i in range(j + 1, k):
            factor[i, j] = (covariance[i, j] - (factor[i, :j] * factor[j, :j]).sum(axis=0)) / root
        solved[j] = (scores[j] - (factor[j, :j] * solved[:j]).sum(axis=0)) / root
    return np.where(singular, np.inf, np.square(solved).sum(axis=0))
