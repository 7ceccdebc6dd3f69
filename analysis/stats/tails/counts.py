"""Joint extremes of ranked pairs: the counts that the estimates and tests of tail dependence share."""

from __future__ import annotations

import numpy as np
from scipy import special

from analysis.stats.lagged import Floats, Ints
from analysis.stats.tails.resample import ranks

FEWEST_ROWS = 100
FEWEST_IN_TAIL = 10
SHARE = 0.1
REFERENCE = (
    "Schmidt and Stadtmüller (2006), Scandinavian Journal of Statistics 33, 307-335 (estimator); Politis and Romano "
    "(1994), J. American Statistical Association 89 (stationary bootstrap)"
)


def joint_extremes(orders: tuple[Ints, Ints], weights: Ints, share: float, *, correlate: bool = True) -> Floats:
    """Return lower and upper tail dependence and the correlation of normal scores of weighted samples: (draws, 3).

    Without `correlate` the last column is left out.
    """
    u, v = (ranks(order, weights) for order in orders)
    out = np.empty((len(weights), 3 if correlate else 2))
    for i, (left, right) in enumerate(((u <= share, v <= share), (u >= 1.0 - share, v >= 1.0 - share))):
        # The margins hold the same number of rows but for the copies that straddle the threshold.
        tails = (np.einsum("bn,bn->b", weights, left) + np.einsum("bn,bn->b", weights, right)) / 2.0
        out[:, i] = np.einsum("bn,bn->b", weights, left & right) / tails
    if correlate:
        a, b = special.ndtri(u), special.ndtri(v)
        products = [np.einsum("bn,bn,bn->b", weights, *pair) for pair in ((a, b), (a, a), (b, b))]
        out[:, 2] = np.clip(products[0] / np.sqrt(products[1] * products[2]), -0.9999, 0.9999)
    return out


def thin_tail(n: int, share: float) -> str:
    """Return why a tail holds too few rows, or an empty text."""
    if n * share < FEWEST_IN_TAIL:
        return f"{n} rows hold only {n * share:.3g} in a tail of {share:.0%}, fewer than {FEWEST_IN_TAIL}"
    return ""


def ascending(a: Floats, b: Floats) -> tuple[Ints, Ints]:
    """Return the rows of each series from its smallest value to its largest."""
    return np.argsort(a, kind="stable"), np.argsort(b, kind="stable")
