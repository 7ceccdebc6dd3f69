"""Match dates by trailing return and volatility, and compare what followed events with what followed their matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import InputError
from analysis.stats.eventstudy.inputs import LEAST_MATCHES
from analysis.stats.eventstudy.outcomes import Outcomes, matched_mean, nearest_dates, trailing_features
from analysis.stats.eventstudy.rotation import Rotation, rotate
from analysis.stats.lagged import Floats, as_columns, check_lags, same_index


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Dates in the order of their likeness to every date.

    Attributes
    ----------
    order : int array of shape (n, c)
    features : array of shape (n, 2)
        Trailing mean return and volatility of the driver.
    """

    order: NDArray[np.int32]
    features: Floats
    trailing: int
    first: int


class Comparison(NamedTuple):
    """One horizon: rotation of the standardised excess, its scale as a return, and event, return, matched return."""

    rotation: Rotation
    scale: float
    average: float
    outcomes: tuple[tuple[int, float, float], ...]

    @property
    def excess(self) -> float:
        """Average over events less what matched dates earned, in returns."""
        return self.rotation.mean * self.scale


def match_dates(driver: ArrayLike, *, trailing: int = 63, first: int = 1, excluded: ArrayLike | None = None) -> Matches:
    """Order all dates by how much they resemble each other in trailing return and volatility of the driver.

    Parameters
    ----------
    driver : array of shape (n,)
        Returns of the series that makes the events.
    trailing : int
        Sessions of the trailing window; it ends just before offset `first`.
    excluded : bool array of shape (n,), optional
        Dates that may not serve as a match, such as the days of the events.
    """
    same_index(driver=driver, excluded=excluded)
    series = as_columns(driver, "driver")
    if series.shape[1] != 1:
        raise InputError("driver must be one series", given=series.shape, limit="(n,)")
    n = series.shape[0]
    barred = np.zeros(n, dtype=bool) if excluded is None else np.asarray(excluded)
    if barred.shape != (n,) or barred.dtype != np.bool_:
        raise InputError("excluded must be a mask as long as driver", given=f"{barred.dtype} {barred.shape}")
    trailing = check_lags(trailing, name="trailing", least=2)
    features = trailing_features(series[:, 0], trailing, first)
    return Matches(nearest_dates(features, ~barred), features, trailing, first)


def compare(
    outcomes: Outcomes, matches: Matches, events: Sequence[int], ends: Sequence[int], neighbours: int
) -> list[Comparison | None]:
    """Return the comparison at each horizon; None where dates or events are too few."""
    out: list[Comparison | None] = []
    for column, end in enumerate(ends):
        car, spread = outcomes.car[:, column], outcomes.spread[:, column]
        scar = car / spread
        reach = end - matches.first + 1
        matched = matched_mean(scar, matches.order, reach=reach, neighbours=neighbours, least=LEAST_MATCHES)
        rotation = rotate(scar - matched, events)
        if rotation is None:
            out.append(None)
            continue
        kept = list(rotation.events)
        scale = 1.0 / float(np.mean(1.0 / spread[kept]))
        rows = tuple((date, float(car[date]), float(matched[date] * spread[date])) for date in kept)
        out.append(Comparison(rotation, scale, float(np.mean(scar[kept])) * scale, rows))
    return out


def imbalance(matches: Matches, events: Sequence[int], neighbours: int, reach: int) -> tuple[float, float]:
    """Return trailing return and volatility of the events less those of their matches, in standard deviations."""
    scale = np.nanstd(matches.features, axis=0)
    gaps = []
    for column in range(2):
        feature = matches.features[:, column]
        like = matched_mean(feature, matches.order, reach=reach, neighbours=neighbours, least=LEAST_MATCHES)
        gap = feature[list(events)] - like[list(events)]
        known = gap[np.isfinite(gap)]
        gaps.append(float(known.mean() / scale[column]) if known.size and scale[column] > 0 else 0.0)
    return gaps[0], gaps[1]
