"""Response paths through catalogue, snapshot, panel and ledger, in simulated markets with known truth."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.sources.simulated import MarketSpec
from analysis.stats.dynamics import LocalProjection, ResponseEquality
from analysis.study import claims, config, prepare, run, verdicts
from analysis.study.area import Subjects
from analysis.study.areas.dynamics import declare
from analysis.study.areas.dynamics_run import EQUALITY, RESPONSE, SHARE, STATE, run_response
from analysis.study.calls import Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant

DRAWS = 199
KINDS = {RESPONSE, EQUALITY, STATE, SHARE}


def families(inputs: Inputs) -> list[Family]:
    return [family for family in inputs.plan.families if family.calls[0].kind in KINDS]


def world(spec: MarketSpec, repository: Path, folder: Path) -> tuple[Inputs, Ledger]:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = config.load(repository / "data" / "studies" / "default.toml")
    study = study.model_copy(update={"chapter": False, "areas": ("dynamics",), "crypto": ("BTC", "ETH", "LTC", "SOL")})
    collected = collect.from_simulator(catalog, spec)
    frozen = snapshot.freeze(collected.series, catalog, root=folder, kind="simulated", missing=collected.missing)
    inputs = prepare.prepare(study, frozen, catalog)
    entries = [entry for family in families(inputs) for entry in run.run_family(family, inputs, DRAWS)]
    return inputs, Ledger(tuple(entries))


@pytest.fixture(scope="module")
def planted(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Ledger]:
    """A market in which one coin follows small caps by a session, at all times."""
    spec = MarketSpec.planted_lead(lead_state="always")
    return world(spec, repository, tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def empty(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Ledger]:
    return world(MarketSpec.nothing(), repository, tmp_path_factory.mktemp("nothing"))


def significant(found: tuple[Inputs, Ledger], family: str) -> set[str]:
    inputs, ledger = found
    return {entry.effect for entry in ledger.family(family) if is_significant(entry, inputs.config.level)}


def test_the_planted_lead_is_a_later_response_of_that_coin(planted: tuple[Inputs, Ledger]) -> None:
    _, ledger = planted
    assert significant(planted, "response-later-bivariate") == {"ETH"}
    assert significant(planted, "response-later-conditional") == {"ETH"}
    entry = ledger.entry("response.rut.eth.after.later.bivariate")
    path = entry.loaded()
    assert isinstance(path, LocalProjection)
    assert path.horizons == tuple(range(1, 22))
    assert path.lower[0, 0] > 0.5  # nearly all of the planted unit comes in the first session after
    assert (entry.estimate, entry.strict) == (path.estimate[-1, 0], True)


def test_the_coin_that_follows_differs_in_path_and_timing(planted: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = planted
    for null in ("path", "later", "timing", "size"):
        entry = ledger.entry(f"response-equality.{null}.rut.all.bivariate")
        assert is_significant(entry, inputs.config.level), null
        found = entry.loaded()
        assert isinstance(found, ResponseEquality)
        assert len(found.names) == 4
        assert abs(found.contrast_t).argmax() == 1
        assert "4 assets" in entry.method
    older = ledger.entry("response-equality.path.rut.older.bivariate").loaded()
    assert isinstance(older, ResponseEquality)
    assert len(older.names) == 3
    assert older.nobs > ledger.entry("response-equality.path.rut.all.bivariate").nobs


def test_nothing_is_found_where_nothing_is(empty: tuple[Inputs, Ledger]) -> None:
    for family in ("response-later-bivariate", "response-later-conditional", "response-equality"):
        assert significant(empty, family) == set(), family


def test_twins_rest_on_the_same_sessions(planted: tuple[Inputs, Ledger]) -> None:
    _, ledger = planted
    for asset in ("btc", "sol"):
        for part in ("path", "later"):
            one, two = (
                ledger.entry(f"response.rut.{asset}.after.{part}.{twin}") for twin in ("bivariate", "conditional")
            )
            assert (one.nobs, one.start, one.end) == (two.nobs, two.start, two.end)
            assert one.given == ()
            assert len(two.given) == 5


def test_shares_lie_between_none_and_all(planted: tuple[Inputs, Ledger]) -> None:
    _, ledger = planted
    whole, first = (ledger.entry(f"response-share.rut.eth{tail}") for tail in ("", ".first"))
    assert 0 <= first.lower <= first.estimate <= first.upper <= 1
    assert whole.estimate > first.estimate  # the lead adds to the share after the same session
    assert (whole.family, first.family) == ("response-share", "response-share.first")
    assert whole.pvalue is None


def test_every_call_is_answered_and_corrected_in_its_family(planted: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = planted
    for family in families(inputs):
        entries = ledger.family(family.name)
        assert [entry.id for entry in entries] == sorted(call.id for call in family.calls)
        if family.adjustment == "bh":
            assert all(f"over {len(family.calls)} tests" in e.adjustment for e in entries if e.status == "ok")
    assert len(ledger.family("response-equality")) == 16
    assert len(ledger.family("response-state.high_volatility")) == 4


def test_the_verdict_follows_the_declared_rules(
    planted: tuple[Inputs, Ledger], empty: tuple[Inputs, Ledger], repository: Path
) -> None:
    declared = claims.load(repository / "data" / "claims.toml")

    def verdict(found: tuple[Inputs, Ledger]) -> str:
        judged = verdicts.judge(declared, found[1], level=0.05, smallest_effect=0.1)
        return next(item.verdict for item in judged if item.claim == "timing-magnitude")

    assert verdict(planted) == "supported"
    assert verdict(empty) == "no evidence"


def test_the_same_draws_whatever_else_runs(planted: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = planted
    family = next(f for f in families(inputs) if f.name == "response-later-bivariate")
    again: list[Entry] = run_response(family.calls[2], family, inputs, DRAWS)
    assert again[0].result == ledger.entry(family.calls[2].id).result


def subjects(inputs: Inputs, **changes: object) -> Subjects:
    plan = inputs.plan
    given = {"crypto": plan.crypto, "controls": plan.controls, "series": (), "events": ()} | changes
    return Subjects(config=inputs.config, small_cap=plan.small_cap, **given)  # type: ignore[arg-type]


def test_absent_data_leave_a_reason_and_no_gap_in_the_family(planted: tuple[Inputs, Ledger]) -> None:
    inputs, _ = planted
    plan = {family.name: family for family in declare(subjects(inputs, crypto=("BTC",), controls=()))}
    family = plan["response-later-conditional"]
    entry = run.run_family(family, inputs, 99)[0]
    assert (entry.status, entry.reason) == ("inapplicable", "the study has no common driver it can use")
    unequal = plan["response-equality"]
    assert len(unequal.calls) == 16
    settings = inputs.config.model_copy(
        update={"dynamics": inputs.config.dynamics.model_copy(update={"older": (), "states": ("no_such_state",)})}
    )
    changed = dataclasses.replace(inputs, config=settings)
    found = {entry.id: entry for entry in run.run_family(unequal, changed, 99)}
    assert "fewer than two assets" in found["response-equality.path.rut.older.bivariate"].reason
    states = next(f for f in declare(subjects(changed)) if f.name == "response-state.no_such_state")
    entry = run.run_family(states, changed, 99)[0]
    assert entry.status == "inapplicable"
    assert entry.reason
