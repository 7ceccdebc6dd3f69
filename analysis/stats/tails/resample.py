"""Resampling for statistics of joint tails: block weights, ranks of a weighted sample, intervals and p-values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.stats.connectedness.bootstrap import default_block
from analysis.stats.cross_quantilogram import stationary_indices
from analysis.stats.lagged import Floats, Ints, same_index
from analysis.stats.regression import as_series, require_generator

_BLOCK_CELLS = 1_000_000
SIDES = ("lower", "upper")


def read_pair(x: Any, y: Any) -> tuple[Floats, Floats, int]:
    """Return the rows in which both series are present, and how many rows were left out."""
    same_index(x=x, y=y)
    x = as_series("x", x)
    y = as_series("y", y, x.size)
    used = np.isfinite(x) & np.isfinite(y)
    return x[used], y[used], int(x.size - used.sum())


def unusable(x: Floats, y: Floats, fewest: int) -> str:
    """Return why a pair cannot be studied in its tails, or an empty text."""
    if x.size < fewest:
        return f"{x.size} complete rows, fewer than {fewest}"
    for series in (x, y):
        # Half of the rows on one value leave no tail to speak of, whatever the other half does.
        if np.unique(series).size < x.size / 2:
            return "a series is constant or repeats its values in most rows"
    if abs(float(np.corrcoef(x, y)[0, 1])) > 1.0 - 1e-10:
        return "the series are a linear function of each other"
    return ""


def open_share(name: str, value: Any, *, most: float = 0.5) -> float:
    """Return a probability strictly between 0 and `most`; raises InputError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0.0 < value < most:
        raise InputError(f"{name} is a share of the rows", given=repr(value), limit=f"between 0 and {most:g}")
    return float(value)


def mean_block(block: float | None, n: int) -> float:
    """Return the mean block length in rows: as given, or 5.03 n^(1/4)."""
    length = float(default_block(n)) if block is None else float(block)
    if not 1.0 <= length < max(n, 2):
        raise InputError("block is a mean number of rows", given=block, limit=f"1 to {n}")
    return length


def check_draws(bootstrap: int, rng: np.random.Generator | None, level: float) -> int:
    """Return the draws; raises InputError for too few of them, no generator, or a level outside 0 to 1."""
    draws = require_generator(bootstrap, rng)
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)
    if 0 < draws < 19:
        raise InputError("too few bootstrap draws for an interval", given=draws, limit="0, or 19 and more")
    return draws


def block_weights(n: int, draws: int, block: float, rng: np.random.Generator) -> Iterator[Ints]:
    """Yield how often each row is in a resample, shape (some draws, n), in chunks of bounded memory.

    Notes
    -----
    Stationary bootstrap: blocks of geometric length with mean `block`, on a circle (Politis and Romano 1994, JASA 89).
    Rows are pairs, so a resample keeps the dependence within a session as well as that between neighbouring sessions.
    """
    chunk = max(1, _BLOCK_CELLS // n)
    for first in range(0, draws, chunk):
        count = min(chunk, draws - first)
        indices = stationary_indices(n, block, count, rng)
        flat = (indices + n * np.arange(count)[:, None]).ravel()
        yield np.bincount(flat, minlength=n * count).reshape(count, n)


def ranks(order: Ints, weights: Ints) -> Floats:
    """Return the place of every row within each weighted sample, between 0 and 1: shape (draws, n).

    Parameters
    ----------
    order : ndarray of shape (n,)
        Rows from the smallest value to the largest.
    weights : ndarray of shape (draws, n)
        Copies of each row; the place is the middle of the copies.
    """
    sorted_weights = weights[:, order]
    middle = np.cumsum(sorted_weights, axis=1) - sorted_weights / 2.0
    out = np.empty(weights.shape)
    total = sorted_weights.sum(axis=1, keepdims=True)
    # A row that is not in the sample may stand before its first or after its last: it is never at 0 or 1.
    out[:, order] = np.clip(middle / total, 0.25 / total, 1.0 - 0.25 / total)
    return out


def percentile_interval(draws: Floats, estimate: float, level: float) -> tuple[float, float]:
    """Return the percentile interval of bootstrap draws; it always holds the estimate."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return min(float(low), estimate), max(float(high), estimate)


def symmetric_interval(draws: Floats, estimate: float, level: float) -> tuple[float, float]:
    """Return the interval that reaches as far on both sides as a share `level` of the draws stray from the estimate.

    It leaves zero out exactly where `centred_pvalue` is below one less `level`, but for ties.
    """
    reach = float(np.quantile(np.abs(draws - estimate), level))
    return estimate - reach, estimate + reach


def cautious_interval(draws: Floats, estimate: float, level: float) -> tuple[float, float]:
    """Return the wider on either side of the percentile interval and its mirror image, inside 0 to 1.

    Notes
    -----
    Tail dependence of a fitted t copula is a skewed function of its degrees of freedom: the percentile interval alone
    covered 90 of 100 at a nominal 95 (n = 1000).
    """
    low, high = percentile_interval(draws, estimate, level)
    return max(min(low, 2.0 * estimate - high), 0.0), min(max(high, 2.0 * estimate - low), 1.0)


def centred_pvalue(draws: Floats, estimate: float) -> float:
    """Return the two-sided p-value of a zero effect: how often draws stray from the estimate as far as it from zero."""
    exceeding = int(np.count_nonzero(np.abs(draws - estimate) >= abs(estimate)))
    return (1.0 + exceeding) / (1.0 + draws.size)
