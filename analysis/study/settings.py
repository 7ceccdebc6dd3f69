"""Settings of the areas: one section of the study file each."""

from __future__ import annotations

from typing import Literal, get_args

from analysis.study.files import Strict

AreaName = Literal["events", "dynamics", "switching", "stability", "spillover", "tails", "smallcaps", "forecast"]
AREA_NAMES: tuple[AreaName, ...] = get_args(AreaName)


class EventsSettings(Strict):
    """Settings of the area "events"."""


class StabilitySettings(Strict):
    """Settings of the area "stability"."""


class SwitchingSettings(Strict):
    """Settings of the area "switching"."""


class DynamicsSettings(Strict):
    """Settings of the area "dynamics"."""


class SpilloverSettings(Strict):
    """Settings of the area "spillover"."""


class TailsSettings(Strict):
    """Settings of the area "tails"."""


class ForecastSettings(Strict):
    """Settings of the area "forecast"."""


class SmallcapsSettings(Strict):
    """Settings of the area "smallcaps"."""
