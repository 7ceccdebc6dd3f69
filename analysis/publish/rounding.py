"""The one rounding rule: how a number becomes text, everywhere in pages, tables, citations and notes."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from analysis.errors import InputError

MINUS: Final = "\u2212"

_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALLEST_FIXED: Final = 1e-4
_LARGEST_FIXED: Final = 1e15
_MOST_DECIMALS: Final = 12
_EXTRA_DECIMALS: Final = 6
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def format_value(value: object, kind: str) -> str:
    """Format one value by the house rule.

    Parameters
    ----------
    value : object
        A finite number; for ``date`` and ``long_date`` an ISO text or a date; for ``interval`` a pair of ends and for
        ``effect`` a triple of estimate, lower and upper end (an end may be None: the interval is one-sided).
    kind : str
        - ``p``: three decimals; below .001 ``<0.001``, above .9995 (and not 1) ``>0.999``; never ``0.000``.
        - ``p_equation``: the same with its relation, ``= 0.041`` or ``< 0.001``.
        - ``estimate``: three significant digits, all digits of the whole part; powers of ten below 0.0001.
        - ``interval``, ``effect``: ``[−0.05, 0.11]`` and ``0.03 [−0.05, 0.11]``; all parts have the same decimals,
          enough for two significant digits of the width, and more where an end would otherwise read as zero.
        - ``statistic``, ``level``: two decimals, thousands separated.
        - ``count``: whole, thousands separated.
        - ``percent``: a share of one, with one decimal: ``12.5%``.
        - ``date``: ``2024-11-25``; ``long_date``: ``25 November 2024``.

    Returns
    -------
    str
        Negative numbers carry a true minus sign (U+2212).

    Raises
    ------
    InputError
        The kind is unknown, or the value is not of that kind; NaN, infinity and None never become text.
    """
    formatter = _FORMATTERS.get(kind)
    if formatter is None:
        raise InputError("unknown kind of value", given=kind, limit=", ".join(_FORMATTERS))
    return formatter(value)


def format_level(level: float) -> str:
    """Return the level of an interval: ``95%``, ``99.5%``."""
    return f"{round(level * 100, 6):g}%"


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(
            "only a finite number can be printed", given=repr(value), remedy="say in words why it is absent"
        )
    return float(value)


def _fixed(value: float, decimals: int) -> str:
    """Return fixed notation with thousands separated, a true minus, and no negative zero."""
    text = f"{abs(value):,.{decimals}f}"
    return MINUS + text if value < 0 and any(digit in "123456789" for digit in text) else text


def _power(exponent: int) -> str:
    return f" × 10{str(exponent).translate(_SUPERSCRIPT)}"


def _exponent(value: float, digits: int) -> int:
    """Return the decimal exponent after rounding to so many significant digits."""
    return int(f"{abs(value):.{digits - 1}e}".partition("e")[2])


def _format_p(value: object) -> str:
    p = _number(value)
    if not 0.0 <= p <= 1.0:
        raise InputError("a p-value lies between 0 and 1", given=p)
    if p < 0.001:
        return "<0.001"
    return ">0.999" if 0.9995 <= p < 1.0 else f"{p:.3f}"


def _format_p_equation(value: object) -> str:
    text = _format_p(value)
    return f"{text[0]} {text[1:]}" if text[0] in "<>" else f"= {text}"


def _format_estimate(value: object) -> str:
    number = _number(value)
    if number == 0.0:
        return "0"
    exponent = _exponent(number, 3)
    if not _SMALLEST_FIXED <= abs(number) < _LARGEST_FIXED:
        return _fixed(float(f"{number:.2e}".partition("e")[0]), 2) + _power(exponent)
    return _fixed(number, max(0, 2 - exponent))


def format_parts(parts: tuple[float | None, ...]) -> tuple[tuple[str, ...], str]:
    """Return the parts of an interval with common decimals, and the power of ten they share (often none)."""
    numbers = [part for part in parts if part is not None]
    largest = max(abs(number) for number in numbers)
    shift = 0 if largest == 0.0 or _SMALLEST_FIXED <= largest < _LARGEST_FIXED else _exponent(largest, 3)
    scaled = [None if part is None else float(Decimal(part).scaleb(-shift)) for part in parts]
    present = [number for number in scaled if number is not None]
    width = max(present) - min(present)
    decimals = max(0, 1 - _exponent(width, 2)) if width > 0 else max(0, 2 - _exponent(present[0], 3))
    limit = min(decimals + _EXTRA_DECIMALS, _MOST_DECIMALS)
    decimals = min(decimals, limit)
    while decimals < limit and any(number != 0.0 and float(f"{number:.{decimals}f}") == 0.0 for number in present):
        decimals += 1
    ends = (f"{MINUS}∞", "∞")
    unbounded = ("", *ends) if len(parts) == 3 else ends
    texts = tuple(
        word if part is None else _fixed(part, decimals) for part, word in zip(scaled, unbounded, strict=True)
    )
    return texts, _power(shift) if shift else ""


def _parts(value: object, count: int) -> tuple[float | None, ...]:
    if not isinstance(value, tuple | list) or len(value) != count:
        raise InputError(f"an interval is given by {count} numbers", given=repr(value))
    parts = tuple(None if part is None else _number(part) for part in value)
    ends = parts[-2:]
    if ends == (None, None) or (count == 3 and parts[0] is None):
        raise InputError("an interval has at least one end, and an effect has an estimate", given=repr(value))
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        raise InputError("an interval runs from its lower to its upper end", given=repr(value))
    return parts


def _format_interval(value: object) -> str:
    (lower, upper), power = format_parts(_parts(value, 2))
    return f"[{lower}, {upper}]{power}"


def _format_effect(value: object) -> str:
    (estimate, lower, upper), power = format_parts(_parts(value, 3))
    return f"{estimate} [{lower}, {upper}]{power}"


def _format_count(value: object) -> str:
    number = _number(value)
    if number != int(number):
        raise InputError("a count is a whole number", given=value)
    return _fixed(number, 0)


def _date(value: object) -> datetime.date:
    try:
        return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))
    except ValueError as error:
        raise InputError("a date is given as ISO text", given=repr(value), limit="2024-11-25") from error


def _format_long_date(value: object) -> str:
    date = _date(value)
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


_FORMATTERS: Final[Mapping[str, Callable[[object], str]]] = {
    "p": _format_p,
    "p_equation": _format_p_equation,
    "estimate": _format_estimate,
    "interval": _format_interval,
    "effect": _format_effect,
    "statistic": lambda value: _fixed(_number(value), 2),
    "level": lambda value: _fixed(_number(value), 2),
    "count": _format_count,
    "percent": lambda value: f"{_fixed(100.0 * _number(value), 1)}%",
    "date": lambda value: _date(value).isoformat()[:10],
    "long_date": _format_long_date,
}
