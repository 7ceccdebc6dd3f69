"""A link before and after a declared date, within a period or over lags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.breaks.chow import MINIMUM_ROWS, ChowResult, check_dates, chow_test
from analysis.stats.lagged import Floats, same_index
from analysis.stats.regression import as_columns, as_series, lag_columns, positive_integer


def before_after(
    effect: ArrayLike,
    cause: ArrayLike,
    *,
    at: int | Sequence[int],
    lags: int = 0,
    window: int | None = None,
    given: ArrayLike | None = None,
    cov: str = "HC3",
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    min_rows: int = MINIMUM_ROWS,
) -> ChowResult | Inapplicable:
    """Compare the link of two series before and after a declared date, or over all stretches between several.

    Parameters
    ----------
    effect, cause : array_like of shape (n,)
        Series on one time grid; NaN marks a missing value.
    at : int or sequence of int
        1-based number of the last observation before each date.
    lags : int
        0 for the response within the same period (beside the effect's own previous value); otherwise the lags of the
        cause whose coefficients are tested, beside as many own lags of the effect.
    window : int, optional
        Only this many rows on either side of a single date are used; by default all.
    given : array_like of shape (n,) or (n, m), optional
        Conditioning series, of the same period or lagged like the cause.
    cov, bootstrap, rng, level, min_rows
        As in `chow_test`.

    Returns
    -------
    ChowResult or Inapplicable
        ``sums`` holds the response, or the sum of the lag coefficients, before and after.

    Raises
    ------
    InputError
        As `chow_test`; also when a window is asked for around several dates.

    Notes
    -----
    Constant, own lags and conditioning series differ between the stretches under the null too, so that a change of
    mean or persistence cannot pass for a change of the link.
    """
    y, x, others = link_columns(effect, cause, lags=lags, given=given)
    dates = check_dates(at, y.size)
    reach = y.size if window is None else positive_integer("window", window)
    if window is not None and len(dates) > 1:
        raise InputError("a window belongs to one date", given=dates, remedy="test the dates one by one")
    near = np.zeros(y.size, dtype=bool)
    near[max(dates[0] - reach, 0) : dates[-1] + reach] = True
    result = chow_test(
        np.where(near, y, np.nan),
        x,
        at=dates,
        given=others,
        test="slopes",
        cov=cov,
        bootstrap=bootstrap,
        rng=rng,
        level=level,
        min_rows=min_rows,
    )
    if isinstance(result, Inapplicable):
        return result
    lost = int(near.sum()) - result.nobs
    return replace(result, lags=lags, nobs_lost=lost, options={**result.options, "lags": lags, "window": window})


def link_columns(
    effect: ArrayLike, cause: ArrayLike, *, lags: int, given: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return response (n,), columns of the link (n, max(lags, 1)) and columns beside it, NaN where a value is missing.

    Parameters
    ----------
    lags : int
        0 for the link within the period, otherwise lags 1..lags of the cause.
    """
    same_index(effect=effect, cause=cause, given=given)
    y = as_series("effect", effect)
    x = as_series("cause", cause, y.size)
    others = as_columns("given", given, y.size)
    p = positive_integer("lags", lags, at_least=0)
    own = lag_columns(y[:, None], max(p, 1))
    if p == 0:
        return y, x[:, None], np.column_stack([own, others])
    return y, lag_columns(x[:, None], p), np.column_stack([own, lag_columns(others, p)])
