"""What passes from one series to a group and back: pairwise connectedness with limits, in all and by frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, Options, Result
from analysis.stats.connectedness.bootstrap import (
    block_draws,
    cautious_interval,
    default_block,
    estimate,
    rebuild,
)
from analysis.stats.connectedness.core import METHODS, band_decomposition, decomposition, measures, unbiased
from analysis.stats.connectedness.result import BANDS_REFERENCE, REFERENCE
from analysis.stats.granger_design import Series
from analysis.stats.granger_strength import STABILITY_LIMIT, FittedVar, fit_lags, var_radius
from analysis.stats.lagged import Floats, as_columns, as_numbers, check_lags
from analysis.stats.regression import positive_integer, require_generator

METHOD = "Directional connectedness"
_BLOCK_CELLS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpillResult(Result):
    """Connectedness in percent of forecast error variance, with limits; the bands add up to the long horizon.

    Attributes
    ----------
    names : tuple of str
    source : str
    targets : tuple of str
    table : ndarray of shape (k, k)
        Row: the series explained; column: the series whose shocks explain.
    values, limits : Mapping
        By measure: "total"; "given", the mean share of a target that the source explains; "received", the mean share of
        the source that a target explains; "net", given less received; and "net of <name>" of each series against all
        others. Limits are pairs, None without a bootstrap.
    band_values : Mapping
        By measure ("total", "given", "received", "net"): one number a band, in percent of the whole variance.
    band_limits : Mapping
        By measure: one pair a band.
    edges : tuple of float
        Limits of the bands in radians a step.
    """

    method: str
    names: tuple[str, ...]
    source: str
    targets: tuple[str, ...]
    table: np.ndarray
    values: Mapping[str, float]
    limits: Mapping[str, Any]
    edges: tuple[float, ...]
    band_values: Mapping[str, Any]
    band_limits: Mapping[str, Any]
    interval_level: float
    radius: float
    lags: int
    horizon: int
    nobs: int
    nobs_lost: int
    options: Mapping[str, Any] = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str = REFERENCE

    def summary(self) -> str:
        """Return every measure with its limits as text."""
        lines = [f"{self.method} of {self.source}, horizon {self.horizon}, percent"]
        for row in self.to_frame().itertuples():
            limits = "" if row.lower is None else f" [{row.lower:.4g}, {row.upper:.4g}]"
            band = "" if row.band < 0 else f", band {row.band + 1}"
            lines.append(f"  {row.measure}{band} = {row.estimate:.6g}{limits}")
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost), lags = {self.lags}")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a measure and band; band -1 is the whole."""
        rows: list[dict[str, Any]] = []
        for name, value in self.values.items():
            low, high = self.limits.get(name) or (None, None)
            rows.append({"measure": name, "band": -1, "estimate": value, "lower": low, "upper": high})
        for name, values in self.band_values.items():
            for band, value in enumerate(values):
                low, high = self.band_limits[name][band] if name in self.band_limits else (None, None)
                rows.append({"measure": name, "band": band, "estimate": value, "lower": low, "upper": high})
        frame = pd.DataFrame(rows)
        return frame.astype({"lower": object, "upper": object}).where(frame.notna(), None)


