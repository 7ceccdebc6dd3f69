"""Run the pandoc that is installed with the package, and nothing else on the machine."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pypandoc

from analysis.errors import PublishError

TIMEOUT_SECONDS = 120


@functools.cache
def executable() -> Path:
    """Return the pandoc binary bundled with ``pypandoc-binary``, or the one pypandoc finds when none is bundled."""
    for name in ("pandoc", "pandoc.exe"):
        bundled = Path(pypandoc.__file__).parent / "files" / name
        if bundled.is_file():
            return bundled
    return Path(pypandoc.get_pandoc_path())


@functools.cache
def version() -> str:
    """Return pandoc's version number."""
    done = subprocess.run(
        [executable(), "--version"], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True
    )
    return done.stdout.split("\n", 1)[0].split()[-1]


def run(
    arguments: Sequence[str], text: str, *, folder: Path, environment: Mapping[str, str] | None = None
) -> tuple[str, tuple[str, ...]]:
    """Run pandoc on a text.

    Parameters
    ----------
    arguments : sequence of str
        Command-line arguments.
    text : str
        Standard input.
    folder : Path
        Working folder: images and the bibliography are looked up there.
    environment : mapping, optional
        Variables added to the environment.

    Returns
    -------
    tuple of (str, tuple of str)
        Standard output and the warnings, one an item.

    Raises
    ------
    PublishError
        Pandoc fails or takes too long.
    """
    settings = {**os.environ, **(environment or {}), "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            [executable(), *arguments],
            input=text.encode(),
            capture_output=True,
            cwd=folder,
            env=settings,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PublishError("pandoc did not finish", limit=f"{TIMEOUT_SECONDS} seconds") from error
    notes = done.stderr.decode(errors="replace").strip()
    if done.returncode != 0:
        raise PublishError("pandoc could not convert the document", given=f"exit code {done.returncode}", cause=notes)
    return done.stdout.decode(), warnings_in(notes)


def warnings_in(notes: str) -> tuple[str, ...]:
    """Split pandoc's messages into one text a message; continuation lines are indented."""
    found: list[str] = []
    for line in notes.splitlines():
        if line.startswith("[") or not found:
            found.append(line.strip())
        elif line.strip():
            found[-1] += " " + line.strip()
    return tuple(found)


def syntax_tree(text: str, *, folder: Path, metadata: Sequence[Path] = ()) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Parse a document into pandoc's JSON tree."""
    arguments = ["--from=markdown", "--to=json", *(f"--metadata-file={path}" for path in metadata)]
    out, warnings = run(arguments, text, folder=folder)
    return json.loads(out), warnings


def plain(node: Any) -> str:
    """Return the text of a piece of the JSON tree, without markup."""
    if isinstance(node, list):
        return "".join(plain(item) for item in node)
    if not isinstance(node, dict):
        return ""
    kind, content = node.get("t"), node.get("c")
    if kind in ("Str", "MetaString"):
        return str(content)
    if kind in ("Space", "SoftBreak", "LineBreak"):
        return " "
    if kind in ("Code", "Math"):
        return str(content[1]) if isinstance(content, list) else ""
    if kind == "Note":
        return ""
    return plain(content)
