"""Returns after events against returns after matched dates, judged by moving the calendar of events along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.eventstudy.inputs import LEAST_ESTIMATION, LEAST_MATCHES, disjoint_events, event_dates
from analysis.stats.eventstudy.matched_result import EventPath, MatchedEventResult
from analysis.stats.eventstudy.matching import Comparison, Matches, compare, imbalance, match_dates
from analysis.stats.eventstudy.outcomes import Normal, Outcomes, outcomes_at_every_date
from analysis.stats.eventstudy.rotation import Rotation
from analysis.stats.lagged import Floats, as_columns, check_lags, same_index

__all__ = ["EventPath", "MatchedEventResult", "MatchedStudy", "match_dates", "matched_event_study"]

FEW_EVENTS = 10
POOR_MATCH = 0.25
NAMES: dict[Normal, str] = {"none": "returns as they are", "beta": "returns less the market's part"}
_REFERENCE = (
    "Lyon, Barber and Tsai (1999), J. Finance 54 (reference portfolios); Abadie and Imbens (2006), Econometrica 74 "
    "(matching); Chung and Romano (2013), Annals of Statistics 41 (studentised randomisation); Smyth (2004), Stat. "
    "Appl. Genet. Mol. Biol. 3 (moderated t)"
)


@dataclass(frozen=True, slots=True, eq=False)
class MatchedStudy:
    """Results by horizon, their rotations for a joint correction (None where there is no result), and the path."""

    horizons: tuple[int, ...]
    results: tuple[MatchedEventResult | Inapplicable, ...]
    rotations: tuple[Rotation | None, ...]
    path: EventPath | None


def matched_event_study(
    returns: ArrayLike,
    events: ArrayLike,
    matches: Matches,
    *,
    horizons: Sequence[int] = (5, 21, 63, 126),
    estimation: tuple[int, int] = (-250, -6),
    market: ArrayLike | None = None,
    neighbours: int = 100,
    level: float = 0.95,
    min_events: int = 5,
    path: Sequence[int] = (),
    unit: str = "",
) -> MatchedStudy:
    """Compare what followed events with what followed dates that resemble them, horizon by horizon.

    Parameters
    ----------
    returns : array of shape (n,)
        Log returns; NaN marks a missing value. An event counts at a horizon when no session of it is missing.
    events : integer array of shape (e,)
        Positions of the events, known by the end of their session.
    matches : Matches
        From `match_dates` on the same sessions.
    horizons : sequence of int
        Last sessions of the cumulative returns; the first one is `matches.first`.
    estimation : (int, int)
        Offsets of the window that gives each date its volatility (and its beta), before the event.
    market : array of shape (n,), optional
        Market return; its part, by the beta of the estimation window, is taken off first.
    neighbours : int
        Matches of every date. More of them are less noisy and less alike.
    level : float
        Level of intervals and of the band.
    min_events : int
        Fewest events a horizon needs.
    path : sequence of int
        Offsets of the path; none is computed when empty.
    unit : str
        Unit of the returns, for the name of the estimate.

    Returns
    -------
    MatchedStudy
        `Inapplicable` at horizons with too few events or too short a series.

    Notes
    -----
    Every date has an excess: its cumulative return, over its own earlier volatility, less the mean of the dates most
    alike it. The statistic is the t of the mean excess of the events. Its null distribution comes from moving the whole
    calendar of events along the series, which keeps the spacing of events and so the overlap of their outcomes:
    clustered records are compared with clusters. No mean of an estimation window is taken off: before a record it is
    high by selection, and would make the returns that follow look poor. The interval holds the constant effects the
    rotation does not reject. Weights are inverse to volatility.

    Measured with about 14 record episodes in 3,000 sessions (a random walk's own records, merged over 21 sessions,
    returns correlated with it; 136 to 140 paths), rejections at 5 % over 5, 21, 63 and 126 sessions: iid 5.8, 5.1, 3.6,
    5.1 %; GARCH-t 4.3, 1.4, 2.9, 2.9 %; variance spillover 6.6, 5.9, 3.7, 2.9 %; the family of four 1.5 to 2.2 %. A
    gain of 15 % over 21 sessions, daily volatility 4 %, is found in 78 % of the paths, and in 57 % by the family.

    References
    ----------
    Lyon, Barber and Tsai (1999); Abadie and Imbens (2006); Chung and Romano (2013); Smyth (2004).
    """
    same_index(returns=returns, market=market)
    n = matches.order.shape[0]
    series, index = _one_series(returns, n), None if market is None else _one_series(market, n)
    dates = event_dates(events, n)
    normal: Normal = "none" if index is None else "beta"
    ends = _ascending(horizons, matches.first)
    options: dict[str, Any] = {
        "horizons": ends, "estimation": tuple(estimation), "first": matches.first,
        "trailing": matches.trailing, "neighbours": neighbours, "level": level, "min_events": min_events,
        "normal": normal,
    }  # fmt: skip
    _check(options)
    every = tuple(sorted({*ends, *(_ascending(path, matches.first) if len(path) else ())}))
    found = outcomes_at_every_date(
        series, index, estimation=estimation, first=matches.first, ends=every, normal=normal, least=LEAST_ESTIMATION
    )
    compared = dict(zip(every, compare(found, matches, dates, every, neighbours), strict=True))
    usable = {end: one for end, one in compared.items() if one and len(one.rotation.events) >= min_events}
    results = tuple(
        _result(usable[end], end, dates, matches, options, unit)
        if end in usable
        else Inapplicable(method=_method(normal), reason=_too_few(found, every.index(end), end, dates, min_events))
        for end in ends
    )
    rotations = tuple(usable[end].rotation if end in usable else None for end in ends)
    shown = [(end, usable[end]) for end in every if end in set(path) & set(usable)]
    return MatchedStudy(ends, results, rotations, _path(shown, level))


def _one_series(values: ArrayLike, n: int) -> Floats:
    series = as_columns(values, "returns and market")
    if series.shape != (n, 1):
        raise InputError("a series is not as long as the matches", given=series.shape, limit=f"({n},)")
    return series[:, 0]


def _ascending(horizons: Sequence[int], first: int) -> tuple[int, ...]:
    ends = [check_lags(end, name="a horizon", least=first) for end in horizons]
    if not ends or ends != sorted(set(ends)):
        raise InputError("the horizons do not ascend", given=ends)
    return tuple(ends)


def _check(options: Mapping[str, Any]) -> None:
    """Raise InputError for an option outside its range."""
    low, high = options["estimation"]
    if not 0.0 < options["level"] < 1.0:
        raise InputError("level must lie between 0 and 1", given=options["level"])
    if high >= min(0, options["first"]) or high - low + 1 < LEAST_ESTIMATION:
        raise InputError(
            "the estimation window does not fit",
            given=options["estimation"],
            limit=f"{LEAST_ESTIMATION} or more sessions that end before the event",
        )
    check_lags(options["neighbours"], name="neighbours", least=LEAST_MATCHES)
    check_lags(options["min_events"], name="min_events", least=3)


def _method(normal: Normal) -> str:
    return f"Matched event study ({NAMES[normal]})"


def _too_few(found: Outcomes, column: int, end: int, dates: Sequence[int], min_events: int) -> str:
    """Say how many events have an outcome; when they are enough, what they lack is dates to be compared with."""
    known = int(np.isfinite(found.car[list(dates), column]).sum())
    if known >= min_events:
        return f"too few dates have history, matches and an outcome over {end} sessions"
    return f"{known} of {len(dates)} events have history and an outcome over {end} sessions; {min_events} are needed"


def _result(
    one: Comparison, end: int, dates: Sequence[int], matches: Matches, options: Mapping[str, Any], unit: str
) -> MatchedEventResult:
    rotation, level, first = one.rotation, options["level"], matches.first
    half = rotation.margin(level) * one.scale
    independent = disjoint_events(rotation.events, end - first)
    gaps = imbalance(matches, rotation.events, options["neighbours"], end - first + 1)
    return MatchedEventResult(
        method=_method(options["normal"]),
        null=f"returns over sessions {first} to {end} after events are those after matched dates",
        alternative="they differ",
        statistic=float(rotation.statistics[0]),
        pvalue=rotation.pvalue,
        distribution="rotation",
        estimate=one.excess,
        estimate_name="average cumulative log return above matched dates" + (unit and f", {unit}"),
        interval=(one.excess - half, one.excess + half),
        interval_level=level,
        nobs=len(rotation.events),
        nobs_lost=len(dates) - len(rotation.events),
        options=options,
        warnings=_cautions(independent, gaps),
        reference=_REFERENCE,
        horizon=end,
        average=one.average,
        matched=one.average - one.excess,
        outcomes=one.outcomes,
        detectable=rotation.detectable(level) * one.scale,
        independent_episodes=independent,
        calendars=rotation.known.size - 1,
        imbalance=gaps,
    )


def _cautions(independent: int, gaps: tuple[float, float]) -> tuple[str, ...]:
    out = []
    if independent < FEW_EVENTS:
        out.append(f"only {independent} events have outcomes that share no session: only a large effect can show")
    if max(map(abs, gaps)) > POOR_MATCH:
        out.append(
            f"events differ from their matches in trailing return by {gaps[0]:.2f} and in volatility by {gaps[1]:.2f} "
            "standard deviations"
        )
    return tuple(out)


def _path(shown: Sequence[tuple[int, Comparison]], level: float) -> EventPath | None:
    rows: list[tuple[float, ...]] = []
    for end, one in shown:
        half, matched = one.rotation.margin(level) * one.scale, one.average - one.excess
        rows.append((end, one.average, matched, matched - half, matched + half, len(one.rotation.events)))
    return EventPath(level=level, rows=tuple(rows)) if rows else None
