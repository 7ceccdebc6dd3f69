"""The nulls of equal responses: one path for all assets, one timing, or one size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import minimize_scalar

from analysis.stats.dynamics.scores import Responses, flipped_sums, largest, quadratic_test, sup_test
from analysis.stats.lagged import Floats

STRONG = 10.0  # mean squared t of the first responses below which their ratio is not taken as known


@dataclass(frozen=True, slots=True)
class Panel:
    """Responses of N assets at H horizons on common dates; column i * H + h of `found` is asset i at horizon h."""

    found: Responses
    names: tuple[str, ...]
    grid: tuple[int, ...]
    length: int

    def cube(self, values: Floats) -> Floats:
        """Return values (..., N * H) as (..., H, N)."""
        shape = (*values.shape[:-1], len(self.names), len(self.grid))
        return np.swapaxes(values.reshape(shape), -1, -2)


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test found, in the words of `ResponseEquality`."""

    statistic: float
    drawn: Floats
    estimate: float
    estimate_name: str
    interval: tuple[float, float]
    contrast: Floats
    contrast_t: Floats
    ratio: float | None = None
    asymptotic: float | None = None
    warnings: tuple[str, ...] = ()


def _distances(panel: Panel) -> tuple[Floats, Floats]:
    """Return distances from the mean over assets (H, N), and their null-imposed scores (n, H, N)."""
    responses = panel.cube(panel.found.estimate)
    null = np.repeat(responses.mean(axis=1)[None, :], len(panel.names), axis=0).ravel()
    scores = panel.cube(panel.found.at_null(null))
    return responses - responses.mean(axis=1, keepdims=True), scores - scores.mean(axis=2, keepdims=True)


def _spread(
    panel: Panel, places: range, chosen: int, draws: int, rng: np.random.Generator, level: float
) -> tuple[float, tuple[float, float]]:
    """Return largest less smallest response at one horizon, with an interval that allows for having picked them.

    Notes
    -----
    The half width is the quantile of the largest t over all pairs of assets, and over all `places` the horizon was
    picked from, so that the intervals of all of those differences hold together.
    """
    n_assets = len(panel.names)
    one, two = np.triu_indices(n_assets, 1)
    scores = panel.cube(panel.found.cautious)
    sums = panel.cube(flipped_sums(panel.found.cautious, draws, rng))
    maxima = np.zeros(draws)
    for place in places:
        products = scores[:, place].T @ scores[:, place]
        error = np.sqrt(np.diag(products)[one] + np.diag(products)[two] - 2.0 * products[one, two])
        maxima = np.maximum(maxima, largest(sums[:, place, one] - sums[:, place, two], error))
    critical = max(float(np.quantile(maxima, level)), float(stats.norm.isf((1.0 - level) / 2.0)))
    responses = panel.cube(panel.found.estimate)[chosen]
    high, low = int(responses.argmax()), int(responses.argmin())
    half = critical * float(np.sqrt(np.square(scores[:, chosen, high] - scores[:, chosen, low]).sum()))
    value = float(responses[high] - responses[low])
    return value, (value - half, value + half)


_SINGULAR = "the covariance of the responses is singular: two assets are the same series"
_PICKED = "the interval allows for having picked the assets and horizon that differ most"


def path(panel: Panel, draws: int, rng: np.random.Generator, level: float) -> Tested | str:
    """Test equality at every horizon at once."""
    distance, scores = _distances(panel)
    errors = np.sqrt(np.square(scores).sum(axis=0))
    if not (errors > 0).all():
        return "two assets are the same series, or respond without any error"
    t = distance / errors
    statistic, drawn = sup_test(scores.reshape(len(scores), -1), draws, rng)
    place = np.abs(t).argmax(axis=0)
    each = np.arange(t.shape[1])
    horizon = int(np.unravel_index(np.abs(t).argmax(), t.shape)[0])
    estimate, interval = _spread(panel, range(len(panel.grid)), horizon, draws, rng, level)
    name = f"largest less smallest cumulative response at horizon {panel.grid[horizon]}"
    return Tested(
        statistic, drawn, estimate, name, interval, distance[place, each], t[place, each], warnings=(_PICKED,)
    )


