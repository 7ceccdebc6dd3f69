"""Volatility models against published numbers, an own likelihood, scaling, gaps and simulated truth."""

from __future__ import annotations

import math
import shutil
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, from_dict
from analysis.stats.volatility import GarchResult, fit_garch
from analysis.stats.volatility import fit as volatility_fit
from analysis.stats.volatility.fit import longest_stretch
from analysis.stats.volatility.proxy import log_realized, log_squares


def simulate(
    n: int, rng: np.random.Generator, *, alpha: float = 0.1, gamma: float = 0.0, beta: float = 0.85
) -> np.ndarray:
    shocks = rng.standard_normal(n + 300)
    out, h = np.empty(n + 300), 1.0
    for t, shock in enumerate(shocks):
        out[t] = math.sqrt(h) * shock
        h = 0.05 + (alpha + gamma * (out[t] < 0)) * out[t] ** 2 + beta * h
    return out[300:]


@pytest.fixture(scope="module")
def series() -> np.ndarray:
    return 0.02 + 0.01 * simulate(1500, np.random.default_rng(1))


@pytest.fixture(scope="module")
def fitted(series: np.ndarray) -> GarchResult:
    result = fit_garch(series)
    assert isinstance(result, GarchResult)
    return result


def negative_likelihood(theta: np.ndarray, x: np.ndarray) -> float:
    """The textbook likelihood, row by row; the variance before the sample is the mean squared residual."""
    mu, omega, alpha, beta = theta
    e = x - mu
    h = float(np.mean(e**2))
    past, total = h, 0.0
    for value in e:
        h = omega + alpha * past + beta * h
        if h <= 0:
            return 1e10
        total += 0.5 * (math.log(2 * math.pi) + math.log(h) + value**2 / h)
        past = value**2
    return total


def test_mark_and_pound_as_published() -> None:
    """Bollerslev and Ghysels (1996): the benchmark of GARCH software; data of the R package fGarch, not shipped."""
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed: the exchange rates of the R package fGarch cannot be read")
    code = "suppressMessages(library(fGarch)); data(dem2gbp); write(format(dem2gbp[[1]], digits = 17), '', 1)"
    read = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=False, timeout=60)
    if read.returncode != 0:
        pytest.skip("the R package fGarch (Debian: r-cran-fgarch) with the exchange rates is not installed")
    rates = np.array(read.stdout.split(), dtype=float)
    assert rates.shape == (1974,)
    result = fit_garch(rates)
    assert isinstance(result, GarchResult)
    assert_allclose(result.loglikelihood, -1106.607881, atol=1e-3)
    published = {"mu": -0.006190414, "omega": 0.010761392, "alpha": 0.153133905, "beta": 0.805973780}
    assert list(result.params) == list(published)
    assert_allclose(list(result.params.values()), list(published.values()), atol=1e-3)
    assert_allclose(negative_likelihood(np.array(list(result.params.values())), rates), 1106.607881, atol=1e-3)
    # Bollerslev and Wooldridge errors as the benchmark gives them.
    assert result.standard_errors is not None
    assert_allclose(list(result.standard_errors.values()), (0.00918935, 0.00649319, 0.0535317, 0.0724614), rtol=1e-2)


def test_own_likelihood_has_the_same_maximum(series: np.ndarray, fitted: GarchResult) -> None:
    x = 100 * series[:700]
    result = fit_garch(x)
    assert isinstance(result, GarchResult)
    theta = np.array(list(result.params.values()))
    assert_allclose(result.loglikelihood, -negative_likelihood(theta, x), atol=1e-6)
    start = theta * np.array([1.1, 1.2, 0.9, 0.97])
    found = optimize.minimize(
        negative_likelihood,
        start,
        args=(x,),
        method="Nelder-Mead",
        options={"maxiter": 600, "xatol": 1e-7, "fatol": 1e-8},
    )
    assert_allclose(result.loglikelihood, -found.fun, atol=1e-3)
    assert_allclose(theta, found.x, atol=2e-3)


