"""Granger causality tests that keep their power when the link comes, goes or changes over time.

Notes
-----
The usual test asks whether the average effect of the cause's past is zero; a link that is positive in one half of the
sample and negative in the other passes unseen. Here the null is that the coefficients are zero *throughout*, against a
single change at an unknown date (ExpW, MeanW, SupLR) or slow drift (Nyblom).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.covariance import Partialled
from analysis.stats.granger_bootstrap import rademacher
from analysis.stats.granger_design import fit_mean, read_series
from analysis.stats.granger_instability_table import (
    MAX_COEFFICIENTS,
    STATISTICS,
    TRIMMING,
    asymptotic_pvalue,
    critical_value,
)
from analysis.stats.lagged import Floats, Ints, check_lags, check_trend, lag_columns, own_unit

REFERENCE = "Rossi (2005), Econometric Theory 21; Rossi and Wang (2019), Stata Journal 19; Nyblom (1989), JASA 84"
HEADLINE = "ExpW"
LEVELS = (0.10, 0.05, 0.01)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InstabilityResult(TestResult):
    """Four tests of no causality at any date.

    Attributes
    ----------
    statistic, pvalue
        Those of ExpW, the one with the best average power; its bootstrap p-value when there is a bootstrap.
    names : tuple of str
        ExpW, MeanW, Nyblom, SupLR.
    statistics, pvalues : ndarray of shape (4,)
        Asymptotic p-values, from simulated limit distributions.
    critical : ndarray of shape (4, 3)
        At the levels of `levels`.
    bootstrap_pvalues : tuple of float
        Fixed-design wild bootstrap, null imposed; empty without.
    draws : int
    wald_path : ndarray of shape (n_splits,)
        Joint Wald statistic that the coefficients are zero before and after each split.
    split_rows : ndarray of shape (n_splits,)
        Position in time of the last row before each split.
    break_position : int
        Split with the largest statistic.
    cov, trend : str
    """

    names: tuple[str, ...] = STATISTICS
    statistics: Floats
    pvalues: Floats
    levels: tuple[float, ...] = LEVELS
    critical: Floats
    bootstrap_pvalues: tuple[float, ...] = ()
    draws: int = 0
    wald_path: Floats
    split_rows: Ints
    break_position: int
    cov: str
    trend: str

    def summary(self) -> str:
        """Return the headline test and one line for each of the four as text."""
        lines = [TestResult.summary(self)]
        for place, name in enumerate(self.names):
            text = f"  {name} = {self.statistics[place]:.6g}, p = {self.pvalues[place]:.4g}"
            if self.bootstrap_pvalues:
                text += f", wild bootstrap p = {self.bootstrap_pvalues[place]:.4g}"
            lines.append(text)
        lines.append(f"  largest at position {self.break_position}; covariance {self.cov}, trend {self.trend}")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a statistic."""
        frame = pd.DataFrame({"test": self.names, "statistic": self.statistics, "pvalue": self.pvalues})
        frame["bootstrap_pvalue"] = np.array(self.bootstrap_pvalues or (None,) * len(self.names), dtype=object)
        for place, level in enumerate(self.levels):
            frame[f"critical_{100 * level:.0f}_percent"] = self.critical[:, place]
        return frame


