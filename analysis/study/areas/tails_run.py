"""Run the tests of joint falls and rises: a call and the inputs in, ledger entries out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.results import Inapplicable
from analysis.stats.lagged import Floats
from analysis.stats.regimes import StateCorrelationResult, state_correlation
from analysis.stats.regimes_shift import StateShiftResult, state_correlation_shift
from analysis.stats.tails import TailAsymmetryResult, tail_asymmetry, tail_dependence
from analysis.stats.tails.beta import METHOD as BETA
from analysis.stats.tails.beta import DownsideBetaResult, downside_beta
from analysis.stats.tails.covar import METHOD as COVAR
from analysis.stats.tails.covar import DeltaCovarResult, delta_covar
from analysis.stats.tails.exceedance import ExceedanceResult, exceedance_correlation
from analysis.stats.tails.states import METHOD as BY_STATE
from analysis.stats.tails.states import StateDownsideResult, state_downside_beta
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import to_entry
from analysis.study.seeds import generator

LEVEL = 0.95
_WITHOUT_CONTROLS = "the study has no common driver it can use"


def slow(inputs: Inputs, draws: int) -> int:
    """Return the draws of a slow method: those declared, fewer in a reduced build."""
    declared = inputs.config.tails.bootstrap
    return min(declared, 19) if draws < inputs.config.bootstrap else declared


def run_tails(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare joint extremes in falls and in rises; each tail and the symmetric yardstick are entries beside it."""
    effect, cause, dates = _pair(call, inputs)
    rng = generator(inputs.config.seed, call.id)
    result = tail_asymmetry(cause, effect, share=inputs.config.tails.share, bootstrap=draws, rng=rng)
    entry = to_entry(result, call, family, dates)
    if not isinstance(result, TailAsymmetryResult):
        return [entry]
    sides = [
        _side(entry, name, result.estimate_name.replace("lower less upper", tail), *numbers)
        for name, tail, numbers in (
            ("falls", "lower", (result.dependence[0], result.lower[0], result.upper[0])),
            ("rises", "upper", (result.dependence[1], result.lower[1], result.upper[1])),
        )
    ]
    words = "tail dependence of a Gaussian copula of the same correlation"
    return [entry, *sides, _side(entry, "gaussian", words, result.symmetric)]


def run_copula(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Fit the t copula: its tail dependence describes, and is the same in falls and rises."""
    effect, cause, dates = _pair(call, inputs)
    rng = generator(inputs.config.seed, call.id)
    result = tail_dependence(cause, effect, method="t-copula", bootstrap=slow(inputs, draws), rng=rng)
    return [to_entry(result, call, family, dates)]


def run_exceedance(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare the correlation of joint falls and rises on normal scores; as first published, beside it."""
    effect, cause, dates = _pair(call, inputs)
    count, thresholds = slow(inputs, draws), inputs.config.tails.thresholds
    results = {
        scale: exceedance_correlation(
            cause,
            effect,
            thresholds=thresholds,
            scale=scale,
            bootstrap=count,
            rng=generator(inputs.config.seed, f"{call.id}.{scale}"),
        )
        for scale in ("normal-scores", "standardised")
    }
    main, other = results["normal-scores"], results["standardised"]
    entry = to_entry(main, call, family, dates, getattr(main, "bootstrap_pvalue", None))
    published = to_entry(
        other, call, family, dates, getattr(other, "bootstrap_pvalue", None), suffix=".standardised",
        family_name=f"{family.name}.parts",
    )  # fmt: skip
    if not isinstance(main, ExceedanceResult) or main.falls_interval is None or main.rises_interval is None:
        return [entry, published]
    words = f"correlation of joint {{}} beyond {main.thresholds[0]:g} standard deviations"
    sides = [
        _side(entry, "falls", words.format("falls"), main.falls[0], *main.falls_interval[0]),
        _side(entry, "rises", words.format("rises"), main.rises[0], *main.rises_interval[0]),
        _side(entry, "gaussian", "the same of a normal distribution of the same correlation", main.gaussian[0]),
    ]
    return [entry, published, *sides]


def run_covar(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare how far the tail of one series moves in falls and in rises of the other; both moves stand beside it."""
    effect, cause, dates = _pair(call, inputs)
    result = delta_covar(
        effect,
        cause,
        quantile=inputs.config.tails.quantile,
        slopes="split",
        bootstrap=slow(inputs, draws),
        rng=generator(inputs.config.seed, call.id),
    )
    if not isinstance(result, DeltaCovarResult):
        return [to_entry(result, call, family, dates)]
    # The full result is kept with the comparison, which is but a part of it.
    entry = replace(
        to_entry(result.asymmetry_test(), call, family, dates), summary=result.summary(), result=result.to_json()
    )
    # The moves describe: a volatility that both share deepens either tail, and only their comparison is a test.
    sides = [
        _side(entry, name, f"{COVAR}, {part}", result.delta[i], result.lower[i], result.upper[i])
        for i, (name, part) in enumerate(zip(("falls", "rises"), result.parts, strict=True))
    ]
    return [entry, *sides]


def run_beta(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare downside and upside beta, alone or beside the controls of the same session, on common rows."""
    if call.conditional and not call.given:
        absent = Inapplicable(method=BETA, reason=_WITHOUT_CONTROLS)
        return [to_entry(absent, call, family, inputs.dates[:0])]
    effect, cause, controls, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    result = downside_beta(
        effect,
        cause,
        given=controls if call.given else None,
        cov=inputs.config.covariance,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
    )
    entry = to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))
    if not isinstance(result, DownsideBetaResult):
        return [entry]
    sides = [
        _side(entry, name, f"{part} beta", result.beta[i], result.lower[i], result.upper[i], int(result.part_nobs[i]))
        for i, (name, part) in enumerate(zip(("falls", "rises"), result.parts, strict=True))
    ]
    return [entry, *sides]


