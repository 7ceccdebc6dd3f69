"""From the bytes of a CSV file to cells, dates and numbers, with the line of everything that is wrong."""

from __future__ import annotations

import csv
import io
import re

import numpy as np

from analysis.errors import DataError
from analysis.sources.base import EARLIEST, LATEST

FORMATS = "date,value or date,open,high,low,close,volume"
MISSING = frozenset({"", "."})
_DATES = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}\n)*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_NUMERIC = re.compile(r"[^0-9.eE+-]")


def decode(body: bytes, origin: str) -> str:
    """Return the text of a UTF-8 file that holds something and is no web page; raise DataError otherwise."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{origin}, line {line}: the text is not UTF-8",
            given=f"byte {body[error.start]:#04x}",
            cause="a spreadsheet saved it in another encoding, or it is not a text file",
            remedy="save it as CSV in UTF-8",
        ) from error
    if not text.strip():
        raise DataError(f"{origin} is empty", limit=FORMATS, remedy="give a file with a header and rows")
    if text.lstrip()[:1] == "<":
        raise DataError(
            f"{origin} is a web page, not a CSV file",
            cause="the address leads to a page about the file, or the provider answered with an error",
            remedy="give the address of the file itself",
        )
    return text


def parse_rows(text: str, origin: str) -> tuple[list[list[str]], np.ndarray]:
    """Split the text into cells; return the rows that are not blank, with their lines counted from 1."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        raise DataError(
            f"{origin}, line {max(reader.line_num, 1)}: the row cannot be split into cells",
            given=str(error),
            remedy="remove stray quotation marks",
        ) from error
    if reader.line_num != len(rows):
        raise DataError(f"{origin}: a quoted cell runs over several lines", remedy="remove stray quotation marks")
    if all(rows):
        return rows, np.arange(1, len(rows) + 1)
    kept = np.array([position for position, row in enumerate(rows) if row], dtype=np.int64)
    return [rows[position] for position in kept], kept + 1


def parse_dates(texts: list[str], lines: np.ndarray, origin: str) -> np.ndarray:
    """Return ISO dates as datetime64[D]; raise DataError for the first that is something else."""
    if _DATES.fullmatch("\n".join(texts) + "\n"):
        try:
            return np.array(texts, dtype="datetime64[D]")
        except ValueError:
            pass
    for position, text in enumerate(texts):
        try:
            if not _DATES.fullmatch(f"{text}\n"):
                raise ValueError(text)
            np.datetime64(text, "D")
        except ValueError as error:
            raise DataError(
                f"{origin}, line {lines[position]}: not a date",
                given=repr(text[:40]),
                limit=f"an ISO date such as 2024-01-31, from {EARLIEST} to {LATEST}",
                cause="day and month cannot be told apart in other notations" if "/" in text else None,
                remedy="write dates as year-month-day",
            ) from error
    raise AssertionError("a batch of dates failed although every one of them is valid")


def parse_numbers(texts: list[str], lines: np.ndarray, name: str, origin: str) -> np.ndarray:
    """Return the numbers of a column, NaN where the cell is blank or a dot."""
    if not MISSING.isdisjoint(texts):
        numbers = np.full(len(texts), np.nan)
        filled = np.array([position for position, text in enumerate(texts) if text not in MISSING], dtype=np.int64)
        if filled.size:
            numbers[filled] = parse_numbers([texts[position] for position in filled], lines[filled], name, origin)
        return numbers
    if not _NOT_NUMERIC.search("".join(texts)):
        try:
            numbers = np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
        except ValueError:
            pass
        else:
            if np.isfinite(numbers).all():
                return numbers
    position = next(i for i, text in enumerate(texts) if not _NUMBER.fullmatch(text) or np.isinf(float(text)))
    wordy = texts[position].lower().strip("+-")
    raise DataError(
        f"{origin}, line {lines[position]}: '{name}' is not a finite number",
        given=repr(texts[position][:40]),
        limit="digits with a decimal point; blank or '.' for a missing value",
        cause="a computation gave no result" if wordy in ("nan", "inf", "infinity") else "text, a unit or a separator",
        remedy="correct the cell, or leave it blank",
    )
