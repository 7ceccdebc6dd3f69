"""Connectedness against published numbers, closed forms, an independent implementation, identities and coverage."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.tsa.api import VAR

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.connectedness import (
    ConnectednessResult,
    FrequencyConnectedness,
    connectedness,
    frequency_connectedness,
)
from analysis.stats.connectedness.bootstrap import block_draws, cautious_interval, default_block, estimate, rebuild
from analysis.stats.connectedness.core import (
    band_decomposition,
    coefficient_bias,
    decomposition,
    measures,
    responses,
    unbiased,
)

A = np.array([[[0.5, 0.2], [0.1, 0.6]]])
SIGMA = np.array([[1.0, 0.6], [0.6, 2.0]])
EDGES = (0.0, math.pi / 20, math.pi / 5, math.pi)


def simulate(coefs: np.ndarray, sigma: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return (n, k) rows of an autoregression of any order after a burn-in."""
    p, k, _ = coefs.shape
    shocks = rng.standard_normal((n + 100, k)) @ np.linalg.cholesky(sigma).T
    out = np.zeros_like(shocks)
    for t in range(p, len(out)):
        out[t] = shocks[t] + sum(coefs[j] @ out[t - j - 1] for j in range(p))
    return out[100:]


@pytest.fixture(scope="module")
def three() -> np.ndarray:
    coefs = np.array([[[0.4, 0.2, 0.0], [0.0, 0.5, 0.1], [0.3, 0.0, 0.2]], np.diag([0.1, -0.2, 0.2])])
    return simulate(coefs, np.array([[1, 0.3, 0], [0.3, 1, 0.2], [0, 0.2, 2.0]]), 400, np.random.default_rng(1))


@pytest.fixture(scope="module")
def limited(three: np.ndarray) -> ConnectednessResult:
    return connectedness(three, lags=2, horizon=8, bootstrap=199, rng=np.random.default_rng(2), names=("a", "b", "c"))


def test_four_asset_classes_as_published(shared: Path) -> None:
    """Log volatilities as they are, order 4, horizon 10; published with two digits and a total with four."""
    data = pd.read_csv(shared / "reference" / "dy2012.csv")[["SP500", "R_10Y", "DJUBSCOM", "USDX"]].to_numpy()
    result = connectedness(data, lags=4, horizon=10)
    assert_allclose(result.total, 12.5921, atol=5e-5)
    assert_allclose(np.diag(result.table), (88.76, 81.45, 93.69, 85.73), atol=0.0051)
    assert_allclose(result.to, (16.37, 18.01, 4.62, 11.36), atol=0.0051)
    assert_allclose(result.from_, (11.24, 18.55, 6.31, 14.27), atol=0.0051)
    assert_allclose(result.net, (5.13, -0.54, -1.69, -2.90), atol=0.0051)
    bands = frequency_connectedness(data, lags=4, horizon=10, bands=EDGES)
    assert_allclose(bands.total, result.total, rtol=1e-12)


def test_one_step_generalized_shares_are_squared_correlations() -> None:
    """At horizon 1 only the errors' correlation r matters: shares r² / (1 + r²) from the other."""
    r = 0.6**2 / 2.0
    expected = 100 * np.array([[1, r], [r, 1]]) / (1 + r)
    assert_allclose(decomposition(A, SIGMA, 1, "generalized"), expected, rtol=1e-12)
    assert_allclose(decomposition(A, SIGMA, 1, "cholesky"), 100 * np.array([[1, 0], [r, 1 - r]]), atol=1e-12)


def test_two_steps_by_hand() -> None:
    """Responses are the identity and A; numerators of row one are squares of (Sigma, A Sigma) over each variance."""
    a, s = A[0], SIGMA
    first = [s[0, 0] ** 2 + (a[0] @ s[:, 0]) ** 2, (s[0, 1] ** 2 + (a[0] @ s[:, 1]) ** 2) / 2.0]
    second = [s[1, 0] ** 2 + (a[1] @ s[:, 0]) ** 2, (s[1, 1] ** 2 + (a[1] @ s[:, 1]) ** 2) / 2.0]
    table = decomposition(A, SIGMA, 2, "generalized")
    assert_allclose(table, 100 * np.array([first / np.sum(first), second / np.sum(second)]), rtol=1e-12)
    # 0.5 * 1 + 0.2 * 0.6 = 0.62 and 0.5 * 0.6 + 0.2 * 2 = 0.7
    assert_allclose(table[0, 1], 100 * ((0.36 + 0.49) / 2) / ((0.36 + 0.49) / 2 + 1 + 0.62**2), rtol=1e-12)


