"""Break tests against published numbers, independent numerics, closed forms, invariances, and size under the null."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.special import hyp1f1

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.breaks import BreakTestResult, bai_perron, correlation_break, cusum, sup_f
from analysis.stats.breaks.dates import BreakDates, date_intervals
from analysis.stats.breaks.design import read_rows, segment_rss
from analysis.stats.breaks.laws import argmax_quantiles, argmax_tail, sup_wald_sf

TESTS = (bai_perron, sup_f, cusum)


@pytest.fixture(scope="module")
def rate(repository: Path) -> np.ndarray:
    return pd.read_csv(repository / "tests" / "reference" / "real_interest.csv")["value"].to_numpy()


def shifted(n: int = 120, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return a response whose slope on x changes after two thirds of the sample."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    slope = np.where(np.arange(n) < 2 * n // 3, 0.5, -1.5)
    return 1.0 + slope * x + rng.standard_normal(n), x


def test_real_interest_rate_dates_and_intervals(rate: np.ndarray) -> None:
    result = bai_perron(rate)
    assert isinstance(result, BreakDates)
    expected_rss = (1214.921870, 644.995518, 455.950179, 445.181865, 444.879749, 449.639485)
    expected_bic = (555.744520, 499.795235, 473.338131, 480.145821, 489.345356, 499.710951)
    assert_allclose(result.rss, expected_rss, atol=5e-7)
    assert_allclose(result.bic, expected_bic, atol=5e-7)
    assert result.breaks_by_number == ((), (79,), (47, 79), (24, 47, 79), (24, 47, 64, 79), (16, 31, 47, 64, 79))
    assert result.breaks == (47, 79)
    assert result.intervals == ((39, 49), (77, 81))
    assert_allclose(result.coefficients[:, 0], (1.35503723404, -1.79613843750, 5.64288958333), rtol=1e-10)
    assert result.warnings == ()
    intervals, warnings = date_intervals(read_rows(rate, None), (24, 47, 79), "nonrobust", 0.95)
    assert intervals == ((8, 43), (36, 49), (77, 81))
    assert warnings == ("intervals of neighbouring dates overlap",)


def test_real_interest_rate_on_its_lag(rate: np.ndarray) -> None:
    result = bai_perron(rate[1:], rate[:-1])
    assert_allclose(result.rss, (738.715890, 562.982430, 449.457873, 432.748603, 430.578816, 435.928954), atol=5e-7)
    assert result.breaks_by_number[1:] == ((81,), (46, 78), (24, 46, 78), (24, 46, 62, 78), (16, 31, 46, 62, 78))
    assert result.intervals == ((40, 48), (76, 80))
    assert date_intervals(read_rows(rate[1:], rate[:-1]), (81,), "nonrobust", 0.95)[0] == ((74, 83),)


def test_real_interest_rate_constancy(rate: np.ndarray) -> None:
    level, lagged = sup_f(rate), sup_f(rate[1:], rate[:-1])
    assert_allclose(level.statistic, 89.2449016945, rtol=1e-11)
    assert (level.break_after, len(level.path), level.path_after[0], level.path_after[-1]) == (79, 74, 15, 88)
    assert_allclose(lagged.statistic, 30.5904379, rtol=1e-9)
    assert lagged.break_after == 81
    running = cusum(rate)
    assert_allclose(running.statistic, 2.925546887, rtol=1e-9)
    assert_allclose(running.pvalue, 7.36087453e-08, rtol=1e-8)
    assert_allclose(cusum(rate[1:], rate[:-1]).statistic, 1.606479728, rtol=1e-9)
    assert_allclose(cusum(rate[1:], rate[:-1]).pvalue, 0.0114655632, rtol=1e-8)


@pytest.mark.parametrize(
    ("value", "k", "published"), [(7.12, 1, 0.10), (8.68, 1, 0.05), (11.72, 2, 0.05), (27, 10, 0.0494)]
)
def test_sup_wald_is_a_little_above_simulated_tables(value: float, k: int, published: float) -> None:
    """Tables simulated on a grid of dates miss what happens between them; the limit lies at most a sixth above."""
    assert published < sup_wald_sf(value, k, 0.15) < published * 1.17


@pytest.mark.parametrize(("value", "k", "trim"), [(8.0, 1, 0.15), (14.0, 3, 0.05), (3.0, 1, 0.3), (20.0, 8, 0.15)])
def test_sup_wald_law_by_finite_volumes(value: float, k: int, trim: float) -> None:
    """The same killed diffusion on a grid of equal steps of the radius, as a Markov chain in continuous time."""
    m = 500
    width = math.sqrt(value) / m
    middle, face = (np.arange(m) + 0.5) * width, np.arange(m + 1) * width
    weight = middle ** (k - 1) * np.exp(-(middle**2) / 2)
    flow = face ** (k - 1) * np.exp(-(face**2) / 2) / (2 * width**2)
    flow[0] = 0.0  # nothing passes the origin
    flow[-1] *= 2  # the wall is half a cell away
    rates = np.diag(-(flow[1:] + flow[:-1]) / weight)
    rates += np.diag(flow[1:-1] / weight[:-1], 1) + np.diag(flow[1:-1] / weight[1:], -1)
    alive = expm(rates * 2 * math.log((1 - trim) / trim)) @ np.ones(m)
    start = np.diff(stats.chi2.cdf(face**2, k))
    assert_allclose(sup_wald_sf(value, k, trim), 1 - start @ alive, atol=2e-4)


def test_sup_wald_decay_rate_is_a_root_of_kummers_function() -> None:
    """Over a long watch only the slowest rate counts, and M(-rate, k/2, value/2) is zero there."""
    alive = [1 - sup_wald_sf(6.0, 3, trim) for trim in (1e-3, 1e-4)]
    duration = [2 * math.log((1 - trim) / trim) for trim in (1e-3, 1e-4)]
    rate = math.log(alive[0] / alive[1]) / (duration[1] - duration[0])
    assert abs(hyp1f1(-rate, 1.5, 3.0)) < 1e-5
    assert all(hyp1f1(-share * rate, 1.5, 3.0) > 1e-3 for share in (0.2, 0.5, 0.9))


def test_sup_wald_limits() -> None:
    assert sup_wald_sf(0.0, 2, 0.15) == 1.0
    assert_allclose(sup_wald_sf(5.0, 2, 0.5 - 1e-9), stats.chi2.sf(5.0, 2), atol=2e-4)
    grid = np.linspace(0.5, 120, 240)
    for k in (1, 2, 7, 40):
        values = np.array([sup_wald_sf(v, k, 0.15) for v in grid])
        assert (np.diff(values) <= 1e-9).all()
        assert ((values > 0) & (values <= 1)).all()
    assert 1e-20 < sup_wald_sf(89.2449, 1, 0.15) < 1e-17


def test_law_of_an_estimated_date() -> None:
    assert_allclose(argmax_quantiles(1.0, 1.0, 0.95), (-11.033, 11.033), atol=5e-4)
    assert_allclose(argmax_quantiles(1.0, 1.0, 0.90), (-7.687, 7.687), atol=5e-4)
    mirrored = argmax_quantiles(1 / 2.0, 1 / 0.6, 0.9)
    plain = argmax_quantiles(2.0, 0.6, 0.9)
    # Reading time backwards swaps the sides; the unit of time is noise over slope, so it changes by their ratio.
    assert_allclose((-plain[1], -plain[0]), np.array(mirrored) * 0.6 / 2.0, rtol=1e-6)
    assert argmax_quantiles(1.0, 1e-4, 0.95) is None


@pytest.mark.parametrize(
    ("distance", "drift", "scale", "other"), [(0.7, 0.5, 1.0, 1.0), (3.0, 1.0, 1.4, 0.3), (9, 0.5, 1, 4)]
)
def test_tail_of_the_date_by_integration(distance: float, drift: float, scale: float, other: float) -> None:
    rate = 2 * drift / scale**2

    def late(height: float) -> float:
        """Chance that the height is first passed after the distance."""
        root = scale * math.sqrt(distance)
        before = stats.norm.cdf((-height - drift * distance) / root)
        before += math.exp(-rate * height) * stats.norm.cdf((-height + drift * distance) / root)
        return math.exp(-rate * height) - before

    expected = quad(lambda m: rate * late(m) * (1 - math.exp(-other * m)), 0, 80, limit=400, epsabs=1e-12)[0]
    assert_allclose(argmax_tail(distance, drift=drift, scale=scale, other_rate=other), expected, rtol=1e-6)


def test_segments_and_partitions_by_brute_force() -> None:
    y, x = shifted(40)
    X = np.column_stack([np.ones(40), x])
    for start in (0, 7):
        found = segment_rss(y, X, 6, start)
        expected = [
            np.sum((y[start:e] - X[start:e] @ np.linalg.lstsq(X[start:e], y[start:e], rcond=None)[0]) ** 2)
            for e in range(start + 6, 41)
        ]
        assert_allclose(found, expected, rtol=1e-9)
    result = bai_perron(y, x, trim=0.2, max_breaks=3)
    for number in (1, 2, 3):
        best = min(
            (sum(segment_rss(y[:e], X[:e], 8, s)[-1] for s, e in itertools.pairwise([0, *dates, 40])), dates)
            for dates in itertools.combinations(range(8, 33), number)
            if min(np.diff([0, *dates, 40])) >= 8
        )
        assert result.breaks_by_number[number] == best[1]
        assert_allclose(result.rss[number], best[0], rtol=1e-9)


def test_slope_break_is_found_and_units_do_not_matter() -> None:
    y, x = shifted()
    plain = bai_perron(y, x)
    date = plain.breaks[0]
    assert len(plain.breaks) == 1
    assert abs(date - 80) <= 3
    assert plain.intervals[0][0] <= 80 <= plain.intervals[0][1]
    other = bai_perron(1e6 + 1e-3 * y, 40.0 + 1e4 * x)
    assert (other.breaks, other.intervals) == (plain.breaks, plain.intervals)
    assert_allclose(other.coefficients[:, 1], plain.coefficients[:, 1] * 1e-7, rtol=1e-6)
    assert_allclose(sup_f(1e6 + 1e-3 * y, 40.0 + 1e4 * x).statistic, sup_f(y, x).statistic, rtol=1e-6)
    backwards = bai_perron(y[::-1], x[::-1])
    assert backwards.breaks == (120 - date,)
    low, high = plain.intervals[0]
    assert backwards.intervals[0] == (120 - high, 120 - low)
    for cov in ("HC0", "HAC"):
        assert bai_perron(y, x, cov=cov).breaks == (date,)
        assert sup_f(y, x, cov=cov).break_after == date
        assert sup_f(y, x, cov=cov).pvalue < 1e-4


def test_dates_refer_to_the_series_as_given() -> None:
    y = np.repeat([0.0, 5.0], 40) + np.random.default_rng(2).standard_normal(80)
    gaps = np.insert(y, [10, 20, 30], np.nan)
    result = bai_perron(gaps)
    assert (bai_perron(y).breaks, result.breaks, result.nobs, result.nobs_lost) == ((40,), (43,), 80, 3)
    assert sup_f(gaps).break_after == 43
    assert cusum(gaps).break_after == 43
    assert sup_f(gaps).statistic == sup_f(y).statistic
    x = y * np.random.default_rng(3).standard_normal(80)
    assert (
        correlation_break(np.insert(x, [10], np.nan), np.insert(y, [10], 1.0)).statistic
        == correlation_break(x, y).statistic
    )


def test_exact_steps_need_no_interval() -> None:
    result = bai_perron(np.repeat([1.0, 3.0, -2.0], 20))
    assert (result.breaks, result.intervals) == ((20, 40), ((20, 20), (40, 40)))
    assert isinstance(sup_f(np.repeat([1.0, 3.0], 20)), Inapplicable)


def test_no_break_in_noise_and_a_frame_for_each_number() -> None:
    result = bai_perron(np.random.default_rng(8).standard_normal(200), max_breaks=2)
    assert (result.breaks, result.intervals) == ((), ())
    frame = result.to_frame()
    assert frame["n_breaks"].tolist() == [0, 1, 2, 2]
    assert frame["chosen"].tolist() == [True, False, False, False]
    assert frame["break_after"].isna().tolist() == [True, False, False, False]
    assert from_dict(result.to_dict()) == result


def test_interval_covers_the_date() -> None:
    rng = np.random.default_rng(4)
    held = []
    for _ in range(200):
        y = np.repeat([0.0, 0.8], 60) + rng.standard_normal(120) * np.repeat([1.0, 1.5], 60)
        date = bai_perron(y, max_breaks=1)
        if date.breaks:
            held.append(date.intervals[0][0] <= 60 <= date.intervals[0][1])
    assert len(held) > 100
    assert np.mean(held) > 0.88


@pytest.mark.parametrize("cov", ["nonrobust", "HC0", "HAC"])
def test_sup_f_size(cov: str) -> None:
    rng = np.random.default_rng(6)
    p = [sup_f(*rng.standard_normal((2, 150)), cov=cov).pvalue for _ in range(100)]
    assert 0.0 < np.mean(np.array(p) < 0.10) < (0.25 if cov == "HAC" else 0.16)


def test_robust_sup_f_withstands_errors_as_loud_as_the_regressor() -> None:
    rng = np.random.default_rng(7)
    plain, robust = [], []
    for _ in range(80):
        x = rng.standard_normal(150)
        y = x * rng.standard_normal(150)
        plain.append(sup_f(y, x).pvalue < 0.05)
        robust.append(sup_f(y, x, cov="HC0").pvalue < 0.05)
    assert np.mean(plain) > 0.25
    assert np.mean(robust) < 0.6 * np.mean(plain)


def test_cusum_long_run_variance_withstands_persistence() -> None:
    rng = np.random.default_rng(9)
    e = rng.standard_normal((150, 601))
    y = e[:, 1:] + 0.8 * e[:, :-1]
    assert np.mean([cusum(row).pvalue < 0.05 for row in y]) > 0.12
    assert np.mean([cusum(row, cov="HAC").pvalue < 0.05 for row in y]) < 0.09


def volatile_pairs(count: int, n: int, rho: float, seed: int) -> np.ndarray:
    """Return (count, 2, n) pairs of correlation rho whose common variance follows a GARCH process."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((count, 2, n + 100))
    z[:, 1] = rho * z[:, 0] + math.sqrt(1 - rho**2) * z[:, 1]
    out, h = np.empty_like(z), np.ones(count)
    for t in range(n + 100):
        out[:, :, t] = np.sqrt(h)[:, None] * z[:, :, t]
        h = 0.05 + 0.1 * (out[:, :, t] ** 2).mean(axis=1) + 0.85 * h
    return out[:, :, 100:]


