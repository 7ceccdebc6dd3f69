"""Run the comparisons of small with large caps: volatility, illiquidity of funds, and betas to shocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.market import panel
from analysis.results import Inapplicable, Result
from analysis.stats.exposures import innovations, shock_betas
from analysis.stats.exposures_result import ShockBetas
from analysis.stats.lagged import Floats
from analysis.stats.sensitivity import illiquidity_ratio, volatility_ratio
from analysis.stats.sensitivity_ratio import RatioResult
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, to_entry
from analysis.study.seeds import generator

SAMPLES = ("study", "history")
LEGS = "sensitivity-legs"
_PARTS = ("first", "second")


def run_sensitivity(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare small with large caps in one respect; the detail of a call names it and the large-cap series."""
    respect, _, large = call.detail.partition("/")
    needed = (call.effect, large, *((call.cause,) if call.cause else ()), *call.given)
    absent = [name for name in needed if not inputs.has(name)]
    if absent:
        reason = f"not in the data: {', '.join(absent)}"
        return [_absent(Inapplicable(method=family.title, reason=reason), call, family)]
    if respect == "volatility":
        return [_volatility(call, family, inputs, large)]
    if respect == "illiquidity":
        return [_illiquidity(call, family, inputs, large)]
    return _betas(call, family, inputs, large, respect, draws)


def sample_returns(inputs: Inputs, names: Sequence[str], sample: str) -> pd.DataFrame:
    """Return aligned returns of the named series, shape (n_sessions, k).

    The sample "study" has the rows of the study; "history" starts where all of the series exist. A change to or from a
    value that was carried over a session is no change that session showed: it is missing.
    """
    if sample == "study":
        built = inputs.panel("after", tuple(names))
    else:
        first = max(inputs.snapshot.frame(name).index[0] for name in names)
        built = panel.build(
            inputs.snapshot,
            inputs.catalog,
            ids=tuple(names),
            start=max(first, pd.Timestamp(inputs.config.smallcaps.history)),
            end=pd.Timestamp(inputs.config.end or inputs.snapshot.cutoff),
            clock="after",
            weekend=inputs.config.weekend,
        )
    stale = built.stale.to_numpy(dtype=bool)
    carried = stale.copy()
    carried[1:] |= stale[:-1]
    return built.returns.mask(carried)


def _volatility(call: Call, family: Family, inputs: Inputs, large: str) -> Entry:
    frame = sample_returns(inputs, (call.effect, large), call.side)
    result = volatility_ratio(*_columns(frame), period=inputs.config.smallcaps.period)
    name = f"volatility of {inputs.label(call.effect)} over that of {inputs.label(large)}, ratio of a typical month"
    return _ratio(result, call, family, _used(frame), name)


def _illiquidity(call: Call, family: Family, inputs: Inputs, large: str) -> Entry:
    frame = sample_returns(inputs, (call.effect, large), call.side)
    values = []
    for name in (call.effect, large):
        raw = inputs.snapshot.frame(name)
        if "volume" not in raw.columns:
            reason = f"{name} comes without the number of shares traded"
            return _absent(Inapplicable(method=family.title, reason=reason), call, family)
        values.append((raw["value"] * raw["volume"]).reindex(frame.index).to_numpy(dtype=np.float64))
    small, big = _columns(frame)
    result = illiquidity_ratio(small, values[0], big, values[1], period=inputs.config.smallcaps.period)
    name = (
        f"price move a dollar traded in {inputs.label(call.effect)} over that in {inputs.label(large)}, "
        "ratio of a typical month"
    )
    known = frame[np.isfinite(np.column_stack([frame, *values])).all(axis=1)]
    return _ratio(result, call, family, known.index, name)


