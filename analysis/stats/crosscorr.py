"""Cross-correlation at signed lags with bands that survive heteroskedasticity and dependence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, Result, TestResult
from analysis.stats.lagged import as_numbers, own_unit, same_index
from analysis.stats.regression import as_series, bootstrap_pvalue, positive_integer, require_generator, sign_blocks

METHOD = "Robust cross-correlation"
REFERENCE = "Dalla, Giraitis and Phillips (2022), Econometric Theory 38, 913-941"
SIDES = ("y leads x", "x leads y", "either leads")
MINIMUM_PAIRS = 20
_SMALLEST_EIGENVALUE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossCorrelation(Result):
    """Cross-correlations of two series at lags -m … m; k > 0 means that y leads.

    Attributes
    ----------
    lags : ndarray of shape (2m + 1,)
        The lags -m … m.
    estimate, lower, upper : ndarray of shape (2m + 1,)
        Correlation of x_t with y_{t-k} and its pointwise interval, valid away from zero correlation too.
    t_robust, pvalue : ndarray of shape (2m + 1,)
        Robust t statistic and two-sided p-value at each lag; no correction for looking at many lags.
    band_robust : ndarray of shape (2m + 1,)
        Half width of the robust band around zero at each lag.
    band_standard : float
        Half width of the textbook band; right for independent homoskedastic series only.
    nobs : ndarray of shape (2m + 1,)
        Pairs used at each lag.
    cumulative, cumulative_pvalue : ndarray of shape (2, m)
        Row 0: lags 1 … h (y leads x). Row 1: lags -1 … -h (x leads y). Column h - 1 is chi-squared with h degrees
        of freedom. Lag 0 is in neither row, for it is no lead.
    sup_lag, sup_statistic, sup_lag_pvalue : ndarray of shape (3,), or None without bootstrap
        Lag and size of the largest absolute t statistic over lags 1 … m, over -m … -1, and over both, and the wild
        bootstrap p-value of that size.
    """

    plottable: ClassVar[bool] = True

    method: str
    lags: np.ndarray
    estimate: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    t_robust: np.ndarray
    pvalue: np.ndarray
    band_robust: np.ndarray
    band_standard: float
    nobs: np.ndarray
    nobs_lost: int
    cumulative: np.ndarray
    cumulative_pvalue: np.ndarray
    sup_lag: np.ndarray | None = None
    sup_statistic: np.ndarray | None = None
    sup_lag_pvalue: np.ndarray | None = None
    options: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    reference: str

    def lead_test(self, leader: str) -> TestResult:
        """Return the cumulative test that `leader` ("x" or "y") leads the other at some lag up to m."""
        if leader not in ("x", "y"):
            raise InputError("unknown leader", given=repr(leader), limit='"x" or "y"')
        row, m = (0 if leader == "y" else 1), len(self.lags) // 2
        step = m + 1 if leader == "y" else m - 1
        led = "x" if leader == "y" else "y"
        return TestResult(
            method=f"{self.method}, cumulative test",
            null=f"{led} is uncorrelated with {leader} at every one of 1 to {m} steps before it",
            alternative=f"{leader} leads {led} at some of these lags",
            statistic=float(self.cumulative[row, -1]),
            pvalue=float(self.cumulative_pvalue[row, -1]),
            distribution="chi2",
            df=(float(m),),
            estimate=float(self.estimate[step]),
            estimate_name=f"correlation of {led}(t) with {leader}(t-1)",
            interval=(float(self.lower[step]), float(self.upper[step])),
            interval_level=float(self.options["level"]),
            nobs=int(self.nobs[step]),
            nobs_lost=self.nobs_lost,
            lags=m,
            options=self.options,
            warnings=self.warnings,
            reference=self.reference,
        )

    def summary(self) -> str:
        """Return correlations by lag and the two cumulative tests as plain text."""
        lines = [self.method, "  k > 0: y leads x; k < 0: x leads y", "     lag  correlation   ±band        t        p"]
        rows = zip(self.lags, self.estimate, self.band_robust, self.t_robust, self.pvalue, strict=True)
        lines += [f"  {k:6d}  {r:11.4f}  {b:6.4f}  {t:7.2f}  {p:7.4f}" for k, r, b, t, p in rows]
        m = len(self.lags) // 2
        for row, side in enumerate(SIDES[:2]):
            Q, p = self.cumulative[row, -1], self.cumulative_pvalue[row, -1]
            lines.append(f"  {side}, lags 1 to {m}: chi2({m}) = {Q:.6g}, p = {p:.4g}")
        if self.sup_lag is not None and self.sup_statistic is not None and self.sup_lag_pvalue is not None:
            found = zip(SIDES, self.sup_lag, self.sup_statistic, self.sup_lag_pvalue, strict=True)
            lines += [f"  {side}, largest |t| = {t:.3g} at lag {k}: bootstrap p = {p:.4g}" for side, k, t, p in found]
        lines += [f"  Warning: {warning}" for warning in self.warnings]
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lag; the cumulative columns are missing at lag 0, which belongs to neither side."""
        m = len(self.lags) // 2
        frame = pd.DataFrame(
            {
                "lag": self.lags,
                "leads": ["x"] * m + ["neither"] + ["y"] * m,
                "estimate": self.estimate,
                "lower": self.lower,
                "upper": self.upper,
                "band_robust": self.band_robust,
                "t_robust": self.t_robust,
                "pvalue": self.pvalue,
                "nobs": self.nobs,
            }
        )
        for name, table in (("cumulative", self.cumulative), ("cumulative_pvalue", self.cumulative_pvalue)):
            frame[name] = pd.array([*table[1, ::-1].tolist(), None, *table[0].tolist()], dtype="Float64")
        return frame

    def plot(self, ax: Any = None) -> Any:
        """Draw correlations by lag with the robust band (shaded) and the textbook band (thin dotted line)."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(7.0, 3.6)).add_subplot()
        ax.fill_between(self.lags, -self.band_robust, self.band_robust, color="0.88", step="mid")
        for level in (-self.band_standard, self.band_standard):
            ax.axhline(level, color="0.5", linewidth=0.6, linestyle=":")
        ax.axhline(0.0, color="0.2", linewidth=0.8)
        ax.vlines(self.lags, 0.0, self.estimate, color="#1f4e79", linewidth=1.6)
        ax.plot(self.lags, self.estimate, "o", color="#1f4e79", markersize=4)
        ax.set_xlabel("Lag k (k > 0: y leads, k < 0: x leads)")
        ax.set_ylabel("Correlation of x(t) with y(t − k)")
        return ax


def cross_correlation(
    x: Any,
    y: Any,
    *,
    max_lag: int,
    level: float = 0.95,
    threshold: float = 2.576,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
) -> CrossCorrelation | Inapplicable:
    """Correlate x_t with y_{t-k} for k = -m … m; k > 0 means that y leads.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Two series on one time grid; serially uncorrelated series such as returns. NaN marks a missing value; a pair is
        used only when both members are present at exactly k steps.
    max_lag : int
        The largest lag m.
    level : float
        Confidence level of bands and intervals.
    threshold : float
        Off-diagonal elements of the correlation matrix of the t statistics count only when their own robust t
        statistic exceeds this; the reference recommends 2.576.
    bootstrap : int
        Draws for the p-value of the largest lag; 0 for none.
    rng : Generator, optional
        Needed when `bootstrap` is positive.

    Returns
    -------
    CrossCorrelation or Inapplicable
        Inapplicable when a lag has fewer than 20 pairs or a series is constant.

    Raises
    ------
    InputError
        On wrong shapes, infinite values or options outside their range.

    Notes
    -----
    With e_tk = (x_t − x̄)(y_{t−k} − ȳ), means over each whole series, the statistic is t_k = Σe_tk / (Σe²_tk)^½ and the
    cumulative one is t'R*⁻¹t, where R* keeps r_jk = Σe_tj e_tk / (Σe²_tj Σe²_tk)^½ only if
    |Σe_tj e_tk| / (Σe²_tj e²_tk)^½ exceeds the threshold, all sums over t at which both products exist. The reference
    starts its cumulation at lag 0; here it starts at lag 1 because a common move at lag 0 is no lead. Should R* not be
    positive definite it is shrunk towards the identity until its smallest eigenvalue is 0.01, with a warning.
    The sup-lag p-value flips the sign of the product e_tk with one Rademacher draw a date of the series that is led.

    The correlation at lag k is the mean of its products over the N_k pairs, times the taper 1 - |k|/n and over both
    standard deviations, with n the rows from the first value of either series to the last. Of complete series this is
    the textbook Σe_tk / (n s_x s_y), as N_k = n - |k|. Where values are missing, Σe_tk / n would shrink by the share of
    pairs that are lost; the mean over the pairs there are does not. Rows that both series lack at an end do not count.

    References
    ----------
    Dalla, Giraitis and Phillips (2022), Econometric Theory 38, 913-941.

    Examples
    --------
    >>> z = np.random.default_rng(1).standard_normal(301)
    >>> result = cross_correlation(z[:-1], z[1:], max_lag=2)
    >>> int(result.lags[np.argmax(result.estimate)])
    1
    """
    x, y = read_pair(x, y)
    m = positive_integer("max_lag", max_lag)
    draws = require_generator(bootstrap, rng)
    if not 0.0 < level < 1.0 or not threshold >= 0.0:
        raise InputError("an option is out of range", given=f"level={level}, threshold={threshold}", limit="(0,1), >=0")
    centred = [series - np.nanmean(series) if np.isfinite(series).any() else series for series in (x, y)]
    products = (
        np.stack([_products(centred[0], centred[1], lag) for lag in range(-m, m + 1)], axis=1) if m < x.size else None
    )
    reason = _unusable(x, y, products)
    if products is None or reason:
        return Inapplicable(method=METHOD, reason=reason)
    return _assemble(centred[0], centred[1], products, m, level, threshold, draws, rng)


def read_pair(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return two checked series (n,), each in its own unit: no correlation depends on it, but squares overflow."""
    same_index(x=x, y=y)
    first = as_series("x", as_numbers(x, "x"))
    second = as_series("y", as_numbers(y, "y"), first.size)
    return own_unit(first[:, None])[0][:, 0], own_unit(second[:, None])[0][:, 0]


