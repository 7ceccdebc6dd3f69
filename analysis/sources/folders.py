"""The files of a data folder that stand in it or in one named sub-folder, and never outside of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis.errors import DataError


def find(folder: str | Path, subfolder: str, key: Callable[[str], str], what: str) -> dict[str, Path]:
    """Find the one file of every key in a folder or in its sub-folder.

    Parameters
    ----------
    folder : str or Path
        Existing folder.
    subfolder : str
        Name of the sub-folder that is searched too, in small letters.
    key : callable
        From a file name to its key; empty for a file that serves nothing.
    what : str
        What two files of one key hold, for the error; ``{key}`` is replaced.

    Raises
    ------
    DataError
        Two files have one key, or a link leads out of the folder.
    """
    root = Path(folder)
    nested = [path for path in sorted(root.iterdir()) if path.is_dir() and path.name.lower() == subfolder]
    found: dict[str, Path] = {}
    for path in (item for place in (root, *nested) for item in sorted(place.iterdir()) if item.is_file()):
        name = key(path.name)
        if not name:
            continue
        if name in found:
            twins = " and ".join(item.relative_to(root).as_posix() for item in (found[name], path))
            raise DataError(f"two files hold {what.format(key=name)}: {twins}", remedy="keep one of them in the folder")
        if not path.resolve().is_relative_to(root.resolve()):
            outside = path.relative_to(root).as_posix()
            raise DataError(f"{outside} is a link that leaves the data folder", remedy="copy the file into the folder")
        found[name] = path
    return found
