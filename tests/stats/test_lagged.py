"""Lagged sums of products against explicit designs; windows, states, and the boundary between the two solvers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.stats.lagged import (
    PIVOT_FLOOR,
    as_columns,
    as_numbers,
    center,
    complete_rows,
    deterministic,
    lag_columns,
    lagged_gram,
    masked_grams,
    own_unit,
    prefix_gram,
    qr_solve,
    same_index,
    solve_gram,
    standardise,
)


def explicit(series, lags, trend, rows):
    """Return the lag-major columns on the rows given, from the definition."""
    clean = center(series, trend)
    columns = [clean[rows - lag] for lag in range(lags + 1)] + [deterministic(len(series), trend)[rows]]
    return np.hstack(columns)


@pytest.fixture(scope="module")
def series() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((120, 4)).cumsum(axis=0) + 50.0


@given(
    n=st.integers(12, 60), k=st.integers(1, 4), lags=st.integers(0, 4), trend=st.sampled_from(["n", "c", "ct"]),
    seed=st.integers(0, 99), kind=st.sampled_from(["all", "run", "holes"]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_gram_is_the_product_of_the_explicit_columns(n, k, lags, trend, seed, kind):
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((n, k)) + 3.0
    use = {"all": np.ones(n, bool), "run": (np.arange(n) > 5) & (np.arange(n) < n - 2), "holes": rng.random(n) < 0.6}[
        kind
    ]
    found = lagged_gram(data, lags=lags, trend=trend, rows=use)
    use[:lags] = False
    Z = explicit(data, lags, trend, np.flatnonzero(use))
    np.testing.assert_allclose(found.gram, Z.T @ Z, rtol=1e-9, atol=1e-9)
    assert found.nobs == use.sum()
    if k > 1 and lags:
        np.testing.assert_array_equal(
            found.regressors([1]), [*range(k * (lags + 1), len(Z.T)), *range(k + 1, k * (lags + 1), k)]
        )


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_windows_are_differences_of_running_sums(series, trend):
    data = series.copy()
    data[40, 1] = np.nan
    prefix = prefix_gram(data, lags=3, trend=trend)
    for start, stop in [(3, 120), (30, 60), (50, 51), (0, 10)]:
        rows = np.array([t for t in range(start, stop) if t >= 3 and not 40 <= t <= 43])
        Z = explicit(data, 3, trend, rows)
        found = prefix.window(start, stop)
        assert found.nobs == len(rows)
        np.testing.assert_allclose(found.gram, Z.T @ Z, rtol=1e-8, atol=1e-7)
    with pytest.raises(InputError, match="window outside"):
        prefix.window(10, 10)


def test_states_are_masked_sums_and_add_up(series):
    state = np.arange(120) % 3 == 0
    one, other = masked_grams(series, [state, ~state], lags=2, trend="ct")
    whole = lagged_gram(series, lags=2, trend="ct")
    np.testing.assert_allclose(one.gram + other.gram, whole.gram, rtol=1e-9, atol=1e-8)
    Z = explicit(series, 2, "ct", np.flatnonzero(state & (np.arange(120) >= 2)))
    np.testing.assert_allclose(one.gram, Z.T @ Z, rtol=1e-9, atol=1e-8)
    assert (one.nobs, other.nobs) == (len(Z), 118 - len(Z))
    with pytest.raises(InputError, match="state mask"):
        masked_grams(series, [state[:50]], lags=2)


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_a_query_is_the_regression(series, trend):
    found = lagged_gram(series, lags=3, trend=trend)
    positions = found.regressors([2, 0])
    solved = solve_gram(found.gram, found.column(2, 0), positions)
    Z = np.hstack([deterministic(120, trend), lag_columns(series[:, [2, 0]], [1, 2, 3])])[3:]
    coefficients, rss, *_ = np.linalg.lstsq(Z, series[3:, 2], rcond=None)
    d = Z.shape[1] - 6
    np.testing.assert_allclose(solved.coefficients[d:], coefficients[d:], rtol=1e-7)
    assert solved.rss == pytest.approx(rss[0], rel=1e-9)
    np.testing.assert_allclose(solved.inverse[d:, d:], np.linalg.inv(Z.T @ Z)[d:, d:], rtol=1e-6)
    direct = qr_solve(Z, series[3:, 2])
    np.testing.assert_allclose(direct.coefficients, coefficients, rtol=1e-8)
    assert direct.rss == pytest.approx(rss[0], rel=1e-10)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_boundary_between_products_and_rows(factor):
    """On the near side of the floor both solvers agree to nine digits; on the far side products give way."""
    rng = np.random.default_rng(4)
    n = 400
    basis = np.linalg.qr(rng.standard_normal((n, 3)))[0]
    share = PIVOT_FLOOR * factor
    Z = np.column_stack([basis[:, 0], np.sqrt(1 - share) * basis[:, 0] + np.sqrt(share) * basis[:, 1]])
    y = Z @ [1.0, 2.0] + 0.1 * basis[:, 2]
    columns = np.column_stack([y, Z])
    solved = solve_gram(columns.T @ columns, 0, np.array([1, 2]))
    rows = qr_solve(Z, y)
    np.testing.assert_allclose(rows.coefficients, [1.0, 2.0], rtol=1e-9)
    if factor < 1:
        assert solved is None
    else:
        np.testing.assert_allclose(solved.coefficients, rows.coefficients, rtol=1e-8)


def test_exact_collinearity_is_refused_by_both():
    Z = np.random.default_rng(0).standard_normal((50, 2))
    Z = np.column_stack([Z, Z @ [2.0, -1.0]])
    columns = np.column_stack([Z[:, 0] ** 2, Z])
    assert solve_gram(columns.T @ columns, 0, np.array([1, 2, 3])) is None
    assert qr_solve(Z, columns[:, 0]) is None
    assert qr_solve(np.zeros((5, 1)), np.ones(5)) is None
    assert qr_solve(Z[:2], columns[:2, 0]) is None
    assert solve_gram(np.zeros((2, 2)), 0, np.array([1])) is None


def test_rows_need_every_value_and_gaps_are_not_bridged():
    data = np.arange(8.0)[:, None].repeat(2, axis=1)
    data[4, 0] = np.nan
    np.testing.assert_array_equal(complete_rows(data, 2)[:, 0], [0, 0, 1, 1, 0, 0, 0, 1])
    np.testing.assert_array_equal(complete_rows(data, 2, own=False)[:, 0], [0, 0, 1, 1, 1, 0, 0, 1])
    np.testing.assert_array_equal(complete_rows(data, 2)[:, 1], [0, 0, 1, 1, 1, 1, 1, 1])


def test_inputs_stay_as_they_were_and_wrong_ones_are_named(series):
    before = series.copy()
    lagged_gram(series, lags=2, trend="ct")
    prefix_gram(series, lags=2)
    np.testing.assert_array_equal(series, before)
    with pytest.raises(InputError, match="infinite value"):
        lagged_gram([[1.0], [np.inf]], lags=1)
    with pytest.raises(InputError, match="rows must be a flag"):
        lagged_gram(series, lags=1, rows=np.ones(3, bool))
    with pytest.raises(InputError, match="too large"):
        prefix_gram(np.zeros((20000, 30)), lags=5)


NO_SERIES = (
    ["a"],
    ["1"],
    [b"1"],
    [1j],
    [[1.0], [1.0, 2.0]],
    [object()],
    np.array(["2020-01-01"], "M8[D]"),
    np.array([3], "m8[s]"),
    np.array([1.0, "2"], object),
    np.array([np.datetime64("2020-01-01")], object),
    np.array([np.complex128(1)], object),
    pd.Series(pd.to_datetime(["2020-01-01"], utc=True)),
)


def test_only_real_numbers_become_a_series():
    for wrong in NO_SERIES:
        with pytest.raises(InputError, match="x must hold real numbers") as caught:
            as_columns(wrong, "x")
        assert caught.value.given
        assert caught.value.remedy
    for right in ([1, None], [True, False], pd.Series([1.0, None], dtype="Float64"), np.arange(2, dtype=np.int8)):
        assert as_columns(right, "x").shape == (2, 1)
    kept = np.arange(3.0)
    assert not np.shares_memory(as_numbers(kept, "x"), kept)
    assert np.shares_memory(as_columns(kept, "x", copy=False), kept)


def test_tables_must_share_their_index():
    table = pd.DataFrame({"a": [1.0, 2.0]}, index=["p", "q"])
    same_index(effect=table, cause=table["a"], given=None, mask=np.ones(2), other=[1.0])
    with pytest.raises(InputError, match="effect and given have different indexes") as caught:
        same_index(effect=table, cause=np.ones(2), given=table["a"].iloc[::-1])
    assert "2 labels in common" in str(caught.value)


def test_own_unit_is_exact_and_keeps_squares_within_floats():
    data = np.array([[3e300, -7e-310, 0.0, np.nan], [-1e299, 2e-310, 0.0, np.nan], [np.nan, 0.0, 0.0, np.nan]])
    unit, exponents = own_unit(data)
    np.testing.assert_array_equal(np.ldexp(unit, exponents), data)
    largest = np.nanmax(np.abs(unit[:, :2]), axis=0)
    assert ((largest >= 0.5) & (largest < 1)).all()
    np.testing.assert_array_equal(exponents[2:], 0)


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_standardise_takes_off_a_level_and_leaves_the_rest(trend):
    rng = np.random.default_rng(4)
    time = np.arange(1, 101) / 100
    noise = rng.standard_normal((3, 100))
    high, steep = 1e9 + noise[1], 5e6 * time + noise[2]
    data = np.column_stack([noise[0], high, steep, np.full(100, 0.1), 0.3 * time, np.full(100, np.nan)])
    data[7, 1] = np.nan
    kept = data.copy()
    out, exponents = standardise(data, trend)
    np.testing.assert_array_equal(data, kept)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(data))
    removed = data - np.ldexp(out, exponents)
    np.testing.assert_array_equal(removed[:, 0], 0.0)  # it moves about zero: every bit stays
    np.testing.assert_array_equal(removed[:, 3], 0.0)  # constant: the level stays, so that a regression sees it
    level, slope = np.delete(removed[:, 1], 7), np.polyfit(time, removed[:, 2], 1)[0]
    if trend == "n":
        assert not level.any()
        assert not removed[:, 2].any()
        return
    assert np.ptp(level) == 0
    assert abs(level[0] - 1e9) < 10
    assert abs(slope - 5e6 * (trend == "ct")) < 10
    if trend == "ct":
        np.testing.assert_array_equal(removed[:, 4], 0.0)


def test_nullable_columns_keep_what_is_missing():
    series = pd.Series([1.0, None, 3.0], dtype="Float64")
    table = pd.DataFrame({"a": series, "b": pd.Series([True, None, False], dtype="boolean"), "c": [4, 5, 6]})
    np.testing.assert_array_equal(as_numbers(series, "x"), [1.0, np.nan, 3.0])
    np.testing.assert_array_equal(as_numbers(table, "x"), [[1, 1, 4], [np.nan, np.nan, 5], [3, 0, 6]])
