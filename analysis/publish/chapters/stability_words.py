"""Sentences on stability: every number comes from the ledger, and so does every turn of phrase."""

from __future__ import annotations

import datetime as dt

from analysis.figures.style import word_list
from analysis.publish.chapters.cells import count_words
from analysis.publish.values import field_text, format_value
from analysis.stats.breaks.placebo import PlaceboDatesResult
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return every sentence of the chapter."""
    return {
        "answer": _answer(ledger, inputs),
        "first": _first(ledger, inputs),
        "beside": _beside(ledger, inputs),
        "events": _events(ledger, inputs),
        "placebo": _placebo(ledger),
        "lead-events": _lead_events(ledger, inputs),
    }


def family_of(ledger: Ledger, family: str) -> dict[str, Entry]:
    """Return the entries of a family by asset."""
    return {entry.effect: entry for entry in ledger.family(family)}


def parts_of(ledger: Ledger, main: Entry) -> tuple[list[Entry], list[Entry]]:
    """Return the stretches and the breaks of one asset, in order of time; both are empty where nothing was dated."""
    ordered = [
        sorted((e for e in ledger.entries if e.id.startswith(f"{main.id}.{kind}")), key=lambda entry: entry.id)
        for kind in ("stretch", "break")
    ]
    return ordered[0], ordered[1]


def event_rows(inputs: Inputs) -> list[tuple[str, dt.date, str]]:
    """Return number, day and title of the declared events the study compares at."""
    titles = {event.day: event.title for event in reversed(inputs.events)}
    return [
        (format_value(number, "count"), when, titles.get(when, "not in the file of events"))
        for number, when in enumerate(inputs.config.stability.events, start=1)
    ]


def changing(ledger: Ledger, inputs: Inputs, link: str, when: dt.date | None = None) -> tuple[int, int]:
    """Return how many tests at declared events stand after correction and how many could be run, at one or at all."""
    entries = [
        entry
        for entry in ledger.family(f"event-link-{link}")
        if when is None or entry.id.startswith(f"event-link.{link}.{when.isoformat()}.")
    ]
    level = inputs.config.level
    return sum(is_significant(entry, level) for entry in entries), sum(entry.status == "ok" for entry in entries)


def _standing(ledger: Ledger, inputs: Inputs, family: str) -> tuple[list[str], str, str]:
    """Return the names of the assets that stand after correction, their count and the number of tests."""
    entries = ledger.family(family)
    names = [inputs.label(entry.effect) for entry in entries if is_significant(entry, inputs.config.level)]
    return names, count_words(len(names)), format_value(len(entries), "count")


def _named(names: list[str]) -> str:
    return f" ({word_list(names)})" if names else ""


def _answer(ledger: Ledger, inputs: Inputs) -> str:
    families = ("stability-response", "stability-correlation", "stability-lead")
    if all(entry.status != "ok" for family in families for entry in ledger.family(family)):
        reason = ledger.family(families[0])[0].reason
        return f"Whether the link is the same throughout cannot be tested: {reason}."
    (names, count, total), (moved, correlated, _), (leads, leading, _) = (
        _standing(ledger, inputs, family) for family in families
    )
    opening = (
        "The link between small caps and crypto is not constant"
        if names or moved or leads
        else "No break in the link between small caps and crypto is found, which does not show that there is none"
    )
    return (
        f"{opening}: after correction the same-session response breaks for {count} of {total} assets{_named(names)}, "
        f"the correlation, beyond what volatility does to it, for {correlated}, and the lead of small caps for "
        f"{leading}{_named(leads)}."
    )


def _first(ledger: Ledger, inputs: Inputs) -> str:
    """Say what the response of the first asset is between its breaks."""
    asset = inputs.plan.crypto[0]
    label = inputs.label(asset)
    main = family_of(ledger, "stability-response")[asset]
    if main.status != "ok":
        return f"Breaks of {label} cannot be dated: {main.reason}."
    stretches, breaks = parts_of(ledger, main)
    if not stretches:
        return f"The response of {label} between breaks could not be estimated."
    levels = [
        f"{field_text(entry, 'effect')} percent from {field_text(entry, 'start')} to {field_text(entry, 'end')}"
        for entry in stretches
    ]
    text = f"With a one percent move of small caps {label} moved by {word_list(levels)}."
    corrected = f"p {field_text(main, 'p_adj_equation')} after correction"
    if not breaks:
        return f"{text} No break is found in it ({corrected})."
    dates = [f"{entry.start} and {entry.end}" for entry in breaks if entry.start]
    if not dates:
        return f"{text} The dates of its breaks have no interval ({corrected})."
    noun = "The break lies" if len(dates) == 1 else "The breaks lie"
    return f"{text} {noun} between {'; between '.join(dates)} (95% interval of the date; {corrected})."


def _beside(ledger: Ledger, inputs: Inputs) -> str:
    names, count, total = _standing(ledger, inputs, "stability-response-conditional")
    if all(entry.status != "ok" for entry in ledger.family("stability-response-conditional")):
        return (
            f"Beside common drivers it cannot be tested: {ledger.family('stability-response-conditional')[0].reason}."
        )
    drifting, drift, _ = _standing(ledger, inputs, "stability-drift")
    return (
        f"Beside the common drivers of the session the response breaks for {count} of {total} assets{_named(names)}; "
        f"the test that looks for drift instead finds it for {drift}{_named(drifting)}."
    )


def _events(ledger: Ledger, inputs: Inputs) -> str:
    changed, tested = changing(ledger, inputs, "response")
    total = len(ledger.family("event-link-response"))
    if not tested:
        return f"The link cannot be compared at declared events: {ledger.family('event-link-response')[0].reason}."
    absent = total - tested
    tail = f" ({format_value(absent, 'count')} more could not be run)" if absent else ""
    days = [when.isoformat() for _, when, _ in event_rows(inputs) if changing(ledger, inputs, "response", when)[0] > 0]
    where = f", beside the events of {word_list(days)}" if days else ""
    return (
        f"Before and after declared events the same-session response differs after correction in "
        f"{count_words(changed)} of {format_value(tested, 'count')} tests{tail}{where}."
    )


def _placebo(ledger: Ledger) -> str:
    entry = ledger.entry("event-placebo.response")
    result = entry.loaded() if entry.status == "ok" else None
    if not isinstance(result, PlaceboDatesResult):
        return f"Other dates could not be compared: {entry.reason or 'the result is not there'}."
    here, there = format_value(result.statistic, "percent"), format_value(result.placebo_share, "percent")
    p = field_text(entry, "p_adj_equation")
    special = (entry.pvalue_adjusted or 0.0) <= float(result.options["level"])
    verdict = (
        "the declared dates are more often dates of change than others, which still names no cause"
        if special
        else "that the link changes more often there than at other dates is not found"
    )
    return (
        f"Without correction the test rejects in {here} of cases at the declared dates and in {there} when the same "
        f"dates are moved through the sample (p adj. {p}): {verdict}."
    )


def _lead_events(ledger: Ledger, inputs: Inputs) -> str:
    changed, tested = changing(ledger, inputs, "lead")
    if not tested:
        return "The lead could not be compared at any declared event."
    return (
        f"The lead of small caps differs before and after a declared event in {count_words(changed)} of "
        f"{format_value(tested, 'count')} tests."
    )
