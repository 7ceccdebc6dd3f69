"""Read a rendered page with lxml into the facts the tests compare, and render the probe document once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lxml import html

from analysis.publish.render import RenderedDocument, render
from analysis.publish.stamp import Stamp

DIALECT = Path(__file__).parent / "dialect"
VARIABLES = {
    "granger": {"rut": {"btc": {"p": "0.41", "effect": "0.03 [−0.05, 0.11]"}}},
    "stamp": "2026-08-20-1a2b3c4d-5e6f7a8b",
}
TIMESTAMP = 1_787_184_000


def stamp(*, simulated: bool = False, reduced: bool = False) -> Stamp:
    prefix = ("CI-" if reduced else "") + ("SIM-" if simulated else "")
    return Stamp(
        version=f"{prefix}2026-08-20-1a2b3c4d-5e6f7a8b",
        cutoff="2026-08-20",
        snapshot="1a2b3c4d",
        code="5e6f7a8b",
        renderer="",
        simulated=simulated,
        reduced=reduced,
        created="2026-08-20",
    )


def render_folder(folder: Path, output: Path, document: str = "dialect.qmd", **options: Any) -> RenderedDocument:
    settings = {"variables": VARIABLES, "stamp": stamp(), "renderer": "embedded", "timestamp": TIMESTAMP, **options}
    return render(Path(document), workdir=folder, output=output, **settings)


def parse(path: Path) -> html.HtmlElement:
    return html.document_fromstring(path.read_text(encoding="utf-8"))


def text(node: Any) -> str:
    words = " ".join("".join(node.itertext()).replace("\xa0", " ").split())
    return words.replace(" .", ".").replace(" ↩", "↩")


def facts(path: Path) -> dict[str, Any]:
    """Return what a page holds, in the form of the stored facts of real Quarto."""
    main = parse(path).find(".//main")
    page = parse(path)
    return {
        "title": text(page.find(".//h1")),
        "subtitle": text(main.find_class("subtitle")[0]),
        "lang": page.get("lang"),
        "headings": [
            {"level": node.tag, "id": node.get("id") or node.getparent().get("id"), "text": text(node)}
            for node in main.iter("h2", "h3", "h4")
            if "footnotes" not in (node.getparent().get("class") or "")
        ],
        "figures": [_figure(node) for node in _figures(main)],
        "tables": [_table(node) for node in main.iter("table")],
        "equations": [{"id": node.get("id")} for node in main.xpath(".//*[starts-with(@id, 'eq-')]")],
        "references": [
            {"href": node.get("href"), "text": text(node)}
            for node in main.xpath(".//a[starts-with(@href, '#')]")
            if node.get("href")[1:].split("-")[0] in ("fig", "tbl", "eq", "sec") and text(node) != "link"
        ],
        "citations": [
            {"text": text(node), "keys": node.get("data-cites")} for node in main.xpath(".//span[@data-cites]")
        ],
        "bibliography": [{"id": node.get("id"), "text": text(node)} for node in main.find_class("csl-entry")],
        "footnotes": [text(node) for node in main.xpath(".//section[@id='footnotes']//li")],
        "spans": [
            {"attrs": {"cite": node.get("data-cite")}, "text": text(node)} for node in main.xpath(".//span[@data-cite]")
        ],
        "conditional": {"screen": "Only on screen." in text(main), "paper": "Only on paper." in text(main)},
    }


def _figures(main: Any) -> list[Any]:
    return [node for node in main.iter("figure", "div") if (node.get("id") or "").startswith("fig-")]


def _figure(node: Any) -> dict[str, Any]:
    captions = node.findall("figcaption") or node.findall(".//figcaption")[-1:]
    images = [
        {"alt": image.get("alt"), "width": image.get("width"), "style": _width(image.get("style"))}
        for image in node.iter("img")
    ]
    return {"id": node.get("id"), "caption": text(captions[-1]), "images": images}


def _width(style: str | None) -> str | None:
    """Return the share of the page an image takes, written one way."""
    if style is None:
        return None
    name, value = style.rstrip(";").split(":")
    return f"{name.strip()}:{float(value.strip().rstrip('%')):.1f}%"


def _table(node: Any) -> dict[str, Any]:
    rows = [[text(cell) for cell in row.iter("td", "th")] for row in node.iter("tr")]
    identifier = node.get("id") or next(
        parent.get("id") for parent in node.iterancestors() if (parent.get("id") or "").startswith("tbl-")
    )
    captions = node.findall(".//caption") or node.xpath("ancestor::*//figcaption")
    return {"id": identifier, "caption": text(captions[0]), "header": rows[0], "rows": rows[1:]}


def expected() -> dict[str, Any]:
    found = json.loads((DIALECT / "expected.json").read_text(encoding="utf-8"))
    for entry in found["bibliography"]:
        entry["text"] = entry["text"].replace(" .", ".")
    found["footnotes"] = [note.replace(" ↩", "↩") for note in found["footnotes"]]
    return found
