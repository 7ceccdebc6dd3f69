"""What every date of a series would show as an event: the cumulative return ahead and its spread, known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.stats.lagged import Floats

Normal = Literal["none", "mean", "market", "beta"]

# Below this share of the mean square a variance is rounding error of the running sums.
_NO_VARIANCE = 1e-10


class Outcomes(NamedTuple):
    """Cumulative abnormal returns ahead of every date and their standard deviations, both (n, h); NaN where unknown."""

    car: Floats
    spread: Floats


class _Sums(NamedTuple):
    """Number, sums and cross products of return and market over a window ahead of or behind every date, each (n,)."""

    number: Floats
    y: Floats
    m: Floats
    yy: Floats
    ym: Floats
    mm: Floats


def outcomes_at_every_date(
    returns: Floats,
    market: Floats | None,
    *,
    estimation: tuple[int, int],
    first: int,
    ends: Sequence[int],
    normal: Normal,
    least: int,
) -> Outcomes:
    """Cumulate abnormal returns from `first` to each end, as if every date were an event.

    Parameters
    ----------
    returns, market : arrays of shape (n,)
        NaN marks a missing value; a horizon with one is missing.
    estimation : (int, int)
        Offsets of the window that gives mean, beta and residual variance.
    normal : {"none", "mean", "market", "beta"}
        What is taken off: nothing, the mean, the market model, or beta times the market alone.
    least : int
        Observations the estimation window needs; half of its sessions are needed too.

    Notes
    -----
    Running sums give the same numbers as one regression a date. The spread holds the prediction error of whatever is
    taken off: h + h²/m for the mean, and the squared (centred) market sum over its cross product for a beta.
    """
    n = returns.size
    m = np.zeros(n) if market is None else market
    present = np.isfinite(returns) & np.isfinite(m)
    y, x = np.where(present, returns, 0.0), np.where(present, m, 0.0)
    running = [
        np.concatenate([[0.0], np.cumsum(column)]) for column in (present.astype(np.float64), y, x, y * y, y * x, x * x)
    ]
    past = _window(running, estimation[0], estimation[1], n)
    enough = past.number >= max(least, 0.5 * (estimation[1] - estimation[0] + 1))
    number = np.maximum(past.number, 3.0)
    sxx, sxy = past.mm - past.m**2 / number, past.ym - past.y * past.m / number
    syy = past.yy - past.y**2 / number
    uses_beta = normal in ("market", "beta")
    varies = sxx > _NO_VARIANCE * past.mm
    beta = np.divide(sxy, sxx, out=np.zeros(n), where=varies) if uses_beta else np.zeros(n)
    alpha = (past.y - beta * past.m) / number if normal in ("mean", "market") else np.zeros(n)
    residual = (syy - beta * sxy) / (number - (2 if uses_beta else 1))
    enough &= residual > _NO_VARIANCE * past.yy / number
    if uses_beta:
        enough &= varies
    car, spread = np.full((n, len(ends)), np.nan), np.full((n, len(ends)), np.nan)
    for column, end in enumerate(ends):
        ahead, length = _window(running, first, end, n), end - first + 1
        error = np.full(n, float(length))
        if normal in ("mean", "market"):
            error += length**2 / number
        if uses_beta:
            centre = length * past.m / number if normal == "market" else 0.0
            error += np.divide((ahead.m - centre) ** 2, sxx, out=np.zeros(n), where=varies)
        known = enough & (ahead.number == length)
        car[known, column] = (ahead.y - length * alpha - beta * ahead.m)[known]
        spread[known, column] = np.sqrt(residual[known] * error[known])
    return Outcomes(car, spread)


def _window(running: Sequence[Floats], low: int, high: int, n: int) -> _Sums:
    """Sum each running column over offsets `low` to `high` of every date, as far as the series reaches."""
    dates = np.arange(n)
    start, stop = np.clip(dates + low, 0, n), np.clip(dates + high + 1, 0, n)
    return _Sums(*(column[stop] - column[start] for column in running))


def trailing_features(series: Floats, trailing: int, first: int) -> Floats:
    """Return the mean return and volatility (n, 2) of the sessions that end just before offset `first` of each date.

    Notes
    -----
    NaN where fewer than half of the `trailing` sessions are present. Nothing from offset `first` on is used.
    """
    n = series.size
    present = np.isfinite(series)
    values = np.where(present, series, 0.0)
    running = [np.concatenate([[0.0], np.cumsum(c)]) for c in (present.astype(np.float64), values, values**2)]
    stop = np.arange(n) + first
    inside = (stop - trailing >= 0) & (stop <= n)
    stop, start = stop.clip(0, n), (stop - trailing).clip(0, n)
    count, total, square = (column[stop] - column[start] for column in running)
    inside &= count >= max(2.0, trailing / 2)
    count = np.maximum(count, 2.0)
    variance = np.maximum(square - total**2 / count, 0.0) / (count - 1)
    return np.where(inside[:, None], np.column_stack([total / count, np.sqrt(variance)]), np.nan)


def nearest_dates(features: Floats, candidates: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Order the candidates by distance for every date: shape (n, c), −1 in rows whose features are unknown.

    Distance is Euclidean in standard deviations over all dates. Ties go to the earlier date.
    """
    known = np.isfinite(features).all(axis=1)
    chosen = np.flatnonzero(candidates & known)
    order = np.full((features.shape[0], chosen.size), -1, dtype=np.int32)
    if chosen.size == 0:
        return order
    spread = features[known].std(axis=0)
    mean, volatility = (features / np.where(spread > 0, spread, 1.0)).T.copy()
    for row in np.flatnonzero(known):
        distance = (mean[chosen] - mean[row]) ** 2 + (volatility[chosen] - volatility[row]) ** 2
        order[row] = chosen[np.argsort(distance, kind="stable")]
    return order


def matched_mean(values: Floats, order: NDArray[np.int32], *, reach: int, neighbours: int, least: int) -> Floats:
    """Average `values` (n,) over the nearest usable dates of every date; NaN with fewer than `least` of them.

    A date is usable as a match when its value is known and it lies `reach` or more sessions away, so that the two
    share no outcome.
    """
    n = values.size
    out = np.full(n, np.nan)
    rows = np.flatnonzero(order[:, 0] >= 0) if order.shape[1] else np.empty(0, dtype=np.int64)
    width = min(order.shape[1], neighbours + 2 * reach)
    while rows.size:
        near = order[rows, :width]
        usable = np.isfinite(values[near]) & (np.abs(near - rows[:, None]) >= reach)
        taken = usable & (np.cumsum(usable, axis=1) <= neighbours)
        number = taken.sum(axis=1)
        total = np.where(taken, values[near], 0.0).sum(axis=1)
        settled = (number >= neighbours) | (width == order.shape[1])
        out[rows] = np.where(settled & (number >= least), total / np.maximum(number, 1), np.nan)
        rows, width = rows[~settled], min(order.shape[1], 2 * width)
    return out
