"""Calm and turbulence: does the link differ between hidden states, and does it change at some level of a variable."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from analysis.results import Inapplicable
from analysis.stats.crosscorr_rolling import RollingCorrelation, rolling_correlation
from analysis.stats.lagged import Floats
from analysis.stats.switching.granger import MarkovSwitchingGrangerResult, markov_switching_granger
from analysis.stats.switching.threshold import ThresholdResult, threshold_test
from analysis.study import run_leads, run_states
from analysis.study.area import Area, Subjects
from analysis.study.areas.switching_data import (
    SOURCES,
    VARIABLES,
    Source,
    Turbulence,
    Variable,
    series,
    threshold_variable,
    turbulence,
)
from analysis.study.calls import Call, Family, key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, to_entry
from analysis.study.seeds import generator

CLAIMS = ("liquidity-state", "stable-link")
ANNUAL_SESSIONS = 252.0
# What a threshold may change: the lead, or the response of the same session; and beside the common drivers or alone.
QUESTIONS = {"lead": "lead", "same": "same-session response"}
DECIMALS = 4


def declare(subjects: Subjects) -> list[Family]:
    """Declare every family of the area before any number is known."""
    small, crypto = subjects.small_cap, subjects.crypto
    names = {"small": "small caps", "crypto": "crypto"}
    families = [
        Family(
            f"switching-state.{source}",
            f"Do lead and same-session correlation differ while {names[source]} are turbulent",
            CLAIMS,
            "bh",
            (
                Call(
                    f"switching-state.{source}",
                    "switching-state",
                    crypto[0],
                    small,
                    "after",
                    strict=True,
                    detail=source,
                ),
            ),
        )
        for source in SOURCES
    ]
    for conditional in (False, True):
        given = subjects.controls if conditional else ()
        tail = "-conditional" if conditional else ""
        hidden = tuple(
            Call(
                f"switching-hidden{tail}.{key(small)}.{key(asset)}",
                "switching-hidden",
                asset,
                small,
                "after",
                given,
                strict=True,
                conditional=conditional,
            )
            for asset in crypto
        )
        title = "Lead in the hidden regimes of each asset" + (", beside the drivers" if conditional else "")
        families.append(Family(f"switching-hidden{tail}", title, CLAIMS, "bh", hidden))
        families += [
            _threshold_family(subjects, question, variable, conditional)
            for question in QUESTIONS
            for variable in VARIABLES
        ]
    return families


def _threshold_family(subjects: Subjects, question: str, variable: Variable, conditional: bool) -> Family:
    name = f"switching-threshold-{question}{'-conditional' if conditional else ''}.{variable.name}"
    calls = tuple(
        Call(
            f"{name}.{key(subjects.small_cap)}.{key(asset)}",
            "switching-threshold",
            asset,
            subjects.small_cap,
            "after",
            subjects.controls if conditional else (),
            strict=True if question == "lead" else None,
            conditional=conditional,
            side=question,
            detail=variable.name,
        )
        for asset in subjects.crypto
    )
    title = f"Does the {QUESTIONS[question]} change at some level of {variable.label}"
    return Family(name, title + (", beside the drivers" if conditional else ""), CLAIMS, "bh", calls)


def run_state(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare turbulence with calm for every asset: lead, then correlation; one estimate of the states serves all."""
    source: Source = "small" if call.detail == "small" else "crypto"
    found = turbulence(inputs, source)
    name = f"turbulent_{source}"
    if isinstance(found, str):
        seen = dataclasses.replace(inputs, state_missing={**inputs.state_missing, name: found})
        entries: list[Entry] = [_absent_history(call, family, inputs, found)]
    else:
        seen = dataclasses.replace(inputs, states=inputs.states.assign(**{name: found.state}))
        entries = _history(call, family, inputs, found)
    signs = run_leads.signs_for(inputs, f"family.{family.name}", draws)
    for asset in inputs.plan.crypto:
        pair = f"{key(call.cause)}.{key(asset)}"
        one = dataclasses.replace(call, effect=asset, state=name)
        lead = dataclasses.replace(one, id=f"{call.id}.lead.{pair}")
        same = dataclasses.replace(one, id=f"{call.id}.correlation.{pair}", strict=None)
        entries += run_states.run_state_granger(lead, family, seen, signs)
        entries += run_states.run_state_correlation(same, family, seen, signs)
    return entries


