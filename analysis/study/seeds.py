"""Random generators by stable key: adding a test never shifts the draws of another."""

from __future__ import annotations

import hashlib

import numpy as np

_WORDS = 4


def generator(seed: int, key: str) -> np.random.Generator:
    """Return the generator of one key of one study.

    Parameters
    ----------
    seed : int
        Seed of the study.
    key : str
        Stable name of what is drawn, such as a family.
    """
    digest = hashlib.sha256(key.encode()).digest()
    words = [int.from_bytes(digest[4 * i : 4 * i + 4], "big") for i in range(_WORDS)]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))
