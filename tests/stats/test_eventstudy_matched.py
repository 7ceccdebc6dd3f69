"""Matched event study: running sums against one regression a date, calendars against brute force, size and power."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.eventstudy.matched import MatchedEventResult, MatchedStudy, match_dates, matched_event_study
from analysis.stats.eventstudy.outcomes import (
    matched_mean,
    nearest_dates,
    outcomes_at_every_date,
    trailing_features,
)
from analysis.stats.eventstudy.rotation import PRIOR_EVENTS, joint_pvalues, rotate
from analysis.stats.eventstudy.statistics import Design, cumulate, fit_units

ESTIMATION = (-60, -6)


def holed(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = rng.standard_normal(n)
    y = 0.1 + 0.6 * market + rng.standard_normal(n)
    y[rng.choice(n, 6, replace=False)] = np.nan
    market[rng.choice(n, 3, replace=False)] = np.nan
    return y, market


def clustered(n: int = 700) -> np.ndarray:
    """Return events in two clusters whose outcomes overlap, and a few alone."""
    return np.array([100, 112, 125, 131, 300, 420, 428, 441, n - 120])


def one(study: MatchedStudy, place: int = 0) -> MatchedEventResult:
    result = study.results[place]
    assert isinstance(result, MatchedEventResult), result.summary()
    return result


@pytest.mark.parametrize("normal", ["mean", "market"])
def test_running_sums_agree_with_one_regression_a_date(normal: Any) -> None:
    y, market = holed(260, 1)
    m = market if normal == "market" else None
    ends, design = (3, 15), Design(np.r_[-60:-5, 1:16], np.arange(70) < 55, 1)
    found = outcomes_at_every_date(y, m, estimation=ESTIMATION, first=1, ends=ends, normal=normal, least=20)
    units = fit_units(y[:, None], m, range(260), design)
    for column, end in enumerate(ends):
        slow = cumulate(units, design, end)
        dates = np.array([units[i].event for i in slow.rows])
        np.testing.assert_allclose(found.car[dates, column], slow.car, rtol=1e-9, atol=1e-12)
        scar = found.car[dates, column] / found.spread[dates, column]
        np.testing.assert_allclose(scar, slow.scar, rtol=1e-9, atol=1e-12)
        assert set(np.flatnonzero(np.isfinite(found.car[:, column]))) == set(dates)


def test_nothing_or_beta_alone_is_taken_off() -> None:
    y, market = holed(200, 2)
    date, end = 120, 9
    raw = outcomes_at_every_date(y, None, estimation=ESTIMATION, first=0, ends=[end], normal="none", least=20)
    beta = outcomes_at_every_date(y, market, estimation=ESTIMATION, first=0, ends=[end], normal="beta", least=20)
    while not (np.isfinite(raw.car[date, 0]) and np.isfinite(beta.car[date, 0])):
        date += 1
    ahead = slice(date, date + end + 1)
    past = y[date - 60 : date - 5]
    assert raw.car[date, 0] == pytest.approx(y[ahead].sum())
    assert raw.spread[date, 0] == pytest.approx(np.nanstd(past, ddof=1) * np.sqrt(10))
    m = market[date - 60 : date - 5]
    both = np.isfinite(past) & np.isfinite(m)
    fit = stats.linregress(m[both], past[both])
    assert beta.car[date, 0] == pytest.approx(np.sum(y[ahead] - fit.slope * market[ahead]))
    residual = past[both] - fit.intercept - fit.slope * m[both]
    sxx = np.sum((m[both] - m[both].mean()) ** 2)
    variance = np.sum(residual**2) / (both.sum() - 2) * (10 + market[ahead].sum() ** 2 / sxx)
    assert beta.spread[date, 0] == pytest.approx(np.sqrt(variance))


def test_constant_history_or_constant_market_gives_no_outcome() -> None:
    y = np.ones(200)
    for normal, market in (("none", None), ("beta", np.ones(200))):
        data = y if market is None else np.random.default_rng(0).standard_normal(200)
        found = outcomes_at_every_date(
            data, market, estimation=ESTIMATION, first=1, ends=[3], normal=normal, least=20  # type: ignore[arg-type]
        )  # fmt: skip
        assert np.isnan(found.car).all()


def test_features_know_the_past_only() -> None:
    y, _ = holed(120, 3)
    found = trailing_features(y, 20, 1)
    for date in (25, 60, 118):
        past = y[date - 19 : date + 1]
        assert found[date, 0] == pytest.approx(np.nanmean(past))
        assert found[date, 1] == pytest.approx(np.nanstd(past, ddof=1))
    assert np.isnan(found[:19]).all()
    changed = y.copy()
    changed[61:] = 9.0
    np.testing.assert_array_equal(trailing_features(changed, 20, 1)[:61], found[:61])


def test_matches_are_the_nearest_that_share_no_outcome() -> None:
    rng = np.random.default_rng(4)
    features, values = rng.standard_normal((90, 2)), rng.standard_normal(90)
    features[:4] = np.nan
    values[50:60] = np.nan
    barred = np.zeros(90, dtype=bool)
    barred[70:75] = True
    found = matched_mean(values, nearest_dates(features, ~barred), reach=7, neighbours=6, least=5)
    scaled = features / np.nanstd(features, axis=0)
    for date in range(90):
        if date < 4:
            assert np.isnan(found[date])
            continue
        usable = [
            c for c in range(4, 90) if not barred[c] and np.isfinite(values[c]) and abs(c - date) >= 7
        ]  # fmt: skip
        near = sorted(usable, key=lambda c: float(np.sum((scaled[c] - scaled[date]) ** 2)))[:6]
        assert found[date] == pytest.approx(values[near].mean())
    far = matched_mean(values, nearest_dates(features, ~barred), reach=80, neighbours=6, least=5)
    assert np.isnan(far[40:50]).all()
    nothing = nearest_dates(features, np.zeros(90, dtype=bool))
    assert np.isnan(matched_mean(values, nothing, reach=1, neighbours=6, least=5)).all()


def test_calendars_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(5)
    excess = rng.standard_normal(230)
    excess[:10] = excess[225:] = excess[77] = np.nan
    events = [20, 24, 60, 150, 228]
    found = rotate(excess, events)
    assert found is not None
    assert found.events == (20, 24, 60, 150)
    stretch = excess[10:225] - np.nanmean(excess)
    spread = np.nanmean(stretch**2)
    slow = []
    for move in range(215):
        values = stretch[(np.array([10, 14, 50, 140]) + move) % 215]
        values = values[np.isfinite(values)]
        squares = np.sum((values - values.mean()) ** 2) + PRIOR_EVENTS * spread
        variance = squares / (values.size - 1 + PRIOR_EVENTS)
        slow.append(values.mean() / np.sqrt(variance / values.size))
    np.testing.assert_allclose(found.statistics, slow, rtol=1e-8, atol=1e-10)
    assert found.pvalue == np.mean(np.abs(slow) >= abs(slow[0]))
    assert found.mean == pytest.approx(np.mean(excess[[20, 24, 60, 150]]) - np.nanmean(excess))
    assert rotate(excess[:80], events) is None
    assert rotate(excess, [20, 24]) is None
    assert rotate(np.zeros(300), [20, 24, 30]) is None


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_excludes_zero_exactly_where_the_test_rejects(level: float) -> None:
    seen = set()
    for seed in range(60):
        excess = np.random.default_rng(seed).standard_normal(150)
        excess[[30, 70, 110, 130]] += 0.02 * seed
        found = rotate(excess, [30, 70, 110, 130])
        assert found is not None
        rejects = found.pvalue <= 1 - level + 1e-12
        assert rejects == (abs(found.mean) > found.margin(level))
        assert found.detectable(level) > found.margin(level)
        seen.add(rejects)
    assert seen == {True, False}


def test_joint_pvalues_correct_for_the_best_of_many() -> None:
    rng = np.random.default_rng(6)
    many = [rotate(rng.standard_normal(length), [50, 90, 140, 200]) for length in (300, 300, 260, 220, 300)]
    rotations = [found for found in many if found is not None]
    raw = np.array([found.pvalue for found in rotations])
    adjusted = joint_pvalues(rotations)
    assert (adjusted >= raw).all()
    assert adjusted.min() > raw.min()
    np.testing.assert_allclose(joint_pvalues(rotations[:1]), raw[:1], atol=1e-9)
    np.testing.assert_allclose(joint_pvalues([rotations[0]] * 4), raw[0], atol=0.01), "the same test four times is one"
    assert (joint_pvalues(rotations, family_size=10) >= adjusted).all()
    with pytest.raises(InputError, match="nothing to correct"):
        joint_pvalues([])


def _run(seed: int, *, induced: float = 1.0, effect: float = 0.0) -> tuple[float, float]:
    """Return the p-value of the rotation and that of a plain t-test on the same excess of clustered events."""
    rng = np.random.default_rng(seed)
    y, driver, events = rng.standard_t(5, 700), rng.standard_normal(700), clustered()
    for event in events:
        y[event + 1 : event + 6] = induced * y[event + 1 : event + 6] + effect
    horizon = 5 if induced > 1 else 21
    study = matched_event_study(
        y, events, match_dates(driver, trailing=20), horizons=[horizon], estimation=ESTIMATION, neighbours=40
    )
    result = one(study)
    paired = [row[1] - row[2] for row in result.outcomes]
    return result.pvalue, float(stats.ttest_1samp(paired, 0.0).pvalue)


def test_size_under_overlap_and_under_induced_variance_and_power() -> None:
    calm = np.array([_run(seed) for seed in range(45)])
    wild = np.array([_run(seed, induced=2.0) for seed in range(45)])
    limit = 0.05 * 45 + 3 * np.sqrt(45 * 0.05 * 0.95)
    assert (calm[:, 0] <= 0.05).sum() <= limit
    assert (wild[:, 0] <= 0.05).sum() <= limit
    planted = np.array([_run(seed, effect=1.0) for seed in range(20)])
    assert (planted[:, 0] <= 0.05).sum() >= 12


def test_results_are_consistent_and_scale_with_the_unit() -> None:
    rng = np.random.default_rng(7)
    y, driver, events = rng.standard_normal(700) / 50, rng.standard_normal(700), clustered()
    like = match_dates(driver, trailing=20)
    options: dict[str, Any] = {"horizons": [5, 21], "estimation": ESTIMATION, "neighbours": 40}
    study = matched_event_study(y, events, like, path=[1, 5, 10, 21], **options)
    percent = matched_event_study(100 * y, events[::-1], like, unit="percent", **options)
    for plain, other in zip(study.results, percent.results, strict=True):
        assert isinstance(plain, MatchedEventResult)
        assert isinstance(other, MatchedEventResult)
        assert other.pvalue == plain.pvalue
        assert other.estimate == pytest.approx(100 * (plain.estimate or 0.0))
        assert plain.estimate == pytest.approx(plain.average - plain.matched)
        assert plain.estimate_name.endswith("dates")
        assert other.estimate_name.endswith("dates, percent")
        weights = np.array([1 / np.nanstd(y[e - 60 : e - 5], ddof=1) for e in events])
        shares = weights / weights.sum()
        got = np.array([row[1] for row in plain.outcomes])
        np.testing.assert_allclose(got, [y[e + 1 : e + plain.horizon + 1].sum() for e in events], rtol=1e-9)
        assert plain.average == pytest.approx(float(shares @ got))
    assert study.path is not None
    rows = study.path.to_frame().set_index("offset")
    last = one(study, 1)
    assert list(rows.index) == [1, 5, 10, 21]
    assert rows.loc[21, "average"] == pytest.approx(last.average)
    assert rows.loc[21, "matched"] == pytest.approx(last.matched)
    assert last.interval is not None
    assert rows.loc[21, "upper"] - rows.loc[21, "matched"] == pytest.approx((last.interval[1] - last.interval[0]) / 2)
    assert last.independent_episodes == 6
    assert one(study, 0).independent_episodes == 9
    assert any("only 6 events" in warning for warning in last.warnings)
    assert "session 21" in study.path.summary()


def test_what_follows_the_horizon_of_the_last_event_and_match_moves_nothing() -> None:
    rng = np.random.default_rng(8)
    y, driver = rng.standard_normal(700), rng.standard_normal(700)
    outcome = outcomes_at_every_date(y, None, estimation=ESTIMATION, first=1, ends=[5], normal="none", least=20)
    y[406:] = 99.0
    later = outcomes_at_every_date(y, None, estimation=ESTIMATION, first=1, ends=[5], normal="none", least=20)
    np.testing.assert_allclose(later.car[:401], outcome.car[:401], rtol=1e-12)
    one_way = match_dates(driver, trailing=20).features
    driver[500:] = 7.0
    np.testing.assert_array_equal(match_dates(driver, trailing=20).features[:500], one_way[:500])


def test_momentum_after_any_rally_is_no_effect_of_records() -> None:
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        driver = rng.standard_normal(1500)
        trend = np.convolve(driver, np.ones(20) / 20, "full")[:1500]
        y = rng.standard_normal(1500) + 0.6 * np.r_[0.0, trend[:-1]] / trend.std()
        hot = np.flatnonzero((trend > np.quantile(trend, 0.93)) & (np.arange(1500) > 90) & (np.arange(1500) < 1470))
        events = [int(hot[0])]
        for day in hot.tolist():
            if day - events[-1] > 25:
                events.append(day)
        like = match_dates(driver, trailing=20)
        result = one(matched_event_study(y, events, like, horizons=[10], estimation=ESTIMATION, neighbours=40))
        found.append((result.average, result.matched, result.pvalue))
    average, matched, pvalue = np.array(found).T
    assert average.mean() > 2.0, "momentum is there"
    assert matched.mean() > 0.6 * average.mean(), "matched dates have it too"
    assert (pvalue <= 0.05).sum() <= 2


def test_too_few_events_say_so() -> None:
    y, driver = np.random.default_rng(9).standard_normal((2, 400))
    like = match_dates(driver, trailing=20)
    options: dict[str, Any] = {"estimation": ESTIMATION, "neighbours": 20}
    few = matched_event_study(y, [100, 200, 300, 396], like, horizons=[5, 21], **options)
    for result, reason in zip(few.results, ("3 of 4 events", "3 of 4 events"), strict=True):
        assert isinstance(result, Inapplicable)
        assert reason in result.reason
    assert few.rotations == (None, None)
    assert few.path is None
    none = matched_event_study(y, np.array([], dtype=int), like, horizons=[5], **options)
    assert isinstance(none.results[0], Inapplicable)
    mixed = matched_event_study(y, [100, 150, 200, 250, 300, 390], like, horizons=[5, 21], min_events=6, **options)
    assert isinstance(mixed.results[0], MatchedEventResult)
    assert isinstance(mixed.results[1], Inapplicable)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"returns": np.zeros(50)}, "as long as the matches"),
        ({"market": np.zeros((400, 2))}, "as long as the matches"),
        ({"events": [1.5]}, "positions"),
        ({"events": [5, 5]}, "twice"),
        ({"horizons": [5, 5]}, "do not ascend"),
        ({"horizons": []}, "do not ascend"),
        ({"horizons": [0]}, "horizon"),
        ({"path": [9, 3]}, "do not ascend"),
        ({"level": 1.0}, "level"),
        ({"estimation": (-10, -6)}, "does not fit"),
        ({"estimation": (-60, 0)}, "does not fit"),
        ({"neighbours": 2}, "neighbours"),
        ({"min_events": 2}, "min_events"),
        ({"returns": np.full(400, np.inf)}, "infinite"),
    ],
)
def test_wrong_input_is_refused(change: dict[str, Any], text: str) -> None:
    like = match_dates(np.random.default_rng(1).standard_normal(400), trailing=20)
    given: dict[str, Any] = {"returns": np.zeros(400), "events": [100], "estimation": ESTIMATION} | change
    with pytest.raises(InputError, match=text):
        matched_event_study(given.pop("returns"), given.pop("events"), like, **given)


def test_wrong_drivers_are_refused() -> None:
    with pytest.raises(InputError, match="one series"):
        match_dates(np.zeros((50, 2)))
    with pytest.raises(InputError, match="mask"):
        match_dates(np.zeros(50), excluded=np.zeros(50))
    with pytest.raises(InputError, match="trailing"):
        match_dates(np.zeros(50), trailing=1)


def test_calendars_without_events_are_no_evidence() -> None:
    rng = np.random.default_rng(77)
    events = [700, 720, 745, 760, 790, 810, 850, 880, 905, 930]
    pvalues = []
    for _ in range(200):
        excess = rng.standard_normal(1000)
        excess[100:600] = np.nan
        found = rotate(excess, events)
        assert found is not None
        kept = np.isfinite(found.statistics)
        assert 0.2 < np.mean(~kept) < 0.7
        assert found.known.size == kept.sum()
        assert np.isfinite([found.margin(0.95), found.detectable(0.95), *joint_pvalues([found])]).all()
        pvalues.append(found.pvalue)
    # Counted as calendars that show less, they would bring the median down to about one quarter.
    assert 0.4 < np.median(pvalues) < 0.6
