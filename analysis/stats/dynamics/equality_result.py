"""What a test that assets respond alike found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.results import TestResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResponseEquality(TestResult):
    """A test that assets respond alike, on the dates that all of them have.

    Attributes
    ----------
    statistic, pvalue
        Path: largest absolute t of any asset's distance from the mean response at any horizon. Timing and size: a
        quadratic form. The p-value comes from sign changes by date with the null imposed.
    null_name : {"path", "timing", "size"}
    names : tuple of str
        The N assets.
    horizons : tuple of int
    responses : ndarray of shape (H, N)
        Cumulative responses on the common dates.
    standard_errors : ndarray of shape (H, N)
    contrast : ndarray of shape (N,)
        How far each asset is from the null: the distance from the mean with the largest t over horizons (path), at the
        last horizon (size), or the later response less its common multiple of the first (timing).
    contrast_t : ndarray of shape (N,)
        The same in standard errors.
    common_ratio : float or None
        Timing: later over first response, common to all under the null.
    bootstrap_error : float
        Monte Carlo standard error of the p-value.
    bootstrap_draws : int
    asymptotic_pvalue : float or None
        From the chi-squared distribution, for comparison.
    """

    null_name: str
    names: tuple[str, ...]
    horizons: tuple[int, ...]
    responses: np.ndarray
    standard_errors: np.ndarray
    contrast: np.ndarray
    contrast_t: np.ndarray
    common_ratio: float | None = None
    bootstrap_error: float
    bootstrap_draws: int
    asymptotic_pvalue: float | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row an asset: first and last response and its distance from the null."""
        return pd.DataFrame(
            {
                "asset": list(self.names),
                "first": self.responses[0],
                "first_error": self.standard_errors[0],
                "last": self.responses[-1],
                "last_error": self.standard_errors[-1],
                "contrast": self.contrast,
                "contrast_t": self.contrast_t,
            }
        )

    def summary(self) -> str:
        """Return the test, then one line an asset."""
        lines = [TestResult.summary(self)]
        for i, name in enumerate(self.names):
            lines.append(
                f"  {name}: {self.responses[0, i]:.6g} at horizon {self.horizons[0]}, {self.responses[-1, i]:.6g} at "
                f"{self.horizons[-1]}, distance from the null {self.contrast_t[i]:.3g} standard errors"
            )
        return "\n".join(lines)
