"""The result of an event study: one row a horizon, the path of the average, and what to know before relying on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.results import TestResult
from analysis.stats.eventstudy.inputs import disjoint_events
from analysis.stats.eventstudy.placebo import Placebo
from analysis.stats.eventstudy.statistics import Average

FEW_EPISODES = 10
POOR_MATCH = 0.25
REFERENCE = (
    "Boehmer, Musumeci and Poulsen (1991), J. Financial Economics 30; Corrado (1989), J. Financial Economics 23; "
    "Kolari and Pynnönen (2010), Review of Financial Studies 23; Patell (1976), J. Accounting Research 14; "
    "Cowan (1992), Review of Quantitative Finance and Accounting 2"
)


class Horizon(NamedTuple):
    """One horizon: the average and its parametric tests, then Corrado's rank and the generalised sign test."""

    end: int
    average: Average
    rank: tuple[float, float]
    sign: tuple[float, float]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventStudyResult(TestResult):
    """Average abnormal performance after events; the named statistic is the adjusted one at the headline horizon.

    Attributes
    ----------
    headline : int
        Offset up to which the named statistic cumulates.
    table, path : tuple of tuple
        Rows of `statistics` and `cumulative`.
    independent_episodes : int
        Largest number of events whose headline windows share no session.
    overlapping_pairs : int
        Pairs of events whose headline windows share a session.
    effective_events : float
        Independent events that would estimate the average as precisely as these, shared estimation sessions counted in.
    placebo_calendars : int
        Moved calendars compared with the true one; 0 when no placebo was asked for or possible.
    placebo_events : int
        Events the placebo compares at the longest horizon.
    placebo_joint_pvalue : float or None
        Placebo p-value of the largest deviation over all horizons.
    placebo_imbalance : tuple of float
        What matching left of the difference in trailing return and volatility, in standard deviations.
    """

    headline: int
    table: tuple[tuple[float | None, ...], ...]
    path: tuple[tuple[float, ...], ...]
    independent_episodes: int
    overlapping_pairs: int
    effective_events: float
    placebo_calendars: int = 0
    placebo_events: int = 0
    placebo_joint_pvalue: float | None = None
    placebo_imbalance: tuple[float, ...] = ()

    @property
    def cumulative(self) -> pd.DataFrame:
        """Path of the average: `offset`, `estimate`, `lower`, `upper` (pointwise), `nobs` and `abnormal`.

        The path is 0 just before `first`; before that it runs backwards. `abnormal` is the average abnormal return of
        the session itself, the event day included.
        """
        frame = pd.DataFrame(self.path, columns=["offset", "estimate", "lower", "upper", "nobs", "abnormal"])
        return frame.astype({"offset": int, "nobs": int})

    @property
    def statistics(self) -> pd.DataFrame:
        """One row a horizon: average, interval, every statistic and its p-value."""
        columns = ["horizon", *Average._fields, "rank", "rank_pvalue", "sign", "sign_pvalue"]
        frame = pd.DataFrame(self.table, columns=[*columns, "placebo_estimate", "placebo_pvalue"])
        return frame.astype({"horizon": int, "nobs": int})

    def to_frame(self) -> pd.DataFrame:
        """Return `statistics`."""
        return self.statistics

    def summary(self) -> str:
        """Return the test at the headline horizon, then one line a horizon."""
        lines = [TestResult.summary(self), "  horizon, average, adjusted p, rank p, sign p, placebo p, n:"]
        for row in self.statistics.to_dict("records"):
            placebo = "none" if pd.isna(row["placebo_pvalue"]) else f"{row['placebo_pvalue']:.3g}"
            lines.append(
                f"  {row['horizon']}: {row['estimate']:.4g}, {row['adjusted_pvalue']:.3g}, {row['rank_pvalue']:.3g}, "
                f"{row['sign_pvalue']:.3g}, {placebo}, {row['nobs']}"
            )
        return "\n".join(lines)


def cautions(
    main: Horizon, kept: Sequence[Horizon], dropped: Sequence[int], independent: int, overlapping: int
) -> list[str]:
    """Say what weakens the tests."""
    out = []
    if independent < FEW_EPISODES:
        out.append(f"only {independent} events have headline windows that share no session: read intervals, not stars")
    if overlapping:
        out.append(f"{overlapping} pairs of events overlap; the rank and the sign test take them as independent")
    if dropped:
        out.append(f"too few events for horizon {', '.join(map(str, dropped))}")
    if len({h.average.nobs for h in kept}) > 1:
        out.append("horizons rest on different numbers of events: late events have no long outcome")
    if len(kept) > 1:
        out.append(
            f"p-values by horizon are not corrected for {len(kept)} horizons; horizon {main.end} is the headline"
        )
    return out


def placebo_cautions(random: Placebo | None, events: int) -> list[str]:
    """Say what weakens the placebo."""
    if random is None:
        return ["no placebo: too few dates have history, an outcome and matches"]
    out = []
    if random.events < events:
        out.append(f"the placebo compares {random.events} of {events} events; the others lack an outcome or matches")
    if max(map(abs, random.imbalance)) > POOR_MATCH:
        gaps = ", ".join(f"{gap:.2f}" for gap in random.imbalance)
        out.append(f"placebo dates match poorly: trailing return and volatility differ by {gaps} standard deviations")
    return out


def episodes(events: Sequence[int], reach: int) -> tuple[int, int]:
    """Count events whose windows of `reach` + 1 sessions are disjoint, and pairs that overlap."""
    gaps = np.subtract.outer(events, events)
    return disjoint_events(events, reach), int(np.sum((gaps > 0) & (gaps <= reach)))
