"""Read back what a Typst-made PDF shows: its text page by page, and whether it is tagged.

Only what the gate needs, for files from our own compiler (plain objects, two-byte glyph ids, a ToUnicode map per font).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import PublishError

MAX_PDF_BYTES = 100_000_000

_OBJECT = re.compile(rb"(\d+) 0 obj\s")
_LENGTH = re.compile(rb"/Length (\d+)")
_REFERENCE = re.compile(rb"/(\w+) (\d+) 0 R")
_TOKEN = re.compile(rb"<<|>>|<([0-9A-Fa-f]*)>|(\()|/(\w+) [\d.]+ Tf|\b(BT)\b")
_IN_STRING = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_CHAR = re.compile(rb"<([0-9A-F]+)> <([0-9A-F]+)>\s*\n", re.IGNORECASE)
_RANGE = re.compile(rb"<([0-9A-F]+)> <([0-9A-F]+)> <([0-9A-F]+)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """What a PDF says.

    Parameters
    ----------
    pages : tuple of str
        Text of each page in reading order of the content stream; spacing is not kept exactly.
    tagged : bool
        It has a structure tree and is marked.
    accessible : bool
        Its metadata claim PDF/UA part 1.
    language : str
        Language of the document, "" when none.
    """

    pages: tuple[str, ...]
    tagged: bool
    accessible: bool
    language: str


def _objects(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield number, dictionary and (unpacked) stream of every object."""
    position = 0
    while match := _OBJECT.search(data, position):
        start = match.end()
        end = data.find(b"endobj", start)
        stream = data.find(b"stream\n", start, end)
        if end < 0:
            return
        if stream < 0:
            yield int(match.group(1)), data[start:end], b""
            position = end
            continue
        head = data[start:stream]
        length = _LENGTH.search(head)
        size = int(length.group(1)) if length else end - stream
        body = data[stream + 7 : stream + 7 + size]
        yield int(match.group(1)), head, zlib.decompress(body) if b"/FlateDecode" in head else body
        position = stream + 7 + size


def _glyphs(cmap: bytes) -> dict[int, str]:
    """Return the text of each glyph id from a ToUnicode map."""
    found: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, text in _CHAR.findall(block):
            found[int(code, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be", "replace")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in _RANGE.findall(block):
            base = int(text, 16)
            for offset in range(int(last, 16) - int(first, 16) + 1):
                found[int(first, 16) + offset] = chr(base + offset)
    return found


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    return bytes([int(code, 8) & 255]) if code[:1].isdigit() else _NAMED.get(code, code)


def _string_end(content: bytes, start: int) -> int:
    """Return where a string ends whose first character is at ``start``; balanced brackets need no escape."""
    depth = 1
    for match in _IN_STRING.finditer(content, start):
        depth += {b"(": 1, b")": -1}.get(match.group(0), 0)
        if depth == 0:
            return match.start()
    return len(content)


def _page_text(content: bytes, fonts: Mapping[bytes, Mapping[int, str]]) -> str:
    """Return what the content stream shows; strings inside dictionaries are properties, not text."""
    out: list[str] = []
    font: Mapping[int, str] = {}
    position, depth = 0, 0
    while match := _TOKEN.search(content, position):
        position = match.end()
        hexadecimal, string, name, begin = match.groups()
        if string:
            end = _string_end(content, position)
            raw = _ESCAPE.sub(_unescape, content[position:end])
            position = end + 1
        elif hexadecimal is not None:
            raw = bytes.fromhex(hexadecimal.decode())
        else:
            depth += {b"<<": 1, b">>": -1}.get(match.group(0), 0)
            font = fonts.get(name, {}) if name else font
            out += ["\n"] if begin else []
            continue
        if depth == 0:
            out.extend(font.get(raw[index] << 8 | raw[index + 1], "") for index in range(0, len(raw) - 1, 2))
    return "".join(out)


def read(path: Path) -> PdfFacts:
    """Read a PDF made by our compiler.

    Raises
    ------
    PublishError
        The file is no PDF, is too large, or its streams are damaged.
    """
    data = path.read_bytes()
    if not data.startswith(b"%PDF-") or len(data) > MAX_PDF_BYTES:
        raise PublishError("a PDF cannot be read", given=path.name, limit=f"a PDF below {MAX_PDF_BYTES} bytes")
    try:
        objects = {number: (head, stream) for number, head, stream in _objects(data)}
    except zlib.error as error:
        raise PublishError("a PDF is damaged", given=path.name, cause=str(error)) from error
    catalogue = next((head for head, _ in objects.values() if b"/Type/Catalog" in head), b"")
    root = re.search(rb"/Pages (\d+) 0 R", catalogue)
    order = _page_order(objects, int(root.group(1))) if root else ()
    pages = tuple(_read_page(objects, number) for number in order)
    language = re.search(rb"/Lang\(([^)]*)\)", catalogue)
    return PdfFacts(
        pages=pages,
        tagged=b"/StructTreeRoot" in catalogue and b"/Marked true" in catalogue,
        accessible=any(b"<pdfuaid:part>1<" in stream for _, stream in objects.values()),
        language=language.group(1).decode("latin-1") if language else "",
    )


def _page_order(objects: Mapping[int, tuple[bytes, bytes]], number: int) -> Iterator[int]:
    """Yield the numbers of the page objects, through every level of the page tree."""
    head = objects.get(number, (b"", b""))[0]
    if not re.search(rb"/Type\s*/Pages\b", head):
        yield number
        return
    kids = re.search(rb"/Kids\s*\[([^\]]*)\]", head)
    for child in re.findall(rb"(\d+) 0 R", kids.group(1)) if kids else ():
        yield from _page_order(objects, int(child))


def _read_page(objects: Mapping[int, tuple[bytes, bytes]], number: int) -> str:
    parts = dict(_REFERENCE.findall(objects[number][0]))
    resources = objects.get(int(parts.get(b"Resources", b"-1")), (b"", b""))[0]
    block = re.search(rb"/Font<<(.*?)>>", resources, re.DOTALL)
    fonts: dict[bytes, dict[int, str]] = {}
    for name, target in re.findall(rb"/(\w+) (\d+) 0 R", block.group(1) if block else b""):
        cmap = re.search(rb"/ToUnicode (\d+) 0 R", objects[int(target)][0])
        fonts[name] = _glyphs(objects[int(cmap.group(1))][1]) if cmap else {}
    return _page_text(objects.get(int(parts.get(b"Contents", b"-1")), (b"", b""))[1], fonts)
