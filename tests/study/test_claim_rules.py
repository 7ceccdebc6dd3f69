"""The declared rules of the claims on events, tails, stability and volatility: corners a real ledger seldom shows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from analysis.study import claims, verdicts
from analysis.study.ledger import Entry, Ledger

UP, DOWN, NONE = (0.01, 6.0, 9.0), (0.01, -9.0, -6.0), (0.9, -20.0, 20.0)
BOTH_SIDES = (0.01, -1.0, 9.0)
Result = tuple[float, float, float] | None


def rows(family: str, found: list[Result], name: str | None = None, asset: str = "") -> list[Entry]:
    """Return one entry a result, p with the ends of its interval; None could not be run."""
    made = []
    for i, item in enumerate(found):
        shared = {
            "id": f"{name or family}.x{i}", "family": family, "method": "stand-in", "effect": asset or f"A{i}",
            "cause": "RUT",
        }  # fmt: skip
        if item is None:
            made.append(Entry(status="inapplicable", reason="no data", **shared))  # type: ignore[arg-type]
            continue
        p, low, high = item
        made.append(
            Entry(
                statistic=1.0, pvalue=p, pvalue_adjusted=p, adjustment="test", estimate=(low + high) / 2,
                estimate_name="effect", lower=low, upper=high, level=0.95, **shared,  # type: ignore[arg-type]
            )
        )  # fmt: skip
    return made


def judged(repository: Path, claim: str, entries: list[Entry]) -> tuple[str, str]:
    declared = claims.load(repository / "data" / "claims.toml")
    one = declared.model_copy(update={"claims": tuple(item for item in declared.claims if item.id == claim)})
    found = verdicts.judge(one, Ledger(tuple(entries)), level=0.05, smallest_effect=0.1)[0]
    return found.verdict, found.because


@pytest.mark.parametrize(
    ("found", "verdict", "words"),
    [
        ([UP, NONE, NONE, NONE], "supported", "gains more"),
        ([UP, DOWN, NONE, NONE], "mixed", "less at others"),
        ([DOWN, NONE, NONE, NONE], "contradicted", "gains less"),
        ([NONE, NONE, NONE, NONE], "no evidence", "at no horizon"),
        ([None, None, None, None], "not testable", "no data"),
    ],
)
def test_a_loss_after_records_is_not_no_evidence(
    repository: Path, found: list[Result], verdict: str, words: str
) -> None:
    said = judged(repository, "highs-precede", rows("events-bitcoin", found))
    assert (said[0], words in said[1]) == (verdict, True)


@pytest.mark.parametrize(
    ("basket", "single", "verdict", "words"),
    [
        (UP, NONE, "supported", "basket gains more"),
        (NONE, UP, "mixed", "single altcoins"),
        (DOWN, NONE, "contradicted", "basket gains less"),
        (NONE, DOWN, "no evidence", "is found to gain more"),
    ],
)
def test_a_loss_of_the_basket_is_not_no_evidence(
    repository: Path, basket: Result, single: Result, verdict: str, words: str
) -> None:
    entries = rows("events-altcoins", [basket, NONE], name="event.rut.basket", asset="BASKET")
    said = judged(repository, "highs-precede-alts", entries + rows("events-altcoins", [single, NONE], name="event.rut"))
    assert (said[0], words in said[1]) == (verdict, True)


@pytest.mark.parametrize(
    ("within", "state", "verdict", "words"),
    [
        ([UP, UP, NONE, NONE], [UP, UP, NONE, NONE], "supported", "at least half"),
        ([UP, NONE, NONE, NONE], [UP, NONE, NONE, NONE], "mixed", "fewer than half"),
        ([NONE, UP, NONE, NONE], [UP, NONE, NONE, NONE], "mixed", "not found to be more than rises"),
        ([DOWN, DOWN, NONE, NONE], [NONE] * 4, "contradicted", "less than rises"),
        ([NONE] * 4, [DOWN, DOWN, NONE, NONE], "contradicted", "less while conditions"),
        ([NONE] * 4, [NONE] * 4, "no evidence", "not found"),
    ],
)
def test_falls_shared_less_than_rises_contradict(
    repository: Path, within: list[Result], state: list[Result], verdict: str, words: str
) -> None:
    entries = rows("downside-within.tight_conditions", within) + rows("downside-state.tight_conditions", state)
    said = judged(repository, "downside-amplified", entries)
    assert (said[0], words in said[1]) == (verdict, True)


@pytest.mark.parametrize(("special", "verdict"), [(None, "mixed"), (NONE, "no evidence"), (UP, "supported")])
def test_a_lead_that_changes_is_not_compared_with_dates_that_were_not_run(
    repository: Path, special: Result, verdict: str
) -> None:
    entries = rows("event-link-response", [NONE]) + rows("event-link-lead", [UP])
    placebo = [
        dataclasses.replace(item, id=f"event-placebo.{link}")
        for link, result in (("response", NONE), ("lead", special))
        for item in rows("event-placebo", [result])
    ]
    said = judged(repository, "external-events", entries + placebo)
    assert said[0] == verdict
    assert ("could not be compared" in said[1]) == (special is None)


@pytest.mark.parametrize(
    ("out", "back", "lead", "reverse", "verdict", "words"),
    [
        (UP, NONE, NONE, NONE, "supported", "no return lead"),
        (UP, NONE, NONE, UP, "mixed", "short of support"),
        (NONE, UP, NONE, NONE, "supported", "no return lead"),
        (NONE, UP, UP, NONE, "mixed", "short of support"),
        (UP, NONE, UP, NONE, "mixed", "does not pass alone"),
        (BOTH_SIDES, NONE, UP, NONE, "mixed", "does not pass alone"),
        (NONE, BOTH_SIDES, NONE, UP, "mixed", "does not pass alone"),
        (BOTH_SIDES, NONE, NONE, NONE, "mixed", "short of support"),
        (NONE, NONE, NONE, NONE, "no evidence", "no causality"),
    ],
)
def test_risk_without_return_needs_no_lead_either_way(
    repository: Path, out: Result, back: Result, lead: Result, reverse: Result, verdict: str, words: str
) -> None:
    entries = rows("lead", [lead]) + rows("reverse", [reverse])
    for way, item in (("lead", out), ("reverse", back)):
        entries += rows(f"spillover-variance-{way}", [item]) + rows(f"spillover-variance-{way}-conditional", [item])
    said = judged(repository, "volatility-spillover", entries)
    assert (said[0], words in said[1]) == (verdict, True)
