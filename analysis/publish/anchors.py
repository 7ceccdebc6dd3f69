"""Mark a piece of a page as the place where a result stands, so that it can be cited there."""

from __future__ import annotations

from analysis.publish.cite import anchor
from analysis.study.entry import Entry


def marked(entry: Entry, text: str) -> str:
    """Return text in the document dialect that carries the anchor of a result."""
    return f"[{text}]{{#{anchor(entry.id)}}}"
