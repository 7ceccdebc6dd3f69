"""Series of the St. Louis Fed (FRED), read without a key through pandas-datareader."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any

import numpy as np
import requests
from pandas_datareader.fred import FredReader

from analysis.errors import DataError, InputError, SourceError
from analysis.sources.base import LATEST, DateLike, RawSeries, check_order, make_series, utc_now
from analysis.sources.retry import PatientSession, RetryPolicy, public_url

BASE_URL = "https://fred.stlouisfed.org/graph/fredgraph.csv"
FIRST_DATE = "1800-01-01"
_ID = re.compile(r"[A-Za-z0-9_]{1,60}")
_UNKNOWN = (
    "the series does not exist under this id: it was renamed, withdrawn or misspelt",
    "look the id up on the FRED web site and correct it in the catalogue",
)
_HINTS = {400: _UNKNOWN, 404: _UNKNOWN}


class _Reader(FredReader):
    """The library's reader with an address that can be set, which looks at the answer before the library parses it."""

    def __init__(self, provider_id: str, base_url: str, **options: Any) -> None:
        super().__init__(provider_id, retry_count=0, pause=0.0, **options)
        self._base_url = base_url

    @property
    def url(self) -> str:
        return self._base_url

    def _sanitize_response(self, response: requests.Response) -> bytes:
        origin = f"{public_url(self._base_url)}?id={self.symbols}"
        _check_answer(response.content, self.symbols, origin)
        return response.content


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
    """Download one FRED series.

    Parameters
    ----------
    series_id, provider_id : str
        Id in the catalogue and id at FRED.
    start, end : str or date, optional
        First and last date wanted, both included; by default everything there is.
    session : requests.Session, optional
        Used and left open.
    base_url : str, optional
        Address of the CSV service, for tests and mirrors.
    policy : RetryPolicy, optional
        The reader's own retries are switched off: the server is asked at most ``policy.attempts`` times.

    Returns
    -------
    RawSeries
        Values in the unit of FRED; dates are FRED's reference dates, not the days of publication. Missing values
        (``.``) are left out and counted in the notes.

    Raises
    ------
    SourceError
        No usable answer, an unknown id, or a web page instead of data.
    DataError
        The answer is not a well-formed series, or holds nothing between the dates.
    """
    if not _ID.fullmatch(provider_id):
        raise InputError("not a FRED id", given=repr(provider_id), limit="letters, digits and underscores")
    address = base_url or BASE_URL
    origin = f"{public_url(address)}?id={provider_id}"
    patient = PatientSession(policy or RetryPolicy(), session, hints=_HINTS)
    reader = _Reader(provider_id, address, start=start or FIRST_DATE, end=end or LATEST, session=patient)
    frame = reader.read().set_axis(["value"], axis="columns")
    observed = frame.dropna()
    if observed.empty:
        raise DataError(
            f"{origin} holds no observation between {start or 'its start'} and {end or 'its end'}",
            cause="the series begins later or ended earlier",
            remedy="widen the dates, or name another series in the catalogue",
        )
    notes = []
    if len(observed) < len(frame):
        notes.append(f"{len(frame) - len(observed)} dates without a value left out")
    return make_series(
        series_id,
        observed,
        provider="fred",
        provider_id=provider_id,
        origin=origin,
        retrieved=utc_now(),
        notes=notes,
    )


def _check_answer(body: bytes, provider_id: str, origin: str) -> None:
    """Raise unless the body is FRED's CSV of this series, naming the first line that is not."""
    text = body.decode("utf-8", errors="replace").removeprefix("\ufeff")
    if not text.strip():
        raise SourceError(
            f"{origin} answered with nothing", cause=_UNKNOWN[0], remedy=f"try again later, or {_UNKNOWN[1]}"
        )
    if text.lstrip()[:1] == "<":
        raise SourceError(
            f"{origin} answered with a web page instead of data",
            cause=f"{_UNKNOWN[0]}, or the site is closed for maintenance",
            remedy=f"try again later, or {_UNKNOWN[1]}",
        )
    lines = text.splitlines()
    header = [cell.strip().strip('"') for cell in lines[0].split(",")]
    if len(header) != 2 or header[0].lower() not in ("date", "observation_date"):
        raise DataError(
            f"{origin}, line 1: this is not the header of a FRED series",
            given=repr(lines[0][:80]),
            limit=f"observation_date,{provider_id}",
            cause="the format of the service has changed",
            remedy="download the series by hand and give it as a CSV file",
        )
    if header[1].upper() != provider_id.upper():
        raise DataError(
            f"{origin}, line 1: the answer is another series",
            given=header[1][:80],
            limit=provider_id,
            cause="the series was renamed",
            remedy=_UNKNOWN[1],
        )
    kept = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    dates = [_check_row(line, number, origin) for number, line in kept]
    check_order(np.array(dates, dtype="datetime64[D]"), origin, np.array([number for number, _ in kept]))


def _check_row(line: str, number: int, origin: str) -> str:
    """Return the date of a row ``YYYY-MM-DD,number``; the number may be missing."""
    day, comma, value = (part.strip() for part in line.partition(","))
    try:
        good = bool(comma) and date.fromisoformat(day).isoformat() == day
        good = good and (value in ("", ".") or math.isfinite(float(value)))
    except ValueError:
        good = False
    if not good:
        raise DataError(
            f"{origin}, line {number}: not a date and a number",
            given=repr(line[:80]),
            limit="YYYY-MM-DD,number (or '.' for a missing value)",
            cause="the answer was cut off, or the format of the service has changed",
            remedy="try again, or download the series by hand and give it as a CSV file",
        )
    return day
