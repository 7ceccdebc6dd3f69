"""From checked series to a switching model in units of their spread, and the maximum that is worth reporting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.errors import InputError
from analysis.stats.lagged import Floats
from analysis.stats.regression import lag_columns, ols
from analysis.stats.switching.fit import Maximum
from analysis.stats.switching.inference import Units
from analysis.stats.switching.model import Model, make_model

NO_CONVERGENCE = 1e-4


@dataclass(frozen=True, slots=True)
class Problem:
    """A model with its data in units of their spread, and what its columns are called."""

    model: Model
    units: Units
    columns: tuple[str, ...]
    order_by: str


def build(
    series: Floats,
    x: Floats,
    k: int,
    p: int,
    form: str,
    trend: str,
    groups: tuple[str, ...],
    switching_variance: bool,
    order_by: str | None = None,
) -> Problem | str:
    """Return the model on data divided by their spread, or why it cannot be fitted."""
    n = series.size
    own = lag_columns(series[:, None], p) if form == "intercept" else np.empty((n, 0))
    constant = np.ones((n, int(trend == "c")))
    design = np.column_stack([constant, x, own])
    labels = ["const"] * constant.shape[1] + [f"x{i + 1}" for i in range(x.shape[1])]
    labels += [f"ar.L{lag + 1}" for lag in range(own.shape[1])]
    moves = ["trend"] * constant.shape[1] + ["x"] * x.shape[1] + ["lags"] * own.shape[1]
    whole = np.isfinite(series) & np.isfinite(design).all(axis=1)
    least = 10 * k + 2 * k * (design.shape[1] + 1)
    if int(whole.sum()) - p < least:
        return f"{int(whole.sum())} complete rows are too few for {k} states: {least} are needed"
    spread = float(series[whole].std())
    if spread <= 1e-12 * float(np.abs(series[whole]).max()):
        return "the series is constant"
    if design.shape[1] and ols(design[whole], series[whole]) is None:
        return "the regressors are collinear or constant"
    if not (
        switching_variance or any(group in groups for group in moves) or ("lags" in groups and form == "mean" and p)
    ):
        raise InputError("nothing differs between the states", remedy="let the variance or a coefficient switch")
    sizes = np.sqrt(np.mean(design[whole] ** 2, axis=0))
    model = make_model(
        series / spread,
        design / sizes,
        states=k,
        order=p if form == "mean" else 0,
        switching=np.array([group in groups for group in moves], dtype=bool),
        switching_ar="lags" in groups,
        switching_variance=switching_variance,
    )
    rule = order_by or ("variance" if switching_variance else "mean")
    return Problem(model, Units(spread, sizes), tuple(labels), rule)


def regular(found: list[Maximum]) -> Maximum | str:
    """Return the highest regular maximum, or why there is none."""
    usable = [item for item in found if not item.degenerate]
    if not usable:
        return "every start ended with a state that sits on a few rows, where the likelihood has no bound"
    if usable[0].gradient > NO_CONVERGENCE:
        return f"the search for the maximum did not converge: slope {usable[0].gradient:.2g} a row at its end"
    return usable[0]
