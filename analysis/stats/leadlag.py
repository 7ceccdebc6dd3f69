"""Who leads whom: the ratio of squared cross-correlations on the two sides of lag zero, with an honest interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.results import Inapplicable, TestResult
from analysis.stats.crosscorr import cross_correlation, mean_to_correlation, read_pair
from analysis.stats.regression import lag_columns, positive_integer, require_generator, sign_blocks

METHOD = "Lead-lag ratio"
REFERENCE = "Huth and Abergel (2014), J. Empirical Finance 26, 41-58"
MINIMUM_DRAWS = 99
ANGLES = np.linspace(0.0, np.pi / 2.0, 181)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeadLagRatio(TestResult):
    """How much more one series leads the other than it is led; a ratio above 1 means that y leads.

    Attributes
    ----------
    sum_y_leads, sum_x_leads : float
        Sums of squared correlations over lags 1 … m and -m … -1; `estimate` is their ratio, `statistic` their
        difference.
    pvalue_error : float
        Monte Carlo standard error of the p-value.
    """

    sum_y_leads: float
    sum_x_leads: float
    pvalue_error: float


def lead_lag_ratio(
    x: Any,
    y: Any,
    *,
    max_lag: int,
    bootstrap: int = 999,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> LeadLagRatio | Inapplicable:
    """Estimate LLR = Σ_{k=1..m} ρ(k)² / Σ_{k=1..m} ρ(-k)² and test that the two sides are equally strong.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Two serially uncorrelated series on one time grid, such as returns or the residuals of
        `prewhitened_correlation`. NaN marks a missing value; a gap is never bridged.
    max_lag : int
        The largest lag m.
    bootstrap : int
        Draws of the wild bootstrap, at least 99.
    rng : Generator
        Needed.
    level : float
        Level of the interval.

    Returns
    -------
    LeadLagRatio or Inapplicable
        Inapplicable when a lag has fewer than 20 pairs or a series is constant.

    Raises
    ------
    InputError
        On wrong shapes, infinite values, options outside their range or a missing generator.

    Notes
    -----
    The hypothesis LLR = tan²θ is tested by D = cos²θ Σρ(k)² - sin²θ Σρ(-k)² against a wild bootstrap that imposes it:
    the centres are sinθ q_k and cosθ q_k with q_k = sinθ |ρ(k)| + cosθ |ρ(-k)|, all shrunk by the part of Σq² that
    their sampling error explains, and one Rademacher sign a date multiplies the centred products of all lags. The test
    of equality is the one at θ = π/4 and the interval holds every θ that is not rejected, so 0 and infinity can be its
    ends. Noise that is larger on one side, as with volatility spillover, is so on the draws too. Where neither side
    leads, the test is conservative and the ratio is one of two noises: read it with the cumulative tests in
    `cross_correlation`.

    References
    ----------
    Huth and Abergel (2014), J. Empirical Finance 26, 41-58 (the ratio); the bootstrap test is this package's own.

    Examples
    --------
    >>> z = np.random.default_rng(1).standard_normal(301)
    >>> result = lead_lag_ratio(z[:-1], z[1:], max_lag=2, bootstrap=99, rng=np.random.default_rng(2))
    >>> result.estimate > 10
    True
    """
    m = positive_integer("max_lag", max_lag)
    draws = require_generator(positive_integer("bootstrap", bootstrap, at_least=MINIMUM_DRAWS), rng)
    found = cross_correlation(x, y, max_lag=m, level=level)
    if isinstance(found, Inapplicable) or rng is None:
        return Inapplicable(method=METHOD, reason=found.reason if isinstance(found, Inapplicable) else "no rng")
    sizes = np.abs(found.estimate[m + 1 :]), np.abs(found.estimate[:m][::-1])
    sums = float(sizes[0] @ sizes[0]), float(sizes[1] @ sizes[1])
    if min(sums) <= 0.0:
        return Inapplicable(method=METHOD, reason="on one side every correlation is exactly zero")
    terms = _noise_terms(*read_pair(x, y), m)
    signs = list(sign_blocks(rng, draws, terms[0].shape[0]))
    noise = tuple(np.concatenate([block @ side for block in signs]) for side in terms)
    errors = (terms[0] ** 2).sum(axis=0), (terms[1] ** 2).sum(axis=0)
    pvalue = _ratio_pvalue(math.pi / 4.0, sizes, errors, noise)
    kept = [a for a in ANGLES.tolist() if _ratio_pvalue(a, sizes, errors, noise) > 1.0 - level]
    centre = math.atan2(math.sqrt(sums[0]), math.sqrt(sums[1]))
    ends = min([centre, *kept]), max([centre, *kept])
    return LeadLagRatio(
        method=METHOD,
        null="y leads x as strongly as x leads y: the ratio is 1",
        alternative="one series leads the other more than it is led",
        statistic=sums[0] - sums[1],
        pvalue=pvalue,
        distribution="bootstrap",
        estimate=sums[0] / sums[1],
        estimate_name="sum of squared correlations, y leading over x leading",
        interval=(math.tan(ends[0]) ** 2, math.tan(ends[1]) ** 2 if ends[1] < math.pi / 2.0 else math.inf),
        interval_level=level,
        nobs=int(found.nobs[m]),
        nobs_lost=found.nobs_lost,
        lags=m,
        options={"max_lag": m, "bootstrap": draws, "level": level},
        reference=REFERENCE,
        sum_y_leads=sums[0],
        sum_x_leads=sums[1],
        pvalue_error=math.sqrt(pvalue * (1.0 - pvalue) / draws),
    )


def _noise_terms(x: np.ndarray, y: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what each date adds to the error of ρ(1 … m) and of ρ(-1 … -m), shape (n, m), zero where missing."""
    x, y = x - np.nanmean(x), y - np.nanmean(y)
    terms = []
    for led, leader in ((x, y), (y, x)):
        products = led[:, None] * lag_columns(leader[:, None], m)
        pairs = np.isfinite(products).sum(axis=0)
        scale = mean_to_correlation(x, y, np.arange(1, m + 1), pairs)
        terms.append(np.nan_to_num(products - np.nanmean(products, axis=0), nan=0.0) * scale)
    return terms[0], terms[1]


def _ratio_pvalue(
    angle: float,
    sizes: tuple[np.ndarray, ...],
    errors: tuple[np.ndarray, ...],
    noise: tuple[np.ndarray, ...],
) -> float:
    """Equal-tailed bootstrap p-value of the hypothesis that the ratio is tan² of the angle."""
    sin, cos = math.sin(angle), math.cos(angle)
    common = sin * sizes[0] + cos * sizes[1]
    explained = float((sin**2 * errors[0] + cos**2 * errors[1]).sum())
    common = common * math.sqrt(max(0.0, 1.0 - explained / float(common @ common)))
    lead = ((sin * common + noise[0]) ** 2).sum(axis=1)
    back = ((cos * common + noise[1]) ** 2).sum(axis=1)
    observed = cos**2 * float(sizes[0] @ sizes[0]) - sin**2 * float(sizes[1] @ sizes[1])
    null = cos**2 * lead - sin**2 * back
    tail = min(np.count_nonzero(null >= observed), np.count_nonzero(null <= observed))
    return min(1.0, 2.0 * (1.0 + float(tail)) / (1.0 + null.size))
