"""Connectedness: who gives risk and who receives it, in all, by frequency and over time."""

from __future__ import annotations

from analysis.stats.connectedness.result import ConnectednessResult, FrequencyConnectedness
from analysis.stats.connectedness.shares import connectedness, frequency_connectedness

__all__ = ["ConnectednessResult", "FrequencyConnectedness", "connectedness", "frequency_connectedness"]
