"""What the test for a break in correlation shows when the response is constant and only the volatilities move."""

from __future__ import annotations

import numpy as np

from analysis.stats.lagged import Floats
from analysis.stats.regression import sign_blocks


def constant_response_draws(
    pair: Floats, volatility: Floats, lags: int, draws: int, rng: np.random.Generator
) -> Floats:
    """Return the statistic of wild draws in which the second series responds to the first in one way throughout.

    Parameters
    ----------
    pair : ndarray of shape (n, 2)
        Both series less their means.
    volatility : ndarray of shape (n, 2)
        What each row was divided by; it stays as it is.
    lags : int
        Of the Bartlett long-run variance.
    draws : int
    rng : Generator

    Returns
    -------
    ndarray of shape (draws,)

    Notes
    -----
    The correlation of two series divided by their own volatilities still moves with the ratio of these volatilities:
    with a slope b it is b s_x / s_y. Draws keep the first series, the slope and the size of every residual, and flip
    the residuals' signs, so that they move with that ratio as the data do.
    """
    x, y = pair.T
    slope = float(x @ y) / float(x @ x)
    residual = y - slope * x
    first = _standard((x / volatility[:, 0])[None, :])
    found = [
        statistics(first, _standard((slope * x + signs * residual) / volatility[:, 1]), lags)
        for signs in sign_blocks(rng, draws, len(x))
    ]
    return np.concatenate(found)


def statistics(first: Floats, second: Floats, lags: int) -> Floats:
    """Return the largest deviation of the running correlation for every row of standardised series (d, n)."""
    n = second.shape[1]
    product = first * second
    rho = product.mean(axis=1, keepdims=True)
    influence = product - rho / 2.0 * (first**2 + second**2)
    variance = np.square(influence).sum(axis=1)
    for lag in range(1, min(lags, n - 1) + 1):
        weight = 2.0 * (1.0 - lag / (lags + 1.0))
        variance += weight * np.einsum("dn,dn->d", influence[:, lag:], influence[:, :-lag])
    j = np.arange(1, n + 1)
    means = [np.cumsum(block, axis=1) / j for block in (first, second, first**2, second**2, product)]
    spread = (means[2] - means[0] ** 2) * (means[3] - means[1] ** 2)
    exists = spread > 1e-20 * means[2] * means[3]
    running = (means[4] - means[0] * means[1]) / np.sqrt(np.where(exists, spread, 1.0))
    running = np.where(exists, np.clip(running, -1.0, 1.0), rho)
    path = np.abs(j * (running - rho))[:, 1:-1].max(axis=1)
    # A long-run variance of nothing is no evidence for a break.
    return np.asarray(path / np.sqrt(np.where(variance > 0.0, variance, np.inf)))


def _standard(rows: Floats) -> Floats:
    """Return rows (d, n) less their means over their standard deviations."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    return np.asarray(centred / np.where(spread > 0.0, spread, 1.0))
