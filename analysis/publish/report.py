"""From a request to a published version: data, study, pages, gate, version; each step only when it is needed."""

from __future__ import annotations

import calendar
import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import BellwetherError, ConfigError, VersionError
from analysis.publish import dataset, version
from analysis.publish.identity import VersionFacts, prefix_of
from analysis.publish.manifest import check_file, check_folder, read_manifest
from analysis.publish.paths import build_folder, builds
from analysis.publish.reference import caution

Say = Callable[[str], None]

DOCUMENTS = ("claims", "evidence", "monitor")
VERDICTS = "verdicts.json"
EVENTS = Path("data") / "events.csv"
REGISTRY = Path("reports") / "RELEASES.toml"
_DECIDES_RESULTS = ("errors.py", "quiet.py", "results.py", "stats", "market", "study")
_STALE_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for."""

    root: Path
    study: Path
    data: Path | None = None
    simulated: bool = False
    reduced: bool = False
    renderer: str = "auto"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the report is, whether it had to be built, the verdicts, and what changed since the report before it."""

    folder: Path
    status: str
    simulated: bool
    seconds: float
    table: str
    since: str = ""

    def text(self) -> str:
        """Return what a person wants to read at the end."""
        done = {"created": "Built", "unchanged": "Nothing changed: already built as"}[self.status]
        lines = [self.table, "", f"{done} {self.folder.name} ({self.seconds:.1f} s)"]
        lines += [
            f"  {path}" for name in DOCUMENTS for path in (self.folder / f"{name}.html", self.folder / f"{name}.pdf")
        ]
        if self.since:
            lines.append(self.since)
        if self.simulated:
            lines.append("SIMULATED DATA: this report shows the method and is not evidence.")
        return "\n".join(lines)


def build_report(request: Request, *, say: Say) -> Outcome:
    """Build the report a request asks for, or find that it exists.

    Raises
    ------
    BellwetherError
        Bad input, an unreachable source, a broken page or a changed version; nothing half-made is left behind.
    """
    began = time.monotonic()
    root, folder = request.root, builds(request.root)
    study_text = _study_text(request.study)
    # The study is checked first: a faulty one must change nothing, not even which snapshot is the current one.
    facts = dataset.ensure(root, data=request.data, simulated=request.simulated, say=say)
    identity = _identity(request, study_text, facts)
    target = folder / identity.version
    status, since = "unchanged", ""
    if not _is_intact(target):
        before = _latest(folder)
        _build(request, study_text, facts, identity, say)
        status, since = "created", _since(before, target)
    else:
        version.point_latest(folder, identity.version)
    if request.data is not None:
        dataset.make_current(root, facts)
    return Outcome(
        target, status, facts.kind == "simulated", time.monotonic() - began, _table(target / VERDICTS), since
    )


def _latest(folder: Path) -> Path | None:
    """Return the version a reader saw last, if there is one."""
    link = folder / version.LATEST
    return link.resolve() if link.is_symlink() and link.is_dir() else None


def _since(before: Path | None, now: Path) -> str:
    """Say in a line or two what changed since the version before; nothing where there is none that can be read."""
    if before is None or before == now or prefix_of(before.name) != prefix_of(now.name):
        return ""
    from analysis.publish import compare

    try:
        found = compare.diff(before, now)
    except BellwetherError:
        return ""
    if any(change.name == "id" for change in found.settings):
        return ""  # another study
    counts = f"{len(found.moved)} numbers moved, {len(found.added)} results are new, {len(found.removed)} are gone"
    lines = [f"Since {found.before}: {counts}", *(f"  verdict {change}" for change in found.verdicts)]
    return "\n".join([*lines, f"  all of it: bellwether diff {found.before} {found.after}"])


def freeze_live(root: Path, *, say: Say) -> str:
    """Freeze a fresh snapshot from the public sources and say which."""
    facts = dataset.freeze_live(root, say=say)
    return f"snapshot {facts.id}, data until {facts.cutoff}"


def verify_all(root: Path) -> list[str]:
    """Re-hash every published version; each finding is one line."""
    return [str(finding) for finding in version.verify(builds(root), root / REGISTRY)]


