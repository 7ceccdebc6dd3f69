"""Every figure and table of the documents, drawn from the ledger; no number is computed here."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.figures import lags, records, responses, states
from analysis.figures.style import FigureSpec
from analysis.market.highs import record_facts, record_highs, running_record
from analysis.publish.anchors import marked
from analysis.publish.chapters.cells import DASH, fields, in_order, p_adjusted, state_label
from analysis.publish.chapters.verdicts import evidence_table, verdict_table
from analysis.publish.values import field_text, format_value
from analysis.stats.crosscorr import CrossCorrelation
from analysis.study.calls import key
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import Judgement
from analysis.tables.table import Column, TableSpec

_RESPONSE_UNIT = "Percent change of crypto per one percent change of small caps"
_ASSET = Column("Asset", weight=14)
# The tables of leads: direction and clock in words, by family.
_GRANGER = {
    "lead": "Small caps lead crypto, strictly predictive clock",
    "lead-overlap": "Small caps lead crypto, overlapping clock",
    "reverse": "Crypto leads small caps, strictly predictive clock",
    "reverse-overlap": "Crypto leads small caps, overlapping clock",
}


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return every figure whose data exist, by name."""
    first = inputs.plan.crypto[0]
    made: dict[str, FigureSpec | None] = {
        "lead": _responses(
            ledger, inputs, ("lead", "lead-conditional"), "lead",
            f"What follows a one percent rise of small caps, summed over the next {inputs.config.lags} sessions, with "
            "95% intervals, not corrected for the number of assets; strictly predictive clock. An interval across zero "
            "leaves either sign open, up to its ends.", "Cumulative response of crypto to past small-cap returns",
        ),
        "same": _responses(
            ledger, inputs, ("same-session", "same-session-conditional"), "same",
            "How crypto moves with small caps within the session, with 95% intervals, not corrected for the number of "
            "assets.",
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
    made = {"verdicts": verdict_table(judged), "claim-evidence": evidence_table(ledger, judged, inputs)}
    made |= {"records": _record_table(ledger, inputs)}
    made |= {name: _granger(ledger, inputs, name) for name in _GRANGER}
    made["same"] = _same(ledger, inputs)
    made["ccf"] = _ccf(ledger, inputs)
    made["weekend"] = _weekend(ledger, inputs)
    made["state-spells"] = _spells(ledger, inputs)
    for kind, what in (("state-granger", "lead"), ("state-correlation", "same-session correlation")):
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


def _granger(ledger: Ledger, inputs: Inputs, name: str) -> TableSpec:
    """Return one row an asset: the response alone and beside the drivers; under the strict clock the plain F too."""
    usual_family = {"lead": "plain", "reverse": "plain-reverse"}.get(name)
    plain = {(entry.cause, entry.effect): entry for entry in ledger.family(usual_family)} if usual_family else {}
    columns = (
        _ASSET,
        Column("Alone, 95% interval", weight=22),
        Column("p", "right", weight=7),
        Column("p adj.", "right", weight=7),
        *((Column("plain p", "right", weight=7),) if plain else ()),
        Column("Beside drivers, 95% interval", weight=24),
        Column("p", "right", weight=7),
        Column("p adj.", "right", weight=7),
        Column("N", "right", weight=7),
    )
    lead = name.startswith("lead")
    beside = {(entry.cause, entry.effect): entry for entry in ledger.family(f"{name}-conditional")}
    rows = []
    for entry in in_order(ledger, inputs, name):
        twin, asset = beside[entry.cause, entry.effect], entry.effect if lead else entry.cause
        first = fields(entry, ("effect", "p", "p_adj"))
        usual = tuple(
            marked(item, fields(item, ("p",))[0]) for item in [plain.get((entry.cause, entry.effect))] if item
        )
        second = fields(twin, ("effect", "p", "p_adj"))
        row = (marked(entry, inputs.label(asset)), *first, *usual, marked(twin, second[0]), *second[1:])
        rows.append((*row, field_text(entry, "n") if entry.status == "ok" else DASH))
    headline = name == "lead"
    correction = "the step-down maximum statistic alone, the " if headline else "the "
    usual_words = "; plain p: the uncorrected F test with homoskedastic errors that others report" if plain else ""
    caption = (
        f"{_GRANGER[name]}: sum of {_lag_words(inputs.config.lags)}, percent per percent; p: all lags together, by the "
        f"wild bootstrap (at least 1 in {format_value(inputs.config.bootstrap + 1, 'count')}); "
        f"p adj.: {correction}false discovery rate{' beside the drivers' if headline else ''}, over the "
        f"assets{usual_words}."
    )
    return TableSpec(name, columns, tuple(rows), caption)


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
    caption = (
        "Same-session response of crypto to small caps, percent per percent, alone and beside the common drivers of "
        "the same session; p adj.: false discovery rate over the assets."
    )
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
        "in percent per percent; F and p: that there is no response, robust to changing volatility; p adj.: false "
        "discovery rate over the assets."
    )
    return TableSpec("weekend", columns, tuple(rows), caption)


def _ccf(ledger: Ledger, inputs: Inputs) -> TableSpec:
    """Return one row an asset: the same session and both sides under both clocks."""
    columns = (
        _ASSET,
        Column("Same session, day ends after", weight=16),
        Column("Same session, day ended before", weight=22),
        Column("Small caps first: after", "right", weight=11),
        Column("before", "right", weight=8),
        Column("Crypto first: after", "right", weight=11),
        Column("before", "right", weight=8),
        Column("N", "right", weight=8),
    )
    rows = []
    for asset in inputs.plan.crypto:
        bases = [f"ccf.{key(inputs.plan.small_cap)}.{key(asset)}.{clock}" for clock in ("after", "before")]
        same = [ledger.entry(base) for base in bases]
        sides = [ledger.entry(f"{base}.{side}") for side in ("lead", "lag") for base in bases]
        rows.append(
            (
                inputs.label(asset),
                *(marked(entry, fields(entry, ("effect",))[0]) for entry in same),
                *(marked(entry, fields(entry, ("p_adj",))[0]) for entry in sides),
                fields(same[0], ("n",))[0],
            )
        )
    caption = (
        "Correlation in the same session, with 95% interval, where the crypto day ends after or ended before the "
        f"equity close; then p adj. of the robust cumulative test over lags 1 to {inputs.config.correlation_lags}. "
        "Strictly predictive: small caps first where the day ends after, crypto first where it ended before. False "
        "discovery rate over these and, apart, over the overlapping ones."
    )
    return TableSpec("ccf", columns, tuple(rows), caption)


def _by_state(ledger: Ledger, inputs: Inputs, prefix: str, what: str) -> TableSpec:
    """Return one cell an asset and state: the difference between the states with its corrected p-value."""
    chosen = inputs.config.states
    columns = (Column("Asset", weight=9), *(Column(state_label(state), "right", weight=12) for state in chosen))
    rows = []
    for asset in inputs.plan.crypto:
        cells = []
        for state in chosen:
            entry = ledger.entry(f"{prefix}.{state}.{key(inputs.plan.small_cap)}.{key(asset)}")
            ok = entry.status == "ok"
            cells.append(marked(entry, f"{field_text(entry, 'estimate')} ({p_adjusted(entry)})" if ok else "n/a"))
        rows.append((inputs.label(asset), *cells))
    how = (
        "corrected for volatility"
        if prefix == "state-correlation"
        else f"percent per percent, {_lag_words(inputs.config.state_lags)}"
    )
    caption = (
        f"Difference of the {what}, while a state holds less otherwise ({how}), with p adj. of equality in brackets: "
        "false discovery rate over the assets of a state, not over the states. n/a: the state cannot be tested, the "
        "ledger says why."
    )
    return TableSpec(prefix, columns, tuple(rows), caption)


def _lag_words(lags: int) -> str:
    return f"{lags} lag{'' if lags == 1 else 's'}"


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
    columns = (
        _ASSET,
        *(Column(title, "right", weight=14) for _, title in tests),
        Column("N", "right", weight=8),
        Column("Sample", weight=24),
    )
    rows = []
    for name in (inputs.plan.small_cap, *inputs.plan.crypto):
        entries = [ledger.entry(f"diagnostics.{key(name)}.{test}") for test, _ in tests]
        cells = [marked(entry, fields(entry, ("p",))[0]) for entry in entries]
        first = entries[0]
        span = f"{first.start} to {first.end}" if first.start else DASH
        rows.append((inputs.label(name), *cells, fields(first, ("n",))[0], span))
    caption = "Daily returns of each series: p of each null hypothesis, uncorrected, and the sample."
    return TableSpec("diagnostics", columns, tuple(rows), caption)


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
