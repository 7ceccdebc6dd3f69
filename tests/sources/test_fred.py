"""The library's real FRED reader against a local server, with every way the service is known to fail."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError, InputError, SourceError
from analysis.sources import fred
from analysis.sources.retry import RetryPolicy

BODY = "observation_date,VIXCLS\n2024-01-01,.\n2024-01-02,13.20\n2024-01-03,14.04\n2024-01-04,\n2024-01-05,13.35\n"
PAGE = "<!DOCTYPE html><html><head><title>Error</title></head><body>We could not find that.</body></html>"


@pytest.fixture
def fetch(site, pauses):
    def ask(*script, provider_id="VIXCLS", policy=None, **options):
        url = site.answers(*script) + "graph/fredgraph.csv"
        policy = policy or RetryPolicy(attempts=3, sleep=pauses.append)
        return fred.fetch("VIX", provider_id, base_url=url, policy=policy, **options)

    return ask


def test_series_arrives_in_the_contract(fetch, answer, site):
    series = fetch(answer(BODY))
    assert site.asked == ["/graph/fredgraph.csv?id=VIXCLS"]
    assert (series.series_id, series.provider, series.provider_id) == ("VIX", "fred", "VIXCLS")
    assert series.frame.index.equals(pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-05"]))
    assert series.frame.index.name == "date"
    assert series.frame.index.dtype == "datetime64[ns]"
    assert series.frame["value"].tolist() == [13.20, 14.04, 13.35]
    assert series.frame["value"].dtype == np.float64
    assert series.notes == ("2 dates without a value left out",)
    assert series.origin.endswith("/graph/fredgraph.csv?id=VIXCLS")
    assert len(series.retrieved) == len("2024-01-01T00:00:00Z")


def test_dates_cut_the_span_on_both_sides_inclusive(fetch, answer):
    series = fetch(answer(BODY), start="2024-01-03", end="2024-01-05")
    assert series.frame["value"].tolist() == [14.04, 13.35]


@pytest.mark.parametrize(
    "body", [BODY.replace("\n", "\r\n"), "\ufeff" + BODY, BODY + "\n\n", BODY.replace("observation_date", "DATE")]
)
def test_harmless_variants_of_the_format(fetch, answer, body):
    assert fetch(answer(body)).frame["value"].tolist() == [13.20, 14.04, 13.35]


def test_missing_days_before_the_start_do_not_matter(fetch, answer):
    with pytest.raises(DataError, match=r"no observation between 2025-01-01.*widen the dates"):
        fetch(answer(BODY), start="2025-01-01")
    with pytest.raises(DataError, match="no observation"):
        fetch(answer(BODY), end="2024-01-01")


def test_busy_service_is_asked_again(fetch, answer, site, pauses):
    series = fetch(answer(status=429, headers={"Retry-After": "3"}), answer(status=503), answer(BODY))
    assert len(series.frame) == 3
    assert (len(site.asked), pauses) == (3, [3.0, 1.0])


def test_attempts_are_those_of_the_policy_and_no_more(fetch, answer, site, pauses):
    with pytest.raises(SourceError, match=r"3 attempts; the last was: HTTP 500.*What to do"):
        fetch(answer(status=500))
    assert len(site.asked) == 3
    assert pauses == [0.5, 1.0]


def test_slow_service(fetch, answer, site, pauses):
    policy = RetryPolicy(attempts=2, read_timeout=0.1, sleep=pauses.append)
    with pytest.raises(SourceError, match="no complete answer within the time limit"):
        fetch(answer(BODY, wait=0.5), policy=policy)
    assert len(site.asked) == 2


def test_answer_that_breaks_off(fetch, answer):
    with pytest.raises(SourceError, match="broke off"):
        fetch(answer(BODY, cut=50))


def test_unknown_or_renamed_series(fetch, answer, site):
    with pytest.raises(SourceError, match=r"404.*renamed, withdrawn or misspelt.*catalogue"):
        fetch(answer(PAGE, status=404))
    assert len(site.asked) == 1
    with pytest.raises(DataError, match=r"line 1: the answer is another series.*Given: VIX_NEW"):
        fetch(answer(BODY.replace("VIXCLS", "VIX_NEW")))


@pytest.mark.parametrize("page", [PAGE, "\n\n " + PAGE])
def test_web_page_with_status_200(fetch, answer, page):
    with pytest.raises(SourceError, match=r"a web page instead of data.*What to do"):
        fetch(answer(page))


@pytest.mark.parametrize("body", ["", "\n \n"])
def test_empty_answer(fetch, answer, body):
    with pytest.raises(SourceError, match="answered with nothing"):
        fetch(answer(body))


def test_header_without_rows(fetch, answer):
    with pytest.raises(DataError, match="no observation"):
        fetch(answer("observation_date,VIXCLS\n"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2024-13-45,1.0", "line 7: not a date and a number"),
        ("01/02/2024,1.0", "line 7: not a date and a number"),
        ("2024-01-08,high", "line 7: not a date and a number"),
        ("2024-01-08,1.0,2.0", "line 7: not a date and a number"),
        ("2024-01-08,inf", "line 7: not a date and a number"),
        ("2024-01-0", "line 7: not a date and a number"),
        ("2024-01-05,1.0", "line 7: the date 2024-01-05 is there twice, first in line 6"),
        ("2023-01-05,1.0", "line 7: the date 2023-01-05 comes after 2024-01-05"),
    ],
)
def test_malformed_rows_are_named_by_line(fetch, answer, row, words):
    with pytest.raises(DataError, match=words):
        fetch(answer(BODY + row + "\n"))


def test_foreign_header(fetch, answer):
    with pytest.raises(DataError, match=r"line 1: this is not the header.*observation_date,VIXCLS"):
        fetch(answer("time;value\n2024-01-02;1\n"))


@pytest.mark.parametrize("provider_id", ["", "A B", "../x", "A&id=B", "A,B", "Ä"])
def test_ids_that_could_ask_for_something_else_are_refused(fetch, answer, provider_id, site):
    with pytest.raises(InputError, match="not a FRED id"):
        fetch(answer(BODY), provider_id=provider_id)
    assert site.asked == []


def test_upstream_reader_still_has_the_hooks_we_lean_on():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = fred.FredReader("X", start="2000-01-01", end="2001-01-01", retry_count=0, pause=0.0)
    assert reader.url == fred.BASE_URL
    assert hasattr(reader, "_sanitize_response")
    assert reader.retry_count == 0
    reader.close()
