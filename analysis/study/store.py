"""Results that are kept between builds, family by family, so that a repeat computes only what has changed."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import BellwetherError
from analysis.study.calls import Family
from analysis.study.config import StudyConfig
from analysis.study.entry import Entry
from analysis.study.settings import AREA_NAMES

# About ten builds of the default study.
MOST_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of finished families.

    Attributes
    ----------
    folder : Path
    base : str
        Hash of everything that decides any result beside the study: code, lock, catalogue, data, events and draws.

    Notes
    -----
    A family is found again when its declaration and every setting it can see are the same. A damaged file counts as
    absent. Families are written as they finish, so that a build that was killed goes on where it stopped.
    """

    folder: Path
    base: str

    def load(self, family: Family, config: StudyConfig) -> list[Entry] | None:
        """Return the entries of a family, or None when they have to be computed."""
        path = self._path(family, config)
        try:
            digest, _, text = path.read_text(encoding="utf-8").partition("\n")
            if hashlib.sha256(text.encode()).hexdigest() != digest:
                return None
            entries = [Entry(**row) for row in json.loads(text)]
        except (OSError, ValueError, TypeError, BellwetherError):
            return None
        os.utime(path)
        return entries

    def save(self, family: Family, config: StudyConfig, entries: list[Entry]) -> None:
        """Keep the entries of a family, in one step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps([entry.to_dict() for entry in entries], sort_keys=True, ensure_ascii=False, allow_nan=False)
        path = self._path(family, config)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")
        temporary.replace(path)

    def prune(self) -> None:
        """Keep the families that were used last; the others can always be computed again."""
        used = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in used[:-MOST_KEPT]:
            path.unlink(missing_ok=True)

    def _path(self, family: Family, config: StudyConfig) -> Path:
        settings = config.model_dump(mode="json", exclude={"id", "title", "areas"})
        whole = f"{self.base}\0{family!r}\0{json.dumps(settings, sort_keys=True)}"
        return self.folder / f"{hashlib.sha256(whole.encode()).hexdigest()[:32]}.json"


def visible(config: StudyConfig, area: str) -> StudyConfig:
    """Return the settings one family may see: the sections of other areas are at their defaults.

    A family is handed these settings only, so that a change in the section of another area cannot change its results.
    """
    fields = StudyConfig.model_fields
    return config.model_copy(
        update={name: fields[name].get_default(call_default_factory=True) for name in AREA_NAMES if name != area}
    )
