"""Hourly prices read at the equity close: a daily series whose instant is that of the equities themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.market import calendars
from analysis.sources.base import RawSeries, make_series, utc_now
from analysis.sources.csvfile import MIN_ROWS
from analysis.sources.hourly import HOUR_NS, HourlyPrices

SUFFIX = "_AT_CLOSE"
# A price older than this at the close is no price at the close.
MOST_HOURS_OLD = 1


def sample(series_id: str, prices: HourlyPrices) -> RawSeries:
    """Return the last price known at each close of the New York Stock Exchange, half days included.

    Parameters
    ----------
    series_id : str
    prices : HourlyPrices
        An hour counts from its end: the bar that ends at 16:00 New York is the one that is read there.

    Raises
    ------
    DataError
        Fewer than 30 closes have a price that is at most an hour old.
    """
    first, last = (pd.Timestamp(int(prices.known[place])).normalize() for place in (0, -1))
    sessions = calendars.nyse(first, last)
    place = np.searchsorted(prices.known, sessions.closes, side="right") - 1
    age = sessions.closes - prices.known[np.maximum(place, 0)]
    fresh = (place >= 0) & (age <= MOST_HOURS_OLD * HOUR_NS)
    if fresh.sum() < MIN_ROWS:
        raise DataError(
            f"{prices.origin} has a price at too few equity closes",
            given=int(fresh.sum()),
            limit=f"at least {MIN_ROWS}",
            remedy="give hourly bars around the clock over a longer time",
        )
    stale = int((~fresh).sum())
    notes = ["last price known at the equity close, from hourly bars"]
    notes += [f"{stale} closes without a price of the last hour are left out"] if stale else []
    return make_series(
        series_id,
        pd.DataFrame({"value": prices.close[place[fresh]]}, index=sessions.dates[fresh]),
        provider="hourly",
        provider_id=prices.origin,
        origin=prices.origin,
        retrieved=utc_now(),
        notes=notes,
    )
