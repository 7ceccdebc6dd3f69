"""Net connectedness with limits, connectedness in moving windows, and the path of a correlation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures.style import (
    GREY,
    LIGHT,
    NAVY,
    RUST,
    FigureSpec,
    canvas,
    direct_label,
    styled,
    to_svg,
    word_list,
    zero_line,
)

OFFSET = 0.17
_CLOCKS = (("after", NAVY, -OFFSET), ("before", RUST, OFFSET))
_CLOCK_WORDS = {"after": "crypto day ends after the close", "before": "crypto day ended before the close"}
_MARK_WORDS = {"after": "crypto day ends after the close", "before": "ended before it"}
_BAND = "#d5dce6"


@styled
def net(frame: pd.DataFrame, *, name: str, caption: str) -> FigureSpec:
    """Draw the net connectedness of every series, one panel a measure, under both clocks.

    Parameters
    ----------
    frame : DataFrame
        Columns ``measure`` (panel title), ``label``, ``clock`` ("after" or "before"), ``estimate``, ``lower``,
        ``upper`` in percent.
    """
    measures, labels = (list(dict.fromkeys(frame[column])) for column in ("measure", "label"))
    figure, axes = canvas(1, len(measures), height_inches=0.95 + 0.26 * len(labels), sharey=True, squeeze=False)
    for axis, measure in zip(axes[0], measures, strict=True):
        _net_panel(axis, frame[frame["measure"] == measure], labels)
        axis.set_title(measure, pad=18)
        axis.set_xlabel("Given less received, percent")
    axes[0][0].set_yticks(range(len(labels)), labels)
    axes[0][0].set_ylim(len(labels) - 0.45, -0.6)
    _name_clocks(axes[0][0])
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, _describe_net(frame))


def _net_panel(axis: Axes, rows: pd.DataFrame, labels: list[str]) -> None:
    zero_line(axis, vertical=True)
    for clock, color, shift in _CLOCKS:
        part = rows[rows["clock"] == clock].set_index("label").reindex(labels)
        heights = np.arange(len(labels)) + shift
        estimate, low, high = (part[column].to_numpy(dtype=float) for column in ("estimate", "lower", "upper"))
        axis.hlines(heights, low, high, color=color, linewidth=1.3, zorder=2)
        face = color if clock == "after" else "white"
        axis.scatter(estimate, heights, s=16, color=color, facecolor=face, zorder=3, linewidth=1.2)
    axis.tick_params(axis="y", length=0, labelcolor="#22262b")
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", color="#eef0f3", linewidth=0.8, zorder=0)
    axis.set_axisbelow(True)


def _name_clocks(axis: Axes) -> None:
    """Name the two marks once, above the first panel."""
    for (clock, color, _), place in zip(_CLOCKS, (0.0, 0.78), strict=True):
        face = color if clock == "after" else "white"
        axis.scatter([place], [1.06], s=16, color=color, facecolor=face, transform=axis.transAxes, clip_on=False)
        axis.text(place + 0.03, 1.06, _MARK_WORDS[clock], color=color, fontsize=8, va="center",
                  transform=axis.transAxes)  # fmt: skip


def _describe_net(frame: pd.DataFrame) -> str:
    parts = []
    for (measure, clock), rows in frame.groupby(["measure", "clock"], sort=False):
        above = rows.loc[rows["lower"] > 0, "label"].tolist()
        below = rows.loc[rows["upper"] < 0, "label"].tolist()
        found = [f"above zero: {word_list(above)}"] if above else []
        found += [f"below zero: {word_list(below)}"] if below else []
        words = "; ".join(found) or "every interval includes zero"
        parts.append(f"{str(measure).lower()}, {_CLOCK_WORDS[str(clock)]}: {words}")
    return "Net connectedness of each series with 95% intervals. " + ". ".join(parts) + "."


@styled
def correlation(frame: pd.DataFrame, *, name: str, caption: str, asset: str, small: str) -> FigureSpec:
    """Draw the path of a correlation with its pointwise band.

    Parameters
    ----------
    frame : DataFrame
        Columns ``date`` (ISO text), ``estimate``, ``lower``, ``upper`` (missing where there is no band).
    """
    figure, axis = canvas(height_inches=1.8)
    dates = pd.to_datetime(frame["date"]).to_numpy()
    path, low, high = (frame[column].to_numpy(dtype=float) for column in ("estimate", "lower", "upper"))
    if np.isfinite(low).any():
        axis.fill_between(dates, low, high, color=_BAND, linewidth=0)
    zero_line(axis, vertical=False)
    axis.plot(dates, path, color=NAVY, linewidth=1.0)
    mean = float(path.mean())
    axis.axhline(mean, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    axis.annotate("mean", (0.0, mean), xycoords=("axes fraction", "data"), color=GREY, fontsize=8, va="bottom")
    axis.set_ylabel("Correlation")
    axis.set_title(f"{small} and {asset}")
    peak, trough = int(np.argmax(path)), int(np.argmin(path))
    days = frame["date"].to_numpy()
    alt = (
        f"Line of the correlation between {small} and {asset} over time, from {path[trough]:.2f} on {days[trough]} to "
        f"{path[peak]:.2f} on {days[peak]}, last {path[-1]:.2f}, mean {mean:.2f}; a shaded band shows the uncertainty "
        "of the parameters."
    )
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)


@styled
def rolling(frame: pd.DataFrame, *, name: str, caption: str) -> FigureSpec:
    """Draw total connectedness of two measures over window ends, with intervals at some of them.

    Parameters
    ----------
    frame : DataFrame
        Columns ``measure``, ``date`` (ISO text), ``estimate``, ``lower``, ``upper`` (missing where no interval).
    """
    figure, axis = canvas(height_inches=1.9)
    parts = []
    for (measure, rows), color in zip(frame.groupby("measure", sort=False), (NAVY, RUST), strict=False):
        dates = pd.to_datetime(rows["date"]).to_numpy()
        total, low, high = (rows[column].to_numpy(dtype=float) for column in ("estimate", "lower", "upper"))
        axis.plot(dates, total, color=color, linewidth=1.1)
        known = np.isfinite(low)
        axis.vlines(dates[known], low[known], high[known], color=color, linewidth=1.0)
        axis.scatter(dates[known], total[known], s=9, color=color, zorder=3)
        direct_label(axis, dates[-1], float(total[-1]), f"  {measure}", color)
        parts.append(f"{measure}: from {total.min():.0f} to {total.max():.0f} percent, last {total[-1]:.0f}")
    axis.set_ylim(0, 100)
    axis.grid(axis="y", color=LIGHT, linewidth=0.4)
    axis.set_ylabel("Total, percent")
    axis.margins(x=0.12)
    alt = "Lines of total connectedness over window ends, with 95% intervals at some. " + "; ".join(parts) + "."
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)
