"""The result of a Granger test in the mean, and its assembly from a fit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.linalg import solve_triangular

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.covariance import (
    LEVERAGE_LIMIT,
    Partialled,
    coefficient_covariance,
    newey_west_lags,
    quadratic_form,
    score_covariance,
)
from analysis.stats.granger_bootstrap import Signs, wild_wald
from analysis.stats.granger_design import MeanFit
from analysis.stats.lagged import Floats, check_lags

INTERVAL_LEVEL = 0.95
CONDITION_WARNING = 1e8
ROUNDING = 1e-24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GrangerResult(TestResult):
    """A test that lags of the cause do not help to predict the effect.

    Attributes
    ----------
    statistic, pvalue, df
        F form (one effect: F(q, n - k); block of effects: F(m q, K n - parameters)), or the chi-square form where
        `distribution` says so.
    estimate, interval
        Sum of the cause's lag coefficients with its t interval from the chosen covariance; None for several causes or
        effects.
    wald, wald_pvalue : float
        Chi-square form with as many degrees of freedom as tested coefficients.
    bootstrap_pvalue : float or None
        (1 + b) / (1 + B) with b draws at least as large as the statistic.
    bootstrap_standard_error : float or None
        Monte Carlo standard error of that p-value.
    bootstrap_draws : int
        B; 0 when no bootstrap was asked for.
    cov, trend : str
    coefficients : ndarray of shape (m * k * lags,)
        Tested coefficients: effect by effect, within it cause by cause, within it lag 1..lags.
    covariance : ndarray of shape (m * k * lags,) * 2
    strength : float
        Geweke's ln(det of restricted / det of unrestricted error covariance); 0 means no gain.
    r2_gain : float or None
        Share of the effect's variation (about its mean when there is a constant) that the cause's lags add; None for a
        block of effects.
    """

    wald: float
    wald_pvalue: float
    bootstrap_pvalue: float | None = None
    bootstrap_standard_error: float | None = None
    bootstrap_draws: int = 0
    cov: str
    trend: str
    coefficients: Floats
    covariance: Floats
    strength: float
    r2_gain: float | None = None
    effect_name: str = "effect"
    cause_name: str = "cause"

    def summary(self) -> str:
        """Return the test as text, with the bootstrap p-value and the strength of the link."""
        lines = TestResult.summary(self).split("\n")
        extra = [f"  chi2({len(self.coefficients)}) = {self.wald:.6g}, p = {self.wald_pvalue:.4g}"]
        if self.bootstrap_pvalue is not None:
            extra.append(
                f"  wild bootstrap p = {self.bootstrap_pvalue:.4g} "
                f"(Monte Carlo error {self.bootstrap_standard_error:.2g}, {self.bootstrap_draws} draws)"
            )
        extra.append(f"  covariance {self.cov}, trend {self.trend}, Geweke strength = {self.strength:.6g}")
        extra.append(f"  {self.sentence()}")
        return "\n".join(lines[:4] + extra + lines[4:])

    def sentence(self, *, level: float = 0.05) -> str:
        """Say in words which series leads, by how much, and with which correction."""
        pvalue, source = self.pvalue, f"{self.cov} {self.distribution} test"
        if self.bootstrap_pvalue is not None:
            pvalue, source = self.bootstrap_pvalue, f"{self.cov} wild bootstrap"
        verb = "helps" if pvalue <= level else "is not shown to help"
        gain = "" if self.r2_gain is None else f"; its lags add {self.r2_gain:.2%} of explained variation in sample"
        return f"The past of {self.cause_name} {verb} to predict {self.effect_name} ({source}, p = {pvalue:.4g}){gain}."

    def to_frame(self) -> pd.DataFrame:
        """Return one row: the test, its bootstrap and its strength."""
        frame = TestResult.to_frame(self)
        return frame.assign(
            wald=self.wald,
            wald_pvalue=self.wald_pvalue,
            bootstrap_pvalue=[self.bootstrap_pvalue],
            bootstrap_draws=self.bootstrap_draws,
            cov=self.cov,
            trend=self.trend,
            strength=self.strength,
            r2_gain=[self.r2_gain],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything `assemble` has to know about a test besides its fit."""

    method: str
    reference: str
    lags: int
    n_time: int
    cov: str
    trend: str
    n_causes: int
    n_series: int
    hac_lags: int | None = None
    dof_correction: bool = True
    form: str = "F"
    system: bool = False
    signs: Signs | None = None
    effect_name: str = "effect"
    cause_name: str = "cause"
    options: dict[str, object] = field(default_factory=dict)

    def bandwidth(self, nobs: int) -> int:
        """Return the Bartlett lags: those asked for, else the rule for the rows used."""
        return bartlett_lags(self.cov, self.hac_lags, nobs)


