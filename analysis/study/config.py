"""The study file: which series are compared, over which sample, with which settings."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from analysis.study.files import Strict, read_toml
from analysis.study.settings import (
    AREA_NAMES,
    AreaName,
    ClockSettings,
    DynamicsSettings,
    EventsSettings,
    ForecastSettings,
    MonitorSettings,
    SmallcapsSettings,
    SpilloverSettings,
    StabilitySettings,
    SwitchingSettings,
    TailsSettings,
)

# A test at one frequency puts two restrictions on the lags of the cause.
LEAST_CHAPTER_LAGS = 3

Clock = Literal["after", "before"]


class StudyConfig(Strict):
    """Everything that decides what a study computes.

    Attributes
    ----------
    small_cap : str
        Catalogue id of the series whose lead is claimed.
    crypto : tuple of str
        Catalogue ids of the assets that are said to follow.
    controls : tuple of str
        Series the conditional twin of every bivariate test is conditioned on.
    start, end : date
        First and last session; `end` absent means the last date of the snapshot.
    lags, state_lags, correlation_lags : int
        Lag orders in sessions.
    chapter : bool
        Whether the methods beyond the constant mean run; they take most of the time.
    chapter_lags, window, quantiles
        Lags, shortest window in sessions and quantiles of the methods beyond the constant mean.
    areas : tuple of str
        Areas that run beside the lead in the mean; each has a section of settings of its own name.
    bootstrap, slow_bootstrap : int
        Draws of the wild bootstrap, and of the methods whose draws cost seconds; a reduced build is stamped as not for
        citation.
    level : float
        Significance level of every declared decision rule.
    smallest_effect : float
        Smallest cumulative response, in percent of crypto per percent of small caps, that would matter to a reader.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    title: str
    small_cap: str
    small_cap_total_return: str
    crypto: tuple[str, ...] = Field(min_length=1, max_length=100)
    controls: tuple[str, ...] = Field(max_length=20)
    start: dt.date
    end: dt.date | None = None
    weekend: Literal["compound", "drop"] = "compound"
    lags: int = Field(default=5, ge=1, le=60)
    state_lags: int = Field(default=2, ge=1, le=20)
    correlation_lags: int = Field(default=10, ge=1, le=60)
    covariance: Literal["HC0", "HC1", "HC3"] = "HC3"
    chapter: bool = True
    chapter_lags: int = Field(default=2, ge=1, le=10)
    window: int = Field(default=250, ge=60, le=5000)
    quantiles: tuple[float, ...] = Field(default=(0.05, 0.25, 0.5, 0.75, 0.95), min_length=1, max_length=50)
    slow_bootstrap: int = Field(default=199, ge=19, le=9_999)
    bootstrap: int = Field(default=999, ge=99, le=99_999)
    reduced_bootstrap: int = Field(default=99, ge=99, le=99_999)
    seed: int = Field(ge=0)
    level: float = Field(default=0.05, gt=0, lt=0.5)
    smallest_effect: float = Field(default=0.1, gt=0)
    states: tuple[str, ...] = Field(max_length=20)
    record_year: int = Field(ge=1900, le=2200)
    areas: tuple[AreaName, ...] = AREA_NAMES
    events: EventsSettings = EventsSettings()
    stability: StabilitySettings = StabilitySettings()
    switching: SwitchingSettings = SwitchingSettings()
    dynamics: DynamicsSettings = DynamicsSettings()
    spillover: SpilloverSettings = SpilloverSettings()
    tails: TailsSettings = TailsSettings()
    forecast: ForecastSettings = ForecastSettings()
    monitor: MonitorSettings = MonitorSettings()
    clock: ClockSettings = ClockSettings()
    smallcaps: SmallcapsSettings = SmallcapsSettings()

    @field_validator("crypto", "controls", "states", "areas")
    @classmethod
    def _unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("entries must be unique")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> StudyConfig:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end {self.end} must be later than start {self.start}")
        if self.chapter and self.lags < LEAST_CHAPTER_LAGS:
            raise ValueError(f"lags {self.lags} is too few for the chapter by frequency: at least {LEAST_CHAPTER_LAGS}")
        inside = all(0 < level < 1 for level in self.quantiles)
        if not inside or list(self.quantiles) != sorted(set(self.quantiles)):
            raise ValueError("quantiles must increase and lie between 0 and 1")
        roles = [self.small_cap, *self.crypto, *self.controls]
        if len(set(roles)) != len(roles):
            raise ValueError("a series may play one role only: small cap, crypto or control")
        return self

    @property
    def series(self) -> tuple[str, ...]:
        """Every series the study asks for by name, states aside."""
        return (self.small_cap, *self.crypto, *self.controls)


def load(path: Path) -> StudyConfig:
    """Read a study file; raises ConfigError that names the key."""
    return read_toml(path, StudyConfig)