def rebuild_differs(root: Path, *, say: Say) -> list[str]:
    """Build the latest version a second time from its snapshot and compare every byte."""
    latest = build_folder(root, version.LATEST)
    manifest = read_manifest(latest)
    stamp, build = manifest["stamp"], manifest["build"]
    if not build["study"]:
        return [f"{latest.name} was built from a study outside the project and cannot be built again from here"]
    facts = dataset.facts_of(root, stamp["snapshot_id"])
    request = Request(
        root,
        root / build["study"],
        simulated=facts.kind == "simulated",
        reduced=bool(stamp["reduced"]),
        renderer=build["renderer"],
    )
    study_text = _study_text(request.study)
    identity = _identity(request, study_text, facts)
    if identity.version != latest.name:
        return [f"{latest.name} cannot be rebuilt here: the code or the study has changed since ({identity.version})"]
    try:
        _build(request, study_text, facts, identity, say, fresh=True)
    except VersionError as error:
        return [str(error)]
    return []


def verdict_table(root: Path, name: str) -> str:
    """Return the verdict table of a version as plain text."""
    folder = build_folder(root, name)
    check_file(folder, VERDICTS)
    facts = read_manifest(folder)["stamp"]
    warning = caution(str(facts["kind"]), bool(facts["reduced"]))
    heading = f"{folder.name}: {warning}" if warning else folder.name
    return f"{heading}\n\n{_table(folder / VERDICTS)}"


def _study_text(path: Path) -> str:
    """Return the text of a study that has been checked."""
    from analysis.study import config

    if not path.is_file():
        raise ConfigError(
            "there is no such study", given=str(path), remedy="name a file such as data/studies/default.toml"
        )
    config.load(path)
    return path.read_text(encoding="utf-8")


def _identity(request: Request, study_text: str, facts: dataset.SnapshotFacts) -> VersionFacts:
    """Return what the version id follows from; the renderer and the numerical packages count as code."""
    from analysis.publish.render import renderer_version
    from analysis.study import config

    study = config.load(request.study)
    renderer = renderer_version(request.renderer)  # type: ignore[arg-type]
    packages = version.package_versions()
    tools = "\n".join(
        f"{name} {packages.get(name, '')}" for name in ("numpy", "scipy", "pandas", "matplotlib", "typst")
    )
    return VersionFacts(
        cutoff=facts.cutoff,
        snapshot_id=facts.id,
        code_hash=version.code_hash(request.root, f"{study_text}\n{renderer}\n{tools}"),
        kind=facts.kind,
        reduced=request.reduced,
        renderer=renderer,
        title=f"Bellwether: {study.title}",
        settings=study.model_dump(mode="json"),
    )


def _is_intact(target: Path) -> bool:
    """Say whether a version is there; a damaged one is an error, never silently built over."""
    if not target.is_dir():
        return False
    damage = check_folder(target)
    if damage:
        raise VersionError(
            "the published version was changed after it was built",
            given=str(damage[0]),
            remedy="remove its folder and build again, or restore it from a copy",
        )
    return True


def _build(
    request: Request,
    study_text: str,
    facts: dataset.SnapshotFacts,
    identity: VersionFacts,
    say: Say,
    *,
    fresh: bool = False,
) -> None:
    from analysis.market import catalog as catalogs
    from analysis.market import events, snapshot
    from analysis.publish import pages
    from analysis.study import claims, config, prepare, verdicts

    root, folder = request.root, builds(request.root)
    study = config.load(request.study)
    declared = claims.load(root / "data" / "claims.toml")
    catalog = catalogs.load(root / "data" / "catalog.toml")
    frozen = snapshot.load(dataset.snapshots(root), facts.id)
    inputs = prepare.prepare(study, frozen, catalog, events=events.load(root / EVENTS))
    for name, reason in inputs.plan.missing:
        say(f"Study: goes on without {name}: {reason}")
    for wanted, used in inputs.plan.substitutions:
        say(f"Study: {used} stands in for {wanted}")
    ledger = _ledger(request, facts, inputs, say, fresh=fresh)
    judgements = verdicts.judge(
        declared, ledger, level=study.level, smallest_effect=study.smallest_effect, record_year=study.record_year
    )
    with _staging(folder) as stage:
        site = pages.compose(stage / "source", root / "reports", ledger, judgements, inputs, identity)
        output = stage / "output"
        rendered = [_render(name, site, output, identity, request, say) for name in DOCUMENTS]
        shutil.copytree(site.folder / "figures", output / "figures")
        ledger.write(output, version=identity.version)
        _write_json(output / VERDICTS, [judgement.to_dict() for judgement in judgements])
        pages.enforce_gate(rendered, site)
        version.publish_version(
            output,
            folder,
            identity.version,
            inputs=_inputs(frozen, root, request.study),
            facts=identity,
            git=version.git_state(root),
            build={"study": _relative(request.study, root), "renderer": request.renderer},
        )