def test_generalized_equals_cholesky_for_uncorrelated_errors() -> None:
    sigma = np.diag([0.3, 4.0])
    assert_allclose(decomposition(A, sigma, 7, "generalized"), decomposition(A, sigma, 7, "cholesky"), rtol=1e-12)
    shares = 100 * 0.5**2 * 4.0 / (0.5**2 * 4.0 + 1.0)
    lower = np.array([[[0.0, 0.5], [0.0, 0.0]]])
    assert_allclose(decomposition(lower, np.diag([1.0, 4.0]), 2, "cholesky")[0, 1], shares, rtol=1e-12)


def test_cholesky_by_an_independent_implementation(three: np.ndarray) -> None:
    fit = VAR(three).fit(2, trend="c")
    result = connectedness(three, lags=2, horizon=9, method="cholesky")
    assert_allclose(result.table, 100 * fit.fevd(9).decomp[:, 8, :], rtol=1e-8)
    assert_allclose(responses(fit.coefs, 6), fit.ma_rep(5), atol=1e-12)


@pytest.mark.parametrize("method", ["generalized", "cholesky"])
def test_identities(three: np.ndarray, method: str) -> None:
    result = connectedness(three, lags=2, horizon=12, method=method)
    assert_allclose(result.table.sum(axis=1), 100.0, rtol=1e-12)
    assert_allclose(result.from_, 100 - np.diag(result.table), rtol=1e-12)
    assert_allclose(result.to, result.table.sum(axis=0) - np.diag(result.table), rtol=1e-12)
    assert_allclose(result.net.sum(), 0.0, atol=1e-10)
    assert_allclose((result.to.mean(), result.from_.mean()), result.total, rtol=1e-12)
    assert (result.table >= 0).all()
    moved = connectedness(7.0 + three * (1e-4, 3.0, -2e5), lags=2, horizon=12, method=method)
    assert_allclose(moved.table, result.table, rtol=1e-7)


def test_order_matters_only_for_cholesky(three: np.ndarray) -> None:
    order = [2, 0, 1]
    one, two = (connectedness(x, lags=2, horizon=5) for x in (three, three[:, order]))
    assert_allclose(two.table, one.table[np.ix_(order, order)], rtol=1e-9)
    first, second = (connectedness(x, lags=2, horizon=5, method="cholesky") for x in (three, three[:, order]))
    assert abs(second.table - first.table[np.ix_(order, order)]).max() > 1.0
    assert any("order of the columns" in text for text in first.warnings)


@pytest.mark.parametrize("method", ["generalized", "cholesky"])
def test_bands_add_up_and_agree_with_a_grid_of_frequencies(method: str) -> None:
    horizon = 40
    tables = band_decomposition(A, SIGMA, horizon, method, np.array(EDGES))
    assert_allclose(tables.sum(axis=0), decomposition(A, SIGMA, horizon, method), rtol=1e-11)
    psi = responses(A, horizon)
    impact = SIGMA / np.sqrt(np.diag(SIGMA)) if method == "generalized" else np.linalg.cholesky(SIGMA)
    width = math.pi / 20000
    omega = (np.arange(20000) + 0.5) * width
    transfer = np.tensordot(np.exp(-1j * np.outer(omega, np.arange(horizon))), psi, axes=1) @ impact
    gain = np.abs(transfer) ** 2
    whole = gain.sum(axis=0).sum(axis=1)[:, None]
    for table, low, high in zip(tables, EDGES, EDGES[1:], strict=False):
        part = gain[(omega > low) & (omega < high)].sum(axis=0)
        assert_allclose(table, 100 * part / whole, rtol=1e-6)


def test_white_noise_has_a_flat_spectrum_and_persistence_a_slow_one() -> None:
    flat = band_decomposition(np.zeros((1, 2, 2)), SIGMA, 30, "generalized", np.array(EDGES))
    whole = decomposition(np.zeros((1, 2, 2)), SIGMA, 30, "generalized")
    assert_allclose(flat, np.diff(EDGES)[:, None, None] / math.pi * whole, rtol=1e-10)
    slow = measures(band_decomposition(np.array([np.eye(2) * 0.95]), SIGMA, 300, "generalized", np.array(EDGES)))
    # The spectrum of an autoregression of order one integrates to an arctangent.
    share = 2 / math.pi * math.atan((1 + 0.95) / (1 - 0.95) * math.tan(EDGES[1] / 2))
    assert_allclose(slow.total[0] / slow.total.sum(), share, rtol=1e-6)


