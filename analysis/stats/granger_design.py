"""Which rows and columns a Granger regression uses, and how its lag order is chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, Result
from analysis.stats.covariance import Partialled, partial_out
from analysis.stats.lagged import (
    Bools,
    Floats,
    Ints,
    as_columns,
    check_lags,
    check_trend,
    deterministic,
    is_deficient,
    lag_columns,
    same_index,
    standardise,
)

CRITERIA = ("aic", "bic", "hqic")
LARGEST_LOG = 700.0
ROUNDED = 16 * np.finfo(float).eps  # residuals over the level of the effect that rounding of the data explains
SELECTION_REFERENCE = "Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, section 4.3"


@dataclass(frozen=True, slots=True)
class Series:
    """Checked inputs: effects (n, m), causes (n, k), conditioning series (n, g) or (n, 0), allowed rows (n,)."""

    effect: Floats
    cause: Floats
    given: Floats
    allowed: Bools

    @property
    def joint(self) -> Floats:
        """All series side by side."""
        return np.hstack([self.effect, self.cause, self.given])

    def standardised(self, trend: str) -> tuple[Series, Ints]:
        """Return the series as `lagged.standardise` leaves them, and the exponents of their units, one a column."""
        values, exponents = standardise(self.joint, trend)
        m, c = self.effect.shape[1], self.cause.shape[1]
        effect, cause, given = np.split(values, [m, m + c], axis=1)
        return Series(effect, cause, given, self.allowed), exponents

    def __len__(self) -> int:
        return len(self.effect)


def read_series(effect: ArrayLike, cause: ArrayLike, given: ArrayLike | None, mask: ArrayLike | None) -> Series:
    """Check shapes and values of the inputs; raises InputError naming the one that is wrong."""
    same_index(effect=effect, cause=cause, given=given, mask=mask)
    y, x = as_columns(effect, "effect"), as_columns(cause, "cause")
    n = len(y)
    z = np.empty((n, 0)) if given is None or np.size(given) == 0 else as_columns(given, "given")
    for name, array in (("cause", x), ("given", z)):
        if len(array) != n:
            raise InputError(
                f"effect and {name} differ in length",
                given=(n, len(array)),
                limit="one row an observation time in every array",
                remedy="align the series first; mark what is missing with NaN",
            )
    return Series(y, x, z, _flags(mask, n))


def _flags(mask: ArrayLike | None, n: int) -> Bools:
    """Return which rows are allowed, all without a mask; raises InputError for what is not one flag a row."""
    flags = np.ones(n, dtype=bool) if mask is None else np.array(mask)
    if flags.dtype != np.bool_ or flags.shape != (n,):
        raise InputError(
            "mask must hold one flag for every row", given=(str(flags.dtype), flags.shape), limit=f"bool ({n},)"
        )
    return flags


@dataclass(frozen=True, slots=True)
class Design:
    """The regression rows: responses (r, m), kept columns (r, w), tested columns (r, q), places in time (r,)."""

    response: Floats
    kept: Floats
    tested: Floats
    rows: Ints


def build_design(series: Series, *, lags: int, extra_lags: int = 0, trend: str = "c") -> Design:
    """Return the rows on which every needed value is present.

    Notes
    -----
    A row needs the effects at t and every series at t-1 .. t-lags-extra_lags; a missing value removes the rows that
    need it and no gap is ever bridged. Tested are lags 1..lags of the causes, cause by cause; kept are the
    deterministic terms, the lags of the effects and of the conditioning series, and the extra lags of the causes.
    """
    reach = range(1, lags + extra_lags + 1)
    tested = lag_columns(series.cause, reach[:lags])
    extra = lag_columns(series.cause, reach[lags:]) if extra_lags else np.empty((len(series), 0))
    own = [lag_columns(series.effect, reach)]
    others = [lag_columns(series.given, reach)] if series.given.shape[1] else []
    kept = np.hstack([deterministic(len(series), trend), *own, *others, extra])
    use = series.allowed & np.isfinite(np.hstack([series.effect, kept, tested])).all(axis=1)
    rows = np.flatnonzero(use)
    return Design(series.effect[rows], kept[rows], tested[rows], rows)


@dataclass(frozen=True, slots=True)
class MeanFit:
    """A fit in standard units, and what it takes to state it in the units of the data.

    Attributes
    ----------
    fit : Partialled
    design : Design
    response : ndarray of shape (r, m)
        The effects with their level and trend, in the units of the fit.
    shift : ndarray of shape (m, k)
        A coefficient of a cause's lag is that of the fit times 2**shift.
    """

    fit: Partialled
    design: Design
    response: Floats
    shift: Ints

    def beyond_floats(self, what: str) -> str:
        """Return the reason for a number of the coefficients that a float cannot hold in the units of the data."""
        size = round(math.log10(2.0) * float(self.shift.flat[np.argmax(np.abs(self.shift))]))
        return f"a float cannot hold {what} of about 1e{size:+d}: change the unit of effect or cause"


def fit_mean(series: Series, *, lags: int, extra_lags: int = 0, trend: str = "c") -> MeanFit | str:
    """Fit effects on their own and the other lags in standard units; a text is the reason why it cannot be done."""
    own, exponents = series.standardised(trend)
    design = build_design(own, lags=lags, extra_lags=extra_lags, trend=trend)
    fit = partial_out(design.response, design.kept, design.tested, design.rows)
    if isinstance(fit, str):
        return fit
    m, c = series.effect.shape[1], series.cause.shape[1]
    response = np.ldexp(series.effect[design.rows], -exponents[:m])
    if (np.linalg.norm(fit.residuals, axis=0) <= ROUNDED * np.linalg.norm(response, axis=0)).any():
        return "the residuals are no larger than the rounding of the effect, which leaves nothing to test with"
    return MeanFit(fit, design, response, exponents[:m, None] - exponents[m : m + c])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LagSelection(Result):
    """Information criteria of a vector autoregression for orders 1..max_lags on one common sample.

    Attributes
    ----------
    chosen : Mapping
        Order by criterion: aic, bic, hqic and fpe.
    values : Mapping
        Criterion by order, a tuple each.
    max_lags, nobs : int
    trend : str
    """

    chosen: Mapping[str, int]
    values: Mapping[str, Sequence[float]]
    max_lags: int
    nobs: int
    trend: str
    reference: str = SELECTION_REFERENCE

    def summary(self) -> str:
        """Return the chosen orders as one line of text."""
        chosen = ", ".join(f"{name} {order}" for name, order in self.chosen.items())
        return f"Lag order among 1..{self.max_lags} on {self.nobs} common rows: {chosen}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row an order with every criterion."""
        criteria = {name: list(values) for name, values in self.values.items()}
        return pd.DataFrame({"lags": range(1, self.max_lags + 1)} | criteria)


