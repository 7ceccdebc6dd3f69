"""The inputs of an event study: dates, windows and horizons, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.stats.eventstudy.outcomes import Normal
from analysis.stats.eventstudy.statistics import LEAST_ESTIMATION, Design
from analysis.stats.lagged import Floats, as_columns, check_lags

__all__ = ["LEAST_ESTIMATION"]

HORIZONS = (5, 21, 63, 126)
LEAST_MATCHES = 5
NAMES: dict[Normal, str] = {"market": "market model", "mean": "mean adjusted"}


def disjoint_events(events: Sequence[int], reach: int) -> int:
    """Count events whose windows of `reach` + 1 sessions are disjoint, taken greedily, which is the largest number."""
    count, last = 0, 0
    for event in events:
        if count == 0 or event - last > reach:
            count, last = count + 1, event
    return count


def event_dates(events: ArrayLike, n: int) -> tuple[int, ...]:
    """Return ascending event positions; raises InputError for anything that is no set of dates of the series."""
    array = np.asarray(events)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError("events must be positions of shape (e,)", given=f"{array.dtype} {array.shape}")
    dates = sorted(int(date) for date in array)
    if dates and not 0 <= dates[0] <= dates[-1] < n:
        raise InputError("an event lies outside the series", given=(dates[0], dates[-1]), limit=f"0 to {n - 1}")
    if len(set(dates)) < len(dates):
        raise InputError("an event is there twice", remedy="merge the days of one episode into one event first")
    return tuple(dates)


def market_series(market: ArrayLike | None, method: str | None, n: int) -> tuple[Normal, Floats | None]:
    """Return the method and the market return that goes with it; raises InputError when they do not go together."""
    name: Normal = "mean" if market is None else "market"
    if method not in (None, name):
        raise InputError(
            "method and market do not go together",
            given=f"method={method!r}, market {'missing' if market is None else 'given'}",
            limit="method 'market' with a market return, or method 'mean' without",
        )
    if market is None:
        return name, None
    series = as_columns(market, "market")
    if series.shape != (n, 1):
        raise InputError("market must be one series as long as returns", given=series.shape, limit=f"({n},)")
    return name, series[:, 0]


def windows(window: tuple[int, int], estimation: tuple[int, int], first: int) -> Design:
    """Return the design; raises InputError unless the estimation window is over before the event and the window."""
    past = range(estimation[0], estimation[1] + 1)
    future = range(window[0], window[1] + 1)
    if first not in future or len(past) < LEAST_ESTIMATION or estimation[1] >= min(window[0], 0):
        raise InputError(
            "the windows do not fit",
            given=f"estimation {estimation}, window {window}, first {first}",
            limit=f"estimation of {LEAST_ESTIMATION} sessions or more, over before window and event; first in window",
        )
    offsets = np.array([*past, *future], dtype=np.int64)
    return Design(offsets=offsets, estimating=np.arange(offsets.size) < len(past), first=first)


def horizon_ends(horizons: Sequence[int] | None, last: int, first: int, headline: int | None) -> tuple[int, ...]:
    """Return ascending horizons within the window; raises InputError for others."""
    ends = [end for end in HORIZONS if first <= end <= last] or [last] if horizons is None else list(horizons)
    ends = [check_lags(end, name="a horizon", least=first) for end in ends]
    if not ends or ends != sorted(set(ends)) or ends[-1] > last or (headline is not None and headline not in ends):
        raise InputError(
            "the horizons do not fit",
            given=f"horizons {ends}, headline {headline}",
            limit=f"ascending offsets from {first} to {last}, the headline among them",
        )
    return tuple(ends)


def check_options(level: float, min_events: int) -> None:
    """Raise InputError for an option outside its range."""
    if not 0.0 < level < 1.0:
        raise InputError("level must lie between 0 and 1", given=level)
    check_lags(min_events, name="min_events", least=3)
