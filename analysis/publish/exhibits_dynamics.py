"""Placeholder of the exhibits of an area until they are built."""

from __future__ import annotations

from analysis.figures.style import FigureSpec
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.tables.table import TableSpec

FIGURES: tuple[str, ...] = ()


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return no figure yet."""
    return {}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return no table yet."""
    return {}


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return no sentence yet."""
    return {"answer": "The evidence is not built yet."}
