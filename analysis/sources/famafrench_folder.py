"""Which files of a folder belong to the Fama-French data library: they keep the names they have there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis.sources import folders

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
    wanted = {_wanted(provider_id) for provider_id in provider_ids.values()}

    def dataset_of(name: str) -> str:
        dataset = _dataset(name)
        return dataset if dataset in wanted else ""

    files = folders.find(folder, SUBFOLDER, dataset_of, "the same data set")
    found = {name: files.get(_wanted(provider_id)) for name, provider_id in provider_ids.items()}
    return {name: path for name, path in found.items() if path is not None}


def _wanted(provider_id: str) -> str:
    return provider_id.partition("/")[0].lower()


def _dataset(name: str) -> str:
    """Return the data set a file name stands for, in small letters; empty for other files."""
    lower = name.lower()
    return next((lower.removesuffix(ending) for ending in _ENDINGS if lower.endswith(ending)), "")
