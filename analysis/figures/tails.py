"""Falls against rises, one row an asset: marks with intervals in panels side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures.style import GREY, INK, NAVY, PALE, RUST, FigureSpec, canvas, styled, to_svg, zero_line

_OFFSET = 0.17
_TICK = 0.3


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its key in the data, its title and axis label, and the names of its filled and its open mark."""

    key: str
    title: str
    unit: str
    filled: str
    open: str


@styled
def contrasts(frame: pd.DataFrame, panels: Sequence[Panel], *, name: str, caption: str) -> FigureSpec:
    """Draw two marks a row and panel, each with its interval, and a tick where a symmetric link of equal strength lies.

    Parameters
    ----------
    frame : DataFrame
        Columns ``label``, ``panel``, ``kind`` ("filled" or "open"), ``estimate``, ``lower``, ``upper``, ``yardstick``
        (missing where there is none); a row without an estimate is shown as "none".
    panels : sequence of Panel
    """
    labels = list(dict.fromkeys(frame["label"]))
    figure, axes = canvas(1, len(panels), height_inches=1.05 + 0.21 * len(labels), sharey=True, squeeze=False)
    for axis, panel in zip(axes[0], panels, strict=True):
        _draw(axis, frame[frame["panel"] == panel.key], labels, panel)
    first: Axes = axes[0][0]
    first.set_yticks(range(len(labels)), labels)
    first.set_ylim(len(labels) - 0.45, -0.6)
    alt = " ".join(_describe(frame[frame["panel"] == panel.key], panel) for panel in panels)
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)


def _draw(axis: Axes, frame: pd.DataFrame, labels: list[str], panel: Panel) -> None:
    zero_line(axis, vertical=True)
    heights = np.arange(len(labels), dtype=float)
    for kind, color, shift in (("filled", RUST, -_OFFSET), ("open", NAVY, _OFFSET)):
        rows = frame[frame["kind"] == kind].set_index("label").reindex(labels)
        estimate, low, high = (rows[column].to_numpy(dtype=float) for column in ("estimate", "lower", "upper"))
        known = np.isfinite(estimate)
        axis.hlines((heights + shift)[known], low[known], high[known], color=color, linewidth=1.3, zorder=2)
        face = color if kind == "filled" else "white"
        axis.scatter(estimate[known], (heights + shift)[known], s=15, color=color, facecolor=face, zorder=3)
        for height in (heights + shift)[~known]:
            axis.annotate("none", (0.0, height), color=GREY, fontsize=7.5, fontstyle="italic", va="center")
        yardstick = rows["yardstick"].to_numpy(dtype=float)
        axis.vlines(yardstick, heights - _TICK, heights + _TICK, color=INK, linewidth=0.9, linestyle=":", zorder=1)
    axis.set_title(panel.title, pad=24)
    for place, color, face, text in ((0.02, RUST, RUST, panel.filled), (0.5, NAVY, "white", panel.open)):
        axis.scatter([place], [1.05], s=15, color=color, facecolor=face, transform=axis.transAxes, clip_on=False)
        axis.text(place + 0.04, 1.05, text, color=color, fontsize=8.0, fontweight="semibold", va="center",
                  transform=axis.transAxes)  # fmt: skip
    axis.tick_params(axis="y", length=0, labelcolor=INK)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", color=PALE, linewidth=0.8, zorder=0)
    axis.set_axisbelow(True)
    axis.set_xlabel(panel.unit)


def _describe(frame: pd.DataFrame, panel: Panel) -> str:
    """Say in words for how many rows the filled mark lies beyond the open one."""
    wide = frame.pivot_table(index="label", columns="kind", values="estimate", aggfunc="first", sort=False)
    if not {"filled", "open"} <= set(wide.columns):
        return f"{panel.title}: no row has both estimates."
    both = wide.dropna()
    larger = int((both["filled"] > both["open"]).sum())
    return (
        f"{panel.title}, one row for each asset with estimate and interval: {panel.filled} lies above {panel.open} in "
        f"{larger} of {len(both)} rows; from {both['filled'].min():.2f} to {both['filled'].max():.2f} against "
        f"{both['open'].min():.2f} to {both['open'].max():.2f}."
    )
