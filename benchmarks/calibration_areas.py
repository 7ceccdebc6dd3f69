"""Size and power of the tests that decide the claims of the areas, with the settings of the default study.

``python -m benchmarks.calibration_areas [scale] [--only text ...]`` writes one Markdown table. `scale` multiplies the
replications, which are chosen so that the whole takes about twelve minutes on one core; `--only` keeps the tests whose
names hold one of the texts. The seconds a test took go to standard error.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from dataclasses import dataclass

import numpy as np

from benchmarks.area_trials import TRIALS, Trial
from benchmarks.area_worlds import DRAWS, FEW_DRAWS, PROCESSES, simulate

LEVEL, SEED, LEAST = 0.05, 20260201, 2
POWER_PROCESS = "garch"
COLUMNS = ("test", "n", "replications", "±", *PROCESSES, "alternative", "power")


@dataclass(frozen=True, slots=True)
class Rate:
    """Rejections of a test in one process; samples on which it could not be run are left out and counted."""

    rejected: int
    run: int
    absent: int

    def __str__(self) -> str:
        share = f"{100 * self.rejected / self.run:.1f}" if self.run else "–"
        return f"{share} ({self.absent} absent)" if self.absent else share


def measure(trial: Trial, process: str, replications: int, *, planted: bool = False) -> Rate:
    """Return how often a test rejects where nothing is planted, or where its alternative is.

    The samples depend on the name of the trial, not on its place in the table, so that a run of one test repeats its
    row of the whole.
    """
    made = trial.power if planted else trial.null
    if made is None:
        raise ValueError(f"nothing is planted in {trial.name}")
    rng = np.random.default_rng([SEED, zlib.crc32(trial.name.encode()), PROCESSES.index(process), int(planted)])
    n = trial.n + trial.history
    causes, noises = simulate(rng, process, n, trial.width, replications, trial.correlation, trial.shared)
    if trial.reverse and not planted:
        causes, noises[..., 0] = noises[..., 0].copy(), causes
    found = [trial.test(made(noise, cause), cause, rng) for cause, noise in zip(causes, noises, strict=True)]
    pvalues = np.array([value for value in found if value is not None])
    return Rate(int(np.sum(pvalues <= LEVEL)), pvalues.size, len(found) - pvalues.size)


def row(trial: Trial, scale: float) -> str:
    """Return the row of one test."""
    replications = max(LEAST, round(scale * trial.replications))
    sizes = [str(measure(trial, process, replications)) for process in PROCESSES]
    power = "–" if trial.power is None else str(measure(trial, POWER_PROCESS, replications, planted=True))
    error = 100 * np.sqrt(LEVEL * (1 - LEVEL) / replications)
    cells = (trial.name, str(trial.n), str(replications), f"{error:.1f}", *sizes, trial.alternative or "–", power)
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scale", type=float, nargs="?", default=1.0)
    parser.add_argument("--only", nargs="+", default=[""])
    options = parser.parse_args()
    sys.stdout.write(
        f"Rejections in percent at the nominal {LEVEL:.0%} level; {DRAWS} draws ({FEW_DRAWS} where a draw is slow). "
        f"±: Monte Carlo error of a true 5 %. Power: {POWER_PROCESS}, with the alternative planted; all series have "
        "variance one.\n\n"
    )
    sys.stdout.write("| " + " | ".join(COLUMNS) + " |\n|---|" + "---:|" * 6 + "---|---:|\n")
    for trial in TRIALS:
        if any(text in trial.name for text in options.only):
            start = time.perf_counter()
            sys.stdout.write(row(trial, options.scale) + "\n")
            sys.stdout.flush()
            sys.stderr.write(f"{trial.name}: {time.perf_counter() - start:.1f} s\n")


if __name__ == "__main__":
    main()
