"""The cross-quantilogram: correlation between two series' visits to the range below a quantile, at signed lags."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.crosscorr import MINIMUM_PAIRS
from analysis.stats.lagged import Floats, Ints, as_columns, check_lags, lag_columns, same_index
from analysis.stats.quantile.checks import check_pair, coarse_draws, hit_share, only_hits, tied_hits

METHOD = "cross-quantilogram"
REFERENCE = (
    "Han, Linton, Oka and Whang (2016), Journal of Econometrics 193, sections 2 and 3 (stationary bootstrap); "
    "Linton and Whang (2007), Journal of Econometrics 141"
)
LEVEL = 0.95
LEAST_HITS = 5.0  # expected of each series, counted on the rarer side of its quantile
LEAST_JOINT_HITS = 0.5  # expected of both; with .1 the p-value rejects up to 27 % of true nulls at 5 %
FEW_JOINT_HITS = 1.5  # below it the p-value rejects up to 10 %


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossQuantilogramResult(TestResult):
    """A test that falls of y to its quantile do not announce falls of x to its own.

    Attributes
    ----------
    statistic, pvalue
        Sum over lags 1..max_lag of pairs(k) * estimate(k)^2 with its chi-square p-value, right when the hits of one
        series are serially independent; otherwise read `bootstrap_pvalue`. Not `ljung_box`: each estimate is already
        divided by the norms of its own pairs, so a weight for lost pairs would count them twice.
    estimate : ndarray of shape (max_lag,)
        Correlation of x's hits at t with y's hits at t-k, k = 1..max_lag: y leads.
    box_pierce, ljung_box : float
        Summed over all lags, as published; without a p-value of their own, for they reject too often at many lags.
    null_lower, null_upper : ndarray of shape (max_lag,) or None
        Pointwise band in which the estimate lies with the given level when there is no link.
    lower, upper : ndarray of shape (max_lag,) or None
        Pointwise basic-bootstrap interval around the estimate.
    bootstrap_pvalue, bootstrap_standard_error : float or None
        Of the Box-Pierce form: (1 + b) / (1 + B), and its Monte Carlo error.
    bootstrap_draws : int
    block_length : float or None
        Mean block of the stationary bootstrap, in rows.
    """

    estimate: Any
    quantiles: tuple[float, float]
    box_pierce: float
    ljung_box: float
    null_lower: Floats | None = None
    null_upper: Floats | None = None
    lower: Floats | None = None
    upper: Floats | None = None
    bootstrap_pvalue: float | None = None
    bootstrap_standard_error: float | None = None
    bootstrap_draws: int = 0
    block_length: float | None = None

    def summary(self) -> str:
        """Return the test as text, with one line a lag."""
        lines = [self.method, f"  H0: {self.null}", f"  H1: {self.alternative}"]
        lines.append(f"  chi2({self.df[0]:g}) = {self.statistic:.6g}, p = {self.pvalue:.4g}")
        lines.append(f"  Box-Pierce = {self.box_pierce:.6g}, Ljung-Box = {self.ljung_box:.6g}")
        if self.bootstrap_pvalue is not None:
            lines.append(
                f"  stationary bootstrap p = {self.bootstrap_pvalue:.4g} "
                f"(Monte Carlo error {self.bootstrap_standard_error:.2g}, {self.bootstrap_draws} draws)"
            )
        for k, value in enumerate(self.estimate, start=1):
            band = ""
            if self.null_lower is not None and self.null_upper is not None:
                band = f", null band [{self.null_lower[k - 1]:.4g}, {self.null_upper[k - 1]:.4g}]"
            lines.append(f"  lag {k}: {value:.6g}{band}")
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost)")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        lines.append(f"  Reference: {self.reference}")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lag."""
        bands = {name: getattr(self, name) for name in ("null_lower", "null_upper", "lower", "upper")}
        return pd.DataFrame({"lag": np.arange(1, len(self.estimate) + 1), "estimate": self.estimate} | bands)


