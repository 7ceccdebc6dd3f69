"""Diagnostics against published numbers, peers and refusals; also the guard against drift of the wrapped libraries."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.diagnostics import (
    IntegrationOrder,
    UnitRootResult,
    adf,
    arch_lm,
    dfgls,
    integration_order,
    jarque_bera,
    kpss,
    ljung_box,
    phillips_perron,
    zivot_andrews,
)


@pytest.fixture(scope="module")
def gnp() -> np.ndarray:
    path = Path(__file__).resolve().parents[1] / "reference" / "nelson_plosser_gnp.csv"
    with path.open(encoding="utf-8") as handle:
        return np.log([float(row["gnp_real"]) for row in csv.DictReader(handle)])


# Printed by ur.df, ur.ers and ur.kpss of R package urca to ten digits.
@pytest.mark.parametrize(
    ("test", "lags", "expected"),
    [(adf, 1, -2.993902708), (dfgls, 4, -2.079272194), (kpss, 3, 0.1976005387)],
)
def test_published_unit_root_statistics(test, lags: int, expected: float, gnp: np.ndarray) -> None:
    result = test(gnp, trend="ct", lags=lags)
    assert isinstance(result, UnitRootResult)
    assert result.statistic == pytest.approx(expected, abs=5.1e-10)
    assert result.lags == lags
    assert result.nobs + result.nobs_lost == gnp.size


def test_zivot_andrews_finds_the_published_statistic_and_break(gnp: np.ndarray) -> None:
    result = zivot_andrews(gnp, trend="ct", lags=2)
    assert isinstance(result, UnitRootResult)
    assert result.statistic == pytest.approx(-5.095135375, abs=5.1e-10)
    # ur.za says 30, counted from 1: the stock market crash of 1929 falls in the years just before it.
    assert result.break_index == 30 - 1


def test_phillips_perron_follows_its_formula_and_stays_near_the_published_value(gnp: np.ndarray) -> None:
    result = phillips_perron(gnp, trend="ct", lags=3)
    assert isinstance(result, UnitRootResult)
    y, lagged = gnp[1:], gnp[:-1]
    n = y.size
    fit = sm.OLS(y, np.column_stack([lagged, np.ones(n), np.arange(n)])).fit()
    u, se = fit.resid, fit.bse[0]
    gamma0 = u @ u / n
    long_run = gamma0 + 2 * sum((1 - j / 4) * (u[j:] @ u[:-j]) / n for j in (1, 2, 3))
    s = np.sqrt(u @ u / (n - 3))
    Z = np.sqrt(gamma0 / long_run) * (fit.params[0] - 1) / se
    Z -= 0.5 * (long_run - gamma0) / np.sqrt(long_run) * n * se / s
    assert result.statistic == pytest.approx(Z, rel=1e-8)
    # ur.pp replaces the regressor's residual variance by a large-sample expression, hence the third digit.
    assert result.statistic == pytest.approx(-2.426195943, abs=0.01)


def test_kpss_at_the_end_of_its_table_warns_in_the_result() -> None:
    walk = np.cumsum(np.random.default_rng(1).standard_normal(3000)) + np.arange(3000) * 0.5
    result = kpss(walk, trend="c")
    assert isinstance(result, UnitRootResult)
    assert result.pvalue_bound == "<"
    assert any("beyond the table" in text for text in result.warnings)
    inner = kpss(np.random.default_rng(2).standard_normal(300))
    assert isinstance(inner, UnitRootResult)
    assert (inner.pvalue_bound, inner.warnings) == ("", ())


def test_residual_tests_agree_with_their_definitions() -> None:
    x = np.random.default_rng(4).standard_t(5, size=400)
    z = x - x.mean()
    n = x.size
    r = np.array([(z[k:] @ z[:-k]) / (z @ z) for k in range(1, 6)])
    box = ljung_box(x, lags=5, fitted=1)
    assert isinstance(box, TestResult)
    assert box.statistic == pytest.approx(n * (n + 2) * (r**2 / (n - np.arange(1, 6))).sum(), rel=1e-10)
    assert box.pvalue == pytest.approx(stats.chi2.sf(box.statistic, 4), rel=1e-10)
    squares = z**2
    design = np.column_stack([np.ones(n - 5), *(squares[5 - k : n - k] for k in range(1, 6))])
    peer = sm.OLS(squares[5:], design).fit()
    lm = arch_lm(x, lags=5)
    assert isinstance(lm, TestResult)
    assert lm.statistic == pytest.approx(peer.nobs * peer.rsquared, rel=1e-9)
    assert lm.nobs_lost == 5
    skew, excess = stats.skew(x), stats.kurtosis(x)
    bera = jarque_bera(np.r_[x, np.nan])
    assert isinstance(bera, TestResult)
    assert bera.statistic == pytest.approx(n / 6 * (skew**2 + excess**2 / 4), rel=1e-10)
    assert (bera.nobs, bera.nobs_lost) == (n, 1)


def test_arch_lm_sees_volatility_clustering() -> None:
    rng = np.random.default_rng(8)
    x, h = np.empty(800), 1.0
    for t in range(800):
        x[t] = np.sqrt(h) * rng.standard_normal()
        h = 0.1 + 0.3 * x[t] ** 2 + 0.6 * h
    result = arch_lm(x, lags=5)
    assert isinstance(result, TestResult)
    assert result.pvalue < 1e-4


def test_a_gap_is_never_bridged() -> None:
    x = np.cumsum(np.random.default_rng(3).standard_normal(300))
    gapped = x.copy()
    gapped[100] = np.nan
    short, cut = adf(gapped, lags=2), adf(x[101:], lags=2)
    assert isinstance(short, UnitRootResult)
    assert isinstance(cut, UnitRootResult)
    assert short.statistic == cut.statistic
    assert short.nobs + short.nobs_lost == 300
    assert any("longest" in text for text in short.warnings)


@pytest.mark.parametrize("test", [adf, dfgls, phillips_perron, kpss, zivot_andrews, jarque_bera, integration_order])
@pytest.mark.parametrize("series", [np.ones(60), np.arange(5.0), np.full(60, np.nan)])
def test_series_that_hold_no_information_are_inapplicable(test, series: np.ndarray) -> None:
    assert isinstance(test(series), Inapplicable)


def test_wrong_options_are_refused() -> None:
    x = np.random.default_rng(0).standard_normal(80)
    with pytest.raises(InputError, match="unknown trend"):
        adf(x, trend="linear")
    with pytest.raises(InputError, match="infinite"):
        kpss(np.r_[x, np.inf])
    with pytest.raises(InputError, match="degrees of freedom"):
        ljung_box(x, lags=2, fitted=2)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_order_of_integration_of_a_known_process(order: int) -> None:
    x = np.random.default_rng(17).standard_normal(600)
    for _ in range(order):
        x = np.cumsum(x)
    result = integration_order(x)
    assert isinstance(result, IntegrationOrder)
    assert result.order == order
    assert order <= result.d_max <= 2
    assert len(result.evidence) % 3 == 0


def test_conflicts_are_recorded_and_push_d_max_up(gnp: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    x = np.empty(150)
    x[0] = 0.0
    for t in range(1, 150):
        x[t] = 0.93 * x[t - 1] + rng.standard_normal()
    result = integration_order(x)
    assert isinstance(result, IntegrationOrder)
    assert result.conflicts
    assert not result.settled or result.order == result.d_max
    assert all(("KPSS" in text) and ("Dickey" in text) for text in result.conflicts)
    assert result.d_max >= result.order
