"""Small caps against large caps and by profitability, on a simulated market with known truth and with parts missing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.market import catalog as catalogs
from analysis.market import collect, snapshot
from analysis.sources.base import RawSeries
from analysis.sources.simulated import MarketSpec
from analysis.stats.exposures import shock_betas
from analysis.stats.exposures_result import ShockBetas
from analysis.study import claims, config, prepare, run, verdicts
from analysis.study.areas import smallcaps
from analysis.study.areas.smallcaps_profitability import SORTED
from analysis.study.areas.smallcaps_sensitivity import LEGS, _difference, sample_returns
from analysis.study.config import StudyConfig
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import Judgement, is_significant

DRAWS = 199
SPEC = MarketSpec(start="2018-01-01", end="2024-06-28")
# What the area reads, its stand-ins and the controls of the study: freezing the rest would take most of the time.
READ = [
    "RUT",
    "SPX",
    "SP500",
    "VIX",
    "VIXCLS",
    "DGS2",
    "DGS10",
    "BAMLH0A0HYM2",
    "BAA10Y",
    "DTWEXBGS",
    "IWM",
    "SPY",
    "BTC",
    "ETH",
    "FF_MKTRF",
    "FF_SMB",
    "FF_RMW",
    "FF_SMALL_HIOP",
    "FF_SMALL_LOOP",
]
Series = dict[str, RawSeries]


@pytest.fixture(scope="module")
def drawn(repository: Path) -> Series:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    series = collect.from_simulator(catalog, SPEC).series
    return {name: series[name] for name in READ}


@pytest.fixture(scope="module")
def study(repository: Path) -> StudyConfig:
    loaded = config.load(repository / "data" / "studies" / "default.toml")
    return loaded.model_copy(update={"areas": ("smallcaps",), "chapter": False, "crypto": ("BTC", "ETH"), "states": ()})


def market(series: Series, study: StudyConfig, repository: Path, folder: Path) -> Inputs:
    catalog = catalogs.load(repository / "data" / "catalog.toml")
    frozen = snapshot.freeze(series, catalog, root=folder, kind="simulated")
    return prepare.prepare(study, frozen, catalog)


def answer(inputs: Inputs, repository: Path) -> tuple[Ledger, dict[str, Judgement]]:
    families = [family for family in inputs.plan.families if family.calls[0].kind in smallcaps.AREA.runners]
    ledger = Ledger(tuple(entry for family in families for entry in run.run_family(family, inputs, DRAWS)))
    declared = claims.load(repository / "data" / "claims.toml")
    mine = tuple(c for c in declared.claims if c.id in (*smallcaps.SENSITIVE, *smallcaps.FROTH))
    judged = verdicts.judge(declared.model_copy(update={"claims": mine}), ledger, level=0.05, smallest_effect=0.1)
    return ledger, {item.claim: item for item in judged}


@pytest.fixture(scope="module")
def inputs(drawn: Series, study: StudyConfig, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return market(drawn, study, repository, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def found(inputs: Inputs, repository: Path) -> tuple[Ledger, dict[str, Judgement]]:
    return answer(inputs, repository)


def test_the_truth_about_volatility_and_illiquidity_is_found(found: tuple[Ledger, dict[str, Judgement]]) -> None:
    ledger, _ = found
    volatility, illiquidity = (ledger.entry(f"sensitivity.study.{name}") for name in ("volatility", "illiquidity"))
    # Daily standard deviations: risk 0.0095 times 1.2 with 0.0065 of its own, against risk with 0.0018 of its own.
    truth = np.hypot(1.2 * 0.0095, 0.0065) / np.hypot(0.0095, 0.0018)
    assert volatility.lower < truth < volatility.upper
    assert is_significant(volatility, 0.01)
    # Ten times the value is traded in the fund on large caps, and the price moves less.
    assert illiquidity.lower < 10 * truth < illiquidity.upper


def test_small_caps_move_further_with_fear_and_credit(found: tuple[Ledger, dict[str, Judgement]]) -> None:
    ledger, _ = found
    for shock in ("vix", "bamlh0a0hym2"):
        entry = ledger.entry(f"sensitivity.study.beta.{shock}")
        assert entry.lower > 0
        assert is_significant(entry, 0.05)


def test_both_betas_stand_beside_their_difference(found: tuple[Ledger, dict[str, Judgement]]) -> None:
    ledger, _ = found
    legs = {entry.id: entry for entry in ledger.family(LEGS)}
    assert len(legs) == 16
    for sample in ("study", "history"):
        entry = ledger.entry(f"sensitivity.{sample}.beta.vix")
        small, large = legs[f"{entry.id}.small"], legs[f"{entry.id}.large"]
        assert small.estimate < large.estimate < 0
        assert entry.estimate == pytest.approx(large.estimate - small.estimate)
        assert small.pvalue is None
        assert small.pvalue_adjusted is None


def test_beside_means_that_the_other_shocks_are_held_fixed(found: tuple[Ledger, dict[str, Judgement]]) -> None:
    ledger, _ = found
    alone, beside = (ledger.entry(f"sensitivity.study.{respect}.vix") for respect in ("beta", "together"))
    assert beside.given == ("DGS2", "DGS10", "BAMLH0A0HYM2")
    # Fear comes with wider spreads: held fixed, they leave less for fear to do.
    assert 0 < beside.estimate < 0.8 * alone.estimate
    result = beside.loaded()
    assert isinstance(result, ShockBetas)
    assert result.shocks == ("VIX", *beside.given)


def test_units_are_percent_and_standard_deviations(inputs: Inputs, found: tuple[Ledger, dict[str, Judgement]]) -> None:
    ledger, _ = found
    frame = sample_returns(inputs, ("RUT", "VIX"), "study").dropna()
    leg = ledger.entry("sensitivity.study.beta.vix.small")
    # The change of the VIX is nearly its own shock: response = correlation times deviation of returns in percent.
    rough = frame.corr().iloc[0, 1] * 100 * frame["RUT"].std()
    assert leg.estimate == pytest.approx(rough, rel=0.1)
    scaled = ledger.entry("sensitivity.study.scaled.vix").loaded()
    assert isinstance(scaled, ShockBetas)
    assert scaled.first[0] == pytest.approx(frame.corr().iloc[0, 1], abs=0.05)


def test_nothing_is_found_where_profits_do_not_matter(found: tuple[Ledger, dict[str, Judgement]]) -> None:
    ledger, judged = found
    for family in ("profitability-lead", "profitability-same", "profitability-lead-conditional"):
        assert not [entry for entry in ledger.family(family) if is_significant(entry, 0.05)]
    assert judged["small-more-sensitive"].verdict in {"supported", "mixed"}
    assert judged["fundamental-or-froth"].verdict == "no evidence"


def with_returns(series: Series, name: str, change: pd.Series) -> Series:
    """Add percent to a series of returns on the dates of `change`."""
    raw = series[name]
    frame = raw.frame.copy()
    frame["value"] += change.reindex(frame.index).fillna(0.0)
    return series | {name: dataclasses.replace(raw, frame=frame)}


def test_a_planted_lead_of_profitable_small_caps_supports_the_claim_for_its_asset(
    drawn: Series, study: StudyConfig, repository: Path, tmp_path: Path, inputs: Inputs
) -> None:
    """Give profitable small caps, today, a part of what crypto will do from the next bar on."""
    crypto = inputs.returns("after", ("BTC", "ETH")).mean(axis=1)
    tomorrow = pd.Series(crypto, index=inputs.dates).shift(-1)
    planted = market(with_returns(drawn, SORTED[0], 8 * tomorrow), study, repository, tmp_path)
    ledger, judged = answer(planted, repository)
    for asset in ("btc", "eth"):
        for twin in ("bivariate", "conditional"):
            assert ledger.entry(f"profitability.lead.{asset}.{twin}").lower > 0
    assert judged["fundamental-or-froth"].verdict == "supported"


def test_crypto_that_goes_with_unprofitable_small_caps_is_seen_in_the_session(
    drawn: Series, study: StudyConfig, repository: Path, tmp_path: Path, inputs: Inputs
) -> None:
    today = pd.Series(inputs.returns("after", ("BTC", "ETH")).mean(axis=1), index=inputs.dates)
    series = with_returns(with_returns(drawn, SORTED[1], 8 * today), "FF_RMW", -8 * today)
    ledger, judged = answer(market(series, study, repository, tmp_path), repository)
    assert ledger.entry("profitability.same.btc.all-sizes").lower > 0
    assert ledger.entry("profitability.same.btc.bivariate").lower > 0
    assert judged["fundamental-or-froth"].verdict == "mixed"
    assert "neither kind" in judged["fundamental-or-froth"].because


def test_predictive_loadings_are_strictly_predictive(inputs: Inputs) -> None:
    calls = [call for call in inputs.plan.calls if call.kind.startswith("profitability") and call.side == "lead"]
    assert {call.strict for call in calls} == {True}
    built = inputs.panel("after", (calls[0].effect, *SORTED))
    assert built.strict(calls[0].effect, SORTED[0])


@pytest.fixture(scope="module")
def poor(drawn: Series, study: StudyConfig, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Return a market without funds, credit spread and portfolios by profitability; the factor is there."""
    gone = {"IWM", "SPY", "BAMLH0A0HYM2", "BAA10Y", *SORTED}
    series = {name: raw for name, raw in drawn.items() if name not in gone}
    return market(series, study, repository, tmp_path_factory.mktemp("poor"))


