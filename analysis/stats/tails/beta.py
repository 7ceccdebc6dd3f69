"""Downside and upside beta in one regression, with a test that they are equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.lagged import Floats, same_index
from analysis.stats.regression import (
    COVARIANCES,
    LeastSquares,
    as_columns,
    as_series,
    bootstrap_pvalue,
    ols,
    require_generator,
    restriction_covariance,
    wald,
    wild_bootstrap,
)

METHOD = "Downside and upside beta"
REFERENCE = (
    "Ang, Chen and Xing (2006), Review of Financial Studies 19, 1191-1239; MacKinnon and White (1985), J. Econometrics "
    "29; Gonçalves and Kilian (2004), J. Econometrics 123 (wild bootstrap)"
)
FEWEST_ROWS = 30
LEVERAGE_LIMIT = 0.999
PARTS = ("downside", "upside")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DownsideBetaResult(TestResult):
    """Slopes on the cause's falls and rises, and the test that they are equal.

    Attributes
    ----------
    statistic, pvalue, estimate, interval
        F test of equal slopes; downside less upside slope.
    bootstrap_pvalue, bootstrap_error : float or None
        Fixed-design wild bootstrap with equality imposed, and its Monte Carlo standard error.
    parts : tuple of str
        ("downside", "upside"): names the arrays.
    beta, lower, upper, part_nobs : ndarray of shape (2,)
    symmetric : float
        The one slope under the null.
    center : float
        The value of the cause that divides falls from rises.
    """

    parts: tuple[str, str] = PARTS
    beta: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    part_nobs: np.ndarray
    symmetric: float
    center: float
    bootstrap_pvalue: float | None = None
    bootstrap_error: float | None = None
    bootstrap_draws: int = 0

    def summary(self) -> str:
        """Return the test of equality, then one line a side."""
        lines = [TestResult.summary(self)]
        if self.bootstrap_pvalue is not None:
            lines.append(
                f"  wild bootstrap p = {self.bootstrap_pvalue:.4g} (+/- {self.bootstrap_error:.2g}, "
                f"{self.bootstrap_draws} draws)"
            )
        for i, part in enumerate(self.parts):
            lines.append(
                f"  {part}: {self.beta[i]:.6g} [{self.lower[i]:.6g}, {self.upper[i]:.6g}], n = {self.part_nobs[i]}"
            )
        return "\n".join([*lines, f"  one slope for both: {self.symmetric:.6g}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a slope and one for their difference."""
        low, high = self.interval if self.interval is not None else (None, None)
        return pd.DataFrame(
            {
                "part": ["downside less upside", *self.parts],
                "estimate": [self.estimate, *self.beta],
                "lower": [low, *self.lower],
                "upper": [high, *self.upper],
                "nobs": [self.nobs, *self.part_nobs],
            }
        )


def downside_beta(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    given: ArrayLike | None = None,
    center: float | None = None,
    cov: str = "HC3",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    min_rows: int = FEWEST_ROWS,
) -> DownsideBetaResult | Inapplicable:
    """Test whether the effect follows the cause's falls more closely than its rises.

    Parameters
    ----------
    effect, cause : array_like of shape (n,)
        Returns of one period on one time grid; NaN marks a missing value.
    given : array_like of shape (n,) or (n, m), optional
        Common drivers of the same period. Their slopes may differ between the cause's falls and rises too, so that an
        asymmetry of theirs does not pass for one of the cause.
    center : float, optional
        Falls are periods in which the cause is below it; its mean over the rows used by default.
    cov : {"HC3", "HC0", "HC1", "nonrobust", "HAC"}
    bootstrap : int
        Draws of the wild bootstrap; 0 for none.
    rng : Generator, optional
    level : float
    min_rows : int
        Falls and rises must each have at least this many rows, and three times their number of coefficients.

    Returns
    -------
    DownsideBetaResult or Inapplicable

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    The slopes are those of Ang, Chen and Xing: covariance over variance among falls, and among rises, each with its
    own constant. Under any elliptical distribution the mean of the effect is linear in the cause and the two are
    equal, however heavy the tails; a larger variance in falls does not raise a slope as it raises a correlation. A
    skewed distribution of the effect bends the mean and makes them differ with no asymmetry of the copula.
    Measured at n = 1000 and a nominal 5 (200 replications): the bootstrap rejects 4 to 8 of 100 on elliptical noise and
    GARCH and on spillover of volatility, 62 on an exponential transform of the effect, 100 on a Clayton copula.

    References
    ----------
    Ang, Chen and Xing (2006), Review of Financial Studies 19, equation 5.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> x, e = rng.standard_normal((2, 1000))
    >>> result = downside_beta(np.where(x < 0, 1.0, 0.5) * x + e, x)
    >>> bool(result.interval[0] < 0.5 < result.interval[1]), result.pvalue < 0.05
    (True, True)
    """
    same_index(effect=effect, cause=cause, given=given)
    y = as_series("effect", effect)
    x = as_series("cause", cause, y.size)
    others = as_columns("given", given, y.size)
    draws = require_generator(bootstrap, rng)
    check_options(cov, level)
    used = np.isfinite(np.column_stack([y, x, others])).all(axis=1)
    if used.sum() < 2 * min_rows:
        return Inapplicable(method=METHOD, reason=f"{int(used.sum())} complete rows, fewer than {2 * min_rows}")
    middle = float(x[used].mean()) if center is None else float(center)
    down = (x[used] < middle).astype(np.float64)
    counts = np.array([down.sum(), down.size - down.sum()]).astype(np.int64)
    fewest = max(min_rows, 3 * (2 + others.shape[1]))
    if counts.min() < fewest:
        return Inapplicable(method=METHOD, reason=f"{counts[0]} falls and {counts[1]} rises, fewer than {fewest}")
    design, restricted = _designs(x[used], others[used], down)
    fits = ols(design, y[used], np.flatnonzero(used)), ols(restricted, y[used], np.flatnonzero(used))
    reason = fit_problem(fits[0], fits[1], cov)
    if reason or fits[0] is None or fits[1] is None:
        return Inapplicable(method=METHOD, reason=reason)
    options = {
        "cov": cov, "level": level, "center": middle, "given": others.shape[1], "bootstrap": draws, "min_rows": fewest,
    }  # fmt: skip
    return _report(fits[0], fits[1], counts, options, int(y.size - used.sum()), rng)


