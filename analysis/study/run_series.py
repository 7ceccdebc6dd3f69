"""State facts of single series: properties of returns, and the record highs of a year."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from analysis.market import calendars
from analysis.market.highs import DECIMALS, RecordFacts, record_facts
from analysis.results import Inapplicable, Result
from analysis.stats import diagnostics, unitroots
from analysis.stats.granger_bootstrap import Signs
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import day, to_entry

# The highest price of a short history is no record.
RECORD_HISTORY_YEARS = 10
_DAYS_A_YEAR = 365.25


def run_diagnostics(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Describe a return series: stationarity, autocorrelation, changing volatility, normality."""
    values = inputs.returns("after", (call.effect,))[:, 0]
    known = np.isfinite(values)
    series, dates = values[known], inputs.dates[known]
    results: dict[str, Result] = {
        "adf": unitroots.adf(series),
        "kpss": unitroots.kpss(series),
        "ljung-box": diagnostics.ljung_box(series, lags=inputs.config.correlation_lags),
        "arch": diagnostics.arch_lm(series, lags=inputs.config.lags),
        "jarque-bera": diagnostics.jarque_bera(series),
    }
    return [to_entry(result, call, family, dates, suffix=f".{name}") for name, result in results.items()]


def run_record(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """State the record highs of the year: on closes, within the session, or with dividends reinvested."""
    basis = call.id.rsplit(".", 1)[-1]
    year = inputs.config.record_year
    reason = _no_record(call.effect, basis, inputs)
    if reason:
        absent = Inapplicable(method="Record highs", reason=reason)
        return [to_entry(absent, call, family, inputs.dates[:0], suffix=".count")]
    frame = inputs.snapshot.frame(call.effect)
    # An adjusted price has no published decimals: every rise counts.
    facts = record_facts(frame, year, decimals=None if basis == "total" else DECIMALS)
    inside = frame.index[frame.index.year == year]
    days = facts.record_intraday_dates if basis == "intraday" else facts.record_close_dates
    shared: dict[str, Any] = {
        "family": family.name,
        "claims": family.claims,
        "method": "Record highs",
        "effect": call.effect,
    }
    name = f"days with a record in {year}"
    count = Entry(
        id=f"{call.id}.count",
        estimate=float(len(days)),
        estimate_name=name,
        nobs=len(inside),
        start=day(inside, 0),
        end=day(inside, -1),
        summary=f"{name}: {', '.join(str(date) for date in days) or 'none'}",
        **shared,
    )
    levels = [
        Entry(
            id=f"{call.id}.{part}",
            estimate=level,
            estimate_name=words,
            start=str(date),
            end=str(date),
            summary=f"{words}: {level:.2f} on {date}",
            **shared,
        )
        for part, words, level, date in _levels(facts, basis)
        if level is not None
    ]
    return [count, *levels]


def _levels(facts: RecordFacts, basis: str) -> list[tuple[str, str, float | None, dt.date | None]]:
    """Return id part, words, level and date of each level that matters, on closes or within the session."""
    highest, prior = f"highest of {facts.year}", "record before the year"
    if basis == "intraday":
        return [
            ("highest", highest, facts.highest_intraday, facts.highest_intraday_date),
            ("prior", prior, facts.prior_record_intraday, facts.prior_record_intraday_date),
        ]
    return [
        ("highest", highest, facts.highest_close, facts.highest_close_date),
        ("prior", prior, facts.prior_record_close, facts.prior_record_close_date),
        ("next", "next record close", facts.first_record_close_after, facts.first_record_close_after_date),
    ]


def _no_record(series_id: str, basis: str, inputs: Inputs) -> str:
    """Return why the records of a series cannot be stated, or nothing."""
    year = inputs.config.record_year
    if series_id not in inputs.snapshot.series:
        return inputs.snapshot.missing.get(series_id, f"{series_id} is not in the data")
    frame = inputs.snapshot.frame(series_id)
    if basis == "intraday" and "high" not in frame.columns:
        return f"{series_id} was supplied without daily highs"
    if inputs.catalog.entry(series_id).transform not in ("log_return", "log_difference"):
        return f"{series_id} is not a price"
    sessions = calendars.nyse(f"{year}-01-01", f"{year}-12-31").dates
    there = int(sessions.isin(frame.index).sum())
    if there < len(sessions):
        return f"{series_id} has {there} of the {len(sessions)} sessions of {year}"
    history = (sessions[0] - frame.index[0]).days / _DAYS_A_YEAR
    if history < RECORD_HISTORY_YEARS:
        return f"{series_id} has {history:.1f} years before {year}; a record needs {RECORD_HISTORY_YEARS}"
    return ""
