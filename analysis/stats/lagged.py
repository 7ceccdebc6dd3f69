"""What every lag regression starts from: checked inputs, lags, units, and lagged sums of products.

Notes
-----
A regression of one series on lags of others needs nothing but sums of products. `lagged_gram` takes them for all series
at once, `prefix_gram` keeps their running sums so that a window is one difference, and `masked_grams` takes them over
the rows of each state. `solve_gram` answers a query by a small Cholesky factorisation and says when the system is too
close to collinear for that, so that the caller goes through `qr_solve` on the rows themselves. The scan of all pairs
takes the same sums by kernels of its own (`scan.pairs_sums`), and single tests are fitted on their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular

from analysis.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

TRENDS = ("n", "c", "ct")
PIVOT_FLOOR = 1e-6  # unexplained share of a column; below it, sums of products have lost over half of their digits
PREFIX_LIMIT_BYTES = 2**31
FLAT = 2.0**-46  # deviations over level that the rounding of a constant alone explains: 64 units in the last place
MODERATE = (2.0**-100, 2.0**100)  # sizes whose fourth powers a float holds with room to spare
_NO_NUMBERS = (str, bytes, complex, np.complexfloating, np.datetime64, np.timedelta64)


def as_numbers(values: ArrayLike, name: str, *, copy: bool = True) -> Floats:
    """Return a float copy of any shape; raises InputError for text, dates and complex numbers.

    Without `copy` the result may share memory with the argument and must not be written to.
    """
    try:
        raw = np.asarray(values)
        loose = raw.dtype == object and any(isinstance(value, _NO_NUMBERS) for value in raw.flat)
        if raw.dtype.kind in "biufO" and not loose:
            if raw.dtype == object:
                raw = np.where(np.frompyfunc(lambda value: value is pd.NA, 1, 1)(raw).astype(bool), np.nan, raw)
            return np.array(raw, dtype=np.float64, copy=copy or None)
        given = str(raw.dtype)
    except (TypeError, ValueError) as error:
        given = str(error)
    raise InputError(
        f"{name} must hold real numbers",
        given=given,
        limit="an array of real numbers, every row of one length",
        cause="text, dates, complex numbers, or rows of different lengths",
        remedy="pass numeric columns only, and mark a missing observation with NaN",
    )


def same_index(**named: object) -> None:
    """Raise InputError when two of the arguments are pandas objects whose indexes differ; anything else passes.

    Series are matched row by row: a table sorted the other way, or of other dates, would be matched wrongly in silence.
    """
    tables = [(name, item) for name, item in named.items() if isinstance(item, pd.Series | pd.DataFrame)]
    for name, item in tables[1:]:
        first, other = tables[0][1].index, item.index
        if not first.equals(other):
            shared = len(first.intersection(other))
            raise InputError(
                f"{tables[0][0]} and {name} have different indexes",
                given=f"{len(first)} and {len(other)} rows, {shared} labels in common",
                limit="one index, in one order, in every pandas argument",
                cause="series of other dates, or sorted the other way",
                remedy="align them first (pandas: join or reindex); mark what is missing with NaN",
            )


def as_columns(values: ArrayLike, name: str, *, copy: bool = True) -> Floats:
    """Return a (n, k) float copy of a series or several; NaN marks a missing observation.

    Infinite values, text, dates and complex numbers raise InputError. Without `copy` the result may share memory with
    the argument and must not be written to.
    """
    return whole_or_not(values, name, copy=copy)[0]


def whole_or_not(values: ArrayLike, name: str, *, copy: bool = True) -> tuple[Floats, bool]:
    """Return what `as_columns` does, and whether no value is missing."""
    array = as_numbers(values, name, copy=copy)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"{name} must be an array of shape (n,) or (n, k)", given=np.shape(values))
    whole = all_finite(array)
    if not whole and np.isinf(array).any():
        raise InputError(
            f"{name} holds an infinite value",
            given=f"{int(np.isinf(array).sum())} of {array.size}",
            cause="a logarithm of zero or a division by zero upstream",
            remedy="mark a missing observation with NaN",
        )
    return array, whole


def all_finite(values: Floats) -> bool:
    """Return whether every value is a number; where their sum is one, so are they all, and one pass is enough."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = values.sum()
    return bool(np.isfinite(total) or np.isfinite(values).all())


