"""Immutable snapshots: data frozen under a name made of their content, and verified whenever they are read."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.errors import InputError, SnapshotError
from analysis.market import snapshot_files as files
from analysis.market.catalog import Catalog
from analysis.market.entries import SERIES_ID
from analysis.market.schema import COLUMNS, validate
from analysis.market.snapshot_files import MANIFEST
from analysis.sources.base import RawSeries

Kind = Literal["real", "simulated"]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Frozen data: what a version of a report rests on.

    Attributes
    ----------
    id : str
        Hash of the data and their kind; the time of retrieval has no part in it.
    kind : {"real", "simulated"}
        Whether the numbers come from a market.
    cutoff : str
        Last date of any series, ISO.
    series : tuple of str
        Ids, sorted.
    path : Path
        Folder of the snapshot.
    """

    id: str
    kind: Kind
    cutoff: str
    series: tuple[str, ...]
    path: Path
    _frames: Mapping[str, pd.DataFrame]
    _manifest: str

    def frame(self, series_id: str) -> pd.DataFrame:
        """Return a copy of one series: index `date`, column `value` and the price columns the provider had.

        Raises
        ------
        SnapshotError
            The series is not in the snapshot; a known reason is given.
        """
        if series_id not in self._frames:
            raise SnapshotError(
                "The snapshot has no such series",
                given=series_id,
                limit=", ".join(self.series),
                cause=self.missing.get(series_id),
                remedy="freeze a new snapshot that holds it",
            )
        return self._frames[series_id].copy(deep=True)

    @property
    def missing(self) -> dict[str, str]:
        """Series that were wanted and could not be had, with the reason of each."""
        return dict(self.manifest["missing"])

    @property
    def manifest(self) -> dict[str, Any]:
        """A fresh copy of the manifest: provider, origin, rows, span and file hash of every series."""
        return dict(json.loads(self._manifest))


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """Rows of one series that are new, gone, or dated the same with other numbers."""

    rows_added: int
    rows_removed: int
    rows_changed: int


@dataclass(frozen=True, slots=True)
class SnapshotDiff:
    """Difference from an older snapshot to a newer one."""

    older: str
    newer: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, SeriesChange]
    unchanged: tuple[str, ...]

    def summary(self) -> str:
        """Return the difference as plain text."""
        lines = [f"{self.older} -> {self.newer}"]
        lines += [f"  added:   {key}" for key in self.added] + [f"  removed: {key}" for key in self.removed]
        for key, change in self.changed.items():
            lines.append(
                f"  changed: {key}: {change.rows_added} rows added, {change.rows_removed} removed, "
                f"{change.rows_changed} with other numbers"
            )
        lines.append(f"  unchanged: {len(self.unchanged)} series")
        return "\n".join(lines)


def freeze(
    series: Mapping[str, RawSeries],
    catalog: Catalog,
    *,
    root: str | Path,
    kind: Kind = "real",
    missing: Mapping[str, str] | None = None,
) -> Snapshot:
    """Write series as an immutable snapshot and return it.

    Parameters
    ----------
    series : mapping of id to RawSeries
        At least one; every id is in the catalogue.
    catalog : Catalog
        Refuses ids it does not know.
    root : path
        Folder of all snapshots; made when it does not exist.
    kind : {"real", "simulated"}
        Part of the id: simulated numbers never pass for a market's.
    missing : mapping of id to reason, optional
        Series that could not be had.

    Raises
    ------
    ConfigError
        An id is not in the catalogue.
    DataError
        A frame breaks the schema.
    InputError
        Nothing to freeze, a mismatched or unsafe id, or an unknown kind.
    SnapshotError
        A folder of that id exists and does not verify.

    Notes
    -----
    The same content gives the same id; an existing snapshot is verified and used again, first manifest included.
    """
    _check_request(series, catalog, kind, missing or {})
    frames = {key: validate(_normalised(series[key].frame), key) for key in sorted(series)}
    snapshot_id = files.content_id(frames, kind)
    target = Path(root) / snapshot_id
    if not target.exists():
        Path(root).mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".freeze-", dir=root))
        try:
            files.write(staging, frames, series, snapshot_id, kind, missing or {})
            files.publish(staging, target)
        finally:
            if staging.exists():
                shutil.rmtree(staging)
    return load(target)


