"""Read the declared decision rules against the ledger: one small engine, the same for every claim."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from analysis.study.claims import Claim, Claims, Condition, Evidence
from analysis.study.ledger import Entry, Ledger

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one piece of evidence says: counts over all of its tests, absent ones included."""

    name: str
    label: str
    tests: int
    applicable: int
    significant: int
    significant_positive: int
    significant_negative: int
    negligible: int
    estimate: float | None
    ids: tuple[str, ...]
    strongest: str

    @property
    def sentence(self) -> str:
        """Say the count in words."""
        absent = self.tests - self.applicable
        tail = f" ({absent} could not be run)" if absent else ""
        return f"{self.significant} of {self.tests} significant after correction{tail}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one claim, with the evidence for and against it."""

    claim: str
    title: str
    statement: str
    verdict: str
    because: str
    would_contradict: str
    would_decide: str
    readings: tuple[Reading, ...]
    strongest: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def judge(claims: Claims, ledger: Ledger, *, level: float, smallest_effect: float) -> tuple[Judgement, ...]:
    """Apply every claim's rules to the ledger.

    Parameters
    ----------
    level : float
        An entry is significant when its adjusted p-value (its raw one in a family without correction) is below it.
    smallest_effect : float
        An interval inside plus or minus this value is negligible.

    Notes
    -----
    A claim without evidence says so. A claim of whose deciding evidence nothing could be computed is not testable, and
    the reason names what is missing.
    """
    return tuple(_judge_one(claim, ledger, level, smallest_effect) for claim in claims.claims)


def _judge_one(claim: Claim, ledger: Ledger, level: float, smallest_effect: float) -> Judgement:
    readings = tuple(_read(item, ledger.entries, level, smallest_effect) for item in claim.evidence)
    if not claim.evidence:
        verdict, because = "evidence not built yet", f"would be decided by: {claim.would_decide}"
    elif readings[0].applicable == 0:
        verdict, because = "not testable", _absence(readings[0], ledger)
    else:
        verdict, because = _first_rule(claim, {reading.name: reading for reading in readings})
    return Judgement(
        claim.id,
        claim.title,
        claim.statement,
        verdict,
        because,
        claim.would_contradict,
        claim.would_decide,
        readings,
        readings[0].strongest if readings else "",
    )


def _first_rule(claim: Claim, readings: dict[str, Reading]) -> tuple[str, str]:
    """Return verdict and reason of the first rule whose conditions all hold; the last rule has none."""
    for rule in claim.rules:
        if all(_holds(condition, readings[condition.evidence]) for condition in rule.when):
            return rule.verdict, rule.because
    raise AssertionError("a claim without a closing rule passed validation")


def _holds(condition: Condition, reading: Reading) -> bool:
    value = _measure(condition.measure, reading)
    return value is not None and _COMPARE[condition.comparison](value, condition.value)


def _measure(name: str, reading: Reading) -> float | None:
    """Return one measure; shares divide by all tests of the family, and none exists where nothing could be computed."""
    if reading.applicable == 0:
        return None
    if name == "estimate":
        return reading.estimate
    counts = {
        "significant": reading.significant,
        "share_significant": reading.significant / reading.tests,
        "share_significant_positive": reading.significant_positive / reading.tests,
        "share_significant_negative": reading.significant_negative / reading.tests,
        "share_negligible": reading.negligible / reading.tests,
    }
    return float(counts[name])


def _read(evidence: Evidence, entries: Iterable[Entry], level: float, smallest_effect: float) -> Reading:
    chosen = [entry for entry in entries if _selected(evidence, entry)]
    usable = [entry for entry in chosen if entry.status == "ok"]
    significant = [entry for entry in usable if is_significant(entry, level)]
    negligible = [
        entry
        for entry in usable
        if entry.lower is not None
        and entry.upper is not None
        and -smallest_effect < entry.lower
        and entry.upper < smallest_effect
    ]
    ranked = sorted(usable, key=_strength)
    return Reading(
        evidence.name,
        evidence.label,
        len(chosen),
        len(usable),
        len(significant),
        sum(1 for entry in significant if entry.estimate is not None and entry.estimate > 0),
        sum(1 for entry in significant if entry.estimate is not None and entry.estimate < 0),
        len(negligible),
        usable[0].estimate if len(usable) == 1 else None,
        tuple(entry.id for entry in chosen),
        ranked[0].id if ranked else "",
    )


def _selected(evidence: Evidence, entry: Entry) -> bool:
    return (
        (evidence.family is None or entry.family == evidence.family)
        and (evidence.id is None or fnmatchcase(entry.id, evidence.id))
        and (evidence.state is None or entry.state == evidence.state)
    )


def decisive_pvalue(entry: Entry) -> float | None:
    """Return the p-value a rule may use: adjusted where the family is corrected."""
    return entry.pvalue if entry.pvalue_adjusted is None else entry.pvalue_adjusted


def is_significant(entry: Entry, level: float) -> bool:
    """Say whether an entry has a p-value a rule may use, and whether it is below the level."""
    p = decisive_pvalue(entry)
    return entry.status == "ok" and p is not None and p < level


def _strength(entry: Entry) -> tuple[float, float, str]:
    p = decisive_pvalue(entry)
    raw = entry.pvalue
    return (2.0 if p is None else p, 2.0 if raw is None else raw, entry.id)


def _absence(reading: Reading, ledger: Ledger) -> str:
    if reading.tests == 0:
        return f"no test of {reading.label.lower()!r} was run"
    reasons = sorted({ledger.entry(name).reason or "no reason recorded" for name in reading.ids})
    return "; ".join(reasons)
