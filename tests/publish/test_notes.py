from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_example import absent, entry, ledger, publish

from analysis.errors import InputError, LedgerError, VersionError
from analysis.publish.notes import check, fill, parse
from analysis.publish.printed import agrees, is_readable
from analysis.publish.values import field_text
from analysis.study.ledger import FIELDS

REAL = "2026-08-21-1a2b3c4d-5e6f7a8b"
HEAD = f"---\ntitle: A note\nbellwether: {REAL}\n---\n\n"
ID = "granger.rut.btc.daily"
MINUS = "\u2212"


def cited(text: str, field: str = "p", id: str = ID) -> str:
    return f'[{text}]{{cite="{id}.{field}"}}'


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("notes")
    publish(root)
    return root / "builds"


def found(body: str) -> list[tuple[str, str]]:
    return [(span.text, span.address) for span in parse(HEAD + body).spans]


# --- finding the spans


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('p = [0.41]{cite="a.p"}.', [("0.41", "a.p")]),
        ("[0.41]{cite='a.p'}", [("0.41", "a.p")]),
        ("[0.41]{cite=a.p}", [("0.41", "a.p")]),
        ('[0.41]{#id .big data-x="} ]" cite="a.p"}', [("0.41", "a.p")]),
        ('[0.41]{\n  .big\n  cite="a.p"\n}', [("0.41", "a.p")]),
        ('| a | b |\n|---|---|\n| [1]{cite="a.p"} | [2]{cite="b.p"} |', [("1", "a.p"), ("2", "b.p")]),
        (f'[0.03 [{MINUS}0.05, 0.11]]{{cite="a.effect"}}', [(f"0.03 [{MINUS}0.05, 0.11]", "a.effect")]),
        ('[see [0.41]{cite="a.p"} here](x.html)', [("0.41", "a.p")]),
        ('[0.41](evidence.html#x){cite="a.p"}', [("0.41", "a.p")]),
        ('an [open bracket, then [0.41]{cite="a.p"}', [("0.41", "a.p")]),
        ('an [open bracket\n\nthen ]{cite="a.p"}', []),
        ('> quoted [0.41]{cite="a.p"}', [("0.41", "a.p")]),
        ('- item\n\n    continued [0.41]{cite="a.p"}', [("0.41", "a.p")]),
        ('[^1]: note\n\n    continued [0.41]{cite="a.p"}', [("0.41", "a.p")]),
        ('text\n    lazy [0.41]{cite="a.p"}', [("0.41", "a.p")]),
        ("[0.41]{.big}", []),
        ('[0.41]{other="cite=a.p"}', []),
        (r'\[0.41]{cite="a.p"}', []),
        (r'[0.41\]{cite="a.p"}', []),
        (r'[0.41]\{cite="a.p"}', []),
        (r'\\[0.41]{cite="a.p"}', [("0.41", "a.p")]),
        ('`[0.41]{cite="a.p"}`', []),
        ('`` ` [0.41]{cite="a.p"} ``', []),
        ('an unclosed ` and [0.41]{cite="a.p"}', [("0.41", "a.p")]),
        ('one ` tick\n\n[0.41]{cite="a.p"} other ` tick', [("0.41", "a.p")]),
        ('```\n[0.41]{cite="a.p"}\n```\n[2]{cite="b.p"}', [("2", "b.p")]),
        ('~~~~ {.python}\n[0.41]{cite="a.p"}\n~~~\n[1]{cite="b.p"}\n~~~~~\n[2]{cite="c.p"}', [("2", "c.p")]),
        ('```\nunclosed\n\n[0.41]{cite="a.p"}', [("0.41", "a.p")]),
        ('text\n\n    [0.41]{cite="a.p"}\n\n    [1]{cite="b.p"}\n\n[2]{cite="c.p"}', [("2", "c.p")]),
        ('<!-- [0.41]{cite="a.p"}\n\n-->[2]{cite="c.p"}', [("2", "c.p")]),
        ("", []),
    ],
)
def test_spans_are_found_where_markdown_has_them(body: str, expected: list[tuple[str, str]]) -> None:
    assert found(body) == expected
    assert found(body.replace("\n", "\r\n")) == [(text, address) for text, address in expected]


