"""Sharpe ratios: with an honest interval, against another, and deflated for the number of rules that were tried."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.forecast.bootstrap import Smooth, check_draws, estimate
from analysis.stats.forecast.inputs import FEWEST, check_level, frozen
from analysis.stats.lagged import Floats, same_index
from analysis.stats.regression import as_series, positive_integer

SHARPE_METHOD, DEFLATED_METHOD = "Sharpe ratio", "Deflated Sharpe ratio"
SHARPE_REFERENCE = (
    "Lo (2002), Financial Analysts Journal 58(4), 36-52; "
    "Ledoit and Wolf (2008), Journal of Empirical Finance 15, 850-859"
)
DEFLATED_REFERENCE = "Bailey and López de Prado (2014), Journal of Portfolio Management 40(5), 94-107"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharpeResult(TestResult):
    """A Sharpe ratio, or the difference of two, a year.

    Attributes
    ----------
    periods_per_year : float
    block : float
        Mean block of the bootstrap, or lags of the error without one.
    draws : int
    """

    periods_per_year: float
    block: float
    draws: int = 0


def sharpe_ratio(
    returns: ArrayLike,
    against: ArrayLike | None = None,
    *,
    periods_per_year: float = 252.0,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> SharpeResult | Inapplicable:
    """Estimate a Sharpe ratio, or by how much it exceeds another over the same periods.

    Parameters
    ----------
    returns, against : array of shape (n,)
        Returns above cash, a period each, in time order. NaN marks a missing value; such rows are dropped and lost.
    periods_per_year : float
    bootstrap : int
        Draws of the stationary bootstrap; 0 for a normal interval with a robust error.
    rng : numpy.random.Generator
    level : float

    Returns
    -------
    SharpeResult or Inapplicable
        The p-value is one-sided, against a value of zero or less.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    Annualised by the square root of the periods; the interval allows for autocorrelation, the annualisation does not.

    References
    ----------
    Lo (2002), section "non-IID returns"; Ledoit and Wolf (2008), section 3.

    Examples
    --------
    >>> r = np.random.default_rng(0).standard_normal(500) + 0.1
    >>> sharpe_ratio(r, periods_per_year=1.0).nobs
    500
    """
    draws, level = check_draws(bootstrap, rng), check_level(level)
    same_index(returns=returns, against=against)
    columns = [as_series("returns", returns)]
    if against is not None:
        columns.append(as_series("against", against, columns[0].size))
    table = np.column_stack(columns)
    used = table[np.isfinite(table).all(axis=1)]
    if len(used) < FEWEST:
        return Inapplicable(method=SHARPE_METHOD, reason=f"{len(used)} periods; {FEWEST} are needed")
    if not (used.std(axis=0) > 1e-14 * np.abs(used).max(axis=0)).all():
        return Inapplicable(method=SHARPE_METHOD, reason="the returns do not vary")
    function = RATIO if against is None else DIFFERENCE
    found = estimate(np.hstack([used, used**2]), function, level=level, draws=draws, rng=rng)
    if isinstance(found, str):
        return Inapplicable(method=SHARPE_METHOD, reason=found)
    scale = math.sqrt(check_periods(periods_per_year))
    name = "Sharpe ratio" if against is None else "difference of Sharpe ratios"
    return SharpeResult(
        method=SHARPE_METHOD + ("" if against is None else ", difference"),
        null=f"the {name} is zero or less",
        alternative="it is positive",
        statistic=found.statistic,
        pvalue=found.pvalue,
        distribution="bootstrap" if draws else "normal",
        estimate=scale * found.value,
        estimate_name=f"{name} a year",
        interval=(scale * found.interval[0], scale * found.interval[1]),
        interval_level=level,
        nobs=len(used),
        nobs_lost=len(table) - len(used),
        options=frozen(bootstrap=draws, periods_per_year=float(periods_per_year)),
        reference=SHARPE_REFERENCE,
        periods_per_year=float(periods_per_year),
        block=found.block,
        draws=draws,
    )


def check_periods(periods_per_year: float) -> float:
    """Return the number of periods a year."""
    if not (math.isfinite(periods_per_year) and periods_per_year > 0):
        raise InputError("periods_per_year must be positive", given=periods_per_year)
    return float(periods_per_year)


def _sharpe(mean: Floats, square: Floats) -> Floats:
    return mean / np.sqrt(square - mean**2)


def _slopes(mean: Floats, square: Floats) -> tuple[Floats, Floats]:
    """Return the derivatives of a Sharpe ratio by the mean and by the mean square."""
    cubed = (square - mean**2) ** 1.5
    return square / cubed, -0.5 * mean / cubed


def _ratio_gradient(m: Floats) -> Floats:
    return np.stack(_slopes(m[..., 0], m[..., 1]), axis=-1)


def _difference_gradient(m: Floats) -> Floats:
    a, c = _slopes(m[..., 0], m[..., 2])
    b, d = _slopes(m[..., 1], m[..., 3])
    return np.stack([a, -b, c, -d], axis=-1)


RATIO = Smooth(lambda m: _sharpe(m[..., 0], m[..., 1]), _ratio_gradient)
DIFFERENCE = Smooth(lambda m: _sharpe(m[..., 0], m[..., 2]) - _sharpe(m[..., 1], m[..., 3]), _difference_gradient)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeflatedSharpe(TestResult):
    """A Sharpe ratio held against the best that the same number of useless rules would have shown.

    Attributes
    ----------
    probability : float
        That the true ratio exceeds `hurdle`: the deflated Sharpe ratio, one less the p-value.
    hurdle : float
        Expected largest ratio a period among `trials` rules without skill.
    trials : int
    """

    probability: float
    hurdle: float
    trials: int


def deflated_sharpe(
    sharpe: float,
    *,
    nobs: int,
    trials: int,
    trial_variance: float = 0.0,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    nobs_lost: int = 0,
) -> DeflatedSharpe | Inapplicable:
    """Deflate a Sharpe ratio for the number of rules tried, the length of the record and its tails.

    Parameters
    ----------
    sharpe : float
        Ratio a period, not annualised.
    nobs, nobs_lost : int
        Periods, and periods lost.
    trials : int
        Rules tried, this one included; 1 holds the ratio against zero.
    trial_variance : float
        Variance of the ratios a period across the rules tried.
    skewness, kurtosis : float
        Of the returns; a normal law has 0 and 3.

    Returns
    -------
    DeflatedSharpe or Inapplicable
        Inapplicable when the moments leave the ratio without a standard error.

    Raises
    ------
    InputError
        For numbers outside their range.

    Notes
    -----
    The hurdle takes the rules as independent; rules that resemble each other make it too high, the cautious side.

    References
    ----------
    Bailey and López de Prado (2014), eqs. 1 and 2, and their example: 0.9004 with 100 trials.

    Examples
    --------
    >>> found = deflated_sharpe(
    ...     2.5 / 250**0.5, nobs=1250, trials=100, trial_variance=0.5 / 250, skewness=-3.0, kurtosis=10.0
    ... )
    >>> round(found.probability, 4)
    0.9004
    """
    n, trials = positive_integer("nobs", nobs, at_least=2), positive_integer("trials", trials)
    numbers = (sharpe, trial_variance, skewness, kurtosis)
    if not all(map(math.isfinite, numbers)) or trial_variance < 0 or kurtosis < 1:
        raise InputError(
            "moments outside their range", given=numbers, limit="finite, a variance from 0, a kurtosis from 1"
        )
    hurdle = math.sqrt(trial_variance) * _expected_maximum(trials)
    spread = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    if not spread > 0:
        return Inapplicable(method=DEFLATED_METHOD, reason="skewness and ratio leave no standard error")
    error = math.sqrt(spread / (n - 1))
    z = (sharpe - hurdle) / error
    reach = float(stats.norm.isf(0.025)) * error
    return DeflatedSharpe(
        method=DEFLATED_METHOD,
        null=f"the true ratio is at most the best expected from {trials} rules without skill",
        alternative="it is larger",
        statistic=z,
        pvalue=float(stats.norm.sf(z)),
        distribution="normal",
        estimate=float(sharpe),
        estimate_name="Sharpe ratio a period",
        interval=(sharpe - reach, sharpe + reach),
        nobs=n,
        nobs_lost=nobs_lost,
        options=frozen(
            trials=trials,
            trial_variance=float(trial_variance),
            skewness=float(skewness),
            kurtosis=float(kurtosis),
        ),
        reference=DEFLATED_REFERENCE,
        probability=float(stats.norm.cdf(z)),
        hurdle=hurdle,
        trials=trials,
    )


def _expected_maximum(trials: int) -> float:
    """Return the approximate mean of the largest of so many standard normals; 0 for one."""
    if trials == 1:
        return 0.0
    gamma = float(np.euler_gamma)
    tail = stats.norm.isf
    return float((1.0 - gamma) * tail(1.0 / trials) + gamma * tail(1.0 / (trials * math.e)))
