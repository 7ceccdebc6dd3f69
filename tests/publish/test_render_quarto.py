from __future__ import annotations

import json
from pathlib import Path

import pytest
from rendering_probe import TIMESTAMP, VARIABLES, stamp, write_site

from analysis.errors import PublishError
from analysis.publish import pandoc, quarto, typst
from analysis.publish.render import render
from analysis.publish.stage import stage

FAKE = """#!/bin/sh
if [ "$1" = --version ]; then echo 1.7.32; exit 0; fi
echo "$PWD $@ $SOURCE_DATE_EPOCH $XDG_CACHE_HOME" >> calls.txt
%s
"""


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    return stage(write_site(tmp_path / "in"), tmp_path / "work" / "page", variables=VARIABLES, stamp=stamp())


def fake_quarto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "quarto").write_text(FAKE % body, encoding="utf-8")
    (folder / "quarto").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_project_is_told_of_our_filters_and_templates(staged: Path) -> None:
    quarto.configure(staged)
    assert "metadata-files:\n  - _bellwether.yml\n" in (staged / "_quarto.yml").read_text(encoding="utf-8")
    ours = json.loads((staged / "_bellwether.yml").read_text(encoding="utf-8"))
    assert ours["filters"] == ["quarto", "_bellwether/shared.lua"]
    assert ours["format"]["typst"]["output-ext"] == "typ"
    named = [ours["format"]["html"]["template"], *ours["format"]["typst"]["template-partials"], ours["filters"][1]]
    assert all((staged / name).is_file() for name in named)
    assert ours["execute"] == {"enabled": False}
    assert json.loads((staged / "_variables.yml").read_text(encoding="utf-8")) == VARIABLES


def test_a_project_that_reads_other_metadata_only_is_refused(staged: Path) -> None:
    (staged / "_quarto.yml").write_text("metadata-files:\n  - other.yml\n", encoding="utf-8")
    with pytest.raises(PublishError, match="do not name ours"):
        quarto.configure(staged)


def test_the_tracked_project_reads_our_metadata(repository: Path) -> None:
    assert "- _bellwether.yml" in (repository / "reports" / "_quarto.yml").read_text(encoding="utf-8")


def test_quarto_is_run_in_the_stage_and_its_warnings_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
case "$4" in
html) echo '<html lang="en"><body><table><thead><tr><th>A</th></tr></thead></table></body></html>' > demo.html
      printf '\\033[33mWARNING: something is odd\\033[39m\\nOutput created: demo.html\\n' >&2;;
typst) printf '#set document(title: "T")\\n#set text(lang: "en")\\n#box(image("fig.svg", width: 50%%))\\n' > demo.typ;;
esac
cp calls.txt ../calls-seen.txt; cp ../calls-seen.txt "$OUT"
"""
    fake_quarto(tmp_path, monkeypatch, body)
    monkeypatch.setenv("OUT", str(tmp_path / "calls.txt"))
    done = render(
        Path("demo.qmd"),
        variables=VARIABLES,
        workdir=write_site(tmp_path / "in"),
        output=tmp_path / "out",
        stamp=stamp(),
        renderer="auto",
        timestamp=TIMESTAMP,
    )
    assert (done.renderer, done.renderer_version) == ("quarto", "Quarto 1.7.32")
    assert done.warnings == ("WARNING: something is odd",)
    assert done.html is not None
    assert done.pdf is not None
    assert '<th scope="col">A</th>' in done.html.read_text(encoding="utf-8")
    assert b"/Alt(A line that rises.)" in done.pdf.read_bytes()
    calls = (tmp_path / "calls.txt").read_text(encoding="utf-8").splitlines()
    assert len(calls) == 2
    assert all(line.startswith(str(tmp_path / "out")) for line in calls)
    assert all(f" {TIMESTAMP} {tmp_path / 'out'}" in line for line in calls)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["demo.html", "demo.pdf"]


@pytest.mark.parametrize(
    ("body", "message"), [("echo broken >&2; exit 3", "exit code 3"), ("exit 0", "without its result")]
)
def test_a_failing_quarto_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, message: str) -> None:
    fake_quarto(tmp_path, monkeypatch, body)
    with pytest.raises(PublishError, match=message):
        render(
            Path("demo.qmd"),
            variables=VARIABLES,
            workdir=write_site(tmp_path / "in"),
            output=tmp_path / "out",
            stamp=stamp(),
            renderer="quarto",
            timestamp=TIMESTAMP,
        )


def test_only_warning_lines_are_warnings() -> None:
    log = (
        "pandoc\n  to: html\nWARNING (main.lua:1) Unknown\n[WARNING] x\n(W) y\nERROR: z\nOutput created: warning.html\n"
    )
    assert quarto.warnings_in(log) == ("WARNING (main.lua:1) Unknown", "[WARNING] x", "(W) y", "ERROR: z")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('#box(image("a.svg"))', '#box(image("a.svg", alt: "It \\"rises\\""))'),
        ('image("a.svg", width: calc.min(80%, 3in))', 'image("a.svg", width: calc.min(80%, 3in))'),
        ('image("a.svg", width: 80%)', 'image("a.svg", alt: "It \\"rises\\"", width: 80%)'),
        ('image("a.svg", alt: "kept")', 'image("a.svg", alt: "kept")'),
        ('image("b.svg")', 'image("b.svg")'),
    ],
)
def test_images_of_quartos_typst_get_their_alt_text(source: str, expected: str) -> None:
    assert typst.ensure_alt(source, {"a.svg": 'It "rises"'}) == expected


def test_alt_texts_are_found_in_the_document(tmp_path: Path) -> None:
    panel = "::: {#fig-p}\n![B](b.svg){#fig-b fig-alt='Second.'}\n\nC\n:::\n"
    text = f"![Cap](a.svg){{#fig-a fig-alt='First.'}}\n\n{panel}\n![x](c.svg)\n"
    tree, _ = pandoc.syntax_tree(text, folder=tmp_path)
    assert typst.images_with_alt(tree) == {"a.svg": "First.", "b.svg": "Second."}


def test_tables_without_widths_are_stretched_and_others_are_left() -> None:
    assert typst.stretch_tables("#table(\n    columns: 3,\n  x)") == "#bw-table(columns: 3,\n  x)"
    assert typst.stretch_tables("#table(columns: (1fr, 2fr),") == "#table(columns: (1fr, 2fr),"


def test_a_shared_filter_alone_gives_both_targets_their_alt_text(tmp_path: Path, staged: Path) -> None:
    text = "[0.41]{cite='a.b'} $x$\n\n![Cap](fig.svg){#fig-a fig-alt='First.'}\n"
    arguments = ["--from=markdown", f"--lua-filter={staged / '_bellwether' / 'shared.lua'}", "--wrap=none"]
    page, _ = pandoc.run([*arguments, "--to=html5", "--mathml"], text, folder=staged)
    assert 'data-cite="a.b"' in page
    assert 'alt="First."' in page
    printed, _ = pandoc.run([*arguments, "--to=typst"], text, folder=staged)
    assert '#image("fig.svg", alt: "First.")' in printed
    assert '#math.equation(block: false, alt: "x", $x$.body)' in printed


def test_pandoc_failures_are_ours_to_explain(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="pandoc could not convert"):
        pandoc.run(["--to=nonsense"], "x", folder=tmp_path)
    assert pandoc.warnings_in("[WARNING] a\n  b\n[INFO] c\n") == ("[WARNING] a b", "[INFO] c")
