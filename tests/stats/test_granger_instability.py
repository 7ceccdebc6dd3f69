"""Definitions by brute force, limit distributions against exact and published values, size and power over time."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.granger import granger_test
from analysis.stats.granger_instability import InstabilityResult, instability_robust_granger, split_range
from analysis.stats.granger_instability_simulate import simulate
from analysis.stats.granger_instability_table import (
    MAX_COEFFICIENTS,
    QUANTILES,
    STATISTICS,
    SURVIVAL,
    asymptotic_pvalue,
    critical_value,
)


def _run(y: np.ndarray, x: np.ndarray, **options: object) -> InstabilityResult:
    result = instability_robust_granger(y, x, **options)  # type: ignore[arg-type]
    assert isinstance(result, InstabilityResult), result.summary()
    return result


def _design(y: np.ndarray, x: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.arange(p, len(y))
    own = np.column_stack([np.ones(len(rows))] + [y[rows - j] for j in range(1, p + 1)])
    return y[rows], own, np.column_stack([x[rows - j] for j in range(1, p + 1)])


# --- the statistics by brute force ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cov", ["HC0", "nonrobust"])
def test_statistics_follow_their_definition(cov: str) -> None:
    rng = np.random.default_rng(1)
    y, x = rng.standard_t(6, (2, 90))
    p = 2
    response, own, tested = _design(y, x, p)
    n = len(response)
    wald = []
    for split in range(round(0.15 * n), round(0.85 * n) + 1):
        before = (np.arange(n) < split)[:, None]
        fit = sm.OLS(response, np.hstack([own, tested * before, tested * ~before])).fit(cov_type=cov)
        wald.append(float(fit.wald_test(np.eye(2 * p, fit.params.size, k=p + 1), use_f=False, scalar=True).statistic))
    path = np.array(wald)
    null = response - own @ np.linalg.lstsq(own, response, rcond=None)[0]
    freed = tested - own @ np.linalg.lstsq(own, tested, rcond=None)[0]
    products = freed * null[:, None]
    s2 = null @ null / (n - p - 1)
    V = products.T @ products if cov == "HC0" else s2 * freed.T @ freed
    running = np.cumsum(products, axis=0)
    nyblom = np.mean([row @ np.linalg.solve(V, row) for row in running])
    result = _run(y, x, lags=p, cov=cov)
    assert_allclose(result.wald_path, path, rtol=1e-8)
    expected = [math.log(np.exp(path / 2).mean()), path.mean(), nyblom, path.max()]
    assert_allclose(result.statistics, expected, rtol=1e-8)
    assert result.break_position == p + round(0.15 * n) + int(np.argmax(path)) - 1
    assert result.statistic == result.statistics[0]
    assert result.pvalue == result.pvalues[0]


def test_the_bootstrap_statistics_are_those_of_the_drawn_samples() -> None:
    from analysis.stats.covariance import partial_out
    from analysis.stats.granger_bootstrap import rademacher
    from analysis.stats.granger_design import build_design, read_series
    from analysis.stats.granger_instability import _paths, combine

    y, x = np.random.default_rng(2).standard_normal((2, 80))
    design = build_design(read_series(y, x, None, None), lags=1)
    fit = partial_out(design.response, design.kept, design.tested, design.rows)
    assert not isinstance(fit, str)
    signs = rademacher(np.random.default_rng(3), 80, 3)[fit.rows]
    drawn = fit.restricted_residuals * signs
    splits = split_range(fit.nobs)
    kept_out = drawn - fit.kept_basis @ (fit.kept_basis.T @ drawn)
    together = combine(*_paths(fit, design.tested, kept_out, splits, "HC0"))
    for draw in range(3):
        again = partial_out(drawn[:, [draw]], design.kept, design.tested, design.rows)
        assert not isinstance(again, str)
        alone = combine(*_paths(again, design.tested, again.restricted_residuals, splits, "HC0"))
        assert_allclose(together[:, draw], alone[:, 0], rtol=1e-9)


def _levels(level: float) -> list[np.ndarray]:
    """Return effect, cause and a third series at a level, then exactly the same numbers without it."""
    rng = np.random.default_rng(3)
    x, z = rng.standard_normal((2, 200))
    high = np.r_[0.0, 0.3 * x[:-1]] + rng.standard_normal(200) + level, x - level, z + level
    return [*high, high[0] - level, high[1] + level, high[2] - level]


@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize("cov", ["HC0", "nonrobust"])
def test_the_level_of_effect_and_conditioning_series_costs_no_digit(cov: str, trend: str) -> None:
    y, _, z, clean, x, other = _levels(123456789.3)
    runs = [
        _run(effect, x, lags=2, given=given, cov=cov, trend=trend, bootstrap=19, rng=np.random.default_rng(0))
        for effect, given in ((y, z), (clean, other))
    ]
    assert_allclose(runs[0].wald_path, runs[1].wald_path, rtol=1e-9)
    assert_allclose(runs[0].statistics, runs[1].statistics, rtol=1e-9)
    assert runs[0].bootstrap_pvalues == runs[1].bootstrap_pvalues
    assert_allclose(_run(clean * 1e200, x * 1e-170, lags=2).statistics, _run(clean, x, lags=2).statistics, rtol=1e-9)


def test_the_level_of_the_cause_is_part_of_the_statistic() -> None:
    """The sides of a split span the cause without its level, and that level as a step in the intercept."""
    level = 123456789.3
    _, high, _, y, x, _ = _levels(level)
    response, own, tested = _design(y, x, 1)
    n, path = len(response), []
    for split in range(round(0.15 * n), round(0.85 * n) + 1):
        step = (np.arange(n) < split)[:, None] * (1.0 - tested / level)
        basis = np.linalg.qr(np.hstack([own, tested, step]))[0]
        residuals = response - basis @ (basis.T @ response)
        products = basis[:, -2:] * residuals[:, None]
        scores = basis[:, -2:].T @ response
        path.append(float(scores @ np.linalg.solve(products.T @ products, scores)))
    assert_allclose(_run(y, high, lags=1).wald_path, path, rtol=1e-9)


# --- the limit distributions ------------------------------------------------------------------------------------------


def test_nyblom_of_one_coefficient_has_its_exact_distribution() -> None:
    """Integral of squared Brownian motion: 90, 95 and 99 % points 1.1958, 1.6557, 2.7875 (Cameron and Martin 1944)."""
    for level, exact in ((0.10, 1.1958), (0.05, 1.6557), (0.01, 2.7875)):
        assert critical_value("Nyblom", 1, level) == pytest.approx(exact, rel=0.015)


@pytest.mark.parametrize(
    ("coefficients", "expw", "meanw"), [(1, 3.134, 5.364), (2, 5.015, 8.743), (4, 8.191, 14.362), (10, 16.761, 30.039)]
)
def test_published_five_per_cent_values(coefficients: int, expw: float, meanw: float) -> None:
    """Rossi (2005), tables of critical values, themselves simulated."""
    assert critical_value("ExpW", coefficients, 0.05) == pytest.approx(expw, rel=0.02)
    assert critical_value("MeanW", coefficients, 0.05) == pytest.approx(meanw, rel=0.02)


@pytest.mark.parametrize(("coefficients", "published"), [(1, 9.826), (2, 14.225), (4, 21.055), (10, 39.02)])
def test_largest_statistic_exceeds_the_coarser_published_simulation(coefficients: int, published: float) -> None:
    """A finer grid can only raise a maximum; by how much is bounded."""
    ratio = critical_value("SupLR", coefficients, 0.05) / published
    assert 1.0 < ratio < 1.08


def test_the_shipped_table_is_what_the_simulator_makes() -> None:
    values = simulate(np.random.default_rng(0), draws=1500, steps=400, most=2)
    for item, name in enumerate(STATISTICS):
        for q in (1, 2):
            share = (values[item, q - 1] > critical_value(name, q, 0.25)).mean()
            # 3 binomial standard errors, and 0.02 for the coarser grid of the maximum.
            assert abs(share - 0.25) < 3 * math.sqrt(0.25 * 0.75 / 1500) + 0.02, (name, q)


def test_the_mean_of_meanw_is_known() -> None:
    """Each component of W has mean 2 at every split, so MeanW has mean 2 q."""
    values = simulate(np.random.default_rng(1), draws=2000, steps=200, most=3)
    spread = values[1].std(axis=1) / math.sqrt(2000)
    assert (np.abs(values[1].mean(axis=1) - 2 * np.arange(1, 4)) < 4 * spread).all()
    assert_allclose(values[2].mean(axis=1), 0.5 * np.arange(1, 4), atol=0.08)


def test_pvalues_invert_critical_values_and_fall() -> None:
    assert np.shape(QUANTILES) == (4, MAX_COEFFICIENTS, len(SURVIVAL))
    for name in STATISTICS:
        for q in (1, 5, 12):
            for level in (0.5, 0.1, 0.05, 0.01, 0.001):
                assert asymptotic_pvalue(name, q, critical_value(name, q, level)) == pytest.approx(level, rel=1e-9)
            values = [asymptotic_pvalue(name, q, value) for value in np.linspace(0.0, 200.0, 400)]
            assert values[0] == 1.0
            assert all(a > b > 0 for a, b in pairwise(values))
    assert np.all(np.diff(np.array(QUANTILES), axis=2) > 0)
    assert np.all(np.diff(np.array(QUANTILES), axis=1) > 0)


# --- size and power ---------------------------------------------------------------------------------------------------


def test_size_on_independent_series() -> None:
    rejections = np.zeros(4)
    for seed in range(150):
        y, x = np.random.default_rng((5, seed)).standard_normal((2, 300))
        rejections += _run(y, x, lags=1).pvalues <= 0.10
    # The largest of few splits is cautious, robust tails are liberal: 10 % within 3.5 binomial standard errors.
    assert (np.abs(rejections - 15) <= 3.5 * math.sqrt(150 * 0.09)).all(), rejections


def test_wild_bootstrap_holds_its_size_when_volatility_spills_over() -> None:
    wild = plain = 0
    for seed in range(60):
        rng = np.random.default_rng((6, seed))
        z = rng.standard_t(5, (400, 2)) / math.sqrt(5 / 3)
        x, y, h, g = np.zeros(400), np.zeros(400), 1.0, 1.0
        for before, t in pairwise(range(400)):
            h = 0.05 + 0.15 * x[before] ** 2 + 0.8 * h
            g = 0.05 + 0.05 * y[before] ** 2 + 0.3 * x[before] ** 2 + 0.6 * g
            x[t], y[t] = math.sqrt(h) * z[t, 0], math.sqrt(g) * z[t, 1]
        wild += _run(y[100:], x[100:], lags=1, bootstrap=39, rng=rng).pvalue <= 0.10
        plain += _run(y[100:], x[100:], lags=1, cov="nonrobust").pvalue <= 0.10
    assert wild <= 6 + 3 * math.sqrt(60 * 0.09)
    assert plain > wild


def test_a_link_that_changes_sign_is_seen_although_its_average_is_zero() -> None:
    rng = np.random.default_rng(9)
    n = 600
    x = rng.standard_normal(n)
    sign = np.where(np.arange(n) < n // 2, 0.4, -0.4)
    y = np.r_[0.0, x[:-1]] * sign + rng.standard_normal(n)
    usual = granger_test(y, x, lags=1)
    found = _run(y, x, lags=1, bootstrap=99, rng=rng)
    assert usual.pvalue > 0.05
    assert (found.pvalues < 1e-3).all()
    assert found.bootstrap_pvalues == (0.01,) * 4
    assert abs(found.break_position - n // 2) < 40


def test_given_series_are_conditioned_on() -> None:
    rng = np.random.default_rng(3)
    driver = rng.standard_normal(500)
    x = driver + 0.3 * rng.standard_normal(500)
    y = np.r_[0.0, 0.8 * driver[:-1]] + rng.standard_normal(500)
    assert _run(y, x, lags=1).pvalue < 1e-6
    assert _run(y, x, lags=1, given=driver).pvalue > 0.01


# --- form and refusals ------------------------------------------------------------------------------------------------


def test_result_survives_json_and_speaks() -> None:
    y, x = np.random.default_rng(4).standard_normal((2, 120))
    y[30] = np.nan
    found = _run(y, x, lags=2, bootstrap=19, rng=np.random.default_rng(1))
    assert from_dict(found.to_dict()) == found
    assert found.nobs + found.nobs_lost == 120
    assert found.nobs == 120 - 2 - 3
    assert list(found.to_frame()["test"]) == ["ExpW", "MeanW", "Nyblom", "SupLR"]
    assert "SupLR = " in found.summary()
    assert found.distribution == "bootstrap"
    again = _run(1e5 * y + 3, 1e-5 * x, lags=2)
    assert_allclose(again.statistics, found.statistics, rtol=1e-7)


def test_refusals() -> None:
    y, x = np.random.default_rng(4).standard_normal((2, 120))
    with pytest.raises(InputError, match="too many tested coefficients"):
        instability_robust_granger(y, x, lags=13)
    with pytest.raises(InputError, match="HC0, nonrobust"):
        instability_robust_granger(y, x, lags=1, cov="HC3")
    with pytest.raises(InputError, match="random generator"):
        instability_robust_granger(y, x, lags=1, bootstrap=9)
    with pytest.raises(InputError, match="one effect"):
        instability_robust_granger(np.column_stack([y, x]), x, lags=1)
    assert isinstance(instability_robust_granger(y[:12], x[:12], lags=2), Inapplicable)
    assert isinstance(instability_robust_granger(y, np.ones(120), lags=1), Inapplicable)
    still = np.r_[np.zeros(60), x[60:]]
    found = instability_robust_granger(y, still, lags=1)
    assert isinstance(found, Inapplicable)
    assert "hardly moves" in found.reason


def test_a_grid_of_splits_takes_them_from_the_full_path() -> None:
    y, x = np.random.default_rng(4).standard_normal((2, 400))
    whole = _run(y, x, lags=2)
    coarse = _run(y, x, lags=2, grid=25)
    assert len(coarse.wald_path) == 25
    place = np.searchsorted(whole.split_rows, coarse.split_rows)
    np.testing.assert_array_equal(whole.split_rows[place], coarse.split_rows)
    assert_allclose(coarse.wald_path, whole.wald_path[place], rtol=1e-10)
    assert (coarse.split_rows[0], coarse.split_rows[-1]) == (whole.split_rows[0], whole.split_rows[-1])
    assert_allclose(coarse.statistics[1], coarse.wald_path.mean(), rtol=1e-12)