def test_place_of_a_span_is_line_and_column_in_the_file() -> None:
    (span,) = parse(HEAD + 'One\nand [0.41]{cite="a.p"}').spans
    assert (span.line, span.column) == (7, 6)
    assert (HEAD + 'One\nand [0.41]{cite="a.p"}')[span.start : span.end] == "0.41"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('[0.41] {cite="a.p"}', "line 6: no space"),
        ('[0.41]{cite="a.p" cite="b.p"}', "line 6: the attributes cannot be read"),
        ('[0.41]{cite = "a.p"}', "line 6: the attributes cannot be read"),
        ('[0.41]{cite="a.p" junk}', "line 6: the attributes cannot be read"),
    ],
)
def test_what_only_looks_like_a_citation_is_reported(body: str, message: str, builds: Path) -> None:
    report = check(HEAD + body, builds)
    assert not report.ok
    assert message in report.problems[0]
    assert message in report.summary()
    with pytest.raises(InputError, match="cannot be read"):
        fill(HEAD + body, builds)


def test_nested_citations_are_refused() -> None:
    with pytest.raises(InputError, match="nested"):
        parse(HEAD + '[a [0.4]{cite="a.p"}]{cite="b.p"}')


@pytest.mark.parametrize(
    "front",
    [
        f"---\nbellwether: {REAL}\n---\n",
        f'---\nbellwether: "{REAL}"\n...\n',
        f"---\r\ntitle: x\r\nbellwether:   '{REAL}'  # the version\r\n---\r\n",
        f"\ufeff---\nbellwether: SIM-{REAL}\nother:\n  bellwether: x\n---\n",
    ],
)
def test_front_matter_names_the_version(front: str) -> None:
    assert parse(front + "[1]{cite=a.p}").version.endswith(REAL)


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("", "does not say which version"),
        (f"bellwether: {REAL}\n", "does not say"),
        (f"---\nbellwether: {REAL}\n", "does not say"),
        ("---\ntitle: x\n---\n", "does not say"),
        (f"---\nx:\n  bellwether: {REAL}\n---\n", "does not say"),
        (f"---\nbellwether: {REAL}\nbellwether: {REAL}\n---\n", "exactly one"),
        ("---\nbellwether: latest\n---\n", "moves on"),
        ("---\nbellwether: ../../x\n---\n", "not a version"),
        ("---\nbellwether:\n---\n", "not a version"),
    ],
)
def test_a_note_without_one_valid_version_is_refused(front: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(front + "text")


# --- reading printed numbers


@pytest.mark.parametrize(
    ("text", "field", "value", "expected"),
    [
        ("0.41", "p", 0.4123, True),
        ("0.412", "p", 0.4123, True),
        (".41", "p", 0.4123, True),
        ("**0.41**", "p", 0.4123, False),
        ("0.42", "p", 0.4123, False),
        ("0.413", "p", 0.4123, False),
        ("41.2%", "p", 0.4123, True),
        ("41 %", "p", 0.4123, True),
        ("<0.5", "p", 0.4123, True),
        ("< 0.05", "p", 0.4123, False),
        ("> 0.05", "p", 0.4123, True),
        ("≥0.5", "p", 0.4123, False),
        ("<0.001", "p", 0.0004, True),
        ("0.000", "p", 0.0004, False),
        ("0.00", "p", 0.0004, False),
        ("0.4", "p", 0.4123, False),
        ("0", "p", 0.4123, False),
        ("1.000", "p", 1.0, True),
        ("-0.05", "estimate", -0.0512, True),
        (f"{MINUS}0.05", "estimate", -0.0512, True),
        (r"\-0.051", "estimate", -0.0512, True),
        ("0.05", "estimate", -0.0512, False),
        ("+0.05", "estimate", 0.0512, True),
        ("−5.1 × 10⁻²", "estimate", -0.0512, True),
        ("-5.12e-2", "estimate", -0.0512, True),
        ("-5.12 × 10^-2", "estimate", -0.0512, True),
        ("0.125", "estimate", 0.1250001, True),
        ("1,234", "estimate", 1234.4, True),
        ("1,23", "estimate", 1.23, False),
        ("0,41", "estimate", 0.41, False),
        ("2,442", "n", 2442, True),
        ("2442", "n", 2442, True),
        ("2,443", "n", 2442, False),
        ("2.4 × 10³", "n", 2442, False),
        ("2.442 × 10³", "n", 2442, True),
        ("5.0", "lags", 5, True),
        ("5", "lags", 6, False),
        ("2014-09-17", "start", "2014-09-17", True),
        ("17 September 2014", "start", "2014-09-17", True),
        ("September 17, 2014", "start", "2014-09-17", True),
        ("18 September 2014", "start", "2014-09-17", False),
        ("nan", "estimate", 0.1, False),
        ("1e999", "estimate", 0.1, False),
        ("", "estimate", 0.1, False),
    ],
)
def test_agreement_at_the_printed_precision(text: str, field: str, value: object, expected: bool) -> None:
    bare = {"lower": None, "upper": None, "level": None} if field == "estimate" else {}
    made = entry(**({FIELDS[field]: value} | bare))
    assert agrees(text, made, field) is expected


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        (f"[{MINUS}0.05, 0.11]", "interval", True),
        ("(-0.051, 0.114)", "interval", True),
        ("[-0.05; 0.11]", "interval", True),
        ("[-0.05 to 0.11]", "interval", True),
        ("[-0.05, 0.12]", "interval", False),
        ("[0.05, 0.11]", "interval", False),
        ("0.11", "interval", False),
        ("[-5.1, 11.4] × 10⁻²", "interval", True),
        (f"0.03 [{MINUS}0.05, 0.11]", "effect", True),
        ("0.04 [-0.05, 0.11]", "effect", False),
        ("[-0.05, 0.11]", "effect", False),
        ("0.03 [-∞, 0.11]", "effect", False),
    ],
)
def test_agreement_of_intervals(text: str, field: str, expected: bool) -> None:
    assert agrees(text, entry(), field) is expected


