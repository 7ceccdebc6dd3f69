"""The contract of results, checked on a real example of every registered kind."""

from __future__ import annotations

import importlib
import json
import math
import pickle
import pkgutil
import re
from dataclasses import FrozenInstanceError, fields
from typing import Any

import numpy as np
import pandas as pd
import pytest
from result_examples import EXAMPLES

import analysis
from analysis.results import _KINDS, Absent, Result, TestResult, from_dict

CLOCK = re.compile(r"\d{1,2}:\d{2}:\d{2}|\b\w{3} \w{3} +\d{1,2} \d{4}\b")


def registered() -> set[str]:
    """Import every module of the package, then list the kinds it registered (not those of tests)."""
    for module in pkgutil.walk_packages(analysis.__path__, "analysis."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return {name for name, kind in _KINDS.items() if kind.__module__.startswith("analysis.")}


def test_every_registered_kind_has_an_example_and_every_example_a_kind() -> None:
    missing = registered() - set(EXAMPLES)
    assert not missing, f"add an example to tests/result_examples.py for: {', '.join(sorted(missing))}"
    assert not set(EXAMPLES) - registered()


@pytest.fixture(scope="module", params=sorted(EXAMPLES))
def example(request: pytest.FixtureRequest) -> Result:
    result = EXAMPLES[request.param]()
    assert type(result).__name__ == request.param, f"the example is a {type(result).__name__}: {result.summary()}"
    return result


def of_kind(base: type[Result]) -> list[str]:
    """Name the examples whose kind derives from `base`."""
    return [name for name in sorted(EXAMPLES) if name in _KINDS and issubclass(_KINDS[name], base)]


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_json_is_canonical_and_loses_nothing(example: Result) -> None:
    text = example.to_json()
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
    again = from_dict(json.loads(text))
    assert type(again) is type(example)
    assert again == example
    assert hash(again) == hash(example)
    for item in fields(example):
        one, two = getattr(example, item.name), getattr(again, item.name)
        assert type(one) is type(two), item.name
        if isinstance(one, np.ndarray):
            assert (one.dtype, one.shape) == (two.dtype, two.shape)
            np.testing.assert_array_equal(one, two)
        else:
            assert one == two, item.name


def test_pickle_keeps_the_result(example: Result) -> None:
    assert pickle.loads(pickle.dumps(example)) == example


def test_nothing_can_be_changed(example: Result) -> None:
    for item in fields(example):
        with pytest.raises(FrozenInstanceError):
            setattr(example, item.name, None)
        value = getattr(example, item.name)
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable, item.name
        assert not isinstance(value, list | set | bytearray), item.name
        if isinstance(value, dict):
            with pytest.raises(TypeError, match="frozen"):
                value["new"] = 1
    with pytest.raises((AttributeError, TypeError)):
        example.a_name_that_does_not_exist = 1  # type: ignore[attr-defined]


def test_the_same_call_gives_the_same_bytes(example: Result) -> None:
    assert EXAMPLES[type(example).__name__]().to_json() == example.to_json()


def test_summary_is_plain_text_without_clock_or_object_ids(example: Result) -> None:
    text = example.summary()
    assert text.strip()
    assert text == EXAMPLES[type(example).__name__]().summary()
    assert not re.search(r"0x[0-9a-f]{6,}|object at|<class|array\(|np\.float|nan\b", text), text
    assert not CLOCK.search(text), text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_frame_is_tidy(example: Result) -> None:
    frame = example.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) >= 1
    assert frame.columns.is_unique
    assert all(isinstance(name, str) and re.fullmatch(r"[a-z0-9_]+", name) for name in frame.columns), frame.columns
    assert isinstance(frame.index, pd.RangeIndex)
    for column in frame.columns:
        assert all(np.isscalar(value) or value is None or value is pd.NA for value in frame[column]), column


def off_the_empty_diagonal(value: Any) -> Any:
    """Return a p-value field as lists; in a matrix of all pairs a series has no test against itself."""
    if not isinstance(value, np.ndarray):
        return value
    if value.ndim == 2 and value.shape[0] == value.shape[1] and np.isnan(np.diag(value)).all():
        value = value[~np.eye(len(value), dtype=bool)]
    return value.tolist()


def test_pvalues_are_numbers_between_zero_and_one(example: Result) -> None:
    for item in fields(example):
        if "pvalue" in item.name and not item.name.endswith("bound"):
            for p in leaves(off_the_empty_diagonal(getattr(example, item.name))):
                assert p is None or (math.isfinite(p) and 0.0 <= p <= 1.0), item.name
    frame = example.to_frame()
    for column in (name for name in frame.columns if "pvalue" in name):
        for p in frame[column]:
            assert p is None or p is pd.NA or 0.0 <= p <= 1.0, column


@pytest.mark.parametrize("example", of_kind(TestResult), indirect=True)
def test_a_test_names_its_parts(example: TestResult) -> None:
    for name in ("method", "null", "alternative", "distribution", "reference"):
        assert getattr(example, name).strip(), name
    assert example.nobs > 0
    assert example.nobs_lost >= 0
    if example.interval is not None:
        assert example.estimate is not None
        assert example.interval[0] <= example.estimate <= example.interval[1]
        assert example.estimate_name
    assert math.isfinite(example.statistic)


@pytest.mark.parametrize("example", of_kind(Absent), indirect=True)
def test_a_result_without_numbers_says_why(example: Absent) -> None:
    assert example.reason in example.summary()
    assert example.to_frame()["reason"].iloc[0] == example.reason


def test_a_picture_where_one_is_promised(example: Result) -> None:
    if not example.plottable:
        with pytest.raises(NotImplementedError, match="no picture"):
            example.plot()
        return
    from matplotlib.figure import Figure

    figure = Figure()
    ax = figure.add_subplot()
    assert example.plot(ax) is ax
    assert ax.has_data()
    assert ax.get_xlabel()
    figure.draw_without_rendering()
    assert example.plot().has_data()