def bartlett_lags(cov: str, hac_lags: int | None, nobs: int) -> int:
    """Return the Bartlett lags asked for, else the rule for the rows used; 0 for a covariance without.

    Raises InputError for lags with another covariance or as many as there are rows.
    """
    if cov != "HAC":
        if hac_lags is not None:
            raise InputError("hac_lags goes with cov='HAC'", given=cov)
        return 0
    if hac_lags is None:
        return newey_west_lags(nobs)
    chosen = check_lags(hac_lags, name="hac_lags", least=0)
    if chosen >= nobs:
        raise InputError("hac_lags reaches beyond the sample", given=chosen, limit=f"below {nobs} rows")
    return chosen


def studentise(fit: Partialled, recipe: Recipe) -> tuple[float, Floats] | str:
    """Return the Wald statistic and the covariance of the scores, or the reason there is none."""
    if recipe.cov == "HC3" and fit.leverage.max() >= LEVERAGE_LIMIT:
        place = int(fit.rows[int(np.argmax(fit.leverage))])
        return f"the leverage of row {place} is one: it alone decides a coefficient, so HC3 does not exist"
    bandwidth = recipe.bandwidth(fit.nobs)
    score_cov = score_covariance(fit, recipe.cov, hac_lags=bandwidth, dof_correction=recipe.dof_correction)
    wald = quadratic_form(fit.scores.T.ravel(), score_cov)
    # Scores have the scale of the residuals: a variance that is nothing but rounding on that scale is zero.
    scale = np.repeat(np.square(fit.residuals).mean(axis=0), fit.scores.shape[0])
    if wald is None or not math.isfinite(wald) or (np.diag(score_cov) <= ROUNDING * scale).any():
        return f"the {recipe.cov} covariance of the tested coefficients is singular"
    return wald, score_cov


def assemble(found: MeanFit | str, recipe: Recipe) -> GrangerResult | Inapplicable:
    """Turn a fit into a result in the units of the data; every reason not to becomes an Inapplicable."""
    if isinstance(found, str):
        return Inapplicable(method=recipe.method, reason=found)
    fit = found.fit
    tested = studentise(fit, recipe)
    if isinstance(tested, str):
        return Inapplicable(method=recipe.method, reason=tested)
    wald, score_cov = tested
    estimates = _in_units_of_the_data(found, recipe, score_cov)
    if isinstance(estimates, str):
        return Inapplicable(method=recipe.method, reason=estimates)
    m, q = fit.residuals.shape[1], len(fit.factor)
    denominator = (fit.nobs - fit.n_parameters) * (recipe.n_series if recipe.system else 1)
    chi2 = recipe.form == "chi2"
    statistic = wald if chi2 else wald / (m * q)
    wald_pvalue = float(stats.chi2.sf(wald, m * q))
    return GrangerResult(
        method=recipe.method,
        null=f"no lag of {recipe.cause_name} helps to predict {recipe.effect_name}",
        alternative=f"some lag of {recipe.cause_name} helps to predict {recipe.effect_name}",
        statistic=statistic,
        pvalue=wald_pvalue if chi2 else float(stats.f.sf(statistic, m * q, denominator)),
        distribution="chi2" if chi2 else "F",
        df=(float(m * q),) if chi2 else (float(m * q), float(denominator)),
        nobs=fit.nobs,
        nobs_lost=recipe.n_time - fit.nobs,
        lags=recipe.lags,
        options=_options(fit, recipe),
        warnings=_warnings(fit, recipe),
        reference=recipe.reference,
        wald=wald,
        wald_pvalue=wald_pvalue,
        cov=recipe.cov,
        trend=recipe.trend,
        strength=_strength(fit),
        r2_gain=_r2_gain(found, recipe.trend),
        effect_name=recipe.effect_name,
        cause_name=recipe.cause_name,
        **estimates,
        **_bootstrap(fit, recipe, wald),
    )


def _options(fit: Partialled, recipe: Recipe) -> dict[str, object]:
    options: dict[str, object] = {"cov": recipe.cov, "trend": recipe.trend, "n_parameters": fit.n_parameters}
    if recipe.cov == "HAC":
        options |= {"hac_lags": recipe.bandwidth(fit.nobs), "hac_kernel": "bartlett", "hac_correction": False}
    if recipe.cov == "nonrobust":
        options["dof_correction"] = recipe.dof_correction
    if recipe.signs is not None:
        options |= {"bootstrap": recipe.signs.shape[1], "bootstrap_kind": "fixed-design wild, Rademacher, null imposed"}
    return options | recipe.options


