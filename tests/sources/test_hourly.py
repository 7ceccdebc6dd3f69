"""Hourly files: which asset they serve, at which instant their prices were known, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.sources import hourly


def _write(path: Path, rows: list[str], header: str = "datetime,open,close") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_files_are_found_by_asset_in_both_places(tmp_path: Path) -> None:
    btc = _write(tmp_path / "hourly" / "BTC_COINBASE_1h_2025.csv", ["x"])
    eth = _write(tmp_path / "eth_1h.csv", ["x"])
    _write(tmp_path / "BTC.csv", ["x"])
    _write(tmp_path / "SOL_1d.csv", ["x"])
    assert hourly.find(tmp_path, ["ETH", "BTC", "SOL"]) == {"ETH": eth, "BTC": btc}


def test_two_files_of_one_asset_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "hourly" / "BTC_1h.csv", ["x"])
    _write(tmp_path / "BTC_KRAKEN_1h.csv", ["x"])
    with pytest.raises(DataError, match="two files hold hourly prices of BTC"):
        hourly.find(tmp_path, ["BTC"])


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = _write(tmp_path / "outside" / "prices.csv", ["x"])
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "BTC_1h.csv").symlink_to(outside)
    with pytest.raises(DataError, match="leaves the data folder"):
        hourly.find(folder, ["BTC"])


def test_a_bar_is_known_at_its_end_and_blanks_are_left_out(tmp_path: Path) -> None:
    rows = ["2025-01-02 20:00:00+00:00,1,10", "2025-01-02T21:00:00Z,1,", "2025-01-02 22:00:00+00:00,1,12.5"]
    prices = hourly.read(_write(tmp_path / "BTC_1h.csv", rows))
    known = pd.DatetimeIndex(["2025-01-02 21:00", "2025-01-02 23:00"]).as_unit("ns").asi8
    np.testing.assert_array_equal(prices.known, known)
    np.testing.assert_array_equal(prices.close, [10.0, 12.5])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2025-01-02 20:30:00+00:00,1,10", "line 3: not the stamp of a full hour in UTC"),
        ("2025-01-02 20:00:00-05:00,1,10", "line 3: not the stamp of a full hour in UTC"),
        ("2025-01-02 20:00:00,1,10", "line 3: not the stamp of a full hour in UTC"),
        ("2025-01-02 19:00:00+00:00,1,10", "line 3: the hours do not increase"),
        ("2025-01-02 20:00:00+00:00,1,0", "line 3: a price must be positive"),
        ("2025-01-02 20:00:00+00:00,1,ten", "line 3: 'close' is not a finite number"),
        ("2025-01-02 20:00:00+00:00,1", "line 3: 2 cells where the header has 3"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    path = _write(tmp_path / "BTC_1h.csv", ["2025-01-02 19:00:00+00:00,1,10", row])
    with pytest.raises(DataError, match=message):
        hourly.read(path)


def test_a_daily_file_is_no_hourly_file(tmp_path: Path) -> None:
    path = _write(tmp_path / "BTC_1h.csv", ["2025-01-02,1"], header="date,value")
    with pytest.raises(DataError, match="not a file of hourly bars"):
        hourly.read(path)
