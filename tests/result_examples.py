"""One real example of every kind of result: the single place to add one when a kind is added.

Each entry calls the public function on seeded data, so that the contract is checked on what users receive. A function
may return `Inapplicable` or `Failed`; an example must not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.results import Absent, Failed, Inapplicable, Result
from analysis.scan.pairs import granger_matrix
from analysis.stats import contemporaneous, diagnostics, granger, granger_design, granger_strength
from analysis.stats.asynchronous import hayashi_yoshida, hayashi_yoshida_lagged
from analysis.stats.breaks import bai_perron, chow_test, placebo_dates, rolling_link, sequential_breaks, sup_f
from analysis.stats.clocks import clock_demonstration
from analysis.stats.connectedness import connectedness, frequency_connectedness
from analysis.stats.connectedness.rolling import rolling_connectedness
from analysis.stats.connectedness.spill import directional_connectedness
from analysis.stats.crosscorr import cross_correlation
from analysis.stats.crosscorr_prewhitened import prewhitened_correlation
from analysis.stats.crosscorr_rolling import rolling_correlation
from analysis.stats.dynamics import (
    equal_responses,
    fit_var,
    impulse_response,
    local_projection,
    state_local_projection,
    variance_decomposition,
)
from analysis.stats.eventstudy import event_study
from analysis.stats.eventstudy.matched import MatchedStudy, match_dates, matched_event_study
from analysis.stats.exposures import shock_betas
from analysis.stats.forecast import (
    clark_west,
    deflated_sharpe,
    forecast_path,
    model_confidence_set,
    oos_r2,
    pesaran_timmermann,
    sharpe_ratio,
    superior_predictive_ability,
    timing_rule,
)
from analysis.stats.granger_instability import instability_robust_granger
from analysis.stats.granger_nonlinear import diks_panchenko, transfer_entropy
from analysis.stats.granger_quantile import cross_quantilogram, quantile_granger
from analysis.stats.granger_spectral import breitung_candelon, geweke_spectrum
from analysis.stats.granger_variance import cheung_ng
from analysis.stats.granger_variance_session import without_one_session
from analysis.stats.granger_varying import time_varying_granger
from analysis.stats.leadlag import lead_lag_ratio
from analysis.stats.loadings import loading_difference
from analysis.stats.multiplicity import adjust
from analysis.stats.regimes import state_correlation, state_granger
from analysis.stats.regimes_shift import state_correlation_shift
from analysis.stats.sensitivity import amihud_illiquidity, volatility_ratio
from analysis.stats.stale_prices import stale_price_check
from analysis.stats.switching import markov_switching
from analysis.stats.switching.expanding import expanding_probabilities
from analysis.stats.switching.granger import markov_switching_granger
from analysis.stats.switching.threshold import threshold_test
from analysis.stats.tails import delta_covar, tail_asymmetry, tail_dependence
from analysis.stats.tails.beta import downside_beta
from analysis.stats.tails.exceedance import exceedance_correlation
from analysis.stats.tails.states import state_downside_beta
from analysis.stats.volatility import constant_correlation, dynamic_correlation, fit_garch


def pair(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Return an effect and its cause, which leads by one step."""
    rng = np.random.default_rng(20240229)
    cause = rng.standard_normal(n)
    effect = 0.4 * np.r_[0.0, cause[:-1]] + rng.standard_normal(n)
    return effect, cause