def _warnings(fit: Partialled, recipe: Recipe) -> tuple[str, ...]:
    found = []
    if fit.condition > CONDITION_WARNING:
        found.append(f"the regressors are nearly collinear (condition number {fit.condition:.1e})")
    if recipe.cov == "HAC" and int(fit.rows[-1] - fit.rows[0]) + 1 > fit.nobs:
        found.append("missing rows count as zero scores at their place in time in the HAC covariance")
    if recipe.cov == "nonrobust":
        found.append("the plain covariance over-rejects when volatility moves; rely on HC3 with the wild bootstrap")
    if recipe.cov in ("HC0", "HC1", "HAC") and fit.leverage.max() >= LEVERAGE_LIMIT:
        found.append(
            "one row alone decides a coefficient; its error is invisible to this covariance, which is too small"
        )
    if "lag_criterion" in recipe.options:
        found.append("the lag order was chosen on the same data; the p-value takes it as given")
    if fit.nobs - fit.n_parameters < 20:
        found.append(f"only {fit.nobs - fit.n_parameters} degrees of freedom are left")
    return tuple(found)


def _in_units_of_the_data(found: MeanFit, recipe: Recipe, score_cov: Floats) -> dict[str, Any] | str:
    """Return coefficients, their covariance and the sum of one cause's; a text where a float cannot hold them."""
    fit = found.fit
    shift = np.repeat(found.shift, recipe.lags, axis=1).ravel()
    with np.errstate(over="ignore"):
        coefficients = np.ldexp(fit.coefficients.T.ravel(), shift)
        covariance = np.ldexp(coefficient_covariance(fit, score_cov), shift[:, None] + shift)
    if not np.isfinite(covariance).all() or not (np.diag(covariance) > np.finfo(float).tiny).all():
        return found.beyond_floats("the variance of coefficients")
    return {"coefficients": coefficients, "covariance": covariance} | _cumulative(found, recipe, score_cov)


def _cumulative(found: MeanFit, recipe: Recipe, score_cov: Floats) -> dict[str, Any]:
    """Return the sum of one cause's lag coefficients and its t interval.

    Notes
    -----
    The sum is a combination of the scores whose weights solve the transposed factor. Its variance is a quadratic form
    in these weights and so never negative, however close to collinear the lags are.
    """
    fit = found.fit
    if fit.residuals.shape[1] > 1 or recipe.n_causes > 1:
        return {}
    weights = solve_triangular(fit.factor, np.ones(recipe.lags), trans="T")
    total = float(weights @ fit.scores[:, 0])
    quantile = float(stats.t.isf((1 - INTERVAL_LEVEL) / 2, fit.nobs - fit.n_parameters))
    half = quantile * math.sqrt(float(weights @ score_cov @ weights))
    unit = int(found.shift[0, 0])
    return {
        "estimate": math.ldexp(total, unit),
        "estimate_name": f"sum of the {recipe.lags} lag coefficients of {recipe.cause_name}",
        "interval": (math.ldexp(total - half, unit), math.ldexp(total + half, unit)),
        "interval_level": INTERVAL_LEVEL,
    }


def _bootstrap(fit: Partialled, recipe: Recipe, wald: float) -> dict[str, Any]:
    """Return the wild bootstrap p-value with its Monte Carlo error."""
    if recipe.signs is None:
        return {}
    bandwidth = recipe.bandwidth(fit.nobs)
    draws = wild_wald(fit, recipe.signs, recipe.cov, hac_lags=bandwidth, dof_correction=recipe.dof_correction)
    # A draw equal to the sample up to rounding (all signs alike) ties with it and must count.
    exceed = int((draws >= wald * (1.0 - 1e-10)).sum())
    pvalue = (1 + exceed) / (1 + len(draws))
    error = math.sqrt(pvalue * (1 - pvalue) / len(draws))
    return {"bootstrap_pvalue": pvalue, "bootstrap_standard_error": error, "bootstrap_draws": len(draws)}


def _strength(fit: Partialled) -> float:
    restricted = np.linalg.slogdet(fit.restricted_residuals.T @ fit.restricted_residuals)[1]
    return float(restricted - np.linalg.slogdet(fit.residuals.T @ fit.residuals)[1])


def _r2_gain(found: MeanFit, trend: str) -> float | None:
    if found.fit.residuals.shape[1] > 1:
        return None
    response = found.response[:, 0]
    centered = response - response.mean() if trend != "n" else response
    return float(np.square(found.fit.scores).sum() / np.square(centered).sum())
