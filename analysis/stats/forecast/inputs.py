"""What every comparison of forecasts shares: aligned rows, checked options, and the variance of a mean in time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Options, TestResult
from analysis.stats.lagged import Floats, Ints, check_lags, same_index
from analysis.stats.regression import as_series

FEWEST = 10
LOSSES = ("squared", "absolute")
ALTERNATIVES = ("two-sided", "greater", "less")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastComparison(TestResult):
    """Two forecasts of one outcome compared; a positive estimate speaks for the model.

    Attributes
    ----------
    loss_benchmark, loss_model : float
        Mean loss of each.
    oos_r2 : float
        One less the ratio of the model's mean loss to the benchmark's.
    """

    loss_benchmark: float
    loss_model: float
    oos_r2: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows that have all three values: outcome, benchmark, model (n,), and their places in time (n,)."""

    actual: Floats
    benchmark: Floats
    model: Floats
    rows: Ints
    lost: int

    @property
    def nobs(self) -> int:
        """Rows used."""
        return len(self.rows)

    @property
    def errors(self) -> tuple[Floats, Floats]:
        """Errors of benchmark and model."""
        return self.actual - self.benchmark, self.actual - self.model

    def measures(self, loss_benchmark: Floats, loss_model: Floats) -> dict[str, Any]:
        """Return the sample and the accuracy fields of a comparison."""
        first, second = float(loss_benchmark.mean()), float(loss_model.mean())
        return {
            "nobs": self.nobs,
            "nobs_lost": self.lost,
            "loss_benchmark": first,
            "loss_model": second,
            "oos_r2": 1.0 - second / first,
        }


def read_forecasts(actual: ArrayLike, benchmark: ArrayLike, model: ArrayLike) -> Compared | str:
    """Check shapes and keep complete rows; return a reason in words when too few are left or nothing differs."""
    same_index(actual=actual, benchmark=benchmark, model=model)
    y = as_series("actual", actual)
    b, m = as_series("benchmark", benchmark, y.size), as_series("model", model, y.size)
    rows = np.flatnonzero(np.isfinite(y) & np.isfinite(b) & np.isfinite(m))
    if rows.size < FEWEST:
        return f"{rows.size} rows have an outcome and both forecasts; {FEWEST} are needed"
    if np.array_equal(b[rows], m[rows]):
        return "the two forecasts are the same in every row"
    if not np.square(y[rows] - b[rows]).sum() > 0:
        return "the benchmark makes no error"
    return Compared(y[rows], b[rows], m[rows], rows, int(y.size - rows.size))


def losses(data: Compared, loss: str) -> tuple[Floats, Floats]:
    """Return the losses of benchmark and model; raises InputError for an unknown loss."""
    if loss not in LOSSES:
        raise InputError("unknown loss", given=repr(loss), limit=", ".join(LOSSES))
    first, second = data.errors
    return (np.square(first), np.square(second)) if loss == "squared" else (np.abs(first), np.abs(second))


def check_horizon(horizon: object) -> int:
    """Return the horizon in rows."""
    return check_lags(horizon, name="horizon")


def check_alternative(alternative: str) -> str:
    """Return the alternative; raises InputError for an unknown one."""
    if alternative not in ALTERNATIVES:
        raise InputError("unknown alternative", given=repr(alternative), limit=", ".join(ALTERNATIVES))
    return alternative


def check_level(level: float) -> float:
    """Return the level of an interval."""
    if not 0.5 <= level < 1.0:
        raise InputError("level must be a coverage", given=level, limit="0.5 to below 1")
    return float(level)


def autocovariances(values: Floats, rows: Ints, lags: int) -> Floats:
    """Return sums over time of products of deviations from the mean, lags 0..`lags`, over n; a gap keeps its length."""
    grid = np.zeros(int(rows[-1] - rows[0]) + 1)
    grid[rows - rows[0]] = values - values.mean()
    found = [grid[lag:] @ grid[: grid.size - lag] if lag < grid.size else 0.0 for lag in range(lags + 1)]
    return np.array(found) / len(values)


def long_run_variance(values: Floats, rows: Ints, lags: int, kernel: str = "bartlett") -> float:
    """Return the long-run variance with Bartlett weights or, by ``"truncated"``, without any."""
    gamma = autocovariances(values, rows, lags)
    weights = np.ones(lags) if kernel == "truncated" else 1.0 - np.arange(1, lags + 1) / (lags + 1.0)
    return float(gamma[0] + 2.0 * weights @ gamma[1:])


def varies(values: Floats) -> bool:
    """Say whether values differ by more than rounding."""
    return bool(values.std() > 1e-14 * np.abs(values).max())


@dataclass(frozen=True, slots=True)
class MeanTest:
    """A mean with its standard error, statistic and p-value; `df` is infinite for the normal law."""

    mean: float
    error: float
    statistic: float
    pvalue: float
    interval: tuple[float, float]
    df: float
    warnings: tuple[str, ...]

    def fields(self, level: float) -> dict[str, Any]:
        """Return the fields of a test result."""
        finite = math.isfinite(self.df)
        return {
            "statistic": self.statistic,
            "pvalue": self.pvalue,
            "distribution": "t" if finite else "normal",
            "df": (self.df,) if finite else (),
            "estimate": self.mean,
            "interval": self.interval,
            "interval_level": level,
            "warnings": self.warnings,
        }


def mean_test(
    values: Floats,
    rows: Ints,
    *,
    horizon: int,
    alternative: str,
    level: float,
    harvey: bool = False,
    kernel: str = "truncated",
) -> MeanTest | str:
    """Test a mean of values that overlap over `horizon` rows for zero.

    Parameters
    ----------
    harvey : bool
        Apply the small-sample factor and the t law of Harvey, Leybourne and Newbold (1997).
    kernel : {"truncated", "bartlett"}
        With horizon - 1 lags. Truncated weights can give a negative variance; Bartlett weights then take over.
    """
    n = len(values)
    if not varies(values):
        return "the difference of the two forecasts' losses does not vary"
    if horizon >= n / 2:
        return f"{n} rows are too few for outcomes that overlap over {horizon} rows"
    notes: tuple[str, ...] = ()
    variance = long_run_variance(values, rows, horizon - 1, kernel)
    if not variance > 0:
        variance = long_run_variance(values, rows, horizon - 1)
        notes = ("the variance with equal weights was not positive; Bartlett weights were used",)
    shrink = math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n) if harvey else 1.0
    error = math.sqrt(variance / n) / shrink
    law: Any = stats.t(n - 1) if harvey else stats.norm
    mean = float(values.mean())
    statistic = mean / error
    reach = float(law.isf((1.0 - level) / 2.0)) * error
    return MeanTest(
        mean, error, statistic, tail_probability(law, statistic, alternative), (mean - reach, mean + reach),
        float(n - 1) if harvey else math.inf, notes,
    )  # fmt: skip


def tail_probability(law: Any, statistic: float, alternative: str) -> float:
    """Return the p-value of a statistic under a symmetric law."""
    if alternative == "two-sided":
        return float(min(1.0, 2.0 * law.sf(abs(statistic))))
    return float(law.sf(statistic if alternative == "greater" else -statistic))


def frozen(**options: Any) -> Mapping[str, Any]:
    """Return options as a frozen mapping."""
    return Options(options)
