"""Lint a document: constructs on which the two renderers differ, and numbers that were typed instead of looked up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis.errors import PublishError
from analysis.publish import pandoc
from analysis.publish.findings import Finding
from analysis.publish.source import ESCAPED, SHORTCODE, inside, read_text

FRONT_MATTER = frozenset(
    [
        "title",
        "subtitle",
        "author",
        "date",
        "keywords",
        "abstract",
        "toc",
        "toc-depth",
        "lang",
        "bibliography",
        "citeproc",
        "number-sections",
        "link-citations",
    ]
)
DIV_CLASSES = frozenset(
    ["box-answer", "box-verdict", "box-warning", "box-note", "method", "content-visible", "content-hidden"]
)
SPAN_CLASSES = frozenset(["content-visible", "content-hidden", "smallcaps", "underline", "mark"])
ATTRIBUTES = {
    "Div": frozenset(["title", "layout-ncol", "when-format", "unless-format"]),
    "Span": frozenset(["cite", "when-format", "unless-format"]),
    "Image": frozenset(["fig-alt", "alt", "width"]),
    "Table": frozenset(("tbl-colwidths",)),
    "Header": frozenset[str](),
    "CodeBlock": frozenset[str](),
    "Code": frozenset[str](),
    "Link": frozenset[str](),
}
SHORTCODES = {"var": 1, "meta": 1, "include": 1, "pagebreak": 0}

_FRONT = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CELL = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*\{[ \t]*([A-Za-z]\w*)\b[^}]*\}|`\{(\w+)\}[^`\n]+`", re.MULTILINE)
_FENCE = re.compile(r"[ \t]*(:{3,})[ \t]*([^\s:].*?)?[ \t]*:*[ \t]*$")
_REFERENCE = re.compile(r"(fig|tbl|eq|sec)-")
_OTHER_REFERENCE = re.compile(
    r"(?:lst|thm|lem|cor|prp|cnj|def|exm|exr|sol|rem|alg|nte|tip|wrn|imp|cau|dia|vid|suppfig|supptbl)-"
)
_AWAY = re.compile(r"[A-Za-z][\w+.-]*:|/|\\|(?:.*/)?\.\.(?:/|$)")
_CLOCK = frozenset(("today", "now", "last-modified"))

# What a digit may stand in without having been typed as a result, in the order in which it is taken away.
_NO_RESULT = tuple(
    re.compile(pattern, re.DOTALL | re.MULTILINE)
    for pattern in (
        r"\{\{<.*?>\}\}",
        r"\$\$.*?\$\$",
        r"(?<![\\$])\$(?=\S)(?:[^$\\\n]|\\.|\n(?!\s*\n))+?(?<=\S)\$(?!\d)",
        r"\{(?=[#.=\w-])[^{}]*\}",
        r"\]\([^()\s]*(?:\s+\"[^\"]*\")?\)",
        r"<https?://[^>\s]*>|https?://\S+",
        r"\[[^\[\]]*@[^\[\]]*\]",
        r"-?@[\w][\w:.#$%&+?~/-]*(?:[ \t]+\[[^\[\]]*\])?",
        r"\[\^[^\]\s]+\]:?",
        r"^[ \t]*\d+[.)](?=\s)",
        r"(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])",
    )
)
_NUMBER = re.compile(r"[\w.,:−+%-]*\d[\w.,:−+%-]*")


def lint(document: Path) -> tuple[Finding, ...]:
    """Judge the source of one document.

    Parameters
    ----------
    document : Path
        A ``.qmd``. Files it includes are judged too when they exist, save for their digits: tables and sentences that
        the build writes carry numbers from the results.

    Returns
    -------
    tuple of Finding
        Sorted; ``where`` is ``file:line`` with lines counted from 1, or the file where no line can be told.

    Raises
    ------
    PublishError
        The document cannot be read.
    """
    text = read_text(document)
    found = [*_constructs(document.name, text), *_digits(document.name, text)]
    for target in _includes(document.parent, text):
        found += _constructs(target.name, read_text(target))
    return tuple(sorted(set(found)))


def _includes(root: Path, text: str) -> Iterator[Path]:
    """Yield every included file that exists, once, at any depth."""
    seen: set[Path] = set()
    waiting = [text]
    while waiting:
        for match in SHORTCODE.finditer(waiting.pop()):
            words = match.group(1).split()
            if len(words) != 2 or words[0] != "include":
                continue
            try:
                target = inside(root, words[1])
            except PublishError:
                continue
            if target not in seen:
                seen.add(target)
                waiting.append(read_text(target))
                yield target


def _at(name: str, text: str, position: int) -> str:
    return f"{name}:{text.count(chr(10), 0, position) + 1}"


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Overwrite what matches with spaces, so that every position and line stays where it was."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


# constructs ----------------------------------------------------------------------------------------------------------


def _constructs(name: str, text: str) -> Iterator[Finding]:
    plain = _blank(ESCAPED, _blank(_COMMENT, text))
    for match in SHORTCODE.finditer(plain):
        yield from _shortcode(_at(name, text, match.start()), match)
    for match in _CELL.finditer(plain):
        language = match.group(1) or match.group(2)
        message = f"a {language} cell runs in one renderer only; build the figure or table beforehand"
        yield Finding("code-cell", _at(name, text, match.start()), message)
    tree, _ = pandoc.syntax_tree(SHORTCODE.sub("VALUE", _blank(_CELL, plain)), folder=Path.cwd())
    yield from _front_matter(name, tree["meta"])
    for kind, content, snippet in _elements(tree["blocks"]):
        where = _locate(name, text, snippet)
        for rule, message in _judge(kind, content):
            yield Finding(rule, where, message)


def _shortcode(where: str, match: re.Match[str]) -> Iterator[Finding]:
    word, *rest = match.group(1).split() or [""]
    if word not in SHORTCODES or len(rest) != SHORTCODES[word]:
        yield Finding("shortcode", where, f"{match.group(0)} is not one of var, meta, include and pagebreak")
    elif word == "include" and _AWAY.match(rest[0]):
        yield Finding("include-outside", where, f"{rest[0]} must lie in the document's folder")


def _front_matter(name: str, meta: dict[str, Any]) -> Iterator[Finding]:
    for key in sorted(set(meta) - FRONT_MATTER):
        yield Finding("front-matter", f"{name}:1", f"{key} is set for all documents where they are built, not in one")
    if pandoc.plain(meta.get("date")).strip().lower() in _CLOCK:
        yield Finding("front-matter", f"{name}:1", "the date follows the clock; use a value of the stamp")
    authors = meta.get("author")
    if any(item.get("t") == "MetaMap" for item in _items(authors)):
        yield Finding("front-matter", f"{name}:1", "an author is plain text; fields are read by one renderer only")


def _items(node: Any) -> list[dict[str, Any]]:
    if not isinstance(node, dict):
        return []
    return list(node["c"]) if node.get("t") == "MetaList" else [node]


def _elements(node: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield kind, content and a few words of every element of a pandoc JSON tree, in reading order."""
    if isinstance(node, list):
        for item in node:
            yield from _elements(item)
    elif isinstance(node, dict):
        if "t" in node:
            yield node["t"], node.get("c"), _snippet(node)
        yield from _elements(node.get("c"))