def test_correlation_break_size_and_power() -> None:
    quiet = volatile_pairs(200, 600, 0.5, 10)
    assert 0.0 < np.mean([correlation_break(*pair).pvalue < 0.05 for pair in quiet]) < 0.10
    n = np.arange(600)
    for pair in quiet[:60]:
        pair[1] = np.where(n < 300, pair[1], pair[1] - pair[0])
    results = [correlation_break(*pair) for pair in quiet[:60]]
    assert np.mean([result.pvalue < 0.05 for result in results]) > 0.9
    assert np.mean([result.estimate < -0.5 for result in results]) > 0.95
    assert abs(np.median([result.break_after for result in results]) - 300) < 15


def test_correlation_break_by_its_definition() -> None:
    """The path from correlations of growing samples, and its scale from the delta method on the five moments."""
    x, y = volatile_pairs(1, 80, 0.3, 11)[0]
    n, lags = 80, 4
    r = np.corrcoef(x, y)[0, 1]
    U = np.column_stack([x**2, y**2, x, y, x * y])
    U -= U.mean(axis=0)
    S = U.T @ U / n
    for j in range(1, lags + 1):
        G = U[j:].T @ U[:-j] / n
        S += (1 - j / (lags + 1)) * (G + G.T)

    def rho(m: np.ndarray) -> float:
        return (m[4] - m[2] * m[3]) / math.sqrt((m[0] - m[2] ** 2) * (m[1] - m[3] ** 2))

    m = np.array([np.mean(x**2), np.mean(y**2), x.mean(), y.mean(), np.mean(x * y)])
    slope = np.array([(rho(m + d) - rho(m - d)) / 2e-6 for d in np.eye(5) * 1e-6])
    scale = math.sqrt(slope @ S @ slope)
    path = [j / math.sqrt(n) * (np.corrcoef(x[:j], y[:j])[0, 1] - r) / scale for j in range(2, n)]
    result = correlation_break(x, y, bandwidth=lags)
    assert_allclose(result.path, path, rtol=1e-6, atol=1e-9)
    assert result.statistic == pytest.approx(max(abs(value) for value in path), rel=1e-6)
    assert_allclose(result.pvalue, stats.kstwobign.sf(result.statistic))
    assert correlation_break(x, y).options["bandwidth"] == int(math.log(80))