def test_agreement_with_absent_numbers_is_agreement_of_words() -> None:
    assert agrees("not applicable: too few rows", absent(), "p")
    assert not agrees("0.41", absent(), "p")
    assert agrees("not applicable", absent(), "status")
    assert agrees("5, 2431", entry(), "df")
    assert not is_readable("about half", "p")


@given(value=st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3), decimals=st.integers(0, 9))
def test_own_rounding_always_agrees_and_a_unit_off_never(value: float, decimals: int) -> None:
    made = entry(statistic=value)
    text = f"{value:.{decimals}f}"
    if float(text) != 0.0:
        assert agrees(text, made, "statistic")
    off = f"{float(text) + 2 * 10.0**-decimals:.{decimals}f}"
    assert not agrees(off, made, "statistic")


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    for field in FIELDS:
        assert agrees(text, entry(), field) in (True, False)
        assert is_readable(text, field) in (True, False)


# --- checking


def test_check_a_good_note(builds: Path, tmp_path: Path) -> None:
    body = (
        f"p = {cited('0.41')}, effect {cited(f'**0.03 [{MINUS}0.05, 0.11]**', 'effect')}, n {cited('2,442', 'n')},\n"
        f"| {cited('<0.001', id='granger.rut.eth.daily')} | "
        f"{cited('not applicable: too few rows', id='granger.rut.avax.daily')} |\n"
    )
    path = tmp_path / "note.qmd"
    path.write_bytes((HEAD + body).encode())
    report = check(path, builds)
    assert report.ok
    assert len(report.numbers) == 5
    assert report.summary() == f"5 of 5 cited numbers agree with {REAL}"


