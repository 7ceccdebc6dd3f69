"""Shared fixtures: the optional folder of external reference data, and one BLAS thread for stable last digits."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports NumPy: one BLAS thread, so that no last digit depends on the machine.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import pytest  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real market data and published example data beside the project, or skip."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the optional folder of reference data is not beside the project")
    return folder
