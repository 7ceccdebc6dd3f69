"""Break tests that withstand changing variance: peers, plain twins, identities, size and power."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.breaks import (
    bai_perron,
    correlation_break,
    cusum,
    robust_sup_f,
    score_cusum,
    sequential_breaks,
    sup_f,
)
from analysis.stats.breaks.correlation_draws import constant_response_draws, statistics
from analysis.stats.breaks.design import read_rows
from analysis.stats.breaks.kernels import score_draws
from analysis.stats.breaks.robust import prepare_scan
from analysis.stats.regression import sign_blocks
from analysis.stats.volatility.garch_filter import fit_garch11


@pytest.fixture(scope="module")
def rate(repository: Path) -> np.ndarray:
    return pd.read_csv(repository / "tests" / "reference" / "real_interest.csv")["value"].to_numpy()


def loud(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a response of one half whose errors are as loud as the regressor."""
    rng = np.random.default_rng(seed)
    x = rng.standard_t(5, n)
    return 0.5 * x + x * rng.standard_normal(n), x


def test_score_cusum_of_the_real_interest_rate(rate: np.ndarray) -> None:
    """R 4.2.2, strucchange 1.5-3: gefp(y ~ x, fit = lm, vcov = NULL) on a standardised regressor, and gefp(y ~ 1)."""
    level = score_cusum(rate[1:])
    assert_allclose((level.statistic, level.pvalue), (2.944996999, 5.85802948e-08), rtol=1e-8)
    both = score_cusum(rate[1:], rate[:-1])
    assert_allclose((both.statistic, both.pvalue), (1.623018729, 0.0205016352), rtol=1e-8)
    n = len(rate)
    assert_allclose(score_cusum(rate).statistic, cusum(rate).statistic * np.sqrt(n / (n - 1)), rtol=1e-12)


def plain_path(y: np.ndarray, design: np.ndarray, tested: list[int], splits: np.ndarray) -> np.ndarray:
    """The score statistic from its definition: partial out the design, then sums over all rows."""
    u = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    out = []
    for split in splits:
        D = design[:, tested] * (np.arange(len(y)) < split)[:, None]
        D = D - design @ np.linalg.lstsq(design, D, rcond=None)[0]
        score = D.T @ u
        out.append(score @ np.linalg.solve((D * u[:, None] ** 2).T @ D, score))
    return np.array(out)


@pytest.mark.parametrize(("tested", "kept"), [("all", 0), ("slopes", 0), ("slopes", 2)])
def test_path_by_its_definition(tested: str, kept: int) -> None:
    y, x = loud(150, 1)
    X = np.column_stack([x, np.roll(x, 7)])
    g = np.random.default_rng(2).standard_normal((150, kept)) if kept else None
    result = robust_sup_f(y, X, given=g, test=tested)
    columns = [np.ones(150), *X.T, *([] if g is None else g.T)]
    design = np.column_stack(columns)
    design[:, 1:] -= design[:, 1:].mean(axis=0)  # a slope that changes is measured from the mean of its regressor
    places = [0, 1, 2] if tested == "all" else [1, 2]
    assert_allclose(result.path, plain_path(y, design, places, result.path_after), rtol=1e-8)
    assert result.statistic == result.path.max()
    assert result.df == (float(len(places)),)
    assert result.break_after == result.path_after[np.argmax(result.path)]


def test_draws_by_their_definition() -> None:
    y, x = loud(90, 3)
    rows = read_rows(y, np.column_stack([x, np.roll(x, 3)]))
    tested = np.array([1, 2])
    scan = prepare_scan(rows.response, rows.design, tested, 13)
    signs = np.random.default_rng(4).choice(np.array([-1, 1], dtype=np.int8), (5, 90))
    out = np.empty(5)
    score_draws(scan.design, scan.hat, tested, scan.splits, scan.slopes, scan.residual, signs, out)
    plain = [plain_path(flips * scan.residual, rows.design, [1, 2], scan.splits).max() for flips in signs]
    assert_allclose(out, plain, rtol=1e-8)


def test_cusum_draws_and_pvalue_by_their_definition() -> None:
    y, x = loud(80, 5)
    result = score_cusum(y, x, bootstrap=199, rng=np.random.default_rng(6))
    z = (x - x.mean()) / x.std()
    Z = np.column_stack([np.ones(80), z])
    u = y - Z @ np.linalg.lstsq(Z, y, rcond=None)[0]

    def largest(response: np.ndarray) -> float:
        e = response - Z @ np.linalg.lstsq(Z, response, rcond=None)[0]
        scores = Z * e[:, None]
        values, vectors = np.linalg.eigh(scores.T @ scores)
        return float(np.abs(np.cumsum(scores, axis=0)[:-1] @ (vectors / np.sqrt(values)) @ vectors.T).max())

    assert_allclose(result.statistic, largest(y), rtol=1e-9)
    signs = np.random.default_rng(6).integers(0, 2, size=(199, 80)) * 2.0 - 1.0
    exceeding = sum(largest(row * u) >= result.statistic for row in signs)
    assert result.bootstrap_pvalue == pytest.approx((1 + exceeding) / 200)
    single = stats.kstwobign.sf(result.statistic)
    assert result.pvalue == pytest.approx(1 - (1 - single) ** 2)


