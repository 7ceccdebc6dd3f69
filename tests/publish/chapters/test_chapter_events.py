"""The chapter after record highs: what its figure, tables and sentences say of a ledger, and of an empty one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures.events import paths
from analysis.market import catalog as catalogs
from analysis.market import collect, events, snapshot
from analysis.publish.chapters import events as exhibits_events
from analysis.publish.cite import anchor
from analysis.publish.values import field_text
from analysis.sources.simulated import MarketSpec
from analysis.study import config, prepare, run
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.settings import EventsSettings

CRYPTO = ("BTC", "ETH", "LTC", "AVAX")


def chapter(repository: Path, folder: Path, **changes: int) -> tuple[Inputs, Ledger]:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    options = {"history_sessions": 250, "merge_sessions": 5, "horizons": (5, 21), "neighbours": 40} | changes
    update = {
        "areas": ("events",),
        "chapter": False,
        "crypto": CRYPTO,
        "events": EventsSettings(**options),  # type: ignore[arg-type]
    }
    study = config.load(repository / "data" / "studies" / "default.toml").model_copy(update=update)
    collected = collect.from_simulator(catalog, MarketSpec.nothing())
    frozen = snapshot.freeze(collected.series, catalog, root=folder, kind="simulated", missing=collected.missing)
    declared = events.load(repository / "data" / "events.csv")
    inputs = prepare.prepare(study, frozen, catalog, events=declared)
    families = [family for family in inputs.plan.families if family.calls[0].kind.startswith("event-")]
    return inputs, Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, 99)))


@pytest.fixture(scope="module")
def full(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Ledger]:
    return chapter(repository, tmp_path_factory.mktemp("events"))


@pytest.fixture(scope="module")
def empty(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Ledger]:
    return chapter(repository, tmp_path_factory.mktemp("none"), history_sessions=9000)


def test_tables_show_every_entry_once(full: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = full
    made = exhibits_events.tables(ledger, inputs)
    assert set(made) == {
        "events", "events-altcoins", "events-twins", "events-episodes", "events-declared",
    }  # fmt: skip
    text = "\n".join(table.markdown() for table in made.values())
    for word in ("nan", "None", "inf"):
        assert word not in text.replace("information", "")
    for family in ("events-bitcoin", "events-altcoins", "events-market", "events-spaced", "events-declared"):
        for entry in ledger.family(family):
            if family == "events-market" and entry.effect not in ("BTC", "BASKET"):
                continue
            assert text.count(f"{{#{anchor(entry.id)}}}") == 1, entry.id
    main = made["events"].markdown()
    entry = ledger.entry("event.rut.btc.h21")
    assert field_text(entry, "effect") in main
    assert field_text(entry, "p_adj") in main
    assert "Detectable" in main


def test_sentences_come_from_the_ledger(full: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = full
    said = exhibits_events.sentences(ledger, inputs)
    entry = ledger.entry("event.rut.btc.h21")
    assert field_text(entry, "effect") in said["answer"]
    assert field_text(entry, "p_adj_equation") in said["answer"]
    assert "can be told from chance" in said["answer"]
    assert "5 sessions and" in said["power"]
    assert "episodes of record closes" in said["episodes"]
    assert "Bitcoin differs" in said["run-up"]
    assert all(text.endswith(".") and ".." not in text for text in said.values())


def test_the_figure_names_its_assets_and_counts(full: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = full
    figure = exhibits_events.figures(ledger, inputs)["events"]
    assert figure.name in exhibits_events.FIGURES
    assert list(figure.data["label"].unique()) == ["Bitcoin", "Altcoin basket"]
    assert "percent against" in figure.alt
    assert figure.svg == exhibits_events.figures(ledger, inputs)["events"].svg


def test_without_records_every_exhibit_says_why(empty: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = empty
    assert exhibits_events.figures(ledger, inputs) == {}
    for table in exhibits_events.tables(ledger, inputs).values():
        assert "nan" not in table.markdown()
    said = exhibits_events.sentences(ledger, inputs)
    assert "cannot be tested: RUT set no record" in said["answer"]
    assert "could not be run" in said["usual"]
    assert "nothing can be said about its power" in said["power"]


def test_a_path_outside_the_band_is_said_to_be() -> None:
    offsets = np.array([1, 11, 21])
    rows = pd.DataFrame(
        {
            "label": "Bitcoin", "offset": offsets, "average": [1.0, 8.0, 30.0], "matched": [0.0, 1.0, 2.0],
            "lower": [-3.0, -8.0, -12.0], "upper": [3.0, 10.0, 16.0], "nobs": [9, 9, 8],
        }
    )  # fmt: skip
    figure = paths(rows, name="x", caption="c", level="95%")
    assert "leaves the band at 33% of sessions" in figure.alt
    assert "30 percent against 2 percent" in figure.alt
    inside = paths(rows.assign(average=1.0), name="x", caption="c", level="95%")
    assert "stays inside the band throughout" in inside.alt
