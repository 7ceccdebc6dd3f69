"""The hourly demonstration on simulated markets: the same path, three readings, and only one of them fakes a lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.publish.chapters import clock as exhibits_clock
from analysis.sources.simulated import MarketSpec
from analysis.study import config, prepare, run
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant


def _study(spec: MarketSpec, repository: Path, folder: Path, without: str = "") -> tuple[Inputs, Ledger]:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = config.load(repository / "data" / "studies" / "default.toml")
    study = study.model_copy(update={"chapter": False, "areas": ("clock",), "crypto": ("BTC", "ETH")})
    series = collect.from_simulator(catalog, spec).series
    kept = {name: item for name, item in series.items() if name != without}
    inputs = prepare.prepare(study, snapshot.freeze(kept, catalog, root=folder, kind="simulated"), catalog)
    families = [family for family in inputs.plan.families if family.name.startswith("clock-")]
    return inputs, Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, 199)))


@pytest.fixture(scope="module")
def nothing(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Ledger]:
    return _study(MarketSpec(), repository, tmp_path_factory.mktemp("nothing"))


def test_without_any_lead_only_the_earlier_midnight_shows_one(nothing: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = nothing
    level = inputs.config.level
    assert not is_significant(ledger.entry("clock-lead.rut.btc.close"), level)
    assert not is_significant(ledger.entry("clock-lead.rut.btc.after"), level)
    assert is_significant(ledger.entry("clock-lead.rut.btc.before"), level)


def test_the_correlation_moves_to_the_next_row(nothing: tuple[Inputs, Ledger]) -> None:
    _, ledger = nothing
    same, later = (ledger.entry(f"clock.rut.btc.{reading}.lag-0").estimate for reading in ("close", "before"))
    moved = ledger.entry("clock.rut.btc.before.lag-1").estimate
    assert same is not None
    assert later is not None
    assert moved is not None
    assert same > 0.2
    assert moved > 0.7 * same
    assert abs(later) < 0.5 * same


def test_every_reading_rests_on_the_same_sessions(nothing: tuple[Inputs, Ledger]) -> None:
    _, ledger = nothing
    counts = {ledger.entry(f"clock-lead.rut.btc.{reading}").nobs for reading in ("close", "after", "before")}
    assert len(counts) == 1


def test_the_page_says_what_the_tests_found(nothing: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = nothing
    words = exhibits_clock.sentences(ledger, inputs)["answer"]
    assert "reports a lead of small caps" in words
    assert "where the close shows none" in words
    # The hourly file and the daily bars may come from two vendors.
    assert "the same prices" not in words
    assert set(exhibits_clock.figures(ledger, inputs)) == {"clock-readings"}
    assert len(exhibits_clock.tables(ledger, inputs)["clock-readings"].rows) == 6


def test_a_planted_lead_is_seen_at_the_close_too(repository: Path, tmp_path: Path) -> None:
    inputs, ledger = _study(MarketSpec(lead_asset="BTC", lead_strength=0.6), repository, tmp_path)
    assert is_significant(ledger.entry("clock-lead.rut.btc.close"), inputs.config.level)
    assert not is_significant(ledger.entry("clock-lead.rut.eth.close"), inputs.config.level)


def test_without_hourly_prices_the_reason_is_given(repository: Path, tmp_path: Path) -> None:
    inputs, ledger = _study(MarketSpec.nothing(), repository, tmp_path, without="BTC_AT_CLOSE")
    entry = ledger.entry("clock.rut.btc.close")
    assert entry.status == "inapplicable"
    assert "no hourly prices of BTC" in entry.reason
    rows = exhibits_clock.tables(ledger, inputs)["clock-readings"].rows
    assert len(rows) == 6
    assert any("no hourly prices of BTC" in cell for row in rows for cell in row)
