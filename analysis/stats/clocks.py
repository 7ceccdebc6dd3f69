"""What the sampling clock does to a lead: the same two series read at different instants, the same statistic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.results import Inapplicable, Result
from analysis.stats.crosscorr import CrossCorrelation, cross_correlation
from analysis.stats.lagged import same_index
from analysis.stats.ticks import as_of, as_ticks, on_one_axis

METHOD = "Cross-correlation under several clocks"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClockComparison(Result):
    """The same cross-correlation of the same two series, read at the instants of several clocks.

    Attributes
    ----------
    clocks : tuple of str
        Names of the clocks.
    correlations : tuple of CrossCorrelation
        One a clock; lag k > 0 means that y leads.
    age_x, age_y : ndarray of shape (clocks,)
        Median age of the value read, in the unit of the stamps (seconds for dates).
    """

    plottable: ClassVar[bool] = True

    method: str
    clocks: tuple[str, ...]
    correlations: tuple[CrossCorrelation, ...]
    age_x: np.ndarray
    age_y: np.ndarray
    options: Mapping[str, Any]
    reference: str

    def at(self, clock: str) -> CrossCorrelation:
        """Return the cross-correlation under one clock; raises InputError for an unknown name."""
        if clock not in self.clocks:
            raise InputError("unknown clock", given=repr(clock), limit=", ".join(self.clocks))
        return self.correlations[self.clocks.index(clock)]

    def summary(self) -> str:
        """Return correlations with their bands, lags down and clocks across, as plain text."""
        lines = [f"{self.method}; k > 0: y leads; * outside the robust pointwise band"]
        lines.append("     lag  " + "  ".join(f"{name:>16}" for name in self.clocks))
        for i, lag in enumerate(self.correlations[0].lags):
            cells = []
            for found in self.correlations:
                mark = "*" if abs(found.estimate[i]) > found.band_robust[i] else " "
                cells.append(f"{found.estimate[i]:15.4f}{mark}")
            lines.append(f"  {lag:6d}  " + "  ".join(f"{cell:>16}" for cell in cells).rstrip())
        for name, found, old_x, old_y in zip(self.clocks, self.correlations, self.age_x, self.age_y, strict=True):
            n = found.nobs[len(found.lags) // 2]
            lines.append(f"  {name}: n = {n}, median age of x {old_x:g}, of y {old_y:g}")
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a clock and lag."""
        frames = [
            found.to_frame().assign(clock=name) for name, found in zip(self.clocks, self.correlations, strict=True)
        ]
        frame = pd.concat(frames, ignore_index=True)
        return frame[["clock", *[name for name in frame.columns if name != "clock"]]]

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlations of each clock side by side, filled where outside the robust band."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(7.0, 3.6)).add_subplot()
        offsets = (np.arange(len(self.clocks)) - (len(self.clocks) - 1) / 2.0) * 0.22
        for i, (name, found) in enumerate(zip(self.clocks, self.correlations, strict=True)):
            at = found.lags + offsets[i]
            outside = np.abs(found.estimate) > found.band_robust
            ax.vlines(at, 0.0, found.estimate, color=f"C{i}", linewidth=1.4)
            ax.plot(at, found.estimate, "o", color=f"C{i}", markersize=4, markerfacecolor="white", label=name)
            ax.plot(at[outside], found.estimate[outside], "o", color=f"C{i}", markersize=4)
        ax.axhline(0.0, color="0.2", linewidth=0.8)
        ax.set_xlabel("Lag k (k > 0: y leads, k < 0: x leads)")
        ax.set_ylabel("Correlation of x(t) with y(t − k)")
        ax.legend(frameon=False)
        return ax


def clock_demonstration(
    times_x: Any,
    prices_x: Any,
    times_y: Any,
    prices_y: Any,
    *,
    clocks: Mapping[str, Any],
    max_lag: int,
    max_age: float | None = None,
    level: float = 0.95,
) -> ClockComparison | Inapplicable:
    """Read two intraday series at the instants of each clock and run the same cross-correlation of returns.

    Parameters
    ----------
    times_x, times_y : array_like of shape (n,) and (m,)
        Strictly increasing instants at which the prices were known (a bar counts from its END): numbers in one unit, or
        datetime64 in UTC, then seconds are the unit of `max_age` and of the ages.
    prices_x, prices_y : array_like of shape (n,) and (m,)
        Positive prices; NaN marks a missing one.
    clocks : mapping of str to array_like of shape (d,) or (d, 2)
        Instants of each clock in increasing order, one row a day; two columns when x and y are read at different
        instants. A return runs from one row to the next.
    max_lag : int
        The largest lag, in rows.
    max_age : float, optional
        An older price counts as missing; by default the last price is read however old it is.
    level : float
        Level of bands and intervals.

    Returns
    -------
    ClockComparison or Inapplicable
        Inapplicable when the cross-correlation is so under one of the clocks.

    Raises
    ------
    InputError
        On wrong shapes, instants out of order, prices without a logarithm or no clock.

    Notes
    -----
    When y is read d hours after x, the return windows of the same row share 24 - d of 24 hours and that of y shares d
    hours with the next row of x. A common shock with correlation ρ and no lead then shows ρ (24 - d)/24 at lag 0 and
    ρ d/24 at lag 1 as if y led; read d hours before x, the same at lags 0 and -1. That is the whole artefact.

    Examples
    --------
    >>> hours = np.arange(0.0, 24 * 60)
    >>> path = np.exp(np.random.default_rng(1).standard_normal(hours.size).cumsum() / 100)
    >>> close = np.arange(20.0, hours[-1] - 24, 24)
    >>> both = {"one clock": close, "y later": np.column_stack([close, close + 12])}
    >>> result = clock_demonstration(hours, path, hours, path, clocks=both, max_lag=1)
    >>> bool(result.at("one clock").estimate[1] > 0.999), bool(result.at("y later").estimate[2] > 0.3)
    (True, True)
    """
    if not clocks:
        raise InputError("there is no clock to compare", given="an empty mapping")
    same_index(times_x=times_x, prices_x=prices_x)
    same_index(times_y=times_y, prices_y=prices_y)
    names = list(clocks)
    axis = on_one_axis([("times_x", times_x), ("times_y", times_y), *((f"clock {k!r}", clocks[k]) for k in names)])
    x, y = as_ticks("x", axis[0], prices_x, log=True), as_ticks("y", axis[1], prices_y, log=True)
    found: list[CrossCorrelation] = []
    ages = []
    for name, instants in zip(names, axis[2:], strict=True):
        columns = instants if instants.ndim == 2 else np.column_stack([instants, instants])
        if columns.shape[1] != 2 or (np.diff(columns, axis=0) <= 0).any():
            raise InputError(
                f"the instants of clock {name!r} are not one or two increasing columns", given=f"shape {instants.shape}"
            )
        values_x, old_x = as_of(x, columns[:, 0], max_age)
        values_y, old_y = as_of(y, columns[:, 1], max_age)
        result = cross_correlation(np.diff(values_x), np.diff(values_y), max_lag=max_lag, level=level)
        if isinstance(result, Inapplicable):
            return Inapplicable(method=METHOD, reason=f"under clock {name!r}: {result.reason}")
        found.append(result)
        ages.append((float(np.nanmedian(old_x)), float(np.nanmedian(old_y))))
    return ClockComparison(
        method=METHOD,
        clocks=tuple(names),
        correlations=tuple(found),
        age_x=np.array([age[0] for age in ages]),
        age_y=np.array([age[1] for age in ages]),
        options={"max_lag": found[0].lags.size // 2, "max_age": max_age, "level": level},
        reference=found[0].reference,
    )
