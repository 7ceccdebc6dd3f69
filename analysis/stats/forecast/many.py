"""Many forecasts at once: whether any beats the benchmark, and which cannot be told from the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, Result, TestResult
from analysis.stats.forecast.bootstrap import LEAST_DRAWS, block_length, check_draws
from analysis.stats.forecast.inputs import FEWEST, check_level, frozen
from analysis.stats.lagged import Floats, as_columns, same_index
from analysis.stats.regression import as_series

SPA_METHOD, MCS_METHOD = "Superior predictive ability", "Model confidence set"
SPA_REFERENCE = (
    "Hansen (2005), Journal of Business and Economic Statistics 23, 365-380; White (2000), Econometrica 68, 1097-1126"
)
MCS_REFERENCE = "Hansen, Lunde and Nason (2011), Econometrica 79, 453-497"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SuperiorAbility(TestResult):
    """A test that no model is better than the benchmark; `pvalue` is Hansen's consistent one.

    Attributes
    ----------
    pvalue_lower, pvalue_upper : float
        Bounds: poor models left out, and all models kept (White's reality check, studentised).
    names : tuple of str
    gains, statistics : ndarray of shape (k,)
        Mean loss of the benchmark less that of each model, and the same over its standard error.
    best : str
        Model with the largest statistic.
    block : float
    draws : int
    """

    pvalue_lower: float
    pvalue_upper: float
    names: tuple[str, ...]
    gains: np.ndarray
    statistics: np.ndarray
    best: str
    block: float
    draws: int


def superior_predictive_ability(
    benchmark_loss: ArrayLike,
    model_losses: ArrayLike,
    *,
    bootstrap: int = 999,
    rng: np.random.Generator | None = None,
    names: Sequence[str] | None = None,
    block: float | None = None,
) -> SuperiorAbility | Inapplicable:
    """Test whether any of several models beats the benchmark, the search among them counted.

    Parameters
    ----------
    benchmark_loss : array of shape (n,)
        Loss of the benchmark in time order, such as squared errors; less is better.
    model_losses : array of shape (n, k)
        Losses of the models. NaN marks a missing value; a row needs all of them.
    bootstrap : int
        Draws of the stationary bootstrap.
    rng : numpy.random.Generator
    names : sequence of str, optional
    block : float, optional
        Mean block; the largest that the differences of the losses ask for when left out.

    Returns
    -------
    SuperiorAbility or Inapplicable
        Models whose losses are those of the benchmark in every row are left out; without another one it does not apply.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    Notes
    -----
    The bootstrap is that of ``arch``. It recentres but does not divide by the standard errors, so the differences are
    divided beforehand, by the error that belongs to the stationary bootstrap. Measured size with six models as poor as
    the benchmark (n = 1000, 200 runs, 199 draws): iid 4.5 %, GARCH-t 8.5 %; models that pay for useless coefficients
    are worse than the benchmark, and then it hardly ever rejects.

    References
    ----------
    Hansen (2005); Politis and Romano (1994), JASA 89, lemma 1 for the variance.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> losses = rng.standard_normal((200, 3)) ** 2
    >>> superior_predictive_ability(losses[:, 0], losses[:, 1:], rng=rng).draws
    999
    """
    draws = check_draws(bootstrap, rng)
    if not draws:
        raise InputError("the test is a bootstrap", given=bootstrap, limit=f"at least {LEAST_DRAWS} draws")
    same_index(benchmark_loss=benchmark_loss, model_losses=model_losses)
    base = as_series("benchmark_loss", benchmark_loss)
    losses = as_columns(model_losses, "model_losses")
    labels = _labels(names, losses, base.size)
    complete = np.isfinite(base) & np.isfinite(losses).all(axis=1)
    n = int(complete.sum())
    if n < 2 * FEWEST:
        return Inapplicable(method=SPA_METHOD, reason=f"{n} rows have every loss; {2 * FEWEST} are needed")
    gain = base[complete, None] - losses[complete]
    kept = gain.std(axis=0) > 1e-14 * np.abs(gain).max(axis=0)
    if not kept.any():
        return Inapplicable(method=SPA_METHOD, reason="no model's losses differ from the benchmark's")
    gain, labels = gain[:, kept], tuple(label for label, use in zip(labels, kept, strict=True) if use)
    length = _block(gain) if block is None else float(block)
    scaled = gain / np.sqrt([_stationary_variance(column, length) for column in gain.T])
    lower, consistent, upper = _spa_pvalues(scaled, length, draws, rng)
    statistics = math.sqrt(n) * scaled.mean(axis=0)
    best = int(np.argmax(statistics))
    return SuperiorAbility(
        method=SPA_METHOD,
        null="no model is better than the benchmark",
        alternative="at least one model is better",
        statistic=max(0.0, float(statistics[best])),
        pvalue=consistent,
        distribution="bootstrap",
        estimate=float(gain[:, best].mean()),
        estimate_name="gain in mean loss of the best model",
        nobs=n,
        nobs_lost=int(base.size - n),
        options=frozen(bootstrap=draws, left_out=int((~kept).sum())),
        reference=SPA_REFERENCE,
        pvalue_lower=lower,
        pvalue_upper=upper,
        names=labels,
        gains=gain.mean(axis=0),
        statistics=statistics,
        best=labels[best],
        block=length,
        draws=draws,
    )


def _spa_pvalues(
    scaled: Floats, length: float, draws: int, rng: np.random.Generator | None
) -> tuple[float, float, float]:
    """Return lower, consistent and upper p-values, the observed sample counted as one draw."""
    from arch.bootstrap import SPA

    test = SPA(np.zeros(len(scaled)), -scaled, block_size=max(1, round(length)), reps=draws, seed=rng)
    test.compute()
    counts = [round(float(test.pvalues[name]) * draws) for name in ("lower", "consistent", "upper")]
    lower, consistent, upper = ((1.0 + count) / (1.0 + draws) for count in counts)
    return lower, consistent, upper


def _stationary_variance(values: Floats, length: float) -> float:
    """Return the variance of root n times the mean under the stationary bootstrap."""
    n, p = len(values), 1.0 / length
    centred = values - values.mean()
    width = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, width)
    gamma = np.fft.irfft(spectrum * np.conj(spectrum), width)[:n] / n
    lag = np.arange(1, n)
    weight = (1 - lag / n) * (1 - p) ** lag + (lag / n) * (1 - p) ** (n - lag)
    return float(max(gamma[0] + 2.0 * weight @ gamma[1:], 1e-12 * gamma[0]))


def _block(gain: Floats) -> float:
    return max(block_length(column) for column in gain.T)


def _labels(names: Sequence[str] | None, losses: Floats, length: int) -> tuple[str, ...]:
    if len(losses) != length:
        raise InputError("losses differ in length", given=(length, len(losses)), limit="one row a forecast in both")
    k = losses.shape[1]
    labels = tuple(f"model {i + 1}" for i in range(k)) if names is None else tuple(str(name) for name in names)
    if len(labels) != k or len(set(labels)) != k:
        raise InputError("names must be distinct, one for each model", given=labels, limit=f"{k} names")
    return labels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelConfidenceSet(Result):
    """The models that hold the best one with the stated probability.

    Attributes
    ----------
    names : tuple of str
    losses, pvalues : ndarray of shape (k,)
        Mean loss, and the level at which the model would leave the set.
    level : float
        Probability that the set holds the best model.
    block : float
    draws, nobs, nobs_lost : int
    """

    method: str = MCS_METHOD
    names: tuple[str, ...]
    losses: np.ndarray
    pvalues: np.ndarray
    level: float
    block: float
    draws: int
    nobs: int
    nobs_lost: int
    options: Mapping[str, Any]
    reference: str = MCS_REFERENCE

    @property
    def included(self) -> tuple[str, ...]:
        """Models in the set."""
        return tuple(name for name, p in zip(self.names, self.pvalues, strict=True) if p > 1.0 - self.level)

    def summary(self) -> str:
        """Return the set and the p-value of every model."""
        lines = [f"{self.method} at {self.level:.0%}: {', '.join(self.included)}"]
        for name, loss, p in zip(self.names, self.losses, self.pvalues, strict=True):
            lines.append(f"  {name}: mean loss {loss:.6g}, p = {p:.4g}")
        return "\n".join([*lines, f"  n = {self.nobs} ({self.nobs_lost} lost)", f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a model."""
        inside = [name in self.included for name in self.names]
        return pd.DataFrame({"model": self.names, "loss": self.losses, "pvalue": self.pvalues, "included": inside})


def model_confidence_set(
    losses: ArrayLike,
    *,
    bootstrap: int = 999,
    rng: np.random.Generator | None = None,
    names: Sequence[str] | None = None,
    level: float = 0.9,
    block: float | None = None,
) -> ModelConfidenceSet | Inapplicable:
    """Return the models that cannot be told from the best.

    Parameters
    ----------
    losses : array of shape (n, k)
        Losses in time order; NaN marks a missing value and a row needs all of them.
    bootstrap, rng, names, block
        As in `superior_predictive_ability`.
    level : float
        Probability that the set holds the best model.

    Returns
    -------
    ModelConfidenceSet or Inapplicable
        Inapplicable with too few rows, or when two models have the same loss in every row.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their range.

    References
    ----------
    Hansen, Lunde and Nason (2011), the range statistic; computed by ``arch``.
    """
    from arch.bootstrap import MCS

    draws, level = check_draws(bootstrap, rng), check_level(level)
    table = as_columns(losses, "losses")
    labels = _labels(names, table, len(table))
    if not draws or table.shape[1] < 2:
        raise InputError(
            "a confidence set needs two models and a bootstrap", given=f"{table.shape[1]} models, {draws} draws"
        )
    complete = np.isfinite(table).all(axis=1)
    rows = table[complete]
    if len(rows) < 2 * FEWEST:
        return Inapplicable(method=MCS_METHOD, reason=f"{len(rows)} rows have every loss; {2 * FEWEST} are needed")
    if len(np.unique(rows, axis=1).T) < len(labels):
        return Inapplicable(method=MCS_METHOD, reason="two models have the same loss in every row")
    length = _block(rows[:, 1:] - rows[:, :1]) if block is None else float(block)
    found = MCS(rows, 1.0 - level, reps=draws, block_size=max(1, round(length)), method="R", seed=rng)
    found.compute()
    shares = found.pvalues["Pvalue"].reindex(range(len(labels))).to_numpy(dtype=np.float64)
    return ModelConfidenceSet(
        names=labels,
        losses=rows.mean(axis=0),
        pvalues=(1.0 + np.round(shares * draws)) / (1.0 + draws),
        level=level,
        block=length,
        draws=draws,
        nobs=len(rows),
        nobs_lost=len(table) - len(rows),
        options=frozen(bootstrap=draws, statistic="range"),
    )
