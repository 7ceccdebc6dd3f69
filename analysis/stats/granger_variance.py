"""Granger causality in variance: does the size of one series' past shocks announce the size of another's.

Notes
-----
A series that leads in mean looks like one that leads in variance, so a vector autoregression is removed first, then
each series' own GARCH(1,1). What remains are shocks whose squares are unrelated across dates under the null.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.granger_design import read_series
from analysis.stats.lagged import Floats, check_lags, lag_columns
from analysis.stats.variance_statistics import (
    KERNELS,
    hong_moments,
    kernel_weights,
    multiplier_statistic,
    permuted_correlations,
    square_correlations,
    squared_shocks,
)
from analysis.stats.volatility.garch_filter import DISTRIBUTIONS, GarchFit, fit_garch11, mean_residuals

CHEUNG_NG_REFERENCE = "Cheung and Ng (1996), Journal of Econometrics 72, section 2"
HONG_REFERENCE = "Hong (2001), Journal of Econometrics 103, section 3 (Q1)"
HAFNER_REFERENCE = "Hafner and Herwartz (2006), Economics Letters 93, section 2 (LM statistic)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VarianceCausalityResult(TestResult):
    """A test that past shocks of the cause do not announce the size of the effect's shocks.

    Attributes
    ----------
    correlations : ndarray of shape (lags,)
        Correlation of the effect's squared shock at t with the cause's at t-k, k = 1..lags; empty for the LM test.
    effect_parameters, cause_parameters : ndarray of shape (3,) or (4,)
        omega, alpha, beta (and degrees of freedom) of the two GARCH filters.
    bootstrap_pvalue, bootstrap_standard_error : float or None
        (1 + b) / (1 + B) over permutations of the cause's shocks, and its Monte Carlo error.
    bootstrap_draws : int
    """

    correlations: Floats
    effect_parameters: Floats
    cause_parameters: Floats
    bootstrap_pvalue: float | None = None
    bootstrap_standard_error: float | None = None
    bootstrap_draws: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return one row: the test and its permutation p-value."""
        frame = TestResult.to_frame(self)
        return frame.assign(bootstrap_pvalue=[self.bootstrap_pvalue], bootstrap_draws=self.bootstrap_draws)

    def summary(self) -> str:
        """Return the test as text, with the permutation p-value."""
        lines = TestResult.summary(self).split("\n")
        if self.bootstrap_pvalue is not None:
            error = f"Monte Carlo error {self.bootstrap_standard_error:.2g}, {self.bootstrap_draws} draws"
            lines.insert(4, f"  permutation p = {self.bootstrap_pvalue:.4g} ({error})")
        return "\n".join(lines)


