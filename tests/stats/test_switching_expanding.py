"""Chances that could have been known: nothing moves when the future does, and blocks match fits by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.regimes import MarkovSwitchingResult, markov_switching
from analysis.stats.switching.expanding import ExpandingProbabilities, expanding_probabilities
from analysis.stats.switching.model import Parameters, make_model, run_filter

REFITS = (300, 450, 600)


def world(seed: int = 2, n: int = 700) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    s = (np.arange(n) // 70 % 3 == 2).astype(int)
    return 0.01 * rng.standard_normal(n) * np.where(s, 3.0, 1.0), s


def run(y: np.ndarray, **options: object) -> ExpandingProbabilities:
    result = expanding_probabilities(y, **{"refits": REFITS, **options})
    assert isinstance(result, ExpandingProbabilities)
    return result


def test_changing_the_future_moves_nothing_dated_earlier() -> None:
    y, _ = world()
    other = y.copy()
    other[500:] = 5.0 * other[500:][::-1]
    one, two = run(y), run(other)
    np.testing.assert_array_equal(one.predicted[:501], two.predicted[:501])
    np.testing.assert_array_equal(one.filtered[:500], two.filtered[:500])
    np.testing.assert_array_equal(one.variances[:2], two.variances[:2])
    assert np.abs(one.predicted[501:] - two.predicted[501:]).max() > 0.05


def test_a_block_uses_the_fit_of_the_rows_before_it() -> None:
    y, s = world()
    result = run(y)
    assert np.isnan(result.predicted[:300]).all()
    assert np.isfinite(result.predicted[300:]).all()
    fit = markov_switching(y[:450], switching=())
    assert isinstance(fit, MarkovSwitchingResult)
    np.testing.assert_allclose(result.transition[1], fit.transition, atol=1e-3)
    np.testing.assert_allclose(result.variances[1], fit.variances, rtol=1e-3)
    at = Parameters(
        result.transition[1], np.full((2, 1), result.means[1, 0]), np.empty((2, 0)), np.asarray(result.variances[1])
    )
    model = make_model(
        y,
        np.ones((y.size, 1)),
        states=2,
        order=0,
        switching=np.array([False]),
        switching_ar=False,
        switching_variance=True,
    )
    by_hand = run_filter(model, at).predicted.reshape(-1, 2, 2).sum(axis=2)
    np.testing.assert_allclose(result.predicted[450:600], by_hand[450:600], rtol=1e-9)
    assert (result.variances[:, 0] < result.variances[:, 1]).all()
    assert np.mean((result.filtered[300:, 1] > 0.5) == s[300:]) > 0.8


def test_missing_rows_and_early_estimations() -> None:
    y, _ = world()
    y[:290] = np.nan
    result = run(y)
    assert list(result.refits) == [450, 600]
    assert "row 300" in result.warnings[0]
    assert np.isnan(result.predicted[:450]).all()
    nothing = expanding_probabilities(np.full(700, np.nan), refits=REFITS)
    assert isinstance(nothing, Inapplicable)
    assert "too few" in nothing.reason


@pytest.mark.parametrize("refits", [(), (5, 5), (0, 10), (10, 700), (10, 20.5), (10, np.nan)])
def test_rows_must_rise_inside_the_series(refits: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="rising rows"):
        expanding_probabilities(world()[0], refits=refits)
