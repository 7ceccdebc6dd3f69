"""All windows of a lag regression at once: orthogonal row updates, several starting points side by side (compiled).

Notes
-----
A window that starts at `s` and grows by one observation gains one regression row, so its triangular factor follows
from the last one by planar rotations without square roots (Gentleman 1973, IMA Journal of Applied Mathematics 12).
The rows themselves are rotated and never their sums of products, so the accuracy is that of an orthogonal
factorisation of every window by itself and no difference of large sums is ever taken. Eight starting points share
each row and fill the vector registers. In the factor of ``[kept, tested, response]`` the last pivot is the residual
sum of squares and the tested rows hold what the tested columns add.

The heteroskedasticity-robust form needs ``sum e_t^2 u_t u_t'`` with e the residual and u the tested directions; both
are linear in the row, so the sum is a contraction of running fourth moments. Those lose digits when a level dwarfs
its changes: a bound on the lost digits is kept, and a window beyond the limit is recomputed from its own rows.

This module imports the compiler; import it inside a function.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Bools, Floats

LANES = 32
ROBUST_LANES = 8  # rows that not every lane shares cost extra, so fewer share
RANK_FLOOR = 1e-22  # squared share of a column left unexplained that rounding alone can produce
DIGIT_LIMIT = 1e-9  # largest bound on the relative rounding error of the fourth-moment route
PIVOT_LIMIT = 1e-4  # smallest relative pivot of the robust covariance before its digits matter
SINGULAR = 1e-13
_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_OPTIONS)
def _rotate(D, R, SS, row, weight, z, K):  # type: ignore[no-untyped-def]
    """Add one row with a weight a lane to the square-root-free factors D (K, L), R (K, K, L); z (K, L) is scratch."""
    for i in range(K):
        value = row[i]
        for lane in range(D.shape[1]):
            z[i, lane] = value
            SS[i, lane] += weight[lane] * value * value
    w = weight.copy()
    cbar, sbar = np.empty(D.shape[1]), np.empty(D.shape[1])
    for i in range(K):
        for lane in range(D.shape[1]):
            x = z[i, lane]
            old = D[i, lane]
            new = old + w[lane] * x * x
            inverse = 1.0 / new if new > 0.0 else 0.0
            cbar[lane] = old * inverse if new > 0.0 else 1.0
            sbar[lane] = w[lane] * x * inverse
            w[lane] = cbar[lane] * w[lane]
            D[i, lane] = new
        for j in range(i + 1, K):
            for lane in range(D.shape[1]):
                entry = R[i, j, lane]
                other = z[j, lane]
                z[j, lane] = other - z[i, lane] * entry
                R[i, j, lane] = cbar[lane] * entry + sbar[lane] * other


@njit(**_OPTIONS)
def _inverse_columns(R, first, C, K):  # type: ignore[no-untyped-def]
    """Fill C (K, K, L) with columns first..K-1 of the inverse of the unit triangular factor."""
    for j in range(first, K):
        for lane in range(ROBUST_LANES):
            C[j, j, lane] = 1.0
        for i in range(j - 1, -1, -1):
            for lane in range(ROBUST_LANES):
                C[i, j, lane] = -R[i, j, lane]
            for m in range(i + 1, j):
                for lane in range(ROBUST_LANES):
                    C[i, j, lane] -= R[i, m, lane] * C[m, j, lane]


@njit(**_OPTIONS)
def _add_row(meat, u, C, row, lane, n_kept, q, K):  # type: ignore[no-untyped-def]
    """Add e^2 u u' of one row to the meat (q, q) of one lane; u (q,) is scratch."""
    e = 0.0
    for i in range(K):
        e += C[i, K - 1, lane] * row[i]
    e2 = e * e
    for k in range(q):
        total = 0.0
        for i in range(n_kept + k + 1):
            total += C[i, n_kept + k, lane] * row[i]
        u[k] = total
    for a in range(q):
        for b in range(a + 1):
            meat[a, b] += e2 * u[a] * u[b]


