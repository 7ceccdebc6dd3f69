"""Small against large caps: responses to shocks side by side with their difference; and loadings, one row an asset."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures.style import (
    GREY,
    INK,
    NAVY,
    PALE,
    RUST,
    FigureSpec,
    canvas,
    direct_label,
    styled,
    to_svg,
    word_list,
    zero_line,
)

OFFSET = 0.16
_PARTS = (("small", NAVY, NAVY, -OFFSET), ("large", RUST, "white", OFFSET))


@styled
def exposures(frame: pd.DataFrame, *, name: str, caption: str, small: str, large: str) -> FigureSpec:
    """Draw the response of both to every shock (left) and how much further small caps go (right).

    Parameters
    ----------
    frame : DataFrame
        Columns ``label``; ``small``, ``large``, ``further``, each with ``_lower`` and ``_upper``; ``p_text``. Missing
        numbers are shown as "not comparable".
    small, large : str
        What the two marks stand for.
    """
    figure, axes = canvas(
        height_inches=0.95 + 0.34 * len(frame), columns=2, sharey=True, gridspec_kw={"width_ratios": [5, 4]}
    )
    heights = np.arange(len(frame), dtype=float)
    left, right = axes
    for part, color, face, shift in _PARTS:
        _marks(left, frame, part, heights + shift, color, face)
    _marks(right, frame, "further", heights, INK, INK)
    for height, row in zip(heights, frame.itertuples(), strict=True):
        if np.isfinite(row.further):
            clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
            direct_label(right, row.further, height - 0.34, row.p_text, GREY, ha="center", bbox=clear)
        else:
            direct_label(right, 0.0, height, " not comparable", GREY, fontstyle="italic")
    for axis, title in ((left, "Percent a standard deviation of the shock"), (right, "How much further small caps go")):
        zero_line(axis, vertical=True)
        axis.grid(axis="x", color=PALE, linewidth=0.8, zorder=0)
        axis.set_axisbelow(True)
        axis.spines["left"].set_visible(False)
        axis.tick_params(axis="y", length=0, labelcolor=INK)
        axis.set_xlabel(title)
    left.set_yticks(heights, frame["label"])
    left.set_ylim(len(frame) - 0.45, -0.75)
    _legend(left, ((small, NAVY, NAVY), (large, RUST, "white")))
    alt = f"Responses of {small} and of {large} to shocks: " + "; ".join(
        f"{row.label} {_number(row.small)} against {_number(row.large)}" for row in frame.itertuples()
    )
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt + ".")


@styled
def loadings(frame: pd.DataFrame, *, name: str, caption: str, unit: str, titles: tuple[str, str]) -> FigureSpec:
    """Draw one row an asset in two panels: what past returns say, and what goes together in the session.

    Parameters
    ----------
    frame : DataFrame
        Columns ``label``; ``past`` and ``same``, each with ``_lower`` and ``_upper``.
    unit : str
        Label of both axes.
    titles : tuple of str
        What positive means in each panel.
    """
    figure, axes = canvas(height_inches=0.95 + 0.19 * len(frame), columns=2, sharey=True)
    heights = np.arange(len(frame), dtype=float)
    for axis, part, title in zip(axes, ("past", "same"), titles, strict=True):
        _marks(axis, frame, part, heights, NAVY, NAVY)
        for height, missing in zip(heights, frame[part].isna(), strict=True):
            if missing:
                direct_label(axis, 0.0, height, " no estimate", GREY, fontstyle="italic")
        zero_line(axis, vertical=True)
        axis.grid(axis="x", color=PALE, linewidth=0.8, zorder=0)
        axis.set_axisbelow(True)
        axis.spines["left"].set_visible(False)
        axis.tick_params(axis="y", length=0, labelcolor=INK)
        axis.set_title(title)
        axis.set_xlabel(unit)
    axes[0].set_yticks(heights, frame["label"])
    axes[0].set_ylim(len(frame) - 0.45, -0.6)
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, _describe(frame, titles))


def _marks(axis: Axes, frame: pd.DataFrame, part: str, heights: np.ndarray, color: str, face: str) -> None:
    """Draw estimates with their intervals; rows without an estimate stay empty."""
    estimate, low, high = (frame[f"{part}{end}"].to_numpy(dtype=float) for end in ("", "_lower", "_upper"))
    known = np.isfinite(estimate)
    axis.hlines(heights[known], low[known], high[known], color=color, linewidth=1.3, zorder=2)
    axis.scatter(estimate[known], heights[known], s=16, color=color, facecolor=face, zorder=3, linewidth=1.2)


def _legend(axis: Axes, names: tuple[tuple[str, str, str], ...]) -> None:
    """Name the marks once, above the rows."""
    for place, (text, color, face) in zip((0.01, 0.42), names, strict=True):
        axis.scatter([place], [1.05], s=16, color=color, facecolor=face, transform=axis.transAxes, clip_on=False)
        axis.text(
            place + 0.03, 1.05, text, color=color, fontsize=8.5, fontweight="semibold", va="center",
            transform=axis.transAxes,
        )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "no estimate"


def _describe(frame: pd.DataFrame, titles: tuple[str, str]) -> str:
    """Say in words how many intervals lie above, below and across zero."""
    parts = []
    for part, title in zip(("past", "same"), titles, strict=True):
        rows = frame[frame[part].notna()]
        above = rows.loc[rows[f"{part}_lower"] > 0, "label"].tolist()
        below = rows.loc[rows[f"{part}_upper"] < 0, "label"].tolist()
        across = len(rows) - len(above) - len(below)
        text = f"{title}: {across} of {len(rows)} intervals include zero"
        text += f"; above zero: {word_list(above)}" if above else ""
        text += f"; below zero: {word_list(below)}" if below else ""
        parts.append(text)
    return "One row for each asset with estimate and 95% interval. " + ". ".join(parts) + "."
