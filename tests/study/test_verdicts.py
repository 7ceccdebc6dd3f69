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


def _entry(
    name: str, estimate: float, p: float, low: float | None = None, high: float | None = None, **more: str
) -> Entry:
    """Return an entry whose interval, unless given, lies on the side of its estimate."""
    low = estimate - 0.1 if low is None else low
    high = estimate + 0.1 if high is None else high
    family = more.pop("family", "lead")
    return Entry(
        id=f"{family}.{name}", family=family, estimate=estimate, lower=low, upper=high, level=0.95, pvalue=p / 2,
        pvalue_adjusted=p, adjustment="x", effect=name.upper(), **more,
    )  # fmt: skip


def _absent(name: str, family: str = "lead") -> Entry:
    return Entry(id=f"{family}.{name}", family=family, status="inapplicable", reason="too short", effect=name.upper())


def _verdict(*entries: Entry) -> tuple[str, str]:
    item = judge(_claims(CLAIM), Ledger(entries), level=0.05, smallest_effect=0.1)[0]
    return item.verdict, item.because


def test_first_rule_that_holds_decides() -> None:
    assert _verdict(_entry("a", 0.3, 0.01), _entry("b", 0.2, 0.2)) == ("supported", "most stand")
    assert _verdict(_entry("a", 0.01, 0.5, -0.05, 0.05), _entry("b", 0.0, 0.6, -0.09, 0.09))[0] == "contradicted"
    assert _verdict(_entry("a", 0.3, 0.2), _entry("b", 0.2, 0.2))[0] == "no evidence"


def test_adjusted_and_not_raw_p_decides() -> None:
    assert _verdict(_entry("a", 0.3, 0.08))[0] == "no evidence"


def test_the_level_itself_is_significant() -> None:
    assert _verdict(_entry("a", 0.3, 0.05))[0] == "supported"
    assert _verdict(_entry("a", 0.3, 0.0501))[0] == "no evidence"


def test_a_sign_needs_an_interval_that_has_it() -> None:
    assert _verdict(_entry("a", 0.3, 0.01, -0.1, 0.7))[0] == "no evidence"


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
    assert reading.strongest == "lead.b"
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


def test_the_words_of_a_claim_name_the_year_of_the_study(repository: Path) -> None:
    declared = claim_files.load(repository / "data" / "claims.toml")
    judged = judge(declared, Ledger(()), level=0.05, smallest_effect=0.1, record_year=2021)
    assert judged[0].title == "Small caps set records in 2021"
    assert not any("{" in item.statement + item.title + item.would_contradict for item in judged)


def test_the_shipped_claims_are_complete(repository: Path) -> None:
    declared = claim_files.load(repository / "data" / "claims.toml")
    ids = [claim.id for claim in declared.claims]
    assert len(ids) == 14
    assert ids[0] == "record-2024"
    assert [claim.id for claim in declared.claims if not claim.rules] == []


def _toml(value: object) -> str:
    """Write the nested test data as TOML with inline tables."""
    return "\n".join(f"{key} = {_inline(item)}" for key, item in value.items())  # type: ignore[attr-defined]


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


# --- the shipped rules on ledgers that tempt them to say too much


def _shipped(repository: Path, claim: str, *entries: Entry) -> tuple[str, str]:
    declared = claim_files.load(repository / "data" / "claims.toml")
    judged = judge(declared, Ledger(entries), level=0.05, smallest_effect=0.1)
    item = next(item for item in judged if item.claim == claim)
    return item.verdict, item.because


def _leads(alone: dict[str, float], beside: dict[str, float | None], overlap: float = 0.9) -> list[Entry]:
    entries = [_entry(name, 0.5, p) for name, p in alone.items()]
    entries += [
        _absent(name, "lead-conditional") if p is None else _entry(name, 0.5, p, family="lead-conditional")
        for name, p in beside.items()
    ]
    return [*entries, *(_entry(name, 0.5, overlap, family="lead-overlap") for name in alone)]


def test_a_lead_that_only_the_drivers_show_is_not_called_absent(repository: Path) -> None:
    entries = _leads({"a": 0.5, "b": 0.5}, {"a": 0.01, "b": 0.01})
    assert _shipped(repository, "lead", *entries)[0] == "mixed"
    assert "beside the common drivers only" in _shipped(repository, "lead", *entries)[1]


@pytest.mark.parametrize(("p", "lead", "appetite"), [(0.01, "explains it", "supported"), (0.5, "told apart", "mixed")])
def test_only_drivers_that_predict_beside_small_caps_explain_a_lead(
    repository: Path, p: float, lead: str, appetite: str
) -> None:
    entries = _leads({"a": 0.001, "b": 0.9}, {"a": 0.3, "b": 0.9})
    # What the drivers say of the asset without a lead decides nothing.
    entries += [_entry("a", 0.5, p, family="drivers-lead"), _entry("b", 0.5, 0.51 - p, family="drivers-lead")]
    for name, beside in (("a", 0.9), ("b", 0.9)):
        entries.append(_entry(name, 0.9, 0.001, family="same-session"))
        entries.append(_entry(name, 0.0, beside, family="same-session-conditional"))
    verdict, because = _shipped(repository, "lead", *entries)
    assert verdict == "mixed"
    assert lead in because
    assert _shipped(repository, "risk-appetite", *entries)[0] == appetite
    if appetite == "mixed":
        assert "seem to lead" in _shipped(repository, "risk-appetite", *entries)[1]


