"""Response paths, one small panel an asset: the estimate alone beside its conditional twin, with joint bands."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.style import (
    GREY,
    NAVY,
    RUST,
    FigureSpec,
    canvas,
    styled,
    to_svg,
    word_list,
    zero_line,
)

BAND = "#d5dce6"
COLUMNS = 4
WORDS = {"bivariate": "alone", "conditional": "beside the common drivers"}


@styled
def paths(frame: pd.DataFrame, *, name: str, caption: str) -> FigureSpec:
    """Draw the cumulative response of every asset by horizon.

    Parameters
    ----------
    frame : DataFrame
        Columns ``label``, ``twin`` ("bivariate" or "conditional"), ``horizon`` in sessions, ``estimate``, and the joint
        band ``lower``, ``upper``. A twin that is missing leaves its panel to the other.
    """
    labels = list(dict.fromkeys(frame["label"]))
    rows = -(-len(labels) // COLUMNS)
    figure, axes = canvas(rows, COLUMNS, height_inches=1.0 * rows + 0.6, sharex=True, sharey=True, squeeze=False)
    flat = list(axes.ravel())
    for axis, label in zip(flat, labels, strict=False):
        _panel(axis, frame[frame["label"] == label])
        axis.set_title(label, fontsize=9)
    for axis in flat[len(labels) :]:
        axis.set_visible(False)
    for axis in flat[max(0, len(labels) - COLUMNS) : len(labels)]:
        axis.tick_params(axis="x", labelbottom=True)
    _name_twins(figure, set(frame["twin"]))
    figure.supxlabel("Sessions after the move of small caps (0: the same session)", fontsize=8.5, color=GREY)
    figure.supylabel("Percent of crypto per percent", fontsize=8.5, color=GREY)
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, _describe(frame))


def _panel(axis: Axes, rows: pd.DataFrame) -> None:
    zero_line(axis, vertical=False)
    for twin, color in (("conditional", RUST), ("bivariate", NAVY)):
        part = rows[rows["twin"] == twin].sort_values("horizon")
        if part.empty:
            continue
        horizon, estimate, low, high = (
            part[column].to_numpy(dtype=float) for column in ("horizon", "estimate", "lower", "upper")
        )
        if twin == "bivariate":
            axis.fill_between(horizon, low, high, color=BAND, linewidth=0, zorder=0.5)
            axis.plot(horizon, estimate, color=color, linewidth=1.6, zorder=3)
            continue
        for end in (low, high):
            axis.plot(horizon, end, color=color, linewidth=0.7, linestyle=(0, (3, 2)), zorder=2)
        axis.plot(horizon, estimate, color=color, linewidth=1.1, zorder=2.5)


def _name_twins(figure: Figure, shown: set[str]) -> None:
    """Name both lines once, in a strip above the panels."""
    strip = 0.22 / figure.get_figheight()
    figure.set_layout_engine("constrained", rect=(0.0, 0.0, 1.0, 1.0 - strip))
    place, height = 0.07, 1.0 - strip / 2.0
    for twin, color, width in (("bivariate", NAVY, 1.6), ("conditional", RUST, 1.1)):
        if twin in shown:
            figure.add_artist(Line2D([place, place + 0.025], [height, height], color=color, linewidth=width))
            figure.text(
                place + 0.033, height, WORDS[twin], color=color, fontsize=8.5, fontweight="semibold", va="center"
            )
            place += 0.12


def _describe(frame: pd.DataFrame) -> str:
    """Say in words where bands leave out zero in the same session and at the last horizon."""
    parts = []
    for twin, words in WORDS.items():
        rows = frame[frame["twin"] == twin]
        if rows.empty:
            parts.append(f"no path exists {words}")
            continue
        for horizon, place in ((rows["horizon"].min(), "at first"), (rows["horizon"].max(), "at last")):
            here = rows[rows["horizon"] == horizon]
            above = here.loc[here["lower"] > 0, "label"].tolist()
            across = int(((here["lower"] <= 0) & (here["upper"] >= 0)).sum())
            named = f" (above: {word_list(above)})" if 0 < len(above) < len(here) else ""
            parts.append(
                f"{words}, {place}, {len(above)} of {len(here)} bands lie above zero and {across} hold it{named}"
            )
    spread = np.ptp(frame["horizon"])
    return f"Cumulative responses over {int(spread)} sessions, one panel for each asset: " + "; ".join(parts) + "."
