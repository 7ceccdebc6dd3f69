"""Tail dependence: how often two series are extreme together, and whether more so in falls than in rises."""

from __future__ import annotations

from analysis.stats.tails.asymmetry import TailAsymmetryResult, tail_asymmetry
from analysis.stats.tails.copula import clayton_tail_dependence, gumbel_tail_dependence, t_copula_tail_dependence
from analysis.stats.tails.covar import DeltaCovarResult, delta_covar
from analysis.stats.tails.dependence import TailDependenceResult, tail_dependence

__all__ = [
    "DeltaCovarResult",
    "TailAsymmetryResult",
    "TailDependenceResult",
    "clayton_tail_dependence",
    "delta_covar",
    "gumbel_tail_dependence",
    "t_copula_tail_dependence",
    "tail_asymmetry",
    "tail_dependence",
]