def _absent_history(call: Call, family: Family, inputs: Inputs, reason: str) -> Entry:
    absent = Inapplicable(method="Markov switching on an expanding window", reason=reason)
    return to_entry(absent, call, family, inputs.dates[:0], suffix=".history", family_name=f"{family.name}.history")


def _history(call: Call, family: Family, inputs: Inputs, found: Turbulence) -> list[Entry]:
    """Describe the states, and keep the path that is drawn: chance of turbulence beside the rolling correlation."""
    known = np.isfinite(found.state)
    held = found.state[known] > 0
    spells = int(held[0]) + int(np.sum(held[1:] & ~held[:-1]))
    dates = inputs.dates[known]
    shared: dict[str, Any] = context(call, family, dates) | {"family": f"{family.name}.history"}
    fits = found.fits
    sliced = dataclasses.replace(
        fits,
        predicted=np.column_stack([1.0 - found.predicted, found.predicted]).round(DECIMALS),
        filtered=np.empty((0, 2)),
    )
    share = Entry(
        id=f"{call.id}.history",
        method=fits.method,
        statistic=float(spells),
        estimate=float(held.mean()),
        estimate_name="share of sessions that count as turbulent",
        nobs=held.size,
        summary=fits.summary(),
        result=sliced.to_json(),
        **shared,
    )
    spread = np.sqrt(ANNUAL_SESSIONS * fits.variances[-1]) * 100.0
    described = [
        Entry(
            id=f"{call.id}.history.{side}",
            method=fits.method,
            estimate=float(value),
            estimate_name=f"yearly volatility in the {side} state, percent",
            nobs=fits.nobs,
            summary=f"volatility in the {side} state at the last estimation",
            **shared,
        )
        for side, value in zip(("calm", "turbulent"), spread, strict=True)
    ]
    # The correlation that is drawn is that of the first asset, once.
    return [share, *described, *(_rolling(call, family, inputs, shared) if call.detail == "small" else ())]


def _rolling(call: Call, family: Family, inputs: Inputs, shared: dict[str, Any]) -> list[Entry]:
    x, y = inputs.returns(call.clock, (call.cause, call.effect)).T
    path = rolling_correlation(x, y, window=inputs.config.switching.rolling)
    name = f"{call.id}.rolling"
    if not isinstance(path, RollingCorrelation):
        return [to_entry(path, call, family, inputs.dates[:0], suffix=".rolling", family_name=shared["family"])]
    kept = dataclasses.replace(
        path,
        estimate=path.estimate.round(DECIMALS),
        lower=path.lower.round(DECIMALS),
        upper=path.upper.round(DECIMALS),
    )
    return [
        Entry(
            id=name,
            method=path.method,
            estimate=float(path.estimate[-1]),
            estimate_name="same-session correlation in the last window",
            lower=float(path.lower[-1]),
            upper=float(path.upper[-1]),
            level=0.95,
            nobs=int(path.nobs[-1]),
            summary=path.summary(),
            result=kept.to_json(),
            **shared,
        )
    ]


