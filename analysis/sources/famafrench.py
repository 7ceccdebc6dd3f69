"""Portfolio and factor returns of the Fama-French data library, read through pandas-datareader."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Any

import numpy as np
import pandas as pd
import requests
from pandas_datareader.famafrench import FamaFrenchReader

from analysis.errors import DataError, InputError, SourceError
from analysis.sources.base import LATEST, DateLike, RawSeries, make_series, utc_now
from analysis.sources.retry import MAX_BYTES, PatientSession, RetryPolicy, public_url

BASE_URL = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/"
FIRST_DATE = "1900-01-01"
MISSING_CODES = (-99.99, -999.0)
SHORTEST_TABLE = 800  # characters: the reader takes a shorter block for prose and drops it
_DATASET = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ROW = re.compile(r"^\s*(?:\d{8}|\d{6}|\d{4})\s*,", re.M)
_ANY_ROW = re.compile(r"\s*(\d{8}|\d{6}|\d{4}(?:-\d{2}){0,2})\s*,")
_ISO_ROW = re.compile(r"^(\d{4})-(\d{2})(?:-(\d{2}))?(?=\s*,)", re.M)
_UNKNOWN = (
    "the dataset does not exist under this name: it was renamed, withdrawn or misspelt",
    "look the name up in the list of the data library and correct it in the catalogue",
)
_BY_HAND = "download the dataset by hand and give the column as a CSV file"
_HINTS = {400: _UNKNOWN, 403: _UNKNOWN, 404: _UNKNOWN}


class LibraryReader(FamaFrenchReader):
    """The library's reader with an address that can be set, given text in the one layout it understands."""

    def __init__(self, dataset: str, base_url: str, **options: Any) -> None:
        super().__init__(dataset, retry_count=0, pause=0.0, **options)
        self._base_url = base_url
        self.repairs: list[str] = []
        self.dropped: list[int] = []
        self.source = ""

    @property
    def url(self) -> str:
        """Address of the data set."""
        return f"{self._base_url}ftp/{self.symbols}_CSV.zip"

    def _get_response(self, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        response = super()._get_response(url, *args, **kwargs)
        check_archive(response.content, public_url(self.url))
        return response

    def _read_zipfile(self, url: str) -> str:
        return self.prepare(super()._read_zipfile(url))

    def prepare(self, source: str) -> str:
        """Keep the text as it came, for line numbers, and return it in the one layout."""
        self.source = source
        text, self.repairs = _one_layout(source)
        tables = [block for block in text.split("\r\n\r\n") if _ROW.search(block)]
        self.dropped = [number for number, block in enumerate(tables) if len(block) < SHORTEST_TABLE]
        return text


def fetch(
    series_id: str,
    provider_id: str,
    *,
    start: DateLike = None,
    end: DateLike = None,
    session: requests.Session | None = None,
    base_url: str | None = None,
    policy: RetryPolicy | None = None,
) -> RawSeries:
    """Download one column of one table of the Fama-French library.

    Parameters
    ----------
    series_id : str
        Id in the catalogue.
    provider_id : str
        ``dataset/table/column``, such as ``"Portfolios_Formed_on_ME_Daily/0/Lo 30"``; tables count from 0 in the order
        of the file.
    start, end : str or date, optional
        First and last date wanted, both included; by default everything there is.
    session : requests.Session, optional
        Used and left open.
    base_url : str, optional
        Address of the library's folder, for tests and mirrors.
    policy : RetryPolicy, optional
        The reader's own retries are switched off: the server is asked at most ``policy.attempts`` times.

    Returns
    -------
    RawSeries
        Simple returns in **percent** per period, as published. A monthly or yearly period is dated by its first day.
        The codes -99.99 and -999 mean missing; such rows are left out and counted in the notes.

    Raises
    ------
    SourceError
        No usable answer, an unknown dataset, a web page or a broken archive instead of data.
    DataError
        The file does not hold that table or column, or a row is not well formed.
    """
    dataset, _, _ = split_id(provider_id)
    address = base_url or BASE_URL
    address = address if address.endswith("/") else f"{address}/"
    patient = PatientSession(policy or RetryPolicy(), session, hints=_HINTS)
    reader = LibraryReader(dataset, address, start=start or FIRST_DATE, end=end or LATEST, session=patient)
    return deliver(reader, public_url(reader.url), series_id, provider_id, (start, end))


def deliver(
    reader: LibraryReader, origin: str, series_id: str, provider_id: str, span: tuple[DateLike, DateLike]
) -> RawSeries:
    """Run a reader and return one column of one of its tables; raises as `fetch` does."""
    _, table, column = split_id(provider_id)
    tables = _read(reader, origin)
    if any(number <= table for number in reader.dropped):
        raise DataError(
            f"{origin}: table {reader.dropped[0]} is too short for the reader, which drops it and miscounts the rest",
            limit=f"at least {SHORTEST_TABLE} characters a table",
            cause="the table has a few rows only, a blank line splits it, or the file was cut off",
            remedy=_BY_HAND,
        )
    values = _column(tables, table, column, origin, reader.source)
    lines = _lines(reader.source, table, values.index)
    index = values.index.to_timestamp(how="start")
    present = values.notna().to_numpy() & ~values.isin(MISSING_CODES).to_numpy()
    notes = ["unit: percent per period", *reader.repairs]
    if not present.all():
        notes.append(f"{int((~present).sum())} dates with a missing-value code left out")
    if not present.any():
        raise DataError(
            f"{origin}: '{column}' in table {table} holds no value in the span asked for",
            given=f"{span[0] or 'its start'} to {span[1] or 'its end'}",
            remedy="widen the dates or take another column",
        )
    return make_series(
        series_id,
        pd.DataFrame({"value": values.to_numpy()[present]}, index=index[present]),
        provider="famafrench",
        provider_id=provider_id,
        origin=origin,
        retrieved=utc_now(),
        notes=notes,
        lines=lines[present].tolist(),
    )


def split_id(provider_id: str) -> tuple[str, int, str]:
    """Return dataset, table and column of an id; raises InputError for one that names no column."""
    dataset, _, rest = provider_id.partition("/")
    number, _, column = rest.partition("/")
    plain = number.isascii() and number.isdigit() and len(number) < 3
    if not (_DATASET.fullmatch(dataset) and plain and column.strip()):
        raise InputError(
            "not a Fama-French id",
            given=repr(provider_id),
            limit="dataset/table/column, such as 'Portfolios_Formed_on_ME_Daily/0/Lo 30'",
        )
    return dataset, int(number), column.strip()


def check_archive(body: bytes, origin: str) -> None:
    """Raise unless the body is an intact archive of reasonable size."""
    if body.lstrip()[:1] == b"<":
        raise SourceError(
            f"{origin} answered with a web page instead of an archive",
            cause=f"{_UNKNOWN[0]}, or the site is closed for maintenance",
            remedy=f"try again later, or {_UNKNOWN[1]}",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            if not members:
                raise zipfile.BadZipFile("no file inside")
            size = sum(member.file_size for member in members)
            if size > MAX_BYTES:
                raise DataError(f"{origin} unpacks to {size} bytes", limit=f"{MAX_BYTES} bytes", remedy=_BY_HAND)
            broken = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceError(
            f"{origin} sent an archive that cannot be unpacked",
            given=f"{len(body)} bytes: {error}",
            cause="the transfer was cut off",
            remedy=f"try again, or {_BY_HAND}",
        ) from error
    if broken is not None:
        raise SourceError(
            f"{origin} sent a damaged archive",
            given=f"checksum of {broken!r} does not match",
            cause="the transfer was disturbed",
            remedy=f"try again, or {_BY_HAND}",
        )


def _one_layout(text: str) -> tuple[str, list[str]]:
    """Return the text in the layout the reader understands, and what was changed to get there.

    Notes
    -----
    The reader splits at blank lines (CRLF twice), takes every block of 800 characters or more for a table and finds the
    header by its leading comma. An additional blank line, a header that names the date column, ISO dates or a long
    description therefore break it.
    """
    repairs = []
    plain = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))
    single = re.sub(r"\n(?:[ \t]*\n){2,}", "\n\n", plain).lstrip("\n")
    if single != plain:
        repairs.append("additional blank lines in the file removed before reading")
    dated = re.sub(r"^[ \t]*date[ \t]*(?=,)", "", single, flags=re.M | re.I)
    dated = _ISO_ROW.sub(lambda match: "".join(part or "" for part in match.groups()), dated)
    if dated != single:
        repairs.append("header or dates rewritten to the library's older layout before reading")
    blocks = []
    for block in dated.split("\n\n"):
        prose = len(block) >= SHORTEST_TABLE and not _ROW.search(block)
        blocks.append(re.sub(r"(.{1,500})(?:\s+|$)", r"\1\n\n", block, flags=re.S) if prose else block)
    return "\n\n".join(blocks).replace("\n", "\r\n"), repairs


