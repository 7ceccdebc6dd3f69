"""Cross-correlation at every lead and lag, under one or both clocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures.style import (
    GREY,
    LIGHT,
    NAVY,
    PALE,
    RUST,
    FigureSpec,
    canvas,
    styled,
    to_svg,
    zero_line,
)


@styled
def clocks(frame: pd.DataFrame, *, name: str, caption: str, asset: str) -> FigureSpec:
    """Show what the clock does: the same two series, two admissible pairings of their days.

    Parameters
    ----------
    frame : DataFrame
        Columns ``clock`` ("after" or "before"), ``lag`` (positive: small caps first), ``estimate``, ``band`` (half
        width of the robust 95 % band around zero), ``thin`` (the textbook band, for reference).
    """
    figure, axes = canvas(1, 2, height_inches=2.1, sharey=True)
    titles = {"after": "Crypto day ends after the equity close", "before": "Crypto day ended before the equity close"}
    for axis, clock in zip(axes, ("after", "before"), strict=True):
        rows = frame[frame["clock"] == clock].sort_values("lag")
        _stems(axis, rows)
        axis.set_title(titles[clock])
        axis.set_xlabel("Sessions by which small caps come first")
        for place, text, side in ((0.02, "crypto first", "left"), (0.98, "small caps first", "right")):
            axis.annotate(text, (place, 0.97), xycoords="axes fraction", color=GREY, fontsize=8.5, va="top", ha=side)
    axes[0].set_ylabel("Correlation")
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, _describe(frame, asset))


@styled
def readings(frame: pd.DataFrame, *, name: str, caption: str, asset: str, titles: dict[str, str]) -> FigureSpec:
    """Draw one panel a reading of the day; columns as in `clocks` with ``reading`` for ``clock``.

    Parameters
    ----------
    titles : dict of str to str
        Words for each reading, in the order of the panels.
    """
    figure, axes = canvas(1, len(titles), height_inches=2.1, sharey=True)
    parts = []
    for axis, (reading, title) in zip(axes, titles.items(), strict=True):
        rows = frame[frame["reading"] == reading].sort_values("lag")
        _stems(axis, rows)
        axis.set_title(title, fontsize=9)
        axis.set_xticks(rows["lag"].to_numpy())
        for row in rows.itertuples():
            if abs(row.estimate) > row.band:
                axis.annotate(f"{row.estimate:.2f}".replace("-", "\u2212"), (row.lag, row.estimate), fontsize=8.5,
                              ha="center", va="bottom" if row.estimate > 0 else "top")  # fmt: skip
        outside = rows[rows["estimate"].abs() > rows["band"]]
        places = [f"{row.estimate:.2f} at lag {row.lag}" for row in outside.itertuples()]
        parts.append(f"{title}: {', '.join(places) or 'none'}")
    axes[0].set_ylabel("Correlation")
    axes[0].margins(y=0.15)
    figure.supxlabel("Sessions by which small caps come first (negative: crypto first)", fontsize=8.5, color=GREY)
    alt = f"Correlation of small caps and {asset} that leaves its robust band, by reading. " + "; ".join(parts) + "."
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)


@styled
def panels(frame: pd.DataFrame, *, name: str, caption: str) -> FigureSpec:
    """Draw one small panel an asset; columns as in `clocks` plus ``label``, one clock only."""
    labels = list(dict.fromkeys(frame["label"]))
    columns = min(4, len(labels))
    rows_needed = -(-len(labels) // columns)
    figure, axes = canvas(
        rows_needed, columns, height_inches=1.1 * rows_needed + 0.3, sharex=True, sharey=True, squeeze=False
    )
    flat = list(axes.ravel())
    for axis, label in zip(flat, labels, strict=False):
        _stems(axis, frame[frame["label"] == label].sort_values("lag"))
        axis.set_title(label, fontsize=9)
    for axis in flat[len(labels) :]:
        axis.set_visible(False)
    for axis in flat[max(0, len(labels) - columns) : len(labels)]:
        axis.tick_params(labelbottom=True)
    figure.supxlabel("Sessions by which small caps come first (negative: crypto first)", fontsize=8.5, color=GREY)
    figure.supylabel("Correlation", fontsize=8.5, color=GREY)
    outside = frame[(frame["estimate"].abs() > frame["band"]) & (frame["lag"] > 0)]
    count = int((frame["lag"] > 0).sum())
    alt = (
        f"Small panels of cross-correlations for {len(labels)} assets. At lags where small caps come first, "
        f"{len(outside)} of {count} bars leave their robust band."
    )
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)


def _stems(axis: Axes, rows: pd.DataFrame) -> None:
    lag, value, band = (rows[column].to_numpy(dtype=float) for column in ("lag", "estimate", "band"))
    axis.fill_between(lag, -band, band, step="mid", color=PALE, zorder=0)
    for sign in (-1.0, 1.0):
        axis.axhline(sign * float(rows["thin"].iloc[0]), color=LIGHT, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
    zero_line(axis, vertical=False)
    outside = np.abs(value) > band
    colors = np.where(outside, np.where(lag > 0, NAVY, RUST), GREY)
    axis.vlines(lag, 0.0, value, color=list(colors), linewidth=2.2, zorder=2)


def _describe(frame: pd.DataFrame, asset: str) -> str:
    words = {"after": "when the crypto day ends after the equity close", "before": "when it ended before"}
    parts = []
    for clock, text in words.items():
        rows = frame[frame["clock"] == clock]
        peak = rows.loc[rows["estimate"].abs().idxmax()]
        lag = int(peak["lag"])
        place = (
            "the same session"
            if lag == 0
            else f"{abs(lag)} session(s) with {'small caps' if lag > 0 else 'crypto'} first"
        )
        parts.append(f"{text}, the largest correlation is {peak['estimate']:.2f} at {place}")
    return f"Bars of the correlation between small caps and {asset} at leads and lags: " + "; ".join(parts) + "."
