"""Do all assets respond alike? Tests that response paths, their timing or their size are equal across assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.dynamics import equality_nulls as nulls
from analysis.stats.dynamics.equality_nulls import Panel
from analysis.stats.dynamics.equality_result import ResponseEquality
from analysis.stats.dynamics.inputs import LEAST_DRAWS, ahead, check_level, control_columns, horizon_grid, read_table
from analysis.stats.dynamics.scores import Responses, project, standard_errors
from analysis.stats.lagged import Floats, check_lags, same_index
from analysis.stats.regression import as_columns as as_controls
from analysis.stats.regression import as_series, bootstrap_pvalue, require_generator

METHOD = "Equality of responses across assets"
REFERENCE = (
    "Montiel Olea and Plagborg-Møller (2021), Econometrica 89 (scores); Liu (1988), Annals of Statistics 16, and "
    "Davidson and Flachaire (2008), Journal of Econometrics 146 (signs by date, null imposed)"
)
NULLS = {
    "path": "all assets have the same cumulative response at every horizon",
    "timing": "the same share of the response comes after the first horizon in all assets",
    "size": "all assets have the same cumulative response at the last horizon",
}
_TESTS = {"path": nulls.path, "timing": nulls.timing, "size": nulls.size}


def equal_responses(
    effects: Any,
    cause: Any,
    *,
    lags: int,
    horizons: int | Sequence[int],
    null: str = "path",
    given: Any = None,
    bootstrap: int = 999,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> ResponseEquality | Inapplicable:
    """Test whether several assets respond to one cause alike.

    Parameters
    ----------
    effects : array_like of shape (n, N)
        Returns of N >= 2 assets in time order. NaN marks a missing value.
    cause : array_like of shape (n,)
        Series whose innovation is the shock.
    lags : int
        Lags of an asset's own returns, of the cause and of the given series in every regression, beside a constant.
    horizons : int or sequence of int
        H for 0, 1, ..., H, or the horizons themselves; responses are cumulated from the first one on.
    null : {"path", "timing", "size"}
        What is equal: the whole cumulative path; the share that comes after the first horizon; or the sum at the last.
    given : array_like of shape (n,) or (n, m), optional
        Conditioning series: their value of the shock's date and their lags are controls.
    bootstrap : int
        Sign changes for the p-value, at least 99.
    rng : Generator
        Required.
    level : float
        Coverage of the interval.
    names : sequence of str, optional
        Names of the assets; those of a data frame by default.

    Returns
    -------
    ResponseEquality or Inapplicable
        Inapplicable with too few common rows, collinear series or a singular covariance.

    Raises
    ------
    InputError
        For wrong shapes, infinite values or options outside their set.

    Notes
    -----
    Only dates on which every asset has its whole path are used, so that a difference between assets is never one
    between years. All scores of a date, over assets and horizons, change sign together, which keeps the correlation of
    the assets; residuals are those with the null imposed, so that the denominator is the same in every draw. The null
    of timing is tested as: later response less a common multiple of the first response is zero in every asset, with
    the multiple chosen to be kindest to the null. No division by a small response enters. Where first responses are
    weak the reference keeps the degree of freedom the multiple took, which is valid however weak they are.

    Size at a nominal 5 % with eight assets, horizons 0..21, n = 500 and 1,500, over iid, GARCH-t and spill: path 2-8 %,
    timing 4-9 % (0 % where nothing responds), size 1-8 %, in 100 samples each. Power at n = 500 against first responses
    of 0.8 to 1.2: path 100 %, size 42-69 %; against a second response of 0 to 0.3: path 54-77 %, timing 28-57 %.

    References
    ----------
    Montiel Olea and Plagborg-Møller (2021), Econometrica 89; Davidson and Flachaire (2008), Journal of Econometrics
    146; Hansen, Heaton and Yaron (1996), JBES 14 (the common multiple, continuously updated).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(400)
    >>> y = np.outer(x, [0.5, 1.5]) + rng.standard_normal((400, 2))
    >>> equal_responses(y, x, lags=1, horizons=2, rng=rng).pvalue
    0.001
    """
    same_index(effects=effects, cause=cause, given=given)
    table, labels = read_table(effects, names)
    n = len(table)
    if table.shape[1] < 2:
        raise InputError("equality needs at least two assets", given=table.shape, limit="shape (n, N), N >= 2")
    shock, others = as_series("cause", cause, n), as_controls("given", given, n)
    if null not in NULLS:
        raise InputError("unknown null", given=repr(null), limit=", ".join(NULLS))
    grid = horizon_grid(horizons)
    if null == "timing" and len(grid) < 2:
        raise InputError("timing needs two horizons or more", given=grid)
    draws = require_generator(bootstrap, rng)
    if rng is None or draws < LEAST_DRAWS:
        raise InputError("the p-value comes from draws", given=draws, limit=f"{LEAST_DRAWS} or more, with rng=")
    panel = _panel(table, shock, others, check_lags(lags, least=0), grid, labels)
    title = f"{METHOD}: {null}"
    if isinstance(panel, str):
        return Inapplicable(method=title, reason=panel)
    test = _TESTS[null](panel, draws, rng, check_level(level))
    if isinstance(test, str):
        return Inapplicable(method=title, reason=test)
    options = {"null": null, "given": others.shape[1], "bootstrap": draws, "lags": int(lags), "level": float(level)}
    return _report(panel, test, title, options)


def _report(panel: Panel, test: nulls.Tested, title: str, options: Mapping[str, Any]) -> ResponseEquality:
    """Assemble the result."""
    nobs, null = int(panel.found.nobs[0]), str(options["null"])
    pvalue, error = bootstrap_pvalue(test.statistic, test.drawn)
    return ResponseEquality(
        method=title,
        null=NULLS[null],
        alternative="at least one asset differs",
        statistic=test.statistic,
        pvalue=pvalue,
        distribution="bootstrap",
        estimate=test.estimate,
        estimate_name=test.estimate_name,
        interval=test.interval,
        interval_level=options["level"],
        nobs=nobs,
        nobs_lost=panel.length - nobs,
        lags=options["lags"],
        options=options,
        warnings=test.warnings,
        reference=REFERENCE,
        null_name=null,
        names=panel.names,
        horizons=panel.grid,
        responses=panel.cube(panel.found.estimate),
        standard_errors=panel.cube(standard_errors(panel.found)),
        contrast=test.contrast,
        contrast_t=test.contrast_t,
        common_ratio=test.ratio,
        bootstrap_error=error,
        bootstrap_draws=options["bootstrap"],
        asymptotic_pvalue=test.asymptotic,
    )


def _panel(
    table: Floats, shock: Floats, others: Floats, lags: int, grid: tuple[int, ...], labels: tuple[str, ...]
) -> Panel | str:
    """Project every asset on the dates on which all of them can be projected to all horizons."""
    targets = [ahead(table[:, i], grid, True) for i in range(table.shape[1])]
    designs = [control_columns(np.column_stack([table[:, i], shock]), others, lags) for i in range(table.shape[1])]
    whole = np.asarray(np.isfinite(np.hstack([*targets, *designs])).all(axis=1))
    parts = []
    for target, design in zip(targets, designs, strict=True):
        found = project(target, shock, design, whole)
        if isinstance(found, str):
            return found
        parts.append(found)
    joined = Responses(
        np.concatenate([part.estimate for part in parts]),
        np.hstack([part.scores for part in parts]),
        np.hstack([part.cautious for part in parts]),
        np.hstack([part.weights for part in parts]),
        np.concatenate([part.nobs for part in parts]),
    )
    return Panel(joined, labels, grid, len(table))
