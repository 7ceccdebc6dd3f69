"""Nonlinear Granger causality: the Diks-Panchenko test and transfer entropy.

Notes
-----
Both compare the effect's next value given its own past with and without the cause's past, for any form of dependence. A
link in volatility is such a dependence: a rejection on series that were not freed of it says nothing about the mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.granger_design import read_series
from analysis.stats.lagged import Floats, check_lags, lag_columns
from analysis.stats.transfer_entropy import TransferEntropyResult, transfer_entropy
from analysis.stats.volatility.garch_filter import fit_garch11, mean_residuals

__all__ = ["DiksPanchenkoResult", "TransferEntropyResult", "diks_panchenko", "optimal_bandwidth", "transfer_entropy"]

METHOD = "nonlinear causality (Diks-Panchenko)"
REFERENCE = "Diks and Panchenko (2006), Journal of Economic Dynamics and Control 30, sections 3 and 4, table 1"
CONSTANT = 8.62  # reproduces the bandwidths of the paper's table 1
LARGEST_BANDWIDTH = 1.5
FILTERS = ("var", "var-garch", "none")
LEAST_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiksPanchenkoResult(TestResult):
    """A test that the effect's next value does not depend on the cause's past, given its own past.

    Notes
    -----
    `statistic` is sqrt(n) T_n / S_n, one-sided normal; `estimate` is T_n, zero without dependence; the bandwidth, in
    standard deviations, and the filter are in `options`.
    """


def optimal_bandwidth(nobs: int, *, constant: float = CONSTANT) -> float:
    """Return min(constant n^(-2/7), 1.5), in standard deviations of the series."""
    return min(constant * nobs ** (-2.0 / 7.0), LARGEST_BANDWIDTH)


def diks_panchenko(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int = 1,
    epsilon: float | None = None,
    filter: str = "var",
    filter_lags: int = 5,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> DiksPanchenkoResult | Inapplicable | Failed:
    """Test that the effect at t is independent of the cause at t-1 .. t-lags, given the effect at t-1 .. t-lags.

    Parameters
    ----------
    effect, cause : array of shape (n,)
        In time order. NaN marks a missing observation: whole rows only, gaps are never bridged.
    lags : int
        Of both series. More than one or two needs very many rows.
    epsilon : float, optional
        Bandwidth in standard deviations of the filtered series; default `optimal_bandwidth`.
    filter : {"var", "var-garch", "none"}
        What is removed first: a vector autoregression (linear causality), then also each series' own GARCH(1,1).
    filter_lags : int
        Order of that vector autoregression.
    effect_name, cause_name : str

    Returns
    -------
    DiksPanchenkoResult, Inapplicable or Failed
        Inapplicable when rows are too few or no neighbours lie within the bandwidth.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or unknown options.

    Notes
    -----
    The statistic is a third-order U-statistic; its long-run variance comes from each row's projection over all three of
    its roles, with Bartlett weights up to n^(1/4). Time grows with the square of n: 0.1 s at 2000 rows.

    References
    ----------
    Diks and Panchenko (2006), Journal of Economic Dynamics and Control 30.

    Examples
    --------
    >>> rng = np.random.default_rng(11)
    >>> x = rng.standard_normal(800)
    >>> y = np.r_[0.0, 0.8 * np.abs(x[:-1])] * rng.standard_normal(800)
    >>> diks_panchenko(y, x).pvalue < 0.01
    True
    """
    series = read_series(effect, cause, None, None)
    lags, filter_lags = check_lags(lags), check_lags(filter_lags, name="filter_lags", least=0)
    if series.joint.shape[1] != 2:
        raise InputError("a nonlinear test has one effect and one cause", given=series.joint.shape[1])
    if filter not in FILTERS:
        raise InputError("unknown filter", given=filter, limit=", ".join(FILTERS))
    if epsilon is not None and not (math.isfinite(epsilon) and epsilon > 0):
        raise InputError("epsilon must be a positive number of standard deviations", given=epsilon)
    clean = _filtered(series.joint, filter, filter_lags)
    if isinstance(clean, Inapplicable | Failed):
        return clean
    pasts = [lag_columns(clean[:, [k]], range(1, lags + 1)) for k in (0, 1)]
    rows = np.hstack([clean[:, [0]], *pasts])
    rows = rows[np.isfinite(rows).all(axis=1)]
    n = len(rows)
    if n < LEAST_ROWS:
        return Inapplicable(method=METHOD, reason=f"{n} whole rows are too few; {LEAST_ROWS} are needed")
    width = optimal_bandwidth(n) if epsilon is None else float(epsilon)
    found = _statistic(rows, lags, width)
    if found is None:
        return Inapplicable(method=METHOD, reason=f"too few rows lie within the bandwidth {width:g} of each other")
    return DiksPanchenkoResult(
        method=METHOD,
        null=f"{effect_name} at t does not depend on the past of {cause_name}, given its own past",
        alternative=f"{effect_name} at t depends on the past of {cause_name}",
        statistic=found[1],
        pvalue=float(stats.norm.sf(found[1])),
        distribution="normal",
        estimate=found[0],
        estimate_name="average weighted difference of densities T_n",
        nobs=n,
        nobs_lost=len(series) - n,
        lags=lags,
        options={"epsilon": width, "filter": filter, "filter_lags": 0 if filter == "none" else filter_lags},
        warnings=("a link in volatility alone is enough to reject",) if filter != "var-garch" else (),
        reference=REFERENCE,
    )


def _filtered(joint: Floats, filter: str, lags: int) -> Floats | Inapplicable | Failed:
    """Return both series filtered and in units of their standard deviation."""
    residuals = mean_residuals(joint, 0 if filter == "none" else lags)
    if isinstance(residuals, str):
        return Inapplicable(method=METHOD, reason=residuals)
    if filter == "var-garch":
        first = int(np.flatnonzero(np.isfinite(residuals[:, 0]))[0])
        for k in (0, 1):
            fit = fit_garch11(residuals[first:, k])
            if isinstance(fit, str):
                return Failed(method=METHOD, reason=fit)
            residuals[first:, k] = fit.shocks
    return residuals / np.nanstd(residuals, axis=0)


def _statistic(rows: Floats, lags: int, epsilon: float) -> tuple[float, float] | None:
    """Return T_n and its studentised value; None when the rows hold no neighbours."""
    from analysis.stats.neighbour_kernels import conditional_counts

    n = len(rows)
    order = np.argsort(rows[:, 1], kind="stable")
    parts = (rows[order, :1], rows[order, 1 : lags + 1], rows[order, lags + 1 :])
    Z, Y, X = (np.ascontiguousarray(part) for part in parts)
    centre, sorted_total = conditional_counts(X, Y, Z, epsilon)
    total = np.empty(n)
    total[order] = sorted_total
    volume = (2 * epsilon) ** (3 * lags + 1) * (n - 1) * (n - 2)
    estimate = float(centre.mean()) / volume
    variance = long_run_variance(total / volume, int(n**0.25))
    # The projections average three times the statistic; with the scale of the counts, rounding alone stays below this.
    if not variance > (1e-12 / volume) ** 2:
        return None
    return estimate, math.sqrt(n) * estimate / math.sqrt(variance)


def long_run_variance(values: Floats, terms: int) -> float:
    """Return the Bartlett-weighted variance with `terms` autocovariances, the variance itself the first of them."""
    e = values - values.mean()
    n = len(e)
    out = float(e @ e) / n
    for j in range(1, terms):
        out += 2 * (1 - j / terms) * float(e[j:] @ e[:-j]) / n
    return out
