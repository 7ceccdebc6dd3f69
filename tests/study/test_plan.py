"""The plan: what is declared, for which direction, clock and twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.study import config
from analysis.study.calls import Plan
from analysis.study.plan import declare
from analysis.study.seeds import generator


@pytest.fixture
def plan(repository: Path) -> Plan:
    study = config.load(repository / "data" / "studies" / "default.toml")
    return declare(study, small_cap="RUT", crypto=("BTC", "ETH"), controls=("SPX", "VIX"))


def test_ids_are_unique_and_families_disjoint(plan: Plan) -> None:
    ids = [call.id for call in plan.calls]
    assert len(set(ids)) == len(ids)
    names = [family.name for family in plan.families]
    assert len(set(names)) == len(names)


def test_every_lead_statement_has_both_clocks_and_both_twins(plan: Plan) -> None:
    tests = {
        (call.cause, call.effect, call.clock, bool(call.given))
        for call in plan.calls
        if call.kind == "granger" and not call.covariance
    }
    for asset in ("BTC", "ETH"):
        for pair in (("RUT", asset), (asset, "RUT")):
            for clock in ("after", "before"):
                for conditional in (False, True):
                    assert (*pair, clock, conditional) in tests


def test_strict_means_after_for_leads_and_before_for_the_reverse(plan: Plan) -> None:
    for call in plan.calls:
        if call.kind == "granger":
            assert call.strict is (call.clock == ("after" if call.cause == "RUT" else "before"))


def test_one_headline_family_corrected_by_the_joint_bootstrap(plan: Plan) -> None:
    headline = [family for family in plan.families if family.headline]
    assert [family.name for family in headline] == ["lead"]
    assert headline[0].adjustment == "romano-wolf"
    assert all(call.strict and not call.given for call in headline[0].calls)


def test_adding_an_asset_does_not_shift_the_draws_of_a_family() -> None:
    first = generator(7, "family.lead").standard_normal(5)
    generator(7, "family.other").standard_normal(100)
    np.testing.assert_array_equal(first, generator(7, "family.lead").standard_normal(5))
    assert not np.array_equal(first, generator(7, "family.reverse").standard_normal(5))
    assert not np.array_equal(first, generator(8, "family.lead").standard_normal(5))


def test_overlapping_correlations_lend_no_strength_to_strict_ones(plan: Plan) -> None:
    families = {family.name: family for family in plan.families}
    assert all(call.strict for call in families["correlation"].calls)
    assert all(call.strict is False for call in families["correlation-overlap"].calls)
    strict = {(call.clock, call.side) for call in families["correlation"].calls}
    assert strict == {("after", "lead"), ("before", "lag")}


def test_a_conditional_twin_without_drivers_stays_in_the_plan(repository: Path) -> None:
    study = config.load(repository / "data" / "studies" / "default.toml")
    bare = declare(study, small_cap="RUT", crypto=("BTC",), controls=())
    twins = [call for call in bare.calls if call.conditional]
    assert twins
    assert all(call.given == () for call in twins)