def state(n: int = 300) -> np.ndarray:
    return (np.arange(n) // 25 % 2).astype(float)


def ticks() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return stamps and prices of two series that are seen at different times."""
    effect, cause = np.exp(np.cumsum(np.stack(pair(900)), axis=1) / 100)
    stamps = np.arange(900.0)
    return stamps[::2], effect[::2], stamps[1::3], cause[1::3]


def event_matched() -> MatchedStudy:
    """Return what followed nine events against matched dates."""
    effect, cause = pair()
    return matched_event_study(
        effect, range(60, 290, 30), match_dates(cause, trailing=20), horizons=[5], estimation=(-40, -3), path=[2, 5]
    )


def generator() -> np.random.Generator:
    return np.random.default_rng(7)


EXAMPLES: dict[str, Callable[[], Result]] = {
    "Absent": lambda: Absent(method="Some test", reason="no data"),
    "Failed": lambda: Failed(method="Some test", reason="no convergence"),
    "Inapplicable": lambda: Inapplicable(method="Some test", reason="no variation"),
    "TestResult": lambda: diagnostics.ljung_box(pair()[0], lags=5),
    "UnitRootResult": lambda: diagnostics.zivot_andrews(np.cumsum(pair()[0]), lags=1),
    "IntegrationOrder": lambda: diagnostics.integration_order(np.cumsum(pair()[0])),
    "AdjustedPvalues": lambda: adjust([0.001, 0.2, 0.04], method="bh", family_size=5),
    "CrossCorrelation": lambda: cross_correlation(*pair(), max_lag=4, bootstrap=99, rng=generator()),
    "StateGrangerResult": lambda: state_granger(*pair(), state(), lags=2, bootstrap=99, rng=generator()),
    "StateCorrelationResult": lambda: state_correlation(*pair(), state(), lag=1, bootstrap=99, rng=generator()),
    "StateShiftResult": lambda: state_correlation_shift(*pair(), state()),
    "LagSelection": lambda: granger_design.select_lags(np.column_stack(pair()), max_lags=4),
    "SamePeriodResult": lambda: contemporaneous.same_period_response(*pair()),
    "GewekeStrength": lambda: granger_strength.geweke_strength(*pair(), lags=2),
    "PairScan": lambda: granger_matrix(np.column_stack(pair()), lags=2),
    "GrangerResult": lambda: granger.granger_test(*pair(), lags=2, bootstrap=99, rng=generator()),
    "QuantileGrangerResult": lambda: quantile_granger(*pair(), lags=1, bootstrap=9, rng=generator()),
    "TrosterResult": lambda: quantile_granger(*pair(), lags=1, quantiles=(0.25, 0.5), method="troster"),
    "CrossQuantilogramResult": lambda: cross_quantilogram(
        *pair(), quantiles=(0.1, 0.2), max_lag=3, bootstrap=19, rng=generator()
    ),
    "VarianceCausalityResult": lambda: cheung_ng(*pair(), lags=2, bootstrap=19, rng=generator()),
    "DiksPanchenkoResult": lambda: diks_panchenko(*pair()),
    "TransferEntropyResult": lambda: transfer_entropy(*pair(), lags=2, bootstrap=19, rng=generator()),
    "TimeVaryingResult": lambda: time_varying_granger(*pair(), lags=1, window=60, bootstrap=19, rng=generator()),
    "SpectrumResult": lambda: geweke_spectrum(*pair(), lags=2, frequencies=[0.0, 0.5, 1.5]),
    "FrequencyCausalityResult": lambda: breitung_candelon(
        *pair(), lags=3, frequencies=[0.5, 1.5], bootstrap=19, rng=generator()
    ),
    "InstabilityResult": lambda: instability_robust_granger(*pair(), lags=1, bootstrap=19, rng=generator()),
    "PrewhitenedCorrelation": lambda: prewhitened_correlation(*pair(), max_lag=3, bootstrap=99, rng=generator()),
    "RollingCorrelation": lambda: rolling_correlation(*pair(), window=60, lag=1),
    "LeadLagRatio": lambda: lead_lag_ratio(*pair(), max_lag=3, bootstrap=99, rng=generator()),
    "StalePrices": lambda: stale_price_check(pair()[0]),
    "HayashiYoshida": lambda: hayashi_yoshida(*ticks()),
    "LaggedHayashiYoshida": lambda: hayashi_yoshida_lagged(
        *ticks(), lags=np.arange(-4.0, 5.0), bootstrap=99, rng=generator()
    ),
    "ClockComparison": lambda: clock_demonstration(
        *ticks(), clocks={"early": np.arange(10.0, 880, 10), "late": np.arange(15.0, 880, 10)}, max_lag=2
    ),
    "BreakDates": lambda: bai_perron(*pair(), max_breaks=2),
    "SequentialBreaks": lambda: sequential_breaks(*pair(), max_breaks=2, bootstrap=99, rng=generator()),
    "ChowResult": lambda: chow_test(*pair(), at=150, bootstrap=99, rng=generator()),
    "RollingLink": lambda: rolling_link(*pair(), window=60),
    "PlaceboDatesResult": lambda: placebo_dates(*pair(), at=[100, 180], window=40),
    "BreakTestResult": lambda: sup_f(*pair()),
    "ConnectednessResult": lambda: connectedness(
        np.column_stack(pair()), lags=1, horizon=5, bootstrap=99, rng=generator()
    ),
    "FrequencyConnectedness": lambda: frequency_connectedness(
        np.column_stack(pair()), lags=1, horizon=20, bands=(0.0, 1.0, np.pi)
    ),
    "EventStudyResult": lambda: event_study(
        pair()[0], range(60, 290, 30), window=(-2, 5), estimation=(-40, -3), placebo=True
    ),
    "MatchedEventResult": lambda: event_matched().results[0],
    "EventPath": lambda: event_matched().path or Absent(method="Path", reason="none"),
    "RatioResult": lambda: volatility_ratio(*pair(), bootstrap=99, rng=generator()),
    "IlliquidityResult": lambda: amihud_illiquidity(pair()[0] / 100, np.exp(20.0 + pair()[1])),
    "ShockBetas": lambda: shock_betas(
        pair()[0], pair()[0] + pair()[1], pair()[1], names=("fear",), bootstrap=99, rng=generator()
    ),
    "LoadingDifference": lambda: loading_difference(
        pair()[0], *generator().standard_normal((2, 300)), bootstrap=99, rng=generator()
    ),
    "TailDependenceResult": lambda: tail_dependence(*pair(), method="t-copula", bootstrap=19, rng=generator()),
    "TailAsymmetryResult": lambda: tail_asymmetry(*pair(), bootstrap=19, rng=generator()),
    "ExceedanceResult": lambda: exceedance_correlation(*pair(), bootstrap=19, rng=generator()),
    "DeltaCovarResult": lambda: delta_covar(*pair(), bootstrap=19, rng=generator()),
    "DownsideBetaResult": lambda: downside_beta(*pair(), bootstrap=99, rng=generator()),
    "StateDownsideResult": lambda: state_downside_beta(*pair(), state(), bootstrap=99, rng=generator()),
    "ForecastPath": lambda: forecast_path(*pair(), window=100, criterion="bic", lags=2),
    "ForecastComparison": lambda: clark_west(pair()[0], np.zeros(300), 0.2 * pair()[1]),
    "DirectionResult": lambda: pesaran_timmermann(*pair()),
    "OosR2Result": lambda: oos_r2(pair()[0], np.zeros(300), 0.2 * pair()[1], bootstrap=99, rng=generator()),
    "SuperiorAbility": lambda: superior_predictive_ability(
        pair()[0] ** 2, (pair()[0] - 0.2 * pair()[1])[:, None] ** 2, bootstrap=99, rng=generator()
    ),
    "ModelConfidenceSet": lambda: model_confidence_set(np.column_stack(pair()) ** 2, bootstrap=99, rng=generator()),
    "SharpeResult": lambda: sharpe_ratio(*pair(), bootstrap=99, rng=generator()),
    "DeflatedSharpe": lambda: deflated_sharpe(0.1, nobs=500, trials=10, trial_variance=0.001),
    "TimingResult": lambda: timing_rule(pair()[0] / 100, pair()[1], bootstrap=99, rng=generator()),
    "VarFit": lambda: fit_var(np.column_stack(pair()), lags=1),
    "ImpulseResponse": lambda: impulse_response(
        fit_var(np.column_stack(pair()), lags=1), horizon=4, bootstrap=99, rng=generator()
    ),
    "VarianceDecomposition": lambda: variance_decomposition(
        fit_var(np.column_stack(pair()), lags=1), horizon=4, bootstrap=99, rng=generator()
    ),
    "LocalProjection": lambda: local_projection(
        np.column_stack(pair()), shock=1, responses=0, lags=1, horizons=4, bootstrap=99, rng=generator()
    ),
    "StateLocalProjection": lambda: state_local_projection(
        *pair(), state(), lags=1, horizons=4, bootstrap=99, rng=generator()
    ),
    "ResponseEquality": lambda: equal_responses(
        np.column_stack([pair()[0], np.roll(pair()[0], 7)]),
        pair()[1],
        lags=1,
        horizons=4,
        bootstrap=99,
        rng=generator(),
    ),
    "MarkovSwitchingResult": lambda: markov_switching(pair()[0] * (1.0 + 2.0 * state())),
    "ExpandingProbabilities": lambda: expanding_probabilities(pair()[0] * (1.0 + 2.0 * state()), refits=(150, 250)),
    "MarkovSwitchingGrangerResult": lambda: markov_switching_granger(
        pair()[0] * (1.0 + 2.0 * state()), pair()[1], lags=1, bootstrap=99, rng=generator(), likelihood=True
    ),
    "ThresholdResult": lambda: threshold_test(
        *pair(), generator().standard_normal(300), lags=1, bootstrap=99, rng=generator()
    ),
    "GarchResult": lambda: fit_garch(pair()[0]),
    "DynamicCorrelation": lambda: dynamic_correlation(np.column_stack(pair())),
    "ConstantCorrelationResult": lambda: constant_correlation(np.column_stack(pair()), bootstrap=99, rng=generator()),
    "RollingConnectedness": lambda: rolling_connectedness(
        np.column_stack(pair()), lags=1, horizon=5, window=100, step=50, bootstrap=99, limited=2, rng=generator()
    ),
    "SpillResult": lambda: directional_connectedness(
        np.column_stack(pair()), source=1, targets=(0,), lags=1, horizon=5, bootstrap=99, rng=generator()
    ),
    "OneSessionResult": lambda: without_one_session(*pair(), lags=2, bootstrap=19, rng=generator()),
}
