"""Versions: an id that follows from the inputs, a folder that appears in one step, and proof that it never changes.

What may differ between two builds of one version is kept out of the comparison on purpose: the git commit, whether the
tree was clean, when the data were fetched, the Python and package versions. They stand under ``build`` in the manifest
of the first build and must not be printed on a page. Everything else has to agree to the byte.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from analysis.errors import VersionError
from analysis.publish import manifest
from analysis.publish.identity import (
    GitState,
    VersionFacts,
    code_hash,
    git_state,
    is_hash,
    is_version,
    package_versions,
    version_id,
)
from analysis.publish.manifest import Finding
from analysis.publish.reference import citation_bib, citation_cff
from analysis.publish.shelf import LATEST, find_version, latest_like, read_releases, release, verify, versions

__all__ = [
    "LATEST",
    "Finding",
    "GitState",
    "PublishOutcome",
    "VersionFacts",
    "code_hash",
    "find_version",
    "git_state",
    "is_version",
    "latest_like",
    "package_versions",
    "point_latest",
    "publish_version",
    "read_releases",
    "release",
    "verify",
    "version_id",
    "versions",
]

OWN_FILES: Final = (manifest.MANIFEST_NAME, "CITATION.cff", "citation.bib")

_TEMPORARY: Final = ".tmp-"
_LOCK: Final = ".lock"


@dataclass(frozen=True, slots=True)
class PublishOutcome:
    """Where a version is, and whether it was ``"created"`` or existed ``"unchanged"``."""

    path: Path
    status: str


def publish_version(
    staging: Path,
    builds: Path,
    version: str,
    *,
    inputs: Mapping[str, str | Path],
    facts: VersionFacts,
    git: GitState | None = None,
    build: Mapping[str, str] | None = None,
) -> PublishOutcome:
    """Publish a finished folder as a version: copied aside, completed, moved in one step, then read-only.

    Parameters
    ----------
    staging : Path
        Folder with the documents, the ledger and the figures; it is left as it is.
    builds : Path
        Folder of all versions; made when missing. Leftovers of a crashed build are removed first.
    version : str
        Id of the version; must follow from `facts`.
    inputs : Mapping
        Name to SHA-256, or to a file that is hashed here. Series are named ``series/<id>``.
    facts : VersionFacts
        What the id, the manifest and the citation files are written from.
    git : GitState, optional
        Commit and cleanliness, recorded but not compared.
    build : Mapping, optional
        Further facts that may differ between two builds of one version, such as when the data were fetched.

    Returns
    -------
    PublishOutcome
        ``"unchanged"`` when the version exists with the same bytes and inputs.

    Raises
    ------
    VersionError
        The version exists with other content (the first difference is shown), was changed after it was published, or
        the staging folder holds links, special files or one of the files written here.
    """
    if not is_version(version) or version != facts.version:
        raise VersionError("the version id does not follow from its facts", given=version, limit=facts.version)
    builds.mkdir(parents=True, exist_ok=True)
    with _locked(builds):
        _remove_leftovers(builds)
        temporary = builds / f"{_TEMPORARY}{version}"
        try:
            _copy_plain(staging, temporary)
            _complete(temporary, facts, _hash_inputs(inputs), git, build or {})
            target = builds / version
            if target.is_symlink() or target.exists():
                _require_same(target, temporary)
                status = "unchanged"
            else:
                _lock_modes(temporary)
                temporary.replace(target)
                status = "created"
            target.chmod(0o555)
            _point_latest(builds, version)
        finally:
            _remove_tree(temporary)
    return PublishOutcome(target, status)


def _copy_plain(staging: Path, temporary: Path) -> None:
    if not staging.is_dir():
        raise VersionError("there is no finished build to publish", given=staging.name)
    names = list(manifest.list_files(staging))
    taken = sorted(set(names) & set(OWN_FILES))
    if taken:
        raise VersionError("the build holds a file that publishing writes itself", given=", ".join(taken))
    if not names:
        raise VersionError("the finished build is empty", given=staging.name)
    temporary.mkdir()
    for name in names:
        (temporary / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(staging / name, temporary / name, follow_symlinks=False)


def _complete(
    folder: Path, facts: VersionFacts, inputs: dict[str, str], git: GitState | None, build: Mapping[str, str]
) -> None:
    """Write the citation files and the manifest, and force everything to disk before the move."""
    data_hash = inputs.get("snapshot", facts.snapshot_id)
    (folder / "CITATION.cff").write_text(citation_cff(facts, facts.version, data_hash), encoding="utf-8", newline="\n")
    (folder / "citation.bib").write_text(citation_bib(facts, facts.version, data_hash), encoding="utf-8", newline="\n")
    git = git or GitState(None, None)
    environment = {"python": platform.python_version(), "system": platform.system(), "packages": package_versions()}
    content = {
        "schema": manifest.SCHEMA,
        "version": facts.version,
        "stamp": json.loads(json.dumps(asdict(facts), default=dict)),
        "inputs": inputs,
        "files": manifest.hash_folder(folder),
        "build": {**build, **environment, "git_commit": git.commit, "git_clean": git.clean},
    }
    (folder / manifest.MANIFEST_NAME).write_bytes(manifest.canonical(manifest.seal(content)))
    for path in (folder, *folder.rglob("*")):
        _sync(path)


def _sync(path: Path) -> None:
    if path.is_dir() and sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_same(target: Path, temporary: Path) -> None:
    """Raise VersionError unless the published version is intact and equal to the one just built."""
    if target.is_symlink() or not target.is_dir():
        raise VersionError("the place of the version is taken by something else", given=target.name)
    damage = manifest.check_folder(target)
    if damage:
        raise VersionError(
            "the published version is not intact",
            given=str(damage[0]),
            remedy="restore it from a copy, or remove its folder and build again",
        )
    old = manifest.read_manifest(target)
    new = json.loads((temporary / manifest.MANIFEST_NAME).read_bytes())
    difference = manifest.first_difference(target, temporary)
    for key in ("inputs", "stamp"):
        if not difference and old[key] != new[key]:
            names = sorted(
                name for name in old[key].keys() | new[key].keys() if old[key].get(name) != new[key].get(name)
            )
            name = names[0]
            difference = f"{key}, {name}: {old[key].get(name, 'absent')} became {new[key].get(name, 'absent')}"
    if difference:
        raise VersionError(
            "the version exists with other content",
            given=target.name,
            limit="the same id gives the same bytes",
            cause=f"first difference in {difference}",
            remedy="find what is not deterministic, or remove the published folder if it was never cited",
        )


def _hash_inputs(inputs: Mapping[str, str | Path]) -> dict[str, str]:
    hashes = {}
    for name, value in sorted(inputs.items()):
        text = manifest.sha256_file(value) if isinstance(value, Path) else value
        if not is_hash(text):
            raise VersionError("the hash of an input is hexadecimal", given=f"{name}: {text!r}")
        hashes[name] = text
    return hashes


def _lock_modes(folder: Path) -> None:
    """Make files and inner folders read-only; the folder itself follows after the move."""
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)


def _remove_tree(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.is_dir():
        for path in (folder, *(item for item in folder.rglob("*") if item.is_dir() and not item.is_symlink())):
            path.chmod(0o755)
        shutil.rmtree(folder)


def _remove_leftovers(builds: Path) -> None:
    for path in builds.glob(f"{_TEMPORARY}*"):
        _remove_tree(path)


def point_latest(builds: Path, version: str) -> None:
    """Point ``latest`` at a version that is there; raises VersionError when there is none of that name."""
    find_version(builds, version)
    with _locked(builds):
        _point_latest(builds, version)


def _point_latest(builds: Path, version: str) -> None:
    """Point ``latest`` at a version in one step."""
    link = builds / LATEST
    if link.exists() and not link.is_symlink():
        raise VersionError("`latest` is not a link, so it is left alone", given=LATEST, remedy="remove or rename it")
    temporary = builds / f"{_TEMPORARY}{LATEST}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(version, target_is_directory=True)
    temporary.replace(link)


@contextmanager
def _locked(builds: Path) -> Iterator[None]:
    """Hold the lock of the builds folder, which ends with the process, so that two builds cannot meet."""
    with (builds / _LOCK).open("a") as stream:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
