from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.market import calendars, snapshot, states
from analysis.market.catalog import Catalog
from analysis.sources import csvfile
from analysis.sources.base import RawSeries

SESSIONS = calendars.nyse("2019-08-01", "2021-12-31")
NAMES = {
    "near_high", "drawdown", "high_volatility", "liquidity_growing", "tight_conditions", "hiking", "cutting",
    "high_credit_spread",
}  # fmt: skip


def constant(raw: RawSeries, value: float, **changes: float) -> RawSeries:
    """A series that is flat but for single days, given as D20200305=12.0."""
    frame = raw.frame[["value"]] * 0 + value
    for day, number in changes.items():
        frame.loc[pd.Timestamp(day[1:]), "value"] = number
    return replace(raw, frame=frame)


def stepped(raw: RawSeries, day: str, low: float, high: float) -> RawSeries:
    frame = raw.frame[["value"]] * 0 + low
    frame.loc[day:, "value"] = high
    return replace(raw, frame=frame)


def first_true(built: states.States, name: str) -> str:
    column = built.frame[name]
    return str(column.index[column == 1][0].date())


def test_all_states_are_there_with_their_descriptions(frozen: snapshot.Snapshot, book: Catalog) -> None:
    built = states.build(frozen, book, SESSIONS)
    assert set(built.available) == set(built.frame.columns) == NAMES
    assert built.missing == {}
    assert built.frame.index.equals(SESSIONS.dates)
    assert set(np.unique(built.frame.to_numpy()[np.isfinite(built.frame.to_numpy())])) == {0.0, 1.0}
    for name, description in built.descriptions.items():
        assert description.name == name
        assert "close of session t-1" in description.timing
        assert description.rule
        assert set(description.series) <= set(frozen.series)
    assert "revised" in built.descriptions["tight_conditions"].notes[0]
    assert (built.frame[["hiking", "cutting"]].sum(axis=1) <= 1).all()
    assert (built.frame[["near_high", "drawdown"]].sum(axis=1) <= 1).all()


@pytest.mark.parametrize("how", ["changed", "dropped"])
@pytest.mark.parametrize("cut", ["2020-03-09", "2020-11-27", "2021-06-16"])
def test_a_state_does_not_feel_its_own_day_nor_later_ones(
    frozen: snapshot.Snapshot, world: dict[str, RawSeries], book: Catalog, freezer, cut: str, how: str
) -> None:
    other = {}
    for name, raw in world.items():
        later = raw.frame.index >= pd.Timestamp(cut)
        frame = raw.frame.loc[~later] if how == "dropped" else raw.frame.copy()
        if how == "changed":
            frame.loc[later] = frame.loc[later] * 5.0 + 1.0
        other[name] = replace(raw, frame=frame)
    first = states.build(frozen, book, SESSIONS).frame
    second = states.build(freezer(other), book, SESSIONS).frame
    pd.testing.assert_frame_equal(first.loc[:cut], second.loc[:cut])
    assert not first.loc[cut:].iloc[1:].equals(second.loc[cut:].iloc[1:])


