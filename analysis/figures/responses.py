"""Effects with intervals, one row an asset: the estimate alone beside its conditional twin."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures.style import (
    GREY,
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


@styled
def responses(frame: pd.DataFrame, *, name: str, caption: str, unit: str, subject: str) -> FigureSpec:
    """Draw estimate and interval of every asset, alone (filled, upper) and conditional (open, lower).

    Parameters
    ----------
    frame : DataFrame
        Columns ``label``, ``twin`` ("bivariate" or "conditional"), ``estimate``, ``lower``, ``upper``; rows whose
        estimate is missing are shown as "no estimate".
    unit : str
        Label of the horizontal axis.
    subject : str
        What is estimated, for the text alternative.
    """
    labels = list(dict.fromkeys(frame["label"]))
    figure, axis = canvas(height_inches=0.7 + 0.175 * len(labels))
    zero_line(axis, vertical=True)
    for twin, color, shift in (("bivariate", NAVY, -OFFSET), ("conditional", RUST, OFFSET)):
        rows = frame[frame["twin"] == twin].set_index("label").reindex(labels)
        heights = np.arange(len(labels)) + shift
        known = rows["estimate"].notna().to_numpy()
        estimate, low, high = (rows[column].to_numpy(dtype=float) for column in ("estimate", "lower", "upper"))
        axis.hlines(heights[known], low[known], high[known], color=color, linewidth=1.3, zorder=2)
        face = color if twin == "bivariate" else "white"
        axis.scatter(estimate[known], heights[known], s=16, color=color, facecolor=face, zorder=3, linewidth=1.2)
        for height in heights[~known]:
            direct_label(axis, 0.0, height, " no estimate", GREY, fontstyle="italic")
    _name_twins(axis)
    axis.set_yticks(range(len(labels)), labels)
    axis.tick_params(axis="y", length=0, labelcolor="#22262b")
    axis.set_ylim(len(labels) - 0.45, -0.6)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", color="#eef0f3", linewidth=0.8, zorder=0)
    axis.set_axisbelow(True)
    axis.set_xlabel(unit)
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, _describe(frame, subject))


def _name_twins(axis: Axes) -> None:
    """Name the two marks once, above the rows."""
    names = ((0.01, NAVY, NAVY, "alone"), (0.13, RUST, "white", "beside the common drivers"))
    for place, color, face, text in names:
        axis.scatter([place], [1.04], s=16, color=color, facecolor=face, transform=axis.transAxes, clip_on=False)
        axis.text(place + 0.015, 1.04, text, color=color, fontsize=8.5, fontweight="semibold", va="center",
                  transform=axis.transAxes)  # fmt: skip


def _describe(frame: pd.DataFrame, subject: str) -> str:
    """Say in words how many intervals lie above, below and across zero."""
    parts = []
    for twin, words in (("bivariate", "alone"), ("conditional", "beside the common drivers")):
        rows = frame[(frame["twin"] == twin) & frame["estimate"].notna()]
        if rows.empty:
            parts.append(f"no estimate exists {words}")
            continue
        above = rows.loc[rows["lower"] > 0, "label"].tolist()
        below = rows.loc[rows["upper"] < 0, "label"].tolist()
        across = len(rows) - len(above) - len(below)
        text = f"{words}, {across} of {len(rows)} intervals include zero"
        text += f"; above zero: {word_list(above)}" if above else ""
        text += f"; below zero: {word_list(below)}" if below else ""
        parts.append(text)
    return f"{subject}, one row for each asset with estimate and 95% interval: " + "; ".join(parts) + "."
