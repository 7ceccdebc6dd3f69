"""Whether the cause leads the effect in one hidden regime and not in another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable
from analysis.stats.lagged import Floats, same_index
from analysis.stats.regression import (
    LeastSquares,
    as_columns,
    as_series,
    lag_columns,
    ols,
    positive_integer,
    require_generator,
    residual_scale,
    restriction_covariance,
    sign_blocks,
    wald,
)
from analysis.stats.switching.fit import DETERMINISTIC_STARTS
from analysis.stats.switching.granger_result import MarkovSwitchingGrangerResult
from analysis.stats.switching.markov import markov_switching
from analysis.stats.switching.result import MarkovSwitchingResult

__all__ = ["MarkovSwitchingGrangerResult", "markov_switching_granger"]

METHOD = "Granger causality by hidden regime"
REFERENCE = (
    "Hamilton (1989), Econometrica 57; Psaradakis, Ravn and Sola (2005), J. Applied Econometrics 20, 665-683; "
    "MacKinnon and White (1985), J. Econometrics 29; Gonçalves and Kilian (2004), J. Econometrics 123"
)
LEAST_SPREAD = 0.02
_CAVEAT = (
    "the regimes are those of the effect's own level and variance, with parameters of the whole sample; that there are "
    "several is assumed, not tested"
)
_LIKELIHOOD_CAVEAT = (
    "the likelihood tests hold only where regimes exist and errors within them are normal: without regimes they reject "
    "a true null in most samples; judge by the bootstrap"
)


@dataclass(frozen=True, slots=True)
class _Design:
    """Rows in use: regressors kept (n, k c) and tested (n, k p), state by state, and the weighted effect (n,)."""

    kept: Floats
    tested: Floats
    effect: Floats
    used: Floats
    chances: Floats


def markov_switching_granger(
    effect: ArrayLike,
    cause: ArrayLike,
    given: ArrayLike | None = None,
    *,
    lags: int,
    states: int = 2,
    switching_variance: bool = True,
    starts: int = DETERMINISTIC_STARTS,
    rng: np.random.Generator | None = None,
    bootstrap: int = 0,
    likelihood: bool = False,
    level: float = 0.95,
) -> MarkovSwitchingGrangerResult | Inapplicable | Failed:
    """Test the cause's lag coefficients in each hidden regime of the effect, and their equality across regimes.

    Parameters
    ----------
    effect, cause : array_like of shape (n,)
        Series on one time grid; NaN marks a missing value and gaps are never bridged.
    given : array_like of shape (n,) or (n, m), optional
        Conditioning series, lagged like the rest.
    lags : int
        Lags of effect, cause and given series.
    states : int
        Number of regimes; assumed, not tested.
    switching_variance : bool
        Whether the regimes differ in variance beside level. Without it they are poorly told apart in returns.
    starts : int
        Starts of the likelihood search.
    rng : Generator, optional
        Needed for more than 8 starts or for a bootstrap.
    bootstrap : int
        Draws of the fixed-design wild bootstrap with the null imposed, for every test; 0 for none.
    likelihood : bool
        Whether to fit the joint model too, in which the cause's coefficients switch with the regime, and report its
        Wald tests from the sandwich covariance.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    MarkovSwitchingGrangerResult, Inapplicable or Failed
        ``statistic`` and ``pvalue`` test that the cause's coefficients are equal in all regimes.

    Raises
    ------
    InputError
        On wrong shapes, infinite values or options outside their range.

    Notes
    -----
    First a switching autoregression of the effect without the cause gives the chance of each regime at t from the
    effect's own past. Given the past, the mean of the effect is the sum of the regimes' regressions weighted by these
    chances, so one least squares regression on all lags times the chances estimates every regime's coefficients. Rows
    are weighted by the inverse of the predicted standard deviation. Under either null the cause drops out of the first
    step, so the estimated chances leave the law of the tests as it is, and HC3 with a wild bootstrap keeps their size
    when the variance moves in other ways than two regimes. No likelihood ratio for the number of regimes is offered: it
    has no chi-squared law.

    Rejections at 5 % under the null, n = 800, two lags, 200 replications, bootstrap of equality and of no lead in any
    regime: 4 and 4 % on iid series (of those that had regimes to test in at all), 5 and 4 % on GARCH-t, 6 and 7 % on
    volatility that spills over, 4 and 7 % on true regimes of variance. The likelihood tests: 83 and 77 % on iid series,
    7 and 8 %, 9 and 8 %, 5 and 7 %. Power against a lead of 0.3 in a regime whose deviation is 2.5: 26 and 22 %.

    References
    ----------
    Hamilton (1989), Econometrica 57; Psaradakis, Ravn and Sola (2005), J. Applied Econometrics 20.
    """
    same_index(effect=effect, cause=cause, given=given)
    y = as_series("effect", effect)
    x = as_series("cause", cause, y.size)
    others = as_columns("given", given, y.size)
    p = positive_integer("lags", lags)
    k = positive_integer("states", states, at_least=2)
    draws = require_generator(bootstrap, rng)
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)
    first = markov_switching(
        y,
        lag_columns(others, p) if others.shape[1] else None,
        states=k,
        switching_variance=switching_variance,
        lags=p,
        form="intercept",
        switching=("trend",),
        starts=starts,
        rng=rng,
    )
    if not isinstance(first, MarkovSwitchingResult):
        return type(first)(method=METHOD, reason=first.reason)
    design = _design(y, x, others, p, first)
    chances = design.chances
    if float(chances.std(axis=0).max()) < LEAST_SPREAD:
        return Inapplicable(method=METHOD, reason="the predicted chances of the regimes hardly vary over time")
    least = 3 * (design.kept.shape[1] + design.tested.shape[1]) // k
    mass = chances.sum(axis=0)
    if float(mass.min()) < least:
        return Inapplicable(
            method=METHOD, reason=f"a regime is expected in {mass.min():.0f} rows only, fewer than {least}"
        )
    fit = ols(np.column_stack([design.kept, design.tested]), design.effect, np.flatnonzero(design.used))
    if fit is None or float(fit.leverage.max()) > 1.0 - 1e-9:
        return Inapplicable(method=METHOD, reason="the regressors are collinear within a regime")
    joint = _joint(y, x, others, p, k, switching_variance, starts, rng) if likelihood else None
    options = {
        "states": k,
        "switching_variance": bool(switching_variance),
        "given": others.shape[1],
        "bootstrap": draws,
        "starts": starts,
        "likelihood": bool(likelihood),
        "level": level,
    }
    return _report(design, fit, first, joint, p, draws, rng, options)


def _design(y: Floats, x: Floats, others: Floats, p: int, first: MarkovSwitchingResult) -> _Design:
    common = np.column_stack([np.ones(y.size), lag_columns(y[:, None], p), lag_columns(others, p)])
    tested = lag_columns(x[:, None], p)
    used = np.isfinite(np.column_stack([y, common, tested])).all(axis=1)
    chances = first.predicted[used]
    weight = 1.0 / np.sqrt(chances @ first.variances)
    split = [
        np.column_stack([block[used] * (weight * chances[:, state])[:, None] for state in range(first.states)])
        for block in (common, tested)
    ]
    return _Design(split[0], split[1], y[used] * weight, used, chances)


def _restrictions(k: int, p: int, width: int) -> dict[str, Floats]:
    """Return the restrictions of every test on coefficients whose last k p are the tested ones, state by state."""
    eye = np.zeros((k, p, width))
    for state in range(k):
        eye[state, :, width - (k - state) * p : width - (k - state - 1) * p] = np.eye(p)
    out = {"equal": np.concatenate([eye[state] - eye[0] for state in range(1, k)]), "none": np.concatenate(eye)}
    return out | {f"state {state}": eye[state] for state in range(k)}


def _null_residuals(design: _Design, name: str, k: int, p: int) -> Floats | None:
    """Return the residuals of the regression that imposes one null."""
    parts = design.tested.reshape(-1, k, p)
    if name == "equal":
        kept = np.column_stack([design.kept, parts.sum(axis=1)])
    elif name == "none":
        kept = design.kept
    else:
        kept = np.column_stack([design.kept, np.delete(parts, int(name.split()[1]), axis=1).reshape(len(parts), -1)])
    fit = ols(kept, design.effect)
    return None if fit is None else fit.residuals


def _bootstrap(
    fit: LeastSquares, restrictions: dict[str, Floats], nulls: dict[str, Floats], draws: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return the Wald statistics (draws,) of every test under its own null, all with the same signs.

    The covariance of a draw is that of HC3 on its own residuals; the tests share the signs, so their p-values move
    together and the draws cost one set of random numbers.
    """
    found: dict[str, list[Floats]] = {name: [] for name in restrictions}
    scale = residual_scale(fit, "HC3")
    maps = {name: fit.design @ fit.bread @ R.T for name, R in restrictions.items()}
    project = fit.design @ fit.bread
    for signs in sign_blocks(rng, draws, fit.leverage.size):
        for name, A in maps.items():
            q = A.shape[1]
            effect = signs * nulls[name]
            residuals = effect - (effect @ project) @ fit.design.T
            outer = np.einsum("ni,nj->nij", A, A).reshape(-1, q * q)
            V = ((residuals * scale) ** 2 @ outer).reshape(-1, q, q)
            b = effect @ A
            found[name].append(np.einsum("bi,bi->b", b, np.linalg.solve(V, b[:, :, None])[:, :, 0]))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _joint(
    y: Floats, x: Floats, others: Floats, p: int, k: int, variance: bool, starts: int, rng: np.random.Generator | None
) -> MarkovSwitchingResult | None:
    columns = np.column_stack([lag_columns(x[:, None], p), lag_columns(others, p), lag_columns(y[:, None], p)])
    fit = markov_switching(
        y,
        columns,
        states=k,
        switching_variance=variance,
        switching=("trend", "x"),
        starts=starts,
        rng=rng,
        cov="robust",
    )
    return fit if isinstance(fit, MarkovSwitchingResult) else None


