from __future__ import annotations

import dataclasses
import json
import os
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pypandoc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_example import CODE, SNAPSHOT, entry, facts, ledger, publish, stage

from analysis.errors import InputError, VersionError
from analysis.publish import manifest
from analysis.publish.identity import is_hash, prefix_of
from analysis.publish.reference import escape_latex
from analysis.publish.version import (
    GitState,
    code_hash,
    find_version,
    git_state,
    is_version,
    latest_like,
    package_versions,
    point_latest,
    publish_version,
    read_releases,
    release,
    verify,
    version_id,
    versions,
)

REAL = "2026-08-21-1a2b3c4d-5e6f7a8b"


def loosen(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


# --- identity


@pytest.mark.parametrize(
    ("kind", "reduced", "expected"),
    [
        ("real", False, REAL),
        ("simulated", False, f"SIM-{REAL}"),
        ("real", True, f"CI-{REAL}"),
        ("simulated", True, f"CI-SIM-{REAL}"),
    ],
)
def test_version_id(kind: str, reduced: bool, expected: str) -> None:
    made = version_id("2026-08-21", SNAPSHOT, CODE, kind=kind, reduced=reduced)
    assert made == expected
    assert is_version(made)
    assert prefix_of(made) == expected.removesuffix(REAL)


@pytest.mark.parametrize(
    ("cutoff", "snapshot", "kind"),
    [
        ("2026-8-21", SNAPSHOT, "real"),
        ("2026-02-30", SNAPSHOT, "real"),
        ("../../etc", SNAPSHOT, "real"),
        ("2026-08-21", "1a2b3c4", "real"),
        ("2026-08-21", "1A2B3C4D", "real"),
        ("2026-08-21", "1a2b/3c4d", "real"),
        ("2026-08-21", SNAPSHOT + "0", "real"),
        ("2026-08-21", SNAPSHOT, "other"),
    ],
)
def test_version_id_refuses_what_is_not_its_form(cutoff: str, snapshot: str, kind: str) -> None:
    with pytest.raises(InputError):
        version_id(cutoff, snapshot, CODE, kind=kind, reduced=False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        f"SIM-CI-{REAL}",
        f"{REAL}\n",
        f"../{REAL}",
        f"{REAL}/..",
        REAL.upper(),
        "2026-13-01-1a2b3c4d-5e6f7a8b",
    ],
)
def test_not_a_version(text: str) -> None:
    assert not is_version(text)


def tree(root: Path) -> Path:
    for name, text in {
        "analysis/stats/a.py": "x = 1\n",
        "analysis/publish/filters/f.lua": "-- f\n",
        "analysis/publish/assets/s.css": "p {}\n",
        "reports/claims.qmd": "text\n",
        "reports/refs.bib": "@a{b}\n",
        "reports/_quarto.yml": "a: b\n",
        "data/catalog.toml": "a = 1\n",
        "data/events.csv": "a,b\n",
        "requirements.lock": "a==1\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, newline="\n")
    return root


def test_code_hash_follows_every_input_and_nothing_else(tmp_path: Path) -> None:
    root = tree(tmp_path / "here")
    first = code_hash(root, "study")
    assert is_hash(first)
    assert code_hash(tree(tmp_path / "else" / "where"), "study") == first
    for ignored in ("README.md", "analysis/__pycache__/a.pyc", "reports/_variables.yml", "data/studies/other.toml"):
        (root / ignored).parent.mkdir(parents=True, exist_ok=True)
        (root / ignored).write_text("anything")
    (root / "reports/_build").mkdir()
    (root / "reports/_build/x.qmd").write_text("built")
    assert code_hash(root, "study") == first
    seen = {first, code_hash(root, "another study")}
    for path in sorted(path for path in tree(tmp_path / "names").rglob("*") if path.is_file()):
        name = path.relative_to(tmp_path / "names").as_posix()
        changed = tree(tmp_path / "changed" / name.replace("/", "-"))
        (changed / name).write_text("changed")
        seen.add(code_hash(changed, "study"))
        (changed / name).unlink()
        seen.add(code_hash(changed, "study"))
    assert len(seen) == 2 + 2 * 9


def test_code_hash_does_not_depend_on_line_ends_but_on_boundaries(tmp_path: Path) -> None:
    root = tree(tmp_path)
    first = code_hash(root)
    (root / "analysis/stats/a.py").write_bytes(b"x = 1\r\n")
    assert code_hash(root) == first
    (root / "analysis/stats/a.py").rename(root / "analysis/stats/b.py")
    assert code_hash(root) != first


def git(root: Path, *arguments: str) -> None:
    settings = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *settings, *arguments], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_state(tmp_path: Path) -> None:
    assert git_state(tmp_path) == GitState(None, None)
    git(tmp_path, "init", "-q")
    assert git_state(tmp_path) == GitState(None, True)
    (tmp_path / "a").write_text("a")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "a")
    state = git_state(tmp_path)
    assert state.clean is True
    assert len(state.commit or "") == 40
    (tmp_path / "a").write_text("b")
    assert git_state(tmp_path) == dataclasses.replace(state, clean=False)
    (tmp_path / "inner").mkdir()
    assert git_state(tmp_path / "inner") == GitState(None, None)


