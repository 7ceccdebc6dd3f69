"""Compiled filter and smoother of a hidden Markov chain that remembers its last states; a plain twin is in the tests.

Notes
-----
A composite state m lists the present state and the `memory` ones before it, the present first, as digits to base
`states`. One step later the digits move one place to the right and the new state becomes the first digit, so a
composite has only `states` successors and predecessors.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats, Ints


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def hamilton_filter(
    density: Floats, column: Ints, transition: Floats, initial: Floats
) -> tuple[Floats, Floats, Floats]:
    """Run the filter of Hamilton (1989) forward.

    Parameters
    ----------
    density : ndarray of shape (n, d)
        Density of each row, up to a factor a row; ones where a row tells nothing.
    column : ndarray of shape (M,)
        Which column of `density` belongs to each composite state.
    transition : ndarray of shape (k, k)
        Rows sum to one: from the row's state to the column's.
    initial : ndarray of shape (M,)
        Probability of each composite before the first row is seen.

    Returns
    -------
    tuple
        Predicted and filtered probabilities of the composites (n, M), and the normaliser of every row (n,).
    """
    n, M, k = density.shape[0], initial.size, transition.shape[0]
    older = M // k
    predicted, filtered, scale = np.empty((n, M)), np.empty((n, M)), np.empty(n)
    for t in range(n):
        if t == 0:
            predicted[0, :] = initial
        else:
            for r in range(older):
                mass = 0.0
                for d in range(k):
                    mass += filtered[t - 1, r * k + d]
                present = (r * k) // older
                for s in range(k):
                    predicted[t, s * older + r] = mass * transition[present, s]
        total = 0.0
        for m in range(M):
            value = predicted[t, m] * density[t, column[m]]
            filtered[t, m] = value
            total += value
        scale[t] = total
        if total > 0.0:
            for m in range(M):
                filtered[t, m] /= total
        else:
            filtered[t, :] = predicted[t, :]
    return predicted, filtered, scale


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def kim_smoother(predicted: Floats, filtered: Floats, transition: Floats) -> Floats:
    """Return the probabilities (n, M) of the composites given all rows (Kim 1994); used for estimation only."""
    n, M = filtered.shape
    k = transition.shape[0]
    older = M // k
    smoothed = np.empty((n, M))
    smoothed[n - 1, :] = filtered[n - 1, :]
    for t in range(n - 2, -1, -1):
        for r in range(older):
            present = (r * k) // older
            ratio = 0.0
            for s in range(k):
                m = s * older + r
                if predicted[t + 1, m] > 0.0:
                    ratio += transition[present, s] * smoothed[t + 1, m] / predicted[t + 1, m]
            for d in range(k):
                smoothed[t, r * k + d] = filtered[t, r * k + d] * ratio
    return smoothed
