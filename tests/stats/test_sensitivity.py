"""Log ratios of volatility and illiquidity: closed forms, naive recomputation, gaps, size and power."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats import smooth_means as sm
from analysis.stats.sensitivity import amihud_illiquidity, illiquidity_ratio, volatility_ratio


def pair(n: int = 400, seed: int = 5, correlation: float = 0.85) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    common, own = rng.standard_t(6, n), rng.standard_t(6, n)
    return common, correlation * common + math.sqrt(1 - correlation**2) * own


def garch_pair(rng: np.random.Generator, n: int, burn: int = 200) -> np.ndarray:
    """Draw two correlated GARCH(1,1) series, each with a variance of its own, Student t with 7 degrees."""
    normal = rng.standard_normal((n + burn, 2)) @ np.linalg.cholesky(np.array([[1.0, 0.85], [0.85, 1.0]])).T
    shocks = normal / np.sqrt(rng.chisquare(7, (n + burn, 2)) / 5)
    h, out = np.ones(2), np.empty((n + burn, 2))
    for t, shock in enumerate(shocks):
        out[t] = shock * np.sqrt(h)
        h = 0.03 + 0.06 * out[t] ** 2 + 0.91 * h
    return out[burn:]


def test_whole_sample_ratio_is_the_ratio_of_variances() -> None:
    x, y = pair()
    result = volatility_ratio(3 * x, y, period=None)
    assert result.estimate == pytest.approx(math.log(np.var(3 * x) / np.var(y)), rel=1e-12)
    assert result.ratio == pytest.approx(np.std(3 * x) / np.std(y), rel=1e-12)
    assert (result.first, result.second) == pytest.approx((np.std(3 * x), np.std(y)))


def test_typical_month_is_the_mean_of_monthly_log_ratios() -> None:
    x, y = pair(430)
    result = volatility_ratio(x, y)
    # 430 = 20 months and 10 rows: the oldest rows are left out.
    a, b = (((series - series.mean()) ** 2)[10:].reshape(20, 21).mean(axis=1) for series in (x, y))
    assert result.estimate == pytest.approx(np.log(a / b).mean(), rel=1e-12)
    assert result.first == pytest.approx(math.exp(np.log(a).mean() / 2), rel=1e-12)
    assert result.first / result.second == pytest.approx(result.ratio, rel=1e-12)
    assert result.options["periods"] == 20
    assert result.nobs == 420


def test_standard_error_is_that_of_cosine_weights_written_out() -> None:
    x, y = pair(300)
    result = volatility_ratio(x, y, period=None)
    u, v = (x - x.mean()) ** 2 / x.var(), (y - y.mean()) ** 2 / y.var()
    influence, n = u - v, 300
    count = int(0.4 * n ** (2 / 3))
    t = np.arange(1, n + 1)
    waves = [math.sqrt(2 / n) * np.sum(influence * np.cos(math.pi * j * (t - 0.5) / n)) for j in range(1, count + 1)]
    error = math.sqrt(np.mean(np.square(waves)) / n)
    assert result.df == (count,)
    assert result.statistic == pytest.approx(result.estimate / error, rel=1e-9)
    assert result.pvalue == pytest.approx(2 * stats.t.sf(abs(result.statistic), count), rel=1e-12)


def test_bootstrap_ratios_equal_a_naive_resample() -> None:
    data = np.abs(np.column_stack(pair(61))) + 0.1
    data[[10, 11, 40]] = np.nan

    def curve(means: np.ndarray) -> np.ndarray:
        return np.log(means[..., 0]) - np.log(means[..., 1])

    def slope(means: np.ndarray) -> np.ndarray:
        return np.stack([1 / means[..., 0], -1 / means[..., 1]], axis=-1)

    fit = sm.smooth_value(data, curve, slope)
    assert not isinstance(fit, str)
    ratios = sm.block_draws(fit, curve, slope, block=7, draws=4, rng=np.random.default_rng(3))
    starts = np.random.default_rng(3).integers(0, 61, size=(4, 9))
    for draw in range(4):
        blocks = [data[(start + np.arange(7)) % 61] for start in starts[draw]]
        rows = np.concatenate(blocks)
        used = np.isfinite(rows[:, 0])
        means = rows[used].mean(axis=0)
        sums = [np.nansum((block - means) * slope(means)) for block in blocks]
        error = math.sqrt(np.sum(np.square(sums))) / used.sum()
        assert ratios[draw] == pytest.approx(abs(curve(means) - fit.value) / error, rel=1e-9)


def test_missing_rows_keep_their_place_in_time() -> None:
    x, y = pair(300)
    gappy = x.copy()
    gappy[100:160] = np.nan
    fit = sm.smooth_value(gappy[:, None] ** 2, sm.level_of, sm.unit_slope)
    assert not isinstance(fit, str)
    assert len(fit.influence) == 300
    assert np.all(fit.influence[100:160] == 0)
    squeezed = sm.smooth_value(gappy[np.isfinite(gappy)][:, None] ** 2, sm.level_of, sm.unit_slope)
    assert fit.value == pytest.approx(squeezed.value)
    assert fit.error != pytest.approx(squeezed.error, rel=1e-6)
    result = volatility_ratio(gappy, y, period=None)
    assert (result.nobs, result.nobs_lost) == (240, 60)


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-6, 1e6), shift=st.floats(-10, 10), period=st.sampled_from([None, 21]))
def test_scale_moves_the_log_ratio_and_nothing_else(scale: float, shift: float, period: int | None) -> None:
    x, y = pair()
    base, moved = volatility_ratio(x, y, period=period), volatility_ratio(scale * (x + shift), y, period=period)
    assert moved.estimate == pytest.approx(base.estimate + 2 * math.log(scale), abs=1e-8)
    width = base.interval[1] - base.interval[0]
    assert moved.interval[1] - moved.interval[0] == pytest.approx(width, rel=1e-6)


@pytest.mark.parametrize("period", [None, 21])
def test_swapping_the_series_turns_the_sign(period: int | None) -> None:
    x, y = pair()
    one, two = volatility_ratio(x, y, period=period), volatility_ratio(y, x, period=period)
    assert one.statistic == pytest.approx(-two.statistic, rel=1e-9)
    assert one.pvalue == pytest.approx(two.pvalue, rel=1e-9)
    assert one.ratio == pytest.approx(1 / two.ratio, rel=1e-9)


def test_a_correlated_pair_is_told_apart_where_two_intervals_would_not() -> None:
    x, y = pair(1500, correlation=0.95)
    result = volatility_ratio(1.1 * x, y)
    assert result.pvalue < 0.01
    assert result.ratio_lower < 1.1 < result.ratio_upper


def test_size_of_the_typical_month_and_of_the_whole_sample() -> None:
    """The monthly version keeps its size where variances cluster; the whole-sample version is known not to."""
    rng = np.random.default_rng(17)
    rejections = np.zeros(2)
    for _ in range(120):
        x, y = garch_pair(rng, 600).T
        rejections += [volatility_ratio(x, y).pvalue < 0.05, volatility_ratio(x, y, period=None).pvalue < 0.05]
    share = rejections / 120
    assert share[0] <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 120)
    assert share[1] > 0.12


def test_power_of_the_typical_month() -> None:
    rng = np.random.default_rng(18)
    found = [volatility_ratio(1.5 * x, y).pvalue < 0.05 for x, y in (garch_pair(rng, 1200).T for _ in range(25))]
    assert np.mean(found) > 0.9


def test_illiquidity_by_hand() -> None:
    returns = np.full(60, 0.01)
    returns[::2] = -0.02
    value = np.full(60, 2e9)
    value[::2] = 1e9
    result = amihud_illiquidity(returns, value)
    # |1 %| over 2 billion and |2 %| over 1 billion: 0.5 and 2 percent a billion.
    assert result.estimate == pytest.approx(1.25)
    assert result.interval[0] < 1.25 < result.interval[1]


def test_days_without_a_trade_are_left_out_and_counted() -> None:
    x, _ = pair(200)
    value = np.full(200, 1e9)
    value[[5, 6, 7]] = 0.0
    result = amihud_illiquidity(x / 100, value)
    assert (result.nobs, result.nobs_lost) == (197, 3)
    keep = value > 0
    assert result.estimate == pytest.approx(np.mean(np.abs(x[keep])))
    with pytest.raises(InputError, match="negative"):
        amihud_illiquidity(x / 100, -value)


def test_illiquidity_ratio_is_not_ruled_by_the_years_of_thin_trade() -> None:
    """Illiquidity falls a hundredfold; the first security is twice as illiquid in every month but the first dozen."""
    n = 21 * 120
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((2, n)) / 100
    trend = np.exp(np.linspace(0, math.log(100), n))
    early = np.arange(n) < 21 * 12
    value_y = 1e8 * trend
    value_x = value_y / np.where(early, 40.0, 2.0)
    result = illiquidity_ratio(x, value_x, y, value_y)
    whole = amihud_illiquidity(x, value_x).estimate / amihud_illiquidity(y, value_y).estimate
    assert whole > 15
    assert 2 < result.ratio < 3.3
    assert result.pvalue < 0.02


def test_illiquidity_ratio_in_closed_form() -> None:
    x, _ = pair(21 * 30)
    result = illiquidity_ratio(x / 100, np.full(x.size, 1e9), x / 100, 1e9 * (1 + 0.1 * (np.arange(x.size) % 2)))
    odd, moves = np.arange(x.size) % 2, np.abs(x)
    months = [m.reshape(30, 21).mean(axis=1) for m in (moves, moves / (1 + 0.1 * odd))]
    assert result.estimate == pytest.approx(np.log(months[0] / months[1]).mean(), rel=1e-12)


def test_half_empty_months_are_left_out() -> None:
    x, y = pair(21 * 30)
    gappy = x.copy()
    gappy[: 21 * 3] = np.nan
    gappy[21 * 5 : 21 * 5 + 10] = np.nan
    assert volatility_ratio(gappy, y).options["periods"] == 27
    gappy[21 * 5 : 21 * 5 + 11] = np.nan
    assert volatility_ratio(gappy, y).options["periods"] == 26


def test_data_that_allow_no_test_are_inapplicable() -> None:
    x, y = pair()
    assert "too few" in volatility_ratio(x[:40], y[:40]).reason
    assert "too few" in volatility_ratio(x[:200], y[:200]).reason
    assert "constant" in volatility_ratio(x, np.ones(400)).reason
    assert "alike" in volatility_ratio(x, x, period=None).reason
    assert isinstance(volatility_ratio(x, x), Inapplicable)
    assert isinstance(amihud_illiquidity(x, np.zeros(400)), Inapplicable)
    assert isinstance(illiquidity_ratio(x, np.zeros(400), y, np.ones(400)), Inapplicable)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"level": 1.0}, "confidence level"),
        ({"bootstrap": 10}, "generator"),
        ({"period": 1}, "period"),
        ({"block": 0}, "block"),
    ],
)
def test_wrong_options_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        volatility_ratio(*pair(), **changes)


def test_wrong_shapes_are_refused() -> None:
    x, y = pair()
    with pytest.raises(InputError, match="y has the wrong shape"):
        volatility_ratio(x, y[:-1])
    with pytest.raises(InputError, match="infinite"):
        volatility_ratio(np.where(x > 2, np.inf, x), y)
    with pytest.raises(InputError, match="different lengths"):
        illiquidity_ratio(x, np.ones(400), y[:-1], np.ones(399))


def test_bootstrap_agrees_with_the_t_law_on_independent_data() -> None:
    rng = np.random.default_rng(21)
    x, y = rng.standard_normal((2, 21 * 60))
    result = volatility_ratio(1.06 * x, y, bootstrap=999, rng=np.random.default_rng(1))
    assert result.bootstrap_pvalue == pytest.approx(result.pvalue, abs=0.05)
    again = volatility_ratio(1.06 * x, y, bootstrap=999, rng=np.random.default_rng(1))
    assert again == result


def test_real_small_caps_are_more_volatile_and_less_liquid(shared) -> None:  # type: ignore[no-untyped-def]
    import pandas as pd

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(shared / "data" / "market" / f"{name}.csv", index_col=0, parse_dates=True)["2014-09-17":]

    small, large = read("IWM"), read("SPY")
    r = [np.log(frame["close"]).diff().to_numpy() for frame in (small, large)]
    volatility = volatility_ratio(*r)
    assert 1.2 < volatility.ratio < 1.6
    value = [(frame["close"] * frame["volume"]).to_numpy() for frame in (small, large)]
    illiquidity = illiquidity_ratio(r[0], value[0], r[1], value[1])
    assert 6 < illiquidity.ratio < 13
