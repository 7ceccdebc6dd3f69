"""Remove causality in mean and a series' own GARCH(1,1) volatility, so that only links between shocks remain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from analysis.stats.lagged import Floats, deterministic, lag_columns, qr_solve

DISTRIBUTIONS = ("normal", "t")
PERSISTENCE_LIMIT = 0.9999
BACKCAST_ROWS, BACKCAST_DECAY = 75, 0.94
STARTS = ((0.98, 0.05), (0.95, 0.10), (0.80, 0.20), (0.50, 0.50), (0.10, 0.50))
SEARCHES = 2  # from the best starting points; the others only when these end on no maximum
LEAST_ROWS = 100


@dataclass(frozen=True, slots=True)
class GarchFit:
    """A GARCH(1,1) fit with a constant mean of zero.

    Attributes
    ----------
    parameters : ndarray of shape (3,) or (4,)
        omega, alpha, beta and, for "t", the degrees of freedom.
    variance : ndarray of shape (n,)
    shocks : ndarray of shape (n,)
        Standardised; NaN where the input was missing.
    slopes : ndarray of shape (n, 3)
        Derivatives of the log variance by omega, alpha and beta.
    log_likelihood : float
    """

    parameters: Floats
    variance: Floats
    shocks: Floats
    slopes: Floats
    log_likelihood: float


def mean_residuals(series: Floats, lags: int) -> Floats | str:
    """Return residuals (n, k) of the vector autoregression of the given order; NaN where a needed value is missing.

    Order 0 removes the mean only. The reason in words when the regression cannot be run.
    """
    n = len(series)
    design = (
        np.hstack([deterministic(n, "c"), lag_columns(series, range(1, lags + 1))]) if lags else deterministic(n, "c")
    )
    use = np.isfinite(np.hstack([series, design])).all(axis=1)
    if use.sum() < max(LEAST_ROWS, 2 * design.shape[1]):
        return f"{int(use.sum())} usable rows are too few to filter means and variances; {LEAST_ROWS} are needed"
    out = np.full(series.shape, np.nan)
    for k in range(series.shape[1]):
        solution = qr_solve(design[use], series[use, k])
        if solution is None:
            return "the lags of the series are collinear: a series is constant or repeated"
        out[use, k] = series[use, k] - design[use] @ solution.coefficients
        if np.linalg.norm(out[use, k]) <= 1e-10 * np.linalg.norm(series[use, k]):
            return "a series has no variation left after its mean is removed"
    return out


def fit_garch11(residuals: Floats, *, distribution: str = "normal") -> GarchFit | str:
    """Fit a GARCH(1,1) by (quasi) maximum likelihood; the reason in words when no maximum is found.

    Parameters
    ----------
    residuals : ndarray of shape (n,)
        Mean zero; NaN marks a missing observation, over which the variance runs on at its forecast.
    distribution : {"normal", "t"}

    Notes
    -----
    The variance before the sample is an exponentially weighted mean of the first squares. Several starting points; the
    gradient is analytic in omega, alpha and beta.

    References
    ----------
    Bollerslev (1986), Journal of Econometrics 31; Bollerslev and Wooldridge (1992), Econometric Reviews 11.
    """
    from analysis.stats.volatility.garch_kernels import garch_recursion

    present = np.isfinite(residuals)
    scale = float(np.sqrt(np.square(residuals[present]).mean()))
    squares = np.square(residuals / scale)
    first = squares[present][:BACKCAST_ROWS]
    weights = BACKCAST_DECAY ** np.arange(len(first))
    backcast = float(first @ weights / weights.sum())
    observed = squares[present]

    def loss(free: Floats) -> tuple[float, Floats]:
        omega, alpha, beta = _natural(free)
        h, slope = garch_recursion(squares, omega, alpha, beta, backcast)
        value, by_h, by_nu = _negative_density(observed, h[present], float(free[3]) if len(free) == 4 else None)
        by_omega, by_alpha, by_beta = by_h @ slope[present]
        persistence, share = free[1], free[2]
        gradient = [
            by_omega * omega,
            by_alpha * share + by_beta * (1 - share),
            (by_alpha - by_beta) * persistence,
        ]
        count = len(observed)
        return value / count, np.array(gradient + ([by_nu] if len(free) == 4 else [])) / count

    bounds = [(-18.0, 3.0), (1e-4, PERSISTENCE_LIMIT), (0.0, 1.0)]
    bounds += [(2.05, 200.0)] if distribution == "t" else []
    best = None
    tail_start = [8.0] if distribution == "t" else []
    starts = [np.array([np.log(1 - persistence), persistence, share, *tail_start]) for persistence, share in STARTS]
    for count, start in enumerate(sorted(starts, key=lambda item: loss(item)[0]), start=1):
        if count > SEARCHES and best is not None and _stationary_point(best, bounds):
            break
        found = optimize.minimize(
            loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-7}
        )
        if np.isfinite(found.fun) and (best is None or found.fun < best.fun):
            best = found
    if best is None or not _stationary_point(best, bounds):
        return "no maximum of the GARCH(1,1) likelihood was found"
    omega, alpha, beta = _natural(best.x)
    h, slope = garch_recursion(squares, omega, alpha, beta, backcast)
    tail = [float(best.x[3])] if distribution == "t" else []
    return GarchFit(
        parameters=np.array([omega * scale**2, alpha, beta, *tail]),
        variance=h * scale**2,
        shocks=residuals / scale / np.sqrt(h),
        slopes=slope / h[:, None] / np.array([scale**2, 1.0, 1.0]),
        log_likelihood=-float(best.fun) * len(observed) - len(observed) * float(np.log(scale)),
    )


def _natural(free: Floats) -> tuple[float, float, float]:
    """Return omega, alpha, beta from log omega, persistence and alpha's share of it."""
    return float(np.exp(free[0])), float(free[1] * free[2]), float(free[1] * (1 - free[2]))


def _negative_density(squares: Floats, h: Floats, nu: float | None) -> tuple[float, Floats, float]:
    """Return minus the log density, its derivative by every variance, and by the degrees of freedom."""
    if nu is None:
        ratio = squares / h
        value = 0.5 * (np.log(2 * np.pi) + np.log(h) + ratio).sum()
        return float(value), 0.5 * (1.0 - ratio) / h, 0.0
    ratio = squares / (h * (nu - 2))
    logs = np.log1p(ratio)
    constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(np.pi * (nu - 2))
    value = -(constant - 0.5 * np.log(h) - 0.5 * (nu + 1) * logs).sum()
    by_h = 0.5 / h - 0.5 * (nu + 1) * ratio / (1 + ratio) / h
    by_constant = 0.5 * (special.digamma((nu + 1) / 2) - special.digamma(nu / 2)) - 0.5 / (nu - 2)
    by_nu = -(by_constant - 0.5 * logs + 0.5 * (nu + 1) * ratio / (1 + ratio) / (nu - 2)).sum()
    return float(value), by_h, float(by_nu)


def _stationary_point(found: optimize.OptimizeResult, bounds: list[tuple[float, float]]) -> bool:
    """Say whether the gradient vanishes in every direction the bounds leave open."""
    gradient = np.asarray(found.jac)
    for slope, value, (low, high) in zip(gradient, found.x, bounds, strict=True):
        pinned = (value <= low + 1e-9 and slope > 0) or (value >= high - 1e-9 and slope < 0)
        if not pinned and abs(slope) > 1e-4:
            return False
    return True
