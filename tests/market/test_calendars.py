from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.market import calendars


def close_of(day: str) -> str:
    sessions = calendars.nyse(day, day)
    assert len(sessions) == 1
    return pd.Timestamp(int(sessions.closes[0]), tz="UTC").strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("day", "close"),
    [
        ("2024-03-08", "2024-03-08 21:00"),  # the Friday before the clocks go forward
        ("2024-03-11", "2024-03-11 20:00"),
        ("2024-11-01", "2024-11-01 20:00"),
        ("2024-11-04", "2024-11-04 21:00"),  # the Monday after they go back
        ("2024-11-29", "2024-11-29 18:00"),  # half day after Thanksgiving, 13:00
        ("2024-07-03", "2024-07-03 17:00"),  # half day in summer
        ("2024-12-24", "2024-12-24 18:00"),
    ],
)
def test_close_instants_by_hand(day: str, close: str) -> None:
    assert close_of(day) == close


@pytest.mark.parametrize("day", ["2024-11-28", "2024-11-30", "2025-01-09", "2012-10-29", "2021-06-18"])
def test_closed_days(day: str) -> None:
    expected = 1 if day == "2021-06-18" else 0  # Juneteenth was no exchange holiday before 2022
    assert len(calendars.nyse(day, day)) == expected


def test_sessions_of_a_year_and_half_days() -> None:
    sessions = calendars.nyse("2024-01-01", "2024-12-31")
    assert len(sessions) == 252
    assert [str(day.date()) for day in sessions.dates[sessions.half_day]] == ["2024-07-03", "2024-11-29", "2024-12-24"]
    assert sessions.dates.dtype == "datetime64[ns]"
    assert sessions.dates.name == "date"


def test_gap_marks_mondays_and_days_after_holidays() -> None:
    sessions = calendars.nyse("2024-11-22", "2024-12-03")
    marked = [str(day.date()) for day in sessions.dates[sessions.follows_gap]]
    assert marked == ["2024-11-25", "2024-11-29", "2024-12-02"]


def test_calendar_days_keep_the_closes_and_mark_closed_days() -> None:
    days = calendars.nyse("2024-11-27", "2024-12-02").calendar_days()
    assert len(days) == 6
    assert days.is_session.tolist() == [True, False, True, False, False, True]
    hours = pd.DatetimeIndex(days.closes.astype("datetime64[ns]")).strftime("%d %H:%M").tolist()
    assert hours == ["27 21:00", "28 21:00", "29 18:00", "30 21:00", "01 21:00", "02 21:00"]


def test_same_call_same_object_and_frozen_arrays() -> None:
    sessions = calendars.nyse("2020-01-01", "2020-02-01")
    assert calendars.nyse(pd.Timestamp("2020-01-01"), "2020-02-01") is sessions
    with pytest.raises(ValueError, match="read-only"):
        sessions.closes[0] = 0


def test_since_cuts_on_or_after() -> None:
    sessions = calendars.nyse("2024-11-22", "2024-12-03")
    assert str(sessions.since("2024-11-28").dates[0].date()) == "2024-11-29"
    assert len(sessions.since("2030-01-01")) == 0


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2014-01-01", "2300-01-01", "does not reach that far"),
        ("1700-01-01", "2000-01-01", "does not reach that far"),
        ("2015-01-01", "2014-01-01", "lies after"),
        ("never", "2014-01-01", "`start` is not a date"),
        ("2014-01-01", "2014-01-01 16:00", "`end` must be a plain day"),
        ("2014-01-01", "NaT", "`end` must be a plain day"),
    ],
)
def test_bad_ranges(start: str, end: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        calendars.nyse(start, end)


def test_skipped_and_doubled_wall_clock_times_are_never_early() -> None:
    days = pd.DatetimeIndex(["2024-03-10", "2024-11-03"])
    instants = calendars.local_instants(days, minutes=150, zone="America/New_York")
    assert pd.Timestamp(int(instants[0])).strftime("%H:%M") == "07:00"  # 02:30 does not exist: 03:00 EDT
    doubled = calendars.local_instants(days[1:], minutes=90, zone="America/New_York")
    assert pd.Timestamp(int(doubled[0])).strftime("%H:%M") == "06:30"  # the second 01:30, EST


def test_day_numbers_do_not_depend_on_the_unit() -> None:
    days = pd.DatetimeIndex(["1969-12-31", "2024-02-29"])
    for unit in ("s", "ms", "us", "ns"):
        assert calendars.day_numbers(days.as_unit(unit)).tolist() == [-1, 19782]
    assert np.issubdtype(calendars.day_numbers(days).dtype, np.int64)
