"""Size of the cross-correlation and state tests on processes without any link; run as a script.

Usage: python benchmarks/calibration_states.py [replications] [bootstrap draws]

Processes (no correlation, no causality in mean, no difference between states in any of them):
  iid    independent standard normal series
  garch  independent GARCH(1,1) with Student t5 innovations
  spill  the volatility of the effect feeds on the squared cause
The state alternates every 25 observations. Figures are rejection rates at 5 %.
"""

from __future__ import annotations

import sys
from typing import TextIO

import numpy as np

from analysis.results import Absent
from analysis.stats.crosscorr import CrossCorrelation, cross_correlation
from analysis.stats.regimes import StateCorrelationResult, StateGrangerResult, state_correlation, state_granger

BURN_IN = 300
LAGS = 5
COLUMNS = (
    "lag 0",
    "lag 1",
    "text 0",
    "text 1",
    "cumul.",
    "sup",
    "gr F",
    "gr HC3",
    "gr wild",
    "cor raw",
    "cor FR",
    "cor boot",
)


def simulate(process: str, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return effect and cause of shape (n,) each."""
    if process == "iid":
        return rng.standard_normal(n), rng.standard_normal(n)
    total = n + BURN_IN
    z = rng.standard_t(5, size=(total, 2)) * np.sqrt(3.0 / 5.0)
    x, y = np.zeros(total), np.zeros(total)
    hx = hy = 1.0
    for t in range(total):
        x[t], y[t] = np.sqrt(hx) * z[t, 0], np.sqrt(hy) * z[t, 1]
        if process == "spill":
            hy = 0.05 + 0.05 * y[t] ** 2 + 0.30 * x[t] ** 2 + 0.60 * hy
        else:
            hy = 0.05 + 0.15 * y[t] ** 2 + 0.80 * hy
        hx = 0.05 + 0.15 * x[t] ** 2 + 0.80 * hx
    return y[BURN_IN:], x[BURN_IN:]


def one(process: str, rng: np.random.Generator, n: int, draws: int) -> list[float]:
    """Return the p-values (or, for the textbook band, 0 or 1) of one replication."""
    effect, cause = simulate(process, rng, n)
    state = (np.arange(n) // 25) % 2
    cc = cross_correlation(effect, cause, max_lag=LAGS, bootstrap=draws, rng=rng)
    plain = state_granger(effect, cause, state, lags=LAGS, cov="nonrobust")
    robust = state_granger(effect, cause, state, lags=LAGS, bootstrap=draws, rng=rng)
    link = state_correlation(effect, cause, state, bootstrap=draws, rng=rng)
    if isinstance(cc, Absent) or isinstance(plain, Absent) or isinstance(robust, Absent) or isinstance(link, Absent):
        raise SystemExit("a test did not apply to a simulated sample")
    return [*_cross(cc), plain.pvalue, *_granger(robust), *_link(link)]


def _cross(cc: CrossCorrelation) -> list[float]:
    inside = np.abs(cc.estimate[LAGS : LAGS + 2]) <= cc.band_standard
    sup = cc.sup_lag_pvalue[0] if cc.sup_lag_pvalue is not None else 1.0
    return [*cc.pvalue[LAGS : LAGS + 2], *inside.astype(float), float(cc.cumulative_pvalue[0, -1]), float(sup)]


def _granger(result: StateGrangerResult) -> list[float]:
    return [result.pvalue, 1.0 if result.bootstrap_pvalue is None else result.bootstrap_pvalue]


def _link(result: StateCorrelationResult) -> list[float]:
    boot = 1.0 if result.bootstrap_pvalue is None else result.bootstrap_pvalue
    return [result.raw_pvalue, result.corrected_pvalue, boot]


def main(replications: int, draws: int, out: TextIO) -> None:
    """Write one line of rejection rates for each process and sample size."""
    error = 100 * np.sqrt(0.05 * 0.95 / replications)
    out.write(f"{replications} replications, {draws} draws, 5 % tests, Monte Carlo error {error:.1f} points\n")
    out.write(f"{'process':8s}{'n':>6s}" + "".join(f"{name:>9s}" for name in COLUMNS) + "\n")
    for process in ("iid", "garch", "spill"):
        for n in (500, 1500):
            rng = np.random.default_rng([20240301, n, ("iid", "garch", "spill").index(process)])
            pvalues = np.array([one(process, rng, n, draws) for _ in range(replications)])
            rates = 100 * (pvalues <= 0.05).mean(axis=0)
            out.write(f"{process:8s}{n:6d}" + "".join(f"{rate:9.1f}" for rate in rates) + "\n")
            out.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300, int(sys.argv[2]) if len(sys.argv) > 2 else 199, sys.stdout)
