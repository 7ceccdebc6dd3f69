"""Gather series for a snapshot: from a folder of CSV files, from the keyless public sources, or from the simulator."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from analysis.errors import DataError, SourceError
from analysis.market import at_close
from analysis.market.catalog import Catalog
from analysis.sources import csvfile, famafrench_folder, hourly
from analysis.sources.base import RawSeries

if TYPE_CHECKING:
    from analysis.sources.simulated import MarketSpec

PROBE_SECONDS = 1.5
NO_SOURCE = "no keyless public source; supply it as a CSV file"
PARALLEL_DOWNLOADS = 4
_PRICE_TRANSFORMS = ("log_return", "log_difference")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Collected:
    """Series that were had, reasons for those that were not, and files nobody asked for."""

    series: Mapping[str, RawSeries]
    missing: Mapping[str, str]
    ignored: tuple[str, ...] = ()


def from_folder(folder: Path, catalog: Catalog, *, progress: Progress | None = None) -> Collected:
    """Read every file of a folder that the catalogue knows; the folder may hold any subset.

    A file named after a series wins over a file of the Fama-French library that holds it too.

    Raises
    ------
    DataError, SourceError
        A file breaks the contract, or no file serves any series. Nothing was written.
    """
    matched = csvfile.match(folder, catalog.ids)
    library = _library_files(folder, catalog, matched)
    if not matched.files and not library:
        raise DataError(
            f"no file in {folder} serves a series of the catalogue",
            limit="file names such as RUT.csv or btc.csv",
            remedy="name each file after a catalogue id; `data/catalog.toml` lists them",
        )
    series = {}
    for series_id, path in matched.files.items():
        positive = catalog.entry(series_id).transform in _PRICE_TRANSFORMS
        series[series_id] = csvfile.read(series_id, path, positive=positive)
        _refuse_future(series[series_id])
        if progress is not None:
            progress(series_id)
    if library:
        # Imported late, for it takes long to load and most folders do without.
        from analysis.sources import famafrench_file

        for series_id, (provider_id, path) in library.items():
            series[series_id] = famafrench_file.read(series_id, provider_id, path)
            if progress is not None:
                progress(series_id)
    hours = _hourly_files(folder, catalog, matched)
    for series_id, path in hours.items():
        series[series_id] = at_close.sample(series_id, hourly.read(path))
        _refuse_future(series[series_id])
        if progress is not None:
            progress(series_id)
    missing = {name: "no file of that name in the data folder" for name in catalog.ids if name not in series}
    used = {path.name for _, path in library.values()} | {path.name for path in hours.values()}
    return Collected(series, missing, tuple(name for name in matched.ignored if name not in used))


def _library_files(folder: Path, catalog: Catalog, matched: csvfile.FolderMatch) -> Mapping[str, tuple[str, Path]]:
    """Return provider id and file of every series that only a file of the Fama-French library in the folder holds."""
    wanted = {
        entry.id: source.id
        for entry in catalog
        for source in entry.sources
        if source.provider == "famafrench" and entry.id not in matched.files
    }
    found = famafrench_folder.find(folder, wanted)
    return {series_id: (wanted[series_id], path) for series_id, path in found.items()}


def _hourly_files(folder: Path, catalog: Catalog, matched: csvfile.FolderMatch) -> Mapping[str, Path]:
    """Return the hourly file of every series that is read at the equity close and has no daily file of its own."""
    wanted = {
        source.id: entry.id
        for entry in catalog
        for source in entry.sources
        if source.provider == "hourly" and entry.id not in matched.files
    }
    return {wanted[asset]: path for asset, path in hourly.find(folder, wanted).items()}


def _refuse_future(series: RawSeries) -> None:
    """Refuse an observation dated after tomorrow: it is a typing error, and it would date the whole report."""
    last = series.frame.index[-1].date()
    if last > dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1):
        raise DataError(
            f"{series.origin} holds an observation of a day to come",
            given=str(last),
            limit="tomorrow at the latest",
            cause="a mistyped year",
            remedy="correct the date in the last row",
        )


def folder_digest(folder: Path, catalog: Catalog) -> str:
    """Hash the files of a folder that the catalogue knows, without parsing them.

    Equal digests mean equal snapshots, so that an unchanged folder need not be read again.
    """
    matched = csvfile.match(folder, catalog.ids)
    digest = hashlib.sha256()
    for series_id in sorted(matched.files):
        digest.update(f"{series_id}\0".encode())
        digest.update(hashlib.sha256(matched.files[series_id].read_bytes()).digest())
    for series_id, (provider_id, path) in sorted(_library_files(folder, catalog, matched).items()):
        digest.update(f"{series_id}\0{provider_id}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for series_id, path in sorted(_hourly_files(folder, catalog, matched).items()):
        digest.update(f"{series_id}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def from_live(
    catalog: Catalog, *, progress: Progress | None = None, base_urls: Mapping[str, str] | None = None
) -> Collected:
    """Download every series that a keyless public source offers; each failure becomes a reason.

    Raises
    ------
    SourceError
        No series at all could be had.
    """
    # Imported late, like the simulator below: a folder of files needs neither, and both take long to load.
    from analysis.sources import famafrench, fred

    fetchers = {"fred": fred.fetch, "famafrench": famafrench.fetch}
    addresses = dict(base_urls or {})

    def fetch(series_id: str) -> RawSeries | str:
        reasons = []
        for source in catalog.entry(series_id).sources:
            if source.provider not in fetchers:
                continue
            try:
                return fetchers[source.provider](series_id, source.id, base_url=addresses.get(source.provider))
            except (SourceError, DataError) as error:
                reasons.append(str(error))
            finally:
                if progress is not None:
                    progress(series_id)
        return "; ".join(reasons) or NO_SOURCE

    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        answers = dict(zip(catalog.ids, pool.map(fetch, catalog.ids), strict=True))
    series = {name: answer for name, answer in answers.items() if isinstance(answer, RawSeries)}
    missing = {name: answer for name, answer in answers.items() if isinstance(answer, str)}
    if not series:
        raise SourceError(
            "none of the public sources delivered a series",
            cause=min((reason for reason in missing.values() if reason != NO_SOURCE), default="no network"),
            remedy="try again later, or give a folder of CSV files: make report DATA=folder",
        )
    return Collected(series, missing)


def from_simulator(catalog: Catalog, spec: MarketSpec | None = None) -> Collected:
    """Simulate a market with known truth; by default the one with a planted lead."""
    from analysis.sources import simulated

    drawn = simulated.simulate(spec or simulated.MarketSpec.planted_lead())
    series = {name: drawn[name] for name in catalog.ids if name in drawn}
    missing = {name: "not part of the simulated market" for name in catalog.ids if name not in series}
    return Collected(series, missing)


def online(address: str | None = None, *, environment: Collection[str] | None = None) -> bool:
    """Say within `PROBE_SECONDS` whether the public sources can be reached at all.

    Behind a proxy the answer is always yes: only a real request can tell there.
    """
    names = os.environ if environment is None else environment
    if {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"} & set(names):
        return True
    from analysis.sources import fred

    parts = urlparse(address or fred.BASE_URL)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    reached = threading.Event()

    def probe() -> None:
        try:
            socket.create_connection((parts.hostname or "", port), timeout=PROBE_SECONDS).close()
        except OSError:
            return
        reached.set()

    # Name resolution has no time limit of its own, so the probe runs beside the clock.
    worker = threading.Thread(target=probe, daemon=True)
    worker.start()
    worker.join(PROBE_SECONDS)
    return reached.is_set()
