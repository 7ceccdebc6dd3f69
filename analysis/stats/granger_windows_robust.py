"""The robust covariance of all windows: contractions of running fourth moments, eight starting points at a time.

Notes
-----
The heteroskedasticity-robust form needs ``sum e_t^2 u_t u_t'`` with e the residual and u the tested directions; both
are linear in the row, so the sum is a contraction of running fourth moments. Those lose digits when a level dwarfs
its changes: a bound on the lost digits is kept, and a window beyond the limit is recomputed from its own rows.

This module imports the compiler; import it inside a function.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit

ROBUST_LANES = 8  # rows that not every lane shares cost extra, so fewer share
SINGULAR = 1e-13
_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_OPTIONS)
def inverse_columns(R, first, C, K):  # type: ignore[no-untyped-def]
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
    """Return s' V^-1 s by Cholesky; V is overwritten."""
    total = 0.0
    for j in range(q):
        pivot = meat[j, j]
        diagonal = pivot
        for m in range(j):
            pivot -= meat[j, m] * meat[j, m]
        if not pivot > SINGULAR * diagonal:
            return np.nan
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
    return total


@njit(**_OPTIONS)
def direct(Z, usable, first, t, C, D, R, lane, n_kept, q, K):  # type: ignore[no-untyped-def]
    """Return the robust statistic of one window from its own rows."""
    meat, scores = np.zeros((q, q)), np.empty(q)
    for row in range(first, t + 1):
        if usable[row]:
            _add_row(meat, scores, C, Z[row], lane, n_kept, q, K)
    for k in range(q):
        scores[k] = D[n_kept + k, lane] * R[n_kept + k, K - 1, lane]
    return _quadratic(meat, scores, q)


@njit(**_OPTIONS)
def contract(moments, C, K, weights, by_lane, sums):  # type: ignore[no-untyped-def]
    """Fill sums (P, 8): for every pair (i, j) of columns the moments sum e^2 z_i z_j over the rows all lanes share.

    `moments` (P, P) is symmetric, P the number of pairs filled up to a multiple of four; by_lane (8, P) is scratch.
    Four moments are weighted for two lanes at a time, so that a number loaded once serves eight products.
    """
    pair = 0
    for a in range(K):
        for b in range(a, K):
            factor = 1.0 if a == b else 2.0
            for lane in range(ROBUST_LANES):
                weights[pair, lane] = factor * C[a, K - 1, lane] * C[b, K - 1, lane]
            pair += 1
    P = by_lane.shape[1]
    for lane in range(ROBUST_LANES):
        for j in range(P):
            by_lane[lane, j] = 0.0
    for m in range(0, P, 4):
        for one in range(0, ROBUST_LANES, 2):
            other = one + 1
            a0, a1, a2, a3 = weights[m, one], weights[m + 1, one], weights[m + 2, one], weights[m + 3, one]
            b0, b1, b2, b3 = weights[m, other], weights[m + 1, other], weights[m + 2, other], weights[m + 3, other]
            for j in range(P):
                x0, x1, x2, x3 = moments[m, j], moments[m + 1, j], moments[m + 2, j], moments[m + 3, j]
                by_lane[one, j] += (a0 * x0 + a1 * x1) + (a2 * x2 + a3 * x3)
                by_lane[other, j] += (b0 * x0 + b1 * x1) + (b2 * x2 + b3 * x3)
    for j in range(P):
        for lane in range(ROBUST_LANES):
            sums[j, lane] = by_lane[lane, j]


@njit(**_OPTIONS)
def meat_from_moments(meat, half, sums, C, n_kept, q, K):  # type: ignore[no-untyped-def]
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
def _along(C, column, count, rows, t, out, at):  # type: ignore[no-untyped-def]
    """Fill out[at] with the product of row t and the first entries of a column of C, by lane."""
    for lane in range(ROBUST_LANES):
        out[at, lane] = 0.0
    for i in range(count):
        value = rows[t, i]
        for lane in range(ROBUST_LANES):
            out[at, lane] += C[i, column, lane] * value


