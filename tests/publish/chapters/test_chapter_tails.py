"""The exhibits on falling together: words follow the ledger, absent results say why, anchors are unique."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures.tails import Panel, contrasts
from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.publish.chapters import tails as exhibits_tails
from analysis.sources.simulated import MarketSpec
from analysis.study import config, prepare, run
from analysis.study.areas.tails import AREA
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger

TABLES = {"tails", "tails-moves", "tails-beta", "tails-state", "tails-states"}


@pytest.fixture(scope="module")
def inputs(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = config.load(repository / "data" / "studies" / "default.toml").model_copy(
        update={"chapter": False, "areas": ("tails",), "crypto": ("BTC", "ETH")}
    )
    collected = collect.from_simulator(catalog, MarketSpec.nothing())
    root = tmp_path_factory.mktemp("tails-exhibits")
    frozen = snapshot.freeze(collected.series, catalog, root=root, kind="simulated", missing=collected.missing)
    return prepare.prepare(study, frozen, catalog)


@pytest.fixture(scope="module")
def ledger(inputs: Inputs) -> Ledger:
    entries: list[Entry] = []
    for family in inputs.plan.families:
        if family.calls[0].kind in AREA.runners:
            entries += run.run_family(family, inputs, 99)
    return Ledger(tuple(entries))


def changed(ledger: Ledger, family: str, **values: object) -> Ledger:
    return Ledger(
        tuple(dataclasses.replace(e, **values) if e.family == family else e for e in ledger.entries)  # type: ignore[arg-type]
    )


def absent(ledger: Ledger, prefix: str) -> Ledger:
    """Return a ledger in which the tests of a family do not apply, and have no parts."""
    entries = []
    for entry in ledger.entries:
        if entry.family == prefix:
            entries.append(
                Entry(
                    id=entry.id, family=entry.family, status="inapplicable", reason="no such data", method=entry.method,
                    effect=entry.effect, cause=entry.cause, clock=entry.clock, state=entry.state,
                )
            )  # fmt: skip
        elif not entry.family.startswith(f"{prefix}."):
            entries.append(entry)
    return Ledger(tuple(entries))


def test_every_declared_exhibit_is_made(ledger: Ledger, inputs: Inputs, repository: Path) -> None:
    assert set(exhibits_tails.figures(ledger, inputs)) == set(exhibits_tails.FIGURES)
    assert set(exhibits_tails.tables(ledger, inputs)) == TABLES
    text = (repository / "reports" / "_tails.qmd").read_text(encoding="utf-8")
    assert {f"_tbl-{name}.md" for name in TABLES} == set(re.findall(r"_tbl-[a-z-]+\.md", text))
    used = set(re.findall(r"var tails\.([a-z-]+)", text))
    assert used == set(exhibits_tails.sentences(ledger, inputs))


def test_anchors_are_unique_and_tables_hold_n(ledger: Ledger, inputs: Inputs) -> None:
    made = exhibits_tails.tables(ledger, inputs)
    anchors = re.findall(
        r"\{#([^}]+)\}", "".join("".join(cell for row in t.rows for cell in row) for t in made.values())
    )
    assert len(anchors) == len(set(anchors))
    assert [column.header for column in made["tails"].columns][-1] == "N"
    for table in made.values():
        assert len(table.rows) == 2
        assert not re.search(r"\bnan\b|None|\binf\b", table.markdown())


def test_figure_shows_the_ledgers_numbers(ledger: Ledger, inputs: Inputs) -> None:
    figure = exhibits_tails.figures(ledger, inputs)["tails"]
    assert figure.svg == exhibits_tails.figures(ledger, inputs)["tails"].svg
    row = figure.data.query("panel == 'extremes' and kind == 'filled'").iloc[0]
    entry = ledger.entry("tail-asymmetry.rut.btc.after.falls")
    assert (row["estimate"], row["lower"], row["upper"]) == (entry.estimate, entry.lower, entry.upper)
    assert row["yardstick"] == ledger.entry("tail-asymmetry.rut.btc.after.gaussian").estimate
    assert "one row for each asset" in figure.alt


def test_the_answer_follows_the_ledger(ledger: Ledger, inputs: Inputs) -> None:
    none = ledger
    tight = ("downside-state.tight_conditions", "downside-within.tight_conditions")
    for family in ("tail-asymmetry", "covar", "exceedance", "downside-beta", *tight):
        none = changed(none, family, estimate=0.2, lower=-0.1, upper=0.5, level=0.95, pvalue=0.2, pvalue_adjusted=0.3)
    words = exhibits_tails.sentences(none, inputs)
    assert "not found to be extreme together more often in falls" in words["answer"]
    assert "nor is crypto found to follow falls more closely" in words["answer"]
    assert "for 2 of 2 assets as estimated, and for none of them beyond chance" in words["extremes"]

    strong = {"estimate": 0.2, "lower": 0.1, "upper": 0.3, "level": 0.95, "pvalue": 0.001, "pvalue_adjusted": 0.01}
    found = exhibits_tails.sentences(changed(none, "tail-asymmetry", **strong), inputs)
    assert "more often in falls than in rises for 2 of 2 assets after correction" in found["answer"]
    assert "crypto is not found to follow falls more closely" in found["answer"]
    both = changed(changed(none, "tail-asymmetry", **strong), "downside-state.tight_conditions", **strong)
    assert "crypto follows falls more closely for 2 of 2" in exhibits_tails.sentences(both, inputs)["answer"]

    assert "After correction" not in words["answer"]
    tail = exhibits_tails.sentences(changed(none, "covar", **strong), inputs)["answer"]
    assert tail.endswith("After correction, the tail of crypto moves further in falls for 2 of 2 assets.")

    weak = {"estimate": -0.2, "lower": -0.3, "upper": -0.1, "level": 0.95, "pvalue": 0.001, "pvalue_adjusted": 0.01}
    turned = exhibits_tails.sentences(changed(changed(none, "downside-beta", **weak), "tail-asymmetry", **weak), inputs)
    assert "joint extremes are more frequent in rises for 2 of 2" in turned["answer"]
    assert "the upside beta is the larger for 2 of 2 assets" in turned["answer"]
    against = turned["beta"]
    assert "above the upside beta for 0 of 2 assets" in against
    assert "the other way round" in against


def test_absent_results_say_why(ledger: Ledger, inputs: Inputs) -> None:
    bare = ledger
    for family in ("downside-state.tight_conditions", "downside-within.tight_conditions"):
        bare = absent(bare, family)
    table = exhibits_tails.tables(bare, inputs)["tails-state"]
    assert all("inapplicable: no such data" in row[3] for row in table.rows)
    words = exhibits_tails.sentences(bare, inputs)
    assert "cannot be tested here" in words["answer"]
    assert "no such data" in words["state"]
    for family in FAMILIES:
        bare = absent(bare, family)
    assert exhibits_tails.figures(bare, inputs) == {}
    nothing = exhibits_tails.sentences(bare, inputs)
    assert nothing["answer"] == "These data do not allow a comparison of joint falls with joint rises."
    assert nothing["copula"] == "No t copula could be fitted."
    for table in exhibits_tails.tables(bare, inputs).values():
        assert "n/a" in table.markdown()


FAMILIES = (
    "tail-asymmetry", "tail-asymmetry-before", "tail-copula", "exceedance", "covar", "covar-reverse", "downside-beta",
    "downside-beta-conditional",
)  # fmt: skip


def test_figure_of_missing_numbers_is_drawn_and_described() -> None:
    panels = (Panel("one", "One", "units", "falls", "rises"), Panel("two", "Two", "units", "falls", "rises"))
    rows = [
        {"label": label, "panel": "one", "kind": kind, "estimate": value, "lower": value - 1, "upper": value + 1}
        for label, values in (("A", (2.0, 1.0)), ("B", (np.nan, 1.0)))
        for kind, value in zip(("filled", "open"), values, strict=True)
    ]
    figure = contrasts(pd.DataFrame(rows).assign(yardstick=np.nan), panels, name="x", caption="y")
    assert b"<svg" in figure.svg
    assert "falls lies above rises in 1 of 1 rows" in figure.alt
    assert "Two: no row has both estimates." in figure.alt
