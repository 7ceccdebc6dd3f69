"""Transfer entropy: how many nats of information the past of one series adds about the next value of another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from scipy.spatial import cKDTree
from scipy.special import digamma

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.covariance import quadratic_form, score_covariance
from analysis.stats.granger_bootstrap import rademacher, wild_wald
from analysis.stats.granger_design import Design, fit_mean, read_series
from analysis.stats.lagged import Floats, check_lags

METHODS = ("gaussian", "nearest")
LOCAL_NEIGHBOURS = 5
REFERENCE_GAUSSIAN = (
    "Barnett, Barrett and Seth (2009), Physical Review Letters 103; Schreiber (2000), Physical Review Letters 85"
)
REFERENCE_NEAREST = (
    "Schreiber (2000), Physical Review Letters 85; Frenzel and Pompe (2007), Physical Review Letters 99 (estimate); "
    "Runge (2018), AISTATS, PMLR 84 (local permutation)"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TransferEntropyResult(TestResult):
    """A test that the cause's past adds no information about the effect's next value.

    Attributes
    ----------
    statistic, pvalue
        "gaussian": 2 n times the estimate, a likelihood ratio against chi-square; "nearest": the estimate against its
        local permutations.
    estimate : float
        Transfer entropy in nats; the nearest-neighbour estimate can fall below zero.
    bootstrap_pvalue, bootstrap_standard_error : float or None
        (1 + b) / (1 + B) from the wild bootstrap ("gaussian") or the permutations ("nearest").
    bootstrap_draws : int
    """

    bootstrap_pvalue: float | None = None
    bootstrap_standard_error: float | None = None
    bootstrap_draws: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return one row: the test and its bootstrap."""
        frame = TestResult.to_frame(self)
        return frame.assign(bootstrap_pvalue=[self.bootstrap_pvalue], bootstrap_draws=self.bootstrap_draws)

    def summary(self) -> str:
        """Return the test as text, with the bootstrap p-value."""
        lines = TestResult.summary(self).split("\n")
        if self.bootstrap_pvalue is not None:
            error = f"Monte Carlo error {self.bootstrap_standard_error:.2g}, {self.bootstrap_draws} draws"
            lines.insert(4, f"  resampled p = {self.bootstrap_pvalue:.4g} ({error})")
        return "\n".join(lines)


