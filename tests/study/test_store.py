"""Results kept between builds: found again only when nothing that decides them has changed, never when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.study import config as configs
from analysis.study.calls import Call, Family
from analysis.study.config import StudyConfig
from analysis.study.entry import Entry
from analysis.study.settings import AREA_NAMES
from analysis.study.store import Store, visible

FAMILY = Family("lead", "A family", ("lead",), "bh", (Call("a.b", "granger", "BTC", "RUT"),))
ENTRIES = [Entry(id="a.b", family="lead", estimate=0.1, estimate_name="x", pvalue=0.25, nobs=7, summary="é")]


@pytest.fixture
def study(repository: Path) -> StudyConfig:
    return configs.load(repository / "data" / "studies" / "default.toml")


def test_what_was_saved_is_found_again(tmp_path: Path, study: StudyConfig) -> None:
    store = Store(tmp_path / "kept", "base")
    assert store.load(FAMILY, study) is None
    store.save(FAMILY, study, ENTRIES)
    assert store.load(FAMILY, study) == ENTRIES


def test_whatever_decides_a_result_separates_it(tmp_path: Path, study: StudyConfig) -> None:
    store = Store(tmp_path, "base")
    store.save(FAMILY, study, ENTRIES)
    other = Family("lead", "A family", ("lead",), "none", FAMILY.calls)
    assert Store(tmp_path, "other code").load(FAMILY, study) is None
    assert store.load(other, study) is None
    assert store.load(FAMILY, study.model_copy(update={"lags": 3})) is None
    assert store.load(FAMILY, study.model_copy(update={"title": "Another title"})) == ENTRIES


@pytest.mark.parametrize("damage", [lambda text: text[:-3], lambda text: text.replace("0.25", "0.01"), lambda _: ""])
def test_a_damaged_file_counts_as_absent(tmp_path: Path, study: StudyConfig, damage: object) -> None:
    store = Store(tmp_path, "base")
    store.save(FAMILY, study, ENTRIES)
    (path,) = tmp_path.glob("*.json")
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")  # type: ignore[operator]
    assert store.load(FAMILY, study) is None


def test_an_area_sees_its_own_settings_only(study: StudyConfig) -> None:
    marked = study.model_copy(update=dict.fromkeys(AREA_NAMES, "changed"))
    seen = visible(marked, "events")
    assert seen.events == "changed"
    assert all(getattr(seen, name) != "changed" for name in AREA_NAMES if name != "events")
    assert seen.lags == study.lags
