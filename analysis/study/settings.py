"""Settings of the areas: one section of the study file each."""

from __future__ import annotations

import datetime as dt
from typing import Literal, get_args

from pydantic import Field, field_validator

from analysis.study.files import Strict

AreaName = Literal[
    "events",
    "dynamics",
    "switching",
    "stability",
    "spillover",
    "tails",
    "smallcaps",
    "forecast",
    "monitor",
    "clock",
]
AREA_NAMES: tuple[AreaName, ...] = get_args(AreaName)


class EventsSettings(Strict):
    """Settings of the area "events".

    Attributes
    ----------
    horizons : tuple of int
        Sessions after an event over which returns are cumulated; every one of them is a headline horizon.
    merge_sessions : int
        Record days up to this many sessions apart are one episode, dated by its first day.
    spacing_sessions : int
        In the spaced twin, sessions from one event to the next: with the longest horizon no two share an outcome.
    history_sessions : int
        Sessions a record must have behind it.
    estimation : (int, int)
        Offsets of the sessions that give an event its volatility, beta and mean.
    trailing : int
        Sessions of the trailing return and volatility of small caps that are matched.
    neighbours : int
        Matches of each date.
    least_events : int
        Fewest events of a test; declared events, of which a kind has few, take `least_declared`.
    basket_least : int
        Fewest assets that make a basket.
    run_up : int
        Sessions up to and including the event in which a rally would coincide with it.
    declared_horizons : tuple of int
        Sessions after a declared event, whose own day counts.

    Notes
    -----
    The defaults of `estimation`, `least_events` and `basket_least` were lowered from (-250, -6), 5 and 3 after a first
    run on real data had left eight of ten altcoins without a test. Nothing stood after correction before or after.
    """

    horizons: tuple[int, ...] = Field(default=(5, 21, 63, 126), min_length=1, max_length=10)
    merge_sessions: int = Field(default=21, ge=0, le=252)
    spacing_sessions: int = Field(default=126, ge=0, le=504)
    history_sessions: int = Field(default=1260, ge=1, le=10_000)
    estimation: tuple[int, int] = (-126, -6)
    trailing: int = Field(default=63, ge=5, le=252)
    neighbours: int = Field(default=100, ge=5, le=1000)
    least_events: int = Field(default=4, ge=3, le=50)
    least_declared: int = Field(default=3, ge=3, le=50)
    basket_least: int = Field(default=2, ge=2, le=50)
    run_up: int = Field(default=21, ge=1, le=126)
    declared_horizons: tuple[int, ...] = Field(default=(5, 21), min_length=1, max_length=5)

    @field_validator("horizons", "declared_horizons")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)) or value[0] < 1 or value[-1] > 504:
            raise ValueError("horizons must ascend and lie between 1 and 504 sessions")
        return value

    @field_validator("estimation")
    @classmethod
    def _before(cls, value: tuple[int, int]) -> tuple[int, int]:
        if value[1] >= 0 or value[1] - value[0] < 60:
            raise ValueError("the estimation window must end before the event and hold more than 60 sessions")
        return value


