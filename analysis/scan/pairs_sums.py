"""Compiled sums of products over runs of rows: of every series with itself, and of every pair at every lag.

Notes
-----
Rows with gaps are several runs: the left side of every product is zero outside them, and what a further lag gains and
loses, it gains and loses at the edges of each run.
`lagged_products` works on two effects and six lagged causes at a time. Its twelve running sums stay in registers, and
the eight rows they come from are read in order, lags of one cause from the same memory. That keeps the arithmetic busy
for narrow blocks as well as wide ones, where a general matrix product first copies both sides into a layout of its own.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit, uint64
from analysis.stats.lagged import Floats, Ints

_PIECE = 64
_SIX = 6
_FAST = {"reassoc", "contract"}


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def centered(series: Floats, columns: Floats, coefficients: Floats, first: int, out: Floats) -> None:
    """Fill out (N, T) with the rows of series (n, N) from `first` on, freed of their terms; a missing value is zero.

    `columns` (d, n) are the terms and `coefficients` (d, N) their share in every series. Works on square pieces that
    stay in the first cache, since one side is read down its columns.
    """
    N, T = out.shape
    line = np.empty(_PIECE)
    for start in range(0, T, _PIECE):
        at, source, length = uint64(start), uint64(first + start), min(_PIECE, T - start)
        for left in range(0, N, _PIECE):
            for i in range(left, min(left + _PIECE, N)):
                for t in range(length):
                    line[t] = series[source + uint64(t), i]
                for c in range(len(columns)):
                    share = coefficients[c, i]
                    for t in range(length):
                        line[t] -= share * columns[c, source + uint64(t)]
                for t in range(length):
                    out[i, at + uint64(t)] = line[t] if line[t] == line[t] else 0.0


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _twelve(
    left: Floats, i: int, beside: Floats, j: int, head: int, right: Floats, causes: Ints, heads: Ints, start: int,
    margin: int, found: Floats,
) -> None:  # fmt: skip
    """Fill found (2, 6) with inner products over all rows after the margin.

    On one side stand left[i] and beside[j] from `head` on, on the other the six rows of `right` from `start` in the
    list of causes, each from its own head on.
    """
    q, at, by, length = uint64(start), uint64(margin), uint64(head), left.shape[1] - margin
    a, b, c, d, e, f = causes[q], causes[q + 1], causes[q + 2], causes[q + 3], causes[q + 4], causes[q + 5]
    at_a, at_b, at_c = uint64(heads[q]), uint64(heads[q + 1]), uint64(heads[q + 2])
    at_d, at_e, at_f = uint64(heads[q + 3]), uint64(heads[q + 4]), uint64(heads[q + 5])
    xa = xb = xc = xd = xe = xf = ya = yb = yc = yd = ye = yf = 0.0
    for step in range(length):
        t = uint64(step)
        x, y = left[i, at + t], beside[j, by + t]
        z = right[a, at_a + t]
        xa += x * z
        ya += y * z
        z = right[b, at_b + t]
        xb += x * z
        yb += y * z
        z = right[c, at_c + t]
        xc += x * z
        yc += y * z
        z = right[d, at_d + t]
        xd += x * z
        yd += y * z
        z = right[e, at_e + t]
        xe += x * z
        ye += y * z
        z = right[f, at_f + t]
        xf += x * z
        yf += y * z
    found[0, 0], found[0, 1], found[0, 2], found[0, 3], found[0, 4], found[0, 5] = xa, xb, xc, xd, xe, xf
    found[1, 0], found[1, 1], found[1, 2], found[1, 3], found[1, 4], found[1, 5] = ya, yb, yc, yd, ye, yf


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def own_products(
    values: Floats, masked: Floats, columns: Floats, runs: Ints, margin: int, det: Floats, squares: Floats
) -> None:
    """Fill the sums that belong to one series alone.

    `values` is (N, margin + T), `masked` the same and zero outside the runs (S, 2) of rows, `columns` (d, T) the
    deterministic terms, zero there too; `det` is (d, p + 1, N) by lag of the series and `squares` (p + 1, p + 1, N).
    """
    d, size = len(columns), len(squares)
    filled, reach = size + (-size) % _SIX, size - 1
    heads, found = margin - np.minimum(np.arange(filled), reach), np.empty((2, filled))
    for i in range(len(values)):
        series = np.full(filled, i)
        for c in range(max(d, 1)):
            for start in range(0, filled, _SIX):
                part = found[:, start:]
                if d:
                    _twelve(masked, i, columns, c, 0, values, series, heads, start, margin, part)
                else:
                    _twelve(masked, i, masked, i, margin, values, series, heads, start, margin, part)
            for b in range(size):
                squares[0, b, i] = squares[b, 0, i] = found[0, b]
                if d:
                    det[c, b, i] = found[1, b]
        row = values[i]
        for a in range(reach):
            for b in range(reach):
                edges = 0.0
                for run in range(len(runs)):
                    first, last = margin + runs[run, 0] - 1, margin + runs[run, 1] - 1
                    edges += row[first - a] * row[first - b] - row[last - a] * row[last - b]
                squares[a + 1, b + 1, i] = squares[a, b, i] + edges


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def lagged_products(masked: Floats, values: Floats, effects: Ints, causes: Ints, margin: int, out: Floats) -> None:
    """Fill out (p + 1, I, >= J): sums over the rows of an effect and a cause b rows earlier.

    Arrays as in `own_products`, margin >= p. Places of `out` past the last cause stay as they are.
    """
    size, count = len(out), len(causes) * len(out)
    filled = count + (-count) % _SIX  # the last few are repeats
    series, heads = np.empty(filled, np.int64), np.empty(filled, np.int64)
    for place in range(filled):
        j, b = divmod(min(place, count - 1), size)
        series[place], heads[place] = causes[j], margin - b
    found = np.empty((2, filled))
    for i in range(0, len(effects), 2):
        one, two = effects[i], effects[min(i + 1, len(effects) - 1)]
        for start in range(0, filled, _SIX):
            _twelve(masked, one, masked, two, margin, values, series, heads, start, margin, found[:, start:])
        for r in range(min(2, len(effects) - i)):
            for j in range(len(causes)):
                for b in range(size):
                    out[b, i + r, j] = found[r, j * size + b]


__all__ = ["centered", "lagged_products", "own_products"]
