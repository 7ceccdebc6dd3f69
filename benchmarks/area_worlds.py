"""Processes on which the tests of the areas are measured, and the links planted in them.

Every process gives a cause and k series of noise, none of which has a link with the cause in the mean. A link makes the
effect out of both. The noises share half of the variance of their shocks, as crypto assets do, unless a trial says
otherwise.

iid      independent Gaussian series
garch    GARCH(1,1) volatility of its own in every series, Student-t shocks with five degrees of freedom
spill    the same for the cause; the volatility of every noise follows the squared cause
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.market.highs import record_episodes, record_highs
from analysis.results import Absent

Floats = NDArray[np.float64]
Link = Callable[[Floats, Floats], Floats]
Test = Callable[[Floats, Floats, np.random.Generator], "float | None"]
BURN, DRAWS, FEW_DRAWS = 300, 199, 99
PROCESSES = ("iid", "garch", "spill")
_SHARED = np.sqrt(0.5)


def simulate(
    rng: np.random.Generator,
    process: str,
    n: int,
    width: int,
    count: int,
    correlation: float = 0.0,
    shared: bool = True,
) -> tuple[Floats, Floats]:
    """Return `count` causes, shape (count, n), and their noises, shape (count, n, width); variance one on average.

    Parameters
    ----------
    correlation : float
        Constant correlation of the shocks of a session, between the cause and every noise.
    shared : bool
        Whether the noises share half of the variance of their shocks.
    """
    total = n + BURN
    shape = (total, count, width + 2)
    draws = rng.standard_normal(shape) if process == "iid" else rng.standard_t(5, shape) / np.sqrt(5 / 3)
    first, own = draws[..., :1], draws[..., 2:]
    if shared and width > 1:
        own = _SHARED * (draws[..., 1:2] + own)
    z = np.concatenate([first, correlation * first + np.sqrt(1 - correlation**2) * own], axis=2)
    if process != "iid":
        follows = process == "spill"
        own_square = np.r_[0.15, np.full(width, 0.05 if follows else 0.15)]
        from_cause = np.r_[0.0, np.full(width, 0.30 if follows else 0.0)]
        persistence = np.r_[0.80, np.full(width, 0.60 if follows else 0.80)]
        variance = np.ones((count, width + 1))
        for t in range(total):
            z[t] *= np.sqrt(variance)
            square = z[t] * z[t]
            variance = 0.05 + own_square * square + from_cause * square[:, :1] + persistence * variance
    kept = z[BURN:].transpose(1, 0, 2)
    return kept[..., 0].copy(), kept[..., 1:].copy()


def apart(noise: Floats, cause: Floats) -> Floats:
    """Return the noise: no link in the mean."""
    return noise


def link(now: float = 0.0, later: float = 0.0) -> Link:
    """Return the link: every noise plus `now` times the cause and `later` times that of the session before."""
    return lambda noise, cause: noise + (now * cause + later * before(cause))[:, None]


def in_state(outside: float, inside: float, *, lag: int = 0) -> Link:
    """Return a link that differs between calm and turbulent sessions of the cause."""
    return lambda noise, cause: noise + _by(turbulent(cause) > 0, inside, outside, cause, lag)


def in_spells(outside: float, inside: float) -> Link:
    """Return a link that differs between the spells of a state that has nothing to do with any series."""
    return lambda noise, cause: noise + _by(spells(cause.size) > 0, inside, outside, cause)


def hidden_lead(lead: float) -> Link:
    """Return a lead of `lead` in turbulent spells of the noise, none in calm ones; the state itself is not observed."""

    def made(noise: Floats, cause: Floats) -> Floats:
        state = spells(cause.size)
        return noise * np.where(state > 0, 1.6, 0.6)[:, None] + (lead * state * before(cause))[:, None]

    return made


def falls_in_state(inside: float, otherwise: float) -> Link:
    """Return a response that is `inside` for falls in turbulent sessions and `otherwise` elsewhere."""
    return lambda noise, cause: noise + _by((turbulent(cause) > 0) & (cause < 0), inside, otherwise, cause)


def sided(falls: float, rises: float) -> Link:
    """Return a response that differs between falls and rises of the cause."""
    return lambda noise, cause: noise + _by(cause < 0, falls, rises, cause)


def shift(first: float, second: float, *, lag: int = 0) -> Link:
    """Return a link that changes in the middle of the sample."""
    return lambda noise, cause: noise + _by(np.arange(cause.size) < cause.size // 2, first, second, cause, lag)


def at_dates(first: float, second: float) -> Link:
    """Return a response that moves to and fro between two sizes at the declared dates."""

    def made(noise: Floats, cause: Floats) -> Floats:
        past = np.searchsorted(declared(cause.size), np.arange(cause.size), side="right")
        return noise + _by(past % 2 == 0, first, second, cause)

    return made


def wave(size: float, sessions: int) -> Link:
    """Return a response that swings between minus and plus `size`, once in so many sessions."""

    def made(noise: Floats, cause: Floats) -> Floats:
        swing = size * np.sin(2 * np.pi * np.arange(cause.size) / sessions)
        return noise + (swing * cause)[:, None]

    return made


def spread(*sizes: float, late: int = 0) -> Link:
    """Return links of different size in turn; of every second asset the part `late` of a hundred one session later."""

    def made(noise: Floats, cause: Floats) -> Floats:
        width = noise.shape[1]
        size, share = np.resize(sizes, width), np.resize([0.0, late / 100], width)
        return noise + size * ((1 - share) * cause[:, None] + share * before(cause)[:, None])

    return made


def wider(factor: float) -> Link:
    """Return the noise, the first column `factor` times as wide."""
    return lambda noise, cause: noise * np.r_[factor, np.ones(noise.shape[1] - 1)]


def volatility_follows(size: float) -> Link:
    """Return the noise, the variance of the first column times 1 + `size` of the squared cause before it."""

    def made(noise: Floats, cause: Floats) -> Floats:
        effect = noise.copy()
        effect[:, 0] *= np.sqrt(1 + size * before(cause) ** 2)
        return effect

    return made


def portfolios(first: float, second: float, *, lag: int = 0) -> Link:
    """Return an effect and the two portfolios it loads on, in the same session or one later; both share the cause."""

    def made(noise: Floats, cause: Floats) -> Floats:
        pair = cause[:, None] + 0.5 * noise[:, 1:3]
        loaded = pair @ np.array([first, second])
        return np.column_stack([noise[:, 0] + (before(loaded) if lag else loaded), pair])

    return made


def _by(where: NDArray[np.bool_], inside: float, outside: float, cause: Floats, lag: int = 0) -> Floats:
    return (np.where(where, inside, outside) * (before(cause) if lag else cause))[:, None]


def before(series: Floats) -> Floats:
    """Return a series one session late; the first value is zero."""
    return np.r_[0.0, series[:-1]]


def trailing_volatility(cause: Floats, sessions: int = 21) -> Floats:
    """Return the volatility of the cause over the sessions before each one; NaN at the start."""
    return pd.Series(cause).rolling(sessions).std().shift(1).to_numpy(dtype=np.float64)


def turbulent(cause: Floats) -> Floats:
    """Return 1 where the trailing volatility lies above its median so far, else 0; NaN at the start."""
    level = pd.Series(trailing_volatility(cause))
    usual = level.expanding(63).median()
    return np.where(usual.isna(), np.nan, (level > usual).astype(np.float64))


def spells(n: int, length: float = 60.0) -> Floats:
    """Return a state that has nothing to do with any series: 0 or 1 in spells of `length` sessions on average."""
    rng = np.random.default_rng(n)
    return (np.cumsum(rng.random(n) < 1 / length) % 2).astype(np.float64)


def declared(n: int) -> list[int]:
    """Return the rows of eight dates, unevenly spread and far from the ends of the sample."""
    return [int(share * n) for share in (0.13, 0.28, 0.41, 0.47, 0.58, 0.66, 0.81, 0.9)]


def recorded(cause: Floats, history: int, merge: int) -> tuple[list[int], NDArray[np.bool_]]:
    """Return the first rows of record-high episodes of the cause, as a price with a drift, and all rows with a record.

    The price rises by four hundredths of a standard deviation a session, about twelve percent a year.
    """
    index = pd.bdate_range("2000-01-03", periods=cause.size, name="date")
    frame = pd.DataFrame({"value": 1000.0 * np.exp(0.0125 * np.cumsum(cause + 0.04))}, index=index)
    found = record_episodes(frame, merge_sessions=merge, min_history=history)
    days = record_highs(frame, min_history=history).dates
    starts = [int(index.searchsorted(pd.Timestamp(episode.start))) for episode in found]
    return starts, np.isin(index, days)


def after_records(size: float, sessions: int, history: int, merge: int) -> Link:
    """Return the link: `size` added in each of the sessions that follow the start of an episode."""

    def made(noise: Floats, cause: Floats) -> Floats:
        effect = noise.copy()
        starts, _ = recorded(cause, history, merge)
        for start, following in pairwise([*starts, cause.size]):
            effect[start + 1 : min(start + 1 + sessions, following + 1)] += size
        return effect

    return made


def pvalue(result: Any, name: str = "pvalue") -> float | None:
    """Return a p-value of a result; nothing where the test did not apply or failed."""
    value = None if isinstance(result, Absent) else getattr(result, name)
    return None if value is None else float(value)