def size(panel: Panel, draws: int, rng: np.random.Generator, level: float) -> Tested | str:
    """Test equality of the sums at the last horizon."""
    distance, scores = (values[..., -1, :] for values in _distances(panel))
    tested = quadratic_test(scores[:, :-1], draws, rng)
    if tested is None:
        return _SINGULAR
    last = len(panel.grid) - 1
    estimate, interval = _spread(panel, range(last, last + 1), last, draws, rng, level)
    return Tested(
        *tested,
        estimate=estimate,
        estimate_name=f"largest less smallest cumulative response at horizon {panel.grid[-1]}",
        interval=interval,
        contrast=distance,
        contrast_t=distance / np.sqrt(np.square(scores).sum(axis=0)),
        asymptotic=float(stats.chi2.sf(tested[0], distance.size - 1)),
        warnings=(_PICKED,),
    )


def timing(panel: Panel, draws: int, rng: np.random.Generator, level: float) -> Tested | str:
    """Test that the later response is the same multiple of the first in every asset.

    Notes
    -----
    The null says that the last sum is `c` times the first response in all assets. Residuals with that imposed make the
    scores ``L - c F``, where `L` and `F` have residuals taken at no response: both sums and covariance are polynomials
    in `c`, and the best `c` is found on small matrices.
    """
    responses, n_assets = panel.cube(panel.found.estimate), len(panel.names)
    free = panel.cube(panel.found.at_null(np.zeros_like(panel.found.estimate)))
    F, L = free[:, 0], free[:, -1]
    FF, LL, FL = F.T @ F, L.T @ L, F.T @ L
    first, last = responses[0], responses[-1]

    def objective(angle: float) -> float:
        c = float(np.tan(angle))
        g, V = last - c * first, LL - c * (FL + FL.T) + c * c * FF
        return float(g @ np.linalg.solve(V, g))

    scale = np.sqrt(np.diag(LL))
    if not (scale > 0).all() or np.linalg.cond(LL / np.outer(scale, scale)) > 1e12:
        return _SINGULAR
    grid = np.linspace(-np.pi / 2, np.pi / 2, 363)[1:-1]
    start, step = grid[int(np.argmin([objective(float(angle)) for angle in grid]))], grid[1] - grid[0]
    found = minimize_scalar(objective, bounds=(start - step, start + step), method="bounded", options={"xatol": 1e-12})
    c = float(np.tan(found.x))
    strength = float(np.mean(np.square(first) / np.square(panel.cube(panel.found.scores)[:, 0]).sum(axis=0)))
    weak = strength < STRONG
    tested = quadratic_test(L - c * F, draws, rng, free=None if weak else first)
    if tested is None:
        return _SINGULAR
    # The data's own statistic needs no projection: the multiple has made it smallest already.
    statistic = float(found.fun)
    gap, error = last - c * first, np.sqrt(np.square(L - c * F).sum(axis=0))
    worst = int(np.argmax(np.abs(gap) / error))
    half = float(error[worst] * np.quantile(largest(flipped_sums(L - c * F, draws, rng), error), level))
    warning = f"first responses are weak (mean squared t {strength:.3g}); timing is judged with caution"
    return Tested(
        statistic,
        tested[1],
        estimate=float(gap[worst]),
        estimate_name=f"later response of {panel.names[worst]} beyond the common multiple of its first",
        interval=(float(gap[worst]) - half, float(gap[worst]) + half),
        contrast=gap,
        contrast_t=gap / error,
        ratio=c - 1.0,
        asymptotic=float(stats.chi2.sf(statistic, n_assets if weak else n_assets - 1)),
        warnings=(_PICKED, warning) if weak else (_PICKED,),
    )
