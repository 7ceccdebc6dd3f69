"""The exhibits on spillover say what the ledger says, in words its numbers allow, and every absence with its reason."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.publish.chapters import spillover as exhibits
from analysis.publish.values import field_text
from analysis.sources.simulated import MarketSpec
from analysis.study import config, prepare, run
from analysis.study.areas import spillover
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger

Made = tuple[Ledger, Inputs]
CRYPTO = ("BTC", "ETH", "LTC", "XRP", "ADA")


def make(repository: Path, folder: Path, crypto: tuple[str, ...], controls: tuple[str, ...]) -> Made:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    loaded = config.load(repository / "data" / "studies" / "default.toml")
    settings = loaded.spillover.model_copy(update={"rolling_limits": 2})
    update = {"areas": ("spillover",), "chapter": False, "states": (), "crypto": crypto, "controls": controls}
    study = loaded.model_copy(update=update | {"spillover": settings})
    drawn = collect.from_simulator(catalog, MarketSpec(start="2019-01-01", end="2023-12-29")).series
    series = {name: raw for name, raw in drawn.items() if name in {"RUT", *controls, *crypto}}
    inputs = prepare.prepare(study, snapshot.freeze(series, catalog, root=folder, kind="simulated"), catalog)
    families = [family for family in inputs.plan.families if family.calls[0].kind in spillover.AREA.runners]
    return Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, 99))), inputs


@pytest.fixture(scope="module")
def whole(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(repository, tmp_path_factory.mktemp("whole"), CRYPTO, ("SPX", "VIX"))


@pytest.fixture(scope="module")
def bare(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(repository, tmp_path_factory.mktemp("bare"), ("BTC",), ())


def changed(made: Made, family: str, **values: float | None) -> Made:
    """Return the ledger with other numbers in one family."""
    ledger, inputs = made
    entries = [dataclasses.replace(e, **values) if e.family == family else e for e in ledger.entries]  # type: ignore[arg-type]
    return Ledger(tuple(entries)), inputs


def test_every_exhibit_exists_and_is_named_once(whole: Made, repository: Path) -> None:
    made, tables, words = exhibits.figures(*whole), exhibits.tables(*whole), exhibits.sentences(*whole)
    assert tuple(made) == exhibits.FIGURES
    text = (repository / "reports" / "_spillover.qmd").read_text(encoding="utf-8")
    assert sorted(re.findall(r"_fig-([a-z-]+)\.md", text)) == sorted(exhibits.FIGURES)
    assert sorted(re.findall(r"_tbl-([a-z-]+)\.md", text)) == sorted(tables)
    assert sorted(re.findall(r"var spillover\.([a-z-]+)", text)) == sorted(words)
    page = "".join(table.markdown() for table in tables.values())
    anchors = re.findall(r"\{#([^}]+)\}", page)
    assert len(anchors) == len(set(anchors))
    assert not re.search(r"\bnan\b|None|inf\b", page + " ".join(words.values()))


def test_cells_are_those_of_the_ledger(whole: Made) -> None:
    ledger, inputs = whole
    rows = {row[0]: row for row in exhibits.tables(*whole)["spillover"].rows}
    assert list(rows) == [inputs.label(name) for name in CRYPTO]
    lead = ledger.entry("spillover-variance.rut.eth.after.bivariate")
    back = ledger.entry("spillover-variance.eth.rut.before.conditional")
    row = rows[inputs.label("ETH")]
    assert field_text(lead, "effect") in row[1]
    assert row[2] == field_text(lead, "p_adj")
    assert field_text(back, "p_adj") in row[6]
    assert row[7] == field_text(lead, "n")
    connected = exhibits.tables(*whole)["spillover-connectedness"].rows
    assert len(connected) == 6
    assert field_text(ledger.entry("spillover-connectedness.returns.before.net"), "effect") in connected[1][5]


def test_figures_carry_their_data_and_words(whole: Made) -> None:
    ledger, _ = whole
    made = exhibits.figures(*whole)
    net = made["spillover"].data
    assert len(net) == 2 * 2 * 5
    first = net.iloc[0]
    assert first["estimate"] == ledger.entry("spillover-connectedness.returns.after.net-small").estimate
    assert "every interval includes zero" in made["spillover"].alt or "zero:" in made["spillover"].alt
    path = made["spillover-correlation"].data
    assert (path["lower"] <= path["estimate"] + 1e-4).all()
    rolling = made["spillover-rolling"].data
    assert set(rolling["measure"]) == {"daily returns", "weekly volatility"}
    assert rolling["lower"].notna().sum() >= 4
    for figure in made.values():
        assert figure.svg.startswith(b"<?xml")
        assert len(figure.alt) > 60
    assert exhibits.figures(*whole)["spillover"].svg == made["spillover"].svg


def test_the_answer_follows_the_numbers(whole: Made) -> None:
    names = [f"spillover-variance-{way}{twin}" for way in ("lead", "reverse") for twin in ("", "-conditional")]
    quiet = whole
    for name in names:
        quiet = changed(quiet, name, pvalue_adjusted=0.9)
    for family in ("spillover-whole-lead", "spillover-whole-reverse"):
        quiet = changed(quiet, family, pvalue_adjusted=0.9)
    assert exhibits.sentences(*quiet)["answer"].startswith("We find no volatility that passes")
    assert "On squared shocks" not in exhibits.sentences(*quiet)["answer"]
    split = changed(quiet, "spillover-whole-lead", pvalue_adjusted=0.001)
    split = changed(split, "spillover-session-lead", pvalue_adjusted=0.9)
    told = exhibits.sentences(*split)["answer"]
    assert "it does pass from small caps to crypto for 5 of 5 assets" in told
    assert "without the one session that speaks most for each, for none of 5 assets" in told
    loud = changed(quiet, names[0], pvalue_adjusted=0.001)
    answer = exhibits.sentences(*loud)["answer"]
    assert "Volatility of small caps announces crypto's for 5 of 5 assets" in answer
    assert "beside the drivers' volatility for none of 5 assets" in answer
    assert "Volatility of crypto announces small caps' for none of 5 assets" in answer


def test_a_giver_is_named_only_under_the_clock_that_speaks_against_it(whole: Made) -> None:
    def said(after: tuple[float, float, float], before: tuple[float, float, float]) -> str:
        ledger, inputs = whole
        numbers = {"after": after, "before": before}
        entries = []
        for entry in ledger.entries:
            parts = entry.id.split(".")
            if parts[0] == "spillover-connectedness" and parts[-1] == "net":
                estimate, lower, upper = numbers[parts[2]]
                entry = dataclasses.replace(entry, estimate=estimate, lower=lower, upper=upper)
            entries.append(entry)
        return exhibits.sentences(Ledger(tuple(entries)), inputs)["directions"]

    assert "a net source for crypto" in said((2.0, 1.0, 3.0), (5.0, 4.0, 6.0))
    assert "neither" in said((0.0, -1.0, 1.0), (5.0, 4.0, 6.0))
    assert "a net receiver from crypto" in said((-5.0, -6.0, -4.0), (-2.0, -3.0, -1.0))
    assert "neither" in said((-5.0, -6.0, -4.0), (0.0, -1.0, 1.0))


def test_absences_are_said(bare: Made) -> None:
    words = exhibits.sentences(*bare)
    assert "a system needs two crypto assets at least" in words["connected"]
    assert words["directions"] == "No direction can be measured."
    assert "cannot be split" in words["bands"]
    assert "not part of this study" in words["classical"]
    assert tuple(exhibits.figures(*bare)) == ("spillover-correlation",)
    page = exhibits.tables(*bare)["spillover-connectedness"].markdown()
    assert "a system needs two crypto assets at least" in page
    beside = exhibits.tables(*bare)["spillover"].rows[0][3]
    assert "n/a" in beside


def test_classical_tests_are_counted_where_they_are(whole: Made) -> None:
    ledger, inputs = whole
    extra = [
        dataclasses.replace(entry, id=f"variance.{i}.{way}", family=f"variance-{way}-lm", pvalue_adjusted=0.01)
        for way in ("lead", "reverse")
        for i, entry in enumerate(ledger.family("spillover-variance-lead"))
    ]
    text = exhibits.sentences(Ledger((*ledger.entries, *extra)), inputs)["classical"]
    assert "the multiplier test finds it for 5 of 5 assets" in text
    assert "correlation of squares" not in text


def test_one_session_is_said_with_its_date(whole: Made) -> None:
    ledger, _ = whole
    share = ledger.entry("spillover-session.rut.btc.share")
    much = exhibits.sentences(*changed(whole, share.family, estimate=0.97))["one-session"]
    assert "Much hangs on one session" in much
    assert "97.0%" in much
    assert share.start[:4] in much
    little = exhibits.sentences(*changed(whole, share.family, estimate=0.2))["one-session"]
    assert "No one session makes most of it" in little
    silent = Ledger(tuple(e for e in ledger.entries if not e.id.startswith("spillover-session")))
    assert "could not be worked out" in exhibits.sentences(silent, whole[1])["one-session"]
