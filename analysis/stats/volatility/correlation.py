"""Dynamic conditional correlation: volatility of each series first, then how the shocks move together over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable
from analysis.stats.lagged import Floats, as_columns
from analysis.stats.volatility.correlation_constancy import ConstantCorrelationResult, constant_correlation
from analysis.stats.volatility.correlation_result import DynamicCorrelation
from analysis.stats.volatility.fit import GarchResult, fit_garch, longest_stretch

__all__ = ["ConstantCorrelationResult", "DynamicCorrelation", "constant_correlation", "dynamic_correlation"]

METHOD = "Dynamic conditional correlation"
REFERENCE = "Engle (2002), Journal of Business and Economic Statistics 20"
CORRECTED = "Aielli (2013), Journal of Business and Economic Statistics 31"
VOLATILITIES = ("garch", "gjr")
PERSISTENCE_LIMIT = 0.9999
STARTS = tuple((persistence, share) for persistence in (0.5, 0.9, 0.97, 0.995) for share in (0.01, 0.04, 0.1, 0.3))
SEARCHES = 3
# A weight of past shocks below this is a correlation estimated as constant.
LEAST_ALPHA = 1e-5


def dynamic_correlation(
    returns: ArrayLike,
    *,
    vol: str = "garch",
    mean: str = "constant",
    corrected: bool = False,
    errors: bool = True,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> DynamicCorrelation | Inapplicable | Failed:
    """Estimate correlations that move from day to day, in two steps.

    Parameters
    ----------
    returns : array_like of shape (n, k)
        Series by column, in time order. NaN marks a missing value; the longest stretch of whole rows is used and the
        others count as lost.
    vol : {"garch", "gjr"}
        Volatility of each series; normal quasi likelihood.
    mean : {"constant", "zero"}
    corrected : bool
        Use Aielli's shocks, whose mean product is the target; Engle's are the default.
    errors : bool
        Work out standard errors and the intervals that rest on them.
    level : float
    names : sequence of str, optional

    Returns
    -------
    DynamicCorrelation, Inapplicable or Failed
        Failed when a volatility or the correlations have no maximum; the reason names the series.

    Raises
    ------
    InputError
        For a wrong shape, an infinite value or an option outside its set.

    Notes
    -----
    Q_t = (1 - alpha - beta) S + alpha z_{t-1} z_{t-1}' + beta Q_{t-1}, scaled to unit diagonal; S is the correlation of
    the shocks, so the correlation of row t is known at t-1. Standard errors come from all moment conditions at once
    (volatilities, target, alpha and beta), as the second step rests on the estimates of the first. The band of a path
    holds the uncertainty of the parameters, not of the model. With heavy tails (t shocks of 5 degrees, n = 1500, 150
    replications) nominal 95 % intervals held alpha in 91 and the persistence in 86 of 100.

    References
    ----------
    Engle (2002); Aielli (2013); Newey and McFadden (1994), Handbook of Econometrics 4, section 6 (two-step errors).

    Examples
    --------
    >>> draws = np.random.default_rng(0).standard_normal((400, 2))
    >>> dynamic_correlation(draws, errors=False).correlation.shape
    (400, 2, 2)
    """
    data = as_columns(returns, "returns")
    n, k = data.shape
    if k < 2:
        raise InputError("a correlation needs at least two series", given=data.shape, limit="shape (n, k), k >= 2")
    if vol not in VOLATILITIES or mean not in ("constant", "zero"):
        raise InputError("unknown volatility or mean", given=f"{vol}, {mean}", limit="garch, gjr; constant, zero")
    if not 0.5 <= level < 1.0:
        raise InputError("level must be a coverage", given=level, limit="0.5 to below 1")
    labels = tuple(f"series {i + 1}" for i in range(k)) if names is None else tuple(str(name) for name in names)
    if len(labels) != k or len(set(labels)) != k:
        raise InputError("names must be distinct, one for each series", given=labels, limit=f"{k} names")
    first, stop = longest_stretch(np.asarray(np.isfinite(data).all(axis=1)))
    stretch = data[first:stop]
    margins = fit_margins(stretch, vol, mean, labels, METHOD)
    if not isinstance(margins, tuple):
        return margins
    z = np.column_stack([margin.standardized for margin in margins])
    if np.linalg.cond(np.corrcoef(z.T)) > 1e10:
        return Inapplicable(method=METHOD, reason="the shocks are collinear: a series is repeated")
    found = maximize(z, corrected)
    if isinstance(found, str):
        return Failed(method=METHOD, reason=found)
    parts: dict[str, Any] = {}
    cautions = ["a margin's own volatility is close to integrated"] if _integrated(margins) else []
    if found.alpha <= LEAST_ALPHA:
        cautions.append("alpha is zero: the correlation is estimated as constant, and beta is not identified")
    elif errors:
        from analysis.stats.volatility.correlation_errors import sampling_errors

        answer = sampling_errors(stretch, margins, found, corrected=corrected, vol=vol, mean=mean, level=level)
        if answer is None:
            cautions.append("the information matrix is singular: no standard errors")
        else:
            parts = answer
            parts["correlation_interval"] = _padded(parts["correlation_interval"], first, n)
    return DynamicCorrelation(
        method=f"{METHOD}{', corrected' if corrected else ''}",
        names=labels,
        pairs=tuple(combinations(labels, 2)),
        alpha=found.alpha,
        beta=found.beta,
        loglikelihood=float(sum(margin.loglikelihood for margin in margins) + found.gain),
        constant_loglikelihood=float(sum(m.loglikelihood for m in margins) + _constant_gain(z)),
        correlation=_padded(found.path, first, n),
        target=found.target,
        margins=margins,
        interval_level=float(level),
        nobs=stop - first,
        nobs_lost=n - (stop - first),
        options={"vol": vol, "mean": mean, "corrected": corrected, "errors": errors},
        warnings=tuple(cautions),
        reference=f"{REFERENCE}; {CORRECTED}" if corrected else REFERENCE,
        **parts,
    )


def fit_margins(
    data: Floats, vol: str, mean: str, names: Sequence[str], method: str
) -> tuple[GarchResult, ...] | Inapplicable | Failed:
    """Fit the volatility of every column of gapless data; the first failure names its series."""
    margins = []
    for column, name in zip(data.T, names, strict=True):
        fit = fit_garch(column, vol=vol, mean=mean)
        if not isinstance(fit, GarchResult):
            return type(fit)(method=method, reason=f"volatility of {name}: {fit.reason}")
        margins.append(fit)
    return tuple(margins)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The second step: alpha, beta, target (k, k), path (n, k, k), gain over no correlation in log-likelihood."""

    alpha: float
    beta: float
    target: Floats
    path: Floats
    gain: float