@njit(**_OPTIONS)
def _quadratic(meat, scores, q):  # type: ignore[no-untyped-def]
    """Return s' V^-1 s and the smallest relative pivot of V by Cholesky; V is overwritten."""
    least, total = 1.0, 0.0
    for j in range(q):
        pivot = meat[j, j]
        diagonal = pivot
        for m in range(j):
            pivot -= meat[j, m] * meat[j, m]
        if not pivot > SINGULAR * diagonal:
            return np.nan, 0.0
        least = min(least, pivot / diagonal)
        root = np.sqrt(pivot)
        meat[j, j] = root
        solved = scores[j]
        for m in range(j):
            solved -= meat[j, m] * scores[m]
        scores[j] = solved / root
        total += scores[j] * scores[j]
        for i in range(j + 1, q):
            entry = meat[i, j]
            for m in range(j):
                entry -= meat[i, m] * meat[j, m]
            meat[i, j] = entry / root
    return total, least


@njit(**_OPTIONS)
def _direct(Z, usable, first, t, C, D, R, lane, n_kept, q, K):  # type: ignore[no-untyped-def]
    """Return the robust statistic of one window from its own rows."""
    meat, scores = np.zeros((q, q)), np.empty(q)
    for row in range(first, t + 1):
        if usable[row]:
            _add_row(meat, scores, C, Z[row], lane, n_kept, q, K)
    for k in range(q):
        scores[k] = D[n_kept + k, lane] * R[n_kept + k, K - 1, lane]
    return _quadratic(meat, scores, q)[0]


@njit(**_OPTIONS)
def _contract(moments, C, K, weights, sums):  # type: ignore[no-untyped-def]
    """Fill sums (P, 8): for every pair (i, j) of columns the moments sum e^2 z_i z_j over the rows all lanes share."""
    pair = 0
    for a in range(K):
        for b in range(a, K):
            factor = 1.0 if a == b else 2.0
            for lane in range(ROBUST_LANES):
                weights[pair, lane] = factor * C[a, K - 1, lane] * C[b, K - 1, lane]
            pair += 1
    used = 0
    for i in range(K - 1):
        for _ in range(i, K):
            # Eight sums in eight registers: arrays might overlap for all the compiler knows, local numbers cannot.
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
            for m in range(pair):
                moment = moments[used, m]
                s0 += moment * weights[m, 0]
                s1 += moment * weights[m, 1]
                s2 += moment * weights[m, 2]
                s3 += moment * weights[m, 3]
                s4 += moment * weights[m, 4]
                s5 += moment * weights[m, 5]
                s6 += moment * weights[m, 6]
                s7 += moment * weights[m, 7]
            out = sums[used]
            out[0], out[1], out[2], out[3], out[4], out[5], out[6], out[7] = s0, s1, s2, s3, s4, s5, s6, s7
            used += 1


@njit(**_OPTIONS)
def _meat_from_moments(meat, half, sums, C, n_kept, q, K):  # type: ignore[no-untyped-def]
    """Fill meat (q, q, 8) from the contracted moments and the tested directions; half (K, 8) is scratch."""
    for a in range(q):
        for j in range(n_kept + a + 1):
            for lane in range(ROBUST_LANES):
                half[j, lane] = 0.0
            for i in range(n_kept + a + 1):
                low, high = min(i, j), max(i, j)
                place = low * K - low * (low - 1) // 2 + high - low
                for lane in range(ROBUST_LANES):
                    half[j, lane] += C[i, n_kept + a, lane] * sums[place, lane]
        for b in range(a + 1):
            for lane in range(ROBUST_LANES):
                meat[a, b, lane] = 0.0
            for j in range(n_kept + b + 1):
                for lane in range(ROBUST_LANES):
                    meat[a, b, lane] += C[j, n_kept + b, lane] * half[j, lane]


