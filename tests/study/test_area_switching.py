"""The area on calm and turbulence: declared families, timing, absences, and a planted dependence on liquidity."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from switching_world import DRAWS, families, ledger, prepared

from analysis.market import calendars
from analysis.sources.base import RawSeries
from analysis.sources.simulated import MarketSpec
from analysis.study import run
from analysis.study.areas.switching_data import VARIABLES, threshold_variable, turbulence
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs


@pytest.fixture(scope="module")
def inputs(repository: Path) -> Inputs:
    return prepared(repository)


@pytest.fixture(scope="module")
def results(repository: Path, inputs: Inputs) -> dict[str, list[Entry]]:
    """Return the entries of each family with those that describe its parts."""
    entries = ledger(repository).entries
    return {
        name: [entry for entry in entries if entry.family == name or entry.family.startswith(f"{name}.")]
        for name in families(inputs)
    }


def test_every_family_is_declared_for_every_asset(inputs: Inputs) -> None:
    declared = families(inputs)
    assert len(declared) == 2 + 2 * (1 + 2 * len(VARIABLES))
    for name, family in declared.items():
        assert set(family.claims) == {"liquidity-state", "stable-link"}
        assert family.adjustment == "bh"
        assert len(family.calls) == (1 if name.startswith("switching-state") else len(inputs.plan.crypto))
        assert all(call.clock == "after" for call in family.calls)
        assert all(bool(call.given) == call.conditional for call in family.calls)


def test_every_result_has_numbers_or_a_reason_and_its_correction(
    inputs: Inputs, results: dict[str, list[Entry]]
) -> None:
    assets = len(inputs.plan.crypto)
    for name, entries in results.items():
        assert len({entry.id for entry in entries}) == len(entries)
        tested = [entry for entry in entries if entry.family == name]
        per_asset = 2 if name.startswith(("switching-state", "switching-hidden")) else 1
        assert len(tested) == per_asset * assets, name
        for entry in tested:
            assert entry.status == "ok", entry.reason
            assert entry.pvalue is not None
            assert entry.pvalue_adjusted is not None
            assert entry.pvalue_adjusted >= entry.pvalue
            assert entry.cause == inputs.plan.small_cap
    parts = {entry.id: entry for entries in results.values() for entry in entries}
    base = f"switching-threshold-same.vix.rut.{inputs.plan.crypto[0].lower()}"
    split, below, above = (parts[f"{base}.{part}"] for part in ("split", "below", "above"))
    assert (below.nobs or 0) + (above.nobs or 0) == parts[base].nobs
    assert (above.estimate or 0) - (below.estimate or 0) == pytest.approx(parts[base].estimate)
    assert (split.lower or 0) <= (split.estimate or 0) <= (split.upper or 0)


def test_a_lead_that_holds_while_liquidity_grows_is_found_as_a_threshold(
    inputs: Inputs, results: dict[str, list[Entry]]
) -> None:
    tested = [entry for entry in results["switching-threshold-lead.liquidity"] if entry.pvalue is not None]
    other = {entry.effect: entry for entry in tested}
    planted = other[MarketSpec.planted_lead().lead_asset]
    assert planted.pvalue_adjusted is not None
    assert planted.pvalue_adjusted <= 0.05
    assert (planted.estimate or 0.0) > 0.0
    assert all((entry.pvalue_adjusted or 0) > 0.05 for name, entry in other.items() if name != planted.effect)


def test_the_same_seed_gives_the_same_bytes(inputs: Inputs, results: dict[str, list[Entry]]) -> None:
    for name in ("switching-hidden", "switching-threshold-lead.vix"):
        again = sorted(run.run_family(families(inputs)[name], inputs, DRAWS), key=lambda entry: entry.id)
        kept = [entry for entry in results[name] if entry.family in {item.family for item in again}]
        assert [entry.to_dict() for entry in again] == [entry.to_dict() for entry in kept]


def test_nothing_known_before_a_day_moves_when_later_days_change(inputs: Inputs, repository: Path) -> None:
    cut = inputs.dates[int(0.8 * len(inputs.dates))]

    def later(name: str, raw: RawSeries) -> RawSeries:
        frame = raw.frame.copy()
        rows = frame.index > cut
        if name in ("RUT", "VIX", "NFCI", "WALCL", inputs.plan.crypto[0]):
            wild = 1.0 + 0.3 * np.sin(np.arange(int(rows.sum())))
            columns = [column for column in ("open", "high", "low", "value") if column in frame]
            frame.loc[rows, columns] = frame.loc[rows, columns].to_numpy() * wild[:, None]
        return dataclasses.replace(raw, frame=frame)

    other = prepared(repository, later)
    before = np.asarray(inputs.dates <= cut)
    for source in ("small", "crypto"):
        one, two = turbulence(inputs, source), turbulence(other, source)
        assert not isinstance(one, str)
        assert not isinstance(two, str)
        np.testing.assert_array_equal(one.predicted[before], two.predicted[before])
        assert not np.array_equal(one.predicted[~before], two.predicted[~before], equal_nan=True)
    for variable in VARIABLES:
        first, second = threshold_variable(inputs, variable), threshold_variable(other, variable)
        assert not isinstance(first, str)
        assert not isinstance(second, str)
        np.testing.assert_array_equal(first[before], second[before], err_msg=variable.name)
        assert not np.array_equal(first[~before], second[~before], equal_nan=True), variable.name


def test_threshold_variables_are_those_public_by_the_close_before(inputs: Inputs) -> None:
    close = inputs.snapshot.frame("RUT")["value"]
    named = {variable.name: threshold_variable(inputs, variable) for variable in VARIABLES}
    rows = np.arange(60, len(inputs.dates), 211)
    for row in rows:
        past = close[close.index < inputs.dates[row]]
        assert named["distance"][row] == pytest.approx(100.0 * (1.0 - past.iloc[-1] / past.max()))
        spread = np.log(past).diff().iloc[-21:].std() * np.sqrt(252.0)
        assert named["volatility"][row] == pytest.approx(100.0 * spread)
    # VIX is fixed after the close, so the last one public by the close of t-1 is that of t-2.
    sessions = calendars.nyse(inputs.dates[0] - pd.Timedelta(days=30), inputs.dates[-1]).dates
    vix = inputs.snapshot.frame("VIX")["value"]
    for row in rows:
        place = int(np.searchsorted(sessions.asi8, inputs.dates[row].as_unit("ns").value))
        assert named["vix"][row] == vix[sessions[place - 2]]


def test_absent_series_leave_rows_with_a_reason(repository: Path) -> None:
    without = prepared(repository, lambda name, raw: None if name in ("NFCI", "ANFCI", "STLFSI4") else raw)
    family = families(without)["switching-threshold-same.conditions"]
    entries = run.run_family(family, without, DRAWS)
    assert [entry.status for entry in entries] == ["inapplicable"] * len(without.plan.crypto)
    assert all("NFCI" in entry.reason for entry in entries)
    short = dataclasses.replace(
        without, config=without.config.model_copy(
            update={"switching": without.config.switching.model_copy(update={"least_history": 5000})}
        )
    )  # fmt: skip
    entries = run.run_family(families(short)["switching-state.crypto"], short, DRAWS)
    assert all(entry.status == "inapplicable" and "5000 sessions" in entry.reason for entry in entries)
    tested = [entry for entry in entries if entry.family == "switching-state.crypto"]
    assert len(tested) == 2 * len(short.plan.crypto)