def check_lags(lags: object, *, name: str = "lags", least: int = 1) -> int:
    """Return a lag order as int; raises InputError when it is no whole number of at least `least`."""
    if isinstance(lags, bool) or not isinstance(lags, int | np.integer) or lags < least:
        raise InputError(f"{name} must be a whole number", given=lags, limit=f"at least {least}")
    return int(lags)


def check_trend(trend: str) -> str:
    """Return the trend code; raises InputError for an unknown one."""
    if trend not in TRENDS:
        raise InputError("unknown deterministic term", given=trend, limit="n (none), c (constant), ct (and trend)")
    return trend


def deterministic(n: int, trend: str) -> Floats:
    """Return the (n, 0..2) deterministic columns: a constant and time scaled to (0, 1], in calendar of the rows."""
    columns = np.ones((n, {"n": 0, "c": 1, "ct": 2}[check_trend(trend)]))
    if trend == "ct":
        columns[:, 1] = np.arange(1, n + 1) / n
    return columns


def lag_columns(series: Floats, lags: Sequence[int]) -> Floats:
    """Return (n, k * len(lags)) lagged columns, series-major: all lags of the first series, then of the second.

    Rows whose lag lies before the sample hold NaN.
    """
    n, k = series.shape
    out = np.full((n, k, len(lags)), np.nan)
    for position, lag in enumerate(lags):
        if lag < n:
            out[lag:, :, position] = series[: n - lag]
    return out.reshape(n, k * len(lags))


def complete_rows(series: Floats, lags: int, *, own: bool = True) -> Bools:
    """Return per series which rows have every lag 1..lags present, and the row's own value too when `own`: (n, k)."""
    present = np.isfinite(series)
    usable = present.copy() if own else np.ones_like(present)
    usable[:lags] = False
    for lag in range(1, lags + 1):
        usable[lag:] &= present[:-lag]
    return usable


@dataclass(frozen=True, slots=True)
class LaggedGram:
    """Sums of products of every series at lags 0..lags, and of the deterministic columns.

    Attributes
    ----------
    gram : ndarray of shape (n_series * (lags + 1) + n_deterministic,) * 2
        Columns are lag-major: all series at lag 0, all at lag 1, ...; deterministic columns last.
    n_series, lags, n_deterministic, nobs : int
    """

    gram: Floats
    n_series: int
    lags: int
    n_deterministic: int
    nobs: int

    def column(self, series: int, lag: int) -> int:
        """Return the position of one series at one lag."""
        return lag * self.n_series + series

    def regressors(self, series: Sequence[int], *, lags: Sequence[int] | None = None) -> Ints:
        """Return the positions of the deterministic columns followed by the lags of each series."""
        first = self.n_series * (self.lags + 1)
        chosen = range(1, self.lags + 1) if lags is None else lags
        own = [self.column(item, lag) for item in series for lag in chosen]
        return np.array([*range(first, first + self.n_deterministic), *own], dtype=np.int64)


def center(series: Floats, trend: str) -> Floats:
    """Remove what the deterministic columns explain from every series, over its present values.

    With a constant (and trend) in the regression this leaves every lag coefficient and residual as it was and makes the
    sums of products far better conditioned. NaN stays NaN.
    """
    columns = deterministic(len(series), trend)
    return series - columns @ trend_coefficients(series, columns)


def own_unit(series: Floats) -> tuple[Floats, Ints]:
    """Return every series (n, k) in a unit of its own, the power of two just above its largest size, and the exponents.

    The series is the result times 2**exponent. A power of two costs no digit, and squares of the result neither
    overflow nor vanish. A series without any value, or of zeros, keeps its unit.
    """
    exponents = np.frexp(_largest(series))[1].astype(np.int64)
    # Half the power at a time, for the whole one may be beyond what a float holds.
    half = -exponents // 2
    return series * np.ldexp(1.0, half) * np.ldexp(1.0, -exponents - half), exponents


