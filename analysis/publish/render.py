"""Render one document to HTML and PDF with whichever renderer is there."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from analysis.errors import InputError
from analysis.publish import embedded, quarto
from analysis.publish.embedded import Embedded
from analysis.publish.quarto import Quarto
from analysis.publish.stage import stage
from analysis.publish.stamp import Stamp

Renderer = Literal["auto", "quarto", "embedded"]
FORMATS = ("html", "pdf")


@dataclass(frozen=True, slots=True)
class RenderedDocument:
    """What came out of a document.

    Parameters
    ----------
    html, pdf : Path or None
        The files written; None when that format was not asked for.
    renderer : str
        ``"quarto"`` or ``"embedded"``.
    renderer_version : str
        E.g. ``pandoc 3.9``.
    warnings : tuple of str
        Everything the tools warned of, in order; the gate lets none pass.
    stamp : Stamp
        The stamp on the pages, with the renderer filled in.
    variables_used, variables_unknown : tuple of str
        Keys the document asks for (sorted), and those among them that have no value.
    """

    html: Path | None
    pdf: Path | None
    renderer: str
    renderer_version: str
    warnings: tuple[str, ...]
    stamp: Stamp
    variables_used: tuple[str, ...]
    variables_unknown: tuple[str, ...]

    @property
    def name(self) -> str:
        """The document's name without suffix, e.g. ``claims``."""
        return next(path.stem for path in (self.html, self.pdf) if path is not None)


def renderer_for(renderer: Renderer = "auto") -> Literal["quarto", "embedded"]:
    """Return which renderer is used: Quarto when it is on the PATH, else the embedded one.

    Raises
    ------
    InputError
        The name is not known.
    """
    if renderer == "auto":
        return "quarto" if quarto.executable() else "embedded"
    if renderer in ("quarto", "embedded"):
        return renderer
    raise InputError("there is no such renderer", given=repr(renderer), limit="auto, quarto or embedded")


def renderer_version(renderer: Renderer = "auto") -> str:
    """Return the name and version the stamp shows, e.g. ``pandoc 3.9``."""
    return quarto.version() if renderer_for(renderer) == "quarto" else embedded.version()


def _check(document: Path, workdir: Path, formats: Sequence[str]) -> Path:
    unknown = [item for item in formats if item not in FORMATS]
    if unknown or not formats:
        raise InputError("a format is not known", given=repr(tuple(formats)), limit="html, pdf")
    path = document if document.is_absolute() else workdir / document
    if path.resolve().parent != workdir.resolve() or not path.is_file():
        raise InputError("the document must lie in its staging folder", given=document.name, limit=workdir.name)
    return path


def render(
    document: Path,
    *,
    variables: Mapping[str, Any],
    workdir: Path,
    output: Path,
    formats: Sequence[str] = FORMATS,
    stamp: Stamp,
    renderer: Renderer = "auto",
    timestamp: int,
) -> RenderedDocument:
    """Render a document.

    Parameters
    ----------
    document : Path
        A ``.qmd`` directly in ``workdir``; a relative path is taken from there.
    variables : mapping
        Nested values of ``{{< var a.b >}}``: text or whole numbers, formatted already.
    workdir : Path
        Folder with the document, its includes, figures, bibliography and ``_quarto.yml``; only read.
    output : Path
        Folder for the results; nothing is written anywhere else.
    formats : sequence of str
        Some of ``"html"`` and ``"pdf"``.
    stamp : Stamp
        Shown on every page; its ``renderer`` is filled in here.
    renderer : {"auto", "quarto", "embedded"}
        Which renderer.
    timestamp : int
        Seconds since 1970 written into the PDF; the same inputs give the same bytes.

    Returns
    -------
    RenderedDocument
        Paths, renderer and warnings.

    Raises
    ------
    InputError
        An argument breaks its contract.
    PublishError
        The document cannot be rendered.
    """
    path = _check(document, workdir, formats)
    chosen = renderer_for(renderer)
    stamp = dataclasses.replace(stamp, renderer=renderer_version(chosen))
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".render-", dir=output) as scratch:
        folder = stage(workdir, Path(scratch).resolve() / "page", variables=variables, stamp=stamp)
        staged = folder / path.name
        job: Embedded | Quarto = (
            Embedded(staged, variables) if chosen == "embedded" else Quarto(staged, variables, timestamp)
        )
        warnings = list(job.warnings)
        written: dict[str, Path] = {}
        for name in dict.fromkeys(formats):
            content, more = job.html() if name == "html" else job.pdf(timestamp)
            warnings += more
            written[name] = output / f"{path.stem}.{name}"
            written[name].write_bytes(content)
    return RenderedDocument(
        html=written.get("html"),
        pdf=written.get("pdf"),
        renderer=chosen,
        renderer_version=stamp.renderer,
        warnings=tuple(warnings),
        stamp=stamp,
        variables_used=tuple(sorted(job.prepared.variables_used)),
        variables_unknown=job.prepared.unknown,
    )
