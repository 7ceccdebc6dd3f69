"""The numbers behind the tests of causality in variance: correlations of squared shocks, lag windows, the LM form."""

from __future__ import annotations

import math

import numpy as np

from analysis.stats.lagged import Floats
from analysis.stats.volatility.garch_filter import GarchFit

KERNELS = ("daniell", "bartlett", "parzen", "quadratic-spectral", "truncated")


def multiplier_statistic(surprise: Floats, slopes: Floats, indicators: Floats) -> float | None:
    """Return the LM statistic from squared shocks less one (n,), log-variance slopes (n, 3) and indicators (n, q)."""
    slopes = slopes / np.linalg.norm(slopes, axis=0)
    indicators = indicators / np.linalg.norm(indicators, axis=0)
    basis, _ = np.linalg.qr(slopes)
    rest = indicators - basis @ (basis.T @ indicators)
    values = np.linalg.svd(rest, compute_uv=False)
    if values[-1] <= 1e-7:
        return None
    scores = indicators.T @ surprise
    return float(scores @ np.linalg.solve(rest.T @ rest, scores) / np.square(surprise).mean())


def kernel_weights(z: Floats, kernel: str) -> Floats:
    """Return a lag-window kernel at z > 0."""
    if kernel == "daniell":
        return np.sinc(z)
    if kernel == "bartlett":
        return np.clip(1.0 - z, 0.0, None)
    if kernel == "parzen":
        return np.where(z <= 0.5, 1 - 6 * z**2 + 6 * z**3, 2 * np.clip(1 - z, 0.0, None) ** 3)
    if kernel == "quadratic-spectral":
        w = 6 * np.pi * z / 5
        return 3 / w**2 * (np.sin(w) / w - np.cos(w))
    return (z <= 1.0).astype(np.float64)


def hong_moments(weights: Floats, n: int) -> tuple[float, float]:
    """Return the centre and spread of the weighted sum, given squared kernel weights at lags 1, 2, .."""
    j = np.arange(1, len(weights) + 1)
    center = float(((1 - j / n) * weights).sum())
    return center, math.sqrt(2 * float(((1 - j / n) * (1 - (j + 1) / n) * np.square(weights)).sum()))


def squared_shocks(fit: GarchFit) -> Floats:
    """Return squared standardised shocks less their mean; NaN where the shock is missing."""
    squares = np.square(fit.shocks)
    return squares - squares[np.isfinite(squares)].mean()


def square_correlations(u: Floats, v: Floats, lags: int) -> tuple[Floats, Floats]:
    """Return correlations of u at t with v at t-k (k = 1..lags) over the whole sample's variances, and pairs a lag."""
    n = len(u)
    size = 1 << (2 * n).bit_length()
    spectra = [np.fft.rfft(np.nan_to_num(item), size) for item in (u, v)]
    products = np.fft.irfft(spectra[0] * np.conj(spectra[1]), size)[1 : lags + 1]
    flags = [np.fft.rfft(np.isfinite(item).astype(float), size) for item in (u, v)]
    counts = np.round(np.fft.irfft(flags[0] * np.conj(flags[1]), size)[1 : lags + 1])
    scale = math.sqrt(float(np.nansum(np.square(u)) * np.nansum(np.square(v))))
    return products / scale, np.maximum(counts, 1.0)


def permuted_correlations(u: Floats, v: Floats, lags: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return correlations (draws, lags) with the cause's present shocks put in random order."""
    size = 1 << (2 * len(u)).bit_length()
    scale = math.sqrt(float(np.nansum(np.square(u)) * np.nansum(np.square(v))))
    spectrum = np.fft.rfft(np.nan_to_num(u), size) / scale
    present = np.flatnonzero(np.isfinite(v))
    out = np.empty((draws, lags))
    shuffled = np.zeros(len(v))
    for draw in range(draws):
        shuffled[present] = v[rng.permutation(present)]
        out[draw] = np.fft.irfft(spectrum * np.conj(np.fft.rfft(shuffled, size)), size)[1 : lags + 1]
    return out
