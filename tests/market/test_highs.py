from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.errors import DataError, InputError
from analysis.market import highs
from analysis.sources import csvfile


def prices(values: list[float] | np.ndarray, start: str = "2024-01-01", **columns: list[float]) -> pd.DataFrame:
    index = pd.bdate_range(start, periods=len(values), name="date")
    return pd.DataFrame({"value": np.asarray(values, dtype=float)} | columns, index=index)


def test_records_by_hand() -> None:
    found = highs.record_highs(prices([10, 9, 10, 11, 11, 10.5, 12]))
    assert [day.day for day in found.dates] == [4, 9]  # equalling a record is none, the first value is none
    assert found.levels.tolist() == [11.0, 12.0]


def test_vendor_noise_makes_no_record_but_a_cent_does() -> None:
    noisy = prices([2442.739990, 2400.0, 2442.7400001, 2442.744, 2442.75])
    assert highs.record_highs(noisy).levels.tolist() == [2442.75]
    assert len(highs.record_highs(noisy, decimals=None).dates) == 3


def test_intraday_records_use_the_high_and_never_less_than_the_close() -> None:
    frame = prices([10, 11, 12, 11], high=[15.0, 14.0, np.nan, 16.0])
    assert highs.record_highs(frame, basis="intraday").levels.tolist() == [16.0]
    assert highs.record_highs(frame, basis="close").levels.tolist() == [11.0, 12.0]
    with pytest.raises(DataError, match="no daily highs"):
        highs.record_highs(prices([1, 2]), basis="intraday")


def test_history_before_the_first_record() -> None:
    frame = prices(np.arange(1.0, 11.0))
    assert len(highs.record_highs(frame).dates) == 9
    assert highs.record_highs(frame, min_history=5).levels.tolist() == [6, 7, 8, 9, 10]


def test_episodes_merge_up_to_the_limit() -> None:
    values = np.full(60, 1.0)
    for place, level in ((5, 2.0), (26, 3.0), (48, 4.0), (49, 5.0)):
        values[place] = level
    frame = prices(values)
    apart = highs.record_episodes(frame, merge_sessions=21)  # distances: 21, 22, 1
    assert [(e.records, e.first_level, e.last_level) for e in apart] == [(2, 2.0, 3.0), (2, 4.0, 5.0)]
    assert apart[0].start == frame.index[5].date()
    assert apart[0].end == frame.index[26].date()
    assert len(highs.record_episodes(frame, merge_sessions=22)) == 1
    assert len(highs.record_episodes(frame, merge_sessions=20)) == 3
    assert len(highs.record_episodes(frame, merge_sessions=0)) == 4
    assert highs.record_episodes(prices([3, 2, 1])) == ()


def test_episodes_keep_their_distance() -> None:
    values = np.full(60, 1.0)
    values[[5, 6, 15, 27, 50]] = [2.0, 3.0, 4.0, 5.0, 6.0]
    frame = prices(values)
    loose = highs.record_episodes(frame, merge_sessions=3)
    assert [episode.records for episode in loose] == [2, 1, 1, 1]
    spaced = highs.record_episodes(frame, merge_sessions=3, spacing_sessions=22)
    assert [episode.records for episode in spaced] == [3, 1, 1], "exactly 22 sessions are far enough"
    assert [episode.start for episode in spaced] == [loose[0].start, loose[2].start, loose[3].start]
    assert spaced[0].end == loose[1].end
    assert len(highs.record_episodes(frame, merge_sessions=3, spacing_sessions=23)) == 2
    with pytest.raises(InputError, match="`spacing_sessions`"):
        highs.record_episodes(frame, spacing_sessions=-1)


def test_facts_of_a_small_series() -> None:
    frame = prices([5, 7, 6], start="2022-12-28")  # 28, 29, 30 December
    later = prices([6.5, 6.9], start="2023-06-01")
    last = prices([8.0, 9.0], start="2024-06-03")
    facts = highs.record_facts(pd.concat([frame, later, last]), 2023)
    assert (facts.highest_close, facts.highest_close_date) == (6.9, date(2023, 6, 2))
    assert (facts.prior_record_close, facts.prior_record_close_date) == (7.0, date(2022, 12, 29))
    assert facts.record_close_dates == ()
    assert (facts.first_record_close_after, facts.first_record_close_after_date) == (8.0, date(2024, 6, 3))
    assert facts.highest_intraday is None
    first = highs.record_facts(pd.concat([frame, later, last]), 2022)
    assert (first.prior_record_close, first.record_close_dates) == (None, (date(2022, 12, 29),))
    final = highs.record_facts(pd.concat([frame, later, last]), 2024)
    assert final.first_record_close_after is None
    assert final.record_close_dates == (date(2024, 6, 3), date(2024, 6, 4))
    with pytest.raises(DataError, match=r"no observation in that year. Given: 2020. Allowed: it covers 2022-12-28"):
        highs.record_facts(frame, 2020)


def test_bad_options() -> None:
    frame = prices([1, 2])
    with pytest.raises(InputError, match="`basis`"):
        highs.record_highs(frame, basis="open")
    with pytest.raises(InputError, match="`merge_sessions`"):
        highs.record_episodes(frame, merge_sessions=-1)
    with pytest.raises(InputError, match="`min_history`"):
        highs.record_highs(frame, min_history=0)
    with pytest.raises(InputError, match="increase strictly"):
        highs.record_highs(frame.iloc[::-1])


@settings(max_examples=60, deadline=None)
@given(values=hnp.arrays(float, st.integers(1, 60), elements=st.floats(0.01, 1e5)), cut=st.integers(0, 60))
def test_records_never_feel_the_future_and_match_the_definition(values: np.ndarray, cut: int) -> None:
    frame = prices(values)
    whole, part = highs.record_highs(frame), highs.record_highs(frame.iloc[:cut])
    before = whole.dates.isin(frame.index[:cut])
    assert list(part.dates) == list(whole.dates[before])
    rounded = np.round(values, 2)
    expected = [k for k in range(1, len(values)) if rounded[k] > max(rounded[:k])]
    assert list(whole.dates) == list(frame.index[expected])
    episodes = highs.record_episodes(frame, merge_sessions=3)
    assert sum(episode.records for episode in episodes) == len(whole.dates)


def test_russell_2000_in_2024(shared: Path) -> None:
    frame = csvfile.read("RUT", shared / "data" / "market" / "RUT.csv").frame
    facts = highs.record_facts(frame, 2024)
    assert (facts.highest_close, facts.highest_close_date) == (2442.03, date(2024, 11, 25))
    assert (facts.prior_record_close, facts.prior_record_close_date) == (2442.74, date(2021, 11, 8))
    assert facts.record_close_dates == ()
    assert (facts.highest_intraday, facts.highest_intraday_date) == (2466.49, date(2024, 11, 25))
    assert (facts.prior_record_intraday, facts.prior_record_intraday_date) == (2458.86, date(2021, 11, 8))
    assert facts.record_intraday_dates == (date(2024, 11, 25),)
    assert (facts.first_record_close_after, facts.first_record_close_after_date) == (2467.70, date(2025, 9, 18))
    starts = [
        episode.start for episode in highs.record_episodes(frame) if episode.start.year in (2021, 2022, 2023, 2024)
    ]
    assert starts == [date(2021, 11, 2)]