def test_git_state_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) == GitState(None, None)


def test_package_versions_name_the_dependencies() -> None:
    found = package_versions()
    assert {"numpy", "pandas", "pyarrow"} <= found.keys()
    assert "hypothesis" not in found


# --- publishing


def test_a_version_holds_everything_and_is_read_only(tmp_path: Path) -> None:
    outcome = publish(tmp_path)
    assert (outcome.status, outcome.path) == ("created", tmp_path / "builds" / REAL)
    names = {path.relative_to(outcome.path).as_posix() for path in outcome.path.rglob("*") if path.is_file()}
    assert names == {
        "results.parquet", "results.json", "evidence.html", "verdicts.json", "figures/path.svg",
        "manifest.json", "CITATION.cff", "citation.bib",
    }  # fmt: skip
    for path in outcome.path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o555 if path.is_dir() else 0o444)
    assert stat.S_IMODE(outcome.path.stat().st_mode) == 0o555
    content = json.loads((outcome.path / "manifest.json").read_text())
    assert set(content["files"]) == names - {"manifest.json"}
    assert content["inputs"] == {"series/RUT": "ab" * 32, "snapshot": SNAPSHOT}
    assert content["stamp"]["renderer"] == "embedded 1"
    assert content["build"]["packages"]["numpy"]
    for name, fact in content["files"].items():
        assert fact == {
            "sha256": manifest.sha256_file(outcome.path / name),
            "bytes": (outcome.path / name).stat().st_size,
        }
    assert verify(tmp_path / "builds") == ()
    assert versions(tmp_path / "builds") == (REAL,)
    assert (tmp_path / "builds" / "latest").readlink() == Path(REAL)
    assert find_version(tmp_path / "builds", "latest") == outcome.path


def test_staging_is_left_alone(tmp_path: Path) -> None:
    staging = stage(tmp_path / "s", ledger(), REAL)
    before = manifest.hash_folder(staging)
    inputs = {"data/catalog.toml": staging / "evidence.html"}
    publish_version(staging, tmp_path / "b", REAL, inputs=inputs, facts=facts())
    assert manifest.hash_folder(staging) == before
    assert json.loads((tmp_path / "b" / REAL / "manifest.json").read_text())["inputs"] == {
        "data/catalog.toml": before["evidence.html"]["sha256"]
    }


