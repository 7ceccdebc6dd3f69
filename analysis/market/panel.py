"""The aligned panel: levels, returns and instants of many series on one grid of days, under one clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.errors import InputError
from analysis.market import calendars, returns
from analysis.market.alignment import CLOCKS, AlignedSeries, Clock, align
from analysis.market.calendars import Sessions
from analysis.market.catalog import Catalog
from analysis.market.entries import Transform
from analysis.market.returns import WEEKENDS, Weekend
from analysis.market.snapshot import Snapshot

# Enough earlier sessions for the first return and for the publication lags of the first row.
_MARGIN = pd.Timedelta(days=21)
_HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Many series on one grid of days.

    Attributes
    ----------
    dates : DatetimeIndex of length n
        Sessions; every calendar day under the rule "calendar".
    levels, returns : DataFrame of shape (n, n_series)
        Levels in the units of the catalogue; returns after its transformation, logarithmic ones as fractions. NaN
        where an observation is missing; a return never bridges a gap.
    instants : DataFrame of shape (n, n_series)
        UTC instant of each level: observed, or published for series that enter when published. NaT where missing.
    stale : DataFrame of shape (n, n_series)
        No new observation since the previous row.
    weekend_indicator : Series of length n
        Under "calendar": the day is closed. Otherwise: the session follows at least one closed day.

    Notes
    -----
    The return of row t covers the time from the instant of row t-1 to the instant of row t (under "drop", for a market
    that never closes and a row after closed days, only the last day of it).
    """

    dates: pd.DatetimeIndex
    levels: pd.DataFrame
    returns: pd.DataFrame
    instants: pd.DataFrame
    stale: pd.DataFrame
    clock: Clock
    weekend: Weekend
    weekend_indicator: pd.Series

    @property
    def ids(self) -> tuple[str, ...]:
        """Series of the panel, in the order they were asked for."""
        return tuple(self.levels.columns)

    def strict(self, effect: str, cause: str) -> bool:
        """Whether a lead from cause to effect is strictly predictive.

        It is when every return window of the effect starts at or after the instant at which the latest value of the
        cause used for it, one row earlier, was observed.
        """
        return bool(self.overlap_hours(effect, cause) <= 0)

    def overlap_hours(self, effect: str, cause: str) -> float:
        """Return the longest time, in hours, by which a lagged cause reaches into the return window of the effect.

        Zero when the lead is strictly predictive, and when no row has both.
        """
        for name in (effect, cause):
            if name not in self.instants.columns:
                raise InputError("The panel has no such series", given=name, limit=", ".join(self.ids))
        starts, seen = _nanoseconds(self.instants[effect]), _nanoseconds(self.instants[cause])
        both = self.instants[effect].notna().to_numpy() & self.instants[cause].notna().to_numpy()
        return float(max(0, np.max(seen[both] - starts[both], initial=0)) / _HOUR_NS)


