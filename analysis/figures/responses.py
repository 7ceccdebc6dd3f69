"""Effects with intervals, one row an asset: the estimate alone beside its conditional twin."""

from __future__ import annotations

import numpy as np
import pandas as pd

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
    figure, axis = canvas(height_inches=0.75 + 0.2 * len(labels))
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
    _label_twins(axis, frame, labels[0])
    axis.set_yticks(range(len(labels)), labels)
    axis.tick_params(axis="y", length=0, labelcolor="#22262b")
    axis.set_ylim(len(labels) - 0.45, -1.15)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", color="#eef0f3", linewidth=0.8, zorder=0)
    axis.set_axisbelow(True)
    axis.set_xlabel(unit)
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, _describe(frame, subject))


def _label_twins(axis: object, frame: pd.DataFrame, first: str) -> None:
    """Name the two marks once, above the first row that has both."""
    rows = frame[(frame["label"] == first) & frame["estimate"].notna()].set_index("twin")
    if "bivariate" in rows.index:
        x = float(rows.loc["bivariate", "estimate"])
        direct_label(axis, x, -0.72, "alone", NAVY, ha="center", fontweight="semibold")  # type: ignore[arg-type]
    if "conditional" in rows.index:
        x = float(rows.loc["conditional", "upper"])
        text = "  beside common drivers"
        direct_label(axis, x, OFFSET, text, RUST, ha="left", fontweight="semibold")  # type: ignore[arg-type]


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
