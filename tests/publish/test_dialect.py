"""The dialect lint: one broken source for every rule, and our own documents clean."""

from __future__ import annotations

from pathlib import Path

import pytest
from rendering_probe import DOCUMENT, TABLE, write_site

from analysis.errors import PublishError
from analysis.publish.dialect import lint

PROBE = Path(__file__).parent / "dialect" / "dialect.qmd"
FRONT = "---\ntitle: A page\n---\n\n"


def _lint(folder: Path, body: str, *, front: str = FRONT) -> list[tuple[str, str]]:
    (folder / "page.qmd").write_text(front + body + "\n", encoding="utf-8")
    return [(finding.rule, finding.where) for finding in lint(folder / "page.qmd")]


@pytest.mark.parametrize("name", ["claims", "evidence", "monitor"])
def test_our_documents_are_clean(repository: Path, name: str) -> None:
    assert [str(finding) for finding in lint(repository / "reports" / f"{name}.qmd")] == []


def test_every_document_is_linted(repository: Path) -> None:
    found = {path.stem for path in (repository / "reports").glob("[a-z]*.qmd")}
    assert found == {"claims", "evidence", "monitor"}, "name the new document in the test above"


def test_the_demonstration_is_clean_but_for_its_code_and_its_method_heading(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "in", DOCUMENT.replace(" .method}", "}"))
    assert [str(finding) for finding in lint(folder / "demo.qmd")] == []


def test_the_probe_of_quartos_own_constructs_is_not_our_dialect() -> None:
    rules = [(finding.rule, finding.where) for finding in lint(PROBE)]
    assert rules == [
        ("attribute", "dialect.qmd:28"),
        ("attribute", "dialect.qmd:32"),
        ("callout", "dialect.qmd:23"),
        ("callout", "dialect.qmd:28"),
        ("callout", "dialect.qmd:32"),
        ("definition-list", "dialect.qmd:57"),
        ("front-matter", "dialect.qmd:1"),
        ("typed-number", "dialect.qmd:74"),
    ]


