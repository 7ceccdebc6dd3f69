"""The lead time of two tick series: the contrast by lag, its maximiser and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.results import Inapplicable, Result, TestResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaggedHayashiYoshida(Result):
    """Hayashi-Yoshida covariance by lag; a positive lag means that y leads.

    Attributes
    ----------
    lags : ndarray of shape (L,)
        How much later y is read, in the unit of the stamps (seconds for dates).
    covariance, correlation, lower, upper : ndarray of shape (L,)
        The contrast, the same divided by the root of both variances, and its pointwise interval from blocks of time.
    t_statistic : ndarray of shape (L,)
        Mean over blocks by its standard error, at each lag.
    lead_time : float
        Lag of the largest absolute covariance.
    lead_interval : tuple of float, or None without bootstrap
        Quantiles of the maximiser over resampled blocks; never narrower than what the grid can tell apart.
    sup_statistic, sup_pvalue : float, float or None
        Largest |t| over the grid and the p-value of no covariance at any lag, with the many lags paid for.
    nobs, nobs_y, nobs_lost : int
        Intervals of x and of y used; ticks without a price plus intervals left out.
    """

    plottable: ClassVar[bool] = True

    method: str
    lags: np.ndarray
    covariance: np.ndarray
    correlation: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    t_statistic: np.ndarray
    lead_time: float
    lead_interval: tuple[float, float] | None = None
    sup_statistic: float
    sup_pvalue: float | None = None
    nobs: int
    nobs_y: int
    nobs_lost: int
    options: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    reference: str

    def _peak(self) -> int:
        return int(np.flatnonzero(self.lags == self.lead_time)[0])

    def sup_test(self) -> TestResult | Inapplicable:
        """Return the test of no covariance at any lag; Inapplicable without bootstrap."""
        if self.sup_pvalue is None:
            return Inapplicable(method=self.method, reason="the p-value over all lags needs bootstrap draws")
        return TestResult(
            method=f"{self.method}, largest over the grid",
            null="the series are uncorrelated at every lag of the grid",
            alternative="at some lag they move together or against each other",
            statistic=self.sup_statistic,
            pvalue=self.sup_pvalue,
            distribution="bootstrap",
            estimate=self.lead_time,
            estimate_name="lead time of y",
            interval=self.lead_interval,
            interval_level=float(self.options["level"]),
            nobs=self.nobs,
            nobs_lost=self.nobs_lost,
            options=self.options,
            warnings=self.warnings,
            reference=self.reference,
        )

    def summary(self) -> str:
        """Return the lead time, its interval and the test over all lags as plain text."""
        i, level = self._peak(), self.options["level"]
        who = "no lead" if self.lead_time == 0 else ("y leads" if self.lead_time > 0 else "x leads")
        lines = [f"{self.method}, {len(self.lags)} lags from {self.lags[0]:g} to {self.lags[-1]:g}"]
        text = f"  lead time of y = {self.lead_time:g} ({who})"
        if self.lead_interval is not None:
            text += f", {level:.0%} interval [{self.lead_interval[0]:g}, {self.lead_interval[1]:g}]"
        lines.append(text)
        lines.append(
            f"  correlation there = {self.correlation[i]:.4f}, {level:.0%} pointwise interval "
            f"[{self.lower[i]:.4f}, {self.upper[i]:.4f}]"
        )
        if self.sup_pvalue is not None:
            lines.append(f"  largest |t| = {self.sup_statistic:.4g}, p over all lags = {self.sup_pvalue:.4g}")
        lines.append(f"  n = {self.nobs} and {self.nobs_y} ({self.nobs_lost} lost)")
        lines += [f"  Warning: {warning}" for warning in self.warnings]
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lag."""
        names = ("covariance", "correlation", "lower", "upper", "t_statistic")
        return pd.DataFrame({"lag": self.lags} | {name: getattr(self, name) for name in names})

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlation by lag with its pointwise interval and mark the lead time."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(7.0, 3.6)).add_subplot()
        ax.fill_between(self.lags, self.lower, self.upper, color="0.88", linewidth=0)
        ax.plot(self.lags, self.correlation, color="#1f4e79", linewidth=1.4)
        ax.plot([self.lead_time], [self.correlation[self._peak()]], "o", color="#1f4e79", markersize=5)
        ax.axhline(0.0, color="0.2", linewidth=0.8)
        ax.axvline(0.0, color="0.5", linewidth=0.6, linestyle=":")
        ax.set_xlabel("Lag (positive: y leads, negative: x leads)")
        ax.set_ylabel("Correlation")
        return ax
