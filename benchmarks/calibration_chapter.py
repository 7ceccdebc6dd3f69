"""Size and power of the tests of the lead-lag chapter, with the settings of the default study.

``python -m benchmarks.calibration_chapter [replications]`` writes a Markdown table. The rows are processes without a
lead in the mean, except the last, in which the cause leads by one period with coefficient 0.1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analysis.results import Result
from analysis.stats.granger_frequency import breitung_candelon
from analysis.stats.granger_instability import instability_robust_granger
from analysis.stats.granger_nonlinear import diks_panchenko
from analysis.stats.granger_quantile import quantile_granger
from analysis.stats.granger_variance import cheung_ng, hafner_herwartz
from analysis.stats.granger_varying import time_varying_granger
from analysis.study.plan_chapter import BANDS
from analysis.study.run_chapter import CONTROL_WINDOW, POINTS_IN_BAND
from benchmarks.calibration import simulate

Floats = NDArray[np.float64]
N, LEVEL, SLOW_SHARE = 1500, 0.05, 4
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def _frequency(band: str) -> Callable[[Floats, Floats, np.random.Generator], float]:
    def test(effect: Floats, cause: Floats, rng: np.random.Generator) -> float:
        low, high = BANDS[band]
        grid = np.linspace(low, high, POINTS_IN_BAND)
        result = breitung_candelon(
            effect, cause, lags=5, frequencies=grid, cov="HC3", band=(low, high), bootstrap=199, rng=rng
        )
        return _p(result, "sup_pvalue")

    return test


def _varying(effect: Floats, cause: Floats, rng: np.random.Generator) -> float:
    """Return 0 where any of the last quarter of window ends exceeds its family-wise critical value, else 1."""
    result = time_varying_granger(
        effect,
        cause,
        lags=2,
        extra_lags=0,
        window=250,
        cov="HC0",
        bootstrap=199,
        rng=rng,
        control_window=CONTROL_WINDOW,
        sup_pvalue=False,
    )
    path = result.recursive[249 : 249 + CONTROL_WINDOW]  # the window ends the critical value is made for
    return 0.0 if np.nanmax(path) > result.critical_values["recursive"][LEVEL] else 1.0


def _quantile(effect: Floats, cause: Floats, rng: np.random.Generator) -> float:
    return _p(quantile_granger(effect, cause, lags=2, quantiles=QUANTILES, bootstrap=99, rng=rng), "bootstrap_pvalue")


TESTS: dict[str, Callable[[Floats, Floats, np.random.Generator], float]] = {
    "slow swings": _frequency("long"),
    "weeks": _frequency("medium"),
    "days": _frequency("short"),
    "at some date": lambda y, x, rng: _p(instability_robust_granger(y, x, lags=2), "pvalue"),
    "windows": _varying,
    "quantiles": _quantile,
    "nonlinear": lambda y, x, rng: _p(diks_panchenko(y, x, filter="var-garch"), "pvalue"),
    "variance, multiplier": lambda y, x, rng: _p(hafner_herwartz(y, x, mean_lags=5), "pvalue"),
    "variance, correlation": lambda y, x, rng: _p(cheung_ng(y, x, lags=5), "pvalue"),
}
SLOW = ("windows", "quantiles")


def _p(result: Result, name: str) -> float:
    """Return a p-value; a test that could not be run does not reject."""
    value = getattr(result, name, None)
    return 1.0 if value is None else float(value)


def main(replications: int = 200) -> None:
    """Print rejection rates in percent."""
    print(f"n = {N}, {replications} replications, {replications // SLOW_SHARE} for {' and '.join(SLOW)}\n")
    print("| process | " + " | ".join(TESTS) + " |")
    print("|---|" + "---:|" * len(TESTS))
    rows = (
        ("iid", 0.0, False),
        ("garch", 0.0, False),
        ("spill", 0.0, False),
        ("spill", 0.0, True),
        ("garch", 0.1, False),
    )
    for process, lead, reverse in rows:
        rng = np.random.default_rng(20260101)
        cause, effect = simulate(rng, process, N, replications, lead)
        if reverse:
            cause, effect = effect, cause
        cells = []
        for name, test in TESTS.items():
            count = replications // SLOW_SHARE if name in SLOW else replications
            hits = sum(test(effect[:, i], cause[:, i], rng) <= LEVEL for i in range(count))
            cells.append(f"{100 * hits / count:.1f}")
        label = f"{process}{', reversed' if reverse else ''}{f', lead {lead:g}' if lead else ''}"
        print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
