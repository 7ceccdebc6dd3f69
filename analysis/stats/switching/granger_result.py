"""What the Granger test by hidden regime returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.results import TestResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarkovSwitchingGrangerResult(TestResult):
    """The cause's lag coefficients in every hidden regime of the effect, and the tests on them.

    Attributes
    ----------
    statistic, pvalue
        F form of the test that the coefficients are equal in all regimes (HC3).
    estimate, interval
        Difference of the cumulative coefficients, last regime (largest variance) less first.
    tests : tuple of str
        Names the arrays of tests: ``"equal"`` in all regimes, ``"none"`` in any regime, ``"state j"`` none in regime j.
    test_statistic, test_pvalue : ndarray of shape (2 + k,)
        F form with HC3.
    test_bootstrap_pvalue : ndarray of shape (2 + k,) or (0,)
        Fixed-design wild bootstrap with each null imposed; empty without draws.
    bootstrap_draws : int
    coefficients : ndarray of shape (k, p)
        By regime and lag.
    cumulative, cumulative_lower, cumulative_upper : ndarray of shape (k,)
    regime_rows : ndarray of shape (k,)
        Expected rows in each regime, given the past of each row.
    regime_variances : ndarray of shape (k,)
    transition : ndarray of shape (k, k)
        Rows sum to one.
    likelihood_coefficients : ndarray of shape (k, p) or (0, p)
        Of the joint model, where asked for.
    likelihood_statistic, likelihood_pvalue : ndarray of shape (2 + k,) or (0,)
        Its Wald tests (chi-squared, sandwich covariance).
    """

    plottable: ClassVar[bool] = True

    tests: tuple[str, ...]
    test_statistic: np.ndarray
    test_pvalue: np.ndarray
    test_bootstrap_pvalue: np.ndarray
    bootstrap_draws: int
    coefficients: np.ndarray
    cumulative: np.ndarray
    cumulative_lower: np.ndarray
    cumulative_upper: np.ndarray
    regime_rows: np.ndarray
    regime_variances: np.ndarray
    transition: np.ndarray
    likelihood_coefficients: np.ndarray
    likelihood_statistic: np.ndarray
    likelihood_pvalue: np.ndarray

    def summary(self) -> str:
        """Return the test of equality, every test, then one line a regime."""
        lines = [TestResult.summary(self)]
        for i, name in enumerate(self.tests):
            text = f"  {name}: F = {self.test_statistic[i]:.6g}, p = {self.test_pvalue[i]:.4g}"
            if self.test_bootstrap_pvalue.size:
                text += f", wild bootstrap p = {self.test_bootstrap_pvalue[i]:.4g}"
            if self.likelihood_pvalue.size:
                text += f", likelihood p = {self.likelihood_pvalue[i]:.4g}"
            lines.append(text)
        for i, value in enumerate(self.cumulative):
            lines.append(
                f"  regime {i}: sum of lags = {value:.6g} [{self.cumulative_lower[i]:.6g}, "
                f"{self.cumulative_upper[i]:.6g}], variance = {self.regime_variances[i]:.6g}, "
                f"expected rows = {self.regime_rows[i]:.1f}"
            )
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return the difference between the outer regimes, then one row a regime."""
        low, high = self.interval if self.interval is not None else (None, None)
        k = len(self.cumulative)
        return pd.DataFrame(
            {
                "part": ["last - first", *(f"regime {i}" for i in range(k))],
                "cumulative": [self.estimate, *self.cumulative],
                "lower": [low, *self.cumulative_lower],
                "upper": [high, *self.cumulative_upper],
                "statistic": [self.statistic, *self.test_statistic[2:]],
                "pvalue": [self.pvalue, *self.test_pvalue[2:]],
                "rows": [float(self.nobs), *self.regime_rows],
            }
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the cumulative coefficient in each regime with its interval and a zero line."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(5.0, 2.4)).add_subplot()
        places = np.arange(len(self.cumulative))
        errors = np.stack([self.cumulative - self.cumulative_lower, self.cumulative_upper - self.cumulative])
        ax.errorbar(self.cumulative, places, xerr=errors, fmt="o", color="#1f4e79", capsize=3)
        ax.axvline(0.0, color="0.2", linewidth=0.8)
        ax.set_yticks(places, [f"regime {i} (variance {v:.3g})" for i, v in enumerate(self.regime_variances)])
        ax.set_ylim(-0.6, len(places) - 0.4)
        ax.set_xlabel("Sum of the cause's lag coefficients")
        return ax
