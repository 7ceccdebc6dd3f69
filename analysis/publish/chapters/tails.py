"""Exhibits on falling together: falls against rises, how far tails move, and both by state."""

from __future__ import annotations

import math

import pandas as pd

from analysis.figures.style import FigureSpec
from analysis.figures.tails import Panel, contrasts
from analysis.publish.chapters.cells import state_label
from analysis.publish.chapters.tails_tables import find, main_state, share, tables
from analysis.publish.values import format_value
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant

__all__ = ["FIGURES", "figures", "sentences", "tables"]

FIGURES: tuple[str, ...] = ("tails",)


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the one figure: joint extremes, betas and betas by state, two marks an asset in each panel."""
    state = main_state(inputs)
    panels = (
        Panel("extremes", "Joint extremes", "Share of tail sessions", "falls", "rises"),
        Panel("beta", "Beta", "Percent per percent", "falls", "rises"),
        Panel("state", "Downside beta", "Percent per percent", "in state", "otherwise"),
    )
    rows = [row for asset in inputs.plan.crypto for row in _rows(ledger, inputs, asset)]
    columns = ["estimate", "lower", "upper", "yardstick"]
    frame = pd.DataFrame(rows).astype(dict.fromkeys(columns, float))
    if not frame["estimate"].notna().any():
        return {}
    caption = (
        "Do small caps and crypto fall together more than they rise together? Left: share of the sessions in the "
        f"worst {share(inputs)} of small caps that are in that of the "
        "asset too, and the same for the best; dotted: a Gaussian copula. Middle: slope on falls and on rises of small "
        f"caps. Right: slope on falls while the state “{state_label(state).lower()}” holds and otherwise. With 95% "
        "intervals."
    )
    return {"tails": contrasts(frame, panels, name="tails", caption=caption)}


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return the sentences of the chapter, worded by what the ledger holds."""
    state = main_state(inputs)
    return {
        "answer": _answer(ledger, inputs, state),
        "extremes": _compared(ledger, inputs, "tail-asymmetry", "Joint extremes are", "more frequent in falls"),
        "other-clock": _compared(
            ledger, inputs, "tail-asymmetry-before", "With the crypto day that ended before the close they are",
            "more frequent in falls",
        ),
        "exceedance": _compared(
            ledger, inputs, "exceedance", "Joint falls are", "more closely correlated than joint rises"
        ),
        "covar": _compared(
            ledger, inputs, "covar", "The tail of crypto moves", "further when small caps fall than when they rise"
        ),
        "covar-reverse": _compared(
            ledger, inputs, "covar-reverse", "The tail of small caps moves",
            "further when crypto falls than when it rises",
        ),
        "beta": _compared(ledger, inputs, "downside-beta", "The downside beta is", "above the upside beta"),
        "beside": _compared(
            ledger, inputs, "downside-beta-conditional", "Beside the common drivers it is", "above the upside beta"
        ),
        "state": _compared(
            ledger, inputs, f"downside-state.{state}",
            f"While the state “{state_label(state).lower()}” holds the downside beta is", "higher than otherwise",
        ),
        "within": _compared(
            ledger, inputs, f"downside-within.{state}", "While it holds the downside beta is", "above the upside beta"
        ),
        "correlation": _compared(
            ledger, inputs, f"downside-correlation.{state}",
            "Corrected for volatility, the correlation among falls is", "higher while it holds",
        ),
        "copula": _copula(ledger, inputs),
    }  # fmt: skip


def _answer(ledger: Ledger, inputs: Inputs, state: str) -> str:
    """Say whether falls are shared more than rises, and more so in the state, in words the counts allow."""
    extremes, within, in_state = (
        _counts(ledger, inputs, family)
        for family in ("tail-asymmetry", f"downside-within.{state}", f"downside-state.{state}")
    )
    words = state_label(state).lower()
    if not (extremes[0] or within[0] or in_state[0]):
        return "These data do not allow a comparison of joint falls with joint rises."
    known, larger, found = extremes
    total = format_value(known, "count")
    if known == 0:
        first = "Joint extremes could not be compared"
    elif found == 0:
        first = (
            "Small caps and crypto are not found to be extreme together more often in falls than in rises: the "
            f"estimate is larger in falls for {format_value(larger, 'count')} of {total} assets, and for none of them "
            "beyond chance after correction"
        )
    else:
        first = (
            "Small caps and crypto are extreme together more often in falls than in rises for "
            f"{format_value(found, 'count')} of {total} assets after correction"
        )
    if in_state[0] == 0:
        unknown = f"whether falls are shared more while the state “{words}” holds cannot be tested here"
        return f"{first}; {unknown}.{_elsewhere(ledger, inputs)}"
    second = (
        f"nor is crypto found to follow falls more closely while the state “{words}” holds"
        if in_state[2] == 0 and found == 0
        else f"while the state “{words}” holds crypto is not found to follow falls more closely"
        if in_state[2] == 0
        else f"while the state “{words}” holds crypto follows falls more closely for "
        f"{format_value(in_state[2], 'count')} of {format_value(in_state[0], 'count')} assets"
    )
    return f"{first}; {second}.{_elsewhere(ledger, inputs)}"


