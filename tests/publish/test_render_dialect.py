"""What the probe document and long documents look like on paper, and the same document through real Quarto."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from pypdf import PdfReader
from rendering_probe import TIMESTAMP, VARIABLES, facts_of, stamp, words

from analysis.publish import pdftext
from analysis.publish.render import RenderedDocument, render, renderer_for

DIALECT = Path(__file__).parent / "dialect"
EXPECTED = json.loads((DIALECT / "expected.json").read_text(encoding="utf-8"))


def render_folder(folder: Path, output: Path, name: str = "dialect.qmd", **options: Any) -> RenderedDocument:
    settings = {"variables": VARIABLES, "stamp": stamp(), "renderer": "embedded", "timestamp": TIMESTAMP, **options}
    return render(Path(name), workdir=folder, output=output, **settings)


def parse(path: Path) -> Any:
    return html.document_fromstring(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> RenderedDocument:
    return render_folder(DIALECT, tmp_path_factory.mktemp("dialect"))


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


def _folder(tmp_path: Path, body: str, **files: str) -> Path:
    folder = tmp_path / "source"
    folder.mkdir(parents=True)
    (folder / "page.qmd").write_text(f"---\ntitle: A page\nlang: en\n---\n\n{body}\n", encoding="utf-8")
    for name, content in files.items():
        (folder / f"{name}.md").write_text(content, encoding="utf-8")
    return folder


def test_values_keep_markup_and_quotes_harmless(tmp_path: Path) -> None:
    values = {"a": '1 < 2 & "x" *it* $5', "b": "<script>alert(1)</script>"}
    folder = _folder(tmp_path, "A {{< var a >}} B {{< var b >}} C")
    made = render_folder(folder, tmp_path / "out", "page.qmd", variables=values)
    page = parse(made.html)
    assert "1 < 2 &" in words(page.find(".//main"))
    assert page.findall(".//script") == []


def test_anchored_spans_survive_on_paper(tmp_path: Path) -> None:
    body = "The value [0.41]{#result-granger-rut-btc-p} stands; see [it](#result-granger-rut-btc-p)."
    made = render_folder(_folder(tmp_path, body), tmp_path / "out", "page.qmd")
    assert made.warnings == ()
    assert parse(made.html).get_element_by_id("result-granger-rut-btc-p").text == "0.41"
    reader = PdfReader(made.pdf)
    assert "The value 0.41 stands" in _words(reader.pages[0].extract_text())
    assert any("/Dest" in note.get_object() or "/A" in note.get_object() for note in reader.pages[0]["/Annots"])


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
    theirs, ours = facts_of(made.html), facts_of(document.html)
    for name in sorted(set(EXPECTED) - {"callouts"}):
        assert _squeeze(theirs[name]) == _squeeze(ours[name]), name
    numbers = [re.findall(r"\d+[.\d]*", _tight("".join(pdftext.read(item.pdf).pages))) for item in (made, document)]
    assert sorted(numbers[0]) == sorted(numbers[1])


def _squeeze(fact: Any) -> str:
    """Return a fact as text without spaces, which the renderers set differently before stops and arrows."""
    return "".join(json.dumps(fact, ensure_ascii=False, sort_keys=True).split())


def test_a_page_break_breaks_both_kinds_of_page(tmp_path: Path) -> None:
    made = render_folder(_folder(tmp_path, "Before.\n\n{{< pagebreak >}}\n\nAfter."), tmp_path / "out", "page.qmd")
    first, second = pdftext.read(made.pdf).pages
    assert ("Before." in first, "After." in first, "After." in second) == (True, False, True)
    assert len(parse(made.html).find_class("page-break")) == 1


def test_a_short_table_is_kept_whole_and_a_long_one_starts_with_a_few_rows(tmp_path: Path) -> None:
    def table(name: str, count: int) -> str:
        rows = "\n".join(f"| {name} {number} | {number} |" for number in range(count))
        return f"| Series | Rank |\n|:--|--:|\n{rows}\n\n: Rows of {name}. {{#tbl-{name}}}\n"

    for lines in range(20, 34, 2):
        filler = "\n\n".join(["A line of text."] * lines)
        folder = _folder(tmp_path / str(lines), f"{filler}\n\n{table('short', 8)}\n\n{table('long', 40)}")
        pages = pdftext.read(
            render_folder(folder, tmp_path / str(lines) / "out", "page.qmd", formats=("pdf",)).pdf
        ).pages
        holding = [page for page in pages if re.search(r"short \d", page)]
        assert len(holding) == 1
        assert "Rows of short" in holding[0]
        start = next(page for page in pages if "Rows of long" in page)
        assert len(re.findall(r"long \d", start)) >= 3