def _read(reader: LibraryReader, origin: str) -> dict[Any, Any]:
    """Run the reader and turn what its parser trips over into an error that says so."""
    try:
        return reader.read()
    except (TypeError, ValueError, LookupError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{origin} is not in the layout the reader understands",
            given=f"{type(error).__name__}: {' '.join(str(error).split())[:120]}",
            cause="the library changed its format, a row is malformed, or a blank line splits a table",
            remedy=_BY_HAND,
        ) from error


def _lines(source: str, table: int, periods: pd.PeriodIndex) -> np.ndarray:
    """Return the line of every period of a table in the file as it came, counted from 1; 0 where it cannot be told."""
    found: list[tuple[int, str]] = []
    number, before = -1, False
    for line, text in enumerate(re.sub(r"\r\n?", "\n", source).split("\n"), start=1):
        row = _ANY_ROW.match(text)
        number += row is not None and not before
        before = row is not None
        if row and number == table:
            found.append((line, row[1].replace("-", "")))
    stamps = periods.strftime({"D": "%Y%m%d", "M": "%Y%m"}.get(periods.freqstr, "%Y"))
    inside = [line for line, stamp in found if len(stamps) and stamps.min() <= stamp <= stamps.max()]
    return np.array(inside if len(inside) == len(periods) else [0] * len(periods), dtype=np.int64)


