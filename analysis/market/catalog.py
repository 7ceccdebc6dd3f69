"""The typed catalogue of series: what each one is, who serves it, when it was observed and when it became public."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from analysis.errors import ConfigError
from analysis.market.entries import Entry, Identifier, Model, Observed, ProviderId, Publication, Role

SIZE_LIMIT_BYTES = 1_000_000
# A [series.X] table may point at one of these shared tables by name instead of repeating it.
_SHARED = {"observed": "clocks", "publication": "publications", "licence": "licences"}


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which series stands in for a requested one; `used` is None when none is available."""

    requested: str
    used: str | None
    note: str

    @property
    def substituted(self) -> bool:
        """Whether another series than the requested one is used."""
        return self.used is not None and self.used != self.requested


@dataclass(frozen=True, slots=True)
class Catalog:
    """All entries by id, in the order of the file."""

    entries: Mapping[str, Entry]
    fingerprint: str

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, in the order of the file."""
        return tuple(self.entries)

    def __contains__(self, series_id: object) -> bool:
        return series_id in self.entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, series_id: str) -> Entry:
        """Return one entry.

        Raises
        ------
        ConfigError
            The id is not in the catalogue; the nearest ids are named.
        """
        found = self.entries.get(series_id)
        if found is not None:
            return found
        near = difflib.get_close_matches(str(series_id).upper(), self.ids, n=3, cutoff=0.5)
        raise ConfigError(
            "The catalogue has no such series",
            given=series_id,
            limit=f"nearest names: {', '.join(near)}" if near else f"{len(self.entries)} ids, such as RUT and BTC",
            cause="a misspelt id (ids are upper case), or a series that was not declared yet",
            remedy="correct the id, or add a [series.…] table to the catalogue",
        )

    def by_role(self, role: Role) -> tuple[Entry, ...]:
        """Return the entries of a role, in the order of the file."""
        return tuple(entry for entry in self if entry.role == role)

    def resolve(self, series_id: str, available: Collection[str]) -> Resolution:
        """Return the series itself or the first of its alternatives that is available, and say which.

        Parameters
        ----------
        series_id : str
            Requested id.
        available : collection of str
            Ids that can be used, such as the series of a snapshot.
        """
        wanted = self.entry(series_id)
        if series_id in available:
            return Resolution(series_id, series_id, f"{series_id} is used as requested")
        for position, other_id in enumerate(wanted.alternatives):
            if other_id in available:
                other = self.entry(other_id)
                note = f"{series_id} ({wanted.title}) is not available; {other_id} ({other.title}) stands in"
                if other.total_return != wanted.total_return:
                    kind = "includes" if other.total_return else "leaves out"
                    note += f", which {kind} dividends"
                skipped = wanted.alternatives[:position]
                note += f"; not available either: {', '.join(skipped)}" if skipped else ""
                return Resolution(series_id, other_id, note)
        tried = ", ".join(wanted.alternatives) or "it has no alternatives"
        return Resolution(
            series_id, None, f"{series_id} ({wanted.title}) is not available, nor any alternative ({tried})"
        )


class _File(Model):
    schema_version: Literal[1] = Field(alias="schema")
    series: Mapping[Identifier, Entry]


def load(path: str | Path) -> Catalog:
    """Read and validate a catalogue file.

    Parameters
    ----------
    path : str or Path
        A TOML file of at most one megabyte: `schema = 1`, shared tables `[clocks.…]`, `[publications.…]`,
        `[licences]`, and one `[series.ID]` table a series.

    Raises
    ------
    ConfigError
        The file cannot be read, is no TOML, or breaks the schema; the table and the key are named.
    """
    name = Path(path).name
    document = _read(Path(path))
    shared = {table: document.pop(table, {}) for table in _SHARED.values()}
    tables = document.get("series")
    if not isinstance(tables, dict) or not tables:
        raise ConfigError(f"{name} declares no series", remedy="add at least one [series.ID] table")
    document["series"] = {key: _expand(name, key, table, shared) for key, table in tables.items()}
    try:
        parsed = _File.model_validate(document)
    except ValidationError as error:
        raise _explain(name, error) from None
    _check_alternatives(name, parsed.series)
    canonical = json.dumps({key: entry.model_dump(mode="json") for key, entry in parsed.series.items()}, sort_keys=True)
    return Catalog(entries=dict(parsed.series), fingerprint=hashlib.sha256(canonical.encode()).hexdigest())


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            raise ConfigError(f"{path.name} is too large", given=path.stat().st_size, limit=f"{SIZE_LIMIT_BYTES} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            "The catalogue cannot be read", given=path.name, cause=error.strerror, remedy="check the path"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path.name} is not valid TOML", cause=str(error), remedy="correct the named line"
        ) from error


def _expand(name: str, key: str, table: object, shared: Mapping[str, Any]) -> dict[str, Any]:
    """Replace names of shared tables by the tables and set the id."""
    if not isinstance(table, dict):
        raise ConfigError(f"{name}: series.{key} is not a table", remedy=f"write [series.{key}] and its keys below it")
    expanded = {"id": key, "asset": key} | table
    for field, group in _SHARED.items():
        named = expanded.get(field)
        if isinstance(named, str):
            known = shared[group] if isinstance(shared[group], dict) else {}
            if named not in known:
                raise ConfigError(
                    f"{name}, table [series.{key}], key '{field}': there is no entry of that name under [{group}]",
                    given=named,
                    limit=", ".join(sorted(known)) or "none is declared",
                    remedy=f"correct the name or declare it under [{group}]",
                )
            expanded[field] = known[named]
    if expanded["id"] != key:
        raise ConfigError(f"{name}, table [series.{key}]: the id is the table's name", given=expanded["id"])
    return expanded


_TABLES: Mapping[str, type[Model]] = {"observed": Observed, "publication": Publication, "sources": ProviderId}


def _explain(name: str, error: ValidationError) -> ConfigError:
    """Turn the first complaint of pydantic into an error that names table and key."""
    first = error.errors(include_url=False)[0]
    where = [str(part) for part in first["loc"]]
    split = 2 if where[:1] == ["series"] else 0
    table, key = ".".join(where[:split]) or "top level", ".".join(where[split:])
    if first["type"] == "extra_forbidden":
        owner: type[Model] = _TABLES.get(where[2], Entry) if len(where) > 3 else Entry if split else _File
        return ConfigError(
            f"{name}: unknown key '{key}' in table [{table}]",
            limit=", ".join(sorted(owner.model_fields)),
            cause="a misspelt key",
            remedy="correct or remove it",
        )
    given = first.get("input")
    return ConfigError(
        f"{name}: table [{table}]" + (f", key '{key}'" if key else "") + f": {first['msg']}",
        given=None if isinstance(given, dict) else repr(given)[:120],
        remedy="add the key" if first["type"] == "missing" else "correct the value",
    )


def _check_alternatives(name: str, entries: Mapping[str, Entry]) -> None:
    for key, entry in entries.items():
        for other in entry.alternatives:
            if other not in entries:
                raise ConfigError(
                    f"{name}, table [series.{key}], key 'alternatives': there is no such series",
                    given=other,
                    limit=", ".join(difflib.get_close_matches(other, entries, n=3)) or "any id of the catalogue",
                    remedy="correct the id or declare the series",
                )
