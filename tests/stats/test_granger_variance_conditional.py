"""Causality in the size of shocks, alone and beside drivers: simulated truth, size and the twin's rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.granger_result import GrangerResult
from analysis.stats.granger_variance import VarianceCausalityResult, cheung_ng
from analysis.stats.granger_variance_conditional import shock_size_causality
from analysis.stats.granger_variance_session import OneSessionResult, without_one_session


def simulate(n: int, rng: np.random.Generator, *, link: float = 0.0, driver: float = 0.0) -> np.ndarray:
    """Return effect, cause and driver (n, 3): no causality in mean; variance passes by `link` and from the driver."""
    z = rng.standard_t(6, (n + 200, 3)) / math.sqrt(1.5)
    out, h = np.zeros((n + 200, 3)), np.ones(3)
    for t in range(n + 200):
        out[t] = np.sqrt(h) * z[t]
        y, x, w = out[t] ** 2
        h = np.array(
            [
                0.05 + 0.05 * y + link * x + driver * w + (0.85 - link - driver) * h[0],
                0.05 + 0.05 * x + driver * w + (0.85 - driver) * h[1],
                0.05 + 0.1 * w + 0.85 * h[2],
            ]
        )
    return out[200:]


def pvalue(data: np.ndarray, rng: np.random.Generator, *, beside: bool) -> float:
    result = shock_size_causality(
        data[:, 0], data[:, 1], given=data[:, 2:], lags=5, beside=beside, bootstrap=99, rng=rng
    )
    assert isinstance(result, GrangerResult)
    assert result.bootstrap_pvalue is not None
    return result.bootstrap_pvalue


def test_volatility_that_passes_is_found_both_ways() -> None:
    rng = np.random.default_rng(1)
    data = simulate(1500, rng, link=0.3)
    assert pvalue(data, rng, beside=False) <= 0.02
    assert pvalue(data, rng, beside=True) <= 0.02
    result = shock_size_causality(data[:, 0], data[:, 1], lags=5)
    assert isinstance(result, GrangerResult)
    assert result.interval is not None
    assert result.interval[0] > 0.0


def test_a_common_driver_is_seen_alone_and_gone_beside_it() -> None:
    rng = np.random.default_rng(2)
    samples = [simulate(3000, rng, driver=0.25) for _ in range(10)]
    alone = sum(pvalue(data, rng, beside=False) <= 0.05 for data in samples)
    beside = sum(pvalue(data, rng, beside=True) <= 0.05 for data in samples)
    assert alone >= 4
    assert beside <= 3


def test_size_with_heavy_tails() -> None:
    rng = np.random.default_rng(3)
    samples = [simulate(500, rng) for _ in range(40)]
    for beside in (False, True):
        assert sum(pvalue(data, rng, beside=beside) <= 0.05 for data in samples) <= 6


def test_the_driver_is_known_before_the_row_and_twins_share_rows() -> None:
    rng = np.random.default_rng(4)
    data = simulate(600, rng)
    data[100, 2] = np.nan
    both = [
        shock_size_causality(data[:, 0], data[:, 1], given=data[:, 2:], lags=2, beside=beside)
        for beside in (False, True)
    ]
    assert all(isinstance(result, GrangerResult) for result in both)
    assert both[0].nobs == both[1].nobs  # type: ignore[union-attr]
    assert both[0].options["beside"] is False  # type: ignore[union-attr]
    assert "beside drivers" in both[1].method
    nothing = shock_size_causality(data[:, 0], data[:, 1], lags=2, beside=True)
    assert nothing.options["beside"] is False  # type: ignore[union-attr]
    # The driver's own last row lies after every row that is explained.
    changed = data.copy()
    changed[-1, 2] *= 3.0
    plain, moved = (
        shock_size_causality(x[:, 0], x[:, 1], given=x[:, 2:], lags=2, mean_lags=0) for x in (data, changed)
    )
    assert isinstance(plain, GrangerResult)
    assert isinstance(moved, GrangerResult)
    assert moved.statistic == pytest.approx(plain.statistic, rel=1e-3)
    changed[300:310, 2] *= 10.0
    early = shock_size_causality(changed[:, 0], changed[:, 1], given=changed[:, 2:], lags=2, mean_lags=0)
    assert isinstance(early, GrangerResult)
    assert early.statistic != pytest.approx(plain.statistic, rel=1e-3)


def test_data_that_allow_no_test_and_wrong_arguments() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((300, 2))
    assert isinstance(shock_size_causality(x[:50, 0], x[:50, 1], lags=2), Inapplicable)
    assert isinstance(shock_size_causality(x[:, 0], np.ones(300), lags=2), Inapplicable)
    with pytest.raises(InputError, match="one effect and one cause"):
        shock_size_causality(x[:, 0], x, lags=2)
    with pytest.raises(InputError, match="whole number"):
        shock_size_causality(x[:, 0], x[:, 1], lags=0)


def test_one_session_can_carry_a_link() -> None:
    """Two independent series with one huge shock each, three rows apart: the test on squares rests on that row."""
    rng = np.random.default_rng(6)
    data = simulate(800, rng)
    data[500, 1], data[503, 0] = 25.0 * data[:, 1].std(), 25.0 * data[:, 0].std()
    result = without_one_session(data[:, 0], data[:, 1], lags=5, bootstrap=199, rng=rng)
    assert isinstance(result, OneSessionResult)
    assert (result.session, result.lag) == (503, 3)
    assert result.share > 0.8
    assert result.whole_pvalue <= 0.05
    assert result.pvalue > 0.1
    assert "row 503 carries" in result.summary()
    plain = cheung_ng(data[:, 0], data[:, 1], lags=5)
    assert isinstance(plain, VarianceCausalityResult)
    assert result.whole_statistic == pytest.approx(plain.statistic, rel=1e-12)


def test_a_link_on_many_sessions_stays_without_one() -> None:
    rng = np.random.default_rng(7)
    data = simulate(1500, rng, link=0.3)
    result = without_one_session(data[:, 0], data[:, 1], lags=5, bootstrap=199, rng=rng)
    assert isinstance(result, OneSessionResult)
    assert result.pvalue <= 0.02
    assert result.share < 0.6
    flat = without_one_session(data[:, 0], np.ones(1500), lags=5, bootstrap=99, rng=rng)
    assert isinstance(flat, Inapplicable)
    with pytest.raises(InputError, match="generator"):
        without_one_session(data[:, 0], data[:, 1], lags=5, bootstrap=99, rng=None)  # type: ignore[arg-type]
