"""Forecasts as they could have been made: every one from the rows known at its origin, lag orders chosen there too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, Options
from analysis.stats.forecast.path_result import METHOD, ForecastPath
from analysis.stats.granger_design import CRITERIA, Series, read_series
from analysis.stats.lagged import Bools, Floats, Ints, check_lags, lag_columns

SCHEMES = ("expanding", "rolling")
FEWEST_FORECASTS = 20


def forecast_path(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int = 1,
    own_lags: int = 0,
    given: ArrayLike | None = None,
    given_lags: int = 1,
    criterion: str | None = None,
    scheme: str = "expanding",
    window: int = 500,
    horizon: int = 1,
    step: int = 1,
    embargo: int = 0,
) -> ForecastPath | Inapplicable:
    """Forecast the effect from the past of the cause, at every origin from what was known there.

    Parameters
    ----------
    effect : array of shape (n,)
        In time order. NaN marks a missing observation; a row needs all of its values and no gap is bridged.
    cause : array of shape (n,) or (n, k)
        Row t must be known when row t of the effect ends.
    lags : int
        Latest values of the cause used: rows t .. t-lags+1. With a criterion the largest number tried, one the least.
    own_lags : int
        The same for the effect; with a criterion from 0 to so many.
    given : array of shape (n, m), optional
        Further predictors, `given_lags` values each; they stand in the model and in the benchmark ``controls``.
    criterion : {"aic", "bic", "hqic"}, optional
        Chooses own lags and then lags of the cause anew in every window; None takes all lags.
    scheme : {"expanding", "rolling"}
    window : int
        Training rows: exactly the last so many when rolling, at least so many when expanding.
    horizon : int
        The target is the sum of the effect over so many rows after the origin, forecast directly.
    step : int
        Rows between origins; `horizon` gives outcomes that do not overlap.
    embargo : int
        Rows before the origin at which training outcomes end at the latest. With 1 and without own lags a forecast
        rests on nothing that the effect's own row t tells, so it can be made before that row ends.

    Returns
    -------
    ForecastPath or Inapplicable
        Inapplicable when fewer than 20 forecasts have an outcome.

    Raises
    ------
    InputError
        For wrong shapes or options outside their range, a window too short for its coefficients among them.

    Notes
    -----
    Timing: the forecast at origin t reads rows up to t; training rows are those whose outcome ended at t less the
    embargo, or before. All
    lag orders share the training rows. Models are nested, mean in own in controls in model, and own lags are chosen for
    the second and kept in the others. Cost: n p² for an expanding window and n p³ for a rolling one, whatever its
    length; an origin at which a column is dependent to 1e-11 of its length has no forecast.

    References
    ----------
    West (2006); Clark and McCracken (2013).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, e = rng.standard_normal((2, 400))
    >>> path = forecast_path(0.5 * np.r_[0, x[:-1]] + e, x, window=100)
    >>> path.nobs, path.horizon
    (299, 1)
    """
    series = read_series(effect, cause, given, None)
    if series.effect.shape[1] != 1:
        raise InputError("a forecast has one effect", given=series.effect.shape, limit="shape (n,)")
    design = _Design(
        lags=check_lags(lags),
        own_lags=check_lags(own_lags, name="own_lags", least=0),
        given_lags=check_lags(given_lags, name="given_lags"),
        k=series.cause.shape[1],
        m=series.given.shape[1],
        horizon=check_lags(horizon, name="horizon"),
        step=check_lags(step, name="step"),
        embargo=check_lags(embargo, name="embargo", least=0),
        window=check_lags(window, name="window", least=10),
        criterion=criterion,
        scheme=scheme,
    )
    _check(design)
    found = _forecasts(series, design)
    if found.nobs < FEWEST_FORECASTS:
        return Inapplicable(
            method=METHOD,
            reason=f"{found.nobs} forecasts with an outcome after {design.window} training rows; "
            f"{FEWEST_FORECASTS} are needed",
        )
    return found


@dataclass(frozen=True, slots=True)
class _Design:
    """Checked options and the width of the cause (k) and of the given series (m)."""

    lags: int
    own_lags: int
    given_lags: int
    k: int
    m: int
    horizon: int
    step: int
    embargo: int
    window: int
    criterion: str | None
    scheme: str

    @property
    def width(self) -> int:
        """Largest number of coefficients."""
        return 1 + self.own_lags + self.m * self.given_lags + self.k * self.lags


def _check(design: _Design) -> None:
    if design.scheme not in SCHEMES:
        raise InputError("unknown scheme", given=repr(design.scheme), limit=", ".join(SCHEMES))
    if design.criterion is not None and design.criterion not in CRITERIA:
        raise InputError("unknown criterion", given=repr(design.criterion), limit=", ".join(CRITERIA))
    if design.window < 2 * design.width:
        raise InputError(
            "the training window is too short for the coefficients",
            given=f"{design.window} rows for {design.width} coefficients",
            limit="at least two rows a coefficient",
        )


def _forecasts(series: Series, design: _Design) -> ForecastPath:
    """Run every own order over all origins and keep, at each origin, what the criterion chose there."""
    from analysis.stats.forecast.kernels import nested_forecasts

    y, n, h = series.effect[:, 0], len(series), design.horizon
    target = _sums_ahead(y, h)
    own = _now_and_before(series.effect, design.own_lags)
    given = _now_and_before(series.given, design.given_lags)
    # Lag by lag, so that a smaller order is a leading part of the columns of a larger one.
    blocks = _now_and_before(series.cause, design.lags).reshape(n, design.k, design.lags)
    cause: Floats = blocks.transpose(0, 2, 1).reshape(n, design.k * design.lags)
    known: Bools = np.asarray(np.isfinite(np.hstack([own, given, cause])).all(axis=1))
    rows: Ints = np.flatnonzero(known & np.isfinite(target))
    training = np.searchsorted(rows, np.arange(n) - h - design.embargo, side="right")
    start = int(np.searchsorted(training, design.window))
    origins = np.arange(start, n, design.step)
    lost = int((~known[origins]).sum())
    origins = origins[known[origins]]
    orders = range(design.own_lags + 1) if design.criterion else (design.own_lags,)
    tables = []
    for order in orders:
        Z = np.column_stack([np.ones(n), own[:, :order], given, cause, target])
        Z[~known] = 0.0
        tables.append(
            nested_forecasts(
                np.nan_to_num(Z), rows, origins, training[origins], window=design.window,
                rolling=design.scheme == "rolling",
            )
        )  # fmt: skip
    used = np.minimum(training[origins], design.window) if design.scheme == "rolling" else training[origins]
    return _chosen(tables, list(orders), design, origins, target[origins], used, lost)


def _now_and_before(columns: Floats, count: int) -> Floats:
    """Return the latest `count` values of every column as of each row, column by column."""
    return lag_columns(columns, range(count)) if count else np.empty((len(columns), 0))


def _sums_ahead(y: Floats, horizon: int) -> Floats:
    """Return the sum over the `horizon` rows after each row; NaN where one is missing."""
    out = np.full(len(y), np.nan)
    if len(y) > horizon:
        windows = np.lib.stride_tricks.sliding_window_view(y[1:], horizon)
        out[: len(windows)] = windows.sum(axis=1)
    return out


def _chosen(
    tables: list[tuple[Floats, Floats]],
    orders: list[int],
    design: _Design,
    origins: Ints,
    actual: Floats,
    training: Ints,
    lost: int,
) -> ForecastPath:
    """Choose own lags on the regression without the cause, then lags of the cause, origin by origin."""
    forecasts, rss = (np.full((len(tables), len(origins), design.width + 1), np.nan) for _ in range(2))
    for i, (forecast, squares) in enumerate(tables):
        forecasts[i, :, : forecast.shape[1]], rss[i, :, : squares.shape[1]] = forecast, squares
    at = np.arange(len(origins))
    by_own = np.stack([_score(rss[i][:, 1 + p], 1 + p, training, design) for i, p in enumerate(orders)])
    best = np.argmin(np.where(np.isnan(by_own), np.inf, by_own), axis=0)
    own = np.array(orders)[best]
    base = 1 + own + design.m * design.given_lags
    tried = np.arange(1, design.lags + 1) if design.criterion else np.array([design.lags])
    sizes = base[:, None] + tried * design.k
    by_lag = _score(rss[best[:, None], at[:, None], sizes], sizes, training[:, None], design)
    pick = np.argmin(np.where(np.isnan(by_lag), np.inf, by_lag), axis=1)
    path = ForecastPath(
        origins=origins,
        actual=actual,
        mean=forecasts[best, at, 1],
        own=forecasts[best, at, 1 + own],
        controls=forecasts[best, at, base],
        model=forecasts[best, at, sizes[at, pick]],
        own_order=own,
        lag_order=tried[pick],
        training=training,
        scheme=design.scheme,
        horizon=design.horizon,
        step=design.step,
        window=design.window,
        nobs_lost=lost,
        options=Options(
            {
                "lags": design.lags,
                "own_lags": design.own_lags,
                "given_lags": design.given_lags,
                "n_given": design.m,
                "criterion": design.criterion,
                "embargo": design.embargo,
            }
        ),
    )
    usable = np.isfinite(np.stack([path.mean, path.own, path.controls, path.model])).all(axis=0)
    if usable.all():
        return path
    kept = {name: getattr(path, name)[usable] for name in _ARRAYS}
    return replace(path, **kept, nobs_lost=lost + int((~usable).sum()))


_ARRAYS = ("origins", "actual", "mean", "own", "controls", "model", "own_order", "lag_order", "training")


def _score(rss: Floats, size: Any, rows: Any, design: _Design) -> Floats:
    """Return the information criterion of a regression with `size` coefficients."""
    if design.criterion is None:
        return np.asarray(rss)
    penalty = {"aic": 2.0 + 0.0 * rows, "bic": np.log(rows), "hqic": 2.0 * np.log(np.log(rows))}[design.criterion]
    return rows * np.log(np.maximum(rss, 1e-300) / rows) + penalty * size
