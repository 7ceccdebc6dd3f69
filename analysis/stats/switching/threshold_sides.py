"""Coefficients on either side of an estimated split, and the set of levels that are not rejected as the split."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.stats.lagged import Bools, Floats
from analysis.stats.regression import ols, restriction_covariance


@dataclass(frozen=True, slots=True)
class Sides:
    """The cause's coefficients (2, p), their sums and interval half-widths (2,), and what the split changes.

    `interval` belongs to the difference of the sums; `residuals` (n,) and `change` (n,), the fitted difference between
    the regimes row by row, serve the confidence set.
    """

    coefficients: Floats
    sums: Floats
    half: Floats
    interval: tuple[float, float]
    residuals: Floats
    change: Floats


def two_sides(tested: Floats, kept: Floats, y: Floats, above: Bools, *, all_switch: bool, level: float) -> Sides | None:
    """Fit both sides in one regression (HC3); None when the regressors are collinear on a side."""
    up = above[:, None].astype(np.float64)
    p = tested.shape[1]
    others = np.column_stack([kept * (1.0 - up), kept * up]) if all_switch else kept
    fit = ols(np.column_stack([tested * (1.0 - up), tested * up, others]), y)
    if fit is None or float(fit.leverage.max()) > 1.0 - 1e-9:
        return None
    b = fit.coefficients
    R = np.zeros((3, b.size))
    R[0, p : 2 * p], R[0, :p] = 1.0, -1.0
    R[1, :p] = 1.0
    R[2, p : 2 * p] = 1.0
    V = restriction_covariance(fit, R, fit.residuals[None, :], "HC3")[0]
    half = float(stats.t.isf((1.0 - level) / 2.0, fit.df_resid)) * np.sqrt(np.diag(V))
    total = R @ b
    change = tested @ (b[p : 2 * p] - b[:p])
    if all_switch:
        m = kept.shape[1]
        change = change + kept @ (b[2 * p + m :] - b[2 * p : 2 * p + m])
    return Sides(
        coefficients=b[: 2 * p].reshape(2, p),
        sums=total[1:],
        half=half[1:],
        interval=(float(total[0] - half[0]), float(total[0] + half[0])),
        residuals=fit.residuals,
        change=change,
    )


def confidence_set(q: Floats, levels: Floats, rss: Floats, sides: Sides, level: float) -> Bools:
    """Return which candidate levels are not rejected as the split (Hansen 2000, sections 3.3 and 3.4).

    Notes
    -----
    The likelihood ratio ``n (S(γ) - S(γ̂)) / S(γ̂)`` over η² has the law ``(1 - exp(-x/2))²``; η² compares the squared
    change times squared error with its value under one variance, both at the split by a kernel regression on q.
    """
    best = int(np.argmin(rss))
    variance = float(np.mean(sides.residuals**2))
    width = 2.344 * q.size ** (-0.2) * float(q.std())
    u = (q - levels[best]) / width
    weight = np.where(np.abs(u) < 1.0, 0.75 * (1.0 - u**2), 0.0)
    squares = sides.change**2
    plain = float(weight @ squares)
    eta = float(weight @ (squares * sides.residuals**2)) / (variance * plain) if plain > 0.0 else 1.0
    ratio = (rss - rss[best]) / variance / max(eta, 1e-12)
    return np.asarray(ratio <= split_critical_value(level))


def split_critical_value(level: float) -> float:
    """Return the largest likelihood ratio of a level that is not rejected (Hansen 2000, Table I)."""
    return -2.0 * math.log(1.0 - math.sqrt(level))
