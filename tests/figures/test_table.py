"""Tables as data: written in the dialect, escaped, and refused when a row does not fit."""

from __future__ import annotations

import pytest

from analysis.errors import InputError
from analysis.tables.table import Column, TableSpec


def test_markdown_has_header_alignment_rows_caption_and_id() -> None:
    columns = (Column("Asset", weight=6), Column("p", "right"), Column("Note", "center"))
    text = TableSpec("lead", columns, (("Bitcoin", "0.04", "a|b"),), "Leads.").markdown()
    assert text.splitlines() == [
        "| Asset | p | Note |",
        "|:------|---:|:---:|",
        "| Bitcoin | 0.04 | a\\|b |",
        "",
        ": Leads. {#tbl-lead}",
    ]


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(InputError, match="row of 1 cells"):
        TableSpec("x", (Column("a"), Column("b")), (("1",),), "c")