@njit(**_OPTIONS)
def _lost_digits(C, quartic, meat, lane, n_kept, q, K):  # type: ignore[no-untyped-def]
    """Return a bound (Hölder) on the relative rounding error of the diagonal of the meat."""
    residual = 0.0
    for i in range(K):
        residual += abs(C[i, K - 1, lane]) * quartic[i]
    worst = 0.0
    for k in range(q):
        direction = 0.0
        for i in range(n_kept + k + 1):
            direction += abs(C[i, n_kept + k, lane]) * quartic[i]
        bound = residual * residual * direction * direction
        if not meat[k, k] > 0.0:
            return np.inf
        worst = max(worst, bound / meat[k, k])
    return 4.0 * 2.22e-16 * worst


@njit(**_OPTIONS)
def _accumulate(moments, quartic_sums, row, shared, K):  # type: ignore[no-untyped-def]
    """Add the products of pairs of one row to the moments (P, P), if every lane has the row, and its fourth powers."""
    n_pairs = K * (K + 1) // 2
    pair = np.empty(n_pairs)
    m = 0
    for a in range(K):
        quartic_sums[a] += row[a] ** 4
        for b in range(a, K):
            pair[m] = row[a] * row[b]
            m += 1
    if shared:
        for i in range(n_pairs):
            value = pair[i]
            for j in range(n_pairs):
                moments[i, j] += value * pair[j]


@njit(**_OPTIONS)
def _valid(D, SS, lane, count, K):  # type: ignore[no-untyped-def]
    """Say whether the rows of a lane identify every coefficient and leave residual variation."""
    if count < K:
        return False
    fine = True
    for i in range(K):
        fine &= D[i, lane] > RANK_FLOOR * SS[i, lane]
    return fine


@njit(**_OPTIONS)
def _shift(rows, flags, shifted, reach):  # type: ignore[no-untyped-def]
    """Move the columns that allow it to start from zero in their first usable row."""
    for t in range(reach, len(rows)):
        if flags[t]:
            origin = rows[t].copy()
            for i in range(len(origin)):
                if shifted[i]:
                    rows[:, i] -= origin[i]
            return


@njit(**_OPTIONS)
def _plain_value(D, R, count, lane, n_kept, q, K):  # type: ignore[no-untyped-def]
    """Return the statistic with the residual variance divided by the number of rows."""
    gain = 0.0
    for k in range(n_kept, n_kept + q):
        gain += D[k, lane] * R[k, K - 1, lane] ** 2
    return count * gain / D[K - 1, lane]


@njit(**_OPTIONS)
def _robust_value(  # type: ignore[no-untyped-def]
    rows, flags, D, R, C, meats, quartic, meat, scores, u, lane, t, reach, n_kept, q, K, digit_limit
):
    """Return the robust statistic of one lane and whether it was recomputed from the rows of the window."""
    for a in range(q):
        scores[a] = D[n_kept + a, lane] * R[n_kept + a, K - 1, lane]
        for b in range(a + 1):
            meat[a, b] = meats[a, b, lane]
    for head in range(lane + reach, min(t + 1, ROBUST_LANES - 1 + reach)):
        if flags[head]:
            _add_row(meat, u, C, rows[head], lane, n_kept, q, K)
    lost = _lost_digits(C, quartic, meat, lane, n_kept, q, K)
    value, least = _quadratic(meat, scores, q)
    if lost > digit_limit or least < PIVOT_LIMIT:
        return _direct(rows, flags, lane + reach, t, C, D, R, lane, n_kept, q, K), True
    return value, False


