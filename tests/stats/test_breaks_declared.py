"""Chow tests at declared dates, links by window and placebo dates: published data, peers, identities and size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.breaks import before_after, chow_test, placebo_dates, rolling_link, sup_f
from analysis.stats.breaks.windows import before_after_path


@pytest.fixture(scope="module")
def rate(repository: Path) -> np.ndarray:
    return pd.read_csv(repository / "tests" / "reference" / "real_interest.csv")["value"].to_numpy()


def volatile(n: int, seed: int, slope: float = 0.5, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return (count, n) pairs of constant response; the variance of the errors follows the regressor (spill)."""
    rng = np.random.default_rng(seed)
    z = rng.standard_t(5, (2, count, n + 300)) / np.sqrt(5 / 3)
    x, u = np.zeros_like(z)
    hx, hu = np.ones(count), np.ones(count)
    for t in range(n + 300):
        if t:
            hx = 0.05 + 0.15 * x[:, t - 1] ** 2 + 0.80 * hx
            hu = 0.05 + 0.05 * u[:, t - 1] ** 2 + 0.30 * x[:, t - 1] ** 2 + 0.60 * hu
        x[:, t], u[:, t] = np.sqrt(hx) * z[0, :, t], np.sqrt(hu) * z[1, :, t]
    x, u = x[:, 300:], u[:, 300:]
    return slope * x + u, x


def test_real_interest_rate_on_its_lag_at_dates(rate: np.ndarray) -> None:
    """R 4.2.2: strucchange 1.5-3 sctest(type = "Chow"), and lmtest waldtest with sandwich's HC3."""
    y, x = rate[1:], rate[:-1]
    plain = chow_test(y, x, at=46, cov="nonrobust")
    assert_allclose((plain.statistic, plain.pvalue), (3.925905561, 0.0229013636), rtol=1e-8)
    both = {"at": (46, 78), "min_rows": 20}
    assert_allclose(chow_test(y, x, cov="nonrobust", **both).statistic, 15.4457, rtol=1e-5)
    robust = chow_test(y, x, **both)
    assert_allclose((robust.statistic, robust.pvalue), (14.37602, 3.1159e-09), rtol=5e-5)
    assert robust.df == (4.0, 96.0)
    assert_allclose(chow_test(y, x, at=46, test="slopes").statistic, 22.50602, rtol=1e-6)


def test_mean_at_the_best_date_is_the_sup_f(rate: np.ndarray) -> None:
    result = chow_test(rate, at=79, cov="nonrobust", min_rows=20)
    assert_allclose(result.statistic, 89.2449016945, rtol=1e-9)
    assert_allclose(result.statistic, sup_f(rate).statistic, rtol=1e-9)
    assert_allclose(result.sums, (rate[:79].mean(), rate[79:].mean()), rtol=1e-12)
    assert_allclose(result.estimate, np.diff(result.sums)[0], rtol=1e-9)
    assert result.interval[0] < result.estimate < result.interval[1]


@pytest.mark.parametrize("cov", ["HC3", "HC0", "HC1", "nonrobust"])
def test_several_dates_against_statsmodels(cov: str) -> None:
    y, x = (series[0] for series in volatile(300, 1))
    g = np.cos(np.arange(300.0))
    d = np.searchsorted([90, 200], np.arange(300), side="right")[:, None] == np.arange(3)
    X = np.column_stack([d, d * g[:, None], d * x[:, None]])
    fit = sm.OLS(y, X).fit(cov_type=cov)
    R = np.zeros((2, 9))
    R[0, [6, 7]], R[1, [7, 8]] = (-1, 1), (-1, 1)
    peer = fit.wald_test(R, use_f=True, scalar=True)
    result = chow_test(y, x, at=[90, 200], given=g, test="slopes", cov=cov)
    assert_allclose((result.statistic, result.pvalue), (peer.statistic, peer.pvalue), rtol=1e-8)
    assert_allclose(result.coefficients[:, 0], fit.params[6:], rtol=1e-8)
    assert result.stretch_nobs.tolist() == [90, 110, 100]
    assert result.estimate is None


def test_units_gaps_and_order_of_time() -> None:
    y, x = (series[0] for series in volatile(240, 2))
    plain = chow_test(y, x, at=100)
    assert_allclose(chow_test(5 - 1e4 * y, 3 + 1e-3 * x, at=100).statistic, plain.statistic, rtol=1e-7)
    assert_allclose(chow_test(y[::-1], x[::-1], at=140).statistic, plain.statistic, rtol=1e-9)
    gaps = np.insert(y, [20, 60], np.nan), np.insert(x, [20, 60], 1.0)
    shifted = chow_test(*gaps, at=102)
    assert_allclose(shifted.statistic, plain.statistic, rtol=1e-12)
    assert (shifted.nobs, shifted.nobs_lost) == (240, 2)
    assert from_dict(plain.to_dict()) == plain


