"""A small report with every construct the documents use, and the facts of a rendered page, for the rendering tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lxml import html

from analysis.publish.stamp import Stamp

TIMESTAMP = 1787184000
VARIABLES: dict[str, Any] = {
    "granger": {"rut": {"btc": {"p": "0.41", "effect": "0.03 [−0.05, 0.11]", "p_adj": "<0.001"}}},
    "stamp": "2026-08-20-1a2b3c4d-5e6f7a8b",
    "sample": {"rows": 2765, "stars": "a*b*c $x$ & <b>"},
}
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="120"><rect width="300" height="120" fill="#eee"/>'
    '<path d="M10 100 L100 60 L200 80 L290 20" stroke="#036" fill="none"/></svg>'
)
BIBLIOGRAPHY = """@article{granger1969, author={Granger, C. W. J.}, title={Investigating Causal Relations},
 journal={Econometrica}, volume={37}, number={3}, pages={424--438}, year={1969}, doi={10.2307/1912791}}
"""
PROJECT = """project:
  type: default
lang: en
bibliography: references.bib
citeproc: true
number-sections: true
toc: true
"""
TABLE = """| Cause → effect | Lags | p (adj.) |
|:---|---:|---:|
| RUT → BTC | 5 | 0.41 |
| BTC → RUT | 5 | 0.88 |

: Granger tests, HC3. {#tbl-granger}
"""
DOCUMENT = """---
title: "Do small caps lead crypto?"
subtitle: "A demonstration"
author: "Bellwether"
date: 2026-08-20
keywords: [lead-lag, small caps]
abstract: |
  The adjusted p-value is {{< var granger.rut.btc.p >}}.
---

::: {.box-answer}
**No.** The effect is {{< var granger.rut.btc.effect >}}.
:::

## Answer {#sec-answer}

See @tbl-granger, @fig-path, @fig-panel-b, @eq-wald and @sec-method; [@granger1969].
Code `{{< var granger.rut.btc.p >}}`,
*({{< var granger.rut.btc.p_adj >}})*, [{{< var granger.rut.btc.p >}}]{cite="granger.rut.btc.p"}.[^n]

[^n]: A footnote with {{< var stamp >}}.

{{< include _table.md >}}

![The path, {{< var granger.rut.btc.p >}}.](fig.svg){#fig-path fig-alt="A line that rises." width=80%}

::: {#fig-panel layout-ncol=2}

![Bitcoin](fig.svg){#fig-panel-a fig-alt="Rising line for Bitcoin."}

![Ether](fig.svg){#fig-panel-b fig-alt="Rising line for Ether."}

Two assets side by side.
:::

::: {.box-warning title="What this does not say"}
- a list
- in a box
:::

::: {.content-visible when-format="html"}
Only on screen.
:::

::: {.content-visible when-format="typst"}
Only on paper.
:::

{{< pagebreak >}}

## Method {#sec-method .method}

Inline $\\rho(k)$.

$$
W = R\\hat\\beta
$$ {#eq-wald}

### Deeper {#sec-deeper}

Words.

## References {.unnumbered}

::: {#refs}
:::
"""


def stamp(**changes: Any) -> Stamp:
    """Return a stamp, with changes."""
    facts: dict[str, Any] = {
        "version": "2026-08-20-1a2b3c4d-5e6f7a8b",
        "cutoff": "2026-08-20",
        "snapshot": "1a2b3c4d",
        "code": "5e6f7a8b",
        "renderer": "",
        "simulated": False,
        "reduced": False,
        "created": "2026-08-20",
    }
    return Stamp(**(facts | changes))


def write_site(folder: Path, document: str = DOCUMENT, **files: str) -> Path:
    """Write a folder with the report ``demo.qmd`` and what it includes; keyword ``_x_md`` writes ``_x.md``."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "demo.qmd": document,
        "_table.md": TABLE,
        "fig.svg": SVG,
        "references.bib": BIBLIOGRAPHY,
        "_quarto.yml": PROJECT,
    }
    contents |= {re.sub(r"_(md|svg|yml)$", r".\1", name): text for name, text in files.items()}
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def words(element: Any) -> str:
    """Return the text of an element with single spaces."""
    return " ".join(element.text_content().replace("\xa0", " ").split())


def facts_of(path: Path) -> dict[str, Any]:
    """Return what a rendered HTML page says, in the form of ``dialect/expected.json``."""
    root = html.document_fromstring(path.read_text(encoding="utf-8"))
    main = root.get_element_by_id("content")

    def image(item: Any) -> dict[str, Any]:
        return {"alt": item.get("alt"), "width": item.get("width"), "style": item.get("style")}

    figures = []
    for figure in main.xpath(".//figure[starts-with(@id, 'fig-')]"):
        caption = figure.xpath("./figcaption")[0]
        figures.append(
            {"id": figure.get("id"), "caption": words(caption), "images": [image(i) for i in figure.iter("img")]}
        )
    tables = [
        {
            "id": table.get("id"),
            "caption": words(table.find("caption")),
            "header": [words(cell) for cell in table.xpath("./thead/tr/*")],
            "rows": [[words(cell) for cell in row] for row in table.xpath("./tbody/tr")],
        }
        for table in main.iter("table")
    ]
    boxes = []
    for box in main.find_class("callout"):
        kind = next(name[8:] for name in box.get("class").split() if name.startswith("callout-"))
        boxes.append({"type": kind, "title": words(box.find_class("box-title")[0])})
    text = words(main)
    return {
        "title": words(root.find_class("title")[0]),
        "subtitle": words(root.find_class("subtitle")[0]),
        "lang": root.get("lang"),
        "headings": [
            {"level": item.tag, "id": item.get("id"), "text": words(item)}
            for item in main.xpath(".//h2 | .//h3 | .//h4")
        ],
        "figures": figures,
        "tables": tables,
        "equations": [{"id": item.get("id")} for item in main.xpath(".//*[starts-with(@id, 'eq-')]")],
        "references": [
            {"href": item.get("href"), "text": words(item)}
            for item in main.xpath(".//a[contains(@class, 'cross-reference') or contains(@class, 'quarto-xref')]")
        ],
        "citations": [{"text": words(item), "keys": item.get("data-cites")} for item in main.find_class("citation")],
        "callouts": boxes,
        "bibliography": [{"id": item.get("id"), "text": words(item)} for item in main.find_class("csl-entry")],
        "footnotes": [words(item) for item in main.xpath(".//li[starts-with(@id, 'fn')]")],
        "spans": [
            {"attrs": {"cite": item.get("data-cite")}, "text": words(item)}
            for item in main.xpath(".//span[@data-cite]")
        ],
        "conditional": {"screen": "Only on screen." in text, "paper": "Only on paper." in text},
    }
