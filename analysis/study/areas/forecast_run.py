"""Run the forecasts: accuracy with intervals, direction, the best of all models, and trading net of costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from analysis.results import Absent, Inapplicable, Result
from analysis.stats.forecast import (
    ForecastComparison,
    ForecastPath,
    OosR2Result,
    TimingResult,
    clark_west,
    giacomini_white,
    oos_r2,
    pesaran_timmermann,
    superior_predictive_ability,
    timing_rule,
)
from analysis.stats.lagged import Floats
from analysis.study.area import Runner
from analysis.study.areas import forecast_data as data
from analysis.study.areas.forecast_data import Rows, Scheme
from analysis.study.calls import Call, Family, key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, to_entry
from analysis.study.seeds import generator

GAIN = "Clark–West test of nested forecasts, out-of-sample R²"
TOO_SMALL = "Out-of-sample R² against the smallest useful gain"
TIMING = "Timing rule net of costs"
EXECUTION = "at the end of the first daily crypto bar that ends after the New York close of the signal"
ACCOUNTS = "forecast-timing-accounts"
NO_CONTROLS = "no common driver of the study is in the data"


def _drawn(call: Call, inputs: Inputs) -> bool:
    """Say whether the full result is kept for a figure: that of the first asset."""
    return call.effect == inputs.plan.crypto[0]


def run_gain(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare the model with a benchmark: Clark–West for the p-value, out-of-sample R² with interval for the size."""
    horizon, scheme, benchmark = call.detail.split()
    if call.conditional and not call.given:
        absent = Inapplicable(method=GAIN, reason=NO_CONTROLS)
        return [to_entry(absent, call, family, inputs.dates[:0])]
    found = data.rows(inputs, call.effect)
    at = data.path(inputs, found, scheme=cast(Scheme, scheme), horizon=int(horizon), beside=benchmark == "controls")
    if not isinstance(at, ForecastPath):
        return [to_entry(Inapplicable(method=GAIN, reason=at.reason), call, family, found.dates)]
    n = len(inputs.dates)
    columns = tuple(data.on_rows(values, at, n) for values in at.compared(benchmark))
    test = clark_west(*columns, horizon=at.overlap)
    size = oos_r2(
        *columns,
        horizon=at.overlap,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
        level=1 - inputs.config.level,
    )
    if not isinstance(test, ForecastComparison) or not isinstance(size, OosR2Result):
        absent = test if isinstance(test, Inapplicable) else cast(Inapplicable, size)
        return [to_entry(Inapplicable(method=GAIN, reason=absent.reason), call, family, found.dates)]
    return [_gain(call, family, inputs, at, test, size, keep=int(horizon) == 1 and _drawn(call, inputs))]


def _gain(
    call: Call,
    family: Family,
    inputs: Inputs,
    at: ForecastPath,
    test: ForecastComparison,
    size: OosR2Result,
    *,
    keep: bool,
) -> Entry:
    entry = Entry(
        id=call.id,
        method=GAIN,
        statistic=test.statistic,
        pvalue=test.pvalue,
        estimate=size.estimate,
        estimate_name=size.estimate_name,
        lower=size.interval[0] if size.interval else None,
        upper=size.interval[1] if size.interval else None,
        level=size.interval_level if size.interval else None,
        nobs=test.nobs,
        nobs_lost=at.nobs_lost,
        lags=int(np.median(at.lag_order)),
        summary="\n".join([at.summary(), test.summary(), size.summary()]),
        result=size.to_json() if keep else test.to_json(),
        **context(call, family, inputs.dates[at.origins]),
    )
    return in_percent(entry)


def in_percent(entry: Entry) -> Entry:
    """Return an estimate that is a share in percent."""
    return dataclasses.replace(
        entry,
        estimate=_hundredfold(entry.estimate),
        lower=_hundredfold(entry.lower),
        upper=_hundredfold(entry.upper),
        estimate_name=f"{entry.estimate_name}, percent" if entry.status == "ok" else "",
    )


