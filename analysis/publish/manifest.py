"""The manifest of a built version: what every file must hash to, and where two folders first differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from analysis.errors import VersionError

MANIFEST_NAME: Final = "manifest.json"
SCHEMA: Final = 1

_CHUNK: Final = 1 << 20
_MANIFEST_LIMIT_BYTES: Final = 16 * 1024 * 1024
_SHOWN: Final = 120
_TEXT_SUFFIXES: Final = {".html", ".md", ".txt", ".csv", ".svg", ".cff", ".bib", ".qmd", ".yml", ".typ"}
_MOST_TELLING: Final = ("results.json", "verdicts.json")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a published version.

    Attributes
    ----------
    version : str
        Name of the folder, or ``latest``.
    path : str
        File inside the version, empty where the finding is about the whole.
    problem : str
        ``changed``, ``missing``, ``extra``, ``manifest``, ``latest``, ``unknown`` or ``release``.
    detail : str
        What was expected and what was found.
    """

    version: str
    path: str
    problem: str
    detail: str

    def __str__(self) -> str:
        return f"{self.version}{'/' if self.path else ''}{self.path}: {self.problem}: {self.detail}"


def canonical(value: Any) -> bytes:
    """Return canonical JSON with a line end: sorted keys, readable indent, no NaN."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def list_files(folder: Path) -> Iterator[str]:
    """Yield the relative POSIX path of every file below a folder, sorted.

    Raises
    ------
    VersionError
        Something in the folder is neither a file nor a folder: a symbolic link could lead outside.
    """
    for path in sorted(folder.rglob("*"), key=lambda item: item.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise VersionError(
                "a version holds plain files and folders only",
                given=name,
                cause="a symbolic link or a special file, which could lead outside the build folder",
            )
        if any(ord(letter) < 32 or letter in '\\:*?"<>|' for letter in name):
            raise VersionError("a file name holds a character that not every system allows", given=repr(name))
        if path.is_file():
            yield name


def hash_folder(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of every file except the manifest itself."""
    return {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_file(folder / name)}
        for name in list_files(folder)
        if name != MANIFEST_NAME
    }


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with the hash of its own content, so that a change to the manifest shows as well."""
    body = {key: value for key, value in content.items() if key != "self"}
    return body | {"self": hashlib.sha256(canonical(body)).hexdigest()}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a version after checking its seal and its layout.

    Raises
    ------
    VersionError
        The manifest is missing, too large, not valid, or was changed after the version was published.
    """
    path = folder / MANIFEST_NAME
    if path.is_symlink() or not path.is_file():
        raise VersionError("the folder has no manifest, so it is not a published version", given=folder.name)
    if path.stat().st_size > _MANIFEST_LIMIT_BYTES:
        raise VersionError("the manifest is too large", given=folder.name, limit=f"{_MANIFEST_LIMIT_BYTES} bytes")
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise VersionError("the manifest is not valid JSON", given=folder.name, cause=str(error)) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or not _has_layout(content):
        raise VersionError("the manifest has an unknown layout", given=folder.name, limit=f"schema {SCHEMA}")
    if seal(content)["self"] != content.get("self"):
        raise VersionError(
            "the manifest was changed after the version was published",
            given=folder.name,
            remedy="restore the version from a copy, or remove it and build it again",
        )
    if content["version"] != folder.resolve().name:
        raise VersionError("the manifest belongs to another version", given=content["version"], limit=folder.name)
    return content


def _has_layout(content: Mapping[str, Any]) -> bool:
    files = content.get("files")
    if not isinstance(files, dict) or not all(_is_inside(name) for name in files):
        return False
    sound = all(isinstance(fact, dict) and isinstance(fact.get("sha256"), str) for fact in files.values())
    mappings = all(isinstance(content.get(key), dict) for key in ("inputs", "stamp", "build"))
    return sound and mappings and isinstance(content.get("version"), str)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.as_posix() == name


def check_folder(folder: Path) -> list[Finding]:
    """Re-hash one published version and list every file that changed, went missing or appeared."""
    try:
        expected = read_manifest(folder)["files"]
    except VersionError as error:
        return [Finding(folder.name, MANIFEST_NAME, "manifest", str(error))]
    try:
        found = hash_folder(folder)
    except VersionError as error:
        return [Finding(folder.name, "", "extra", str(error))]
    findings = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            findings.append(Finding(folder.name, name, "missing", "listed in the manifest, not in the folder"))
        elif name not in expected:
            findings.append(Finding(folder.name, name, "extra", "in the folder, not listed in the manifest"))
        elif expected[name]["sha256"] != found[name]["sha256"]:
            detail = f"sha256 {found[name]['sha256'][:12]}…, published as {expected[name]['sha256'][:12]}…"
            findings.append(Finding(folder.name, name, "changed", detail))
    return findings


def check_file(folder: Path, name: str) -> None:
    """Raise VersionError unless one file of a version still hashes to what was published."""
    fact = read_manifest(folder)["files"].get(name)
    path = folder / name
    if fact is None or path.is_symlink() or not path.is_file():
        raise VersionError("the version does not hold the file", given=f"{folder.name}/{name}")
    if sha256_file(path) != fact["sha256"]:
        raise VersionError(
            "a file was changed after the version was published",
            given=f"{folder.name}/{name}",
            remedy="restore the version from a copy, or remove it and build it again",
        )


def first_difference(old: Path, new: Path) -> str:
    """Say where two folders first differ, the most telling file first; empty when all their files agree.

    The manifest is left out: what it says about files and inputs is compared by the caller, and what it says about the
    machine that built the version may differ.
    """
    before, after = hash_folder(old), hash_folder(new)
    names = sorted(before.keys() | after.keys(), key=lambda name: (name not in _MOST_TELLING, name))
    for name in names:
        if name not in after:
            return f"{name}: published, but not made this time"
        if name not in before:
            return f"{name}: made this time, but not published"
        if before[name] != after[name]:
            return f"{name}: {_describe(old / name, new / name)}"
    return ""


def _describe(old: Path, new: Path) -> str:
    first, second = old.read_bytes(), new.read_bytes()
    offset = next(
        (place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    where = f"byte {offset}"
    if old.suffix == ".json":
        try:
            return f"{where}, {_json_difference(json.loads(first), json.loads(second), '$')}"
        except ValueError:
            return where
    if old.suffix in _TEXT_SUFFIXES:
        line = first[:offset].count(b"\n")
        return f"{where}, line {line + 1}: {_line(first, line)} became {_line(second, line)}"
    return where


def _line(content: bytes, number: int) -> str:
    lines = content.split(b"\n")
    text = lines[number].decode("utf-8", "replace") if number < len(lines) else ""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _json_difference(old: Any, new: Any, path: str) -> str:
    """Return the first key whose value differs, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if (key in old) != (key in new) or old[key] != new[key]:
                return _json_difference(old.get(key, "(absent)"), new.get(key, "(absent)"), f"{path}.{key}")
    if isinstance(old, list) and isinstance(new, list):
        for number, (a, b) in enumerate(zip(old, new, strict=False)):
            if a != b:
                label = f"{path}[{a['id']}]" if isinstance(a, dict) and "id" in a else f"{path}[{number}]"
                return _json_difference(a, b, label)
        if len(old) != len(new):
            return f"key {path}: {len(old)} items became {len(new)}"
    shown = [json.dumps(value, ensure_ascii=False, sort_keys=True)[:_SHOWN] for value in (old, new)]
    return f"key {path}: {shown[0]} became {shown[1]}"
