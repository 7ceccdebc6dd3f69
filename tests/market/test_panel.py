from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError, InputError, SnapshotError
from analysis.market import panel, snapshot
from analysis.market.catalog import Catalog
from analysis.sources import csvfile
from analysis.sources.base import RawSeries

SPAN = {"start": "2019-01-02", "end": "2021-12-31"}
MODES = [(clock, weekend) for clock in ("before", "after") for weekend in ("compound", "drop", "calendar")]
# The half day of 26 November, a Friday, a Monday, a Sunday and the last day of summer time.
CUTS = ("2021-11-26", "2020-03-06", "2020-03-09", "2020-11-01", "2020-10-30")


def build(data: snapshot.Snapshot, book: Catalog, **options: object) -> panel.Panel:
    wanted = {"ids": data.series, "clock": "after"} | SPAN | options
    return panel.build(data, book, **wanted)


def changed_after(world: dict[str, RawSeries], last_day: str, how: str) -> dict[str, RawSeries]:
    """Change or drop everything dated after a day; a start-of-day stamp belongs to the day before."""
    result = {}
    for name, raw in world.items():
        last = pd.Timestamp(last_day) + pd.Timedelta(days=int(name == "BTC_COINMETRICS_2019"))
        later = raw.frame.index > last
        frame = raw.frame.loc[~later] if how == "dropped" else raw.frame.copy()
        if how == "changed":
            frame.loc[later] = frame.loc[later] * 1.7 + 3.0
        assert later.any()
        result[name] = replace(raw, frame=frame)
    return result


@pytest.mark.parametrize("how", ["changed", "dropped"])
@pytest.mark.parametrize("cut", CUTS)
def test_nothing_in_the_panel_moves_when_the_future_does(
    frozen: snapshot.Snapshot, world: dict[str, RawSeries], book: Catalog, freezer, cut: str, how: str
) -> None:
    other = freezer(changed_after(world, cut, how))
    for clock, weekend in MODES:
        first = build(frozen, book, clock=clock, weekend=weekend)
        second = build(other, book, clock=clock, weekend=weekend)
        for part in ("levels", "returns", "instants", "stale"):
            left, right = getattr(first, part), getattr(second, part)
            pd.testing.assert_frame_equal(left.loc[:cut], right.loc[:cut], obj=f"{part} {clock} {weekend}")
        after = first.levels.loc[cut:].iloc[2:]
        assert not after.equals(second.levels.loc[cut:].iloc[2:])


def test_clock_and_weekend_rules_by_hand(frozen: snapshot.Snapshot, world: dict[str, RawSeries], book: Catalog) -> None:
    price = np.log(world["BTC"].frame["value"])
    day = pd.Timestamp
    before = build(frozen, book, clock="before").returns["BTC"]
    after = build(frozen, book, clock="after").returns["BTC"]
    # Thursday to Friday, Friday to Monday, and over Thanksgiving to the half day.
    assert after["2021-11-19"] == pytest.approx(price[day("2021-11-19")] - price[day("2021-11-18")])
    assert before["2021-11-19"] == pytest.approx(price[day("2021-11-18")] - price[day("2021-11-17")])
    assert after["2021-11-22"] == pytest.approx(price[day("2021-11-22")] - price[day("2021-11-19")])
    assert before["2021-11-22"] == pytest.approx(price[day("2021-11-21")] - price[day("2021-11-18")])
    assert after["2021-11-26"] == pytest.approx(price[day("2021-11-26")] - price[day("2021-11-24")])
    dropped = build(frozen, book, clock="after", weekend="drop").returns["BTC"]
    assert dropped["2021-11-19"] == after["2021-11-19"]
    assert dropped["2021-11-22"] == pytest.approx(price[day("2021-11-22")] - price[day("2021-11-21")])
    assert dropped["2021-11-26"] == pytest.approx(price[day("2021-11-26")] - price[day("2021-11-25")])
    early = build(frozen, book, clock="before", weekend="drop").returns["BTC"]
    assert early["2021-11-22"] == pytest.approx(price[day("2021-11-21")] - price[day("2021-11-20")])


def test_equity_returns_are_the_same_under_every_rule_but_rest_on_closed_days(
    frozen: snapshot.Snapshot, world: dict[str, RawSeries], book: Catalog
) -> None:
    expected = np.log(world["RUT"].frame["value"]).diff().loc[SPAN["start"] : SPAN["end"]]
    for clock, weekend in MODES:
        built = build(frozen, book, clock=clock, weekend=weekend)
        if weekend == "calendar":
            assert (built.returns["RUT"][built.weekend_indicator] == 0).all()
            assert built.returns["RUT"][~built.weekend_indicator].to_numpy() == pytest.approx(expected.to_numpy())
        else:
            assert built.returns["RUT"].to_numpy() == pytest.approx(expected.to_numpy())


def test_calendar_days_compound_to_the_session_returns(frozen: snapshot.Snapshot, book: Catalog) -> None:
    days = build(frozen, book, weekend="calendar")
    sessions = build(frozen, book, weekend="compound")
    assert len(days.dates) == len(pd.date_range(SPAN["start"], SPAN["end"]))
    assert int((~days.weekend_indicator).sum()) == len(sessions.dates)
    total = days.returns[["BTC", "CBBTCUSD", "RUT"]].cumsum().loc[sessions.dates].diff().iloc[1:]
    pd.testing.assert_frame_equal(total, sessions.returns[list(total)].iloc[1:], check_freq=False)


