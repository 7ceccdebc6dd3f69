from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pypandoc
import pytest
from published_example import SNAPSHOT, absent, entry, publish

from analysis.errors import LedgerError, VersionError
from analysis.publish.cite import anchor, cite
from analysis.publish.notes import check
from analysis.study.ledger import Ledger

REAL = "2026-08-21-1a2b3c4d-5e6f7a8b"
ID = "granger.rut.btc.daily"
MINUS = "\u2212"
PAGE = f'<table><tr id="{anchor(ID)}"><td>x</td></tr></table>\n'


def test_every_part_the_specification_names(tmp_path: Path) -> None:
    made = cite(publish(tmp_path, page=PAGE).path, ID)
    assert made.sentence == (
        "Granger test (RUT to BTC; crypto day ends after the close): "
        f"partial R² 0.03 [{MINUS}0.05, 0.11] (95% interval), "
        "p = 0.412, "
        "adjusted p = 0.800 (Romano–Wolf), n = 2,442, lags = 5, 2014-09-17 to 2024-12-31. "
        f"(Bellwether {REAL}, result {ID}, data hash {SNAPSHOT}, at evidence.html#result-{ID}.)"
    )
    (item,) = json.loads(made.csl_json)
    assert item["number"] == REAL
    assert item["issued"] == {"date-parts": [[2026, 8, 21]]}
    assert item["author"] == [{"literal": "The Bellwether authors"}]
    for text in (made.markdown.replace("\\", ""), made.bibtex.replace("\\", ""), item["note"]):
        assert SNAPSHOT in text
        assert f"evidence.html#result-{ID}" in text
        assert "Romano–Wolf" in text
        assert "Granger test" in text


def test_the_markdown_citation_passes_the_check(tmp_path: Path) -> None:
    path = publish(tmp_path).path
    for id in (ID, "granger.rut.eth.daily", "highs.count", "granger.rut.avax.daily", f"{ID}.effect", f"{ID}.p"):
        note = f"---\nbellwether: {REAL}\n---\n\n{cite(path, id).markdown}\n"
        report = check(note, tmp_path / "builds")
        assert report.ok, report.summary()
        assert len(report.numbers) == {ID: 6 + 1, f"{ID}.effect": 1, f"{ID}.p": 1, "granger.rut.avax.daily": 0}.get(
            id, len(report.numbers)
        )
    assert "p [<0.001]" in cite(path, "granger.rut.eth.daily").markdown


def test_a_single_number(tmp_path: Path) -> None:
    made = cite(publish(tmp_path).path, f"{ID}.p")
    assert made.sentence.startswith("p: 0.412. Granger test (RUT to BTC;")
    assert f"result {ID}.p" in made.sentence


def test_no_dead_anchor_is_given(tmp_path: Path) -> None:
    longer = PAGE.replace(anchor(ID), anchor(ID) + ".more")
    assert f"in results.json under {ID}" in cite(publish(tmp_path, page=longer).path, ID).sentence


def test_special_characters_are_escaped(tmp_path: Path) -> None:
    odd = entry(method="A_b & 100% *test* {x} [y]$ \\z", estimate_name="β|γ", adjustment="BH #1")
    made = cite(publish(tmp_path, book=Ledger((odd,))).path, ID)
    (parsed,) = json.loads(pypandoc.convert_text(made.bibtex, "csljson", format="bibtex"))
    assert "100%" in parsed["title"]
    assert "A_b &" in parsed["title"]
    plain = pypandoc.convert_text(made.markdown, "plain", format="markdown", extra_args=["--wrap=none"])
    assert "A_b & 100% *test* {x} [y]$ \\z" in plain
    assert "β|γ" in plain
    assert json.loads(made.csl_json)[0]["title"].startswith("A_b & 100% *test*")


def test_bibtex_is_read_by_pandoc(tmp_path: Path) -> None:
    made = cite(publish(tmp_path).path, ID)
    (parsed,) = json.loads(pypandoc.convert_text(made.bibtex, "csljson", format="bibtex"))
    assert parsed["id"] == f"bellwether-{REAL}-{ID}"
    assert parsed["number"] == REAL
    assert f"0.03 [{MINUS}0.05, 0.11]" in parsed["note"]
    tiny = cite(tmp_path / "builds" / REAL, "granger.rut.eth.daily")
    (parsed,) = json.loads(pypandoc.convert_text(tiny.bibtex, "csljson", format="bibtex"))
    assert "p < 0.001" in parsed["note"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "simulated"}, "imulated data, not evidence"),
        ({"reduced": True}, "educed draws, not for citation"),
        ({"kind": "simulated", "reduced": True}, "imulated data, not evidence; reduced draws"),
    ],
)
def test_what_is_no_evidence_is_cited_only_with_its_stamp(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    path = publish(tmp_path, **changes).path
    with pytest.raises(VersionError, match="not for citation"):
        cite(path, ID)
    made = cite(path, ID, allow_stamped=True)
    for text in (made.sentence, made.markdown, made.bibtex, made.csl_json):
        assert words in text


def test_absent_results_are_cited_in_words(tmp_path: Path) -> None:
    made = cite(publish(tmp_path, book=Ledger((absent(),))).path, "granger.rut.avax.daily")
    assert made.sentence.startswith("Granger test: not applicable: too few rows.")


def test_unknown_and_forged_results_are_refused(tmp_path: Path) -> None:
    path = publish(tmp_path).path
    with pytest.raises(LedgerError, match="did you mean"):
        cite(path, "granger.rut.btc.dayly")
    with pytest.raises(VersionError, match="no manifest"):
        cite(tmp_path, ID)
    path.chmod(0o755)
    (path / "results.parquet").chmod(0o644)
    with (path / "results.parquet").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(VersionError, match="changed after"):
        cite(path, ID)


def test_a_forged_page_gives_no_anchor(tmp_path: Path) -> None:
    path = publish(tmp_path).path
    path.chmod(0o755)
    (path / "evidence.html").chmod(0o644)
    (path / "evidence.html").write_text(PAGE)
    with pytest.raises(VersionError, match="changed after"):
        cite(path, ID)


CITE = """
import sys
from pathlib import Path
from analysis.publish.cite import cite
made = cite(Path(sys.argv[1]), sys.argv[2])
sys.stdout.buffer.write("".join((made.sentence, made.markdown, made.bibtex, made.csl_json)).encode())
"""


def test_two_processes_cite_the_same(tmp_path: Path) -> None:
    path = publish(tmp_path).path
    said = [subprocess.check_output([sys.executable, "-c", CITE, str(path), ID]) for _ in range(2)]
    assert said[0] == said[1]
