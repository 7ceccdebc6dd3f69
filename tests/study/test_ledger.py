from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError, LedgerError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.study.ledger import FIELDS, Entry, Ledger

FULL = {
    "id": "granger.rut.btc.after",
    "family": "granger",
    "claims": ("lead", "useful-signal"),
    "statistic": 2.5,
    "pvalue": 0.03,
    "pvalue_adjusted": 0.2,
    "adjustment": "BH",
    "estimate": -0.01,
    "lower": -0.03,
    "upper": 0.01,
    "level": 0.95,
    "nobs": 2442,
    "lags": 5,
    "start": "2014-09-17",
    "end": "2024-12-31",
    "strict": True,
}


def result(**changes: object) -> TestResult:
    base: dict[str, object] = {
        "method": "A test",
        "null": "nothing",
        "alternative": "something",
        "statistic": 5.4,
        "pvalue": 0.003,
        "distribution": "F",
        "df": (3.0, 44.0),
        "estimate": 0.2,
        "estimate_name": "gain",
        "interval": (0.1, 0.3),
        "interval_level": 0.9,
        "nobs": 51,
        "nobs_lost": 3,
        "lags": 3,
        "reference": "nobody",
    }
    return TestResult(**(base | changes))  # type: ignore[arg-type]


def test_entry_has_exactly_the_declared_columns() -> None:
    names = " ".join(item.name for item in dataclasses.fields(Entry))
    assert names == (
        "id family claims method effect cause clock given state status reason statistic df pvalue pvalue_adjusted "
        "adjustment estimate estimate_name lower upper level nobs nobs_lost lags start end strict headline "
        "summary result"
    )


def test_from_result_maps_every_part() -> None:
    made = Entry.from_result(
        result(), id="a.b", family="f", effect="BTC", cause="RUT", given=["SPX"], pvalue_adjusted=0.04, adjustment="BY"
    )
    assert (made.status, made.statistic, made.df, made.pvalue, made.pvalue_adjusted) == (
        "ok",
        5.4,
        "3, 44",
        0.003,
        0.04,
    )
    assert (made.estimate, made.lower, made.upper, made.level) == (0.2, 0.1, 0.3, 0.9)
    assert (made.nobs, made.nobs_lost, made.lags, made.given) == (51, 3, 3, ("SPX",))
    assert made.loaded() == result()
    assert made.summary.startswith("A test")


def test_from_result_can_report_another_pvalue() -> None:
    made = Entry.from_result(result(), id="a", family="f", pvalue=0.01)
    assert made.pvalue == 0.01
    assert made.loaded().pvalue == 0.003  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "status"), [(Inapplicable, "inapplicable"), (Failed, "failed")])
def test_from_absent_result_keeps_the_reason_and_no_numbers(kind: type, status: str) -> None:
    made = Entry.from_result(kind(method="A test", reason="too few rows"), id="a", family="f", pvalue=0.5)
    assert (made.status, made.reason, made.method) == (status, "too few rows", "A test")
    assert made.pvalue is None
    assert made.estimate is None
    assert made.loaded() == kind(method="A test", reason="too few rows")


def test_one_sided_interval_keeps_its_finite_end() -> None:
    made = Entry.from_result(result(interval=(-math.inf, 0.3)), id="a", family="f")
    assert (made.lower, made.upper, made.level) == (None, 0.3, 0.9)
    unbounded = Entry.from_result(result(interval=(-math.inf, math.inf)), id="a", family="f")
    assert (unbounded.lower, unbounded.upper, unbounded.level) == (None, None, None)


def test_from_result_refuses_other_kinds_and_nan_ends() -> None:
    with pytest.raises(InputError, match="not a number"):
        Entry.from_result(result(interval=(math.nan, 0.3)), id="a", family="f")
    with pytest.raises(InputError, match="claims"):
        Entry.from_result(result(), id="a", family="f", claims="lead")
    with pytest.raises(InputError, match="made from a test result"):
        Entry.from_result("text", id="a", family="f")  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["", "A.b", "a..b", ".a", "a.", "a b", "a\n", "a.b\n", "ä", "a.-b", "../a"])