def test_same_id_same_bytes_is_no_operation(tmp_path: Path) -> None:
    first = publish(tmp_path)
    stamp = (first.path / "manifest.json").stat()
    staging = stage(tmp_path / "again", ledger(), REAL)
    inputs = {"series/RUT": "ab" * 32, "snapshot": SNAPSHOT}
    again = publish_version(
        staging,
        tmp_path / "builds",
        REAL,
        inputs=inputs,
        facts=facts(),
        git=GitState("c" * 40, False),
        build={"at": "later"},
    )
    assert again.status == "unchanged"
    assert (first.path / "manifest.json").stat().st_mtime_ns == stamp.st_mtime_ns
    assert json.loads((first.path / "manifest.json").read_text())["build"]["git_commit"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"page": "<p>The pace.</p>\n"},
            r"evidence\.html: byte 9, line 1: '<p>The page\.</p>' became '<p>The pace\.</p>'",
        ),
        ({"book": ledger(pvalue=0.4)}, r"results\.json: .*\[granger\.rut\.btc\.daily\]\.pvalue: 0\.4123 became 0\.4"),
        ({"inputs": {"series/RUT": "cd" * 32, "snapshot": SNAPSHOT}}, r"inputs, series/RUT: abab.* became cdcd"),
        ({"inputs": {"snapshot": SNAPSHOT}}, r"series/RUT: abab.* became absent"),
        ({"settings": {"level": 0.1}}, r"stamp, settings"),
        ({"title": "Another"}, r"CITATION\.cff"),
    ],
)
def test_same_id_other_bytes_is_an_error(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = publish(tmp_path).path
    before = manifest.hash_folder(path)
    with pytest.raises(VersionError, match=message):
        publish(tmp_path, **changes)  # type: ignore[arg-type]
    assert manifest.hash_folder(path) == before
    assert verify(tmp_path / "builds") == ()
    assert not list((tmp_path / "builds").glob(".tmp-*"))


def test_missing_and_extra_files_are_differences(tmp_path: Path) -> None:
    publish(tmp_path)
    staging = stage(tmp_path / "s", ledger(), REAL)
    inputs = {"series/RUT": "ab" * 32, "snapshot": SNAPSHOT}
    (staging / "zz.csv").write_text("a\n")
    with pytest.raises(VersionError, match=r"zz\.csv: made this time, but not published"):
        publish_version(staging, tmp_path / "builds", REAL, inputs=inputs, facts=facts())
    (staging / "zz.csv").unlink()
    (staging / "evidence.html").unlink()
    with pytest.raises(VersionError, match=r"evidence\.html: published, but not made this time"):
        publish_version(staging, tmp_path / "builds", REAL, inputs=inputs, facts=facts())


def test_a_damaged_version_is_not_called_unchanged(tmp_path: Path) -> None:
    path = publish(tmp_path).path
    loosen(path)
    (path / "figures" / "path.svg").write_text("<svg>other</svg>")
    with pytest.raises(VersionError, match=r"not intact.*figures/path\.svg: changed"):
        publish(tmp_path)


def test_what_would_lead_outside_is_refused(tmp_path: Path) -> None:
    def refused(message: str, staging: Path, version: str = REAL, inputs: dict[str, str | Path] | None = None) -> None:
        with pytest.raises(VersionError, match=message):
            publish_version(staging, tmp_path / "builds", version, inputs=inputs or {}, facts=facts())
        assert versions(tmp_path / "builds") == ()

    good = stage(tmp_path / "good", ledger(), REAL)
    refused("does not follow", good, version="../../escape")
    refused("does not follow", good, version=f"SIM-{REAL}")
    refused("hexadecimal", good, inputs={"a": "not a hash"})
    refused("no finished build", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    refused("is empty", tmp_path / "empty")
    for name in ("manifest.json", "CITATION.cff", "citation.bib"):
        (good / name).write_text("{}")
        refused("writes itself", good)
        (good / name).unlink()
    (good / "link.html").symlink_to("/etc/passwd")
    refused("plain files and folders only", good)
    (good / "link.html").unlink()
    (good / "folder").symlink_to(tmp_path, target_is_directory=True)
    refused("plain files and folders only", good)
    (good / "folder").unlink()
    os.mkfifo(good / "pipe")
    refused("plain files and folders only", good)
    (good / "pipe").unlink()
    (good / "a\nb.html").write_text("x")
    refused("not every system allows", good)


def test_a_link_in_the_place_of_a_version_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "builds").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "builds" / REAL).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(VersionError, match="taken by something else"):
        publish(tmp_path)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    with pytest.raises(VersionError, match="no such version"):
        find_version(tmp_path / "builds", REAL)


CRASH = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import published_example
def die(*_): os._exit(9)
Path.replace = die
published_example.publish(Path(sys.argv[1]))
"""


def test_a_crash_leaves_no_half_version(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CRASH, str(tmp_path), str(Path(__file__).parent)]
    assert subprocess.run(command, check=False).returncode == 9
    builds = tmp_path / "builds"
    assert [path.name for path in builds.glob(".tmp-*")] == [f".tmp-{REAL}"]
    assert versions(builds) == ()
    assert verify(builds) == ()
    outcome = publish(tmp_path)
    assert outcome.status == "created"
    assert not list(builds.glob(".tmp-*"))
    assert verify(builds) == ()


BUILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import published_example
print(published_example.publish(Path(sys.argv[1])).status)
"""


