"""When a response peaks and how soon half of it has come, with limits from draws of the whole path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.stats.lagged import Floats, Ints


@dataclass(frozen=True, slots=True)
class Shape:
    """Horizons of the peak and of half the peak, with limits."""

    peak: int
    peak_interval: tuple[int, int]
    half: int
    half_interval: tuple[int, int]


def peak_places(paths: Floats) -> Ints:
    """Return the place of the largest absolute value along the last axis."""
    return np.abs(paths).argmax(axis=-1)


def half_places(paths: Floats) -> Ints:
    """Return the first place at which a path has reached half of its peak, on the side of the peak."""
    peak = np.take_along_axis(paths, peak_places(paths)[..., None], axis=-1)
    return (paths * np.sign(peak) >= np.abs(peak) / 2.0).argmax(axis=-1)


def shape_of(path: Floats, sums: Floats, horizons: tuple[int, ...], level: float) -> Shape:
    """Describe a path (H,) with percentile limits from the path plus drawn errors (draws, H).

    Notes
    -----
    Peak and half-way horizon are whole numbers and their law is not normal; where the response is weak the limits span
    nearly all horizons, which is what the data say about its timing.
    """
    drawn = path + sums
    tail = (1.0 - level) / 2.0
    grid = np.array(horizons)

    def limits(places: Ints) -> tuple[int, int]:
        low, high = np.quantile(places, [tail, 1.0 - tail], method="inverted_cdf")
        return int(grid[int(low)]), int(grid[int(high)])

    def around(point: int, ends: tuple[int, int]) -> tuple[int, int]:
        return min(point, ends[0]), max(point, ends[1])

    peak, half = int(grid[peak_places(path)]), int(grid[half_places(path)])
    return Shape(
        peak=peak,
        peak_interval=around(peak, limits(peak_places(drawn))),
        half=half,
        half_interval=around(half, limits(half_places(drawn))),
    )
