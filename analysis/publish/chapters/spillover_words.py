"""The sentences on spillover, written from the ledger, so that the words are as true as the numbers."""

from __future__ import annotations

from analysis.publish.values import field_text, format_value
from analysis.study.areas.spillover import MEASURES
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant

DIRECTIONS = ("lead", "reverse")
# From here on a single session makes most of a correlation.
_MUCH = 0.5
# And from here on there is nothing left that the other sessions add.
_ALL = 0.995


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return the sentences of the chapter, worded by what the ledger holds."""
    return {
        "answer": _answer(ledger, inputs),
        "sizes": _sizes(ledger, inputs),
        "classical": _classical(ledger, inputs),
        "one-session": _one_session(ledger, inputs),
        "connected": _connected(ledger),
        "directions": _directions(ledger, inputs),
        "bands": _band_sentence(ledger),
        "constancy": _constancy(ledger, inputs),
    }


def _counts(ledger: Ledger, inputs: Inputs, family: str) -> tuple[int, int, int]:
    """Return tests, tests with a result, and tests that stand after correction; zeros where the family is absent."""
    entries = [entry for entry in ledger.entries if entry.family == family]
    standing = [entry for entry in entries if is_significant(entry, inputs.config.level)]
    return len(entries), sum(1 for entry in entries if entry.status == "ok"), len(standing)


def _of(found: int, total: int) -> str:
    number = "none" if found == 0 else format_value(found, "count")
    return f"{number} of {format_value(total, 'count')} assets"


def _answer(ledger: Ledger, inputs: Inputs) -> str:
    """Say whether volatility passes where return does not, in words the counts allow."""
    counts = {
        direction: [
            _counts(ledger, inputs, name)
            for name in (
                f"spillover-variance-{direction}",
                f"spillover-variance-{direction}-conditional",
                direction,
            )
        ]
        for direction in DIRECTIONS
    }
    if not any(parts[0][1] for parts in counts.values()):
        return "These data do not allow a test of volatility spillover."
    words = [_one_way(direction, *counts[direction]) for direction in DIRECTIONS]
    nothing = all(parts[0][2] == 0 and parts[1][2] == 0 for parts in counts.values())
    if nothing:
        alone, back = counts["lead"][0], counts["reverse"][0]
        return (
            "We find no volatility that passes between small caps and crypto once each series' own volatility is "
            f"removed: after correction {_of(alone[2], alone[0])} from small caps to crypto and "
            f"{_of(back[2], back[0])} the other way, alone or beside the drivers' volatility"
            f"{_return_words(counts['lead'][2], counts['reverse'][2])}."
            f"{_disagreement(ledger, inputs)}"
        )
    return " ".join(words)


def _return_words(lead: tuple[int, int, int], reverse: tuple[int, int, int]) -> str:
    """Say what the leads in return give, where the study tests them."""
    if not lead[0] or not reverse[0]:
        return ""
    if lead[2] == reverse[2] == 0:
        return "; nor is a lead found in returns"
    return f"; leads in returns are found for {_of(lead[2], lead[0])} and {_of(reverse[2], reverse[0])}"


def _disagreement(ledger: Ledger, inputs: Inputs) -> str:
    """Say where the permutation test on squares finds what the test on log sizes does not."""
    texts = []
    for direction, words in (("lead", "from small caps to crypto"), ("reverse", "from crypto to small caps")):
        whole, rest = (_counts(ledger, inputs, f"spillover-{kind}-{direction}") for kind in ("whole", "session"))
        if whole[2]:
            texts.append(
                f" On squared shocks, which the largest sessions rule, it does pass {words} for "
                f"{_of(whole[2], whole[0])}; without the one session that speaks most for each, for "
                f"{_of(rest[2], rest[0])}."
            )
    return "".join(texts)


def _one_way(
    direction: str, alone: tuple[int, int, int], beside: tuple[int, int, int], returns: tuple[int, int, int]
) -> str:
    subject = (
        "Volatility of small caps announces crypto's" if direction == "lead" else "Volatility of crypto announces "
    )
    subject += "" if direction == "lead" else "small caps'"
    text = f"{subject} for {_of(alone[2], alone[0])} after correction"
    if beside[1] == 0:
        text += "; it could not be tested beside the drivers' volatility"
    else:
        text += f", beside the drivers' volatility for {_of(beside[2], beside[0])}"
    if returns[0]:
        text += f"; in returns a lead of the same direction is found for {_of(returns[2], returns[0])}"
    return text + "."


def _sizes(ledger: Ledger, inputs: Inputs) -> str:
    """Give the size of the link for the first asset, both ways."""
    parts = []
    for direction, subject in (("lead", "a shock of small caps"), ("reverse", "a shock of {asset}")):
        entry = pair(ledger, f"spillover-variance-{direction}", inputs.plan.crypto[0])
        if entry is None or entry.status != "ok":
            continue
        asset = inputs.label(inputs.plan.crypto[0])
        other = asset if direction == "lead" else "small caps"
        days = format_value(inputs.config.lags, "count")
        parts.append(
            f"After {subject.format(asset=asset)} with a square one percent larger, the squared shocks of {other} are "
            f"{field_text(entry, 'effect')} percent larger over the next {days} sessions together (p adj. "
            f"{format_value(entry.pvalue_adjusted, 'p_equation')})."
        )
    return " ".join(parts) or "No size can be given."


def _classical(ledger: Ledger, inputs: Inputs) -> str:
    """Say what the classical tests of causality in variance find, where the study runs them."""
    parts = []
    for test, words in (("lm", "multiplier test"), ("ccf", "correlation of squares")):
        lead, reverse = (_counts(ledger, inputs, f"variance-{direction}-{test}") for direction in DIRECTIONS)
        if lead[1] and reverse[1]:
            parts.append(
                f"the {words} finds it for {_of(lead[2], lead[0])} from small caps to crypto and for "
                f"{_of(reverse[2], reverse[0])} the other way"
            )
    if not parts:
        return "The classical tests of causality in variance are not part of this study."
    return (
        f"On squared shocks, without the drivers, {'; '.join(parts)}. These tests rest on moments that heavy tails may "
        "not have, and decide nothing."
    )


def _one_session(ledger: Ledger, inputs: Inputs) -> str:
    """Say how much of the correlation of squares hangs on one session, for the first asset and over all."""
    asset = inputs.plan.crypto[0]
    test = pair(ledger, "spillover-session-lead", asset)
    share = None if test is None else find(ledger, f"{test.id}.share")
    if share is None or share.estimate is None:
        return "How much of a correlation of squared shocks hangs on one session could not be worked out."
    start = "Much hangs on one session" if share.estimate >= _MUCH else "No one session makes most of it"
    part = "all" if share.estimate >= _ALL else format_value(share.estimate, "percent")
    return (
        f"{start}: {format_value(share.start, 'long_date')} makes {part} of the largest correlation of squared shocks "
        f"from small caps to {inputs.label(asset)}."
    )


def _connected(ledger: Ledger) -> str:
    """Say how connected the system is, in returns and in volatility."""
    parts = []
    for measure in ("returns", "volatility"):
        entry = find(ledger, f"spillover-connectedness.{measure}.after")
        if entry is None or entry.status != "ok":
            reason = "" if entry is None else f": {entry.reason}"
            parts.append(f"connectedness of {MEASURES[measure]} cannot be measured{reason}")
        else:
            parts.append(_share_words(ledger, measure, entry))
    return " ".join(f"{text[:1].upper()}{text[1:]}." for text in parts)


def _share_words(ledger: Ledger, measure: str, total: Entry) -> str:
    """Give the total, and what crosses in each direction under the clock that is strict for it."""
    given = find(ledger, f"spillover-connectedness.{measure}.after.given")
    received = find(ledger, f"spillover-connectedness.{measure}.before.received")
    text = (
        f"in {MEASURES[measure]} ({total.start} to {total.end}) {field_text(total, 'effect')} percent of the forecast "
        "error of an average series comes from the others"
    )
    if given is None or received is None:
        return text
    return text + (
        f"; from small caps come {field_text(given, 'effect')} percent of that of an average crypto asset, and from an "
        f"average crypto asset {field_text(received, 'effect')} percent of that of small caps, each under the clock "
        "that does not favour it"
    )


def _directions(ledger: Ledger, inputs: Inputs) -> str:
    """Say whether small caps are a net source or a net receiver of crypto, where the clock allows the word."""
    parts = []
    for measure in ("returns", "volatility"):
        after, before = (
            find(ledger, f"spillover-connectedness.{measure}.{clock}.net") for clock in ("after", "before")
        )
        if after is None or before is None:
            continue
        gives = after.lower is not None and after.lower > 0
        takes = before.upper is not None and before.upper < 0
        verdict = (
            "a net source for crypto"
            if gives
            else "a net receiver from crypto"
            if takes
            else "neither a net source nor a net receiver that could be told from zero"
        )
        parts.append(
            f"In {MEASURES[measure]} small caps are {verdict}: net {field_text(after, 'effect')} percent under the "
            f"clock that favours crypto and {field_text(before, 'effect')} under the one that favours small caps."
        )
    return " ".join(parts) or "No direction can be measured."


def _band_sentence(ledger: Ledger) -> str:
    """Say at which speed weekly volatility is connected."""
    entries = [
        find(ledger, f"spillover-connectedness.volatility.after.{part}-total") for part in ("long", "medium", "short")
    ]
    if any(entry is None for entry in entries):
        return "The connectedness of volatility cannot be split by speed."
    slow, weeks, fast = (field_text(entry, "effect") for entry in entries if entry is not None)
    return (
        f"Of the connectedness of weekly volatility, swings longer than a quarter give {slow} percent, those of one to "
        f"three months {weeks} and faster ones {fast}."
    )


def _constancy(ledger: Ledger, inputs: Inputs) -> str:
    """Say for how many assets the correlation moves, and where that of the first stands."""
    total, known, moving = _counts(ledger, inputs, "spillover-constancy")
    if known == 0:
        return "Whether the correlation moves could not be tested."
    text = f"A constant same-session correlation with small caps is rejected for {_of(moving, total)} after correction."
    base = pair_id(inputs, inputs.plan.crypto[0])
    last, low, high = (find(ledger, f"{base}.{part}") for part in ("latest", "lowest", "highest"))
    if last is None or low is None or high is None or last.status != "ok":
        return text
    return text + (
        f" That of {inputs.label(inputs.plan.crypto[0])} has moved between {field_text(low, 'estimate')} and "
        f"{field_text(high, 'estimate')} and was {field_text(last, 'effect')} at the end of its sample."
    )


def find(ledger: Ledger, name: str) -> Entry | None:
    """Return an entry by its id, or None."""
    return next((entry for entry in ledger.entries if entry.id == name), None)


def pair(ledger: Ledger, family: str, asset: str) -> Entry | None:
    """Return the entry of an asset in a family, or None."""
    return next((e for e in ledger.entries if e.family == family and asset in (e.effect, e.cause)), None)


def pair_id(inputs: Inputs, asset: str) -> str:
    """Return the id of an asset's correlation with small caps."""
    return f"spillover-correlation.{key(inputs.plan.small_cap)}.{key(asset)}"
