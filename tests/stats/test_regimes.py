"""State tests: peers, identities, the bootstrap's own loop, the correction's closed form, size, power and timing."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.regimes import StateCorrelationResult, StateGrangerResult, state_correlation, state_granger
from analysis.stats.regimes_correlation import forbes_rigobon
from analysis.stats.regression import ols, restriction_covariance, sign_blocks


def granger(*args: object, **kwargs: object) -> StateGrangerResult:
    result = state_granger(*args, **kwargs)
    assert isinstance(result, StateGrangerResult)
    return result


def correlation(*args: object, **kwargs: object) -> StateCorrelationResult:
    result = state_correlation(*args, **kwargs)
    assert isinstance(result, StateCorrelationResult)
    return result


def world(seed: int, n: int = 400, lead: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    s = (np.arange(n) // 25) % 2
    x = rng.standard_normal(n)
    y = 0.1 * rng.standard_normal(n)
    y += rng.standard_normal(n) * (1 + s)
    y[1:] += lead * s[1:] * x[:-1]
    return y, x, s.astype(float)


def peer(y: np.ndarray, x: np.ndarray, s: np.ndarray, w: np.ndarray) -> tuple[sm.OLS, np.ndarray]:
    """Fit in other coordinates: main effects, then state interactions, so that equality is a zero restriction."""
    n = y.size
    Z = np.column_stack([np.ones(n - 2), y[1:-1], y[:-2], w[1:-1], w[:-2], x[1:-1], x[:-2]])
    design = np.column_stack([Z, Z * s[2:, None]])
    R = np.zeros((2, 14))
    R[0, 12] = R[1, 13] = 1.0
    return sm.OLS(y[2:], design), R


@pytest.mark.parametrize("cov", ["nonrobust", "HC0", "HC1", "HC3"])
def test_equality_test_matches_statsmodels_in_other_coordinates(cov: str) -> None:
    y, x, s = world(1)
    w = np.random.default_rng(99).standard_normal(y.size)
    result = granger(y, x, s, lags=2, given=w, cov=cov)
    model, R = peer(y, x, s, w)
    fit = model.fit(cov_type=cov, use_t=True)
    test = fit.f_test(R)
    assert result.statistic == pytest.approx(float(test.fvalue), rel=1e-8)
    assert result.pvalue == pytest.approx(float(test.pvalue), rel=1e-6)
    assert result.df == (2.0, float(fit.df_resid))
    assert result.wald == pytest.approx(2 * result.statistic)
    np.testing.assert_allclose(result.coefficients[0], fit.params[5:7], rtol=1e-8)
    np.testing.assert_allclose(result.coefficients[1] - result.coefficients[0], fit.params[12:], rtol=1e-7)
    outside = fit.f_test(np.eye(14)[5:7])
    assert result.state_pvalue[0] == pytest.approx(float(outside.pvalue), rel=1e-6)
    difference = fit.t_test(R.sum(axis=0))
    assert result.interval == pytest.approx(tuple(difference.conf_int()[0]), rel=1e-6)
    assert (result.nobs, result.nobs_lost) == (398, 2)


def test_hac_matches_statsmodels() -> None:
    y, x, s = world(2)
    result = granger(y, x, s, lags=2, given=np.flip(x), cov="HAC")
    model, R = peer(y, x, s, np.flip(x))
    fit = model.fit(cov_type="HAC", cov_kwds={"maxlags": 5, "use_correction": False}, use_t=True)
    assert result.statistic == pytest.approx(float(fit.f_test(R).fvalue), rel=1e-8)


def test_fully_interacted_coefficients_are_those_of_separate_regressions() -> None:
    y, x, s = world(3)
    result = granger(y, x, s, lags=1)
    for value in (0, 1):
        rows = np.flatnonzero(s[1:] == value) + 1
        alone = sm.OLS(y[rows], np.column_stack([np.ones(rows.size), y[rows - 1], x[rows - 1]])).fit()
        assert result.coefficients[value, 0] == pytest.approx(alone.params[2], rel=1e-8)
        assert result.state_nobs[value] == rows.size


def test_exchanging_the_states_keeps_the_test_and_flips_the_difference() -> None:
    y, x, s = world(4, lead=0.5)
    one, two = granger(y, x, s, lags=2), granger(y, x, 1 - s, lags=2)
    assert one.statistic == pytest.approx(two.statistic, rel=1e-9)
    assert one.estimate == pytest.approx(-(two.estimate or 0.0), rel=1e-9)
    assert list(one.state_episodes) == list(two.state_episodes)[::-1] == [8, 8]


@pytest.mark.parametrize("cov", ["nonrobust", "HC3", "HAC"])
def test_wild_bootstrap_matches_a_loop_that_refits_every_draw(cov: str) -> None:
    y, x, s = world(5, n=160)
    draws, seed = 40, 77
    result = granger(y, x, s, lags=1, cov=cov, bootstrap=draws, rng=np.random.default_rng(seed))
    t = np.arange(1, 160)
    rest = np.column_stack([np.ones(159), y[t - 1]])
    split = np.column_stack([rest * (1 - s[t, None]), rest * s[t, None]])
    restricted = sm.OLS(y[t], np.column_stack([split, x[t - 1]])).fit()
    full = np.column_stack([split, x[t - 1] * (1 - s[t]), x[t - 1] * s[t]])
    R = np.array([[0, 0, 0, 0, -1, 1]])
    beaten = 0
    for signs in np.random.default_rng(seed).integers(0, 2, size=(draws, 159)) * 2.0 - 1.0:
        fit = ols(full, restricted.fittedvalues + signs * restricted.resid)
        assert fit is not None
        V = restriction_covariance(fit, R, fit.residuals[None], cov)[0]
        beaten += float((R @ fit.coefficients)[0] ** 2 / V[0, 0]) >= result.wald
    assert result.bootstrap_pvalue == pytest.approx((1 + beaten) / (1 + draws))


def test_draws_do_not_depend_on_the_block_size(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.vstack(list(sign_blocks(np.random.default_rng(3), 33, 7)))
    monkeypatch.setattr("analysis.stats.regression._BLOCK_CELLS", 21)
    np.testing.assert_array_equal(np.vstack(list(sign_blocks(np.random.default_rng(3), 33, 7))), whole)


def test_a_lead_in_one_state_only_is_found() -> None:
    y, x, s = world(6, n=800, lead=0.8)
    result = granger(y, x, s, lags=2, bootstrap=199, rng=np.random.default_rng(0))
    assert result.pvalue < 0.001
    assert result.bootstrap_pvalue == pytest.approx(1 / 200)
    assert result.state_pvalue[1] < 0.001 < 0.05 < result.state_pvalue[0]
    assert result.cumulative[1] == pytest.approx(0.8, abs=0.35)


def test_a_shift_of_mean_or_volatility_is_no_lead() -> None:
    rng = np.random.default_rng(7)
    rejections = 0
    for _ in range(300):
        s = (np.arange(400) // 40) % 2
        x, y = rng.standard_normal((2, 400)) * (1 + 2 * s) + 2.0 * s
        result = granger(y, x, s, lags=1)
        rejections += result.pvalue <= 0.05
    assert rejections / 300 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_size_of_the_bootstrap_under_independent_clustering() -> None:
    rng = np.random.default_rng(8)
    rejections = 0
    for _ in range(150):
        z, h = rng.standard_t(5, size=(2, 300)) * np.sqrt(0.6), np.ones(2)
        data = np.empty((2, 300))
        for t in range(300):
            data[:, t] = np.sqrt(h) * z[:, t]
            h = 0.05 + 0.15 * data[:, t] ** 2 + 0.8 * h
        s = (np.arange(300) // 30) % 2
        result = granger(data[0], data[1], s, lags=1, bootstrap=99, rng=rng)
        assert result.bootstrap_pvalue is not None
        rejections += result.bootstrap_pvalue <= 0.05
    assert rejections / 150 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)


def test_unknown_states_and_gaps_lose_exactly_the_rows_they_touch() -> None:
    y, x, s = world(9)
    y[100] = np.nan
    s[200] = np.nan
    result = granger(y, x, s, lags=2)
    # Two first rows, three rows that need y at 100, one row whose state is unknown.
    assert result.nobs_lost == 2 + 3 + 1
    assert result.nobs == int(result.state_nobs.sum())
    # The unknown date lies at a boundary between spells; inside a spell it would split it.
    s[210] = np.nan
    assert sum(granger(y, x, s, lags=2).state_episodes) == sum(result.state_episodes) + 1


def test_nothing_after_the_effect_matters() -> None:
    y, x, s = world(10)
    known = granger(y[:300], x[:300], s[:300], lags=2)
    blanked = s.copy()
    blanked[300:] = np.nan
    assert granger(y, x + 0, blanked, lags=2).statistic == pytest.approx(known.statistic, rel=1e-9)
    moved = x.copy()
    moved[299:] += 100.0
    assert granger(y, moved, blanked, lags=2).statistic == pytest.approx(known.statistic, rel=1e-9)


def test_few_episodes_are_a_warning() -> None:
    y, x, _ = world(11)
    result = granger(y, x, np.arange(400) >= 200, lags=1)
    assert list(result.state_episodes) == [1, 1]
    assert len(result.warnings) == 2
    assert "episode" in result.summary()


def test_data_that_do_not_allow_the_state_test() -> None:
    y, x, s = world(12)
    short = np.zeros(400)
    short[50:60] = 1
    cases = [(x, np.zeros(400)), (x, short), (np.ones(400), s), (y, s), (np.full(400, np.nan), s)]
    for cause, state in cases:
        assert isinstance(state_granger(y, cause, state, lags=2), Inapplicable)
    lone = x.copy()
    lone[np.flatnonzero(s[1:] == 0)] = 0.0
    lone[9] = 1.0
    assert isinstance(state_granger(y, lone, s, lags=1), Inapplicable)
    assert isinstance(state_correlation(y, x, np.ones(400)), Inapplicable)
    assert isinstance(state_correlation(y, x, short), Inapplicable)
    assert isinstance(state_correlation(y, x * s, s), Inapplicable)
    assert isinstance(state_correlation(y, 2 * y, s), Inapplicable)


def test_wrong_arguments_are_refused() -> None:
    y, x, s = world(13)
    with pytest.raises(InputError, match="true or false"):
        state_granger(y, x, s * 2, lags=1)
    with pytest.raises(InputError, match="unknown covariance"):
        state_granger(y, x, s, lags=1, cov="white")
    with pytest.raises(InputError, match="unknown trend"):
        state_granger(y, x, s, lags=1, trend="t")
    with pytest.raises(InputError, match="lags"):
        state_granger(y, x, s, lags=0)
    with pytest.raises(InputError, match="generator"):
        state_granger(y, x, s, lags=1, bootstrap=9)
    with pytest.raises(InputError, match="wrong shape"):
        state_correlation(y, x[:-1], s)
    with pytest.raises(InputError, match="unknown correction"):
        state_correlation(y, x, s, correction="yes")


def test_correlations_and_jackknife_match_their_definitions() -> None:
    y, x, s = world(14, n=200)
    y = y + x
    result = correlation(x, y, s, correction="none")
    variance = []
    for value in (0, 1):
        a, b = x[s == value], y[s == value]
        assert result.correlation[value] == pytest.approx(np.corrcoef(a, b)[0, 1], rel=1e-10)
        left_out = [np.corrcoef(np.delete(a, i), np.delete(b, i))[0, 1] for i in range(a.size)]
        variance.append((a.size - 1) * np.var(left_out))
    difference = result.correlation[1] - result.correlation[0]
    assert result.estimate == pytest.approx(difference, rel=1e-10)
    assert result.statistic == pytest.approx(difference**2 / sum(variance), rel=1e-8)
    assert result.pvalue == pytest.approx(stats.chi2.sf(result.statistic, 1), rel=1e-10)


def test_corrected_version_matches_a_brute_force_jackknife() -> None:
    y, x, s = world(15, n=120)
    x = x * (1 + s)
    y = y + x

    def corrected(rows: np.ndarray) -> float:
        a, b, t = x[rows], y[rows], s[rows]
        rho = [np.corrcoef(a[t == v], b[t == v])[0, 1] for v in (0, 1)]
        return float(forbes_rigobon(rho[1], np.var(a[t == 1]) / np.var(a[t == 0]))) - rho[0]

    everything = np.arange(120)
    variance = 0.0
    for value in (0, 1):
        rows = np.flatnonzero(s == value)
        variance += (rows.size - 1) * np.var([corrected(np.delete(everything, i)) for i in rows])
    result = correlation(x, y, s)
    assert result.estimate == pytest.approx(corrected(everything), rel=1e-10)
    assert result.statistic == pytest.approx(corrected(everything) ** 2 / variance, rel=1e-8)
    assert result.corrected_pvalue == result.pvalue
    assert result.raw_pvalue != result.pvalue


def test_forbes_rigobon_undoes_a_pure_rise_of_variance() -> None:
    # y = b x + u: corr = b sd / sqrt(b² var + 1) in any state; only the variance of x differs.
    b, calm, wild = 0.5, 1.0, 9.0
    rho = [b * np.sqrt(v) / np.sqrt(b * b * v + 1) for v in (calm, wild)]
    assert float(forbes_rigobon(rho[1], wild / calm)) == pytest.approx(rho[0], rel=1e-12)
    assert float(forbes_rigobon(0.4, 1.0)) == pytest.approx(0.4)


def test_correction_removes_the_mechanical_rise_and_keeps_size() -> None:
    rng = np.random.default_rng(16)
    raw = corrected = 0
    for _ in range(200):
        s = (np.arange(600) // 50) % 2
        x = rng.standard_normal(600) * (1 + 2 * s)
        result = correlation(x, x + 2 * rng.standard_normal(600), s)
        raw += result.raw_pvalue <= 0.05
        corrected += result.corrected_pvalue <= 0.05
    assert raw / 200 > 0.9
    assert corrected / 200 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_wild_bootstrap_of_a_correlation_and_its_lag() -> None:
    rng = np.random.default_rng(17)
    s = (np.arange(400) // 40) % 2
    y = rng.standard_normal(400)
    x = np.r_[0.0, y[:-1]] * (0.2 + 1.5 * s) + rng.standard_normal(400)
    result = correlation(x, y, s, lag=1, correction="none", bootstrap=199, rng=rng)
    assert result.bootstrap_pvalue == pytest.approx(1 / 200)
    assert result.nobs_lost == 1
    mirrored = correlation(np.r_[y[:-1], np.nan], np.r_[x[1:], np.nan], np.r_[s[1:], np.nan], correction="none")
    assert result.correlation[1] == pytest.approx(mirrored.correlation[1], rel=1e-10)
    flat = correlation(x, y, s, lag=0, correction="none", bootstrap=199, rng=rng)
    assert flat.bootstrap_pvalue == pytest.approx(flat.pvalue, abs=0.15)


def test_hac_counts_the_length_of_a_gap() -> None:
    rng = np.random.default_rng(18)
    times = np.r_[0:20, 25:60]
    fit = ols(np.column_stack([np.ones(55), rng.standard_normal(55)]), rng.standard_normal(55), times)
    assert fit is not None
    A = fit.design @ fit.bread
    scores = fit.residuals[:, None] * A
    weight = np.clip(1.0 - np.abs(times[:, None] - times[None, :]) / (3 + 1.0), 0.0, None)
    by_hand = scores.T @ weight @ scores
    np.testing.assert_allclose(
        restriction_covariance(fit, np.eye(2), fit.residuals[None], "HAC")[0], by_hand, rtol=1e-10
    )
