"""Geweke's measure of causal strength, from two regressions and from the fitted vector autoregression itself.

Notes
-----
The strength is ln(error variance without the cause's past / with it). A second regression without the cause is itself
of infinite order, so cutting both at the same lags biases the measure. The state-space value avoids that: the vector
autoregression of all series implies the exact infinite-order error variance of any subset of them, as the steady
state of a Kalman filter (Barnett and Seth 2015, Physical Review E 91).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.linalg import solve_discrete_are

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.granger_design import Series, read_series
from analysis.stats.lagged import (
    Floats,
    as_numbers,
    check_lags,
    check_trend,
    deterministic,
    is_deficient,
    lag_columns,
)

REFERENCE = (
    "Geweke (1982), JASA 77; Geweke (1984), JASA 79; Barnett and Seth (2014), Journal of Neuroscience Methods 223; "
    "Barnett and Seth (2015), Physical Review E 91"
)
STABILITY_LIMIT = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GewekeStrength(TestResult):
    """Strength of a causal link in nats.

    Attributes
    ----------
    statistic, pvalue, df
        Likelihood ratio n times the two-regression value against chi-square: the plain test, for comparison.
    estimate, state_space : float
        Value implied by the fitted vector autoregression of all series.
    two_regression : float
        ln(det of restricted / det of unrestricted error covariance), never negative.
    gaussian_bits : float
        Transfer entropy of Gaussian series in bits: half the state-space value over ln 2.
    radius : float
        Largest root of the fitted vector autoregression.
    """

    state_space: float
    two_regression: float
    gaussian_bits: float
    radius: float

    def summary(self) -> str:
        """Return the test and both values as text."""
        return (
            TestResult.summary(self)
            + f"\n  two-regression value {self.two_regression:.6g}; "
            + f"Gaussian transfer entropy {self.gaussian_bits:.6g} bits"
        )


@dataclass(frozen=True, slots=True)
class FittedVar:
    """A vector autoregression: coefs (p, k, k) with row = equation, sigma (k, k) dividing by rows, and rows used."""

    coefs: Floats
    sigma: Floats
    residuals: Floats
    responses: Floats
    design: Floats
    n_deterministic: int


def fit_lags(series: Series, lags: int, trend: str) -> FittedVar | str:
    """Fit the vector autoregression of effects, causes and conditioning series on the rows whole in all of them."""
    X = series.joint
    n, k = X.shape
    trend_columns = deterministic(n, trend)
    lagged = lag_columns(X, range(1, lags + 1))
    use = series.allowed & np.isfinite(np.hstack([X, lagged])).all(axis=1)
    Z, Y = np.hstack([trend_columns, lagged])[use], X[use]
    if len(Y) <= Z.shape[1] + k:
        return f"{len(Y)} usable rows are too few for {Z.shape[1]} coefficients an equation"
    scale = np.linalg.norm(Z, axis=0)
    if not (scale > 0).all():
        return "a regressor is zero in every usable row"
    Q, R = np.linalg.qr(Z / scale)
    if is_deficient(R, len(Y)):
        return "the regressors are collinear: a series is constant, repeated or a combination of the others"
    b = np.linalg.solve(R, Q.T @ Y) / scale[:, None]
    residuals = Y - Z @ b
    sigma = residuals.T @ residuals / len(Y)
    spread = np.sqrt(np.diag(sigma))
    level = np.sqrt(np.square(Y).mean(axis=0))
    if (spread <= 1e-12 * level).any() or np.linalg.cond(sigma / np.outer(spread, spread)) > 1e12:
        return "the error covariance is singular: a series is repeated or a combination of others"
    d = trend_columns.shape[1]
    coefs = b[d:].reshape(k, lags, k).transpose(1, 2, 0)
    return FittedVar(coefs, sigma, residuals, Y, Z, d)


def var_radius(coefs: Floats) -> float:
    """Return the largest modulus of the roots of the companion matrix of coefs (p, k, k)."""
    return float(np.abs(np.linalg.eigvals(companion(coefs))).max())


def companion(coefs: Floats) -> Floats:
    """Return the (p k, p k) companion matrix."""
    p, k, _ = coefs.shape
    out = np.eye(p * k, k=-k)
    out[:k] = coefs.transpose(1, 0, 2).reshape(k, p * k)
    return out


@dataclass(frozen=True, slots=True)
class Innovations:
    """Innovations form of a subset: transition (m, m), observation (r, m), gain (m, r), covariance (r, r)."""

    transition: Floats
    observation: Floats
    gain: Floats
    covariance: Floats


def reduced_innovations(coefs: Floats, sigma: Floats, keep: Sequence[int]) -> Innovations | str:
    """Return the innovations form of some series of an autoregression, by the discrete algebraic Riccati equation.

    References
    ----------
    Barnett and Seth (2015), Physical Review E 91, eq. 16-19.
    """
    p, k, _ = coefs.shape
    A = companion(coefs)
    chosen = list(keep)
    C = A[:k][chosen]
    Q = np.zeros_like(A)
    Q[:k, :k] = sigma
    S = np.zeros((p * k, len(chosen)))
    S[:k] = sigma[:, chosen]
    R = sigma[np.ix_(chosen, chosen)]
    try:
        P = solve_discrete_are(A.T, C.T, Q, R, s=S)
        V = C @ P @ C.T + R
        V = (V + V.T) / 2.0
        gain = np.linalg.solve(V, (A @ P @ C.T + S).T).T
    except (np.linalg.LinAlgError, ValueError) as error:  # SciPy reports a failed reordering as a ValueError
        return f"the Riccati equation of the reduced model has no stable solution ({error})"
    return Innovations(A, C, gain, V)


def unit_errors(coefs: Floats, sigma: Floats) -> tuple[Floats, Floats]:
    """Return the autoregression of the same series, each in the unit in which its error has variance one.

    No strength depends on the units, but the Riccati equation is solved to an accuracy that does.
    """
    spread = np.sqrt(np.diag(sigma))
    return coefs / spread[:, None] * spread, sigma / spread[:, None] / spread


def _positions(group: int | Sequence[int]) -> list[int]:
    """Return the positions of a group, given as one whole number or as several."""
    try:
        return [index(item) for item in ([group] if isinstance(group, int | np.integer) else group)]
    except TypeError:
        raise InputError("a position must be a whole number", given=group, limit="one, or a sequence of them") from None


def _check_var(
    coefs: ArrayLike, sigma: ArrayLike, groups: Sequence[int | Sequence[int]]
) -> tuple[Floats, Floats, list[list[int]]]:
    A, V = as_numbers(coefs, "coefs"), as_numbers(sigma, "sigma")
    if A.ndim != 3 or A.shape[1] != A.shape[2] or V.shape != A.shape[1:] or not A.size:
        raise InputError("a vector autoregression is coefs (p, k, k) with sigma (k, k)", given=(A.shape, V.shape))
    if not (np.isfinite(A).all() and np.isfinite(V).all()):
        raise InputError("a coefficient or covariance is not finite")
    given = V.tolist()
    positive = bool((np.diag(V) > 0).all())
    A, V = unit_errors(A, V) if positive else (A, V)
    if not positive or not np.allclose(V, V.T) or np.linalg.eigvalsh(V)[0] <= 0:
        raise InputError("sigma must be symmetric and positive definite", given=given)
    lists = [_positions(group) for group in groups]
    every = [item for group in lists for item in group]
    k = len(V)
    if not lists[0] or not lists[1] or len(set(every)) < len(every) or any(not 0 <= item < k for item in every):
        raise InputError(
            "effect, cause and given must be distinct positions, effect and cause not empty",
            given=lists,
            limit=f"0 to {k - 1}",
        )
    radius = var_radius(A)
    if radius >= STABILITY_LIMIT:
        raise InputError("the vector autoregression is not stable", given=f"largest root {radius:.6f}", limit="below 1")
    return A, V, lists


def geweke_strength_from_var(
    coefs: ArrayLike,
    sigma: ArrayLike,
    effect: int | Sequence[int],
    cause: int | Sequence[int],
    given: int | Sequence[int] = (),
) -> float:
    """Return the exact strength (nats) with which causes lead effects in a known vector autoregression.

    Parameters
    ----------
    coefs : array of shape (p, k, k)
        ``coefs[j - 1, a, b]`` is the effect of series b at lag j on series a.
    sigma : array of shape (k, k)
        Covariance of the errors.
    effect, cause : int or sequence of int
        Positions of the series.
    given : int or sequence of int
        Positions of the conditioning series. A series in none of the three groups is treated as not observed.

    Returns
    -------
    float
        ln det(error covariance of the effects given the past of effects and given) minus the same with the causes'
        past.

    Raises
    ------
    InputError
        For wrong shapes or positions, or when the autoregression is not stable.

    Examples
    --------
    >>> coefs = [[[0.0, 0.5], [0.0, 0.0]]]
    >>> round(geweke_strength_from_var(coefs, np.eye(2), [0], [1]), 6) == round(float(np.log(1.25)), 6)
    True
    """
    A, V, (y, x, z) = _check_var(coefs, sigma, (effect, cause, given))
    value = strength_value(A, V, y, x, z)
    if isinstance(value, str):
        raise InputError("the strength of this vector autoregression cannot be computed", cause=value)
    return value


def strength_value(A: Floats, V: Floats, y: list[int], x: list[int], z: list[int]) -> float | str:
    """Return the strength of a checked vector autoregression, or the reason there is none."""
    A, V = unit_errors(A, V)
    hidden = set(range(len(V))) - {*y, *x, *z}
    without = reduced_innovations(A, V, [*y, *z])
    if isinstance(without, str):
        return without
    m = len(y)
    numerator = np.linalg.slogdet(without.covariance[:m, :m])[1]
    if not hidden:
        return max(0.0, float(numerator - np.linalg.slogdet(V[np.ix_(y, y)])[1]))
    full = reduced_innovations(A, V, [*y, *z, *x])
    if isinstance(full, str):
        return full
    return max(0.0, float(numerator - np.linalg.slogdet(full.covariance[:m, :m])[1]))


def geweke_strength(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    given: ArrayLike | None = None,
    trend: str = "c",
    mask: ArrayLike | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> GewekeStrength | Inapplicable | Failed:
    """Measure how strongly the past of `cause` helps to predict `effect`, in nats.

    Parameters
    ----------
    effect, cause : array of shape (n,) or (n, k)
        Stationary series in time order. NaN marks a missing observation; a row needs every series at t .. t-lags.
    lags : int
    given : array of shape (n,) or (n, m), optional
        Conditioning series.
    trend : {"c", "n", "ct"}
    mask : bool array of shape (n,), optional
        Dates that may enter as rows.
    effect_name, cause_name : str

    Returns
    -------
    GewekeStrength, Inapplicable or Failed
        Inapplicable when the fitted autoregression is not stable: the infinite past then has no steady state.

    References
    ----------
    Geweke (1982), JASA 77; Geweke (1984), JASA 79; Barnett and Seth (2015), Physical Review E 91.
    """
    method = "Geweke strength"
    series = read_series(effect, cause, given, mask)
    p = check_lags(lags)
    fit = fit_lags(series.standardised(check_trend(trend))[0], p, trend)
    if isinstance(fit, str):
        return Inapplicable(method=method, reason=fit)
    radius = var_radius(fit.coefs)
    if radius >= STABILITY_LIMIT:
        reason = f"the fitted autoregression is not stable (largest root {radius:.6f}); take changes of the series"
        return Inapplicable(method=method, reason=reason)
    m, c, k = series.effect.shape[1], series.cause.shape[1], len(fit.sigma)
    y, x, z = list(range(m)), list(range(m, m + c)), list(range(m + c, k))
    value = strength_value(fit.coefs, fit.sigma, y, x, z)
    if isinstance(value, str):
        return Failed(method=method, reason=value)
    two = _two_regression(fit, p, m, c)
    nobs, df = len(fit.responses), m * c * p
    return GewekeStrength(
        method=method,
        null=f"the past of {cause_name} adds nothing to the prediction of {effect_name}",
        alternative=f"it adds to the prediction of {effect_name}",
        statistic=nobs * two,
        pvalue=float(stats.chi2.sf(nobs * two, df)),
        distribution="chi2",
        df=(float(df),),
        estimate=value,
        estimate_name=f"strength of {cause_name} on {effect_name} (nats, state space)",
        nobs=nobs,
        nobs_lost=len(series) - nobs,
        lags=p,
        options={"trend": trend, "n_given": len(z)},
        warnings=("the likelihood ratio over-rejects when volatility moves; test with granger_test",),
        reference=REFERENCE,
        state_space=value,
        two_regression=two,
        gaussian_bits=value / 2.0 / float(np.log(2.0)),
        radius=radius,
    )


def _two_regression(fit: FittedVar, p: int, m: int, c: int) -> float:
    """Return ln det of restricted over unrestricted error covariance of the effects at the same lag order."""
    d = fit.n_deterministic
    causes = np.zeros(fit.design.shape[1], dtype=bool)
    causes[d + m * p : d + (m + c) * p] = True
    Z = fit.design[:, ~causes]
    Y = fit.responses[:, :m]
    basis = np.linalg.qr(Z / np.linalg.norm(Z, axis=0))[0] if Z.shape[1] else Z
    restricted = Y - basis @ (basis.T @ Y)
    numerator = np.linalg.slogdet(restricted.T @ restricted)[1]
    unrestricted = fit.residuals[:, :m]
    return max(0.0, float(numerator - np.linalg.slogdet(unrestricted.T @ unrestricted)[1]))