def test_bad_ids_are_refused(bad: str) -> None:
    with pytest.raises(InputError, match="lower-case words"):
        Entry(id=bad, family="f", estimate=1.0)


@pytest.mark.parametrize("name", ["statistic", "pvalue", "pvalue_adjusted", "estimate", "lower", "upper", "level"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "0.1", True, np.float64("nan")])
def test_no_number_but_a_finite_one(name: str, bad: object) -> None:
    with pytest.raises(InputError, match=name):
        Entry(**(FULL | {name: bad}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "fine"}, "unknown status"),
        ({"status": "failed", "reason": "broke"}, "holds no numbers"),
        ({"reason": "but it is ok"}, "gives no reason"),
        ({"pvalue": 1.1}, "between 0 and 1"),
        ({"adjustment": ""}, "name of the correction"),
        ({"lower": 0.5}, "from its lower to its upper"),
        ({"level": None}, "has a level"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"lower": None, "upper": None}, "a level has an interval"),
        ({"start": "2024-1-1"}, "ISO date"),
        ({"start": "20240101"}, "ISO date"),
        ({"start": "2025-01-01"}, "starts before it ends"),
        ({"nobs": -1}, "nobs"),
        ({"nobs": 2.5}, "nobs"),
        ({"lags": True}, "lags"),
        ({"headline": None}, "headline"),
        ({"claims": "lead"}, "claims"),
        ({"method": None}, "method"),
        ({"method": "\ud800"}, "method"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Entry(**(FULL | changes))  # type: ignore[arg-type]


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="number or a summary"):
        Entry(id="a", family="f")
    with pytest.raises(InputError, match="gives a reason"):
        Entry(id="a", family="f", status="failed")


def test_numpy_numbers_become_plain_ones() -> None:
    made = Entry(**(FULL | {"nobs": np.int64(7), "estimate": np.float64(-0.02), "strict": np.True_}))  # type: ignore[arg-type]
    assert type(made.nobs) is int
    assert type(made.estimate) is float
    assert made.strict is True


def test_ledger_sorts_and_finds() -> None:
    book = Ledger((Entry(id="b", family="y", estimate=1.0), Entry(id="a.x", family="z", estimate=2.0)))
    assert [entry.id for entry in book.entries] == ["a.x", "b"]
    assert book.entry("b").estimate == 1.0
    assert book.family("z") == (book.entries[0],)
    assert book.find("a.x.p_adj") == (book.entries[0], "p_adj")
    assert book.find("a.x") == (book.entries[0], "")


def test_unknown_id_names_the_nearest() -> None:
    book = Ledger((Entry(**FULL),))  # type: ignore[arg-type]
    for wrong in ("granger.rut.btc.aftr", "granger.rut.btc.aftr.p"):
        with pytest.raises(LedgerError, match=r"did you mean granger\.rut\.btc\.after"):
            book.find(wrong)
    with pytest.raises(LedgerError, match="did you mean"):
        book.entry("granger.rut.btc.befor")
    with pytest.raises(LedgerError, match="unknown field"):
        book.find("granger.rut.btc.after.size")
    with pytest.raises(LedgerError, match="granger"):
        book.family("grangr")


def test_ids_are_unique_and_unambiguous() -> None:
    one = Entry(id="a", family="f", estimate=1.0)
    with pytest.raises(LedgerError, match="same id"):
        Ledger((one, dataclasses.replace(one, estimate=2.0)))
    with pytest.raises(LedgerError, match="reads like the field 'p'"):
        Ledger((one, Entry(id="a.p", family="f", estimate=2.0)))


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    ids = draw(st.lists(st.from_regex(r"[a-z0-9]{1,4}(\.[a-c0-9]{4}){0,2}", fullmatch=True), unique=True, max_size=5))
    made = []
    for name in ids:
        p = draw(st.none() | st.floats(0, 1))
        lower, upper = draw(numbers), draw(numbers)
        if lower is not None and upper is not None and lower > upper:
            lower, upper = upper, lower
        made.append(
            Entry(
                id=name,
                family="f",
                claims=tuple(draw(st.lists(texts, max_size=2))),
                method=draw(texts),
                pvalue=p,
                pvalue_adjusted=None if p is None else draw(st.none() | st.floats(0, 1)),
                adjustment="BH",
                estimate=draw(numbers),
                statistic=draw(numbers),
                lower=lower,
                upper=upper,
                level=None if lower is None and upper is None else 0.9,
                nobs=draw(st.none() | st.integers(0, 2**63 - 1)),
                strict=draw(st.none() | st.booleans()),
                headline=draw(st.booleans()),
                summary="s" + draw(texts),
            )
        )
    return Ledger(tuple(made))


