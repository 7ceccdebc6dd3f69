"""Lead-lag on one grid: plain twins, statsmodels, closed forms, leaks, size and power."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.tsa.ar_model import AutoReg, ar_select_order
from statsmodels.tsa.stattools import acf

from analysis.errors import InputError
from analysis.results import Inapplicable, Result, from_dict
from analysis.stats.crosscorr import cross_correlation
from analysis.stats.crosscorr_prewhitened import PrewhitenedCorrelation, prewhitened_correlation
from analysis.stats.crosscorr_rolling import RollingCorrelation, rolling_correlation
from analysis.stats.leadlag import LeadLagRatio, lead_lag_ratio
from analysis.stats.regression import rademacher
from analysis.stats.stale_prices import StalePrices, spurious_lead, stale_price_check


def autoregression(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    x = rng.standard_normal(n + 100)
    for t in range(1, x.size):
        x[t] += phi * x[t - 1]
    return x[100:]


def spill(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """No causality in mean; the variance of y follows x."""
    z = rng.standard_t(5, size=(n + 300, 2)) / math.sqrt(5 / 3)
    out, hx, hy, x, y = np.empty((n + 300, 2)), 1.0, 1.0, 0.0, 0.0
    for t in range(n + 300):
        hy = 0.05 + 0.05 * y * y + 0.30 * x * x + 0.60 * hy
        hx = 0.05 + 0.15 * x * x + 0.80 * hx
        x, y = math.sqrt(hx) * z[t, 0], math.sqrt(hy) * z[t, 1]
        out[t] = x, y
    return out[300:, 0], out[300:, 1]


def led_by_one(rng: np.random.Generator, n: int, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Return x and the y that leads it by one step."""
    y = rng.standard_normal(n + 1)
    return size * y[:-1] + rng.standard_normal(n), y[1:]


def prewhiten(*args: object, **kwargs: object) -> PrewhitenedCorrelation:
    result = prewhitened_correlation(*args, **kwargs)
    assert isinstance(result, PrewhitenedCorrelation), result
    return result


def roll(*args: object, **kwargs: object) -> RollingCorrelation:
    result = rolling_correlation(*args, **kwargs)
    assert isinstance(result, RollingCorrelation), result
    return result


def ratio(*args: object, **kwargs: object) -> LeadLagRatio:
    result = lead_lag_ratio(*args, **kwargs)
    assert isinstance(result, LeadLagRatio), result
    return result


def stale(*args: object, **kwargs: object) -> StalePrices:
    result = stale_price_check(*args, **kwargs)
    assert isinstance(result, StalePrices), result
    return result


