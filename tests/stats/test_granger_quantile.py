"""Quantile causality against published numbers, exact linear programs, closed-form nulls and its own definitions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats import cross_quantilogram as cq
from analysis.stats import granger_quantile as gq
from analysis.stats.quantile import bootstrap as qb
from analysis.stats.quantile.kernels import interior_point
from analysis.stats.quantile.regression import check_loss, density_bandwidth, fit_quantile, solve_quantile
from analysis.stats.quantile.troster import weighted_hits


def linear(n: int = 400, k: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.standard_normal((n, k - 1)) * [0.01, 1.0, 30.0][: k - 1]])
    return X, X @ rng.standard_normal(k) + rng.standard_t(3, n)


def led(n: int, slope: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    return slope * np.r_[0.0, x[:-1]] + rng.standard_normal(n), x


# --- quantile regression -------------------------------------------------------------------------------------------


def exact_program(X: np.ndarray, y: np.ndarray, tau: float) -> np.ndarray:
    """Quantile regression as the linear program it is, solved by a simplex code."""
    n, k = X.shape
    cost = np.r_[np.zeros(k), np.full(n, tau), np.full(n, 1 - tau)]
    rows = np.hstack([X, np.eye(n), -np.eye(n)])
    return optimize.linprog(
        cost, A_eq=rows, b_eq=y, bounds=[(None, None)] * k + [(0, None)] * (2 * n), method="highs"
    ).x[:k]


@pytest.mark.parametrize("tau", [0.03, 0.3, 0.5, 0.95])
def test_coefficients_are_those_of_the_exact_linear_program(tau):
    X, y = linear(n=200)
    coefficients, hits = solve_quantile(X, y, tau)
    np.testing.assert_allclose(coefficients, exact_program(X, y, tau), rtol=1e-6, atol=1e-7)
    residuals = y - X @ coefficients
    clear = np.abs(residuals) > 1e-6
    np.testing.assert_allclose(hits[clear], tau - (residuals[clear] < 0), atol=1e-6)
    assert (~clear).sum() == X.shape[1]  # a basic solution passes through as many rows as it has coefficients
    np.testing.assert_allclose(X.T @ hits, 0.0, atol=1e-6)


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.8])
def test_never_worse_than_statsmodels_and_equal_to_its_precision(tau):
    X, y = linear(n=900, seed=4)
    peer = sm.QuantReg(y, X).fit(q=tau, max_iter=5000, p_tol=1e-9).params
    ours = solve_quantile(X, y, tau)[0]
    assert check_loss(y - X @ ours, tau) <= check_loss(y - X @ peer, tau) + 1e-9
    np.testing.assert_allclose(X @ ours, X @ peer, atol=2e-3)


def test_coefficients_of_r_quantreg(shared):
    # R 4, quantreg::rq on lmtest's ChickEgg in thousands: chicken on two lags of itself and of egg; the egg terms.
    data = pd.read_csv(shared / "reference" / "chickegg.csv") / 1000
    result = gq.quantile_granger(data["chicken"], data["egg"], lags=2, quantiles=(0.25, 0.5, 0.75))
    printed = [[53.7459218728, -57.8778001436], [47.1848438470, -52.8676896634], [77.3131536672, -83.9889298382]]
    np.testing.assert_allclose(result.coefficients, printed, rtol=1e-6)  # T1


def plain_interior_point(X, y, start, tau, tolerance, limit):
    """The compiled method in array notation."""
    n = len(y)
    beta, x, s = -start, np.full(n, 1 - tau), np.full(n, tau)
    floor = 1e-3 * np.abs(y).max() + 1e-12
    r = -y - X @ beta
    z, w = np.maximum(r, 0) + floor, np.maximum(-r, 0) + floor

    def reach(value, change):
        down = change < 0
        return (-value[down] / change[down]).min(initial=1e20)

    def step(shift, target, ex, es):
        d = np.linalg.solve((X * q[:, None]).T @ X, X.T @ (q * shift))
        dx = q * (X @ d - shift)
        dz = (target - ex) / x - z * (1 + dx / x)
        dw = (target - es) / s - w * (1 - dx / s)
        primal = min(1, 0.99995 * min(reach(x, dx), reach(s, -dx)))
        return d, dx, dz, dw, primal, min(1, 0.99995 * min(reach(z, dz), reach(w, dw)))

    for iteration in range(limit):
        gap = x @ z + s @ w
        if gap <= tolerance * np.abs(y).sum():
            return -beta, x, iteration
        q = 1 / (z / x + w / s)
        d, dx, dz, dw, primal, dual = step(z - w, 0.0, 0.0, 0.0)
        if min(primal, dual) < 1:
            after = (x + primal * dx) @ (z + dual * dz) + (s - primal * dx) @ (w + dual * dw)
            target = gap * (after / gap) ** 3 / (2 * n)
            ex, es = dx * dz, -dx * dw
            d, dx, dz, dw, primal, dual = step(z - w + (ex - target) / x - (es - target) / s, target, ex, es)
        x, s, beta = x + primal * dx, s - primal * dx, beta + dual * d
        z, w = z + dual * dz, w + dual * dw
    return -beta, x, -1


@pytest.mark.parametrize("tau", [0.05, 0.5, 0.9])
def test_compiled_method_equals_its_plain_twin(tau):
    rng = np.random.default_rng(8)
    X = np.column_stack([np.ones(300), rng.standard_normal((300, 3))])
    y = X.sum(axis=1) + rng.standard_normal(300)
    start = np.linalg.lstsq(X, y, rcond=None)[0]
    fast, plain = (f(X, y, start, tau, 1e-9, 60) for f in (interior_point, plain_interior_point))
    assert fast[2] == plain[2] > 3
    np.testing.assert_allclose(fast[0], plain[0], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(fast[1], plain[1], rtol=1e-8, atol=1e-10)
    assert interior_point(X, y, start, tau, 1e-9, 2)[2] == -1


def test_covariance_is_the_kernel_sandwich_written_out():
    X, y = linear(n=700, k=3, seed=2)
    tau = 0.25
    fit = fit_quantile(X, y, tau, bandwidth="hall-sheather")
    e = y - X @ fit.coefficients
    z = stats.norm.ppf(tau)
    h = 700 ** (-1 / 3) * 1.959963985 ** (2 / 3) * (1.5 * stats.norm.pdf(z) ** 2 / (2 * z**2 + 1)) ** (1 / 3)
    assert density_bandwidth(700, tau, "hall-sheather") == pytest.approx(h, rel=1e-8)
    spread = min(e.std(), np.subtract(*np.quantile(e, [0.75, 0.25])) / 1.349)
    c = spread * (stats.norm.ppf(tau + h) - stats.norm.ppf(tau - h))
    D = sum(0.75 * max(0.0, 1 - (e[i] / c) ** 2) / c * np.outer(X[i], X[i]) for i in range(700))
    J = sum((tau - (e[i] < -1e-9)) ** 2 * np.outer(X[i], X[i]) for i in range(700))
    expected = np.linalg.inv(D) @ J @ np.linalg.inv(D)
    # Rows on the fit (three of them) carry their dual value instead of one side.
    np.testing.assert_allclose(fit.influence.T @ fit.influence, expected, rtol=0.03, atol=1e-12)


# --- sup-Wald --------------------------------------------------------------------------------------------------------


def supremum_probability(taus: np.ndarray, critical: float) -> float:
    """P(max of |B(t)| / sqrt(t(1-t)) <= critical) on a grid, by integrating its Markov transitions."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    z, w = nodes * critical, weights * critical
    density = stats.norm.pdf(z)
    for a, b in itertools.pairwise(taus):
        rho = math.sqrt(a * (1 - b) / (b * (1 - a)))
        step = stats.norm.pdf((z[:, None] - rho * z) / math.sqrt(1 - rho**2)) / math.sqrt(1 - rho**2)
        density = step @ (density * w)
    return float(density @ w)


