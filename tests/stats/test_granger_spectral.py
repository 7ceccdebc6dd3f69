"""Published single-frequency statistics, the mean of the spectrum, restricted regressions, the search over a band."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.granger_spectral import FrequencyCausalityResult, SpectrumResult, breitung_candelon, geweke_spectrum
from analysis.stats.granger_strength import geweke_strength

MIDPOINTS = (np.arange(1500) + 0.5) * np.pi / 1500


def _system(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    root = np.array([[1.0, 0.0, 0.0], [0.4, 1.0, 0.0], [0.2, 0.5, 1.0]])
    one = np.array([[0.5, 0.2, 0.1], [0.1, 0.4, 0.2], [0.0, 0.3, 0.3]])
    two = np.array([[-0.3, 0.15, 0.0], [0.0, -0.2, 0.0], [0.1, 0.0, 0.1]])
    shocks = rng.standard_normal((n, 3)) @ root.T
    out = np.zeros((n, 3))
    for t in range(2, n):
        out[t] = one @ out[t - 1] + two @ out[t - 2] + shocks[t]
    return out


# --- Geweke's spectrum ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "cause", "given"),
    [([0], [1], []), ([0], [1], [2]), ([0, 1], [2], []), ([0], [1, 2], []), ([2], [0], [1])],
)
def test_mean_over_frequencies_is_the_time_domain_strength(
    effect: list[int], cause: list[int], given: list[int]
) -> None:
    data = _system(800, seed=1)
    rest = data[:, given] if given else None
    found = geweke_spectrum(data[:, effect], data[:, cause], lags=2, given=rest, frequencies=MIDPOINTS)
    assert isinstance(found, SpectrumResult)
    whole = geweke_strength(data[:, effect], data[:, cause], lags=2, given=rest)
    assert_allclose(found.strength, whole.state_space, rtol=1e-12)
    assert_allclose(found.values.mean(), found.strength, rtol=1e-10)
    assert (found.values >= 0).all()


def test_closed_form_of_a_delay() -> None:
    """y = c x(-1) + e with white x and e: the spectrum is flat at ln(1 + c^2 var x / var e) of the fitted model."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal(60000)
    y = np.r_[0.0, 0.7 * x[:-1]] + rng.standard_normal(60000)
    found = geweke_spectrum(y, x, lags=1, frequencies=[0.0, 0.5, 1.5, np.pi])
    assert isinstance(found, SpectrumResult)
    assert_allclose(found.values, np.log(1.49), atol=0.03)


def test_the_published_two_series_formula() -> None:
    """Geweke (1982), eq. 3.6: ln S_yy / (S_yy - |H_yx|^2 var(x error given y error)), from the fitted coefficients."""
    from analysis.stats.granger_design import Series
    from analysis.stats.granger_strength import fit_lags

    data = _system(500, seed=3)[:, :2]
    series = Series(data[:, :1], data[:, 1:], np.empty((500, 0)), np.ones(500, dtype=bool))
    fit = fit_lags(series, 2, "c")
    assert not isinstance(fit, str)
    partial = fit.sigma[1, 1] - fit.sigma[0, 1] ** 2 / fit.sigma[0, 0]
    expected = []
    omega = np.array([0.0, 0.3, 1.1, 2.5, np.pi])
    for w in omega:
        H = np.linalg.inv(np.eye(2) - fit.coefs[0] * np.exp(-1j * w) - fit.coefs[1] * np.exp(-2j * w))
        S = (H @ fit.sigma @ H.conj().T)[0, 0].real
        expected.append(np.log(S / (S - abs(H[0, 1]) ** 2 * partial)))
    found = geweke_spectrum(data[:, 0], data[:, 1], lags=2, frequencies=omega)
    assert isinstance(found, SpectrumResult)
    assert_allclose(found.values, expected, rtol=1e-9)


def test_spectrum_survives_json_and_names_the_cycle() -> None:
    data = _system(300, seed=5)
    found = geweke_spectrum(data[:, 0], data[:, 1], lags=2, frequencies=[0.0, 1.0], cause_name="x")
    assert isinstance(found, SpectrumResult)
    assert from_dict(found.to_dict()) == found
    frame = found.to_frame()
    assert np.isinf(frame["period"][0])
    assert frame["period"][1] == pytest.approx(2 * np.pi)
    assert "x on effect" in found.summary()


