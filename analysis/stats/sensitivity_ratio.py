"""A log ratio of two positive quantities: its result, and the two ways to get there."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.lagged import Floats
from analysis.stats.regression import bootstrap_pvalue, positive_integer, require_generator
from analysis.stats.smooth_means import (
    FEWEST_PERIODS,
    Curve,
    SmoothValue,
    block_draws,
    default_block,
    level_of,
    smooth_value,
    unit_slope,
)


@dataclass(frozen=True, slots=True)
class Task:
    """What is compared and how it is reported.

    Attributes
    ----------
    method, null, alternative, name, unit, reference : str
        Words of the result; `name` is that of the estimate.
    power : float
        Turns the exponential of the log ratio into the ratio that is reported.
    bootstrap, block, rng, level
        As in `volatility_ratio`.
    options : dict
        Further settings that change the numbers.
    lost : int
        Rows given but not used.
    """

    method: str
    null: str
    alternative: str
    name: str
    unit: str
    reference: str
    power: float
    bootstrap: int
    block: int | None
    rng: np.random.Generator | None
    level: float
    options: dict[str, Any]
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RatioResult(TestResult):
    """A log ratio of two positive quantities and the test that they are equal.

    Attributes
    ----------
    estimate, interval
        The log ratio; zero means equal. The interval is the t interval of the cosine-weighted variance.
    ratio, ratio_lower, ratio_upper : float
        What a reader wants: how many times the second quantity the first one is.
    first, second : float
        Both quantities, in `unit`.
    unit : str
    bootstrap_pvalue, bootstrap_error : float or None
        Studentised circular block bootstrap p-value and its Monte Carlo standard error.
    bootstrap_draws : int
    """

    ratio: float
    ratio_lower: float
    ratio_upper: float
    first: float
    second: float
    unit: str
    bootstrap_pvalue: float | None = None
    bootstrap_error: float | None = None
    bootstrap_draws: int = 0

    def summary(self) -> str:
        """Return the test, the ratio on its own scale and the bootstrap p-value."""
        lines = [
            TestResult.summary(self),
            f"  ratio = {self.ratio:.6g} [{self.ratio_lower:.6g}, {self.ratio_upper:.6g}]: "
            f"{self.first:.6g} against {self.second:.6g} {self.unit}",
        ]
        if self.bootstrap_pvalue is not None:
            lines.append(
                f"  block bootstrap p = {self.bootstrap_pvalue:.4g} (+/- {self.bootstrap_error:.2g}, "
                f"{self.bootstrap_draws} draws)"
            )
        return "\n".join(lines)


def check_level(level: float) -> float:
    """Return a confidence level; raises InputError when it is none."""
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)
    return level


def ratio_of_periods(averages: Floats, period: int, task: Task) -> RatioResult | Inapplicable:
    """Compare two quantities averaged over periods, shape (periods, 2), by the mean of their log ratio."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(averages)
    logs[~np.isfinite(logs).all(axis=1)] = np.nan
    fit = smooth_value(logs[:, :1] - logs[:, 1:], level_of, unit_slope, fewest=FEWEST_PERIODS)
    if isinstance(fit, str):
        return Inapplicable(method=task.method, reason=fit)
    typical = np.exp(task.power * np.nanmean(logs, axis=0))
    law = (level_of, unit_slope)
    task = replace(task, options={**task.options, "periods": fit.nobs})
    return ratio_result(fit, law, (float(typical[0]), float(typical[1])), task, rows=fit.nobs * period)


def ratio_result(
    fit: SmoothValue, law: tuple[Curve, Curve], levels: tuple[float, float], task: Task, *, rows: int | None = None
) -> RatioResult:
    """Test and describe a log ratio; `rows` stands for the rows behind the periods of `fit`."""
    draws, level = require_generator(task.bootstrap, task.rng), check_level(task.level)
    length = default_block(fit.nobs) if task.block is None else positive_integer("block", task.block)
    boot: tuple[float | None, float | None] = (None, None)
    if draws and task.rng is not None:
        drawn = block_draws(fit, *law, block=length, draws=draws, rng=task.rng)
        boot = bootstrap_pvalue(abs(fit.value) / fit.error, drawn)
    low, high = fit.interval(level)
    return RatioResult(
        method=task.method,
        null=task.null,
        alternative=task.alternative,
        statistic=fit.value / fit.error,
        pvalue=fit.tail(),
        distribution="t",
        df=(float(fit.degrees),),
        estimate=fit.value,
        estimate_name=task.name,
        interval=(low, high),
        interval_level=level,
        nobs=fit.nobs if rows is None else rows,
        nobs_lost=task.lost,
        options={"bootstrap": draws, "block": length, **task.options},
        reference=task.reference,
        ratio=math.exp(task.power * fit.value),
        ratio_lower=math.exp(task.power * low),
        ratio_upper=math.exp(task.power * high),
        first=levels[0],
        second=levels[1],
        unit=task.unit,
        bootstrap_pvalue=boot[0],
        bootstrap_error=boot[1],
        bootstrap_draws=draws,
    )
