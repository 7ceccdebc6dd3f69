"""Run the link before and after declared events, and the same test at all other dates."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from analysis.results import Inapplicable
from analysis.stats.breaks import PlaceboDatesResult, before_after, placebo_dates
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.mapping import to_entry
from analysis.study.seeds import generator

BEFORE_AFTER, PLACEBO = "Link before and after a declared event", "Declared events against all other dates"


def rows_before(inputs: Inputs, when: dt.date) -> int:
    """Return how many sessions end before a day: the session of the day itself belongs to what comes after."""
    return int(np.searchsorted(inputs.dates.to_numpy(), np.datetime64(when)))


def lags_of(call: Call, inputs: Inputs, link: str) -> int:
    """Return the lags of a link: none for the response within the session."""
    return 0 if link == "response" else inputs.config.stability.lags


def run_event_link(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare the link in the windows on either side of one declared event."""
    when = dt.date.fromisoformat(call.detail)
    link = family.name.rpartition("-")[2]
    near = _sessions_around(inputs, when)
    reason = _unusable(inputs, when, near)
    if reason:
        return [to_entry(Inapplicable(method=BEFORE_AFTER, reason=reason), call, family, inputs.dates[:0])]
    effect, cause = inputs.returns(call.clock, (call.effect, call.cause)).T
    settings = inputs.config.stability
    result = before_after(
        effect,
        cause,
        at=rows_before(inputs, when),
        lags=lags_of(call, inputs, link),
        window=settings.window,
        cov=inputs.config.covariance,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
        min_rows=int(settings.least_share * settings.window),
    )
    complete = np.isfinite(effect) & np.isfinite(cause)
    dates = inputs.dates[near][complete[near]]
    return [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]


def _sessions_around(inputs: Inputs, when: dt.date) -> slice:
    at, reach = rows_before(inputs, when), inputs.config.stability.window
    return slice(max(at - reach, 0), at + reach)


def _unusable(inputs: Inputs, when: dt.date, near: slice) -> str:
    """Return why a date cannot be tested for any asset, or an empty text."""
    if not any(event.day == when for event in inputs.events):
        return f"the file of events has none on {when}"
    at, rows = rows_before(inputs, when), len(inputs.dates)
    least = int(inputs.config.stability.least_share * inputs.config.stability.window)
    if min(at - near.start, min(near.stop, rows) - at) < least:
        return f"{when} is less than {least} sessions from an end of the sample"
    return ""


def run_placebo(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare how often the link changes at the declared events with all rotations of these dates; no draws."""
    settings = inputs.config.stability
    usable = [when for when in settings.events if not _unusable(inputs, when, _sessions_around(inputs, when))]
    at = sorted({rows_before(inputs, when) for when in usable})
    dates: pd.DatetimeIndex = inputs.dates
    if not at:
        reason = "no declared event lies far enough from both ends of the sample"
        return [to_entry(Inapplicable(method=PLACEBO, reason=reason), call, family, dates[:0])]
    panel = inputs.returns(call.clock, (inputs.plan.small_cap, *inputs.plan.crypto))
    result = placebo_dates(
        panel[:, 1:],
        panel[:, 0],
        at=at,
        window=settings.window,
        lags=lags_of(call, inputs, call.detail),
        level=inputs.config.level,
        minimum=int(settings.least_share * settings.window),
    )
    return [to_entry(result, call, family, dates)]


def placebo_by_event(ledger: Ledger, inputs: Inputs) -> dict[dt.date, float]:
    """Return, by declared event, the share of other dates at which at least as large a share of responses changes."""
    entry = ledger.entry("event-placebo.response")
    result = entry.loaded() if entry.status == "ok" else None
    if not isinstance(result, PlaceboDatesResult):
        return {}
    shares = dict(zip(result.at, result.share_others, strict=True))
    places = {when: rows_before(inputs, when) for when in inputs.config.stability.events}
    return {when: float(shares[place]) for when, place in places.items() if place in shares}
