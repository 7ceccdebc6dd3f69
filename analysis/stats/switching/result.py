"""A fitted Markov-switching model as users receive it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.results import Options, Result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarkovSwitchingResult(Result):
    """A regression whose coefficients or variance follow a hidden Markov chain.

    Attributes
    ----------
    method, reference : str
    states : int
        Number k of states, chosen by the user; it is not tested.
    loglikelihood, aic, bic : float
    params : Mapping
        Name to estimate: ``p[i->j]`` is the chance to go from state i to j, ``[j]`` behind a name marks the state of a
        coefficient that switches, ``sigma2`` is the variance.
    standard_errors : Mapping
        Name to standard error; a parameter on a boundary has none.
    covariance : ndarray of shape (K, K)
        In the order of `params`; rows and columns without a standard error are zero.
    transition : ndarray of shape (k, k)
        ``transition[i, j]`` is the chance of state j after state i: rows sum to one.
    expected_durations, stationary : ndarray of shape (k,)
        Mean length of a stay in periods, and long-run share of time.
    filtered : ndarray of shape (n, k)
        Chance of each state at t given the data up to and with t. It is known after t only.
    predicted : ndarray of shape (n, k)
        Chance of each state at t given the data up to t-1: the one to use for a decision on period t. The parameters of
        both are those of the whole sample; see `expanding_probabilities` for ones that are not.
    means, variances : ndarray of shape (k,)
        Fitted level at average regressors, and variance, by state.
    order_by : str
        ``"variance"`` or ``"mean"``: what rises with the number of the state.
    maxima : ndarray of shape (m,)
        Log-likelihoods of the distinct regular local maxima, the reported one first.
    maxima_starts : ndarray of shape (m,)
        How many starts ended in each (of those followed to the end).
    starts, degenerate : int
        Starts tried; and maxima set aside because a state sat on a few rows, where the likelihood has no bound.
    nobs, nobs_lost, lags : int
    options : Mapping
    warnings : tuple of str
    """

    plottable: ClassVar[bool] = True

    method: str
    states: int
    loglikelihood: float
    aic: float
    bic: float
    params: Mapping[str, float]
    standard_errors: Mapping[str, float]
    covariance: np.ndarray
    transition: np.ndarray
    expected_durations: np.ndarray
    stationary: np.ndarray
    filtered: np.ndarray
    predicted: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    order_by: str
    maxima: np.ndarray
    maxima_starts: np.ndarray
    starts: int
    degenerate: int
    nobs: int
    nobs_lost: int
    lags: int
    options: Mapping[str, Any] = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str

    def summary(self) -> str:
        """Return the states, the parameters and what the search for the maximum found."""
        lines = [f"{self.method}, {self.states} states numbered by {self.order_by}"]
        lines.append(f"  log-likelihood = {self.loglikelihood:.6f}, AIC = {self.aic:.3f}, BIC = {self.bic:.3f}")
        for state in range(self.states):
            chances = ", ".join(f"{value:.6g}" for value in self.transition[state])
            lines.append(
                f"  state {state}: level {self.means[state]:.6g}, variance {self.variances[state]:.6g}, mean stay "
                f"{self.expected_durations[state]:.4g}, share {self.stationary[state]:.4g}, next state ({chances})"
            )
        for name, value in self.params.items():
            error = self.standard_errors.get(name)
            lines.append(f"  {name} = {value:.6g}" + (f" (se {error:.4g})" if error is not None else ""))
        reached = ", ".join(f"{value:.4f}" for value in self.maxima)
        lines.append(f"  maxima found from {self.starts} starts: {reached} ({self.degenerate} degenerate set aside)")
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost), lags = {self.lags}")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        lines.append(f"  Reference: {self.reference}")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a parameter."""
        return pd.DataFrame(
            {
                "parameter": list(self.params),
                "estimate": list(self.params.values()),
                "standard_error": [self.standard_errors.get(name) for name in self.params],
            }
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the filtered chance of the last state over the rows."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(6.0, 2.4)).add_subplot()
        ax.fill_between(np.arange(len(self.filtered)), self.filtered[:, -1], color="#1f4e79", linewidth=0.0)
        ax.set_ylim(0.0, 1.0)
        ax.set_xlabel("Row")
        ax.set_ylabel(f"Filtered chance of state {self.states - 1}")
        return ax
