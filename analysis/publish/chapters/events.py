"""The chapter after record highs: path figure, tables by horizon, variant and declared event, and sentences."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.figures import events as event_figures
from analysis.figures.style import FigureSpec
from analysis.publish.anchors import marked
from analysis.publish.chapters import events_words
from analysis.publish.chapters.events_words import ASSET_WORDS, asset_label, matched, record_entries
from analysis.publish.values import field_text, format_level, format_value
from analysis.stats.eventstudy.matched_result import EventPath
from analysis.study.areas.events_data import BASKET
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.tables.table import Column, TableSpec

FIGURES: tuple[str, ...] = ("events",)

# Rows of the table of twins: family, and what differs from the headline.
TWINS = (
    ("events-market", "less the part of large caps"),
    ("events-intraday", "records within the session"),
    ("events-total", "records with dividends"),
    ("events-spaced", "episodes that share no outcome"),
)
KIND_WORDS = {
    "listing": "New listings and products",
    "regulation": "Regulation",
    "protocol": "Protocol changes",
    "failure": "Failures",
}


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the path figure where at least one path exists."""
    parts = []
    small = key(inputs.plan.small_cap)
    for asset in (inputs.plan.crypto[0], BASKET):
        entry = ledger.entry(f"event-path.{small}.{key(asset)}")
        result = entry.loaded() if entry.status == "ok" else None
        if isinstance(result, EventPath):
            parts.append(result.to_frame().assign(label=asset_label(inputs, entry.effect)))
    if not parts:
        return {}
    level = format_level(1 - inputs.config.level)
    caption = (
        "What followed record closes of small caps, beside what followed dates with a similar trailing return and "
        f"volatility of small caps. Shaded: {level} of placebo calendars at each session."
    )
    frame = pd.concat(parts, ignore_index=True)
    return {"events": event_figures.paths(frame, name="events", caption=caption, level=level)}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return the tables of the chapter."""
    return {
        "events": _by_horizon(ledger, inputs),
        "events-altcoins": _altcoins(ledger, inputs),
        "events-twins": _twins(ledger, inputs),
        "events-episodes": _episodes(ledger, inputs),
        "events-declared": _declared(ledger, inputs),
    }


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return the sentences of the chapter; `answer` is the one-sentence answer."""
    return events_words.sentences(ledger, inputs)


def _by_horizon(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        Column("Asset", weight=15),
        Column("Sessions", "right", weight=8),
        Column("Episodes", "right", weight=8),
        Column("Disjoint", "right", weight=8),
        Column("After records", "right", weight=9),
        Column("Matched dates", "right", weight=9),
        Column("Difference", "right", weight=22),
        Column("p adj.", "right", weight=8),
        Column("Detectable", "right", weight=9),
    )
    rows = []
    for asset in (inputs.plan.crypto[0], BASKET):
        for end, entry in record_entries(ledger, inputs, "event", asset):
            result = matched(entry)
            name = marked(entry, asset_label(inputs, asset))
            if result is None:
                rows.append((name, _count(end), *["n/a"] * 7))
                continue
            rows.append(
                (
                    name,
                    _count(end),
                    field_text(entry, "n"),
                    _count(result.independent_episodes),
                    _percent(result.average),
                    _percent(result.matched),
                    field_text(entry, "effect"),
                    field_text(entry, "p_adj"),
                    _percent(result.detectable),
                )
            )
    caption = (
        "After record closes of small caps: average cumulative log return in percent, the same after matched dates, "
        f"and the difference with its {format_level(1 - inputs.config.level)} interval. Detectable: the difference "
        "this test would find four times in five, before correction. Disjoint: as many as share no session."
    )
    return TableSpec("events", columns, tuple(rows), caption)


def _altcoins(ledger: Ledger, inputs: Inputs) -> TableSpec:
    horizons = inputs.config.events.horizons
    columns = (
        Column("Asset", weight=15),
        Column("Episodes", "right", weight=8),
        *(Column(f"{end} sessions", "right", weight=20) for end in horizons),
        Column("Smallest p adj.", "right", weight=13),
    )
    rows = []
    for asset in inputs.plan.crypto[1:]:
        entries = [entry for _, entry in record_entries(ledger, inputs, "event", asset)]
        known = [entry for entry in entries if entry.status == "ok"]
        label = asset_label(inputs, asset)
        if not known:
            rows.append((label, "too few", *(marked(entry, "n/a") for entry in entries), "n/a"))
            continue
        rows.append(
            (
                label,
                " to ".join(dict.fromkeys(_count(n) for n in (min(_n(known)), max(_n(known))))),
                *(marked(entry, _effect(entry)) for entry in entries),
                _smallest(known),
            )
        )
    caption = (
        "Altcoins after record closes of small caps: log return in percent above matched dates, with 95% interval. "
        "p adj. corrects over all assets, the basket and all horizons."
    )
    return TableSpec("events-altcoins", columns, tuple(rows), caption)


