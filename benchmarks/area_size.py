"""Tests of the areas that ask how large something is: responses, volatility, joint tails, loadings, forecasts.

Functions of effect (n, k), cause (n,) and a generator, with the settings of the study; each returns a p-value, or
nothing where the test does not apply. The interval of a response returns 0 where it misses the truth, else 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.results import Absent
from analysis.stats.dynamics import equal_responses, local_projection
from analysis.stats.exposures import innovations, shock_betas
from analysis.stats.forecast import clark_west, forecast_path, pesaran_timmermann, timing_rule
from analysis.stats.granger_variance_conditional import shock_size_causality
from analysis.stats.granger_variance_session import without_one_session
from analysis.stats.loadings import loading_difference
from analysis.stats.sensitivity import illiquidity_ratio, volatility_ratio
from analysis.stats.tails import tail_asymmetry
from analysis.stats.tails.beta import downside_beta
from analysis.stats.tails.covar import delta_covar
from analysis.stats.tails.exceedance import exceedance_correlation
from analysis.stats.volatility.correlation import constant_correlation
from analysis.study.settings import DynamicsSettings, ForecastSettings, SmallcapsSettings, TailsSettings
from benchmarks.area_worlds import DRAWS, FEW_DRAWS, Floats, Test, pvalue

LAGS = 5
# Response of the same session that the interval of the response must hold.
RESPONSE = 0.5
# Crypto moves about four percent a session; costs are in basis points and need a scale.
DAILY = 0.04
DYNAMICS, TAILS, SMALLCAPS, FORECAST = DynamicsSettings(), TailsSettings(), SmallcapsSettings(), ForecastSettings()


def equality(null: str, first: int, last: int) -> Test:
    """Return a test of equal responses of all assets over the horizons from `first` to `last`."""

    def test(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
        horizons = range(first, last + 1)
        return pvalue(equal_responses(effect, cause, lags=LAGS, horizons=horizons, null=null, bootstrap=DRAWS, rng=rng))

    return test


def later_response(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Test the cumulative response after the session of the shock, over all horizons."""
    found = local_projection(
        np.column_stack([cause, effect[:, 0]]), shock=0, responses=1, lags=LAGS,
        horizons=range(1, DYNAMICS.horizon + 1), cumulative=True, bootstrap=DRAWS, rng=rng,
    )  # fmt: skip
    return None if isinstance(found, Absent) or found.pvalue is None else float(found.pvalue[0])


def response_interval(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Say whether the interval of the cumulative response at the last horizon holds the planted one."""
    found = local_projection(
        np.column_stack([cause, effect[:, 0]]), shock=0, responses=1, lags=LAGS,
        horizons=range(DYNAMICS.horizon + 1), cumulative=True, bootstrap=DRAWS, rng=rng,
    )  # fmt: skip
    if isinstance(found, Absent):
        return None
    return float(found.lower[-1, 0] <= RESPONSE <= found.upper[-1, 0])


def shock_size(beside: bool) -> Test:
    """Return the test whether the size of shocks is passed on, alone or beside the volatility of a driver."""

    def test(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
        driver = effect[:, 1:]
        found = shock_size_causality(
            effect[:, 0], cause, lags=LAGS, given=driver, beside=beside, bootstrap=DRAWS, rng=rng
        )
        return pvalue(found, "bootstrap_pvalue")

    return test


def one_session(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Test squared shocks without the session that carries most."""
    found = without_one_session(effect[:, 0], cause, lags=LAGS, bootstrap=FEW_DRAWS, rng=rng)
    return pvalue(found)


def moving_correlation(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Test for a constant conditional correlation."""
    return pvalue(constant_correlation(np.column_stack([cause, effect[:, 0]]), vol="gjr", bootstrap=DRAWS, rng=rng))


def tails(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare joint extremes in falls with those in rises."""
    return pvalue(tail_asymmetry(cause, effect[:, 0], share=TAILS.share, bootstrap=DRAWS, rng=rng))


def exceedance(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the correlation of joint falls with that of joint rises on normal scores."""
    found = exceedance_correlation(
        cause, effect[:, 0], thresholds=TAILS.thresholds, scale="normal-scores", bootstrap=FEW_DRAWS, rng=rng
    )
    return pvalue(found, "bootstrap_pvalue")


def downside(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare downside with upside beta."""
    return pvalue(downside_beta(effect[:, 0], cause, bootstrap=DRAWS, rng=rng), "bootstrap_pvalue")


def covar(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare how far the tail of the effect moves in falls and in rises of the cause."""
    found = delta_covar(effect[:, 0], cause, quantile=TAILS.quantile, slopes="split", bootstrap=FEW_DRAWS, rng=rng)
    return None if isinstance(found, Absent) else pvalue(found.asymmetry_test())


def betas(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the betas of two series to one shock."""
    shock = innovations(cause, lags=SMALLCAPS.innovation_lags)
    found = shock_betas(effect[:, 0], effect[:, 1], shock, bootstrap=DRAWS, rng=rng)
    return None if isinstance(found, Absent) or found.single_pvalue is None else float(found.single_pvalue[0])


def volatility(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the volatility of two series in a typical month."""
    return pvalue(volatility_ratio(effect[:, 0], effect[:, 1], period=SMALLCAPS.period))


def illiquidity(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the illiquidity of two funds whose value traded wanders for itself."""
    steps = rng.standard_normal(effect.shape) * 0.3
    log_value = np.zeros_like(steps)
    for t in range(1, len(steps)):
        log_value[t] = 0.9 * log_value[t - 1] + steps[t]
    value = np.exp(20.0 + log_value)
    x, y = effect[:, :2].T / 100
    return pvalue(illiquidity_ratio(x, value[:, 0], y, value[:, 1], period=SMALLCAPS.period))


def loadings(lags: int) -> Test:
    """Return the comparison of loadings of the first column on two portfolios, the other columns."""

    def test(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
        found = loading_difference(effect[:, 0], *effect[:, 1:3].T, lags=lags, bootstrap=DRAWS, rng=rng)
        return pvalue(found, "bootstrap_pvalue")

    return test


def _forecasts(effect: Floats, cause: Floats, **options: Any) -> Any:
    return forecast_path(
        effect[:, 0], cause, lags=FORECAST.lags, criterion=FORECAST.criterion, window=FORECAST.window, **options
    )


def gain(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the forecast with that of own past by Clark and West, on a growing window."""
    path = _forecasts(effect, cause, own_lags=FORECAST.own_lags)
    return None if isinstance(path, Absent) else pvalue(clark_west(*path.compared("own"), horizon=path.overlap))


def direction(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Test whether the sign of the forecast tells that of the outcome."""
    path = _forecasts(effect, cause, own_lags=FORECAST.own_lags)
    if isinstance(path, Absent):
        return None
    actual, _, model = path.compared()
    return pvalue(pesaran_timmermann(actual, model))


def timing(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Trade on the sign of the forecast, long or flat, net of the headline costs."""
    path = _forecasts(DAILY * effect, cause, embargo=1)
    if isinstance(path, Absent):
        return None
    actual, _, model = path.compared()
    return pvalue(timing_rule(actual, model, cost_bp=FORECAST.costs[0], bootstrap=DRAWS, rng=rng))
