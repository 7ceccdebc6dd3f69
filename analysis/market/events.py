"""Declared events: days that were news for crypto, each with its kind and a source a reader can look up."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from analysis.errors import DataError

HEADER = ("date", "kind", "title", "source")
KINDS = ("listing", "regulation", "protocol", "failure")
SIZE_LIMIT_BYTES = 1_000_000
_TEXT_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Event:
    """One declared event; `day` is the UTC day on which it became public or happened."""

    day: date
    kind: str
    title: str
    source: str


def load(path: str | Path) -> tuple[Event, ...]:
    """Read and validate a file of declared events.

    Parameters
    ----------
    path : path
        CSV with the header date,kind,title,source; at most one megabyte; dates ascending.

    Raises
    ------
    DataError
        The file cannot be read or breaks the rules; file and line are named.
    """
    name = Path(path).name
    try:
        if Path(path).stat().st_size > SIZE_LIMIT_BYTES:
            raise DataError(f"{name} is too large", limit=f"{SIZE_LIMIT_BYTES} bytes")
        with Path(path).open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            if tuple(reader.fieldnames or ()) != HEADER:
                raise DataError(
                    f"{name}, line 1: not the header of an events file",
                    given=",".join(reader.fieldnames or ()),
                    limit=",".join(HEADER),
                )
            events = [(reader.line_num, _event(row, name, reader.line_num)) for row in reader]
    except OSError as error:
        raise DataError("The events file cannot be read", given=name, cause=error.strerror) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{name} is not a CSV file in UTF-8", cause=str(error)) from error
    _check_order(events, name)
    return tuple(event for _, event in events)


def _event(row: Mapping[str | None, str | None], name: str, line: int) -> Event:
    if None in row or any(value is None for value in row.values()):
        raise DataError(f"{name}, line {line}: not four fields", remedy="quote a field that holds a comma")
    fields = {key: (row[key] or "").strip() for key in HEADER}
    for key, value in fields.items():
        if not value or len(value) > _TEXT_LIMIT:
            raise DataError(
                f"{name}, line {line}: '{key}' is empty or too long", limit=f"1 to {_TEXT_LIMIT} characters"
            )
    if fields["kind"] not in KINDS:
        raise DataError(f"{name}, line {line}: unknown kind", given=fields["kind"], limit=", ".join(KINDS))
    try:
        day = date.fromisoformat(fields["date"])
    except ValueError as error:
        raise DataError(f"{name}, line {line}: not a date", given=fields["date"], limit="like 2024-01-10") from error
    return Event(day, fields["kind"], fields["title"], fields["source"])


def _check_order(events: list[tuple[int, Event]], name: str) -> None:
    seen: dict[tuple[date, str], int] = {}
    previous = date.min
    for line, event in events:
        if event.day < previous:
            raise DataError(
                f"{name}, line {line}: dates do not ascend", given=event.day, remedy="sort the rows by date"
            )
        twin = seen.setdefault((event.day, event.title), line)
        if twin != line:
            raise DataError(f"{name}, line {line}: the event is there twice, first in line {twin}", given=event.title)
        previous = event.day
