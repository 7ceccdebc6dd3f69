"""What follows events: abnormal returns, matched dates and placebo calendars."""

from __future__ import annotations

from analysis.stats.eventstudy.result import EventStudyResult
from analysis.stats.eventstudy.study import event_study

__all__ = ["EventStudyResult", "event_study"]
