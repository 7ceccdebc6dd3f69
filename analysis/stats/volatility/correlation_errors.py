"""Sampling error of a dynamic correlation: all moment conditions of both steps at once, differentiated by number."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from analysis.stats.breaks.design import long_run_meat
from analysis.stats.lagged import Floats
from analysis.stats.volatility.result import GarchResult

if TYPE_CHECKING:
    from analysis.stats.volatility.correlation import Fitted

_STEP = 1e-4
_MARGIN = ("mu", "omega", "alpha", "gamma", "beta")


@dataclass(frozen=True, slots=True)
class _Problem:
    """Series divided by their spread (n, k), what stands before their first row, and which parameters they have."""

    data: Floats
    starts: Floats
    names: tuple[str, ...]
    corrected: bool

    @property
    def k(self) -> int:
        return int(self.data.shape[1])

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of parameters of all volatilities, and of pairs."""
        return self.k * len(self.names), self.k * (self.k - 1) // 2

    def shocks(self, psi: Floats) -> tuple[Floats, Floats]:
        """Return standardised shocks and log densities (n, k) at given volatility parameters."""
        from analysis.stats.volatility.correlation_kernels import gjr_variance

        z, density = np.empty_like(self.data), np.empty_like(self.data)
        for i, values in enumerate(psi[: self.sizes[0]].reshape(self.k, -1)):
            given = dict.fromkeys(_MARGIN, 0.0) | dict(zip(self.names, values.tolist(), strict=True))
            residuals = self.data[:, i] - given["mu"]
            h = gjr_variance(
                residuals, given["omega"], given["alpha"], given["gamma"], given["beta"], float(self.starts[i])
            )
            z[:, i] = residuals / np.sqrt(h)
            density[:, i] = -0.5 * (np.log(h) + z[:, i] ** 2)
        return z, density

    def correlations(self, psi: Floats, z: Floats) -> tuple[Floats, Floats, Floats]:
        """Return driver (n, k), path (n, k, k) and log density (n,) at given parameters."""
        from analysis.stats.volatility.correlation_kernels import correlation_path, scaled_shocks

        alpha, beta = float(psi[-2]), float(psi[-1])
        driver = scaled_shocks(z, alpha, beta) if self.corrected else z
        margins, pairs = self.sizes
        target = np.eye(self.k)
        target[np.triu_indices(self.k, 1)] = psi[margins : margins + pairs]
        target = target + np.triu(target, 1).T
        return driver, *correlation_path(z, driver, target, alpha, beta)


def sampling_errors(
    data: Floats,
    margins: tuple[GarchResult, ...],
    found: Fitted,
    *,
    corrected: bool,
    vol: str,
    mean: str,
    level: float,
) -> dict[str, Any] | None:
    """Return standard errors, the interval of the persistence and the band (n, pairs, 2) of the path.

    None when the matrix of derivatives is singular or surprises do not fade. The parameters are those of the
    volatilities, the target's correlations, alpha and beta; the moments are the scores of each step and the products
    that set the target. Their long-run variance has Bartlett weights over n^(1/3) rows, since products of shocks are
    related in time.
    """
    gap = 1.0 - found.alpha - found.beta
    if not gap > _STEP:  # no room for a difference on either side
        return None
    names = tuple(
        name for name in _MARGIN if (name != "mu" or mean == "constant") and (name != "gamma" or vol == "gjr")
    )
    spread = data.std(axis=0)
    problem = _Problem(
        np.ascontiguousarray(data / spread),
        np.array([m.options["presample_variance"] for m in margins]) / spread**2,
        names,
        corrected,
    )
    units = {"mu": 1.0, "omega": 2.0}
    values = [
        [margin.params[name] / spread[i] ** units.get(name, 0.0) for name in names] for i, margin in enumerate(margins)
    ]
    upper = np.triu_indices(problem.k, 1)
    psi = np.r_[np.ravel(values), found.target[upper], found.alpha, found.beta]
    covariance = _covariance(problem, psi)
    if covariance is None:
        return None
    z = problem.shocks(psi)[0]
    paths = problem.correlations(psi, z)[1][:, upper[0], upper[1]]
    slopes = _derivative(lambda p: problem.correlations(p, problem.shocks(p)[0])[1][:, upper[0], upper[1]], psi)
    spreads = np.sqrt(np.einsum("qnp,qr,rnp->np", slopes, covariance, slopes, optimize=True))
    normal = float(stats.norm.isf((1.0 - level) / 2.0))
    bounded = np.clip(paths, -1 + 1e-12, 1 - 1e-12)
    reach = normal * spreads / (1.0 - bounded**2)
    band = np.tanh(np.arctanh(bounded)[..., None] + reach[..., None] * np.array([-1.0, 1.0]))
    error = math.sqrt(max(float(covariance[-2:, -2:].sum()), 0.0)) / gap
    return {
        "alpha_error": float(math.sqrt(covariance[-2, -2])),
        "beta_error": float(math.sqrt(covariance[-1, -1])),
        "persistence_interval": (
            1.0 - gap * math.exp(min(normal * error, 700.0)),
            1.0 - gap * math.exp(-normal * error),
        ),
        "correlation_interval": band,
    }


