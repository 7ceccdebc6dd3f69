"""Granger causality of all ordered pairs of many series at once, from their sums of products at all lags.

Notes
-----
These sums answer the plain F test of every pair; a robust covariance takes one more pass over the rows of a pair. Both
go tile by tile, so memory beyond the series and the answer does not grow with their number. Pairs that are nearly
collinear leave this path and are fitted on their rows by orthogonal factorisation. Series that start at different dates
are grouped by the rows they share, so each pair uses all of its own rows. Results do not depend on the number of
workers.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from analysis.errors import InputError
from analysis.results import Inapplicable, Result
from analysis.stats.covariance import check_cov, newey_west_lags
from analysis.stats.granger import granger_test
from analysis.stats.lagged import (
    PIVOT_FLOOR,
    Bools,
    Floats,
    Ints,
    check_lags,
    check_trend,
    complete_rows,
    deterministic,
    whole_or_not,
)

_Tile = tuple[slice, slice, bool]
REFERENCE = "Granger (1969), Econometrica 37; MacKinnon and White (1985), Journal of Econometrics 29"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairScan(Result):
    """Granger tests of all ordered pairs; row = effect, column = cause.

    Attributes
    ----------
    names : tuple of str
    statistic, pvalue : ndarray of shape (N, N)
        F form and its p-value, unadjusted; NaN exactly where `reasons` has an entry, and on the diagonal.
    cumulative : ndarray of shape (N, N)
        Sum of the cause's lag coefficients, NaN where there is no statistic.
    nobs : ndarray of shape (N, N)
        Rows of each pair.
    reasons : Mapping
        ``"effect <- cause"`` to why that pair has no test; those pairs still count in the family.
    lags : int
    cov, trend : str
    n_refactored : int
        Pairs solved on their rows: too close to collinear for sums of products, at a level or of a size that would cost
        digits, or with a HAC bandwidth above 256.
    """

    names: tuple[str, ...]
    statistic: Floats
    pvalue: Floats
    cumulative: Floats
    nobs: Ints
    reasons: dict[str, str]
    lags: int
    cov: str
    trend: str
    hac_lags: int | None = None
    n_refactored: int = 0
    reference: str = REFERENCE

    @property
    def n_tests(self) -> int:
        """Size of the family: every ordered pair, with or without a number."""
        return len(self.names) * (len(self.names) - 1)

    def summary(self) -> str:
        """Return counts and the five smallest p-values as text."""
        frame = self.to_frame()
        lines = [
            f"Granger causality of all ordered pairs ({self.cov}, {self.lags} lags, trend {self.trend})",
            f"  {len(self.names)} series, {self.n_tests} tests, {len(self.reasons)} without a number",
            "  p-values are unadjusted: correct them over the whole family",
        ]
        best = frame[frame["status"] == "ok"].nsmallest(5, "pvalue")
        lines += [
            f"  {row.cause} -> {row.effect}: F = {row.statistic:.6g}, p = {row.pvalue:.4g}" for row in best.itertuples()
        ]
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row an ordered pair."""
        effect, cause = np.nonzero(~np.eye(len(self.names), dtype=bool))
        label = np.array(self.names, dtype=object)
        reasons = [self.reasons.get(f"{label[i]} <- {label[j]}", "") for i, j in zip(effect, cause, strict=True)]
        return pd.DataFrame(
            {
                "effect": label[effect],
                "cause": label[cause],
                "statistic": self.statistic[effect, cause],
                "pvalue": self.pvalue[effect, cause],
                "cumulative": self.cumulative[effect, cause],
                "nobs": self.nobs[effect, cause],
                "lags": self.lags,
                "status": ["inapplicable" if reason else "ok" for reason in reasons],
                "reason": reasons,
            }
        )


