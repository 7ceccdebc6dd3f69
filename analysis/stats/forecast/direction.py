"""Directional accuracy: whether the sign of a forecast tells that of the outcome more often than chance would."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.results import Inapplicable, TestResult
from analysis.stats.forecast.inputs import FEWEST, check_horizon, check_level, frozen, long_run_variance
from analysis.stats.lagged import same_index
from analysis.stats.regression import as_series

METHOD = "Pesaran–Timmermann test of directional accuracy"
REFERENCE = "Pesaran and Timmermann (1992), Journal of Business and Economic Statistics 10, 461-465"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DirectionResult(TestResult):
    """A test of directional accuracy.

    Attributes
    ----------
    hit_rate, chance_rate : float
        Share of right signs, and the share that signs with the same frequencies would get right by chance.
    share_up, share_forecast_up : float
        Shares of rises in outcomes and in forecasts.
    """

    hit_rate: float
    chance_rate: float
    share_up: float
    share_forecast_up: float


def pesaran_timmermann(
    actual: ArrayLike, forecast: ArrayLike, *, horizon: int = 1, level: float = 0.95
) -> DirectionResult | Inapplicable:
    """Test whether the signs of forecast and outcome are independent.

    Parameters
    ----------
    actual, forecast : array of shape (n,)
        In time order; a rise is a value above zero. NaN marks a missing value; such rows are dropped and lost.
    horizon : int
        Rows over which outcomes overlap. Above 1 the statistic is the covariance of the two signs with a variance of
        Bartlett weights over horizon - 1 lags.
    level : float
        Level of the interval of the excess hit rate, robust at every horizon; the test is one-sided.

    Returns
    -------
    DirectionResult or Inapplicable
        Inapplicable when a series always has one sign: a forecast that always says "up" has no skill to test, however
        often it is right.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    Measured at a nominal 5 % (growing window from 500 of n = 1500, 600 runs): size iid 2.7 %, GARCH-t 3.0 %, spill
    2.5 %; power against a coefficient of 0.08 41, 51 and 36 %.

    References
    ----------
    Pesaran and Timmermann (1992), eqs. 4 to 6; Blaskowitz and Herwartz (2014), International Journal of Forecasting 30,
    for overlapping outcomes.

    Examples
    --------
    >>> y = np.random.default_rng(0).standard_normal(100)
    >>> pesaran_timmermann(y, y).hit_rate
    1.0
    """
    same_index(actual=actual, forecast=forecast)
    y = as_series("actual", actual)
    f = as_series("forecast", forecast, y.size)
    horizon, level = check_horizon(horizon), check_level(level)
    rows = np.flatnonzero(np.isfinite(y) & np.isfinite(f))
    n = rows.size
    if n < FEWEST:
        return Inapplicable(method=METHOD, reason=f"{n} rows have outcome and forecast; {FEWEST} are needed")
    up, said = y[rows] > 0, f[rows] > 0
    p, q = float(up.mean()), float(said.mean())
    for share, name in ((p, "outcome"), (q, "forecast")):
        if share in (0.0, 1.0):
            return Inapplicable(method=METHOD, reason=f"the {name} has the same sign in every row")
    hit, chance = float((up == said).mean()), p * q + (1 - p) * (1 - q)
    excess = 2.0 * ((up - p) * (said - q))
    error = math.sqrt(max(long_run_variance(excess, rows, horizon - 1), 0.0) / n)
    if horizon == 1:
        variance = chance * (1 - chance) / n
        variance -= ((2 * p - 1) ** 2 * q * (1 - q) + (2 * q - 1) ** 2 * p * (1 - p)) / n
        variance -= 4 * p * q * (1 - p) * (1 - q) / n**2
    else:
        variance = error**2
    if not variance > 0:
        return Inapplicable(method=METHOD, reason="the variance of the hit rate is zero")
    statistic = (hit - chance) / math.sqrt(variance)
    reach = float(stats.norm.isf((1.0 - level) / 2.0)) * error
    return DirectionResult(
        method=METHOD,
        null="the signs of forecast and outcome are independent",
        alternative="the forecast tells the sign more often than chance",
        statistic=statistic,
        pvalue=float(stats.norm.sf(statistic)),
        distribution="normal",
        estimate=hit - chance,
        estimate_name="hit rate above chance",
        interval=(hit - chance - reach, hit - chance + reach),
        interval_level=level,
        nobs=int(n),
        nobs_lost=int(y.size - n),
        options=frozen(horizon=horizon),
        reference=REFERENCE,
        hit_rate=hit,
        chance_rate=chance,
        share_up=p,
        share_forecast_up=q,
    )
