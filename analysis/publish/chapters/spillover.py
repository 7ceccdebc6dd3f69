"""Exhibits on spillover: does risk pass where return does not, how connected the markets are, how correlation moves."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from analysis.figures import spillover as draw
from analysis.figures.style import FigureSpec
from analysis.publish.anchors import marked
from analysis.publish.chapters.spillover_words import DIRECTIONS, find, pair, pair_id, sentences
from analysis.publish.values import field_text, format_value
from analysis.stats.connectedness.rolling import RollingConnectedness
from analysis.stats.connectedness.spill import SpillResult
from analysis.stats.volatility.correlation import DynamicCorrelation
from analysis.study.areas.spillover import MEASURES
from analysis.study.areas.spillover_run import rolling_dates
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.tables.table import Column, TableSpec

__all__ = ["FIGURES", "figures", "sentences", "tables"]

FIGURES: tuple[str, ...] = ("spillover", "spillover-rolling", "spillover-correlation")
_CLOCKS = {"after": "ends after the close", "before": "ended before the close"}


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return net connectedness, its path over windows, and that of the first asset's correlation, where they exist."""
    made = {
        "spillover": _net(ledger),
        "spillover-rolling": _rolling(ledger, inputs),
        "spillover-correlation": _path(ledger, inputs),
    }
    return {name: figure for name, figure in made.items() if figure is not None}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return the tables: tests of variance both ways, connectedness by measure and clock, bands, correlations."""
    made = (_variance(ledger, inputs), _connectedness(ledger), _bands(ledger), _correlations(ledger, inputs))
    return {table.name: table for table in made}


# --- figures ---------------------------------------------------------------------------------------------------------


def _net(ledger: Ledger) -> FigureSpec | None:
    rows = []
    for measure in ("returns", "volatility"):
        for clock in _CLOCKS:
            entry = find(ledger, f"spillover-connectedness.{measure}.{clock}")
            result = entry.loaded() if entry is not None and entry.status == "ok" else None
            if not isinstance(result, SpillResult):
                continue
            for name in result.names:
                low, high = result.limits[f"net of {name}"]
                rows.append(
                    {
                        "measure": MEASURES[measure].capitalize(),
                        "label": name,
                        "clock": clock,
                        "estimate": result.values[f"net of {name}"],
                        "lower": low,
                        "upper": high,
                    }
                )
    if not rows:
        return None
    caption = (
        "Who gives and who receives: share of the forecast errors of all other series that a series' shocks explain, "
        "less "
        "the share of its own that comes from them, with 95% intervals. A giver must stand out under the clock that "
        "speaks against it: equities under the filled mark, crypto under the open one."
    )
    return draw.net(pd.DataFrame(rows), name="spillover", caption=caption)


def _rolling(ledger: Ledger, inputs: Inputs) -> FigureSpec | None:
    parts = []
    for measure in ("returns", "volatility"):
        entry = find(ledger, f"spillover-rolling.{measure}")
        result = entry.loaded() if entry is not None and entry.status == "ok" else None
        if not isinstance(result, RollingConnectedness):
            continue
        frame = result.to_frame()
        total = frame[frame["measure"] == "total"]
        dates = rolling_dates(inputs, measure)
        parts.append(
            pd.DataFrame(
                {
                    "measure": MEASURES[measure],
                    "date": dates[total["end"].to_numpy(dtype=int)].strftime("%Y-%m-%d"),
                    "estimate": total["estimate"].to_numpy(dtype=float),
                    "lower": total["lower"].to_numpy(dtype=float),
                    "upper": total["upper"].to_numpy(dtype=float),
                }
            )
        )
    if not parts:
        return None
    weeks = format_value(inputs.config.spillover.rolling_weeks, "count")
    caption = (
        f"Total connectedness of the system in moving windows of {weeks} weeks, by the end of the window, with 95% "
        "intervals at some ends; the crypto day ends after the equity close."
    )
    return draw.rolling(pd.concat(parts, ignore_index=True), name="spillover-rolling", caption=caption)


def _path(ledger: Ledger, inputs: Inputs) -> FigureSpec | None:
    asset = inputs.plan.crypto[0]
    entry = find(ledger, f"{pair_id(inputs, asset)}.latest")
    result = entry.loaded() if entry is not None and entry.status == "ok" else None
    if not isinstance(result, DynamicCorrelation):
        return None
    path, band = result.path(), result.correlation_interval
    known = np.isfinite(path)
    nothing = np.full(int(known.sum()), math.nan)
    frame = pd.DataFrame(
        {
            "date": inputs.dates[known].strftime("%Y-%m-%d"),
            "estimate": path[known],
            "lower": nothing if band is None else band[known, 0, 0],
            "upper": nothing if band is None else band[known, 0, 1],
        }
    )
    small, other = inputs.label(inputs.plan.small_cap), inputs.label(asset)
    caption = (
        f"How the same-session correlation of {small} and {other} moves: dynamic conditional correlation, each value "
        "made from earlier sessions. Shaded: pointwise 95% band for the parameters."
    )
    return draw.correlation(frame, name="spillover-correlation", caption=caption, asset=other, small=small)


# --- tables ----------------------------------------------------------------------------------------------------------


def _variance(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        Column("Asset", weight=11),
        Column("Small caps to crypto", "right", weight=20),
        Column("p adj.", "right", weight=7),
        Column("beside", "right", weight=7),
        Column("Crypto to small caps", "right", weight=20),
        Column("p adj.", "right", weight=7),
        Column("beside", "right", weight=7),
        Column("N", "right", weight=7),
    )
    rows = []
    for asset in inputs.plan.crypto:
        cells: list[str] = []
        nobs = "n/a"
        for direction in DIRECTIONS:
            alone = pair(ledger, f"spillover-variance-{direction}", asset)
            beside = pair(ledger, f"spillover-variance-{direction}-conditional", asset)
            cells += [_cell(alone, "effect", mark=True), _cell(alone, "p_adj"), _cell(beside, "p_adj", mark=True)]
            nobs = _cell(alone, "n") if direction == "lead" else nobs
        rows.append((inputs.label(asset), *cells, nobs))
    caption = (
        "Does volatility pass: percent by which the squared shocks of the second move over "
        f"{format_value(inputs.config.lags, 'count')} sessions for a one percent larger squared shock of the first, "
        "with "
        "95% interval; p adj. alone and beside the drivers' volatility. Strictly predictive clock of each "
        "direction."
    )
    return TableSpec("spillover", columns, tuple(rows), caption)


def _connectedness(ledger: Ledger) -> TableSpec:
    columns = (
        Column("Measure", weight=16),
        Column("Crypto day", weight=22),
        Column("Total", "right", weight=17),
        Column("To crypto", "right", weight=17),
        Column("From crypto", "right", weight=17),
        Column("Net", "right", weight=17),
        Column("N", "right", weight=7),
    )
    rows = []
    for measure, words in MEASURES.items():
        for clock, when in _CLOCKS.items():
            base = f"spillover-connectedness.{measure}.{clock}"
            whole = find(ledger, base)
            parts = [find(ledger, f"{base}.{part}") for part in ("given", "received", "net")]
            rows.append(
                (
                    words.capitalize(),
                    when,
                    _cell(whole, "effect", mark=True, reason=True),
                    *(_cell(entry, "effect", mark=True) for entry in parts),
                    _cell(whole, "n"),
                )
            )
    caption = (
        "Connectedness of the system, percent of forecast error variance with 95% interval: the total from other "
        "series; "
        "the mean share of a crypto asset that small caps explain; the mean share of small caps that a crypto asset "
        "explains; their difference."
    )
    return TableSpec("spillover-connectedness", columns, tuple(rows), caption)


def _bands(ledger: Ledger) -> TableSpec:
    columns = (
        Column("Measure", weight=14),
        Column("Cycles", weight=16),
        Column("Total", "right", weight=18),
        Column("Net to crypto", "right", weight=18),
    )
    cycles = {
        "returns": ("longer than a month", "a week to a month", "shorter than a week"),
        "volatility": ("longer than a quarter", "one to three months", "shorter than a month"),
    }
    rows = []
    for measure, words in cycles.items():
        for part, length in zip(("long", "medium", "short"), words, strict=True):
            base = f"spillover-connectedness.{measure}.after.{part}"
            total, net = (find(ledger, f"{base}-{what}") for what in ("total", "net"))
            rows.append(
                (
                    MEASURES[measure].capitalize(),
                    length,
                    _cell(total, "effect", mark=True),
                    _cell(net, "effect", mark=True),
                )
            )
    caption = (
        "Connectedness by the length of the swing, percent of the whole variance with 95% interval; the crypto day "
        "ends after the equity close."
    )
    return TableSpec("spillover-bands", columns, tuple(rows), caption)


def _correlations(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        Column("Asset", weight=11),
        Column("Mean", "right", weight=8),
        Column("Lowest", "right", weight=8),
        Column("Highest", "right", weight=8),
        Column("Latest", "right", weight=18),
        Column("At", "right", weight=11),
        Column("p adj. of constancy", "right", weight=9),
        Column("N", "right", weight=7),
    )
    rows = []
    for asset in inputs.plan.crypto:
        base = pair_id(inputs, asset)
        test, last = find(ledger, base), find(ledger, f"{base}.latest")
        numbers = [_cell(find(ledger, f"{base}.{part}"), "estimate") for part in ("mean", "lowest", "highest")]
        rows.append(
            (
                inputs.label(asset),
                *numbers,
                _cell(last, "effect", mark=True, reason=True),
                "n/a" if last is None or not last.end else last.end,
                _cell(test, "p_adj", mark=True),
                _cell(test, "n"),
            )
        )
    caption = (
        "Same-session correlation with small caps from day to day: its mean and range, the latest with 95% interval, "
        "and p adj. of the test that it is constant."
    )
    return TableSpec("spillover-correlation", columns, tuple(rows), caption)


def _cell(entry: Entry | None, field: str, *, mark: bool = False, reason: bool = False) -> str:
    """Return a cell: the field, or "n/a" (the reason where there is room); marked where the result is cited."""
    if entry is None:
        return "n/a"
    absent = field_text(entry, field) if reason else "n/a"
    text = field_text(entry, field) if entry.status == "ok" else absent
    return marked(entry, text) if mark else text