@njit(**_OPTIONS)
def scan_block(  # type: ignore[no-untyped-def]  # noqa: C901 - one loop over rows, every branch a named step
    Z, usable, shifted, n_kept, q, reach, window, start, robust, digit_limit, forward, rolling, best
):
    """Compute the Wald statistics of all windows that start at the next points; return how many were recomputed.

    Parameters
    ----------
    Z : ndarray of shape (n, K)
        Columns kept, tested, response; row t is the regression row dated t (zeros where not usable).
    usable : bool ndarray of shape (n,)
    shifted : bool ndarray of shape (K,)
        Columns that may be moved by a constant because the kept columns hold one.
    n_kept, q, reach, window, start : int
        `reach` is the number of observations a window loses to lags.
    robust : bool
    digit_limit : float
    forward, rolling, best : ndarray of shape (n,)
        Filled by window end: windows from 0; of length `window`; the largest over the starts of this block.
    """
    n, K = Z.shape
    last = n - window
    lanes = ROBUST_LANES if robust else LANES
    D, SS = np.zeros((K, lanes)), np.zeros((K, lanes))
    R, C = np.zeros((K, K, lanes)), np.zeros((K, K, lanes))
    scratch, weight = np.empty((K, lanes)), np.empty(lanes)
    counts = np.zeros(lanes, np.int64)
    rows, flags = Z[start:].copy(), usable[start:]
    _shift(rows, flags, shifted, reach)
    n_pairs = K * (K + 1) // 2
    moments = np.zeros((n_pairs, n_pairs)) if robust else np.zeros((1, 1))
    quartic_sums = np.zeros(K)
    quartic = quartic_sums
    pair_weights, sums = np.empty((n_pairs, lanes)), np.empty((n_pairs, lanes))
    meats, meat, scores, u = np.zeros((q, q, lanes)), np.zeros((q, q)), np.zeros(q), np.zeros(q)
    recomputed = 0
    for t in range(reach, n - start):
        if flags[t]:
            for lane in range(lanes):
                weight[lane] = 1.0 if t >= lane + reach else 0.0
                counts[lane] += t >= lane + reach
            _rotate(D, R, SS, rows[t], weight, scratch, K)
            if robust:
                _accumulate(moments, quartic_sums, rows[t], t >= lanes - 1 + reach, K)
        if t + 1 < window:
            continue
        if robust:
            quartic = np.sqrt(np.sqrt(quartic_sums))
            _inverse_columns(R, n_kept, C, K)
            _contract(moments, C, K, pair_weights, sums)
            _meat_from_moments(meats, scratch, sums, C, n_kept, q, K)
        for lane in range(lanes):
            s = start + lane
            if s > last or t - lane + 1 < window:
                continue
            value = np.nan
            if _valid(D, SS, lane, counts[lane], K):
                if robust:
                    value, exact = _robust_value(
                        rows, flags, D, R, C, meats, quartic, meat, scores, u, lane, t, reach, n_kept, q, K, digit_limit
                    )
                    recomputed += exact
                else:
                    value = _plain_value(D, R, counts[lane], lane, n_kept, q, K)
            end = start + t
            if s == 0:
                forward[end] = value
            if t - lane + 1 == window:
                rolling[end] = value
            if value > best[end] or (np.isnan(best[end]) and not np.isnan(value)):
                best[end] = value
    return recomputed


def scan(
    Z: Floats,
    usable: Bools,
    shifted: Bools,
    *,
    n_kept: int,
    n_tested: int,
    reach: int,
    window: int,
    starts: range,
    robust: bool,
    digit_limit: float = DIGIT_LIMIT,
) -> tuple[Floats, Floats, Floats, int]:
    """Return forward, rolling and recursive statistics (n,) over blocks of starting points, and windows recomputed.

    `starts` lists first starting points, multiples of `stride`; splitting the range over threads and taking maxima of
    the third array gives the same numbers.
    """
    forward, rolling, best = (np.full(len(Z), np.nan) for _ in range(3))
    recomputed = 0
    for start in starts:
        recomputed += scan_block(
            Z, usable, shifted, n_kept, n_tested, reach, window, start, robust, digit_limit, forward, rolling, best
        )
    return forward, rolling, best, recomputed


def stride(robust: bool) -> int:
    """Return how many starting points share a block."""
    return ROBUST_LANES if robust else LANES