def test_records_count_from_the_next_session(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    # Flat at 100, a fall of 5 percent on Thursday 5 March, of 10 percent from Friday to Monday.
    raw = constant(world["RUT"], 100.0, D20200305=95.0, D20200306=90.0, D20200309=90.0)
    frame = states.build(freezer({"RUT": raw}), book, SESSIONS).frame.loc["2020-03-04":"2020-03-11"]
    assert frame["near_high"].tolist() == [1, 1, 0, 0, 0, 1]
    assert frame["drawdown"].tolist() == [0, 0, 0, 1, 1, 0]


def test_the_edges_belong_to_the_states(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    data = freezer({"RUT": constant(world["RUT"], 100.0, D20200305=98.0, D20200306=97.99)})
    assert states.build(data, book, SESSIONS).frame.loc["2020-03-06":"2020-03-09", "near_high"].tolist() == [1, 0]
    wide = states.StateOptions(near_high=0.03, drawdown=0.2)
    assert states.build(data, book, SESSIONS, options=wide).frame["near_high"].all()


def test_volatility_waits_for_the_close_after_its_own(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    # Fixed on Tuesday at 16:15, after the close: public by Wednesday's close, so it conditions Thursday.
    data = freezer({"VIX": stepped(world["VIX"], "2020-03-03", 20.0, 40.0)})
    assert first_true(states.build(data, book, SESSIONS), "high_volatility") == "2020-03-05"


def test_thresholds_are_medians_of_the_past(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    rising = world["VIX"].frame.assign(value=np.arange(1.0, len(world["VIX"].frame) + 1))
    built = states.build(freezer({"VIX": replace(world["VIX"], frame=rising)}), book, SESSIONS).frame
    # Above its own past median all along; a median over the whole sample would call the first half low.
    assert (built["high_volatility"] == 1).all()


def test_history_is_required(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    sessions = calendars.nyse("2018-06-01", "2019-12-31")
    data = freezer({"RUT": world["RUT"], "VIX": world["VIX"], "NFCI": world["NFCI"]})
    built = states.build(data, book, sessions).frame
    assert int(built["near_high"].isna().sum()) == 252  # known from the close of the 252nd, so from the 253rd
    assert int(built["high_volatility"].isna().sum()) == 253
    # The 51st week ends on 17 May 2019 and is published on the 22nd.
    assert str(built["tight_conditions"].first_valid_index().date()) == "2019-05-23"
    few = states.StateOptions(min_history_sessions=20)
    assert int(states.build(data, book, sessions, options=few).frame["near_high"].isna().sum()) == 20


def test_liquidity_is_timed_by_publication_and_in_one_unit(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    # Wednesday 4 March: published Thursday 16:30, first close Friday 6 March, conditions Monday 9 March.
    steady = {"WTREGEN": constant(world["WTREGEN"], 400_000.0), "RRPONTSYD": constant(world["RRPONTSYD"], 100.0)}
    data = freezer(steady | {"WALCL": stepped(world["WALCL"], "2020-03-04", 4_000_000.0, 4_001_000.0)})
    built = states.build(data, book, SESSIONS)
    assert first_true(built, "liquidity_growing") == "2020-03-09"
    on = built.frame["liquidity_growing"]
    assert str(on.index[on == 1][-1].date()) == "2020-06-05"  # 13 weeks later the comparison has caught up
    # A rise of 1 billion in assets against a rise of 2 billion in reverse repo, which is quoted in billions.
    repo = stepped(world["RRPONTSYD"], "2020-03-04", 100.0, 102.0)
    shrinking = states.build(freezer(dict(data_of(data, world)) | {"RRPONTSYD": repo}), book, SESSIONS)
    assert not (shrinking.frame.loc[:"2020-05-29", "liquidity_growing"] == 1).any()


def data_of(data: snapshot.Snapshot, world: dict[str, RawSeries]) -> dict[str, RawSeries]:
    return {name: replace(world[name], frame=data.frame(name)) for name in data.series}


def test_conditions_credit_and_policy_rate_timing(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    data = freezer(
        {
            "NFCI": stepped(world["NFCI"], "2020-03-06", -0.5, 0.5),  # published Wednesday 11 March
            "BAMLH0A0HYM2": stepped(world["BAMLH0A0HYM2"], "2020-03-03", 3.0, 6.0),  # published Wednesday morning
            "DFF": stepped(world["DFF"], "2020-03-03", 1.0, 1.25),  # published Wednesday morning
        }
    )
    built = states.build(data, book, SESSIONS)
    assert first_true(built, "tight_conditions") == "2020-03-12"
    assert first_true(built, "high_credit_spread") == "2020-03-05"
    assert first_true(built, "hiking") == "2020-03-05"
    hiking = built.frame["hiking"]
    assert int((hiking == 1).sum()) == 63
    assert not (built.frame["cutting"] == 1).any()
    small = freezer({"DFF": stepped(world["DFF"], "2020-03-03", 1.0, 1.1)})
    assert not (states.build(small, book, SESSIONS).frame["hiking"] == 1).any()  # exactly 10 points is no hike


def test_missing_and_substituted_series_are_reported(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    data = freezer({"SPX": world["SPX"], "FF_ME_LO30": world["FF_ME_LO30"]}, missing={"WALCL": "server said no"})
    built = states.build(data, book, SESSIONS)
    assert set(built.available) == {"near_high", "drawdown"}
    assert built.descriptions["drawdown"].series == ("FF_ME_LO30",)
    assert "stands in" in built.descriptions["drawdown"].notes[0]
    assert set(built.missing) == NAMES - {"near_high", "drawdown"}
    assert "WALCL" in built.missing["liquidity_growing"]
    assert "server said no" in built.missing["liquidity_growing"]
    wealth = (1 + world["FF_ME_LO30"].frame["value"] / 100).cumprod()
    expected = (wealth <= 0.9 * wealth.cummax()).shift().reindex(SESSIONS.dates).astype(float)
    assert np.array_equal(built.frame["drawdown"], expected)


def test_bad_options_and_grids(frozen: snapshot.Snapshot, book: Catalog) -> None:
    with pytest.raises(InputError, match="near_high < drawdown"):
        states.StateOptions(near_high=0.2)
    with pytest.raises(InputError, match="`change_sessions` is too small"):
        states.StateOptions(change_sessions=0)
    with pytest.raises(InputError, match="`rate_change`"):
        states.StateOptions(rate_change=float("nan"))
    with pytest.raises(InputError, match="not on calendar days"):
        states.build(frozen, book, SESSIONS.calendar_days())
    with pytest.raises(InputError, match="no session"):
        states.build(frozen, book, calendars.nyse("2021-12-25", "2021-12-25"))


def test_real_history_has_known_regimes(shared: Path, book: Catalog, freezer) -> None:
    folder = shared / "data" / "market"
    names = ["RUT", "VIX", "NFCI", "WALCL", "WTREGEN", "RRPONTSYD", "DFF", "BAMLH0A0HYM2"]
    data = freezer({name: csvfile.read(name, folder / f"{name}.csv") for name in names})
    frame = states.build(data, book, calendars.nyse("2015-01-02", "2025-12-31")).frame
    assert frame.notna().all(axis=None)
    assert (frame.loc["2020-03-16":"2020-04-30", ["drawdown", "high_volatility"]] == 1).all(axis=None)
    assert (frame.loc["2020-04-20":"2020-05-29", "liquidity_growing"] == 1).all()
    assert (frame.loc["2022-07-01":"2022-12-30", "hiking"] == 1).all()
    assert (frame.loc["2024-11-15":"2024-12-31", "cutting"] == 1).all()
    assert (frame.loc["2024-11-26":"2024-12-05", "near_high"] == 1).all()