def _largest(series: Floats) -> Floats:
    """Return the largest size (k,) of every series (n, k) over its present values, zero where there are none."""
    high, low = np.fmax.reduce(series, axis=0, initial=0.0), np.fmin.reduce(series, axis=0, initial=0.0)
    return np.asarray(np.maximum(high, -low), dtype=np.float64)


def _near_zero(series: Floats, trend: str) -> bool:
    """Return whether all are whole, of moderate size, and move by far more than their level: none need be freed."""
    if trend == "ct" or not len(series) or not all_finite(series):
        return False
    by_series = np.ascontiguousarray(series.T)
    low, high = by_series.min(axis=1), by_series.max(axis=1)
    level = by_series.mean(axis=1) if trend == "c" else 0.0
    size = np.maximum(high - level, level - low)
    return bool(((MODERATE[0] < size) & (size < MODERATE[1]) & (np.abs(level) < 0.25 * size)).all())


def standardise(series: Floats, trend: str) -> tuple[Floats, Ints]:
    """Return every series (n, k) freed of its level where it has one, in its `own_unit`, and the exponents (k,).

    Where a regression has these deterministic columns, it loses no digit to the level of a series.

    Notes
    -----
    What is taken off is the fit by the deterministic columns, its coefficients rounded to whole units of what is left.
    Series that move about zero therefore keep every bit. A series that does not move beyond the rounding of its level
    keeps the level, so that the regression sees that it is constant. Where every level is smaller than the movement
    about it, nothing is taken off, and a series of a moderate size keeps its unit too: a power of two moves no digit.
    """
    if _near_zero(series, trend):
        return series, np.zeros(series.shape[1], dtype=np.int64)
    units, level_exponents = own_unit(series)
    free, moves = units, np.zeros(series.shape[1], dtype=bool)
    # The mean comes first: a line through a high level would add the rounding of that level to every row.
    for term in {"n": (), "c": ("c",), "ct": ("c", "ct")}[check_trend(trend)]:
        columns = deterministic(len(series), term)
        fitted = trend_coefficients(free, columns)
        left = free - columns @ fitted
        size = _largest(left)
        moves, unit = size > FLAT, np.frexp(size)[1]
        whole = np.ldexp(np.round(np.ldexp(fitted, -unit)), unit)
        free = free - columns @ whole if whole.any() else free
    free, exponents = own_unit(np.where(moves, free, units))
    return free, level_exponents + exponents


def trend_coefficients(series: Floats, columns: Floats) -> Floats:
    """Return the coefficients (d, k) of the deterministic columns (n, d) for every series, over its present values.

    A series without any value has coefficients of zero.
    """
    if not columns.shape[1]:
        return np.zeros((0, series.shape[1]))
    with np.errstate(invalid="ignore"):
        found = _fitted(series, columns)
    if np.isfinite(found).all():
        return found
    whole = np.isfinite(series).all(axis=0)
    out = np.zeros_like(found)
    out[:, whole] = _fitted(series[:, whole], columns)
    for k in np.flatnonzero(~whole):
        present = np.isfinite(series[:, k])
        if present.any():
            out[:, k] = np.linalg.lstsq(columns[present], series[present, k], rcond=None)[0]
    return out


def _fitted(series: Floats, columns: Floats) -> Floats:
    """Return the least-squares coefficients (d, k) of one column or two for whole series."""
    if columns.shape[1] == 1 and len(columns):
        return np.asarray(columns.T @ series / np.square(columns).sum())
    if len(columns) < columns.shape[1]:
        return np.zeros((columns.shape[1], series.shape[1]))
    basis, triangle = np.linalg.qr(columns)
    return np.asarray(np.linalg.solve(triangle, basis.T @ series))