def test_simulated_null_is_the_bessel_bridge_under_homogeneous_errors():
    taus = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
    u = (np.arange(20_000) + 0.5) / 20_000
    draws = qb.simulated_suprema([(tau - (u < tau))[:, None] for tau in taus])
    for critical in (2.0, 2.5, 3.0):
        exact = supremum_probability(taus, critical)
        assert np.mean(draws <= critical**2) == pytest.approx(
            exact, abs=3 * math.sqrt(exact * (1 - exact) / len(draws))
        )


def test_wald_and_coefficients_are_those_of_the_written_out_regression():
    y, x = led(500, 0.3)
    result = gq.quantile_granger(y, x, lags=2, quantiles=(0.25, 0.5))
    X = np.column_stack([np.ones(498), y[1:-1], y[:-2], x[1:-1], x[:-2]])
    for j, tau in enumerate((0.25, 0.5)):
        np.testing.assert_allclose(result.coefficients[j], exact_program(X, y[2:], tau)[3:], rtol=1e-5, atol=1e-7)
        fit = fit_quantile(X, y[2:], tau)
        V = (fit.influence.T @ fit.influence)[3:, 3:]
        assert result.wald[j] == pytest.approx(
            fit.coefficients[3:] @ np.linalg.solve(V, fit.coefficients[3:]), rel=1e-8
        )
        np.testing.assert_allclose(result.standard_errors[j], np.sqrt(np.diag(V)), rtol=1e-8)
    assert result.statistic == result.wald.max()
    assert (result.nobs, result.nobs_lost, result.lags) == (498, 2, 2)
    assert result.estimate == pytest.approx(result.coefficients[result.wald.argmax()].sum())