def cross_quantilogram(
    x: ArrayLike,
    y: ArrayLike,
    *,
    quantiles: tuple[float, float],
    max_lag: int,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    block_length: float | None = None,
    x_name: str = "x",
    y_name: str = "y",
) -> CrossQuantilogramResult | Inapplicable:
    """Correlate x's being at or below its quantile at t with y's being so at t-k, k = 1..max_lag.

    Parameters
    ----------
    x, y : array of shape (n,)
        In time order; x is read at t and y at t-k, so a link means that *y leads x*. NaN marks a missing observation; a
        pair is used only when both its values are present.
    quantiles : (float, float)
        Of x and of y, strictly between 0 and 1; sample quantiles are Hyndman and Fan's type 7.
    max_lag : int
    bootstrap : int
        Draws of the stationary bootstrap (Politis and Romano 1994) of the rows (x_t, y_{t-1}, .., y_{t-max_lag}).
    rng : numpy.random.Generator, optional
        Needed when `bootstrap` > 0.
    block_length : float, optional
        Mean block in rows; default the larger optimal length of the two series of hits (Patton, Politis, White 2009).
    x_name, y_name : str

    Returns
    -------
    CrossQuantilogramResult or Inapplicable
        Inapplicable when a lag has fewer than 20 pairs, when fewer than 5 hits of a series or half a joint hit are
        expected (on the rarer side of each quantile), or when values repeat too often at a quantile; see the notes.

    Raises
    ------
    InputError
        For wrong shapes, quantiles outside (0, 1), infinite values, or a bootstrap without generator.

    Notes
    -----
    Hits are centred at the quantile, as published. Where a value repeats at the quantile, more rows than that lie at or
    below it, and two such series show the product of both excesses as a correlation at every lag, in the bootstrap
    too. The rejections at 5 % this gives without a link follow from the shares, the pairs and the lags (a noncentral
    chi-square; within Monte Carlo error of what simulations with up to 30 % zeros and with rounded values give): above
    7.5 % the test is refused, above 5.5 % there is a warning. With ties in one series alone the test rejects too
    rarely; it is refused when its mean hit exceeds a third of their root mean square (at the median, 67 % at or below
    instead of 50 %), with a warning from a tenth on.

    Rejections at 5 % of independent series: 3 to 7 % from 1.5 expected joint hits on with 2 to 20 lags, 5 to 6.5 %
    with 50 lags and more from 2.5 joint hits on (n = 300, quantile .1: 5.1 % with 50 lags, 5.8 % with 280; the
    Ljung-Box form 28 and 100 %). Below 1.5 joint hits up to 10 %, which is a warning. A single lag counts few hits and
    is coarse: 2 to 10 %.

    References
    ----------
    Han, Linton, Oka and Whang (2016), Journal of Econometrics 193.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> y = rng.standard_normal(500)
    >>> x = np.r_[0.0, y[:-1]] + rng.standard_normal(500)
    >>> bool(cross_quantilogram(x, y, quantiles=(0.1, 0.1), max_lag=3).estimate[0] > 0.2)
    True
    """
    same_index(x=x, y=y)
    first, second = _one(x, "x"), _one(y, "y")
    if len(first) != len(second):
        raise InputError("x and y differ in length", given=(len(first), len(second)), remedy="align the series first")
    a, b = check_pair(quantiles)
    K, draws = check_lags(max_lag, name="max_lag"), check_lags(bootstrap, name="bootstrap", least=0)
    if draws and not isinstance(rng, np.random.Generator):
        raise InputError(
            "a bootstrap needs its random generator", given=rng, remedy="pass rng=np.random.default_rng(seed)"
        )
    present = np.isfinite(first) & np.isfinite(second)
    n = int(present.sum())
    if n <= K + 2:
        return Inapplicable(method=METHOD, reason=f"{n} rows with both series are too few for {K} lags")
    u, v = _hits(first, a), _hits(second, b)
    products = u[:, None] * lag_columns(v[:, None], range(1, K + 1))
    shifted = lag_columns(v[:, None], range(1, K + 1))
    pairs = np.isfinite(products)
    above = np.where(pairs, products, 0.0).sum(axis=0)
    below_u = np.where(pairs, np.square(u)[:, None], 0.0).sum(axis=0)
    below_v = np.where(pairs, np.square(shifted), 0.0).sum(axis=0)
    counts = pairs.sum(axis=0)
    shares = hit_share(first, a, x_name), hit_share(second, b, y_name)
    reason, notice = tied_hits(shares, counts)
    reason = only_hits(shares) or _scarce(counts, n, (a, b), (x_name, y_name)) or reason
    if reason:
        return Inapplicable(method=METHOD, reason=reason)
    joint = _joint_hits(counts, (a, b))
    few = f"about {joint:.2g} joint hits are expected without a link: the p-value is coarse and rejects too often"
    rho = above / np.sqrt(below_u * below_v)
    box_pierce = float(n * np.square(rho).sum())
    ljung_box = float(n * (n + 2) * (np.square(rho) / counts).sum())
    statistic = float((counts * np.square(rho)).sum())
    extra: dict[str, Any] = {}
    if draws and rng is not None:
        bands = _bands(first, second, (u, v), (a, b), rho, box_pierce, n, draws, rng, block_length)
        if isinstance(bands, str):
            return Inapplicable(method=METHOD, reason=bands)
        extra = bands
    dependent = "the chi-square p-value needs serially independent hits in one series; pass bootstrap= otherwise"
    return CrossQuantilogramResult(
        method=METHOD,
        null=f"{y_name} at or below its quantile {b:g} does not announce {x_name} at or below its quantile {a:g}",
        alternative=f"at some lag 1 to {K} it does, or it rules it out",
        statistic=statistic,
        pvalue=float(stats.chi2.sf(statistic, K)),
        distribution="chi2",
        df=(float(K),),
        estimate=rho,
        estimate_name=f"correlation of hits of {x_name} at t and {y_name} at t-k",
        interval_level=LEVEL,
        nobs=n,
        nobs_lost=len(first) - n,
        lags=K,
        options={"max_lag": K, "quantile_type": 7, "bootstrap": draws},
        warnings=(
            *([notice] if notice else []),
            *([few] if joint < FEW_JOINT_HITS else []),
            *(coarse_draws(draws) if draws else (dependent,)),
        ),
        reference=REFERENCE,
        quantiles=(a, b),
        box_pierce=box_pierce,
        ljung_box=ljung_box,
        **extra,
    )


