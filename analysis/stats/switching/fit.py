"""Many starts, EM, and a quasi-Newton polish: every local maximum of a switching likelihood that was found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from analysis.stats.lagged import Floats
from analysis.stats.switching.model import (
    Expectation,
    Model,
    Parameters,
    by_column,
    errors,
    expect,
    lagged_deviations,
    pack,
    row_designs,
    run_filter,
    score,
    unpack,
)

VARIANCE_FLOOR = 1e-5  # share of the variance around one common regression; below it a state sits on a few rows
SHORT_STEPS, LONG_STEPS = 25, 25
KEPT = 6
SAME_MAXIMUM = 1e-3
# (what the rows are split by, smoothing span, share of the rows in the last state)
_SPLITS = (
    ("size", 21, 0.3),
    ("level", 21, 0.5),
    ("size", 5, 0.2),
    ("level", 3, 0.3),
    ("size", 63, 0.5),
    ("level", 3, 0.7),
    ("time", 1, 0.5),
    ("size", 1, 0.1),
)
DETERMINISTIC_STARTS = len(_SPLITS)


@dataclass(frozen=True, slots=True)
class Maximum:
    """One local maximum: free parameters, log-likelihood, how many starts ended there, and whether it is regular."""

    theta: Floats
    loglikelihood: float
    starts: int
    degenerate: bool
    gradient: float


def maximise(
    model: Model, starts: int, rng: np.random.Generator | None, warm: Floats | None = None, follow: int = KEPT
) -> list[Maximum]:
    """Return the distinct local maxima, the highest first, degenerate ones last.

    Parameters
    ----------
    model : Model
        Response and design with spread of order one.
    starts : int
        The first `DETERMINISTIC_STARTS` need no random numbers.
    rng : Generator or None
    warm : ndarray, optional
        Free parameters of one more start.
    follow : int
        How many starts, the best after a short run, are followed to the end.
    """
    base = _common_fit(model)
    short = [_steps(model, _assigned(model, guess, base), base, SHORT_STEPS) for guess in _guesses(model, starts, rng)]
    if warm is not None:
        short.append(_steps(model, unpack(model, warm), base, SHORT_STEPS))
    groups: list[tuple[Parameters, float, int]] = []
    for at, value in sorted(short, key=lambda item: -item[1]):
        for position, (kept, top, count) in enumerate(groups):
            if abs(top - value) < SAME_MAXIMUM:
                groups[position] = (kept, top, count + 1)
                break
        else:
            groups.append((at, value, 1))
    return _distinct([_polish(model, at, base, count) for at, _, count in groups[:follow]])


def _distinct(found: list[Maximum]) -> list[Maximum]:
    out: list[Maximum] = []
    for item in sorted(found, key=lambda one: (one.degenerate, -one.loglikelihood)):
        for position, other in enumerate(out):
            near = abs(other.loglikelihood - item.loglikelihood) < SAME_MAXIMUM
            if near and other.degenerate == item.degenerate:
                out[position] = replace(other, starts=other.starts + item.starts)
                break
        else:
            out.append(item)
    return out


def _common_fit(model: Model) -> tuple[Floats, float]:
    """Return residuals (n,) and their variance around one regression for all states."""
    rows = model.usable
    coefficients = np.linalg.lstsq(model.design[rows], model.response[rows], rcond=None)[0]
    residuals = np.where(rows, model.response - model.design @ coefficients, 0.0)
    return residuals, float(np.mean(residuals[rows] ** 2))


def _guesses(model: Model, starts: int, rng: np.random.Generator | None) -> list[Floats]:
    """Return first assignments of rows to states, (n, k) each: splits of the data, then random chains."""
    residuals, _ = _common_fit(model)
    out = [_split(model, residuals, *rule) for rule in _SPLITS[:starts]]
    for _ in range(starts - len(out) if rng is not None else 0):
        assert rng is not None
        out.append(_random_chain(model, rng))
    return out


def _split(model: Model, residuals: Floats, kind: str, span: int, share: float) -> Floats:
    """Split the rows by the quantiles of a smoothed series: the size of the residuals, their level, or time."""
    n, k, rows = len(residuals), model.states, np.flatnonzero(model.usable)
    values = {"size": np.abs(residuals), "level": residuals, "time": np.arange(n, dtype=np.float64)}[kind][rows]
    window = np.ones(min(span, rows.size))
    smooth = np.convolve(values, window, "same") / np.convolve(np.ones(rows.size), window, "same")
    # The last state gets `share` of the rows, the others equal parts of the rest.
    edges = np.quantile(smooth, (1.0 - share) * np.arange(1, k) / (k - 1))
    label = np.zeros(n, dtype=np.int64)
    label[rows] = np.searchsorted(edges, smooth, side="right")
    return _soften(label, k)


def _random_chain(model: Model, rng: np.random.Generator) -> Floats:
    n, k = len(model.response), model.states
    stay = rng.uniform(0.5, 0.99)
    label, moves, draws = np.empty(n, dtype=np.int64), rng.random(n) > stay, rng.integers(0, k, n)
    moves[0] = True
    last = np.maximum.accumulate(np.where(moves, np.arange(n), 0))
    label[:] = draws[last]
    return _soften(label, k)


def _soften(label: np.ndarray, k: int) -> Floats:
    out = np.full((len(label), k), 0.1 / k)
    out[np.arange(len(label)), label] += 0.9
    return out


def _assigned(model: Model, guess: Floats, base: tuple[Floats, float]) -> Parameters:
    """Turn a first assignment into parameters: weighted regressions, and transitions as the rows were assigned."""
    k, digits = model.states, model.digits
    weights = np.ones((len(guess), len(digits)))
    for place in range(digits.shape[1]):
        moved = np.vstack([np.repeat(guess[:1], place, axis=0), guess[: len(guess) - place]])
        weights *= moved[:, digits[:, place]]
    weights /= weights.sum(axis=1, keepdims=True)
    counts = guess[:-1].T @ guess[1:] + 1.0
    columns = model.present.size
    at = Parameters(
        transition=counts / counts.sum(axis=1, keepdims=True),
        coefficients=np.zeros((k, model.design.shape[1])),
        ar=np.zeros((k, model.order)),
        variance=np.full(k, base[1]),
    )
    found = Expectation(weights, counts, np.empty((0, columns)), np.arange(columns), -np.inf)
    for _ in range(3):
        at = _maximisation(model, at, found, base)
    return at


def _steps(
    model: Model, at: Parameters, base: tuple[Floats, float], steps: int, tolerance: float = 1e-5
) -> tuple[Parameters, float]:
    """Take EM steps until the log-likelihood stands still."""
    last = -np.inf
    for _ in range(steps):
        found = expect(model, at)
        if found.loglikelihood - last < tolerance and np.isfinite(last):
            break
        last = found.loglikelihood
        at = _maximisation(model, at, found, base)
    return at, run_filter(model, at).loglikelihood


def _maximisation(model: Model, at: Parameters, found: Expectation, base: tuple[Floats, float]) -> Parameters:
    """One conditional maximisation each: transitions, coefficients, autoregression, variance."""
    w = by_column(model, found)
    counts = found.transitions + 1e-8
    at = replace(at, transition=counts / counts.sum(axis=1, keepdims=True))
    at = replace(at, coefficients=_coefficients(model, at, w))
    if model.order:
        at = replace(at, ar=_autoregression(model, at, w))
    return replace(at, variance=np.maximum(_variance(model, at, w), VARIANCE_FLOOR * base[1]))


def _coefficients(model: Model, at: Parameters, w: Floats) -> Floats:
    Z, present = row_designs(model, at), model.present
    target = np.repeat(model.response[None, :], len(Z), axis=0)
    for lag in range(1, model.order + 1):
        target[:, lag:] -= at.ar[present, lag - 1][:, None] * model.response[:-lag]
    weighted = Z * (w / at.variance[present]).T[:, :, None]
    gram = np.matmul(weighted.transpose(0, 2, 1), Z).sum(axis=0)
    moment = np.einsum("dnq,dn->q", weighted, target)
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    free = np.linalg.lstsq(gram / np.outer(scale, scale), moment / scale, rcond=1e-12)[0] / scale
    return np.asarray(free[model.slots])


def _autoregression(model: Model, at: Parameters, w: Floats) -> Floats:
    a, present = model.sizes[2], model.present
    deviation = model.response[:, None] - model.design @ at.coefficients.T
    L = lagged_deviations(model, at)
    weighted = L * (w / at.variance[present]).T[:, :, None]
    grams = np.matmul(weighted.transpose(0, 2, 1), L)
    moments = np.einsum("dnp,dn->dp", weighted, deviation[:, present].T)
    gram, moment = np.zeros((a, a)), np.zeros(a)
    for column, s in enumerate(present):
        slots = model.ar_slots[s]
        gram[np.ix_(slots, slots)] += grams[column]
        moment[slots] += moments[column]
    return np.asarray(np.linalg.lstsq(gram, moment, rcond=1e-12)[0][model.ar_slots])


def _variance(model: Model, at: Parameters, w: Floats) -> Floats:
    e, _ = errors(model, at)
    slots = model.variance_slots[model.present]
    squares, rows = np.zeros(model.sizes[3]), np.zeros(model.sizes[3])
    np.add.at(squares, slots, (w * e**2).sum(axis=0))
    np.add.at(rows, slots, w.sum(axis=0))
    return np.asarray((squares / np.maximum(rows, 1e-12))[model.variance_slots])


def _polish(model: Model, at: Parameters, base: tuple[Floats, float], starts: int) -> Maximum:
    """Finish with BFGS on the exact likelihood (EM leaves out what the first state says about the chain)."""
    at, _ = _steps(model, at, base, LONG_STEPS)
    floor = np.log(VARIANCE_FLOOR * base[1])
    n = float(model.usable.sum())

    def objective(theta: Floats) -> tuple[float, Floats]:
        value, slope = score(model, theta)
        return -value / n, -slope / n

    start = pack(model, at)
    result = optimize.minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-8, "maxiter": 300})
    before, after = score(model, start), score(model, result.x)
    theta, (value, slope) = (result.x, after) if after[0] >= before[0] else (start, before)
    variance = theta[-model.sizes[3] :]
    switches = model.sizes[3] > 1
    degenerate = bool(variance.min() <= floor + 0.1) or (switches and thinnest(model, theta) < _least(model))
    return Maximum(np.asarray(theta), value, starts, degenerate, float(np.abs(slope).max()) / n)


def _least(model: Model) -> float:
    """Rows that a state must be expected in: twice its coefficients, or a tenth of short data."""
    return float(min(2.0 * (model.design.shape[1] + 1), 0.1 * model.usable.sum()))


def thinnest(model: Model, theta: Floats) -> float:
    """Return the expected number of rows of the rarest state."""
    weights = expect(model, unpack(model, theta)).weights[model.usable]
    present = model.digits[:, 0]
    return min(float(weights[:, present == s].sum()) for s in range(model.states))
