"""The Breitung-Candelon test: does the past of one series help to predict another at a given frequency."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, Options, Result
from analysis.stats.covariance import (
    LEVERAGE_LIMIT,
    Partialled,
    check_cov,
    coefficient_covariance,
    row_weights,
    score_covariance,
)
from analysis.stats.granger_bootstrap import Signs, rademacher
from analysis.stats.granger_design import fit_mean, read_series
from analysis.stats.granger_result import bartlett_lags
from analysis.stats.lagged import Bools, Floats, Ints, as_numbers, check_lags, check_trend

BREITUNG_REFERENCE = "Breitung and Candelon (2006), Journal of Econometrics 132, eq. 8-10"
LEAST_LAGS = 3
EDGE = 1e-10  # distance from 0 or π at which the sine row vanishes
DRAW_BLOCK = 64


def check_frequencies(frequencies: ArrayLike) -> Floats:
    """Return angular frequencies as a float array; raises InputError outside 0 to π."""
    values = np.atleast_1d(as_numbers(frequencies, "frequencies"))
    if values.ndim != 1 or not values.size or not ((values >= 0) & (values <= np.pi + 1e-12)).all():
        raise InputError(
            "frequencies must be angular frequencies",
            given=np.asarray(frequencies).tolist(),
            limit="0 to pi radians an observation",
            remedy="a cycle of d observations has frequency 2 pi / d",
        )
    return np.minimum(values, np.pi)


def periods(frequencies: Floats) -> Floats:
    """Return the cycle lengths in observations; infinite at frequency 0."""
    return np.divide(2 * np.pi, frequencies, out=np.full(len(frequencies), np.inf), where=frequencies > 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrequencyCausalityResult(Result):
    """Breitung-Candelon test at each frequency, and over a band.

    Attributes
    ----------
    frequencies, statistic, pvalue, df : ndarray of shape (f,)
        Wald statistic and chi-square p-value of no causality at that frequency alone; 1 degree of freedom at 0 and π,
        2 between. They are not corrected for looking at several frequencies.
    band : tuple of float or None
    sup_statistic : float or None
        Largest statistic of the given frequencies inside the band, of those with 2 degrees of freedom.
    sup_frequency : float or None
    sup_pvalue : float or None
        (1 + b) / (1 + B) against the same largest statistic under no causality at any frequency.
    draws : int
    coefficients : ndarray of shape (lags,)
    cov, trend : str
    """

    method: str
    null: str
    alternative: str
    frequencies: Floats
    statistic: Floats
    pvalue: Floats
    df: Floats
    band: tuple[float, float] | None = None
    sup_statistic: float | None = None
    sup_frequency: float | None = None
    sup_pvalue: float | None = None
    draws: int = 0
    coefficients: Floats
    nobs: int
    nobs_lost: int
    lags: int
    cov: str
    trend: str
    options: Options
    warnings: tuple[str, ...] = ()
    reference: str = BREITUNG_REFERENCE

    def summary(self) -> str:
        """Return the largest statistic and, with a bootstrap, the p-value that accounts for the search, as text."""
        top = int(np.argmin(self.pvalue))
        least = f"{self.pvalue[top]:.4g} at {self.frequencies[top]:.4g}"
        lines = [
            self.method,
            f"  H0: {self.null}",
            f"  H1: {self.alternative}",
            f"  chi2({self.df[top]:g}) = {self.statistic[top]:.6g}, p = {least}: the smallest of {len(self.pvalue)} "
            "single-frequency p-values, not corrected for the search",
        ]
        if self.sup_statistic is not None and self.band is not None:
            span = f"{self.band[0]:.4g} to {self.band[1]:.4g}"
            text = f"  largest in {span}: {self.sup_statistic:.6g} at {self.sup_frequency:.4g}"
            lines.append(
                text
                + ("" if self.sup_pvalue is None else f", bootstrap p = {self.sup_pvalue:.4g} ({self.draws} draws)")
            )
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost), lags = {self.lags}, covariance {self.cov}")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a frequency."""
        return pd.DataFrame(
            {
                "frequency": self.frequencies,
                "period": periods(self.frequencies),
                "statistic": self.statistic,
                "df": self.df,
                "pvalue": self.pvalue,
            }
        )


