"""Forecasting as it could have been done: forecasts, their tests, and what trading on them would have earned."""

from __future__ import annotations

from analysis.stats.forecast.accuracy import OosR2Result, oos_r2
from analysis.stats.forecast.bootstrap import block_length
from analysis.stats.forecast.conditional import giacomini_white
from analysis.stats.forecast.direction import DirectionResult, pesaran_timmermann
from analysis.stats.forecast.inputs import ForecastComparison
from analysis.stats.forecast.leak import Leak, find_leaks
from analysis.stats.forecast.many import (
    ModelConfidenceSet,
    SuperiorAbility,
    model_confidence_set,
    superior_predictive_ability,
)
from analysis.stats.forecast.path import forecast_path
from analysis.stats.forecast.path_result import ForecastPath
from analysis.stats.forecast.sharpe import DeflatedSharpe, SharpeResult, deflated_sharpe, sharpe_ratio
from analysis.stats.forecast.tests import clark_west, diebold_mariano, forecast_encompassing
from analysis.stats.forecast.timing import TimingResult, timing_rule

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
