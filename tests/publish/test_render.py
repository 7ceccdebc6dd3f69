from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pypdf
import pytest
from lxml import html as lxml_html
from rendering_probe import DOCUMENT, TIMESTAMP, VARIABLES, facts_of, stamp, words, write_site

from analysis.errors import InputError, PublishError
from analysis.publish import gate, quarto
from analysis.publish.findings import Finding
from analysis.publish.pdftext import read as read_pdf
from analysis.publish.render import RenderedDocument, render, renderer_for, renderer_version
from analysis.publish.stamp import REDUCED_BANNER, SIMULATED_BANNER, Stamp

PROBE = Path(__file__).parent / "dialect"
NEEDS_QUARTO = pytest.mark.skipif(quarto.executable() is None, reason="Quarto is not on the PATH")


def build(folder: Path, output: Path, name: str = "demo.qmd", **options: Any) -> RenderedDocument:
    settings: dict[str, Any] = {
        "variables": VARIABLES,
        "stamp": stamp(),
        "renderer": "embedded",
        "timestamp": TIMESTAMP,
    }
    return render(Path(name), workdir=folder, output=output, **(settings | options))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> RenderedDocument:
    folder = tmp_path_factory.mktemp("demo")
    return build(write_site(folder / "in"), folder / "out")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> RenderedDocument:
    folder = tmp_path_factory.mktemp("probe")
    shutil.copytree(PROBE, folder / "in")
    return build(folder / "in", folder / "out", "dialect.qmd")


def judged(document: RenderedDocument, folder: Path) -> tuple[Finding, ...]:
    return gate.check(document, folder / "demo.qmd", bibliography=folder / "references.bib")


def page(document: RenderedDocument) -> Any:
    assert document.html is not None
    return lxml_html.document_fromstring(document.html.read_text(encoding="utf-8"))


def pdf_text(document: RenderedDocument) -> list[str]:
    assert document.pdf is not None
    return [item.extract_text() for item in pypdf.PdfReader(document.pdf).pages]


EXPECTED = json.loads((PROBE / "expected.json").read_text(encoding="utf-8"))


