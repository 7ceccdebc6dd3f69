"""Spillover on simulated markets: nothing passes, a planted passage is found, and what is missing says so."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.market.panel import Panel
from analysis.sources.simulated import MarketSpec
from analysis.stats.connectedness.rolling import RollingConnectedness
from analysis.stats.connectedness.spill import SpillResult
from analysis.stats.granger_variance_session import OneSessionResult
from analysis.stats.volatility.correlation import DynamicCorrelation
from analysis.study import claims, config, prepare, run, verdicts
from analysis.study.areas import spillover
from analysis.study.areas.spillover_run import rolling_dates
from analysis.study.areas.spillover_system import BASKET, build
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import Judgement, is_significant

DRAWS = 99
CRYPTO = ("BTC", "ETH", "LTC", "XRP", "ADA")
READ = {"RUT", "SPX", "VIX", "DGS10", *CRYPTO}


def prepared(repository: Path, folder: Path, **changes: object) -> Inputs:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    loaded = config.load(repository / "data" / "studies" / "default.toml")
    settings = loaded.spillover.model_copy(update={"rolling_limits": 2})
    update = {"areas": ("spillover",), "chapter": False, "states": (), "crypto": CRYPTO, "spillover": settings}
    study = loaded.model_copy(update=update | {"controls": ("SPX", "VIX", "DGS10")} | changes)
    drawn = collect.from_simulator(catalog, MarketSpec(start="2018-06-01", end="2023-12-29")).series
    series = {name: raw for name, raw in drawn.items() if name in READ}
    return prepare.prepare(study, snapshot.freeze(series, catalog, root=folder, kind="simulated"), catalog)


def run_area(inputs: Inputs, kinds: Iterable[str] = tuple(spillover.AREA.runners)) -> Ledger:
    families = [family for family in inputs.plan.families if family.calls[0].kind in set(kinds)]
    return Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, DRAWS)))


@pytest.fixture(scope="module")
def inputs(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return prepared(repository, tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def ledger(inputs: Inputs) -> Ledger:
    return run_area(inputs)


def with_returns(inputs: Inputs, changed: dict[str, np.ndarray]) -> Inputs:
    """Put other returns under the same sessions and clocks."""

    def moved(panel: Panel) -> Panel:
        return dataclasses.replace(panel, returns=panel.returns.assign(**changed))

    return dataclasses.replace(inputs, panels={clock: moved(panel) for clock, panel in inputs.panels.items()})


def passing(n: int, receivers: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a giver (n,) and receivers (n, r) whose variance follows the giver's last square; no mean moves."""
    rng = np.random.default_rng(5)
    z = rng.standard_t(6, (n, receivers + 1)) / math.sqrt(1.5)
    out, h = np.zeros((n, receivers + 1)), np.ones(receivers + 1)
    for t in range(n):
        out[t] = np.sqrt(h) * z[t]
        squares = out[t] ** 2
        h[0] = 0.05 + 0.1 * squares[0] + 0.85 * h[0]
        h[1:] = 0.1 + 0.05 * squares[1:] + 0.35 * squares[0] + 0.5 * h[1:]
    return 0.01 * out[:, 0], 0.03 * out[:, 1:]


def verdict(inputs: Inputs, ledger: Ledger, repository: Path, leads: dict[str, float]) -> Judgement:
    """Judge the claim with leads in return of the given adjusted p beside the area's entries."""
    stand_in = [
        Entry(
            id=f"granger.{family}.{asset.lower()}",
            family=family,
            method="lead",
            effect=asset if family == "lead" else "RUT",
            cause="RUT" if family == "lead" else asset,
            statistic=1.0,
            pvalue=p,
            pvalue_adjusted=p,
            adjustment="test",
            estimate=0.1,
            estimate_name="response",
            lower=0.05,
            upper=0.15,
            level=0.95,
        )
        for family, p in leads.items()
        for asset in CRYPTO
    ]
    declared = claims.load(repository / "data" / "claims.toml")
    judged = verdicts.judge(
        declared, Ledger((*ledger.entries, *stand_in)), level=inputs.config.level, smallest_effect=0.1
    )
    return next(item for item in judged if item.claim == "volatility-spillover")


