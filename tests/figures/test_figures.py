"""Figures: deterministic pictures, data beside them, and words that say what is seen."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis.figures import lags, records, responses, states
from analysis.figures.style import FigureSpec, word_list


def _responses() -> FigureSpec:
    rows = [
        ("Bitcoin", "bivariate", 0.3, 0.1, 0.5),
        ("Bitcoin", "conditional", 0.0, -0.2, 0.2),
        ("Ether", "bivariate", -0.3, -0.5, -0.1),
        ("Ether", "conditional", np.nan, np.nan, np.nan),
    ]
    frame = pd.DataFrame(rows, columns=["label", "twin", "estimate", "lower", "upper"])
    return responses.responses(frame, name="lead", caption="c", unit="u", subject="Response")


def _lag_frame(key: str, values: tuple[str, str]) -> pd.DataFrame:
    lag = np.arange(-3, 4)
    parts = [
        pd.DataFrame({key: value, "lag": lag, "estimate": np.where(lag == peak, 0.4, 0.01), "band": 0.05, "thin": 0.04})
        for value, peak in zip(values, (0, 1), strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _clocks() -> FigureSpec:
    return lags.clocks(_lag_frame("clock", ("after", "before")), name="clocks", caption="c", asset="Bitcoin")


def _panels() -> FigureSpec:
    return lags.panels(_lag_frame("label", ("Bitcoin", "Ether")), name="ccf", caption="c")


def _records() -> FigureSpec:
    close = np.array([10.0, 12.0, 11.0, 13.0, 12.5])
    frame = pd.DataFrame(
        {
            "date": ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"],
            "close": close,
            "running": np.maximum.accumulate(close),
            "record_close": [False, True, False, True, False],
            "record_intraday": [False, True, False, True, True],
        }
    )
    marks = [("2024-01-05", "13.00 on 2024-01-05"), ("1999-01-01", "elsewhere")]
    return records.records(frame, name="records", caption="c", label="Index", marks=marks)


def _states() -> FigureSpec:
    frame = pd.DataFrame(
        {
            "label": ["Near high"], "inside": [0.1], "inside_lower": [0.0], "inside_upper": [0.2], "outside": [0.4],
            "outside_lower": [0.3], "outside_upper": [0.5], "p_text": ["p = 0.01"],
        }
    )  # fmt: skip
    return states.state_contrast(frame, name="states", caption="c", asset="Bitcoin")


FIGURES = (_responses, _clocks, _panels, _records, _states)


@pytest.mark.parametrize("draw", FIGURES)
def test_same_data_same_bytes_no_clock_and_valid_svg(draw: Callable[[], FigureSpec]) -> None:
    first, second = draw(), draw()
    assert first.svg == second.svg
    assert b"<dc:date>" not in first.svg
    assert b"<text" not in first.svg, "text must be drawn as paths, or the page depends on installed fonts"
    root = ET.fromstring(first.svg)
    assert len(list(root.iter())) > 20


@pytest.mark.parametrize("draw", FIGURES)
def test_settings_of_matplotlib_are_left_as_they_were(draw: Callable[[], FigureSpec]) -> None:
    before = dict(mpl.rcParams)
    draw()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", FIGURES)
def test_data_and_picture_are_written_and_included(draw: Callable[[], FigureSpec], tmp_path: Path) -> None:
    figure = draw()
    figure.write(tmp_path)
    assert (tmp_path / f"{figure.name}.svg").read_bytes() == figure.svg
    assert len(pd.read_csv(tmp_path / f"{figure.name}.csv")) == len(figure.data)
    assert figure.markdown().startswith(f"![c](figures/{figure.name}.svg){{#fig-{figure.name} fig-alt=")


def test_words_say_what_the_intervals_show() -> None:
    alt = _responses().alt
    assert "alone, 0 of 2 intervals include zero; above zero: Bitcoin; below zero: Ether" in alt
    assert "beside the common drivers, 1 of 1 intervals include zero" in alt


def test_words_name_the_largest_correlation_under_each_clock() -> None:
    alt = _clocks().alt
    assert "after the equity close, the largest correlation is 0.40 at the same session" in alt
    assert "1 session(s) with small caps first" in alt
    assert "1 of 6 bars leave their robust band" in _panels().alt


def test_words_count_records_on_each_basis() -> None:
    alt = _records().alt
    assert "2 days are record closes and 1 further days set a record within the session only" in alt


def test_different_data_give_a_different_picture() -> None:
    assert _clocks().svg != _panels().svg


def test_word_list() -> None:
    assert [word_list(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