def lagged_gram(series: ArrayLike, *, lags: int, trend: str = "c", rows: Bools | None = None) -> LaggedGram:
    """Return the lagged sums of products of all series over the rows given.

    Parameters
    ----------
    series : array of shape (n, k)
        NaN counts as zero; choose `rows` so that no needed value is missing.
    lags : int
    trend : {"n", "c", "ct"}
        The series are first freed of these terms (`center`), which changes no lag coefficient.
    rows : bool array of shape (n,), optional
        Rows to sum over; default all from `lags` on. A contiguous run costs lags + 1 products of (k, n) by (n, k):
        every further block follows from its neighbour by one row gained and one row lost.
    """
    data = as_columns(series, "series")
    lags = check_lags(lags, least=0)
    n = len(data)
    use = np.ones(n, dtype=bool) if rows is None else np.array(rows, dtype=bool)
    if use.shape != (n,):
        raise InputError("rows must be a flag for every observation", given=use.shape, limit=f"({n},)")
    use[:lags] = False
    data = np.nan_to_num(center(data, trend), nan=0.0)
    places = np.flatnonzero(use)
    columns = deterministic(n, trend)
    if places.size and places[-1] - places[0] + 1 == places.size:
        gram = _run_gram(data, columns, lags, int(places[0]), int(places[-1]) + 1)
    else:
        stacked = np.hstack([data[places - lag] for lag in range(lags + 1)] + [columns[places]])
        gram = stacked.T @ stacked
    return LaggedGram(gram, data.shape[1], lags, columns.shape[1], int(places.size))


def _run_gram(data: Floats, columns: Floats, lags: int, start: int, stop: int) -> Floats:
    """Return the sums of products over rows start..stop-1 from lag differences and edge rows."""
    k, d = data.shape[1], columns.shape[1]
    size = k * (lags + 1) + d
    gram = np.empty((size, size))
    head = data[start:stop]
    for b in range(lags + 1):
        gram[:k, b * k : (b + 1) * k] = head.T @ data[start - b : stop - b]
    for a in range(lags):
        for b in range(a, lags):
            gained = np.outer(data[start - a - 1], data[start - b - 1])
            gained -= np.outer(data[stop - 1 - a], data[stop - 1 - b])
            block = gram[a * k : (a + 1) * k, b * k : (b + 1) * k]
            np.add(block, gained, out=gram[(a + 1) * k : (a + 2) * k, (b + 1) * k : (b + 2) * k])
    for a in range(1, lags + 1):
        for b in range(a):
            gram[a * k : (a + 1) * k, b * k : (b + 1) * k] = gram[b * k : (b + 1) * k, a * k : (a + 1) * k].T
    if d:
        edge = columns[start:stop]
        gram[-d:, -d:] = edge.T @ edge
        for a in range(lags + 1):
            gram[-d:, a * k : (a + 1) * k] = edge.T @ data[start - a : stop - a]
        gram[:-d, -d:] = gram[-d:, :-d].T
    return gram


@dataclass(frozen=True, slots=True)
class PrefixGram:
    """Running sums of the lagged products: any window of rows is one difference.

    Attributes
    ----------
    sums : ndarray of shape (n + 1, K, K)
    counts : ndarray of shape (n + 1,)
        Usable rows before each position.
    """

    sums: Floats
    counts: Ints
    n_series: int
    lags: int
    n_deterministic: int

    def window(self, start: int, stop: int) -> LaggedGram:
        """Return the sums over regression rows start <= t < stop; row t reaches back to t - lags."""
        if not 0 <= start < stop < len(self.sums):
            raise InputError("window outside the sample", given=(start, stop), limit=f"0 to {len(self.sums) - 1}")
        nobs = int(self.counts[stop] - self.counts[start])
        return LaggedGram(self.sums[stop] - self.sums[start], self.n_series, self.lags, self.n_deterministic, nobs)


def prefix_gram(series: ArrayLike, *, lags: int, trend: str = "c", rows: Bools | None = None) -> PrefixGram:
    """Return running sums of the lagged products for few series (memory n K^2); rows with a missing value add nothing.

    Raises
    ------
    InputError
        When the running sums would need more than two gigabytes.
    """
    data = as_columns(series, "series")
    stacked, use = _usable_rows(data, check_lags(lags, least=0), trend, rows)
    n, size = stacked.shape
    if (n + 1) * size * size * 8 > PREFIX_LIMIT_BYTES:
        raise InputError("running sums too large", given=f"{size} columns", remedy="use fewer series or lags at once")
    sums = np.zeros((n + 1, size, size))
    np.multiply(stacked[:, :, None], stacked[:, None, :], out=sums[1:])
    np.cumsum(sums, axis=0, out=sums)
    counts = np.concatenate([[0], np.cumsum(use)]).astype(np.int64)
    return PrefixGram(sums, counts, data.shape[1], lags, deterministic(1, trend).shape[1])


