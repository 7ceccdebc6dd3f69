"""The one shape every source delivers, and the checks that a frame must pass to take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from analysis.errors import DataError, InputError

PRICE_COLUMNS = ("value", "open", "high", "low")
COLUMNS = (*PRICE_COLUMNS, "volume")
PROVIDERS = ("csvfile", "fred", "famafrench", "hourly", "simulated")
EARLIEST, LATEST = "1700-01-01", "2200-12-31"

DateLike = str | date | None


@dataclass(frozen=True, slots=True, eq=False)
class RawSeries:
    """One series as its provider published it, before any alignment or transformation.

    Attributes
    ----------
    series_id : str
        Catalogue id, such as ``"RUT"``.
    frame : DataFrame of shape (n_observations, n_columns)
        DatetimeIndex named ``date``: no time zone, midnight, strictly increasing. Column ``value`` always (the close of
        a price file), then ``open``, ``high``, ``low``, ``volume`` where the provider has them. All float64. ``value``
        holds no NaN; in the other columns NaN marks a number the provider left out.
    provider, provider_id : str
        Which source delivered it, and the name it has there.
    retrieved : str
        ISO-8601 UTC to the second; empty where a clock has no meaning.
    origin : str
        URL or file name, never an absolute path on this machine.
    notes : tuple of str
        What a careful reader must know: dropped rows, ignored columns, units.
    """

    series_id: str
    frame: pd.DataFrame
    provider: str
    provider_id: str
    retrieved: str
    origin: str
    notes: tuple[str, ...] = ()


def utc_now() -> str:
    """Return the present instant as ISO-8601 UTC to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_series(
    series_id: str,
    frame: pd.DataFrame,
    *,
    provider: str,
    provider_id: str,
    origin: str,
    retrieved: str = "",
    notes: Sequence[str] = (),
    lines: Sequence[int] | None = None,
) -> RawSeries:
    """Check a frame against the contract of `RawSeries` and return it as one.

    Parameters
    ----------
    series_id, provider, provider_id, origin, retrieved, notes
        As in `RawSeries`.
    frame : DataFrame of shape (n_observations, n_columns)
        Dates in the index, ``value`` among the columns; it is copied, never changed.
    lines : sequence of int of length n_observations, optional
        Line of every row in the file it came from, counted from 1. By default the rows follow a header in line 1.

    Raises
    ------
    DataError
        The frame breaks the contract; the message names the origin and the line.
    InputError
        The caller named an unknown provider or passed a wrong number of lines.
    """
    if provider not in PROVIDERS:
        raise InputError("unknown provider", given=provider, limit=", ".join(PROVIDERS))
    where = np.arange(2, len(frame) + 2) if lines is None else np.asarray(lines, dtype=np.int64)
    if where.shape != (len(frame),):
        raise InputError("lines must hold one number a row", given=where.shape, limit=f"({len(frame)},)")
    index = _checked_index(frame.index, origin, where)
    columns = _checked_columns(frame, origin, where)
    return RawSeries(
        series_id=series_id,
        frame=pd.DataFrame(columns, index=index),
        provider=provider,
        provider_id=provider_id,
        retrieved=retrieved,
        origin=origin,
        notes=tuple(notes),
    )


def _checked_index(index: pd.Index, origin: str, lines: np.ndarray) -> pd.DatetimeIndex:
    if len(index) == 0:
        raise DataError(f"{origin} holds no observation", remedy="give a series with at least one dated value")
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        raise DataError(
            f"{origin}: the index is not made of plain dates",
            given=str(index.dtype),
            remedy="give dates without a time zone; the catalogue says at which hour they were observed",
        )
    missing = np.flatnonzero(index.isna())
    if missing.size:
        raise DataError(f"{origin}, line {lines[missing[0]]}: the date is missing", remedy="correct or remove the row")
    outside = np.flatnonzero((index < EARLIEST) | (index > LATEST))
    if outside.size:
        raise DataError(
            f"{origin}, line {lines[outside[0]]}: the date is out of range",
            given=str(index[outside[0]].date()),
            limit=f"{EARLIEST} to {LATEST}",
            remedy="correct the year",
        )
    plain = index.as_unit("ns")
    timed = np.flatnonzero(plain != plain.normalize())
    if timed.size:
        raise DataError(
            f"{origin}, line {lines[timed[0]]}: the date carries a time of day",
            given=str(index[timed[0]]),
            remedy="give dates only; the catalogue says at which hour they were observed",
        )
    check_order(plain.to_numpy(), origin, lines)
    return pd.DatetimeIndex(plain, name="date", freq=None)


def check_order(dates: np.ndarray, origin: str, lines: np.ndarray) -> None:
    """Raise DataError unless dates increase strictly.

    Parameters
    ----------
    dates : datetime64 array of shape (n,)
        Dates in the order of the file.
    origin : str
        Named in the message.
    lines : int array of shape (n,)
        Line of each date, counted from 1.
    """
    steps = np.diff(dates).astype(np.int64)
    if steps.size == 0 or steps.min() > 0:
        return
    position = int(np.flatnonzero(steps <= 0)[0]) + 1
    day = np.datetime_as_string(dates[position], unit="D")
    twin = np.flatnonzero(dates[:position] == dates[position])
    if twin.size:
        raise DataError(
            f"{origin}, line {lines[position]}: the date {day} is there twice, first in line {lines[twin[0]]}",
            cause="two downloads were joined, or the file holds more than one series",
            remedy="keep one row a date",
        )
    before = np.datetime_as_string(dates[position - 1], unit="D")
    raise DataError(
        f"{origin}, line {lines[position]}: the date {day} comes after {before}",
        limit="dates in increasing order",
        cause="the file is sorted with the newest row first, or not at all",
        remedy="sort the rows by date, oldest first",
    )


def _checked_columns(frame: pd.DataFrame, origin: str, lines: np.ndarray) -> dict[str, np.ndarray]:
    unknown = [str(name) for name in frame.columns if name not in COLUMNS]
    if "value" not in frame.columns or unknown or frame.columns.has_duplicates:
        raise DataError(
            f"{origin}: the columns are not those of a series",
            given=", ".join(map(str, frame.columns)),
            limit="value, and optionally open, high, low, volume",
            remedy="name the column of the series 'value'",
        )
    columns = {}
    for name in COLUMNS:
        if name not in frame.columns:
            continue
        numbers = _as_float(frame[name], name, origin, lines)
        bad = ~np.isfinite(numbers) if name == "value" else np.isinf(numbers)
        if bad.any():
            position = int(np.flatnonzero(bad)[0])
            raise DataError(
                f"{origin}, line {lines[position]}: '{name}' is not a finite number",
                given=float(numbers[position]),
                remedy="remove the row or give the number; a missing observation is no row",
            )
        columns[name] = numbers
    return columns


def _as_float(column: pd.Series, name: str, origin: str, lines: np.ndarray) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, copy=True)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    bad = np.flatnonzero(np.isnan(numbers) & column.notna().to_numpy())
    position = int(bad[0]) if bad.size else 0
    raise DataError(
        f"{origin}, line {lines[position]}: '{name}' holds text where a number is expected",
        given=repr(column.iloc[position]),
        remedy="write numbers with a decimal point and without separators, units or signs",
    )
