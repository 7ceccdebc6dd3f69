"""A small world on the true calendar: every kind of clock once, drawn with a fixed seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.market import calendars, catalog, snapshot
from analysis.sources.base import RawSeries

START, END = "2018-06-01", "2022-03-31"
WORLD = {
    "XNYS": ("RUT", "SPX", "VIX", "FF_ME_LO30"),
    "days": ("BTC", "CBBTCUSD", "BTC_COINMETRICS_2019", "DFF"),
    "weekdays": ("DGS10", "DTWEXBGS", "DXY", "BAMLH0A0HYM2", "RRPONTSYD"),
    "W-WED": ("WALCL", "WTREGEN"),
    "W-FRI": ("NFCI",),
    "MS": ("CPIAUCSL", "M2SL"),
}
RATES = ("DFF", "DGS10", "BAMLH0A0HYM2", "NFCI")


def raw_series(series_id: str, frame: pd.DataFrame, retrieved: str = "2026-01-01T00:00:00Z") -> RawSeries:
    return RawSeries(series_id, frame, "csvfile", series_id, retrieved, f"{series_id}.csv")


def _draw(series_id: str, dates: pd.DatetimeIndex, rng: np.random.Generator) -> pd.DataFrame:
    steps = rng.standard_normal(len(dates))
    if series_id in RATES:
        return pd.DataFrame({"value": 2.0 + 0.05 * np.cumsum(steps)}, index=dates)
    if series_id == "FF_ME_LO30":
        return pd.DataFrame({"value": steps}, index=dates)
    values = 100.0 * np.exp(0.02 * np.cumsum(steps))
    frame = pd.DataFrame({"value": values}, index=dates)
    if series_id == "RUT":
        frame["open"], frame["high"], frame["low"] = values, values * 1.01, values * 0.99
    return frame


def _dates(kind: str) -> pd.DatetimeIndex:
    if kind == "XNYS":
        dates = calendars.nyse(START, END).dates
    else:
        dates = pd.date_range(START, END, freq={"days": "D", "weekdays": "B"}.get(kind, kind))
    return pd.DatetimeIndex(dates, freq=None).as_unit("ns").rename("date")


@pytest.fixture(scope="session")
def book(repository: Path) -> catalog.Catalog:
    return catalog.load(repository / "data" / "catalog.toml")


@pytest.fixture(scope="session")
def world() -> dict[str, RawSeries]:
    rng = np.random.default_rng(20240611)
    return {name: raw_series(name, _draw(name, _dates(kind), rng)) for kind, names in WORLD.items() for name in names}


Freezer = Callable[..., snapshot.Snapshot]


@pytest.fixture
def freezer(tmp_path: Path, book: catalog.Catalog) -> Freezer:
    def freeze(series: dict[str, RawSeries], **options: object) -> snapshot.Snapshot:
        return snapshot.freeze(series, book, root=tmp_path / "snapshots", **options)

    return freeze


@pytest.fixture(scope="session")
def frozen(
    world: dict[str, RawSeries], book: catalog.Catalog, tmp_path_factory: pytest.TempPathFactory
) -> snapshot.Snapshot:
    return snapshot.freeze(world, book, root=tmp_path_factory.mktemp("frozen"), missing={"IXIC": "no file"})


@pytest.fixture(scope="session")
def as_raw() -> Callable[..., RawSeries]:
    return raw_series
