"""The sentences of the documents, written from verdicts and ledger, so that the words are as true as the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.figures.style import word_list
from analysis.publish.chapters import events_words, forecast, stability_words
from analysis.publish.chapters.cells import p_adjusted, state_label
from analysis.publish.chapters.registry import LEFT_OUT
from analysis.publish.chapters.verdicts import PENDING
from analysis.publish.values import field_text, format_level, format_value
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import Judgement, decisive_pvalue, is_significant

_HEADLINE = {
    "supported": "Yes, in this sample.",
    "contradicted": "No.",
    "mixed": "The evidence is mixed.",
    "no evidence": "We find no lead.",
    "not testable": "These data cannot say.",
}


def variables(ledger: Ledger, judgements: Sequence[Judgement], inputs: Inputs) -> dict[str, dict[str, str]]:
    """Return every sentence the documents ask for."""
    verdicts = {item.claim: item for item in judgements}
    return {
        "answer": _answer(ledger, verdicts["lead"], judgements, inputs),
        "records": {"sentence": records(ledger, inputs)},
        "clock": {"sentence": clock(ledger, inputs)},
        "risk": {"sentence": risk(ledger, inputs)},
        "liquidity": {"sentence": liquidity(ledger, inputs)},
        "told": _told(ledger, inputs),
        "lead": {"sentence": family_sentence(ledger, inputs, "lead") + " " + twin(ledger, inputs, "lead")},
        "reverse": {"sentence": family_sentence(ledger, inputs, "reverse") + " " + twin(ledger, inputs, "reverse")},
        "overlap": {"sentence": clock(ledger, inputs)},
        "plain": {"sentence": plain(ledger, inputs, "lead"), "reverse": plain(ledger, inputs, "reverse")},
        "ccf": {"sentence": leads_and_lags(ledger, inputs)},
        "weekend": {"sentence": weekend(ledger, inputs)},
        "study": _study(inputs),
        "evidence": {"scope": _scope(ledger, inputs), "overview": overview(ledger)},
    }


def _told(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return the answers of the chapters that the claims document repeats; a left-out chapter says so."""
    chapters = {"events": events_words, "stability": stability_words, "forecast": forecast}
    return {
        name: module.sentences(ledger, inputs)["answer"] if name in inputs.config.areas else LEFT_OUT
        for name, module in chapters.items()
    }


def change(judgements: Sequence[Judgement]) -> str:
    """Return, for each claim with a verdict, what would contradict it."""
    rows = [item for item in judgements if item.verdict != PENDING]
    return "\n".join(f"- **{item.title}**: {_lower(item.would_contradict)}" for item in rows) + "\n"


def _answer(ledger: Ledger, lead: Judgement, judgements: Sequence[Judgement], inputs: Inputs) -> dict[str, str]:
    pending = [item.title for item in judgements if item.verdict == PENDING]
    words = (
        f"{format_value(len(pending), 'count')} further claims are declared and wait for evidence that this "
        "version does "
        f"not build: {word_list([_quoted(title) for title in pending])}."
        if pending
        else "Every declared claim has a verdict."
    )
    return {
        "headline": _HEADLINE[lead.verdict],
        "sentence": _lead_sizes(ledger, lead, inputs) or f"{_upper(lead.because)}.",
        "scope": _scope(ledger, inputs),
        "pending": words,
    }


def _lead_sizes(ledger: Ledger, lead: Judgement, inputs: Inputs) -> str:
    """Say how large the leads are that stand; where none does, how large the first asset's is and how sure that is.

    Where a lead stands, the reason of the verdict follows: it says what the sizes alone do not, such as what explains
    them.
    """
    small, lags = inputs.label(inputs.plan.small_cap), inputs.config.lags
    standing = [entry for entry in ledger.family("lead") if is_significant(entry, inputs.config.level)]
    first = _first(ledger, inputs, "lead")
    shown = standing[:3] or ([first] if first is not None and first.status == "ok" else [])
    if not shown:
        return ""
    sizes = [
        f"{field_text(entry, 'effect')} percent in {inputs.label(entry.effect)} "
        f"(all lags together: p adj. {_relation(entry)})"
        for entry in shown
    ]
    rest = len(standing) - len(shown)
    more = f"; {_many(rest, 'further asset')} show one too" if rest > 0 else ""
    more += f"; {lead.because}" if standing else ""
    doubt = "" if standing else ", which cannot be told from zero"
    same = _first(ledger, inputs, "same-session")
    if not standing and same is not None and same.status == "ok":
        doubt += f", against {field_text(same, 'effect')} percent in the same session"
    level = format_level(1 - inputs.config.level)
    return (
        f"For a rise of one percent in the {small} the coefficients of the next {_many(lags, 'session')} sum to "
        f"{word_list(sizes)}{doubt}{more}; {level} intervals in brackets."
    )