def driver_and_target(z: Floats, alpha: float, beta: float, corrected: bool) -> tuple[Floats, Floats]:
    """Return the shocks that move Q and the correlation matrix of their products."""
    from analysis.stats.volatility.correlation_kernels import scaled_shocks

    driver = scaled_shocks(z, alpha, beta) if corrected else z
    moment = driver.T @ driver
    scale = np.sqrt(np.diag(moment))
    return driver, moment / np.outer(scale, scale)


def maximize(z: Floats, corrected: bool) -> Fitted | str:
    """Search alpha and beta from the best of a grid of starting points; the reason in words when no maximum is found.

    `z` has shape (n, k) and no gap.
    """
    from analysis.stats.volatility.correlation_kernels import correlation_path

    z = np.ascontiguousarray(z)

    def loss(free: Floats) -> float:
        alpha, beta = free[0] * free[1], free[0] * (1.0 - free[1])
        driver, target = driver_and_target(z, alpha, beta, corrected)
        value = -correlation_path(z, driver, target, alpha, beta)[1].mean()
        return float(value) if np.isfinite(value) else 1e6

    bounds = [(0.0, PERSISTENCE_LIMIT), (0.0, 1.0)]
    best = None
    for start in sorted((np.array(start) for start in STARTS), key=loss)[:SEARCHES]:
        found = optimize.minimize(
            loss, start, jac="3-point", method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-7}
        )
        if np.isfinite(found.fun) and (best is None or found.fun < best.fun):
            best = found
    if best is None or not _is_maximum(loss, np.asarray(best.x), float(best.fun), bounds):
        return "no maximum of the likelihood of the correlations was found"
    alpha, beta = float(best.x[0] * best.x[1]), float(best.x[0] * (1.0 - best.x[1]))
    driver, target = driver_and_target(z, alpha, beta, corrected)
    path, terms = correlation_path(z, driver, target, alpha, beta)
    return Fitted(alpha, beta, target, path, float(terms.sum()))


def _is_maximum(loss: Any, x: Floats, value: float, bounds: list[tuple[float, float]]) -> bool:
    """Say whether no small step within the bounds improves the mean log-likelihood by more than noise."""
    for i, (low, high) in enumerate(bounds):
        for step in (-1e-3, 1e-3):
            moved = x.copy()
            moved[i] = min(max(moved[i] + step, low), high)
            if loss(moved) < value - 1e-7:
                return False
    return True


def _constant_gain(z: Floats) -> float:
    """Return the log-likelihood a constant correlation gains over none."""
    R = driver_and_target(z, 0.0, 0.0, False)[1]
    density = stats.multivariate_normal(np.zeros(len(R)), R)
    return float(np.sum(density.logpdf(z) - stats.norm.logpdf(z).sum(axis=1)))


def _integrated(margins: tuple[GarchResult, ...]) -> bool:
    return any(margin.persistence > 0.9998 for margin in margins)


def _padded(values: Floats, first: int, n: int) -> Floats:
    """Put missing rows around values that start at row `first` of n."""
    out = np.full((n, *values.shape[1:]), np.nan)
    out[first : first + len(values)] = values
    return out
