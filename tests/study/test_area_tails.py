"""The area of joint falls and rises on simulated markets: declared in full, run, corrected, and judged."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import numpy as np
import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.sources.simulated import MarketSpec
from analysis.stats.tails.beta import DownsideBetaResult
from analysis.stats.tails.covar import DeltaCovarResult
from analysis.stats.tails.states import StateDownsideResult
from analysis.study import claims, config, prepare, run, verdicts
from analysis.study.area import Subjects
from analysis.study.areas.tails import AREA, declare
from analysis.study.areas.tails_run import slow
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.settings import TailsSettings
from analysis.study.verdicts import Judgement

DRAWS = 99
ASSETS = ("BTC", "ETH")
FAMILIES = {
    "tail-asymmetry", "tail-asymmetry-before", "tail-copula", "exceedance", "covar", "covar-reverse", "downside-beta",
    "downside-beta-conditional", "downside-beta-before",
    *(f"{kind}.{state}"
      for kind in ("downside-state", "downside-within", "downside-correlation")
      for state in ("tight_conditions", "high_volatility", "high_credit_spread")),
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = config.load(repository / "data" / "studies" / "default.toml").model_copy(
        update={"chapter": False, "areas": ("tails",), "crypto": ASSETS}
    )
    collected = collect.from_simulator(catalog, MarketSpec.nothing())
    root = tmp_path_factory.mktemp("tails")
    frozen = snapshot.freeze(collected.series, catalog, root=root, kind="simulated", missing=collected.missing)
    return prepare.prepare(study, frozen, catalog)


def families_of(given: Inputs) -> list[str]:
    return [family.name for family in given.plan.families if family.calls[0].kind in AREA.runners]


def ledger_of(given: Inputs) -> Ledger:
    entries: list[Entry] = []
    for family in given.plan.families:
        if family.calls[0].kind in AREA.runners:
            entries += run.run_family(family, given, DRAWS)
    return Ledger(tuple(sorted(entries, key=lambda entry: entry.id)))


@pytest.fixture(scope="module")
def ledger(inputs: Inputs) -> Ledger:
    return ledger_of(inputs)


def shifted(given: Inputs, change: np.ndarray) -> Inputs:
    """Add to the returns of the first asset, under both clocks."""
    panels = {}
    for clock, aligned in given.panels.items():
        returns = aligned.returns.copy()
        returns["BTC"] += change
        panels[clock] = dataclasses.replace(aligned, returns=returns)
    return dataclasses.replace(given, panels=panels)


def judged(repository: Path, ledger: Ledger) -> Judgement:
    declared = claims.load(repository / "data" / "claims.toml")
    found = verdicts.judge(declared, ledger, level=0.05, smallest_effect=0.1)
    return next(item for item in found if item.claim == "downside-amplified")


def test_families_are_declared_in_full_and_for_the_claim(inputs: Inputs) -> None:
    assert set(families_of(inputs)) == FAMILIES
    for family in inputs.plan.families:
        if family.name in FAMILIES:
            assert family.claims == ("downside-amplified",)
            assert len(family.calls) == len(ASSETS)
            assert family.adjustment == ("none" if family.name == "tail-copula" else "bh")
            assert all(call.strict is None for call in family.calls), "no lead is claimed within a session"


def test_every_family_the_claim_names_is_declared(repository: Path) -> None:
    text = tomllib.loads((repository / "data" / "claims.toml").read_text(encoding="utf-8"))
    claim = next(item for item in text["claims"] if item["id"] == "downside-amplified")
    named = {item["family"] for item in claim["evidence"]} | {item.get("paired_with") for item in claim["evidence"]}
    assert named - {None} <= FAMILIES


def test_every_call_is_answered_and_corrected_over_its_family(inputs: Inputs, ledger: Ledger) -> None:
    for family in inputs.plan.families:
        if family.name not in FAMILIES:
            continue
        entries = ledger.family(family.name)
        assert {entry.id for entry in entries} == {call.id for call in family.calls}
        for entry in entries:
            assert entry.status == "ok", entry.reason
            assert entry.estimate is not None
            assert entry.lower is not None
            assert entry.upper is not None
            assert entry.lower <= entry.estimate <= entry.upper
            assert (entry.pvalue_adjusted is None) == (family.adjustment == "none")


def test_parts_are_reported_and_not_corrected(ledger: Ledger) -> None:
    for name, places in (
        ("tail-asymmetry.rut.btc.after", ("falls", "rises", "gaussian")),
        ("exceedance.rut.btc", ("falls", "rises", "gaussian", "standardised")),
        ("covar.rut.btc", ("falls", "rises")),
        ("downside-beta.rut.btc.after.bivariate", ("falls", "rises")),
        ("downside-state.tight_conditions.rut.btc", ("inside-falls", "outside-rises", "widening")),
        ("downside-correlation.tight_conditions.rut.btc", ("raw",)),
    ):
        whole = ledger.entry(name)
        for place in places:
            part = ledger.entry(f"{name}.{place}")
            assert part.pvalue_adjusted is None
            assert part.family != whole.family
            assert (part.effect, part.cause, part.clock, part.state) == (
                whole.effect, whole.cause, whole.clock, whole.state,
            )  # fmt: skip


def test_differences_are_those_of_their_parts(ledger: Ledger) -> None:
    for name, sign in (("tail-asymmetry.rut.eth.after", 1), ("downside-beta.rut.eth.after.bivariate", 1)):
        falls, rises = ledger.entry(f"{name}.falls").estimate, ledger.entry(f"{name}.rises").estimate
        assert ledger.entry(name).estimate == pytest.approx((falls or 0.0) - sign * (rises or 0.0))
    falls, rises = (ledger.entry(f"covar.rut.eth.{side}").estimate for side in ("falls", "rises"))
    assert ledger.entry("covar.rut.eth").estimate == pytest.approx(-(falls or 0.0) - (rises or 0.0))
    base = "downside-state.high_volatility.rut.eth"
    inside, outside = (ledger.entry(f"{base}.{side}-falls").estimate for side in ("inside", "outside"))
    assert ledger.entry(base).estimate == pytest.approx((inside or 0.0) - (outside or 0.0))


def test_full_results_come_back_from_the_ledger(ledger: Ledger) -> None:
    assert isinstance(ledger.entry("covar.rut.btc").loaded(), DeltaCovarResult)
    state = ledger.entry("downside-state.tight_conditions.rut.btc")
    result = state.loaded()
    assert isinstance(result, StateDownsideResult)
    assert state.pvalue == result.combined_pvalue
    within = ledger.entry("downside-within.tight_conditions.rut.btc")
    assert within.estimate == pytest.approx(result.asymmetry_inside)
    assert within.nobs == result.cell_nobs[1].sum()
    assert isinstance(within.loaded(), DownsideBetaResult)
    assert within.pvalue == within.loaded().bootstrap_pvalue  # type: ignore[attr-defined]


def test_twins_of_the_beta_rest_on_common_rows(ledger: Ledger) -> None:
    for asset in ASSETS:
        base = f"downside-beta.rut.{asset.lower()}.after"
        alone, beside = ledger.entry(f"{base}.bivariate"), ledger.entry(f"{base}.conditional")
        assert (alone.nobs, alone.start, alone.end) == (beside.nobs, beside.start, beside.end)
        assert beside.given


def test_independent_symmetric_series_give_no_evidence(repository: Path, ledger: Ledger) -> None:
    assert judged(repository, ledger).verdict in ("no evidence", "contradicted")


def test_falls_shared_in_tight_conditions_only_support_the_claim(repository: Path, inputs: Inputs) -> None:
    small = inputs.returns("after", ("RUT",))[:, 0]
    tight = inputs.states["tight_conditions"].to_numpy(dtype=float)
    one = dataclasses.replace(inputs.plan, crypto=("BTC",), families=tuple(
        dataclasses.replace(family, calls=tuple(call for call in family.calls if "BTC" in (call.effect, call.cause)))
        for family in inputs.plan.families if family.name.endswith("tight_conditions")
    ))  # fmt: skip
    planted = shifted(inputs, np.where((small < 0) & (tight == 1), 6.0 * small, 0.0))
    found = ledger_of(dataclasses.replace(planted, plan=one))
    for family in ("downside-state", "downside-within"):
        entry = found.entry(f"{family}.tight_conditions.rut.btc")
        assert entry.lower is not None
        assert entry.lower > 0
        assert entry.pvalue_adjusted is not None
        assert entry.pvalue_adjusted <= 0.05
    among_falls = found.entry("downside-correlation.tight_conditions.rut.btc")
    assert (among_falls.estimate or 0.0) > 0.2
    assert among_falls.nobs is not None
    assert among_falls.nobs < 0.6 * int((np.isfinite(small) & np.isfinite(tight)).sum())
    assert judged(repository, found).verdict == "supported"


def test_a_link_in_both_falls_and_rises_is_no_asymmetry(inputs: Inputs) -> None:
    small = inputs.returns("after", ("RUT",))[:, 0]
    linked = shifted(inputs, 2.0 * small)
    families = tuple(f for f in inputs.plan.families if f.name in ("tail-asymmetry", "downside-beta"))
    found = ledger_of(dataclasses.replace(linked, plan=dataclasses.replace(inputs.plan, families=families)))
    assert (found.entry("tail-asymmetry.rut.btc.after.falls").estimate or 0.0) > 0.3
    for name in ("tail-asymmetry.rut.btc.after", "downside-beta.rut.btc.after.bivariate"):
        assert (found.entry(name).pvalue_adjusted or 0.0) > 0.05


def test_a_state_that_could_not_be_built_and_absent_controls_say_so(inputs: Inputs) -> None:
    bare = dataclasses.replace(inputs, states=inputs.states.drop(columns=["tight_conditions"]))
    families = {family.name: family for family in inputs.plan.families}
    for kind in ("downside-state", "downside-within", "downside-correlation"):
        for entry in run.run_family(families[f"{kind}.tight_conditions"], bare, DRAWS):
            assert entry.status == "inapplicable"
            assert "tight_conditions" in entry.reason
    family = families["downside-beta-conditional"]
    alone = dataclasses.replace(family, calls=tuple(dataclasses.replace(call, given=()) for call in family.calls))
    for entry in run.run_family(alone, inputs, DRAWS):
        assert entry.status == "inapplicable"
        assert "no common driver" in entry.reason


def test_too_short_a_history_is_answered_with_a_reason(inputs: Inputs) -> None:
    short = {}
    for clock, aligned in inputs.panels.items():
        returns = aligned.returns.copy()
        returns.iloc[50:] = np.nan
        short[clock] = dataclasses.replace(aligned, returns=returns)
    found = ledger_of(dataclasses.replace(inputs, panels=short))
    assert {entry.status for entry in found.entries} == {"inapplicable"}
    assert all(entry.reason for entry in found.entries)


def test_results_do_not_depend_on_order(inputs: Inputs, ledger: Ledger) -> None:
    families = [family for family in inputs.plan.families if family.name in ("covar", "downside-state.high_volatility")]
    for family in reversed(families):
        turned = dataclasses.replace(family, calls=family.calls[::-1])
        for entry in run.run_family(turned, inputs, DRAWS):
            assert entry.to_dict() == ledger.entry(entry.id).to_dict()


def test_settings_are_checked_and_reduced_builds_draw_less(inputs: Inputs) -> None:
    assert slow(inputs, inputs.config.bootstrap) == 299
    assert slow(inputs, 99) == 19
    for wrong in (
        {"thresholds": (1.0, 0.5)},
        {"thresholds": (-1.0,)},
        {"share": 0.5},
        {"quantile": 0.0},
        {"states": ()},
    ):
        with pytest.raises(ValueError):
            TailsSettings(**wrong)  # type: ignore[arg-type]
    study = inputs.config.model_copy(update={"tails": TailsSettings(states=("hiking",))})
    subjects = Subjects(study, "RUT", ("BTC",), (), (), ())
    assert {family.name for family in declare(subjects)} >= {"downside-state.hiking"}
