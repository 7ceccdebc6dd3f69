"""Sums of products of a group of pairs that share their rows, tile by tile, so that memory is bounded by the tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.scan import pairs_kernels as kernels
from analysis.scan import pairs_sums as sums
from analysis.scan.pairs_lanes import LANES
from analysis.stats.lagged import Bools, Floats, Ints, deterministic, trend_coefficients

TILE = 128


@dataclass(frozen=True, slots=True)
class Products:
    """Products of a tile over a run of rows: `forward` (lags + 1, I, J) with the cause lagged, `reverse` the effect.

    `reverse` is (lags + 1, J, I); the last axis of both is filled up with zeros to a multiple of LANES. The other
    arrays hold, per series and lag, the rows (I, lags) and (J, lags) that a further lag gains and loses.
    """

    forward: Floats
    reverse: Floats
    first_i: Floats
    last_i: Floats
    first_j: Floats
    last_j: Floats

    def mirrored(self) -> Products:
        """Return the products of the mirror image."""
        return Products(self.reverse, self.forward, self.first_j, self.last_j, self.first_i, self.last_i)

    def arrays(self) -> tuple[Floats, ...]:
        """Return what the kernels take: all by effect and cause, the causes' edges by lag."""
        backward = self.reverse[:, :, : self.forward.shape[1]].transpose(0, 2, 1)
        return (self.forward, _filled(backward), self.first_i, self.last_i, _filled(self.first_j.T),
                _filled(self.last_j.T))  # fmt: skip

    def moments(self) -> Floats:
        """Return the sums of products (I, lags + 1, lags + 1, J), J filled up."""
        size, effects, causes = self.forward.shape
        out = np.empty((effects, size, size, causes))
        kernels.run_moments_tile(*self.arrays(), out)
        return out


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
    values : ndarray of shape (N, margin + T)
        The first `margin` columns lie before the first row and serve the lags.
    use : ndarray of shape (T,)
        One on regression rows.
    columns : ndarray of shape (d, T)
        Deterministic terms.
    fixed, det, squares : ndarray of shape (d, d), (d, lags + 1, N), (lags + 1, lags + 1, N)
        Their sums of products, those with every series at every lag, and those of every series with itself.
    """

    values: Floats
    margin: int
    use: Floats
    columns: Floats
    fixed: Floats
    det: Floats
    squares: Floats
    lags: int
    is_run: bool

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
        use, columns, total = rows[first:stop].astype(np.float64), terms[:, first:stop].copy(), values.shape[1]
        det = np.empty((len(columns), lags + 1, len(values)))
        squares = np.empty((lags + 1, lags + 1, len(values)))
        is_run = len(places) == stop - first
        if is_run:
            sums.own_products(values, columns, margin, det, squares)
        else:
            for b in range(lags + 1):
                det[:, b] = (columns * use) @ values[:, margin - b : total - b].T
            for a in range(lags + 1):
                masked = values[:, margin - a : total - a] * use
                for b in range(a + 1):
                    squares[a, b] = np.einsum("nt,nt->n", masked, values[:, margin - b : total - b])
                    squares[b, a] = squares[a, b]
        return cls(values, margin, use, columns, (columns * use) @ columns.T, det, squares, lags, is_run)

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

    def moments(self, effects: Ints, causes: Ints) -> Floats:
        """Return the sums of products (I, lags + 1, lags + 1, J) of effects and causes at all lags, J filled up."""
        return self._run_moments(effects, causes)[0] if self.is_run else _filled(self._row_moments(effects, causes))

    def both_moments(self, effects: Ints, causes: Ints) -> tuple[Floats, Floats]:
        """Return the moments of a tile and of its mirror image, whose products are the same ones."""
        if self.is_run:
            return self._run_moments(effects, causes, mirror=True)
        found = self._row_moments(effects, causes)
        return _filled(found), _filled(found.transpose(3, 2, 1, 0))

    def products(self, effects: Ints, causes: Ints) -> Products:
        """Return what the moments of a run of rows follow from, for effects and causes."""
        forward = self._lagged(effects, causes)
        reverse = forward if np.array_equal(effects, causes) else self._lagged(causes, effects)
        return Products(forward, reverse, *self._edges(effects), *self._edges(causes))

    def _lagged(self, effects: Ints, causes: Ints) -> Floats:
        """Return the sums of effects and causes b rows earlier, (lags + 1, I, J), J filled up."""
        out = np.zeros((self.lags + 1, len(effects), -(-len(causes) // LANES) * LANES))
        sums.lagged_products(self.values, effects, causes, self.margin, out)
        return out

    def _run_moments(self, effects: Ints, causes: Ints, *, mirror: bool = False) -> tuple[Floats, Floats]:
        products = self.products(effects, causes)
        out = products.moments()
        return out, products.mirrored().moments() if mirror else out

    def _edges(self, chosen: Ints) -> tuple[Floats, Floats]:
        """Return the rows (N, lags) that a further lag brings in, and those that it drops, nearest first."""
        lag = np.arange(self.lags)
        return self.values[chosen[:, None], self.margin - 1 - lag], self.values[chosen[:, None], -1 - lag]

    def _row_moments(self, effects: Ints, causes: Ints) -> Floats:
        places = np.flatnonzero(self.use) + self.margin
        reach = places - np.arange(self.lags + 1)[:, None]
        left, right = (self.values[chosen][:, reach].reshape(-1, len(places)) for chosen in (effects, causes))
        shape = (len(effects), self.lags + 1, len(causes), self.lags + 1)
        return (left @ right.T).reshape(shape).transpose(0, 1, 3, 2)


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
