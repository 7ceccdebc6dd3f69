"""Tick series: checked stamps and prices on one time axis, and reading them as of an instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.stats.lagged import as_numbers

SECOND = np.timedelta64(1, "s")
ROUNDING_UNITS = 2.1  # in the last place: whole nanoseconds since 1970 that became seconds differ by up to 2.08
WHOLE_LIMIT = 0.25  # of the tolerance, where all stamps are whole numbers and thus exact


@dataclass(frozen=True, slots=True)
class Ticks:
    """Observed ticks of one series.

    Attributes
    ----------
    times : ndarray of shape (n,)
        Strictly increasing; seconds since the origin for stamps that are dates, else the caller's unit.
    values : ndarray of shape (n,)
        Logarithms of prices, or levels.
    dropped : int
        Ticks left out because their price is missing.
    """

    times: np.ndarray
    values: np.ndarray
    dropped: int


def on_one_axis(named: Sequence[tuple[str, Any]]) -> list[np.ndarray]:
    """Return several arrays of stamps as floats since their common first stamp.

    Parameters
    ----------
    named : sequence of (name, array_like)
        Numbers in one unit, or `datetime64` without a zone (all must be the same kind); dates become seconds.

    Raises
    ------
    InputError
        When the kinds are mixed, a shape is not one- or two-dimensional or a stamp is missing or infinite.

    Notes
    -----
    The origin is subtracted before the change to floats, so that whole nanoseconds since 1970 keep their digits.
    """
    arrays = [(name, np.asarray(values)) for name, values in named]
    dated = {array.dtype.kind == "M" for _, array in arrays}
    for name, array in arrays:
        if array.dtype.kind not in "Miuf" or array.ndim not in (1, 2):
            raise InputError(
                f"{name} holds no time stamps", given=f"{array.dtype} of shape {array.shape}",
                limit="numbers or datetime64 in UTC, shape (n,)", cause="text or stamps with a zone of their own",
                remedy="convert to UTC and pass numpy.datetime64 or numbers of seconds",
            )  # fmt: skip
        if (array.dtype.kind == "M" and np.isnat(array).any()) or (
            array.dtype.kind == "f" and not np.isfinite(array).all()
        ):
            raise InputError(f"{name} holds a missing or infinite time stamp", remedy="leave the tick out")
    if len(dated) > 1:
        kinds = ", ".join(f"{name}: {array.dtype}" for name, array in arrays)
        raise InputError("time stamps of different kinds cannot be compared", given=kinds, limit="all dates or none")
    if dated == {True}:
        exact = [array.astype("datetime64[ns]") for _, array in arrays]
        origin = min((array.min() for array in exact if array.size), default=np.datetime64(0, "ns"))
        return [(array - origin) / SECOND for array in exact]
    whole = all(array.dtype.kind in "iu" for _, array in arrays)
    plain = [array.astype(np.int64 if whole else np.float64) for _, array in arrays]
    origin = min((array.min() for array in plain if array.size), default=0)
    return [(array - origin).astype(np.float64) for array in plain]


def stamp_tolerance(raw: Sequence[Any], axis: Sequence[np.ndarray], lags: np.ndarray) -> float:
    """Return how far two stamps that mean the same instant may be apart, in the unit of the axis.

    Parameters
    ----------
    raw : sequence of array_like
        Stamps as given to `on_one_axis`.
    axis : sequence of ndarray
        What it returned.
    lags : ndarray of shape (L,)
        What is subtracted from stamps before they are compared.

    Notes
    -----
    Decimal stamps and lags are rounded, so that 0.3 - 0.1 differs from 0.2. The tolerance is 2.1 units in the last
    place of the largest absolute stamp or lag: of the stamp as given where it is a decimal number (0.5 microseconds for
    seconds since 1970), of the time since the first stamp for dates and whole-number types, whose difference is exact.
    Where all times since the first stamp are whole numbers it is at most a quarter.
    """
    units = [float(np.spacing(np.abs(lags).max(initial=0.0)))]
    for given, times in zip((np.asarray(values) for values in raw), axis, strict=True):
        if times.size == 0:
            continue
        units.append(float(np.spacing(np.abs(times).max())))
        if given.dtype.kind == "f":
            largest = np.abs(given).max()
            units += [float(np.spacing(largest)), float(np.spacing(np.float64(largest)))]
    whole = all(bool((times == np.floor(times)).all()) for times in axis)
    tolerance = ROUNDING_UNITS * max(units)
    return min(tolerance, WHOLE_LIMIT) if whole else tolerance


def as_ticks(name: str, times: np.ndarray, prices: Any, *, log: bool) -> Ticks:
    """Return the ticks that have a price; raises InputError on disorder, wrong shapes or prices without a logarithm."""
    values = as_numbers(prices, f"prices_{name}")
    if times.ndim != 1 or values.shape != times.shape:
        raise InputError(f"{name} has stamps and prices of different shapes", given=f"{times.shape}, {values.shape}")
    backwards = np.flatnonzero(np.diff(times) <= 0)
    if backwards.size:
        raise InputError(
            f"the stamps of {name} are not strictly increasing",
            given=f"row {int(backwards[0]) + 1} is not later than the row before",
            cause="unsorted ticks or several ticks with one stamp",
            remedy="sort, and keep the last tick of each stamp",
        )
    present = ~np.isnan(values)
    values = values[present]
    if np.isinf(values).any() or (log and (values <= 0).any()):
        raise InputError(
            f"{name} holds a price that is infinite or not positive",
            remedy="mark missing prices with NaN, or log=False",
        )
    return Ticks(times[present], np.log(values) if log else values, int((~present).sum()))


def as_of(ticks: Ticks, instants: np.ndarray, max_age: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Read the last value at or before each instant.

    Parameters
    ----------
    ticks : Ticks
    instants : ndarray of shape (k,)
    max_age : float, optional
        A value older than this is missing.

    Returns
    -------
    values, ages : ndarray of shape (k,)
        NaN where there is none. Nothing after the instant is read.
    """
    index = np.searchsorted(ticks.times, instants, side="right") - 1
    known = index >= 0
    values, ages = np.full(instants.size, np.nan), np.full(instants.size, np.nan)
    values[known] = ticks.values[index[known]]
    ages[known] = instants[known] - ticks.times[index[known]]
    if max_age is not None:
        values[ages > max_age] = np.nan
    return values, ages
