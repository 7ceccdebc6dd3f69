"""Hourly prices at the equity close: summer and winter, half days, holes, and the way through a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.market import at_close, collect
from analysis.market import catalog as catalogs
from analysis.sources.hourly import HourlyPrices


def _prices(start: str, end: str) -> HourlyPrices:
    """Return prices that say when they were known: hours since the start."""
    known = pd.date_range(start, end, freq="h").as_unit("ns")
    return HourlyPrices(known.asi8, np.arange(1.0, len(known) + 1), "BTC_1h.csv")


def test_the_bar_that_ends_at_the_close_is_read() -> None:
    prices = _prices("2024-10-01", "2025-01-10")
    series = at_close.sample("BTC_AT_CLOSE", prices)
    start = pd.Timestamp("2024-10-01")
    instants = {
        "2024-10-10": "2024-10-10 20:00",  # 16:00 in summer
        "2024-11-04": "2024-11-04 21:00",  # 16:00 in winter
        "2024-11-29": "2024-11-29 18:00",  # half day: 13:00
        "2024-12-24": "2024-12-24 18:00",
    }
    for day, instant in instants.items():
        hours = (pd.Timestamp(instant) - start) / pd.Timedelta(hours=1)
        assert series.frame.loc[day, "value"] == 1.0 + hours
    assert pd.Timestamp("2024-11-28") not in series.frame.index
    assert pd.Timestamp("2024-11-30") not in series.frame.index


def test_a_price_older_than_an_hour_is_left_out() -> None:
    prices = _prices("2024-10-01", "2025-01-10")
    hole = (prices.known > pd.Timestamp("2024-10-10 18:30").value) & (
        prices.known < pd.Timestamp("2024-10-10 20:30").value
    )
    # The last close of all lies behind the last bar as well.
    series = at_close.sample("BTC_AT_CLOSE", HourlyPrices(prices.known[~hole], prices.close[~hole], "BTC_1h.csv"))
    assert pd.Timestamp("2024-10-10") not in series.frame.index
    assert pd.Timestamp("2024-10-11") in series.frame.index
    assert any("2 closes without a price of the last hour" in note for note in series.notes)


def test_too_few_closes_are_refused() -> None:
    with pytest.raises(DataError, match="too few equity closes"):
        at_close.sample("BTC_AT_CLOSE", _prices("2024-10-01", "2024-10-20"))


def test_a_folder_with_hourly_bars_gives_the_series(repository: Path, tmp_path: Path) -> None:
    book = catalogs.load(repository / "data" / "catalog.toml")
    stamps = pd.date_range("2024-10-01", "2025-01-10", freq="h")
    rows = [f"{stamp:%Y-%m-%d %H:%M:%S}+00:00,{100 + i}" for i, stamp in enumerate(stamps)]
    (tmp_path / "hourly").mkdir()
    path = tmp_path / "hourly" / "BTC_VENUE_1h.csv"
    path.write_text("datetime,close\n" + "\n".join(rows) + "\n", encoding="utf-8")
    days = pd.date_range("2024-10-01", "2025-01-10", freq="B")
    (tmp_path / "RUT.csv").write_text(
        "date,value\n" + "".join(f"{day:%Y-%m-%d},{2000 + day.day}\n" for day in days), encoding="utf-8"
    )
    before = collect.folder_digest(tmp_path, book)
    collected = collect.from_folder(tmp_path, book)
    series = collected.series["BTC_AT_CLOSE"]
    assert series.provider == "hourly"
    # The bar that begins at 19:00 UTC ends at the close of 16:00 in New York.
    hours = (pd.Timestamp("2024-10-10 19:00") - stamps[0]) / pd.Timedelta(hours=1)
    assert series.frame.loc["2024-10-10", "value"] == 100 + hours
    path.write_text(path.read_text(encoding="utf-8").replace(",150\n", ",151\n"), encoding="utf-8")
    assert collect.folder_digest(tmp_path, book) != before


def test_the_simulated_close_lies_between_its_neighbours(repository: Path) -> None:
    book = catalogs.load(repository / "data" / "catalog.toml")
    series = collect.from_simulator(book).series
    close, evening = (np.log(series[name].frame["value"]) for name in ("BTC_AT_CLOSE", "CBBTCUSD"))
    both = close.index.intersection(evening.index)
    apart = (evening[both] - close[both]).std()
    daily = close.diff().std()
    # Four hours of one day: about the root of a sixth of its variance.
    assert 0.2 < apart / daily < 0.7
