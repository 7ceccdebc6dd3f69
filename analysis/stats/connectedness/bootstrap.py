"""Sampling error of a variance decomposition: vector autoregressions rebuilt from blocks of residuals."""

from __future__ import annotations

import numpy as np

from analysis.stats.connectedness.core import decomposition, unbiased
from analysis.stats.granger_strength import FittedVar, companion
from analysis.stats.lagged import Floats

_BLOCK_CELLS = 2_000_000


def default_block(nobs: int) -> int:
    """Return the length of a block of residuals: 5.03 n^(1/4), as Jentsch and Lunsford (2019) use."""
    return max(1, int(5.03 * nobs**0.25))


def block_draws(residuals: Floats, block: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return resampled residuals (draws, n, k): blocks laid end to end, less the mean of their place in a block.

    References
    ----------
    Brüggemann, Jentsch and Trenkler (2016), Journal of Econometrics 191.
    """
    n = len(residuals)
    block = min(block, n)
    starts = rng.integers(0, n - block + 1, size=(draws, -(-n // block)))
    picked = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :n]
    counts = n - block + 1
    sums = np.cumsum(np.vstack([np.zeros(residuals.shape[1]), residuals]), axis=0)
    centre = (sums[counts:] - sums[:block])[:block] / counts
    return np.asarray(residuals[picked] - centre[np.arange(n) % block])


def bootstrap_tables(
    fit: FittedVar, horizon: int, method: str, *, draws: int, block: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return tables (draws, k, k) of rebuilt samples, and the table (k, k) of the model they were built from.

    Notes
    -----
    The model that builds the samples has coefficients freed of their first-order bias, for persistent series would
    otherwise be rebuilt as less persistent than they are. Each sample is then estimated as the data were, so that the
    draws carry the estimator's own bias, and comparing them with their own truth takes it out again.
    """
    p, k, _ = fit.coefs.shape
    n = len(fit.responses)
    coefs = unbiased(fit.coefs, fit.sigma, n)
    truth = decomposition(coefs, fit.sigma, horizon, method)
    # The state (lag 1 of all series, lag 2, ...) is measured from its mean, so that no constant is needed.
    lagged = fit.design[:, fit.n_deterministic :].reshape(n, k, p).transpose(0, 2, 1).reshape(n, p * k)
    lagged = lagged - np.tile(fit.responses.mean(axis=0), p)
    tables: list[Floats] = []
    size = max(1, _BLOCK_CELLS // (n * k))
    for first in range(0, draws, size):
        count = min(size, draws - first)
        shocks = block_draws(fit.residuals, block, count, rng)
        state = lagged[rng.integers(0, n, size=count)]
        paths = rebuild(coefs, state, shocks)
        tables.extend(decomposition(*estimate(path, p), horizon, method) for path in paths)
    return np.stack(tables), truth


def rebuild(coefs: Floats, state: Floats, shocks: Floats) -> Floats:
    """Return samples (draws, n + p, k) that follow coefs (p, k, k), with the p rows they start from.

    `state` of shape (draws, p k) holds lag 1 of all series, then lag 2, ...; `shocks` has shape (draws, n, k).
    """
    p, k, _ = coefs.shape
    draws, n, _ = shocks.shape
    step = companion(coefs)[:k].T
    paths = np.empty((draws, n + p, k))
    paths[:, :p] = state.reshape(draws, p, k)[:, ::-1]
    for t in range(n):
        value = state @ step + shocks[:, t]
        paths[:, p + t] = value
        state = np.hstack([value, state[:, :-k]])
    return paths


def estimate(path: Floats, p: int) -> tuple[Floats, Floats]:
    """Return coefs (p, k, k) and sigma (k, k) of one rebuilt sample (n + p, k), with a constant."""
    k = path.shape[1]
    Z = np.hstack([path[p - lag : len(path) - lag] for lag in range(1, p + 1)])
    Y = path[p:] - path[p:].mean(axis=0)
    Z = Z - Z.mean(axis=0)
    b = np.linalg.solve(Z.T @ Z, Z.T @ Y)
    residuals = Y - Z @ b
    return b.reshape(p, k, k).transpose(0, 2, 1), residuals.T @ residuals / len(Y)


def cautious_interval(point: Floats, draws: Floats, truth: Floats, level: float) -> Floats:
    """Return (..., 2) limits that hold both the interval of the draws and that of their errors around their truth.

    Notes
    -----
    A share of variance cannot fall below zero, so its estimate lies above the truth where there is little of it, and
    the draws lie above again: their quantiles then miss the truth always, while errors taken around the draws' own
    truth do not. For persistent series the draws are skewed and it is the errors that miss too often (covering 82 of
    100 at a nominal 95, against 93). Neither fails where the other does, so the limits take the wider on either side;
    coverage is then at or above the level.
    """
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=0)
    ends = np.stack([low, high, point - (high - truth), point - (low - truth), point])
    return np.stack([ends.min(axis=0), ends.max(axis=0)], axis=-1)