def test_identities(series: np.ndarray, fitted: GarchResult) -> None:
    z, h = fitted.standardized, fitted.conditional_volatility
    assert_allclose(z * h + fitted.params["mu"], series, rtol=1e-10)
    assert_allclose(stats.norm.logpdf(z).sum() - np.log(h).sum(), fitted.loglikelihood, atol=1e-6)
    squares = (series - fitted.params["mu"]) ** 2
    ahead = fitted.params["omega"] + fitted.params["alpha"] * squares[:-1] + fitted.params["beta"] * h[:-1] ** 2
    assert_allclose(h[1:] ** 2, ahead, rtol=1e-9)
    assert_allclose(fitted.persistence, fitted.params["alpha"] + fitted.params["beta"], rtol=1e-12)
    assert fitted.persistence_interval is not None
    assert fitted.persistence_interval[0] < fitted.persistence < fitted.persistence_interval[1] < 1.0
    assert fitted.half_life is not None
    assert_allclose(fitted.persistence**fitted.half_life, 0.5, rtol=1e-12)
    assert from_dict(fitted.to_dict()) == fitted


@pytest.mark.parametrize("vol", ["garch", "gjr", "egarch"])
@pytest.mark.parametrize("dist", ["normal", "t", "skewt"])
def test_the_unit_of_the_returns_does_not_matter(vol: str, dist: str) -> None:
    # Heavy tails, so that the degrees of freedom have a maximum.
    x = 0.01 * (simulate(600, np.random.default_rng(2)) * np.sqrt(7 / np.random.default_rng(5).chisquare(7, 600)))
    small, large = fit_garch(x, vol=vol, dist=dist), fit_garch(5000.0 * x, vol=vol, dist=dist)
    assert isinstance(small, GarchResult)
    assert isinstance(large, GarchResult)
    assert_allclose(large.loglikelihood + 600 * math.log(5000.0), small.loglikelihood, atol=1e-4)
    assert_allclose(large.params["mu"], 5000.0 * small.params["mu"], rtol=1e-3)
    assert_allclose(large.persistence, small.persistence, atol=1e-4)
    assert_allclose(large.conditional_volatility, 5000.0 * small.conditional_volatility, rtol=1e-3)
    omega = small.params["omega"]
    shift = (1 - small.params["beta"]) * 2 * math.log(5000.0)
    assert_allclose(large.params["omega"], omega + shift if vol == "egarch" else 5000.0**2 * omega, rtol=5e-3)


def test_exponential_recursion_by_hand(series: np.ndarray, fitted: GarchResult) -> None:
    result = fit_garch(series, vol="egarch")
    assert isinstance(result, GarchResult)
    p, z, logs = result.params, result.standardized, 2 * np.log(result.conditional_volatility)
    ahead = (
        p["omega"]
        + p["alpha"] * (np.abs(z[:-1]) - math.sqrt(2 / math.pi))
        + p["gamma"] * z[:-1]
        + p["beta"] * logs[:-1]
    )
    assert_allclose(logs[1:], ahead, atol=1e-9)
    assert result.persistence == p["beta"]
    assert 0.85 < p["beta"] < 1.0
    assert abs(result.loglikelihood - fitted.loglikelihood) < 15.0


def test_falls_that_raise_volatility_are_found() -> None:
    x = simulate(2500, np.random.default_rng(3), alpha=0.03, gamma=0.15, beta=0.85)
    plain, skewed, logs = (fit_garch(x, vol=vol) for vol in ("garch", "gjr", "egarch"))
    assert isinstance(skewed, GarchResult)
    assert isinstance(plain, GarchResult)
    assert isinstance(logs, GarchResult)
    assert skewed.standard_errors is not None
    assert abs(skewed.params["gamma"] - 0.15) < 2.6 * skewed.standard_errors["gamma"]
    assert skewed.params["gamma"] > 4 * skewed.standard_errors["gamma"]
    assert skewed.loglikelihood > plain.loglikelihood + 10
    assert logs.params["gamma"] < 0
    assert_allclose(skewed.persistence, sum(skewed.params[k] for k in ("alpha", "beta")) + skewed.params["gamma"] / 2)


def test_degrees_of_freedom_are_found() -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_t(5, 3000)
    result = fit_garch(np.r_[x], dist="t", mean="zero")
    assert isinstance(result, GarchResult)
    assert "mu" not in result.params
    assert 4.0 < result.params["nu"] < 6.5