def tidy(value: Any) -> Any:
    """Return a fact without the space a renderer leaves before a footnote's arrow or a final stop."""
    if isinstance(value, str):
        return re.sub(r"\s+(?=[.↩])", "", value)
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return {key: tidy(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_html_says_what_quarto_says(probe: RenderedDocument, name: str) -> None:
    assert probe.html is not None
    assert tidy(facts_of(probe.html)[name]) == tidy(EXPECTED[name])


def test_pdf_says_what_quarto_says(probe: RenderedDocument) -> None:
    wanted = (PROBE / "expected_pdf.txt").read_text(encoding="utf-8")
    ours = "".join("".join(pdf_text(probe)).split())
    for sentence in (
        "see Table 1, Figure 1, Equation 1 and Section 3. Two at once: Figure 1 and Figure 2b. As Granger (1969)",
        "(Newey and West 1987, 704; Granger 1969)",
        "A footnote with a value, 2026-08-20-1a2b3c4d-5e6f7a8b.",
        "Table 1: Granger tests, HC3.",
        "Figure 2: Two assets side by side.",
        "2.1 A deeper level",
        "Only on paper.",
        "A marked number 0.41 and a link.",
        "Meta: A probe of the dialect.",
    ):
        packed = "".join(sentence.split())
        assert packed in "".join(wanted.split())
        assert packed in ours
    assert "Onlyonscreen" not in ours


def test_rendering_is_clean_and_says_who_rendered(demo: RenderedDocument) -> None:
    assert demo.warnings == ()
    assert demo.variables_unknown == ()
    assert demo.renderer == "embedded"
    assert demo.name == "demo"
    assert demo.renderer_version == renderer_version("embedded") == demo.stamp.renderer
    assert "stamp" in demo.variables_used
    assert demo.renderer_version in words(page(demo).find_class("provenance")[0])


def test_values_reach_text_captions_code_and_front_matter(demo: RenderedDocument) -> None:
    root = page(demo)
    assert "The adjusted p-value is 0.41." in words(root.find_class("abstract")[0])
    assert [item.text_content() for item in root.iter("code")] == ["0.41"]
    assert words(root.get_element_by_id("fig-path").find("figcaption")) == "Figure 1: The path, 0.41."
    assert "(<0.001)" in words(root)


def test_a_value_is_markdown_in_text_and_plain_in_code(tmp_path: Path) -> None:
    line = "{{< var sample.rows >}} `{{< var sample.stars >}}` {{{< var not.filled >}}}"
    text = f"---\ntitle: T\n---\n\n## A {{#sec-a}}\n\n{line}\n"
    done = build(write_site(tmp_path / "in", text), tmp_path / "out", formats=("html",))
    root = page(done)
    assert [item.text_content() for item in root.iter("code")] == ["a*b*c $x$ & <b>"]
    assert "2765 a*b*c $x$ & <b> {{< var not.filled >}}" in words(root)
    assert done.pdf is None


def test_unknown_names_show_as_quarto_shows_them(tmp_path: Path) -> None:
    text = "---\ntitle: T\n---\n\n## A {#sec-a}\n\n{{< var no.such >}} and @fig-none and {{< meta nothing >}}.\n"
    done = build(write_site(tmp_path / "in", text), tmp_path / "out")
    assert done.variables_unknown == ("no.such",)
    assert "?var:no.such and ?@fig-none and ?meta:nothing." in words(page(done))
    assert {item.rule for item in judged(done, tmp_path / "in")} >= {"leftover", "unknown-var"}


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("{{< include ../secret.md >}}", PublishError, "must lie in the document's folder"),
        ("{{< include _loop.md >}}", PublishError, "nested too deeply"),
        ("{{< video a.mp4 >}}", PublishError, "not part of the dialect"),
        ("![x](https://example.org/a.svg){fig-alt='x'}", PublishError, "inside the document's folder"),
        ("![x](../../a.svg){fig-alt='x'}", PublishError, "inside the document's folder"),
        ("a \ue000v0\ue001", PublishError, "private-use"),
        ("{{< var granger.float >}}", InputError, "unformatted"),
    ],
)
def test_what_may_not_be_rendered(tmp_path: Path, line: str, error: type[Exception], message: str) -> None:
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    folder = write_site(tmp_path / "in", f"---\ntitle: T\n---\n\n{line}\n", _loop_md="{{< include _loop.md >}}\n")
    with pytest.raises(error, match=re.escape(message)):
        build(folder, tmp_path / "out", variables={"granger": {"float": 0.5}})
    assert not list((tmp_path / "out").glob("**/*"))


def test_raw_markup_is_dropped_and_reported(tmp_path: Path) -> None:
    text = "---\ntitle: T\n---\n\n## A {#sec-a}\n\n<!-- a note --> before <script>alert(1)</script> after\n"
    done = build(write_site(tmp_path / "in", text), tmp_path / "out", formats=("html",))
    assert any("raw html was dropped: <script>" in item for item in done.warnings)
    assert not any("a note" in item for item in done.warnings)
    assert done.html is not None
    assert "<script" not in done.html.read_text(encoding="utf-8")


def test_the_same_inputs_give_the_same_bytes_and_nothing_else_is_written(
    tmp_path: Path, demo: RenderedDocument
) -> None:
    folder = write_site(tmp_path / "elsewhere" / "in")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    started = time.perf_counter()
    again = build(folder, tmp_path / "out")
    assert time.perf_counter() - started < 20
    assert demo.html is not None
    assert demo.pdf is not None
    assert again.html is not None
    assert again.pdf is not None
    assert again.html.read_bytes() == demo.html.read_bytes()
    assert again.pdf.read_bytes() == demo.pdf.read_bytes()
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["demo.html", "demo.pdf"]


def test_the_timestamp_and_the_stamp_change_the_pdf(tmp_path: Path, demo: RenderedDocument) -> None:
    folder = write_site(tmp_path / "in")
    later = build(folder, tmp_path / "later", timestamp=TIMESTAMP + 86400)
    assert later.pdf is not None
    assert demo.pdf is not None
    assert later.pdf.read_bytes() != demo.pdf.read_bytes()
    created = pypdf.PdfReader(later.pdf).metadata
    assert created is not None
    assert created.creation_date is not None
    assert created.creation_date.timestamp() == TIMESTAMP + 86400


