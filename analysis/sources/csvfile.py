"""Series in CSV files, on disk or on the web: strict about what is read, exact about where it is wrong."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import requests

from analysis.errors import DataError, SourceError
from analysis.sources.base import RawSeries, check_order, make_series, utc_now
from analysis.sources.csvtext import FORMATS, decode, parse_dates, parse_numbers, parse_rows
from analysis.sources.retry import MAX_BYTES, RetryPolicy, get, public_url

MIN_ROWS = 30
BARS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class FolderMatch:
    """Which file of a folder serves which series.

    Attributes
    ----------
    files : dict of str to Path
        Series id to file, in the order the ids were given.
    ignored : tuple of str
        Names of the files that serve no series, sorted.
    """

    files: dict[str, Path]
    ignored: tuple[str, ...]


def match(folder: str | Path, ids: Iterable[str]) -> FolderMatch:
    """Find ``<id>.csv`` for every id in the top level of a folder, whatever the case of the letters.

    Raises
    ------
    DataError
        Two files serve one id, a link leads out of the folder, or the folder does not exist.
    """
    root = Path(folder)
    if not root.is_dir():
        what = "the data folder is a file" if root.exists() else "the data folder does not exist"
        raise DataError(what, given=str(folder), remedy="give the folder that holds the CSV files")
    wanted = {series_id.upper(): series_id for series_id in ids}
    found: dict[str, Path] = {}
    ignored = []
    for path in sorted(root.iterdir()):
        series_id = wanted.get(path.stem.upper())
        if series_id is None or path.suffix.lower() != ".csv" or path.is_dir():
            if not path.is_dir() and not path.name.startswith("."):
                ignored.append(path.name)
            continue
        if series_id in found:
            raise DataError(
                f"two files serve the series {series_id}: {found[series_id].name} and {path.name}",
                remedy="keep one of them in the folder",
            )
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            raise DataError(
                f"{path.name} is a link that leaves the data folder", remedy="copy the file into the folder"
            )
        found[series_id] = path
    return FolderMatch(
        files={series_id: found[series_id] for series_id in wanted.values() if series_id in found},
        ignored=tuple(ignored),
    )


def read(
    series_id: str,
    location: str | Path,
    *,
    positive: bool = False,
    min_rows: int = MIN_ROWS,
    max_bytes: int = MAX_BYTES,
    session: requests.Session | None = None,
    policy: RetryPolicy | None = None,
) -> RawSeries:
    """Read one series from a CSV file or from a web address.

    Parameters
    ----------
    series_id : str
        Id in the catalogue.
    location : str or Path
        Path, or address with scheme http or https.
    positive : bool
        Refuse prices that are zero or negative.
    min_rows : int
        Fewest observations accepted.
    max_bytes : int
        Largest file accepted.
    session, policy
        For a web address: session to use, and how patiently to ask.

    Returns
    -------
    RawSeries
        Columns by name, whatever their case and order: ``date,value``, or ``date,open,high,low,close`` with or without
        ``volume`` (``value`` is then the close). Dates are ISO (``2024-01-31``), strictly increasing. Rows whose value
        is blank or ``.`` are left out and counted in the notes; so are other columns.

    Raises
    ------
    SourceError
        The file or address cannot be read.
    DataError
        The content breaks the contract; names the file and the line as an editor counts it.
    """
    if isinstance(location, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", location):
        origin = public_url(location)
        response = get(location, policy=policy or RetryPolicy(), session=session, max_bytes=max_bytes)
        body, provider_id, retrieved = response.content, origin, utc_now()
    else:
        path = Path(location)
        origin = provider_id = path.name
        body, retrieved = _read_file(path, max_bytes), utc_now()
    rows, lines = parse_rows(decode(body, origin), origin)
    names, notes = _header(rows[0], f"{origin}, line {lines[0]}")
    _check_widths(rows, lines, origin)
    frame, lines = _table(rows[1:], lines[1:], names, origin, notes)
    _check_values(frame, lines, origin, positive=positive, min_rows=min_rows, notes=notes)
    return make_series(
        series_id,
        frame,
        provider="csvfile",
        provider_id=provider_id,
        origin=origin,
        retrieved=retrieved,
        notes=notes,
        lines=lines.tolist(),
    )


def _read_file(path: Path, max_bytes: int) -> bytes:
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise SourceError(f"{path.name} is not a file", remedy="give the path of a CSV file")
        if facts.st_size > max_bytes:
            raise DataError(
                f"{path.name} is too large",
                given=f"{facts.st_size} bytes",
                limit=f"{max_bytes} bytes",
                cause="this is not a file with one series",
                remedy="cut the file down to one series",
            )
        return path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{path.name} cannot be read", cause=error.strerror, remedy="check the path and the rights of the file"
        ) from error


def _header(cells: Sequence[str], place: str) -> tuple[dict[str, int], list[str]]:
    """Return the position of every column to read, under the names of the contract, and the first notes."""
    names = [cell.strip().lower() for cell in cells]
    price_file = "value" not in names
    needed = ("date", "open", "high", "low", "close") if price_file else ("date", "value")
    missing = [name for name in needed if name not in names]
    if missing:
        only_close = "close" in names and not {"open", "high", "low"} & set(names)
        raise DataError(
            f"{place}: missing column {', '.join(missing)}",
            given=",".join(cells)[:120],
            limit=FORMATS,
            cause="the first line is no header" if "date" in missing else None,
            remedy="name the column 'close' as 'value'" if only_close else "write the header as allowed",
        )
    used = ("date", *BARS) if price_file else needed
    doubled = [name for name in used if names.count(name) > 1]
    if doubled:
        raise DataError(f"{place}: column {doubled[0]} is there twice", remedy="keep one of them")
    extra = [cell.strip() for cell, name in zip(cells, names, strict=True) if name not in used]
    notes = [f"ignored columns: {', '.join(extra)}"[:200]] if extra else []
    renamed = {"close": "value"}
    return {renamed.get(name, name): names.index(name) for name in used if name in names}, notes


def _check_widths(rows: list[list[str]], lines: np.ndarray, origin: str) -> None:
    """Raise unless every row has the cells of the header; blank cells at its end do no harm."""
    width = len(rows[0])
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width and (len(row) < width or any(cell.strip() for cell in row[width:])):
            raise DataError(
                f"{origin}, line {line}: the row has {len(row)} cells",
                limit=f"{width}, as in the header",
                cause="the file was cut off, or a number has a comma in it",
                remedy="complete the row, and write numbers without separators",
            )


def _table(
    rows: list[list[str]], lines: np.ndarray, names: dict[str, int], origin: str, notes: list[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Turn cells into numbers and dates; leave out rows without a value."""
    if not rows:
        raise DataError(f"{origin} holds a header and no rows", remedy="give a file with observations")
    cells = {name: [row[position].strip() for row in rows] for name, position in names.items()}
    dates = parse_dates(cells.pop("date"), lines, origin)
    columns = {name: parse_numbers(texts, lines, name, origin) for name, texts in cells.items()}
    present = ~np.isnan(columns["value"])
    if not present.all():
        notes.append(f"{int((~present).sum())} rows without a value left out")
    for name in ("open", "high", "low"):
        gaps = int(np.isnan(columns[name][present]).sum()) if name in columns else 0
        if gaps:
            notes.append(f"{gaps} rows without a number in '{name}'")
    index = pd.DatetimeIndex(dates.astype("datetime64[s]"), name="date")
    # Order is judged over all rows: one without a value may still show a file that is badly sorted.
    check_order(dates, origin, lines)
    return pd.DataFrame(columns, index=index)[present], lines[present]