@pytest.mark.parametrize("criterion", ["aic", "bic", "hqic"])
@pytest.mark.parametrize("phi", [0.0, 0.1, 0.2, 0.5, -0.8])
def test_orders_and_coefficients_agree_with_statsmodels(criterion: str, phi: float) -> None:
    rng = np.random.default_rng(4)
    x, y = autoregression(rng, 300, phi), rng.standard_normal(300)
    result = prewhiten(x, y, max_lag=5, max_order=8, criterion=criterion)
    chosen = ar_select_order(x, 8, ic=criterion).ar_lags or []
    assert result.order_x == len(chosen)
    fit = AutoReg(x, len(chosen)).fit()
    np.testing.assert_allclose(result.coefficients_x, fit.params, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(result.residuals_x[len(chosen) :], fit.resid, rtol=1e-8, atol=1e-12)
    assert np.isnan(result.residuals_x[: len(chosen)]).all()


def test_portmanteau_is_the_textbook_sum() -> None:
    rng = np.random.default_rng(5)
    x, y = autoregression(rng, 250, 0.7), autoregression(rng, 250, 0.4)
    m = 4
    result = prewhiten(x, y, max_lag=m, max_order=0)
    a, b, n = x - x.mean(), y - y.mean(), 250
    r = {
        k: sum(a[t] * b[t - k] for t in range(n) if 0 <= t - k < n) / (n * a.std() * b.std()) for k in range(-m, m + 1)
    }
    ranges = (range(-m, m + 1), range(1, m + 1), range(-m, 0))
    for i, lags in enumerate(ranges):
        S = n * sum(r[k] ** 2 for k in lags)
        S_star = n**2 * sum(r[k] ** 2 / (n - abs(k)) for k in lags)
        assert result.portmanteau[i] == pytest.approx(S, rel=1e-9)
        assert result.portmanteau_adjusted[i] == pytest.approx(S_star, rel=1e-9)
        assert result.portmanteau_pvalue[i] == pytest.approx(stats.chi2.sf(S, len(lags)), rel=1e-9)
        assert result.portmanteau_adjusted_pvalue[i] == pytest.approx(stats.chi2.sf(S_star, len(lags)), rel=1e-9)
    assert result.order_x == result.order_y == 0


def test_prewhitening_cures_the_false_leads_of_autocorrelated_series() -> None:
    raw = white = robust = 0
    for seed in range(150):
        rng = np.random.default_rng([seed, 1])
        x, y = autoregression(rng, 300, 0.8), autoregression(rng, 300, 0.8)
        found = cross_correlation(x, y, max_lag=5)
        raw += found.cumulative_pvalue[0, -1] <= 0.05
        result = prewhiten(x, y, max_lag=5, max_order=6)
        white += result.portmanteau_pvalue[0] <= 0.05
        robust += result.lead_test("y").pvalue <= 0.05
    assert raw / 150 > 0.2
    margin = 3 * math.sqrt(0.05 * 0.95 / 150)
    assert white / 150 < 0.05 + margin
    assert robust / 150 < 0.05 + margin


def test_prewhitening_keeps_a_planted_lead_and_names_the_leader() -> None:
    rng = np.random.default_rng(6)
    y = autoregression(rng, 601, 0.5)
    x = 0.3 * y[:-1] + autoregression(rng, 600, 0.5)
    result = prewhiten(x, y[1:], max_lag=4, bootstrap=199, rng=np.random.default_rng(1))
    assert result.lead_test("y").pvalue < 0.001
    assert result.lead_test("x").pvalue > 0.01
    assert result.correlation.sup_lag is not None
    assert result.correlation.sup_lag[0] == 1
    assert result.portmanteau_pvalue[1] < 0.001
    assert "AR(" in result.summary()


def test_a_gap_costs_its_neighbours_and_is_not_bridged() -> None:
    rng = np.random.default_rng(7)
    x, y = autoregression(rng, 300, 0.6), rng.standard_normal(300)
    x[150] = np.nan
    result = prewhiten(x, y, max_lag=3, max_order=2, criterion="bic")
    p = result.order_x
    assert p >= 1
    assert np.isnan(result.residuals_x[150 : 151 + p]).all()
    assert np.isfinite(result.residuals_x[151 + p :]).all()
    assert result.nobs == 300 - p - (1 + p) - 0
    assert result.nobs + result.nobs_lost == 300
    t, beta = 200, result.coefficients_x
    expected = x[t] - beta[0] - sum(beta[k] * x[t - k] for k in range(1, p + 1))
    assert result.residuals_x[t] == pytest.approx(expected, rel=1e-9)


def plain_window(x: np.ndarray, y: np.ndarray, level: float) -> tuple[float, float, float]:
    """Correlation and interval of complete pairs, by the definition and in extended precision."""
    a, b = x.astype(np.longdouble), y.astype(np.longdouble)
    u, v = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    r = (u * v).mean()
    psi = u * v - r * (u**2 + v**2) / 2
    half = stats.t.isf((1 - level) / 2, len(a) - 2) * np.sqrt((psi**2).sum()) / len(a) / (1 - r**2)
    z = np.arctanh(r)
    return float(r), float(np.tanh(z - half)), float(np.tanh(z + half))


@pytest.mark.parametrize("lag", [-3, 0, 2])
def test_rolling_values_match_a_plain_twin_with_gaps(lag: int) -> None:
    rng = np.random.default_rng(8)
    x = rng.standard_normal(143)
    y = 0.5 * x + rng.standard_t(4, 143)
    x[[10, 11, 60]], y[[40, 99]] = np.nan, np.nan
    result = roll(x, y, window=30, lag=lag, level=0.9)
    assert result.position.tolist() == list(range(29 + abs(lag), 143))
    for i, t in enumerate(result.position):
        pairs = [(max(s, s - lag), x[s], y[s - lag]) for s in range(143) if 0 <= s - lag < 143]
        kept = np.array([(a, b) for d, a, b in pairs if t - 30 < d <= t and np.isfinite(a + b)])
        r, low, high = plain_window(kept[:, 0], kept[:, 1], 0.9)
        assert result.nobs[i] == len(kept)
        np.testing.assert_allclose(
            [result.estimate[i], result.lower[i], result.upper[i]], [r, low, high], rtol=1e-9, atol=1e-11
        )


def test_rolling_keeps_its_digits_in_a_calm_window_after_a_wild_one_and_far_from_zero() -> None:
    rng = np.random.default_rng(9)
    x, y = rng.standard_normal((2, 300))
    x[:150] *= 1e7
    y[:150] *= 1e7
    x, y = x + 1e4, y - 1e4
    result = roll(x, y, window=40)
    for t in (250, 299):
        i = int(np.flatnonzero(result.position == t)[0])
        r, low, high = plain_window(x[t - 39 : t + 1], y[t - 39 : t + 1], 0.95)
        np.testing.assert_allclose([result.estimate[i], result.lower[i], result.upper[i]], [r, low, high], rtol=1e-8)


@pytest.mark.parametrize("lag", [-2, 0, 2])
def test_the_future_does_not_move_a_rolling_value(lag: int) -> None:
    rng = np.random.default_rng(10)
    x, y = rng.standard_normal((2, 200))
    before = roll(x, y, window=25, lag=lag)
    for cut in (60, 101, 150):
        later_x, later_y = x.copy(), y.copy()
        later_x[cut:] = 1e9 * rng.standard_normal(200 - cut)
        later_y[cut:] = np.where(rng.random(200 - cut) < 0.3, np.nan, 5.0 + rng.standard_normal(200 - cut))
        after = roll(later_x, later_y, window=25, lag=lag)
        known = int((before.position < cut).sum())
        assert (after.position[:known] == before.position[:known]).all()
        for name in ("estimate", "lower", "upper", "nobs"):
            np.testing.assert_allclose(getattr(after, name)[:known], getattr(before, name)[:known], rtol=1e-14)
        short = roll(x[:cut], y[:cut], window=25, lag=lag)
        np.testing.assert_allclose(short.estimate, before.estimate[:known], rtol=1e-14)
        assert short.position[-1] == cut - 1


def test_rolling_coverage_under_volatility_clustering() -> None:
    hits = total = 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 2])
        x, u = spill(rng, 1000)
        y = u / u.std() + 0.5 * x / x.std()
        result = roll(x, y, window=250, level=0.95)
        truth = 0.5 / math.sqrt(1.25)
        picked = np.arange(0, len(result.position), 250)
        hits += int(((result.lower[picked] <= truth) & (truth <= result.upper[picked])).sum())
        total += picked.size
    # Spillover makes the products themselves dependent, which no pointwise interval removes.
    assert 0.80 < hits / total <= 0.99


