from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from published_example import CODE, SNAPSHOT, entry, facts, ledger, publish, stage

from analysis.errors import VersionError
from analysis.publish.compare import Change, diff
from analysis.publish.version import publish_version
from analysis.study.ledger import Ledger

MINUS = "\u2212"
ID = "granger.rut.btc.daily"


def later(root: Path, book: Ledger, verdicts: list[dict[str, str]] | str, **changes: object) -> Path:
    made = facts(**({"snapshot_id": "9" * 64, "cutoff": "2026-09-01"} | changes))
    staging = stage(root / "later", book, made.version)
    text = verdicts if isinstance(verdicts, str) else json.dumps(verdicts)
    (staging / "verdicts.json").write_text(text)
    inputs: dict[str, str | Path] = {"series/RUT": "cd" * 32, "series/ETH": "ef" * 32, "study": "12" * 32}
    return publish_version(staging, root / "builds", made.version, inputs=inputs, facts=made).path


def test_a_version_equals_itself(tmp_path: Path) -> None:
    path = publish(tmp_path).path
    found = diff(path, path)
    assert found.same
    assert found.to_frame().empty
    assert found.summary().count("unchanged") == 7


def test_everything_that_changed_is_named(tmp_path: Path) -> None:
    first = publish(tmp_path).path
    kept = [item for item in ledger(pvalue=0.3023, nobs=2460, end="2025-01-31").entries if item.id != "highs.count"]
    gone = dataclasses.replace(kept[2], status="ok") if kept[2].status != "ok" else kept[2]
    book = Ledger((*(item for item in kept if item.id != gone.id), gone, entry(id="new.result")))
    verdicts = [{"claim": "lead", "verdict": "mixed"}, {"claim": "stable-link", "verdict": "contradicted"}]
    settings = {"lags": {"max": 12}, "level": 0.05, "draws": 999}
    second = later(tmp_path, book, verdicts, code_hash="7" * 64, settings=settings, renderer="Quarto 1.8")
    found = diff(first, second)
    assert not found.same
    assert (found.before, found.after) == (first.name, second.name)
    data = {change.name: (change.before, change.after) for change in found.data}
    assert data == {
        "cutoff": ("2026-08-21", "2026-09-01"),
        "series/ETH": (None, "ef" * 32),
        "series/RUT": ("ab" * 32, "cd" * 32),
        "snapshot": (SNAPSHOT, None),
        "snapshot_id": (SNAPSHOT, "9" * 64),
    }
    code = {change.name: (change.before, change.after) for change in found.code}
    assert code == {
        "code_hash": (CODE, "7" * 64),
        "renderer": ("embedded 1", "Quarto 1.8"),
        "study": (None, "12" * 32),
    }
    assert found.settings == (Change("draws", None, "999"), Change("lags.max", "10", "12"))
    assert found.added == ("new.result",)
    assert found.removed == ("highs.count",)
    assert [(move.id, move.field, move.before, move.after) for move in found.moved] == [
        (ID, "p", "0.412", "0.302"),
        (ID, "n", "2,442", "2,460"),
        (ID, "end", "2024-12-31", "2025-01-31"),
    ]
    assert found.moved[0].change == pytest.approx(-0.11, abs=1e-12)
    assert found.moved[2].change is None
    assert found.verdicts == (
        Change("lead", "no evidence", "mixed"),
        Change("stable-link", None, "contradicted"),
    )
    text = found.summary()
    assert f"{ID}.p: 0.412 → 0.302 (by {MINUS}0.110)" in text
    assert "lead: no evidence → mixed" in text
    assert text.index("Verdicts") < text.index("Numbers") < text.index("Code")
    frame = found.to_frame()
    assert frame["change"].isna().tolist() == [False, False, True]


def test_direction_matters(tmp_path: Path) -> None:
    first = publish(tmp_path).path
    second = later(tmp_path, ledger(estimate=0.05), [])
    forth, back = diff(first, second), diff(second, first)
    assert forth.moved[0].change == pytest.approx(0.05 - 0.03127)
    assert back.moved[0].change == pytest.approx(0.03127 - 0.05)
    assert back.verdicts == (Change("lead", None, "no evidence"),)
    assert str(forth.verdicts[0]) == "lead: no evidence → gone"


def test_a_result_that_went_away_says_why(tmp_path: Path) -> None:
    first = publish(tmp_path).path
    blank = dict.fromkeys(
        ("statistic", "pvalue", "pvalue_adjusted", "estimate", "lower", "upper", "level", "nobs", "nobs_lost", "lags")
    )
    book = ledger(**(blank | {"status": "failed", "reason": "no convergence"}))
    moves = {move.field: (move.before, move.after) for move in diff(first, later(tmp_path, book, [])).moved}
    assert moves["status"] == ("ok", "failed")
    assert moves["p"] == ("0.412", "failed: no convergence")


def test_the_last_bit_is_no_move(tmp_path: Path) -> None:
    first = publish(tmp_path).path
    second = later(tmp_path, ledger(estimate=0.03127 * (1 + 1e-15), statistic=3.4560001), [])
    assert [move.field for move in diff(first, second).moved] == ["statistic"]


@pytest.mark.parametrize("verdicts", ["{", '[{"claim": "x"}]', "[1]", "3"])
def test_damaged_verdicts_are_refused(tmp_path: Path, verdicts: str) -> None:
    first = publish(tmp_path).path
    second = later(tmp_path, ledger(), verdicts)
    with pytest.raises(VersionError, match="verdicts cannot be read"):
        diff(first, second)


def test_forged_ledgers_and_other_folders_are_refused(tmp_path: Path) -> None:
    first = publish(tmp_path).path
    with pytest.raises(VersionError, match="no manifest"):
        diff(first, tmp_path)
    first.chmod(0o755)
    (first / "verdicts.json").chmod(0o644)
    (first / "verdicts.json").write_text("[]")
    with pytest.raises(VersionError, match="changed after"):
        diff(first, first)
