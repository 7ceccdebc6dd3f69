"""Causality in variance against arch, the papers' formulas written out, and seeded size and power."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch import arch_model
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable
from analysis.stats import granger_variance as gv
from analysis.stats.volatility import garch_filter as gf
from analysis.stats.volatility.garch_kernels import garch_recursion


def volatile(rng: np.random.Generator, n: int, spill: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return an effect and a cause with GARCH variances; `spill` lets the cause's squares into the effect's."""
    z = rng.standard_t(5, (n + 300, 2)) * math.sqrt(3 / 5)
    x, y = np.zeros(n + 300), np.zeros(n + 300)
    hx = hy = 1.0
    for t in range(1, n + 300):
        hy = 0.05 + 0.05 * y[t - 1] ** 2 + spill * x[t - 1] ** 2 + (0.60 if spill else 0.90) * hy
        hx = 0.05 + 0.15 * x[t - 1] ** 2 + 0.80 * hx
        x[t], y[t] = math.sqrt(hx) * z[t, 0], math.sqrt(hy) * z[t, 1]
    return y[300:], x[300:]


@pytest.fixture(scope="module")
def spilled() -> tuple[np.ndarray, np.ndarray]:
    return volatile(np.random.default_rng(11), 900, 0.30)


@pytest.fixture(scope="module")
def apart() -> tuple[np.ndarray, np.ndarray]:
    return volatile(np.random.default_rng(12), 700)


# --- the filter ---------------------------------------------------------------------------------------------


def plain_recursion(squares, omega, alpha, beta, start):
    """The compiled recursion, one date at a time and vectors for the slopes."""
    past, level = start, start
    slope, filled = np.zeros(3), np.zeros(3)
    out, slopes = [], []
    for square in squares:
        slope = np.array([1.0, past, level]) + beta * slope + alpha * filled
        level = omega + alpha * past + beta * level
        past, filled = (level, slope) if np.isnan(square) else (square, np.zeros(3))
        out.append(level)
        slopes.append(slope)
    return np.array(out), np.array(slopes)


