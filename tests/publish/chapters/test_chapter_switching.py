"""The chapter on calm and turbulence: every number from the ledger, every anchor once, and words for what is absent."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from switching_world import families, ledger, prepared

from analysis.publish.anchors import marked
from analysis.publish.chapters import switching as exhibits
from analysis.publish.values import field_text, format_value
from analysis.study.areas.switching_data import VARIABLES
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger

ANCHOR = re.compile(r"\]\{#([^}]+)\}")


@pytest.fixture(scope="module")
def world(repository: Path) -> tuple[Ledger, Inputs]:
    return ledger(repository), prepared(repository)


def test_every_tested_result_stands_in_one_place(world: tuple[Ledger, Inputs]) -> None:
    found, inputs = world
    text = "\n".join(table.markdown() for table in exhibits.tables(found, inputs).values())
    anchors = ANCHOR.findall(text)
    assert len(anchors) == len(set(anchors))
    for name in families(inputs):
        for entry in found.family(name):
            assert marked(entry, field_text(entry, "p_adj")) in text, entry.id
    assert "nan" not in text.lower().replace("financial", "")


def test_tables_have_a_row_an_asset_and_a_sample_size(world: tuple[Ledger, Inputs]) -> None:
    found, inputs = world
    made = exhibits.tables(found, inputs)
    assert all(name == table.name and name.startswith("switching-") for name, table in made.items())
    for name, table in made.items():
        rows = 2 * len(VARIABLES) if name == "switching-levels" else len(inputs.plan.crypto)
        assert len(table.rows) == rows
        assert table.columns[-1].header == "N"
        assert all(re.fullmatch(r"[\d,]+", row[-1]) for row in table.rows)


def test_the_figure_shows_the_chance_and_the_correlation_of_the_ledger(world: tuple[Ledger, Inputs]) -> None:
    found, inputs = world
    figure = exhibits.figures(found, inputs)["switching-turbulence"]
    assert figure.name in exhibits.FIGURES
    assert list(figure.data["date"]) == list(inputs.dates.strftime("%Y-%m-%d"))
    history = found.entry("switching-state.small.history")
    assert np.nanmean(figure.data["turbulent"]) == pytest.approx(history.estimate)
    last = figure.data["correlation"].dropna().iloc[-1]
    assert last == pytest.approx(found.entry("switching-state.small.rolling").estimate, abs=1e-4)
    assert figure.svg == exhibits.figures(found, inputs)["switching-turbulence"].svg
    assert f"{last:.2f} at the end" in figure.alt


def test_the_answer_follows_the_ledger(world: tuple[Ledger, Inputs]) -> None:
    found, inputs = world
    words = exhibits.sentences(found, inputs)
    asset = inputs.plan.crypto[0]
    inside = found.entry(f"switching-state.small.correlation.rut.{asset.lower()}.inside")
    assert field_text(inside, "effect") in words["answer"]
    total = format_value(len(inputs.plan.crypto), "count")
    assert f"of {total} assets" in words["answer"]
    # The world has a lead that holds while liquidity grows, and the words must say so.
    assert "the lead changes at some level of" in words["thresholds"]
    assert f"growth of net liquidity (1 of {total} assets alone" in words["thresholds"]
    nothing = tuple(
        dataclasses.replace(entry, pvalue_adjusted=1.0) if entry.pvalue_adjusted is not None else entry
        for entry in found.entries
    )
    none = exhibits.sentences(Ledger(nothing), inputs)
    assert "no level of any variable is found at which the lead changes" in none["thresholds"]
    assert f"none of {total} assets and the lead for none of {total}" in none["answer"]
    assert asset not in none["hidden"]
    everything = tuple(
        dataclasses.replace(entry, pvalue_adjusted=entry.pvalue and min(entry.pvalue, 0.01), pvalue=0.001)
        if entry.pvalue_adjusted is not None
        else entry
        for entry in found.entries
    )
    whole = exhibits.sentences(Ledger(everything), inputs)
    assert f"the correlation differs for {total} of {total} assets" in whole["answer"]
    assert "turbulence)" in whole["states"]
    assert all(inputs.label(name) in whole["hidden"] for name in inputs.plan.crypto)


def test_what_is_absent_says_why(world: tuple[Ledger, Inputs]) -> None:
    found, inputs = world
    gone = tuple(
        dataclasses.replace(
            entry,
            status="inapplicable",
            reason="the series is not there",
            result="",
            **dict.fromkeys(
                ("statistic", "pvalue", "pvalue_adjusted", "estimate", "lower", "upper", "level", "nobs"), None
            ),
        )
        for entry in found.entries
    )
    absent = Ledger(gone)
    assert exhibits.figures(absent, inputs) == {}
    assert "the series is not there" in exhibits.sentences(absent, inputs)["answer"]
    for table in exhibits.tables(absent, inputs).values():
        text = table.markdown()
        assert "the series is not there" in text or "n/a" in text


def test_a_direction_needs_an_interval_that_has_one(world: tuple[Ledger, Inputs]) -> None:
    found, inputs = world
    name = "switching-state.small.lead."

    def said(low: float, high: float) -> str:
        rows = tuple(
            dataclasses.replace(entry, pvalue_adjusted=0.001, estimate=0.5, lower=low, upper=high)
            if entry.id.startswith(name) and entry.pvalue_adjusted is not None
            else entry
            for entry in found.entries
        )
        return exhibits.sentences(Ledger(rows), inputs)["states"].partition("the lead for")[2]

    assert "(higher in turbulence)" in said(0.1, 0.9).partition(".")[0]
    unclear = said(-0.1, 1.1).partition(".")[0]
    assert "without a clear direction" in unclear
    assert "higher" not in unclear
