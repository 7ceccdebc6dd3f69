"""The result of an exceedance correlation: both corners at each threshold, and the test that they are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.results import TestResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExceedanceResult(TestResult):
    """Correlations of joint falls and joint rises beyond thresholds, and the test of their equality.

    Attributes
    ----------
    statistic, pvalue
        J statistic and its chi-squared p-value, one degree of freedom a threshold.
    estimate, interval
        Mean over the thresholds of the correlation of falls less that of rises.
    bootstrap_pvalue : float or None
        p-value of J under the stationary bootstrap: the one to rely on.
    thresholds : ndarray of shape (m,)
        In standard deviations from the mean.
    falls, rises : ndarray of shape (m,)
        Correlation where both series lie below minus a threshold, and where both lie above it.
    falls_interval, rises_interval : ndarray of shape (m, 2) or None
    gaussian : ndarray of shape (m,)
        What a normal distribution with the same correlation gives, in falls and in rises alike.
    falls_nobs, rises_nobs : ndarray of shape (m,)
    correlation : float
        Correlation of all rows.
    block : float or None
    bootstrap_draws : int
    """

    plottable: ClassVar[bool] = True

    thresholds: np.ndarray
    falls: np.ndarray
    rises: np.ndarray
    falls_interval: np.ndarray | None
    rises_interval: np.ndarray | None
    gaussian: np.ndarray
    falls_nobs: np.ndarray
    rises_nobs: np.ndarray
    correlation: float
    bootstrap_pvalue: float | None = None
    block: float | None = None
    bootstrap_draws: int = 0

    def summary(self) -> str:
        """Return the test, then one line a threshold."""
        lines = [TestResult.summary(self)]
        if self.bootstrap_pvalue is not None:
            lines.append(f"  stationary bootstrap p = {self.bootstrap_pvalue:.4g} ({self.bootstrap_draws} draws)")
        for i, c in enumerate(self.thresholds):
            lines.append(
                f"  beyond {c:g}: falls {self.falls[i]:.4f} (n = {self.falls_nobs[i]}), rises {self.rises[i]:.4f} "
                f"(n = {self.rises_nobs[i]}), normal {self.gaussian[i]:.4f}"
            )
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a threshold and side."""
        rows = []
        for side, values, nobs, bounds in (
            ("falls", self.falls, self.falls_nobs, self.falls_interval),
            ("rises", self.rises, self.rises_nobs, self.rises_interval),
        ):
            for i, c in enumerate(self.thresholds):
                low, high = (None, None) if bounds is None else bounds[i]
                rows.append((side, c, values[i], low, high, self.gaussian[i], nobs[i]))
        return pd.DataFrame(rows, columns=["side", "threshold", "correlation", "lower", "upper", "gaussian", "nobs"])

    def plot(self, ax: Any = None) -> Any:
        """Draw correlations of falls to the left and of rises to the right, with what a normal distribution gives."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(5.0, 2.8)).add_subplot()
        for sign, values, bounds, color in (
            (-1.0, self.falls, self.falls_interval, "#a23b2a"),
            (1.0, self.rises, self.rises_interval, "#1f4e79"),
        ):
            errors = None if bounds is None else np.stack([values - bounds[:, 0], bounds[:, 1] - values])
            ax.errorbar(sign * self.thresholds, values, yerr=errors, fmt="o-", color=color, capsize=3)
            ax.plot(sign * self.thresholds, self.gaussian, "--", color="0.5", linewidth=0.9)
        ax.axhline(0.0, color="0.2", linewidth=0.8)
        ax.set_xlabel("Threshold in standard deviations: falls left, rises right; dashed: normal")
        ax.set_ylabel("Correlation")
        return ax
