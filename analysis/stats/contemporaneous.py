"""The same-period response: how much one series moves with another within the period, alone or beside others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.results import Inapplicable, TestResult
from analysis.stats.granger import granger_test
from analysis.stats.lagged import Floats, as_columns, same_index

REFERENCE = (
    "MacKinnon and White (1985), Journal of Econometrics 29; Gonçalves and Kilian (2004), Journal of Econometrics 123"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SamePeriodResult(TestResult):
    """A test that the effect does not move with the cause within the period.

    Attributes
    ----------
    estimate, interval
        Slope on the cause of the same period, with its t interval.
    bootstrap_pvalue : float or None
        Fixed-design wild bootstrap with the null imposed.
    bootstrap_draws : int
    r2_gain : float or None
        Share of the effect's variation the cause adds.
    """

    bootstrap_pvalue: float | None = None
    bootstrap_draws: int = 0
    r2_gain: float | None = None


def same_period_response(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    given: ArrayLike | None = None,
    cov: str = "HC3",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    weights: ArrayLike | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> SamePeriodResult | Inapplicable:
    """Regress the effect on the cause of the same period, its own previous value, a constant and the given series.

    Parameters
    ----------
    effect, cause : array of shape (n,)
        In time order. NaN marks a missing observation; a row needs all of its values.
    given : array of shape (n,) or (n, m), optional
        Common drivers of the same period.
    cov, bootstrap, rng, weights
        As in `granger_test`.

    Returns
    -------
    SamePeriodResult or Inapplicable

    Raises
    ------
    InputError
        For wrong shapes or unknown options.

    Notes
    -----
    The slope describes co-movement. It says nothing about direction or prediction: both series are of one period.
    """
    same_index(effect=effect, cause=cause, given=given, weights=weights)
    result = granger_test(
        effect,
        _ahead(cause, "cause"),
        lags=1,
        given=None if given is None else _ahead(given, "given"),
        cov=cov,
        bootstrap=bootstrap,
        rng=rng,
        weights=weights,
        effect_name=effect_name,
        cause_name=cause_name,
    )
    method = f"Same-period response ({cov})"
    if isinstance(result, Inapplicable):
        return Inapplicable(method=method, reason=result.reason)
    return SamePeriodResult(
        method=method,
        null=f"{effect_name} does not move with {cause_name} within the period",
        alternative=f"{effect_name} moves with {cause_name} within the period",
        statistic=result.statistic,
        pvalue=result.pvalue,
        distribution=result.distribution,
        df=result.df,
        estimate=result.estimate,
        estimate_name="same-period response",
        interval=result.interval,
        nobs=result.nobs,
        nobs_lost=result.nobs_lost,
        lags=0,
        options={"cov": cov, "own_lags": 1, "n_given": 0 if given is None else as_columns(given, "given").shape[1]},
        warnings=result.warnings,
        reference=REFERENCE,
        bootstrap_pvalue=result.bootstrap_pvalue,
        bootstrap_draws=result.bootstrap_draws,
        r2_gain=result.r2_gain,
    )


def _ahead(values: ArrayLike, name: str) -> Floats:
    """Move a series one row up, so that its lag of one is the same period."""
    columns = as_columns(values, name)
    return np.vstack([columns[1:], np.full((1, columns.shape[1]), np.nan)])
