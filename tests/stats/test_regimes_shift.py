"""The rotation test of state correlations: against brute force, its size when the correlation drifts, and its power."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.regimes import state_correlation
from analysis.stats.regimes_shift import StateShiftResult, state_correlation_shift


def _pair(rng: np.random.Generator, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = rng.standard_normal(rho.size)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.standard_normal(rho.size)


def _corrected(x: np.ndarray, y: np.ndarray, state: np.ndarray) -> float:
    inside, outside = state == 1, state == 0
    r_in, r_out = np.corrcoef(x[inside], y[inside])[0, 1], np.corrcoef(x[outside], y[outside])[0, 1]
    delta = x[inside].var() / x[outside].var() - 1
    return r_in / np.sqrt(1 + delta * (1 - r_in**2)) - r_out


def test_agrees_with_rotating_by_hand() -> None:
    rng = np.random.default_rng(4)
    n, exclude = 240, 10
    state = (np.arange(n) // 40 % 2).astype(float)
    x, y = _pair(rng, np.where(state == 1, 0.6, 0.3))
    x, y = 3 + x * (1 + state), y - 1
    result = state_correlation_shift(x, y, state, exclude=exclude)
    assert isinstance(result, StateShiftResult)
    by_hand = [_corrected(x, y, np.roll(state, -shift)) for shift in range(n)]
    assert result.estimate == pytest.approx(by_hand[0], rel=1e-10)
    others = np.abs(by_hand[exclude : n - exclude + 1])
    assert result.shifts == others.size
    assert result.pvalue == pytest.approx((1 + np.sum(others >= abs(by_hand[0]) - 1e-12)) / (1 + others.size))
    reference = state_correlation(x, y, state)
    assert result.estimate == pytest.approx(reference.estimate, rel=1e-10)


def test_missing_rows_are_left_out() -> None:
    rng = np.random.default_rng(5)
    state = (np.arange(400) // 25 % 2).astype(float)
    x, y = _pair(rng, np.full(400, 0.4))
    gaps = x.copy()
    gaps[[3, 50, 51, 399]] = np.nan
    kept = np.isfinite(gaps)
    with_gaps = state_correlation_shift(gaps, y, state)
    without = state_correlation_shift(x[kept], y[kept], state[kept])
    assert isinstance(with_gaps, StateShiftResult)
    assert isinstance(without, StateShiftResult)
    assert with_gaps.pvalue == without.pvalue
    assert with_gaps.nobs_lost == 4


def test_a_drifting_correlation_and_a_few_long_spells_fool_rows_but_not_rotations() -> None:
    n, rows, rotations, repetitions = 1000, 0, 0, 60
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        drift = np.cumsum(rng.standard_normal(n)) / np.sqrt(n)
        x, y = _pair(rng, np.clip(0.4 * drift, -0.9, 0.9))
        state = np.zeros(n)
        start = rng.integers(0, n - 300)
        state[start : start + 300] = 1
        rows += state_correlation(x, y, state).pvalue <= 0.05
        rotations += state_correlation_shift(x, y, state).pvalue <= 0.05
    assert rows > 0.2 * repetitions, "the process must fool a test that takes rows as independent"
    assert rotations <= 0.05 * repetitions + 3 * np.sqrt(repetitions * 0.05 * 0.95)


def test_a_real_difference_over_many_spells_is_found() -> None:
    rng = np.random.default_rng(8)
    state = (np.arange(2000) // 40 % 2).astype(float)
    state = np.roll(np.repeat(rng.permutation(state[::40]), 40), 13)
    x, y = _pair(rng, np.where(state == 1, 0.6, 0.2))
    result = state_correlation_shift(x, y, state)
    assert isinstance(result, StateShiftResult)
    assert result.pvalue < 0.01
    assert result.estimate is not None
    assert result.estimate > 0.2


def test_what_cannot_be_tested_says_why() -> None:
    rng = np.random.default_rng(1)
    x, y = _pair(rng, np.full(200, 0.2))
    short = state_correlation_shift(x, y, np.r_[np.ones(5), np.zeros(195)])
    assert isinstance(short, Inapplicable)
    assert "5 usable rows" in short.reason
    constant = state_correlation_shift(np.ones(200), y, (np.arange(200) // 20 % 2).astype(float))
    assert isinstance(constant, Inapplicable)
    with pytest.raises(InputError, match="unknown correction"):
        state_correlation_shift(x, y, np.zeros(200), correction="magic")
