"""Time-varying Granger causality: when does the past of one series help to predict another.

Notes
-----
The lag-augmented Wald statistic is computed in windows of the sample: *forward* windows all start with the first
observation, *rolling* windows all have the same length, and *recursive evolving* is the largest statistic over all
windows that end at an observation. Compiled row updates (`granger_windows`) make every window of a sample affordable,
and with them a bootstrap in which each draw passes through all windows too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.errors import InputError
from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.granger_design import Series, read_series
from analysis.stats.granger_varying_null import NullModel, Plan, null_errors, null_model, simulate_null
from analysis.stats.lagged import Bools, Floats, as_numbers, check_lags, check_trend, deterministic, lag_columns

PROCEDURES = ("forward", "rolling", "recursive")
LEVELS = (0.10, 0.05, 0.01)
REFERENCE = (
    "Shi, Phillips and Hurn (2018), Journal of Time Series Analysis 39; "
    "Shi, Hurn and Phillips (2020), Journal of Financial Econometrics 18"
)


class Episode(NamedTuple):
    """A run of window ends whose statistic exceeds its critical value: first and last position, both included."""

    first: int
    last: int


def date_episodes(statistic: ArrayLike, critical_value: float, *, min_length: int = 1) -> tuple[Episode, ...]:
    """Return the runs of observations whose statistic exceeds the critical value.

    Parameters
    ----------
    statistic : array of shape (n,)
        By window end; NaN (no statistic) never exceeds and ends a run.
    critical_value : float
    min_length : int
        Shorter runs are left out.

    Examples
    --------
    >>> date_episodes([np.nan, 5.0, 7.0, 1.0, 9.0], 4.0)
    (Episode(first=1, last=2), Episode(first=4, last=4))
    """
    values = as_numbers(statistic, "statistic")
    if values.ndim != 1 or not np.isfinite(critical_value):
        raise InputError("dating needs a series and a finite critical value", given=(values.shape, critical_value))
    least = check_lags(min_length, name="min_length")
    above = np.concatenate([[False], values > critical_value, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(above))
    spans = edges.reshape(-1, 2)
    return tuple(Episode(int(first), int(stop) - 1) for first, stop in spans if stop - first >= least)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimeVaryingResult(TestResult):
    """Wald statistics by window end, their critical values, and the test of no causality in any window.

    Attributes
    ----------
    statistic, pvalue
        With a bootstrap over the sample: the largest recursive evolving statistic and its bootstrap p-value. Without:
        the full-sample (last forward) statistic and its chi-square p-value.
    forward, rolling, recursive : ndarray of shape (n,)
        By the last observation of the window; NaN before the first possible end and where a window has no statistic.
    window, control_window : int
        Shortest window, and the observations over which a critical value controls the family-wise error rate.
    levels : tuple of float
        Those of 10, 5 and 1 % that the number of draws can reach: B draws reach 1 / (B + 1).
    critical : ndarray of shape (3, n_levels) or (0, 0)
        Rows forward, rolling, recursive; empty without a bootstrap.
    sup_statistics : ndarray of shape (3,)
        Largest statistic of each procedure.
    sup_pvalues : tuple of float
        (1 + b) / (1 + B) of each procedure over the whole sample; empty when not asked for.
    draws, n_windows, n_recomputed : int
        Bootstrap draws; windows of the sample; windows of the sample whose robust covariance needed the exact route.
    cov : str
    """

    forward: Floats
    rolling: Floats
    recursive: Floats
    window: int
    control_window: int
    levels: tuple[float, ...] = ()
    critical: Floats
    sup_statistics: Floats
    sup_pvalues: tuple[float, ...] = ()
    draws: int = 0
    n_windows: int
    n_recomputed: int = 0
    cov: str

    @property
    def critical_values(self) -> dict[str, dict[float, float]]:
        """Critical value by procedure and level; empty without a bootstrap."""
        rows = zip(PROCEDURES, self.critical.tolist() if self.levels else (), strict=False)
        return {name: dict(zip(self.levels, row, strict=True)) for name, row in rows}

    def episodes(
        self, procedure: str = "recursive", *, level: float = 0.05, min_length: int = 1
    ) -> tuple[Episode, ...]:
        """Return the spans of window ends at which causality is found; raises InputError without a critical value."""
        if procedure not in PROCEDURES:
            raise InputError("unknown procedure", given=procedure, limit=", ".join(PROCEDURES))
        values = self.critical_values.get(procedure, {})
        if level not in values:
            raise InputError(
                "no critical value at this level",
                given=level,
                limit=str(tuple(values)),
                remedy="run with bootstrap > 0",
            )
        return date_episodes(getattr(self, procedure), values[level], min_length=min_length)

    def summary(self) -> str:
        """Return the test, the largest statistic of each procedure and the critical values as text."""
        control = f", family-wise over {self.control_window} window ends" if self.critical.size else ""
        lines = [TestResult.summary(self), f"  shortest window {self.window}{control}"]
        for index, name in enumerate(PROCEDURES):
            text = f"  {name}: largest {self.sup_statistics[index]:.6g}"
            if self.sup_pvalues:
                text += f" (p = {self.sup_pvalues[index]:.4g})"
            if self.critical.size:
                values = ", ".join(
                    f"{1 - a:.0%} {c:.4g}" for a, c in zip(self.levels, self.critical[index], strict=True)
                )
                text += f"; critical values {values}"
            lines.append(text)
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a procedure: largest statistic, p-value and critical values."""
        frame = pd.DataFrame({"procedure": PROCEDURES, "largest": self.sup_statistics})
        frame["pvalue"] = np.array(self.sup_pvalues or (None,) * 3, dtype=object)
        for position, level in enumerate(self.levels):
            frame[f"critical_{100 * level:.0f}_percent"] = self.critical[:, position]
        return frame


