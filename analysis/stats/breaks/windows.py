"""Links in windows of time: their path with bands, and the before/after test at every date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, Result
from analysis.stats.breaks.around_dates import link_columns
from analysis.stats.breaks.design import EXACT_FIT
from analysis.stats.lagged import Floats, Ints
from analysis.stats.regression import positive_integer

ROLLING = "Rolling link"
_BLOCK_CELLS = 2_000_000
_CONDITION = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RollingLink(Result):
    """Response of one series to another in a moving window.

    Attributes
    ----------
    position : ndarray of int of shape (w,)
        Row at which each window ends; windows that cannot be used are left out and counted in `windows_lost`.
    estimate, lower, upper : ndarray of shape (w,)
        Response within the period, or sum of the lag coefficients, with its pointwise HC3 interval. Neighbouring
        windows share data, so the path is no sequence of tests.
    nobs : ndarray of int of shape (w,)
    """

    plottable: ClassVar[bool] = True

    method: str
    window: int
    lags: int
    position: np.ndarray
    estimate: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    nobs: np.ndarray
    windows_lost: int
    options: Mapping[str, Any]
    reference: str

    def summary(self) -> str:
        """Return the range of the path and its last value as plain text."""
        lines = [f"{self.method}, {self.window} rows a window, lags = {self.lags}"]
        lines.append(f"  {len(self.position)} windows ({self.windows_lost} not usable)")
        for name, i in (("lowest", int(np.argmin(self.estimate))), ("highest", int(np.argmax(self.estimate)))):
            lines.append(
                f"  {name} {self.estimate[i]:.4g} at row {self.position[i]}, {self.options['level']:.0%} pointwise "
                f"interval [{self.lower[i]:.4g}, {self.upper[i]:.4g}], n = {self.nobs[i]}"
            )
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a window, by the row at which it ends."""
        names = ("position", "estimate", "lower", "upper", "nobs")
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def plot(self, ax: Any = None) -> Any:
        """Draw the path with its pointwise interval and a zero line."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(7.0, 3.6)).add_subplot()
        for run in np.split(np.arange(len(self.position)), np.flatnonzero(np.diff(self.position) > 1) + 1):
            ax.fill_between(self.position[run], self.lower[run], self.upper[run], color="0.85", linewidth=0)
            ax.plot(self.position[run], self.estimate[run], color="#1f4e79", linewidth=1.4)
        ax.axhline(0.0, color="0.2", linewidth=0.8)
        ax.set_xlabel("Row at which the window ends")
        ax.set_ylabel("Response")
        return ax


def rolling_link(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    window: int,
    lags: int = 0,
    given: ArrayLike | None = None,
    level: float = 0.95,
    minimum: int | None = None,
) -> RollingLink | Inapplicable:
    """Regress the effect on the cause in a window that moves by one row.

    Parameters
    ----------
    effect, cause, lags, given
        As in `before_after`: lags = 0 is the response within the period beside the effect's previous value.
    window : int
        Rows a window.
    level : float
        Level of the pointwise intervals.
    minimum : int, optional
        Complete rows a window needs; by default half a window.

    Returns
    -------
    RollingLink or Inapplicable
        A value dated t uses rows up to t only.

    Raises
    ------
    InputError
        On wrong shapes, infinite values or options outside their range.

    Notes
    -----
    95 % intervals covered 94 % with 250 rows a window and errors whose variance follows the regressor.

    References
    ----------
    MacKinnon and White (1985), J. Econometrics 29 (HC3).
    """
    y, x, others = link_columns(effect, cause, lags=lags, given=given)
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)
    w = positive_integer("window", window, at_least=20)
    least = w // 2 if minimum is None else positive_integer("minimum", minimum, at_least=10)
    path = _windows(y, x, others, w, least)
    usable = np.flatnonzero(path.usable)
    if usable.size == 0:
        return Inapplicable(method=ROLLING, reason=f"no window of {w} rows has {least} complete ones that vary")
    total = path.coefficients[usable].sum(axis=1)
    spread = np.sqrt(path.covariance[usable].sum(axis=(1, 2)))
    half = stats.t.isf((1.0 - level) / 2.0, path.counts[usable] - path.parameters) * spread
    return RollingLink(
        method=ROLLING,
        window=w,
        lags=lags,
        position=usable + w - 1,
        estimate=total,
        lower=total - half,
        upper=total + half,
        nobs=path.counts[usable],
        windows_lost=int(path.usable.size - usable.size),
        options={"level": level, "minimum": least, "cov": "HC3", "given": others.shape[1]},
        reference="MacKinnon and White (1985), J. Econometrics 29 (HC3)",
    )


def before_after_path(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    window: int,
    lags: int = 0,
    given: ArrayLike | None = None,
    minimum: int | None = None,
) -> tuple[Floats, Floats]:
    """Test every date of a sample as `before_after` with a window and HC3 does.

    Parameters
    ----------
    effect, cause, window, lags, given
        As in `before_after`.
    minimum : int, optional
        Complete rows each side needs; by default half a window. Near an end of the sample a side holds what there is.

    Returns
    -------
    pvalues, changes : ndarray of shape (n + 1,)
        Entry d belongs to a date after observation d (1-based); NaN where there is no test.

    Notes
    -----
    All coefficients differ between the two sides, so each side is a regression of its own: every window is fitted once
    and serves as the past of one date and as the future of another.
    """
    y, x, others = link_columns(effect, cause, lags=lags, given=given)
    w = positive_integer("window", window, at_least=20)
    least = w // 2 if minimum is None else positive_integer("minimum", minimum, at_least=10)
    margin = max(w - least, 0)
    path = _windows(_padded(y, margin), _padded(x, margin), _padded(others, margin), w, least)
    pvalues, changes = np.full(y.size + 1, np.nan), np.full(y.size + 1, np.nan)
    starts = np.arange(path.usable.size - w)
    starts = starts[path.usable[starts] & path.usable[starts + w]] if starts.size else starts
    if starts.size == 0:
        return pvalues, changes
    delta = path.coefficients[starts + w] - path.coefficients[starts]
    V = path.covariance[starts + w] + path.covariance[starts]
    F = np.einsum("ni,ni->n", delta, np.linalg.solve(V, delta[:, :, None])[:, :, 0]) / x.shape[1]
    df = path.counts[starts] + path.counts[starts + w] - 2 * path.parameters
    pvalues[starts + w - margin] = stats.f.sf(F, x.shape[1], df)
    changes[starts + w - margin] = delta.sum(axis=1)
    return pvalues, changes


def _padded(block: Floats, margin: int) -> Floats:
    """Add missing rows before and after a sample, so that a window may reach beyond its ends."""
    return np.pad(block, [(margin, margin), *[(0, 0)] * (block.ndim - 1)], constant_values=np.nan)


@dataclass(frozen=True, slots=True)
class _Path:
    """By window: tested coefficients (s, q), their HC3 covariance (s, q, q), complete rows (s,), and whether usable."""

    coefficients: Floats
    covariance: Floats
    counts: Ints
    usable: np.ndarray
    parameters: int


def _windows(y: Floats, x: Floats, others: Floats, w: int, least: int) -> _Path:
    """Fit every window; incomplete rows are zero rows, which add nothing to any sum."""
    Z = np.column_stack([x, np.ones(y.size), others])
    complete = np.isfinite(np.column_stack([y, Z])).all(axis=1)
    q, k, windows = x.shape[1], Z.shape[1], max(y.size - w + 1, 0)
    out = _Path(
        coefficients=np.zeros((windows, q)),
        covariance=np.zeros((windows, q, q)),
        counts=np.zeros(windows, dtype=np.int64),
        usable=np.zeros(windows, dtype=bool),
        parameters=k,
    )
    if windows == 0 or not complete.any():
        return out
    joint = np.where(complete[:, None], np.column_stack([y, Z]), 0.0)
    scale = np.sqrt((joint**2).mean(axis=0))
    scale[scale == 0.0] = 1.0
    joint /= scale
    counts = sliding_window_view(complete, w).sum(axis=1)
    for part, block in _blocks(joint, w):
        enough = counts[part] >= max(least, 2 * k)
        b, V, regular = _fit_block(block, q, enough)
        out.coefficients[part] = b * scale[0] / scale[1 : q + 1]
        out.covariance[part] = V * scale[0] ** 2 / np.outer(scale[1 : q + 1], scale[1 : q + 1])
        out.usable[part] = regular
    out.counts[:] = counts
    return out


def _blocks(joint: Floats, w: int) -> Iterator[tuple[slice, Floats]]:
    views = sliding_window_view(joint, w, axis=0).transpose(0, 2, 1)
    step = max(1, _BLOCK_CELLS // (w * joint.shape[1]))
    for start in range(0, len(views), step):
        part = slice(start, min(start + step, len(views)))
        yield part, np.ascontiguousarray(views[part])


def _fit_block(block: Floats, q: int, enough: np.ndarray) -> tuple[Floats, Floats, np.ndarray]:
    """Return the first q coefficients, their HC3 covariance and whether they exist, for windows (s, w, 1 + k)."""
    Y, Z = block[:, :, 0], block[:, :, 1:]
    gram = np.einsum("swi,swj->sij", Z, Z)
    length = np.sqrt(np.einsum("sii->si", gram))
    safe = np.where(length > 0, length, 1.0)
    unit = gram / (safe[:, :, None] * safe[:, None, :])
    values = np.linalg.eigvalsh(unit)
    regular = enough & (values[:, 0] > _CONDITION)
    unit[~regular] = np.eye(unit.shape[1])
    bread = np.linalg.inv(unit) / (safe[:, :, None] * safe[:, None, :])
    A = np.einsum("swi,sij->swj", Z, bread)
    b = np.einsum("swi,sw->si", A, Y)
    leverage = np.einsum("swi,swi->sw", A, Z)
    regular &= leverage.max(axis=1) < 1.0 - 1e-9
    residual = Y - np.einsum("swi,si->sw", Z, b)
    # What rounding leaves of an exact fit has no standard error.
    regular &= np.square(residual).sum(axis=1) > EXACT_FIT * np.square(Y).sum(axis=1)
    scaled = residual / np.where(regular[:, None], 1.0 - leverage, 1.0)
    scores = A[:, :, :q] * scaled[:, :, None]
    V = np.einsum("swi,swj->sij", scores, scores)
    regular &= np.einsum("sii->si", V).min(axis=1) > 0
    return b[:, :q], V, regular