def test_band_results(three: np.ndarray) -> None:
    result = frequency_connectedness(three, lags=2, horizon=60, bands=EDGES, names=("a", "b", "c"))
    whole = connectedness(three, lags=2, horizon=60)
    assert isinstance(result, FrequencyConnectedness)
    assert_allclose(result.totals.sum(), whole.total, rtol=1e-10)
    assert_allclose(result.tables.sum(axis=0), whole.table, rtol=1e-9)
    for found, expected in ((result.to, whole.to), (result.from_, whole.from_), (result.net, whole.net)):
        assert_allclose(found.sum(axis=0), expected, atol=1e-9)
    off = result.tables[1].sum() - np.trace(result.tables[1])
    assert_allclose(result.within[1], 100 * off / result.tables[1].sum(), rtol=1e-12)
    assert len(result.to_frame()) == 3 * (2 + 9)
    assert "cycles of 2 to 10 steps" in result.summary()
    assert from_dict(result.to_dict()) == result
    one = frequency_connectedness(three, lags=2, horizon=60, bands=(0, math.pi))
    assert_allclose(one.within[0], whole.total, rtol=1e-10)


def test_limits_enclose_and_repeat(three: np.ndarray, limited: ConnectednessResult) -> None:
    assert limited.total_interval[0] < limited.total < limited.total_interval[1]
    for values, limits in (
        (limited.table, limited.table_interval),
        (limited.to, limited.to_interval),
        (limited.from_, limited.from_interval),
        (limited.net, limited.net_interval),
    ):
        assert (limits[..., 0] <= values).all()
        assert (values <= limits[..., 1]).all()
    assert 0 < limited.total_bias < 3
    again = connectedness(three, lags=2, horizon=8, bootstrap=199, rng=np.random.default_rng(2), names=("a", "b", "c"))
    assert again == limited
    assert from_dict(limited.to_dict()) == limited
    narrow = connectedness(three, lags=2, horizon=8, bootstrap=199, rng=np.random.default_rng(2), level=0.6)
    assert np.diff(narrow.total_interval) < 0.7 * np.diff(limited.total_interval)
    assert narrow.table.tolist() == limited.table.tolist()


def test_frame_and_summary(limited: ConnectednessResult) -> None:
    frame = limited.to_frame()
    assert frame["measure"].value_counts().to_dict() == {"share": 9, "to": 3, "from": 3, "net": 3, "total": 1}
    row = frame[(frame["measure"] == "share") & (frame["series"] == "a") & (frame["source"] == "b")].iloc[0]
    assert (row["estimate"], row["lower"]) == (limited.table[0, 1], limited.table_interval[0, 1, 0])
    assert "net c = " in limited.summary()


def coverage(coefs: np.ndarray, sigma: np.ndarray, seed: int) -> float:
    rng = np.random.default_rng(seed)
    truth = float(measures(decomposition(coefs, sigma, 10, "generalized")).total)
    held = []
    for _ in range(80):
        data = simulate(coefs, sigma, 250, rng)
        low, high = connectedness(data, lags=1, horizon=10, bootstrap=99, rng=rng, block=10).total_interval
        held.append(low <= truth + 1e-9 and truth <= high)
    return float(np.mean(held))


def test_limits_cover_with_and_without_connections() -> None:
    """Without any connection the estimate always lies above the truth of zero; the limits must reach it."""
    assert coverage(np.zeros((1, 2, 2)), np.eye(2), 3) > 0.9
    assert coverage(A, SIGMA, 4) > 0.88


def test_limits_hold_both_intervals() -> None:
    draws = np.arange(101.0)
    low, high = cautious_interval(np.array(30.0), draws, np.array(40.0), 0.9)
    # The draws give 5 to 95; their errors -35 to 55 around the truth give -25 to 65.
    assert (low, high) == pytest.approx((-25.0, 95.0))


def test_blocks_keep_neighbours_and_mean_zero() -> None:
    rng = np.random.default_rng(5)
    ladder = np.column_stack([np.arange(50.0), 100 + np.arange(50.0)])
    draws = block_draws(ladder, 7, 3000, rng)
    assert draws.shape == (3000, 50, 2)
    # Within a block the place grows by one a row, and so does its centre: resampled less centre stays put.
    assert_allclose(np.diff(draws, axis=1).reshape(3000, 49, 2)[:, np.arange(49) % 7 != 6], 0.0, atol=1e-9)
    assert_allclose(draws[..., 0], draws[..., 1], atol=1e-9)
    assert_allclose(draws.mean(axis=0), 0.0, atol=1.0)
    assert (default_block(228), default_block(1)) == (19, 5)