def build(
    snapshot: Snapshot,
    catalog: Catalog,
    *,
    ids: Sequence[str],
    start: str | pd.Timestamp,
    end: str | pd.Timestamp,
    clock: Clock,
    weekend: Weekend = "compound",
) -> Panel:
    """Align series of a snapshot and turn them into returns.

    Parameters
    ----------
    snapshot : Snapshot
        Frozen data.
    catalog : Catalog
        Declares clock, publication and transformation of every series.
    ids : sequence of str
        Series wanted, all in the snapshot and all different.
    start, end : str or Timestamp
        First and last day, both included. Earlier data give the first return; later data are never looked at, except
        for the bar that ends within 24 hours after the last close under the clock "after".
    clock : {"before", "after"}
        Which daily bar of a market that never closes stands for a session.
    weekend : {"compound", "drop", "calendar"}
        "compound": Friday to Monday is one return. "drop": after closed days such a market's return is that of its
        last daily bar alone. "calendar": one row a calendar day; other series rest, with return 0, on closed days.

    Raises
    ------
    InputError
        A series is not in the snapshot, named twice, or an option is not known.
    """
    _check(snapshot, ids, clock, weekend)
    wide = calendars.nyse(pd.Timestamp(start) - _MARGIN, end)
    if len(wide) == 0 or len(wide.since(start)) == 0:
        raise InputError("There is no session between start and end", given=f"{start} to {end}")
    grid = wide.calendar_days() if weekend == "calendar" else wide
    columns = {key: _column(snapshot, catalog, key, wide, grid, clock, weekend) for key in ids}
    keep = slice(len(grid) - len(grid.since(start)), None)
    dates = pd.DatetimeIndex(grid.dates[keep], name="date")
    closed = ~grid.is_session if weekend == "calendar" else grid.follows_gap

    def frame(position: int) -> pd.DataFrame:
        return pd.DataFrame({key: column[position][keep] for key, column in columns.items()}, index=dates)

    instants = frame(2)
    for key in instants.columns:
        instants[key] = pd.DatetimeIndex(instants[key].to_numpy().astype("datetime64[ns]")).tz_localize("UTC")
    return Panel(
        dates=dates,
        levels=frame(0),
        returns=frame(1),
        instants=instants,
        stale=frame(3),
        clock=clock,
        weekend=weekend,
        weekend_indicator=pd.Series(closed[keep], index=dates, name="weekend"),
    )


def _column(
    snapshot: Snapshot, catalog: Catalog, key: str, sessions: Sessions, grid: Sessions, clock: Clock, weekend: Weekend
) -> tuple[npt.NDArray[np.generic], ...]:
    """Return levels, returns, instants and stale marks of one series on the grid."""
    entry, frame = catalog.entry(key), snapshot.frame(key)
    never_closes = entry.calendar == "24/7"
    aligned = align(frame, entry, grid if never_closes else sessions, clock=clock)
    changes = returns.transform(aligned.values, entry.transform, series_id=key)
    if never_closes:
        if weekend == "drop" and entry.transform in ("log_return", "log_difference"):
            changes = returns.last_bar_only(changes, frame, aligned.rows, sessions)
        return aligned.values, changes, aligned.instants, aligned.stale
    if weekend != "calendar":
        return aligned.values, changes, aligned.instants, aligned.stale
    return _spread(aligned, changes, entry.transform, sessions, grid)


def _spread(
    aligned: AlignedSeries, changes: returns.Floats, kind: Transform, sessions: Sessions, days: Sessions
) -> tuple[npt.NDArray[np.generic], ...]:
    last = np.searchsorted(sessions.dates.asi8, days.dates.asi8, side="right") - 1
    return (
        returns.carry_levels(aligned.values, sessions, days),
        returns.spread_to_days(changes, aligned.values, kind, sessions, days),
        aligned.instants[last],
        np.where(days.is_session, aligned.stale[last], True),
    )


def _nanoseconds(column: pd.Series) -> npt.NDArray[np.int64]:
    return np.asarray(pd.DatetimeIndex(column).as_unit("ns").asi8, dtype=np.int64)


def _check(snapshot: Snapshot, ids: Sequence[str], clock: str, weekend: str) -> None:
    if clock not in CLOCKS:
        raise InputError("`clock` is not known", given=clock, limit=", ".join(CLOCKS))
    if weekend not in WEEKENDS:
        raise InputError("`weekend` is not known", given=weekend, limit=", ".join(WEEKENDS))
    if isinstance(ids, str) or not ids:
        raise InputError("`ids` must be a list of series", given=ids, limit="at least one id")
    if len(set(ids)) != len(ids):
        raise InputError("`ids` names a series twice", given=", ".join(ids))
    for key in ids:
        if key not in snapshot.series:
            raise InputError(
                "The snapshot has no such series",
                given=key,
                limit=", ".join(snapshot.series),
                cause=snapshot.missing.get(key, "it was not fetched when the snapshot was frozen"),
                remedy="freeze a snapshot with it, or use an alternative: Catalog.resolve names one",
            )
