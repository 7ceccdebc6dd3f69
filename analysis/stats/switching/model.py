"""Likelihood of a regression whose coefficients and variance follow a hidden Markov chain, with its exact score."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from analysis.stats.lagged import Bools, Floats, Ints
from analysis.stats.switching.kernels import hamilton_filter, kim_smoother

LOGIT_LIMIT = 18.0
_LOG_2PI = math.log(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class Model:
    """What is estimated, and from which rows.

    Attributes
    ----------
    response : ndarray of shape (n,)
    design : ndarray of shape (n, c)
        Zero where missing; such rows are not usable.
    usable : ndarray of bool, shape (n,)
        Rows that enter the likelihood. The chain moves on through the others.
    states : int
        Number k of states.
    order : int
        Lags p of the deviation from the state's own mean (Hamilton's form); 0 for a regression.
    slots : ndarray of int, shape (k, c)
        Which free coefficient stands in each place: equal numbers in a column are a common coefficient.
    ar_slots : ndarray of int, shape (k, p)
    variance_slots : ndarray of int, shape (k,)
    digits : ndarray of int, shape (M, memory + 1)
        States of every composite, the present first.
    images : ndarray of shape (k, n, q)
        How the mean of each row moves with every free coefficient when it is in that state.
    """

    response: Floats
    design: Floats
    usable: Bools
    states: int
    order: int
    slots: Ints
    ar_slots: Ints
    variance_slots: Ints
    digits: Ints
    images: Floats

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Numbers of free logits, coefficients, autoregressive coefficients and variances."""
        ar = int(self.ar_slots.max()) + 1 if self.ar_slots.size else 0
        return self.states * (self.states - 1), int(self.slots.max()) + 1, ar, int(self.variance_slots.max()) + 1

    @property
    def present(self) -> Ints:
        """The state that each column of `errors` belongs to: shape (d,)."""
        return self.digits[:, 0] if self.order else np.arange(self.states)


def make_model(
    response: Floats,
    design: Floats,
    *,
    states: int,
    order: int,
    switching: Bools,
    switching_ar: bool,
    switching_variance: bool,
) -> Model:
    """Build a model: number its free parameters and find the rows that have every value they need.

    Parameters
    ----------
    response : ndarray of shape (n,)
        NaN where missing.
    design : ndarray of shape (n, c)
    states, order : int
    switching : ndarray of bool, shape (c,)
        Which coefficients differ between states.
    switching_ar, switching_variance : bool
    """
    slots = np.zeros((states, design.shape[1]), dtype=np.int64)
    free = 0
    for column, moves in enumerate(switching):
        slots[:, column] = free + np.arange(states) * int(moves)
        free += states if moves else 1
    ar = np.arange(order) + (np.arange(states)[:, None] * order if switching_ar else np.zeros((states, 1), np.int64))
    whole = np.isfinite(response) & np.isfinite(design).all(axis=1)
    usable = whole.copy()
    for lag in range(1, order + 1):
        usable[lag:] &= whole[:-lag]
        usable[:lag] = False
    places = max(order, 1) + 1
    clean = np.where(whole[:, None], design, 0.0)
    images = np.zeros((states, len(response), free))
    for state in range(states):
        images[state][:, slots[state]] = clean
    return Model(
        response=np.where(whole, response, 0.0),
        design=clean,
        usable=usable,
        states=states,
        order=order,
        slots=slots,
        ar_slots=ar.astype(np.int64),
        variance_slots=np.arange(states) if switching_variance else np.zeros(states, dtype=np.int64),
        digits=np.ascontiguousarray(np.indices((states,) * places).reshape(places, -1).T, dtype=np.int64),
        images=images,
    )


