"""The files of a snapshot folder: writing them, reading them back, and noticing every change."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import SnapshotError
from analysis.market.entries import SERIES_ID
from analysis.market.schema import validate
from analysis.sources.base import RawSeries

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
ID_LENGTH = 12
_MANIFEST_LIMIT_BYTES = 5_000_000
_FILE_LIMIT_BYTES = 100_000_000
_KEYS = {"schema", "id", "kind", "cutoff", "missing", "files", "seal"}


def content_id(frames: Mapping[str, pd.DataFrame], kind: str) -> str:
    """Return the id of a content: a hash over kind, ids, column names, dates and numbers, and over nothing else."""
    digest = hashlib.sha256(f"bellwether snapshot {SCHEMA_VERSION} {kind}".encode())
    for key in sorted(frames):
        frame = frames[key]
        digest.update(f"\n{key} {','.join(frame.columns)} {len(frame)}\n".encode())
        digest.update(np.ascontiguousarray(frame.index.asi8, dtype="<i8").tobytes())
        for name in frame.columns:
            # Adding zero turns -0.0 into 0.0, and every NaN gets the same bits.
            numbers = frame[name].to_numpy(dtype="<f8") + 0.0
            digest.update(np.where(np.isnan(numbers), np.nan, numbers).astype("<f8").tobytes())
    return digest.hexdigest()[:ID_LENGTH]


def write(
    staging: Path,
    frames: Mapping[str, pd.DataFrame],
    series: Mapping[str, RawSeries],
    snapshot_id: str,
    kind: str,
    missing: Mapping[str, str],
) -> None:
    """Write the Parquet files and the manifest into a folder that is not public yet."""
    files: dict[str, dict[str, Any]] = {}
    for key, frame in frames.items():
        path = staging / f"{key}.parquet"
        table = pa.table({"date": frame.index.values.astype("datetime64[D]")} | {c: frame[c].to_numpy() for c in frame})
        pq.write_table(table, path, compression="zstd")
        raw = series[key]
        files[key] = {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "rows": len(frame),
            "columns": list(frame.columns),
            "first": str(frame.index[0].date()),
            "last": str(frame.index[-1].date()),
            "provider": raw.provider,
            "provider_id": raw.provider_id,
            "origin": raw.origin,
            "retrieved": raw.retrieved,
            "notes": list(raw.notes),
        }
    manifest = {
        "schema": SCHEMA_VERSION,
        "id": snapshot_id,
        "kind": kind,
        "cutoff": max(facts["last"] for facts in files.values()),
        "missing": dict(sorted(missing.items())),
        "files": files,
    }
    manifest["seal"] = _seal(manifest)
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (staging / MANIFEST).write_text(text + "\n", encoding="utf-8")


def publish(staging: Path, target: Path) -> None:
    """Move the finished folder to its place in one step and make it read-only."""
    for path in staging.iterdir():
        path.chmod(0o444)
    try:
        os.replace(staging, target)  # noqa: PTH105 - Path.replace does the same; this is the call the guarantee is about
    except OSError:
        # Somebody froze the same content meanwhile; the caller verifies what is there.
        if not target.exists():
            raise
    else:
        target.chmod(0o555)


def _seal(manifest: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in manifest.items() if key != "seal"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    """Return the manifest, parsed and as text, after its seal was checked."""
    try:
        if (folder / MANIFEST).stat().st_size > _MANIFEST_LIMIT_BYTES:
            raise tampered(folder, MANIFEST, "it is too large")
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        manifest = json.loads(text)
    except FileNotFoundError as error:
        raise tampered(folder, MANIFEST, "it is not there") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise tampered(folder, MANIFEST, "it is not JSON") from error
    if not isinstance(manifest, dict) or manifest.get("seal") != _seal(manifest):
        raise tampered(folder, MANIFEST, "it does not match its own seal")
    if manifest.get("schema") != SCHEMA_VERSION:
        raise SnapshotError("The snapshot has another format", given=manifest.get("schema"), limit=str(SCHEMA_VERSION))
    if set(manifest) != _KEYS or any("sha256" not in facts for facts in manifest["files"].values()):
        raise tampered(folder, MANIFEST, "its keys are not those of a manifest")
    unsafe = [key for key in manifest["files"] if SERIES_ID.fullmatch(key) is None]
    if unsafe:
        raise tampered(folder, MANIFEST, f"it names an unsafe series, {unsafe[0]!r}")
    return manifest, text


def check_files(folder: Path, files: Mapping[str, Any]) -> None:
    """Raise SnapshotError unless the folder holds exactly the files of the manifest."""
    wanted = {f"{key}.parquet" for key in files} | {MANIFEST}
    present = {path.name: path for path in folder.iterdir()}
    for name in sorted(wanted - set(present)):
        raise tampered(folder, name, "the file is gone")
    for name in sorted(set(present) - wanted):
        raise tampered(folder, name, "the file was not part of the snapshot")
    for name, path in sorted(present.items()):
        if path.is_symlink() or not path.is_file():
            raise tampered(folder, name, "it is no plain file")


def read_series(folder: Path, key: str, facts: Mapping[str, Any]) -> pd.DataFrame:
    """Return one series after its hash and its schema were checked."""
    path = folder / f"{key}.parquet"
    if path.stat().st_size > _FILE_LIMIT_BYTES:
        raise tampered(folder, path.name, "it is too large")
    content = path.read_bytes()  # hashed and parsed from the same bytes: nothing can change in between
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise tampered(folder, path.name, "its hash differs from the manifest")
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    except pa.ArrowException as error:
        raise tampered(folder, path.name, "it is no Parquet file") from error
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    index = pd.DatetimeIndex(columns.pop("date").astype("datetime64[ns]"), name="date")
    return validate(pd.DataFrame(columns, index=index, copy=True), key)


def tampered(folder: Path, name: str, why: str) -> SnapshotError:
    """Return the error about a file that is not as it was frozen."""
    return SnapshotError(
        f"Snapshot {folder.name}, file {name}: {why}",
        cause="the folder was changed, or a copy of it was cut short, after it was frozen",
        remedy="restore the folder from a copy, or delete it and freeze the data again",
    )