def test_two_processes_give_the_same_bytes_and_do_not_meet(tmp_path: Path) -> None:
    running = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / "builds").mkdir(exist_ok=True)
        (tmp_path / name / "builds").symlink_to(tmp_path / "builds", target_is_directory=True)
        command = [sys.executable, "-c", BUILD, str(tmp_path / name), str(Path(__file__).parent)]
        running.append(
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONHASHSEED": name[:1] and str(len(running))},
            )
        )
    assert sorted(process.communicate()[0].strip() for process in running) == ["created", "unchanged"]
    assert verify(tmp_path / "builds") == ()


def test_latest_moves_to_the_last_build_and_compares_like_with_like(tmp_path: Path) -> None:
    builds = tmp_path / "builds"
    publish(tmp_path)
    later = publish(tmp_path, cutoff="2026-09-01").path.name
    simulated = publish(tmp_path, kind="simulated").path.name
    assert (builds / "latest").readlink() == Path(simulated)
    assert latest_like(builds, REAL) == later
    assert latest_like(builds, simulated) == simulated
    assert publish(tmp_path).status == "unchanged"
    assert latest_like(builds, later) == REAL
    point_latest(builds, later)
    assert (builds / "latest").readlink() == Path(later)
    with pytest.raises(VersionError, match="no such version"):
        point_latest(builds, "2020-01-01-00000000-00000000")
    (builds / "latest").unlink()
    (builds / "latest").mkdir()
    with pytest.raises(VersionError, match="not a link"):
        publish(tmp_path)


# --- verification


