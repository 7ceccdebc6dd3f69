"""Compiled passes over windows of rows: a cause's orthonormal lags, residuals, leverages, and the meat of their scores.

Notes
-----
A window has a fixed length that stays in the first caches, and its arrays are flat with rows at fixed distances: the
compiler then knows every trip count and that rows do not overlap. Two lags are worked on at a time, so that a value
loaded once serves several products; the last of an odd number goes alone, and rows of zeros fill up what is missing.
Arrays are passed whole with unsigned positions, because cutting a slice costs as much as a dozen rows of work. Sums may
be reassociated by the compiler, always in the same way: same input, same bytes.
"""

from __future__ import annotations

from analysis.stats.compiled import njit, uint64
from analysis.stats.lagged import Floats

HC0, HC3, HAC = 0, 1, 2
BLOCK = 512
UNIT = 1e-9
_FAST = {"reassoc", "contract"}


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _two_lags(
    work: Floats, a: int, basis: Floats, k: int, own_map: Floats, values: Floats, cause: int, head: int,
    lag_map: Floats, j: int,
) -> None:  # fmt: skip
    """Write lags a and a + 1 from the first three rows of the own basis and the cause's first two raw lags."""
    one, at, before = uint64(a * BLOCK), uint64(head - 1), uint64(head - 2)
    two = one + uint64(BLOCK)
    c0, c1, c2, c3, c4 = own_map[j, a, 0], own_map[j, a, 1], own_map[j, a, 2], lag_map[j, a, 0], lag_map[j, a, 1]
    b = a + 1
    d0, d1, d2, d3, d4 = own_map[j, b, 0], own_map[j, b, 1], own_map[j, b, 2], lag_map[j, b, 0], lag_map[j, b, 1]
    for i in range(BLOCK):
        t = uint64(i)
        x, y, z = basis[k, t], basis[k, uint64(BLOCK) + t], basis[k, uint64(2 * BLOCK) + t]
        u, v = values[cause, at + t], values[cause, before + t]
        work[one + t] = c0 * x + c1 * y + c2 * z + c3 * u + c4 * v
        work[two + t] = d0 * x + d1 * y + d2 * z + d3 * u + d4 * v


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _add_own(work: Floats, a: int, basis: Floats, k: int, c: int, own_map: Floats, j: int) -> None:
    """Add three further rows of the own basis to lags a and a + 1."""
    one, at = uint64(a * BLOCK), uint64(c * BLOCK)
    two = one + uint64(BLOCK)
    c0, c1, c2 = own_map[j, a, c], own_map[j, a, c + 1], own_map[j, a, c + 2]
    d0, d1, d2 = own_map[j, a + 1, c], own_map[j, a + 1, c + 1], own_map[j, a + 1, c + 2]
    for i in range(BLOCK):
        t = uint64(i)
        s = at + t
        x, y, z = basis[k, s], basis[k, s + uint64(BLOCK)], basis[k, s + uint64(2 * BLOCK)]
        work[one + t] += c0 * x + c1 * y + c2 * z
        work[two + t] += d0 * x + d1 * y + d2 * z


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _add_raw(work: Floats, a: int, values: Floats, cause: int, head: int, b: int, lag_map: Floats, j: int) -> None:
    """Add the cause's raw lags b + 1 and b + 2 to lags a and a + 1."""
    one, at, before = uint64(a * BLOCK), uint64(head - b - 1), uint64(head - b - 2)
    two = one + uint64(BLOCK)
    c0, c1, d0, d1 = lag_map[j, a, b], lag_map[j, a, b + 1], lag_map[j, a + 1, b], lag_map[j, a + 1, b + 1]
    for i in range(BLOCK):
        t = uint64(i)
        x, y = values[cause, at + t], values[cause, before + t]
        work[one + t] += c0 * x + c1 * y
        work[two + t] += d0 * x + d1 * y


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _two_lags_of_six(
    work: Floats, a: int, basis: Floats, k: int, own_map: Floats, values: Floats, cause: int, head: int,
    lag_map: Floats, j: int,
) -> None:  # fmt: skip
    """Write lags a and a + 1 as `_two_lags` does, from six rows of the own basis at once."""
    one, at, before, b = uint64(a * BLOCK), uint64(head - 1), uint64(head - 2), a + 1
    two = one + uint64(BLOCK)
    c0, c1, c2, c3, c4 = own_map[j, a, 0], own_map[j, a, 1], own_map[j, a, 2], lag_map[j, a, 0], lag_map[j, a, 1]
    d0, d1, d2, d3, d4 = own_map[j, b, 0], own_map[j, b, 1], own_map[j, b, 2], lag_map[j, b, 0], lag_map[j, b, 1]
    c5, c6, c7, d5, d6, d7 = (own_map[j, a, 3], own_map[j, a, 4], own_map[j, a, 5],
                              own_map[j, b, 3], own_map[j, b, 4], own_map[j, b, 5])  # fmt: skip
    for i in range(BLOCK):
        t = uint64(i)
        x, y, z = basis[k, t], basis[k, uint64(BLOCK) + t], basis[k, uint64(2 * BLOCK) + t]
        q, r, s = basis[k, uint64(3 * BLOCK) + t], basis[k, uint64(4 * BLOCK) + t], basis[k, uint64(5 * BLOCK) + t]
        u, v = values[cause, at + t], values[cause, before + t]
        work[one + t] = (c0 * x + c1 * y + c2 * z + c3 * u) + (c4 * v + c5 * q + c6 * r + c7 * s)
        work[two + t] = (d0 * x + d1 * y + d2 * z + d3 * u) + (d4 * v + d5 * q + d6 * r + d7 * s)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _last_lag(
    work: Floats, a: int, basis: Floats, k: int, own_map: Floats, values: Floats, cause: int, head: int,
    lag_map: Floats, j: int,
) -> None:  # fmt: skip
    """Write lag a alone: the last of an odd number."""
    one = uint64(a * BLOCK)
    for c in range(0, own_map.shape[2], 3):
        c0, c1, c2, at, keep = own_map[j, a, c], own_map[j, a, c + 1], own_map[j, a, c + 2], uint64(c * BLOCK), c > 0
        for i in range(BLOCK):
            t = uint64(i)
            s = at + t
            before = work[one + t] if keep else 0.0
            work[one + t] = before + (c0 * basis[k, s] + c1 * basis[k, s + uint64(BLOCK)]
                                      + c2 * basis[k, s + uint64(2 * BLOCK)])  # fmt: skip
    for b in range(0, a + 1, 2):
        c0, c1, now, then = lag_map[j, a, b], lag_map[j, a, b + 1], uint64(head - b - 1), uint64(head - b - 2)
        for i in range(BLOCK):
            t = uint64(i)
            work[one + t] += c0 * values[cause, now + t] + c1 * values[cause, then + t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def orthonormal_lags(
    own_map: Floats, lag_map: Floats, p: int, j: int, basis: Floats, k: int, values: Floats, cause: int, head: int,
    work: Floats,
) -> None:  # fmt: skip
    """Fill cause j's p orthonormal lags (rows of BLOCK) in window k; `head` is the place of its first row in values."""
    W = own_map.shape[2]
    for a in range(0, p - 1, 2):
        if W >= 6:
            _two_lags_of_six(work, a, basis, k, own_map, values, cause, head, lag_map, j)
        else:
            _two_lags(work, a, basis, k, own_map, values, cause, head, lag_map, j)
        for c in range(6, W, 3):
            _add_own(work, a, basis, k, c, own_map, j)
        for b in range(2, a + 2, 2):
            _add_raw(work, a, values, cause, head, b, lag_map, j)
    if p % 2:
        _last_lag(work, p - 1, basis, k, own_map, values, cause, head, lag_map, j)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def fit(work: Floats, scores: Floats, j: int, residual: Floats, k: int, e: Floats) -> None:
    """Fill e with the residuals of the full regression."""
    for t in range(BLOCK):
        e[t] = residual[k, t]
    for a in range(0, scores.shape[1], 2):
        s, r, one = scores[j, a], scores[j, a + 1], uint64(a * BLOCK)
        for i in range(BLOCK):
            t = uint64(i)
            e[t] -= s * work[one + t] + r * work[one + uint64(BLOCK) + t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def fit_with_leverage(
    work: Floats, scores: Floats, j: int, residual: Floats, leverage: Floats, k: int, e: Floats, h: Floats
) -> None:
    """Fill e with the residuals of the full regression and h with its leverages."""
    for t in range(BLOCK):
        e[t] = residual[k, t]
        h[t] = leverage[k, t]
    for a in range(0, scores.shape[1], 2):
        s, r, one = scores[j, a], scores[j, a + 1], uint64(a * BLOCK)
        for i in range(BLOCK):
            t = uint64(i)
            x, y = work[one + t], work[one + uint64(BLOCK) + t]
            e[t] -= s * x + r * y
            h[t] += x * x + y * y


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def inflate(e: Floats, h: Floats, use: Floats, k: int) -> float:
    """Divide the residuals by one minus their leverage; return how many used rows have a leverage of one."""
    whole = 0.0
    for t in range(BLOCK):
        flag, gap = use[k, t], 1.0 - h[t]
        whole += flag if gap <= UNIT else 0.0
        e[t] *= flag / (gap if gap > UNIT else UNIT)
    return whole


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def select(e: Floats, use: Floats, k: int) -> None:
    """Set the residuals of unused rows to zero."""
    for t in range(BLOCK):
        e[t] *= use[k, t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def scale(work: Floats, p: int, e: Floats) -> None:
    """Turn the lags into scores."""
    for a in range(p):
        one = uint64(a * BLOCK)
        for i in range(BLOCK):
            work[one + uint64(i)] *= e[i]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _add_products(work: Floats, a: int, b: int, meat: Floats, j: int) -> None:
    """Add the four inner products of rows a, a + 1 with rows b, b + 1."""
    one, other = uint64(a * BLOCK), uint64(b * BLOCK)
    xu = xv = yu = yv = 0.0
    for i in range(BLOCK):
        t = uint64(i)
        x, y, u, v = work[one + t], work[one + uint64(BLOCK) + t], work[other + t], work[other + uint64(BLOCK) + t]
        xu += x * u
        xv += x * v
        yu += y * u
        yv += y * v
    meat[j, a, b] += xu
    meat[j, a, b + 1] += xv
    meat[j, a + 1, b] += yu
    meat[j, a + 1, b + 1] += yv


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _add_last_products(work: Floats, a: int, b: int, meat: Floats, j: int) -> None:
    """Add the inner products of row a with rows b, b + 1; past the last row they are zero."""
    one, other = uint64(a * BLOCK), uint64(b * BLOCK)
    xu = xv = 0.0
    for i in range(BLOCK):
        t = uint64(i)
        xu += work[one + t] * work[other + t]
        xv += work[one + t] * work[other + uint64(BLOCK) + t]
    meat[j, a, b] += xu
    meat[j, a, b + 1] += xv


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def add_meat(work: Floats, p: int, meat: Floats, j: int) -> None:
    """Add the inner products of the p score rows to the lower triangle of cause j's meat."""
    for a in range(0, p - 1, 2):
        for b in range(0, a + 2, 2):
            _add_products(work, a, b, meat, j)
    if p % 2:
        for b in range(0, p, 2):
            _add_last_products(work, p - 1, b, meat, j)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _double(spare: Floats, new: int, old: int, width: int) -> None:
    """Fill row `new` with sums over twice the width of row `old`."""
    to, at, back = uint64(new * BLOCK + width), uint64(old * BLOCK + width), uint64(old * BLOCK)
    for i in range(BLOCK - width):
        t = uint64(i)
        spare[to + t] = spare[at + t] + spare[back + t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _join(spare: Floats, box: int, now: int, done: int) -> None:
    """Add to row `box` the sums of row `now` that end where its own begin, `done` rows back."""
    to, back = uint64(box * BLOCK + done), uint64(now * BLOCK)
    for i in range(BLOCK - done):
        t = uint64(i)
        spare[to + t] += spare[back + t]


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def _box_sums(spare: Floats, lags: int, work: Floats, a: int) -> None:
    """Write to row a of work the sums over lags + 1 rows of row 0 of spare, doubling widths; the first `lags` are zero.

    Widths that are doubled leave no running total that could drift.
    """
    now, later, box = 0, 1, 2
    width, done, left = 1, 0, lags + 1
    while left > 1:
        if left % 2:
            if done:
                _join(spare, box, now, done)
            else:
                for t in range(BLOCK):
                    spare[uint64(2 * BLOCK) + uint64(t)] = spare[uint64(now * BLOCK) + uint64(t)]
            done += width
        left //= 2
        _double(spare, later, now, width)
        now, later = later, now
        width *= 2
    if done:
        _join(spare, box, now, done)
        now = box
    at, one = uint64(now * BLOCK), uint64(a * BLOCK)
    for i in range(BLOCK):
        t = uint64(i)
        work[one + t] = spare[at + t] if i >= lags else 0.0


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def scale_and_box(work: Floats, p: int, e: Floats, lags: int, spare: Floats) -> None:
    """Turn the lags into sums of scores over lags + 1 rows; the first `lags` rows of the window become zero."""
    for a in range(p):
        one = uint64(a * BLOCK)
        for i in range(BLOCK):
            t = uint64(i)
            spare[t] = work[one + t] * e[t]
        _box_sums(spare, lags, work, a)


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def own_pass(
    values: Floats, effect: int, margin: int, columns: Floats, use: Floats, p: int, factor: Floats, own: Floats,
    step: int, column: Floats, basis: Floats, residual: Floats, leverage: Floats,
) -> None:  # fmt: skip
    """Fill, window by window, the orthonormal own columns, the restricted residual and the own leverage.

    Window k begins `step` rows after window k - 1; everything is zero on unused rows. `column` is scratch.
    """
    d = len(columns)
    for k in range(len(use)):
        head = margin + k * step
        for c in range(d + p):
            one, at, source = uint64(c * BLOCK), uint64(max(head - (c - d + 1), 0)), uint64(k * step)
            if c < d:
                for i in range(BLOCK):
                    column[i] = columns[c, source + uint64(i)] * use[k, i]
            else:
                for i in range(BLOCK):
                    column[i] = values[effect, at + uint64(i)] * use[k, i]
            for b in range(c):
                share, other = factor[c, b], uint64(b * BLOCK)
                for i in range(BLOCK):
                    column[i] -= share * basis[k, other + uint64(i)]
            inverse = 1.0 / factor[c, c]
            for i in range(BLOCK):
                basis[k, one + uint64(i)] = inverse * column[i]
        at = uint64(head)
        for t in range(BLOCK):
            residual[k, t] = values[effect, at + uint64(t)] * use[k, t]
            leverage[k, t] = 0.0
        for c in range(d + p):
            share, one = own[c], uint64(c * BLOCK)
            for t in range(BLOCK):
                x = basis[k, one + uint64(t)]
                residual[k, t] -= share * x
                leverage[k, t] += x * x
