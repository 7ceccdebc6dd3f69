"""Tail dependence of one tail: counted on ranks, or that of the t copula fitted to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.lagged import Floats
from analysis.stats.tails.copula import LARGEST_DF, fit_t_copula, joint_tail, t_copula_tail_dependence, weighted_fits
from analysis.stats.tails.counts import FEWEST_ROWS, REFERENCE, SHARE, ascending, joint_extremes, thin_tail
from analysis.stats.tails.resample import (
    SIDES,
    block_weights,
    cautious_interval,
    centred_pvalue,
    check_draws,
    mean_block,
    open_share,
    percentile_interval,
    ranks,
    read_pair,
    unusable,
)

METHODS = ("nonparametric", "t-copula")
T_REFERENCE = (
    "Demarta and McNeil (2005), International Statistical Review 73, 111-129; Genest, Ghoudi and Rivest (1995), "
    "Biometrika 82 (estimation from ranks)"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TailDependenceResult(TestResult):
    """How often the second series is in its tail when the first is, beside what a Gaussian copula gives.

    Attributes
    ----------
    estimate, interval
        Tail dependence: at the share `share` of rows for the nonparametric method, in the limit for the t copula.
    statistic, pvalue
        Excess over the Gaussian copula of the same correlation of normal scores at the same share, with its bootstrap
        p-value; for the t copula the likelihood ratio against the Gaussian copula.
    tail : {"lower", "upper"}
    share : float or None
        Share of rows that count as the tail; None for the t copula, which has no threshold.
    gaussian : float
        The same quantity under the Gaussian copula.
    correlation : float
        Correlation of the normal scores, or of the t copula.
    nu, nu_interval : float and tuple or None
        Degrees of freedom of the t copula.
    block : float or None
        Mean block of the stationary bootstrap in rows; None without bootstrap.
    bootstrap_draws : int
    """

    tail: str
    share: float | None
    gaussian: float
    correlation: float
    nu: float | None = None
    nu_interval: tuple[float, float] | None = None
    block: float | None = None
    bootstrap_draws: int = 0

    def summary(self) -> str:
        """Return the test, then what a Gaussian copula of the same correlation gives."""
        tail = f"\n  Gaussian copula with correlation {self.correlation:.4g}: {self.gaussian:.6g}"
        if self.nu is not None:
            bounds = "" if self.nu_interval is None else f" [{self.nu_interval[0]:.4g}, {self.nu_interval[1]:.4g}]"
            tail += f"\n  degrees of freedom {self.nu:.4g}{bounds}"
        return TestResult.summary(self) + tail


def tail_dependence(
    x: ArrayLike,
    y: ArrayLike,
    *,
    tail: str = "lower",
    method: str = "nonparametric",
    share: float = SHARE,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    block: float | None = None,
    level: float = 0.95,
) -> TailDependenceResult | Inapplicable:
    """Estimate the probability that one series is in its tail given that the other is.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Series on one time grid; rows with a NaN are left out. Only ranks matter.
    tail : {"lower", "upper"}
        The t copula has the same dependence in both.
    method : {"nonparametric", "t-copula"}
    share : float
        Share of rows, below one half, that count as the tail (nonparametric).
    bootstrap : int
        Draws of the stationary bootstrap; 0 gives neither interval nor, for the nonparametric method, a test.
    rng : Generator, optional
        Needed when `bootstrap` is positive.
    block : float, optional
        Mean block in rows; 5.03 n^(1/4) by default, so that a resample keeps volatility clusters.
    level : float
        Confidence level of the interval.

    Returns
    -------
    TailDependenceResult or Inapplicable
        Without bootstrap the nonparametric p-value is that of a binomial count of joint extremes, which takes rows as
        independent; the result warns of it.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    The nonparametric estimate is the share of the rows in the tail of x that are in the tail of y too. At any share
    that can be read off a sample even a Gaussian copula, whose tail dependence is zero in the limit, gives a positive
    number; the excess over it says whether extremes coincide more than the correlation already implies. The likelihood
    ratio of the t copula takes rows as independent and has degrees of freedom at the edge of their range under the
    null, hence half a chi-squared; clusters of volatility alone make it reject, so it describes and decides nothing.

    References
    ----------
    Schmidt and Stadtmüller (2006), Scandinavian Journal of Statistics 33; Demarta and McNeil (2005), International
    Statistical Review 73.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> z = rng.standard_normal((1000, 2)) / np.sqrt(rng.chisquare(3, 1000))[:, None]
    >>> result = tail_dependence(z[:, 0], z[:, 1], method="t-copula")
    >>> bool(0.05 < result.estimate < 0.2)
    True
    """
    if tail not in SIDES:
        raise InputError("unknown tail", given=repr(tail), limit=", ".join(SIDES))
    if method not in METHODS:
        raise InputError("unknown method", given=repr(method), limit=", ".join(METHODS))
    share = open_share("share", share)
    a, b, lost = read_pair(x, y)
    draws = check_draws(bootstrap, rng, level)
    name = f"Tail dependence, {method}"
    reason = unusable(a, b, FEWEST_ROWS)
    if not reason and method == "nonparametric":
        reason = thin_tail(a.size, share)
    if reason:
        return Inapplicable(method=name, reason=reason)
    length = mean_block(block, a.size)
    options = {"method": method, "tail": tail, "share": share, "block": length, "bootstrap": draws, "level": level}
    if method == "t-copula":
        return _fitted(a, b, tail, lost, options, rng)
    return _counted(a, b, tail, lost, options, rng)


def _counted(
    a: Floats, b: Floats, tail: str, lost: int, options: dict[str, Any], rng: np.random.Generator | None
) -> TailDependenceResult:
    orders, side, share = ascending(a, b), SIDES.index(tail), float(options["share"])
    point = joint_extremes(orders, np.ones((1, a.size), dtype=np.int64), share)[0]
    gaussian, estimate = joint_tail(float(point[2]), share), float(point[side])
    interval: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ("rows are taken as independent: no bootstrap, and so no allowance for clusters",)
    if options["bootstrap"] and rng is not None:
        parts = block_weights(a.size, options["bootstrap"], options["block"], rng)
        resampled = np.vstack([joint_extremes(orders, weights, share) for weights in parts])
        benchmark = np.array([joint_tail(float(rho), share) for rho in resampled[:, 2]])
        warnings, interval = (), percentile_interval(resampled[:, side], estimate, options["level"])
        pvalue, law = centred_pvalue(resampled[:, side] - benchmark, estimate - gaussian), "stationary bootstrap"
    else:
        in_tail = round(share * a.size)
        pvalue = float(stats.binomtest(round(estimate * in_tail), in_tail, gaussian).pvalue)
        law = "binomial"
    return TailDependenceResult(
        method=f"Tail dependence, {options['method']}",
        null=f"{tail} extremes coincide as often as under a Gaussian copula of the same correlation",
        alternative="they coincide more or less often",
        statistic=estimate - gaussian,
        pvalue=pvalue,
        distribution=law,
        estimate=estimate,
        estimate_name=f"{tail} tail dependence at {share:.0%} of the rows",
        interval=interval,
        interval_level=options["level"],
        nobs=a.size,
        nobs_lost=lost,
        options=options,
        warnings=warnings,
        reference=REFERENCE,
        tail=tail,
        share=share,
        gaussian=gaussian,
        correlation=float(point[2]),
        block=options["block"] if interval else None,
        bootstrap_draws=options["bootstrap"],
    )


def _fitted(
    a: Floats, b: Floats, tail: str, lost: int, options: dict[str, Any], rng: np.random.Generator | None
) -> TailDependenceResult:
    orders = ascending(a, b)
    one = np.ones((1, a.size), dtype=np.int64)
    fit = fit_t_copula(ranks(orders[0], one)[0], ranks(orders[1], one)[0])
    estimate = t_copula_tail_dependence(fit.rho, fit.nu)
    interval = nu_interval = None
    if options["bootstrap"] and rng is not None:
        parts = block_weights(a.size, options["bootstrap"], options["block"], rng)
        fits = np.vstack([weighted_fits(orders, weights) for weights in parts])
        limits = np.array([t_copula_tail_dependence(float(rho), float(nu)) for rho, nu in fits])
        interval = cautious_interval(limits, estimate, options["level"])
        nu_interval = percentile_interval(fits[:, 1], fit.nu, options["level"])
    ratio = max(2.0 * (fit.loglikelihood - fit.gaussian_loglikelihood), 0.0)
    warnings: tuple[str, ...] = (
        "the likelihood ratio takes rows as independent; clusters of volatility alone make it reject",
    )
    if fit.nu > 0.95 * LARGEST_DF:
        warnings += ("the degrees of freedom are at the end of the range: not told apart from a Gaussian copula",)
    return TailDependenceResult(
        method=f"Tail dependence, {options['method']}",
        null="the copula is Gaussian",
        alternative="it is a t copula, with dependent tails",
        statistic=ratio,
        pvalue=0.5 * float(stats.chi2.sf(ratio, 1)) if ratio > 0 else 1.0,
        distribution="half chi2",
        df=(1.0,),
        estimate=estimate,
        estimate_name="tail dependence of the fitted t copula, either tail",
        interval=interval,
        interval_level=options["level"],
        nobs=a.size,
        nobs_lost=lost,
        options={key: value for key, value in options.items() if key != "share"},
        warnings=warnings,
        reference=T_REFERENCE,
        tail=tail,
        share=None,
        gaussian=0.0,
        correlation=fit.rho,
        nu=fit.nu,
        nu_interval=nu_interval,
        block=options["block"] if interval else None,
        bootstrap_draws=options["bootstrap"],
    )
