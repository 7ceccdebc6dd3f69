"""What the event studies read: the calendar of record-high episodes, the basket, and the dates that match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.market.calendars import day_numbers
from analysis.market.highs import DECIMALS, Episode, record_episodes, record_highs
from analysis.stats.eventstudy.matching import Matches, match_dates
from analysis.stats.lagged import Floats
from analysis.study.inputs import Inputs

Basis = Literal["close", "intraday", "total"]
BASES: tuple[Basis, ...] = ("close", "intraday", "total")
BASKET = "BASKET"
LARGE_CAPS = ("SPX", "NASDAQNQUSL", "SP500", "SPY")
PERCENT = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Record-high episodes on the rows of the study.

    Attributes
    ----------
    positions : tuple of int
        Row of the first day of each episode.
    record_days : bool array of shape (n,)
        Rows with a record, which match no event.
    """

    positions: tuple[int, ...]
    record_days: NDArray[np.bool_]
    episodes: tuple[Episode, ...]


def calendar(inputs: Inputs, basis: Basis, *, spacing: int = 0) -> Calendar | str:
    """Return the episodes of the small-cap series that start in the study, or why there are none."""
    settings = inputs.config.events
    series = inputs.config.small_cap_total_return if basis == "total" else inputs.plan.small_cap
    if not inputs.has(series):
        return inputs.snapshot.missing.get(series, f"{series} is not in the data")
    if inputs.catalog.entry(series).transform not in ("log_return", "log_difference"):
        return f"{series} is not a price"
    frame = inputs.snapshot.frame(series)
    if basis == "intraday" and "high" not in frame.columns:
        return f"{series} was supplied without daily highs"
    # An adjusted price has no published decimals: every rise counts.
    decimals = None if basis == "total" else DECIMALS
    history = settings.history_sessions
    found = record_episodes(
        frame,
        basis="intraday" if basis == "intraday" else "close",
        merge_sessions=settings.merge_sessions,
        spacing_sessions=spacing,
        decimals=decimals,
        min_history=history,
    )
    days = record_highs(
        frame, basis="intraday" if basis == "intraday" else "close", decimals=decimals, min_history=history
    ).dates
    rows = {int(day): row for row, day in enumerate(day_numbers(inputs.dates))}
    inside = [(rows[number], e) for e in found if (number := int(np.datetime64(e.start, "D").astype(int))) in rows]
    if not inside:
        return f"{series} set no record in the study with {history} sessions behind it"
    mask = np.isin(day_numbers(inputs.dates), day_numbers(days))
    return Calendar(tuple(row for row, _ in inside), mask, tuple(episode for _, episode in inside))


def returns_percent(inputs: Inputs, name: str) -> Floats:
    """Return log returns in percent, shape (n,), of a series under the clock that comes after the equity close."""
    if name == BASKET:
        return PERCENT * basket(inputs.returns("after", inputs.plan.crypto[1:]), inputs.config.events.basket_least)
    if name in inputs.panels["after"].returns:
        return PERCENT * inputs.returns("after", (name,))[:, 0]
    return PERCENT * inputs.panel("after", (name,)).returns[name].to_numpy(dtype=np.float64)


def basket(returns: Floats, least: int) -> Floats:
    """Return the log return of equal parts, restored every session, of the assets that trade in it.

    Parameters
    ----------
    returns : array of shape (n, k)
        Log returns; NaN where an asset does not trade.
    least : int
        Fewest assets; NaN below.
    """
    present = np.isfinite(returns)
    number = present.sum(axis=1)
    total = np.where(present, np.expm1(np.where(present, returns, 0.0)), 0.0).sum(axis=1)
    mean = np.divide(total, number, out=np.zeros(number.size), where=number > 0)
    return np.where(number >= least, np.log1p(mean), np.nan)


def matches(inputs: Inputs, driver: str, *, first: int = 1, excluded: NDArray[np.bool_] | None = None) -> Matches:
    """Return the dates that resemble each other in trailing return and volatility of one series."""
    series = returns_percent(inputs, driver)
    return match_dates(series, trailing=inputs.config.events.trailing, first=first, excluded=excluded)


def large_cap(series: Sequence[str]) -> str:
    """Return the large-cap series that serves as the market; empty where there is none."""
    return next((name for name in LARGE_CAPS if name in series), "")
