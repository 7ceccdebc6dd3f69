"""The area of stability on simulated markets: nothing where nothing breaks, planted breaks and events found."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis.market import catalog as catalogs
from analysis.market import collect, events, snapshot
from analysis.sources.simulated import MarketSpec
from analysis.stats.breaks import BreakTestResult, RollingLink, before_after, robust_sup_f
from analysis.study import claims, config, prepare, run, verdicts
from analysis.study.area import Subjects
from analysis.study.areas.stability import AREA, declare
from analysis.study.areas.stability_events import placebo_by_event, rows_before
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.settings import StabilitySettings
from analysis.study.verdicts import Judgement, is_significant

DRAWS = 99
ASSETS = ("BTC", "ETH", "SOL")
BREAK = "2019-06-03"
DECLARED = (dt.date(2017, 12, 18), dt.date(2020, 5, 11), dt.date(2022, 5, 9), dt.date(2024, 1, 11))


@pytest.fixture(scope="module")
def quiet(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = config.load(repository / "data" / "studies" / "default.toml").model_copy(
        update={
            "chapter": False,
            "areas": ("stability",),
            "crypto": ASSETS,
            "stability": StabilitySettings(
                events=tuple(sorted((*DECLARED, dt.date(2023, 1, 3), dt.date(2024, 7, 23)))), max_breaks=2
            ),
        }
    )
    collected = collect.from_simulator(catalog, MarketSpec.nothing(start="2014-09-17", end="2024-12-31"))
    root = tmp_path_factory.mktemp("stability")
    frozen = snapshot.freeze(collected.series, catalog, root=root, kind="simulated", missing=collected.missing)
    declared = events.load(repository / "data" / "events.csv")
    return prepare.prepare(study, frozen, catalog, events=declared)


def moved(given: Inputs, change: np.ndarray, assets: tuple[str, ...] = ASSETS) -> Inputs:
    """Add `change` times the small-cap return of the session to the returns of some assets."""
    panels = {}
    for clock, aligned in given.panels.items():
        returns = aligned.returns.copy()
        for asset in assets:
            returns[asset] += change * returns[given.plan.small_cap]
        panels[clock] = dataclasses.replace(aligned, returns=returns)
    return dataclasses.replace(given, panels=panels)


def ledger_of(given: Inputs) -> Ledger:
    families = [family for family in given.plan.families if family.calls[0].kind in AREA.runners]
    entries = [entry for family in families for entry in run.run_family(family, given, DRAWS)]
    return Ledger(tuple(sorted(entries, key=lambda entry: entry.id)))


def judged(repository: Path, ledger: Ledger) -> dict[str, Judgement]:
    declared = claims.load(repository / "data" / "claims.toml")
    return {item.claim: item for item in verdicts.judge(declared, ledger, level=0.05, smallest_effect=0.1)}


@pytest.fixture(scope="module")
def calm(quiet: Inputs) -> Ledger:
    return ledger_of(quiet)


@pytest.fixture(scope="module")
def broken(quiet: Inputs) -> tuple[Inputs, Ledger]:
    given = moved(quiet, np.where(quiet.dates > pd.Timestamp(BREAK), 1.5, 0.0))
    return given, ledger_of(given)


@pytest.fixture(scope="module")
def eventful(quiet: Inputs) -> tuple[Inputs, Ledger]:
    """A response that switches at every declared day and nowhere else."""
    days = np.array([np.datetime64(day) for day in DECLARED])
    state = np.searchsorted(days, quiet.dates.to_numpy(), side="right") % 2
    given = moved(quiet, 2.5 * state)
    return given, ledger_of(given)


def test_everything_is_declared_before_any_number(quiet: Inputs) -> None:
    config_ = quiet.config
    families = declare(Subjects(config_, "RUT", ASSETS, (), (), ()))
    assert [family.name for family in families] == [
        "stability-response",
        "stability-response-conditional",
        "stability-drift",
        "stability-correlation",
        "stability-lead",
        "stability-rolling",
        "event-link-response",
        "event-link-lead",
        "event-placebo",
    ]
    assert {call.kind for family in families for call in family.calls} == set(AREA.runners)
    assert all(len({call.kind for call in family.calls}) == 1 for family in families)
    by_name = {family.name: family for family in families}
    assert len(by_name["event-link-lead"].calls) == 6 * 3
    assert by_name["stability-rolling"].adjustment == "none"
    assert all(call.strict for call in by_name["stability-lead"].calls)
    ids = [call.id for family in families for call in family.calls]
    assert len(set(ids)) == len(ids)


def test_nothing_breaks_where_nothing_does(calm: Ledger, repository: Path) -> None:
    for family in ("stability-response", "stability-drift", "stability-correlation", "stability-lead"):
        assert not any(is_significant(entry, 0.05) for entry in calm.family(family)), family
    verdict = judged(repository, calm)
    assert verdict["stable-link"].verdict == "no evidence"
    assert "does not show" in verdict["stable-link"].because
    assert verdict["external-events"].verdict == "no evidence"


def test_a_planted_break_is_dated_and_contradicts(broken: tuple[Inputs, Ledger], repository: Path) -> None:
    given, ledger = broken
    main = ledger.entry("stability-response.rut.btc")
    assert main.estimate == 1.0
    assert main.pvalue_adjusted is not None
    assert main.pvalue_adjusted < 0.05
    dated = ledger.entry("stability-response.rut.btc.break1")
    assert dated.start <= BREAK <= dated.end
    assert dated.lower is not None
    assert dated.upper is not None
    assert dated.lower < 1.5 < dated.upper
    first, second = (ledger.entry(f"stability-response.rut.btc.stretch{i}") for i in (1, 2))
    assert first.start == "2014-09-18"
    assert first.end < second.start
    assert_allclose(second.estimate - first.estimate, dated.estimate)
    assert_allclose(dated.statistic, (given.dates <= pd.Timestamp(first.end)).sum())
    # The sides carry no p-value and stay out of the correction.
    assert first.family == "stability-response.stretches"
    assert first.pvalue is None
    # An asset that was listed after the break has none.
    assert ledger.entry("stability-response.rut.sol").estimate == 0.0
    verdict = judged(repository, ledger)["stable-link"]
    assert verdict.verdict == "contradicted"


def test_numbers_are_those_of_the_statistic(broken: tuple[Inputs, Ledger]) -> None:
    given, ledger = broken
    effect, cause, controls, _ = given.twin_rows("after", "ETH", "RUT")
    beside = ledger.entry("stability-response-conditional.rut.eth")
    direct = robust_sup_f(effect, cause, given=controls, test="slopes")
    assert isinstance(direct, BreakTestResult)
    assert_allclose(beside.statistic, direct.statistic)
    assert beside.given == given.plan.controls
    assert beside.result == ""
    effect, cause = given.returns("after", ("ETH", "RUT")).T
    at = int((given.dates < pd.Timestamp("2020-05-11")).sum())
    event = ledger.entry("event-link.response.2020-05-11.eth")
    single = before_after(effect, cause, at=at, window=250)
    assert_allclose((event.estimate, event.lower, event.upper), (single.estimate, *single.interval))
    assert event.nobs == 500
    assert event.start < "2020-05-11" < event.end
    rolling = ledger.entry("stability-rolling.rut.btc").loaded()
    assert isinstance(rolling, RollingLink)
    assert rolling.position[-1] == len(given.dates) - 1
    assert set(np.diff(rolling.position)) == {5}


def test_events_that_change_the_link_and_dates_that_do_not(
    eventful: tuple[Inputs, Ledger], broken: tuple[Inputs, Ledger], repository: Path
) -> None:
    given, ledger = eventful
    bitcoin = [ledger.entry(f"event-link.response.{day.isoformat()}.btc") for day in DECLARED]
    assert all(is_significant(entry, 0.05) for entry in bitcoin)
    assert [np.sign(entry.estimate) for entry in bitcoin] == [1, -1, 1, -1]
    placebo = ledger.entry("event-placebo.response")
    assert placebo.estimate is not None
    assert placebo.estimate > 0.15
    shares = placebo_by_event(ledger, given)  # the last one has fewer sessions behind it than a window, but enough
    assert set(shares) == {*DECLARED}
    verdict = judged(repository, ledger)["external-events"]
    assert verdict.verdict in ("supported", "no evidence")
    assert (verdict.verdict == "supported") == is_significant(placebo, 0.05)
    # One break between the declared days is no work of theirs.
    other = broken[1].entry("event-placebo.response")
    assert not is_significant(other, 0.05)
    assert other.estimate is not None
    assert placebo.estimate > other.estimate


def test_absent_data_are_rows_with_reasons(calm: Ledger, quiet: Inputs) -> None:
    unknown = calm.entry("event-link.response.2023-01-03.btc")
    assert (unknown.status, unknown.reason) == ("inapplicable", "the file of events has none on 2023-01-03")
    late = calm.entry("event-link.lead.2024-07-23.btc")
    assert "sessions from an end" in late.reason
    young = calm.entry("event-link.response.2017-12-18.sol")
    assert "fewer than 200" in young.reason
    bare = dataclasses.replace(quiet, events=())
    for family in bare.plan.families:
        if family.name == "event-placebo":
            assert all(entry.status == "inapplicable" for entry in run.run_family(family, bare, DRAWS))
    assert rows_before(quiet, dt.date(2014, 9, 1)) == 0


def test_same_bytes_from_the_same_inputs(quiet: Inputs, calm: Ledger) -> None:
    family = next(item for item in quiet.plan.families if item.name == "stability-lead")
    again = run.run_family(family, quiet, DRAWS)
    assert [entry.to_dict() for entry in again] == [calm.entry(entry.id).to_dict() for entry in again]


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="ascend"):
        StabilitySettings(events=(dt.date(2022, 1, 3), dt.date(2021, 1, 4)))
    with pytest.raises(ValueError, match="trim"):
        StabilitySettings(trim=0.6)
