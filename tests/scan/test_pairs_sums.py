"""The compiled sums and fits of the scan against plain NumPy, at every awkward size."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.scan.pairs_lanes import LANES, own_fit, room, solve, take_moments
from analysis.scan.pairs_sums import centered, lagged_products
from analysis.scan.pairs_tiles import TILE, Group, tiles
from analysis.stats.lagged import PIVOT_FLOOR, center, deterministic, trend_coefficients


def rows(seed: int, count: int, total: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, total))


@pytest.mark.parametrize(("effects", "causes"), [([0], [1]), ([2, 0, 4], [3]), ([0, 1], [4, 3, 2, 0]), ([3], [3, 3])])
@pytest.mark.parametrize("lags", [0, 1, 4, 5, 11])
def test_lagged_products_are_the_plain_sums(effects, causes, lags):
    values, margin = rows(1, 5, 113), 12
    out = np.full((lags + 1, len(effects), len(causes) + 2), -7.0)
    masked = values * (np.arange(113) % 7 != 0)
    lagged_products(masked, values, np.array(effects), np.array(causes), margin, out)
    plain = [masked[effects, margin:] @ values[causes, margin - b : 113 - b].T for b in range(lags + 1)]
    assert out[:, :, :-2] == pytest.approx(np.stack(plain), rel=1e-12, abs=1e-12)
    assert (out[:, :, -2:] == -7.0).all()


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
@pytest.mark.parametrize("lags", [1, 3, 6, 9])
@pytest.mark.parametrize("gaps", [(), (30,), (25, 41, 42, 70)])
def test_a_group_holds_the_plain_sums_of_its_rows(trend, lags, gaps):
    series = rows(2, 90, 4)
    series[list(gaps)] = np.nan
    used = np.isfinite(series[:, 0]) & (np.arange(90) >= lags)
    for lag in range(1, lags + 1):
        used[lag:] &= np.isfinite(series[:-lag, 0])
    group = Group.of(series, used, lags=lags, trend=trend)
    terms, freed = deterministic(90, trend)[used], np.nan_to_num(center(series, trend))
    lagged = np.stack([freed[np.flatnonzero(used) - b] for b in range(lags + 1)])
    assert len(group.runs) == (used & ~np.r_[False, used[:-1]]).sum()
    assert group.fixed == pytest.approx(terms.T @ terms, rel=1e-12)
    assert group.det == pytest.approx(np.einsum("tc,btn->cbn", terms, lagged), rel=1e-11, abs=1e-11)
    assert group.squares == pytest.approx(np.einsum("atn,btn->abn", lagged, lagged), rel=1e-11, abs=1e-11)
    found = np.empty((lags + 1) ** 2 * LANES)
    take_moments(*group.products(np.array([1, 2]), np.array([3, 0, 1])).arrays(), 1, 0, found)
    plain = np.einsum("at,btn->abn", lagged[:, :, 2], lagged[:, :, [3, 0, 1]])
    assert found.reshape(lags + 1, lags + 1, LANES)[:, :, :3] == pytest.approx(plain, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
@pytest.mark.parametrize("shape", [(200, 3), (131, 70), (64, 64), (20, 1)])
def test_centered_is_the_plain_projection_with_zeros_for_what_is_missing(trend, shape):
    series = rows(3, *shape) + 5.0
    series[7, 0] = np.nan
    columns, out = deterministic(len(series), trend), np.empty((shape[1], shape[0] - 3))
    centered(series, np.ascontiguousarray(columns.T), trend_coefficients(series, columns), 3, out)
    assert out == pytest.approx(np.nan_to_num(center(series, trend)[3:].T), abs=1e-13)
    assert out[0, 4] == 0.0


@pytest.mark.parametrize(("count", "lags"), [(3, 1), (70, 4)])
def test_every_lane_is_the_least_squares_fit_of_its_cause(count, lags):
    data = rows(4, 300, count)
    group = Group.of(data, np.arange(300) >= lags, lags=lags, trend="c")
    everyone, freed = np.arange(count), center(data, "c")
    arrays = group.products(everyone, everyone).arrays()
    (det_i, squares_i), (det_j, squares_j), place = group.own(everyone), group.own(everyone), room(lags, 1)
    rss = own_fit(det_i, squares_i, group.fixed, 1, PIVOT_FLOOR, place[0], place[1])
    own = np.column_stack([np.ones(300 - lags)] + [freed[lags - a : 300 - a, 1] for a in range(1, lags + 1)])
    for start in range(0, count, LANES):
        take_moments(*arrays, 1, start, place[2])
        solve(det_j, squares_j, start, rss, 0.0, PIVOT_FLOOR, place)
        for j in {start, min(start + LANES, count) - 1} - {1}:
            design = np.column_stack([own, *(freed[lags - a : 300 - a, j] for a in range(1, lags + 1))])
            beta = np.linalg.lstsq(design, freed[lags:, 1], rcond=None)[0]
            left = np.square(freed[lags:, 1] - design @ beta).sum()
            assert place[7][j - start] == 1.0
            assert rss - place[8][j - start] == pytest.approx(left, rel=1e-11)
            assert place[9][j - start] == pytest.approx(beta[lags + 1 :].sum(), rel=1e-9, abs=1e-12)
        filled = slice(count - start, LANES)
        assert (place[7][filled] == 0.0).all()


@pytest.mark.parametrize("count", [1, 2, TILE, TILE + 1, 3 * TILE - 1])
def test_tiles_cover_every_ordered_pair_once(count):
    seen = np.zeros((count, count), dtype=int)
    for row, column, mirrored in tiles(np.arange(count), np.arange(count)):
        assert row.stop - row.start <= TILE
        seen[row, column] += 1
        if mirrored:
            seen[column, row] += 1
    assert (seen == 1).all()
