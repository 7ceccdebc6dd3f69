"""Many tests at once: adjusted p-values over a declared family, and Romano–Wolf over a joint bootstrap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from analysis.errors import InputError
from analysis.results import Result
from analysis.stats.lagged import as_numbers

_METHODS = {
    "bh": ("fdr_bh", "Benjamini-Hochberg (false discovery rate)", "Benjamini and Hochberg (1995), JRSS B 57, 289-300"),
    "by": ("fdr_by", "Benjamini-Yekutieli (any dependence)", "Benjamini and Yekutieli (2001), Ann. Statist. 29"),
    "holm": ("holm", "Holm (family-wise error)", "Holm (1979), Scand. J. Statist. 6, 65-70"),
    "bonferroni": ("bonferroni", "Bonferroni (family-wise error)", "Dunn (1961), JASA 56, 52-64"),
}
_ROMANO_WOLF = "Romano and Wolf (2005), Econometrica 73, 1237-1282; (2016), Statist. Probab. Lett. 113, 38-40"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdjustedPvalues(Result):
    """Adjusted p-values in the order of the tests given.

    Attributes
    ----------
    method, reference : str
    pvalues, adjusted : ndarray of shape (k,)
        Raw and adjusted p-values. For Romano–Wolf the raw ones are the single bootstrap p-values.
    family_size : int
        Number of tests in the family, those without a result included.
    options : Mapping
    """

    method: str
    pvalues: np.ndarray
    adjusted: np.ndarray
    family_size: int
    options: Mapping[str, Any]
    reference: str

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return the adjusted p-values, so that NumPy functions take the result directly."""
        return np.array(self.adjusted, dtype=dtype, copy=True)

    def __len__(self) -> int:
        """Return the number of tests given."""
        return int(self.adjusted.size)

    def rejected(self, level: float = 0.05) -> np.ndarray:
        """Return which tests are rejected at `level`, as booleans of shape (k,)."""
        return np.asarray(self.adjusted <= level)

    def summary(self) -> str:
        """Return family, method and the number of rejections at 5 %."""
        return (
            f"{self.method}\n  family of {self.family_size} tests, {len(self)} with a result\n"
            f"  rejected at 5 %: {int(self.rejected().sum())} (unadjusted: {int((self.pvalues <= 0.05).sum())})\n"
            f"  smallest adjusted p = {self.adjusted.min():.4g}\n  Reference: {self.reference}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a test, in the order given."""
        return pd.DataFrame({"test": np.arange(len(self)), "pvalue": self.pvalues, "adjusted": self.adjusted})


def adjust(pvalues: Any, *, method: str = "bh", family_size: int | None = None) -> AdjustedPvalues:
    """Adjust the p-values of one declared family.

    Parameters
    ----------
    pvalues : array_like of shape (k,)
        In any order; the result keeps it. NaN is refused.
    method : {"bh", "by", "holm", "bonferroni"}
    family_size : int, optional
        Tests in the declared family, at least k. Tests without a result count as p-values of 1: they can never be
        rejected but make every other rejection harder, so a test that broke is no free pass.

    Returns
    -------
    AdjustedPvalues

    Raises
    ------
    InputError
        When a p-value is NaN or outside [0, 1], the family is empty or smaller than the tests given, or the method is
        unknown.

    References
    ----------
    Benjamini and Hochberg (1995); Benjamini and Yekutieli (2001); Holm (1979).

    Examples
    --------
    >>> adjust([0.01, 0.04, 0.03], method="holm").adjusted.round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = as_numbers(pvalues, "pvalues")
    if p.ndim != 1 or p.size == 0:
        raise InputError("p-values must be one non-empty row of numbers", given=f"shape {p.shape}")
    bad = ~((p >= 0.0) & (p <= 1.0))
    if bad.any():
        raise InputError(
            "a p-value is missing or outside its range",
            given=f"{p[bad][0]} at position {int(np.argmax(bad))}",
            limit="0 to 1",
            cause="a test that could not be run was passed on as NaN",
            remedy="leave it out and count it in family_size",
        )
    if method not in _METHODS:
        raise InputError("unknown adjustment", given=repr(method), limit=", ".join(_METHODS))
    size = p.size if family_size is None else family_size
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < p.size:
        raise InputError("the family is smaller than the tests given", given=repr(size), limit=f"{p.size} or more")
    code, title, reference = _METHODS[method]
    adjusted = multipletests(np.concatenate([p, np.ones(size - p.size)]), method=code)[1][: p.size]
    return AdjustedPvalues(
        method=title,
        pvalues=p,
        adjusted=np.clip(adjusted, p, 1.0),
        family_size=int(size),
        options={"method": method},
        reference=reference,
    )


def romano_wolf(
    observed: Any,
    draws: Any,
    *,
    alternative: str = "two-sided",
    scale: str = "statistic",
    family_size: int | None = None,
) -> AdjustedPvalues:
    """Step-down adjusted p-values over a joint bootstrap of all statistics.

    Parameters
    ----------
    observed : array_like of shape (k,)
        Statistics.
    draws : array_like of shape (B, k)
        The same statistics in B bootstrap samples that obey the nulls; one row holds one joint draw. A draw may be
        infinite (its covariance was singular), which can only make a p-value larger.
    alternative : {"two-sided", "greater"}
        Whether absolute values or the values themselves count as evidence. Wald and F statistics need "greater", which
        is the same thing for them.
    scale : {"statistic", "pvalue"}
        "statistic" compares the statistics with each other, which is fair only when they have one null distribution.
        "pvalue" first turns every statistic, observed or drawn, into its rank among the B + 1 values of its own column
        (min-P), for statistics with different degrees of freedom or scales.
    family_size : int, optional
        Tests in the declared family when some have no draws. Adjusted p-values are then multiplied by
        family_size / k, a Bonferroni bound between the tests with a result and those without.

    Returns
    -------
    AdjustedPvalues
        Family-wise p-values ``(1 + b) / (1 + B)``, monotone in the order of evidence.

    Raises
    ------
    InputError
        On wrong shapes, statistics that are not finite, or draws that are NaN.

    Notes
    -----
    Tests are taken by falling evidence; each is compared with the largest draw among itself and all weaker ones. On the
    rank scale the observed sample is one of the B + 1 rows, so ties are counted against the test.

    References
    ----------
    Romano and Wolf (2005), Econometrica 73; (2016), Statist. Probab. Lett. 113, 38-40. Westfall and Young (1993) for
    the min-P scale.

    Examples
    --------
    >>> draws = np.random.default_rng(0).standard_normal((999, 3))
    >>> romano_wolf([5.0, 0.1, -0.2], draws).rejected().tolist()
    [True, False, False]
    """
    t, D = as_numbers(observed, "observed"), as_numbers(draws, "draws")
    if t.ndim != 1 or t.size == 0 or D.ndim != 2 or D.shape[1] != t.size or D.shape[0] == 0:
        raise InputError("draws do not match the statistics", given=f"{D.shape} for {t.shape}", limit="(B, k) for (k,)")
    if not np.isfinite(t).all() or np.isnan(D).any():
        raise InputError("statistics must be finite and no draw NaN", remedy="leave out tests without a result")
    if alternative not in ("two-sided", "greater"):
        raise InputError("unknown alternative", given=repr(alternative), limit='"two-sided", "greater"')
    if scale not in ("statistic", "pvalue"):
        raise InputError("unknown scale", given=repr(scale), limit='"statistic", "pvalue"')
    size = t.size if family_size is None else family_size
    if size < t.size:
        raise InputError("the family is smaller than the tests given", given=size, limit=f"{t.size} or more")
    if alternative == "two-sided":
        t, D = np.abs(t), np.abs(D)
    B = D.shape[0]
    single = (1.0 + (t <= D).sum(axis=0)) / (1.0 + B)
    if scale == "pvalue":
        ranked = _own_ranks(np.vstack([t, D]))
        t, D = ranked[0], ranked[1:]
    adjusted = np.minimum(1.0, _step_down(t, D, single) * (size / t.size))
    return AdjustedPvalues(
        method="Romano-Wolf step-down (family-wise error)" + (", min-P" if scale == "pvalue" else ""),
        pvalues=single,
        adjusted=adjusted,
        family_size=int(size),
        options={"alternative": alternative, "scale": scale, "draws": B},
        reference=_ROMANO_WOLF,
    )


def _own_ranks(values: np.ndarray) -> np.ndarray:
    """Return minus the share of each column that is at least as large: larger still means more evidence."""
    ordered = np.sort(values, axis=0)
    rows = values.shape[0]
    columns = [np.searchsorted(ordered[:, j], values[:, j], side="left") for j in range(values.shape[1])]
    return (np.column_stack(columns) - rows) / rows


def _step_down(t: np.ndarray, D: np.ndarray, single: np.ndarray) -> np.ndarray:
    """Step-down max-T over tests ordered by evidence (ties by their single p-value)."""
    order = np.lexsort((single, -t))
    # Largest draw among each test and all weaker ones, built from the weakest up.
    largest = np.maximum.accumulate(D[:, order[::-1]], axis=1)[:, ::-1]
    steps = (1.0 + (largest >= t[order]).sum(axis=0)) / (1.0 + D.shape[0])
    adjusted = np.empty(t.size)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted
