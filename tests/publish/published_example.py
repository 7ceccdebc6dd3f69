"""A small ledger and published versions of it, for the tests of what is done with published versions."""

from __future__ import annotations

import json
from pathlib import Path

from analysis.publish.version import PublishOutcome, VersionFacts, publish_version
from analysis.study.ledger import Entry, Ledger

CODE = "5e6f7a8b" + "0" * 56
SNAPSHOT = "1a2b3c4d" + "f" * 56


def entry(**changes: object) -> Entry:
    base: dict[str, object] = {
        "id": "granger.rut.btc.daily",
        "family": "granger",
        "claims": ("lead",),
        "method": "Granger test",
        "effect": "BTC",
        "cause": "RUT",
        "clock": "after",
        "statistic": 3.456,
        "df": "5, 2431",
        "pvalue": 0.4123,
        "pvalue_adjusted": 0.8,
        "adjustment": "Romano–Wolf",
        "estimate": 0.03127,
        "estimate_name": "partial R²",
        "lower": -0.0512,
        "upper": 0.1137,
        "level": 0.95,
        "nobs": 2442,
        "nobs_lost": 11,
        "lags": 5,
        "start": "2014-09-17",
        "end": "2024-12-31",
        "strict": True,
    }
    return Entry(**(base | changes))  # type: ignore[arg-type]


def absent(**changes: object) -> Entry:
    base = {
        "id": "granger.rut.avax.daily",
        "family": "granger",
        "method": "Granger test",
        "status": "inapplicable",
        "reason": "too few rows",
    }
    return Entry(**(base | changes))  # type: ignore[arg-type]


def ledger(**changes: object) -> Ledger:
    tiny = entry(id="granger.rut.eth.daily", pvalue=0.0004, pvalue_adjusted=0.002)
    bare = entry(id="highs.count", estimate=24.0, lower=None, upper=None, level=None, pvalue=None, pvalue_adjusted=None)
    return Ledger((entry(**changes), absent(), tiny, bare))


def facts(**changes: object) -> VersionFacts:
    base: dict[str, object] = {
        "cutoff": "2026-08-21",
        "snapshot_id": SNAPSHOT,
        "code_hash": CODE,
        "kind": "real",
        "reduced": False,
        "renderer": "embedded 1",
        "settings": {"lags": {"max": 10}, "level": 0.05},
    }
    return VersionFacts(**(base | changes))  # type: ignore[arg-type]


def stage(folder: Path, book: Ledger, version: str, *, page: str = "<p>The page.</p>\n") -> Path:
    (folder / "figures").mkdir(parents=True)
    book.write(folder, version=version)
    (folder / "evidence.html").write_text(page, encoding="utf-8")
    (folder / "figures" / "path.svg").write_text("<svg/>\n", encoding="utf-8")
    verdicts = [{"claim": "lead", "verdict": "no evidence"}]
    (folder / "verdicts.json").write_text(json.dumps(verdicts) + "\n", encoding="utf-8")
    return folder


def publish(
    root: Path,
    *,
    book: Ledger | None = None,
    page: str = "<p>The page.</p>\n",
    inputs: dict[str, str | Path] | None = None,
    **changes: object,
) -> PublishOutcome:
    """Stage and publish under ``root/builds``; each call stages in a fresh folder."""
    made = facts(**changes)
    number = len(list(root.glob("staging-*")))
    staging = stage(root / f"staging-{number}", book or ledger(), made.version, page=page)
    hashes = {"series/RUT": "ab" * 32, "snapshot": made.snapshot_id} if inputs is None else inputs
    return publish_version(staging, root / "builds", made.version, inputs=hashes, facts=made)
