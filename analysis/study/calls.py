"""The vocabulary of a plan: calls, the families they are corrected in, and the whole plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.study.config import Clock

Adjustment = Literal["romano-wolf", "bh", "none"]


@dataclass(frozen=True, slots=True)
class Call:
    """One test to run: what leads what, under which clock, conditioned on what, in which state.

    Attributes
    ----------
    kind : str
        Names the method; the runner of that kind answers the call.
    conditional : bool
        The test is a conditional twin; without any control in the data it does not apply.
    side : str
        For a cross-correlation: "lead" (small caps first) or "lag" (crypto first).
    detail : str
        What else a method needs to know: the frequency band, or which test of its kind.
    """

    id: str
    kind: str
    effect: str
    cause: str = ""
    clock: Clock = "after"
    given: tuple[str, ...] = ()
    state: str = ""
    strict: bool | None = None
    covariance: str = ""
    conditional: bool = False
    side: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Tests that answer one question together and are corrected together."""

    name: str
    title: str
    claims: tuple[str, ...]
    adjustment: Adjustment
    calls: tuple[Call, ...]
    headline: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Every family of a study, with the series it has to go without."""

    families: tuple[Family, ...]
    small_cap: str
    crypto: tuple[str, ...]
    controls: tuple[str, ...]
    substitutions: tuple[tuple[str, str], ...]
    missing: tuple[tuple[str, str], ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls of all families, in order."""
        return tuple(call for family in self.families for call in family.calls)


def key(series_id: str) -> str:
    """Return the form a series id takes inside a result id."""
    return series_id.lower()
