"""What the response paths say, in words that follow from the ledger."""

from __future__ import annotations

from analysis.errors import LedgerError
from analysis.publish.chapters.cells import count_words, state_label
from analysis.publish.values import field_text, format_value
from analysis.stats.dynamics import LocalProjection
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant


def _count(number: int) -> str:
    return format_value(number, "count")


def _of(entries: list[Entry], inputs: Inputs) -> str:
    """Return how many of the tests of a family stand after correction."""
    found = sum(1 for entry in entries if is_significant(entry, inputs.config.level))
    return f"{count_words(found)} of {_count(len(entries))}"


def _p(entry: Entry) -> str:
    value = entry.pvalue if entry.pvalue_adjusted is None else entry.pvalue_adjusted
    return f"p adj. {format_value(value, 'p_equation')}"


def _family(ledger: Ledger, name: str) -> list[Entry]:
    return list(ledger.family(name))


def answer(ledger: Ledger, inputs: Inputs) -> str:
    """Say how much crypto responds, when, and whether assets respond alike."""
    alone = _family(ledger, "response-path-bivariate")
    usable = [entry for entry in alone if entry.status == "ok"]
    if not usable:
        return f"No response path could be estimated: {alone[0].reason}."
    first = {inputs.label(entry.effect): same_session(entry) for entry in usable}
    low, high = min(first, key=lambda name: first[name][0]), max(first, key=lambda name: first[name][0])
    ends = [f"{format_value(first[name], 'effect')} percent ({name})" for name in (low, high)]
    after = _of(_family(ledger, "response-later-bivariate"), inputs)
    return (
        f"When small caps rise by an unexpected one percent, crypto moves in the same session by between {ends[0]} and "
        f"{ends[1]}; the response from that session on differs from zero for {_of(alone, inputs)} assets, and in the "
        f"later sessions taken alone for {after}. {_verdict(ledger, inputs)}"
    )


def same_session(entry: Entry) -> tuple[float, float, float]:
    """Return the response of the same session with its interval."""
    found = entry.loaded()
    if not isinstance(found, LocalProjection) or found.horizons[0] != 0:
        raise LedgerError("the result is no response path from the same session on", given=entry.id)
    return float(found.estimate[0, 0]), float(found.lower[0, 0]), float(found.upper[0, 0])


def _pair(ledger: Ledger, inputs: Inputs, null: str, twin: str) -> list[Entry]:
    stem = f"response-equality.{null}.{key(inputs.plan.small_cap)}"
    return [ledger.entry(f"{stem}.{group}.{twin}") for group in ("all", "older")]


def _stands(entries: list[Entry], inputs: Inputs) -> bool:
    return any(is_significant(entry, inputs.config.level) for entry in entries)


def _verdict(ledger: Ledger, inputs: Inputs) -> str:
    """Say whether amount and timing differ, alone and beside the drivers."""
    amount, timing = (_pair(ledger, inputs, null, "bivariate") for null in ("path", "timing"))
    if all(entry.status != "ok" for entry in amount):
        return f"Whether all assets respond alike cannot be tested: {amount[0].reason}."
    amounts, times = _stands(amount, inputs), _stands(timing, inputs)
    if amounts and times:
        text = "The assets respond by different amounts and at different times"
    elif amounts and all(entry.status != "ok" for entry in timing):
        why = timing[0].reason
        text = f"The assets respond by different amounts; whether at different times cannot be tested ({why})"
    elif amounts:
        text = "The assets respond by different amounts, but no difference in timing is found"
    elif times:
        text = "The assets respond at different times, but no difference between their whole paths is found"
    else:
        text = "No difference between the responses of the assets is found, which does not mean that there is none"
    if not amounts:
        return f"{text}."
    beside = _pair(ledger, inputs, "path", "conditional")
    if all(entry.status != "ok" for entry in beside):
        return f"{text}; the common drivers could not be held fixed."
    left = "the difference remains" if _stands(beside, inputs) else "no difference can be shown"
    return f"{text}; beside the common drivers {left}."


def later(ledger: Ledger, inputs: Inputs) -> str:
    """Say in how many assets the strictly predictive part of the response stands."""
    parts = []
    for twin, words in (("bivariate", "alone"), ("conditional", "beside the common drivers")):
        entries = _family(ledger, f"response-later-{twin}")
        if all(entry.status != "ok" for entry in entries):
            parts.append(f"{words} it cannot be tested ({entries[0].reason})")
        else:
            parts.append(f"{words} for {_of(entries, inputs)} assets")
    return f"A response in the sessions after the move is found {' and '.join(parts)}."


def equality(ledger: Ledger, inputs: Inputs) -> str:
    """Give the tests of equality over all assets, alone."""
    names = {"path": "the whole path", "later": "the later sessions", "timing": "the timing", "size": "the sum"}
    parts = []
    for null, words in names.items():
        entry = _pair(ledger, inputs, null, "bivariate")[0]
        if entry.status == "ok":
            verb = "differ" if is_significant(entry, inputs.config.level) else "show no difference"
            parts.append(f"in {words} the assets {verb} ({_p(entry)}, N = {field_text(entry, 'n')})")
        else:
            parts.append(f"{words} cannot be compared: {entry.reason}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def states(ledger: Ledger, inputs: Inputs) -> str:
    """Say for each state in how many assets the response differs."""
    parts = []
    for name in inputs.config.dynamics.states:
        entries = _family(ledger, f"response-state.{name}")
        if all(entry.status != "ok" for entry in entries):
            parts.append(f"The state “{state_label(name)}” cannot be tested: {entries[0].reason}.")
        else:
            parts.append(f"In the state “{state_label(name)}” the response differs for {_of(entries, inputs)} assets.")
    return " ".join(parts) or "The study declares no state for the responses."


def shares(ledger: Ledger, inputs: Inputs) -> str:
    """Say how much of the variance of crypto small caps explain."""
    entries = [entry for entry in ledger.family("response-share") if entry.estimate is not None]
    if not entries:
        return "No share of variance could be computed."
    low, high = min(entries, key=_size), max(entries, key=_size)
    return (
        f"Shocks of small caps, which come first here, explain between {format_value(_size(low), 'percent')} "
        f"({inputs.label(low.effect)}) and {format_value(_size(high), 'percent')} ({inputs.label(high.effect)}) of the "
        "forecast variance of a coin; the rest counts as its own."
    )


def _size(entry: Entry) -> float:
    return 0.0 if entry.estimate is None else entry.estimate
