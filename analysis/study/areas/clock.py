"""What the clock does: the same asset read at the equity close and at midnight UTC, on the same sessions."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from analysis.market.at_close import SUFFIX
from analysis.results import Inapplicable
from analysis.stats.crosscorr import cross_correlation
from analysis.stats.granger import granger_test
from analysis.stats.lagged import Floats
from analysis.study.area import Area, Subjects
from analysis.study.calls import Call, Family, key
from analysis.study.config import Clock
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, to_entry
from analysis.study.run_leads import signs_for

CORRELATION, LEAD = "clock-correlation", "clock-lead"
# "close": both series at the instant of the equity close. "after" and "before": the daily bars of the two admissible
# pairings, which end 3 to 5 hours after the close, and 20 or 19 hours before the next one.
READINGS: Final = ("close", "after", "before")


def declare(subjects: Subjects) -> list[Family]:
    """Declare, for each asset with hourly prices, the correlations and both leads under the three readings."""
    assets = subjects.config.clock.assets
    small = subjects.small_cap
    correlations = tuple(
        Call(f"clock.{key(small)}.{key(asset)}.{reading}", CORRELATION, asset, small, _clock(reading), detail=reading)
        for asset in assets
        for reading in READINGS
    )
    families = [
        Family("clock-correlation", "Correlation under three readings of the day", ("lead",), "none", correlations)
    ]
    for direction in ("lead", "reverse"):
        for reading in READINGS:
            calls = tuple(_lead(small, asset, direction, reading) for asset in assets)
            title = f"Lead with crypto read {WORDS[reading]} ({direction})"
            families.append(Family(f"clock-{direction}-{reading}", title, ("lead",), "bh", calls))
    return families


WORDS: Final = {
    "close": "at the equity close",
    "after": "at the first midnight UTC after it",
    "before": "at the last midnight UTC before it",
}


def _lead(small: str, asset: str, direction: str, reading: str) -> Call:
    cause, effect = (small, asset) if direction == "lead" else (asset, small)
    # Not flagged as strict: the check of the plan knows the daily bars only.
    return Call(
        f"clock-lead.{key(cause)}.{key(effect)}.{reading}", LEAD, effect, cause, _clock(reading), detail=reading
    )


def _clock(reading: str) -> Clock:
    return "before" if reading == "before" else "after"


def series(subjects: Subjects) -> tuple[str, ...]:
    """Return the series read at the close."""
    return tuple(f"{asset}{SUFFIX}" for asset in subjects.config.clock.assets)


def run_correlation(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Correlate at lags from crypto first to small caps first; one entry a lag."""
    rows = _rows(call, call.effect, inputs)
    if isinstance(rows, Inapplicable):
        return [to_entry(rows, call, family, inputs.dates[:0])]
    small, asset, dates = rows
    result = cross_correlation(asset, small, max_lag=inputs.config.clock.max_lag)
    if isinstance(result, Inapplicable):
        return [to_entry(result, call, family, dates)]
    return [
        Entry(
            id=f"{call.id}.lag{'-minus' if lag < 0 else ''}-{abs(lag)}",
            method=result.method,
            statistic=float(result.t_robust[i]),
            pvalue=float(result.pvalue[i]),
            estimate=float(result.estimate[i]),
            estimate_name="correlation, small caps first" if lag > 0 else "correlation",
            lower=float(result.lower[i]),
            upper=float(result.upper[i]),
            level=float(result.options["level"]),
            nobs=int(result.nobs[i]),
            lags=abs(int(lag)),
            summary=f"lag {lag}: {result.estimate[i]:.3f}, robust band ±{result.band_robust[i]:.3f}",
            result=result.to_json() if lag == 0 else "",
            **context(call, family, dates),
        )
        for i, lag in enumerate(result.lags)
    ]


def run_lead(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test a lead under one reading with the headline inference."""
    asset = call.effect if call.cause == inputs.plan.small_cap else call.cause
    rows = _rows(call, asset, inputs)
    if isinstance(rows, Inapplicable):
        return [to_entry(rows, call, family, inputs.dates[:0])]
    small, crypto, dates = rows
    effect, cause = (crypto, small) if asset == call.effect else (small, crypto)
    result = granger_test(
        effect,
        cause,
        lags=inputs.config.clock.lags,
        cov=inputs.config.covariance,
        weights=signs_for(inputs, f"family.{family.name}", draws),
        effect_name=inputs.label(call.effect),
        cause_name=inputs.label(call.cause),
    )
    return [to_entry(result, call, family, dates, getattr(result, "bootstrap_pvalue", None))]


def _rows(call: Call, asset: str, inputs: Inputs) -> tuple[Floats, Floats, pd.DatetimeIndex] | Inapplicable:
    """Return small caps and the asset under the reading of a call, on rows on which every reading has a value."""
    at = f"{asset}{SUFFIX}"
    absent = [name for name in (at, asset) if not inputs.has(name)]
    if absent:
        reason = f"no hourly prices of {asset} were supplied" if at in absent else f"{asset} is not in the data"
        return Inapplicable(method="Readings of the day", reason=reason)
    small = inputs.returns("after", (inputs.plan.small_cap,))[:, 0]
    read = {
        "close": inputs.panel("after", (at,)).returns[at].to_numpy(dtype=np.float64, copy=True),
        "after": inputs.panel("after", (asset,)).returns[asset].to_numpy(dtype=np.float64),
        "before": inputs.panel("before", (asset,)).returns[asset].to_numpy(dtype=np.float64),
    }
    complete = np.isfinite(np.column_stack([small, *read.values()])).all(axis=1)
    values = np.where(complete, read[call.detail], np.nan)
    return np.where(complete, small, np.nan), values, inputs.dates[complete]


AREA = Area("clock", declare, {CORRELATION: run_correlation, LEAD: run_lead}, series)
