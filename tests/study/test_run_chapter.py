"""Freeing an effect of its drivers' past: the residual of a plain regression, and what it does to a common driver."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm

from analysis.results import Inapplicable
from analysis.stats.granger import GrangerResult, granger_test
from analysis.stats.granger_nonlinear import diks_panchenko
from analysis.stats.granger_varying import TimeVaryingResult, time_varying_granger
from analysis.study.run_chapter import both_freed, freed


def _driven(n: int = 1200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an effect that follows a driver a step later, a cause that moves with it, and the driver."""
    rng = np.random.default_rng(8)
    driver, own, noise = rng.standard_normal((3, n))
    effect = noise.copy()
    effect[1:] += 0.6 * driver[:-1]
    return effect, driver + 0.5 * own, driver[:, None]


def test_the_residual_is_that_of_a_plain_regression() -> None:
    effect, _, driver = _driven(300)
    effect = effect.copy()
    effect[50] = np.nan
    out = freed(effect, driver, 2)
    design = sm.add_constant(np.column_stack([driver[1:-1, 0], driver[:-2, 0]]))
    there = np.isfinite(effect[2:])
    expected = sm.OLS(effect[2:][there], design[there]).fit().resid
    np.testing.assert_allclose(out[2:][there], expected, atol=1e-12)
    assert np.isnan(out[[0, 1, 50]]).all()


def test_without_drivers_nothing_changes() -> None:
    effect, _, _ = _driven(100)
    assert freed(effect, None, 2) is effect


def test_a_common_driver_leads_alone_and_not_beside_it() -> None:
    effect, cause, driver = _driven()
    shares = []
    for pair in ((effect, cause), both_freed(effect, cause, driver, 2)):
        result = time_varying_granger(
            *pair, lags=2, extra_lags=0, window=400, cov="HC0", bootstrap=49,
            rng=np.random.default_rng(1), control_window=63, sup_pvalue=False, threads=1,
        )  # fmt: skip
        assert isinstance(result, TimeVaryingResult)
        path = result.recursive[np.isfinite(result.recursive)]
        shares.append(float(np.mean(path > result.critical_values["recursive"][0.05])))
    assert shares[0] == 1.0
    assert shares[1] < 0.1


def test_dependence_in_the_middle_of_the_distribution_is_freed_too() -> None:
    effect, cause, driver = _driven()
    alone = diks_panchenko(effect, cause, filter="none")
    beside = diks_panchenko(*both_freed(effect, cause, driver, 2), filter="none")
    assert not isinstance(alone, Inapplicable)
    assert not isinstance(beside, Inapplicable)
    assert alone.pvalue < 0.01
    assert beside.pvalue > 0.05


def test_a_lead_of_the_cause_itself_is_found_beside_a_driver_it_moves_with() -> None:
    rng = np.random.default_rng(3)
    driver, own, effect = rng.standard_normal((3, 900))
    cause = 0.9 * driver + np.sqrt(0.19) * own
    effect[1:] += 0.25 * cause[:-1]
    given = driver[:, None]
    whole = granger_test(effect, cause, lags=2, given=given)
    parts = granger_test(*both_freed(effect, cause, given, 2), lags=2)
    assert isinstance(whole, GrangerResult)
    assert isinstance(parts, GrangerResult)
    assert whole.pvalue < 0.01
    # Freed of the same sessions, both ways answer the same question.
    assert parts.estimate is not None
    assert whole.estimate is not None
    assert abs(parts.estimate - whole.estimate) < 0.05
    assert parts.pvalue < 0.01


def test_a_nonlinear_trace_of_the_driver_is_not_taken_for_one_of_the_cause() -> None:
    rng = np.random.default_rng(5)
    driver, own, effect = rng.standard_normal((3, 800))
    effect[1:] += 0.5 * (driver[:-1] ** 2 - 1.0)
    cause = 0.9 * driver + np.sqrt(0.19) * own
    alone = diks_panchenko(effect, cause, filter="none")
    beside = diks_panchenko(*both_freed(effect, cause, driver[:, None], 2), filter="none")
    assert not isinstance(alone, Inapplicable)
    assert not isinstance(beside, Inapplicable)
    assert alone.pvalue < 0.01
    assert beside.pvalue > 0.05