def test_flat_windows_are_left_out_and_counted() -> None:
    rng = np.random.default_rng(11)
    x, y = rng.standard_normal((2, 200))
    y[60:120] = 3.3
    result = roll(x, y, window=30)
    assert result.windows_lost == 31
    assert not set(range(89, 120)) & set(result.position.tolist())
    assert isinstance(rolling_correlation(x, np.full(200, 2.0), window=30), Inapplicable)
    assert isinstance(rolling_correlation(x, y, window=201), Inapplicable)
    assert isinstance(rolling_correlation(x, y, window=30, lag=199), Inapplicable)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.floats(-50, 50), st.integers(-4, 4), st.integers(0, 10**6))
def test_rolling_is_free_of_scale_and_place_and_symmetric_in_roles(a: float, b: float, lag: int, seed: int) -> None:
    x, y = np.random.default_rng(seed).standard_normal((2, 90))
    base, moved, swapped = (
        roll(x, y, window=25, lag=lag),
        roll(a * x + b, y, window=25, lag=lag),
        roll(y, x, window=25, lag=-lag),
    )
    for other in (moved, swapped):
        for name in ("position", "estimate", "lower", "upper"):
            np.testing.assert_allclose(getattr(other, name), getattr(base, name), rtol=1e-6, atol=1e-8)


def plain_ratio_pvalue(x: np.ndarray, y: np.ndarray, m: int, signs: np.ndarray) -> tuple[float, float, float]:
    """Loops that follow the definition of the ratio and of its bootstrap under equality."""
    n = x.size
    a, b = x - x.mean(), y - y.mean()
    rho, e = {}, {}
    for k in range(1, m + 1):
        for side, led, leader in ((1, a, b), (-1, b, a)):
            terms = np.array([led[t] * leader[t - k] for t in range(k, n)])
            rho[side * k] = terms.sum() / (n * a.std() * b.std())
            e[side * k] = np.r_[np.zeros(k), terms - terms.mean()] / (n * a.std() * b.std())
    P, N = (sum(rho[side * k] ** 2 for k in range(1, m + 1)) for side in (1, -1))
    q = [(abs(rho[k]) + abs(rho[-k])) / math.sqrt(2) for k in range(1, m + 1)]
    noise = sum((e[k] ** 2).sum() + (e[-k] ** 2).sum() for k in range(1, m + 1)) / 2
    shrink = math.sqrt(max(0.0, 1 - noise / sum(v * v for v in q)))
    drawn = []
    for row in signs:
        centre = [shrink * v / math.sqrt(2) for v in q]
        up = sum((centre[k - 1] + row @ e[k]) ** 2 for k in range(1, m + 1))
        down = sum((centre[k - 1] + row @ e[-k]) ** 2 for k in range(1, m + 1))
        drawn.append(up - down)
    tail = min(sum(d >= P - N for d in drawn), sum(d <= P - N for d in drawn))
    return P, N, min(1.0, 2 * (1 + tail) / (1 + len(drawn)))