def directional_connectedness(
    data: ArrayLike,
    *,
    source: int,
    targets: Sequence[int],
    lags: int,
    horizon: int,
    bands: Sequence[float] = (0.0, np.pi),
    band_horizon: int = 100,
    method: str = "generalized",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    block: int | None = None,
    names: Sequence[str] | None = None,
) -> SpillResult | Inapplicable:
    """Measure what passes from one series of a system to some of the others, what comes back, and the difference.

    Parameters
    ----------
    data, lags, horizon, method, bootstrap, rng, level, block, names
        As in `connectedness`.
    source : int
        Column whose shocks pass on.
    targets : sequence of int
        Columns that may receive them; the other columns stand in the system as controls.
    bands : sequence of float
        As in `frequency_connectedness`.
    band_horizon : int
        Steps of the responses that are split over bands; well above the longest cycle of interest.

    Returns
    -------
    SpillResult or Inapplicable

    Raises
    ------
    InputError
        For a wrong shape, an infinite value or an option outside its set.

    Notes
    -----
    One set of rebuilt samples serves every measure, so that the limits of a difference know how its parts move
    together. Generalized shares of a row overlap where shocks are correlated: a net of zero does not mean that nothing
    passes, it means that as much comes back.

    References
    ----------
    Diebold and Yilmaz (2012), IJF 28; Baruník and Křehlík (2018), Journal of Financial Econometrics 16.
    """
    columns = as_columns(data, "data")
    k = columns.shape[1]
    labels = tuple(f"series {i + 1}" for i in range(k)) if names is None else tuple(str(name) for name in names)
    to = tuple(int(i) for i in targets)
    places = (int(source), *to)
    if k < 2 or not to or len(set(places)) != len(places) or min(places) < 0 or max(places) >= k:
        raise InputError("source and targets must be distinct columns", given=places, limit=f"0 to {k - 1}")
    if method not in METHODS or len(set(labels)) != k or len(labels) != k:
        raise InputError("unusable decomposition or names", given=(method, labels), limit=", ".join(METHODS))
    edges = as_numbers(bands, "bands")
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all() or abs(edges[0]) > 1e-12:
        raise InputError("bands must rise strictly from 0 to pi", given=tuple(np.ravel(edges)), remedy="(0, ..., pi)")
    if abs(edges[-1] - np.pi) > 1e-9:
        raise InputError("the last band must end at pi", given=float(edges[-1]), remedy="(0, ..., np.pi)")
    edges[[0, -1]] = 0.0, np.pi
    draws = require_generator(bootstrap, rng)
    if 0 < draws < 99 or not 0.5 <= level < 1.0:
        raise InputError("unusable samples or level", given=(draws, level), limit="0 or at least 99; 0.5 to below 1")
    order = check_lags(lags)
    steps = (positive_integer("horizon", horizon), positive_integer("band_horizon", band_horizon))
    fit = fit_lags(
        Series(columns[:, :1], columns[:, 1:], np.empty((len(columns), 0)), np.ones(len(columns), dtype=bool)),
        order,
        "c",
    )
    if isinstance(fit, str):
        return Inapplicable(method=METHOD, reason=fit)
    radius = var_radius(fit.coefs)
    if radius >= STABILITY_LIMIT:
        return Inapplicable(
            method=METHOD, reason=f"the fitted autoregression is not stable (largest root {radius:.6f})"
        )
    what = _Question(int(source), to, *steps, method, edges)
    point = what.numbers(fit.coefs, fit.sigma)
    nobs = len(fit.responses)
    length = min(nobs, default_block(nobs) if block is None else positive_integer("block", block))
    ends = None if rng is None or not draws else _limits(fit, what, draws, length, level, rng)
    layout = what.layout(labels)
    values, limits, band_values, band_limits = _named(layout, point, ends, len(edges) - 1)
    near = radius > 0.98
    return SpillResult(
        method=METHOD,
        names=labels,
        source=labels[what.source],
        targets=tuple(labels[i] for i in to),
        table=decomposition(fit.coefs, fit.sigma, steps[0], method),
        values=values,
        limits=limits,
        edges=tuple(edges.tolist()),
        band_values=band_values,
        band_limits=band_limits,
        interval_level=float(level),
        radius=radius,
        lags=order,
        horizon=steps[0],
        nobs=nobs,
        nobs_lost=len(columns) - nobs,
        options={"method": method, "bootstrap": draws, "block": length if draws else None, "band_horizon": steps[1]},
        warnings=(f"the series are close to a unit root (largest root {radius:.4f})",) if near else (),
        reference=f"{REFERENCE}; {BANDS_REFERENCE}",
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """Which numbers are drawn from each vector autoregression, in one row."""

    source: int
    targets: tuple[int, ...]
    horizon: int
    band_horizon: int
    method: str
    edges: Floats

    def numbers(self, coefs: Floats, sigma: Floats) -> Floats:
        """Return total, given, received, net, net of each series, then total, given, received, net of each band."""
        table = decomposition(coefs, sigma, self.horizon, self.method)
        whole = self._directions(table)
        found = measures(table)
        bands = band_decomposition(coefs, sigma, self.band_horizon, self.method, self.edges)
        return np.concatenate([whole, found.net, np.ravel([self._directions(part) for part in bands])])

    def _directions(self, table: Floats) -> Floats:
        given = float(np.mean([table[i, self.source] for i in self.targets]))
        received = float(np.mean([table[self.source, i] for i in self.targets]))
        return np.array([float(measures(table).total), given, received, given - received])

    def layout(self, names: Sequence[str]) -> tuple[str, ...]:
        """Name the numbers of the whole, in order; each band then has the first four."""
        return ("total", "given", "received", "net", *(f"net of {name}" for name in names))


def _limits(fit: FittedVar, what: _Question, draws: int, block: int, level: float, rng: np.random.Generator) -> Floats:
    """Return limits (numbers, 2) from samples rebuilt as `connectedness` rebuilds them."""
    p, k, _ = fit.coefs.shape
    n = len(fit.responses)
    coefs = unbiased(fit.coefs, fit.sigma, n)
    lagged = fit.design[:, fit.n_deterministic :].reshape(n, k, p).transpose(0, 2, 1).reshape(n, p * k)
    lagged = lagged - np.tile(fit.responses.mean(axis=0), p)
    rows: list[Floats] = []
    size = max(1, _BLOCK_CELLS // (n * k))
    for first in range(0, draws, size):
        count = min(size, draws - first)
        shocks = block_draws(fit.residuals, block, count, rng)
        paths = rebuild(coefs, lagged[rng.integers(0, n, size=count)], shocks)
        rows.extend(what.numbers(*estimate(path, p)) for path in paths)
    point, truth = what.numbers(fit.coefs, fit.sigma), what.numbers(coefs, fit.sigma)
    return cautious_interval(point, np.stack(rows), truth, level)


def _named(
    layout: tuple[str, ...], point: Floats, ends: Floats | None, bands: int
) -> tuple[dict[str, float], dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Give names to the numbers; shares stop at 0 and 100."""
    width = len(layout)
    values = dict(zip(layout, point[:width].tolist(), strict=True))
    by_band = point[width:].reshape(bands, 4)
    band_values = {name: tuple(by_band[:, i].tolist()) for i, name in enumerate(layout[:4])}
    if ends is None:
        return values, {}, band_values, {}

    def clipped(name: str, pair: Floats) -> tuple[float, float]:
        low, high = pair if name.startswith("net") else np.clip(pair, 0.0, 100.0)
        return float(low), float(high)

    limits = {name: clipped(name, ends[i]) for i, name in enumerate(layout)}
    band_ends = ends[width:].reshape(bands, 4, 2)
    band_limits = {
        name: tuple(clipped(name, band_ends[band, i]) for band in range(bands)) for i, name in enumerate(layout[:4])
    }
    return values, limits, band_values, band_limits