def breitung_candelon(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    frequencies: ArrayLike,
    given: ArrayLike | None = None,
    cov: str = "nonrobust",
    trend: str = "c",
    band: tuple[float, float] | None = None,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    mask: ArrayLike | None = None,
    hac_lags: int | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> FrequencyCausalityResult | Inapplicable:
    """Test that `cause` does not help to predict `effect` at a frequency, for each frequency given.

    Parameters
    ----------
    effect, cause : array of shape (n,)
        In time order. NaN marks a missing observation: a row is used only when the effect at t and every series at
        t-1 .. t-lags are present.
    lags : int
        At least 3: with fewer lags of the cause two restrictions leave no frequency to speak of.
    frequencies : array of shape (f,)
        Angular frequencies in [0, π].
    given : array of shape (n,) or (n, m), optional
        Conditioning series, lagged like the rest.
    cov : {"nonrobust", "HC0", "HC1", "HC3", "HAC"}
        "nonrobust" divides the residual sum by rows minus coefficients.
    trend : {"c", "n", "ct"}
    band : (float, float), optional
        Where to look for the largest statistic; default the whole range when `bootstrap` > 0.
    bootstrap : int
        Draws of the fixed-design wild bootstrap with the null of no causality at any frequency imposed, for the largest
        statistic in the band.
    rng : numpy.random.Generator, optional
        Needed when `bootstrap` > 0.
    mask : bool array of shape (n,), optional
        Dates of the effect that may enter as rows.
    hac_lags : int, optional
        Bartlett lags of "HAC", fewer than rows used; default Newey and West's rule.
    effect_name, cause_name : str

    Returns
    -------
    FrequencyCausalityResult or Inapplicable

    Raises
    ------
    InputError
        For fewer than 3 lags, frequencies outside [0, π], several causes or effects, an empty band, or `hac_lags` that
        reach beyond the sample.

    Notes
    -----
    No causality at ω means that ``sum_j b_j cos(j ω)`` and ``sum_j b_j sin(j ω)`` are both zero, where b are the
    cause's coefficients next to the effect's own lags; the second sum vanishes at 0 and π.

    References
    ----------
    Breitung and Candelon (2006), Journal of Econometrics 132.
    """
    p = check_lags(lags)
    if p < LEAST_LAGS:
        raise InputError(
            "a test at one frequency needs more lags", given=p, limit=f"at least {LEAST_LAGS}", remedy="raise lags="
        )
    omega, chosen = check_frequencies(frequencies), check_cov(cov)
    series = read_series(effect, cause, given, mask)
    if series.effect.shape[1] != 1 or series.cause.shape[1] != 1:
        raise InputError("one effect and one cause", given=(series.effect.shape, series.cause.shape))
    inside = _inside(omega, band, bootstrap)
    method = f"Breitung-Candelon causality by frequency ({chosen})"
    found = fit_mean(series, lags=p, trend=check_trend(trend))
    if isinstance(found, str):
        return Inapplicable(method=method, reason=found)
    fit = found.fit
    if chosen == "HC3" and fit.leverage.max() >= LEVERAGE_LIMIT:
        return Inapplicable(method=method, reason="a leverage is one, so HC3 does not exist")
    bandwidth = bartlett_lags(chosen, hac_lags, fit.nobs)
    variance = score_covariance(fit, chosen, hac_lags=bandwidth)
    statistic, df = wald_by_frequency(fit.coefficients[:, 0], coefficient_covariance(fit, variance), omega)
    if not np.isfinite(statistic).all():
        return Inapplicable(method=method, reason=f"the {chosen} covariance is singular at a frequency")
    with np.errstate(over="ignore"):
        coefficients = np.ldexp(fit.coefficients[:, 0], found.shift[0])
    if not np.isfinite(coefficients).all():
        return Inapplicable(method=method, reason=found.beyond_floats("coefficients"))
    top = int(inside[np.argmax(statistic[inside])]) if inside.size else None
    pvalue = None
    draws = check_lags(bootstrap, name="bootstrap", least=0)
    if draws and top is not None:
        signs = rademacher(rng, len(series), draws)[fit.rows]  # type: ignore[arg-type]
        exceed = (_sup_draws(fit, signs, chosen, bandwidth, omega[inside]) >= statistic[top] * (1 - 1e-10)).sum()
        pvalue = float((1 + exceed) / (1 + draws))
    plain = ("the plain covariance over-rejects when volatility moves; see cov='HC3'",) if chosen == "nonrobust" else ()
    return FrequencyCausalityResult(
        method=method,
        null=f"{cause_name} does not help to predict {effect_name} at the frequency",
        alternative=f"{cause_name} helps to predict {effect_name} at the frequency",
        frequencies=omega,
        statistic=statistic,
        pvalue=stats.chi2.sf(statistic, df),
        df=df,
        band=None if top is None else (float(band[0]), float(band[1])) if band is not None else (0.0, float(np.pi)),
        sup_statistic=None if top is None else float(statistic[top]),
        sup_frequency=None if top is None else float(omega[top]),
        sup_pvalue=pvalue,
        draws=draws,
        coefficients=coefficients,
        nobs=fit.nobs,
        nobs_lost=len(series) - fit.nobs,
        lags=p,
        cov=chosen,
        trend=trend,
        options=Options({"n_given": series.given.shape[1], "bootstrap": draws, "hac_lags": bandwidth}),
        warnings=plain,
    )


def _inside(omega: Floats, band: tuple[float, float] | None, bootstrap: int) -> Ints:
    """Return the places of the frequencies in the band without 0 and π, whose statistic has one degree less."""
    if band is None and not bootstrap:
        return np.empty(0, dtype=np.int64)
    low, high = (0.0, np.pi) if band is None else (float(band[0]), float(band[1]))
    place = np.flatnonzero((omega >= low) & (omega <= high) & (omega > EDGE) & (omega < np.pi - EDGE)).astype(np.int64)
    if not place.size:
        raise InputError(
            "no frequency lies inside the band", given=(low, high), limit="between 0 and pi, ends excluded"
        )
    return place


def restrictions(lags: int, frequencies: Floats) -> Floats:
    """Return the (f, 2, lags) rows of cosines and sines; the sine row is zero at 0 and π."""
    angles = frequencies[:, None] * np.arange(1, lags + 1)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rows[_at_edge(frequencies), 1] = 0.0
    return rows


def _at_edge(frequencies: Floats) -> Bools:
    return (frequencies <= EDGE) | (frequencies >= np.pi - EDGE)


def wald_by_frequency(coefficients: Floats, covariance: Floats, frequencies: Floats) -> tuple[Floats, Floats]:
    """Return Wald statistics (f,) and degrees of freedom (f,); infinite where the covariance is singular."""
    rows = restrictions(len(coefficients), frequencies)
    gaps = rows @ coefficients
    variances = rows @ covariance @ rows.transpose(0, 2, 1)
    edge = _at_edge(frequencies)
    return _quadratic(gaps, variances, edge), np.where(edge, 1.0, 2.0)


def _quadratic(gaps: Floats, variances: Floats, edge: Bools) -> Floats:
    """Return g' V^-1 g over leading axes for gaps (..., 2) and variances (..., 2, 2), the first alone at edges."""
    a, b, d = variances[..., 0, 0], variances[..., 0, 1], variances[..., 1, 1]
    first = np.divide(gaps[..., 0] ** 2, a, out=np.full(a.shape, np.inf), where=a > 0)
    rest = d - np.divide(b * b, a, out=np.zeros(a.shape), where=a > 0)
    step = gaps[..., 1] - np.divide(b * gaps[..., 0], a, out=np.zeros(a.shape), where=a > 0)
    second = np.divide(step**2, rest, out=np.full(a.shape, np.inf), where=rest > 1e-13 * d)
    return np.where(edge, first, first + second)


def _sup_draws(fit: Partialled, signs: Signs, cov: str, hac_lags: int, frequencies: Floats) -> Floats:
    """Return the largest statistic over frequencies of every fixed-design wild draw, shape (draws,)."""
    q, w = fit.tested_basis.shape[1], fit.kept_basis.shape[1]
    back = np.linalg.solve(fit.factor, np.eye(q))
    rows = restrictions(q, frequencies) @ back
    edge = _at_edge(frequencies)
    basis = np.hstack([fit.kept_basis, fit.tested_basis])
    weights = row_weights(fit, cov)
    products = (fit.tested_basis[:, :, None] * fit.tested_basis[:, None, :]).reshape(fit.nobs, q * q) * weights[:, None]
    out = np.empty(signs.shape[1])
    for start in range(0, signs.shape[1], DRAW_BLOCK):
        response = fit.restricted_residuals * signs[:, start : start + DRAW_BLOCK]
        projection = basis.T @ response
        residuals = response - basis @ projection
        scores = projection[w:].T
        if cov == "nonrobust":
            sigma2 = np.square(residuals).sum(axis=0) / (fit.nobs - fit.n_parameters)
            variance = sigma2[:, None, None] * np.eye(q)
        elif cov == "HAC":
            drawn = [replace(fit, residuals=residuals[:, [item]]) for item in range(residuals.shape[1])]
            variance = np.array([score_covariance(item, cov, hac_lags=hac_lags) for item in drawn])
        else:
            variance = (np.square(residuals).T @ products).reshape(-1, q, q)
        gaps = np.einsum("fij,bj->bfi", rows, scores)
        spreads = np.einsum("fij,bjk,flk->bfil", rows, variance, rows, optimize=True)
        out[start : start + DRAW_BLOCK] = _quadratic(gaps, spreads, edge).max(axis=1)
    return out
