from __future__ import annotations

import datetime
import math
import subprocess
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pypandoc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from published_example import absent, entry, ledger

from analysis.errors import InputError, LedgerError
from analysis.publish.printed import agrees
from analysis.publish.values import absence, build_values, field_text, format_value, sentence, write_variables
from analysis.study.ledger import FIELDS, Ledger

MINUS = "\u2212"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.0412, "p", "0.041"),
        (0.001, "p", "0.001"),
        (0.00099999, "p", "<0.001"),
        (0.0, "p", "<0.001"),
        (1.0, "p", "1.000"),
        (0.9996, "p", ">0.999"),
        (0.99949, "p", "0.999"),
        (0.5, "p", "0.500"),
        (0.0412, "p_equation", "= 0.041"),
        (1e-9, "p_equation", "< 0.001"),
        (0.031274, "estimate", "0.0313"),
        (-0.031274, "estimate", f"{MINUS}0.0313"),
        (0.9996, "estimate", "1.00"),
        (12.345, "estimate", "12.3"),
        (-1234.6, "estimate", f"{MINUS}1,235"),
        (0.0, "estimate", "0"),
        (-0.0, "estimate", "0"),
        (-3.126e-7, "estimate", f"{MINUS}3.13 × 10⁻⁷"),
        (9.9999e-5, "estimate", "1.00 × 10⁻⁴"),
        (2e20, "estimate", "2.00 × 10²⁰"),
        ((-0.0512, 0.1137), "interval", f"[{MINUS}0.05, 0.11]"),
        ((0.03127, -0.0512, 0.1137), "effect", f"0.03 [{MINUS}0.05, 0.11]"),
        ((0.03127, 0.0211, 0.0412), "effect", "0.031 [0.021, 0.041]"),
        ((2.0, 0.0004, 5.3), "effect", "2.0000 [0.0004, 5.3000]"),
        ((0.5, None, 0.8), "effect", f"0.50 [{MINUS}∞, 0.80]"),
        ((0.1, None), "interval", "[0.100, ∞]"),
        ((2e-9, 1e-9, 5e-9), "effect", "2.0 [1.0, 5.0] × 10⁻⁹"),
        ((0.0, 0.0), "interval", "[0.00, 0.00]"),
        ((1500.0, 1000.0, 2000.0), "effect", "1,500 [1,000, 2,000]"),
        (2442, "count", "2,442"),
        (0, "count", "0"),
        (3.456, "statistic", "3.46"),
        (-0.001, "statistic", "0.00"),
        (2442.03, "level", "2,442.03"),
        (0.1254, "percent", "12.5%"),
        (-0.5, "percent", f"{MINUS}50.0%"),
        ("2024-11-25", "date", "2024-11-25"),
        (datetime.datetime(2024, 11, 25, 16), "date", "2024-11-25"),
        ("2024-11-25", "long_date", "25 November 2024"),
        (datetime.date(2024, 1, 5), "long_date", "5 January 2024"),
    ],
)
def test_the_rounding_rule(value: object, kind: str, text: str) -> None:
    assert format_value(value, kind) == text


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (math.nan, "estimate"),
        (math.inf, "statistic"),
        (None, "p"),
        (True, "count"),
        ("0.1", "estimate"),
        (1.5, "p"),
        (-0.1, "p"),
        (2.5, "count"),
        ((0.2, 0.1), "interval"),
        ((None, None), "interval"),
        ((0.1, math.nan), "interval"),
        ((None, 0.1, 0.2), "effect"),
        ((0.1, 0.2), "effect"),
        ("25/11/2024", "date"),
        (0.1, "nonsense"),
    ],
)
def test_what_is_no_value_never_becomes_text(value: object, kind: str) -> None:
    with pytest.raises(InputError):
        format_value(value, kind)


@given(p=st.floats(0, 1))
@example(p=0.0005)
@example(p=5e-324)
def test_p_is_never_zero_and_always_within_half_a_unit(p: float) -> None:
    text = format_value(p, "p")
    assert text != "0.000"
    if text[0] == "<":
        assert p < 0.001
    elif text[0] == ">":
        assert 0.999 < p < 1.0
    else:
        assert abs(Decimal(text) - Decimal(p)) <= Decimal("0.0005")


@given(value=st.floats(1e-4, 1e14) | st.floats(-1e14, -1e-4))
def test_estimates_are_the_decimal_rounding_to_three_digits(value: float) -> None:
    text = format_value(value, "estimate").replace(MINUS, "-").replace(",", "")
    exact = Decimal(value)
    unit = max(exact.adjusted() - 2, -300)
    rounded = exact.quantize(Decimal(1).scaleb(min(unit, 0)), ROUND_HALF_EVEN)
    assert Decimal(text) == rounded
    assert "-0" not in text or value < 0


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(first=finite, second=finite, share=st.floats(0, 1))
@example(first=5e-324, second=1e-320, share=0.5)
@example(first=-1.7e308, second=1.7e308, share=0.5)
@example(first=1.0, second=1.0 + 2**-52, share=0.0)
def test_both_ends_have_the_same_decimals_and_agree(first: float, second: float, share: float) -> None:
    lower, upper = sorted((first, second))
    text = format_value((lower, upper), "interval")
    ends = text.partition("]")[0].strip("[").split(", ")
    assert len({len(end.partition(".")[2]) for end in ends}) == 1
    assert "nan" not in text
    made = entry(lower=lower, upper=upper, estimate=min(max(lower + share * (upper / 2 - lower / 2), lower), upper))
    for field in ("interval", "effect", "estimate", "lower", "upper"):
        assert agrees(field_text(made, field), made, field), field