def test_pdf_is_tagged_titled_and_numbered(demo: RenderedDocument) -> None:
    assert demo.pdf is not None
    reader = pypdf.PdfReader(demo.pdf)
    catalogue = reader.trailer["/Root"]
    assert catalogue["/Lang"] == "en"
    assert catalogue["/MarkInfo"]["/Marked"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Do small caps lead crypto?"
    assert reader.metadata.author == "Bellwether"
    text = pdf_text(demo)
    for number, content in enumerate(text, start=1):
        assert f"Page {number} of {len(text)}" in content
        assert f"Version {demo.stamp.version}" in content
    kinds = re.findall(rb"/S/(\w+)", demo.pdf.read_bytes())
    assert kinds.count(b"Figure") >= 3
    assert kinds.count(b"Formula") >= 2
    assert kinds.count(b"TH") >= 3
    assert b"/Alt(A line that rises.)" in demo.pdf.read_bytes()


def test_our_reading_of_the_pdf_agrees_with_pypdf(demo: RenderedDocument) -> None:
    assert demo.pdf is not None
    ours = read_pdf(demo.pdf)
    theirs = pdf_text(demo)
    assert len(ours.pages) == len(theirs) >= 2
    assert (ours.tagged, ours.accessible, ours.language) == (True, True, "en")
    for mine, other in zip(ours.pages, theirs, strict=True):
        assert Counter("".join(mine.split())) == Counter("".join(other.split()))


def test_a_damaged_pdf_is_refused(tmp_path: Path, demo: RenderedDocument) -> None:
    assert demo.pdf is not None
    data = demo.pdf.read_bytes()
    start = next(item for item in re.finditer(rb"/Length \d{4,}[^\n]*FlateDecode[^\n]*\nstream\n", data)).end() + 20
    (tmp_path / "bad.pdf").write_bytes(data[:start] + b"\x00\xff\x00" + data[start + 3 :])
    (tmp_path / "no.pdf").write_text("no", encoding="utf-8")
    for name in ("bad.pdf", "no.pdf"):
        with pytest.raises(PublishError, match="a PDF"):
            read_pdf(tmp_path / name)


def test_every_page_warns_of_simulated_data_and_of_reduced_draws(tmp_path: Path) -> None:
    done = build(write_site(tmp_path / "in"), tmp_path / "out", stamp=stamp(simulated=True, reduced=True))
    for banner in (SIMULATED_BANNER, REDUCED_BANNER):
        assert [words(item) for item in page(done).find_class("banner")].count(banner) == 2
        assert all(banner in text for text in pdf_text(done))
    assert judged(done, tmp_path / "in") == ()


def test_an_image_without_alt_text_cannot_become_a_pdf(tmp_path: Path) -> None:
    text = DOCUMENT.replace('![Bitcoin](fig.svg){#fig-panel-a fig-alt="Rising line for Bitcoin."}', "![](fig.svg)")
    with pytest.raises(PublishError, match="the PDF could not be made"):
        build(write_site(tmp_path / "in", text), tmp_path / "out", formats=("pdf",))


def test_page_is_built_for_everyone(demo: RenderedDocument) -> None:
    root = page(demo)
    assert root.get("lang") == "en"
    skip = root.find_class("skip-link")[0]
    assert (words(skip), skip.get("href")) == ("Skip to the content", "#content")
    levels = [int(item.tag[1]) for item in root.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels))
    assert all((image.get("alt") or "").strip() and image.get("src").startswith("data:") for image in root.iter("img"))
    for table in root.iter("table"):
        assert words(table.find("caption"))
        assert all(cell.get("scope") == "col" for cell in table.xpath("./thead//th"))
        assert [cell.get("scope") for cell in table.xpath("./tbody//th")] == ["row"] * len(table.xpath("./tbody/tr"))
        region = table.getparent()
        assert (region.get("role"), region.get("tabindex")) == ("region", "0")
        assert region.get("aria-label").replace("\xa0", " ") == words(table.find("caption"))
    assert [item.get("aria-label") for item in root.iter("nav")] == ["Contents"]
    assert [item.get("href") for item in root.xpath("//nav//a")] == [
        "#sec-answer",
        "#sec-method",
        "#sec-deeper",
        "#references",
    ]
    assert list(root.iter("script", "link", "iframe")) == []
    assert root.xpath("//*[local-name()='math']")
    identifiers = root.xpath("//@id")
    assert len(identifiers) == len(set(identifiers))


