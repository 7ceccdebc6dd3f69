"""Speed of thresholds, recursive forecasts and rolling connectedness against refits: ``python -m benchmarks.areas``.

Each peer does the obvious thing, one regression a split, a session or a window; a sample of them is timed and scaled.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import statsmodels.api as sm
from statsmodels.tsa.api import VAR
from threadpoolctl import threadpool_limits

from analysis.stats.connectedness.rolling import rolling_connectedness
from analysis.stats.forecast import forecast_path
from analysis.stats.lagged import Floats, lag_columns
from analysis.stats.switching.threshold import threshold_test

ROWS, LAGS, WINDOW, SAMPLE = 2900, 5, 500, 40


def best(run: Callable[[], object], times: int = 5) -> float:
    """Return the shortest of several times; the first call compiles."""
    run()
    shortest = np.inf
    for _ in range(times):
        begin = perf_counter()
        run()
        shortest = min(shortest, perf_counter() - begin)
    return float(shortest)


def threshold() -> tuple[str, float, float]:
    """Robust Wald statistics at every split of the middle 70 per cent."""
    effect, cause, variable = np.random.default_rng(1).standard_normal((3, ROWS))
    columns = lag_columns(np.column_stack([effect, cause]), range(1, LAGS + 1))[LAGS:]
    splits = np.sort(variable[LAGS:])[int(0.15 * ROWS) : int(0.85 * ROWS)]
    begin = perf_counter()
    for split in splits[:: len(splits) // SAMPLE]:
        above = (variable[LAGS:] > split)[:, None] * columns[:, LAGS:]
        fit = sm.OLS(effect[LAGS:], sm.add_constant(np.hstack([columns, above]))).fit(cov_type="HC0")
        fit.wald_test(np.eye(fit.params.size)[-LAGS:], use_f=False, scalar=True)
    peer = (perf_counter() - begin) / len(splits[:: len(splits) // SAMPLE]) * len(splits)
    ours = best(lambda: threshold_test(effect, cause, variable, lags=LAGS, bootstrap=99, rng=np.random.default_rng(4)))
    return (
        f"threshold of a lead, {len(splits):,} splits, ours with 99 bootstrap draws (peer: statsmodels, none)",
        peer,
        ours,
    )


def forecasts() -> tuple[str, float, float]:
    """One-step forecasts of four nested models, coefficients of every session from all sessions before it."""
    effect, cause = np.random.default_rng(2).standard_normal((2, ROWS))
    columns = sm.add_constant(lag_columns(np.column_stack([effect, cause]), range(1, LAGS + 1))[LAGS:])
    begin = perf_counter()
    for stop in np.linspace(WINDOW, len(columns) - 1, SAMPLE).astype(int):
        for width in (1, 1 + LAGS, columns.shape[1]):
            fit = sm.OLS(effect[LAGS : LAGS + stop], columns[:stop, :width]).fit()
            fit.predict(columns[stop, :width])
    peer = (perf_counter() - begin) / SAMPLE * (len(columns) - WINDOW)
    ours = best(lambda: forecast_path(effect, cause, lags=LAGS, own_lags=LAGS, window=WINDOW))
    return f"expanding forecasts, {ROWS - WINDOW:,} sessions, 3 models (peer: statsmodels)", peer, ours


def connected() -> tuple[str, float, float]:
    """Total connectedness of five series in every window."""
    data = np.random.default_rng(3).standard_normal((ROWS, 5))
    count = ROWS - WINDOW + 1
    begin = perf_counter()
    for start in np.linspace(0, count - 1, SAMPLE).astype(int):
        fit = VAR(data[start : start + WINDOW]).fit(2, trend="c")
        shares(fit.ma_rep(9), np.asarray(fit.sigma_u))
    peer = (perf_counter() - begin) / SAMPLE * count
    ours = best(lambda: rolling_connectedness(data, lags=2, horizon=10, window=WINDOW), times=3)
    return f"rolling connectedness, 5 series, {count:,} windows (peer: statsmodels VAR)", peer, ours


def shares(responses: Floats, sigma: Floats) -> float:
    """Return total connectedness from moving-average matrices (H, k, k), as a peer would write it."""
    gained = np.square(responses @ sigma).sum(axis=0) / np.diag(sigma)
    table = gained / np.einsum("hij,jk,hik->i", responses, sigma, responses)[:, None]
    table /= table.sum(axis=1, keepdims=True)
    return float(1 - np.trace(table) / len(table))


def main() -> None:
    """Print one table."""
    print("| what | peer s | ours s | ratio |\n|---|---:|---:|---:|")
    with threadpool_limits(1):
        for run in (threshold, forecasts, connected):
            what, peer, ours = run()
            print(f"| {what} | {peer:.3g} | {ours:.3g} | {peer / ours:.0f}x |")


if __name__ == "__main__":
    main()
