"""Least squares for the state tests: checked series, gap-aware lags, robust covariance, Wald and wild bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import qr, solve_triangular

from analysis.errors import InputError
from analysis.stats.lagged import as_numbers

COVARIANCES = ("nonrobust", "HC0", "HC1", "HC3", "HAC")
_RANK_TOLERANCE = 1e-9
_BLOCK_CELLS = 4_000_000


def as_series(name: str, values: Any, length: int | None = None) -> np.ndarray:
    """Return a float copy of shape (n,); NaN marks a missing value; raises InputError on another shape or on inf."""
    series = as_numbers(values, name)
    if series.ndim != 1 or (length is not None and series.size != length):
        limit = "shape (n,)" if length is None else f"shape ({length},), the length of the first series"
        raise InputError(f"{name} has the wrong shape", given=series.shape, limit=limit)
    _refuse_infinite(name, series)
    return series


def as_columns(name: str, values: Any, length: int) -> np.ndarray:
    """Return a float copy of shape (n, m); a single series becomes one column and None becomes no column."""
    if values is None:
        return np.empty((length, 0))
    columns = as_numbers(values, name)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2 or columns.shape[0] != length:
        raise InputError(f"{name} has the wrong shape", given=columns.shape, limit=f"({length},) or ({length}, m)")
    _refuse_infinite(name, columns)
    return columns


def _refuse_infinite(name: str, values: np.ndarray) -> None:
    if np.isinf(values).any():
        raise InputError(
            f"{name} holds an infinite value",
            given=f"first at row {int(np.argmax(np.isinf(values).reshape(len(values), -1).any(axis=1)))}",
            cause="a logarithm or a ratio of zero",
            remedy="mark missing values with NaN",
        )


def positive_integer(name: str, value: Any, *, at_least: int = 1) -> int:
    """Return `value` as an int; raises InputError when it is no whole number or too small."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise InputError(f"{name} must be a whole number", given=repr(value), limit=f"{at_least} or more")
    return int(value)


def require_generator(draws: int, rng: np.random.Generator | None) -> int:
    """Return the number of draws; raises InputError when draws are asked for without a generator."""
    draws = positive_integer("bootstrap", draws, at_least=0)
    if draws and not isinstance(rng, np.random.Generator):
        raise InputError(
            "a bootstrap needs its own generator", given=repr(rng), remedy="pass rng=np.random.default_rng"
        )
    return draws


def lag_columns(columns: np.ndarray, lags: int) -> np.ndarray:
    """Return lags 1..p of every column, series by series.

    Parameters
    ----------
    columns : ndarray of shape (n, m)
        Series by time; NaN marks a missing value.
    lags : int
        The number p of lags.

    Returns
    -------
    ndarray of shape (n, m * p)
        Row t holds values dated t-1 … t-p by position, NaN where there are none, so that no gap is ever bridged.
    """
    n, m = columns.shape
    lagged = np.full((n, m, lags), np.nan)
    for lag in range(1, min(lags, n - 1) + 1):
        lagged[lag:, :, lag - 1] = columns[:-lag]
    return lagged.reshape(n, m * lags)


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """A least squares fit of full column rank.

    Attributes
    ----------
    design : ndarray of shape (n, k)
    coefficients : ndarray of shape (k,)
    residuals, leverage : ndarray of shape (n,)
    bread : ndarray of shape (k, k)
        Inverse of the design's cross-product.
    times : ndarray of shape (n,)
        Position of every row on the time axis; HAC weights use it, so a gap keeps its length.
    """

    design: np.ndarray
    coefficients: np.ndarray
    residuals: np.ndarray
    leverage: np.ndarray
    bread: np.ndarray
    times: np.ndarray

    @property
    def df_resid(self) -> int:
        """Rows less columns."""
        return int(self.design.shape[0] - self.design.shape[1])


def ols(design: np.ndarray, effect: np.ndarray, times: np.ndarray | None = None) -> LeastSquares | None:
    """Fit by QR on unit-length columns; return None when the design has too few rows or no full column rank."""
    n, k = design.shape
    length = np.sqrt(np.einsum("ij,ij->j", design, design))
    if n <= k or not (length > 0).all():
        return None
    Q, R, pivot = qr(design / length, mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(R))
    if diagonal.min() <= _RANK_TOLERANCE * diagonal.max():
        return None
    inverse = np.empty((k, k))
    inverse[pivot] = solve_triangular(R, np.eye(k))
    inverse /= length[:, None]
    coefficients = inverse @ (Q.T @ effect)
    return LeastSquares(
        design=design,
        coefficients=coefficients,
        residuals=effect - design @ coefficients,
        leverage=np.einsum("ij,ij->i", Q, Q),
        bread=inverse @ inverse.T,
        times=np.arange(n) if times is None else times,
    )


def hac_bandwidth(n: int) -> int:
    """Newey–West rule of thumb for the number of autocovariances: floor(4 (n / 100)^(2/9))."""
    return int(np.floor(4.0 * (n / 100.0) ** (2.0 / 9.0)))


