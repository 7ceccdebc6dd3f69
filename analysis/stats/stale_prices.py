"""Stale prices: how much of a lead could come from prices that were not refreshed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.crosscorr import cross_correlation
from analysis.stats.regression import as_series

METHOD = "Stale-price check"
REFERENCE = "Lo and MacKinlay (1990), J. Econometrics 45, 181-211"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StalePrices(TestResult):
    """First autocorrelation of returns, read as a probability of not trading, and the share of zero returns.

    Attributes
    ----------
    implied_nontrading, implied_interval : float, tuple of float
        Probability that a price was not refreshed in a period, if staleness were the only source of the first
        autocorrelation of a well-diversified portfolio: the autocorrelation itself, cut off at zero.
    zero_share, zero_interval : float, tuple of float
        Share of returns that are zero and its Wilson interval; for a single asset it estimates the same probability.
    longest_zero_run : int
        Longest run of zero returns.
    """

    implied_nontrading: float
    implied_interval: tuple[float, float]
    zero_share: float
    zero_interval: tuple[float, float]
    longest_zero_run: int


def stale_price_check(returns: Any, *, zero: float = 0.0, level: float = 0.95) -> StalePrices | Inapplicable:
    """Test for the positive first autocorrelation that stale prices leave in an index, robustly.

    Parameters
    ----------
    returns : array_like of shape (n,)
        Returns on one time grid; NaN marks a missing value.
    zero : float
        A return no larger than this in absolute value counts as zero.
    level : float
        Level of the intervals.

    Returns
    -------
    StalePrices or Inapplicable
        Inapplicable when fewer than 20 pairs of neighbouring returns are complete or the series is constant.

    Raises
    ------
    InputError
        On a wrong shape, infinite values or options outside their range.

    Notes
    -----
    If each asset trades in a period with probability 1 - π, a portfolio of many such assets has autocorrelations π^k
    and a single asset shows a zero return with probability π, while its own autocorrelation is barely moved. An
    autocorrelation can have other sources, so the implied probability is an upper reading.

    References
    ----------
    Lo and MacKinlay (1990), J. Econometrics 45, 181-211; robust statistic as in `cross_correlation`.
    """
    series = as_series("returns", returns)
    if not 0.0 < level < 1.0 or not 0.0 <= zero < math.inf:
        raise InputError("an option is out of range", given=f"level={level}, zero={zero}", limit="(0,1), >=0 finite")
    found = cross_correlation(series, series, max_lag=1, level=level)
    if isinstance(found, Inapplicable):
        return Inapplicable(method=METHOD, reason=found.reason)
    rho, t = float(found.estimate[2]), float(found.t_robust[2])
    interval = (float(found.lower[2]), float(found.upper[2]))
    present = np.isfinite(series)
    zeros = present & (np.abs(np.nan_to_num(series, nan=1.0)) <= zero)
    edges = np.flatnonzero(np.diff(np.r_[0, zeros.astype(np.int8), 0]))
    share = stats.binomtest(int(zeros.sum()), int(present.sum()))
    wilson = share.proportion_ci(level, method="wilson")
    return StalePrices(
        method=METHOD,
        null="returns have no first autocorrelation",
        alternative="the first autocorrelation is positive, as stale prices make it",
        statistic=t,
        pvalue=float(stats.norm.sf(t)),
        distribution="normal",
        estimate=rho,
        estimate_name="first autocorrelation",
        interval=(min(interval[0], rho), max(interval[1], rho)),
        interval_level=level,
        nobs=int(found.nobs[2]),
        nobs_lost=series.size - int(found.nobs[2]),
        lags=1,
        options={"zero": zero, "level": level},
        reference=REFERENCE,
        implied_nontrading=max(rho, 0.0),
        implied_interval=(max(interval[0], 0.0), max(interval[1], 0.0)),
        zero_share=float(share.statistic),
        zero_interval=(float(wilson.low), float(wilson.high)),
        longest_zero_run=int((edges[1::2] - edges[::2]).max(initial=0)),
    )


def spurious_lead(nontrading_led: float, *, steps: int = 1) -> float:
    """Return how large a lead stale prices alone produce, as a share of the same-period covariance.

    Parameters
    ----------
    nontrading_led : float
        Probability in [0, 1) that the led series did not trade in a period.
    steps : int
        The lead in periods, 1 or more.

    Returns
    -------
    float
        cov(led_t, leader_{t-steps}) / cov(led_t, leader_t) in the nontrading model: π_led^steps, whatever the leader's
        own probability.

    Raises
    ------
    InputError
        When the probability lies outside [0, 1) or `steps` is below 1.

    References
    ----------
    Lo and MacKinlay (1990), J. Econometrics 45, 181-211, proposition on cross-autocovariances.
    """
    if not 0.0 <= nontrading_led < 1.0:
        raise InputError("nontrading_led is no probability below 1", given=nontrading_led, limit="[0, 1)")
    if steps < 1:
        raise InputError("a lead has at least one step", given=steps, limit="1 or more")
    return float(nontrading_led) ** steps