def test_units_and_level_do_not_matter():
    y, x = led(400, 0.2)
    base = gq.quantile_granger(y, x, lags=1)
    moved = gq.quantile_granger(1e-3 * y + 5, 40 * x - 2, lags=1)
    np.testing.assert_allclose(moved.wald, base.wald, rtol=1e-5)
    assert moved.pvalue == pytest.approx(base.pvalue, abs=2e-4)


def test_a_missing_value_removes_the_rows_that_need_it_and_no_more():
    y, x = led(300, 0.3)
    x[100] = np.nan
    holed = gq.quantile_granger(y, x, lags=2, quantiles=(0.5,))
    mask = np.ones(300, dtype=bool)
    mask[[101, 102]] = False
    whole = gq.quantile_granger(y, np.nan_to_num(x), lags=2, quantiles=(0.5,), mask=mask)
    assert holed.nobs == 296
    assert holed.statistic == pytest.approx(whole.statistic, rel=1e-9)


def test_the_link_is_found_in_the_tail_where_it_is_and_not_in_the_middle():
    rng = np.random.default_rng(3)
    x = np.abs(rng.standard_normal(1200))
    y = np.r_[1.0, 0.5 + x[:-1]] * rng.standard_normal(1200)
    result = gq.quantile_granger(y, x, lags=1, quantiles=(0.1, 0.5, 0.9), bootstrap=99, rng=rng)
    assert result.bootstrap_pvalue == 0.01
    assert result.bootstrap_pvalues[1] > 0.05
    assert result.coefficients[0, 0] < 0 < result.coefficients[2, 0]


def test_conditioning_removes_a_common_driver():
    rng = np.random.default_rng(12)
    z = rng.standard_normal(900)
    x = np.r_[0.0, z[:-1]] + 0.5 * rng.standard_normal(900)
    y = np.r_[0.0, 0.0, z[:-2]] + 0.5 * rng.standard_normal(900)
    assert gq.quantile_granger(y, x, lags=2, quantiles=(0.25, 0.5, 0.75)).pvalue < 1e-3
    assert gq.quantile_granger(y, x, lags=2, quantiles=(0.25, 0.5, 0.75), given=z).pvalue > 0.05


def test_bootstrap_holds_its_size_and_repeats_to_the_last_bit():
    rng = np.random.default_rng(21)
    pvalues = []
    for _ in range(60):
        x, y = rng.standard_t(4, (2, 120))
        pvalues.append(gq.quantile_granger(y, x, lags=1, quantiles=(0.3, 0.7), bootstrap=19, rng=rng).bootstrap_pvalue)
    assert 0.0 < np.mean(np.array(pvalues) <= 0.10) <= 0.10 + 3 * math.sqrt(0.1 * 0.9 / 60)
    again = [gq.quantile_granger(y, x, lags=1, bootstrap=9, rng=np.random.default_rng(5)).to_json() for _ in range(2)]
    assert again[0] == again[1]


def test_drawn_responses_follow_the_restricted_process():
    W = np.column_stack([np.ones(5), np.arange(5.0)])
    levels = (np.arange(qb.GRID) + 0.5) / qb.GRID
    process = np.column_stack([levels, 2 * levels])
    uniform = np.array([0.1, 0.333, 0.5, 0.9, 0.995])
    np.testing.assert_allclose(qb.draw_response(W, process, uniform), uniform * (1 + 2 * np.arange(5.0)))


# --- Troster ---------------------------------------------------------------------------------------------------------


