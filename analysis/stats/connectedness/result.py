"""The results of connectedness: shares of forecast error variance, in all and by band of frequency."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.results import Options, Result

REFERENCE = "Diebold and Yilmaz (2012), International Journal of Forecasting 28"
BANDS_REFERENCE = "Baruník and Křehlík (2018), Journal of Financial Econometrics 16"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConnectednessResult(Result):
    """Shares of forecast error variance in percent, each with limits when a bootstrap was asked for.

    Attributes
    ----------
    table : ndarray of shape (k, k)
        Row: the series explained; column: the series whose shocks explain. Rows sum to 100.
    total : float
        Mean share that comes from other series.
    to, from_, net : ndarray of shape (k,)
        Given to all others, received from all others, and their difference.
    total_interval : (float, float) or None
    table_interval : ndarray of shape (k, k, 2) or None
    to_interval, from_interval, net_interval : ndarray of shape (k, 2) or None
    total_bias : float or None
        Mean error of the bootstrapped totals around their own truth: about how far the estimate lies above the truth.
    radius : float
        Largest root of the fitted vector autoregression.
    """

    method: str
    names: tuple[str, ...]
    table: np.ndarray
    total: float
    to: np.ndarray
    from_: np.ndarray
    net: np.ndarray
    total_interval: tuple[float, float] | None = None
    table_interval: np.ndarray | None = None
    to_interval: np.ndarray | None = None
    from_interval: np.ndarray | None = None
    net_interval: np.ndarray | None = None
    interval_level: float = 0.95
    total_bias: float | None = None
    radius: float
    lags: int
    horizon: int
    nobs: int
    nobs_lost: int
    options: Options = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str = REFERENCE

    def summary(self) -> str:
        """Return total, directional measures and limits as text."""
        lines = [f"{self.method} ({self.options['method']}), horizon {self.horizon}, percent"]
        for row in self.to_frame().itertuples():
            if row.measure != "share":
                limits = "" if self.total_interval is None else f" [{row.lower:.4g}, {row.upper:.4g}]"
                lines.append(f"  {' '.join([row.measure, row.series]).strip()} = {row.estimate:.6g}{limits}")
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost), lags = {self.lags}")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a number: total, to, from and net of each series, and every share with its source."""
        parts: tuple[tuple[str, Any, Any], ...] = (
            ("total", [self.total], self.total_interval),
            ("to", self.to, self.to_interval),
            ("from", self.from_, self.from_interval),
            ("net", self.net, self.net_interval),
            ("share", self.table.ravel(), self.table_interval),
        )
        rows = []
        for measure, values, limits in parts:
            ends = None if limits is None else np.reshape(limits, (-1, 2))
            for i, value in enumerate(values):
                first, second = divmod(i, len(self.names)) if measure == "share" else (i, None)
                rows.append(
                    {
                        "measure": measure,
                        "series": "" if measure == "total" else self.names[first],
                        "source": "" if second is None else self.names[second],
                        "estimate": float(value),
                        "lower": None if ends is None else float(ends[i, 0]),
                        "upper": None if ends is None else float(ends[i, 1]),
                    }
                )
        return pd.DataFrame(rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrequencyConnectedness(Result):
    """Connectedness split over bands of frequency; the bands add up to the whole.

    Attributes
    ----------
    edges : tuple of float
        Limits of the bands in radians a step, rising from 0 to pi. A cycle of d steps has frequency 2 pi / d.
    tables : ndarray of shape (bands, k, k)
        Percent of the whole variance of the row's series; the sum over bands is the table at the same horizon.
    totals : ndarray of shape (bands,)
        Contribution of each band to the total.
    within : ndarray of shape (bands,)
        Share from others among the variance of that band alone.
    to, from_, net : ndarray of shape (bands, k)
    total : float
        Sum over bands.
    """

    method: str
    names: tuple[str, ...]
    edges: tuple[float, ...]
    tables: np.ndarray
    totals: np.ndarray
    within: np.ndarray
    to: np.ndarray
    from_: np.ndarray
    net: np.ndarray
    total: float
    radius: float
    lags: int
    horizon: int
    nobs: int
    nobs_lost: int
    options: Options = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str = BANDS_REFERENCE

    def summary(self) -> str:
        """Return each band's contribution as text."""
        lines = [f"{self.method} ({self.options['method']}), horizon {self.horizon}, percent"]
        for band, (total, within) in enumerate(zip(self.totals, self.within, strict=True)):
            low, high = self.edges[band], self.edges[band + 1]
            longest = f"{2 * np.pi / low:.4g}" if low > 0 else "unlimited"
            lines.append(
                f"  cycles of {2 * np.pi / high:.4g} to {longest} steps: {total:.6g} of {self.total:.6g}; "
                f"within the band {within:.6g}"
            )
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost), lags = {self.lags}")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a band and measure; `low` and `high` are its limits in radians a step."""
        rows = []
        for band in range(len(self.totals)):
            place = {"low": self.edges[band], "high": self.edges[band + 1]}
            for measure, value in (("total", self.totals[band]), ("within", self.within[band])):
                rows.append({**place, "measure": measure, "series": "", "estimate": float(value)})
            for measure, values in (("to", self.to), ("from", self.from_), ("net", self.net)):
                for name, value in zip(self.names, values[band], strict=True):
                    rows.append({**place, "measure": measure, "series": name, "estimate": float(value)})
        return pd.DataFrame(rows)
