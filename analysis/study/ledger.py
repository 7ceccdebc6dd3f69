"""The ledger: one row an estimate, addressed by a stable id, stored as Parquet and as canonical JSON."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import BellwetherError, LedgerError
from analysis.study.entry import (
    FLAG_COLUMNS,
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    LIST_COLUMNS,
    STATUSES,
    Entry,
    check_id,
)

__all__ = ["FIELDS", "JSON_NAME", "PARQUET_NAME", "STATUSES", "Entry", "Ledger", "check_id"]

SCHEMA: Final = 1
PARQUET_NAME: Final = "results.parquet"
JSON_NAME: Final = "results.json"
FIELDS: Final[Mapping[str, str]] = {
    "p": "pvalue",
    "p_adj": "pvalue_adjusted",
    "estimate": "estimate",
    "lower": "lower",
    "upper": "upper",
    "interval": "lower",
    "effect": "estimate",
    "statistic": "statistic",
    "df": "df",
    "n": "nobs",
    "n_lost": "nobs_lost",
    "lags": "lags",
    "start": "start",
    "end": "end",
    "status": "status",
}
"""Short field names of an address ``<entry id>.<field>``, and the column that decides whether the field exists."""

_FILE_LIMIT_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every estimate of a study, sorted by id; ids are unique and no id hides a field of another.

    Attributes
    ----------
    entries : tuple of Entry
    """

    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.entries, key=lambda entry: entry.id))
        object.__setattr__(self, "entries", ordered)
        known: set[str] = set()
        for entry in ordered:
            if entry.id in known:
                raise LedgerError("two entries have the same id", given=entry.id, remedy="make the ids distinct")
            known.add(entry.id)
        for entry in ordered:
            parent, _, field = entry.id.rpartition(".")
            if parent in known and field in FIELDS:
                raise LedgerError(
                    f"the id reads like the field {field!r} of the entry {parent!r}",
                    given=entry.id,
                    remedy="give one of the two another id",
                )

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, id: str) -> Entry:
        """Return the entry with this id; an unknown id raises LedgerError that names the nearest ones."""
        for entry in self.entries:
            if entry.id == id:
                return entry
        raise self._unknown(id)

    def find(self, address: str) -> tuple[Entry, str]:
        """Split an address ``<entry id>`` or ``<entry id>.<field>`` into the entry and the field.

        Returns
        -------
        tuple of (Entry, str)
            The field is empty when the address is an entry id.

        Raises
        ------
        LedgerError
            No entry has that id, or the field is not one of `FIELDS`.
        """
        known = {entry.id: entry for entry in self.entries}
        if address in known:
            return known[address], ""
        parent, _, field = address.rpartition(".")
        if parent in known:
            if field not in FIELDS:
                raise LedgerError("unknown field of a result", given=address, limit=", ".join(FIELDS))
            return known[parent], field
        raise self._unknown(parent if field in FIELDS else address, address)

    def family(self, name: str) -> tuple[Entry, ...]:
        """Return the entries of one family, sorted by id; an unknown family raises LedgerError."""
        found = tuple(entry for entry in self.entries if entry.family == name)
        if not found:
            families = sorted({entry.family for entry in self.entries})
            raise LedgerError("unknown family of results", given=name, limit=", ".join(families) or "none: it is empty")
        return found

    def to_frame(self) -> pd.DataFrame:
        """Return one row an entry, with nullable types: an absent number is ``<NA>``, never NaN."""
        rows = [entry.to_dict() for entry in self.entries]
        kinds: dict[str, str] = dict.fromkeys(FLOAT_COLUMNS, "Float64") | dict.fromkeys(INTEGER_COLUMNS, "Int64")
        kinds |= dict.fromkeys(FLAG_COLUMNS, "boolean")
        columns = {}
        for item in fields(Entry):
            values = [row[item.name] for row in rows]
            if item.name in LIST_COLUMNS:
                columns[item.name] = pd.Series([tuple(value) for value in values], dtype=object)
            else:
                columns[item.name] = pd.Series(values, dtype=kinds.get(item.name, "str"))
        return pd.DataFrame(columns)

    def write(self, folder: Path, *, version: str = "") -> None:
        """Write ``results.parquet`` and ``results.json``; the same ledger gives the same bytes.

        Parameters
        ----------
        folder : Path
            An existing folder.
        version : str
            Version id, recorded in the JSON file.
        """
        rows = [entry.to_dict() for entry in self.entries]
        table = pa.Table.from_pylist(rows, schema=_arrow_schema())
        pq.write_table(table, folder / PARQUET_NAME, compression="zstd", row_group_size=65_536, version="2.6")
        document = {"schema": SCHEMA, "version": version, "entries": rows}
        text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / JSON_NAME).write_bytes(text.encode("utf-8") + b"\n")

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """Read ``results.parquet`` of a folder; raises LedgerError when it is missing, damaged or too large."""
        path = folder / PARQUET_NAME
        _check_size(path)
        try:
            table = pq.read_table(path, memory_map=False)
        except (OSError, ValueError) as error:
            raise LedgerError("the ledger cannot be read", given=path.name, cause=str(error)) from error
        if table.schema.remove_metadata() != _arrow_schema():
            raise LedgerError(
                "the ledger has other columns than this version of the package knows",
                given=", ".join(table.schema.names),
                limit=", ".join(_arrow_schema().names),
                cause="it was written by another version of the package",
            )
        return cls._from_rows(table.to_pylist(), path.name)

    @classmethod
    def read_json(cls, folder: Path) -> Ledger:
        """Read ``results.json`` of a folder; raises LedgerError when it is missing, damaged or too large."""
        path = folder / JSON_NAME
        _check_size(path)
        try:
            document = json.loads(path.read_bytes())
        except ValueError as error:
            raise LedgerError("the ledger is not valid JSON", given=path.name, cause=str(error)) from error
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise LedgerError("the ledger has an unknown layout", given=path.name, limit=f"schema {SCHEMA}")
        return cls._from_rows(document.get("entries"), path.name)

    @classmethod
    def _from_rows(cls, rows: object, name: str) -> Ledger:
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise LedgerError("the ledger holds no list of entries", given=name)
        columns = {item.name for item in fields(Entry)}
        entries = []
        for number, row in enumerate(rows, start=1):
            if set(row) != columns:
                odd = ", ".join(sorted(set(row) ^ columns))
                raise LedgerError(f"entry {number} of {name} has missing or extra columns", given=odd)
            try:
                entries.append(Entry(**row))
            except BellwetherError as error:
                raise LedgerError(f"entry {number} of {name} is not valid", cause=str(error)) from error
        return cls(tuple(entries))

    def _unknown(self, id: str, address: str = "") -> LedgerError:
        near = difflib.get_close_matches(id, [entry.id for entry in self.entries], n=3, cutoff=0.5)
        return LedgerError(
            "unknown result id",
            given=address or id,
            limit=f"the ids of this ledger ({len(self.entries)} entries)",
            remedy=f"did you mean {', '.join(near)}" if near else "list the ids with the results command",
        )


def _check_size(path: Path) -> None:
    if not path.is_file():
        raise LedgerError("the ledger is missing", given=path.name, remedy="build the report again")
    if path.stat().st_size > _FILE_LIMIT_BYTES:
        raise LedgerError("the ledger is too large", given=f"{path.stat().st_size} bytes", limit=str(_FILE_LIMIT_BYTES))


def _arrow_schema() -> pa.Schema:
    kinds = dict.fromkeys(LIST_COLUMNS, pa.list_(pa.string())) | dict.fromkeys(FLOAT_COLUMNS, pa.float64())
    kinds |= dict.fromkeys(INTEGER_COLUMNS, pa.int64()) | dict.fromkeys(FLAG_COLUMNS, pa.bool_())
    return pa.schema([pa.field(item.name, kinds.get(item.name, pa.string())) for item in fields(Entry)])
