"""Local projections: the response at every horizon from its own regression, with limits that hold jointly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, Options
from analysis.stats.dynamics.inputs import (
    ahead,
    check_draws,
    check_level,
    control_columns,
    horizon_grid,
    position,
    positions,
    read_table,
)
from analysis.stats.dynamics.local_result import LocalProjection
from analysis.stats.dynamics.scores import (
    Responses,
    flipped_sums,
    hac_lags,
    largest,
    long_run,
    project,
    standard_errors,
    sup_test,
)
from analysis.stats.dynamics.shape import Shape, shape_of
from analysis.stats.lagged import Floats, check_lags
from analysis.stats.regression import bootstrap_pvalue, require_generator

METHOD = "Local projection"
COVARIANCES = ("lag-augmented", "HAC")


def local_projection(
    data: Any,
    *,
    shock: str | int,
    lags: int,
    horizons: int | Sequence[int],
    cov: str = "lag-augmented",
    responses: str | int | Sequence[str | int] | None = None,
    given: str | int | Sequence[str | int] = (),
    cumulative: bool = False,
    level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    names: Sequence[str] | None = None,
) -> LocalProjection | Inapplicable:
    """Estimate responses to one unit of a shock, each horizon by its own regression.

    Parameters
    ----------
    data : array_like of shape (n, k)
        Series by column in time order. NaN marks a missing value; a row needs all that its regression uses, and no gap
        is bridged.
    shock : str or int
        Column whose innovation is the shock.
    lags : int
        Lags 1..lags of all columns enter every regression beside a constant.
    horizons : int or sequence of int
        H for 0, 1, ..., H, or the horizons themselves.
    cov : {"lag-augmented", "HAC"}
        Standard errors: robust to heteroskedasticity (HC3) with the lags as augmentation; or Bartlett-weighted over at
        least the overlap. The estimates are the same.
    responses : columns, optional
        Responding series; all columns by default.
    given : columns, optional
        Columns whose value of the shock's own date is a control too: those ordered before the shock.
    cumulative : bool
        Sum each response from the first horizon up to each horizon.
    level : float
        Coverage of limits and bands.
    bootstrap : int
        Draws for joint bands, p-values and limits of the timing; 0 for none, else at least 99.
    rng : Generator, optional
        Needed when `bootstrap` is positive.
    names : sequence of str, optional
        Names of the columns; those of a data frame by default.

    Returns
    -------
    LocalProjection or Inapplicable
        Inapplicable with too few rows or collinear regressors.

    Raises
    ------
    InputError
        For a wrong shape, an infinite value, an unknown column or an option outside its set.

    Notes
    -----
    Timing: the response at horizon h uses data up to t + h; it is a description, not a forecast made at t. In a vector
    autoregression of order `lags` the shock is then an innovation given the past, so that one lag more is controlled
    for than unbiasedness needs: this is the augmentation, and it makes robust errors enough at any horizon and
    persistence. That rests on innovations whose mean does not depend on later ones either. With the columns before the
    shock in `given`, responses equal the orthogonal impulse responses over that of the shock itself, in population.
    Joint bands and p-values change the sign of all scores of a date (HAC bands draw normal errors instead).
    Coverage at a nominal 95 %, horizons 0..21, n = 500, over iid, GARCH-t and spill: pointwise 92-97 %, joint 89-95 %;
    HAC pointwise 87-97 %, joint 81-93 %. A true null of no response is rejected in 2-11 % of 150 samples.

    References
    ----------
    Jordà (2005), American Economic Review 95; Montiel Olea and Plagborg-Møller (2021), Econometrica 89, sections 2-3;
    Montiel Olea and Plagborg-Møller (2019), Journal of Applied Econometrics 34; Plagborg-Møller and Wolf (2021),
    Econometrica 89.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(500)
    >>> y = 0.5 * np.r_[0.0, x[:-1]] + rng.standard_normal(500)
    >>> result = local_projection(np.column_stack([x, y]), shock=0, responses=1, lags=2, horizons=3)
    >>> bool(abs(result.estimate[1, 0] - 0.5) < 0.1)
    True
    """
    table, labels = read_table(data, names)
    j = position(shock, labels, "shock")
    chosen = tuple(range(len(labels))) if responses is None else positions(responses, labels, "responses")
    beside = positions(given, labels, "given")
    if j in beside or not chosen:
        raise InputError("the shock cannot be given, and something must respond", given=repr(given))
    p, grid = check_lags(lags, least=0), horizon_grid(horizons)
    if cov not in COVARIANCES:
        raise InputError("unknown covariance", given=repr(cov), limit=", ".join(COVARIANCES))
    draws = check_draws(require_generator(bootstrap, rng))
    controls = np.hstack([control_columns(table, np.empty((len(table), 0)), p), table[:, list(beside)]])
    targets = np.hstack([ahead(table[:, i], grid, bool(cumulative)) for i in chosen])
    found = project(targets, table[:, j], controls)
    if isinstance(found, str):
        return Inapplicable(method=METHOD, reason=found)
    options = {
        "cov": cov,
        "cumulative": bool(cumulative),
        "given": tuple(labels[i] for i in beside),
        "bootstrap": draws,
    }
    limits = _limits(found, grid, len(chosen), cov, check_level(level), draws, rng)
    shape = (len(chosen), len(grid))
    return LocalProjection(
        method=METHOD,
        shock=labels[j],
        names=tuple(labels[i] for i in chosen),
        horizons=grid,
        estimate=found.estimate.reshape(shape).T,
        interval_level=float(level),
        lags=p,
        nobs=found.nobs.reshape(shape).T,
        nobs_lost=int(len(table) - found.nobs.max()),
        options=Options(options),
        **limits,
    )


def _limits(
    found: Responses,
    grid: tuple[int, ...],
    count: int,
    cov: str,
    level: float,
    draws: int,
    rng: np.random.Generator | None,
) -> dict[str, Any]:
    """Return standard errors and limits of every response, and what the draws add."""
    size = len(grid)
    errors = _hac_errors(found, grid) if cov == "HAC" else standard_errors(found)
    z = float(stats.norm.isf((1.0 - level) / 2.0))
    paths = [found.pick(slice(r * size, (r + 1) * size)) for r in range(count)]
    each = errors.reshape(count, size)
    centre = found.estimate.reshape(count, size)
    out: dict[str, Any] = {
        "standard_error": each.T,
        "lower": (centre - z * each).T,
        "upper": (centre + z * each).T,
    }
    if not draws or rng is None:
        return out
    drawn = [_joint(path, each[r], grid, cov, level, draws, rng) for r, path in enumerate(paths)]
    critical = np.array([item.critical for item in drawn])
    return out | {
        "joint_lower": (centre - critical[:, None] * each).T,
        "joint_upper": (centre + critical[:, None] * each).T,
        "critical": critical,
        "pvalue": np.array([item.pvalue for item in drawn]),
        "peak": tuple(item.shape.peak for item in drawn),
        "peak_interval": tuple(item.shape.peak_interval for item in drawn),
        "half": tuple(item.shape.half for item in drawn),
        "half_interval": tuple(item.shape.half_interval for item in drawn),
    }


def _hac_errors(found: Responses, grid: tuple[int, ...]) -> Floats:
    """Return Bartlett standard errors of every regression."""
    values = [
        long_run(found.scores[:, [m]], hac_lags(grid[m % len(grid)], int(found.nobs[m])))[0, 0]
        for m in range(len(found.estimate))
    ]
    return np.sqrt(np.array(values))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the draws say about one path."""

    critical: float
    pvalue: float
    shape: Shape


def _joint(
    path: Responses,
    errors: Floats,
    grid: tuple[int, ...],
    cov: str,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> _Drawn:
    """Return critical value, p-value and timing of one path."""
    if cov == "HAC":
        V = long_run(path.scores, hac_lags(grid[-1], int(path.nobs.max())))
        sums = rng.multivariate_normal(np.zeros(len(V)), V, size=draws, method="eigh")
        scale = np.sqrt(np.diag(V))
        maxima = largest(sums, scale)
        pvalue = bootstrap_pvalue(float(largest(path.estimate, errors)), maxima)[0]
    else:
        sums = flipped_sums(path.cautious, draws, rng)
        maxima = largest(sums, errors)
        pvalue = bootstrap_pvalue(*sup_test(path.at_null(np.zeros(len(grid))), draws, rng))[0]
    z = float(stats.norm.isf((1.0 - level) / 2.0))
    critical = max(z, float(np.quantile(maxima, level, method="higher")))
    return _Drawn(critical, pvalue, shape_of(path.estimate, sums, grid, level))