def _covariance(problem: _Problem, psi: Floats) -> Floats | None:
    n = len(problem.data)
    moments = _moments(problem, psi)
    meat = long_run_meat(moments - moments.mean(axis=0), "HAC", round(n ** (1 / 3))) / n
    jacobian = _derivative(lambda p: _moments(problem, p).mean(axis=0), psi).T
    if not np.isfinite(jacobian).all():
        return None
    scale = np.abs(jacobian).max(axis=1)
    if not (scale > 0).all() or np.linalg.cond(jacobian / scale[:, None]) > 1e10:
        return None
    bread = np.linalg.inv(jacobian)
    covariance = bread @ meat @ bread.T / n
    return covariance if (np.diag(covariance) > 0).all() else None


def _moments(problem: _Problem, psi: Floats) -> Floats:
    """Return the moment conditions (n, q): scores of the volatilities, target, scores of alpha and beta."""
    margins, pairs = problem.sizes
    width = len(problem.names)
    out = np.empty((len(problem.data), len(psi)))
    z, _ = problem.shocks(psi)
    for place in range(width):
        # One step moves the same parameter of every series: their densities do not share any.
        step = np.zeros(len(psi))
        step[place:margins:width] = _step(psi[place:margins:width])
        high, low = problem.shocks(psi + step)[1], problem.shocks(psi - step)[1]
        out[:, place:margins:width] = (high - low) / (2.0 * step[place:margins:width])
    driver, _, _ = problem.correlations(psi, z)
    for place, (i, j) in enumerate(zip(*np.triu_indices(problem.k, 1), strict=True)):
        target = psi[margins + place]
        out[:, margins + place] = driver[:, i] * driver[:, j] - 0.5 * target * (driver[:, i] ** 2 + driver[:, j] ** 2)
    for place in (margins + pairs, margins + pairs + 1):
        step = np.zeros(len(psi))
        step[place] = float(_step(psi[place : place + 1])[0])
        high, low = problem.correlations(psi + step, z)[2], problem.correlations(psi - step, z)[2]
        out[:, place] = (high - low) / (2.0 * step[place])
    return out


def _step(values: Floats) -> Floats:
    """Return half widths of differences: small beside the parameter, and never across zero."""
    return np.where(np.abs(values) > 1e-12, np.minimum(_STEP, 0.05 * np.abs(values)), _STEP)


def _derivative(function: Callable[[Floats], Floats], psi: Floats) -> Floats:
    """Return central differences, one leading row a parameter."""
    rows = []
    for place in range(len(psi)):
        step = np.zeros(len(psi))
        step[place] = float(_step(psi[place : place + 1])[0])
        rows.append((function(psi + step) - function(psi - step)) / (2.0 * step[place]))
    return np.stack(rows)