BROKEN = {
    "raw block": ("raw-markup", "```{=html}\n<hr>\n```"),
    "raw inline": ("raw-markup", "A <b>bold</b> word."),
    "raw typst": ("raw-markup", "`#pagebreak()`{=typst}"),
    "code cell": ("code-cell", "```{python}\nx = y\n```"),
    "options in a code cell": ("code-cell", "```{r, echo=FALSE}\nx\n```"),
    "inline code cell": ("code-cell", "The value `{python} x`."),
    "definition list": ("definition-list", "Term\n\n:   Its definition."),
    "callout": ("callout", "::: {.callout-note}\nx\n:::"),
    "tab set": ("div-class", "::: {.panel-tabset}\nx\n:::"),
    "margin": ("div-class", "::: {.column-margin}\nx\n:::"),
    "free layout": ("attribute", '::: {layout="[[a,b],[c]]"}\nx\n:::'),
    "aside": ("span-class", "A word [aside]{.aside}."),
    "span style": ("attribute", 'A [word]{style="color: red"}.'),
    "unknown shortcode": ("shortcode", "{{< video x.mp4 >}}"),
    "wrong arguments": ("shortcode", "{{< var a b >}}"),
    "empty shortcode": ("shortcode", "{{< >}}"),
    "include from above": ("include-outside", "{{< include ../x.md >}}"),
    "include from the middle": ("include-outside", "{{< include a/../../x.md >}}"),
    "include by full path": ("include-outside", "{{< include /etc/hosts >}}"),
    "include from the network": ("include-outside", "{{< include https://example.org/x.md >}}"),
    "image from the network": ("outside-file", '![A](https://example.org/x.svg){fig-alt="A"}'),
    "image from above": ("outside-file", '![A](../x.svg){fig-alt="A"}'),
    "image without alt": ("missing-alt", "A word ![](x.svg)."),
    "image height": ("attribute", '![A](x.svg){fig-alt="A" height=half}'),
    "table without caption": ("missing-caption", "| A | B |\n|:--|:--|\n| a | b |"),
    "table without id": ("table-id", "| A | B |\n|:--|:--|\n| a | b |\n\n: A caption."),
    "second title": ("heading-level", "# A title"),
    "heading class": ("heading-class", "## A section {.smaller}"),
    "other references": ("reference-kind", "As @thm-main says."),
    "named reference": ("reference-prefix", "See [Fig. @fig-path]."),
    "mixed brackets": ("mixed-reference", "See [@fig-path; @granger]."),
    "code options": ("attribute", '``` {.python filename="x.py"}\nx = y\n```'),
    "typed number": ("typed-number", "The value is 0.41."),
    "typed share": ("typed-number", "It fell by 12% or more."),
    "number in a heading": ("typed-number", "## Since 2017"),
    "number in a table": ("typed-number", "| A | B |\n|:--|:--|\n| a | 7 |\n\n: A caption. {#tbl-x}"),
    "number in code": ("typed-number", "The value `0.41`."),
    "number in link text": ("typed-number", "See [all 12](#sec-a)."),
    "number beside a value": ("typed-number", "{{< var a.b >}} of 12"),
    "number in a result box": ("typed-number", "::: {.box-answer}\nAll 12 fell.\n:::"),
    "number after a method": ("typed-number", "::: {.method}\nAt 16:00.\n:::\n\nAll 12 fell."),
    "number after a nested method": (
        "typed-number",
        ":::: {.method}\n::: {.box-note}\nAt 16:00.\n:::\nAt 16:30.\n::::\n\nAll 12 fell.",
    ),
    "half a date": ("typed-number", "In 2024-05 it fell."),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_source_is_found(tmp_path: Path, name: str) -> None:
    rule, body = BROKEN[name]
    found = _lint(tmp_path, body)
    assert {item for item, _ in found} == {rule}
    assert all(where.startswith("page.qmd") for _, where in found)


ALLOWED = [
    "{{< var a.b >}} of {{< meta title >}}\n\n{{< pagebreak >}}\n\n{{< include _built_later.md >}}",
    "::: {.method}\nAt 16:00 and 20 lags.\n:::",
    ':::: {.box-note title="Why"}\n::: {.method}\nFrom 1 to 4 hours.\n:::\n::::',
    "As @granger1969 and others [@newey1987, p. 704; @hafner2009] say; @hafner2009 [p. 33] too.",
    "On 2024-05-11 it fell.",
    "Inline $x_{12} = 3$ and\n\n$$\ny = 4\n$$ {#eq-y}",
    '![A caption.](figures/a.svg){#fig-a2 fig-alt="Rises by 3." width=80%}',
    "See [the paper](https://doi.org/10.2307/1912791) or <https://doi.org/10.2307/1912791>.",
    "1. first\n2. second",
    "A note.[^1]\n\n[^1]: Its text.",
    "<!-- 12 of them -->\n\nText.",
    '::: {#fig-p layout-ncol=2}\n\n![A](a.svg){#fig-a fig-alt="A"}\n\n![B](b.svg){#fig-b fig-alt="B"}\n\nC\n:::',
    '::: {.content-visible when-format="html"}\nOn screen.\n:::',
    '[{{< var a.b >}}]{#result-a-b cite="a.b"} and [x](#result-a-b).',
    "## A section {#sec-2 .unnumbered}\n\nSee @sec-2 and [-@fig-a2].",
    "{{{< video x.mp4 >}}}",
]


@pytest.mark.parametrize("body", ALLOWED)
def test_the_dialect_is_clean(tmp_path: Path, body: str) -> None:
    assert _lint(tmp_path, body) == []


@pytest.mark.parametrize(
    ("front", "count"),
    [
        ("---\ntitle: T\nformat: html\n---\n", 1),
        ("---\ntitle: T\nexecute:\n  echo: true\nfilters: [x.lua]\n---\n", 2),
        ("---\ntitle: T\ndate: today\n---\n", 1),
        ("---\ntitle: T\nauthor:\n  - name: A\n---\n", 1),
        ("---\ntitle: T 2024\nsubtitle: 3 parts\ndate: 2024-05-11\nauthor: [A, B]\ntoc: true\n---\n", 0),
    ],
)
def test_front_matter_is_shared(tmp_path: Path, front: str, count: int) -> None:
    assert _lint(tmp_path, "Text.", front=front) == [("front-matter", "page.qmd:1")] * count


def test_places_are_lines_of_the_file(tmp_path: Path) -> None:
    body = "Text.\n\nThe value is\n0.41 here.\n\n::: {.callout-tip}\nx\n:::\n\nA <b>word</b>."
    assert _lint(tmp_path, body) == [
        ("callout", "page.qmd:10"),
        ("raw-markup", "page.qmd:14"),
        ("raw-markup", "page.qmd:14"),
        ("typed-number", "page.qmd:8"),
    ]


def test_included_files_are_judged_but_may_hold_numbers(tmp_path: Path) -> None:
    (tmp_path / "_table.md").write_text(TABLE + "\n{{< include _deeper.md >}}\n", encoding="utf-8")
    (tmp_path / "_deeper.md").write_text("\n\n<b>12</b>\n\n{{< include _table.md >}}\n", encoding="utf-8")
    assert set(_lint(tmp_path, "{{< include _table.md >}}")) == {("raw-markup", "_deeper.md:3")}


def test_a_missing_document_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="cannot be read"):
        lint(tmp_path / "none.qmd")
