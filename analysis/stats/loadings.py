"""Does a series load on one portfolio more than on its twin? Both loadings from one regression, difference tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.lagged import same_index
from analysis.stats.regression import (
    COVARIANCES,
    LeastSquares,
    as_columns,
    as_series,
    bootstrap_pvalue,
    lag_columns,
    ols,
    positive_integer,
    require_generator,
    restriction_covariance,
    wald,
    wild_bootstrap,
)

METHOD = "Difference of loadings"
REFERENCE = (
    "Fama and French (2015), J. Financial Economics 116, for the portfolios; MacKinnon and White (1985), "
    "J. Econometrics 29; Gonçalves and Kilian (2004), J. Econometrics 123"
)
FEWEST_ROWS = 50
LEVERAGE_LIMIT = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadingDifference(TestResult):
    """Loadings of a series on two portfolios and the test that they are equal.

    Attributes
    ----------
    statistic, pvalue : float
        F form of the Wald test that both loadings (summed over the lags) are equal.
    estimate, interval
        First less second.
    bootstrap_pvalue, bootstrap_error : float or None
        Fixed-design wild bootstrap with equality imposed, and its Monte Carlo standard error.
    bootstrap_draws : int
    loading, lower, upper : ndarray of shape (2,)
        Each loading with its interval, the other portfolio held fixed.
    correlation : float
        Between the two portfolios: the closer to one, the less the data can tell them apart.
    """

    bootstrap_pvalue: float | None = None
    bootstrap_error: float | None = None
    bootstrap_draws: int = 0
    loading: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    correlation: float

    def summary(self) -> str:
        """Return the test, the bootstrap p-value and both loadings."""
        lines = [TestResult.summary(self)]
        if self.bootstrap_pvalue is not None:
            lines.append(
                f"  wild bootstrap p = {self.bootstrap_pvalue:.4g} (+/- {self.bootstrap_error:.2g}, "
                f"{self.bootstrap_draws} draws)"
            )
        for i, label in enumerate(("first", "second")):
            lines.append(f"  {label}: {self.loading[i]:.6g} [{self.lower[i]:.6g}, {self.upper[i]:.6g}]")
        lines.append(f"  correlation of the two = {self.correlation:.4g}")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return three rows: the difference, then each loading."""
        low, high = self.interval if self.interval is not None else (None, None)
        return pd.DataFrame(
            {
                "part": ["first - second", "first", "second"],
                "loading": [self.estimate, *self.loading],
                "lower": [low, *self.lower],
                "upper": [high, *self.upper],
                "nobs": [self.nobs] * 3,
            }
        )


