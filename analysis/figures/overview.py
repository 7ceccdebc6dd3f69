"""All tests of a lead at a glance: one row an asset, one column a question, a filled cell where a lead holds up."""

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
        Columns ``direction`` ("lead" or "reverse"), ``label`` (asset), ``question``, ``p`` (corrected p-value alone)
        and ``p_beside`` (beside the common drivers), NaN where there is no test. Order of first appearance is order of
        drawing.
    level : float
        A cell is filled where both are at or below it, and outlined where one of them is.
    """
    labels, questions = list(dict.fromkeys(frame["label"])), list(dict.fromkeys(frame["question"]))
    figure, axes = canvas(1, 2, height_inches=1.1 + 0.17 * len(labels), sharey=True)
    titles = {"lead": "Small caps lead crypto", "reverse": "Crypto leads small caps"}
    for axis, (direction, title) in zip(axes, titles.items(), strict=True):
        rows = frame[frame["direction"] == direction]
        cells = rows.set_index(["label", "question"])[["p", "p_beside"]]
        _matrix(axis, cells.to_numpy(dtype=float).reshape(len(labels), len(questions), 2), level)
        axis.set_title(title)
        axis.set_xticks(range(len(questions)), questions, rotation=40, ha="right", rotation_mode="anchor")
        axis.tick_params(length=0, labelcolor=INK)
        for side in ("left", "bottom"):
            axis.spines[side].set_visible(False)
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].set_ylim(len(labels) - 0.5, -0.5)
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, _describe(frame, titles, level))


def _matrix(axis: Axes, p: np.ndarray, level: float) -> None:
    """Draw cells from p-values (rows, columns, 2): alone and beside the drivers; the number shown is the first."""
    for row, column in np.ndindex(*p.shape[:2]):
        alone, beside = p[row, column]
        found = [np.isfinite(value) and value <= level for value in (alone, beside)]
        face = NAVY if all(found) else ("white" if any(found) else PALE)
        edge = NAVY if any(found) else "none"
        style = "-" if found[0] else (0, (1.5, 1.5))
        axis.add_patch(
            Rectangle((column - 0.44, row - 0.42), 0.88, 0.84, facecolor=face, edgecolor=edge, linestyle=style)
        )
        color = "white" if all(found) else (NAVY if any(found) else GREY)
        weight = "semibold" if any(found) else "normal"
        axis.text(column, row, _short(alone), ha="center", va="center", fontsize=6.5, color=color, fontweight=weight)
    axis.set_xlim(-0.5, p.shape[1] - 0.5)


def _short(p: float) -> str:
    if not np.isfinite(p):
        return "n/a"
    return "<.001" if p < 0.001 else f"{p:.2f}".lstrip("0")


def _describe(frame: pd.DataFrame, titles: dict[str, str], level: float) -> str:
    parts = []
    for direction, title in titles.items():
        rows = frame[frame["direction"] == direction]
        both = rows[(rows["p"] <= level) & (rows["p_beside"] <= level)]
        alone = rows[(rows["p"] <= level) & ~(rows["p_beside"] <= level)]
        parts.append(
            f"{title}: of {len(rows)} cells {len(both)} are filled ({_counts(both)}) and {len(alone)} outlined because "
            f"a lead is found alone only ({_counts(alone)})"
        )
    return f"A matrix of corrected p-values for each asset and question. {'. '.join(parts)}."


def _counts(rows: pd.DataFrame) -> str:
    counts = rows["question"].value_counts(sort=False)
    return "; ".join(f"{question}: {count}" for question, count in counts.items()) or "none"
