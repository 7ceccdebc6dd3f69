"""Dates of several breaks in a regression, by least squares over all partitions (Bai and Perron 1998, 2003)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, Options, Result
from analysis.stats.breaks.design import (
    EXACT_FIT,
    Rows,
    check_trim,
    fit,
    least_rows,
    long_run_meat,
    read_rows,
    segment_rss,
)
from analysis.stats.breaks.laws import argmax_quantiles
from analysis.stats.lagged import Floats, Ints, as_numbers
from analysis.stats.regression import hac_bandwidth, positive_integer

METHOD = "Bai-Perron break dates"
REFERENCE = (
    "Bai and Perron (1998), Econometrica 66; Bai and Perron (2003), J. Applied Econometrics 18; "
    "intervals: Bai (1997), Review of Economics and Statistics 79"
)
COVARIANCES = ("nonrobust", "HC0", "HAC")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BreakDates(Result):
    """Break dates for every number of breaks, and intervals for the number the criterion chooses.

    Attributes
    ----------
    breaks : tuple of int
        1-based number of the last observation of each stretch but the final one; empty when no break is chosen.
    breaks_by_number : tuple of tuple of int
        The same for 0, 1, ... breaks.
    rss, bic : tuple of float
        Residual sum of squares and Schwarz criterion for 0, 1, ... breaks.
    intervals : tuple
        For each chosen break (first, last) observation, or None where the limit law lies almost wholly on one side.
    coefficients : ndarray of shape (n_breaks + 1, k)
        By stretch: the constant, then the coefficients of x.
    """

    method: str
    breaks: tuple[int, ...]
    breaks_by_number: tuple[tuple[int, ...], ...]
    rss: tuple[float, ...]
    bic: tuple[float, ...]
    intervals: tuple[tuple[int, int] | None, ...]
    interval_level: float
    coefficients: np.ndarray
    nobs: int
    nobs_lost: int
    options: Options = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str = REFERENCE

    def summary(self) -> str:
        """Return the chosen dates with intervals, and the criterion by number of breaks, as text."""
        lines = [self.method, f"  {len(self.breaks)} breaks chosen by the Schwarz criterion"]
        for date, interval in zip(self.breaks, self.intervals, strict=True):
            text = "no interval" if interval is None else f"{self.interval_level:.0%} interval {interval}"
            lines.append(f"  last observation before the break: {date}, {text}")
        for number, (rss, bic) in enumerate(zip(self.rss, self.bic, strict=True)):
            lines.append(f"  {number} breaks: RSS = {rss:.6g}, BIC = {bic:.6g}")
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost)")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a break of every number tried (one row without a date for none)."""
        rows = []
        for number, dates in enumerate(self.breaks_by_number):
            chosen = dates == self.breaks
            for position, date in enumerate(dates or (None,)):
                ends = self.intervals[position] if chosen and dates else None
                low, high = (None, None) if ends is None else ends
                fit_quality = {"rss": self.rss[number], "bic": self.bic[number], "chosen": chosen}
                rows.append({"n_breaks": number, "break_after": date, "lower": low, "upper": high, **fit_quality})
        return pd.DataFrame(rows).astype({"break_after": "Int64", "lower": "Int64", "upper": "Int64"})


