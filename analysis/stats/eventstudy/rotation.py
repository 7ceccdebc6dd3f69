"""Placebo calendars for an event study: the whole calendar of events is moved along the series, spacing unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.errors import InputError
from analysis.stats.lagged import Floats
from analysis.stats.multiplicity import romano_wolf

# A tail of 5 % needs a few calendars, and a standard deviation a few events.
LEAST_CALENDARS = 100
LEAST_EVENTS = 3
# The variance of all dates counts as much as this many events.
PRIOR_EVENTS = 5
_POWER = 0.8


class Rotation(NamedTuple):
    """The t statistic of the mean excess over the events under every placebo calendar.

    Attributes
    ----------
    statistics : array of shape (c,)
        The first one belongs to the true calendar; NaN where a calendar meets gaps and keeps too few events.
    mean, error : float
        Mean excess over the events less the mean over all dates, and its standard error among the events.
    events : tuple of int
        Events with a known excess.
    """

    statistics: Floats
    mean: float
    error: float
    events: tuple[int, ...]

    @property
    def pvalue(self) -> float:
        """Share of calendars with a statistic at least as far from zero as the true one, itself included."""
        size = np.abs(self.known)
        return float(np.mean(size >= size[0] * (1 - 1e-9)))

    @property
    def known(self) -> Floats:
        """Statistics of the calendars that keep enough events; the others show nothing either way."""
        return self.statistics[np.isfinite(self.statistics)]

    def margin(self, level: float) -> float:
        """Return the half-width of the interval: p ≤ 1 − `level` exactly where the mean exceeds it."""
        ordered = np.sort(np.abs(self.known))[::-1]
        place = min(int((1 - level) * ordered.size + 1e-9), ordered.size - 1)
        return float(ordered[place]) * self.error

    def detectable(self, level: float) -> float:
        """Return the mean excess that this test would find four times in five."""
        return self.margin(level) + max(0.0, float(np.quantile(self.known, _POWER))) * self.error


def rotate(excess: Floats, events: Sequence[int]) -> Rotation | None:
    """Move the events through every place of the stretch of dates that have an excess; None when there are too few.

    Parameters
    ----------
    excess : array of shape (n,)
        What each date would show as an event, above its matches; NaN where unknown.
    events : sequence of int

    Notes
    -----
    Events that leave the end of the stretch come in at its start. Every calendar keeps the spacing of the events, hence
    the overlap of their outcomes and the variance this brings. When the excess is stationary and the events know
    nothing about it, each calendar is as likely as any other; the break where the end meets the start is the only
    approximation. A calendar that meets gaps counts the events it still has, as the true one does. The mean is divided
    by its standard error among the events (Chung and Romano 2013), so that events which make prices more volatile do
    not look like events which move them. The variance among few events says little: that of all dates joins it with the
    weight of `PRIOR_EVENTS` (a moderated t, Smyth 2004).
    """
    known = np.flatnonzero(np.isfinite(excess))
    if known.size < LEAST_CALENDARS:
        return None
    low, length = int(known[0]), int(known[-1] - known[0]) + 1
    kept = tuple(event for event in events if low <= event < low + length and np.isfinite(excess[event]))
    if len(kept) < LEAST_EVENTS:
        return None
    stretch = excess[low : low + length] - excess[known].mean()
    calendar = np.zeros(length)
    calendar[np.array(kept) - low] = 1.0
    present = np.isfinite(stretch)
    values = np.where(present, stretch, 0.0)
    number, total, square = _moved(np.stack([present.astype(np.float64), values, values**2]), calendar)
    number = number.round()
    number, total, square = (
        np.concatenate([[exact], column[1:]])
        for exact, column in zip(_sums(stretch[np.array(kept) - low]), (number, total, square), strict=True)
    )
    enough = number >= max(float(LEAST_EVENTS), len(kept) / 2)
    count = np.maximum(number, 2.0)
    typical = float(np.mean(values[present] ** 2))
    if typical == 0.0:
        return None
    variance = (np.maximum(square - total**2 / count, 0.0) + PRIOR_EVENTS * typical) / (count - 1 + PRIOR_EVENTS)
    statistics = np.divide(total, np.sqrt(count * variance), out=np.full(length, np.nan), where=enough)
    error = float(np.sqrt(variance[0] / count[0]))
    return Rotation(statistics, float(total[0] / count[0]), error, kept)


def _sums(values: Floats) -> tuple[float, float, float]:
    return float(values.size), float(values.sum()), float(np.sum(values**2))


def _moved(rows: Floats, calendar: Floats) -> Floats:
    """Sum each row over the calendar moved by 0, 1, … places around a circle; shape of `rows`."""
    spectrum = np.fft.rfft(rows, axis=1) * np.conj(np.fft.rfft(calendar))
    return np.fft.irfft(spectrum, calendar.size, axis=1)


def joint_pvalues(rotations: Sequence[Rotation], *, family_size: int | None = None) -> Floats:
    """Return family-wise p-values over tests that share their events, all moved by the same number of sessions.

    Parameters
    ----------
    rotations : sequence of Rotation
    family_size : int, optional
        Tests of the declared family, those without a result included.

    Notes
    -----
    Romano–Wolf step-down on the rank of each statistic among its own calendars, since t statistics of few and of many
    events have different tails. A test with a shorter stretch than the longest one goes round more than once; its
    dependence on the others is then understated, which makes the correction stricter. No p-value falls below the one
    of its own test.
    """
    if not rotations:
        raise InputError("there is nothing to correct", given="no rotation")
    moves = np.arange(1, max(rotation.statistics.size for rotation in rotations))
    draws = np.column_stack([np.nan_to_num(r.statistics)[moves % r.statistics.size] for r in rotations])
    observed = [float(r.statistics[0]) for r in rotations]
    adjusted = romano_wolf(observed, draws, scale="pvalue", family_size=family_size).adjusted
    return np.maximum(adjusted, [rotation.pvalue for rotation in rotations])
