"""Run the tests of constancy by asset: a call and the inputs in, entries out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.results import Absent, Inapplicable
from analysis.stats.breaks import (
    ChowResult,
    RollingLink,
    SequentialBreaks,
    before_after,
    correlation_break,
    robust_sup_f,
    rolling_link,
    score_cusum,
    sequential_breaks,
)
from analysis.stats.breaks.around_dates import link_columns
from analysis.stats.contemporaneous import same_period_response
from analysis.stats.lagged import Floats
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, day, to_entry
from analysis.study.seeds import generator

# The rolling response is kept once a week.
SESSIONS_A_POINT = 5
RESPONSE = "same-session response"


def pair(call: Call, inputs: Inputs) -> tuple[Floats, Floats, pd.DatetimeIndex]:
    """Return effect and cause of a call on all rows, and the dates that have both."""
    effect, cause = inputs.returns(call.clock, (call.effect, call.cause)).T
    return effect, cause, inputs.dates[np.isfinite(effect) & np.isfinite(cause)]


def run_response(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Date the breaks of the same-session response; the p-value is that of one break or more against none."""
    effect, cause, dates = pair(call, inputs)
    settings = inputs.config.stability
    result = sequential_breaks(
        effect,
        cause,
        trim=settings.trim,
        max_breaks=settings.max_breaks,
        test="slopes",
        significance=inputs.config.level,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
    )
    if isinstance(result, Inapplicable) or not result.step_pvalues:
        absent = result if isinstance(result, Inapplicable) else Inapplicable(method=result.method, reason="too short")
        return [to_entry(absent, call, family, dates)]
    main = Entry(
        id=call.id,
        method=result.method,
        statistic=result.step_statistics[0],
        pvalue=result.step_pvalues[0],
        estimate=float(len(result.breaks)),
        estimate_name="number of breaks",
        nobs=result.nobs,
        nobs_lost=result.nobs_lost,
        summary=result.summary(),
        result=result.to_json(),
        **context(call, family, dates),
    )
    return [main, *_stretches(result, effect, cause, call, family, inputs)]


def _stretches(
    result: SequentialBreaks, effect: Floats, cause: Floats, call: Call, family: Family, inputs: Inputs
) -> list[Entry]:
    """Return the response in every stretch, and at every break its change with the interval of the date."""
    used = np.flatnonzero(np.isfinite(effect) & np.isfinite(cause))
    edges = [int(used[0]), *result.breaks, int(used[-1]) + 1]
    values = _responses(result, effect, cause)
    if isinstance(values, Absent):
        return []
    shared: dict[str, Any] = context(call, family, inputs.dates) | {"family": f"{family.name}.stretches"}
    entries = [
        Entry(
            id=f"{call.id}.stretch{i + 1}",
            method="Same-session response between breaks (HC3)",
            estimate=float(estimate),
            estimate_name=RESPONSE,
            lower=float(lower),
            upper=float(upper),
            level=0.95,
            nobs=int(nobs),
            summary=f"{RESPONSE} in stretch {i + 1} of {len(values)}; the dates were found in the same data",
            **shared | {"start": day(inputs.dates, first), "end": day(inputs.dates, last - 1)},
        )
        for i, ((estimate, lower, upper, nobs), first, last) in enumerate(
            zip(values, edges[:-1], edges[1:], strict=True)
        )
    ]
    for i, (after, ends) in enumerate(zip(result.breaks, result.intervals, strict=True)):
        (before, low0, high0, n0), (later, low1, high1, n1) = values[i], values[i + 1]
        # All coefficients differ between the stretches, so that the two estimates are independent.
        half = float(np.hypot(high0 - low0, high1 - low1)) / 2.0
        dates = ("", "") if ends is None else (day(inputs.dates, ends[0] - 1), day(inputs.dates, ends[1] - 1))
        entries.append(
            Entry(
                id=f"{call.id}.break{i + 1}",
                method="Bai-Perron break date",
                statistic=float(after),
                estimate=float(later - before),
                estimate_name=f"change of the {RESPONSE}, after less before",
                lower=float(later - before - half),
                upper=float(later - before + half),
                level=0.95,
                nobs=int(n0 + n1),
                summary=f"last session before the break {day(inputs.dates, after - 1)}; start and end here are "
                + ("empty, for the date has no interval" if ends is None else "the 95% interval of that date"),
                **shared | {"start": dates[0], "end": dates[1]},
            )
        )
    return entries


