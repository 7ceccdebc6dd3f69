"""Chances of each state that could have been known: parameters from the past only, estimated again now and then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, Options, Result
from analysis.stats.lagged import Floats, as_numbers
from analysis.stats.regression import as_series, positive_integer
from analysis.stats.switching.fit import DETERMINISTIC_STARTS, maximise
from analysis.stats.switching.inference import Units, order_states
from analysis.stats.switching.model import Parameters, make_model, pack, run_filter, unpack
from analysis.stats.switching.problem import build, regular

METHOD = "Markov switching on an expanding window"
REFERENCE = "Hamilton (1989), Econometrica 57, 357-384"
# The parameters of the year before are among the starts, so few need to be followed to the end.
KEPT = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpandingProbabilities(Result):
    """Chance of each state by date, from parameters that were estimated before that date.

    Attributes
    ----------
    method, reference : str
    states : int
    predicted : ndarray of shape (n, k)
        Chance of each state at t from data up to t-1 and parameters from before the block of t; NaN before the first
        estimation.
    filtered : ndarray of shape (n, k)
        The same with the observation of t.
    refits : ndarray of shape (r,)
        Rows before which the parameters were estimated again.
    transition, means, variances : ndarray of shape (r, k, k), (r, k), (r, k)
        Parameters used from each of these rows on.
    nobs : int
    options : Mapping
    warnings : tuple of str
    """

    plottable: ClassVar[bool] = True

    method: str
    states: int
    predicted: np.ndarray
    filtered: np.ndarray
    refits: np.ndarray
    transition: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    nobs: int
    options: Mapping[str, Any] = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str

    def summary(self) -> str:
        """Return the parameters at every estimation."""
        lines = [f"{self.method}, {self.states} states, {len(self.refits)} estimations, n = {self.nobs}"]
        for i, row in enumerate(self.refits):
            spread = ", ".join(f"{value:.6g}" for value in self.variances[i])
            stay = ", ".join(f"{value:.4g}" for value in np.diag(self.transition[i]))
            lines.append(f"  from row {row}: variances ({spread}), chances to stay ({stay})")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        lines.append(f"  Reference: {self.reference}")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row an estimation and state."""
        r, k = self.variances.shape
        return pd.DataFrame(
            {
                "refit": np.repeat(self.refits, k),
                "state": np.tile(np.arange(k), r),
                "mean": self.means.ravel(),
                "variance": self.variances.ravel(),
                "stay": np.diagonal(self.transition, axis1=1, axis2=2).ravel(),
            }
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the predicted chance of the last state over the rows."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(6.0, 2.4)).add_subplot()
        ax.fill_between(np.arange(len(self.predicted)), self.predicted[:, -1], color="#1f4e79", linewidth=0.0)
        ax.set_ylim(0.0, 1.0)
        ax.set_xlabel("Row")
        ax.set_ylabel(f"Predicted chance of state {self.states - 1}")
        return ax


def expanding_probabilities(
    y: ArrayLike,
    *,
    refits: Sequence[int],
    states: int = 2,
    switching_variance: bool = True,
    switching_mean: bool = False,
    starts: int = DETERMINISTIC_STARTS,
    rng: np.random.Generator | None = None,
) -> ExpandingProbabilities | Inapplicable | Failed:
    """Fit a switching mean and variance to the past again and again, and filter forward with what was known.

    Parameters
    ----------
    y : array_like of shape (n,)
        NaN marks a missing value.
    refits : sequence of int
        Rows, rising, before which the parameters are estimated from all earlier rows. They serve until the next one.
    states : int
    switching_variance, switching_mean : bool
        What differs between the states; the mean is common by default.
    starts : int
        Starts of every estimation, beside the parameters of the one before.
    rng : Generator, optional
        Needed for more than 8 starts.

    Returns
    -------
    ExpandingProbabilities, Inapplicable or Failed
        Inapplicable when no estimation had enough rows; Failed when none reached a maximum.

    Raises
    ------
    InputError
        On wrong shapes, infinite values, rows that do not rise, or options outside their range.

    Notes
    -----
    ``predicted[t]`` depends on rows before t alone, whatever comes later: nothing looks ahead, neither in the filter
    nor in the parameters. The states are numbered by variance (by mean when the variance is common) at each estimation.

    References
    ----------
    Hamilton (1989), Econometrica 57.
    """
    series = as_series("y", y)
    k, tries = positive_integer("states", states, at_least=2), positive_integer("starts", starts)
    asked = as_numbers(refits, "refits")
    whole = bool((asked == np.floor(asked)).all())
    rows = asked.astype(np.int64) if whole else np.empty(0, dtype=np.int64)
    if rows.ndim != 1 or not rows.size or (np.diff(rows) <= 0).any() or rows[0] < 1 or rows[-1] >= series.size:
        raise InputError("refits must be rising rows inside the series", given=repr(refits)[:80], limit="whole numbers")
    if tries > DETERMINISTIC_STARTS and not isinstance(rng, np.random.Generator):
        raise InputError("random starts need a generator", given=f"{tries} starts", remedy="pass rng")
    groups = ("trend",) if switching_mean else ()
    empty = np.empty((series.size, 0))
    fits: list[tuple[int, Units, Parameters]] = []
    reasons: list[str] = []
    failed = False
    for row in rows:
        problem = build(series[:row], empty[:row], k, 0, "intercept", "c", groups, bool(switching_variance))
        if isinstance(problem, str):
            reasons.append(f"row {row}: {problem}")
            continue
        warm = pack(problem.model, problem.units.scaled(fits[-1][2])) if fits else None
        best = regular(maximise(problem.model, tries, rng, warm, KEPT))
        if isinstance(best, str):
            failed = True
            reasons.append(f"row {row}: {best}")
            continue
        at = order_states(problem.model, unpack(problem.model, best.theta), problem.order_by)
        fits.append((int(row), problem.units, problem.units.natural(at)))
    if not fits:
        kind = Failed if failed else Inapplicable
        return kind(method=METHOD, reason=reasons[-1])
    predicted, filtered = _forward(series, fits, k, groups, bool(switching_variance))
    return ExpandingProbabilities(
        method=METHOD,
        states=k,
        predicted=predicted,
        filtered=filtered,
        refits=np.array([row for row, _, _ in fits]),
        transition=np.stack([at.transition for _, _, at in fits]),
        means=np.stack([at.coefficients[:, 0] for _, _, at in fits]),
        variances=np.stack([at.variance for _, _, at in fits]),
        nobs=int(np.isfinite(series).sum()),
        options={"states": k, "switching_mean": bool(switching_mean), "switching_variance": bool(switching_variance)},
        warnings=tuple(f"no estimation before {reason}; earlier parameters serve on" for reason in reasons),
        reference=REFERENCE,
    )


def _forward(
    series: Floats, fits: list[tuple[int, Units, Parameters]], k: int, groups: tuple[str, ...], switching_variance: bool
) -> tuple[Floats, Floats]:
    """Filter each block with its own parameters, from the start of the data on."""
    n = series.size
    predicted, filtered = np.full((n, k), np.nan), np.full((n, k), np.nan)
    ends = [row for row, _, _ in fits[1:]] + [n]
    for (row, units, at), end in zip(fits, ends, strict=True):
        # Units of the past: not even the last digit depends on the block's own rows.
        model = make_model(
            series[:end] / units.response,
            np.ones((end, 1)) / units.design,
            states=k,
            order=0,
            switching=np.array(["trend" in groups]),
            switching_ar=False,
            switching_variance=switching_variance,
        )
        run, present = run_filter(model, units.scaled(at)), model.digits[:, 0]
        for state in range(k):
            predicted[row:end, state] = run.predicted[row:end, present == state].sum(axis=1)
            filtered[row:end, state] = run.filtered[row:end, present == state].sum(axis=1)
    return predicted, filtered