def _likelihood_tests(joint: MarkovSwitchingResult, k: int, p: int) -> tuple[Floats, Floats, Floats] | None:
    """Return the joint model's coefficients (k, p), and statistic and p-value of every test."""
    order = list(joint.params)
    index = np.array([order.index(f"x{lag + 1}[{state}]") for state in range(k) for lag in range(p)])
    b, V = np.array(list(joint.params.values()))[index], joint.covariance[np.ix_(index, index)]
    if not (np.diag(V) > 0.0).all():
        return None
    statistics, pvalues = [], []
    for R in _restrictions(k, p, k * p).values():
        block = R @ V @ R.T
        spread = np.sqrt(np.diag(block))
        if not (spread > 0.0).all() or np.linalg.cond(block / np.outer(spread, spread)) > 1e12:
            return None
        value = float((R @ b) @ np.linalg.solve(block, R @ b))
        statistics.append(value)
        pvalues.append(float(stats.chi2.sf(value, len(R))))
    return b.reshape(k, p), np.array(statistics), np.array(pvalues)


def _report(
    design: _Design,
    fit: LeastSquares,
    first: MarkovSwitchingResult,
    joint: MarkovSwitchingResult | None,
    p: int,
    draws: int,
    rng: np.random.Generator | None,
    options: dict[str, Any],
) -> MarkovSwitchingGrangerResult | Inapplicable:
    k, level = first.states, float(options["level"])
    restrictions = _restrictions(k, p, fit.coefficients.size)
    walds = {name: wald(fit, R, "HC3") for name, R in restrictions.items()}
    nulls = {name: _null_residuals(design, name, k, p) for name in restrictions}
    if any(value is None for value in walds.values()) or any(value is None for value in nulls.values()):
        return Inapplicable(method=METHOD, reason="the covariance of the lag coefficients is singular")
    W = {name: float(value) for name, value in walds.items() if value is not None}
    df = {name: float(len(R)) for name, R in restrictions.items()}
    F = np.array([W[name] / df[name] for name in W])
    pvalues = np.array([float(stats.f.sf(W[name] / df[name], df[name], fit.df_resid)) for name in W])
    boot = np.empty(0)
    if draws and rng is not None:
        residuals = {name: value for name, value in nulls.items() if value is not None}
        drawn = _bootstrap(fit, restrictions, residuals, draws, rng)
        boot = np.array([(1.0 + np.count_nonzero(drawn[name] >= W[name])) / (1.0 + draws) for name in W])
    sums = np.stack([R.sum(axis=0) for name, R in restrictions.items() if name.startswith("state")])
    sums = np.vstack([sums[-1] - sums[0], sums])
    V = restriction_covariance(fit, sums, fit.residuals[None, :], "HC3")[0]
    half = float(stats.t.isf((1.0 - level) / 2.0, fit.df_resid)) * np.sqrt(np.diag(V))
    totals = sums @ fit.coefficients
    tests = None if joint is None else _likelihood_tests(joint, k, p)
    warnings = [_CAVEAT, *first.warnings]
    if options["likelihood"]:
        warnings.append(_LIKELIHOOD_CAVEAT if tests else "the joint model gave no standard errors for the link")
    return MarkovSwitchingGrangerResult(
        method=METHOD,
        null="the cause's lag coefficients are equal in all regimes",
        alternative="they differ at one lag or more",
        statistic=float(F[0]),
        pvalue=float(pvalues[0]),
        distribution="F",
        df=(df["equal"], float(fit.df_resid)),
        estimate=float(totals[0]),
        estimate_name="sum of the cause's lag coefficients, last regime less first",
        interval=(float(totals[0] - half[0]), float(totals[0] + half[0])),
        interval_level=level,
        nobs=int(design.used.sum()),
        nobs_lost=int((~design.used).sum()),
        lags=p,
        options=options,
        warnings=tuple(warnings),
        reference=REFERENCE,
        tests=tuple(W),
        test_statistic=F,
        test_pvalue=pvalues,
        test_bootstrap_pvalue=boot,
        bootstrap_draws=draws,
        coefficients=fit.coefficients[-k * p :].reshape(k, p),
        cumulative=totals[1:],
        cumulative_lower=(totals - half)[1:],
        cumulative_upper=(totals + half)[1:],
        regime_rows=design.chances.sum(axis=0),
        regime_variances=first.variances,
        transition=first.transition,
        likelihood_coefficients=tests[0] if tests else np.empty((0, p)),
        likelihood_statistic=tests[1] if tests else np.empty(0),
        likelihood_pvalue=tests[2] if tests else np.empty(0),
    )
