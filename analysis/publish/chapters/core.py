"""Every figure and table of the documents, drawn from the ledger; no number is computed here."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.figures import lags, records, responses, states
from analysis.figures.style import FigureSpec
from analysis.market.highs import record_facts, record_highs, running_record
from analysis.publish.anchors import marked
from analysis.publish.chapters.cells import DASH, fields, in_order, p_adjusted, row_of, state_label
from analysis.publish.chapters.verdicts import evidence_table, verdict_table
from analysis.publish.values import field_text, format_value
from analysis.stats.crosscorr import CrossCorrelation
from analysis.study.calls import Family, key
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import Judgement
from analysis.tables.table import Column, TableSpec

_RESPONSE_UNIT = "Percent change of crypto per one percent change of small caps"
_ASSET = Column("Asset", weight=14)


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return every figure whose data exist, by name."""
    first = inputs.plan.crypto[0]
    made: dict[str, FigureSpec | None] = {
        "lead": _responses(
            ledger, inputs, ("lead", "lead-conditional"), "lead",
            f"What follows a one percent rise of small caps over the next {inputs.config.lags} sessions, with 95% "
            "intervals; strictly predictive clock.", "Cumulative response of crypto to past small-cap returns",
        ),
        "same": _responses(
            ledger, inputs, ("same-session", "same-session-conditional"), "same",
            "How crypto moves with small caps within the session, with 95% intervals.",
            "Same-session response of crypto to small caps",
        ),
        "clocks": _clocks(ledger, inputs, first),
        "ccf": _all_lags(ledger, inputs),
        "records": _records(inputs),
        "states": _states(ledger, inputs, first),
    }  # fmt: skip
    return {name: figure for name, figure in made.items() if figure is not None}


def tables(ledger: Ledger, judgements: Iterable[Judgement], inputs: Inputs) -> dict[str, TableSpec]:
    """Return every table, by name."""
    judged = tuple(judgements)
    made = {"verdicts": verdict_table(ledger, judged, inputs), "claim-evidence": evidence_table(ledger, judged, inputs)}
    made |= {"records": _record_table(ledger, inputs)}
    for family in inputs.plan.families:
        if family.calls[0].kind == "granger":
            made[family.name] = _granger(ledger, inputs, family)
    made["same"] = _same(ledger, inputs)
    made["ccf"] = _ccf(ledger, inputs)
    made["weekend"] = _weekend(ledger, inputs)
    made["state-spells"] = _spells(ledger, inputs)
    for kind, what in (("state-granger", "response"), ("state-correlation", "correlation")):
        made[kind] = _by_state(ledger, inputs, kind, what)
    made["diagnostics"] = _diagnostics(ledger, inputs)
    return made


# --- figures ---------------------------------------------------------------------------------------------------------


def _responses(
    ledger: Ledger, inputs: Inputs, families: tuple[str, str], name: str, caption: str, subject: str
) -> FigureSpec:
    rows = [
        {
            "label": inputs.label(entry.effect),
            "twin": twin,
            "estimate": entry.estimate,
            "lower": entry.lower,
            "upper": entry.upper,
        }
        for family, twin in zip(families, ("bivariate", "conditional"), strict=True)
        for entry in in_order(ledger, inputs, family)
    ]
    frame = pd.DataFrame(rows).astype({"estimate": float, "lower": float, "upper": float})
    return responses.responses(frame, name=name, caption=caption, unit=_RESPONSE_UNIT, subject=subject)


def _lag_rows(ledger: Ledger, inputs: Inputs, asset: str, clock: str) -> pd.DataFrame | None:
    """Return lag, estimate and bands of one pair under one clock, from the full result in the ledger."""
    entry = ledger.entry(f"ccf.{key(inputs.plan.small_cap)}.{key(asset)}.{clock}")
    if entry.status != "ok":
        return None
    result = entry.loaded()
    if not isinstance(result, CrossCorrelation):
        return None
    frame = result.to_frame()
    return pd.DataFrame(
        {
            "label": inputs.label(asset),
            "clock": clock,
            "lag": frame["lag"].astype(int),
            "estimate": frame["estimate"],
            "band": frame["band_robust"],
            "thin": result.band_standard,
        }
    )


