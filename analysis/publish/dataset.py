"""Make sure there is a snapshot: from a folder, from the public sources, or, loudly, from the simulated market."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import SnapshotError, SourceError
from analysis.publish.paths import replace_text
from analysis.study.files import MAX_BYTES

if TYPE_CHECKING:
    from analysis.market.catalog import Catalog
    from analysis.market.collect import Collected

Say = Callable[[str], None]

CURRENT = "current.json"
_KNOWN = "known.json"
_DECIDES_CONTENT = ("analysis/sources", "analysis/market")


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """What the version id needs to know of a snapshot, without loading its data."""

    id: str
    kind: str
    cutoff: str


def snapshots(root: Path) -> Path:
    """Return the folder of all snapshots."""
    return root / "data" / "snapshots"


def facts_of(root: Path, snapshot_id: str) -> SnapshotFacts:
    """Return the identity of a frozen snapshot; raises SnapshotError when it is not there."""
    manifest = snapshots(root) / snapshot_id / "manifest.json"
    if not manifest.is_file():
        raise SnapshotError("the snapshot is not there", given=snapshot_id, remedy="freeze it again: make data")
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        return SnapshotFacts(content["id"], content["kind"], content["cutoff"])
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotError(
            "the manifest of the snapshot is damaged",
            given=f"{snapshot_id}/manifest.json",
            remedy="remove the folder of the snapshot and freeze it again",
        ) from error


def ensure(root: Path, *, data: Path | None, simulated: bool, say: Say) -> SnapshotFacts:
    """Return the snapshot a report rests on, freezing one when there is none for these inputs.

    Parameters
    ----------
    data : Path or None
        Folder of CSV files; None for the current snapshot, the public sources, or the simulated market, in that order.
    simulated : bool
        Use the simulated market even when there is something better.
    """
    if data is not None:
        return _from_folder(root, data, say)
    if not simulated:
        current = _current(root)
        if current is not None:
            say(f"Data: snapshot {current.id} (until {current.cutoff})")
            return current
        live = _try_live(root, say)
        if live is not None:
            return live
        say(
            "Data: no snapshot and no network, so the report runs on the SIMULATED market: a demonstration, "
            "not evidence"
        )
    return _simulate(root, say)


def freeze_live(root: Path, *, say: Say) -> SnapshotFacts:
    """Freeze a fresh snapshot from the keyless public sources and make it the current one."""
    from analysis.market import collect

    catalog = _catalog(root)
    say("Data: downloading from the public sources")
    facts = _freeze(root, catalog, collect.from_live(catalog), "real", say)
    make_current(root, facts)
    return facts


def _catalog(root: Path) -> Catalog:
    # Imported late: a command that finds everything built must not wait for pandas.
    from analysis.market import catalog as catalogs

    return catalogs.load(root / "data" / "catalog.toml")


def _from_folder(root: Path, folder: Path, say: Say) -> SnapshotFacts:
    from analysis.market import collect

    catalog = _catalog(root)
    key = _key(root, "folder", collect.folder_digest(folder, catalog))
    facts = _known(root, key)
    if facts is None:
        say(f"Data: reading {folder}")
        facts = _freeze(root, catalog, collect.from_folder(folder, catalog), "real", say)
        _remember(root, key, facts.id)
    say(f"Data: snapshot {facts.id} (until {facts.cutoff})")
    return facts


def _simulate(root: Path, say: Say) -> SnapshotFacts:
    key = _key(root, "simulated", "")
    facts = _known(root, key)
    if facts is None:
        from analysis.market import collect

        catalog = _catalog(root)
        facts = _freeze(root, catalog, collect.from_simulator(catalog), "simulated", say)
        _remember(root, key, facts.id)
    return facts


def _try_live(root: Path, say: Say) -> SnapshotFacts | None:
    from analysis.market import collect

    if not collect.online():
        return None
    try:
        return freeze_live(root, say=say)
    except SourceError as error:
        say(f"Data: {error}")
        return None


def _freeze(root: Path, catalog: Catalog, collected: Collected, kind: str, say: Say) -> SnapshotFacts:
    from analysis.market import snapshot

    frozen = snapshot.freeze(
        collected.series,
        catalog,
        root=snapshots(root),
        kind="simulated" if kind == "simulated" else "real",
        missing=collected.missing,
    )
    say(f"Data: froze {len(frozen.series)} series as snapshot {frozen.id}")
    for name in collected.ignored:
        say(f"Data: {name} serves no series of the catalogue and was ignored")
    return SnapshotFacts(frozen.id, kind, frozen.cutoff)


def _key(root: Path, origin: str, digest: str) -> str:
    """Hash what decides the content of a snapshot: the inputs, the catalogue and the code that reads them."""
    whole = hashlib.sha256(f"{origin}\0{digest}\0".encode())
    names = [root / "data" / "catalog.toml"]
    for folder in _DECIDES_CONTENT:
        names += sorted((root / folder).rglob("*.py"))
    for name in names:
        whole.update(hashlib.sha256(name.read_bytes()).digest())
    return whole.hexdigest()


def _known(root: Path, key: str) -> SnapshotFacts | None:
    name = _read(snapshots(root) / _KNOWN).get(key)
    return None if name is None or not (snapshots(root) / name).is_dir() else facts_of(root, name)


def _remember(root: Path, key: str, snapshot_id: str) -> None:
    path = snapshots(root) / _KNOWN
    replace_text(path, json.dumps(_read(path) | {key: snapshot_id}, sort_keys=True, indent=1) + "\n")


def _current(root: Path) -> SnapshotFacts | None:
    name = _read(snapshots(root) / CURRENT).get("id")
    return None if name is None or not (snapshots(root) / name).is_dir() else facts_of(root, name)


def make_current(root: Path, facts: SnapshotFacts) -> None:
    """Let reports without a data folder rest on this snapshot from now on."""
    replace_text(snapshots(root) / CURRENT, json.dumps({"id": facts.id}) + "\n")


def _read(path: Path) -> dict[str, str]:
    """Return a small JSON object; an absent or damaged one is empty, for it can be made again."""
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}
