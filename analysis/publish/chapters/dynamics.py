"""Exhibits of the response paths: small multiples, size, timing, equality over assets, and states."""

from __future__ import annotations

import pandas as pd

from analysis.figures import dynamics
from analysis.figures.style import FigureSpec
from analysis.publish.anchors import marked
from analysis.publish.chapters.cells import state_label
from analysis.publish.chapters.dynamics_words import answer, equality, later, same_session, shares, states
from analysis.publish.values import absence, field_text, format_value
from analysis.stats.dynamics import LocalProjection, StateLocalProjection
from analysis.study.areas.dynamics_run import group_of
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.tables.table import Column, TableSpec

FIGURES: tuple[str, ...] = ("dynamics-paths",)
ABSENT = "n/a"
TWINS = ("bivariate", "conditional")
_ASSET = Column("Asset", weight=12)


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the small multiples of response paths."""
    parts = [
        frame
        for asset in inputs.plan.crypto
        for twin in TWINS
        if (frame := _path_rows(response(ledger, inputs, asset, "path", twin), inputs, twin)) is not None
    ]
    if not parts:
        return {}
    caption = (
        "What follows an unexpected one percent rise of small caps, summed from the same session on: alone (line, "
        "shaded) and beside the common drivers (thin line, dashed). A band holds a whole path with 95% probability."
    )
    frame = pd.concat(parts, ignore_index=True)
    return {"dynamics-paths": dynamics.paths(frame, name="dynamics-paths", caption=caption)}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return the tables of size, timing, equality and states."""
    made = (_size(ledger, inputs), _timing(ledger, inputs), _equality(ledger, inputs), _states(ledger, inputs))
    return {table.name: table for table in made}


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return the sentences of the chapter."""
    return {
        "answer": answer(ledger, inputs),
        "later": later(ledger, inputs),
        "equality": equality(ledger, inputs),
        "states": states(ledger, inputs),
        "shares": shares(ledger, inputs),
    }


def response(ledger: Ledger, inputs: Inputs, asset: str, part: str, twin: str) -> Entry:
    """Return the entry of one response path."""
    return ledger.entry(f"response.{key(inputs.plan.small_cap)}.{key(asset)}.after.{part}.{twin}")


def _projection(entry: Entry) -> LocalProjection | None:
    found = entry.loaded() if entry.status == "ok" else None
    return found if isinstance(found, LocalProjection) else None


def _path_rows(entry: Entry, inputs: Inputs, twin: str) -> pd.DataFrame | None:
    found = _projection(entry)
    if found is None:
        return None
    frame = found.to_frame()
    return pd.DataFrame(
        {
            "label": inputs.label(entry.effect),
            "twin": twin,
            "horizon": frame["horizon"].astype(int),
            "estimate": frame["estimate"],
            "lower": frame["joint_lower"],
            "upper": frame["joint_upper"],
        }
    )


def _first(entry: Entry) -> str:
    return format_value(same_session(entry), "effect") if entry.status == "ok" else ABSENT


def _effect(entry: Entry) -> str:
    return field_text(entry, "effect") if entry.status == "ok" else ABSENT


def _p(entry: Entry) -> str:
    return field_text(entry, "p_adj") if entry.status == "ok" and entry.pvalue_adjusted is not None else ABSENT


def _size(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Same session alone", "right", weight=16),
        Column("after a month", "right", weight=16),
        Column("Same session beside", "right", weight=16),
        Column("after a month", "right", weight=16),
        Column("N", "right", weight=6),
    )
    rows = []
    for asset in inputs.plan.crypto:
        alone, beside = (response(ledger, inputs, asset, "path", twin) for twin in TWINS)
        rows.append(
            (
                inputs.label(asset),
                _first(alone) if alone.status == "ok" else absence(alone, "estimate"),
                marked(alone, _effect(alone)),
                _first(beside),
                marked(beside, _effect(beside)),
                field_text(alone, "n") if alone.status == "ok" else ABSENT,
            )
        )
    last = inputs.config.dynamics.horizon
    caption = (
        "Size of the response to an unexpected one percent rise of small caps, in percent: in the same session, and "
        f"summed over it and the {last} sessions after; alone and beside the common drivers, with 95% intervals."
    )
    return TableSpec("dynamics-size", columns, tuple(rows), caption)


def _horizon(point: int, ends: tuple[int, int]) -> str:
    low, high = (format_value(int(end), "count") for end in ends)
    return f"{format_value(int(point), 'count')} [{low}, {high}]"


def _share(entry: Entry) -> str:
    if entry.status != "ok" or entry.estimate is None or entry.lower is None or entry.upper is None:
        return ABSENT
    low, high = (format_value(end, "percent") for end in (entry.lower, entry.upper))
    return f"{format_value(entry.estimate, 'percent')} [{low}, {high}]"


def _timing(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Half by session", "right", weight=11),
        Column("Peak at session", "right", weight=11),
        Column("Later alone", "right", weight=9),
        Column("beside", "right", weight=8),
        Column("Share of variance", "right", weight=18),
        Column("One session ahead", "right", weight=18),
    )
    rows = []
    for asset in inputs.plan.crypto:
        found = _projection(response(ledger, inputs, asset, "path", "bivariate"))
        half = peak = ABSENT
        if found is not None and found.half and found.half_interval and found.peak and found.peak_interval:
            half = _horizon(found.half[0], found.half_interval[0])
            peak = _horizon(found.peak[0], found.peak_interval[0])
        name = f"response-share.{key(inputs.plan.small_cap)}.{key(asset)}"
        share = ledger.entry(name)
        first = ledger.entry(f"{name}.first") if share.status == "ok" else None
        after = (response(ledger, inputs, asset, "later", twin) for twin in TWINS)
        rows.append(
            (
                inputs.label(asset),
                half,
                peak,
                *(marked(entry, _p(entry)) for entry in after),
                marked(share, _share(share)),
                marked(first, _share(first)) if first is not None else ABSENT,
            )
        )
    last = inputs.config.dynamics.horizon
    caption = (
        "Timing of the response: the session by which half of the largest sum has come and that of the largest, with "
        "95% intervals; p adj. of no response in any later session, strictly predictive; and the share of the "
        f"variance of daily crypto returns that small caps explain, {last} sessions and one session ahead, when they "
        "come first."
    )
    return TableSpec("dynamics-timing", columns, tuple(rows), caption)


def _equality(ledger: Ledger, inputs: Inputs) -> TableSpec:
    week, month = (
        format_value(n, "count") for n in (inputs.config.dynamics.sum_horizon, inputs.config.dynamics.horizon)
    )
    nulls = {
        "path": f"One path, same session to {month} sessions later",
        "later": f"One path in the {month} later sessions",
        "timing": f"One share that comes later, within {week} sessions",
        "size": f"One sum after {week} sessions",
    }
    columns = (
        Column("What would be equal", weight=34),
        Column("Assets", "right", weight=7),
        Column("Widest gap alone", "right", weight=17),
        Column("p adj.", "right", weight=7),
        Column("Widest gap beside", "right", weight=17),
        Column("p adj.", "right", weight=7),
        Column("N", "right", weight=6),
    )
    rows = []
    for null, words in nulls.items():
        for group in ("all", "older"):
            name = f"response-equality.{null}.{key(inputs.plan.small_cap)}.{group}"
            alone, beside = (ledger.entry(f"{name}.{twin}") for twin in TWINS)
            known = alone if alone.status == "ok" else beside
            rows.append(
                (
                    words,
                    format_value(len(group_of(group, inputs)), "count"),
                    _effect(alone),
                    marked(alone, _p(alone)),
                    _effect(beside),
                    marked(beside, _p(beside)),
                    field_text(known, "n") if known.status == "ok" else ABSENT,
                )
            )
    caption = (
        "Do all assets respond alike? Tests on the sessions that all of them have, alone and beside the common "
        "drivers. Widest gap: largest less smallest response at the horizon that differs most, or the later response "
        "least in step with the first; intervals allow for picking it, and p adj. corrects over all rows."
    )
    return TableSpec("dynamics-equality", columns, tuple(rows), caption)


def _states(ledger: Ledger, inputs: Inputs) -> TableSpec:
    names = inputs.config.dynamics.states
    columns = [_ASSET]
    for name in names:
        words = state_label(name)
        columns += [
            Column(f"{words}: difference", "right", weight=17),
            Column("p adj.", "right", weight=7),
            Column("N in it", "right", weight=8),
        ]
    rows = []
    for asset in inputs.plan.crypto:
        cells = []
        for name in names:
            entry = ledger.entry(f"response-state.{name}.{key(inputs.plan.small_cap)}.{key(asset)}")
            found = entry.loaded() if entry.status == "ok" else None
            inside = int(found.state_nobs[1]) if isinstance(found, StateLocalProjection) else None
            cells += [
                marked(entry, _effect(entry)),
                _p(entry),
                ABSENT if inside is None else format_value(inside, "count"),
            ]
        rows.append((inputs.label(asset), *cells))
    week = inputs.config.dynamics.sum_horizon
    caption = (
        f"Response after {week} sessions while a state holds less the response otherwise, in percent, with 95% "
        "intervals; p adj. of equal paths. The state is known a session before."
    )
    return TableSpec("dynamics-states", tuple(columns), tuple(rows), caption)
