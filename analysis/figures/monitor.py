"""Where each watched quantity stands in its own history, now and some sessions ago, and the link over time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.figures.style import (
    GREY,
    LIGHT,
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


@styled
def positions(frame: pd.DataFrame, *, name: str, caption: str, outer: float, back: int) -> FigureSpec:
    """Draw one row a quantity: a dot at the share of its history below it now, an open one for before.

    Parameters
    ----------
    frame : DataFrame
        Columns ``title``, ``now`` (text), ``rank``, ``rank_before``; a missing rank is drawn as "no data".
    outer : float
        Share of history on either side that counts as unusual; shaded.
    back : int
        Sessions between the two dots.
    """
    figure, axis = canvas(height_inches=0.7 + 0.19 * len(frame))
    for low, high in ((0.0, outer), (1 - outer, 1.0)):
        axis.axvspan(low, high, color=PALE, zorder=0)
    for height, row in enumerate(frame.itertuples(index=False)):
        axis.hlines(height, 0, 1, color=LIGHT, linewidth=0.6, zorder=1)
        if not np.isfinite(row.rank):
            direct_label(axis, 0.5, height, "no data", GREY, fontstyle="italic", ha="center", backgroundcolor="white")
            continue
        unusual = not outer <= row.rank <= 1 - outer
        color = RUST if unusual else NAVY
        axis.plot([row.rank_before, row.rank], [height, height], color=color, linewidth=1.4, zorder=2)
        axis.scatter([row.rank_before], [height], s=18, facecolor="white", color=color, zorder=3, linewidth=1.1)
        axis.scatter([row.rank], [height], s=26, color=color, zorder=4)
        direct_label(axis, 1.02, height, row.now, color, fontweight="semibold" if unusual else "normal",
                     annotation_clip=False)  # fmt: skip
    axis.set_yticks(range(len(frame)), frame["title"].tolist())
    axis.tick_params(axis="y", length=0, labelcolor="#22262b")
    axis.set_ylim(len(frame) - 0.4, -0.6)
    axis.set_xlim(0, 1.16)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["lowest", "quarter", "median", "three quarters", "highest"])
    for side in ("left", "bottom"):
        axis.spines[side].set_visible(False)
    axis.set_xlabel(
        f"Place in its own history; filled: now, open: {back} sessions before, shaded: the outer {outer:.0%}"
    )
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, _say(frame, outer))


@styled
def link(frame: pd.DataFrame, *, name: str, caption: str, subject: str) -> FigureSpec:
    """Draw the rolling correlation with its interval and name the last value.

    Parameters
    ----------
    frame : DataFrame
        Columns ``date`` (ISO text), ``estimate``, ``lower``, ``upper``.
    subject : str
        What is correlated, for the text alternative.
    """
    figure, axis = canvas(height_inches=2.1)
    dates = pd.to_datetime(frame["date"])
    zero_line(axis, vertical=False)
    axis.fill_between(dates, frame["lower"], frame["upper"], color=LIGHT, alpha=0.6, linewidth=0, zorder=1)
    axis.plot(dates, frame["estimate"], color=NAVY, zorder=2)
    last = float(frame["estimate"].iloc[-1])
    axis.scatter([dates.iloc[-1]], [last], s=24, color=NAVY, zorder=3)
    axis.annotate(f"  {last:.2f}".replace("-", "−"), (dates.iloc[-1], last), color=NAVY, fontsize=9,
                  fontweight="semibold", va="center", annotation_clip=False)  # fmt: skip
    axis.margins(x=0.01)
    axis.set_ylabel("Correlation")
    alt = (
        f"{subject}: between {frame['estimate'].min():.2f} and {frame['estimate'].max():.2f}, last {last:.2f} on "
        f"{frame['date'].iloc[-1]}, with a pointwise interval."
    )
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)


def _say(frame: pd.DataFrame, outer: float) -> str:
    known = frame[frame["rank"].notna()]
    high = known.loc[known["rank"] > 1 - outer, "title"].tolist()
    low = known.loc[known["rank"] < outer, "title"].tolist()
    text = f"{len(known)} quantities by their place in their own history"
    text += f"; unusually high: {word_list(high)}" if high else "; none unusually high"
    text += f"; unusually low: {word_list(low)}" if low else "; none unusually low"
    return text + "."