def _clocks(ledger: Ledger, inputs: Inputs, asset: str) -> FigureSpec | None:
    parts = [_lag_rows(ledger, inputs, asset, clock) for clock in ("after", "before")]
    known = [part for part in parts if part is not None]
    if len(known) < 2:
        return None
    label = inputs.label(asset)
    caption = (
        f"The same two series under both admissible clocks: {label} and small caps. Shaded: robust 95% band "
        "around zero; "
        "dashed: the textbook band."
    )
    return lags.clocks(pd.concat(known, ignore_index=True), name="clocks", caption=caption, asset=label)


def _all_lags(ledger: Ledger, inputs: Inputs) -> FigureSpec | None:
    parts = [_lag_rows(ledger, inputs, asset, "after") for asset in inputs.plan.crypto]
    known = [part for part in parts if part is not None]
    if not known:
        return None
    caption = (
        "Cross-correlation of small caps and each asset; the crypto day ends after the equity close, so bars "
        "to the right "
        "of zero are strictly predictive. Shaded: robust 95% band."
    )
    return lags.panels(pd.concat(known, ignore_index=True), name="ccf", caption=caption)


def _records(inputs: Inputs) -> FigureSpec:
    name = inputs.plan.small_cap
    prices = inputs.snapshot.frame(name)
    window = prices.index >= pd.Timestamp(inputs.config.record_year - 6, 1, 1)
    at_close = prices.index.isin(record_highs(prices, basis="close").dates)
    intraday = "high" in prices.columns
    within = (
        prices.index.isin(record_highs(prices, basis="intraday").dates) if intraday else np.zeros(len(prices), bool)
    )
    close = prices["value"].to_numpy(dtype=float)
    frame = pd.DataFrame(
        {
            "date": prices.index.strftime("%Y-%m-%d"),
            "close": close,
            "running": running_record(close),
            "record_close": at_close,
            "record_intraday": within,
        }
    )[np.asarray(window)]
    label = inputs.label(name)
    marks = _marks(prices, inputs.config.record_year)
    caption = (
        f"{label}: closes and the running record close (light). Ticks below: record closes; in the second colour, days "
        "with a record within the session only."
    )
    return records.records(frame.reset_index(drop=True), name="records", caption=caption, label=label, marks=marks)


def _marks(prices: pd.DataFrame, year: int) -> list[tuple[str, str]]:
    """Name the highest close of the year and the record that stood before it."""
    if year not in set(prices.index.year):
        return []
    facts = record_facts(prices, year)
    found = [(facts.highest_close_date, facts.highest_close), (facts.prior_record_close_date, facts.prior_record_close)]
    return [
        (str(day), f"{format_value(level, 'level')} on {day}")
        for day, level in found
        if day is not None and level is not None
    ]


def _states(ledger: Ledger, inputs: Inputs, asset: str) -> FigureSpec | None:
    rows = []
    for state in inputs.config.states:
        base = f"state-correlation.{state}.{key(inputs.plan.small_cap)}.{key(asset)}"
        entry = ledger.entry(base)
        if entry.status != "ok":
            continue
        inside, outside = ledger.entry(f"{base}.inside"), ledger.entry(f"{base}.outside")
        rows.append(
            {
                "label": state_label(state),
                "inside": inside.estimate,
                "inside_lower": inside.lower,
                "inside_upper": inside.upper,
                "outside": outside.estimate,
                "outside_lower": outside.lower,
                "outside_upper": outside.upper,
                "p_text": f"{_raw_p(ledger, base)} raw, {format_value(entry.pvalue_adjusted, 'p')} corrected",
            }
        )
    if not rows:
        return None
    label = inputs.label(asset)
    caption = (
        f"Same-session correlation of small caps and {label} while a state holds and while it does not. p on "
        "the right: of "
        "equality, raw, and corrected for volatility, for spells that last and for the number of assets."
    )
    return states.state_contrast(pd.DataFrame(rows), name="states", caption=caption, asset=label)


# --- tables ----------------------------------------------------------------------------------------------------------


