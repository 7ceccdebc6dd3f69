"""Compiled tiles of the all-pairs Granger scan: sums of products to Wald statistics, plain and robust.

Notes
-----
The fit of every cause comes from `pairs_lanes`; a robust covariance then takes the rows of a pair in windows
(`pairs_rows`). Every number has a plain twin in the tests.
"""

from __future__ import annotations

import numpy as np

from analysis.scan.pairs_lanes import LANES, Room, cholesky, own_fit, room, solve, take_moments
from analysis.scan.pairs_rows import (
    BLOCK,
    HAC,
    HC0,
    HC3,
    add_meat,
    fit,
    fit_with_leverage,
    inflate,
    orthonormal_lags,
    own_pass,
    scale,
    scale_and_box,
    select,
)
from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats, Ints

OK, NEEDS_ROWS = 0, 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _write(i: int, start: int, place: Room, cumulative: Floats, status: Ints) -> None:
    """Write the sums of the coefficients the room holds for the causes from `start` on, and which need their rows."""
    sound, sums = place[7], place[9]
    for lane in range(min(LANES, status.shape[1] - start)):
        if sound[lane] == 1.0:
            status[i, start + lane], cumulative[i, start + lane] = OK, sums[lane]
        else:
            status[i, start + lane] = NEEDS_ROWS


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _write_wald(i: int, start: int, rss: float, freedom: int, place: Room, wald: Floats) -> None:
    """Write the plain Wald statistics of the causes from `start` on, where the fit is sound."""
    sound, gain = place[7], place[8]
    for lane in range(min(LANES, wald.shape[1] - start)):
        if sound[lane] == 1.0:
            wald[i, start + lane] = gain[lane] / (rss - gain[lane]) * freedom


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def plain_tile(
    forward: Floats, backward: Floats, gained_i: Floats, lost_i: Floats, gained_j: Floats, lost_j: Floats,
    det_i: Floats, squares_i: Floats, det_j: Floats, squares_j: Floats, fixed: Floats, nobs: int,
    floor: float, wald: Floats, cumulative: Floats, status: Ints,
) -> None:  # fmt: skip
    """Fill the plain Wald statistics of a tile (I, J) from sums of products, in the order of `Products.arrays`."""
    p, d = len(forward) - 1, len(fixed)
    place = room(p, d)
    for i in range(len(wald)):
        rss = own_fit(det_i, squares_i, fixed, i, floor, place[0], place[1])
        if rss < 0.0:
            status[i] = NEEDS_ROWS
            continue
        for start in range(0, forward.shape[2], LANES):
            take_moments(forward, backward, gained_i, lost_i, gained_j, lost_j, i, start, place[2])
            solve(det_j, squares_j, start, rss, floor * squares_i[0, 0, i], floor, place)
            _write(i, start, place, cumulative, status)
            _write_wald(i, start, rss, nobs - d - 2 * p, place, wald)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _write_maps(start: int, place: Room, own_map: Floats, lag_map: Floats, taken: Floats) -> None:
    """Fill maps from own basis (J, P, W) and from raw lags (J, P, P), and the scores, of the causes from `start` on.

    The maps lead to a cause's orthonormal lags. The room is by lane, with inverse roots on the diagonal of the block.
    """
    cross, block, scores = place[3], place[4], place[5]
    p, w = len(scores) // LANES, len(place[1])
    for lane in range(min(LANES, len(taken) - start)):
        own_basis, lags = own_map[start + lane], lag_map[start + lane]
        for a in range(p):
            inverse = block[(a * p + a) * LANES + lane]
            for c in range(w):
                total = -cross[(a * w + c) * LANES + lane]
                for b in range(a):
                    total -= block[(a * p + b) * LANES + lane] * own_basis[b, c]
                own_basis[a, c] = total * inverse
            for c in range(a + 1):
                total = 1.0 if c == a else 0.0
                for b in range(c, a):
                    total -= block[(a * p + b) * LANES + lane] * lags[b, c]
                lags[a, c] = total * inverse
            taken[start + lane, a] = scores[a * LANES + lane]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _wald(meat: Floats, scores: Floats, p: int, solved: Floats) -> float:
    """Return the Wald statistic, or -1 when the meat is singular to working precision."""
    if not cholesky(meat, p) >= 1e-13:
        return -1.0
    total = 0.0
    for a in range(p):
        value = scores[a]
        for c in range(a):
            value -= meat[a, c] * solved[c]
        solved[a] = value / meat[a, a]
        total += solved[a] * solved[a]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def robust_tile(
    forward: Floats, backward: Floats, gained_i: Floats, lost_i: Floats, gained_j: Floats, lost_j: Floats,
    det_i: Floats, squares_i: Floats, det_j: Floats, squares_j: Floats, fixed: Floats,
    values: Floats, margin: int, columns: Floats, use: Floats, effects: Ints, causes: Ints, floor: float, kind: int,
    hac_lags: int, wald: Floats, cumulative: Floats, status: Ints,
) -> None:  # fmt: skip
    """Fill the robust Wald statistics of a tile (I, J): sums of products first, then one pass over windows of rows.

    `values` is (N, margin + ...) and `columns` (d, ...), zero where a value is missing; `use` (K, BLOCK) is one on the
    regression rows of window k, which begins BLOCK - hac_lags rows after the one before.
    """
    J, p, d, K = wald.shape[1], len(forward) - 1, len(fixed), len(use)
    w, step = d + p, BLOCK - hac_lags
    P, W = p + p % 2, w + (-w) % 3  # filled up with zeros
    place, solved = room(p, d), np.empty(p)
    factor, own = place[0], place[1]
    own_map, lag_map, scores = np.zeros((J, P, W)), np.zeros((J, P, P)), np.zeros((J, P))
    basis, residual, leverage = np.zeros((K, W * BLOCK)), np.empty((K, BLOCK)), np.empty((K, BLOCK))
    work, e, h, spare = np.zeros(P * BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.zeros(3 * BLOCK)
    meat, whole = np.empty((J, P, P)), np.empty(J)
    for i in range(len(wald)):
        rss = own_fit(det_i, squares_i, fixed, i, floor, factor, own)
        if rss < 0.0:
            status[i] = NEEDS_ROWS
            continue
        for start in range(0, forward.shape[2], LANES):
            take_moments(forward, backward, gained_i, lost_i, gained_j, lost_j, i, start, place[2])
            solve(det_j, squares_j, start, rss, floor * squares_i[0, 0, i], floor, place)
            _write(i, start, place, cumulative, status)
            _write_maps(start, place, own_map, lag_map, scores)
        own_pass(values, effects[i], margin, columns, use, p, factor, own, step, e, basis, residual, leverage)
        meat[:] = 0.0
        whole[:] = 0.0
        for k in range(K):
            head = margin + k * step
            for j in range(J):
                if status[i, j] != OK:
                    continue
                orthonormal_lags(own_map, lag_map, p, j, basis, k, values, causes[j], head, work)
                if kind == HC3:
                    fit_with_leverage(work, scores, j, residual, leverage, k, e, h)
                    whole[j] += inflate(e, h, use, k)
                else:
                    fit(work, scores, j, residual, k, e)
                    select(e, use, k)
                if kind == HAC:
                    scale_and_box(work, p, e, hac_lags, spare)
                else:
                    scale(work, p, e)
                add_meat(work, p, meat, j)
        for j in range(J):
            value = -1.0
            if status[i, j] == OK and not (kind == HC3 and whole[j] > 0.0):
                value = _wald(meat[j], scores[j], p, solved)
            if value < 0.0:
                status[i, j] = NEEDS_ROWS
            else:
                wald[i, j] = value * (hac_lags + 1)  # the meat of boxes counts every date hac_lags + 1 times


__all__ = ["BLOCK", "HAC", "HC0", "HC3", "NEEDS_ROWS", "OK", "plain_tile", "robust_tile"]