def test_what_is_missing_is_named_and_counted(poor: Inputs, inputs: Inputs, repository: Path) -> None:
    mine = smallcaps.AREA.runners
    assert len([c for c in poor.plan.calls if c.kind in mine]) == len([c for c in inputs.plan.calls if c.kind in mine])
    ledger, judged = answer(poor, repository)
    assert ledger.entry("sensitivity.study.illiquidity").reason == "not in the data: IWM, SPY"
    assert "BAMLH0A0HYM2" in ledger.entry("sensitivity.study.beta.bamlh0a0hym2").reason
    assert "6_Portfolios_ME_OP_2x3_daily" in ledger.entry("profitability.lead.btc.bivariate").reason
    assert ledger.entry("profitability.lead.btc.all-sizes").status == "ok"
    froth, sensitive = judged["fundamental-or-froth"], judged["small-more-sensitive"]
    assert froth.verdict == "not testable"
    assert froth.because.startswith("small caps by profitability are missing")
    assert sensitive.verdict == "mixed"
    assert sensitive.because.endswith("liquidity was not compared")


def test_without_any_profitability_the_reason_names_the_files(
    drawn: Series, study: StudyConfig, repository: Path, tmp_path: Path
) -> None:
    series = {name: raw for name, raw in drawn.items() if name not in {*SORTED, "FF_RMW"}}
    _, judged = answer(market(series, study, repository, tmp_path), repository)
    froth = judged["fundamental-or-froth"]
    assert froth.verdict == "not testable"
    assert "6_Portfolios_ME_OP_2x3_daily" in froth.because
    assert "F-F_Research_Data_5_Factors_2x3_daily" in froth.because


