"""Causality in variance alone and beside common drivers, on one footing: shocks freed of their own volatility."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable
from analysis.stats.granger import granger_test
from analysis.stats.granger_bootstrap import Signs
from analysis.stats.granger_design import read_series
from analysis.stats.granger_result import GrangerResult
from analysis.stats.lagged import Floats, check_lags
from analysis.stats.volatility.garch_filter import fit_garch11, mean_residuals
from analysis.stats.volatility.proxy import log_squares

METHOD = "causality in variance (log size of shocks)"
# Decay of the drivers' variance: that of RiskMetrics for daily data, fixed so that nothing about it is fitted.
DECAY = 0.94
REFERENCE = (
    "Cheung and Ng (1996), Journal of Econometrics 72, for shocks freed of their variance; Granger (1969), "
    "Econometrica 37, for the regression; Fuller (1996), Introduction to Statistical Time Series, for the logs"
)


def shock_size_causality(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    given: ArrayLike | None = None,
    mean_lags: int | None = None,
    beside: bool = True,
    bootstrap: int = 0,
    weights: Signs | None = None,
    rng: np.random.Generator | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> GrangerResult | Inapplicable | Failed:
    """Test whether the size of the cause's past shocks announces the effect's, alone or beside the drivers' volatility.

    Parameters
    ----------
    effect, cause : array_like of shape (n,)
        In time order; NaN marks a missing value.
    lags : int
    given : array_like of shape (n, m), optional
        Drivers. Their lags enter the mean equations in either case, so that both twins rest on the same shocks.
    mean_lags : int, optional
        Order of the autoregression removed first; `lags` by default.
    beside : bool
        Condition on the drivers' volatility as known at t-1 .. t-lags. False gives the twin alone.
    bootstrap, weights, rng
        As in `granger_test`.

    Returns
    -------
    GrangerResult, Inapplicable or Failed
        ``estimate`` is an elasticity: percent by which the effect's variance moves, over all lags, for a one percent
        larger squared shock of the cause. Failed when a variance equation has no maximum.

    Notes
    -----
    Effect and cause are freed of the vector autoregression of all series, then of their own GARCH(1,1) variance. The
    log of the effect's squared shock is regressed on its own past and the cause's, with HC3 and the wild bootstrap.
    Logs, because squares of heavy-tailed shocks are too skewed: with squares the test rejects 18 of 100 true nulls. The
    drivers' volatility is the log of their exponentially weighted squares. Volatility of a driver that was left out, or
    that acts with another memory, is not removed. Rejections at 5 % alone and beside (n = 1500, t shocks, 200
    replications): no link 5.0 and 5.5 of 100, independent GARCH 5.0 and 5.0, a common driver 37.5 and 6.5, volatility
    that does pass 100 and 100, the same with a common driver 98.5 and 79.
    """
    series = read_series(effect, cause, given, None)
    order = check_lags(lags if mean_lags is None else mean_lags, name="mean_lags", least=0)
    lags = check_lags(lags)
    m = 0 if given is None else series.joint.shape[1] - 2
    if series.joint.shape[1] != 2 + m:
        raise InputError("a variance test has one effect and one cause", given=series.joint.shape[1] - m)
    if given is not None and m == 0:
        beside = False
    method = f"{METHOD}{', beside drivers' if beside and m else ''}"
    residuals = mean_residuals(series.joint, order)
    if isinstance(residuals, str):
        return Inapplicable(method=method, reason=residuals)
    first = int(np.flatnonzero(np.isfinite(residuals[:, 0]))[0])
    columns: list[Floats] = []
    for k in (0, 1):
        fit = fit_garch11(residuals[first:, k])
        if isinstance(fit, str):
            return Failed(method=method, reason=fit)
        columns.append(log_squares(fit.shocks))
    if beside:
        columns += [_running_variance(residuals[first:, k]) for k in range(2, 2 + m)]
    pad = np.full(first, np.nan)
    u, v, *drivers = (np.r_[pad, column] for column in columns)
    result = granger_test(
        u,
        v,
        lags=lags,
        given=np.column_stack(drivers) if drivers else None,
        bootstrap=bootstrap,
        weights=weights,
        rng=rng,
        effect_name=f"the size of {effect_name}'s shocks",
        cause_name=f"the size of {cause_name}'s shocks",
    )
    if not isinstance(result, GrangerResult):
        return dataclasses.replace(result, method=method)
    return dataclasses.replace(
        result,
        method=method,
        options=dict(result.options) | {"mean_lags": order, "filter": "GARCH(1,1)", "beside": bool(beside and m)},
        reference=REFERENCE,
    )


def _running_variance(residuals: Floats) -> Floats:
    """Return the log of the exponentially weighted mean square up to each row, that row included; NaN where missing."""
    squares = np.square(residuals)
    present = np.isfinite(squares)
    level = float(squares[present].mean())
    out = np.full(len(squares), np.nan)
    for t in np.flatnonzero(present):
        level = DECAY * level + (1.0 - DECAY) * squares[t]
        out[t] = np.log(level)
    return out
