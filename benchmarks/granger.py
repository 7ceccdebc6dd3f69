"""Speed of the Granger tests against statsmodels: ``python -m benchmarks.granger``.

The peer is timed on a few pairs and scaled to all of them; ours is timed whole. The floor is the least work any
implementation of the same idea must do (floating-point operations at the measured matrix-product rate, or bytes at the
measured copy rate, whichever takes longer).
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter, process_time

import numpy as np
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.stattools import grangercausalitytests
from statsmodels.tsa.tsatools import lagmat
from threadpoolctl import threadpool_limits

from analysis.scan.pairs import granger_matrix
from analysis.scan.pairs_tiles import Group, tiles
from analysis.stats.granger import granger_test, rademacher

SERIES, ROWS, LAGS, DRAWS, SAMPLE = 200, 2000, 5, 999, 25
PARAMETERS, PAIRS = 2 * LAGS + 1, SERIES * (SERIES - 1)


SIZES = (50, 100, 200, 500, 1000)


def best(work: Callable[[], object], repeats: int = 5, clock: Callable[[], float] = process_time) -> float:
    """Return the shortest of several times in seconds: of the processor for one thread, of the wall for several."""
    times = []
    for _ in range(repeats):
        start = clock()
        work()
        times.append(clock() - start)
    return min(times)


@dataclass(frozen=True, slots=True)
class Machine:
    """What one core of this machine does in a second."""

    flops: float
    bytes: float

    @classmethod
    def measure(cls) -> Machine:
        """Time a large matrix product and a large copy."""
        rng = np.random.default_rng(0)
        a, b = rng.standard_normal((2, 1200, 1200))
        source = rng.standard_normal(2**23)
        target = np.empty_like(source)
        return cls(2 * 1200**3 / best(lambda: a @ b), 16 * 2**23 / best(lambda: np.copyto(target, source)))

    def floor(self, flops: float, moved: float) -> float:
        """Return the least seconds for so many operations and bytes."""
        return max(flops / self.flops, moved / self.bytes)


def sums_of_products(data: np.ndarray) -> Callable[[], object]:
    """Return the stage of a scan that takes the products of all series at all lags, tile by tile."""
    group = Group.of(data, np.arange(len(data)) >= LAGS, lags=LAGS, trend="c")
    everyone = np.arange(data.shape[1])
    parts = tiles(everyone, everyone)
    return lambda: [group.products(everyone[row], everyone[column]) for row, column, _ in parts]


def peer_wald(y: np.ndarray, x: np.ndarray, cov: str) -> float:
    """Return the Wald statistic as a statsmodels user would compute it."""
    Z = np.column_stack([np.ones(len(y) - LAGS), lagmat(y, LAGS, trim="both"), lagmat(x, LAGS, trim="both")])
    options = {"maxlags": 7, "use_correction": False} if cov == "HAC" else None
    fit = OLS(y[LAGS:], Z).fit(cov_type=cov, cov_kwds=options)
    return float(fit.wald_test(np.eye(PARAMETERS)[LAGS + 1 :], use_f=True, scalar=True).statistic)


def peer_bootstrap(y: np.ndarray, x: np.ndarray, signs: np.ndarray) -> list[float]:
    """Return one statistic a draw by refitting, the plain loop."""
    Z = np.column_stack([np.ones(len(y) - LAGS), lagmat(y, LAGS, trim="both"), lagmat(x, LAGS, trim="both")])
    restricted = OLS(y[LAGS:], Z[:, : LAGS + 1]).fit()
    out = []
    for column in signs[LAGS:].T:
        fit = OLS(restricted.fittedvalues + restricted.resid * column, Z).fit(cov_type="HC3")
        out.append(float(fit.wald_test(np.eye(PARAMETERS)[LAGS + 1 :], use_f=True, scalar=True).statistic))
    return out


def rows() -> Iterator[tuple[str, float, float, float]]:
    """Yield (what, peer seconds, our seconds, floor seconds) of every comparison."""
    machine = Machine.measure()
    sys.stdout.write(f"one core: {machine.flops / 1e9:.0f} Gflop/s, {machine.bytes / 1e9:.1f} GB/s\n\n")
    sys.stdout.write("| what | peer s | ours s | ratio | floor s | ours / floor |\n|---|---:|---:|---:|---:|---:|\n")
    rng = np.random.default_rng(1)
    data = rng.standard_normal((ROWS, SERIES))
    pairs = [tuple(pair) for pair in rng.permuted(np.tile(np.arange(SERIES), (SAMPLE, 1)), axis=1)[:, :2]]
    gram_flops = 2.0 * SERIES**2 * ROWS * (LAGS + 1)
    gram_bytes = 8.0 * SERIES * (ROWS + SERIES * (LAGS + 1) ** 2)
    # A pass over the rows: form the orthonormal lags, residual, leverage, and the products that make the meat.
    own = LAGS + 1
    pass_flops = gram_flops + PAIRS * ROWS * (2.0 * LAGS * own + LAGS * (LAGS + 1) + 4 * LAGS + 3 + LAGS * (LAGS + 2))
    yield ("sums of products only (peer: one matrix product at full rate)", gram_flops / machine.flops,
           best(sums_of_products(data)), machine.floor(gram_flops, gram_bytes))  # fmt: skip

    def scaled(work: Callable[[int, int], object]) -> float:
        return best(lambda: [work(i, j) for i, j in pairs], 3) / SAMPLE * PAIRS

    for cov, flops, refit in (
        ("nonrobust", gram_flops, lambda i, j: grangercausalitytests(data[:, [i, j]], [LAGS])),
        ("HC3", pass_flops, lambda i, j: peer_wald(data[:, i], data[:, j], "HC3")),
        ("HAC", pass_flops, lambda i, j: peer_wald(data[:, i], data[:, j], "HAC")),
    ):
        peer, floor = scaled(refit), machine.floor(flops, gram_bytes)
        granger_matrix(data[:, :3], lags=LAGS, cov=cov)  # compile outside the clock
        for workers, clock in ((1, process_time), (2, perf_counter)):
            work = partial(granger_matrix, data, lags=LAGS, cov=cov, workers=workers)
            yield f"all {PAIRS} ordered pairs, {cov}, {workers} thread(s)", peer, best(work, 5, clock), floor / workers
    signs = rademacher(rng, ROWS, DRAWS)
    y, x = data[:, 0], data[:, 1]
    granger_test(y, x, lags=LAGS, weights=signs)
    peer = best(lambda: peer_bootstrap(y, x, signs[:, :SAMPLE]), 3) / SAMPLE * DRAWS
    ours = best(lambda: granger_test(y, x, lags=LAGS, cov="HC3", weights=signs), 20)
    thin = 2.0 * ROWS * DRAWS * (2 * PARAMETERS + LAGS * (LAGS + 1) / 2)
    yield f"one pair, wild bootstrap HC3, {DRAWS} draws", peer, ours, machine.floor(thin, 3.0 * ROWS * DRAWS)
    peer, ours = best(lambda: peer_wald(y, x, "HC3"), 20), best(lambda: granger_test(y, x, lags=LAGS), 20)
    yield "one pair, HC3, full result", peer, ours, machine.floor(4.0 * ROWS * PARAMETERS**2, 0)


def sizes() -> None:
    """Print the cost of a pair by the number of series, and the memory of the largest scan."""
    sys.stdout.write("\n| series | pairs | s | ns a pair | peak MB |\n|---:|---:|---:|---:|---:|\n")
    rng = np.random.default_rng(2)
    for count in SIZES:
        data = rng.standard_normal((ROWS, count))
        seconds = best(lambda data=data: granger_matrix(data, lags=LAGS, workers=1), 3 if count > 200 else 9)
        pairs, peak = count * (count - 1), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(f"| {count} | {pairs} | {seconds:.4f} | {seconds / pairs * 1e9:.0f} | {peak:.0f} |\n")


def main() -> None:
    """Print the tables."""
    sys.stdout.write(f"{SERIES} series, n = {ROWS}, {LAGS} lags; the peer is timed on {SAMPLE} pairs or draws\n")
    with threadpool_limits(1):
        for what, peer, ours, floor in rows():
            cells = f"{peer:.4g} | {ours:.4g} | {peer / ours:.0f}x | {floor:.2g} | {ours / floor:.1f}"
            sys.stdout.write(f"| {what} | {cells} |\n")
        sizes()


if __name__ == "__main__":
    main()
