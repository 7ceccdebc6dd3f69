"""The embedded renderer: pandoc with our filters, for machines without Quarto."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.publish import pandoc, typst
from analysis.publish.markup import finish
from analysis.publish.source import Prepared, prepare
from analysis.publish.stage import FOLDER

NAME = "embedded"


def version() -> str:
    """Return what the stamp says of this renderer."""
    return f"pandoc {pandoc.version()}"


def _flag(meta: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = meta.get(name)
    return bool(value["c"]) if isinstance(value, dict) and value.get("t") == "MetaBool" else default


def _arguments(target: str, folder: Path, meta: Mapping[str, Any]) -> list[str]:
    arguments = [
        "--from=json",
        f"--to={target}",
        "--wrap=none",
        f"--lua-filter={folder / FOLDER / 'embedded.lua'}",
        "--citeproc",
        f"--lua-filter={folder / FOLDER / 'shared.lua'}",
        "--standalone",
        f"--template={folder / FOLDER / ('page.html' if target == 'html5' else 'page.typ')}",
    ]
    if _flag(meta, "toc", default=False):
        depth = pandoc.plain(meta.get("toc-depth")) or "2"
        arguments += ["--toc", f"--toc-depth={int(depth) + (target == 'html5')}"]
    if target == "html5":
        return [*arguments, "--mathml", "--embed-resources"]
    return [*arguments, "--shift-heading-level-by=-1", "--number-sections"]


class Embedded:
    """One document on its way to HTML and Typst.

    Parameters
    ----------
    document : Path
        The document in its staged folder.
    variables : mapping
        Nested values.
    """

    def __init__(self, document: Path, variables: Mapping[str, Any]) -> None:
        self.folder = document.parent
        self.stem = document.stem
        self.prepared: Prepared = prepare(document, variables)
        project = self.folder / "_quarto.yml"
        metadata = [project] if project.is_file() else []
        self.tree, self.warnings = pandoc.syntax_tree(self.prepared.text, folder=self.folder, metadata=metadata)
        self.tree["meta"].setdefault("link-citations", {"t": "MetaBool", "c": True})

    def _convert(self, target: str) -> tuple[str, tuple[str, ...]]:
        values = [{"text": text} for _, text in self.prepared.values]
        return pandoc.run(
            _arguments(target, self.folder, self.tree["meta"]),
            json.dumps(self.tree),
            folder=self.folder,
            environment={"BELLWETHER_VALUES": json.dumps(values)},
        )

    def html(self) -> tuple[bytes, Sequence[str]]:
        """Return the HTML page and the warnings met on the way."""
        text, warnings = self._convert("html5")
        return finish(text).encode(), warnings

    def pdf(self, timestamp: int) -> tuple[bytes, Sequence[str]]:
        """Return the PDF and the warnings met on the way."""
        source, warnings = self._convert("typst")
        pdf, more = typst.compile_pdf(source, folder=self.folder, name=f"{self.stem}.typ", timestamp=timestamp)
        return pdf, (*warnings, *more)
