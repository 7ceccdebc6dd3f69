"""The cells of tables: fields of entries as text, rows in the order of the study, and the words for a state."""

from __future__ import annotations

from analysis.publish.values import field_text, format_value
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger

DASH = "–"


def p_adjusted(entry: Entry) -> str:
    """Return the corrected p-value, or the raw one of a family that is not corrected."""
    return field_text(entry, "p_adj" if entry.pvalue_adjusted is not None else "p")


def count_words(count: int) -> str:
    """Return a count for a sentence: "none" reads better than a zero."""
    return "none" if count == 0 else format_value(count, "count")


def state_label(name: str) -> str:
    """Return the words for a state."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def in_order(ledger: Ledger, inputs: Inputs, family: str) -> list[Entry]:
    """Return the entries of a family in the order of the study's assets."""
    order = {name: place for place, name in enumerate(inputs.plan.crypto)}

    def place(entry: Entry) -> int:
        return order.get(entry.effect, order.get(entry.cause, len(order)))

    return sorted(ledger.family(family), key=place)


def fields(entry: Entry, numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the named fields as text; an absent result says why in its first cell."""
    if entry.status == "ok":
        return tuple(field_text(entry, name) for name in numbers)
    return (f"{entry.status}: {entry.reason}", *(DASH for _ in numbers[1:]))
