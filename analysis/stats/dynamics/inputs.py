"""Checked inputs of responses over time: tables with named columns, horizons, and what lies ahead of every date."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.stats.lagged import Floats, as_columns, check_lags, deterministic, lag_columns

LEAST_DRAWS = 99


def read_table(data: Any, names: Sequence[str] | None = None) -> tuple[Floats, tuple[str, ...]]:
    """Return the values (n, k) and one name a column: those given, those of a data frame, or numbers."""
    table = as_columns(data, "data")
    k = table.shape[1]
    given = getattr(data, "columns", None) if names is None else names
    labels = tuple(f"series {i + 1}" for i in range(k)) if given is None else tuple(str(name) for name in given)
    if len(labels) != k or len(set(labels)) != k:
        raise InputError("names must be distinct, one for each series", given=labels, limit=f"{k} names")
    return table, labels


def position(item: object, names: tuple[str, ...], what: str) -> int:
    """Return the position of a column given by name or by index."""
    if isinstance(item, str) and item in names:
        return names.index(item)
    whole = isinstance(item, int | np.integer) and not isinstance(item, bool)
    if whole and -len(names) <= item < len(names):  # type: ignore[operator]
        return int(item) % len(names)  # type: ignore[call-overload]
    limit = f"one of {', '.join(names)}, or an index below {len(names)}"
    raise InputError(f"{what} is no column of the data", given=repr(item), limit=limit)


def positions(items: Any, names: tuple[str, ...], what: str) -> tuple[int, ...]:
    """Return the positions of several columns; raises InputError when one is named twice."""
    single = isinstance(items, str | int | np.integer)
    found = tuple(position(item, names, what) for item in ([items] if single else items))
    if len(set(found)) != len(found):
        raise InputError(f"{what} names a column twice", given=repr(items))
    return found


def horizon_grid(horizons: Any) -> tuple[int, ...]:
    """Return horizons as a rising tuple: a whole number H means 0, 1, ..., H."""
    if isinstance(horizons, int | np.integer):
        return tuple(range(check_lags(horizons, name="horizons", least=0) + 1))
    grid = tuple(check_lags(item, name="a horizon", least=0) for item in horizons)
    if not grid or any(b <= a for a, b in pairwise(grid)):
        raise InputError("horizons must rise strictly", given=grid, limit="a whole number H for 0..H, or (0, 1, ...)")
    return grid


def check_level(level: float) -> float:
    """Return the confidence level; raises InputError outside 0.5 to 1."""
    if not 0.5 <= level < 1.0:
        raise InputError("level must be a coverage", given=level, limit="0.5 to below 1")
    return float(level)


def check_draws(draws: int) -> int:
    """Return the number of draws; raises InputError for a positive number that no quantile can rest on."""
    if 0 < draws < LEAST_DRAWS:
        raise InputError("too few draws for limits", given=draws, limit=f"0 or at least {LEAST_DRAWS}")
    return draws


def ahead(effect: Floats, horizons: tuple[int, ...], cumulative: bool) -> Floats:
    """Return what lies `h` steps ahead of every date, shape (n, H); NaN where it is not known.

    Notes
    -----
    With `cumulative`, the sum over the first horizon up to h, which needs every value in between.
    """
    n, first, last = effect.size, horizons[0], horizons[-1]
    steps = np.full((n, last - first + 1), np.nan)
    for place, h in enumerate(range(first, last + 1)):
        steps[: max(n - h, 0), place] = effect[h:]
    if cumulative:
        steps = np.cumsum(steps, axis=1)
    return steps[:, [h - first for h in horizons]]


def control_columns(own: Floats, others: Floats, lags: int) -> Floats:
    """Return the controls of every date: a constant, the others of that date, and lags 1..lags of `own` and others."""
    past = lag_columns(np.hstack([own, others]), range(1, lags + 1)) if lags else np.empty((len(own), 0))
    return np.hstack([deterministic(len(own), "c"), others, past])
