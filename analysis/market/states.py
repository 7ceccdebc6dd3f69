"""Market states known in advance: which regime the next session starts in, judged by what was public before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.errors import InputError
from analysis.market import calendars
from analysis.market.alignment import align
from analysis.market.calendars import Sessions, day_numbers
from analysis.market.catalog import Catalog
from analysis.market.highs import running_record
from analysis.market.snapshot import Snapshot

Floats = npt.NDArray[np.float64]
TIMING = (
    "The state of session t rests on values public by the close of session t-1, so it may condition the return of "
    "session t. Thresholds grow with the data and use nothing later."
)
# Earlier sessions, so that changes over a quarter exist on the first session asked for.
_MARGIN = pd.Timedelta(days=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOptions:
    """Declared thresholds of the states.

    Attributes
    ----------
    small_cap : str
        Series whose record close counts.
    near_high : float
        Largest distance below the record close, as a fraction of it, that still counts as near.
    drawdown : float
        Smallest distance below the record close that counts as a drawdown.
    min_history_sessions : int
        Trading days of history before a record or a median means anything; a weekly series needs a fifth of it.
    change_sessions : int
        Horizon of the change in the policy rate.
    rate_change : float
        Percentage points the policy rate must have moved.
    liquidity_weeks : int
        Horizon of the change in net liquidity.
    """

    small_cap: str = "RUT"
    near_high: float = 0.02
    drawdown: float = 0.10
    min_history_sessions: int = 252
    change_sessions: int = 63
    rate_change: float = 0.10
    liquidity_weeks: int = 13

    def __post_init__(self) -> None:
        if not 0 <= self.near_high < self.drawdown < 1:
            raise InputError(
                "The distances from the record do not make sense",
                given=f"near_high={self.near_high}, drawdown={self.drawdown}",
                limit="0 <= near_high < drawdown < 1",
            )
        for name in ("min_history_sessions", "change_sessions", "liquidity_weeks"):
            if getattr(self, name) < 1:
                raise InputError(f"`{name}` is too small", given=getattr(self, name), limit="1 or more")
        if not 0 <= self.rate_change < 100:
            raise InputError("`rate_change` is out of range", given=self.rate_change, limit="0 to 100")


@dataclass(frozen=True, slots=True)
class StateDescription:
    """What a state means: its rule in words, when it is known, and the series it rests on."""

    name: str
    rule: str
    timing: str
    series: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """States by session.

    Attributes
    ----------
    frame : DataFrame of shape (n_sessions, n_states)
        1.0 in the state, 0.0 out of it, NaN where it was not known in time.
    descriptions : mapping of name to StateDescription
        For the available states.
    missing : mapping of name to reason
        States whose series are absent.
    """

    frame: pd.DataFrame
    descriptions: Mapping[str, StateDescription]
    missing: Mapping[str, str]

    @property
    def available(self) -> tuple[str, ...]:
        """Names of the states that could be built."""
        return tuple(self.descriptions)


def build(snapshot: Snapshot, catalog: Catalog, sessions: Sessions, *, options: StateOptions | None = None) -> States:
    """Build every state the snapshot has the series for.

    Parameters
    ----------
    snapshot : Snapshot
        Frozen data; history before the first session is used.
    catalog : Catalog
        Declares when each series was public, and its alternatives.
    sessions : Sessions
        Sessions wanted, as made by `calendars.nyse`.
    options : StateOptions, optional
        Thresholds.

    Returns
    -------
    States

    Notes
    -----
    The state of session t uses values public at or before the close of session t-1, without any tolerance: VIX is
    fixed at 16:15, so the last one that counts is that of session t-2. Series that are revised carry their latest
    numbers, which is not what was known then; the descriptions say so.
    """
    if len(sessions) == 0:
        raise InputError("There is no session to describe", remedy="widen start and end")
    if not sessions.is_session.all():
        raise InputError(
            "States are defined on sessions, not on calendar days", remedy="pass calendars.nyse(start, end)"
        )
    chosen = options or StateOptions()
    wide = calendars.nyse(sessions.dates[0] - _MARGIN, sessions.dates[-1])
    place = np.searchsorted(day_numbers(wide.dates), day_numbers(sessions.dates))
    work = _Work(snapshot, catalog, wide, chosen)
    columns: dict[str, Floats] = {}
    descriptions: dict[str, StateDescription] = {}
    missing: dict[str, str] = {}
    for name, (needs, rule, make) in _definitions(chosen).items():
        resolutions = [catalog.resolve(need, snapshot.series) for need in needs]
        absent = [item for item in resolutions if item.used is None]
        if absent:
            reasons = [snapshot.missing.get(item.requested, "") for item in absent]
            missing[name] = "; ".join(
                item.note + (f" ({reason})" if reason else "") for item, reason in zip(absent, reasons, strict=True)
            )
            continue
        used = tuple(item.used for item in resolutions if item.used is not None)
        notes = [item.note for item in resolutions if item.substituted]
        notes += [
            f"{key} is revised: later numbers than those of the day are used" for key in used if work.revised(key)
        ]
        known = make(work, used)
        columns[name] = np.concatenate([[np.nan], known[:-1]])[place]
        descriptions[name] = StateDescription(name, rule, TIMING, used, tuple(notes))
    frame = pd.DataFrame(columns, index=sessions.dates, dtype=np.float64)
    return States(frame=frame, descriptions=descriptions, missing=missing)


@dataclass(frozen=True, slots=True)
class _Work:
    """The inputs of one call, and the few ways a state reads them; all values are as public at a session's close."""

    snapshot: Snapshot
    catalog: Catalog
    sessions: Sessions
    options: StateOptions

    def revised(self, series_id: str) -> bool:
        return self.catalog.entry(series_id).revised

    def at_close(self, series_id: str, frame: pd.DataFrame | None = None) -> Floats:
        """Align the series, or a frame derived from it that needs no rescaling."""
        entry = self.catalog.entry(series_id)
        if frame is None:
            frame = self.snapshot.frame(series_id)
        else:
            entry = entry.model_copy(update={"scale": 1.0})
        return align(frame, entry, self.sessions, clock="before", timing="published").values

    def below_record(self, series_id: str) -> Floats:
        """Distance of the close below the record close so far, as a fraction of the record."""
        frame = self._levels(series_id)
        levels = frame["value"].to_numpy(dtype=np.float64)
        record = running_record(levels)
        distance = 1.0 - levels / record
        distance[: self.options.min_history_sessions - 1] = np.nan
        return self.at_close(series_id, frame.assign(value=distance))

    def above_median(self, series_id: str) -> Floats:
        """Whether each value lies above the median of all values up to and including it."""
        frame = self.snapshot.frame(series_id)
        weekly = self.catalog.entry(series_id).calendar == "weekly"
        least = -(-self.options.min_history_sessions // (5 if weekly else 1))
        median = frame["value"].expanding(min_periods=least).median()
        flag = np.where(median.isna(), np.nan, frame["value"] > median)
        return self.at_close(series_id, frame.assign(value=flag))

    def _levels(self, series_id: str) -> pd.DataFrame:
        """Return price levels; returns in percent are chained to a total return index first."""
        frame = self.snapshot.frame(series_id)[["value"]]
        if self.catalog.entry(series_id).transform == "percent_return":
            frame["value"] = np.exp(np.cumsum(np.log1p(frame["value"].to_numpy() / 100.0)))
        return frame


_Definition = tuple[tuple[str, ...], str, Callable[[_Work, tuple[str, ...]], Floats]]


def _definitions(options: StateOptions) -> dict[str, _Definition]:
    """Return, for each state, the series it needs, its rule in words, and the function that computes it."""
    cap, quarter, step = options.small_cap, options.change_sessions, options.rate_change
    net = ("WALCL", "WTREGEN", "RRPONTSYD")
    return {
        "near_high": (
            (cap,),
            f"small-cap close no more than {options.near_high:.1%} below its record close so far",
            lambda work, ids: _flag(work.below_record(ids[0]), lambda v: v <= options.near_high + 1e-12),
        ),
        "drawdown": (
            (cap,),
            f"small-cap close at least {options.drawdown:.1%} below its record close so far",
            lambda work, ids: _flag(work.below_record(ids[0]), lambda v: v >= options.drawdown - 1e-12),
        ),
        "high_volatility": (
            ("VIX",),
            "VIX above the median of its own past",
            lambda work, ids: work.above_median(ids[0]),
        ),
        "liquidity_growing": (
            net,
            f"net liquidity (Fed assets less Treasury account less reverse repo) above its level "
            f"{options.liquidity_weeks} weeks before",
            lambda work, ids: _liquidity(work, ids),
        ),
        "tight_conditions": (
            ("NFCI",),
            "financial conditions index above the median of its own past (zero, its average over the whole history, "
            "would look ahead)",
            lambda work, ids: work.above_median(ids[0]),
        ),
        "hiking": (
            ("DFF",),
            f"federal funds rate more than {step:g} points above its level {quarter} sessions before",
            lambda work, ids: _flag(_change(work.at_close(ids[0]), quarter), lambda v: v > step + 1e-9),
        ),
        "cutting": (
            ("DFF",),
            f"federal funds rate more than {step:g} points below its level {quarter} sessions before",
            lambda work, ids: _flag(_change(work.at_close(ids[0]), quarter), lambda v: v < -step - 1e-9),
        ),
        "high_credit_spread": (
            ("BAMLH0A0HYM2",),
            "high-yield spread above the median of its own past",
            lambda work, ids: work.above_median(ids[0]),
        ),
    }


def _flag(values: Floats, rule: Callable[[Floats], npt.NDArray[np.bool_]]) -> Floats:
    return np.where(np.isnan(values), np.nan, rule(values))


def _change(values: Floats, sessions: int) -> Floats:
    result = np.full(values.shape, np.nan)
    result[sessions:] = values[sessions:] - values[:-sessions]
    return result


def _liquidity(work: _Work, ids: tuple[str, ...]) -> Floats:
    assets, treasury, reverse_repo = (work.at_close(key) for key in ids)
    net = assets - treasury - reverse_repo
    days = day_numbers(work.sessions.dates)
    earlier = np.searchsorted(days, days - 7 * work.options.liquidity_weeks, side="right") - 1
    change = np.where(earlier >= 0, net - net[np.maximum(earlier, 0)], np.nan)
    return _flag(change, lambda v: v > 0)