def _study(inputs: Inputs) -> dict[str, str]:
    """Return what the fixed texts say of the study's settings."""
    names = word_list([inputs.label(name) for name in inputs.plan.controls])
    late = [name for name in inputs.plan.controls if inputs.catalog.entry(name).role == "volatility"]
    note = "The volatility index among the controls is fixed a quarter of an hour after the close."
    return {
        "controls": names or "none, for none can be used",
        "drivers": f"The common drivers are: {names}." if names else "No common driver could be used.",
        "controls_note": note if late else "Every control is fixed by the close of its session or enters the next one.",
        "covariance": inputs.config.covariance,
    }


def _scope(ledger: Ledger, inputs: Inputs) -> str:
    small = inputs.label(inputs.plan.small_cap)
    assets = word_list([inputs.label(name) for name in inputs.plan.crypto])
    pairs = [{inputs.plan.small_cap, asset} for asset in inputs.plan.crypto]
    tested = [entry for entry in ledger.entries if entry.start and {entry.effect, entry.cause} in pairs]
    span = f", {min(e.start for e in tested)} to {max(e.end for e in tested)} at the longest" if tested else ""
    text = (
        f"Daily returns of the {small} and of {assets}{span}.{_early_ends(ledger, inputs)} "
        f"{format_value(len(inputs.plan.calls), 'count')} tests in {format_value(len(inputs.plan.families), 'count')} "
        "declared families."
    )
    if inputs.plan.substitutions:
        text += " Stand-ins: " + word_list([f"{used} for {wanted}" for wanted, used in inputs.plan.substitutions]) + "."
    if inputs.plan.missing:
        text += " Not used: " + word_list([name for name, _ in inputs.plan.missing]) + "."
    return text


def _early_ends(ledger: Ledger, inputs: Inputs) -> str:
    """Say which assets' tests of a lead end before the others do, and when."""
    ends = {entry.effect: entry.end for entry in ledger.family("lead") if entry.end}
    early: dict[str, list[str]] = {}
    for asset, end in ends.items():
        if end < max(ends.values()):
            early.setdefault(end, []).append(inputs.label(asset))
    parts = [f"{word_list(names)} on {end}" for end, names in sorted(early.items())]
    return f" For want of prices the tests end earlier for {'; for '.join(parts)}." if parts else ""


def family_sentence(ledger: Ledger, inputs: Inputs, family: str) -> str:
    """Say how many tests of a family stand after correction, and name them with their signs."""
    entries = ledger.family(family)
    level = inputs.config.level
    standing = [entry for entry in entries if is_significant(entry, level)]
    lead = not family.startswith("reverse")
    subject = "small caps lead crypto" if lead else "crypto leads small caps"
    text = (
        f"Of {_many(len(entries), 'test')} that {subject} under the strictly predictive clock, "
        f"{_count(len(standing))} after correction"
    )
    if standing:
        names = [
            f"{inputs.label(entry.effect if lead else entry.cause)} ({field_text(entry, 'effect')} percent per "
            f"percent, p adj. {p_adjusted(entry)})"
            for entry in standing
        ]
        text += f": {word_list(names)}"
    return text + "." + _smallest(entries, standing)


def _smallest(entries: Sequence[Entry], standing: Sequence[Entry]) -> str:
    usable = [(p, entry.id, entry) for entry in entries if (p := decisive_pvalue(entry)) is not None]
    if standing or not usable:
        return ""
    return f" The smallest p adj. is {p_adjusted(min(usable)[2])}."


def twin(ledger: Ledger, inputs: Inputs, family: str) -> str:
    """Say what the conditional twin does to a family."""
    entries = ledger.family(f"{family}-conditional")
    standing = sum(1 for entry in entries if is_significant(entry, inputs.config.level))
    if all(entry.status != "ok" for entry in entries):
        return "None of the common drivers is in the data, so that no test can be repeated beside them."
    verb = "stand" if standing > 1 else "stands"
    return f"Beside the common drivers {_number(standing)} of {format_value(len(entries), 'count')} {verb}."


