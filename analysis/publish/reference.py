"""How a version is cited as a whole: CITATION.cff, BibTeX, and the escaping both need."""

from __future__ import annotations

import json
from typing import Final

from analysis.publish.identity import VersionFacts

_LATEX: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\n": " ",
}
_MARKDOWN: Final = frozenset("\\`*_{}[]<>#$~^|@\"'")


def escape_latex(text: str) -> str:
    """Return text that LaTeX prints as it stands."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def escape_markdown(text: str) -> str:
    """Return text that Markdown prints as it stands, also inside brackets and table cells."""
    return "".join(f"\\{letter}" if letter in _MARKDOWN else letter for letter in " ".join(text.split()))


def caution(kind: str, reduced: bool) -> str:
    """Return the warning a version must carry wherever it is cited; empty for real data with full draws."""
    parts = ["simulated data, not evidence"] if kind == "simulated" else []
    return "; ".join(parts + (["reduced draws, not for citation"] if reduced else []))


def note_text(facts: VersionFacts, data_hash: str) -> str:
    """Return what a reader needs to find exactly this version: cut-off, data and code hash, and any warning."""
    text = f"Data to {facts.cutoff}, data hash {data_hash}, code hash {facts.code_hash}"
    warning = caution(facts.kind, facts.reduced)
    return f"{text}. {warning[0].upper()}{warning[1:]}" if warning else text


def bibtex_entry(key: str, *, title: str, facts: VersionFacts, version: str, note: str) -> str:
    """Return one BibTeX entry of a technical report, dated by the cut-off of its data."""
    fields = {
        "author": " and ".join(f"{{{escape_latex(author)}}}" for author in facts.authors),
        "title": f"{{{escape_latex(title)}}}",
        "institution": "Bellwether",
        "type": "Versioned statistical report",
        "number": escape_latex(version),
        "year": facts.cutoff[:4],
        "month": str(int(facts.cutoff[5:7])),
        "note": escape_latex(note),
    }
    rows = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@techreport{{{key},\n{rows}}}\n"


def citation_bib(facts: VersionFacts, version: str, data_hash: str) -> str:
    """Return the BibTeX file of a version."""
    note = note_text(facts, data_hash)
    return bibtex_entry(f"bellwether-{version}", title=facts.title, facts=facts, version=version, note=note)


def citation_cff(facts: VersionFacts, version: str, data_hash: str) -> str:
    """Return the CITATION.cff file of a version (format 1.2.0), dated by the cut-off of its data."""
    warning = caution(facts.kind, facts.reduced)
    message = f"Do not cite: {warning}." if warning else "Cite the version you used; its numbers never change."
    rows = [
        "cff-version: 1.2.0",
        f"message: {_quoted(message)}",
        "type: dataset",
        f"title: {_quoted(facts.title)}",
        f"version: {_quoted(version)}",
        f"date-released: {_quoted(facts.cutoff)}",
        "authors:",
        *(f"  - name: {_quoted(author)}" for author in facts.authors),
        "identifiers:",
        "  - type: other",
        f"    value: {_quoted(data_hash)}",
        '    description: "Hash of the data snapshot"',
        "  - type: other",
        f"    value: {_quoted(facts.code_hash)}",
        '    description: "Hash of code, lock and study"',
    ]
    return "\n".join(rows) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