def _elsewhere(ledger: Ledger, inputs: Inputs) -> str:
    """Name the other views in which falls and rises differ beyond chance, either way."""
    views = (
        ("tail-asymmetry", "", "joint extremes are more frequent in rises"),
        ("covar", "the tail of crypto moves further in falls", "the tail of crypto moves further in rises"),
        ("exceedance", "joint falls are more closely correlated", "joint rises are more closely correlated"),
        ("downside-beta", "the downside beta is the larger", "the upside beta is the larger"),
    )
    parts = []
    for family, in_falls, in_rises in views:
        entries = _known(ledger, family)
        for words, sign in ((in_falls, 1.0), (in_rises, -1.0)):
            found = [e for e in entries if is_significant(e, inputs.config.level) and (e.estimate or 0.0) * sign > 0.0]
            if words and found:
                count, total = (format_value(len(group), "count") for group in (found, entries))
                parts.append(f"{words} for {count} of {total} assets")
    return f" After correction, {'; '.join(parts)}." if parts else ""


def _compared(ledger: Ledger, inputs: Inputs, family: str, subject: str, words: str) -> str:
    """Say for how many assets the estimate points that way, and for how many beyond chance, either way."""
    known, larger, found = _counts(ledger, inputs, family)
    if known == 0:
        reasons = sorted({entry.reason for entry in ledger.family(family)})
        return f"No comparison here: {'; '.join(reasons)}."
    entries = _known(ledger, family)
    against = sum(1 for e in entries if is_significant(e, inputs.config.level) and (e.estimate or 0.0) < 0.0)
    total = format_value(known, "count")
    tail = f"; the other way round it is for {format_value(against, 'count')}" if against else ""
    beyond = "none of them" if found == 0 else format_value(found, "count")
    return (
        f"{subject} {words} for {format_value(larger, 'count')} of {total} assets as estimated, and for {beyond} "
        f"beyond chance after correction{tail}."
    )


def _copula(ledger: Ledger, inputs: Inputs) -> str:
    """Name the range of the tail dependence of the fitted t copulas."""
    values = sorted((entry.estimate or 0.0, entry.id) for entry in _known(ledger, "tail-copula"))
    if not values:
        return "No t copula could be fitted."
    ends = [format_value(value, "percent") for value in (values[0][0], values[-1][0])]
    return f"In the limit, the fitted t copulas put the probability of a joint extreme between {ends[0]} and {ends[1]}."


def _known(ledger: Ledger, family: str) -> list[Entry]:
    return [entry for entry in ledger.family(family) if entry.status == "ok"]


def _counts(ledger: Ledger, inputs: Inputs, family: str) -> tuple[int, int, int]:
    """Return assets with an estimate, with a positive one, and with a positive one beyond chance."""
    entries = _known(ledger, family)
    positive = [entry for entry in entries if (entry.estimate or 0.0) > 0.0]
    return len(entries), len(positive), sum(1 for entry in positive if is_significant(entry, inputs.config.level))


def _rows(ledger: Ledger, inputs: Inputs, asset: str) -> list[dict[str, object]]:
    pair, state = f"{key(inputs.plan.small_cap)}.{key(asset)}", main_state(inputs)
    gaussian = find(ledger, f"tail-asymmetry.{pair}.after.gaussian")
    places = (
        ("extremes", f"tail-asymmetry.{pair}.after.falls", f"tail-asymmetry.{pair}.after.rises"),
        ("beta", f"downside-beta.{pair}.after.bivariate.falls", f"downside-beta.{pair}.after.bivariate.rises"),
        ("state", f"downside-state.{state}.{pair}.inside-falls", f"downside-state.{state}.{pair}.outside-falls"),
    )
    rows: list[dict[str, object]] = []
    for panel, *names in places:
        for kind, name in zip(("filled", "open"), names, strict=True):
            entry = find(ledger, name)
            mark = gaussian.estimate if panel == "extremes" and gaussian is not None else None
            rows.append(
                {
                    "label": inputs.label(asset),
                    "panel": panel,
                    "kind": kind,
                    "estimate": math.nan if entry is None else entry.estimate,
                    "lower": math.nan if entry is None else entry.lower,
                    "upper": math.nan if entry is None else entry.upper,
                    "yardstick": math.nan if mark is None else mark,
                }
            )
    return rows