def _snippet(node: dict[str, Any]) -> str:
    content: Any = node.get("c")
    if node["t"] == "DefinitionList":
        return pandoc.plain(content[0][0])
    if node["t"] in ("RawInline", "RawBlock", "CodeBlock"):
        return str(content[1]).split("\n", 1)[0]
    if node["t"] == "Cite":
        return f"@{content[0][0]['citationId']}"
    if node["t"] == "Image":
        return str(content[2][0])
    if node["t"] in ("Div", "Span", "Table", "Header"):
        identifier, classes, pairs = content[1] if node["t"] == "Header" else content[0]
        tokens = [f"#{identifier}"] if identifier and node["t"] != "Header" else []
        tokens += [*(f".{item}" for item in classes), *(f"{key}=" for key, _ in pairs)]
        if tokens:
            return tokens[0]
    return pandoc.plain(node).strip().split("VALUE")[0][:30]


def _locate(name: str, text: str, snippet: str) -> str:
    words = snippet.split(" ")
    for count in (len(words), 1):
        part = " ".join(words[:count]).strip()
        position = text.find(part) if part else -1
        if position >= 0:
            return _at(name, text, position)
    return name


def _judge(kind: str, content: Any) -> Iterator[tuple[str, str]]:
    if kind in ("RawInline", "RawBlock") and not str(content[1]).lstrip().startswith("<!--"):
        yield "raw-markup", f"raw {content[0]} reaches one format only: {str(content[1])[:60]}"
    elif kind == "DefinitionList":
        yield "definition-list", "a definition list cannot be tagged in a PDF; use a list or a table"
    elif kind == "Div":
        yield from _judge_classes("div", content[0], DIV_CLASSES)
    elif kind == "Span":
        yield from _judge_classes("span", content[0], SPAN_CLASSES)
    elif kind == "Header":
        yield from _judge_heading(content)
    elif kind == "Image":
        yield from _judge_image(content)
    elif kind == "Table":
        yield from _judge_table(content)
    elif kind == "Cite":
        yield from _judge_citation(content[0])
    if kind in ATTRIBUTES:
        pairs = (content[1] if kind == "Header" else content[0])[2]
        for key, _ in pairs:
            if key not in ATTRIBUTES[kind]:
                yield "attribute", f"{key} on a {kind.lower()} is read by one renderer only"


