"""Chance of turbulence over time, above the rolling correlation with the turbulent sessions shaded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.figures.style import GREY, NAVY, RUST, FigureSpec, canvas, direct_label, styled, to_svg, zero_line


@styled
def turbulence(frame: pd.DataFrame, *, name: str, caption: str, asset: str, window: int) -> FigureSpec:
    """Draw two panels on one time axis.

    Parameters
    ----------
    frame : DataFrame
        Columns ``date`` (ISO text), ``chance`` (of turbulence, NaN where unknown), ``turbulent`` (1, 0 or NaN),
        ``correlation``, ``lower`` and ``upper`` (NaN where there is no window).
    asset : str
        Name of the asset the correlation is with.
    window : int
        Sessions of the rolling correlation.
    """
    figure, axes = canvas(2, 1, height_inches=3.0, sharex=True, height_ratios=(1.0, 1.5))
    dates = pd.to_datetime(frame["date"]).to_numpy()
    chance = frame["chance"].to_numpy(dtype=float)
    turbulent = frame["turbulent"].to_numpy(dtype=float) > 0
    top, bottom = axes
    top.set_xlim(dates[0], dates[-1])
    top.fill_between(dates, 0.0, chance, color=RUST, alpha=0.75, linewidth=0)
    top.axhline(0.5, color=GREY, linewidth=0.6, linestyle=(0, (4, 3)))
    top.set_ylim(0.0, 1.0)
    top.set_yticks([0.0, 0.5, 1.0], ["0", "½", "1"])
    top.set_title("Chance that small caps are turbulent, known before the session")
    path, lower, upper = (frame[column].to_numpy(dtype=float) for column in ("correlation", "lower", "upper"))
    zero_line(bottom, vertical=False)
    low, high = min(float(np.nanmin(lower)), -0.05) - 0.03, float(np.nanmax(upper)) + 0.08
    bottom.fill_between(dates, low, high, where=turbulent, color=RUST, alpha=0.16, linewidth=0, step="mid")
    bottom.fill_between(dates, lower, upper, color=NAVY, alpha=0.18, linewidth=0)
    bottom.plot(dates, path, color=NAVY, linewidth=1.1)
    bottom.set_ylim(low, high)
    bottom.set_title(f"Correlation of small caps and {asset} over the last {window} sessions")
    last = int(np.flatnonzero(np.isfinite(path))[-1])
    direct_label(bottom, 1.005, path[last], f"{path[last]:.2f}", NAVY, xycoords=("axes fraction", "data"), ha="left")
    direct_label(
        bottom, 0.005, 0.94, "shaded: turbulent sessions", RUST, xycoords="axes fraction", ha="left", va="center"
    )
    known = np.isfinite(frame["turbulent"].to_numpy(dtype=float))
    alt = (
        f"Above, the chance of turbulence of small caps from {frame['date'].iloc[0]} to {frame['date'].iloc[-1]}, over "
        f"one half in {turbulent[known].mean():.0%} of sessions. Below, the rolling correlation with {asset}, between "
        f"{np.nanmin(path):.2f} and {np.nanmax(path):.2f}, {path[last]:.2f} at the end; on average "
        f"{_mean(path, turbulent & known):.2f} where the window ends in turbulence and "
        f"{_mean(path, ~turbulent & known):.2f} where it ends in calm."
    )
    return FigureSpec(name, to_svg(figure), frame.reset_index(drop=True), caption, alt)


def _mean(path: np.ndarray, rows: np.ndarray) -> float:
    chosen = path[rows & np.isfinite(path)]
    return float(chosen.mean()) if chosen.size else 0.0
