"""Does the response to a shock depend on the state it falls in? One interacted projection and a test of equality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.dynamics.inputs import LEAST_DRAWS, ahead, check_level, control_columns, horizon_grid
from analysis.stats.dynamics.scores import Responses, flipped_sums, largest, project, standard_errors, sup_test
from analysis.stats.lagged import Bools, Floats, check_lags, same_index
from analysis.stats.regression import as_columns, as_series, bootstrap_pvalue, positive_integer, require_generator
from analysis.stats.states import LABELS, as_state, count_episodes, episode_warnings, short_state

METHOD = "Local projection by state"
REFERENCE = (
    "Ramey and Zubairy (2018), Journal of Political Economy 126 (state-dependent projections); Montiel Olea and "
    "Plagborg-Møller (2021), Econometrica 89"
)
MINIMUM_ROWS = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateLocalProjection(TestResult):
    """Responses outside and inside a state, and the test that the two paths are equal.

    Attributes
    ----------
    statistic, pvalue
        Largest absolute t of the difference over all horizons; p-value from sign changes by date with equality imposed.
    estimate, interval
        Difference at the last horizon, inside less outside, with its pointwise interval.
    horizons : tuple of int
    state_labels : tuple of str
        Names the first axis of the arrays below: ("outside", "inside").
    responses, lower, upper : ndarray of shape (2, H)
        Response in each state with pointwise limits.
    joint_lower, joint_upper : ndarray of shape (2, H)
        Bands that hold a whole path at once.
    difference, difference_t : ndarray of shape (H,)
    state_nobs, state_episodes : ndarray of shape (2,)
        Rows at the shortest horizon, and separate spells.
    bootstrap_error : float
    bootstrap_draws : int
    """

    horizons: tuple[int, ...]
    state_labels: tuple[str, str] = LABELS
    responses: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    joint_lower: np.ndarray
    joint_upper: np.ndarray
    difference: np.ndarray
    difference_t: np.ndarray
    state_nobs: np.ndarray
    state_episodes: np.ndarray
    bootstrap_error: float
    bootstrap_draws: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row a state and horizon."""
        state, place = (axis.ravel() for axis in np.indices(self.responses.shape))
        return pd.DataFrame(
            {
                "state": [self.state_labels[i] for i in state],
                "horizon": [self.horizons[i] for i in place],
                "estimate": self.responses.ravel(),
                "lower": self.lower.ravel(),
                "upper": self.upper.ravel(),
                "joint_lower": self.joint_lower.ravel(),
                "joint_upper": self.joint_upper.ravel(),
                "nobs": self.state_nobs[state],
            }
        )

    def summary(self) -> str:
        """Return the test of equality, then the last response in each state."""
        lines = [TestResult.summary(self)]
        for i, label in enumerate(self.state_labels):
            lines.append(
                f"  {label}: {self.responses[i, -1]:.6g} [{self.lower[i, -1]:.6g}, {self.upper[i, -1]:.6g}] at horizon "
                f"{self.horizons[-1]}, n = {self.state_nobs[i]}, episodes = {self.state_episodes[i]}"
            )
        return "\n".join(lines)


