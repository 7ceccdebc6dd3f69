"""Read a document: expand its includes and turn its shortcodes into marks that survive Markdown parsing.

A value must be looked up before pandoc sees the page (a key may stand in code or in a formula) and must be put in
after (its text is inlines, not markup around it). So each shortcode becomes one word between two private-use
characters, and a list of the values goes to the Lua filter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import InputError, PublishError

OPEN, CLOSE = "\ue000", "\ue001"
MAX_SOURCE_BYTES = 2_000_000
MAX_INCLUDE_DEPTH = 5

SHORTCODE = re.compile(r"(?<!\{)\{\{<\s*(.*?)\s*>\}\}(?!\})", re.DOTALL)
ESCAPED = re.compile(r"\{\{\{<(.*?)>\}\}\}", re.DOTALL)
_KEY = re.compile(r"[A-Za-z0-9_.:-]+")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with its shortcodes marked.

    Parameters
    ----------
    text : str
        Markdown with marks in place of shortcodes.
    values : tuple of (str, str)
        ``(key, text)`` of every ``var``, in the order of the marks.
    unknown : tuple of str
        Keys of ``var`` that have no value; the page shows ``?var:key``, as Quarto does.
    """

    text: str
    values: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]

    @property
    def variables_used(self) -> frozenset[str]:
        """Every key the document asks for."""
        return frozenset(key for key, _ in self.values)


def read_text(path: Path) -> str:
    """Read one source file as UTF-8 text, bounded in size and free of the private marks.

    Raises
    ------
    PublishError
        The file is missing, too large, no UTF-8, or already holds the characters used as marks.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PublishError("a document cannot be read", given=path.name, cause=str(error.strerror)) from error
    if len(raw) > MAX_SOURCE_BYTES:
        raise PublishError(
            "a document is too large", given=f"{path.name}: {len(raw)} bytes", limit=f"{MAX_SOURCE_BYTES} bytes"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PublishError("a document is not UTF-8 text", given=path.name, cause=str(error)) from error
    if OPEN in text or CLOSE in text:
        raise PublishError(
            "a document holds a reserved private-use character", given=path.name, limit="no U+E000 or U+E001"
        )
    return text.replace("\r\n", "\n")


def inside(root: Path, name: str) -> Path:
    """Return the file ``name`` below ``root``.

    Raises
    ------
    PublishError
        The name leads out of ``root`` or names no file.
    """
    target = (root / name).resolve()
    if not target.is_relative_to(root.resolve()) or not target.is_file():
        raise PublishError(
            "an included file must lie in the document's folder",
            given=name,
            cause="the file was not built, or the path leads out of the folder",
        )
    return target


def lookup(variables: Mapping[str, Any], key: str) -> str | None:
    """Return the text of a dotted key, or None when there is no such value.

    Raises
    ------
    InputError
        The value is a float: values are formatted once, before they reach a document.
    """
    value: Any = variables
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    if isinstance(value, Mapping | list | tuple) or value is None:
        return None
    if isinstance(value, float):
        raise InputError(
            "a variable reaches the document unformatted",
            given=f"{key} = {value!r}",
            limit="text or whole numbers",
            remedy="format it once where the values are made",
        )
    return str(value)


def expand_includes(text: str, root: Path, *, depth: int = 0) -> str:
    """Put included files in place of their shortcodes, relative to ``root`` at every level."""
    if depth > MAX_INCLUDE_DEPTH:
        raise PublishError(
            "includes are nested too deeply", limit=f"{MAX_INCLUDE_DEPTH} levels", cause="a file includes itself"
        )

    def replace(match: re.Match[str]) -> str:
        words = match.group(1).split()
        if len(words) != 2 or words[0] != "include":
            return match.group(0)
        return expand_includes(read_text(inside(root, words[1])).strip("\n"), root, depth=depth + 1)

    return SHORTCODE.sub(replace, text)


def prepare(document: Path, variables: Mapping[str, Any]) -> Prepared:
    """Read a document with its includes and mark its shortcodes.

    Parameters
    ----------
    document : Path
        The ``.qmd`` file; includes are looked up in its folder.
    variables : mapping
        Nested values of ``{{< var a.b >}}``: text or whole numbers.

    Returns
    -------
    Prepared
        Text, values and unknown keys.

    Raises
    ------
    PublishError
        A shortcode is not part of the dialect, or an include cannot be had.
    """
    text = expand_includes(read_text(document), document.parent)
    values: list[tuple[str, str]] = []
    unknown: list[str] = []

    def mark(match: re.Match[str]) -> str:
        name, *rest = match.group(1).split()
        if name == "pagebreak" and not rest:
            return f"{OPEN}p{CLOSE}"
        if name in ("var", "meta") and len(rest) == 1 and _KEY.fullmatch(rest[0]):
            if name == "meta":
                return f"{OPEN}m{rest[0]}{CLOSE}"
            value = lookup(variables, rest[0])
            if value is None:
                unknown.append(rest[0])
            values.append((rest[0], f"?var:{rest[0]}" if value is None else value))
            return f"{OPEN}v{len(values) - 1}{CLOSE}"
        raise PublishError(
            "a shortcode is not part of the dialect", given=match.group(0), limit="var, meta, include and pagebreak"
        )

    marked = SHORTCODE.sub(mark, text)
    marked = ESCAPED.sub(lambda match: "{{<" + match.group(1) + ">}}", marked)
    return Prepared(marked, tuple(values), tuple(dict.fromkeys(unknown)))
