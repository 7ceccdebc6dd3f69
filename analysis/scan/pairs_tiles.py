"""Sums of products of a group of pairs that share their rows, tile by tile, so that memory is bounded by the tile."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.scan import pairs_kernels as kernels
from analysis.stats.lagged import Bools, Floats, Ints, deterministic, trend_coefficients

TILE = 128


@dataclass(frozen=True, slots=True)
class Products:
    """Products of a tile over a run of rows, (lags + 1, I, J) with the cause lagged and with the effect lagged.

    The other arrays hold, per series and lag, the rows (I, lags) and (J, lags) that a further lag gains and loses.
    """

    forward: Floats
    backward: Floats
    first_i: Floats
    last_i: Floats
    first_j: Floats
    last_j: Floats

    def mirrored(self) -> Products:
        """Return the products of the mirror image."""
        forward, backward = (np.ascontiguousarray(x.transpose(0, 2, 1)) for x in (self.backward, self.forward))
        return Products(forward, backward, self.first_j, self.last_j, self.first_i, self.last_i)

    def arrays(self) -> tuple[Floats, ...]:
        """Return what the kernels take, the causes' edges by lag."""
        return (self.forward, self.backward, self.first_i, self.last_i, self.first_j.T.copy(), self.last_j.T.copy())

    def moments(self) -> Floats:
        """Return the sums of products (I, lags + 1, lags + 1, J)."""
        size, effects, causes = self.forward.shape
        out = np.empty((effects, size, size, causes))
        kernels.run_moments(*self.arrays(), out)
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
        kernels.centered(series, terms, trend_coefficients(series, terms), first - lead, values[:, margin - lead :])
        use = rows[first:stop].astype(np.float64)
        columns = np.ascontiguousarray(terms[first:stop].T)
        total = values.shape[1]
        det = np.stack([(columns * use) @ values[:, margin - b : total - b].T for b in range(lags + 1)], axis=1)
        squares = np.empty((lags + 1, lags + 1, len(values)))
        is_run = len(places) == stop - first
        if is_run:
            kernels.own_products(values, margin, lags, squares)
        else:
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
        """Return the sums of products of some series with the deterministic terms and with themselves."""
        return np.ascontiguousarray(self.det[:, :, chosen]), np.ascontiguousarray(self.squares[:, :, chosen])

    def moments(self, effects: Ints, causes: Ints) -> Floats:
        """Return the sums of products (I, lags + 1, lags + 1, J) of effects and causes at every pair of lags."""
        return self._run_moments(effects, causes)[0] if self.is_run else self._row_moments(effects, causes)

    def both_moments(self, effects: Ints, causes: Ints) -> tuple[Floats, Floats]:
        """Return the moments of a tile and of its mirror image, whose products are the same ones."""
        if self.is_run:
            return self._run_moments(effects, causes, mirror=True)
        found = self._row_moments(effects, causes)
        return found, np.ascontiguousarray(found.transpose(3, 2, 1, 0))

    def products(self, effects: Ints, causes: Ints) -> Products:
        """Return what the moments of a run of rows follow from, for effects and causes."""
        same = np.array_equal(effects, causes)
        I, J = self._chosen(effects), self._chosen(causes)  # noqa: E741
        size, total, margin = self.lags + 1, self.values.shape[1], self.margin
        forward = np.empty((size, len(effects), len(causes)))
        backward = np.empty_like(forward)
        for b in range(size):
            np.matmul(I[:, margin:], J[:, margin - b : total - b].T, out=forward[b])
            if same:
                backward[b] = forward[b].T
            elif b:
                np.matmul(I[:, margin - b : total - b], J[:, margin:].T, out=backward[b])
        if not same:
            backward[0] = forward[0]
        return Products(forward, backward, *self._edges(I), *self._edges(J))

    def _chosen(self, series: Ints) -> Floats:
        """Return the rows of some series, without a copy where they are all of them in order."""
        whole = len(series) == len(self.values) and bool((series == np.arange(len(series))).all())
        return self.values if whole else self.values[series]

    def _run_moments(self, effects: Ints, causes: Ints, *, mirror: bool = False) -> tuple[Floats, Floats]:
        products = self.products(effects, causes)
        out = products.moments()
        return out, products.mirrored().moments() if mirror else out

    def _edges(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the rows (N, lags) that a further lag brings in, and those that it drops, nearest first."""
        first = values[:, self.margin - 1 - np.arange(self.lags)]
        return np.ascontiguousarray(first), np.ascontiguousarray(values[:, -1 - np.arange(self.lags)])

    def _row_moments(self, effects: Ints, causes: Ints) -> Floats:
        places = np.flatnonzero(self.use) + self.margin
        reach = places - np.arange(self.lags + 1)[:, None]
        left, right = (self.values[chosen][:, reach].reshape(-1, len(places)) for chosen in (effects, causes))
        shape = (len(effects), self.lags + 1, len(causes), self.lags + 1)
        return np.ascontiguousarray((left @ right.T).reshape(shape).transpose(0, 1, 3, 2))


def tiles(effects: Ints, causes: Ints) -> list[tuple[slice, slice, bool]]:
    """Return (effects, causes, whether the mirror image belongs to it too) of every tile, largest work first."""
    rows, columns = _parts(len(effects)), _parts(len(causes))
    if not np.array_equal(effects, causes):
        return [(row, column, False) for row in rows for column in columns]
    upper = [(rows[a], rows[b], True) for a in range(len(rows)) for b in range(a + 1, len(rows))]
    return upper + [(row, row, False) for row in rows]


def _parts(count: int) -> list[slice]:
    """Return slices of about equal size, at most TILE each; the split depends on the count alone."""
    edges = np.linspace(0, count, -(-count // TILE) + 1).round().astype(int).tolist()
    return [slice(a, b) for a, b in pairwise(edges)]
