"""Do two return series respond differently to the same shocks? Both betas and their difference from one regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.exposures_result import ShockBetas
from analysis.stats.lagged import same_index
from analysis.stats.multiplicity import romano_wolf
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

METHOD = "Betas to shocks"
REFERENCE = (
    "MacKinnon and White (1985), J. Econometrics 29; Gonçalves and Kilian (2004), J. Econometrics 123; "
    "Romano and Wolf (2005), Econometrica 73"
)
FEWEST_ROWS = 50
LEVERAGE_LIMIT = 1.0 - 1e-9


def innovations(values: Any, *, lags: int = 1) -> np.ndarray:
    """Return what the own past of a series does not account for.

    Parameters
    ----------
    values : array_like of shape (n,)
        Changes of a rate, a spread or an index; NaN marks a missing value.
    lags : int
        Order of the autoregression with a constant; 0 returns deviations from the mean.

    Returns
    -------
    ndarray of shape (n,)
        Residuals at their own dates; NaN where a value or one of its lags is missing, and everywhere when too few rows
        are left or the series does not vary.

    Notes
    -----
    The coefficients use the whole sample: the residuals describe, they are no forecast errors that somebody made.
    """
    series = as_series("values", values)
    order = positive_integer("lags", lags, at_least=0)
    design = np.column_stack([np.ones(series.size), lag_columns(series[:, None], order)])
    used = np.isfinite(np.column_stack([series, design])).all(axis=1)
    residuals = np.full(series.size, np.nan)
    fit = ols(design[used], series[used]) if used.sum() > order + 1 else None
    if fit is not None:
        residuals[used] = fit.residuals
    return residuals


def shock_betas(
    first: Any,
    second: Any,
    shocks: Any,
    *,
    names: Sequence[str] | None = None,
    cov: str = "HC3",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> ShockBetas | Inapplicable:
    """Regress two return series on the same shocks of the same period and test whether their betas differ.

    Parameters
    ----------
    first, second : array_like of shape (n,)
        Returns of the same periods. NaN marks a missing value; a row needs everything.
    shocks : array_like of shape (n,) or (n, m)
        Changes or innovations, all in one regression: each beta holds the other shocks fixed. Give one shock alone for
        the whole response to it, which includes what tends to come with it.
    names : sequence of str, optional
        Names of the shocks.
    cov : {"HC3", "HC0", "HC1", "nonrobust", "HAC"}
        Covariance of intervals and tests.
    bootstrap : int
        Draws of the fixed-design wild bootstrap; every test imposes its own null and all share their signs.
    rng : Generator, optional
        Needed when `bootstrap` is positive.
    level : float

    Returns
    -------
    ShockBetas or Inapplicable

    Raises
    ------
    InputError
        On wrong shapes, infinite values or options outside their range.

    Notes
    -----
    Both series have the same regressors, so the regression of first less second gives exactly the difference of the
    betas, and its covariance takes care of how the two residuals move together. Comparing two separate intervals would
    ignore that and miss differences that are there. Measured size of the wild bootstrap at a nominal 5 %, n = 500 and
    1500: 4 to 6 % on independent data, on GARCH-t data and where the volatility of the shock spills over into the
    returns; there the homoskedastic F test rejects in 14 to 17 % of samples.

    Examples
    --------
    >>> rng = np.random.default_rng(11)
    >>> shock, noise = rng.standard_normal(500), rng.standard_normal(500)
    >>> shock_betas(-2 * shock + noise, -shock + noise, shock).amplification.round(3).tolist()
    [1.0]
    """
    same_index(first=first, second=second, shocks=shocks)
    first = as_series("first", first)
    second, columns = as_series("second", second, first.size), as_columns("shocks", shocks, first.size)
    labels = _labels(names, columns.shape[1])
    draws = require_generator(bootstrap, rng)
    if cov not in COVARIANCES:
        raise InputError("unknown covariance", given=repr(cov), limit=", ".join(COVARIANCES))
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)
    block = np.column_stack([first, second, columns])
    used = np.isfinite(block).all(axis=1)
    if used.sum() < FEWEST_ROWS:
        return Inapplicable(
            method=METHOD, reason=f"{int(used.sum())} usable rows are too few; at least {FEWEST_ROWS} are needed"
        )
    design = np.column_stack([np.ones(int(used.sum())), columns[used]])
    fits = [ols(design, values[used], np.flatnonzero(used)) for values in (first, second, first - second)]
    known = [fit for fit in fits if fit is not None]
    if len(known) < len(fits) or float(known[2].leverage.max()) > LEVERAGE_LIMIT:
        return Inapplicable(method=METHOD, reason="the shocks are constant, collinear or happen in a single row")
    R = np.eye(len(labels) + 1)[1:]
    joint = wald(known[2], R, cov)
    if joint is None:
        return Inapplicable(method=METHOD, reason="both series are alike, which leaves no residual variation")
    parts = _Parts(*(_betas(fit, cov, level) for fit in known))
    boot = _bootstrap(known[2], R, joint, cov, draws, rng)
    r2 = (_r2(known[0], first[used]), _r2(known[1], second[used]))
    options = {"cov": cov, "level": level, "bootstrap": draws}
    return _report(labels, known[2], joint, parts, boot, r2, options, int((~used).sum()))


@dataclass(frozen=True, slots=True)
class _Betas:
    """Betas without the constant, both ends of their intervals and their standard errors, shape (m,) each."""

    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    error: np.ndarray


@dataclass(frozen=True, slots=True)
class _Parts:
    first: _Betas
    second: _Betas
    gap: _Betas


@dataclass(frozen=True, slots=True)
class _Boot:
    """Bootstrap p-values: of the joint test with its error, of every shock, and those adjusted over the shocks."""

    pvalue: float | None = None
    error: float | None = None
    single: np.ndarray | None = None
    adjusted: np.ndarray | None = None


def _report(
    labels: tuple[str, ...],
    gap: LeastSquares,
    joint: float,
    parts: _Parts,
    boot: _Boot,
    r2: tuple[float, float],
    options: dict[str, Any],
    lost: int,
) -> ShockBetas:
    degrees = (float(len(labels)), float(gap.df_resid))
    together = np.sign(parts.first.value + parts.second.value)
    ends = np.sort(np.stack([together * parts.gap.lower, together * parts.gap.upper]), axis=0)
    amplification = together * parts.gap.value
    alone = len(labels) == 1
    return ShockBetas(
        method=METHOD,
        null="both series have the same beta to every shock",
        alternative="their betas differ for one shock or more",
        statistic=joint / degrees[0],
        pvalue=float(stats.f.sf(joint / degrees[0], *degrees)),
        distribution="F",
        df=degrees,
        estimate=float(amplification[0]) if alone else None,
        estimate_name="difference of betas, in the direction in which both series move" if alone else "",
        interval=(float(ends[0, 0]), float(ends[1, 0])) if alone else None,
        interval_level=float(options["level"]),
        nobs=gap.residuals.size,
        nobs_lost=lost,
        options=options,
        warnings=_warnings(labels, parts),
        reference=REFERENCE,
        bootstrap_pvalue=boot.pvalue,
        bootstrap_error=boot.error,
        bootstrap_draws=int(options["bootstrap"]),
        shocks=labels,
        first=parts.first.value,
        first_lower=parts.first.lower,
        first_upper=parts.first.upper,
        second=parts.second.value,
        second_lower=parts.second.lower,
        second_upper=parts.second.upper,
        difference=parts.gap.value,
        difference_lower=parts.gap.lower,
        difference_upper=parts.gap.upper,
        amplification=amplification,
        amplification_lower=ends[0],
        amplification_upper=ends[1],
        difference_pvalue=_tail(gap, str(options["cov"])),
        hac_pvalue=_tail(gap, "HAC"),
        single_pvalue=boot.single,
        adjusted_pvalue=boot.adjusted,
        r2=r2,
    )


def _labels(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if count == 0:
        raise InputError("there is no shock", limit="at least one column")
    labels = tuple(names) if names is not None else tuple(f"shock {i + 1}" for i in range(count))
    if len(labels) != count or len(set(labels)) != count:
        raise InputError("names must name every shock once", given=", ".join(labels), limit=f"{count} different names")
    return labels


def _betas(fit: LeastSquares, cov: str, level: float) -> _Betas:
    R = np.eye(fit.design.shape[1])[1:]
    error = np.sqrt(np.diag(restriction_covariance(fit, R, fit.residuals[None, :], cov)[0]))
    half = float(stats.t.isf((1.0 - level) / 2.0, fit.df_resid)) * error
    value = fit.coefficients[1:]
    return _Betas(value, value - half, value + half, error)


def _tail(fit: LeastSquares, cov: str) -> np.ndarray:
    betas = _betas(fit, cov, 0.95)
    return np.asarray(2.0 * stats.t.sf(np.abs(betas.value) / betas.error, fit.df_resid))


def _r2(fit: LeastSquares, target: np.ndarray) -> float:
    total = float(np.square(target - target.mean()).sum())
    return 1.0 - float(np.square(fit.residuals).sum()) / total if total > 0.0 else 0.0


def _bootstrap(
    gap: LeastSquares, R: np.ndarray, joint: float, cov: str, draws: int, rng: np.random.Generator | None
) -> _Boot:
    if not draws or rng is None:
        return _Boot()
    # One seed for all tests: the same signs make the draws joint, as the correction over the shocks needs.
    seed = int(rng.integers(2**63))
    effect = gap.design @ gap.coefficients + gap.residuals

    def drawn(rows: np.ndarray, kept: np.ndarray) -> np.ndarray:
        null = ols(gap.design[:, kept], effect)
        residuals = gap.residuals if null is None else null.residuals
        return wild_bootstrap(gap, rows, residuals, cov=cov, draws=draws, rng=np.random.default_rng(seed))

    columns = np.arange(len(R) + 1)
    single = np.column_stack([drawn(R[i : i + 1], columns[columns != i + 1]) for i in range(len(R))])
    observed = np.array([wald(gap, R[i : i + 1], cov) or 0.0 for i in range(len(R))])
    # A single shock is the joint test already.
    together = single[:, 0] if len(R) == 1 else drawn(R, columns[:1])
    adjusted = romano_wolf(np.sqrt(observed), np.sqrt(single))
    return _Boot(*bootstrap_pvalue(joint, together), adjusted.pvalues, adjusted.adjusted)


def _warnings(labels: tuple[str, ...], parts: _Parts) -> tuple[str, ...]:
    inside = [(leg.lower < 0.0) & (leg.upper > 0.0) for leg in (parts.first, parts.second)]
    unsure = [name for name, open_ended in zip(labels, inside[0] & inside[1], strict=True) if open_ended]
    return (f"the direction of the exposure is not known for: {', '.join(unsure)}",) if unsure else ()
