"""Markov switching: a regression or autoregression whose parameters follow a hidden chain of states."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable
from analysis.stats.lagged import Bools, same_index
from analysis.stats.regression import as_columns, as_series, positive_integer
from analysis.stats.switching.fit import DETERMINISTIC_STARTS, Maximum, maximise, thinnest
from analysis.stats.switching.inference import (
    BOUNDARY,
    COVARIANCES,
    covariance,
    names,
    natural_covariance,
    order_states,
    values,
)
from analysis.stats.switching.model import Parameters, pack, run_filter, stationary, unpack
from analysis.stats.switching.problem import Problem, build, regular
from analysis.stats.switching.result import MarkovSwitchingResult

METHOD = "Markov switching regression"
REFERENCE = "Hamilton (1989), Econometrica 57, 357-384; Hamilton (1990), J. Econometrics 45, 39-70"
GROUPS = ("trend", "x", "lags")
COMPOSITE_LIMIT = 1024
FEW_ROWS = 20.0


def markov_switching(
    y: ArrayLike,
    x: ArrayLike | None = None,
    *,
    states: int = 2,
    switching_variance: bool = True,
    lags: int = 0,
    form: str = "mean",
    trend: str = "c",
    switching: tuple[str, ...] | None = None,
    starts: int = DETERMINISTIC_STARTS,
    rng: np.random.Generator | None = None,
    cov: str = "hessian",
    order_by: str | None = None,
) -> MarkovSwitchingResult | Inapplicable | Failed:
    """Fit a Markov-switching regression or autoregression by maximum likelihood from many starts.

    Parameters
    ----------
    y : array_like of shape (n,)
        NaN marks a missing value; its row tells nothing, the chain moves on through it.
    x : array_like of shape (n,) or (n, m), optional
        Regressors of the same date.
    states : int
        Number of states. It is not tested: a likelihood ratio for it has no chi-squared law.
    switching_variance : bool
        Whether the variance differs between states.
    lags : int
        Autoregressive order p.
    form : {"mean", "intercept"}
        With lags: Hamilton's (1989), where deviations from each date's own mean are autoregressive, or one where lags
        of y are regressors and the intercept switches.
    trend : {"c", "n"}
        With or without a constant.
    switching : tuple of {"trend", "x", "lags"}, optional
        Which coefficients differ between states; all by default, but not the lags in the form "mean".
    starts : int
        Starting points. The first 8 come from splits of the data by size, level and time; more are random chains.
    rng : Generator, optional
        Needed for more than 8 starts.
    cov : {"hessian", "opg", "robust"}
        Covariance of the estimates; "robust" is the sandwich that allows for errors that are not normal.
    order_by : {"variance", "mean"}, optional
        What rises with the number of the state: the variance where it switches, else the level of the fit at average
        regressors.

    Returns
    -------
    MarkovSwitchingResult, Inapplicable or Failed
        Inapplicable for too few rows or a constant or collinear series; Failed when no start reached a regular maximum.

    Raises
    ------
    InputError
        On wrong shapes, infinite values or options outside their range.

    Notes
    -----
    EM with a compiled filter, then BFGS with the exact score. Starting values are weighted regressions on a first
    assignment of rows to states, and the chain starts in its long-run law, which is computed without subtraction: no
    start can fail. States that sit on a few rows, where the likelihood is unbounded, are set aside. Smoothed
    probabilities serve the estimation and are not returned: they know the future.

    References
    ----------
    Hamilton (1989), Econometrica 57; Hamilton (1990), J. Econometrics 45; Kim (1994), J. Econometrics 60.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> calm = np.arange(600) // 100 % 2 == 0
    >>> fit = markov_switching(rng.standard_normal(600) * np.where(calm, 1.0, 3.0))
    >>> [round(float(v)) for v in fit.variances]
    [1, 9]
    """
    same_index(y=y, x=x)
    series = as_series("y", y)
    columns = as_columns("x", x, series.size)
    k, p = positive_integer("states", states, at_least=2), positive_integer("lags", lags, at_least=0)
    tries = positive_integer("starts", starts)
    _check(k, p, form, trend, cov, order_by, tries, rng)
    groups = _groups(switching, form)
    problem = build(series, columns, k, p, form, trend, groups, switching_variance, order_by)
    if isinstance(problem, str):
        return Inapplicable(method=METHOD, reason=problem)
    found = maximise(problem.model, tries, rng)
    best = regular(found)
    if isinstance(best, str):
        return Failed(method=METHOD, reason=best)
    options = {
        "form": form if p else "regression",
        "trend": trend,
        "switching": groups,
        "switching_variance": bool(switching_variance),
        "cov": cov,
        "starts": tries,
        "order_by": problem.order_by,
    }
    return _report(problem, best, found, p, options)


def _check(
    k: int, p: int, form: str, trend: str, cov: str, order_by: str | None, starts: int, rng: np.random.Generator | None
) -> None:
    for name, given, limit in (("form", form, ("mean", "intercept")), ("trend", trend, ("c", "n"))):
        if given not in limit:
            raise InputError(f"unknown {name}", given=repr(given), limit=", ".join(limit))
    if cov not in COVARIANCES:
        raise InputError("unknown covariance", given=repr(cov), limit=", ".join(COVARIANCES))
    if order_by not in (None, "variance", "mean"):
        raise InputError("unknown rule for numbering states", given=repr(order_by), limit='"variance", "mean"')
    if form == "mean" and p and k ** (p + 1) > COMPOSITE_LIMIT:
        raise InputError(
            "too many states and lags at once",
            given=f"{k} states, {p} lags",
            limit=f"states to the power of lags + 1 at most {COMPOSITE_LIMIT}",
            remedy='use form="intercept"',
        )
    if starts > DETERMINISTIC_STARTS and not isinstance(rng, np.random.Generator):
        raise InputError(
            "random starts need a generator",
            given=f"{starts} starts",
            limit=f"{DETERMINISTIC_STARTS} without one",
            remedy="pass rng=np.random.default_rng(seed)",
        )


def _groups(switching: tuple[str, ...] | None, form: str) -> tuple[str, ...]:
    if switching is None:
        return ("trend", "x") if form == "mean" else GROUPS
    chosen = tuple(switching)
    if not set(chosen) <= set(GROUPS):
        raise InputError("unknown group of coefficients", given=repr(switching), limit=", ".join(GROUPS))
    return chosen


def _report(
    problem: Problem, best: Maximum, found: list[Maximum], p: int, options: dict[str, Any]
) -> MarkovSwitchingResult:
    model, units = problem.model, problem.units
    scaled = order_states(model, unpack(model, best.theta), problem.order_by)
    at, theta = units.natural(scaled), pack(model, scaled)
    free, covered = covariance(model, theta, str(options["cov"]))
    matrix = natural_covariance(model, theta, free, units)
    label, estimate = names(model, problem.columns), values(model, at)
    nobs, k = int(model.usable.sum()), model.states
    shift = -nobs * math.log(units.response)
    maxima = [item for item in found if not item.degenerate]
    run, present = run_filter(model, scaled), model.digits[:, 0]
    filtered, predicted = (
        np.column_stack([part[:, present == s].sum(axis=1) for s in range(k)]) for part in (run.filtered, run.predicted)
    )
    top = best.loglikelihood + shift
    means = (model.design[model.usable].mean(axis=0) * units.design) @ at.coefficients.T
    return MarkovSwitchingResult(
        method=METHOD,
        states=k,
        loglikelihood=top,
        aic=2.0 * theta.size - 2.0 * top,
        bic=math.log(nobs) * theta.size - 2.0 * top,
        params=dict(zip(label, estimate.tolist(), strict=True)),
        standard_errors={
            name: math.sqrt(float(matrix[i, i])) for i, name in enumerate(label) if covered[i] and matrix[i, i] > 0.0
        },
        covariance=matrix,
        transition=at.transition,
        expected_durations=1.0 / np.array([np.delete(at.transition[s], s).sum() for s in range(k)]),
        stationary=stationary(at.transition),
        filtered=filtered,
        predicted=predicted,
        means=means if model.design.shape[1] else np.zeros(k),
        variances=at.variance,
        order_by=problem.order_by,
        maxima=np.array([item.loglikelihood + shift for item in maxima]),
        maxima_starts=np.array([item.starts for item in maxima]),
        starts=int(options["starts"]),
        degenerate=len(found) - len(maxima),
        nobs=nobs,
        nobs_lost=len(model.response) - nobs,
        lags=p,
        options=options,
        warnings=_warnings(at, maxima, covered, thinnest(model, theta)),
        reference=REFERENCE,
    )


def _warnings(at: Parameters, maxima: list[Maximum], covered: Bools, rows: float) -> tuple[str, ...]:
    out = []
    if len(maxima) > 1 and maxima[0].loglikelihood - maxima[1].loglikelihood < 2.0:
        out.append("another local maximum has nearly the same likelihood; the states may be read in two ways")
    if not np.any(covered):
        out.append("the information matrix is not positive definite: no standard errors")
    elif not np.all(covered):
        out.append(f"a transition chance is within {BOUNDARY:g} of zero or one; it has no standard error")
    if rows < FEW_ROWS:
        out.append(f"a state is expected in {rows:.1f} rows only; it marks exceptions, not a regime")
    if float(np.diag(at.transition).min()) < 0.5:
        out.append("a state is left sooner than it is kept; it marks single rows, not a regime")
    return tuple(out)
