"""Tail dependence: closed forms, independent counts, the t copula fit, symmetry tests, contracts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.tails import (
    TailAsymmetryResult,
    TailDependenceResult,
    clayton_tail_dependence,
    delta_covar,
    gumbel_tail_dependence,
    t_copula_tail_dependence,
    tail_asymmetry,
    tail_dependence,
)
from analysis.stats.tails.copula import fit_t_copula, joint_tail, log_density, weighted_fits
from analysis.stats.tails.resample import (
    block_weights,
    cautious_interval,
    centred_pvalue,
    percentile_interval,
    ranks,
    symmetric_interval,
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def t_pair(n: int, rho: float = 0.4, nu: float = 5.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    draw = rng(seed)
    normal = draw.standard_normal((n, 2)) @ np.linalg.cholesky([[1.0, rho], [rho, 1.0]]).T
    x, y = (normal / np.sqrt(draw.chisquare(nu, n) / nu)[:, None]).T
    return x, y


def clayton_pair(n: int, theta: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    draw = rng(seed)
    u, v = ((1.0 + draw.exponential(size=(n, 2)) / draw.gamma(1.0 / theta, size=n)[:, None]) ** (-1.0 / theta)).T
    return u, v


# Closed forms (Demarta and McNeil 2005, equation 5; Joe 1997), to ten printed digits.
@pytest.mark.parametrize(
    ("rho", "nu", "value"), [(0.5, 4, 0.2531699951), (0.3, 3, 0.2161194287), (0.0, 4, 0.0755868184)]
)
def test_tail_dependence_of_the_t_copula_hits_its_closed_form(rho: float, nu: float, value: float) -> None:
    assert t_copula_tail_dependence(rho, nu) == pytest.approx(value, abs=5e-11)


def test_archimedean_closed_forms() -> None:
    assert clayton_tail_dependence(2) == pytest.approx(0.7071067812, abs=5e-11)
    assert gumbel_tail_dependence(2) == pytest.approx(0.5857864376, abs=5e-11)
    assert gumbel_tail_dependence(1) == 0.0


@pytest.mark.parametrize(("rho", "nu"), [(0.5, 4.0), (-0.3, 3.0), (0.0, 8.0)])
def test_joint_tail_tends_to_the_tail_dependence(rho: float, nu: float) -> None:
    gaps = [abs(joint_tail(rho, share, nu) - t_copula_tail_dependence(rho, nu)) for share in (1e-2, 1e-4, 1e-7)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 2e-3


@pytest.mark.parametrize("rho", [-0.7, 0.0, 0.5, 0.9])
def test_joint_tail_of_a_gaussian_copula_is_that_of_scipy(rho: float) -> None:
    edge = stats.norm.ppf(0.07)
    both = stats.multivariate_normal(cov=[[1, rho], [rho, 1]]).cdf([edge, edge])
    assert joint_tail(rho, 0.07) == pytest.approx(both / 0.07, rel=1e-6)
    assert joint_tail(rho, 0.07, nu=1e6) == pytest.approx(both / 0.07, rel=1e-4)


def test_log_density_is_the_ratio_of_the_joint_density_to_its_margins() -> None:
    u, v = rng().random((2, 50))
    a, b = stats.t.ppf([u, v], 3.5)
    joint = stats.multivariate_t(shape=[[1, 0.6], [0.6, 1]], df=3.5).logpdf(np.column_stack([a, b]))
    expected = joint - stats.t.logpdf(a, 3.5) - stats.t.logpdf(b, 3.5)
    np.testing.assert_allclose(log_density(u, v, 0.6, 3.5), expected, rtol=1e-9, atol=1e-11)


def test_the_fit_is_a_maximum_and_recovers_its_parameters() -> None:
    x, y = t_pair(4000, 0.5, 4.0)
    u, v = (stats.rankdata(item) - 0.5 for item in (x, y))
    fit = fit_t_copula(u / 4000, v / 4000)
    assert fit.rho == pytest.approx(0.5, abs=0.05)
    assert fit.nu == pytest.approx(4.0, abs=1.0)
    best = float(log_density(u / 4000, v / 4000, fit.rho, fit.nu).sum())
    assert best == pytest.approx(fit.loglikelihood, rel=1e-10)
    for rho, nu in (
        (fit.rho + 0.01, fit.nu),
        (fit.rho - 0.01, fit.nu),
        (fit.rho, fit.nu * 1.1),
        (fit.rho, fit.nu / 1.1),
    ):
        assert float(log_density(u / 4000, v / 4000, rho, nu).sum()) < best
    assert fit.loglikelihood > fit.gaussian_loglikelihood


def test_fits_of_weighted_samples_equal_exact_fits_of_the_written_out_samples() -> None:
    x, y = t_pair(900)
    orders = np.argsort(x), np.argsort(y)
    weights = next(block_weights(900, 3, 20.0, rng()))
    found = weighted_fits(orders, weights)
    for row, (rho, nu) in zip(weights, found, strict=True):
        copies = np.repeat(np.arange(900), row)
        exact = fit_t_copula(*(ranks(order, row[None, :])[0][copies] for order in orders))
        assert rho == pytest.approx(exact.rho, abs=2e-3)
        assert 1 / nu == pytest.approx(1 / exact.nu, abs=4e-3)


def test_ranks_of_a_weighted_sample_are_mid_ranks_of_the_written_out_sample() -> None:
    values = rng().standard_normal(60)
    weights = next(block_weights(60, 4, 5.0, rng()))
    for row in weights:
        copies = np.repeat(values, row)
        expected = (stats.rankdata(copies) - 0.5) / copies.size
        found = ranks(np.argsort(values), row[None, :])[0]
        np.testing.assert_allclose(np.repeat(found, row), expected, rtol=1e-12)
        assert ((found > 0) & (found < 1)).all()


def test_block_weights_keep_the_sample_size_and_lay_blocks() -> None:
    weights = np.vstack(list(block_weights(500, 40, 25.0, rng())))
    assert weights.shape == (40, 500)
    assert (weights.sum(axis=1) == 500).all()
    independent = np.vstack(list(block_weights(500, 40, 1.0, rng())))

    def neighbours(rows: np.ndarray) -> float:
        return float(np.mean([np.corrcoef(row[:-1], row[1:])[0, 1] for row in rows]))

    assert neighbours(weights) > 0.8
    assert abs(neighbours(independent)) < 0.1


def test_nonparametric_estimate_counts_joint_extremes() -> None:
    x, y = t_pair(1000)
    u, v = stats.rankdata(x), stats.rankdata(y)
    lower = np.sum((u <= 100) & (v <= 100)) / 100
    upper = np.sum((u > 900) & (v > 900)) / 100
    for tail, expected in (("lower", lower), ("upper", upper)):
        result = tail_dependence(x, y, tail=tail)
        assert isinstance(result, TailDependenceResult)
        assert result.estimate == pytest.approx(expected, abs=1e-12)
        assert result.warnings
    both = tail_asymmetry(x, y, bootstrap=99, rng=rng())
    assert isinstance(both, TailAsymmetryResult)
    np.testing.assert_allclose(both.dependence, [lower, upper], atol=1e-12)
    assert both.estimate == pytest.approx(lower - upper, abs=1e-12)


def test_estimate_is_near_the_closed_form_of_a_clayton_copula() -> None:
    u, v = clayton_pair(20_000, 2.0)
    share = 0.05
    exact = (2 * share**-2.0 - 1) ** -0.5 / share
    result = tail_dependence(u, v, share=share)
    assert not isinstance(result, Inapplicable)
    assert result.estimate == pytest.approx(exact, abs=0.04)
    assert result.estimate == pytest.approx(clayton_tail_dependence(2.0), abs=0.05)


def test_bootstrap_of_the_nonparametric_estimate_tells_excess_from_correlation() -> None:
    heavy = tail_dependence(*t_pair(3000, 0.3, 2.0), bootstrap=99, rng=rng(), share=0.05)
    normal = rng(3).standard_normal((3000, 2)) @ np.linalg.cholesky([[1.0, 0.7], [0.7, 1.0]]).T
    light = tail_dependence(normal[:, 0], normal[:, 1], bootstrap=99, rng=rng(), share=0.05)
    assert not isinstance(heavy, Inapplicable)
    assert not isinstance(light, Inapplicable)
    assert heavy.pvalue == pytest.approx(0.01)
    assert light.pvalue > 0.05
    assert light.estimate is not None
    assert light.estimate > 0.3


def test_t_copula_interval_holds_the_truth_and_the_degrees_of_freedom() -> None:
    result = tail_dependence(*t_pair(2500, 0.5, 4.0), method="t-copula", bootstrap=99, rng=rng())
    assert not isinstance(result, Inapplicable)
    assert result.interval is not None
    assert result.nu_interval is not None
    assert result.interval[0] < t_copula_tail_dependence(0.5, 4.0) < result.interval[1]
    assert result.nu_interval[0] < 4.0 < result.nu_interval[1]
    assert result.pvalue < 1e-6
    assert "degrees of freedom" in result.summary()


def test_a_gaussian_sample_is_said_not_to_be_told_apart() -> None:
    normal = rng(3).standard_normal((1500, 2))
    result = tail_dependence(normal[:, 0], normal[:, 1], method="t-copula")
    assert not isinstance(result, Inapplicable)
    assert result.pvalue > 0.05
    assert result.estimate is not None
    assert result.estimate < 0.01


def test_turning_both_series_over_swaps_the_tails() -> None:
    x, y = clayton_pair(800, 1.0)
    one = tail_asymmetry(x, y, bootstrap=49, rng=rng())
    other = tail_asymmetry(-x, -y, bootstrap=49, rng=rng())
    assert isinstance(one, TailAsymmetryResult)
    assert isinstance(other, TailAsymmetryResult)
    assert one.estimate == pytest.approx(-other.estimate, abs=1e-12)  # type: ignore[operator]
    np.testing.assert_allclose(one.dependence, other.dependence[::-1], atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 5.0))
def test_only_ranks_matter(seed: int, power: float) -> None:
    x, y = t_pair(200, seed=seed)
    plain = tail_asymmetry(x, y, bootstrap=19, rng=rng())
    bent = tail_asymmetry(np.sign(x) * np.abs(x) ** power, np.exp(y / 3), bootstrap=19, rng=rng())
    assert isinstance(plain, TailAsymmetryResult)
    assert isinstance(bent, TailAsymmetryResult)
    assert plain.estimate == bent.estimate
    assert plain.pvalue == bent.pvalue


def test_symmetry_is_kept_under_clustered_volatility_and_rejected_under_clayton() -> None:
    draws, rejected = 60, [0, 0]
    for seed in range(draws):
        x, y = t_pair(500, seed=seed)
        volatility = np.exp(np.sin(np.arange(500) / 40))
        u, v = clayton_pair(500, 1.5, seed=seed)
        for i, (a, b) in enumerate(((x * volatility, y * volatility), (u, v))):
            result = tail_asymmetry(a, b, bootstrap=99, rng=rng(seed))
            assert isinstance(result, TailAsymmetryResult)
            rejected[i] += result.pvalue <= 0.05
    assert rejected[0] <= 0.05 * draws + 3 * math.sqrt(draws * 0.05 * 0.95)
    assert rejected[1] >= 0.9 * draws


def test_rows_with_gaps_are_left_out() -> None:
    x, y = t_pair(400)
    holes = x.copy()
    holes[::10] = np.nan
    keep = np.isfinite(holes)
    gapped, dense = tail_dependence(holes, y), tail_dependence(x[keep], y[keep])
    assert not isinstance(gapped, Inapplicable)
    assert not isinstance(dense, Inapplicable)
    assert gapped.estimate == dense.estimate
    assert (gapped.nobs, gapped.nobs_lost) == (360, 40)


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (np.arange(50.0), np.arange(50.0) ** 2, "fewer than 100"),
        (np.zeros(200), np.arange(200.0), "constant or repeats"),
        (np.where(np.arange(200) % 4, 0.0, np.arange(200.0)), np.arange(200.0) % 7 + np.arange(200.0), "repeats"),
        (np.sin(np.arange(200.0)), -2 * np.sin(np.arange(200.0)) + 1, "linear function"),
    ],
)
def test_data_that_cannot_be_used_say_why(x: np.ndarray, y: np.ndarray, reason: str) -> None:
    for result in (
        tail_dependence(x, y),
        tail_dependence(x, y, method="t-copula"),
        tail_asymmetry(x, y, bootstrap=19, rng=rng()),
    ):
        assert isinstance(result, Inapplicable)
        assert reason in result.reason


def test_a_thin_tail_is_refused() -> None:
    result = tail_asymmetry(*t_pair(300), share=0.01, bootstrap=19, rng=rng())
    assert isinstance(result, Inapplicable)
    assert "only 3 in a tail of 1%" in result.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tail": "left"}, "unknown tail"),
        ({"method": "gumbel"}, "unknown method"),
        ({"share": 0.5}, "share is a share"),
        ({"share": True}, "share is a share"),
        ({"bootstrap": 5, "rng": rng()}, "too few bootstrap draws"),
        ({"bootstrap": 99}, "needs its own generator"),
        ({"level": 1.0}, "confidence level"),
        ({"block": 0.5}, "mean number of rows"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        tail_dependence(*t_pair(200), **options)  # type: ignore[arg-type]


def test_wrong_arrays_and_parameters_are_refused() -> None:
    x, y = t_pair(200)
    with pytest.raises(InputError, match="wrong shape"):
        tail_dependence(x, y[:-1])
    with pytest.raises(InputError, match="infinite value"):
        tail_asymmetry(np.r_[np.inf, x[1:]], y, bootstrap=19, rng=rng())
    with pytest.raises(InputError, match="needs bootstrap draws"):
        tail_asymmetry(x, y, bootstrap=0)
    with pytest.raises(InputError, match="between -1 and 1"):
        t_copula_tail_dependence(1.0, 4)
    with pytest.raises(InputError, match="degrees of freedom"):
        t_copula_tail_dependence(0.5, 0)
    with pytest.raises(InputError, match="Clayton"):
        clayton_tail_dependence(0)
    with pytest.raises(InputError, match="Gumbel"):
        gumbel_tail_dependence(0.9)
    with pytest.raises(InputError, match="share is a probability"):
        joint_tail(0.5, 0.0)


def test_the_same_generator_gives_the_same_bytes_and_arguments_stay_as_they_are() -> None:
    x, y = t_pair(300)
    before = x.copy(), y.copy()
    for method in ("nonparametric", "t-copula"):
        one = tail_dependence(x, y, method=method, bootstrap=29, rng=rng())
        assert one.to_json() == tail_dependence(x, y, method=method, bootstrap=29, rng=rng()).to_json()
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


def test_pvalue_and_interval_of_draws() -> None:
    draws = np.array([0.8, 1.0, 1.2, 2.5])
    assert centred_pvalue(draws, 1.0) == pytest.approx(2 / 5)
    assert percentile_interval(draws, 3.0, 0.5)[1] == 3.0
    assert symmetric_interval(draws, 1.0, 1.0) == pytest.approx((-0.5, 2.5))
    assert cautious_interval(np.array([0.1, 0.2, 0.5]), 0.15, 0.9) == pytest.approx((0.0, 0.47))
    assert delta_covar.__module__ == "analysis.stats.tails.covar"