def test_correlation_break_invariances() -> None:
    x, y = volatile_pairs(1, 200, 0.3, 12)[0]
    plain = correlation_break(x, y)
    assert_allclose(correlation_break(y, 3.0 + 1e5 * x).path, plain.path, rtol=1e-6, atol=1e-9)
    assert_allclose(correlation_break(-x, y).path, -plain.path, rtol=1e-9, atol=1e-12)
    still = x.copy()
    still[:5] = 0.3
    assert np.isfinite(correlation_break(still, y).path).all()
    assert isinstance(correlation_break(x, y), BreakTestResult)


@pytest.mark.parametrize("test", TESTS)
def test_data_that_allow_no_test(test: object) -> None:
    y, x = shifted(60)
    for bad, words in (
        ((np.ones(60),), "constant"),
        ((y, np.full(60, 2.0)), "regressor is constant"),
        ((y, np.column_stack([x, 2 * x])), "collinear"),
        ((y[:5], x[:5]), "too few"),
        ((np.full(60, np.nan),), "too few"),
    ):
        result = test(*bad)
        assert isinstance(result, Inapplicable)
        assert words in result.reason
    assert isinstance(bai_perron(y, x, trim=0.02), Inapplicable)
    assert isinstance(sup_f(y, x, trim=0.02), Inapplicable)
    single = np.zeros(60)
    single[[5, 50]] = 1.0
    assert isinstance(sup_f(y, single, cov="HC0"), Inapplicable)
    assert isinstance(correlation_break(x, 2 - 3 * x), Inapplicable)
    assert isinstance(correlation_break(x, np.ones(60)), Inapplicable)
    assert isinstance(correlation_break(x[:10], y[:10]), Inapplicable)


def test_wrong_arguments() -> None:
    y, x = shifted(60)
    for test in TESTS:
        with pytest.raises(InputError, match="infinite"):
            test(np.where(y == y[3], np.inf, y))
        with pytest.raises(InputError, match="shape"):
            test(y, x[:-1])
        with pytest.raises(InputError, match="unknown covariance"):
            test(y, cov="HC9")
    for trim in (0.0, 0.5, -1, True, math.nan, "a"):
        with pytest.raises(InputError, match="trim"):
            sup_f(y, trim=trim)
    with pytest.raises(InputError, match="max_breaks"):
        bai_perron(y, max_breaks=0)
    with pytest.raises(InputError, match="level"):
        bai_perron(y, level=1.0)
    with pytest.raises(InputError, match="bandwidth"):
        correlation_break(x, y, bandwidth=-1)


def test_arguments_are_left_alone() -> None:
    y, x = shifted(60)
    before = y.copy(), x.copy()
    for test in (*TESTS, correlation_break):
        test(y, x)
    assert (y == before[0]).all()
    assert (x == before[1]).all()