def transfer_entropy(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    lags: int = 1,
    given: ArrayLike | None = None,
    method: str = "gaussian",
    neighbours: int = 4,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    effect_name: str = "effect",
    cause_name: str = "cause",
) -> TransferEntropyResult | Inapplicable:
    """Estimate the information the cause's past adds about the effect's next value, and test that it is none.

    Parameters
    ----------
    effect : array of shape (n,)
        In time order. NaN marks a missing observation: whole rows only, gaps are never bridged.
    cause : array of shape (n,) or (n, k)
    lags : int
        Of all series.
    given : array of shape (n,) or (n, g), optional
        Conditioning series, lagged like the rest.
    method : {"gaussian", "nearest"}
        "gaussian" is exactly half of Geweke's strength and sees linear links only; "nearest" sees any form, by the
        distances to the nearest neighbours, and loses its grip beyond three or four lagged values.
    neighbours : int
        Of the "nearest" estimate.
    bootstrap : int
        Draws of the fixed-design wild bootstrap ("gaussian"), or local permutations ("nearest", where they are needed).
    rng : numpy.random.Generator, optional
        Needed when `bootstrap` > 0.
    effect_name, cause_name : str

    Returns
    -------
    TransferEntropyResult or Inapplicable

    Raises
    ------
    InputError
        For wrong shapes, infinite values, unknown options, or a bootstrap without generator.

    Notes
    -----
    A local permutation exchanges the cause's past only among rows whose conditioning values are close, so the link from
    the conditioning values to the cause stays as it was.

    References
    ----------
    Barnett, Barrett and Seth (2009), Physical Review Letters 103 (Gaussian identity); Frenzel and Pompe (2007),
    Physical Review Letters 99; Runge (2018), AISTATS, PMLR 84.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> x = rng.standard_normal(2000)
    >>> y = np.r_[0.0, x[:-1]] + rng.standard_normal(2000)
    >>> bool(abs(transfer_entropy(y, x).estimate - 0.5 * np.log(2)) < 0.05)
    True
    """
    series = read_series(effect, cause, given, None)
    lags, k = check_lags(lags), check_lags(neighbours, name="neighbours")
    draws = check_lags(bootstrap, name="bootstrap", least=0)
    if series.effect.shape[1] != 1:
        raise InputError("transfer entropy has one effect", given=series.effect.shape[1])
    if method not in METHODS:
        raise InputError("unknown method", given=method, limit=", ".join(METHODS))
    if draws and not isinstance(rng, np.random.Generator):
        raise InputError(
            "a bootstrap needs its random generator", given=rng, remedy="pass rng=np.random.default_rng(seed)"
        )
    if method == "nearest" and not draws:
        raise InputError(
            "the nearest-neighbour estimate has no closed null", given="bootstrap=0", remedy="pass bootstrap=199"
        )
    label = f"transfer entropy ({method})"
    found = fit_mean(series, lags=lags)
    if isinstance(found, str):
        return Inapplicable(method=label, reason=found)
    fit, design = found.fit, found.design
    common: dict[str, Any] = {
        "method": label,
        "null": f"the past of {cause_name} adds no information about {effect_name}",
        "alternative": f"the past of {cause_name} adds information about {effect_name}",
        "estimate_name": "transfer entropy in nats",
        "nobs": fit.nobs,
        "nobs_lost": len(series) - fit.nobs,
        "lags": lags,
        "options": {"n_given": series.given.shape[1], "bootstrap": draws}
        | ({"neighbours": k} if method == "nearest" else {}),
    }
    if method == "nearest":
        if fit.nobs <= max(k, LOCAL_NEIGHBOURS) + 1:
            return Inapplicable(method=label, reason=f"{fit.nobs} rows are too few for {k} neighbours")
        return TransferEntropyResult(**common, **_nearest(design, k, draws, rng), reference=REFERENCE_NEAREST)
    restricted, free = (float(np.square(e).sum()) for e in (fit.restricted_residuals, fit.residuals))
    estimate = 0.5 * math.log(restricted / free)
    extra: dict[str, Any] = {}
    if draws and rng is not None:
        wald = quadratic_form(fit.scores.T.ravel(), score_covariance(fit, "nonrobust"))
        null = wild_wald(fit, rademacher(rng, len(series), draws), "nonrobust")
        extra = _resampled(int((null >= (wald or 0.0) * (1 - 1e-10)).sum()), draws)
    q = design.tested.shape[1]
    return TransferEntropyResult(
        **common,
        **extra,
        statistic=2 * fit.nobs * estimate,
        pvalue=float(stats.chi2.sf(2 * fit.nobs * estimate, q)),
        distribution="chi2",
        df=(float(q),),
        estimate=estimate,
        warnings=() if draws else ("the chi-square p-value over-rejects when volatility moves; pass bootstrap=",),
        reference=REFERENCE_GAUSSIAN,
    )


def _resampled(exceed: int, draws: int) -> dict[str, Any]:
    pvalue = (1 + exceed) / (1 + draws)
    error = math.sqrt(pvalue * (1 - pvalue) / draws)
    return {"bootstrap_pvalue": pvalue, "bootstrap_standard_error": error, "bootstrap_draws": draws}


def _nearest(design: Design, neighbours: int, draws: int, rng: np.random.Generator | None) -> dict[str, Any]:
    """Return the nearest-neighbour estimate and its local permutation test."""
    from analysis.stats.neighbour_kernels import local_permutation

    assert rng is not None
    order = np.argsort(
        design.kept[:, 1], kind="stable"
    )  # the estimate is a mean over rows; sorted rows are searched fast
    Z, Y, X = (_standard(part[order]) for part in (design.response, design.kept[:, 1:], design.tested))
    estimate = conditional_information(X, Y, Z, neighbours)
    near = cKDTree(Y).query(Y, k=LOCAL_NEIGHBOURS, p=np.inf)[1].astype(np.int64)
    exceed = 0
    for _ in range(draws):
        shuffled = rng.permuted(near, axis=1)
        chosen = local_permutation(shuffled, rng.permutation(len(Y)))
        exceed += conditional_information(X[chosen], Y, Z, neighbours) >= estimate
    test = _resampled(int(exceed), draws)
    return test | {
        "statistic": estimate,
        "estimate": estimate,
        "pvalue": test["bootstrap_pvalue"],
        "distribution": "local permutation",
    }


def _standard(values: Floats) -> Floats:
    return np.ascontiguousarray((values - values.mean(axis=0)) / values.std(axis=0))


def conditional_information(X: Floats, Y: Floats, Z: Floats, neighbours: int) -> float:
    """Return the Frenzel-Pompe estimate of the information between X and Z given Y, in nats; rows sorted by Y[:, 0]."""
    from analysis.stats.neighbour_kernels import neighbour_counts

    in_y, in_xy, in_yz = neighbour_counts(X, Y, Z, neighbours)
    return float(digamma(neighbours) + (digamma(in_y + 1) - digamma(in_xy + 1) - digamma(in_yz + 1)).mean())
