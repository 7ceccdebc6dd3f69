"""The chapter on stability: what its figure, tables and sentences say of a ledger, and of one that holds no result."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures.stability import rolling_breaks
from analysis.market import catalog as catalogs
from analysis.market import collect, events, snapshot
from analysis.publish.chapters import stability as exhibits_stability
from analysis.publish.cite import anchor
from analysis.publish.values import field_text
from analysis.sources.simulated import MarketSpec
from analysis.study import config, prepare, run
from analysis.study.areas.stability import AREA
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.settings import StabilitySettings

BREAK = "2019-06-03"
Chapter = tuple[Inputs, Ledger]


@pytest.fixture(scope="module")
def full(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Chapter:
    """Run the area on a market in which the response of two assets doubles at one date."""
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    days = (dt.date(2017, 12, 18), dt.date(2022, 5, 9), dt.date(2023, 1, 3))
    study = config.load(repository / "data" / "studies" / "default.toml").model_copy(
        update={
            "chapter": False,
            "areas": ("stability",),
            "crypto": ("BTC", "SOL"),
            "stability": StabilitySettings(events=days, max_breaks=1),
        }
    )
    collected = collect.from_simulator(catalog, MarketSpec.nothing(end="2024-06-28"))
    root = tmp_path_factory.mktemp("chapter")
    frozen = snapshot.freeze(collected.series, catalog, root=root, kind="simulated", missing=collected.missing)
    declared = events.load(repository / "data" / "events.csv")
    given = prepare.prepare(study, frozen, catalog, events=declared)
    panels = {}
    for clock, aligned in given.panels.items():
        returns = aligned.returns.copy()
        returns["BTC"] += np.where(aligned.dates > pd.Timestamp(BREAK), 2.0, 0.0) * returns["RUT"]
        panels[clock] = dataclasses.replace(aligned, returns=returns)
    inputs = dataclasses.replace(given, panels=panels)
    families = [family for family in inputs.plan.families if family.calls[0].kind in AREA.runners]
    return inputs, Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, 99)))


@pytest.fixture(scope="module")
def empty(full: Chapter) -> Chapter:
    """The same plan when nothing could be computed."""
    inputs, ledger = full
    kept = [entry for entry in ledger.entries if not entry.family.endswith(".stretches")]
    gone = [
        Entry(
            id=entry.id, family=entry.family, method=entry.method, effect=entry.effect, cause=entry.cause,
            status="inapplicable", reason="the data are too short",
        )
        for entry in kept
    ]  # fmt: skip
    return inputs, Ledger(tuple(gone))


def test_figure_shows_path_break_and_events(full: Chapter) -> None:
    inputs, ledger = full
    figure = exhibits_stability.figures(ledger, inputs)["stability"]
    assert exhibits_stability.FIGURES == ("stability",)
    assert figure.svg.startswith(b"<?xml")
    marks = figure.data.groupby("mark").size().to_dict()
    assert marks["stretch"] == 2
    assert marks["break"] == 1
    assert marks["event"] == 3
    row = figure.data[figure.data["mark"] == "break"].iloc[0]
    assert row["first"] <= BREAK <= row["last"]
    assert row["date"] in figure.alt
    assert "250 sessions" in figure.caption
    assert figure.svg == exhibits_stability.figures(ledger, inputs)["stability"].svg


def test_figure_without_breaks_and_events_pauses_in_gaps() -> None:
    days = [
        str(day.date())
        for day in [*pd.bdate_range("2020-01-01", periods=40), *pd.bdate_range("2021-01-01", periods=40)]
    ]
    path = pd.DataFrame({"date": days, "estimate": 0.5, "lower": 0.1, "upper": 0.9})
    stretches = pd.DataFrame({"start": [days[0]], "end": [days[-1]], "estimate": [0.5]})
    nothing = pd.DataFrame(columns=["date", "first", "last"]), pd.DataFrame(columns=["date", "number"])
    figure = rolling_breaks(path, stretches, *nothing, name="x", caption="c", asset="Bitcoin")
    assert "No break is drawn" in figure.alt
    assert "0 declared events" in figure.alt


def test_tables_hold_every_asset_and_event_once(full: Chapter) -> None:
    inputs, ledger = full
    made = exhibits_stability.tables(ledger, inputs)
    assert list(made) == ["stability", "stability-stretches", "stability-events"]
    text = "".join(table.markdown() for table in made.values())
    for entry in ledger.entries:
        shown = text.count(f"#{anchor(entry.id)}}}")
        assert shown <= 1, entry.id
        if entry.family in ("stability-response", "stability-response.stretches", "stability-lead"):
            assert shown == 1, entry.id
    assert [row[0] for row in made["stability"].rows] == ["Bitcoin", "Solana"]
    assert made["stability"].rows[0][1] == "1"
    events_ = made["stability-events"].rows
    assert [row[1] for row in events_] == ["2017-12-18", "2022-05-09", "2023-01-03"]
    assert events_[0][2] == "First trading day of CME bitcoin futures"
    assert events_[0][5] == "0 of 1"
    assert events_[2][5] == "–"
    stretch = ledger.entry("stability-response.rut.btc.stretch2")
    assert field_text(stretch, "effect") in made["stability-stretches"].rows[1][3]
    assert "nan" not in text
    assert "None" not in text


def test_sentences_follow_the_ledger(full: Chapter) -> None:
    inputs, ledger = full
    said = exhibits_stability.sentences(ledger, inputs)
    assert said["answer"].startswith("The link between small caps and crypto is not constant")
    assert "breaks for 1 of 2 assets (Bitcoin)" in said["answer"]
    dated = ledger.entry("stability-response.rut.btc.break1")
    assert f"The break lies between {dated.start} and {dated.end}" in said["first"]
    for number in (1, 2):
        assert field_text(ledger.entry(f"stability-response.rut.btc.stretch{number}"), "effect") in said["first"]
    assert "could not be run" in said["events"]
    placebo = ledger.entry("event-placebo.response")
    assert field_text(placebo, "p_adj_equation") in said["placebo"]
    assert "is not found" in said["placebo"]


def test_an_adjusted_p_at_the_level_turns_the_words(full: Chapter) -> None:
    inputs, ledger = full
    changed = [
        dataclasses.replace(entry, pvalue=0.001, pvalue_adjusted=0.002)
        if entry.id == "event-placebo.response"
        else dataclasses.replace(entry, pvalue=0.9, pvalue_adjusted=0.9)
        if entry.family in ("stability-response", "stability-correlation", "stability-lead")
        else entry
        for entry in ledger.entries
    ]
    said = exhibits_stability.sentences(Ledger(tuple(changed)), inputs)
    assert "names no cause" in said["placebo"]
    assert said["answer"].startswith("No break in the link")


def test_absent_results_say_why(empty: Chapter) -> None:
    inputs, ledger = empty
    assert exhibits_stability.figures(ledger, inputs) == {}
    made = exhibits_stability.tables(ledger, inputs)
    assert "too short" in made["stability-stretches"].rows[0][0]
    assert all("n/a" in row[2] for row in made["stability"].rows)
    said = exhibits_stability.sentences(ledger, inputs)
    for name in ("answer", "first", "beside", "events", "placebo"):
        assert "the data are too short" in said[name], name
    assert "could not be compared" in said["lead-events"]
