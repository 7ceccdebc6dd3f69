"""Unit roots and stationarity: thin wrappers around arch and statsmodels, each in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from arch.unitroot import ADF, DFGLS, KPSS, PhillipsPerron
from arch.utility.exceptions import InfeasibleTestException
from statsmodels.tsa.stattools import zivot_andrews as _statsmodels_zivot_andrews

from analysis.errors import InputError
from analysis.quiet import recorded
from analysis.results import Failed, Inapplicable, Options, TestResult
from analysis.stats.regression import as_series, positive_integer

MINIMUM_ROWS = 20
KPSS_SMALLEST = 0.0001  # last p-value of the table that arch interpolates
Outcome = TestResult | Inapplicable | Failed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitRootResult(TestResult):
    """A unit-root or stationarity test.

    Attributes
    ----------
    trend : str
        Deterministic part: "n", "c" or "ct".
    critical_values : Mapping of str to float
        By level, such as "5%".
    break_index : int or None
        Row of the last observation before the estimated break, counted from 0 in the rows used; Zivot–Andrews only.
    pvalue_bound : str
        "" when the p-value is exact; "<" when it is the last of the published table, so that the true one is smaller.
    """

    trend: str
    critical_values: Mapping[str, float] = field(default_factory=Options)
    break_index: int | None = None
    pvalue_bound: str = ""


def adf(values: Any, *, trend: str = "c", lags: int | None = None) -> Outcome:
    """Augmented Dickey–Fuller test of a unit root.

    Parameters
    ----------
    values : array_like of shape (n,)
        NaN marks a missing value; the longest run without one is used, for a gap is never bridged.
    trend : {"n", "c", "ct"}
        Nothing, constant, constant and trend.
    lags : int, optional
        Lagged differences; by AIC when not given.

    Returns
    -------
    UnitRootResult, Inapplicable or Failed

    References
    ----------
    Said and Dickey (1984), Biometrika 71; p-values MacKinnon (1994, 2010).
    """
    return _unit_root(ADF, "Augmented Dickey-Fuller", values, trend, lags, "Said and Dickey (1984), Biometrika 71")


def dfgls(values: Any, *, trend: str = "c", lags: int | None = None) -> Outcome:
    """Dickey–Fuller test after GLS detrending; arguments and returns as in `adf`, trend "c" or "ct".

    References
    ----------
    Elliott, Rothenberg and Stock (1996), Econometrica 64.
    """
    reference = "Elliott, Rothenberg and Stock (1996), Econometrica 64, 813-836"
    return _unit_root(DFGLS, "Dickey-Fuller GLS", values, trend, lags, reference, trends=("c", "ct"))


def phillips_perron(values: Any, *, trend: str = "c", lags: int | None = None) -> Outcome:
    """Phillips–Perron Z-tau test of a unit root; `lags` is the Newey–West truncation. Otherwise as `adf`.

    References
    ----------
    Phillips and Perron (1988), Biometrika 75.
    """
    reference = "Phillips and Perron (1988), Biometrika 75, 335-346"
    return _unit_root(PhillipsPerron, "Phillips-Perron Z-tau", values, trend, lags, reference)


def kpss(values: Any, *, trend: str = "c", lags: int | None = None) -> Outcome:
    """KPSS test whose null is stationarity (around a trend for "ct"); `lags` is the Newey–West truncation.

    References
    ----------
    Kwiatkowski, Phillips, Schmidt and Shin (1992), J. Econometrics 54; lags by Hobijn, Franses and Ooms (2004).
    """
    reference = "Kwiatkowski, Phillips, Schmidt and Shin (1992), J. Econometrics 54, 159-178"
    return _unit_root(KPSS, "KPSS", values, trend, lags, reference, trends=("c", "ct"))


def zivot_andrews(values: Any, *, trend: str = "ct", lags: int | None = None, trim: float = 0.15) -> Outcome:
    """Unit-root test against a stationary series with one break at an unknown date.

    Parameters
    ----------
    values : array_like of shape (n,)
        As in `adf`.
    trend : {"c", "t", "ct"}
        Whether level, trend or both may break.
    lags : int, optional
        Lagged differences; by AIC when not given.
    trim : float
        Share of the sample at each end where no break is sought; at most one third.

    Returns
    -------
    UnitRootResult, Inapplicable or Failed

    References
    ----------
    Zivot and Andrews (1992), J. Business and Economic Statistics 10.
    """
    series, lost, notes = longest_run(values)
    method = "Zivot-Andrews"
    _check_choice("trend", trend, ("c", "t", "ct"))
    if not 0.0 <= trim <= 1.0 / 3.0:
        raise InputError("the trimmed share is out of range", given=trim, limit="0 to 1/3")
    lags = None if lags is None else positive_integer("lags", lags, at_least=0)
    reason = unusable(series)
    if reason:
        return Inapplicable(method=method, reason=reason)

    def compute() -> tuple[Any, ...]:
        search = "AIC" if lags is None else None
        return tuple(_statsmodels_zivot_andrews(series, trim=trim, maxlag=lags, regression=trend, autolag=search))

    outcome, said = _quietly(method, compute)
    if isinstance(outcome, Inapplicable | Failed):
        return outcome
    statistic, pvalue, critical, used, split = outcome
    return _finish_unit_root(
        method=method,
        null="the series has a unit root and no break",
        alternative="the series is stationary around a deterministic part that breaks once",
        numbers=(statistic, pvalue),
        sizes=(series.size - int(used) - 1, lost + int(used) + 1, int(used)),
        trend=trend,
        critical=critical,
        warnings=notes + said,
        reference="Zivot and Andrews (1992), J. Business and Economic Statistics 10, 251-270",
        break_index=int(split),
        options={"trim": trim},
    )


def longest_run(values: Any) -> tuple[np.ndarray, int, tuple[str, ...]]:
    """Return the longest run without a missing value, the number of values left out, and a warning if any were inside.

    Missing values before the first and after the last observation are no reason to warn.
    """
    series = as_series("values", values)
    present = np.concatenate([[False], np.isfinite(series), [False]]).astype(int)
    starts, stops = np.flatnonzero(np.diff(present) == 1), np.flatnonzero(np.diff(present) == -1)
    if starts.size == 0:
        return series[:0], series.size, ()
    best = int(np.argmax(stops - starts))
    run = series[starts[best] : stops[best]]
    if starts.size == 1:
        return run, series.size - run.size, ()
    note = f"{starts.size} runs between gaps; only the longest, {run.size} of {series.size} rows, is used"
    return run, series.size - run.size, (note,)


def _check_choice(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"unknown {name}", given=repr(value), limit=", ".join(allowed))


def unusable(series: np.ndarray, lags: int = 0) -> str:
    """Return why a series of shape (n,) cannot be tested with that many lags, or an empty text."""
    if series.size < MINIMUM_ROWS + 2 * lags:
        return f"{series.size} consecutive observations are fewer than {MINIMUM_ROWS + 2 * lags}"
    if np.ptp(series) <= 1e-12 * np.abs(series).max():
        return "the series is constant"
    return ""


def _quietly(method: str, compute: Callable[[], Any]) -> tuple[Any, tuple[str, ...]]:
    """Run a third-party test; what it warns about is kept as text, and its refusals become typed results."""
    # A note on how arch chose lags years ago says nothing about this series.
    with recorded("Lag selection has changed") as caught:
        try:
            value = compute()
        except InfeasibleTestException as error:
            return Inapplicable(method=method, reason=_one_line(error)), ()
        except np.linalg.LinAlgError as error:
            return Failed(method=method, reason=_one_line(error)), ()
        except ValueError as error:
            return Inapplicable(method=method, reason=_one_line(error)), ()
    return value, tuple(dict.fromkeys(_one_line(item.message) for item in caught))


def _one_line(message: object) -> str:
    return " ".join(str(message).split())


def _unit_root(
    test: type[Any],
    method: str,
    values: Any,
    trend: str,
    lags: int | None,
    reference: str,
    trends: tuple[str, ...] = ("n", "c", "ct"),
) -> Outcome:
    series, lost, notes = longest_run(values)
    _check_choice("trend", trend, trends)
    lags = None if lags is None else positive_integer("lags", lags, at_least=0)
    reason = unusable(series, lags or 0)
    if reason:
        return Inapplicable(method=method, reason=reason)

    def compute() -> tuple[Any, ...]:
        made = test(series, lags=lags, trend=trend)
        return (
            float(made.stat),
            float(made.pvalue),
            int(made.lags),
            int(made.nobs),
            dict(made.critical_values),
            str(made.null_hypothesis),
            str(made.alternative_hypothesis),
        )

    outcome, said = _quietly(method, compute)
    if isinstance(outcome, Inapplicable | Failed):
        return outcome
    statistic, pvalue, used, nobs, critical, null, alternative = outcome
    return _finish_unit_root(
        method=method,
        null=_one_line(null).rstrip("."),
        alternative=_one_line(alternative).rstrip("."),
        numbers=(statistic, pvalue),
        sizes=(nobs, lost + series.size - nobs, used),
        trend=trend,
        critical=critical,
        warnings=notes + said + _table_end(method, pvalue),
        reference=reference,
        pvalue_bound=_table_bound(method, pvalue),
    )


def _table_bound(method: str, pvalue: float) -> str:
    """Say on which side of a KPSS p-value the truth lies when the statistic is beyond the published table."""
    return "<" if method == "KPSS" and pvalue <= KPSS_SMALLEST else ""


def _table_end(method: str, pvalue: float) -> tuple[str, ...]:
    bound = _table_bound(method, pvalue)
    return (f"the statistic is beyond the table of p-values: the true p-value is {bound} {pvalue:g}",) if bound else ()


def _finish_unit_root(
    *,
    method: str,
    null: str,
    alternative: str,
    numbers: tuple[Any, Any],
    sizes: tuple[int, int, int],
    trend: str,
    critical: Mapping[str, Any],
    warnings: tuple[str, ...],
    reference: str,
    break_index: int | None = None,
    pvalue_bound: str = "",
    options: Mapping[str, Any] | None = None,
) -> Outcome:
    statistic, pvalue = float(numbers[0]), float(numbers[1])
    if not (np.isfinite(statistic) and np.isfinite(pvalue)):
        return Failed(method=method, reason="the statistic or its p-value is not finite")
    return UnitRootResult(
        method=method,
        null=null,
        alternative=alternative,
        statistic=statistic,
        pvalue=min(max(pvalue, 0.0), 1.0),
        distribution=f"{method} statistic",
        nobs=sizes[0],
        nobs_lost=sizes[1],
        lags=sizes[2],
        options={"trend": trend, **(options or {})},
        warnings=warnings,
        reference=reference,
        trend=trend,
        critical_values={str(key): float(value) for key, value in critical.items()},
        break_index=break_index,
        pvalue_bound=pvalue_bound,
    )
