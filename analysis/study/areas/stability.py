"""Is the link the same throughout: breaks at unknown dates, and before and after declared events."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.study.area import Area, Subjects
from analysis.study.areas.stability_events import run_event_link, run_placebo
from analysis.study.areas.stability_run import (
    run_beside,
    run_correlation,
    run_drift,
    run_lead,
    run_response,
    run_rolling,
)
from analysis.study.calls import Call, Family, key

LINKS = ("response", "lead")


@dataclass(frozen=True, slots=True)
class _Question:
    """One test run for every asset: the name of its family and kind, and what it asks."""

    name: str
    title: str
    conditional: bool = False
    strict: bool | None = None


_QUESTIONS = (
    _Question("stability-response", "Breaks in the same-session response"),
    _Question("stability-response-conditional", "Break in the same-session response beside the common drivers", True),
    _Question("stability-drift", "Drift of the same-session response"),
    _Question("stability-correlation", "Break in the correlation, beyond what volatility does to it"),
    _Question("stability-lead", "Break in the lead of small caps", strict=True),
)


def declare(subjects: Subjects) -> list[Family]:
    """Declare breaks by asset, links at declared events by event and asset, and what other dates would have shown."""
    small, bitcoin = subjects.small_cap, subjects.crypto[0]
    rolling = Call(f"stability-rolling.{key(small)}.{key(bitcoin)}", "stability-rolling", bitcoin, small)
    placebo = tuple(Call(f"event-placebo.{link}", "event-placebo", "", detail=link) for link in LINKS)
    return [
        *(_by_asset(question, subjects) for question in _QUESTIONS),
        Family("stability-rolling", "Same-session response in a moving window", (), "none", (rolling,)),
        *(_at_events(link, subjects) for link in LINKS),
        Family("event-placebo", "Declared events against all other dates", ("external-events",), "bh", placebo),
    ]


def _by_asset(question: _Question, subjects: Subjects) -> Family:
    small = subjects.small_cap
    calls = tuple(
        Call(
            f"{question.name}.{key(small)}.{key(asset)}",
            question.name,
            asset,
            small,
            given=subjects.controls if question.conditional else (),
            strict=question.strict,
            conditional=question.conditional,
        )
        for asset in subjects.crypto
    )
    return Family(question.name, question.title, ("stable-link",), "bh", calls)


def _at_events(link: str, subjects: Subjects) -> Family:
    small = subjects.small_cap
    calls = tuple(
        Call(
            f"event-link.{link}.{day.isoformat()}.{key(asset)}",
            f"event-link-{link}",
            asset,
            small,
            strict=True if link == "lead" else None,
            detail=day.isoformat(),
        )
        for day in subjects.config.stability.events
        for asset in subjects.crypto
    )
    what = "Same-session response" if link == "response" else "Lead of small caps"
    return Family(f"event-link-{link}", f"{what} before and after declared events", ("external-events",), "bh", calls)


AREA = Area(
    "stability",
    declare,
    {
        "stability-response": run_response,
        "stability-response-conditional": run_beside,
        "stability-drift": run_drift,
        "stability-correlation": run_correlation,
        "stability-lead": run_lead,
        "stability-rolling": run_rolling,
        "event-link-response": run_event_link,
        "event-link-lead": run_event_link,
        "event-placebo": run_placebo,
    },
    long=("stability-response", "stability-response-conditional"),
)
