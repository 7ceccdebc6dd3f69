"""The all-pairs scan against the single test pair by pair, its grouping, its fallback, and its determinism."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.scan.pairs import PairScan, granger_matrix
from analysis.stats.granger import granger_test


def panel(seed: int = 0, n: int = 700, k: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((n, k)) * np.exp(0.4 * rng.standard_normal((n, 1)))
    data[1:, 0] += 0.3 * data[:-1, 1]
    return data


def assert_equals_single_tests(data, scan: PairScan, **options) -> None:
    for i in range(data.shape[1]):
        for j in range(data.shape[1]):
            if i == j:
                assert np.isnan(scan.statistic[i, j])
                continue
            one = granger_test(data[:, i], data[:, j], lags=scan.lags, **options)
            assert scan.statistic[i, j] == pytest.approx(one.statistic, rel=1e-10)
            assert scan.pvalue[i, j] == pytest.approx(one.pvalue, rel=1e-9)
            assert scan.cumulative[i, j] == pytest.approx(one.estimate, rel=1e-9, abs=1e-12)
            assert scan.nobs[i, j] == one.nobs


@pytest.mark.parametrize("cov", ["nonrobust", "HC0", "HC1", "HC3", "HAC"])
@pytest.mark.parametrize(("trend", "lags"), [("n", 1), ("c", 4), ("ct", 5)])
def test_every_pair_equals_the_single_test(cov, trend, lags):
    data = panel()
    scan = granger_matrix(data, lags=lags, cov=cov, trend=trend)
    assert scan.n_refactored == 0
    assert_equals_single_tests(data, scan, cov=cov, trend=trend)


@pytest.mark.parametrize("cov", ["nonrobust", "HC3", "HAC"])
def test_late_starts_and_gaps_use_each_pairs_own_rows(cov):
    data = panel(1)
    data[:100, 2] = np.nan
    data[:30, 3] = np.nan
    data[[200, 350], 4] = np.nan
    scan = granger_matrix(data, lags=3, cov=cov)
    assert len(np.unique(scan.nobs)) > 4
    assert_equals_single_tests(data, scan, cov=cov)


@given(seed=st.integers(0, 1000), gaps=st.integers(0, 6), lags=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_random_gaps(seed, gaps, lags):
    data = panel(seed, 80, 3)
    rng = np.random.default_rng(seed)
    data[rng.integers(0, 80, gaps), rng.integers(0, 3, gaps)] = np.nan
    assert_equals_single_tests(data, granger_matrix(data, lags=lags, cov="HC3"), cov="HC3")


def test_near_collinear_pairs_leave_the_fast_path_and_keep_their_digits():
    data = panel(2)
    levels = data[:, 2].cumsum()
    data = np.column_stack([data[:, :2], levels, levels + 1e-4 * data[:, 3], 1e-3 * data[:, 4] + np.arange(700) ** 2])
    scan = granger_matrix(data, lags=3, cov="HC3")
    assert 0 < scan.n_refactored < 20
    assert_equals_single_tests(data, scan, cov="HC3")


@pytest.mark.parametrize("cov", ["nonrobust", "HC0", "HC3", "HAC"])
def test_pairs_without_a_number_have_a_reason_and_stay_in_the_family(cov):
    data = np.column_stack([panel(3)[:, :2], np.full(700, 3.0), np.zeros(700)])
    data[400, 3] = 1.0
    scan = granger_matrix(data, lags=2, cov=cov, names=["a", "b", "flat", "pulse"])
    assert "collinear" in scan.reasons["a <- flat"]
    assert "flat <- a" in scan.reasons
    assert ("a <- pulse" in scan.reasons) == (cov == "HC3")
    assert scan.n_tests == 12
    frame = scan.to_frame()
    assert len(frame) == 12
    assert (frame["status"] == "inapplicable").sum() == len(scan.reasons)
    assert frame.loc[frame["status"] == "ok", "pvalue"].notna().all()
    assert frame.loc[frame["status"] != "ok", "pvalue"].isna().all()


def test_too_few_rows_is_a_reason_for_every_pair():
    scan = granger_matrix(panel(0, 8, 3), lags=4)
    assert len(scan.reasons) == 6
    assert all("too few" in reason for reason in scan.reasons.values())


@pytest.mark.parametrize("cov", ["nonrobust", "HC3", "HAC"])
def test_workers_change_no_byte(cov):
    data = np.random.default_rng(4).standard_normal((120, 260))  # several tiles
    one = granger_matrix(data, lags=3, cov=cov, workers=1)
    assert one.to_json() == granger_matrix(data, lags=3, cov=cov, workers=3).to_json()
    assert one.to_json() == granger_matrix(data, lags=3, cov=cov).to_json()


def test_frame_names_effect_and_cause_and_the_planted_lead_is_first():
    data = pd.DataFrame(panel(), columns=["btc", "rut", "spx", "vix", "dxy"])
    scan = granger_matrix(data, lags=2, cov="HC3")
    best = scan.to_frame().nsmallest(1, "pvalue").iloc[0]
    assert (best["effect"], best["cause"]) == ("btc", "rut")
    assert "rut -> btc: F = " in scan.summary()
    assert "20 tests, 0 without a number" in scan.summary()
    assert from_dict(scan.to_dict()) == scan
    with pytest.raises(ValueError, match="read-only"):
        scan.pvalue[0, 1] = 0.0


def test_bandwidth_is_passed_on():
    data = panel(6)
    scan = granger_matrix(data, lags=2, cov="HAC", hac_lags=11)
    assert_equals_single_tests(data, scan, cov="HAC", hac_lags=11)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"names": ["a", "a", "b", "c", "b"]}, "repeated. Given: a, b."),
        ({"names": ["a"]}, "differ in number. Given: 1"),
        ({"hac_lags": 3}, "hac_lags goes with"),
        ({"cov": "HC2"}, "unknown covariance"),
        ({"workers": 0}, "workers must be"),
    ],
)
def test_misuse(options, text):
    with pytest.raises(InputError, match=text):
        granger_matrix(panel(), lags=2, **options)


def test_one_series_is_no_scan():
    with pytest.raises(InputError, match="at least two series"):
        granger_matrix(panel()[:, :1], lags=2)


@pytest.mark.parametrize("gaps", [False, True])
def test_pairs_in_different_tiles_equal_the_single_test(gaps):
    data = np.random.default_rng(11).standard_normal((90, 140)) * np.linspace(0.1, 9.0, 140)
    if gaps:
        data[[30, 61]] = np.nan  # every series shares the rows of one group that is no run
    for cov in ("nonrobust", "HC3"):
        scan = granger_matrix(data, lags=3, cov=cov, workers=2)
        assert scan.n_refactored == 0
        for effect, cause in ((0, 139), (139, 0), (69, 70), (70, 69), (138, 139), (3, 5)):
            one = granger_test(data[:, effect], data[:, cause], lags=3, cov=cov)
            assert scan.statistic[effect, cause] == pytest.approx(one.statistic, rel=1e-10)
            assert scan.nobs[effect, cause] == one.nobs


@pytest.mark.parametrize("bandwidth", [0, 1, 2, 4, 6, 12, 255])
def test_boxes_of_every_width_equal_the_single_test(bandwidth):
    data = panel(12, 1100, 3)
    scan = granger_matrix(data, lags=2, cov="HAC", hac_lags=bandwidth)
    assert scan.n_refactored == 0
    assert_equals_single_tests(data, scan, cov="HAC", hac_lags=bandwidth)


def test_a_bandwidth_beyond_a_window_is_solved_on_the_rows():
    data = panel(13, 600, 3)
    scan = granger_matrix(data, lags=1, cov="HAC", hac_lags=300)
    assert scan.n_refactored == 6
    assert_equals_single_tests(data, scan, cov="HAC", hac_lags=300)


def test_units_of_any_size_give_the_same_tests_and_coefficients_in_their_own():
    data = panel(14, 300, 3)
    usual = granger_matrix(data, lags=2, cov="HC3")
    tiny = granger_matrix(data * np.array([1e-160, 1e-60, 1e80]), lags=2, cov="HC3")
    np.testing.assert_allclose(tiny.statistic[:2, :2], usual.statistic[:2, :2], rtol=1e-12)
    assert tiny.statistic[1, 2] == pytest.approx(usual.statistic[1, 2], rel=1e-12)
    assert tiny.cumulative[1, 0] == pytest.approx(usual.cumulative[1, 0] * 1e100, rel=1e-12)
    assert tiny.cumulative[2, 1] == pytest.approx(usual.cumulative[2, 1] * 1e140, rel=1e-12)
    assert set(tiny.reasons) == {"x2 <- x0", "x0 <- x2"}
    assert all("change the unit" in reason for reason in tiny.reasons.values())
    assert np.isnan(tiny.cumulative[2, 0])


@pytest.mark.parametrize("unit", [1e-155, 1e-152, 1e-110, 1e-90, 1e90, 1e110, 1e152])
def test_squares_near_the_ends_of_a_float_cost_no_digit(unit):
    data = panel(15, 300, 3)
    usual = granger_matrix(data, lags=2, cov="HC3").statistic
    same = granger_matrix(data * unit, lags=2, cov="HC3").statistic
    np.testing.assert_allclose(same, usual, rtol=1e-11)


@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-10, 1e-7])
def test_what_a_trend_leaves_of_a_series_is_no_noise_of_rounding(trend, noise):
    data = panel(16, 300, 3)
    line = 5.0 + 1.7 * np.arange(300) if trend == "ct" else np.full(300, 1e9)
    data[:, 0] = line + noise * line.max() * data[:, 0]
    scan = granger_matrix(data, lags=1, trend=trend)
    for effect, cause in ((0, 1), (1, 0), (1, 2)):
        one = granger_test(data[:, effect], data[:, cause], lags=1, trend=trend, cov="nonrobust")
        name = f"x{effect} <- x{cause}"
        if isinstance(one, Inapplicable):
            assert scan.reasons[name] == one.reason
        else:
            assert scan.statistic[effect, cause] == pytest.approx(one.statistic, rel=1e-8)
    if noise == 0.0:
        assert len(scan.reasons) == 4


def test_a_bandwidth_beyond_the_rows_of_a_pair_is_its_reason_and_no_other_pairs():
    data = panel(17, 600, 3)
    data[:580, 2] = np.nan
    scan = granger_matrix(data, lags=1, cov="HAC", hac_lags=30)
    assert set(scan.reasons) == {"x0 <- x2", "x2 <- x0", "x1 <- x2", "x2 <- x1"}
    assert all("bandwidth of 30 reaches beyond" in reason for reason in scan.reasons.values())
    assert np.isfinite(scan.statistic[0, 1])
    with pytest.raises(InputError, match="hac_lags must be"):
        granger_matrix(data, lags=1, cov="HAC", hac_lags=-1)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_hardly_any_rows_are_a_reason(rows):
    for trend in ("n", "c", "ct"):
        assert len(granger_matrix(np.ones((rows, 2)), lags=1, trend=trend).reasons) == 2
        assert isinstance(granger_test(np.ones(rows), np.ones(rows), lags=1, trend=trend), Inapplicable)