def granger_matrix(
    data: ArrayLike | pd.DataFrame,
    *,
    lags: int,
    cov: str = "nonrobust",
    trend: str = "c",
    names: Sequence[str] | None = None,
    hac_lags: int | None = None,
    workers: int | None = None,
) -> PairScan:
    """Test every ordered pair of series for Granger causality in the mean.

    Parameters
    ----------
    data : array of shape (n, N) or DataFrame
        In time order. NaN marks a missing observation; each pair uses every row on which it is whole, bridging no gap.
    lags : int
    cov : {"nonrobust", "HC0", "HC1", "HC3", "HAC"}
        As in `stats.granger.granger_test`, which gives the same number pair by pair.
    trend : {"c", "n", "ct"}
    names : sequence of str, optional
        Default: the columns of a DataFrame, else x0, x1, ...
    hac_lags : int, optional
        Default floor(4 (rows / 100)^(2/9)) of each pair's rows.
    workers : int, optional
        Threads over tiles of pairs; default all cores. The bytes of the result are the same for any number.

    Returns
    -------
    PairScan

    Raises
    ------
    InputError
        For fewer than two series, names that do not match, infinite values or unknown options.

    Examples
    --------
    >>> data = np.random.default_rng(0).standard_normal((300, 3))
    >>> granger_matrix(data, lags=2).n_tests
    6
    """
    if names is None and isinstance(data, pd.DataFrame):
        names = [str(column) for column in data.columns]
    values, whole = whole_or_not(data, "data", copy=False)
    count = values.shape[1]
    labels = tuple(f"x{i}" for i in range(count)) if names is None else tuple(map(str, names))
    _check_names(labels, count)
    scan = _Scan(
        values,
        check_lags(lags),
        check_cov(cov),
        check_trend(trend),
        hac_lags,
        check_lags((os.cpu_count() or 1) if workers is None else workers, name="workers"),
    )
    if hac_lags is not None:
        check_lags(hac_lags, name="hac_lags", least=0)
        if cov != "HAC":
            raise InputError("hac_lags goes with cov='HAC'", given=cov)
    out = _Output.empty(count, count)
    for effects, causes, rows in _groups(values, scan.lags, whole=whole):
        scan.block(effects, causes, rows, out)
    refactored, reasons = scan.rescue(out, labels)
    statistic = out.wald / scan.lags
    return PairScan(
        names=labels,
        statistic=statistic,
        pvalue=special.fdtrc(scan.lags, out.nobs - scan.parameters, statistic),  # NaN where there is no statistic
        cumulative=out.cumulative,
        nobs=out.nobs,
        reasons=reasons,
        lags=scan.lags,
        cov=cov,
        trend=trend,
        hac_lags=hac_lags,
        n_refactored=refactored,
    )


def _check_names(labels: tuple[str, ...], count: int) -> None:
    """Raise InputError unless there are two series or more and every one has a name of its own."""
    if count < 2:
        raise InputError("a scan needs at least two series", given=count, remedy="pass one column a series")
    if len(labels) != count:
        raise InputError("names and series differ in number", given=len(labels), limit=f"{count}, one a series")
    repeated = [label for label, times in Counter(labels).items() if times > 1]
    if repeated:
        raise InputError("names of series are repeated", given=", ".join(repeated), remedy="give every series its own")


@dataclass(frozen=True, slots=True)
class _Output:
    """Matrices (N, N) being filled: Wald form, sums of coefficients, rows, and kernel status."""

    wald: Floats
    cumulative: Floats
    nobs: Ints
    status: Ints

    @classmethod
    def empty(cls, *shape: int) -> _Output:
        return cls(np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.int64), np.zeros(shape, np.int64))

    def part(self, rows: slice, columns: slice) -> _Output:
        """Return the tile of these rows and columns, to be filled in place."""
        at = (rows, columns)
        return _Output(self.wald[at], self.cumulative[at], self.nobs[at], self.status[at])


def _groups(values: Floats, lags: int, *, whole: bool) -> Iterator[tuple[Ints, Ints, Bools]]:
    """Yield (effects, causes, rows): all pairs whose common rows are the same."""
    if whole:
        everyone = np.arange(values.shape[1])
        yield everyone, everyone, np.arange(len(values)) >= lags
        return
    by_effect = _patterns(complete_rows(values, lags))
    by_cause = _patterns(complete_rows(values, lags, own=False))
    for rows, effects in by_effect:
        for other, causes in by_cause:
            yield effects, causes, rows & other


def _patterns(usable: Bools) -> list[tuple[Bools, Ints]]:
    """Return the distinct columns of flags, each with the series that share it."""
    members: dict[bytes, list[int]] = {}
    for series, packed in enumerate(np.packbits(usable, axis=0).T):
        members.setdefault(packed.tobytes(), []).append(series)
    return [(usable[:, found[0]], np.array(found, dtype=np.int64)) for found in members.values()]


