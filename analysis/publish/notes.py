"""Check the cited numbers of a research note against the version it rests on, and write them in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analysis.errors import InputError, LedgerError
from analysis.publish.manifest import check_file
from analysis.publish.printed import KINDS, agrees, is_readable
from analysis.publish.reference import escape_markdown
from analysis.publish.shelf import find_version, latest_like
from analysis.publish.spans import Note, Span, parse
from analysis.publish.values import ABSENT_WORDS, absence, field_text, format_value
from analysis.study.ledger import FIELDS, PARQUET_NAME, Entry, Ledger

__all__ = ["CitedNumber", "Note", "NoteReport", "Span", "check", "fill", "parse", "read_note"]

_LIMIT_BYTES: Final = 2_000_000
_PLACEHOLDER: Final = re.compile(r"(?:\?+|…|\.{3}|_+|TODO|XX+)?", re.IGNORECASE)
_WRAPPED: Final = re.compile(r"(?P<before>[\s*_~$`]*)(?P<core>.*?)(?P<after>[\s*_~$`]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CitedNumber:
    """What became of one cited number.

    Attributes
    ----------
    line, column : int
        Where it stands, counted from 1.
    address, printed, expected : str
        What is cited, what the note says and what the pages of that version say (empty for an unknown address).
    status : str
        ``agrees``, ``differs``, ``absent`` (the cited version has no such number), ``unknown`` (no such address) or
        ``unreadable``.
    detail : str
        What to know or do where it does not agree.
    movement : str
        ``same``, ``moved`` or ``gone`` in the latest version; empty where there is nothing to compare.
    latest : str
        What the pages of the latest version say.
    change : float or None
        Latest minus cited value, unrounded.
    """

    line: int
    column: int
    address: str
    printed: str
    expected: str
    status: str
    detail: str = ""
    movement: str = ""
    latest: str = ""
    change: float | None = None

    def __str__(self) -> str:
        text = f"line {self.line}, column {self.column}: {self.address}: {self.printed or '(empty)'}: {self.status}"
        if self.status == "differs":
            text += f", the version says {self.expected}"
        text += f" ({self.detail})" if self.detail else ""
        if self.movement == "moved":
            by = "" if self.change is None else f", by {format_value(self.change, 'estimate')}"
            text += f"; now {self.latest}{by}"
        return text + ("; no longer in the latest version" if self.movement == "gone" else "")


@dataclass(frozen=True, slots=True)
class NoteReport:
    """Every cited number of a note against its version, and against the latest one.

    Attributes
    ----------
    version, latest : str
        The version the note rests on, and the latest one of the same kind.
    numbers : tuple of CitedNumber
        In the order of the note.
    problems : tuple of str
        What looks like a cited number but cannot be read as one.
    """

    version: str
    latest: str
    numbers: tuple[CitedNumber, ...]
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every marked number agrees with the version and nothing was unreadable."""
        return not self.problems and all(number.status == "agrees" for number in self.numbers)

    @property
    def moved(self) -> tuple[CitedNumber, ...]:
        """The numbers that are different, or gone, in the latest version."""
        return tuple(number for number in self.numbers if number.movement in ("moved", "gone"))

    def summary(self) -> str:
        """Return the report as plain text: one line a number that needs attention, then the counts."""
        shown = [str(number) for number in self.numbers if number.status != "agrees" or number.movement != "same"]
        agreeing = sum(number.status == "agrees" for number in self.numbers)
        closing = f"{agreeing} of {len(self.numbers)} cited numbers agree with {self.version}"
        if self.latest != self.version:
            closing += f"; {len(self.moved)} moved since, in {self.latest}"
        if not self.numbers:
            closing = 'the note marks no number; mark one like [0.41]{cite="granger.rut.btc.p"}'
        return "\n".join([*self.problems, *shown, closing])


def read_note(path: Path) -> str:
    """Return the text of a note with its own line ends; raises InputError when it is too large or not UTF-8."""
    if not path.is_file():
        raise InputError("there is no such note", given=path.name)
    if path.stat().st_size > _LIMIT_BYTES:
        raise InputError("the note is too large", given=f"{path.stat().st_size} bytes", limit=f"{_LIMIT_BYTES} bytes")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("the note is not UTF-8 text", given=path.name, cause=str(error)) from error


def check(note: Path | str, builds: Path) -> NoteReport:
    """Confirm every marked number of a note against its version, and say which have moved since.

    Parameters
    ----------
    note : Path or str
        A file, or the text of a note.
    builds : Path
        Folder of all versions.

    Raises
    ------
    InputError
        The note is too large, not text, or names no version.
    VersionError
        The version is not there, or its ledger was changed after it was published.
    """
    parsed = parse(_text(note))
    latest = latest_like(builds, parsed.version)
    ledger = _ledger(builds, parsed.version)
    newest = ledger if latest == parsed.version else _ledger(builds, latest)
    numbers = tuple(_check_span(span, ledger, newest) for span in parsed.spans)
    return NoteReport(parsed.version, latest, numbers, parsed.problems)