def records(ledger: Ledger, inputs: Inputs) -> str:
    """Say what the price series shows about records in the year of the claim."""
    year, small = inputs.config.record_year, inputs.config.small_cap
    base = f"record.{key(small)}.close"
    count = ledger.entry(f"{base}.count")
    if count.status != "ok":
        return f"The data do not say whether {inputs.label(small)} set records in {year}: {count.reason}."
    highest, prior = ledger.entry(f"{base}.highest"), _maybe(ledger, f"{base}.prior")
    number = int(count.estimate or 0)
    text = (
        f"The {inputs.label(small)} closed at its highest of {year} on {_long(highest)}, at {_level(highest)}"
        + (f"; the record before that year was {_level(prior)}, of {_long(prior)}" if prior is not None else "")
        + f". On closing prices {year} had {_times(number, 'record')}"
    )
    text += _intraday(ledger, f"record.{key(small)}.intraday") + "."
    after = _maybe(ledger, f"{base}.next")
    if number == 0 and after is not None:
        text += f" The next record close came on {_long(after)}, at {_level(after)}."
    total = _maybe(ledger, f"record.{key(inputs.config.small_cap_total_return)}.total.count")
    if total is not None:
        name = inputs.label(inputs.config.small_cap_total_return)
        text += f" With dividends reinvested ({name}) the year had {_times(int(total.estimate or 0), 'record close')}."
    return text


def _intraday(ledger: Ledger, base: str) -> str:
    count = _maybe(ledger, f"{base}.count")
    if count is None:
        return "; no prices from within the session were supplied"
    number = int(count.estimate or 0)
    highest = ledger.entry(f"{base}.highest")
    if number == 0:
        return f"; within the session {_times(0, 'record')} either"
    days = "on one day" if number == 1 else f"on {format_value(number, 'count')} days"
    return f"; within the session a record was set {days}, the highest at {_level(highest)} on {_long(highest)}"


def clock(ledger: Ledger, inputs: Inputs) -> str:
    """Say what changes when the windows overlap."""
    counts = {
        name: (sum(1 for entry in entries if is_significant(entry, inputs.config.level)), len(entries))
        for name in ("lead", "lead-overlap", "reverse", "reverse-overlap")
        for entries in (ledger.family(name),)
    }
    found, total = counts["lead-overlap"]
    strict = counts["lead"][0]
    back, back_total = counts["reverse-overlap"]
    text = (
        f"Under the overlapping clock {_number(found)} of {format_value(total, 'count')} leads of small caps "
        "would count as "
        f"significant, against {_number(strict)} under the strictly predictive one; for leads of crypto it is "
        f"{_number(back)} of {format_value(back_total, 'count')} against {_number(counts['reverse'][0])}."
    )
    if found > strict or back > counts["reverse"][0]:
        text += " The surplus is a candidate for a clock artefact and supports no claim."
    beside = [
        f"{_number(sum(1 for entry in entries if is_significant(entry, inputs.config.level)))} of "
        f"{format_value(len(entries), 'count')} {what}"
        for name, what in (("lead-overlap", "of small caps"), ("reverse-overlap", "of crypto"))
        for entries in (ledger.family(f"{name}-conditional"),)
    ]
    return f"{text} Beside the common drivers {word_list(beside)} would count under the overlapping clock."


def risk(ledger: Ledger, inputs: Inputs) -> str:
    """Say how strongly the first asset moves with small caps, alone and beside the drivers."""
    alone, beside = _first(ledger, inputs, "same-session"), _first(ledger, inputs, "same-session-conditional")
    if alone is None or alone.status != "ok":
        return "The same-session response could not be measured."
    level = inputs.config.level
    counts = [
        sum(1 for entry in ledger.family(name) if is_significant(entry, level))
        for name in ("same-session", "same-session-conditional")
    ]
    total = _many(len(ledger.family("same-session")), "asset")
    text = (
        f"In the same session one percent of small caps goes with {field_text(alone, 'effect')} percent of "
        f"{inputs.label(alone.effect)}; {_number(counts[0])} of {total} move with small caps after correction"
    )
    if beside is None or beside.status != "ok":
        return text + "."
    return text + (
        f". Beside the common drivers, as far as these are measured by the same close, it is "
        f"{field_text(beside, 'effect')} percent, and {_number(counts[1])} of {total} still move with small caps. "
        "These are averages over the whole sample; whether the response changed is a question of its own."
    )


def liquidity(ledger: Ledger, inputs: Inputs) -> str:
    """Say in how many assets the correlation differs between the states of liquidity."""
    parts = []
    for state in ("liquidity_growing", "tight_conditions"):
        if state not in inputs.config.states:
            continue
        entries = ledger.family(f"state-correlation.{state}")
        usable = [entry for entry in entries if entry.status == "ok"]
        if not usable:
            reason = inputs.state_missing.get(state) or (entries[0].reason if entries else "no test was run")
            parts.append(f"The state “{state_label(state)}” cannot be tested: {reason}.")
            continue
        standing = sum(1 for entry in usable if is_significant(entry, inputs.config.level))
        first = next((entry for entry in usable if entry.effect == inputs.plan.crypto[0]), usable[0])
        inside, outside = ledger.entry(f"{first.id}.inside"), ledger.entry(f"{first.id}.outside")
        spells = format_value(int(ledger.entry(f"state.{state}").statistic or 0), "count")
        parts.append(
            f"“{state_label(state)}” ({spells} spells): small caps and {inputs.label(first.effect)} correlate at "
            f"{field_text(inside, 'estimate')} while it holds and at {field_text(outside, 'estimate')} "
            "otherwise; after "
            f"correction for volatility the difference is {field_text(first, 'effect')} (p adj. "
            f"{_relation(first)}), and "
            f"{_number(standing)} of {_many(len(entries), 'asset')} show one."
        )
    return " ".join(parts) or "The study declares no state of liquidity."


