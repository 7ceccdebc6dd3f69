"""Detect forecasts that know the future: change what comes later and see whether anything dated earlier moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.stats.lagged import Floats, as_columns, as_numbers

CHANGES = ("huge", "shuffled", "missing")


class Leak(NamedTuple):
    """A forecast that moved: its row, the last row that was left as it was, and how the later ones were changed."""

    row: int
    known: int
    change: str


def find_leaks(
    forecaster: Callable[[Floats], Floats],
    data: ArrayLike,
    *,
    known: Sequence[int],
    rng: np.random.Generator,
) -> tuple[Leak, ...]:
    """Change every row after some date, in three ways, and list the forecasts up to that date that moved.

    Parameters
    ----------
    forecaster : callable
        Takes data (n, k) and returns forecasts (n,) or (n, m): row t must rest on rows up to t. NaN where none.
    data : array of shape (n, k)
    known : sequence of int
        Last rows to be left as they are, one a trial.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Leak
        The first forecast that moved in each trial; empty when none did. Equality is that of bytes.

    Raises
    ------
    InputError
        For a row outside the data or forecasts of another length.

    Notes
    -----
    Later rows are multiplied by a million and given the opposite sign, put in another order, and removed. A forecast
    that uses a value of its own outcome, however slightly, moves under the first.

    Examples
    --------
    >>> x = np.arange(10.0)
    >>> find_leaks(lambda d: np.cumsum(d[:, 0]), x, known=[4], rng=np.random.default_rng(0))
    ()
    >>> leaky = lambda d: d[:, 0] - d[:, 0].mean()
    >>> find_leaks(leaky, x, known=[4], rng=np.random.default_rng(0))[0].change
    'huge'
    """
    rows = as_columns(data, "data")
    n = len(rows)
    base = _forecasts(forecaster, rows)
    found = []
    for last in known:
        if not 0 <= last < n - 1:
            raise InputError("a trial needs rows on both sides", given=last, limit=f"0 to {n - 2}")
        for change in CHANGES:
            moved = _forecasts(forecaster, _changed(rows, last + 1, change, rng))
            same = [base[t].tobytes() == moved[t].tobytes() for t in range(last + 1)]
            if not all(same):
                found.append(Leak(same.index(False), int(last), change))
    return tuple(found)


def _forecasts(forecaster: Callable[[Floats], Floats], rows: Floats) -> Floats:
    out = as_numbers(forecaster(rows.copy()), "a forecast")
    if len(out) != len(rows):
        raise InputError("a forecaster returns one row a row of the data", given=out.shape, limit=f"({len(rows)},)")
    return out


def _changed(rows: Floats, first: int, change: str, rng: np.random.Generator) -> Floats:
    out = rows.copy()
    if change == "huge":
        out[first:] = -1e6 * (out[first:] + rng.standard_normal(out[first:].shape))
    elif change == "shuffled":
        # Every column by itself: the same order for all would hide a leak that only pairs values.
        out[first:] = rng.permuted(out[first:], axis=0)
    else:
        out[first:] = np.nan
    return out
