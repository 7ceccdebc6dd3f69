"""What every break statistic starts from: checked rows in time order, and the fit of all stretches of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.stats.lagged import Floats, Ints, is_deficient, same_index
from analysis.stats.regression import as_columns, as_series

EXACT_FIT = 1e-20  # unexplained share of the sum of squares that rounding alone leaves
PIVOT_FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Rows:
    """Complete rows: response (n,), design (n, k) with the constant first, and their 0-based places in the input."""

    response: Floats
    design: Floats
    places: Ints
    given: int

    @property
    def lost(self) -> int:
        """Rows left out for a missing value."""
        return self.given - len(self.response)

    def number(self, last: int) -> int:
        """Return the 1-based number in the input of the `last`-th used row."""
        return int(self.places[last - 1]) + 1


def read_rows(y: ArrayLike, x: ArrayLike | None) -> Rows | str:
    """Return the complete rows, or the reason why no coefficient can be estimated from them."""
    same_index(y=y, x=x)
    series = as_series("y", y)
    columns = as_columns("x", x, series.size)
    places = np.flatnonzero(np.isfinite(series) & np.isfinite(columns).all(axis=1))
    response, columns = series[places], columns[places]
    design = np.column_stack([np.ones(places.size), columns])
    n, k = design.shape
    if n < 2 * k + 2:
        return f"{n} complete rows are too few for {k} coefficients before and after a break"
    spread = columns.std(axis=0)
    if (spread <= 1e-12 * np.abs(columns).max(axis=0, initial=0.0)).any():
        return "a regressor is constant; the constant is always included"
    # A change of units and origin of the regressors leaves every fit as it was and keeps the sums of products exact.
    design[:, 1:] = (columns - columns.mean(axis=0)) / spread if columns.shape[1] else columns
    if is_deficient(np.linalg.qr(design / np.sqrt(n))[1], n):
        return "the regressors are collinear"
    if response.std() <= 1e-12 * np.abs(response).max():
        return "the series is constant"
    return Rows(response, design, places.astype(np.int64), series.size)


def check_trim(trim: float) -> float:
    """Return the trimming share; raises InputError unless it lies between 0 and 1/2."""
    if isinstance(trim, bool) or not isinstance(trim, int | float | np.floating) or not 0.0 < trim < 0.5:
        raise InputError("trim must be a share of the sample", given=repr(trim), limit="above 0 and below 0.5")
    return float(trim)


def least_rows(rows: Rows, trim: float) -> int | str:
    """Return the fewest rows of a stretch, or the reason why the trimming leaves too few."""
    n, k = rows.design.shape
    h = int(trim * n + 1e-9)
    return h if h > k else f"a stretch of {h} rows ({trim:.0%} of {n}) is too short for {k} coefficients"


def segment_rss(response: Floats, design: Floats, shortest: int, start: int) -> Floats:
    """Return the residual sum of squares of every stretch that begins at row `start`.

    Parameters
    ----------
    response : ndarray of shape (n,)
    design : ndarray of shape (n, k)
    shortest : int
        Fewest rows h of a stretch.
    start : int

    Returns
    -------
    ndarray of shape (n - start - shortest + 1,)
        Entry i is for rows start .. start + shortest - 1 + i; infinite where its regressors are collinear.

    Notes
    -----
    Running sums of products, then the same k elimination steps for all stretches at once. The response is measured
    from its mean over the first stretch, so that little is lost to subtraction.
    """
    y = response[start:] - response[start : start + shortest].mean()
    joint = np.column_stack([design[start:], y])
    gram = np.cumsum(joint[:, :, None] * joint[:, None, :], axis=0)[shortest - 1 :]
    k = design.shape[1]
    diagonal = gram[:, np.arange(k), np.arange(k)].copy()
    singular = np.zeros(len(gram), dtype=bool)
    for j in range(k):
        pivot = gram[:, j, j]
        singular |= pivot <= PIVOT_FLOOR * diagonal[:, j]
        safe = np.where(singular, 1.0, pivot)
        gram[:, j + 1 :, j + 1 :] -= gram[:, j + 1 :, j, None] * gram[:, None, j, j + 1 :] / safe[:, None, None]
    return np.where(singular, np.inf, np.maximum(gram[:, k, k], 0.0))


def fit(response: Floats, design: Floats) -> tuple[Floats, Floats]:
    """Return coefficients and residuals of least squares."""
    coefficients = np.asarray(np.linalg.lstsq(design, response, rcond=None)[0], dtype=np.float64)
    return coefficients, response - design @ coefficients


def long_run_meat(scores: Floats, cov: str, bandwidth: int) -> Floats:
    """Return the sum of products of scores (n, q), with Bartlett-weighted lags when `cov` is HAC."""
    meat = scores.T @ scores
    for lag in range(1, min(bandwidth, len(scores) - 1) + 1 if cov == "HAC" else 1):
        cross = scores[lag:].T @ scores[:-lag]
        meat += (1.0 - lag / (bandwidth + 1.0)) * (cross + cross.T)
    return np.asarray(meat)