def _granger(ledger: Ledger, inputs: Inputs, family: Family) -> TableSpec:
    adjusted = family.adjustment != "none"
    columns = (
        _ASSET,
        Column("Response, 95% interval", weight=24),
        Column("F", "right", weight=8),
        Column("p", "right", weight=8),
        *((Column("p adj.", "right", weight=8),) if adjusted else ()),
        Column("N", "right", weight=8),
        Column("Sample", weight=24),
    )
    rows = []
    lead = not family.name.startswith("reverse")
    for entry in in_order(ledger, inputs, family.name):
        label = marked(entry, inputs.label(entry.effect if lead else entry.cause))
        numbers = ("effect", "statistic", "p", *(("p_adj",) if adjusted else ()), "n")
        rows.append(row_of(entry, label, numbers, (f"{entry.start} to {entry.end}" if entry.start else DASH,)))
    correction = {
        "romano-wolf": "p adj.: step-down maximum statistic over the assets",
        "bh": "p adj.: false discovery rate over the assets",
        "none": "no correction, as usually reported",
    }
    source = "p: wild bootstrap" if adjusted else "p: F distribution, homoskedastic errors"
    order = f"{inputs.config.lags} lag{'' if inputs.config.lags == 1 else 's'}"
    note = f"{family.title}; {order}; {source}; {correction[family.adjustment]}."
    return TableSpec(family.name, columns, tuple(rows), note)


def _same(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Alone, 95% interval", weight=22),
        Column("p adj.", "right", weight=8),
        Column("Beside drivers, 95% interval", weight=22),
        Column("p adj.", "right", weight=8),
        Column("N", "right", weight=8),
    )
    rows = []
    beside = {entry.effect: entry for entry in in_order(ledger, inputs, "same-session-conditional")}
    for entry in in_order(ledger, inputs, "same-session"):
        twin = beside[entry.effect]
        first = fields(entry, ("effect", "p_adj"))
        second = fields(twin, ("effect", "p_adj", "n"))
        second = (marked(twin, second[0]), *second[1:])
        rows.append((marked(entry, inputs.label(entry.effect)), *first, *second))
    caption = "Same-session response of crypto to small caps, alone and beside the common drivers of the same session."
    return TableSpec("same", columns, tuple(rows), caption)


def _weekend(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Response, 95% interval", weight=24),
        Column("F", "right", weight=8),
        Column("p", "right", weight=8),
        Column("p adj.", "right", weight=8),
        Column("N", "right", weight=8),
    )
    rows = []
    for entry in in_order(ledger, inputs, "weekend"):
        rows.append(
            (marked(entry, inputs.label(entry.cause)), *fields(entry, ("effect", "statistic", "p", "p_adj", "n")))
        )
    caption = (
        "The first session of small caps after closed days against what crypto did between the last close and "
        "the reopening, "
        "in percent per percent; false discovery rate over the assets."
    )
    return TableSpec("weekend", columns, tuple(rows), caption)


def _ccf(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Clock", weight=12),
        Column("Same session, 95% interval", weight=22),
        Column("p adj., small caps first", "right", weight=12),
        Column("p adj., crypto first", "right", weight=12),
        Column("N", "right", weight=8),
    )
    words = {"after": "ends after", "before": "ended before"}
    rows = []
    for asset in inputs.plan.crypto:
        for clock, text in words.items():
            base = f"ccf.{key(inputs.plan.small_cap)}.{key(asset)}.{clock}"
            entry = ledger.entry(base)
            ahead, behind = ledger.entry(f"{base}.lead"), ledger.entry(f"{base}.lag")
            rows.append(
                (
                    marked(entry, inputs.label(asset)),
                    text,
                    fields(entry, ("effect",))[0],
                    marked(ahead, fields(ahead, ("p_adj",))[0]),
                    marked(behind, fields(behind, ("p_adj",))[0]),
                    fields(entry, ("n",))[0],
                )
            )
    caption = (
        "Cross-correlation under both clocks (the crypto day ends after, or ended before, the equity close); "
        "p adj.: robust "
        f"cumulative test over lags 1 to {inputs.config.correlation_lags}, false discovery rate over the strictly "
        "predictive tests (small caps first where the day ends after, crypto first where it ended before) and, "
        "apart, over "
        "the overlapping ones."
    )
    return TableSpec("ccf", columns, tuple(rows), caption)


def _by_state(ledger: Ledger, inputs: Inputs, prefix: str, what: str) -> TableSpec:
    """Return one cell an asset and state: the difference between the states with its corrected p-value."""
    chosen = inputs.config.states
    correlation = prefix == "state-correlation"
    columns = (_ASSET, *(Column(state_label(state), "right", weight=10) for state in chosen))
    rows = []
    for asset in inputs.plan.crypto:
        cells = []
        for state in chosen:
            entry = ledger.entry(f"{prefix}.{state}.{key(inputs.plan.small_cap)}.{key(asset)}")
            text = "n/a"
            if entry.status == "ok":
                raw = f"{field_text(ledger.entry(f'{entry.id}.raw'), 'estimate')}; " if correlation else ""
                text = f"{raw}{field_text(entry, 'estimate')} ({p_adjusted(entry)})"
            cells.append(marked(entry, text))
        rows.append((inputs.label(asset), *cells))
    first = "raw; corrected for volatility" if correlation else "while it holds less otherwise"
    caption = (
        f"Difference of the {what} between each state and its opposite: {first} (in brackets: corrected p of equality, "
        "false discovery rate over the assets of a state, not over the states); n/a: the state cannot be "
        "tested, the ledger "
        "says why."
    )
    return TableSpec(prefix, columns, tuple(rows), caption)


