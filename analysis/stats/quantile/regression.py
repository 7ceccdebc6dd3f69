"""Linear quantile regression and the influence of every row on its coefficients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.stats.lagged import Floats

TOLERANCE = 1e-10  # duality gap as a share of the sum of absolute responses
ITERATION_LIMIT = 100
BANDWIDTHS = ("hall-sheather", "bofinger")


def check_loss(residuals: Floats, tau: float) -> float:
    """Return the sum of the quantile (check) loss."""
    return float((residuals * (tau - (residuals < 0))).sum())


def solve_quantile(X: Floats, y: Floats, tau: float) -> tuple[Floats, Floats] | None:
    """Return coefficients (k,) and hits (n,) of the linear quantile regression of y on X; None without convergence.

    Parameters
    ----------
    X : ndarray of shape (n, k)
        Of full column rank.
    y : ndarray of shape (n,)
    tau : float
        Strictly between 0 and 1.

    Notes
    -----
    A hit is tau - 1[residual < 0]. The rows the fit passes through take the dual value in between, so that X'hits = 0
    exactly; counting them on one side would bias every sum of hits by as many rows as there are coefficients.

    References
    ----------
    Koenker and Bassett (1978), Econometrica 46; Portnoy and Koenker (1997), Statistical Science 12 (algorithm);
    Gutenbrunner and Jurečková (1992), Annals of Statistics 20 (dual values as scores).
    """
    basis, factor = _basis(X)
    solved = _solve_in_basis(basis, y, tau)
    return None if solved is None else (_unscaled(factor, solved[0]), solved[1])


def _basis(X: Floats) -> tuple[Floats, Floats]:
    """Return columns (n, k) of unit mean square, mutually orthogonal, and the factor (k, k) that maps them to X."""
    basis, factor = np.linalg.qr(X)
    root = math.sqrt(len(X))
    return np.ascontiguousarray(basis * root), factor / root


def _unscaled(factor: Floats, coefficients: NDArray[np.floating[Any]]) -> Floats:
    """Return coefficients on the original columns."""
    return np.asarray(np.linalg.solve(factor, coefficients), dtype=np.float64)


def _solve_in_basis(basis: Floats, y: Floats, tau: float) -> tuple[Floats, Floats] | None:
    """Return coefficients on an orthogonal basis and hits; the least squares fit is taken out first, for precision."""
    from analysis.stats.quantile.kernels import interior_point

    least_squares = basis.T @ y / len(y)
    rest = y - basis @ least_squares
    unit = float(np.abs(rest).mean())
    if unit == 0.0:
        return None
    found, dual, iterations = interior_point(
        basis, rest / unit, np.zeros(basis.shape[1]), tau, TOLERANCE, ITERATION_LIMIT
    )
    return None if iterations < 0 else (least_squares + found * unit, dual - (1 - tau))


def density_bandwidth(nobs: int, tau: float, kind: str = "bofinger") -> float:
    """Return the half-width on the probability scale for a density at the tau quantile; tau +- h stays inside (0, 1).

    References
    ----------
    Hall and Sheather (1988), JRSS B 50; Bofinger (1975), Australian Journal of Statistics 17.
    """
    z = float(stats.norm.ppf(tau))
    density = float(stats.norm.pdf(z))
    if kind == "bofinger":
        width = nobs**-0.2 * (4.5 * density**4 / (2 * z * z + 1) ** 2) ** 0.2
    else:
        width = nobs ** (-1 / 3) * stats.norm.isf(0.025) ** (2 / 3) * (1.5 * density**2 / (2 * z * z + 1)) ** (1 / 3)
    return min(float(width), 0.95 * tau, 0.95 * (1 - tau))


def residual_window(residuals: Floats, tau: float, kind: str = "bofinger") -> float:
    """Return the half-width in units of the response that the probability half-width stands for."""
    h = density_bandwidth(len(residuals), tau, kind)
    quartiles = np.quantile(residuals, [0.25, 0.75])
    spread = min(float(residuals.std()), float(quartiles[1] - quartiles[0]) / 1.349)
    return spread * float(stats.norm.ppf(tau + h) - stats.norm.ppf(tau - h)) if spread > 0 else 0.0


@dataclass(frozen=True, slots=True)
class QuantileFit:
    """One quantile regression: coefficients (k,), residuals (n,), and the influence (n, k) of every row on them.

    The covariance of the coefficients is `influence.T @ influence`: Powell's kernel in the bread, and in the meat the
    squared hits themselves, so that a misspecified linear quantile does no harm (Kim and White 2003).
    """

    tau: float
    coefficients: Floats
    residuals: Floats
    influence: Floats


def fit_quantile(X: Floats, y: Floats, tau: float, *, bandwidth: str = "bofinger") -> QuantileFit | str:
    """Fit one quantile with its influence rows; the reason in words when that cannot be done.

    References
    ----------
    Powell (1991), in Nonparametric and Semiparametric Methods in Econometrics (bread); Kim and White (2003), Advances
    in Econometrics 17 (meat).
    """
    basis, factor = _basis(X)
    solved = _solve_in_basis(basis, y, tau)
    if solved is None:
        return f"the quantile regression at {tau:g} did not converge"
    residuals = y - basis @ solved[0]
    window = residual_window(residuals, tau, bandwidth)
    if not window > 0:
        return f"the residuals of the quantile regression at {tau:g} do not vary"
    scaled = residuals / window
    weights = 0.75 * np.clip(1.0 - scaled * scaled, 0.0, None) / window
    bread = basis.T @ (basis * weights[:, None])
    if np.linalg.cond(bread) > 1e10:
        return f"too few rows lie near the quantile {tau:g} to estimate the density there"
    scores = basis * solved[1][:, None]
    influence = _unscaled(factor, np.linalg.solve(bread, scores.T)).T
    return QuantileFit(tau, _unscaled(factor, solved[0]), residuals, influence)


def whitened(influence: Floats) -> tuple[Floats, Floats] | None:
    """Return influence rows (n, q) with unit covariance and the (q, q) map that did it; None when it is singular."""
    covariance = influence.T @ influence
    spread = np.sqrt(np.diag(covariance))
    if not (spread > 0).all() or not math.isfinite(float(spread.sum())):
        return None
    try:
        factor = np.linalg.cholesky(covariance / np.outer(spread, spread))
    except np.linalg.LinAlgError:
        return None
    mapping = np.linalg.inv(factor) / spread
    return influence @ mapping.T, mapping
