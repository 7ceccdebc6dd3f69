from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import DataError, InputError
from analysis.market import calendars
from analysis.market.alignment import AFTER_CLOSE_NS, MISSING, align, publication_instants
from analysis.market.catalog import Catalog

HOUR = 3_600_000_000_000
SESSIONS = calendars.nyse("2024-10-01", "2024-12-31")


def daily(dates: list[str] | pd.DatetimeIndex) -> pd.DataFrame:
    """Values that name their own date: 20241129.0 for 2024-11-29."""
    index = pd.DatetimeIndex(dates, name="date").as_unit("ns")
    return pd.DataFrame({"value": [float(day.strftime("%Y%m%d")) for day in index]}, index=index)


EVERY_DAY = daily(pd.date_range("2024-09-01", "2025-01-31"))
WEEKDAYS = daily(pd.bdate_range("2024-09-01", "2025-01-31"))
WEDNESDAYS = daily(pd.date_range("2024-09-01", "2025-01-31", freq="W-WED"))
FRIDAYS = daily(pd.date_range("2024-09-01", "2025-01-31", freq="W-FRI"))


def at(book: Catalog, name: str, frame: pd.DataFrame, day: str, **options: str) -> tuple[float, str, bool]:
    options = {"clock": "before"} | options
    aligned = align(frame, book.entry(name).model_copy(update={"scale": 1.0}), SESSIONS, **options)
    place = SESSIONS.dates.get_loc(day)
    when = pd.Timestamp(int(aligned.instants[place]))
    return aligned.values[place], when.strftime("%m-%d %H:%M") if when is not pd.NaT else "", bool(aligned.stale[place])


@pytest.mark.parametrize(
    ("name", "clock", "day", "value", "instant"),
    [
        # An ordinary winter day: close 21:00 UTC.
        ("BTC", "before", "2024-11-25", 20241124.0, "11-25 00:00"),
        ("BTC", "after", "2024-11-25", 20241125.0, "11-26 00:00"),
        ("CBBTCUSD", "before", "2024-11-25", 20241124.0, "11-25 01:00"),
        ("CBBTCUSD", "after", "2024-11-25", 20241125.0, "11-26 01:00"),
        ("BTC_COINMETRICS_2019", "before", "2024-11-25", 20241125.0, "11-25 00:00"),
        ("BTC_COINMETRICS_2019", "after", "2024-11-25", 20241126.0, "11-26 00:00"),
        # Half day: close 18:00 UTC.
        ("BTC", "before", "2024-11-29", 20241128.0, "11-29 00:00"),
        ("BTC", "after", "2024-11-29", 20241129.0, "11-30 00:00"),
        # Summer time, close 20:00 UTC; the Coinbase bar of 20:00 New York ends at 00:00 UTC.
        ("CBBTCUSD", "before", "2024-11-01", 20241031.0, "11-01 00:00"),
        ("CBBTCUSD", "after", "2024-11-01", 20241101.0, "11-02 00:00"),
        # Clocks went back on Sunday 3 November.
        ("CBBTCUSD", "before", "2024-11-04", 20241103.0, "11-04 01:00"),
    ],
)
def test_both_clocks_by_hand(book: Catalog, name: str, clock: str, day: str, value: float, instant: str) -> None:
    assert at(book, name, EVERY_DAY, day, clock=clock) == (value, instant, False)


@pytest.mark.parametrize(
    ("name", "frame", "day", "value", "instant", "stale"),
    [
        ("VIX", WEEKDAYS, "2024-11-25", 20241125.0, "11-25 21:15", False),
        ("VIX", WEEKDAYS, "2024-11-29", 20241129.0, "11-29 18:15", False),  # 13:15 on the half day
        ("RUT", WEEKDAYS, "2024-11-29", 20241129.0, "11-29 18:00", False),
        ("DGS10", WEEKDAYS, "2024-11-25", 20241125.0, "11-25 20:30", False),
        # The half day closes before 15:30, so the yield of Thursday (a row of this frame) is the last one seen.
        ("DGS10", WEEKDAYS, "2024-11-29", 20241128.0, "11-28 20:30", False),
        ("DXY", WEEKDAYS, "2024-11-26", 20241125.0, "11-25 22:00", False),
        ("DTWEXBGS", WEEKDAYS, "2024-11-26", 20241126.0, "11-26 17:00", False),
    ],
)
def test_observed_series_by_hand(
    book: Catalog, name: str, frame: pd.DataFrame, day: str, value: float, instant: str, stale: bool
) -> None:
    assert at(book, name, frame, day) == (value, instant, stale)


