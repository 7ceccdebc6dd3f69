"""The claims file: each claim in our own words, the evidence that decides it, and the rule declared before looking."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from analysis.study.files import Strict, read_toml

Verdict = Literal["supported", "contradicted", "mixed", "no evidence", "not testable", "evidence not built yet"]
Measure = Literal[
    "estimate",
    "lower",
    "upper",
    "share_applicable",
    "significant",
    "significant_positive",
    "significant_negative",
    "share_significant",
    "share_significant_positive",
    "share_significant_negative",
    "share_negligible",
]
Supports = Literal["positive", "negative", "any", "against", "nothing"]
Comparison = Literal[">=", ">", "<=", "<", "=="]


class Evidence(Strict):
    """A named selection of ledger entries: every field given must match; `id` is a shell-style pattern.

    With `paired_with`, an entry counts as significant, positive or applicable only if the entry of the same effect and
    cause in that other family is so too. `smallest_effect` replaces that of the study where the estimate has another
    unit: an interval inside plus or minus it is negligible. With `where_significant`, only assets whose entry in that
    family is significant count. The measures `estimate`, `lower` and `upper` exist where exactly one entry is usable.

    `supports` says what a significant result means for the claim: a positive (or negative) one speaks for it and the
    opposite one against it; "any" speaks for it whatever its sign, "against" against it; "nothing" is reported only.
    `no_effect` is the value from which signs and negligible effects are counted: one for a ratio.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    label: str
    family: str | None = None
    id: str | None = None
    state: str | None = None
    paired_with: str | None = None
    where_significant: str | None = None
    smallest_effect: float | None = Field(default=None, gt=0)
    supports: Supports = "positive"
    no_effect: float = 0.0

    @model_validator(mode="after")
    def _selects(self) -> Evidence:
        if self.family is None and self.id is None:
            raise ValueError(f"evidence {self.name!r} selects nothing: give family or id")
        return self


class Condition(Strict):
    """One comparison of a measure of one piece of evidence with a declared number."""

    evidence: str
    measure: Measure
    comparison: Comparison
    value: float


class Rule(Strict):
    """A verdict and the conditions that must all hold for it; the first rule that holds decides."""

    verdict: Verdict
    because: str
    when: tuple[Condition, ...] = ()


class Claim(Strict):
    """One claim under test."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    statement: str
    would_contradict: str
    would_decide: str
    evidence: tuple[Evidence, ...] = ()
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _closed(self) -> Claim:
        names = [item.name for item in self.evidence]
        if len(set(names)) != len(names):
            raise ValueError(f"claim {self.id!r} names a piece of evidence twice")
        for rule in self.rules:
            for condition in rule.when:
                if condition.evidence not in names:
                    raise ValueError(f"claim {self.id!r} has a rule on unknown evidence {condition.evidence!r}")
        if bool(self.evidence) != bool(self.rules):
            raise ValueError(f"claim {self.id!r} must have both evidence and rules, or neither")
        if self.rules and self.rules[-1].when:
            raise ValueError(
                f"the last rule of claim {self.id!r} must hold always, so that every outcome has a verdict"
            )
        return self


class Claims(Strict):
    """All claims, in the order in which a report shows them."""

    source: str
    claims: tuple[Claim, ...] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _unique(self) -> Claims:
        ids = [claim.id for claim in self.claims]
        if len(set(ids)) != len(ids):
            raise ValueError("claim ids must be unique")
        return self


def load(path: Path) -> Claims:
    """Read a claims file; raises ConfigError that names the key."""
    return read_toml(path, Claims)