def test_a_lead_without_any_driver_to_judge_it_is_not_called_an_artefact(repository: Path) -> None:
    entries = _leads({"a": 0.001, "b": 0.001}, {"a": None, "b": None}, overlap=0.001)
    verdict, because = _shipped(repository, "lead", *entries)
    assert verdict == "mixed"
    assert "could not be tested beside common drivers" in because


def test_support_needs_the_same_assets_both_ways(repository: Path) -> None:
    names = "abcdef"
    half = {name: 0.01 if place < 3 else 0.5 for place, name in enumerate(names)}
    other = {name: 0.5 if place < 3 else 0.01 for place, name in enumerate(names)}
    verdict, because = _shipped(repository, "lead", *_leads(half, other))
    assert verdict == "mixed"
    assert "for none both ways" in because
    assert _shipped(repository, "lead", *_leads(half, half))[0] == "supported"


def test_absence_is_no_support_for_shared_risk_appetite(repository: Path) -> None:
    names = "abcdefghijk"
    entries = [_entry(name, 0.5, 0.001, family="same-session") for name in names]
    entries += [_entry(name, 0.5, 0.9, family=family) for name in names for family in ("lead", "lead-conditional")]
    few = [_entry(name, 0.5, 0.001, family="same-session-conditional") for name in "ab"]
    few += [_absent(name, "same-session-conditional") for name in names[2:]]
    assert _shipped(repository, "risk-appetite", *entries, *few)[0] == "not testable"
    gone = [_entry(name, 0.0, 0.9, family="same-session-conditional") for name in names]
    assert _shipped(repository, "risk-appetite", *entries, *gone)[0] == "supported"


def test_the_sign_of_a_difference_between_states_is_told(repository: Path) -> None:
    lower = [_entry(name, -0.3, 0.01, family="state-correlation.liquidity_growing") for name in "a"]
    same = [_entry(name, 0.0, 0.9, family="state-correlation.liquidity_growing") for name in "bcd"]
    verdict, because = _shipped(repository, "liquidity-state", *lower, *same)
    assert (verdict, because.split(" for ")[0]) == ("mixed", "the correlation is lower while liquidity grows")


def test_a_gain_above_the_smallest_useful_one_does_not_speak_against_a_signal(repository: Path) -> None:
    declared = claim_files.load(repository / "data" / "claims.toml")
    entries = [
        _entry("a", 1.0, 0.001, family="forecast-too-small"),
        _entry("b", -1.0, 0.001, family="forecast-too-small"),
    ]
    judged = judge(declared, Ledger(tuple(entries)), level=0.05, smallest_effect=0.1)
    item = next(item for item in judged if item.claim == "useful-signal")
    reading = next(reading for reading in item.readings if reading.name == "too-small")
    assert (reading.speaks_for, reading.speaks_against) == (1, 1)


def _comparison(name: str, value: float, p: float) -> Entry:
    """Return one comparison of small with large caps."""
    return Entry(
        id=f"sensitivity.study.{name}", family="sensitivity-study", estimate=value, lower=value - 0.1,
        upper=value + 0.1, level=0.95, pvalue=p / 2, pvalue_adjusted=p, adjustment="x",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("volatility", "illiquidity", "shock", "words"),
    [
        ((0.5, 0.01), (1.0, 0.9), (0.0, 0.9), "less volatile"),
        ((1.0, 0.9), (0.5, 0.01), (0.0, 0.9), "more liquid"),
        ((1.0, 0.9), (1.0, 0.9), (-0.5, 0.01), "respond less"),
    ],
)
def test_a_difference_the_other_way_is_not_called_none(
    repository: Path,
    volatility: tuple[float, float],
    illiquidity: tuple[float, float],
    shock: tuple[float, float],
    words: str,
) -> None:
    entries = [_comparison("volatility", *volatility), _comparison("illiquidity", *illiquidity)]
    entries += [_comparison("beta.a", *shock), _comparison("beta.b", 0.0, 0.9), _comparison("beta.c", 0.0, 0.9)]
    verdict, because = _shipped(repository, "small-more-sensitive", *entries)
    assert verdict == "mixed"
    assert words in because
    none = [_comparison(item.id.removeprefix("sensitivity.study."), 1.0 if i < 2 else 0.0, 0.9)
            for i, item in enumerate(entries)]  # fmt: skip
    assert _shipped(repository, "small-more-sensitive", *none)[0] == "no evidence"


def test_timing_that_was_not_tested_is_not_called_equal(repository: Path) -> None:
    stem = "response-equality"
    entries = [_entry(f"path.rut.{group}.bivariate", 0.5, 0.01, family=stem) for group in ("all", "older")]
    entries += [_absent(f"timing.rut.{group}.bivariate", stem) for group in ("all", "older")]
    verdict, because = _shipped(repository, "timing-magnitude", *entries)
    assert verdict == "mixed"
    assert "could not be tested" in because
