"""A small simulated study of the switching area, run once and shared by the tests of its parts."""

from __future__ import annotations

import datetime as dt
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.sources.base import RawSeries
from analysis.sources.simulated import MarketSpec
from analysis.study import config, prepare, run
from analysis.study.calls import Family
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.settings import SwitchingSettings

DRAWS = 99
Change = Callable[[str, RawSeries], RawSeries | None]
_FOLDER = tempfile.TemporaryDirectory(prefix="switching-world-")


def unchanged(_: str, raw: RawSeries) -> RawSeries:
    return raw


@functools.cache
def prepared(repository: Path, change: Change = unchanged) -> Inputs:
    """Prepare a study of two assets on the planted world after changing or dropping its series."""
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    collected = collect.from_simulator(catalog, MarketSpec.planted_lead())
    asset = MarketSpec.planted_lead().lead_asset
    second = "ETH" if asset != "ETH" else "LTC"
    study = config.load(repository / "data" / "studies" / "default.toml").model_copy(
        update={
            "areas": ("switching",),
            "chapter": False,
            "crypto": (asset, second),
            "switching": SwitchingSettings(history=dt.date(2011, 1, 3)),
        }
    )
    series = {name: kept for name, raw in collected.series.items() if (kept := change(name, raw)) is not None}
    missing = {name: "left out by the test" for name in collected.series if name not in series}
    folder = Path(tempfile.mkdtemp(dir=_FOLDER.name))
    frozen = snapshot.freeze(series, catalog, root=folder, kind="simulated", missing=missing)
    return prepare.prepare(study, frozen, catalog)


def families(inputs: Inputs) -> dict[str, Family]:
    return {family.name: family for family in inputs.plan.families if family.name.startswith("switching-")}


@functools.cache
def ledger(repository: Path) -> Ledger:
    """Run all families of the area on the unchanged world."""
    inputs = prepared(repository)
    entries = [entry for family in families(inputs).values() for entry in run.run_family(family, inputs, DRAWS)]
    return Ledger(tuple(sorted(entries, key=lambda entry: entry.id)))
