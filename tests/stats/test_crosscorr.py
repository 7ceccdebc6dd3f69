"""Cross-correlation: textbook identities, a plain twin of the robust statistics, gaps, size and power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.crosscorr import CrossCorrelation, cross_correlation


def correlate(*args: object, **kwargs: object) -> CrossCorrelation:
    result = cross_correlation(*args, **kwargs)
    assert isinstance(result, CrossCorrelation)
    return result


def stochastic_volatility(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Uncorrelated but dependent: x is the noise that drives the volatility of y."""
    x, u, z = rng.standard_normal(n), rng.standard_normal(n), np.zeros(n)
    for t in range(1, n):
        z[t] = 0.7 * z[t - 1] + x[t]
    return x, np.exp(z) * u


def plain_twin(x: np.ndarray, y: np.ndarray, m: int, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loops that follow the paper's sums term by term, for lags 1 … m."""
    n = x.size
    e = [[(x[t] - x.mean()) * (y[t - k] - y.mean()) if t >= k else 0.0 for t in range(n)] for k in range(m + 1)]
    t_robust = np.array([sum(e[k]) / np.sqrt(sum(v * v for v in e[k])) for k in range(1, m + 1)])
    R = np.eye(m)
    for j in range(1, m + 1):
        for k in range(1, m + 1):
            if j == k:
                continue
            a, b = np.array(e[j][max(j, k) :]), np.array(e[k][max(j, k) :])
            tau = (a * b).sum() / np.sqrt((a**2 * b**2).sum())
            if abs(tau) > threshold:
                R[j - 1, k - 1] = (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())
    Q = np.array([t_robust[:h] @ np.linalg.solve(R[:h, :h], t_robust[:h]) for h in range(1, m + 1)])
    return t_robust, R, Q


@pytest.mark.parametrize("threshold", [2.576, 0.5])
def test_statistics_match_a_plain_twin(threshold: float) -> None:
    x, y = stochastic_volatility(np.random.default_rng(3), 250)
    m = 5
    result = correlate(x, y, max_lag=m, threshold=threshold)
    t_lead, R, Q = plain_twin(x, y, m, threshold)
    assert np.linalg.eigvalsh(R)[0] > 0.01
    assert threshold > 1 or np.count_nonzero(R) > m
    np.testing.assert_allclose(result.t_robust[m + 1 :], t_lead, rtol=1e-9)
    np.testing.assert_allclose(result.cumulative[0], Q, rtol=1e-9)
    t_back, _, Q_back = plain_twin(y, x, m, threshold)
    np.testing.assert_allclose(result.t_robust[:m][::-1], t_back, rtol=1e-9)
    np.testing.assert_allclose(result.cumulative[1], Q_back, rtol=1e-9)
    np.testing.assert_allclose(result.cumulative_pvalue, stats.chi2.sf([Q, Q_back], np.arange(1, m + 1)), rtol=1e-9)


def test_estimates_are_the_textbook_cross_correlations() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 200))
    result = correlate(x, y, max_lag=4)
    a, b = x - x.mean(), y - y.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    for k, rho in zip(result.lags, result.estimate, strict=True):
        by_hand = sum(a[t] * b[t - k] for t in range(200) if 0 <= t - k < 200) / norm
        assert rho == pytest.approx(by_hand, rel=1e-10)
    z = stats.norm.isf(0.025)
    np.testing.assert_allclose(result.band_robust, z * result.estimate / result.t_robust, rtol=1e-10)
    np.testing.assert_allclose(result.pvalue, 2 * stats.norm.sf(np.abs(result.t_robust)))
    np.testing.assert_array_equal(result.nobs, 200 - np.abs(result.lags))
    assert result.estimate[4] == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-10)


def test_positive_lag_means_that_y_leads() -> None:
    rng = np.random.default_rng(1)
    y = rng.standard_normal(500)
    x = np.r_[0.0, 0.0, y[:-2]] + rng.standard_normal(500)
    result = correlate(x, y, max_lag=5, bootstrap=199, rng=rng)
    assert result.lags[np.argmax(np.abs(result.estimate))] == 2
    assert result.sup_lag is not None
    assert result.sup_lag_pvalue is not None
    assert list(result.sup_lag[[0, 2]]) == [2, 2]
    assert result.sup_lag_pvalue[0] == pytest.approx(1 / 200)
    assert result.sup_lag_pvalue[1] > 0.05
    assert result.lead_test("y").pvalue < 1e-6
    assert result.lead_test("x").pvalue > 0.05
    assert result.lead_test("y").estimate == result.estimate[6]
    assert result.lead_test("x").estimate == result.estimate[4]


