"""Connectedness in a moving window, with sampling error at chosen window ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, Options, Result
from analysis.stats.connectedness.batch import batch_decomposition, stable, window_systems
from analysis.stats.connectedness.core import METHODS, measures
from analysis.stats.connectedness.result import REFERENCE, ConnectednessResult
from analysis.stats.connectedness.shares import connectedness
from analysis.stats.lagged import as_columns, check_lags
from analysis.stats.regression import positive_integer, require_generator

METHOD = "Rolling connectedness"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RollingConnectedness(Result):
    """Connectedness of every window, in percent; limits at some window ends.

    Attributes
    ----------
    ends : int ndarray of shape (W,)
        0-based last row of each window that could be fitted; nothing after it is used.
    totals : ndarray of shape (W,)
    net : ndarray of shape (W, k)
    limited_ends : int ndarray of shape (B,)
        Window ends at which limits were worked out; some of `ends`.
    total_limits : ndarray of shape (B, 2)
    net_limits : ndarray of shape (B, k, 2)
    windows_lost : int
        Windows with too few whole rows, collinear series or an unstable fit.
    """

    method: str
    names: tuple[str, ...]
    ends: np.ndarray
    totals: np.ndarray
    net: np.ndarray
    limited_ends: np.ndarray
    total_limits: np.ndarray
    net_limits: np.ndarray
    interval_level: float
    window: int
    lags: int
    horizon: int
    nobs: int
    nobs_lost: int
    windows_lost: int
    options: Mapping[str, Any] = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str = REFERENCE

    def summary(self) -> str:
        """Return the range of the totals, and each window with limits, as text."""
        lines = [
            f"{self.method} ({self.options['method']}), windows of {self.window} rows, horizon {self.horizon}, percent",
            f"  total from {self.totals.min():.4g} to {self.totals.max():.4g}, last {self.totals[-1]:.4g}",
        ]
        places = {int(end): i for i, end in enumerate(self.ends)}
        for end, (low, high) in zip(self.limited_ends.tolist(), self.total_limits, strict=True):
            lines.append(f"  window ending at row {end}: {self.totals[places[end]]:.4g} [{low:.4g}, {high:.4g}]")
        lines.append(
            f"  {len(self.ends)} windows ({self.windows_lost} lost), n = {self.nobs} ({self.nobs_lost} lost), "
            f"lags = {self.lags}"
        )
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a window end and measure: total, and net of each series; limits where there are any."""
        limited = {int(end): i for i, end in enumerate(self.limited_ends)}
        rows = []
        for w, end in enumerate(self.ends.tolist()):
            b = limited.get(end)
            total = (None, None) if b is None else tuple(self.total_limits[b].tolist())
            rows.append(
                {"end": end, "measure": "total", "series": "", "estimate": float(self.totals[w]), "limits": total}
            )
            for i, name in enumerate(self.names):
                ends = (None, None) if b is None else tuple(self.net_limits[b, i].tolist())
                rows.append(
                    {"end": end, "measure": "net", "series": name, "estimate": float(self.net[w, i]), "limits": ends}
                )
        frame = pd.DataFrame(rows)
        frame["lower"] = [limits[0] for limits in frame["limits"]]
        frame["upper"] = [limits[1] for limits in frame["limits"]]
        return frame.drop(columns="limits")


def rolling_connectedness(
    data: ArrayLike,
    *,
    lags: int,
    horizon: int,
    window: int,
    step: int = 1,
    method: str = "generalized",
    bootstrap: int = 0,
    limited: int = 12,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    block: int | None = None,
    names: Sequence[str] | None = None,
) -> RollingConnectedness | Inapplicable:
    """Measure connectedness in every window of a fixed number of rows.

    Parameters
    ----------
    data, lags, horizon, method, level, block, names
        As in `connectedness`.
    window : int
        Rows of responses in a window; with NaN inside it fewer are used.
    step : int
        Rows from one window end to the next; the last row is always an end.
    bootstrap : int
        Samples for the limits at each chosen end; 0 for none, else at least 99.
    limited : int
        Number of ends with limits, evenly spaced from the first to the last.
    rng : Generator, optional
        Needed when `bootstrap` is not 0.

    Returns
    -------
    RollingConnectedness or Inapplicable
        Inapplicable when no window can be fitted.

    Raises
    ------
    InputError
        For a wrong shape, an infinite value or an option outside its set.

    Notes
    -----
    All windows come from one pass of running sums, so 2,500 of them cost less than a second. Limits at an end are those
    of `connectedness` for that window alone: pointwise, so that some of many ends fall outside by chance, and short
    windows bias the total up, which the limits allow for.

    References
    ----------
    Diebold and Yilmaz (2012), International Journal of Forecasting 28.
    """
    columns = as_columns(data, "data")
    n, k = columns.shape
    order, horizon = check_lags(lags), positive_integer("horizon", horizon)
    window = positive_integer("window", window, at_least=2 + k * order + k)
    step, limited = positive_integer("step", step), positive_integer("limited", limited)
    draws = require_generator(bootstrap, rng)
    if k < 2 or method not in METHODS:
        raise InputError(
            "unusable series or decomposition", given=(columns.shape, method), limit="k >= 2; " + ", ".join(METHODS)
        )
    labels = tuple(f"series {i + 1}" for i in range(k)) if names is None else tuple(str(name) for name in names)
    if len(labels) != k or len(set(labels)) != k:
        raise InputError("names must be distinct, one for each series", given=labels, limit=f"{k} names")
    whole = np.isfinite(columns).all(axis=1)
    if n < window + order or not whole.any():
        return Inapplicable(method=METHOD, reason=f"{n} rows hold no window of {window} rows and {order} lags")
    wanted = np.arange(n - 1, window + order - 2, -step)[::-1]
    coefs, sigma, nobs = window_systems(columns, order, wanted, window)
    good = nobs >= max(0.5 * window, 2 + k * order + k)
    good[good] = stable(coefs[good])
    if not good.any():
        return Inapplicable(method=METHOD, reason="no window has enough whole rows and a stable autoregression")
    ends = wanted[good]
    found = measures(batch_decomposition(coefs[good], sigma[good], horizon, method))
    places = np.unique(np.linspace(0, len(ends) - 1, limited).round().astype(int)) if draws else np.empty(0, dtype=int)
    total_limits, net_limits, kept = [], [], []
    for place in places:
        rows = columns[ends[place] + 1 - window - order : ends[place] + 1]
        answer = connectedness(
            rows, lags=order, horizon=horizon, method=method, bootstrap=draws, rng=rng, level=level, block=block
        )
        if isinstance(answer, ConnectednessResult) and answer.net_interval is not None:
            kept.append(int(ends[place]))
            total_limits.append(answer.total_interval)
            net_limits.append(answer.net_interval)
    used = int(np.isfinite(columns).all(axis=1).sum()) - order
    return RollingConnectedness(
        method=METHOD,
        names=labels,
        ends=ends,
        totals=found.total,
        net=found.net,
        limited_ends=np.array(kept, dtype=np.int64),
        total_limits=np.array(total_limits, dtype=np.float64).reshape(-1, 2),
        net_limits=np.array(net_limits, dtype=np.float64).reshape(-1, k, 2),
        interval_level=float(level),
        window=window,
        lags=order,
        horizon=horizon,
        nobs=used,
        nobs_lost=n - used,
        windows_lost=len(wanted) - len(ends),
        options={"method": method, "bootstrap": draws, "step": step, "block": block},
    )
