"""Limits of what a vector autoregression implies, from samples rebuilt of blocks of residuals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from analysis.stats.connectedness.bootstrap import block_draws, estimate, rebuild
from analysis.stats.connectedness.core import unbiased
from analysis.stats.dynamics.result import VarFit
from analysis.stats.lagged import Floats

_BLOCK_CELLS = 2_000_000


def draw_values(
    var: VarFit, value: Callable[[Floats, Floats], Floats], draws: int, block: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return a function of the model in rebuilt samples (draws, ...), and in the model that builds them."""
    n, k = var.residuals.shape
    p = var.lags
    free = n - k * p - var.terms.shape[1]
    coefs = unbiased(np.asarray(var.coefs), np.asarray(var.sigma), n)
    past = var.lagged - np.tile(var.lagged[:, :k].mean(axis=0), p)

    def rebuilt() -> Iterator[Floats]:
        size = max(1, _BLOCK_CELLS // (n * k))
        for first in range(0, draws, size):
            count = min(size, draws - first)
            shocks = block_draws(np.asarray(var.residuals), block, count, rng)
            yield from rebuild(coefs, past[rng.integers(0, n, size=count)], shocks)

    found = []
    for path in rebuilt():
        lag, sigma = estimate(path, p)
        found.append(value(lag, sigma * n / free))
    return np.stack(found), value(coefs, np.asarray(var.sigma))


def bands(point: Floats, drawn: Floats, truth: Floats, level: float) -> dict[str, Floats]:
    """Return pointwise limits and joint bands of responses (H, k, k)."""
    errors = drawn - truth
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(errors, [tail, 1.0 - tail], axis=0)
    spread = errors.std(axis=0, ddof=1)
    spread[spread <= 1e-12 * np.abs(point).max()] = 0.0
    ratio = np.divide(np.abs(errors), spread, out=np.zeros_like(errors), where=spread > 0)
    critical = np.quantile(ratio.max(axis=1), level, axis=0)
    lower, upper = np.minimum(point - high, point), np.maximum(point - low, point)
    return {
        "lower": lower,
        "upper": upper,
        "joint_lower": np.minimum(lower, point - critical * spread),
        "joint_upper": np.maximum(upper, point + critical * spread),
    }
