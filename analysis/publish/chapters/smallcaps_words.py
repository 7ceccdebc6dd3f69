"""What the tables and figures on small caps read, and the sentences their numbers allow."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.figures.style import word_list
from analysis.publish.values import field_text, format_value
from analysis.study.areas.smallcaps_profitability import ALL_SIZES, SORTED
from analysis.study.calls import Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Say what the comparisons show, in the words their numbers allow."""
    return {
        "answer": _answer(ledger, inputs, "study"),
        "history": _answer(ledger, inputs, "history"),
        "beside": "With the other shocks held fixed, " + _directions(beta_entries(ledger, inputs, "together"), inputs),
        "scaled": "By unit of their own volatility, " + _directions(beta_entries(ledger, inputs, "scaled"), inputs),
        "profitability": _profitability(ledger, inputs),
        "settings": _settings(inputs),
    }


def declared(inputs: Inputs, name: str) -> Family:
    """Return a declared family."""
    return next(family for family in inputs.plan.families if family.name == name)


def beta_entries(ledger: Ledger, inputs: Inputs, respect: str, sample: str = "study") -> list[Entry]:
    """Return the entries of one respect, in the order of the shocks."""
    name = f"sensitivity-{sample}" if respect == "beta" else f"sensitivity-{respect}-{sample}"
    calls = declared(inputs, name).calls
    return [ledger.entry(call.id) for call in calls if call.detail.startswith(f"{respect}/")]


def pair(inputs: Inputs, respect: str, sample: str) -> tuple[str, str]:
    """Return the labels of the two series a comparison is about."""
    call = next(
        call for call in declared(inputs, f"sensitivity-{sample}").calls if call.detail.startswith(f"{respect}/")
    )
    other = call.detail.partition("/")[2]
    return inputs.label(call.effect), inputs.label(other)


def by_asset(ledger: Ledger, family: str) -> dict[str, Entry]:
    """Return the entries of a family by asset."""
    return {entry.effect: entry for entry in ledger.family(family)}


def _answer(ledger: Ledger, inputs: Inputs, sample: str) -> str:
    """Say ratio of volatility, ratio of illiquidity and the shocks to which small caps respond more."""
    volatility, illiquidity = (ledger.entry(f"sensitivity.{sample}.{name}") for name in ("volatility", "illiquidity"))
    small, large = pair(inputs, "volatility", sample)
    fund, other = pair(inputs, "illiquidity", sample)
    where = "In this sample" if sample == "study" else "Over all the history there is"
    parts = [
        f"{where}{_since(volatility)} "
        + _ratio(volatility, inputs, f"the {small} is {{}} times as volatile as the {large} in a typical month"),
        _upper(
            _ratio(
                illiquidity, inputs, f"a dollar traded moves the price of {fund} {{}} times as far as that of {other}"
            )
        ),
        f"In response to shocks, {_directions(beta_entries(ledger, inputs, 'beta', sample), inputs)}",
    ]
    return " ".join(parts)


def _since(entry: Entry) -> str:
    return f", {entry.start} to {entry.end}," if entry.start else ""


def _ratio(entry: Entry, inputs: Inputs, words: str) -> str:
    """Return a clause on one ratio, with doubt where the test does not stand after correction."""
    if entry.status != "ok":
        return f"{entry.method or 'a comparison'} could not be run ({entry.reason})."
    doubt = "" if is_significant(entry, inputs.config.level) else ", which cannot be told from equal"
    return f"{words.format(field_text(entry, 'effect'))}{doubt}."


def _directions(entries: Sequence[Entry], inputs: Inputs) -> str:
    """Say for which shocks small caps go further, less far, or no difference is found."""
    level = inputs.config.level
    standing = [entry for entry in entries if is_significant(entry, level)]
    groups = (
        ("further than large caps", [item for item in standing if item.lower is not None and item.lower > 0]),
        ("less far than large caps", [item for item in standing if item.upper is not None and item.upper < 0]),
    )
    said = {item.id for _, found in groups for item in found}
    clauses = [
        f"small caps go {words} for " + word_list([_sized(item, inputs) for item in found])
        for words, found in groups
        if found
    ]
    rest = [item for item in entries if item.status == "ok" and item.id not in said]
    if rest:
        clauses.append(f"no difference is found for {word_list([_shock(item, inputs) for item in rest])}")
    absent = [item for item in entries if item.status != "ok"]
    if absent:
        clauses.append(f"{word_list([_shock(item, inputs) for item in absent])} could not be compared")
    return "; ".join(clauses) + "."


def _shock(entry: Entry, inputs: Inputs) -> str:
    label = inputs.label(entry.cause)
    # A word starts small inside a sentence, an abbreviation does not.
    return f"the {label[:1].lower() + label[1:] if label[1:2].islower() else label}"


def _sized(entry: Entry, inputs: Inputs) -> str:
    return f"{_shock(entry, inputs)} ({field_text(entry, 'effect')})"


def _profitability(ledger: Ledger, inputs: Inputs) -> str:
    past, same = (list(by_asset(ledger, f"profitability-{when}").values()) for when in ("lead", "same"))
    if all(entry.status != "ok" for entry in (*past, *same)):
        names = word_list([inputs.label(name).lower() for name in SORTED])
        text = f"Whether crypto follows {names} cannot be tested here: {past[0].reason}."
        subject, tail = "shares of all sizes", "-all-sizes"
    else:
        text, subject, tail = "", "small caps", ""
    after = list(by_asset(ledger, f"profitability-lead{tail}").values())
    within = list(by_asset(ledger, f"profitability-same{tail}").values())
    if all(entry.status != "ok" for entry in (*after, *within)):
        label = inputs.label(ALL_SIZES[0]).lower()
        return f"{text} The {label} of all sizes is missing too.".strip()
    what = (
        f"Among {subject}, past returns of the profitable and of the unprofitable say "
        f"{_count(after, inputs, 'something different', 'nothing that differs')} of what follows in crypto after "
        f"correction; in the same session crypto goes {_with(within, inputs)}."
    )
    return f"{text} {what}".strip()


def _count(entries: Sequence[Entry], inputs: Inputs, some: str, none: str) -> str:
    count = sum(is_significant(entry, inputs.config.level) for entry in entries)
    if not count:
        return none
    return f"{some} for {format_value(count, 'count')} of {format_value(len(entries), 'count')} assets"


def _with(entries: Sequence[Entry], inputs: Inputs) -> str:
    """Say with which kind crypto goes in the session, and how far at most."""
    standing = [entry for entry in entries if is_significant(entry, inputs.config.level)]
    total = format_value(len(entries), "count")
    parts = []
    for words, found in (
        ("the unprofitable", [item for item in standing if (item.estimate or 0.0) > 0]),
        ("the profitable", [item for item in standing if (item.estimate or 0.0) < 0]),
    ):
        if found:
            most = max(found, key=lambda item: abs(item.estimate or 0.0))
            parts.append(
                f"more with {words} for {format_value(len(found), 'count')} of {total} assets after correction, most "
                f"of all {inputs.label(most.effect)} ({field_text(most, 'effect')} percent per percent)"
            )
    return "; ".join(parts) or f"with neither kind more, for any of {total} assets after correction"


def _settings(inputs: Inputs) -> str:
    """Return the settings of this area in words."""
    settings = inputs.config.smallcaps
    lags = format_value(settings.innovation_lags, "count")
    return (
        f"A month is {format_value(settings.period, 'count')} sessions; a shock is what {lags} lags of a change do not "
        f"account for; predictive loadings use {format_value(settings.loading_lags, 'count')} lags."
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