def bai_perron(
    y: ArrayLike,
    x: ArrayLike | None = None,
    *,
    trim: float = 0.15,
    max_breaks: int = 5,
    cov: str = "nonrobust",
    level: float = 0.95,
) -> BreakDates | Inapplicable:
    """Date breaks in the coefficients of a regression on a constant and `x`.

    Parameters
    ----------
    y : array_like of shape (n,)
        The series. NaN marks a missing value; such rows are left out, and dates refer to the series as given.
    x : array_like of shape (n,) or (n, m), optional
        Regressors beside the constant; all coefficients may change.
    trim : float
        Fewest rows of a stretch as a share of the sample.
    max_breaks : int
        Most breaks tried; fewer where the sample does not hold them.
    cov : {"nonrobust", "HC0", "HAC"}
        What the intervals allow for within each stretch: nothing, changing variance, or also serial correlation
        (Bartlett, 4 (n / 100)^(2/9) lags). Moments of regressors and errors always differ by stretch.
    level : float
        Coverage of the intervals.

    Returns
    -------
    BreakDates or Inapplicable

    Raises
    ------
    InputError
        For a wrong shape, an infinite value or an option outside its set.

    Notes
    -----
    All partitions are compared by dynamic programming over the stretches' sums of squares, O(n²) time. The partition
    uses the whole sample: a date found here was not known at the time. The number of breaks minimises
    ``n log(RSS / n)`` with a penalty of log n for every coefficient, date and the variance; serial correlation makes
    it too large, and so does variance that moves with the regressors: see `sequential_breaks`.

    References
    ----------
    Bai and Perron (1998), Econometrica 66; (2003), J. Applied Econometrics 18; Bai (1997), REStat 79.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> bai_perron(np.repeat([0.0, 4.0], 40) + rng.standard_normal(80)).breaks
    (40,)
    """
    trim = check_trim(trim)
    most = positive_integer("max_breaks", max_breaks)
    if cov not in COVARIANCES:
        raise InputError("unknown covariance", given=repr(cov), limit=", ".join(COVARIANCES))
    if not 0.5 <= level < 1.0:
        raise InputError("level must be a coverage", given=level, limit="0.5 to below 1")
    rows = read_rows(y, x)
    if isinstance(rows, str):
        return Inapplicable(method=METHOD, reason=rows)
    shortest = least_rows(rows, trim)
    if isinstance(shortest, str):
        return Inapplicable(method=METHOD, reason=shortest)
    n, k = rows.design.shape
    partitions = best_partitions(rows, shortest, min(most, n // shortest - 1))
    total = float(np.sum((rows.response - rows.response.mean()) ** 2))
    rss = [_partition_rss(rows, dates) for dates in partitions]
    bic = [
        n * (math.log(max(value, EXACT_FIT * total) / n) + 1.0 + math.log(2.0 * math.pi))
        + math.log(n) * (k + 1) * (number + 1)
        for number, value in enumerate(rss)
    ]
    chosen = partitions[int(np.argmin(bic))]
    intervals, warnings = date_intervals(rows, chosen, cov, level)
    return BreakDates(
        method=METHOD,
        breaks=tuple(rows.number(last) for last in chosen),
        breaks_by_number=tuple(tuple(rows.number(last) for last in dates) for dates in partitions),
        rss=tuple(rss),
        bic=tuple(bic),
        intervals=intervals,
        interval_level=float(level),
        coefficients=stretch_coefficients(rows, chosen, x),
        nobs=n,
        nobs_lost=rows.lost,
        options=Options({"trim": trim, "max_breaks": most, "cov": cov, "rows_of_shortest_stretch": shortest}),
        warnings=warnings,
    )


def best_partitions(rows: Rows, shortest: int, most: int) -> list[tuple[int, ...]]:
    """Return for 0..most breaks the dates (rows before each break) with the least sum of squares.

    Notes
    -----
    Memory is O(n `most`): the sums of squares of the stretches from one first row are used for every number of breaks
    at once and then forgotten. Numbers for which no admissible partition exists are left out.
    """
    n = len(rows.response)
    best = np.full((most + 1, n + 1), np.inf)  # best[m, t]: first t rows with m breaks
    came: Ints = np.zeros((most + 1, n + 1), dtype=np.int64)
    for start in range(n - shortest + 1):
        if start and not np.isfinite(best[:, start]).any():
            continue
        cost = segment_rss(rows.response, rows.design, shortest, start)
        ends = slice(start + shortest, n + 1)
        if start == 0:
            best[0, ends] = cost
            continue
        for number in range(1, most + 1):
            candidate = best[number - 1, start] + cost
            better = candidate < best[number, ends]
            best[number, ends][better] = candidate[better]
            came[number, ends][better] = start
    found = []
    for number in range(most + 1):
        if not np.isfinite(best[number, n]):
            break
        dates, end = [], n
        for left in range(number, 0, -1):
            end = int(came[left, end])
            dates.append(end)
        found.append(tuple(reversed(dates)))
    return found


def _stretches(rows: Rows, dates: tuple[int, ...]) -> list[slice]:
    edges = [0, *dates, len(rows.response)]
    return [slice(first, last) for first, last in pairwise(edges)]


def _partition_rss(rows: Rows, dates: tuple[int, ...]) -> float:
    """Return the sum of squares by a direct fit of each stretch."""
    return float(sum(np.sum(fit(rows.response[s], rows.design[s])[1] ** 2) for s in _stretches(rows, dates)))


def stretch_coefficients(rows: Rows, dates: tuple[int, ...], x: ArrayLike | None) -> Floats:
    """Return the coefficients by stretch in the units of the input."""
    columns = np.empty((rows.given, 0)) if x is None else as_numbers(x, "x").reshape(rows.given, -1)
    design = np.column_stack([np.ones(len(rows.places)), columns[rows.places]])
    return np.stack([fit(rows.response[s], design[s])[0] for s in _stretches(rows, dates)])


@dataclass(frozen=True, slots=True)
class _Moments:
    """Of one stretch: coefficients (k,), regressor moments (k, k), error variance, long-run score moments (k, k)."""

    coefficients: Floats
    Q: Floats
    variance: float
    Omega: Floats


def _moments(rows: Rows, stretch: slice, cov: str) -> _Moments:
    X, (b, u) = rows.design[stretch], fit(rows.response[stretch], rows.design[stretch])
    n = len(u)
    Q, variance = X.T @ X / n, float(u @ u / n)
    if cov == "nonrobust":
        return _Moments(b, Q, variance, variance * Q)
    return _Moments(b, Q, variance, long_run_meat(X * u[:, None], cov, hac_bandwidth(n)) / n)


def date_intervals(
    rows: Rows, dates: tuple[int, ...], cov: str, level: float
) -> tuple[tuple[tuple[int, int] | None, ...], tuple[str, ...]]:
    """Return for each date the observations Bai's limit law does not rule out, and what to warn of."""
    parts = [_moments(rows, stretch, cov) for stretch in _stretches(rows, dates)]
    total, n = float(rows.response.var()), len(rows.response)
    out: list[tuple[int, int] | None] = []
    for date, before, after in zip(dates, parts, parts[1:], strict=False):
        delta = after.coefficients - before.coefficients
        q1, q2 = float(delta @ before.Q @ delta), float(delta @ after.Q @ delta)
        o1, o2 = float(delta @ before.Omega @ delta), float(delta @ after.Omega @ delta)
        if max(before.variance, after.variance) <= EXACT_FIT * total:
            out.append((rows.number(date), rows.number(date)))
            continue
        if min(q1, q2, o1, o2) <= 0.0 or min(before.variance, after.variance) <= EXACT_FIT * total:
            out.append(None)
            continue
        noise1, noise2 = o1 / q1, o2 / q2
        ends = argmax_quantiles(q2 / q1, noise2 / noise1, level)
        if ends is None:
            out.append(None)
            continue
        unit = noise1 / q1
        first, last = date - math.ceil(ends[1] * unit), date - math.floor(ends[0] * unit)
        out.append((rows.number(max(first, 1)), rows.number(min(last, n))))
    warnings = []
    if any(item is None for item in out):
        warnings.append("a date has no interval: the two stretches differ too much for the limit law to hold it")
    known = [item for item in out if item is not None]
    if any(one[1] >= two[0] for one, two in pairwise(known)):
        warnings.append("intervals of neighbouring dates overlap")
    return tuple(out), tuple(warnings)