@pytest.mark.parametrize(
    ("span", "status", "shown"),
    [
        (cited("0.42"), "differs", "0.42: differs, the version says 0.412"),
        (cited("0.42", id="granger.rut.btc.dialy"), "unknown", "did you mean granger.rut.btc.daily"),
        (cited("0.42", field="size"), "unknown", "unknown field"),
        ('[0.42]{cite="granger.rut.btc.daily"}', "unknown", "not which of its numbers"),
        ('[0.42]{cite="“x”"}', "unknown", "unknown result"),
        (cited("0.41", id="granger.rut.avax.daily"), "absent", "too few rows"),
        (cited("0.41", id="highs.count"), "absent", "no p-value"),
        (cited("p is 0.41"), "unreadable", "a p is expected"),
        (cited(""), "unreadable", "(empty)"),
    ],
)
def test_check_reports_what_is_wrong(builds: Path, span: str, status: str, shown: str) -> None:
    report = check(f"{HEAD}Good {cited('0.41')}, bad {span}\n", builds)
    assert [number.status for number in report.numbers] == ["agrees", status]
    assert not report.ok
    assert shown in report.summary()
    assert "1 of 2 cited numbers agree" in report.summary()


def test_check_says_what_moved_and_by_how_much(tmp_path: Path) -> None:
    publish(tmp_path)
    book = ledger(pvalue=0.3023, estimate=0.03128)
    book = type(book)(tuple(item for item in book.entries if item.id != "granger.rut.eth.daily"))
    later = publish(tmp_path, book=book, cutoff="2026-09-01").path.name
    publish(tmp_path, kind="simulated", book=ledger(pvalue=0.9))
    body = f"{cited('0.41')} {cited('0.03', 'estimate')} {cited('0.0004', id='granger.rut.eth.daily')} {cited('0.4')}"
    report = check(HEAD + body, tmp_path / "builds")
    assert report.latest == later
    assert [number.movement for number in report.numbers] == ["moved", "same", "gone", "moved"]
    assert [number.status for number in report.numbers] == ["agrees", "agrees", "agrees", "differs"]
    assert report.numbers[0].latest == "0.302"
    assert report.numbers[0].change == pytest.approx(-0.11, abs=1e-12)
    assert f"now 0.302, by {MINUS}0.110" in report.summary()
    assert f"3 moved since, in {later}" in report.summary()
    assert len(report.moved) == 3


def test_check_refuses_unknown_and_forged_versions(tmp_path: Path) -> None:
    with pytest.raises(VersionError, match="no such version"):
        check(HEAD, tmp_path / "builds")
    path = publish(tmp_path).path
    path.chmod(0o755)
    (path / "results.parquet").chmod(0o644)
    ledger(pvalue=0.01).write(tmp_path)
    (path / "results.parquet").write_bytes((tmp_path / "results.parquet").read_bytes())
    with pytest.raises(VersionError, match="changed after"):
        check(HEAD, tmp_path / "builds")


