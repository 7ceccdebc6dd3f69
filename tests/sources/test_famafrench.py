"""The library's real Fama-French reader against a local server, with every way the files are known to fail."""

from __future__ import annotations

import io
import struct
import zipfile

import pandas as pd
import pytest
from pandas_datareader.famafrench import FamaFrenchReader

from analysis.errors import DataError, InputError, SourceError
from analysis.sources import famafrench
from analysis.sources.retry import RetryPolicy

ME = "Portfolios_Formed_on_ME_Daily"
PROSE = (
    "This file was created by CMPT_ME_RETS using the 202605 CRSP database.\r\n"
    "Missing data are indicated by -99.99 or -999."
)
DAYS = pd.bdate_range("2020-01-01", periods=60)


def table(
    days=DAYS, stamp="%Y%m%d", title="  Average Value Weighted Returns -- Daily\r\n", header=",<= 0,Lo 30,Med 40"
):
    rows = [f"{day:{stamp}},  -99.99,{number / 10:8.2f},{-number / 10:8.2f}" for number, day in enumerate(days)]
    return f"{title}{header}\r\n" + "\r\n".join(rows)


def pack(text, name="x.CSV"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def whole(*tables, prose=PROSE):
    return pack("\r\n\r\n".join([prose, *tables, "Copyright 2026 Eugene F. Fama and Kenneth R. French"]))


@pytest.fixture
def fetch(site, pauses):
    def ask(*script, provider_id=f"{ME}/0/Lo 30", **options):
        policy = RetryPolicy(attempts=3, read_timeout=0.3, sleep=pauses.append)
        base = site.answers(*script) + "ken.french"
        return famafrench.fetch("FF_ME_LO30", provider_id, base_url=base, policy=policy, **options)

    return ask


def test_daily_column_arrives_in_percent_with_plain_dates(fetch, answer, site):
    series = fetch(answer(whole(table())))
    assert site.asked == [f"/ken.french/ftp/{ME}_CSV.zip"]
    assert (series.provider, series.provider_id) == ("famafrench", f"{ME}/0/Lo 30")
    assert series.frame.index.equals(pd.DatetimeIndex(DAYS, name="date"))
    assert series.frame.index.dtype == "datetime64[ns]"
    assert series.frame["value"].tolist() == [round(number / 10, 2) for number in range(60)]
    assert series.notes == ("unit: percent per period",)


def test_second_table_and_span(fetch, answer):
    two = whole(
        table(), table(title="  Average Equal Weighted Returns -- Daily\r\n").replace(",    0.10,", ",    7.77,")
    )
    series = fetch(answer(two), provider_id=f"{ME}/1/Lo 30", start="2020-01-02", end="2020-01-03")
    assert series.frame["value"].tolist() == [7.77, 0.2]


def test_monthly_periods_are_dated_by_their_first_day(fetch, answer):
    months = pd.date_range("2010-01-01", periods=60, freq="MS")
    series = fetch(answer(whole(table(months, "%Y%m"))))
    assert series.frame.index.equals(pd.DatetimeIndex(months, name="date", freq=None))


def test_missing_codes_are_left_out_and_counted(fetch, answer):
    text = table().replace(",    0.00,", ",  -99.99,").replace(",    0.10,", ",-999,")
    series = fetch(answer(whole(text)))
    assert series.frame["value"].tolist()[:2] == [0.2, 0.3]
    assert "2 dates with a missing-value code left out" in series.notes
    with pytest.raises(DataError, match="no value in the span"):
        fetch(answer(whole(text)), provider_id=f"{ME}/0/<= 0")


@pytest.mark.parametrize(
    "body",
    [
        whole("\r\n" + table(title="")),
        whole(table(title="  Average Value Weighted Returns -- Daily\r\n\r\n")),
        whole("\r\n\r\n" + table(title="  Average Value Weighted Returns -- Daily\r\n\r\n\r\n")),
    ],
)
def test_additional_blank_lines_before_the_header(fetch, answer, body):
    assert len(fetch(answer(body)).frame) == 60


def test_blank_line_really_breaks_the_bare_reader(site, answer):
    class Bare(FamaFrenchReader):
        url = site.answers(answer(whole("\r\n" + table(title=""))))

    with pytest.raises(ValueError, match="index"):
        Bare(ME, start="1990-01-01", retry_count=0).read()


def test_newer_layout_with_named_date_column_and_iso_dates(fetch, answer):
    body = whole(table(stamp="%Y-%m-%d", title="", header="Date,<= 0,Lo 30,Med 40"))
    series = fetch(answer(body))
    assert series.frame.index.equals(pd.DatetimeIndex(DAYS, name="date"))
    assert any("older layout" in note for note in series.notes)


def test_long_description_is_not_taken_for_a_table(fetch, answer):
    assert len(fetch(answer(whole(table(), prose="The portfolios are formed each June. " * 60))).frame) == 60


def test_unix_line_ends(fetch, answer):
    body = pack(f"{PROSE}\n\n" + table().replace("\r\n", "\n") + "\n\nCopyright")
    assert len(fetch(answer(body)).frame) == 60


def test_short_table_is_an_error_and_never_another_table(fetch, answer):
    short = table(DAYS[:5])
    with pytest.raises(DataError, match=r"table 0 is too short for the reader.*800 characters"):
        fetch(answer(whole(short)))
    with pytest.raises(DataError, match="table 0 is too short"):
        fetch(answer(whole(short, table())))
    assert len(fetch(answer(whole(table(), short))).frame) == 60


def test_unknown_table_and_column_name_what_there_is(fetch, answer):
    with pytest.raises(DataError, match=r"has no table 3.*Allowed: 0.*count from 0"):
        fetch(answer(whole(table())), provider_id=f"{ME}/3/Lo 30")
    with pytest.raises(DataError, match=r"no single column 'Lo 31'.*<= 0, Lo 30, Med 40"):
        fetch(answer(whole(table())), provider_id=f"{ME}/0/Lo 31")


def test_text_without_any_table(fetch, answer):
    with pytest.raises(DataError, match="has no table 0"):
        fetch(answer(pack("We have moved.")))


def test_word_in_a_column_of_numbers(fetch, answer):
    with pytest.raises(DataError, match=r"line 7: 'Lo 30' is not a number\. Given: 'n\.a\.'"):
        fetch(answer(whole(table().replace(",    0.10,", ",n.a.,"))))


def test_impossible_date_is_a_data_error(fetch, answer):
    with pytest.raises(DataError, match=r"not in the layout.*What to do"):
        fetch(answer(whole(table().replace("20200102", "20209902"))))


def test_doubled_date(fetch, answer):
    with pytest.raises(DataError, match=r"line 7: the date 2020-01-01 is there twice, first in line 6"):
        fetch(answer(whole(table().replace("20200102", "20200101"))))


def test_truncated_archive(fetch, answer):
    body = whole(table())
    with pytest.raises(SourceError, match=r"cannot be unpacked.*cut off.*What to do"):
        fetch(answer(body[: len(body) // 2]))


def test_damaged_archive(fetch, answer):
    body = bytearray(whole(table()))
    start = 30 + len("x.CSV") + 20
    body[start] ^= 0xFF
    with pytest.raises(SourceError, match=r"damaged archive|cannot be unpacked"):
        fetch(answer(bytes(body)))


def test_empty_archive_and_no_archive(fetch, answer):
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    for body in (buffer.getvalue(), b"", b"plain text"):
        with pytest.raises(SourceError, match="cannot be unpacked"):
            fetch(answer(body))


def test_archive_that_claims_a_huge_file_is_refused_unopened(fetch, answer):
    body = bytearray(whole(table()))
    directory = body.index(b"PK\x01\x02")
    body[directory + 24 : directory + 28] = struct.pack("<I", 2_000_000_000)
    with pytest.raises(DataError, match="unpacks to 2000000000 bytes"):
        fetch(answer(bytes(body)))


def test_web_page_with_status_200(fetch, answer):
    with pytest.raises(SourceError, match=r"a web page instead of an archive.*What to do"):
        fetch(answer("<html><body>Sorry</body></html>"))


def test_unknown_dataset(fetch, answer, site):
    with pytest.raises(SourceError, match=r"404.*renamed, withdrawn or misspelt"):
        fetch(answer("<html>", status=404))
    assert len(site.asked) == 1


def test_attempts_are_those_of_the_policy_and_no_more(fetch, answer, site, pauses):
    assert len(fetch(answer(status=429), answer(status=500), answer(whole(table()))).frame) == 60
    assert (len(site.asked), pauses) == (3, [0.5, 1.0])
    site.asked.clear()
    with pytest.raises(SourceError, match="3 attempts; the last was: HTTP 502"):
        fetch(answer(status=502))
    assert len(site.asked) == 3


def test_slow_library(fetch, answer, site):
    with pytest.raises(SourceError, match="within the time limit"):
        fetch(answer(b"", wait=0.6))
    assert len(site.asked) == 3


@pytest.mark.parametrize(
    "provider_id", ["", ME, f"{ME}/0", f"{ME}/x/Lo 30", f"{ME}/0/ ", "../up/0/Lo 30", f"{ME}/-1/a"]
)
def test_ids_that_do_not_name_a_column_are_refused(fetch, answer, site, provider_id):
    with pytest.raises(InputError, match="dataset/table/column"):
        fetch(answer(whole(table())), provider_id=provider_id)
    assert site.asked == []


def test_vendor_copies_parse(fetch, answer, shared):
    folder = shared / "data" / "market" / "famafrench"
    text = (folder / "F-F_Research_Data_Factors_daily.csv").read_bytes().decode()
    series = fetch(answer(pack(text)), provider_id="F-F_Research_Data_Factors_daily/0/SMB", start="1990-01-01")
    stored = pd.read_csv(shared / "data" / "market" / "FF_SMB.csv", index_col=0, parse_dates=True)["value"]
    assert series.frame["value"].tolist() == stored["1990-01-01":].tolist()
    assert len(series.frame) > 9_000
