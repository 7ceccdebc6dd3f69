"""Every example in a docstring prints what it says it prints."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from types import ModuleType

import pytest

import analysis

PACKAGE = Path(analysis.__file__).parent
MODULES = sorted(
    ".".join(("analysis", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


def failures(module: ModuleType) -> tuple[int, str]:
    """Return the examples run in a module and the report on those that are wrong."""
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for case in doctest.DocTestFinder().find(module, module.__name__):
        runner.run(case, out=report.append)
    return runner.summarize(verbose=False).attempted, "".join(report)


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_right(name: str) -> None:
    attempted, report = failures(importlib.import_module(name))
    assert attempted > 0, "an example stands where no public docstring is"
    assert not report, report


def test_a_wrong_example_is_seen() -> None:
    module = ModuleType("wrong", "Add.\n\n>>> 1 + 1\n2\n>>> 1 + 2\n4\n")
    attempted, report = failures(module)
    assert attempted == 2
    assert "Expected:\n    4\nGot:\n    3" in report
