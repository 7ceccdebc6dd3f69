"""Compiled inner loops of the all-pairs Granger scan; every number has a plain twin in the tests.

Notes
-----
Deterministic terms and own lags of an effect are factorised once. The small Schur complements of a tile of causes are
then worked out side by side, one cause a lane, so that every step is a pass over contiguous memory.
"""

from __future__ import annotations

import math

import numpy as np

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
_STRIP = 32
_FAST = {"reassoc", "contract"}


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def centered(series: Floats, terms: Floats, coefficients: Floats, first: int, out: Floats) -> None:
    """Fill out (N, T) with the rows of series (n, N) from `first` on, freed of their terms; a missing value is zero."""
    N, T, d = out.shape[0], out.shape[1], terms.shape[1]
    strip = np.empty((N, _STRIP))
    for start in range(0, T, _STRIP):
        length = min(_STRIP, T - start)
        for t in range(length):
            row, term = series[first + start + t], terms[first + start + t]
            for i in range(N):
                strip[i, t] = row[i]
            for c in range(d):
                for i in range(N):
                    strip[i, t] -= term[c] * coefficients[c, i]
        for i in range(N):
            line, target = strip[i], out[i, start : start + length]
            for t in range(length):
                target[t] = 0.0 if line[t] != line[t] else line[t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def own_products(values: Floats, margin: int, reach: int, out: Floats) -> None:
    """Fill out (reach + 1, reach + 1, N): sums of products of every series with itself over a run of rows."""
    n, total = values.shape
    for i in range(n):
        row = values[i]
        for b in range(reach + 1):
            at, later, product = row[margin:], row[margin - b : total - b], 0.0
            for t in range(len(at)):
                product += at[t] * later[t]
            out[0, b, i] = out[b, 0, i] = product
        for a in range(reach):
            for b in range(reach):
                edge = row[margin - 1 - a] * row[margin - 1 - b] - row[total - 1 - a] * row[total - 1 - b]
                out[a + 1, b + 1, i] = out[a, b, i] + edge


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _moments_of(
    i: int, forward: Floats, backward: Floats, first_i: Floats, last_i: Floats, first_j: Floats, last_j: Floats,
    out: Floats,
) -> None:  # fmt: skip
    """Fill out (p + 1, p + 1, J) for one effect: a further lag gains a row and loses one."""
    size = len(out)
    for b in range(size):
        out[0, b] = forward[b, i]
        out[b, 0] = backward[b, i]
    for a in range(size - 1):
        gained, lost = first_i[i, a], last_i[i, a]
        for b in range(size - 1):
            row, before, x, z = out[a + 1, b + 1], out[a, b], first_j[b], last_j[b]
            for j in range(len(row)):
                row[j] = before[j] + gained * x[j] - lost * z[j]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def run_moments(
    forward: Floats, backward: Floats, first_i: Floats, last_i: Floats, first_j: Floats, last_j: Floats, out: Floats
) -> None:
    """Fill out (I, p + 1, p + 1, J) from the products with one side at lag 0.

    `forward` (p + 1, I, J) has the cause lagged, `backward` the effect; `first_i` (I, p) and `last_i` hold the row
    before the first and the last row at each lag, `first_j` (p, J) and `last_j` those of the causes.
    """
    for i in range(len(out)):
        _moments_of(i, forward, backward, first_i, last_i, first_j, last_j, out[i])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _cholesky(matrix: Floats, size: int) -> float:
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
def _own_fit(
    det: Floats, squares: Floats, fixed: Floats, effect: int, floor: float, factor: Floats, own: Floats
) -> float:
    """Fit deterministic terms and own lags: fill factor (w, w) and scores (w,); return the residual sum, or -1.

    `det` (d, p + 1, I), `squares` (p + 1, p + 1, I) and `fixed` (d, d) hold the sums of products.
    """
    d, p = len(fixed), len(squares) - 1
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
    if not _cholesky(factor, d + p) >= floor:
        return -1.0
    rss = squares[0, 0, effect]
    for a in range(d + p):
        for c in range(a):
            own[a] -= factor[a, c] * own[c]
        own[a] /= factor[a, a]
        rss -= own[a] * own[a]
    return rss if rss > floor * squares[0, 0, effect] else -1.0


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _drop(out: Floats, share: float, x: Floats) -> None:
    for j in range(len(out)):
        out[j] -= share * x[j]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _drop_product(out: Floats, x: Floats, y: Floats) -> None:
    for j in range(len(out)):
        out[j] -= x[j] * y[j]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _divide(out: Floats, x: Floats) -> None:
    for j in range(len(out)):
        out[j] /= x[j]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _root(pivot: Floats, scale: Floats, least: Floats) -> None:
    """Take the root of the pivots and keep the smallest share of the scale; a lane without a pivot goes on with one."""
    for j in range(len(pivot)):
        good = pivot[j] > 0.0 and scale[j] > 0.0
        least[j] = min(least[j], pivot[j] / scale[j] if good else -1.0)
        pivot[j] = math.sqrt(pivot[j]) if good else 1.0


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _partial_out(
    moments: Floats, det: Floats, squares: Floats, factor: Floats, own: Floats, cross: Floats, block: Floats,
    scores: Floats, least: Floats,
) -> None:  # fmt: skip
    """Partial the kept columns out of every cause's lags.

    Fill cross (p, w, J), the Schur factors (p, p, J), the scores (p, J) and the smallest pivots (J,) from moments
    (p + 1, p + 1, J) with the effect, and det (d, p + 1, J), squares (p + 1, p + 1, J) of the causes.
    """
    p, w, d = len(cross), cross.shape[1], len(det)
    for b in range(p):
        for c in range(w):
            row = cross[b, c]
            row[:] = det[c, b + 1] if c < d else moments[c - d + 1, b + 1]
            for k in range(c):
                _drop(row, factor[c, k], cross[b, k])
            row *= 1.0 / factor[c, c]
        scores[b] = moments[0, b + 1]
        for c in range(w):
            _drop(scores[b], own[c], cross[b, c])
        for a in range(b + 1):
            block[b, a] = squares[b + 1, a + 1]
            for c in range(w):
                _drop_product(block[b, a], cross[a, c], cross[b, c])
    least[:] = 1.0
    for j in range(p):
        for i in range(j, p):
            for c in range(j):
                _drop_product(block[i, j], block[i, c], block[j, c])
        _root(block[j, j], squares[j + 1, j + 1], least)
        for i in range(j + 1, p):
            _divide(block[i, j], block[j, j])
        for c in range(j):
            _drop_product(scores[j], block[j, c], scores[c])
        _divide(scores[j], block[j, j])


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _finish(
    block: Floats, scores: Floats, least: Floats, rss: float, floor: float, limit: float, solved: Floats, gain: Floats,
    cumulative: Floats, status: Ints,
) -> None:  # fmt: skip
    """Fill the explained sums, the sums of the coefficients, and which causes need their rows."""
    p = len(scores)
    gain[:] = 0.0
    for a in range(p):
        _drop_product(gain, scores[a], scores[a])
    gain *= -1.0
    cumulative[:] = 0.0
    for a in range(p - 1, -1, -1):
        solved[a] = scores[a]
        for b in range(a + 1, p):
            _drop_product(solved[a], block[b, a], solved[b])
        _divide(solved[a], block[a, a])
        cumulative += solved[a]
    for j in range(len(gain)):
        sound = least[j] >= floor and rss - gain[j] > limit
        status[j] = OK if sound else NEEDS_ROWS


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def plain_tile(
    moments: Floats, det_i: Floats, squares_i: Floats, det_j: Floats, squares_j: Floats, fixed: Floats, nobs: int,
    floor: float, wald: Floats, cumulative: Floats, status: Ints,
) -> None:  # fmt: skip
    """Fill the plain Wald statistics of a tile (I, J) from sums of products alone."""
    room = _room(moments.shape[1] - 1, len(fixed), moments.shape[3])
    for i in range(len(moments)):
        _plain_row(i, moments[i], det_i, squares_i, det_j, squares_j, fixed, nobs, floor, room,
                   wald[i], cumulative[i], status[i])  # fmt: skip


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def plain_run_tile(
    forward: Floats, backward: Floats, first_i: Floats, last_i: Floats, first_j: Floats, last_j: Floats,
    det_i: Floats, squares_i: Floats, det_j: Floats, squares_j: Floats, fixed: Floats, nobs: int,
    floor: float, wald: Floats, cumulative: Floats, status: Ints,
) -> None:  # fmt: skip
    """Do what `run_moments` and `plain_tile` do, with the moments of one effect at a time in fast memory."""
    size, count, J = forward.shape
    room, moments = _room(size - 1, len(fixed), J), np.empty((size, size, J))
    for i in range(count):
        _moments_of(i, forward, backward, first_i, last_i, first_j, last_j, moments)
        _plain_row(i, moments, det_i, squares_i, det_j, squares_j, fixed, nobs, floor, room,
                   wald[i], cumulative[i], status[i])  # fmt: skip


_Room = tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _room(p: int, d: int, J: int) -> _Room:
    """Return the working arrays of one effect against J causes."""
    w = d + p
    return (np.empty((w, w)), np.empty(w), np.empty((p, w, J)), np.empty((p, p, J)), np.empty((p, J)),
            np.empty((p, J)), np.empty(J), np.empty(J))  # fmt: skip


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _plain_row(
    i: int, moments: Floats, det_i: Floats, squares_i: Floats, det_j: Floats, squares_j: Floats, fixed: Floats,
    nobs: int, floor: float, room: _Room, wald: Floats, cumulative: Floats, status: Ints,
) -> None:  # fmt: skip
    """Fill the plain Wald statistics of one effect against all causes of a tile."""
    factor, own, cross, block, scores, solved, least, gain = room
    rss = _own_fit(det_i, squares_i, fixed, i, floor, factor, own)
    if rss < 0.0:
        status[:] = NEEDS_ROWS
        return
    _partial_out(moments, det_j, squares_j, factor, own, cross, block, scores, least)
    _finish(block, scores, least, rss, floor, floor * squares_i[0, 0, i], solved, gain, cumulative, status)
    for j in range(len(wald)):
        if status[j] == OK:
            wald[j] = gain[j] / (rss - gain[j]) * (nobs - len(own) - len(scores))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _maps(cross: Floats, block: Floats, j: int, own_map: Floats, lag_map: Floats) -> None:
    """Fill cause j's maps from own basis (P, W) and from its raw lags (P, P) to its orthonormal lags."""
    p, w, _ = cross.shape
    for a in range(p):
        inverse = 1.0 / block[a, a, j]
        for c in range(w):
            total = -cross[a, c, j]
            for b in range(a):
                total -= block[a, b, j] * own_map[b, c]
            own_map[a, c] = total * inverse
        for c in range(a + 1):
            total = 1.0 if c == a else 0.0
            for b in range(c, a):
                total -= block[a, b, j] * lag_map[b, c]
            lag_map[a, c] = total * inverse


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _wald(meat: Floats, scores: Floats, p: int, solved: Floats) -> float:
    """Return the Wald statistic, or -1 when the meat is singular to working precision."""
    if not _cholesky(meat, p) >= 1e-13:
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
    moments: Floats, det_i: Floats, squares_i: Floats, det_j: Floats, squares_j: Floats, fixed: Floats,
    values: Floats, margin: int, columns: Floats, use: Floats, effects: Ints, causes: Ints, floor: float, kind: int,
    hac_lags: int, wald: Floats, cumulative: Floats, status: Ints,
) -> None:  # fmt: skip
    """Fill the robust Wald statistics of a tile (I, J): sums of products first, then one pass over windows of rows.

    `values` is (N, margin + ...) and `columns` (d, ...), zero where a value is missing; `use` (K, BLOCK) is one on the
    regression rows of window k, which begins BLOCK - hac_lags rows after the one before.
    """
    count, J, p, d, K = len(moments), moments.shape[3], moments.shape[1] - 1, len(fixed), len(use)
    w, step = d + p, BLOCK - hac_lags
    P, W = p + p % 2, w + (-w) % 3  # filled up with zeros
    factor, own, least, gain = np.empty((w, w)), np.empty(w), np.empty(J), np.empty(J)
    cross, block, lanes, solved = np.empty((p, w, J)), np.empty((p, p, J)), np.empty((p, J)), np.empty((p, J))
    own_map, lag_map, scores = np.zeros((J, P, W)), np.zeros((J, P, P)), np.zeros((J, P))
    basis, residual, leverage = np.zeros((K, W * BLOCK)), np.empty((K, BLOCK)), np.empty((K, BLOCK))
    work, e, h, spare = np.zeros(P * BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.zeros(3 * BLOCK)
    meat, whole = np.empty((J, P, P)), np.empty(J)
    for i in range(count):
        rss = _own_fit(det_i, squares_i, fixed, i, floor, factor, own)
        if rss < 0.0:
            status[i] = NEEDS_ROWS
            continue
        _partial_out(moments[i], det_j, squares_j, factor, own, cross, block, lanes, least)
        limit = floor * squares_i[0, 0, i]
        _finish(block, lanes, least, rss, floor, limit, solved, gain, cumulative[i], status[i])
        own_pass(values, effects[i], margin, columns, use, p, factor, own, step, e, basis, residual, leverage)
        for j in range(J):
            _maps(cross, block, j, own_map[j], lag_map[j])
            scores[j, :p] = lanes[:, j]
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
                value = _wald(meat[j], scores[j], p, solved[:, 0])
            if value < 0.0:
                status[i, j] = NEEDS_ROWS
            else:
                wald[i, j] = value * (hac_lags + 1)  # the meat of boxes counts every date hac_lags + 1 times


__all__ = ["BLOCK", "HAC", "HC0", "HC3", "NEEDS_ROWS", "OK", "centered", "own_products", "plain_run_tile", "plain_tile",
           "robust_tile", "run_moments"]  # fmt: skip