def _one(values: ArrayLike, name: str) -> Floats:
    column = as_columns(values, name)
    if column.shape[1] != 1:
        raise InputError(f"{name} must be one series", given=column.shape)
    return column[:, 0]


def _scarce(counts: Ints, n: int, quantiles: tuple[float, float], names: tuple[str, str]) -> str:
    """Return why pairs or hits are too few; empty when they are not."""
    if counts.min() < MINIMUM_PAIRS:
        return (
            f"the lag {int(counts.argmin()) + 1} has {counts.min()} pairs of observations, fewer than {MINIMUM_PAIRS}"
        )
    rare = [min(quantile, 1 - quantile) for quantile in quantiles]
    for name, quantile, side in zip(names, quantiles, rare, strict=True):
        if n * side < LEAST_HITS:
            few = f"about {n * side:.2g} of {n} rows of {name} lie beyond its quantile {quantile:g}"
            return f"{few}, fewer than {LEAST_HITS:g}; take a quantile nearer the middle"
    joint = _joint_hits(counts, quantiles)
    if joint < LEAST_JOINT_HITS:
        return (
            f"about {joint:.2g} of {counts.max()} pairs are expected beyond both quantiles without a link, fewer than "
            f"{LEAST_JOINT_HITS:g}; take quantiles nearer the middle"
        )
    return ""


def _joint_hits(counts: Ints, quantiles: tuple[float, float]) -> float:
    """Return how many pairs are expected beyond both quantiles without a link, on the rarer side of each."""
    return float(counts.max()) * math.prod(min(quantile, 1 - quantile) for quantile in quantiles)


