"""Local projections against plain loops, statsmodels, the vector autoregression and their own coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.dynamics import (
    LocalProjection,
    StateLocalProjection,
    VarFit,
    fit_var,
    impulse_response,
    local_projection,
    state_local_projection,
)
from analysis.stats.dynamics.shape import shape_of


def world(n: int, seed: int, spill: bool = False) -> np.ndarray:
    """Return x and y: y follows x in its step and the next; with `spill`, shocks of x also raise the noise of y."""
    rng = np.random.default_rng(seed)
    e, u = rng.standard_normal(n + 50), rng.standard_normal(n + 50)
    x, y = np.zeros(n + 50), np.zeros(n + 50)
    for t in range(1, n + 50):
        x[t] = 0.2 * x[t - 1] + e[t]
        noise = u[t] * np.sqrt(0.4 + 0.6 * e[t - 1] ** 2) if spill else u[t]
        y[t] = 0.3 * y[t - 1] + 0.4 * x[t] + 0.2 * x[t - 1] + noise
    return np.column_stack([x, y])[50:]


def truth(horizon: int) -> np.ndarray:
    x, y = np.zeros(horizon + 1), np.zeros(horizon + 1)
    for h in range(horizon + 1):
        x[h] = 1.0 if h == 0 else 0.2 * x[h - 1]
        y[h] = 0.4 * x[h] + (0.3 * y[h - 1] + 0.2 * x[h - 1] if h else 0.0)
    return y


def project(data: object, **options: object) -> LocalProjection:
    found = local_projection(data, **({"shock": 0, "lags": 2, "horizons": 6} | options))
    assert isinstance(found, LocalProjection)
    return found


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    return world(300, 1)


@pytest.mark.parametrize("cumulative", [False, True])
def test_every_horizon_is_a_plain_regression(data: np.ndarray, cumulative: bool) -> None:
    found = project(data, cumulative=cumulative, given=())
    hac = project(data, cumulative=cumulative, cov="HAC")
    assert found.estimate.shape == (7, 2)
    for h in range(7):
        for r in range(2):
            rows = np.arange(2, 300 - h)
            target = sum(data[rows + j, r] for j in range(h + 1)) if cumulative else data[rows + h, r]
            if h == 0 and r == 0:  # the shock on itself
                assert_allclose((found.estimate[0, 0], found.standard_error[0, 0]), (1.0, 0.0), atol=1e-12)
                continue
            Z = np.column_stack([data[rows, 0], np.ones(rows.size), data[rows - 1], data[rows - 2]])
            peer = sm.OLS(target, Z).fit(cov_type="HC3")
            assert_allclose(found.estimate[h, r], peer.params[0], rtol=1e-8)
            assert_allclose(found.standard_error[h, r], peer.bse[0], rtol=1e-8)
            assert_allclose((found.lower[h, r], found.upper[h, r]), peer.conf_int()[0], rtol=1e-6)
            assert found.nobs[h, r] == rows.size
            lags = max(h, int(4 * (rows.size / 100) ** (2 / 9)))
            robust = sm.OLS(target, Z).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
            assert_allclose(hac.estimate[h, r], peer.params[0], rtol=1e-8)
            assert_allclose(hac.standard_error[h, r], robust.bse[0], rtol=1e-8)


def test_identities_with_the_autoregression(data: np.ndarray) -> None:
    """On impact the ordered projection is the ordered VAR; one step ahead, with one lag less, it is its coefficient."""
    model = fit_var(data, lags=2)
    assert isinstance(model, VarFit)
    orthogonal = impulse_response(model, horizon=0).estimate[0]
    assert_allclose(project(data, horizons=[0]).estimate[0, 1], orthogonal[1, 0] / orthogonal[0, 0], rtol=1e-9)
    for shock in (0, 1):
        step = project(data, shock=shock, given=1 - shock, lags=1, horizons=[1])
        assert_allclose(step.estimate[0], model.coefs[0][:, shock], rtol=1e-9)


def test_projection_and_autoregression_agree_in_the_population() -> None:
    data = world(30_000, 4)
    model = fit_var(data, lags=2)
    assert isinstance(model, VarFit)
    responses = impulse_response(model, horizon=6).estimate
    found = project(data)
    assert_allclose(responses[:, 1, 0] / responses[0, 0, 0], truth(6), atol=0.03)
    assert_allclose(found.estimate[:, 1], truth(6), atol=0.03)
    second = project(data, shock=1, given=0).estimate
    assert_allclose(second, responses[:, :, 1] / responses[0, 1, 1], atol=0.03)
    summed = project(data, cumulative=True).estimate
    assert_allclose(summed[:, 1], truth(6).cumsum(), atol=0.05)


def test_columns_go_by_name_or_index(data: np.ndarray) -> None:
    frame = pd.DataFrame(data, columns=["small", "coin"])
    named = project(frame, shock="small", responses="coin")
    assert named.names == ("coin",)
    assert_allclose(named.estimate, project(data, shock=-2, responses=[1]).estimate)
    assert project(data, names=("a", "b")).shock == "a"


def test_scales_shifts_and_order(data: np.ndarray) -> None:
    base = project(data).estimate
    moved = project(data * [10.0, 3.0] + [5.0, -7.0]).estimate
    assert_allclose(moved, base * [1.0, 0.3], rtol=1e-7, atol=1e-10)
    assert_allclose(project(data[:, ::-1], shock=1).estimate, base[:, ::-1], rtol=1e-7, atol=1e-10)


def test_the_future_does_not_move_an_earlier_horizon(data: np.ndarray) -> None:
    changed = data.copy()
    changed[-1] += 100.0
    one, two = project(data[:-1], horizons=[0]), project(changed, horizons=[0, 1])
    assert one.estimate[0, 1] != two.estimate[0, 1]
    masked = changed.copy()
    masked[-1] = np.nan
    assert_allclose(project(masked, horizons=[0]).estimate, one.estimate, rtol=1e-12)


def test_gaps_are_not_bridged(data: np.ndarray) -> None:
    holed = data.copy()
    holed[100, 1] = np.nan
    level, summed = project(holed, responses=1), project(holed, responses=1, cumulative=True)
    # Lost: two at the start, h at the end, two dates that need the gap as regressor, one as target (h + 1 as a sum).
    assert level.nobs[:, 0].tolist() == [300 - 2 - h - 2 - 1 for h in range(7)]
    assert summed.nobs[:, 0].tolist() == [300 - 2 - h - 2 - (h + 1) for h in range(7)]
    assert np.isfinite(summed.estimate).all()


def test_joint_bands_and_timing(data: np.ndarray) -> None:
    def run() -> LocalProjection:
        return project(data, cumulative=True, bootstrap=199, rng=np.random.default_rng(5))

    found = run()
    assert found == run()
    assert from_dict(found.to_dict()) == found
    assert (found.joint_lower <= found.lower).all()
    assert (found.upper <= found.joint_upper).all()
    assert ((found.critical >= 1.95) & (found.critical < 3.5)).all()
    assert found.pvalue[1] == 1 / 200
    assert found.peak_interval[1][0] <= found.peak[1] <= found.peak_interval[1][1]
    assert found.half_interval[1][0] <= found.half[1] <= found.half_interval[1][1]
    frame = found.to_frame()
    assert len(frame) == 14
    row = frame[(frame["response"] == "series 2") & (frame["horizon"] == 4)].iloc[0]
    assert (row["estimate"], row["joint_upper"]) == (found.estimate[4, 1], found.joint_upper[4, 1])
    assert "series 2, horizon 6" in found.summary()


def test_peak_and_half_way() -> None:
    path = np.array([0.1, 0.4, 0.9, 1.0, 0.8])
    still = shape_of(path, np.zeros((99, 5)), (0, 1, 2, 3, 4), 0.95)
    assert (still.peak, still.half, still.peak_interval, still.half_interval) == (3, 2, (3, 3), (2, 2))
    fallen = shape_of(-path, np.zeros((99, 5)), (1, 2, 3, 4, 5), 0.95)
    assert (fallen.peak, fallen.half) == (4, 3)
    noise = np.random.default_rng(0).standard_normal((999, 5))
    assert shape_of(path, 10 * noise, (0, 1, 2, 3, 4), 0.95).peak_interval == (0, 4)


@pytest.mark.parametrize("spill", [False, True])
def test_coverage_with_and_without_moving_volatility(spill: bool) -> None:
    """At 95 %, pointwise limits cover each horizon and joint bands the whole path, in 80 samples of 200."""
    path = truth(10)
    inside, joint, hac = [], [], []
    rng = np.random.default_rng(8)
    for seed in range(80):
        sample = world(200, 1000 + seed, spill)
        found = project(sample, responses=1, horizons=10, bootstrap=99, rng=rng)
        inside.append((found.lower[:, 0] <= path) & (path <= found.upper[:, 0]))
        joint.append(bool(((found.joint_lower[:, 0] <= path) & (path <= found.joint_upper[:, 0])).all()))
        other = project(sample, responses=1, horizons=10, cov="HAC")
        hac.append((other.lower[:, 0] <= path) & (path <= other.upper[:, 0]))
    assert 0.92 <= np.mean(inside) <= 0.98
    assert 0.86 <= np.mean(joint) <= 0.99
    assert np.mean(hac) < np.mean(inside)


def test_no_response_is_rejected_seldom_and_a_response_often() -> None:
    rng = np.random.default_rng(9)
    null, power = [], []
    for _ in range(80):
        x, u = rng.standard_normal((2, 250))
        u = u * np.sqrt(0.4 + 0.6 * np.r_[0, x[:-1]] ** 2)
        for rejected, slope in ((null, 0.0), (power, 0.3)):
            y = slope * np.r_[0.0, x[:-1]] + u
            options = {"responses": 1, "horizons": range(1, 11), "cumulative": True, "bootstrap": 99, "rng": rng}
            rejected.append(project(np.column_stack([x, y]), **options).pvalue[0] <= 0.05)
    assert np.mean(null) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)
    assert np.mean(power) >= 0.6


def test_robust_near_a_unit_root() -> None:
    """The augmentation keeps normal limits for a random walk, ten steps ahead."""
    held = []
    for seed in range(100):
        walk = np.cumsum(np.random.default_rng(seed).standard_normal(300))
        found = project(walk, lags=1, horizons=[10])
        held.append(found.lower[0, 0] <= 1.0 <= found.upper[0, 0])
    assert 0.85 <= np.mean(held) <= 0.99


def test_data_that_allow_no_projection(data: np.ndarray) -> None:
    for table, options, words in (
        (data[:15], {}, "too few"),
        (np.column_stack([data, data[:, 0]]), {}, "collinear"),
        (np.column_stack([np.zeros(300), data[:, 1]]), {}, "zero in every"),
        (data[:30], {"horizons": 25}, "too few"),
    ):
        found = local_projection(table, **({"shock": 0, "lags": 2, "horizons": 6} | options))
        assert isinstance(found, Inapplicable)
        assert words in found.reason


def test_wrong_arguments(data: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for options, words in (
        ({"shock": 2}, "no column"),
        ({"shock": "z"}, "no column"),
        ({"shock": True}, "no column"),
        ({"given": 0}, "cannot be given"),
        ({"responses": [1, 1]}, "twice"),
        ({"responses": []}, "must respond"),
        ({"lags": -1}, "lags"),
        ({"horizons": [2, 1]}, "rise strictly"),
        ({"horizons": -1}, "horizons"),
        ({"cov": "HC9"}, "unknown covariance"),
        ({"level": 0.2}, "coverage"),
        ({"bootstrap": 99}, "generator"),
        ({"bootstrap": 9, "rng": rng}, "too few draws"),
        ({"names": ("a",)}, "distinct"),
    ):
        with pytest.raises(InputError, match=words):
            local_projection(data, **({"shock": 0, "lags": 1, "horizons": 3} | options))


def spells(n: int) -> np.ndarray:
    return (np.arange(n) // 30 % 2).astype(float)


def compare(data: np.ndarray, state: np.ndarray, **options: object) -> StateLocalProjection:
    settings = {"lags": 2, "horizons": 5, "bootstrap": 199, "rng": np.random.default_rng(1)} | options
    found = state_local_projection(data[:, 1], data[:, 0], state, **settings)
    assert isinstance(found, StateLocalProjection)
    return found


def test_states_are_separate_regressions(data: np.ndarray) -> None:
    state = spells(300)
    found = compare(data, state, cumulative=True)
    for value in (0, 1):
        for h in (0, 3):
            rows = np.arange(2, 300 - h)
            rows = rows[state[rows] == value]
            target = sum(data[rows + j, 1] for j in range(h + 1))
            Z = np.column_stack([data[rows, 0], np.ones(rows.size), data[rows - 1], data[rows - 2]])
            peer = sm.OLS(target, Z).fit(cov_type="HC3")
            assert_allclose(found.responses[value, h], peer.params[0], rtol=1e-8)
            assert_allclose((found.lower[value, h], found.upper[value, h]), peer.conf_int()[0], rtol=1e-6)
    assert_allclose(found.difference, found.responses[1] - found.responses[0])
    assert found.state_nobs.sum() == found.nobs == 298
    assert found.state_episodes.tolist() == [5, 5]
    half = (found.upper - found.lower)[:, -1] / 2
    assert_allclose(found.interval, found.estimate + np.hypot(*half) * np.array([-1, 1]), rtol=1e-9)
    assert_allclose(found.difference_t[-1], found.estimate / np.hypot(*half) * 1.959964, rtol=1e-6)
    assert (found.joint_lower <= found.lower).all()
    assert from_dict(found.to_dict()) == found
    assert len(found.to_frame()) == 12
    assert "inside: " in found.summary()
    flipped = compare(data, 1.0 - state, cumulative=True)
    assert flipped.pvalue == found.pvalue
    assert_allclose(flipped.difference, -found.difference)


def test_equal_states_are_rejected_seldom_and_different_ones_often() -> None:
    null, power = [], []
    rng = np.random.default_rng(3)
    for seed in range(80):
        data = world(300, 500 + seed, spill=True)
        null.append(compare(data, spells(300), bootstrap=99, rng=rng).pvalue <= 0.05)
        moved = np.column_stack([data[:, 0], data[:, 1] + 0.6 * spells(300) * data[:, 0]])
        power.append(compare(moved, spells(300), bootstrap=99, rng=rng).pvalue <= 0.05)
    assert np.mean(null) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)
    assert np.mean(power) >= 0.6


def test_states_that_cannot_be_compared(data: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for state, words in ((np.ones(300), "does not vary"), ((np.arange(300) < 30) * 1.0, "fewer than")):
        found = state_local_projection(data[:, 1], data[:, 0], state, lags=1, horizons=3, rng=rng)
        assert isinstance(found, Inapplicable)
        assert words in found.reason
    same = state_local_projection(data[:, 0], data[:, 0], spells(300), lags=0, horizons=[0], rng=rng)
    assert isinstance(same, Inapplicable)
    with pytest.raises(InputError, match="draws"):
        state_local_projection(data[:, 1], data[:, 0], spells(300), lags=1, horizons=3, bootstrap=5, rng=rng)
    with pytest.raises(InputError, match="true or false"):
        state_local_projection(data[:, 1], data[:, 0], spells(300) * 2, lags=1, horizons=3, rng=rng)
