"""The results of a matched event study: one horizon, and the path with its placebo band."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.results import Result, TestResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MatchedEventResult(TestResult):
    """Average return after events above that after matched dates, over one horizon.

    Attributes
    ----------
    horizon : int
        Last session that counts.
    average, matched : float
        Cumulative log return after the events and after their matches; episodes weigh in inversely to their volatility.
    outcomes : tuple of tuple
        Position of each event, its cumulative return, and that of its matches at the volatility of the event.
    detectable : float
        Excess that this test, with these events, would find four times in five before any correction.
    independent_episodes : int
        Largest number of events whose outcomes share no session.
    calendars : int
        Placebo calendars compared with the true one.
    imbalance : tuple of float
        Trailing return and volatility of the events less those of their matches, in standard deviations.
    """

    horizon: int
    average: float
    matched: float
    outcomes: tuple[tuple[float, ...], ...]
    detectable: float
    independent_episodes: int
    calendars: int
    imbalance: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventPath(Result):
    """Average path after events, the path of matched dates, and the band in which placebo calendars stay.

    Attributes
    ----------
    rows : tuple of tuple
        Offset, average, matched, lower and upper end of the pointwise band around `matched`, events.
    """

    level: float
    rows: tuple[tuple[float, ...], ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row an offset."""
        frame = pd.DataFrame(self.rows, columns=["offset", "average", "matched", "lower", "upper", "nobs"])
        return frame.astype({"offset": int, "nobs": int})

    def summary(self) -> str:
        """Return the ends of the path."""
        last = self.to_frame().iloc[-1]
        return (
            f"Path after events\n  session {last['offset']:.0f}: average {last['average']:.4g}, matched dates "
            f"{last['matched']:.4g}, {self.level:.0%} of placebo calendars between {last['lower']:.4g} and "
            f"{last['upper']:.4g}"
        )