@given(lower=st.floats(1e-6, 1), upper=st.floats(1, 100))
def test_an_end_that_is_not_zero_never_reads_as_zero(lower: float, upper: float) -> None:
    first = format_value((lower, upper), "interval").strip("[]").split(", ")[0]
    assert float(first) > 0


def test_a_number_reads_the_same_alone_and_in_its_interval() -> None:
    made = entry()
    assert field_text(made, "estimate") == "0.03"
    assert field_text(made, "effect") == f"0.03 [{MINUS}0.05, 0.11]"
    assert field_text(made, "interval") == f"[{MINUS}0.05, 0.11]"
    assert (field_text(made, "lower"), field_text(made, "upper")) == (f"{MINUS}0.05", "0.11")


def test_interval_without_estimate_has_its_own_ends() -> None:
    made = entry(estimate=None)
    assert (field_text(made, "lower"), field_text(made, "upper")) == (f"{MINUS}0.05", "0.11")
    assert field_text(made, "estimate") == "no estimate"
    assert field_text(made, "effect") == "no estimate"


def test_absent_numbers_become_words() -> None:
    made = absent()
    for field in FIELDS:
        expected = "not applicable" if field == "status" else "not applicable: too few rows"
        assert field_text(made, field) == expected
    assert field_text(absent(status="failed", reason="broke"), "p") == "failed: broke"
    bare = entry(pvalue=None, pvalue_adjusted=None, lower=None, upper=None, level=None)
    assert field_text(bare, "p") == "no p-value"
    assert field_text(bare, "p_adj") == "no adjusted p-value"
    assert field_text(bare, "interval") == "no interval"
    assert absence(bare, "n") == "no number of observations"
    with pytest.raises(LedgerError, match="unknown field"):
        field_text(bare, "size")


def test_sentence() -> None:
    assert sentence(entry()) == (
        "Granger test (RUT to BTC; crypto day ends after the close): "
        f"partial R² 0.03 [{MINUS}0.05, 0.11] (95% interval), "
        "p = 0.412, "
        "adjusted p = 0.800 (Romano–Wolf), n = 2,442, lags = 5, 2014-09-17 to 2024-12-31."
    )
    assert sentence(absent()) == "Granger test: not applicable: too few rows."
    assert "p < 0.001" in sentence(entry(pvalue=1e-5))


def test_build_values_nests_ids_and_fields() -> None:
    values = build_values(ledger(), {"stamp.version": "v", "title": "A title", "nested": {"a": {"b": "c"}}})
    cell = values["granger"]["rut"]["btc"]["daily"]
    assert cell["p"] == "0.412"
    assert cell["n"] == "2,442"
    assert set(FIELDS) <= set(cell)
    assert values["granger"]["rut"]["avax"]["daily"]["p"] == "not applicable: too few rows"
    assert values["stamp"]["version"] == "v"
    assert values["nested"]["a"]["b"] == "c"

    def leaves(node: dict) -> list[str]:  # type: ignore[type-arg]
        return [x for value in node.values() for x in (leaves(value) if isinstance(value, dict) else [value])]

    assert all(isinstance(text, str) and text.strip() for text in leaves(values))


def test_an_entry_may_be_the_prefix_of_another() -> None:
    values = build_values(Ledger((entry(id="a.b"), entry(id="a.b.c"))))
    assert values["a"]["b"]["p"] == values["a"]["b"]["c"]["p"] == "0.412"


def test_leaf_and_branch_conflict_is_an_error() -> None:
    with pytest.raises(LedgerError, match="both a value and a group"):
        build_values(Ledger((entry(id="a"), entry(id="a.p.x"))))
    with pytest.raises(LedgerError, match="both a value and a group"):
        build_values(Ledger(()), {"x.y": "1", "x": "2"})
    with pytest.raises(LedgerError, match="given twice"):
        build_values(Ledger(()), {"x.y": "1", "x": {"y": "2"}})
    with pytest.raises(InputError, match="formatted before"):
        build_values(Ledger(()), {"x": 0.4})
    with pytest.raises(InputError, match="empty part"):
        build_values(Ledger(()), {"x..y": "1"})


def test_variables_file_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "_variables.yml"
    odd = 'quote " back \\ colon: # hash \x85 \u2028 end'
    write_variables(path, build_values(ledger(), {"y": "yes", "odd": odd}))
    text = path.read_text(encoding="utf-8")
    assert '"odd": "quote \\" back \\\\ colon: # hash \\u0085 \\u2028 end"' in text
    (tmp_path / "t.tpl").write_text(
        "$granger.rut.btc.daily.effect$|$granger.rut.btc.daily.n$|$y$|$granger.rut.btc.daily.p$"
    )
    (tmp_path / "t.md").write_text("x")
    arguments = [f"--metadata-file={path}", f"--template={tmp_path / 't.tpl'}", "--wrap=none"]
    shown = pypandoc.convert_file(str(tmp_path / "t.md"), "plain", extra_args=arguments)
    assert shown.strip() == f"0.03 [{MINUS}0.05, 0.11]|2,442|yes|0.412"
    assert [item.name for item in tmp_path.glob(".*")] == []


WRITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from published_example import ledger
from analysis.publish.values import build_values, write_variables
write_variables(Path(sys.argv[1]), build_values(ledger(), {"b": "1", "a": "2"}))
"""


def test_two_processes_write_the_same_variables(tmp_path: Path) -> None:
    for name in ("one", "two"):
        command = [sys.executable, "-c", WRITE, str(tmp_path / name), str(Path(__file__).parent)]
        subprocess.run(command, check=True, env={"PYTHONHASHSEED": "1" if name == "one" else "2"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
