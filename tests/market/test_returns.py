from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.errors import DataError, InputError
from analysis.market import calendars, returns


def test_transformations_by_hand() -> None:
    levels = np.array([100.0, 110.0, np.nan, 121.0, 121.0])
    nan = np.nan
    for kind in ("log_return", "log_difference"):
        assert np.allclose(returns.transform(levels, kind), [nan, np.log(1.1), nan, nan, 0.0], equal_nan=True)
    assert np.allclose(returns.transform(levels, "difference"), [nan, 10, nan, nan, 0], equal_nan=True)
    assert np.array_equal(returns.transform(levels, "level"), levels, equal_nan=True)
    assert np.allclose(
        returns.transform(np.array([1.0, -2.0, nan]), "percent_return"), np.log([1.01, 0.98, nan]), equal_nan=True
    )


def test_level_is_a_copy_and_the_argument_stays() -> None:
    levels = np.array([1.0, 2.0])
    returns.transform(levels, "level")[0] = 9.0
    assert levels.tolist() == [1.0, 2.0]


def test_impossible_levels_are_named() -> None:
    with pytest.raises(DataError, match=r"WALCL holds a level of zero or less.*Given: -1.0"):
        returns.transform(np.array([1.0, -1.0]), "log_return", series_id="WALCL")
    with pytest.raises(DataError, match="-100 percent"):
        returns.transform(np.array([1.0, -100.0]), "percent_return")
    with pytest.raises(InputError, match="no transformation"):
        returns.transform(np.array([1.0]), "square")


@settings(max_examples=50, deadline=None)
@given(levels=hnp.arrays(float, st.integers(2, 40), elements=st.floats(1e-3, 1e6)))
def test_log_returns_add_up_and_do_not_feel_the_unit(levels: np.ndarray) -> None:
    changes = returns.transform(levels, "log_return")
    assert np.isnan(changes[0])
    assert np.sum(changes[1:]) == pytest.approx(np.log(levels[-1] / levels[0]), abs=1e-9)
    assert np.allclose(changes[1:], returns.transform(levels * 1000.0, "log_return")[1:], atol=1e-9)


def test_last_bar_only_after_a_weekend_and_only_with_its_neighbour() -> None:
    sessions = calendars.nyse("2024-11-21", "2024-12-02")
    days = pd.date_range("2024-11-20", "2024-12-02", name="date").as_unit("ns")
    frame = pd.DataFrame({"value": np.arange(1.0, 14.0)}, index=days)
    rows = days.get_indexer(sessions.dates)
    full = np.full(len(sessions), 0.5)
    result = returns.last_bar_only(full, frame, rows, sessions)
    gap = sessions.follows_gap
    assert (result[~gap] == 0.5).all()
    expected = [np.log(v / (v - 1)) for v in frame["value"].to_numpy()[rows[gap]]]
    assert result[gap] == pytest.approx(expected)
    short = frame.drop(pd.Timestamp("2024-11-24"))  # the Sunday before the Monday
    result = returns.last_bar_only(full, short, short.index.get_indexer(sessions.dates), sessions)
    assert np.isnan(result[sessions.dates.get_loc("2024-11-25")])
    assert np.isfinite(result).sum() == len(sessions) - 1


def test_closed_days_rest() -> None:
    sessions = calendars.nyse("2024-11-27", "2024-12-02")
    days = sessions.calendar_days()
    changes, levels = np.array([np.nan, 0.2, np.nan]), np.array([1.0, 1.2, np.nan])
    assert np.allclose(
        returns.spread_to_days(changes, levels, "log_return", sessions, days),
        [np.nan, 0, 0.2, 0, 0, np.nan],
        equal_nan=True,
    )
    assert np.allclose(
        returns.spread_to_days(levels, levels, "level", sessions, days), [1, 1, 1.2, 1.2, 1.2, np.nan], equal_nan=True
    )