def test_units_signs_gaps_and_seeds() -> None:
    y, x = loud(200, 7)
    for test in (robust_sup_f, score_cusum):
        first = test(y, x, bootstrap=99, rng=np.random.default_rng(1))
        same = test(4 - 1e5 * y, 2 + 1e-3 * x, bootstrap=99, rng=np.random.default_rng(1))
        assert_allclose(same.statistic, first.statistic, rtol=1e-8)
        assert same.bootstrap_pvalue == first.bootstrap_pvalue
        assert from_dict(first.to_dict()) == first
        gaps = test(np.insert(y, [9], np.nan), np.insert(x, [9], 0.3), test="slopes")
        assert gaps.nobs_lost == 1
        assert_allclose(gaps.statistic, test(y, x, test="slopes").statistic, rtol=1e-12)
    forward, backward = robust_sup_f(y, x), robust_sup_f(y[::-1], x[::-1])
    assert_allclose(forward.path, backward.path[::-1], rtol=1e-8)


def test_size_where_the_usual_test_has_none() -> None:
    rng = np.random.default_rng(8)
    p = {"plain": [], "sup": [], "cusum": []}
    for seed in range(120):
        y, x = loud(150, 1000 + seed)
        p["plain"].append(sup_f(y, x).pvalue)
        p["sup"].append(robust_sup_f(y, x, test="slopes", bootstrap=99, rng=rng).bootstrap_pvalue)
        p["cusum"].append(score_cusum(y, x, test="slopes", bootstrap=99, rng=rng).bootstrap_pvalue)
    assert np.mean(np.array(p["plain"]) <= 0.05) > 0.3
    for name in ("sup", "cusum"):
        assert 0.0 < np.mean(np.array(p[name]) <= 0.10) < 0.18


def test_size_when_variance_jumps() -> None:
    """The fixed regressors keep their jump in every draw; the limit law assumes that there is none."""
    rng = np.random.default_rng(9)
    boot = []
    for _ in range(120):
        scale = np.where(np.arange(250) < 180, 1.0, 4.0)
        x = scale * rng.standard_normal(250)
        y = 0.5 * x + scale * rng.standard_normal(250)
        boot.append(robust_sup_f(y, x, test="slopes", bootstrap=99, rng=rng).bootstrap_pvalue)
    assert 0.0 < np.mean(np.array(boot) <= 0.10) < 0.20


def test_a_changed_slope_is_seen_and_the_residual_cusum_misses_it() -> None:
    rng = np.random.default_rng(10)
    x = rng.standard_normal(600)
    y = np.where(np.arange(600) < 300, 0.2, 1.0) * x + rng.standard_normal(600)
    result = robust_sup_f(y, x, test="slopes", bootstrap=199, rng=rng)
    assert result.bootstrap_pvalue == pytest.approx(1 / 200)
    assert abs(result.break_after - 300) < 30
    assert score_cusum(y, x, test="slopes", bootstrap=199, rng=rng).bootstrap_pvalue == pytest.approx(1 / 200)
    assert cusum(y, x).pvalue > 0.1


def test_sequential_breaks_of_the_real_interest_rate(rate: np.ndarray) -> None:
    result = sequential_breaks(rate, cov="nonrobust", bootstrap=499, rng=np.random.default_rng(11))
    assert result.breaks == (47, 79)
    assert result.intervals == ((39, 49), (77, 81))
    plain = bai_perron(rate)
    assert result.rss == plain.rss
    assert_allclose(result.coefficients, plain.coefficients)
    assert len(result.step_pvalues) == 3
    assert max(result.step_pvalues[:2]) < 0.01 < 0.05 < result.step_pvalues[2]
    assert "2 against 1 breaks" in result.summary()


def test_number_of_breaks_is_not_inflated_by_loud_errors() -> None:
    rng = np.random.default_rng(12)
    by_criterion, by_tests = [], []
    for seed in range(60):
        y, x = loud(120, 5000 + seed)
        by_criterion.append(len(bai_perron(y, x, max_breaks=1).breaks))
        by_tests.append(len(sequential_breaks(y, x, test="slopes", max_breaks=1, bootstrap=99, rng=rng).breaks))
    assert np.mean(by_criterion) > 0.25
    assert np.mean(by_tests) < 0.14


def test_breaks_come_one_by_one() -> None:
    rng = np.random.default_rng(13)
    x = rng.standard_normal(900)
    slope = np.repeat([0.0, 2.0, 5.0], 300)
    y = np.insert(slope * x + rng.standard_normal(900), [100], np.nan)
    result = sequential_breaks(y, np.insert(x, [100], 0.0), test="slopes", bootstrap=99, rng=rng)
    assert len(result.breaks) == 2
    assert_allclose(result.breaks, (301, 601), atol=12)
    assert_allclose(result.coefficients[:, 1], (0.0, 2.0, 5.0), atol=0.2)
    assert result.options["test"] == "slopes"


