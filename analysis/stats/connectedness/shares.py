"""Connectedness: how much of each series' forecast error the shocks of the others explain, with sampling error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, Options
from analysis.stats.connectedness.bootstrap import bootstrap_tables, cautious_interval, default_block
from analysis.stats.connectedness.core import METHODS, band_decomposition, decomposition, measures
from analysis.stats.connectedness.result import ConnectednessResult, FrequencyConnectedness
from analysis.stats.granger_design import Series
from analysis.stats.granger_strength import STABILITY_LIMIT, FittedVar, fit_lags, var_radius
from analysis.stats.lagged import Floats, as_columns, as_numbers, check_lags
from analysis.stats.regression import positive_integer, require_generator

METHOD, BANDS = "Connectedness", "Connectedness by frequency band"


@dataclass(frozen=True, slots=True)
class _Request:
    """Checked inputs: data (n, k), names, lags, horizon."""

    data: Floats
    names: tuple[str, ...]
    lags: int
    horizon: int


def _read(data: ArrayLike, lags: int, horizon: int, method: str, names: Sequence[str] | None) -> _Request:
    columns = as_columns(data, "data")
    k = columns.shape[1]
    if k < 2:
        raise InputError("connectedness needs at least two series", given=columns.shape, limit="shape (n, k), k >= 2")
    if method not in METHODS:
        raise InputError("unknown decomposition", given=repr(method), limit=", ".join(METHODS))
    labels = tuple(f"series {i + 1}" for i in range(k)) if names is None else tuple(str(name) for name in names)
    if len(set(labels)) != k or len(labels) != k:
        raise InputError("names must be distinct, one for each series", given=labels, limit=f"{k} names")
    return _Request(columns, labels, check_lags(lags), positive_integer("horizon", horizon))


def _fit(request: _Request, title: str) -> tuple[FittedVar, float] | Inapplicable:
    """Return the fitted vector autoregression and its largest root, or why there is none to decompose."""
    X = request.data
    whole = np.ones(len(X), dtype=bool)
    fit = fit_lags(Series(X[:, :1], X[:, 1:], np.empty((len(X), 0)), whole), request.lags, "c")
    if isinstance(fit, str):
        return Inapplicable(method=title, reason=fit)
    radius = var_radius(fit.coefs)
    if radius >= STABILITY_LIMIT:
        reason = f"the fitted autoregression is not stable (largest root {radius:.6f}); take changes of the series"
        return Inapplicable(method=title, reason=reason)
    return fit, radius


def connectedness(
    data: ArrayLike,
    *,
    lags: int,
    horizon: int,
    method: str = "generalized",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    block: int | None = None,
    names: Sequence[str] | None = None,
) -> ConnectednessResult | Inapplicable:
    """Measure how much of each series' forecast error variance the shocks of the other series explain.

    Parameters
    ----------
    data : array_like of shape (n, k)
        Stationary series by column. NaN marks a missing value; a row needs all series at t .. t-lags.
    lags : int
        Order of the vector autoregression, which has a constant.
    horizon : int
        Responses at steps 0 .. horizon - 1 are added, that is the error of a forecast `horizon` steps ahead.
    method : {"generalized", "cholesky"}
        Generalized shares do not depend on the order of the columns and are scaled so that rows sum to 100; Cholesky
        shares are orthogonal but give the earlier column all that both share.
    bootstrap : int
        Samples for the limits; 0 for none, else at least 99.
    rng : Generator, optional
        Needed when `bootstrap` is not 0.
    level : float
        Nominal coverage; see Notes.
    block : int, optional
        Length of the blocks of residuals, 5.03 n^(1/4) by default; 1 treats errors as independent in time.
    names : sequence of str, optional

    Returns
    -------
    ConnectednessResult or Inapplicable
        Inapplicable for too few rows, collinear series or an unstable fit.

    Raises
    ------
    InputError
        For a wrong shape, an infinite value or an option outside its set.

    Notes
    -----
    Samples are rebuilt from bias-corrected coefficients (Pope 1990; Kilian 1998) and moving blocks of residuals
    (Brüggemann, Jentsch and Trenkler 2016), which keep volatility clusters and the correlation within a row. Limits
    hold both the interval of the draws and that of their errors, so they cover at least as often as stated; those of
    shares and sums stop at 0. A lower limit of 0 for the total means that no connectedness cannot be ruled out.
    Lasting gaps are not rebuilt: samples are as long as the rows used.

    References
    ----------
    Diebold and Yilmaz (2012), IJF 28; Pesaran and Shin (1998), Economics Letters 58.

    Examples
    --------
    >>> draws = np.random.default_rng(0).standard_normal((200, 2))
    >>> result = connectedness(draws, lags=1, horizon=10, method="cholesky")
    >>> bool(np.allclose(result.table.sum(axis=1), 100.0))
    True
    """
    request = _read(data, lags, horizon, method, names)
    draws = require_generator(bootstrap, rng)
    if 0 < draws < 99:
        raise InputError("too few samples for limits", given=draws, limit="0 or at least 99")
    if not 0.5 <= level < 1.0:
        raise InputError("level must be a coverage", given=level, limit="0.5 to below 1")
    length = None if block is None else positive_integer("block", block)
    fitted = _fit(request, METHOD)
    if isinstance(fitted, Inapplicable):
        return fitted
    fit, radius = fitted
    table = decomposition(fit.coefs, fit.sigma, request.horizon, method)
    found = measures(table)
    nobs = len(fit.responses)
    length = min(nobs, default_block(nobs) if length is None else length)
    limits: dict[str, Any] = (
        {} if rng is None or not draws else _limits(fit, request.horizon, method, level, draws, length, rng)
    )
    return ConnectednessResult(
        method=METHOD,
        names=request.names,
        table=table,
        total=float(found.total),
        to=found.to,
        from_=found.from_,
        net=found.net,
        interval_level=float(level),
        radius=radius,
        lags=request.lags,
        horizon=request.horizon,
        nobs=nobs,
        nobs_lost=len(request.data) - nobs,
        options=Options({"method": method, "bootstrap": draws, "block": length if draws else None}),
        warnings=_cautions(radius, method),
        **limits,
    )


def _limits(
    fit: FittedVar, horizon: int, method: str, level: float, draws: int, block: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the limits of every number, and the bias of the total."""
    tables, truth = bootstrap_tables(fit, horizon, method, draws=draws, block=block, rng=rng)
    table = decomposition(fit.coefs, fit.sigma, horizon, method)
    point, sample, centre = measures(table), measures(tables), measures(truth)
    k = len(table)
    total = cautious_interval(point.total, sample.total, centre.total, level)
    return {
        "total_interval": tuple(float(end) for end in np.clip(total, 0.0, 100.0)),
        "table_interval": np.clip(cautious_interval(table, tables, truth, level), 0.0, 100.0),
        "to_interval": np.clip(cautious_interval(point.to, sample.to, centre.to, level), 0.0, 100.0 * (k - 1)),
        "from_interval": np.clip(cautious_interval(point.from_, sample.from_, centre.from_, level), 0.0, 100.0),
        "net_interval": cautious_interval(point.net, sample.net, centre.net, level),
        "total_bias": float(np.mean(sample.total - centre.total)),
    }


