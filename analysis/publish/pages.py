"""Compose the source folder of the documents: text, values, figures, tables and includes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import GateError
from analysis.publish import gate
from analysis.publish.chapters import cells, core, leads, registry, words
from analysis.publish.identity import VersionFacts
from analysis.publish.render import RenderedDocument
from analysis.publish.stamp import Stamp
from analysis.publish.values import build_values, format_value, write_variables
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import Judgement
from analysis.tables.table import Column, TableSpec

CHAPTER = "_chapter.qmd"
_FIGURES = ("lead", "same", "clocks", "ccf", "records", "states", "overview", "windows")
_COPIED = ("*.qmd", "*.bib", "_quarto.yml")


@dataclass(frozen=True, slots=True)
class Site:
    """A folder a renderer can work on, and what the gate must know about it."""

    folder: Path
    reports: Path
    variables: Mapping[str, Any]
    stamp: Stamp


def compose(
    folder: Path,
    reports: Path,
    ledger: Ledger,
    judgements: Sequence[Judgement],
    inputs: Inputs,
    identity: VersionFacts,
) -> Site:
    """Write everything the documents include.

    Parameters
    ----------
    folder : Path
        Made here; nothing is written outside.
    reports : Path
        Folder of the documents and their theme; only read.
    """
    folder.mkdir(parents=True)
    for pattern in _COPIED:
        for path in sorted(reports.glob(pattern)):
            shutil.copyfile(path, folder / path.name)
    drawn = core.figures(ledger, inputs) | leads.figures(ledger, inputs)
    drawn |= registry.figures(ledger, inputs)
    for figure in drawn.values():
        figure.write(folder / "figures")
    includes = {f"_fig-{name}.md": figure.markdown() for name, figure in drawn.items()}
    for name in (*_FIGURES, *registry.figure_names()):
        includes.setdefault(f"_fig-{name}.md", _no_figure(name))
    tables = core.tables(ledger, judgements, inputs) | leads.tables(ledger, inputs)
    tables |= registry.tables(ledger, inputs)
    includes |= {f"_tbl-{name}.md": table.markdown() for name, table in tables.items()}
    if inputs.config.chapter:
        includes["_glance.md"] = "{{< include _fig-overview.md >}}\n\n{{< var chapter.sentence >}}\n"
    else:
        includes["_glance.md"] = includes[CHAPTER] = f"{leads.LEFT_OUT}\n"
    includes |= {registry.source(name): f"{registry.LEFT_OUT}\n" for name in registry.left_out(inputs)}
    includes["_change.md"] = words.change(judgements)
    includes["_provenance.md"] = _provenance(inputs, identity).markdown()
    includes["_settings.md"] = _settings(inputs) + _missing(inputs)
    for name, text in includes.items():
        (folder / name).write_text(text, encoding="utf-8")
    stamp = Stamp(
        version=identity.version,
        cutoff=identity.cutoff,
        snapshot=identity.snapshot_id,
        code=identity.code_hash[:16],
        renderer=identity.renderer,
        simulated=identity.kind == "simulated",
        reduced=identity.reduced,
        created=identity.cutoff,
    )
    extra: dict[str, Any] = words.variables(ledger, judgements, inputs)
    if inputs.config.chapter:
        extra["chapter"] = {"sentence": leads.sentence(ledger, inputs)}
    for name, said in registry.sentences(ledger, inputs).items():
        extra[name] = extra.get(name, {}) | said
    extra |= {"stamp": dict(_stamp_values(stamp))}
    values = build_values(ledger, extra)
    write_variables(folder / "_variables.yml", values)
    return Site(folder, reports, values, stamp)


def _stamp_values(stamp: Stamp) -> Iterable[tuple[str, str]]:
    for name in ("version", "cutoff", "snapshot", "code"):
        yield name, getattr(stamp, name)


def _no_figure(name: str) -> str:
    """Stand in for a figure whose data are absent; the reference to it must still lead somewhere."""
    words = "Not drawn: its results are not part of this study, or its series not part of the data."
    return f"::: {{.box-note #fig-{name}}}\n{words}\n\nNo figure.\n:::\n"


def _provenance(inputs: Inputs, identity: VersionFacts) -> TableSpec:
    """Return what every number rests on: each series with its source, span and hash."""
    columns = (
        Column("Series", weight=34),
        Column("Source", weight=30),
        Column("Rows", "right", weight=7),
        Column("Span", weight=22),
        Column("Hash", weight=9),
    )
    described = inputs.snapshot.manifest["files"]
    rows = []
    for name in _used(inputs):
        item = described[name]
        rows.append(
            (
                inputs.catalog.entry(name).title,
                _breakable(f"{item['provider']}: {item['provider_id']}"),
                format_value(int(item["rows"]), "count"),
                f"{item['first']} to {item['last']}",
                f"`{item['sha256'][:8]}`",
            )
        )
    caption = f"Series of snapshot {identity.snapshot_id} that this report rests on."
    return TableSpec("provenance", columns, tuple(rows), caption)


def _breakable(text: str) -> str:
    """Allow a long file name to break after an underscore or a slash."""
    return text.replace("_", "_\u200b").replace("/", "/\u200b")


def _used(inputs: Inputs) -> list[str]:
    """Return every series the study read, in the order of the catalogue."""
    wanted = {inputs.plan.small_cap, *inputs.plan.crypto, *inputs.plan.controls, inputs.config.small_cap_total_return}
    wanted |= set(inputs.state_series) | set(inputs.area_series)
    return [name for name in inputs.catalog.ids if name in wanted and name in inputs.snapshot.series]


def _settings(inputs: Inputs) -> str:
    """Return the settings of the study that decide the numbers, as one sentence."""
    config = inputs.config
    level, effect = f"{config.level:g}", f"{config.smallest_effect:g}"
    return (
        f"Study “{config.id}”: significance level {level}; {config.lags} lags ({config.state_lags} in states, "
        f"{config.chapter_lags} beyond the mean, {config.correlation_lags} in correlations); robust covariance "
        f"{config.covariance}; {format_value(config.bootstrap, 'count')} draws of the wild bootstrap "
        f"({config.slow_bootstrap} of the slow methods; fewer where the stamp says so); rule for closed days: "
        f"{config.weekend}; smallest effect that matters: {effect} percent per percent; seed {config.seed}.\n"
    )


def _missing(inputs: Inputs) -> str:
    if not inputs.plan.missing and not inputs.state_missing:
        return ""
    rows = [f"- {name}: {reason}" for name, reason in inputs.plan.missing]
    rows += [f"- state “{cells.state_label(name)}”: {reason}" for name, reason in inputs.state_missing.items()]
    return "\nWhat the study had to go without:\n\n" + "\n".join(rows) + "\n"


def enforce_gate(rendered: Sequence[RenderedDocument], site: Site) -> None:
    """Refuse to publish a page that breaks a rule; raises GateError that lists every finding."""
    bibliography = site.folder / "references.bib"
    sources = [site.folder / f"{document.name}.qmd" for document in rendered]
    for document, source in zip(rendered, sources, strict=True):
        gate.enforce(document, source, bibliography=bibliography)
    # A study without a chapter cites less than the bibliography holds for it.
    names = [CHAPTER, *map(registry.source, registry.CHAPTERS)]
    optional = "\n".join((site.reports / name).read_text(encoding="utf-8") for name in names)
    unused = [
        item
        for item in gate.unused_citations(sources, bibliography)
        if not any(f"@{word}" in optional for word in item.message.split())
    ]
    if unused:
        raise GateError("the bibliography holds works no document cites", given="; ".join(str(item) for item in unused))
