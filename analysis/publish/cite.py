"""Cite one result of a published version: a sentence, a Markdown line that can be checked, BibTeX and CSL-JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis.errors import VersionError
from analysis.publish.identity import VersionFacts
from analysis.publish.manifest import check_file, read_manifest
from analysis.publish.reference import bibtex_entry, caution, escape_markdown, note_text
from analysis.publish.values import ABSENT_WORDS, absence, field_text, format_level, sentence
from analysis.study.ledger import PARQUET_NAME, Entry, Ledger

_PAGES_IN_ORDER: Final = ("evidence.html", "claims.html")


@dataclass(frozen=True, slots=True)
class Citation:
    """One result in four forms.

    Attributes
    ----------
    sentence : str
        Plain text: effect with interval, p raw and adjusted, sample, method, version, data hash and
        place in the report.
    markdown : str
        The same for a note; its numbers are spans that `notes.check` confirms.
    bibtex, csl_json : str
        The result as a bibliographic record.
    """

    sentence: str
    markdown: str
    bibtex: str
    csl_json: str


def anchor(entry_id: str) -> str:
    """Return the element id under which a report shows an entry."""
    return f"result-{entry_id}"


def cite(build: Path, address: str, *, allow_stamped: bool = False) -> Citation:
    """Cite a result of a published version.

    Parameters
    ----------
    build : Path
        Folder of the version.
    address : str
        ``<entry id>``, or ``<entry id>.<field>`` to cite one number of it.
    allow_stamped : bool
        Cite simulated data or reduced draws as well; every form then carries the warning.

    Returns
    -------
    Citation
        The same for the same version, to the byte.

    Raises
    ------
    LedgerError
        No such result; the nearest ids are named.
    VersionError
        The version is not evidence and `allow_stamped` is False, or its ledger was changed after it was published.
    """
    manifest = read_manifest(build)
    check_file(build, PARQUET_NAME)
    facts = _facts(manifest["stamp"])
    warning = caution(facts.kind, facts.reduced)
    if warning and not allow_stamped:
        raise VersionError(
            "this version is not for citation",
            given=facts.version,
            cause=warning,
            remedy="cite a version on real data with full draws, or ask for a stamped citation",
        )
    entry, field = Ledger.read(build).find(address)
    data_hash = str(manifest["inputs"].get("snapshot", facts.snapshot_id))
    place = _place(build, manifest, entry.id)
    source = f"Bellwether {facts.version}, result {address}, data hash {data_hash}, {place}"
    stamp = f"{warning[0].upper()}{warning[1:]}. " if warning else ""
    body = f"{field}: {field_text(entry, field)}. {sentence(entry)}" if field else sentence(entry)
    title = f"{entry.method or entry.id}: result {address}"
    note = f"{body} {note_text(facts, data_hash)}. {place[0].upper()}{place[1:]}"
    return Citation(
        sentence=f"{stamp}{body} ({source}.)",
        markdown=f"{escape_markdown(stamp)}{' ' if stamp else ''}{_marked(entry, field)} ({escape_markdown(source)}.)",
        bibtex=bibtex_entry(_key(facts, address), title=title, facts=facts, version=facts.version, note=note),
        csl_json=_csl(_key(facts, address), title, facts, note),
    )


def _facts(stamp: dict[str, Any]) -> VersionFacts:
    try:
        return VersionFacts(**stamp | {"authors": tuple(stamp["authors"])})
    except (KeyError, TypeError) as error:
        raise VersionError("the manifest has an unknown layout", given="stamp", cause=str(error)) from error


def _key(facts: VersionFacts, address: str) -> str:
    return f"bellwether-{facts.version}-{address}"


def _place(build: Path, manifest: dict[str, Any], entry_id: str) -> str:
    """Return where a report shows the entry; the ledger file when no page does, so that no link is dead."""
    pages = sorted(
        (name for name in manifest["files"] if name.endswith(".html") and "/" not in name),
        key=lambda name: (_PAGES_IN_ORDER.index(name) if name in _PAGES_IN_ORDER else len(_PAGES_IN_ORDER), name),
    )
    wanted = re.compile(rb"""\sid=(["'])""" + re.escape(anchor(entry_id).encode()) + rb"\1")
    for name in pages:
        if wanted.search((build / name).read_bytes()):
            check_file(build, name)
            return f"at {name}#{anchor(entry_id)}"
    return f"in results.json under {entry_id}"


def _marked(entry: Entry, field: str) -> str:
    """Return the result in Markdown, each number a span that names where it comes from."""

    def span(name: str) -> str:
        return f'[{field_text(entry, name)}]{{cite="{entry.id}.{name}"}}'

    subject = escape_markdown(entry.method or entry.id)
    if entry.status in ABSENT_WORDS:
        return f"{subject}: {escape_markdown(absence(entry, 'estimate'))}"
    wanted = {
        "estimate": ("", "effect"),
        "statistic": ("statistic ", "statistic"),
        "pvalue": ("p = ", "p"),
        "pvalue_adjusted": ("adjusted p = ", "p_adj"),
        "nobs": ("n = ", "n"),
        "lags": ("lags = ", "lags"),
    }
    if field and field not in ("df", "status"):
        return f"{subject}: {field} = {span(field)}"
    parts = []
    for column, (label, name) in wanted.items():
        if getattr(entry, column) is None or (column == "statistic" and entry.estimate is not None):
            continue
        text = label + span(name)
        if field_text(entry, name)[0] in "<>":
            text = label.removesuffix("= ") + span(name)
        if column == "estimate":
            text = f"{escape_markdown(entry.estimate_name or 'estimate')} {text}"
            text += f" ({format_level(entry.level)} interval)" if entry.level is not None else ""
        if column == "pvalue_adjusted":
            text += f" ({escape_markdown(entry.adjustment)})"
        parts.append(text)
    if entry.start and entry.end:
        parts.append(f"{span('start')} to {span('end')}")
    return f"{subject}: {', '.join(parts) or escape_markdown(entry.summary)}"


def _csl(key: str, title: str, facts: VersionFacts, note: str) -> str:
    date = [int(part) for part in facts.cutoff.split("-")]
    item = {
        "id": key,
        "type": "report",
        "genre": "Versioned statistical report",
        "title": title,
        "author": [{"literal": author} for author in facts.authors],
        "publisher": "Bellwether",
        "number": facts.version,
        "version": facts.version,
        "issued": {"date-parts": [date]},
        "note": note,
    }
    return json.dumps([item], sort_keys=True, indent=1, ensure_ascii=False) + "\n"