def _cautions(radius: float, method: str) -> tuple[str, ...]:
    out = []
    if radius > 0.98:
        out.append(f"the series are close to a unit root (largest root {radius:.4f}): long horizons are poorly known")
    if method == "cholesky":
        out.append("the shares depend on the order of the columns")
    return tuple(out)


def frequency_connectedness(
    data: ArrayLike,
    *,
    lags: int,
    horizon: int,
    bands: Sequence[float],
    method: str = "generalized",
    names: Sequence[str] | None = None,
) -> FrequencyConnectedness | Inapplicable:
    """Split connectedness into contributions of bands of frequency, short cycles to long ones.

    Parameters
    ----------
    data, lags, method, names
        As in `connectedness`.
    horizon : int
        Responses at steps 0 .. horizon - 1 enter; take it well above the longest cycle of interest, for a response cut
        short has no sharp frequency.
    bands : sequence of float
        Limits of the bands in radians a step, strictly rising from 0 to pi. Cycles of 2 to 5 steps are the band from
        2 pi / 5 to pi.

    Returns
    -------
    FrequencyConnectedness or Inapplicable

    Raises
    ------
    InputError
        For a wrong shape, an infinite value or an option outside its set.

    References
    ----------
    Baruník and Křehlík (2018), Journal of Financial Econometrics 16.
    """
    request = _read(data, lags, horizon, method, names)
    edges = as_numbers(bands, "bands")
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all() or abs(edges[0]) > 1e-12:
        raise InputError("bands must rise strictly from 0 to pi", given=tuple(np.ravel(edges)), remedy="(0, ..., pi)")
    if abs(edges[-1] - np.pi) > 1e-9:
        raise InputError("the last band must end at pi", given=float(edges[-1]), remedy="(0, ..., np.pi)")
    edges[[0, -1]] = 0.0, np.pi
    fitted = _fit(request, BANDS)
    if isinstance(fitted, Inapplicable):
        return fitted
    fit, radius = fitted
    tables = band_decomposition(fit.coefs, fit.sigma, request.horizon, method, edges)
    found = measures(tables)
    nobs = len(fit.responses)
    return FrequencyConnectedness(
        method=BANDS,
        names=request.names,
        edges=tuple(edges.tolist()),
        tables=tables,
        totals=found.total,
        within=100.0 * found.from_.sum(axis=1) / tables.sum(axis=(1, 2)),
        to=found.to,
        from_=found.from_,
        net=found.net,
        total=float(found.total.sum()),
        radius=radius,
        lags=request.lags,
        horizon=request.horizon,
        nobs=nobs,
        nobs_lost=len(request.data) - nobs,
        options=Options({"method": method}),
        warnings=_cautions(radius, method),
    )