def _render(name: str, site: Any, output: Path, identity: VersionFacts, request: Request, say: Say) -> Any:
    from analysis.publish.render import render

    say(f"Pages: {name}")
    return render(
        site.folder / f"{name}.qmd",
        variables=site.variables,
        workdir=site.folder,
        output=output,
        stamp=site.stamp,
        renderer=request.renderer,  # type: ignore[arg-type]
        timestamp=_timestamp(identity.cutoff),
    )


def _ledger(request: Request, facts: dataset.SnapshotFacts, inputs: Any, say: Say, *, fresh: bool) -> Any:
    """Return the results; a family that the same code has computed from the same data before is used again."""
    from analysis.study import run
    from analysis.study.store import Store

    draws = inputs.config.reduced_bootstrap if request.reduced else inputs.config.bootstrap
    kept = Store(builds(request.root) / ".results", _results_key(request.root, facts.id, draws))
    say(f"Study: {len(inputs.plan.calls)} tests in {len(inputs.plan.families)} families, {draws} bootstrap draws")
    ledger = run.execute(inputs, draws=draws, say=say, store=None if fresh else kept)
    kept.prune()
    return ledger


def _results_key(root: Path, snapshot_id: str, draws: int) -> str:
    """Hash what decides the results beside the study: code, lock, catalogue, events, data and draws."""
    names = [root / "requirements.lock", root / "data" / "catalog.toml", root / EVENTS]
    for part in _DECIDES_RESULTS:
        path = root / "analysis" / part
        names += [path] if path.is_file() else sorted(path.rglob("*.py"))
    whole = hashlib.sha256(f"{snapshot_id}\0{draws}\0".encode())
    for name in names:
        whole.update(f"{name.relative_to(root).as_posix()}\0".encode())
        whole.update(hashlib.sha256(name.read_bytes()).digest())
    return whole.hexdigest()


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".stage-*"):
        # A killed build cannot clean up behind itself; a running one is younger than this.
        if time.time() - left.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=".stage-", dir=folder) as name:
        yield Path(name)


def _inputs(frozen: Any, root: Path, study: Path) -> dict[str, str | Path]:
    """Name every input of a version with its hash, or the file to be hashed."""
    named: dict[str, str | Path] = {"snapshot": frozen.id}
    named |= {f"series/{key}": item["sha256"] for key, item in frozen.manifest["files"].items()}
    named |= {
        "catalog.toml": root / "data" / "catalog.toml",
        "claims.toml": root / "data" / "claims.toml",
        "events.csv": root / EVENTS,
        "study.toml": study,
        "requirements.lock": root / "requirements.lock",
    }
    return named


def _relative(path: Path, root: Path) -> str:
    """Return a path inside the project without the machine's part of it; empty when it lies outside."""
    resolved = path.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else ""


def _timestamp(cutoff: str) -> int:
    """Return the cut-off as seconds since 1970: the only date a page may carry."""
    return calendar.timegm(time.strptime(cutoff, "%Y-%m-%d"))


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _table(path: Path) -> str:
    """Return the verdicts as aligned text."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return "\n".join(_columns([(row["claim"], row["verdict"], row["because"]) for row in rows]))


def _columns(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (("claim", "verdict", ""), *rows)) for column in (0, 1)]
    width = shutil.get_terminal_size((120, 24)).columns
    for first, second, third in (("CLAIM", "VERDICT", "BECAUSE"), *rows):
        line = f"{first:<{widths[0]}}  {second:<{widths[1]}}  {third}"
        yield line if len(line) <= max(width, 80) else line[: max(width, 80) - 1] + "…"
