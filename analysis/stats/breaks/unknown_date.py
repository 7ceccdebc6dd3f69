"""Is there a break at all: largest Chow statistic and CUSUM of residuals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.breaks.correlation import BreakTestResult
from analysis.stats.breaks.dates import COVARIANCES
from analysis.stats.breaks.design import EXACT_FIT, Rows, check_trim, fit, least_rows, long_run_meat, read_rows
from analysis.stats.breaks.laws import sup_wald_sf
from analysis.stats.lagged import Floats
from analysis.stats.regression import hac_bandwidth

SUP_F, CUSUM = "Sup-F test for a break", "OLS-CUSUM test"


def sup_f(
    y: ArrayLike, x: ArrayLike | None = None, *, trim: float = 0.15, cov: str = "nonrobust"
) -> BreakTestResult | Inapplicable:
    """Test a regression on a constant and `x` for one break at an unknown date.

    Parameters
    ----------
    y : array_like of shape (n,)
        The series; NaN marks a missing value, whose row is left out.
    x : array_like of shape (n,) or (n, m), optional
        Regressors beside the constant; all coefficients may change.
    trim : float
        Share of the sample at each end in which no break is looked for.
    cov : {"nonrobust", "HC0", "HAC"}
        Covariance of the Wald statistic at each date, from the residuals of the two stretches. The last two allow for
        variance that moves with x or in clusters, and for serial correlation too (Bartlett, 4 (n / 100)^(2/9) lags).
        The moments of the scores are taken over both stretches, as the limit law assumes that they do not change.

    Returns
    -------
    BreakTestResult or Inapplicable
        ``statistic`` is the largest Wald statistic (k times the F of Chow's test when not robust).

    Raises
    ------
    InputError
        For a wrong shape, an infinite value or an option outside its set.

    Notes
    -----
    The p-value is the exact one of the continuous limit, not an approximation to it; a sample looks at finitely many
    dates, so it errs on the safe side (about 0.054 where simulations on a fine grid give 0.050).

    References
    ----------
    Andrews (1993), Econometrica 61; Hansen (1997), JBES 15; Estrella (2003), Econometric Theory 19.
    """
    trim = check_trim(trim)
    if cov not in COVARIANCES:
        raise InputError("unknown covariance", given=repr(cov), limit=", ".join(COVARIANCES))
    rows = read_rows(y, x)
    shortest = rows if isinstance(rows, str) else least_rows(rows, trim)
    if isinstance(rows, str) or isinstance(shortest, str):
        return Inapplicable(method=SUP_F, reason=str(shortest))
    n, k = rows.design.shape
    splits = np.arange(shortest, n - shortest + 1)
    path = _wald_path(rows, splits, cov)
    if isinstance(path, str):
        return Inapplicable(method=SUP_F, reason=path)
    peak = int(np.argmax(path))
    statistic = float(path[peak])
    return BreakTestResult(
        method=SUP_F,
        null="the coefficients do not change",
        alternative="they change once, at an unknown date",
        statistic=statistic,
        pvalue=sup_wald_sf(statistic, k, shortest / n),
        distribution="sup-Wald",
        df=(float(k),),
        nobs=n,
        nobs_lost=rows.lost,
        options={"trim": trim, "cov": cov},
        warnings=("rejects too often when the variance moves with the regressors or errors are correlated; see cov",)
        if cov == "nonrobust"
        else (),
        reference="Andrews (1993), Econometrica 61; Estrella (2003), Econometric Theory 19",
        break_after=rows.number(int(splits[peak])),
        path=path,
        path_after=rows.places[splits - 1] + 1,
    )


def _wald_path(rows: Rows, splits: np.ndarray, cov: str) -> Floats | str:
    """Return the Wald statistic of equal coefficients before and after each split, or why there is none."""
    y, X = rows.response, rows.design
    n, k = X.shape
    total = float(np.sum((y - y.mean()) ** 2))
    path = np.empty(splits.size)
    for position, split in enumerate(splits):
        parts = []
        for s in (slice(0, split), slice(split, n)):
            gram = X[s].T @ X[s]
            scale = np.sqrt(np.diag(gram))
            if not (scale > 0).all() or np.linalg.cond(gram / np.outer(scale, scale)) > 1e12:
                return "the regressors are collinear before or after a candidate date"
            bread: Floats = np.asarray(np.linalg.inv(gram), dtype=np.float64)
            b = bread @ (X[s].T @ y[s])
            parts.append((b, bread, X[s], y[s] - X[s] @ b))
        rss = sum(float(u @ u) for *_, u in parts)
        if rss <= EXACT_FIT * total:
            return "two stretches fit the series exactly, so that there is no error to judge a break by"
        if cov == "nonrobust":
            V: Floats = rss / (n - 2 * k) * (parts[0][1] + parts[1][1])
        else:
            scores = np.vstack([Z * u[:, None] for *_, Z, u in parts])
            omega = long_run_meat(scores, cov, hac_bandwidth(n)) / (n - 2 * k)
            V = sum((len(Z) * bread @ omega @ bread for _, bread, Z, _ in parts), np.zeros((k, k)))
        spread = np.sqrt(np.diag(V))
        if not (spread > 0).all() or np.linalg.cond(V / np.outer(spread, spread)) > 1e12:
            return "the covariance of the coefficients is singular: a regressor stands out in single rows only"
        delta = parts[1][0] - parts[0][0]
        path[position] = delta @ np.linalg.solve(V, delta)
    return path


def cusum(y: ArrayLike, x: ArrayLike | None = None, *, cov: str = "nonrobust") -> BreakTestResult | Inapplicable:
    """Test a regression for constancy by the running sum of its least squares residuals.

    Parameters
    ----------
    y : array_like of shape (n,)
        The series; NaN marks a missing value, whose row is left out.
    x : array_like of shape (n,) or (n, m), optional
        Stationary regressors beside the constant.
    cov : {"nonrobust", "HAC"}
        Scale of the sum: the residual variance, or their long-run variance (Bartlett, 4 (n / 100)^(2/9) lags).

    Returns
    -------
    BreakTestResult or Inapplicable

    Raises
    ------
    InputError
        For a wrong shape, an infinite value or an option outside its set.

    Notes
    -----
    Under the null the path tends to a Brownian bridge, whose largest absolute value has Kolmogorov's law. The test
    sees changes of the level; it has no power against a change of slope on a regressor of mean zero.

    References
    ----------
    Ploberger and Krämer (1992), Econometrica 60.
    """
    if cov not in ("nonrobust", "HAC"):
        raise InputError("unknown covariance", given=repr(cov), limit="nonrobust, HAC")
    rows = read_rows(y, x)
    if isinstance(rows, str):
        return Inapplicable(method=CUSUM, reason=rows)
    n, k = rows.design.shape
    residuals = fit(rows.response, rows.design)[1]
    if residuals @ residuals <= EXACT_FIT * np.sum((rows.response - rows.response.mean()) ** 2):
        return Inapplicable(method=CUSUM, reason="the regression fits the series exactly")
    variance = float(long_run_meat(residuals[:, None], cov, hac_bandwidth(n))[0, 0]) / (n - k)
    path = np.cumsum(residuals)[:-1] / math.sqrt(n * variance)
    peak = int(np.argmax(np.abs(path)))
    statistic = float(abs(path[peak]))
    return BreakTestResult(
        method=CUSUM,
        null="the coefficients do not change",
        alternative="the level of the series given x changes",
        statistic=statistic,
        pvalue=float(stats.kstwobign.sf(statistic)),
        distribution="Kolmogorov",
        nobs=n,
        nobs_lost=rows.lost,
        options={"cov": cov},
        warnings=("rejects too often when errors are serially correlated; see cov",) if cov == "nonrobust" else (),
        reference="Ploberger and Krämer (1992), Econometrica 60",
        break_after=rows.number(peak + 1),
        path=path,
        path_after=rows.places[:-1] + 1,
    )
