"""Three simulated worlds with known truth, through catalogue, snapshot, panel, tests, corrections and verdicts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, events, snapshot
from analysis.sources.simulated import MarketSpec
from analysis.study import claims, config, prepare, run, verdicts
from analysis.study.config import StudyConfig
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.plan import declare
from analysis.study.run_chapter import BEYOND
from analysis.study.verdicts import Judgement, Reading, is_significant

ASSETS = ("BTC", "ETH", "LTC", "SOL")
CONTROLS = ("SPX", "VIX", "DTWEXBGS", "DGS10", "BAMLH0A0HYM2")
# The smallest p of so many draws, times four assets, is below a fifth of the level: few draws alone hide nothing.
DRAWS = 399
# Chosen by the path of small caps alone, which no lead touches: both set records often enough to have events to study;
# the first has record closes in 2024, the second has none.
RECORDS, NO_RECORDS = 10, 34
World = tuple[Inputs, Ledger, dict[str, Judgement]]


def _study(repository: Path, **changes: Any) -> StudyConfig:
    """Return the default study with fewer assets and, where the number of steps decides the time, fewer steps."""
    study = config.load(repository / "data" / "studies" / "default.toml")
    settings: dict[str, Any] = {
        "dynamics": study.dynamics.model_copy(update={"older": ASSETS[:3], "horizon": 10}),
        "switching": study.switching.model_copy(update={"splits": 60}),
        "spillover": study.spillover.model_copy(update={"basket_least": 2, "rolling_limits": 3}),
        "tails": study.tails.model_copy(update={"bootstrap": 199}),
    }
    return study.model_copy(update={"chapter": False, "crypto": ASSETS} | settings | changes)


def _world(spec: MarketSpec, repository: Path, folder: Path) -> World:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = _study(repository)
    collected = collect.from_simulator(catalog, spec)
    frozen = snapshot.freeze(collected.series, catalog, root=folder, kind="simulated", missing=collected.missing)
    inputs = prepare.prepare(study, frozen, catalog, events=events.load(repository / "data" / "events.csv"))
    ledger = run.execute(inputs, draws=DRAWS)
    declared = claims.load(repository / "data" / "claims.toml")
    judged = verdicts.judge(declared, ledger, level=study.level, smallest_effect=study.smallest_effect)
    return inputs, ledger, {item.claim: item for item in judged}


@pytest.fixture(scope="module")
def planted(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Small caps lead one asset while liquidity grows: two percent for one, that four assets may have the power."""
    spec = MarketSpec.planted_lead(seed=RECORDS, start="2004-01-01", lead_strength=2.0)
    return _world(spec, repository, tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def driven(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    spec = MarketSpec.common_driver(seed=RECORDS, start="2004-01-01")
    return _world(spec, repository, tmp_path_factory.mktemp("driven"))


@pytest.fixture(scope="module")
def empty(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    spec = MarketSpec.nothing(seed=NO_RECORDS, start="2004-01-01")
    return _world(spec, repository, tmp_path_factory.mktemp("nothing"))


# --- what is true of every claim in every world

SUPPORTED, MIXED = frozenset({"supported"}), frozenset({"mixed"})
SILENT = frozenset({"no evidence"})
# Where the truth is "no effect", both not finding one and excluding one that matters are right.
ABSENT = frozenset({"no evidence", "contradicted"})
WEAK = frozenset({"mixed", "no evidence"})
Truth = tuple[frozenset[str], frozenset[str], frozenset[str]]

# Claim: verdicts that are right in the planted world, in the driven one, and in the one with nothing.
TRUTH: Mapping[str, Truth] = {
    # The path of small caps has record closes in 2024 in the first two worlds and none in the third.
    "record-2024": (SUPPORTED, SUPPORTED, frozenset({"contradicted"})),
    # One asset of four; all alone and none beside large caps; none.
    "lead": (MIXED, MIXED, SILENT),
    # A shared shock and, for one asset, a lead of small caps; a shared shock that reaches crypto late as well, of which
    # the drivers, measured with noise, may leave a trace; no link at all, hence nothing to explain.
    "risk-appetite": (MIXED, frozenset({"supported", "mixed"}), SILENT),
    # The lead of one asset, and no correlation, depends on liquidity; nothing does; nothing does.
    "liquidity-state": (MIXED, ABSENT, ABSENT),
    # Bitcoin follows no record in any world.
    "highs-precede": (ABSENT, ABSENT, ABSENT),
    # Nor do altcoins beyond what the session itself brings a session later.
    "highs-precede-alts": (ABSENT, ABSENT, ABSENT),
    # Small caps load 1.2 on the risk shock and have three times the noise and a tenth of the trading; rates, credit and
    # volatility react to large caps, so that small caps respond more to each.
    "small-more-sensitive": (SUPPORTED, SUPPORTED, SUPPORTED),
    # Loadings are the same in falls and rises and in every state.
    "downside-amplified": (ABSENT, ABSENT, ABSENT),
    # Profitable and unprofitable small caps differ by noise.
    "fundamental-or-froth": (ABSENT, ABSENT, ABSENT),
    # Amounts differ, and one asset alone responds a session later, beside the drivers too; amounts differ, and beside
    # the drivers no asset responds late; no response differs.
    "timing-magnitude": (frozenset({"supported", "mixed"}), WEAK, ABSENT),
    # Loadings never change; the planted lead comes and goes with liquidity.
    "stable-link": (WEAK, SILENT, SILENT),
    # No declared event changes anything.
    "external-events": (ABSENT, ABSENT, ABSENT),
    # One asset can be forecast; all can, by the drivers as well; none can.
    "useful-signal": (MIXED, MIXED, ABSENT),
    # Risk is common, no volatility passes by itself; in the planted asset the size of the next move depends on that of
    # small caps, together with its sign.
    "volatility-spillover": (WEAK, WEAK, ABSENT),
}


@pytest.mark.parametrize("claim", TRUTH)
@pytest.mark.parametrize(("place", "world"), tuple(enumerate(("planted", "driven", "empty"))))
def test_every_verdict_is_true(request: pytest.FixtureRequest, place: int, world: str, claim: str) -> None:
    judged = request.getfixturevalue(world)[2]
    assert judged[claim].verdict in TRUTH[claim][place], judged[claim].because


def test_the_table_of_truth_knows_every_claim(planted: World) -> None:
    assert set(planted[2]) == set(TRUTH)


def test_the_records_of_the_simulated_path_are_what_was_stated(planted: World, empty: World) -> None:
    for world, stated in ((planted, True), (empty, False)):
        closes = world[0].snapshot.frame("RUT")["value"]
        before, year = closes[:"2023-12-31"], closes["2024-01-01":"2024-12-31"]  # type: ignore[misc]
        assert bool(year.max() > before.max()) is stated


def _significant(world: World, family: str) -> set[str]:
    inputs, ledger, _ = world
    return {entry.effect for entry in ledger.family(family) if is_significant(entry, inputs.config.level)}


def _reading(world: World, claim: str, name: str) -> Reading:
    return next(item for item in world[2][claim].readings if item.name == name)


def test_planted_lead_is_found_in_the_right_asset_lag_and_state(planted: World) -> None:
    _, ledger, judged = planted
    asset = MarketSpec.planted_lead().lead_asset
    assert _significant(planted, "lead") == {asset}
    assert _significant(planted, "lead-conditional") == {asset}
    assert _significant(planted, "reverse") == _significant(planted, "reverse-conditional") == set()
    assert _significant(planted, "state-granger.liquidity_growing") == {asset}
    coefficients = ledger.entry(f"granger.rut.{asset.lower()}.after.bivariate").loaded().coefficients
    assert int(np.argmax(np.abs(coefficients))) == MarketSpec.planted_lead().lead_lag - 1
    inside = ledger.entry(f"state-granger.liquidity_growing.rut.{asset.lower()}.inside")
    outside = ledger.entry(f"state-granger.liquidity_growing.rut.{asset.lower()}.outside")
    assert inside.lower is not None
    assert inside.lower > 0
    assert outside.lower is not None
    assert outside.upper is not None
    assert outside.lower < 0 < outside.upper
    assert "alone and beside the common drivers, for some assets" in judged["lead"].because
    assert _reading(planted, "useful-signal", "gain").significant == 1
    assert _reading(planted, "volatility-spillover", "back").significant == 0


def test_common_driver_is_seen_alone_and_gone_beside_the_drivers(driven: World) -> None:
    _, ledger, judged = driven
    assert len(_significant(driven, "lead")) >= len(ledger.family("lead")) / 2
    assert _significant(driven, "lead-conditional") == set()
    assert "a common driver explains it" in judged["lead"].because
    assert "no better than the common drivers" in judged["useful-signal"].because
    assert _reading(driven, "timing-magnitude", "later-beside").significant == 0
    assert _reading(driven, "volatility-spillover", "out").significant == 0
    assert _reading(driven, "volatility-spillover", "back").significant == 0


def test_drivers_predict_beside_small_caps_only_where_they_lead(planted: World, driven: World, empty: World) -> None:
    assert _significant(planted, "drivers-lead") == _significant(empty, "drivers-lead") == set()
    assert len(_significant(driven, "drivers-lead")) >= len(ASSETS) / 2


def test_nothing_gives_no_lead_in_either_direction(empty: World) -> None:
    for family in ("lead", "lead-conditional", "lead-overlap", "reverse", "reverse-conditional", "same-session"):
        assert _significant(empty, family) == set(), family


SEEDS = range(24)


def test_over_many_worlds_of_nothing_few_families_find_anything(repository: Path, tmp_path: Path) -> None:
    """A family finds something where nothing is in at most one case of twenty; without correction in one of five."""
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = _study(repository, areas=(), crypto=("BTC", "ETH", "LTC", "XRP"), states=("near_high", "high_volatility"))
    wanted = {"RUT", *study.crypto, *CONTROLS}
    found: list[bool] = []
    headline: list[bool] = []
    for seed in SEEDS:
        market = collect.from_simulator(catalog, MarketSpec.nothing(seed=1000 + seed, end="2018-03-31")).series
        series = {name: item for name, item in market.items() if name in wanted}
        frozen = snapshot.freeze(series, catalog, root=tmp_path / str(seed), kind="simulated", missing={})
        inputs = prepare.prepare(study, frozen, catalog)
        plan = dataclasses.replace(
            inputs.plan, families=tuple(item for item in inputs.plan.families if item.adjustment != "none")
        )
        ledger = run.execute(dataclasses.replace(inputs, plan=plan), draws=199)
        for family in plan.families:
            entries = [entry for entry in ledger.family(family.name) if entry.status == "ok"]
            if entries:
                found.append(any(is_significant(entry, study.level) for entry in entries))
                if family.headline:
                    headline.append(found[-1])
    assert len(headline) == len(SEEDS)
    assert len(found) >= 15 * len(SEEDS)
    assert sum(found) / len(found) <= study.level + 3 * math.sqrt(study.level * (1 - study.level) / len(found))
    assert sum(headline) <= 4, "one in a hundred times with a rate of one in twenty"


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
    # As many draws as the study declares, and not a reduced build, whose slow methods could not reject at all.
    changes = {"chapter": True, "window": 1500, "bootstrap": DRAWS, "slow_bootstrap": 49, "areas": ()}
    small = inputs.config.model_copy(update=changes)
    plan = declare(small, small_cap="RUT", crypto=(asset, "BTC"), controls=inputs.plan.controls)
    families = tuple(family for family in plan.families if family.calls[0].kind in BEYOND)
    plan = dataclasses.replace(plan, families=families)
    ledger = run.execute(dataclasses.replace(inputs, config=small, plan=plan), draws=DRAWS)
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
    drivers = {entry.effect: entry for entry in ledger.family("drivers-lead")}
    for entry in ledger.family("lead"):
        for twin in (beside[entry.effect], drivers[entry.effect]):
            assert (entry.nobs, entry.start, entry.end) == (twin.nobs, twin.start, twin.end)


def test_results_do_not_depend_on_the_number_of_workers(planted: World) -> None:
    """One family of every kind but the two slowest, one after the other instead of side by side."""
    inputs, ledger, _ = planted
    kinds = {family.calls[0].kind: family for family in inputs.plan.families}
    chosen = tuple(family for kind, family in kinds.items() if kind not in ("switching-hidden", "event-record"))
    assert len(chosen) > 30
    plan = dataclasses.replace(inputs.plan, families=chosen)
    again = run.execute(dataclasses.replace(inputs, plan=plan), draws=DRAWS, workers=1)
    before = {entry.id: entry for entry in ledger.entries}
    for entry in again.entries:
        assert entry.to_dict() == before[entry.id].to_dict()
