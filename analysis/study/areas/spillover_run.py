"""Run the tests of volatility spillover: a call and the inputs in, entries out."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd

from analysis.results import Inapplicable, Result
from analysis.stats.connectedness.rolling import RollingConnectedness, rolling_connectedness
from analysis.stats.connectedness.spill import SpillResult, directional_connectedness
from analysis.stats.granger_variance import cheung_ng
from analysis.stats.granger_variance_conditional import shock_size_causality
from analysis.stats.granger_variance_session import OneSessionResult, without_one_session
from analysis.stats.volatility.correlation import DynamicCorrelation, constant_correlation, dynamic_correlation
from analysis.study import run_leads
from analysis.study.areas.spillover_system import SESSIONS_A_WEEK, System, build
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, to_entry
from analysis.study.seeds import generator

# Cycles in steps of the measure: the last band holds everything longer.
CYCLES = {"returns": (2.0, 5.0, 21.0), "volatility": (2.0, 4.0, 13.0), "volatility-daily": (2.0, 5.0, 21.0)}
# Decimals kept of a stored path: finer than any line that can be drawn.
_PATH_DECIMALS = 4
_SHARES = {
    "given": "mean share of a crypto asset's forecast error variance from shocks of small caps, percent",
    "received": "mean share of small caps' forecast error variance from shocks of a crypto asset, percent",
    "net": "given less received, percent",
}


def run_variance(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test whether the size of the cause's shocks announces the effect's; the wild bootstrap gives the p-value."""
    if call.conditional and not call.given:
        absent = Inapplicable(method=family.title, reason="the study has no common driver it can use")
        return [to_entry(absent, call, family, inputs.dates[:0])]
    effect, cause, controls, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    result = shock_size_causality(
        effect,
        cause,
        lags=inputs.config.lags,
        given=controls if inputs.plan.controls else None,
        beside=call.conditional,
        weights=run_leads.signs_for(inputs, f"family.{family.name}", draws),
        effect_name=inputs.label(call.effect),
        cause_name=inputs.label(call.cause),
    )
    return [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]


