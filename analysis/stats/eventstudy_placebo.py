"""Placebo dates for an event study: dates without an event that followed a similar return and a similar volatility."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.stats.lagged import Floats

LEAST_MATCHES = 5


class Placebo(NamedTuple):
    """Randomisation over matched dates.

    Attributes
    ----------
    pvalue, estimate : array of shape (h,)
        Two-sided p-value, and mean cumulative abnormal return of the matches that are no events, by horizon.
    joint_pvalue : float
        For the largest deviation over all horizons.
    imbalance : tuple of float
        Mean trailing return and volatility of the events less that of their matches, in standard deviations over all
        dates.
    events, sites : int
        Events that could be matched, and different dates they were matched with.
    """

    pvalue: Floats
    estimate: Floats
    joint_pvalue: float
    imbalance: tuple[float, float]
    events: int
    sites: int


def trailing_features(series: Floats, trailing: int, first: int) -> Floats:
    """Return the mean return and volatility (n, 2) of the sessions that end just before offset `first` of each date.

    Notes
    -----
    NaN where fewer than half of the `trailing` sessions are present. Nothing from offset `first` on is used.
    """
    features = np.full((series.size, 2), np.nan)
    for date in range(series.size):
        end = date + first
        if end - trailing < 0 or end > series.size:
            continue
        past = series[end - trailing : end]
        past = past[np.isfinite(past)]
        if past.size >= max(2.0, trailing / 2):
            features[date] = past.mean(), past.std(ddof=1)
    return features


def placebo_sites(
    distance: Floats, dates: NDArray[np.int64], span: int, usable: Callable[[int], bool]
) -> NDArray[np.int64]:
    """Pick usable dates `span` or more sessions apart, those nearest to any event first.

    Notes
    -----
    Neighbouring days share their outcome. Were all of them candidates, a draw would nearly never hold an event, and
    the draws would vary less than the events do.
    """
    sites: list[int] = []
    for date in dates[np.argsort(distance, kind="stable")].tolist():
        if all(abs(date - site) >= span for site in sites) and usable(date):
            sites.append(date)
    return np.array(sorted(sites), dtype=np.int64)


def matched_pools(
    features: Floats,
    events: Sequence[int],
    free: NDArray[np.bool_],
    neighbours: int,
    span: int,
    usable: Callable[[int, int], bool],
) -> dict[int, list[int]]:
    """Return, by position in `events`, the event itself and its nearest usable dates: placebo sites or other events.

    Notes
    -----
    Other events may be matches too: under the null an event is exchangeable with its matches, whatever their label.
    Events with fewer than `LEAST_MATCHES` matches that are no events are left out.
    """
    known = np.isfinite(features[:, 0]) & np.isfinite(features[:, 1])
    own = [position for position, event in enumerate(events) if known[event] and usable(position, event)]
    dates = np.flatnonzero(free & known)
    if not own or dates.size < LEAST_MATCHES:
        return {}
    spread = features[known].std(axis=0)
    scaled = features / np.where(spread > 0, spread, 1.0)
    nearest = np.min([np.sum((scaled[dates] - scaled[events[i]]) ** 2, axis=1) for i in own], axis=0)
    sites = placebo_sites(nearest, dates, span, lambda date: any(usable(i, date) for i in own))
    pools: dict[int, list[int]] = {}
    for position in own:
        event = events[position]
        others = np.array([*sites.tolist(), *(events[i] for i in own if i != position)], dtype=np.int64)
        distance = np.sum((scaled[others] - scaled[event]) ** 2, axis=1)
        ranked = [date for date in others[np.argsort(distance, kind="stable")].tolist() if usable(position, date)]
        pool = [event, *ranked[:neighbours]]
        if sum(bool(free[date]) for date in pool) >= LEAST_MATCHES:
            pools[position] = pool
    return pools


def draw_dates(pools: Sequence[Sequence[int]], draws: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Draw a date of each pool, different dates within a draw while the pools allow.

    Returns
    -------
    list of arrays of shape (draws,)
        Index into each pool. Pools are visited in a random order, the same for all draws of one call.
    """
    chosen = [np.zeros(draws, dtype=np.int64) for _ in pools]
    dates = np.empty((draws, 0), dtype=np.int64)
    for place in rng.permutation(len(pools)).tolist():
        pool = np.array(pools[place])
        key = rng.random((draws, pool.size))
        taken = (pool[None, :, None] == dates[:, None, :]).any(axis=2)
        chosen[place] = np.argmax(np.where(taken, key - 1.0, key), axis=1)
        dates = np.column_stack([dates, pool[chosen[place]]])
    return chosen


def placebo_test(
    outcome: Callable[[int], Floats],
    events: Sequence[int],
    features: Floats,
    free: NDArray[np.bool_],
    *,
    span: int,
    draws: int,
    neighbours: int,
    rng: np.random.Generator,
) -> Placebo | None:
    """Compare the events with draws of matched dates; None when no event has enough matches.

    Parameters
    ----------
    outcome : callable
        Turns a date into standardised and raw cumulative abnormal returns (2, assets, horizons), NaN where missing.
    events : sequence of int
    features : array of shape (n, 2)
    free : bool array of shape (n,)
        Dates outside all event windows.
    span : int
        Sessions from one date to the next that does not share its outcome.

    Notes
    -----
    A match has every outcome its event has. The statistic is the mean standardised cumulative abnormal return; its
    distance from the centre of all draws, the true one among them, gives (1 + b) / (1 + draws). Each draw picks for
    every event the event itself or one of its matches, so that the true set is one of the sets that could be drawn.
    """
    cache: dict[int, Floats] = {}

    def look(date: int) -> Floats:
        if date not in cache:
            cache[date] = outcome(date)
        return cache[date]

    has = [np.isfinite(look(event)) for event in events]
    pools = matched_pools(
        features,
        events,
        free,
        neighbours,
        span,
        lambda position, date: bool(has[position].any() and np.isfinite(look(date))[has[position]].all()),
    )
    if not pools:
        return None
    kept, known = list(pools), set(events)
    number = np.maximum(1, np.sum([has[i][0].sum(axis=0) for i in kept], axis=0))
    sums = {i: np.stack([np.where(has[i], look(date), 0.0).sum(axis=1) for date in pools[i]]) for i in kept}
    true = np.sum([sums[i][0] for i in kept], axis=0)
    chosen = draw_dates([pools[i] for i in kept], draws, rng)
    drawn = np.sum([sums[i][pick] for i, pick in zip(kept, chosen, strict=True)], axis=0)
    score = np.concatenate([true[None], drawn])[:, 0] / number
    distance = np.abs(score - score.mean(axis=0))
    spread = score.std(axis=0)
    largest = np.divide(distance, spread, out=np.zeros_like(distance), where=spread > 0).max(axis=1)
    matches = {i: np.array([date not in known for date in pools[i]]) for i in kept}
    gaps = [features[events[i]] - features[np.array(pools[i])[matches[i]]].mean(axis=0) for i in kept]
    scale = features[np.isfinite(features).all(axis=1)].std(axis=0)
    imbalance = np.divide(np.mean(gaps, axis=0), scale, out=np.zeros(2), where=scale > 0)
    return Placebo(
        pvalue=np.mean(distance >= distance[0] - 1e-12, axis=0),
        estimate=np.sum([sums[i][matches[i], 1].mean(axis=0) for i in kept], axis=0) / number,
        joint_pvalue=float(np.mean(largest >= largest[0] - 1e-12)),
        imbalance=(float(imbalance[0]), float(imbalance[1])),
        events=len(kept),
        sites=len({date for i in kept for date in pools[i]} - known),
    )
