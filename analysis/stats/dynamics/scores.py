"""Responses at many horizons as sums of one score a date: the numbers behind local projections and tests on them.

Notes
-----
A local projection is least squares of what lies h steps ahead on the shock and controls. Its coefficient is the truth
plus a sum of one score a date, the innovation of the shock times the residual. With the lags of every series among the
controls those scores are uncorrelated over time even though the residuals overlap (Montiel Olea and Plagborg-Møller
2021), so the covariance over horizons and assets is a sum of products by date, and flipping the sign of all scores of a
date at once keeps their dependence across both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from analysis.stats.covariance import LEVERAGE_LIMIT, bartlett_meat, newey_west_lags
from analysis.stats.lagged import Bools, Floats, Ints, is_deficient
from analysis.stats.regression import sign_blocks

SPARE_ROWS = 10
_NOISE = 1e-10  # a score below this share of the response's own is rounding


@dataclass(frozen=True, slots=True)
class Responses:
    """Coefficients on the shock in m regressions and what moves them, date by date.

    Attributes
    ----------
    estimate : ndarray of shape (m,)
    scores : ndarray of shape (n, m)
        Error of the estimate by date; columns sum to zero; zero where a row was not used.
    cautious : ndarray of shape (n, m)
        The same with residuals over one less leverage (HC3).
    weights : ndarray of shape (n, m)
        Squared innovation of the shock over its sum; columns sum to one. An estimate moved by c moves scores by
        c times the weights.
    nobs : ndarray of shape (m,)
    """

    estimate: Floats
    scores: Floats
    cautious: Floats
    weights: Floats
    nobs: Ints

    def at_null(self, value: Floats) -> Floats:
        """Return the scores (n, m) with residuals taken at `value`; columns sum to estimate less value."""
        return self.scores + self.weights * (self.estimate - value)

    def pick(self, columns: Ints | slice) -> Responses:
        """Return some of the regressions."""
        return Responses(
            self.estimate[columns],
            self.scores[:, columns],
            self.cautious[:, columns],
            self.weights[:, columns],
            self.nobs[columns],
        )


def project(targets: Floats, shock: Floats, controls: Floats, allowed: Bools | None = None) -> Responses | str:
    """Regress every target on shock and controls over the rows that have all it needs.

    Parameters
    ----------
    targets : ndarray of shape (n, m)
    shock : ndarray of shape (n,)
    controls : ndarray of shape (n, w)
    allowed : bool array of shape (n,), optional
        Rows that may be used.

    Returns
    -------
    Responses or str
        A reason in words when the data do not allow it.
    """
    n, m = targets.shape
    ready = np.isfinite(shock) & np.isfinite(controls).all(axis=1)
    if allowed is not None:
        ready &= allowed
    out = Responses(np.empty(m), np.zeros((n, m)), np.zeros((n, m)), np.zeros((n, m)), np.empty(m, dtype=np.int64))
    use = np.isfinite(targets) & ready[:, None]
    groups: dict[bytes, list[int]] = {}
    for column in range(m):
        groups.setdefault(use[:, column].tobytes(), []).append(column)
    for columns in groups.values():
        rows = np.flatnonzero(use[:, columns[0]])
        places = np.array(columns, dtype=np.int64)
        reason = _fit_rows(out, targets[np.ix_(rows, places)], shock[rows], controls[rows], rows, places)
        if reason:
            return reason
    return out


def _fit_rows(out: Responses, Y: Floats, x: Floats, W: Floats, rows: Ints, columns: Ints) -> str:
    """Fill in the regressions that share their rows; return why not, or nothing."""
    Z = np.column_stack([W, x])
    n, k = Z.shape
    if n < k + SPARE_ROWS:
        return f"{n} usable rows are too few for {k} coefficients"
    scale = np.linalg.norm(Z, axis=0)
    if not (scale > 0).all():
        return "the shock or a control is zero in every usable row"
    Q, R = np.linalg.qr(Z / scale)
    if is_deficient(R, n):
        return "shock and controls are collinear: one is constant, repeated or a combination of the others"
    leverage = np.square(Q).sum(axis=1)
    if leverage.max() > LEVERAGE_LIMIT:
        return "one row determines a coefficient on its own"
    innovation, length = Q[:, -1], R[-1, -1] * scale[-1]
    inner = Q.T @ Y
    residuals = Y - Q @ inner
    spread = np.sqrt(np.square(Y).mean(axis=0))
    residuals[:, np.sqrt(np.square(residuals).mean(axis=0)) <= _NOISE * spread] = 0.0
    scores = innovation[:, None] * residuals / length
    at = np.ix_(rows, columns)
    out.estimate[columns] = inner[-1] / length
    out.scores[at] = scores
    out.cautious[at] = scores / (1.0 - leverage)[:, None]
    out.weights[at] = np.square(innovation)[:, None]
    out.nobs[columns] = n
    return ""


def standard_errors(found: Responses) -> Floats:
    """Return heteroskedasticity-robust (HC3) standard errors, shape (m,)."""
    return np.sqrt(np.square(found.cautious).sum(axis=0))


def hac_lags(horizon: int, nobs: int) -> int:
    """Return the Bartlett lags at a horizon: the overlap, or the Newey–West rule when that is longer."""
    return max(horizon, newey_west_lags(nobs))


def long_run(scores: Floats, lags: int) -> Floats:
    """Return the Bartlett covariance (m, m) of sums of scores (n, m) over time."""
    rows = np.flatnonzero((scores != 0).any(axis=1))
    if not rows.size:
        return np.zeros((scores.shape[1],) * 2)
    return bartlett_meat(scores[rows], rows, lags)


def flipped_sums(scores: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Return sums of scores (draws, m) with one fair sign a date for all columns (Liu 1988)."""
    used = scores[(scores != 0).any(axis=1)]
    return np.vstack([signs @ used for signs in sign_blocks(rng, draws, len(used))])


