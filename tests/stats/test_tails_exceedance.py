"""Exceedance correlation: corners by hand, normal closed form, the J test, its size and power, contracts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.tails.exceedance import ExceedanceResult, exceedance_correlation, gaussian_exceedance
from analysis.stats.tails.resample import block_weights


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def pair(n: int, rho: float = 0.4, seed: int = 1, nu: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    draw = rng(seed)
    normal = draw.standard_normal((n, 2)) @ np.linalg.cholesky([[1.0, rho], [rho, 1.0]]).T
    x, y = (normal / np.sqrt(draw.chisquare(nu, n) / nu)[:, None]).T
    return x, y


def found(x: np.ndarray, y: np.ndarray, **options: object) -> ExceedanceResult:
    result = exceedance_correlation(x, y, **options)  # type: ignore[arg-type]
    assert isinstance(result, ExceedanceResult), result.summary()
    return result


@pytest.mark.parametrize(("rho", "c"), [(0.5, 0.0), (0.3, 1.0), (-0.4, 0.5), (0.9, 1.5), (0.0, 0.7)])
def test_normal_corner_against_quadrature(rho: float, c: float) -> None:
    nodes, weights = leggauss(300)
    at = c + (nodes + 1) / 2 * 9
    x, y = np.meshgrid(at, at, indexing="ij")
    mass = np.outer(weights, weights) * np.exp(-(x * x - 2 * rho * x * y + y * y) / (2 * (1 - rho**2)))
    mass /= mass.sum()
    mean = (mass * x).sum()
    expected = ((mass * x * y).sum() - mean**2) / ((mass * x * x).sum() - mean**2)
    assert gaussian_exceedance(rho, c) == pytest.approx(expected, abs=1e-9)


def test_corners_are_those_of_a_plain_correlation() -> None:
    x, y = pair(2000)
    result = found(x, y, thresholds=(0.0, 0.8))
    a, b = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    for i, c in enumerate((0.0, 0.8)):
        falls, rises = (a < -c) & (b < -c), (a > c) & (b > c)
        assert result.falls[i] == pytest.approx(np.corrcoef(x[falls], y[falls])[0, 1], abs=1e-12)
        assert result.rises[i] == pytest.approx(np.corrcoef(x[rises], y[rises])[0, 1], abs=1e-12)
        assert (result.falls_nobs[i], result.rises_nobs[i]) == (falls.sum(), rises.sum())
    assert result.estimate == pytest.approx(float(np.mean(result.falls - result.rises)))
    assert result.gaussian[0] == pytest.approx(gaussian_exceedance(np.corrcoef(x, y)[0, 1], 0.0))


def test_one_threshold_without_memory_is_the_delta_method_by_hand() -> None:
    """J with the Bartlett sum written out as a weighted sum of autocovariances of the rows' influence."""
    x, y = pair(900)
    result = found(x, y, thresholds=(0.3,))
    a, b = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    influence = np.zeros(900)
    for sign in (-1.0, 1.0):
        inside = (sign * a > 0.3) & (sign * b > 0.3)
        u, v = ((z[inside] - z[inside].mean()) / z[inside].std() for z in (a, b))
        rho = np.mean(u * v)
        influence[inside] -= sign * 900 / inside.sum() * (u * v - rho * (u**2 + v**2) / 2)
    lags = math.floor(4 * 9 ** (2 / 9))
    variance = influence @ influence + 2 * sum(
        (1 - k / (lags + 1)) * (influence[k:] @ influence[:-k]) for k in range(1, lags + 1)
    )
    expected = (result.falls[0] - result.rises[0]) ** 2 / (variance / 900**2)
    assert result.statistic == pytest.approx(expected, rel=1e-9)
    assert result.df == (1.0,)