@dataclass(frozen=True, slots=True)
class Parameters:
    """One point: transition (k, k) with rows that sum to one, coefficients (k, c), ar (k, p), variance (k,)."""

    transition: Floats
    coefficients: Floats
    ar: Floats
    variance: Floats


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of the filter: log-likelihood a row (n,), and probabilities of the composites (n, M)."""

    rows: Floats
    predicted: Floats
    filtered: Floats

    @property
    def loglikelihood(self) -> float:
        """Sum over the rows."""
        return float(self.rows.sum())


def stationary(transition: Floats) -> Floats:
    """Return the long-run probabilities (k,) of a chain all of whose transitions are possible.

    Notes
    -----
    Elimination without subtraction (Grassmann, Taksar and Heyman 1985) loses no digits however rare a transition is,
    so there is no chain for which it cannot be constructed.
    """
    P = np.maximum(transition, 1e-300)
    k = len(P)
    for last in range(k - 1, 0, -1):
        P[:last, last] /= P[last, :last].sum()
        P[:last, :last] += np.outer(P[:last, last], P[last, :last])
    pi = np.ones(k)
    for state in range(1, k):
        pi[state] = pi[:state] @ P[:state, state]
    return np.asarray(pi / pi.sum())


def initial_composites(transition: Floats, digits: Ints) -> Floats:
    """Return the probability of every composite when the chain has run for ever."""
    value = stationary(transition)[digits[:, -1]]
    for place in range(digits.shape[1] - 1, 0, -1):
        value = value * transition[digits[:, place], digits[:, place - 1]]
    return value


def pack(model: Model, at: Parameters) -> Floats:
    """Return the unbounded free parameters: logits against the last state, coefficients, log variances."""
    safe = np.clip(at.transition, math.exp(-LOGIT_LIMIT), 1.0)
    logits = np.clip(np.log(safe[:, :-1] / safe[:, -1:]), -LOGIT_LIMIT, LOGIT_LIMIT)
    parts = [logits.ravel()]
    for slots, values in (
        (model.slots, at.coefficients),
        (model.ar_slots, at.ar),
        (model.variance_slots, np.log(at.variance)),
    ):
        free = np.empty(int(slots.max()) + 1 if slots.size else 0)
        free[slots.ravel()] = values.ravel()
        parts.append(free)
    return np.concatenate(parts)


def unpack(model: Model, theta: Floats) -> Parameters:
    """Invert `pack`."""
    k, edges = model.states, np.cumsum(model.sizes)
    logits = np.clip(theta[: edges[0]].reshape(k, k - 1), -LOGIT_LIMIT, LOGIT_LIMIT)
    weight = np.exp(np.column_stack([logits, np.zeros(k)]))
    free, ar, logs = theta[edges[0] : edges[1]], theta[edges[1] : edges[2]], theta[edges[2] : edges[3]]
    return Parameters(
        transition=weight / weight.sum(axis=1, keepdims=True),
        coefficients=free[model.slots],
        ar=ar[model.ar_slots] if model.order else np.empty((k, 0)),
        variance=np.exp(np.clip(logs, -60.0, 60.0))[model.variance_slots],
    )


def errors(model: Model, at: Parameters) -> tuple[Floats, Ints]:
    """Return the errors of every row by column of the densities, and the column of every composite.

    Returns
    -------
    tuple
        Errors (n, d): one column a state for a regression (d = k), one a composite in Hamilton's form (d = M), zero in
        rows that are not usable; and the column (M,) of each composite.
    """
    deviation = model.response[:, None] - model.design @ at.coefficients.T
    digits = model.digits
    if not model.order:
        return np.where(model.usable[:, None], deviation, 0.0), digits[:, 0]
    out = deviation[:, digits[:, 0]]
    for lag in range(1, model.order + 1):
        out[lag:] -= at.ar[digits[:, 0], lag - 1] * deviation[:-lag][:, digits[:, lag]]
    return np.where(model.usable[:, None], out, 0.0), np.arange(len(digits))


def run_filter(model: Model, at: Parameters, found: tuple[Floats, Ints] | None = None) -> Pass:
    """Run the filter and return the log-likelihood of every row; rows that are not usable have zero."""
    e, column = errors(model, at) if found is None else found
    present = model.digits[:, 0]
    variance = np.empty(e.shape[1])
    variance[column] = at.variance[present]
    logs = np.where(model.usable[:, None], -0.5 * (_LOG_2PI + np.log(variance) + e**2 / variance), 0.0)
    # Column by column: reductions over an axis of length two are slow.
    top = functools.reduce(np.maximum, logs.T)
    start = initial_composites(at.transition, model.digits)
    predicted, filtered, scale = hamilton_filter(np.exp(logs - top[:, None]), column, at.transition, start)
    return Pass(rows=np.log(np.maximum(scale, 1e-300)) + top, predicted=predicted, filtered=filtered)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the M-step needs: composites given all rows (n, M), expected transitions (k, k), and errors (n, d)."""

    weights: Floats
    transitions: Floats
    e: Floats
    column: Ints
    loglikelihood: float


