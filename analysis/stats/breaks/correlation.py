"""The result of a test of constancy, and the test of a constant correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.breaks.correlation_draws import constant_response_draws
from analysis.stats.breaks.design import long_run_meat
from analysis.stats.lagged import Floats, same_index
from analysis.stats.regression import as_series, bootstrap_pvalue, positive_integer, require_generator
from analysis.stats.volatility.garch_filter import LEAST_ROWS, fit_garch11

CORRELATION = "Test for a break in correlation"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BreakTestResult(TestResult):
    """A test of constancy against a break at an unknown date.

    Attributes
    ----------
    break_after : int
        1-based number of the observation after which the evidence for a break is largest; a date only if the test
        rejects, and found with the whole sample.
    path : ndarray of shape (m,)
        The statistic at each candidate date; its largest absolute value is `statistic`.
    path_after : ndarray of int of shape (m,)
        1-based number of the last observation before each candidate date.
    bootstrap_pvalue, bootstrap_error : float or None
        Where the test has a bootstrap: its p-value and the Monte Carlo standard error of that.
    bootstrap_draws : int
    """

    break_after: int
    path: np.ndarray
    path_after: np.ndarray
    bootstrap_pvalue: float | None = None
    bootstrap_error: float | None = None
    bootstrap_draws: int = 0

    def summary(self) -> str:
        """Return the test and the date of the largest evidence as text."""
        lines = [TestResult.summary(self), f"  largest evidence for a break after observation {self.break_after}"]
        if self.bootstrap_pvalue is not None:
            lines.append(
                f"  bootstrap p = {self.bootstrap_pvalue:.4g} (+/- {self.bootstrap_error:.2g}, "
                f"{self.bootstrap_draws} draws)"
            )
        return "\n".join(lines)


def correlation_break(
    x: ArrayLike,
    y: ArrayLike,
    *,
    bandwidth: int | None = None,
    volatility: str = "constant",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
) -> BreakTestResult | Inapplicable | Failed:
    """Test whether the correlation of two series is constant, without assuming when it changes.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Series on one time grid; rows with a NaN are left out.
    bandwidth : int, optional
        Lags of the Bartlett long-run variance; by default the whole part of log n, as in the paper, and with
        `volatility` "garch" that of 1.5 n^(1/2). 0 treats the rows as independent in time, which volatility clusters
        are not.
    volatility : {"constant", "garch"}
        Whether each series is first divided by the volatility of a GARCH(1,1) with t errors, fitted to it.
    bootstrap : int
        Wild draws in which `y` responds to `x` in one way throughout; 0 for none.
    rng : Generator, optional
        Needed when `bootstrap` is positive.

    Returns
    -------
    BreakTestResult, Inapplicable or Failed
        ``estimate`` is the correlation after less before the date of the largest evidence. ``pvalue`` is that of a
        constant correlation, ``bootstrap_pvalue`` that of a constant response. Failed when no maximum of the GARCH
        likelihood is found.

    Raises
    ------
    InputError
        For a wrong shape, an infinite value or a bandwidth that is no whole number.

    Notes
    -----
    The path is ``D j / sqrt(n) (r_j - r_n)`` with r_j the correlation of the first j rows. D is one over the long-run
    standard deviation of a row's influence on the correlation; this is the paper's delta method on the five moments,
    written in one step. Means and variances are taken as constant. Volatility that moves by itself in each series moves
    the conditional correlation for weeks, and log n lags miss that: with 2,000 rows, persistent GARCH-t volatility in
    both and a constant response, the paper's setting rejects 33 % of true nulls at 5 %, "garch" with its longer
    bandwidth 5 % (200 replications); a response that rises from 0.5 to 0.9 half way is found in 86 %.

    A volatility that shifts for years is another matter: the correlation of the shocks is the response times the ratio
    of both volatilities, and moves with that ratio while the response stays (Forbes and Rigobon 2002). With 2,000 rows
    of GARCH-t the table rejects 5 % where volatility is calm and 69 % where that of `y` beside its response halves half
    way; the draws, in which the response stays, 3 % and 5 %. The rise from 0.5 to 0.9 they find in 84 %, the table in
    79 % (150 replications).

    References
    ----------
    Wied, Krämer and Dehling (2012), Econometric Theory 28; Forbes and Rigobon (2002), J. Finance 57.
    """
    draws = require_generator(bootstrap, rng)
    same_index(x=x, y=y)
    x = as_series("x", x)
    y = as_series("y", y, x.size)
    places = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    n = int(places.size)
    if volatility not in ("constant", "garch"):
        raise InputError("unknown treatment of volatility", given=repr(volatility), limit="constant, garch")
    lags = _bandwidth(n, volatility) if bandwidth is None else positive_integer("bandwidth", bandwidth, at_least=0)
    if n < (20 if volatility == "constant" else LEAST_ROWS):
        return Inapplicable(method=CORRELATION, reason=f"{n} complete rows, too few")
    pair = np.column_stack([x, y])[places]
    spread = pair.std(axis=0)
    if (spread <= 1e-12 * np.abs(pair).max(axis=0)).any():
        return Inapplicable(method=CORRELATION, reason="a series is constant")
    centred, scale = pair - pair.mean(axis=0), np.ones_like(pair)
    if volatility == "garch":
        fitted = _volatility(centred)
        if isinstance(fitted, str):
            return Failed(method=CORRELATION, reason=fitted)
        scale = fitted
        pair = centred / scale
        spread = pair.std(axis=0)
    z: Floats = (pair - pair.mean(axis=0)) / spread
    rho = float(np.mean(z[:, 0] * z[:, 1]))
    influence = z[:, 0] * z[:, 1] - rho / 2.0 * np.sum(z**2, axis=1)
    variance = float(long_run_meat(influence[:, None], "HAC", lags)[0, 0]) / n
    if variance <= 1e-20 or 1.0 - abs(rho) <= 1e-12:
        return Inapplicable(method=CORRELATION, reason="the series are a linear function of each other")
    counts = np.arange(2, n)
    path = counts / math.sqrt(n * variance) * (_running_correlation(z, rho)[1:-1] - rho)
    peak = int(np.argmax(np.abs(path)))
    date = int(counts[peak])
    statistic = float(abs(path[peak]))
    boot: tuple[float | None, float | None] = (None, None)
    if draws and rng is not None:
        boot = bootstrap_pvalue(statistic, constant_response_draws(centred, scale, lags, draws, rng))
    return BreakTestResult(
        method=CORRELATION,
        null="the correlation does not change" + (" beyond what volatility does to it" if draws else ""),
        alternative="the correlation changes",
        statistic=statistic,
        pvalue=float(stats.kstwobign.sf(statistic)),
        distribution="Kolmogorov",
        estimate=_difference(z, date),
        estimate_name="correlation after less before the date",
        nobs=n,
        nobs_lost=x.size - n,
        options={"bandwidth": lags, "volatility": volatility, "bootstrap": draws},
        reference="Wied, Krämer and Dehling (2012), Econometric Theory 28",
        break_after=int(places[date - 1]) + 1,
        path=path,
        path_after=places[counts - 1] + 1,
        bootstrap_pvalue=boot[0],
        bootstrap_error=boot[1],
        bootstrap_draws=draws,
    )


def _bandwidth(n: int, volatility: str) -> int:
    return int(math.log(max(n, 1))) if volatility == "constant" else int(1.5 * math.sqrt(n))


def _volatility(centred: Floats) -> Floats | str:
    """Return the fitted volatility of both columns, or why a fit failed."""
    fits = [fit_garch11(column, distribution="t") for column in centred.T]
    for item in fits:
        if isinstance(item, str):
            return item
    return np.column_stack([np.sqrt(item.variance) for item in fits if not isinstance(item, str)])


def _running_correlation(z: Floats, fallback: float) -> Floats:
    """Return the correlation of the first 1..n rows of standardised pairs (n, 2); `fallback` where none exists yet."""
    j = np.arange(1, len(z) + 1)
    mean: Floats = np.cumsum(z, axis=0) / j[:, None]
    square: Floats = np.cumsum(z**2, axis=0) / j[:, None]
    spread: Floats = square - mean**2
    product = np.cumsum(z[:, 0] * z[:, 1]) / j - mean[:, 0] * mean[:, 1]
    exists = (spread[:, 0] > 1e-12 * square[:, 0]) & (spread[:, 1] > 1e-12 * square[:, 1])
    scale = np.sqrt(np.prod(np.where(exists[:, None], spread, 1.0), axis=1))
    return np.where(exists, np.clip(product / scale, -1.0, 1.0), fallback)


def _difference(z: Floats, date: int) -> float | None:
    """Return the correlation after less before a date, or None where a series is constant on a side."""
    sides = []
    for a, b in ((z[:date, 0], z[:date, 1]), (z[date:, 0], z[date:, 1])):
        if a.size < 2 or min(a.std(), b.std()) <= 1e-12:
            return None
        centred = (a - a.mean()) @ (b - b.mean())
        sides.append(float(centred / (a.size * a.std() * b.std())))
    return sides[1] - sides[0]