def test_compiled_recursion_equals_its_plain_twin_and_finite_differences():
    rng = np.random.default_rng(0)
    squares = np.square(rng.standard_normal(200))
    squares[[5, 50, 51]] = np.nan
    theta = np.array([0.05, 0.1, 0.85])
    h, slope = garch_recursion(squares, *theta, 1.1)
    expected = plain_recursion(squares, *theta, 1.1)
    np.testing.assert_allclose(h, expected[0], rtol=1e-10)
    np.testing.assert_allclose(slope, expected[1], rtol=1e-10)
    for j in range(3):
        step = np.eye(3)[j] * 1e-6
        up, down = (garch_recursion(squares, *(theta + s), 1.1)[0] for s in (step, -step))
        np.testing.assert_allclose(slope[:, j], (up - down) / 2e-6, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("distribution", ["normal", "t"])
def test_filter_is_that_of_arch(spilled, distribution):
    series = spilled[1] - spilled[1].mean()
    ours = gf.fit_garch11(series, distribution=distribution)
    model = arch_model(series, mean="Zero", vol="GARCH", p=1, q=1, dist=distribution, rescale=False)
    peer = model.fit(disp="off", tol=1e-10)
    assert ours.log_likelihood == pytest.approx(peer.loglikelihood, abs=1e-4)
    assert ours.log_likelihood >= peer.loglikelihood - 1e-6
    np.testing.assert_allclose(ours.parameters, peer.params, rtol=1e-3, atol=1e-4)  # T2
    np.testing.assert_allclose(np.sqrt(ours.variance), peer.conditional_volatility, rtol=1e-3)


@settings(max_examples=8, deadline=None)
@given(exponent=st.integers(-4, 4))
def test_filter_does_not_depend_on_the_unit(exponent):
    series = volatile(np.random.default_rng(3), 300)[1]
    base, scaled = gf.fit_garch11(series), gf.fit_garch11(series * 10.0**exponent)
    np.testing.assert_allclose(scaled.shocks, base.shocks, rtol=1e-6)
    assert scaled.parameters[0] == pytest.approx(base.parameters[0] * 100.0**exponent, rel=1e-5)


def test_a_gap_leaves_the_filter_close_and_its_shock_missing(apart):
    series = apart[1].copy()
    whole = gf.fit_garch11(series)
    series[300] = np.nan
    holed = gf.fit_garch11(series)
    assert np.isnan(holed.shocks[300])
    assert np.isfinite(np.delete(holed.shocks, 300)).all()
    np.testing.assert_allclose(holed.parameters, whole.parameters, atol=0.05)


def test_mean_filter_removes_exactly_the_vector_autoregression(apart):
    joint = np.column_stack(apart)
    residuals = gf.mean_residuals(joint, 2)
    design = np.column_stack([np.ones(698), joint[1:-1], joint[:-2]])
    assert np.isnan(residuals[:2]).all()
    np.testing.assert_allclose(design.T @ residuals[2:], 0.0, atol=1e-8)


# --- statistics written out ---------------------------------------------------------------------------------


def shocks(effect: np.ndarray, cause: np.ndarray, order: int) -> list[gf.GarchFit]:
    residuals = gf.mean_residuals(np.column_stack([effect, cause]), order)
    return [gf.fit_garch11(residuals[order:, k]) for k in (0, 1)]


def loop_correlation(u: np.ndarray, v: np.ndarray, k: int) -> float:
    return sum(u[t] * v[t - k] for t in range(k, len(u))) / math.sqrt((u @ u) * (v @ v))


def test_cheung_ng_is_its_sum_of_squared_correlations(apart):
    own, other = shocks(*apart, 3)
    u, v = (np.square(f.shocks) - np.square(f.shocks).mean() for f in (own, other))
    rho = np.array([loop_correlation(u, v, k) for k in (1, 2, 3)])
    n = 697
    result = gv.cheung_ng(*apart, lags=3)
    np.testing.assert_allclose(result.correlations, rho, rtol=1e-8)
    weights = n * (n + 2) / (n - np.arange(1, 4))
    assert result.statistic == pytest.approx(weights @ rho**2, rel=1e-8)
    assert result.pvalue == pytest.approx(stats.chi2.sf(weights @ rho**2, 3))
    plain = gv.cheung_ng(*apart, lags=3, small_sample=False)
    assert plain.statistic == pytest.approx(n * rho @ rho, rel=1e-8)
    assert (result.nobs, result.nobs_lost) == (n, 3)


@pytest.mark.parametrize("kernel", gv.KERNELS)
def test_hong_is_its_weighted_sum(apart, kernel):
    own, other = shocks(*apart, 4)
    u, v = (np.square(f.shocks) - np.square(f.shocks).mean() for f in (own, other))
    n, total, center, spread = len(u), 0.0, 0.0, 0.0
    for j in range(1, n - 1):
        k2 = float(gv.kernel_weights(np.array([j / 4]), kernel)[0]) ** 2
        if k2 > 0:
            total += n * k2 * loop_correlation(u, v, j) ** 2
            center += (1 - j / n) * k2
            spread += 2 * (1 - j / n) * (1 - (j + 1) / n) * k2**2
    result = gv.hong(*apart, lags=4, kernel=kernel)
    assert result.statistic == pytest.approx((total - center) / math.sqrt(spread), rel=1e-6)
    assert result.pvalue == pytest.approx(stats.norm.sf(result.statistic))


def test_kernels_have_their_known_values():
    z = np.array([1e-9, 0.5, 1.0, 1.5])
    np.testing.assert_allclose(gv.kernel_weights(z, "daniell"), [1, 2 / np.pi, 0, -2 / (3 * np.pi)], atol=1e-12)
    np.testing.assert_allclose(gv.kernel_weights(z, "bartlett"), [1, 0.5, 0, 0], atol=1e-8)
    np.testing.assert_allclose(gv.kernel_weights(z, "parzen"), [1, 0.25, 0, 0], atol=1e-12)
    np.testing.assert_allclose(gv.kernel_weights(z, "truncated"), [1, 1, 1, 0])
    w = 6 * np.pi * 0.5 / 5
    assert gv.kernel_weights(z, "quadratic-spectral")[1] == pytest.approx(3 / w**2 * (math.sin(w) / w - math.cos(w)))


def test_hafner_herwartz_is_the_papers_quadratic_form(apart):
    own, other = shocks(*apart, 5)
    T = len(own.shocks) - 1
    surprise = np.square(own.shocks[1:]) - 1
    x = own.slopes[1:]
    z = np.column_stack([np.square(other.shocks[:-1]) * other.variance[:-1], other.variance[:-1]])
    kappa = (surprise**2).sum() / T
    V = kappa / (4 * T) * (z.T @ z - z.T @ x @ np.linalg.inv(x.T @ x) @ x.T @ z)
    score = z.T @ surprise
    expected = score @ np.linalg.inv(V) @ score / (4 * T)
    result = gv.hafner_herwartz(*apart)
    assert result.statistic == pytest.approx(expected, rel=1e-6)
    assert result.df == (2.0,)
    assert result.pvalue == pytest.approx(stats.chi2.sf(expected, 2))
    assert gv.hafner_herwartz(*apart, lags=3).df == (4.0,)


def test_missing_dates_are_counted_lag_by_lag(apart):
    y, x = (item.copy() for item in apart)
    x[200] = np.nan
    result = gv.cheung_ng(y, x, lags=2, mean_lags=1)
    assert result.nobs == 700 - 1 - 2  # the row itself and the one that needs it as a lag
    u, v = np.array([1.0, np.nan, 2.0, -1.0]), np.array([0.5, 1.0, np.nan, 2.0])
    rho, counts = gv.square_correlations(u, v, 2)
    np.testing.assert_allclose(counts, [1, 2])
    np.testing.assert_allclose(rho, np.array([2.0 * 1.0, 2.0 * 0.5 + -1.0 * 1.0]) / math.sqrt(6 * 5.25), atol=1e-12)


def test_permuted_correlations_keep_gaps_and_values():
    u, v = np.random.default_rng(1).standard_normal((2, 30))
    v[4] = np.nan
    out = gv.permuted_correlations(u, v, 3, 200, np.random.default_rng(2))
    rng = np.random.default_rng(2)
    present = np.flatnonzero(np.isfinite(v))
    shuffled = v.copy()
    shuffled[present] = v[rng.permutation(present)]
    np.testing.assert_allclose(out[0], gv.square_correlations(u, shuffled, 3)[0], atol=1e-12)
    assert np.unique(out[:, 0].round(9)).size > 150


# --- behaviour ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("test", [gv.cheung_ng, gv.hong, gv.hafner_herwartz])
def test_the_spill_is_found_in_its_direction_only(spilled, test):
    effect, cause = spilled
    options = {} if test is gv.hafner_herwartz else {"lags": 5}
    assert test(effect, cause, **options).pvalue < 1e-4
    assert test(cause, effect, **options).pvalue > 1e-3


def test_a_link_in_mean_is_not_taken_for_one_in_variance():
    rng = np.random.default_rng(8)
    _, x = volatile(rng, 900)
    y = np.r_[0.0, 0.8 * x[:-1]] + rng.standard_normal(900)
    assert gv.cheung_ng(y, x, lags=2, mean_lags=0).pvalue < 1e-6
    assert gv.cheung_ng(y, x, lags=2, mean_lags=2).pvalue > 0.01


def test_size_on_independent_volatility_and_permutations():
    rng = np.random.default_rng(77)
    rejected = np.zeros(4)
    runs = 60
    for _ in range(runs):
        pair = volatile(rng, 350)
        ng = gv.cheung_ng(*pair, lags=4, mean_lags=1)
        hong = gv.hong(*pair, lags=4, mean_lags=1, bootstrap=39, rng=rng)
        lm = gv.hafner_herwartz(*pair, mean_lags=1)
        if not isinstance(lm, Failed):
            rejected += np.array([ng.pvalue, hong.pvalue, hong.bootstrap_pvalue, lm.pvalue]) <= 0.10
    limit = 0.10 + 3 * math.sqrt(0.1 * 0.9 / runs)
    assert (rejected / runs <= limit).all()
    assert rejected.sum() > 0


def test_same_seed_same_bytes(apart):
    runs = [gv.cheung_ng(*apart, lags=2, bootstrap=19, rng=np.random.default_rng(4)).to_json() for _ in range(2)]
    assert runs[0] == runs[1]
    assert "permutation p" in gv.cheung_ng(*apart, lags=2, bootstrap=19, rng=np.random.default_rng(4)).summary()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lags": 0}, "whole number"),
        ({"mean_lags": -1}, "mean_lags"),
        ({"distribution": "cauchy"}, "distribution"),
        ({"bootstrap": 9}, "random generator"),
        ({"kernel": "box"}, "kernel"),
    ],
)
def test_wrong_options_are_refused_in_words(apart, options, words):
    with pytest.raises(InputError, match=words):
        gv.hong(*apart, **({"lags": 2} | options))
    with pytest.raises(InputError, match="one effect and one cause"):
        gv.cheung_ng(apart[0], np.column_stack(apart), lags=1)


def test_data_that_cannot_carry_the_test_give_a_reason(apart):
    y, x = apart
    short = gv.cheung_ng(y[:80], x[:80], lags=1)
    assert isinstance(short, Inapplicable)
    assert "too few" in short.reason
    assert isinstance(gv.hong(y, np.ones_like(y), lags=1), Inapplicable)
    flat = gv.hafner_herwartz(y, np.zeros_like(y), mean_lags=0)
    assert isinstance(flat, Inapplicable)
    assert "no variation" in flat.reason
    collinear = gv.multiplier_statistic(y, np.column_stack([y, x, np.ones(700)]), np.column_stack([x, y + x]))
    assert collinear is None
