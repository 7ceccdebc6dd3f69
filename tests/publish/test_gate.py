"""The gate: a clean document passes, and one broken page for every rule does not."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typst
from rendering_probe import BIBLIOGRAPHY, DOCUMENT, TIMESTAMP, VARIABLES, stamp, write_site

from analysis.errors import GateError, PublishError
from analysis.publish import gate
from analysis.publish.findings import Finding
from analysis.publish.page import read as read_page
from analysis.publish.render import RenderedDocument, render
from analysis.publish.stamp import REDUCED_BANNER, SIMULATED_BANNER


@dataclasses.dataclass(frozen=True)
class Case:
    """A rendered document with its source folder, free to be broken."""

    document: RenderedDocument
    folder: Path

    def findings(self, **changes: Any) -> tuple[Finding, ...]:
        document = dataclasses.replace(self.document, **changes)
        return gate.check(document, self.folder / "demo.qmd", bibliography=self.folder / "references.bib")

    def rules(self, **changes: Any) -> set[str]:
        return {finding.rule for finding in self.findings(**changes)}

    def edit(self, old: str, new: str) -> None:
        text = self.document.html.read_text(encoding="utf-8")
        assert old in text, f"the page no longer holds {old!r}"
        self.document.html.write_text(text.replace(old, new, 1), encoding="utf-8")


def _render(folder: Path, **options: Any) -> RenderedDocument:
    settings = {"variables": VARIABLES, "stamp": stamp(), "renderer": "embedded", "timestamp": TIMESTAMP, **options}
    return render(Path("demo.qmd"), workdir=folder / "in", output=folder / "out", **settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RenderedDocument]:
    folder = tmp_path_factory.mktemp("gate")
    write_site(folder / "in")
    return folder, _render(folder)


@pytest.fixture
def case(made: tuple[Path, RenderedDocument], tmp_path: Path) -> Case:
    folder, document = made
    shutil.copytree(folder / "in", tmp_path / "in")
    shutil.copytree(folder / "out", tmp_path / "out")
    html, pdf = tmp_path / "out" / "demo.html", tmp_path / "out" / "demo.pdf"
    return Case(dataclasses.replace(document, html=html, pdf=pdf), tmp_path / "in")


def test_a_clean_document_passes(case: Case) -> None:
    assert case.findings() == ()
    gate.enforce(case.document, case.folder / "demo.qmd", bibliography=case.folder / "references.bib")


BODY_END = "</main>"
TABLE_CELL = '<td style="text-align: right;">0.41</td>'
IMAGE = 'alt="A line that rises."'

BROKEN_PAGES = {
    "an unknown value": ("leftover", BODY_END, "<p>?var:granger.x</p></main>"),
    "an unknown reference": ("leftover", BODY_END, "<p><strong>?@fig-x</strong></p></main>"),
    "an unresolved mark": ("leftover", BODY_END, "<p>see ??</p></main>"),
    "a shortcode": ("leftover", BODY_END, "<p>{{&lt; var x &gt;}}</p></main>"),
    "a leftover in alt text": ("leftover", IMAGE, 'alt="At ?var:level."'),
    "nan in a cell": ("bad-cell", TABLE_CELL, "<td>nan</td>"),
    "NaN beside a number": ("bad-cell", TABLE_CELL, "<td>0.1 [NaN, 0.2]</td>"),
    "inf in a cell": ("bad-cell", TABLE_CELL, "<td>-inf</td>"),
    "None in a cell": ("bad-cell", TABLE_CELL, "<td>None</td>"),
    "None within a cell": ("bad-cell", TABLE_CELL, "<td>(None, 3)</td>"),
    "nan in a header": ("bad-cell", '<th scope="row" style="text-align: left;">RUT → BTC</th>', "<th>nan</th>"),
    "an image without alt": ("missing-alt", IMAGE, ""),
    "an image with an empty alt": ("missing-alt", IMAGE, 'alt=" "'),
    "a drawing without a name": ("missing-alt", BODY_END, "<svg><path d='M0 0'/></svg></main>"),
    "a figure without a caption": ("missing-caption", BODY_END, "<figure><p>x</p></figure></main>"),
    "a table without a caption": ("missing-caption", BODY_END, "<table><tr><td>1</td></tr></table></main>"),
    "a style sheet": ("external-load", "</head>", '<link rel="stylesheet" href="https://example.org/x.css"></head>'),
    "a relative style sheet": ("external-load", "</head>", '<link rel="stylesheet" href="x.css"></head>'),
    "a script": ("external-load", "</head>", '<script src="https://example.org/x.js"></script></head>'),
    "a script that fetches": ("external-load", "</head>", "<script>fetch('/x')</script></head>"),
    "a picture from elsewhere": ("external-load", BODY_END, '<img alt="x" src="https://example.org/x.png"></main>'),
    "a picture set": ("external-load", BODY_END, '<img alt="x" srcset="https://example.org/x.png 2x"></main>'),
    "a frame": ("external-load", BODY_END, '<iframe src="//example.org"></iframe></main>'),
    "a drawing from elsewhere": (
        "external-load",
        BODY_END,
        '<svg aria-label="x"><use href="https://example.org/s.svg#a"/></svg></main>',
    ),
    "a font": ("external-load", "</head>", "<style>@font-face{src:url('https://example.org/f.woff')}</style></head>"),
    "an imported style": ("external-load", "</head>", '<style>@import "https://example.org/x.css";</style></head>'),
    "a background": ("external-load", BODY_END, '<p style="background:url(https://example.org/b.png)">x</p></main>'),
    "a dead anchor": ("dead-link", 'href="#sec-method"', 'href="#sec-gone"'),
    "a dead file": ("dead-link", BODY_END, '<a href="other.html">x</a></main>'),
    "a way out of the version": ("dead-link", BODY_END, '<a href="../in/demo.qmd">x</a></main>'),
    "a script address": ("dead-link", BODY_END, '<a href="javascript:alert(1)">x</a></main>'),
    "an id twice": ("duplicate-id", BODY_END, '<p id="sec-method">x</p></main>'),
    "a second title": ("heading-order", BODY_END, "<h1>x</h1></main>"),
    "a skipped level": ("heading-order", BODY_END, "<h4>x</h4></main>"),
    "no language": ("missing-title", '<html lang="en">', "<html>"),
    "no stamp at the head": ("missing-stamp", "Version 2026-08-20-1a2b3c4d-5e6f7a8b", "Version"),
    "no stamp at the foot": ("missing-stamp", "<dd>2026-08-20-1a2b3c4d-5e6f7a8b</dd>", "<dd></dd>"),
    "an unknown citation": (
        "unknown-citation",
        BODY_END,
        '<span class="citation" data-cites="granger1969 nobody1999">x</span></main>',
    ),
}


@pytest.mark.parametrize("name", sorted(BROKEN_PAGES))
def test_a_broken_page_is_found_and_nothing_else(case: Case, name: str) -> None:
    rule, old, new = BROKEN_PAGES[name]
    case.edit(old, new)
    findings = case.findings()
    assert {finding.rule for finding in findings} == {rule}
    assert len(findings) == 1
    assert findings[0].where in ("demo.html", "demo.qmd")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            BODY_END,
            '<p><a href="https://example.org/paper">a paper</a> <a href="mailto:a@example.org">us</a></p></main>',
        ),
        (BODY_END, '<p><a href="demo.pdf">on paper</a> <a href="demo.html#sec-method">here</a></p></main>'),
        (BODY_END, "<p>Really? Yes. Nan and None are words, and so is inf.</p></main>"),
        (TABLE_CELL, "<td>Nancy, infinity and Nonesuch; 1.5e-3</td>"),
        (BODY_END, '<p><svg aria-hidden="true"><use href="#sec-method"/></svg></p></main>'),
        ("</head>", "<style>p{background:url(data:image/png;base64,AA==)} q{fill:url(#a)}</style></head>"),
    ],
)
def test_what_is_allowed_is_not_found(case: Case, old: str, new: str) -> None:
    case.edit(old, new)
    assert case.findings() == ()


def test_a_heavy_page_is_found(case: Case) -> None:
    case.edit(BODY_END, f"<!--{'x' * gate.MAX_HTML_BYTES}--></main>")
    assert case.rules() == {"too-large"}


def test_renderer_warnings_and_unknown_values_are_found(case: Case) -> None:
    assert case.rules(warnings=("[WARNING] odd",)) == {"renderer-warning"}
    assert case.rules(variables_unknown=("a.b",)) == {"unknown-var"}


@pytest.mark.parametrize(
    ("changes", "banner"), [({"simulated": True}, SIMULATED_BANNER), ({"reduced": True}, REDUCED_BANNER)]
)
def test_a_banner_missing_anywhere_is_found(case: Case, changes: dict[str, bool], banner: str) -> None:
    findings = case.findings(stamp=stamp(**changes))
    assert {finding.rule for finding in findings} == {"missing-banner"}
    assert all(banner in finding.message for finding in findings)
    assert {finding.where for finding in findings} >= {"demo.html", "demo.pdf page 1", "demo.pdf page 2"}


def test_one_banner_of_two_is_not_enough(case: Case, tmp_path: Path) -> None:
    document = _render(tmp_path, stamp=stamp(simulated=True))
    simulated = Case(document, case.folder)
    assert simulated.findings() == ()
    simulated.edit(f'<p class="banner">{SIMULATED_BANNER}</p>', "")
    assert [(finding.rule, finding.where) for finding in simulated.findings()] == [("missing-banner", "demo.html")]


def test_a_pdf_page_without_the_version_is_found(case: Case) -> None:
    other = "2026-08-20-ffffffff-ffffffff"
    findings = [item for item in case.findings(stamp=stamp(version=other)) if item.where.startswith("demo.pdf")]
    assert {finding.rule for finding in findings} == {"missing-stamp"}
    assert [finding.where for finding in findings][:2] == ["demo.pdf page 1", "demo.pdf page 2"]


def _compile(target: Path, source: str, **options: Any) -> None:
    file = target.with_suffix(".typ")
    file.write_text(source, encoding="utf-8")
    target.write_bytes(typst.compile(str(file), format="pdf", **options))


VERSION = "2026-08-20-1a2b3c4d-5e6f7a8b"
ACCESSIBLE = f'#set document(title: "T")\n#set text(lang: "en")\n#set page(footer: [Version {VERSION}])\n'


@pytest.mark.parametrize(
    ("source", "options", "rules"),
    [
        (f"{ACCESSIBLE}Fine.", {"pdf_standards": ["ua-1"]}, set()),
        (f"{ACCESSIBLE}No claim to be accessible.", {}, {"not-tagged"}),
        (
            f"{ACCESSIBLE}One.\n#pagebreak()\n#set page(footer: none)\nTwo.",
            {"pdf_standards": ["ua-1"]},
            {"missing-stamp"},
        ),
        (f"{ACCESSIBLE}Left: ?var:a.b", {"pdf_standards": ["ua-1"]}, {"leftover"}),
    ],
)
def test_a_pdf_that_breaks_a_rule_is_found(case: Case, source: str, options: dict[str, Any], rules: set[str]) -> None:
    _compile(case.document.pdf, source, **options)
    assert case.rules() == rules


def test_a_pdf_without_pages_is_found(case: Case) -> None:
    case.document.pdf.write_bytes(
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages>>\nendobj\n"
    )
    assert case.rules() == {"no-pages", "not-tagged"}


def test_a_file_that_is_no_pdf_is_an_error(case: Case) -> None:
    case.document.pdf.write_bytes(b"")
    with pytest.raises(PublishError, match="a PDF cannot be read"):
        case.findings()


def test_a_missing_page_is_an_error(case: Case) -> None:
    case.document.html.unlink()
    with pytest.raises(PublishError, match="a rendered page cannot be read"):
        case.findings()


def _edit_source(name: str, change: Callable[[str], str], case: Case) -> None:
    path = case.folder / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def test_an_unknown_citation_in_an_include_is_found(case: Case) -> None:
    _edit_source("_table.md", lambda text: f"{text}\nAs [see @nobody1999, p. 3] says, like @fig-path.\n", case)
    findings = case.findings()
    assert [(finding.rule, finding.where) for finding in findings] == [("unknown-citation", "demo.qmd")]
    assert "nobody1999" in findings[0].message


def test_a_key_that_stands_twice_is_found(case: Case) -> None:
    _edit_source("references.bib", lambda text: text + BIBLIOGRAPHY, case)
    assert case.rules() == {"duplicate-citation"}


def test_unused_keys_are_judged_over_all_documents(case: Case) -> None:
    first, bibliography = case.folder / "demo.qmd", case.folder / "references.bib"
    _edit_source("references.bib", lambda text: text + text.replace("granger1969", "other2001"), case)
    assert [item.rule for item in gate.unused_citations([first], bibliography)] == ["unused-citation"]
    assert case.findings() == ()
    second = case.folder / "second.qmd"
    second.write_text("---\ntitle: T\nabstract: |\n  By @other2001.\n---\n\nText.\n", encoding="utf-8")
    assert gate.unused_citations([first, second], bibliography) == ()
    assert [item.where for item in gate.unused_citations([second], bibliography)] == ["references.bib"]


def test_a_format_that_was_not_asked_for_is_not_judged(case: Case) -> None:
    case.document.pdf.write_bytes(b"")
    assert case.findings(pdf=None) == ()


def test_enforce_lists_everything_with_its_place(case: Case) -> None:
    case.edit(BODY_END, '<p>see ?? <a href="#gone">x</a></p></main>')
    document = dataclasses.replace(case.document, warnings=("[WARNING] odd",))
    with pytest.raises(GateError) as caught:
        gate.enforce(document, case.folder / "demo.qmd", bibliography=case.folder / "references.bib")
    message = str(caught.value)
    assert "demo: 3 finding(s)" in message
    for part in ("demo.html: something was not filled in", "#gone", "demo.qmd: [WARNING] odd", "[dead-link]"):
        assert part in message


def test_the_reader_closes_what_a_page_leaves_open() -> None:
    page = read_page("<html><title>T</title><body><table><caption>C<tr><td>nan<td>2</table><p class=stamp>v")
    assert page.title == "T"
    assert page.stamp == "v"
    assert any("nan" in cell for cell in page.cells)


def test_the_document_used_here_is_rich_enough() -> None:
    assert all(part in DOCUMENT for part in ("fig-alt", "{{< include", "[@granger1969]", "{#eq-", "layout-ncol"))