def test_indicator_marks_mondays_without_calendar_days(frozen: snapshot.Snapshot, book: Catalog) -> None:
    marks = build(frozen, book).weekend_indicator
    assert marks["2021-11-22"]
    assert marks["2021-11-26"]
    assert not marks["2021-11-23"]
    assert 0.2 < marks.mean() < 0.25


def test_which_leads_are_strict(frozen: snapshot.Snapshot, book: Catalog) -> None:
    before, after = build(frozen, book, clock="before"), build(frozen, book, clock="after")
    assert after.strict("BTC", "RUT")
    assert not after.strict("RUT", "BTC")
    assert before.strict("RUT", "BTC")
    assert not before.strict("BTC", "RUT")
    # 16:00 to 00:00 UTC is at most 4 hours in summer; 13:00 on a half day leaves 7.
    assert after.overlap_hours("RUT", "BTC") == 7.0
    assert before.overlap_hours("BTC", "RUT") == 21.0
    assert after.overlap_hours("RUT", "VIX") == 0.25
    assert after.strict("BTC", "NFCI")
    assert after.strict("RUT", "SPX")
    with pytest.raises(InputError, match=r"no such series. Given: GOLD"):
        after.strict("RUT", "GOLD")


def test_start_of_day_stamps_are_put_right(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    shifted = world["BTC"].frame.set_axis(world["BTC"].frame.index + pd.Timedelta(days=1), axis=0)
    twin = replace(world["BTC_COINMETRICS_2019"], frame=shifted.rename_axis("date"))
    data = freezer({"BTC": world["BTC"], "BTC_COINMETRICS_2019": twin})
    for clock, weekend in MODES:
        built = build(data, book, clock=clock, weekend=weekend)
        assert built.returns["BTC"].equals(built.returns["BTC_COINMETRICS_2019"].rename("BTC")), (clock, weekend)


def test_weekly_series_move_on_their_publication_day_only(frozen: snapshot.Snapshot, book: Catalog) -> None:
    built = build(frozen, book)
    moves = built.returns["NFCI"]
    assert moves.notna().all()
    assert set(moves.index[moves != 0].day_name()) <= {"Wednesday", "Thursday"}
    assert built.levels["WALCL"].iloc[50] == pytest.approx(
        frozen.frame("WALCL")["value"].loc[: built.dates[50] - pd.Timedelta(days=2)].iloc[-1] / 1000
    )


def test_first_return_needs_no_earlier_row_in_the_panel(frozen: snapshot.Snapshot, book: Catalog) -> None:
    short = build(frozen, book, start="2020-06-01")
    long = build(frozen, book)
    pd.testing.assert_frame_equal(short.returns, long.returns.loc["2020-06-01":])
    assert short.returns.iloc[0].notna().all()


def test_levels_end_with_the_data(frozen: snapshot.Snapshot, book: Catalog) -> None:
    built = build(frozen, book, start="2022-03-01", end="2022-06-30")
    assert built.returns.loc["2022-04-15":, ["RUT", "BTC", "VIX", "DGS10"]].isna().all(axis=None)
    assert built.instants["BTC"].isna().sum() == built.levels["BTC"].isna().sum() > 50


def test_bad_requests(frozen: snapshot.Snapshot, book: Catalog) -> None:
    for options, words in [
        ({"ids": ["RUT", "IXIC"]}, "Given: IXIC.*no file.*Catalog.resolve"),
        ({"ids": ["RUT", "RUT"]}, "twice"),
        ({"ids": "RUT"}, "must be a list"),
        ({"ids": []}, "must be a list"),
        ({"clock": "noon"}, "Allowed: before, after"),
        ({"weekend": "skip"}, "Allowed: compound, drop, calendar"),
        ({"start": "2021-11-27", "end": "2021-11-28"}, "no session"),
    ]:
        with pytest.raises(InputError, match=words):
            build(frozen, book, **options)


def test_a_price_of_zero_is_named(world: dict[str, RawSeries], book: Catalog, freezer) -> None:
    frame = world["BTC"].frame.copy()
    frame.loc["2020-05-05"] = 0.0
    with pytest.raises(DataError, match="BTC holds a level of zero"):
        build(freezer({"BTC": replace(world["BTC"], frame=frame)}), book)


def test_real_vendors_agree_once_their_clocks_are_declared(shared: Path, book: Catalog, freezer) -> None:
    folder = shared / "data" / "market"
    names = ["RUT", "BTC", "BTC_COINMETRICS_2019", "IWM"]
    data = freezer({name: csvfile.read(name, folder / f"{name}.csv") for name in names})
    built = panel.build(data, book, ids=names, start="2015-01-02", end="2019-03-28", clock="after")
    correlation = built.returns.corr()
    assert correlation.loc["BTC", "BTC_COINMETRICS_2019"] > 0.99
    assert correlation.loc["RUT", "IWM"] > 0.99
    assert built.returns[["RUT", "BTC"]].notna().all(axis=None)
    with pytest.raises(SnapshotError, match="no such series"):
        data.frame("ETH")
