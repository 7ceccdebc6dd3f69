"""Alignment by instant: which observation of a series is the one known at each reference instant, and how old it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.errors import DataError, InputError
from analysis.market.calendars import DAY_NS, MINUTE_NS, Instants, Sessions, day_numbers, local_instants
from analysis.market.entries import Entry, Publication

Clock = Literal["before", "after"]
Timing = Literal["observed", "published"]
CLOCKS: tuple[Clock, ...] = ("before", "after")

# A daily value fixed shortly after the close (VIX at 16:15) still belongs to the session.
AFTER_CLOSE_NS = 30 * MINUTE_NS
REGULAR_CLOSE_MINUTES = 16 * 60
NEVER = int(np.iinfo(np.int64).max)
MISSING = int(np.iinfo(np.int64).min)  # reads as NaT


@dataclass(frozen=True, slots=True, eq=False)
class AlignedSeries:
    """A series on a grid of sessions.

    Attributes
    ----------
    values : float array of shape (n_sessions,)
        Value in the unit of the catalogue; NaN where there is none.
    instants : int64 array of shape (n_sessions,)
        When the value was observed, or published for a series that enters when published: nanoseconds since 1970 UTC.
        The smallest integer (NaT) where the value is missing.
    stale : bool array of shape (n_sessions,)
        No new observation came since the previous session: the value is carried, or missing.
    rows : int64 array of shape (n_sessions,)
        Row of the frame each value comes from; -1 where missing.
    ignored : int
        Rows inside the span of the grid that no session could ever use, such as values on exchange holidays.
    """

    values: npt.NDArray[np.float64]
    instants: Instants
    stale: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.int64]
    ignored: int

    def __post_init__(self) -> None:
        for array in (self.values, self.instants, self.stale, self.rows):
            array.flags.writeable = False


def observation_instants(dates: pd.DatetimeIndex, entry: Entry, sessions: Sessions) -> Instants:
    """Return when each dated value was observed, in nanoseconds since 1970 UTC.

    A session series is observed at the true close, so three hours earlier on a half day; a date that is no session
    gets the smallest integer (NaT).
    """
    observed = entry.observed
    if entry.calendar != "XNYS":
        return local_instants(dates, minutes=observed.minutes, zone=observed.zone, day_offset=observed.day_offset)
    place, on_session = _session_rows(dates, sessions)
    if observed.session_close:
        instants = sessions.closes[place] + (observed.minutes - REGULAR_CLOSE_MINUTES) * MINUTE_NS
    else:
        instants = local_instants(dates, minutes=observed.minutes, zone=observed.zone, day_offset=observed.day_offset)
    return np.where(on_session, instants, MISSING)


def publication_instants(dates: pd.DatetimeIndex, entry: Entry, sessions: Sessions) -> Instants:
    """Return when each dated value became public, in nanoseconds since 1970 UTC.

    A series without a publication rule is public the moment it is observed. A value whose publication day lies beyond
    the last session is marked as never published. A value older than the grid is never dated too early.
    """
    if entry.publication is None:
        return observation_instants(dates, entry, sessions)
    rule = entry.publication
    days = day_numbers(sessions.dates[sessions.is_session])
    wanted = _publication_days(day_numbers(dates), rule, days)
    place = np.searchsorted(days, wanted)
    known = place < len(days)
    rolled = np.where(known, days[np.minimum(place, len(days) - 1)], wanted)
    # A day before the grid need not roll on to a session: the first session of the grid comes later anyway.
    rolled = np.where(wanted < days[0], wanted, rolled)
    index = pd.DatetimeIndex(rolled.astype("datetime64[D]").astype("datetime64[ns]"))
    instants = local_instants(index, minutes=rule.minutes, zone=rule.zone)
    instants = np.where(known, instants, NEVER)
    instants = np.maximum(instants, observation_instants(dates, entry, sessions))
    # A delayed release holds back the later ones: no value counts as public before its predecessor.
    return np.maximum.accumulate(instants) if len(instants) else instants


def align(
    frame: pd.DataFrame,
    entry: Entry,
    sessions: Sessions,
    *,
    clock: Clock,
    timing: Timing | None = None,
) -> AlignedSeries:
    """Place a series on a grid of sessions by the instants of its observations.

    Parameters
    ----------
    frame : DataFrame
        Midnight dates, strictly increasing; column `value`.
    entry : Entry
        Declares the clock, the calendar and the publication rule.
    sessions : Sessions
        The grid.
    clock : {"before", "after"}
        For bars of a market that never closes: the last bar that ended at or before the reference instant, or the
        first that ended at or after it. A bar that ends exactly there serves both. Without effect on other series.
    timing : {"observed", "published"}, optional
        Overrides the catalogue. "published" allows no tolerance after the close.

    Returns
    -------
    AlignedSeries

    Notes
    -----
    Nothing is interpolated. A bar 24 hours or more away from the reference instant is not used. Another series takes
    the last value observed up to 30 minutes after the close, or published up to the close. Without a new value since
    the previous session the older one stands for at most `entry.carry_days` days, then the session is missing.
    """
    if clock not in CLOCKS:
        raise InputError("`clock` is not known", given=clock, limit=", ".join(CLOCKS))
    chosen = timing or entry.enters
    if chosen not in ("observed", "published"):
        raise InputError("`timing` is not known", given=chosen, limit="observed, published")
    if len(sessions) == 0:
        raise InputError("The grid holds no session", remedy="widen start and end")
    dates = pd.DatetimeIndex(frame.index)
    times = publication_instants if chosen == "published" else observation_instants
    instants = times(dates, entry, sessions)
    usable = np.flatnonzero(instants != MISSING)
    instants = instants[usable]
    if np.any(np.diff(instants) < 0) or not dates.is_monotonic_increasing:
        raise DataError(
            f"The observations of {entry.id} do not come in the order of their dates",
            cause="an index that is not sorted",
            remedy="sort the rows by date",
        )
    if entry.calendar == "24/7" and chosen == "observed":
        place, fresh = _bars(instants, sessions, clock)
    else:
        tolerance = AFTER_CLOSE_NS if chosen == "observed" else 0
        place, fresh = _as_of(instants, sessions, tolerance=tolerance, carry_days=entry.carry_days)
    found = place >= 0
    rows = np.full(len(sessions), -1, dtype=np.int64)
    rows[found] = usable[place[found]]
    values = np.full(len(sessions), np.nan)
    values[found] = frame["value"].to_numpy(dtype=np.float64)[rows[found]] * entry.scale
    when = np.full(len(sessions), MISSING, dtype=np.int64)
    when[found] = instants[place[found]]
    return AlignedSeries(
        values=values, instants=when, stale=~(found & fresh), rows=rows, ignored=_ignored(dates, usable, sessions)
    )


def _session_rows(dates: pd.DatetimeIndex, sessions: Sessions) -> tuple[Instants, npt.NDArray[np.bool_]]:
    days, wanted = day_numbers(sessions.dates), day_numbers(dates)
    place = np.minimum(np.searchsorted(days, wanted), len(days) - 1)
    return place, np.asarray((days[place] == wanted) & sessions.is_session[place])


def _publication_days(days: Instants, rule: Publication, session_days: Instants) -> Instants:
    """Return the planned publication day of each reference day, in days since 1970."""
    if rule.lag_sessions is not None:
        place = np.searchsorted(session_days, days, side="right") + rule.lag_sessions - 1
        place = np.maximum(place, 0)
        beyond = place >= len(session_days)
        wanted = np.where(beyond, session_days[-1] + 1, session_days[np.minimum(place, len(session_days) - 1)])
    else:
        wanted = days + (rule.lag_days or 0)
    if rule.weekday_number is not None:
        # 1970-01-01 was a Thursday, hence the 3.
        wanted = wanted + (rule.weekday_number - (wanted + 3)) % 7
    for reference, actual in rule.exceptions.items():
        hit = days == np.datetime64(reference, "D").astype(np.int64)
        wanted = np.where(hit, np.datetime64(actual, "D").astype(np.int64), wanted)
    return np.asarray(wanted, dtype=np.int64)


def _bars(instants: Instants, sessions: Sessions, clock: Clock) -> tuple[Instants, npt.NDArray[np.bool_]]:
    """Return the bar of each reference instant, -1 where none ended within 24 hours on the side of the clock."""
    if len(instants) == 0:
        return np.full(len(sessions), -1, dtype=np.int64), np.zeros(len(sessions), dtype=bool)
    if clock == "before":
        place = np.searchsorted(instants, sessions.closes, side="right") - 1
    else:
        place = np.searchsorted(instants, sessions.closes, side="left")
    inside = (place >= 0) & (place < len(instants))
    distance = np.abs(instants[np.clip(place, 0, len(instants) - 1)] - sessions.closes)
    found = inside & (distance < DAY_NS)
    return np.where(found, place, -1), found


def _as_of(
    instants: Instants, sessions: Sessions, *, tolerance: int, carry_days: int
) -> tuple[Instants, npt.NDArray[np.bool_]]:
    """Return the last value known at each reference instant, -1 where it is too old, and whether it is new."""
    if len(instants) == 0:
        return np.full(len(sessions), -1, dtype=np.int64), np.zeros(len(sessions), dtype=bool)
    limits = sessions.closes + tolerance
    place = np.searchsorted(instants, limits, side="right") - 1
    when = instants[np.maximum(place, 0)]
    # The first session has no predecessor: a value of the last four days (a long weekend) counts as new.
    previous = np.concatenate([limits[:1] - 4 * DAY_NS, limits[:-1]])
    fresh = (place >= 0) & (when > previous)
    found = fresh | ((place >= 0) & (limits - when <= carry_days * DAY_NS))
    return np.where(found, place, -1), fresh & found


def _ignored(dates: pd.DatetimeIndex, usable: Instants, sessions: Sessions) -> int:
    unused = np.ones(len(dates), dtype=bool)
    unused[usable] = False
    days, span = day_numbers(dates), day_numbers(sessions.dates)
    return int(np.count_nonzero(unused & (days >= span[0]) & (days <= span[-1])))
