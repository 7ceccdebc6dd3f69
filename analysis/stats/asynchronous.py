"""Correlation and lead time of two tick series that are observed at different times, without any resampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.asynchronous_blocks import BlockSums, block_sums
from analysis.stats.asynchronous_result import LaggedHayashiYoshida
from analysis.stats.lagged import as_numbers, same_index
from analysis.stats.regression import bootstrap_pvalue, positive_integer, require_generator, sign_blocks
from analysis.stats.ticks import Ticks, as_ticks, on_one_axis, stamp_tolerance

METHOD = "Hayashi-Yoshida correlation"
METHOD_LAGGED = "Lagged Hayashi-Yoshida correlation"
REFERENCE = "Hayashi and Yoshida (2005), Bernoulli 11, 359-379"
REFERENCE_LAGGED = "Hoffmann, Rosenbaum and Yoshida (2013), Bernoulli 19, 426-461"
MINIMUM_BLOCKS = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HayashiYoshida(TestResult):
    """Covariance and correlation of two tick series over the whole sample; `estimate` is the correlation.

    Attributes
    ----------
    covariance : float
        Sum of products of increments over all pairs of overlapping intervals.
    variance_x, variance_y : float
        Sums of squared increments that overlap the other series.
    nobs_y : int
        Intervals of y used; `nobs` counts those of x.
    """

    covariance: float
    variance_x: float
    variance_y: float
    nobs_y: int


def hayashi_yoshida(
    times_x: Any,
    prices_x: Any,
    times_y: Any,
    prices_y: Any,
    *,
    log: bool = True,
    max_gap: float | None = None,
    blocks: int | None = None,
    level: float = 0.95,
) -> HayashiYoshida | Inapplicable:
    """Estimate covariance and correlation from ticks that need not be observed at the same times.

    Parameters
    ----------
    times_x, times_y : array_like of shape (n,) and (m,)
        Strictly increasing stamps: numbers in one unit, or datetime64 (then seconds are the unit of `max_gap`).
    prices_x, prices_y : array_like of shape (n,) and (m,)
        Prices; a tick with a NaN price is left out and its neighbours' interval spans it.
    log : bool
        Whether increments are those of the logarithm (prices must be positive) or of the level.
    max_gap : float, optional
        Increments over a longer interval, such as a night, are not used.
    blocks : int, optional
        Blocks of time for the standard error, at least 10; by default the square root of the smaller number of ticks,
        kept between 20 and 100. Blocks should be long against the intervals between ticks.
    level : float
        Level of the interval.

    Returns
    -------
    HayashiYoshida or Inapplicable
        Inapplicable with fewer than 20 overlapping intervals in a series, or without variation.

    Raises
    ------
    InputError
        On wrong shapes, stamps out of order, infinite or non-positive prices or options outside their range.

    Notes
    -----
    The estimator sums the products of all increments whose intervals overlap; it is unbiased without synchronising,
    whereas correlations of resampled ticks fall to zero as the sampling gets finer. It is not corrected for
    microstructure noise. Inference treats sums over blocks of time as uncorrelated and t distributed.

    Two intervals overlap only when each begins before the other ends by more than 2.1 units in the last place of the
    largest stamp, so that the rounding of decimal stamps makes no overlap where intervals touch; `max_gap` allows as
    much. For seconds since 1970 as decimal numbers that is 0.5 microseconds: pass finer stamps as datetime64 or whole
    nanoseconds, which are compared by their time since the first stamp. Stamps that are whole numbers of any size count
    every overlap.

    References
    ----------
    Hayashi and Yoshida (2005), Bernoulli 11, 359-379.

    Examples
    --------
    >>> times = np.arange(500.0)
    >>> path = np.random.default_rng(1).standard_normal(500).cumsum()
    >>> result = hayashi_yoshida(times, path, times[::3], path[::3], log=False)
    >>> result.estimate > 0.9
    True
    """
    count = None if blocks is None else positive_integer("blocks", blocks, at_least=MINIMUM_BLOCKS)
    _check_options(level, max_gap)
    x, y, tolerance = _pair(times_x, prices_x, times_y, prices_y, np.zeros(1), log)
    sums = block_sums(x, y, np.zeros(1), max_gap, count, tolerance)
    if isinstance(sums, str):
        return Inapplicable(method=METHOD, reason=sums)
    t, low_high = float(sums.t_statistics()[0]), sums.interval(level)
    df = sums.products.shape[1] - 1
    return HayashiYoshida(
        method=METHOD,
        null="the integrated covariance is zero",
        alternative="the series move together or against each other",
        statistic=t,
        pvalue=2.0 * float(stats.t.sf(abs(t), df)),
        distribution="t",
        df=(float(df),),
        estimate=float(sums.correlation()[0]),
        estimate_name="correlation",
        interval=(float(low_high[0][0]), float(low_high[1][0])),
        interval_level=level,
        nobs=sums.nobs_x,
        nobs_lost=sums.nobs_lost,
        options={"log": log, "max_gap": max_gap, "blocks": df + 1, "level": level},
        reference=REFERENCE,
        covariance=float(sums.products.sum()),
        variance_x=float(sums.squares_x.sum()),
        variance_y=float(sums.squares_y.sum()),
        nobs_y=sums.nobs_y,
    )


def hayashi_yoshida_lagged(
    times_x: Any,
    prices_x: Any,
    times_y: Any,
    prices_y: Any,
    *,
    lags: Any,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    log: bool = True,
    max_gap: float | None = None,
    blocks: int | None = None,
    level: float = 0.95,
) -> LaggedHayashiYoshida | Inapplicable:
    """Shift the ticks of y later by each lag and find the lag of the largest absolute covariance; lag > 0: y leads.

    Parameters
    ----------
    times_x, prices_x, times_y, prices_y, log, max_gap, blocks, level
        As in `hayashi_yoshida`.
    lags : array_like of shape (L,)
        Strictly increasing lags in the unit of the stamps (seconds for datetime64). The grid limits the precision.
    bootstrap : int
        Draws of blocks for the interval of the lead time, and of signs for the p-value; 0 for neither.
    rng : Generator, optional
        Needed when `bootstrap` is positive.

    Returns
    -------
    LaggedHayashiYoshida or Inapplicable
        Inapplicable as in `hayashi_yoshida`, or when at some lag no intervals overlap.

    Raises
    ------
    InputError
        As `hayashi_yoshida`, and on lags that are not strictly increasing.

    Notes
    -----
    One linear merge a lag. The p-value compares the largest |t| over the grid with that under random signs of the
    blocks, the same at all lags, so looking at many lags is paid for. The interval of the lead time resamples blocks
    and takes quantiles of the maximiser. Ties go to the lag nearest to zero. Stamps less a lag are compared with the
    tolerance of `hayashi_yoshida`, there of the largest stamp or lag, so that a grid in decimal seconds gives the curve
    of the same grid in whole milliseconds. The lags must be as exact as the stamps:
    ``start + step * np.arange(n)`` is, whereas ``np.arange(start, stop, step)`` with a decimal step is not, for NumPy
    first rounds the step at the size of start.

    References
    ----------
    Hoffmann, Rosenbaum and Yoshida (2013), Bernoulli 19, 426-461.
    """
    grid = as_numbers(lags, "lags")
    if grid.ndim != 1 or grid.size == 0 or not np.isfinite(grid).all() or (np.diff(grid) <= 0).any():
        raise InputError("lags must be finite and strictly increasing", given=f"shape {grid.shape}")
    count = None if blocks is None else positive_integer("blocks", blocks, at_least=MINIMUM_BLOCKS)
    draws = require_generator(bootstrap, rng)
    _check_options(level, max_gap)
    x, y, tolerance = _pair(times_x, prices_x, times_y, prices_y, grid, log)
    sums = block_sums(x, y, grid, max_gap, count, tolerance)
    if isinstance(sums, str):
        return Inapplicable(method=METHOD_LAGGED, reason=sums)
    t, (lower, upper) = sums.t_statistics(), sums.interval(level)
    best = _largest(np.abs(sums.products.sum(axis=1))[None, :], grid)[0]
    pvalue, interval = _draw(sums, grid, draws, rng, level)
    short = sums.shortest + tolerance < np.abs(grid).max()
    edge = best in (0, grid.size - 1) and grid.size > 1
    return LaggedHayashiYoshida(
        method=METHOD_LAGGED,
        lags=grid,
        covariance=sums.products.sum(axis=1),
        correlation=sums.correlation(),
        lower=lower,
        upper=upper,
        t_statistic=t,
        lead_time=float(grid[best]),
        lead_interval=None if interval is None else (min(interval[0], grid[best]), max(interval[1], grid[best])),
        sup_statistic=float(np.abs(t).max()),
        sup_pvalue=pvalue,
        nobs=sums.nobs_x,
        nobs_y=sums.nobs_y,
        nobs_lost=sums.nobs_lost,
        options={"log": log, "max_gap": max_gap, "blocks": sums.squares_x.size, "level": level, "bootstrap": draws},
        warnings=(("a block of time is shorter than the largest lag: use fewer blocks",) if short else ())
        + (("the maximum lies at the end of the grid: widen it",) if edge else ()),
        reference=REFERENCE_LAGGED,
    )


def _check_options(level: float, max_gap: float | None) -> None:
    if not 0.0 < level < 1.0 or (max_gap is not None and not max_gap > 0.0):
        raise InputError("an option is out of range", given=f"level={level}, max_gap={max_gap}", limit="(0,1), >0")


def _pair(
    times_x: Any, prices_x: Any, times_y: Any, prices_y: Any, lags: np.ndarray, log: bool
) -> tuple[Ticks, Ticks, float]:
    """Ticks of both series on one axis, and how far two stamps of one instant may be apart on it."""
    same_index(times_x=times_x, prices_x=prices_x)
    same_index(times_y=times_y, prices_y=prices_y)
    one, two = on_one_axis([("times_x", times_x), ("times_y", times_y)])
    x, y = as_ticks("x", one, prices_x, log=log), as_ticks("y", two, prices_y, log=log)
    return x, y, stamp_tolerance((times_x, times_y), (one, two), lags)


def _largest(sizes: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Column of the largest entry of each row; ties go to the lag nearest to zero."""
    order = np.argsort(np.abs(grid), kind="stable")
    return order[np.argmax(sizes[:, order], axis=1)]


def _draw(
    sums: BlockSums, grid: np.ndarray, draws: int, rng: np.random.Generator | None, level: float
) -> tuple[float | None, tuple[float, float] | None]:
    """Sign-flip p-value of the largest |t| and block-bootstrap interval of the lead time."""
    if not draws or rng is None:
        return None, None
    B = sums.squares_x.size
    root = np.sqrt((sums.products**2).sum(axis=1))
    observed = float((np.abs(sums.products.sum(axis=1)) / root).max())
    null = np.concatenate(
        [np.abs(signs @ (sums.products.T / root)).max(axis=1) for signs in sign_blocks(rng, draws, B)]
    )
    weights = rng.multinomial(B, np.full(B, 1.0 / B), size=draws).astype(np.float64)
    leads = grid[_largest(np.abs(weights @ sums.products.T), grid)]
    tail = (1.0 - level) / 2.0
    low = float(np.quantile(leads, tail, method="inverted_cdf"))
    high = float(np.quantile(leads, 1.0 - tail, method="higher"))
    return bootstrap_pvalue(observed, null)[0], (low, high)