def test_filtered_correlation_is_the_plain_test_on_shocks() -> None:
    rng = np.random.default_rng(14)
    pair = []
    shocks = rng.standard_normal((2, 500))
    for z in (shocks[0], 0.5 * shocks[0] + shocks[1]):
        h, out = 1.0, np.empty(500)
        for t in range(500):
            out[t] = np.sqrt(h) * z[t]
            h = 0.1 + 0.15 * out[t] ** 2 + 0.75 * h
        pair.append(out)
    x, y = pair
    result = correlation_break(x, y, volatility="garch")
    by_hand = [fit_garch11(series - series.mean(), distribution="t").shocks for series in (x, y)]
    assert_allclose(result.path, correlation_break(*by_hand, bandwidth=33).path, rtol=1e-9)
    assert result.options["bandwidth"] == int(1.5 * np.sqrt(500))
    assert isinstance(correlation_break(x[:60], y[:60], volatility="garch"), Inapplicable)
    with pytest.raises(InputError, match="volatility"):
        correlation_break(x, y, volatility="ewma")


def test_a_shift_of_volatility_alone_is_no_break_in_correlation() -> None:
    rng = np.random.default_rng(21)
    x, e = rng.standard_normal((2, 1500))
    half = np.arange(1500) < 750
    shifted = 0.5 * x + np.where(half, 2.5, 0.8) * e
    for volatility in ("constant", "garch"):
        result = correlation_break(x, shifted, volatility=volatility, bootstrap=199, rng=np.random.default_rng(1))
        assert result.pvalue < 0.02
        assert result.bootstrap_pvalue is not None
        assert result.bootstrap_pvalue > 0.05
        assert "beyond what volatility" in result.null
    moved = correlation_break(
        x, np.where(half, 0.1, 0.8) * x + e, volatility="garch", bootstrap=199, rng=np.random.default_rng(1)
    )
    assert moved.bootstrap_pvalue is not None
    assert moved.bootstrap_pvalue < 0.01
    with pytest.raises(InputError, match="generator"):
        correlation_break(x, shifted, bootstrap=9)


def test_draws_of_a_constant_response_use_the_statistic_of_the_data() -> None:
    rng = np.random.default_rng(22)
    x, y = rng.standard_normal((2, 300))
    y = y + 0.4 * x
    z = np.column_stack([(series - series.mean()) / series.std() for series in (x, y)])
    plain = correlation_break(x, y, bandwidth=6)
    assert_allclose(statistics(z[None, :, 0], z[None, :, 1], 6), [plain.statistic], rtol=1e-9)
    pair = z * [1.0, 3.0]
    drawn = constant_response_draws(pair, np.ones_like(pair), 6, 40, np.random.default_rng(3))
    slope = pair[:, 0] @ pair[:, 1] / (pair[:, 0] @ pair[:, 0])
    residual = pair[:, 1] - slope * pair[:, 0]
    signs = np.vstack(list(sign_blocks(np.random.default_rng(3), 40, 300)))
    by_hand = [correlation_break(pair[:, 0], slope * pair[:, 0] + s * residual, bandwidth=6).statistic for s in signs]
    assert_allclose(drawn, by_hand, rtol=1e-9)


def test_data_and_arguments_that_allow_no_test() -> None:
    y, x = loud(80, 15)
    rng = np.random.default_rng(16)
    for test in (robust_sup_f, score_cusum):
        assert isinstance(test(np.ones(80)), Inapplicable)
        assert isinstance(test(y[:3], x[:3]), Inapplicable)
        assert "exactly" in test(2 * x, x).reason
        with pytest.raises(InputError, match="nothing to test"):
            test(y, test="slopes")
        with pytest.raises(InputError, match="nothing to test"):
            test(y, x, test="some")
        with pytest.raises(InputError, match="generator"):
            test(y, x, bootstrap=9)
    assert isinstance(robust_sup_f(y, x, trim=0.01), Inapplicable)
    assert isinstance(sequential_breaks(np.ones(80), bootstrap=9, rng=rng), Inapplicable)
    with pytest.raises(InputError, match="HAC without bootstrap"):
        score_cusum(y, x, cov="HAC", bootstrap=9, rng=rng)
    with pytest.raises(InputError, match="bootstrap"):
        sequential_breaks(y, x, bootstrap=0, rng=rng)
    with pytest.raises(InputError, match="out of range"):
        sequential_breaks(y, x, significance=1.5, bootstrap=9, rng=rng)
    with pytest.raises(InputError, match="trim"):
        robust_sup_f(y, x, trim=0.7)


def test_the_running_sums_have_no_unit() -> None:
    y, x = loud(300, 31)
    plain = score_cusum(y, x, test="slopes")
    for unit in (1e-100, 1e100):
        assert_allclose(score_cusum(unit * y, x, test="slopes").statistic, plain.statistic, rtol=1e-9)
