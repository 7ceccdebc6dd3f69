"""Read the declared decision rules against the ledger: one small engine, the same for every claim."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from analysis.study.claims import Claim, Claims, Condition, Evidence
from analysis.study.ledger import Entry, Ledger

# Below this share of computable tests, "few" and "none" say nothing.
ENOUGH = 0.9
_NUMBERS = ("estimate", "lower", "upper")

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
    speaks_for: int
    speaks_against: int
    estimate: float | None
    lower: float | None
    upper: float | None
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


def judge(
    claims: Claims, ledger: Ledger, *, level: float, smallest_effect: float, record_year: int = 2024
) -> tuple[Judgement, ...]:
    """Apply every claim's rules to the ledger.

    Parameters
    ----------
    level : float
        An entry is significant when its adjusted p-value (its raw one in a family without correction) is at most it.
    smallest_effect : float
        An interval inside plus or minus this value is negligible.
    record_year : int
        Replaces ``{record_year}`` in the words of the claims.

    Notes
    -----
    A claim without evidence says so. A claim of whose deciding evidence nothing could be computed is not testable, and
    the reason names what is missing.
    """
    judged = (_judge_one(claim, ledger, level, smallest_effect) for claim in claims.claims)
    return tuple(_in_year(item, record_year) for item in judged)


def _in_year(item: Judgement, year: int) -> Judgement:
    """Write the year the study asks about into the words of a claim."""
    words = {
        name: getattr(item, name).replace("{record_year}", str(year))
        for name in ("title", "statement", "because", "would_contradict", "would_decide")
    }
    return replace(item, **words)


def _judge_one(claim: Claim, ledger: Ledger, level: float, smallest_effect: float) -> Judgement:
    readings = tuple(_read(item, ledger, level, smallest_effect) for item in claim.evidence)
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
    """Say whether a condition holds; absent tests never help: they count against "many" and void "few" or "none"."""
    if condition.measure == "share_applicable":
        value: float | None = reading.applicable / reading.tests if reading.tests else 0.0
        return value is not None and _COMPARE[condition.comparison](value, condition.value)
    if condition.measure not in _NUMBERS and condition.comparison in ("<=", "<", "=="):
        if not reading.tests or reading.applicable / reading.tests < ENOUGH:
            return False
        value = _measure(condition.measure, reading, reading.applicable)
    else:
        value = _measure(condition.measure, reading, reading.tests)
    return value is not None and _COMPARE[condition.comparison](value, condition.value)


def _measure(name: str, reading: Reading, denominator: int) -> float | None:
    """Return one measure; none exists where nothing could be computed."""
    if reading.applicable == 0:
        return None
    if name in _NUMBERS:
        return {"estimate": reading.estimate, "lower": reading.lower, "upper": reading.upper}[name]
    counts = {
        "significant": reading.significant,
        "significant_positive": reading.significant_positive,
        "significant_negative": reading.significant_negative,
        "negligible": reading.negligible,
    }
    share = name.removeprefix("share_")
    return counts[share] / denominator if share != name else float(counts[name])


def _read(evidence: Evidence, ledger: Ledger, level: float, smallest_effect: float) -> Reading:
    chosen = [entry for entry in ledger.entries if _selected(evidence, entry)]
    if evidence.where_significant is not None:
        there = [item for item in ledger.entries if item.family == evidence.where_significant]
        found = {item.effect for item in there if is_significant(item, level)}
        chosen = [entry for entry in chosen if entry.effect in found]
    partners = (
        {(item.effect, item.cause): item for item in ledger.entries if item.family == evidence.paired_with}
        if evidence.paired_with is not None
        else None
    )

    def all_of(entry: Entry, holds: Callable[[Entry], bool]) -> bool:
        if partners is None:
            return holds(entry)
        partner = partners.get((entry.effect, entry.cause))
        return holds(entry) and partner is not None and holds(partner)

    def count(holds: Callable[[Entry], bool]) -> int:
        return sum(1 for entry in chosen if all_of(entry, holds))

    usable = [entry for entry in chosen if all_of(entry, lambda item: item.status == "ok")]
    ranked = sorted(usable, key=_strength)
    return Reading(
        name=evidence.name,
        label=evidence.label,
        tests=len(chosen),
        applicable=len(usable),
        significant=count(lambda item: is_significant(item, level)),
        significant_positive=count(lambda item: is_significant(item, level) and _sign(item, evidence.no_effect) > 0),
        significant_negative=count(lambda item: is_significant(item, level) and _sign(item, evidence.no_effect) < 0),
        negligible=count(
            lambda item: _is_negligible(item, evidence.smallest_effect or smallest_effect, evidence.no_effect)
        ),
        speaks_for=count(lambda item: _speaks(item, evidence, level) > 0),
        speaks_against=count(lambda item: _speaks(item, evidence, level) < 0),
        estimate=usable[0].estimate if len(usable) == 1 else None,
        lower=usable[0].lower if len(usable) == 1 else None,
        upper=usable[0].upper if len(usable) == 1 else None,
        ids=tuple(entry.id for entry in chosen),
        strongest=ranked[0].id if ranked else "",
    )


def _speaks(entry: Entry, evidence: Evidence, level: float) -> int:
    """Return 1 where a result speaks for the claim, -1 where against it, 0 where for neither."""
    if not is_significant(entry, level):
        return 0
    whatever = {"any": 1, "against": -1, "nothing": 0}
    if evidence.supports in whatever:
        return whatever[evidence.supports]
    sign = _sign(entry, evidence.no_effect)
    return sign if evidence.supports == "positive" else -sign


def _sign(entry: Entry, no_effect: float) -> int:
    """Return the sign the interval allows; 0 when it holds both: a joint test can reject with a sum near zero."""
    if entry.lower is not None and entry.lower > no_effect:
        return 1
    return -1 if entry.upper is not None and entry.upper < no_effect else 0


def _is_negligible(entry: Entry, smallest_effect: float, no_effect: float) -> bool:
    if entry.status != "ok" or entry.lower is None or entry.upper is None:
        return False
    return -smallest_effect < entry.lower - no_effect and entry.upper - no_effect < smallest_effect


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
    """Say whether an entry has a p-value a rule may use, and whether it is at most the level."""
    p = decisive_pvalue(entry)
    return entry.status == "ok" and p is not None and p <= level


def _strength(entry: Entry) -> tuple[float, float, str]:
    p = decisive_pvalue(entry)
    raw = entry.pvalue
    return (2.0 if p is None else p, 2.0 if raw is None else raw, entry.id)


def _absence(reading: Reading, ledger: Ledger) -> str:
    if reading.tests == 0:
        return f"no test of {reading.label.lower()!r} was run"
    reasons = sorted({ledger.entry(name).reason or "no reason recorded" for name in reading.ids})
    return "; ".join(reasons)
