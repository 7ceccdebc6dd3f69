"""Record highs of a price series: record days, the facts of one year, and episodes of neighbouring records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.errors import DataError, InputError
from analysis.market.calendars import day_numbers

Basis = Literal["close", "intraday"]
DECIMALS = 2
MERGE_SESSIONS = 21
Floats = npt.NDArray[np.float64]


class RecordHighs(NamedTuple):
    """Days on which a record was set and the level of each."""

    dates: pd.DatetimeIndex
    levels: Floats


@dataclass(frozen=True, slots=True)
class Episode:
    """Record days not further apart than the merge rule allows, seen as one event."""

    start: date
    end: date
    records: int
    first_level: float
    last_level: float


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What a price series says about records in one year.

    Attributes
    ----------
    prior_record_close, prior_record_intraday : float or None
        The record that stood when the year began; None when the series starts in that year.
    record_close_dates, record_intraday_dates : tuple of date
        Days of the year that set a record; empty when none did.
    first_record_close_after : float or None
        The first record close after the end of the year; None when there is none yet.
    highest_intraday, … : None where the series has no daily highs.
    """

    year: int
    highest_close: float
    highest_close_date: date
    prior_record_close: float | None
    prior_record_close_date: date | None
    record_close_dates: tuple[date, ...]
    highest_intraday: float | None
    highest_intraday_date: date | None
    prior_record_intraday: float | None
    prior_record_intraday_date: date | None
    record_intraday_dates: tuple[date, ...]
    first_record_close_after: float | None
    first_record_close_after_date: date | None


def running_record(levels: Floats) -> Floats:
    """Return the highest level so far at each place, today included; gaps (NaN) are passed over.

    Uses nothing later than its own place.
    """
    return np.asarray(np.fmax.accumulate(levels), dtype=np.float64) if len(levels) else np.array(levels)


def record_highs(
    frame: pd.DataFrame, *, basis: Basis = "close", decimals: int | None = DECIMALS, min_history: int = 1
) -> RecordHighs:
    """Return the days on which a series rose above every earlier level.

    Parameters
    ----------
    frame : DataFrame
        Dates in the index; column `value` (the close), and `high` for `basis="intraday"`.
    basis : {"close", "intraday"}
        Compare closes with closes, or daily highs with daily highs.
    decimals : int or None
        Levels are compared as published, rounded to this many decimals, so a record is a rise by at least one
        published unit and the float noise of a vendor (2442.739990 for 2442.74) makes none. None compares exactly.
    min_history : int
        How many earlier observations a record must have behind it; the first observation is never a record.

    Returns
    -------
    RecordHighs
        Levels rounded as they were compared.

    Notes
    -----
    Whether a day is a record depends on that day and earlier ones only. An intraday high is never taken below the
    close of its day; equalling a record is not a record.
    """
    if min_history < 1:
        raise InputError("`min_history` is too small", given=min_history, limit="1 or more")
    levels = _levels(frame, basis, decimals)
    previous = np.concatenate([[np.nan], running_record(levels)[:-1]])
    seen = np.concatenate([[0], np.cumsum(np.isfinite(levels))[:-1]]) if len(levels) else np.zeros(0)
    is_record = (levels > previous) & (seen >= min_history)
    return RecordHighs(pd.DatetimeIndex(frame.index[is_record]), levels[is_record])


def record_facts(frame: pd.DataFrame, year: int, *, decimals: int | None = DECIMALS) -> RecordFacts:
    """Return what the series says about records in one calendar year.

    Parameters
    ----------
    frame : DataFrame
        As in `record_highs`; without a column `high` the intraday facts are None.
    year : int
        Calendar year.
    decimals : int or None
        As in `record_highs`.

    Raises
    ------
    DataError
        The series has no observation in that year.
    """
    years = np.asarray(frame.index.year)
    if not np.any(years == year):
        span = f"{frame.index[0].date()} to {frame.index[-1].date()}" if len(frame) else "nothing"
        raise DataError("The series has no observation in that year", given=year, limit=f"it covers {span}")
    closes = record_highs(frame, basis="close", decimals=decimals)
    level, day, prior, prior_day, days = _year_facts(
        _levels(frame, "close", decimals), frame.index, years, year, closes
    )
    later = np.flatnonzero(closes.dates.year > year)
    after = (float(closes.levels[later[0]]), closes.dates[later[0]].date()) if later.size else (None, None)
    top: _YearFacts = (None, None, None, None, ())
    if "high" in frame.columns:
        highs = record_highs(frame, basis="intraday", decimals=decimals)
        top = _year_facts(_levels(frame, "intraday", decimals), frame.index, years, year, highs)
    if level is None or day is None:
        raise DataError("The series has no close in that year", given=year)
    return RecordFacts(year, level, day, prior, prior_day, days, *top, *after)


