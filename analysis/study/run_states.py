"""Run the tests that compare a state with its opposite, and describe the states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.results import Inapplicable, Result
from analysis.stats.granger_bootstrap import Signs
from analysis.stats.lagged import Floats
from analysis.stats.regimes import StateCorrelationResult, StateGrangerResult, state_correlation, state_granger
from analysis.stats.regimes_shift import StateShiftResult, state_correlation_shift
from analysis.stats.states import FEW_EPISODES
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, day, to_entry
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
    if not isinstance(result, StateGrangerResult):
        return [to_entry(result, call, family, dates)]
    spells = int(result.state_episodes.min())
    tested: Result = result
    if spells < FEW_EPISODES:
        # The estimates stand, the test does not: rows of one spell are no independent evidence on the state.
        tested = Inapplicable(method=result.method, reason=f"only {spells} separate spells, too few for a test")
    sides = _sides(
        call,
        family,
        dates,
        (result.cumulative, result.cumulative_lower, result.cumulative_upper, result.state_nobs),
        "cumulative response",
        result.method,
    )
    return [to_entry(tested, call, family, dates, getattr(tested, "bootstrap_pvalue", None)), *sides]


def run_state_correlation(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Test whether the same-session correlation differs between a state and its opposite, corrected for volatility.

    The p-value that counts is the larger of two: a wild bootstrap of the rows, and the rotation of the whole history of
    the state. The first allows for changing volatility, the second for spells that last while the correlation drifts.
    """
    if call.state not in inputs.states:
        return [_without_state("Correlation by state", call, family, inputs)]
    x, y = inputs.returns(call.clock, (call.cause, call.effect)).T
    dates = inputs.dates[np.isfinite(x) & np.isfinite(y)]
    state = inputs.states[call.state].to_numpy(dtype=np.float64)
    rng = generator(inputs.config.seed, call.id)
    result = state_correlation(x, y, state, bootstrap=0 if signs is None else signs.shape[1], rng=rng)
    rotated = state_correlation_shift(x, y, state)
    if not isinstance(result, StateCorrelationResult):
        return [to_entry(result, call, family, dates)]
    if not isinstance(rotated, StateShiftResult):
        return [to_entry(rotated, call, family, dates)]
    by_rows = result.pvalue if result.bootstrap_pvalue is None else result.bootstrap_pvalue
    entry = replace(
        to_entry(result, call, family, dates, max(by_rows, rotated.pvalue)),
        method=f"{result.method}, larger p of wild bootstrap and rotation",
    )
    described = to_entry(rotated, call, family, dates, suffix=".rotation", family_name=f"{family.name}.parts")
    raw = Entry(
        id=f"{call.id}.raw",
        method=f"{result.method}, not corrected for volatility",
        statistic=result.raw_statistic,
        pvalue=result.raw_pvalue,
        estimate=float(result.correlation[1] - result.correlation[0]),
        estimate_name="raw difference of correlations, inside less outside",
        nobs=result.nobs,
        summary=result.summary(),
        **context(call, family, dates) | {"family": f"{family.name}.parts"},
    )
    sides = _sides(
        call,
        family,
        dates,
        (result.correlation, result.lower, result.upper, result.state_nobs),
        "same-session correlation",
        result.method,
    )
    return [entry, described, raw, *sides]


def _sides(
    call: Call,
    family: Family,
    dates: pd.DatetimeIndex,
    columns: tuple[Floats, Floats, Floats, Floats],
    name: str,
    method: str,
) -> list[Entry]:
    """Return estimate, lower, upper and rows outside and inside of a state; they describe and are no tests."""
    estimate, lower, upper, nobs = columns
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