def mean_to_correlation(x: np.ndarray, y: np.ndarray, lags: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the factors (k,) that turn sums of products into correlations; see the notes of `cross_correlation`."""
    rows = np.flatnonzero(np.isfinite(x) | np.isfinite(y))
    taper = 1.0 - np.abs(lags) / (rows[-1] - rows[0] + 1)
    return np.asarray(taper / (pairs * np.nanstd(x) * np.nanstd(y)))


def _products(x: np.ndarray, y: np.ndarray, lag: int) -> np.ndarray:
    """Return x_t y_{t-k} of shape (n,), NaN where a member is missing."""
    out = np.full(x.size, np.nan)
    if lag >= 0:
        out[lag:] = x[lag:] * y[: x.size - lag]
    else:
        out[:lag] = x[:lag] * y[-lag:]
    return out


def _unusable(x: np.ndarray, y: np.ndarray, products: np.ndarray | None) -> str:
    if products is None:
        return f"the largest lag is not shorter than the sample of {x.size}"
    fewest = int(np.isfinite(products).sum(axis=0).min())
    if fewest < MINIMUM_PAIRS:
        return f"a lag has {fewest} complete pairs, fewer than {MINIMUM_PAIRS}"
    for name, series in (("x", x), ("y", y)):
        spread = np.nanstd(series)
        if spread <= 1e-12 * max(1e-300, float(np.nanmax(np.abs(series)))):
            return f"{name} is constant"
    if not (np.nansum(products**2, axis=0) > 0).all():
        return "at some lag every product of the two series is zero"
    return ""


def _assemble(
    x: np.ndarray,
    y: np.ndarray,
    products: np.ndarray,
    m: int,
    level: float,
    threshold: float,
    draws: int,
    rng: np.random.Generator | None,
) -> CrossCorrelation:
    n = x.size
    lags = np.arange(-m, m + 1)
    e = np.where(np.isfinite(products), products, 0.0)
    pairs = np.isfinite(products).sum(axis=0)
    root = np.sqrt((e**2).sum(axis=0))
    t = e.sum(axis=0) / root
    scale = mean_to_correlation(x, y, lags, pairs)
    rho = np.clip(e.sum(axis=0) * scale, -1.0, 1.0)
    z = float(stats.norm.isf((1.0 - level) / 2.0))
    lower, upper = _intervals(x, y, products, rho, z)
    # Row 1 is stated with the roles exchanged: the series that is led carries the date.
    led_by_x = np.stack([_products(y, x, lag) for lag in range(1, m + 1)], axis=1)
    sides = (products[:, m + 1 :], led_by_x)
    outcomes = [_cumulative(side, threshold) for side in sides]
    Q = np.stack([outcome[0] for outcome in outcomes])
    sup = _sup([np.nan_to_num(side, nan=0.0) for side in sides], draws, rng)
    return CrossCorrelation(
        method=METHOD,
        lags=lags,
        estimate=rho,
        lower=lower,
        upper=upper,
        t_robust=t,
        pvalue=2.0 * stats.norm.sf(np.abs(t)),
        band_robust=z * root * scale,
        band_standard=z / float(np.sqrt(pairs[m])),
        nobs=pairs,
        nobs_lost=n - int(pairs[m]),
        cumulative=Q,
        cumulative_pvalue=stats.chi2.sf(Q, np.arange(1, m + 1)),
        sup_lag=sup[0],
        sup_statistic=sup[1],
        sup_lag_pvalue=sup[2],
        options={"max_lag": m, "threshold": threshold, "bootstrap": draws, "level": level},
        warnings=tuple(f"{SIDES[i]}: {text}" for i, (_, text) in enumerate(outcomes) if text),
        reference=REFERENCE,
    )


def _intervals(
    x: np.ndarray, y: np.ndarray, products: np.ndarray, rho: np.ndarray, z: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise intervals on Fisher's scale from the influence function of a correlation."""
    zx, zy = x / np.nanstd(x), y / np.nanstd(y)
    m = rho.size // 2
    lower, upper = np.empty(rho.size), np.empty(rho.size)
    for i, lag in enumerate(range(-m, m + 1)):
        shares = 0.5 * (_products(zx**2, np.ones_like(zy), lag) + _products(np.ones_like(zx), zy**2, lag))
        influence = products[:, i] / (np.nanstd(x) * np.nanstd(y)) - rho[i] * shares
        influence = influence[np.isfinite(influence)]
        inside = float(np.clip(rho[i], -1 + 1e-12, 1 - 1e-12))
        half = z * np.sqrt((influence**2).sum()) / influence.size / (1.0 - inside**2)
        lower[i], upper[i] = np.tanh(np.arctanh(inside) - half), np.tanh(np.arctanh(inside) + half)
    return lower, upper


def _cumulative(products: np.ndarray, threshold: float) -> tuple[np.ndarray, str]:
    """Robust cumulative statistic for lags 1 … h, h = 1 … m, from products of shape (n, m), NaN where missing."""
    m = products.shape[1]
    seen = np.isfinite(products).astype(np.float64)
    e = np.nan_to_num(products, nan=0.0)
    t = e.sum(axis=0) / np.sqrt((e**2).sum(axis=0))
    cross, square = e.T @ e, (e**2).T @ (e**2)
    # [j, k]: sum of e_j squared over the dates at which e_k exists too.
    common = (e**2).T @ seen
    norm = np.sqrt(common * common.T)
    r = np.divide(cross, norm, out=np.zeros_like(cross), where=norm > 0)
    tau = np.divide(cross, np.sqrt(square), out=np.zeros_like(cross), where=square > 0)
    R = np.where(np.abs(tau) > threshold, r, 0.0)
    np.fill_diagonal(R, 1.0)
    Q, shrunk = np.empty(m), []
    for h in range(1, m + 1):
        block = R[:h, :h]
        smallest = float(np.linalg.eigvalsh(block)[0])
        if smallest < _SMALLEST_EIGENVALUE:
            weight = (_SMALLEST_EIGENVALUE - smallest) / (1.0 - smallest)
            block = (1.0 - weight) * block + weight * np.eye(h)
            shrunk.append(h)
        Q[h - 1] = t[:h] @ np.linalg.solve(block, t[:h])
    return Q, f"thresholded matrix not positive definite from lag {shrunk[0]} on; shrunk" if shrunk else ""


def _sup(
    sides: list[np.ndarray], draws: int, rng: np.random.Generator | None
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Largest |t| on each side and on both, with wild bootstrap p-values."""
    if not draws or rng is None:
        return None, None, None
    units = [side / np.sqrt((side**2).sum(axis=0)) for side in sides]
    sizes = [np.abs(unit.sum(axis=0)) for unit in units]
    drawn = []
    for signs in sign_blocks(rng, draws, units[0].shape[0]):
        drawn.append(np.stack([np.abs(signs @ unit).max(axis=1) for unit in units], axis=1))
    null = np.concatenate(drawn)
    null = np.column_stack([null, null.max(axis=1)])
    best = [int(np.argmax(size)) + 1 for size in sizes]
    top = [float(size.max()) for size in sizes]
    lag = [best[0], -best[1], best[0] if top[0] >= top[1] else -best[1]]
    observed = np.array([*top, max(top)])
    pvalue = np.array([bootstrap_pvalue(float(observed[i]), null[:, i])[0] for i in range(3)])
    return np.array(lag), observed, pvalue
