"""The clock of the simulated market: half-hour steps around the clock, with the sessions of New York marked on them."""

from __future__ import annotations

from dataclasses import dataclass

import exchange_calendars
import numpy as np
import pandas as pd

from analysis.quiet import quiet

STEPS_A_DAY = 48
NEW_YORK = "America/New_York"
# Variance of the common risk shock by New York hour, relative to an average half-hour of a weekday.
SESSION, EVENING, NIGHT, WEEKEND = 1.9, 1.4, 0.5, 0.1


@dataclass(frozen=True, slots=True)
class Clock:
    """Half-hour grid with the instants at which prices are observed.

    Attributes
    ----------
    days : datetime64[D] array of shape (n_days,)
        Every calendar day (UTC) from start to end, both included.
    sessions : datetime64[D] array of shape (n_sessions,)
        Sessions of the New York Stock Exchange.
    opens, closes : int array of shape (n_sessions,)
        Grid points of the opening and of the close, half days included. Point k is k half-hours after the first
        midnight UTC; step k leads from point k to point k + 1.
    evenings : int array of shape (n_days,)
        Grid points of 20:00 New York on every calendar day.
    profile : float array of shape (n_days + 1, 48)
        Variance of the common risk shock in every step; an average weekday sums to 1. One day more than `days`, since
        20:00 New York can fall after midnight UTC.
    """

    days: np.ndarray
    sessions: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    evenings: np.ndarray
    profile: np.ndarray

    @property
    def session_day(self) -> np.ndarray:
        """Return the position of every session among the calendar days."""
        return (self.sessions - self.days[0]).astype(np.int64)


def make_clock(start: str, end: str) -> Clock:
    """Lay the grid over the days from `start` to `end`, both included."""
    days = np.arange(np.datetime64(start, "D"), np.datetime64(end, "D") + np.timedelta64(1, "D"))
    # The calendar library reads instants in a way that pandas 3.1 deprecates; the values are right.
    with quiet(DeprecationWarning):
        calendar = exchange_calendars.get_calendar("XNYS", start=start, end=end)
    midnight = pd.Timestamp(days[0]).tz_localize("UTC")
    evening = pd.DatetimeIndex(days.astype("datetime64[ns]")) + pd.Timedelta(hours=20)
    return Clock(
        days=days,
        sessions=calendar.sessions.to_numpy().astype("datetime64[D]"),
        opens=_points(calendar.opens.dt.tz_convert("UTC"), midnight),
        closes=_points(calendar.closes.dt.tz_convert("UTC"), midnight),
        evenings=_points(evening.tz_localize(NEW_YORK).tz_convert("UTC").to_series(), midnight),
        profile=_profile(days),
    )


def _points(instants: pd.Series, midnight: pd.Timestamp) -> np.ndarray:
    return ((instants - midnight) // pd.Timedelta(minutes=30)).to_numpy(dtype=np.int64)


def _profile(days: np.ndarray) -> np.ndarray:
    """Return the relative variance of every step, by the New York hour and weekday at its beginning."""
    first = pd.Timestamp(days[0]).tz_localize("UTC")
    steps = pd.date_range(first, periods=(len(days) + 1) * STEPS_A_DAY, freq="30min").tz_convert(NEW_YORK)
    hour = steps.hour.to_numpy() + steps.minute.to_numpy() / 60
    weekday = steps.day_of_week.to_numpy()
    level = np.where((hour >= 9.5) & (hour < 16), SESSION, np.where((hour >= 16) & (hour < 20), EVENING, NIGHT))
    closed = (weekday == 5) | ((weekday == 4) & (hour >= 20)) | ((weekday == 6) & (hour < 18))
    weekday_sum = 13 * SESSION + 8 * EVENING + 27 * NIGHT
    return (np.where(closed, WEEKEND, level) / weekday_sum).reshape(-1, STEPS_A_DAY)


def session_bars(clock: Clock, log_price: np.ndarray, wiggle: np.ndarray) -> dict[str, np.ndarray]:
    """Return open, high, low and close of every session from a log price on the grid.

    Parameters
    ----------
    log_price : float array of shape (n_points,)
    wiggle : float array of shape (2, n_sessions)
        Non-negative log distance by which high and low exceed the extremes on the grid.
    """
    edges = np.column_stack([clock.opens, clock.closes + 1]).ravel()
    high = np.maximum.reduceat(log_price, edges)[::2] + wiggle[0]
    low = np.minimum.reduceat(log_price, edges)[::2] - wiggle[1]
    return {
        "open": np.exp(log_price[clock.opens]),
        "high": np.exp(high),
        "low": np.exp(low),
        "value": np.exp(log_price[clock.closes]),
    }


def day_bars(clock: Clock, log_price: np.ndarray) -> dict[str, np.ndarray]:
    """Return open, high, low and close of every calendar day, midnight to midnight UTC."""
    last = len(clock.days) * STEPS_A_DAY
    inside = log_price[:last].reshape(-1, STEPS_A_DAY)
    close = log_price[STEPS_A_DAY : last + 1 : STEPS_A_DAY]
    return {
        "open": np.exp(inside[:, 0]),
        "high": np.exp(np.maximum(inside.max(axis=1), close)),
        "low": np.exp(np.minimum(inside.min(axis=1), close)),
        "value": np.exp(close),
    }


def after_close(clock: Clock, amounts: np.ndarray, *, lag: int) -> np.ndarray:
    """Spread an amount a session over the twelve hours from the first midnight UTC after a close.

    Parameters
    ----------
    amounts : float array of shape (n_sessions,)
        Log return that each session causes.
    lag : int
        1 starts after the close of the session itself, 2 after the next one, and so on.

    Returns
    -------
    float array of shape (n_steps,)
    """
    spread = STEPS_A_DAY // 2
    steps = np.zeros(clock.profile.size)
    causes = amounts[: len(amounts) - (lag - 1)]
    begins = -(-clock.closes[lag - 1 :] // STEPS_A_DAY) * STEPS_A_DAY
    targets = begins[:, None] + np.arange(spread)
    inside = targets < steps.size
    np.add.at(steps, targets[inside], np.broadcast_to(causes[:, None] / spread, targets.shape)[inside])
    return steps
