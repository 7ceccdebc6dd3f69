"""Sentences of the chapter after record highs: every number comes from the ledger, and so does every turn of phrase."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.figures.style import word_list
from analysis.publish.values import field_text, format_value
from analysis.stats.eventstudy.matched_result import MatchedEventResult
from analysis.study.areas.events_data import BASKET
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant

ASSET_WORDS = {BASKET: "Altcoin basket"}
# The horizon a sentence speaks of: about a month.
SPOKEN = 21


def asset_label(inputs: Inputs, asset: str) -> str:
    """Return the name of an asset or of the basket."""
    return ASSET_WORDS.get(asset) or inputs.label(asset)


def record_entries(ledger: Ledger, inputs: Inputs, prefix: str, asset: str) -> list[tuple[int, Entry]]:
    """Return the entries of one asset after record highs, by horizon."""
    base = f"{prefix}.{key(inputs.plan.small_cap)}.{key(asset)}"
    return [(end, ledger.entry(f"{base}.h{end}")) for end in inputs.config.events.horizons]


def matched(entry: Entry) -> MatchedEventResult | None:
    """Return the full result of an entry, where there is one."""
    found = entry.loaded() if entry.status == "ok" and entry.result else None
    return found if isinstance(found, MatchedEventResult) else None


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return every sentence of the chapter."""
    return {
        "answer": _answer(ledger, inputs),
        "episodes": _count(ledger, inputs),
        "power": _power(ledger, inputs),
        "altcoins": _altcoins(ledger, inputs),
        "twins": _twins(ledger, inputs),
        "run-up": _run_up(ledger, inputs),
        "usual": _usual(ledger, inputs),
        "declared": _declared(ledger, inputs),
        "rule": _rule(inputs),
    }


def _answer(ledger: Ledger, inputs: Inputs) -> str:
    asset = inputs.plan.crypto[0]
    label = asset_label(inputs, asset)
    entries = [entry for _, entry in record_entries(ledger, inputs, "event", asset)]
    known = [entry for entry in entries if entry.status == "ok"]
    if not known:
        return f"What {label} did after record highs of small caps cannot be tested: {entries[0].reason}."
    level = inputs.config.level
    up = [entry for entry in known if is_significant(entry, level) and (entry.lower or 0.0) > 0]
    down = [entry for entry in known if is_significant(entry, level) and (entry.upper or 0.0) < 0]
    spoken = _spoken(known)
    what = (
        f"earned more than after matched dates at {_number(len(up))} of {_number(len(known))} horizons"
        + (f" and less at {_number(len(down))}" if down else "")
        if up
        else f"earned less than after matched dates at {_number(len(down))} of {_number(len(known))} horizons"
        if down
        else "did neither better nor worse than after matched dates, as far as this can be told from chance"
    )
    return (
        f"After record closes of small caps {label} {what}: over {_sessions(spoken)} the difference is "
        f"{field_text(spoken, 'effect')} percent (p adj. {field_text(spoken, 'p_adj_equation')}, "
        f"{field_text(spoken, 'n')} episodes)."
    )


def _count(ledger: Ledger, inputs: Inputs) -> str:
    parts = []
    for basis, words in (
        ("close", "record closes"),
        ("intraday", "records within the session"),
        ("total", "dividends"),
    ):
        entry = ledger.entry(f"event-episodes.{basis}")
        if entry.status != "ok":
            parts.append(f"none for {words} ({entry.reason})")
            continue
        number, days = format_value(int(entry.estimate or 0), "count"), format_value(entry.nobs, "count")
        name = "record closes with dividends" if basis == "total" else words
        parts.append(f"{number} episodes of {name} ({days} record days)")
    return f"The study holds {word_list(parts)}."


def _power(ledger: Ledger, inputs: Inputs) -> str:
    asset = inputs.plan.crypto[0]
    results = [result for _, entry in record_entries(ledger, inputs, "event", asset) if (result := matched(entry))]
    if not results:
        return "No test could be run, so that nothing can be said about its power."
    parts = [
        f"{format_value(result.detectable, 'estimate')} percent over {format_value(result.horizon, 'count')} sessions"
        for result in results
    ]
    last = results[-1]
    return (
        f"Few episodes make a blunt test. For {asset_label(inputs, asset)} a difference is found four times in five, "
        f"before any correction, only if it is as large as {word_list(parts)}; at the longest horizon "
        f"{_plain(last.independent_episodes)} of {_plain(last.nobs)} episodes have outcomes that share no session."
    )


