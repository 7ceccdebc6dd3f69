"""The monitor's exhibits: where things stand, whether crypto follows small caps, and what moved."""

from __future__ import annotations

import math

import pandas as pd

from analysis.figures import monitor
from analysis.figures.style import FigureSpec, word_list
from analysis.publish.anchors import marked
from analysis.publish.chapters.cells import count_words
from analysis.publish.values import field_text, format_value
from analysis.stats.crosscorr_rolling import RollingCorrelation
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.settings import Watch
from analysis.tables.table import Column, TableSpec

FIGURES = ("monitor-positions", "monitor-link")
# Sessions after which an asset's last observation is too old to speak of now.
STALE_DAYS = 10
_MOST_MOVED = 3


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the positions, and the rolling correlation of the first asset when there is one."""
    settings = inputs.config.monitor
    rows = []
    for item, now in _watched(ledger, inputs):
        known = now.status == "ok"
        rows.append(
            {
                "title": item.title,
                "now": _value(now, item.unit) if known else "",
                "rank": ledger.entry(f"{now.id}.rank").estimate if known else math.nan,
                "rank_before": ledger.entry(f"{now.id}.before.rank").estimate if known else math.nan,
            }
        )
    frame = pd.DataFrame(rows).astype({"rank": float, "rank_before": float})
    caption = "Where each watched quantity stands in its own history since the study begins, with its latest value."
    made = {
        FIGURES[0]: monitor.positions(frame, name=FIGURES[0], caption=caption, outer=settings.outer, back=settings.back)
    }
    path = _link(ledger, inputs)
    return made if path is None else made | {FIGURES[1]: path}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return the table of quantities and the table of assets."""
    return {"monitor-watch": _watch_table(ledger, inputs), "monitor-link": _link_table(ledger, inputs)}


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Say what is unusual, what moved, and what crypto does with the move of small caps."""
    return {
        "answer": f"{_link_sentence(ledger, inputs)} {_unusual(ledger, inputs)}",
        "moved": _moved(ledger, inputs),
        "rule": _rule(inputs),
    }


def _watched(ledger: Ledger, inputs: Inputs) -> list[tuple[Watch, Entry]]:
    return [(item, ledger.entry(f"monitor.{item.name}")) for item in inputs.config.monitor.watched]


def _value(entry: Entry, unit: str) -> str:
    text = format_value(entry.estimate, "level")
    return f"{text}{unit}" if unit == "%" else text


def _link(ledger: Ledger, inputs: Inputs) -> FigureSpec | None:
    asset = inputs.plan.crypto[0]
    entry = ledger.entry(f"monitor.link.{key(asset)}")
    result = entry.loaded() if entry.status == "ok" and entry.result else None
    if not isinstance(result, RollingCorrelation):
        return None
    values = inputs.returns("after", (asset, inputs.plan.small_cap))
    dates = inputs.dates[~pd.isna(values).any(axis=1)]
    frame = pd.DataFrame(
        {
            "date": dates[result.position].strftime("%Y-%m-%d"),
            "estimate": result.estimate,
            "lower": result.lower,
            "upper": result.upper,
        }
    )
    subject = f"Same-session correlation of {inputs.label(asset)} and small caps over {result.window} sessions"
    return monitor.link(frame, name=FIGURES[1], caption=f"{subject}, with its pointwise interval.", subject=subject)


def _watch_table(ledger: Ledger, inputs: Inputs) -> TableSpec:
    back = inputs.config.monitor.back
    columns = (
        Column("Quantity", weight=30),
        Column("Unit", weight=10),
        Column("Now", "right", weight=10),
        Column("Place now", "right", weight=10),
        Column(f"{back} sessions before", "right", weight=12),
        Column("Place then", "right", weight=10),
        Column("Dated", weight=12),
        Column("N", "right", weight=8),
    )
    rows = []
    for item, now in _watched(ledger, inputs):
        if now.status != "ok":
            rows.append((marked(now, item.title), item.unit, f"not applicable: {now.reason}", *["–"] * 5))
            continue
        before = ledger.entry(f"{now.id}.before")
        rows.append(
            (
                item.title,
                item.unit,
                marked(now, format_value(now.estimate, "level")),
                _share(ledger, f"{now.id}.rank"),
                marked(before, format_value(before.estimate, "level")),
                _share(ledger, f"{now.id}.before.rank"),
                now.end,
                field_text(now, "n"),
            )
        )
    caption = (
        "The watched quantities: latest value, its place (the share of its own history that lies below it), both some "
        "sessions before, and the day of the observation, or of its publication where a week or a month is reported. "
        "N: sessions of history."
    )
    return TableSpec("monitor-watch", columns, tuple(rows), caption)


def _link_table(ledger: Ledger, inputs: Inputs) -> TableSpec:
    settings = inputs.config.monitor
    columns = (
        Column("Asset", weight=12),
        Column(f"Correlation, {settings.window} sessions", weight=20),
        Column("Place", "right", weight=8),
        *(
            column
            for horizon in settings.horizons
            for column in (
                Column(f"Gap, {horizon} sessions", "right", weight=10),
                Column("Place", "right", weight=8),
                Column("Reading", weight=10),
            )
        ),
        Column("As of", weight=12),
    )
    rows = []
    for asset in inputs.plan.crypto:
        entry = ledger.entry(f"monitor.link.{key(asset)}")
        if entry.status != "ok":
            blanks = ["–"] * (len(columns) - 2)
            rows.append((marked(entry, inputs.label(asset)), f"not applicable: {entry.reason}", *blanks))
            continue
        cells = [marked(entry, field_text(entry, "effect")), _share(ledger, f"{entry.id}.rank")]
        for horizon in settings.horizons:
            gap = ledger.entry(f"{entry.id}.{horizon}.gap")
            cells += [marked(gap, f"{format_value(gap.estimate, 'level')}%")]
            cells += [_share(ledger, f"{entry.id}.{horizon}.gap-rank"), _reading(gap)]
        rows.append((inputs.label(asset), *cells, entry.end))
    caption = (
        "Each asset against small caps: rolling correlation with its 95% interval; gap: the log return beyond what its "
        "beta to small caps gives; place: the share of the history of the number before it that lies below it."
    )
    return TableSpec("monitor-link", columns, tuple(rows), caption)


def _share(ledger: Ledger, name: str) -> str:
    entry = ledger.entry(name)
    return marked(entry, format_value(entry.estimate, "percent"))


def _reading(gap: Entry) -> str:
    return gap.summary.partition(":")[0]


def _current(ledger: Ledger, inputs: Inputs) -> list[Entry]:
    """Return the links of the assets whose last observation is recent."""
    entries = [ledger.entry(f"monitor.link.{key(asset)}") for asset in inputs.plan.crypto]
    last = inputs.dates[-1]
    return [entry for entry in entries if entry.status == "ok" and (last - pd.Timestamp(entry.end)).days <= STALE_DAYS]


def _link_sentence(ledger: Ledger, inputs: Inputs) -> str:
    current, horizon = _current(ledger, inputs), inputs.config.monitor.horizons[0]
    if not current:
        return "No asset has data recent enough to say whether crypto follows small caps now."
    first = current[0]
    gap = ledger.entry(f"{first.id}.{horizon}.gap")
    words = {
        "confirms": "confirms the move",
        "diverges": "diverges from it",
        "undecided": "says nothing clear",
    }
    moved, followed = (format_value(ledger.entry(f"{first.id}.{horizon}.{part}").estimate, "level")
                       for part in ("moved", "followed"))  # fmt: skip
    readings = [_reading(ledger.entry(f"{entry.id}.{horizon}.gap")) for entry in current]
    name = inputs.label(first.effect)
    return (
        f"Over the {format_value(horizon, 'count')} sessions to {format_value(first.end, 'long_date')} small caps "
        f"moved {moved} and {name} {followed} percent (log returns): {name} "
        f"{words[_reading(gap)]}. Of {format_value(len(current), 'count')} assets with recent data "
        f"{count_words(readings.count('confirms'))} confirm and {count_words(readings.count('diverges'))} diverge."
    )


def _unusual(ledger: Ledger, inputs: Inputs) -> str:
    outer = inputs.config.monitor.outer
    ranks = [
        (item.title, rank)
        for item, now in _watched(ledger, inputs)
        if now.status == "ok" and (rank := ledger.entry(f"{now.id}.rank").estimate) is not None
    ]
    high = [title for title, rank in ranks if rank > 1 - outer]
    low = [title for title, rank in ranks if rank < outer]
    if not high and not low:
        return "None of the watched quantities is unusual against its own history."
    share = format_value(outer, "percent")
    parts = [f"in the highest {share} of their history: {word_list(high)}"] if high else []
    parts += [f"in the lowest {share}: {word_list(low)}"] if low else []
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "."


def _moved(ledger: Ledger, inputs: Inputs) -> str:
    moves = []
    for item, now in _watched(ledger, inputs):
        if now.status != "ok":
            continue
        rank, before = (ledger.entry(f"{now.id}{tail}").estimate or 0.0 for tail in (".rank", ".before.rank"))
        moves.append((-abs(rank - before), item.title, before, rank))
    shown = sorted(moves)[:_MOST_MOVED]
    if not shown:
        return "Nothing that is watched is in the data."
    parts = [
        f"{title} (from above {format_value(before, 'percent')} of its history to {format_value(rank, 'percent')})"
        for _, title, before, rank in shown
    ]
    return f"What moved most within its own history over {_back(inputs)} sessions: {word_list(parts)}."


def _rule(inputs: Inputs) -> str:
    settings = inputs.config.monitor
    return (
        f"The expected return is the move of small caps times the beta of the {format_value(settings.window, 'count')} "
        "sessions before the move began. An asset *diverges* when its distance from that lies in the outer "
        f"{format_value(settings.outer, 'percent')} of its history on either side, and *confirms* when it lies within "
        "and both moved the same way."
    )


def _back(inputs: Inputs) -> str:
    return format_value(inputs.config.monitor.back, "count")