def masked_grams(series: ArrayLike, masks: ArrayLike, *, lags: int, trend: str = "c") -> tuple[LaggedGram, ...]:
    """Return the lagged sums of products over the rows of each state.

    Parameters
    ----------
    series : array of shape (n, k)
    masks : bool array of shape (n_states, n)
        Which rows (dates of the dependent variable) belong to each state; lags may reach outside the state.
    """
    data = as_columns(series, "series")
    flags = np.atleast_2d(np.asarray(masks, dtype=bool))
    if flags.shape[1] != len(data):
        limit = f"(*, {len(data)})"
        raise InputError("a state mask needs a flag for every observation", given=flags.shape, limit=limit)
    stacked, use = _usable_rows(data, check_lags(lags, least=0), trend, None)
    d = deterministic(1, trend).shape[1]
    out = []
    for flag in flags:
        chosen = stacked[flag & use]
        out.append(LaggedGram(chosen.T @ chosen, data.shape[1], lags, d, len(chosen)))
    return tuple(out)


def _usable_rows(data: Floats, lags: int, trend: str, rows: Bools | None) -> tuple[Floats, Bools]:
    """Return lag-major columns with zeros in every row that lacks a value, and which rows are whole."""
    n, k = data.shape
    clean = center(data, trend)
    lagged = lag_columns(clean, range(lags + 1)).reshape(n, k, lags + 1).transpose(0, 2, 1).reshape(n, -1)
    allowed = np.ones(n, dtype=bool) if rows is None else np.array(rows, dtype=bool)
    use: Bools = np.isfinite(lagged).all(axis=1) & allowed
    stacked = np.hstack([lagged, deterministic(n, trend)])
    return np.where(use[:, None], stacked, 0.0), use


@dataclass(frozen=True, slots=True)
class GramSolution:
    """Least squares: coefficients (k,), residual sum of squares, and the inverse of the regressors' block (k, k)."""

    coefficients: Floats
    rss: float
    inverse: Floats


def solve_gram(gram: Floats, response: int, regressors: Ints, *, floor: float = PIVOT_FLOOR) -> GramSolution | None:
    """Regress one column on others by Cholesky; None when a pivot falls below `floor` and the rows are needed.

    Notes
    -----
    The block is scaled to a unit diagonal. A squared pivot is then the share of a regressor that the earlier ones do
    not explain; sums of products lose twice as many digits as that share has zeros, so below the floor use `qr_solve`.
    """
    block = gram[np.ix_(regressors, regressors)]
    diagonal = np.sqrt(np.diag(block))
    if not (diagonal > 0).all():
        return None
    try:
        factor = np.linalg.cholesky(block / np.outer(diagonal, diagonal))
    except np.linalg.LinAlgError:
        return None
    if np.square(np.diag(factor)).min() < floor:
        return None
    inverse_factor = solve_triangular(factor, np.eye(len(regressors)), lower=True) / diagonal
    scores = inverse_factor @ gram[regressors, response]
    rss = float(gram[response, response] - scores @ scores)
    return GramSolution(inverse_factor.T @ scores, rss, inverse_factor.T @ inverse_factor)


def qr_solve(design: Floats, response: Floats) -> GramSolution | None:
    """Regress on the rows themselves by orthogonal factorisation; None when the design lacks full column rank."""
    scale = np.linalg.norm(design, axis=0)
    if len(design) < design.shape[1] or not (scale > 0).all():
        return None
    basis, factor = np.linalg.qr(design / scale)
    if is_deficient(factor, len(design)):
        return None
    inverse_factor = solve_triangular(factor, np.eye(len(scale))) / scale[:, None]
    scores = basis.T @ response
    residuals = response - basis @ scores
    return GramSolution(inverse_factor @ scores, float(residuals @ residuals), inverse_factor @ inverse_factor.T)


def is_deficient(factor: Floats, nobs: int) -> bool:
    """Say whether a triangular factor of unit-norm columns is singular to working precision."""
    values = np.linalg.svd(factor, compute_uv=False)
    return bool(values[-1] <= max(nobs, len(values)) * np.finfo(float).eps * values[0])
