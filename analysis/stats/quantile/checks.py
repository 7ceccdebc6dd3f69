"""What the quantile methods check alike: the quantiles asked for, values repeated at a quantile, number of draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.stats.lagged import Floats, Ints, as_numbers
from analysis.stats.quantile.regression import fit_quantile, residual_window

LEVEL = 0.05  # of the rejection rates that the limits below keep
SIZE_LIMIT = 0.075  # rejections at LEVEL without a link, from the offsets of both series together
SIZE_NOTICE = 0.055
OFFSET_LIMIT = 1 / 3  # of the hits of one series, in their root mean square
OFFSET_NOTICE = 0.1
CROWD_LIMIT = 0.9  # share of the density's weight on one value beyond which the bootstrap does not hold either
CROWD_LIMIT_SIMULATED = 0.3  # the same for the simulated null
CROWD_NOTICE = 0.1
FLAT = 0.25  # share of rows with one value that explains a density that cannot be estimated
REPEATED = 0.01  # share of rows with one value below which nothing can crowd a density


def check_quantiles(quantiles: Sequence[float]) -> Floats:
    """Return the quantiles as an array; raises InputError unless they increase strictly inside (0, 1)."""
    taus = _numbers(quantiles)
    if taus.size == 0:
        raise InputError("no quantile was given", limit="at least one, strictly between 0 and 1")
    _check_inside(taus)
    if (np.diff(taus) <= 0).any():
        raise InputError(
            "quantiles must increase strictly", given=_plain(taus), limit="each once, smallest first, e.g. 0.1, 0.5"
        )
    return taus


def check_pair(quantiles: tuple[float, float]) -> tuple[float, float]:
    """Return the quantiles of two series; raises InputError unless both lie strictly inside (0, 1)."""
    pair = _numbers(quantiles)
    if pair.size != 2:
        raise InputError(
            "quantiles must be a pair, one for x and one for y",
            given=_plain(pair),
            limit="two numbers, each strictly between 0 and 1",
        )
    _check_inside(pair)
    return float(pair[0]), float(pair[1])


def _numbers(quantiles: ArrayLike) -> Floats:
    try:
        found = np.atleast_1d(as_numbers(quantiles, "quantiles"))
    except InputError:
        found = np.empty((0, 0))
    if found.ndim != 1:
        raise InputError(
            "quantiles must be a flat list of numbers", given=quantiles, limit="each strictly between 0 and 1"
        )
    return found


def _check_inside(taus: Floats) -> None:
    if not ((taus > 0) & (taus < 1)).all():
        raise InputError(
            "quantiles must lie inside the unit interval",
            given=_plain(taus),
            limit="strictly between 0 and 1, both excluded",
        )


def _plain(taus: Floats) -> str:
    return "(" + ", ".join(f"{value:g}" for value in taus) + ")"


def coarse_draws(draws: int) -> tuple[str, ...]:
    """Return a warning when so few draws cannot give a p-value below 5 %; nothing for no draws at all."""
    if draws == 0 or (draws + 1) * LEVEL >= 1:
        return ()
    return (
        f"{draws} draws cannot give a p-value below {1 / (draws + 1):.2g}, so the bootstrap cannot reject at "
        f"{LEVEL:.0%}; take 99 or more",
    )


@dataclass(frozen=True, slots=True)
class HitShare:
    """Share of a series at or below its sample quantile, and the value there with the share of rows that repeat it."""

    name: str
    quantile: float
    share: float
    value: float
    tied: float

    @property
    def offset(self) -> float:
        """Mean of the hits (centred at the quantile) in units of their root mean square; 0 without ties, in large n."""
        gap = self.share - self.quantile
        return gap / math.sqrt(self.share * (1 - self.share) + gap * gap)

    def words(self) -> str:
        """Return the fact as text."""
        return (
            f"{self.share:.1%} of {self.name} lie at or below its quantile {self.quantile:g}, "
            f"for {self.tied:.1%} equal {self.value:g}"
        )


def hit_share(values: Floats, quantile: float, name: str) -> HitShare:
    """Count a series' hits at its type 7 sample quantile; NaN marks a missing observation."""
    present = values[np.isfinite(values)]
    below = present[present <= np.quantile(present, quantile)]
    value = float(below.max())
    tied = int((below == value).sum())
    return HitShare(name, quantile, len(below) / len(present), value, tied / len(present))


