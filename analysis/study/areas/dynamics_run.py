"""Run response paths, their comparison over assets and states, and shares of forecast variance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from analysis.results import Inapplicable, Result
from analysis.stats.dynamics import (
    LocalProjection,
    ResponseEquality,
    StateLocalProjection,
    VarFit,
    VarianceDecomposition,
    equal_responses,
    fit_var,
    local_projection,
    state_local_projection,
    variance_decomposition,
)
from analysis.stats.dynamics.inputs import LEAST_DRAWS
from analysis.stats.lagged import Floats
from analysis.stats.states import FEW_EPISODES
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, to_entry
from analysis.study.seeds import generator

RESPONSE, EQUALITY, STATE, SHARE = "response", "response-equality", "response-state", "response-share"
NO_DRIVER = "the study has no common driver it can use"


def _shock(inputs: Inputs, call: Call) -> tuple[Floats, Floats]:
    """Return small caps and the controls, on sessions that have all of them.

    A session that lacks a control has no shock, also where the controls are not used, so that an estimate alone and its
    conditional twin rest on the very same sessions; the responses that run over that session are kept.
    """
    controls = inputs.returns(call.clock, inputs.plan.controls) if inputs.plan.controls else None
    shock = inputs.returns(call.clock, (call.cause,))[:, 0]
    if controls is None:
        return shock, np.empty((len(shock), 0))
    shock = np.where(np.isfinite(controls).all(axis=1), shock, np.nan)
    return shock, controls


def _dates(inputs: Inputs, shock: Floats, effects: Floats) -> pd.DatetimeIndex:
    return inputs.dates[np.isfinite(np.column_stack([shock, effects])).all(axis=1)]


def _draws(draws: int) -> int:
    return max(draws, LEAST_DRAWS)


def run_response(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Follow the cumulative response of one asset: estimate at the last horizon, p-value over all of them."""
    if call.conditional and not call.given:
        return [to_entry(Inapplicable(method=family.title, reason=NO_DRIVER), call, family, inputs.dates[:0])]
    shock, controls = _shock(inputs, call)
    effect = inputs.returns(call.clock, (call.effect,))[:, 0]
    used = controls if call.given else controls[:, :0]
    result = local_projection(
        np.column_stack([shock, effect, used]),
        shock=0,
        responses=1,
        given=range(2, 2 + used.shape[1]),
        lags=inputs.config.lags,
        horizons=range(0 if call.detail == "path" else 1, inputs.config.dynamics.horizon + 1),
        cumulative=True,
        bootstrap=_draws(draws),
        rng=generator(inputs.config.seed, call.id),
        names=(inputs.label(call.cause), inputs.label(call.effect), *call.given),
    )
    dates = _dates(inputs, shock, effect)
    if not isinstance(result, LocalProjection) or result.pvalue is None:
        return [to_entry(result, call, family, dates)]
    return [
        Entry(
            id=call.id,
            method=f"{result.method} (lag-augmented, cumulative)",
            pvalue=float(result.pvalue[0]),
            estimate=float(result.estimate[-1, 0]),
            estimate_name=f"cumulative response after {result.horizons[-1]} sessions",
            lower=float(result.lower[-1, 0]),
            upper=float(result.upper[-1, 0]),
            level=result.interval_level,
            # The rows of the horizon that is reported, which the last sessions are too young for.
            nobs=int(result.nobs[-1, 0]),
            nobs_lost=len(effect) - int(result.nobs[-1, 0]),
            lags=result.lags,
            summary=result.summary(),
            result=result.to_json(),
            **context(call, family, dates),
        )
    ]


def group_of(group: str, inputs: Inputs) -> tuple[str, ...]:
    """Return the assets of a group that the study has."""
    older = inputs.config.dynamics.older
    return inputs.plan.crypto if group == "all" else tuple(name for name in inputs.plan.crypto if name in older)