def loading_difference(
    effect: Any,
    first: Any,
    second: Any,
    *,
    lags: int = 0,
    given: Any = None,
    cov: str = "HC3",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> LoadingDifference | Inapplicable:
    """Test whether a series loads alike on two portfolios.

    Parameters
    ----------
    effect, first, second : array_like of shape (n,)
        Returns on one time grid. NaN marks a missing value; a row needs everything it uses.
    lags : int
        0: returns of the same period, which describes co-movement. p > 0: lags 1 … p of both portfolios and of `given`,
        which asks what their past says about the effect; loadings are then sums over the lags.
    given : array_like of shape (n,) or (n, m), optional
        Other drivers held fixed: of the same period, or lagged like the rest.
    cov : {"HC3", "HC0", "HC1", "nonrobust", "HAC"}
    bootstrap : int
        Draws of the fixed-design wild bootstrap that imposes equality; 0 for none.
    rng : Generator, optional
        Needed when `bootstrap` is positive.
    level : float

    Returns
    -------
    LoadingDifference or Inapplicable

    Raises
    ------
    InputError
        On wrong shapes, infinite values or options outside their range.

    Notes
    -----
    Portfolios of one size move together, so that separate regressions give nearly the same loading twice; only one
    regression with both can tell them apart. Own lags of the effect (max(lags, 1)) are always held fixed. Measured
    size of the wild bootstrap at a nominal 5 %, n = 500 and 1500, portfolios correlated at .9: 3 to 7 % on independent
    data, on GARCH-t data and under volatility spillover, in the same period and with two lags.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> a, b, e = rng.standard_normal((3, 500))
    >>> result = loading_difference(1.5 * a + 0.5 * b + e, a, b)
    >>> 0.8 < result.estimate < 1.2
    True
    """
    same_index(effect=effect, first=first, second=second, given=given)
    effect = as_series("effect", effect)
    pair = np.column_stack([as_series("first", first, effect.size), as_series("second", second, effect.size)])
    others = as_columns("given", given, effect.size)
    p = positive_integer("lags", lags, at_least=0)
    draws = require_generator(bootstrap, rng)
    if cov not in COVARIANCES:
        raise InputError("unknown covariance", given=repr(cov), limit=", ".join(COVARIANCES))
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)
    tested, beside = (pair, others) if p == 0 else (lag_columns(pair, p), lag_columns(others, p))
    design = np.column_stack([np.ones(effect.size), tested, lag_columns(effect[:, None], max(p, 1)), beside])
    used = np.isfinite(np.column_stack([effect, design])).all(axis=1)
    if used.sum() < max(FEWEST_ROWS, 3 * design.shape[1]):
        return Inapplicable(
            method=METHOD, reason=f"{int(used.sum())} usable rows are too few for {design.shape[1]} coefficients"
        )
    fit = ols(design[used], effect[used], np.flatnonzero(used))
    if fit is None or float(fit.leverage.max()) > LEVERAGE_LIMIT:
        return Inapplicable(method=METHOD, reason="a portfolio is constant, or the regressors are collinear")
    sums = np.zeros((2, design.shape[1]))
    width = max(p, 1)
    sums[0, 1 : 1 + width] = sums[1, 1 + width : 1 + 2 * width] = 1.0
    return _report(fit, sums, pair[used], p, int((~used).sum()), (cov, level, draws, others.shape[1]), rng)


def _report(
    fit: LeastSquares,
    sums: np.ndarray,
    pair: np.ndarray,
    p: int,
    lost: int,
    settings: tuple[str, float, int, int],
    rng: np.random.Generator | None,
) -> LoadingDifference | Inapplicable:
    cov, level, draws, n_given = settings
    R = sums[:1] - sums[1:]
    F = wald(fit, R, cov)
    if F is None:
        return Inapplicable(method=METHOD, reason="the covariance of the loadings is singular")
    rows = np.vstack([R, sums])
    V = restriction_covariance(fit, rows, fit.residuals[None, :], cov)[0]
    half = float(stats.t.isf((1.0 - level) / 2.0, fit.df_resid)) * np.sqrt(np.diag(V))
    values = rows @ fit.coefficients
    boot: tuple[float | None, float | None] = (None, None)
    if draws and rng is not None:
        null = equal_residuals(fit, R)
        boot = bootstrap_pvalue(F, wild_bootstrap(fit, R, null, cov=cov, draws=draws, rng=rng))
    return LoadingDifference(
        method=METHOD if p == 0 else f"{METHOD}, {p} lags",
        null="the effect loads alike on both portfolios",
        alternative="it loads on one more than on the other",
        statistic=F,
        pvalue=float(stats.f.sf(F, 1.0, fit.df_resid)),
        distribution="F",
        df=(1.0, float(fit.df_resid)),
        estimate=float(values[0]),
        estimate_name="difference of loadings, first less second",
        interval=(float(values[0] - half[0]), float(values[0] + half[0])),
        interval_level=level,
        nobs=len(pair),
        nobs_lost=lost,
        lags=p,
        options={"cov": cov, "level": level, "bootstrap": draws, "given": n_given},
        reference=REFERENCE,
        bootstrap_pvalue=boot[0],
        bootstrap_error=boot[1],
        bootstrap_draws=draws,
        loading=values[1:],
        lower=(values - half)[1:],
        upper=(values + half)[1:],
        correlation=float(np.corrcoef(pair.T)[0, 1]),
    )


def equal_residuals(fit: LeastSquares, R: np.ndarray) -> np.ndarray:
    """Return the residuals (n,) of least squares under ``R b = 0``, from the fit without the restriction."""
    middle = np.linalg.solve(R @ fit.bread @ R.T, R @ fit.coefficients)
    return fit.residuals + fit.design @ (fit.bread @ R.T @ middle)