def expect(model: Model, at: Parameters) -> Expectation:
    """Filter and smooth at one point."""
    found = errors(model, at)
    run = run_filter(model, at, found)
    weights = kim_smoother(run.predicted, run.filtered, at.transition)
    digits, k = model.digits, model.states
    transitions = np.zeros((k, k))
    np.add.at(transitions, (digits[:, 1], digits[:, 0]), weights[1:].sum(axis=0))
    return Expectation(weights, transitions, found[0], found[1], run.loglikelihood)


def by_column(model: Model, found: Expectation) -> Floats:
    """Return the weights (n, d) summed to the columns of the errors, zero where a row is not usable."""
    if model.order:
        return np.where(model.usable[:, None], found.weights, 0.0)
    older = found.weights.shape[1] // model.states
    summed = [functools.reduce(np.add, found.weights.T[s * older : (s + 1) * older]) for s in range(model.states)]
    return np.asarray(np.where(model.usable, np.stack(summed), 0.0).T)


def row_designs(model: Model, at: Parameters) -> Floats:
    """Return how the mean of every column of the errors moves with the free coefficients: shape (d, n, q)."""
    if not model.order:
        return model.images
    out = model.images[model.present]
    for lag in range(1, model.order + 1):
        out[:, lag:] -= at.ar[model.present, lag - 1][:, None, None] * model.images[model.digits[:, lag], :-lag]
    return np.asarray(out)


def lagged_deviations(model: Model, at: Parameters) -> Floats:
    """Return the lagged deviations from the states' means in Hamilton's form: shape (M, n, p)."""
    deviation = (model.response[:, None] - model.design @ at.coefficients.T).T
    out = np.zeros((len(model.digits), deviation.shape[1], model.order))
    for lag in range(1, model.order + 1):
        out[:, lag:, lag - 1] = deviation[model.digits[:, lag], :-lag]
    return out


def score(model: Model, theta: Floats) -> tuple[float, Floats]:
    """Return log-likelihood and its derivative by the free parameters.

    Notes
    -----
    The derivative is the expectation, given all rows, of the derivative that would hold if the states were seen
    (Fisher's identity), so one run of filter and smoother gives all of it.
    """
    at = unpack(model, theta)
    found = expect(model, at)
    w, present = by_column(model, found), model.present
    _, _, a, v = model.sizes
    by_ar, by_log = np.zeros(a), np.zeros(v)
    pull = w * found.e / at.variance[present]
    by_b = np.matmul(row_designs(model, at).transpose(0, 2, 1), pull.T[:, :, None]).sum(axis=0)[:, 0]
    if a:
        np.add.at(by_ar, model.ar_slots[present], np.einsum("dnp,nd->dp", lagged_deviations(model, at), pull))
    np.add.at(by_log, model.variance_slots[present], 0.5 * ((pull * found.e).sum(axis=0) - w.sum(axis=0)))
    leave = found.transitions.sum(axis=1, keepdims=True)
    by_logit = (found.transitions - leave * at.transition)[:, :-1].ravel() + _initial_score(model, theta, found)
    return found.loglikelihood, np.concatenate([by_logit, by_b, by_ar, by_log])


def _initial_score(model: Model, theta: Floats, found: Expectation) -> Floats:
    """Return the derivative by the logits of the expected log-probability of the first composite."""
    size, h = model.sizes[0], 1e-5
    out, first = np.empty(size), found.weights[0]
    for i in range(size):
        logs = []
        for sign in (1.0, -1.0):
            moved = theta.copy()
            moved[i] += sign * h
            logs.append(np.log(np.maximum(initial_composites(unpack(model, moved).transition, model.digits), 1e-300)))
        out[i] = float(first @ (logs[0] - logs[1])) / (2.0 * h)
    return out
