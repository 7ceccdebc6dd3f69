"""Threshold test: refits by hand, statsmodels, the bootstrap's own loop, invariances, size, power, the split's set."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.regimes import ThresholdResult, threshold_test
from analysis.stats.switching.threshold_kernels import bootstrap_functionals, split_moments, split_statistics
from analysis.stats.switching.threshold_sides import split_critical_value


def run(*args: object, **kwargs: object) -> ThresholdResult:
    options = {"lags": 0, "bootstrap": 99, "rng": np.random.default_rng(11), **kwargs}
    result = threshold_test(*args, **options)
    assert isinstance(result, ThresholdResult), result.summary()
    return result


def world(seed: int, n: int = 240, jump: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, q, w = rng.standard_normal((3, n))
    y = 0.3 * w + jump * np.where(q > 0.4, x, 0.0) + rng.standard_normal(n) * (0.5 + np.abs(x))
    return y, x, q, w


def lagged(series: np.ndarray, p: int) -> np.ndarray:
    return np.column_stack([series[p - i : series.size - i] for i in range(1, p + 1)])


@pytest.mark.parametrize("switching", ["cause", "all"])
@pytest.mark.parametrize("lags", [0, 2])
def test_the_path_and_the_split_match_refits(lags: int, switching: str) -> None:
    y, x, q, w = world(1)
    result = run(y, x, q, lags=lags, given=w, switching=switching)
    ones = np.ones((y.size - lags, 1))
    if lags:
        tested, kept = lagged(x, 2), np.column_stack([ones, lagged(y, 2), lagged(w, 2)])
    else:
        tested, kept = x[:, None], np.column_stack([ones, w])
    Y, level = y[lags:], q[lags:]
    base = np.column_stack([tested, kept])
    moving = base if switching == "all" else tested
    null = sm.OLS(Y, base).fit()
    e, robust = np.asarray(null.resid), np.asarray(null.resid) / (1.0 - null.get_influence().hat_matrix_diag)
    rss = []
    for i, split in enumerate(result.levels):
        added = moving * (level > split)[:, None]
        G = added - base @ np.linalg.lstsq(base, added, rcond=None)[0]
        score, meat = G.T @ e, (G * robust[:, None]).T @ (G * robust[:, None])
        assert result.path[i] == pytest.approx(float(score @ np.linalg.solve(meat, score)), rel=1e-7)
        rss.append(float(sm.OLS(Y, np.column_stack([base, added])).fit().ssr))
    assert result.split == result.levels[int(np.argmin(rss))]
    np.testing.assert_allclose(
        result.functionals,
        [result.path.max(), result.path.mean(), math.log(np.mean(np.exp(result.path / 2)))],
        rtol=1e-10,
    )
    # Coefficients and intervals of the sides against statsmodels in other coordinates.
    up = (level > result.split)[:, None]
    design = np.column_stack([base, moving * up])
    fit = sm.OLS(Y, design).fit(cov_type="HC3", use_t=True)
    p = max(lags, 1)
    np.testing.assert_allclose(result.below, fit.params[:p], rtol=1e-7)
    np.testing.assert_allclose(result.above - result.below, fit.params[base.shape[1] :][:p], rtol=1e-6)
    pick = np.zeros(design.shape[1])
    pick[base.shape[1] : base.shape[1] + p] = 1.0
    assert result.interval == pytest.approx(tuple(fit.t_test(pick).conf_int()[0]), rel=1e-6)
    assert (result.nobs, result.nobs_lost) == (y.size - lags, lags)
    assert result.side_nobs.sum() == result.nobs


def test_trimming_and_ties() -> None:
    y, x, q, _ = world(2, n=200)
    result = run(y, x, q, trim=0.2)
    assert result.levels.size == 200 - 2 * 40 + 1
    assert result.side_nobs.min() >= 40
    coarse = np.round(q)
    tied = run(y, x, coarse, trim=0.1)
    assert set(tied.levels) <= set(np.unique(coarse))
    few = run(y, x, q, grid=20)
    assert few.levels.size == 20
    assert few.statistic <= run(y, x, q).statistic + 1e-12


def test_bootstrap_matches_a_loop_that_refits_every_draw() -> None:
    y, x, q, w = world(3, n=120)
    result = run(y, x, q, given=w, bootstrap=120, rng=np.random.default_rng(5))
    base = np.column_stack([x, np.ones(120), w])
    e = y - base @ np.linalg.lstsq(base, y, rcond=None)[0]
    beaten = np.zeros(3)
    for signs in np.random.default_rng(5).integers(0, 2, size=(120, 120)) * 2.0 - 1.0:
        path = []
        for split in result.levels:
            g = x * (q > split)
            g = g - base @ np.linalg.lstsq(base, g, rcond=None)[0]
            path.append((g @ (signs * e)) ** 2 / float((g * e) @ (g * e)))
        values = np.array(path)
        drawn = [values.max(), values.mean(), math.log(np.mean(np.exp(values / 2)))]
        beaten += np.array(drawn) >= result.functionals
    np.testing.assert_allclose(result.functional_pvalues, (1 + beaten) / 121)
    assert result.pvalue == result.functional_pvalues[0]


def test_compiled_sums_match_their_plain_twin() -> None:
    rng = np.random.default_rng(6)
    X, Q, w, e = rng.standard_normal((40, 2)), rng.standard_normal((40, 3)), rng.random(40), rng.standard_normal(40)
    ends = np.array([5, 6, 11, 30])
    xx, xq, wxx, wxq = split_moments(X, Q, w, ends)
    root = np.tril(rng.standard_normal((4, 2, 2)))
    path = split_statistics(X, Q, e, ends, xq, root)
    for i, end in enumerate(ends):
        above, weight = X[end:], w[end:, None]
        np.testing.assert_allclose(xx[i], above.T @ above)
        np.testing.assert_allclose(xq[i], above.T @ Q[end:])
        np.testing.assert_allclose(wxx[i], (weight * above).T @ above)
        np.testing.assert_allclose(wxq[i], (weight * above).T @ Q[end:])
        value = root[i] @ (above.T @ e[end:] - xq[i] @ (Q.T @ e))
        assert path[i] == pytest.approx(float(value @ value))
    many = bootstrap_functionals(X, Q, e, ends, xq, root, np.ones((2, 40)))
    assert many[0, 0] == pytest.approx(path.max())
    np.testing.assert_array_equal(many[0], many[1])


def test_units_origin_and_direction_do_not_matter() -> None:
    y, x, q, w = world(4, jump=0.8)
    one = run(y, x, q, given=w)
    two = run(1e4 * y + 7.0, 1e-5 * x, np.exp(q), given=3.0 * w - 2.0)
    assert two.statistic == pytest.approx(one.statistic, rel=1e-6)
    assert two.pvalue == one.pvalue
    assert two.split == pytest.approx(math.exp(one.split))
    assert two.estimate == pytest.approx((one.estimate or 0.0) * 1e9, rel=1e-6)
    flipped = run(y, x, -q, given=w)
    assert flipped.statistic == pytest.approx(one.statistic, rel=1e-9)
    assert flipped.estimate == pytest.approx(-(one.estimate or 0.0), rel=1e-9)


def test_gaps_are_not_bridged() -> None:
    y, x, q, _ = world(5)
    x[50] = np.nan
    q[100] = np.nan
    result = run(y, x, q, lags=2)
    assert result.nobs == 240 - 2 - 2 - 1
    assert result.nobs_lost == 5


def test_size_under_heteroskedasticity_and_power() -> None:
    """Nominal 5 %: 200 replications of an error whose variance moves with x and of a persistent threshold variable."""
    size, power, covered = 0, 0, 0
    for seed in range(200):
        rng = np.random.default_rng(1000 + seed)
        x = rng.standard_normal(200)
        q = np.cumsum(rng.standard_normal(200)) * 0.2 + rng.standard_normal(200)
        error = rng.standard_normal(200) * np.abs(x)
        size += run(error + 0.5 * x, x, q, grid=60, rng=rng).pvalue <= 0.05
        true = float(np.median(q))
        found = run(error + 1.5 * np.where(q > true, x, 0.0), x, q, rng=rng)
        power += found.pvalue <= 0.05
        covered += found.split_set[0] <= true <= found.split_set[1]
    assert size / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)
    assert power / 200 > 0.9
    assert covered / 200 > 0.85


@pytest.mark.parametrize(("level", "value"), [(0.8, 4.50), (0.9, 5.94), (0.95, 7.35), (0.99, 10.59)])
def test_critical_values_of_the_set_are_those_of_hansen(level: float, value: float) -> None:
    """Hansen (2000), Table I."""
    assert split_critical_value(level) == pytest.approx(value, abs=0.005)


def test_the_set_is_that_of_the_likelihood_ratio() -> None:
    """Under one variance the correction is near one, so the set follows from the sums of squares alone."""
    rng = np.random.default_rng(21)
    x, q = rng.standard_normal((2, 800))
    y = np.where(q > 0.2, 1.0, 0.4) * x + rng.standard_normal(800)
    result = run(y, x, q)
    rss = np.array(
        [sm.OLS(y, np.column_stack([np.ones(800), x, x * (q > level)])).fit().ssr for level in result.levels]
    )
    ratio = (rss - rss.min()) / (rss.min() / 800)
    narrow, wide = (result.levels[ratio <= factor * 7.352] for factor in (0.7, 1.4))
    assert wide.min() <= result.split_set[0] <= narrow.min()
    assert narrow.max() <= result.split_set[1] <= wide.max()


def test_the_set_narrows_around_a_large_change() -> None:
    wide, narrow = run(*world(7, n=600)[:3]), run(*world(7, n=600, jump=3.0)[:3])
    assert narrow.split == pytest.approx(0.4, abs=0.15)
    assert narrow.split_set_share < 0.2 < wide.split_set_share
    assert narrow.split_set[0] <= narrow.split <= narrow.split_set[1]


def test_what_the_data_do_not_allow() -> None:
    y, x, q, _ = world(8)
    for result, reason in (
        (threshold_test(y[:20], x[:20], q[:20], lags=0, rng=np.random.default_rng(1)), "too few"),
        (threshold_test(y, x, np.ones(240), lags=0, rng=np.random.default_rng(1)), "too few values"),
        (threshold_test(y, x, q, given=x, lags=0, rng=np.random.default_rng(1)), "collinear"),
        (threshold_test(x, x, q, lags=0, rng=np.random.default_rng(1)), "perfectly"),
        (threshold_test(y, 0.0 * x, q, lags=0, rng=np.random.default_rng(1)), "zero"),
    ):
        assert isinstance(result, Inapplicable)
        assert reason in result.reason


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"switching": "none"}, "switching"),
        ({"trim": 0.5}, "trim"),
        ({"level": 1.0}, "level"),
        ({"bootstrap": 9}, "bootstrap"),
        ({"rng": None}, "generator"),
        ({"grid": 1}, "grid"),
        ({"lags": -1}, "lags"),
    ],
)
def test_options_outside_their_range(options: dict[str, object], text: str) -> None:
    y, x, q, _ = world(9)
    with pytest.raises(InputError, match=text):
        threshold_test(y, x, q, **{"lags": 0, "rng": np.random.default_rng(1), **options})
