"""The monitor: positions in history, gaps held to a plain loop, and readings that follow the declared rule."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.publish.chapters import monitor as exhibits_monitor
from analysis.sources.simulated import MarketSpec
from analysis.study import config, prepare, run
from analysis.study.areas import monitor
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Ledger]:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = config.load(repository / "data" / "studies" / "default.toml")
    study = study.model_copy(update={"chapter": False, "areas": ("monitor",), "crypto": ("BTC", "ETH")})
    collected = collect.from_simulator(catalog, MarketSpec.nothing())
    kept = {name: item for name, item in collected.series.items() if name != "UNRATE"}
    frozen = snapshot.freeze(
        kept, catalog, root=tmp_path_factory.mktemp("m"), kind="simulated", missing={"UNRATE": "withheld on purpose"}
    )
    inputs = prepare.prepare(study, frozen, catalog)
    families = [family for family in inputs.plan.families if family.name.startswith("monitor")]
    return inputs, Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, 99)))


def test_position_counts_ties_half() -> None:
    assert monitor.position(np.array([1.0, 2.0, 2.0, 3.0]), 2.0) == 0.5
    assert monitor.position(np.array([1.0, 2.0, 3.0, 4.0]), 4.0) == 0.875


def test_gaps_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    asset, small = rng.standard_normal((2, 90))
    horizon, window = 5, 40
    expected = []
    for last in range(window + horizon - 1, 90):
        before = slice(last - horizon - window + 1, last - horizon + 1)
        beta = np.cov(asset[before], small[before])[0, 1] / np.var(small[before], ddof=1)
        stretch = slice(last - horizon + 1, last + 1)
        expected.append(100 * (asset[stretch].sum() - beta * small[stretch].sum()))
    np.testing.assert_allclose(monitor.gap_path(asset, small, horizon=horizon, window=window), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("moved", "followed", "rank", "word"),
    [(2, 3, 0.5, "confirms"), (-2, -3, 0.2, "confirms"), (2, -1, 0.5, "undecided"), (2, 9, 0.95, "diverges")],
)
def test_reading_follows_the_rule(moved: float, followed: float, rank: float, word: str) -> None:
    assert monitor.reading(moved, followed, rank, 0.1) == word


def test_the_record_counts_from_the_whole_history(built: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = built
    close = inputs.snapshot.frame("RUT")["value"]
    entry = ledger.entry("monitor.record")
    assert entry.estimate == pytest.approx(100 * (close.iloc[-1] / close.max() - 1))
    past = ledger.entry("monitor.record.before")
    at = inputs.dates[-1 - inputs.config.monitor.back]
    assert past.estimate == pytest.approx(100 * (close[at] / close[:at].max() - 1))
    assert past.end == str(at.date())


def test_growth_and_differences_are_taken_over_their_sessions(built: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = built
    close = inputs.snapshot.frame("RUT")["value"]
    expected = 100 * (close[inputs.dates[-1]] / close[inputs.dates[-64]] - 1)
    assert ledger.entry("monitor.small-quarter").estimate == pytest.approx(expected)
    rate = inputs.panel("after", ("DFF",)).levels["DFF"]
    assert ledger.entry("monitor.policy-rate").estimate == pytest.approx(rate.iloc[-1] - rate.iloc[-64])


def test_a_later_value_changes_nothing_said_of_the_past(built: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = built
    family = next(item for item in inputs.plan.families if item.name == "monitor-watch")
    back = inputs.config.monitor.back
    cut = inputs.config.model_copy(update={"end": inputs.dates[-1 - back].date()})
    panels = {
        clock: dataclasses.replace(
            aligned,
            dates=aligned.dates[:-back],
            levels=aligned.levels.iloc[:-back],
            returns=aligned.returns.iloc[:-back],
            instants=aligned.instants.iloc[:-back],
        )
        for clock, aligned in inputs.panels.items()
    }
    earlier = dataclasses.replace(inputs, config=cut, panels=panels)
    for entry in run.run_family(family, earlier, 99):
        if entry.status == "ok" and ".before" not in entry.id:
            name = entry.id.replace(".rank", ".before.rank") if entry.id.endswith(".rank") else f"{entry.id}.before"
            assert ledger.entry(name).estimate == pytest.approx(entry.estimate), name


def test_a_series_that_is_absent_says_so(built: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = built
    entry = ledger.entry("monitor.jobs")
    assert entry.status == "inapplicable"
    assert entry.reason == "withheld on purpose"
    rows = exhibits_monitor.tables(ledger, inputs)["monitor-watch"].rows
    assert any("withheld on purpose" in cell for row in rows for cell in row)


def test_pages_say_what_the_ledger_holds(built: tuple[Inputs, Ledger]) -> None:
    inputs, ledger = built
    words = exhibits_monitor.sentences(ledger, inputs)
    gap = ledger.entry("monitor.link.btc.21.gap")
    assert gap.summary.split(":")[0] in {"confirms", "diverges", "undecided"}
    assert "percent (log returns)" in words["answer"]
    unusual = [
        item.title
        for item in inputs.config.monitor.watched
        if (entry := ledger.entry(f"monitor.{item.name}")).status == "ok"
        and not 0.1 <= (ledger.entry(f"{entry.id}.rank").estimate or 0.0) <= 0.9
    ]
    assert all(title in words["answer"] for title in unusual)
    drawn = exhibits_monitor.figures(ledger, inputs)
    assert set(drawn) == set(exhibits_monitor.FIGURES)
    assert pd.isna(drawn["monitor-positions"].data.set_index("title").loc["Unemployment over a year", "rank"])
