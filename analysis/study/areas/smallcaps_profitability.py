"""Run the loadings of crypto on small caps sorted by profitability, and on the factor of shares of all sizes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.results import Inapplicable, Result
from analysis.stats.contemporaneous import same_period_response
from analysis.stats.granger import granger_test
from analysis.stats.lagged import Floats
from analysis.stats.loadings import loading_difference
from analysis.study import run_leads
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import to_entry
from analysis.study.seeds import generator

SORTED = ("FF_SMALL_HIOP", "FF_SMALL_LOOP")
ALL_SIZES = ("FF_RMW", "FF_MKTRF", "FF_SMB")
SORTED_FILE = "6_Portfolios_ME_OP_2x3_daily"
FACTOR_FILE = "F-F_Research_Data_5_Factors_2x3_daily"


def run_portfolios(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test whether crypto loads alike on profitable and unprofitable small caps; positive is in favour of the claim.

    Past returns: profitable less unprofitable. Same session: unprofitable less profitable.
    """
    reason = _reason(SORTED, SORTED_FILE, inputs)
    if not reason and call.conditional and not call.given:
        reason = "the study has no common driver it can use"
    if reason:
        return [_absent(family, call, reason)]
    effect, pair, controls, dates = _rows(call, inputs, (call.cause, call.detail), call.given)
    result = loading_difference(
        effect,
        *pair.T,
        lags=inputs.config.smallcaps.loading_lags if call.side == "lead" else 0,
        given=controls if call.given else None,
        cov=inputs.config.covariance,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
    )
    return [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]


def run_factor(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Regress crypto on the profitability factor of all sizes, beside market and size; signs as for the portfolios."""
    reason = _reason(ALL_SIZES[:1], FACTOR_FILE, inputs) or _reason(
        call.given, "F-F_Research_Data_Factors_daily", inputs
    )
    if reason:
        return [_absent(family, call, reason)]
    effect, factor, beside, dates = _rows(call, inputs, (call.cause,), call.given)
    cov, labels = inputs.config.covariance, (inputs.label(call.effect), inputs.label(call.cause))
    signs = run_leads.signs_for(inputs, f"family.{family.name}", draws)
    result: Result
    if call.side == "lead":
        result = granger_test(
            effect,
            factor[:, 0],
            lags=inputs.config.smallcaps.loading_lags,
            given=beside,
            cov=cov,
            weights=signs,
            effect_name=labels[0],
            cause_name=labels[1],
        )
    else:
        # Turned round: positive means that crypto goes with the unprofitable.
        result = same_period_response(
            effect, -factor[:, 0], given=beside, cov=cov, weights=signs, effect_name=labels[0], cause_name=labels[1]
        )
    return [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]


def _rows(
    call: Call, inputs: Inputs, causes: tuple[str, ...], given: tuple[str, ...]
) -> tuple[Floats, Floats, Floats, pd.DatetimeIndex]:
    """Return effect (n,), causes (n, k) and given series (n, m) on common rows, and the dates that have all of them.

    The rows are those of the conditional twin, with or without its drivers, so that both rest on the same sample.
    """
    drivers = given or inputs.plan.controls
    further = inputs.panel(call.clock, tuple(dict.fromkeys((*causes, *given))))
    known = {name: further.returns[name].to_numpy(dtype=np.float64) for name in further.ids}
    known |= {name: inputs.returns(call.clock, (name,))[:, 0] for name in (call.effect, *drivers) if name not in known}
    block = np.column_stack([known[name] for name in (call.effect, *causes, *drivers)])
    complete = np.isfinite(block).all(axis=1)
    block[~complete] = np.nan
    width = 1 + len(causes)
    return block[:, 0], block[:, 1:width], block[:, width:], inputs.dates[complete]


def _reason(needed: tuple[str, ...], file: str, inputs: Inputs) -> str:
    """Return what is missing and the file that would hold it; empty when all is there."""
    absent = [name for name in needed if not inputs.has(name)]
    return f"{' and '.join(absent)} missing: file {file} of the Fama-French library" if absent else ""


def _absent(family: Family, call: Call, reason: str) -> Entry:
    return to_entry(Inapplicable(method=family.title, reason=reason), call, family, pd.DatetimeIndex([]))
