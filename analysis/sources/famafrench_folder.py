"""Which files of a folder belong to the Fama-French data library: they keep the names they have there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis.errors import DataError

SUBFOLDER = "famafrench"
_ENDINGS = ("_csv.zip", ".zip", ".csv")


def find(folder: str | Path, provider_ids: Mapping[str, str]) -> dict[str, Path]:
    """Find the library file of every series in a folder or in its sub-folder ``famafrench``.

    Parameters
    ----------
    folder : str or Path
        Existing folder.
    provider_ids : mapping of series id to ``dataset/table/column``

    Returns
    -------
    dict of series id to Path
        In the order given. A file serves a dataset when its name is the dataset's, whatever the case of the letters,
        with the ending ``.csv``, ``.zip`` or ``_CSV.zip``.

    Raises
    ------
    DataError
        Two files hold one dataset, or a link leads out of the folder.
    """
    root = Path(folder)
    nested = [path for path in sorted(root.iterdir()) if path.is_dir() and path.name.lower() == SUBFOLDER]
    files: dict[str, Path] = {}
    wanted = {_wanted(provider_id) for provider_id in provider_ids.values()}
    for path in (item for place in (root, *nested) for item in sorted(place.iterdir()) if item.is_file()):
        dataset = _dataset(path.name)
        if dataset not in wanted:
            continue
        if dataset in files:
            raise DataError(
                f"two files hold the same data set: {_name(files[dataset], root)} and {_name(path, root)}",
                remedy="keep one of them in the folder",
            )
        if not path.resolve().is_relative_to(root.resolve()):
            raise DataError(
                f"{_name(path, root)} is a link that leaves the data folder", remedy="copy the file into the folder"
            )
        files[dataset] = path
    found = {name: files.get(_wanted(provider_id)) for name, provider_id in provider_ids.items()}
    return {name: path for name, path in found.items() if path is not None}


def _wanted(provider_id: str) -> str:
    return provider_id.partition("/")[0].lower()


def _dataset(name: str) -> str:
    """Return the data set a file name stands for, in small letters; empty for other files."""
    lower = name.lower()
    return next((lower.removesuffix(ending) for ending in _ENDINGS if lower.endswith(ending)), "")


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