def _betas(call: Call, family: Family, inputs: Inputs, large: str, respect: str, draws: int) -> list[Entry]:
    """Record the difference of betas to one shock in the direction of the exposure, and both betas beside it.

    Returns are in percent and shocks in standard deviations of their own, so that all of them share one scale; by unit
    of volatility, returns are in their own standard deviations too.
    """
    shocks = (call.cause, *call.given)
    frame = sample_returns(inputs, (call.effect, large, *shocks), call.side)
    block = np.column_stack(
        [
            frame.iloc[:, :2].to_numpy(dtype=np.float64),
            *(innovations(frame[name], lags=inputs.config.smallcaps.innovation_lags) for name in shocks),
        ]
    )
    block[~np.isfinite(block).all(axis=1)] = np.nan
    used = frame.index[np.isfinite(block[:, 0])]
    unit = "standard deviations" if respect == "scaled" else "percent"
    scale = _deviations(block) if len(used) > 1 else np.ones(block.shape[1])
    if respect != "scaled":
        scale[:2] = 0.01
    scaled = block / scale
    result = shock_betas(
        scaled[:, 0],
        scaled[:, 1],
        scaled[:, 2:],
        names=shocks,
        cov=inputs.config.covariance,
        bootstrap=draws,
        rng=generator(inputs.config.seed, call.id),
    )
    if not isinstance(result, ShockBetas):
        return [_absent(result, call, family)]
    labels = inputs.label(call.effect), inputs.label(large)
    what = f"a standard deviation of the {inputs.label(call.cause)} shock, {unit}"
    made = [_difference(result, call, family, used, f"response of {labels[0]} beyond that of {labels[1]} to {what}")]
    if respect == "beta":
        made += [
            _leg(result, part, call, family, used, f"response of {label} to {what}")
            for part, label in zip(_PARTS, labels, strict=True)
        ]
    return made


def _difference(result: ShockBetas, call: Call, family: Family, used: pd.DatetimeIndex, name: str) -> Entry:
    """Record how much further small caps go; without a direction in which both go, "further" has no meaning."""
    signs = [_direction(result, part) for part in _PARTS]
    if signs[0] * signs[1] < 0 or not any(signs):
        reason = "the responses go in opposite directions" if any(signs) else "neither response can be told from zero"
        return _absent(Inapplicable(method=result.method, reason=reason), call, family)
    alone = len(result.shocks) == 1
    return Entry(
        id=call.id,
        method=result.method,
        statistic=result.statistic if alone else None,
        df=", ".join(f"{value:g}" for value in result.df) if alone else "",
        pvalue=None if result.single_pvalue is None else float(result.single_pvalue[0]),
        estimate=float(result.amplification[0]),
        estimate_name=name,
        lower=float(result.amplification_lower[0]),
        upper=float(result.amplification_upper[0]),
        level=result.interval_level,
        nobs=result.nobs,
        nobs_lost=result.nobs_lost,
        summary=result.summary(),
        result=result.to_json(),
        **_where(call, family, used),
    )


def _direction(result: ShockBetas, part: str) -> int:
    """Return the sign of a response; 0 when its interval holds both."""
    if getattr(result, f"{part}_lower")[0] >= 0:
        return 1
    return -1 if getattr(result, f"{part}_upper")[0] <= 0 else 0


def _leg(result: ShockBetas, part: str, call: Call, family: Family, used: pd.DatetimeIndex, name: str) -> Entry:
    low, high = getattr(result, f"{part}_lower"), getattr(result, f"{part}_upper")
    return Entry(
        id=f"{call.id}.{'small' if part == 'first' else 'large'}",
        method=result.method,
        estimate=float(getattr(result, part)[0]),
        estimate_name=name,
        lower=float(low[0]),
        upper=float(high[0]),
        level=result.interval_level,
        nobs=result.nobs,
        nobs_lost=result.nobs_lost,
        summary=name,
        **(_where(call, family, used) | {"family": LEGS}),
    )


def _ratio(result: RatioResult | Inapplicable, call: Call, family: Family, used: pd.DatetimeIndex, name: str) -> Entry:
    """Record the ratio on its own scale, where one means equal; the test is that of the log ratio."""
    if not isinstance(result, RatioResult):
        return _absent(result, call, family)
    return Entry(
        id=call.id,
        method=result.method,
        statistic=result.statistic,
        df=", ".join(f"{value:g}" for value in result.df),
        pvalue=result.pvalue,
        estimate=result.ratio,
        estimate_name=name,
        lower=result.ratio_lower,
        upper=result.ratio_upper,
        level=result.interval_level,
        nobs=result.nobs,
        nobs_lost=result.nobs_lost,
        summary=result.summary(),
        result=result.to_json(),
        **_where(call, family, used),
    )


def _where(call: Call, family: Family, used: pd.DatetimeIndex) -> dict[str, Any]:
    """Return the context of a comparison within one market, for which the clock of crypto has no meaning."""
    return context(call, family, used) | {"clock": ""}


def _absent(result: Result, call: Call, family: Family) -> Entry:
    return to_entry(result, call, family, pd.DatetimeIndex([]))


def _columns(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    first, second = frame.to_numpy(dtype=np.float64).T
    return first, second


def _used(frame: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(frame.dropna().index)


def _deviations(block: Floats) -> Floats:
    deviations = np.nanstd(block, axis=0)
    return np.asarray(np.where(deviations > 0, deviations, 1.0))
