"""Granger causality by frequency: at which cycles does the past of one series help to predict another.

Notes
-----
Angular frequency ω in radians an observation belongs to cycles of 2π / ω observations: ω near 0 is the long run, ω =
π a cycle of two observations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.results import Failed, Inapplicable, Result
from analysis.stats.granger_design import read_series
from analysis.stats.granger_frequency import (
    FrequencyCausalityResult,
    breitung_candelon,
    check_frequencies,
    periods,
)
from analysis.stats.granger_strength import (
    STABILITY_LIMIT,
    fit_lags,
    reduced_innovations,
    strength_value,
    unit_errors,
    var_radius,
)
from analysis.stats.lagged import Floats, check_lags, check_trend

__all__ = ["FrequencyCausalityResult", "SpectrumResult", "breitung_candelon", "geweke_spectrum", "spectrum_from_var"]

SPECTRUM_REFERENCE = "Geweke (1982), JASA 77; Geweke (1984), JASA 79; Barnett and Seth (2015), Physical Review E 91"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpectrumResult(Result):
    """Geweke's strength by frequency.

    Attributes
    ----------
    frequencies : ndarray of shape (f,)
        Angular, radians an observation.
    values : ndarray of shape (f,)
        Strength in nats at each frequency; its mean over (0, π) is `strength`.
    strength : float
        The time-domain value of the same fitted vector autoregression (state space).
    nobs, nobs_lost, lags : int
    """

    method: str = "Geweke spectrum"
    frequencies: Floats
    values: Floats
    strength: float
    nobs: int
    nobs_lost: int
    lags: int
    effect_name: str = "effect"
    cause_name: str = "cause"
    warnings: tuple[str, ...] = ()
    reference: str = SPECTRUM_REFERENCE

    def summary(self) -> str:
        """Return the strength and the frequency at which it is largest as text."""
        top = int(np.argmax(self.values))
        period = periods(self.frequencies)[top]
        return (
            f"{self.method} of {self.cause_name} on {self.effect_name}\n"
            f"  time-domain strength {self.strength:.6g} nats; largest of {len(self.values)} frequencies "
            f"{self.values[top]:.6g} at {self.frequencies[top]:.4g} (cycle of {period:.4g} observations)\n"
            f"  n = {self.nobs} ({self.nobs_lost} lost), lags = {self.lags}\n  Reference: {self.reference}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a frequency."""
        return pd.DataFrame(
            {"frequency": self.frequencies, "period": periods(self.frequencies), "strength": self.values}
        )


def geweke_spectrum(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    given: ArrayLike | None = None,
    frequencies: ArrayLike,
    trend: str = "c",
    mask: ArrayLike | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> SpectrumResult | Inapplicable | Failed:
    """Decompose the strength of `cause` on `effect` by frequency.

    Parameters
    ----------
    effect, cause : array of shape (n,) or (n, k)
        Stationary series in time order. NaN marks a missing observation; a row needs every series at t .. t-lags.
    lags : int
    given : array of shape (n,) or (n, m), optional
        Conditioning series.
    frequencies : array of shape (f,)
        Angular frequencies in [0, π].
    trend : {"c", "n", "ct"}
    mask : bool array of shape (n,), optional
    effect_name, cause_name : str

    Returns
    -------
    SpectrumResult, Inapplicable or Failed

    Raises
    ------
    InputError
        For wrong shapes, infinite values or frequencies outside [0, π].

    References
    ----------
    Geweke (1984), JASA 79 (conditional form); Barnett and Seth (2015), Physical Review E 91, section III.C.
    """
    method = "Geweke spectrum"
    omega = check_frequencies(frequencies)
    series = read_series(effect, cause, given, mask)
    p = check_lags(lags)
    fit = fit_lags(series.standardised(check_trend(trend))[0], p, trend)
    if isinstance(fit, str):
        return Inapplicable(method=method, reason=fit)
    if (radius := var_radius(fit.coefs)) >= STABILITY_LIMIT:
        reason = f"the fitted autoregression is not stable (largest root {radius:.6f}); take changes of the series"
        return Inapplicable(method=method, reason=reason)
    m, c, k = series.effect.shape[1], series.cause.shape[1], len(fit.sigma)
    groups = list(range(m)), list(range(m, m + c)), list(range(m + c, k))
    strength = strength_value(fit.coefs, fit.sigma, *groups)
    values = spectrum_from_var(fit.coefs, fit.sigma, *groups, omega)
    if isinstance(strength, str) or isinstance(values, str):
        return Failed(method=method, reason=strength if isinstance(strength, str) else str(values))
    return SpectrumResult(
        frequencies=omega,
        values=values,
        strength=strength,
        nobs=len(fit.responses),
        nobs_lost=len(series) - len(fit.responses),
        lags=p,
        effect_name=effect_name,
        cause_name=cause_name,
    )


def spectrum_from_var(
    coefs: Floats, sigma: Floats, effect: list[int], cause: list[int], given: list[int], frequencies: Floats
) -> Floats | str:
    """Return the strength (nats) at each frequency of a stable vector autoregression of exactly these series.

    Notes
    -----
    The effects' one-step errors given the past of effects and conditioning series are filtered from all errors of the
    full model. Their spectrum is flat and splits into what the effects' own errors bring and what the other errors
    add, freed of the effects' errors of the same date; the strength is the log ratio of the whole to the first part.
    """
    coefs, sigma = unit_errors(coefs, sigma)
    p, k, _ = coefs.shape
    others = [*effect, *given]
    reduced = reduced_innovations(coefs, sigma, others)
    if isinstance(reduced, str):
        return reduced
    m, r = len(effect), len(others)
    total = reduced.covariance[:m, :m]
    foreign = [*cause, *given]
    cross = sigma[np.ix_(foreign, effect)]
    added = sigma[np.ix_(foreign, foreign)] - cross @ np.linalg.solve(sigma[np.ix_(effect, effect)], cross.T)
    closed = reduced.transition - reduced.gain @ reduced.observation
    out = np.empty(len(frequencies))
    for place, omega in enumerate(frequencies):
        z = np.exp(-1j * omega)
        full = np.eye(k) - np.einsum("j,jab->ab", z ** np.arange(1, p + 1), coefs)
        transfer = np.linalg.inv(full)[np.ix_(others, foreign)]
        back = np.eye(len(closed)) - z * closed
        inverse = np.eye(r) - z * reduced.observation @ np.linalg.solve(back, reduced.gain)
        path = (inverse @ transfer)[:m]
        rest = total - path @ added @ path.conj().T
        out[place] = np.linalg.slogdet(total)[1] - np.linalg.slogdet(rest)[1]
    return np.maximum(out, 0.0)
