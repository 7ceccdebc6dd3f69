"""Moving-window and directional connectedness against the whole-sample functions, identities, leaks and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.connectedness import connectedness, frequency_connectedness
from analysis.stats.connectedness.batch import batch_decomposition, radii, window_systems
from analysis.stats.connectedness.core import coefficient_bias, decomposition
from analysis.stats.connectedness.rolling import RollingConnectedness, rolling_connectedness
from analysis.stats.connectedness.spill import SpillResult, directional_connectedness
from analysis.stats.granger_strength import var_radius

EDGES = (0.0, math.pi / 10, math.pi / 3, math.pi)


def simulate(n: int, rng: np.random.Generator, link: float = 0.35) -> np.ndarray:
    """Three series; shocks of the first pass to the others after one step, and nothing comes back."""
    out = np.zeros((n + 50, 3))
    A = np.array([[0.4, 0.0, 0.0], [link, 0.3, 0.0], [link, 0.0, 0.2]])
    for t in range(1, n + 50):
        out[t] = A @ out[t - 1] + rng.standard_normal(3)
    return out[50:]


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    return simulate(500, np.random.default_rng(1)) * (1.0, 1e-3, 40.0) + (0.0, 2.0, -5.0)


@pytest.fixture(scope="module")
def spill(data: np.ndarray) -> SpillResult:
    result = directional_connectedness(
        data, source=0, targets=(1, 2), lags=2, horizon=10, bands=EDGES, bootstrap=199, rng=np.random.default_rng(2),
        names=("a", "b", "c"),
    )  # fmt: skip
    assert isinstance(result, SpillResult)
    return result


@pytest.mark.parametrize("method", ["generalized", "cholesky"])
def test_each_window_is_that_of_the_whole_sample_function(data: np.ndarray, method: str) -> None:
    result = rolling_connectedness(data, lags=2, horizon=8, window=120, step=7, method=method)
    assert isinstance(result, RollingConnectedness)
    assert result.ends[-1] == 499
    assert (np.diff(result.ends) == 7).all()
    for place in (0, 11, len(result.ends) - 1):
        end = int(result.ends[place])
        single = connectedness(data[end + 1 - 122 : end + 1], lags=2, horizon=8, method=method)
        assert_allclose(result.totals[place], single.total, rtol=1e-9)
        assert_allclose(result.net[place], single.net, atol=1e-9)


def test_nothing_after_a_window_moves_it(data: np.ndarray) -> None:
    changed = data.copy()
    changed[400:] *= -3.0
    one, two = (rolling_connectedness(x, lags=1, horizon=5, window=100) for x in (data, changed))
    shared, first, second = np.intersect1d(one.ends, two.ends, return_indices=True)
    before = shared < 400
    assert before.sum() == 300
    difference = abs(one.totals[first] - two.totals[second])
    assert difference[before].max() < 1e-7
    assert difference[~before].max() > 1.0


def test_limits_at_chosen_ends(data: np.ndarray) -> None:
    def run() -> RollingConnectedness:
        answer = rolling_connectedness(
            data, lags=1, horizon=5, window=150, step=10, bootstrap=99, limited=4, rng=np.random.default_rng(3)
        )
        assert isinstance(answer, RollingConnectedness)
        return answer

    result = run()
    assert result == run()
    assert from_dict(result.to_dict()) == result
    assert (len(result.limited_ends), result.limited_ends[-1]) == (4, 499)
    places = np.searchsorted(result.ends, result.limited_ends)
    totals, net = result.totals[places], result.net[places]
    assert (result.total_limits[:, 0] <= totals).all()
    assert (totals <= result.total_limits[:, 1]).all()
    assert (result.net_limits[..., 0] <= net).all()
    assert (net <= result.net_limits[..., 1]).all()
    frame = result.to_frame()
    assert len(frame) == 4 * len(result.ends)
    assert frame["lower"].notna().sum() == 16
    assert "window ending at row 499" in result.summary()


def test_gaps_and_lost_windows(data: np.ndarray) -> None:
    holed = data.copy()
    holed[200:320, 1] = np.nan
    result = rolling_connectedness(holed, lags=1, horizon=5, window=100)
    assert isinstance(result, RollingConnectedness)
    assert result.windows_lost > 50
    assert not ((result.ends > 280) & (result.ends < 340)).any()
    assert result.nobs_lost == 121
    assert np.isfinite(result.totals).all()
    single = connectedness(holed[130:231], lags=1, horizon=5)
    assert_allclose(result.totals[result.ends == 230], single.total, rtol=1e-9)


def test_windows_that_cannot_be_decomposed(data: np.ndarray) -> None:
    for x, words in ((data[:60], "hold no window"), (np.column_stack([data, data[:, 0]]), "no window has")):
        result = rolling_connectedness(x, lags=1, horizon=5, window=80)
        assert isinstance(result, Inapplicable)
        assert words in result.reason


def test_batches_are_the_single_functions() -> None:
    rng = np.random.default_rng(4)
    coefs = 0.2 * rng.standard_normal((6, 2, 3, 3))
    root = rng.standard_normal((6, 3, 3))
    sigma = root @ root.transpose(0, 2, 1) + np.eye(3)
    for method in ("generalized", "cholesky"):
        tables = batch_decomposition(coefs, sigma, 7, method)
        for i in range(6):
            assert_allclose(tables[i], decomposition(coefs[i], sigma[i], 7, method), rtol=1e-10)
    assert_allclose(radii(coefs), [var_radius(item) for item in coefs], rtol=1e-10)
    coefs, sigma, nobs = window_systems(rng.standard_normal((50, 2)), 1, np.array([49]), 20)
    assert (coefs.shape, sigma.shape, nobs.tolist()) == ((1, 1, 2, 2), (1, 2, 2), [20])


def test_bias_does_not_depend_on_units() -> None:
    A, sigma = np.array([[[0.5, 0.2], [0.1, 0.6]]]), np.array([[1.0, 0.6], [0.6, 2.0]])
    unit = np.array([1e-6, 1e5])
    moved = coefficient_bias(A * unit[:, None] / unit, sigma * np.outer(unit, unit))
    assert_allclose(moved / unit[:, None] * unit, coefficient_bias(A, sigma), rtol=1e-9)


def test_directions_are_those_of_the_table(data: np.ndarray, spill: SpillResult) -> None:
    whole = connectedness(data, lags=2, horizon=10)
    assert_allclose(spill.table, whole.table, rtol=1e-12)
    assert_allclose(spill.values["total"], whole.total, rtol=1e-12)
    assert_allclose(spill.values["given"], whole.table[1:, 0].mean(), rtol=1e-12)
    assert_allclose(spill.values["received"], whole.table[0, 1:].mean(), rtol=1e-12)
    assert_allclose(spill.values["net"], spill.values["given"] - spill.values["received"], rtol=1e-12)
    assert_allclose([spill.values[f"net of {name}"] for name in "abc"], whole.net, rtol=1e-12)
    assert spill.limits["net"][0] > 3.0
    assert spill.limits["received"][0] == 0.0
    assert from_dict(spill.to_dict()) == spill


def test_bands_of_directions_add_up(data: np.ndarray, spill: SpillResult) -> None:
    bands = frequency_connectedness(data, lags=2, horizon=100, bands=EDGES)
    assert_allclose(spill.band_values["total"], bands.totals, rtol=1e-12)
    assert_allclose(spill.band_values["given"], bands.tables[:, 1:, 0].mean(axis=1), rtol=1e-12)
    long = connectedness(data, lags=2, horizon=100)
    assert_allclose(np.sum(spill.band_values["net"]), long.table[1:, 0].mean() - long.table[0, 1:].mean(), rtol=1e-9)
    for name in ("total", "given", "received", "net"):
        for value, (low, high) in zip(spill.band_values[name], spill.band_limits[name], strict=True):
            assert low <= value <= high
    assert len(spill.to_frame()) == 4 + 3 + 12
    assert "net, band 1" in spill.summary()


def test_limits_agree_with_those_of_the_whole_function(data: np.ndarray, spill: SpillResult) -> None:
    other = connectedness(data, lags=2, horizon=10, bootstrap=199, rng=np.random.default_rng(2))
    assert_allclose(spill.limits["total"], other.total_interval, atol=1e-8)
    assert_allclose(spill.limits["net of a"], other.net_interval[0], atol=1e-8)


def test_without_a_link_the_net_holds_zero() -> None:
    """With nothing passing either way the limits of the net hold zero about as often as they say."""
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(24):
        result = directional_connectedness(
            simulate(250, rng, link=0.0), source=0, targets=(1, 2), lags=1, horizon=8, bootstrap=99, rng=rng
        )
        assert isinstance(result, SpillResult)
        low, high = result.limits["net"]
        held += low <= 0.0 <= high
    assert held >= 20


def test_wrong_arguments(data: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for options, words in (
        ({"window": 5}, "window"),
        ({"window": 100, "step": 0}, "step"),
        ({"window": 100, "bootstrap": 99}, "generator"),
        ({"window": 100, "method": "sims"}, "decomposition"),
        ({"window": 100, "names": ("a",)}, "distinct"),
    ):
        with pytest.raises(InputError, match=words):
            rolling_connectedness(data, lags=1, horizon=5, **options)
    for options, words in (
        ({"source": 0, "targets": (0, 1)}, "distinct columns"),
        ({"source": 0, "targets": ()}, "distinct columns"),
        ({"source": 0, "targets": (3,)}, "distinct columns"),
        ({"source": 0, "targets": (1,), "bands": (0.0, 1.0)}, "end at pi"),
        ({"source": 0, "targets": (1,), "bands": (0.5, math.pi)}, "rise strictly"),
        ({"source": 0, "targets": (1,), "bootstrap": 20, "rng": rng}, "samples"),
        ({"source": 0, "targets": (1,), "method": "sims"}, "decomposition"),
    ):
        with pytest.raises(InputError, match=words):
            directional_connectedness(data, lags=1, horizon=5, **options)
    walk = np.cumsum(data, axis=0) * np.exp(np.arange(500) / 60.0)[:, None]
    answer = directional_connectedness(walk, source=0, targets=(1,), lags=1, horizon=5)
    assert isinstance(answer, Inapplicable)
    assert "not stable" in answer.reason
