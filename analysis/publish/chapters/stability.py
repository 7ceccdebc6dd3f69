"""The chapter on stability: the rolling response with its breaks, breaks by asset, and declared events."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from analysis.figures import stability
from analysis.figures.style import FigureSpec
from analysis.publish.anchors import marked
from analysis.publish.chapters.stability_words import changing, event_rows, family_of, parts_of, sentences
from analysis.publish.values import field_text, format_value
from analysis.stats.breaks.windows import RollingLink
from analysis.study.areas.stability_events import placebo_by_event, rows_before
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.tables.table import Column, TableSpec

__all__ = ["FIGURES", "figures", "sentences", "tables"]

FIGURES: tuple[str, ...] = ("stability",)
DASH = "–"


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the rolling response of the first asset, where it could be computed."""
    asset = inputs.plan.crypto[0]
    entry = ledger.entry(f"stability-rolling.{key(inputs.plan.small_cap)}.{key(asset)}")
    result = entry.loaded() if entry.status == "ok" else None
    if not isinstance(result, RollingLink):
        return {}
    days = inputs.dates.strftime("%Y-%m-%d")
    path = pd.DataFrame(
        {"date": days[result.position], "estimate": result.estimate, "lower": result.lower, "upper": result.upper}
    )
    stretches, breaks = parts_of(ledger, family_of(ledger, "stability-response")[asset])
    between = pd.DataFrame(
        [{"start": item.start, "end": item.end, "estimate": item.estimate} for item in stretches],
        columns=["start", "end", "estimate"],
    )
    found = pd.DataFrame(
        [
            {"date": before.end, "first": item.start or before.end, "last": item.end or before.end}
            for before, item in zip(stretches, breaks, strict=False)
        ],
        columns=["date", "first", "last"],
    )
    marks = pd.DataFrame(
        [
            {"date": when.isoformat(), "number": number}
            for number, when, _ in event_rows(inputs)
            if 0 < rows_before(inputs, when) < len(inputs.dates)
        ],
        columns=["date", "number"],
    )
    label = inputs.label(asset)
    caption = (
        f"Response of {label} to small caps within the session, in windows of {result.window} sessions by their end, "
        "with the response between breaks; a break is drawn where one more is found at the study's level in this "
        "asset's own tests. Numbers: the declared events, in the order of their table in the evidence."
    )
    drawn = stability.rolling_breaks(path, between, found, marks, name="stability", caption=caption, asset=label)
    return {"stability": drawn}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return tests by asset, responses between breaks, and declared events."""
    return {
        "stability": _tests(ledger, inputs),
        "stability-stretches": _stretches(ledger, inputs),
        "stability-events": _events(ledger, inputs),
    }


def _p(entry: Entry) -> str:
    return marked(entry, field_text(entry, "p_adj") if entry.status == "ok" else "n/a")


def _tests(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        Column("Asset", weight=12),
        Column("Breaks", "right", weight=7),
        Column("p, response", "right", weight=9),
        Column("beside drivers", "right", weight=9),
        Column("p, drift", "right", weight=9),
        Column("Correlation, after less before", "right", weight=12),
        Column("p", "right", weight=7),
        Column("p, lead", "right", weight=9),
        Column("N", "right", weight=8),
    )
    rows = []
    for asset in inputs.plan.crypto:
        main = family_of(ledger, "stability-response")[asset]
        correlation = family_of(ledger, "stability-correlation")[asset]
        known = correlation.status == "ok"
        rows.append(
            (
                inputs.label(asset),
                format_value(int(main.estimate or 0), "count") if main.status == "ok" else "n/a",
                _p(main),
                _p(family_of(ledger, "stability-response-conditional")[asset]),
                _p(family_of(ledger, "stability-drift")[asset]),
                field_text(correlation, "estimate") if known else "n/a",
                _p(correlation),
                _p(family_of(ledger, "stability-lead")[asset]),
                field_text(main, "n") if main.status == "ok" else DASH,
            )
        )
    caption = (
        "Is the link the same throughout? Number of breaks in the same-session response that the asset's own tests "
        "accept, then p adj. of: no break in the response, alone and beside the common drivers; no drift of "
        "it; a correlation that moves only as volatilities make it, with its change at the date of the largest "
        f"evidence; a constant lead of small caps ({format_value(inputs.config.stability.lags, 'count')} lags)."
    )
    return TableSpec("stability", columns, tuple(rows), caption)


def _stretches(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        Column("Asset", weight=10),
        Column("From", weight=9),
        Column("To", weight=9),
        Column("Response", "right", weight=16),
        Column("N", "right", weight=6),
        Column("Interval of the date", weight=18),
        Column("Change at the break", "right", weight=16),
    )
    rows: list[tuple[str, ...]] = []
    for asset in inputs.plan.crypto:
        main = family_of(ledger, "stability-response")[asset]
        stretches, breaks = parts_of(ledger, main)
        if not stretches:
            reason = main.reason or "no response could be estimated"
            rows.append((f"{inputs.label(asset)}: {reason}", *[DASH] * (len(columns) - 1)))
        for i, entry in enumerate(stretches):
            found = breaks[i] if i < len(breaks) else None
            between = DASH if found is None else _date_interval(found)
            rows.append(
                (
                    inputs.label(asset) if i == 0 else "",
                    entry.start,
                    entry.end,
                    marked(entry, field_text(entry, "effect")),
                    field_text(entry, "n"),
                    between,
                    DASH if found is None else marked(found, field_text(found, "effect")),
                )
            )
    caption = (
        "Same-session response between breaks, percent of crypto per percent of small caps, with 95% intervals (HC3), "
        "the 95% interval of the date that ends each stretch, and the change there. The dates were found in the same "
        "data, which makes changes look larger than they are."
    )
    return TableSpec("stability-stretches", columns, tuple(rows), caption)


def _date_interval(found: Entry) -> str:
    return f"{found.start} to {found.end}" if found.start else "no interval"


def _events(ledger: Ledger, inputs: Inputs) -> TableSpec:
    bitcoin = inputs.plan.crypto[0]
    label = inputs.label(bitcoin)
    columns = (
        Column("", "right", weight=3),
        Column("Day", weight=10),
        Column("Event", weight=25),
        Column(f"{label}, change of response", "right", weight=15),
        Column("p", "right", weight=6),
        Column("Assets that change", "right", weight=9),
        Column("Other dates", "right", weight=8),
        Column(f"{label}, change of lead", "right", weight=15),
        Column("p", "right", weight=6),
    )
    elsewhere = placebo_by_event(ledger, inputs)
    rows = [
        (number, when.isoformat(), title, *_event_cells(ledger, inputs, when, bitcoin, elsewhere))
        for number, when, title in event_rows(inputs)
    ]
    window = format_value(inputs.config.stability.window, "count")
    caption = (
        f"Declared events: {window} sessions before and after. Change of the same-session response and of the summed "
        f"lead coefficients of {label} with 95% intervals and p adj.; assets whose response changes after "
        "correction, of those that could be tested; and the share of all other dates at which at least as large a "
        "share of assets rejects without correction as at the event. A change beside an event is no proof that the "
        "event made it."
    )
    return TableSpec("stability-events", columns, tuple(rows), caption)


def _event_cells(
    ledger: Ledger, inputs: Inputs, when: dt.date, asset: str, elsewhere: dict[dt.date, float]
) -> tuple[str, ...]:
    response, lead = (
        ledger.entry(f"event-link.{link}.{when.isoformat()}.{key(asset)}") for link in ("response", "lead")
    )
    changed, tested = changing(ledger, inputs, "response", when)
    cells = []
    for entry in (response, lead):
        known = entry.status == "ok"
        cells += [
            marked(entry, field_text(entry, "effect") if known else "n/a"),
            field_text(entry, "p_adj") if known else DASH,
        ]
    count = f"{format_value(changed, 'count')} of {format_value(tested, 'count')}" if tested else DASH
    share = format_value(elsewhere[when], "percent") if when in elsewhere else DASH
    return (*cells[:2], count, share, *cells[2:])