@pytest.mark.parametrize(
    ("name", "frame", "day", "value", "instant"),
    [
        # Thursday 16:30 comes after Thursday's close: Wednesday's balance sheet enters on Friday.
        ("WALCL", WEDNESDAYS, "2024-11-21", 20241113.0, "11-14 21:30"),
        ("WALCL", WEDNESDAYS, "2024-11-22", 20241120.0, "11-21 21:30"),
        # Thanksgiving: published on Friday 16:30 at the earliest, so it enters on Monday.
        ("WALCL", WEDNESDAYS, "2024-11-29", 20241120.0, "11-21 21:30"),
        ("WTREGEN", WEDNESDAYS, "2024-12-02", 20241127.0, "11-29 21:30"),
        # Conditions of the week to Friday come out on Wednesday morning.
        ("NFCI", FRIDAYS, "2024-11-26", 20241115.0, "11-20 13:30"),
        ("NFCI", FRIDAYS, "2024-11-27", 20241122.0, "11-27 13:30"),
        ("STLFSI4", FRIDAYS, "2024-11-20", 20241108.0, "11-14 16:00"),
        ("STLFSI4", FRIDAYS, "2024-11-21", 20241115.0, "11-21 16:00"),
        # Friday's funds rate is published on Monday morning, and so are the repeated weekend values.
        ("DFF", EVERY_DAY, "2024-11-25", 20241124.0, "11-25 14:00"),
        ("DFF", EVERY_DAY, "2024-11-26", 20241125.0, "11-26 14:00"),
        # Reverse repo of the day is posted before the close, but not before that of a half day.
        ("RRPONTSYD", WEEKDAYS, "2024-11-26", 20241126.0, "11-26 18:15"),
        ("RRPONTSYD", WEEKDAYS, "2024-11-29", 20241127.0, "11-27 18:15"),
    ],
)
def test_published_series_by_hand(
    book: Catalog, name: str, frame: pd.DataFrame, day: str, value: float, instant: str
) -> None:
    used = frame.drop(pd.Timestamp("2024-11-28"), errors="ignore") if name == "RRPONTSYD" else frame
    assert at(book, name, used, day)[:2] == (value, instant)


def test_yields_known_from_the_publication_are_two_sessions_old(book: Catalog) -> None:
    # Friday's yield is published on Monday 16:15, after the close: known at Tuesday's close.
    assert at(book, "DGS10", WEEKDAYS, "2024-11-26", timing="published")[0] == 20241122.0
    # Without tolerance the VIX of 16:15 is not known at 16:00.
    assert at(book, "VIX", WEEKDAYS, "2024-11-26", timing="published")[0] == 20241125.0


def test_weekly_dollar_publication_is_the_monday_after(book: Catalog) -> None:
    frame = daily(["2024-11-22", "2024-11-25", "2024-11-29"])
    instants = pd.DatetimeIndex(publication_instants(frame.index, book.entry("DTWEXBGS"), SESSIONS))
    assert instants.strftime("%m-%d").tolist() == ["11-25", "12-02", "12-02"]


def test_declared_exception_beats_the_usual_lag(book: Catalog) -> None:
    sessions = calendars.nyse("2025-08-01", "2026-01-30")
    frame = daily(["2025-08-01", "2025-09-01", "2025-11-01", "2026-01-01"])
    instants = publication_instants(frame.index, book.entry("UNRATE"), sessions)
    assert pd.DatetimeIndex(instants[:3]).strftime("%Y-%m-%d").tolist() == ["2025-09-10", "2025-11-20", "2025-12-16"]
    assert instants[3] == np.iinfo(np.int64).max  # beyond the grid: never, rather than too early
    values = align(frame, book.entry("UNRATE"), sessions, clock="before").values
    before, on = sessions.dates.get_indexer(["2025-11-19", "2025-11-20"])
    assert (values[before], values[on]) == (20250801.0, 20250901.0)


def test_a_delayed_release_holds_back_the_next_one(book: Catalog) -> None:
    sessions = calendars.nyse("2025-08-01", "2026-01-30")
    frame = daily(["2025-08-01", "2025-09-01", "2025-10-01", "2025-11-01"])
    instants = pd.DatetimeIndex(publication_instants(frame.index, book.entry("UNRATE"), sessions))
    assert instants.strftime("%m-%d").tolist() == ["09-10", "11-20", "11-20", "12-16"]
    with pytest.raises(DataError, match="do not come in the order"):
        align(frame.iloc[::-1], book.entry("UNRATE"), sessions, clock="before")


def test_a_bar_exactly_at_the_close_serves_both_clocks(book: Catalog) -> None:
    entry = book.entry("CBBTCUSD")
    entry = entry.model_copy(update={"observed": entry.observed.model_copy(update={"time": "16:00"})})
    for clock in ("before", "after"):
        aligned = align(EVERY_DAY, entry, SESSIONS, clock=clock)
        regular = ~SESSIONS.half_day
        assert np.array_equal(aligned.instants[regular], SESSIONS.closes[regular])
    half = SESSIONS.dates.get_loc("2024-11-29")
    assert align(EVERY_DAY, entry, SESSIONS, clock="before").values[half] == 20241128.0
    assert align(EVERY_DAY, entry, SESSIONS, clock="after").values[half] == 20241129.0


