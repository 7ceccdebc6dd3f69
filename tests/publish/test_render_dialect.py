"""The probe document: the embedded renderer must give the facts that real Quarto gives, on screen and on paper."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader
from rendered_page import DIALECT, TIMESTAMP, expected, facts, parse, render_folder, stamp, text

from analysis.errors import InputError, PublishError
from analysis.publish import pdftext
from analysis.publish.render import RenderedDocument, renderer_for, renderer_version

EXPECTED = expected()
SHARED_FACTS = sorted(set(EXPECTED) - {"callouts"})


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> RenderedDocument:
    return render_folder(DIALECT, tmp_path_factory.mktemp("dialect"))


@pytest.fixture(scope="module")
def found(document: RenderedDocument) -> dict[str, object]:
    return facts(document.html)


@pytest.fixture(scope="module")
def paper(document: RenderedDocument) -> str:
    return " ".join(_words(page.extract_text()) for page in PdfReader(document.pdf).pages)


def _words(raw: str) -> str:
    """Join hyphenated words and lines; drop what only layout decides."""
    joined = re.sub(r"[\u00ad\u2010-]\n", "", raw.replace("\u00a0", " ").replace("\u2060", ""))
    return " ".join(joined.replace("\u00ad", "").split())


def _tight(raw: str) -> str:
    """Drop what line breaks and extraction decide: spaces, hyphens and the stem of a split word."""
    return re.sub(r"[\s\u00ad\u2060\u2010-]", "", raw)


@pytest.mark.parametrize("name", SHARED_FACTS)
def test_page_holds_what_quarto_makes_of_the_probe(found: dict[str, object], name: str) -> None:
    assert EXPECTED[name], f"the stored facts say nothing of {name}"
    assert found[name] == EXPECTED[name]


def test_callouts_become_boxes_with_quartos_titles(document: RenderedDocument) -> None:
    boxes = parse(document.html).find_class("callout")
    seen = [
        {"type": re.search(r"callout-(\w+)", box.get("class")).group(1), "title": text(box.find_class("box-title")[0])}
        for box in boxes
    ]
    assert seen == EXPECTED["callouts"]


def test_nothing_is_warned_of_and_every_value_is_found(document: RenderedDocument) -> None:
    assert document.warnings == ()
    assert document.variables_unknown == ()
    assert document.variables_used == ("granger.rut.btc.effect", "granger.rut.btc.p", "stamp")
    assert document.name == "dialect"


@pytest.mark.parametrize(
    "sentence",
    [
        "The adjusted p-value is 0.41 and the effect 0.03 [−0.05, 0.11];",
        "see Table 1, Figure 1, Equation 1 and Section 3.",
        "Two at once: Figure 1 and Figure 2b.",
        "As Granger (1969) put it, and others did later (Newey and West 1987, 704; Granger 1969).",
        "One sentence that answers the question, with a value: p = 0.41.",
        "What would change our mind",
        "Simulated data",
        "This is not evidence.",
        "No title given here.",
        "Figure 1: Cumulative response to a record high.",
        "Table 1: Granger tests, HC3.",
        "(a) Bitcoin",
        "(b) Ether",
        "Figure 2: Two assets side by side.",
        "2.1 A deeper level",
        "Its definition.",
        "Only on paper.",
        "A marked number 0.41 and a link.",
        "Plain text — with dashes, “quotes” and an ellipsis… Meta: A probe of the dialect.",
        "A footnote with a value, 2026-08-20-1a2b3c4d-5e6f7a8b.",
        "Econometrica 37 (3): 424–38. https://doi.org/10.2307/1912791.",
        "Econometrica 55 (3): 703–8.",
    ],
)
def test_paper_says_what_quartos_paper_says(paper: str, sentence: str) -> None:
    stored = (DIALECT / "expected_pdf.txt").read_text(encoding="utf-8")
    assert _tight(sentence) in _tight(stored), "the sentence must come from the stored text"
    assert _tight(sentence) in _tight(paper)


def test_paper_shows_the_table_row_by_row(paper: str) -> None:
    for row in [EXPECTED["tables"][0]["header"], *EXPECTED["tables"][0]["rows"]]:
        assert _tight("".join(row)) in _tight(paper)


def test_paper_hides_what_is_for_the_screen(paper: str) -> None:
    assert "Only on screen" not in paper
    assert "?" not in paper.split("Do small caps lead crypto?")[-1]


def test_same_inputs_give_the_same_bytes(document: RenderedDocument, tmp_path: Path) -> None:
    again = render_folder(DIALECT, tmp_path)
    assert again.html.read_bytes() == document.html.read_bytes()
    assert again.pdf.read_bytes() == document.pdf.read_bytes()


def test_only_the_asked_for_files_are_left(document: RenderedDocument, tmp_path: Path) -> None:
    assert sorted(path.name for path in document.html.parent.iterdir()) == ["dialect.html", "dialect.pdf"]
    only = render_folder(DIALECT, tmp_path, formats=("html",))
    assert only.pdf is None
    assert [path.name for path in tmp_path.iterdir()] == ["dialect.html"]


def test_paper_is_tagged_and_dated_by_its_inputs(document: RenderedDocument) -> None:
    reader = PdfReader(document.pdf)
    catalogue = reader.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in catalogue
    assert catalogue["/Lang"] == "en"
    assert reader.metadata.title == "Do small caps lead crypto?"
    assert reader.metadata.creation_date.timestamp() == TIMESTAMP
    assert "<pdfuaid:part>1</pdfuaid:part>" in reader.xmp_metadata.stream.get_data().decode()


def test_images_and_formulas_keep_their_alt_text_on_paper(document: RenderedDocument) -> None:
    alts = _structure_alts(PdfReader(document.pdf).trailer["/Root"]["/StructTreeRoot"])
    for figure in EXPECTED["figures"]:
        for image in figure["images"]:
            assert image["alt"] in alts
    assert any("chi^2_p" in alt for alt in alts)


def _structure_alts(node: object) -> set[str]:
    found, waiting = set(), [node]
    while waiting:
        item = waiting.pop()
        item = item.get_object() if hasattr(item, "get_object") else item
        if isinstance(item, dict):
            if "/Alt" in item:
                found.add(str(item["/Alt"]))
            kids = item.get("/K", [])
            kids = kids.get_object() if hasattr(kids, "get_object") else kids
            waiting += kids if isinstance(kids, list) else [kids]
    return found


def test_our_reader_sees_the_same_pages_as_pypdf(document: RenderedDocument) -> None:
    ours = pdftext.read(document.pdf)
    theirs = [page.extract_text() for page in PdfReader(document.pdf).pages]
    assert (ours.tagged, ours.accessible, ours.language) == (True, True, "en")
    assert len(ours.pages) == len(theirs) > 1
    for own, other in zip(ours.pages, theirs, strict=True):
        assert sorted(_tight(own)) == sorted(_tight(other))


@pytest.mark.parametrize(("simulated", "reduced"), [(True, False), (False, True), (True, True)])
def test_banner_stands_on_every_page(tmp_path: Path, simulated: bool, reduced: bool) -> None:
    made = render_folder(DIALECT, tmp_path, stamp=stamp(simulated=simulated, reduced=reduced))
    pages = PdfReader(made.pdf).pages
    banners = parse(made.html).find_class("banner")
    assert len(pages) > 1
    assert [text(node) for node in banners] == 2 * list(made.stamp.banners)
    for page in pages:
        for banner in made.stamp.banners:
            assert banner in _words(page.extract_text())


def test_clean_data_carry_no_banner(document: RenderedDocument, paper: str) -> None:
    assert parse(document.html).find_class("banner") == []
    assert "SIMULATED" not in paper


def test_stamp_stands_on_every_page(document: RenderedDocument) -> None:
    for page in PdfReader(document.pdf).pages:
        assert _tight(document.stamp.version) in _tight(page.extract_text())
    assert document.stamp.renderer == renderer_version("embedded") == document.renderer_version
    assert renderer_version("embedded").startswith("pandoc ")


def _folder(tmp_path: Path, body: str, **files: str) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "page.qmd").write_text(f"---\ntitle: A page\nlang: en\n---\n\n{body}\n", encoding="utf-8")
    for name, content in files.items():
        (folder / f"{name}.md").write_text(content, encoding="utf-8")
    return folder


def test_unknown_value_and_reference_are_shown_and_reported(tmp_path: Path) -> None:
    made = render_folder(_folder(tmp_path, "{{< var no.such >}} and @fig-none."), tmp_path / "out", "page.qmd")
    shown = text(parse(made.html).find(".//main"))
    assert made.variables_unknown == ("no.such",)
    assert "?var:no.such" in shown
    assert "?@fig-none" in shown


def test_values_keep_markup_and_quotes_harmless(tmp_path: Path) -> None:
    values = {"a": '1 < 2 & "x" *it* $5', "b": "<script>alert(1)</script>"}
    folder = _folder(tmp_path, "A {{< var a >}} B {{< var b >}} C")
    made = render_folder(folder, tmp_path / "out", "page.qmd", variables=values)
    page = parse(made.html)
    assert "1 < 2 &" in text(page.find(".//main"))
    assert page.findall(".//script") == []


def test_anchored_spans_survive_on_paper(tmp_path: Path) -> None:
    body = "The value [0.41]{#result-granger-rut-btc-p} stands; see [it](#result-granger-rut-btc-p)."
    made = render_folder(_folder(tmp_path, body), tmp_path / "out", "page.qmd")
    assert made.warnings == ()
    assert parse(made.html).get_element_by_id("result-granger-rut-btc-p").text == "0.41"
    reader = PdfReader(made.pdf)
    assert "The value 0.41 stands" in _words(reader.pages[0].extract_text())
    assert any("/Dest" in note.get_object() or "/A" in note.get_object() for note in reader.pages[0]["/Annots"])


def test_raw_markup_is_dropped_and_reported(tmp_path: Path) -> None:
    body = "Text.\n\n```{=html}\n<script src='https://example.org/x.js'></script>\n```\n\n<b>bold</b>"
    made = render_folder(_folder(tmp_path, body), tmp_path / "out", "page.qmd")
    assert any("raw html was dropped" in warning for warning in made.warnings)
    assert "example.org" not in made.html.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{{< include ../secret.md >}}", "must lie in the document's folder"),
        ("{{< include _gone.md >}}", "must lie in the document's folder"),
        ("{{< include _loop.md >}}", "nested too deeply"),
        ("{{< video x.mp4 >}}", "not part of the dialect"),
        ("![A picture](https://example.org/x.svg){fig-alt='x'}", "inside the document's folder"),
    ],
)
def test_what_leads_out_of_the_folder_is_refused(tmp_path: Path, body: str, message: str) -> None:
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    folder = _folder(tmp_path, body, _loop="{{< include _loop.md >}}")
    with pytest.raises(PublishError, match=message):
        render_folder(folder, tmp_path / "out", "page.qmd")
    assert not (tmp_path / "out" / "page.html").exists()


def test_image_without_alt_text_cannot_become_a_pdf(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "![](fig.svg)")
    shutil.copyfile(DIALECT / "fig.svg", folder / "fig.svg")
    with pytest.raises(PublishError, match="PDF could not be made"):
        render_folder(folder, tmp_path / "out", "page.qmd", formats=("pdf",))


def test_bad_arguments_are_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "Text.")
    with pytest.raises(InputError, match="no such renderer"):
        render_folder(folder, tmp_path / "out", "page.qmd", renderer="word")
    with pytest.raises(InputError, match="format is not known"):
        render_folder(folder, tmp_path / "out", "page.qmd", formats=("docx",))
    (folder / "page.qmd").write_text("{{< var p >}}", encoding="utf-8")
    with pytest.raises(InputError, match="reaches the document unformatted"):
        render_folder(folder, tmp_path / "out", "page.qmd", variables={"p": 0.41})


def test_long_table_repeats_its_header_on_every_page(tmp_path: Path) -> None:
    rows = "\n".join(f"| series {number} | {number} |" for number in range(150))
    body = f"| Series | Rank |\n|:--|--:|\n{rows}\n\n: Many rows. {{#tbl-long}}\n"
    made = render_folder(_folder(tmp_path, body), tmp_path / "out", "page.qmd", formats=("pdf",))
    pages = [_words(page.extract_text()) for page in PdfReader(made.pdf).pages]
    assert len(pages) > 2
    for page in pages:
        assert "Series Rank" in page


def test_a_long_document_is_read_page_by_page(tmp_path: Path) -> None:
    body = "\n\n{{< pagebreak >}}\n\n".join(f"Leaf ({number}) EFEF(((FE" for number in range(70))
    made = render_folder(_folder(tmp_path, body), tmp_path / "out", "page.qmd", formats=("pdf",))
    pages = pdftext.read(made.pdf).pages
    assert len(pages) == 70
    for number, page in enumerate(pages):
        assert f"Leaf ({number}) EFEF(((FE" in page


def test_quarto_gives_the_same_facts(document: RenderedDocument, tmp_path: Path) -> None:
    if renderer_for("auto") != "quarto":
        pytest.skip("Quarto is not on the PATH; `make quarto` installs it")
    made = render_folder(DIALECT, tmp_path, renderer="quarto")
    assert made.warnings == document.warnings
    theirs, ours = facts(made.html), facts(document.html)
    assert theirs == ours
    assert theirs == {name: EXPECTED[name] for name in SHARED_FACTS}
    pages = [" ".join(_tight(page) for page in pdftext.read(item.pdf).pages) for item in (made, document)]
    assert re.findall(r"\d+[.\d]*", pages[0]) == re.findall(r"\d+[.\d]*", pages[1])
