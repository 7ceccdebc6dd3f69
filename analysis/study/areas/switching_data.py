"""What the switching tests read: chances of turbulence that were known in time, and the variables of the thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from analysis.market import calendars, panel
from analysis.market.alignment import align
from analysis.market.calendars import Sessions, day_numbers
from analysis.market.highs import running_record
from analysis.stats.lagged import Floats
from analysis.stats.switching.expanding import ExpandingProbabilities, expanding_probabilities
from analysis.study.inputs import Inputs

Source = Literal["small", "crypto"]
SOURCES: Final[tuple[Source, ...]] = ("small", "crypto")
NET_LIQUIDITY: Final = ("WALCL", "WTREGEN", "RRPONTSYD")
# The parameters of the year before are a start too, so that few others are needed.
STARTS = 2


@dataclass(frozen=True, slots=True)
class Variable:
    """A threshold variable: its name in ids, the words on the page, and its unit as a factor on the raw value."""

    name: str
    label: str
    unit: str
    factor: float = 1.0


VARIABLES: Final = (
    Variable("distance", "distance below the record close", "%", 100.0),
    Variable("volatility", "volatility of small caps", "% a year", 100.0),
    Variable("vix", "expected volatility (VIX)", "points"),
    Variable("conditions", "financial conditions (NFCI)", "index"),
    Variable("liquidity", "growth of net liquidity", "%", 100.0),
)


@dataclass(frozen=True, slots=True, eq=False)
class Turbulence:
    """Chance of turbulence on the rows of the study.

    Attributes
    ----------
    predicted : ndarray of shape (n,)
        Chance at t from returns up to t-1 and parameters of earlier calendar years; NaN before the first estimation.
    state : ndarray of shape (n,)
        1 where it exceeds the declared probability, 0 where not, NaN where unknown.
    fits : ExpandingProbabilities
        On the rows of its own history.
    """

    predicted: Floats
    state: Floats
    fits: ExpandingProbabilities


def driver(inputs: Inputs, source: Source) -> str:
    """Return the series whose variance has the two states."""
    return inputs.plan.small_cap if source == "small" else inputs.plan.crypto[0]


def turbulence(inputs: Inputs, source: Source) -> Turbulence | str:
    """Estimate the two states of a series' variance before every calendar year, and predict with them; or say why not.

    Crypto is read under the clock that comes before the equity close, so that its state at t was known by the close of
    session t-1 too.
    """
    settings, name = inputs.config.switching, driver(inputs, source)
    first = pd.Timestamp(settings.history) if source == "small" else inputs.dates[0]
    history = panel.build(
        inputs.snapshot,
        inputs.catalog,
        ids=(name,),
        start=min(first, inputs.dates[0]),
        end=inputs.dates[-1],
        clock="before",
        weekend=inputs.config.weekend,
    )
    returns = history.returns[name].to_numpy(dtype=np.float64)
    years = history.dates.year.to_numpy()
    starts = np.flatnonzero(np.diff(years, prepend=years[0] - 1) > 0)
    known = np.cumsum(np.isfinite(returns))
    refits = [int(row) for row in starts if row and known[row - 1] >= settings.least_history]
    # Of the estimations before the study only the last is of use.
    inside = [row for row in refits if years[row] > inputs.dates[0].year]
    refits = [row for row in refits if years[row] <= inputs.dates[0].year][-1:] + inside
    if not refits:
        return f"no calendar year has {settings.least_history} sessions of {inputs.label(name)} before it"
    fits = expanding_probabilities(returns, refits=refits, starts=STARTS)
    if not isinstance(fits, ExpandingProbabilities):
        return fits.reason
    rows = np.searchsorted(day_numbers(history.dates), day_numbers(inputs.dates))
    predicted = np.asarray(fits.predicted[rows, -1])
    state = np.where(np.isfinite(predicted), (predicted > settings.probability).astype(np.float64), np.nan)
    return Turbulence(predicted, state, fits)


def threshold_variable(inputs: Inputs, variable: Variable) -> Floats | str:
    """Return a variable on the rows of the study, dated one session later than it was public; or why there is none.

    The value at t was public by the close of session t-1, so it may decide the regime of a return that starts there.
    """
    settings = inputs.config.switching
    margin = pd.Timedelta(days=7 * settings.liquidity_weeks + 4 * settings.volatility_sessions + 40)
    wide = calendars.nyse(inputs.dates[0] - margin, inputs.dates[-1])
    known = _at_close(inputs, variable.name, wide)
    if isinstance(known, str):
        return known
    place = np.searchsorted(day_numbers(wide.dates), day_numbers(inputs.dates))
    return variable.factor * np.concatenate([[np.nan], known[:-1]])[place]


def _at_close(inputs: Inputs, name: str, wide: Sessions) -> Floats | str:
    """Return a variable as public at the close of each session of a wider calendar."""
    small = inputs.plan.small_cap
    if name in ("distance", "volatility"):
        if inputs.catalog.entry(small).transform not in ("log_return", "log_difference"):
            return f"{small} is not a price"
        if name == "distance":
            frame = inputs.snapshot.frame(small)[["value"]]
            levels = frame["value"].to_numpy(dtype=np.float64)
            return _aligned(inputs, small, wide, frame.assign(value=1.0 - levels / running_record(levels)))
        change = np.diff(np.log(_aligned(inputs, small, wide)), prepend=np.nan)
        sessions = inputs.config.switching.volatility_sessions
        spread = pd.Series(change).rolling(sessions).std().to_numpy(dtype=np.float64)
        return np.asarray(spread * np.sqrt(252.0))
    needs = {"vix": ("VIX",), "conditions": ("NFCI",), "liquidity": NET_LIQUIDITY}[name]
    used = [inputs.catalog.resolve(need, inputs.snapshot.series) for need in needs]
    absent = [item for item in used if item.used is None]
    if absent:
        reasons = [inputs.snapshot.missing.get(item.requested, "") for item in absent]
        return "; ".join(
            item.note + (f" ({reason})" if reason else "") for item, reason in zip(absent, reasons, strict=True)
        )
    values = [_aligned(inputs, str(item.used), wide) for item in used]
    return values[0] if name != "liquidity" else _growth(values, wide, inputs.config.switching.liquidity_weeks)


def _aligned(inputs: Inputs, name: str, wide: Sessions, frame: pd.DataFrame | None = None) -> Floats:
    """Align a series, or a frame derived from it that needs no rescaling, by when it was public."""
    entry = inputs.catalog.entry(name)
    if frame is None:
        frame = inputs.snapshot.frame(name)
    else:
        entry = entry.model_copy(update={"scale": 1.0})
    return np.asarray(align(frame, entry, wide, clock="before", timing="published").values)


def _growth(values: list[Floats], wide: Sessions, weeks: int) -> Floats:
    """Return the relative growth of assets less Treasury account less reverse repo over some weeks."""
    net = values[0] - values[1] - values[2]
    days = day_numbers(wide.dates)
    earlier = np.searchsorted(days, days - 7 * weeks, side="right") - 1
    base = np.where(earlier >= 0, net[np.maximum(earlier, 0)], np.nan)
    return np.divide(net, base, out=np.full(net.shape, np.nan), where=base > 0) - 1.0


def series(available: tuple[str, ...], small_cap: str, crypto: tuple[str, ...]) -> tuple[str, ...]:
    """Return the series of the snapshot that the area reads beside those of the study."""
    wanted = ("VIX", "VIXCLS", "NFCI", "ANFCI", *NET_LIQUIDITY)
    return tuple(name for name in wanted if name in available)