def test_bootstrap_draws_are_those_of_written_out_samples() -> None:
    from analysis.stats.tails.exceedance import _correlations, _scaled

    x, y = pair(500)
    order = np.argsort(x), np.argsort(y)
    weights = next(block_weights(500, 4, 10.0, rng()))
    for scale in ("standardised", "normal-scores"):
        z = _scaled(x, y, order, weights, scale)
        drawn = _correlations(*z, weights, np.array([0.0, 0.5]))
        for row, values in zip(weights, drawn, strict=True):
            copies = np.repeat(np.arange(500), row)
            if scale == "standardised":
                again = found(x[copies], y[copies], thresholds=(0.0, 0.5))
                np.testing.assert_allclose(values, np.column_stack([again.falls, again.rises]), atol=1e-10)
            assert np.isfinite(values).all()


def test_turning_both_series_over_swaps_falls_and_rises_and_units_do_not_matter() -> None:
    x, y = pair(1200)
    one, other = found(x, y), found(3 - 5 * x, -y / 100)
    np.testing.assert_allclose(one.falls, other.rises, atol=1e-10)
    assert one.statistic == pytest.approx(other.statistic, rel=1e-8)
    assert one.estimate == pytest.approx(-other.estimate, rel=1e-8)  # type: ignore[operator]


def test_normal_scores_ignore_the_shape_of_the_single_series() -> None:
    x, y = pair(1500)
    plain = found(x, y, scale="normal-scores", bootstrap=29, rng=rng())
    skewed = found(np.exp(x / 2), y**3, scale="normal-scores", bootstrap=29, rng=rng())
    assert plain.to_json() == skewed.to_json()
    assert abs(found(np.exp(x / 2), y**3).estimate - found(x, y).estimate) > 0.05  # type: ignore[operator]


def test_size_is_kept_by_the_bootstrap_and_an_asymmetric_link_is_found() -> None:
    draws, rejected = 30, [0, 0]
    for seed in range(draws):
        x, y = pair(600, seed=seed)
        volatility = np.exp(0.7 * np.sin(np.arange(600) / 40))
        tied = np.where(x < 0, 1.2, 0.0) * x + rng(1000 + seed).standard_normal(600)
        for i, (a, b) in enumerate(((x * volatility, y * volatility), (x, tied))):
            result = found(a, b, scale="normal-scores", bootstrap=99, rng=rng(seed), thresholds=(0.0,))
            assert result.bootstrap_pvalue is not None
            rejected[i] += result.bootstrap_pvalue <= 0.05
    assert rejected[0] <= 0.05 * draws + 3 * math.sqrt(draws * 0.05 * 0.95)
    assert rejected[1] >= 0.8 * draws


def test_thin_corners_are_left_out_or_refused() -> None:
    x, y = pair(400, rho=0.2)
    result = found(x, y, thresholds=(0.0, 2.5))
    assert list(result.thresholds) == [0.0]
    assert "beyond 2.5" in result.warnings[0]
    opposite = exceedance_correlation(x, -x + 0.01 * y, thresholds=(1.0,))
    assert isinstance(opposite, Inapplicable)
    assert "joint falls or rises beyond 1" in opposite.reason


def test_result_shows_both_sides() -> None:
    result = found(*pair(800), bootstrap=49, rng=rng())
    frame = result.to_frame()
    assert list(frame["side"]) == ["falls"] * 3 + ["rises"] * 3
    assert (frame["lower"] <= frame["correlation"]).all()
    assert (frame["correlation"] <= frame["upper"]).all()
    assert result.interval is not None
    assert result.to_json() == found(*pair(800), bootstrap=49, rng=rng()).to_json()
    assert found(*pair(800)).falls_interval is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"thresholds": (-0.5,)}, "distances from the mean"),
        ({"thresholds": ()}, "distances from the mean"),
        ({"thresholds": (0.5, 0.5)}, "given twice"),
        ({"scale": "raw"}, "unknown scale"),
        ({"level": 0.0}, "confidence level"),
        ({"bootstrap": 99}, "needs its own generator"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        exceedance_correlation(*pair(300), **options)  # type: ignore[arg-type]


def test_data_that_cannot_be_used() -> None:
    x, y = pair(300)
    assert isinstance(exceedance_correlation(x[:50], y[:50]), Inapplicable)
    assert isinstance(exceedance_correlation(x, 2 * x + 1), Inapplicable)
    with pytest.raises(InputError, match="wrong shape"):
        exceedance_correlation(x, y[1:])