def cheung_ng(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    mean_lags: int | None = None,
    distribution: str = "normal",
    small_sample: bool = True,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> VarianceCausalityResult | Inapplicable | Failed:
    """Sum the squared correlations of the effect's squared shocks with the cause's over lags 1..lags.

    Parameters
    ----------
    effect, cause : array of shape (n,)
        In time order. NaN marks a missing observation: mean equations and correlations use whole rows only, the
        variance runs on at its forecast.
    lags : int
        The cause's squared shocks at t-1 .. t-lags; with NaN their pairs are counted lag by lag.
    mean_lags : int, optional
        Order of the vector autoregression removed first; default `lags`, 0 removes means only.
    distribution : {"normal", "t"}
        Of the GARCH(1,1) filters.
    small_sample : bool
        Weigh lag k by (n + 2) / (n - k), as in Cheung and Ng's modified statistic.
    bootstrap : int
        Permutations of the cause's shocks; 0 for none.
    rng : numpy.random.Generator, optional
    effect_name, cause_name : str

    Returns
    -------
    VarianceCausalityResult, Inapplicable or Failed
        Chi-square with `lags` degrees of freedom. Failed when a variance equation has no maximum.

    Raises
    ------
    InputError
        For wrong shapes, infinite values, unknown options, or permutations without generator.

    References
    ----------
    Cheung and Ng (1996), Journal of Econometrics 72; Pantelidis and Pittis (2004), Economics Letters 85 (mean first).
    """
    method = "causality in variance (Cheung-Ng)"
    lags, draws = check_lags(lags), _check_draws(bootstrap, rng)
    pair = _filter_pair(effect, cause, lags if mean_lags is None else mean_lags, distribution, method)
    if not isinstance(pair, tuple):
        return pair
    u, v = (squared_shocks(fit) for fit in pair)
    rho, counts = square_correlations(u, v, lags)
    n = int(np.isfinite(u).sum())
    weight = n * (n + 2) / counts if small_sample else np.full(lags, float(n))
    statistic = float((weight * np.square(rho)).sum())
    permuted = permuted_correlations(u, v, lags, draws, rng) if draws and rng is not None else None
    return VarianceCausalityResult(
        **_words(method, effect_name, cause_name),
        statistic=statistic,
        pvalue=float(stats.chi2.sf(statistic, lags)),
        distribution="chi2",
        df=(float(lags),),
        estimate=float(rho[np.argmax(np.abs(rho))]),
        estimate_name=f"largest of {lags} correlations of squared shocks (lag {int(np.argmax(np.abs(rho))) + 1})",
        lags=lags,
        options=_options(pair, mean_lags, lags, distribution) | {"small_sample": small_sample, "bootstrap": draws},
        warnings=_warnings(pair),
        reference=CHEUNG_NG_REFERENCE,
        correlations=rho,
        **_sample(pair, n),
        **({} if permuted is None else _permutation_pvalue(statistic, np.square(permuted) @ weight)),
    )


def hong(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    kernel: str = "daniell",
    mean_lags: int | None = None,
    distribution: str = "normal",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> VarianceCausalityResult | Inapplicable | Failed:
    """Weigh the squared correlations of squared shocks over all lags by a kernel, so that recent ones count most.

    Parameters
    ----------
    effect, cause, mean_lags, distribution, bootstrap, rng, effect_name, cause_name
        As in `cheung_ng`.
    lags : int
        Bandwidth M of the kernel. Kernels without bounded support reach over all lags.
    kernel : {"daniell", "bartlett", "parzen", "quadratic-spectral", "truncated"}

    Returns
    -------
    VarianceCausalityResult, Inapplicable or Failed
        Hong's Q1, one-sided standard normal: large values speak against the null.

    References
    ----------
    Hong (2001), Journal of Econometrics 103.
    """
    method = f"causality in variance (Hong, {kernel})"
    lags, draws = check_lags(lags), _check_draws(bootstrap, rng)
    if kernel not in KERNELS:
        raise InputError("unknown kernel", given=kernel, limit=", ".join(KERNELS))
    pair = _filter_pair(effect, cause, lags if mean_lags is None else mean_lags, distribution, method)
    if not isinstance(pair, tuple):
        return pair
    u, v = (squared_shocks(fit) for fit in pair)
    n = int(np.isfinite(u).sum())
    reach = n - 2 if kernel in ("daniell", "quadratic-spectral") else lags
    weights = np.square(kernel_weights(np.arange(1, reach + 1) / lags, kernel))
    rho = square_correlations(u, v, reach)[0]
    center, spread = hong_moments(weights, n)
    statistic = float((n * (weights * np.square(rho)).sum() - center) / spread)
    permuted = permuted_correlations(u, v, reach, draws, rng) if draws and rng is not None else None
    extra = {}
    if permuted is not None:
        extra = _permutation_pvalue(statistic, (n * np.square(permuted) @ weights - center) / spread)
    return VarianceCausalityResult(
        **_words(method, effect_name, cause_name),
        statistic=statistic,
        pvalue=float(stats.norm.sf(statistic)),
        distribution="normal",
        lags=lags,
        options=_options(pair, mean_lags, lags, distribution) | {"kernel": kernel, "bootstrap": draws},
        warnings=_warnings(pair),
        reference=HONG_REFERENCE,
        correlations=rho[:lags],
        **_sample(pair, n),
        **extra,
    )


def hafner_herwartz(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int = 1,
    mean_lags: int | None = None,
    distribution: str = "normal",
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> VarianceCausalityResult | Inapplicable | Failed:
    """Test by a Lagrange multiplier that the cause's squared shocks and variance do not enter the effect's variance.

    Parameters
    ----------
    effect, cause, mean_lags, distribution, effect_name, cause_name
        As in `cheung_ng`; `mean_lags` defaults to 5.
    lags : int
        Squared innovations of the cause at t-1 .. t-lags enter beside its variance at t-1; 1 in the paper.

    Returns
    -------
    VarianceCausalityResult, Inapplicable or Failed
        Chi-square with lags + 1 degrees of freedom.

    References
    ----------
    Hafner and Herwartz (2006), Economics Letters 93.
    """
    method = "causality in variance (Hafner-Herwartz)"
    lags = check_lags(lags)
    order = 5 if mean_lags is None else mean_lags
    pair = _filter_pair(effect, cause, order, distribution, method)
    if not isinstance(pair, tuple):
        return pair
    own, other = pair
    innovations = np.square(other.shocks) * other.variance
    indicators = np.hstack(
        [lag_columns(innovations[:, None], range(1, lags + 1)), lag_columns(other.variance[:, None], [1])]
    )
    surprise = np.square(own.shocks) - 1.0
    use = np.isfinite(np.column_stack([surprise, own.slopes, indicators])).all(axis=1)
    statistic = multiplier_statistic(surprise[use], own.slopes[use], indicators[use])
    if statistic is None:
        return Inapplicable(
            method=method, reason="the indicators of the cause's volatility are collinear with the effect's own"
        )
    return VarianceCausalityResult(
        **_words(method, effect_name, cause_name),
        statistic=statistic,
        pvalue=float(stats.chi2.sf(statistic, lags + 1)),
        distribution="chi2",
        df=(float(lags + 1),),
        lags=lags,
        options=_options(pair, order, lags, distribution),
        warnings=_warnings(pair),
        reference=HAFNER_REFERENCE,
        correlations=np.empty(0),
        **_sample(pair, int(use.sum())),
    )


def _filter_pair(
    effect: ArrayLike, cause: ArrayLike, mean_lags: int, distribution: str, method: str
) -> tuple[GarchFit, GarchFit] | Inapplicable | Failed:
    """Remove the vector autoregression, then each series' own GARCH(1,1)."""
    series = read_series(effect, cause, None, None)
    order = check_lags(mean_lags, name="mean_lags", least=0)
    if series.joint.shape[1] != 2:
        raise InputError("a variance test has one effect and one cause", given=series.joint.shape[1])
    if distribution not in DISTRIBUTIONS:
        raise InputError("unknown distribution", given=distribution, limit=", ".join(DISTRIBUTIONS))
    residuals = mean_residuals(series.joint, order)
    if isinstance(residuals, str):
        return Inapplicable(method=method, reason=residuals)
    first = int(np.flatnonzero(np.isfinite(residuals[:, 0]))[0])
    fits = [fit_garch11(residuals[first:, k], distribution=distribution) for k in (0, 1)]
    for fit in fits:
        if isinstance(fit, str):
            return Failed(method=method, reason=fit)
    own, other = (_padded(fit, first) for fit in fits if not isinstance(fit, str))
    return own, other


def _padded(fit: GarchFit, count: int) -> GarchFit:
    """Put missing rows in front, so that places are those of the input."""
    shocks = np.r_[np.full(count, np.nan), fit.shocks]
    variance = np.r_[np.full(count, np.nan), fit.variance]
    slopes = np.vstack([np.full((count, 3), np.nan), fit.slopes])
    return GarchFit(fit.parameters, variance, shocks, slopes, fit.log_likelihood)


def _check_draws(bootstrap: int, rng: np.random.Generator | None) -> int:
    draws = check_lags(bootstrap, name="bootstrap", least=0)
    if draws and not isinstance(rng, np.random.Generator):
        raise InputError(
            "permutations need a random generator", given=rng, remedy="pass rng=np.random.default_rng(seed)"
        )
    return draws


def _permutation_pvalue(statistic: float, draws: Floats) -> dict[str, Any]:
    pvalue = (1 + int((draws >= statistic).sum())) / (1 + len(draws))
    error = math.sqrt(pvalue * (1 - pvalue) / len(draws))
    return {"bootstrap_pvalue": pvalue, "bootstrap_standard_error": error, "bootstrap_draws": len(draws)}


def _words(method: str, effect: str, cause: str) -> dict[str, Any]:
    null = f"past shocks of {cause} do not announce the variance of {effect}"
    return {"method": method, "null": null, "alternative": f"past shocks of {cause} announce the variance of {effect}"}


def _sample(pair: tuple[GarchFit, GarchFit], used: int) -> dict[str, Any]:
    own, other = pair
    sizes = {"nobs": used, "nobs_lost": len(own.shocks) - used}
    return sizes | {"effect_parameters": own.parameters, "cause_parameters": other.parameters}


def _options(pair: tuple[GarchFit, GarchFit], mean_lags: int | None, lags: int, distribution: str) -> dict[str, Any]:
    order = lags if mean_lags is None else mean_lags
    likelihoods = tuple(fit.log_likelihood for fit in pair)
    return {"mean_lags": order, "distribution": distribution, "filter": "GARCH(1,1)", "log_likelihoods": likelihoods}


def _warnings(pair: tuple[GarchFit, GarchFit]) -> tuple[str, ...]:
    found = []
    for name, fit in zip(("effect", "cause"), pair, strict=True):
        if fit.parameters[1] + fit.parameters[2] > 0.9998:
            found.append(f"the variance of the {name} is close to integrated")
        if fit.parameters[1] < 1e-6:
            found.append(f"the variance of the {name} does not react to its own shocks")
    return tuple(found)
