"""Correlation inside and outside of each state, with the interval of each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.figures.style import GREY, INK, NAVY, FigureSpec, canvas, direct_label, styled, to_svg, zero_line


@styled
def state_contrast(frame: pd.DataFrame, *, name: str, caption: str, asset: str) -> FigureSpec:
    """Draw two marks a state: correlation while it holds (filled) and while it does not (open).

    Parameters
    ----------
    frame : DataFrame
        Columns ``label``, ``inside``, ``inside_lower``, ``inside_upper``, ``outside``, ``outside_lower``,
        ``outside_upper``, ``p_text``.
    """
    figure, axis = canvas(height_inches=0.8 + 0.26 * len(frame))
    zero_line(axis, vertical=True)
    heights = np.arange(len(frame), dtype=float)
    for kind, color, face, shift in (("inside", NAVY, NAVY, -0.14), ("outside", GREY, "white", 0.14)):
        axis.hlines(heights + shift, frame[f"{kind}_lower"], frame[f"{kind}_upper"], color=color, linewidth=1.4)
        axis.scatter(frame[kind], heights + shift, s=16, color=color, facecolor=face, zorder=3, linewidth=1.2)
    right = float(frame[["inside_upper", "outside_upper"]].max().max())
    for height, text in zip(heights, frame["p_text"], strict=True):
        direct_label(axis, right * 1.06, height, text, INK)
    first = frame.iloc[0]
    # Both names stand above the first row, the lower correlation's to the left, so that they never collide.
    names = sorted(
        [("state holds", NAVY, float(first["inside"])), ("otherwise", GREY, float(first["outside"]))],
        key=lambda name: name[2],
    )
    for (text, color, x), side in zip(names, ("right", "left"), strict=True):
        direct_label(axis, x, -0.75, text, color, ha=side, fontweight="semibold")
    axis.set_yticks(heights, frame["label"])
    axis.tick_params(axis="y", length=0, labelcolor=INK)
    axis.set_ylim(len(frame) - 0.35, -1.2)
    axis.set_xlim(min(-0.02, float(frame[["inside_lower", "outside_lower"]].min().min()) - 0.02), right * 1.45)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel(f"Same-session correlation of small caps and {asset}")
    alt = f"Correlation of small caps and {asset} inside and outside of each state: " + "; ".join(
        f"{row.label} {row.inside:.2f} against {row.outside:.2f}, p {row.p_text}" for row in frame.itertuples()
    )
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt + ".")
