"""Copulas as yardsticks of joint tails: closed forms of tail dependence and the rank-based fit of the t copula."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from analysis.errors import InputError
from analysis.stats.lagged import Floats, Ints
from analysis.stats.tails.resample import ranks

# Degrees of freedom are searched between these; at the upper end the t copula is a Gaussian one for all purposes.
SMALLEST_DF, LARGEST_DF = 1.0, 200.0
_GRID = np.array([200.0, 80.0, 40.0, 24.0, 16.0, 12.0, 9.0, 7.0, 5.5, 4.5, 3.7, 3.0, 2.4, 1.9, 1.5, 1.2, 1.0])
_TABLE_SIZE = 2001
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(96)


def t_copula_tail_dependence(rho: float, nu: float) -> float:
    """Return the tail dependence of a t copula, the same in both tails.

    Parameters
    ----------
    rho : float
        Correlation, strictly between -1 and 1.
    nu : float
        Degrees of freedom, positive.

    Raises
    ------
    InputError
        For a parameter outside its range.

    References
    ----------
    Demarta and McNeil (2005), International Statistical Review 73, equation 5.

    Examples
    --------
    >>> round(t_copula_tail_dependence(0.5, 4), 10)
    0.2531699951
    """
    _check(rho, nu)
    return 2.0 * float(stats.t.sf(math.sqrt((nu + 1.0) * (1.0 - rho) / (1.0 + rho)), nu + 1.0))


def clayton_tail_dependence(theta: float) -> float:
    """Return the lower tail dependence 2^(-1/θ) of a Clayton copula with θ > 0; its upper tail has none.

    References
    ----------
    Joe (1997), Multivariate Models and Dependence Concepts, section 5.1.
    """
    if not 0.0 < theta < math.inf:
        raise InputError("the parameter of a Clayton copula must be positive", given=theta)
    return float(2.0 ** (-1.0 / theta))


def gumbel_tail_dependence(theta: float) -> float:
    """Return the upper tail dependence 2 - 2^(1/θ) of a Gumbel copula with θ >= 1; its lower tail has none.

    References
    ----------
    Joe (1997), Multivariate Models and Dependence Concepts, section 5.1.
    """
    if not 1.0 <= theta < math.inf:
        raise InputError("the parameter of a Gumbel copula must be 1 or more", given=theta)
    return float(2.0 - 2.0 ** (1.0 / theta))


def joint_tail(rho: float, share: float, nu: float = math.inf) -> float:
    """Return P(V <= share | U <= share) under a t copula, or a Gaussian one with infinite degrees of freedom.

    Notes
    -----
    Both copulas are symmetric, so the same number holds for the upper tail. As `share` shrinks it tends to the tail
    dependence; at the share at which a sample can be read it lies above, which is why an estimate is compared with
    this number and not with its limit.
    """
    if not 0.0 < share < 1.0:
        raise InputError("share is a probability", given=share, limit="between 0 and 1")
    gaussian = math.isinf(nu)
    _check(rho, 1.0 if gaussian else nu)
    # Nodes in w = u^(1/4) crowd towards the corner, where the integrand changes fast.
    w = (_NODES + 1.0) / 2.0 * share**0.25
    u = w**4
    if gaussian:
        edge, a = special.ndtri(share), special.ndtri(u)
        inside = special.ndtr((edge - rho * a) / math.sqrt(1.0 - rho * rho))
    else:
        edge, a = special.stdtrit(nu, share), special.stdtrit(nu, u)
        inside = special.stdtr(nu + 1.0, (edge - rho * a) * np.sqrt((nu + 1.0) / ((nu + a * a) * (1.0 - rho * rho))))
    mass = float(np.sum(_NODE_WEIGHTS / 2.0 * share**0.25 * inside * 4.0 * w**3))
    return mass / share


def _check(rho: float, nu: float) -> None:
    if not -1.0 < rho < 1.0:
        raise InputError("a correlation must lie between -1 and 1", given=rho)
    if not 0.0 < nu < math.inf:
        raise InputError("degrees of freedom must be positive and finite", given=nu)


@dataclass(frozen=True, slots=True)
class TCopulaFit:
    """Correlation, degrees of freedom, log-likelihood, and the log-likelihood of the Gaussian copula."""

    rho: float
    nu: float
    loglikelihood: float
    gaussian_loglikelihood: float


def log_density(u: Floats, v: Floats, rho: float, nu: float) -> Floats:
    """Return the log density of the t copula at (u, v); Demarta and McNeil (2005), equation 4."""
    return _log_density(special.stdtrit(nu, u), special.stdtrit(nu, v), np.float64(rho), nu)


def _constant(nu: float) -> float:
    return math.lgamma((nu + 2.0) / 2.0) + math.lgamma(nu / 2.0) - 2.0 * math.lgamma((nu + 1.0) / 2.0)


def _log_density(a: Floats, b: Floats, rho: Floats | np.float64, nu: float) -> Floats:
    rest = 1.0 - rho * rho
    inner = (a * a + b * b - 2.0 * rho * a * b) / (nu * rest)
    # One logarithm of a ratio of powers costs half of two logarithms.
    margins = 0.5 * (nu + 1.0) * np.log((1.0 + a * a / nu) * (1.0 + b * b / nu))
    return np.asarray(_constant(nu) - 0.5 * np.log(rest) + margins - 0.5 * (nu + 2.0) * np.log1p(inner))


def fit_t_copula(u: Floats, v: Floats) -> TCopulaFit:
    """Fit the t copula by maximum likelihood to ranks scaled into (0, 1).

    Parameters
    ----------
    u, v : ndarray of shape (n,)

    References
    ----------
    Genest, Ghoudi and Rivest (1995), Biometrika 82 (estimation from ranks); Demarta and McNeil (2005), International
    Statistical Review 73 (density).
    """

    def profile(log_nu: float) -> tuple[float, float]:
        nu = math.exp(log_nu)
        a, b = special.stdtrit(nu, u), special.stdtrit(nu, v)
        found = optimize.minimize_scalar(
            lambda z: -float(_log_density(a, b, np.float64(math.tanh(z)), nu).sum()),
            bounds=(-4.0, 4.0),
            method="bounded",
            options={"xatol": 1e-8},
        )
        return float(found.fun), math.tanh(float(found.x))

    ends = (math.log(SMALLEST_DF), math.log(LARGEST_DF))
    best = optimize.minimize_scalar(lambda z: profile(z)[0], bounds=ends, method="bounded", options={"xatol": 1e-6})
    loss, rho = profile(float(best.x))
    return TCopulaFit(rho, math.exp(float(best.x)), -loss, _gaussian_loglikelihood(u, v))


def _gaussian_loglikelihood(u: Floats, v: Floats) -> float:
    a, b = special.ndtri(u), special.ndtri(v)
    squares, products = float((a * a + b * b).mean()), float((a * b).mean())

    def loss(z: float) -> float:
        rho = math.tanh(z)
        rest = 1.0 - rho * rho
        return 0.5 * math.log(rest) + (rho * rho * squares - 2.0 * rho * products) / (2.0 * rest)

    found = optimize.minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded", options={"xatol": 1e-8})
    return -float(found.fun) * u.size


def weighted_fits(orders: tuple[Ints, Ints], weights: Ints) -> Floats:
    """Return correlation and degrees of freedom of each weighted sample, shape (draws, 2).

    Notes
    -----
    The likelihood of `fit_t_copula` on the ranks of each resample, its maximum over the degrees of freedom read off a
    parabola in their inverse through the best of a grid and its neighbours, and its maximum over the correlation
    reached by two Newton steps: equal to the exact fit to a small part of a standard error.
    """
    from analysis.stats.tails.kernels import TABLE_END, profile_likelihood

    scores = [special.ndtri(ranks(order, weights)) for order in orders]
    places = special.ndtr(np.linspace(-TABLE_END, TABLE_END, _TABLE_SIZE))
    tables = np.stack([special.stdtrit(nu, places) for nu in _GRID])
    constants = np.array([_constant(float(nu)) for nu in _GRID])
    loglikelihood, rhos = profile_likelihood(*scores, weights, tables, _GRID, constants)
    return _refined(loglikelihood.T, rhos.T, 1.0 / _GRID)


def _refined(loglikelihood: Floats, rhos: Floats, grid: Floats) -> Floats:
    """Return (draws, 2): correlation and degrees of freedom at the vertex of a parabola around the best."""
    best = np.clip(np.argmax(loglikelihood, axis=0), 1, len(grid) - 2)
    draws = np.arange(loglikelihood.shape[1])
    x0, x1, x2 = grid[best - 1], grid[best], grid[best + 1]
    f0, f1, f2 = (loglikelihood[best + step, draws] for step in (-1, 0, 1))
    # Newton's divided differences of the parabola through three points.
    first, second = (f1 - f0) / (x1 - x0), (f2 - f1) / (x2 - x1)
    bend = (second - first) / (x2 - x0)
    vertex = np.where(bend < 0.0, (x0 + x1) / 2.0 - first / (2.0 * np.where(bend < 0.0, bend, -1.0)), x1)
    inverse = np.clip(vertex, np.minimum(x0, x2), np.maximum(x0, x2))
    rho = np.array([np.interp(inverse[d], grid, rhos[:, d]) for d in draws])
    return np.column_stack([rho, 1.0 / inverse])
