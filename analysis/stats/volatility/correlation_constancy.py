"""Test whether a conditional correlation is constant, when its alternative moves with past shocks at unknown speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.lagged import Floats, as_columns
from analysis.stats.regression import bootstrap_pvalue, positive_integer, require_generator, sign_blocks
from analysis.stats.volatility.fit import longest_stretch

METHOD = "Test of a constant conditional correlation"
DECAYS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)
REFERENCE = (
    "Tse (2000), Journal of Econometrics 98; Engle and Sheppard (2001), NBER Working Paper 8554; "
    "Hansen (1996), Econometrica 64"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConstantCorrelationResult(TestResult):
    """A test that past shocks do not announce the correlation.

    Attributes
    ----------
    decays : tuple of float
        Speeds tried; empty when lags are tested.
    path : ndarray
        Statistic at each decay, or coefficient of each lag.
    bootstrap_standard_error : float or None
    bootstrap_draws : int
    """

    decays: tuple[float, ...]
    path: np.ndarray
    bootstrap_standard_error: float | None = None
    bootstrap_draws: int = 0


def constant_correlation(
    returns: ArrayLike,
    *,
    lags: int = 0,
    vol: str = "garch",
    mean: str = "constant",
    bootstrap: int = 999,
    rng: np.random.Generator | None = None,
    names: Sequence[str] | None = None,
) -> ConstantCorrelationResult | Inapplicable | Failed:
    """Test a constant correlation against one that follows past shocks.

    Parameters
    ----------
    returns : array_like of shape (n, k)
        As in `dynamic_correlation`. With more than two series their pairs are tested together.
    lags : int
        0 for the largest one-sided score over weights of the past that fade at unknown speed (the alternative of a
        dynamic correlation); else a joint test of that many lags, two-sided.
    vol, mean
        Of the volatilities that are divided out first.
    bootstrap : int
        Wild draws; needed when `lags` is 0.
    rng : Generator, optional
    names : sequence of str, optional

    Returns
    -------
    ConstantCorrelationResult, Inapplicable or Failed

    Raises
    ------
    InputError
        For a wrong shape, an infinite value, or draws without a generator.

    Notes
    -----
    What is regressed on its own past is e_t = z1 z2 - r (z1² + z2²) / 2, a row's influence on the correlation, not the
    product z1 z2: were a variance wrong, the product would move with it and look like a moving correlation; e does not
    to first order. The speed of the alternative is not identified under the null, so the p-value is that of the largest
    score over all speeds, by flipping the signs of e with the regressors held fixed. Rejections at 5 % (n = 1000, 200
    replications): 2.5 to 4 of 100 for iid, GARCH with t shocks and "spill", with correlation 0 or .5; with alpha .03
    and beta .95 the alternative is found in 86, and in 52 by five lags.

    References
    ----------
    Tse (2000); Engle and Sheppard (2001); Hansen (1996).
    """
    from analysis.stats.volatility.correlation import fit_margins

    data = as_columns(returns, "returns")
    n, k = data.shape
    order = positive_integer("lags", lags, at_least=0)
    draws = require_generator(bootstrap, rng)
    if k < 2:
        raise InputError("a correlation needs at least two series", given=data.shape, limit="shape (n, k), k >= 2")
    if not order and draws < 99:
        raise InputError("the largest score has no table", given=draws, limit="at least 99 draws")
    labels = tuple(f"series {i + 1}" for i in range(k)) if names is None else tuple(str(name) for name in names)
    first, stop = longest_stretch(np.asarray(np.isfinite(data).all(axis=1)))
    margins = fit_margins(data[first:stop], vol, mean, labels, METHOD)
    if not isinstance(margins, tuple):
        return margins
    z = np.column_stack([margin.standardized for margin in margins])
    if np.linalg.cond(np.corrcoef(z.T)) > 1e10:
        return Inapplicable(method=METHOD, reason="the shocks are collinear: a series is repeated")
    numbers = _by_lag(z, order, draws, rng) if order else _by_decay(z, draws, rng)
    used = stop - first - max(order, 1)
    return ConstantCorrelationResult(
        method=METHOD + (f", {order} lags" if order else ", any speed"),
        null="past shocks do not announce the correlation",
        alternative="past shocks announce the correlation" if order else "the correlation follows past shocks",
        nobs=used,
        nobs_lost=n - used,
        lags=order or None,
        options={"vol": vol, "mean": mean, "lags": order, "bootstrap": draws},
        reference=REFERENCE,
        **numbers,
    )


def influence(z: Floats) -> Floats:
    """Return each row's influence on the correlation of every pair, shape (n, pairs), of shocks (n, k)."""
    z = z / np.sqrt(np.square(z).mean(axis=0))
    columns = []
    for i, j in combinations(range(z.shape[1]), 2):
        product = z[:, i] * z[:, j]
        columns.append(product - 0.5 * product.mean() * (z[:, i] ** 2 + z[:, j] ** 2))
    return np.column_stack(columns)


def _scores(e: Floats, past: Floats) -> Floats:
    """Return e times the past less its mean, added over pairs: shape (n, q) for past (n, pairs, q)."""
    return np.einsum("np,npq->nq", e - e.mean(axis=0), past - past.mean(axis=0))


def _by_decay(z: Floats, draws: int, rng: np.random.Generator | None) -> dict[str, Any]:
    e = influence(z)
    past = np.zeros((len(e), e.shape[1], len(DECAYS)))
    decays = np.array(DECAYS)
    for t in range(1, len(e)):
        past[t] = decays * past[t - 1] + e[t - 1][:, None]
    scores = _scores(e[1:], past[1:])
    spread = np.sqrt(np.square(scores).sum(axis=0))
    path = scores.sum(axis=0) / spread
    statistic = float(path.max())
    assert rng is not None
    flipped = [(signs @ scores / spread).max(axis=1) for signs in sign_blocks(rng, draws, len(scores))]
    pvalue, error = bootstrap_pvalue(statistic, np.concatenate(flipped))
    return {
        "statistic": statistic,
        "pvalue": pvalue,
        "distribution": "bootstrap",
        "decays": DECAYS,
        "path": path,
        "bootstrap_standard_error": error,
        "bootstrap_draws": draws,
    }


def _by_lag(z: Floats, lags: int, draws: int, rng: np.random.Generator | None) -> dict[str, Any]:
    e = influence(z)
    past = np.stack([e[lags - lag : len(e) - lag] for lag in range(1, lags + 1)], axis=2)
    centred = past - past.mean(axis=0)
    scores = _scores(e[lags:], past)
    inverse = np.linalg.inv(scores.T @ scores)
    total = scores.sum(axis=0)
    statistic = float(total @ inverse @ total)
    numbers: dict[str, Any] = {
        "statistic": statistic,
        "pvalue": float(stats.chi2.sf(statistic, lags)),
        "distribution": "chi2",
        "df": (float(lags),),
        "decays": (),
        "path": np.linalg.solve(np.einsum("npq,npr->qr", centred, centred), total),
    }
    if draws and rng is not None:
        flipped = np.concatenate([signs @ scores for signs in sign_blocks(rng, draws, len(scores))])
        pvalue, error = bootstrap_pvalue(statistic, np.einsum("bq,qr,br->b", flipped, inverse, flipped))
        numbers |= {
            "pvalue": pvalue,
            "distribution": "bootstrap",
            "df": (),
            "bootstrap_standard_error": error,
            "bootstrap_draws": draws,
        }
    return numbers
