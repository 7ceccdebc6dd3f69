"""What a comparison of betas to common shocks returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.results import TestResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShockBetas(TestResult):
    """Betas of two series to common shocks and the test that they are equal, shock by shock and together.

    Attributes
    ----------
    statistic, pvalue : float
        F form of the Wald test that the betas of both series are equal for every shock.
    estimate, interval
        With a single shock the amplification below; otherwise absent.
    bootstrap_pvalue, bootstrap_error : float or None
        Fixed-design wild bootstrap of the joint test with equality imposed, and its Monte Carlo standard error.
    bootstrap_draws : int
    shocks : tuple of str
        Names the arrays of shape (m,) below.
    first, first_lower, first_upper, second, second_lower, second_upper : ndarray of shape (m,)
        Return of the first and of the second series a unit of the shock, with t intervals.
    difference, difference_lower, difference_upper : ndarray of shape (m,)
        First less second.
    amplification, amplification_lower, amplification_upper : ndarray of shape (m,)
        The difference, signed so that positive means: the first series moves further in the direction in which both
        move together.
    difference_pvalue, hac_pvalue : ndarray of shape (m,)
        Two-sided t test of the difference with `cov` and with Newey–West covariance.
    single_pvalue, adjusted_pvalue : ndarray of shape (m,) or None
        Wild bootstrap p-value of each difference, and its Romano–Wolf adjustment over the shocks of this call.
    r2 : tuple of float
        Share of variance of the first and of the second series that the shocks account for.
    """

    plottable: ClassVar[bool] = True

    bootstrap_pvalue: float | None = None
    bootstrap_error: float | None = None
    bootstrap_draws: int = 0
    shocks: tuple[str, ...]
    first: np.ndarray
    first_lower: np.ndarray
    first_upper: np.ndarray
    second: np.ndarray
    second_lower: np.ndarray
    second_upper: np.ndarray
    difference: np.ndarray
    difference_lower: np.ndarray
    difference_upper: np.ndarray
    amplification: np.ndarray
    amplification_lower: np.ndarray
    amplification_upper: np.ndarray
    difference_pvalue: np.ndarray
    hac_pvalue: np.ndarray
    single_pvalue: np.ndarray | None = None
    adjusted_pvalue: np.ndarray | None = None
    r2: tuple[float, float]

    def summary(self) -> str:
        """Return the joint test, then one line a shock."""
        lines = [TestResult.summary(self)]
        if self.bootstrap_pvalue is not None:
            lines.append(
                f"  wild bootstrap p = {self.bootstrap_pvalue:.4g} (+/- {self.bootstrap_error:.2g}, "
                f"{self.bootstrap_draws} draws)"
            )
        for i, name in enumerate(self.shocks):
            p = self.difference_pvalue if self.single_pvalue is None else self.single_pvalue
            lines.append(
                f"  {name}: {self.first[i]:.6g} against {self.second[i]:.6g}, difference {self.difference[i]:.6g} "
                f"[{self.difference_lower[i]:.6g}, {self.difference_upper[i]:.6g}], p = {p[i]:.4g}"
            )
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a shock and series: first, second and their difference."""
        count = len(self.shocks)
        none: list[float | None] = [None] * count
        single = none if self.single_pvalue is None else list(self.single_pvalue)
        adjusted = none if self.adjusted_pvalue is None else list(self.adjusted_pvalue)
        parts = {
            part: pd.DataFrame(
                {
                    "shock": list(self.shocks),
                    "part": part,
                    "beta": getattr(self, part),
                    "lower": getattr(self, f"{part}_lower"),
                    "upper": getattr(self, f"{part}_upper"),
                    "pvalue": pd.Series(tests[0], dtype="object"),
                    "bootstrap_pvalue": pd.Series(tests[1], dtype="object"),
                    "adjusted_pvalue": pd.Series(tests[2], dtype="object"),
                }
            )
            for part, tests in {
                "first": (none, none, none),
                "second": (none, none, none),
                "difference": (list(self.difference_pvalue), single, adjusted),
            }.items()
        }
        return pd.concat(list(parts.values()), ignore_index=True)

    def plot(self, ax: Any = None) -> Any:
        """Draw both betas to every shock beside each other, with their intervals."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(5.0, 0.6 * len(self.shocks) + 1.2)).add_subplot()
        rows = np.arange(len(self.shocks))[::-1]
        for part, offset, color in (("first", 0.12, "#1f4e79"), ("second", -0.12, "#8a8a8a")):
            beta = getattr(self, part)
            errors = np.stack([beta - getattr(self, f"{part}_lower"), getattr(self, f"{part}_upper") - beta])
            ax.errorbar(beta, rows + offset, xerr=errors, fmt="o", color=color, capsize=3, label=part)
        ax.axvline(0.0, color="0.2", linewidth=0.8)
        ax.set_yticks(rows, list(self.shocks))
        ax.set_ylim(-0.6, len(self.shocks) - 0.4)
        ax.set_xlabel("Return a unit of the shock")
        return ax
