"""A market with known truth, for showing and testing the method where no data are at hand. It is not evidence.

The truth
---------
* **Risk.** One common risk shock runs around the clock in half-hour steps, strongest in the New York session, weak at
  the weekend. Its daily variance is a GARCH(1,1) with Student t shocks that reacts more to falls. It moves large caps,
  small caps and (times ``crypto_risk``) every crypto asset **in the same half-hour**: nobody leads anybody.
* **Clocks.** Equities are observed at the New York close (16:00, or 13:00 on half days), crypto at 24:00 UTC of its
  date on every calendar day, ``CBBTCUSD`` and ``CBETHUSD`` at 20:00 New York, ``BTC_AT_CLOSE`` and ``ETH_AT_CLOSE``
  at the equity close. So a crypto bar holds hours that belong
  to the next equity session, and labels alone fake a lead, as they do in real data.
* **The planted lead.** ``lead_asset`` gains ``lead_strength`` times the small caps' log return of the session
  ``lead_lag`` sessions before, in the twelve hours from the first midnight UTC after the close, while ``lead_state``
  held as known at the close of the session that causes it. No other asset responds, and large caps have no such effect.
* **The common driver.** With ``delayed_driver``, every crypto asset gains ``driver_strength`` times the *large* caps'
  log return of the previous session, in the same twelve hours. Small caps move with large caps, so small caps alone
  seem to lead crypto; given the large caps' past they do not.
* **Liquidity.** Net liquidity (WALCL - WTREGEN - RRPONTSYD) grows or shrinks in spells of 30 to 70 weeks. It drives
  money, financial conditions and the direction of the policy rate, and has no effect on prices except through
  ``lead_state``. Growing means: above its value 13 weeks before, by Wednesday's figures, known from Friday's close.
* **Volatility.** The VIX is the 30-day forecast of the large caps' variance at the close, with a premium and noise.
* Yields, spreads and the dollar react to large caps on the same day and predict nothing.

Simplifications: market holidays are those of the New York Stock Exchange for every United States series; nothing is
revised; the volume of indexes and crypto carries no information, that of the two funds only how much is traded in each.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.sources.base import RawSeries, make_series
from analysis.sources.simulated_clock import STEPS_A_DAY, Clock, after_close, day_bars, make_clock, session_bars
from analysis.sources.simulated_macro import (
    Columns,
    Liquidity,
    draw_conditions,
    draw_economy,
    draw_liquidity,
    draw_rates,
    smooth,
)
from analysis.sources.simulated_shocks import Shocks, draw_garch, draw_own, stream
from analysis.sources.simulated_spec import (
    COINS,
    CRYPTO,
    EQUITIES,
    RISK,
    STATES,
    MarketSpec,
)

__all__ = ["MarketSpec", "simulate"]


def simulate(spec: MarketSpec) -> dict[str, RawSeries]:
    """Draw a market.

    Parameters
    ----------
    spec : MarketSpec
        What is true in it.

    Returns
    -------
    dict of str to RawSeries
        By catalogue id, in the units and with the dates of the real publications. The same `spec` gives the same bytes.
    """
    clock = make_clock(spec.start, spec.end)
    risk = draw_garch(stream(spec.seed, "risk"), RISK, clock.profile)
    liquidity = draw_liquidity(spec.seed, clock)
    log_equity = {name: _equity_path(spec, clock, risk, name) for name in EQUITIES}
    closes = {name: path[clock.closes] for name, path in log_equity.items()}
    market = np.diff(closes["SPX"], prepend=closes["SPX"][0])
    bars = {name: _equity_bars(spec, clock, name, path, risk) for name, path in log_equity.items()}
    bars |= _crypto_bars(spec, clock, risk, liquidity, closes)
    bars |= _funds(spec, clock, closes)
    vix = _vix(spec, clock, risk, market)
    rates = draw_rates(spec.seed, clock, market, liquidity.ease)
    columns: Columns = {"VIX": (clock.sessions, vix), "VIXCLS": (clock.sessions, vix)}
    columns |= _relatives(spec, clock, closes, rates["DFF"][1])
    columns |= _profitability(spec, clock, columns["FF_ME_LO30"][1])
    columns |= liquidity.published | rates
    columns |= draw_conditions(spec.seed, clock, vix, liquidity.ease)
    columns |= draw_economy(spec.seed, clock, rates["DFF"][1], liquidity.ease)
    frames = bars | {name: _frame(dates, {"value": values}) for name, (dates, values) in columns.items()}
    return {name: _series(spec, name, frame) for name, frame in sorted(frames.items())}


def _series(spec: MarketSpec, name: str, frame: pd.DataFrame) -> RawSeries:
    return make_series(
        name,
        frame,
        provider="simulated",
        provider_id=name,
        origin=f"simulated market, seed {spec.seed}",
        notes=(f"simulated, not evidence: {spec.truth}",),
    )


def _frame(dates: np.ndarray, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame(dict(columns), index=pd.DatetimeIndex(dates.astype("datetime64[ns]"), name="date"))


def _path(start: float, steps: np.ndarray) -> np.ndarray:
    """Return the log price at every grid point, one more than there are steps."""
    return np.log(start) + np.concatenate([[0.0], np.cumsum(steps.ravel())])


def _equity_path(spec: MarketSpec, clock: Clock, risk: Shocks, name: str) -> np.ndarray:
    equity = EQUITIES[name]
    scale = np.sqrt(risk.variance) / RISK.daily_volatility
    own = draw_own(stream(spec.seed, f"own {name}"), equity.own, scale, clock.profile, RISK.degrees)
    return _path(equity.level, equity.drift / 261 * clock.profile + equity.risk * risk.steps + own)


def _equity_bars(spec: MarketSpec, clock: Clock, name: str, path: np.ndarray, risk: Shocks) -> pd.DataFrame:
    rng = stream(spec.seed, f"bars {name}")
    scale = np.sqrt(risk.variance[clock.session_day])
    wiggle = 0.1 * scale * np.abs(rng.standard_normal((2, len(clock.sessions))))
    bars = {column: np.round(values, 2) for column, values in session_bars(clock, path, wiggle).items()}
    bars["volume"] = np.round(3e9 * np.exp(0.2 * rng.standard_normal(len(clock.sessions))), -5)
    return _frame(clock.sessions, bars)


def _vix(spec: MarketSpec, clock: Clock, risk: Shocks, market: np.ndarray) -> np.ndarray:
    """Return the index by what is known at the close: the part of the UTC day that is over, and nothing later."""
    today = clock.session_day
    elapsed = np.arange(STEPS_A_DAY)[None, :] < (clock.closes - today * STEPS_A_DAY)[:, None]
    shock = np.where(elapsed, risk.steps[today], 0.0).sum(axis=1)
    weight = np.where(elapsed, clock.profile[today], 0.0).sum(axis=1)
    now = RISK.next_variance(risk.variance[today], shock, weight)
    level, decay = RISK.daily_volatility**2, RISK.persistence
    forecast = level + (now - level) * (1 - decay**21) / (21 * (1 - decay))
    own = EQUITIES["SPX"].own ** 2 * forecast / level
    noise = smooth(0.03 * stream(spec.seed, "VIX").standard_normal(len(market)) - 1.5 * market, 0.9)
    yearly = 261 * (EQUITIES["SPX"].risk ** 2 * forecast + own)
    return np.round(110 * np.sqrt(yearly) * np.exp(noise), 2)


def _crypto_bars(
    spec: MarketSpec, clock: Clock, risk: Shocks, liquidity: Liquidity, closes: Mapping[str, np.ndarray]
) -> dict[str, pd.DataFrame]:
    flat = np.full(clock.profile.shape, 1 / STEPS_A_DAY)
    common = draw_garch(stream(spec.seed, "coins"), COINS, flat)
    scale = np.sqrt(common.variance) / COINS.daily_volatility
    frames = {}
    for name, coin in CRYPTO.items():
        own = draw_own(stream(spec.seed, f"own {name}"), coin.own, scale, flat, COINS.degrees)
        steps = 0.0010 * flat + spec.crypto_risk * coin.risk * risk.steps + coin.coins * common.steps + own
        begin = max(np.datetime64(coin.listed, "D"), clock.days[0])
        first = int((begin - clock.days[0]).astype(np.int64))
        if len(clock.days) - first < 250:
            continue
        path = _path(1.0, steps.ravel() + _responses(spec, clock, liquidity, closes, name))
        path += np.log(coin.price) - path[first * STEPS_A_DAY]
        bars = {column: _significant(values[first:]) for column, values in day_bars(clock, path).items()}
        rng = stream(spec.seed, f"bars {name}")
        bars["volume"] = np.round(1e9 * np.exp(0.4 * rng.standard_normal(len(clock.days))))[first:]
        frames[name] = _frame(clock.days[first:], bars)
        if name in ("BTC", "ETH"):
            evening = np.exp(path[clock.evenings[first:]])
            frames[f"CB{name}USD"] = _frame(clock.days[first:], {"value": _significant(evening)})
            traded = clock.sessions >= clock.days[first]
            frames[f"{name}_AT_CLOSE"] = _frame(
                clock.sessions[traded], {"value": _significant(np.exp(path[clock.closes[traded]]))}
            )
    return frames


def _responses(
    spec: MarketSpec, clock: Clock, liquidity: Liquidity, closes: Mapping[str, np.ndarray], name: str
) -> np.ndarray:
    """Return what a coin gains from the sessions of equities before, step by step."""
    gains = np.zeros(clock.profile.size)
    if name == spec.lead_asset:
        everywhere = np.ones(len(clock.sessions), dtype=bool)
        active = dict(zip(STATES, (everywhere, liquidity.growing, liquidity.shrinking), strict=True))[spec.lead_state]
        small = np.diff(closes["RUT"], prepend=closes["RUT"][0])
        gains += after_close(clock, spec.lead_strength * small * active, lag=spec.lead_lag)
    if spec.delayed_driver:
        large = np.diff(closes["SPX"], prepend=closes["SPX"][0])
        gains += after_close(clock, spec.driver_strength * large, lag=1)
    return gains


def _funds(spec: MarketSpec, clock: Clock, closes: Mapping[str, np.ndarray]) -> dict[str, pd.DataFrame]:
    """Return a fund on small and one on large caps with the shares traded: ten times the value in the second."""
    frames = {}
    for name, index, billions in (("IWM", "RUT", 3.0), ("SPY", "SPX", 30.0)):
        rng = stream(spec.seed, f"fund {name}")
        price = np.round(0.1 * np.exp(closes[index]), 2)
        traded = 1e9 * billions * np.exp(0.3 * rng.standard_normal(len(price)))
        frames[name] = _frame(clock.sessions, {"value": price, "volume": np.round(traded / price)})
    return frames


def _profitability(spec: MarketSpec, clock: Clock, small: np.ndarray) -> Columns:
    """Split small caps by profitability: both halves follow them alike, and the factor adds noise of its own."""
    noise = stream(spec.seed, "profitability").standard_normal((3, len(small)))
    high, low = small + 0.25 * noise[0], small + 0.25 * noise[1]
    percent = {"FF_SMALL_HIOP": high, "FF_SMALL_LOOP": low, "FF_RMW": 0.5 * (high - low) + 0.3 * noise[2]}
    return {name: (clock.sessions, np.round(values, 2)) for name, values in percent.items()}


def _significant(values: np.ndarray) -> np.ndarray:
    """Round prices that span many orders of magnitude to eight significant digits."""
    digits = 7 - np.floor(np.log10(values))
    return np.round(values * 10.0**digits) / 10.0**digits


def _relatives(spec: MarketSpec, clock: Clock, closes: Mapping[str, np.ndarray], policy: np.ndarray) -> Columns:
    """Return other measures of the same equities: sister indexes, total returns and size portfolios in percent."""
    rng = stream(spec.seed, "relatives")
    small, large = (np.diff(closes[name], prepend=closes[name][0]) for name in ("RUT", "SPX"))
    noise = rng.standard_normal((5, len(small)))
    riskless = np.round(policy[clock.session_day] / 252, 3)
    low = 100 * np.expm1(small) + 0.006 + 0.10 * noise[0]
    high = 100 * np.expm1(large) + 0.007 + 0.03 * noise[1]
    middle = 0.5 * (low + high) + 0.06 * noise[2]
    percent = {
        "FF_ME_LO30": low,
        "FF_ME_MED40": middle,
        "FF_ME_HI30": high,
        "FF_MKTRF": 0.03 * low + 0.07 * middle + 0.90 * high - riskless,
        "FF_SMB": 0.8 * (low - high) + 0.1 * noise[3],
        "FF_HML": 0.55 * noise[4],
        "FF_RF": riskless,
    }
    tracking = smooth(0.0004 * rng.standard_normal((3, len(small))), 0.95)
    dividends = 0.013 / 252 * np.arange(len(small))
    levels = {
        "NASDAQNQUSS": 1100 / 1150 * np.exp(closes["RUT"] + tracking[0]),
        "NASDAQNQUSL": 0.35 * np.exp(closes["SPX"] + tracking[1]),
        "SP500": np.exp(closes["SPX"]),
        "NASDAQCOM": np.exp(closes["IXIC"]),
        "IWM_ADJ": 0.1 * np.exp(closes["RUT"] + dividends),
    }
    return {name: (clock.sessions, np.round(values, 2)) for name, values in (percent | levels).items()}
