"""Downside beta, alone and by state: independent regressions, brute-force rotation, symmetry, contracts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.regression import bootstrap_pvalue, ols, rademacher
from analysis.stats.tails.beta import DownsideBetaResult, downside_beta
from analysis.stats.tails.states import StateDownsideResult, _rotated_pvalue, state_downside_beta


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def pair(n: int, down: float = 0.5, up: float = 0.5, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    x, e = rng(seed).standard_t(5, (2, n))
    return np.where(x < 0, down, up) * x + e, x


def spells(n: int, length: int = 30) -> np.ndarray:
    return (np.arange(n) // length % 2).astype(float)


def alone(effect: np.ndarray, cause: np.ndarray, **options: object) -> DownsideBetaResult:
    result = downside_beta(effect, cause, **options)  # type: ignore[arg-type]
    assert isinstance(result, DownsideBetaResult), result.summary()
    return result


def by_state(effect: np.ndarray, cause: np.ndarray, state: np.ndarray, **options: object) -> StateDownsideResult:
    result = state_downside_beta(effect, cause, state, **options)  # type: ignore[arg-type]
    assert isinstance(result, StateDownsideResult), result.summary()
    return result


def test_slopes_are_covariance_over_variance_of_each_side() -> None:
    y, x = pair(800, 0.9, 0.3)
    result = alone(y, x)
    for i, side in enumerate((x < x.mean(), x >= x.mean())):
        assert result.beta[i] == pytest.approx(np.cov(y[side], x[side])[0, 1] / np.var(x[side], ddof=1), rel=1e-10)
        assert result.part_nobs[i] == side.sum()
    assert result.estimate == pytest.approx(result.beta[0] - result.beta[1])


@pytest.mark.parametrize("cov", ["HC3", "nonrobust", "HC0"])
def test_test_and_intervals_are_those_of_statsmodels(cov: str) -> None:
    y, x = pair(500)
    z = rng(9).standard_normal((500, 2)) + x[:, None]
    down = (x < x.mean()).astype(float)
    columns = [x * down, x * (1 - down), down, 1 - down]
    columns += [z[:, i] * side for side in (down, 1 - down) for i in range(2)]
    design = np.column_stack(columns)
    peer = sm.OLS(y, design).fit(cov_type=cov, use_t=True) if cov != "nonrobust" else sm.OLS(y, design).fit()
    contrast = np.zeros(8)
    contrast[:2] = 1, -1
    test = peer.f_test(contrast)
    result = alone(y, x, given=z, cov=cov)
    assert result.statistic == pytest.approx(float(test.fvalue), rel=1e-8)
    assert result.pvalue == pytest.approx(float(test.pvalue), rel=1e-7)
    np.testing.assert_allclose(np.column_stack([result.lower, result.upper]), peer.conf_int()[:2], rtol=1e-8)
    assert result.df == (1.0, 492.0)


def test_wild_bootstrap_imposes_one_slope() -> None:
    y, x = pair(120, 1.0, 0.2)
    result = alone(y, x, bootstrap=49, rng=rng(3))
    down = (x < x.mean()).astype(float)
    null = ols(np.column_stack([x, down, 1 - down]), y)
    assert null is not None
    assert result.symmetric == pytest.approx(null.coefficients[0])
    statistics = [alone(null.residuals * signs, x).statistic for signs in rademacher(rng(3), 49, 120)]
    assert result.bootstrap_pvalue == pytest.approx(bootstrap_pvalue(result.statistic, np.array(statistics))[0])


def test_elliptical_tails_are_no_asymmetry_and_a_steeper_fall_is() -> None:
    draws, rejected = 60, [0, 0]
    for seed in range(draws):
        normal = rng(seed).standard_normal((500, 2)) @ np.linalg.cholesky([[1.0, 0.5], [0.5, 1.0]]).T
        elliptical = normal / np.sqrt(rng(500 + seed).chisquare(4, 500) / 4)[:, None]
        for i, (y, x) in enumerate(((elliptical[:, 1], elliptical[:, 0]), pair(500, 1.4, 0.3, seed))):
            result = alone(y, x, bootstrap=99, rng=rng(seed))
            assert result.bootstrap_pvalue is not None
            rejected[i] += result.bootstrap_pvalue <= 0.05
    assert rejected[0] <= 0.05 * draws + 3 * math.sqrt(draws * 0.05 * 0.95)
    assert rejected[1] >= 0.9 * draws


def test_an_asymmetry_of_the_driver_does_not_pass_for_one_of_the_cause() -> None:
    driver, e, f = rng(4).standard_normal((3, 4000))
    x = driver + 0.5 * e
    y = np.where(x < x.mean(), 1.5, 0.3) * driver + f
    assert alone(y, x).pvalue < 1e-6
    beside = alone(y, x, given=driver)
    assert beside.pvalue > 0.01
    assert np.abs(beside.beta).max() < 0.15


def test_units_gaps_and_center() -> None:
    y, x = pair(400)
    base, scaled = alone(y, x), alone(100 * y + 7, 10 * x + 1)
    np.testing.assert_allclose(scaled.beta, 10 * base.beta, rtol=1e-9)
    assert scaled.statistic == pytest.approx(base.statistic, rel=1e-9)
    turned = alone(-y, -x)
    assert turned.estimate == pytest.approx(-base.estimate, rel=1e-9)  # type: ignore[operator]
    holes = np.where(np.arange(400) % 10 == 0, np.nan, x)
    assert alone(y, holes).nobs_lost == 40
    assert alone(y, x, center=0.5).part_nobs[0] == (x < 0.5).sum()
    assert list(base.to_frame()["part"]) == ["downside less upside", "downside", "upside"]


def test_data_and_options_of_the_beta_that_cannot_be_used() -> None:
    y, x = pair(300)
    for result, reason in (
        (downside_beta(y[:40], x[:40]), "fewer than 60"),
        (downside_beta(y, x, center=-50.0), "0 falls"),
        (downside_beta(y, np.where(x < 0, -1.0, x)), "constant or collinear"),
        (downside_beta(y, x, given=2 * x), "constant or collinear"),
        (downside_beta(3 * x, x), "perfectly"),
        (downside_beta(y, np.r_[-1e9, x[1:]], center=0.0), "on its own"),
    ):
        assert isinstance(result, Inapplicable)
        assert reason in result.reason
    with pytest.raises(InputError, match="unknown covariance"):
        downside_beta(y, x, cov="HC9")
    with pytest.raises(InputError, match="confidence level"):
        downside_beta(y, x, level=2.0)
    with pytest.raises(InputError, match="wrong shape"):
        downside_beta(y, x, given=np.ones((4, 2)))
    with pytest.raises(InputError, match="needs its own generator"):
        downside_beta(y, x, bootstrap=9)


def test_state_cells_are_regressions_of_their_own() -> None:
    y, x = pair(1200, 0.9, 0.4)
    state = spells(1200)
    result = by_state(y, x, state)
    down = x < x.mean()
    for i, value in enumerate((0.0, 1.0)):
        for j, side in enumerate((down, ~down)):
            cell = (state == value) & side
            assert result.beta[i, j] == pytest.approx(np.polyfit(x[cell], y[cell], 1)[0], rel=1e-9)
            assert result.cell_nobs[i, j] == cell.sum()
    assert result.estimate == pytest.approx(result.beta[1, 0] - result.beta[0, 0])
    assert result.asymmetry_inside == pytest.approx(result.beta[1, 0] - result.beta[1, 1])
    assert result.widening == pytest.approx(result.asymmetry_inside - (result.beta[0, 0] - result.beta[0, 1]))


def test_state_tests_are_those_of_statsmodels() -> None:
    y, x = pair(600)
    state, down = spells(600), (x < x.mean()).astype(float)
    cells = [s * d for s in (1 - state, state) for d in (down, 1 - down)]
    peer = sm.OLS(y, np.column_stack([*(x * c for c in cells), *cells])).fit(cov_type="HC3", use_t=True)
    result = by_state(y, x, state)
    for contrast, value in (
        ([-1, 0, 1, 0], result.pvalue),
        ([0, 0, 1, -1], result.asymmetry_pvalue),
        ([-1, 1, 1, -1], result.widening_pvalue),
    ):
        assert value == pytest.approx(float(peer.f_test(np.r_[contrast, np.zeros(4)]).pvalue), rel=1e-7)


def test_rotations_are_counted_as_by_hand() -> None:
    y, x = pair(300)
    state, down = spells(300, 25), x < x.mean()

    def difference(shift: int) -> float:
        inside = np.roll(state, shift) == 1
        slopes = [np.polyfit(x[down & side], y[down & side], 1)[0] for side in (inside, ~inside)]
        return float(slopes[0] - slopes[1])

    others = np.array([difference(shift) for shift in range(21, 300 - 20)])
    expected = (1 + np.sum(np.abs(others) >= abs(difference(0)) * (1 - 1e-12))) / (1 + others.size)
    found = _rotated_pvalue(x, y, state, down, 21)
    assert found is not None
    assert found == (pytest.approx(expected), others.size)
    assert _rotated_pvalue(x[:80], y[:80], state[:80], down[:80], 21) is None


def test_more_volatile_spells_alone_are_no_stronger_link_and_a_steeper_fall_in_them_is() -> None:
    draws, rejected = 40, [0, 0]
    state = spells(800)
    for seed in range(draws):
        x, e = rng(seed).standard_normal((2, 800)) * (1 + 2 * state)
        steep = np.where((x < 0) & (state == 1), 1.2, 0.3) * x + e
        for i, y in enumerate((0.5 * x + e, steep)):
            rejected[i] += by_state(y, x, state, bootstrap=99, rng=rng(seed)).combined_pvalue <= 0.05
    assert rejected[0] <= 0.05 * draws + 3 * math.sqrt(draws * 0.05 * 0.95)
    assert rejected[1] >= 0.9 * draws


def test_rows_inside_the_state_alone_give_the_same_slopes() -> None:
    y, x = pair(900, 0.9, 0.4)
    state = spells(900)
    result = by_state(y, x, state)
    inside = alone(np.where(state == 1, y, np.nan), x, center=float(x.mean()))
    assert inside.estimate == pytest.approx(result.asymmetry_inside)
    np.testing.assert_allclose(inside.beta, result.beta[1])
    assert inside.pvalue == pytest.approx(result.asymmetry_pvalue, abs=0.01)


def test_the_p_to_rely_on_is_the_larger() -> None:
    y, x = pair(700)
    result = by_state(y, x, spells(700, 350), bootstrap=99, rng=rng())
    assert result.bootstrap_pvalue is not None
    assert result.rotation_pvalue is not None
    assert result.combined_pvalue == max(result.bootstrap_pvalue, result.rotation_pvalue)
    assert "only 1 episode(s)" in result.warnings[0]
    short = by_state(y[:200], x[:200], spells(200, 4), exclude=60)
    assert short.rotation_pvalue is None
    assert short.combined_pvalue == short.pvalue


def test_data_and_options_of_the_state_test_that_cannot_be_used() -> None:
    y, x = pair(300)
    for result, reason in (
        (state_downside_beta(y, x, np.zeros(300)), "no usable row is inside"),
        (state_downside_beta(y, x, (np.arange(300) < 40).astype(float)), "only 40 usable rows"),
        (state_downside_beta(y, x, (x < 0).astype(float)), "only 0 falls or rises"),
        (state_downside_beta(2 * x, x, spells(300)), "perfectly"),
    ):
        assert isinstance(result, Inapplicable)
        assert reason in result.reason
    with pytest.raises(InputError, match="true or false"):
        state_downside_beta(y, x, spells(300) + 1)
    with pytest.raises(InputError, match="exclude must be a whole number"):
        state_downside_beta(y, x, spells(300), exclude=0)
