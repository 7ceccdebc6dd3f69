"""Tests on whole blocks of a vector autoregression: block exogeneity and instantaneous causality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.covariance import check_cov, quadratic_form
from analysis.stats.granger_bootstrap import Signs, check_weights, rademacher
from analysis.stats.granger_design import Series, fit_mean, read_series, resolve_lags
from analysis.stats.granger_result import GrangerResult, Recipe, assemble
from analysis.stats.lagged import Floats, check_lags, check_trend, same_index

BLOCK_REFERENCE = "Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, section 3.6.1, eq. 3.6.6"
INSTANT_REFERENCE = "Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, section 3.6.3"
PREDICTION_REFERENCE = (
    "Granger (1969), Econometrica 37; MacKinnon and White (1985), Journal of Econometrics 29 (HC3); "
    "Gonçalves and Kilian (2004), Journal of Econometrics 123 (fixed-design wild bootstrap)"
)


def draw_signs(n_time: int, bootstrap: int, weights: ArrayLike | None, rng: np.random.Generator | None) -> Signs | None:
    """Return the wild bootstrap signs by date, or None when no bootstrap is asked for."""
    draws = check_lags(bootstrap, name="bootstrap", least=0)
    if weights is not None:
        signs = check_weights(weights, n_time)
        if draws not in (0, signs.shape[1]):
            raise InputError("bootstrap and weights disagree on the draws", given=(draws, signs.shape[1]))
        return signs
    if draws == 0:
        return None
    return rademacher(rng, n_time, draws)  # type: ignore[arg-type]


def mean_test(
    series: Series, lags: int | str, max_lags: int | None, recipe: Recipe, *, extra_lags: int = 0
) -> GrangerResult | Inapplicable:
    """Choose the lag order, fit and assemble: the common path of every Granger test in the mean."""
    resolved = resolve_lags(series, lags, max_lags, recipe.trend)
    if isinstance(resolved, Inapplicable):
        return replace(resolved, method=recipe.method)
    order, record = resolved
    found = fit_mean(series, lags=order, extra_lags=extra_lags, trend=recipe.trend)
    return assemble(found, replace(recipe, lags=order, options=recipe.options | record))


def block_exogeneity(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int | str,
    given: ArrayLike | None = None,
    cov: str = "HC3",
    trend: str = "c",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    max_lags: int | None = None,
    weights: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    hac_lags: int | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> GrangerResult | Inapplicable:
    """Test that no lag of any cause enters the equation of any effect.

    Parameters
    ----------
    effect, cause : array of shape (n,) or (n, k)
    given : array of shape (n,) or (n, m), optional
        Series whose lags stand in every equation and are not tested.
    lags, cov, trend, bootstrap, rng, max_lags, weights, mask, hac_lags, effect_name, cause_name
        As in `granger_test`.

    Returns
    -------
    GrangerResult or Inapplicable
        F(m k lags, K n - K parameters an equation), K counting effects, causes and conditioning series.

    Notes
    -----
    Robust covariances are those of the stacked system: scores of all equations at one date are one observation.

    References
    ----------
    Lütkepohl (2005), section 3.6.1, eq. 3.6.6.

    Examples
    --------
    >>> noise = np.random.default_rng(1).standard_normal((200, 3))
    >>> block_exogeneity(noise[:, :2], noise[:, 2], lags=2).df
    (4.0, 573.0)
    """
    same_index(effect=effect, cause=cause, weights=weights)
    series = read_series(effect, cause, given, mask)
    recipe = Recipe(
        method=f"block exogeneity ({cov})",
        reference=BLOCK_REFERENCE,
        lags=0,
        n_time=len(series),
        cov=check_cov(cov),
        trend=check_trend(trend),
        n_causes=series.cause.shape[1],
        n_series=series.joint.shape[1],
        hac_lags=hac_lags,
        signs=draw_signs(len(series), bootstrap, weights, rng),
        system=True,
        effect_name=effect_name,
        cause_name=cause_name,
    )
    return mean_test(series, lags, max_lags, recipe)


def instantaneous_causality(
    x: ArrayLike,
    y: ArrayLike,
    *,
    lags: int | str,
    given: ArrayLike | None = None,
    trend: str = "c",
    cov: str = "nonrobust",
    max_lags: int | None = None,
    mask: ArrayLike | None = None,
) -> TestResult | Inapplicable:
    """Test that the errors of two blocks of a vector autoregression are uncorrelated at the same date.

    Parameters
    ----------
    x, y : array of shape (n,) or (n, k)
        NaN marks a missing observation. The test is symmetric: it says nothing about direction, and two series observed
        at different hours of a day can fail it for that reason alone.
    lags : int or {"aic", "bic", "hqic"}
    given : array of shape (n,) or (n, m), optional
        Series whose lags (not their present) stand in every equation.
    trend : {"n", "c", "ct"}
    cov : {"nonrobust", "HC0"}
        "nonrobust" takes the variance of an error covariance as under independent Gaussian errors (the published test);
        "HC0" estimates it from the products of the errors and survives moving volatility.
    max_lags : int, optional
    mask : bool array of shape (n,), optional

    Returns
    -------
    TestResult or Inapplicable
        Chi-square with one degree of freedom for every pair of an x and a y. For two single series `estimate` is the
        correlation of the errors.

    References
    ----------
    Lütkepohl (2005), section 3.6.3.
    """
    method = f"instantaneous causality ({cov})"
    if cov not in ("nonrobust", "HC0"):
        raise InputError("unknown covariance estimator", given=cov, limit="nonrobust, HC0")
    same_index(x=x, y=y, given=given, mask=mask)
    series = read_series(x, y, given, mask)
    resolved = resolve_lags(series, lags, max_lags, check_trend(trend))
    if isinstance(resolved, Inapplicable):
        return replace(resolved, method=method)
    order, record = resolved
    both = Series(np.hstack([series.effect, series.cause]), series.given, np.empty((len(series), 0)), series.allowed)
    found = fit_mean(both, lags=order, trend=trend)
    if isinstance(found, str):
        return Inapplicable(method=method, reason=found)
    fit = found.fit
    U, V = np.split(fit.residuals, [series.effect.shape[1]], axis=1)
    products = (U[:, :, None] * V[:, None, :]).reshape(fit.nobs, -1)
    variance = products.T @ products if cov == "HC0" else fit.nobs * _gaussian_variance(U, V)
    wald = quadratic_form(products.sum(axis=0), variance)
    if wald is None:
        return Inapplicable(
            method=method, reason="the error covariance is singular: a series is repeated or a combination of others"
        )
    single = products.shape[1] == 1
    plain = (
        ("the variance of the error covariance assumes constant volatility; see cov='HC0'",)
        if cov == "nonrobust"
        else ()
    )
    return TestResult(
        method=method,
        null="the errors of x and y are uncorrelated at the same date",
        alternative="they are correlated",
        statistic=wald,
        pvalue=float(stats.chi2.sf(wald, products.shape[1])),
        distribution="chi2",
        df=(float(products.shape[1]),),
        estimate=float(products.sum() / (np.linalg.norm(U) * np.linalg.norm(V))) if single else None,
        estimate_name="correlation of the errors" if single else "",
        nobs=fit.nobs,
        nobs_lost=len(series) - fit.nobs,
        lags=order,
        options={"cov": cov, "trend": trend} | record,
        warnings=plain,
        reference=INSTANT_REFERENCE,
    )


def _gaussian_variance(U: Floats, V: Floats) -> Floats:
    """Return the covariance of one date's products u_i v_j: S_ik S_jl + S_il S_jk, pairs in row-major order."""
    n = len(U)
    S_uu, S_vv, S_uv = U.T @ U / n, V.T @ V / n, U.T @ V / n
    cross = np.einsum("il,kj->ijkl", S_uv, S_uv)
    size = U.shape[1] * V.shape[1]
    return np.kron(S_uu, S_vv) + cross.reshape(size, size)