def _altcoins(ledger: Ledger, inputs: Inputs) -> str:
    entries = ledger.family("events-altcoins")
    known = [entry for entry in entries if entry.status == "ok"]
    if not known:
        return f"Altcoins after record highs cannot be tested: {entries[0].reason}."
    standing = [entry for entry in known if is_significant(entry, inputs.config.level)]
    text = (
        f"Of {format_value(len(entries), 'count')} comparisons for altcoins and their basket "
        f"{_number(len(standing))} {'stands' if len(standing) == 1 else 'stand'} after correction"
    )
    if standing:
        names = [f"{asset_label(inputs, e.effect)} over {_sessions(e)} ({field_text(e, 'effect')})" for e in standing]
        text += f": {word_list(names)}"
    text += _absent(entries)
    basket = [entry for entry in known if entry.effect == BASKET]
    if basket:
        spoken = _spoken(basket)
        text += (
            f". For the basket the difference over {_sessions(spoken)} is {field_text(spoken, 'effect')} percent "
            f"({field_text(spoken, 'n')} episodes)"
        )
    return text + "."


def _twins(ledger: Ledger, inputs: Inputs) -> str:
    families = ("events-market", "events-intraday", "events-total", "events-spaced")
    entries = [entry for family in families for entry in ledger.family(family)]
    standing = [entry for entry in entries if is_significant(entry, inputs.config.level)]
    verb = "stands" if len(standing) == 1 else "stand"
    return (
        f"Posed otherwise (less the part of large caps, on other records, on episodes that share no outcome) "
        f"{_number(len(standing))} of {_plain(len(entries))} comparisons {verb} after correction{_absent(entries)}."
    )


def _run_up(ledger: Ledger, inputs: Inputs) -> str:
    entries = ledger.family("events-run-up")
    first = next((entry for entry in entries if entry.effect == inputs.plan.crypto[0]), entries[0])
    if first.status != "ok":
        return f"Whether rallies coincide with record highs cannot be tested: {first.reason}."
    standing = sum(1 for entry in entries if is_significant(entry, inputs.config.level))
    return (
        f"In the {_sessions(first)} that end with the record, {asset_label(inputs, first.effect)} differs from matched "
        f"dates by {field_text(first, 'effect')} percent (p adj. {field_text(first, 'p_adj_equation')}); "
        f"{_number(standing)} of {_plain(len(entries))} assets stand out. This is coincidence in time, which common "
        "moves of the session produce, and not a lead."
    )


def _usual(ledger: Ledger, inputs: Inputs) -> str:
    entries = ledger.family("events-tests")
    known = [entry for entry in entries if entry.pvalue is not None]
    if not known:
        return "The usual tests could not be run."
    raw = sum(1 for entry in known if (entry.pvalue or 0.0) <= inputs.config.level)
    standing = sum(1 for entry in known if is_significant(entry, inputs.config.level))
    return (
        f"Of {format_value(len(entries), 'count')} usual tests, mean adjusted and by the market model, "
        f"{_number(raw)} {'falls' if raw == 1 else 'fall'} below the level before correction and "
        f"{_number(standing)} after."
    )


def _declared(ledger: Ledger, inputs: Inputs) -> str:
    entries = ledger.family("events-declared")
    known = [entry for entry in entries if entry.status == "ok"]
    standing = [entry for entry in known if is_significant(entry, inputs.config.level)]
    if not known:
        return f"Declared events cannot be tested: {entries[0].reason}."
    text = (
        f"From declared events on, {_number(len(standing))} of {_plain(len(entries))} responses of "
        f"{asset_label(inputs, inputs.plan.crypto[0])}, the basket and small caps can be told from those of matched "
        "dates after correction"
    )
    if standing:
        text += ": " + word_list([f"{asset_label(inputs, e.effect)} ({field_text(e, 'effect')})" for e in standing])
    return text + _absent(entries) + "."


def _rule(inputs: Inputs) -> str:
    settings = inputs.config.events
    return (
        f"Records up to {_plain(settings.merge_sessions)} sessions apart are one episode, dated by its first day; a "
        f"record has at least {_plain(settings.history_sessions)} sessions behind it. Matched are return and "
        f"volatility of small caps over {_plain(settings.trailing)} sessions, with the {_plain(settings.neighbours)} "
        f"most similar dates that are no record days; the variant without shared outcomes keeps "
        f"{_plain(settings.spacing_sessions)} sessions between starts."
    )


def _absent(entries: Sequence[Entry]) -> str:
    """Say how many comparisons could not be made, and why one of them could not."""
    absent = [entry for entry in entries if entry.status != "ok"]
    if not absent:
        return ""
    return f"; {_plain(len(absent))} could not be made, for example because {absent[0].reason.replace('; ', ', and ')}"


def _spoken(known: Sequence[Entry]) -> Entry:
    """Return the entry of the horizon sentences speak of, or the one in the middle."""
    return next((entry for entry in known if entry.id.endswith(f".h{SPOKEN}")), known[len(known) // 2])


def _sessions(entry: Entry) -> str:
    return f"{_plain(int(entry.id.rsplit('.h', 1)[1]))} sessions"


def _plain(value: int) -> str:
    return format_value(value, "count")


def _number(count: int) -> str:
    return "none" if count == 0 else format_value(count, "count")
