"""Tests that assets respond alike: plain regressions, identities, size under moving volatility, and power."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.dynamics import ResponseEquality, equal_responses

ASSETS = 5


def world(n: int, rng: np.random.Generator, size: np.ndarray, later: np.ndarray | float = 0.0) -> tuple:
    """Return assets and their cause: a common shock of noise, and volatility that follows the cause."""
    x = rng.standard_normal(n)
    before = np.r_[0.0, x[:-1]]
    noise = rng.standard_normal((n, size.size)) + rng.standard_normal((n, 1))
    noise *= np.sqrt(0.4 + 0.6 * before**2)[:, None]
    return x[:, None] * size + before[:, None] * (size * later) + noise, x


def test(effects: np.ndarray, cause: np.ndarray, **options: object) -> ResponseEquality:
    settings = {"lags": 2, "horizons": 4, "bootstrap": 199, "rng": np.random.default_rng(1)} | options
    found = equal_responses(effects, cause, **settings)
    assert isinstance(found, ResponseEquality)
    return found


test.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    return world(400, np.random.default_rng(2), np.ones(ASSETS))


def test_responses_are_plain_regressions_on_common_dates(pair: tuple) -> None:
    Y, x = pair[0].copy(), pair[1]
    Y[:120, 3] = np.nan  # one asset starts later, so all do
    found = test(Y, x)
    rows = np.arange(122, 400 - 4)
    assert (found.nobs, found.nobs_lost) == (rows.size, 400 - rows.size)
    for i in range(ASSETS):
        Z = np.column_stack([x[rows], np.ones(rows.size), Y[rows - 1, i], Y[rows - 2, i], x[rows - 1], x[rows - 2]])
        for h in (0, 4):
            peer = sm.OLS(sum(Y[rows + j, i] for j in range(h + 1)), Z).fit(cov_type="HC3")
            assert_allclose(found.responses[h, i], peer.params[0], rtol=1e-8)
            assert_allclose(found.standard_errors[h, i], peer.bse[0], rtol=1e-8)


def test_with_two_assets_the_statistic_is_that_of_their_difference(pair: tuple) -> None:
    """The difference of two projections with the same controls is one projection of the difference."""
    Y, x = pair[0][:, :2], pair[1]
    found = test(Y, x, lags=0, horizons=[0], null="size")
    gap = Y[:, 0] - Y[:, 1]
    z = x - x.mean()
    restricted = gap - gap.mean()
    assert_allclose(found.statistic, (z @ restricted) ** 2 / (np.square(z) @ np.square(restricted)), rtol=1e-9)
    path = test(Y, x, lags=0, horizons=[0])
    assert_allclose(path.statistic**2, found.statistic, rtol=1e-9)
    assert path.pvalue == found.pvalue
    high, low = found.responses.max(), found.responses.min()
    assert_allclose(found.estimate, high - low)


@pytest.mark.parametrize("null", ["path", "timing", "size"])
def test_order_and_scale_of_assets_do_not_matter(pair: tuple, null: str) -> None:
    Y, x = pair
    base = test(Y, x, null=null)
    again = test(Y[:, ::-1], x, null=null)
    assert again.pvalue == base.pvalue
    assert_allclose(again.statistic, base.statistic, rtol=1e-6)
    assert_allclose(again.contrast_t[::-1], base.contrast_t, rtol=1e-5, atol=1e-6)
    bigger = test(Y * 7.0, x * 3.0, null=null)
    assert bigger.pvalue == base.pvalue
    assert_allclose(bigger.responses, base.responses * 7 / 3, rtol=1e-8)


def test_timing_does_not_depend_on_the_size_of_any_asset(pair: tuple) -> None:
    Y, x = pair
    scale = np.array([1.0, 5.0, 0.2, 3.0, 0.7])
    base, scaled = test(Y, x, null="timing"), test(Y * scale, x, null="timing")
    assert_allclose(scaled.statistic, base.statistic, rtol=1e-6)
    assert_allclose(scaled.common_ratio, base.common_ratio, rtol=1e-4)
    assert test(Y * scale, x, null="size").pvalue == 1 / 200


def test_the_common_multiple_is_found() -> None:
    Y, x = world(6000, np.random.default_rng(4), np.array([1.0, 2.0, 0.5, 1.5]), later=0.5)
    found = test(Y, x, null="timing", horizons=1)
    assert abs(found.common_ratio - 0.5) < 0.05
    assert found.pvalue > 0.01
    assert found.asymptotic_pvalue == pytest.approx(found.pvalue, abs=0.1)
    assert not any("weak" in text for text in found.warnings)


def test_the_interval_of_the_widest_gap_allows_for_picking_it() -> None:
    """Under equality the interval of the widest of all gaps holds zero about as often as stated."""
    rng = np.random.default_rng(12)
    held = {"path": 0, "size": 0}
    for _ in range(60):
        Y, x = world(250, rng, np.ones(ASSETS))
        for null in held:
            low, high = test(Y, x, null=null, bootstrap=99, rng=rng).interval
            held[null] += low <= 0.0 <= high
    assert min(held.values()) >= 60 * (0.95 - 3 * np.sqrt(0.05 * 0.95 / 60))


def rejections(null: str, size: np.ndarray, later: np.ndarray | float, n: int = 300, runs: int = 80) -> float:
    rng = np.random.default_rng(6)
    count = 0
    for _ in range(runs):
        Y, x = world(n, rng, size, later)
        count += test(Y, x, null=null, bootstrap=99, rng=rng).pvalue <= 0.05
    return count / runs


@pytest.mark.parametrize(
    ("null", "size"),
    [
        ("path", np.ones(ASSETS)),
        ("path", np.zeros(ASSETS)),
        ("size", np.ones(ASSETS)),
        ("timing", np.linspace(0.5, 2.0, ASSETS)),
        ("timing", np.zeros(ASSETS)),
    ],
)
def test_a_true_null_is_rejected_seldom(null: str, size: np.ndarray) -> None:
    """Assets of unequal size but one timing must pass the test of timing, and no response at all passes every test."""
    assert rejections(null, size, 0.3) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)


@pytest.mark.parametrize(
    ("null", "size", "later"),
    [
        ("path", np.linspace(0.7, 1.3, ASSETS), 0.0),
        ("path", np.ones(ASSETS), np.linspace(0.0, 0.8, ASSETS)),
        ("size", np.linspace(0.4, 1.6, ASSETS), 0.0),
        ("timing", np.ones(ASSETS), np.linspace(0.0, 1.0, ASSETS)),
    ],
)
def test_a_false_null_is_rejected_often(null: str, size: np.ndarray, later: np.ndarray | float) -> None:
    assert rejections(null, size, later, runs=30) >= 0.6


def test_weak_responses_are_said_to_be_weak() -> None:
    Y, x = world(300, np.random.default_rng(7), np.zeros(ASSETS))
    found = test(Y, x, null="timing")
    assert "weak" in found.warnings[1]


def test_given_series_are_controls_of_the_date_and_its_past(pair: tuple) -> None:
    Y, x = pair
    rng = np.random.default_rng(5)
    driver = rng.standard_normal(400)
    shifted, cause = Y - x[:, None] + driver[:, None], driver + 0.1 * rng.standard_normal(400)
    alone, beside = test(shifted, cause), test(shifted, cause, given=driver)
    assert (alone.responses[0] > 0.7).all()
    assert (np.abs(beside.responses[0]) < 4 * beside.standard_errors[0]).all()
    assert beside.options["given"] == 1


def test_with_given_series_responses_are_plain_regressions_too(pair: tuple) -> None:
    Y, x = pair
    driver = np.random.default_rng(8).standard_normal(400)
    found = test(Y, x, given=driver, lags=1, horizons=2)
    rows = np.arange(1, 398)
    Z = np.column_stack([x[rows], np.ones(rows.size), driver[rows], Y[rows - 1, 2], x[rows - 1], driver[rows - 1]])
    peer = sm.OLS(sum(Y[rows + j, 2] for j in range(3)), Z).fit(cov_type="HC3")
    assert_allclose((found.responses[2, 2], found.standard_errors[2, 2]), (peer.params[0], peer.bse[0]), rtol=1e-8)


def test_results_repeat_and_read(pair: tuple) -> None:
    for null in ("path", "timing", "size"):
        found = test(*pair, null=null, names=tuple("abcde"))
        assert found == test(*pair, null=null, names=tuple("abcde"))
        assert from_dict(found.to_dict()) == found
        assert found.interval[0] <= found.estimate <= found.interval[1]
        assert found.to_frame()["asset"].tolist() == list("abcde")
        assert "standard errors" in found.summary()
        assert found.null_name == null


def test_data_that_allow_no_test(pair: tuple) -> None:
    Y, x = pair
    rng = np.random.default_rng(0)
    late = Y.copy()
    late[:390, 0] = np.nan
    twice = np.column_stack([Y, Y[:, 0]])
    for null in ("path", "timing", "size"):
        found = equal_responses(late, x, lags=1, horizons=3, null=null, rng=rng)
        assert isinstance(found, Inapplicable)
        assert "too few" in found.reason
    for null in ("timing", "size"):
        found = equal_responses(twice, x, lags=1, horizons=3, null=null, rng=rng)
        assert isinstance(found, Inapplicable)
        assert "same series" in found.reason
    own = equal_responses(np.column_stack([x, Y]), x, lags=1, horizons=3, rng=rng)
    assert isinstance(own, Inapplicable)
    assert "collinear" in own.reason


def test_wrong_arguments(pair: tuple) -> None:
    Y, x = pair
    rng = np.random.default_rng(0)
    for options, words in (
        ({"null": "shape"}, "unknown null"),
        ({"null": "timing", "horizons": [3]}, "two horizons"),
        ({"bootstrap": 0}, "draws"),
        ({"bootstrap": 99, "rng": None}, "generator"),
        ({"horizons": []}, "rise strictly"),
        ({"level": 2.0}, "coverage"),
    ):
        with pytest.raises(InputError, match=words):
            equal_responses(Y, x, **({"lags": 1, "horizons": 3, "rng": rng} | options))
    with pytest.raises(InputError, match="two assets"):
        equal_responses(Y[:, :1], x, lags=1, horizons=3, rng=rng)
    with pytest.raises(InputError, match="wrong shape"):
        equal_responses(Y, x[:-1], lags=1, horizons=3, rng=rng)