def test_boxes_and_panels(demo: RenderedDocument) -> None:
    root = page(demo)
    boxes = [(words(item.find_class("box-title")[0]), item.get("class").split()[1]) for item in root.find_class("box")]
    assert boxes == [("Summary", "box"), ("The answer", "box-answer"), ("What this does not say", "box-warning")]
    assert all(item.get("aria-label") for item in root.find_class("box"))
    assert len(root.find_class("panel-2")[0].findall("figure")) == 2
    assert root.find_class("cited-number")[0].get("data-cite") == "granger.rut.btc.p"


def test_a_figure_that_could_not_be_drawn_keeps_its_number(tmp_path: Path) -> None:
    figure = "::: {.box-note #fig-none}\nSeries are missing.\n\nNo figure.\n:::\n"
    text = f"---\ntitle: T\n---\n\n## A {{#sec-a}}\n\nSee @fig-none.\n\n{figure}"
    done = build(write_site(tmp_path / "in", text), tmp_path / "out")
    assert words(page(done).get_element_by_id("fig-none")) == "Series are missing. Figure 1: No figure."
    assert "Series are missing." in "".join(pdf_text(done))
    assert judged(done, tmp_path / "in") == ()


def test_arguments_outside_the_contract(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "in")
    with pytest.raises(InputError, match="format"):
        build(folder, tmp_path / "out", formats=("docx",))
    with pytest.raises(InputError, match="staging folder"):
        build(folder, tmp_path / "out", "other.qmd")
    with pytest.raises(InputError, match="lies inside"):
        build(folder, folder / "out")
    with pytest.raises(InputError, match="no such renderer"):
        renderer_for("latex")  # type: ignore[arg-type]
    (folder / "link.md").symlink_to(tmp_path)
    with pytest.raises(PublishError, match="symbolic link"):
        build(folder, tmp_path / "out")


@pytest.mark.parametrize("changes", [{"version": ""}, {"version": "a<b"}, {"code": "a\nb"}])
def test_a_stamp_is_plain_text(changes: dict[str, str]) -> None:
    with pytest.raises(InputError):
        stamp(**changes)
    assert isinstance(stamp(), Stamp)


def test_auto_takes_quarto_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert renderer_for("auto") == "embedded"
    with pytest.raises(PublishError, match="not on the PATH"):
        renderer_version("quarto")
    (tmp_path / "quarto").write_text("#!/bin/sh\necho 9.9.9\n", encoding="utf-8")
    (tmp_path / "quarto").chmod(0o755)
    assert renderer_for("auto") == "quarto"
    assert renderer_version("auto") == "Quarto 9.9.9"


@pytest.mark.skipif(not os.environ.get("BELLWETHER_AXE"), reason="BELLWETHER_AXE does not name an axe.min.js")
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium")
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_no_violation(tmp_path: Path, demo: RenderedDocument, mode: str) -> None:
    assert demo.html is not None
    axe = Path(os.environ["BELLWETHER_AXE"]).read_text(encoding="utf-8")
    run = (
        "axe.run({resultTypes:['violations']}).then(r=>{document.title='AXE'+JSON.stringify("
        "r.violations.map(v=>[v.id,v.nodes.map(n=>n.html.slice(0,99))]))+'EXA'})"
    )
    text = demo.html.read_text(encoding="utf-8")
    (tmp_path / "axe.html").write_text(
        text.replace("</body>", f"<script>{axe}</script><script>{run}</script></body>"), encoding="utf-8"
    )
    dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if mode == "dark" else []
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync", *dark]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000", "--dump-dom"]
    done = subprocess.run(
        [*command, f"file://{tmp_path}/axe.html"], capture_output=True, text=True, timeout=90, check=True
    )
    found = re.search(r"<title>AXE(.*?)EXA</title>", done.stdout, re.DOTALL)
    assert found is not None
    assert json.loads(found.group(1)) == []


@NEEDS_QUARTO
def test_quarto_and_embedded_agree(tmp_path: Path, demo: RenderedDocument) -> None:
    real = build(write_site(tmp_path / "in"), tmp_path / "out", renderer="quarto")
    assert real.html is not None
    assert demo.html is not None
    ours, theirs = facts_of(demo.html), facts_of(real.html)
    for name in ("title", "headings", "references", "citations", "footnotes", "spans", "conditional", "equations"):
        assert tidy(theirs[name]) == tidy(ours[name]), name
    assert judged(real, tmp_path / "in") == ()
