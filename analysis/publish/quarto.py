"""The Quarto renderer: real Quarto makes HTML and Typst, our filters and templates give them the same face.

Quarto stops at the Typst text (``output-ext: typ``), since its own compiler may be older than ours. It works in a
staged folder only; its caches are sent there too.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.errors import PublishError
from analysis.publish import pandoc, typst
from analysis.publish.markup import finish
from analysis.publish.source import Prepared, prepare
from analysis.publish.stage import FOLDER

NAME = "quarto"
TIMEOUT_SECONDS = 300

_WARNING = re.compile(r"^\s*(?:\x1b\[[0-9;]*m)*\s*(?:\[?(?:WARNING|WARN|ERROR)\]?|\(W\)|\(E\))[\s:]", re.IGNORECASE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FALLBACK_PROJECT = "project:\n  type: default\nlang: en\nciteproc: true\nnumber-sections: true\nlink-citations: true\n"
_METADATA = f"{FOLDER}.yml"


def executable() -> Path | None:
    """Return the ``quarto`` on the PATH, or None."""
    found = shutil.which("quarto")
    return Path(found) if found else None


@functools.cache
def _version_of(binary: Path) -> str:
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        raise PublishError(
            "Quarto is on the PATH but does not run",
            given=f"exit code {done.returncode}",
            cause=done.stderr.strip() or None,
            remedy="repair it, or ask for the embedded renderer",
        )
    return done.stdout.strip().splitlines()[-1]


def version() -> str:
    """Return what the stamp says of this renderer.

    Raises
    ------
    PublishError
        There is no Quarto, or it does not run.
    """
    binary = executable()
    if binary is None:
        raise PublishError("Quarto is not on the PATH", remedy="run `make quarto`, or ask for the embedded renderer")
    return f"Quarto {_version_of(binary)}"


def settings() -> dict[str, Any]:
    """Return the metadata that gives Quarto our templates and filters."""
    return {
        "citeproc": True,
        "number-sections": True,
        "filters": ["quarto", f"{FOLDER}/shared.lua"],
        "format": {
            "html": {
                "template": f"{FOLDER}/page.html",
                "minimal": True,
                "theme": "none",
                "html-math-method": "mathml",
                "embed-resources": True,
                "fig-cap-location": "top",
                "tbl-cap-location": "top",
            },
            "typst": {
                "output-ext": "typ",
                "keep-typ": True,
                "template-partials": [f"{FOLDER}/typst-template.typ", f"{FOLDER}/typst-show.typ"],
                "fig-cap-location": "top",
                "tbl-cap-location": "top",
            },
        },
        "execute": {"enabled": False},
    }


def configure(folder: Path) -> None:
    """Write our metadata into a staged folder and make the project read it."""
    (folder / _METADATA).write_text(json.dumps(settings(), indent=1) + "\n", encoding="utf-8")
    project = folder / "_quarto.yml"
    text = project.read_text(encoding="utf-8") if project.is_file() else _FALLBACK_PROJECT
    if "metadata-files:" not in text:
        text = f"{text.rstrip()}\nmetadata-files:\n  - {_METADATA}\n"
    elif _METADATA not in text:
        raise PublishError(
            "the project's metadata-files do not name ours", given="_quarto.yml", remedy=f"add {_METADATA} to the list"
        )
    project.write_text(text, encoding="utf-8")


def warnings_in(notes: str) -> tuple[str, ...]:
    """Return the lines of Quarto's log that warn."""
    return tuple(_COLOUR.sub("", line).strip() for line in notes.splitlines() if _WARNING.match(line))


class Quarto:
    """One document on its way to HTML and Typst.

    Parameters
    ----------
    document : Path
        The document in its staged folder.
    variables : mapping
        Nested values; Quarto reads them from the staged ``_variables.yml``.
    timestamp : int
        Seconds since 1970, passed on as ``SOURCE_DATE_EPOCH``.
    """

    def __init__(self, document: Path, variables: Mapping[str, Any], timestamp: int) -> None:
        self.document = document
        self.folder = document.parent
        self.timestamp = timestamp
        self.prepared: Prepared = prepare(document, variables)
        self.warnings: tuple[str, ...] = ()
        configure(self.folder)

    def _environment(self) -> dict[str, str]:
        cache = self.folder / FOLDER / "cache"
        cache.mkdir(exist_ok=True)
        places = ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "DENO_DIR", "TMPDIR")
        own = dict.fromkeys(places, str(cache))
        return {**os.environ, **own, "SOURCE_DATE_EPOCH": str(self.timestamp), "NO_COLOR": "1"}

    def _render(self, target: str) -> tuple[str, ...]:
        binary = executable()
        if binary is None:
            raise PublishError("Quarto left the PATH during the build", remedy="ask for the embedded renderer")
        try:
            done = subprocess.run(
                [binary, "render", self.document.name, "--to", target],
                cwd=self.folder,
                env=self._environment(),
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PublishError("Quarto did not finish", limit=f"{TIMEOUT_SECONDS} seconds") from error
        if done.returncode != 0:
            raise PublishError(
                "Quarto could not render the document",
                given=f"{self.document.name} to {target}, exit code {done.returncode}",
                cause=_COLOUR.sub("", done.stderr).strip()[-1500:],
            )
        return warnings_in(done.stderr)

    def _result(self, suffix: str) -> str:
        path = self.document.with_suffix(suffix)
        if not path.is_file():
            raise PublishError(
                "Quarto finished without its result", given=path.name, cause="the project sets an output-dir"
            )
        return path.read_text(encoding="utf-8")

    def html(self) -> tuple[bytes, Sequence[str]]:
        """Return the HTML page and the warnings met on the way."""
        warnings = self._render("html")
        return finish(self._result(".html")).encode(), warnings

    def pdf(self, timestamp: int) -> tuple[bytes, Sequence[str]]:
        """Return the PDF, compiled from Quarto's Typst by the same compiler as ever, and the warnings."""
        warnings = self._render("typst")
        tree, _ = pandoc.syntax_tree(self.prepared.text, folder=self.folder)
        source = typst.ensure_alt(self._result(".typ"), typst.images_with_alt(tree))
        pdf, more = typst.compile_pdf(
            source, folder=self.folder, name=self.document.with_suffix(".typ").name, timestamp=timestamp
        )
        return pdf, (*warnings, *more)
