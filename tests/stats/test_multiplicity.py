"""Adjusted p-values: published counts, a brute-force twin, and the rules that must never break."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.stats.multiplicity import adjust, romano_wolf

# Benjamini and Hochberg (1995), section 4: fifteen p-values of a myocardial infarction trial.
PUBLISHED = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
PUBLISHED += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]


@pytest.mark.parametrize(("method", "count"), [("bh", 4), ("by", 3), ("holm", 3), ("bonferroni", 3)])
def test_published_number_of_rejections(method: str, count: int) -> None:
    assert int(adjust(PUBLISHED, method=method).rejected(0.05).sum()) == count


def by_hand(p: np.ndarray, method: str, size: int) -> np.ndarray:
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, p.size + 1)
    harmonic = sum(1.0 / i for i in range(1, size + 1))
    factor = {"bh": size / rank, "by": size * harmonic / rank, "holm": size - rank + 1.0, "bonferroni": size + 0 * rank}
    raw = p[order] * factor[method]
    if method in ("bh", "by"):
        # Absent tests count as p = 1 and so cap the step-up sequence from above.
        cap = 1.0 if method == "bh" or size == p.size else harmonic
        stepped = np.minimum.accumulate(np.minimum(raw, cap)[::-1])[::-1]
    else:
        stepped = np.maximum.accumulate(raw) if method == "holm" else raw
    out = np.empty(p.size)
    out[order] = np.minimum(stepped, 1.0)
    return out


@pytest.mark.parametrize("method", ["bh", "by", "holm", "bonferroni"])
@settings(max_examples=40, deadline=None)
@given(p=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12), extra=st.integers(0, 5))
def test_adjustment_matches_its_definition_with_absent_tests_counted(method: str, p: list[float], extra: int) -> None:
    result = adjust(p, method=method, family_size=len(p) + extra)
    np.testing.assert_allclose(result.adjusted, by_hand(np.array(p), method, len(p) + extra), rtol=1e-10, atol=1e-300)
    assert (result.adjusted >= result.pvalues).all()


def test_order_is_kept_and_absent_tests_make_rejection_harder() -> None:
    shuffled = adjust(PUBLISHED[::-1])
    np.testing.assert_array_equal(shuffled.adjusted, adjust(PUBLISHED).adjusted[::-1])
    assert (adjust(PUBLISHED, family_size=40).adjusted >= adjust(PUBLISHED).adjusted).all()
    assert adjust(PUBLISHED, family_size=40).rejected().sum() < adjust(PUBLISHED).rejected().sum()


@pytest.mark.parametrize("bad", [[0.1, np.nan], [0.1, 1.2], [-0.1], [], [[0.1]]])
def test_unusable_pvalues_are_refused(bad: list[float]) -> None:
    with pytest.raises(InputError, match="p-value"):
        adjust(bad)


def test_options_outside_their_range_are_refused() -> None:
    with pytest.raises(InputError, match="smaller than the tests"):
        adjust([0.1, 0.2], family_size=1)
    with pytest.raises(InputError, match="unknown adjustment"):
        adjust([0.1], method="none")


def brute_force(t: np.ndarray, D: np.ndarray) -> np.ndarray:
    remaining, adjusted, floor = list(range(t.size)), np.empty(t.size), 0.0
    while remaining:
        strongest = max(remaining, key=lambda j: t[j])
        beaten = sum(1 for row in D if max(row[j] for j in remaining) >= t[strongest])
        floor = max(floor, (1 + beaten) / (1 + len(D)))
        adjusted[strongest] = floor
        remaining.remove(strongest)
    return adjusted


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 6), draws=st.integers(1, 40))
def test_romano_wolf_matches_its_brute_force_twin(seed: int, k: int, draws: int) -> None:
    rng = np.random.default_rng(seed)
    t, D = rng.standard_normal(k) * 2, rng.standard_normal((draws, k))
    result = romano_wolf(t, D)
    np.testing.assert_allclose(result.adjusted, brute_force(np.abs(t), np.abs(D)), rtol=1e-14)
    assert (result.adjusted >= result.pvalues - 1e-15).all()
    np.testing.assert_allclose(romano_wolf(t, D, alternative="greater").adjusted, brute_force(t, D), rtol=1e-14)


def test_min_p_scale_does_not_depend_on_the_units_of_each_statistic() -> None:
    rng = np.random.default_rng(5)
    D = rng.chisquare([1, 5, 20], size=(499, 3))
    t = np.array([9.0, 9.0, 9.0])
    scaled = romano_wolf(t * [1, 100, 0.01], D * [1, 100, 0.01], alternative="greater", scale="pvalue")
    plain = romano_wolf(t, D, alternative="greater", scale="pvalue")
    np.testing.assert_array_equal(scaled.adjusted, plain.adjusted)
    # 9 is rare for one degree of freedom and ordinary for twenty; max-T drowns it in the wider distribution.
    assert plain.adjusted[0] < 0.03
    assert romano_wolf(t, D, alternative="greater").adjusted[0] > 0.9


def test_romano_wolf_keeps_the_family_wise_error() -> None:
    rng = np.random.default_rng(11)
    common = np.sqrt(0.5)
    false_alarms = 0
    for _ in range(400):
        D = common * rng.standard_normal((200, 1)) + common * rng.standard_normal((200, 8))
        false_alarms += bool(romano_wolf(D[0], D[1:]).rejected(0.05).any())
    assert abs(false_alarms / 400 - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 400)


def test_romano_wolf_counts_absent_tests_and_refuses_missing_values() -> None:
    D = np.random.default_rng(0).standard_normal((99, 2))
    assert romano_wolf([5.0, 0.0], D, family_size=4).adjusted[0] == pytest.approx(0.02)
    with pytest.raises(InputError, match="finite"):
        romano_wolf([np.nan, 0.0], D)
    with pytest.raises(InputError, match="do not match"):
        romano_wolf([1.0], D)


def test_ties_count_against_the_tied_test_only() -> None:
    D = np.column_stack([np.full(99, 3.0), np.arange(99.0)])
    result = romano_wolf([3.0, 200.0], D, alternative="greater", scale="pvalue")
    assert result.adjusted.tolist() == [1.0, 0.01]