def test_troster_statistic_is_the_integral_over_frequencies():
    rng = np.random.default_rng(2)
    W = np.column_stack([np.ones(60), rng.standard_normal(60)])
    y, information = rng.standard_normal(60), rng.standard_normal((60, 2))
    taus = np.array([0.3, 0.6])
    found = weighted_hits(W, y, information, taus)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    first, second = np.meshgrid(nodes, nodes, indexing="ij")
    mass = np.outer(weights, weights).ravel() / (2 * np.pi)
    waves = np.exp(1j * information @ np.vstack([first.ravel(), second.ravel()]))
    for j, tau in enumerate(taus):
        hits = solve_quantile(W, y, tau)[1]
        assert found[j] == pytest.approx(mass @ np.abs(hits @ waves) ** 2 / 60, rel=1e-8)


def test_troster_pvalue_counts_runs_of_rows():
    y, x = led(160, 0.0)
    result = gq.quantile_granger(y, x, lags=1, quantiles=(0.3, 0.7), method="troster", subsample=40)
    W, X = np.column_stack([np.ones(159), y[:-1]]), np.column_stack([y[:-1], x[:-1]])
    information = X / X.std(axis=0) / math.sqrt(2)
    taus = np.array([0.3, 0.7])
    assert result.statistic == pytest.approx(weighted_hits(W, y[1:], information, taus).mean())
    runs = [weighted_hits(W[i : i + 40], y[1:][i : i + 40], information[i : i + 40], taus).mean() for i in range(120)]
    assert result.n_subsamples == 120
    assert result.pvalue == (1 + sum(run >= result.statistic for run in runs)) / 121
    y[80] = np.nan
    gap = gq.quantile_granger(y, x, lags=1, quantiles=(0.3, 0.7), method="troster", subsample=40)
    assert gap.n_subsamples == (79 - 39) + (78 - 39)


def test_troster_finds_a_link():
    y, x = led(500, 0.5)
    assert gq.quantile_granger(y, x, lags=1, quantiles=(0.25, 0.5, 0.75), method="troster").pvalue < 0.01


# --- cross-quantilogram -------------------------------------------------------------------------------------


def test_published_cross_quantilograms(shared):
    # R package quantilogram, data sys.risk; T1.
    data = pd.read_csv(shared / "reference" / "sys_risk.csv")
    market, jpm = data["Market"], data["JPM"]
    first = cq.cross_quantilogram(market, jpm, quantiles=(0.1, 0.5), max_lag=5)
    printed = [-0.03456068071, -0.02372881634, -0.03953183963, -0.03112008722, -0.03966092479]
    np.testing.assert_allclose(first.estimate, printed, rtol=1e-6)
    second = cq.cross_quantilogram(jpm, market, quantiles=(0.05, 0.05), max_lag=5)
    printed = [-0.04145848345, -0.04146839796, -0.04528628261, -0.04529623375, -0.04530618508]
    np.testing.assert_allclose(second.estimate, printed, rtol=1e-6)
    assert second.box_pierce == pytest.approx(52.82280467, rel=1e-6)
    assert second.ljung_box == pytest.approx(52.87180392, rel=1e-6)


def written_out(x: np.ndarray, y: np.ndarray, a: float, b: float, k: int) -> float:
    u = np.array([(v <= np.nanquantile(x, a)) - a if np.isfinite(v) else np.nan for v in x])
    v = np.array([(w <= np.nanquantile(y, b)) - b if np.isfinite(w) else np.nan for w in y])
    pairs = [(u[t], v[t - k]) for t in range(k, len(x)) if np.isfinite(u[t]) and np.isfinite(v[t - k])]
    return sum(p * q for p, q in pairs) / math.sqrt(sum(p * p for p, _ in pairs) * sum(q * q for _, q in pairs))


def test_estimates_are_the_definition_also_with_ties_and_gaps():
    rng = np.random.default_rng(6)
    x, y = np.round(rng.standard_normal((2, 150)), 1)
    x[20], y[70:73] = np.nan, np.nan
    result = cq.cross_quantilogram(x, y, quantiles=(0.3, 0.15), max_lag=4)
    np.testing.assert_allclose(result.estimate, [written_out(x, y, 0.3, 0.15, k) for k in range(1, 5)], rtol=1e-12)
    assert (result.nobs, result.nobs_lost) == (146, 4)
    whole = cq.cross_quantilogram(np.nan_to_num(x), np.nan_to_num(y), quantiles=(0.3, 0.15), max_lag=4)
    assert whole.ljung_box == pytest.approx(150 * 152 * sum(whole.estimate**2 / (150 - np.arange(1, 5))), rel=1e-12)


