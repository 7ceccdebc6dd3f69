"""Exceedance correlation: the correlation of joint falls and of joint rises, and the test that both are the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.covariance import bartlett_meat, newey_west_lags, quadratic_form
from analysis.stats.lagged import Floats, Ints, as_numbers
from analysis.stats.tails.copula import joint_tail
from analysis.stats.tails.exceedance_result import ExceedanceResult
from analysis.stats.tails.resample import (
    block_weights,
    check_draws,
    mean_block,
    percentile_interval,
    ranks,
    read_pair,
    symmetric_interval,
    unusable,
)

__all__ = ["ExceedanceResult", "exceedance_correlation", "gaussian_exceedance"]

METHOD = "Exceedance correlation"
SCALES = ("standardised", "normal-scores")
THRESHOLDS = (0.0, 0.5, 1.0)
FEWEST_ROWS = 100
FEWEST_JOINT = 20
REFERENCE = (
    "Longin and Solnik (2001), J. Finance 56, 649-676; Ang and Chen (2002), J. Financial Economics 63, 443-494; Hong, "
    "Tu and Zhou (2007), Review of Financial Studies 20, 1547-1581 (test)"
)


def exceedance_correlation(
    x: ArrayLike,
    y: ArrayLike,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    scale: str = "standardised",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    block: float | None = None,
    level: float = 0.95,
) -> ExceedanceResult | Inapplicable:
    """Compare the correlation of joint falls with that of joint rises.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Series on one time grid; rows with a NaN are left out.
    thresholds : sequence of float
        Zero or more standard deviations; those beyond which fewer than 20 rows lie on either side are left out, with a
        warning.
    scale : {"standardised", "normal-scores"}
        Less the mean over the standard deviation, as in the references; or normal scores of ranks, by which skewed
        distributions of the single series are no asymmetry of the link.
    bootstrap : int
        Draws of the stationary bootstrap; 0 for none, and then there are no intervals.
    rng : Generator, optional
    block : float, optional
        Mean block in rows; 5.03 n^(1/4) by default.
    level : float

    Returns
    -------
    ExceedanceResult or Inapplicable

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    A correlation taken over a corner of a distribution differs from that over all rows even if nothing changes: for a
    normal pair it shrinks as the threshold grows. Falls are therefore compared with rises, which any elliptical
    distribution treats alike, and never with the correlation of all rows; `gaussian` shows the mechanical part. J is
    the quadratic form of the differences in their Bartlett long-run variance; each row's influence includes the
    estimated variances of its corner. Standardising and ranking are repeated in every resample.
    Measured at n = 1000, three thresholds and a nominal 5 (200 replications): the chi-squared p-value rejects 15 to 22
    of 100 on standardised and 6 to 12 on normal scores, the bootstrap 5 to 11 and 3 to 8, over elliptical noise and
    GARCH, spillover of volatility and a skewed margin; both reject 99 of 100 on a Clayton copula with θ = 0.7.

    References
    ----------
    Longin and Solnik (2001), J. Finance 56; Ang and Chen (2002), J. Financial Economics 63; Hong, Tu and Zhou (2007),
    Review of Financial Studies 20; Rosenbaum (1961), J. Royal Statistical Society B 23 (moments of a normal corner).

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> x, e = rng.standard_normal((2, 1500))
    >>> exceedance_correlation(x, np.where(x < 0, 0.9, 0.2) * x + e).pvalue < 0.05
    True
    """
    cuts = _cuts(thresholds)
    if scale not in SCALES:
        raise InputError("unknown scale", given=repr(scale), limit=", ".join(SCALES))
    a, b, lost = read_pair(x, y)
    draws = check_draws(bootstrap, rng, level)
    reason = unusable(a, b, FEWEST_ROWS)
    if reason:
        return Inapplicable(method=METHOD, reason=reason)
    order = np.argsort(a, kind="stable"), np.argsort(b, kind="stable")
    one = np.ones((1, a.size), dtype=np.int64)
    z = _scaled(a, b, order, one, scale)
    counts = np.array([[int(mask.sum()) for mask in _corners(z[0][0], z[1][0], c)] for c in cuts])
    kept = counts.min(axis=1) >= FEWEST_JOINT
    if not kept.any():
        return Inapplicable(method=METHOD, reason=f"fewer than {FEWEST_JOINT} joint falls or rises beyond {cuts[0]:g}")
    length = mean_block(block, a.size)
    options = {"scale": scale, "thresholds": cuts[kept], "block": length, "bootstrap": draws, "level": level}
    point = _correlations(*z, one, cuts[kept])[0]
    J = _statistic(z[0][0], z[1][0], point, cuts[kept])
    if J is None:
        return Inapplicable(method=METHOD, reason="the differences between falls and rises have no spread")
    resampled = None
    if draws and rng is not None:
        parts = [
            _correlations(*_scaled(a, b, order, weights, scale), weights, cuts[kept])
            for weights in block_weights(a.size, draws, length, rng)
        ]
        resampled = np.vstack(parts)
        resampled = resampled[np.isfinite(resampled).all(axis=(1, 2))]
    dropped = tuple(f"beyond {c:g} there are fewer than {FEWEST_JOINT} joint falls or rises" for c in cuts[~kept])
    rho = float(np.corrcoef(z[0][0], z[1][0])[0, 1])
    return _report(point, J, resampled, counts[kept], rho, options, a.size, lost, dropped)


def gaussian_exceedance(rho: float, threshold: float) -> float:
    """Return the correlation of a standard normal pair given that both exceed a threshold.

    References
    ----------
    Rosenbaum (1961), J. Royal Statistical Society B 23, 405-408.
    """
    c, rest = float(threshold), 1.0 - rho * rho
    tail = float(special.ndtr(-c))
    mass = joint_tail(rho, tail) * tail
    density = float(stats.norm.pdf(c)) * float(special.ndtr(-c * (1.0 - rho) / math.sqrt(rest)))
    corner = math.sqrt(rest / (2.0 * math.pi)) * float(stats.norm.pdf(c * math.sqrt(2.0 / (1.0 + rho))))
    first = (1.0 + rho) * density / mass
    second = 1.0 + ((1.0 + rho * rho) * c * density + rho * corner) / mass
    product = rho + (2.0 * rho * c * density + corner) / mass
    return (product - first * first) / (second - first * first)


def _cuts(thresholds: Sequence[float]) -> Floats:
    cuts = np.atleast_1d(as_numbers(thresholds, "thresholds"))
    if cuts.ndim != 1 or cuts.size == 0 or not (np.isfinite(cuts) & (cuts >= 0)).all():
        raise InputError("thresholds are distances from the mean", given=thresholds, limit="zero or more each")
    if np.unique(cuts).size != cuts.size:
        raise InputError("a threshold is given twice", given=tuple(cuts))
    return np.sort(cuts)


def _scaled(a: Floats, b: Floats, order: tuple[Ints, Ints], weights: Ints, scale: str) -> tuple[Floats, Floats]:
    """Return both series on the scale of the thresholds in every weighted sample, shape (draws, n) each."""
    if scale == "normal-scores":
        return special.ndtri(ranks(order[0], weights)), special.ndtri(ranks(order[1], weights))
    first, second = (_standardised(series, weights) for series in (a, b))
    return first, second


def _standardised(series: Floats, weights: Ints) -> Floats:
    centred = series - series.mean()
    n = weights.sum(axis=1)
    mean = weights @ centred / n
    spread = np.sqrt(weights @ (centred * centred) / n - mean * mean)
    return np.asarray((centred - mean[:, None]) / spread[:, None])


def _corners(z1: Floats, z2: Floats, c: float) -> tuple[np.ndarray, np.ndarray]:
    return (z1 < -c) & (z2 < -c), (z1 > c) & (z2 > c)


def _correlations(z1: Floats, z2: Floats, weights: Ints, cuts: Floats) -> Floats:
    """Return correlations of weighted samples, shape (draws, m, 2): falls and rises beyond each threshold."""
    out = np.empty((len(weights), cuts.size, 2))
    for draw in range(len(weights)):
        rows = np.flatnonzero((weights[draw] > 0) & (z1[draw] * z2[draw] > 0))
        x, y, w = z1[draw, rows], z2[draw, rows], weights[draw, rows].astype(np.float64)
        for i, c in enumerate(cuts):
            for j, mask in enumerate(_corners(x, y, float(c))):
                out[draw, i, j] = _correlation(x[mask], y[mask], w[mask])
    return out


def _correlation(x: Floats, y: Floats, w: Floats) -> float:
    total = float(w.sum())
    if total < 3:
        return math.nan
    x, y = x - w @ x / total, y - w @ y / total
    spread = math.sqrt(float(w @ (x * x)) * float(w @ (y * y)))
    return float(w @ (x * y)) / spread if spread > 0 else math.nan


def _statistic(z1: Floats, z2: Floats, point: Floats, cuts: Floats) -> tuple[float, Floats] | None:
    """Return J and the long-run covariance (m, m) of the differences; None where that is singular."""
    influence = np.column_stack(
        [
            _influence(z1, z2, falls, float(point[i, 0])) - _influence(z1, z2, rises, float(point[i, 1]))
            for i, c in enumerate(cuts)
            for falls, rises in (_corners(z1, z2, float(c)),)
        ]
    )
    n = len(z1)
    covariance = bartlett_meat(influence / n, np.arange(n), newey_west_lags(n))
    J = quadratic_form(point[:, 0] - point[:, 1], covariance)
    return None if J is None else (J, covariance)


def _influence(z1: Floats, z2: Floats, mask: np.ndarray, rho: float) -> Floats:
    """Return the influence (n,) of every row on the correlation in a corner."""
    out = np.zeros(len(z1))
    x, y = z1[mask] - z1[mask].mean(), z2[mask] - z2[mask].mean()
    x, y = x / x.std(), y / y.std()
    out[mask] = (x * y - rho / 2.0 * (x * x + y * y)) / mask.mean()
    return out


def _report(
    point: Floats,
    statistic: tuple[float, Floats],
    resampled: Floats | None,
    counts: Ints,
    rho: float,
    options: dict[str, Any],
    n: int,
    lost: int,
    warnings: tuple[str, ...],
) -> ExceedanceResult:
    J, covariance = statistic
    cuts, level = np.asarray(options["thresholds"]), float(options["level"])
    gap = point[:, 0] - point[:, 1]
    estimate = float(gap.mean())
    found: dict[str, Any] = {"falls_interval": None, "rises_interval": None}
    if resampled is not None:
        gaps = resampled[:, :, 0] - resampled[:, :, 1]
        stray = [quadratic_form(row, covariance) for row in gaps - gap]
        exceeding = sum(1 for value in stray if value is None or value >= J)
        bounds = np.array(
            [
                [percentile_interval(resampled[:, i, j], float(point[i, j]), level) for j in range(2)]
                for i in range(cuts.size)
            ]
        )
        found = {
            "interval": symmetric_interval(gaps.mean(axis=1), estimate, level),
            "falls_interval": bounds[:, 0],
            "rises_interval": bounds[:, 1],
            "bootstrap_pvalue": (1.0 + exceeding) / (1.0 + len(gaps)),
            "block": float(options["block"]),
            "bootstrap_draws": len(gaps),
        }
    return ExceedanceResult(
        **found,
        method=f"{METHOD}, {options['scale']}",
        null="joint falls are correlated as strongly as joint rises",
        alternative="one of them is correlated more strongly at some threshold",
        statistic=J,
        pvalue=float(stats.chi2.sf(J, cuts.size)),
        distribution="chi2",
        df=(float(cuts.size),),
        estimate=estimate,
        estimate_name="correlation of joint falls less that of joint rises, mean over thresholds",
        interval_level=level,
        nobs=n,
        nobs_lost=lost,
        options=options | {"thresholds": tuple(float(c) for c in cuts)},
        warnings=warnings,
        reference=REFERENCE,
        thresholds=cuts,
        falls=point[:, 0],
        rises=point[:, 1],
        gaussian=np.array([gaussian_exceedance(rho, float(c)) for c in cuts]),
        falls_nobs=counts[:, 0],
        rises_nobs=counts[:, 1],
        correlation=rho,
    )
