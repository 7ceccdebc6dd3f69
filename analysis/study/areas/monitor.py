"""Where the watched quantities stand against their own history, and whether crypto follows small caps as usual."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.market.highs import running_record
from analysis.results import Inapplicable
from analysis.stats.crosscorr_rolling import rolling_correlation
from analysis.stats.lagged import Floats
from analysis.study.area import Area, Subjects
from analysis.study.calls import Call, Family, key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, day, to_entry
from analysis.study.settings import MonitorSettings, Watch

WATCH, LINK = "monitor-watch", "monitor-link"
_METHOD = "Position in its own history"
_LINK_METHOD = "Crypto against what small caps did"
# Below this many values a position in history says nothing.
LEAST_HISTORY = 252


def declare(subjects: Subjects) -> list[Family]:
    """Declare one call a watched quantity and one an asset; all of them describe and none is a test."""
    watched = tuple(
        Call(f"monitor.{item.name}", WATCH, _series(item, subjects.small_cap, subjects.crypto)[0], detail=item.name)
        for item in subjects.config.monitor.watched
    )
    links = tuple(
        Call(f"monitor.link.{key(asset)}", LINK, asset, subjects.small_cap, "after") for asset in subjects.crypto
    )
    return [
        Family("monitor-watch", "Where things stand", (), "none", watched),
        Family("monitor-link", "Crypto against what small caps did", (), "none", links),
    ]


def series(subjects: Subjects) -> tuple[str, ...]:
    """Return every series that is watched."""
    small, crypto = subjects.small_cap, subjects.crypto
    return tuple(name for item in subjects.config.monitor.watched for name in _series(item, small, crypto))


def run_watch(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """State one quantity now and some sessions ago, each with the share of its history that lies below it."""
    item = next(item for item in inputs.config.monitor.watched if item.name == call.detail)
    names = _series(item, inputs.plan.small_cap, inputs.plan.crypto)
    absent = [name for name in names if not inputs.has(name)]
    if absent:
        reason = "; ".join(inputs.snapshot.missing.get(name, f"{name} is not in the data") for name in absent)
        return [to_entry(Inapplicable(method=_METHOD, reason=reason), call, family, inputs.dates[:0])]
    path, known = _path(item, names, inputs)
    places = np.flatnonzero(np.isfinite(path))
    back = inputs.config.monitor.back
    if len(places) < LEAST_HISTORY + back:
        reason = f"{len(places)} values are too few; at least {LEAST_HISTORY + back} are needed"
        return [to_entry(Inapplicable(method=_METHOD, reason=reason), call, family, inputs.dates[:0])]
    last, earlier = places[-1], places[-1 - back]
    shared = context(call, family, inputs.dates[places]) | {"method": _METHOD, "nobs": len(places)}
    entries = []
    for suffix, at in (("", last), (".before", earlier)):
        span = {"end": str(known[at].date())} if known is not None else {"end": day(inputs.dates, at)}
        value = float(path[at])
        rank = position(path[places[places <= at]], value)
        words = f"{item.title}: {value:.4g} {item.unit} on {span['end']}, above {rank:.0%} of its history"
        numbers = ((suffix, value, f"{item.title}, {item.unit}"), (f"{suffix}.rank", rank, "share of history below"))
        entries += [
            Entry(id=call.id + tail, estimate=number, estimate_name=name, summary=words, **shared | span)
            for tail, number, name in numbers
        ]
    return entries


def run_link(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """State the rolling correlation now, and how far the asset is from what its beta to small caps would give."""
    settings = inputs.config.monitor
    asset, small = inputs.returns("after", (call.effect, call.cause)).T
    both = np.isfinite(asset) & np.isfinite(small)
    asset, small, dates = asset[both], small[both], inputs.dates[both]
    needed = LEAST_HISTORY + settings.window + max(settings.horizons)
    if len(dates) < needed:
        reason = f"{len(dates)} common sessions are too few; at least {needed} are needed"
        return [to_entry(Inapplicable(method=_LINK_METHOD, reason=reason), call, family, dates[:0])]
    rolling = rolling_correlation(asset, small, window=settings.window)
    if isinstance(rolling, Inapplicable):
        return [to_entry(rolling, call, family, dates[:0])]
    shared = context(call, family, dates) | {"method": _LINK_METHOD}
    now = float(rolling.estimate[-1])
    entries = [
        Entry(
            id=call.id,
            estimate=now,
            estimate_name=f"correlation over {settings.window} sessions",
            lower=float(rolling.lower[-1]),
            upper=float(rolling.upper[-1]),
            level=float(rolling.options["level"]),
            nobs=int(rolling.nobs[-1]),
            summary=rolling.summary(),
            result=rolling.to_json() if call.effect == inputs.plan.crypto[0] else "",
            **shared,
        ),
        Entry(
            id=f"{call.id}.rank",
            estimate=position(rolling.estimate, now),
            estimate_name="share of its history below the correlation",
            nobs=len(rolling.estimate),
            **shared,
        ),
    ]
    for horizon in settings.horizons:
        entries += _gap_entries(call.id, asset, small, horizon, settings, shared)
    return entries


def _gap_entries(
    base: str, asset: Floats, small: Floats, horizon: int, settings: MonitorSettings, shared: Mapping[str, object]
) -> list[Entry]:
    gaps = gap_path(asset, small, horizon=horizon, window=settings.window)
    rank = position(gaps, float(gaps[-1]))
    moved, followed = float(100 * small[-horizon:].sum()), float(100 * asset[-horizon:].sum())
    word = reading(moved, followed, rank, settings.outer)
    words = (
        f"{word}: over {horizon} sessions small caps moved {moved:+.1f} and the asset {followed:+.1f} percent, "
        f"{gaps[-1]:+.1f} from what its beta gives"
    )
    rows = (
        ("moved", moved, "log return of small caps, %", ""),
        ("followed", followed, "log return of the asset, %", ""),
        ("gap", float(gaps[-1]), "return beyond beta times small caps, %", words),
        ("gap-rank", rank, "share of history below the gap", ""),
    )
    return [
        Entry(
            id=f"{base}.{horizon}.{name}",
            estimate=value,
            estimate_name=title,
            nobs=len(gaps),
            lags=horizon,
            summary=text,
            **shared,  # type: ignore[arg-type]
        )
        for name, value, title, text in rows
    ]


def gap_path(asset: Floats, small: Floats, *, horizon: int, window: int) -> Floats:
    """Return the asset's return beyond its beta, in percent, over every stretch of `horizon` sessions.

    The beta is that of the `window` sessions before the stretch begins, so that the stretch does not explain itself.
    """
    pairs = np.lib.stride_tricks.sliding_window_view(np.stack([asset, small]), window, axis=1)
    centred = pairs - pairs.mean(axis=2, keepdims=True)
    beta = (centred[0] * centred[1]).sum(axis=1) / (centred[1] ** 2).sum(axis=1)
    stretches = len(asset) - window - horizon + 1
    sums = [np.convolve(item, np.ones(horizon), "valid")[window:][:stretches] for item in (asset, small)]
    return np.asarray(100 * (sums[0] - beta[:stretches] * sums[1]))


def position(history: Floats, value: float) -> float:
    """Return the share of a history that lies below a value, ties counted half."""
    return float(((history < value).sum() + 0.5 * (history == value).sum()) / len(history))


def reading(moved: float, followed: float, rank: float, outer: float) -> str:
    """Say whether the asset confirms the move of small caps, diverges from it, or neither.

    It diverges when the gap lies in an outer share of its history, and confirms when both moved the same way within it.
    """
    if not outer <= rank <= 1 - outer:
        return "diverges"
    return "confirms" if moved * followed > 0 else "undecided"


def _series(item: Watch, small_cap: str, crypto: tuple[str, ...]) -> tuple[str, ...]:
    stand = {"small_cap": small_cap, "crypto": crypto[0]}
    return tuple(stand.get(name, name) for name in item.series)


def _path(item: Watch, names: tuple[str, ...], inputs: Inputs) -> tuple[Floats, pd.DatetimeIndex | None]:
    """Return the quantity on every session, and when each value was observed, or published if it enters then."""
    if item.measure == "below_record":
        # The record is that of the whole history, which may begin before the study does.
        frame = inputs.snapshot.frame(names[0])
        close = frame["value"].to_numpy(dtype=np.float64)
        distance = pd.Series(100 * (close / running_record(close) - 1.0), index=frame.index)
        return distance.reindex(inputs.dates).to_numpy(dtype=np.float64), None
    aligned = inputs.panel("after", names)
    levels = aligned.levels.to_numpy(dtype=np.float64)
    level = levels[:, 0] - levels[:, 1:].sum(axis=1)
    known = pd.DatetimeIndex(aligned.instants.max(axis=1))
    if item.measure == "level":
        return level, known
    out, h = np.full(len(level), np.nan), item.sessions
    change = level[h:] - level[:-h]
    out[h:] = change if item.measure == "change" else 100 * change / level[:-h]
    return out, known


AREA = Area("monitor", declare, {WATCH: run_watch, LINK: run_link}, series)
