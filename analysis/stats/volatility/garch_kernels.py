"""Compiled recursion of the GARCH(1,1) variance and its derivatives; a plain twin stands in the tests."""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def garch_recursion(squares: Floats, omega: float, alpha: float, beta: float, start: float) -> tuple[Floats, Floats]:
    """Return the variances (n,) and their derivatives (n, 3) by omega, alpha and beta.

    A missing square (NaN) is replaced by its own conditional variance, which is what is known of it.
    """
    n = len(squares)
    h, slope = np.empty(n), np.empty((n, 3))
    past, level = start, start
    a = b = c = 0.0
    filled = (0.0, 0.0, 0.0)
    for t in range(n):
        value = omega + alpha * past + beta * level
        da = 1.0 + beta * a + alpha * filled[0]
        db = past + beta * b + alpha * filled[1]
        dc = level + beta * c + alpha * filled[2]
        a, b, c = da, db, dc
        h[t] = value
        slope[t, 0], slope[t, 1], slope[t, 2] = a, b, c
        level = value
        if np.isnan(squares[t]):
            past = value
            filled = (a, b, c)
        else:
            past = squares[t]
            filled = (0.0, 0.0, 0.0)
    return h, slope
