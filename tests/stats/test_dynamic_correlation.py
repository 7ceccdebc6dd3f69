"""Dynamic correlation against an own likelihood, simulated truth and a constant one; its test's size and power."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, from_dict
from analysis.stats.volatility import (
    ConstantCorrelationResult,
    DynamicCorrelation,
    constant_correlation,
    dynamic_correlation,
    fit_garch,
)
from analysis.stats.volatility import correlation_kernels as kernels
from analysis.stats.volatility.correlation import driver_and_target, maximize
from analysis.stats.volatility.correlation_constancy import influence

ALPHA, BETA = 0.05, 0.92


def simulate(
    n: int, seed: int, *, alpha: float = ALPHA, beta: float = BETA, rho: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Return returns (n, 2) with GARCH(1,1) volatility, and their true conditional correlation (n,)."""
    rng = np.random.default_rng(seed)
    out, truth, h = np.empty((n, 2)), np.empty(n), np.ones(2)
    S = np.array([[1.0, rho], [rho, 1.0]])
    Q = S.copy()
    for t, e in enumerate(rng.standard_normal((n, 2))):
        truth[t] = r = Q[0, 1] / math.sqrt(Q[0, 0] * Q[1, 1])
        z = np.array([e[0], r * e[0] + math.sqrt(1 - r * r) * e[1]])
        out[t] = np.sqrt(h) * z
        h = 0.05 + 0.07 * out[t] ** 2 + 0.88 * h
        Q = (1 - alpha - beta) * S + alpha * np.outer(z, z) + beta * Q
    return out, truth


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    return simulate(1500, 1)


@pytest.fixture(scope="module")
def fitted(data: tuple[np.ndarray, np.ndarray]) -> DynamicCorrelation:
    result = dynamic_correlation(data[0], names=("a", "b"))
    assert isinstance(result, DynamicCorrelation)
    return result


