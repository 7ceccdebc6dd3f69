"""No public function matches the rows of tables of other dates by their position."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import analysis.stats
from analysis.errors import InputError
from analysis.stats.asynchronous import hayashi_yoshida, hayashi_yoshida_lagged
from analysis.stats.breaks import cusum, sup_f
from analysis.stats.breaks.around_dates import before_after, link_columns
from analysis.stats.breaks.chow import chow_test
from analysis.stats.breaks.correlation import correlation_break
from analysis.stats.breaks.dates import bai_perron
from analysis.stats.breaks.design import read_rows
from analysis.stats.breaks.placebo import placebo_dates
from analysis.stats.breaks.robust import robust_sup_f, score_cusum
from analysis.stats.breaks.sequential import sequential_breaks
from analysis.stats.breaks.windows import before_after_path, rolling_link
from analysis.stats.clocks import clock_demonstration
from analysis.stats.contemporaneous import same_period_response
from analysis.stats.cross_quantilogram import cross_quantilogram
from analysis.stats.crosscorr import cross_correlation
from analysis.stats.crosscorr import read_pair as read_correlated
from analysis.stats.crosscorr_prewhitened import prewhitened_correlation
from analysis.stats.crosscorr_rolling import rolling_correlation
from analysis.stats.dynamics.equality import equal_responses
from analysis.stats.dynamics.states import state_local_projection
from analysis.stats.eventstudy import event_study
from analysis.stats.eventstudy.matched import matched_event_study
from analysis.stats.eventstudy.matching import match_dates
from analysis.stats.exposures import shock_betas
from analysis.stats.forecast.accuracy import oos_r2
from analysis.stats.forecast.conditional import giacomini_white
from analysis.stats.forecast.direction import pesaran_timmermann
from analysis.stats.forecast.inputs import read_forecasts
from analysis.stats.forecast.many import superior_predictive_ability
from analysis.stats.forecast.path import forecast_path
from analysis.stats.forecast.sharpe import sharpe_ratio
from analysis.stats.forecast.tests import clark_west, diebold_mariano, forecast_encompassing
from analysis.stats.forecast.timing import timing_rule
from analysis.stats.granger import granger_test, toda_yamamoto, wild_bootstrap_statistics
from analysis.stats.granger_block import block_exogeneity, instantaneous_causality
from analysis.stats.granger_design import read_series, select_lags
from analysis.stats.granger_frequency import breitung_candelon
from analysis.stats.granger_instability import instability_robust_granger
from analysis.stats.granger_nonlinear import diks_panchenko
from analysis.stats.granger_quantile import quantile_granger
from analysis.stats.granger_spectral import geweke_spectrum
from analysis.stats.granger_strength import geweke_strength
from analysis.stats.granger_variance import cheung_ng, hafner_herwartz, hong
from analysis.stats.granger_variance_conditional import shock_size_causality
from analysis.stats.granger_variance_session import without_one_session
from analysis.stats.granger_varying import time_varying_granger
from analysis.stats.leadlag import lead_lag_ratio
from analysis.stats.loadings import loading_difference
from analysis.stats.regimes import state_granger
from analysis.stats.regimes_correlation import forbes_rigobon, state_correlation
from analysis.stats.regimes_shift import state_correlation_shift
from analysis.stats.sensitivity import amihud_illiquidity, illiquidity_ratio, volatility_ratio
from analysis.stats.switching import markov_switching
from analysis.stats.switching.granger import markov_switching_granger
from analysis.stats.switching.threshold import threshold_test
from analysis.stats.tails.asymmetry import tail_asymmetry
from analysis.stats.tails.beta import downside_beta
from analysis.stats.tails.covar import delta_covar
from analysis.stats.tails.dependence import tail_dependence
from analysis.stats.tails.exceedance import exceedance_correlation
from analysis.stats.tails.resample import read_pair
from analysis.stats.tails.states import state_downside_beta
from analysis.stats.transfer_entropy import transfer_entropy
from analysis.stats.volatility.proxy import log_realized

ROWS = 90
DATES = pd.date_range("2020-01-01", periods=ROWS)
NOISE = np.random.default_rng(1).standard_normal((ROWS, 23 + 20))
COUNT = np.arange(ROWS)
# Row-aligned arguments by name; those of one series that are not here have a column of noise.
SPECIAL: dict[str, Any] = {
    "effects": NOISE[:, :2],
    "given": NOISE[:, 2:4],
    "model_losses": NOISE[:, 4:7] ** 2,
    "instruments": NOISE[:, 7:9],
    "shocks": NOISE[:, 9:11],
    "weights": np.sign(NOISE[:, 11:16]).astype(int),
    "series": NOISE[:, 16:18],
    "state": COUNT % 2 == 0,
    "mask": COUNT >= 0,
    "excluded": COUNT < 1,
    "correlation": COUNT / ROWS,
    "variance_ratio": COUNT + 1.0,
    "groups": COUNT // 5,
    **dict.fromkeys(("times_x", "times_y"), COUNT + 1),
    **{name: np.exp(NOISE[:, place]) for place, name in enumerate(("prices_x", "prices_y", "volume_value"), 18)},
    **{name: np.exp(NOISE[:, place]) for place, name in enumerate(("value_x", "value_y"), 21)},
}
ONE_SERIES = (
    *("actual", "against", "benchmark", "benchmark_loss", "cause", "driver", "effect", "first", "forecast"),
    *("market", "match", "model", "returns", "returns_x", "returns_y", "second", "threshold_variable", "x", "y"),
)
ALIGNED = SPECIAL | {name: NOISE[:, -1 - place] for place, name in enumerate(ONE_SERIES)}
MATCHES = match_dates(NOISE[:, 0], trailing=5)

# What a function needs beside its row-aligned arguments.
FUNCTIONS: dict[Callable[..., Any], dict[str, Any]] = {
    amihud_illiquidity: {},
    bai_perron: {},
    before_after: {"at": 40},
    before_after_path: {"window": 20},
    block_exogeneity: {"lags": 1},
    breitung_candelon: {"lags": 3, "frequencies": [1.0]},
    cheung_ng: {"lags": 1},
    chow_test: {"at": 40},
    clark_west: {},
    clock_demonstration: {"clocks": {"one": COUNT + 1.5}, "max_lag": 1},
    correlation_break: {},
    cross_correlation: {"max_lag": 1},
    cross_quantilogram: {"quantiles": (0.5, 0.5), "max_lag": 1},
    cusum: {},
    delta_covar: {},
    diebold_mariano: {},
    diks_panchenko: {"lags": 1},
    downside_beta: {},
    equal_responses: {"lags": 1, "horizons": 1, "bootstrap": 99},
    event_study: {"events": [40, 60], "window": (0, 5), "estimation": (-36, -1), "placebo": False},
    exceedance_correlation: {},
    forbes_rigobon: {},
    forecast_encompassing: {},
    forecast_path: {"lags": 1},
    geweke_spectrum: {"lags": 1, "frequencies": [1.0]},
    geweke_strength: {"lags": 1},
    giacomini_white: {},
    granger_test: {"lags": 1},
    hafner_herwartz: {"lags": 1},
    hayashi_yoshida: {},
    hayashi_yoshida_lagged: {"lags": [0.0, 1.0]},
    hong: {"lags": 1},
    illiquidity_ratio: {},
    instability_robust_granger: {"lags": 1, "grid": 10},
    instantaneous_causality: {"lags": 1},
    lead_lag_ratio: {"max_lag": 1, "bootstrap": 99},
    link_columns: {"lags": 1},
    loading_difference: {"lags": 1},
    log_realized: {},
    markov_switching: {"states": 2, "starts": 1},
    markov_switching_granger: {"lags": 1, "starts": 1},
    match_dates: {"trailing": 5},
    matched_event_study: {"events": [40, 60], "matches": MATCHES, "horizons": [5]},
    oos_r2: {},
    pesaran_timmermann: {},
    placebo_dates: {"at": [40], "window": 20},
    prewhitened_correlation: {"max_lag": 1},
    quantile_granger: {"lags": 1, "quantiles": [0.5]},
    read_correlated: {},
    read_forecasts: {},
    read_pair: {},
    read_rows: {},
    read_series: {},
    robust_sup_f: {"bootstrap": 19},
    rolling_correlation: {"window": 40},
    rolling_link: {"window": 40},
    same_period_response: {},
    score_cusum: {"bootstrap": 19},
    select_lags: {"max_lags": 1},
    sequential_breaks: {"bootstrap": 19, "max_breaks": 1},
    shock_betas: {},
    sharpe_ratio: {},
    shock_size_causality: {"lags": 1},
    state_correlation: {},
    state_correlation_shift: {},
    state_downside_beta: {},
    state_granger: {"lags": 1},
    state_local_projection: {"lags": 1, "horizons": 1},
    sup_f: {},
    superior_predictive_ability: {"bootstrap": 99},
    tail_asymmetry: {},
    tail_dependence: {},
    threshold_test: {"lags": 1, "bootstrap": 99},
    time_varying_granger: {"lags": 1, "window": 40},
    timing_rule: {},
    toda_yamamoto: {"lags": 1},
    transfer_entropy: {"lags": 1},
    volatility_ratio: {},
    wild_bootstrap_statistics: {"lags": 1},
    without_one_session: {"lags": 1, "bootstrap": 19},
}


def aligned_arguments(function: Callable[..., Any]) -> list[str]:
    """Return the arguments that hold one row a date, by their name and annotation."""
    parameters = inspect.signature(function).parameters
    taken = [name for name in parameters if name in ALIGNED]
    return [name for name in taken if parameters[name].annotation.split(" |")[0] in ("ArrayLike", "Any")]


def call(function: Callable[..., Any], *, reverse: str = "", known: int = ROWS) -> Any:
    tables = {}
    for name in aligned_arguments(function):
        values = ALIGNED[name]
        if values.dtype == np.float64:
            values = np.where((known > COUNT).reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)
        table = pd.Series(values, DATES) if values.ndim == 1 else pd.DataFrame(values, DATES)
        tables[name] = table.iloc[::-1] if name == reverse else table
    parameters = inspect.signature(function).parameters
    generator = {"rng": np.random.default_rng(0)} if "rng" in parameters else {}
    return function(**tables, **generator, **FUNCTIONS[function])


def public_functions() -> Iterator[Callable[..., Any]]:
    for module in pkgutil.walk_packages(analysis.stats.__path__, "analysis.stats."):
        for name, item in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            if item.__module__ == module.name and not name.startswith("_"):
                yield item


def test_every_function_of_two_tables_is_in_the_list() -> None:
    found = {item for item in public_functions() if len(aligned_arguments(item)) > 1}
    assert found == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("function", "name"),
    [(function, name) for function in FUNCTIONS for name in aligned_arguments(function)],
    ids=lambda item: item if isinstance(item, str) else item.__name__,
)
def test_a_table_the_other_way_round_is_refused(function: Callable[..., Any], name: str) -> None:
    with pytest.raises(InputError, match="different indexes"):
        call(function, reverse=name)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda item: item.__name__)
def test_tables_of_one_index_are_taken(function: Callable[..., Any]) -> None:
    """The series are nearly empty, so that nothing is computed."""
    assert call(function, known=6) is not None
