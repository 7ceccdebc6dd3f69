"""The command line: parse, call, print, exit code; nothing else."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis import __version__
from analysis.errors import BellwetherError

DEFAULT_STUDY = "data/studies/default.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0 on success, 1 when a check finds something, 2 on an error a person can mend."""
    # One BLAS thread, set before NumPy is imported: parallel work is done by test, and no last digit may depend on it.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except BellwetherError as error:
        print(f"bellwether: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of our output has left, as `head` does; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"bellwether: cannot read or write {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bellwether: stopped; nothing half-made was left behind", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bellwether", description="Honest tests of whether US small caps lead Bitcoin and altcoins."
    )
    parser.add_argument("--version", action="version", version=f"bellwether {__version__}")
    parser.add_argument("--root", type=Path, help="folder of the project (default: found from here)")
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")

    report = commands.add_parser("report", help="run the study and build the report")
    report.add_argument("--data", type=Path, help="folder of CSV files named after catalogue ids")
    report.add_argument("--study", type=Path, help=f"study file (default: {DEFAULT_STUDY})")
    report.add_argument("--simulated", action="store_true", help="use the simulated market, whatever data there is")
    report.add_argument("--reduced", action="store_true", help="fewer bootstrap draws; stamped as not for citation")
    report.add_argument("--renderer", choices=("auto", "quarto", "embedded"), default="auto")
    report.set_defaults(run=_report)

    data = commands.add_parser("data", help="freeze a fresh snapshot from the keyless public sources")
    data.set_defaults(run=_data)

    verify = commands.add_parser("verify", help="re-hash every published version")
    verify.add_argument("--rebuild", action="store_true", help="also build the latest version again and compare bytes")
    verify.set_defaults(run=_verify)

    verdicts = commands.add_parser("verdicts", help="print the verdict table of a version")
    verdicts.add_argument("version", nargs="?", default="latest")
    verdicts.set_defaults(run=_verdicts)

    cite = commands.add_parser("cite", help="print a citation of one result")
    cite.add_argument("result", help="result id, such as granger.rut.btc.after.bivariate")
    cite.add_argument("--build", default="latest", help="version (default: latest)")
    cite.add_argument("--allow-stamped", action="store_true", help="cite simulated or reduced results, marked as such")
    cite.set_defaults(run=_cite)

    check = commands.add_parser("check", help="confirm every marked number of a note")
    check.add_argument("note", type=Path)
    check.set_defaults(run=_check)

    fill = commands.add_parser("fill", help="write the marked numbers into a note")
    fill.add_argument("note", type=Path)
    fill.set_defaults(run=_fill)

    diff = commands.add_parser("diff", help="say what changed between two versions")
    diff.add_argument("old")
    diff.add_argument("new")
    diff.set_defaults(run=_diff)

    results = commands.add_parser("results", help="query the results of every version")
    results.add_argument(
        "--sql", default="select version, id, estimate, pvalue_adjusted from results where headline order by id"
    )
    results.set_defaults(run=_results)

    release = commands.add_parser("release", help="record a version as released")
    release.add_argument("version")
    release.add_argument("--reason", required=True)
    release.add_argument("--supersedes")
    release.set_defaults(run=_release)
    return parser


def _root(options: argparse.Namespace) -> Path:
    from analysis.publish.paths import find_root

    return find_root(options.root)


def _report(options: argparse.Namespace) -> int:
    from analysis.publish.report import Request, build_report

    root = _root(options)
    outcome = build_report(
        Request(
            root=root,
            data=options.data,
            study=options.study or root / DEFAULT_STUDY,
            simulated=options.simulated,
            reduced=options.reduced,
            renderer=options.renderer,
        ),
        say=_say,
    )
    print(outcome.text())
    return 0


def _data(options: argparse.Namespace) -> int:
    from analysis.publish.report import freeze_live

    print(freeze_live(_root(options), say=_say))
    return 0


def _verify(options: argparse.Namespace) -> int:
    from analysis.publish.report import rebuild_differs, verify_all

    root = _root(options)
    findings = verify_all(root)
    if options.rebuild and not findings:
        findings = rebuild_differs(root, say=_say)
    for line in findings:
        print(line)
    print("verified" if not findings else f"{len(findings)} finding(s)")
    return 1 if findings else 0


def _verdicts(options: argparse.Namespace) -> int:
    from analysis.publish.report import verdict_table

    print(verdict_table(_root(options), options.version))
    return 0


def _cite(options: argparse.Namespace) -> int:
    from analysis.publish.cite import cite
    from analysis.publish.paths import build_folder

    folder = build_folder(_root(options), options.build)
    citation = cite(folder, options.result, allow_stamped=options.allow_stamped)
    print("\n\n".join((citation.sentence, citation.markdown, citation.bibtex, citation.csl_json)))
    return 0


def _check(options: argparse.Namespace) -> int:
    from analysis.publish.notes import check
    from analysis.publish.paths import builds

    report = check(options.note, builds(_root(options)))
    print(report.summary())
    return 0 if report.ok else 1


def _fill(options: argparse.Namespace) -> int:
    from analysis.publish.notes import fill
    from analysis.publish.paths import builds, replace_text

    replace_text(options.note, fill(options.note, builds(_root(options))))
    print(f"filled {options.note}")
    return 0


def _diff(options: argparse.Namespace) -> int:
    from analysis.publish.compare import diff
    from analysis.publish.paths import build_folder

    root = _root(options)
    print(diff(build_folder(root, options.old), build_folder(root, options.new)).summary())
    return 0


def _results(options: argparse.Namespace) -> int:
    from analysis.publish.paths import builds
    from analysis.publish.query import query

    frame = query(builds(_root(options)), options.sql)
    print(frame.to_string(index=False, max_rows=200, max_colwidth=60))
    return 0


def _release(options: argparse.Namespace) -> int:
    from analysis.publish.paths import builds
    from analysis.publish.version import release

    root = _root(options)
    registry = root / "reports" / "RELEASES.toml"
    print(
        release(
            options.version,
            builds=builds(root),
            registry=registry,
            reason=options.reason,
            supersedes=options.supersedes,
        )
    )
    return 0


def _say(line: str) -> None:
    """Print progress where a person sees it and a pipe does not."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