def test_a_note_has_a_size_limit_and_is_text(tmp_path: Path, builds: Path) -> None:
    path = tmp_path / "note.md"
    path.write_bytes(b"x" * 2_000_001)
    with pytest.raises(InputError, match="too large"):
        check(path, builds)
    with pytest.raises(InputError, match="too large"):
        check("x" * 2_000_001, builds)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        check(path, builds)
    with pytest.raises(InputError, match="no such note"):
        check(tmp_path / "none.md", builds)
    assert "marks no number" in check(HEAD, builds).summary()


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "[]{",
        "`",
        "``` \n",
        "~~~~\n```\n",
        "<!--",
        '[x]{cite="',
        "[a](",
        "\\",
        "    a\n\n",
        "](\n",
        "```` x\n```\n",
        "--><!--",
    ],
)
def test_hostile_notes_are_read(unit: str) -> None:
    text = HEAD + unit * (200_000 // len(unit))
    assert parse(text).version == REAL


# --- filling


def test_fill_writes_numbers_and_changes_nothing_else(builds: Path) -> None:
    body = (
        f"Before {cited('')} and {cited('?')}, bold {cited('**0.9**')}, math {cited('$0.9$')}, "
        f"kept {cited('0.41')},\r\n"
        f"| {cited('…', 'effect')} | {cited('TODO', 'n')} | "
        f"{cited('0.5', id='granger.rut.avax.daily')} | `{cited('?')}`\n"
        f"{cited('0.7', id='granger.rut.eth.daily')} trailing  \n\n\n"
    )
    expected = (
        f"Before {cited('0.412')} and {cited('0.412')}, bold {cited('**0.412**')}, math {cited('$0.412$')}, "
        f"kept {cited('0.41')},\r\n"
        f"| {cited(f'0.03 [{MINUS}0.05, 0.11]', 'effect')} | {cited('2,442', 'n')} | "
        f"{cited('not applicable: too few rows', id='granger.rut.avax.daily')} | `{cited('?')}`\n"
        f"{cited('<0.001', id='granger.rut.eth.daily')} trailing  \n\n\n"
    )
    filled = fill(HEAD + body, builds)
    assert filled == HEAD + expected
    assert fill(filled, builds) == filled
    assert check(filled, builds).ok


def test_fill_never_loses_words(builds: Path) -> None:
    with pytest.raises(InputError, match="words that would be lost"):
        fill(HEAD + cited("about 0.9 or so"), builds)
    with pytest.raises(LedgerError, match="did you mean"):
        fill(HEAD + cited("?", id="granger.rut.btc.dayly"), builds)


def test_fill_escapes_words(tmp_path: Path) -> None:
    reason = "x|y [z] *w* `c` $1"
    book = type(ledger())((absent(id="a", reason=reason),))
    publish(tmp_path, book=book)
    filled = fill(HEAD + "| " + cited("?", id="a") + " |", tmp_path / "builds")
    assert r"x\|y \[z\] \*w\* \`c\` \$1" in filled
    assert check(filled, tmp_path / "builds").ok
    assert fill(filled, tmp_path / "builds") == filled


pieces = st.sampled_from(
    [
        "text ",
        "\n\n",
        "\n",
        "[",
        "]",
        "{",
        "}",
        "`",
        "```\n",
        "\\",
        "| ",
        "$",
        "<!--",
        "-->",
        "    ",
        "- ",
        "é ",
        "(a)",
        '"',
    ]
)
spans = st.builds(
    cited,
    st.sampled_from(["", "?", "0.41", "0.9", "**0.2**", "[1, 2]", f"{MINUS}3"]),
    st.sampled_from(sorted(FIELDS)),
    st.sampled_from([ID, "granger.rut.eth.daily", "granger.rut.avax.daily"]),
)


@settings(max_examples=150, deadline=None)
@given(parts=st.lists(pieces | spans, max_size=12))
def test_fill_is_idempotent_checks_and_keeps_everything_outside_the_spans(builds: Path, parts: list[str]) -> None:
    text = HEAD + "".join(parts)
    try:
        before = parse(text)
        filled = fill(text, builds)
    except InputError:
        return
    after = parse(filled)
    assert [span.address for span in after.spans] == [span.address for span in before.spans]
    assert _outside(filled, after.spans) == _outside(text, before.spans)
    assert fill(filled, builds) == filled
    assert check(filled, builds).ok


def _outside(text: str, found: tuple) -> list[str]:  # type: ignore[type-arg]
    edges = [0, *(place for span in found for place in (span.start, span.end)), len(text)]
    return [text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]


@given(st.lists(pieces | spans, max_size=30))
def test_parse_never_fails_unexpectedly(parts: list[str]) -> None:
    text = HEAD + "".join(parts)
    nested = re.search(r"\{cite=.*\]\{cite=", text, re.DOTALL)
    try:
        note = parse(text)
    except InputError:
        assert nested
        return
    for span in note.spans:
        assert text[span.start : span.end] == span.text
        assert text[span.start - 1] == "["
        assert text[span.end] == "]"


FILL = """
import sys
from pathlib import Path
from analysis.publish.notes import check, fill
sys.stdout.write(fill(sys.argv[2], Path(sys.argv[1])) + check(sys.argv[2], Path(sys.argv[1])).summary())
"""


def test_two_processes_say_the_same(builds: Path) -> None:
    text = HEAD + cited("?") + cited("0.9", "effect")
    said = {subprocess.check_output([sys.executable, "-c", FILL, str(builds), text]) for _ in range(2)}
    assert len(said) == 1
    assert field_text(entry(), "effect").encode() in said.pop()
