"""What the threshold test returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.results import TestResult

SIDES = ("below", "above")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ThresholdResult(TestResult):
    """Does the cause's effect change at some level of another variable, at which, and by how much.

    Attributes
    ----------
    statistic, pvalue
        Largest robust statistic over the candidate splits, and its bootstrap p-value.
    estimate, interval
        Change of the sum of the cause's coefficients at the estimated split, with the split taken as given.
    functionals, functional_pvalues, functional_errors : ndarray of shape (3,)
        Largest, average and log-average-exponential statistic, their bootstrap p-values and Monte Carlo errors.
    bootstrap_draws : int
    split : float
        Least squares estimate of the level; rows with the variable above it are in the upper regime.
    split_share : float
        Share of the rows above it.
    split_set : tuple of float
        Smallest and largest candidate that is not rejected as the level, given that there is one.
    split_set_share : float
        Share of all candidates that are not rejected: near one, the data do not say where the split is.
    levels, path : ndarray of shape (g,)
        Candidate levels, rising, and the statistic at each.
    below, above : ndarray of shape (max(p, 1),)
        The cause's coefficients on either side of the split.
    side_sums, side_lower, side_upper : ndarray of shape (2,)
        Their sums with intervals (HC3), below then above.
    side_nobs, side_episodes : ndarray of shape (2,)
        Rows and separate spells on either side.
    """

    plottable: ClassVar[bool] = True

    functionals: np.ndarray
    functional_pvalues: np.ndarray
    functional_errors: np.ndarray
    bootstrap_draws: int
    split: float
    split_share: float
    split_set: tuple[float, float]
    split_set_share: float
    levels: np.ndarray
    path: np.ndarray
    below: np.ndarray
    above: np.ndarray
    side_sums: np.ndarray
    side_lower: np.ndarray
    side_upper: np.ndarray
    side_nobs: np.ndarray
    side_episodes: np.ndarray

    def summary(self) -> str:
        """Return the test, the split with its set, and one line a side."""
        lines = [TestResult.summary(self)]
        for name, value, p in zip(("sup", "average", "exp"), self.functionals, self.functional_pvalues, strict=True):
            lines.append(f"  {name} = {value:.6g}, bootstrap p = {p:.4g}")
        lines.append(
            f"  split at {self.split:.6g}, set from {self.split_set[0]:.6g} to {self.split_set[1]:.6g} "
            f"({self.split_set_share:.0%} of the candidates)"
        )
        for i, side in enumerate(SIDES):
            lines.append(
                f"  {side}: {self.side_sums[i]:.6g} [{self.side_lower[i]:.6g}, {self.side_upper[i]:.6g}], "
                f"n = {self.side_nobs[i]}, episodes = {self.side_episodes[i]}"
            )
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return three rows: the change at the split, then each side; the test of the change stands on all of them."""
        low, high = self.interval if self.interval is not None else (None, None)
        return pd.DataFrame(
            {
                "part": ["above - below", *SIDES],
                "estimate": [self.estimate, *self.side_sums],
                "lower": [low, *self.side_lower],
                "upper": [high, *self.side_upper],
                "statistic": [self.statistic] * 3,
                "pvalue": [self.pvalue] * 3,
                "split": [self.split] * 3,
                "nobs": [self.nobs, *self.side_nobs],
                "episodes": [int(self.side_episodes.sum()), *self.side_episodes],
            }
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the statistic over the candidate levels and mark the estimated split."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(6.0, 2.6)).add_subplot()
        ax.plot(self.levels, self.path, color="#1f4e79")
        ax.axvline(self.split, color="0.4", linewidth=0.8, linestyle="--")
        ax.set_xlabel("Level of the threshold variable")
        ax.set_ylabel("Robust statistic")
        return ax