def run_state(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare the downside beta inside and outside a state; the p that counts is the larger of two."""
    if call.state not in inputs.states:
        return [to_entry(_stateless(BY_STATE, call, inputs), call, family, inputs.dates[:0])]
    effect, cause, state, complete = _in_state(call, inputs)
    dates = inputs.dates[complete]
    rng = generator(inputs.config.seed, call.id)
    result = state_downside_beta(effect, cause, state, cov=inputs.config.covariance, bootstrap=draws, rng=rng)
    pvalue = result.combined_pvalue if isinstance(result, StateDownsideResult) else None
    entry = to_entry(result, call, family, dates, pvalue)
    if not isinstance(result, StateDownsideResult):
        return [entry]
    entry = replace(entry, method=f"{result.method}, larger p of wild bootstrap and rotation")
    sides = [
        _side(
            entry,
            f"{label}-{name}",
            f"{part} beta {label} the state",
            result.beta[i, j],
            result.lower[i, j],
            result.upper[i, j],
            int(result.cell_nobs[i, j]),
        )
        for i, label in enumerate(result.labels)
        for j, (name, part) in enumerate(zip(("falls", "rises"), result.parts, strict=True))
    ]
    words = "downside less upside beta, inside less outside the state"
    widening = replace(
        _side(entry, "widening", words, result.widening, *result.widening_interval), pvalue=result.widening_pvalue
    )
    return [entry, *sides, widening]


def run_within(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare downside and upside beta while the state holds."""
    if call.state not in inputs.states:
        return [to_entry(_stateless(BETA, call, inputs), call, family, inputs.dates[:0])]
    effect, cause, state, complete = _in_state(call, inputs)
    inside = complete & (state == 1.0)
    # Falls are falls below the mean of all sessions, inside and outside, as in the comparison between them.
    result = downside_beta(
        np.where(inside, effect, np.nan),
        cause,
        center=float(cause[complete].mean()) if complete.any() else None,
        cov=inputs.config.covariance,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
    )
    return [to_entry(result, call, family, inputs.dates[inside], getattr(result, "bootstrap_pvalue", None))]


def run_correlation(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare the correlation among falls of small caps inside and outside a state, corrected for their volatility."""
    if call.state not in inputs.states:
        return [to_entry(_stateless("Correlation by state", call, inputs), call, family, inputs.dates[:0])]
    effect, cause, state, complete = _in_state(call, inputs)
    falls = np.where(complete & (cause < np.mean(cause, where=complete)), cause, np.nan) if complete.any() else cause
    dates = inputs.dates[np.isfinite(falls) & complete]
    rng = generator(inputs.config.seed, call.id)
    result = state_correlation(falls, effect, state, bootstrap=draws, rng=rng)
    rotated = state_correlation_shift(falls, effect, state)
    if not isinstance(result, StateCorrelationResult):
        return [to_entry(result, call, family, dates)]
    if not isinstance(rotated, StateShiftResult):
        return [to_entry(rotated, call, family, dates)]
    by_rows = result.pvalue if result.bootstrap_pvalue is None else result.bootstrap_pvalue
    entry = replace(
        to_entry(result, call, family, dates, max(by_rows, rotated.pvalue)),
        method=f"{result.method} among falls of small caps, larger p of wild bootstrap and rotation",
    )
    raw = replace(
        _side(entry, "raw", "raw difference of correlations", result.correlation[1] - result.correlation[0]),
        pvalue=result.raw_pvalue,
    )
    return [entry, raw]


def _pair(call: Call, inputs: Inputs) -> tuple[Floats, Floats, pd.DatetimeIndex]:
    """Return effect, cause, and the dates that have both."""
    effect, cause = inputs.returns(call.clock, (call.effect, call.cause)).T
    return effect, cause, inputs.dates[np.isfinite(effect) & np.isfinite(cause)]


def _in_state(call: Call, inputs: Inputs) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Return effect, cause and state, and the rows that have all of them."""
    effect, cause, _ = _pair(call, inputs)
    state = inputs.states[call.state].to_numpy(dtype=np.float64)
    return effect, cause, state, np.isfinite(effect) & np.isfinite(cause) & np.isfinite(state)


def _stateless(method: str, call: Call, inputs: Inputs) -> Inapplicable:
    reason = inputs.state_missing.get(call.state, f"the state {call.state} could not be built from these data")
    return Inapplicable(method=method, reason=reason)


def _side(
    entry: Entry,
    name: str,
    words: str,
    estimate: float,
    lower: float | None = None,
    upper: float | None = None,
    nobs: int | None = None,
) -> Entry:
    """Return an entry beside a tested one that describes one of its parts and enters no correction."""
    return Entry(
        id=f"{entry.id}.{name}",
        family=f"{entry.family}.sides",
        claims=entry.claims,
        method=entry.method,
        effect=entry.effect,
        cause=entry.cause,
        clock=entry.clock,
        given=entry.given,
        state=entry.state,
        estimate=float(estimate),
        estimate_name=words,
        lower=None if lower is None else float(lower),
        upper=None if upper is None else float(upper),
        level=None if lower is None else LEVEL,
        nobs=entry.nobs if nobs is None else nobs,
        start=entry.start,
        end=entry.end,
        summary=words,
    )
