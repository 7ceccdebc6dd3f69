"""The gate: a finished page that breaks a rule never leaves the build."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from analysis.errors import GateError, PublishError
from analysis.publish import page as html_page
from analysis.publish import pandoc, pdftext
from analysis.publish.findings import Finding
from analysis.publish.page import Page
from analysis.publish.render import RenderedDocument
from analysis.publish.source import expand_includes, read_text
from analysis.publish.stamp import Stamp

MAX_HTML_BYTES = 5_000_000

_LEFTOVER = re.compile(r"\?(?:var|meta|quarto):[\w.]+|\?@[\w-]*|\?\?|\{\{<.*?>\}\}|\{\{<|>\}\}|[\ue000\ue001]")
_BAD_CELL = re.compile(r"(?<![\w.])(?:nan|[-−+]?inf|nat|<na>)(?![\w.])", re.IGNORECASE)
_BAD_NAME = re.compile(r"(?<![\w.])(?:None|NULL|null)(?![\w.])")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_REFERENCE = re.compile(r"(?:fig|tbl|eq|sec)-")
_REACHES_OUT = re.compile(r"https?:|//\w|\b(?:fetch|import|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\b")
_BIB_KEY = re.compile(r"^\s*@(?!comment|string|preamble)\w+\s*\{\s*([^,\s}]+)\s*,", re.IGNORECASE | re.MULTILINE)


def bibliography_keys(path: Path) -> tuple[str, ...]:
    """Return the citation keys of a BibTeX file, in order.

    Raises
    ------
    PublishError
        The file cannot be read.
    """
    try:
        return tuple(_BIB_KEY.findall(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise PublishError("the bibliography cannot be read", given=path.name, cause=str(error)) from error


def keys_in(source: Path) -> frozenset[str]:
    """Return the citation keys of a document's source and of everything it includes; no cross-references.

    Raises
    ------
    PublishError
        The document or an include cannot be read.
    """
    tree, _ = pandoc.syntax_tree(expand_includes(read_text(source), source.parent), folder=source.parent)
    return frozenset(key for key in _citations(tree) if not _REFERENCE.match(key))


def unused_citations(sources: Sequence[Path], bibliography: Path) -> tuple[Finding, ...]:
    """Return a finding for every key of the bibliography that no document cites."""
    cited = frozenset[str]().union(*(keys_in(source) for source in sources))
    unused = sorted(set(bibliography_keys(bibliography)).difference(cited))
    return tuple(Finding("unused-citation", bibliography.name, f"no document cites {key}") for key in unused)


def check(document: RenderedDocument, source: Path, *, bibliography: Path) -> tuple[Finding, ...]:
    """Judge one rendered document.

    Parameters
    ----------
    document : RenderedDocument
        What the renderer wrote and reported; a format that was not asked for is not judged.
    source : Path
        The document it came from, with its includes beside it.
    bibliography : Path
        BibTeX file; every citation must be in it.

    Returns
    -------
    tuple of Finding
        Everything wrong, sorted; empty when the document may be published.

    Raises
    ------
    PublishError
        A file that should be there cannot be read.
    """
    found = [Finding("renderer-warning", source.name, text) for text in document.warnings]
    found += [Finding("unknown-var", source.name, f"there is no value for {key}") for key in document.variables_unknown]
    cited = keys_in(source)
    if document.html is not None:
        facts = _read_html(document.html)
        found += _check_html(document.html, facts, document.stamp)
        cited |= facts.cited
    found += _check_citations(source.name, cited, bibliography)
    if document.pdf is not None:
        found += _check_pdf(document.pdf, document.stamp)
    return tuple(sorted(set(found)))


def enforce(document: RenderedDocument, source: Path, *, bibliography: Path) -> None:
    """Refuse a document that breaks a rule; parameters as in `check`.

    Raises
    ------
    GateError
        There is at least one finding; the message lists them all.
    """
    findings = check(document, source, bibliography=bibliography)
    if findings:
        raise GateError(
            f"{document.name}: {len(findings)} finding(s) against the rules for published documents",
            given="".join(f"\n  {finding}" for finding in findings) + "\n",
            remedy="correct the document or what it includes, then build again",
        )


def _citations(node: Any) -> Iterator[str]:
    """Yield the keys of every citation in a pandoc JSON tree."""
    if isinstance(node, dict):
        if node.get("t") == "Cite":
            yield from (item["citationId"] for item in node["c"][0])
        yield from _citations(list(node.values()))
    elif isinstance(node, list):
        for item in node:
            yield from _citations(item)


def _read_html(path: Path) -> Page:
    try:
        return html_page.read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PublishError("a rendered page cannot be read", given=path.name, cause=str(error)) from error


def _check_html(path: Path, facts: Page, stamp: Stamp) -> Iterator[Finding]:
    name, size = path.name, path.stat().st_size
    if size > MAX_HTML_BYTES:
        yield Finding("too-large", name, f"the page has {size} bytes; {MAX_HTML_BYTES} are allowed")
    if not facts.title or not facts.language:
        yield Finding("missing-title", name, "the page needs a title and a language")
    yield from _leftovers(name, [facts.text, *facts.attributes_text])
    yield from _check_content(name, facts)
    yield from _check_loads(name, facts)
    yield from _check_links(name, facts, path.parent)
    if stamp.version not in facts.stamp or stamp.version not in facts.provenance:
        yield Finding("missing-stamp", name, f"the head and the foot of the page must show version {stamp.version}")
    for banner in stamp.banners:
        if facts.banners.count(banner) < 2:
            yield Finding("missing-banner", name, f"the head and the foot of the page must say: {banner}")


def _check_loads(name: str, facts: Page) -> Iterator[Finding]:
    for address in facts.loads:
        yield Finding("external-load", name, f"the page loads {address[:100]}")
    for script in facts.scripts:
        if _REACHES_OUT.search(script):
            yield Finding("external-load", name, f"a script may load something: {' '.join(script.split())[:100]}")


def _check_content(name: str, facts: Page) -> Iterator[Finding]:
    for image in facts.images_without_alt:
        yield Finding("missing-alt", name, f"an image has no alt text: {image}")
    for item in facts.floats:
        if not item.captioned:
            yield Finding("missing-caption", name, f"a figure or table has no caption: {item.name}")
    for cell in facts.cells:
        if _BAD_CELL.search(cell) or _BAD_NAME.search(cell):
            yield Finding("bad-cell", name, f"a table shows {cell!r} instead of a value or a reason")
    for identifier, count in facts.ids.items():
        if count > 1:
            yield Finding("duplicate-id", name, f"the id {identifier} stands {count} times")
    if facts.headings.count(1) != 1:
        yield Finding(
            "heading-order", name, f"the page has {facts.headings.count(1)} headings of level 1; one is needed"
        )
    for above, below in zip(facts.headings, facts.headings[1:], strict=False):
        if below > above + 1:
            yield Finding("heading-order", name, f"a heading of level {below} follows one of level {above}")


def _check_links(name: str, facts: Page, folder: Path) -> Iterator[Finding]:
    for link in facts.links:
        if link.startswith("#"):
            if unquote(link[1:]) not in facts.ids:
                yield Finding("dead-link", name, f"a link leads to {link}, which is not on the page")
        elif _SCHEME.match(link) or link.startswith("//"):
            if not link.startswith(("https:", "http:", "mailto:")):
                yield Finding("dead-link", name, f"a link has an address of another kind: {link[:100]}")
        else:
            target = (folder / unquote(link.split("#")[0])).resolve()
            if not target.is_relative_to(folder.resolve()) or not target.is_file():
                yield Finding("dead-link", name, f"a link leads to {link}, which is not in the version")


def _check_citations(name: str, cited: Collection[str], bibliography: Path) -> Iterator[Finding]:
    keys = bibliography_keys(bibliography)
    for key in sorted(set(cited).difference(keys)):
        yield Finding("unknown-citation", name, f"{key} is cited but not in {bibliography.name}")
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield Finding("duplicate-citation", bibliography.name, f"{key} stands more than once")


def _check_pdf(path: Path, stamp: Stamp) -> Iterator[Finding]:
    name = path.name
    facts = pdftext.read(path)
    if not facts.pages:
        yield Finding("no-pages", name, "the PDF has no pages")
    if not (facts.tagged and facts.accessible and facts.language):
        yield Finding("not-tagged", name, "the PDF must be tagged, claim PDF/UA-1 and state its language")
    for number, text in enumerate(facts.pages, start=1):
        where = f"{name} page {number}"
        yield from _leftovers(where, [text])
        packed = "".join(text.split())
        if "".join(stamp.version.split()) not in packed:
            yield Finding("missing-stamp", where, f"the page does not show version {stamp.version}")
        for banner in stamp.banners:
            if "".join(banner.split()) not in packed:
                yield Finding("missing-banner", where, f"the page must say: {banner}")


def _leftovers(where: str, texts: Sequence[str]) -> Iterator[Finding]:
    for text in texts:
        for match in _LEFTOVER.finditer(text):
            around = " ".join(text[max(0, match.start() - 30) : match.end() + 30].split())
            yield Finding("leftover", where, f"something was not filled in: {match.group(0)!r} in {around!r}")
