"""Find the cited numbers of a note: Markdown spans with a ``cite`` attribute, and the version the note rests on."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.errors import InputError
from analysis.publish.identity import is_version

_FRONT: Final = re.compile(r"\ufeff?---[ \t]*\r?\n(?P<body>(?:.*\n)*?)(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)")
_KEY: Final = re.compile(r"""(?m)^bellwether[ \t]*:[ \t]*(["']?)(?P<value>[^"'#\r\n]*?)\1[ \t]*(?:#.*)?\r?$""")
_FENCE: Final = re.compile(r"[ \t>]*(?P<mark>`{3,}|~{3,})(?P<info>[^\r\n]*)")
_CONTAINER: Final = re.compile(r"[ \t>]*(?:[-*+:~]|\(?(?:\d{1,9}|[A-Za-z]|#|@[\w-]*)[.)]|\[\^[^\]]+\]:)[ \t]")
_TOKEN: Final = re.compile(
    r"""\s*(?:\#[^\s{}"'=]+|\.[^\s{}"'=]+|-|(?P<key>[A-Za-z_][\w:.-]*)=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s{}"'=]+)))(?=\s|\Z)"""
)
_DETACHED: Final = re.compile(r"""\][ \t\r\n]+\{[^{}\n]{0,200}\bcite[ \t]*=""")
_LONGEST_ATTRIBUTES: Final = 1000


@dataclass(frozen=True, slots=True)
class Span:
    """One cited number: where its text stands in the note, what it says and which result it cites."""

    start: int
    end: int
    text: str
    address: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note: the version it rests on, its cited numbers, and what looks like one but is none."""

    version: str
    spans: tuple[Span, ...]
    problems: tuple[str, ...]


def parse(text: str) -> Note:
    """Return the version and the cited numbers of a Markdown or Quarto note.

    Code blocks, inline code, comments and escaped brackets are left out; tables, nested brackets, links with
    attributes and attributes over several lines are read.

    Raises
    ------
    InputError
        The front matter names no single valid version, or two cited spans are nested.
    """
    version, offset = _front_matter(text)
    places = _Places(text)
    hidden = _hidden(text, offset)
    spans: list[Span] = []
    problems: list[str] = []
    for start, end, attributes in _bracketed(text, offset, hidden):
        address = _cite_attribute(attributes)
        line, column = places.of(start)
        if address is None:
            if re.search(r"\bcite\s*=", attributes):
                problems.append(f"line {line}: the attributes cannot be read: {{{attributes.strip()}}}")
            continue
        if spans and spans[-1].start >= start:
            raise InputError("two cited numbers are nested", given=f"line {line}", remedy="cite each number on its own")
        spans.append(Span(start, end, text[start:end], address, line, column))
    for match in _DETACHED.finditer(text, offset):
        if not hidden[match.start()]:
            line = places.of(match.start())[0]
            problems.append(f"line {line}: no space may stand between the bracket and its attributes")
    return Note(version, tuple(spans), tuple(problems))


class _Places:
    """Line and column of an offset, both counted from 1."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(match.end() for match in re.finditer(r"\n", text))]

    def of(self, offset: int) -> tuple[int, int]:
        row = bisect.bisect_right(self.starts, offset) - 1
        return row + 1, offset - self.starts[row] + 1


def _front_matter(text: str) -> tuple[str, int]:
    """Return the version and where the body starts; only the one key is read, so no YAML can do anything."""
    front = _FRONT.match(text)
    found = [match["value"].strip() for match in _KEY.finditer(front["body"])] if front else []
    if len(found) != 1 or front is None:
        raise InputError(
            "the note does not say which version its numbers come from",
            given=f"{len(found)} lines `bellwether: ...` in the front matter",
            limit="exactly one",
            remedy="start the note with a line `---`, a line `bellwether: <version>` and a line `---`",
        )
    if not is_version(found[0]):
        raise InputError(
            "the note names something that is not a version",
            given=repr(found[0]),
            limit="an id such as 2026-08-21-1a2b3c4d-5e6f7a8b",
            cause="`latest` moves on, so a note cannot rest on it" if found[0] == "latest" else None,
        )
    return found[0], front.end()


def _hidden(text: str, offset: int) -> bytearray:
    """Return a mask with 1 where a character is code, comment or an escaped character."""
    mask = bytearray(len(text))
    mask[:offset] = b"\1" * offset
    _hide_blocks(text, offset, mask)
    _hide_inline(text, offset, mask)
    return mask


def _hide_blocks(text: str, offset: int, mask: bytearray) -> None:
    """Hide fenced and indented code blocks; an unclosed fence is no fence."""
    lines = list(_lines(text, offset))
    closings: dict[str, list[tuple[int, int]]] = {"`": [], "~": []}
    for row, (start, end) in enumerate(lines):
        fence = _FENCE.match(text, start, end)
        if fence and not fence["info"].strip():
            closings[fence["mark"][0]].append((row, len(fence["mark"])))
    row, blank, contained, code = 0, True, False, False
    unclosed = {"`": 1 << 30, "~": 1 << 30}  # a fence at least this long has no end below: keeps the search linear
    while row < len(lines):
        start, end = lines[row]
        line = text[start:end]
        fence = _FENCE.match(text, start, end)
        if fence and not (fence["mark"][0] == "`" and "`" in fence["info"]):
            mark = fence["mark"]
            last = _closing_row(closings[mark[0]], row, len(mark)) if len(mark) < unclosed[mark[0]] else None
            unclosed[mark[0]] = len(mark) if last is None else unclosed[mark[0]]
            if last is not None:
                mask[start : lines[last][1]] = b"\1" * (lines[last][1] - start)
                row, blank, code = last + 1, False, False
                continue
        if not line.strip():
            blank = True
        else:
            indented = line.startswith(("    ", "\t"))
            contained = bool(_CONTAINER.match(line)) and not code if not indented else contained
            code = indented and not contained and (blank or code)
            if code:
                mask[start:end] = b"\1" * (end - start)
            blank = False
        row += 1


def _closing_row(candidates: list[tuple[int, int]], row: int, length: int) -> int | None:
    begin = bisect.bisect_right(candidates, (row, 1 << 30))
    return next((place for place, size in candidates[begin:] if size >= length), None)


def _lines(text: str, offset: int) -> Iterator[tuple[int, int]]:
    while offset < len(text):
        end = text.find("\n", offset)
        end = len(text) if end < 0 else end + 1
        yield offset, end
        offset = end


def _hide_inline(text: str, offset: int, mask: bytearray) -> None:
    """Hide inline code, comments and escaped characters outside code blocks."""
    runs: dict[int, list[int]] = {}
    for match in re.finditer(r"`+", text):
        runs.setdefault(len(match[0]), []).append(match.start())
    paragraphs = [match.start() for match in re.finditer(r"\n[ \t]*\r?\n", text)] + [len(text)]
    last_comment = text.rfind("-->")
    for match in re.finditer(r"\\[^\s\w]|`+|<!--", text[offset:]):
        start, token = offset + match.start(), match[0]
        if mask[start]:
            continue
        end = start + len(token)
        if token[0] == "`":
            same = runs.get(len(token), [])
            following = bisect.bisect_left(same, end)
            limit = paragraphs[bisect.bisect_left(paragraphs, start)]
            if following == len(same) or same[following] >= limit:
                continue
            end = same[following] + len(token)
        elif token[0] == "<":
            closing = text.find("-->", end) if end <= last_comment else -1
            if closing < 0:
                continue
            end = closing + 3
        mask[start:end] = b"\1" * (end - start)


def _bracketed(text: str, offset: int, hidden: bytearray) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and attributes of every bracketed text that attributes follow, in order of its end."""
    open_brackets: list[int] = []
    for match in re.finditer(r"[\[\]]|\n[ \t]*\r?(?=\n)", text[offset:]):
        place = offset + match.start()
        if hidden[place]:
            continue
        if match[0][0] == "\n":
            open_brackets.clear()
        elif match[0] == "[":
            open_brackets.append(place + 1)
        elif open_brackets:
            start = open_brackets.pop()
            brace = _after_link(text, place + 1)
            attributes = _attributes(text, brace)
            if attributes is not None and not hidden[brace]:
                yield start, place, attributes


def _after_link(text: str, place: int) -> int:
    """Return where the attributes of a bracketed text would start: behind the target if it is a link."""
    if text[place : place + 1] != "(":
        return place
    closing = re.compile(r"\([^()\s]{0,500}\)").match(text, place)
    return closing.end() if closing else place


def _attributes(text: str, brace: int) -> str | None:
    """Return what stands between a brace and its partner, quotes respected; None when it is not closed."""
    if text[brace : brace + 1] != "{":
        return None
    quote = ""
    for place in range(brace + 1, min(len(text), brace + _LONGEST_ATTRIBUTES)):
        letter = text[place]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "{}":
            return text[brace + 1 : place] if letter == "}" else None
    return None


def _cite_attribute(attributes: str) -> str | None:
    """Return the one ``cite`` value of an attribute list; None when there is none or the list is malformed."""
    found, place = [], 0
    stripped = attributes.rstrip()
    while place < len(stripped):
        token = _TOKEN.match(stripped, place)
        if token is None:
            return None
        if token["key"] == "cite":
            found.append(token["double"] or token["single"] or token["bare"] or "")
        place = token.end()
    return found[0].strip() if len(found) == 1 else None
