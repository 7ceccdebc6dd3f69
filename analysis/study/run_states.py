"""Run the tests that compare a state with its opposite, and describe the states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.results import Inapplicable
from analysis.stats.granger_bootstrap import Signs
from analysis.stats.lagged import Floats
from analysis.stats.regimes import StateCorrelationResult, StateGrangerResult, state_correlation, state_granger
from analysis.study.entry import Entry
from analysis.study.mapping import context, day, to_entry
from analysis.study.plan import Call, Family
from analysis.study.prepare import Inputs
from analysis.study.seeds import generator


def run_state_granger(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Test whether a lead differs between a state and its opposite, in one regression."""
    if call.state not in inputs.states:
        return [_without_state("Granger causality by state", call, family, inputs)]
    effect, cause, _, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    result = state_granger(
        effect,
        cause,
        inputs.states[call.state].to_numpy(dtype=np.float64),
        lags=inputs.config.state_lags,
        cov=inputs.config.covariance,
        bootstrap=0 if signs is None else signs.shape[1],
        rng=generator(inputs.config.seed, call.id),
    )
    entries = [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]
    if isinstance(result, StateGrangerResult):
        entries += _sides(
            call,
            family,
            dates,
            result.cumulative,
            result.cumulative_lower,
            result.cumulative_upper,
            result.state_nobs,
            "cumulative response",
            result.method,
        )
    return entries


def run_state_correlation(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Test whether the same-session correlation differs between a state and its opposite, volatility corrected."""
    if call.state not in inputs.states:
        return [_without_state("Correlation by state", call, family, inputs)]
    x, y = inputs.returns(call.clock, (call.cause, call.effect)).T
    dates = inputs.dates[np.isfinite(x) & np.isfinite(y)]
    result = state_correlation(
        x,
        y,
        inputs.states[call.state].to_numpy(dtype=np.float64),
        bootstrap=0 if signs is None else signs.shape[1],
        rng=generator(inputs.config.seed, call.id),
    )
    entries = [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]
    if isinstance(result, StateCorrelationResult):
        entries += _sides(
            call,
            family,
            dates,
            result.correlation,
            result.lower,
            result.upper,
            result.state_nobs,
            "same-session correlation",
            result.method,
        )
    return entries


def _sides(
    call: Call,
    family: Family,
    dates: pd.DatetimeIndex,
    estimate: Floats,
    lower: Floats,
    upper: Floats,
    nobs: Floats,
    name: str,
    method: str,
) -> list[Entry]:
    """Return the estimate outside and inside of a state; they describe and are no tests of their own."""
    shared = context(call, family, dates) | {"family": f"{family.name}.sides", "method": method}
    return [
        Entry(
            id=f"{call.id}.{side}",
            estimate=float(estimate[row]),
            estimate_name=name,
            lower=float(lower[row]),
            upper=float(upper[row]),
            level=0.95,
            nobs=int(nobs[row]),
            summary=f"{name} {side} the state {call.state}",
            **shared,
        )
        for row, side in enumerate(("outside", "inside"))
    ]


def _without_state(method: str, call: Call, family: Family, inputs: Inputs) -> Entry:
    reason = inputs.state_missing.get(call.state, "the study names a state that is not defined")
    return to_entry(Inapplicable(method=method, reason=reason), call, family, inputs.dates[:0])


def describe_states(inputs: Inputs) -> list[Entry]:
    """Return, for every state of the study, how often it held and in how many spells."""
    entries = []
    for name in inputs.config.states:
        shared: dict[str, Any] = {"id": f"state.{name}", "family": "states", "method": "State history", "state": name}
        known = inputs.states[name].dropna() if name in inputs.states else pd.Series(dtype=float)
        if known.empty:
            reason = inputs.state_missing.get(name, "the state is never known in this sample")
            entries.append(Entry(status="inapplicable", reason=reason, summary=reason, **shared))
            continue
        held = known.to_numpy() > 0
        spells = int(held[0]) + int(np.sum(held[1:] & ~held[:-1]))
        index = pd.DatetimeIndex(known.index)
        entries.append(
            Entry(
                statistic=float(spells),
                estimate=float(held.mean()),
                estimate_name="share of sessions",
                nobs=held.size,
                start=day(index, 0),
                end=day(index, -1),
                summary=f"held in {spells} separate spells",
                **shared,
            )
        )
    return entries