def _column(tables: dict[Any, Any], table: int, column: str, origin: str, source: str) -> pd.Series:
    found = [key for key in tables if isinstance(key, int)]
    if table not in tables:
        raise DataError(
            f"{origin} has no table {table}",
            limit=", ".join(map(str, found)) or "none",
            cause=f"tables count from 0, and the reader drops a table of fewer than {SHORTEST_TABLE} characters",
            remedy=f"correct the number in the catalogue, or {_BY_HAND}",
        )
    frame = tables[table]
    names = [str(name).strip() for name in frame.columns]
    if names.count(column) != 1:
        raise DataError(
            f"{origin}, table {table}: no single column '{column}'",
            limit=", ".join(names),
            cause="the column was renamed or is misspelt",
            remedy="correct the column in the catalogue",
        )
    values = frame.iloc[:, names.index(column)]
    numbers = pd.to_numeric(values, errors="coerce")
    bad = np.flatnonzero(numbers.isna().to_numpy() & values.notna().to_numpy())
    if bad.size:
        raise DataError(
            f"{origin}, line {_lines(source, table, values.index)[bad[0]]}: '{column}' is not a number",
            given=repr(values.iloc[bad[0]]),
            cause="the library changed its format",
            remedy=_BY_HAND,
        )
    return numbers
