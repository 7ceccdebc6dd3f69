"""Sums of products of a group of pairs that share their rows, tile by tile, so that memory is bounded by the tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.scan import pairs_kernels as kernels
from analysis.scan import pairs_sums as sums
from analysis.scan.pairs_lanes import LANES
from analysis.stats.lagged import Bools, Floats, Ints, deterministic, trend_coefficients

TILE = 128
LEVEL_FLOOR = 2.0**-22  # movement over level and trend below which taking these off has cost half of the digits


@dataclass(frozen=True, slots=True)
class Products:
    """Products of a tile over its rows: `forward` (lags + 1, I, J) with the cause lagged, `reverse` the effect.

    `reverse` is (lags + 1, J, I); the last axis of both is filled up with zeros to a multiple of LANES. The other
    arrays hold, per series, run of rows and lag, what a further lag gains and loses: (I, S, lags) and (J, S, lags).
    """

    forward: Floats
    reverse: Floats
    gained_i: Floats
    lost_i: Floats
    gained_j: Floats
    lost_j: Floats

    def mirrored(self) -> Products:
        """Return the products of the mirror image."""
        return Products(self.reverse, self.forward, self.gained_j, self.lost_j, self.gained_i, self.lost_i)

    def arrays(self) -> tuple[Floats, ...]:
        """Return what the kernels take: all by effect and cause, the causes' edges by run and lag."""
        backward = self.reverse[:, :, : self.forward.shape[1]].transpose(0, 2, 1)
        edges = (_filled(edge.transpose(1, 2, 0)) for edge in (self.gained_j, self.lost_j))
        return (self.forward, _filled(backward), self.gained_i, self.lost_i, *edges)


def _filled(values: Floats) -> Floats:
    """Return a copy whose last axis is filled up with zeros to a multiple of LANES."""
    *shape, last = values.shape
    out = np.zeros((*shape, -(-last // LANES) * LANES))
    out[..., :last] = values
    return out


@dataclass(frozen=True, slots=True)
class Group:
    """Series of one group over its stretch of rows, zero where a value is missing.

    Attributes
    ----------
    values, masked : ndarray of shape (N, margin + T)
        The first `margin` columns lie before the first row and serve the lags; `masked` is zero off regression rows.
    use : ndarray of shape (T,)
        One on regression rows.
    runs : ndarray of shape (S, 2)
        Start and stop of every unbroken run of regression rows.
    columns : ndarray of shape (d, T)
        Deterministic terms.
    fixed, det, squares : ndarray of shape (d, d), (d, lags + 1, N), (lags + 1, lags + 1, N)
        Their sums of products, those with every series at every lag, and those of every series with itself.
    """

    values: Floats
    masked: Floats
    margin: int
    use: Floats
    runs: Ints
    columns: Floats
    fixed: Floats
    det: Floats
    squares: Floats
    lags: int

    @classmethod
    def of(cls, series: Floats, rows: Bools, *, lags: int, trend: str) -> Group:
        """Free series (n, N) of the deterministic terms and take the sums that belong to one series alone."""
        places = np.flatnonzero(rows)
        first, stop, margin = int(places[0]), int(places[-1]) + 1, lags + 1
        values = np.zeros((series.shape[1], margin + stop - first))
        lead = min(first, margin)
        terms = deterministic(len(series), trend)
        shares, terms = trend_coefficients(series, terms), np.ascontiguousarray(terms.T)
        sums.centered(series, terms, shares, first - lead, values[:, margin - lead :])
        use, columns = rows[first:stop].astype(np.float64), terms[:, first:stop].copy()
        breaks = np.flatnonzero(np.diff(places) > 1)
        runs = np.column_stack([places[np.r_[0, breaks + 1]], places[np.r_[breaks, -1]] + 1]) - first
        masked, used = values, columns
        if len(runs) > 1:
            masked, used = values.copy(), columns * use
            masked[:, margin:] *= use
        det = np.empty((len(columns), lags + 1, len(values)))
        squares = np.empty((lags + 1, lags + 1, len(values)))
        sums.own_products(values, masked, used, runs, margin, det, squares)
        moved = np.sqrt(squares[0, 0] / len(places))
        squares[:, :, moved <= LEVEL_FLOOR * np.abs(shares).sum(axis=0)] = 0.0  # the kernels send these to their rows
        return cls(values, masked, margin, use, runs, columns, used @ columns.T, det, squares, lags)

    def windows(self, halo: int) -> tuple[Floats, int, Floats, Floats]:
        """Return values, their margin, columns and use (K, BLOCK) laid out in windows that overlap by `halo` rows."""
        T, step = len(self.use), kernels.BLOCK - halo
        count = -(-(T + halo) // step)
        total = count * step + halo
        values = np.zeros((len(self.values), self.margin + halo + total))
        values[:, halo : halo + self.values.shape[1]] = self.values
        columns, use = np.zeros((len(self.columns), total)), np.zeros(total)
        columns[:, halo : halo + T], use[halo : halo + T] = self.columns, self.use
        places = step * np.arange(count)[:, None] + np.arange(kernels.BLOCK)
        return values, self.margin, columns, use[places]

    def own(self, chosen: Ints) -> tuple[Floats, Floats]:
        """Return the sums of products of some series with the deterministic terms and with themselves, filled up."""
        return _filled(self.det[:, :, chosen]), _filled(self.squares[:, :, chosen])

    def products(self, effects: Ints, causes: Ints) -> Products:
        """Return what the sums of effects and causes at all lags follow from."""
        forward = self._lagged(effects, causes)
        reverse = forward if np.array_equal(effects, causes) else self._lagged(causes, effects)
        return Products(forward, reverse, *self._edges(effects), *self._edges(causes))

    def _lagged(self, effects: Ints, causes: Ints) -> Floats:
        """Return the sums of effects and causes b rows earlier, (lags + 1, I, J), J filled up."""
        out = np.zeros((self.lags + 1, len(effects), -(-len(causes) // LANES) * LANES))
        sums.lagged_products(self.masked, self.values, effects, causes, self.margin, out)
        return out

    def _edges(self, chosen: Ints) -> tuple[Floats, Floats]:
        """Return what a further lag brings in and what it drops, (N, S, lags), nearest lag first."""
        series, (starts, stops) = chosen[:, None, None], self.margin - 1 + self.runs.T[:, None, :, None]
        lag = np.arange(self.lags)
        return self.values[series, starts - lag], self.values[series, stops - lag]


def tiles(effects: Ints, causes: Ints) -> list[tuple[slice, slice, bool]]:
    """Return (effects, causes, whether the mirror image belongs to it too) of every tile, largest work first."""
    rows, columns = _parts(len(effects)), _parts(len(causes))
    if not np.array_equal(effects, causes):
        return [(row, column, False) for row in rows for column in columns]
    upper = [(rows[a], rows[b], True) for a in range(len(rows)) for b in range(a + 1, len(rows))]
    return upper + [(row, row, False) for row in rows]


def _parts(count: int) -> list[slice]:
    """Return slices of about equal size, at most TILE each; the split depends on the count alone."""
    parts = -(-count // TILE)
    return [slice(count * part // parts, count * (part + 1) // parts) for part in range(parts)]
