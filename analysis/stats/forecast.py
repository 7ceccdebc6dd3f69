"""Forecasting as it could have been done: forecasts, their tests, and what trading on them would have earned."""

from __future__ import annotations

from analysis.stats.forecast_accuracy import OosR2Result, oos_r2
from analysis.stats.forecast_bootstrap import block_length
from analysis.stats.forecast_conditional import giacomini_white
from analysis.stats.forecast_direction import DirectionResult, pesaran_timmermann
from analysis.stats.forecast_inputs import ForecastComparison
from analysis.stats.forecast_leak import Leak, find_leaks
from analysis.stats.forecast_many import (
    ModelConfidenceSet,
    SuperiorAbility,
    model_confidence_set,
    superior_predictive_ability,
)
from analysis.stats.forecast_path import forecast_path
from analysis.stats.forecast_path_result import ForecastPath
from analysis.stats.forecast_sharpe import DeflatedSharpe, SharpeResult, deflated_sharpe, sharpe_ratio
from analysis.stats.forecast_tests import clark_west, diebold_mariano, forecast_encompassing
from analysis.stats.forecast_timing import TimingResult, timing_rule

__all__ = [
    "DeflatedSharpe",
    "DirectionResult",
    "ForecastComparison",
    "ForecastPath",
    "Leak",
    "ModelConfidenceSet",
    "OosR2Result",
    "SharpeResult",
    "SuperiorAbility",
    "TimingResult",
    "block_length",
    "clark_west",
    "deflated_sharpe",
    "diebold_mariano",
    "find_leaks",
    "forecast_encompassing",
    "forecast_path",
    "giacomini_white",
    "model_confidence_set",
    "oos_r2",
    "pesaran_timmermann",
    "sharpe_ratio",
    "superior_predictive_ability",
    "timing_rule",
]
