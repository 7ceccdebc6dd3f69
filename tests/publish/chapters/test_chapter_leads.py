"""The sentence on leads beyond the mean: found alone, found beside the drivers too, or not testable there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from analysis.publish.chapters import leads
from analysis.study.entry import Entry
from analysis.study.ledger import Ledger

INPUTS: Any = SimpleNamespace(config=SimpleNamespace(level=0.05))


def _ledger(beside: dict[str, float | None]) -> Ledger:
    """Return a ledger in which two assets have a nonlinear lead alone; None marks a twin that could not be run."""
    rows = []
    for direction in leads.DIRECTIONS:
        for _, pattern, twin in leads.QUESTIONS[1:]:
            for tail in ("", "-conditional") if twin else ("",):
                family = pattern.format(direction=direction) + tail
                chosen = family.startswith("nonlinear-lead")
                for asset in ("BTC", "ETH", "SOL"):
                    p = (beside[asset] if tail else 0.5 if asset == "SOL" else 0.01) if chosen else 0.9
                    shared = {"id": f"{family}.{asset.lower()}", "family": family, "effect": asset, "cause": "RUT"}
                    rows.append(
                        Entry(**shared, status="inapplicable", reason="no drivers")
                        if p is None
                        else Entry(**shared, pvalue=p, pvalue_adjusted=p, adjustment="x", nobs=100)
                    )
    return Ledger(tuple(rows))


def test_what_stands_beside_the_drivers_is_counted_among_what_stands_alone() -> None:
    words = leads.sentence(_ledger({"BTC": 0.01, "ETH": 0.5, "SOL": 0.01}), INPUTS)
    assert "small caps come first by: nonlinear (2 of 3 assets, 1 of them beside the common drivers too)" in words
    assert "crypto comes first by none of these tests" in words
    assert "A single session" not in words


def test_a_twin_that_could_not_be_run_is_not_one_that_found_nothing() -> None:
    words = leads.sentence(_ledger({"BTC": None, "ETH": None, "SOL": None}), INPUTS)
    assert "0 of them beside the common drivers too and 2 not testable there" in words