def size_with_ties(shares: tuple[HitShare, HitShare], pairs: Ints) -> float:
    """Return how often sum(pairs * rho^2) rejects at 5 % without a link, given both series' shares of hits.

    Notes
    -----
    Hits centred at the quantile have a mean where values repeat, and the product of both means sits in every lag: a
    noncentrality of pairs * (offset of x * offset of y)^2 a lag.
    """
    shift = float(pairs.sum()) * (shares[0].offset * shares[1].offset) ** 2
    critical = stats.chi2.isf(LEVEL, len(pairs))
    return float(stats.ncx2.sf(critical, len(pairs), shift)) if shift > 0 else LEVEL


def only_hits(shares: tuple[HitShare, HitShare]) -> str:
    """Return which series always lies at or below its quantile; empty when neither does."""
    for item in shares:
        if item.share == 1.0:
            return f"{item.name} always lies at or below its quantile {item.quantile:g}: too many equal values"
    return ""


def tied_hits(shares: tuple[HitShare, HitShare], pairs: Ints) -> tuple[str, str]:
    """Return why repeated values forbid the cross-quantilogram, and what to warn of; empty where they do neither."""
    size, widest = size_with_ties(shares, pairs), max(abs(item.offset) for item in shares)
    if size <= SIZE_NOTICE and widest <= OFFSET_NOTICE:
        return "", ""
    moved = [item for item in shares if abs(item.offset) > OFFSET_NOTICE / 2]
    facts = "; ".join(item.words() for item in moved)
    if size > SIZE_LIMIT or widest > OFFSET_LIMIT:
        instead = " and ".join(f"{item.share:.4g} for {item.name}" for item in moved)
        effect = (
            f"two series without a link would be taken for linked in {size:.0%} of cases at 5 %"
            if size > SIZE_LIMIT
            else "hits centred at the quantile would hide most of a link"
        )
        return f"{facts}: {effect}; take the quantile {instead}, or mark values that only repeat as missing", ""
    shift = shares[0].offset * shares[1].offset
    return "", (
        f"{facts}: correlations without a link are {shift:.2g} instead of 0, and the test then rejects in about "
        f"{size:.1%} of cases at 5 %"
    )


def crowded(
    X: Floats, y: Floats, taus: Floats, bandwidth: str, *, shown: Floats | None = None
) -> tuple[float, float, float]:
    """Return the largest share of a density's weight that rows of one value hold, at which quantile, and that value.

    Parameters
    ----------
    X : ndarray of shape (n, k)
    y : ndarray of shape (n,)
    taus : ndarray of shape (m,)
    bandwidth : str
        Of the density of the Wald covariance.
    shown : ndarray of shape (n,), optional
        The response in the units of the data where `y` is in others.
    """
    values, place, counts = np.unique(y if shown is None else shown, return_inverse=True, return_counts=True)
    worst = (0.0, float(taus[0]), float(values[0]))
    if counts.max() <= max(1.0, REPEATED * len(y)):
        return worst
    for tau in taus:
        fit = fit_quantile(X, y, float(tau), bandwidth=bandwidth)
        if isinstance(fit, str):
            if counts.max() > FLAT * len(y):
                return 1.0, float(tau), float(values[counts.argmax()])
            continue  # another cause, which the test itself reports
        window = residual_window(fit.residuals, float(tau), bandwidth)
        weights = np.clip(1.0 - np.square(fit.residuals / window), 0.0, None)
        held = np.bincount(place, weights=weights) * (counts > 1) / weights.sum()
        if held.max() > worst[0]:
            worst = (float(held.max()), float(tau), float(values[held.argmax()]))
    return worst


def crowding(
    X: Floats, y: Floats, taus: Floats, bandwidth: str, draws: int, name: str, *, shown: Floats | None = None
) -> tuple[str, str]:
    """Return why repeated values of the effect forbid the sup-Wald test, and what to warn of; empty for neither."""
    share, tau, value = crowded(X, y, taus, bandwidth, shown=shown)
    if share <= CROWD_NOTICE:
        return "", ""
    data = y if shown is None else shown
    low, high = float((data < value).mean()), float((data <= value).mean())
    fact = (
        f"{high - low:.1%} of {name} equal {value:g} (its quantiles {low:.3g} to {high:.3g}) and hold {share:.0%} of "
        f"the weight of the density at the quantile {tau:g}"
    )
    remedy = (
        "take quantiles further from these, mark values that only repeat as missing, or, only where volatility is "
        "stable, use method='troster'"
    )
    if share > CROWD_LIMIT:
        return f"{fact}, where neither the simulated nor the bootstrap null holds; {remedy}", ""
    if share > CROWD_LIMIT_SIMULATED and not draws:
        false = "where the simulated null rejects up to 30 % of true nulls at 5 %"
        return f"{fact}, {false}; pass bootstrap=, or {remedy}", ""
    return "", f"{fact}: the simulated p-value is too small there; read the bootstrap p-value"