@njit(**_OPTIONS)
def add_heads(rows, flags, C, meats, t, reach, n_kept, q, K, u):  # type: ignore[no-untyped-def]
    """Add to the meats (q, q, 8) the first rows of the windows, which later lanes lack; u (q + 1, 8) is scratch."""
    for head in range(reach, min(t + 1, ROBUST_LANES - 1 + reach)):
        if not flags[head]:
            continue
        _along(C, K - 1, K, rows, head, u, q)
        for lane in range(ROBUST_LANES):
            u[q, lane] = u[q, lane] if head - reach >= lane else 0.0
        for a in range(q):
            _along(C, n_kept + a, n_kept + a + 1, rows, head, u, a)
            for lane in range(ROBUST_LANES):
                u[a, lane] *= u[q, lane]
            for b in range(a + 1):
                for lane in range(ROBUST_LANES):
                    meats[a, b, lane] += u[a, lane] * u[b, lane]


@njit(**_OPTIONS)
def lost_digits(C, quartic, meats, n_kept, q, K, residual, bound, lost):  # type: ignore[no-untyped-def]
    """Fill lost (8,) with a bound (Hölder) on the relative rounding error of the meats' diagonals; others scratch."""
    for lane in range(ROBUST_LANES):
        residual[lane] = lost[lane] = 0.0
    for i in range(K):
        size = quartic[i]
        for lane in range(ROBUST_LANES):
            residual[lane] += abs(C[i, K - 1, lane]) * size
    for a in range(q):
        for lane in range(ROBUST_LANES):
            bound[lane] = 0.0
        for i in range(n_kept + a + 1):
            size = quartic[i]
            for lane in range(ROBUST_LANES):
                bound[lane] += abs(C[i, n_kept + a, lane]) * size
        for lane in range(ROBUST_LANES):
            both = residual[lane] * bound[lane]
            share = 4.0 * 2.22e-16 * both * both / meats[a, a, lane] if meats[a, a, lane] > 0.0 else np.inf
            lost[lane] = max(lost[lane], share)


@njit(**_OPTIONS)
def quadratics(meats, D, R, n_kept, q, K, solved, least, values):  # type: ignore[no-untyped-def]
    """Fill values (8,) with s' V^-1 s and least (8,) with V's smallest relative pivot, zero where V is singular.

    V is the meats (q, q, 8), overwritten; s is read off the factor; solved (q, 8) is scratch.
    """
    for lane in range(ROBUST_LANES):
        values[lane], least[lane] = 0.0, 1.0
    for j in range(q):
        for lane in range(ROBUST_LANES):
            pivot = diagonal = meats[j, j, lane]
            for m in range(j):
                pivot -= meats[j, m, lane] * meats[j, m, lane]
            good = pivot > SINGULAR * diagonal
            least[lane] = min(least[lane], pivot / diagonal) if good else 0.0
            meats[j, j, lane] = 1.0 / np.sqrt(pivot) if good else 1.0
            solved[j, lane] = D[n_kept + j, lane] * R[n_kept + j, K - 1, lane]
        for m in range(j):
            for lane in range(ROBUST_LANES):
                solved[j, lane] -= meats[j, m, lane] * solved[m, lane]
        for lane in range(ROBUST_LANES):
            solved[j, lane] *= meats[j, j, lane]
            values[lane] += solved[j, lane] * solved[j, lane]
        for i in range(j + 1, q):
            for m in range(j):
                for lane in range(ROBUST_LANES):
                    meats[i, j, lane] -= meats[i, m, lane] * meats[j, m, lane]
            for lane in range(ROBUST_LANES):
                meats[i, j, lane] *= meats[j, j, lane]


@njit(**_OPTIONS)
def accumulate(moments, quartic_sums, row, shared, K):  # type: ignore[no-untyped-def]
    """Add the products of pairs of a row to the corner of the moments, if all lanes have it, and its fourth powers."""
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