# --- Breitung and Candelon --------------------------------------------------------------------------------------------


def test_published_euro_area_statistics(shared: Path) -> None:
    import pandas as pd

    frame = pd.read_csv(shared / "reference" / "euro_area_indicators.csv")
    found = breitung_candelon(
        frame["RealGdp.rate.ts"].to_numpy(),
        frame["m3.rate.ts"].to_numpy(),
        lags=4,
        frequencies=[0.1, 0.5, 1.0, 2.0, 3.0],
    )
    assert isinstance(found, FrequencyCausalityResult)
    assert_allclose(found.statistic, [0.343380, 0.450965, 2.743728, 7.116222, 6.068184], atol=5.1e-7)
    assert (found.df == 2).all()


@pytest.mark.parametrize("given", [False, True])
def test_statistic_is_that_of_the_restricted_regression(given: bool) -> None:
    """The chi2 form with the residual variance n - k is (n - k) (SSR_R - SSR_U) / SSR_U, own lags partialled out."""
    data = _system(150, seed=7)
    y, x = data[:, 0], data[:, 1]
    p = 4
    rows = np.arange(p, len(y))
    own = np.column_stack([y[rows - j] for j in range(1, p + 1)])
    if given:
        own = np.column_stack([own] + [data[rows - j, 2] for j in range(1, p + 1)])
    W = np.column_stack([np.ones(len(rows)), own])
    X = np.column_stack([x[rows - j] for j in range(1, p + 1)])

    def ssr(design: np.ndarray) -> float:
        return float(np.square(y[rows] - design @ np.linalg.lstsq(design, y[rows], rcond=None)[0]).sum())

    omega = np.array([0.0, 0.4, 1.9, np.pi])
    expected = []
    for w in omega:
        R = np.array([np.cos(w * np.arange(1, p + 1)), np.sin(w * np.arange(1, p + 1))])
        R = R[:1] if w in (0.0, np.pi) else R
        null = np.linalg.svd(R)[2][len(R) :].T
        full = ssr(np.hstack([W, X]))
        expected.append((len(rows) - W.shape[1] - p) * (ssr(np.hstack([W, X @ null])) - full) / full)
    found = breitung_candelon(y, x, lags=p, frequencies=omega, given=data[:, 2] if given else None)
    assert isinstance(found, FrequencyCausalityResult)
    assert_allclose(found.statistic, expected, rtol=1e-8)
    assert found.df.tolist() == [1.0, 2.0, 2.0, 1.0]
    assert_allclose(found.pvalue, stats.chi2.sf(expected, [1, 2, 2, 1]), rtol=1e-7)


def test_with_three_lags_and_two_restrictions_the_statistic_never_exceeds_the_joint_one() -> None:
    from analysis.stats.granger import granger_test

    data = _system(200, seed=9)
    found = breitung_candelon(data[:, 0], data[:, 1], lags=3, frequencies=MIDPOINTS, cov="HC3")
    joint = granger_test(data[:, 0], data[:, 1], lags=3, cov="HC3")
    assert isinstance(found, FrequencyCausalityResult)
    assert found.statistic.max() <= joint.wald * (1 + 1e-9)


@pytest.mark.parametrize("cov", ["nonrobust", "HC0", "HC3", "HAC"])
def test_draws_are_statistics_of_the_drawn_samples(cov: str) -> None:
    """Fixed design: rebuild two draws from the signs and run each through the ordinary code path."""
    from dataclasses import replace

    from analysis.stats.covariance import coefficient_covariance, partial_out, score_covariance
    from analysis.stats.granger_bootstrap import rademacher
    from analysis.stats.granger_design import build_design, read_series
    from analysis.stats.granger_frequency import _sup_draws, wald_by_frequency

    data = _system(120, seed=11)
    design = build_design(read_series(data[:, 0], data[:, 1], None, None), lags=3)
    fit = partial_out(design.response, design.kept, design.tested, design.rows)
    assert not isinstance(fit, str)
    signs = rademacher(np.random.default_rng(0), 120, 2)[fit.rows]
    omega = np.array([0.2, 1.0, 2.0])
    lags = 4 if cov == "HAC" else 0
    found = _sup_draws(fit, signs, cov, lags, omega)
    for draw in range(2):
        again = partial_out(fit.restricted_residuals * signs[:, [draw]], design.kept, design.tested, design.rows)
        assert not isinstance(again, str)
        assert replace(again).nobs == fit.nobs
        variance = coefficient_covariance(again, score_covariance(again, cov, hac_lags=lags))
        assert_allclose(found[draw], wald_by_frequency(again.coefficients[:, 0], variance, omega)[0].max(), rtol=1e-9)


