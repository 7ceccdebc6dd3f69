"""The same-period response against statsmodels and against its own definition."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.results import Inapplicable
from analysis.stats.contemporaneous import SamePeriodResult, same_period_response


def _draw(n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    given = rng.standard_normal((n, 2))
    cause = given[:, 0] + rng.standard_normal(n)
    effect = 0.4 * cause + given @ [0.5, -0.3] + rng.standard_t(5, n)
    return effect, cause, given


@pytest.mark.parametrize("conditional", [False, True])
def test_agrees_with_statsmodels(conditional: bool) -> None:
    effect, cause, given = _draw()
    result = same_period_response(effect, cause, given=given if conditional else None)
    assert isinstance(result, SamePeriodResult)
    columns = [np.ones(399), effect[:-1], cause[1:]] + ([given[1:]] if conditional else [])
    peer = sm.OLS(effect[1:], np.column_stack(columns)).fit(cov_type="HC3", use_t=True)
    assert result.nobs == 399
    assert result.estimate == pytest.approx(peer.params[2], rel=1e-9)
    assert result.interval == pytest.approx(tuple(peer.conf_int()[2]), rel=1e-8)
    assert result.statistic == pytest.approx(peer.tvalues[2] ** 2, rel=1e-8)
    assert result.pvalue == pytest.approx(peer.pvalues[2], rel=1e-6)


def test_common_driver_is_conditioned_away() -> None:
    rng = np.random.default_rng(3)
    driver = rng.standard_normal(1500)
    cause, effect = driver + 0.5 * rng.standard_normal(1500), driver + rng.standard_normal(1500)
    alone = same_period_response(effect, cause, bootstrap=199, rng=np.random.default_rng(1))
    beside = same_period_response(effect, cause, given=driver, bootstrap=199, rng=np.random.default_rng(1))
    assert isinstance(alone, SamePeriodResult)
    assert isinstance(beside, SamePeriodResult)
    assert alone.bootstrap_pvalue == pytest.approx(1 / 200)
    assert beside.bootstrap_pvalue is not None
    assert beside.bootstrap_pvalue > 0.05


def test_it_looks_at_the_same_period_and_not_at_the_next() -> None:
    rng = np.random.default_rng(5)
    cause = rng.standard_normal(600)
    effect = np.r_[0.0, cause[:-1]] + 0.1 * rng.standard_normal(600)
    result = same_period_response(effect, cause)
    assert isinstance(result, SamePeriodResult)
    assert result.interval is not None
    assert result.interval[0] < 0 < result.interval[1]


def test_a_constant_cause_is_inapplicable() -> None:
    effect, _, _ = _draw()
    result = same_period_response(effect, np.ones(400))
    assert isinstance(result, Inapplicable)
    assert "collinear" in result.reason
