"""ΔCoVaR: how far the tail of one series moves when another is in its tail, downwards and upwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.lagged import Floats, same_index
from analysis.stats.tails.covar_fit import TailFit
from analysis.stats.tails.resample import (
    block_weights,
    centred_pvalue,
    check_draws,
    mean_block,
    open_share,
    read_pair,
    symmetric_interval,
    unusable,
)

METHOD = "ΔCoVaR by quantile regression"
REFERENCE = (
    "Adrian and Brunnermeier (2016), American Economic Review 106, 1705-1741; Politis and Romano (1994), J. American "
    "Statistical Association 89 (stationary bootstrap)"
)
FEWEST_ROWS = 200
FEWEST_IN_TAIL = 10
PARTS = ("downside", "upside")
SLOPES = ("common", "split")
_SHARED = "with split slopes a shared volatility moves both tails; only downside less upside tests the link"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeltaCovarResult(TestResult):
    """The move of the effect's tail quantile when the cause goes from its median to its tail.

    Attributes
    ----------
    estimate, interval
        Downside ΔCoVaR in units of the effect: negative when a fall of the cause deepens the tail of the effect.
    statistic, pvalue
        Estimate over its bootstrap standard error, and the bootstrap p-value of no effect.
    parts : tuple of str
        ("downside", "upside"): names the arrays below.
    delta, lower, upper : ndarray of shape (2,)
        ΔCoVaR in both tails; the upper one is the move of the upper quantile when the cause rises.
    slope : ndarray of shape (2,)
        Slopes of the two quantile regressions; with split slopes those of falls and of rises.
    covar, covar_median : ndarray of shape (2,)
        Tail quantile of the effect with the cause in its tail and at its median.
    delta_pvalue : ndarray of shape (2,)
        Bootstrap p-value of no effect in either tail; the first is `pvalue`.
    asymmetry, asymmetry_interval, asymmetry_pvalue
        Size of the downside move less size of the upside move, zero for any pair that is symmetric about its centre.
    quantile, block : float
    bootstrap_draws : int
    """

    parts: tuple[str, str] = PARTS
    delta: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    delta_pvalue: np.ndarray
    slope: np.ndarray
    covar: np.ndarray
    covar_median: np.ndarray
    asymmetry: float
    asymmetry_interval: tuple[float, float]
    asymmetry_pvalue: float
    quantile: float
    block: float
    bootstrap_draws: int

    def asymmetry_test(self) -> TestResult:
        """Return the test that the downside and the upside move are of one size."""
        low, high = self.asymmetry_interval
        return TestResult(
            method=f"{self.method}, downside against upside",
            null="the tail moves as much in falls as in rises",
            alternative="it moves more in one of them",
            statistic=abs(self.asymmetry),
            pvalue=self.asymmetry_pvalue,
            distribution=self.distribution,
            estimate=self.asymmetry,
            estimate_name="size of the downside move less size of the upside move",
            interval=(low, high),
            interval_level=self.interval_level,
            nobs=self.nobs,
            nobs_lost=self.nobs_lost,
            options=self.options,
            reference=self.reference,
        )

    def summary(self) -> str:
        """Return the downside test, both moves and their comparison."""
        lines = [TestResult.summary(self)]
        for i, part in enumerate(self.parts):
            lines.append(
                f"  {part}: {self.delta[i]:.6g} [{self.lower[i]:.6g}, {self.upper[i]:.6g}], quantile of the effect "
                f"{self.covar_median[i]:.6g} at the median and {self.covar[i]:.6g} in the tail of the cause"
            )
        low, high = self.asymmetry_interval
        lines.append(
            f"  downside less upside: {self.asymmetry:.6g} [{low:.6g}, {high:.6g}], p = {self.asymmetry_pvalue:.4g}"
        )
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a part: downside, upside, and the difference of their sizes."""
        low, high = self.asymmetry_interval
        return pd.DataFrame(
            {
                "part": [*self.parts, "downside less upside"],
                "estimate": [*self.delta, self.asymmetry],
                "lower": [*self.lower, low],
                "upper": [*self.upper, high],
                "pvalue": [*self.delta_pvalue, self.asymmetry_pvalue],
                "nobs": [self.nobs] * 3,
            }
        )


