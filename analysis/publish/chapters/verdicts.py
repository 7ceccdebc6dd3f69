"""The tables of verdicts: one row a claim, and what each piece of its evidence says."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.publish.chapters.cells import DASH, p_adjusted
from analysis.publish.values import field_text, format_value
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import Judgement
from analysis.tables.table import Column, TableSpec


def verdict_table(ledger: Ledger, judgements: Iterable[Judgement], inputs: Inputs) -> TableSpec:
    """Return one row a claim: verdict, reason, the strongest effect of the deciding evidence, its p and sample."""
    columns = (
        Column("Claim", weight=26),
        Column("Verdict", weight=14),
        Column("Because", weight=38),
        Column("Strongest effect", weight=24),
        Column("p adj.", "right", weight=9),
        Column("N", "right", weight=9),
    )
    rows = []
    for item in judgements:
        if item.verdict == "evidence not built yet":
            continue
        entry = ledger.entry(item.strongest) if item.strongest else None
        tested = entry is not None and entry.pvalue is not None
        count = f" ({item.readings[0].sentence})" if tested else ""
        rows.append(
            (
                item.title,
                f"**{item.verdict}**",
                item.because + count,
                f"{_name(entry, inputs)}{field_text(entry, 'effect')}" if tested and entry is not None else DASH,
                p_adjusted(entry) if tested and entry is not None else DASH,
                field_text(entry, "n") if entry is not None and entry.nobs is not None else DASH,
            )
        )
    caption = "Verdicts by rules declared before the results were known; effects with 95% intervals."
    return TableSpec("verdicts", columns, tuple(rows), caption)


def evidence_table(ledger: Ledger, judgements: Iterable[Judgement], inputs: Inputs) -> TableSpec:
    """Return what each piece of evidence says: how many of its tests speak for the claim, against it, or neither."""
    columns = (
        Column("Claim", weight=20),
        Column("Evidence", weight=34),
        Column("For", "right", weight=6),
        Column("Against", "right", weight=8),
        Column("Neither", "right", weight=8),
        Column("Not run", "right", weight=8),
        Column("Strongest effect, 95% interval", weight=26),
        Column("p adj.", "right", weight=8),
    )
    rows = []
    for item in judgements:
        for place, reading in enumerate(item.readings):
            numbers = (reading.speaks_for, reading.speaks_against,
                       reading.applicable - reading.speaks_for - reading.speaks_against,
                       reading.tests - reading.applicable)  # fmt: skip
            entry = ledger.entry(reading.strongest) if reading.strongest else None
            tested = entry is not None and entry.pvalue is not None
            effect = (
                f"{_name(entry, inputs)}{field_text(entry, 'effect')}"
                if entry is not None and entry.estimate is not None
                else DASH
            )
            rows.append(
                (
                    item.title if place == 0 else "",
                    reading.label,
                    *(format_value(number, "count") for number in numbers),
                    effect,
                    p_adjusted(entry) if tested and entry is not None else DASH,
                )
            )
    caption = (
        "What each piece of evidence says: tests that speak for the claim or against it after correction, those that "
        "speak for neither, and those that could not be run; then the result with the smallest p."
    )
    return TableSpec("claim-evidence", columns, tuple(rows), caption)


def _name(entry: Entry, inputs: Inputs) -> str:
    """Return the asset of an entry as a lead-in, where it has one."""
    known = entry.effect if entry.effect != inputs.plan.small_cap else entry.cause
    return f"{inputs.label(known)}: " if known in inputs.catalog else ""
