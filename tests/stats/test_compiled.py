"""The compilation cache belongs to one state of the code."""

from __future__ import annotations

import shutil
from pathlib import Path

import numba
import numpy as np

from analysis.scan.pairs import granger_matrix
from analysis.stats import compiled


def test_any_edit_of_a_statistic_starts_a_new_cache(repository: Path, tmp_path: Path) -> None:
    for name in ("stats", "scan"):
        shutil.copytree(repository / "analysis" / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    first = compiled._code_digest(tmp_path)
    assert first == compiled._code_digest(repository / "analysis")
    helper = tmp_path / "scan" / "pairs_rows.py"
    helper.write_text(helper.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert compiled._code_digest(tmp_path) != first


def test_kernels_are_cached_under_that_name(repository: Path) -> None:
    granger_matrix(np.random.default_rng(1).standard_normal((80, 3)), lags=1)
    folder = Path(numba.config.CACHE_DIR)
    assert compiled._code_digest(repository / "analysis") in folder.name
    assert list(folder.rglob("*.nbi"))


def test_every_kernel_is_compiled_through_that_module(repository: Path) -> None:
    direct = [
        path.name
        for path in (repository / "analysis").rglob("*.py")
        if path.name != "compiled.py" and "from numba import" in path.read_text(encoding="utf-8")
    ]
    assert direct == []
