"""Accuracy with intervals, many models at once, Sharpe ratios and the timing rule."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import SPA, optimal_block_length

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.forecast import (
    block_length,
    deflated_sharpe,
    model_confidence_set,
    oos_r2,
    sharpe_ratio,
    superior_predictive_ability,
    timing_rule,
)
from analysis.stats.forecast.accuracy import RATIO
from analysis.stats.forecast.bootstrap import estimate
from analysis.stats.forecast.bootstrap_kernels import resampled_moments
from analysis.stats.forecast.many import _stationary_variance
from analysis.stats.forecast.sharpe import DIFFERENCE
from analysis.stats.forecast.sharpe import RATIO as SHARPE


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# Blocks and the bootstrap --------------------------------------------------------------------------------------------


def test_block_length_as_published_with_arch() -> None:
    # The documentation of arch: RandomState(0), an autoregression of .3, 10 000 values after 100 to warm up.
    e = np.random.RandomState(0).standard_normal(10_100)
    y = np.zeros_like(e)
    for t in range(1, e.size):
        y[t] = 0.3 * y[t - 1] + e[t]
    assert block_length(y[100:]) == pytest.approx(13.635665, abs=5e-7)
    assert block_length(y[100:], bootstrap="circular") == pytest.approx(15.60894, abs=5e-6)
    assert float(optimal_block_length(y[100:])["circular"].iloc[0]) == block_length(y[100:], bootstrap="circular")


def test_block_length_of_a_constant_and_of_wrong_input() -> None:
    assert block_length(np.ones(100)) == 1.0
    with pytest.raises(InputError, match="every value"):
        block_length([1.0, np.nan, 2.0])
    with pytest.raises(InputError, match="unknown bootstrap"):
        block_length(np.arange(20.0), bootstrap="wild")


def test_resampled_moments_are_those_of_numpy() -> None:
    data, index = rng().standard_normal((50, 3)), rng(1).integers(0, 50, (4, 50))
    means, covariances = np.empty((4, 3)), np.empty((4, 3, 3))
    resampled_moments(data, index, means, covariances)
    for b in range(4):
        np.testing.assert_allclose(means[b], data[index[b]].mean(axis=0), atol=1e-14)
        np.testing.assert_allclose(covariances[b], np.cov(data[index[b]].T, bias=True), atol=1e-14)


@pytest.mark.parametrize("function", [RATIO, SHARPE, DIFFERENCE])
def test_gradients_are_those_of_differences(function) -> None:
    at = np.array([0.9, 0.7, 2.0, 1.9])
    at = at[[0, 2]] if function is SHARPE else at[:2] if function is RATIO else at
    slope = function.gradient(at)
    for i in range(at.size):
        step = np.eye(at.size)[i] * 1e-6
        assert slope[i] == pytest.approx((function.value(at + step) - function.value(at - step)) / 2e-6, rel=1e-6)


def test_an_estimate_without_variation_says_so() -> None:
    assert "variation" in str(estimate(np.ones((50, 2)), RATIO, level=0.95, draws=0, rng=None))


# Out-of-sample R² ----------------------------------------------------------------------------------------------------


def test_oos_r2_and_its_path_by_hand() -> None:
    y = np.array([1.0, -1.0, 2.0, 0.0, 1.0, 3.0, -2.0, 1.0, 0.5, -0.5, 1.5])
    m = 0.5 * y + 0.1
    found = oos_r2(y, np.zeros(11), m)
    saved = y**2 - (y - m) ** 2
    assert found.estimate == pytest.approx(saved.sum() / (y**2).sum())
    assert float(found) == found.estimate
    np.testing.assert_allclose(found.path, np.cumsum(saved))
    assert found.path[-1] == pytest.approx(11 * (found.loss_benchmark - found.loss_model))
    assert found.share_gained == pytest.approx((saved > 0).mean())


def test_oos_r2_of_a_worse_model_is_negative_and_the_interval_repeats() -> None:
    y, noise = rng().standard_normal((2, 400))
    found = oos_r2(y, np.zeros(400), 0.4 * noise, bootstrap=199, rng=rng(1))
    assert found.estimate < 0
    assert found.pvalue > 0.9
    assert found.interval[0] < found.estimate < found.interval[1]
    assert found == oos_r2(y, np.zeros(400), 0.4 * noise, bootstrap=199, rng=rng(1))
    wide = oos_r2(y, np.zeros(400), 0.4 * noise, bootstrap=199, rng=rng(1), level=0.99)
    assert wide.interval[0] < found.interval[0]
    plain = oos_r2(y, np.zeros(400), 0.4 * noise)
    np.testing.assert_allclose(plain.interval, found.interval, atol=0.03)


def test_intervals_of_oos_r2_cover() -> None:
    # Fixed forecasts of a heavy-tailed outcome: the truth is known, 1 - E(y - m)² / E y² with m = .3 s + .2 noise.
    random, inside = rng(5), 0
    truth = 1 - (1 + (0.3 - 0.5) ** 2 + 0.04) / (1 + 0.25)
    for _ in range(150):
        s, noise = random.standard_normal((2, 400))
        y = 0.5 * s + random.standard_t(5, 400) / np.sqrt(5 / 3)
        low, high = oos_r2(y, np.zeros(400), 0.3 * s + 0.2 * noise, bootstrap=99, rng=random).interval
        inside += low <= truth <= high
    assert inside >= 134  # 95 % of 150 less three standard errors


def test_bootstrap_wants_a_generator_and_enough_draws() -> None:
    y = rng().standard_normal((3, 50))
    with pytest.raises(InputError, match="generator"):
        oos_r2(*y, bootstrap=199)
    with pytest.raises(InputError, match="too few bootstrap draws"):
        oos_r2(*y, bootstrap=20, rng=rng())


# Many models ---------------------------------------------------------------------------------------------------------


def losses(better: float = 0.0, n: int = 300) -> np.ndarray:
    random = rng(2)
    y = random.standard_normal(n)
    forecasts = np.column_stack([np.zeros(n), 0.2 * random.standard_normal((n, 3)), better * y])
    return (y[:, None] - forecasts) ** 2


def test_spa_is_that_of_arch_on_studentised_differences() -> None:
    table = losses(0.1)
    found = superior_predictive_ability(table[:, 0], table[:, 1:], bootstrap=199, rng=rng(3), block=4.0)
    gain = table[:, :1] - table[:, 1:]
    peer = SPA(table[:, 0], table[:, 1:], block_size=4, reps=199, seed=rng(3))
    peer.compute()
    np.testing.assert_allclose(
        [_stationary_variance(column, 4.0) for column in gain.T], peer._loss_diff_var, rtol=1e-10
    )
    scaled = SPA(np.zeros(300), -gain / np.sqrt(peer._loss_diff_var), block_size=4, reps=199, seed=rng(3))
    scaled.compute()
    for name, mine in (("lower", found.pvalue_lower), ("consistent", found.pvalue), ("upper", found.pvalue_upper)):
        assert mine == pytest.approx((1 + 199 * scaled.pvalues[name]) / 200)
    assert found.statistic == pytest.approx((np.sqrt(300) * gain.mean(axis=0) / np.sqrt(peer._loss_diff_var)).max())
    assert found.pvalue_lower <= found.pvalue <= found.pvalue_upper


def test_spa_finds_the_better_model_and_not_luck() -> None:
    table = losses(0.3)
    found = superior_predictive_ability(table[:, 0], table[:, 1:], bootstrap=199, rng=rng(), names=["a", "b", "c", "d"])
    assert found.best == "d"
    assert found.pvalue == 1 / 200
    table = losses(0.0)[:, :4]
    assert superior_predictive_ability(table[:, 0], table[:, 1:], bootstrap=199, rng=rng()).pvalue > 0.2


def test_spa_does_not_care_for_the_scale_of_a_poor_model() -> None:
    table = losses(0.1)
    wild = np.column_stack([table, table[:, 0] + 1e4 * rng(8).standard_normal(300) ** 2])
    one = superior_predictive_ability(table[:, 0], table[:, 1:], bootstrap=199, rng=rng(), block=2.0)
    two = superior_predictive_ability(wild[:, 0], wild[:, 1:], bootstrap=199, rng=rng(), block=2.0)
    assert one.pvalue == two.pvalue  # a hopeless model is recentred away


def test_spa_and_confidence_set_with_nothing_to_compare() -> None:
    table = losses()
    same = superior_predictive_ability(table[:, 0], table[:, :1], rng=rng())
    assert isinstance(same, Inapplicable)
    dropped = superior_predictive_ability(table[:, 0], table[:, :2], bootstrap=99, rng=rng())
    assert dropped.names == ("model 2",)
    assert isinstance(model_confidence_set(table[:, [0, 1, 1]], rng=rng()), Inapplicable)
    assert isinstance(superior_predictive_ability(table[:15, 0], table[:15, 1:], rng=rng()), Inapplicable)
    with pytest.raises(InputError, match="bootstrap"):
        superior_predictive_ability(table[:, 0], table[:, 1:], bootstrap=0)
    with pytest.raises(InputError, match="length"):
        superior_predictive_ability(table[1:, 0], table[:, 1:], rng=rng())
    with pytest.raises(InputError, match="distinct"):
        superior_predictive_ability(table[:, 0], table[:, 1:], rng=rng(), names=["a", "a", "b", "c"])


def test_confidence_set_keeps_the_best_and_drops_the_worst() -> None:
    table = np.column_stack([losses(0.3), losses()[:, 0] + 1.0])
    found = model_confidence_set(table, bootstrap=199, rng=rng(), names=list("abcdef"))
    assert "e" in found.included
    assert "f" not in found.included
    assert found.pvalues.max() == 1.0
    assert found.pvalues[5] == 1 / 200
    holed = table.copy()
    holed[3, 2] = np.nan
    assert model_confidence_set(holed, bootstrap=99, rng=rng()).nobs_lost == 1


# Sharpe ratios -------------------------------------------------------------------------------------------------------


def test_sharpe_ratio_has_the_error_of_lo() -> None:
    r = rng().standard_normal(4000) * 0.02 + 0.001
    found = sharpe_ratio(r, periods_per_year=250)
    assert found.estimate == pytest.approx(np.sqrt(250) * r.mean() / r.std())
    # Independent normal returns: variance (1 + SR² / 2) / n.
    ratio = r.mean() / r.std()
    width = 2 * 1.959964 * np.sqrt(250 * (1 + ratio**2 / 2) / 4000)
    assert found.interval[1] - found.interval[0] == pytest.approx(width, rel=0.05)


def test_sharpe_ratios_of_the_same_asset_at_two_leverages_are_equal() -> None:
    r, other = rng().standard_normal((2, 500))
    mixed = sharpe_ratio(2 * r + 0.2, other + 0.1, periods_per_year=1)
    single = [sharpe_ratio(v, periods_per_year=1).estimate for v in (2 * r + 0.2, other + 0.1)]
    assert mixed.estimate == pytest.approx(single[0] - single[1])
    assert isinstance(sharpe_ratio(r + 0.1, 3 * (r + 0.1)), Inapplicable)
    assert "do not vary" in sharpe_ratio(np.ones(50)).reason


def test_deflated_sharpe_as_published() -> None:
    # Bailey and López de Prado (2014), the example of section "numerical example".
    case = {"nobs": 1250, "trial_variance": 0.5 / 250, "skewness": -3.0, "kurtosis": 10.0}
    found = deflated_sharpe(2.5 / np.sqrt(250), trials=100, **case)
    assert found.hurdle == pytest.approx(0.1132, abs=5e-5)
    assert found.probability == pytest.approx(0.9004, abs=5e-5)
    assert found.pvalue == pytest.approx(1 - found.probability)
    assert deflated_sharpe(2.5 / np.sqrt(250), trials=46, **case).probability == pytest.approx(0.9505, abs=5e-5)


def test_one_trial_is_the_probabilistic_ratio_and_more_trials_raise_the_bar() -> None:
    single = deflated_sharpe(0.1, nobs=401, trials=1)
    assert single.hurdle == 0.0
    assert single.statistic == pytest.approx(0.1 * 20 / np.sqrt(1 + 0.5 * 0.01))
    hurdles = [deflated_sharpe(0.1, nobs=401, trials=k, trial_variance=0.01).hurdle for k in (2, 10, 100)]
    assert hurdles == sorted(hurdles)
    best = rng().standard_normal((4000, 100)).max(axis=1).mean()
    assert 10 * hurdles[2] == pytest.approx(best, rel=0.02)
    for wrong in ({"trials": 0}, {"trials": 5, "trial_variance": -1.0}, {"trials": 5, "kurtosis": 0.5}):
        with pytest.raises(InputError):
            deflated_sharpe(0.1, nobs=100, **wrong)
    assert isinstance(deflated_sharpe(0.5, nobs=100, trials=2, skewness=3.0, kurtosis=1.0), Inapplicable)


# The timing rule -----------------------------------------------------------------------------------------------------


def test_timing_rule_by_hand() -> None:
    r = np.tile([0.10, -0.05, 0.02, -0.01], 20)
    signal = np.tile([1.0, -1.0, 1.0, 1.0], 20)
    found = timing_rule(r, signal, cost_bp=50, log_returns=False, periods_per_year=1, risk_aversion=2.0)
    traded = np.tile([0, 1, 1, 0.0], 20)
    traded[0] = 1.0
    net = np.tile([0.10, 0.0, 0.02, -0.01], 20) - 0.005 * traded
    hold = r.copy()
    hold[0] -= 0.005
    np.testing.assert_allclose(found.net, net, atol=1e-15)
    np.testing.assert_allclose(found.hold, hold, atol=1e-15)
    assert found.exposure == 0.75
    assert found.turnover == pytest.approx(41 / 80)
    assert found.sharpe == pytest.approx(net.mean() / net.std())
    assert found.hold_sharpe == pytest.approx(hold.mean() / hold.std())
    assert found.estimate == pytest.approx(found.sharpe - found.hold_sharpe)
    assert found.ce_gain == pytest.approx(net.mean() - net.var() - (hold.mean() - hold.var()))
    assert found.ce_gain_matched == pytest.approx(net.mean() - net.var() - (0.75 * r.mean() - 0.5625 * r.var()))
    even = timing_rule(r, signal, cost_bp=found.break_even_bp, log_returns=False, periods_per_year=1)
    assert even.mean == pytest.approx(even.hold_mean)
    wealth = np.cumprod(1 + hold)
    assert found.hold_drawdown == pytest.approx(1 - (wealth / np.maximum.accumulate(wealth)).min())


def test_short_side_delay_and_log_returns() -> None:
    r = 0.01 * rng().standard_normal(200)
    f = rng(1).standard_normal(200)
    both = timing_rule(r, f, short=True, cost_bp=0)
    np.testing.assert_allclose(both.net, np.sign(f) * np.expm1(r), atol=1e-15)
    late = timing_rule(r, f, delay=1, cost_bp=0)
    np.testing.assert_allclose(late.net, (f[:-1] > 0) * np.expm1(r[1:]), atol=1e-15)
    assert late.nobs_lost == 1
    # A reversal from long to short trades twice the capital.
    assert timing_rule(r, np.tile([1.0, -1.0], 100), short=True).turnover == pytest.approx(252 * 399 / 200)


def test_costs_only_ever_hurt_and_perfect_foresight_pays() -> None:
    r = 0.02 * rng().standard_normal(400)
    f = rng(1).standard_normal(400)
    means = [timing_rule(r, f, cost_bp=cost).mean for cost in (0, 10, 25, 100)]
    assert means == sorted(means, reverse=True)
    seer = timing_rule(r, r, cost_bp=10, bootstrap=199, rng=rng())
    assert seer.pvalue == 1 / 200
    assert seer.interval[0] > 0
    assert seer.deflated(trials=100, trial_variance=0.002).probability > 0.99
    assert seer == timing_rule(r, r, cost_bp=10, bootstrap=199, rng=rng())


def test_holding_less_is_not_skill() -> None:
    # Half of the time in a volatile asset without drift, at random: a certainty-equivalent gain and nothing else.
    random, gains, rejected = rng(9), [], 0
    for _ in range(100):
        r = 0.05 * random.standard_normal(500)
        found = timing_rule(r, random.standard_normal(500), cost_bp=0, log_returns=False, bootstrap=99, rng=random)
        gains.append((found.ce_gain, found.ce_gain_matched))
        rejected += found.pvalue <= 0.05
    outright, matched = np.mean(gains, axis=0)
    assert outright > 0.3
    # Being half invested at random is worse than half a holding: the same mean, more variance.
    assert matched == pytest.approx(-0.25 * 0.0025 * 252 * 1.5, abs=0.1)
    assert rejected <= 12


def test_a_rule_that_never_trades_and_wrong_options() -> None:
    r = rng().standard_normal(100)
    assert "all the time" in timing_rule(r, np.ones(100)).reason
    assert "60 are needed" in timing_rule(r[:50], r[:50]).reason
    with pytest.raises(InputError, match="cost_bp"):
        timing_rule(r, r, cost_bp=-1)
    with pytest.raises(InputError, match="differ in length"):
        timing_rule(r, r[1:])
    with pytest.raises(InputError, match="delay"):
        timing_rule(r, r, delay=-1)
    with pytest.raises(InputError, match="periods_per_year"):
        timing_rule(r, r, periods_per_year=0)
    holed = r.copy()
    holed[5] = np.nan
    assert timing_rule(holed / 100, r).nobs_lost == 1
