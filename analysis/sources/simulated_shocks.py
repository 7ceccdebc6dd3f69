"""Shocks of the simulated market: heavy tails and clustered volatility on the half-hour grid."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Garch:
    """Daily GARCH(1,1) with Student t shocks; `gamma` adds to the response to a fall."""

    daily_volatility: float
    alpha: float
    gamma: float
    beta: float
    degrees: float

    @property
    def persistence(self) -> float:
        """Return the share of a variance surprise that is left a day later."""
        return self.alpha + self.gamma / 2 + self.beta

    def next_variance(self, variance: np.ndarray, shock: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return the variance after a shock that took `weight` of an average weekday."""
        level = self.daily_volatility**2
        news = (self.alpha + self.gamma * (shock < 0)) * shock**2
        return variance + weight * ((1 - self.persistence) * level - (1 - self.beta) * variance) + news


@dataclass(frozen=True, slots=True)
class Shocks:
    """Half-hour shocks of shape (n_days, 48) with the variance known at the start of every day, shape (n_days,)."""

    steps: np.ndarray
    variance: np.ndarray


def stream(seed: int, key: str) -> np.random.Generator:
    """Return the generator of one series: adding a series never shifts the draws of another."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(key.encode())])))


def heavy_tail(rng: np.random.Generator, degrees: float, size: int) -> np.ndarray:
    """Return daily scales that turn normal shocks into Student t shocks of unit variance."""
    return np.sqrt((degrees - 2) / rng.chisquare(degrees, size))


def draw_garch(rng: np.random.Generator, model: Garch, profile: np.ndarray) -> Shocks:
    """Draw the shocks of a volatility model over a grid whose steps have the relative variances `profile`."""
    unit = rng.standard_normal(profile.shape) * np.sqrt(profile)
    unit *= heavy_tail(rng, model.degrees, len(profile))[:, None]
    day_sum = unit.sum(axis=1).tolist()
    weight = profile.sum(axis=1).tolist()
    level = model.daily_volatility**2
    now, path = level, []
    for total, share in zip(day_sum, weight, strict=True):
        path.append(now)
        slope = model.alpha + (model.gamma if total < 0 else 0.0)
        drift = share * ((1 - model.persistence) * level - (1 - model.beta) * now)
        now = now + drift + slope * now * total * total
    variance = np.array(path)
    return Shocks(steps=unit * np.sqrt(variance)[:, None], variance=variance)


def draw_own(
    rng: np.random.Generator, daily_volatility: float, scale: np.ndarray, profile: np.ndarray, degrees: float
) -> np.ndarray:
    """Draw a series' own shocks; `scale` of shape (n_days,) lets them share the clustering of a common shock."""
    daily = daily_volatility * scale * heavy_tail(rng, degrees, len(profile))
    return rng.standard_normal(profile.shape) * np.sqrt(profile) * daily[:, None]
