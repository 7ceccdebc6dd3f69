"""Granger by hidden regime: the regression by hand, the bootstrap's own loop, a planted link, size, the joint model."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.regimes import (
    MarkovSwitchingGrangerResult,
    MarkovSwitchingResult,
    markov_switching,
    markov_switching_granger,
)


def run(*args: object, **kwargs: object) -> MarkovSwitchingGrangerResult:
    result = markov_switching_granger(*args, **kwargs)
    assert isinstance(result, MarkovSwitchingGrangerResult), result.summary()
    return result


def world(seed: int, n: int = 500, link: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    s, u = np.zeros(n, dtype=int), rng.random(n)
    for t in range(1, n):
        s[t] = s[t - 1] if u[t] < (0.97, 0.95)[s[t - 1]] else 1 - s[t - 1]
    x = rng.standard_normal(n)
    y = rng.standard_normal(n) * np.where(s, 3.0, 1.0)
    y[1:] += link * s[1:] * x[:-1]
    return y, x


def by_hand(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Build the weighted regression of one lag from the switching fit of the effect alone."""
    first = markov_switching(y, lags=1, form="intercept", switching=("trend",))
    assert isinstance(first, MarkovSwitchingResult)
    chance = first.predicted[1:]
    weight = 1.0 / np.sqrt(chance @ first.variances)
    kept = np.column_stack([np.column_stack([np.ones(y.size - 1), y[:-1]]) * chance[:, [s]] for s in (0, 1)])
    tested = x[:-1, None] * chance
    return y[1:] * weight, kept * weight[:, None], tested * weight[:, None]


def test_every_test_matches_statsmodels() -> None:
    y, x = world(1, link=0.8)
    result = run(y, x, lags=1)
    effect, kept, tested = by_hand(y, x)
    fit = sm.OLS(effect, np.column_stack([kept, tested])).fit(cov_type="HC3", use_t=True)
    R = {
        "equal": [[0, 0, 0, 0, -1, 1]],
        "none": [[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]],
        "state 0": [[0, 0, 0, 0, 1, 0]],
        "state 1": [[0, 0, 0, 0, 0, 1]],
    }
    assert result.tests == tuple(R)
    for i, restriction in enumerate(R.values()):
        peer = fit.f_test(np.array(restriction))
        assert result.test_statistic[i] == pytest.approx(float(peer.fvalue), rel=1e-7)
        assert result.test_pvalue[i] == pytest.approx(float(peer.pvalue), rel=1e-6)
    np.testing.assert_allclose(result.coefficients[:, 0], fit.params[4:], rtol=1e-8)
    assert result.interval == pytest.approx(tuple(fit.t_test(R["equal"]).conf_int()[0]), rel=1e-6)
    assert (result.statistic, result.pvalue) == (result.test_statistic[0], result.test_pvalue[0])
    assert (result.nobs, result.nobs_lost, result.lags) == (499, 1, 1)
    assert result.regime_rows.sum() == pytest.approx(499)


def test_bootstrap_matches_a_loop_that_refits_every_draw() -> None:
    y, x = world(2, n=250)
    draws = 60
    result = run(y, x, lags=1, bootstrap=draws, rng=np.random.default_rng(3))
    effect, kept, tested = by_hand(y, x)
    full = np.column_stack([kept, tested])
    nulls = {
        "equal": (np.column_stack([kept, tested.sum(axis=1)]), np.array([[0, 0, 0, 0, -1, 1.0]])),
        "none": (kept, np.eye(6)[4:]),
        "state 0": (np.column_stack([kept, tested[:, 1]]), np.eye(6)[4:5]),
        "state 1": (np.column_stack([kept, tested[:, 0]]), np.eye(6)[5:]),
    }
    signs = np.random.default_rng(3).integers(0, 2, size=(draws, 249)) * 2.0 - 1.0
    for i, (design, R) in enumerate(nulls.values()):
        null = sm.OLS(effect, design).fit()
        beaten = 0
        for row in signs:
            fit = sm.OLS(null.fittedvalues + row * null.resid, full).fit(cov_type="HC3", use_t=True)
            beaten += float(fit.f_test(R).fvalue) >= result.test_statistic[i]
        assert result.test_bootstrap_pvalue[i] == pytest.approx((1 + beaten) / (1 + draws)), result.tests[i]


def test_a_link_in_the_turbulent_regime_is_found_there() -> None:
    y, x = world(3, n=1200, link=0.9)
    result = run(y, x, lags=2, bootstrap=199, rng=np.random.default_rng(1), likelihood=True)
    chances = dict(zip(result.tests, result.test_bootstrap_pvalue, strict=True))
    assert chances["equal"] <= 0.02
    assert chances["state 1"] <= 0.01
    assert chances["state 0"] > 0.05
    assert result.cumulative_lower[1] <= 0.9 <= result.cumulative_upper[1]
    np.testing.assert_allclose(result.likelihood_coefficients[1, 0], 0.9, atol=0.35)
    likelihood = dict(zip(result.tests, result.likelihood_pvalue, strict=True))
    assert likelihood["state 1"] < 0.01 < likelihood["state 0"]
    assert any("normal" in warning for warning in result.warnings)


def test_given_series_take_the_place_of_a_common_driver() -> None:
    rng = np.random.default_rng(4)
    y, x = world(4, n=900)
    driver = rng.standard_normal(900)
    y[1:] += 0.8 * driver[:-1]
    x = x * 0.3 + driver
    alone, beside = run(y, x, lags=1), run(y, x, driver, lags=1)
    assert alone.test_pvalue[1] < 1e-6
    assert beside.test_pvalue[1] > 0.01


def test_size_when_the_variance_follows_the_cause_and_no_regimes_exist() -> None:
    """Nominal 5 %, 40 replications, n = 250: y has no regimes at all, its variance moves with the cause."""
    hits = np.zeros(4)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(250)
        y = rng.standard_normal(250)
        y[1:] *= np.sqrt(0.3 + 0.7 * x[:-1] ** 2)
        result = markov_switching_granger(y, x, lags=1, bootstrap=99, rng=rng, starts=4)
        if isinstance(result, MarkovSwitchingGrangerResult):
            hits += result.test_bootstrap_pvalue <= 0.05
    assert (hits / 40 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 40)).all()


def test_what_the_data_do_not_allow() -> None:
    y, x = world(5)
    for result, reason in (
        (markov_switching_granger(y[:20], x[:20], lags=1), "too few"),
        (markov_switching_granger(y, np.ones(500), lags=1), "collinear"),
        (markov_switching_granger(np.ones(500), x, lags=1), "constant"),
    ):
        assert isinstance(result, Inapplicable)
        assert reason in result.reason


@pytest.mark.parametrize(
    ("options", "text"),
    [({"lags": 0}, "lags"), ({"lags": 1, "bootstrap": 9}, "generator"), ({"lags": 1, "level": 0.0}, "level")],
)
def test_options_outside_their_range(options: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        markov_switching_granger(*world(6), **options)
