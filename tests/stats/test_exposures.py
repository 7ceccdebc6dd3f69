"""Betas to shocks and loadings on twins: statsmodels as the peer, identities, size and power."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.exposures import innovations, shock_betas
from analysis.stats.loadings import equal_residuals, loading_difference
from analysis.stats.regression import hac_bandwidth, lag_columns, ols, rademacher


def market(n: int = 300, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return small caps, large caps and three shocks; small caps respond more to the third only."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(6, (n, 3))
    common = rng.standard_normal(n)
    base = shocks @ np.array([0.1, -0.4, -0.6]) + common
    return base - 0.3 * shocks[:, 2] + 0.5 * rng.standard_normal(n), base, shocks


@pytest.mark.parametrize("cov", ["HC3", "HC1", "HAC", "nonrobust"])
def test_betas_are_those_of_statsmodels(cov: str) -> None:
    small, large, shocks = market()
    result = shock_betas(small, large, shocks, cov=cov)
    options = {"cov_kwds": {"maxlags": hac_bandwidth(300), "use_correction": False}} if cov == "HAC" else {}
    for part, y in (("first", small), ("second", large), ("difference", small - large)):
        peer = sm.OLS(y, sm.add_constant(shocks)).fit(cov_type=cov, use_t=True, **options)
        np.testing.assert_allclose(getattr(result, part), peer.params[1:], rtol=1e-9)
        np.testing.assert_allclose(getattr(result, f"{part}_lower"), peer.conf_int()[1:, 0], rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(getattr(result, f"{part}_upper"), peer.conf_int()[1:, 1], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(result.difference_pvalue, peer.pvalues[1:], rtol=1e-7)
    joint = peer.f_test(np.eye(4)[1:])
    assert result.statistic == pytest.approx(float(joint.fvalue), rel=1e-8)
    assert result.pvalue == pytest.approx(float(joint.pvalue), rel=1e-7)
    if cov == "HAC":
        np.testing.assert_allclose(result.hac_pvalue, result.difference_pvalue)


def test_the_difference_is_exactly_first_less_second() -> None:
    small, large, shocks = market()
    result = shock_betas(small, large, shocks)
    np.testing.assert_allclose(result.difference, result.first - result.second, rtol=1e-10)
    two_intervals = (result.first_upper - result.first_lower) + (result.second_upper - result.second_lower)
    assert (result.difference_upper - result.difference_lower < two_intervals / 2).all()


def test_r2_is_the_share_the_shocks_account_for() -> None:
    small, large, shocks = market()
    result = shock_betas(small, large, shocks)
    peers = [sm.OLS(y, sm.add_constant(shocks)).fit().rsquared for y in (small, large)]
    assert result.r2 == pytest.approx(tuple(peers))


def test_amplification_points_where_both_series_go() -> None:
    small, large, shocks = market()
    result = shock_betas(small, large, shocks)
    assert result.difference[2] < 0 < result.amplification[2]
    assert result.amplification_lower[2] > 0
    np.testing.assert_allclose(
        np.abs(result.amplification_upper - result.amplification_lower),
        result.difference_upper - result.difference_lower,
    )
    alone = shock_betas(small, large, shocks[:, 2])
    assert alone.estimate == alone.amplification[0] > 0
    assert alone.interval == (alone.amplification_lower[0], alone.amplification_upper[0])
    assert result.estimate is None


def test_an_exposure_without_direction_is_said_so() -> None:
    small, large, shocks = market()
    noise = np.random.default_rng(8).standard_normal(300)
    result = shock_betas(small, large, np.column_stack([shocks[:, 2], noise]), names=("fear", "noise"))
    assert result.warnings == ("the direction of the exposure is not known for: noise",)


def test_bootstrap_equals_a_naive_loop_and_shares_its_signs() -> None:
    small, large, shocks = market(80)
    result = shock_betas(small, large, shocks, bootstrap=19, rng=np.random.default_rng(5))
    signs = rademacher(np.random.default_rng(int(np.random.default_rng(5).integers(2**63))), 19, 80)
    gap, X = small - large, sm.add_constant(shocks)
    observed = sm.OLS(gap, X).fit(cov_type="HC3").tvalues
    for j in (1, 2, 3):
        null = sm.OLS(gap, np.delete(X, j, axis=1)).fit()
        drawn = [sm.OLS(null.fittedvalues + sign * null.resid, X).fit(cov_type="HC3").tvalues[j] for sign in signs]
        expected = (1 + np.sum(np.abs(drawn) >= abs(observed[j]))) / 20
        assert result.single_pvalue[j - 1] == pytest.approx(expected)
    assert (result.adjusted_pvalue >= result.single_pvalue).all()


def test_joint_bootstrap_of_one_shock_is_its_own_test() -> None:
    small, large, shocks = market()
    result = shock_betas(small, large, shocks[:, 0], bootstrap=199, rng=np.random.default_rng(5))
    assert result.bootstrap_pvalue == result.single_pvalue[0] == result.adjusted_pvalue[0]


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-4, 1e4), order=st.permutations([0, 1, 2]))
def test_units_and_order_of_the_shocks_do_not_matter(scale: float, order: list[int]) -> None:
    small, large, shocks = market()
    base = shock_betas(small, large, shocks)
    other = shock_betas(small, large, shocks[:, order] * scale)
    assert other.statistic == pytest.approx(base.statistic, rel=1e-7)
    np.testing.assert_allclose(other.amplification * scale, base.amplification[order], rtol=1e-7)


def test_swapping_the_series_turns_the_difference() -> None:
    small, large, shocks = market()
    one, two = shock_betas(small, large, shocks), shock_betas(large, small, shocks)
    np.testing.assert_allclose(one.difference, -two.difference)
    np.testing.assert_allclose(one.amplification, -two.amplification)
    assert one.pvalue == pytest.approx(two.pvalue)


def test_rows_with_a_gap_are_left_out_and_counted() -> None:
    small, large, shocks = market()
    gappy = shocks.copy()
    gappy[::7, 1] = np.nan
    result = shock_betas(small, large, gappy)
    keep = np.isfinite(gappy).all(axis=1)
    assert (result.nobs, result.nobs_lost) == (keep.sum(), (~keep).sum())
    np.testing.assert_allclose(result.first, shock_betas(small[keep], large[keep], shocks[keep]).first)


def test_innovations_are_residuals_of_the_own_past_and_bridge_no_gap() -> None:
    rng = np.random.default_rng(4)
    series = np.zeros(400)
    for t in range(1, 400):
        series[t] = 0.6 * series[t - 1] + rng.standard_normal()
    found = innovations(series, lags=2)
    peer = sm.OLS(series[2:], sm.add_constant(np.column_stack([series[1:-1], series[:-2]]))).fit()
    np.testing.assert_allclose(found[2:], peer.resid, atol=1e-10)
    assert np.isnan(found[:2]).all()
    series[100] = np.nan
    assert np.flatnonzero(np.isnan(innovations(series, lags=2))).tolist() == [0, 1, 100, 101, 102]
    np.testing.assert_allclose(np.nanmean(innovations(series, lags=0)), 0.0, atol=1e-12)
    assert np.isnan(innovations(np.ones(50), lags=1)).all()


def test_comparisons_that_make_no_sense_are_inapplicable() -> None:
    small, large, shocks = market()
    assert "too few" in shock_betas(small[:40], large[:40], shocks[:40]).reason
    assert "collinear" in shock_betas(small, large, np.column_stack([shocks, shocks[:, 0]])).reason
    once = np.zeros(300)
    once[7] = 1.0
    assert "single row" in shock_betas(small, large, once).reason
    assert isinstance(shock_betas(small, small, shocks), Inapplicable)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cov": "HC9"}, "covariance"),
        ({"level": 0.0}, "confidence"),
        ({"names": ("a", "a", "b")}, "names"),
        ({"bootstrap": 9}, "generator"),
    ],
)
def test_wrong_options_of_shock_betas(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        shock_betas(*market(), **changes)
    with pytest.raises(InputError, match="no shock"):
        shock_betas(*market()[:2], np.empty((300, 0)))


def twins(n: int = 400, seed: int = 6) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    common = rng.standard_t(6, n)
    return common + 0.4 * rng.standard_normal(n), common + 0.4 * rng.standard_normal(n), rng


@pytest.mark.parametrize("lags", [0, 2])
def test_loadings_are_those_of_statsmodels(lags: int) -> None:
    a, b, rng = twins()
    control = rng.standard_normal(400)
    y = 0.8 * a + 0.2 * b + control + rng.standard_normal(400)
    result = loading_difference(y, a, b, lags=lags, given=control)
    columns = [lag_columns(item[:, None], lags) if lags else item[:, None] for item in (a, b)]
    own = lag_columns(y[:, None], max(lags, 1))
    beside = lag_columns(control[:, None], lags) if lags else control[:, None]
    X = sm.add_constant(np.column_stack([*columns, own, beside]))
    keep = np.isfinite(X).all(axis=1)
    peer = sm.OLS(y[keep], X[keep]).fit(cov_type="HC3", use_t=True)
    width = max(lags, 1)
    contrast = np.zeros((3, X.shape[1]))
    contrast[0, 1 : 1 + width], contrast[0, 1 + width : 1 + 2 * width] = 1.0, -1.0
    contrast[1, 1 : 1 + width] = contrast[2, 1 + width : 1 + 2 * width] = 1.0
    test = peer.t_test(contrast)
    np.testing.assert_allclose([result.estimate, *result.loading], test.effect, rtol=1e-8)
    np.testing.assert_allclose([result.interval[0], *result.lower], test.conf_int()[:, 0], rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose([result.interval[1], *result.upper], test.conf_int()[:, 1], rtol=1e-7, atol=1e-10)
    assert result.pvalue == pytest.approx(float(test.pvalue[0]), rel=1e-7)
    assert (result.nobs, result.nobs_lost) == (keep.sum(), 400 - keep.sum())
    assert result.correlation == pytest.approx(np.corrcoef(a[keep], b[keep])[0, 1])


def test_residuals_under_equality_are_those_of_the_summed_regressor() -> None:
    a, b, rng = twins(80)
    y = a + rng.standard_normal(80)
    fit = ols(np.column_stack([np.ones(80), a, b]), y)
    peer = sm.OLS(y, sm.add_constant(a + b)).fit()
    np.testing.assert_allclose(equal_residuals(fit, np.array([[0.0, 1.0, -1.0]])), peer.resid, atol=1e-10)


def test_loading_bootstrap_equals_a_naive_loop() -> None:
    a, b, rng = twins(90)
    y = 0.7 * a + rng.standard_normal(90)
    result = loading_difference(y, a, b, bootstrap=39, rng=np.random.default_rng(2))
    X = sm.add_constant(np.column_stack([a[1:], b[1:], y[:-1]]))
    null = sm.OLS(y[1:], sm.add_constant(np.column_stack([a[1:] + b[1:], y[:-1]]))).fit()
    contrast = [0.0, 1.0, -1.0, 0.0]
    drawn = [
        sm.OLS(null.fittedvalues + sign * null.resid, X).fit(cov_type="HC3").t_test(contrast).tvalue.item() ** 2
        for sign in rademacher(np.random.default_rng(2), 39, 89)
    ]
    assert result.bootstrap_pvalue == pytest.approx((1 + np.sum(np.array(drawn) >= result.statistic)) / 40)


def test_loadings_that_cannot_be_told_apart_or_do_not_exist() -> None:
    a, b, rng = twins()
    y = rng.standard_normal(400)
    assert "collinear" in loading_difference(y, a, a).reason
    assert "collinear" in loading_difference(y, np.ones(400), b).reason
    assert "too few" in loading_difference(y[:40], a[:40], b[:40]).reason
    with pytest.raises(InputError, match="lags"):
        loading_difference(y, a, b, lags=-1)
    with pytest.raises(InputError, match="covariance"):
        loading_difference(y, a, b, cov="x")
    with pytest.raises(InputError, match="confidence"):
        loading_difference(y, a, b, level=2.0)


def clustered(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw five GARCH(1,1)-t series; the last two are correlated at .85."""
    mix = np.eye(5)
    mix[4, 3:] = 0.85, math.sqrt(1 - 0.85**2)
    shocks = rng.standard_normal((n + 100, 5)) @ mix.T / np.sqrt(rng.chisquare(6, (n + 100, 1)) / 4)
    h, out = np.ones(5), np.empty((n + 100, 5))
    for t, shock in enumerate(shocks):
        out[t] = shock * np.sqrt(h)
        h = 0.03 + 0.06 * out[t] ** 2 + 0.91 * h
    return out[100:]


def test_size_and_power_on_clustered_volatility() -> None:
    rng, runs = np.random.default_rng(31), 80
    found = np.zeros(4)
    for _ in range(runs):
        data = clustered(rng, 400)
        shocks, move = data[:, :3], data[:, :3] @ np.array([0.1, -0.3, -0.5])
        small, large = move + data[:, 3], move + data[:, 4]
        null = shock_betas(small, large, shocks, bootstrap=99, rng=rng)
        more = shock_betas(small - 0.2 * shocks[:, 2], large, shocks, bootstrap=99, rng=rng)
        loads = loading_difference(
            data[:, 3] + data[:, 4] + 2 * data[:, 0], data[:, 3], data[:, 4], bootstrap=99, rng=rng
        )
        found += [
            null.bootstrap_pvalue <= 0.05,
            null.adjusted_pvalue.min() <= 0.05,
            more.adjusted_pvalue[2] <= 0.05,
            loads.bootstrap_pvalue <= 0.05,
        ]
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert found[0] / runs <= limit
    assert found[1] / runs <= limit
    assert found[2] / runs > 0.8
    assert found[3] / runs <= limit
