"""The small system whose connectedness is measured: small caps, large caps, two assets and a basket of the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.stats.lagged import Floats
from analysis.stats.volatility.proxy import log_realized, log_squares
from analysis.study.config import Clock
from analysis.study.inputs import Inputs

BASKET = "Other crypto"
SESSIONS_A_WEEK = 5


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """Columns of one measure.

    Attributes
    ----------
    names : tuple of str
        Labels; the first is that of small caps.
    keys : tuple of str
        What each column is called in a result id.
    data : ndarray of shape (n, k)
    dates : DatetimeIndex of shape (n,)
        Session at whose close each row is known.
    targets : tuple of int
        Columns of crypto.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    data: Floats
    dates: pd.DatetimeIndex
    targets: tuple[int, ...]


def build(inputs: Inputs, measure: str, clock: Clock) -> System | str:
    """Return the system of a measure under a clock, or in words why there is none.

    Notes
    -----
    Volatility is the log of squared returns added over the sessions of a week: one square tells the day's variance with
    a noise of ten times the variance that five tell the week's with. A volatility index is left out, for it is a
    forecast of the large caps' volatility and not a market beside them. The daily measure takes the log of each square
    and removes the difference between sessions after closed days and others, which crypto's longer window makes.
    """
    columns, names, keys, first_crypto = _members(inputs, clock)
    if len(names) - first_crypto < 2:
        return "a system needs two crypto assets at least"
    dates = inputs.dates
    if measure == "returns":
        return System(names, keys, columns, dates, tuple(range(first_crypto, len(names))))
    if any(not np.square(column[np.isfinite(column)]).sum() > 0 for column in columns.T):
        return "a series has no variation in this sample"
    if measure == "volatility":
        weeks = ((dates - pd.Timestamp("1970-01-05")).days // 7).to_numpy()
        values, last = zip(*(log_realized(column, weeks) for column in columns.T), strict=True)
        return System(names, keys, np.column_stack(values), dates[last[0]], tuple(range(first_crypto, len(names))))
    after_gap = inputs.panels[clock].weekend_indicator.to_numpy(dtype=bool)
    daily = np.column_stack([log_squares(column) for column in columns.T])
    for rows in (after_gap, ~after_gap):
        if rows.any():
            known = np.isfinite(daily[rows]).any(axis=0)
            daily[np.ix_(rows, known)] -= np.nanmean(daily[rows][:, known], axis=0)
    return System(names, keys, daily, dates, tuple(range(first_crypto, len(names))))


def _members(inputs: Inputs, clock: Clock) -> tuple[Floats, tuple[str, ...], tuple[str, ...], int]:
    """Return returns (n, k), labels, keys and the place of the first crypto column."""
    plan = inputs.plan
    large = [name for name in plan.controls if inputs.catalog.entry(name).role == "large_cap"][:1]
    single = [plan.small_cap, *large, *plan.crypto[:2]]
    columns = inputs.returns(clock, tuple(single))
    names, keys = [inputs.label(name) for name in single], ["small", *(["large"] if large else []), "first", "second"]
    others = plan.crypto[2:]
    if len(others) >= inputs.config.spillover.basket_least:
        block = inputs.returns(clock, others)
        present = np.isfinite(block)
        count = present.sum(axis=1)
        mean = np.where(present, block, 0.0).sum(axis=1) / np.maximum(count, 1)
        columns = np.column_stack([columns, np.where(count >= inputs.config.spillover.basket_least, mean, np.nan)])
        names.append(BASKET)
        keys.append("others")
    return columns, tuple(names), tuple(keys[: len(names)]), 1 + len(large)
