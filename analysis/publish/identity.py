"""What a version is made of, and the id that follows from it: data, code, kind of data, number of draws."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from analysis.errors import InputError

_ID: Final = re.compile(
    r"(?P<ci>CI-)?(?P<sim>SIM-)?(?P<cutoff>\d{4}-\d{2}-\d{2})-(?P<data>[0-9a-f]{8})-(?P<code>[0-9a-f]{8})"
)
_HEX: Final = re.compile(r"[0-9a-f]{8,64}")
_DISTRIBUTION: Final = "bellwether-research"
_CODE_PATTERNS: Final = (
    ("analysis", ("*.py",)),
    ("analysis/publish/filters", ("*",)),
    ("analysis/publish/assets", ("*",)),
    ("reports", ("*.qmd", "*.bib", "*.yml", "*.yaml", "*.scss", "*.css", "*.csl", "*.lua", "*.typ")),
    ("data", ("*.toml", "*.csv")),
    (".", ("requirements.lock",)),
)
_SEARCHED_DEEP: Final = ("analysis", "analysis/publish/filters", "analysis/publish/assets")
_NOT_CODE: Final = ("_variables.yml",)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFacts:
    """What a version is made of: everything the id, the manifest and the citation files are written from.

    Attributes
    ----------
    cutoff : str
        Last date of the data, ISO.
    snapshot_id, code_hash : str
        Hexadecimal hashes of the data, and of code, lock and study; 8 to 64 digits.
    kind : str
        ``"real"`` or ``"simulated"``.
    reduced : bool
        Fewer draws than a published study uses.
    renderer : str
        Name and version of the renderer.
    title : str
        Title of the report.
    authors : tuple of str
        Names as they are to be cited.
    settings : Mapping
        Settings of the study as plain JSON types; `compare.diff` shows what changed in them.
    """

    cutoff: str
    snapshot_id: str
    code_hash: str
    kind: str
    reduced: bool
    renderer: str
    title: str = "Bellwether: do US small caps lead crypto?"
    authors: tuple[str, ...] = ("The Bellwether authors",)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version id these facts give."""
        return version_id(self.cutoff, self.snapshot_id, self.code_hash, kind=self.kind, reduced=self.reduced)


@dataclass(frozen=True, slots=True)
class GitState:
    """The commit a build was made from, and whether the tree was clean; both None where git cannot say."""

    commit: str | None
    clean: bool | None


def version_id(cutoff: str, snapshot_id: str, code_hash: str, *, kind: str, reduced: bool) -> str:
    """Return ``<cut-off>-<8 hex of data>-<8 hex of code>``, with ``SIM-`` for simulated data and ``CI-`` for few draws.

    Raises
    ------
    InputError
        The date is not ISO, a hash has fewer than 8 hexadecimal digits, or the kind is unknown.
    """
    try:
        valid = datetime.date.fromisoformat(cutoff).isoformat() == cutoff
    except ValueError:
        valid = False
    if not valid:
        raise InputError("the cut-off of a version is an ISO date", given=repr(cutoff), limit="2026-08-21")
    for name, text in (("snapshot id", snapshot_id), ("code hash", code_hash)):
        if not is_hash(text):
            raise InputError(f"the {name} is hexadecimal", given=repr(text), limit="8 to 64 of 0-9 and a-f")
    if kind not in ("real", "simulated"):
        raise InputError("unknown kind of data", given=kind, limit="real, simulated")
    prefix = ("CI-" if reduced else "") + ("SIM-" if kind == "simulated" else "")
    return f"{prefix}{cutoff}-{snapshot_id[:8]}-{code_hash[:8]}"


def is_hash(text: str) -> bool:
    """Return whether a text is a hexadecimal hash of 8 to 64 digits."""
    return bool(_HEX.fullmatch(text))


def is_version(text: str) -> bool:
    """Return whether a text has the form of a version id."""
    match = _ID.fullmatch(text)
    if match is None:
        return False
    try:
        return bool(datetime.date.fromisoformat(match["cutoff"]))
    except ValueError:
        return False


def prefix_of(version: str) -> str:
    """Return ``""``, ``"SIM-"``, ``"CI-"`` or ``"CI-SIM-"``; only the first kind is evidence."""
    match = _ID.fullmatch(version)
    return (match["ci"] or "") + (match["sim"] or "") if match else ""


def code_hash(root: Path, study_text: str = "") -> str:
    """Return the SHA-256 over everything that decides the numbers and pages besides the data.

    Parameters
    ----------
    root : Path
        The repository: code, filters, assets, documents, theme, catalogue, claims, events and the lock are read.
    study_text : str
        Text of the study file that is run; other study files do not count.

    Returns
    -------
    str
        64 hexadecimal digits. They depend on relative names and content only, not on the folder, the clock or the line
        ends of a check-out.
    """
    digest = hashlib.sha256()
    texts = {name: (root / name).read_bytes() for name in _code_files(root)} | {"study": study_text.encode("utf-8")}
    for name in sorted(texts):
        content = texts[name].replace(b"\r\n", b"\n")
        digest.update(f"{len(name.encode())}:{name}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()


def _code_files(root: Path) -> set[str]:
    found = set()
    for folder, patterns in _CODE_PATTERNS:
        base = root / folder
        for pattern in patterns:
            search = base.rglob(pattern) if folder in _SEARCHED_DEEP else base.glob(pattern)
            for path in search:
                if path.is_file() and path.name not in _NOT_CODE and "__pycache__" not in path.parts:
                    found.add(path.relative_to(root).as_posix())
    return found


def git_state(root: Path) -> GitState:
    """Return commit and cleanliness of the repository whose top level is `root`; (None, None) where there is none."""
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root.resolve():
        return GitState(None, None)
    commit, changes = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain")
    return GitState(commit, None if changes is None else not changes)


def _git(root: Path, *arguments: str) -> str | None:
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, env=environment, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def package_versions() -> dict[str, str]:
    """Return the installed version of every direct dependency."""
    try:
        wanted = importlib.metadata.requires(_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    names = {re.split(r"[\s<>=!~;\[(]", line, maxsplit=1)[0] for line in wanted if "extra ==" not in line}
    found = {}
    for name in sorted(names):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
