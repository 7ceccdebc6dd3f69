"""Asynchronous ticks and sampling clocks: brute force, known truth, size and power, and the real clock artefact."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, Result, TestResult, from_dict
from analysis.stats.asynchronous import HayashiYoshida, hayashi_yoshida, hayashi_yoshida_lagged
from analysis.stats.asynchronous_blocks import BlockSums, block_sums
from analysis.stats.asynchronous_kernels import block_products
from analysis.stats.asynchronous_result import LaggedHayashiYoshida
from analysis.stats.clocks import ClockComparison, clock_demonstration
from analysis.stats.crosscorr import cross_correlation
from analysis.stats.regression import rademacher
from analysis.stats.ticks import Ticks, as_of, stamp_tolerance

Pair = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def hy(*args: object, **kwargs: object) -> HayashiYoshida:
    result = hayashi_yoshida(*args, **kwargs)
    assert isinstance(result, HayashiYoshida), result
    return result


def lagged(*args: object, **kwargs: object) -> LaggedHayashiYoshida:
    result = hayashi_yoshida_lagged(*args, **kwargs)
    assert isinstance(result, LaggedHayashiYoshida), result
    return result


def clocks(*args: object, **kwargs: object) -> ClockComparison:
    result = clock_demonstration(*args, **kwargs)
    assert isinstance(result, ClockComparison), result
    return result


def ticks(
    rng: np.random.Generator, n: int, *, rho: float, lead: int = 0, keep: tuple[float, float] = (0.3, 0.2)
) -> Pair:
    """Brownian levels on a fine grid, seen at random times; y moves `lead` steps before x does."""
    e = rng.standard_normal((2, n + abs(lead)))
    y_steps = rho * e[0] + math.sqrt(1 - rho**2) * e[1]
    x_path, y_path = (
        np.cumsum(e[0][:n]),
        np.cumsum(y_steps[lead : lead + n] if lead >= 0 else np.r_[np.zeros(-lead), y_steps][:n]),
    )
    seen_x, seen_y = (np.flatnonzero(rng.random(n) < share) for share in keep)
    return seen_x.astype(float), x_path[seen_x], seen_y.astype(float), y_path[seen_y]


def brute_force(pair: Pair, lag: float = 0.0, max_gap: float = math.inf) -> float:
    """Sum over all pairs of intervals, as the estimator is defined."""
    tx, px, ty, py = pair
    total = 0.0
    for i in range(len(tx) - 1):
        for j in range(len(ty) - 1):
            overlap = max(tx[i], ty[j] + lag) < min(tx[i + 1], ty[j + 1] + lag)
            if overlap and tx[i + 1] - tx[i] <= max_gap and ty[j + 1] - ty[j] <= max_gap:
                total += (px[i + 1] - px[i]) * (py[j + 1] - py[j])
    return total


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(-12, 12), st.sampled_from([math.inf, 6.0]))
def test_the_linear_merge_equals_the_double_sum(seed: int, lag: int, gap: float) -> None:
    pair = ticks(np.random.default_rng(seed), 400, rho=0.5)
    result = hayashi_yoshida_lagged(*pair, lags=[float(lag)], log=False, max_gap=None if math.isinf(gap) else gap)
    assert isinstance(result, LaggedHayashiYoshida)
    assert result.covariance[0] == pytest.approx(brute_force(pair, lag, gap), rel=1e-10, abs=1e-10)


def test_the_compiled_merge_equals_its_plain_twin() -> None:
    rng = np.random.default_rng(1)
    tx, px, ty, py = ticks(rng, 3000, rho=0.4)
    grid = np.array([-7.5, -1.0, 0.0, 0.5, 40.0])
    block = np.arange(len(tx) - 1) * 9 // (len(tx) - 1)
    path = py - py[0]
    out = block_products(tx, np.diff(px), ty, path, grid, block, 9, 0.0)
    for k, lag in enumerate(grid):
        first = np.searchsorted(ty[1:], tx[:-1] - lag, side="right")
        last = np.searchsorted(ty[:-1], tx[1:] - lag, side="left")
        products = np.where(last > first, np.diff(px) * (path[np.maximum(last, first)] - path[first]), 0.0)
        np.testing.assert_allclose(out[k], np.bincount(block, weights=products), rtol=1e-10, atol=1e-10)


def test_with_common_times_it_is_the_realised_covariance() -> None:
    rng = np.random.default_rng(2)
    times = np.cumsum(rng.exponential(size=600))
    x, y = 10 * np.exp(np.cumsum(rng.standard_normal((2, 600)) / 100, axis=1))
    y = y * x / 10
    result = hy(times, x, times, y, blocks=10)
    a, b = np.diff(np.log(x)), np.diff(np.log(y))
    assert result.covariance == pytest.approx(a @ b, rel=1e-10)
    assert result.variance_x == pytest.approx(a @ a, rel=1e-12)
    assert result.estimate == pytest.approx((a @ b) / math.sqrt((a @ a) * (b @ b)), rel=1e-10)
    c = np.bincount(np.arange(599) * 10 // 599, weights=a * b)
    assert result.statistic == pytest.approx(math.sqrt(10) * c.mean() / c.std(ddof=1), rel=1e-9)
    assert (result.nobs, result.nobs_y, result.nobs_lost, result.df) == (599, 599, 0, (9.0,))
    assert result.pvalue == pytest.approx(2 * stats.t.sf(abs(result.statistic), 9), rel=1e-10)
    # The derivative of c / sqrt(u v) along each block, scaled as a sample variance, on Fisher's scale.
    u, v = (np.bincount(np.arange(599) * 10 // 599, weights=s * s) for s in (a, b))
    r = result.estimate
    assert r is not None
    psi = c / math.sqrt(u.sum() * v.sum()) - r * (u / u.sum() + v / v.sum()) / 2
    half = 2.2621571627409915 * math.sqrt(10 / 9 * (psi @ psi)) / (1 - r * r)  # t quantile .975 with 9 degrees
    assert result.interval == pytest.approx((math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)))


def test_it_is_unbiased_where_resampling_is_not_and_its_interval_covers() -> None:
    estimates, naive, hits = [], [], 0
    for seed in range(150):
        rng = np.random.default_rng([seed, 1])
        pair = ticks(rng, 4000, rho=0.6, keep=(0.1, 0.15))
        result = hy(*pair, log=False)
        estimates.append(result.estimate)
        assert result.interval is not None
        hits += result.interval[0] <= 0.6 <= result.interval[1]
        sides = [as_of(Ticks(pair[i], pair[i + 1], 0), np.arange(60.0, 4000.0))[0] for i in (0, 2)]
        naive.append(np.corrcoef(np.diff(sides[0]), np.diff(sides[1]))[0, 1])
    assert abs(np.mean(estimates) - 0.6) < 4 * np.std(estimates) / math.sqrt(150) + 0.01
    assert np.mean(naive) < 0.2
    assert hits / 150 > 0.95 - 3 * math.sqrt(0.05 * 0.95 / 150)


def test_size_for_independent_ticks() -> None:
    rejected = sup = 0
    for seed in range(150):
        rng = np.random.default_rng([seed, 2])
        pair = ticks(rng, 1500, rho=0.0)
        rejected += hy(*pair, log=False).pvalue <= 0.05
        p = lagged(*pair, lags=np.arange(-10.0, 11.0), bootstrap=99, rng=rng, log=False).sup_pvalue
        assert p is not None
        sup += p <= 0.05
    margin = 3 * math.sqrt(0.05 * 0.95 / 150)
    assert abs(rejected / 150 - 0.05) < margin
    assert sup / 150 < 0.05 + margin


@pytest.mark.parametrize("lead", [-12, 0, 20])
def test_the_planted_lead_time_is_found_with_its_sign(lead: int) -> None:
    rng = np.random.default_rng(3)
    pair = ticks(rng, 20_000, rho=0.8, lead=lead)
    result = lagged(*pair, lags=np.arange(-40.0, 41.0), bootstrap=199, rng=rng, log=False)
    assert result.lead_interval is not None
    assert result.lead_interval[0] <= lead <= result.lead_interval[1]
    assert abs(result.lead_time - lead) <= 2
    assert result.lead_interval[1] - result.lead_interval[0] <= 8
    assert result.sup_pvalue == pytest.approx(1 / 200)
    test = result.sup_test()
    assert isinstance(test, TestResult)
    assert test.estimate == result.lead_time
    who = {1: "y leads", 0: "no lead", -1: "x leads"}[int(np.sign(result.lead_time))]
    assert f"({who})" in result.summary()


def test_the_interval_of_the_lead_time_covers() -> None:
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 4])
        pair = ticks(rng, 3000, rho=0.6, lead=6)
        interval = lagged(*pair, lags=np.arange(-15.0, 16.0), bootstrap=199, rng=rng, log=False).lead_interval
        assert interval is not None
        hits += interval[0] <= 6 <= interval[1]
    assert hits / 60 > 0.95 - 3 * math.sqrt(0.05 * 0.95 / 60)


def test_draws_of_signs_and_blocks_match_a_plain_twin() -> None:
    pair = ticks(np.random.default_rng(12), 800, rho=0.3, lead=4)
    grid = np.arange(-8.0, 9.0)
    result = lagged(*pair, lags=grid, bootstrap=99, rng=np.random.default_rng(5), log=False, level=0.8)
    sums = block_sums(Ticks(*pair[:2], 0), Ticks(*pair[2:], 0), grid, None, None, 0.0)
    assert isinstance(sums, BlockSums)
    blocks, rng = sums.squares_x.size, np.random.default_rng(5)
    signs = rademacher(rng, 99, blocks)
    draws = rng.multinomial(blocks, [1 / blocks] * blocks, size=99)

    def largest(weights: np.ndarray) -> float:
        return max(abs(weights @ c) / math.sqrt(c @ c) for c in sums.products)

    observed = largest(np.ones(blocks))
    exceed = sum(largest(row) >= observed for row in signs)
    assert result.sup_pvalue == pytest.approx((1 + exceed) / 100)
    leads = sorted(max(zip(grid, sums.products, strict=True), key=lambda pair: abs(row @ pair[1]))[0] for row in draws)
    assert result.lead_interval == (leads[math.ceil(0.1 * 99) - 1], leads[math.ceil(0.9 * 98)])
    assert leads[0] < leads[-1]


def test_exchanging_the_series_turns_the_lead_around() -> None:
    tx, px, ty, py = ticks(np.random.default_rng(5), 4000, rho=0.7, lead=8)
    grid = np.arange(-20.0, 21.0)
    one, two = lagged(tx, px, ty, py, lags=grid, log=False), lagged(ty, py, tx, px, lags=grid, log=False)
    np.testing.assert_allclose(one.covariance, two.covariance[::-1], rtol=1e-8, atol=1e-8)
    assert two.lead_time == -one.lead_time
    assert one.lead_interval is None
    assert isinstance(one.sup_test(), Inapplicable)


def test_dates_and_numbers_agree_and_whole_nanoseconds_keep_their_digits() -> None:
    tx, px, ty, py = ticks(np.random.default_rng(6), 2000, rho=0.5)
    start = np.datetime64("2025-03-01T09:30:00", "ns")
    stamps = [start + (t * 1e9).astype("timedelta64[ns]") for t in (tx, ty)]
    grid = [-3.0, 0.0, 3.0]
    plain = lagged(tx, px, ty, py, lags=grid, log=False)
    dated = lagged(stamps[0], px, stamps[1], py, lags=grid, log=False)
    assert dated.to_json() == plain.to_json()
    whole = [stamp.astype(np.int64) for stamp in stamps]
    counted = lagged(whole[0], px, whole[1], py, lags=[-3e9, 0.0, 3e9], log=False)
    np.testing.assert_allclose(counted.covariance, plain.covariance, rtol=1e-12)


def epoch_seconds(step: int, whole: np.ndarray) -> np.ndarray:
    """Whole nanoseconds since 1970, read as decimal seconds: the stamps of most files of ticks."""
    return (1_700_000_000_000_000_000 + whole.astype(np.int64) * step) / 1e9


def dates(step: int, whole: np.ndarray) -> np.ndarray:
    return np.datetime64("2025-03-03T14:30", "ns") + whole.astype(np.int64) * np.timedelta64(step, "ns")


@pytest.mark.parametrize(
    ("stamps", "step"),
    [
        (lambda whole: 34200 + 0.001 * whole, 0.001),
        (lambda whole: 1.7e9 + 0.1 * whole, 0.1),
        (lambda whole: epoch_seconds(100_000_000, whole), 0.1),
        (lambda whole: epoch_seconds(1_000, whole), 1e-6),
        (lambda whole: dates(100_000_000, whole), 0.1),
        (lambda whole: dates(7_000, whole), 7e-6),
        (lambda whole: 0.3 * whole - 500.0, 0.3),
        (lambda whole: (0.1 * whole).astype(np.float32), 0.1),
    ],
    ids=["milliseconds", "epoch", "epoch from ns", "microseconds", "dates", "fine dates", "negative", "single"],
)
@pytest.mark.parametrize("gap", [None, 6])
def test_decimal_stamps_give_the_curve_of_whole_numbers(stamps: object, step: float, gap: int | None) -> None:
    w = np.random.default_rng(14).standard_normal(3003).cumsum()
    whole, count, common = np.arange(3000.0), np.arange(-4, 8), {"log": False, "bootstrap": 49}
    grids = (whole, w[:-3], whole, w[3:]), ticks(np.random.default_rng(15), 3000, rho=0.8, lead=5)
    for tx, px, ty, py in grids:
        truth = lagged(
            tx, px, ty, py, lags=count * 1.0, rng=np.random.default_rng(1), max_gap=gap and float(gap), **common
        )
        wide = gap and gap * step
        times = stamps(tx), stamps(ty)  # type: ignore[operator]
        found = lagged(
            times[0], px, times[1], py, lags=count * step, rng=np.random.default_rng(1), max_gap=wide, **common
        )
        for name in ("covariance", "correlation", "lower", "upper", "t_statistic"):
            np.testing.assert_allclose(getattr(found, name), getattr(truth, name), rtol=1e-12, atol=1e-12)
        assert found.lead_time == pytest.approx(truth.lead_time * step)
        assert (found.nobs, found.nobs_y, found.nobs_lost) == (truth.nobs, truth.nobs_y, truth.nobs_lost)
        assert found.sup_pvalue == truth.sup_pvalue
        assert found.warnings == truth.warnings
        still = hy(times[0], px, times[1], py, log=False, max_gap=wide)
        assert still.covariance == pytest.approx(found.covariance[4], rel=1e-12)
    regular = lagged(stamps(whole), w[:-3], stamps(whole), w[3:], lags=count * step, log=False)  # type: ignore[operator]
    assert np.abs(np.delete(regular.correlation, 7)).max() < 0.1
    assert regular.correlation[7] == pytest.approx(1.0, abs=0.01)  # x repeats y three steps later


def test_the_tolerance_tells_stamps_apart_that_differ() -> None:
    zero = np.zeros(1)

    def tolerance(times: np.ndarray, lags: np.ndarray = zero) -> float:
        axis = (times - times[0]) / (np.timedelta64(1, "s") if times.dtype.kind == "M" else 1)
        return stamp_tolerance((times,), (axis,), lags)

    unit = 2.0**-22  # in the last place of seconds since 1970
    assert tolerance(1.7e9 + np.array([0.0, 0.1])) == 2.1 * unit < 1e-6
    assert tolerance(np.array([0.0, 0.1]), np.array([-1.7e9])) == 2.1 * unit
    assert tolerance(dates(100_000_000, np.arange(20))) == 2.1 * 2.0**-52
    assert tolerance(np.array([1, 5, 2**60])) == tolerance(np.array([0.0, 2.0**60])) == 0.25
    assert tolerance(np.array([0.0, 0.1], dtype=np.float32)) == 2.1 * float(np.spacing(np.float32(0.1)))


def test_whole_nanoseconds_over_years_count_every_overlap() -> None:
    rng = np.random.default_rng(16)
    times = np.arange(60, dtype=np.int64) * 3 * 10**14
    x, y = rng.standard_normal((2, 60)).cumsum(axis=1)
    later = times + 1
    found = hy(times, x, later, y, log=False)
    assert found.covariance == pytest.approx(brute_force((times.tolist(), x, later.tolist(), y)), rel=1e-12)
    assert found.covariance != pytest.approx(np.diff(x) @ np.diff(y), rel=1e-3)


def test_missing_ticks_and_nights_are_left_out_and_counted() -> None:
    rng = np.random.default_rng(7)
    tx = np.concatenate([day * 1000.0 + np.arange(0.0, 100.0) for day in range(8)])
    x, y = np.cumsum(rng.standard_normal((2, tx.size)), axis=1)
    y = x + 0.5 * y
    whole, inside = hy(tx, x, tx, y, log=False), hy(tx, x, tx, y, log=False, max_gap=1.0)
    assert whole.nobs == 799
    assert inside.nobs == 792
    assert inside.nobs_lost == 14
    steps = np.diff(tx) == 1
    assert inside.covariance == pytest.approx(np.diff(x)[steps] @ np.diff(y)[steps], rel=1e-10)
    holed = x.copy()
    holed[[5, 300]] = np.nan
    some = hy(tx, holed, tx, y, log=False)
    assert some.nobs == 797
    assert some.nobs_lost == 2
    kept = np.isfinite(holed)
    assert some.covariance == pytest.approx(brute_force((tx[kept], x[kept], tx, y)), rel=1e-9)


def test_variances_count_only_what_the_other_series_can_have_met() -> None:
    rng = np.random.default_rng(11)
    times = np.arange(200.0)
    x, y = np.cumsum(rng.standard_normal((2, 200)), axis=1)
    seen = (times >= 50) & (times <= 150) & ((times <= 80) | (times >= 100))
    result = hy(times, x, times[seen], y[seen], log=False, max_gap=5.0)
    met = np.r_[np.arange(50, 80), np.arange(100, 150)]
    assert (result.nobs, result.nobs_y) == (80, 80)
    assert result.variance_x == pytest.approx((np.diff(x)[met] ** 2).sum(), rel=1e-10)
    assert result.variance_y == pytest.approx((np.diff(y)[met] ** 2).sum(), rel=1e-10)
    assert result.covariance == pytest.approx(np.diff(x)[met] @ np.diff(y)[met], rel=1e-10)
    turned = hy(times[seen], y[seen], times, x, log=False, max_gap=5.0)
    assert (turned.variance_x, turned.variance_y) == pytest.approx((result.variance_y, result.variance_x), rel=1e-12)


def test_a_grid_that_ends_at_the_maximum_or_outruns_its_blocks_says_so() -> None:
    pair = ticks(np.random.default_rng(8), 3000, rho=0.8, lead=15)
    result = lagged(*pair, lags=np.arange(-5.0, 11.0), log=False)
    assert any("end of the grid" in text for text in result.warnings)
    wide = lagged(*pair, lags=[0.0, 15.0, 800.0], log=False)
    assert any("shorter than the largest lag" in text for text in wide.warnings)
    assert isinstance(hayashi_yoshida_lagged(*pair, lags=[0.0, 1e6], log=False), Inapplicable)


def common_shock(rng: np.random.Generator, days: int, rho: float) -> Pair:
    """Two hourly prices with a common shock, no lead, known at every full hour."""
    e = rng.standard_normal((2, 24 * days)) / 200
    y = rho * e[0] + math.sqrt(1 - rho**2) * e[1]
    hours = np.arange(24.0 * days)
    return hours, np.exp(np.cumsum(e[0])), hours, np.exp(np.cumsum(y))


def test_the_clock_alone_makes_the_leads_that_the_overlap_predicts() -> None:
    days, rho = 4000, 0.9
    pair = common_shock(np.random.default_rng(9), days, rho)
    close = 24.0 * np.arange(1, days - 1) + 20
    table = {
        "close": close,
        "after": np.column_stack([close, close + 4]),
        "before": np.column_stack([close, close - 20]),
    }
    result = clocks(*pair, clocks=table, max_lag=2)
    expected = {
        "close": [0, 0, rho, 0, 0],
        "after": [0, 0, rho * 20 / 24, rho * 4 / 24, 0],
        "before": [0, rho * 20 / 24, rho * 4 / 24, 0, 0],
    }
    for name, truth in expected.items():
        np.testing.assert_allclose(result.at(name).estimate, truth, atol=4 / math.sqrt(days))
    assert result.at("close").lead_test("y").pvalue > 0.001
    assert result.at("after").lead_test("y").pvalue < 1e-6
    assert result.at("before").lead_test("x").pvalue < 1e-6
    x, y = (np.log(pair[i][close.astype(int)]) for i in (1, 3))
    same = cross_correlation(np.diff(x), np.diff(y), max_lag=2)
    assert result.at("close").to_json() == same.to_json()  # type: ignore[union-attr]


def test_reading_as_of_an_instant_looks_back_only() -> None:
    series = Ticks(np.array([1.0, 2.0, 5.0]), np.array([10.0, 20.0, 50.0]), 0)
    values, ages = as_of(series, np.array([0.5, 1.0, 1.9, 2.0, 4.5, 9.0]), max_age=3.0)
    np.testing.assert_array_equal(values, [np.nan, 10.0, 10.0, 20.0, 20.0, np.nan])
    np.testing.assert_allclose(ages, [np.nan, 0.0, 0.9, 0.0, 2.5, 4.0])


def test_stale_readings_can_be_refused_and_are_reported() -> None:
    hours, x, _, y = common_shock(np.random.default_rng(10), 60, 0.5)
    close = 24.0 * np.arange(1, 59) + 20
    session = (hours % 24 >= 15) & (hours % 24 <= 20)
    table = {"close": close, "midnight": close + 4}
    result = clocks(hours[session], x[session], hours, y, clocks=table, max_lag=2)
    assert result.age_x.tolist() == [0.0, 4.0]
    assert result.age_y.tolist() == [0.0, 0.0]
    refused = clock_demonstration(hours[session], x[session], hours, y, clocks=table, max_lag=2, max_age=1.0)
    assert isinstance(refused, Inapplicable)
    assert "midnight" in refused.reason


def hourly(folder: Path) -> tuple[Pair, pd.Series]:
    """Return RUT and Bitcoin with the instants at which each bar ended, and the close of each session."""
    rut, bitcoin = (pd.read_csv(folder / name) for name in ("RUT_1h.csv", "BTC_COINBASE_1h_2025.csv"))
    starts = pd.to_datetime(rut["date"], utc=True), pd.to_datetime(bitcoin["datetime"], utc=True)
    rut = rut[(starts[0] >= starts[1].min()) & (starts[0] <= starts[1].max())]
    opened = starts[0].loc[rut.index]
    # The first bar of a session starts at the half hour; every bar ends at a full hour.
    ended = (opened + pd.Timedelta(minutes=1)).dt.ceil("h").dt.tz_localize(None)
    session = opened.dt.tz_convert("America/New_York").dt.date
    close = ended.groupby(session.to_numpy()).max()
    ended_bitcoin = (starts[1] + pd.Timedelta(hours=1)).dt.tz_localize(None)
    return (ended.to_numpy(), rut["close"].to_numpy(), ended_bitcoin.to_numpy(), bitcoin["close"].to_numpy()), close


def test_on_real_prices_one_clock_fakes_a_lead_that_the_equity_close_does_not_show(shared: Path) -> None:
    folder = shared / "data" / "market" / "hourly"
    if not folder.is_dir():
        pytest.skip("the optional hourly files are not in the folder of reference data")
    pair, close = hourly(folder)
    at = close.to_numpy().astype("datetime64[ns]")
    midnight = at.astype("datetime64[D]").astype("datetime64[ns]")
    day = np.timedelta64(1, "D")
    after = np.column_stack([at, midnight + day])
    table = {"close": at, "after": after, "before": np.column_stack([at, midnight]), "as of midnight": midnight + day}
    result = clocks(*pair, clocks=table, max_lag=3)
    same, before = result.at("close"), result.at("before")
    m = 3
    assert same.estimate[m] > 0.4
    assert (np.abs(same.estimate) > same.band_robust).tolist() == [False] * m + [True] + [False] * m
    # RUT seems to lead Bitcoin by a day, at about 20/24 of the true same-time correlation, by the clock alone.
    assert before.estimate[m - 1] == pytest.approx(same.estimate[m] * 20 / 24, abs=0.1)
    assert abs(before.estimate[m - 1]) > before.band_robust[m - 1]
    assert before.lead_test("x").pvalue < 0.01
    assert same.lead_test("x").pvalue > 0.05
    np.testing.assert_allclose(result.at("as of midnight").estimate, result.at("after").estimate, rtol=1e-12)
    assert result.age_x[3] == pytest.approx(4 * 3600.0, abs=3600.0)
    ticks_found = lagged(*pair, lags=np.arange(-6, 7) * 3600.0, bootstrap=199, rng=np.random.default_rng(1))
    assert ticks_found.lead_time == 0.0
    assert ticks_found.lead_interval == (0.0, 0.0)


def test_inputs_outside_the_contract_are_refused() -> None:
    times, path = np.arange(50.0), np.linspace(1.0, 2.0, 50)
    with pytest.raises(InputError, match="not strictly increasing"):
        hayashi_yoshida(times[::-1], path, times, path)
    with pytest.raises(InputError, match="different shapes"):
        hayashi_yoshida(times, path[1:], times, path)
    with pytest.raises(InputError, match="not positive"):
        hayashi_yoshida(times, path - 1.5, times, path)
    with pytest.raises(InputError, match="different kinds"):
        hayashi_yoshida(times, path, times.astype("datetime64[s]"), path)
    with pytest.raises(InputError, match="no time stamps"):
        hayashi_yoshida(times.astype(str), path, times, path)
    with pytest.raises(InputError, match="missing or infinite"):
        hayashi_yoshida(np.where(times == 3, np.nan, times), path, times, path)
    with pytest.raises(InputError, match="strictly increasing"):
        hayashi_yoshida_lagged(times, path, times, path, lags=[1.0, 0.0])
    with pytest.raises(InputError, match="own generator"):
        hayashi_yoshida_lagged(times, path, times, path, lags=[0.0], bootstrap=9)
    with pytest.raises(InputError, match="out of range"):
        hayashi_yoshida(times, path, times, path, max_gap=0.0)
    with pytest.raises(InputError, match="10 or more"):
        hayashi_yoshida(times, path, times, path, blocks=3)
    with pytest.raises(InputError, match="no clock"):
        clock_demonstration(times, path, times, path, clocks={}, max_lag=1)
    with pytest.raises(InputError, match="increasing columns"):
        clock_demonstration(times, path, times, path, clocks={"a": times[::-1]}, max_lag=1)
    hours = common_shock(np.random.default_rng(1), 40, 0.5)
    known = clocks(*hours, clocks={"a": 24.0 * np.arange(1, 39)}, max_lag=1)
    with pytest.raises(InputError, match="unknown clock"):
        known.at("b")


def test_data_that_allow_no_answer_give_a_reason() -> None:
    rng = np.random.default_rng(1)
    times, path = np.arange(60.0), rng.standard_normal(60)
    assert "too few" in getattr(hayashi_yoshida(times[:10], path[:10], times, path, log=False), "reason", "")
    assert "overlap" in getattr(hayashi_yoshida(times, path, times + 1000, path, log=False), "reason", "")
    assert "does not move" in getattr(hayashi_yoshida(times, path, times, np.ones(60), log=False), "reason", "")


def test_nothing_is_mutated_and_the_same_seed_gives_the_same_bytes() -> None:
    pair = ticks(np.random.default_rng(2), 800, rho=0.5)
    kept = [series.copy() for series in pair]
    hours = common_shock(np.random.default_rng(3), 50, 0.5)
    calls = (
        lambda: hy(*pair, log=False),
        lambda: lagged(*pair, lags=[-1.0, 0.0, 1.0], log=False, bootstrap=99, rng=np.random.default_rng(4)),
        lambda: clocks(*hours, clocks={"close": 24.0 * np.arange(1, 49) + 20}, max_lag=1),
    )
    for call in calls:
        result: Result = call()
        assert call().to_json() == result.to_json()
        assert from_dict(result.to_dict()) == result
    for one, two in zip(pair, kept, strict=True):
        np.testing.assert_array_equal(one, two)