def largest(sums: Floats, errors: Floats) -> Floats:
    """Return the largest absolute t statistic of sums (..., m); what is known without error does not count."""
    known = errors > 0
    if not known.any():
        return np.zeros(sums.shape[:-1])
    return np.abs(sums[..., known] / errors[known]).max(axis=-1)


def sup_test(scores: Floats, draws: int, rng: np.random.Generator) -> tuple[float, Floats]:
    """Return the largest t of sums of null-imposed scores, and its draws under sign changes by date.

    Notes
    -----
    The sum of squares in the denominator does not change with the signs, so that the draws are those of a
    randomisation test: with scores symmetric about zero their law is exact.
    """
    errors = np.sqrt(np.square(scores).sum(axis=0))
    errors[errors <= _NOISE * errors.max(initial=0.0)] = 0.0
    return float(largest(scores.sum(axis=0), errors)), largest(flipped_sums(scores, draws, rng), errors)


def quadratic_test(
    scores: Floats, draws: int, rng: np.random.Generator, *, free: Floats | None = None
) -> tuple[float, Floats] | None:
    """Return the quadratic form of sums of null-imposed scores (n, q) in their covariance, and its draws.

    Parameters
    ----------
    free : ndarray of shape (q,), optional
        Direction along which a parameter was estimated, which takes one degree of freedom.

    Returns
    -------
    (float, ndarray of shape (draws,)) or None
        None when the covariance is singular.
    """
    V = scores.T @ scores
    scale = np.sqrt(np.diag(V))
    if not (scale > 0).all() or np.linalg.cond(V / np.outer(scale, scale)) > 1e12:
        return None
    factor = np.linalg.cholesky(V)
    sums = np.vstack([scores.sum(axis=0), flipped_sums(scores, draws, rng)])
    white = solve_triangular(factor, sums.T, lower=True)
    if free is not None:
        direction = solve_triangular(factor, free, lower=True)
        direction /= np.linalg.norm(direction)
        white = white - np.outer(direction, direction @ white)
    values = np.square(white).sum(axis=0)
    return float(values[0]), values[1:]
