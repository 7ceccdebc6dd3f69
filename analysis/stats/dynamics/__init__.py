"""Responses over time: vector autoregressions, local projections, and whether assets or states respond alike."""

from analysis.stats.dynamics.equality import equal_responses
from analysis.stats.dynamics.equality_result import ResponseEquality
from analysis.stats.dynamics.local import local_projection
from analysis.stats.dynamics.local_result import LocalProjection
from analysis.stats.dynamics.result import ImpulseResponse, VarFit, VarianceDecomposition
from analysis.stats.dynamics.states import StateLocalProjection, state_local_projection
from analysis.stats.dynamics.var import fit_var, impulse_response, variance_decomposition

__all__ = [
    "ImpulseResponse",
    "LocalProjection",
    "ResponseEquality",
    "StateLocalProjection",
    "VarFit",
    "VarianceDecomposition",
    "equal_responses",
    "fit_var",
    "impulse_response",
    "local_projection",
    "state_local_projection",
    "variance_decomposition",
]
