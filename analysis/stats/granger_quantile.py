"""Granger causality in quantiles: does the past of one series move any part of another's distribution.

Notes
-----
A Wald test at a tail quantile rests on few rows and rejects a true null too often, the more so when volatility moves.
The p-value to rely on is that of the bootstrap, which imposes the null and repeats the whole procedure a draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.covariance import Partialled
from analysis.stats.cross_quantilogram import CrossQuantilogramResult, cross_quantilogram
from analysis.stats.granger_design import MeanFit, Series, fit_mean, read_series
from analysis.stats.lagged import Floats, check_lags
from analysis.stats.quantile.bootstrap import (
    GRID,
    SIMULATIONS,
    resampled_wald,
    simulated_suprema,
    wald_statistic,
)
from analysis.stats.quantile.checks import check_quantiles, coarse_draws, crowding
from analysis.stats.quantile.troster import TrosterResult, troster_test

__all__ = [
    "CrossQuantilogramResult",
    "QuantileGrangerResult",
    "TrosterResult",
    "cross_quantilogram",
    "quantile_granger",
]

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
METHODS = ("sup-wald", "troster")
REFERENCE = (
    "Chuang, Kuan and Lin (2009), Journal of Banking & Finance 33, section 2 (sup-Wald); Kim and White (2003), "
    "Advances in Econometrics 17 (covariance)"
)
UNRESAMPLED = "without the bootstrap the test over-rejects, most in the tails; pass bootstrap="


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantileGrangerResult(TestResult):
    """A test that lags of the cause move no quantile of the effect in a range.

    Attributes
    ----------
    statistic, pvalue
        Largest Wald statistic over the quantiles and its p-value from the simulated limiting null.
    estimate
        Sum of the cause's lag coefficients at the quantile of the largest statistic (chosen by the data, so without an
        interval); None for several causes.
    quantiles, wald, pvalues : ndarray of shape (m,)
        Per quantile: the Wald statistic and its own chi-square p-value, not corrected for looking at m of them.
    coefficients, standard_errors : ndarray of shape (m, q)
        Of the tested lags, cause by cause, within it lag 1..lags.
    bootstrap_pvalue, bootstrap_standard_error : float or None
        Of the largest statistic: (1 + b) / (1 + B), and its Monte Carlo error.
    bootstrap_pvalues : ndarray of shape (m,) or None
        Per quantile, not corrected for looking at m of them.
    bootstrap_draws : int
    """

    quantiles: Floats
    wald: Floats
    pvalues: Floats
    coefficients: Floats
    standard_errors: Floats
    bootstrap_pvalue: float | None = None
    bootstrap_standard_error: float | None = None
    bootstrap_pvalues: Floats | None = None
    bootstrap_draws: int = 0
    effect_name: str = "effect"
    cause_name: str = "cause"

    def summary(self) -> str:
        """Return the test as text, with the bootstrap and one line a quantile."""
        lines = TestResult.summary(self).split("\n")
        extra = []
        if self.bootstrap_pvalue is not None:
            extra.append(
                f"  bootstrap p = {self.bootstrap_pvalue:.4g} "
                f"(Monte Carlo error {self.bootstrap_standard_error:.2g}, {self.bootstrap_draws} draws)"
            )
        extra += [
            f"  quantile {tau:g}: Wald = {wald:.6g}, uncorrected p = {pvalue:.4g}"
            for tau, wald, pvalue in zip(self.quantiles, self.wald, self.pvalues, strict=True)
        ]
        return "\n".join(lines[:4] + extra + lines[4:])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a quantile and tested lag."""
        m, q = self.coefficients.shape
        return pd.DataFrame(
            {
                "quantile": np.repeat(self.quantiles, q),
                "term": np.tile(np.arange(1, q + 1), m),
                "coefficient": self.coefficients.ravel(),
                "standard_error": self.standard_errors.ravel(),
                "wald": np.repeat(self.wald, q),
                "pvalue": np.repeat(self.pvalues, q),
            }
        )