@given(book=ledgers())
@settings(deadline=None)
def test_round_trip_is_lossless(book: Ledger, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    book.write(folder, version="v")
    for again in (Ledger.read(folder), Ledger.read_json(folder)):
        assert again == book
        assert [repr(entry) for entry in again.entries] == [repr(entry) for entry in book.entries]


def test_none_stays_none_in_every_form(tmp_path: Path) -> None:
    book = Ledger((Entry(id="a", family="f", estimate=1.0), Entry(id="b", family="f", pvalue=0.5, nobs=3)))
    book.write(tmp_path)
    frame = book.to_frame()
    assert frame["pvalue"].isna().tolist() == [True, False]
    assert str(frame["pvalue"].dtype) == "Float64"
    assert frame["nobs"].iloc[1] == 3
    assert frame["claims"].tolist() == [(), ()]
    assert pq.read_table(tmp_path / "results.parquet")["pvalue"].to_pylist() == [None, 0.5]
    document = json.loads((tmp_path / "results.json").read_text())
    assert document["schema"] == 1
    assert [row["pvalue"] for row in document["entries"]] == [None, 0.5]
    assert Ledger(()).to_frame().empty


WRITE = """
import sys
from pathlib import Path
from analysis.study.ledger import Entry, Ledger
entries = [Entry(id=f"a.x{n}", family="f", estimate=n / 7, claims=("c", "d")) for n in range(300)]
if sys.argv[2] == "backwards":
    entries.reverse()
Ledger(tuple(entries)).write(Path(sys.argv[1]), version="v")
"""


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("forwards", "backwards"):
        (tmp_path / name).mkdir()
        subprocess.run([sys.executable, "-c", WRITE, str(tmp_path / name), name], check=True)
    for file in ("results.parquet", "results.json"):
        assert (tmp_path / "forwards" / file).read_bytes() == (tmp_path / "backwards" / file).read_bytes()


def test_damaged_ledgers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="missing"):
        Ledger.read(tmp_path)
    (tmp_path / "results.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(LedgerError, match="cannot be read"):
        Ledger.read(tmp_path)
    pq.write_table(pq.ParquetFile(_written(tmp_path)).read(columns=["id"]), tmp_path / "results.parquet")
    with pytest.raises(LedgerError, match="other columns"):
        Ledger.read(tmp_path)
    path = tmp_path / "results.json"
    for text, message in [
        ("{", "not valid JSON"),
        ("[]", "unknown layout"),
        ('{"schema": 2, "entries": []}', "unknown layout"),
        ('{"schema": 1}', "no list"),
        ('{"schema": 1, "entries": [{"id": "a"}]}', "missing or extra"),
        (_json_with("pvalue", "NaN"), "entry 1 .* is not valid"),
        (_json_with("pvalue", "7"), "entry 1 .* is not valid"),
    ]:
        path.write_text(text)
        with pytest.raises(LedgerError, match=message):
            Ledger.read_json(tmp_path)


def _written(folder: Path) -> Path:
    Ledger((Entry(**FULL),)).write(folder)  # type: ignore[arg-type]
    return folder / "results.parquet"


def _json_with(key: str, value: str) -> str:
    row = Entry(**FULL).to_dict() | {key: "@"}  # type: ignore[arg-type]
    return json.dumps({"schema": 1, "entries": [row]}).replace('"@"', value)


def test_every_field_rests_on_a_column() -> None:
    columns = {item.name for item in dataclasses.fields(Entry)}
    assert set(FIELDS.values()) <= columns
