"""A p-value for states that last: rotate the state against the data and count how often chance does as well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.results import Inapplicable, TestResult
from analysis.stats.lagged import Floats, same_index
from analysis.stats.regimes_correlation import CORRECTIONS, forbes_rigobon
from analysis.stats.regression import as_series, positive_integer
from analysis.stats.states import as_state, count_episodes, short_state

METHOD = "Correlation by state, circular shifts"
REFERENCE = (
    "Forbes and Rigobon (2002), J. Finance 57; time-shift surrogates: Lancaster et al. (2018), Physics Reports 748"
)
MINIMUM_ROWS = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateShiftResult(TestResult):
    """Difference of correlations between a state and its opposite, judged against all rotations of the state.

    Attributes
    ----------
    shifts : int
        Rotations compared with the observed one.
    state_episodes : ndarray of shape (2,)
        Separate spells outside and inside.
    """

    shifts: int
    state_episodes: np.ndarray


def state_correlation_shift(
    x: ArrayLike,
    y: ArrayLike,
    state: ArrayLike,
    *,
    correction: str = "forbes-rigobon",
    exclude: int = 21,
    min_rows: int = MINIMUM_ROWS,
) -> StateShiftResult | Inapplicable:
    """Compare the difference of correlations with its values when the state's history is rotated against the data.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Series on one time grid; x is the series whose variance the correction conditions on. Rows with a NaN are left
        out before rotating.
    state : array_like of shape (n,)
        0/1, NaN where unknown; ``state[t]`` known before period t starts.
    correction : {"forbes-rigobon", "none"}
        As in `state_correlation`.
    exclude : int
        Rotations by fewer steps than this, in either direction, are left out: they repeat the observed state.
    min_rows : int
        Fewest rows in each state.

    Returns
    -------
    StateShiftResult or Inapplicable
        ``pvalue`` is (1 + b) / (1 + B) with b of B rotations at least as large in absolute value. No random numbers.

    Raises
    ------
    InputError
        On wrong shapes, infinite values or options outside their range.

    Notes
    -----
    A bootstrap that treats rows as independent overstates what a few long spells can show when the correlation itself
    drifts: any long stretch then differs from any other. Rotations keep the spells as long as they are and the drift as
    slow as it is, and ask only whether the two coincide. All rotations cost O(n log n): sums of x, y, x², y² and xy in
    the rotated state are circular cross-correlations. The test assumes that the joint law of the pair does not depend
    on calendar time other than through such drift.
    """
    same_index(x=x, y=y, state=state)
    x = as_series("x", x)
    y, state = as_series("y", y, x.size), as_state(state, x.size)
    if correction not in CORRECTIONS:
        raise InputError("unknown correction", given=repr(correction), limit=", ".join(CORRECTIONS))
    apart = positive_integer("exclude", exclude)
    used = np.isfinite(x) & np.isfinite(y) & np.isfinite(state)
    reason = short_state(state, used, positive_integer("min_rows", min_rows, at_least=10))
    n = int(used.sum())
    if not reason and n <= 4 * apart:
        reason = f"{n} rows leave too few rotations when {apart} steps on either side are excluded"
    if reason:
        return Inapplicable(method=METHOD, reason=reason)
    differences = _rotated(x[used], y[used], state[used], correction)
    if not np.isfinite(differences[0]):
        return Inapplicable(method=METHOD, reason="a series is constant, or both are collinear, within a state")
    others = differences[apart : n - apart + 1]
    others = others[np.isfinite(others)]
    exceeding = int(np.sum(np.abs(others) >= abs(differences[0]) * (1.0 - 1e-12)))
    return StateShiftResult(
        method=METHOD,
        null="the correlation does not depend on the state",
        alternative="the correlation differs between the state and its opposite",
        statistic=float(abs(differences[0])),
        pvalue=(1.0 + exceeding) / (1.0 + others.size),
        distribution="rotation",
        estimate=float(differences[0]),
        estimate_name="difference of correlations, inside less outside",
        nobs=n,
        nobs_lost=x.size - n,
        options={"correction": correction, "exclude": apart},
        reference=REFERENCE,
        shifts=int(others.size),
        state_episodes=np.array(count_episodes(state, used)),
    )


def _rotated(x: Floats, y: Floats, state: Floats, correction: str) -> Floats:
    """Return the difference of correlations, inside less outside, for every rotation of the state: shape (n,)."""
    x, y = x - x.mean(), y - y.mean()
    products = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y])
    spectrum = np.conj(np.fft.rfft(state))
    inside = np.fft.irfft(np.fft.rfft(products, axis=1) * spectrum, n=x.size, axis=1)
    outside = products.sum(axis=1, keepdims=True) - inside
    (r_in, v_in), (r_out, v_out) = _moments(inside), _moments(outside)
    with np.errstate(invalid="ignore", divide="ignore"):
        restated = forbes_rigobon(r_in, v_in / v_out) if correction == "forbes-rigobon" else r_in
        return np.asarray(restated - r_out)


def _moments(sums: Floats) -> tuple[Floats, Floats]:
    """Return correlation and variance of x from the six sums; NaN where a variance vanishes."""
    n, x, y, xx, yy, xy = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        vx, vy = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
        return (xy / n - x * y / n**2) / np.sqrt(vx * vy), vx
