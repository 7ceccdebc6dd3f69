"""The retry policy against a real server: bounded attempts, known pauses, limits of time and size."""

from __future__ import annotations

import gzip
import socket

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import InputError, SourceError
from analysis.sources.retry import PatientSession, RetryPolicy, get, public_url, retry_after


def patient(pauses, **options):
    return RetryPolicy(**({"attempts": 3, "sleep": pauses.append} | options))


def test_first_good_answer_is_returned_without_a_pause(site, answer, pauses):
    url = site.answers(answer("hello"))
    assert get(url, policy=patient(pauses)).content == b"hello"
    assert (len(site.asked), pauses) == (1, [])


@pytest.mark.parametrize("status", [429, 500, 501, 502, 503, 504])
def test_passing_trouble_is_tried_again(site, answer, pauses, status):
    url = site.answers(answer(status=status), answer(status=status), answer("at last"))
    assert get(url, policy=patient(pauses, base_delay=1.0)).text == "at last"
    assert (len(site.asked), pauses) == (3, [1.0, 2.0])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_final_answers_are_not_tried_again(site, answer, pauses, status):
    url = site.answers(answer(status=status), answer("too late"))
    with pytest.raises(SourceError, match=f"answered HTTP {status}"):
        get(url, policy=patient(pauses))
    assert (len(site.asked), pauses) == (1, [])


def test_giving_up_names_address_attempts_and_last_answer(site, answer, pauses):
    url = site.answers(answer(status=500), answer(status=502), answer(status=503))
    with pytest.raises(SourceError) as caught:
        get(f"{url}a.csv", policy=patient(pauses))
    text = str(caught.value)
    assert f"{url}a.csv" in text
    assert "3 attempts" in text
    assert "503" in text
    assert "What to do" in text
    assert len(site.asked) == 3


def test_hints_explain_a_final_answer(site, answer, pauses):
    url = site.answers(answer(status=404))
    with pytest.raises(SourceError, match=r"it moved.*ask for the new one"):
        get(url, policy=patient(pauses), hints={404: ("it moved", "ask for the new one")})


@pytest.mark.parametrize(("wished", "pause"), [("7", 7.0), ("4000", 30.0), ("0", 0.5), ("soon", 0.5), ("-3", 0.5)])
def test_wish_of_the_server_is_honoured_within_bounds(site, answer, pauses, wished, pause):
    headers = {"Retry-After": wished}
    url = site.answers(answer(status=429, headers=headers), answer("fine"))
    get(url, policy=patient(pauses))
    assert pauses == [pause]


def test_retry_after_as_a_date_counts_from_the_servers_clock():
    headers = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT"}
    assert retry_after(headers) == 20.0
    assert retry_after(headers | {"Retry-After": "Wed, 21 Oct 2015 07:00:00 GMT"}) == 0.0
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT"}) is None
    assert retry_after({"Retry-After": "٣"}) is None


def test_silent_server_runs_into_the_read_timeout(site, answer, pauses):
    url = site.answers(answer("late", wait=1.0), answer("in time"))
    assert get(url, policy=patient(pauses, read_timeout=0.15)).text == "in time"
    assert pauses == [0.5]
    site.asked.clear()
    site.answers(answer("late", wait=0.6))
    with pytest.raises(SourceError, match="no complete answer within the time limit"):
        get(url, policy=patient(pauses, attempts=2, read_timeout=0.1))
    assert len(site.asked) == 2


def test_trickling_server_runs_into_the_total_timeout(site, answer, pauses):
    url = site.answers(answer(b"x" * 100, drip=0.05))
    with pytest.raises(SourceError, match="no complete answer within the time limit"):
        get(url, policy=patient(pauses, attempts=1, total_timeout=0.2))


def test_answer_that_breaks_off_is_tried_again_and_never_returned(site, answer, pauses):
    url = site.answers(answer("half an ans", cut=9), answer("whole"))
    assert get(url, policy=patient(pauses)).text == "whole"
    site.asked.clear()
    site.answers(answer("half an ans", cut=9))
    with pytest.raises(SourceError, match="broke off before its end"):
        get(url, policy=patient(pauses))
    assert len(site.asked) == 3


def test_no_server_at_all(pauses):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(SourceError, match="3 attempts; the last was: the connection failed"):
        get(f"http://127.0.0.1:{port}/", policy=patient(pauses))
    assert pauses == [0.5, 1.0]


def test_size_limit_counts_after_decompression(site, answer, pauses):
    packed = gzip.compress(b"0" * 5_000)
    url = site.answers(answer(packed, headers={"Content-Encoding": "gzip"}))
    assert get(url, policy=patient(pauses), max_bytes=5_000).content == b"0" * 5_000
    with pytest.raises(SourceError, match=r"more than the allowed size.*4999 bytes"):
        get(url, policy=patient(pauses), max_bytes=4_999)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a.csv", "data:text/plain,1"])
def test_other_schemes_are_refused(url, pauses):
    with pytest.raises(SourceError, match="only http and https"):
        get(url, policy=patient(pauses))


def test_redirect_to_another_scheme_is_refused(site, answer, pauses):
    url = site.answers(answer(status=302, headers={"Location": "file:///etc/passwd"}))
    with pytest.raises(SourceError, match="cannot be read"):
        get(url, policy=patient(pauses))
    assert len(site.asked) == 1


def test_given_session_is_used_and_left_open(site, answer, pauses):
    url = site.answers(answer("fine"))
    with requests.Session() as session:
        session.headers["X-Mark"] = "yes"
        with PatientSession(patient(pauses), session) as wrapped:
            assert wrapped.get(url, timeout=99).text == "fine"
        assert session.get(url, timeout=5).status_code == 200


def test_secrets_do_not_reach_messages(site, answer, pauses):
    site.answers(answer(status=404))
    address = site.url.replace("//", "//me:hush@") + "a.csv?id=RUT&api_key=hush#part"
    with pytest.raises(SourceError) as caught:
        get(address, policy=patient(pauses))
    assert "hush" not in str(caught.value)
    assert "id=RUT" in str(caught.value)
    assert public_url("http://h/a?b=1") == "http://h/a?b=1"


@given(base=st.floats(0, 10), top=st.floats(0, 60), attempt=st.integers(1, 5_000), wish=st.none() | st.floats(0, 1e6))
def test_no_pause_is_longer_than_its_bound(base, top, attempt, wish):
    policy = RetryPolicy(base_delay=base, max_delay=top, max_retry_after=20.0)
    pause = policy.delay(attempt, wish)
    assert 0 <= pause <= max(top, 20.0)
    assert pause * (policy.attempts - 1) <= policy.longest_wait
    assert pause == policy.delay(attempt, wish)


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"base_delay": -1},
        {"max_retry_after": float("inf")},
        {"read_timeout": 0},
        {"max_delay": float("nan")},
    ],
)
def test_policies_that_cannot_work_are_refused(options):
    with pytest.raises(InputError):
        RetryPolicy(**options)
