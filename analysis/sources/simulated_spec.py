"""What is true in a simulated market: its switches, the three worlds that are used, and its cast of assets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.sources.simulated_shocks import Garch

STATES = ("always", "liquidity_growing", "liquidity_shrinking")
RISK = Garch(daily_volatility=0.0095, alpha=0.04, gamma=0.10, beta=0.88, degrees=6)
COINS = Garch(daily_volatility=0.022, alpha=0.08, gamma=0.0, beta=0.88, degrees=5)


@dataclass(frozen=True, slots=True)
class Equity:
    """Starting level, loading on the risk shock, own daily volatility, yearly log drift."""

    level: float
    risk: float
    own: float
    drift: float


@dataclass(frozen=True, slots=True)
class Coin:
    """First day, starting price, loadings on the risk shock and on the shock of all coins, own daily volatility."""

    listed: str
    price: float
    risk: float
    coins: float
    own: float


EQUITIES = {
    "SPX": Equity(2000.0, 1.0, 0.0018, 0.08),
    "RUT": Equity(1150.0, 1.2, 0.0065, 0.07),
    "IXIC": Equity(4600.0, 1.15, 0.0045, 0.10),
}
CRYPTO = {
    "BTC": Coin("2014-09-17", 460.0, 1.7, 0.9, 0.014),
    "ETH": Coin("2015-08-07", 3.0, 2.1, 1.1, 0.022),
    "LTC": Coin("2014-09-17", 5.0, 1.9, 1.1, 0.026),
    "XRP": Coin("2014-09-17", 0.006, 1.6, 1.0, 0.032),
    "XLM": Coin("2014-09-17", 0.003, 1.7, 1.0, 0.032),
    "DOGE": Coin("2014-09-17", 0.0003, 1.8, 1.0, 0.040),
    "BCH": Coin("2017-07-23", 550.0, 1.9, 1.1, 0.030),
    "ADA": Coin("2017-11-09", 0.03, 2.1, 1.1, 0.030),
    "BNB": Coin("2017-11-09", 2.0, 1.7, 1.0, 0.026),
    "LINK": Coin("2017-11-09", 0.22, 2.1, 1.1, 0.032),
    "SOL": Coin("2020-04-10", 0.95, 2.3, 1.2, 0.036),
    "AVAX": Coin("2020-09-22", 5.2, 2.3, 1.2, 0.036),
}


@dataclass(frozen=True, slots=True)
class MarketSpec:
    """What is true in a simulated market.

    Attributes
    ----------
    seed : int
        Same seed, same bytes. Worlds of one seed share their draws and differ only by what is switched on.
    start, end : str
        First and last calendar day; at least two years.
    lead_asset : str or None
        The one crypto asset that follows the small caps; None plants no lead.
    lead_lag : int
        Sessions between cause and effect, from 1.
    lead_strength : float
        Response per unit of the small caps' log return.
    lead_state : str
        ``"liquidity_growing"``, ``"liquidity_shrinking"`` or ``"always"``.
    delayed_driver : bool
        Whether the large caps' return reaches every crypto asset a session later.
    driver_strength : float
        Response per unit of the large caps' log return.
    crypto_risk : float
        Multiplies the loading of crypto on the common risk shock; 0 makes equities and crypto independent.
    """

    seed: int = 20140917
    start: str = "2014-09-17"
    end: str = "2026-06-30"
    lead_asset: str | None = None
    lead_lag: int = 1
    lead_strength: float = 1.0
    lead_state: str = "liquidity_growing"
    delayed_driver: bool = False
    driver_strength: float = 1.0
    crypto_risk: float = 1.0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError("the seed must not be negative", given=self.seed)
        if self.lead_asset is not None and self.lead_asset not in CRYPTO:
            raise InputError("no such crypto asset to lead", given=self.lead_asset, limit=", ".join(CRYPTO))
        if not 1 <= self.lead_lag <= 20:
            raise InputError("lead_lag is out of range", given=self.lead_lag, limit="1 to 20 sessions")
        if self.lead_state not in STATES:
            raise InputError("unknown state of the lead", given=self.lead_state, limit=", ".join(STATES))
        for name in ("lead_strength", "driver_strength", "crypto_risk"):
            if not np.isfinite(getattr(self, name)):
                raise InputError(f"{name} must be a finite number", given=getattr(self, name))
        try:
            first, last = pd.Timestamp(self.start), pd.Timestamp(self.end)
        except ValueError as error:
            raise InputError("start and end must be dates", given=f"{self.start}, {self.end}") from error
        if first < pd.Timestamp("1995-01-01") or last > pd.Timestamp("2035-12-31") or (last - first).days < 730:
            raise InputError(
                "the span of the simulated market is out of range",
                given=f"{self.start} to {self.end}",
                limit="at least two years between 1995-01-01 and 2035-12-31",
            )

    @classmethod
    def planted_lead(cls, **changes: Any) -> MarketSpec:
        """Return a market where small caps lead one asset, only while liquidity is growing."""
        return replace(cls(lead_asset="ETH"), **changes)

    @classmethod
    def common_driver(cls, **changes: Any) -> MarketSpec:
        """Return a market where large caps reach small caps at once and crypto a session later; no other lead."""
        return replace(cls(delayed_driver=True), **changes)

    @classmethod
    def nothing(cls, **changes: Any) -> MarketSpec:
        """Return a market where equities and crypto are independent."""
        return replace(cls(crypto_risk=0.0), **changes)

    @property
    def truth(self) -> str:
        """Return what holds in this market, in words."""
        parts = []
        if self.lead_asset is not None:
            when = (
                "at all times" if self.lead_state == "always" else f"only while {self.lead_state.replace('_', ' is ')}"
            )
            parts.append(
                f"small caps lead {self.lead_asset} by {self.lead_lag} session(s), {when}, "
                f"with strength {self.lead_strength:g}"
            )
        if self.delayed_driver:
            parts.append(
                f"large caps reach every crypto asset one session later with strength {self.driver_strength:g}, "
                "and small caps have no effect of their own"
            )
        parts = parts or ["nothing leads anything"]
        link = "share a risk shock at the same instant" if self.crypto_risk else "are independent"
        return f"{'; '.join(parts)}; apart from that equities and crypto {link}"
