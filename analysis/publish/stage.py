"""Copy a document's folder to a place where it may be rendered, with our templates, filters and fonts beside it."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from analysis.errors import InputError, PublishError
from analysis.publish.stamp import Stamp

FOLDER = "_bellwether"
FONT_FACES = ("Regular", "It", "Semibold", "SemiboldIt", "Bold", "BoldIt")
FILTERS = ("embedded.lua", "shared.lua")


def asset(kind: str, name: str) -> str:
    """Return the text of a file shipped with this package."""
    return (resources.files("analysis.publish") / kind / name).read_text(encoding="utf-8")


def typst_string(text: str) -> str:
    """Return a Typst string literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Replace ``@@name@@``; a dollar sign in a value is doubled, since pandoc reads the result as a template."""
    for name, value in values.items():
        template = template.replace(f"@@{name}@@", value.replace("$", "$$"))
    if "@@" in template:
        raise PublishError("a template has a placeholder without a value", given=template.split("@@")[1])
    return template


def page_template(stamp: Stamp) -> str:
    """Return the HTML page as a pandoc template with style and stamp in place."""
    facts = "\n".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in stamp.facts()
    )
    banners = "\n".join(f'<p class="banner">{html.escape(text)}</p>' for text in stamp.banners)
    values = {
        "css": asset("assets", "report.css").strip(),
        "version": html.escape(stamp.version),
        "banners": banners,
        "facts": facts,
    }
    return _fill(asset("assets", "page.html"), values)


def show_template(stamp: Stamp) -> str:
    """Return the part of the Typst template that hands the document's facts to the page."""
    facts = "".join(f"({typst_string(name)}, {typst_string(value)}), " for name, value in stamp.facts())
    banners = "".join(f"{typst_string(text)}, " for text in stamp.banners)
    values = {"version-string": typst_string(stamp.version), "facts": f"({facts})", "banners": f"({banners})"}
    return _fill(asset("assets", "typst-show.typ"), values)


def copy_fonts(target: Path) -> None:
    """Copy one file for each face we use.

    The font package ships every face twice (TrueType and CFF); which one wins would depend on the order of a folder.
    """
    source = resources.files("font_source_sans_pro") / "files"
    target.mkdir(parents=True)
    for face in FONT_FACES:
        name = f"SourceSansPro-{face}.ttf"
        (target / name).write_bytes((source / name).read_bytes())


def _refuse_links(workdir: Path) -> None:
    for path in workdir.rglob("*"):
        if path.is_symlink():
            raise PublishError(
                "a document's folder holds a symbolic link", given=path.name, remedy="copy the file instead"
            )


def stage(workdir: Path, target: Path, *, variables: Mapping[str, Any], stamp: Stamp) -> Path:
    """Copy a document's folder and put our files beside it.

    Parameters
    ----------
    workdir : Path
        Folder with the document, its includes, figures and bibliography; read only.
    target : Path
        New folder.
    variables : mapping
        Nested values, written as ``_variables.yml`` (JSON, which is YAML).
    stamp : Stamp
        Shown on every page.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    InputError
        ``target`` lies inside ``workdir``.
    PublishError
        ``workdir`` holds a symbolic link.
    """
    if target.resolve().is_relative_to(workdir.resolve()):
        raise InputError(
            "the output folder lies inside the document's folder", given=target.name, remedy="use two folders"
        )
    _refuse_links(workdir)
    shutil.copytree(workdir, target, ignore=shutil.ignore_patterns(".*", "__pycache__", "_build"))
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    text = json.dumps(variables, ensure_ascii=False, indent=1, sort_keys=True)
    (target / "_variables.yml").write_text(text + "\n", encoding="utf-8")
    ours = target / FOLDER
    ours.mkdir()
    for name in FILTERS:
        (ours / name).write_text(asset("filters", name), encoding="utf-8")
    (ours / "page.html").write_text(page_template(stamp), encoding="utf-8")
    (ours / "typst-template.typ").write_text(asset("assets", "typst-template.typ"), encoding="utf-8")
    (ours / "typst-show.typ").write_text(show_template(stamp), encoding="utf-8")
    joined = "\n".join([asset("assets", "typst-template.typ"), show_template(stamp), "$body$", ""])
    (ours / "page.typ").write_text(joined, encoding="utf-8")
    copy_fonts(ours / "fonts")
    return target
