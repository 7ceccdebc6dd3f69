"""Where things are: the project folder, the builds, one version, and a safe way to replace a text file."""

from __future__ import annotations

from pathlib import Path

from analysis.errors import ConfigError
from analysis.publish.shelf import find_version

MARK = Path("data") / "catalog.toml"


def find_root(given: Path | None = None) -> Path:
    """Return the project folder: the one given, else the first above this one that holds the catalogue.

    Raises
    ------
    ConfigError
        There is no catalogue in it.
    """
    here = Path.cwd()
    package = Path(__file__).resolve().parents[2]
    candidates = (given,) if given is not None else (here, *here.parents, package)
    for folder in candidates:
        if (folder / MARK).is_file():
            return folder.resolve()
    raise ConfigError(
        "this is not the folder of a Bellwether project",
        given=str(given or here),
        limit=f"a folder that holds {MARK.as_posix()}",
        remedy="change into the project folder, or name it with --root",
    )


def builds(root: Path) -> Path:
    """Return the folder of all versions."""
    return root / "reports" / "_build"


def build_folder(root: Path, version: str) -> Path:
    """Return the folder of one version; ``latest`` follows the pointer."""
    return find_version(builds(root), version)


def replace_text(path: Path, text: str) -> None:
    """Write a file in one step, so that a crash leaves either the old text or the new."""
    target = path.resolve()
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not mode & 0o222:
        raise ConfigError("the file is read-only", given=path.name, remedy="make it writable, or copy it first")
    temporary = target.with_name(f".{target.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="")
    if mode is not None:
        temporary.chmod(mode & 0o777)
    temporary.replace(target)
