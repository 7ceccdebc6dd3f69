"""Compile Typst to a tagged PDF whose bytes depend on nothing but its inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typst

from analysis.errors import PublishError
from analysis.publish.stage import FOLDER, typst_string

PDF_STANDARD: Final = "ua-1"

_IMAGE = re.compile(r"\bimage\(\"((?:[^\"\\]|\\.)*)\"((?:[^()\"]|\"(?:[^\"\\]|\\.)*\")*)\)")
_TABLE = re.compile(r"#table\(\s*columns: (\d+),")


def images_with_alt(tree: Any) -> dict[str, str]:
    """Return the alt text of every image in a pandoc JSON tree, by path; an image shown twice keeps its first text."""
    found: dict[str, str] = {}
    nodes = [tree]
    while nodes:
        node = nodes.pop(0)
        if isinstance(node, dict):
            if node.get("t") == "Image":
                (_, _, pairs), _, (path, _) = node["c"]
                attributes = dict(pairs)
                alt = attributes.get("fig-alt") or attributes.get("alt")
                if alt:
                    found.setdefault(path, alt)
            nodes = list(node.values()) + nodes
        elif isinstance(node, list):
            nodes = list(node) + nodes
    return found


def ensure_alt(source: str, alts: Mapping[str, str]) -> str:
    """Give every ``image(…)`` call of a Typst text its alt text when it has none.

    Parameters
    ----------
    source : str
        Typst text.
    alts : mapping of str to str
        Alt text by image path.

    Returns
    -------
    str
        The text with ``alt:`` added; an image without a known text is left, and the compiler then refuses it.
    """

    def add(match: re.Match[str]) -> str:
        path, rest = match.group(1), match.group(2)
        if "alt:" in rest or path not in alts:
            return match.group(0)
        return f'image("{path}", alt: {typst_string(alts[path])}{rest})'

    return _IMAGE.sub(add, source)


def stretch_tables(source: str) -> str:
    """Let the page template lay out every table that declares no column widths of its own."""
    return _TABLE.sub("#bw-table(columns: \\1,", source)


def compile_pdf(source: str, *, folder: Path, name: str, timestamp: int) -> tuple[bytes, tuple[str, ...]]:
    """Compile a Typst text in a staged folder.

    Parameters
    ----------
    source : str
        Typst text.
    folder : Path
        Staged folder: the only place files are read from.
    name : str
        Name of the Typst file written there.
    timestamp : int
        Seconds since 1970 shown as the PDF's date.

    Returns
    -------
    tuple of (bytes, tuple of str)
        The PDF (PDF/UA-1, tagged) and the compiler's warnings.

    Raises
    ------
    PublishError
        The text does not compile, or the result would not be accessible.
    """
    path = folder / name
    path.write_text(stretch_tables(source), encoding="utf-8")
    try:
        pdf, warnings = typst.compile_with_warnings(
            str(path),
            root=str(folder),
            font_paths=[str(folder / FOLDER / "fonts")],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=[PDF_STANDARD],
            timestamp=timestamp,
            package_path=str(folder / FOLDER / "packages"),
            package_cache_path=str(folder / FOLDER / "packages"),
        )
    except typst.TypstError as error:
        hints = "; ".join(str(hint) for hint in getattr(error, "hints", ()) or ())
        raise PublishError(
            "the PDF could not be made",
            given=_shorten(str(getattr(error, "message", error))),
            cause=hints or None,
            remedy="see that every figure has alt text and that the document keeps to the dialect",
        ) from error
    return pdf, tuple(_shorten(str(getattr(item, "message", item))) for item in warnings)


def _shorten(text: str) -> str:
    return text if len(text) <= 400 else text[:400] + "…"
