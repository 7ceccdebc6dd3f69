"""The verdicts on page one: a reason for each, and behind it the evidence with units, counts and signs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from analysis.publish.chapters import cells, verdicts, words
from analysis.study.entry import Entry
from analysis.study.ledger import Ledger
from analysis.study.verdicts import Judgement, Reading

INPUTS: Any = SimpleNamespace(
    plan=SimpleNamespace(small_cap="RUT", crypto=("BTC",)),
    catalog=("RUT", "BTC"),
    label=lambda name: {"BTC": "Bitcoin", "RUT": "Russell 2000"}[name],
    config=SimpleNamespace(lags=5, level=0.05),
)


def entry(name: str = "granger.rut.btc", **changes: Any) -> Entry:
    facts: dict[str, Any] = {
        "id": name, "family": "lead", "cause": "RUT", "effect": "BTC", "estimate": 0.2, "lower": -0.4, "upper": 0.8,
        "level": 0.95, "pvalue": 0.3, "pvalue_adjusted": 0.4, "adjustment": "bh", "nobs": 2000,
        "estimate_name": "sum of the 5 lag coefficients of Russell 2000",
    }  # fmt: skip
    return Entry(**(facts | changes))


def reading(label: str = "Lead", **changes: Any) -> Reading:
    facts: dict[str, Any] = dict.fromkeys(
        ("significant", "significant_positive", "significant_negative", "negligible", "speaks_for", "speaks_against"), 0
    )
    facts |= {"name": "x", "label": label, "tests": 3, "applicable": 2, "estimate": None, "lower": None, "upper": None,
              "ids": (), "strongest": "granger.rut.btc"}  # fmt: skip
    return Reading(**(facts | changes))


def judgement(verdict: str = "no evidence", *readings: Reading) -> Judgement:
    return Judgement("lead", "Small caps lead crypto", "s", verdict, "no test rejects", "a b", "c", readings, "")


def test_page_one_gives_verdict_and_reason_and_leaves_out_what_is_not_built() -> None:
    table = verdicts.verdict_table([judgement(), judgement(verdicts.PENDING)])
    assert table.rows == (("Small caps lead crypto", "**no evidence**", "no test rejects"),)


def test_the_evidence_has_counts_a_unit_and_a_sign_where_it_decides_nothing() -> None:
    item = judgement("no evidence", reading(speaks_against=1), reading("Other (reported, decides nothing)"))
    table = verdicts.evidence_table(Ledger((entry(),)), [item], INPUTS)
    head, first, second = table.rows
    assert head[0] == "**Small caps lead crypto: no evidence**"
    assert first == ("Lead", "0", "1", "1", "1", "Bitcoin: 0.2 [−0.4, 0.8] % per %", "0.400", "2,000")
    assert second[0] == "† Other"


@pytest.mark.parametrize(
    ("estimate", "words_of_it", "text"),
    [(1.0, "days with a record in 2024", "Bitcoin: 1 record day"), (0.0, "number of breaks", "Bitcoin: 0 breaks")],
)
def test_counts_read_as_counts(estimate: float, words_of_it: str, text: str) -> None:
    counted = entry(estimate=estimate, lower=None, upper=None, level=None, estimate_name=words_of_it)
    assert verdicts.result_text(counted, INPUTS) == text


def test_a_zero_is_none_in_a_sentence() -> None:
    assert [cells.count_words(count) for count in (0, 1, 2000)] == ["none", "1", "2,000"]


def test_the_answer_never_denies_a_lead_it_shows_without_the_reason() -> None:
    same = entry("beta.rut.btc", family="same-session", estimate=0.7, lower=0.5, upper=0.9)
    quiet = words._lead_sizes(Ledger((entry(), same)), judgement(), INPUTS)
    assert "0.2 [−0.4, 0.8] percent in Bitcoin (all lags together: p adj. = 0.400)" in quiet
    assert "cannot be told from zero, against 0.70 [0.50, 0.90] percent in the same session" in quiet
    found = words._lead_sizes(Ledger((entry(pvalue_adjusted=0.01, lower=0.1), same)), judgement(), INPUTS)
    assert "cannot be told" not in found
    assert "; no test rejects; 95% intervals in brackets." in found