def test_preferred_series_give_way_to_those_that_are_there(
    drawn: Series, study: StudyConfig, repository: Path, tmp_path: Path
) -> None:
    series = {name: raw for name, raw in drawn.items() if name not in {"SPX", "VIX", "BAMLH0A0HYM2"}}
    made = market(series, study, repository, tmp_path)
    ids = {call.id: call for call in made.plan.calls if call.kind == "sensitivity"}
    assert ids["sensitivity.study.volatility"].detail == "volatility/SP500"
    assert "sensitivity.study.beta.vixcls" in ids
    assert "sensitivity.study.beta.baa10y" in ids
    assert {"SP500", "VIXCLS", "BAA10Y"} <= set(made.area_series)


def test_a_carried_value_is_no_change(drawn: Series, study: StudyConfig, repository: Path, tmp_path: Path) -> None:
    raw = drawn["DGS10"]
    gone = raw.frame.index[700:702]
    short = drawn | {"DGS10": dataclasses.replace(raw, frame=raw.frame.drop(gone))}
    frame = sample_returns(market(short, study, repository, tmp_path), ("RUT", "DGS10"), "study")
    after = raw.frame.index[702]
    missing = frame.index[frame["DGS10"].isna()]
    assert [*gone, after] == [day for day in missing if gone[0] <= day <= after]
    assert frame.loc[gone, "RUT"].notna().all()


def test_the_longer_history_starts_where_its_series_do(
    drawn: Series, study: StudyConfig, repository: Path, tmp_path: Path
) -> None:
    late = study.model_copy(update={"start": pd.Timestamp("2020-06-01").date()})
    made = market(drawn, late, repository, tmp_path)
    ledger, _ = answer(made, repository)
    now, before = (ledger.entry(f"sensitivity.{sample}.volatility") for sample in ("study", "history"))
    assert now.start == "2020-06-01"
    assert before.start == "2018-01-03"
    assert before.nobs > now.nobs


def test_the_same_study_gives_the_same_bytes(
    inputs: Inputs, found: tuple[Ledger, dict[str, Judgement]], repository: Path
) -> None:
    again, _ = answer(inputs, repository)
    assert [entry.to_dict() for entry in again.entries] == [entry.to_dict() for entry in found[0].entries]


def test_a_shock_that_moves_nothing_has_no_direction(
    drawn: Series, study: StudyConfig, repository: Path, tmp_path: Path
) -> None:
    raw = drawn["DGS2"]
    frame = raw.frame.copy()
    frame["value"] = 2.0 + 0.02 * np.cumsum(np.random.default_rng(1).standard_normal(len(frame)))
    made = market(drawn | {"DGS2": dataclasses.replace(raw, frame=frame)}, study, repository, tmp_path)
    ledger, _ = answer(made, repository)
    entry = ledger.entry("sensitivity.study.beta.dgs2")
    assert entry.status == "inapplicable"
    assert "told from zero" in entry.reason
    assert ledger.entry("sensitivity.study.beta.dgs2.small").status == "ok"


def test_responses_in_opposite_directions_are_not_compared_in_size(inputs: Inputs) -> None:
    rng = np.random.default_rng(6)
    shock, one, two = rng.standard_normal((3, 400))
    family = next(item for item in inputs.plan.families if item.name == "sensitivity-study")
    call = next(item for item in family.calls if item.detail.startswith("beta/"))
    used = inputs.dates[:400]
    for beta, status in ((-0.5, "inapplicable"), (0.5, "ok")):
        result = shock_betas(shock + one, beta * shock + two, shock, bootstrap=99, rng=np.random.default_rng(1))
        assert isinstance(result, ShockBetas)
        entry = _difference(result, call, family, used, "further")
        assert entry.status == status
        assert ("opposite directions" in entry.reason) == (beta < 0)
