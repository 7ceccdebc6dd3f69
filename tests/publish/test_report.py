"""The whole way from a folder of files to a published version, as a user runs it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import BellwetherError, ConfigError, DataError, VersionError
from analysis.publish import report
from analysis.publish.chapters.registry import LEFT_OUT
from analysis.publish.report import Outcome, Request, build_report
from analysis.sources.simulated import MarketSpec, simulate
from analysis.study.ledger import Ledger

CORE = ("RUT", "SPX", "VIX", "DTWEXBGS", "DGS10", "BAMLH0A0HYM2", "BTC", "ETH", "WALCL", "WTREGEN", "RRPONTSYD", "NFCI")


def _silent(line: str) -> None:
    """Take progress lines and drop them."""


@pytest.fixture(scope="module")
def root(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project folder of its own, so that nothing is written into this one."""
    target = tmp_path_factory.mktemp("project") / "root"
    ignore = shutil.ignore_patterns("__pycache__", "_build", "snapshots")
    for name in ("analysis", "data", "reports"):
        shutil.copytree(repository / name, target / name, ignore=ignore)
    shutil.copyfile(repository / "requirements.lock", target / "requirements.lock")
    study = target / "data" / "studies" / "default.toml"
    text = study.read_text(encoding="utf-8")
    # Three assets and long windows: every room is entered, in seconds. One build has all areas, the others few.
    text = re.sub(r"crypto = \[.*?\]", 'crypto = ["BTC", "ETH", "SOL"]', text)
    text = text.replace("window = 250", "window = 2000", 1)  # the first is the chapter's; stability has one of its own
    (study.parent / "whole.toml").write_text(text, encoding="utf-8")
    text = text.replace("\nrecord_year =", '\nareas = ["events", "clock", "monitor"]\nrecord_year =', 1)
    text = text.replace('"ETH", "SOL"]', '"ETH"]', 1)
    study.write_text(text, encoding="utf-8")
    return target


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of CSV files as a user would bring them: some in lower case, one nobody asked for."""
    target = tmp_path_factory.mktemp("csv")
    market = simulate(MarketSpec.planted_lead())
    for name in CORE:
        market[name].frame.to_csv(target / f"{name.lower() if name == 'BTC' else name}.csv", index_label="date")
    (target / "notes.txt").write_text("mine", encoding="utf-8")
    return target


def _request(root: Path, **changes: object) -> Request:
    return Request(**{"root": root, "study": root / "data" / "studies" / "default.toml", "reduced": True} | changes)


@pytest.fixture(scope="module")
def simulated(root: Path) -> Outcome:
    return build_report(_request(root, simulated=True), say=_silent)


@pytest.fixture(scope="module")
def supplied(root: Path, folder: Path) -> tuple[Outcome, list[str]]:
    lines: list[str] = []
    study = root / "data" / "studies" / "whole.toml"
    return build_report(_request(root, data=folder, study=study), say=lines.append), lines


def test_a_simulated_report_says_so_everywhere(simulated: Outcome) -> None:
    assert simulated.folder.name.startswith("CI-SIM-")
    assert "SIMULATED DATA" in simulated.text()
    for name in report.DOCUMENTS:
        assert "SIMULATED DATA" in (simulated.folder / f"{name}.html").read_text(encoding="utf-8")


def test_a_version_is_complete(simulated: Outcome) -> None:
    names = {path.name for path in simulated.folder.iterdir()}
    assert {
        "claims.html", "claims.pdf", "evidence.html", "evidence.pdf", "results.parquet", "results.json",
        "verdicts.json", "manifest.json", "CITATION.cff", "citation.bib", "figures",
    } <= names  # fmt: skip
    figures = {path.name for path in (simulated.folder / "figures").iterdir()}
    assert {"lead.svg", "lead.csv", "records.svg", "records.csv"} <= figures
    assert (simulated.folder.parent / "latest").resolve().exists()


def test_every_page_states_the_version(simulated: Outcome) -> None:
    pypdf = pytest.importorskip("pypdf")
    for name in report.DOCUMENTS:
        pages = pypdf.PdfReader(simulated.folder / f"{name}.pdf").pages
        assert len(pages) >= 1
        for page in pages:
            assert simulated.folder.name in page.extract_text()
            assert "SIMULATED DATA" in page.extract_text()


def test_every_result_of_the_tables_can_be_cited_where_it_stands(simulated: Outcome) -> None:
    html = (simulated.folder / "evidence.html").read_text(encoding="utf-8")
    ledger = Ledger.read(simulated.folder)
    for family in ("lead", "lead-conditional", "reverse", "same-session", "diagnostics", "state-granger.hiking"):
        for entry in ledger.family(family):
            assert html.count(f'id="result-{entry.id}"') == 1, entry.id


def test_a_repeat_changes_nothing(root: Path, simulated: Outcome) -> None:
    before = {path: path.stat().st_mtime_ns for path in simulated.folder.rglob("*")}
    again = build_report(_request(root, simulated=True), say=_silent)
    assert again.status == "unchanged"
    assert again.folder == simulated.folder
    assert {path: path.stat().st_mtime_ns for path in simulated.folder.rglob("*")} == before


def test_a_second_build_gives_the_same_bytes(root: Path, simulated: Outcome) -> None:
    latest = simulated.folder.parent / "latest"
    latest.unlink()
    latest.symlink_to(simulated.folder.name)
    assert report.rebuild_differs(root, say=_silent) == []


def test_a_changed_version_is_found_and_never_built_over(root: Path, simulated: Outcome) -> None:
    page = simulated.folder / "claims.html"
    content = page.read_bytes()
    page.chmod(0o644)
    page.write_bytes(content.replace(b"Do US", b"So US", 1))
    try:
        assert any("claims.html" in line for line in report.verify_all(root))
        with pytest.raises(VersionError, match=r"claims\.html"):
            build_report(_request(root, simulated=True), say=_silent)
    finally:
        page.write_bytes(content)
        page.chmod(0o444)
    assert report.verify_all(root) == []


def test_a_folder_with_a_subset_of_series_is_enough(supplied: tuple[Outcome, list[str]]) -> None:
    outcome, lines = supplied
    assert outcome.folder.name.startswith("CI-2")
    assert any("goes on without SOL" in line for line in lines)
    assert any("notes.txt" in line for line in lines)
    ledger = Ledger.read(outcome.folder)
    assert {entry.effect for entry in ledger.family("lead")} == {"BTC", "ETH"}
    absent = ledger.family("state-correlation.hiking")
    assert {entry.status for entry in absent} == {"inapplicable"}
    total = ledger.entry("record.iwm_adj.total.count")
    assert total.status == "inapplicable"
    assert "not applicable" in (outcome.folder / "evidence.html").read_text(encoding="utf-8")


def test_areas_that_are_left_out_say_so_and_no_other(simulated: Outcome, supplied: tuple[Outcome, list[str]]) -> None:
    for outcome, some in ((simulated, True), (supplied[0], False)):
        page = (outcome.folder / "evidence.html").read_text(encoding="utf-8")
        assert (LEFT_OUT in page) is some


def test_verdicts_are_in_the_version_and_in_the_table(supplied: tuple[Outcome, list[str]]) -> None:
    outcome, _ = supplied
    rows = json.loads((outcome.folder / "verdicts.json").read_text(encoding="utf-8"))
    assert len(rows) == 14
    for row in rows:
        assert row["claim"] in outcome.table
        assert row["verdict"] in outcome.table


def test_inputs_of_a_version_are_named_with_their_hashes(supplied: tuple[Outcome, list[str]]) -> None:
    manifest = json.loads((supplied[0].folder / "manifest.json").read_text(encoding="utf-8"))
    assert {"series/RUT", "series/BTC", "claims.toml", "study.toml", "requirements.lock"} <= set(manifest["inputs"])


def test_a_new_page_text_uses_the_results_again(root: Path, simulated: Outcome) -> None:
    document = root / "reports" / "claims.qmd"
    text = document.read_text(encoding="utf-8")
    lines: list[str] = []
    document.write_text(text.replace("## Limits", "## Limits of this work"), encoding="utf-8")
    try:
        outcome = build_report(_request(root, simulated=True), say=lines.append)
    finally:
        document.write_text(text, encoding="utf-8")
    assert outcome.status == "created"
    assert outcome.folder != simulated.folder
    again = re.search(r"used again from before: (\d+) of (\d+) families", "\n".join(lines))
    assert again is not None
    assert again[1] == again[2]


def test_only_what_a_setting_decides_is_computed_again(root: Path, simulated: Outcome) -> None:
    study = root / "data" / "studies" / "default.toml"
    text = study.read_text(encoding="utf-8")
    lines: list[str] = []
    study.write_text(text.replace("spacing_sessions = 126", "spacing_sessions = 100"), encoding="utf-8")
    try:
        outcome = build_report(_request(root, simulated=True), say=lines.append)
    finally:
        study.write_text(text, encoding="utf-8")
    again = re.search(r"used again from before: (\d+) of (\d+) families", "\n".join(lines))
    assert outcome.folder != simulated.folder
    assert again is not None
    assert 0 < int(again[1]) < int(again[2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("date,value", "date,price", 1), r"BTC\.csv|btc\.csv"),
        (lambda text: text.replace("\n2016-03-01,", "\n2016-03-0x,", 1), "2016-03-0x"),
        (lambda text: "", "empty"),
        (lambda text: "\n".join(text.splitlines()[:3]) + "\n", "rows|observations"),
    ],
)
def test_a_bad_file_is_named_and_nothing_is_written(
    root: Path, folder: Path, tmp_path: Path, change: object, message: str
) -> None:
    target = tmp_path / "bad"
    shutil.copytree(folder, target)
    path = target / "btc.csv"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")  # type: ignore[operator]
    before = (
        sorted(item.name for item in (root / "data" / "snapshots").iterdir())
        if (root / "data/snapshots").is_dir()
        else []
    )
    with pytest.raises(DataError, match=message) as caught:
        build_report(_request(root, data=target), say=_silent)
    assert "btc.csv" in str(caught.value)
    assert _names(root / "data" / "snapshots") == before


def _names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir()) if folder.is_dir() else []


def test_series_without_common_dates_are_refused(root: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name, start in (("RUT", "1990-01-01"), ("BTC", "2018-01-01")):
        days = pd.bdate_range(start, periods=400)
        prices = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(400)))
        pd.DataFrame({"value": prices}, index=days).to_csv(tmp_path / f"{name}.csv", index_label="date")
    with pytest.raises(BellwetherError, match="share too few sessions"):
        build_report(_request(root, data=tmp_path), say=_silent)


def test_a_folder_without_crypto_or_without_anything_is_refused(root: Path, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file in"):
        build_report(_request(root, data=tmp_path), say=_silent)
    shutil.copyfile(folder / "RUT.csv", tmp_path / "RUT.csv")
    with pytest.raises(ConfigError, match="no crypto series"):
        build_report(_request(root, data=tmp_path), say=_silent)


def test_an_unknown_series_in_the_study_is_named(root: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    text = (root / "data" / "studies" / "default.toml").read_text(encoding="utf-8")
    study.write_text(text.replace('"BTC"', '"BTCC"', 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="BTCC"):
        build_report(_request(root, study=study, simulated=True), say=_silent)


def test_an_unknown_state_is_named_with_the_nearest(root: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    text = (root / "data" / "studies" / "default.toml").read_text(encoding="utf-8")
    study.write_text(text.replace('"near_high"', '"near_hihg"', 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"near_hihg.*did you mean near_high"):
        build_report(_request(root, study=study, simulated=True), say=_silent)


def test_a_study_without_the_chapter_has_whole_pages(root: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    text = (root / "data" / "studies" / "default.toml").read_text(encoding="utf-8")
    study.write_text(text.replace("chapter = true", "chapter = false"), encoding="utf-8")
    outcome = build_report(_request(root, study=study, simulated=True), say=_silent)
    page = (outcome.folder / "evidence.html").read_text(encoding="utf-8")
    assert "leaves the methods beyond the constant mean out" in page
    assert "Empty." not in page
    assert "outside the project" in report.rebuild_differs(root, say=_silent)[0]


def test_a_failed_report_does_not_change_the_current_snapshot(root: Path, folder: Path, tmp_path: Path) -> None:
    pointer = root / "data" / "snapshots" / "current.json"
    before = pointer.read_text(encoding="utf-8") if pointer.is_file() else None
    shutil.copyfile(folder / "RUT.csv", tmp_path / "RUT.csv")
    with pytest.raises(ConfigError):
        build_report(_request(root, data=tmp_path), say=_silent)
    assert (pointer.read_text(encoding="utf-8") if pointer.is_file() else None) == before


def test_a_date_to_come_is_refused(root: Path, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "late"
    shutil.copytree(folder, target)
    path = target / "btc.csv"
    text = path.read_text(encoding="utf-8")
    last = text.rstrip().splitlines()[-1]
    path.write_text(text + "2199-08-22" + last[10:] + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"btc\.csv holds an observation of a day to come"):
        build_report(_request(root, data=target), say=_silent)


def test_verdicts_show_the_stamp_and_refuse_an_edited_file(root: Path, simulated: Outcome) -> None:
    assert "simulated" in report.verdict_table(root, simulated.folder.name).splitlines()[0].lower()
    path = simulated.folder / "verdicts.json"
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content.replace(b'"claim"', b'"clbim"', 1))
    try:
        with pytest.raises(VersionError, match=r"verdicts\.json"):
            report.verdict_table(root, simulated.folder.name)
    finally:
        path.write_bytes(content)
        path.chmod(0o444)


def test_the_command_line_builds_cites_and_checks(root: Path, simulated: Outcome, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "analysis.cli", "--root", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    version = simulated.folder.name
    address = "granger.rut.btc.after.bivariate"
    refused = run("cite", address, "--build", version)
    assert refused.returncode == 2
    assert "not for citation" in refused.stderr
    cited = run("cite", address, "--build", version, "--allow-stamped")
    assert cited.returncode == 0
    assert version in cited.stdout
    note = tmp_path / "note.md"
    note.write_text(f'---\nbellwether: {version}\n---\np = []{{cite="{address}.p"}}\n', encoding="utf-8")
    assert run("fill", str(note)).returncode == 0
    assert run("check", str(note)).returncode == 0
    text = note.read_text(encoding="utf-8")
    note.write_text(text.replace("[0.", "[0.9", 1) if "[0." in text else text.replace("[", "[9", 1), encoding="utf-8")
    assert run("check", str(note)).returncode == 1
    assert "unknown result id" in run("cite", "granger.nothing", "--build", version, "--allow-stamped").stderr
    assert version in run("results", "--sql", "select distinct version from results").stdout