def plain_terms(z: np.ndarray, alpha: float, beta: float, *, corrected: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Engle's recursion, or Aielli's, with whole matrices: log density less that of no correlation, and the path."""
    n, k = z.shape
    driver = z.copy()
    if corrected:
        q = np.ones(k)
        for t in range(n):
            driver[t] = np.sqrt(q) * z[t]
            q = 1 - alpha - beta + alpha * driver[t] ** 2 + beta * q
    S = driver.T @ driver
    S = S / np.sqrt(np.outer(np.diag(S), np.diag(S)))
    Q, terms, path = S.copy(), np.empty(n), np.empty((n, k, k))
    for t in range(n):
        d = np.sqrt(np.diag(Q))
        R = path[t] = Q / np.outer(d, d)
        terms[t] = -0.5 * (np.linalg.slogdet(R)[1] + z[t] @ np.linalg.solve(R, z[t]) - z[t] @ z[t])
        Q = (1 - alpha - beta) * S + alpha * np.outer(driver[t], driver[t]) + beta * Q
    return terms, path


@pytest.mark.parametrize("corrected", [False, True])
def test_recursion_by_an_independent_implementation(corrected: bool) -> None:
    z = np.random.default_rng(2).standard_normal((200, 3)) @ np.array([[1, 0.5, 0.2], [0, 1, -0.3], [0, 0, 1]])
    z /= np.sqrt(np.mean(z**2, axis=0))
    driver, target = driver_and_target(z, 0.06, 0.9, corrected)
    path, terms = kernels.correlation_path(z, driver, target, 0.06, 0.9)
    expected, plain_path = plain_terms(z, 0.06, 0.9, corrected=corrected)
    assert_allclose(terms, expected, atol=1e-11)
    assert_allclose(path, plain_path, atol=1e-12)


@pytest.mark.parametrize("corrected", [False, True])
def test_maximum_by_another_optimiser(data: tuple[np.ndarray, np.ndarray], corrected: bool) -> None:
    """Margins from the arch package, correlations from a plain likelihood and the simplex search of scipy."""
    from arch import arch_model

    x = data[0][:600]
    z, total = np.empty_like(x), 0.0
    for i in range(2):
        centred = x[:, i] - x[:, i].mean()
        for _ in range(4):
            fit = arch_model(x[:, i], rescale=False).fit(disp="off", backcast=float(np.mean(centred**2)))
            centred = np.asarray(fit.resid)
        z[:, i], total = fit.std_resid, total + float(fit.loglikelihood)

    def loss(theta: np.ndarray) -> float:
        if theta.min() < 0 or theta.sum() >= 0.9999:
            return 1e9
        return -float(plain_terms(z, *theta, corrected=corrected)[0].sum())

    found = optimize.minimize(loss, [0.04, 0.9], method="Nelder-Mead", options={"maxiter": 80, "xatol": 1e-4})
    result = dynamic_correlation(x, corrected=corrected, errors=False)
    assert isinstance(result, DynamicCorrelation)
    assert_allclose((result.alpha, result.beta), found.x, atol=1e-3)
    assert_allclose(result.loglikelihood, total - found.fun, atol=1e-3)


def test_truth_lies_in_the_intervals_and_the_path_follows_it(
    data: tuple[np.ndarray, np.ndarray], fitted: DynamicCorrelation
) -> None:
    assert fitted.alpha_error is not None
    assert fitted.beta_error is not None
    assert abs(fitted.alpha - ALPHA) < 2.5 * fitted.alpha_error
    assert abs(fitted.beta - BETA) < 2.5 * fitted.beta_error
    assert 0.005 < fitted.alpha_error < 0.03
    low, high = fitted.persistence_interval or (0.0, 0.0)
    assert low < ALPHA + BETA < high < 1.0
    assert np.corrcoef(fitted.path(), data[1])[0, 1] > 0.97
    band = fitted.correlation_interval
    assert band is not None
    assert (band[:, 0, 0] <= fitted.path()).all()
    assert (fitted.path() <= band[:, 0, 1]).all()
    assert np.abs(band).max() < 1.0
    assert np.mean((band[:, 0, 0] <= data[1]) & (data[1] <= band[:, 0, 1])) > 0.8


def test_errors_agree_with_the_spread_of_estimates() -> None:
    estimates, errors = [], []
    for seed in range(20):
        result = dynamic_correlation(simulate(700, 100 + seed, alpha=0.08, beta=0.85)[0])
        assert isinstance(result, DynamicCorrelation)
        assert result.alpha_error is not None
        estimates.append(result.alpha)
        errors.append(result.alpha_error)
    assert 0.6 < np.median(errors) / np.std(estimates) < 1.5


def test_band_where_the_path_meets_its_mean_is_that_of_a_correlation() -> None:
    """There alpha and beta matter least, and what is left is about the error of the long-run correlation."""
    result = dynamic_correlation(simulate(1500, 12, alpha=0.06, beta=0.5, rho=0.5)[0])
    assert isinstance(result, DynamicCorrelation)
    assert result.correlation_interval is not None
    half = float(np.quantile(np.diff(result.correlation_interval[:, 0], axis=1), 0.05)) / 2
    assert 0.8 < half / (1.96 * (1 - 0.5**2) / math.sqrt(1500)) < 1.7


def test_first_step_is_that_of_the_volatility_models(
    data: tuple[np.ndarray, np.ndarray], fitted: DynamicCorrelation
) -> None:
    for i in range(2):
        assert fitted.margins[i] == fit_garch(data[0][:, i])
    z = np.column_stack([margin.standardized for margin in fitted.margins])
    margins = sum(margin.loglikelihood for margin in fitted.margins)
    assert_allclose(fitted.loglikelihood, margins + plain_terms(z, fitted.alpha, fitted.beta)[0].sum(), atol=1e-6)
    assert_allclose(fitted.constant_loglikelihood, margins + plain_terms(z, 0.0, 0.0)[0].sum(), atol=1e-6)
    assert fitted.loglikelihood > fitted.constant_loglikelihood


def test_order_sign_and_unit(data: tuple[np.ndarray, np.ndarray], fitted: DynamicCorrelation) -> None:
    moved = dynamic_correlation(data[0][:, ::-1] * (-50.0, 0.001), errors=False)
    assert isinstance(moved, DynamicCorrelation)
    assert_allclose((moved.alpha, moved.beta), (fitted.alpha, fitted.beta), atol=1e-4)
    assert_allclose(moved.path(), -fitted.path(), atol=1e-3)


def test_nothing_later_moves_an_earlier_row(data: tuple[np.ndarray, np.ndarray]) -> None:
    """At given parameters the correlation of a row is known before it."""
    z = data[0][:300] / data[0][:300].std(axis=0)
    target = np.array([[1.0, 0.3], [0.3, 1.0]])
    changed = z.copy()
    changed[200:] = 9.0
    first = kernels.correlation_path(z, z, target, 0.05, 0.9)[0]
    second = kernels.correlation_path(changed, changed, target, 0.05, 0.9)[0]
    assert_allclose(first[:201], second[:201], atol=0)
    assert abs(first[201] - second[201]).max() > 0.01


def test_volatility_kernel_by_hand() -> None:
    e = np.array([1.0, -2.0, 0.5])
    h = kernels.gjr_variance(e, 0.1, 0.2, 0.3, 0.4, 2.0)
    first = 0.1 + (0.2 + 0.15 + 0.4) * 2.0
    second = 0.1 + 0.2 * 1.0 + 0.4 * first
    assert_allclose(h, [first, second, 0.1 + 0.5 * 4.0 + 0.4 * second], rtol=1e-12)


def test_a_constant_correlation_is_estimated_as_one() -> None:
    rng = np.random.default_rng(5)
    z = rng.standard_normal((2000, 2)) @ np.linalg.cholesky(np.array([[1, 0.5], [0.5, 1]])).T
    found = maximize(z, False)
    assert not isinstance(found, str)
    assert found.alpha < 0.02
    assert np.ptp(found.path[:, 0, 1]) < 0.3


def test_three_series_and_gaps(data: tuple[np.ndarray, np.ndarray]) -> None:
    x = np.column_stack([data[0], np.random.default_rng(6).standard_normal(1500)])[:500]
    holed = np.vstack([x[:50], np.full((1, 3), np.nan), x])
    result, whole = dynamic_correlation(holed, errors=False), dynamic_correlation(x, errors=False)
    assert isinstance(result, DynamicCorrelation)
    assert isinstance(whole, DynamicCorrelation)
    assert (result.nobs, result.nobs_lost) == (500, 51)
    assert_allclose(result.correlation[51:], whole.correlation, atol=0)
    assert np.isnan(result.correlation[:51]).all()
    assert len(result.pairs) == 3
    assert np.linalg.eigvalsh(whole.correlation).min() > 0.0
    assert_allclose(np.diagonal(whole.correlation, axis1=1, axis2=2), 1.0, rtol=1e-12)
    assert from_dict(result.to_dict()) == result


def test_data_that_allow_no_correlation(data: tuple[np.ndarray, np.ndarray]) -> None:
    x = data[0]
    for columns, words in (
        (np.column_stack([x[:, 0], x[:, 0] * 2]), "collinear"),
        (np.column_stack([x[:, 0], np.ones(1500)]), "volatility of series 2: the series is constant"),
        (x[:50], "fewer than 100"),
    ):
        for result in (dynamic_correlation(columns), constant_correlation(columns, rng=np.random.default_rng(0))):
            assert isinstance(result, Inapplicable)
            assert words in result.reason


def test_wrong_arguments(data: tuple[np.ndarray, np.ndarray]) -> None:
    for options, words in (
        ({"vol": "egarch"}, "unknown volatility"),
        ({"level": 2.0}, "level"),
        ({"names": ("a", "a")}, "distinct"),
    ):
        with pytest.raises(InputError, match=words):
            dynamic_correlation(data[0], **options)
    with pytest.raises(InputError, match="two series"):
        dynamic_correlation(data[0][:, 0])
    with pytest.raises(InputError, match="generator"):
        constant_correlation(data[0])
    with pytest.raises(InputError, match="no table"):
        constant_correlation(data[0], bootstrap=0)


def test_words_and_rows(fitted: DynamicCorrelation) -> None:
    assert "a and b: mean" in fitted.summary()
    row = fitted.to_frame().iloc[0]
    assert row["lower"] < row["last"] < row["upper"]


# --- constancy -------------------------------------------------------------------------------------------------------


def test_a_moving_correlation_is_found(data: tuple[np.ndarray, np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    for lags in (0, 5):
        result = constant_correlation(data[0], lags=lags, bootstrap=199, rng=rng)
        assert isinstance(result, ConstantCorrelationResult)
        assert result.pvalue <= 0.01
    again = constant_correlation(data[0], bootstrap=199, rng=np.random.default_rng(3))
    assert again == constant_correlation(data[0], bootstrap=199, rng=np.random.default_rng(3))


def test_lag_statistic_by_hand(data: tuple[np.ndarray, np.ndarray]) -> None:
    """One pair: the score form of a regression on lags with White's covariance at the restricted residuals."""
    x = data[0][:400]
    z = np.column_stack([fit_garch(column).standardized for column in x.T])
    e = influence(z)[:, 0]
    Z = np.column_stack([e[1:-1], e[:-2]])
    Z = Z - Z.mean(axis=0)
    u = e[2:] - e[2:].mean()
    score = Z.T @ u
    statistic = score @ np.linalg.solve((Z * u[:, None] ** 2).T @ Z, score)
    result = constant_correlation(x, lags=2, bootstrap=0)
    assert isinstance(result, ConstantCorrelationResult)
    assert_allclose(result.statistic, statistic, rtol=1e-9)
    assert_allclose(result.path, np.linalg.lstsq(Z, u, rcond=None)[0], rtol=1e-8)
    assert (result.df, result.nobs, result.nobs_lost) == ((2.0,), 398, 2)


def test_influence_is_blind_to_a_wrong_variance() -> None:
    """A common factor on both shocks moves their product and leaves the influence at zero on average."""
    rng = np.random.default_rng(9)
    z = rng.standard_normal((200_000, 2)) @ np.linalg.cholesky(np.array([[1, 0.6], [0.6, 1]])).T
    loud = z * np.where(np.arange(200_000) < 100_000, 1.5, 0.5)[:, None]
    e, product = influence(loud)[:, 0], loud[:, 0] * loud[:, 1]
    assert abs(e[:100_000].mean() - e[100_000:].mean()) < 0.03
    assert abs(product[:100_000].mean() - product[100_000:].mean()) > 1.0


def test_size_and_power_in_small() -> None:
    rng = np.random.default_rng(11)
    null, moving = 0, 0
    for seed in range(40):
        constant = simulate(400, 500 + seed, alpha=0.0, beta=0.0, rho=0.4)[0]
        result = constant_correlation(constant, bootstrap=99, rng=rng)
        null += not isinstance(result, Failed | Inapplicable) and result.pvalue <= 0.05
        if seed < 12:
            result = constant_correlation(simulate(800, 700 + seed)[0], bootstrap=99, rng=rng)
            moving += not isinstance(result, Failed | Inapplicable) and result.pvalue <= 0.05
    assert null <= 6
    assert moving >= 8


def test_one_absurd_price_leaves_no_interval_and_breaks_nothing() -> None:
    data = np.random.default_rng(1).standard_t(4, (700, 3))[:, :2]
    data[:, 1] += 0.5 * data[:, 0]
    data[350, 1] = 1e8
    found = dynamic_correlation(data, vol="gjr", corrected=True)
    assert isinstance(found, DynamicCorrelation | Inapplicable | Failed)
    if isinstance(found, DynamicCorrelation) and found.persistence >= 1.0:
        assert found.persistence_interval is None
