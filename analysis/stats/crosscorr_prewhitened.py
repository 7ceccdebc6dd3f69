"""Cross-correlation of what each series does that its own past does not say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, Result, TestResult
from analysis.stats.crosscorr import CrossCorrelation, cross_correlation
from analysis.stats.lagged import as_numbers, same_index, standardise
from analysis.stats.regression import as_series, lag_columns, ols, positive_integer

METHOD = "Prewhitened cross-correlation"
REFERENCE = "Haugh (1976), J. American Statistical Association 71, 378-385"
CRITERIA = ("aic", "bic", "hqic")
RANGES = ("lags -m to m", "lags 1 to m (y leads x)", "lags -m to -1 (x leads y)")
MINIMUM_ROWS = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrewhitenedCorrelation(Result):
    """Cross-correlations of the residuals of two autoregressions; k > 0 means that y leads.

    Attributes
    ----------
    correlation : CrossCorrelation
        Cross-correlations of the residuals with robust bands and robust cumulative tests.
    order_x, order_y : int
        Autoregressive orders chosen.
    coefficients_x, coefficients_y : ndarray of shape (order + 1,)
        Constant, then the coefficients of lags 1 … order.
    residuals_x, residuals_y : ndarray of shape (n,)
        What each series does that its own past does not say; NaN where a lag is missing. Row t uses data up to t, but
        the coefficients come from the whole sample.
    portmanteau, portmanteau_adjusted : ndarray of shape (3,)
        Haugh's S = N Σr² and S* = N² Σr²/(N - |k|) over lags -m … m, 1 … m and -m … -1.
    portmanteau_df : tuple of int
        2m + 1, m and m.
    portmanteau_pvalue, portmanteau_adjusted_pvalue : ndarray of shape (3,)
        Chi-squared; right for independent homoskedastic residuals only, unlike the robust tests in `correlation`.
    """

    plottable: ClassVar[bool] = True

    method: str
    correlation: CrossCorrelation
    order_x: int
    order_y: int
    coefficients_x: np.ndarray
    coefficients_y: np.ndarray
    residuals_x: np.ndarray
    residuals_y: np.ndarray
    portmanteau: np.ndarray
    portmanteau_adjusted: np.ndarray
    portmanteau_df: tuple[int, ...]
    portmanteau_pvalue: np.ndarray
    portmanteau_adjusted_pvalue: np.ndarray
    nobs: int
    nobs_lost: int
    options: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    reference: str = REFERENCE

    def lead_test(self, leader: str) -> TestResult:
        """Return the robust cumulative test that `leader` ("x" or "y") leads the other, on the residuals."""
        return self.correlation.lead_test(leader)

    def summary(self) -> str:
        """Return orders, Haugh's statistics and the residual cross-correlations as plain text."""
        orders = f"AR({self.order_x}) for x, AR({self.order_y}) for y"
        lines = [f"{self.method}: {orders}, n = {self.nobs} ({self.nobs_lost} lost)"]
        rows = zip(RANGES, self.portmanteau_df, self.portmanteau, self.portmanteau_adjusted,
                   self.portmanteau_pvalue, self.portmanteau_adjusted_pvalue, strict=True)  # fmt: skip
        lines += [f"  {name}: S = {S:.6g} (p = {p:.4g}), S* = {T:.6g} (p = {q:.4g}), df {df}"
                  for name, df, S, T, p, q in rows]  # fmt: skip
        lines += [f"  Warning: {warning}" for warning in self.warnings]
        lines.append(f"  Reference: {self.reference}")
        return "\n".join([*lines, self.correlation.summary()])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lag of the residual cross-correlations."""
        return self.correlation.to_frame()

    def plot(self, ax: Any = None) -> Any:
        """Draw the residual cross-correlations."""
        ax = self.correlation.plot(ax)
        ax.set_ylabel("Correlation of residuals x(t), y(t − k)")
        return ax


@dataclass(frozen=True, slots=True)
class _Autoregression:
    order: int
    coefficients: np.ndarray
    residuals: np.ndarray


def prewhitened_correlation(
    x: Any,
    y: Any,
    *,
    max_lag: int,
    max_order: int | None = None,
    criterion: str = "aic",
    level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
) -> PrewhitenedCorrelation | Inapplicable:
    """Filter each series by its own autoregression and correlate what is left at lags -m … m; k > 0: y leads.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Two series on one time grid. NaN marks a missing value; a row is used only with all its own lags.
    max_lag : int
        The largest lag m.
    max_order : int, optional
        The largest autoregressive order tried; by default min(10 log10 n, n / 10). 0 only removes the mean.
    criterion : {"aic", "bic", "hqic"}
        Chooses each order among those from 0 to `max_order`, all compared on the same rows.
    level : float
        Confidence level of bands and intervals.
    bootstrap, rng
        Draws and generator of the sup-lag p-value, see `cross_correlation`.

    Returns
    -------
    PrewhitenedCorrelation or Inapplicable
        Inapplicable when fewer than 30 rows are left for an autoregression, or a series or its residual is constant.

    Raises
    ------
    InputError
        On wrong shapes, infinite values or options outside their range.

    Notes
    -----
    Autocorrelation in both series widens the sampling error of every raw cross-correlation; filtering each by its own
    past removes that and leaves leads in place, though a filter of the led series may spread them over lags. Under
    independence the estimation of the filters does not matter asymptotically.

    References
    ----------
    Haugh (1976), J. American Statistical Association 71, 378-385; AR orders on a common sample: Lütkepohl (2005), 4.3.

    Examples
    --------
    >>> y = np.random.default_rng(1).standard_normal(400).cumsum() * 0.1 + np.random.default_rng(2).standard_normal(400)
    >>> result = prewhitened_correlation(np.r_[0.0, y[:-1]], y, max_lag=3)
    >>> int(result.correlation.lags[np.argmax(result.correlation.estimate)])
    1
    """
    same_index(x=x, y=y)
    x = as_series("x", as_numbers(x, "x"))
    y = as_series("y", as_numbers(y, "y"), x.size)
    m = positive_integer("max_lag", max_lag)
    if criterion not in CRITERIA:
        raise InputError("unknown criterion", given=repr(criterion), limit=", ".join(CRITERIA))
    if max_order is None:
        max_order = int(min(10 * math.log10(max(x.size, 1)), x.size / 10))
    highest = positive_integer("max_order", max_order, at_least=0)
    fits = [_autoregression(name, series, highest, criterion) for name, series in (("x", x), ("y", y))]
    for fit in fits:
        if isinstance(fit, str):
            return Inapplicable(method=METHOD, reason=fit)
    first, second = (fit for fit in fits if isinstance(fit, _Autoregression))
    found = cross_correlation(first.residuals, second.residuals, max_lag=m, level=level, bootstrap=bootstrap, rng=rng)
    if isinstance(found, Inapplicable):
        return Inapplicable(method=METHOD, reason=f"of the residuals, {found.reason}")
    S, T = _portmanteau(found, m)
    df = (2 * m + 1, m, m)
    return PrewhitenedCorrelation(
        method=METHOD,
        correlation=found,
        order_x=first.order,
        order_y=second.order,
        coefficients_x=first.coefficients,
        coefficients_y=second.coefficients,
        residuals_x=first.residuals,
        residuals_y=second.residuals,
        portmanteau=S,
        portmanteau_adjusted=T,
        portmanteau_df=df,
        portmanteau_pvalue=stats.chi2.sf(S, df),
        portmanteau_adjusted_pvalue=stats.chi2.sf(T, df),
        nobs=int(found.nobs[m]),
        nobs_lost=x.size - int(found.nobs[m]),
        options={"max_lag": m, "max_order": highest, "criterion": criterion, "level": level, "bootstrap": bootstrap},
        warnings=tuple(
            f"the order of {name} is the largest tried" for name, fit in (("x", first), ("y", second))
            if fit.order == highest > 0
        ),
    )  # fmt: skip


def _portmanteau(found: CrossCorrelation, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Haugh's S and S* over all lags, the positive and the negative ones."""
    N = float(found.nobs[m])
    plain = N * found.estimate**2
    adjusted = plain * N / (N - np.abs(found.lags))
    ranges = (slice(None), slice(m + 1, None), slice(0, m))
    return np.array([plain[r].sum() for r in ranges]), np.array([adjusted[r].sum() for r in ranges])


