"""A data folder that holds files of the Fama-French library beside files named after series."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.market import catalog as catalogs
from analysis.market import collect, panel, snapshot
from analysis.market.catalog import Catalog

FIVE = "F-F_Research_Data_5_Factors_2x3_daily.csv"
DAYS = pd.bdate_range("2020-01-02", periods=60)


@pytest.fixture(scope="module")
def book(repository: Path) -> Catalog:
    return catalogs.load(repository / "data" / "catalog.toml")


def factors() -> str:
    rows = [f"{day:%Y-%m-%d},    0.10,    0.20,    0.30,{n / 10:8.2f},    0.50,    0.01" for n, day in enumerate(DAYS)]
    head = "This file was created by using the 202604 CRSP database.\n\nDate,Mkt-RF,SMB,HML,RMW,CMA,RF"
    return "\n".join([head, *rows, "", "Copyright 2026 Eugene F. Fama and Kenneth R. French"])


def prices(folder: Path, name: str) -> None:
    rows = "".join(f"{day:%Y-%m-%d},{100 + n}\n" for n, day in enumerate(DAYS))
    (folder / f"{name}.csv").write_text(f"date,value\n{rows}", encoding="utf-8")


def test_a_library_file_serves_its_series_and_the_way_to_a_panel(book: Catalog, tmp_path: Path) -> None:
    prices(tmp_path, "RUT")
    (tmp_path / "famafrench").mkdir()
    (tmp_path / "famafrench" / FIVE).write_text(factors(), encoding="utf-8")
    collected = collect.from_folder(tmp_path, book)
    assert sorted(collected.series) == ["FF_RMW", "RUT"]
    assert collected.series["FF_RMW"].origin == FIVE
    assert "FF_SMALL_HIOP" in collected.missing
    frozen = snapshot.freeze(collected.series, book, root=tmp_path / "frozen")
    built = panel.build(
        frozen, book, ids=("RUT", "FF_RMW"), start=DAYS[0], end=DAYS[-1], clock="after", weekend="compound"
    )
    day = pd.Timestamp("2020-01-15")
    assert built.returns.loc[day, "FF_RMW"] == pytest.approx(0.9 / 100, rel=0.01)


def test_a_file_named_after_the_series_wins_and_a_used_file_is_not_called_ignored(
    book: Catalog, tmp_path: Path
) -> None:
    (tmp_path / FIVE).write_text(factors(), encoding="utf-8")
    assert collect.from_folder(tmp_path, book).ignored == ()
    prices(tmp_path, "FF_RMW")
    collected = collect.from_folder(tmp_path, book)
    assert collected.series["FF_RMW"].provider == "csvfile"
    assert collected.ignored == (FIVE,)


def test_the_digest_follows_library_files(book: Catalog, tmp_path: Path) -> None:
    prices(tmp_path, "RUT")
    bare = collect.folder_digest(tmp_path, book)
    (tmp_path / FIVE).write_text(factors(), encoding="utf-8")
    first = collect.folder_digest(tmp_path, book)
    assert first != bare
    (tmp_path / FIVE).write_text(factors().replace("0.30,", "0.31,"), encoding="utf-8")
    assert collect.folder_digest(tmp_path, book) != first


def test_a_broken_library_file_is_an_error_that_names_it(book: Catalog, tmp_path: Path) -> None:
    prices(tmp_path, "RUT")
    (tmp_path / FIVE).write_text("Date,Mkt-RF\n2020-01-02,1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"F-F_Research_Data_5_Factors"):
        collect.from_folder(tmp_path, book)