def state_local_projection(
    effect: Any,
    cause: Any,
    state: Any,
    *,
    lags: int,
    horizons: int | Sequence[int],
    given: Any = None,
    cumulative: bool = False,
    bootstrap: int = 999,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    min_rows: int = MINIMUM_ROWS,
) -> StateLocalProjection | Inapplicable:
    """Estimate the response of the effect to one unit of the cause's innovation in two states, and compare them.

    Parameters
    ----------
    effect, cause : array_like of shape (n,)
        In time order. NaN marks a missing value; a row is used only when every value it needs is present.
    state : array_like of shape (n,)
        False/True, 0/1, NaN where unknown: the state in which the shock dated t falls, known before t starts. The
        response may run on into another state.
    lags : int
        Lags of effect, cause and given series, beside a constant; everything differs between the states.
    horizons : int or sequence of int
        H for 0, 1, ..., H, or the horizons themselves.
    given : array_like of shape (n,) or (n, m), optional
        Conditioning series: their value of the shock's date and their lags are controls.
    cumulative : bool
        Sum responses from the first horizon on.
    bootstrap : int
        Sign changes for p-value and joint bands, at least 99.
    rng : Generator
        Required.
    level : float
    min_rows : int
        A state needs this many rows and three times its number of coefficients.

    Returns
    -------
    StateLocalProjection or Inapplicable
        Inapplicable when a state is short or does not vary, or regressors are collinear in a state.

    Raises
    ------
    InputError
        For wrong shapes, a state other than 0/1/NaN or options outside their range.

    References
    ----------
    Ramey and Zubairy (2018), Journal of Political Economy 126; Montiel Olea and Plagborg-Møller (2021), Econometrica
    89.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> x, s = rng.standard_normal(600), np.arange(600) // 40 % 2
    >>> y = np.r_[0, (x * s)[:-1]] + rng.standard_normal(600)
    >>> state_local_projection(y, x, s, lags=1, horizons=2, rng=rng).pvalue
    0.001
    """
    same_index(effect=effect, cause=cause, state=state, given=given)
    y = as_series("effect", effect)
    x, others = as_series("cause", cause, y.size), as_columns("given", given, y.size)
    flags = as_state(state, y.size)
    p, grid = check_lags(lags, least=0), horizon_grid(horizons)
    draws = require_generator(bootstrap, rng)
    if rng is None or draws < LEAST_DRAWS:
        raise InputError("the p-value comes from draws", given=draws, limit=f"{LEAST_DRAWS} or more, with rng=")
    controls = control_columns(np.column_stack([y, x]), others, p)
    targets = ahead(y, grid, bool(cumulative))
    used = np.asarray(np.isfinite(np.column_stack([flags, controls, x, targets[:, 0]])).all(axis=1))
    minimum = max(positive_integer("min_rows", min_rows), 3 * (controls.shape[1] + 1))
    reason = short_state(flags, used, minimum)
    if reason:
        return Inapplicable(method=METHOD, reason=reason)
    parts = []
    for value in (0.0, 1.0):
        found = project(targets, x, controls, flags == value)
        if isinstance(found, str):
            return Inapplicable(method=METHOD, reason=found)
        parts.append(found)
    options = {
        "given": others.shape[1], "cumulative": bool(cumulative), "bootstrap": draws, "min_rows": minimum
    }  # fmt: skip
    sides = _sides(parts[0], parts[1], draws, check_level(level), rng)
    if isinstance(sides, Inapplicable):
        return sides
    return _report(sides, flags, used, grid, p, options, level)


@dataclass(frozen=True, slots=True)
class _Sides:
    """Responses in both states, their pooled value and errors: (2, H) each, and of their difference (H,)."""

    responses: Floats
    errors: Floats
    critical: Floats
    gap: Floats
    gap_error: Floats
    statistic: float
    pvalue: float
    monte_carlo: float


def _sides(
    outside: Responses, inside: Responses, draws: int, level: float, rng: np.random.Generator
) -> _Sides | Inapplicable:
    """Compare the states with equality imposed, then draw the band of each."""
    parts = (outside, inside)
    errors = np.stack([standard_errors(part) for part in parts])
    gap_error = np.sqrt(np.square(errors).sum(axis=0))
    if not (gap_error > 0).all():
        return Inapplicable(method=METHOD, reason="the response has no error: effect and cause are the same series")
    responses = np.stack([part.estimate for part in parts])
    common = np.average(responses, axis=0, weights=1.0 / np.square(errors))
    statistic, drawn = sup_test(inside.at_null(common) - outside.at_null(common), draws, rng)
    maxima = [
        largest(flipped_sums(part.cautious, draws, rng), error) for part, error in zip(parts, errors, strict=True)
    ]
    critical = np.maximum(np.quantile(maxima, level, axis=1), stats.norm.isf((1.0 - level) / 2.0))
    gap = responses[1] - responses[0]
    return _Sides(responses, errors, critical[:, None], gap, gap_error, statistic, *bootstrap_pvalue(statistic, drawn))


def _report(
    sides: _Sides, flags: Floats, used: Bools, grid: tuple[int, ...], p: int, options: dict[str, Any], level: float
) -> StateLocalProjection:
    """Assemble the result."""
    z = float(stats.norm.isf((1.0 - level) / 2.0))
    gap, half = float(sides.gap[-1]), z * float(sides.gap_error[-1])
    episodes = count_episodes(flags, used)
    return StateLocalProjection(
        method=METHOD,
        null="the response is the same inside and outside the state at every horizon",
        alternative="it differs at one horizon or more",
        statistic=sides.statistic,
        pvalue=sides.pvalue,
        distribution="bootstrap",
        estimate=gap,
        estimate_name=f"response at horizon {grid[-1]}, inside less outside the state",
        interval=(gap - half, gap + half),
        interval_level=level,
        nobs=int(used.sum()),
        nobs_lost=int((~used).sum()),
        lags=p,
        options=options,
        warnings=episode_warnings(episodes),
        reference=REFERENCE,
        horizons=grid,
        responses=sides.responses,
        lower=sides.responses - z * sides.errors,
        upper=sides.responses + z * sides.errors,
        joint_lower=sides.responses - sides.critical * sides.errors,
        joint_upper=sides.responses + sides.critical * sides.errors,
        difference=sides.gap,
        difference_t=sides.gap / sides.gap_error,
        state_nobs=np.array([(used & (flags == value)).sum() for value in (0.0, 1.0)]),
        state_episodes=np.array(episodes),
        bootstrap_error=sides.monte_carlo,
        bootstrap_draws=int(options["bootstrap"]),
    )
