"""Ask every built version's ledger in SQL: DuckDB in memory, with no way to the disk or the network."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import InputError, LedgerError, VersionError
from analysis.publish.manifest import check_file
from analysis.publish.shelf import versions
from analysis.study.ledger import PARQUET_NAME

_LONGEST_QUERY: Final = 20_000
_SETTINGS: Final = (
    "SET memory_limit = '2GB'",
    "SET temp_directory = ''",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def query(builds: Path, sql: str) -> pd.DataFrame:
    """Return the answer to one SELECT over the view ``results``: every entry of every version, and its ``version``.

    Parameters
    ----------
    builds : Path
        Folder of all versions.
    sql : str
        One SELECT statement. Simulated and reduced versions are included: their ``version`` starts with ``SIM-``,
        ``CI-`` or ``CI-SIM-``.

    Returns
    -------
    pandas.DataFrame
        Rows in the order the statement asks for.

    Raises
    ------
    InputError
        The statement is no SELECT, or DuckDB cannot run it; its message is passed on.
    VersionError
        No version is built, or a ledger was changed after it was published.
    """
    if len(sql) > _LONGEST_QUERY:
        raise InputError("the query is too long", given=f"{len(sql)} characters", limit=str(_LONGEST_QUERY))
    table = _all_results(builds)
    with duckdb.connect(":memory:", config={"python_enable_replacements": "false"}) as connection:
        connection.register("incoming", table)
        connection.execute("CREATE TABLE entries AS SELECT * FROM incoming")
        connection.unregister("incoming")
        connection.execute("CREATE VIEW results AS SELECT * FROM entries")
        for setting in _SETTINGS:
            connection.execute(setting)
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise InputError(
                    "one SELECT statement is expected",
                    given=" ".join(sql.split())[:200] or "nothing",
                    limit="SELECT … FROM results …",
                )
            return connection.execute(statements[0]).df()
        except duckdb.Error as error:
            columns = ", ".join(table.schema.names)
            raise InputError(
                "the query cannot be run", cause=str(error), limit=f"columns of results: {columns}"
            ) from error


def _all_results(builds: Path) -> pa.Table:
    """Return the ledgers of all versions below one another, the version first."""
    found = versions(builds)
    if not found:
        raise VersionError("no version is built yet", given=builds.name, remedy="run `make report` to build one")
    tables = []
    for name in found:
        check_file(builds / name, PARQUET_NAME)
        try:
            table = pq.read_table(builds / name / PARQUET_NAME)
        except (OSError, ValueError) as error:
            raise LedgerError("the ledger cannot be read", given=name, cause=str(error)) from error
        tables.append(table.add_column(0, "version", pa.array([name] * table.num_rows, pa.string())))
    return pa.concat_tables(tables, promote_options="default")