def run_hidden(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test whether the lead differs between the effect's hidden regimes, and whether there is one in any of them."""
    if call.conditional and not call.given:
        absent = Inapplicable(method=family.title, reason="the study has no common driver it can use")
        return [to_entry(absent, call, family, inputs.dates[:0], suffix=part) for part in (".equal", ".any")]
    effect, cause, controls, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    result = markov_switching_granger(
        effect,
        cause,
        controls if call.given else None,
        lags=inputs.config.state_lags,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
    )
    if not isinstance(result, MarkovSwitchingGrangerResult):
        return [to_entry(result, call, family, dates, suffix=part) for part in (".equal", ".any")]
    chances = dict(zip(result.tests, result.test_bootstrap_pvalue.tolist(), strict=True))
    statistics = dict(zip(result.tests, result.test_statistic.tolist(), strict=True))
    equal = to_entry(result, call, family, dates, chances["equal"], suffix=".equal")
    shared = context(call, family, dates)
    somewhere = Entry(
        id=f"{call.id}.any",
        method=f"{result.method}, in any regime",
        statistic=statistics["none"],
        pvalue=chances["none"],
        nobs=result.nobs,
        nobs_lost=result.nobs_lost,
        lags=result.lags,
        summary=result.summary(),
        **shared,
    )
    sides = [
        Entry(
            id=f"{call.id}.{side}",
            method=result.method,
            estimate=float(result.cumulative[row]),
            estimate_name="cumulative response",
            lower=float(result.cumulative_lower[row]),
            upper=float(result.cumulative_upper[row]),
            level=result.interval_level,
            nobs=round(float(result.regime_rows[row])),
            summary=f"sum of the lags in the {side} regime of {call.effect}",
            **shared | {"family": f"{family.name}.sides"},
        )
        for row, side in enumerate(("calm", "turbulent"))
    ]
    return [equal, somewhere, *sides]


def run_threshold(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test one asset for a change at an unknown level of one variable, and give the level with its set."""
    method = "Threshold test with an unknown split"
    if call.conditional and not call.given:
        absent = Inapplicable(method=method, reason="the study has no common driver it can use")
        return [to_entry(absent, call, family, inputs.dates[:0])]
    variable = next(item for item in VARIABLES if item.name == call.detail)
    level = threshold_variable(inputs, variable)
    if isinstance(level, str):
        return [to_entry(Inapplicable(method=method, reason=level), call, family, inputs.dates[:0])]
    effect, cause, controls, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    settings = inputs.config.switching
    result = threshold_test(
        effect,
        cause,
        level,
        lags=inputs.config.state_lags if call.side == "lead" else 0,
        given=controls if call.given else None,
        trim=settings.trim,
        grid=settings.splits,
        bootstrap=max(draws, 99),
        rng=generator(inputs.config.seed, call.id),
    )
    if not isinstance(result, ThresholdResult):
        return [to_entry(result, call, family, dates)]
    entry = to_entry(result, call, family, dates)
    if call.effect != inputs.plan.crypto[0]:
        # The path over all levels of the first asset is kept; the others keep their summary.
        entry = dataclasses.replace(entry, result="")
    return [entry, *_split_entries(call, family, dates, result, variable)]


def _split_entries(call: Call, family: Family, dates: Any, result: ThresholdResult, variable: Variable) -> list[Entry]:
    shared = context(call, family, dates) | {"family": f"{family.name}.parts", "method": result.method}
    split = Entry(
        id=f"{call.id}.split",
        estimate=result.split,
        estimate_name=f"{variable.label} at the split, {variable.unit}",
        lower=result.split_set[0],
        upper=result.split_set[1],
        level=result.interval_level,
        statistic=result.split_set_share,
        nobs=result.nobs,
        summary=f"level of the split; {result.split_set_share:.0%} of the candidate levels are not rejected",
        **shared,
    )
    sums: tuple[Floats, ...] = (result.side_sums, result.side_lower, result.side_upper)
    sides = [
        Entry(
            id=f"{call.id}.{side}",
            estimate=float(sums[0][row]),
            estimate_name="cumulative response" if call.side == "lead" else "same-session response",
            lower=float(sums[1][row]),
            upper=float(sums[2][row]),
            level=result.interval_level,
            nobs=int(result.side_nobs[row]),
            summary=f"response {side} the split of {variable.label}",
            **shared,
        )
        for row, side in enumerate(("below", "above"))
    ]
    return [split, *sides]


def _series(subjects: Subjects) -> tuple[str, ...]:
    return series(subjects.series, subjects.small_cap, subjects.crypto)


AREA = Area(
    "switching",
    declare,
    {"switching-state": run_state, "switching-hidden": run_hidden, "switching-threshold": run_threshold},
    series=_series,
    long=("switching-state", "switching-hidden"),
)
