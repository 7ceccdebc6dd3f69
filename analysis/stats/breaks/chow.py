"""Did a regression change at dates declared beforehand: Chow's test as one interacted regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.breaks.design import EXACT_FIT
from analysis.stats.lagged import Floats, Ints, same_index
from analysis.stats.regression import (
    COVARIANCES,
    LeastSquares,
    as_columns,
    as_series,
    bootstrap_pvalue,
    ols,
    positive_integer,
    require_generator,
    restriction_covariance,
    wald,
    wild_bootstrap,
)

METHOD = "Chow test at declared dates"
REFERENCE = (
    "Chow (1960), Econometrica 28; MacKinnon and White (1985), J. Econometrics 29; Davidson and Flachaire (2008), "
    "J. Econometrics 146"
)
MINIMUM_ROWS = 30
LEVERAGE_LIMIT = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChowResult(TestResult):
    """Coefficients before and after declared dates, and the test that they are equal.

    Attributes
    ----------
    statistic, pvalue : float
        F form of the Wald test that the tested coefficients are the same in all stretches.
    wald : float
        The same in chi-squared form.
    estimate, interval
        For one date: change of the sum of the coefficients of x (of the mean without x), after less before; None for
        several dates.
    bootstrap_pvalue, bootstrap_error : float or None
        Fixed-design wild bootstrap p-value with equality imposed, and its Monte Carlo standard error.
    bootstrap_draws : int
    at : tuple of int
        1-based number of the last observation before each date.
    coefficients : ndarray of shape (m + 1, q)
        Tested coefficients by stretch.
    sums, sums_lower, sums_upper : ndarray of shape (m + 1,)
        Sum of the coefficients of x (the mean without x) by stretch, with its interval.
    stretch_nobs : ndarray of int of shape (m + 1,)
    """

    wald: float
    bootstrap_pvalue: float | None = None
    bootstrap_error: float | None = None
    bootstrap_draws: int = 0
    at: tuple[int, ...]
    coefficients: np.ndarray
    sums: np.ndarray
    sums_lower: np.ndarray
    sums_upper: np.ndarray
    stretch_nobs: np.ndarray

    def summary(self) -> str:
        """Return the test of equality, then one line a stretch."""
        lines = [TestResult.summary(self)]
        if self.bootstrap_pvalue is not None:
            lines.append(
                f"  wild bootstrap p = {self.bootstrap_pvalue:.4g} (+/- {self.bootstrap_error:.2g}, "
                f"{self.bootstrap_draws} draws)"
            )
        for i, rows in enumerate(self.stretch_nobs):
            lines.append(
                f"  stretch {i + 1}: {self.sums[i]:.6g} [{self.sums_lower[i]:.6g}, {self.sums_upper[i]:.6g}], "
                f"n = {rows}"
            )
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a stretch with the sum of its coefficients, and the test beside each."""
        return pd.DataFrame(
            {
                "stretch": np.arange(1, len(self.sums) + 1),
                "break_after": pd.array([*self.at, None], dtype="Int64"),
                "estimate": self.sums,
                "lower": self.sums_lower,
                "upper": self.sums_upper,
                "nobs": self.stretch_nobs,
                "statistic": self.statistic,
                "pvalue": self.pvalue if self.bootstrap_pvalue is None else self.bootstrap_pvalue,
            }
        )


@dataclass(frozen=True, slots=True)
class _Problem:
    """The interacted regression: rows in use, both designs, and the tested columns of every stretch (m + 1, q)."""

    design: Floats
    restricted: Floats
    effect: Floats
    times: Ints
    tested: Ints
    summed: slice
    counts: Ints
    given: int