def _check_values(
    frame: pd.DataFrame, lines: np.ndarray, origin: str, *, positive: bool, min_rows: int, notes: list[str]
) -> None:
    """Raise for what no series may be; note what a reader should know."""
    if len(frame) < min_rows:
        raise DataError(
            f"{origin} holds too few observations",
            given=len(frame),
            limit=f"at least {min_rows}",
            cause="the file was cut off, or is an example",
            remedy="give the whole history of the series",
        )
    value = frame["value"].to_numpy()
    if np.all(value == value[0]):
        raise DataError(f"{origin} is constant", given=float(value[0]), remedy="check the column; nothing varies in it")
    if positive:
        for name in ("value", "open", "high", "low"):
            below = np.flatnonzero(frame[name].to_numpy() <= 0) if name in frame else np.array([], dtype=np.int64)
            if below.size:
                raise DataError(
                    f"{origin}, line {lines[below[0]]}: a price must be positive",
                    given=f"{name} = {frame[name].iloc[below[0]]:g}",
                    cause="zero stands for a missing price",
                    remedy="leave the cell of a missing price blank",
                )
    if {"open", "high", "low"} <= set(frame.columns):
        body = frame[["open", "value"]]
        wrong = (frame["high"] < frame["low"]) | (frame["high"] < body.max(axis=1)) | (frame["low"] > body.min(axis=1))
        if wrong.any():
            first = int(lines[np.flatnonzero(wrong.to_numpy())[0]])
            notes.append(f"{int(wrong.sum())} rows where high and low do not enclose the prices, first in line {first}")
