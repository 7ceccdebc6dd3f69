"""The event study: against formulas worked out by hand, for leaks, for size under dependence, and for power."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.eventstudy import event_study
from analysis.stats.eventstudy.outcomes import trailing_features
from analysis.stats.eventstudy.result import EventStudyResult
from analysis.stats.eventstudy.statistics import Design, asset_correlation, cumulate, fit_units, implied_correlation

WINDOWS: dict[str, Any] = {"window": (-5, 21), "estimation": (-120, -6)}


def study(*args: Any, **options: Any) -> EventStudyResult:
    result = event_study(*args, **(WINDOWS | options))
    assert isinstance(result, EventStudyResult), result.summary()
    return result


def garch(rng: np.random.Generator, n: int, k: int = 1, rho: float = 0.0) -> np.ndarray:
    z = np.sqrt(rho) * rng.standard_normal((n, 1)) + np.sqrt(1 - rho) * rng.standard_normal((n, k))
    h, out = np.ones(k), np.empty((n, k))
    for t in range(n):
        out[t] = np.sqrt(h) * z[t]
        h = 0.03 + 0.1 * out[t] ** 2 + 0.87 * h
    return out / 100


def by_hand(y: np.ndarray, m: np.ndarray | None, event: int, h: int) -> tuple[float, float, np.ndarray]:
    """Return CAR, its standardised value by Patell's formula and the residuals, for sessions 1 to h."""
    past, future = slice(event - 120, event - 5), slice(event + 1, event + h + 1)
    if m is None:
        fit, fitted, extra, p = y[past].mean(), np.full(h, y[past].mean()), 0.0, 1
        residual = y[past] - fit
    else:
        beta, alpha = np.polyfit(m[past], y[past], 1)
        residual, fitted, p = y[past] - alpha - beta * m[past], alpha + beta * m[future], 2
        centred = m[past] - m[past].mean()
        extra = np.sum(m[future] - m[past].mean()) ** 2 / np.sum(centred**2)
    car = float(np.sum(y[future] - fitted))
    variance = np.sum(residual**2) / (115 - p) * (h + h**2 / 115 + extra)
    return car, car / np.sqrt(variance), residual


@pytest.mark.parametrize("method", ["mean", "market"])
def test_bmp_agrees_with_the_formula_worked_out_by_hand(method: str) -> None:
    rng = np.random.default_rng(3)
    market = rng.standard_normal(1500)
    y = 0.2 + 0.7 * market + rng.standard_normal(1500) * (1 + 0.5 * np.sin(np.arange(1500) / 50))
    events = [130, 400, 700, 1000, 1300, 1440]
    m = market if method == "market" else None
    result = study(y, events, market=m, method=method)
    for _, row in result.statistics.iterrows():
        car, scar, _ = zip(*(by_hand(y, m, event, int(row["horizon"])) for event in events), strict=True)
        t = stats.ttest_1samp(scar, 0.0)
        assert row["bmp"] == pytest.approx(t.statistic, rel=1e-9)
        assert row["bmp_pvalue"] == pytest.approx(t.pvalue, rel=1e-9)
        assert row["estimate"] == pytest.approx(np.mean(car), rel=1e-9)
    assert result.pvalue == pytest.approx(2 * stats.t.sf(abs(result.statistic), result.df[0]))
    low, high = stats.ttest_1samp(car, 0.0).confidence_interval(0.95)
    assert result.interval == pytest.approx((low, high), rel=0.05), "events this far apart are nearly independent"


@pytest.mark.parametrize("with_market", [False, True])
def test_one_event_is_standardised_by_its_prediction_error(with_market: bool) -> None:
    rng = np.random.default_rng(4)
    market, y = rng.standard_normal(300), rng.standard_normal(300)
    m = market if with_market else None
    design = Design(np.r_[-120:-5, -5:22], np.arange(142) < 115, 1)
    units = fit_units(y[:, None], m, [200], design)
    for h in (1, 5, 21):
        car, scar, _ = by_hand(y, m, 200, h)
        found = cumulate(units, design, h)
        assert (found.car[0], found.scar[0]) == pytest.approx((car, scar), rel=1e-9)
        assert found.weights[0] @ y[200 + design.offsets] == pytest.approx(car, rel=1e-9), "weights give the return"


