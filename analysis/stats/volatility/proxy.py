"""Observable measures of how volatile a stretch was, in logs: from squared returns, and from high and low."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.stats.lagged import Floats, same_index
from analysis.stats.regression import as_series

# Fuller's small constant: how far a return of zero is kept from minus infinity.
SMALL = 0.02


def log_squares(returns: ArrayLike) -> Floats:
    """Return the log of squared returns, tamed near zero.

    Parameters
    ----------
    returns : array_like of shape (n,)
        NaN stays NaN.

    Returns
    -------
    ndarray of shape (n,)
        ``log(r² + c) - c / (r² + c)`` with c = 0.02 times the mean square.

    Raises
    ------
    InputError
        When every return is zero or missing.

    Notes
    -----
    One squared normal return tells the variance with an error whose log has variance 4.93; several together tell far
    more (`log_realized`).

    References
    ----------
    Fuller (1996), Introduction to Statistical Time Series, 2nd ed., example 9.3.2.
    """
    squares = np.square(as_series("returns", returns))
    known = squares[np.isfinite(squares)]
    small = SMALL * float(known.mean()) if known.size else 0.0
    if small <= 0.0:
        raise InputError("a series without variation has no volatility", given=f"{known.size} values")
    return np.asarray(np.log(squares + small) - small / (squares + small))


def log_realized(returns: ArrayLike, groups: ArrayLike, *, least: int = 3) -> tuple[Floats, np.ndarray]:
    """Return the log of the sum of squared returns of each group of neighbouring rows, such as a week.

    Parameters
    ----------
    returns : array_like of shape (n,)
        NaN marks a missing value.
    groups : array_like of int of shape (n,)
        Non-decreasing label of each row.
    least : int
        A group with fewer present rows is NaN; otherwise its sum is scaled up by all rows over present rows.

    Returns
    -------
    values : ndarray of shape (m,)
        One a group, in order; a group of zero returns is NaN.
    last : int ndarray of shape (m,)
        0-based last row of each group, at whose end the value is known.
    """
    same_index(returns=returns, groups=groups)
    series = as_series("returns", returns)
    labels = np.asarray(groups)
    if labels.shape != series.shape or (np.diff(labels) < 0).any():
        raise InputError("groups must be non-decreasing labels, one a row", given=labels.shape, limit=str(series.shape))
    starts = np.r_[0, np.flatnonzero(np.diff(labels)) + 1]
    squares = np.square(series)
    present = np.isfinite(squares)
    total = np.add.reduceat(np.where(present, squares, 0.0), starts)
    counts = np.add.reduceat(present.astype(np.int64), starts)
    sizes = np.diff(np.r_[starts, len(series)])
    usable = (counts >= least) & (total > 0)
    values = np.full(len(starts), math.nan)
    values[usable] = np.log(total[usable] * sizes[usable] / counts[usable])
    return values, np.r_[starts[1:], len(series)] - 1