def _raw_p(ledger: Ledger, base: str) -> str:
    return field_text(ledger.entry(f"{base}.raw"), "p")


def _spells(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        Column("State", weight=18),
        Column("Holds while", weight=46),
        Column("Share", "right", weight=8),
        Column("Spells", "right", weight=8),
        Column("Sessions", "right", weight=10),
    )
    rows = []
    for state in inputs.config.states:
        entry = ledger.entry(f"state.{state}")
        rule = inputs.state_rules.get(state, inputs.state_missing.get(state, ""))
        if entry.status != "ok" or entry.estimate is None:
            rows.append((marked(entry, state_label(state)), f"not applicable: {entry.reason}", DASH, DASH, DASH))
            continue
        spells = format_value(int(entry.statistic or 0), "count")
        share = format_value(entry.estimate, "percent")
        rows.append((marked(entry, state_label(state)), rule, share, spells, field_text(entry, "n")))
    caption = "The states, what each rests on, how often it held and in how many separate spells."
    return TableSpec("state-spells", columns, tuple(rows), caption)


def _diagnostics(ledger: Ledger, inputs: Inputs) -> TableSpec:
    tests = (("adf", "Unit root (ADF)"), ("kpss", "Stationarity (KPSS)"), ("ljung-box", "Autocorrelation"),
             ("arch", "Changing volatility"), ("jarque-bera", "Normality"))  # fmt: skip
    columns = (_ASSET, *(Column(title, "right", weight=12) for _, title in tests), Column("N", "right", weight=8))
    rows = []
    for name in (inputs.plan.small_cap, *inputs.plan.crypto):
        entries = [ledger.entry(f"diagnostics.{key(name)}.{test}") for test, _ in tests]
        cells = [marked(entry, fields(entry, ("p",))[0]) for entry in entries]
        rows.append((inputs.label(name), *cells, fields(entries[0], ("n",))[0]))
    return TableSpec("diagnostics", columns, tuple(rows), "p-values of each null hypothesis for the return series.")


def _record_table(ledger: Ledger, inputs: Inputs) -> TableSpec:
    year = inputs.config.record_year
    columns = (
        Column("Measured on", weight=26),
        Column(f"Highest of {year}", weight=24),
        Column("Record before", weight=24),
        Column(f"Records in {year}", "right", weight=12),
        Column("Next record close", weight=24),
    )
    rows: list[tuple[str, ...]] = []
    small = inputs.config.small_cap
    for name, basis, words in (
        (small, "close", "closes of the price index"),
        (small, "intraday", "highs within the session"),
        (inputs.config.small_cap_total_return, "total", "closes with dividends reinvested"),
    ):
        base = f"record.{key(name)}.{basis}"
        count = ledger.entry(f"{base}.count")
        if count.status != "ok":
            label = inputs.label(name) if name in inputs.catalog else name
            rows.append((marked(count, f"{label}: {words}"), f"not applicable: {count.reason}", DASH, DASH, DASH))
            continue
        cells = [_dated(ledger, f"{base}.{part}") for part in ("highest", "prior")]
        after = _dated(ledger, f"{base}.next")
        number = format_value(int(count.estimate or 0), "count")
        label = f"{inputs.label(name)}: {words}" if name in inputs.catalog else words
        rows.append((marked(count, label), *cells, number, after))
    return TableSpec("records", columns, tuple(rows), f"Record highs of {year}, on every basis there is data for.")


def _dated(ledger: Ledger, name: str) -> str:
    """Return a level with its date, or words."""
    if name not in {entry.id for entry in ledger.entries}:
        return DASH
    entry = ledger.entry(name)
    if entry.status != "ok" or entry.estimate is None:
        return DASH
    return marked(entry, f"{format_value(entry.estimate, 'level')} on {entry.start}")
