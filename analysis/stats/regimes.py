"""Does a lead differ between two observed states? One interacted regression, not two separate tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.lagged import same_index
from analysis.stats.regimes_correlation import StateCorrelationResult, state_correlation
from analysis.stats.regression import (
    COVARIANCES,
    LeastSquares,
    as_columns,
    as_series,
    bootstrap_pvalue,
    lag_columns,
    ols,
    positive_integer,
    require_generator,
    restriction_covariance,
    wald,
    wild_bootstrap,
)
from analysis.stats.states import LABELS, as_state, count_episodes, episode_warnings, short_state
from analysis.stats.switching.granger import MarkovSwitchingGrangerResult, markov_switching_granger
from analysis.stats.switching.markov import markov_switching
from analysis.stats.switching.result import MarkovSwitchingResult
from analysis.stats.switching.threshold import ThresholdResult, threshold_test

__all__ = [
    "MarkovSwitchingGrangerResult",
    "MarkovSwitchingResult",
    "StateCorrelationResult",
    "StateGrangerResult",
    "ThresholdResult",
    "markov_switching",
    "markov_switching_granger",
    "state_correlation",
    "state_granger",
    "threshold_test",
]

METHOD = "Granger causality by state"
REFERENCE = (
    "Granger (1969), Econometrica 37, with state interactions; MacKinnon and White (1985), J. Econometrics 29; "
    "Gonçalves and Kilian (2004), J. Econometrics 123"
)
MINIMUM_ROWS = 30
LEVERAGE_LIMIT = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateGrangerResult(TestResult):
    """Lag coefficients of the cause outside and inside a state, and the test that they are equal.

    Attributes
    ----------
    statistic, pvalue : float
        F form of the Wald test that all lag coefficients of the cause are equal in both states.
    wald : float
        The same in chi-squared form: F times the number of lags.
    estimate, interval
        Difference of the cumulative coefficients, inside less outside.
    bootstrap_pvalue, bootstrap_error : float or None
        Fixed-design wild bootstrap p-value with equality imposed, and its Monte Carlo standard error.
    bootstrap_draws : int
    state_labels : tuple of str
        Names the first axis of everything below: ("outside", "inside").
    coefficients : ndarray of shape (2, p)
        Coefficient of the cause dated t-1 … t-p.
    cumulative, cumulative_lower, cumulative_upper : ndarray of shape (2,)
        Sum of the lag coefficients with its interval.
    state_statistic, state_pvalue : ndarray of shape (2,)
        F test that the cause has no lagged effect in that state.
    state_nobs, state_episodes : ndarray of shape (2,)
        Rows and separate spells in each state.
    """

    plottable: ClassVar[bool] = True

    wald: float
    bootstrap_pvalue: float | None = None
    bootstrap_error: float | None = None
    bootstrap_draws: int = 0
    state_labels: tuple[str, str] = LABELS
    coefficients: np.ndarray
    cumulative: np.ndarray
    cumulative_lower: np.ndarray
    cumulative_upper: np.ndarray
    state_statistic: np.ndarray
    state_pvalue: np.ndarray
    state_nobs: np.ndarray
    state_episodes: np.ndarray

    def summary(self) -> str:
        """Return the test of equality, then one line a state."""
        lines = [TestResult.summary(self)]
        if self.bootstrap_pvalue is not None:
            lines.append(
                f"  wild bootstrap p = {self.bootstrap_pvalue:.4g} (+/- {self.bootstrap_error:.2g}, "
                f"{self.bootstrap_draws} draws)"
            )
        for i, label in enumerate(self.state_labels):
            lines.append(
                f"  {label}: sum of lags = {self.cumulative[i]:.6g} "
                f"[{self.cumulative_lower[i]:.6g}, {self.cumulative_upper[i]:.6g}], "
                f"F = {self.state_statistic[i]:.6g}, p = {self.state_pvalue[i]:.4g}, "
                f"n = {self.state_nobs[i]}, episodes = {self.state_episodes[i]}"
            )
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return three rows: the difference between the states, then each state."""
        low, high = self.interval if self.interval is not None else (None, None)
        return pd.DataFrame(
            {
                "part": ["inside - outside", *self.state_labels],
                "cumulative": [self.estimate, *self.cumulative],
                "lower": [low, *self.cumulative_lower],
                "upper": [high, *self.cumulative_upper],
                "statistic": [self.statistic, *self.state_statistic],
                "pvalue": [self.pvalue, *self.state_pvalue],
                "nobs": [self.nobs, *self.state_nobs],
                "episodes": [int(self.state_episodes.sum()), *self.state_episodes],
            }
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the cumulative coefficient in each state with its interval and a zero line."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(5.0, 2.4)).add_subplot()
        errors = np.stack([self.cumulative - self.cumulative_lower, self.cumulative_upper - self.cumulative])
        ax.errorbar(self.cumulative, [0, 1], xerr=errors, fmt="o", color="#1f4e79", capsize=3)
        ax.axvline(0.0, color="0.2", linewidth=0.8)
        ax.set_yticks(
            [0, 1], [f"{label} (n = {n})" for label, n in zip(self.state_labels, self.state_nobs, strict=True)]
        )
        ax.set_ylim(-0.6, 1.6)
        ax.set_xlabel("Sum of the cause's lag coefficients")
        return ax


@dataclass(frozen=True, slots=True)
class _Problem:
    """The interacted regression: rows in use, its design, and where the cause's lags stand in it."""

    design: np.ndarray
    restricted: np.ndarray
    effect: np.ndarray
    times: np.ndarray
    outside: slice
    inside: slice
    state: np.ndarray
    used: np.ndarray


def state_granger(
    effect: Any,
    cause: Any,
    state: Any,
    *,
    lags: int,
    given: Any = None,
    cov: str = "HC3",
    trend: str = "c",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    min_rows: int = MINIMUM_ROWS,
) -> StateGrangerResult | Inapplicable:
    """Test whether the cause's lag coefficients are the same inside and outside a state.

    Parameters
    ----------
    effect, cause : array_like of shape (n,)
        Series on one time grid. NaN marks a missing value; a row is used only when every value it needs is present.
    state : array_like of shape (n,)
        False/True, 0/1, NaN where unknown. ``state[t]`` says in which state the effect dated t is read, so it must be
        known before the effect's period t starts: built from values up to t-1, never from a whole-sample threshold or
        a smoothed probability. Lags may reach back over a change of state; the state is that of date t.
    lags : int
        Lags of effect, cause and given series.
    given : array_like of shape (n,) or (n, m), optional
        Conditioning series, lagged like the rest.
    cov : {"HC3", "HC0", "HC1", "nonrobust", "HAC"}
        Covariance of every statistic; HAC has Bartlett weights and the Newey–West rule of thumb.
    trend : {"c", "n", "ct"}
        Constant, nothing, or constant and linear trend.
    bootstrap : int
        Draws of the fixed-design wild bootstrap that imposes equality; 0 for none.
    rng : Generator, optional
        Needed when `bootstrap` is positive.
    level : float
        Confidence level of the intervals.
    min_rows : int
        A state must have at least this many usable rows and three times its number of coefficients.

    Returns
    -------
    StateGrangerResult or Inapplicable
        Inapplicable when a state is short or does not vary, or when the regressors are collinear in a state.

    Raises
    ------
    InputError
        On wrong shapes, infinite values, a state other than 0/1/NaN or options outside their range.

    Notes
    -----
    Everything is interacted: constant, trend, own lags and conditioning lags differ between states under the null too,
    so a shift of mean or persistence cannot pass for a shift of the lead. The bootstrap flips signs of residuals of the
    regression in which only the cause's lags are common to both states.

    References
    ----------
    MacKinnon and White (1985), J. Econometrics 29; Gonçalves and Kilian (2004), J. Econometrics 123.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> x, s = rng.standard_normal(400), np.arange(400) // 40 % 2
    >>> y = np.r_[0, x[:-1]] * s + rng.standard_normal(400)
    >>> state_granger(y, x, s, lags=1).pvalue < 0.001
    True
    """
    same_index(effect=effect, cause=cause, state=state, given=given)
    effect = as_series("effect", effect)
    cause = as_series("cause", cause, effect.size)
    others = as_columns("given", given, effect.size)
    state = as_state(state, effect.size)
    p = positive_integer("lags", lags)
    draws = require_generator(bootstrap, rng)
    _check_options(cov, trend, level)
    problem = _problem(effect, cause, others, state, p, trend)
    minimum = max(positive_integer("min_rows", min_rows), 3 * (problem.design.shape[1] // 2))
    reason = short_state(state, problem.used, minimum)
    if reason:
        return Inapplicable(method=METHOD, reason=reason)
    fit = ols(problem.design, problem.effect, problem.times)
    null = ols(problem.restricted, problem.effect, problem.times)
    if fit is None or null is None:
        return Inapplicable(method=METHOD, reason="the regressors are collinear or constant within a state")
    if cov == "HC3" and float(fit.leverage.max()) > LEVERAGE_LIMIT:
        return Inapplicable(method=METHOD, reason="one row determines a coefficient of a state on its own")
    options = {"cov": cov, "trend": trend, "level": level, "min_rows": minimum, "given": others.shape[1]}
    return _report(problem, fit, null, p, options, draws, rng)


def _check_options(cov: str, trend: str, level: float) -> None:
    if cov not in COVARIANCES:
        raise InputError("unknown covariance", given=repr(cov), limit=", ".join(COVARIANCES))
    if trend not in ("c", "n", "ct"):
        raise InputError("unknown trend", given=repr(trend), limit='"c", "n", "ct"')
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)


def _problem(
    effect: np.ndarray, cause: np.ndarray, others: np.ndarray, state: np.ndarray, p: int, trend: str
) -> _Problem:
    n = effect.size
    time = np.linspace(-1.0, 1.0, n)
    terms = {"n": np.empty((n, 0)), "c": np.ones((n, 1)), "ct": np.column_stack([np.ones(n), time])}[trend]
    common = np.column_stack([terms, lag_columns(effect[:, None], p), lag_columns(others, p)])
    tested = lag_columns(cause[:, None], p)
    used = np.isfinite(np.column_stack([effect, state, common, tested])).all(axis=1)
    s = state[used][:, None]
    split = [np.column_stack([block[used] * (1.0 - s), block[used] * s]) for block in (common, tested)]
    start = split[0].shape[1]
    return _Problem(
        design=np.column_stack(split),
        restricted=np.column_stack([split[0], tested[used]]),
        effect=effect[used],
        times=np.flatnonzero(used),
        outside=slice(start, start + p),
        inside=slice(start + p, start + 2 * p),
        state=state,
        used=used,
    )


def _report(
    problem: _Problem,
    fit: LeastSquares,
    null: LeastSquares,
    p: int,
    options: dict[str, Any],
    draws: int,
    rng: np.random.Generator | None,
) -> StateGrangerResult | Inapplicable:
    k, cov = fit.design.shape[1], str(options["cov"])
    pick = np.zeros((2, p, k))
    pick[0, :, problem.outside] = pick[1, :, problem.inside] = np.eye(p)
    R = pick[1] - pick[0]
    values = [wald(fit, restriction, cov) for restriction in (R, pick[0], pick[1])]
    W = [value for value in values if value is not None]
    if len(W) < 3:
        return Inapplicable(method=METHOD, reason="the covariance of the lag coefficients is singular")
    F = np.array(W) / p
    pvalues = stats.f.sf(F, p, fit.df_resid)
    sums = np.stack([R.sum(axis=0), pick[0].sum(axis=0), pick[1].sum(axis=0)])
    V = restriction_covariance(fit, sums, fit.residuals[None, :], cov)[0]
    half = float(stats.t.isf((1.0 - float(options["level"])) / 2.0, fit.df_resid)) * np.sqrt(np.diag(V))
    totals = sums @ fit.coefficients
    boot: tuple[float | None, float | None] = (None, None)
    if draws and rng is not None:
        boot = bootstrap_pvalue(W[0], wild_bootstrap(fit, R, null.residuals, cov=cov, draws=draws, rng=rng))
    episodes = count_episodes(problem.state, problem.used)
    return StateGrangerResult(
        method=METHOD,
        null="the cause's lag coefficients are equal inside and outside the state",
        alternative="they differ at one lag or more",
        statistic=float(F[0]),
        pvalue=float(pvalues[0]),
        distribution="F",
        df=(float(p), float(fit.df_resid)),
        estimate=float(totals[0]),
        estimate_name="sum of the cause's lag coefficients, inside less outside",
        interval=(float(totals[0] - half[0]), float(totals[0] + half[0])),
        interval_level=float(options["level"]),
        nobs=int(problem.used.sum()),
        nobs_lost=int((~problem.used).sum()),
        lags=p,
        options={**options, "bootstrap": draws},
        warnings=episode_warnings(episodes),
        reference=REFERENCE,
        wald=W[0],
        bootstrap_pvalue=boot[0],
        bootstrap_error=boot[1],
        bootstrap_draws=draws,
        coefficients=pick @ fit.coefficients,
        cumulative=totals[1:],
        cumulative_lower=(totals - half)[1:],
        cumulative_upper=(totals + half)[1:],
        state_statistic=F[1:],
        state_pvalue=pvalues[1:],
        state_nobs=np.array([(problem.used & (problem.state == value)).sum() for value in (0.0, 1.0)]),
        state_episodes=np.array(episodes),
    )