def run_session(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test squared shocks without the session that carries most; beside it that session and its share."""
    effect, cause, _, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    result = without_one_session(
        effect,
        cause,
        lags=inputs.config.lags,
        bootstrap=_slow(inputs, draws),
        rng=generator(inputs.config.seed, call.id),
        effect_name=inputs.label(call.effect),
        cause_name=inputs.label(call.cause),
    )
    entries = [to_entry(result, call, family, dates)]
    if not isinstance(result, OneSessionResult):
        return entries
    session = str(inputs.dates[result.session].date())
    share = context(call, family, dates) | {"family": f"{family.name}.share", "start": session, "end": session}
    share |= {"method": "causality in variance (Cheung-Ng)", "lags": result.lags}
    words = "part of the largest correlation of squared shocks that one session makes"
    entries.append(
        Entry(id=f"{call.id}.share", estimate=result.share, estimate_name=words, summary=f"{words}: {session}", **share)
    )
    return entries


def run_whole(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test squared shocks with all sessions; permutations give the p-value, which heavy tails do not distort."""
    effect, cause, _, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    result = cheung_ng(
        effect,
        cause,
        lags=inputs.config.lags,
        bootstrap=_slow(inputs, draws),
        rng=generator(inputs.config.seed, call.id),
        effect_name=inputs.label(call.effect),
        cause_name=inputs.label(call.cause),
    )
    return [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]


def run_connectedness(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Decompose the forecast errors of the system; the total is the entry, directions and bands are reported beside."""
    system = build(inputs, call.detail, call.clock)
    if isinstance(system, str):
        return [_absent("Directional connectedness", system, call, family, inputs)]
    settings = inputs.config.spillover
    low, middle, high = CYCLES[call.detail]
    result = directional_connectedness(
        system.data,
        source=0,
        targets=system.targets,
        lags=settings.system_lags,
        horizon=settings.horizon,
        bands=(0.0, 2 * math.pi / high, 2 * math.pi / middle, 2 * math.pi / low),
        bootstrap=_slow(inputs, draws),
        rng=generator(inputs.config.seed, call.id),
        names=system.names,
    )
    if not isinstance(result, SpillResult):
        return [to_entry(result, call, family, inputs.dates[:0])]
    dates = system.dates[np.isfinite(system.data).all(axis=1)]
    shared = _shared(call, family, dates, result)
    entries = [_share(call.id, "total connectedness, percent", result, "total", shared, result.to_json())]
    beside = shared | {"family": f"{family.name}.directions"}
    for measure, words in _SHARES.items():
        strict = {"given": call.clock == "after", "received": call.clock == "before"}.get(measure)
        entries.append(_share(f"{call.id}.{measure}", words, result, measure, beside | {"strict": strict}))
    for name, part in zip(system.names, system.keys, strict=True):
        words = f"net connectedness of {name}, percent"
        entries.append(_share(f"{call.id}.net-{part}", words, result, f"net of {name}", beside))
    return entries + _bands(call, result, shared | {"family": f"{family.name}.bands"})


def _bands(call: Call, result: SpillResult, shared: dict[str, Any]) -> list[Entry]:
    """Return total and net of each band of frequency, slowest first."""
    entries = []
    for band, part in enumerate(("long", "medium", "short")):
        for measure in ("total", "net"):
            low, high = result.band_limits[measure][band]
            entries.append(
                Entry(
                    id=f"{call.id}.{part}-{measure}",
                    estimate=result.band_values[measure][band],
                    estimate_name=f"{measure} connectedness of {part} cycles, percent of the whole variance",
                    lower=low,
                    upper=high,
                    level=result.interval_level,
                    summary=f"{measure} connectedness of {part} cycles",
                    **shared,
                )
            )
    return entries


def _share(id: str, words: str, result: SpillResult, measure: str, shared: dict[str, Any], full: str = "") -> Entry:
    low, high = result.limits[measure]
    return Entry(
        id=id,
        estimate=result.values[measure],
        estimate_name=words,
        lower=low,
        upper=high,
        level=result.interval_level,
        summary=result.summary() if full else words,
        result=full,
        **shared,
    )


def _shared(
    call: Call, family: Family, dates: pd.DatetimeIndex, result: SpillResult | RollingConnectedness
) -> dict[str, Any]:
    sample = {"method": result.method, "nobs": result.nobs, "nobs_lost": result.nobs_lost, "lags": result.lags}
    return context(call, family, dates) | sample


def run_rolling(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Measure total connectedness in moving windows; the entry is the last window, its result holds the path."""
    system = build(inputs, call.detail, call.clock)
    if isinstance(system, str):
        return [_absent("Rolling connectedness", system, call, family, inputs)]
    settings = inputs.config.spillover
    a_week = 1 if call.detail == "volatility" else SESSIONS_A_WEEK
    rows = _covered(system)
    result = rolling_connectedness(
        system.data[rows],
        lags=settings.system_lags,
        horizon=settings.horizon,
        window=settings.rolling_weeks * a_week,
        step=a_week,
        bootstrap=_slow(inputs, draws),
        limited=settings.rolling_limits,
        rng=generator(inputs.config.seed, call.id),
        names=system.names,
    )
    dates = system.dates[rows]
    if not isinstance(result, RollingConnectedness):
        return [to_entry(result, call, family, dates[:0])]
    bounds = result.total_limits[-1] if len(result.limited_ends) else None
    if bounds is None or result.limited_ends[-1] != result.ends[-1]:
        return [_absent(result.method, "the last window could not be resampled", call, family, inputs)]
    return [
        Entry(
            id=call.id,
            estimate=float(result.totals[-1]),
            estimate_name="total connectedness of the last window, percent",
            lower=float(bounds[0]),
            upper=float(bounds[1]),
            level=result.interval_level,
            summary=result.summary(),
            result=result.to_json(),
            **_shared(call, family, dates, result),
        )
    ]


def _covered(system: System) -> slice:
    """Return the rows from the first to the last whole one."""
    whole = np.flatnonzero(np.isfinite(system.data).all(axis=1))
    return slice(int(whole[0]), int(whole[-1]) + 1) if whole.size else slice(0, 0)


def rolling_dates(inputs: Inputs, measure: str) -> pd.DatetimeIndex:
    """Return the session of each row a rolling result counts from."""
    system = build(inputs, measure, "after")
    return inputs.dates[:0] if isinstance(system, str) else system.dates[_covered(system)]


def run_correlation(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test whether the same-session correlation is constant, and describe how it moves."""
    pair = inputs.returns(call.clock, (call.cause, call.effect))
    names = (inputs.label(call.cause), inputs.label(call.effect))
    dates = inputs.dates[np.isfinite(pair).all(axis=1)]
    tested = constant_correlation(
        pair, vol="gjr", bootstrap=draws, rng=generator(inputs.config.seed, call.id), names=names
    )
    entries = [to_entry(tested, call, family, dates)]
    moving = dynamic_correlation(pair, vol="gjr", corrected=True, names=names)
    side = f"{family.name}.path"
    if not isinstance(moving, DynamicCorrelation):
        return [*entries, to_entry(moving, call, family, dates, suffix=".latest", family_name=side)]
    shared: dict[str, Any] = context(call, family, dates) | {
        "family": side,
        "method": moving.method,
        "nobs": moving.nobs,
        "nobs_lost": moving.nobs_lost,
        "summary": moving.summary(),
    }
    row = moving.to_frame().iloc[0]
    limits = {} if row["lower"] is None else {"lower": row["lower"], "upper": row["upper"], "level": 0.95}
    # The path of the first asset is drawn; the others keep their numbers, which keeps the ledger small.
    full = _light(moving).to_json() if call.effect == inputs.plan.crypto[0] else ""
    last = {"estimate_name": "latest correlation", "estimate": row["last"], "result": full, **limits}
    entries.append(Entry(id=f"{call.id}.latest", **shared, **last))
    for part, words in (("mean", "mean correlation"), ("lowest", "lowest correlation"), ("highest", "highest")):
        entries.append(Entry(id=f"{call.id}.{part}", estimate=row[part], estimate_name=words, **shared))
    ends = moving.persistence_interval
    lasting: dict[str, Any] = shared | {
        "estimate_name": "share of a surprise in the correlation left after one session"
    }
    lasting |= {} if ends is None else {"lower": max(ends[0], 0.0), "upper": ends[1], "level": 0.95}
    return [*entries, Entry(id=f"{call.id}.persistence", estimate=moving.persistence, **lasting)]


def _light(moving: DynamicCorrelation) -> Result:
    """Drop the volatilities and round the path, so that the ledger stays readable."""
    band = moving.correlation_interval
    return dataclasses.replace(
        moving,
        margins=(),
        correlation=np.round(moving.correlation, _PATH_DECIMALS),
        correlation_interval=None if band is None else np.round(band, _PATH_DECIMALS),
    )


def _slow(inputs: Inputs, draws: int) -> int:
    """Return the samples of the connectedness bootstrap: at least the 99 that limits need."""
    reduced = draws < inputs.config.bootstrap
    return 99 if reduced else max(99, inputs.config.slow_bootstrap)


def _absent(method: str, reason: str, call: Call, family: Family, inputs: Inputs) -> Entry:
    return to_entry(Inapplicable(method=method, reason=reason), call, family, inputs.dates[:0])