def time_varying_granger(
    effect: ArrayLike,
    cause: ArrayLike,
    given: ArrayLike | None = None,
    *,
    lags: int,
    extra_lags: int = 1,
    window: int,
    cov: str = "nonrobust",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    control_window: int = 12,
    trend: str = "c",
    sup_pvalue: bool = True,
    threads: int | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> TimeVaryingResult | Inapplicable | Failed:
    """Test in forward, rolling and all windows whether the past of `cause` helps to predict `effect`.

    Parameters
    ----------
    effect : array of shape (n,)
    cause : array of shape (n,) or (n, k)
        In time order; levels may be integrated up to order `extra_lags`. NaN marks a missing observation: a regression
        row is used only when the effect at t and every series at t-1 .. t-lags-extra_lags are present.
    given : array of shape (n,) or (n, m), optional
        Conditioning series, lagged like the rest.
    lags : int
        Tested lags of the cause.
    extra_lags : int
        Further lags of every series, in the regression and not tested; 0 for stationary series.
    window : int
        Dates of the shortest window, lost lags included, counted from the first date that has every series; dates
        missing inside that span count.
    cov : {"nonrobust", "HC0"}
        The error variance divides by the number of rows. "HC0" allows for moving volatility.
    bootstrap : int
        Draws of the residual bootstrap under the null (recursive design); with "HC0" the residuals stay at their date
        and change sign at random, otherwise they are drawn with replacement.
    rng : numpy.random.Generator, optional
        Needed when `bootstrap` > 0.
    control_window : int
        The critical values hold family-wise over this many successive window ends, the first of the sample, with the
        gaps of its thinnest stretch; with "HC0" over the dates of these. Over more ends a crossing is more likely.
    trend : {"c", "n", "ct"}
    sup_pvalue : bool
        Whether every draw passes through all windows of the sample, for the p-value of the largest statistic; without,
        draws are only as long as the critical values need.
    threads : int, optional
        Default all processors. The numbers do not depend on it.
    effect_name, cause_name : str

    Returns
    -------
    TimeVaryingResult, Inapplicable or Failed
        Position t of every array uses observations up to t only; the critical values use the whole sample.

    Raises
    ------
    InputError
        For wrong shapes or options, or a window too short for its coefficients.

    References
    ----------
    Shi, Phillips and Hurn (2018), Journal of Time Series Analysis 39; Shi, Hurn and Phillips (2020), Journal of
    Financial Econometrics 18. The last forward statistic is the Toda-Yamamoto statistic of the full sample.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> x = rng.standard_normal(200)
    >>> y = np.r_[0.0, 0.8 * x[:-1]] + rng.standard_normal(200)
    >>> time_varying_granger(y, x, lags=1, window=40).pvalue < 1e-6
    True
    """
    whole_series = read_series(effect, cause, given, None)
    plan = _check_plan(whole_series, lags, extra_lags, trend, window, cov)
    draws, control = check_lags(bootstrap, name="bootstrap", least=0), check_lags(control_window, name="control_window")
    method = f"time-varying Granger causality ({cov})"
    series, first, stop = _common_span(whole_series)
    n = len(series)
    least = plan.window + (control - 1 if draws else 0)
    if n < least:
        return Inapplicable(method=method, reason=_too_short(n, plan.window, control if draws else 0))
    workers = check_lags(threads, name="threads") if threads is not None else os.cpu_count() or 1
    design = _design(series, plan)
    forward, rolling, recursive, recomputed = _scan(design, plan, workers)
    if not np.isfinite(forward[-1]):
        return Inapplicable(method=method, reason=_no_statistic(design))
    if not np.isfinite(rolling).any():
        reason = (
            f"no window of {plan.window} observations has a statistic: gaps leave too few rows; choose a larger one"
        )
        return Inapplicable(method=method, reason=reason)
    sup = np.array([np.nanmax(item) for item in (forward, rolling, recursive)])
    critical, exceed = np.empty((0, 0)), None
    levels = tuple(level for level in LEVELS if (draws + 1) * level >= 1 - 1e-9)
    warnings = []
    if draws:
        null = null_model(series, plan)
        if isinstance(null, str):
            return Failed(method=method, reason=null)
        short, full = _bootstrap(series, plan, null, draws, control, rng, sup_pvalue, workers)
        critical = np.quantile(short, [1 - level for level in levels], axis=0, method="higher").T
        if len(levels) < len(LEVELS):
            warnings.append(f"{draws} draws give no critical value below a level of {1 / (draws + 1):.2g}")
        exceed = (1 + (full >= sup * (1 - 1e-10)).sum(axis=0)) / (1 + draws) if sup_pvalue else None
        warnings += [null.warning] if null.warning else []
    missing = int(np.isnan(rolling[plan.window - 1 :]).sum())
    if missing:
        of = n - plan.window + 1
        warnings.append(f"{missing} of {of} rolling windows have no statistic: rows are too few or collinear there")
    if cov == "nonrobust":
        warnings.append("the plain covariance over-rejects when volatility moves; rely on HC0 with the wild bootstrap")
    q = design.n_tested
    whole = exceed is None
    n_starts = n - plan.window + 1
    return TimeVaryingResult(
        method=method,
        null=f"no lag of {cause_name} helps to predict {effect_name} in any window",
        alternative=f"some lag of {cause_name} helps to predict {effect_name} in some window",
        statistic=float(forward[-1] if whole else sup[2]),
        pvalue=float(stats.chi2.sf(forward[-1], q)) if exceed is None else float(exceed[2]),
        distribution="chi2" if whole else "bootstrap",
        df=(float(q),) if whole else (),
        nobs=int(design.usable.sum()),
        nobs_lost=len(whole_series) - int(design.usable.sum()),
        lags=plan.lags,
        options={
            "extra_lags": plan.extra_lags,
            "trend": trend,
            "cov": cov,
            "bootstrap": draws,
            "bootstrap_kind": "wild, recursive design" if plan.robust else "residual, recursive design",
            "n_given": series.given.shape[1],
        },
        warnings=tuple(warnings),
        reference=REFERENCE,
        forward=_embedded(forward, len(whole_series), first, stop),
        rolling=_embedded(rolling, len(whole_series), first, stop),
        recursive=_embedded(recursive, len(whole_series), first, stop),
        window=plan.window,
        control_window=control,
        levels=levels,
        critical=critical,
        sup_statistics=sup,
        sup_pvalues=() if exceed is None else tuple(exceed.tolist()),
        draws=draws,
        n_windows=n_starts * (n_starts + 1) // 2,
        n_recomputed=recomputed,
        cov=cov,
    )


def _common_span(series: Series) -> tuple[Series, int, int]:
    """Cut dates before the first and after the last that have every series: no window may consist of absent dates."""
    present = np.flatnonzero(np.isfinite(series.joint).all(axis=1))
    first, stop = (int(present[0]), int(present[-1]) + 1) if present.size else (0, 0)
    span = slice(first, stop)
    return Series(series.effect[span], series.cause[span], series.given[span], series.allowed[span]), first, stop


def _embedded(values: Floats, length: int, first: int, stop: int) -> Floats:
    whole = np.full(length, np.nan)
    whole[first:stop] = values
    return whole


def _check_plan(series: Series, lags: int, extra_lags: int, trend: str, window: int, cov: str) -> Plan:
    if cov not in ("nonrobust", "HC0"):
        raise InputError("unknown covariance estimator", given=cov, limit="nonrobust, HC0")
    if series.effect.shape[1] != 1:
        raise InputError("time-varying causality takes one effect", given=series.effect.shape)
    p, d = check_lags(lags), check_lags(extra_lags, name="extra_lags", least=0)
    size = deterministic(1, check_trend(trend)).shape[1] + (p + d) * series.joint.shape[1]
    least = size + p + d + 2
    return Plan(p, d, trend, check_lags(window, name="window", least=least), cov == "HC0")


@dataclass(frozen=True, slots=True)
class _WindowDesign:
    """Rows by date: columns kept, tested, response (n, K); which rows are whole; which columns may be shifted."""

    columns: Floats
    usable: Bools
    shifted: Bools
    n_kept: int
    n_tested: int


def _design(series: Series, plan: Plan) -> _WindowDesign:
    """Return the rows in a basis of differences, which spans the same regressions and keeps levels in few columns.

    Notes
    -----
    With an extra lag, lags of a level are replaced by one lagged level and lagged changes, the tested lags of the
    cause by its changes (the untested level stays in the kept columns), and the effect by its change (its lag is a
    kept column). None of this moves a residual or the span of the tested part.
    """
    n, p, reach = len(series), plan.lags, plan.reach
    trend = deterministic(n, plan.trend)
    others = np.hstack([series.effect, series.given])
    if plan.extra_lags:
        changes = np.full((n, series.joint.shape[1]), np.nan)
        changes[1:] = np.diff(series.joint, axis=0)
        d_effect, d_cause, d_given = np.split(changes, [1, 1 + series.cause.shape[1]], axis=1)
        levels = np.hstack([lag_columns(others, [1]), lag_columns(series.cause, [p + 1])])
        kept = [lag_columns(np.hstack([d_effect, d_given]), range(1, reach)), lag_columns(d_cause, range(p + 1, reach))]
        tested, response = lag_columns(d_cause, range(1, p + 1)), d_effect
    else:
        levels = lag_columns(others, range(1, reach + 1))
        kept, tested, response = [], lag_columns(series.cause, range(1, p + 1)), series.effect
    columns = np.hstack([trend, levels, *kept, tested, response])
    usable = np.isfinite(columns).all(axis=1)
    columns = np.where(usable[:, None], columns, 0.0)
    scale = np.abs(columns).max(axis=0)
    columns /= np.where(scale > 0, scale, 1.0)
    shifted = np.zeros(columns.shape[1], dtype=bool)
    if plan.trend != "n":
        shifted[1 : trend.shape[1] + levels.shape[1]] = True
    n_tested = tested.shape[1]
    return _WindowDesign(columns, usable, shifted, columns.shape[1] - 1 - n_tested, n_tested)


def _scan(design: _WindowDesign, plan: Plan, workers: int) -> tuple[Floats, Floats, Floats, int]:
    """Return the three statistics by window end and the number of windows recomputed from their rows."""
    from analysis.stats.granger_windows import scan, stride

    starts = range(0, len(design.columns) - plan.window + 1, stride(plan.robust))
    shares = [starts[item::workers] for item in range(min(workers, len(starts)))]

    def run(share: range) -> tuple[Floats, Floats, Floats, int]:
        return scan(
            design.columns,
            design.usable,
            design.shifted,
            n_kept=design.n_kept,
            n_tested=design.n_tested,
            reach=plan.reach,
            window=plan.window,
            starts=share,
            robust=plan.robust,
        )

    parts = _spread(run, shares, workers)
    merged = [np.fmax.reduce([part[item] for part in parts]) for item in range(3)]
    return merged[0], merged[1], merged[2], sum(part[3] for part in parts)


def _spread(run: Callable[[Any], Any], items: list[Any], workers: int) -> list[Any]:
    """Run over items on threads (the compiled loops release the interpreter) and return results in order."""
    if workers == 1 or len(items) == 1:
        return [run(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, items))


def _too_short(n: int, window: int, control: int) -> str:
    beside = f" and the {control} window ends its critical value controls" if control else ""
    smaller = " or control_window" if control else ""
    return f"{n} observations do not hold one window of {window}{beside}: choose a smaller window{smaller}"


def _no_statistic(design: _WindowDesign) -> str:
    rows = int(design.usable.sum())
    if rows < design.columns.shape[1]:
        return f"{rows} usable rows are too few for {design.columns.shape[1] - 1} coefficients"
    return "the regressors are collinear or fit perfectly: a series is constant, repeated or a combination of others"


def _gaps_of_a_stretch(missing: Bools, length: int, reach: int) -> Bools:
    """Return the missing values (length, k) of the stretch with the fewest whole rows, if it has half of them."""
    whole = np.ones(len(missing), dtype=bool)
    whole[:reach] = False
    for lag in range(reach + 1):
        whole[lag:] &= ~missing[: len(missing) - lag].any(axis=1)
    rows = np.convolve(whole, np.ones(length - reach), mode="valid")[reach:]  # of the stretch that begins at a date
    usable = np.where(rows >= (length - reach) / 2, rows, np.inf)
    start = int(usable.argmin()) if np.isfinite(usable).any() else int(rows.argmax())
    return missing[start : start + length]


def _bootstrap(
    series: Series,
    plan: Plan,
    null: NullModel,
    draws: int,
    control: int,
    rng: np.random.Generator | None,
    whole: bool,
    workers: int,
) -> tuple[Floats, Floats]:
    """Return largest statistics (draws, 3) over `control` window ends, and over the sample when `whole`.

    Draws miss what the sample misses: all of it over the sample, the gaps of its thinnest stretch over a few ends.
    """
    short_length = plan.window + control - 1
    n = len(series) if whole else short_length
    paths = simulate_null(series, plan, null, null_errors(plan, null, draws, rng, n))  # type: ignore[arg-type]
    missing = ~np.isfinite(series.joint)
    gaps = _gaps_of_a_stretch(missing, short_length, plan.reach)
    m = series.cause.shape[1]

    def largest(values: Floats) -> Floats:
        part = Series(values[:, :1], values[:, 1 : 1 + m], values[:, 1 + m :], np.ones(len(values), dtype=bool))
        found = _scan(_design(part, plan), plan, 1)[:3]
        return np.array([np.fmax.reduce(item) for item in found])

    def run(draw: int) -> tuple[Floats, Floats]:
        short = largest(np.where(gaps, np.nan, paths[draw, :short_length]))
        return short, largest(np.where(missing, np.nan, paths[draw])) if whole else short

    results = _spread(run, list(range(draws)), workers)
    short, full = np.array([item[0] for item in results]), np.array([item[1] for item in results])
    # A draw without a statistic can only make a test more cautious.
    return np.nan_to_num(short, nan=np.inf), np.nan_to_num(full, nan=np.inf)
