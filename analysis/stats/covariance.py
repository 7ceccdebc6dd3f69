"""Partialled-out least squares and its robust covariance: the numbers behind every Wald test of lag coefficients.

Notes
-----
The design is split in columns kept under the null (`W`) and tested columns (`X`). With an orthonormal basis `U` of the
part of `X` that `W` does not explain, the tested coefficients are a linear map of `U'y`, so a Wald statistic needs only
the small covariance of `U'y`; it does not depend on the choice of basis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from analysis.errors import InputError
from analysis.stats.lagged import Floats, Ints, is_deficient

COVARIANCES = ("nonrobust", "HC0", "HC1", "HC3", "HAC")
LEVERAGE_LIMIT = 1.0 - 1e-9
PERFECT_FIT = 1e-13  # residual norm over response norm that rounding alone explains


def check_cov(cov: str) -> str:
    """Return the covariance code; raises InputError for an unknown one."""
    if cov not in COVARIANCES:
        raise InputError("unknown covariance estimator", given=cov, limit=", ".join(COVARIANCES))
    return cov


def newey_west_lags(nobs: int) -> int:
    """Return the usual rule floor(4 (n / 100)^(2/9)) for the Bartlett kernel (Newey and West 1994)."""
    return math.floor(4.0 * (nobs / 100.0) ** (2.0 / 9.0))


@dataclass(frozen=True, slots=True)
class Partialled:
    """A least-squares fit with the kept columns partialled out.

    Attributes
    ----------
    scores : ndarray of shape (q, m)
        ``U'Y``: tested directions by equation.
    kept_basis : ndarray of shape (n, w)
    tested_basis : ndarray of shape (n, q)
        Orthonormal; together they span the design.
    factor : ndarray of shape (q, q)
        Upper triangular; coefficients are its inverse times `scores`.
    response, residuals, restricted_residuals : ndarray of shape (n, m)
    leverage : ndarray of shape (n,)
    rows : ndarray of shape (n,)
        Position in time of every row, so that a kernel over time never bridges a gap.
    condition : float
        Condition number of the design with unit-norm columns.
    """

    scores: Floats
    kept_basis: Floats
    tested_basis: Floats
    factor: Floats
    response: Floats
    residuals: Floats
    restricted_residuals: Floats
    leverage: Floats
    rows: Ints
    condition: float

    @property
    def nobs(self) -> int:
        """Rows used."""
        return len(self.residuals)

    @property
    def n_parameters(self) -> int:
        """Coefficients an equation."""
        return self.kept_basis.shape[1] + self.tested_basis.shape[1]

    @property
    def coefficients(self) -> Floats:
        """Tested coefficients, shape (q, m)."""
        return solve_triangular(self.factor, self.scores)


def partial_out(Y: Floats, W: Floats, X: Floats, rows: Ints) -> Partialled | str:
    """Fit ``Y = W a + X b + e`` by orthogonal factorisation; return a reason in words when the data do not allow it."""
    n, w = W.shape
    Z = np.hstack([W, X])
    if n <= Z.shape[1]:
        return f"{n} usable rows are too few for {Z.shape[1]} coefficients"
    scale = np.linalg.norm(Z, axis=0)
    if not (scale > 0).all():
        return "a regressor is zero in every usable row"
    Q, R = np.linalg.qr(Z / scale)
    if is_deficient(R, n):
        return "the regressors are collinear: a series is constant, repeated or a combination of the others"
    kept, tested = Q[:, :w], Q[:, w:]
    restricted = Y - kept @ (kept.T @ Y)
    scores = tested.T @ Y
    residuals = restricted - tested @ scores
    if (np.linalg.norm(residuals, axis=0) <= PERFECT_FIT * math.sqrt(n) * np.linalg.norm(Y, axis=0)).any():
        return "the regressors fit the effect perfectly, which leaves no residual variation to test with"
    return Partialled(
        scores=scores,
        kept_basis=kept,
        tested_basis=tested,
        factor=R[w:, w:] * scale[w:],
        response=Y,
        residuals=residuals,
        restricted_residuals=restricted,
        leverage=np.square(Q).sum(axis=1),
        rows=rows,
        condition=float(np.linalg.cond(R)),
    )


def row_weights(fit: Partialled, cov: str) -> Floats:
    """Return the weights (n,) on squared residuals: 1, n / (n - k) or 1 / (1 - h)^2 (MacKinnon and White 1985)."""
    if cov == "HC3":
        return 1.0 / np.square(1.0 - fit.leverage)
    if cov == "HC1":
        return np.full(fit.nobs, fit.nobs / (fit.nobs - fit.n_parameters))
    return np.ones(fit.nobs)


def score_covariance(fit: Partialled, cov: str, *, hac_lags: int = 0, dof_correction: bool = True) -> Floats:
    """Return the covariance of the scores, equation-major: shape (m q, m q).

    Parameters
    ----------
    cov : {"nonrobust", "HC0", "HC1", "HC3", "HAC"}
    hac_lags : int
        Bartlett lags of "HAC"; no small-sample factor is applied.
    dof_correction : bool
        Whether the error covariance of "nonrobust" divides by n - k rather than n.

    Notes
    -----
    The Bartlett estimate is the sum over all dates of outer products of box sums of the scores, divided by the number
    of terms in the box: the same number as the weighted sum of autocovariances (Newey and West 1987), positive
    semi-definite by construction. A missing row is a zero score at its date, so no gap is bridged.
    """
    q = fit.tested_basis.shape[1]
    if cov == "nonrobust":
        divisor = fit.nobs - fit.n_parameters if dof_correction else fit.nobs
        return np.asarray(np.kron(fit.residuals.T @ fit.residuals / divisor, np.eye(q)), dtype=np.float64)
    weighted = fit.residuals * np.sqrt(row_weights(fit, cov))[:, None]
    products = (weighted[:, :, None] * fit.tested_basis[:, None, :]).reshape(fit.nobs, -1)
    return bartlett_meat(products, fit.rows, hac_lags) if cov == "HAC" else products.T @ products


def bartlett_meat(products: Floats, rows: Ints, lags: int) -> Floats:
    """Return the Bartlett-weighted long-run sum of outer products of (n, q) scores placed at `rows` in time."""
    grid = np.zeros((int(rows[-1] - rows[0]) + 1 + 2 * lags + 1, products.shape[1]))
    grid[rows - rows[0] + lags + 1] = products
    running = np.cumsum(grid, axis=0)
    boxes = running[lags + 1 :] - running[: len(running) - lags - 1]
    return boxes.T @ boxes / (lags + 1)


def quadratic_form(scores: Floats, covariance: Floats) -> float | None:
    """Return the Wald statistic s'V^{-1}s; None when V is singular to working precision."""
    diagonal = np.sqrt(np.diag(covariance))
    if not (diagonal > 0).all():
        return None
    try:
        factor = np.linalg.cholesky(covariance / np.outer(diagonal, diagonal))
    except np.linalg.LinAlgError:
        return None
    if np.square(np.diag(factor)).min() < 1e-13:
        return None
    return float(np.square(solve_triangular(factor, scores / diagonal, lower=True)).sum())


def coefficient_covariance(fit: Partialled, score_cov: Floats) -> Floats:
    """Map the covariance of the scores to that of the tested coefficients, equation-major."""
    m, q = fit.residuals.shape[1], len(fit.factor)
    back = np.kron(np.eye(m), solve_triangular(fit.factor, np.eye(q)))
    return back @ score_cov @ back.T
