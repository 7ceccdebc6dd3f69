"""Transformations of aligned levels into returns, and the three rules for weekends. Gaps are never bridged."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.errors import DataError, InputError
from analysis.market.calendars import Sessions, day_numbers
from analysis.market.entries import Transform

Floats = npt.NDArray[np.float64]
Weekend = Literal["compound", "drop", "calendar"]
WEEKENDS: tuple[Weekend, ...] = ("compound", "drop", "calendar")
_LOGARITHMIC = ("log_return", "log_difference")


def transform(values: Floats, kind: Transform, *, series_id: str = "the series") -> Floats:
    """Turn levels into the quantity the statistics work on.

    Parameters
    ----------
    values : array of shape (n,)
        Levels; NaN marks a missing observation.
    kind : {"log_return", "log_difference", "difference", "level", "percent_return"}
        The first two are ln(v_t / v_{t-1}); `difference` is v_t - v_{t-1}; `percent_return` takes values that are
        already returns in percent and gives ln(1 + v_t / 100); `level` leaves the values alone.
    series_id : str
        Named in errors.

    Returns
    -------
    array of shape (n,)
        Logarithmic returns are fractions, not percent. A change is NaN where either end is missing, and in the first
        place: two observations with a gap between them never make a return.

    Raises
    ------
    DataError
        A level that must be positive is not, or a return is -100 percent or less.
    """
    if kind in _LOGARITHMIC:
        return _difference(np.log(_positive(values, series_id)))
    if kind == "difference":
        return _difference(values)
    if kind == "level":
        return values.copy()
    if kind == "percent_return":
        if np.any(values <= -100):
            raise DataError(f"{series_id} holds a return of -100 percent or less", given=float(np.nanmin(values)))
        return np.asarray(np.log1p(values / 100.0))
    raise InputError("`kind` is no transformation", given=kind)


def last_bar_only(returns: Floats, frame: pd.DataFrame, rows: npt.NDArray[np.int64], sessions: Sessions) -> Floats:
    """Leave the closed days out of a log return: after a gap only the last one-day bar counts (rule "drop").

    Parameters
    ----------
    returns : array of shape (n_sessions,)
        Log returns from session to session.
    frame : DataFrame
        The bars, column `value`.
    rows : int array of shape (n_sessions,)
        The bar each session uses; -1 where missing.
    sessions : Sessions
        Tells which sessions follow a gap of more than one calendar day.

    Returns
    -------
    array of shape (n_sessions,)
        NaN on a session after a gap whose bar of the calendar day before is missing.
    """
    after_gap = sessions.follows_gap
    days, values = day_numbers(pd.DatetimeIndex(frame.index)), frame["value"].to_numpy(dtype=np.float64)
    previous = np.maximum(rows - 1, 0)
    paired = after_gap & (rows >= 1) & (days[np.maximum(rows, 0)] - days[previous] == 1)
    result = np.where(after_gap, np.nan, returns)
    result[paired] = np.log(values[rows[paired]]) - np.log(values[previous[paired]])
    return result


def spread_to_days(returns: Floats, levels: Floats, kind: Transform, sessions: Sessions, days: Sessions) -> Floats:
    """Put the returns of a series that rests on closed days on the calendar-day grid (rule "calendar").

    A closed day has the return 0, or the last level where the series is used as a level; a session without a value
    stays NaN.
    """
    place = np.searchsorted(day_numbers(days.dates), day_numbers(sessions.dates))
    result = carry_levels(levels, sessions, days) if kind == "level" else np.zeros(len(days))
    result[place] = returns
    return result


def carry_levels(levels: Floats, sessions: Sessions, days: Sessions) -> Floats:
    """Return levels on the calendar-day grid: a closed day shows the level of the last session."""
    place = np.searchsorted(day_numbers(sessions.dates), day_numbers(days.dates), side="right") - 1
    return np.where(place >= 0, levels[np.maximum(place, 0)], np.nan)


def _difference(values: Floats) -> Floats:
    result = np.full(values.shape, np.nan)
    result[1:] = values[1:] - values[:-1]
    return result


def _positive(values: Floats, series_id: str) -> Floats:
    if np.any(values <= 0):
        raise DataError(
            f"{series_id} holds a level of zero or less, and a log return does not exist there",
            given=float(np.nanmin(values)),
            cause="a rate or spread declared as a price, or a damaged row",
            remedy="declare transform = 'difference', or correct the file",
        )
    return values
