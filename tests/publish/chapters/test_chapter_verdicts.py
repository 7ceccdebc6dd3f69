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


def several(*families: str, **changes: Any) -> list[Entry]:
    """One entry an asset and family: Bitcoin with prices to the end, Ether and Solana with prices that end earlier."""
    ends = {"BTC": "2026-08-18", "ETH": "2025-09-29", "SOL": "2025-06-09"}
    return [
        entry(f"{family}.{asset}".lower(), family=family, effect=asset, start="2014-09-18", end=end, **changes)
        for family in families
        for asset, end in ends.items()
    ]


THREE: Any = SimpleNamespace(
    plan=SimpleNamespace(
        small_cap="RUT", crypto=("BTC", "ETH", "SOL"), calls=range(9), families=range(2), substitutions=(), missing=()
    ),
    label=lambda name: {"BTC": "Bitcoin", "ETH": "Ether", "SOL": "Solana", "RUT": "Russell 2000"}[name],
    config=SimpleNamespace(lags=5, level=0.05),
)


def test_the_scope_says_which_prices_end_early() -> None:
    later = entry("beta.rut.btc", family="same-session", clock="after", start="2014-09-18", end="2026-08-21")
    alone = entry("watch.btc", family="watch", cause="", start="2010-01-01", end="2026-08-23")  # one market's own
    told = words._scope(Ledger((*several("lead"), later, alone)), THREE)
    assert "2014-09-18 to 2026-08-21 at the longest" in told
    assert "end earlier for Solana on 2025-06-09; for Ether on 2025-09-29." in told
    same_end = [item for item in several("lead") if item.effect == "BTC"]
    assert "earlier" not in words._scope(Ledger(tuple(same_end)), THREE)


def test_the_plain_test_is_counted_beside_the_robust_one_of_its_direction() -> None:
    ledger = Ledger((*several("plain", "lead"), *several("plain-reverse", pvalue=0.01), *several("reverse")))
    assert "would call none of 3 leads significant" in words.plain(ledger, THREE, "lead")
    assert "would call 3 of 3 leads significant; with robust inference it is none" in words.plain(
        ledger, THREE, "reverse"
    )


def test_the_overlapping_clock_is_counted_alone_and_beside_the_drivers() -> None:
    quiet = several("lead", "reverse", "reverse-overlap", "lead-overlap-conditional", "reverse-overlap-conditional")
    told = words.clock(Ledger((*quiet, *several("lead-overlap", pvalue_adjusted=0.001))), THREE)
    assert "3 of 3 leads of small caps would count as significant, against none" in told
    assert "Beside the common drivers none of 3 of small caps and none of 3 of crypto would count" in told