def test_window_is_the_test_on_the_cut_out_rows() -> None:
    y, x = (series[0] for series in volatile(400, 3))
    for lags in (0, 2):
        inside = before_after(y, x, at=180, window=100, lags=lags)
        first = 80 - max(lags, 1)
        cut = before_after(y[first:280], x[first:280], at=180 - first, lags=lags)
        assert_allclose(inside.statistic, cut.statistic, rtol=1e-9)
        assert (inside.nobs, inside.nobs_lost, inside.stretch_nobs.tolist()) == (200, 0, [100, 100])
    whole = before_after(y, x, at=[100, 250], lags=1)
    assert whole.options["window"] is None
    assert whole.lags == 1
    assert whole.nobs == 399


def test_every_date_agrees_with_the_test_of_one_date() -> None:
    y, x = (series[0].copy() for series in volatile(420, 4))
    y[150:160] = np.nan
    for lags in (0, 2):
        pvalues, changes = before_after_path(y, x, window=90, lags=lags)
        for date in (120, 200, 320):
            single = before_after(y, x, at=date, window=90, lags=lags)
            assert_allclose((pvalues[date], changes[date]), (single.pvalue, single.estimate), rtol=1e-7)
        assert np.isnan(pvalues[:46]).all()
        assert np.isnan(pvalues[-45:]).all()
        for date in (50, 370):
            near_end = before_after(y, x, at=date, window=90, lags=lags)
            assert_allclose(pvalues[date], near_end.pvalue, rtol=1e-7)
        assert np.isnan(before_after_path(y, x, window=90, lags=lags, minimum=90)[0][:91]).all()
    later = y.copy()
    later[300:] = 9.0 - later[300:]
    assert_allclose(before_after_path(later, x, window=90)[0][:211], before_after_path(y, x, window=90)[0][:211])


def test_rolling_link_is_least_squares_in_each_window_and_looks_back_only() -> None:
    y, x = (series[0] for series in volatile(300, 5))
    result = rolling_link(y, x, window=120)
    rows = slice(200 - 119, 201)
    fit = sm.OLS(y[rows], np.column_stack([x, np.ones(300), np.r_[np.nan, y[:-1]]])[rows]).fit(
        cov_type="HC3", use_t=True
    )
    at = int(np.flatnonzero(result.position == 200)[0])
    assert_allclose(result.estimate[at], fit.params[0], rtol=1e-9)
    assert_allclose((result.lower[at], result.upper[at]), fit.conf_int()[0], rtol=1e-8)
    changed = rolling_link(np.where(np.arange(300) > 200, 7.0 - y, y), x, window=120)
    assert_allclose(changed.estimate[: at + 1], result.estimate[: at + 1])
    assert not np.allclose(changed.estimate[at + 1 :], result.estimate[at + 1 :])
    lagged = rolling_link(y, x, window=120, lags=2)
    assert lagged.position[0] == 119  # the first window lacks two rows for their lags but is more than half full
    assert len(result.to_frame()) == len(result.position)


def test_rolling_interval_covers() -> None:
    y, x = volatile(1200, 6, count=6)
    inside = [
        np.mean((path.lower <= 0.5) & (path.upper >= 0.5))
        for path in (rolling_link(a, b, window=250) for a, b in zip(y, x, strict=True))
    ]
    assert 0.85 < np.mean(inside) < 0.99


def test_size_of_the_tests_at_one_date() -> None:
    y, x = volatile(600, 7, count=120)
    rng = np.random.default_rng(8)
    plain, robust = [], []
    for a, b in zip(y, x, strict=True):
        plain.append(before_after(a, b, at=300, cov="nonrobust").pvalue)
        robust.append(before_after(a, b, at=300, bootstrap=99, rng=rng).bootstrap_pvalue)
    assert np.mean(np.array(plain) <= 0.05) > 0.08
    assert 0.0 < np.mean(np.array(robust) <= 0.10) < 0.19