def _designs(x: Floats, others: Floats, down: Floats) -> tuple[Floats, Floats]:
    """Return the design with slopes for falls (column 0) and rises (column 1), and the one with a single slope."""
    up = 1.0 - down
    rest = np.column_stack([down, up, others * down[:, None], others * up[:, None]])
    return np.column_stack([x * down, x * up, rest]), np.column_stack([x, rest])


def check_options(cov: str, level: float) -> None:
    """Raise InputError for an unknown covariance or a level outside 0 to 1."""
    if cov not in COVARIANCES:
        raise InputError("unknown covariance", given=repr(cov), limit=", ".join(COVARIANCES))
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)


def fit_problem(fit: LeastSquares | None, null: LeastSquares | None, cov: str) -> str:
    """Return why a regression cannot be used, or an empty text."""
    if fit is None or null is None:
        return "the cause or a given series is constant or collinear among falls or rises"
    if cov == "HC3" and float(fit.leverage.max()) > LEVERAGE_LIMIT:
        return "one row determines a coefficient on its own"
    scale = float(np.abs(fit.design[:, 0] * fit.coefficients[0]).max())
    if float(np.abs(fit.residuals).max()) <= 1e-12 * max(scale, 1e-300):
        return "the regressors fit the effect perfectly"
    return ""


def contrasts(fit: LeastSquares, rows: Floats, cov: str, level: float) -> Floats:
    """Return estimate, lower and upper end of each contrast of coefficients, shape (3, number of rows)."""
    V = restriction_covariance(fit, rows, fit.residuals[None, :], cov)[0]
    half = float(stats.t.isf((1.0 - level) / 2.0, fit.df_resid)) * np.sqrt(np.diag(V))
    values = rows @ fit.coefficients
    return np.stack([values, values - half, values + half])


def _report(
    fit: LeastSquares,
    null: LeastSquares,
    counts: np.ndarray,
    options: dict[str, Any],
    lost: int,
    rng: np.random.Generator | None,
) -> DownsideBetaResult | Inapplicable:
    cov, level = str(options["cov"]), float(options["level"])
    pick = np.zeros((3, fit.design.shape[1]))
    pick[0, :2], pick[1, 0], pick[2, 1] = (1.0, -1.0), 1.0, 1.0
    W = wald(fit, pick[:1], cov)
    if W is None:
        return Inapplicable(method=METHOD, reason="the covariance of the slopes is singular")
    values, low, high = contrasts(fit, pick, cov, level)
    boot: tuple[float | None, float | None] = (None, None)
    if options["bootstrap"] and rng is not None:
        draws = wild_bootstrap(fit, pick[:1], null.residuals, cov=cov, draws=options["bootstrap"], rng=rng)
        boot = bootstrap_pvalue(W, draws)
    return DownsideBetaResult(
        method=METHOD,
        null="the effect follows falls of the cause as it follows rises",
        alternative="it follows one of them more closely",
        statistic=W,
        pvalue=float(stats.f.sf(W, 1, fit.df_resid)),
        distribution="F",
        df=(1.0, float(fit.df_resid)),
        estimate=float(values[0]),
        estimate_name="downside less upside beta",
        interval=(float(low[0]), float(high[0])),
        interval_level=level,
        nobs=int(counts.sum()),
        nobs_lost=lost,
        options=options,
        reference=REFERENCE,
        beta=values[1:],
        lower=low[1:],
        upper=high[1:],
        part_nobs=counts,
        symmetric=float(null.coefficients[0]),
        center=float(options["center"]),
        bootstrap_pvalue=boot[0],
        bootstrap_error=boot[1],
        bootstrap_draws=int(options["bootstrap"]),
    )
