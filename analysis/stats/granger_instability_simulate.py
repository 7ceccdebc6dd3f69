"""Simulate the limit distributions of the instability-robust tests and print them as the shipped table.

Notes
-----
With B a standard Brownian motion of q components, W(s) = |B(s) - s B(1)|² / (s (1 - s)) + |B(1)|² over the middle 70
%, and Nyblom = ∫ |B(s)|² ds (Rossi 2005, Econometric Theory 21). Components add up, so one set of paths serves every
q.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis.stats.lagged import Floats

MAX_COEFFICIENTS = 12
TRIMMING = 0.15
DRAWS = 60_000
STEPS = 2_000  # about the rows of a daily study: the largest of as many splits as there are rows
SEED = 20190412
SURVIVAL = (0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.075, 0.05, 0.025, 0.01, 0.005, 0.001)


def simulate(rng: np.random.Generator, *, draws: int, steps: int, most: int = MAX_COEFFICIENTS) -> Floats:
    """Return ExpW, MeanW, Nyblom and SupLR of every draw and number of coefficients: shape (4, most, draws)."""
    s = np.arange(1, steps + 1) / steps
    inside = (s >= TRIMMING - 1e-12) & (s <= 1 - TRIMMING + 1e-12)
    weight = 1.0 / (s * (1 - s))[inside]
    out = np.empty((4, most, draws))
    block = 100
    for start in range(0, draws, block):
        count = min(block, draws - start)
        wald, nyblom = np.zeros((count, int(inside.sum()))), np.zeros(count)
        for q in range(most):
            path = rng.standard_normal((count, steps))
            np.cumsum(path, axis=1, out=path)
            path /= np.sqrt(steps)
            end = path[:, -1:]
            wald += np.square(path[:, inside] - s[inside] * end) * weight + end**2
            nyblom += np.square(path).mean(axis=1)
            top = wald.max(axis=1)
            mean_exp = np.exp((wald - top[:, None]) / 2).mean(axis=1)
            out[:, q, start : start + count] = np.stack([top / 2 + np.log(mean_exp), wald.mean(axis=1), nyblom, top])
    return out


def render(quantiles: Floats) -> str:
    """Return the rows of the table as Python text: statistic, then coefficients, then the survival grid."""
    lines = []
    for item in quantiles:
        lines.append("    (")
        for row in item:
            text = [f"{value:.4f}" for value in row]
            lines += ["        (" + ", ".join(text[:10]) + ",", "         " + ", ".join(text[10:]) + "),"]
        lines.append("    ),")
    return "\n".join(lines)


def main(path: Path) -> None:
    """Write the rows of the table to a text file."""
    values = simulate(np.random.default_rng(SEED), draws=DRAWS, steps=STEPS)
    quantiles = np.quantile(values, [1 - item for item in SURVIVAL], axis=2).transpose(1, 2, 0)
    path.write_text(render(quantiles) + "\n", encoding="utf-8")
