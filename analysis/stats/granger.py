"""Granger causality in the mean: does the past of one series help to predict another, and by how much.

Notes
-----
The F test most people report rejects a true null about half of the time when volatility spills over (Vilasuso 2001,
Journal of Econometrics 101), so the default covariance is HC3 and the p-value to rely on is that of the wild bootstrap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analysis.results import Inapplicable
from analysis.stats.covariance import check_cov
from analysis.stats.granger_block import (
    BLOCK_REFERENCE,
    PREDICTION_REFERENCE,
    block_exogeneity,
    draw_signs,
    instantaneous_causality,
    mean_test,
)
from analysis.stats.granger_bootstrap import check_weights, rademacher, wild_wald
from analysis.stats.granger_design import LagSelection, fit_mean, read_series, select_lags
from analysis.stats.granger_result import GrangerResult, Recipe, studentise
from analysis.stats.lagged import Floats, check_lags, check_trend, same_index

__all__ = [
    "GrangerResult",
    "LagSelection",
    "block_exogeneity",
    "granger_test",
    "instantaneous_causality",
    "rademacher",
    "select_lags",
    "toda_yamamoto",
    "wild_bootstrap_statistics",
]

TODA_YAMAMOTO_REFERENCE = (
    "Toda and Yamamoto (1995), Journal of Econometrics 66; Dolado and Lütkepohl (1996), Econometric Reviews 15"
)


def granger_test(
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
    """Test that the past of `cause` does not help to predict `effect`, given the effect's own past and that of `given`.

    Parameters
    ----------
    effect, cause : array of shape (n,) or (n, k)
        In time order, one row a date. NaN marks a missing observation: a row is used only when the effect at t and
        every series at t-1 .. t-lags are present, so gaps are never bridged.
    lags : int or {"aic", "bic", "hqic"}
        Lag order of all series. A criterion compares the joint vector autoregressions of order 1..max_lags on a common
        sample and is recorded in `options`; the test then uses every row the chosen order allows.
    given : array of shape (n,) or (n, m), optional
        Conditioning series, lagged like the rest.
    cov : {"HC3", "nonrobust", "HC0", "HC1", "HAC"}
        "HAC" is Newey-West with the Bartlett kernel and no small-sample factor.
    trend : {"c", "n", "ct"}
    bootstrap : int
        Draws of the fixed-design wild bootstrap with the null imposed; 0 for none.
    rng : numpy.random.Generator, optional
        Needed when `bootstrap` > 0 and no `weights` are given.
    max_lags : int, optional
    weights : array of shape (n, B) of -1 and +1, optional
        Wild weights by date instead of `rng`, so that a family of tests can share its draws.
    mask : bool array of shape (n,), optional
        Dates of the effect that may enter as rows; their lags may lie outside the mask.
    hac_lags : int, optional
        Default floor(4 (rows / 100)^(2/9)).
    effect_name, cause_name : str
        For the wording of the result.

    Returns
    -------
    GrangerResult or Inapplicable
        Inapplicable when rows are too few, regressors collinear, the fit perfect, or (HC3) a leverage is one.

    Raises
    ------
    InputError
        For wrong shapes, infinite values, unknown options, or a bootstrap without generator or weights.

    References
    ----------
    Granger (1969), Econometrica 37; MacKinnon and White (1985), Journal of Econometrics 29; Newey and West (1987),
    Econometrica 55; Gonçalves and Kilian (2004), Journal of Econometrics 123; Geweke (1982), JASA 77 (strength).

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> x = rng.standard_normal(500)
    >>> y = np.r_[0.0, 0.5 * x[:-1]] + rng.standard_normal(500)
    >>> granger_test(y, x, lags=2).pvalue < 1e-6
    True
    """
    same_index(effect=effect, cause=cause, weights=weights)
    series = read_series(effect, cause, given, mask)
    system = series.effect.shape[1] > 1
    recipe = Recipe(
        method=f"Granger causality in mean ({cov})",
        reference=BLOCK_REFERENCE if system else PREDICTION_REFERENCE,
        lags=0,
        n_time=len(series),
        cov=check_cov(cov),
        trend=check_trend(trend),
        n_causes=series.cause.shape[1],
        n_series=series.joint.shape[1],
        hac_lags=hac_lags,
        signs=draw_signs(len(series), bootstrap, weights, rng),
        system=system,
        effect_name=effect_name,
        cause_name=cause_name,
        options={"n_given": series.given.shape[1]},
    )
    return mean_test(series, lags, max_lags, recipe)


def toda_yamamoto(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int | str,
    extra_lags: int = 1,
    given: ArrayLike | None = None,
    cov: str = "HC3",
    trend: str = "c",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    max_lags: int | None = None,
    weights: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    hac_lags: int | None = None,
    dof_correction: bool = True,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> GrangerResult | Inapplicable:
    """Test lags 1..lags of the cause in levels, with `extra_lags` more of every series kept but not tested.

    Parameters
    ----------
    effect, cause, given, lags, cov, trend, bootstrap, rng, max_lags, weights, mask, hac_lags
        As in `granger_test`, for series in levels that may be integrated or cointegrated.
    extra_lags : int
        The largest order of integration to guard against; at least 1.
    dof_correction : bool
        Whether "nonrobust" divides the residual sum by n - k (default) or by n.

    Returns
    -------
    GrangerResult or Inapplicable
        In chi-square form. `lags` is the tested order; both orders are in `options`.

    References
    ----------
    Toda and Yamamoto (1995), Journal of Econometrics 66; Dolado and Lütkepohl (1996), Econometric Reviews 15.
    """
    same_index(effect=effect, cause=cause, weights=weights)
    series = read_series(effect, cause, given, mask)
    extra = check_lags(extra_lags, name="extra_lags")
    recipe = Recipe(
        method=f"Toda-Yamamoto causality in levels ({cov})",
        reference=TODA_YAMAMOTO_REFERENCE,
        lags=0,
        n_time=len(series),
        cov=check_cov(cov),
        trend=check_trend(trend),
        n_causes=series.cause.shape[1],
        n_series=series.joint.shape[1],
        hac_lags=hac_lags,
        dof_correction=dof_correction,
        form="chi2",
        signs=draw_signs(len(series), bootstrap, weights, rng),
        system=series.effect.shape[1] > 1,
        effect_name=effect_name,
        cause_name=cause_name,
        options={"extra_lags": extra, "n_given": series.given.shape[1]},
    )
    return mean_test(series, lags, max_lags, recipe, extra_lags=extra)


def wild_bootstrap_statistics(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    weights: ArrayLike,
    given: ArrayLike | None = None,
    cov: str = "HC3",
    trend: str = "c",
    mask: ArrayLike | None = None,
    hac_lags: int | None = None,
) -> tuple[float, Floats] | Inapplicable:
    """Return the F-form statistic and its wild bootstrap draws under the null, for joint use across tests.

    Parameters
    ----------
    effect, cause, lags, given, cov, trend, mask, hac_lags
        As in `granger_test`.
    weights : array of shape (n, B) of -1 and +1
        One row a date of the input, one column a draw. Tests given the same weights on the same dates have dependent
        draws as their data do, whatever rows each of them loses (Romano and Wolf 2005, Econometrica 73).

    Returns
    -------
    (observed, draws) or Inapplicable
        A float and an array of shape (B,); a draw whose covariance is singular is infinite.
    """
    same_index(effect=effect, cause=cause, weights=weights)
    series = read_series(effect, cause, given, mask)
    signs = check_weights(weights, len(series))
    recipe = Recipe(
        method=f"wild bootstrap of Granger causality ({cov})",
        reference=PREDICTION_REFERENCE,
        lags=check_lags(lags),
        n_time=len(series),
        cov=check_cov(cov),
        trend=check_trend(trend),
        n_causes=series.cause.shape[1],
        n_series=series.joint.shape[1],
        hac_lags=hac_lags,
    )
    found = fit_mean(series, lags=recipe.lags, trend=trend)
    if isinstance(found, str):
        return Inapplicable(method=recipe.method, reason=found)
    fit = found.fit
    tested = studentise(fit, recipe)
    if isinstance(tested, str):
        return Inapplicable(method=recipe.method, reason=tested)
    count = fit.scores.size
    draws = wild_wald(fit, signs, cov, hac_lags=recipe.bandwidth(fit.nobs))
    return tested[0] / count, draws / count