def test_an_autoregression_loses_its_first_rows(series: np.ndarray) -> None:
    result = fit_garch(series, mean="ar", lags=2)
    assert isinstance(result, GarchResult)
    assert list(result.params)[:3] == ["const", "phi1", "phi2"]
    assert (result.nobs, result.nobs_lost, result.first) == (1498, 2, 2)
    assert np.isnan(result.standardized[:2]).all()
    fit = result.params["const"] + result.params["phi1"] * series[1:-1] + result.params["phi2"] * series[:-2]
    assert_allclose(result.standardized[2:] * result.conditional_volatility[2:], series[2:] - fit, atol=1e-10)


def test_gaps_are_not_bridged(series: np.ndarray, fitted: GarchResult) -> None:
    padded = np.r_[np.nan, series[:200], np.nan, np.nan, series, np.nan]
    result = fit_garch(padded)
    assert isinstance(result, GarchResult)
    assert (result.first, result.last, result.nobs, result.nobs_lost) == (203, 1702, 1500, 204)
    assert result.params == fitted.params
    assert any("longest stretch" in text for text in result.warnings)
    assert np.isfinite(result.standardized).sum() == 1500
    assert longest_stretch(np.array([False, True, False, True, True])) == (3, 5)
    assert longest_stretch(np.zeros(3, dtype=bool)) == (0, 0)


def test_data_that_allow_no_model(series: np.ndarray) -> None:
    for data, words in (
        (np.full(300, 2.0), "constant"),
        (series[:60], "fewer than 100"),
        (np.full(9, np.nan), "0 rows"),
    ):
        result = fit_garch(data)
        assert isinstance(result, Inapplicable)
        assert words in result.reason


def test_a_search_that_does_not_converge_is_failed(series: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    build = volatility_fit._model

    def impatient(*args: object) -> object:
        model = build(*args)  # type: ignore[arg-type]
        fit = model.fit
        model.fit = lambda **options: fit(**(options | {"options": {"maxiter": 1}}))
        return model

    monkeypatch.setattr(volatility_fit, "_model", impatient)
    result = fit_garch(series)
    assert isinstance(result, Failed)
    assert "did not converge" in result.reason


def test_wrong_arguments(series: np.ndarray) -> None:
    for options, words in (
        ({"vol": "arch"}, "unknown vol"),
        ({"mean": "trend"}, "unknown mean"),
        ({"dist": "cauchy"}, "unknown dist"),
        ({"presample": "zero"}, "unknown presample"),
        ({"level": 1.0}, "level"),
        ({"mean": "ar", "lags": 0}, "lags"),
    ):
        with pytest.raises(InputError, match=words):
            fit_garch(series, **options)
    with pytest.raises(InputError, match="shape"):
        fit_garch(np.zeros((5, 2)))


def test_words_and_rows(fitted: GarchResult) -> None:
    text = fitted.summary()
    assert "robust s.e." in text
    assert "persistence" in text
    frame = fitted.to_frame()
    assert frame["parameter"].tolist() == ["mu", "omega", "alpha", "beta", "persistence"]


def test_log_squares_by_hand_and_at_zero() -> None:
    x = np.array([0.0, 1.0, np.nan, -3.0])
    c = 0.02 * 10 / 3
    expected = [math.log(c) - 1, math.log(1 + c) - c / (1 + c), math.nan, math.log(9 + c) - c / (9 + c)]
    assert_allclose(log_squares(x), expected, rtol=1e-12)
    with pytest.raises(InputError, match="no volatility"):
        log_squares([0.0, 0.0])


def test_realised_logs_by_hand() -> None:
    x = np.array([1.0, 2.0, 2.0, np.nan, 3.0, 1.0, 1.0, 5.0, np.nan, np.nan])
    values, last = log_realized(x, [1, 1, 1, 2, 2, 2, 2, 7, 7, 7])
    assert last.tolist() == [2, 6, 9]
    assert_allclose(values[:2], [math.log(9.0), math.log(11.0 * 4 / 3)])
    assert math.isnan(values[2])
    with pytest.raises(InputError, match="non-decreasing"):
        log_realized(x, np.arange(10)[::-1])


def test_a_week_tells_volatility_far_better_than_a_day() -> None:
    """Known variances: the error of one log square is log chi-square (1), of five log chi-square (5)."""
    rng = np.random.default_rng(8)
    z = rng.standard_normal(50_000)
    week, _ = log_realized(z, np.arange(50_000) // 5)
    assert_allclose(np.var(week), 0.49, atol=0.02)
    assert np.var(log_squares(z)) > 2.0