def test_every_family_runs_and_every_direction_is_strict(inputs: Inputs, ledger: Ledger) -> None:
    assert {entry.status for entry in ledger.entries} == {"ok"}
    for direction, clock in (("lead", "after"), ("reverse", "before")):
        for tail in ("", "-conditional"):
            entries = ledger.family(f"spillover-variance-{direction}{tail}")
            assert len(entries) == len(CRYPTO)
            for entry in entries:
                assert (entry.strict, entry.clock) == (True, clock)
                assert inputs.panels[clock].strict(entry.effect, entry.cause)  # type: ignore[index]
                assert entry.adjustment.startswith("Benjamini-Hochberg over 5")
    strict = {entry.id.split(".", 1)[1]: entry.strict for entry in ledger.entries if entry.strict is not None}
    assert strict["returns.after.given"] is True
    assert strict["returns.before.given"] is False
    assert strict["returns.after.received"] is False
    assert strict["returns.before.received"] is True


def test_twins_rest_on_the_same_rows(ledger: Ledger) -> None:
    for direction in ("lead", "reverse"):
        beside = {(e.effect, e.cause): e for e in ledger.family(f"spillover-variance-{direction}-conditional")}
        for entry in ledger.family(f"spillover-variance-{direction}"):
            twin = beside[entry.effect, entry.cause]
            assert (entry.nobs, entry.start, entry.end) == (twin.nobs, twin.start, twin.end)
            assert twin.given == ("SPX", "VIX", "DGS10")


def test_one_session_is_named_with_its_date(inputs: Inputs, ledger: Ledger) -> None:
    entry = ledger.entry("spillover-session.rut.btc")
    result = entry.loaded()
    assert isinstance(result, OneSessionResult)
    share = ledger.entry("spillover-session.rut.btc.share")
    assert share.start == share.end == str(inputs.dates[result.session].date())
    assert share.estimate == result.share
    whole = ledger.entry("spillover-whole.rut.btc")
    assert whole.statistic == pytest.approx(result.whole_statistic, rel=1e-12)
    assert whole.pvalue is not None
    assert whole.pvalue >= 1 / 100


