"""What a forecast may read: series on the rows of the study, controls from the day they were published."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.market import calendars, returns
from analysis.market.alignment import align
from analysis.results import Inapplicable
from analysis.stats.forecast import ForecastPath, forecast_path
from analysis.stats.lagged import Floats
from analysis.study.inputs import Inputs

Scheme = Literal["expanding", "rolling"]
CLOCK: Literal["after"] = "after"
# Enough earlier sessions for the first change of a series that is published late.
_MARGIN = pd.Timedelta(days=30)
# Days a published value stands until the next one: a weekly release and a holiday.
_STANDS_DAYS = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Effect (n,), cause (n,) and controls (n, m) on the rows of the study, NaN in all where one is missing."""

    effect: Floats
    cause: Floats
    controls: Floats
    dates: pd.DatetimeIndex


def rows(inputs: Inputs, asset: str) -> Rows:
    """Return what was known, session by session: every model of an asset rests on the same rows.

    Raises
    ------
    DataError
        The return of the asset starts before the small-cap index closed: a forecast would look ahead.
    """
    small = inputs.plan.small_cap
    hours = inputs.panels[CLOCK].overlap_hours(asset, small)
    if hours > 0:
        raise DataError(
            f"{asset} cannot be forecast from {small} under clock {CLOCK!r}",
            given=f"the cause reaches {hours:.1f} hours into the window of the effect",
            cause="the catalogue declares observation times that do not fit the study",
            remedy="correct `observed` of the series in data/catalog.toml",
        )
    pair = inputs.returns(CLOCK, (asset, small))
    block = np.column_stack([pair, *(_published(inputs, name) for name in inputs.plan.controls)])
    complete = np.isfinite(block).all(axis=1)
    block[~complete] = np.nan
    return Rows(block[:, 0], block[:, 1], block[:, 2:], inputs.dates[complete])


def _published(inputs: Inputs, name: str) -> Floats:
    """Return a control as it could be read at each close: a reported series enters on the day it is published.

    Elsewhere in the study such a series stands at the day it describes, which is right for a question about influence
    and wrong for a forecast.
    """
    entry = inputs.catalog.entry(name)
    if entry.publication is None:
        return inputs.returns(CLOCK, (name,))[:, 0]
    sessions = calendars.nyse(inputs.dates[0] - _MARGIN, inputs.dates[-1])
    standing = entry.model_copy(update={"carry_days": max(entry.carry_days, _STANDS_DAYS)})
    placed = align(inputs.snapshot.frame(name), standing, sessions, clock=CLOCK, timing="published")
    changes = returns.transform(placed.values, entry.transform, series_id=name)
    frame = pd.Series(changes, index=pd.DatetimeIndex(sessions.dates))
    return frame.reindex(inputs.dates).to_numpy(dtype=np.float64)


def path(inputs: Inputs, found: Rows, *, scheme: Scheme, horizon: int, beside: bool) -> ForecastPath | Inapplicable:
    """Forecast an asset with own lags and small caps, alone or beside the controls."""
    settings = inputs.config.forecast
    return forecast_path(
        found.effect,
        found.cause,
        lags=settings.lags,
        own_lags=settings.own_lags,
        given=found.controls if beside and found.controls.shape[1] else None,
        criterion=settings.criterion,
        scheme=scheme,
        window=settings.window,
        horizon=horizon,
    )


def signal(inputs: Inputs, found: Rows) -> ForecastPath | Inapplicable:
    """Forecast an asset from small caps alone, with nothing that is known later than the equity close of the signal."""
    settings = inputs.config.forecast
    return forecast_path(
        found.effect, found.cause, lags=settings.lags, criterion=settings.criterion, window=settings.window, embargo=1
    )


def on_rows(values: Floats, at: ForecastPath, n: int) -> Floats:
    """Place forecasts with a known outcome on the rows of the study, so that gaps keep their length."""
    out = np.full(n, np.nan)
    out[at.origins[np.isfinite(at.actual)]] = values
    return out
