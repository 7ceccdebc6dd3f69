"""CSV files: what is accepted, and the exact line of what is not."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.errors import DataError, SourceError
from analysis.sources import csvfile
from analysis.sources.retry import RetryPolicy

DAYS = [f"{day:%Y-%m-%d}" for day in pd.bdate_range("2024-01-02", periods=40)]
PLAIN = ["date,value", *(f"{day},{100 + number}" for number, day in enumerate(DAYS))]
BARS = [
    "date,open,high,low,close,volume",
    *(f"{day},{100 + n},{103 + n},{99 + n},{102 + n},{1000 * n}" for n, day in enumerate(DAYS)),
]


@pytest.fixture
def write(tmp_path):
    def save(lines, *, end="\n", name="RUT.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes((end.join(lines) + end).encode(encoding))
        return path

    return save


def changed(lines, line, text):
    """Return the lines with one replaced, counted from 1 as in an editor."""
    return [*lines[: line - 1], text, *lines[line:]]


def test_plain_file(write):
    series = csvfile.read("RUT", write(PLAIN))
    assert series.frame["value"].tolist() == [100.0 + number for number in range(40)]
    assert series.frame.index.equals(pd.DatetimeIndex(DAYS, name="date"))
    assert (series.provider, series.provider_id, series.origin, series.notes) == ("csvfile", "RUT.csv", "RUT.csv", ())


def test_bars_take_the_close_as_value(write):
    series = csvfile.read("RUT", write(BARS), positive=True)
    assert list(series.frame.columns) == ["value", "open", "high", "low", "volume"]
    assert series.frame.iloc[1].tolist() == [103.0, 101.0, 104.0, 100.0, 1000.0]
    assert series.notes == ()


def test_volume_is_optional(write):
    lines = [line.rpartition(",")[0] for line in BARS]
    assert list(csvfile.read("RUT", write(lines)).frame.columns) == ["value", "open", "high", "low"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_line_ends_byte_order_mark_and_case_of_the_header(write, end, encoding):
    lines = changed(BARS, 1, " Date ,OPEN,High,low,Close,Volume")
    frame = csvfile.read("RUT", write(lines, end=end, encoding=encoding)).frame
    assert frame["value"].iloc[-1] == 141.0


def test_quoted_cells_other_columns_and_blank_lines(write):
    lines = ['"source","value","date"', *(f'"a, b","{100 + n}","{day}"' for n, day in enumerate(DAYS)), "", ""]
    lines.insert(5, "")
    series = csvfile.read("RUT", write(lines))
    assert series.frame["value"].tolist() == [100.0 + number for number in range(40)]
    assert series.notes == ("ignored columns: source",)
    with pytest.raises(DataError, match="line 7: not a date"):
        csvfile.read("RUT", write(changed(lines, 7, '"a","5","5/6/2024"')))


@pytest.mark.parametrize("blank", ["", ".", " "])
def test_blank_values_are_missing_observations(write, blank):
    lines = changed(changed(PLAIN, 3, f"{DAYS[1]},{blank}"), 9, f"{DAYS[7]},{blank}")
    series = csvfile.read("RUT", write(lines))
    assert len(series.frame) == 38
    assert pd.Timestamp(DAYS[1]) not in series.frame.index
    assert series.notes == ("2 rows without a value left out",)


def test_missing_open_is_kept_as_a_gap_and_noted(write):
    series = csvfile.read("RUT", write(changed(BARS, 4, f"{DAYS[2]},,105,99,104,")))
    assert np.isnan(series.frame["open"].iloc[2])
    assert np.isnan(series.frame["volume"].iloc[2])
    assert series.frame["value"].notna().all()
    assert series.notes == ("1 rows without a number in 'open'",)


def test_high_below_low_is_noted_not_refused(write):
    series = csvfile.read("RUT", write(changed(BARS, 6, f"{DAYS[4]},100,90,99,95,0")))
    assert series.notes == ("1 rows where high and low do not enclose the prices, first in line 6",)


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        (1, "day,value", r"line 1: missing column date\. Given: day,value.*date,value or date,open"),
        (1, "date,price", "line 1: missing column open, high, low, close"),
        (1, "date,close", r"missing column.*name the column 'close' as 'value'"),
        (1, "date,value,value", "line 1: column value is there twice"),
        (1, "2024-01-01,1", "line 1: missing column.*first line is no header"),
        (5, "01/02/2024,1", r"line 5: not a date\. Given: '01/02/2024'.*2024-01-31.*day and month"),
        (5, "2024-1-8,1", "line 5: not a date"),
        (5, "20240108,1", "line 5: not a date"),
        (5, "2024-02-30,1", "line 5: not a date"),
        (5, "2024-01-08 00:00:00,1", "line 5: not a date"),
        (5, "2024-01,1", "line 5: not a date"),
        (5, ",1", "line 5: not a date"),
        (5, "٢٠٢٤-٠١-٠٨,1", "line 5: not a date"),
        (5, "1024-01-08,1", "line 5: the date is out of range|line 5: the date 1024-01-08 comes after"),
        (5, f"{DAYS[2]},1", f"line 5: the date {DAYS[2]} is there twice, first in line 4"),
        (5, f"{DAYS[0]},1", f"line 5: the date {DAYS[0]} is there twice, first in line 2"),
        (5, "2023-01-05,1", "line 5: the date 2023-01-05 comes after"),
        (5, f"{DAYS[3]},abc", r"line 5: 'value' is not a finite number\. Given: 'abc'"),
        (5, f"{DAYS[3]},$5", "line 5: 'value' is not a finite number"),
        (5, f"{DAYS[3]},1_000", "line 5: 'value' is not a finite number"),
        (5, f"{DAYS[3]},5%", "line 5: 'value' is not a finite number"),
        (5, f"{DAYS[3]},nan", r"line 5: 'value'.*a computation gave no result"),
        (5, f"{DAYS[3]},inf", "line 5: 'value'"),
        (5, f"{DAYS[3]},-Infinity", "line 5: 'value'"),
        (5, f"{DAYS[3]},1e999", "line 5: 'value'"),
        (5, f"{DAYS[3]},1e", "line 5: 'value'"),
        (5, f"{DAYS[3]},--1", "line 5: 'value'"),
        (5, f"{DAYS[3]},1,234.5", r"line 5: the row has 3 cells\. Allowed: 2.*comma"),
        (5, f"{DAYS[3]}", "line 5: the row has 1 cells"),
        (5, f"{DAYS[3]};1", "line 5: the row has 1 cells"),
        (5, f'{DAYS[3]},"1', "cannot be split into cells"),
        (5, f"{DAYS[3]},1\0", "line 5: 'value'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(write, line, text, words):
    with pytest.raises(DataError, match=words) as caught:
        csvfile.read("RUT", write(changed(PLAIN, line, text)))
    assert "RUT.csv" in str(caught.value)
    assert "What to do" in str(caught.value)


@pytest.mark.parametrize("price", ["0", "-5", "-0.0"])
@pytest.mark.parametrize("column", [1, 2, 3, 4])
def test_prices_must_be_positive_where_asked(write, price, column):
    cells = BARS[8].split(",")
    cells[column] = price
    path = write(changed(BARS, 9, ",".join(cells)))
    with pytest.raises(DataError, match=r"RUT.csv, line 9: a price must be positive"):
        csvfile.read("RUT", path, positive=True)
    assert len(csvfile.read("RUT", path).frame) == 40


def test_line_counts_past_rows_that_were_left_out(write):
    lines = changed(changed(PLAIN, 3, f"{DAYS[1]},."), 9, f"{DAYS[7]},-1")
    with pytest.raises(DataError, match="line 9: a price must be positive"):
        csvfile.read("RUT", write(lines), positive=True)


def test_too_few_rows_constant_and_empty_files(write):
    with pytest.raises(DataError, match=r"too few observations\. Given: 2\. Allowed: at least 30"):
        csvfile.read("RUT", write(PLAIN[:3]))
    assert len(csvfile.read("RUT", write(PLAIN[:3]), min_rows=2).frame) == 2
    with pytest.raises(DataError, match="a header and no rows"):
        csvfile.read("RUT", write(PLAIN[:1]))
    with pytest.raises(DataError, match=r"RUT.csv is empty"):
        csvfile.read("RUT", write([""]))
    with pytest.raises(DataError, match="is constant"):
        csvfile.read("RUT", write(["date,value", *(f"{day},5" for day in DAYS)]))
    with pytest.raises(DataError, match="too few observations"):
        csvfile.read("RUT", write(["date,value", *(f"{day}," for day in DAYS)]))


def test_other_encodings_name_the_line(write, tmp_path):
    with pytest.raises(DataError, match="line 4: the text is not UTF-8"):
        csvfile.read("RUT", write(changed(PLAIN, 4, f"{DAYS[2]},1€"), encoding="cp1252"))
    with pytest.raises(DataError, match="line 1: the text is not UTF-8"):
        csvfile.read("RUT", write(PLAIN, encoding="utf-16"))


def test_web_page_in_place_of_data(write):
    with pytest.raises(DataError, match="is a web page"):
        csvfile.read("RUT", write(["<!doctype html>", "<p>Not found"]))


def test_files_that_cannot_be_read(write, tmp_path):
    with pytest.raises(SourceError, match=r"absent.csv cannot be read") as caught:
        csvfile.read("RUT", tmp_path / "absent.csv")
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(SourceError, match="is not a file"):
        csvfile.read("RUT", tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(SourceError, match="is not a file"):
        csvfile.read("RUT", tmp_path / "pipe.csv")
    path = write(PLAIN)
    with pytest.raises(DataError, match=r"is too large.*100 bytes"):
        csvfile.read("RUT", path, max_bytes=100)


def test_origin_never_shows_where_the_file_lies(write, tmp_path):
    series = csvfile.read("RUT", write(PLAIN))
    assert str(tmp_path) not in repr(series)


def test_web_address(site, answer, pauses):
    policy = RetryPolicy(attempts=2, sleep=pauses.append)
    url = site.answers(answer(status=503), answer("\r\n".join(BARS))) + "RUT.csv"
    series = csvfile.read("RUT", url, policy=policy)
    assert (len(series.frame), series.origin, pauses) == (40, url, [0.5])
    with pytest.raises(SourceError, match="more than the allowed size"):
        csvfile.read("RUT", url, policy=policy, max_bytes=100)
    site.answers(answer("<html>hello"))
    with pytest.raises(DataError, match="is a web page"):
        csvfile.read("RUT", url, policy=policy)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/RUT.csv", "gopher://127.0.0.1/"])
def test_other_schemes_are_refused(address):
    with pytest.raises(SourceError, match="only http and https"):
        csvfile.read("RUT", address)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(-1e12, 1e12), min_size=30, max_size=60).filter(lambda values: len(set(values)) > 1))
def test_numbers_come_back_to_the_last_bit(tmp_path, values):
    path = tmp_path / "X.csv"
    days = pd.date_range("2020-01-01", periods=len(values))
    path.write_text("date,value\n" + "".join(f"{d:%Y-%m-%d},{v!r}\n" for d, v in zip(days, values, strict=True)))
    assert csvfile.read("X", path).frame["value"].tolist() == values


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400) | st.text(alphabet="date,value\n0123456789-.\"'<>\0 ", max_size=400))
def test_rubbish_is_refused_in_our_own_words(tmp_path, content):
    path = tmp_path / "X.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match="What to do"):
        csvfile.read("X", path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(2, 41), st.text(alphabet="abcxyz!?$", min_size=1, max_size=8))
def test_the_line_is_right_wherever_the_fault_lies(tmp_path, line, word):
    path = tmp_path / "X.csv"
    path.write_text("\n".join(changed(PLAIN, line, f"{DAYS[line - 2]},{word}")))
    with pytest.raises(DataError, match=f"X.csv, line {line}: 'value'"):
        csvfile.read("X", path)


def test_folder_match_ignores_case_and_says_what_is_left(write, tmp_path):
    for name in ("rut.CSV", "BTC.csv", "notes.md", "Other.csv", ".hidden.csv"):
        write(PLAIN, name=name)
    (tmp_path / "deep").mkdir()
    write(PLAIN, name="deep/SPX.csv")
    found = csvfile.match(tmp_path, ["BTC", "RUT", "SPX"])
    assert {key: path.name for key, path in found.files.items()} == {"BTC": "BTC.csv", "RUT": "rut.CSV"}
    assert list(found.files) == ["BTC", "RUT"]
    assert found.ignored == ("Other.csv", "notes.md")


def test_folder_with_two_files_for_one_series(write, tmp_path):
    write(PLAIN, name="RUT.csv")
    write(PLAIN, name="rut.csv")
    with pytest.raises(DataError, match=r"two files serve the series RUT: RUT.csv and rut.csv"):
        csvfile.match(tmp_path, ["RUT"])


def test_links_may_not_leave_the_folder(write, tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    write(PLAIN, name="out/real.csv")
    write(PLAIN, name="in/SPX.csv")
    (inside / "IXIC.csv").symlink_to(inside / "SPX.csv")
    (inside / "other.csv").symlink_to(outside / "real.csv")
    assert set(csvfile.match(inside, ["SPX", "IXIC", "RUT"]).files) == {"SPX", "IXIC"}
    (tmp_path / "door").symlink_to(inside)
    assert set(csvfile.match(tmp_path / "door", ["SPX", "IXIC"]).files) == {"SPX", "IXIC"}
    (inside / "RUT.csv").symlink_to(outside / "real.csv")
    with pytest.raises(DataError, match=r"RUT.csv is a link that leaves the data folder"):
        csvfile.match(inside, ["RUT"])


def test_folder_that_is_none(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        csvfile.match(tmp_path / "none", ["RUT"])


def test_real_folder_reads_whole(shared):
    folder = shared / "data" / "market"
    ids = [path.stem for path in folder.glob("*.csv")]
    found = csvfile.match(folder, ids)
    series = {name: csvfile.read(name, path) for name, path in found.files.items()}
    assert len(series) == len(ids) > 80
    assert "PROVENANCE.md" in found.ignored
    rut = series["RUT"].frame
    assert len(rut) == 9_811
    assert rut.loc["2021-11-08", "value"] == pytest.approx(2442.74, abs=0.005)
    assert rut.loc["2024", "high"].max() == pytest.approx(2466.49, abs=0.005)
    assert all(not item.notes for item in series.values())