def test_the_search_over_a_band_costs_what_it_should() -> None:
    """Size at 10 % on independent series: 80 trials, 3 binomial standard errors."""
    rejections = naive = 0
    omega = np.linspace(0.1, 3.0, 15)
    for seed in range(80):
        rng = np.random.default_rng((31, seed))
        data = rng.standard_normal((150, 2))
        found = breitung_candelon(data[:, 0], data[:, 1], lags=6, frequencies=omega, bootstrap=79, rng=rng)
        assert isinstance(found, FrequencyCausalityResult)
        assert found.sup_pvalue is not None
        rejections += found.sup_pvalue <= 0.10
        naive += found.pvalue.min() <= 0.10
    spread = 3 * np.sqrt(80 * 0.09)
    assert abs(rejections - 8) <= spread
    assert naive > 8 + spread  # the smallest of many p-values is no p-value


def test_a_low_frequency_link_is_found_at_low_frequency() -> None:
    """The effect follows a slow average of the cause: the long run carries the link, two-day cycles do not."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal(800)
    slow = np.convolve(x, np.ones(4) / 2, mode="full")[:800]
    y = np.r_[0.0, slow[:-1]] + rng.standard_normal(800)
    found = breitung_candelon(
        y, x, lags=5, frequencies=[0.05, np.pi / 2, np.pi], cov="HC3", band=(0.0, 0.5), bootstrap=199, rng=rng
    )
    assert isinstance(found, FrequencyCausalityResult)
    assert found.pvalue[0] < 1e-6
    assert found.pvalue[1] > 0.01  # a four-term average removes cycles of four
    assert found.sup_pvalue == pytest.approx(1 / 200)
    assert found.sup_frequency == 0.05
    assert from_dict(found.to_dict()) == found
    assert "bootstrap p = 0.005" in found.summary()


def test_refusals() -> None:
    data = _system(100, seed=2)
    y, x = data[:, 0], data[:, 1]
    with pytest.raises(InputError, match="at least 3"):
        breitung_candelon(y, x, lags=2, frequencies=[1.0])
    with pytest.raises(InputError, match="angular frequencies"):
        breitung_candelon(y, x, lags=3, frequencies=[4.0])
    with pytest.raises(InputError, match="angular frequencies"):
        geweke_spectrum(y, x, lags=3, frequencies=[-0.1])
    with pytest.raises(InputError, match="inside the band"):
        breitung_candelon(y, x, lags=3, frequencies=[1.0], band=(2.0, 3.0))
    with pytest.raises(InputError, match="random generator"):
        breitung_candelon(y, x, lags=3, frequencies=[1.0], bootstrap=9)
    for lags in (40, 37):  # 37 rows
        with pytest.raises(InputError, match="beyond the sample"):
            breitung_candelon(y[:40], x[:40], lags=3, frequencies=[1.0], cov="HAC", hac_lags=lags)
    most = breitung_candelon(y[:40], x[:40], lags=3, frequencies=[1.0], cov="HAC", hac_lags=36)
    assert isinstance(most, FrequencyCausalityResult)
    with pytest.raises(InputError, match="hac_lags goes with"):
        breitung_candelon(y, x, lags=3, frequencies=[1.0], hac_lags=4)
    with pytest.raises(InputError, match="one effect and one cause"):
        breitung_candelon(y, data[:, 1:], lags=3, frequencies=[1.0])
    assert isinstance(breitung_candelon(y, np.zeros(100), lags=3, frequencies=[1.0]), Inapplicable)
    walk = np.exp(np.arange(100) / 10)
    assert isinstance(geweke_spectrum(walk + 0.01 * y, x, lags=1, frequencies=[1.0]), Inapplicable)