def test_y_is_the_one_that_leads():
    rng = np.random.default_rng(9)
    y = rng.standard_normal(800)
    x = np.r_[0.0, 0.0, y[:-2]] + 0.5 * rng.standard_normal(800)
    forward = cq.cross_quantilogram(x, y, quantiles=(0.2, 0.2), max_lag=3).estimate
    backward = cq.cross_quantilogram(y, x, quantiles=(0.2, 0.2), max_lag=3).estimate
    assert forward[1] > 0.4 > 0.2 > abs(forward[0])
    assert np.abs(backward).max() < 0.15


def test_resampled_quantilograms_equal_those_of_the_resampled_rows():
    rng = np.random.default_rng(3)
    rows = np.round(rng.standard_normal((90, 3)), 1)
    indices = cq.stationary_indices(90, 5.0, 12, rng)
    fast = cq.resampled_quantilograms(rows, (0.17, 0.6), indices)
    for draw, index in enumerate(indices):
        star = rows[index]
        u = (star[:, 0] <= np.quantile(star[:, 0], 0.17)) - 0.17
        for k in (1, 2):
            v = (star[:, k] <= np.quantile(star[:, k], 0.6)) - 0.6
            assert fast[draw, k - 1] == pytest.approx(u @ v / math.sqrt((u @ u) * (v @ v)), abs=1e-12)


def test_blocks_have_the_mean_length_asked_for():
    indices = cq.stationary_indices(400, 8.0, 200, np.random.default_rng(1))
    breaks = ((np.diff(indices, axis=1) - 1) % 400 != 0).mean()
    assert breaks == pytest.approx(1 / 8, rel=0.05)
    assert np.bincount(indices.ravel(), minlength=400).min() > 0


def test_default_block_is_arch_optimal_length_of_the_hits():
    from arch.bootstrap import optimal_block_length

    rng = np.random.default_rng(4)
    x = np.convolve(rng.standard_normal(600), np.ones(5), "same")
    y = rng.standard_normal(600)
    result = cq.cross_quantilogram(x, y, quantiles=(0.1, 0.1), max_lag=2, bootstrap=9, rng=rng)
    hits = [(s <= np.quantile(s, 0.1)) - 0.1 for s in (x, y)]
    assert result.block_length == pytest.approx(
        max(1.0, *(optimal_block_length(h)["stationary"].iloc[0] for h in hits))
    )
    assert result.block_length > 2


def test_bootstrap_finds_a_link_and_leaves_a_dependent_null_alone():
    rng = np.random.default_rng(14)
    y, x = led(600, 0.6)
    linked = cq.cross_quantilogram(y, x, quantiles=(0.2, 0.2), max_lag=2, bootstrap=199, rng=rng)
    assert linked.bootstrap_pvalue == 0.005
    assert linked.estimate[0] > linked.null_upper[0]
    assert linked.lower[0] < linked.estimate[0] < linked.upper[0]
    chi2, star = [], []
    for _ in range(60):
        a, b = (np.convolve(rng.standard_normal(320), np.ones(12), "valid") for _ in range(2))
        result = cq.cross_quantilogram(a, b, quantiles=(0.5, 0.5), max_lag=3, bootstrap=59, rng=rng)
        chi2.append(result.pvalue)
        star.append(result.bootstrap_pvalue)
    assert np.mean(np.array(chi2) <= 0.05) > 0.35  # the warning that goes with it is deserved
    assert np.mean(np.array(star) <= 0.05) < 0.25


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"quantiles": (0.5, 0.2)}, "increase strictly"),
        ({"quantiles": (0.0, 0.5)}, "between 0 and 1"),
        ({"method": "other"}, "unknown method"),
        ({"bandwidth": "other"}, "bandwidth"),
        ({"bootstrap": 9}, "random generator"),
        ({"bootstrap": 9, "method": "troster"}, "subsamples"),
        ({"subsample": 50}, "troster"),
        ({"lags": 0}, "whole number"),
    ],
)
def test_wrong_options_are_refused_in_words(options, words):
    y, x = led(200, 0.1)
    with pytest.raises(InputError, match=words):
        gq.quantile_granger(y, x, **({"lags": 1} | options))


