from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from published_example import ledger, publish

from analysis.errors import InputError, VersionError
from analysis.publish.query import query

REAL = "2026-08-21-1a2b3c4d-5e6f7a8b"


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("query")
    publish(root)
    publish(root, book=ledger(pvalue=0.01), cutoff="2026-09-01")
    publish(root, kind="simulated")
    return root / "builds"


def test_all_versions_are_one_view(builds: Path) -> None:
    frame = query(builds, "select version, count(*) as entries from results group by version order by version")
    assert frame["version"].tolist() == [REAL, REAL.replace("08-21", "09-01"), f"SIM-{REAL}"]
    assert frame["entries"].tolist() == [4, 4, 4]
    frame = query(builds, "select pvalue from results where id = 'granger.rut.btc.daily' order by version")
    assert frame["pvalue"].tolist() == [0.4123, 0.01, 0.4123]


def test_absent_numbers_are_null_and_lists_are_lists(builds: Path) -> None:
    frame = query(builds, "select count(*) as n from results where pvalue is null and not isnan(coalesce(pvalue, 0))")
    assert frame["n"].tolist() == [6]
    frame = query(builds, "with a as (select unnest(claims) as claim from results) select distinct claim from a")
    assert frame["claim"].tolist() == ["lead"]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from '{file}'",
        "select * from glob('/*')",
        "select * from read_parquet('{builds}/latest/results.parquet')",
        "select * from 'https://example.org/x.parquet'",
    ],
)
def test_no_way_to_the_disk_or_the_network(builds: Path, tmp_path: Path, sql: str) -> None:
    (tmp_path / "secret.csv").write_text("a\nsecret\n")
    with pytest.raises(InputError, match="cannot be run") as caught:
        query(builds, sql.format(file=tmp_path / "secret.csv", builds=builds))
    assert "secret\n" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "copy results to '{file}'",
        "create table x as select 1",
        "drop table entries",
        "attach '{file}' as x",
        "install httpfs",
        "set enable_external_access = true",
        "pragma database_list",
        "select 1; select 2",
        "select 1; copy results to '{file}'",
        "export database '{file}'",
        "",
        "-- nothing",
    ],
)
def test_only_one_select(builds: Path, tmp_path: Path, sql: str) -> None:
    with pytest.raises(InputError, match=r"one SELECT|cannot be run"):
        query(builds, sql.format(file=tmp_path / "out.csv"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["private", "table", "incoming", "builds"])
def test_python_variables_are_out_of_reach(builds: Path, name: str) -> None:
    private = pd.DataFrame({"a": [1]})
    with pytest.raises(InputError, match=f"Table with name {name} does not exist"):
        query(builds, f'select * from "{name}"')
    assert len(private) == 1


def test_errors_are_friendly(builds: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"columns of results: version, id, family.*\"pvalu\" not found"):
        query(builds, "select pvalu from results")
    with pytest.raises(InputError, match="cannot be run"):
        query(builds, "selekt 1")
    with pytest.raises(InputError, match="too long"):
        query(builds, "select " + "1," * 20_000)
    with pytest.raises(VersionError, match="no version is built"):
        query(tmp_path / "none", "select 1")


def test_a_forged_ledger_is_refused(tmp_path: Path) -> None:
    path = publish(tmp_path).path
    path.chmod(0o755)
    (path / "results.parquet").chmod(0o644)
    ledger(pvalue=0.01).write(tmp_path)
    (path / "results.parquet").write_bytes((tmp_path / "results.parquet").read_bytes())
    with pytest.raises(VersionError, match="changed after"):
        query(tmp_path / "builds", "select 1")
