"""Names, natural units and standard errors of a fitted switching model, and the rule that names its states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from analysis.stats.lagged import Bools, Floats
from analysis.stats.switching.model import Model, Parameters, pack, run_filter, score, unpack

COVARIANCES = ("hessian", "opg", "robust")
BOUNDARY = 1e-4


@dataclass(frozen=True, slots=True)
class Units:
    """Scale of the response, and of every design column (c,), by which the data were divided before the fit."""

    response: float
    design: Floats

    def natural(self, at: Parameters) -> Parameters:
        """Return the parameters in the units of the data."""
        return Parameters(
            at.transition, at.coefficients * self.response / self.design, at.ar, at.variance * self.response**2
        )

    def scaled(self, at: Parameters) -> Parameters:
        """Invert `natural`."""
        return Parameters(
            at.transition, at.coefficients / self.response * self.design, at.ar, at.variance / self.response**2
        )


def names(model: Model, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the natural parameters in their order; ``[j]`` marks the state."""
    k = model.states
    out = [f"p[{i}->{j}]" for i in range(k) for j in range(k - 1)]
    ar = tuple(f"ar.L{lag + 1}" for lag in range(model.order))
    for slots, labels in ((model.slots, columns), (model.ar_slots, ar), (model.variance_slots[:, None], ("sigma2",))):
        free: dict[int, str] = {}
        for column, label in enumerate(labels):
            common = np.unique(slots[:, column]).size == 1
            for state in range(k):
                free[int(slots[state, column])] = label if common else f"{label}[{state}]"
        out += [free[slot] for slot in sorted(free)]
    return tuple(out)


def values(model: Model, at: Parameters) -> Floats:
    """Return the natural parameters in the order of `names`."""
    theta = pack(model, at)
    edges = np.cumsum(model.sizes)
    theta[: edges[0]] = at.transition[:, :-1].ravel()
    theta[edges[2] :] = np.exp(theta[edges[2] :])
    return theta


def order_states(model: Model, at: Parameters, rule: str) -> Parameters:
    """Return the parameters with states numbered so that the variance, or the level, rises with the number."""
    level = model.design[model.usable].mean(axis=0) @ at.coefficients.T
    place = np.argsort(at.variance if rule == "variance" else level, kind="stable")
    return Parameters(at.transition[np.ix_(place, place)], at.coefficients[place], at.ar[place], at.variance[place])


def covariance(model: Model, theta: Floats, kind: str) -> tuple[Floats, Bools]:
    """Return the covariance of the free parameters and which of them it covers (the others sit on a boundary).

    Parameters
    ----------
    model : Model
    theta : ndarray of shape (K,)
        Free parameters at the maximum.
    kind : {"hessian", "opg", "robust"}
        Inverse information from the differentiated score, from the products of the rows' scores, or the sandwich of
        both (White 1982), which stays valid when the errors within a state are not normal.

    Returns
    -------
    tuple
        (K, K) with zeros where nothing is covered, and a flag for every parameter; no flag is set when the
        information is not positive definite.
    """
    chances = unpack(model, theta).transition
    inner = ((chances[:, :-1] > BOUNDARY) & (chances[:, :-1] < 1.0 - BOUNDARY) & (chances[:, -1:] > BOUNDARY)).ravel()
    keep = np.ones(theta.size, dtype=bool)
    keep[: inner.size] = inner
    size = int(keep.sum())
    places = [int(i) for i in np.flatnonzero(keep)]
    information, products = np.empty((size, size)), np.empty((size, size))
    if kind != "opg":
        columns = [_slope(lambda at: score(model, at)[1], theta, i)[keep] for i in places]
        hessian = np.column_stack(columns)
        information = -0.5 * (hessian + hessian.T)
    if kind != "hessian":
        rows = [_slope(lambda at: run_filter(model, unpack(model, at)).rows, theta, i) for i in places]
        scores = np.column_stack(rows)
        products = scores.T @ scores
    nothing = np.zeros(theta.size, dtype=bool)
    bread = _inverse(products if kind == "opg" else information)
    out = np.zeros((theta.size, theta.size))
    if bread is None:
        return out, nothing
    out[np.ix_(keep, keep)] = bread @ products @ bread if kind == "robust" else bread
    return out, keep


def _slope(function: Callable[[Floats], Floats], theta: Floats, i: int) -> Floats:
    h = 1e-5 * max(1.0, abs(float(theta[i])))
    up, down = theta.copy(), theta.copy()
    up[i] += h
    down[i] -= h
    return np.asarray((function(up) - function(down)) / (2.0 * h))


def _inverse(matrix: Floats) -> Floats | None:
    scale = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    if not (scale > 0.0).all():
        return None
    try:
        factor = np.linalg.cholesky(matrix / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return None
    half = np.linalg.inv(factor) / scale
    return np.asarray(half.T @ half)


def natural_covariance(model: Model, theta: Floats, free: Floats, units: Units) -> Floats:
    """Turn a covariance of the free parameters into one of the natural ones, in the units of the data."""
    at, k = unpack(model, theta), model.states
    chances = [np.diag(row[:-1]) - np.outer(row[:-1], row[:-1]) for row in at.transition]
    scale = np.empty(model.sizes[1])
    scale[model.slots.ravel()] = np.tile(units.response / units.design, k)
    variances = np.empty(model.sizes[3])
    variances[model.variance_slots] = at.variance * units.response**2
    J = block_diag(*chances, np.diag(scale), np.eye(model.sizes[2]), np.diag(variances))
    return np.asarray(J @ free @ J.T)
