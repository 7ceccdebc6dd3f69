"""Exhibits of the area "forecast": the path of the gain, its size by asset, and what trading on it earned."""

from __future__ import annotations

import pandas as pd

from analysis.figures import forecast as drawing
from analysis.figures import responses
from analysis.figures.style import FigureSpec
from analysis.publish.anchors import marked
from analysis.publish.chapters.cells import count_words
from analysis.publish.values import field_text, format_value
from analysis.stats.forecast import OosR2Result
from analysis.study.areas.forecast import gain_family, timing_family
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant
from analysis.tables.table import Column, TableSpec

FIGURES: tuple[str, ...] = ("forecast-path", "forecast-gain")
NOT_APPLICABLE = "n/a"
HEADLINE = gain_family(1, "expanding", "own")
BESIDE = gain_family(1, "expanding", "controls")
_ASSET = Column("Asset", weight=12)


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the figures whose data exist."""
    made = {"forecast-gain": _sizes(ledger, inputs)}
    path = _path(ledger, inputs)
    return made if path is None else {"forecast-path": path} | made


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return accuracy, further questions, the headline rule and its variants."""
    return {
        "forecast-gain": _accuracy(ledger, inputs),
        "forecast-more": _more(ledger, inputs),
        "forecast-timing": _timing(ledger, inputs),
        "forecast-rules": _rules(ledger, inputs),
    }


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return the answer, what it means for the first asset, and what the rules earned."""
    return {
        "answer": _answer(ledger, inputs),
        "first": _first(ledger, inputs),
        "rules": _earned(ledger, inputs),
        "useful": _useful(inputs),
        "window": format_value(inputs.config.forecast.window, "count"),
    }


def _useful(inputs: Inputs) -> str:
    return f"{100 * inputs.config.forecast.smallest_gain:g}%"


def _level(inputs: Inputs) -> str:
    """Return the level of the intervals, which the study sets."""
    return f"{100 * (1 - inputs.config.level):g}%"


def _of(ledger: Ledger, family: str, asset: str) -> Entry:
    return next(entry for entry in ledger.family(family) if entry.effect == asset)


def _rule(inputs: Inputs, side: str = "long", place: int = 0) -> str:
    costs = inputs.config.forecast.costs
    return timing_family(side, costs[min(place, len(costs) - 1)])


# --- figures ---------------------------------------------------------------------------------------------------------


def _path(ledger: Ledger, inputs: Inputs) -> FigureSpec | None:
    asset = inputs.plan.crypto[0]
    parts = []
    for scheme, label in (("expanding", "growing window"), ("rolling", "rolling window")):
        entry = _of(ledger, gain_family(1, scheme, "own"), asset)
        result = entry.loaded() if entry.status == "ok" and entry.result else None
        if not isinstance(result, OosR2Result):
            return None
        days = inputs.dates[[min(int(row) + 1, len(inputs.dates) - 1) for row in result.rows]]
        total = result.loss_benchmark * result.nobs
        parts.append(
            pd.DataFrame({"label": label, "date": days.strftime("%Y-%m-%d"), "gain": 100.0 * result.path / total})
        )
    caption = (
        f"Where small caps helped to forecast {inputs.label(asset)} and where they hurt: squared error of "
        "forecasts from "
        "own past less that of forecasts with small caps, added up, in percent of all squared errors. A line "
        "that rises "
        "gains; it ends at the out-of-sample R²."
    )
    frame = pd.concat(parts, ignore_index=True)
    return drawing.gain_path(frame, name="forecast-path", caption=caption, asset=inputs.label(asset))


def _sizes(ledger: Ledger, inputs: Inputs) -> FigureSpec:
    rows = [
        {
            "label": inputs.label(asset),
            "twin": twin,
            "estimate": entry.estimate,
            "lower": entry.lower,
            "upper": entry.upper,
        }
        for family, twin in ((HEADLINE, "bivariate"), (BESIDE, "conditional"))
        for asset in inputs.plan.crypto
        for entry in (_of(ledger, family, asset),)
    ]
    frame = pd.DataFrame(rows).astype({"estimate": float, "lower": float, "upper": float})
    caption = (
        "What small caps add to forecasts of the next session: out-of-sample R² over own past, and over own past and "
        f"the common drivers, with {_level(inputs)} bootstrap intervals. Above zero they helped."
    )
    return responses.responses(
        frame,
        name="forecast-gain",
        caption=caption,
        unit="Out-of-sample R², percent",
        subject="Out-of-sample R² of forecasts with small caps",
    )


# --- tables ----------------------------------------------------------------------------------------------------------


def _effect(entry: Entry, field: str = "effect") -> str:
    return marked(entry, field_text(entry, field) if entry.status == "ok" else NOT_APPLICABLE)


def _p(entry: Entry) -> str:
    return field_text(entry, "p_adj") if entry.status == "ok" else NOT_APPLICABLE


def _label(inputs: Inputs, asset: str, entry: Entry) -> str:
    """Return the name of an asset, with the reason where its headline is absent."""
    name = inputs.label(asset)
    return name if entry.status == "ok" else f"{name} ({entry.reason})"


def _accuracy(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column(f"R² over own past, {_level(inputs)} interval", weight=22),
        Column("p adj.", "right", weight=7),
        Column("Rolling window", weight=22),
        Column("p adj.", "right", weight=7),
        Column("Beside drivers", weight=22),
        Column("p adj.", "right", weight=7),
        Column("N", "right", weight=7),
    )
    rows = []
    for asset in inputs.plan.crypto:
        entries = [_of(ledger, family, asset) for family in (HEADLINE, gain_family(1, "rolling", "own"), BESIDE)]
        cells = [cell for entry in entries for cell in (_effect(entry), _p(entry))]
        first = entries[0]
        count = field_text(first, "n") if first.status == "ok" else NOT_APPLICABLE
        rows.append((_label(inputs, asset, first), *cells, count))
    caption = (
        "Forecasts of the next session with small caps against those without: out-of-sample R² in percent (below zero: "
        "small caps made them worse); p adj.: Clark–West, one-sided, false discovery rate over the assets."
    )
    return TableSpec("forecast-gain", columns, tuple(rows), caption)


def _more(ledger: Ledger, inputs: Inputs) -> TableSpec:
    longest = inputs.config.forecast.horizons[-1]
    columns = (
        _ASSET,
        Column("Mean: p adj.", "right", weight=9),
        Column(f"{longest} sessions ahead, R²", weight=20),
        Column("p adj.", "right", weight=7),
        Column("Hits above chance, %", weight=20),
        Column("p adj.", "right", weight=7),
        Column("As practised: p adj.", "right", weight=13),
        Column("Any model: p adj.", "right", weight=10),
        Column("Too small: p adj.", "right", weight=10),
    )
    rows = []
    for asset in inputs.plan.crypto:
        mean = _of(ledger, gain_family(1, "expanding", "mean"), asset)
        far = _of(ledger, gain_family(longest, "expanding", "own"), asset)
        sign, equal, best, small = (
            _of(ledger, f"forecast-{name}", asset) for name in ("direction", "accuracy", "ability", "too-small")
        )
        # At a single horizon the column repeats the headline, whose place is in the table before.
        ahead = _effect(far) if longest > 1 else field_text(far, "effect") if far.status == "ok" else NOT_APPLICABLE
        rows.append(
            (
                inputs.label(asset), marked(mean, _p(mean)), ahead, _p(far), _effect(sign), _p(sign),
                marked(equal, _p(equal)), marked(best, _p(best)), marked(small, _p(small)),
            )
        )  # fmt: skip
    caption = (
        "Further questions, corrected over the assets: Clark–West against the historical mean; sums over several "
        "sessions; direction (Pesaran–Timmermann); accuracy of the two methods as practised with a rolling window "
        "(Giacomini–White, two-sided); whether any of all models beats the mean, the search counted (superior "
        f"predictive ability); and whether the gain over own past differs from {_useful(inputs)}, the smallest that is "
        "declared useful (two-sided)."
    )
    return TableSpec("forecast-more", columns, tuple(rows), caption)


def _timing(ledger: Ledger, inputs: Inputs) -> TableSpec:
    family = _rule(inputs)
    columns = (
        _ASSET,
        Column("Sharpe ratio of the rule", weight=20),
        Column("Buy and hold", "right", weight=8),
        Column(f"Difference, {_level(inputs)} interval", weight=20),
        Column("p adj.", "right", weight=7),
        Column("Deflated p", "right", weight=8),
        Column("Certainty equivalent, % a year", weight=20),
        Column("Invested, %", "right", weight=8),
        Column("N", "right", weight=7),
    )
    ids = {entry.id: entry for entry in ledger.entries}
    cost = inputs.config.forecast.costs[0]
    rows = []
    for asset in inputs.plan.crypto:
        entry = _of(ledger, family, asset)
        deflated = ids[f"forecast.deflated.long.{cost:g}.{key(inputs.plan.small_cap)}.{key(asset)}"]
        chance = marked(deflated, field_text(deflated, "p") if deflated.status == "ok" else NOT_APPLICABLE)
        parts = [ids.get(f"{entry.id}.{name}") for name in ("sharpe", "hold", "certainty", "exposure")]
        own, hold, certain, invested = (
            NOT_APPLICABLE if part is None else _effect(part, "effect" if part.lower is not None else "estimate")
            for part in parts
        )
        count = field_text(entry, "n") if entry.status == "ok" else NOT_APPLICABLE
        rows.append(
            (_label(inputs, asset, entry), own, hold, _effect(entry), _p(entry), chance, certain, invested, count)
        )
    caption = (
        f"Holding an asset only while the forecast from small caps is positive, at {cost:g} basis points each way. "
        "Sharpe ratios a year net of costs; p adj.: bootstrap, one-sided, false discovery rate over the "
        "assets; deflated "
        "p: chance of such a ratio for the best of as many rules without skill (a rule that is invested nearly always "
        "inherits the asset's own ratio); certainty equivalent above buy and hold."
    )
    return TableSpec("forecast-timing", columns, tuple(rows), caption)


def _rules(ledger: Ledger, inputs: Inputs) -> TableSpec:
    costs = inputs.config.forecast.costs
    kinds = [(side, cost) for side in ("long", "short") for cost in costs if (side, cost) != ("long", costs[0])]
    words = {"long": "Long or flat", "short": "Long or short"}
    columns = (
        _ASSET,
        *(
            column
            for side, cost in kinds
            for column in (Column(f"{words[side]}, {cost:g} bp", weight=20), Column("p adj.", "right", weight=7))
        ),
        Column("Traded a year", "right", weight=9),
        Column("Break-even, bp", "right", weight=9),
    )
    ids = {entry.id: entry for entry in ledger.entries}
    rows = []
    for asset in inputs.plan.crypto:
        cells = []
        for side, cost in kinds:
            entry = _of(ledger, timing_family(side, cost), asset)
            cells += [_effect(entry), _p(entry)]
        base = _of(ledger, _rule(inputs), asset).id
        for name in ("turnover", "break-even"):
            part = ids.get(f"{base}.{name}")
            cells.append(NOT_APPLICABLE if part is None else _effect(part, "estimate"))
        rows.append((inputs.label(asset), *cells))
    caption = (
        "The other rules: Sharpe ratio a year above buy and hold, net of costs. Traded: times the capital a "
        "year, long or "
        "flat; break-even: the cost each way at which that rule's mean return is that of buy and hold (below zero: it "
        "falls short at no cost at all)."
    )
    return TableSpec("forecast-rules", columns, tuple(rows), caption)


# --- sentences -------------------------------------------------------------------------------------------------------


def _count(ledger: Ledger, inputs: Inputs, family: str, *, below: bool = False) -> str:
    """Say how many assets of a family stand correction; `below` counts only intervals below zero."""
    entries = ledger.family(family)
    found = sum(
        1
        for entry in entries
        if is_significant(entry, inputs.config.level) and not (below and (entry.upper is None or entry.upper >= 0))
    )
    return f"{count_words(found)} of {format_value(len(entries), 'count')} assets"


def _answer(ledger: Ledger, inputs: Inputs) -> str:
    absent = [entry for entry in ledger.family(HEADLINE) if entry.status != "ok"]
    if len(absent) == len(inputs.plan.crypto):
        return f"Whether small caps help to forecast crypto cannot be judged here: {absent[0].reason}."
    gained, paid = _count(ledger, inputs, HEADLINE), _count(ledger, inputs, _rule(inputs))
    small = _count(ledger, inputs, "forecast-too-small", below=True)
    return (
        f"After correction, small caps add information to forecasts of the next session for {gained}, and a rule that "
        "trades on them "
        f"beats buy and hold net of costs for {paid}; for {small} the data rule out a gain in accuracy of "
        f"{_useful(inputs)}, the smallest that the study declares useful."
    )


def _first(ledger: Ledger, inputs: Inputs) -> str:
    asset = inputs.plan.crypto[0]
    entry, rule = _of(ledger, HEADLINE, asset), _of(ledger, _rule(inputs), asset)
    name = inputs.label(asset)
    if entry.status != "ok":
        return f"{name} could not be forecast: {entry.reason}."
    p = format_value(entry.pvalue, "p_equation")
    text = f"{name}: out-of-sample R² over own past {field_text(entry, 'effect')} percent, Clark–West p {p}."
    if rule.status == "ok":
        text += f" The rule's Sharpe ratio less that of buy and hold is {field_text(rule, 'effect')}."
    return text


def _earned(ledger: Ledger, inputs: Inputs) -> str:
    parts = []
    for side, words in (("long", "long or flat"), ("short", "long or short")):
        for cost in inputs.config.forecast.costs:
            found = _count(ledger, inputs, timing_family(side, cost))
            parts.append(f"{words} at {cost:g} basis points, {found}")
    return f"Rules that beat buy and hold after correction: {'; '.join(parts)}."
