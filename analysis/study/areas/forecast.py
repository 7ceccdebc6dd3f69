"""Placeholder of the area until it is built."""

from __future__ import annotations

from analysis.study.area import Area, Subjects
from analysis.study.calls import Family


def declare(subjects: Subjects) -> list[Family]:
    """Declare no family yet."""
    return []


AREA = Area("forecast", declare, {})
