"""Compiled quantile regression: a primal-dual interior point method; a plain twin stands in the tests."""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats

STEP = 0.99995  # share of the way to the boundary an iterate may go


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _factorise(X: Floats, q: Floats, factor: Floats) -> bool:
    """Fill the lower Cholesky factor of X' diag(q) X; False when it is not positive definite."""
    n, k = X.shape
    factor[:] = 0.0
    for i in range(n):
        for a in range(k):
            weighted = q[i] * X[i, a]
            for b in range(a + 1):
                factor[a, b] += weighted * X[i, b]
    for a in range(k):
        for b in range(a + 1):
            total = factor[a, b]
            for c in range(b):
                total -= factor[a, c] * factor[b, c]
            if a == b:
                if not total > 0.0:
                    return False
                factor[a, a] = np.sqrt(total)
            else:
                factor[a, b] = total / factor[b, b]
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _solve(factor: Floats, X: Floats, weighted: Floats, out: Floats) -> None:
    """Solve (L L') out = X' weighted."""
    n, k = X.shape
    out[:] = 0.0
    for i in range(n):
        for a in range(k):
            out[a] += weighted[i] * X[i, a]
    for a in range(k):
        for c in range(a):
            out[a] -= factor[a, c] * out[c]
        out[a] /= factor[a, a]
    for a in range(k - 1, -1, -1):
        for c in range(a + 1, k):
            out[a] -= factor[c, a] * out[c]
        out[a] /= factor[a, a]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _reach(value: Floats, change: Floats) -> float:
    """Return the longest step that keeps every value positive."""
    longest = 1e20
    for i in range(len(value)):
        if change[i] < 0.0:
            longest = min(longest, -value[i] / change[i])
    return longest


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _direction(
    X: Floats,
    b: Floats,
    x: Floats,
    s: Floats,
    z: Floats,
    w: Floats,
    q: Floats,
    shift: Floats,
    target: float,
    second_x: Floats,
    second_s: Floats,
    dx: Floats,
    dz: Floats,
    dw: Floats,
) -> None:
    """Fill the Newton step in the duals and the bounded variable from the step `b` in the coefficients."""
    n, k = X.shape
    for i in range(n):
        along = -shift[i]
        for a in range(k):
            along += X[i, a] * b[a]
        dx[i] = q[i] * along
        dz[i] = (target - second_x[i]) / x[i] - z[i] * (1.0 + dx[i] / x[i])
        dw[i] = (target - second_s[i]) / s[i] - w[i] * (1.0 - dx[i] / s[i])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _dual_start(X: Floats, y: Floats, beta: Floats) -> tuple[Floats, Floats]:
    """Return positive slacks whose difference is the residual of the starting coefficients (signs of the dual)."""
    n, k = X.shape
    z, w = np.empty(n), np.empty(n)
    floor = 1e-3 * np.abs(y).max() + 1e-12
    for i in range(n):
        residual = -y[i]
        for a in range(k):
            residual -= X[i, a] * beta[a]
        z[i] = max(residual, 0.0) + floor
        w[i] = max(-residual, 0.0) + floor
    return z, w


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def interior_point(
    X: Floats, y: Floats, start: Floats, tau: float, tolerance: float, limit: int
) -> tuple[Floats, Floats, int]:
    """Return quantile regression coefficients, dual values (n,) and iterations, -1 when the method did not converge.

    Notes
    -----
    The dual maximises y'a over 0 <= a <= 1 with X'a = (1 - tau) X'1 (Koenker and Bassett 1978); its multipliers are the
    coefficients, and a is one above the fit and zero below it. Predictor and corrector after Mehrotra, as in Portnoy
    and Koenker (1997), Statistical Science 12.
    """
    n, k = X.shape
    beta = -start
    x = np.full(n, 1.0 - tau)
    s = np.full(n, tau)
    z, w = _dual_start(X, y, beta)
    q = np.empty(n)
    size = np.abs(y).sum() + 1e-300
    factor, step = np.empty((k, k)), np.empty(k)
    dx, dz, dw, shift, weighted = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    second_x, second_s = np.empty(n), np.empty(n)
    for iteration in range(limit):
        gap = 0.0
        for i in range(n):
            gap += x[i] * z[i] + s[i] * w[i]
        if gap <= tolerance * size:
            return -beta, x, iteration
        for i in range(n):
            q[i] = 1.0 / (z[i] / x[i] + w[i] / s[i])
            shift[i] = z[i] - w[i]
            weighted[i] = q[i] * shift[i]
            second_x[i] = second_s[i] = 0.0
        if not _factorise(X, q, factor):
            return -beta, x, -1
        _solve(factor, X, weighted, step)
        _direction(X, step, x, s, z, w, q, shift, 0.0, second_x, second_s, dx, dz, dw)
        primal = min(1.0, STEP * min(_reach(x, dx), _reach(s, -dx)))
        dual = min(1.0, STEP * min(_reach(z, dz), _reach(w, dw)))
        if min(primal, dual) < 1.0:
            reached = 0.0
            for i in range(n):
                reached += (x[i] + primal * dx[i]) * (z[i] + dual * dz[i])
                reached += (s[i] - primal * dx[i]) * (w[i] + dual * dw[i])
            target = gap * (reached / gap) ** 3 / (2.0 * n)
            for i in range(n):
                second_x[i] = dx[i] * dz[i]
                second_s[i] = -dx[i] * dw[i]
                shift[i] += (second_x[i] - target) / x[i] - (second_s[i] - target) / s[i]
                weighted[i] = q[i] * shift[i]
            _solve(factor, X, weighted, step)
            _direction(X, step, x, s, z, w, q, shift, target, second_x, second_s, dx, dz, dw)
            primal = min(1.0, STEP * min(_reach(x, dx), _reach(s, -dx)))
            dual = min(1.0, STEP * min(_reach(z, dz), _reach(w, dw)))
        for i in range(n):
            x[i] += primal * dx[i]
            s[i] -= primal * dx[i]
            z[i] += dual * dz[i]
            w[i] += dual * dw[i]
        for a in range(k):
            beta[a] += dual * step[a]
    return -beta, x, -1
