"""What a series is like before it is tested: integration, autocorrelation, volatility clustering, normality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.diagnostic import acorr_ljungbox

from analysis.errors import InputError
from analysis.results import Inapplicable, Result, TestResult
from analysis.stats.regression import as_series, lag_columns, ols, positive_integer
from analysis.stats.unitroots import (
    Outcome,
    UnitRootResult,
    adf,
    dfgls,
    kpss,
    longest_run,
    phillips_perron,
    unusable,
    zivot_andrews,
)

__all__ = [
    "IntegrationOrder",
    "UnitRootResult",
    "adf",
    "arch_lm",
    "dfgls",
    "integration_order",
    "jarque_bera",
    "kpss",
    "ljung_box",
    "phillips_perron",
    "zivot_andrews",
]


def ljung_box(values: Any, *, lags: int, fitted: int = 0) -> Outcome:
    """Ljung–Box test of no autocorrelation up to `lags`.

    Parameters
    ----------
    values : array_like of shape (n,)
        As in `adf`.
    lags : int
    fitted : int
        Parameters of an ARMA model whose residuals these are; taken off the degrees of freedom.

    Notes
    -----
    Oversized under volatility clustering; a robust version is the cumulative test in `analysis.stats.crosscorr`.

    References
    ----------
    Ljung and Box (1978), Biometrika 65.
    """
    series, lost, notes = longest_run(values)
    lags = positive_integer("lags", lags)
    if positive_integer("fitted", fitted, at_least=0) >= lags:
        raise InputError("no degrees of freedom are left", given=f"fitted={fitted}", limit=f"less than lags={lags}")
    method = "Ljung-Box"
    reason = unusable(series, lags)
    if reason:
        return Inapplicable(method=method, reason=reason)
    table = acorr_ljungbox(series, lags=[lags], model_df=fitted, return_df=True)
    return TestResult(
        method=method,
        null=f"no autocorrelation at lags 1 to {lags}",
        alternative="autocorrelation at one lag or more",
        statistic=float(table["lb_stat"].iloc[0]),
        pvalue=float(table["lb_pvalue"].iloc[0]),
        distribution="chi2",
        df=(float(lags - fitted),),
        nobs=series.size,
        nobs_lost=lost,
        lags=lags,
        options={"fitted": fitted},
        warnings=notes,
        reference="Ljung and Box (1978), Biometrika 65, 297-303",
    )


def arch_lm(values: Any, *, lags: int) -> Outcome:
    """Engle's LM test of no ARCH effects: n R² of the squared centred series on its own lags.

    References
    ----------
    Engle (1982), Econometrica 50.
    """
    series, lost, notes = longest_run(values)
    lags, method = positive_integer("lags", lags), "ARCH-LM"
    reason = unusable(series, lags)
    if reason:
        return Inapplicable(method=method, reason=reason)
    squares = (series - series.mean()) ** 2
    effect = squares[lags:]
    fit = ols(np.column_stack([np.ones(effect.size), lag_columns(squares[:, None], lags)[lags:]]), effect)
    if fit is None:
        return Inapplicable(method=method, reason="the squared series and its lags are collinear")
    total = float(((effect - effect.mean()) ** 2).sum())
    statistic = effect.size * (1.0 - float(fit.residuals @ fit.residuals) / total)
    return TestResult(
        method=method,
        null="no autoregressive conditional heteroskedasticity",
        alternative=f"the variance depends on the last {lags} squared values",
        statistic=statistic,
        pvalue=float(stats.chi2.sf(statistic, lags)),
        distribution="chi2",
        df=(float(lags),),
        nobs=effect.size,
        nobs_lost=lost + lags,
        lags=lags,
        warnings=notes,
        reference="Engle (1982), Econometrica 50, 987-1007",
    )


def jarque_bera(values: Any) -> Outcome:
    """Jarque–Bera test of normality from skewness and kurtosis; missing values are dropped.

    References
    ----------
    Jarque and Bera (1987), International Statistical Review 55.
    """
    given = as_series("values", values)
    series = given[np.isfinite(given)]
    reason = unusable(series)
    if reason:
        return Inapplicable(method="Jarque-Bera", reason=reason)
    statistic, pvalue = stats.jarque_bera(series)
    return TestResult(
        method="Jarque-Bera",
        null="the values are normally distributed",
        alternative="skewness or kurtosis differ from those of a normal distribution",
        statistic=float(statistic),
        pvalue=float(pvalue),
        distribution="chi2",
        df=(2.0,),
        estimate=float(stats.kurtosis(series)),
        estimate_name="excess kurtosis",
        nobs=series.size,
        nobs_lost=given.size - series.size,
        reference="Jarque and Bera (1987), International Statistical Review 55, 163-172",
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IntegrationOrder(Result):
    """How often a series must be differenced to be stationary, with every disagreement on record.

    Attributes
    ----------
    order : int
        First number of differences at which at least two of three tests say stationary.
    d_max : int
        First number at which all three do; the cautious choice for Toda–Yamamoto. At most `max_order`.
    settled : bool
        Whether both were found by `max_order` and agree.
    conflicts : tuple of str
        Every number of differences at which the tests disagree, with what each says.
    evidence : tuple of results
        ADF, Phillips–Perron and KPSS at 0, 1, … differences, in that order.
    """

    method: str
    order: int
    d_max: int
    settled: bool
    conflicts: tuple[str, ...]
    evidence: tuple[Result, ...]
    nobs: int
    nobs_lost: int
    options: Mapping[str, Any]
    reference: str

    def summary(self) -> str:
        """Return the decision and every conflict."""
        lines = [
            self.method,
            f"  order of integration {self.order}, cautious d_max {self.d_max}"
            + ("" if self.settled else " (the tests do not agree)"),
            f"  n = {self.nobs} ({self.nobs_lost} lost)",
        ]
        return "\n".join(
            [*lines, *(f"  Conflict: {text}" for text in self.conflicts), f"  Reference: {self.reference}"]
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a test and number of differences."""
        frames = [item.to_frame().assign(differences=i // 3) for i, item in enumerate(self.evidence)]
        names = ["differences", "method", "statistic", "pvalue", "nobs", "lags"]
        return pd.concat([frame[names] for frame in frames], ignore_index=True)


def integration_order(
    values: Any, *, trend: str = "c", level: float = 0.05, max_order: int = 2
) -> IntegrationOrder | Inapplicable:
    """Decide how often a series must be differenced; records where ADF, Phillips–Perron and KPSS disagree.

    Parameters
    ----------
    values : array_like of shape (n,)
        Levels. The longest run without a missing value is used.
    trend : {"c", "ct"}
        Deterministic part of the levels; differences have a constant.
    level : float
        Level of each test.
    max_order : int
        Most differences tried.

    Returns
    -------
    IntegrationOrder or Inapplicable
        Inapplicable when one of the three tests cannot be run.

    Notes
    -----
    ADF and Phillips–Perron say stationary when they reject; KPSS when it does not. Each errs at its own rate, so a
    larger `d_max` than `order` is often chance; it costs one lag in a lag-augmented regression and buys safety.

    References
    ----------
    Dolado and Lütkepohl (1996), Econometric Reviews 15, on d_max.
    """
    if trend not in ("c", "ct"):
        raise InputError("unknown trend", given=repr(trend), limit='"c", "ct"')
    if not 0.0 < level < 1.0:
        raise InputError("a level must lie between 0 and 1", given=level)
    top = positive_integer("max_order", max_order, at_least=0)
    series, lost, _ = longest_run(values)
    evidence: list[TestResult] = []
    votes: list[int] = []
    conflicts: list[str] = []
    for d in range(top + 1):
        tests = [test(np.diff(series, d), trend=trend if d == 0 else "c") for test in (adf, phillips_perron, kpss)]
        found = [item for item in tests if isinstance(item, TestResult)]
        if len(found) < 3:
            broken = next(item for item in tests if not isinstance(item, TestResult))
            return Inapplicable(
                method="Order of integration", reason=f"{broken.method} at {d} differences: {broken.reason}"
            )
        says = [found[0].pvalue <= level, found[1].pvalue <= level, found[2].pvalue > level]
        evidence += found
        votes.append(sum(says))
        if 0 < sum(says) < 3:
            words = (
                f"{item.method} {'stationary' if yes else 'not stationary'} (p = {item.pvalue:.3g})"
                for item, yes in zip(found, says, strict=True)
            )
            conflicts.append(f"{d} differences: " + ", ".join(words))
        if votes[-1] == 3:
            break
    order = next((d for d, count in enumerate(votes) if count >= 2), top)
    d_max = next((d for d, count in enumerate(votes) if count == 3), top)
    return IntegrationOrder(
        method="Order of integration",
        order=order,
        d_max=d_max,
        settled=votes[-1] == 3 and order == d_max,
        conflicts=tuple(conflicts),
        evidence=tuple(evidence),
        nobs=series.size,
        nobs_lost=lost,
        options={"trend": trend, "level": level, "max_order": top},
        reference="Dolado and Lütkepohl (1996), Econometric Reviews 15, 369-386",
    )