def test_system_and_weeks(inputs: Inputs) -> None:
    daily, weekly = (build(inputs, measure, "after") for measure in ("returns", "volatility"))
    assert not isinstance(daily, str)
    assert not isinstance(weekly, str)
    assert daily.names == ("Russell 2000", "S&P 500", "Bitcoin", "Ether", BASKET)
    assert daily.targets == (2, 3, 4)
    others = inputs.returns("after", ("LTC", "XRP", "ADA"))
    np.testing.assert_allclose(daily.data[1:, 4], others[1:].mean(axis=1), rtol=1e-12)
    assert len(weekly.data) == len(set((inputs.dates - np.datetime64("1970-01-05")).days // 7))
    row = 40
    stop = int(np.searchsorted(inputs.dates, weekly.dates[row])) + 1
    start = int(np.searchsorted(inputs.dates, weekly.dates[row - 1])) + 1
    assert 3 <= stop - start <= 5
    np.testing.assert_allclose(weekly.data[row, 0], np.log(np.sum(daily.data[start:stop, 0] ** 2)), rtol=1e-12)
    noisy = build(inputs, "volatility-daily", "after")
    assert not isinstance(noisy, str)
    gap = inputs.panels["after"].weekend_indicator.to_numpy(dtype=bool)
    assert abs(np.nanmean(noisy.data[gap], axis=0)).max() < 1e-10
    assert abs(np.nanmean(noisy.data[~gap], axis=0)).max() < 1e-10


def test_what_the_ledger_holds_is_what_the_results_hold(inputs: Inputs, ledger: Ledger) -> None:
    entry = ledger.entry("spillover-connectedness.volatility.after")
    result = entry.loaded()
    assert isinstance(result, SpillResult)
    assert entry.estimate == result.values["total"]
    assert ledger.entry(f"{entry.id}.net").estimate == result.values["net"]
    assert ledger.entry(f"{entry.id}.net-small").estimate == result.values["net of Russell 2000"]
    assert ledger.entry(f"{entry.id}.long-net").lower == result.band_limits["net"][0][0]
    nets = [ledger.entry(f"{entry.id}.net-{part}").estimate for part in ("small", "large", "first", "second", "others")]
    assert abs(sum(value or 0.0 for value in nets)) < 1e-9
    rolling = ledger.entry("spillover-rolling.volatility")
    path = rolling.loaded()
    assert isinstance(path, RollingConnectedness)
    dates = rolling_dates(inputs, "volatility")
    assert rolling.end == str(dates[path.ends[-1]].date())
    moving = ledger.entry("spillover-correlation.rut.btc.latest")
    light = moving.loaded()
    assert isinstance(light, DynamicCorrelation)
    assert len(light.correlation) == len(inputs.dates)
    assert moving.estimate == pytest.approx(light.path()[np.isfinite(light.path())][-1], abs=1e-4)
    assert not ledger.entry("spillover-correlation.rut.eth.latest").result


def test_the_same_draws_give_the_same_ledger(inputs: Inputs, ledger: Ledger) -> None:
    again = run_area(inputs, ("spillover-variance", "spillover-rolling"))
    for entry in again.entries:
        assert entry.to_dict() == ledger.entry(entry.id).to_dict()


def test_planted_passage_is_found_where_it_is(inputs: Inputs, repository: Path) -> None:
    n = len(inputs.dates)
    giver, receivers = passing(n, 3)
    rng = np.random.default_rng(8)
    changed = {"RUT": giver} | dict(zip(CRYPTO[:3], receivers.T, strict=True))
    changed |= {name: 0.03 * rng.standard_t(6, n) for name in CRYPTO[3:]}
    world = with_returns(inputs, changed)
    ledger = run_area(world, ("spillover-variance",))
    for name in ("spillover-variance-lead", "spillover-variance-lead-conditional"):
        standing = {entry.effect for entry in ledger.family(name) if is_significant(entry, 0.05)}
        assert standing >= set(CRYPTO[:3])
        assert all((entry.lower or 0.0) > 0 for entry in ledger.family(name) if entry.effect in CRYPTO[:3])
    assert not any(is_significant(entry, 0.05) for entry in ledger.family("spillover-variance-reverse"))
    alone = verdict(world, ledger, repository, {"lead": 0.9, "reverse": 0.9})
    assert (alone.verdict, "no return lead" in alone.because) == ("supported", True)
    together = verdict(world, ledger, repository, {"lead": 0.01, "reverse": 0.9})
    assert (together.verdict, "does not pass alone" in together.because) == ("mixed", True)


def test_nothing_gives_no_evidence(inputs: Inputs, repository: Path) -> None:
    rng = np.random.default_rng(9)
    names = ("RUT", *CRYPTO)
    world = with_returns(inputs, {name: 0.02 * rng.standard_t(6, len(inputs.dates)) for name in names})
    ledger = run_area(world, ("spillover-variance",))
    judged = verdict(world, ledger, repository, {"lead": 0.9, "reverse": 0.9})
    assert judged.verdict == "no evidence"
    assert "no causality in variance" in judged.because


def test_what_cannot_be_run_says_why(repository: Path, tmp_path: Path) -> None:
    bare = prepared(repository, tmp_path, controls=(), crypto=("BTC",))
    ledger = run_area(bare)
    for name in ("spillover-variance-lead-conditional", "spillover-variance-reverse-conditional"):
        for entry in ledger.family(name):
            assert (entry.status, "no common driver" in entry.reason) == ("inapplicable", True)
    for name in ("spillover-connectedness", "spillover-rolling"):
        for entry in ledger.family(name):
            assert (entry.status, entry.reason) == ("inapplicable", "a system needs two crypto assets at least")
    assert {entry.status for entry in ledger.family("spillover-variance-lead")} == {"ok"}
    assert verdict(bare, ledger, repository, {"lead": 0.9, "reverse": 0.9}).verdict in ("no evidence", "mixed")
    flat = with_returns(bare, {"BTC": np.zeros(len(bare.dates))})
    silent = run_area(flat, ("spillover-variance", "spillover-correlation"))
    assert {entry.status for entry in silent.entries} == {"inapplicable"}
    judged = verdict(flat, silent, repository, {"lead": 0.9, "reverse": 0.9})
    assert judged.verdict == "not testable"