def instability_robust_granger(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    given: ArrayLike | None = None,
    cov: str = "HC0",
    trend: str = "c",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    grid: int | None = None,
    mask: ArrayLike | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> InstabilityResult | Inapplicable:
    """Test that the past of `cause` never helps to predict `effect`, when the link may change over time.

    Parameters
    ----------
    effect : array of shape (n,)
    cause : array of shape (n,) or (n, k)
        In time order. NaN marks a missing observation: a row is used only when the effect at t and every series at
        t-1 .. t-lags are present.
    lags : int
        k * lags coefficients are tested, at most 12.
    given : array of shape (n,) or (n, m), optional
        Conditioning series, lagged like the rest; their coefficients and those of the effect's own lags are constant.
    cov : {"HC0", "nonrobust"}
        "HC0" allows for moving volatility; "nonrobust" divides the residual sum by rows minus coefficients.
    trend : {"c", "n", "ct"}
    bootstrap : int
        Draws of the fixed-design wild bootstrap with the null imposed.
    rng : numpy.random.Generator, optional
        Needed when `bootstrap` > 0.
    grid : int, optional
        Most splits that are tried, evenly spread; default every row of the middle 70 %. The draws of the bootstrap use
        the same splits, so that its p-value is as valid; the limit distribution takes the full set to be dense.
    mask : bool array of shape (n,), optional
        Dates of the effect that may enter as rows.
    effect_name, cause_name : str

    Returns
    -------
    InstabilityResult or Inapplicable
        Splits run over the middle 70 % of the rows.

    Raises
    ------
    InputError
        For wrong shapes or options, several effects, or more than 12 tested coefficients.

    Notes
    -----
    At a split, W is the Wald statistic that the coefficients are zero on both sides. ExpW = ln mean exp(W / 2), MeanW
    = mean W, SupLR = max W; Nyblom is the mean over all rows of S'V^{-1}S with S the running scores under the null.
    The intercept does not change at a split, so the tests ask for causes whose mean is near zero, such as returns: the
    level of a cause changes the statistics, that of effect and conditioning series does not.

    References
    ----------
    Rossi (2005), Econometric Theory 21; Rossi and Wang (2019), Stata Journal 19.
    """
    series = read_series(effect, cause, given, mask)
    if series.effect.shape[1] != 1:
        raise InputError("the test takes one effect", given=series.effect.shape)
    if cov not in ("HC0", "nonrobust"):
        raise InputError("unknown covariance estimator", given=cov, limit="HC0, nonrobust")
    p, draws = check_lags(lags), check_lags(bootstrap, name="bootstrap", least=0)
    q = p * series.cause.shape[1]
    if q > MAX_COEFFICIENTS:
        raise InputError(
            "too many tested coefficients", given=q, limit=f"at most {MAX_COEFFICIENTS}", remedy="lower lags="
        )
    signs = rademacher(rng, len(series), draws) if draws else None  # type: ignore[arg-type]
    method = f"instability-robust Granger causality ({cov})"
    found = fit_mean(series, lags=p, trend=check_trend(trend))
    if isinstance(found, str):
        return Inapplicable(method=method, reason=found)
    fit = found.fit
    splits = split_range(fit.nobs)
    if grid is not None and grid < len(splits):
        splits = splits[np.linspace(0, len(splits) - 1, check_lags(grid, name="grid", least=10)).round().astype(int)]
    if splits[0] <= q or fit.nobs - splits[-1] <= q:
        return Inapplicable(
            method=method, reason=f"{fit.nobs} rows leave too few on one side of a split for {q} coefficients"
        )
    responses = fit.restricted_residuals
    if signs is not None:
        responses = np.hstack([responses, responses * signs[fit.rows]])
    # On one side of a split the level of a cause is not the constant's: it is part of the statistic and stays.
    tested = lag_columns(own_unit(series.cause)[0], range(1, p + 1))[fit.rows]
    wald, nyblom = _paths(fit, tested, responses, splits, cov)
    if not (np.isfinite(wald[:, 0]).all() and np.isfinite(nyblom[0])):
        return Inapplicable(
            method=method, reason="the covariance is singular at a split: the cause hardly moves on one side"
        )
    values = combine(wald, nyblom)
    observed = values[:, 0]
    pvalues = np.array([asymptotic_pvalue(name, q, value) for name, value in zip(STATISTICS, observed, strict=True)])
    critical = np.array([[critical_value(name, q, level) for level in LEVELS] for name in STATISTICS])
    drawn: tuple[float, ...] = ()
    if draws:
        exceed = (values[:, 1:] >= observed[:, None] * (1 - 1e-10)).sum(axis=1)
        drawn = tuple(((1 + exceed) / (1 + draws)).tolist())
    headline = STATISTICS.index(HEADLINE)
    plain = ("the plain covariance over-rejects when volatility moves; see cov='HC0'",) if cov == "nonrobust" else ()
    limit = (
        ("the limit distribution over-rejects when volatility moves; rely on the wild bootstrap",) if not draws else ()
    )
    rows = fit.rows[splits - 1]
    return InstabilityResult(
        method=method,
        null=f"no lag of {cause_name} helps to predict {effect_name} at any date",
        alternative=f"some lag of {cause_name} helps to predict {effect_name} at some date",
        statistic=float(observed[headline]),
        pvalue=drawn[headline] if drawn else float(pvalues[headline]),
        distribution="bootstrap" if drawn else HEADLINE,
        df=(float(q),),
        nobs=fit.nobs,
        nobs_lost=len(series) - fit.nobs,
        lags=p,
        options={
            "n_given": series.given.shape[1],
            "trimming": TRIMMING,
            "cov": cov,
            "bootstrap": draws,
            "splits": len(splits),
        },
        warnings=plain + limit,
        reference=REFERENCE,
        statistics=observed,
        pvalues=pvalues,
        critical=critical,
        bootstrap_pvalues=drawn,
        draws=draws,
        wald_path=wald[:, 0],
        split_rows=rows,
        break_position=int(rows[np.argmax(wald[:, 0])]),
        cov=cov,
        trend=trend,
    )


def split_range(nobs: int) -> Ints:
    """Return the numbers of rows before each split: the middle 70 % of the rows."""
    return np.arange(round(nobs * TRIMMING), round(nobs * (1 - TRIMMING)) + 1, dtype=np.int64)


def combine(wald: Floats, nyblom: Floats) -> Floats:
    """Return ExpW, MeanW, Nyblom, SupLR, shape (4, draws), from Wald paths (n_splits, draws) and Nyblom (draws,)."""
    top = wald.max(axis=0)
    shifted = np.exp((wald - top) / 2.0).mean(axis=0)
    return np.stack([top / 2.0 + np.log(shifted), wald.mean(axis=0), nyblom, top])


def _paths(fit: Partialled, tested: Floats, responses: Floats, splits: Ints, cov: str) -> tuple[Floats, Floats]:
    """Return Wald paths (n_splits, draws) and Nyblom statistics (draws,) of responses with the kept columns removed.

    Notes
    -----
    At a split the regressors are the tested columns before it and after it, both freed of the kept columns. Their
    span holds the full-sample tested directions U; what is new is the part of the first block that neither kept
    columns nor U explain.
    """
    n, q = tested.shape
    X = tested / np.linalg.norm(tested, axis=0)
    W, U = fit.kept_basis, fit.tested_basis
    both = np.hstack([W, U])
    base_scores = U.T @ responses
    residuals = responses - U @ base_scores
    wald = np.empty((len(splits), responses.shape[1]))
    for place, split in enumerate(splits):
        first = np.zeros_like(X)
        first[:split] = X[:split]
        fresh = first - both @ (both[:split].T @ X[:split])
        fresh -= both @ (both.T @ fresh)
        basis, factor = np.linalg.qr(fresh)
        diagonal = np.abs(np.diag(factor))
        if diagonal.min() <= 1e-10 * np.linalg.norm(first, axis=0).max():
            wald[place] = np.inf
            continue
        extra = basis.T @ responses
        left = residuals - basis @ extra
        scores = np.vstack([base_scores, extra])
        wald[place] = _wald(np.hstack([U, basis]), scores, left, cov, n - W.shape[1] - 2 * q)
    return wald, _nyblom(U, responses, cov, n - W.shape[1])


def _wald(directions: Floats, scores: Floats, residuals: Floats, cov: str, freedom: int) -> Floats:
    """Return s'V^{-1}s of every column (draw)."""
    if cov == "nonrobust":
        return np.square(scores).sum(axis=0) / (np.square(residuals).sum(axis=0) / freedom)
    k = directions.shape[1]
    upper_i, upper_j = np.triu_indices(k)
    meats = (directions[:, upper_i] * directions[:, upper_j]).T @ np.square(residuals)
    variance = np.empty((residuals.shape[1], k, k))
    variance[:, upper_i, upper_j] = variance[:, upper_j, upper_i] = meats.T
    return _solve_quadratic(variance, scores.T)


def _solve_quadratic(variance: Floats, scores: Floats) -> Floats:
    """Return s'V^{-1}s for stacks (draws, k, k) and (draws, k); infinite where V is singular."""
    out = np.full(len(scores), np.inf)
    values = np.linalg.eigvalsh(variance)
    fine = values[:, 0] > 1e-13 * values[:, -1]
    solved = np.linalg.solve(variance[fine], scores[fine][..., None])[..., 0]
    out[fine] = (scores[fine] * solved).sum(axis=1)
    return out


def _nyblom(directions: Floats, responses: Floats, cov: str, freedom: int) -> Floats:
    """Return the mean over rows of S'V^{-1}S, S the running sums of the scores under the null, for every draw."""
    n, draws = responses.shape
    out = np.empty(draws)
    for draw in range(draws):
        e = responses[:, draw]
        products = directions * e[:, None]
        q = directions.shape[1]
        variance = products.T @ products if cov == "HC0" else e @ e / freedom * np.eye(q)
        running = np.cumsum(products, axis=0)
        if np.linalg.cond(variance) > 1e13:
            out[draw] = np.inf
        else:
            out[draw] = (running * np.linalg.solve(variance, running.T).T).sum() / n
    return out
