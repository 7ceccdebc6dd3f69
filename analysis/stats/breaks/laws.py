"""Two limit laws of break statistics: the error of an estimated break date, and the largest of many Chow statistics."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from scipy.linalg import eigh
from scipy.optimize import brentq
from scipy.special import eval_jacobi, gammaln, log_ndtr, ndtr, roots_jacobi

_BASIS = 48
_TAIL_START = 1e-8  # below it one less a sum of probabilities has too few digits left


def argmax_tail(distance: float, *, drift: float, scale: float, other_rate: float) -> float:
    """Return the probability that a two-sided walk peaks on one side, farther than `distance` from its origin.

    Parameters
    ----------
    distance : float
        Not negative.
    drift, scale : float
        On the side asked for, the walk is a Brownian motion with slope -drift and variance scale² a unit of time.
    other_rate : float
        The peak of the other side is exponential with this rate (its own is ``2 drift / scale²``).

    Notes
    -----
    Position and height of the peak of a side have the density (first passage at that height) x (rate of the height's
    exponential law); integrated against the chance that the other side stays lower, over later positions, this leaves
    four normal integrals.

    References
    ----------
    Bai (1997), Review of Economics and Statistics 79, has the same law in another form.
    """
    rate = 2.0 * drift / scale**2
    if distance <= 0:
        return other_rate / (rate + other_rate)
    b, c = drift * distance, scale * math.sqrt(distance)

    def never_before(a: float) -> float:
        return (ndtr(-b / c) + math.exp(-a * b + (a * c) ** 2 / 2 + log_ndtr(b / c - a * c))) / a

    def below(a: float) -> float:
        return (ndtr(-b / c) - math.exp(a * b + (a * c) ** 2 / 2 + log_ndtr(-b / c - a * c))) / a

    level = c * stats.norm.pdf(b / c) - b * ndtr(-b / c)
    total = never_before(rate) - level - never_before(rate + other_rate) + below(other_rate)
    return float(np.clip(rate * total, 0.0, 1.0))


def argmax_quantiles(slope_ratio: float, noise_ratio: float, level: float) -> tuple[float, float] | None:
    """Return the central interval of the peak of Bai's two-sided process, in its own unit of time.

    Parameters
    ----------
    slope_ratio : float
        Regressor moments after over before the break (xi).
    noise_ratio : float
        Noise variance after over before the break ((phi2 / phi1)²).
    level : float

    Returns
    -------
    (float, float) or None
        A negative and a positive quantile; None when so much of the law lies on one side that the interval would not
        hold the origin.
    """
    tail = (1.0 - level) / 2.0
    right = {"drift": slope_ratio / 2.0, "scale": math.sqrt(slope_ratio * noise_ratio), "other_rate": 1.0}
    left = {"drift": 0.5, "scale": 1.0, "other_rate": 1.0 / noise_ratio}
    ends = []
    for side in (left, right):
        if argmax_tail(0.0, **side) <= tail:
            return None
        far = 1.0
        while argmax_tail(far, **side) > tail:
            far *= 2.0
        ends.append(float(brentq(lambda d, side=side: argmax_tail(d, **side) - tail, 0.0, far, xtol=1e-10)))
    return -ends[0], ends[1]


def sup_wald_sf(value: float, restrictions: int, trim: float) -> float:
    """Return the chance that the largest Wald statistic over all dates from `trim` to 1 - `trim` exceeds `value`.

    Parameters
    ----------
    value : float
        Not negative.
    restrictions : int
        Coefficients that may change at the break.
    trim : float
        Share of the sample left out at each end, between 0 and 1/2.

    Notes
    -----
    On the logarithm of r / (1 - r) the limit process is a stationary squared Ornstein-Uhlenbeck radius with chi-square
    margins, watched for ``2 log((1 - trim) / trim)``. The chance that it never reaches the value solves a diffusion
    killed at that height, here by a Galerkin expansion in Jacobi polynomials; no table and no simulation. Very small
    p-values use the expansion for high levels.

    References
    ----------
    Andrews (1993), Econometrica 61; DeLong (1981), Communications in Statistics A10; Estrella (2003), Econometric
    Theory 19.
    """
    duration = 2.0 * math.log((1.0 - trim) / trim)
    half = restrictions / 2.0
    if value <= 0.0:
        return 1.0
    log_density = half * math.log(value / 2.0) - value / 2.0 - gammaln(half)
    high = math.exp(log_density) * (duration * (1.0 - restrictions / value) + 2.0 / value)
    if value > 2.0 * restrictions and high < _TAIL_START:
        return min(1.0, high)
    return float(np.clip(1.0 - _stay_below(value / 2.0, half, duration), stats.chi2.sf(value, restrictions), 1.0))


def _stay_below(height: float, half: float, duration: float) -> float:
    """Return the chance that the diffusion z f'' + (half - z) f', started from its gamma law, stays below `height`.

    With f = exp(z/2) g the basis for g is orthogonal under z^(half - 1), so that no height is badly scaled.
    """
    nodes, weights = roots_jacobi(2 * _BASIS, 0.0, half - 1.0)
    z = height * (nodes + 1.0) / 2.0
    mass = weights * math.exp(half * math.log(height / 2.0) - gammaln(half))
    order = np.arange(_BASIS)[None, :]
    x = nodes[:, None]
    polynomial = eval_jacobi(order, 2.0, half - 1.0, x)
    slope = np.zeros_like(polynomial)
    slope[:, 1:] = (order[:, 1:] + half + 2.0) / 2.0 * eval_jacobi(order[:, 1:] - 1, 3.0, half, x)
    g = polynomial * (1.0 - x)
    f_slope = (slope * (1.0 - x) - polynomial) * (2.0 / height) + g / 2.0
    norm = 1.0 / np.sqrt(mass @ g**2)
    g, f_slope = g * norm, f_slope * norm
    rates, vectors = eigh(f_slope.T @ (f_slope * (mass * z)[:, None]), g.T @ (g * mass[:, None]))
    share = vectors.T @ (g.T @ (mass * np.exp(-z / 2.0)))
    return float(np.sum(np.exp(-rates * duration) * share**2))
