"""A file of the Fama-French data library as downloaded, packed or not: read exactly as from the web."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from analysis.errors import DataError, SourceError
from analysis.sources.base import LATEST, RawSeries
from analysis.sources.famafrench import BASE_URL, FIRST_DATE, LibraryReader, check_archive, deliver, split_id
from analysis.sources.retry import MAX_BYTES


class _FileReader(LibraryReader):
    """The same reader, given text instead of an address."""

    def __init__(self, dataset: str, text: str, **options: Any) -> None:
        super().__init__(dataset, BASE_URL, **options)
        self._text = text

    def _read_zipfile(self, url: str) -> str:
        return self.prepare(self._text)


def read(series_id: str, provider_id: str, path: str | Path) -> RawSeries:
    """Read one column of a library file, packed or not.

    Parameters
    ----------
    series_id : str
        Id in the catalogue.
    provider_id : str
        ``dataset/table/column``, as in `famafrench.fetch`.
    path : str or Path

    Returns
    -------
    RawSeries
        As from `famafrench.fetch`; its origin is the name of the file.

    Raises
    ------
    SourceError
        The file cannot be read or unpacked.
    DataError
        The file is too large, or does not hold that table or column.
    """
    file = Path(path)
    reader = _FileReader(split_id(provider_id)[0], _text(file), start=FIRST_DATE, end=LATEST)
    return deliver(reader, file.name, series_id, provider_id, (None, None))


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise DataError(
                f"{file.name} is too large", given=f"{file.stat().st_size} bytes", limit=f"{MAX_BYTES} bytes"
            )
        body = file.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{file.name} cannot be read", cause=error.strerror, remedy="check the path and the rights of the file"
        ) from error
    if file.suffix.lower() == ".zip":
        check_archive(body, file.name)
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = archive.read(archive.namelist()[0])
    return body.decode("utf-8", "ignore")
