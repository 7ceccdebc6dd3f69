"""Average path after record highs against matched dates, with the band in which placebo calendars stay."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures.style import GREY, LIGHT, NAVY, FigureSpec, canvas, direct_label, styled, to_svg

# Marked horizons: a month, a quarter, half a year.
TICKS = (21, 63, 126)


@styled
def paths(frame: pd.DataFrame, *, name: str, caption: str, level: str) -> FigureSpec:
    """Draw one panel an asset.

    Parameters
    ----------
    frame : DataFrame
        Columns ``label``, ``offset`` (sessions), ``average``, ``matched``, ``lower``, ``upper`` (percent) and ``nobs``.
        The band runs from ``lower`` to ``upper`` around ``matched``.
    level : str
        Level of the band as text.
    """
    labels = list(dict.fromkeys(frame["label"]))
    figure, axes = canvas(1, len(labels), height_inches=2.3, squeeze=False)
    parts = []
    for axis, label in zip(axes[0], labels, strict=True):
        rows = frame[frame["label"] == label].sort_values("offset")
        _panel(axis, rows, label)
        parts.append(_describe(rows, label))
    axes[0][0].set_ylabel("Cumulative return, percent (log)")
    alt = (
        "Average cumulative return after record highs of small caps, that of matched dates, and the band that holds "
        f"{level} of placebo calendars. " + " ".join(parts)
    )
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)


def _panel(axis: Axes, rows: pd.DataFrame, label: str) -> None:
    columns = ("offset", "average", "matched", "lower", "upper")
    offset, average, matched, lower, upper = (np.r_[0.0, rows[column].to_numpy(dtype=float)] for column in columns)
    axis.hlines(0.0, 0.0, offset[-1], color=GREY, linewidth=0.8, zorder=1)
    axis.fill_between(offset, lower, upper, color=LIGHT, alpha=0.55, linewidth=0, zorder=0)
    axis.plot(offset, matched, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)))
    axis.plot(offset, average, color=NAVY, linewidth=1.6)
    last = offset[-1]
    axis.set_xlim(0, last * 1.28)
    axis.set_xticks([0, *(tick for tick in TICKS if tick <= last)])
    apart = 0.17 * (float(upper.max()) - float(lower.min()))
    above = apart / 2 if average[-1] >= matched[-1] else -apart / 2
    shift = above if abs(average[-1] - matched[-1]) < apart else 0.0
    direct_label(axis, last * 1.02, average[-1] + shift, "after\nrecords", NAVY)
    direct_label(axis, last * 1.02, matched[-1] - shift, "matched\ndates", GREY)
    axis.annotate("placebo band", (last * 0.98, float(upper[-1])), color=GREY, fontsize=8, ha="right", va="bottom",
                  fontstyle="italic")  # fmt: skip
    first, final = int(rows["nobs"].iloc[0]), int(rows["nobs"].iloc[-1])
    count = f"{first} episodes" if first == final else f"{first} to {final} episodes"
    axis.set_title(f"{label} ({count})")
    axis.set_xlabel("Sessions after the record close")


def _describe(rows: pd.DataFrame, label: str) -> str:
    last = rows.iloc[-1]
    outside = (rows["average"] > rows["upper"]) | (rows["average"] < rows["lower"])
    share = (
        f"leaves the band at {outside.mean():.0%} of sessions" if outside.any() else "stays inside the band throughout"
    )
    return (
        f"{label}: after {last['offset']:.0f} sessions {last['average']:.0f} percent against "
        f"{last['matched']:.0f} percent after matched dates; the path {share}."
    )