def _hits(values: Floats, quantile: float) -> Floats:
    """Return 1[value <= its sample quantile] - quantile; NaN stays NaN."""
    present = np.isfinite(values)
    out = np.full(len(values), np.nan)
    out[present] = (values[present] <= np.quantile(values[present], quantile)) - quantile
    return out


def _bands(
    x: Floats,
    y: Floats,
    hits: tuple[Floats, Floats],
    quantiles: tuple[float, float],
    rho: Floats,
    box_pierce: float,
    n: int,
    draws: int,
    rng: np.random.Generator,
    block_length: float | None,
) -> dict[str, Any] | str:
    """Return bootstrap bands and p-value; the reason in words when whole rows are too few."""
    rows = np.hstack([x[:, None], lag_columns(y[:, None], range(1, len(rho) + 1))])
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) < 20:
        return f"{len(rows)} whole rows are too few for the bootstrap"
    mean_block = _block_length(hits) if block_length is None else float(block_length)
    if not 1.0 <= mean_block < len(rows):
        raise InputError("block_length is a mean number of rows", given=mean_block, limit=f"1 to {len(rows)}")
    star = resampled_quantilograms(rows, quantiles, stationary_indices(len(rows), mean_block, draws, rng))
    deviation = star - rho
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(deviation, [tail, 1 - tail], axis=0)
    exceed = int((n * np.square(deviation).sum(axis=1) >= box_pierce).sum())
    pvalue = (1 + exceed) / (1 + draws)
    return {
        "null_lower": low,
        "null_upper": high,
        "lower": rho - high,
        "upper": rho - low,
        "bootstrap_pvalue": pvalue,
        "bootstrap_standard_error": math.sqrt(pvalue * (1 - pvalue) / draws),
        "bootstrap_draws": draws,
        "block_length": mean_block,
    }


def _block_length(hits: tuple[Floats, Floats]) -> float:
    from arch.bootstrap import optimal_block_length

    found = [float(optimal_block_length(item[np.isfinite(item)])["stationary"].iloc[0]) for item in hits]
    return max(1.0, *found)


def stationary_indices(n: int, mean_block: float, draws: int, rng: np.random.Generator) -> Ints:
    """Return (draws, n) row indices of the stationary bootstrap: blocks of geometric length on a circle."""
    fresh = rng.random((draws, n)) < 1.0 / mean_block
    fresh[:, 0] = True
    starts = rng.integers(0, n, (draws, n))
    place = np.where(fresh, np.arange(n), 0)
    np.maximum.accumulate(place, axis=1, out=place)
    return (np.take_along_axis(starts, place, axis=1) + np.arange(n) - place) % n


def resampled_quantilograms(rows: Floats, quantiles: tuple[float, float], indices: Ints) -> Floats:
    """Return (draws, K) cross-quantilograms of resampled rows (x_t, y_{t-1}, .., y_{t-K}), quantiles taken anew."""
    width = rows.shape[1]
    a, b = quantiles
    order = np.sort(rows, axis=0)
    ranks = np.column_stack([np.searchsorted(order[:, c], rows[:, c]) for c in range(width)])
    out = np.empty((len(indices), width - 1))
    for draw, index in enumerate(indices):
        u = _rank_hits(ranks[index, 0], a)
        for k in range(1, width):
            v = _rank_hits(ranks[index, k], b)
            out[draw, k - 1] = (u @ v) / math.sqrt((u @ u) * (v @ v))
    return out


def _rank_hits(ranks: Ints, quantile: float) -> Floats:
    """Return hits of a resample given ranks into the sorted sample: a type 7 quantile by counting, without sorting."""
    n = len(ranks)
    below = np.cumsum(np.bincount(ranks, minlength=n))
    # A value is at most the interpolated quantile exactly when it is at most the lower of the two order statistics.
    hits = ranks <= np.searchsorted(below, math.floor((n - 1) * quantile), side="right")
    return hits.astype(np.float64) - quantile
