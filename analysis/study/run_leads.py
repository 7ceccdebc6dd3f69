"""Run the tests of leads, of the same session and of cross-correlation: a call and the inputs in, entries out."""

from __future__ import annotations

import numpy as np

from analysis.results import Inapplicable
from analysis.stats.contemporaneous import same_period_response
from analysis.stats.crosscorr import cross_correlation
from analysis.stats.granger import granger_test, rademacher, wild_bootstrap_statistics
from analysis.stats.granger_bootstrap import Signs
from analysis.stats.lagged import Floats
from analysis.study.entry import Entry
from analysis.study.mapping import context, to_entry
from analysis.study.plan import Call, Family
from analysis.study.prepare import Inputs
from analysis.study.seeds import generator


def signs_for(inputs: Inputs, name: str, draws: int) -> Signs:
    """Return the Rademacher signs all tests of one family share, one row a date of the panel."""
    return rademacher(generator(inputs.config.seed, name), len(inputs.dates), draws)


def run_granger(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Test a lead in the mean; the p-value that counts is that of the wild bootstrap."""
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
    effect, cause, controls, dates = inputs.twin_rows(call.clock, call.effect, call.cause)
    result = same_period_response(
        effect,
        cause,
        given=_given(call, inputs, controls),
        cov=inputs.config.covariance,
        weights=signs,
        effect_name=inputs.label(call.effect),
        cause_name=inputs.label(call.cause),
    )
    return [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]


def run_correlation(call: Call, family: Family, inputs: Inputs, signs: Signs | None) -> list[Entry]:
    """Correlate at all leads and lags: the same session, and the cumulative test of either side."""
    x, y = inputs.returns(call.clock, (call.effect, call.cause)).T
    dates = inputs.dates[np.isfinite(x) & np.isfinite(y)]
    result = cross_correlation(x, y, max_lag=inputs.config.correlation_lags)
    if isinstance(result, Inapplicable):
        return [to_entry(result, call, family, dates, suffix=suffix) for suffix in ("", ".lead", ".lag")]
    zero = len(result.lags) // 2
    shared = context(call, family, dates) | {"method": result.method, "nobs": int(result.nobs[zero])}
    same = Entry(
        id=call.id,
        statistic=float(result.t_robust[zero]),
        estimate=float(result.estimate[zero]),
        estimate_name="same-session correlation",
        lower=float(result.lower[zero]),
        upper=float(result.upper[zero]),
        level=float(result.options["level"]),
        lags=0,
        summary=result.summary(),
        result=result.to_json(),
        # The same-session correlation describes; the corrected tests of this family are those of the two sides.
        **shared | {"family": "same-session-correlation", "strict": None},
    )
    strict_side = "lead" if call.clock == "after" else "lag"
    sides = [
        Entry(
            id=f"{call.id}.{side}",
            statistic=float(result.cumulative[row, -1]),
            df=f"{inputs.config.correlation_lags}",
            pvalue=float(result.cumulative_pvalue[row, -1]),
            lags=inputs.config.correlation_lags,
            summary=result.summary(),
            **shared | {"strict": side == strict_side},
        )
        for row, side in enumerate(("lead", "lag"))
    ]
    return [same, *sides]


def _given(call: Call, inputs: Inputs, controls: Floats) -> Floats | None:
    """Return the conditioning columns of a call: its controls, and on calendar days always the weekend indicator."""
    if call.given:
        return controls
    if inputs.config.weekend == "calendar":
        return controls[:, -1:]
    return None