def fill(note: Path | str, builds: Path) -> str:
    """Return the text of a note with every marked number written in, and nothing else changed.

    A number that already agrees at its printed precision stays as it is; an empty span, a placeholder such as ``?`` or
    a number that differs is replaced by what the pages of the version print.

    Raises
    ------
    InputError
        A span holds other words, which would be lost, or the note breaks a rule of `check`.
    LedgerError
        A span cites an unknown result.
    VersionError
        The version is not there, or its ledger was changed.
    """
    text = _text(note)
    parsed = parse(text)
    if parsed.problems:
        raise InputError("a marked number cannot be read", given="; ".join(parsed.problems))
    ledger = _ledger(builds, parsed.version)
    pieces, place = [], 0
    for span in parsed.spans:
        pieces += [text[place : span.start], _filled(span, ledger)]
        place = span.end
    return "".join([*pieces, text[place:]])


def _text(note: Path | str) -> str:
    if isinstance(note, Path):
        return read_note(note)
    if len(note.encode("utf-8", "replace")) > _LIMIT_BYTES:
        raise InputError("the note is too large", limit=f"{_LIMIT_BYTES} bytes")
    return note


def _ledger(builds: Path, version: str) -> Ledger:
    folder = find_version(builds, version)
    check_file(folder, PARQUET_NAME)
    return Ledger.read(folder)


def _resolve(ledger: Ledger, address: str) -> tuple[Entry, str]:
    entry, field = ledger.find(address)
    if not field:
        raise LedgerError(
            "the address names a result but not which of its numbers",
            given=address,
            limit=", ".join(f".{name}" for name in FIELDS),
        )
    return entry, field


def _core(text: str) -> tuple[str, str, str]:
    match = _WRAPPED.fullmatch(text)
    return (match["before"], match["core"], match["after"]) if match else ("", text, "")


def _exists(entry: Entry, field: str) -> bool:
    if field in ("interval", "effect") and (entry.lower is not None or entry.upper is not None):
        return field == "interval" or entry.estimate is not None
    return field != "interval" and getattr(entry, FIELDS[field]) not in (None, "")


def _check_span(span: Span, ledger: Ledger, newest: Ledger) -> CitedNumber:
    printed = " ".join(_core(span.text)[1].split())
    try:
        entry, field = _resolve(ledger, span.address)
    except LedgerError as error:
        return CitedNumber(span.line, span.column, span.address, printed, "", "unknown", str(error))
    expected = field_text(entry, field)
    status, detail = _status(printed, entry, field)
    movement, latest, change = _movement(printed, status, entry, field, newest)
    return CitedNumber(
        span.line, span.column, span.address, printed, expected, status, detail, movement, latest, change
    )


def _status(printed: str, entry: Entry, field: str) -> tuple[str, str]:
    if agrees(printed, entry, field):
        return "agrees", ""
    if not _exists(entry, field):
        return "absent", absence(entry, field)
    if not is_readable(printed, field):
        return "unreadable", f"a {KINDS.get(field, 'text')} is expected; fill writes it in where the span is empty"
    return "differs", ""


def _movement(printed: str, status: str, entry: Entry, field: str, newest: Ledger) -> tuple[str, str, float | None]:
    """Return whether the number moved in the latest version, what it is there, and by how much it moved."""
    try:
        other, _ = newest.find(f"{entry.id}.{field}")
    except LedgerError:
        return "gone", "", None
    latest = field_text(other, field)
    if not _exists(other, field):
        return ("gone" if _exists(entry, field) else "same"), latest, None
    same = agrees(printed, other, field) if status == "agrees" else latest == field_text(entry, field)
    values = [getattr(item, FIELDS[field]) for item in (entry, other)]
    numeric = field != "interval" and all(isinstance(value, int | float) for value in values)
    return ("same" if same else "moved"), latest, float(values[1] - values[0]) if numeric else None


def _filled(span: Span, ledger: Ledger) -> str:
    """Return the text of a span with its number written in; emphasis around it stays."""
    entry, field = _resolve(ledger, span.address)
    before, core, after = _core(span.text)
    if agrees(core, entry, field):
        return span.text
    words = core.startswith(tuple(ABSENT_WORDS.values())) or core.startswith("no ")
    replaceable = _PLACEHOLDER.fullmatch(core) or words or is_readable(core, field)
    if not replaceable:
        raise InputError(
            "a marked span holds words that would be lost",
            given=f"line {span.line}: {core!r}",
            remedy="leave the number alone in the brackets, or empty them",
        )
    text = field_text(entry, field)
    is_number = _exists(entry, field) and field in KINDS
    return f"{before}{text if is_number else escape_markdown(text)}{after}"
