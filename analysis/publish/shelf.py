"""The shelf of built versions: find one, prove that none has changed, and register the released ones."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from analysis.errors import VersionError
from analysis.publish import manifest
from analysis.publish.identity import is_version, prefix_of
from analysis.publish.manifest import Finding

LATEST: Final = "latest"


def versions(builds: Path) -> tuple[str, ...]:
    """Return the ids of all published versions, sorted."""
    if not builds.is_dir():
        return ()
    return tuple(sorted(path.name for path in builds.iterdir() if is_version(path.name) and path.is_dir()))


def find_version(builds: Path, version: str) -> Path:
    """Return the folder of a version or of ``latest``; raises VersionError when there is none of that name."""
    known = versions(builds)
    if version == LATEST and (builds / LATEST).is_symlink():
        version = (builds / LATEST).readlink().name
    if version not in known or (builds / version).is_symlink():
        raise VersionError(
            "there is no such version",
            given=repr(version),
            limit=", ".join(known) or "none is built yet",
            remedy="run `make report` to build one",
        )
    return builds / version


def latest_like(builds: Path, version: str) -> str:
    """Return the latest version that may be compared with this one: of the same study, real with real.

    It is where ``latest`` points if that is of the same kind, else the one with the latest cut-off.
    """
    wanted = prefix_of(version)
    link = builds / LATEST
    pointed = link.readlink().name if link.is_symlink() else ""
    study = _study_of(builds, version)
    known = [name for name in versions(builds) if prefix_of(name) == wanted and _study_of(builds, name) == study]
    return pointed if pointed in known else max(known, default=version)


def _study_of(builds: Path, version: str) -> str:
    """Return the id of the study a version was built from; empty where its manifest cannot say."""
    folder = builds / version
    if not folder.is_dir():
        return ""
    try:
        return str(manifest.read_manifest(folder)["stamp"]["settings"].get("id", ""))
    except (VersionError, KeyError, AttributeError):
        return ""


def verify(builds: Path, registry: Path | None = None) -> tuple[Finding, ...]:
    """Re-hash every published version and list all that is not as it was published.

    Parameters
    ----------
    builds : Path
        Folder of all versions.
    registry : Path, optional
        The register of releases; a released version that is here must have the manifest that was released.

    Returns
    -------
    tuple of Finding
        Empty when everything is intact.
    """
    findings: list[Finding] = []
    for path in sorted(builds.iterdir()) if builds.is_dir() else ():
        if path.name == LATEST or path.name.startswith("."):
            continue
        if path.is_symlink() or not path.is_dir() or not is_version(path.name):
            findings.append(Finding(path.name, "", "unknown", "not a version, and not made by publishing"))
        else:
            findings.extend(manifest.check_folder(path))
    link = builds / LATEST
    if link.is_symlink() or link.exists():
        pointed = str(link.readlink()) if link.is_symlink() else ""
        if pointed not in versions(builds):
            findings.append(
                Finding(LATEST, "", "latest", f"does not point at a version here: {pointed or 'not a link'}")
            )
    elif versions(builds):
        findings.append(Finding(LATEST, "", "latest", "is missing"))
    return (*findings, *_check_releases(builds, registry))


def _check_releases(builds: Path, registry: Path | None) -> Iterator[Finding]:
    for item in [] if registry is None else read_releases(registry):
        path = builds / item["version"] / manifest.MANIFEST_NAME
        if path.is_file() and manifest.sha256_file(path) != item["manifest_sha256"]:
            yield Finding(item["version"], manifest.MANIFEST_NAME, "release", "is not the manifest that was released")


def read_releases(registry: Path) -> list[dict[str, str]]:
    """Return the released versions in the order of release; empty when there is no register yet."""
    if not registry.is_file():
        return []
    try:
        content = tomllib.loads(registry.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise VersionError("the register of releases cannot be read", given=registry.name, cause=str(error)) from error
    items = content.get("release", [])
    needed = {"version", "reason", "manifest_sha256"}
    sound = isinstance(items, list) and all(isinstance(item, dict) and needed <= item.keys() for item in items)
    if not sound:
        raise VersionError("a release lacks a key", given=registry.name, limit=", ".join(sorted(needed)))
    return items


def release(version: str, *, builds: Path, registry: Path, reason: str, supersedes: str | None = None) -> str:
    """Add a line to the register of releases and return it.

    Raises
    ------
    VersionError
        The version is unknown, not intact, simulated, made with reduced draws or released already; the superseded one
        was never released; or the reason is empty or not one line.
    """
    folder = find_version(builds, version) if version != LATEST else None
    if folder is None or prefix_of(version):
        raise VersionError(
            "only a named version on real data with full draws can be released",
            given=version,
            cause="SIM- marks simulated data and CI- reduced draws: neither is evidence"
            if prefix_of(version)
            else None,
        )
    damage = manifest.check_folder(folder)
    if damage:
        raise VersionError("the version is not intact, so it cannot be released", given=str(damage[0]))
    released = [item["version"] for item in read_releases(registry)]
    if version in released:
        raise VersionError("the version is released already", given=version)
    if supersedes is not None and supersedes not in released:
        limit = ", ".join(released) or "none is released yet"
        raise VersionError("the superseded version was never released", given=supersedes, limit=limit)
    if not reason.strip() or not reason.isprintable():
        raise VersionError("a release gives its reason in one line", given=repr(reason))
    facts = {"version": version, "supersedes": supersedes, "reason": reason.strip()}
    facts["manifest_sha256"] = manifest.sha256_file(folder / manifest.MANIFEST_NAME)
    rows = [f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in facts.items() if text is not None]
    block = "\n".join(["[[release]]", *rows]) + "\n"
    old = registry.read_text(encoding="utf-8") if registry.is_file() else ""
    temporary = registry.with_name(f".{registry.name}.tmp")
    temporary.write_text(f"{old.rstrip()}\n\n{block}" if old.strip() else block, encoding="utf-8", newline="\n")
    temporary.replace(registry)
    return block
