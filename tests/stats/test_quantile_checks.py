"""Quantile methods where values repeat, lags are many, hits are rare, or draws are few: size kept or refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.cross_quantilogram import CrossQuantilogramResult, cross_quantilogram
from analysis.stats.granger_quantile import QuantileGrangerResult, TrosterResult, quantile_granger
from analysis.stats.quantile import checks as qc

TAUS = (0.25, 0.5, 0.75)


def zeros(rng: np.random.Generator, n: int, share: float) -> np.ndarray:
    """Normal numbers of which about `share` are replaced by zero."""
    return np.where(rng.random(n) < share, 0.0, rng.standard_normal(n))


def ceiling(size: float, n: int) -> float:
    """Rejection rate that a test of this size exceeds about once in a thousand simulations of n draws."""
    return size + 3.1 * float(np.sqrt(size * (1 - size) / n))


# --- cross-quantilogram: values repeated at the quantile ---------------------------------------------------------


def test_zeros_in_both_series_are_refused_with_a_quantile_that_works():
    rng = np.random.default_rng(1)
    pvalues = []
    for _ in range(150):
        x, y = zeros(rng, 1000, 0.3), zeros(rng, 1000, 0.3)
        refused = cross_quantilogram(x, y, quantiles=(0.5, 0.5), max_lag=5, x_name="RUT", y_name="BTC")
        assert isinstance(refused, Inapplicable)
        advised = tuple(float(f"{np.mean(item <= 0):.4g}") for item in (x, y))
        assert f"take the quantile {advised[0]:g} for RUT and {advised[1]:g} for BTC" in refused.reason
        pvalues.append(cross_quantilogram(x, y, quantiles=advised, max_lag=5).pvalue)
    assert np.mean(np.array(pvalues) <= 0.05) <= ceiling(0.05, 150)
    assert "in 100% of cases" in refused.reason


@pytest.mark.parametrize(("share", "n", "lags"), [(0.1, 3000, 20), (0.15, 1000, 5), (0.2, 300, 5)])
def test_size_follows_from_the_shares_of_hits(share, n, lags):
    rng = np.random.default_rng(2)
    pairs = n - np.arange(1, lags + 1)
    rejected, expected = [], []
    for _ in range(250):
        series = [zeros(rng, n, share) for _ in range(2)]
        hits = [(item <= np.quantile(item, 0.5)) - 0.5 for item in series]
        rho = [
            hits[0][k:] @ hits[1][:-k] / np.linalg.norm(hits[0][k:]) / np.linalg.norm(hits[1][:-k])
            for k in range(1, lags + 1)
        ]
        rejected.append(stats.chi2.sf(pairs @ np.square(rho), lags) <= 0.05)
        shares = tuple(qc.hit_share(item, 0.5, "s") for item in series)
        expected.append(qc.size_with_ties(shares, pairs))
    assert np.mean(expected) > 0.1
    assert np.mean(rejected) == pytest.approx(np.mean(expected), abs=3.3 * np.std(rejected) / np.sqrt(250))


def test_few_zeros_are_warned_of_and_none_are_not():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, 1000))
    for item in (x, y):
        item -= np.median(item)
        item[np.argsort(np.abs(item))[:90]] = 0.0  # 4.5 % on either side of the median
    mild = cross_quantilogram(x, y, quantiles=(0.5, 0.5), max_lag=5, bootstrap=99, rng=rng)
    assert isinstance(mild, CrossQuantilogramResult)
    assert any("lie at or below its quantile 0.5" in item and "instead of 0" in item for item in mild.warnings)
    x, y = rng.standard_normal((2, 1000))
    assert cross_quantilogram(x, y, quantiles=(0.1, 0.5), max_lag=5, bootstrap=99, rng=rng).warnings == ()


def test_zeros_in_one_series_hide_links_rather_than_fake_them():
    rng = np.random.default_rng(4)
    y = rng.standard_normal(1000)
    warned = cross_quantilogram(zeros(rng, 1000, 0.2), y, quantiles=(0.5, 0.5), max_lag=3)
    assert "lie at or below" in warned.warnings[0]
    refused = cross_quantilogram(zeros(rng, 1000, 0.6), y, quantiles=(0.5, 0.5), max_lag=3)
    assert "hide most of a link" in refused.reason
    assert " for y" not in refused.reason  # only the series that repeats a value is told to change


def test_the_share_of_hits_is_counted():
    found = qc.hit_share(np.array([0.0, np.nan, 0.0, -1.0, 2.0, 0.0]), 0.3, "s")
    assert (found.share, found.value, found.tied) == (0.8, 0.0, 0.6)
    hits = np.array([1, 1, 1, 0, 1]) - 0.3
    assert found.offset == pytest.approx(hits.mean() / np.sqrt(np.square(hits).mean()))


# --- cross-quantilogram: many lags, few pairs, rare hits ---------------------------------------------------------


def test_pvalue_holds_its_size_at_many_lags_where_ljung_box_does_not():
    rng = np.random.default_rng(5)
    pvalues, weighted_twice = [], []
    for _ in range(250):
        x, y = rng.standard_normal((2, 300))
        result = cross_quantilogram(x, y, quantiles=(0.1, 0.1), max_lag=100)
        pvalues.append(result.pvalue)
        weighted_twice.append(stats.chi2.sf(result.ljung_box, 100))
    assert 0.01 < np.mean(np.array(pvalues) <= 0.05) <= ceiling(0.05, 250)
    assert np.mean(np.array(weighted_twice) <= 0.05) > 0.5
    statistic = ((300 - np.arange(1, 101)) * np.square(result.estimate)).sum()
    assert result.statistic == pytest.approx(statistic, rel=1e-12)
    assert result.pvalue == pytest.approx(stats.chi2.sf(statistic, 100), rel=1e-12)


@pytest.mark.parametrize(
    ("quantiles", "lags", "words"),
    [
        ((0.001, 0.1), 1, "0.3 of 300 rows of x lie beyond its quantile 0.001"),
        ((0.5, 0.99), 1, "3 of 300 rows of y lie beyond its quantile 0.99"),
        ((0.02, 0.05), 1, "0.3 of 299 pairs"),
        ((0.5, 0.5), 281, "the lag 281 has 19 pairs"),
    ],
)
def test_too_few_hits_or_pairs_are_refused(quantiles, lags, words):
    x, y = np.random.default_rng(6).standard_normal((2, 300))
    result = cross_quantilogram(x, y, quantiles=quantiles, max_lag=lags)
    assert isinstance(result, Inapplicable)
    assert words in result.reason


def test_few_joint_hits_are_a_warning():
    x, y = np.random.default_rng(6).standard_normal((2, 300))
    few = cross_quantilogram(x, y, quantiles=(0.05, 0.05), max_lag=2)
    assert any(text.startswith("about 0.75 joint hits are expected") for text in few.warnings)
    assert not any("joint" in text for text in cross_quantilogram(x, y, quantiles=(0.1, 0.1), max_lag=2).warnings)


def test_enough_hits_and_pairs_are_not_refused():
    x, y = np.random.default_rng(6).standard_normal((2, 300))
    for quantiles, lags in (((0.1, 0.1), 280), ((0.95, 0.15), 1)):
        assert isinstance(cross_quantilogram(x, y, quantiles=quantiles, max_lag=lags), CrossQuantilogramResult)


# --- causality in quantiles: values repeated by the effect -------------------------------------------------------


def test_an_effect_that_is_half_zeros_is_refused_and_troster_is_not():
    rng = np.random.default_rng(7)
    effect, cause = zeros(rng, 500, 0.5), rng.standard_normal(500)
    refused = quantile_granger(effect, cause, lags=1, quantiles=TAUS, bootstrap=9, rng=rng, effect_name="BTC")
    assert isinstance(refused, Inapplicable)
    assert "of BTC equal 0" in refused.reason
    assert "only where volatility is stable, use method='troster'" in refused.reason
    instead = quantile_granger(effect[:200], cause[:200], lags=1, quantiles=TAUS, method="troster")
    assert isinstance(instead, TrosterResult)
    assert any("18 % (300 rows) and 45 % (800 rows)" in text and "volatility" in text for text in instead.warnings)


def test_an_effect_that_hardly_varies_is_refused_rather_than_failed():
    for seed in range(8):
        rng = np.random.default_rng(seed)
        effect, cause = zeros(rng, 300, 0.8), rng.standard_normal(300)
        result = quantile_granger(effect, cause, lags=1, quantiles=(0.25,))
        assert isinstance(result, Inapplicable)
        assert "equal 0" in result.reason


def test_fewer_zeros_need_the_bootstrap_which_keeps_its_size():
    rng = np.random.default_rng(9)
    simulated, resampled = [], []
    for draw in range(60):
        effect, cause = zeros(rng, 200, 0.3), rng.standard_normal(200)
        result = quantile_granger(effect, cause, lags=1, quantiles=(0.25, 0.75), bootstrap=19, rng=rng)
        simulated.append(result.pvalue)
        resampled.append(result.bootstrap_pvalue)
        if draw == 0:
            assert any("read the bootstrap p-value" in item for item in result.warnings)
            alone = quantile_granger(effect, cause, lags=1, quantiles=(0.25, 0.75))
            assert isinstance(alone, Inapplicable)
            assert "pass bootstrap=" in alone.reason
    assert np.mean(np.array(simulated) <= 0.05) > 0.1  # the refusal is deserved
    assert np.mean(np.array(resampled) <= 0.10) <= ceiling(0.10, 60)


def test_an_effect_without_repeated_values_or_far_from_them_says_nothing():
    rng = np.random.default_rng(10)
    cause = rng.standard_normal(1500)
    for effect, taus in ((rng.standard_normal(1500), TAUS), (zeros(rng, 1500, 0.3), (0.05, 0.95))):
        result = quantile_granger(effect, cause, lags=1, quantiles=taus)
        assert isinstance(result, QuantileGrangerResult)
        assert len(result.warnings) == 1
        assert "without the bootstrap" in result.warnings[0]


def test_weight_on_one_value_is_the_kernel_weight_of_its_rows():
    rng = np.random.default_rng(11)
    y = zeros(rng, 400, 0.2)
    share, tau, value = qc.crowded(np.ones((400, 1)), y, np.array([0.4]), "bofinger")
    fit = qc.fit_quantile(np.ones((400, 1)), y, 0.4)
    weights = np.clip(1 - (fit.residuals / qc.residual_window(fit.residuals, 0.4)) ** 2, 0, None)
    assert share == pytest.approx(weights[y == 0].sum() / weights.sum())
    assert (tau, value) == (0.4, 0.0)


# --- options in words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantiles", "words"),
    [
        ((0, 0.5), r"Given: \(0, 0.5\). Allowed: strictly between 0 and 1, both excluded"),
        ([], r"no quantile was given. Allowed: at least one, strictly between 0 and 1"),
        ((0.5, float("nan")), "inside the unit interval"),
        ((0.5, 0.5), r"must increase strictly. Given: \(0.5, 0.5\)"),
        (("low",), "flat list of numbers"),
        ([[0.1], [0.2]], "flat list of numbers"),
    ],
)
def test_wrong_quantiles_are_named_in_plain_numbers(quantiles, words):
    x, y = np.random.default_rng(12).standard_normal((2, 100))
    with pytest.raises(InputError, match=words) as caught:
        quantile_granger(y, x, lags=1, quantiles=quantiles)
    assert "np." not in str(caught.value)


@pytest.mark.parametrize(
    ("quantiles", "words"),
    [
        (np.array([0.0, 0.5]), r"Given: \(0, 0.5\). Allowed: strictly between 0 and 1"),
        ([], r"a pair, one for x and one for y. Given: \(\)"),
        ((0.1, 0.2, 0.3), "two numbers, each strictly between 0 and 1"),
        ((None, 0.5), "unit interval|flat list"),
    ],
)
def test_wrong_pairs_are_named_in_plain_numbers(quantiles, words):
    x, y = np.random.default_rng(12).standard_normal((2, 100))
    with pytest.raises(InputError, match=words) as caught:
        cross_quantilogram(x, y, quantiles=quantiles, max_lag=1)
    assert "np." not in str(caught.value)


@pytest.mark.parametrize(("draws", "coarse"), [(1, True), (18, True), (19, False), (99, False)])
def test_few_draws_are_warned_of(draws, coarse):
    x, y = np.random.default_rng(13).standard_normal((2, 120))
    for result in (
        quantile_granger(y, x, lags=1, quantiles=(0.5,), bootstrap=draws, rng=np.random.default_rng(1)),
        cross_quantilogram(x, y, quantiles=(0.5, 0.5), max_lag=1, bootstrap=draws, rng=np.random.default_rng(1)),
    ):
        words = [item for item in result.warnings if f"{draws} draws cannot give a p-value below" in item]
        assert len(words) == coarse


def test_trosters_scale_is_on_record():
    x, y = np.random.default_rng(14).standard_normal((2, 120))
    result = quantile_granger(y, x, lags=1, quantiles=(0.5,), method="troster")
    assert result.options["scale"] == "standard deviation * sqrt(dimension)"
    moved = quantile_granger(3 * y + 1, 0.01 * x, lags=1, quantiles=(0.5,), method="troster")
    assert moved.statistic == pytest.approx(result.statistic, rel=1e-5)