def _hundredfold(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def run_too_small(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Hold the headline gain over own past against the smallest that would pay, on the draws of its interval."""
    found = data.rows(inputs, call.effect)
    at = data.path(inputs, found, scheme="expanding", horizon=1, beside=False)
    if not isinstance(at, ForecastPath):
        return [to_entry(Inapplicable(method=TOO_SMALL, reason=at.reason), call, family, found.dates)]
    smallest = inputs.config.forecast.smallest_gain
    result = oos_r2(
        *at.compared("own"),
        bootstrap=draws,
        rng=generator(inputs.config.seed, f"forecast.h1-expanding-own.{key(call.cause)}.{key(call.effect)}"),
        level=1 - inputs.config.level,
        against=smallest,
        alternative="two-sided",
    )
    entry = to_entry(_lost(result, at), call, family, inputs.dates[at.origins])
    if isinstance(result, OosR2Result) and result.interval is not None:
        # Measured from the smallest useful gain: an interval below zero lies below what would pay.
        entry = dataclasses.replace(
            entry,
            estimate=float(result) - smallest,
            lower=result.interval[0] - smallest,
            upper=result.interval[1] - smallest,
            estimate_name="out-of-sample R² less the smallest useful gain",
            result="",
        )
    return [in_percent(entry)]


def run_accuracy(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test the accuracy of the methods as practised, rolling window and estimation included."""
    found = data.rows(inputs, call.effect)
    at = data.path(inputs, found, scheme="rolling", horizon=1, beside=False)
    if isinstance(at, ForecastPath):
        columns = (data.on_rows(values, at, len(inputs.dates)) for values in at.compared("own"))
        return [to_entry(_lost(giacomini_white(*columns), at), call, family, inputs.dates[at.origins])]
    return [to_entry(at, call, family, found.dates)]


def run_direction(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test whether the sign of the headline forecast tells that of the next session."""
    found = data.rows(inputs, call.effect)
    at = data.path(inputs, found, scheme="expanding", horizon=1, beside=False)
    if isinstance(at, ForecastPath):
        actual, _, model = at.compared()
        result = _lost(pesaran_timmermann(actual, model), at)
        return [in_percent(to_entry(result, call, family, inputs.dates[at.origins]))]
    return [to_entry(at, call, family, found.dates)]


def _lost(result: Result, at: ForecastPath) -> Result:
    """Count the origins without a forecast as lost, not the rows before the first one."""
    return result if isinstance(result, Absent) else dataclasses.replace(cast(Any, result), nobs_lost=at.nobs_lost)


def run_ability(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Test whether any of all models beats the mean, the search among them counted."""
    found = data.rows(inputs, call.effect)
    n = len(inputs.dates)
    names: list[str] = []
    forecasts: list[Floats] = []
    actual = benchmark = np.full(n, np.nan)
    schemes: tuple[Scheme, ...] = ("expanding", "rolling")
    for scheme in schemes:
        for beside in (False, True) if inputs.plan.controls else (False,):
            at = data.path(inputs, found, scheme=scheme, horizon=1, beside=beside)
            if not isinstance(at, ForecastPath):
                return [to_entry(at, call, family, found.dates)]
            outcome, own, model = (data.on_rows(values, at, n) for values in at.compared("own"))
            if not names:
                actual, benchmark = outcome, data.on_rows(at.compared("mean")[1], at, n)
            names += [f"{scheme} {'beside drivers' if beside else 'alone'}"]
            forecasts += [model]
            if not beside:
                names += [f"{scheme} own past"]
                forecasts += [own]
    known = np.isfinite(np.column_stack([actual, *forecasts])).all(axis=1)
    losses = np.square(actual[known, None] - np.column_stack(forecasts)[known])
    result = superior_predictive_ability(
        np.square(actual - benchmark)[known],
        losses,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
        names=names,
    )
    return [to_entry(result, call, family, inputs.dates[known])]


def run_timing(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Trade an asset on the sign of its forecast from small caps, and compare with buy and hold."""
    side, cost = call.detail.split()
    found = data.rows(inputs, call.effect)
    at = data.signal(inputs, found)
    if not isinstance(at, ForecastPath):
        return _timing_absent(Inapplicable(method=TIMING, reason=at.reason), call, family, inputs, found)
    result = _rule(at, inputs, side, float(cost), draws, generator(inputs.config.seed, call.id))
    dates = inputs.dates[at.origins]
    if not isinstance(result, TimingResult):
        return _timing_absent(result, call, family, inputs, found)
    entry = to_entry(_lost(result, at), call, family, dates)
    if not _drawn(call, inputs):
        entry = dataclasses.replace(entry, result="")
    accounts = {
        "sharpe": (result.sharpe, *result.sharpe_interval, "Sharpe ratio a year net of costs"),
        "hold": (result.hold_sharpe, None, None, "Sharpe ratio a year of buy and hold"),
        "certainty": (
            100 * result.ce_gain,
            100 * result.ce_gain_interval[0],
            100 * result.ce_gain_interval[1],
            "certainty-equivalent return above buy and hold, percent a year",
        ),
        "matched": (
            100 * result.ce_gain_matched,
            None,
            None,
            "certainty-equivalent return above the rule's average position held all the time, percent a year",
        ),
        "exposure": (100 * result.exposure, None, None, "average position, percent of the capital"),
        "turnover": (result.turnover, None, None, "times the capital traded a year"),
        "break-even": (result.break_even_bp, None, None, "cost in basis points that removes the gain in mean return"),
    }
    shared = context(call, family, dates) | {"family": ACCOUNTS}
    return [entry] + [
        Entry(
            id=f"{call.id}.{name}", method=TIMING, estimate=value, estimate_name=words, lower=low, upper=high,
            level=None if low is None else 1 - inputs.config.level, nobs=result.nobs, summary=words, **shared,
        )
        for name, (value, low, high, words) in accounts.items()
        if value is not None
    ]  # fmt: skip


def _timing_absent(result: Inapplicable, call: Call, family: Family, inputs: Inputs, found: Rows) -> list[Entry]:
    return [to_entry(result, call, family, found.dates)]


def _rule(
    at: ForecastPath, inputs: Inputs, side: str, cost: float, draws: int, rng: np.random.Generator | None
) -> TimingResult | Inapplicable:
    settings = inputs.config.forecast
    actual, _, model = at.compared()
    return timing_rule(
        actual,
        model,
        cost_bp=cost,
        short=side == "short",
        risk_aversion=settings.risk_aversion,
        periods_per_year=settings.periods_per_year,
        bootstrap=draws,
        rng=rng,
        level=1 - inputs.config.level,
        execution=EXECUTION,
    )


def run_deflated(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Deflate every timing rule for all rules tried at its cost: every asset, long or flat and long or short."""
    entries = []
    paths = {asset: data.signal(inputs, data.rows(inputs, asset)) for asset in inputs.plan.crypto}
    for cost in inputs.config.forecast.costs:
        rules = {
            (asset, side): _rule(at, inputs, side, cost, 0, None) if isinstance(at, ForecastPath) else at
            for asset, at in paths.items()
            for side in ("long", "short")
        }
        year = inputs.config.forecast.periods_per_year
        ratios = [rule.sharpe / year**0.5 for rule in rules.values() if isinstance(rule, TimingResult)]
        spread = float(np.var(ratios, ddof=1)) if len(ratios) > 1 else 0.0
        for (asset, side), rule in rules.items():
            one = dataclasses.replace(
                call, effect=asset, id=f"{call.id.replace('-', '.', 1)}.{side}.{cost:g}.{key(call.cause)}.{key(asset)}"
            )
            at = paths[asset]
            dates = inputs.dates[at.origins] if isinstance(at, ForecastPath) else inputs.dates[:0]
            result = rule.deflated(len(rules), spread) if isinstance(rule, TimingResult) else rule
            entries.append(to_entry(result, one, family, dates))
    return entries


RUNNERS: Mapping[str, Runner] = {
    "forecast-gain": run_gain,
    "forecast-too-small": run_too_small,
    "forecast-accuracy": run_accuracy,
    "forecast-direction": run_direction,
    "forecast-ability": run_ability,
    "forecast-timing": run_timing,
    "forecast-deflated": run_deflated,
}