def equal_leads(rng: np.random.Generator, n: int, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Both lead each other by one step with the same strength and opposite signs."""
    e = rng.standard_normal((2, n + 1))
    return e[0, 1:] + size * e[1, :-1], e[1, 1:] - size * e[0, :-1]


@pytest.mark.parametrize(("seed", "size"), [(12, 0.1), (13, 0.9), (14, 0.9), (16, 0.4)])
def test_ratio_and_its_pvalue_match_a_plain_twin(seed: int, size: float) -> None:
    x, y = equal_leads(np.random.default_rng(seed), 200, size)
    result = ratio(x, y, max_lag=3, bootstrap=499, rng=np.random.default_rng(3))
    P, N, p = plain_ratio_pvalue(x, y, 3, rademacher(np.random.default_rng(3), 499, 200))
    assert result.sum_y_leads == pytest.approx(P, rel=1e-10)
    assert result.sum_x_leads == pytest.approx(N, rel=1e-10)
    assert result.estimate == pytest.approx(P / N, rel=1e-10)
    assert result.pvalue == pytest.approx(p, rel=1e-12)
    assert 0.05 < p < 0.95
    assert result.interval is not None
    assert result.interval[0] < 1 < result.interval[1]


def test_exchanging_the_series_inverts_the_ratio_and_its_interval() -> None:
    x, y = led_by_one(np.random.default_rng(13), 400, 0.4)
    one = ratio(x, y, max_lag=4, bootstrap=199, rng=np.random.default_rng(1))
    two = ratio(y, x, max_lag=4, bootstrap=199, rng=np.random.default_rng(1))
    assert one.estimate > 3
    assert one.pvalue < 0.05
    assert one.interval is not None
    assert two.interval is not None
    assert one.interval[0] > 1
    assert two.estimate == pytest.approx(1 / one.estimate, rel=1e-9)
    assert two.pvalue == pytest.approx(one.pvalue)
    assert two.interval[1] == pytest.approx(1 / one.interval[0], rel=1e-6)


@pytest.mark.parametrize(
    "draw",
    [lambda rng: rng.standard_normal((2, 300)), lambda rng: spill(rng, 300), lambda rng: equal_leads(rng, 300, 0.2)],
    ids=["independent", "spill", "equal leads"],
)
def test_ratio_test_keeps_its_size_where_no_series_leads_more(draw: object) -> None:
    rejected = 0
    for seed in range(100):
        rng = np.random.default_rng([seed, 3])
        x, y = draw(rng)  # type: ignore[operator]
        rejected += ratio(x, y, max_lag=3, bootstrap=99, rng=rng).pvalue <= 0.05
    assert rejected / 100 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 100)


def test_ratio_test_finds_a_one_sided_lead() -> None:
    found = 0
    for seed in range(40):
        rng = np.random.default_rng([seed, 4])
        result = ratio(*led_by_one(rng, 500, 0.3), max_lag=3, bootstrap=99, rng=rng)
        found += result.pvalue <= 0.05 and result.estimate > 1
    assert found / 40 > 0.8


def test_interval_covers_a_known_ratio() -> None:
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 5])
        e = rng.standard_normal((2, 1001))
        x, y = e[0, 1:] + 0.4 * e[1, :-1], e[1, 1:] + 0.2 * e[0, :-1]
        interval = ratio(x, y, max_lag=3, bootstrap=199, rng=rng).interval
        assert interval is not None
        hits += interval[0] <= 4.0 <= interval[1]
    assert hits / 60 > 0.95 - 3 * math.sqrt(0.05 * 0.95 / 60)


def nontrading(rng: np.random.Generator, n: int, assets: int, chance: float, factor: np.ndarray) -> np.ndarray:
    """Observed returns (n, assets): a true return waits until its asset trades."""
    true = factor[:, None] + 0.5 * rng.standard_normal((n, assets))
    trades = rng.random((n, assets)) >= chance
    observed, waiting = np.zeros((n, assets)), np.zeros(assets)
    for t in range(n):
        waiting = waiting + true[t]
        observed[t] = np.where(trades[t], waiting, 0.0)
        waiting = np.where(trades[t], 0.0, waiting)
    return observed


def test_stale_prices_recover_the_planted_probability() -> None:
    rng = np.random.default_rng(14)
    factor = rng.standard_normal(6000)
    observed = nontrading(rng, 6000, 200, 0.3, factor)
    index = stale(observed.mean(axis=1))
    assert index.implied_interval[0] < 0.3 < index.implied_interval[1]
    assert index.pvalue < 1e-6
    assert index.zero_share == 0.0
    single = stale(observed[:, 0])
    assert single.zero_interval[0] < 0.3 < single.zero_interval[1]
    assert abs(single.estimate or 0.0) < 0.05
    # A fresh series seems to lead the stale index by exactly the share that the model gives.
    led = observed.mean(axis=1)
    for steps in (1, 2):
        share = (led[steps:] @ factor[:-steps]) / (led @ factor)
        assert share == pytest.approx(spurious_lead(0.3, steps=steps), abs=0.03)
        assert abs(factor[steps:] @ led[:-steps]) / (led @ factor) < 0.03


def test_stale_check_counts_by_hand_and_agrees_with_statsmodels() -> None:
    rng = np.random.default_rng(15)
    returns = rng.standard_normal(60)
    returns[[3, 4, 5, 20]], returns[40] = 0.0, np.nan
    result = stale(returns)
    assert result.zero_share == pytest.approx(4 / 59)
    assert result.longest_zero_run == 3
    assert (result.nobs, result.nobs_lost) == (57, 3)
    full = rng.standard_normal(200)
    assert stale(full).estimate == pytest.approx(acf(full, nlags=1)[1], rel=1e-9)
    z = 1.959963984540054
    centre, n = 4 / 59, 59
    middle = (centre + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(centre * (1 - centre) / n + z * z / (4 * n * n))
    assert result.zero_interval == pytest.approx((middle - half, middle + half), rel=1e-9)
    assert stale(np.round(full), zero=0.5).zero_share == pytest.approx(np.mean(np.abs(np.round(full)) <= 0.5))


def test_inputs_outside_the_contract_are_refused() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 100))
    with pytest.raises(InputError, match="unknown criterion"):
        prewhitened_correlation(x, y, max_lag=2, criterion="best")
    with pytest.raises(InputError, match="max_order"):
        prewhitened_correlation(x, y, max_lag=2, max_order=-1)
    with pytest.raises(InputError, match="own generator"):
        lead_lag_ratio(x, y, max_lag=2)
    with pytest.raises(InputError, match="99 or more"):
        lead_lag_ratio(x, y, max_lag=2, bootstrap=10, rng=rng)
    with pytest.raises(InputError, match="wrong shape"):
        lead_lag_ratio(x, y[:-1], max_lag=2, rng=rng)
    with pytest.raises(InputError, match="20 or more"):
        rolling_correlation(x, y, window=5)
    with pytest.raises(InputError, match="lag must be"):
        rolling_correlation(x, y, window=30, lag=1.5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="out of range"):
        rolling_correlation(x, y, window=30, minimum=31)
    with pytest.raises(InputError, match="infinite"):
        stale_price_check(np.r_[x, np.inf])
    with pytest.raises(InputError, match="probability"):
        spurious_lead(1.0)
    with pytest.raises(InputError, match="one step"):
        spurious_lead(0.2, steps=0)


def test_data_that_allow_no_answer_give_a_reason() -> None:
    rng = np.random.default_rng(0)
    x, flat = rng.standard_normal(100), np.full(100, 1.5)
    assert "constant" in getattr(prewhitened_correlation(x, flat, max_lag=2), "reason", "")
    assert "too few" in getattr(prewhitened_correlation(x[:20], x[:20], max_lag=2), "reason", "")
    assert isinstance(lead_lag_ratio(x, flat, max_lag=2, rng=rng), Inapplicable)
    assert isinstance(stale_price_check(flat), Inapplicable)
    assert isinstance(prewhitened_correlation(x, np.full(100, np.nan), max_lag=2), Inapplicable)


def test_nothing_is_mutated_and_the_same_seed_gives_the_same_bytes() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 120))
    kept = x.copy(), y.copy()
    calls = (
        lambda: prewhiten(x, y, max_lag=3, bootstrap=99, rng=np.random.default_rng(2)),
        lambda: ratio(x, y, max_lag=3, bootstrap=99, rng=np.random.default_rng(2)),
        lambda: roll(x, y, window=40),
        lambda: stale(x),
    )
    for call in calls:
        result: Result = call()
        assert call().to_json() == result.to_json()
        assert from_dict(result.to_dict()) == result
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])
