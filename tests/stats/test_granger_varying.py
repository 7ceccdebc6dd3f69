"""Every window against a least-squares fit of its own, the bootstrap's size and power, and the numerical boundary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.granger import toda_yamamoto
from analysis.stats.granger_design import Series
from analysis.stats.granger_varying import (
    Episode,
    TimeVaryingResult,
    _bootstrap,
    _check_plan,
    _gaps_of_a_stretch,
    date_episodes,
    time_varying_granger,
)
from analysis.stats.granger_varying_null import null_errors, null_model, simulate_null
from analysis.stats.granger_windows import scan, stride


def _refit(joint: np.ndarray, p: int, d: int, start: int, stop: int, robust: bool, trend: str = "c") -> float:
    """Fit one window (rows start..stop-1 of effect, cause, given...) by itself and return its Wald statistic."""
    part = joint[start:stop]
    n, k = part.shape
    whole = [np.isfinite(part[t - p - d : t]).all() and np.isfinite(part[t, 0]) for t in range(p + d, n)]
    rows = np.flatnonzero(whole) + p + d
    columns = {"n": [], "c": [np.ones(len(rows))], "ct": [np.ones(len(rows)), rows / n]}[trend]
    order = [(i, j) for i in range(k) if i != 1 for j in range(1, p + d + 1)] + [
        (1, j) for j in range(p + 1, p + d + 1)
    ]
    tested = [(1, j) for j in range(1, p + 1)]
    X = np.column_stack(columns + [part[rows - j, i] for i, j in order + tested])
    y = part[rows, 0]
    Q, R = np.linalg.qr(X)
    b = np.linalg.solve(R, Q.T @ y)
    e = y - X @ b
    back = np.linalg.inv(R)
    bread = back @ back.T
    V = bread @ (X * np.square(e)[:, None]).T @ X @ bread if robust else bread * (e @ e / len(y))
    return float(b[-p:] @ np.linalg.solve(V[-p:, -p:], b[-p:]))


def _joint(n: int, k: int, *, levels: bool, seed: int) -> np.ndarray:
    shocks = np.random.default_rng(seed).standard_t(5, (n, k))
    return 100.0 + np.cumsum(shocks, axis=0) if levels else shocks


def _run(joint: np.ndarray, **options: object) -> TimeVaryingResult:
    rest = joint[:, 2:] if joint.shape[1] > 2 else None
    result = time_varying_granger(joint[:, 0], joint[:, 1], rest, **options)  # type: ignore[arg-type]
    assert isinstance(result, TimeVaryingResult), result.summary()
    return result


@pytest.mark.parametrize("cov", ["nonrobust", "HC0"])
@pytest.mark.parametrize("trend", ["n", "c", "ct"])
@pytest.mark.parametrize(("levels", "extra", "k"), [(False, 0, 2), (True, 1, 2), (True, 2, 3)])
def test_every_window_equals_its_own_fit(cov: str, trend: str, levels: bool, extra: int, k: int) -> None:
    n, window, p = 70, 45, 2
    joint = _joint(n, k, levels=levels, seed=4)
    result = _run(joint, lags=p, extra_lags=extra, window=window, cov=cov, trend=trend)
    robust = cov == "HC0"
    ends = range(window, n + 1)
    table = {(s, e): _refit(joint, p, extra, s, e, robust, trend) for e in ends for s in range(e - window + 1)}
    assert_allclose(result.forward[window - 1 :], [table[0, e] for e in ends], rtol=1e-10)
    assert_allclose(result.rolling[window - 1 :], [table[e - window, e] for e in ends], rtol=1e-10)
    largest = [max(table[s, e] for s in range(e - window + 1)) for e in ends]
    assert_allclose(result.recursive[window - 1 :], largest, rtol=1e-10)
    assert np.isnan(result.forward[: window - 1]).all()
    assert np.isnan(result.rolling[: window - 1]).all()
    assert np.isnan(result.recursive[: window - 1]).all()
    assert result.n_windows == len(table)


@pytest.mark.parametrize("cov", ["nonrobust", "HC0"])
@pytest.mark.parametrize("trend", ["c", "ct"])
def test_last_forward_statistic_is_the_full_sample_statistic(cov: str, trend: str) -> None:
    joint = _joint(300, 3, levels=True, seed=9)
    result = _run(joint, lags=3, extra_lags=1, window=80, cov=cov, trend=trend)
    whole = toda_yamamoto(
        joint[:, 0], joint[:, 1], given=joint[:, 2], lags=3, extra_lags=1, cov=cov, trend=trend, dof_correction=False
    )
    assert_allclose(result.forward[-1], whole.wald, rtol=1e-10)
    assert_allclose(result.pvalue, whole.wald_pvalue, rtol=1e-8)


def test_published_toda_yamamoto_numbers_end_the_forward_sequence(shared: object) -> None:
    """Coffee prices 1976-01 to 2011-03 (Pfaff and Giles example), sigma^2 = SSR / n."""
    import pandas as pd

    frame = pd.read_csv(shared / "reference" / "coffee.csv")  # type: ignore[operator]
    frame = frame[(frame["Date"] >= "1976-01-01") & (frame["Date"] <= "2011-03-01")]
    arabica, robusta = frame["Arabica"].to_numpy(), frame["Robusta"].to_numpy()
    for cov, expected in (("nonrobust", (8.93564513, 12.77031136)), ("HC0", (6.66133901, 11.58429616))):
        for (y, x), value in zip(((arabica, robusta), (robusta, arabica)), expected, strict=True):
            result = time_varying_granger(y, x, lags=6, extra_lags=1, window=120, trend="ct", cov=cov)
            assert isinstance(result, TimeVaryingResult)
            assert result.forward[-1] == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("cov", ["nonrobust", "HC0"])
def test_missing_values_remove_rows_and_never_bridge(cov: str) -> None:
    joint = _joint(110, 2, levels=True, seed=2)
    joint[[30, 31, 77], 0] = np.nan
    joint[50, 1] = np.nan
    result = _run(joint, lags=1, extra_lags=1, window=50, cov=cov)
    for end in (50, 64, 80, 109):
        assert_allclose(result.rolling[end - 1], _refit(joint, 1, 1, end - 50, end, cov == "HC0"), rtol=1e-9)
        assert_allclose(result.forward[end - 1], _refit(joint, 1, 1, 0, end, cov == "HC0"), rtol=1e-9)
    assert result.nobs == 110 - 2 - 4 - 3 - 2
    assert result.nobs_lost == 110 - result.nobs


def test_the_future_does_not_move_the_past() -> None:
    joint = _joint(160, 2, levels=True, seed=6)
    before = _run(joint, lags=2, window=60)
    changed = joint.copy()
    changed[120:] += np.random.default_rng(1).standard_normal((40, 2)) * 5
    after = _run(changed, lags=2, window=60)
    for name in ("forward", "rolling", "recursive"):
        assert_allclose(getattr(after, name)[59:120], getattr(before, name)[59:120], rtol=1e-9)
        assert not np.allclose(getattr(after, name)[125:], getattr(before, name)[125:])


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3), seed=st.integers(0, 50))
def test_scale_and_origin_do_not_matter(scale: float, shift: float, seed: int) -> None:
    joint = _joint(60, 2, levels=False, seed=seed)
    one = _run(joint, lags=1, window=40, cov="HC0")
    two = _run(scale * (joint + shift), lags=1, window=40, cov="HC0")
    assert_allclose(two.recursive, one.recursive, rtol=1e-6)


def test_threads_do_not_change_a_bit() -> None:
    joint = _joint(200, 2, levels=True, seed=3)
    runs = [
        _run(joint, lags=1, window=60, bootstrap=19, rng=np.random.default_rng(5), threads=threads)
        for threads in (1, 2, 3)
    ]
    assert runs[0].to_json() == runs[1].to_json() == runs[2].to_json()


def test_result_survives_json() -> None:
    result = _run(_joint(120, 2, levels=True, seed=3), lags=1, window=60, bootstrap=19, rng=np.random.default_rng(5))
    assert from_dict(result.to_dict()) == result
    assert set(result.critical_values) == {"forward", "rolling", "recursive"}
    assert result.critical_values["rolling"][0.05] >= result.critical_values["rolling"][0.10]
    assert "recursive: largest" in result.summary()
    assert list(result.to_frame()["procedure"]) == ["forward", "rolling", "recursive"]


# --- the numerical boundary -------------------------------------------------------------------------------------------


def _scan_level(offset: float, digit_limit: float) -> tuple[np.ndarray, int]:
    """Scan windows whose only level column, left unshifted, stands `offset` away from zero."""
    rng = np.random.default_rng(8)
    n, window = 120, 60
    level = offset + rng.standard_normal(n)
    Z = np.column_stack(
        [np.ones(n), level, rng.standard_normal((n, 2)), rng.standard_normal(n) * (1 + (level > offset))]
    )
    usable = np.ones(n, dtype=bool)
    usable[0] = False
    found = scan(
        Z,
        usable,
        np.zeros(5, dtype=bool),
        n_kept=2,
        n_tested=2,
        reach=1,
        window=window,
        starts=range(0, n - window + 1, stride(True)),
        robust=True,
        digit_limit=digit_limit,
    )
    return found[0][window - 1 :], found[3]


def test_fourth_moments_lose_digits_and_the_boundary_is_detected() -> None:
    near, far = 1.0, 1e5
    fast, recomputed = _scan_level(near, 1e-9)
    exact, _ = _scan_level(near, 0.0)
    assert recomputed == 0
    assert_allclose(fast, exact, rtol=1e-10)
    guarded, recomputed = _scan_level(far, 1e-9)
    blind, _ = _scan_level(far, np.inf)
    exact, _ = _scan_level(far, 0.0)
    assert recomputed > 0
    assert_allclose(guarded, exact, rtol=1e-8)
    assert np.nanmax(np.abs(blind / exact - 1)) > 1e-5  # what the guard protects from


def test_near_collinear_windows_keep_the_accuracy_of_orthogonal_factorisation() -> None:
    rng = np.random.default_rng(12)
    effect = 1e4 + np.cumsum(rng.standard_normal(150))
    joint = np.column_stack([effect, effect + 1e-4 * np.cumsum(rng.standard_normal(150))])
    result = _run(joint, lags=1, window=80)
    for end in (80, 111, 150):
        shifted = joint - joint[0]
        shifted[:, 1] = (shifted[:, 1] - shifted[:, 0]) * 1e4
        kept_span = _refit_rotated(shifted, end)
        assert_allclose(result.forward[end - 1], kept_span, rtol=1e-6)


def _refit_rotated(joint: np.ndarray, end: int) -> float:
    """Fit the first window in a well-conditioned basis: given its own lags, the effect inside the cause is ignored."""
    y, gap = joint[:end].T
    t = np.arange(2, end)
    # x = y + gap / 1e4: lag 1 of the cause is tested, lag 2 of it is kept beside both lags of the effect.
    X = np.column_stack([np.ones(len(t)), y[t - 1], y[t - 2], gap[t - 2], gap[t - 1]])
    ssr = np.linalg.lstsq(X, y[t], rcond=None)[1]
    restricted = np.linalg.lstsq(X[:, :4], y[t], rcond=None)[1]
    return float(len(t) * (restricted[0] - ssr[0]) / ssr[0])


def test_a_constant_stretch_has_no_statistic_and_a_constant_series_is_inapplicable() -> None:
    joint = _joint(140, 2, levels=False, seed=1)
    joint[:70, 1] = 3.0
    result = _run(joint, lags=1, extra_lags=0, window=50)
    assert np.isnan(result.rolling[49:70]).all()
    assert np.isfinite(result.rolling[75:]).all()
    missing = int(np.isnan(result.rolling[49:]).sum())
    assert any(text.startswith(f"{missing} of 91 rolling windows have no statistic") for text in result.warnings)
    constant = time_varying_granger(joint[:, 0], np.ones(140), lags=1, window=50)
    assert isinstance(constant, Inapplicable)
    assert "constant" in constant.reason


# --- the bootstrap ----------------------------------------------------------------------------------------------------


def _planted(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return returns in which the cause leads only in the middle third."""
    shocks = rng.standard_normal((n, 2))
    third = slice(n // 3, 2 * n // 3)
    shocks[third, 0] += 0.8 * np.r_[0.0, shocks[:-1, 1]][third]
    return shocks


def test_an_episode_is_found_and_dated() -> None:
    joint = _planted(360, np.random.default_rng(0))
    result = _run(joint, lags=1, extra_lags=1, window=60, bootstrap=99, rng=np.random.default_rng(1))
    assert result.pvalue == pytest.approx(0.01)
    spans = result.episodes("recursive", level=0.05, min_length=5)
    assert spans
    assert 120 <= spans[0].first <= 175
    rolling = result.episodes("rolling", level=0.05, min_length=5)
    assert rolling[-1].last < 340


@pytest.mark.parametrize("cov", ["nonrobust", "HC0"])
def test_size_of_the_largest_statistic(cov: str) -> None:
    rejections = 0
    replications = 60
    for seed in range(replications):
        rng = np.random.default_rng((77, seed))
        joint = rng.standard_normal((90, 2))
        result = _run(joint, lags=1, extra_lags=0, window=40, bootstrap=39, rng=rng, cov=cov, control_window=8)
        rejections += result.pvalue <= 0.10
    # 60 trials at 10 %: within 3 binomial standard errors of 6, and not never.
    assert 0 < rejections <= 6 + 3 * np.sqrt(60 * 0.1 * 0.9)


def test_short_draws_give_the_same_critical_values_as_long_ones_under_the_same_model() -> None:
    joint = _joint(150, 2, levels=False, seed=5)
    options = {"lags": 1, "extra_lags": 0, "window": 50, "bootstrap": 299}
    long = _run(joint, rng=np.random.default_rng(1), **options)
    short = _run(joint, rng=np.random.default_rng(2), sup_pvalue=False, **options)
    assert short.sup_pvalues == ()
    assert short.distribution == "chi2"
    assert_allclose(short.critical[:, :2], long.critical[:, :2], rtol=0.25)


def test_draws_follow_the_null_and_keep_errors_together() -> None:
    rng = np.random.default_rng(3)
    n = 4000
    shocks = rng.standard_normal((n, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    joint = np.zeros((n, 2))
    for t in range(1, n):
        joint[t] = np.array([[0.5, 0.4], [0.2, 0.3]]) @ joint[t - 1] + shocks[t]
    series = Series(joint[:, :1], joint[:, 1:], np.empty((n, 0)), np.ones(n, dtype=bool))
    plan = _check_plan(series, 1, 0, "c", 50, "HC0")
    null = null_model(series, plan)
    assert not isinstance(null, str)
    assert null.lag_effects[0, 1, 0] == 0.0
    assert null.lag_effects[0, 0, 1] == pytest.approx(0.2, abs=0.06)
    errors = null_errors(plan, null, 3, rng, n)
    assert_allclose(np.abs(errors[0, 1:]), np.abs(null.residuals[1:]))
    assert_allclose(errors[0, 1:, 0] * errors[0, 1:, 1], null.residuals[1:, 0] * null.residuals[1:, 1])
    path = simulate_null(series, plan, null, errors)[0]
    t = 57
    expected = null.trend_effects[0] + path[t - 1] @ null.lag_effects[0] + errors[0, t]
    assert_allclose(path[t], expected)


def test_draws_miss_what_the_sample_misses() -> None:
    joint = _joint(130, 2, levels=False, seed=4)
    joint[60:75, 1] = np.nan
    series = Series(joint[:, :1], joint[:, 1:], np.empty((130, 0)), np.ones(130, dtype=bool))
    plan = _check_plan(series, 1, 0, "c", 50, "nonrobust")
    null = null_model(series, plan)
    assert not isinstance(null, str)
    full = _bootstrap(series, plan, null, 2, 5, np.random.default_rng(3), True, 1)[1]
    paths = simulate_null(series, plan, null, null_errors(plan, null, 2, np.random.default_rng(3), 130))
    for draw in range(2):
        again = _run(np.where(np.isnan(joint), np.nan, paths[draw]), lags=1, extra_lags=0, window=50)
        assert_allclose(full[draw], again.sup_statistics, rtol=1e-12)


def test_critical_values_hold_where_the_sample_has_gaps() -> None:
    rejections = np.zeros(3)
    for seed in range(80):
        rng = np.random.default_rng((5, seed))
        joint = rng.standard_normal((41, 2))
        joint[6::7, 1] = np.nan
        found = _run(joint, lags=2, extra_lags=1, window=30, bootstrap=99, rng=rng, sup_pvalue=False)
        values = found.critical_values
        rejections += [found.sup_statistics[i] > values[name][0.05] for i, name in enumerate(values)]
    # 80 trials at 5 %: within 3 binomial standard errors of 4; draws without the gaps gave 13 to 15.
    assert (rejections <= 4 + 3 * np.sqrt(80 * 0.05 * 0.95)).all()


def test_the_thinnest_stretch_that_still_holds_windows_lends_its_gaps() -> None:
    missing = np.zeros((50, 2), dtype=bool)
    assert not _gaps_of_a_stretch(missing, 20, 2).any()
    missing[[5, 7], 0] = True
    missing[30, 1] = True
    np.testing.assert_array_equal(_gaps_of_a_stretch(missing, 20, 2), missing[:20])
    missing[:25] = True  # a long absence is no stretch of windows
    assert _gaps_of_a_stretch(missing, 20, 2).any(axis=1).sum() == 7  # six of the absence, and the one at 30


def test_gaps_that_leave_no_rolling_window_are_a_reason() -> None:
    y, x = np.random.default_rng(7).standard_normal((2, 115))
    x[4::6] = np.nan
    result = time_varying_granger(y, x, lags=2, window=16, cov="HC0")
    assert isinstance(result, Inapplicable)
    assert "choose a larger one" in result.reason


def test_an_explosive_null_model_is_moved_to_a_unit_root_and_says_so() -> None:
    n = 150
    rng = np.random.default_rng(2)
    effect = np.exp(0.02 * np.arange(n)) * 10 + rng.standard_normal(n) * 0.1
    result = time_varying_granger(effect, rng.standard_normal(n), lags=1, window=60, bootstrap=19, rng=rng, trend="n")
    assert isinstance(result, TimeVaryingResult)
    assert any("explosive" in item for item in result.warnings)
    assert np.isfinite(result.critical).all()


# --- dating and refusals ----------------------------------------------------------------------------------------------


def test_dating_edges() -> None:
    values = [9.0, 9.0, np.nan, 9.0, 1.0, 4.0, 9.0]
    assert date_episodes(values, 4.0) == (Episode(0, 1), Episode(3, 3), Episode(6, 6))
    assert date_episodes(values, 4.0, min_length=2) == (Episode(0, 1),)
    assert date_episodes(values, 10.0) == ()
    with pytest.raises(InputError, match="finite critical value"):
        date_episodes(values, np.nan)
    with pytest.raises(InputError, match="real numbers"):
        date_episodes(["a", "b"], 1.0)


def test_refusals() -> None:
    joint = _joint(100, 2, levels=False, seed=1)
    y, x = joint.T
    with pytest.raises(InputError, match="window must be a whole number"):
        time_varying_granger(y, x, lags=3, window=12)
    with pytest.raises(InputError, match="HC0"):
        time_varying_granger(y, x, lags=1, window=40, cov="HC3")
    with pytest.raises(InputError, match="random generator"):
        time_varying_granger(y, x, lags=1, window=40, bootstrap=9)
    with pytest.raises(InputError, match="one effect"):
        time_varying_granger(joint, x, lags=1, window=40)
    for short in (
        time_varying_granger(y, x, lags=1, window=101),
        time_varying_granger(y, x, lags=1, window=95, bootstrap=9, rng=np.random.default_rng(0)),
    ):
        assert isinstance(short, Inapplicable)
        assert "choose a smaller window" in short.reason
    result = _run(joint, lags=1, window=40)
    with pytest.raises(InputError, match="bootstrap > 0"):
        result.episodes()
    assert result.critical_values == {}


def test_one_window_may_be_the_whole_sample() -> None:
    joint = _joint(100, 2, levels=False, seed=1)
    whole = _run(joint, lags=2, window=100)
    assert whole.forward[-1] == whole.rolling[-1] == whole.recursive[-1]
    assert whole.forward[-1] == pytest.approx(_run(joint, lags=2, window=60).forward[-1], rel=1e-12)
    assert np.isnan(whole.forward[:-1]).all()


def test_few_draws_give_no_critical_value_they_cannot_reach() -> None:
    joint = _joint(90, 2, levels=False, seed=2)
    few = _run(joint, lags=1, window=60, bootstrap=19, rng=np.random.default_rng(0))
    assert few.levels == (0.1, 0.05)
    assert set(few.critical_values["rolling"]) == {0.1, 0.05}
    assert "19 draws give no critical value below a level of 0.05" in few.warnings
    assert "critical_1_percent" not in few.to_frame()
    one = _run(joint, lags=1, window=60, bootstrap=1, rng=np.random.default_rng(0))
    assert one.critical_values == {}
    enough = _run(joint, lags=1, window=60, bootstrap=99, rng=np.random.default_rng(0))
    assert enough.levels == (0.1, 0.05, 0.01)


def test_a_series_that_starts_late_has_no_window_of_absent_dates() -> None:
    rng = np.random.default_rng(21)
    cause = rng.standard_normal(260)
    effect = rng.standard_normal(260)
    late, lost = effect.copy(), 90
    late[:lost] = np.nan
    late[-5:] = np.nan
    result = time_varying_granger(late, cause, lags=1, extra_lags=0, window=60)
    inner = time_varying_granger(effect[lost:-5], cause[lost:-5], lags=1, extra_lags=0, window=60)
    for name in ("forward", "rolling", "recursive"):
        path = getattr(result, name)
        assert path.shape == (260,)
        assert np.isnan(path[: lost + 59]).all()
        assert np.isnan(path[-5:]).all()
        np.testing.assert_array_equal(path[lost:-5], getattr(inner, name))
    short = time_varying_granger(np.r_[np.full(230, np.nan), effect[230:]], cause, lags=1, extra_lags=0, window=60)
    assert isinstance(short, Inapplicable)
    assert "30 observations" in short.reason