def plain(ledger: Ledger, inputs: Inputs, family: str) -> str:
    """Say what the textbook test would have reported, small caps first or, for the family "reverse", crypto first."""
    usual = ledger.family("plain" if family == "lead" else "plain-reverse")
    found, robust = (
        sum(1 for entry in entries if entry.pvalue is not None and entry.pvalue < inputs.config.level)
        for entries in (usual, ledger.family(family))
    )
    return (
        f"The plain F test, without robust variance and without correction, would call {_number(found)} of "
        f"{format_value(len(usual), 'count')} leads significant; with robust inference it is "
        f"{_number(robust)} before correction."
    )


def leads_and_lags(ledger: Ledger, inputs: Inputs) -> str:
    """Say how many cumulative cross-correlation tests stand on each side."""
    small = key(inputs.plan.small_cap)
    level = inputs.config.level

    def standing(clock: str, side: str) -> str:
        names = [f"ccf.{small}.{key(asset)}.{clock}.{side}" for asset in inputs.plan.crypto]
        entries = [ledger.entry(name) for name in names]
        return _number(sum(1 for entry in entries if is_significant(entry, level)))

    total = _many(len(inputs.plan.crypto), "asset")
    return (
        f"At lags where small caps come first, {standing('after', 'lead')} of {total} show correlation "
        "under the "
        f"clock that makes this strictly predictive and {standing('before', 'lead')} under the other; where "
        "crypto comes "
        f"first it is {standing('before', 'lag')} and {standing('after', 'lag')}."
    )


def weekend(ledger: Ledger, inputs: Inputs) -> str:
    """Say whether crypto over closed days shows in the next session of small caps."""
    entries = ledger.family("weekend")
    standing = [entry for entry in entries if is_significant(entry, inputs.config.level)]
    first = _first(ledger, inputs, "weekend")
    text = (
        "What crypto did while equities were closed shows in the next session of small caps for "
        f"{_number(len(standing))} of "
        f"{_many(len(entries), 'asset')} after correction"
    )
    if first is None or first.status != "ok":
        return text + "."
    return text + (
        f"; for {inputs.label(first.cause)} the response is {field_text(first, 'effect')} percent per percent "
        "(p adj. "
        f"{_relation(first)})."
    )


def overview(ledger: Ledger) -> str:
    """Say how many results there are, and how many could not be computed."""
    absent = [entry for entry in ledger.entries if entry.status != "ok"]
    text = f"The ledger of this version holds {format_value(len(ledger.entries), 'count')} results"
    if not absent:
        return text + "; all could be computed."
    return text + f"; {format_value(len(absent), 'count')} of them could not be computed and say why."


# --- small words -----------------------------------------------------------------------------------------------------


def _first(ledger: Ledger, inputs: Inputs, family: str) -> Entry | None:
    """Return the entry of the first asset of the study."""
    asset = inputs.plan.crypto[0]
    return next((entry for entry in ledger.family(family) if asset in (entry.effect, entry.cause)), None)


def _maybe(ledger: Ledger, name: str) -> Entry | None:
    """Return an entry that holds a number, or None."""
    return next((entry for entry in ledger.entries if entry.id == name and entry.status == "ok"), None)


def _relation(entry: Entry) -> str:
    return format_value(decisive_pvalue(entry), "p_equation")


def _level(entry: Entry) -> str:
    return format_value(entry.estimate, "level")


def _long(entry: Entry) -> str:
    return format_value(entry.start, "long_date")


def _number(count: int) -> str:
    return "none" if count == 0 else format_value(count, "count")


def _count(count: int) -> str:
    return "none stands" if count == 0 else f"{format_value(count, 'count')} {'stands' if count == 1 else 'stand'}"


def _many(count: int, noun: str) -> str:
    return f"{format_value(count, 'count')} {noun}{'' if count == 1 else 's'}"


def _times(count: int, noun: str) -> str:
    if count == 0:
        return f"no {noun}"
    return f"one {noun}" if count == 1 else f"{format_value(count, 'count')} {noun}s"


def _quoted(text: str) -> str:
    return f"“{text}”"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
