"""Compiled neighbour counts over all pairs of rows; every number has a plain twin in the tests."""

from __future__ import annotations

import numpy as np

from analysis.stats.compiled import njit
from analysis.stats.lagged import Floats, Ints


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _distance(values: Floats, i: int, j: int) -> float:
    """Return the largest coordinate difference of two rows."""
    largest = 0.0
    for c in range(values.shape[1]):
        largest = max(largest, abs(values[i, c] - values[j, c]))
    return largest


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _single_counts(X: Floats, Y: Floats, Z: Floats, epsilon: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return per row how many others lie within epsilon in (Y), (X, Y), (Y, Z) and (X, Y, Z)."""
    n = len(X)
    y, xy, yz, xyz = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        for j in range(i - 1, -1, -1):
            if Y[i, 0] - Y[j, 0] >= epsilon:
                break
            if _distance(Y, i, j) >= epsilon:
                continue
            near_x = _distance(X, i, j) < epsilon
            near_z = _distance(Z, i, j) < epsilon
            y[i] += 1.0
            y[j] += 1.0
            if near_x:
                xy[i] += 1.0
                xy[j] += 1.0
            if near_z:
                yz[i] += 1.0
                yz[j] += 1.0
            if near_x and near_z:
                xyz[i] += 1.0
                xyz[j] += 1.0
    return y, xy, yz, xyz


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def conditional_counts(X: Floats, Y: Floats, Z: Floats, epsilon: float) -> tuple[Floats, Floats]:
    """Return per row the centred products A and the sum A + B + C of its three roles in the third-order U-statistic.

    A is C_xyz C_y - C_xy C_yz with row i as centre; B and C are the same products with i as either neighbour. Rows must
    be sorted by the first column of Y, so that a search can stop where that column alone is too far away.
    """
    n = len(X)
    y, xy, yz, xyz = _single_counts(X, Y, Z, epsilon)
    centre = xyz * y - xy * yz
    total = centre.copy()
    for i in range(n):
        for j in range(i - 1, -1, -1):
            if Y[i, 0] - Y[j, 0] >= epsilon:
                break
            if _distance(Y, i, j) >= epsilon:
                continue
            near_x = _distance(X, i, j) < epsilon
            near_z = _distance(Z, i, j) < epsilon
            total[i] += xyz[j]
            total[j] += xyz[i]
            if near_x:
                total[i] -= yz[j]
                total[j] -= yz[i]
            if near_z:
                total[i] -= xy[j]
                total[j] -= xy[i]
            if near_x and near_z:
                total[i] += y[j]
                total[j] += y[i]
    return centre, total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _radius(X: Floats, Y: Floats, Z: Floats, i: int, nearest: Floats) -> float:
    """Return the distance of row i to its k-th joint neighbour, searching outwards from it in sorted order."""
    n = len(X)
    nearest[:] = np.inf
    for side in (-1, 1):
        j = i + side
        while 0 <= j < n and abs(Y[i, 0] - Y[j, 0]) < nearest[-1]:
            joint = max(_distance(Y, i, j), _distance(X, i, j), _distance(Z, i, j))
            if joint < nearest[-1]:
                place = len(nearest) - 1
                while place > 0 and nearest[place - 1] > joint:
                    nearest[place] = nearest[place - 1]
                    place -= 1
                nearest[place] = joint
            j += side
    return nearest[-1]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def neighbour_counts(X: Floats, Y: Floats, Z: Floats, neighbours: int) -> tuple[Ints, Ints, Ints]:
    """Return per row how many others are nearer than its k-th joint neighbour in (Y), (X, Y) and (Y, Z).

    Rows must be sorted by the first column of Y.
    """
    n = len(X)
    in_y, in_xy, in_yz = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    nearest = np.empty(neighbours)
    for i in range(n):
        radius = _radius(X, Y, Z, i, nearest)
        for side in (-1, 1):
            j = i + side
            while 0 <= j < n and abs(Y[i, 0] - Y[j, 0]) < radius:
                if _distance(Y, i, j) < radius:
                    in_y[i] += 1
                    if _distance(X, i, j) < radius:
                        in_xy[i] += 1
                    if _distance(Z, i, j) < radius:
                        in_yz[i] += 1
                j += side
    return in_y, in_xy, in_yz


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def local_permutation(candidates: Ints, order: Ints) -> Ints:
    """Return for every row one of its candidates, each row used once as long as its neighbours allow."""
    n, count = candidates.shape
    used = np.zeros(n, np.bool_)
    out = np.empty(n, np.int64)
    for i in order:
        chosen = candidates[i, count - 1]
        for c in range(count):
            if not used[candidates[i, c]]:
                chosen = candidates[i, c]
                break
        out[i] = chosen
        used[chosen] = True
    return out
