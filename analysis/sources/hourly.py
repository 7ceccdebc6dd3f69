"""Hourly bars in CSV files: which file serves which asset, and its prices with the instants they were known at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.sources import folders
from analysis.sources.csvtext import decode, parse_numbers, parse_rows
from analysis.sources.retry import MAX_BYTES

SUBFOLDER = "hourly"
HOUR_NS = 3_600_000_000_000
# The asset, perhaps a venue, "1h", perhaps a year: BTC_1h.csv, BTC_COINBASE_1h_2025.csv.
_NAME = re.compile(r"(?P<asset>[a-z0-9]+)(?:_[a-z]+)?_1h(?:_\d{4})?\.csv", re.IGNORECASE)
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:00(:00(\.0+)?)?(\+00:00|Z)")
_TIMES = ("datetime", "date", "time", "timestamp")


@dataclass(frozen=True, slots=True, eq=False)
class HourlyPrices:
    """Closing prices of hourly bars.

    Attributes
    ----------
    known : int64 array of shape (n,)
        Nanoseconds since 1970 UTC at which each bar ended and its close was known, strictly increasing.
    close : float array of shape (n,)
        Positive prices.
    origin : str
        Name of the file.
    """

    known: np.ndarray
    close: np.ndarray
    origin: str


def find(folder: str | Path, assets: Iterable[str]) -> dict[str, Path]:
    """Find the hourly file of every asset in a folder or in its sub-folder ``hourly``.

    Returns
    -------
    dict of str to Path
        In the order of the assets; ``BTC_1h.csv`` serves BTC, and a venue and a year may stand in the name.

    Raises
    ------
    DataError
        Two files serve one asset, or a link leads out of the folder.
    """
    wanted = {asset.upper(): asset for asset in assets}

    def asset_of(name: str) -> str:
        fit = _NAME.fullmatch(name)
        return wanted.get(fit["asset"].upper(), "") if fit else ""

    found = folders.find(folder, SUBFOLDER, asset_of, "hourly prices of {key}")
    return {asset: found[asset] for asset in wanted.values() if asset in found}


def read(path: str | Path) -> HourlyPrices:
    """Read hourly bars: a column of UTC stamps of the START of each hour, and a column ``close``.

    Stamps look like ``2025-01-01 13:00:00+00:00`` or end in ``Z``; other columns are left out, blank closes too.

    Raises
    ------
    DataError
        The file breaks the contract; file and line are named.
    """
    path = Path(path)
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"{path.name} is too large", given=f"{path.stat().st_size} bytes", limit=f"{MAX_BYTES} bytes")
    rows, lines = parse_rows(decode(path.read_bytes(), path.name), path.name)
    header = [cell.strip().lower() for cell in rows[0]]
    column = next((name for name in _TIMES if name in header), None)
    if column is None or "close" not in header:
        raise DataError(
            f"{path.name}: not a file of hourly bars",
            given=",".join(header)[:80],
            limit="a column datetime of UTC stamps and a column close",
        )
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if len(row) != len(header):
            raise DataError(
                f"{path.name}, line {line}: {len(row)} cells where the header has {len(header)}",
                remedy="complete the row",
            )
    stamps = [row[header.index(column)].strip() for row in rows[1:]]
    for stamp, line in zip(stamps, lines[1:], strict=True):
        if not _STAMP.fullmatch(stamp):
            raise DataError(
                f"{path.name}, line {line}: not the stamp of a full hour in UTC",
                given=repr(stamp[:40]),
                limit="like 2025-01-01 13:00:00+00:00",
            )
    close = parse_numbers([row[header.index("close")].strip() for row in rows[1:]], lines[1:], "close", path.name)
    there = ~np.isnan(close)
    start = pd.DatetimeIndex(pd.to_datetime(stamps, utc=True, format="ISO8601")).as_unit("ns").asi8
    _check(start, close, there, lines[1:], path.name)
    return HourlyPrices(np.asarray(start[there] + HOUR_NS, dtype=np.int64), close[there], path.name)


def _check(start: np.ndarray, close: np.ndarray, there: np.ndarray, lines: np.ndarray, origin: str) -> None:
    if not there.any():
        raise DataError(f"{origin} holds no price", remedy="give a file with hourly closes")
    late = np.flatnonzero(np.diff(start) <= 0)
    if late.size:
        raise DataError(
            f"{origin}, line {lines[late[0] + 1]}: the hours do not increase",
            remedy="sort the rows by time, oldest first, and keep one row an hour",
        )
    low = np.flatnonzero(there & (np.nan_to_num(close, nan=1.0) <= 0))
    if low.size:
        raise DataError(f"{origin}, line {lines[low[0]]}: a price must be positive", given=float(close[low[0]]))
