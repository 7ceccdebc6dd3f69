"""The path of a statistic over window ends against its critical value, spells above it shaded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.figures.style import GREY, NAVY, RUST, FigureSpec, canvas, styled, to_svg, word_list


@styled
def windows(frame: pd.DataFrame, *, name: str, caption: str, asset: str) -> FigureSpec:
    """Draw two paths one above the other, one a direction.

    Parameters
    ----------
    frame : DataFrame
        Columns ``direction`` ("lead" or "reverse"), ``date`` (ISO text, end of the window), ``statistic`` (largest Wald
        statistic of all windows that end there) and ``critical``.
    """
    figure, axes = canvas(2, 1, height_inches=2.5, sharex=True)
    titles = {"lead": f"Small caps lead {asset}", "reverse": f"{asset} leads small caps"}
    parts = []
    for axis, (direction, title) in zip(axes, titles.items(), strict=True):
        rows = frame[frame["direction"] == direction]
        dates = pd.to_datetime(rows["date"]).to_numpy()
        statistic, critical = rows["statistic"].to_numpy(dtype=float), rows["critical"].to_numpy(dtype=float)
        above = statistic > critical
        axis.fill_between(
            dates, 0, statistic.max() * 1.05, where=above, color=RUST, alpha=0.18, linewidth=0, step="mid"
        )
        axis.plot(dates, statistic, color=NAVY, linewidth=0.9)
        axis.plot(dates, critical, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        axis.annotate("5% line of a quarter", (0.01, float(critical[0])), xycoords=("axes fraction", "data"),
                      color=GREY, fontsize=8, ha="left", va="bottom")  # fmt: skip
        axis.set_title(title)
        axis.set_ylim(0, max(float(statistic.max()), float(critical.max())) * 1.08)
        axis.set_ylabel("Wald")
        years = sorted({str(day)[:4] for day in rows["date"].to_numpy()[above]})
        where = f", in {word_list(years)}" if years else ""
        parts.append(f"{title}: above the critical value at {np.mean(above):.0%} of window ends{where}")
    alt = "Two lines over time, the largest causality statistic of all windows by their end. " + ". ".join(parts) + "."
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)
