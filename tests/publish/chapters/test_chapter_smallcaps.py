"""The exhibits on small caps say what the ledger says: numbers, directions, and every absence with its reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.publish.chapters import smallcaps as exhibits
from analysis.publish.values import field_text
from analysis.sources.simulated import MarketSpec
from analysis.study import config, prepare, run
from analysis.study.areas import smallcaps
from analysis.study.areas.smallcaps_profitability import SORTED
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger

Made = tuple[Ledger, Inputs]
READ = [
    "RUT",
    "SPX",
    "SP500",
    "VIX",
    "DGS2",
    "DGS10",
    "BAMLH0A0HYM2",
    "DTWEXBGS",
    "IWM",
    "SPY",
    "BTC",
    "ETH",
    "FF_MKTRF",
    "FF_SMB",
    "FF_RMW",
    "FF_SMALL_HIOP",
    "FF_SMALL_LOOP",
]


def make(repository: Path, folder: Path, without: set[str]) -> Made:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    loaded = config.load(repository / "data" / "studies" / "default.toml")
    changes = {"areas": ("smallcaps",), "chapter": False, "crypto": ("BTC", "ETH"), "states": ()}
    study = loaded.model_copy(update=changes)
    drawn = collect.from_simulator(catalog, MarketSpec(start="2019-01-01", end="2023-12-29")).series
    series = {name: raw for name, raw in drawn.items() if name in READ and name not in without}
    inputs = prepare.prepare(study, snapshot.freeze(series, catalog, root=folder, kind="simulated"), catalog)
    families = [family for family in inputs.plan.families if family.calls[0].kind in smallcaps.AREA.runners]
    return Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, 99))), inputs


@pytest.fixture(scope="module")
def whole(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(repository, tmp_path_factory.mktemp("whole"), set())


@pytest.fixture(scope="module")
def poor(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(repository, tmp_path_factory.mktemp("poor"), {"IWM", "SPY", "VIX", "VIXCLS", "SPX", *SORTED, "FF_RMW"})


@pytest.fixture(params=["whole", "poor"])
def made(request: pytest.FixtureRequest) -> Made:
    return request.getfixturevalue(request.param)


def anchors(made: Made) -> list[str]:
    return [mark for table in exhibits.tables(*made).values() for mark in re.findall(r"\{#([^}]+)\}", table.markdown())
            if not mark.startswith("tbl-")]  # fmt: skip


def test_every_result_has_one_place_and_no_more(made: Made) -> None:
    marks = anchors(made)
    assert len(marks) == len(set(marks))
    assert len(marks) == len(made[0].entries)


def test_nothing_reads_as_missing_without_a_word(made: Made) -> None:
    tables = "".join(table.markdown() for table in exhibits.tables(*made).values())
    text = tables + " ".join(exhibits.sentences(*made).values())
    assert not re.search(r"\b(nan|None|inf)\b", text)
    assert "{}" not in text


def test_figures_are_those_declared_and_drawn_from_the_ledger(whole: Made) -> None:
    figures = exhibits.figures(*whole)
    assert tuple(figures) == exhibits.FIGURES
    data = figures["smallcaps-shocks"].data.set_index("label")
    ledger, inputs = whole
    entry = ledger.entry("sensitivity.study.beta.vix")
    row = data.loc[inputs.label("VIX")]
    assert (row["further"], row["further_lower"]) == (entry.estimate, entry.lower)
    assert row["small"] == ledger.entry("sensitivity.study.beta.vix.small").estimate
    assert row["large"] == ledger.entry("sensitivity.study.beta.vix.large").estimate
    loadings = figures["smallcaps-profitability"]
    assert loadings.data["past"].tolist() == [
        ledger.entry(f"profitability.lead.{asset}.bivariate").estimate for asset in ("btc", "eth")
    ]
    assert "sorted by profitability" in loadings.caption
    for figure in figures.values():
        assert figure.svg.startswith(b"<?xml")
        assert exhibits.figures(*whole)[figure.name].svg == figure.svg


def test_the_answer_gives_both_ratios_and_every_shock(whole: Made) -> None:
    ledger, inputs = whole
    answer = exhibits.sentences(*whole)["answer"]
    for name in ("volatility", "illiquidity"):
        assert field_text(ledger.entry(f"sensitivity.study.{name}"), "effect") in answer
    for shock in ("DGS2", "DGS10", "BAMLH0A0HYM2", "VIX"):
        assert inputs.label(shock).lower() in answer.lower()
    assert "further than large caps for" in answer


def test_what_is_missing_is_said_with_its_reason(poor: Made) -> None:
    said = exhibits.sentences(*poor)
    assert "could not be run (not in the data: IWM, SPY)" in said["answer"]
    assert "could not be compared" in said["answer"]
    assert "6_Portfolios_ME_OP_2x3_daily" in said["profitability"]
    assert "missing too" in said["profitability"]
    assert "smallcaps-profitability" not in exhibits.figures(*poor)
    assert (
        "not run, because FF_SMALL_HIOP and FF_SMALL_LOOP missing" in exhibits.tables(*poor)["smallcaps-sorted"].caption
    )


def test_the_factor_is_drawn_where_the_portfolios_are_missing(repository: Path, tmp_path: Path) -> None:
    made = make(repository, tmp_path, set(SORTED))
    figure = exhibits.figures(*made)["smallcaps-profitability"]
    assert "factor of all sizes" in figure.caption
    said = exhibits.sentences(*made)["profitability"]
    assert said.startswith("Whether crypto follows profitable small caps and unprofitable small caps cannot be tested")
    assert "Among shares of all sizes" in said
