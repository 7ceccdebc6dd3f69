"""All areas there are, in the order of the evidence document."""

from __future__ import annotations

from typing import Final

from analysis.study.area import Area
from analysis.study.areas import (
    clock,
    dynamics,
    events,
    forecast,
    monitor,
    smallcaps,
    spillover,
    stability,
    switching,
    tails,
)
from analysis.study.config import StudyConfig

AREAS: Final[tuple[Area, ...]] = (
    clock.AREA,
    events.AREA,
    dynamics.AREA,
    switching.AREA,
    stability.AREA,
    spillover.AREA,
    tails.AREA,
    smallcaps.AREA,
    forecast.AREA,
    monitor.AREA,
)


def chosen(config: StudyConfig) -> tuple[Area, ...]:
    """Return the areas a study asks for."""
    return tuple(area for area in AREAS if area.name in config.areas)
