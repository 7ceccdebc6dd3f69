"""Responses over time: vector autoregressions, local projections, and whether assets or states respond alike."""

from analysis.stats.dynamics_equality import equal_responses
from analysis.stats.dynamics_equality_result import ResponseEquality
from analysis.stats.dynamics_local import local_projection
from analysis.stats.dynamics_local_result import LocalProjection
from analysis.stats.dynamics_result import ImpulseResponse, VarFit, VarianceDecomposition
from analysis.stats.dynamics_states import StateLocalProjection, state_local_projection
from analysis.stats.dynamics_var import fit_var, impulse_response, variance_decomposition

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
