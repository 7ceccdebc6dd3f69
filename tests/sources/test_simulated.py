"""The simulated market holds its declared truth: same bytes, honest clocks, one lead in one state, none elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.sources import simulated
from analysis.sources.simulated import MarketSpec, simulate

COINS = ("BTC", "ETH", "LTC", "XRP", "XLM", "DOGE", "BCH", "ADA", "BNB", "LINK", "SOL", "AVAX")
planted_lead, common_driver, nothing = MarketSpec.planted_lead, MarketSpec.common_driver, MarketSpec.nothing
SEEDS = (20140917, 1, 2, 3, 4, 5)


@cache
def world(make, seed=20140917):
    return simulate(make(seed=seed))


def value(market, name):
    return market[name].frame["value"]


def growing(market, sessions):
    """Rebuild the state from the published figures: known two days after each Wednesday, against 13 weeks before."""
    assets = value(market, "WALCL")
    repo = value(market, "RRPONTSYD").reindex(assets.index, method="ffill")
    net = assets - value(market, "WTREGEN") - 1000 * repo
    change = (net - net.shift(13)).dropna()
    change.index += pd.Timedelta(days=2)
    return change.reindex(sessions, method="ffill")


def returns(market, coin):
    """Return the coin between the first midnights UTC after the closes, and small and large caps between the closes."""
    sessions = value(market, "RUT").index
    frame = pd.DataFrame(
        {
            "coin": np.log(value(market, coin)).reindex(sessions).diff(),
            "small": np.log(value(market, "RUT")).diff(),
            "large": np.log(value(market, "SPX")).diff(),
            "change": growing(market, sessions),
        }
    )
    frame["small_before"], frame["large_before"] = frame["small"].shift(1), frame["large"].shift(1)
    frame["change_before"] = frame["change"].shift(1)
    return frame.dropna()


def slopes(frame, effect, *causes):
    """Least squares with HC3 standard errors: estimates and t values of the causes."""
    design = np.column_stack([np.ones(len(frame)), frame[list(causes)].to_numpy()])
    target = frame[effect].to_numpy()
    inverse = np.linalg.inv(design.T @ design)
    estimate = inverse @ design.T @ target
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    meat = design.T @ (design * (((target - design @ estimate) / (1 - leverage)) ** 2)[:, None])
    return estimate[1:], (estimate / np.sqrt(np.diag(inverse @ meat @ inverse)))[1:]


def digest(market):
    parts = hashlib.sha256()
    for name, series in market.items():
        parts.update(name.encode())
        parts.update(series.frame.index.to_numpy().tobytes())
        parts.update(series.frame.to_numpy().tobytes())
    return parts.hexdigest()


def test_same_seed_same_bytes_and_another_seed_another_market():
    assert digest(simulate(planted_lead())) == digest(simulate(planted_lead()))
    assert digest(world(planted_lead)) != digest(world(planted_lead, 1))


def test_worlds_of_one_seed_differ_only_by_their_truth():
    plain, lead = simulate(MarketSpec()), world(planted_lead)
    different = {name for name in plain if not plain[name].frame.equals(lead[name].frame)}
    assert different == {"ETH", "CBETHUSD", "ETH_AT_CLOSE"}
    driven = simulate(common_driver())
    different = {name for name in plain if not plain[name].frame.equals(driven[name].frame)}
    assert different == {*COINS, "CBBTCUSD", "CBETHUSD", "BTC_AT_CLOSE", "ETH_AT_CLOSE"}


def test_every_series_declares_itself_simulated():
    for name, series in world(planted_lead).items():
        assert (series.series_id, series.provider, series.provider_id, series.retrieved) == (
            name,
            "simulated",
            name,
            "",
        )
        assert series.origin == "simulated market, seed 20140917"
        assert "not evidence: small caps lead ETH by 1 session(s), only while liquidity is growing" in series.notes[0]


def test_calendars_of_equities_crypto_and_publications():
    market = world(planted_lead)
    sessions = exchange_calendars.get_calendar("XNYS", start="2014-09-17", end="2026-06-30").sessions
    for name in ("RUT", "SPX", "IXIC", "VIX", "DGS10", "FF_ME_LO30", "RRPONTSYD"):
        assert list(value(market, name).index) == list(sessions), name
    every_day = pd.date_range("2014-09-17", "2026-06-30")
    for name in ("BTC", "LTC", "CBBTCUSD", "DFF"):
        assert list(value(market, name).index) == list(every_day), name
    assert value(market, "SOL").index[0] == pd.Timestamp("2020-04-10")
    assert set(value(market, "WALCL").index.day_of_week) == set(value(market, "WTREGEN").index.day_of_week) == {2}
    assert set(value(market, "NFCI").index.day_of_week) == {4}
    for name in ("M2SL", "CPIAUCSL", "UNRATE", "FEDFUNDS"):
        assert set(value(market, name).index.day) == {1}, name


def test_units_are_those_of_the_publications():
    market = world(planted_lead)
    assert 3e6 < value(market, "WALCL").median() < 9e6
    assert 3e5 < value(market, "WTREGEN").median() < 8e5
    assert 1e2 < value(market, "RRPONTSYD").median() < 1e3
    assert 9 < value(market, "VIX").min() < 20 < value(market, "VIX").max() < 120
    assert 0.2 < value(market, "FF_ME_LO30").std() < 3
    assert value(market, "FF_ME_LO30").corr(100 * value(market, "RUT").pct_change()) > 0.98
    for name in ("DGS2", "DGS10", "BAMLH0A0HYM2", "UNRATE", "DTWEXBGS", "M2SL", "CPIAUCSL", "DFF"):
        assert value(market, name).min() > 0, name
    difference = value(market, "DGS10") - value(market, "T10YIE") - value(market, "DFII10")
    assert difference.abs().max() < 1e-9


@pytest.mark.parametrize("name", ["RUT", "SPX", "IXIC", "BTC", "DOGE", "SOL"])
def test_bars_enclose_their_prices(name):
    for seed in SEEDS[:3]:
        frame = world(planted_lead, seed)[name].frame
        assert (frame["low"] > 0).all()
        assert (frame["high"] >= frame[["open", "value"]].max(axis=1)).all()
        assert (frame["low"] <= frame[["open", "value"]].min(axis=1)).all()
        assert (frame["high"] > frame["value"]).mean() > 0.8


def test_crypto_opens_where_it_closed_and_equities_gap_overnight():
    market = world(planted_lead)
    coin, index = market["BTC"].frame, market["RUT"].frame
    assert np.allclose(coin["open"].iloc[1:], coin["value"].iloc[:-1], rtol=1e-6)
    gap = np.log(index["open"] / index["value"].shift(1)).dropna()
    inside = np.log(index["value"] / index["open"])
    assert 0.3 < gap.std() / inside.std() < 1.5


def test_crypto_trades_at_weekends_less_than_on_weekdays():
    step = np.log(value(world(planted_lead), "BTC")).diff().dropna()
    weekend = step[step.index.day_of_week >= 5]
    assert weekend.std() > 0.01
    assert weekend.std() < step[step.index.day_of_week < 5].std()


def test_evening_price_of_new_york_lies_between_the_midnights():
    """In summer 20:00 New York is midnight UTC, in winter it is an hour later."""
    market = world(planted_lead)
    both = pd.DataFrame({"midnight": value(market, "BTC"), "evening": value(market, "CBBTCUSD")})
    same = np.isclose(both["midnight"], both["evening"], rtol=1e-7)
    summer = both.index.month.isin([4, 5, 6, 7, 8, 9, 10])
    assert same[summer].all()
    assert not same[both.index.month.isin([12, 1, 2])].any()


def test_volatility_clusters_and_the_vix_knows_it():
    market = world(planted_lead)
    large = np.log(value(market, "SPX")).diff().dropna()
    assert large.kurt() > 1
    assert (large**2).autocorr(1) > 0.05
    ahead = large.pow(2).rolling(21).mean().shift(-21).mul(252).pow(0.5).mul(100)
    fear = value(market, "VIX").reindex(ahead.index)
    assert fear.corr(ahead) > 0.3
    assert 1.0 < (fear / ahead).median() < 1.6
    assert np.log(value(market, "VIX")).diff().corr(large) < -0.4


def test_small_caps_are_more_volatile_and_move_with_large_caps():
    frame = returns(world(nothing), "BTC")
    assert frame["small"].std() > 1.2 * frame["large"].std()
    assert 0.75 < frame["small"].corr(frame["large"]) < 0.93


def test_states_by_published_figures_are_long_and_balanced():
    for seed in SEEDS[:3]:
        market = world(planted_lead, seed)
        change = growing(market, value(market, "RUT").index).dropna()
        state = change > 0
        assert 0.3 < state.mean() < 0.7
        assert (state != state.shift()).sum() < 40
        conditions = value(market, "NFCI")
        assert conditions.corr(change.reindex(conditions.index, method="ffill")) < -0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_planted_lead_is_there_in_its_state_and_absent_outside(seed):
    frame = returns(world(planted_lead, seed), "ETH")
    inside, outside = frame[frame["change_before"] > 0], frame[frame["change_before"] <= 0]
    (slope,), (t_inside,) = slopes(inside, "coin", "small_before")
    (_,), (t_outside,) = slopes(outside, "coin", "small_before")
    assert 0.6 < slope < 1.4
    assert t_inside > 6
    assert abs(t_outside) < 3
    _, (t_small, _) = slopes(inside, "coin", "small_before", "large_before")
    assert t_small > 2.5


@pytest.mark.parametrize(("lag", "state", "sign"), [(2, "liquidity_shrinking", -1), (1, "always", 0)])
def test_other_leads_can_be_planted(lag, state, sign):
    market = simulate(planted_lead(lead_asset="LTC", lead_lag=lag, lead_state=state, lead_strength=1.5))
    frame = returns(market, "LTC")
    frame["cause"] = frame["small"].shift(lag)
    frame["known"] = frame["change"].shift(lag)
    frame = frame.dropna()
    active = frame[frame["known"] * sign >= 0]
    (slope,), (t_value,) = slopes(active, "coin", "cause")
    assert slope == pytest.approx(1.5, abs=0.4)
    assert t_value > 6
    if sign:
        assert abs(slopes(frame[frame["known"] * sign < 0], "coin", "cause")[1][0]) < 3


def t_values(make, causes, *, coins=COINS, effect="coin"):
    return np.array(
        [[slopes(returns(world(make, seed), coin), effect, *causes)[1][0] for coin in coins] for seed in SEEDS]
    )


def test_no_other_asset_follows_small_caps():
    others = [coin for coin in COINS if coin != "ETH"]
    found = t_values(planted_lead, ["small_before"], coins=others)
    assert np.mean(found**2) == pytest.approx(1, abs=0.8)
    assert np.mean(np.abs(found) > 1.96) < 0.2
    assert np.abs(found).max() < 4


def test_common_driver_fakes_a_lead_that_large_caps_explain():
    coins = ("BTC", "ETH", "LTC", "XRP")
    alone = t_values(common_driver, ["small_before"], coins=coins)
    given = t_values(common_driver, ["small_before", "large_before"], coins=coins)
    driver = t_values(common_driver, ["large_before", "small_before"], coins=coins)
    assert alone.min() > 3
    assert np.mean(given**2) < 2.5
    assert np.abs(given).max() < 3.5
    assert np.median(driver) > 3.5


def test_nothing_means_nothing_at_any_clock():
    for effect, cause in (("coin", "small_before"), ("coin", "small"), ("small", "coin_before")):
        found = []
        for seed in SEEDS:
            for coin in COINS:
                frame = returns(world(nothing, seed), coin)
                frame["coin_before"] = frame["coin"].shift(1)
                found.append(slopes(frame.dropna(), effect, cause)[1][0])
        assert np.mean(np.square(found)) < 2
        assert np.mean(np.abs(found) > 1.96) < 0.2


def test_overlap_of_clocks_fakes_leads_both_ways():
    """The bar that ends after the close holds hours of the next session; stamped a day late it seems to follow."""
    early, late, strict = [], [], []
    for seed in SEEDS:
        market = world(planted_lead, seed)
        small = np.log(value(market, "RUT")).diff()
        bars = np.log(value(market, "BTC"))
        ended_after = bars.reindex(small.index).diff()
        ended_before = bars.shift(1).reindex(small.index).diff()
        early.append(small.corr(ended_after.shift(1)))
        late.append(ended_before.corr(small.shift(1)))
        strict.append(small.corr(ended_before.shift(1)))
    assert np.mean(early) > 0.04
    assert np.min(late) > 0.2
    assert abs(np.mean(strict)) < 0.03


def test_half_days_close_early():
    market = simulate(MarketSpec(start="2022-01-01", end="2024-12-31"))
    assert pd.Timestamp("2023-11-24") in value(market, "RUT").index
    clock = simulated.make_clock("2023-11-01", "2023-11-30")
    instants = np.datetime64("2023-11-01T00:00") + clock.closes * np.timedelta64(30, "m")
    known = dict(zip(clock.sessions.astype(str), instants.astype(str), strict=True))
    assert known["2023-11-03"] == "2023-11-03T20:00"
    assert known["2023-11-06"] == "2023-11-06T21:00"
    assert known["2023-11-24"] == "2023-11-24T18:00"


def test_a_shorter_span_keeps_the_calendar():
    """A longer market of the same seed is another market: draws are not promised to nest, only the calendar is."""
    short = simulate(planted_lead(end="2020-12-31"))
    index = value(world(planted_lead), "RUT").index
    assert list(value(short, "RUT").index) == [day for day in index if day <= pd.Timestamp("2020-12-31")]
    assert "AVAX" not in short


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lead_asset": "RUT"}, "no such crypto asset"),
        ({"lead_lag": 0}, "lead_lag is out of range"),
        ({"lead_state": "sunny"}, "unknown state"),
        ({"lead_strength": float("nan")}, "finite"),
        ({"seed": -1}, "negative"),
        ({"start": "soon"}, "must be dates"),
        ({"start": "2025-01-01"}, "at least two years"),
        ({"end": "2050-01-01"}, "out of range"),
    ],
)
def test_specs_that_make_no_market_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        planted_lead(**changes)


def test_truth_is_said_in_words():
    assert "nothing leads anything" in nothing().truth
    assert "are independent" in nothing().truth
    assert "large caps reach every crypto asset" in common_driver().truth
    assert "at all times" in planted_lead(lead_state="always").truth


def test_the_vix_knows_nothing_after_the_close():
    clock = simulated.make_clock("2018-01-01", "2020-12-31")
    risk = simulated.draw_garch(simulated.stream(1, "risk"), simulated.RISK, clock.profile)
    market = np.zeros(len(clock.sessions))
    session, day = 400, clock.session_day[400]
    close = clock.closes[session] - 48 * day
    before = simulated._vix(MarketSpec(), clock, risk, market)
    for changed_step, same in ((close, True), (close - 1, False)):
        steps = risk.steps.copy()
        steps[day, changed_step:] += 0.05
        if not same:
            steps[day, close:] = risk.steps[day, close:]
        after = simulated._vix(MarketSpec(), clock, simulated.Shocks(steps, risk.variance), market)
        assert np.array_equal(np.delete(after, session), np.delete(before, session))
        assert bool(after[session] == before[session]) == same