def test_exchanging_the_series_mirrors_everything() -> None:
    x, y = stochastic_volatility(np.random.default_rng(2), 200)
    one, two = correlate(x, y, max_lag=3), correlate(y, x, max_lag=3)
    for name in ("estimate", "t_robust", "band_robust", "lower", "upper", "nobs"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name)[::-1], rtol=1e-12)
    np.testing.assert_allclose(one.cumulative, two.cumulative[::-1], rtol=1e-12)


def test_scale_and_shift_change_nothing() -> None:
    x, y = stochastic_volatility(np.random.default_rng(5), 200)
    one, two = correlate(x, y, max_lag=3), correlate(1e-4 * x + 3, 1e5 * y - 7, max_lag=3)
    np.testing.assert_allclose(one.t_robust, two.t_robust, rtol=1e-7)
    np.testing.assert_allclose(one.cumulative, two.cumulative, rtol=1e-7)


def test_gaps_drop_pairs_and_are_never_bridged() -> None:
    rng = np.random.default_rng(6)
    y = rng.standard_normal(400)
    x = np.r_[0.0, y[:-1]]
    y[50] = np.nan
    x[200] = np.nan
    result = correlate(x, y, max_lag=2)
    # Lag 1 loses x at row 51 (needs y at 50) and x at row 200, besides the first row.
    assert list(result.nobs) == [396, 397, 398, 397, 396]
    assert result.estimate[3] == pytest.approx(1.0, abs=0.02)
    squeezed = correlate(np.delete(x, [50, 200]), np.delete(y, [50, 200]), max_lag=2)
    assert squeezed.t_robust[3] != pytest.approx(result.t_robust[3], rel=1e-6)


def test_interval_covers_a_true_correlation_under_fat_tails() -> None:
    rng = np.random.default_rng(9)
    covered = 0
    for _ in range(300):
        scale = np.sqrt(6 / rng.chisquare(6, 500))
        x = rng.standard_normal(500)
        y = 0.5 * x + np.sqrt(0.75) * rng.standard_normal(500)
        result = correlate(scale * x, scale * y, max_lag=1)
        covered += bool(result.lower[1] <= 0.5 <= result.upper[1])
    assert 0.90 <= covered / 300 <= 0.98


def test_size_is_kept_where_the_textbook_band_fails() -> None:
    rng = np.random.default_rng(10)
    robust = textbook = sup = 0
    for _ in range(400):
        x, y = stochastic_volatility(rng, 300)
        result = correlate(x, y, max_lag=5, bootstrap=99, rng=rng)
        robust += bool(result.pvalue[5] <= 0.05)
        textbook += bool(abs(result.estimate[5]) > result.band_standard)
        assert result.sup_lag_pvalue is not None
        sup += bool(result.sup_lag_pvalue[0] <= 0.05)
    assert robust / 400 < 0.09
    assert textbook / 400 > 0.15
    assert sup / 400 < 0.09


def test_same_seed_same_draws_and_series_are_left_alone() -> None:
    x, y = stochastic_volatility(np.random.default_rng(12), 120)
    kept = x.copy()
    runs = [correlate(x, y, max_lag=2, bootstrap=50, rng=np.random.default_rng(4)).to_json() for _ in range(2)]
    assert runs[0] == runs[1]
    np.testing.assert_array_equal(x, kept)


def test_data_that_do_not_allow_the_test() -> None:
    x = np.random.default_rng(0).standard_normal(60)
    for a, b, m in ((x, np.ones(60), 2), (x[:15], x[:15], 2), (x, np.full(60, np.nan), 2), (x, x, 50), (x, x, 99)):
        assert isinstance(cross_correlation(a, b, max_lag=m), Inapplicable)


def test_wrong_arguments_are_refused() -> None:
    x = np.random.default_rng(0).standard_normal(60)
    with pytest.raises(InputError, match="wrong shape"):
        cross_correlation(x, x[:-1], max_lag=2)
    with pytest.raises(InputError, match="infinite"):
        cross_correlation(np.r_[x[:-1], np.inf], x, max_lag=2)
    with pytest.raises(InputError, match="max_lag"):
        cross_correlation(x, x, max_lag=0)
    with pytest.raises(InputError, match="generator"):
        cross_correlation(x, x, max_lag=2, bootstrap=10)


def test_the_textbook_band_counts_complete_pairs_only() -> None:
    x, y = np.random.default_rng(5).standard_normal((2, 400))
    x[100:] = np.nan
    result = cross_correlation(x, y, max_lag=2)
    assert not isinstance(result, Inapplicable)
    assert result.band_standard == pytest.approx(1.959963985 / np.sqrt(100))
