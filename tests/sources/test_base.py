"""The contract of a raw series, and that every breach of it is named with its line."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import DataError, InputError
from analysis.sources.base import make_series, utc_now


def frame_of(dates, **columns):
    return pd.DataFrame(columns, index=pd.DatetimeIndex(dates))


def make(frame, **options):
    return make_series("X", frame, **({"provider": "csvfile", "provider_id": "X.csv", "origin": "X.csv"} | options))


DATES = ["2024-01-02", "2024-01-03", "2024-01-05"]


def test_good_frame_is_copied_and_brought_into_order():
    given_frame = frame_of(DATES, volume=[1, 2, 3], value=[1, 2, 3], open=[1.0, np.nan, 3.0])
    before = given_frame.copy()
    series = make(given_frame, notes=["one"])
    assert list(series.frame.columns) == ["value", "open", "volume"]
    assert set(series.frame.dtypes.astype(str)) == {"float64"}
    assert series.frame.index.name == "date"
    assert series.frame.index.dtype == "datetime64[ns]"
    assert series.notes == ("one",)
    pd.testing.assert_frame_equal(given_frame, before)
    series.frame.iloc[0, 0] = 99.0
    pd.testing.assert_frame_equal(given_frame, before)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (frame_of([], value=[]), "X.csv holds no observation"),
        (pd.DataFrame({"value": [1.0]}, index=["2024-01-02"]), "not made of plain dates"),
        (pd.DataFrame({"value": [1.0]}, index=pd.DatetimeIndex(["2024-01-02"], tz="UTC")), "not made of plain dates"),
        (frame_of(["2024-01-02", None], value=[1.0, 2.0]), "line 3: the date is missing"),
        (frame_of(["2024-01-02", "2024-01-03 16:00"], value=[1.0, 2.0]), "line 3: the date carries a time of day"),
        (
            frame_of(["2024-01-02", "2024-01-02"], value=[1.0, 2.0]),
            "line 3: the date 2024-01-02 is there twice, first in line 2",
        ),
        (
            frame_of(["2024-01-03", "2024-01-02"], value=[1.0, 2.0]),
            "line 3: the date 2024-01-02 comes after 2024-01-03",
        ),
        (frame_of(DATES, close=[1.0, 2.0, 3.0]), "the columns are not those of a series"),
        (frame_of(DATES, value=[1.0, 2.0, 3.0], price=[1.0, 2.0, 3.0]), "the columns are not those of a series"),
        (frame_of(DATES, value=[1.0, np.nan, 3.0]), "line 3: 'value' is not a finite number"),
        (frame_of(DATES, value=[1.0, 2.0, np.inf]), "line 4: 'value' is not a finite number"),
        (frame_of(DATES, value=[1.0, 2.0, 3.0], low=[1.0, -np.inf, 3.0]), "line 3: 'low' is not a finite number"),
        (frame_of(DATES, value=["1", "x", "3"]), "line 3: 'value' holds text"),
        (frame_of(DATES, value=[True, False, True]), "line 2: 'value' holds text"),
    ],
)
def test_breaches_are_named(frame, words):
    with pytest.raises(DataError, match=words):
        make(frame)


def test_year_out_of_range():
    index = pd.DatetimeIndex(np.array(["2024-01-02", "9024-01-02"], dtype="datetime64[s]"))
    with pytest.raises(DataError, match="line 3: the date is out of range"):
        make(pd.DataFrame({"value": [1.0, 2.0]}, index=index))


def test_lines_of_the_file_are_used():
    frame = frame_of(DATES, value=[1.0, np.nan, 3.0])
    with pytest.raises(DataError, match="line 17"):
        make(frame, lines=[5, 17, 19])
    with pytest.raises(InputError, match="one number a row"):
        make(frame, lines=[1])


def test_unknown_provider_is_a_mistake_of_the_caller():
    with pytest.raises(InputError, match="unknown provider"):
        make(frame_of(DATES, value=[1.0, 2.0, 3.0]), provider="guess")


def test_clock_is_utc_to_the_second():
    assert pd.Timestamp(utc_now()).tz_convert("UTC").microsecond == 0
    assert utc_now().endswith("Z")


@given(st.lists(st.integers(0, 60_000), min_size=2, max_size=30))
def test_order_is_accepted_exactly_when_it_increases(days):
    frame = frame_of(pd.Timestamp("1970-01-01") + pd.to_timedelta(days, unit="D"), value=np.arange(float(len(days))))
    if all(later > earlier for earlier, later in itertools.pairwise(days)):
        assert make(frame).frame["value"].tolist() == list(range(len(days)))
    else:
        with pytest.raises(DataError, match=r"twice|comes after"):
            make(frame)
