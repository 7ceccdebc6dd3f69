"""The area of event studies on a small simulated market, with and without a planted rally after record closes."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.market.events import Event
from analysis.sources.simulated import MarketSpec
from analysis.stats.eventstudy.matched_result import EventPath, MatchedEventResult
from analysis.study import claims, config, prepare, run, verdicts
from analysis.study.areas.events_data import BASKET, basket, calendar, returns_percent
from analysis.study.areas.events_run import declared_rows
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.settings import EventsSettings

CRYPTO = ("BTC", "ETH", "LTC", "AVAX")
SETTINGS = EventsSettings(history_sessions=250, merge_sessions=5, horizons=(5, 21), neighbours=40)
EVENTS = (
    Event(dt.date(2018, 3, 3), "listing", "On a Saturday", "test"),
    Event(dt.date(2018, 3, 6), "listing", "Days later, one story", "test"),
    Event(dt.date(2019, 5, 6), "listing", "Another", "test"),
    Event(dt.date(2020, 7, 8), "listing", "A third", "test"),
    Event(dt.date(2021, 7, 8), "failure", "Only one", "test"),
)
FAMILIES = (
    "events-bitcoin", "events-altcoins", "events-market", "events-intraday", "events-total", "events-spaced",
    "events-run-up", "events-tests", "events-declared", "events-path", "events-episodes",
)  # fmt: skip


def build(
    repository: Path,
    folder: Path,
    *,
    rally: float = 0.0,
    settings: EventsSettings = SETTINGS,
    drop: tuple[str, ...] = (),
    crypto: tuple[str, ...] = CRYPTO,
) -> Inputs:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    changes = {"areas": ("events",), "chapter": False, "crypto": crypto, "events": settings}
    study = config.load(repository / "data" / "studies" / "default.toml").model_copy(update=changes)
    collected = collect.from_simulator(catalog, MarketSpec.nothing())
    series = {name: raw for name, raw in collected.series.items() if name not in drop}
    plain = snapshot.freeze(series, catalog, root=folder / "plain", kind="simulated", missing=collected.missing)
    inputs = prepare.prepare(study, plain, catalog, events=EVENTS)
    if not rally:
        return inputs
    found = calendar(inputs, "close")
    assert not isinstance(found, str)
    for name in crypto:
        frame = series[name].frame.copy()
        gain = np.zeros(len(frame))
        for episode in found.episodes:
            days = (frame.index - np.datetime64(episode.start)).days
            gain += rally * np.clip(days, 0, 28) / 28
        series[name] = dataclasses.replace(series[name], frame=frame.mul(np.exp(gain), axis=0))
    changed = snapshot.freeze(series, catalog, root=folder / "rally", kind="simulated", missing=collected.missing)
    return prepare.prepare(study, changed, catalog, events=EVENTS)


def execute(inputs: Inputs) -> Ledger:
    chosen = [family for family in inputs.plan.families if family.name in FAMILIES]
    return Ledger(tuple(entry for family in chosen for entry in run.run_family(family, inputs, 99)))


def verdict(inputs: Inputs, ledger: Ledger, repository: Path, claim: str) -> str:
    declared = claims.load(repository / "data" / "claims.toml")
    judged = verdicts.judge(declared, ledger, level=0.05, smallest_effect=inputs.config.smallest_effect)
    return next(item.verdict for item in judged if item.claim == claim)


@pytest.fixture(scope="module")
def quiet(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Ledger]:
    inputs = build(repository, tmp_path_factory.mktemp("quiet"))
    return inputs, execute(inputs)


@pytest.fixture(scope="module")
def rallying(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Ledger]:
    inputs = build(repository, tmp_path_factory.mktemp("rally"), rally=0.6)
    return inputs, execute(inputs)


def test_every_family_is_declared_and_every_comparison_is_a_row(quiet: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = quiet
    assert {family.name for family in inputs.plan.families} >= set(FAMILIES)
    sizes = {name: len(ledger.family(name)) for name in FAMILIES}
    assert sizes == {
        "events-bitcoin": 2, "events-altcoins": 8, "events-market": 10, "events-intraday": 4, "events-total": 4,
        "events-spaced": 4, "events-run-up": 5, "events-tests": 20, "events-declared": 24, "events-path": 2,
        "events-episodes": 3,
    }  # fmt: skip
    for entry in ledger.family("events-altcoins"):
        if entry.status == "ok":
            assert entry.adjustment == "Romano-Wolf step-down over 8 tests"
            assert entry.pvalue_adjusted is not None
            assert entry.pvalue is not None
            assert entry.pvalue_adjusted >= entry.pvalue
            assert "percent" in entry.estimate_name
            assert entry.strict
    assert all(not entry.strict for entry in ledger.family("events-run-up"))
    assert any("BMP" in e.summary or "rank p" in e.summary for e in ledger.family("events-tests"))


def test_nothing_is_found_where_nothing_is(quiet: tuple[Inputs, Ledger], repository: Path) -> None:
    inputs, ledger = quiet
    for claim in ("highs-precede", "highs-precede-alts"):
        assert verdict(inputs, ledger, repository, claim) == "no evidence"


def test_a_planted_rally_is_found(rallying: tuple[Inputs, Ledger], repository: Path) -> None:
    inputs, ledger = rallying
    entry = ledger.entry("event.rut.btc.h21")
    assert entry.estimate is not None
    assert entry.estimate > 20
    assert entry.lower is not None
    assert entry.lower > 0
    assert verdict(inputs, ledger, repository, "highs-precede") == "supported"
    path = ledger.entry("event-path.rut.btc").loaded()
    assert isinstance(path, EventPath)
    last = path.to_frame().iloc[-1]
    assert last["offset"] == 21
    assert last["average"] > last["upper"]
    result = entry.loaded()
    assert isinstance(result, MatchedEventResult)
    found = calendar(inputs, "close")
    assert not isinstance(found, str)
    assert {int(row[0]) for row in result.outcomes} <= set(found.positions)


def test_the_outcome_starts_after_the_record_close(rallying: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = rallying
    entry = ledger.entry("event.rut.btc.h5")
    result = entry.loaded()
    assert isinstance(result, MatchedEventResult)
    returns = returns_percent(inputs, "BTC")
    for position, outcome, _ in result.outcomes:
        row = int(position)
        assert outcome == pytest.approx(returns[row + 1 : row + 6].sum())
        assert inputs.panels["after"].instants["BTC"].iloc[row] >= inputs.panels["after"].instants["RUT"].iloc[row]


def test_the_same_study_gives_the_same_bytes(quiet: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = quiet
    family = next(f for f in inputs.plan.families if f.name == "events-altcoins")
    again = {entry.id: entry.to_dict() for entry in run.run_family(family, inputs, 99)}
    assert again == {entry.id: entry.to_dict() for entry in ledger.family("events-altcoins")}


def test_record_calendars_follow_the_declared_rules(quiet: tuple[Inputs, Ledger]) -> None:
    inputs, _ = quiet
    found, spaced = calendar(inputs, "close"), calendar(inputs, "close", spacing=126)
    assert not isinstance(found, str)
    assert not isinstance(spaced, str)
    assert set(spaced.positions) < set(found.positions)
    assert min(np.diff(spaced.positions)) >= 126
    assert min(np.diff(found.positions)) > SETTINGS.merge_sessions
    assert found.record_days[list(found.positions)].all()
    for row, episode in zip(found.positions, found.episodes, strict=True):
        assert inputs.dates[row].date() == episode.start


def test_declared_events_are_dated_by_the_session_that_ends_on_their_day_or_later(
    quiet: tuple[Inputs, Ledger],
) -> None:
    inputs, ledger = quiet
    days = [str(inputs.dates[row].date()) for row in declared_rows(inputs, "listing")]
    assert days == ["2018-03-05", "2019-05-06", "2020-07-08"]
    assert declared_rows(inputs, "regulation") == []
    assert ledger.entry("event-listing.btc.h5").nobs == 3
    failure = ledger.entry("event-failure.btc.h5")
    assert failure.status == "inapplicable"
    assert failure.reason == "1 of 1 events have history and an outcome over 5 sessions; 3 are needed"
    result = ledger.entry("event-listing.btc.h5").loaded()
    assert isinstance(result, MatchedEventResult)
    row = declared_rows(inputs, "listing")[0]
    returns = returns_percent(inputs, "BTC")
    assert result.outcomes[0][1] == pytest.approx(returns[row : row + 6].sum()), "the day of the event counts"


def test_a_basket_holds_equal_parts_of_what_trades() -> None:
    returns = np.log1p(np.array([[0.10, -0.10, np.nan], [0.03, np.nan, np.nan], [0.0, 0.3, 0.6]]))
    np.testing.assert_allclose(np.expm1(basket(returns, 2)), [0.0, np.nan, 0.3], atol=1e-12)
    np.testing.assert_allclose(np.expm1(basket(returns, 1)), [0.0, 0.03, 0.3], atol=1e-12)
    assert np.isnan(basket(np.empty((3, 0)), 1)).all()


def test_absent_data_are_rows_with_a_reason(repository: Path, tmp_path: Path) -> None:
    lonely = build(repository, tmp_path, crypto=("BTC",), drop=("SPX", "SPY", "SP500", "NASDAQNQUSL", "IWM_ADJ"))
    ledger = execute(lonely)
    assert ledger.entry("event.rut.btc.h5").status == "ok"
    assert {entry.status for entry in ledger.family("events-altcoins")} == {"inapplicable"}
    assert {entry.reason for entry in ledger.family("events-market")} == {"no large-cap series is in the data"}
    assert {entry.status for entry in ledger.family("events-total")} == {"inapplicable"}
    assert ledger.entry("event-episodes.total").status == "inapplicable"
    assert ledger.entry(f"event-path.rut.{BASKET.lower()}").status == "inapplicable"
    assert verdict(lonely, ledger, repository, "highs-precede-alts") == "not testable"


def test_without_a_record_nothing_is_testable(repository: Path, tmp_path: Path) -> None:
    inputs = build(repository, tmp_path, settings=SETTINGS.model_copy(update={"history_sessions": 9000}))
    ledger = execute(inputs)
    entry = ledger.entry("event.rut.btc.h5")
    assert entry.status == "inapplicable"
    assert "set no record in the study with 9000 sessions behind it" in entry.reason
    assert verdict(inputs, ledger, repository, "highs-precede") == "not testable"


@pytest.mark.parametrize(
    "change", [{"horizons": (21, 5)}, {"horizons": (0, 5)}, {"estimation": (-60, 0)}, {"estimation": (-30, -6)}]
)
def test_settings_are_checked(change: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"horizons|estimation"):
        EventsSettings(**change)  # type: ignore[arg-type]