def chow_test(
    y: ArrayLike,
    x: ArrayLike | None = None,
    *,
    at: int | Sequence[int],
    given: ArrayLike | None = None,
    test: str = "all",
    cov: str = "HC3",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    min_rows: int = MINIMUM_ROWS,
) -> ChowResult | Inapplicable:
    """Test whether the coefficients of a regression on a constant and `x` changed at declared dates.

    Parameters
    ----------
    y : array_like of shape (n,)
        The series; NaN marks a missing value, whose row is left out.
    x : array_like of shape (n,) or (n, m), optional
        Regressors whose coefficients are tested. Lags must be columns made before, so that no gap is bridged.
    at : int or sequence of int
        1-based number of the last observation before each date, increasing. The dates must have been chosen without
        looking at this data; for a date found in it use `robust_sup_f`.
    given : array_like of shape (n,) or (n, g), optional
        Regressors that differ between stretches under the null too, and are not tested.
    test : {"all", "slopes"}
        Whether the constant is tested with x, or may differ between stretches under the null.
    cov : {"HC3", "HC0", "HC1", "nonrobust", "HAC"}
        Covariance of every statistic.
    bootstrap : int
        Draws of the fixed-design wild bootstrap that imposes equality; 0 for none.
    rng : Generator, optional
        Needed when `bootstrap` is positive.
    level : float
        Confidence level of the intervals.
    min_rows : int
        A stretch must have this many usable rows and three times its number of coefficients.

    Returns
    -------
    ChowResult or Inapplicable
        Inapplicable when a stretch is short, its regressors are collinear, or nothing is left to explain.

    Raises
    ------
    InputError
        On wrong shapes, infinite values, dates out of order or options outside their set.

    Notes
    -----
    A date that stands near a break rejects as well as one that made it: the test does not say why. Size at 5 % with
    1,000 rows on either side and errors whose variance follows the regressor: F 14 %, HC3 4 %, with the wild bootstrap
    4 %; with 250 rows on either side 11 %, 5 % and 5 % (300 replications).

    References
    ----------
    Chow (1960), Econometrica 28; MacKinnon and White (1985), J. Econometrics 29.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.standard_normal(400)
    >>> y = np.repeat([0.0, 1.0], 200) * x + rng.standard_normal(400)
    >>> chow_test(y, x, at=200).pvalue < 0.001
    True
    """
    same_index(y=y, x=x, given=given)
    series = as_series("y", y)
    columns = as_columns("x", x, series.size)
    others = as_columns("given", given, series.size)
    dates = check_dates(at, series.size)
    if test not in ("all", "slopes") or (test == "slopes" and not columns.shape[1]):
        raise InputError("nothing to test", given=f"test={test!r}, {columns.shape[1]} regressors", limit="all, slopes")
    if cov not in COVARIANCES:
        raise InputError("unknown covariance", given=repr(cov), limit=", ".join(COVARIANCES))
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)
    draws = require_generator(bootstrap, rng)
    problem = _problem(series, columns, others, dates, test)
    minimum = max(positive_integer("min_rows", min_rows), 3 * problem.design.shape[1] // (len(dates) + 1))
    if (short := int(problem.counts.min())) < minimum:
        return Inapplicable(method=METHOD, reason=f"a stretch has {short} usable rows, fewer than {minimum}")
    fit, null = (ols(design, problem.effect, problem.times) for design in (problem.design, problem.restricted))
    if fit is None or null is None:
        return Inapplicable(method=METHOD, reason="the regressors are collinear or constant within a stretch")
    if fit.residuals @ fit.residuals <= EXACT_FIT * np.sum((problem.effect - problem.effect.mean()) ** 2):
        return Inapplicable(method=METHOD, reason="the regression fits the series exactly")
    if cov == "HC3" and float(fit.leverage.max()) > LEVERAGE_LIMIT:
        return Inapplicable(method=METHOD, reason="one row determines a coefficient of a stretch on its own")
    options = {"cov": cov, "test": test, "level": level, "min_rows": minimum, "given": others.shape[1]}
    return _report(problem, fit, null, dates, options, draws, rng)


def check_dates(at: Any, n: int) -> tuple[int, ...]:
    """Return the dates as increasing numbers of observations below n; raises InputError for others."""
    values = [at] if isinstance(at, int | np.integer) else list(at)
    dates = tuple(positive_integer("at", value) for value in values)
    if not dates or dates[-1] >= n or any(b <= a for a, b in pairwise(dates)):
        raise InputError(
            "dates must be increasing numbers of observations",
            given=dates,
            limit=f"1 to {n - 1}",
            cause="a date is the 1-based number of the last observation before it",
        )
    return dates


def _problem(y: Floats, x: Floats, others: Floats, dates: tuple[int, ...], test: str) -> _Problem:
    n, ones = y.size, np.ones((y.size, 1))
    pooled, free = (np.column_stack([ones, x]), others) if test == "all" else (x, np.column_stack([ones, others]))
    used = np.flatnonzero(np.isfinite(np.column_stack([y, x, others])).all(axis=1))
    stretch = np.searchsorted(dates, used, side="right")
    inside = stretch[:, None] == np.arange(len(dates) + 1)

    def split(block: Floats) -> Floats:
        # Column order: stretch by stretch, the block's columns within it.
        return (inside[:, :, None] * block[used][:, None, :]).reshape(used.size, inside.shape[1] * block.shape[1])

    q, kept = pooled.shape[1], split(free)
    start = 1 if test == "all" and x.shape[1] else 0
    return _Problem(
        design=np.column_stack([kept, split(pooled)]),
        restricted=np.column_stack([kept, pooled[used]]),
        effect=y[used],
        times=used,
        tested=kept.shape[1] + np.arange((len(dates) + 1) * q).reshape(-1, q),
        summed=slice(start, q),
        counts=inside.sum(axis=0) if n else np.zeros(1, dtype=np.int64),
        given=n,
    )


def _report(
    problem: _Problem,
    fit: LeastSquares,
    null: LeastSquares,
    dates: tuple[int, ...],
    options: dict[str, Any],
    draws: int,
    rng: np.random.Generator | None,
) -> ChowResult | Inapplicable:
    cov, stretches = str(options["cov"]), len(problem.tested)
    eye = np.eye(fit.design.shape[1])
    R = np.vstack([eye[problem.tested[i + 1]] - eye[problem.tested[i]] for i in range(stretches - 1)])
    W = wald(fit, R, cov)
    if W is None:
        return Inapplicable(method=METHOD, reason="the covariance of the coefficients is singular")
    picks = np.stack([eye[row[problem.summed]].sum(axis=0) for row in problem.tested])
    picks = np.vstack([picks, picks[-1] - picks[0]])
    V = restriction_covariance(fit, picks, fit.residuals[None, :], cov)[0]
    values = picks @ fit.coefficients
    half = float(stats.t.isf((1.0 - float(options["level"])) / 2.0, fit.df_resid)) * np.sqrt(np.diag(V))
    boot: tuple[float | None, float | None] = (None, None)
    if draws and rng is not None:
        boot = bootstrap_pvalue(W, wild_bootstrap(fit, R, null.residuals, cov=cov, draws=draws, rng=rng))
    F, single = W / len(R), stretches == 2
    return ChowResult(
        method=METHOD,
        null="the coefficients are the same before and after every date",
        alternative="they change at one date or more",
        statistic=F,
        pvalue=float(stats.f.sf(F, len(R), fit.df_resid)),
        distribution="F",
        df=(float(len(R)), float(fit.df_resid)),
        estimate=float(values[-1]) if single else None,
        estimate_name="change of the sum of coefficients, after less before" if single else "",
        interval=(float(values[-1] - half[-1]), float(values[-1] + half[-1])) if single else None,
        interval_level=float(options["level"]),
        nobs=int(problem.counts.sum()),
        nobs_lost=problem.given - int(problem.counts.sum()),
        options={**options, "bootstrap": draws},
        reference=REFERENCE,
        wald=W,
        bootstrap_pvalue=boot[0],
        bootstrap_error=boot[1],
        bootstrap_draws=draws,
        at=dates,
        coefficients=fit.coefficients[problem.tested],
        sums=values[:-1],
        sums_lower=(values - half)[:-1],
        sums_upper=(values + half)[:-1],
        stretch_nobs=problem.counts,
    )