def test_a_sample_rebuilt_from_its_own_residuals_is_the_sample(three: np.ndarray) -> None:
    coefs, sigma = estimate(three, 2)
    fit = VAR(three).fit(2, trend="c")
    assert_allclose(coefs, fit.coefs, atol=1e-10)
    assert_allclose(sigma, fit.resid.T @ fit.resid / 398, atol=1e-10)
    mean = np.linalg.solve(np.eye(3) - coefs.sum(axis=0), fit.intercept)
    start = (three[[1, 0]] - mean).reshape(1, 6)
    assert_allclose(rebuild(coefs, start, fit.resid[None])[0], three - mean, atol=1e-9)


def test_bias_of_one_coefficient_is_known() -> None:
    """With a constant the first-order bias of an autoregressive coefficient is -(1 + 3 a) / n (Kendall 1954)."""
    for a in (-0.5, 0.0, 0.9):
        assert_allclose(coefficient_bias(np.array([[[a]]]), np.eye(1)), [[[-(1 + 3 * a)]]], atol=1e-10)
    rng = np.random.default_rng(6)
    errors = np.zeros((1, 2, 2))
    for _ in range(400):
        x = simulate(A, SIGMA, 60, rng)
        Y, Z = x[1:] - x[1:].mean(axis=0), x[:-1] - x[:-1].mean(axis=0)
        errors[0] += np.linalg.lstsq(Z, Y, rcond=None)[0].T - A[0]
    assert_allclose(errors / 400, coefficient_bias(A, SIGMA) / 59, atol=0.025)
    close = np.array([[[0.99, 0.0], [0.0, 0.2]]])
    corrected = unbiased(close, np.eye(2), 60)
    assert 0.99 <= np.abs(np.linalg.eigvals(corrected[0])).max() < 1.0


def test_gaps_are_not_bridged(three: np.ndarray) -> None:
    holed = three.copy()
    holed[100, 1] = np.nan
    result = connectedness(holed, lags=2, horizon=5, bootstrap=99, rng=np.random.default_rng(1))
    assert (result.nobs, result.nobs_lost) == (400 - 2 - 3, 5)
    assert np.isfinite(result.total_interval).all()
    assert np.isnan(holed).sum() == 1


def test_data_that_allow_no_decomposition(three: np.ndarray) -> None:
    walk = np.cumsum(three, axis=0) * np.exp(np.arange(400) / 50.0)[:, None]
    for data, words in (
        (walk, "not stable"),
        (three[:8], "too few"),
        (np.column_stack([three, three[:, 0]]), "collinear"),
        (np.column_stack([three, np.ones(400)]), "collinear"),
    ):
        for result in (
            connectedness(data, lags=2, horizon=5),
            frequency_connectedness(data, lags=2, horizon=5, bands=EDGES),
        ):
            assert isinstance(result, Inapplicable)
            assert words in result.reason


def test_near_a_unit_root_the_result_warns() -> None:
    rng = np.random.default_rng(9)
    data = simulate(np.array([np.diag([0.995, 0.3])]), np.eye(2), 2000, rng)
    result = connectedness(data, lags=1, horizon=10)
    assert result.radius > 0.98
    assert any("unit root" in text for text in result.warnings)


def test_wrong_arguments(three: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for options, words in (
        ({"lags": 0}, "lags"),
        ({"horizon": 0}, "horizon"),
        ({"method": "sims"}, "unknown decomposition"),
        ({"names": ("a", "a", "b")}, "distinct"),
        ({"bootstrap": 99}, "generator"),
        ({"bootstrap": 20, "rng": rng}, "too few samples"),
        ({"bootstrap": 99, "rng": rng, "block": 0}, "block"),
        ({"level": 1.0}, "level"),
    ):
        with pytest.raises(InputError, match=words):
            connectedness(three, **({"lags": 1, "horizon": 5} | options))
    with pytest.raises(InputError, match="two series"):
        connectedness(three[:, 0], lags=1, horizon=5)
    with pytest.raises(InputError, match="infinite"):
        connectedness(np.where(three == three[3, 1], np.inf, three), lags=1, horizon=5)
    for bands in ((0.0, 1.0), (0.5, math.pi), (0.0, 2.0, 1.0, math.pi), (math.pi,), (0.0, math.nan, math.pi)):
        with pytest.raises(InputError, match=r"rise strictly|end at pi"):
            frequency_connectedness(three, lags=1, horizon=5, bands=bands)