def test_data_that_cannot_carry_the_test_give_a_reason():
    y, x = led(200, 0.1)
    few = gq.quantile_granger(y, x, lags=5, quantiles=(0.05, 0.5))
    assert isinstance(few, Inapplicable)
    assert "beyond the quantile 0.05" in few.reason
    same = gq.quantile_granger(y, y, lags=1)
    assert isinstance(same, Inapplicable)
    assert "collinear" in same.reason
    flat = cq.cross_quantilogram(np.zeros(50), y[:50], quantiles=(0.1, 0.1), max_lag=1)
    assert isinstance(flat, Inapplicable)
    assert "always lies at or below" in flat.reason
    assert isinstance(cq.cross_quantilogram(y[:4], x[:4], quantiles=(0.5, 0.5), max_lag=3), Inapplicable)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((np.zeros(5), np.zeros(6)), {}, "differ in length"),
        ((np.zeros((5, 2)), np.zeros(5)), {}, "one series"),
        ((np.arange(9.0), np.arange(9.0)), {"quantiles": (0.5, 1.0)}, "quantiles"),
        ((np.r_[np.inf, np.zeros(8)], np.arange(9.0)), {}, "infinite"),
        ((np.arange(99.0), np.arange(99.0)), {"bootstrap": 9}, "random generator"),
        (
            (np.arange(99.0), np.arange(99.0)),
            {"bootstrap": 9, "rng": np.random.default_rng(1), "block_length": 0.5},
            "block_length",
        ),
    ],
)
def test_cross_quantilogram_refuses_wrong_input(arguments, options, words):
    with pytest.raises(InputError, match=words):
        cq.cross_quantilogram(*arguments, **({"quantiles": (0.5, 0.5), "max_lag": 1} | options))


def test_summaries_name_quantiles_and_lags():
    y, x = led(300, 0.4)
    result = gq.quantile_granger(
        y, x, lags=1, bootstrap=9, rng=np.random.default_rng(0), effect_name="BTC", cause_name="RUT"
    )
    assert "no lag of RUT moves the quantiles 0.05 to 0.95 of BTC" in result.summary()
    assert "quantile 0.5: Wald" in result.summary()
    assert list(result.to_frame()["quantile"]) == list(gq.QUANTILES)
    band = cq.cross_quantilogram(y, x, quantiles=(0.1, 0.2), max_lag=2, bootstrap=19, rng=np.random.default_rng(0))
    assert "lag 2:" in band.summary()
    assert list(band.to_frame()["lag"]) == [1, 2]


# --- levels and units ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"bootstrap": 9}, {"bandwidth": "hall-sheather"}, {"method": "troster"}])
def test_a_level_costs_no_digit(options: dict[str, object]) -> None:
    y, x = led(300, 0.2)
    z, level = np.random.default_rng(4).standard_normal(300), 123456789.3
    high = y + level, x - level, z + level
    clean = high[0] - level, high[1] + level, high[2] - level  # exactly the same numbers without the level
    runs = [
        gq.quantile_granger(a, b, given=c, lags=2, quantiles=[0.2, 0.5, 0.8], rng=np.random.default_rng(0), **options)
        for a, b, c in (high, clean)
    ]
    names = ["statistic", "pvalue", "pvalues"]
    names += ["statistics"] if "method" in options else ["wald", "coefficients", "standard_errors", "estimate"]
    for name in [*names, *(["bootstrap_pvalues"] if "bootstrap" in options else [])]:
        np.testing.assert_allclose(getattr(runs[0], name), getattr(runs[1], name), rtol=1e-9)


def test_coefficients_are_stated_in_the_units_of_the_data() -> None:
    y, x = led(300, 0.2)
    both = np.column_stack([x, np.random.default_rng(4).standard_normal(300)])
    one = gq.quantile_granger(y, both, lags=2, quantiles=[0.5])
    two = gq.quantile_granger(y * 1e-100, both * [1e20, 1e-40], lags=2, quantiles=[0.5])
    factor = [1e-120, 1e-120, 1e-60, 1e-60]
    np.testing.assert_allclose(two.wald, one.wald, rtol=1e-9)
    np.testing.assert_allclose(two.coefficients, one.coefficients * factor, rtol=1e-9)
    np.testing.assert_allclose(two.standard_errors, one.standard_errors * factor, rtol=1e-9)
    beyond = gq.quantile_granger(y * 1e200, x * 1e-200, lags=1, quantiles=[0.5])
    assert isinstance(beyond, Inapplicable)
    assert "change the unit" in beyond.reason


def test_a_crowd_is_reported_at_its_own_value() -> None:
    y, x = led(600, 0.0)
    found = gq.quantile_granger(np.where(np.abs(y) < 1.0, 0.0, y) + 1000.0, x, lags=1, quantiles=[0.5])
    assert isinstance(found, Inapplicable)
    assert "of effect equal 1000 (" in found.reason
