"""Block exogeneity and instantaneous causality: published numbers, statsmodels, and the stacked sandwich by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.granger import block_exogeneity, granger_test, instantaneous_causality


@pytest.fixture(scope="module")
def canada(shared) -> pd.DataFrame:
    return pd.read_csv(shared / "reference" / "canada.csv")


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    data = np.random.default_rng(5).standard_normal((240, 4))
    data[:, 1] += 0.4 * data[:, 0]
    return data


def test_employment_and_the_rest_of_the_canadian_economy(canada):
    found = block_exogeneity(canada[["prod", "rw", "U"]], canada["e"], lags=2, cov="nonrobust")
    assert found.statistic == pytest.approx(6.276811245, rel=4e-9)
    assert found.df == (6.0, 292.0)
    assert found.pvalue == pytest.approx(3.206056e-06, rel=2e-7)
    both = block_exogeneity(canada[["rw", "U"]], canada[["e", "prod"]], lags=2, cov="nonrobust")
    assert both.statistic == pytest.approx(6.854499, rel=1e-7)
    assert both.df == (8.0, 292.0)
    robust = block_exogeneity(canada[["prod", "rw", "U"]], canada["e"], lags=2, cov="HC3")
    assert robust.statistic == pytest.approx(3.392262, rel=2e-7)


def test_instantaneous_causality_in_canada(canada):
    found = instantaneous_causality(canada["e"], canada[["prod", "rw", "U"]], lags=2)
    assert found.statistic == pytest.approx(26.06847209, rel=2e-10)
    assert found.df == (3.0,)
    assert found.estimate is None


@pytest.mark.parametrize(("effects", "causes"), [([0], [1]), ([0, 2], [1]), ([0, 3], [1, 2])])
def test_plain_tests_agree_with_statsmodels(noise, effects, causes):
    data = noise[:, effects + causes]
    fit = VAR(data).fit(3, trend="c")
    m = len(effects)
    expected = fit.test_causality(list(range(m)), list(range(m, data.shape[1])), kind="f")
    found = block_exogeneity(data[:, :m], data[:, m:], lags=3, cov="nonrobust")
    assert found.statistic == pytest.approx(expected.test_statistic, rel=1e-9)
    assert found.df == tuple(expected.df)
    assert found.pvalue == pytest.approx(expected.pvalue, rel=1e-8)
    instant = instantaneous_causality(data[:, :m], data[:, m:], lags=3)
    statistic = instantaneous_by_vech(fit.sigma_u, fit.nobs, m)
    assert instant.statistic == pytest.approx(statistic, rel=1e-9)
    if m == 1 or data.shape[1] - m == 1:  # the peer cannot pair several with several
        expected = fit.test_inst_causality(list(range(m)))
        assert instant.statistic == pytest.approx(expected.test_statistic, rel=1e-9)
        assert instant.pvalue == pytest.approx(expected.pvalue, rel=1e-8)


def instantaneous_by_vech(sigma: np.ndarray, nobs: int, m: int) -> float:
    """Return the statistic from half-vectorisation and the duplication matrix, as the textbook writes it."""
    k = len(sigma)
    pairs = [(i, j) for j in range(k) for i in range(j, k)]
    D = np.zeros((k * k, len(pairs)))
    for column, (i, j) in enumerate(pairs):
        D[i * k + j, column] = D[j * k + i, column] = 1
    C = np.array([np.eye(len(pairs))[c] for c, (i, j) in enumerate(pairs) if i >= m > j])
    half = C @ np.array([sigma[i, j] for i, j in pairs])
    pinv = np.linalg.pinv(D)
    return nobs * half @ np.linalg.solve(2 * C @ pinv @ np.kron(sigma, sigma) @ pinv.T @ C.T, half)


@pytest.mark.parametrize("cov", ["HC0", "HC1", "HC3", "HAC"])
def test_robust_block_is_the_sandwich_of_the_stacked_system(noise, cov):
    effects, cause, lags = noise[:, :2], noise[:, 3], 2
    found = block_exogeneity(
        effects, cause, lags=lags, given=noise[:, 2], cov=cov, hac_lags=4 if cov == "HAC" else None
    )
    Z = np.column_stack([np.ones(238)] + [s[2 - k : 240 - k] for s in (*effects.T, noise[:, 2], cause) for k in (1, 2)])
    Y = effects[2:]
    bread = np.linalg.inv(Z.T @ Z)
    B = bread @ Z.T @ Y
    E = Y - Z @ B
    h = np.einsum("ij,jk,ik->i", Z, bread, Z)
    E = E / (1 - h)[:, None] if cov == "HC3" else E
    scores = np.hstack([Z * E[:, [0]], Z * E[:, [1]]])
    distance = np.abs(np.subtract.outer(np.arange(238), np.arange(238)))
    kernel = np.clip(1 - distance / 5, 0, None) if cov == "HAC" else np.eye(238)
    V = np.kron(np.eye(2), bread) @ scores.T @ kernel @ scores @ np.kron(np.eye(2), bread)
    V *= 238 / (238 - 9) if cov == "HC1" else 1
    at = [7, 8, 16, 17]
    b = B.T.ravel()[at]
    wald = b @ np.linalg.solve(V[np.ix_(at, at)], b)
    assert found.wald == pytest.approx(wald, rel=1e-9)
    assert found.statistic == pytest.approx(wald / 4, rel=1e-9)
    assert found.df == (4.0, 4 * (238 - 9))
    np.testing.assert_allclose(found.coefficients, b, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, V[np.ix_(at, at)], rtol=1e-8)


def test_granger_test_of_several_effects_is_the_block_test(noise):
    one = granger_test(noise[:, :2], noise[:, 3], lags=2, given=noise[:, 2])
    other = block_exogeneity(noise[:, :2], noise[:, 3], lags=2, given=noise[:, 2])
    assert (one.statistic, one.pvalue, one.df) == (other.statistic, other.pvalue, other.df)
    assert one.r2_gain is None
    assert one.strength > 0


def test_instantaneous_estimate_is_the_error_correlation_and_is_symmetric(noise):
    one = instantaneous_causality(noise[:, 0], noise[:, 1], lags=1)
    other = instantaneous_causality(noise[:, 1], noise[:, 0], lags=1)
    fit = VAR(noise[:, :2]).fit(1)
    r = np.corrcoef(fit.resid.T)[0, 1]
    assert one.estimate == pytest.approx(r, rel=1e-9)
    assert one.statistic == pytest.approx(other.statistic, rel=1e-12)
    assert one.statistic == pytest.approx(fit.nobs * r**2 / (1 + r**2), rel=1e-9)
    assert "constant volatility" in one.warnings[0]


def test_robust_instantaneous_causality_keeps_its_size_when_volatility_is_shared():
    rng = np.random.default_rng(11)
    rejected = {"nonrobust": 0, "HC0": 0}
    for _ in range(200):
        volatility = np.exp(rng.standard_normal(200))
        x, y = rng.standard_normal((2, 200)) * volatility
        for cov in rejected:
            rejected[cov] += instantaneous_causality(x, y, lags=1, cov=cov).pvalue < 0.05
    assert rejected["HC0"] < 20  # nominal 10 of 200
    assert rejected["nonrobust"] > 50


def test_gaps_count_as_lost_rows(noise):
    data = noise.copy()
    data[100, 0] = np.nan
    assert block_exogeneity(data[:, :2], data[:, 2], lags=2).nobs == 238 - 3
    assert instantaneous_causality(data[:, 0], data[:, 2], lags=2).nobs == 238 - 3


def test_refusals(noise):
    found = instantaneous_causality(noise[:, 0], np.full(240, 2.0), lags=1)
    assert isinstance(found, Inapplicable)
    assert "collinear" in found.reason
    assert isinstance(block_exogeneity(noise[:20, :2], noise[:20, 2], lags=6), Inapplicable)
    assert isinstance(instantaneous_causality(noise[:, 0], noise[:, 1], lags="aic", max_lags=200), Inapplicable)
    with pytest.raises(InputError, match="unknown covariance"):
        instantaneous_causality(noise[:, 0], noise[:, 1], lags=1, cov="HC3")
