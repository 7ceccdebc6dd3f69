"""The price path with its record highs marked, on closes and intraday."""

from __future__ import annotations

import pandas as pd

from analysis.figures.style import GREY, LIGHT, NAVY, RUST, FigureSpec, canvas, direct_label, styled, to_svg


@styled
def records(frame: pd.DataFrame, *, name: str, caption: str, label: str, marks: list[tuple[str, str]]) -> FigureSpec:
    """Draw closes, the running record close, and a tick at every record close.

    Parameters
    ----------
    frame : DataFrame
        Columns ``date``, ``close``, ``running`` (highest close so far), ``record_close``, ``record_intraday`` (bool).
    marks : list of (date, text)
        Days to be named in the picture.
    """
    figure, axis = canvas(height_inches=2.2)
    dates = pd.to_datetime(frame["date"])
    axis.plot(dates, frame["running"], color=LIGHT, linewidth=1.0, zorder=1)
    axis.plot(dates, frame["close"], color=NAVY, linewidth=0.9, zorder=2)
    floor = float(frame["close"].min()) * 0.94
    at_close = dates[frame["record_close"].to_numpy(dtype=bool)]
    axis.vlines(at_close, floor * 0.97, floor, color=NAVY, linewidth=0.5)
    only = frame["record_intraday"].to_numpy(dtype=bool) & ~frame["record_close"].to_numpy(dtype=bool)
    axis.vlines(dates[only], floor * 0.97, floor, color=RUST, linewidth=0.9)
    by_date = frame.set_index("date")["close"]
    for day, text in marks:
        if day in by_date.index:
            value = float(by_date[day])
            axis.scatter([pd.Timestamp(day)], [value], s=16, color=RUST, zorder=3)
            position = {"xytext": (-6, 10), "textcoords": "offset points", "ha": "right"}
            direct_label(axis, pd.Timestamp(day), value, text, RUST, **position)
    axis.set_ylim(bottom=floor * 0.955)
    axis.annotate("ticks: record closes", (0.005, 0.075), xycoords="axes fraction", color=NAVY, fontsize=8)
    axis.set_ylabel(f"{label}, index points")
    axis.grid(axis="y", color="#eef0f3", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(axis="x", labelcolor=GREY)
    alt = (
        f"Closing prices of the {label} from {frame['date'].iloc[0]} to {frame['date'].iloc[-1]} with the running "
        f"record; {len(at_close)} days are record closes and {int(only.sum())} further days set a record within the "
        "session only. " + " ".join(f"{text}." for _, text in marks)
    )
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)
