"""Run the tests of leads, of the same session and of cross-correlation: a call and the inputs in, entries out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.results import Inapplicable
from analysis.stats.contemporaneous import same_period_response
from analysis.stats.crosscorr import CrossCorrelation, cross_correlation
from analysis.stats.granger import granger_test, rademacher, wild_bootstrap_statistics
from analysis.stats.granger_bootstrap import Signs
from analysis.stats.lagged import Floats
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, to_entry
from analysis.study.seeds import generator


def signs_for(inputs: Inputs, name: str, draws: int) -> Signs:
    """Return the Rademacher signs all tests of one family share, one row a date of the panel."""
    return rademacher(generator(inputs.config.seed, name), len(inputs.dates), draws)


def run_granger(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Test a lead in the mean; the p-value that counts is that of the wild bootstrap."""
    if call.conditional and not call.given:
        return [_without_controls("Granger causality in mean", call, family)]
    effect, cause, controls, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    result = granger_test(
        effect,
        cause,
        lags=inputs.config.lags,
        given=_given(call, inputs, controls),
        cov=call.covariance or inputs.config.covariance,
        weights=None if call.covariance else signs,
        effect_name=inputs.label(call.effect),
        cause_name=inputs.label(call.cause),
    )
    return [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]


def run_drivers(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Test whether the past of the common drivers helps to predict an asset beside the past of small caps."""
    if not inputs.plan.controls:
        return [_without_controls("Granger causality in mean", call, family)]
    effect, small, controls, dates = inputs.twin_rows(call.clock, call.effect, inputs.plan.small_cap)
    result = granger_test(
        effect,
        controls,
        lags=inputs.config.lags,
        given=small,
        cov=inputs.config.covariance,
        weights=signs,
        effect_name=inputs.label(call.effect),
        cause_name="the common drivers",
    )
    return [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]


def granger_draws(call: Call, inputs: Inputs, signs: Signs) -> tuple[float, Floats] | Inapplicable:
    """Return observed statistic and bootstrap draws of one lead test, for the joint correction of its family."""
    effect, cause, controls, _ = inputs.twin_rows(call.clock, call.effect, call.cause)
    return wild_bootstrap_statistics(
        effect,
        cause,
        lags=inputs.config.lags,
        weights=signs,
        given=_given(call, inputs, controls),
        cov=inputs.config.covariance,
    )


def run_beta(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Measure the same-session response, alone or beside the controls of the same session."""
    if call.conditional and not call.given:
        return [_without_controls("Same-period response", call, family)]
    effect, cause, controls, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    return [_response(effect, cause, _given(call, inputs, controls), dates, call, family, inputs, signs)]


def run_weekend(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Regress the first session after closed days on what crypto did between the two sessions.

    The crypto return runs from the first bar after the last close to the last bar before the next: no hour of it is an
    hour in which the equity index could move.
    """
    before, after = inputs.panels["before"], inputs.panels["after"]
    gap = before.weekend_indicator.to_numpy(dtype=bool)
    cause = np.full(len(gap), np.nan)
    reopened, closed = before.levels[call.cause].to_numpy(dtype=float), after.levels[call.cause].to_numpy(dtype=float)
    cause[1:] = np.where(gap[1:], np.log(reopened[1:] / closed[:-1]), np.nan)
    effect = inputs.returns("before", (call.effect,))[:, 0]
    dates = inputs.dates[np.isfinite(effect) & np.isfinite(cause)]
    return [_response(effect, cause, None, dates, call, family, inputs, signs)]


def _response(
    effect: Floats,
    cause: Floats,
    given: Floats | None,
    dates: pd.DatetimeIndex,
    call: Call,
    family: Family,
    inputs: Inputs,
    signs: Signs | None,
) -> Entry:
    result = same_period_response(
        effect,
        cause,
        given=given,
        cov=inputs.config.covariance,
        weights=signs,
        effect_name=inputs.label(call.effect),
        cause_name=inputs.label(call.cause),
    )
    return to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))


def _without_controls(method: str, call: Call, family: Family) -> Entry:
    reason = "the study has no common driver it can use"
    return to_entry(Inapplicable(method=method, reason=reason), call, family, pd.DatetimeIndex([]))


def _correlated(call: Call, inputs: Inputs) -> tuple[CrossCorrelation | Inapplicable, pd.DatetimeIndex]:
    x, y = inputs.returns(call.clock, (call.effect, call.cause)).T
    dates = inputs.dates[np.isfinite(x) & np.isfinite(y)]
    return cross_correlation(x, y, max_lag=inputs.config.correlation_lags), dates


def run_correlation(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Correlate at all leads and lags; the entry is the correlation of the same session, which describes."""
    result, dates = _correlated(call, inputs)
    if isinstance(result, Inapplicable):
        return [to_entry(result, call, family, dates)]
    zero = len(result.lags) // 2
    return [
        Entry(
            id=call.id,
            method=result.method,
            statistic=float(result.t_robust[zero]),
            estimate=float(result.estimate[zero]),
            estimate_name="same-session correlation",
            lower=float(result.lower[zero]),
            upper=float(result.upper[zero]),
            level=float(result.options["level"]),
            nobs=int(result.nobs[zero]),
            lags=0,
            summary=result.summary(),
            result=result.to_json(),
            **context(call, family, dates),
        )
    ]


def run_correlation_side(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Test all lags of one side together: small caps first ("lead") or crypto first ("lag")."""
    result, dates = _correlated(call, inputs)
    if not isinstance(result, Inapplicable):
        # The effect is x and the cause is y, so small caps come first where y leads.
        return [to_entry(result.lead_test("y" if call.side == "lead" else "x"), call, family, dates)]
    return [to_entry(result, call, family, dates)]


def _given(call: Call, inputs: Inputs, controls: Floats) -> Floats | None:
    """Return the conditioning columns of a call."""
    return controls if call.given else None
