"""A table as data: headers, aligned rows of finished text, caption and id, written in the document dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.errors import InputError

Alignment = Literal["left", "right", "center"]
_RULES = {"left": ":---", "right": "---:", "center": ":---:"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: header text and alignment; `weight` is its relative width where text wraps."""

    header: str
    align: Alignment = "left"
    weight: int = 0


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A finished table; every cell is text that was formatted once.

    Raises
    ------
    InputError
        If a row has another number of cells than there are columns.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise InputError(
                    f"table {self.name!r} has a row of {len(row)} cells",
                    limit=f"{len(self.columns)} columns",
                    given=row,
                )

    def markdown(self) -> str:
        """Return a pipe table with caption and reference id."""
        lines = [
            _line(column.header for column in self.columns),
            "|" + "|".join(_rule(column) for column in self.columns) + "|",
            *(_line(row) for row in self.rows),
            "",
            f": {self.caption} {{#tbl-{self.name}}}",
        ]
        return "\n".join(lines) + "\n"


def _rule(column: Column) -> str:
    """Return the rule below a header; its length is the relative width a wrapping table gives the column."""
    rule = _RULES[column.align]
    return rule if not column.weight else rule.replace("---", "-" * max(3, column.weight))


def _line(cells: object) -> str:
    return "| " + " | ".join(_escape(str(cell)) for cell in cells) + " |"  # type: ignore[attr-defined]


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
