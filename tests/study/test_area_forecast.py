"""The forecasting area on simulated markets: a planted lead is found and pays, nothing is not, nobody looks ahead."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.market.catalog import Catalog
from analysis.sources.base import RawSeries
from analysis.sources.simulated import MarketSpec
from analysis.stats.forecast import ForecastPath, OosR2Result, TimingResult
from analysis.study import claims, config, prepare, run, verdicts
from analysis.study.areas import forecast, forecast_data
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.settings import ForecastSettings
from analysis.study.verdicts import Judgement, is_significant

DRAWS = 99
CRYPTO = ("BTC", "ETH")
World = tuple[Inputs, Ledger]


@pytest.fixture(scope="module")
def catalog(repository: Path) -> Catalog:
    return catalogs.load(repository / "data" / "catalog.toml")


def _inputs(series: Mapping[str, RawSeries], catalog: Catalog, repository: Path, folder: Path) -> Inputs:
    study = config.load(repository / "data" / "studies" / "default.toml")
    study = study.model_copy(update={"chapter": False, "areas": ("forecast",), "crypto": CRYPTO})
    return prepare.prepare(study, snapshot.freeze(series, catalog, root=folder, kind="simulated"), catalog)


def _run(inputs: Inputs) -> Ledger:
    families = [family for family in inputs.plan.families if family.name.startswith("forecast")]
    return Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, DRAWS)))


@pytest.fixture(scope="module")
def planted_series(catalog: Catalog) -> Mapping[str, RawSeries]:
    spec = MarketSpec.planted_lead(lead_state="always", lead_strength=1.0)
    return collect.from_simulator(catalog, spec).series


@pytest.fixture(scope="module")
def planted(
    planted_series: Mapping[str, RawSeries],
    catalog: Catalog,
    repository: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> World:
    inputs = _inputs(planted_series, catalog, repository, tmp_path_factory.mktemp("planted"))
    return inputs, _run(inputs)


@pytest.fixture(scope="module")
def nothing(catalog: Catalog, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    series = collect.from_simulator(catalog, MarketSpec.nothing()).series
    inputs = _inputs(series, catalog, repository, tmp_path_factory.mktemp("nothing"))
    return inputs, _run(inputs)


def _judged(world: World, repository: Path) -> Judgement:
    inputs, ledger = world
    declared = claims.load(repository / "data" / "claims.toml")
    only = declared.model_copy(update={"claims": tuple(c for c in declared.claims if c.id == "useful-signal")})
    return verdicts.judge(only, ledger, level=inputs.config.level, smallest_effect=inputs.config.smallest_effect)[0]


def _significant(world: World, family: str) -> set[str]:
    inputs, ledger = world
    return {entry.effect for entry in ledger.family(family) if is_significant(entry, inputs.config.level)}


def test_a_planted_lead_helps_to_forecast_its_asset_only(planted: World, repository: Path) -> None:
    _, ledger = planted
    for family in ("forecast-h1-expanding-own", "forecast-h1-rolling-own", "forecast-h1-expanding-controls"):
        assert _significant(planted, family) == {"ETH"}
    found = ledger.entry("forecast.h1-expanding-own.rut.eth")
    assert found.lower is not None
    assert found.lower > 0
    assert _significant(planted, "forecast-timing-long-10") == {"ETH"}
    assert _significant(planted, "forecast-ability") == {"ETH"}
    assert "ETH" in _significant(planted, "forecast-direction")
    assert ledger.entry("forecast.too-small.rut.eth").estimate > 0
    assert _judged(planted, repository).verdict == "supported"


def test_nothing_is_not_found(nothing: World, repository: Path) -> None:
    for family in ("forecast-h1-expanding-own", "forecast-timing-long-10", "forecast-ability"):
        assert _significant(nothing, family) == set()
    assert _judged(nothing, repository).verdict in ("contradicted", "no evidence")


def test_every_family_is_there_and_corrected_over_its_assets(planted: World) -> None:
    inputs, ledger = planted
    families = [family for family in inputs.plan.families if family.name.startswith("forecast")]
    assert len(families) == 2 * 2 * 3 + 4 + 4 + 1
    for family in families:
        assert family.claims == ("useful-signal",)
        entries = ledger.family(family.name)
        assert len(entries) == (8 if family.name == "forecast-deflated" else 2)
        for entry in entries:
            assert entry.strict
            assert entry.clock == "after"
            assert (entry.pvalue_adjusted is not None) == (family.adjustment == "bh" and entry.status == "ok")


def test_the_numbers_of_an_entry_are_those_of_its_forecasts(planted: World) -> None:
    inputs, ledger = planted
    rows = forecast_data.rows(inputs, "ETH")
    at = forecast_data.path(inputs, rows, scheme="expanding", horizon=1, beside=False)
    assert isinstance(at, ForecastPath)
    actual, own, model = at.compared("own")
    entry = ledger.entry("forecast.h1-expanding-own.rut.eth")
    r2 = 1 - np.square(actual - model).sum() / np.square(actual - own).sum()
    assert entry.estimate == pytest.approx(100 * r2)
    assert entry.nobs == at.nobs
    assert entry.start == str(inputs.dates[at.origins[0]].date())
    assert ledger.entry("forecast.too-small.rut.eth").estimate == pytest.approx(
        100 * (r2 - inputs.config.forecast.smallest_gain)
    )
    bitcoin = ledger.entry("forecast.h1-expanding-own.rut.btc").loaded()
    assert isinstance(bitcoin, OosR2Result)
    assert 100 * bitcoin.path[-1] / (bitcoin.loss_benchmark * bitcoin.nobs) == pytest.approx(
        ledger.entry("forecast.h1-expanding-own.rut.btc").estimate
    )


def test_a_rule_costs_what_it_trades(planted: World) -> None:
    _, ledger = planted
    cheap, dear = (ledger.entry(f"forecast.timing-long-{cost}.rut.btc") for cost in (10, 25))
    assert cheap.estimate > dear.estimate
    traded = ledger.entry("forecast.timing-long-10.rut.btc.turnover").estimate
    results = [entry.loaded() for entry in (cheap, dear)]
    assert all(isinstance(item, TimingResult) for item in results)
    assert results[0].mean - results[1].mean == pytest.approx(traded * 15e-4)
    assert "after the New York close" in results[0].execution
    assert ledger.entry("forecast.timing-long-10.rut.eth").result == ""


def _after(series: Mapping[str, RawSeries], day: pd.Timestamp) -> dict[str, RawSeries]:
    """Change every value dated after a day beyond recognition."""
    rng, changed = np.random.default_rng(0), {}
    for name, item in series.items():
        frame = item.frame.copy()
        late = frame.index > day
        frame.loc[late, :] = frame.loc[late, :].to_numpy() * rng.uniform(0.2, 5.0, (int(late.sum()), 1))
        changed[name] = dataclasses.replace(item, frame=frame)
    return changed


def test_nothing_dated_later_moves_a_forecast(
    planted: World, planted_series: Mapping[str, RawSeries], catalog: Catalog, repository: Path, tmp_path: Path
) -> None:
    inputs, _ = planted
    day = inputs.dates[1500]
    moved = _inputs(_after(planted_series, day), catalog, repository, tmp_path)
    for scheme in ("expanding", "rolling"):
        for beside in (False, True):
            one, two = (
                forecast_data.path(item, forecast_data.rows(item, "ETH"), scheme=scheme, horizon=1, beside=beside)
                for item in (inputs, moved)
            )
            _same_until(one, two, inputs.dates, day)
    one, two = (forecast_data.signal(item, forecast_data.rows(item, "ETH")) for item in (inputs, moved))
    _same_until(one, two, inputs.dates, day)


def _same_until(one: object, two: object, dates: pd.DatetimeIndex, day: pd.Timestamp) -> None:
    assert isinstance(one, ForecastPath)
    assert isinstance(two, ForecastPath)
    upto = dates[one.origins] <= day
    count = int(upto.sum())
    assert count > 500
    np.testing.assert_array_equal(one.origins[:count], two.origins[:count])
    for name in ("mean", "own", "controls", "model"):
        assert getattr(one, name)[:count].tobytes() == getattr(two, name)[:count].tobytes(), name
    assert not np.array_equal(one.model[-100:], two.model[-100:])


def test_reported_drivers_enter_when_they_are_published(planted: World) -> None:
    inputs, _ = planted
    dates = inputs.dates
    known = pd.Series(forecast_data._published(inputs, "DTWEXBGS"), index=dates)
    # The week's values come out on Monday after the close: they move the forecast of Tuesday's close and no other.
    moves = known[known.abs() > 0].index
    assert len(moves) > 100
    assert set(moves.day_of_week) <= {1, 2}
    described = inputs.returns("after", ("DTWEXBGS",))[:, 0]
    assert np.count_nonzero(described) > 3 * len(moves)
    np.testing.assert_array_equal(forecast_data._published(inputs, "VIX"), inputs.returns("after", ("VIX",))[:, 0])


def test_a_clock_that_looks_ahead_is_refused(planted: World) -> None:
    inputs, _ = planted
    overlapping = dataclasses.replace(
        inputs, panels={"after": inputs.panels["before"], "before": inputs.panels["before"]}
    )
    with pytest.raises(DataError, match="cannot be forecast"):
        forecast_data.rows(overlapping, "BTC")


def test_without_drivers_and_with_a_short_history_the_reasons_are_given(planted: World) -> None:
    inputs, _ = planted
    bare = dataclasses.replace(inputs, plan=dataclasses.replace(inputs.plan, controls=()))
    call = dataclasses.replace(_family(inputs, "forecast-h1-expanding-controls").calls[0], given=())
    family = dataclasses.replace(_family(inputs, "forecast-h1-expanding-controls"), calls=(call,))
    entry = run.run_family(family, bare, DRAWS)[0]
    assert entry.status == "inapplicable"
    assert "no common driver" in entry.reason
    settings = ForecastSettings(window=5000)
    young = dataclasses.replace(inputs, config=inputs.config.model_copy(update={"forecast": settings}))
    for family in inputs.plan.families:
        if family.name.startswith("forecast"):
            entries = run.run_family(family, young, DRAWS)
            assert {entry.status for entry in entries} == {"inapplicable"}, family.name
            assert all("training rows" in entry.reason for entry in entries)
    ledger = Ledger(
        tuple(e for f in inputs.plan.families if f.name.startswith("forecast") for e in run.run_family(f, young, DRAWS))
    )
    assert _judged((young, ledger), Path(__file__).resolve().parents[2]).verdict == "not testable"


def _family(inputs: Inputs, name: str) -> forecast.Family:
    return next(family for family in inputs.plan.families if family.name == name)


def test_settings_are_bounded() -> None:
    for wrong in ({"horizons": (5,)}, {"horizons": (1, 1)}, {"costs": (25.0, 10.0)}, {"costs": (2.5,)}, {"window": 50}):
        with pytest.raises(ValueError, match=r"validation error"):
            ForecastSettings(**wrong)
