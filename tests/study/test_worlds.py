"""Three simulated worlds with known truth, through catalogue, snapshot, panel, tests, corrections and verdicts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.sources.simulated import MarketSpec
from analysis.study import claims, config, prepare, run, verdicts
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.plan import declare
from analysis.study.run_chapter import BEYOND
from analysis.study.verdicts import Judgement, is_significant

DRAWS = 399
World = tuple[Inputs, Ledger, dict[str, Judgement]]


def _world(spec: MarketSpec, repository: Path, folder: Path) -> World:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = config.load(repository / "data" / "studies" / "default.toml").model_copy(update={"chapter": False})
    collected = collect.from_simulator(catalog, spec)
    frozen = snapshot.freeze(collected.series, catalog, root=folder, kind="simulated", missing=collected.missing)
    inputs = prepare.prepare(study, frozen, catalog)
    ledger = run.execute(inputs, draws=DRAWS)
    declared = claims.load(repository / "data" / "claims.toml")
    judged = verdicts.judge(declared, ledger, level=study.level, smallest_effect=study.smallest_effect)
    return inputs, ledger, {item.claim: item for item in judged}


@pytest.fixture(scope="module")
def planted(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return _world(MarketSpec.planted_lead(), repository, tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def driven(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return _world(MarketSpec.common_driver(), repository, tmp_path_factory.mktemp("driven"))


@pytest.fixture(scope="module")
def empty(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return _world(MarketSpec.nothing(), repository, tmp_path_factory.mktemp("nothing"))


def _significant(world: World, family: str) -> set[str]:
    inputs, ledger, _ = world
    return {entry.effect for entry in ledger.family(family) if is_significant(entry, inputs.config.level)}


def test_planted_lead_is_found_in_the_right_asset_and_state(planted: World) -> None:
    _, ledger, judged = planted
    asset = MarketSpec.planted_lead().lead_asset
    assert _significant(planted, "lead") == {asset}
    assert _significant(planted, "lead-conditional") == {asset}
    assert _significant(planted, "state-granger.liquidity_growing") == {asset}
    inside = ledger.entry(f"state-granger.liquidity_growing.rut.{asset.lower()}.inside")
    outside = ledger.entry(f"state-granger.liquidity_growing.rut.{asset.lower()}.outside")
    assert inside.lower is not None
    assert inside.lower > 0
    assert outside.lower is not None
    assert outside.upper is not None
    assert outside.lower < 0 < outside.upper
    assert judged["lead"].verdict == "mixed"
    assert "some assets" in judged["lead"].because


def test_common_driver_is_seen_alone_and_gone_beside_the_drivers(driven: World) -> None:
    _, ledger, judged = driven
    assert len(_significant(driven, "lead")) >= len(ledger.family("lead")) / 2
    assert _significant(driven, "lead-conditional") == set()
    assert judged["lead"].verdict == "mixed"
    assert "a common driver explains it" in judged["lead"].because


def test_nothing_gives_no_lead(empty: World) -> None:
    _, _, judged = empty
    assert _significant(empty, "lead") == set()
    assert judged["lead"].verdict == "no evidence"


def test_the_clock_artefact_of_a_common_shock_is_marked(planted: World) -> None:
    inputs, ledger, _ = planted
    asset = MarketSpec.planted_lead().lead_asset
    others = _significant(planted, "lead-overlap") - {asset}
    assert len(others) >= len(inputs.plan.crypto) / 2, "an overlapping clock must show leads that do not exist"
    assert all(entry.strict is False for entry in ledger.family("lead-overlap"))
    assert all(entry.strict is True for entry in ledger.family("lead"))


def test_declared_strictness_is_what_the_instants_say(planted: World) -> None:
    inputs, _, _ = planted
    for family in inputs.plan.families:
        if not family.name.startswith(("lead", "reverse")):
            continue
        for call in family.calls:
            assert inputs.panels[call.clock].strict(call.effect, call.cause) is call.strict, call.id


def test_the_chapter_runs_on_every_pair_and_finds_the_planted_lead(planted: World) -> None:
    inputs, _, _ = planted
    asset = MarketSpec.planted_lead().lead_asset
    small = inputs.config.model_copy(update={"chapter": True, "window": 1500, "slow_bootstrap": 99})
    plan = declare(small, small_cap="RUT", crypto=(asset, "BTC"), controls=inputs.plan.controls)
    ledger = run.execute(dataclasses.replace(inputs, config=small, plan=plan), draws=DRAWS)
    families = [family for family in plan.families if family.calls[0].kind in BEYOND]
    assert {family.calls[0].kind for family in families} == set(BEYOND)
    for family in families:
        entries = ledger.family(family.name)
        assert {entry.status for entry in entries} == {"ok"}, family.name
        assert all(entry.strict for entry in entries)
    assert is_significant(ledger.entry(f"instability.rut.{asset.lower()}.after.bivariate"), 0.05)
    strength = ledger.entry(f"strength.rut.{asset.lower()}.after.conditional")
    assert strength.estimate is not None
    assert strength.estimate > (ledger.entry("strength.rut.btc.after.conditional").estimate or 0.0)


def test_twins_rest_on_the_same_rows(planted: World) -> None:
    _, ledger, _ = planted
    beside = {entry.effect: entry for entry in ledger.family("lead-conditional")}
    for entry in ledger.family("lead"):
        twin = beside[entry.effect]
        assert (entry.nobs, entry.start, entry.end) == (twin.nobs, twin.start, twin.end)


def test_results_do_not_depend_on_the_number_of_workers(planted: World) -> None:
    inputs, ledger, _ = planted
    again = run.execute(inputs, draws=DRAWS, workers=1)
    assert [entry.to_dict() for entry in again.entries] == [entry.to_dict() for entry in ledger.entries]