def quantile_granger(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    quantiles: Sequence[float] = QUANTILES,
    given: ArrayLike | None = None,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    method: str = "sup-wald",
    mask: ArrayLike | None = None,
    bandwidth: str = "bofinger",
    subsample: int | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> QuantileGrangerResult | TrosterResult | Inapplicable | Failed:
    """Test that the past of `cause` moves no quantile of `effect`, given the effect's own past and that of `given`.

    Parameters
    ----------
    effect : array of shape (n,)
        In time order. NaN marks a missing observation: a row is used only when the effect at t and every series at
        t-1 .. t-lags are present; gaps are never bridged.
    cause : array of shape (n,) or (n, k)
    lags : int
        Lag order of all series.
    quantiles : sequence of float
        Increasing, strictly between 0 and 1.
    given : array of shape (n,) or (n, g), optional
        Conditioning series, lagged like the rest.
    bootstrap : int
        Draws of the quantile-process bootstrap with the null imposed ("sup-wald" only); 0 for none.
    rng : numpy.random.Generator, optional
        Needed when `bootstrap` > 0.
    method : {"sup-wald", "troster"}
        Troster's test has its own p-value from subsamples and needs no density estimate, but stable volatility: see
        the notes.
    mask : bool array of shape (n,), optional
        Dates of the effect that may enter as rows.
    bandwidth : {"bofinger", "hall-sheather"}
        Of the density in the Wald covariance.
    subsample : int, optional
        Rows a subsample ("troster"); default 5 rows^(2/5).
    effect_name, cause_name : str

    Returns
    -------
    QuantileGrangerResult, TrosterResult, Inapplicable or Failed
        Inapplicable when rows are too few for the outermost quantile, the regressors collinear, or one value of the
        effect repeats too often near a quantile ("sup-wald"; see the notes); Failed when a quantile regression does
        not converge.

    Raises
    ------
    InputError
        For wrong shapes, infinite values, unknown options, or a bootstrap without generator.

    Notes
    -----
    The limiting null is simulated from the estimated joint influence of all quantiles; with homogeneous errors that is
    the supremum of a squared Bessel bridge on the grid. The bootstrap keeps every regressor and draws the effect from
    its quantile process estimated without the cause: one uniform number a date, read at that date's own conditional
    quantiles, so that all quantiles move together. All timing is predictive: row t uses t-1 and before.

    A value that the effect repeats counts as density wherever the kernel at a quantile covers it, which makes the Wald
    statistic too large. Rejections at 5 % without a link rise with the share of the kernel's weight that one value
    holds (300 to 3000 rows, zeros and rounded values, quantiles .1 to .9): simulated null at most 9 % with a share up
    to .3 and up to 31 % beyond it; bootstrap 2 to 7 % with a share up to .9 and 11 to 20 % beyond it, when the value
    begins or ends at the quantile. Hence a warning from a share of a tenth on, a refusal without bootstrap above .3
    and with it above .9. Troster's test needs no density and kept 3 to 6 % in these cases (300 rows, constant
    volatility).

    Troster's null includes quantiles linear in the own past, so changing volatility rejects it without a link: 18 % of
    true nulls at 5 % with 300 rows and 45 % with 800 (two independent GARCH series with t distributed errors, 1 lag,
    quantiles .1 to .9, 60 replications each). It is not for a headline under changing volatility, as in daily returns.

    Troster's test measures the distance of two rows by all lags of all series, each divided by its standard deviation
    and by the root of their number; that scaling is a choice made here, see `quantile.troster`.

    References
    ----------
    Chuang, Kuan and Lin (2009), Journal of Banking & Finance 33; Troster (2018), Econometric Reviews 37; Machado and
    Mata (2005), Journal of Applied Econometrics 20 (drawing from a quantile process).

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> x = rng.standard_normal(600)
    >>> y = np.r_[0.0, 0.4 * x[:-1]] + rng.standard_normal(600)
    >>> quantile_granger(y, x, lags=1).pvalue < 0.001
    True
    """
    series = read_series(effect, cause, given, mask)
    lags, taus = check_lags(lags), check_quantiles(quantiles)
    names = (effect_name, cause_name)
    if series.effect.shape[1] != 1:
        raise InputError("a quantile test has one effect", given=series.effect.shape[1])
    if method not in METHODS:
        raise InputError("unknown method", given=method, limit=", ".join(METHODS))
    if bandwidth not in ("bofinger", "hall-sheather"):
        raise InputError("unknown bandwidth rule", given=bandwidth, limit="bofinger, hall-sheather")
    draws = check_lags(bootstrap, name="bootstrap", least=0)
    label = f"Granger causality in quantiles ({method})"
    found = fit_mean(series, lags=lags)
    reason = found if isinstance(found, str) else _scarce(found.fit, taus)
    if isinstance(found, str) or reason:
        return Inapplicable(method=label, reason=reason)
    if method == "troster":
        if draws:
            raise InputError("Troster's p-value comes from subsamples", given=f"bootstrap={draws}", limit="bootstrap=0")
        return troster_test(series, found.design, lags=lags, taus=taus, subsample=subsample, names=names)
    if subsample is not None:
        raise InputError("subsample goes with method='troster'", given=method)
    if draws and not isinstance(rng, np.random.Generator):
        raise InputError(
            "a bootstrap needs its random generator", given=rng, remedy="pass rng=np.random.default_rng(seed)"
        )
    design = found.design
    X, y = np.hstack([design.kept, design.tested]), design.response[:, 0]
    shown = series.effect[design.rows, 0]
    reason, notice = crowding(X, y, taus, bandwidth, draws, effect_name, shown=shown)
    if reason:
        return Inapplicable(method=label, reason=reason)
    return _sup_wald(series, found, lags, taus, bandwidth, draws, rng, label, names, notice)


def _scarce(fit: Partialled, taus: Floats) -> str:
    """Return why the rows cannot carry the outer regressions; empty when they can."""
    scarce = float(min(taus[0], 1 - taus[-1])) * fit.nobs
    if scarce < 1.5 * fit.n_parameters:
        outer = taus[0] if taus[0] <= 1 - taus[-1] else taus[-1]
        return f"about {scarce:.0f} rows lie beyond the quantile {outer:g}, too few for {fit.n_parameters} coefficients"
    return ""


def _sup_wald(
    series: Series,
    mean: MeanFit,
    lags: int,
    taus: Floats,
    bandwidth: str,
    draws: int,
    rng: np.random.Generator | None,
    label: str,
    names: tuple[str, str],
    notice: str,
) -> QuantileGrangerResult | Inapplicable | Failed:
    """Assemble the sup-Wald result."""
    design = mean.design
    X, y, q = np.hstack([design.kept, design.tested]), design.response[:, 0], design.tested.shape[1]
    fits = [wald_statistic(X, y, float(tau), q, bandwidth) for tau in taus]
    for fit in fits:
        if isinstance(fit, str):
            return Failed(method=label, reason=fit)
    whole = [fit for fit in fits if not isinstance(fit, str)]
    wald, errors = np.array([fit[0] for fit in whole]), [np.sqrt(np.square(fit[2]).sum(axis=0)) for fit in whole]
    with np.errstate(over="ignore"):
        coefficients, standard_errors = np.ldexp([[fit[1] for fit in whole], errors], np.repeat(mean.shift[0], lags))
    if not np.isfinite([coefficients, standard_errors]).all():
        return Inapplicable(method=label, reason=mean.beyond_floats("coefficients"))
    place = int(np.argmax(wald))
    suprema = simulated_suprema([fit[2] for fit in whole])
    extra: dict[str, Any] = {}
    if draws and rng is not None:
        boot = resampled_wald(design, taus, bandwidth, draws, rng)
        if isinstance(boot, str):
            return Failed(method=label, reason=boot)
        pvalue = (1 + int((boot.max(axis=1) >= wald[place]).sum())) / (1 + draws)
        extra = {
            "bootstrap_pvalue": pvalue,
            "bootstrap_standard_error": math.sqrt(pvalue * (1 - pvalue) / draws),
            "bootstrap_pvalues": (1 + (boot >= wald).sum(axis=0)) / (1 + draws),
            "bootstrap_draws": draws,
        }
    single = series.cause.shape[1] == 1
    effect, cause = names
    return QuantileGrangerResult(
        method=label,
        null=f"no lag of {cause} moves the quantiles {taus[0]:g} to {taus[-1]:g} of {effect}",
        alternative=f"some lag of {cause} moves some of these quantiles of {effect}",
        statistic=float(wald[place]),
        pvalue=(1 + int((suprema >= wald[place]).sum())) / (1 + len(suprema)),
        distribution="simulated sup-Wald",
        estimate=float(coefficients[place].sum()) if single else None,
        estimate_name=f"sum of the {q} lag coefficients of {cause} at the quantile {taus[place]:g}" if single else "",
        nobs=len(y),
        nobs_lost=len(series) - len(y),
        lags=lags,
        options=_options(bandwidth, draws, series),
        warnings=(*([notice] if notice else []), *(coarse_draws(draws) if draws else (UNRESAMPLED,))),
        reference=REFERENCE,
        quantiles=taus,
        wald=wald,
        pvalues=stats.chi2.sf(wald, q),
        coefficients=coefficients,
        standard_errors=standard_errors,
        effect_name=effect,
        cause_name=cause,
        **extra,
    )


def _options(bandwidth: str, draws: int, series: Series) -> dict[str, object]:
    kind = {"bootstrap_kind": f"fixed-design quantile process, {GRID} levels, null imposed"} if draws else {}
    record = {"bandwidth": bandwidth, "simulations": SIMULATIONS, "bootstrap": draws, "n_given": series.given.shape[1]}
    return record | kind
