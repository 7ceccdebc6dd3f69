"""All tests of a lead at a glance: one row an asset, one column a question, a filled cell where a lead is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.figures.style import GREY, INK, NAVY, PALE, FigureSpec, canvas, styled, to_svg


@styled
def overview(frame: pd.DataFrame, *, name: str, caption: str, level: float) -> FigureSpec:
    """Draw two matrices side by side, one a direction.

    Parameters
    ----------
    frame : DataFrame
        Columns ``direction`` ("lead" or "reverse"), ``label`` (asset), ``question`` and ``p`` (corrected p-value, NaN
        where the test could not be run). Order of first appearance is order of drawing.
    level : float
        Cells at or below it are filled.
    """
    labels, questions = list(dict.fromkeys(frame["label"])), list(dict.fromkeys(frame["question"]))
    figure, axes = canvas(1, 2, height_inches=1.1 + 0.19 * len(labels), sharey=True)
    titles = {"lead": "Small caps lead crypto", "reverse": "Crypto leads small caps"}
    for axis, (direction, title) in zip(axes, titles.items(), strict=True):
        rows = frame[frame["direction"] == direction]
        p = dict(zip(zip(rows["label"], rows["question"], strict=True), rows["p"], strict=True))
        _matrix(axis, np.array([[p[label, question] for question in questions] for label in labels]), level)
        axis.set_title(title)
        axis.set_xticks(range(len(questions)), questions, rotation=40, ha="right", rotation_mode="anchor")
        axis.tick_params(length=0, labelcolor=INK)
        for side in ("left", "bottom"):
            axis.spines[side].set_visible(False)
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].set_ylim(len(labels) - 0.5, -0.5)
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, _describe(frame, titles, level))


def _matrix(axis: Axes, p: np.ndarray, level: float) -> None:
    for row in range(p.shape[0]):
        for column in range(p.shape[1]):
            value = p[row, column]
            found = np.isfinite(value) and value <= level
            face = NAVY if found else PALE
            axis.add_patch(Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, facecolor=face, edgecolor="none"))
            text = "n/a" if not np.isfinite(value) else ("<.001" if value < 0.001 else f"{value:.2f}".lstrip("0"))
            color, weight = ("white", "semibold") if found else (GREY, "normal")
            axis.text(column, row, text, ha="center", va="center", fontsize=6.5, color=color, fontweight=weight)
    axis.set_xlim(-0.5, p.shape[1] - 0.5)


def _describe(frame: pd.DataFrame, titles: dict[str, str], level: float) -> str:
    parts = []
    for direction, title in titles.items():
        rows = frame[frame["direction"] == direction]
        found = rows[rows["p"] <= level]
        counts = found["question"].value_counts(sort=False)
        each = "; ".join(f"{question}: {count}" for question, count in counts.items()) or "none"
        parts.append(f"{title}, {len(found)} of {len(rows)} cells are filled ({each})")
    return (
        "A matrix of corrected p-values for each asset and question, filled where a lead is found. "
        + ". ".join(parts)
        + "."
    )
