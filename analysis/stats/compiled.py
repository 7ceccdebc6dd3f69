"""Compile inner loops with a cache that can never be stale: it is keyed by the code of every statistic.

Numba notices an edit of the file a compiled function stands in, but not of a function it calls in another file. A
kernel compiled against yesterday's helper would then give wrong numbers without a word. So the cache lies in a folder
named by the hash of all modules of `stats` and `scan`: any edit starts a new one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numba
from numba import njit, uint64

__all__ = ["njit", "uint64"]


def _code_digest(package: Path) -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted([*(package / "stats").rglob("*.py"), *(package / "scan").rglob("*.py")]):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


_PACKAGE = Path(__file__).resolve().parents[1]
if not numba.config.CACHE_DIR:
    numba.config.CACHE_DIR = str(_PACKAGE / "__pycache__" / f"kernels-{_code_digest(_PACKAGE)}")