def residual_scale(fit: LeastSquares, cov: str) -> np.ndarray:
    """Return the factor of shape (n,) by which each residual is multiplied before it enters the robust covariance."""
    n = fit.leverage.size
    slack = np.clip(1.0 - fit.leverage, 1e-12, None)
    if cov == "HC1":
        return np.full(n, np.sqrt(n / fit.df_resid))
    return 1.0 / slack if cov == "HC3" else np.ones(n)


def restriction_covariance(fit: LeastSquares, R: np.ndarray, residuals: np.ndarray, cov: str) -> np.ndarray:
    """Covariance of ``R b`` for one or many residual vectors.

    Parameters
    ----------
    fit : LeastSquares
    R : ndarray of shape (q, k)
    residuals : ndarray of shape (B, n)
        One row a draw; each row holds unrestricted residuals.
    cov : str
        One of `COVARIANCES`. HAC uses Bartlett weights on calendar distance and no small-sample factor.

    Returns
    -------
    ndarray of shape (B, q, q)

    References
    ----------
    MacKinnon and White (1985), J. Econometrics 29; Newey and West (1987), Econometrica 55.
    """
    if cov == "nonrobust":
        variance = np.einsum("bn,bn->b", residuals, residuals) / fit.df_resid
        return variance[:, None, None] * (R @ fit.bread @ R.T)
    A = fit.design @ fit.bread @ R.T
    scaled = residuals * residual_scale(fit, cov)
    q = R.shape[0]
    if cov != "HAC":
        outer = np.einsum("ni,nj->nij", A, A).reshape(-1, q * q)
        return ((scaled**2) @ outer).reshape(-1, q, q)
    return np.stack([_hac(row[:, None] * A, fit.times) for row in scaled])


def _hac(scores: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Bartlett long-run sum of scores of shape (n, q); a missing row enters as zero at its own date."""
    first = int(times[0])
    grid = np.zeros((int(times[-1]) - first + 1, scores.shape[1]))
    grid[times - first] = scores
    bandwidth = hac_bandwidth(scores.shape[0])
    meat = grid.T @ grid
    for lag in range(1, min(bandwidth, len(grid) - 1) + 1):
        gamma = grid[lag:].T @ grid[:-lag]
        meat += (1.0 - lag / (bandwidth + 1.0)) * (gamma + gamma.T)
    return meat


def wald(fit: LeastSquares, R: np.ndarray, cov: str) -> float | None:
    """Wald statistic of ``R b = 0`` (chi-squared form), or None when its covariance is singular."""
    b = R @ fit.coefficients
    V = restriction_covariance(fit, R, fit.residuals[None, :], cov)[0]
    scale = np.sqrt(np.diag(V))
    if not (scale > 0).all() or np.linalg.cond(V / np.outer(scale, scale)) > 1e12:
        return None
    value = float(b @ np.linalg.solve(V, b))
    return value if np.isfinite(value) and value >= 0 else None


def rademacher(rng: np.random.Generator, draws: int, n: int) -> np.ndarray:
    """Return signs of shape (draws, n), each +1 or -1 with probability one half."""
    return rng.integers(0, 2, size=(draws, n)).astype(np.float64) * 2.0 - 1.0


def sign_blocks(rng: np.random.Generator, draws: int, n: int) -> Iterator[np.ndarray]:
    """Yield Rademacher signs in blocks of bounded memory; the draws do not depend on the block size."""
    block = max(1, _BLOCK_CELLS // max(n, 1))
    for start in range(0, draws, block):
        yield rademacher(rng, min(block, draws - start), n)


def wild_bootstrap(
    fit: LeastSquares, R: np.ndarray, restricted: np.ndarray, *, cov: str, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Wald statistics of a fixed-design wild bootstrap under the null.

    Parameters
    ----------
    fit : LeastSquares
        The unrestricted fit, whose design stays fixed.
    R : ndarray of shape (q, k)
        The restriction ``R b = 0``.
    restricted : ndarray of shape (n,)
        Residuals of the regression that imposes the restriction; each draw flips their signs.
    cov : str
        Covariance of the statistic, the same as for the data.
    draws : int
    rng : Generator

    Returns
    -------
    ndarray of shape (draws,)

    Notes
    -----
    The restricted fit lies in the column space and satisfies the null, so it drops out of estimate and residuals.

    References
    ----------
    Gonçalves and Kilian (2004), J. Econometrics 123.
    """
    statistics = []
    for signs in sign_blocks(rng, draws, restricted.size):
        effect = signs * restricted
        coefficients = effect @ fit.design @ fit.bread
        residuals = effect - coefficients @ fit.design.T
        b = coefficients @ R.T
        V = restriction_covariance(fit, R, residuals, cov)
        statistics.append(np.einsum("bi,bi->b", b, np.linalg.solve(V, b[:, :, None])[:, :, 0]))
    return np.concatenate(statistics)


def bootstrap_pvalue(observed: float, draws: np.ndarray) -> tuple[float, float]:
    """Return ``(1 + b) / (1 + B)`` and its Monte Carlo standard error."""
    pvalue = (1.0 + float(np.count_nonzero(draws >= observed))) / (1.0 + draws.size)
    return pvalue, float(np.sqrt(pvalue * (1.0 - pvalue) / draws.size))