def test_verify_finds_every_kind_of_damage(tmp_path: Path) -> None:
    builds = tmp_path / "builds"
    path = publish(tmp_path).path
    loosen(path)
    (path / "evidence.html").write_text("<p>Forged.</p>\n")
    (path / "verdicts.json").unlink()
    (path / "figures" / "new.csv").write_text("x")
    (builds / "stray").mkdir()
    (builds / "latest").unlink()
    (builds / "latest").symlink_to("gone")
    assert [(found.version, found.path, found.problem) for found in verify(builds)] == [
        (REAL, "evidence.html", "changed"),
        (REAL, "figures/new.csv", "extra"),
        (REAL, "verdicts.json", "missing"),
        ("stray", "", "unknown"),
        ("latest", "", "latest"),
    ]
    (builds / "latest").unlink()
    assert str(verify(builds)[-1]) == "latest: latest: is missing"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"renderer": "embedded 1"', '"renderer": "embedded 2"', "changed after"),
        ('"schema": 1', '"schema": 2', "unknown layout"),
        ("{", "[", "not valid JSON"),
        ('"results.json"', '"../results.json"', "unknown layout"),
    ],
)
def test_verify_finds_a_changed_manifest(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = publish(tmp_path).path / "manifest.json"
    loosen(path.parent)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    (found,) = verify(tmp_path / "builds")
    assert found.problem == "manifest"
    assert message in found.detail


def test_verify_finds_links_moved_folders_and_missing_manifests(tmp_path: Path) -> None:
    path = publish(tmp_path).path
    loosen(path)
    copy = path.with_name(REAL.replace("2026-08-21", "2026-08-22"))
    shutil.copytree(path, copy)
    assert (
        "another version" in verify(tmp_path / "builds")[0].detail
        or "another version" in verify(tmp_path / "builds")[1].detail
    )
    (copy / "manifest.json").unlink()
    assert "no manifest" in verify(tmp_path / "builds")[0].detail
    shutil.rmtree(copy)
    content = (path / "evidence.html").read_bytes()
    (tmp_path / "outside.html").write_bytes(content)
    (path / "evidence.html").unlink()
    (path / "evidence.html").symlink_to(tmp_path / "outside.html")
    (found,) = verify(tmp_path / "builds")
    assert found.problem == "extra"
    assert verify(tmp_path / "nowhere") == ()


# --- citation files and releases


def test_citation_files_are_valid_and_stamped(tmp_path: Path) -> None:
    path = publish(tmp_path, title='Odd "title" & 100% {x}_y', authors=("A & B", "Ü. Name")).path
    bib = (path / "citation.bib").read_text(encoding="utf-8")
    parsed = json.loads(pypandoc.convert_text(bib, "csljson", format="bibtex"))
    assert len(parsed) == 1
    assert "Odd" in parsed[0]["title"]
    assert "100%" in parsed[0]["title"]
    assert [author["literal"] for author in parsed[0]["author"]] == ["A & B", "Ü. Name"]
    cff = (path / "CITATION.cff").read_text(encoding="utf-8")
    assert f'version: "{REAL}"' in cff
    assert 'date-released: "2026-08-21"' in cff
    assert r'title: "Odd \"title\" & 100% {x}_y"' in cff
    simulated = publish(tmp_path, kind="simulated", reduced=True).path
    assert "Do not cite: simulated data, not evidence; reduced draws" in (simulated / "CITATION.cff").read_text()
    assert "Simulated data, not evidence" in (simulated / "citation.bib").read_text()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_escaped_latex_has_balanced_braces_and_no_bare_specials(text: str) -> None:
    escaped = escape_latex(text)
    bare = escaped.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    for letter in "&%#_$":
        assert escaped.count(letter) == escaped.count(f"\\{letter}")


def test_release_writes_a_register_that_verify_uses(tmp_path: Path) -> None:
    builds, registry = tmp_path / "builds", tmp_path / "RELEASES.toml"
    first, second = publish(tmp_path).path, publish(tmp_path, cutoff="2026-09-01").path
    registry.write_text("# Released versions.\n")
    block = release(first.name, builds=builds, registry=registry, reason='First "release" \\ ü')
    assert block.startswith("[[release]]\n")
    release(second.name, builds=builds, registry=registry, reason="New data", supersedes=first.name)
    assert registry.read_text().startswith("# Released versions.\n")
    items = tomllib.loads(registry.read_text())["release"]
    assert [item["version"] for item in items] == [first.name, second.name]
    assert items[0]["reason"] == 'First "release" \\ ü'
    assert items[1]["supersedes"] == first.name
    assert read_releases(registry) == items
    assert verify(builds, registry) == ()
    loosen(first)
    path = first / "manifest.json"
    content = json.loads(path.read_text())
    content["inputs"]["series/RUT"] = "00" * 32
    path.write_bytes(manifest.canonical(manifest.seal(content)))
    assert [found.problem for found in verify(builds, registry)] == ["release"]


def test_release_refuses(tmp_path: Path) -> None:
    builds, registry = tmp_path / "builds", tmp_path / "RELEASES.toml"
    path = publish(tmp_path).path
    simulated, reduced = publish(tmp_path, kind="simulated").path.name, publish(tmp_path, reduced=True).path.name

    def refused(message: str, version: str = REAL, reason: str = "why", supersedes: str | None = None) -> None:
        before = registry.read_bytes() if registry.exists() else None
        with pytest.raises(VersionError, match=message):
            release(version, builds=builds, registry=registry, reason=reason, supersedes=supersedes)
        assert (registry.read_bytes() if registry.exists() else None) == before

    refused("real data with full draws", simulated)
    refused("real data with full draws", reduced)
    refused("only a named version", "latest")
    refused("no such version", REAL.replace("2026", "2025"))
    refused("no such version", "../x")
    refused("in one line", reason=" ")
    refused("in one line", reason="two\nlines")
    refused("never released", supersedes=simulated)
    release(REAL, builds=builds, registry=registry, reason="why")
    refused("released already")
    loosen(path)
    registry.unlink()
    (path / "evidence.html").write_text("forged")
    refused("not intact")
    registry.write_text("[[release]\n")
    with pytest.raises(VersionError, match="cannot be read"):
        read_releases(registry)
    registry.write_text('[[release]]\nversion = "x"\n')
    with pytest.raises(VersionError, match="lacks a key"):
        read_releases(registry)


def test_entry_of_the_example_is_sound() -> None:
    assert entry().status == "ok"
