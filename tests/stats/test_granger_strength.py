"""Closed forms of the strength of known autoregressions, invariances, and the bias of two truncated regressions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.granger import granger_test
from analysis.stats.granger_strength import GewekeStrength, geweke_strength, geweke_strength_from_var


def _simulate(coefs: np.ndarray, root: np.ndarray, n: int, seed: int) -> np.ndarray:
    p, k, _ = coefs.shape
    shocks = np.random.default_rng(seed).standard_normal((n + 100, k)) @ root.T
    out = np.zeros_like(shocks)
    for t in range(p, len(out)):
        out[t] = shocks[t] + sum(coefs[j] @ out[t - j - 1] for j in range(p))
    return out[100:]


@pytest.mark.parametrize("c", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("variances", [(1.0, 1.0), (0.2, 5.0)])
def test_white_cause_has_a_logarithm(c: float, variances: tuple[float, float]) -> None:
    """y = c x(-1) + e with white x: the error variance without x is that of e plus c^2 that of x."""
    found = geweke_strength_from_var([[[0.0, c], [0.0, 0.0]]], np.diag(variances), [0], [1])
    assert_allclose(found, math.log1p(c**2 * variances[1] / variances[0]), rtol=1e-12)


@pytest.mark.parametrize(("a", "b", "c"), [(0.9, 0.8, 0.3), (0.0, -0.5, 2.0), (-0.4, 0.95, 0.1)])
@pytest.mark.parametrize(("s", "u", "r"), [(1.0, 1.0, 0.0), (2.0, 0.5, 0.6)])
def test_autoregressive_cause_solves_a_quadratic(a: float, b: float, c: float, s: float, u: float, r: float) -> None:
    """y = a y(-1) + c x(-1) + e, x = b x(-1) + v: without x the error of y is a moving average of order one."""
    cross = r * math.sqrt(s * u)
    gamma0 = s * (1 + b * b) + c * c * u - 2 * b * c * cross
    gamma1 = -b * s + c * cross
    innovation = (gamma0 + math.sqrt(gamma0**2 - 4 * gamma1**2)) / 2
    found = geweke_strength_from_var([[[a, c], [0.0, b]]], [[s, cross], [cross, u]], [0], [1])
    assert_allclose(found, math.log(innovation / s), rtol=1e-9, atol=1e-12)


def test_no_lag_no_strength_and_a_common_driver_is_conditioned_away() -> None:
    sigma = np.array([[1.0, 0.4], [0.4, 2.0]])
    assert geweke_strength_from_var([[[0.5, 0.0], [0.7, 0.3]]], sigma, [0], [1]) == pytest.approx(0.0, abs=1e-12)
    driven = np.zeros((2, 3, 3))
    driven[0, 0, 2] = driven[1, 1, 2] = 0.8
    driven[0, 2, 2] = 0.6
    alone = geweke_strength_from_var(driven, np.eye(3), [1], [0])
    beside = geweke_strength_from_var(driven, np.eye(3), [1], [0], [2])
    assert alone > 0.05
    assert beside == pytest.approx(0.0, abs=1e-10)


def test_position_units_and_an_instantaneous_mix_of_the_causes_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    coefs = rng.uniform(-0.25, 0.25, (2, 4, 4))
    root = rng.standard_normal((4, 4))
    sigma = root @ root.T
    value = geweke_strength_from_var(coefs, sigma, [0], [1, 2], [3])
    order = [2, 0, 3, 1]
    place = [order.index(item) for item in range(4)]
    moved = geweke_strength_from_var(
        coefs[:, order][:, :, order], sigma[np.ix_(order, order)], [place[0]], [place[1], place[2]], [place[3]]
    )
    assert_allclose(moved, value, rtol=1e-9)
    mix = np.eye(4)
    mix[1:3, 1:3] = [[2.0, 1.0], [-3.0, 0.5]]
    mix[0, 0] = 1e-3
    mixed = geweke_strength_from_var(mix @ coefs @ np.linalg.inv(mix), mix @ sigma @ mix.T, [0], [1, 2], [3])
    assert_allclose(mixed, value, rtol=1e-7)


def test_a_series_in_no_group_is_hidden() -> None:
    """x drives y only through a hidden z: the strength is that of the pair, as if z had never been there."""
    coefs = np.zeros((1, 3, 3))
    coefs[0, 0, 2], coefs[0, 2, 1] = 1.0, 1.0
    found = geweke_strength_from_var(coefs, np.eye(3), [0], [1])
    # y = x(-2) + w(-1) + e: knowing x leaves e and w, not knowing it leaves x too.
    assert_allclose(found, math.log(3.0 / 2.0), rtol=1e-12)


def test_estimate_is_the_strength_of_the_fitted_model_and_two_regressions_are_biased() -> None:
    coefs = np.array([[[0.9, 0.3], [0.0, 0.8]]])
    data = _simulate(coefs, np.eye(2), 20000, seed=1)
    truth = geweke_strength_from_var(coefs, np.eye(2), [0], [1])
    found = geweke_strength(data[:, 0], data[:, 1], lags=1)
    assert isinstance(found, GewekeStrength)
    assert found.state_space == found.estimate
    assert abs(found.state_space - truth) < 0.012
    assert found.two_regression - truth > 0.008  # the truncated reduced regression overstates the error variance
    long = granger_test(data[:, 0], data[:, 1], lags=25)
    assert found.state_space == pytest.approx(long.strength, abs=0.004)
    assert found.gaussian_bits == pytest.approx(found.state_space / (2 * math.log(2)))


@pytest.mark.parametrize("given", [False, True])
def test_two_regression_value_is_that_of_the_granger_test(given: bool) -> None:
    data = np.random.default_rng(5).standard_normal((200, 3))
    data[40, 1] = np.nan
    rest = data[:, 2] if given else None
    # The full system needs every series at t, so the row whose cause is missing must go from the peer as well.
    mask = np.isfinite(data).all(axis=1)
    found = geweke_strength(data[:, 0], data[:, 1], lags=2, given=rest)
    peer = granger_test(data[:, 0], data[:, 1], lags=2, given=rest, mask=mask)
    assert isinstance(found, GewekeStrength)
    assert found.nobs == peer.nobs == 195
    assert_allclose(found.two_regression, peer.strength, rtol=1e-10)
    assert_allclose(found.statistic, found.nobs * peer.strength, rtol=1e-10)


def test_blocks_of_effects_and_causes() -> None:
    data = _simulate(np.random.default_rng(2).uniform(-0.3, 0.3, (1, 4, 4)), np.eye(4), 900, seed=4)
    found = geweke_strength(data[:, :2], data[:, 2:], lags=2)
    peer = granger_test(data[:, :2], data[:, 2:], lags=2, cov="nonrobust")
    assert isinstance(found, GewekeStrength)
    assert found.df == (8.0,)
    assert_allclose(found.two_regression, peer.strength, rtol=1e-10)
    assert from_dict(found.to_dict()) == found
    assert "two-regression value" in found.summary()


def test_size_of_the_likelihood_ratio_on_independent_series() -> None:
    rng = np.random.default_rng(8)
    pvalues = np.array([geweke_strength(*rng.standard_normal((2, 250)), lags=2).pvalue for _ in range(200)])
    assert abs((pvalues <= 0.10).mean() - 0.10) <= 3 * math.sqrt(0.09 / 200)


def test_refusals() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((100, 2))
    explosive = geweke_strength(np.exp(np.arange(100) / 12) + 0.01 * noise[:, 0], noise[:, 1], lags=1)
    assert isinstance(explosive, Inapplicable)
    assert "not stable" in explosive.reason
    assert isinstance(geweke_strength(noise[:6, 0], noise[:6, 1], lags=2), Inapplicable)
    assert isinstance(geweke_strength(noise[:, 0], np.ones(100), lags=1), Inapplicable)
    assert isinstance(geweke_strength(noise[:, 0], noise[:, 0], lags=1), Inapplicable)
    with pytest.raises(InputError, match="distinct positions"):
        geweke_strength_from_var(np.zeros((1, 2, 2)), np.eye(2), [0], [0])
    with pytest.raises(InputError, match="coefs"):
        geweke_strength_from_var(np.zeros((2, 2)), np.eye(2), [0], [1])
    with pytest.raises(InputError, match="positive definite"):
        geweke_strength_from_var(np.zeros((1, 2, 2)), np.ones((2, 2)), [0], [1])
    with pytest.raises(InputError, match="not stable"):
        geweke_strength_from_var([[[1.0, 0.0], [0.0, 0.5]]], np.eye(2), [0], [1])
