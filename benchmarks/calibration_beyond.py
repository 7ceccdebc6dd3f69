"""Size and power of the tests of causality beyond the mean: ``python -m benchmarks.calibration_beyond [runs]``.

Three processes without causality in mean: independent normal series, independent GARCH-t series, and the volatility
spillover of Vilasuso (2001). Under the spillover a test of variances, of tails or of any dependence should reject in
its direction and hold its size against it; a linear quantile test should not reject at all, by symmetry.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np

from analysis.results import Absent, Result
from analysis.stats.granger_nonlinear import diks_panchenko, transfer_entropy
from analysis.stats.granger_quantile import cross_quantilogram, quantile_granger
from analysis.stats.granger_variance import cheung_ng, hafner_herwartz, hong

Pair = tuple[np.ndarray, np.ndarray]
N = 1000
BURN = 300
TAUS = (0.1, 0.25, 0.5, 0.75, 0.9)
DRAWS = 49
LEVEL = 0.05


def volatile(rng: np.random.Generator, n: int, spill: float) -> Pair:
    """Return an effect and a cause with GARCH(1,1) variances and t5 shocks; `spill` enters the effect's variance."""
    z = rng.standard_t(5, (n + BURN, 2)) * math.sqrt(3 / 5)
    x, y = np.zeros(n + BURN), np.zeros(n + BURN)
    hx = hy = 1.0
    for t in range(1, n + BURN):
        hy = 0.05 + 0.05 * y[t - 1] ** 2 + spill * x[t - 1] ** 2 + (0.60 if spill else 0.90) * hy
        hx = 0.05 + 0.15 * x[t - 1] ** 2 + 0.80 * hx
        x[t], y[t] = math.sqrt(hx) * z[t, 0], math.sqrt(hy) * z[t, 1]
    return y[BURN:], x[BURN:]


def iid(rng: np.random.Generator) -> Pair:
    """Return two independent normal series."""
    y, x = rng.standard_normal((2, N))
    return y, x


def apart(rng: np.random.Generator) -> Pair:
    """Return two independent GARCH-t series."""
    return volatile(rng, N, 0.0)


def spill(rng: np.random.Generator) -> Pair:
    """Return a pair whose cause enters the effect's variance."""
    return volatile(rng, N, 0.30)


def against(rng: np.random.Generator) -> Pair:
    """Return the same pair with the roles exchanged: a true null."""
    y, x = spill(rng)
    return x, y


def led(rng: np.random.Generator) -> Pair:
    """Return GARCH-t series with a lead in the mean of a tenth of the cause."""
    y, x = apart(rng)
    return y + 0.1 * np.r_[0.0, x[:-1]], x


PROCESSES: dict[str, Callable[[np.random.Generator], Pair]] = {
    "iid": iid,
    "garch": apart,
    "spill": spill,
    "spill reversed": against,
    "mean lead .1": led,
}


def _sup_wald(pair: Pair, rng: np.random.Generator) -> Result:
    return quantile_granger(*pair, lags=1, quantiles=TAUS, bootstrap=DRAWS, rng=rng)


def _nearest(pair: Pair, rng: np.random.Generator) -> Result:
    return transfer_entropy(*pair, method="nearest", bootstrap=19, rng=rng)


def _wild(pair: Pair, rng: np.random.Generator) -> Result:
    return transfer_entropy(*pair, lags=5, bootstrap=99, rng=rng)


def _hits(pair: Pair, rng: np.random.Generator) -> Result:
    return cross_quantilogram(*pair, quantiles=(0.1, 0.1), max_lag=3, bootstrap=99, rng=rng)


# Name, call, and how many times the runs asked for it is cheap enough to repeat.
TESTS: tuple[tuple[str, Callable[[Pair, np.random.Generator], Result], int], ...] = (
    ("sup-Wald over quantiles", _sup_wald, 1),
    ("Troster", lambda pair, _: quantile_granger(*pair, lags=1, quantiles=TAUS, method="troster"), 1),
    ("cross-quantilogram", _hits, 2),
    ("Cheung-Ng", lambda pair, _: cheung_ng(*pair, lags=5), 2),
    ("Hong", lambda pair, rng: hong(*pair, lags=5, bootstrap=49, rng=rng), 2),
    ("Hafner-Herwartz", lambda pair, _: hafner_herwartz(*pair), 2),
    ("Diks-Panchenko, VAR", lambda pair, _: diks_panchenko(*pair), 4),
    ("Diks-Panchenko, GARCH", lambda pair, _: diks_panchenko(*pair, filter="var-garch"), 2),
    ("transfer entropy, Gaussian", _wild, 4),
    ("transfer entropy, nearest", _nearest, 1),
)


def measure(
    call: Callable[[Pair, np.random.Generator], Result], process: str, runs: int, seed: int
) -> tuple[float, float, int]:
    """Return rejection rates of the analytic and the resampled p-value, and how many runs had no result."""
    rng = np.random.default_rng([seed, list(PROCESSES).index(process)])
    analytic, resampled, absent = 0, 0, 0
    for _ in range(runs):
        result = call(PROCESSES[process](rng), rng)
        if isinstance(result, Absent):
            absent += 1
            continue
        pvalue = float(getattr(result, "pvalue"))  # noqa: B009 - a family of result kinds
        star = getattr(result, "bootstrap_pvalue", None)
        analytic += pvalue <= LEVEL
        resampled += (pvalue if star is None else star) <= LEVEL
    done = max(runs - absent, 1)
    return analytic / done, resampled / done, absent


def main(runs: int = 15) -> None:
    """Write the table to standard output."""
    out = sys.stdout
    out.write(f"Rejections at {LEVEL:.0%}, n = {N}: analytic p / resampled p (where there is one)\n")
    out.write(f"{'test':28}{'runs':>6}" + "".join(f"{name:>18}" for name in PROCESSES) + f"{'seconds':>10}\n")
    for seed, (name, call, times) in enumerate(TESTS):
        start, cells = time.perf_counter(), []
        for process in PROCESSES:
            analytic, resampled, absent = measure(call, process, runs * times, seed)
            cells.append(f"{analytic:.3f} / {resampled:.3f}" + (f" ({absent})" if absent else ""))
        seconds = time.perf_counter() - start
        out.write(f"{name:28}{runs * times:6d}" + "".join(f"{cell:>18}" for cell in cells) + f"{seconds:10.1f}\n")
        out.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
