"""Wald statistics across quantiles and their two null distributions: simulated limit and quantile-process bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.stats.granger_design import Design
from analysis.stats.lagged import Floats
from analysis.stats.quantile.regression import fit_quantile, solve_quantile, whitened

SIMULATIONS = 19_999
GRID = 100  # levels of the restricted quantile process that bootstrap responses are drawn from
NODE_SEED = 20_090_714  # integration nodes of the limiting null; part of the method, not of a study's randomness


def wald_statistic(X: Floats, y: Floats, tau: float, q: int, bandwidth: str) -> tuple[float, Floats, Floats] | str:
    """Return the Wald statistic of the last q columns, their coefficients, and their influence rows (n, q)."""
    fit = fit_quantile(X, y, tau, bandwidth=bandwidth)
    if isinstance(fit, str):
        return fit
    tested = fit.influence[:, -q:]
    white = whitened(tested)
    if white is None:
        return f"the covariance of the tested coefficients at the quantile {tau:g} is singular"
    return float(np.square(white[1] @ fit.coefficients[-q:]).sum()), fit.coefficients[-q:], tested


def simulated_suprema(influences: Sequence[Floats], *, simulations: int = SIMULATIONS) -> Floats:
    """Return draws of the largest Wald statistic under the limiting null, given each quantile's influence rows (n, q).

    The nodes are fixed: the same influence gives the same draws.
    """
    white = [whitened(item) for item in influences]
    joint = np.hstack([item[0] for item in white if item is not None])
    values, vectors = np.linalg.eigh(joint.T @ joint)
    # The symmetric root: eigenvectors turn with the last digit of the data, and the draws would with them.
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    q = influences[0].shape[1]
    nodes = np.random.default_rng(NODE_SEED)
    out = np.empty(simulations)
    for start in range(0, simulations, 2000):
        count = min(2000, simulations - start)
        draws = nodes.standard_normal((count, joint.shape[1])) @ root
        out[start : start + count] = np.square(draws).reshape(count, -1, q).sum(axis=2).max(axis=1)
    return out


def resampled_wald(design: Design, taus: Floats, bandwidth: str, draws: int, rng: np.random.Generator) -> Floats | str:
    """Return the bootstrap Wald statistics (draws, m); a draw that cannot be computed counts as infinite."""
    X, q = np.hstack([design.kept, design.tested]), design.tested.shape[1]
    process = restricted_process(design.kept, design.response[:, 0])
    if process is None:
        return "the restricted quantile process could not be estimated"
    out = np.full((draws, len(taus)), np.inf)
    for b in range(draws):
        response = draw_response(design.kept, process, rng.random(len(X)))
        for j, tau in enumerate(taus):
            found = wald_statistic(X, response, float(tau), q, bandwidth)
            if not isinstance(found, str):
                out[b, j] = found[0]
    return out


def restricted_process(W: Floats, y: Floats) -> Floats | None:
    """Return coefficients (GRID, k) of y on W at the levels (g + 1/2) / GRID; None without convergence."""
    solved = [solve_quantile(W, y, (g + 0.5) / GRID) for g in range(GRID)]
    found = [item[0] for item in solved if item is not None]
    return np.array(found) if len(found) == GRID else None


def draw_response(W: Floats, process: Floats, uniform: Floats) -> Floats:
    """Return a response (n,) read off the restricted process at each row's uniform number, linear between levels."""
    place = np.clip(uniform * GRID - 0.5, 0.0, GRID - 1.0)
    floor = np.minimum(place.astype(np.int64), GRID - 2)
    share = (place - floor)[:, None]
    return (W * ((1 - share) * process[floor] + share * process[floor + 1])).sum(axis=1)