def test_one_date_for_all_assets_is_kolari_and_pynnonen() -> None:
    rng = np.random.default_rng(5)
    y = garch(rng, 300, 12, 0.3)
    result = study(y, [200], horizons=[1, 5])
    for _, row in result.statistics.iterrows():
        parts = [by_hand(y[:, a], None, 200, int(row["horizon"])) for a in range(12)]
        scar = np.array([part[1] for part in parts])
        r = np.corrcoef([part[2] for part in parts])[np.triu_indices(12, 1)].mean()
        bmp = scar.mean() * np.sqrt(12) / scar.std(ddof=1)
        assert row["correlation"] == pytest.approx(r, rel=1e-9)
        assert row["adjusted"] == pytest.approx(bmp * np.sqrt((1 - r) / (1 + 11 * r)), rel=1e-9)
    assert result.df[0] < 11


def test_equal_correlation_keeps_n_minus_one_degrees_of_freedom() -> None:
    rng = np.random.default_rng(6)
    z = rng.standard_normal((115, 6))
    y = rng.standard_normal((300, 6))
    y[80:195] = np.linalg.qr(z - z.mean(axis=0))[0]
    result = study(y, [200], horizons=[5])
    assert result.df[0] == pytest.approx(5.0)
    assert result.statistics["correlation"].iloc[0] == pytest.approx(0.0, abs=1e-12)


def test_implied_correlation_of_overlapping_events_is_that_of_simulated_returns() -> None:
    rng = np.random.default_rng(8)
    design = Design(np.r_[-40:0, 1:21], np.arange(60) < 40, 1)
    events = [60, 67, 75, 140]
    draws = []
    for _ in range(1500):
        units = fit_units(rng.standard_normal((180, 1)), None, events, design)
        draws.append(cumulate(units, design, 20).car)
    found = cumulate(units, design, 20)
    implied = implied_correlation(units, found, design, asset_correlation(units, 1, design))
    np.testing.assert_allclose(np.corrcoef(np.array(draws).T), implied, atol=0.09)
    assert implied[0, 1] > 0.4
    assert implied[0, 3] == pytest.approx(0.0)


def test_corrado_rank_and_sign_agree_with_brute_force() -> None:
    rng = np.random.default_rng(9)
    y = rng.standard_t(4, 1200) + 0.1
    events = [150, 330, 520, 800, 1000]
    row = study(y, events, horizons=[5]).statistics.iloc[0]
    offsets = [*range(-120, -5), *range(1, 6)]
    ranks = np.array([[sum(y[e + o] >= y[e + q] for q in offsets) for o in offsets] for e in events]) / 121 - 0.5
    daily = ranks.mean(axis=0)
    t = np.sqrt(5) * daily[-5:].mean() / np.sqrt(np.mean(daily**2))
    assert row["rank"] == pytest.approx(t, rel=1e-9)
    assert row["rank_pvalue"] == pytest.approx(2 * stats.norm.sf(abs(t)), rel=1e-9)
    parts = [by_hand(y, None, e, 5) for e in events]
    share = np.mean([np.mean(part[2] > 0) for part in parts])
    sign = (sum(part[0] > 0 for part in parts) - 5 * share) / np.sqrt(5 * share * (1 - share))
    assert row["sign"] == pytest.approx(sign, rel=1e-9)


def test_the_path_passes_through_zero_and_through_every_horizon() -> None:
    rng = np.random.default_rng(10)
    y = rng.standard_normal(1500)
    events = list(range(150, 1400, 100))
    result = study(y, events)
    path = result.cumulative.set_index("offset")
    assert list(path.index) == list(range(-5, 22))
    assert path.loc[0, ["estimate", "lower", "upper"]].tolist() == [0.0, 0.0, 0.0]
    for _, row in result.statistics.iterrows():
        for name in ("estimate", "lower", "upper"):
            assert path.loc[row["horizon"], name] == row[name]
    before = -np.mean([np.sum(y[e - 2 : e + 1] - y[e - 120 : e - 5].mean()) for e in events])
    assert path.loc[-3, "estimate"] == pytest.approx(before)
    assert study(y, events, first=0).cumulative.set_index("offset").loc[-1, "estimate"] == 0.0


