"""How much of a link between squared shocks hangs on one session: the correlation test with and without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.results import Failed, Inapplicable, TestResult
from analysis.stats.granger_design import read_series
from analysis.stats.granger_variance import CHEUNG_NG_REFERENCE, VarianceCausalityResult, cheung_ng
from analysis.stats.lagged import Floats
from analysis.stats.variance_statistics import square_correlations, squared_shocks
from analysis.stats.volatility.garch_filter import fit_garch11, mean_residuals

METHOD = "causality in variance (Cheung-Ng), without the session that carries most"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OneSessionResult(TestResult):
    """The correlation test of squared shocks without the session that carries most of its largest correlation.

    Attributes
    ----------
    statistic, pvalue
        Without that session; the p-value is that of permutations.
    session : int
        0-based row of the effect's shock that carries most.
    lag : int
        Lag of the largest correlation with all sessions.
    share : float
        Part of that correlation's sum that the session makes; above 1 when the others cancel.
    whole_statistic, whole_pvalue : float
        With all sessions, by permutations too.
    """

    session: int
    lag: int
    share: float
    whole_statistic: float
    whole_pvalue: float

    def summary(self) -> str:
        """Return the test, the session's share and what all sessions give as text."""
        lines = TestResult.summary(self).split("\n")
        lines.insert(
            4,
            f"  row {self.session} carries {self.share:.0%} of the correlation at lag {self.lag}; with it "
            f"{self.whole_statistic:.6g}, p = {self.whole_pvalue:.4g}",
        )
        return "\n".join(lines)


def without_one_session(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int,
    bootstrap: int,
    rng: np.random.Generator,
    mean_lags: int | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> OneSessionResult | Inapplicable | Failed:
    """Run the correlation test of squared shocks with all sessions, and without the one that carries most of it.

    Parameters
    ----------
    effect, cause, lags, mean_lags, bootstrap, rng, effect_name, cause_name
        As in `cheung_ng`; `bootstrap` must not be 0.

    Returns
    -------
    OneSessionResult, Inapplicable or Failed

    Notes
    -----
    Squares of heavy-tailed shocks let one day outweigh ten years. Leaving out the session that speaks most for a link
    is a check of how much hangs on it and no test of size 5 %: the session was chosen by the data.

    References
    ----------
    Cheung and Ng (1996), Journal of Econometrics 72, section 2.
    """
    options: dict[str, Any] = {"lags": lags, "mean_lags": mean_lags, "bootstrap": bootstrap, "rng": rng}
    options |= {"effect_name": effect_name, "cause_name": cause_name}
    whole = cheung_ng(effect, cause, **options)
    if not isinstance(whole, VarianceCausalityResult):
        return type(whole)(method=METHOD, reason=whole.reason)
    series = read_series(effect, cause, None, None).joint
    found = _carrier(series, lags, lags if mean_lags is None else mean_lags)
    if isinstance(found, str):
        return Failed(method=METHOD, reason=found)
    session, lag, share = found
    reduced = series.copy()
    reduced[session, 0] = np.nan
    rest = cheung_ng(reduced[:, 0], reduced[:, 1], **options)
    if not isinstance(rest, VarianceCausalityResult):
        return type(rest)(method=METHOD, reason=f"without the session: {rest.reason}")
    if rest.bootstrap_pvalue is None or whole.bootstrap_pvalue is None:
        return Inapplicable(method=METHOD, reason="without permutations heavy tails leave no p-value to compare")
    return OneSessionResult(
        method=METHOD,
        null=rest.null,
        alternative=rest.alternative,
        statistic=rest.statistic,
        pvalue=rest.bootstrap_pvalue,
        distribution="permutation",
        nobs=rest.nobs,
        nobs_lost=rest.nobs_lost,
        lags=rest.lags,
        options=dict(rest.options),
        warnings=(*rest.warnings, "the session left out was chosen by the data"),
        reference=CHEUNG_NG_REFERENCE,
        session=session,
        lag=lag,
        share=share,
        whole_statistic=whole.statistic,
        whole_pvalue=whole.bootstrap_pvalue,
    )


def _carrier(series: Floats, lags: int, order: int) -> tuple[int, int, float] | str:
    """Return the row, lag and share of the largest product behind the largest correlation."""
    residuals = mean_residuals(series, order)
    if isinstance(residuals, str):
        return residuals
    first = int(np.flatnonzero(np.isfinite(residuals[:, 0]))[0])
    squares = []
    for k in (0, 1):
        fit = fit_garch11(residuals[first:, k])
        if isinstance(fit, str):
            return fit
        squares.append(squared_shocks(fit))
    u, v = squares
    lag = int(np.argmax(np.abs(square_correlations(u, v, lags)[0]))) + 1
    products = np.nan_to_num(u[lag:] * v[:-lag])
    total = float(products.sum())
    # What carries a correlation has its sign.
    place = int(np.argmax(products * np.sign(total)))
    return first + lag + place, lag, float(products[place]) / total
