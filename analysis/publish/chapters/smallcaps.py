"""Exhibits of small caps themselves: comparisons with large caps, responses to shocks, loadings on profitability."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.figures import smallcaps
from analysis.figures.style import FigureSpec, word_list
from analysis.publish.anchors import marked
from analysis.publish.chapters.smallcaps_words import beta_entries, by_asset, declared, pair, sentences
from analysis.publish.values import field_text, format_value
from analysis.study.areas.smallcaps_sensitivity import LEGS, SAMPLES
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.tables.table import Column, TableSpec

__all__ = ["FIGURES", "figures", "sentences", "tables"]

FIGURES: tuple[str, ...] = ("smallcaps-shocks", "smallcaps-profitability")
NONE = "n/a"


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the figures whose data exist."""
    made = {
        "smallcaps-shocks": _shock_figure(ledger, inputs),
        "smallcaps-profitability": _loading_figure(ledger, inputs),
    }
    return {name: figure for name, figure in made.items() if figure is not None}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return the comparisons over both samples, the shocks in detail, and the loadings of crypto."""
    return {
        "smallcaps": _comparisons(ledger, inputs),
        "smallcaps-shocks": _shocks(ledger, inputs),
        "smallcaps-sorted": _sorted(ledger, inputs),
        "smallcaps-factor": _factor(ledger, inputs),
    }


# --- figures -----------------------------------------------------------------------------------------------------


def _shock_figure(ledger: Ledger, inputs: Inputs) -> FigureSpec | None:
    rows = []
    for entry in beta_entries(ledger, inputs, "beta"):
        legs = {part: _leg(ledger, entry, part) for part in ("small", "large")}
        if legs["small"] is None or legs["large"] is None:
            continue
        row: dict[str, object] = {"label": inputs.label(entry.cause)}
        for part, found in (("small", legs["small"]), ("large", legs["large"]), ("further", entry)):
            row |= _ends(found, part)
        rows.append(row | {"p_text": _p_text(entry)})
    if not rows:
        return None
    small, large = pair(inputs, "volatility", "study")
    caption = (
        "Same-session responses to one standard deviation of each shock, one shock at a time, with 95% intervals. "
        "Right: the difference, positive where small caps go further in the direction in which both go."
    )
    return smallcaps.exposures(pd.DataFrame(rows), name="smallcaps-shocks", caption=caption, small=small, large=large)


def _leg(ledger: Ledger, entry: Entry, part: str) -> Entry | None:
    return next((item for item in ledger.family(LEGS) if item.id == f"{entry.id}.{part}"), None)


def _ends(entry: Entry, part: str) -> dict[str, float]:
    ends = {"": entry.estimate, "_lower": entry.lower, "_upper": entry.upper}
    return {f"{part}{end}": math.nan if value is None else value for end, value in ends.items()}


def _p_text(entry: Entry) -> str:
    return "" if entry.pvalue_adjusted is None else f"p {format_value(entry.pvalue_adjusted, 'p_equation')} corrected"


def _loading_figure(ledger: Ledger, inputs: Inputs) -> FigureSpec | None:
    """Draw the portfolios of small caps where there are any, else the factor of all sizes."""
    for families, subject in (
        (("profitability-lead", "profitability-same"), "small caps sorted by profitability"),
        (("profitability-lead-all-sizes", "profitability-same-all-sizes"), "the profitability factor of all sizes"),
    ):
        past, same = (by_asset(ledger, family) for family in families)
        if not any(entry.status == "ok" for entry in (*past.values(), *same.values())):
            continue
        rows = [
            {"label": inputs.label(asset), **_ends(past[asset], "past"), **_ends(same[asset], "same")}
            for asset in inputs.plan.crypto
        ]
        caption = (
            f"Crypto and {subject}, with 95% intervals. Left, positive: past gains of the profitable over the "
            "unprofitable are followed by more. Right, positive: in the session crypto goes with the unprofitable."
        )
        return smallcaps.loadings(
            pd.DataFrame(rows),
            name="smallcaps-profitability",
            caption=caption,
            unit="Percent of crypto per percent",
            titles=("Past, profitable less unprofitable", "Same session, the other way round"),
        )
    return None


# --- tables ------------------------------------------------------------------------------------------------------


def _cells(entry: Entry, fields: Sequence[str]) -> tuple[str, ...]:
    """Return the fields of an entry; an absent one gives its reason in the first cell."""
    if entry.status == "ok":
        return tuple(field_text(entry, field) for field in fields)
    return (field_text(entry, "effect"), *(NONE for _ in fields[1:]))


def _comparisons(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        Column("Small against large caps", weight=20),
        Column("This study, 95% interval", weight=22),
        Column("p adj.", "right", weight=8),
        Column("N", "right", weight=8),
        Column("All history, 95% interval", weight=22),
        Column("p adj.", "right", weight=8),
        Column("N", "right", weight=8),
        Column("From", weight=12),
    )
    rows = []
    for now, before in zip(
        declared(inputs, "sensitivity-study").calls, declared(inputs, "sensitivity-history").calls, strict=True
    ):
        first, second = ledger.entry(now.id), ledger.entry(before.id)
        one, two = _cells(first, ("effect", "p_adj", "n")), _cells(second, ("effect", "p_adj", "n", "start"))
        rows.append((marked(first, _respect(now.detail, now.cause, inputs)), *one, marked(second, two[0]), *two[1:]))
    funds = word_list(pair(inputs, "illiquidity", "study"))
    caption = (
        "How small caps differ from large caps. Volatility and illiquidity: ratios of a typical month, where one means "
        f"equal; illiquidity is the price move a dollar traded in the funds {funds}. Shocks: how much further small "
        "caps go, in percent for one standard deviation. p adj.: false discovery rate over the rows of a sample."
    )
    return TableSpec("smallcaps", columns, tuple(rows), caption)


def _respect(detail: str, shock: str, inputs: Inputs) -> str:
    respect = detail.partition("/")[0]
    return inputs.label(shock) if respect == "beta" else respect.capitalize()


def _shocks(ledger: Ledger, inputs: Inputs) -> TableSpec:
    small, large = pair(inputs, "volatility", "study")
    columns = (
        Column("Shock", weight=18),
        Column("Sample", weight=9),
        Column(f"{small}, 95% interval", weight=25),
        Column(f"{large}, 95% interval", weight=25),
        Column("Further, other shocks fixed", weight=22),
        Column("p adj.", "right", weight=8),
        Column("Further, by unit of volatility", weight=27),
        Column("p adj.", "right", weight=8),
    )
    rows = [row for sample in SAMPLES for row in _shock_rows(ledger, inputs, sample)]
    caption = (
        "Responses in the session to one standard deviation of each shock, in percent, one shock at a time; then how "
        "much further small caps go while the other shocks are held fixed, and with each return in units of its own "
        "volatility; this study's sample and all the history there is; p adj.: false discovery rate over the shocks. "
        f"{NONE}: the ledger says why."
    )
    return TableSpec("smallcaps-shocks", columns, tuple(rows), caption)


def _shock_rows(ledger: Ledger, inputs: Inputs, sample: str) -> list[tuple[str, ...]]:
    rows = []
    respects = [beta_entries(ledger, inputs, respect, sample) for respect in ("beta", "together", "scaled")]
    for alone, together, scaled in zip(*respects, strict=True):
        legs = [_leg(ledger, alone, part) for part in ("small", "large")]
        both = [NONE if leg is None else marked(leg, field_text(leg, "effect")) for leg in legs]
        cells = []
        for entry in (together, scaled):
            known = entry.status == "ok"
            effect, p = _cells(entry, ("effect", "p_adj")) if known else (NONE, NONE)
            cells += [marked(entry, effect), p]
        rows.append((inputs.label(alone.cause), sample, *both, *cells))
    return rows


def _sorted(ledger: Ledger, inputs: Inputs) -> TableSpec:
    questions = ("Past, alone", "Past, beside", "Session, alone", "Session, beside")
    columns = (
        Column("Asset", weight=12),
        *(column for words in questions for column in (Column(words, weight=18), Column("p adj.", "right", weight=7))),
        Column("N", "right", weight=7),
    )
    names = [f"profitability-{when}{tail}" for when in ("lead", "same") for tail in ("", "-conditional")]
    families = [by_asset(ledger, name) for name in names]
    if not any(entry.status == "ok" for family in families for entry in family.values()):
        return _not_sorted(inputs, dict(zip(questions, families, strict=True)))
    rows = []
    for asset in inputs.plan.crypto:
        cells: list[str] = []
        for family in families:
            entry = family[asset]
            texts = (field_text(entry, "effect"), field_text(entry, "p_adj")) if entry.status == "ok" else (NONE, NONE)
            cells += [marked(entry, texts[0]), texts[1]]
        last = families[-1][asset]
        rows.append((inputs.label(asset), *cells, field_text(last, "n") if last.status == "ok" else NONE))
    reasons = sorted({entry.reason for family in families for entry in family.values() if entry.status != "ok"})
    caption = (
        "Crypto and small caps sorted by profitability. Past returns: profitable less unprofitable; same session: "
        "unprofitable less profitable; percent per percent with 95% intervals, alone and beside the common drivers; "
        f"false discovery rate over the assets.{' Not run: ' + '; '.join(reasons) + '.' if reasons else ''}"
    )
    return TableSpec("smallcaps-sorted", columns, tuple(rows), caption)


def _not_sorted(inputs: Inputs, families: Mapping[str, Mapping[str, Entry]]) -> TableSpec:
    """Return one row a question where not a single test could be run: a table of dashes says less in more room."""
    columns = (Column("Question", weight=18), Column("Not run for", weight=82))
    rows = []
    for question, family in families.items():
        rows.append((question, word_list([marked(family[asset], inputs.label(asset)) for asset in inputs.plan.crypto])))
    reasons = sorted({entry.reason for family in families.values() for entry in family.values()})
    return TableSpec(
        "smallcaps-sorted",
        columns,
        tuple(rows),
        f"Crypto and small caps sorted by profitability: not run, because {'; '.join(reasons)}.",
    )


def _factor(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        Column("Asset", weight=14),
        Column("Past, 95% interval", weight=24),
        Column("p adj.", "right", weight=8),
        Column("Same session, 95% interval", weight=24),
        Column("p adj.", "right", weight=8),
        Column("N", "right", weight=8),
    )
    past, same = (by_asset(ledger, f"profitability-{when}-all-sizes") for when in ("lead", "same"))
    rows = []
    for asset in inputs.plan.crypto:
        first, second = past[asset], same[asset]
        one, two = _cells(first, ("effect", "p_adj")), _cells(second, ("effect", "p_adj", "n"))
        rows.append((marked(first, inputs.label(asset)), *one, marked(second, two[0]), *two[1:]))
    caption = (
        "Crypto and the profitability factor of shares of all sizes, beside market and size. Past returns: profitable "
        "less unprofitable; same session: unprofitable less profitable; percent per percent; false discovery rate over "
        "the assets. It is no substitute for small caps sorted by profitability."
    )
    return TableSpec("smallcaps-factor", columns, tuple(rows), caption)
