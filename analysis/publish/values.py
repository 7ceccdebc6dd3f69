"""Turn every number of the ledger into text once, for pages, tables, citations and notes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from analysis.errors import InputError, LedgerError
from analysis.publish.rounding import MINUS, format_level, format_parts, format_value
from analysis.study.ledger import Entry, Ledger

__all__ = [
    "ABSENT_WORDS",
    "MINUS",
    "absence",
    "build_values",
    "field_text",
    "format_level",
    "format_value",
    "sentence",
    "write_variables",
]

ABSENT_WORDS: Final = {"inapplicable": "not applicable", "failed": "failed"}

Nested = dict[str, Any]


def field_text(entry: Entry, field: str) -> str:
    """Return one field of an entry as the pages print it; a number that does not exist becomes words, never a blank.

    Raises
    ------
    LedgerError
        The field has no text.
    """
    if field not in _FIELD_TEXT:
        raise LedgerError("unknown field of a result", given=f"{entry.id}.{field}", limit=", ".join(_FIELD_TEXT))
    if field in _ALWAYS:
        return _FIELD_TEXT[field](entry)
    column = _EXISTS.get(field, field)
    exists = entry.lower is not None or entry.upper is not None if column == "interval" else _has(entry, column)
    return _FIELD_TEXT[field](entry) if exists else absence(entry, field)


def absence(entry: Entry, field: str) -> str:
    """Return the words that stand where a number does not exist."""
    if entry.status in ABSENT_WORDS:
        return f"{ABSENT_WORDS[entry.status]}: {entry.reason}"
    return f"no {_FIELD_NAMES.get(field, field)}"


def _setting(entry: Entry) -> str:
    """Return what was tested on what, so that a sentence that is cited alone cannot be taken for another result."""
    parts = [f"{entry.cause} to {entry.effect}"] if entry.cause and entry.effect else []
    parts += (
        [f"crypto day {'ends after' if entry.clock == 'after' else 'ended before'} the close"] if entry.clock else []
    )
    parts += [f"beside {', '.join(entry.given)}"] if entry.given else []
    parts += [f"state {entry.state}"] if entry.state else []
    return f" ({'; '.join(parts)})" if parts else ""


def sentence(entry: Entry) -> str:
    """Return one plain sentence: effect with interval, p raw and adjusted, sample, method."""
    subject = (entry.method or entry.id) + _setting(entry)
    if entry.status in ABSENT_WORDS:
        return f"{subject}: {absence(entry, 'estimate')}."
    parts = []
    if entry.estimate is not None:
        parts.append(f"{entry.estimate_name or 'estimate'} {field_text(entry, 'effect')}")
        if entry.level is not None:
            parts[-1] += f" ({format_level(entry.level)} interval)"
    elif entry.statistic is not None:
        parts.append(f"statistic {field_text(entry, 'statistic')}")
    if entry.pvalue is not None:
        parts.append(f"p {format_value(entry.pvalue, 'p_equation')}")
    if entry.pvalue_adjusted is not None:
        adjusted = format_value(entry.pvalue_adjusted, "p_equation")
        parts.append(f"adjusted p {adjusted} ({entry.adjustment})")
    if entry.nobs is not None:
        parts.append(f"n = {field_text(entry, 'n')}")
    if entry.lags is not None:
        parts.append(f"lags = {field_text(entry, 'lags')}")
    if entry.start and entry.end:
        parts.append(f"{entry.start} to {entry.end}")
    return f"{subject}: {', '.join(parts) or entry.summary.strip().splitlines()[0]}."


def build_values(ledger: Ledger, extra: Mapping[str, Any] | None = None) -> Nested:
    """Return every value the documents may use, as nested mappings of text.

    Parameters
    ----------
    ledger : Ledger
        Every entry becomes ``<parts of its id>.<field>`` for every field `field_text` knows.
    extra : Mapping, optional
        Further values. Keys may be dotted; leaves are text that was formatted already, or nested mappings.

    Raises
    ------
    InputError
        A leaf of `extra` is not text.
    LedgerError
        A key is both a value and a group of values, or is given twice.
    """
    values: Nested = {}
    for entry in ledger.entries:
        for field in _FIELD_TEXT:
            _insert(values, f"{entry.id}.{field}", field_text(entry, field))
    for key, text in _flatten(extra or {}):
        _insert(values, key, text)
    return values


def write_variables(path: Path, values: Mapping[str, Any]) -> None:
    """Write nested values as YAML in one step: sorted keys, every key and text quoted, the same bytes every time."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes("".join(_yaml_lines(values, 0)).encode("utf-8"))
    temporary.replace(path)


