"""Means and covariances of many resamples of the same rows (compiled).

This module imports the compiler; import it inside a function.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit


@njit(nogil=True, cache=True, error_model="numpy")
def resampled_moments(columns, index, means, covariances):  # type: ignore[no-untyped-def]
    """Fill means (B, k) and covariances (B, k, k) of the rows `index` (B, n) of columns (n, k)."""
    n, k = columns.shape
    first, second = np.empty(k), np.empty((k, k))
    for b in range(len(index)):
        first[:], second[:] = 0.0, 0.0
        for t in range(n):
            row = columns[index[b, t]]
            for i in range(k):
                first[i] += row[i]
                for j in range(i + 1):
                    second[i, j] += row[i] * row[j]
        for i in range(k):
            means[b, i] = first[i] / n
        for i in range(k):
            for j in range(i + 1):
                value = second[i, j] / n - means[b, i] * means[b, j]
                covariances[b, i, j] = value
                covariances[b, j, i] = value
