"""Compiled inner loops of the wild bootstrap of one equation: many draws side by side, four rows at a time.

Notes
-----
A group of draws keeps its projections and the sums that make its covariance in cache while all rows pass by twice: once
to project the flipped residuals on the design, once to form each draw's residuals, square them and sum them up. Buffers
are flat with rows at a fixed distance, so that the compiler knows every trip count. No residual matrix is ever stored.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit, uint64
from analysis.stats.lagged import Floats, Ints

LANES = 256  # draws side by side
_FAST = {"reassoc", "contract"}


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _flip(out: Floats, row: int, signs: Floats, place: int, start: int, count: int, size: float) -> None:
    """Write one row of signs times `size`; lanes past the last draw are zero."""
    at, source = uint64(row * LANES), uint64(start)
    if count == LANES:
        for i in range(LANES):
            t = uint64(i)
            out[at + t] = size * signs[place, source + t]
        return
    for i in range(LANES):
        out[at + uint64(i)] = 0.0
    for i in range(count):
        t = uint64(i)
        out[at + t] = size * signs[place, source + t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _project(sums: Floats, k: int, flips: Floats, signed: Floats, t: int) -> None:
    """Add four rows to projections k and k + 1."""
    one = uint64(k * LANES)
    two = one + uint64(LANES)
    a0, a1, a2, a3 = signed[t, k], signed[t + 1, k], signed[t + 2, k], signed[t + 3, k]
    b0, b1, b2, b3 = signed[t, k + 1], signed[t + 1, k + 1], signed[t + 2, k + 1], signed[t + 3, k + 1]
    for i in range(LANES):
        d = uint64(i)
        x, y = flips[d], flips[uint64(LANES) + d]
        u, v = flips[uint64(2 * LANES) + d], flips[uint64(3 * LANES) + d]
        sums[one + d] += (a0 * x + a1 * y) + (a2 * u + a3 * v)
        sums[two + d] += (b0 * x + b1 * y) + (b2 * u + b3 * v)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _drop_fitted(rows: Floats, sums: Floats, k: int, basis: Floats, t: int) -> None:
    """Take projections k .. k + 3 out of four rows of flipped residuals."""
    at = uint64(k * LANES)
    for pair in range(0, 4, 2):
        one = uint64(pair * LANES)
        two, r, s = one + uint64(LANES), t + pair, t + pair + 1
        a0, a1, a2, a3 = basis[r, k], basis[r, k + 1], basis[r, k + 2], basis[r, k + 3]
        b0, b1, b2, b3 = basis[s, k], basis[s, k + 1], basis[s, k + 2], basis[s, k + 3]
        for i in range(LANES):
            d = uint64(i)
            x, y = sums[at + d], sums[at + uint64(LANES) + d]
            u, v = sums[at + uint64(2 * LANES) + d], sums[at + uint64(3 * LANES) + d]
            rows[one + d] -= (a0 * x + a1 * y) + (a2 * u + a3 * v)
            rows[two + d] -= (b0 * x + b1 * y) + (b2 * u + b3 * v)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _add_squares(meat: Floats, c: int, rows: Floats, products: Floats, t: int) -> None:
    """Add four rows of squared residuals, weighted by products c, c + 1 and c + 2, to the sums of the meat."""
    one = uint64(c * LANES)
    two, three = one + uint64(LANES), one + uint64(2 * LANES)
    a0, a1, a2, a3 = products[t, c], products[t + 1, c], products[t + 2, c], products[t + 3, c]
    b0, b1, b2, b3 = products[t, c + 1], products[t + 1, c + 1], products[t + 2, c + 1], products[t + 3, c + 1]
    c0, c1, c2, c3 = products[t, c + 2], products[t + 1, c + 2], products[t + 2, c + 2], products[t + 3, c + 2]
    for i in range(LANES):
        d = uint64(i)
        x, y = rows[d], rows[uint64(LANES) + d]
        u, v = rows[uint64(2 * LANES) + d], rows[uint64(3 * LANES) + d]
        meat[one + d] += (a0 * x + a1 * y) + (a2 * u + a3 * v)
        meat[two + d] += (b0 * x + b1 * y) + (b2 * u + b3 * v)
        meat[three + d] += (c0 * x + c1 * y) + (c2 * u + c3 * v)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _keep(sums: Floats, out: Floats, start: int, count: int) -> None:
    """Copy the lanes that hold draws to their columns."""
    for k in range(len(out)):
        for i in range(count):
            out[k, start + i] = sums[k * LANES + i]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def white_draws(
    basis: Floats, residual: Floats, products: Floats, signs: Floats, places: Ints, projections: Floats, meats: Floats
) -> None:
    """Fill the projections (k, draws) of every draw and the weighted sums (c, draws) of its squared residuals.

    `basis` (n, K), `residual` (n,) and `products` (n, C) are filled up with zeros to multiples of four rows, four
    columns and three columns; `places` (n,) are the rows of `signs` (n_time, draws).
    """
    n, K, C, draws = len(basis), basis.shape[1], products.shape[1], signs.shape[1]
    signed = basis * residual.reshape(-1, 1)
    flips, sums, meat = np.zeros(4 * LANES), np.empty(K * LANES), np.empty(C * LANES)
    for start in range(0, draws, LANES):
        count = min(LANES, draws - start)
        sums[:] = 0.0
        meat[:] = 0.0
        for t in range(0, n, 4):
            for row in range(4):
                _flip(flips, row, signs, places[t + row], start, count, 1.0)
            for k in range(0, K, 2):
                _project(sums, k, flips, signed, t)
        for t in range(0, n, 4):
            for row in range(4):
                _flip(flips, row, signs, places[t + row], start, count, residual[t + row])
            for k in range(0, K, 4):
                _drop_fitted(flips, sums, k, basis, t)
            for i in range(4 * LANES):
                flips[i] *= flips[i]
            for c in range(0, C, 3):
                _add_squares(meat, c, flips, products, t)
        _keep(sums, projections, start, count)
        _keep(meat, meats, start, count)