def _twins(ledger: Ledger, inputs: Inputs) -> TableSpec:
    horizons = inputs.config.events.horizons
    columns = (
        Column("Variant", weight=29),
        Column("Asset", weight=17),
        *(Column(f"{end} sessions", "right", weight=20) for end in horizons),
        Column("Smallest p adj.", "right", weight=13),
    )
    rows = []
    for family, words in TWINS:
        prefix = family.replace("events", "event", 1)
        for asset in (inputs.plan.crypto[0], BASKET):
            entries = [entry for _, entry in record_entries(ledger, inputs, prefix, asset)]
            cells = (marked(entry, _effect(entry)) for entry in entries)
            known = [entry for entry in entries if entry.status == "ok"]
            rows.append((words, asset_label(inputs, asset), *cells, _smallest(known)))
    caption = (
        "The same question posed otherwise: log return in percent above matched dates, with 95% interval. These "
        "rows decide no claim."
    )
    return TableSpec("events-twins", columns, tuple(rows), caption)


def _episodes(ledger: Ledger, inputs: Inputs) -> TableSpec:
    """List the episodes with what followed for the first asset, where the outcome is known."""
    asset = inputs.plan.crypto[0]
    entries = record_entries(ledger, inputs, "event", asset)
    outcomes = {
        end: {int(row[0]): row[1:] for row in result.outcomes}
        for end, entry in entries
        if (result := matched(entry)) is not None
    }
    columns = (
        Column("Episode starts", weight=14),
        *(Column(f"{end} sessions", "right", weight=10) for end, _ in entries),
        *(Column(f"matched, {end}", "right", weight=12) for end, _ in entries),
    )
    rows = []
    for position in sorted({row for found in outcomes.values() for row in found}):
        pairs = [outcomes.get(end, {}).get(position) for end, _ in entries]
        day = format_value(str(inputs.dates[position].date()), "date")
        rows.append((day, *(_part(pair, 0) for pair in pairs), *(_part(pair, 1) for pair in pairs)))
    caption = (
        f"Every episode of record closes and what {asset_label(inputs, asset)} did afterwards: cumulative log return "
        "in percent, and that of matched dates at the volatility of the episode."
    )
    return TableSpec("events-episodes", columns, tuple(rows), caption)


def _declared(ledger: Ledger, inputs: Inputs) -> TableSpec:
    horizons = inputs.config.events.declared_horizons
    columns = (
        Column("Kind of event", weight=24),
        Column("Asset", weight=13),
        Column("Events", "right", weight=8),
        *(Column(f"{end} sessions", "right", weight=20) for end in horizons),
        Column("Smallest p adj.", "right", weight=13),
    )
    rows = []
    for kind, words in KIND_WORDS.items():
        for asset in (inputs.plan.crypto[0], BASKET, inputs.plan.small_cap):
            entries = [ledger.entry(f"event-{kind}.{key(asset)}.h{end}") for end in horizons]
            known = [entry for entry in entries if entry.status == "ok"]
            number = field_text(known[0], "n") if known else "too few"
            cells = (marked(entry, _effect(entry)) for entry in entries)
            rows.append((words, asset_label(inputs, asset), number, *cells, _smallest(known)))
    caption = (
        f"From the day of a declared event on: log return in percent above dates before which "
        f"{asset_label(inputs, inputs.plan.crypto[0])} had done alike, with 95% interval. p adj. corrects over all "
        "kinds, assets and horizons."
    )
    return TableSpec("events-declared", columns, tuple(rows), caption)


def _effect(entry: Entry) -> str:
    return field_text(entry, "effect") if entry.status == "ok" else "n/a"


def _smallest(known: Sequence[Entry]) -> str:
    values = [entry.pvalue_adjusted for entry in known if entry.pvalue_adjusted is not None]
    return format_value(min(values), "p") if values else "n/a"


def _n(entries: Sequence[Entry]) -> list[int]:
    return [entry.nobs or 0 for entry in entries]


def _part(pair: Sequence[float] | None, place: int) -> str:
    return "not yet" if pair is None else _percent(pair[place])


def _percent(value: float) -> str:
    return format_value(value, "statistic")


def _count(value: int) -> str:
    return format_value(value, "count")


__all__ = ["ASSET_WORDS", "FIGURES", "figures", "sentences", "tables"]