def record_episodes(
    frame: pd.DataFrame,
    *,
    basis: Basis = "close",
    merge_sessions: int = MERGE_SESSIONS,
    spacing_sessions: int = 0,
    decimals: int | None = DECIMALS,
    min_history: int = 1,
) -> tuple[Episode, ...]:
    """Merge record days into episodes: a record up to `merge_sessions` rows after the last one belongs to it.

    Parameters
    ----------
    frame, basis, decimals, min_history
        As in `record_highs`. A session is a row of the frame.
    merge_sessions : int
        Largest distance, in sessions, between neighbouring records of one episode. 0 keeps every day apart.
    spacing_sessions : int
        Least distance, in sessions, from the start of one episode to the start of the next; an episode that would start
        earlier joins the one before it. With the longest horizon here, no two episodes share a session of outcome.

    Notes
    -----
    The start of an episode is known on its first day; its end only `merge_sessions` sessions after its last record.
    Date an event by the start. Episodes are counted from the first record of the frame on, so that a frame that starts
    earlier may date the episodes of a long rally differently where `spacing_sessions` binds.
    """
    for name, value in (("merge_sessions", merge_sessions), ("spacing_sessions", spacing_sessions)):
        if value < 0:
            raise InputError(f"`{name}` is negative", given=value, limit="0 or more")
    dates, levels = record_highs(frame, basis=basis, decimals=decimals, min_history=min_history)
    if len(dates) == 0:
        return ()
    places = np.searchsorted(day_numbers(frame.index), day_numbers(dates))
    starts = _spaced(
        np.concatenate([[0], np.flatnonzero(np.diff(places) > merge_sessions) + 1]), places, spacing_sessions
    )
    ends = np.concatenate([starts[1:] - 1, [len(dates) - 1]])
    return tuple(
        Episode(dates[a].date(), dates[b].date(), int(b - a + 1), float(levels[a]), float(levels[b]))
        for a, b in zip(starts, ends, strict=True)
    )


def _spaced(starts: npt.NDArray[np.int64], places: npt.NDArray[np.int64], spacing: int) -> npt.NDArray[np.int64]:
    """Keep the starts that lie `spacing` sessions or more after the last one kept."""
    kept = [int(starts[0])]
    for start in starts[1:].tolist():
        if places[start] - places[kept[-1]] >= spacing:
            kept.append(start)
    return np.array(kept, dtype=np.int64)


_YearFacts = tuple[float | None, date | None, float | None, date | None, tuple[date, ...]]


def _year_facts(
    levels: Floats, index: pd.DatetimeIndex, years: npt.NDArray[np.int64], year: int, records: RecordHighs
) -> _YearFacts:
    """Return highest level and day of the year, the record before it and its day, and the record days in it."""
    days = tuple(day.date() for day in records.dates[records.dates.year == year])
    inside = np.where(years == year, levels, np.nan)
    earlier = np.where(years < year, levels, np.nan)
    return (*_highest(inside, index), *_highest(earlier, index), days)


def _highest(levels: Floats, index: pd.DatetimeIndex) -> tuple[float | None, date | None]:
    if not np.any(np.isfinite(levels)):
        return None, None
    place = int(np.nanargmax(levels))
    return float(levels[place]), index[place].date()


def _levels(frame: pd.DataFrame, basis: Basis, decimals: int | None) -> Floats:
    if basis not in ("close", "intraday"):
        raise InputError("`basis` is not known", given=basis, limit="close, intraday")
    if not frame.index.is_monotonic_increasing or not frame.index.is_unique:
        raise InputError("The dates do not increase strictly", remedy="sort the rows by date, one row a day")
    levels = frame["value"].to_numpy(dtype=np.float64)
    if basis == "intraday":
        if "high" not in frame.columns:
            raise DataError(
                "The series has no daily highs",
                given=", ".join(map(str, frame.columns)),
                limit="a column 'high'",
                remedy="use basis='close', or supply a file with open, high, low and close",
            )
        levels = np.fmax(levels, frame["high"].to_numpy(dtype=np.float64))
    return levels if decimals is None else np.round(levels, decimals)