def load(root_or_path: str | Path, snapshot_id: str | None = None) -> Snapshot:
    """Read and verify a snapshot.

    Parameters
    ----------
    root_or_path : path
        The folder of one snapshot, or the folder of all.
    snapshot_id : str, optional
        Which one; may be left out when there is only one.

    Raises
    ------
    SnapshotError
        There is no such snapshot, or it was changed after it was frozen: the file is named.
    """
    folder = _find(Path(root_or_path), snapshot_id)
    manifest, text = files.read_manifest(folder)
    described = manifest["files"]
    files.check_files(folder, described)
    frames = {key: files.read_series(folder, key, facts) for key, facts in sorted(described.items())}
    if files.content_id(frames, manifest["kind"]) != manifest["id"] or folder.name != manifest["id"]:
        raise files.tampered(folder, MANIFEST, "the id does not belong to the content of the folder")
    return Snapshot(
        id=manifest["id"],
        kind=manifest["kind"],
        cutoff=manifest["cutoff"],
        series=tuple(frames),
        path=folder,
        _frames=frames,
        _manifest=text,
    )


def diff(older: Snapshot, newer: Snapshot) -> SnapshotDiff:
    """Compare two snapshots.

    Parameters
    ----------
    older, newer : Snapshot
        In this order: "added" is what only the newer one has.
    """
    common = [key for key in older.series if key in newer.series]
    changes = {key: _change(older, newer, key) for key in common}
    changed = {key: change for key, change in changes.items() if change is not None}
    return SnapshotDiff(
        older=older.id,
        newer=newer.id,
        added=tuple(key for key in newer.series if key not in older.series),
        removed=tuple(key for key in older.series if key not in newer.series),
        changed=changed,
        unchanged=tuple(key for key in common if key not in changed),
    )


def _normalised(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with the index in nanoseconds and the columns in their order; the schema judges the rest."""
    columns = [name for name in COLUMNS if name in frame.columns]
    result = frame[columns + [name for name in frame.columns if name not in columns]].copy(deep=True)
    if isinstance(result.index, pd.DatetimeIndex) and result.index.tz is None:
        result.index = pd.DatetimeIndex(result.index.as_unit("ns"), name=result.index.name, freq=None)
    return result


def _check_request(series: Mapping[str, RawSeries], catalog: Catalog, kind: str, missing: Mapping[str, str]) -> None:
    if kind not in ("real", "simulated"):
        raise InputError("`kind` is not known", given=kind, limit="real, simulated")
    if not series:
        raise InputError("There is nothing to freeze", remedy="fetch at least one series")
    for key in (*series, *missing):
        if not isinstance(key, str) or SERIES_ID.fullmatch(key) is None:
            raise InputError(
                "A series id cannot name a file safely", given=repr(key), limit="A to Z, 0 to 9 and _, at most 64"
            )
        catalog.entry(key)
    for key, raw in series.items():
        if raw.series_id != key:
            raise InputError("A series is filed under another id", given=f"{key}: {raw.series_id}")
    both = sorted(set(series) & set(missing))
    if both:
        raise InputError("A series is both delivered and missing", given=", ".join(both))


def _find(root: Path, snapshot_id: str | None) -> Path:
    if snapshot_id is None and (root / MANIFEST).exists():
        return root
    present = sorted(path.parent.name for path in root.glob(f"*/{MANIFEST}") if not path.parent.name.startswith("."))
    if snapshot_id is None:
        if len(present) == 1:
            return root / present[0]
        raise SnapshotError(
            "There is no snapshot here" if not present else "There are several snapshots: say which",
            given=root.name,
            limit=", ".join(present) or None,
            remedy="name one of them" if present else "freeze one first",
        )
    if snapshot_id not in present:
        raise SnapshotError(
            "There is no such snapshot",
            given=snapshot_id,
            limit=", ".join(present) or "none is there",
            cause="a mistyped id, or a folder that was removed or lost its manifest",
            remedy="name one of them, or freeze the data again",
        )
    return root / snapshot_id


def _change(older: Snapshot, newer: Snapshot, key: str) -> SeriesChange | None:
    before, after = older.frame(key), newer.frame(key)
    columns = sorted(set(before.columns) | set(after.columns))
    both = before.index.intersection(after.index)
    left = before.loc[both].reindex(columns=columns).to_numpy()
    right = after.loc[both].reindex(columns=columns).to_numpy()
    differs = ~((left == right) | (np.isnan(left) & np.isnan(right))).all(axis=1)
    change = SeriesChange(len(after) - len(both), len(before) - len(both), int(differs.sum()))
    same = change == SeriesChange(0, 0, 0) and set(before.columns) == set(after.columns)
    return None if same else change
