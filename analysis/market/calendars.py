"""New York Stock Exchange sessions between two explicit days, with the true instant of every close."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from exchange_calendars.errors import CalendarError
from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar

from analysis.errors import InputError
from analysis.quiet import quiet

NEW_YORK = "America/New_York"
DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
_FIRST, _LAST = pd.Timestamp("1900-01-02"), pd.Timestamp("2200-12-31")

Instants = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """A grid of days, each with one reference instant.

    Attributes
    ----------
    dates : DatetimeIndex of length n
        Session days, time-zone naive midnights, ascending, nanosecond unit.
    closes : int64 array of shape (n,)
        Reference instants in nanoseconds since 1970 UTC: the close of the session; 16:00 New York on a closed day.
    half_day : bool array of shape (n,)
        Sessions that closed early.
    is_session : bool array of shape (n,)
        True everywhere, except in a grid made by `calendar_days`.
    """

    dates: pd.DatetimeIndex
    closes: Instants
    half_day: Flags
    is_session: Flags

    def __post_init__(self) -> None:
        for array in (self.closes, self.half_day, self.is_session):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.dates)

    @property
    def follows_gap(self) -> Flags:
        """Days whose predecessor in the grid lies more than one calendar day back; the first day never does."""
        steps = np.diff(day_numbers(self.dates), prepend=day_numbers(self.dates)[:1] - 1)
        return np.asarray(steps > 1)

    def calendar_days(self) -> Sessions:
        """Return the grid of every calendar day from the first to the last session."""
        if len(self) == 0:
            return self
        days = pd.date_range(self.dates[0], self.dates[-1], freq="D").as_unit("ns")
        place = np.searchsorted(day_numbers(days), day_numbers(self.dates))
        closes = local_instants(days, minutes=16 * 60, zone=NEW_YORK)
        half_day, is_session = np.zeros(len(days), dtype=bool), np.zeros(len(days), dtype=bool)
        closes[place], half_day[place], is_session[place] = self.closes, self.half_day, True
        return Sessions(dates=days, closes=closes, half_day=half_day, is_session=is_session)

    def since(self, start: str | pd.Timestamp) -> Sessions:
        """Return the part of the grid on or after a day."""
        first = int(np.searchsorted(day_numbers(self.dates), pd.Timestamp(start).as_unit("ns").value // DAY_NS))
        return Sessions(
            dates=self.dates[first:],
            closes=self.closes[first:].copy(),
            half_day=self.half_day[first:].copy(),
            is_session=self.is_session[first:].copy(),
        )


def nyse(start: str | pd.Timestamp, end: str | pd.Timestamp) -> Sessions:
    """Return the NYSE sessions from `start` to `end`, both included.

    Parameters
    ----------
    start, end : str or Timestamp
        Days; never a moving default, because the same call must give the same sessions tomorrow.

    Raises
    ------
    InputError
        A day is not a date, the order is wrong, or the installed calendar library does not reach that far.
    """
    return _nyse(_day(start, "start"), _day(end, "end"))


def day_numbers(dates: pd.DatetimeIndex) -> Instants:
    """Return whole days since 1970 of midnights, whatever the unit of the index."""
    return np.asarray(dates.values.astype("datetime64[D]").astype(np.int64))


def local_instants(days: pd.DatetimeIndex, *, minutes: int, zone: str, day_offset: int = 0) -> Instants:
    """Return the UTC instants (ns) of a wall-clock time on each day.

    A time that the clocks skip in spring moves to the first one that exists; of a time that comes twice in autumn the
    later is taken, so that nothing is ever dated earlier than it was known.
    """
    wall = days.as_unit("ns") + pd.Timedelta(days=day_offset, minutes=minutes)
    if zone == "UTC":
        return np.array(wall.asi8, dtype=np.int64)
    local = wall.tz_localize(zone, ambiguous=np.zeros(len(wall), dtype=bool), nonexistent="shift_forward")
    return np.array(local.asi8, dtype=np.int64)


def _day(value: str | pd.Timestamp, name: str) -> pd.Timestamp:
    try:
        day = pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise InputError(f"`{name}` is not a date", given=value, limit="a day such as 2014-09-17") from error
    if day is pd.NaT or day.tzinfo is not None or day != day.normalize():
        raise InputError(f"`{name}` must be a plain day", given=value, limit="no time of day, no zone")
    return day


@lru_cache(maxsize=32)
def _nyse(start: pd.Timestamp, end: pd.Timestamp) -> Sessions:
    first = XNYSExchangeCalendar.bound_min() or _FIRST
    last = XNYSExchangeCalendar.bound_max() or _LAST
    if start > end:
        raise InputError("`start` lies after `end`", given=f"{start.date()} > {end.date()}")
    if start < first or end > last:
        raise InputError(
            "The installed calendar library does not reach that far",
            given=f"{start.date()} to {end.date()}",
            limit=f"{first.date()} to {last.date()}",
            cause="a mistyped year, or an old exchange-calendars",
            remedy="choose an earlier end, or update exchange-calendars",
        )
    # The library refuses a range without sessions; a margin avoids that and is cut off again.
    margin = pd.Timedelta(days=14)
    try:
        # The library calls parts of pandas that are on their way out; it is the library that has to follow.
        with quiet(DeprecationWarning):
            calendar = XNYSExchangeCalendar(start=max(start - margin, first), end=min(end + margin, last))
    except (CalendarError, ValueError) as error:
        raise InputError(
            "The installed calendar library cannot build these sessions",
            given=f"{start.date()} to {end.date()}",
            cause=str(error),
            remedy="update exchange-calendars",
        ) from error
    closes = calendar.closes.loc[start:end]
    dates = pd.DatetimeIndex(closes.index.values.astype("datetime64[ns]"), name="date")
    return Sessions(
        dates=dates,
        closes=np.array(pd.DatetimeIndex(closes).as_unit("ns").asi8, dtype=np.int64),
        half_day=np.array(closes.index.isin(calendar.early_closes), dtype=bool),
        is_session=np.ones(len(dates), dtype=bool),
    )