@dataclass(frozen=True, slots=True)
class _Scan:
    """The settings of a scan and its two ways to a number: compiled blocks, and rows pair by pair."""

    values: Floats
    lags: int
    cov: str
    trend: str
    hac_lags: int | None
    workers: int

    @property
    def parameters(self) -> int:
        return 2 * self.lags + deterministic(1, self.trend).shape[1]

    def block(self, effects: Ints, causes: Ints, rows: Bools, out: _Output) -> None:
        """Fill every pair of one group, tile by tile."""
        from analysis.scan import pairs_kernels as kernels  # compiled code is loaded only by those who scan
        from analysis.scan.pairs_tiles import Group, Products, tiles

        grid, nobs = np.ix_(effects, causes), int(rows.sum())
        own = effects[:, None] == causes[None, :]
        out.nobs[grid] = nobs
        if nobs <= self.parameters:
            out.status[grid] = np.where(own, kernels.OK, kernels.NEEDS_ROWS)
            return
        # One group of all series is the rule, and it needs no copies.
        whole = len(effects) == len(causes) == self.values.shape[1]
        members = effects if whole else np.union1d(effects, causes)
        series = self.values if whole else self.values[:, members]
        group = Group.of(series, rows, lags=self.lags, trend=self.trend)
        local_effects, local_causes = np.searchsorted(members, effects), np.searchsorted(members, causes)
        found = out if whole else _Output.empty(len(effects), len(causes))

        bandwidth = self._bandwidth(nobs)
        fits = 2 * bandwidth <= kernels.BLOCK and bandwidth < nobs
        windows = group.windows(bandwidth) if self.cov != "nonrobust" and fits else None

        def fill(products: Products, row: slice, column: slice) -> None:
            left, right = local_effects[row], local_causes[column]
            part = found.part(row, column)
            own = group.own(left)
            beside = own if np.array_equal(left, right) else group.own(right)
            sums = (*products.arrays(), *own, *beside, group.fixed)
            filled = (part.wald, part.cumulative, part.status)
            if self.cov == "nonrobust":
                kernels.plain_tile(*sums, nobs, PIVOT_FLOOR, *filled)
            elif windows is None:
                part.status[:] = kernels.NEEDS_ROWS  # boxes longer than half a window, or than the sample
            else:
                kind = {"HC3": kernels.HC3, "HAC": kernels.HAC}.get(self.cov, kernels.HC0)
                kernels.robust_tile(*sums, *windows, left, right, PIVOT_FLOOR, kind, bandwidth, *filled)

        def work(tile: _Tile) -> None:
            row, column, mirrored = tile
            products = group.products(local_effects[row], local_causes[column])
            fill(products, row, column)
            if mirrored:
                fill(products.mirrored(), column, row)

        self._spread(work, tiles(local_effects, local_causes))
        if self.cov == "HC1":
            found.wald[:] *= (nobs - self.parameters) / nobs
        found.wald[own] = found.cumulative[own] = np.nan
        found.status[own] = kernels.OK
        if not whole:
            out.wald[grid], out.cumulative[grid], out.status[grid] = found.wald, found.cumulative, found.status

    def _bandwidth(self, nobs: int) -> int:
        if self.cov != "HAC":
            return 0
        return newey_west_lags(nobs) if self.hac_lags is None else self.hac_lags

    def _spread(self, work: Callable[[_Tile], None], parts: Sequence[_Tile]) -> None:
        """Run `work` on every tile; tiles do not depend on the number of workers, so no digit does."""
        threads = min(self.workers, len(parts))
        if threads == 1:
            for part in parts:
                work(part)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, parts))

    def rescue(self, out: _Output, labels: tuple[str, ...]) -> tuple[int, dict[str, str]]:
        """Fit the pairs that need their rows; return how many got a number and the reasons of those that did not."""
        solved, reasons = 0, {}
        for effect, cause in np.argwhere(out.status != 0):
            if self.hac_lags is not None and self.parameters < out.nobs[effect, cause] <= self.hac_lags:
                few = f"the bandwidth of {self.hac_lags} reaches beyond the {out.nobs[effect, cause]} rows of the pair"
                reasons[f"{labels[effect]} <- {labels[cause]}"] = few
                continue
            result = granger_test(self.values[:, effect], self.values[:, cause], lags=self.lags, cov=self.cov,
                                  trend=self.trend, hac_lags=self.hac_lags)  # fmt: skip
            if isinstance(result, Inapplicable):
                out.cumulative[effect, cause] = np.nan
                reasons[f"{labels[effect]} <- {labels[cause]}"] = result.reason
                continue
            out.wald[effect, cause] = result.wald
            out.cumulative[effect, cause] = result.estimate
            solved += 1
        return solved, reasons