def test_what_comes_after_the_window_moves_nothing_and_the_event_does_not_move_the_fit() -> None:
    rng = np.random.default_rng(11)
    y, events = rng.standard_normal(900), [150, 300, 450, 600, 750]
    changed = y.copy()
    changed[750 + 22 :] = 99.0
    assert study(y, events).to_json() == study(changed, events).to_json()
    short = y.copy()
    short[750 + 6 :] = 99.0
    assert study(y, events).statistics.iloc[0].equals(study(short, events).statistics.iloc[0])
    design = Design(np.r_[-120:-5, -5:22], np.arange(142) < 115, 1)
    after = y.copy()
    after[750 - 5 :] = -50.0
    one, two = (fit_units(series[:, None], None, [750], design)[0] for series in (y, after))
    assert one.sigma == two.sigma
    np.testing.assert_array_equal(one.abnormal[:115], two.abnormal[:115])
    features, moved = trailing_features(y, 30, 1), trailing_features(after, 30, 1)
    np.testing.assert_array_equal(features[:745], moved[:745])
    assert not np.array_equal(features[745], moved[745], equal_nan=True)


def test_missing_values_lose_only_the_events_they_touch() -> None:
    rng = np.random.default_rng(12)
    y, events = rng.standard_normal(1200), [150, 300, 450, 600, 750, 900, 1190]
    y[310] = np.nan
    result = study(y, events)
    assert result.statistics["nobs"].tolist() == [7, 5]
    assert result.nobs_lost == 2
    assert any("different numbers of events" in warning for warning in result.warnings)
    y[460 - 120 : 460 - 60] = np.nan
    assert study(y, events, horizons=[5]).nobs == 6, "half of an estimation window missing is too much"


def test_scale_changes_the_effect_and_no_test() -> None:
    rng = np.random.default_rng(13)
    y, events = garch(rng, 1500)[:, 0], np.arange(150, 1400, 60)
    one, two = study(y, events, placebo=True), study(100 * y, events[::-1], placebo=True)
    for name in ("adjusted_pvalue", "rank_pvalue", "sign_pvalue", "placebo_pvalue"):
        np.testing.assert_allclose(one.statistics[name], two.statistics[name], rtol=1e-9)
    assert two.estimate == pytest.approx(100 * one.estimate)


def test_adjustment_holds_its_size_where_the_plain_test_does_not() -> None:
    plain = adjusted = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        y = garch(rng, 500, 5, 0.5)
        result = study(y, np.sort(rng.choice(np.arange(130, 480), 5, replace=False)), horizons=[10], window=(1, 10))
        plain += result.statistics["bmp_pvalue"].iloc[0] <= 0.05
        adjusted += result.pvalue <= 0.05
    assert plain > 0.2 * 100, "assets of one date must fool a test that takes them as independent"
    assert adjusted <= 0.05 * 100 + 3 * np.sqrt(100 * 0.05 * 0.95)


def test_placebo_holds_its_size_under_clustered_volatility_and_clustered_events() -> None:
    rejected = joint = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        y = garch(rng, 700)
        events = np.sort(rng.choice(np.r_[150:260, 420:520], 10, replace=False))
        result = study(y, events, horizons=[5, 21], window=(1, 21), placebo=True, neighbours=40)
        rejected += result.statistics["placebo_pvalue"].iloc[0] <= 0.05
        joint += (result.placebo_joint_pvalue or 0.0) <= 0.05
    limit = 0.05 * 50 + 3 * np.sqrt(50 * 0.05 * 0.95)
    assert rejected <= limit
    assert joint <= limit


def test_a_planted_effect_is_found_by_every_test() -> None:
    rng = np.random.default_rng(15)
    y = garch(rng, 3000)[:, 0]
    events = np.arange(150, 2900, 170)
    for event in events:
        y[event + 1 : event + 6] += 0.012
    result = study(y, events, horizons=[5, 21], headline=5, placebo=True)
    row = result.statistics.iloc[0]
    assert result.headline == 5
    assert (row[["adjusted_pvalue", "rank_pvalue", "sign_pvalue", "placebo_pvalue"]] < 0.01).all()
    assert result.interval is not None
    assert abs(row["estimate"] - 0.06) < result.interval[1] - result.interval[0]
    assert result.placebo_joint_pvalue is not None
    assert result.placebo_joint_pvalue < 0.02
    assert abs(row["placebo_estimate"]) < 0.03