def _responses(result: SequentialBreaks, effect: Floats, cause: Floats) -> list[tuple[float, ...]] | Absent:
    """Return response, interval and rows of every stretch."""
    if not result.breaks:
        whole = same_period_response(effect, cause)
        if isinstance(whole, Absent) or whole.estimate is None or whole.interval is None:
            return whole if isinstance(whole, Absent) else Inapplicable(method=result.method, reason="no response")
        return [(whole.estimate, *whole.interval, whole.nobs)]
    split = before_after(effect, cause, at=result.breaks)
    if not isinstance(split, ChowResult):
        return split
    return list(zip(split.sums, split.sums_lower, split.sums_upper, split.stretch_nobs, strict=True))


def run_beside(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test the same-session response for a break beside the common drivers of the session."""
    if not call.given:
        reason = "the study has no common driver it can use"
        return [to_entry(Inapplicable(method=family.title, reason=reason), call, family, inputs.dates[:0])]
    effect, cause, controls, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    return [_sup_f(call, family, inputs, draws, (effect, cause[:, None], controls, dates))]


def run_lead(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test the lag coefficients of small caps for a break, beside constant own lags."""
    effect, cause, dates = pair(call, inputs)
    y, x, own = link_columns(effect, cause, lags=inputs.config.stability.lags)
    return [replace(_sup_f(call, family, inputs, draws, (y, x, own, dates)), lags=inputs.config.stability.lags)]


def _sup_f(
    call: Call, family: Family, inputs: Inputs, draws: int, data: tuple[Floats, Floats, Floats, pd.DatetimeIndex]
) -> Entry:
    y, x, given, dates = data
    result = robust_sup_f(
        y,
        x,
        given=given,
        test="slopes",
        trim=inputs.config.stability.trim,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
    )
    return _light(to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None)))


def run_drift(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test the same-session response for drift by the running sum of its scores."""
    effect, cause, dates = pair(call, inputs)
    rng = generator(inputs.config.seed, call.id)
    result = score_cusum(effect, cause, test="slopes", bootstrap=draws, rng=rng)
    return [_light(to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None)))]


def run_correlation(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test the correlation of the session for constancy, beyond what volatility does to it at a constant response."""
    effect, cause, dates = pair(call, inputs)
    rng = generator(inputs.config.seed, call.id)
    result = correlation_break(cause, effect, volatility="garch", bootstrap=draws, rng=rng)
    return [_light(to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None)))]


def _light(entry: Entry) -> Entry:
    """Leave the path of a test out of the ledger: its statistic, date and p-values are in the summary."""
    return replace(entry, result="") if entry.status == "ok" else entry


def run_rolling(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Follow the same-session response in a moving window; the entry is its last value, which describes."""
    effect, cause, dates = pair(call, inputs)
    settings = inputs.config.stability
    least = int(settings.least_share * settings.window)
    result = rolling_link(effect, cause, window=settings.window, minimum=least)
    if not isinstance(result, RollingLink):
        return [to_entry(result, call, family, dates)]
    # Counted from the end, so that the last window is always there.
    kept = np.flatnonzero((len(result.position) - 1 - np.arange(len(result.position))) % SESSIONS_A_POINT == 0)
    columns = {name: getattr(result, name)[kept] for name in ("position", "estimate", "lower", "upper", "nobs")}
    weekly = replace(result, **columns)
    return [
        Entry(
            id=call.id,
            method=f"{result.method}, last window",
            estimate=float(result.estimate[-1]),
            estimate_name=RESPONSE,
            lower=float(result.lower[-1]),
            upper=float(result.upper[-1]),
            level=float(result.options["level"]),
            nobs=int(result.nobs[-1]),
            summary=result.summary(),
            result=weekly.to_json(),
            **context(call, family, dates),
        )
    ]
