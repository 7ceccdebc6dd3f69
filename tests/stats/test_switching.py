"""Markov switching: published numbers, all paths by brute force, statsmodels as peer, the score, starts and timing."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable
from analysis.stats.regimes import MarkovSwitchingResult, markov_switching
from analysis.stats.switching.fit import maximise
from analysis.stats.switching.model import (
    Parameters,
    expect,
    make_model,
    pack,
    run_filter,
    score,
    stationary,
    unpack,
)


def shipped(name: str) -> np.ndarray:
    """Read a series that statsmodels ships in the source of its own tests (which need its markers to be imported)."""
    spec = importlib.util.find_spec("statsmodels.tsa.regime_switching")
    folder = Path(spec.submodule_search_locations[0]) / "tests"
    for path in (folder / "test_markov_autoregression.py", folder / "test_markov_regression.py"):
        if not path.is_file():
            pytest.skip("statsmodels is installed without its tests, which hold the published series")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
                text = ast.unparse(node.value).replace("np.nan", "None")
                return np.array(ast.literal_eval(text), dtype=float)
    raise AssertionError(f"statsmodels no longer ships {name}")


def fit(*args: object, **kwargs: object) -> MarkovSwitchingResult:
    result = markov_switching(*args, **kwargs)
    assert isinstance(result, MarkovSwitchingResult), result.summary()
    return result


def chain(rng: np.random.Generator, n: int, transition: np.ndarray) -> np.ndarray:
    s, u = np.zeros(n, dtype=int), rng.random(n)
    for t in range(1, n):
        s[t] = int(np.searchsorted(np.cumsum(transition[s[t - 1]]), u[t]))
    return s


def calm_and_turbulent(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    s = chain(rng, n, np.array([[0.98, 0.02], [0.05, 0.95]]))
    return rng.standard_normal(n) * np.where(s, 3.0, 1.0), s


def close(result: MarkovSwitchingResult, numbers: dict[str, float], errors: dict[str, float]) -> None:
    """Parameters to 1e-3 and standard errors to 1e-2 (an optimiser stands between us and the print)."""
    for name, value in numbers.items():
        assert result.params[name] == pytest.approx(value, abs=1e-3, rel=1e-3), name
    for name, value in errors.items():
        assert result.standard_errors[name] == pytest.approx(value, rel=1e-2), name


# --- published numbers --------------------------------------------------------------------------------------------


def test_hamilton_gnp() -> None:
    """Hamilton (1989) as reported by Stata 14 (manual TS, mswitch) and EViews; data as shipped with statsmodels."""
    result = fit(shipped("rgnp"), switching_variance=False, lags=4, starts=16, rng=np.random.default_rng(1))
    assert result.loglikelihood == pytest.approx(-181.26339, abs=1e-4)
    close(
        result,
        {
            "p[0->0]": 0.754673,
            "p[1->0]": 0.095915,
            "const[0]": -0.358811,
            "const[1]": 1.163516,
            "ar.L1": 0.013486,
            "ar.L2": -0.057521,
            "ar.L3": -0.246983,
            "ar.L4": -0.212923,
            "sigma2": math.exp(-0.262658) ** 2,
        },
        {
            "p[0->0]": 0.0965189,
            "p[1->0]": 0.0377362,
            "const[0]": 0.2645396,
            "const[1]": 0.0745187,
            "ar.L1": 0.1199942,
            "ar.L2": 0.137663,
            "ar.L3": 0.1069103,
            "ar.L4": 0.1105311,
        },
    )
    assert (result.order_by, result.nobs, result.nobs_lost) == ("mean", 131, 4)
    # The likelihood has a second maximum near by, which is reported and not hidden.
    assert result.maxima[1] == pytest.approx(-183.66916, abs=1e-3)
    assert result.maxima_starts.sum() <= 16


def test_gnp_with_autoregression_that_switches() -> None:
    """EViews, AR(1): data and numbers as shipped with statsmodels."""
    result = fit(shipped("rgnp"), switching_variance=False, lags=1, switching=("trend", "lags"))
    assert result.loglikelihood == pytest.approx(-186.7575, abs=1e-3)
    close(
        result,
        {"const[1]": 1.041419, "const[0]": -0.479157, "ar.L1[1]": 0.243128, "ar.L1[0]": 0.713029},
        {},
    )
    assert result.transition[1, 1] == pytest.approx(0.85472458, abs=1e-3)
    assert result.transition[0, 1] == pytest.approx(0.53662099, abs=1e-3)


def test_federal_funds_rate_with_a_constant() -> None:
    """Stata 14 manual TS, mswitch, example 1."""
    result = fit(shipped("fedfunds"), switching_variance=False)
    assert result.loglikelihood == pytest.approx(-508.63592, abs=1e-4)
    close(
        result,
        {
            "p[0->0]": 0.9820939,
            "p[1->0]": 0.0503587,
            "const[0]": 3.70877,
            "const[1]": 9.556793,
            "sigma2": 2.107562**2,
        },
        {"p[0->0]": 0.0104002, "p[1->0]": 0.0268434, "const[0]": 0.1767083, "const[1]": 0.2999889},
    )
    np.testing.assert_allclose(result.transition.sum(axis=1), 1.0)
    np.testing.assert_allclose(result.expected_durations, [1 / 0.0179061, 1 / 0.0503587], rtol=1e-3)
    np.testing.assert_allclose(result.stationary @ result.transition, result.stationary)


def test_federal_funds_rate_with_regressors() -> None:
    """Stata 14 manual TS, mswitch, examples 2 and 3: lag, then output gap and inflation too."""
    rate = shipped("fedfunds")
    one = fit(rate, lags=1, form="intercept", switching_variance=False)
    assert one.loglikelihood == pytest.approx(-264.71069, abs=1e-3)
    lags = {round(one.params[f"ar.L1[{s}]"], 3): one.standard_errors[f"ar.L1[{s}]"] for s in (0, 1)}
    assert set(lags) == {0.763, 1.061}
    assert lags[0.763] == pytest.approx(0.0337234, rel=1e-2)
    assert lags[1.061] == pytest.approx(0.0185031, rel=1e-2)
    x = np.column_stack([rate[3:-1], shipped("ogap")[4:], shipped("inf")[4:]])
    two = fit(rate[4:], x, switching_variance=False)
    assert two.loglikelihood == pytest.approx(-229.25614, abs=1e-3)
    found = sorted(two.params[f"x3[{s}]"] for s in (0, 1))
    assert found == pytest.approx([-0.0273928, 0.2125275], abs=1e-3)


def test_returns_with_switching_variance() -> None:
    """Stata 14 manual TS, mswitch: absolute returns and mumps."""
    result = fit(shipped("areturns"), lags=1, form="intercept")
    assert result.loglikelihood == pytest.approx(-745.7977, abs=1e-3)
    close(
        result,
        {
            "p[0->0]": 0.7530865,
            "p[1->0]": 0.6825357,
            "const[0]": 0.7641424,
            "const[1]": 1.972771,
            "ar.L1[0]": 0.0790744,
            "ar.L1[1]": 0.527953,
            "sigma2[0]": 0.5895792**2,
            "sigma2[1]": 1.605333**2,
        },
        {"p[0->0]": 0.0634387, "p[1->0]": 0.0662574, "const[0]": 0.0782852, "ar.L1[1]": 0.0857841},
    )
    mumps = fit(shipped("mumpspc"), lags=1, form="intercept", trend="n")
    assert mumps.loglikelihood == pytest.approx(131.7225, abs=1e-3)
    close(mumps, {"ar.L1[0]": 0.420275, "ar.L1[1]": 0.9847369, "sigma2[1]": 0.2611362**2}, {})


# --- independent ways to the same number --------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 2])
def test_likelihood_and_smoother_equal_the_sum_over_all_paths(order: int) -> None:
    rng = np.random.default_rng(4)
    n, k = 7, 2
    y = rng.standard_normal(n)
    y[4] = np.nan if order == 0 else y[4]
    model = make_model(
        y,
        np.column_stack([np.ones(n), rng.standard_normal(n)]),
        states=k,
        order=order,
        switching=np.array([True, False]),
        switching_ar=True,
        switching_variance=True,
    )
    at = Parameters(
        np.array([[0.8, 0.2], [0.35, 0.65]]),
        np.array([[-0.4, 0.3], [0.7, 0.3]]),
        rng.uniform(-0.4, 0.4, (k, order)),
        np.array([0.5, 1.7]),
    )
    before = stationary(at.transition)
    total, share = 0.0, np.zeros((n, k))
    # Two more dates before the sample: the chain has run for ever, and nothing was seen then.
    for path in itertools.product(range(k), repeat=n + 2):
        chance = before[path[0]] * math.prod(at.transition[path[i], path[i + 1]] for i in range(n + 1))
        s = path[2:]
        deviation = [model.response[t] - model.design[t] @ at.coefficients[s[t]] for t in range(n)]
        for t in np.flatnonzero(model.usable):
            e = deviation[t] - sum(at.ar[s[t], i] * deviation[t - 1 - i] for i in range(order))
            v = at.variance[s[t]]
            chance *= math.exp(-0.5 * e * e / v) / math.sqrt(2 * math.pi * v)
        total += chance
        for t in range(n):
            share[t, s[t]] += chance
    assert run_filter(model, at).loglikelihood == pytest.approx(math.log(total), rel=1e-12)
    weights, present = expect(model, at).weights, model.digits[:, 0]
    smoothed = np.column_stack([weights[:, present == s].sum(axis=1) for s in range(k)])
    np.testing.assert_allclose(smoothed, share / total, rtol=1e-10)


@pytest.mark.parametrize(("order", "states"), [(0, 2), (0, 3), (1, 3), (2, 2)])
def test_score_is_the_derivative_of_the_likelihood(order: int, states: int) -> None:
    rng = np.random.default_rng(8)
    y = rng.standard_normal(60)
    y[20] = np.nan
    model = make_model(
        y,
        np.column_stack([np.ones(60), rng.standard_normal((60, 2))]),
        states=states,
        order=order,
        switching=np.array([True, False, True]),
        switching_ar=True,
        switching_variance=True,
    )
    theta = 0.5 * rng.standard_normal(sum(model.sizes))
    value, slope = score(model, theta)
    h = 1e-5
    numeric = [(score(model, theta + h * e)[0] - score(model, theta - h * e)[0]) / (2 * h) for e in np.eye(theta.size)]
    np.testing.assert_allclose(slope, numeric, atol=1e-6)
    assert value == pytest.approx(run_filter(model, unpack(model, theta)).loglikelihood)
    np.testing.assert_allclose(pack(model, unpack(model, theta)), theta, atol=1e-12)


def test_three_states_match_statsmodels_at_our_maximum() -> None:
    rng = np.random.default_rng(12)
    s = chain(rng, 500, np.array([[0.95, 0.04, 0.01], [0.03, 0.94, 0.03], [0.02, 0.06, 0.92]]))
    x = rng.standard_normal(500)
    y = (
        np.array([-1.0, 0.5, 2.0])[s]
        + np.array([0.0, 0.5, 1.0])[s] * x
        + np.array([0.5, 1.0, 2.0])[s] * (rng.standard_normal(500))
    )
    for cov, theirs in (("hessian", "approx"), ("opg", "opg"), ("robust", "robust")):
        result = fit(y, x, states=3, cov=cov)
        model = sm.tsa.MarkovRegression(y, 3, exog=x, switching_variance=True)
        P = result.transition
        params = np.r_[
            P[:, 0],
            P[:, 1],
            [result.params[f"{name}[{s}]"] for name in ("const", "x1", "sigma2") for s in range(3)],
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = model.smooth(params, cov_type=theirs)
        assert result.loglikelihood == pytest.approx(peer.llf, abs=1e-8)
        np.testing.assert_allclose(result.filtered, peer.filtered_marginal_probabilities, atol=1e-9)
        np.testing.assert_allclose(result.predicted[1:], peer.predicted_marginal_probabilities[1:500], atol=1e-9)
        ours = [result.standard_errors[f"{name}[{s}]"] for name in ("const", "x1", "sigma2") for s in range(3)]
        np.testing.assert_allclose(ours, peer.bse[-9:], rtol=1e-2)
        np.testing.assert_allclose(result.expected_durations, peer.expected_durations, rtol=1e-6)


# --- search, numbering, identities --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_ordinary_data_never_fail_for_want_of_starting_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    series = [
        rng.standard_normal(300),
        0.01 * rng.standard_t(3, 300),
        np.cumsum(rng.standard_normal(300)),
        np.r_[rng.standard_normal(290), 20 + rng.standard_normal(10)],
    ][seed % 4]
    for switching_variance in (True, False):
        result = fit(series, switching_variance=switching_variance, cov="opg")
        assert math.isfinite(result.loglikelihood)
        normal = -0.5 * 300 * (math.log(2 * math.pi * series.var()) + 1)
        assert result.loglikelihood >= normal - 1e-6


def test_the_regimes_are_found_and_numbered_by_variance() -> None:
    y, s = calm_and_turbulent(3, 1500)
    result = fit(y)
    assert result.order_by == "variance"
    np.testing.assert_allclose(result.variances, [1.0, 9.0], rtol=0.2)
    assert np.mean((result.filtered[:, 1] > 0.5) == s) > 0.9
    np.testing.assert_allclose(result.filtered.sum(axis=1), 1.0)
    by_mean = fit(y, order_by="mean")
    assert by_mean.means[0] <= by_mean.means[1]
    assert by_mean.loglikelihood == pytest.approx(result.loglikelihood, abs=1e-6)


def test_units_change_nothing_but_the_units() -> None:
    y, _ = calm_and_turbulent(5)
    x = np.random.default_rng(1).standard_normal(y.size)
    one, two = fit(y, x), fit(y * 1e-3, x * 50.0)
    assert two.loglikelihood == pytest.approx(one.loglikelihood + y.size * math.log(1e3), abs=1e-5)
    np.testing.assert_allclose(two.filtered, one.filtered, atol=1e-5)
    np.testing.assert_allclose(two.variances, one.variances * 1e-6, rtol=1e-4)
    assert two.standard_errors["x1[1]"] == pytest.approx(one.standard_errors["x1[1]"] * 1e-3 / 50, rel=1e-3)


def test_a_missing_row_tells_nothing_and_the_chain_moves_on() -> None:
    y, _ = calm_and_turbulent(6)
    y[100:103] = np.nan
    result = fit(y)
    assert (result.nobs, result.nobs_lost) == (597, 3)
    np.testing.assert_allclose(result.filtered[100], result.predicted[100])
    np.testing.assert_allclose(result.predicted[101], result.filtered[100] @ result.transition, atol=1e-12)


def test_filtered_and_predicted_look_at_the_past_only() -> None:
    y, _ = calm_and_turbulent(7, 300)
    design = np.ones((300, 1))
    rule = {"states": 2, "order": 0, "switching": np.array([False]), "switching_ar": False, "switching_variance": True}
    at = Parameters(np.array([[0.97, 0.03], [0.1, 0.9]]), np.zeros((2, 1)), np.empty((2, 0)), np.array([1.0, 9.0]))
    other = y.copy()
    other[200:] *= -7.0
    one, two = (run_filter(make_model(series, design, **rule), at) for series in (y, other))
    np.testing.assert_array_equal(one.filtered[:200], two.filtered[:200])
    np.testing.assert_array_equal(one.predicted[:201], two.predicted[:201])
    assert np.abs(one.filtered[200:] - two.filtered[200:]).max() > 0.01


def test_more_starts_never_find_less_and_the_seed_decides() -> None:
    y, _ = calm_and_turbulent(8, 300)
    few, many = fit(y), fit(y, starts=14, rng=np.random.default_rng(2))
    assert many.loglikelihood >= few.loglikelihood - 1e-4
    assert many == fit(y, starts=14, rng=np.random.default_rng(2))
    assert (np.diff(many.maxima) <= 0).all()


def test_a_state_on_equal_values_is_set_aside() -> None:
    """Half of the values are one number: a state of no variance there has a likelihood without bound."""
    rng = np.random.default_rng(3)
    y = np.where(rng.random(400) < 0.5, 0.0, rng.standard_normal(400))
    model = make_model(
        y,
        np.ones((400, 1)),
        states=2,
        order=0,
        switching=np.array([True]),
        switching_ar=False,
        switching_variance=True,
    )
    assert maximise(model, 8, None)[-1].degenerate
    result = markov_switching(y)
    assert isinstance(result, Failed | MarkovSwitchingResult)
    if isinstance(result, Failed):
        assert "no bound" in result.reason
    else:
        assert result.degenerate >= 1


def test_stationary_law_survives_extreme_chains() -> None:
    for tiny in (1e-8, 1e-30):
        P = np.array([[1 - tiny, tiny, 0.0], [0.0, 1 - tiny, tiny], [2 * tiny, 0.0, 1 - 2 * tiny]])
        np.testing.assert_allclose(stationary(P), [0.4, 0.4, 0.2], rtol=1e-8)


def test_what_the_data_do_not_allow() -> None:
    y, _ = calm_and_turbulent(9, 100)
    for result, reason in (
        (markov_switching(y[:15]), "too few"),
        (markov_switching(np.ones(100)), "constant"),
        (markov_switching(y, np.ones(100)), "collinear"),
    ):
        assert isinstance(result, Inapplicable)
        assert reason in result.reason


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"states": 1}, "states"),
        ({"cov": "HC3"}, "unknown covariance"),
        ({"form": "x"}, "unknown form"),
        ({"trend": "ct"}, "unknown trend"),
        ({"starts": 20}, "generator"),
        ({"lags": 10, "states": 3}, "too many states"),
        ({"switching": ("a",)}, "unknown group"),
        ({"order_by": "name"}, "numbering"),
        ({"switching": (), "switching_variance": False}, "nothing differs"),
        ({"lags": -1}, "lags"),
    ],
)
def test_options_outside_their_range(options: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        markov_switching(np.arange(50.0) % 7, **options)
    with pytest.raises(InputError, match="infinite"):
        markov_switching(np.r_[np.inf, np.ones(50)])
