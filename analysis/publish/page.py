"""Read an HTML page into the facts the gate judges: ids, links, images, tables, loaded addresses, text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
_LOADING = {
    "img": ("src", "srcset"),
    "script": ("src",),
    "link": ("href",),
    "iframe": ("src",),
    "object": ("data",),
    "embed": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
    "input": ("src",),
    "base": ("href",),
}
_STYLE_LOAD = re.compile(r"url\(\s*['\"]?(?!data:|#)([^)'\"]+)|@import\s+['\"]([^'\"]+)", re.IGNORECASE)


def _style_loads(style: str) -> list[str]:
    return [first or second for first, second in _STYLE_LOAD.findall(style)]


@dataclass(slots=True)
class Float:
    """A figure or a table, and whether a caption was seen in it."""

    name: str
    captioned: bool = False


@dataclass(slots=True)
class Page:
    """Facts of one HTML page; see the field names."""

    title: str = ""
    language: str = ""
    ids: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    images_without_alt: list[str] = field(default_factory=list)
    floats: list[Float] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    cited: set[str] = field(default_factory=set)
    banners: list[str] = field(default_factory=list)
    stamp: str = ""
    provenance: str = ""
    text: str = ""
    attributes_text: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.pieces: list[str] = []
        self.open: list[tuple[str, dict[str, str], int, Float | None]] = []
        self.code: list[str] = []
        self.skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._note(tag, attributes)
        made = None
        if tag in ("figure", "table"):
            made = Float(attributes.get("id") or tag)
            self.page.floats.append(made)
        if tag in ("figcaption", "caption"):
            kind = "figure" if tag == "figcaption" else "table"
            for name, _, _, owner in reversed(self.open):
                if name == kind and owner:
                    owner.captioned = True
                    break
        if tag not in VOID:
            self.open.append((tag, attributes, len(self.pieces), made))
            self.skipping += tag in ("script", "style")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.pieces.append(data)
        elif self.open:
            self.code.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in [entry[0] for entry in self.open]:
            return
        while self.open:
            name, attributes, start, _ = self.open.pop()
            self.skipping -= name in ("script", "style")
            self._code(name)
            self._closed(name, attributes, " ".join("".join(self.pieces[start:]).split()))
            if name == tag:
                return

    def _code(self, tag: str) -> None:
        """Read what a style or a script just closed would load."""
        if tag == "style":
            self.page.loads += _style_loads("".join(self.code))
        if tag == "script":
            self.page.scripts.append("".join(self.code))
        if tag in ("script", "style"):
            self.code.clear()

    def _note(self, tag: str, attributes: dict[str, str]) -> None:
        page = self.page
        if attributes.get("id"):
            page.ids[attributes["id"]] += 1
        if tag == "html":
            page.language = attributes.get("lang", "")
        if tag == "a" and attributes.get("href"):
            page.links.append(attributes["href"])
        if tag == "img" and not attributes.get("alt", "").strip():
            page.images_without_alt.append(attributes.get("id") or attributes.get("src", "")[:60] or "img")
        named = attributes.get("aria-label") or attributes.get("aria-labelledby")
        if tag == "svg" and not (named or attributes.get("aria-hidden") == "true"):
            page.images_without_alt.append(attributes.get("id") or "svg")
        if re.fullmatch(r"h[1-6]", tag):
            page.headings.append(int(tag[1]))
        page.loads += [
            attributes[name]
            for name in _LOADING.get(tag, ())
            if attributes.get(name) and not attributes[name].startswith(("data:", "#"))
        ]
        page.loads += _style_loads(attributes.get("style", ""))
        page.cited.update(attributes.get("data-cites", "").split())
        page.attributes_text += [attributes[name] for name in ("alt", "aria-label", "title") if name in attributes]

    def _closed(self, tag: str, attributes: dict[str, str], text: str) -> None:
        page, classes = self.page, attributes.get("class", "").split()
        if tag in ("td", "th"):
            page.cells.append(text)
        if tag == "title" and not page.title and not any(name == "svg" for name, *_ in self.open):
            page.title = text
        if "banner" in classes:
            page.banners.append(text)
        if "stamp" in classes:
            page.stamp = text
        if "provenance" in classes:
            page.provenance = text


def read(text: str) -> Page:
    """Return the facts of an HTML page."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    while reader.open:
        reader.handle_endtag(reader.open[-1][0])
    reader.page.text = "".join(reader.pieces)
    return reader.page
