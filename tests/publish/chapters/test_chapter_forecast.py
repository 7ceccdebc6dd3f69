"""The exhibits on forecasts: words follow the ledger, absent results say why, anchors are unique."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures.forecast import _apart, gain_path
from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.publish.chapters import forecast as exhibits_forecast
from analysis.sources.simulated import MarketSpec
from analysis.study import config, prepare, run
from analysis.study.areas.forecast import AREA
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger

TABLES = {"forecast-gain", "forecast-more", "forecast-timing", "forecast-rules"}


@pytest.fixture(scope="module")
def inputs(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    study = config.load(repository / "data" / "studies" / "default.toml").model_copy(
        update={"chapter": False, "areas": ("forecast",), "crypto": ("BTC", "ETH")}
    )
    series = collect.from_simulator(catalog, MarketSpec.nothing()).series
    root = tmp_path_factory.mktemp("forecast-exhibits")
    return prepare.prepare(study, snapshot.freeze(series, catalog, root=root, kind="simulated"), catalog)


def _run(inputs: Inputs) -> Ledger:
    families = [family for family in inputs.plan.families if family.calls[0].kind in AREA.runners]
    return Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, 99)))


@pytest.fixture(scope="module")
def ledger(inputs: Inputs) -> Ledger:
    return _run(inputs)


@pytest.fixture(scope="module")
def empty(inputs: Inputs) -> tuple[Ledger, Inputs]:
    """Return a study whose history is too short for any forecast."""
    settings = inputs.config.forecast.model_copy(update={"window": 5000})
    young = dataclasses.replace(inputs, config=inputs.config.model_copy(update={"forecast": settings}))
    return _run(young), young


def changed(ledger: Ledger, family: str, **values: object) -> Ledger:
    return Ledger(
        tuple(dataclasses.replace(e, **values) if e.family == family else e for e in ledger.entries)  # type: ignore[arg-type]
    )


def test_all_figures_and_tables_are_there_with_unique_anchors(ledger: Ledger, inputs: Inputs) -> None:
    figures, tables = exhibits_forecast.figures(ledger, inputs), exhibits_forecast.tables(ledger, inputs)
    assert set(figures) == set(exhibits_forecast.FIGURES)
    assert set(tables) == TABLES
    text = "".join(table.markdown() for table in tables.values())
    anchors = re.findall(r"\{#(r-[^ }]+|[^ }]*forecast\.[^ }]+)", text)
    assert anchors
    assert len(anchors) == len(set(anchors))
    assert not re.search(r"\bnan\b|None|\binf\b", text)
    for figure in figures.values():
        assert figure.alt.endswith(".")
        assert not figure.data.empty


def test_the_page_names_every_exhibit(repository: Path) -> None:
    page = (repository / "reports" / "_forecast.qmd").read_text(encoding="utf-8")
    for name in exhibits_forecast.FIGURES:
        assert f"_fig-{name}.md" in page
    for name in TABLES:
        assert f"_tbl-{name}.md" in page
    library = (repository / "reports" / "references.bib").read_text(encoding="utf-8")
    for key in set(re.findall(r"@([a-z]+\d{4})", page)):
        assert f"{{{key}," in library


def test_the_path_ends_at_the_out_of_sample_r2(ledger: Ledger, inputs: Inputs) -> None:
    frame = exhibits_forecast.figures(ledger, inputs)["forecast-path"].data
    for scheme, label in (("expanding", "growing window"), ("rolling", "rolling window")):
        entry = ledger.entry(f"forecast.h1-{scheme}-own.rut.btc")
        rows = frame[frame["label"] == label]
        assert rows["gain"].iloc[-1] == pytest.approx(entry.estimate)
        assert len(rows) == entry.nobs
        assert rows["date"].is_monotonic_increasing
        # The first outcome is that of the session after the first origin.
        assert rows["date"].iloc[0] == str(inputs.dates[inputs.dates.get_loc(entry.start) + 1].date())


def test_the_answer_counts_what_stands_correction(ledger: Ledger, inputs: Inputs) -> None:
    words = exhibits_forecast.sentences(ledger, inputs)["answer"]
    assert "for none of 2 assets" in words
    found = changed(ledger, "forecast-h1-expanding-own", pvalue=0.001, pvalue_adjusted=0.001)
    assert "forecasts of the next session for 2 of 2 assets" in exhibits_forecast.sentences(found, inputs)["answer"]
    paid = changed(ledger, "forecast-timing-long-10", pvalue=0.001, pvalue_adjusted=0.001)
    assert "net of costs for 2 of 2 assets" in exhibits_forecast.sentences(paid, inputs)["answer"]
    assert "long or flat at 10 basis points, 2 of 2" in exhibits_forecast.sentences(paid, inputs)["rules"]
    far = changed(ledger, "forecast-too-small", pvalue=0.001, pvalue_adjusted=0.001, lower=0.1, upper=2.0, estimate=1.0)
    assert "for none of 2 assets the data rule out" in exhibits_forecast.sentences(far, inputs)["answer"]
    useful = f"{100 * inputs.config.forecast.smallest_gain:g}%"
    assert f"a gain in accuracy of {useful}, the smallest that the study declares useful" in words


def test_the_level_of_the_intervals_is_that_of_the_study(ledger: Ledger, inputs: Inputs) -> None:
    wide = dataclasses.replace(inputs, config=inputs.config.model_copy(update={"level": 0.1}))
    for study, level in ((inputs, "95%"), (wide, "90%")):
        made = exhibits_forecast.tables(ledger, study)
        assert f"R² over own past, {level} interval" in made["forecast-gain"].columns[1].header
        assert f"{level} bootstrap intervals" in exhibits_forecast.figures(ledger, study)["forecast-gain"].caption


def test_absent_results_say_why(empty: tuple[Ledger, Inputs]) -> None:
    ledger, inputs = empty
    assert set(exhibits_forecast.figures(ledger, inputs)) == {"forecast-gain"}
    tables = exhibits_forecast.tables(ledger, inputs)
    for name in ("forecast-gain", "forecast-timing"):
        assert "training rows" in tables[name].rows[0][0]
        assert set(tables[name].rows[0][-1:]) == {"n/a"}
    words = exhibits_forecast.sentences(ledger, inputs)
    assert "could not be forecast" in words["first"]
    assert "cannot be judged here" in words["answer"]
    assert "training rows" in words["answer"]


def test_lines_that_end_close_get_labels_apart() -> None:
    placed = _apart({"a": 0.0, "b": 0.01, "c": -1.0}, 0.1)
    assert placed["c"] == -1.0
    assert placed["b"] - placed["a"] == pytest.approx(0.1)
    dates = pd.bdate_range("2020-01-01", periods=50).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"label": "growing window", "date": dates, "gain": np.linspace(0, -1, 50)})
    figure = gain_path(frame, name="x", caption="y", asset="Bitcoin")
    assert figure.svg == gain_path(frame, name="x", caption="y", asset="Bitcoin").svg
    assert "ends at -1.00%" in figure.alt
