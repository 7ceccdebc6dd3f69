"""Models of changing risk: the volatility of one series, and the correlation of several over time."""

from __future__ import annotations

from analysis.stats.volatility.correlation import (
    ConstantCorrelationResult,
    DynamicCorrelation,
    constant_correlation,
    dynamic_correlation,
)
from analysis.stats.volatility.fit import GarchResult, fit_garch

__all__ = [
    "ConstantCorrelationResult",
    "DynamicCorrelation",
    "GarchResult",
    "constant_correlation",
    "dynamic_correlation",
    "fit_garch",
]