def _effect(entry: Entry) -> str:
    if entry.lower is None and entry.upper is None:
        return format_value(entry.estimate, "estimate")
    return format_value((entry.estimate, entry.lower, entry.upper), "effect")


def _in_effect(entry: Entry, position: int) -> str:
    """Return one part of the effect with the decimals it has in the whole: a number reads the same everywhere."""
    if entry.lower is None and entry.upper is None:
        return format_value(entry.estimate, "estimate")
    ends = (entry.lower, entry.upper)
    parts = ends if entry.estimate is None else (entry.estimate, *ends)
    texts, power = format_parts(parts)
    return texts[position if position == 0 else position - 3] + power


_FIELD_TEXT: Final[Mapping[str, Callable[[Entry], str]]] = {
    "p": lambda entry: format_value(entry.pvalue, "p"),
    "p_adj": lambda entry: format_value(entry.pvalue_adjusted, "p"),
    "p_equation": lambda entry: format_value(entry.pvalue, "p_equation"),
    "p_adj_equation": lambda entry: format_value(entry.pvalue_adjusted, "p_equation"),
    "estimate": lambda entry: _in_effect(entry, 0),
    "lower": lambda entry: _in_effect(entry, 1),
    "upper": lambda entry: _in_effect(entry, 2),
    "interval": lambda entry: _interval(entry),
    "effect": _effect,
    "level": lambda entry: format_level(entry.level or 0.0),
    "statistic": lambda entry: format_value(entry.statistic, "statistic"),
    "df": lambda entry: entry.df,
    "n": lambda entry: format_value(entry.nobs, "count"),
    "n_lost": lambda entry: format_value(entry.nobs_lost, "count"),
    "lags": lambda entry: format_value(entry.lags, "count"),
    "start": lambda entry: entry.start,
    "end": lambda entry: entry.end,
    "adjustment": lambda entry: entry.adjustment,
    "status": lambda entry: ABSENT_WORDS.get(entry.status, entry.status),
    "sentence": sentence,
}


def _interval(entry: Entry) -> str:
    ends = (entry.lower, entry.upper)
    texts, power = format_parts(ends if entry.estimate is None else (entry.estimate, *ends))
    return f"[{texts[-2]}, {texts[-1]}]{power}"


_ALWAYS: Final = ("status", "sentence")
_EXISTS: Final = {
    "p": "pvalue",
    "p_adj": "pvalue_adjusted",
    "p_equation": "pvalue",
    "p_adj_equation": "pvalue_adjusted",
    "effect": "estimate",
    "n": "nobs",
    "n_lost": "nobs_lost",
}
_FIELD_NAMES: Final = {
    "p": "p-value",
    "p_equation": "p-value",
    "p_adj": "adjusted p-value",
    "p_adj_equation": "adjusted p-value",
    "effect": "estimate",
    "lower": "lower end of an interval",
    "upper": "upper end of an interval",
    "level": "interval",
    "df": "degrees of freedom",
    "n": "number of observations",
    "n_lost": "number of lost observations",
    "start": "start date",
    "end": "end date",
}


def _has(entry: Entry, column: str) -> bool:
    return getattr(entry, column) not in (None, "")


def _flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found.extend(_flatten(value, f"{name}."))
        elif isinstance(value, str):
            found.append((name, value))
        else:
            raise InputError("a value is formatted before it is handed to the documents", given=f"{name}: {value!r}")
    return found


def _insert(values: Nested, key: str, text: str) -> None:
    *branches, leaf = key.split(".")
    if not all([*branches, leaf]):
        raise InputError("the key of a value has an empty part", given=repr(key))
    node = values
    for part in branches:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise LedgerError(f"the key is both a value and a group of values, at {part!r}", given=key)
    if leaf in node:
        what = (
            "the key is both a value and a group of values"
            if isinstance(node[leaf], dict)
            else "the key is given twice"
        )
        raise LedgerError(what, given=key, remedy="give one of the two another id")
    node[leaf] = text


def _yaml_lines(values: Mapping[str, Any], depth: int) -> list[str]:
    if not values:
        return ["  " * depth + "{}\n"]
    lines = []
    for key in sorted(values):
        value = values[key]
        head = "  " * depth + _quoted(key) + ":"
        if isinstance(value, Mapping):
            lines += [head + "\n", *_yaml_lines(value, depth + 1)]
        else:
            lines.append(f"{head} {_quoted(value)}\n")
    return lines


def _quoted(text: str) -> str:
    """Return a double-quoted YAML scalar: JSON, with the line breaks and unprintables YAML knows and JSON does not."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(f"\\u{ord(c):04x}" if _must_escape(ord(c)) else c for c in quoted)


def _must_escape(code: int) -> bool:
    return 0x7F <= code <= 0x9F or code in (0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF) or 0xD800 <= code <= 0xDFFF
