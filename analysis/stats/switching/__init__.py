"""Regimes that must be inferred: hidden states, leads by hidden state, and thresholds of an observed series."""

from __future__ import annotations

from analysis.stats.switching.expanding import ExpandingProbabilities, expanding_probabilities
from analysis.stats.switching.granger import markov_switching_granger
from analysis.stats.switching.markov import markov_switching
from analysis.stats.switching.result import MarkovSwitchingResult
from analysis.stats.switching.threshold import threshold_test

__all__ = [
    "ExpandingProbabilities",
    "MarkovSwitchingResult",
    "expanding_probabilities",
    "markov_switching",
    "markov_switching_granger",
    "threshold_test",
]