def delta_covar(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    quantile: float = 0.05,
    slopes: str = "common",
    bootstrap: int = 199,
    rng: np.random.Generator | None = None,
    block: float | None = None,
    level: float = 0.95,
) -> DeltaCovarResult | Inapplicable | Failed:
    """Measure how far the effect's tail quantile moves when the cause goes from its median to its tail.

    Parameters
    ----------
    effect, cause : array_like of shape (n,)
        Returns of one period on one time grid; rows with a NaN are left out.
    quantile : float
        Lower tail, below one half; the upside twin uses one less it.
    slopes : {"common", "split"}
        One slope of each quantile over the whole range of the cause, as in the paper, or a slope of its own on either
        side of the cause's median. A line through all rows averages falls and rises of the cause, so the comparison of
        downside and upside has little power without the split.
    bootstrap : int
        Draws of the stationary bootstrap, 19 or more.
    rng : Generator
    block : float, optional
        Mean block in rows; 5.03 n^(1/4) by default.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DeltaCovarResult or Inapplicable or Failed

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    ΔCoVaR is the fitted q-quantile of the effect with the cause at its own q-quantile, less that with the cause at its
    median: b (VaR_q(cause) − median(cause)) with one slope b.
    With split slopes a volatility that both series share deepens both tails whenever the cause moves either way, with
    no link of direction: the level then rejects a link of zero (72 of 100 on volatility spillover), and only the
    comparison of downside and upside, from which it cancels, is a test. Measured at n = 1000 and a nominal 5 (200
    replications), the comparison rejects 2 to 6 of 100 on elliptical GARCH and on spillover; with split slopes 92 on a
    Clayton copula with θ = 0.7 and 67 on slopes of 0.9 in falls and 0.3 in rises, with common slopes 27 and 5. A skewed
    distribution of the effect makes the sizes differ as well: the comparison is of moves in units of return, not of
    ranks. The measure is of co-movement in the tail and claims no direction; quantiles and slopes are taken anew in
    every resample.

    References
    ----------
    Adrian and Brunnermeier (2016), American Economic Review 106; with split slopes: López-Espinosa, Moreno, Rubia and
    Valderrama (2012), J. Banking and Finance 36.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> x = rng.standard_normal(800)
    >>> result = delta_covar(0.5 * x + rng.standard_normal(800), x, bootstrap=99, rng=rng)
    >>> bool(result.interval[0] < 0.5 * -1.645 < result.interval[1])
    True
    """
    share = open_share("quantile", quantile)
    same_index(effect=effect, cause=cause)
    y, x, lost = read_pair(effect, cause)
    if slopes not in SLOPES:
        raise InputError("unknown kind of slopes", given=repr(slopes), limit=", ".join(SLOPES))
    draws = check_draws(bootstrap, rng, level)
    if draws == 0 or rng is None:
        raise InputError("the interval of ΔCoVaR needs bootstrap draws", given=bootstrap, limit="19 or more")
    reason = unusable(x, y, FEWEST_ROWS)
    if not reason and x.size * share < FEWEST_IN_TAIL:
        reason = f"{x.size} rows hold only {x.size * share:.3g} in a tail of {share:.0%}, fewer than {FEWEST_IN_TAIL}"
    if reason:
        return Inapplicable(method=METHOD, reason=reason)
    length = mean_block(block, x.size)
    fitted = [TailFit.of(y, x, tau, slopes) for tau in (share, 1.0 - share)]
    broken = [item for item in fitted if isinstance(item, str)]
    if broken:
        return Failed(method=METHOD, reason=broken[0])
    tails = [item for item in fitted if not isinstance(item, str)]
    one = np.ones(x.size, dtype=np.int64)
    point = np.array([item.moves(one) for item in tails])
    resampled = np.array(
        [[item.moves(row) for item in tails] for chunk in block_weights(x.size, draws, length, rng) for row in chunk]
    )
    if not (np.isfinite(point).all() and np.isfinite(resampled).all()):
        return Failed(method=METHOD, reason="a quantile regression of a resample did not converge")
    options = {"quantile": share, "slopes": slopes, "block": length, "bootstrap": draws, "level": level}
    return _report(point, resampled, options, x.size, lost)


def _report(point: Floats, resampled: Floats, options: dict[str, Any], n: int, lost: int) -> DeltaCovarResult:
    level = float(options["level"])
    delta, draws = point[:, 0], resampled[:, :, 0]
    bounds = np.array([symmetric_interval(draws[:, i], float(delta[i]), level) for i in range(2)])
    pvalues = [centred_pvalue(draws[:, i], float(delta[i])) for i in range(2)]
    # Down a move is negative and up it is positive, so the sum of both is the difference of sizes with its sign turned.
    asymmetry, asymmetry_draws = -float(delta.sum()), -draws.sum(axis=1)
    return DeltaCovarResult(
        method=METHOD,
        null="the lower tail of the effect does not depend on the cause",
        alternative="it does",
        statistic=float(delta[0]) / max(float(draws[:, 0].std()), 1e-300),
        pvalue=pvalues[0],
        distribution="stationary bootstrap",
        estimate=float(delta[0]),
        estimate_name=f"move of the {options['quantile']:.0%} quantile of the effect",
        interval=(float(bounds[0, 0]), float(bounds[0, 1])),
        interval_level=level,
        nobs=n,
        nobs_lost=lost,
        options=options,
        warnings=(_SHARED,) if options["slopes"] == "split" else (),
        reference=REFERENCE,
        delta=delta,
        lower=bounds[:, 0],
        upper=bounds[:, 1],
        delta_pvalue=np.array(pvalues),
        slope=point[:, 1],
        covar=point[:, 2],
        covar_median=point[:, 3],
        asymmetry=asymmetry,
        asymmetry_interval=symmetric_interval(asymmetry_draws, asymmetry, level),
        asymmetry_pvalue=centred_pvalue(asymmetry_draws, asymmetry),
        quantile=float(options["quantile"]),
        block=float(options["block"]),
        bootstrap_draws=int(options["bootstrap"]),
    )
