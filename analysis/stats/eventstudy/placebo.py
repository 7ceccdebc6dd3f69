"""The placebo of an event study: its own abnormal returns against those of matched dates, over moved calendars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.quiet import quiet
from analysis.stats.eventstudy.inputs import LEAST_ESTIMATION
from analysis.stats.eventstudy.matching import Comparison, Matches, compare, imbalance
from analysis.stats.eventstudy.outcomes import Normal, Outcomes, outcomes_at_every_date
from analysis.stats.eventstudy.rotation import joint_pvalues
from analysis.stats.lagged import Floats


class Placebo(NamedTuple):
    """Matched dates and moved calendars, by horizon.

    Attributes
    ----------
    pvalue, estimate : array of shape (h,)
        Two-sided p-value, and mean cumulative abnormal return of the matched dates.
    joint_pvalue : float
        For the largest deviation over all horizons.
    imbalance : tuple of float
        Trailing return and volatility of the events less those of their matches, in standard deviations.
    events, calendars : int
        Events compared at the longest horizon, and placebo calendars there.
    """

    pvalue: Floats
    estimate: Floats
    joint_pvalue: float
    imbalance: tuple[float, float]
    events: int
    calendars: int


def placebo_test(
    returns: Floats,
    market: Floats | None,
    events: Sequence[int],
    matches: Matches,
    *,
    estimation: tuple[int, int],
    ends: Sequence[int],
    method: Normal,
    neighbours: int,
) -> Placebo | None:
    """Compare the events with matched dates; None when no horizon has enough dates or events.

    Notes
    -----
    Assets are pooled date by date before the comparison, so that calendars move all of them together.
    """
    pooled = _pool(
        [
            outcomes_at_every_date(
                column, market, estimation=estimation, first=matches.first, ends=ends, normal=method,
                least=LEAST_ESTIMATION,
            )
            for column in returns.T
        ]
    )  # fmt: skip
    found = compare(pooled, matches, events, ends, neighbours)
    usable: list[Comparison] = [one for one in found if one is not None]
    if len(usable) < len(found):
        return None
    last = usable[-1].rotation
    return Placebo(
        pvalue=np.array([one.rotation.pvalue for one in usable]),
        estimate=np.array([one.average - one.excess for one in usable]),
        joint_pvalue=float(joint_pvalues([one.rotation for one in usable]).min()),
        imbalance=imbalance(matches, last.events, neighbours, ends[-1] - matches.first + 1),
        events=len(last.events),
        calendars=last.known.size - 1,
    )


def _pool(outcomes: Sequence[Outcomes]) -> Outcomes:
    """Average standardised outcomes over the assets that have one; the spread is their harmonic mean."""
    scar = np.stack([one.car / one.spread for one in outcomes])
    precision = np.stack([1.0 / one.spread for one in outcomes])
    with quiet(RuntimeWarning):
        # A date without any asset stays NaN, which is what it means.
        spread = 1.0 / np.nanmean(precision, axis=0)
        return Outcomes(np.nanmean(scar, axis=0) * spread, spread)