class StabilitySettings(Strict):
    """Settings of the area "stability".

    Attributes
    ----------
    trim : float
        Shortest stretch between breaks, and from a break to an end, as a share of the sample.
    max_breaks : int
        Most breaks of one link.
    lags : int
        Lags of the lead whose constancy is tested.
    window : int
        Sessions on either side of a declared event, and of the rolling response.
    least_share : float
        Share of those sessions that must be there on each side.
    events : tuple of date
        Days of the declared events at which the link is compared, chosen for their weight before any test was run: of
        every kind the two that changed most who may hold or trade crypto, or how it is made.
    """

    trim: float = Field(default=0.15, ge=0.05, lt=0.5)
    max_breaks: int = Field(default=3, ge=1, le=5)
    lags: int = Field(default=2, ge=1, le=10)
    window: int = Field(default=250, ge=60, le=1000)
    least_share: float = Field(default=0.8, gt=0.25, le=1)
    events: tuple[dt.date, ...] = Field(
        default=(
            dt.date(2017, 12, 18),
            dt.date(2020, 5, 11),
            dt.date(2021, 5, 21),
            dt.date(2022, 5, 9),
            dt.date(2022, 9, 15),
            dt.date(2022, 11, 11),
            dt.date(2023, 6, 6),
            dt.date(2024, 1, 11),
        ),
        min_length=1,
        max_length=30,
    )

    @field_validator("events")
    @classmethod
    def _dates_ascend(cls, value: tuple[dt.date, ...]) -> tuple[dt.date, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError("the days of events must ascend")
        return value


class SwitchingSettings(Strict):
    """Settings of the area "switching".

    Attributes
    ----------
    history : date
        Where the small-cap returns start from which turbulence is first estimated; crypto starts where it exists.
    least_history : int
        Fewest sessions before the first estimation. The parameters are estimated again before every calendar year.
    probability : float
        Predicted chance of turbulence above which a session counts as turbulent.
    volatility_sessions : int
        Sessions of the trailing volatility of small caps, a threshold variable.
    liquidity_weeks : int
        Horizon of the growth of net liquidity, a threshold variable.
    trim : float
        Least share of the sessions on either side of a threshold.
    splits : int
        Candidate levels of a threshold.
    rolling : int
        Sessions of the rolling correlation that is drawn beside the chance of turbulence.
    """

    history: dt.date = dt.date(1990, 1, 2)
    least_history: int = Field(default=504, ge=100, le=5000)
    probability: float = Field(default=0.5, gt=0, lt=1)
    volatility_sessions: int = Field(default=21, ge=5, le=252)
    liquidity_weeks: int = Field(default=13, ge=1, le=104)
    trim: float = Field(default=0.15, gt=0, lt=0.5)
    splits: int = Field(default=200, ge=10, le=2000)
    rolling: int = Field(default=126, ge=20, le=1000)


class DynamicsSettings(Strict):
    """Settings of the area "dynamics".

    Attributes
    ----------
    horizon : int
        Sessions over which responses are followed.
    sum_horizon : int
        Sessions after which the size of a response is compared, and the later part of it for its timing.
    older : tuple of str
        Assets whose common history is longer than that of all of them; compared among each other as well.
    states : tuple of str
        States by which responses are told apart.
    """

    horizon: int = Field(default=21, ge=2, le=126)
    sum_horizon: int = Field(default=5, ge=1, le=63)
    older: tuple[str, ...] = ("BTC", "ETH", "LTC", "XRP", "ADA", "BNB", "DOGE", "LINK", "XLM")
    states: tuple[str, ...] = ("high_volatility", "liquidity_growing")


class SpilloverSettings(Strict):
    """Settings of the area "spillover".

    Attributes
    ----------
    system_lags : int
        Lags of the vector autoregressions of returns (sessions) and of volatility (weeks).
    horizon : int
        Steps of the forecast whose error is decomposed.
    rolling_weeks : int
        Weeks in a moving window of weekly volatility; returns take five sessions for each.
    rolling_limits : int
        Window ends at which limits are worked out.
    basket_least : int
        Fewest of the other assets present in a session that make a basket.
    """

    system_lags: int = Field(default=2, ge=1, le=20)
    horizon: int = Field(default=10, ge=1, le=250)
    rolling_weeks: int = Field(default=104, ge=52, le=1000)
    rolling_limits: int = Field(default=10, ge=2, le=100)
    basket_least: int = Field(default=3, ge=1, le=100)


class TailsSettings(Strict):
    """Settings of the area "tails".

    Attributes
    ----------
    share : float
        Share of the sessions that count as a tail.
    quantile : float
        Tail quantile of ΔCoVaR.
    thresholds : tuple of float
        Standard deviations beyond which joint falls and rises are correlated.
    states : tuple of str
        States in which the downside link is compared with its opposite.
    bootstrap : int
        Draws of the quantile regressions, of the exceedance correlations and of the fitted copula.
    """

    share: float = Field(default=0.1, gt=0, lt=0.5)
    quantile: float = Field(default=0.05, gt=0, lt=0.5)
    thresholds: tuple[float, ...] = Field(default=(0.0, 0.5, 1.0), min_length=1, max_length=10)
    states: tuple[str, ...] = Field(
        default=("tight_conditions", "high_volatility", "high_credit_spread"), min_length=1, max_length=10
    )
    bootstrap: int = Field(default=299, ge=19, le=9_999)

    @field_validator("thresholds")
    @classmethod
    def _distances(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if list(value) != sorted(set(value)) or value[0] < 0 or value[-1] > 5:
            raise ValueError("thresholds must ascend and lie between 0 and 5 standard deviations")
        return value


class ForecastSettings(Strict):
    """Settings of the area "forecast".

    Attributes
    ----------
    window : int
        Training sessions: all a rolling window holds, the first ones of a growing window.
    lags, own_lags : int
        Most past values of small caps (of an asset) that the criterion may choose in each window; one of small caps at
        least.
    horizons : tuple of int
        Sessions a forecast looks ahead; the first is the headline.
    costs : tuple of float
        Basis points of what is traded, each way; the first is the headline.
    risk_aversion : float
        Of the certainty equivalent.
    periods_per_year : float
        Sessions that make a year.
    smallest_gain : float
        Smallest useful out-of-sample R² a session. With a volatility of 4 % a session, a tenth of a percent brings a
        long-or-flat rule about five basis points a session before costs, what switching every other session costs at
        the ten each way of the rule that decides.
    """

    window: int = Field(default=500, ge=120, le=5000)
    lags: int = Field(default=5, ge=1, le=20)
    own_lags: int = Field(default=5, ge=0, le=20)
    criterion: Literal["aic", "bic", "hqic"] = "bic"
    horizons: tuple[int, ...] = Field(default=(1, 5), min_length=1, max_length=4)
    costs: tuple[float, ...] = Field(default=(10.0, 25.0), min_length=1, max_length=4)
    risk_aversion: float = Field(default=3.0, gt=0, le=20)
    periods_per_year: float = Field(default=252.0, gt=0, le=366)
    smallest_gain: float = Field(default=0.001, gt=0, lt=1)

    @field_validator("horizons")
    @classmethod
    def _from_one_session(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)) or value[0] != 1 or value[-1] > 63:
            raise ValueError("horizons must start at 1, ascend and end at 63 sessions or before")
        return value

    @field_validator("costs")
    @classmethod
    def _whole_points(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if list(value) != sorted(set(value)) or value[0] < 0 or any(cost != round(cost) for cost in value):
            raise ValueError("costs must be whole basis points, ascend and not be negative")
        return value


class SmallcapsSettings(Strict):
    """Settings of the area "smallcaps".

    Attributes
    ----------
    large_caps : tuple of str
        Series that can stand for large caps, in order of preference.
    funds : tuple of str
        Fund on small caps and fund on large caps whose value traded is compared.
    shocks : tuple of tuple of str
        For every shock the series whose unexpected change it is, in order of preference.
    innovation_lags : int
        Lags of its own past that are taken out of a change; what is left is the shock.
    period : int
        Sessions over which volatility and illiquidity are averaged before they are compared.
    history : date
        Where the longer sample starts at the earliest; each comparison starts where all of its series exist.
    loading_lags : int
        Lags of the predictive loadings on portfolios sorted by profitability.
    """

    large_caps: tuple[str, ...] = Field(default=("SPX", "SP500", "SPY", "NASDAQNQUSL"), min_length=1, max_length=10)
    funds: tuple[str, str] = ("IWM", "SPY")
    shocks: tuple[tuple[str, ...], ...] = Field(
        default=(("DGS2",), ("DGS10",), ("BAMLH0A0HYM2", "BAA10Y"), ("VIX", "VIXCLS")), min_length=1, max_length=10
    )
    innovation_lags: int = Field(default=5, ge=0, le=20)
    period: int = Field(default=21, ge=5, le=126)
    history: dt.date = dt.date(1985, 1, 1)
    loading_lags: int = Field(default=2, ge=1, le=10)


class ClockSettings(Strict):
    """Settings of the area "clock".

    Attributes
    ----------
    assets : tuple of str
        Assets whose hourly prices are read at the equity close where they are supplied.
    max_lag, lags : int
        Sessions of the correlations on either side, and lags of the tests.
    """

    assets: tuple[str, ...] = Field(default=("BTC", "ETH"), min_length=1, max_length=20)
    max_lag: int = Field(default=3, ge=1, le=10)
    lags: int = Field(default=2, ge=1, le=10)


Measure = Literal["below_record", "level", "change", "growth"]


class Watch(Strict):
    """One quantity of the monitor.

    Attributes
    ----------
    name, title, unit : str
        Part of its result id, and what stands on the page.
    series : tuple of str
        One series; of several, the first less all others. "small_cap" and "crypto" stand for the study's first ones.
    measure : str
        "below_record" (percent from the record close), "level", "change" (difference) or "growth" (percent) over
        `sessions`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    series: tuple[str, ...] = Field(min_length=1, max_length=5)
    measure: Measure
    unit: str
    sessions: int = Field(default=1, ge=1, le=1260)


_WATCHED = (
    ("record", "Small caps, from their record close", ("small_cap",), "below_record", "%", 1),
    ("small-quarter", "Small caps over a quarter", ("small_cap",), "growth", "%", 63),
    ("crypto-quarter", "Bitcoin over a quarter", ("crypto",), "growth", "%", 63),
    ("volatility", "Expected volatility (VIX)", ("VIX",), "level", "points", 1),
    ("credit", "High-yield spread", ("BAMLH0A0HYM2",), "level", "% points", 1),
    ("conditions", "Financial conditions (NFCI)", ("NFCI",), "level", "index", 1),
    ("liquidity", "Net liquidity over a quarter", ("WALCL", "WTREGEN", "RRPONTSYD"), "growth", "%", 63),
    ("money", "Money stock (M2) over a year", ("M2SL",), "growth", "%", 252),
    ("policy-rate", "Policy rate over a quarter", ("DFF",), "change", "% points", 63),
    ("long-rate", "Ten-year yield", ("DGS10",), "level", "%", 1),
    ("real-rate", "Ten-year real yield", ("DFII10",), "level", "%", 1),
    ("breakeven", "Ten-year expected inflation", ("T10YIE",), "level", "%", 1),
    ("dollar", "Dollar index over a quarter", ("DTWEXBGS",), "growth", "%", 63),
    ("inflation", "Consumer prices over a year", ("CPIAUCSL",), "growth", "%", 252),
    ("jobs", "Unemployment over a year", ("UNRATE",), "change", "% points", 252),
)


class MonitorSettings(Strict):
    """Settings of the area "monitor".

    Attributes
    ----------
    watched : tuple of Watch
        Quantities that are held to their own history.
    back : int
        Sessions before the last one at which the same is said again, so that a reader sees what moved.
    window : int
        Sessions of the rolling correlation and of the beta behind the expected return.
    horizons : tuple of int
        Sessions over which crypto is held to what small caps did.
    outer : float
        Share of history on either side that counts as unusual.
    """

    watched: tuple[Watch, ...] = tuple(
        Watch(name=name, title=title, series=series, measure=measure, unit=unit, sessions=sessions)  # type: ignore[arg-type]
        for name, title, series, measure, unit, sessions in _WATCHED
    )
    back: int = Field(default=21, ge=1, le=252)
    window: int = Field(default=126, ge=40, le=1260)
    horizons: tuple[int, ...] = Field(default=(21, 63), min_length=1, max_length=5)
    outer: float = Field(default=0.1, gt=0, lt=0.5)
