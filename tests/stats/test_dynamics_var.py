"""Vector autoregressions: published numbers, statsmodels, closed forms, and limits that cover."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.tsa.api import VAR

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.dynamics import (
    ImpulseResponse,
    VarFit,
    VarianceDecomposition,
    fit_var,
    impulse_response,
    variance_decomposition,
)

A = np.array([[[0.5, 0.2], [0.1, 0.4]]])
ROOT = np.array([[1.0, 0.0], [0.6, 0.8]])


def simulate(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    errors = rng.standard_normal((n + 50, 2)) @ ROOT.T
    out = np.zeros((n + 50, 2))
    for t in range(1, n + 50):
        out[t] = A[0] @ out[t - 1] + errors[t]
    return out[50:] + np.array([3.0, -1.0])


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    return simulate(400, 1)


@pytest.fixture(scope="module")
def fit(data: np.ndarray) -> VarFit:
    result = fit_var(data, lags=2, names=("x", "y"))
    assert isinstance(result, VarFit)
    return result


def test_canadian_responses_and_shares(shared: Path) -> None:
    """Printed for the example series of the R package vars (order e, prod, rw, U): VAR(2) with a constant."""
    model = fit_var(pd.read_csv(shared / "reference" / "canada.csv"), lags=2)
    assert isinstance(model, VarFit)
    assert model.names == ("e", "prod", "rw", "U")
    found = impulse_response(model, horizon=5)
    expected = [-0.1904200480, -0.3291241530, -0.3690535874, -0.3525017445, -0.3006819276, -0.2296172893]
    assert isinstance(found, ImpulseResponse)
    assert_allclose(found.estimate[:, 3, 0], expected, rtol=1e-6)
    shares = variance_decomposition(model, horizon=2)
    assert isinstance(shares, VarianceDecomposition)
    assert_allclose(shares.estimate[1, 0], [0.9633815002, 0.02563062168, 0.004448080831, 0.006539797302], rtol=1e-6)


@pytest.mark.parametrize("trend", ["c", "n", "ct"])
def test_the_fit_is_that_of_statsmodels(data: np.ndarray, trend: str) -> None:
    found = fit_var(data, lags=2, trend=trend)
    peer = VAR(data).fit(2, trend=trend)
    assert isinstance(found, VarFit)
    assert_allclose(found.coefs, peer.coefs, rtol=1e-8, atol=1e-12)
    assert_allclose(found.sigma, peer.sigma_u, rtol=1e-8)
    assert_allclose(found.residuals, peer.resid, atol=1e-9)
    assert found.terms.shape == (2, {"n": 0, "c": 1, "ct": 2}[trend])
    if trend == "c":
        assert_allclose(found.terms[:, 0], peer.intercept, rtol=1e-8)


def test_responses_and_shares_are_those_of_statsmodels(data: np.ndarray, fit: VarFit) -> None:
    peer = VAR(data).fit(2)
    assert_allclose(impulse_response(fit, horizon=8).estimate, peer.irf(8).orth_irfs, rtol=1e-8, atol=1e-12)
    summed = impulse_response(fit, horizon=8, cumulative=True)
    assert_allclose(summed.estimate, peer.irf(8).orth_irfs.cumsum(axis=0), rtol=1e-8)
    shares = variance_decomposition(fit, horizon=6).estimate
    assert_allclose(shares.transpose(1, 0, 2), peer.fevd(6).decomp, rtol=1e-8, atol=1e-12)
    assert_allclose(shares.sum(axis=2), 1.0)


def test_generalized_responses_start_at_the_covariance(fit: VarFit) -> None:
    """Pesaran and Shin (1998), eq. 10: impact of shock j is column j of the covariance over its root."""
    found = impulse_response(fit, horizon=3, method="generalized").estimate
    impact = fit.sigma / np.sqrt(np.diag(fit.sigma))
    assert_allclose(found[0], impact)
    assert_allclose(found[1], fit.coefs[0] @ impact)
    orthogonal = impulse_response(fit, horizon=3).estimate
    assert_allclose(found[:, :, 0], orthogonal[:, :, 0])  # the first in order is the same under both
    assert_allclose(variance_decomposition(fit, horizon=4, method="generalized").estimate.sum(axis=2), 1.0)


def test_an_order_chosen_by_a_criterion(data: np.ndarray) -> None:
    found = fit_var(data, lags="bic", max_lags=4)
    assert isinstance(found, VarFit)
    assert found.lags == 1
    assert found.options["lag_criterion"] == "bic"


def test_gaps_are_not_bridged(data: np.ndarray) -> None:
    holed = data.copy()
    holed[100, 1] = np.nan
    found = fit_var(holed, lags=2)
    assert isinstance(found, VarFit)
    assert (found.nobs, found.nobs_lost) == (395, 5)
    assert not set(found.rows) & {0, 1, 100, 101, 102}
    assert len(found.rows) == 395
    rows = found.rows
    Z = np.column_stack([np.ones(395), data[rows - 1], data[rows - 2]])
    b = np.linalg.lstsq(Z, data[rows], rcond=None)[0]
    assert_allclose(found.coefs[1], b[3:].T, rtol=1e-8)
    assert_allclose(found.lagged, Z[:, 1:])


def test_limits_hold_the_truth() -> None:
    """Limits of the response and of the share cover their population values in most of 40 samples."""
    truth = np.stack([np.linalg.matrix_power(A[0], h) @ ROOT for h in range(7)])
    total = np.square(truth).cumsum(axis=0)
    share = (total / total.sum(axis=2, keepdims=True))[5, 1, 0]
    inside, joint, shares = [], [], []
    rng = np.random.default_rng(3)
    for seed in range(40):
        model = fit_var(simulate(250, 100 + seed), lags=1)
        assert isinstance(model, VarFit)
        found = impulse_response(model, horizon=6, bootstrap=99, rng=rng)
        parts = variance_decomposition(model, horizon=6, bootstrap=99, rng=rng)
        assert isinstance(found, ImpulseResponse)
        assert isinstance(parts, VarianceDecomposition)
        low, high = found.lower[:, 1, 0], found.upper[:, 1, 0]
        inside.append((low <= truth[:, 1, 0]) & (truth[:, 1, 0] <= high))
        joint.append(((found.joint_lower <= truth + 1e-12) & (truth - 1e-12 <= found.joint_upper)).all(axis=0)[1, 0])
        shares.append(parts.lower[5, 1, 0] <= share <= parts.upper[5, 1, 0])
    assert 0.85 <= np.mean(inside) <= 0.99
    assert np.mean(joint) >= 0.82
    assert np.mean(shares) >= 0.87


def test_limits_enclose_and_repeat(fit: VarFit) -> None:
    def run(level: float = 0.95) -> ImpulseResponse:
        found = impulse_response(fit, horizon=5, bootstrap=199, level=level, rng=np.random.default_rng(2))
        assert isinstance(found, ImpulseResponse)
        return found

    found = run()
    assert found == run()
    assert from_dict(found.to_dict()) == found
    assert (found.joint_lower <= found.lower).all()
    assert (found.lower <= found.estimate).all()
    assert (found.estimate <= found.upper).all()
    assert (found.upper <= found.joint_upper).all()
    assert found.lower[0, 0, 1] == found.upper[0, 0, 1] == 0.0  # the order rules out that response
    assert (run(0.6).upper - run(0.6).lower)[2:].sum() < 0.7 * (found.upper - found.lower)[2:].sum()
    shares = variance_decomposition(fit, horizon=5, bootstrap=199, rng=np.random.default_rng(2))
    assert isinstance(shares, VarianceDecomposition)
    assert (shares.lower >= 0).all()
    assert (shares.upper <= 1).all()
    assert len(shares.to_frame()) == 5 * 4
    frame = found.to_frame()
    row = frame[(frame["horizon"] == 3) & (frame["response"] == "y") & (frame["shock"] == "x")].iloc[0]
    assert (row["estimate"], row["lower"]) == (found.estimate[3, 1, 0], found.lower[3, 1, 0])
    assert "x to y" in found.summary()


def test_data_that_allow_no_fit_or_no_limits(data: np.ndarray) -> None:
    for table, words in ((data[:6], "too few"), (np.column_stack([data, data[:, 0]]), "collinear")):
        found = fit_var(table, lags=2)
        assert isinstance(found, Inapplicable)
        assert words in found.reason
    walk = fit_var(np.cumsum(data, axis=0) * np.exp(np.arange(400) / 40)[:, None], lags=1)
    assert isinstance(walk, VarFit)
    assert "not stable" in walk.warnings[0]
    assert isinstance(impulse_response(walk, horizon=2), ImpulseResponse)
    absent = impulse_response(walk, horizon=2, bootstrap=99, rng=np.random.default_rng(0))
    assert isinstance(absent, Inapplicable)
    assert "not stable" in absent.reason
    shares = variance_decomposition(walk, horizon=2, bootstrap=99, rng=np.random.default_rng(0))
    assert isinstance(shares, Inapplicable)


def test_wrong_arguments(data: np.ndarray, fit: VarFit) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="distinct"):
        fit_var(data, lags=1, names=("a", "a"))
    with pytest.raises(InputError, match="infinite"):
        fit_var(np.where(data == data[4, 1], np.inf, data), lags=1)
    for options, words in (
        ({"horizon": -1}, "horizon"),
        ({"method": "sims"}, "unknown method"),
        ({"bootstrap": 99}, "generator"),
        ({"bootstrap": 20, "rng": rng}, "too few draws"),
        ({"level": 1.0}, "coverage"),
        ({"bootstrap": 99, "rng": rng, "block": 0}, "block"),
    ):
        with pytest.raises(InputError, match=words):
            impulse_response(fit, **({"horizon": 2} | options))
    with pytest.raises(InputError, match="fitted"):
        impulse_response(data, horizon=2)
    with pytest.raises(InputError, match="constant only"):
        impulse_response(fit_var(data, lags=1, trend="ct"), horizon=2, bootstrap=99, rng=rng)
    with pytest.raises(InputError, match="horizon"):
        variance_decomposition(fit, horizon=0)
