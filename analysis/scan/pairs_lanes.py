"""Compiled least squares of many causes side by side: one effect's own columns once, then 64 causes at a time.

Notes
-----
Deterministic terms and own lags of an effect are factorised once. What remains for a cause is a factorisation of its
p lags, and every step of it is done for LANES causes in one pass over contiguous memory. The arrays of a pass are flat,
with a row of LANES numbers at a time, so that the compiler knows every trip count and that rows do not overlap; tiles
are filled up with zeros to a multiple of LANES, and what those lanes give is dropped.
"""

from __future__ import annotations

import math

import numpy as np

from analysis.stats.compiled import njit, uint64
from analysis.stats.lagged import Floats

LANES = 64
LEAST, MOST = 1e-200, 1e200  # sums of squares of a series whose products a float holds with digits to spare
_FAST = {"reassoc", "contract"}

Room = tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def room(p: int, d: int) -> Room:
    """Return the working arrays of one effect against LANES causes, as `solve` fills them."""
    w = d + p
    return (np.empty((w, w)), np.empty(w), np.empty((p + 1) * (p + 1) * LANES), np.empty(p * w * LANES),
            np.empty(p * p * LANES), np.empty(p * LANES), np.empty(p * LANES), np.empty(LANES), np.empty(LANES),
            np.empty(LANES))  # fmt: skip


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def cholesky(matrix: Floats, size: int) -> float:
    """Factorise in place (lower); return the smallest squared pivot as a share of its diagonal, or -1."""
    least = 1.0
    for j in range(size):
        scale = matrix[j, j]
        pivot = scale
        for c in range(j):
            pivot -= matrix[j, c] * matrix[j, c]
        if not (pivot > 0.0 and scale > 0.0):
            return -1.0
        least = min(least, pivot / scale)
        root = math.sqrt(pivot)
        matrix[j, j] = root
        for i in range(j + 1, size):
            total = matrix[i, j]
            for c in range(j):
                total -= matrix[i, c] * matrix[j, c]
            matrix[i, j] = total / root
    return least


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def own_fit(
    det: Floats, squares: Floats, fixed: Floats, effect: int, floor: float, factor: Floats, own: Floats
) -> float:
    """Fit deterministic terms and own lags: fill factor (w, w) and scores (w,); return the residual sum, or -1.

    `det` (d, p + 1, I), `squares` (p + 1, p + 1, I) and `fixed` (d, d) hold the sums of products.
    """
    d, p = len(fixed), len(squares) - 1
    if not LEAST < squares[0, 0, effect] < MOST:
        return -1.0
    for c in range(d):
        for b in range(c + 1):
            factor[c, b] = fixed[c, b]
        own[c] = det[c, 0, effect]
    for a in range(p):
        for c in range(d):
            factor[d + a, c] = det[c, a + 1, effect]
        for b in range(a + 1):
            factor[d + a, d + b] = squares[a + 1, b + 1, effect]
        own[d + a] = squares[0, a + 1, effect]
    if not cholesky(factor, d + p) >= floor:
        return -1.0
    rss = squares[0, 0, effect]
    for a in range(d + p):
        for c in range(a):
            own[a] -= factor[a, c] * own[c]
        own[a] /= factor[a, a]
        rss -= own[a] * own[a]
    return rss if rss > floor * squares[0, 0, effect] else -1.0


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def take_moments(
    forward: Floats, backward: Floats, gained_i: Floats, lost_i: Floats, gained_j: Floats, lost_j: Floats, i: int,
    start: int, out: Floats,
) -> None:  # fmt: skip
    """Fill out with the sums of effect i at every lag and the causes from `start` on at every lag.

    `forward` (p + 1, I, J) has the cause lagged, `backward` the effect. In every run of rows a further lag gains one
    and loses one: `gained_i` (I, S, p) and `lost_i` of the effects, `gained_j` (S, p, J) and `lost_j` of the causes.
    """
    size, first = len(forward), uint64(start)
    for b in range(size):
        one, other = uint64(b * LANES), uint64(b * size * LANES)
        for lane in range(LANES):
            out[one + uint64(lane)] = forward[b, i, first + uint64(lane)]
        for lane in range(LANES):
            out[other + uint64(lane)] = backward[b, i, first + uint64(lane)]
    for a in range(size - 1):
        for b in range(size - 1):
            at, before = uint64(((a + 1) * size + b + 1) * LANES), uint64((a * size + b) * LANES)
            gained, lost = gained_i[i, 0, a], lost_i[i, 0, a]
            for lane in range(LANES):
                q = uint64(lane)
                out[at + q] = out[before + q] + gained * gained_j[0, b, first + q] - lost * lost_j[0, b, first + q]
            for run in range(1, gained_i.shape[1]):
                gained, lost = gained_i[i, run, a], lost_i[i, run, a]
                for lane in range(LANES):
                    q = uint64(lane)
                    out[at + q] += gained * gained_j[run, b, first + q] - lost * lost_j[run, b, first + q]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _drop(out: Floats, at: int, share: float, x: Floats, one: int) -> None:
    """Take a share of row `one` of x away from row `at` of out."""
    to, source = uint64(at * LANES), uint64(one * LANES)
    for lane in range(LANES):
        out[to + uint64(lane)] -= share * x[source + uint64(lane)]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _drop_product(out: Floats, at: int, x: Floats, one: int, y: Floats, other: int) -> None:
    """Take the product of row `one` of x and row `other` of y away from row `at` of out."""
    to, left, right = uint64(at * LANES), uint64(one * LANES), uint64(other * LANES)
    for lane in range(LANES):
        q = uint64(lane)
        out[to + q] -= x[left + q] * y[right + q]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _scale(out: Floats, at: int, factors: Floats, one: int) -> None:
    """Multiply row `at` of out by row `one` of the factors."""
    to, source = uint64(at * LANES), uint64(one * LANES)
    for lane in range(LANES):
        out[to + uint64(lane)] *= factors[source + uint64(lane)]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _copy(out: Floats, at: int, x: Floats, one: int) -> None:
    """Copy row `one` of x to row `at` of out."""
    to, source = uint64(at * LANES), uint64(one * LANES)
    for lane in range(LANES):
        out[to + uint64(lane)] = x[source + uint64(lane)]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _copy_sums(out: Floats, at: int, sums: Floats, a: int, b: int, start: int) -> None:
    """Copy sums[a, b] of the causes from `start` on to row `at` of out."""
    to, first = uint64(at * LANES), uint64(start)
    for lane in range(LANES):
        out[to + uint64(lane)] = sums[a, b, first + uint64(lane)]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _partial_out(
    moments: Floats, det: Floats, squares: Floats, start: int, factor: Floats, own: Floats, cross: Floats,
    block: Floats, scores: Floats,
) -> None:  # fmt: skip
    """Partial the kept columns out of every cause's lags: fill cross (p, w), block (p, p) and scores (p) by lane."""
    d, p = len(det), len(squares) - 1
    w, size = d + p, p + 1
    for b in range(p):
        _copy(scores, b, moments, b + 1)
        for c in range(w):
            at = b * w + c
            if c < d:
                _copy_sums(cross, at, det, c, b + 1, start)
            else:
                _copy(cross, at, moments, (c - d + 1) * size + b + 1)
            for k in range(c):
                _drop(cross, at, factor[c, k], cross, b * w + k)
            inverse, place = 1.0 / factor[c, c], uint64(at * LANES)
            for lane in range(LANES):
                cross[place + uint64(lane)] *= inverse
            _drop(scores, b, own[c], cross, at)
        for a in range(b + 1):
            _copy_sums(block, b * p + a, squares, b + 1, a + 1, start)
            for c in range(w):
                _drop_product(block, b * p + a, cross, a * w + c, cross, b * w + c)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _factorise(squares: Floats, start: int, floor: float, p: int, block: Floats, scores: Floats, sound: Floats) -> None:
    """Factorise the blocks in place, the inverse of each pivot's root on the diagonal, and solve for the scores.

    A lane is sound (1.0) while each of its pivots keeps the share `floor` of its column; one without goes on with one.
    """
    first = uint64(start)
    for lane in range(LANES):
        sound[lane] = 1.0
    for j in range(p):
        for i in range(j, p):
            for c in range(j):
                _drop_product(block, i * p + j, block, i * p + c, block, j * p + c)
        at = uint64((j * p + j) * LANES)
        for lane in range(LANES):
            q = uint64(lane)
            pivot, scale = block[at + q], squares[j + 1, j + 1, first + q]
            good = pivot >= floor * scale and scale > LEAST and scale < MOST
            sound[lane] = sound[lane] if good else 0.0
            block[at + q] = 1.0 / math.sqrt(pivot) if good else 1.0
        for i in range(j + 1, p):
            _scale(block, i * p + j, block, j * p + j)
        for c in range(j):
            _drop_product(scores, j, block, j * p + c, scores, c)
        _scale(scores, j, block, j * p + j)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _sums(block: Floats, scores: Floats, p: int, solved: Floats, gain: Floats, cumulative: Floats) -> None:
    """Fill the explained sums of squares and the sums of the coefficients."""
    for lane in range(LANES):
        gain[lane] = cumulative[lane] = 0.0
    for a in range(p - 1, -1, -1):
        at = uint64(a * LANES)
        for lane in range(LANES):
            value = scores[at + uint64(lane)]
            gain[lane] += value * value
            solved[at + uint64(lane)] = value
        for b in range(a + 1, p):
            _drop_product(solved, a, block, b * p + a, solved, b)
        _scale(solved, a, block, a * p + a)
        for lane in range(LANES):
            cumulative[lane] += solved[at + uint64(lane)]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def solve(det: Floats, squares: Floats, start: int, rss: float, limit: float, floor: float, room: Room) -> None:
    """Fit the causes from `start` on, beside the effect whose own fit and moments are in the room.

    `det` (d, p + 1, J) and `squares` (p + 1, p + 1, J) are the causes' sums, J a multiple of LANES. A lane stays sound
    while its columns are far enough from collinear and the effect keeps a residual sum above `limit`.
    """
    factor, own, moments, cross, block, scores, solved, sound, gain, cumulative = room
    p = len(squares) - 1
    _partial_out(moments, det, squares, start, factor, own, cross, block, scores)
    _factorise(squares, start, floor, p, block, scores, sound)
    _sums(block, scores, p, solved, gain, cumulative)
    for lane in range(LANES):
        if not rss - gain[lane] > limit:
            sound[lane] = 0.0


__all__ = ["LANES", "Room", "cholesky", "own_fit", "room", "solve", "take_moments"]
