"""Tests of two forecasts of one outcome: Clark–West, Diebold–Mariano and encompassing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.results import Inapplicable
from analysis.stats.forecast.inputs import (
    ForecastComparison,
    check_alternative,
    check_horizon,
    check_level,
    frozen,
    losses,
    mean_test,
    read_forecasts,
)

CLARK_WEST = "Clark and West (2007), Journal of Econometrics 138, 291-311"
DIEBOLD_MARIANO = (
    "Diebold and Mariano (1995), Journal of Business and Economic Statistics 13, 253-263; "
    "Harvey, Leybourne and Newbold (1997), International Journal of Forecasting 13, 281-291"
)
ENCOMPASSING = "Harvey, Leybourne and Newbold (1998), Journal of Business and Economic Statistics 16, 254-259"


def clark_west(
    actual: ArrayLike, benchmark: ArrayLike, model: ArrayLike, *, horizon: int = 1, level: float = 0.95
) -> ForecastComparison | Inapplicable:
    """Test whether a larger model that nests the benchmark would forecast better if its coefficients were known.

    Parameters
    ----------
    actual, benchmark, model : array of shape (n,)
        Outcome and two forecasts of it, in time order. NaN marks a missing value; such rows are dropped and lost.
    horizon : int
        Rows over which outcomes overlap; above 1 the variance has Bartlett weights over horizon - 1 lags.
    level : float
        Level of the two-sided interval of the estimate; the test is one-sided.

    Returns
    -------
    ForecastComparison or Inapplicable
        `estimate` is the gain in mean squared error after adding back what estimating the extra coefficients costs.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    A rejection says that the predictor helps in population; `oos_r2` says whether it helped as estimated, and can be
    negative all the same. The statistic is twice the encompassing contrast and slightly conservative by construction.
    Measured at a nominal 5 % (growing window from 500 of n = 1500, 600 runs): size iid 2.5 %, GARCH-t 2.5 %, spill
    3.7 %; power against a coefficient of 0.08 69, 73 and 27 %.

    References
    ----------
    Clark and West (2007), eqs. 3.1 and 3.2.

    Examples
    --------
    >>> y = np.random.default_rng(0).standard_normal(200)
    >>> clark_west(y, np.zeros(200), 0.5 * y).pvalue < 0.05
    True
    """
    horizon, level = check_horizon(horizon), check_level(level)
    name = "Clark–West test of nested forecasts"
    data = read_forecasts(actual, benchmark, model)
    if isinstance(data, str):
        return Inapplicable(method=name, reason=data)
    first, second = (np.square(e) for e in data.errors)
    adjusted = first - second + np.square(data.benchmark - data.model)
    found = mean_test(adjusted, data.rows, horizon=horizon, alternative="greater", level=level, kernel="bartlett")
    if isinstance(found, str):
        return Inapplicable(method=name, reason=found)
    return ForecastComparison(
        method=name,
        null="the model's extra predictors do not help to forecast",
        alternative="they help",
        estimate_name="adjusted gain in mean squared error",
        options=frozen(horizon=horizon),
        reference=CLARK_WEST,
        **found.fields(level),
        **data.measures(first, second),
    )


def diebold_mariano(
    actual: ArrayLike,
    benchmark: ArrayLike,
    model: ArrayLike,
    *,
    horizon: int = 1,
    harvey: bool = True,
    loss: str = "squared",
    alternative: str = "two-sided",
    level: float = 0.95,
) -> ForecastComparison | Inapplicable:
    """Test two forecasts for equal accuracy.

    Parameters
    ----------
    actual, benchmark, model : array of shape (n,)
        Outcome and two forecasts of it, in time order. NaN marks a missing value; such rows are dropped and lost.
    horizon : int
        Rows over which outcomes overlap; the variance counts horizon - 1 autocovariances in full.
    harvey : bool
        Small-sample factor and t law with n - 1 degrees of freedom; otherwise the normal law.
    loss : {"squared", "absolute"}
    alternative : {"two-sided", "greater", "less"}
        "greater": the model is more accurate.
    level : float

    Returns
    -------
    ForecastComparison or Inapplicable
        `estimate` is the mean loss of the benchmark less that of the model.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    Made for forecasts whose difference does not vanish: for nested models under the null it rejects too rarely in
    favour of the model (use `clark_west`), and too often against it. Where the variance turns negative R's
    ``forecast::dm.test`` drops the overlap; here Bartlett weights keep it and a warning says so. Measured size
    for two predictors of equal worth (rolling 500 of n = 1500, 400 runs): iid 5.5 %, GARCH-t 8.0 %, spill 4.0 %.

    References
    ----------
    Diebold and Mariano (1995), eq. 4; Harvey, Leybourne and Newbold (1997), eq. 9.

    Examples
    --------
    >>> y, a, b = np.random.default_rng(0).standard_normal((3, 100))
    >>> round(diebold_mariano(y, a, b).pvalue, 3)
    0.105
    """
    horizon, level = check_horizon(horizon), check_level(level)
    check_alternative(alternative)
    name = "Diebold–Mariano test" + (", Harvey–Leybourne–Newbold correction" if harvey else "")
    data = read_forecasts(actual, benchmark, model)
    if isinstance(data, str):
        return Inapplicable(method=name, reason=data)
    first, second = losses(data, loss)
    found = mean_test(
        first - second, data.rows, horizon=horizon, alternative=alternative, level=level, harvey=bool(harvey)
    )
    if isinstance(found, str):
        return Inapplicable(method=name, reason=found)
    return ForecastComparison(
        method=name,
        null=f"both forecasts have the same mean {loss} error",
        alternative=_words(alternative),
        estimate_name=f"gain in mean {loss} error",
        options=frozen(horizon=horizon, harvey=bool(harvey), loss=loss, alternative=alternative),
        reference=DIEBOLD_MARIANO,
        **found.fields(level),
        **data.measures(first, second),
    )


def forecast_encompassing(
    actual: ArrayLike, benchmark: ArrayLike, model: ArrayLike, *, horizon: int = 1, level: float = 0.95
) -> ForecastComparison | Inapplicable:
    """Test whether the benchmark leaves nothing for the model to add in the best combination of the two.

    Parameters
    ----------
    actual, benchmark, model, horizon, level
        As in `diebold_mariano`.

    Returns
    -------
    ForecastComparison or Inapplicable
        `estimate` is the weight of the model in the combination with the least squared error, the benchmark having the
        rest, with a robust interval; the test is one-sided.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    Exchange the two forecasts to ask whether the model encompasses the benchmark.

    References
    ----------
    Harvey, Leybourne and Newbold (1998), eqs. 6 to 9.
    """
    horizon, level = check_horizon(horizon), check_level(level)
    name = "Forecast encompassing test"
    data = read_forecasts(actual, benchmark, model)
    if isinstance(data, str):
        return Inapplicable(method=name, reason=data)
    e, f = data.errors
    found = mean_test(
        e * (e - f), data.rows, horizon=horizon, alternative="greater", level=level, harvey=True, kernel="truncated"
    )
    if isinstance(found, str):
        return Inapplicable(method=name, reason=found)
    apart = e - f
    weight = float(e @ apart / (apart @ apart))
    score = apart * (e - weight * apart)
    spread = mean_test(score, data.rows, horizon=horizon, alternative="two-sided", level=level, kernel="bartlett")
    fields = found.fields(level)
    if isinstance(spread, str):
        interval = None
    else:
        reach = float(stats.norm.isf((1.0 - level) / 2.0)) * spread.error / float(np.mean(apart**2))
        interval = (weight - reach, weight + reach)
    return ForecastComparison(
        method=name,
        null="the best combination gives the model no weight",
        alternative="it gives the model weight",
        estimate_name="weight of the model in the best combination",
        options=frozen(horizon=horizon),
        reference=ENCOMPASSING,
        **(fields | {"estimate": weight, "interval": interval}),
        **data.measures(np.square(e), np.square(f)),
    )


def _words(alternative: str) -> str:
    named = {"greater": "the model is more accurate", "less": "the benchmark is more accurate"}
    return named.get(alternative, "one of them is more accurate")
