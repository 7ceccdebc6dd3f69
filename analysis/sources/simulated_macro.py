"""Liquidity, rates, credit, conditions and economy of the simulated market, in the units of the published series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from analysis.sources.simulated_clock import Clock
from analysis.sources.simulated_shocks import stream

STATE_WEEKS = 13  # the state compares net liquidity with its value 13 weeks before
PUBLICATION_DAYS = 2  # Wednesday's figures come out on Thursday after the close: known at Friday's close
_WEDNESDAY, _FRIDAY = 2, 4

Columns = dict[str, tuple[np.ndarray, np.ndarray]]  # id -> dates (n,), values (n,)


@dataclass(frozen=True, slots=True)
class Liquidity:
    """The liquidity factor and what is published of it.

    Attributes
    ----------
    published : dict
        Dates and values of WALCL, WTREGEN (millions of dollars, Wednesdays) and RRPONTSYD (billions, sessions).
    growing : bool array of shape (n_sessions,)
        Whether net liquidity as known at the close of the session is above its value 13 weeks before.
    shrinking : bool array of shape (n_sessions,)
        Whether it is known and not growing; in the first weeks neither holds.
    ease : float array of shape (n_days,)
        Smoothed factor between -1 (shrinking for long) and 1 (growing for long), by calendar day.
    """

    published: Columns
    growing: np.ndarray
    shrinking: np.ndarray
    ease: np.ndarray


def weekday_dates(clock: Clock, weekday: int) -> np.ndarray:
    """Return the calendar days that fall on a weekday (Monday is 0)."""
    return clock.days[(clock.days.astype(np.int64) + 3) % 7 == weekday]


def smooth(shocks: np.ndarray, persistence: float) -> np.ndarray:
    """Return the first-order autoregression x[t] = persistence * x[t-1] + shocks[t], from zero."""
    return np.asarray(lfilter([1.0], [1.0, -persistence], shocks))


def draw_liquidity(seed: int, clock: Clock) -> Liquidity:
    """Draw spells of growing and shrinking net liquidity, 30 to 70 weeks each, and the balances that make it up."""
    rng = stream(seed, "liquidity")
    weeks = weekday_dates(clock, _WEDNESDAY)
    sign = -1 if rng.random() < 0.5 else 1
    spells: list[int] = []
    while len(spells) < len(weeks):
        spells.extend([sign] * int(rng.integers(30, 71)))
        sign = -sign
    direction = np.array(spells[: len(weeks)])
    net = 3500 + np.cumsum(np.where(direction > 0, 14.0, -11.0) + 8 * rng.standard_normal(len(weeks)))
    treasury = 500 + smooth(15 * rng.standard_normal(len(weeks)), 0.9)
    repo = np.round(np.abs(300 + smooth(6 * rng.standard_normal(len(clock.sessions)), 0.97)), 3)
    held = np.clip(np.searchsorted(clock.sessions, weeks, side="right") - 1, 0, None)
    assets = np.round(1000 * (net + treasury + repo[held]))
    account = np.round(1000 * treasury)
    growing, shrinking = _known_state(clock, weeks, assets - account - 1000 * repo[held])
    ease = smooth(0.15 * direction, 0.85)
    latest = np.clip(np.searchsorted(weeks, clock.days, side="right") - 1, 0, None)
    published = {
        "WALCL": (weeks, assets),
        "WTREGEN": (weeks, account),
        "RRPONTSYD": (clock.sessions, repo),
    }
    return Liquidity(published=published, growing=growing, shrinking=shrinking, ease=ease[latest])


def _known_state(clock: Clock, weeks: np.ndarray, net: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    change = np.full(len(weeks), np.nan)
    change[STATE_WEEKS:] = net[STATE_WEEKS:] - net[:-STATE_WEEKS]
    known = np.searchsorted(weeks + np.timedelta64(PUBLICATION_DAYS, "D"), clock.sessions, side="right") - 1
    latest = np.where(known >= 0, change[np.clip(known, 0, None)], np.nan)
    return latest > 0, latest <= 0


def draw_rates(seed: int, clock: Clock, market: np.ndarray, ease: np.ndarray) -> Columns:
    """Draw the policy rate, yields, breakeven inflation, spreads and the dollar.

    Parameters
    ----------
    market : float array of shape (n_sessions,)
        Log return of the large caps over the session; it moves yields, spreads and the dollar on the same day.
    ease : float array of shape (n_days,)
        Smoothed liquidity factor; the policy rate tends to fall while liquidity grows.
    """
    rng = stream(seed, "rates")
    count = len(clock.sessions)
    policy = _policy_rate(rng, ease)
    here = policy[clock.session_day]
    breakeven = 2.1 + smooth(0.022 * rng.standard_normal(count) + 0.8 * market, 0.99)
    ten = 1.9 + 0.5 * here + smooth(0.05 * rng.standard_normal(count) + 1.2 * market, 0.995)
    two = 0.3 + 0.95 * here + smooth(0.04 * rng.standard_normal(count) + 0.8 * market, 0.99)
    spread = 4.2 * np.exp(smooth(0.008 * rng.standard_normal(count) - 2.0 * market, 0.985))
    dollar = 112 * np.exp(smooth(0.0028 * rng.standard_normal(count) - 0.1 * market, 0.998))
    ten, breakeven = np.round(ten, 2), np.round(breakeven, 2)
    sessions = {
        "DGS2": np.round(np.maximum(two, 0.02), 2),
        "DGS10": ten,
        "T10YIE": breakeven,
        "DFII10": np.round(ten - breakeven, 2),
        "BAMLH0A0HYM2": np.round(spread, 2),
        "BAMLC0A0CM": np.round(0.4 + 0.22 * spread + smooth(0.005 * rng.standard_normal(count), 0.97), 2),
        "BAA10Y": np.round(1.1 + 0.25 * spread + smooth(0.008 * rng.standard_normal(count), 0.97), 2),
        "DTWEXBGS": np.round(dollar, 4),
        "DXY": np.round(0.82 * dollar * np.exp(smooth(0.001 * rng.standard_normal(count), 0.99)), 3),
    }
    return {"DFF": (clock.days, policy)} | {name: (clock.sessions, values) for name, values in sessions.items()}


def _policy_rate(rng: np.random.Generator, ease: np.ndarray) -> np.ndarray:
    """Move the rate by a quarter point at meetings 42 days apart, more often down while liquidity grows."""
    rate, path = 2.0, np.empty(len(ease))
    for first in range(0, len(ease), 42):
        draw = rng.random()
        up, down = 0.25 - 0.2 * ease[first], 0.25 + 0.2 * ease[first]
        rate += 0.25 if draw < up else -0.25 if draw > 1 - down else 0.0
        rate = min(max(rate, 0.08), 6.33)
        path[first : first + 42] = rate
    return np.round(path, 2)


def draw_conditions(seed: int, clock: Clock, vix: np.ndarray, ease: np.ndarray) -> Columns:
    """Draw the weekly indexes of financial conditions (Fridays): lower while liquidity grows, higher with the VIX."""
    rng = stream(seed, "conditions")
    fridays = weekday_dates(clock, _FRIDAY)
    position = (fridays - clock.days[0]).astype(np.int64)
    fear = np.log(vix[np.clip(np.searchsorted(clock.sessions, fridays, side="right") - 1, 0, None)] / 18)
    count = len(fridays)
    national = -0.4 - 0.25 * ease[position] + 0.15 * fear + smooth(0.01 * rng.standard_normal(count), 0.95)
    return {
        "NFCI": (fridays, np.round(national, 3)),
        "ANFCI": (fridays, np.round(national - 0.05 + smooth(0.012 * rng.standard_normal(count), 0.95), 3)),
        "STLFSI4": (fridays, np.round(1.5 * national + fear + smooth(0.06 * rng.standard_normal(count), 0.8), 4)),
    }


def draw_economy(seed: int, clock: Clock, policy: np.ndarray, ease: np.ndarray) -> Columns:
    """Draw money, prices and unemployment, monthly and dated by the first of the month, and the monthly policy rate."""
    rng = stream(seed, "economy")
    month_of_day = clock.days.astype("datetime64[M]")
    months = np.unique(month_of_day).astype("datetime64[D]")
    months = months[months >= clock.days[0]]
    count = len(months)
    position = (months - clock.days[0]).astype(np.int64)
    money = 11_500 * np.exp(np.cumsum(0.0035 + 0.0025 * ease[position] + 0.0015 * rng.standard_normal(count)))
    inflation = 0.002 + smooth(0.001 * rng.standard_normal(count), 0.6)
    jobless = np.clip(4.8 + smooth(0.12 * rng.standard_normal(count), 0.97), 2.5, 15)
    average = pd.Series(policy).groupby(month_of_day).mean()
    average = average[average.index >= month_of_day[position[0]]] if count else average[:0]
    return {
        "M2SL": (months, np.round(money, 1)),
        "CPIAUCSL": (months, np.round(238 * np.exp(np.cumsum(inflation)), 3)),
        "UNRATE": (months, np.round(jobless, 1)),
        "FEDFUNDS": (months, np.round(average.to_numpy(), 2)),
    }
