"""The rolling response of one asset with its band, the stretches between breaks, and the declared events."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures.style import GREY, LIGHT, NAVY, RUST, FigureSpec, canvas, styled, to_svg, word_list, zero_line

_GAP_DAYS = 30


@styled
def rolling_breaks(
    path: pd.DataFrame,
    stretches: pd.DataFrame,
    breaks: pd.DataFrame,
    events: pd.DataFrame,
    *,
    name: str,
    caption: str,
    asset: str,
) -> FigureSpec:
    """Draw the path of a response over time.

    Parameters
    ----------
    path : DataFrame
        Columns ``date`` (ISO text, end of the window), ``estimate``, ``lower``, ``upper``.
    stretches : DataFrame
        Columns ``start``, ``end`` (ISO text), ``estimate``: the response between breaks.
    breaks : DataFrame
        Columns ``date``, ``first``, ``last`` (ISO text): a break and the interval of its date; may be empty.
    events : DataFrame
        Columns ``date`` (ISO text), ``number`` (text); may be empty.
    """
    figure, axis = canvas(height_inches=2.5)
    zero_line(axis, vertical=False)
    _draw_path(axis, path)
    for row in breaks.itertuples():
        first, last = pd.Timestamp(str(row.first)), pd.Timestamp(str(row.last))
        axis.axvspan(first, last, color=RUST, alpha=0.16, linewidth=0, zorder=0)
        axis.axvline(pd.Timestamp(str(row.date)), color=RUST, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    for row in stretches.itertuples():
        axis.hlines(float(str(row.estimate)), pd.Timestamp(str(row.start)), pd.Timestamp(str(row.end)), color=RUST,
                    linewidth=1.5, zorder=3)  # fmt: skip
    _mark_events(axis, events)
    _name_lines(axis, bool(len(breaks)))
    axis.set_ylabel(f"{asset}, percent per percent\nof small caps")
    return FigureSpec(name, to_svg(figure), _data(path, stretches, breaks, events), caption,
                      _describe(path, stretches, breaks, events, asset))  # fmt: skip


def _draw_path(axis: Axes, path: pd.DataFrame) -> None:
    """Draw band and line; both pause where windows are missing."""
    dates = pd.to_datetime(path["date"]).to_numpy()
    gaps = np.flatnonzero(np.diff(dates) > np.timedelta64(_GAP_DAYS, "D")) + 1
    for run in np.split(np.arange(len(dates)), gaps):
        part = path.iloc[run]
        axis.fill_between(dates[run], part["lower"], part["upper"], color=NAVY, alpha=0.14, linewidth=0)
        axis.plot(dates[run], part["estimate"], color=NAVY, linewidth=1.3, zorder=2)


def _mark_events(axis: Axes, events: pd.DataFrame) -> None:
    """Tick the declared events above the path; numbers that would touch stand one above the other."""
    previous, raised = None, False
    span = float(np.diff(axis.get_xlim())[0])
    for row in events.itertuples():
        when = pd.Timestamp(str(row.date))
        axis.axvline(when, color=LIGHT, linewidth=0.8, zorder=0)
        near = previous is not None and (when - previous).days < span / 50
        raised = near and not raised
        axis.annotate(str(row.number), (when, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 9 if raised else 1),
                      textcoords="offset points", color=GREY, fontsize=8, ha="center", va="bottom")  # fmt: skip
        previous = when


def _name_lines(axis: Axes, broken: bool) -> None:
    words = [(NAVY, "moving window with 95% band"), (RUST, "between breaks" if broken else "whole sample")]
    if broken:
        words.append((RUST, "shaded: 95% interval of the date"))
    for position, (color, text) in enumerate(words):
        axis.annotate(text, (0.012, 0.97 - 0.075 * position), xycoords="axes fraction", color=color, fontsize=8.5,
                      va="top", fontweight="semibold" if position < 2 else "normal")  # fmt: skip


def _data(path: pd.DataFrame, stretches: pd.DataFrame, breaks: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return everything that is drawn, one kind of mark after the other."""
    parts = [
        path.assign(mark="window"),
        stretches.assign(mark="stretch"),
        breaks.assign(mark="break"),
        events.assign(mark="event"),
    ]
    columns = ["mark", "date", "estimate", "lower", "upper", "start", "end", "first", "last", "number"]
    rows = [record for part in parts for record in part.to_dict("records")]
    return pd.DataFrame(rows, columns=columns)


def _describe(
    path: pd.DataFrame, stretches: pd.DataFrame, breaks: pd.DataFrame, events: pd.DataFrame, asset: str
) -> str:
    low, high = path.loc[path["estimate"].idxmin()], path.loc[path["estimate"].idxmax()]
    text = (
        f"Line over time, the same-session response of {asset} to small caps in a moving window with its 95% band: "
        f"lowest {low['estimate']:.2f} in the window that ends {low['date']}, highest {high['estimate']:.2f} on "
        f"{high['date']}. "
    )
    levels = [f"{float(row.estimate):.2f} from {row.start} to {row.end}" for row in stretches.itertuples()]
    text += f"Between breaks: {'; '.join(levels)}. " if levels else ""
    dates = [f"{row.date} (interval {row.first} to {row.last})" for row in breaks.itertuples()]
    text += f"Breaks after {word_list(dates)}. " if dates else "No break is drawn. "
    return text + f"{len(events)} declared events are marked by numbers."