def run_equality(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test one null of equal responses over one group of assets."""
    null, group = call.detail.split()
    assets = group_of(group, inputs)
    reason = NO_DRIVER if call.conditional and not call.given else ""
    if len(assets) < 2:
        reason = reason or "the group has fewer than two assets"
    if reason:
        return [to_entry(Inapplicable(method=family.title, reason=reason), call, family, inputs.dates[:0])]
    shock, controls = _shock(inputs, call)
    effects = inputs.returns(call.clock, assets)
    settings = inputs.config.dynamics
    last = settings.horizon if null in ("path", "later") else settings.sum_horizon
    result: Result = equal_responses(
        effects,
        shock,
        lags=inputs.config.lags,
        horizons=range(1 if null == "later" else 0, last + 1),
        null="path" if null == "later" else null,
        given=controls if call.given else None,
        bootstrap=_draws(draws),
        rng=generator(inputs.config.seed, call.id),
        names=[inputs.label(name) for name in assets],
    )
    if isinstance(result, ResponseEquality):
        words = f"{result.method}, {len(assets)} assets" + (", later sessions" if null == "later" else "")
        result = dataclasses.replace(result, method=words)
    return [to_entry(result, call, family, _dates(inputs, shock, effects))]


def run_state(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare the response path of one asset inside and outside a state; a state of few spells is not tested."""
    title = "Local projection by state"
    if call.state not in inputs.states:
        reason = inputs.state_missing.get(call.state, "the data do not allow this state")
        return [to_entry(Inapplicable(method=title, reason=reason), call, family, inputs.dates[:0])]
    shock, _ = _shock(inputs, call)
    effect = inputs.returns(call.clock, (call.effect,))[:, 0]
    dates = _dates(inputs, shock, effect)
    result: Result = state_local_projection(
        effect,
        shock,
        inputs.states[call.state].to_numpy(dtype=np.float64),
        lags=inputs.config.state_lags,
        horizons=inputs.config.dynamics.sum_horizon,
        cumulative=True,
        bootstrap=_draws(draws),
        rng=generator(inputs.config.seed, call.id),
    )
    if isinstance(result, StateLocalProjection) and result.state_episodes.min() < FEW_EPISODES:
        spells = int(result.state_episodes.min())
        result = Inapplicable(method=title, reason=f"only {spells} separate spells, too few for a test")
    return [to_entry(result, call, family, dates)]


def run_share(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Measure the share of an asset's forecast variance that shocks of small caps explain; small caps come first."""
    shock, _ = _shock(inputs, call)
    effect = inputs.returns(call.clock, (call.effect,))[:, 0]
    dates = _dates(inputs, shock, effect)
    names = (inputs.label(call.cause), inputs.label(call.effect))
    model = fit_var(np.column_stack([shock, effect]), lags=inputs.config.lags, names=names)
    if not isinstance(model, VarFit):
        return [to_entry(model, call, family, dates)]
    slow = inputs.config.slow_bootstrap
    result = variance_decomposition(
        model,
        horizon=inputs.config.dynamics.horizon,
        bootstrap=_draws(min(slow, draws)),
        rng=generator(inputs.config.seed, call.id),
    )
    if not isinstance(result, VarianceDecomposition) or result.lower is None or result.upper is None:
        return [to_entry(result, call, family, dates)]
    entries = []
    for suffix, step in (("", len(result.estimate)), (".first", 1)):
        common = context(call, family, dates) | ({"family": f"{family.name}.first"} if suffix else {})
        entries.append(
            Entry(
                id=call.id + suffix,
                method=result.method,
                estimate=float(result.estimate[step - 1, 1, 0]),
                estimate_name=f"share of forecast variance, {step} sessions ahead",
                lower=float(result.lower[step - 1, 1, 0]),
                upper=float(result.upper[step - 1, 1, 0]),
                level=result.interval_level,
                nobs=result.nobs,
                nobs_lost=result.nobs_lost,
                lags=result.lags,
                summary=result.summary(),
                result="" if suffix else result.to_json(),
                **common,
            )
        )
    return entries