def test_placebo_removes_momentum_that_follows_any_rally() -> None:
    rng = np.random.default_rng(16)
    y = np.zeros(3000)
    for t in range(40, 3000):
        y[t] = 0.12 * y[t - 40 : t].mean() * 8 + rng.standard_normal() / 100
    trend = np.convolve(y, np.ones(40), "full")[: y.size]
    hot = np.flatnonzero((trend > np.quantile(trend, 0.9)) & (np.arange(3000) > 200) & (np.arange(3000) < 2900))
    events = [hot[0]]
    for day in hot:
        if day - events[-1] > 150:
            events.append(day)
    result = study(y, events, horizons=[21], placebo=True, trailing=40)
    row = result.statistics.iloc[0]
    assert row["placebo_estimate"] > 0.3 * row["estimate"] > 0
    assert row["placebo_pvalue"] > 0.05


def test_overlap_and_few_episodes_are_reported() -> None:
    y = np.random.default_rng(18).standard_normal(900)
    result = study(y, [200, 210, 230, 400, 420, 421])
    assert result.independent_episodes == 4
    assert result.overlapping_pairs == 4
    assert result.effective_events < 6
    assert any("only 4 events" in warning for warning in result.warnings)
    assert any("4 pairs of events overlap" in warning for warning in result.warnings)
    short = study(y[:150], range(100, 140, 10), horizons=[5], placebo=True)
    assert (short.placebo_calendars, short.placebo_joint_pvalue) == (0, None)
    assert short.statistics["placebo_pvalue"].isna().all()
    assert any("no placebo" in warning for warning in short.warnings)
    partial = study(y, [*range(150, 850, 100), 890], horizons=[5, 21], placebo=True)
    assert partial.placebo_events == 7
    assert any("compares 7 of 8 events" in warning for warning in partial.warnings)


def test_the_method_follows_from_the_market_and_the_event_day_shows() -> None:
    rng = np.random.default_rng(20)
    market = rng.standard_normal(900)
    y, events = 0.5 * market + 0.1 * rng.standard_normal(900), [200, 300, 400, 500]
    y[events] += 3.0
    plain = event_study(y, events, window=(-5, 5), estimation=(-120, -6))
    model = event_study(y, events, market=market, window=(-5, 5), estimation=(-120, -6))
    assert isinstance(plain, EventStudyResult)
    assert isinstance(model, EventStudyResult)
    assert (plain.options["method"], model.options["method"]) == ("mean", "market")
    path = model.cumulative.set_index("offset")
    assert path.loc[0, "abnormal"] == pytest.approx(3.0, abs=0.2)
    assert path.loc[5, "estimate"] == pytest.approx(path.loc[1:5, "abnormal"].sum())
    assert model.statistics["nobs"].tolist() == [4]


def test_data_that_do_not_allow_the_test_give_a_reason() -> None:
    y = np.random.default_rng(19).standard_normal(900)
    for series, events in [
        (y, []),
        (y, [10, 20, 30, 40, 50]),
        (y, [200, 300]),
        (np.ones(900), [200, 300, 400, 500, 600]),
    ]:
        result = event_study(series, np.array(events, dtype=int), **WINDOWS)
        assert isinstance(result, Inapplicable)
        assert "no 3 events that differ have both history and outcome" in result.reason
    flat = event_study(y, [200, 300, 400, 500, 600], market=np.ones(900), method="market", **WINDOWS)
    assert isinstance(flat, Inapplicable)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"events": [100.5]}, "positions"),
        ({"events": [100, 900]}, "outside the series"),
        ({"events": [100, 100]}, "twice"),
        ({"method": "market"}, "do not go together"),
        ({"method": "mean", "market": np.ones(900)}, "do not go together"),
        ({"method": "market", "market": np.ones(5)}, "as long as"),
        ({"estimation": (-120, -5)}, "do not fit"),
        ({"estimation": (-20, -6)}, "do not fit"),
        ({"window": (3, 21), "estimation": (-120, 2), "first": 3}, "do not fit"),
        ({"first": 30}, "do not fit"),
        ({"horizons": [5, 30]}, "do not fit"),
        ({"horizons": [5, 5]}, "do not fit"),
        ({"headline": 7}, "do not fit"),
        ({"level": 1.0}, "level"),
        ({"min_events": 2}, "min_events"),
        ({"neighbours": 2}, "neighbours"),
        ({"match": np.ones(5)}, "match"),
        ({"returns": np.full(900, np.inf)}, "infinite"),
    ],
)
def test_wrong_input_is_refused(change: dict[str, Any], text: str) -> None:
    given: dict[str, Any] = {"returns": np.zeros(900), "events": [200, 300]} | WINDOWS | change
    with pytest.raises(InputError, match=text):
        event_study(given.pop("returns"), given.pop("events"), **given)
