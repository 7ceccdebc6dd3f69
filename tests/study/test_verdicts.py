"""The rule engine on ledgers small enough to judge by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import ConfigError
from analysis.study import claims as claim_files
from analysis.study.claims import Claims
from analysis.study.entry import Entry
from analysis.study.ledger import Ledger
from analysis.study.verdicts import judge

CLAIM = {
    "id": "lead",
    "title": "t",
    "statement": "s",
    "would_contradict": "c",
    "would_decide": "d",
    "evidence": [{"name": "alone", "label": "Alone", "family": "lead"}],
    "rules": [
        {"verdict": "supported", "because": "most stand",
         "when": [{"evidence": "alone", "measure": "share_significant_positive", "comparison": ">=", "value": 0.5}]},
        {"verdict": "contradicted", "because": "all negligible",
         "when": [{"evidence": "alone", "measure": "share_negligible", "comparison": ">=", "value": 0.9}]},
        {"verdict": "no evidence", "because": "none stands"},
    ],
}  # fmt: skip


def _claims(*rows: dict) -> Claims:
    return Claims.model_validate({"source": "x", "claims": list(rows)})


def _entry(name: str, estimate: float, p: float, low: float = -1.0, high: float = 1.0, **more: object) -> Entry:
    return Entry(
        id=f"granger.{name}", family="lead", estimate=estimate, lower=low, upper=high, level=0.95, pvalue=p / 2,
        pvalue_adjusted=p, adjustment="x", effect=name.upper(), **more,
    )  # fmt: skip


def _absent(name: str) -> Entry:
    return Entry(id=f"granger.{name}", family="lead", status="inapplicable", reason="too short", effect=name.upper())


def _verdict(*entries: Entry) -> tuple[str, str]:
    item = judge(_claims(CLAIM), Ledger(entries), level=0.05, smallest_effect=0.1)[0]
    return item.verdict, item.because


def test_first_rule_that_holds_decides() -> None:
    assert _verdict(_entry("a", 0.3, 0.01), _entry("b", 0.2, 0.2)) == ("supported", "most stand")
    assert _verdict(_entry("a", 0.01, 0.5, -0.05, 0.05), _entry("b", 0.0, 0.6, -0.09, 0.09))[0] == "contradicted"
    assert _verdict(_entry("a", 0.3, 0.2), _entry("b", 0.2, 0.2))[0] == "no evidence"


def test_adjusted_and_not_raw_p_decides() -> None:
    assert _verdict(_entry("a", 0.3, 0.08))[0] == "no evidence"


def test_the_level_itself_is_not_significant() -> None:
    assert _verdict(_entry("a", 0.3, 0.05))[0] == "no evidence"


def test_a_negative_effect_does_not_support() -> None:
    assert _verdict(_entry("a", -0.3, 0.001))[0] == "no evidence"


def test_absent_tests_stay_in_the_denominator() -> None:
    found = _entry("a", 0.3, 0.01)
    assert _verdict(found, _absent("b"))[0] == "supported"
    assert _verdict(found, _absent("b"), _absent("c"))[0] == "no evidence"


def test_nothing_computable_is_not_testable_and_says_why() -> None:
    assert _verdict(_absent("a")) == ("not testable", "too short")


def test_a_claim_without_evidence_says_so() -> None:
    bare = {key: value for key, value in CLAIM.items() if key not in ("evidence", "rules")}
    item = judge(_claims(bare), Ledger(()), level=0.05, smallest_effect=0.1)[0]
    assert item.verdict == "evidence not built yet"
    assert "d" in item.because


def test_reading_names_the_strongest_and_counts_signs() -> None:
    entries = (_entry("a", 0.3, 0.04), _entry("b", -0.2, 0.01), _absent("c"))
    reading = judge(_claims(CLAIM), Ledger(entries), level=0.05, smallest_effect=0.1)[0].readings[0]
    assert (reading.tests, reading.applicable, reading.significant) == (3, 2, 2)
    assert (reading.significant_positive, reading.significant_negative) == (1, 1)
    assert reading.strongest == "granger.b"
    assert reading.sentence == "2 of 3 significant after correction (1 could not be run)"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": CLAIM["rules"][:2]}, "must hold always"),
        ({"rules": []}, "both evidence and rules"),
        ({"evidence": [CLAIM["evidence"][0], CLAIM["evidence"][0]]}, "names a piece of evidence twice"),
        ({"evidence": [{"name": "alone", "label": "x"}]}, "selects nothing"),
        ({"colour": "red"}, "unknown key"),
    ],
)
def test_a_bad_claims_file_names_the_fault(tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "claims.toml"
    path.write_text(_toml({"source": "x", "claims": [CLAIM | change]}), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        claim_files.load(path)


def test_the_shipped_claims_are_complete(repository: Path) -> None:
    declared = claim_files.load(repository / "data" / "claims.toml")
    ids = [claim.id for claim in declared.claims]
    assert len(ids) == 14
    assert ids[0] == "record-2024"
    assert {claim.id for claim in declared.claims if claim.rules} == {
        "record-2024", "lead", "risk-appetite", "liquidity-state",
    }  # fmt: skip


def _toml(value: object) -> str:
    """Write the nested test data as TOML with inline tables."""
    return "\n".join(f"{key} = {_inline(item)}" for key, item in value.items())  # type: ignore[attr-defined]


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
