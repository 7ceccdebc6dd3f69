"""Read a number as an author printed it, and say whether a ledger entry agrees with it at the printed precision."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from analysis.publish.values import MINUS, field_text
from analysis.study.ledger import FIELDS, Entry

KINDS: Final = {
    "p": "p",
    "p_adj": "p",
    "estimate": "number",
    "lower": "number",
    "upper": "number",
    "statistic": "number",
    "interval": "interval",
    "effect": "effect",
    "n": "count",
    "n_lost": "count",
    "lags": "count",
    "start": "date",
    "end": "date",
}
"""How each field is read; every other field is text."""

_LONGEST: Final = 200
_SUPERSCRIPTS: Final = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_PLAIN_DIGITS: Final = str.maketrans(_SUPERSCRIPTS, "-0123456789")
_POWER: Final = rf"\s*[x×·]\s*10(?:\^\{{?(?P<caret>-?\d{{1,3}})\}}?|(?P<raised>[{_SUPERSCRIPTS}]{{1,4}}))"
_NUMBER: Final = re.compile(
    r"(?P<relation>[<>≤≥]?)\s*(?P<sign>[-+]?)(?P<whole>\d{1,3}(?:,\d{3})+|\d*)(?P<part>\.\d+)?"
    rf"(?:{_POWER}|[eE](?P<scientific>[-+]?\d{{1,3}}))?\s*(?P<percent>%?)"
)
_INTERVAL: Final = re.compile(
    rf"(?P<estimate>[^\[\](),]*(?:,\d{{3}}[^\[\](),]*)*?)\s*[\[(](?P<lower>[^\[\]()]+?)(?:,\s+|;\s*|\s+to\s+)(?P<upper>[^\[\]()]+?)[\])]"
    rf"(?P<power>{_POWER})?"
)
_LONG_DATES: Final = ("%d %B %Y", "%B %d, %Y")


@dataclass(frozen=True, slots=True)
class Number:
    """A printed number: its value, half a unit of its last digit, and its relation (``<`` and so on, often none)."""

    value: Decimal
    half_unit: Decimal
    relation: str


def plain(text: str) -> str:
    """Return text without Markdown emphasis, escapes and typographic spaces, with plain minus signs."""
    text = re.sub(r"\\([^\w\s])", r"\1", text)
    text = text.replace(MINUS, "-").replace("–", "-")
    return " ".join(text.split())


def is_readable(text: str, field: str) -> bool:
    """Return whether a text can be read as a value of this field."""
    text, kind = plain(text), KINDS.get(field, "text")
    if len(text) > _LONGEST:
        return kind == "text"
    if kind == "date":
        return _read_date(text) is not None
    if kind in ("interval", "effect"):
        return _read_parts(text, kind) is not None
    return kind == "text" or read_number(text) is not None


def agrees(text: str, entry: Entry, field: str) -> bool:
    """Return whether a printed text agrees with a field of an entry at the precision it is printed with.

    A number agrees within half a unit of its last digit, a bound (``< 0.05``) if it holds, a count and a date only
    exactly. A number that is not zero does not agree with a printed zero, and a p-value needs two decimals. Text agrees
    when it is the text the pages print.
    """
    house = plain(field_text(entry, field))
    text, kind = plain(text), KINDS.get(field, "text")
    if text == house:
        return True
    if kind == "text" or len(text) > _LONGEST or getattr(entry, FIELDS[field]) in (None, ""):
        return False
    if kind == "date":
        return _read_date(text) == datetime.date.fromisoformat(getattr(entry, FIELDS[field]))
    if kind in ("interval", "effect"):
        parts = _read_parts(text, kind)
        wanted = (entry.lower, entry.upper) if kind == "interval" else (entry.estimate, entry.lower, entry.upper)
        return parts is not None and all(_part_agrees(*pair) for pair in zip(parts, wanted, strict=True))
    number = read_number(text)
    return number is not None and _number_agrees(number, getattr(entry, FIELDS[field]), kind)


def read_number(text: str) -> Number | None:
    """Return a printed number, or None when the text is no number."""
    match = _NUMBER.fullmatch(plain(text))
    if match is None or not (match["whole"] or match["part"]):
        return None
    digits = f"{match['sign']}{match['whole'].replace(',', '') or '0'}{match['part'] or ''}"
    shift = _shift(match) - (2 if match["percent"] else 0)
    decimals = len(match["part"] or ".") - 1
    return Number(Decimal(digits).scaleb(shift), Decimal("0.5").scaleb(shift - decimals), match["relation"])


def _shift(match: re.Match[str]) -> int:
    raised = (match["raised"] or "").translate(_PLAIN_DIGITS)
    text = match["caret"] or raised or match.groupdict().get("scientific") or "0"
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else 0


def _read_parts(text: str, kind: str) -> tuple[Number | None, ...] | None:
    """Return (estimate,) lower and upper of a printed interval; None stands for an unbounded end."""
    if kind == "effect" and read_number(text) is not None:
        return (read_number(text), None, None)
    match = _INTERVAL.fullmatch(text)
    if match is None or (kind == "effect") != bool(match["estimate"].strip()):
        return None
    shift = _shift(match) if match["power"] else 0
    found: list[Number | None] = []
    for name in ("lower", "upper") if kind == "interval" else ("estimate", "lower", "upper"):
        part = match[name].strip()
        number = read_number(part)
        if number is None and not (name != "estimate" and part in ("-∞", "∞")):
            return None
        found.append(number and Number(number.value.scaleb(shift), number.half_unit.scaleb(shift), number.relation))
    return tuple(found)


def _part_agrees(number: Number | None, value: float | None) -> bool:
    if number is None or value is None:
        return number is None and value is None
    return _number_agrees(number, value, "number")


def _number_agrees(number: Number, value: float, kind: str) -> bool:
    exact = Decimal(value)
    if number.relation:
        bounds = {
            "<": exact < number.value,
            ">": exact > number.value,
            "≤": exact <= number.value,
            "≥": exact >= number.value,
        }
        return bounds[number.relation]
    if exact == number.value:
        return True
    if kind == "count" or number.value == 0 or (kind == "p" and number.half_unit > Decimal("0.005")):
        return False
    return abs(exact - number.value) <= number.half_unit * Decimal("1.000000001")


def _read_date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    for pattern in _LONG_DATES:
        try:
            return datetime.datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    return None