def _autoregression(name: str, series: np.ndarray, highest: int, criterion: str) -> _Autoregression | str:
    """Choose the order on common rows, refit on all rows it can use; a text is the reason why it cannot be done."""
    present = np.flatnonzero(np.isfinite(series))
    own, exponents = standardise(series[:, None], "c")
    unit = int(exponents[0])
    level = float(series[present[0]] - np.ldexp(own[present[0], 0], unit)) if present.size else 0.0
    series = own[:, 0]
    lagged = lag_columns(series[:, None], highest)
    common = np.isfinite(series) & np.isfinite(lagged).all(axis=1)
    n = int(common.sum())
    if n < max(MINIMUM_ROWS, 2 * (highest + 1)):
        return f"{name} has {n} rows with all of {highest} lags, too few to choose an autoregression"
    Z, target = np.column_stack([np.ones(n), lagged[common]]), series[common]
    # One factorisation serves all nested orders: each column explains the square of its projection.
    Q, _ = np.linalg.qr(Z)
    explained = (Q.T @ target) ** 2
    rest = target - Q @ (Q.T @ target)
    ssr = float(rest @ rest) + np.r_[np.cumsum(explained[::-1])[::-1][1:], 0.0]
    if ssr.min() <= 1e-20 * max(float(target @ target), 1e-300):
        return f"{name} is constant or follows its own past without error"
    weight = {"aic": 2.0, "bic": math.log(n), "hqic": 2.0 * math.log(math.log(n))}[criterion]
    order = int(np.argmin(n * np.log(ssr / n) + weight * np.arange(1, highest + 2)))
    rows = np.isfinite(series) & np.isfinite(lagged[:, :order]).all(axis=1)
    fit = ols(np.column_stack([np.ones(int(rows.sum())), lagged[rows, :order]]), series[rows])
    if fit is None:
        return f"the lags of {name} are collinear"
    residuals = np.full(series.size, np.nan)
    residuals[rows] = np.ldexp(fit.residuals, unit)
    slopes = fit.coefficients[1:]
    coefficients = np.r_[math.ldexp(fit.coefficients[0], unit) + level * (1.0 - slopes.sum()), slopes]
    return _Autoregression(order, coefficients, residuals)
