"""The chapters of the areas: figures, tables and sentences of each, and what stands there when an area is left out."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Final

from analysis.figures.style import FigureSpec
from analysis.publish.chapters import (
    clock,
    dynamics,
    events,
    forecast,
    monitor,
    smallcaps,
    spillover,
    stability,
    switching,
    tails,
)
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.tables.table import TableSpec

# Each module has FIGURES (names), figures(ledger, inputs), tables(ledger, inputs) and sentences(ledger, inputs).
CHAPTERS: Final[dict[str, ModuleType]] = {
    "clock": clock,
    "events": events,
    "dynamics": dynamics,
    "switching": switching,
    "stability": stability,
    "spillover": spillover,
    "tails": tails,
    "smallcaps": smallcaps,
    "forecast": forecast,
    "monitor": monitor,
}
LEFT_OUT: Final = "This study leaves this question out."


def source(name: str) -> str:
    """Return the file name of a chapter's text."""
    return f"_{name}.qmd"


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the figures of all chosen chapters whose data exist."""
    return {name: figure for module in _chosen(inputs) for name, figure in module.figures(ledger, inputs).items()}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return the tables of all chosen chapters."""
    return {name: table for module in _chosen(inputs) for name, table in module.tables(ledger, inputs).items()}


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, dict[str, str]]:
    """Return the sentences of all chosen chapters, by chapter."""
    return {name: module.sentences(ledger, inputs) for name, module in CHAPTERS.items() if name in inputs.config.areas}


def figure_names() -> list[str]:
    """Return every figure a document may refer to, drawn or not; the claims show some of left-out chapters too."""
    return [name for module in CHAPTERS.values() for name in module.FIGURES]


def left_out(inputs: Inputs) -> list[str]:
    """Return the chapters this study does not ask for."""
    return [name for name in CHAPTERS if name not in inputs.config.areas]


def _chosen(inputs: Inputs) -> Iterator[ModuleType]:
    return (module for name, module in CHAPTERS.items() if name in inputs.config.areas)
