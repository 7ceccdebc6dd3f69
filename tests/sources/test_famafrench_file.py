"""Files of the Fama-French library in a folder: found by name, read as from the web, strict about doubles and links."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import DataError, SourceError
from analysis.sources import famafrench_file, famafrench_folder

SIX = "6_Portfolios_ME_OP_2x3_daily"
IDS = {"FF_SMALL_HIOP": f"{SIX}/0/SMALL HiOP", "FF_SMALL_LOOP": f"{SIX}/0/SMALL LoOP"}
DAYS = pd.bdate_range("2020-01-01", periods=60)


def text() -> str:
    """Write a file in the library's layout: two daily tables, so that a wrong one would show."""
    names = ",SMALL LoOP,ME1 OP2,SMALL HiOP,BIG LoOP,ME2 OP2,BIG HiOP"

    def table(title: str, factor: int) -> str:
        rows = [f"{day:%Y%m%d}," + ",".join(f"{factor * (n + k):8.2f}" for k in range(6)) for n, day in enumerate(DAYS)]
        return "\r\n".join([f"  {title}", names, *rows])

    prose = "This file was created using the 202605 CRSP database.\r\nMissing data are indicated by -99.99 or -999."
    parts = [prose, table("Average Value Weighted Returns -- Daily", 1), table("Average Equal Weighted Returns", 10)]
    return "\r\n\r\n".join([*parts, "Copyright Eugene F. Fama and Kenneth R. French"])


def packed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{SIX}.csv", text())
    return buffer.getvalue()


@pytest.mark.parametrize("name", [f"{SIX}.csv", f"{SIX.upper()}.CSV", f"{SIX}_CSV.zip", f"famafrench/{SIX}.zip"])
def test_a_file_is_found_by_its_own_name_and_gives_the_column_asked_for(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(packed() if name.endswith("zip") else text().encode())
    found = famafrench_folder.find(tmp_path, IDS)
    assert found == dict.fromkeys(IDS, file)
    high = famafrench_file.read("FF_SMALL_HIOP", IDS["FF_SMALL_HIOP"], file)
    low = famafrench_file.read("FF_SMALL_LOOP", IDS["FF_SMALL_LOOP"], file)
    assert high.frame["value"].tolist() == [float(n + 2) for n in range(60)]
    assert low.frame["value"].tolist() == [float(n) for n in range(60)]
    assert high.frame.index.equals(pd.DatetimeIndex(DAYS, name="date"))
    assert (high.provider, high.origin) == ("famafrench", file.name)
    assert "unit: percent per period" in high.notes


def test_other_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / f"{SIX}.csv").write_text(text())
    (tmp_path / f"{SIX}.txt").write_text(text())
    (tmp_path / f"{SIX}_old.csv").write_text(text())
    assert famafrench_folder.find(tmp_path, IDS) == {}


def test_two_files_of_one_data_set_are_refused(tmp_path: Path) -> None:
    (tmp_path / "famafrench").mkdir()
    (tmp_path / f"{SIX}.csv").write_text(text())
    (tmp_path / "famafrench" / f"{SIX}_CSV.zip").write_bytes(packed())
    with pytest.raises(DataError, match=rf"two files.*{SIX}\.csv and famafrench/{SIX}_CSV\.zip"):
        famafrench_folder.find(tmp_path, IDS)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data", tmp_path / "x.csv"
    inside.mkdir()
    outside.write_text(text())
    (inside / f"{SIX}.csv").symlink_to(outside)
    with pytest.raises(DataError, match="leaves the data folder"):
        famafrench_folder.find(inside, IDS)


def test_what_cannot_be_read_says_which_file(tmp_path: Path) -> None:
    broken = tmp_path / f"{SIX}.zip"
    broken.write_bytes(packed()[:200])
    with pytest.raises(SourceError, match=rf"{SIX}\.zip sent an archive that cannot be unpacked"):
        famafrench_file.read("FF_SMALL_HIOP", IDS["FF_SMALL_HIOP"], broken)
    with pytest.raises(SourceError, match="cannot be read"):
        famafrench_file.read("FF_SMALL_HIOP", IDS["FF_SMALL_HIOP"], tmp_path / "none.csv")
    whole = tmp_path / f"{SIX}.csv"
    whole.write_text(text())
    with pytest.raises(DataError, match=r"no single column 'SMALL XX'"):
        famafrench_file.read("FF_SMALL_HIOP", f"{SIX}/0/SMALL XX", whole)


def test_the_library_copy_beside_the_project_gives_the_stored_series(shared: Path) -> None:
    folder = shared / "data" / "market"
    ids = {
        "FF_MKTRF": "F-F_Research_Data_Factors_daily/0/Mkt-RF",
        "FF_RMW": "F-F_Research_Data_5_Factors_2x3_daily/0/RMW",
    }
    found = famafrench_folder.find(folder, ids)
    market = famafrench_file.read("FF_MKTRF", ids["FF_MKTRF"], found["FF_MKTRF"]).frame["value"]
    stored = pd.read_csv(folder / "FF_MKTRF.csv", index_col=0, parse_dates=True)["value"]
    assert market.tolist() == stored.tolist()
    profitability = famafrench_file.read("FF_RMW", ids["FF_RMW"], found["FF_RMW"]).frame["value"]
    assert (str(profitability.index[0].date()), profitability.iloc[0]) == ("1963-07-01", -0.01)
    assert (str(profitability.index[-1].date()), profitability.iloc[-1]) == ("2026-04-30", -0.97)
