"""Troster's test of Granger causality in quantiles: no density to estimate, its null distribution from subsamples.

Notes
-----
It needs stable volatility and is not for a headline about returns: see the sizes measured in `troster_test`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.granger_design import Design, Series
from analysis.stats.lagged import Floats
from analysis.stats.quantile.regression import solve_quantile

METHOD = "Granger causality in quantiles (troster)"
REFERENCE = "Troster (2018), Econometric Reviews 37, section 3"
LEAST_SUBSAMPLES = 19
UNSTABLE = (
    "rejects too often when volatility changes: up to 18 % (300 rows) and 45 % (800 rows) of true nulls at 5 % for "
    "independent GARCH series; not for a headline unless volatility is stable"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrosterResult(TestResult):
    """A test that the effect's own past alone gives its quantiles right, whatever the cause did before.

    Attributes
    ----------
    statistic, pvalue
        Mean of the squared weighted hits over the quantiles; p-value against the same statistic in every run of
        `subsample` consecutive rows. Two rows weigh exp(-d^2 / 2) on each other, d the distance of their lags of all
        series, each lag divided by its standard deviation over the whole sample and by the root of the number of lags.
    quantiles, statistics, pvalues : ndarray of shape (m,)
        Per quantile, not corrected for looking at m of them.
    subsample, n_subsamples : int
    """

    quantiles: Floats
    statistics: Floats
    pvalues: Floats
    subsample: int
    n_subsamples: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row a quantile."""
        return pd.DataFrame({"quantile": self.quantiles, "statistic": self.statistics, "pvalue": self.pvalues})


def troster_test(
    series: Series, design: Design, *, lags: int, taus: Floats, subsample: int | None, names: tuple[str, str]
) -> TrosterResult | Inapplicable | Failed:
    """Run the test on prepared rows; see `granger_quantile.quantile_granger`.

    Notes
    -----
    The conditioning vector holds all lags of all series, each divided by its standard deviation times the root of
    their number: a normal weight on the frequencies whose spread does not shut off the test in many dimensions. The
    division is a choice of this module, which makes the test free of units; it is taken from the whole sample, also in
    subsamples.

    The null includes quantiles that are linear in the own past, and every departure from that rejects with the number
    of rows. Changing volatility is one, whatever the cause: rejections at 5 % of two independent GARCH series with t
    distributed errors (weights .15 and .80 on the last square and the last variance, 5 degrees of freedom), 1 lag,
    quantiles .1 to .9, 60 replications each, were 18 % with 300 rows and 45 % with 800. The rate depends on how far
    volatility moves: weights .1 and .85 gave 3 % (300 rows) and 17 % (800), .3 and .65 with 4 degrees of freedom 25 %
    (300). With independent rows of constant volatility, many of them one repeated value, they were 3 to 6 % (300
    rows). Hence not for a headline under changing volatility.
    """
    y, rows = design.response[:, 0], design.rows
    n, k = design.kept.shape
    b = int(5 * n**0.4) if subsample is None else int(subsample)
    if not k < b < n:
        raise InputError(
            "a subsample must be longer than the coefficients and shorter than the sample", given=b, limit=f"{k} to {n}"
        )
    starts = np.flatnonzero(rows[b - 1 :] - rows[: n - b + 1] == b - 1)
    if len(starts) < LEAST_SUBSAMPLES:
        return Inapplicable(method=METHOD, reason=f"only {len(starts)} runs of {b} rows without a gap")
    information = np.hstack([design.kept[:, 1:], design.tested])
    information = information / (information.std(axis=0) * np.sqrt(information.shape[1]))
    whole = weighted_hits(design.kept, y, information, taus)
    if whole is None:
        return Failed(method=METHOD, reason="a quantile autoregression of the whole sample did not converge")
    small = np.full((len(starts), len(taus)), np.inf)
    for place, start in enumerate(starts):
        run = slice(start, start + b)
        found = weighted_hits(design.kept[run], y[run], information[run], taus)
        if found is not None:
            small[place] = found
    statistic = float(whole.mean())
    effect, cause = names
    return TrosterResult(
        method=METHOD,
        null=f"no lag of {cause} moves the quantiles {taus[0]:g} to {taus[-1]:g} of {effect}",
        alternative=f"some lag of {cause} moves some of these quantiles of {effect}",
        statistic=statistic,
        pvalue=(1 + int((small.mean(axis=1) >= statistic).sum())) / (1 + len(starts)),
        distribution="subsampling",
        nobs=n,
        nobs_lost=len(series) - n,
        lags=lags,
        options={
            "subsample": b,
            "weight": "normal",
            "scale": "standard deviation * sqrt(dimension)",
            "n_given": series.given.shape[1],
        },
        warnings=(
            UNSTABLE,
            "subsamples overlap, so the p-value is coarse: it rests on few separate stretches",
        ),
        reference=REFERENCE,
        quantiles=taus,
        statistics=whole,
        pvalues=(1 + (small >= whole).sum(axis=0)) / (1 + len(starts)),
        subsample=b,
        n_subsamples=len(starts),
    )


def weighted_hits(W: Floats, y: Floats, information: Floats, taus: Floats) -> Floats | None:
    """Return psi' K psi / n per quantile, K the normal kernel on the conditioning vectors; None without convergence."""
    n = len(y)
    psi = np.empty((n, len(taus)))
    for j, tau in enumerate(taus):
        solved = solve_quantile(W, y, float(tau))
        if solved is None:
            return None
        psi[:, j] = solved[1]
    norms = np.square(information).sum(axis=1)
    total = np.zeros(len(taus))
    for start in range(0, n, 1000):
        block = slice(start, start + 1000)
        distance = norms[block, None] + norms - 2 * information[block] @ information.T
        total += (psi[block] * (np.exp(-0.5 * np.clip(distance, 0.0, None)) @ psi)).sum(axis=0)
    return total / n
