"""Declare the methods beyond the constant mean: over time, by frequency, by quantile, in variance and beyond."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.study.calls import Adjustment, Call, Family, key
from analysis.study.config import Clock

# Bands of angular frequency: longer than a month of 21 sessions, a week to a month, shorter than a week.
BANDS = {"long": (0.02, 0.30), "medium": (0.30, 1.25), "short": (1.25, 3.14)}


def chapter(small_cap: str, crypto: tuple[str, ...], controls: tuple[str, ...]) -> list[Family]:
    """Return the families beyond the constant mean: both directions, each under its strictly predictive clock."""
    return [
        _chapter_family(method, direction, conditional, detail, (small_cap, crypto, controls))
        for direction in ("lead", "reverse")
        for method in _METHODS
        for conditional in method.twins
        for detail in method.details
    ]


@dataclass(frozen=True, slots=True)
class _Method:
    """A method of the chapter: its twins, the details it runs through, and how it is corrected."""

    kind: str
    title: str
    twins: tuple[bool, ...]
    details: tuple[str, ...]
    adjustment: Adjustment


# Causality in variance has its conditional twin where risk is the question: beside the drivers' own volatility.
_METHODS = (
    _Method("strength", "Strength of the lead", (False, True), ("",), "none"),
    _Method("varying", "Lead in windows of time", (False, True), ("",), "none"),
    _Method("frequency", "Lead by frequency", (False, True), tuple(BANDS), "bh"),
    _Method("quantile", "Lead in quantiles", (False, True), ("",), "bh"),
    _Method("variance", "Causality in variance", (False,), ("lm", "ccf"), "bh"),
    _Method("nonlinear", "Nonlinear causality", (False, True), ("",), "bh"),
    _Method("instability", "Lead at some date", (False, True), ("",), "bh"),
)


def _chapter_family(
    method: _Method,
    direction: str,
    conditional: bool,
    detail: str,
    series: tuple[str, tuple[str, ...], tuple[str, ...]],
) -> Family:
    small_cap, crypto, controls = series
    clock: Clock = "after" if direction == "lead" else "before"
    tail = [part for part in (detail, "conditional" if conditional else "") if part]
    calls = []
    for asset in crypto:
        cause, effect = (small_cap, asset) if direction == "lead" else (asset, small_cap)
        twin = "conditional" if conditional else "bivariate"
        name = ".".join([method.kind, key(cause), key(effect), clock, *([detail] if detail else []), twin])
        given = controls if conditional else ()
        calls.append(
            Call(name, method.kind, effect, cause, clock, given, strict=True, conditional=conditional, detail=detail)
        )
    title = ", ".join([method.title, *tail]) + f" ({direction})"
    return Family("-".join([method.kind, direction, *tail]), title, (), method.adjustment, tuple(calls))
