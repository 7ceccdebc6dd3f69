"""What changed between two versions: data, code, settings, numbers and verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from analysis.errors import VersionError
from analysis.publish.manifest import check_file, read_manifest
from analysis.publish.values import field_text, format_value
from analysis.study.ledger import PARQUET_NAME, Entry, Ledger

VERDICTS_NAME: Final = "verdicts.json"

_SERIES: Final = ("series/", "snapshot")
_FIELDS: Final = {
    "status": "status",
    "estimate": "estimate",
    "lower": "lower",
    "upper": "upper",
    "p": "pvalue",
    "p_adj": "pvalue_adjusted",
    "statistic": "statistic",
    "n": "nobs",
    "lags": "lags",
    "start": "start",
    "end": "end",
}
_STAMP_DATA: Final = ("cutoff", "snapshot_id", "kind")
_STAMP_CODE: Final = ("code_hash", "renderer")
_RELATIVE_TOLERANCE: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Change:
    """Something named that is different; None stands for absent."""

    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.name}: new, {self.after}"
        return f"{self.name}: {self.before} → {'gone' if self.after is None else self.after}"


@dataclass(frozen=True, slots=True)
class Move:
    """One field of a result that is different: as printed in both versions, and by how much it moved (unrounded)."""

    id: str
    field: str
    before: str
    after: str
    change: float | None

    def __str__(self) -> str:
        by = "" if self.change is None else f" (by {format_value(self.change, 'estimate')})"
        return f"{self.id}.{self.field}: {self.before} → {self.after}{by}"


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """What changed from one version to another.

    Attributes
    ----------
    before, after : str
        The two version ids.
    data, code, settings, verdicts : tuple of Change
        Series and cut-off; code, study, lock, renderer and packages; settings of the study; verdicts by claim.
    added, removed : tuple of str
        Ids of results that only one of the two holds.
    moved : tuple of Move
        Numbers that are different, by id.
    """

    before: str
    after: str
    data: tuple[Change, ...]
    code: tuple[Change, ...]
    settings: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[Move, ...]
    verdicts: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        parts = (self.data, self.code, self.settings, self.added, self.removed, self.moved, self.verdicts)
        return not any(parts)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a moved number: id, field, before, after, change."""
        columns = ["id", "field", "before", "after", "change"]
        rows = [[move.id, move.field, move.before, move.after, move.change] for move in self.moved]
        return pd.DataFrame(rows, columns=columns).astype({"change": "Float64"})

    def summary(self) -> str:
        """Return the comparison as plain text, verdicts first."""
        lines = [f"{self.before} → {self.after}"]
        sections: tuple[tuple[str, Iterable[object]], ...] = (
            ("Verdicts", self.verdicts),
            ("Numbers that moved", self.moved),
            ("Results added", self.added),
            ("Results removed", self.removed),
            ("Data", self.data),
            ("Settings", self.settings),
            ("Code and environment", self.code),
        )
        for title, items in sections:
            shown = [f"  {item}" for item in items]
            lines += [f"{title}: {len(shown)}", *shown] if shown else [f"{title}: unchanged"]
        return "\n".join(lines)


def diff(build_a: Path, build_b: Path) -> VersionDiff:
    """Compare two published versions.

    Parameters
    ----------
    build_a, build_b : Path
        Folders of the earlier and the later version.

    Returns
    -------
    VersionDiff
        Numbers are compared unrounded, up to a relative 1e-12.

    Raises
    ------
    VersionError
        A folder is not a version, or its ledger or verdicts were changed after it was published.
    """
    first, second = read_manifest(build_a), read_manifest(build_b)
    for build in (build_a, build_b):
        check_file(build, PARQUET_NAME)
    old = {entry.id: entry for entry in Ledger.read(build_a).entries}
    new = {entry.id: entry for entry in Ledger.read(build_b).entries}
    shared = sorted(old.keys() & new.keys())
    return VersionDiff(
        before=first["version"],
        after=second["version"],
        data=_changes(_data(first), _data(second)),
        code=_changes(_code(first), _code(second)),
        settings=_changes(_flat(first["stamp"].get("settings", {})), _flat(second["stamp"].get("settings", {}))),
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        moved=tuple(move for id in shared for move in _moves(old[id], new[id])),
        verdicts=_changes(_verdicts(build_a, first), _verdicts(build_b, second)),
    )


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    names = sorted(before.keys() | after.keys())
    return tuple(
        Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def _data(manifest: Mapping[str, Any]) -> dict[str, str]:
    inputs = {name: value for name, value in manifest["inputs"].items() if name.startswith(_SERIES)}
    return inputs | {name: str(manifest["stamp"].get(name, "")) for name in _STAMP_DATA}


def _code(manifest: Mapping[str, Any]) -> dict[str, str]:
    inputs = {name: value for name, value in manifest["inputs"].items() if not name.startswith(_SERIES)}
    facts = {name: str(manifest["stamp"].get(name, "")) for name in _STAMP_CODE}
    return inputs | facts | _flat(manifest["build"], "build.")


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested settings as dotted keys with canonical JSON values."""
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return found


def _moves(old: Entry, new: Entry) -> Iterable[Move]:
    for field, column in _FIELDS.items():
        before, after = getattr(old, column), getattr(new, column)
        if before == after:
            continue
        numeric = all(isinstance(value, int | float) for value in (before, after))
        if numeric and abs(after - before) <= _RELATIVE_TOLERANCE * max(abs(before), abs(after)):
            continue
        change = float(after - before) if numeric else None
        yield Move(old.id, field, field_text(old, field), field_text(new, field), change)


def _verdicts(build: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the verdict of each claim; empty when the version holds no verdicts."""
    if VERDICTS_NAME not in manifest["files"]:
        return {}
    check_file(build, VERDICTS_NAME)
    try:
        items = json.loads((build / VERDICTS_NAME).read_bytes())
        return {str(item["claim"]): str(item["verdict"]) for item in items}
    except (ValueError, KeyError, TypeError) as error:
        raise VersionError("the verdicts cannot be read", given=build.name, cause=str(error)) from error
