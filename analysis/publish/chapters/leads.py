"""The lead-lag chapter's exhibits: one overview figure, the path over time, and one table a direction."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from analysis.figures import overview, windows
from analysis.figures.style import FigureSpec
from analysis.publish.anchors import marked
from analysis.publish.values import field_text, format_value
from analysis.stats.granger_varying import TimeVaryingResult
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.run_chapter import CONTROL_WINDOW
from analysis.study.verdicts import decisive_pvalue, is_significant
from analysis.tables.table import Column, TableSpec

DIRECTIONS = ("lead", "reverse")

LEFT_OUT = "This study leaves the methods beyond the constant mean out."

# Question in the overview, its family (direction filled in), and whether it has a twin beside the common drivers.
QUESTIONS = (
    ("mean", "{direction}", True),
    ("slow swings", "frequency-{direction}-long", True),
    ("weeks", "frequency-{direction}-medium", True),
    ("days", "frequency-{direction}-short", True),
    ("at some date", "instability-{direction}", True),
    ("quantiles", "quantile-{direction}", True),
    ("nonlinear", "nonlinear-{direction}", True),
    ("variance (shocks)", "variance-{direction}-lm", False),
    ("variance (squares)", "variance-{direction}-ccf", False),
)


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the figures of the chapter whose data exist."""
    if not inputs.config.chapter:
        return {}
    made = {"overview": _overview(ledger, inputs)}
    path = _windows(ledger, inputs)
    return made if path is None else made | {"windows": path}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return, for each direction, strength and frequency in one table, the other questions in another."""
    made: dict[str, TableSpec] = {}
    if not inputs.config.chapter:
        return made
    for direction in DIRECTIONS:
        made[f"chapter-{direction}"] = _by_frequency(ledger, inputs, direction)
        made[f"beyond-{direction}"] = _beyond(ledger, inputs, direction)
    return made


def sentence(ledger: Ledger, inputs: Inputs) -> str:
    """Say in how many of all the tests beyond the mean a lead is found, by direction and question."""
    parts, one_session = [], False
    for direction in DIRECTIONS:
        found = []
        for question, pattern, twin in QUESTIONS[1:]:
            family = pattern.format(direction=direction)
            alone = _found(ledger, inputs, family)
            if not alone:
                continue
            total = format_value(len(ledger.family(family)), "count")
            text = f"{question} ({format_value(len(alone), 'count')} of {total} assets"
            if twin:
                both = alone & _found(ledger, inputs, f"{family}-conditional")
                text += f", {format_value(len(both), 'count')} of them beside the common drivers too"
                untested = alone & _absent(ledger, f"{family}-conditional")
                if untested:
                    text += f" and {format_value(len(untested), 'count')} not testable there"
            found.append(f"{text})")
        who = "small caps come" if direction == "lead" else "crypto comes"
        what = f": {'; '.join(found)}" if found else " none of these tests"
        parts.append(f"Beyond the mean, {who} first by{what}.")
        one_session |= any(text.startswith("variance") for text in found)
    doubt = " A single session can decide the tests of variance." if one_session else ""
    return " ".join(parts) + doubt


def _found(ledger: Ledger, inputs: Inputs, family: str) -> set[tuple[str, str]]:
    level = inputs.config.level
    return {(entry.effect, entry.cause) for entry in ledger.family(family) if is_significant(entry, level)}


def _absent(ledger: Ledger, family: str) -> set[tuple[str, str]]:
    return {(entry.effect, entry.cause) for entry in ledger.family(family) if entry.status != "ok"}


def _pair(ledger: Ledger, family: str, asset: str) -> Entry:
    return next(entry for entry in ledger.family(family) if asset in (entry.effect, entry.cause))


def _overview(ledger: Ledger, inputs: Inputs) -> FigureSpec:
    rows = []
    for direction in DIRECTIONS:
        for asset in inputs.plan.crypto:
            for question, pattern, twin in QUESTIONS:
                family = pattern.format(direction=direction)
                rows.append(
                    {
                        "direction": direction,
                        "label": inputs.label(asset),
                        "question": question,
                        "p": _decisive(ledger, family, asset),
                        "p_beside": _decisive(ledger, f"{family}-conditional", asset) if twin else math.nan,
                    }
                )
    caption = (
        "Is there a lead? p adj. of every question, asset and direction under the strictly predictive clock, alone "
        "(variance: whether large shocks, or squared ones, announce each other). "
        f"Filled: at or below {inputs.config.level:g} alone and beside the common drivers; outlined: alone, and "
        "not found or not testable beside them (dashed: beside them only). Variance beside the drivers is in the "
        "chapter on risk."
    )
    return overview.overview(pd.DataFrame(rows), name="overview", caption=caption, level=inputs.config.level)


def _windows(ledger: Ledger, inputs: Inputs) -> FigureSpec | None:
    asset = inputs.plan.crypto[0]
    parts = []
    for direction in DIRECTIONS:
        entry = _pair(ledger, f"varying-{direction}", asset)
        result = entry.loaded() if entry.status == "ok" else None
        if not isinstance(result, TimeVaryingResult):
            return None
        known = np.isfinite(result.recursive)
        parts.append(
            pd.DataFrame(
                {
                    "direction": direction,
                    "date": inputs.dates[known].strftime("%Y-%m-%d"),
                    "statistic": result.recursive[known],
                    "critical": result.critical_values["recursive"][0.05],
                }
            )
        )
    caption = (
        f"Does a lead come and go? Largest statistic of all windows of at least {inputs.config.window} "
        f"sessions, by the end of the window; {inputs.label(asset)} and small caps, robust to changing volatility. "
        f"The dashed line is crossed by 5% of series without a lead within the first {CONTROL_WINDOW} window ends; "
        "over the whole path a crossing somewhere is far more likely, and no test."
    )
    frame = pd.concat(parts, ignore_index=True)
    return windows.windows(frame, name="windows", caption=caption, asset=inputs.label(asset))


def _decisive(ledger: Ledger, family: str, asset: str) -> float:
    p = decisive_pvalue(_pair(ledger, family, asset))
    return math.nan if p is None else p


def _by_frequency(ledger: Ledger, inputs: Inputs, direction: str) -> TableSpec:
    columns = (
        Column("Asset", weight=12),
        Column("Strength, alone", "right", weight=10),
        Column("beside", "right", weight=10),
        Column("Slow swings, alone", "right", weight=12),
        Column("beside", "right", weight=8),
        Column("Weeks, alone", "right", weight=9),
        Column("beside", "right", weight=8),
        Column("Days, alone", "right", weight=9),
        Column("beside", "right", weight=8),
    )
    rows = []
    for asset in inputs.plan.crypto:
        cells = []
        for family in (f"strength-{direction}", f"strength-{direction}-conditional"):
            entry = _pair(ledger, family, asset)
            cells.append(marked(entry, field_text(entry, "estimate") if entry.status == "ok" else "n/a"))
        for band in ("long", "medium", "short"):
            for tail in ("", "-conditional"):
                cells.append(_p(_pair(ledger, f"frequency-{direction}-{band}{tail}", asset)))
        rows.append((inputs.label(asset), *cells))
    caption = (
        f"{_words(direction)}, by frequency: strength in nats (zero: the past of the first says nothing), then p adj. "
        "of the largest statistic in a band (slow: longer than a month; weeks: a week to a month; days: shorter than a "
        "week; false discovery rate over the assets); alone and beside the common drivers."
    )
    return TableSpec(f"chapter-{direction}", columns, tuple(rows), caption)


def _beyond(ledger: Ledger, inputs: Inputs, direction: str) -> TableSpec:
    columns = (
        Column("Asset", weight=11),
        Column("Windows above, alone", "right", weight=9),
        Column("beside", "right", weight=7),
        Column("At some date, alone", "right", weight=9),
        Column("beside", "right", weight=7),
        Column("Quantiles, alone", "right", weight=10),
        Column("beside", "right", weight=7),
        Column("Nonlinear, alone", "right", weight=10),
        Column("beside", "right", weight=7),
        Column("Variance: shocks", "right", weight=10),
        Column("Variance: squares", "right", weight=11),
    )
    twins = (f"instability-{direction}", f"quantile-{direction}", f"nonlinear-{direction}")
    rows = []
    for asset in inputs.plan.crypto:
        cells = []
        for family in (f"varying-{direction}", f"varying-{direction}-conditional"):
            share = _pair(ledger, family, asset)
            cells.append(marked(share, format_value(share.estimate, "percent") if share.status == "ok" else "n/a"))
        for family in (f"{name}{tail}" for name in twins for tail in ("", "-conditional")):
            cells.append(_p(_pair(ledger, family, asset)))
        for family in (f"variance-{direction}-lm", f"variance-{direction}-ccf"):
            cells.append(_p(_pair(ledger, family, asset)))
        rows.append((inputs.label(asset), *cells))
    caption = (
        f"{_words(direction)}, beyond a constant mean: share of window ends above the line of the figure (which has "
        "no p of its own), then p adj. (false discovery rate over the assets): a link that changes at some date, "
        f"quantiles (all three with {inputs.config.chapter_lags} lags), nonlinear dependence (one lag), and causality "
        "in variance by a multiplier test on past shocks (one lag) and by correlations of squared shocks "
        f"({inputs.config.lags} lags); alone and beside the common drivers."
    )
    return TableSpec(f"beyond-{direction}", columns, tuple(rows), caption)


def _p(entry: Entry) -> str:
    text = field_text(entry, "p_adj") if entry.status == "ok" else "n/a"
    return marked(entry, text)


def _words(direction: str) -> str:
    return "Small caps lead crypto" if direction == "lead" else "Crypto leads small caps"
