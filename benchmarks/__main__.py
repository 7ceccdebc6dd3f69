"""Run every benchmark: the statistics against their peers, and the report from empty and from unchanged."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import areas, granger, leadlag, varying

ROOT = Path(__file__).resolve().parents[1]
CLI = (sys.executable, "-m", "analysis.cli")


def main() -> None:
    """Print all tables."""
    granger.main()
    print("\n## All windows of time\n")
    varying.main()
    print("\n## Asynchronous and rolling lead-lag\n")
    leadlag.main()
    print("\n## Thresholds, forecasts, connectedness\n")
    areas.main()
    report()


def report() -> None:
    """Time the command line: help, a report from nothing, and the same report again."""
    print("\n## The report, on the simulated market with the default study\n")
    print("| command | seconds | limit |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "project"
        ignore = shutil.ignore_patterns(
            ".venv", ".git", "_build", "snapshots", "__pycache__", ".*_cache", ".hypothesis"
        )
        shutil.copytree(ROOT, root, ignore=ignore)
        run = (*CLI, "--root", str(root), "report", "--simulated")
        for label, command, limit in (
            ("bellwether --help", (*CLI, "--help"), 0.5),
            ("report, from nothing", run, 300.0),
            ("report, nothing changed", run, 2.0),
        ):
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
            print(f"| {label} | {time.perf_counter() - began:.2f} | {limit:g} |")


if __name__ == "__main__":
    main()
