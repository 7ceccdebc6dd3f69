from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from analysis.errors import DataError
from analysis.market import events

HEADER = "date,kind,title,source\n"
GOOD = '2024-01-10,regulation,"Approval, at last",Press release\n2024-01-11,listing,Trading begins,Exchange\n'


def load_text(folder: Path, text: str) -> tuple[events.Event, ...]:
    (folder / "events.csv").write_text(text, encoding="utf-8")
    return events.load(folder / "events.csv")


def test_shipped_events(repository: Path) -> None:
    found = events.load(repository / "data" / "events.csv")
    days = {(event.day, event.kind) for event in found}
    assert {
        (date(2017, 12, 18), "listing"),
        (date(2021, 9, 24), "regulation"),
        (date(2022, 9, 15), "protocol"),
        (date(2022, 11, 11), "failure"),
        (date(2024, 1, 10), "regulation"),
        (date(2024, 4, 20), "protocol"),
        (date(2024, 7, 23), "listing"),
    } <= days
    assert len(found) >= 14
    assert all(event.source for event in found)


def test_reading(tmp_path: Path) -> None:
    first, second = load_text(tmp_path, HEADER + GOOD)
    assert first == events.Event(date(2024, 1, 10), "regulation", "Approval, at last", "Press release")
    assert second.day == date(2024, 1, 11)
    assert load_text(tmp_path, HEADER) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day,kind,title,source\n", r"events.csv, line 1: not the header.*Given: day,kind"),
        ("", "line 1: not the header"),
        (HEADER + GOOD + "2024-02-30,listing,A,B\n", "line 4: not a date. Given: 2024-02-30"),
        (HEADER + "10.01.2024,listing,A,B\n", "line 2: not a date"),
        (HEADER + "2024-01-10,rumour,A,B\n", "line 2: unknown kind. Given: rumour. Allowed: listing"),
        (HEADER + "2024-01-10,listing,A\n", "line 2: not four fields"),
        (HEADER + "2024-01-10,listing,A,B,C\n", "line 2: not four fields"),
        (HEADER + "2024-01-10,listing,,B\n", "line 2: 'title' is empty"),
        (HEADER + f"2024-01-10,listing,{'x' * 301},B\n", "'title' is empty or too long"),
        (HEADER + "2024-01-11,listing,A,B\n2024-01-10,listing,A,B\n", "line 3: dates do not ascend"),
        (
            HEADER + "2024-01-10,listing,A,B\n2024-01-10,listing,A,C\n",
            "line 3: the event is there twice, first in line 2",
        ),
        (HEADER + "#" * events.SIZE_LIMIT_BYTES, "too large"),
    ],
)
def test_mistakes_name_the_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load_text(tmp_path, text)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        events.load(tmp_path / "none.csv")
    (tmp_path / "events.csv").write_bytes(HEADER.encode() + b"2024-01-10,listing,\xff\xfe,B\n")
    with pytest.raises(DataError, match="UTF-8"):
        events.load(tmp_path / "events.csv")