def test_power_at_the_right_date_for_response_and_lead() -> None:
    y, x = (series[0] for series in volatile(800, 9))
    after = np.arange(800) >= 400
    rng = np.random.default_rng(10)
    now = before_after(y + 0.8 * after * x, x, at=400, window=250, bootstrap=199, rng=rng)
    assert now.bootstrap_pvalue < 0.02
    assert now.interval[0] > 0
    lead = before_after(y + 0.8 * after * np.r_[0.0, x[:-1]], x, at=400, lags=2, bootstrap=199, rng=rng)
    assert lead.bootstrap_pvalue < 0.02
    assert lead.sums_lower[1] > 0 > lead.sums_lower[0]


def test_declared_dates_that_are_special_and_dates_that_are_not() -> None:
    x = volatile(1600, 11)[1]
    x = x[:1].repeat(3, axis=0)
    rng = np.random.default_rng(12)
    dates = [400, 640, 1000, 1290]
    sign = np.searchsorted(dates, np.arange(1600), side="right") % 2
    noise = rng.standard_normal((3, 1600))
    moved = placebo_dates((noise + 1.2 * sign * x).T, x[0], at=dates, window=120)
    assert moved.statistic == 1.0
    assert moved.pvalue < 0.05
    assert (moved.share_others < 0.5).all()
    # The link changes as often, only not where the dates are.
    elsewhere = placebo_dates((noise + 1.2 * sign * x).T, x[0], at=[520, 820, 1145], window=120)
    assert elsewhere.pvalue > 0.3
    assert elsewhere.estimate < 0
    assert moved.placebo_share == pytest.approx(elsewhere.placebo_share, abs=0.05)
    assert moved.rotations > 1000


def test_placebo_drops_dates_without_a_test() -> None:
    y, x = (series[0] for series in volatile(700, 13))
    result = placebo_dates(y, x, at=[30, 350], window=100)
    assert result.at == (350,)
    assert result.tests_at.tolist() == [1]
    assert isinstance(placebo_dates(y, x, at=[30], window=100), Inapplicable)


def test_data_that_allow_no_test() -> None:
    y, x = (series[0] for series in volatile(200, 14))
    assert "fewer than" in chow_test(y, x, at=10).reason
    assert "collinear" in chow_test(y, np.where(np.arange(200) < 100, 1.0, x), at=100, min_rows=10, test="all").reason
    spike = np.where(np.arange(200) == 150, 1.0, np.where(np.arange(200) < 80, x, 0.0))
    assert "on its own" in chow_test(y, spike, at=100).reason
    assert isinstance(before_after(y, x, at=190, window=50), Inapplicable)
    assert isinstance(rolling_link(y[:50], x[:50], window=100), Inapplicable)
    assert isinstance(rolling_link(y, np.zeros(200), window=100), Inapplicable)
    assert np.isnan(before_after_path(y[:50], x[:50], window=100)[0]).all()


def test_wrong_arguments() -> None:
    y, x = (series[0] for series in volatile(200, 15))
    for dates in (0, 200, [], [50, 40], [50, 50], 1.5, [True]):
        with pytest.raises((InputError, TypeError)):
            chow_test(y, x, at=dates)
    with pytest.raises(InputError, match="unknown covariance"):
        chow_test(y, x, at=100, cov="HC9")
    with pytest.raises(InputError, match="nothing to test"):
        chow_test(y, at=100, test="slopes")
    with pytest.raises(InputError, match="generator"):
        chow_test(y, x, at=100, bootstrap=9)
    with pytest.raises(InputError, match="one date"):
        before_after(y, x, at=[50, 100], window=20)
    with pytest.raises(InputError, match="infinite"):
        before_after(np.where(x == x[3], np.inf, y), x, at=100)
    with pytest.raises(InputError, match="level"):
        placebo_dates(y, x, at=[100], window=40, level=1.0)
    with pytest.raises(InputError, match="shape"):
        rolling_link(y, x[:-1], window=50)


def test_series_without_a_complete_row() -> None:
    nothing = np.full(80, np.nan)
    assert "0 usable rows" in chow_test(nothing, np.ones(80), at=40).reason
    assert isinstance(before_after(nothing, np.ones(80), at=40), Inapplicable)
    assert isinstance(rolling_link(nothing, np.ones(80), window=30), Inapplicable)
    assert isinstance(placebo_dates(nothing, np.ones(80), at=[40], window=20, exclude=5), Inapplicable)


def test_an_exact_fit_allows_no_test() -> None:
    x = np.random.default_rng(41).standard_t(4, 700)
    for y in (x, -2.0 * x, 3.0 + 0.1 * x):
        found = before_after(y, x, at=350, window=250)
        assert isinstance(found, Inapplicable)
        assert "exactly" in found.reason
        assert not np.isfinite(before_after_path(y, x, window=100)[0]).any()
