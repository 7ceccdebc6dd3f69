"""The tables of verdicts: one row a claim, and what each piece of its evidence says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from analysis.publish.chapters.cells import DASH, p_adjusted
from analysis.publish.values import field_text, format_value
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import Judgement, Reading
from analysis.tables.table import Column, TableSpec

PENDING: Final = "evidence not built yet"
# How the declared labels say that a piece of evidence is shown only, and the sign that says so in the table.
_SHOWN_ONLY: Final = {" (reported, decides nothing)": "", " (coincidence; decides nothing)": " (coincidence)"}
_SIGN: Final = "†"
# What an estimate is in, by a piece of its name; the first that fits decides.
_UNITS: Final = (
    ("days with a record", "record day"),
    ("ratio of", "times"),
    ("shock, percent", "%"),
    ("shock, standard deviations", "st. dev."),
    ("downside move", "log return"),
    ("correlation", ""),
    ("tail dependence", ""),
    ("beta", "% per %"),
    ("response", "% per %"),
    ("coefficients", "% per %"),
    ("percent", "%"),
    ("Sharpe", "a year"),
    ("number of breaks", "break"),
)
_COUNTED: Final = ("record day", "break")


def verdict_table(judgements: Iterable[Judgement]) -> TableSpec:
    """Return one row a claim: the verdict and its reason, to be read at a glance."""
    columns = (Column("Claim", weight=27), Column("Verdict", weight=13), Column("Because", weight=60))
    rows = tuple((item.title, f"**{item.verdict}**", item.because) for item in judgements if item.verdict != PENDING)
    caption = "The verdicts, each by the rules declared for its claim."
    return TableSpec("verdicts", columns, rows, caption)


def evidence_table(ledger: Ledger, judgements: Iterable[Judgement], inputs: Inputs) -> TableSpec:
    """Return what each piece of evidence says: how many of its tests speak for the claim, against it, or neither."""
    columns = (
        Column("Claim and its evidence", weight=54),
        Column("For", "right", weight=5),
        Column("Against", "right", weight=8),
        Column("Neither", "right", weight=8),
        Column("Not run", "right", weight=7),
        Column("Result with the smallest p", weight=37),
        Column("p adj.", "right", weight=8),
        Column("N", "right", weight=7),
    )
    rows: list[tuple[str, ...]] = []
    for item in judgements:
        rows.append((f"**{item.title}: {item.verdict}**", *[""] * (len(columns) - 1)))
        rows += [_evidence_row(ledger, reading, inputs) for reading in item.readings]
    caption = (
        "What each piece of evidence says: tests that speak for the claim or against it after correction, those that "
        "speak for neither, and those that could not be run; then the result with the smallest p, its 95% interval in "
        f"brackets, p adj. and N. {_SIGN}: shown beside the verdict and decides nothing."
    )
    return TableSpec("claim-evidence", columns, tuple(rows), caption)


def _evidence_row(ledger: Ledger, reading: Reading, inputs: Inputs) -> tuple[str, ...]:
    neither = reading.applicable - reading.speaks_for - reading.speaks_against
    numbers = (reading.speaks_for, reading.speaks_against, neither, reading.tests - reading.applicable)
    entry = ledger.entry(reading.strongest) if reading.strongest else None
    return (
        _label(reading.label),
        *(format_value(number, "count") for number in numbers),
        result_text(entry, inputs) if entry is not None else DASH,
        p_adjusted(entry) if entry is not None and entry.pvalue is not None else DASH,
        field_text(entry, "n") if entry is not None and entry.nobs is not None else DASH,
    )


def result_text(entry: Entry, inputs: Inputs) -> str:
    """Return the asset, the estimate with its interval and its unit; a dash where there is no estimate."""
    if entry.estimate is None:
        return DASH
    unit = next((unit for words, unit in _UNITS if words in entry.estimate_name), "")
    if unit in _COUNTED:
        number = round(entry.estimate)
        return f"{_name(entry, inputs)}{format_value(number, 'count')} {unit}{'' if number == 1 else 's'}"
    return f"{_name(entry, inputs)}{field_text(entry, 'effect')} {unit}".rstrip()


def _label(label: str) -> str:
    for words, kept in _SHOWN_ONLY.items():
        if label.endswith(words):
            return f"{_SIGN} {label.removesuffix(words)}{kept}"
    return label


def _name(entry: Entry, inputs: Inputs) -> str:
    """Return the asset of an entry as a lead-in, where it has one."""
    known = entry.effect if entry.effect != inputs.plan.small_cap else entry.cause
    return f"{inputs.label(known)}: " if known in inputs.catalog else ""
