"""Are declared dates special: the same tests at every rotation of them through the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.breaks.chow import check_dates
from analysis.stats.breaks.windows import before_after_path
from analysis.stats.lagged import Ints, same_index
from analysis.stats.regression import as_columns, positive_integer

METHOD = "Declared dates against all others"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceboDatesResult(TestResult):
    """How often a before/after test rejects at declared dates, and at all other dates.

    Attributes
    ----------
    statistic : float
        Share of the tests at declared dates (date by series) that reject.
    estimate : float
        That share less the mean share over all rotations of the dates.
    pvalue : float
        (1 + b) / (1 + B) with b of B rotations that reject at least as often.
    rotations : int
    placebo_share : float
    at : tuple of int
        Declared dates with at least one test.
    share_at : ndarray of shape (m,)
        Share of series that reject, by declared date.
    share_others : ndarray of shape (m,)
        Share of all other dates at which at least that share of series rejects.
    tests_at : ndarray of int of shape (m,)
    """

    rotations: int
    placebo_share: float
    at: tuple[int, ...]
    share_at: np.ndarray
    share_others: np.ndarray
    tests_at: np.ndarray

    def summary(self) -> str:
        """Return the test, then one line a declared date."""
        lines = [TestResult.summary(self), f"  share at other dates = {self.placebo_share:.4g}"]
        for date, share, others, count in zip(self.at, self.share_at, self.share_others, self.tests_at, strict=True):
            lines.append(
                f"  after observation {date}: {share:.3g} of {count} series reject; so many do at {others:.3g} of "
                "other dates"
            )
        return "\n".join(lines)


def placebo_dates(
    effects: ArrayLike,
    cause: ArrayLike,
    *,
    at: Sequence[int],
    window: int,
    lags: int = 0,
    level: float = 0.05,
    exclude: int = 21,
    minimum: int | None = None,
) -> PlaceboDatesResult | Inapplicable:
    """Compare how often before/after tests reject at declared dates with all rotations of these dates.

    Parameters
    ----------
    effects : array_like of shape (n,) or (n, k)
        Series whose link with the cause is tested, one column each.
    cause : array_like of shape (n,)
    at : sequence of int
        1-based number of the last observation before each declared date, increasing.
    window, lags
        As in `before_after`.
    level : float
        Level of each single test.
    exclude : int
        Rotations by fewer rows than this, in either direction, are left out: they repeat the declared dates.
    minimum : int, optional
        Complete rows each side of a date needs; by default half a window.

    Returns
    -------
    PlaceboDatesResult or Inapplicable
        No random numbers.

    Raises
    ------
    InputError
        On wrong shapes, infinite values or options outside their range.

    Notes
    -----
    A link that drifts or breaks for any reason differs before and after nearly every date. Rotations keep the spacing
    of the declared dates and the dependence between the series, and ask only whether the dates are special.
    With seven dates in 2,500 rows and three series the test at 5 % rejects 2 % without any break and 8 % when the link
    drifts or breaks at random; where it moves by 0.6 at every declared date it rejects 55 % (60 replications).
    """
    same_index(effects=effects, cause=cause)
    columns = as_columns("effects", effects, np.size(cause))
    dates = check_dates(at, len(columns))
    if not 0.0 < level < 1.0:
        raise InputError("a level must lie between 0 and 1", given=level)
    apart = positive_integer("exclude", exclude)
    p = np.column_stack(
        [before_after_path(column, cause, window=window, lags=lags, minimum=minimum)[0] for column in columns.T]
    )
    tested, rejected = np.isfinite(p).sum(axis=1), (np.where(np.isfinite(p), p, 1.0) <= level).sum(axis=1)
    span = np.flatnonzero(tested)
    inside = np.array([date for date in dates if span.size and tested[date] and span[0] <= date <= span[-1]], dtype=int)
    if inside.size == 0 or span.size <= 4 * apart:
        reason = "no declared date has enough rows on both sides" if inside.size == 0 else "too few other dates"
        return Inapplicable(method=METHOD, reason=reason)
    first, length = int(span[0]), int(span[-1] - span[0] + 1)
    turned = first + (inside - first + np.arange(length)[:, None]) % length
    with np.errstate(invalid="ignore"):
        shares = rejected[turned].sum(axis=1) / tested[turned].sum(axis=1)
    others = shares[apart : length - apart + 1]
    others = others[np.isfinite(others)]
    exceeding = int((others >= shares[0] - 1e-12).sum())
    return PlaceboDatesResult(
        method=METHOD,
        null="the link changes no more often at the declared dates than at others",
        alternative="it changes more often at the declared dates",
        statistic=float(shares[0]),
        pvalue=(1.0 + exceeding) / (1.0 + others.size),
        distribution="rotation",
        estimate=float(shares[0] - others.mean()),
        estimate_name="share of rejections at declared dates less that at others",
        nobs=int(np.isfinite(columns).any(axis=1).sum()),
        lags=lags,
        options={"window": window, "level": level, "exclude": apart, "minimum": minimum},
        warnings=("few separate windows fit in the sample; rotations are far from independent",)
        if length < 10 * window
        else (),
        reference="Time-shift surrogates: Lancaster et al. (2018), Physics Reports 748",
        rotations=int(others.size),
        placebo_share=float(others.mean()),
        at=tuple(int(date) for date in inside),
        share_at=rejected[inside] / tested[inside],
        share_others=np.array([_as_often(rejected, tested, int(date), apart) for date in inside]),
        tests_at=tested[inside],
    )


def _as_often(rejected: Ints, tested: Ints, date: int, apart: int) -> float:
    """Return the share of dates at least `apart` away at which at least the same share of series rejects."""
    away = (np.abs(np.arange(tested.size) - date) >= apart) & (tested > 0)
    return float(np.mean(rejected[away] / tested[away] >= rejected[date] / tested[date] - 1e-12))
