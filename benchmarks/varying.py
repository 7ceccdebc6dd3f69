"""Speed of time-varying causality against refitting every window: ``python -m benchmarks.varying``.

A sample of windows is refitted by least squares the way a loop over windows would (one factorisation of the window's
design, coefficients, covariance, Wald statistic) and scaled to all of them; ours is timed whole. A few bootstrap draws
are timed and scaled to 499.
"""

from __future__ import annotations

import os
import sys
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from analysis.results import Absent
from analysis.stats.granger_varying import time_varying_granger
from analysis.stats.lagged import Floats

ROWS, LAGS, EXTRA, WINDOW, DRAWS = 2500, 2, 1, 100, 499
SAMPLE, TIMED_DRAWS = 200, 8


def refit(effect: Floats, cause: Floats, start: int, stop: int, *, robust: bool) -> float:
    """Return the Wald statistic of one window from its own design."""
    y, x, reach = effect[start:stop], cause[start:stop], LAGS + EXTRA
    n = len(y)
    own = [y[reach - j : n - j] for j in range(1, reach + 1)]
    extra = [x[reach - j : n - j] for j in range(LAGS + 1, reach + 1)]
    tested = [x[reach - j : n - j] for j in range(1, LAGS + 1)]
    X = np.column_stack([np.ones(n - reach), *own, *extra, *tested])
    Q, R = np.linalg.qr(X)
    b = np.linalg.solve(R, Q.T @ y[reach:])
    e = y[reach:] - X @ b
    back = np.linalg.inv(R)
    bread = back @ back.T
    V = bread @ (X * np.square(e)[:, None]).T @ X @ bread if robust else bread * (e @ e / len(e))
    return float(b[-LAGS:] @ np.linalg.solve(V[-LAGS:, -LAGS:], b[-LAGS:]))


def compare(cov: str, joint: Floats, threads: int) -> str:
    """Return one line of the table."""
    robust = cov == "HC0"
    rng = np.random.default_rng(1)
    # Windows are drawn uniformly: ends in proportion to the number of windows that end there.
    weights = np.arange(1, ROWS - WINDOW + 2, dtype=float)
    ends = WINDOW + rng.choice(len(weights), SAMPLE, p=weights / weights.sum())
    starts = [int(rng.integers(0, end - WINDOW + 1)) for end in ends]
    begin = perf_counter()
    for start, stop in zip(starts, ends, strict=True):
        refit(joint[:, 0], joint[:, 1], start, int(stop), robust=robust)
    each = (perf_counter() - begin) / SAMPLE
    options = {"lags": LAGS, "extra_lags": EXTRA, "window": WINDOW, "cov": cov, "threads": threads}
    time_varying_granger(joint[:300, 0], joint[:300, 1], **options)  # compiles
    times = []
    for _ in range(3):
        begin = perf_counter()
        found = time_varying_granger(joint[:, 0], joint[:, 1], **options)
        times.append(perf_counter() - begin)
    if isinstance(found, Absent):
        raise SystemExit(found.summary())
    begin = perf_counter()
    time_varying_granger(joint[:, 0], joint[:, 1], **options, bootstrap=TIMED_DRAWS, rng=rng)
    draws = (perf_counter() - begin - min(times)) / TIMED_DRAWS * DRAWS
    windows, ours = found.n_windows, min(times)
    ratio = each * windows / ours
    return (
        f"{cov:<10} {windows:>9} {each * 1e6:>9.1f} {each * windows:>10.1f} {ours:>8.3f} {ours / windows * 1e9:>8.0f}"
        f" {ratio:>8.0f} {draws:>10.1f} {found.n_recomputed:>10}"
    )


def main() -> None:
    """Write the table to standard output."""
    joint = 100.0 + np.cumsum(np.random.default_rng(7).standard_t(5, (ROWS, 2)), axis=0)
    threads = os.cpu_count() or 1
    lines = [
        f"n = {ROWS}, lags = {LAGS} + {EXTRA}, shortest window {WINDOW}, {threads} threads; seconds unless said",
        "covariance   windows  refit us refits all   ours s ns/window    ratio  499 draws  recomputed",
    ]
    with threadpool_limits(limits=1):
        lines += [compare(cov, joint, threads) for cov in ("nonrobust", "HC0")]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
