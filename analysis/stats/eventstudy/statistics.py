"""The numbers of an event study: abnormal returns around one event and the test statistics over many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.stats.lagged import Floats

LEAST_ESTIMATION = 20
LEAST_COMMON = 10


@dataclass(frozen=True, slots=True)
class Design:
    """Which sessions estimate and which count, as offsets from the event.

    Attributes
    ----------
    offsets : array of shape (l,)
        Estimation sessions, then window sessions.
    estimating : bool array of shape (l,)
    first : int
        First offset that counts.
    """

    offsets: NDArray[np.int64]
    estimating: NDArray[np.bool_]
    first: int

    def target(self, end: int) -> Floats:
        """Return weights of shape (l,) that cumulate from `first` to `end`; backwards, with sign −1, before it."""
        ahead = (self.offsets >= self.first) & (self.offsets <= end)
        back = (self.offsets < self.first) & (self.offsets > end) & ~self.estimating
        return ahead.astype(np.float64) - back


@dataclass(frozen=True, slots=True)
class Unit:
    """One event of one asset with a fitted normal return.

    Attributes
    ----------
    abnormal : array of shape (l,)
        Return less its prediction; residuals in the estimation window. NaN where missing.
    regressors : array of shape (l, p)
        Zero rows where missing.
    inverse : array of shape (p, p)
        Inverse cross product of the regressors of the estimation window.
    sigma : float
        Residual standard deviation with n − p degrees of freedom.
    """

    event: int
    asset: int
    abnormal: Floats
    regressors: Floats
    inverse: Floats
    sigma: float


class Cumulated(NamedTuple):
    """Cumulative abnormal returns of the units that have every session: indices, raw, standardised and weights."""

    rows: NDArray[np.int64]
    car: Floats
    scar: Floats
    weights: Floats


class Average(NamedTuple):
    """Average over events and its tests; `correlation` is the average implied correlation of two events."""

    nobs: int
    estimate: float
    lower: float
    upper: float
    bmp: float
    bmp_pvalue: float
    adjusted: float
    adjusted_df: float
    adjusted_pvalue: float
    correlation: float


def fit_unit(returns: Floats, market: Floats | None, event: int, asset: int, design: Design) -> Unit | None:
    """Fit the normal return of one asset before one event; None when the estimation window is too thin."""
    at = event + design.offsets
    inside = (at >= 0) & (at < returns.shape[0])
    y = np.where(inside, returns[at.clip(0, returns.shape[0] - 1), asset], np.nan)
    x = np.ones((at.size, 1))
    if market is not None:
        x = np.column_stack([x, np.where(inside, market[at.clip(0, market.size - 1)], np.nan)])
    present = np.isfinite(y) & np.isfinite(x).all(axis=1)
    used = present & design.estimating
    if used.sum() < max(LEAST_ESTIMATION, 0.5 * design.estimating.sum()):
        return None
    x = np.where(present[:, None], x, 0.0)
    gram = x[used].T @ x[used]
    centred = x[used, -1] - x[used, -1].mean()
    if market is not None and centred @ centred <= 1e-20 * gram[-1, -1]:
        return None
    inverse = np.linalg.inv(gram).astype(np.float64)
    abnormal = np.where(present, y - x @ (inverse @ (x[used].T @ y[used])), np.nan)
    residual = float(np.sum(abnormal[used] ** 2))
    if residual <= 1e-20 * float(np.sum(y[used] ** 2)):
        return None
    sigma = math.sqrt(residual / (int(used.sum()) - x.shape[1]))
    return Unit(event, asset, abnormal, x, inverse, sigma)


def fit_units(returns: Floats, market: Floats | None, events: Sequence[int], design: Design) -> list[Unit]:
    """Fit every event of every asset that has enough history."""
    pairs = ((event, asset) for event in events for asset in range(returns.shape[1]))
    found = (fit_unit(returns, market, event, asset, design) for event, asset in pairs)
    return [unit for unit in found if unit is not None]


def cumulate(units: Sequence[Unit], design: Design, end: int) -> Cumulated:
    """Cumulate abnormal returns to `end`, for the units that miss none of the sessions.

    Notes
    -----
    A cumulative abnormal return is a weighted sum of returns: the sessions that count, less what the estimation window
    predicts for them. The length of these weights times sigma is its standard deviation, the prediction-error
    correction of Patell (1976): h + h²/m, and for the market model plus the squared sum of centred market returns.
    """
    target = design.target(end)
    counted = target != 0
    index = [i for i, unit in enumerate(units) if np.isfinite(unit.abnormal[counted]).all()]
    car, weights = np.zeros(len(index)), np.zeros((len(index), target.size))
    for row, i in enumerate(index):
        unit = units[i]
        car[row] = unit.abnormal[counted] @ target[counted]
        used = design.estimating & np.isfinite(unit.abnormal)
        weights[row] = target
        weights[row, used] -= unit.regressors[used] @ (unit.inverse @ (unit.regressors.T @ target))
    spread = np.array([units[i].sigma for i in index]) * np.sqrt(np.sum(weights**2, axis=1))
    scar = np.divide(car, spread, out=np.zeros_like(car), where=spread > 0)
    return Cumulated(np.array(index, dtype=np.int64), car, scar, weights)


def asset_correlation(units: Sequence[Unit], assets: int, design: Design) -> Floats:
    """Return correlations (k, k) of estimation residuals, averaged over events; 1 where two assets share no event."""
    total, count = np.zeros((assets, assets)), np.zeros((assets, assets))
    for i, one in enumerate(units):
        for two in units[i + 1 :]:
            if two.event != one.event:
                break
            pair = np.stack([one.abnormal, two.abnormal])[:, design.estimating]
            pair = pair[:, np.isfinite(pair[0]) & np.isfinite(pair[1])]
            if pair.shape[1] >= LEAST_COMMON and (np.ptp(pair, axis=1) > 0).all():
                total[one.asset, two.asset] += float(np.corrcoef(pair[0], pair[1])[0, 1])
                count[one.asset, two.asset] += 1
    total, count = total + total.T, count + count.T
    rho = np.divide(total, count, out=np.ones_like(total), where=count > 0)
    np.fill_diagonal(rho, 1.0)
    return rho


def implied_correlation(units: Sequence[Unit], found: Cumulated, design: Design, rho: Floats) -> Floats:
    """Return the correlation (u, u) of cumulative abnormal returns when abnormal returns are white in time.

    Notes
    -----
    Two events are correlated as far as their weights fall on the same sessions, times the correlation of their assets.
    Events of one date give exactly the residual correlation of Kolari and Pynnönen (2010).
    """
    at = np.array([units[i].event for i in found.rows])[:, None] + design.offsets
    calendar = np.zeros((at.shape[0], int(np.ptp(at)) + 1))
    np.put_along_axis(calendar, at - at.min(), found.weights, axis=1)
    norm = np.linalg.norm(calendar, axis=1, keepdims=True)
    calendar = np.divide(calendar, norm, out=np.zeros_like(calendar), where=norm > 0)
    asset = np.array([units[i].asset for i in found.rows])
    return (calendar @ calendar.T) * rho[np.ix_(asset, asset)]


def average(car: Floats, scar: Floats, correlation: Floats, level: float) -> Average | None:
    """Average over events and test it; None when the events do not differ or are all the same.

    Notes
    -----
    The t distribution has the degrees of freedom of the sample variance under the implied correlation (Satterthwaite):
    n − 1 for independent or equally correlated events, fewer when events form clusters.
    """
    n = car.size
    mean_correlation = max(0.0, (float(correlation.sum()) - n) / (n * (n - 1)))
    spread = float(scar.std(ddof=1))
    if spread <= 1e-12 * float(np.abs(scar).max()) or mean_correlation >= 1 - 1e-9:
        return None
    inflation = (1 + (n - 1) * mean_correlation) / (1 - mean_correlation)
    centring = np.eye(n) - 1 / n
    centred = centring @ correlation @ centring
    df = min(n - 1.0, float(np.trace(centred)) ** 2 / float(np.sum(centred**2)))
    bmp = float(scar.mean()) * math.sqrt(n) / spread
    adjusted = bmp / math.sqrt(inflation)
    half = float(stats.t.isf((1 - level) / 2, df)) * float(car.std(ddof=1)) * math.sqrt(inflation / n)
    estimate = float(car.mean())
    return Average(
        nobs=n,
        estimate=estimate,
        lower=estimate - half,
        upper=estimate + half,
        bmp=bmp,
        bmp_pvalue=float(2 * stats.t.sf(abs(bmp), n - 1)),
        adjusted=adjusted,
        adjusted_df=df,
        adjusted_pvalue=float(2 * stats.t.sf(abs(adjusted), df)),
        correlation=mean_correlation,
    )


def corrado_rank(abnormal: Floats, counted: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the rank statistic over the counted sessions and its p-value.

    Parameters
    ----------
    abnormal : array of shape (u, t)
        Abnormal returns of the estimation window and the counted sessions; NaN marks a missing value.
    counted : bool array of shape (t,)

    Notes
    -----
    Corrado (1989, eqs. 2-5); ranks divided by one more than their number when values are missing (Corrado and Zivney
    1992) and averaged over several days (Cowan 1992). Ranks add up to a constant, so the test is conservative when the
    counted sessions are many against the estimation window.
    """
    present = np.isfinite(abnormal)
    ranks = stats.rankdata(abnormal, axis=1, nan_policy="omit") / (present.sum(axis=1, keepdims=True) + 1) - 0.5
    number = present.sum(axis=0)
    daily = np.divide(np.where(present, ranks, 0.0).sum(axis=0), number, out=np.zeros(number.size), where=number > 0)
    spread = math.sqrt(float(np.sum(number / abnormal.shape[0] * daily**2)) / int((number > 0).sum()))
    if spread == 0.0:
        return 0.0, 1.0
    statistic = math.sqrt(int(counted.sum())) * float(daily[counted].mean()) / spread
    return statistic, float(2 * stats.norm.sf(abs(statistic)))


def generalised_sign(car: Floats, estimation: Floats) -> tuple[float, float]:
    """Return the generalised sign statistic of Cowan (1992) and its p-value.

    Parameters
    ----------
    car : array of shape (u,)
    estimation : array of shape (u, m)
        Abnormal returns of the estimation window; their share above zero is what the null expects.
    """
    share = float(np.mean(np.nansum(estimation > 0, axis=1) / np.isfinite(estimation).sum(axis=1)))
    if not 0.0 < share < 1.0:
        return 0.0, 1.0
    statistic = (int((car > 0).sum()) - car.size * share) / math.sqrt(car.size * share * (1 - share))
    return statistic, float(2 * stats.norm.sf(abs(statistic)))
