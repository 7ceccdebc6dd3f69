"""The path of forecasts against a benchmark: where a model gained and where it lost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.figures.style import NAVY, RUST, FigureSpec, canvas, direct_label, styled, to_svg, zero_line


@styled
def gain_path(frame: pd.DataFrame, *, name: str, caption: str, asset: str) -> FigureSpec:
    """Draw the cumulative gain in squared error, one line a training window.

    Parameters
    ----------
    frame : DataFrame
        Columns ``label`` (of a line, at most two of them), ``date`` (ISO text) and ``gain``: squared error of the
        benchmark less that of the model, added up, in percent of all squared errors of the benchmark. It ends at the
        out-of-sample R².
    """
    figure, axis = canvas(height_inches=2.1)
    zero_line(axis, vertical=False)
    labels = list(dict.fromkeys(frame["label"]))
    ends = {label: float(frame.loc[frame["label"] == label, "gain"].iloc[-1]) for label in labels}
    reach = float(np.ptp(np.append(frame["gain"].to_numpy(dtype=float), 0.0))) or 1.0
    heights = _apart(ends, 0.09 * reach)
    parts = []
    for label, color in zip(labels, (NAVY, RUST), strict=False):
        rows = frame[frame["label"] == label]
        dates, gain = pd.to_datetime(rows["date"]).to_numpy(), rows["gain"].to_numpy(dtype=float)
        axis.plot(dates, gain, color=color, linewidth=1.1)
        direct_label(axis, dates[-1], heights[label], f"  {label}", color, fontweight="semibold", annotation_clip=False)
        best, worst = int(np.argmax(gain)), int(np.argmin(gain))
        parts.append(
            f"{label}: ends at {gain[-1]:.2f}%, highest {gain[best]:.2f}% on {rows['date'].iloc[best]}, "
            f"lowest {gain[worst]:.2f}% on {rows['date'].iloc[worst]}"
        )
    axis.margins(x=0.01)
    axis.set_ylabel("Cumulative gain, percent")
    alt = f"Lines over time, the gain in squared error of forecasts of {asset} with small caps over those without; "
    alt += "a rising line means that small caps helped. " + ". ".join(parts) + "."
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)


def _apart(ends: dict[str, float], least: float) -> dict[str, float]:
    """Return label heights at least so far from each other, in the order of the ends."""
    placed: dict[str, float] = {}
    last: float | None = None
    for label, end in sorted(ends.items(), key=lambda item: item[1]):
        last = end if last is None else max(end, last + least)
        placed[label] = last
    return placed
