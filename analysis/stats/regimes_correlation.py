"""Whether a correlation differs between two observed states, raw and corrected for conditioning on volatility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.lagged import as_numbers, same_index
from analysis.stats.regression import as_series, bootstrap_pvalue, positive_integer, require_generator, sign_blocks
from analysis.stats.states import LABELS, as_state, count_episodes, episode_warnings, short_state

METHOD = "Correlation by state"
REFERENCE = "Forbes and Rigobon (2002), J. Finance 57, 2223-2261, equation 11; Efron (1982), The Jackknife"
CORRECTIONS = ("forbes-rigobon", "none")
MINIMUM_ROWS = 30
_ASSUMPTION = (
    "the correction assumes that the higher variance of x comes from x itself and that no common factor or feedback "
    "from y drives it"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateCorrelationResult(TestResult):
    """Correlation outside and inside a state, and the test of equality raw and corrected.

    Attributes
    ----------
    statistic, pvalue, estimate, interval
        Test of equal correlations and their difference, inside less outside, under the correction in `options`.
    bootstrap_pvalue, bootstrap_error : float or None
        Wild bootstrap p-value of the same statistic, and its Monte Carlo standard error.
    state_labels : tuple of str
        Names the first axis of the arrays: ("outside", "inside").
    correlation, lower, upper : ndarray of shape (2,)
        Raw correlation in each state with its interval (Fisher's scale, jackknife variance).
    corrected : float
        The correlation inside the state, restated at the variance x has outside it.
    variance_ratio : float
        Variance of x inside over outside; 1 + δ in the reference.
    raw_statistic, raw_pvalue, corrected_statistic, corrected_pvalue : float
        Both versions of the test, whichever is the headline.
    state_nobs, state_episodes : ndarray of shape (2,)
    """

    plottable: ClassVar[bool] = True

    bootstrap_pvalue: float | None = None
    bootstrap_error: float | None = None
    bootstrap_draws: int = 0
    state_labels: tuple[str, str] = LABELS
    correlation: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    corrected: float
    variance_ratio: float
    raw_statistic: float
    raw_pvalue: float
    corrected_statistic: float
    corrected_pvalue: float
    state_nobs: np.ndarray
    state_episodes: np.ndarray

    def summary(self) -> str:
        """Return the test of equality, both versions, then one line a state."""
        lines = [TestResult.summary(self)]
        if self.bootstrap_pvalue is not None:
            lines.append(
                f"  wild bootstrap p = {self.bootstrap_pvalue:.4g} (+/- {self.bootstrap_error:.2g}, "
                f"{self.bootstrap_draws} draws)"
            )
        lines.append(f"  raw: chi2(1) = {self.raw_statistic:.6g}, p = {self.raw_pvalue:.4g}")
        lines.append(
            f"  corrected: chi2(1) = {self.corrected_statistic:.6g}, p = {self.corrected_pvalue:.4g}; inside "
            f"{self.corrected:.6g} at a variance ratio of {self.variance_ratio:.4g}"
        )
        for i, label in enumerate(self.state_labels):
            lines.append(
                f"  {label}: correlation = {self.correlation[i]:.6g} [{self.lower[i]:.6g}, {self.upper[i]:.6g}], "
                f"n = {self.state_nobs[i]}, episodes = {self.state_episodes[i]}"
            )
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row an estimate: the difference, then each state."""
        low, high = self.interval if self.interval is not None else (None, None)
        return pd.DataFrame(
            {
                "part": ["inside - outside", *self.state_labels],
                "correlation": [self.estimate, *self.correlation],
                "lower": [low, *self.lower],
                "upper": [high, *self.upper],
                "nobs": [self.nobs, *self.state_nobs],
                "episodes": [int(self.state_episodes.sum()), *self.state_episodes],
            }
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlation in each state with its interval, and the corrected one as an open circle."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(5.0, 2.4)).add_subplot()
        errors = np.stack([self.correlation - self.lower, self.upper - self.correlation])
        ax.errorbar(self.correlation, [0, 1], xerr=errors, fmt="o", color="#1f4e79", capsize=3)
        ax.plot([self.corrected], [1.18], "o", markerfacecolor="white", color="#1f4e79")
        ax.annotate("corrected", (self.corrected, 1.18), xytext=(6, 3), textcoords="offset points", fontsize=8)
        ax.axvline(0.0, color="0.2", linewidth=0.8)
        ax.set_yticks(
            [0, 1], [f"{label} (n = {n})" for label, n in zip(self.state_labels, self.state_nobs, strict=True)]
        )
        ax.set_ylim(-0.6, 1.6)
        ax.set_xlabel("Correlation")
        return ax


@dataclass(frozen=True, slots=True)
class _Parts:
    """Means of x, y, x², y², xy over one state, and the same with each row left out; moments on the last axis."""

    rows: np.ndarray
    whole: np.ndarray
    without: np.ndarray


def state_correlation(
    x: Any,
    y: Any,
    state: Any,
    *,
    lag: int = 0,
    correction: str = "forbes-rigobon",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    min_rows: int = MINIMUM_ROWS,
) -> StateCorrelationResult | Inapplicable:
    """Compare the correlation of x_t with y_{t-lag} inside and outside a state.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Series on one time grid; x is the series whose variance the correction conditions on. NaN marks a missing value.
    state : array_like of shape (n,)
        False/True, 0/1, NaN where unknown, dated as x: ``state[t]`` must be known before period t starts.
    lag : int
        Steps by which y is taken earlier; 0 for the same period, negative for later.
    correction : {"forbes-rigobon", "none"}
        Which version is the headline; both are in the result.
    bootstrap : int
        Draws of the wild bootstrap; 0 for none.
    rng : Generator, optional
        Needed when `bootstrap` is positive.
    level : float
        Confidence level of the intervals.
    min_rows : int
        A state must have at least this many usable rows.

    Returns
    -------
    StateCorrelationResult or Inapplicable
        Inapplicable when a state is short, does not vary, or a series is constant or collinear in it.

    Raises
    ------
    InputError
        On wrong shapes, infinite values, a state other than 0/1/NaN or options outside their range.

    Notes
    -----
    A higher variance of x raises a correlation with no change in the link between the series. With δ the relative
    increase of that variance inside the state, the correlation there is restated as ρ / (1 + δ (1 − ρ²))^½. Variances
    of correlations and of their difference, δ included, are two-sample jackknife variances, the counterpart of HC3 for
    smooth functions of means: robust to heteroskedasticity and fat tails, but not to serial dependence of the products.
    The bootstrap flips signs of the jackknife influence of each row.

    References
    ----------
    Forbes and Rigobon (2002), J. Finance 57, 2223-2261. Efron (1982), The Jackknife, the Bootstrap and Other Resampling
    Plans. Limits of the correction: Corsetti, Pericoli and Sbracia (2005), J. Int. Money and Finance 24.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> s = np.arange(600) // 60 % 2
    >>> x = rng.standard_normal(600) * (1 + 2 * s)
    >>> result = state_correlation(x, x + 2 * rng.standard_normal(600), s)
    >>> result.raw_pvalue < 0.01 < result.corrected_pvalue
    True
    """
    same_index(x=x, y=y, state=state)
    x = as_series("x", x)
    y = _shift(as_series("y", y, x.size), lag)
    state = as_state(state, x.size)
    draws = require_generator(bootstrap, rng)
    if correction not in CORRECTIONS:
        raise InputError("unknown correction", given=repr(correction), limit=", ".join(CORRECTIONS))
    if not 0.0 < level < 1.0:
        raise InputError("a confidence level must lie between 0 and 1", given=level)
    used = np.isfinite(x) & np.isfinite(y) & np.isfinite(state)
    minimum = positive_integer("min_rows", min_rows, at_least=10)
    reason = short_state(state, used, minimum)
    if reason:
        return Inapplicable(method=METHOD, reason=reason)
    parts = [_parts(x, y, np.flatnonzero(used & (state == value))) for value in (0.0, 1.0)]
    if any(_degenerate(part) for part in parts):
        return Inapplicable(method=METHOD, reason="a series is constant, or both are collinear, within a state")
    options = {"lag": lag, "correction": correction, "level": level, "min_rows": minimum, "bootstrap": draws}
    return _report(parts, state, used, options, rng)


def _shift(y: np.ndarray, lag: Any) -> np.ndarray:
    if isinstance(lag, bool) or not isinstance(lag, int | np.integer):
        raise InputError("lag must be a whole number", given=repr(lag))
    steps, n = int(lag), int(y.size)
    out = np.full(n, np.nan)
    if abs(steps) < n:
        out[max(steps, 0) : n + min(steps, 0)] = y[max(-steps, 0) : n - max(steps, 0)]
    return out


def _parts(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> _Parts:
    # Centred first, so that a large mean costs no digits.
    a, b = ((series[rows] - series[rows].mean()) for series in (x, y))
    moments = np.column_stack([a, b, a**2, b**2, a * b])
    n, total = rows.size, moments.sum(axis=0)
    return _Parts(rows=rows, whole=total / n, without=(total - moments) / (n - 1))


def _degenerate(parts: _Parts) -> bool:
    everything = np.vstack([parts.whole, parts.without])
    vx, vy = everything[:, 2] - everything[:, 0] ** 2, everything[:, 3] - everything[:, 1] ** 2
    for variance in (vx, vy):
        floor = 1e-12 * float(variance[0])
        if floor <= 0.0 or float(variance.min()) <= floor:
            return True
    return bool(np.abs(_correlation(everything)).max() + 1e-10 >= 1.0)


def _correlation(m: np.ndarray) -> np.ndarray:
    vx, vy = m[..., 2] - m[..., 0] ** 2, m[..., 3] - m[..., 1] ** 2
    return (m[..., 4] - m[..., 0] * m[..., 1]) / np.sqrt(vx * vy)


def _variance_ratio(outside: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return (inside[..., 2] - inside[..., 0] ** 2) / (outside[..., 2] - outside[..., 0] ** 2)


def forbes_rigobon(correlation: Any, variance_ratio: Any) -> Any:
    """Restate a correlation at the variance of the calm state: ρ / (1 + δ (1 − ρ²))^½ with δ = variance_ratio − 1."""
    same_index(correlation=correlation, variance_ratio=variance_ratio)
    rho, ratio = as_numbers(correlation, "correlation"), as_numbers(variance_ratio, "variance_ratio")
    return rho / np.sqrt(1.0 + (ratio - 1.0) * (1.0 - rho**2))


def _difference(outside: np.ndarray, inside: np.ndarray, correction: str) -> np.ndarray:
    rho = _correlation(inside)
    if correction == "forbes-rigobon":
        rho = forbes_rigobon(rho, _variance_ratio(outside, inside))
    return rho - _correlation(outside)


def _influence(values: np.ndarray) -> np.ndarray:
    """Jackknife influence whose squares sum to the jackknife variance."""
    n = values.size
    return np.sqrt((n - 1.0) / n) * (values.mean() - values)


def _compare(parts: list[_Parts], correction: str) -> tuple[float, np.ndarray]:
    """Return the difference and the influence of every row, outside first."""
    outside, inside = parts
    left = _influence(_difference(outside.without, inside.whole, correction))
    right = _influence(_difference(outside.whole, inside.without, correction))
    return float(_difference(outside.whole, inside.whole, correction)), np.concatenate([left, right])


def _report(
    parts: list[_Parts], state: np.ndarray, used: np.ndarray, options: dict[str, Any], rng: np.random.Generator | None
) -> StateCorrelationResult:
    z = float(stats.norm.isf((1.0 - float(options["level"])) / 2.0))
    rho = np.array([float(_correlation(part.whole)) for part in parts])
    scale = [float(np.sqrt((_influence(np.arctanh(_correlation(part.without))) ** 2).sum())) for part in parts]
    half = z * np.array(scale)
    versions = {name: _compare(parts, name) for name in CORRECTIONS}
    wald = {name: difference**2 / float((d**2).sum()) for name, (difference, d) in versions.items()}
    headline = str(options["correction"])
    difference, influence = versions[headline]
    error = float(np.sqrt((influence**2).sum()))
    boot: tuple[float | None, float | None] = (None, None)
    if options["bootstrap"] and rng is not None:
        blocks = sign_blocks(rng, int(options["bootstrap"]), influence.size)
        boot = bootstrap_pvalue(wald[headline], np.concatenate([(signs @ influence / error) ** 2 for signs in blocks]))
    episodes = count_episodes(state, used)
    ratio = float(_variance_ratio(parts[0].whole, parts[1].whole))
    caveats = (_ASSUMPTION,) if headline != "none" else ()
    pvalues = {name: float(stats.chi2.sf(value, 1)) for name, value in wald.items()}
    return StateCorrelationResult(
        method=METHOD,
        null="the correlation is the same inside and outside the state",
        alternative="it differs",
        statistic=wald[headline],
        pvalue=pvalues[headline],
        distribution="chi2",
        df=(1.0,),
        estimate=difference,
        estimate_name=f"correlation inside less outside ({headline} correction)",
        interval=(difference - z * error, difference + z * error),
        interval_level=float(options["level"]),
        nobs=int(used.sum()),
        nobs_lost=int((~used).sum()),
        options=options,
        warnings=caveats + episode_warnings(episodes),
        reference=REFERENCE,
        bootstrap_pvalue=boot[0],
        bootstrap_error=boot[1],
        bootstrap_draws=int(options["bootstrap"]),
        correlation=rho,
        lower=np.tanh(np.arctanh(rho) - half),
        upper=np.tanh(np.arctanh(rho) + half),
        corrected=float(forbes_rigobon(rho[1], ratio)),
        variance_ratio=ratio,
        raw_statistic=wald["none"],
        raw_pvalue=pvalues["none"],
        corrected_statistic=wald["forbes-rigobon"],
        corrected_pvalue=pvalues["forbes-rigobon"],
        state_nobs=np.array([part.rows.size for part in parts]),
        state_episodes=np.array(episodes),
    )
