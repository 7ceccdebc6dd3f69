"""Compiled inner loops of the all-pairs Granger scan; every number has a plain twin in the tests.

Notes
-----
Deterministic terms and own lags of an effect are factorised once. Each cause then costs a small Schur complement (plain
F), and for a robust covariance one pass over the rows in blocks that stay in cache.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from analysis.stats.lagged import Floats, Ints

OK, NEEDS_ROWS = 0, 1
HC0, HC3, HAC = 0, 1, 2
BLOCK = 512
UNIT = 1e-9
_FAST = {"reassoc", "contract"}


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _cholesky(matrix: Floats, scale: Floats, size: int) -> float:
    """Factorise in place (lower); return the smallest squared pivot as a share of `scale`, or -1 when there is none."""
    least = 1.0
    for j in range(size):
        pivot = matrix[j, j]
        for c in range(j):
            pivot -= matrix[j, c] * matrix[j, c]
        if not (pivot > 0.0 and scale[j] > 0.0):
            return -1.0
        least = min(least, pivot / scale[j])
        root = math.sqrt(pivot)
        matrix[j, j] = root
        for i in range(j + 1, size):
            total = matrix[i, j]
            for c in range(j):
                total -= matrix[i, c] * matrix[j, c]
            matrix[i, j] = total / root
    return least


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _own_factor(gram: Floats, kept: Ints, factor: Floats, scale: Floats) -> float:
    """Factorise the block of deterministic terms and own lags; return its smallest relative pivot."""
    for a in range(len(kept)):
        for b in range(len(kept)):
            factor[a, b] = gram[kept[a], kept[b]]
        scale[a] = factor[a, a]
    return _cholesky(factor, scale, len(kept))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _forward(factor: Floats, size: int, vector: Floats) -> None:
    """Solve L v = v in place."""
    for a in range(size):
        total = vector[a]
        for c in range(a):
            total -= factor[a, c] * vector[c]
        vector[a] = total / factor[a, a]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _schur(
    gram: Floats, kept: Ints, factor: Floats, own: Floats, effect: int, cause: int, n: int, p: int, cross: Floats,
    block: Floats, scale: Floats, scores: Floats,
) -> float:  # fmt: skip
    """Partial the kept columns out of the cause's lags: fill cross (p, w), Schur factor, scores; return the pivot."""
    w = len(kept)
    for a in range(p):
        column = (a + 1) * n + cause
        for c in range(w):
            cross[a, c] = gram[kept[c], column]
        _forward(factor, w, cross[a])
        total = gram[effect, column]
        for c in range(w):
            total -= cross[a, c] * own[c]
        scores[a] = total
        scale[a] = gram[column, column]
        for b in range(a + 1):
            total = gram[(b + 1) * n + cause, column]
            for c in range(w):
                total -= cross[a, c] * cross[b, c]
            block[a, b] = total
    least = _cholesky(block, scale, p)
    if least > 0.0:
        _forward(block, p, scores)
    return least


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sum_of_coefficients(block: Floats, scores: Floats, p: int) -> float:
    """Return the sum of the coefficients L^{-T} s without forming them twice."""
    solved = scores.copy()
    total = 0.0
    for a in range(p - 1, -1, -1):
        value = solved[a]
        for b in range(a + 1, p):
            value -= block[b, a] * solved[b]
        solved[a] = value / block[a, a]
        total += solved[a]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _kept_columns(effect: int, n: int, p: int, d: int) -> Ints:
    kept = np.empty(d + p, dtype=np.int64)
    for c in range(d):
        kept[c] = n * (p + 1) + c
    for a in range(p):
        kept[d + a] = (a + 1) * n + effect
    return kept


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def plain_block(
    gram: Floats, n: int, p: int, d: int, nobs: int, effects: Ints, causes: Ints, floor: float,
    wald: Floats, cumulative: Floats, status: Ints,
) -> None:  # fmt: skip
    """Fill the plain Wald statistics of every (effect, cause) of the block from sums of products alone."""
    w = d + p
    factor, scale, own = np.empty((w, w)), np.empty(max(w, p)), np.empty(w)
    cross, block, scores = np.empty((p, w)), np.empty((p, p)), np.empty(p)
    for i in range(len(effects)):
        effect = effects[i]
        kept = _kept_columns(effect, n, p, d)
        rss = _own_fit(gram, kept, effect, floor, factor, scale, own)
        if rss < 0.0:
            status[i] = NEEDS_ROWS
            continue
        for j in range(len(causes)):
            least = _schur(gram, kept, factor, own, effect, causes[j], n, p, cross, block, scale, scores)
            gain = _gain(scores)
            if not least >= floor or not rss - gain > floor * gram[effect, effect]:
                status[i, j] = NEEDS_ROWS
                continue
            wald[i, j] = gain / (rss - gain) * (nobs - w - p)
            cumulative[i, j] = _sum_of_coefficients(block, scores, p)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _own_pass(
    series: Floats, columns: Floats, use: Floats, effect: int, p: int, factor: Floats, own: Floats, basis: Floats,
    residual: Floats, leverage: Floats,
) -> None:  # fmt: skip
    """Fill the orthonormal own columns (w, T), the restricted residual and the own leverage; zero on unused rows."""
    d, T = columns.shape
    basis[:, :p] = 0.0
    for c in range(d + p):
        for t in range(p, T):
            basis[c, t] = (columns[c, t] if c < d else series[effect, t - (c - d + 1)]) * use[t]
        for b in range(c):
            share = factor[c, b]
            for t in range(T):
                basis[c, t] -= share * basis[b, t]
        inverse = 1.0 / factor[c, c]
        for t in range(T):
            basis[c, t] *= inverse
    for t in range(T):
        residual[t] = series[effect, t] * use[t]
        leverage[t] = 0.0
    for c in range(d + p):
        share = own[c]
        for t in range(T):
            residual[t] -= share * basis[c, t]
            leverage[t] += basis[c, t] * basis[c, t]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _maps(cross: Floats, block: Floats, own_map: Floats, lag_map: Floats) -> None:
    """Fill the maps from own basis (p, w) and from the cause's raw lags (p, p) to its orthonormal lags."""
    p, w = cross.shape
    for a in range(p):
        inverse = 1.0 / block[a, a]
        for c in range(w):
            total = -cross[a, c]
            for b in range(a):
                total -= block[a, b] * own_map[b, c]
            own_map[a, c] = total * inverse
        for c in range(p):
            total = 1.0 if c == a else 0.0
            for b in range(a):
                total -= block[a, b] * lag_map[b, c]
            lag_map[a, c] = total * inverse


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _add3(out: Floats, s: float, x: Floats, r: float, y: Floats, q: float, z: Floats) -> None:
    for t in range(len(out)):
        out[t] += s * x[t] + r * y[t] + q * z[t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _add2(out: Floats, s: float, x: Floats, r: float, y: Floats) -> None:
    for t in range(len(out)):
        out[t] += s * x[t] + r * y[t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _add1(out: Floats, s: float, x: Floats) -> None:
    for t in range(len(out)):
        out[t] += s * x[t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _orthonormal_lags(
    own_map: Floats, lag_map: Floats, basis: Floats, values: Floats, start: int, stop: int, work: Floats
) -> None:
    """Fill the cause's orthonormal lags (p, rows) of rows start..stop-1, several terms at a time to spare memory."""
    p, w = own_map.shape
    for a in range(p):
        out = work[a, : stop - start]
        out[:] = 0.0
        for c in range(0, w - 2, 3):
            one, two, three = basis[c, start:stop], basis[c + 1, start:stop], basis[c + 2, start:stop]
            _add3(out, own_map[a, c], one, own_map[a, c + 1], two, own_map[a, c + 2], three)
        for c in range(w - w % 3, w):
            _add1(out, own_map[a, c], basis[c, start:stop])
        for b in range(0, a, 2):
            one, two = values[start - b - 1 : stop - b - 1], values[start - b - 2 : stop - b - 2]
            _add2(out, lag_map[a, b], one, lag_map[a, b + 1], two)
        if a % 2 == 0:
            _add1(out, lag_map[a, a], values[start - a - 1 : stop - a - 1])


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _residual_and_leverage(work: Floats, scores: Floats, use: Floats, e: Floats, h: Floats) -> float:
    """Take the cause's share out of the residuals e, add it to the leverages h; return the largest leverage."""
    size = len(e)
    for a in range(len(scores)):
        score, row = scores[a], work[a]
        for t in range(size):
            e[t] -= score * row[t]
            h[t] += row[t] * row[t]
    largest = 0.0
    for t in range(size):
        e[t] *= use[t]
        h[t] *= use[t]
        largest = max(largest, h[t])
    return largest


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _add_meat(work: Floats, weights: Floats, scratch: Floats, meat: Floats) -> None:
    """Add the weighted products of the orthonormal lags over one block of rows."""
    size = len(weights)
    for a in range(len(meat)):
        for t in range(size):
            scratch[t] = work[a, t] * weights[t]
        for b in range(a + 1):
            row = work[b]
            total = 0.0
            for t in range(size):
                total += scratch[t] * row[t]
            meat[a, b] += total


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _cause_pass(
    own_map: Floats, lag_map: Floats, scores: Floats, values: Floats, use: Floats, kind: int, basis: Floats,
    residual: Floats, leverage: Floats, work: Floats, rows: Floats, meat: Floats, products: Floats,
) -> float:  # fmt: skip
    """Fill the meat (p, p), or for HAC the padded products, in one pass over the rows; return the largest leverage."""
    p, T = len(scores), len(values)
    margin = (products.shape[1] - T + 1) // 2
    meat[:] = 0.0
    largest = 0.0
    for start in range(p, T, BLOCK):
        stop = min(T, start + BLOCK)
        size = stop - start
        e, h = rows[0, :size], rows[1, :size]
        e[:] = residual[start:stop]
        h[:] = leverage[start:stop]
        _orthonormal_lags(own_map, lag_map, basis, values, start, stop, work)
        largest = max(largest, _residual_and_leverage(work, scores, use[start:stop], e, h))
        if kind == HAC:
            for a in range(p):
                for t in range(size):
                    products[a, margin + start + t] = work[a, t] * e[t]
            continue
        for t in range(size):
            e[t] *= e[t]
        if kind == HC3:
            for t in range(size):
                gap = max(1.0 - h[t], UNIT)
                e[t] /= gap * gap
        _add_meat(work, e, h, meat)
    return largest


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _bartlett(products: Floats, boxes: Floats, lags: int, meat: Floats) -> None:
    """Fill the meat with outer products of box sums over lags + 1 dates, divided by their number.

    `products` (p, lags + 1 + T + lags) is zero in its margins, `boxes` is (p, T + lags).
    """
    p, length = boxes.shape
    for a in range(p):
        for t in range(length):
            boxes[a, t] = products[a, t + lags + 1] - products[a, t]
        running = 0.0
        for t in range(length):
            running += boxes[a, t]
            boxes[a, t] = running
        for b in range(a + 1):
            total = 0.0
            for t in range(length):
                total += boxes[a, t] * boxes[b, t]
            meat[a, b] = total / (lags + 1)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _wald(meat: Floats, scores: Floats, scale: Floats, solved: Floats) -> float:
    """Return the Wald statistic, or -1 when the meat is singular to working precision."""
    p = len(scores)
    for a in range(p):
        scale[a] = meat[a, a]
        solved[a] = scores[a]
    if not _cholesky(meat, scale, p) >= 1e-13:
        return -1.0
    _forward(meat, p, solved)
    total = 0.0
    for a in range(p):
        total += solved[a] * solved[a]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _own_fit(gram: Floats, kept: Ints, effect: int, floor: float, factor: Floats, scale: Floats, own: Floats) -> float:
    """Fit the restricted model from sums of products; return its residual sum, or -1 when the rows are needed."""
    if not _own_factor(gram, kept, factor, scale) >= floor:
        return -1.0
    rss = gram[effect, effect]
    for c in range(len(kept)):
        own[c] = gram[kept[c], effect]
    _forward(factor, len(kept), own)
    for c in range(len(kept)):
        rss -= own[c] * own[c]
    return rss if rss > floor * gram[effect, effect] else -1.0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _gain(scores: Floats) -> float:
    total = 0.0
    for a in range(len(scores)):
        total += scores[a] * scores[a]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def robust_block(
    gram: Floats, series: Floats, columns: Floats, use: Floats, p: int, effects: Ints, causes: Ints, floor: float,
    kind: int, hac_lags: int, wald: Floats, cumulative: Floats, status: Ints,
) -> None:  # fmt: skip
    """Fill the robust Wald statistics of every (effect, cause) of the block.

    `series` is (N, T) and `columns` (d, T), zero where a value is missing; `use` (T,) is one on regression rows.
    """
    n, T = series.shape
    d = columns.shape[0]
    w = d + p
    factor, scale, own = np.empty((w, w)), np.empty(max(w, p)), np.empty(w)
    cross, block, scores, solved = np.empty((p, w)), np.empty((p, p)), np.empty(p), np.empty(p)
    own_map, lag_map = np.empty((p, w)), np.empty((p, p))
    basis, residual, leverage = np.empty((w, T)), np.empty(T), np.empty(T)
    work, rows, meat = np.empty((p, BLOCK)), np.empty((2, BLOCK)), np.empty((p, p))
    long = T if kind == HAC else 0
    products, boxes = np.zeros((p, long + 2 * hac_lags + 1)), np.empty((p, long + hac_lags))
    for i in range(len(effects)):
        effect = effects[i]
        kept = _kept_columns(effect, n, p, d)
        rss = _own_fit(gram, kept, effect, floor, factor, scale, own)
        if rss < 0.0:
            status[i] = NEEDS_ROWS
            continue
        _own_pass(series, columns, use, effect, p, factor, own, basis, residual, leverage)
        for j in range(len(causes)):
            least = _schur(gram, kept, factor, own, effect, causes[j], n, p, cross, block, scale, scores)
            if not least >= floor or not rss - _gain(scores) > floor * gram[effect, effect]:
                status[i, j] = NEEDS_ROWS
                continue
            _maps(cross, block, own_map, lag_map)
            largest = _cause_pass(own_map, lag_map, scores, series[causes[j]], use, kind, basis, residual, leverage,
                                  work, rows, meat, products)  # fmt: skip
            if largest >= 1.0 - UNIT:
                status[i, j] = NEEDS_ROWS
                continue
            if kind == HAC:
                _bartlett(products, boxes, hac_lags, meat)
            value = _wald(meat, scores, scale, solved)
            if value < 0.0:
                status[i, j] = NEEDS_ROWS
                continue
            wald[i, j] = value
            cumulative[i, j] = _sum_of_coefficients(block, scores, p)