def select_lags(
    series: ArrayLike, *, max_lags: int, trend: str = "c", mask: ArrayLike | None = None
) -> LagSelection | Inapplicable:
    """Compare vector autoregressions of order 1..max_lags on the rows that order max_lags can use.

    Parameters
    ----------
    series : array of shape (n, k)
        NaN marks a missing observation; a row enters only when it and its max_lags predecessors are whole.
    max_lags : int
    trend : {"n", "c", "ct"}
    mask : bool array of shape (n,), optional

    Returns
    -------
    LagSelection or Inapplicable

    References
    ----------
    Lütkepohl (2005), section 4.3; the error covariance divides by the number of rows.
    """
    method = "lag selection by information criteria"
    same_index(series=series, mask=mask)
    max_lags, trend = check_lags(max_lags, name="max_lags"), check_trend(trend)
    data, exponents = standardise(as_columns(series, "series"), trend)
    n, k = data.shape
    use = _flags(mask, n)
    lagged = (
        lag_columns(data, range(1, max_lags + 1)).reshape(n, k, max_lags).transpose(0, 2, 1).reshape(n, k * max_lags)
    )
    design = np.hstack([deterministic(n, trend), lagged])
    use = use & np.isfinite(np.hstack([data, lagged])).all(axis=1)
    Z, Y = design[use], data[use]
    t, d = len(Y), design.shape[1] - k * max_lags
    if t <= Z.shape[1] + k:
        return Inapplicable(method=method, reason=f"{t} common rows are too few for {max_lags} lags of {k} series")
    scale = np.linalg.norm(Z, axis=0)
    scale[scale == 0] = 1.0
    Q, R = np.linalg.qr(Z / scale)
    if is_deficient(R, t):
        return Inapplicable(
            method=method, reason="the series are collinear: one is constant, repeated or a combination"
        )
    scores = Q.T @ Y
    logdet = np.empty(max_lags)
    for p in range(1, max_lags + 1):
        residuals = Y - Q[:, : d + k * p] @ scores[: d + k * p]
        sign, logdet[p - 1] = np.linalg.slogdet(residuals.T @ residuals / t)
        if sign <= 0 or not np.isfinite(logdet[p - 1]):
            return Inapplicable(method=method, reason="the error covariance is singular: a series is fitted perfectly")
    logdet += 2.0 * np.log(2.0) * exponents.sum()
    if np.abs(logdet).max() > LARGEST_LOG:
        return Inapplicable(method=method, reason="a float cannot hold the criteria: change the unit of the series")
    order = np.arange(1, max_lags + 1)
    size, parameters = k * (k * order + d), k * order + d
    values = {
        "aic": logdet + 2.0 / t * size,
        "bic": logdet + np.log(t) / t * size,
        "hqic": logdet + 2.0 * np.log(np.log(t)) / t * size,
        "fpe": np.exp(logdet) * ((t + parameters) / (t - parameters)) ** k,
    }
    return LagSelection(
        chosen={name: int(np.argmin(item)) + 1 for name, item in values.items()},
        values={name: tuple(item.tolist()) for name, item in values.items()},
        max_lags=max_lags,
        nobs=t,
        trend=trend,
    )


def resolve_lags(
    series: Series, lags: int | str, max_lags: int | None, trend: str
) -> tuple[int, dict[str, object]] | Inapplicable:
    """Return the lag order and what to record about its choice."""
    if not isinstance(lags, str):
        if max_lags is not None:
            raise InputError("max_lags goes with a criterion", given=f"lags={lags}", limit=", ".join(CRITERIA))
        return check_lags(lags), {}
    if lags not in CRITERIA:
        raise InputError("unknown lag criterion", given=lags, limit=f"a whole number, {', '.join(CRITERIA)}")
    if max_lags is None:
        raise InputError("a lag criterion needs a largest order", given=lags, remedy="pass max_lags=")
    chosen = select_lags(series.joint, max_lags=max_lags, trend=trend, mask=series.allowed)
    if isinstance(chosen, Inapplicable):
        return chosen
    record = {"lag_criterion": lags, "max_lags": chosen.max_lags, "lag_criterion_values": chosen.values[lags]}
    return chosen.chosen[lags], record | {"lag_selection_nobs": chosen.nobs}