def _judge_classes(what: str, attributes: Any, allowed: frozenset[str]) -> Iterator[tuple[str, str]]:
    for item in attributes[1]:
        if item.startswith("callout"):
            yield "callout", f"{item} needs the network in a PDF; use a box, e.g. .box-note"
        elif item not in allowed:
            yield f"{what}-class", f"the class {item} has no meaning in both renderers"


def _judge_heading(content: Any) -> Iterator[tuple[str, str]]:
    level, (_, classes, _), _ = content
    if level == 1:
        yield "heading-level", "the title is the only heading of level 1; start sections with ##"
    for item in classes:
        if item not in ("unnumbered", "unlisted"):
            yield "heading-class", f"the class {item} has no meaning in both renderers"


def _judge_image(content: Any) -> Iterator[tuple[str, str]]:
    (_, _, pairs), caption, (path, _) = content
    if _AWAY.match(path):
        yield "outside-file", f"an image must be a file in the document's folder: {path[:80]}"
    named = dict(pairs)
    if not (named.get("fig-alt") or named.get("alt") or pandoc.plain(caption)):
        yield "missing-alt", f"an image needs fig-alt, a sentence that says what is seen: {path[:80]}"


def _judge_table(content: Any) -> Iterator[tuple[str, str]]:
    identifier, caption = content[0][0], content[1][1]
    if not caption:
        yield "missing-caption", "a table needs a caption, written as a line `: Caption. {#tbl-name}` below it"
    elif not identifier.startswith("tbl-"):
        yield "table-id", "a captioned table is numbered alike only with an id of the form {#tbl-name}"


def _judge_citation(items: Any) -> Iterator[tuple[str, str]]:
    keys = [item["citationId"] for item in items]
    ours = [bool(_REFERENCE.match(key)) for key in keys]
    for key in keys:
        if _OTHER_REFERENCE.match(key):
            yield "reference-kind", f"@{key}: only fig-, tbl-, eq- and sec- are numbered by both renderers"
    if any(ours) and not all(ours):
        yield "mixed-reference", f"a reference and a citation share one pair of brackets: {', '.join(keys)}"
    for item, own in zip(items, ours, strict=True):
        if own and item["citationPrefix"]:
            yield "reference-prefix", f"words before @{item['citationId']} replace its name in one renderer only"


# digits --------------------------------------------------------------------------------------------------------------


def _digits(name: str, text: str) -> Iterator[Finding]:
    """Yield every number in the running text that was not looked up; method divs may name settings and hours."""
    rest = _blank_methods(_blank(_COMMENT, _blank(_FRONT, text)))
    for pattern in _NO_RESULT:
        rest = _blank(pattern, rest)
    for match in _NUMBER.finditer(rest):
        message = (
            f"{match.group(0).strip('.,:')} was typed; use a value, or set it in a .method block if it is no result"
        )
        yield Finding("typed-number", _at(name, text, match.start()), message)


def _blank_methods(text: str) -> str:
    lines, open_divs = [], list[bool]()
    for line in text.split("\n"):
        fence = _FENCE.fullmatch(line)
        if fence and fence.group(2):
            inner = fence.group(2)
            open_divs.append(inner == "method" or re.search(r"(?<![\w-])\.method(?![\w-])", inner) is not None)
        elif fence and open_divs:
            open_divs.pop()
        lines.append(" " * len(line) if any(open_divs) else line)
    return "\n".join(lines)