def test_missing_bar_is_missing_and_never_replaced_by_a_neighbour(book: Catalog) -> None:
    gap = EVERY_DAY.drop(pd.Timestamp("2024-11-26"))
    after = align(gap, book.entry("BTC"), SESSIONS, clock="after")
    place = SESSIONS.dates.get_loc("2024-11-26")
    assert np.isnan(after.values[place])
    assert (after.instants[place], after.rows[place], after.stale[place]) == (MISSING, -1, True)
    before = align(gap, book.entry("BTC"), SESSIONS, clock="before")
    assert np.flatnonzero(np.isnan(before.values)).tolist() == [place + 1]


def test_values_on_holidays_and_missing_sessions(book: Catalog) -> None:
    # Thursday 28 November was a holiday with a VIX value; the value of Monday 25 is absent.
    frame = WEEKDAYS.drop(pd.Timestamp("2024-11-25"))
    aligned = align(frame, book.entry("VIX"), SESSIONS, clock="before")
    assert np.flatnonzero(np.isnan(aligned.values)).tolist() == [SESSIONS.dates.get_loc("2024-11-25")]
    assert 20241128.0 not in aligned.values
    assert aligned.ignored == 2  # Thanksgiving and Christmas


def test_carry_ends(book: Catalog) -> None:
    frame = FRIDAYS.loc[:"2024-11-01"]  # published 6 November, 08:30
    values = align(frame, book.entry("NFCI"), SESSIONS, clock="before").values
    last = SESSIONS.dates[np.flatnonzero(np.isfinite(values))[-1]]
    assert str(last.date()) == "2024-11-19"  # 14 days later, by the hour
    assert np.isnan(values[-1])


def test_scale_is_applied(book: Catalog) -> None:
    assert book.entry("WALCL").scale == 0.001
    values = align(WEDNESDAYS, book.entry("WALCL"), SESSIONS, clock="before").values
    assert values[SESSIONS.dates.get_loc("2024-11-22")] == pytest.approx(20241.120)


def test_bad_options_and_unsorted_data(book: Catalog) -> None:
    entry = book.entry("BTC")
    with pytest.raises(InputError, match=r"`clock` is not known. Given: noon. Allowed: before, after"):
        align(EVERY_DAY, entry, SESSIONS, clock="noon")
    with pytest.raises(InputError, match="`timing` is not known"):
        align(EVERY_DAY, entry, SESSIONS, clock="before", timing="later")
    with pytest.raises(DataError, match="do not come in the order of their dates"):
        align(EVERY_DAY.iloc[::-1], entry, SESSIONS, clock="before")
    with pytest.raises(InputError, match="no session"):
        align(EVERY_DAY, entry, calendars.nyse("2024-11-28", "2024-11-28"), clock="before")


def test_empty_frame_is_all_missing(book: Catalog) -> None:
    for name in ("BTC", "RUT", "NFCI"):
        aligned = align(EVERY_DAY.iloc[:0], book.entry(name), SESSIONS, clock="before")
        assert np.isnan(aligned.values).all()
        assert aligned.stale.all()


KINDS = {"XNYS": WEEKDAYS, "24/7": EVERY_DAY, "daily": WEEKDAYS, "weekly": FRIDAYS}
MONTHS = daily(pd.date_range("2024-05-01", "2025-01-31", freq="MS"))


def test_every_entry_of_the_catalogue_aligns(book: Catalog) -> None:
    assert len(book) > 90
    for entry in book:
        frame = KINDS.get(entry.calendar, MONTHS)
        for clock in ("before", "after"):
            for timing in ("observed", "published"):
                aligned = align(frame, entry, SESSIONS, clock=clock, timing=timing)
                label = f"{entry.id} {clock} {timing}"
                found = np.isfinite(aligned.values)
                # Under the timing of its own the series is there on every session once the first value came.
                assert timing != entry.enters or found[35:].all(), label
                assert found.any(), label
                assert np.array_equal(found, aligned.rows >= 0), label
                rows = aligned.rows[found]
                assert np.array_equal(aligned.values[found], frame["value"].to_numpy()[rows] * entry.scale), label
                assert (np.diff(rows) >= 0).all(), label
                distance = aligned.instants[found] - SESSIONS.closes[found]
                if entry.calendar == "24/7" and timing == "observed" and clock == "after":
                    assert ((distance >= 0) & (distance < 24 * HOUR)).all(), label
                elif timing == "published":
                    assert (distance <= 0).all(), label
                else:
                    assert (distance <= AFTER_CLOSE_NS).all(), label


@settings(max_examples=40, deadline=None)
@given(kept=st.sets(st.integers(0, 152), min_size=1), clock=st.sampled_from(["before", "after"]))
def test_any_subset_of_bars_gives_only_its_own_bars_within_a_day(book: Catalog, kept: set[int], clock: str) -> None:
    frame = EVERY_DAY.iloc[sorted(kept)]
    aligned = align(frame, book.entry("BTC"), SESSIONS, clock=clock)
    full = align(EVERY_DAY, book.entry("BTC"), SESSIONS, clock=clock)
    expected = np.where(np.isin(full.values, frame["value"]), full.values, np.nan)
    assert np.array_equal(aligned.values, expected, equal_nan=True)
