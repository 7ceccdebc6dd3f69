"""Speed of the lead-lag statistics against plain peers: ``python -m benchmarks.leadlag``.

The Hayashi-Yoshida peer is the double sum over all pairs of intervals, as a matrix; pandas is the peer of the rolling
correlation, though it gives no interval. The floor is the least work at the measured rates of one core: bytes read once
a lag for the merge, and bytes read and written once for the rolling path.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from analysis.stats.asynchronous import hayashi_yoshida_lagged
from analysis.stats.crosscorr_rolling import rolling_correlation
from analysis.stats.leadlag import lead_lag_ratio

PEER_TICKS, TICKS, LAGS, ROWS, WINDOW = 2_000, 200_000, 41, 10_000, 250


def best(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest of several wall times in seconds."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)


def copy_rate() -> float:
    """Return the bytes one core reads and writes in a second."""
    source = np.random.default_rng(0).standard_normal(2**22)
    target = np.empty_like(source)
    return 16 * source.size / best(lambda: np.copyto(target, source))


def ticks(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return two random walks of n ticks each at unrelated times."""
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.exponential(size=(2, n)), axis=1)
    paths = np.cumsum(rng.standard_normal((2, n)), axis=1)
    return times[0], paths[0], times[1], paths[1]


def double_sum(times_x: np.ndarray, x: np.ndarray, times_y: np.ndarray, y: np.ndarray, lags: np.ndarray) -> list[float]:
    """Return the covariance at each lag from the matrix of all pairs of intervals."""
    out = []
    for lag in lags:
        starts = np.maximum(times_x[:-1, None], times_y[None, :-1] + lag)
        ends = np.minimum(times_x[1:, None], times_y[None, 1:] + lag)
        out.append(float(np.diff(x) @ (starts < ends) @ np.diff(y)))
    return out


def rows() -> list[tuple[str, float | None, float, float]]:
    """Return (what, peer seconds, our seconds, floor seconds) of every comparison."""
    rate, grid, out = copy_rate(), np.arange(LAGS) - LAGS // 2.0, []
    hayashi_yoshida_lagged(*ticks(100), lags=grid, log=False)  # compile outside the clock
    for n in (PEER_TICKS, TICKS):
        data = ticks(n)
        peer = best(lambda data=data: double_sum(*data, grid), 1) if n == PEER_TICKS else None
        ours = best(lambda data=data: hayashi_yoshida_lagged(*data, lags=grid, log=False))
        out.append((f"Hayashi-Yoshida, {n} ticks a series, {LAGS} lags", peer, ours, LAGS * 4 * 8.0 * n / rate))
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, ROWS))
    frame = pd.DataFrame({"x": x, "y": y})
    peer = best(lambda: frame["x"].rolling(WINDOW).corr(frame["y"]))
    ours = best(lambda: rolling_correlation(x, y, window=WINDOW))
    out.append((f"rolling correlation with interval, n = {ROWS}, window {WINDOW}", peer, ours, 5 * 8.0 * ROWS / rate))
    ours = best(lambda: lead_lag_ratio(x[:2000], y[:2000], max_lag=5, rng=np.random.default_rng(3)))
    out.append(("lead-lag ratio with interval, n = 2000, m = 5, 999 draws", None, ours, 999 * 2000 * 8.0 / rate))
    return out


def main() -> None:
    """Print the table."""
    sys.stdout.write("| what | peer s | ours s | ratio | ours / floor |\n|---|---:|---:|---:|---:|\n")
    with threadpool_limits(1):
        for what, peer, ours, floor in rows():
            compared = f"– | {ours:.4g} | –" if peer is None else f"{peer:.4g} | {ours:.4g} | {peer / ours:.3g}x"
            sys.stdout.write(f"| {what} | {compared} | {ours / floor:.1f} |\n")


if __name__ == "__main__":
    main()
